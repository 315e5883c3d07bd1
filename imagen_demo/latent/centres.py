"""Cluster centres of w: truncation towards the nearest of several keeps kinds apart that one mean would mix.

After Mokady et al. 2022, "Self-Distilled StyleGAN", section 3.2 (multi-modal truncation); k-means is Lloyd's,
started by k-means++ (Arthur & Vassilvitskii 2007).
"""

from __future__ import annotations

import contextlib
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from imagen_demo import storage
from imagen_demo.latent.directions import sample_w
from imagen_demo.latent.space import one_thread
from imagen_demo.models.folder import Model

COUNT = 8  # clusters
FILE = "centres.safetensors"
MOST_KEPT = 64  # classes in the file


def cluster_centres(model: Model, label: int = 0, count: int = COUNT, samples: int = 4000, seed: int = 0) -> Tensor:
    """float32 [count, w_dim]: the centres of the w of one class, the largest cluster's first. Deterministic."""
    w, _ = sample_w(model, samples, seed, label)
    with one_thread():
        return kmeans(w.double().cpu(), count, seed).float().to(model.w_avg.device)


def kmeans(points: Tensor, count: int, seed: int = 0, rounds: int = 50) -> Tensor:
    """[N, D] -> centres [count, D], the one with most points first. An empty cluster keeps its centre."""
    random = np.random.RandomState(seed)
    centres = points[random.randint(len(points))][None]
    while len(centres) < count:  # k-means++: each next one far from those before
        squares = torch.cdist(points, centres).min(dim=1).values.square().numpy()
        total = squares.sum()
        chosen = random.choice(len(points), p=squares / total if total > 0 else None)
        centres = torch.cat([centres, points[chosen][None]])
    nearest = None
    for _ in range(rounds):
        before, nearest = nearest, torch.cdist(points, centres).argmin(dim=1)
        if before is not None and torch.equal(before, nearest):
            break
        for index in range(count):
            if (nearest == index).any():
                centres[index] = points[nearest == index].mean(dim=0)
    return centres[torch.bincount(nearest, minlength=count).argsort(descending=True, stable=True)]


def load_or_compute(model: Model, label: int, keep: bool = True) -> Tensor:
    """The class's centres from the model's folder or computed and, with ``keep``, kept there where it is writable."""
    kept = _read(model)
    if str(label) in kept:
        return kept[str(label)].to(model.w_avg.device)
    centres = cluster_centres(model, label)
    if keep and len(kept) < MOST_KEPT:
        kept[str(label)] = centres.cpu()
        with contextlib.suppress(OSError):
            storage.write_bytes(Path(model.path) / FILE, save(kept, {"weights": model.hash}))
    return centres


def _read(model: Model) -> dict[str, Tensor]:
    """``{class number: centres}``; {} where the file is missing, damaged or of other weights."""
    shape = (COUNT, model.info.config.w_dim)
    try:
        with safe_open(model.path / FILE, "pt") as file:
            if (file.metadata() or {}).get("weights") != model.hash:
                return {}
            found = {key: file.get_tensor(key) for key in list(file.keys())[:MOST_KEPT]}
    except (OSError, SafetensorError):
        return {}
    sound = all(
        tensor.shape == shape and tensor.dtype == torch.float32 and tensor.isfinite().all() for tensor in found.values()
    )
    return found if sound else {}


def nearest(w: Tensor, centres: Tensor) -> Tensor:
    """The centre nearest to w [1, D]: [1, D]."""
    return centres[(centres - w).square().sum(dim=1).argmin()][None]
