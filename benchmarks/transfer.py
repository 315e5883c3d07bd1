"""What starting from another model saves on few pictures: distance to unseen pictures over the training, three ways.

Trains a parent on one folder of pictures, then on a few pictures of another folder: from nothing, from the parent's
generator, and from both of its networks. The arena's judge compares. Prints a table, and writes it as JSON with --out.
"""
# ruff: noqa: I001

from __future__ import annotations

import json
import shutil
import tempfile
from pathlib import Path
from typing import Annotated

import typer

import imagen_demo  # noqa: F401  before torch: it sets how idle threads wait
import numpy as np
import torch
from benchmarks.arena.scores import Judge
from imagen_demo.config import PrepareConfig, TrainConfig
from imagen_demo.data.dataset import Dataset
from imagen_demo.data.pixels import from_network
from imagen_demo.data.prepare import prepare
from imagen_demo.models.folder import load_model, read_info
from imagen_demo.training import coach
from imagen_demo.training.main import discriminator_of
from imagen_demo.training.run import Run
from imagen_demo.training.schedule import pick_device, resolve
from imagen_demo.training.showing import draw_fixed
from imagen_demo.training.trainer import Trainer

WAYS = {"nothing": (False, False), "generator": (True, False), "both": (True, True)}  # networks taken over
UNSEEN = 300  # pictures that are compared with as many generated ones


def picked(source: Path, folder: Path, start: int, stop: int) -> Path:
    """Some pictures of a folder, the same ones each time, as a folder of their own."""
    files = sorted(file for file in source.rglob("*") if file.is_file())
    order = np.random.default_rng(0).permutation(len(files))[start:stop]
    folder.mkdir(parents=True)
    for index in order:
        shutil.copy(files[index], folder / f"{index:06d}{files[index].suffix}")
    return folder


def train(
    folder: Path, dataset: Dataset, config: TrainConfig, parent: Path | None, way: str, marks: list[float]
) -> list:
    """Networks as they are at each of ``marks`` kimg, as (kimg, pictures uint8 [N, H, W, 3])."""
    with_generator, with_discriminator = WAYS[way]
    like = read_info(parent).config if parent else None  # in all ways: only networks of one shape compare
    config, model, _ = resolve(config, dataset, pick_device(config.device), parent=like)
    folder.mkdir(parents=True)
    trainer = Trainer(Run(folder), dataset, config, model)
    if parent and with_generator:
        source = load_model(parent)
        trainer.start_from(source, discriminator_of(source.path, source.hash) if with_discriminator else None)
    trainer._begin(resume=False)
    drawn = []
    for mark in marks:
        while trainer.state.counters.kimg < mark:
            trainer._step()
        pictures = draw_fixed(trainer.state.ema, UNSEEN, device=trainer.device)
        drawn.append((mark, from_network(torch.cat(list(pictures)))))
    trainer._end()
    return drawn


def main(
    parent_pictures: Annotated[Path, typer.Argument(help="Folder of pictures for the parent")],
    pictures: Annotated[Path, typer.Argument(help="Folder of other pictures, few of which are learned from")],
    count: int = 200,
    resolution: int = 32,
    parent_kimg: float = 100.0,
    marks: str = "0,2,5,10,20",
    width: int = 0,
    threads: int = 0,
    seed: int = 0,
    parent: Annotated[Path | None, typer.Option(help="A run's latest/, instead of training a parent")] = None,
    out: Path | None = None,
) -> None:
    """Measure what transfer saves."""
    coach.judge = lambda curves: coach.RULES[-1]  # nobody interferes
    common = {"width": width, "threads": threads, "seed": seed, "tick_seconds": 1e9, "state_seconds": 1e9}
    at = [float(mark) for mark in marks.split(",")]
    shape = PrepareConfig(resolution=resolution)
    rows = {}
    with tempfile.TemporaryDirectory() as scratch:
        work = Path(scratch)
        few = prepare(picked(pictures, work / "b", 0, count), work / "data-b", shape)
        unseen = prepare(picked(pictures, work / "c", count, count + UNSEEN), work / "data-c", shape)
        if parent is None:
            parents = prepare(picked(parent_pictures, work / "a", 0, 5000), work / "data-a", shape)
            train(work / "parent", parents, TrainConfig(kimg=parent_kimg, **common), None, "nothing", [parent_kimg])
            parent = work / "parent" / "latest"
        judge = Judge(np.asarray(unseen.images))
        config = TrainConfig(kimg=at[-1], **common)
        for way in WAYS:
            drawn = train(work / way, few, config, parent, way, at)
            rows[way] = [{"kimg": kimg} | judge.score(fake) for kimg, fake in drawn]
            cells = (f"{r['kimg']:g}: {r['swd']:.0f} / {r['fd']:.0f}" for r in rows[way])
            print(f"{way:16}", *cells, sep="  ", flush=True)
    if out:
        settings = {"pictures": count, "resolution": resolution, "seed": seed, "parent_kimg": parent_kimg, **common}
        out.write_text(json.dumps({"settings": settings, "torch": torch.__version__, "rows": rows}, indent=1))


if __name__ == "__main__":
    typer.run(main)
