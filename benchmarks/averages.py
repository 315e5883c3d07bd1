"""How long the generator's average should be: one training run, several averages of it, all under the arena's judge.

``python -m benchmarks.averages DATASET --minutes 8 --half-lives 2,5,10,20,40``. One run, so that chance is the same for
all of them.
"""

from __future__ import annotations

import copy
import dataclasses
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from benchmarks.arena import machine
from benchmarks.arena.scores import METRICS, Judge
from benchmarks.one_run import OneRun
from imagen_demo.data.pixels import from_network
from imagen_demo.training.showing import draw_fixed
from imagen_demo.training.step import update_average

UNSEEN = 2000  # pictures that the judge sees of each


def main(
    dataset: Annotated[Path, typer.Argument(help="Folder of a prepared dataset")],
    minutes: Annotated[float, typer.Option(help="CPU time of the run")] = 8.0,
    marks: Annotated[str, typer.Option(help="Minutes at which the averages are judged, besides the end")] = "2,4",
    half_lives: Annotated[str, typer.Option(help="Half-lives to compare, in thousands of pictures")] = "2,5,10,20,40",
    seed: Annotated[int, typer.Option(help="Of the training")] = 0,
) -> None:
    """Train once, and judge averages of several half-lives."""
    run = OneRun(dataset, seed, minutes)
    judge, state = Judge(run.data.images), run.trainer.state
    kept = {
        half_life: dataclasses.replace(state, ema=copy.deepcopy(state.ema))
        for half_life in map(float, half_lives.split(","))
    }

    def average() -> None:
        for half_life, beside in kept.items():
            update_average(beside, dataclasses.replace(run.config, ema_half_life_kimg=half_life), run.config.batch)

    print(f"{machine.sentence(machine.facts())}; {run.data.name}\n")
    print("| kimg | half-life, kimg | FD | KD | SWD |\n|---|---|---|---|---|", flush=True)
    for _ in run.moments(marks, average):
        for half_life, beside in kept.items():
            drawn = [from_network(part) for part in draw_fixed(beside.ema, UNSEEN, device=run.trainer.device)]
            found = judge.score(np.concatenate(drawn))
            figures = " | ".join(f"{found[key]:.0f}" for key in METRICS)
            print(f"| {state.counters.kimg:.0f} | {half_life:g} | {figures} |", flush=True)


if __name__ == "__main__":
    typer.run(main)
