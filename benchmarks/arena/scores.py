"""The judge: Frechet and kernel distance by torchmetrics on the judge's features, and sliced Wasserstein always."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn
from torchmetrics.image.fid import FrechetInceptionDistance
from torchmetrics.image.kid import KernelInceptionDistance

from benchmarks.arena.features import Eye
from imagen_demo.data.pixels import to_network
from imagen_demo.training.metrics import sliced_wasserstein

BATCH = 50
BACKDROP = 128  # grey that shows through where a picture is transparent


class Known(nn.Module):
    """Lets torchmetrics take features that are computed already: every picture passes the network once."""

    num_features = Eye.num_features

    def forward(self, features: Tensor) -> Tensor:
        return features


def opaque(pictures: np.ndarray) -> np.ndarray:
    """uint8 [N, H, W, 3 or 4] -> [N, H, W, 3]."""
    if pictures.shape[3] == 3:
        return pictures
    alpha = pictures[..., 3:].astype(np.float32) / 255
    return np.round(pictures[..., :3] * alpha + BACKDROP * (1 - alpha)).astype(np.uint8)


class Judge:
    """Knows the real pictures: uint8 [N, H, W, 3 or 4]."""

    def __init__(self, reals: np.ndarray, seed: int = 0) -> None:
        self.eye, self.seed = Eye(), seed
        self.reals, self.features = reals, self.look(reals)

    @torch.inference_mode()
    def look(self, pictures: np.ndarray) -> Tensor:
        parts = []
        for start in range(0, len(pictures), BATCH):
            part = opaque(pictures[start : start + BATCH])
            parts.append(self.eye(torch.from_numpy(np.array(part)).permute(0, 3, 1, 2)))
        return torch.cat(parts)

    def score(self, fakes: np.ndarray) -> dict[str, float]:
        """``fd`` and ``kd`` (x 1000) in the judge's feature space, ``swd``; lower is better."""
        features = self.look(fakes)
        frechet = FrechetInceptionDistance(Known(), input_img_size=(Eye.num_features,))
        kernel = KernelInceptionDistance(Known(), subset_size=min(500, len(fakes), len(self.reals)))
        for metric in (frechet, kernel):
            metric.update(self.features, real=True)
            metric.update(features, real=False)
        torch.manual_seed(self.seed)  # kernel distance draws subsets
        count = min(1000, len(fakes), len(self.reals))
        swd = sliced_wasserstein(to_network(self.reals[:count]), to_network(fakes[:count]))
        return {"fd": float(frechet.compute()), "kd": 1000 * float(kernel.compute()[0]), "swd": swd}
