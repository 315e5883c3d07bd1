"""The judge: Frechet and kernel distance by torchmetrics on the judge's features, and sliced Wasserstein always."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torchmetrics.image.fid import FrechetInceptionDistance
from torchmetrics.image.kid import KernelInceptionDistance

from benchmarks.arena.features import Eye
from imagen_demo.data.pixels import to_network
from imagen_demo.training.metrics import sliced_wasserstein

warnings.filterwarnings("ignore", "Metric `Kernel Inception Distance` will save all extracted features")
METRICS = ("fd", "kd", "swd")  # lower is better
BATCH = 50
BACKDROP = 128  # grey that shows through where a picture is transparent
REALS = 10_000  # real pictures that are looked at, of a dataset that has more
SUBSET = 500  # pictures in each of the kernel distance's subsets
SLICED = 1000  # pictures for sliced Wasserstein


class Known(nn.Module):
    """Lets torchmetrics take features that are computed already: every picture passes the network once."""

    num_features = Eye.num_features

    def forward(self, features: Tensor) -> Tensor:
        return features


@dataclass(frozen=True)
class Seen:
    """Pictures uint8 [N, H, W, 3 or 4] and what the judge's eye makes of them, float [N, 1280]."""

    pictures: np.ndarray
    features: Tensor

    def __getitem__(self, part: slice) -> Seen:
        return Seen(self.pictures[part], self.features[part])

    def __len__(self) -> int:
        return len(self.pictures)


def opaque(pictures: np.ndarray) -> np.ndarray:
    """uint8 [N, H, W, 3 or 4] -> [N, H, W, 3]."""
    if pictures.shape[3] == 3:
        return pictures
    alpha = pictures[..., 3:].astype(np.float32) / 255
    return np.round(pictures[..., :3] * alpha + BACKDROP * (1 - alpha)).astype(np.uint8)


class Judge:
    """Knows the real pictures: uint8 [N, H, W, 3 or 4], of which it looks at :data:`REALS` at most, in mixed order."""

    def __init__(self, images: np.ndarray, seed: int = 0) -> None:
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.eye, self.seed = Eye().to(self.device), seed
        chosen = np.random.default_rng(seed).permutation(len(images))[:REALS]
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
        least = min(len(reals), len(fakes))
        frechet = FrechetInceptionDistance(Known(), input_img_size=(Eye.num_features,))
        kernel = KernelInceptionDistance(Known(), subset_size=min(SUBSET, least))
        for metric in (frechet, kernel):
            metric.update(reals.features, real=True)
            metric.update(fakes.features, real=False)
        torch.manual_seed(self.seed)  # kernel distance draws subsets
        count = min(SLICED, least)
        swd = sliced_wasserstein(to_network(reals.pictures[:count]), to_network(fakes.pictures[:count]))
        return {"fd": float(frechet.compute()), "kd": 1000 * float(kernel.compute()[0]), "swd": swd}
