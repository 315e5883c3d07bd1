"""Nearest training pictures of generated ones, and whether a network has copied. Needs no network weights.

The distance of two pictures is the root mean square of their differences, per value in [0, 1], once both are
averaged down to 32 pixels with colours premultiplied by alpha; or that to the mirrored picture, if it is less.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from imagen_demo import storage
from imagen_demo.data.dataset import Dataset
from imagen_demo.progress import Progress, silent

SIDE = 32
SAME = 0.5 / 255  # below half a level two pictures are the same
QUERIES = 256  # pictures a median is taken over
BLOCK = 1024  # training pictures compared at once,
PIXELS = 2**24  # of not more than so many pixels
CANDIDATES = 8  # a training picture's nearest others, in case the very nearest are copies of it

Look = Callable[[np.ndarray], Tensor]  # pictures -> their thumbnails


def queries(resolution: int) -> int:
    """How many pictures a median is taken over: fewer large ones, for the memory's sake."""
    return min(QUERIES, 8 * PIXELS // resolution**2)


def thumbnails(pictures: np.ndarray, side: int, channels: int) -> Tensor:
    """uint8 [N, H, W, C] -> float32 [N, channels, side, side] in [0, 1], premultiplied; opaque where C is 3 of 4."""
    levels = torch.from_numpy(np.array(pictures)).permute(0, 3, 1, 2).float()  # one pass: this is what takes the time
    if levels.shape[1] == 4:
        levels[:, :3] *= levels[:, 3:] / 255
    small = F.avg_pool2d(levels, levels.shape[3] // side) / 255
    return F.pad(small, (0, 0, 0, 0, 0, channels - small.shape[1]), value=1.0)


def nearest(
    pictures: np.ndarray, dataset: Dataset, k: int, own: np.ndarray | None = None, progress: Progress = silent
) -> tuple[np.ndarray, np.ndarray]:
    """The ``k`` nearest training pictures of each picture, nearest first.

    Args:
        pictures: uint8 [N, H, W, C].
        own: indices [N] of the pictures themselves, where they are from the dataset: these are passed over.

    Returns:
        Indices int64 [N, k] and distances float32 [N, k]; fewer columns in a smaller dataset.
    """
    k = min(k, len(dataset) - (own is not None))
    side, channels = min(SIDE, pictures.shape[1], dataset.resolution), max(pictures.shape[3], dataset.channels)
    look: Look = lambda some: thumbnails(some, side, channels)  # noqa: E731
    at_once = max(1, min(BLOCK, PIXELS // max(pictures.shape[1], dataset.resolution) ** 2))
    wanted = _in_blocks(look, pictures)
    both = torch.stack([wanted, wanted.flip(3)], dim=1).flatten(2)  # [N, 2, D]: mirrored too
    best = torch.full((len(pictures), 0), 0.0)
    index = torch.empty(len(pictures), 0, dtype=torch.int64)
    for start in range(0, len(dataset), at_once):
        progress(start / len(dataset), f"{start} of {len(dataset)} training pictures compared")
        block = look(dataset.images[start : start + at_once]).flatten(1)
        far = torch.cdist(both.flatten(0, 1), block).unflatten(0, (-1, 2)).amin(dim=1)
        numbers = torch.arange(start, start + len(block))
        if own is not None:
            far[torch.from_numpy(own)[:, None] == numbers] = torch.inf
        best, index = torch.cat([best, far], dim=1), torch.cat([index, numbers.expand_as(far)], dim=1)
        best, order = best.topk(min(k, best.shape[1]), dim=1, largest=False)
        index = index.gather(1, order)
    return _exactly(both, dataset, index, look)


def _in_blocks(look: Look, pictures: np.ndarray) -> Tensor:
    """The thumbnails of all, a few large pictures at a time."""
    at_once = max(1, min(BLOCK, PIXELS // pictures.shape[1] ** 2))
    return torch.cat([look(pictures[i : i + at_once]) for i in range(0, len(pictures), at_once)])


def _exactly(both: Tensor, dataset: Dataset, index: Tensor, look: Look) -> tuple[np.ndarray, np.ndarray]:
    """The distances of what was found, without the rounding of large matrix products, in their order."""
    rows = []
    for pair, found in zip(both, index, strict=True):
        others = look(dataset.images[found.numpy()]).flatten(1)
        rows.append((pair[:, None] - others).square().mean(dim=2).sqrt().amin(dim=0))
    distances, order = torch.stack(rows).sort(dim=1, stable=True)
    return index.gather(1, order).numpy(), distances.numpy()


class Usual(NamedTuple):
    """Median distances of a training picture: to the nearest other one, and to all others."""

    nearest: float
    typical: float


def some_numbers(dataset: Dataset) -> np.ndarray:
    """Of random training pictures, always the same ones: what medians are taken over."""
    return np.sort(np.random.default_rng(0).permutation(len(dataset))[: queries(dataset.resolution)])


def usual_distances(dataset: Dataset, progress: Progress = silent) -> Usual | None:
    """What :class:`Usual` says, of :func:`some_numbers`; None where all pictures are the same.

    Copies of a picture are passed over. Kept in the dataset's folder.
    """
    file = dataset.path / "distances.json"
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        known = storage.read_json(file)
        if known["fingerprint"] == dataset.fingerprint:
            return Usual(float(known["nearest"]), float(known["typical"]))
    some = some_numbers(dataset)
    _, distances = nearest(dataset.images[some], dataset, CANDIDATES, own=some, progress=progress)
    others = np.where(distances > SAME, distances, np.inf).min(axis=1)
    others = others[np.isfinite(others)]
    if not len(others):
        return None
    usual = Usual(float(np.median(others)), float(np.median(typical_distance(dataset.images[some], dataset, some))))
    with contextlib.suppress(OSError):
        storage.write_json(file, {"fingerprint": dataset.fingerprint, **usual._asdict()})
    return usual


def typical_distance(pictures: np.ndarray, dataset: Dataset, own: np.ndarray | None = None) -> np.ndarray:
    """Each picture's median distance to :func:`some_numbers`, [N]; ``own`` as in :func:`nearest`."""
    side, channels = min(SIDE, pictures.shape[1], dataset.resolution), max(pictures.shape[3], dataset.channels)
    some = some_numbers(dataset)
    ours, theirs = (
        _in_blocks(lambda few: thumbnails(few, side, channels), many).flatten(1)
        for many in (pictures, dataset.images[some])
    )
    far = torch.cdist(ours, theirs) / ours.shape[1] ** 0.5
    if own is not None:
        far[torch.from_numpy(own)[:, None] == torch.from_numpy(some)] = torch.nan
    return far.nanmedian(dim=1).values.numpy()


def newness(pictures: np.ndarray, distances: np.ndarray, dataset: Dataset, usual: Usual) -> np.ndarray:
    """Distances to the nearest training picture, [N], over the usual one: near 0 a copy, about 1 or more new.

    A picture with little in it, grey for one, is near to all of them and copies none: for it less is usual, in
    proportion to its typical distance to training pictures.
    """
    flat = np.minimum(1, typical_distance(pictures, dataset) / max(usual.typical, SAME))
    return distances / np.maximum(usual.nearest * flat, SAME)


def memorisation(pictures: np.ndarray, dataset: Dataset, progress: Progress = silent) -> float | None:
    """Whether generated pictures, uint8 [N, H, W, C], are new: the median of their :func:`newness`.

    About 1 or more, they are as new as one training picture is beside the others; near 0, they are copies.
    None where all of those are the same.
    """
    usual = usual_distances(dataset, lambda done, text: progress(done / 2, text))
    if usual is None:
        return None
    _, distances = nearest(pictures, dataset, 1, progress=lambda done, text: progress(0.5 + done / 2, text))
    return float(np.median(newness(pictures, distances[:, 0], dataset, usual)))
