"""What a run measures of its pictures, how often, and which of its networks is the best."""

from __future__ import annotations

import contextlib
import time

import numpy as np
import torch
from torch import Tensor, nn

from imagen_demo.config import ModelConfig
from imagen_demo.data.dataset import Dataset
from imagen_demo.data.pixels import to_network
from imagen_demo.errors import UserError
from imagen_demo.models.folder import read_info
from imagen_demo.training.metrics import sliced_wasserstein
from imagen_demo.training.run import Run

METRICS = ("swd", "fid", "kid", "precision", "recall")  # keys of metrics.jsonl and of model.json
PICTURES = 512  # for the sliced Wasserstein distance
PIXELS = 2**25  # of all those pictures together: a quarter of a gigabyte a copy
SHARE = 0.03  # of the time that measuring may take
BATCH = 32  # pictures drawn at once


class Quality:
    """Measures within its share of the time, and knows the best network so far.

    The pictures are those of fixed z, so that numbers of one run can be compared.
    """

    def __init__(self, run: Run, dataset: Dataset, model: ModelConfig, device: torch.device) -> None:
        self.run, self.dataset, self.model, self.device = run, dataset, model, device
        self.best: tuple[str, float] | None = None  # the metric that ``best/`` follows, and its value there
        self._next = 0.0  # on the monotonic clock

    def remember(self) -> None:
        """Read from disk how good ``best/`` is: after a kill it can be newer than the state that is resumed."""
        with contextlib.suppress(UserError):
            kept = read_info(self.run.best).metrics
            self.best = next(((key, kept[key]) for key in ("fid", "swd") if key in kept), None)

    def hurry(self) -> None:
        """The next :meth:`measure` does so whatever it takes: the last word on a run."""
        self._next = 0.0

    def measure(self, generator: nn.Module) -> dict[str, float]:
        """The metrics of a generator in evaluation mode; empty while its share of the time is used up."""
        started = time.monotonic()
        if started < self._next:
            return {}
        count = min(PICTURES, PIXELS // self.model.resolution**2, len(self.dataset))
        choice = np.random.default_rng(0).choice(len(self.dataset), count, replace=False)
        reals = to_network(self.dataset.images[np.sort(choice)])
        found = {"swd": sliced_wasserstein(reals, self._draw(generator, count))}
        spent = time.monotonic() - started
        self._next = time.monotonic() + spent / SHARE
        return found

    def is_best(self, found: dict[str, float]) -> bool:
        """Whether this is the best network so far; it is then remembered as such. FID outranks SWD."""
        key = "fid" if "fid" in found else "swd"
        if key not in found or (self.best and self.best[0] == "fid" and key == "swd"):
            return False
        if self.best and self.best[0] == key and found[key] >= self.best[1]:
            return False
        self.best = (key, found[key])
        return True

    @torch.inference_mode()
    def _draw(self, generator: nn.Module, count: int) -> Tensor:
        """``count`` pictures of fixed z, [N, C, H, W] on the CPU; classes take turns."""
        z = torch.randn(count, self.model.z_dim, generator=torch.Generator().manual_seed(0)).to(self.device)
        labels = torch.arange(count, device=self.device) % self.model.num_classes if self.model.num_classes else None
        parts = []
        for start in range(0, count, BATCH):
            part = slice(start, start + BATCH)
            parts.append(generator(z[part], None if labels is None else labels[part]).float().cpu())
        return torch.cat(parts)
