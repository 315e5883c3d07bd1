"""Tiny trainings for several test files."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from safetensors.torch import load_file

from imagen_demo import storage
from imagen_demo.config import PrepareConfig, TrainConfig
from imagen_demo.data.dataset import Dataset
from imagen_demo.data.prepare import prepare
from imagen_demo.training import state as states
from imagen_demo.training.run import Run
from imagen_demo.training.schedule import resolve
from imagen_demo.training.state import State
from imagen_demo.training.trainer import Trainer

TINY = {
    "device": "cpu",
    "width": 128,
    "batch": 4,
    "threads": 1,
    "penalty_every": 2,
    "tick_seconds": 0.0,
    "state_seconds": 1e9,
}
CPU = torch.device("cpu")


def two_colours(pictures: Path, out: Path, resolution: int = 16, labels: bool = True) -> Dataset:
    """24 generated pictures of two classes, or without classes."""
    rng = np.random.default_rng(0)
    for name, colour in (("red", (200, 40, 40)), ("blue", (40, 40, 200))):
        (pictures / name).mkdir(parents=True)
        for i in range(12):
            picture = np.clip(np.array(colour) + rng.normal(0, 40, (20, 20, 3)), 0, 255).astype(np.uint8)
            Image.fromarray(picture).save(pictures / name / f"{i}.png")
    return prepare(pictures, out, PrepareConfig(resolution=resolution, workers=1, labels=labels))


def make_run(path: Path, dataset: Dataset, **changes: object) -> Run:
    """A run directory as jobs.start writes it."""
    path.mkdir(parents=True)
    config = dataclasses.asdict(TrainConfig(**{**TINY, **changes}))
    storage.write_json(path / "config.json", {"dataset": str(dataset.path), "train": config})
    return Run(path)


def make_trainer(path: Path, dataset: Dataset, **changes: object) -> Trainer:
    config, model, _ = resolve(TrainConfig(**{**TINY, **changes}), dataset, CPU)
    model = dataclasses.replace(model, z_dim=8, w_dim=128 if model.arch == "mlp" else 8)
    path.mkdir(parents=True, exist_ok=True)
    return Trainer(Run(path), dataset, config, model)


def everything(trainer: Trainer) -> dict[str, torch.Tensor]:
    """All tensors of the training state, by name."""
    states.save(trainer.run.state, trainer.state)
    return load_file(trainer.run.state / "tensors.safetensors")


def difference(first: State, second: State) -> float:
    """How far apart two trainings are: of each network's weights and last gradients, |a - b| / |a|; the largest.

    Whole networks are compared: Adam turns a gradient that is zero but for rounding into a full step, so single
    weights that do not matter (a bias that shifts all logits alike) may part.
    """
    ratios = []
    for name in ("generator", "discriminator", "ema"):
        pairs = list(zip(getattr(first, name).parameters(), getattr(second, name).parameters(), strict=True))
        sides = [[(a.data, b.data) for a, b in pairs], [(a.grad, b.grad) for a, b in pairs if a.grad is not None]]
        for side in filter(None, sides):
            apart = sum(float((a - b).square().sum()) for a, b in side)
            ratios.append((apart / sum(float(a.square().sum()) for a, _ in side)) ** 0.5)
    return max(ratios)
