"""What can be measured of a picture without knowing what it shows: brightness, warmth, size and the like.

Pictures are float [N, C, H, W] from 0 to 1, C = 3, or 4 with the colours premultiplied by alpha. What counts as the
object: alpha where there is one, what differs from the colour of the border where a model's borders are plain,
else everything.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor


class Property(NamedTuple):
    """``least``: a model whose pictures have a smaller standard deviation does not vary in it."""

    name: str
    name_zh: str
    least: float


PROPERTIES: dict[str, Property] = {
    "brightness": Property("Brightness", "亮度", 0.01),
    "warmth": Property("Cool to warm", "冷到暖", 0.01),
    "colourfulness": Property("Colourfulness", "鲜艳度", 0.01),
    "size": Property("Size", "大小", 0.01),
    "roundness": Property("Roundness", "圆度", 0.01),
    "left-right": Property("Left to right", "左到右", 0.04),
    "coverage": Property("Opaque area", "不透明面积", 0.01),
}
SAME = {"coverage": "size"}  # hardly to be had one without the other: counted once where others are compared

_LUMA = (0.2126, 0.7152, 0.0722)  # ITU-R BT.709
_PLAIN = 0.1  # a border pixel is plain within this distance of the border's median colour
_EDGE = (0.06, 0.16)  # distances from the border's colour at which the object begins, and is wholly there


def has_plain_border(pictures: Tensor) -> bool:
    """Whether of most pictures nearly the whole border has one colour."""
    border = _border(pictures[:, :3])
    away = (border - border.median(dim=2, keepdim=True).values).abs().amax(dim=1)
    return bool(((away < _PLAIN).float().mean(dim=1) > 0.85).float().mean() > 0.5)


def _border(pictures: Tensor) -> Tensor:
    """[N, C, H, W] -> the outermost pixels, [N, C, 2 H + 2 W]."""
    edges = (pictures[:, :, 0], pictures[:, :, -1], pictures[:, :, :, 0], pictures[:, :, :, -1])
    return torch.cat(edges, dim=2)


def object_mask(pictures: Tensor, plain: bool) -> Tensor:
    """[N, 1, H, W], 0 to 1: how much each pixel belongs to the object."""
    if pictures.shape[1] == 4:
        return pictures[:, 3:]
    if not plain:
        return torch.ones_like(pictures[:, :1])
    colour = _border(pictures).median(dim=2).values[:, :, None, None]
    distance = (pictures - colour).abs().amax(dim=1, keepdim=True)
    return ((distance - _EDGE[0]) / (_EDGE[1] - _EDGE[0])).clamp(0, 1)


def measure(pictures: Tensor, plain: bool) -> dict[str, Tensor]:
    """Every property of every picture, each float [N]; ``coverage`` only where there is alpha.

    - brightness: mean luma of the object, 0 to 1
    - warmth: mean red less mean blue of the object, -1 to 1
    - colourfulness: Hasler & Süsstrunk 2003, "Measuring colourfulness in natural images", M^(3) of the object's pixels
    - size: the object's root mean square distance from its centre, in half sides of the picture
    - roundness: area / (2 pi times the mean squared distance from the centre), 1 for a disc (Žunić, Hirota & Rosin
      2010, "A Hu moment invariant as a shape circularity measure")
    - left-right: the centre of the object's light, -1 to 1
    - coverage: mean alpha
    """
    mask = object_mask(pictures, plain)
    colours = pictures[:, :3] if pictures.shape[1] == 4 else pictures * mask  # both premultiplied
    area = mask.mean(dim=(1, 2, 3)).clamp(min=1e-4)
    red, green, blue = colours.unbind(dim=1)
    luma = _LUMA[0] * red + _LUMA[1] * green + _LUMA[2] * blue
    mask = mask[:, 0]

    def mean(values: Tensor) -> Tensor:  # of a premultiplied [N, H, W] over the object
        return values.mean(dim=(1, 2)) / area

    x, y = _axes(mask)
    centre_x, centre_y = mean(mask * x), mean(mask * y)
    squares = (x - centre_x[:, None, None]).square() + (y - centre_y[:, None, None]).square()
    spread = mean(mask * squares)
    light = luma + 0.05 * mask  # so that black objects have a centre too
    found = {
        "brightness": mean(luma),
        "warmth": mean(red) - mean(blue),
        "colourfulness": _colourfulness(red, green, blue, mask, area),
        "size": spread.sqrt(),
        # x and y run from -1 to 1: the picture's area is 4.
        "roundness": 4 * area / (2 * torch.pi * spread.clamp(min=1e-4)),
        "left-right": (light * x).mean(dim=(1, 2)) / light.mean(dim=(1, 2)).clamp(min=1e-4),
    }
    return found | ({"coverage": area} if pictures.shape[1] == 4 else {})


def _axes(like: Tensor) -> tuple[Tensor, Tensor]:
    """x to the right [1, 1, W] and y downwards [1, H, 1] of the pixels' centres, -1 to 1."""
    height, width = like.shape[1:]
    x = (torch.arange(width, device=like.device) + 0.5) / width * 2 - 1
    y = (torch.arange(height, device=like.device) + 0.5) / height * 2 - 1
    return x[None, None, :], y[None, :, None]


def _colourfulness(red: Tensor, green: Tensor, blue: Tensor, mask: Tensor, area: Tensor) -> Tensor:
    """sqrt(var_rg + var_yb) + 0.3 sqrt(mean_rg^2 + mean_yb^2), rg = R - G, yb = (R + G) / 2 - B."""
    inside = mask.clamp(min=1e-3)
    variances, means = [], []
    for opponent in (red - green, (red + green) / 2 - blue):
        mean = opponent.mean(dim=(1, 2)) / area
        square = (opponent.square() / inside).mean(dim=(1, 2)) / area  # premultiplied twice, so divided once
        variances.append((square - mean.square()).clamp(min=0))
        means.append(mean.square())
    return (variances[0] + variances[1]).sqrt() + 0.3 * (means[0] + means[1]).sqrt()
