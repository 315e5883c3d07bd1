"""The article's own networks: two dense layers each way.

Generator: z -> Dense 128 -> Dense 64 -> tanh picture. Discriminator: picture -> Dense 128 -> Dense 64 -> 1.
The article's sigmoid lives in the loss, which works on logits.
The first hidden layer serves as w, so truncation and directions work as on the style network.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from imagen_demo.config import ModelConfig

HIDDEN = (128, 64)


def _class_input(labels: Tensor | None, config: ModelConfig, like: Tensor) -> Tensor:
    if not config.num_classes:
        return like[:, :0]
    return F.one_hot(labels, config.num_classes).to(like.dtype)


class MlpGenerator(nn.Module):
    """z [N, z_dim] -> pictures [N, C, H, W] in [-1, 1]."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        self.num_ws = 1
        self.shape = (config.channels, config.resolution, config.resolution)
        self.first = nn.Linear(config.z_dim + config.num_classes, HIDDEN[0])
        self.second = nn.Linear(HIDDEN[0], HIDDEN[1])
        self.picture = nn.Linear(HIDDEN[1], config.channels * config.resolution**2)

    def mapping(self, z: Tensor, labels: Tensor | None = None) -> Tensor:
        """[N, z_dim] -> w [N, 128]: the first hidden layer."""
        return F.relu(self.first(torch.cat([z, _class_input(labels, self.config, z)], dim=1)))

    def synthesis(self, ws: Tensor) -> Tensor:
        """[N, 1, 128] -> pictures [N, C, H, W] in [-1, 1]."""
        return torch.tanh(self.picture(F.relu(self.second(ws[:, 0])))).unflatten(1, self.shape)

    def forward(self, z: Tensor, labels: Tensor | None = None) -> Tensor:
        return self.synthesis(self.mapping(z, labels).unsqueeze(1))


class MlpDiscriminator(nn.Module):
    """Pictures [N, C, H, W] in [-1, 1] -> logits [N]."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        inputs = config.channels * config.resolution**2 + config.num_classes
        self.layers = nn.Sequential(
            nn.Linear(inputs, HIDDEN[0]), nn.LeakyReLU(0.2), nn.Linear(HIDDEN[0], HIDDEN[1]), nn.LeakyReLU(0.2),
            nn.Linear(HIDDEN[1], 1),
        )  # fmt: skip

    def forward(self, pictures: Tensor, labels: Tensor | None = None) -> Tensor:
        x = pictures.flatten(1)
        return self.layers(torch.cat([x, _class_input(labels, self.config, x)], dim=1)).squeeze(1)
