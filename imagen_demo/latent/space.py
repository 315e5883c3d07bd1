"""From a seed to w, and nearer to the mean: the space every slider moves in."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from imagen_demo.errors import UserError
from imagen_demo.models.folder import Model

Seeds = Sequence[tuple[int, float]]  # (seed, weight)


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
    if label is not None and not 0 <= label < max(1, classes):
        if not classes:
            raise UserError("This model has no classes.")
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


def seeds_to_w(model: Model, seeds: Seeds, label: int | None) -> Tensor:
    """[1, w_dim]: the mean w of ``(seed, weight)``, weights normalised. Always one z per network call."""
    z_dim = model.info.config.z_dim
    return blend([(z_to_w(model, seed_to_z(seed, z_dim), label), weight) for seed, weight in seeds])


def seeds_to_z(seeds: Seeds, z_dim: int) -> Tensor:
    """[1, z_dim]: the weighted sum of the seeds' z, as long as one z: sum(a_k z_k) / sqrt(sum(a_k^2))."""
    zs = [seed_to_z(seed, z_dim) for seed, _ in seeds]
    if len(zs) == 1:
        return zs[0]
    norm = math.hypot(*(weight for _, weight in seeds))
    return sum(z * (weight / norm) for z, (_, weight) in zip(zs, seeds, strict=True))


def truncate(w: Tensor, w_avg: Tensor, psi: float) -> Tensor:
    """w_avg + psi (w - w_avg): psi 1 leaves w as it is, 0 gives the mean picture (StyleGAN, section B)."""
    return w if psi == 1 else torch.lerp(w_avg.expand_as(w), w, psi)


def truncate_layers(ws: Tensor, centres: Tensor, psis: Sequence[float]) -> Tensor:
    """:func:`truncate` of [1, num_ws, w_dim], layer by layer about ``centres`` of the same shape, one psi a layer."""
    if len(set(psis)) == 1:
        return truncate(ws, centres, psis[0])
    layers = [
        truncate(w, centre, psi) for w, centre, psi in zip(ws.unbind(dim=1), centres.unbind(dim=1), psis, strict=True)
    ]
    return torch.stack(layers, dim=1)


@dataclass(frozen=True)
class Code:
    """What a latent is made of, layer by layer; all [1, num_ws, w_dim]."""

    ws: Tensor  # before truncation
    centres: Tensor  # what truncation goes towards
    psis: tuple[float, ...]  # one a layer
    offset: Tensor  # what the directions add

    def final(self) -> Tensor:
        """What the network draws."""
        return truncate_layers(self.ws, self.centres, self.psis) + self.offset


def blend(parts: Sequence[tuple[Tensor, float]]) -> Tensor:
    """The mean of tensors by their weights, which are normalised; a lone one as it is."""
    if len(parts) == 1:
        return parts[0][0]
    total = sum(weight for _, weight in parts)
    return sum(part * (weight / total) for part, weight in parts)


PARTS = ("coarse", "middle", "fine")


def layer_range(text: str, num_ws: int) -> range:
    """Layers by name: "" all, "2-5" the third to the sixth, "coarse", "middle", "fine" the thirds from small to large.

    A range may reach beyond the last layer; a network of fewer than three layers has no thirds, they mean all.

    Raises:
        UserError: the text is no such range, or the model has none of its layers.
    """
    if text == "":
        return range(num_ws)
    if text in PARTS:
        third = PARTS.index(text)
        return range(round(num_ws * third / 3), round(num_ws * (third + 1) / 3)) if num_ws >= 3 else range(num_ws)
    found = re.fullmatch(r"([0-9]{1,3})-([0-9]{1,3})", text)
    if not found or int(found[1]) > int(found[2]):
        raise UserError("A range of layers is written like 2-5, or is one of {choices}.", choices=", ".join(PARTS))
    if int(found[1]) >= num_ws:
        raise UserError("This model has no layers {layers}: it has {count}, counted from 0.", layers=text, count=num_ws)
    return range(int(found[1]), min(int(found[2]) + 1, num_ws))


def noise(model: Model, seed: int) -> Tensor | None:
    """[1, noise_size] of a seed; None for seed 0 and for networks without noise: the model's own."""
    if not seed or not model.generator.noise_size:
        return None
    return seed_to_z(seed, model.generator.noise_size).to(model.w_avg.device)
