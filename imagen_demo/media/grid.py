"""Pictures side by side, and transparent pictures on a background."""

from __future__ import annotations

import math

import numpy as np
from PIL import Image

Background = str | tuple[int, int, int]  # "checkerboard", or a colour as Pillow knows it


def make_grid(images: np.ndarray, columns: int | None = None, gap: int = 2) -> Image.Image:
    """uint8 [N, H, W, C] (C = 3 or 4) as one picture, row by row.

    ``columns`` defaults to a nearly square grid. The gaps (``gap`` pixels) and the empty
    places are white for RGB and transparent for RGBA.
    """
    count, height, width, channels = images.shape
    columns = max(1, min(columns or math.ceil(math.sqrt(count)), max(1, count)))
    rows = max(1, math.ceil(count / columns))
    shape = (rows * (height + gap) - gap, columns * (width + gap) - gap, channels)
    canvas = np.full(shape, 255 if channels == 3 else 0, dtype=np.uint8)
    for index, image in enumerate(images):
        top, left = index // columns * (height + gap), index % columns * (width + gap)
        canvas[top : top + height, left : left + width] = image
    return Image.fromarray(canvas)


def checkerboard(width: int, height: int, cell: int = 8) -> Image.Image:
    """The RGB pattern that stands for transparency."""
    y, x = np.indices((height, width)) // cell
    grey = np.where((x + y) % 2, 204, 255).astype(np.uint8)
    return Image.fromarray(grey).convert("RGB")


def flatten(image: Image.Image, background: Background = "white") -> Image.Image:
    """An RGB picture: ``image`` itself where it is opaque, ``background`` shining through where it is not."""
    if image.mode != "RGBA":
        return image.convert("RGB")
    if background == "checkerboard":
        canvas = checkerboard(*image.size, cell=max(4, image.width // 32)).convert("RGBA")
    else:
        canvas = Image.new("RGBA", image.size, background)
    return Image.alpha_composite(canvas, image).convert("RGB")
