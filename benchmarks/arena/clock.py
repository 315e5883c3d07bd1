"""What every contestant is held to: the same minutes of training, and pictures handed in at the same moments.

Contestants run in environments of their own, so this file needs only NumPy and the standard library.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

COUNT = 2000  # pictures handed in at each moment
BATCH = 50  # drawn at a time
MARKS = [1.0, 2.0, 5.0, 10.0, 15.0, 20.0]  # minutes; the end is always one


class Contestant(ABC):
    """Networks and data, ready to train."""

    cycle = 1  # steps after which the work of a step repeats: a penalty comes only now and then
    parameters: tuple[int, int]  # of the generator and of the discriminator

    @abstractmethod
    def step(self) -> int:
        """Train one step; how many training pictures it showed."""

    @abstractmethod
    def draw(self, count: int) -> np.ndarray:
        """New pictures without truncation: uint8 [n, H, W, 3 or 4]; with alpha, colours not premultiplied."""

    def close(self) -> None:  # noqa: B027  most have nothing to tidy up
        """Tidy up."""


class Clock:
    """Counts training time only: drawing and saving the pictures that are handed in stop it."""

    def __init__(
        self,
        out: Path,
        minutes: float,
        marks: list[float],
        count: int = COUNT,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self.out, self.count, self.now = out, count, now
        self.marks = sorted({m for m in marks if m < minutes} | {minutes})
        self.spent = 0.0
        self._started = now()
        out.mkdir(parents=True, exist_ok=True)

    @property
    def seconds(self) -> float:
        return self.spent + self.now() - self._started

    @property
    def over(self) -> bool:
        return not self.marks

    def look(self, draw: Callable[[int], np.ndarray], images: int) -> None:
        """Call it after every step; where a moment has come, ``count`` pictures are saved.

        Args:
            draw: as a contestant's.
            images: how many training pictures were shown until now.
        """
        if self.over or self.seconds < self.marks[0] * 60:
            return
        settle()
        self.spent = self.seconds
        # A slow contestant's step may pass several moments; it hands in for the last of them.
        while len(self.marks) > 1 and self.spent >= self.marks[1] * 60:
            self.marks.pop(0)
        mark = self.marks.pop(0)
        pictures = np.concatenate([draw(min(BATCH, self.count - n)) for n in range(0, self.count, BATCH)])
        np.save(pictures_file(self.out, mark), pictures)
        with (self.out / "progress.jsonl").open("a") as log:
            log.write(json.dumps({"minutes": mark, "seconds": self.spent, "images": images}) + "\n")
        print(f"{mark:g} minutes: {images} images, {images / self.spent:.1f} a second", flush=True)
        self._started = self.now()


def pictures_file(out: Path, mark: float) -> Path:
    """Where the pictures of a moment are handed in."""
    return out / f"{mark:07.2f}.npy"


def parameters(*networks: Any) -> tuple[int, ...]:
    """How many values each network learns."""
    return tuple(sum(p.numel() for p in network.parameters()) for network in networks)


def settle() -> None:
    """Wait until a GPU has done what it was told, where the contestant uses one."""
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_available():
        torch.cuda.synchronize()


def arguments() -> argparse.ArgumentParser:
    """The command line that all contestants share."""
    parser = argparse.ArgumentParser()
    parser.add_argument("dataset", type=Path, help="folder of a prepared dataset")
    parser.add_argument("out", type=Path, help="where the pictures are handed in")
    parser.add_argument("--png", type=Path, help="the dataset's pictures as files, for those who read files")
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--marks", type=lambda text: [float(m) for m in text.split(",")], default=MARKS)
    parser.add_argument("--count", type=int, default=COUNT, help="pictures handed in at each moment")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--cpu-clock", action="store_true", help="minutes of CPU time: for a machine that is not idle")
    parser.add_argument("--started", type=float, default=time.time(), help="when the command was given, in Unix time")
    parser.add_argument("--speed", type=float, default=0, help="no contest: measure speed, so many seconds a figure")
    return parser


def enter(make: Callable[[argparse.Namespace], Contestant], parser: argparse.ArgumentParser | None = None) -> None:
    """A contestant's whole program: get ready, then the contest, or what :mod:`benchmarks.speed` wants to know."""
    options = (parser or arguments()).parse_args()
    contestant = make(options)
    options.out.mkdir(parents=True, exist_ok=True)
    startup = time.time() - options.started
    if options.speed:
        found = speed(contestant, options.speed)
    else:
        now = time.process_time if options.cpu_clock else time.monotonic
        contest(contestant, Clock(options.out, options.minutes, options.marks, options.count, now))
        found = {}
    contestant.close()
    facts = {"startup_seconds": startup, "threads": options.threads, **circumstances(contestant), **found}
    # Written last: where it is, the contest was fought to its end.
    (options.out / "facts.json").write_text(json.dumps(facts, indent=1) + "\n")


def contest(contestant: Contestant, clock: Clock) -> None:
    images = 0
    while not clock.over:
        images += contestant.step()
        clock.look(contestant.draw, images)


def speed(contestant: Contestant, seconds: float) -> dict[str, float]:
    """Images a second, each the median of what ``seconds`` had room for."""
    return {
        "training": _rate(contestant.step, seconds, contestant.cycle),
        "generating_1": _rate(lambda: len(contestant.draw(1)), seconds / 4),
        "generating_16": _rate(lambda: len(contestant.draw(16)), seconds / 4),
    }


def _rate(work: Callable[[], int], seconds: float, cycle: int = 1) -> float:
    work()  # memory is got, kernels are chosen
    settle()
    rates: list[float] = []
    end = time.monotonic() + seconds
    while not rates or time.monotonic() < end:
        started = time.monotonic()
        images = sum(work() for _ in range(cycle))
        settle()
        rates.append(images / (time.monotonic() - started))
    return statistics.median(rates)


def circumstances(contestant: Contestant) -> dict[str, Any]:
    torch = sys.modules["torch"]
    used = resource.getrusage(resource.RUSAGE_SELF)
    unit = 1 if sys.platform == "darwin" else 1024  # of ru_maxrss, in bytes
    gpu = torch.cuda.is_available()
    return {
        "torch": torch.__version__,
        "device": torch.cuda.get_device_name() if gpu else "cpu",
        "parameters": list(contestant.parameters),
        "cpu_seconds": used.ru_utime + used.ru_stime,  # far from seconds x threads: others used the machine too
        "peak_memory": used.ru_maxrss * unit,
        "peak_gpu_memory": torch.cuda.max_memory_reserved() if gpu else 0,
    }
