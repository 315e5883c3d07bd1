"""Settings for a GPU side by side: several trainings at once, each on a stream of its own, under the arena's judge.

``python -m benchmarks.at_once DATASET "width=1024 batch=32" "width=2048 batch=32 learning_rate=0.001" --seconds 90``

For a card that is at hand for minutes. Quality goes by pictures seen, so it does not matter that they share the card;
what they would take alone comes from each one's speed, which is measured alone first, with augmentation off.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from benchmarks.arena import machine
from benchmarks.arena.clock import BATCH, COUNT, settle
from benchmarks.arena.clock import speed as measured
from benchmarks.arena.contestants.ours import Ours, parser
from benchmarks.arena.scores import METRICS, Judge
from imagen_demo.config import cores

import torch  # isort: skip


def training(dataset: Path, out: str, settings: str, seed: int, threads: int) -> Ours:
    """As a user gets it, but for ``settings``, and for its sample grids and measuring, which would halt the others."""
    words = [word for change in settings.split() for word in ("--set", change)]
    common = ["--speed", "1", "--seed", str(seed), "--threads", str(min(threads, cores()))]
    return Ours(parser().parse_args([str(dataset), out, *common, *words]))


def speed_alone(dataset: Path, out: str, settings: str, seconds: float, threads: int) -> float:
    """Training images a second."""
    if torch.cuda.is_available():
        torch.cuda.reset_peak_memory_stats()  # by which a training sees whether there is room to record its steps
    one = training(dataset, out, settings, 0, threads)
    one.strength = 0.0
    found = measured(one, seconds)["training"]
    one.close()
    return found


def main(
    dataset: Annotated[Path, typer.Argument(help="Folder of a prepared dataset")],
    settings: Annotated[list[str], typer.Argument(help='One training each, as "width=1024 batch=32"; "" is automatic')],
    seconds: Annotated[float, typer.Option(help="That all train together")] = 90.0,
    marks: Annotated[int, typer.Option(help="How often they are judged meanwhile, the end included")] = 2,
    alone: Annotated[float, typer.Option(help="Seconds for which each one's speed is measured alone")] = 2.0,
    seed: Annotated[int, typer.Option(help="Of the trainings")] = 0,
    threads: Annotated[int, typer.Option(help="CPU threads")] = 4,
) -> None:
    """Train all at once, one step of each in turn."""
    judge, gpu = Judge(machine.opened(dataset).images), torch.cuda.is_available()
    print(f"{machine.sentence(machine.facts(), torch.cuda.get_device_name() if gpu else 'cpu')}; {dataset.name}\n")
    print(
        "| settings | images/s alone | kimg | steps | seconds alone | FD | KD | SWD |\n" + "|---" * 8 + "|", flush=True
    )
    with tempfile.TemporaryDirectory() as out:
        speeds = [speed_alone(dataset, out, text, alone, threads) for text in settings]
        beside = [torch.cuda.Stream() if gpu else None for _ in settings]
        all_of_them = []
        for text, stream in zip(settings, beside, strict=True):
            with torch.cuda.stream(stream):  # None: as usual
                all_of_them.append(training(dataset, out, text, seed, threads))
        images = [0] * len(settings)
        for _ in range(marks):
            end = time.monotonic() + seconds / marks
            while time.monotonic() < end:
                for index, (one, stream) in enumerate(zip(all_of_them, beside, strict=True)):
                    with torch.cuda.stream(stream):  # None: as usual
                        images[index] += one.step()
            settle()
            drawn = [np.concatenate([one.draw(BATCH) for _ in range(COUNT // BATCH)]) for one in all_of_them]
            for index, found in enumerate(map(judge.score, drawn)):
                steps, speed = all_of_them[index].trainer.state.counters.step, speeds[index]
                scores = " | ".join(f"{found[key]:.0f}" for key in METRICS)
                print(
                    f"| {settings[index]} | {speed:.0f} | {images[index] / 1000:.0f} | {steps} | "
                    f"{images[index] / speed:.0f} | {scores} |", flush=True,
                )  # fmt: skip
        for one in all_of_them:
            one.close()


if __name__ == "__main__":
    typer.run(main)
