"""This project, as a user gets it: automatic settings, the whole run directory, measuring and sample grids and all.

``--set gamma=1 --set model.noise=True`` changes a setting of training or of the networks, ``--variant bfloat16`` what
is no setting: so the ablation is made.
"""

from __future__ import annotations

import argparse
import ast
import dataclasses
import math
import shutil
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.arena.clock import Contestant, arguments, enter, parameters
from benchmarks.arena.contestants.variants import VARIANTS
from imagen_demo.config import TrainConfig
from imagen_demo.data.dataset import open_dataset
from imagen_demo.data.pixels import from_network
from imagen_demo.training.run import Run
from imagen_demo.training.schedule import pick_device, resolve
from imagen_demo.training.trainer import VALIDATE_EVERY, Trainer

import torch  # isort: skip


class Led(Trainer):
    """A trainer that somebody else leads from step to step and ends."""

    def _finished(self) -> bool:
        return False


class Ours(Contestant):
    def __init__(self, options: argparse.Namespace) -> None:
        changes = {key: value(text) for key, text in (pair.split("=", 1) for pair in options.set)}
        networks = {key.removeprefix("model."): v for key, v in changes.items() if key.startswith("model.")}
        training = {key: v for key, v in changes.items() if not key.startswith("model.")}
        dataset = open_dataset(options.dataset)
        wish = TrainConfig(minutes=options.minutes, seed=options.seed, threads=options.threads, **training)
        config, model, _ = resolve(wish, dataset, pick_device(options.device))
        model = dataclasses.replace(model, **networks)
        self.out, self.folder = options.out, Path(tempfile.mkdtemp(prefix="arena-"))
        self.trainer = Led(Run(self.folder), dataset, config, model)
        self.trainer._begin(resume=False)
        if options.variant:
            VARIANTS[options.variant](self.trainer)
        self.random = torch.Generator().manual_seed(options.seed)
        self.strength, self.ticking = options.strength, not options.speed
        self.cycle = math.lcm(config.penalty_every, VALIDATE_EVERY)
        state = self.trainer.state
        self.parameters = parameters(state.generator, state.discriminator)

    def step(self) -> int:
        """What the product does for a step, with whatever is due before it."""
        trainer = self.trainer
        if self.strength is not None:
            trainer.state.controller.p = self.strength
        while self.ticking and trainer._order() == "tick":
            trainer._tick_and_keep()
        before = trainer.state.counters.images
        trainer._step()
        return trainer.state.counters.images - before

    @torch.inference_mode()
    def draw(self, count: int) -> np.ndarray:
        trainer = self.trainer
        z = torch.randn(count, trainer.model.z_dim, generator=self.random).to(trainer.device)
        labels = None
        if trainer.model.num_classes:  # as often as among the real pictures
            chosen = torch.randint(len(trainer.dataset), (count,), generator=self.random)
            labels = torch.from_numpy(trainer.dataset.labels)[chosen].to(trainer.device)
        pictures = from_network(trainer.state.ema(z, labels).float().cpu())
        trainer._restart_clocks()  # the run's own seconds are those of training
        return pictures

    def close(self) -> None:
        metrics = self.folder / "metrics.jsonl"
        if metrics.exists():
            shutil.copy(metrics, self.out / "metrics.jsonl")
        shutil.rmtree(self.folder)


def value(text: str) -> Any:
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text


def parser() -> argparse.ArgumentParser:
    found = arguments()
    found.add_argument("--set", action="append", default=[], metavar="SETTING=VALUE")
    found.add_argument("--variant", choices=VARIANTS, help="what is no setting, put in or taken out")
    found.add_argument("--device", default="auto")
    found.add_argument("--strength", type=float, help="of augmentation, held there; otherwise as training finds it")
    return found


if __name__ == "__main__":
    enter(Ours, parser())
