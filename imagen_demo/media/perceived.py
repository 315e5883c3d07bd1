"""How different two pictures look: the measure by which films go at an even speed.

Pictures are reduced to 32 x 32 and 8 x 8 areas and compared as colours of CIE L*a*b*, where equal distances
look about equal. Reduced, because the eye follows shapes and colours and not single pixels, and noise averages out;
twice, so that a small thing that moves and a change of the whole both count. Transparent pictures are looked at on
black and on white. On a small step the measure grows as the step does, so steps can be added up along a way.
Networks that measure likeness (LPIPS) come with weights to download and take longer than drawing the picture.
"""

from __future__ import annotations

import numpy as np
from PIL import Image

SIDES = (32, 8)
# sRGB to X/Xn, Y/Yn, Z/Zn of daylight D65 (IEC 61966-2-1).
_XYZ = np.array([[0.41246, 0.35758, 0.18044], [0.21267, 0.71515, 0.07218], [0.01933, 0.11919, 0.95030]])
_XYZ = (_XYZ / _XYZ.sum(axis=1, keepdims=True)).astype(np.float32)


def lab(colours: np.ndarray) -> np.ndarray:
    """sRGB [..., 3] in [0, 1] -> float32 L*a*b*; L* from 0 to 100."""
    colours = np.asarray(colours, np.float32)
    linear = np.where(colours <= 0.04045, colours / 12.92, ((colours + 0.055) / 1.055) ** 2.4)
    ratio = linear @ _XYZ.T
    f = np.where(ratio > 0.008856, np.cbrt(ratio), 7.787 * ratio + 16 / 116)
    x, y, z = f[..., 0], f[..., 1], f[..., 2]
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=-1)


def look(picture: np.ndarray) -> tuple[np.ndarray, ...]:
    """uint8 [H, W, C] -> what :func:`change` compares: L*a*b* at each size, float32 [N, 3]."""
    pixels = picture.astype(np.float32) / 255
    seen = [pixels[..., :3]]
    if picture.shape[2] == 4:
        alpha = pixels[..., 3:]
        seen = [pixels[..., :3] * alpha, pixels[..., :3] * alpha + (1 - alpha)]
    return tuple(np.concatenate([lab(_reduced(image, side)).reshape(-1, 3) for image in seen]) for side in SIDES)


def _reduced(image: np.ndarray, side: int) -> np.ndarray:
    """float32 [H, W, 3] -> [side, side, 3] by averaging; smaller pictures stay as they are."""
    if image.shape[0] <= side:
        return image
    if image.shape[0] % side == 0 and image.shape[1] % side == 0:
        return image.reshape(side, image.shape[0] // side, side, image.shape[1] // side, 3).mean(axis=(1, 3))
    bands = [Image.fromarray(image[..., band]).resize((side, side), Image.Resampling.BOX) for band in range(3)]
    return np.stack([np.asarray(band) for band in bands], axis=-1)


def change(a: tuple[np.ndarray, ...], b: tuple[np.ndarray, ...]) -> float:
    """How different two :func:`look`s are: the mean distance in L*a*b*, mean of both sizes; 0 is the same."""
    return float(np.mean([np.linalg.norm(x - y, axis=1).mean() for x, y in zip(a, b, strict=True)]))
