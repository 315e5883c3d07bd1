"""Quality that needs no network: sliced Wasserstein distance of patches, and diversity."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

PATCH = 7  # side of a patch, as in Karras et al. 2018
PATCHES_PER_PICTURE = 16
PROJECTIONS = 128


def pyramid(pictures: Tensor, smallest: int = 16) -> list[Tensor]:
    """Laplacian pyramid of [N, C, H, W]: detail at each size, then the small picture itself."""
    levels = []
    while pictures.shape[-1] > smallest:
        half = F.avg_pool2d(pictures, 2)
        levels.append(pictures - F.interpolate(half, scale_factor=2, mode="bilinear", align_corners=False))
        pictures = half
    return [*levels, pictures]


def patches(level: Tensor, generator: torch.Generator) -> Tensor:
    """Random 7 x 7 patches of [N, C, H, W] -> [N * 16, C, 49]."""
    n, c, h, w = level.shape
    size = min(PATCH, h)
    y = torch.randint(0, h - size + 1, (n, PATCHES_PER_PICTURE), generator=generator)
    x = torch.randint(0, w - size + 1, (n, PATCHES_PER_PICTURE), generator=generator)
    windows = level.unfold(2, size, 1).unfold(3, size, 1)  # a view [N, C, H', W', size, size]
    rows = torch.arange(n)[:, None].expand_as(y)
    return windows[rows, :, y, x].reshape(-1, c, size * size)


def sliced_wasserstein(real: Tensor, fake: Tensor, seed: int = 0) -> float:
    """Mean over pyramid levels of the patches' sliced Wasserstein-1 distance (Karras et al. 2018, section 5).

    Args:
        real, fake: [N, C, H, W] in [-1, 1] on the CPU, the same N.
        seed: of the patches and the projections, so that equal pictures give equal numbers.

    Returns:
        Distance x 1000; 0 for equal sets, lower is better.
    """
    distances = []
    for level_real, level_fake in zip(pyramid(real), pyramid(fake), strict=True):
        generator = torch.Generator().manual_seed(seed)
        a = patches(level_real, generator)
        generator.manual_seed(seed)
        b = patches(level_fake, generator)
        # Normalised by the real patches' statistics, so that every level counts alike.
        mean, std = a.mean(dim=(0, 2), keepdim=True), a.std(dim=(0, 2), keepdim=True) + 1e-6
        a, b = ((a - mean) / std).flatten(1), ((b - mean) / std).flatten(1)
        directions = torch.randn(a.shape[1], PROJECTIONS, generator=generator)
        directions /= directions.norm(dim=0)
        a, b = (a @ directions).sort(dim=0).values, (b @ directions).sort(dim=0).values
        distances.append(float((a - b).abs().mean()))
    return 1000 * sum(distances) / len(distances)


def diversity(pictures: Tensor) -> tuple[float, float]:
    """How different the pictures of [N, C, H, W] are: in colour and light, and in shape.

    The first is the mean distance between neighbours, per value: 0 when all look the same. The second is 1 less the
    mean correlation of their brightness, each picture's own mean and contrast taken away: about 1 for unrelated
    photographs and 0 when one pattern is drawn for everything, in however many colours.
    """
    small = F.adaptive_avg_pool2d(pictures, 16)
    colours = small.flatten(1)
    shapes = small.mean(dim=1).flatten(1)
    shapes = F.normalize(shapes - shapes.mean(dim=1, keepdim=True), dim=1)
    n = len(shapes)
    correlation = (float(shapes.sum(dim=0).square().sum()) - n) / max(1, n * (n - 1))  # mean over all pairs
    return float((colours - colours.roll(1, dims=0)).abs().mean()), 1 - correlation


def relative_diversity(pictures: Tensor, reals: Tensor) -> float:
    """The lesser of the two kinds of :func:`diversity`, as a part of the real pictures'."""
    return min(a / max(1e-6, b) for a, b in zip(diversity(pictures), diversity(reals), strict=True))
