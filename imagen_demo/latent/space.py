"""From a seed to w, and nearer to the mean: the space every slider moves in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import torch
from torch import Tensor

from imagen_demo.errors import UserError
from imagen_demo.models.folder import Model


@contextmanager
def one_thread() -> Iterator[None]:
    """PyTorch works in the calling thread alone: sums come out the same whatever the number of cores."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def seed_to_z(seed: int, z_dim: int) -> Tensor:
    """float32 [1, z_dim]. NVIDIA's convention, so a seed means the same picture in their tools and ours."""
    return torch.from_numpy(np.random.RandomState(seed).randn(1, z_dim)).float()


def class_index(model: Model, label: int | None) -> int:
    """The row of ``w_avg`` for ``label``; a model with classes draws its first where none is asked for.

    Raises:
        UserError: the model has no such class.
    """
    classes = model.info.config.num_classes
    if label is not None and label >= max(1, classes):
        raise UserError(
            "This model has no class number {label}; it has {count} classes, counted from 0.",
            label=label, count=classes,
        )  # fmt: skip
    return label or 0


def z_to_w(model: Model, z: Tensor, label: int | None) -> Tensor:
    """[1, z_dim] -> [1, w_dim] for the class ``label``."""
    index = class_index(model, label)
    labels = torch.tensor([index], device=model.w_avg.device) if model.info.config.num_classes else None
    with one_thread():
        return model.generator.mapping(z.to(model.w_avg.device), labels)


def seeds_to_w(model: Model, seeds: Sequence[tuple[int, float]], label: int | None) -> Tensor:
    """[1, w_dim]: the mean w of ``(seed, weight)``, weights normalised. Always one z per network call."""
    z_dim = model.info.config.z_dim
    ws = [z_to_w(model, seed_to_z(seed, z_dim), label) for seed, _ in seeds]
    if len(ws) == 1:
        return ws[0]
    total = sum(weight for _, weight in seeds)
    return sum(w * (weight / total) for w, (_, weight) in zip(ws, seeds, strict=True))


def seeds_to_z(seeds: Sequence[tuple[int, float]], z_dim: int) -> Tensor:
    """[1, z_dim]: the weighted sum of the seeds' z, as long as one z: sum(a_k z_k) / sqrt(sum(a_k^2))."""
    zs = [seed_to_z(seed, z_dim) for seed, _ in seeds]
    if len(zs) == 1:
        return zs[0]
    norm = sum(weight**2 for _, weight in seeds) ** 0.5
    return sum(z * (weight / norm) for z, (_, weight) in zip(zs, seeds, strict=True))


def truncate(w: Tensor, w_avg: Tensor, psi: float) -> Tensor:
    """w_avg + psi (w - w_avg): psi 1 leaves w as it is, 0 gives the mean picture (StyleGAN, section B)."""
    return w if psi == 1 else torch.lerp(w_avg.expand_as(w), w, psi)
