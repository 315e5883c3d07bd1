"""This project, as a user gets it: automatic settings, the whole run directory, best-kept models and all.

``--set gamma=1 --set model.width=768`` changes one setting of training or of the networks: so the ablation is made.
"""

from __future__ import annotations

import ast
import dataclasses
import shutil
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.arena.clock import Clock, arguments
from imagen_demo.config import TrainConfig
from imagen_demo.data.dataset import open_dataset
from imagen_demo.data.pixels import from_network
from imagen_demo.training.run import Run
from imagen_demo.training.schedule import pick_device, resolve
from imagen_demo.training.trainer import Trainer

import torch  # isort: skip


class Watched(Trainer):
    """A trainer that looks at the contest's clock with every heartbeat."""

    clock: Clock
    random: torch.Generator

    def _beat(self) -> None:
        super()._beat()
        if self.status.state == "training":
            before = len(self.clock.marks)
            self.clock.look(self._hand_in, self.state.counters.images)
            if len(self.clock.marks) < before:
                self._restart_clocks()

    @torch.inference_mode()
    def _hand_in(self, count: int) -> np.ndarray:
        z = torch.randn(count, self.model.z_dim, generator=self.random).to(self.device)
        classes = self.model.num_classes
        labels = torch.randint(classes, (count,), generator=self.random).to(self.device) if classes else None
        return from_network(self.state.ema(z, labels).float().cpu())


def value(text: str) -> Any:
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text


def main() -> None:
    parser = arguments()
    parser.add_argument("--set", action="append", default=[], metavar="SETTING=VALUE")
    parser.add_argument("--device", default="auto")
    options = parser.parse_args()
    changes = {key: value(text) for key, text in (pair.split("=", 1) for pair in options.set)}
    networks = {key.removeprefix("model."): v for key, v in changes.items() if key.startswith("model.")}
    training = {key: v for key, v in changes.items() if not key.startswith("model.")}
    dataset = open_dataset(options.dataset)
    # A minute more than the clock gives: the clock ends the run.
    wish = TrainConfig(minutes=options.minutes + 1, seed=options.seed, threads=options.threads, **training)
    config, model, _ = resolve(wish, dataset, pick_device(options.device))
    model = dataclasses.replace(model, **networks)
    folder = Path(tempfile.mkdtemp(prefix="arena-"))
    trainer = Watched(Run(folder), dataset, config, model)
    trainer.random = torch.Generator().manual_seed(options.seed)
    trainer.clock = Clock(options.out, options.minutes, options.marks)
    trainer._finished = lambda: trainer.clock.over  # type: ignore[method-assign]
    try:
        trainer.train()
    finally:
        shutil.copy(folder / "metrics.jsonl", options.out / "metrics.jsonl")
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
