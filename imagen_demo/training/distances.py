"""How far two sets of features are apart: FID, KID, precision and recall. Features are float32 [N, size]."""

from __future__ import annotations

import warnings

import torch
from torch import Tensor, nn

SUBSET = 1000  # pictures in each of KID's subsets, or all where there are fewer
NEIGHBOURS = 3  # Kynkaanniemi et al. 2019, section 3.1
BLOCK = 1024  # rows of a distance matrix at once

# torchmetrics is imported where it is needed: most starts of the program need none of it.


class _Known(nn.Module):
    """Hands features through: torchmetrics would put every picture through the network once for each metric."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.num_features = size

    def forward(self, features: Tensor) -> Tensor:
        return features


def fid(real: Tensor, fake: Tensor) -> float:
    """Frechet distance of two Gaussians (Heusel et al. 2017) by torchmetrics; lower is better."""
    from torchmetrics.image.fid import FrechetInceptionDistance

    metric = FrechetInceptionDistance(_Known(real.shape[1]))
    metric.update(real, real=True)
    metric.update(fake, real=False)
    return float(metric.compute())


def kid(real: Tensor, fake: Tensor, subsets: int = 100, seed: int = 0) -> float:
    """Squared maximum mean discrepancy with a cubic kernel (Binkowski et al. 2018) by torchmetrics; lower is better.

    The mean over ``subsets`` random subsets, which ``seed`` fixes; the caller's random numbers are left alone.
    """
    from torchmetrics.image.kid import KernelInceptionDistance

    with warnings.catch_warnings(), torch.random.fork_rng(devices=[]):
        warnings.filterwarnings("ignore", "Metric `Kernel Inception Distance` will save", UserWarning)
        metric = KernelInceptionDistance(_Known(real.shape[1]), subsets, min(SUBSET, len(real), len(fake)))
        metric.update(real, real=True)
        metric.update(fake, real=False)
        torch.manual_seed(seed)
        return float(metric.compute()[0])


def precision_recall(real: Tensor, fake: Tensor) -> tuple[float, float]:
    """Share of the generated pictures that could be real, and of the real ones that could be generated.

    Kynkaanniemi et al. 2019, eq. 2: a picture belongs to a set if it lies as near to one of the set's pictures as
    that one's third nearest neighbour in the set. Of the larger set only as many are used as the smaller one has.
    """
    count, middle = min(len(real), len(fake)), real.mean(dim=0)  # about the middle, float32 loses least
    real, fake = real[:count] - middle, fake[:count] - middle
    return _covered(fake, real, _radii(real)), _covered(real, fake, _radii(fake))


def _radii(features: Tensor) -> Tensor:
    """Distance of each to its third nearest neighbour, [N]; the nearest of all is itself."""
    k = min(NEIGHBOURS + 1, len(features))
    return torch.cat([torch.cdist(block, features).kthvalue(k, dim=1).values for block in features.split(BLOCK)])


def _covered(points: Tensor, centres: Tensor, radii: Tensor) -> float:
    """The share of ``points`` that lie within the radius of any centre."""
    inside = [(torch.cdist(block, centres) <= radii).any(dim=1) for block in points.split(BLOCK)]
    return float(torch.cat(inside).float().mean())
