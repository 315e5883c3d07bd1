"""A tiny network with the metric network's layout and call: uint8 pictures in, features out."""

from __future__ import annotations

import warnings
from pathlib import Path

import torch
from torch import Tensor, nn

SIZE = 12


class StandIn(nn.Module):
    """Fixed random filters; ``net(uint8 [N, 3, H, W], return_features=True)`` gives [N, 12]."""

    def __init__(self, seed: int = 0) -> None:
        super().__init__()
        torch.manual_seed(seed)
        self.filters = nn.Conv2d(3, SIZE, 5, stride=2)

    def forward(self, img: Tensor, return_features: bool = False) -> Tensor:
        features = self.filters(img.float() / 64 - 2).relu().mean(dim=[2, 3])
        return features if return_features else features.softmax(dim=1)


class Whole(StandIn):
    """The stand-in as torchmetrics takes a network: uint8 pictures in, features out."""

    num_features = SIZE

    def forward(self, img: Tensor) -> Tensor:
        return super().forward(img, return_features=True).detach()


def write_stand_in(file: Path, seed: int = 0) -> Path:
    """Write the TorchScript file."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with warnings.catch_warnings(), torch.random.fork_rng(devices=[]):
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.jit.save(torch.jit.script(StandIn(seed).eval()), str(file))
    return file
