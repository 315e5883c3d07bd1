"""The judge: Frechet and kernel distance by torchmetrics on the judge's features, and sliced Wasserstein always.

``python -m benchmarks.arena.scores DATASET FILE.npy...`` judges what a contestant has handed in.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
import typer
from torch import Tensor

from benchmarks.arena import machine
from benchmarks.arena.features import Eye
from imagen_demo.data.pixels import to_network
from imagen_demo.training.distances import fid, kid
from imagen_demo.training.features import opaque
from imagen_demo.training.metrics import sliced_wasserstein

METRICS = ("fd", "kd", "swd")  # lower is better
BATCH = 50
REALS = 10_000  # real pictures that are looked at, of a dataset that has more
SLICED = 1000  # pictures for sliced Wasserstein


@dataclass(frozen=True)
class Seen:
    """Pictures uint8 [N, H, W, 3 or 4] and what the judge's eye makes of them, float [N, 1280]."""

    pictures: np.ndarray
    features: Tensor

    def __getitem__(self, part: slice) -> Seen:
        return Seen(self.pictures[part], self.features[part])

    def __len__(self) -> int:
        return len(self.pictures)


class Judge:
    """Knows the real pictures: uint8 [N, H, W, 3 or 4], of which it looks at :data:`REALS` at most, in mixed order."""

    def __init__(self, images: np.ndarray) -> None:
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.eye = Eye().to(self.device)
        chosen = np.random.default_rng(0).permutation(len(images))[:REALS]
        self.reals = self.look(images[chosen])

    @torch.inference_mode()
    def look(self, pictures: np.ndarray) -> Seen:
        parts = []
        for start in range(0, len(pictures), BATCH):
            part = torch.from_numpy(np.array(opaque(pictures[start : start + BATCH])))
            parts.append(self.eye(part.to(self.device).permute(0, 3, 1, 2)).cpu())
        return Seen(pictures, torch.cat(parts))

    def score(self, fakes: np.ndarray) -> dict[str, float]:
        """``fd`` and ``kd`` (x 1000) in the judge's feature space, ``swd``; lower is better."""
        return self._compare(self.reals, self.look(fakes))

    def floor(self, count: int) -> dict[str, float]:
        """One half of the real pictures (``count`` at most) against the other half: as good as new real pictures."""
        half = len(self.reals) // 2
        return self._compare(self.reals[half:], self.reals[: min(half, count)])

    def _compare(self, reals: Seen, fakes: Seen) -> dict[str, float]:
        count = min(SLICED, len(reals), len(fakes))
        return {
            "fd": fid(reals.features, fakes.features),
            "kd": 1000 * kid(reals.features, fakes.features),
            "swd": sliced_wasserstein(to_network(reals.pictures[:count]), to_network(fakes.pictures[:count])),
        }


def main(
    dataset: Annotated[Path, typer.Argument(help="Folder of a prepared dataset")],
    files: Annotated[list[Path], typer.Argument(help="Pictures handed in: uint8 [N, H, W, 3 or 4]")],
) -> None:
    """Judge pictures against a dataset."""
    judge = Judge(machine.opened(dataset).images)
    print("| pictures | FD | KD | SWD |\n|---|---|---|---|", flush=True)
    for file in files:
        found = judge.score(np.load(file, allow_pickle=False))
        print(f"| {file} | {' | '.join(f'{found[key]:.1f}' for key in METRICS)} |", flush=True)


if __name__ == "__main__":
    typer.run(main)
