"""One training run, looked at several times: one thread and minutes of its CPU time, so it may run beside others."""

from __future__ import annotations

import dataclasses
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from benchmarks.arena import machine
from imagen_demo.config import TrainConfig
from imagen_demo.training.run import Run
from imagen_demo.training.schedule import pick_device, resolve
from imagen_demo.training.trainer import Trainer


class OneRun:
    """A trainer with the automatic settings, and its clock."""

    def __init__(self, dataset: Path, seed: int, minutes: float, **networks: Any) -> None:
        """``networks``: changes of the ModelConfig."""
        self.data = machine.opened(dataset)
        wish = TrainConfig(threads=1, seed=seed, minutes=minutes)
        self.config, model, _ = resolve(wish, self.data, pick_device("cpu"))
        model = dataclasses.replace(model, **networks)
        self._scratch = tempfile.TemporaryDirectory(prefix="one-run-")
        self.trainer = Trainer(Run(Path(self._scratch.name)), self.data, self.config, model)
        self.trainer._begin(resume=False)

    def moments(self, marks: str, after_step: Callable[[], None] = lambda: None) -> Iterator[float]:
        """Trains, and yields at these minutes and at the end; what is done meanwhile does not count."""
        began, aside, minutes = time.process_time(), 0.0, self.config.minutes
        for mark in sorted({float(m) for m in marks.split(",") if float(m) < minutes} | {minutes}):
            while time.process_time() - began - aside < 60 * mark:
                self.trainer._step()
                after_step()
            before = time.process_time()
            yield mark
            aside += time.process_time() - before
