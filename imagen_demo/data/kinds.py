"""Pictures that nobody sorted into classes, sorted into kinds by what they look like.

A discriminator that knows of what kind a picture is has less to find out, and groups of one kind show it how much
pictures of that kind vary (Liu et al. 2020, "Diverse image generation via self-conditioned GANs", whose kinds come
from the discriminator's features; these are found once, before training).
"""

from __future__ import annotations

import numpy as np

SIDE = 16  # pixels that a kind is known by: colours and coarse shapes
COMPONENTS = 50
FITTED = 10_000  # pictures that the kinds are found in, at most; all others go to the nearest one
PIXELS_AT_ONCE = 2**22  # full-size copies in float32 are made of so many


def sorted_into_kinds(images: np.ndarray, count: int) -> np.ndarray:
    """The kind of each picture, int64 [N], 0 to ``count`` - 1; kinds that follow each other are somewhat alike.

    k-means on the principal components of small copies; the same for the same pictures.

    Args:
        images: uint8 [N, H, W, 3 or 4], may be mapped from a file; N >= ``count``, H a multiple of 16.
    """
    # Here: the imports take a second, and only a new training wants them.
    from sklearn.cluster import KMeans
    from sklearn.decomposition import PCA
    from threadpoolctl import threadpool_limits

    some = np.sort(np.random.default_rng(0).permutation(len(images))[:FITTED])
    with threadpool_limits(1):  # several add up in another order each time
        fitted = np.concatenate([_small(images[part]) for part in _parts(some, images.shape[1])])
        components = PCA(min(COMPONENTS, *fitted.shape), svd_solver="full").fit(fitted)
        found = KMeans(count, n_init=10, random_state=0).fit(components.transform(fitted))
        place = np.empty(count, np.int64)  # of each, along what varies most
        place[np.argsort(found.cluster_centers_[:, 0])] = np.arange(count)
        parts = _parts(np.arange(len(images)), images.shape[1])
        return np.concatenate([place[found.predict(components.transform(_small(images[part])))] for part in parts])


def _parts(indices: np.ndarray, side: int) -> list[np.ndarray]:
    at_once = max(1, PIXELS_AT_ONCE // side**2)
    return [indices[start : start + at_once] for start in range(0, len(indices), at_once)]


def _small(images: np.ndarray) -> np.ndarray:
    """uint8 [N, H, W, C] -> float32 [N, 16 x 16 x C] in [-1, 1]; with alpha, colours as on middle grey: on
    black, dark drawings would be near to nothing, and emoji were learned more slowly (docs/ablations.md).
    """
    pictures = np.asarray(images, np.float32) / 127.5 - 1
    if pictures.shape[3] == 4:
        pictures[..., :3] *= (pictures[..., 3:] + 1) / 2
    count, step = len(pictures), pictures.shape[1] // SIDE
    return pictures.reshape(count, SIDE, step, SIDE, step, -1).mean(axis=(2, 4)).reshape(count, -1)
