"""Which pictures each step sees."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

from imagen_demo.data.dataset import Dataset
from imagen_demo.data.pixels import to_network
from imagen_demo.models.layers import GROUP

HELD_OUT = 1 / 16  # of the pictures, kept from training to see whether the discriminator overfits
HELD_OUT_MOST = 1024
WHOLE = slice(None)
RESIDENT = 1 / 16  # of a GPU's free memory for the pictures, so that steps find room; larger sets stream from the file
PIECE = 64  # pictures on their way there at once


def held_out(dataset: Dataset) -> int:
    """How many of its pictures are kept back where augmentation is adaptive."""
    # At least a group of MinibatchStd: fewer, repeated in it, would look like little variety.
    return min(HELD_OUT_MOST, max(GROUP, math.ceil(len(dataset) * HELD_OUT)))


def _shuffled(dataset: Dataset, seed: int) -> np.ndarray:
    """All pictures in mixed order: the first ones can be kept back. They have about their share of each class, and its
    last picture comes at the end.
    """
    random = np.random.default_rng((seed, 2))
    order = random.permutation(len(dataset))
    if dataset.labels is None:
        return order
    labels = dataset.labels[order]
    rank, count = _ranks(labels), np.bincount(labels)
    place = np.where(rank == count[labels] - 1, 1, (rank + random.random(len(count))[labels]) / count[labels])
    return order[np.argsort(place, kind="stable")]


def _ranks(labels: np.ndarray) -> np.ndarray:
    """Which one of its class each is: 0, 1, ..."""
    count, ranks = np.bincount(labels), np.empty(len(labels), np.int64)
    ranks[np.argsort(labels, kind="stable")] = np.arange(len(labels)) - np.repeat(np.cumsum(count) - count, count)
    return ranks


class Batches:
    """An endless stream of shuffled pictures; batch ``step`` is a pure function of ``(seed, step)``.

    Nothing needs saving for an exact resume. The mapped file is never loaded whole, unless a GPU has plenty of
    memory for it: getting every batch there from Python takes as long as a step does.
    With ``hold_out`` some pictures are kept back: :meth:`validation` shows those, ``self[step]`` never.
    Of several processes each loads its ``share`` of the batch.
    """

    def __init__(
        self,
        dataset: Dataset,
        batch: int,
        seed: int,
        mirror: bool,
        device: torch.device,
        hold_out: bool = False,
        share: slice = WHOLE,
    ) -> None:
        self.dataset, self.batch, self.seed, self.mirror, self.device = dataset, batch, seed, mirror, device
        self.share = share
        held, shuffled = held_out(dataset) if hold_out else 0, _shuffled(dataset, seed)
        self.held_out, self.train = np.sort(shuffled[:held]), np.sort(shuffled[held:])
        self._large = self._large_classes()
        # Pictures of an epoch: whole groups, where there are groups of one class.
        self.length = len(self.train) // GROUP * GROUP if self._large.any() else len(self.train)
        self._orders: dict[int, np.ndarray] = {}
        self._resident = self._loaded() if self._fits() else None

    def _fits(self) -> bool:
        if self.device.type != "cuda":
            return False
        free, _ = torch.cuda.mem_get_info(self.device)
        return self.dataset.images.nbytes <= RESIDENT * free

    def _loaded(self) -> Tensor:
        """All pictures on the device: uint8 [N, H, W, C]."""
        images = self.dataset.images
        found = torch.empty(images.shape, dtype=torch.uint8, device=self.device)
        for start in range(0, len(images), PIECE):
            found[start : start + PIECE] = torch.from_numpy(np.array(images[start : start + PIECE]))
        return found

    def _order(self, epoch: int) -> np.ndarray:
        if epoch not in self._orders:
            self._orders = {e: o for e, o in self._orders.items() if e == epoch - 1}
            self._orders[epoch] = self._in_groups(np.random.default_rng((self.seed, epoch)))
        return self._orders[epoch]

    def _large_classes(self) -> np.ndarray:
        """Bool by class: whether there are enough, and enough held out, for groups of MinibatchStd of it alone."""
        if self.dataset.labels is None:
            return np.zeros(0, bool)
        kinds = self.dataset.labels.max() + 1
        counts = [np.bincount(self.dataset.labels[some], minlength=kinds) for some in (self.train, self.held_out)]
        return (counts[0] >= GROUP) & ((counts[1] >= GROUP) | (len(self.held_out) == 0))

    def _in_groups(self, random: np.random.Generator) -> np.ndarray:
        """The pictures of an epoch, mixed; those of large classes in groups of one class, so that MinibatchStd sees how
        much pictures of a class vary. Up to three pictures are left out, others each time, so that groups stay whole.
        """
        order = random.permutation(self.train)
        if not self._large.any():
            return order
        labels = self.dataset.labels[order]
        whole = self._large[labels] & (_ranks(labels) < np.bincount(labels)[labels] // GROUP * GROUP)
        alone = order[whole][np.argsort(labels[whole], kind="stable")]
        order = np.concatenate([alone, order[~whole]])
        return random.permutation(order[: self.length].reshape(-1, GROUP)).ravel()

    def indices(self, step: int) -> np.ndarray:
        """Which pictures step ``step`` sees: int64 [batch]."""
        positions = np.arange(step * self.batch, (step + 1) * self.batch)
        return np.array([self._order(int(p) // self.length)[p % self.length] for p in positions])

    def __getitem__(self, step: int) -> tuple[Tensor, Tensor | None]:
        """Pictures [share of batch, C, H, W] in [-1, 1] and labels int64 of them or None, on the device."""
        return self._load(self.indices(step), step)

    def validation(self, step: int) -> tuple[Tensor, Tensor | None, Tensor]:
        """As many of the pictures held out, in the same form, to be compared with ``self[step]`` place by place.

        And bool [share of batch]: where the class is the same; elsewhere none of it was held out, or not enough.
        """
        random = np.random.default_rng((self.seed, 3, step))
        if self.dataset.labels is None:
            chosen, paired = np.resize(random.permutation(self.held_out), self.batch), np.ones(self.batch, bool)
        else:
            wanted = self.dataset.labels[self.indices(step)]
            groups = [wanted[start : start + GROUP] for start in range(0, self.batch, GROUP)]
            # Group by group: a picture twice in one would look like little variety to MinibatchStd.
            found = [self._matching(group, random.permutation(self.held_out)) for group in groups]
            chosen, paired = (np.concatenate(parts) for parts in zip(*found, strict=True))
        return *self._load(chosen, step), self._moved(paired[self.share])

    def _matching(self, wanted: np.ndarray, pictures: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """One of ``pictures`` for each class of ``wanted``, each once; and whether it is of that class."""
        free, chosen = np.ones(len(pictures), bool), np.full(len(wanted), -1)
        for place, label in enumerate(wanted):
            fits = np.flatnonzero(free & (self.dataset.labels[pictures] == label))[:1]
            chosen[place : place + len(fits)], free[fits] = pictures[fits], False
        paired = chosen >= 0
        chosen[~paired] = pictures[free][: (~paired).sum()]
        return chosen, paired

    def _load(self, indices: np.ndarray, step: int) -> tuple[Tensor, Tensor | None]:
        flip = np.random.default_rng((self.seed, 1, step)).random(len(indices))[self.share] < 0.5
        indices = indices[self.share]
        pictures = self._pictures(indices)
        if self.mirror:
            pictures = torch.where(self._moved(flip).view(-1, 1, 1, 1), pictures.flip(2), pictures)
        labels = self.dataset.labels
        labels = None if labels is None else self._moved(labels[indices].astype(np.int64))
        return to_network(pictures).contiguous(memory_format=torch.channels_last), labels

    def _pictures(self, indices: np.ndarray) -> Tensor:
        """uint8 [n, H, W, C], on the device."""
        if self._resident is not None:
            return self._resident[self._moved(indices)]
        pictures = torch.from_numpy(self.dataset.images[indices])
        if self.device.type == "cuda":
            pictures = pictures.pin_memory()  # otherwise so many bytes wait for the step before
        return pictures.to(self.device, non_blocking=True)

    def _moved(self, values: np.ndarray) -> Tensor:
        """A few numbers, on the device."""
        return torch.from_numpy(values).to(self.device, non_blocking=True)
