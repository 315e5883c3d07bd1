"""Pictures as the disk knows them (uint8, straight alpha) and as the networks know them."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor


def to_network(images: np.ndarray | Tensor) -> Tensor:
    """uint8 [N, H, W, C] -> float32 [N, C, H, W] in [-1, 1], on the device of ``images``.

    With C = 4 the colours are premultiplied by alpha: what cannot be seen is then the same
    everywhere (-1), so the networks learn only what shows.
    The memory stays in the order of the input (channels last), which convolutions like.
    """
    if isinstance(images, np.ndarray):
        images = torch.from_numpy(np.array(images))  # a copy: memory maps are read-only
    unit = images.permute(0, 3, 1, 2).float() / 255
    if unit.shape[1] == 4:
        alpha = unit[:, 3:]
        unit = torch.cat([unit[:, :3] * alpha, alpha], dim=1)
    return unit * 2 - 1


def from_network(images: Tensor) -> np.ndarray:
    """float [N, C, H, W], about [-1, 1] -> uint8 [N, H, W, C], straight alpha again for C = 4.

    Values outside are clamped, the rest rounded to nearest. Fully transparent pixels are (0, 0, 0, 0).
    uint8 pictures come back unchanged from a round trip, apart from colours under alpha 0.
    """
    levels = (images.detach().float().clamp(-1, 1) + 1) * 127.5
    if images.shape[1] == 4:
        alpha = levels[:, 3:].round()
        # Dividing by the rounded alpha keeps the product colour x alpha, the thing one sees, true.
        colour = torch.where(alpha > 0, levels[:, :3] * 255 / alpha.clamp(min=1), 0.0)
        levels = torch.cat([colour.clamp(max=255), alpha], dim=1)
    return levels.round().byte().permute(0, 2, 3, 1).contiguous().cpu().numpy()
