"""Directions worth a slider: the principal components of w (GANSpace, Härkönen et al. 2020)."""

from __future__ import annotations

import contextlib
import json
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from imagen_demo import storage
from imagen_demo.latent.space import one_thread
from imagen_demo.models.folder import Model

MAX_DIRECTIONS = 64


@dataclass
class Directions:
    """K directions in w: unit ``vectors`` [K, w_dim]; ``scales`` [K], one standard deviation of w along each."""

    names: list[str]
    vectors: Tensor
    scales: Tensor
    names_zh: list[str] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.vectors)

    def offset(self, amounts: tuple[tuple[int, float], ...]) -> Tensor:
        """[1, w_dim]: the sum of amount * scale * vector over ``(index, amount)``."""
        total = torch.zeros(1, self.vectors.shape[1], device=self.vectors.device)
        for index, amount in amounts:
            total = total + amount * self.scales[index] * self.vectors[index]
        return total

    def to(self, device: torch.device) -> Directions:
        return Directions(self.names, self.vectors.to(device), self.scales.to(device), self.names_zh)


@torch.inference_mode()
def principal_directions(model: Model, count: int = 12, samples: int = 10_000, seed: int = 0) -> Directions:
    """The ``count`` axes along which w varies most, most first.

    With classes, w is centred class by class, so that the directions are those within a class.
    A component's sign is free; its largest entry is made positive, so that equal weights give
    equal directions.
    """
    with one_thread():
        return _principal_directions(model, count, samples, seed)


def _principal_directions(model: Model, count: int, samples: int, seed: int) -> Directions:
    config, device = model.info.config, model.w_avg.device
    random = np.random.RandomState(seed)
    z = torch.from_numpy(random.randn(samples, config.z_dim)).float().to(device)
    labels = torch.arange(samples, device=device) % config.num_classes if config.num_classes else None
    parts = [
        model.generator.mapping(z[start : start + 1000], None if labels is None else labels[start : start + 1000])
        for start in range(0, samples, 1000)
    ]
    w = torch.cat(parts).double().cpu()
    groups = torch.zeros(samples, dtype=torch.long) if labels is None else labels.cpu()
    for group in groups.unique():
        w[groups == group] -= w[groups == group].mean(dim=0)
    # The right singular vectors of w are the eigenvectors of its small covariance matrix.
    variances, vectors = torch.linalg.eigh(w.T @ w / samples)
    variances, vectors = variances.flip(0)[:count].clamp(min=0), vectors.T.flip(0)[:count]
    alive = variances > 1e-12 * variances[0].clamp(min=1e-30)
    variances, vectors = variances[alive], vectors[alive]
    largest = vectors.gather(1, vectors.abs().argmax(dim=1, keepdim=True))
    vectors = (vectors * largest.sign()).float().to(device)
    scales = variances.sqrt().float().to(device)
    names = [f"PC {number}" for number in range(1, len(scales) + 1)]
    return Directions(names, vectors, scales, list(names))


def save_directions(folder: Path, directions: Directions, weights_hash: str) -> None:
    """Write ``directions.safetensors`` and ``directions.json`` for the weights of that hash."""
    tensors = {"vectors": directions.vectors.cpu().contiguous(), "scales": directions.scales.cpu().contiguous()}
    storage.write_bytes(folder / "directions.safetensors", save(tensors, {"weights": weights_hash}))
    names = {"names": directions.names, "names_zh": directions.names_zh or directions.names, "weights": weights_hash}
    storage.write_json(folder / "directions.json", names)


def load_or_compute(model: Model) -> Directions:
    """The model's directions from its folder, or computed and, where the folder is writable, kept there.

    Files made for other weights, or damaged ones, count as absent. Names written by hand
    (``directions.json`` without ``weights``) are taken whatever the weights.
    """
    directions = _read_vectors(model)
    fresh = directions is None
    directions = directions or principal_directions(model)
    _read_names(model, directions)
    if fresh:
        with contextlib.suppress(OSError):  # a read-only library: computing takes a fraction of a second
            save_directions(model.path, directions, model.hash)
    return directions


def _read_vectors(model: Model) -> Directions | None:
    try:
        with safe_open(model.path / "directions.safetensors", "pt") as file:
            if (file.metadata() or {}).get("weights") != model.hash:
                return None
            vectors, scales = file.get_tensor("vectors"), file.get_tensor("scales")
    except (OSError, SafetensorError):
        return None
    count = len(vectors) if vectors.dim() else 0
    sound = (
        0 < count <= MAX_DIRECTIONS
        and vectors.shape == (count, model.info.config.w_dim)
        and scales.shape == (count,)
        and bool(vectors.isfinite().all() and scales.isfinite().all())
    )
    if not sound:
        return None
    names = [f"PC {number}" for number in range(1, count + 1)]
    device = model.w_avg.device
    return Directions(names, vectors.float().to(device), scales.float().to(device), list(names))


def _read_names(model: Model, directions: Directions) -> None:
    """Put the names of ``directions.json``, where it is sound, in place of PC 1, PC 2, ..."""
    try:
        raw = json.loads((model.path / "directions.json").read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return
    if not isinstance(raw, dict) or raw.get("weights", model.hash) != model.hash:
        return
    for key, target in (("names", directions.names), ("names_zh", directions.names_zh)):
        names = raw.get(key)
        for index, name in enumerate(names[: len(target)] if isinstance(names, list) else []):
            if isinstance(name, str) and name.strip():
                target[index] = name.strip()[:40]
