"""How long the generator's average should be: one training run, several averages of it, all under the arena's judge.

``python -m benchmarks.averages DATASET --minutes 8 --half-lives 2,5,10,20,40``. One run, so that chance is the same for
all of them; one thread, and minutes of its CPU time, so it may run beside other work.
"""

from __future__ import annotations

import copy
import dataclasses
import tempfile
import time
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from benchmarks.arena import machine
from benchmarks.arena.scores import Judge
from imagen_demo.config import TrainConfig
from imagen_demo.data.pixels import from_network
from imagen_demo.training.run import Run
from imagen_demo.training.schedule import pick_device, resolve
from imagen_demo.training.showing import draw_fixed
from imagen_demo.training.step import update_average
from imagen_demo.training.trainer import Trainer

UNSEEN = 2000  # pictures that the judge sees of each


def main(
    dataset: Annotated[Path, typer.Argument(help="Folder of a prepared dataset")],
    minutes: Annotated[float, typer.Option(help="CPU time of the run")] = 8.0,
    marks: Annotated[str, typer.Option(help="Minutes at which the averages are judged, besides the end")] = "2,4",
    half_lives: Annotated[str, typer.Option(help="Half-lives to compare, in thousands of pictures")] = "2,5,10,20,40",
    seed: Annotated[int, typer.Option(help="Of the training")] = 0,
) -> None:
    """Train once, and judge averages of several half-lives."""
    data, judge = machine.opened(dataset), None
    config, model, _ = resolve(TrainConfig(threads=1, seed=seed), data, pick_device("cpu"))
    scratch = tempfile.TemporaryDirectory(prefix="averages-")
    trainer = Trainer(Run(Path(scratch.name)), data, config, model)
    trainer._begin(resume=False)
    state = trainer.state
    kept = {
        half_life: dataclasses.replace(state, ema=copy.deepcopy(state.ema))
        for half_life in map(float, half_lives.split(","))
    }
    began, judging = time.process_time(), 0.0
    print(f"{machine.sentence(machine.facts())}; {data.name}\n")
    print("| kimg | half-life, kimg | FD | KD | SWD |\n|---|---|---|---|---|", flush=True)
    for mark in sorted({float(m) for m in marks.split(",") if float(m) < minutes} | {minutes}):
        while time.process_time() - began - judging < 60 * mark:
            trainer._step()
            for half_life, beside in kept.items():
                update_average(beside, dataclasses.replace(config, ema_half_life_kimg=half_life), config.batch)
        before = time.process_time()
        judge = judge or Judge(data.images)
        for half_life, beside in kept.items():
            drawn = [from_network(part) for part in draw_fixed(beside.ema, UNSEEN, device=trainer.device)]
            found = judge.score(np.concatenate(drawn))
            figures = " | ".join(f"{found[key]:.0f}" for key in ("fd", "kd", "swd"))
            print(f"| {state.counters.kimg:.0f} | {half_life:g} | {figures} |", flush=True)
        judging += time.process_time() - before


if __name__ == "__main__":
    typer.run(main)
