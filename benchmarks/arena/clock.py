"""What every contestant is held to: the same minutes of training, and pictures handed in at the same moments.

Contestants run in environments of their own, so this file needs only NumPy and the standard library.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

PICTURES = 2000  # handed in at each moment
BATCH = 50  # drawn at a time


class Clock:
    """Counts training time only: drawing and saving the pictures that are handed in stop it."""

    def __init__(self, out: Path, minutes: float, marks: list[float]) -> None:
        self.out, self.limit = out, minutes * 60
        self.marks = sorted({m for m in marks if m < minutes} | {minutes})
        self.spent = 0.0
        self._started = time.monotonic()
        out.mkdir(parents=True, exist_ok=True)

    @property
    def seconds(self) -> float:
        return self.spent + time.monotonic() - self._started

    @property
    def over(self) -> bool:
        return not self.marks

    def look(self, draw: Callable[[int], np.ndarray], images: int) -> None:
        """Call it after every step; where a moment has come, 2,000 pictures are saved.

        Args:
            draw: how many -> uint8 [n, H, W, 3 or 4]; with alpha, colours not premultiplied.
            images: how many training pictures were shown until now.
        """
        if self.over or self.seconds < self.marks[0] * 60:
            return
        self.spent, mark = self.seconds, self.marks.pop(0)
        pictures = np.concatenate([draw(BATCH) for _ in range(PICTURES // BATCH)])
        np.save(self.out / f"{mark:07.2f}.npy", pictures)
        with (self.out / "progress.jsonl").open("a") as log:
            log.write(json.dumps({"minutes": mark, "seconds": self.spent, "images": images}) + "\n")
        print(f"{mark:g} minutes: {images} images, {images / self.spent:.1f} a second", flush=True)
        self._started = time.monotonic()


def arguments() -> argparse.ArgumentParser:
    """The command line that all contestants share."""
    parser = argparse.ArgumentParser()
    parser.add_argument("dataset", type=Path, help="folder of a prepared dataset")
    parser.add_argument("out", type=Path, help="where the pictures are handed in")
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--marks", type=lambda text: [float(m) for m in text.split(",")], default=[1, 2, 5, 10, 15, 20])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=2)
    return parser
