"""The style-based generator and the residual discriminator.

Resolution doubles from 4 x 4 to the picture's; channels at resolution r are
min(width / r, max_channels), and at least 8.
"""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from imagen_demo.config import ModelConfig
from imagen_demo.models.layers import (
    ACTIVATION_GAIN,
    Conv,
    Linear,
    MinibatchStd,
    ModulatedConv,
    activate,
    downsample,
    embedding,
    normal,
    second_moment_norm,
    upsample,
)

START = 4  # the side of the first feature map
MOST_EDGE = 10.0  # no z is beyond it


def channels_at(config: ModelConfig, resolution: int) -> int:
    return max(8, min(config.width // resolution, config.max_channels))


def widened(config: ModelConfig, width: int) -> ModelConfig:
    """The same networks of another width."""
    return dataclasses.replace(config, width=width, max_channels=max(8, min(512, width // 4)))


def levels(config: ModelConfig) -> list[int]:
    """8, 16, ..., resolution."""
    return [2**k for k in range(3, int(math.log2(config.resolution)) + 1)]


class Mapping(nn.Module):
    """z, and the class where there is one, to the style w (StyleGAN, section 2)."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.embed = embedding(config.labels, config.z_dim) if config.labels else None
        if config.kinds:  # z's first number decides: below the first edge it is kind 0, and so on
            self.register_buffer("edges", torch.zeros(config.kinds - 1))
        width = config.z_dim * (2 if config.labels else 1)
        sizes = [width] + [config.w_dim] * config.mapping_layers
        # A hundredth of the learning rate, as in StyleGAN: the mapping is deep in effect on every layer.
        self.layers = nn.ModuleList(Linear(a, b, gain=ACTIVATION_GAIN, rate=0.01) for a, b in itertools.pairwise(sizes))

    def forward(self, z: Tensor, labels: Tensor | None) -> Tensor:
        x = second_moment_norm(z)
        if self.embed is not None:
            x = torch.cat([x, second_moment_norm(self.embed(self.kinds(z) if labels is None else labels))], dim=1)
        for layer in self.layers:
            x = activate(layer(x))
        return x

    def share_out(self, counts: Tensor) -> None:
        """Have each kind drawn as often as ``counts`` [kinds] says, one z being as likely as another."""
        shares = counts.double().cumsum(0)[:-1] / counts.sum()
        self.edges.copy_(torch.special.ndtri(shares).clamp(-MOST_EDGE, MOST_EDGE))

    def kinds(self, z: Tensor) -> Tensor:
        """[N, z_dim] -> int64 [N]: of which kind each is."""
        return (z[:, :1] >= self.edges).sum(dim=1)


class Block(nn.Module):
    """Twice the resolution: convolve, upsample, convolve; and add to the picture."""

    def __init__(self, inputs: int, outputs: int, config: ModelConfig) -> None:
        super().__init__()
        # The first convolution runs before the upsampling: a quarter of the work, same receptive field.
        self.conv0 = ModulatedConv(inputs, outputs, 3, config.w_dim)
        self.conv1 = ModulatedConv(outputs, outputs, 3, config.w_dim)
        self.to_picture = ModulatedConv(outputs, config.channels, 1, config.w_dim, demodulate=False)
        if config.noise:
            self.noise_strength = nn.Parameter(torch.zeros(2))  # of each convolution; learned (StyleGAN, section 3.2)

    def forward(
        self, x: Tensor, picture: Tensor, w0: Tensor, w1: Tensor, noise: Sequence[Tensor] = ()
    ) -> tuple[Tensor, Tensor]:
        """``noise``: none, or [N or 1, 1, H, W] at half and at the full side of this block."""
        x = self.conv0(x, w0)
        if noise:
            x = x + (self.noise_strength[0] * noise[0]).to(x.dtype)
        x = self.conv1(upsample(activate(x)), w1)
        if noise:
            x = x + (self.noise_strength[1] * noise[1]).to(x.dtype)
        x = activate(x)
        return x, upsample(picture) + self.to_picture(x, w1)


class StyleGenerator(nn.Module):
    """z -> w -> picture, with a skip from every resolution to the picture (StyleGAN2, fig. 7b)."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        first = channels_at(config, START)
        self.mapping_network = Mapping(config)
        self.const = normal(1, first, START, START)
        self.conv = ModulatedConv(first, first, 3, config.w_dim)
        self.to_picture = ModulatedConv(first, config.channels, 1, config.w_dim, demodulate=False)
        sizes = [channels_at(config, r) for r in [START, *levels(config)]]
        self.blocks = nn.ModuleList(Block(a, b, config) for a, b in itertools.pairwise(sizes))
        self.num_ws = 1 + 2 * len(self.blocks)
        self.noise_sides = [side for r in levels(config) for side in (r // 2, r)] if config.noise else []
        if config.noise:  # what every picture is drawn with, unless it is given noise of its own
            self.register_buffer("noise", normal(1, self.noise_size).detach())

    @property
    def noise_size(self) -> int:
        """How many random numbers a picture takes besides z: one for each place of each convolution; 0 for none."""
        return sum(side**2 for side in self.noise_sides)

    def mapping(self, z: Tensor, labels: Tensor | None = None) -> Tensor:
        """[N, z_dim], int64 [N] or None -> w [N, w_dim]. Without labels, kinds follow from z."""
        return self.mapping_network(z, labels)

    def synthesis(self, ws: Tensor, noise: Tensor | None = None) -> Tensor:
        """[N, num_ws, w_dim], noise [N or 1, noise_size] or the model's own -> pictures [N, C, H, W], about [-1, 1]."""
        w, fields = ws.unbind(dim=1), self._fields(noise)
        x = self.const.expand(len(ws), -1, -1, -1).contiguous(memory_format=torch.channels_last)
        x = activate(self.conv(x, w[0]))
        picture = self.to_picture(x, w[0])
        for i, block in enumerate(self.blocks):
            x, picture = block(x, picture, w[2 * i + 1], w[2 * i + 2], fields[2 * i : 2 * i + 2])
        return picture

    def _fields(self, noise: Tensor | None) -> list[Tensor]:
        """Each convolution's noise, [N or 1, 1, H, W]."""
        if not self.noise_sides:
            return []
        parts = (self.noise if noise is None else noise).split([side**2 for side in self.noise_sides], dim=1)
        return [part.view(-1, 1, side, side) for part, side in zip(parts, self.noise_sides, strict=True)]

    def forward(self, z: Tensor, labels: Tensor | None = None, noise: Tensor | None = None) -> Tensor:
        return self.synthesis(self.mapping(z, labels).unsqueeze(1).expand(-1, self.num_ws, -1), noise)


class ResidualBlock(nn.Module):
    """Half the resolution: two convolutions beside a 1 x 1 shortcut (StyleGAN2's residual discriminator)."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.conv0 = Conv(inputs, inputs, 3, gain=ACTIVATION_GAIN)
        self.conv1 = Conv(inputs, outputs, 3, gain=ACTIVATION_GAIN)
        self.shortcut = Conv(inputs, outputs, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        y = activate(self.conv0(x))
        y = activate(self.conv1(downsample(y)))
        return (y + self.shortcut(downsample(x))) * math.sqrt(0.5)


class StyleDiscriminator(nn.Module):
    """Pictures [N, C, H, W] in [-1, 1], labels int64 [N] or None -> logits [N], higher for real."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        sizes = [channels_at(config, r) for r in [START, *levels(config)]][::-1]
        self.from_picture = Conv(config.channels, sizes[0], 3, gain=ACTIVATION_GAIN)
        self.blocks = nn.ModuleList(ResidualBlock(a, b) for a, b in itertools.pairwise(sizes))
        last = sizes[-1]
        self.minibatch_std = MinibatchStd()
        self.conv = Conv(last + 1, last, 3, gain=ACTIVATION_GAIN)
        self.hidden = Linear(last * START**2, last, gain=ACTIVATION_GAIN)
        # With classes or kinds the logit is a projection onto the class's embedding (Miyato & Koyama 2018).
        self.output = Linear(last, 64 if config.labels else 1)
        self.embed = embedding(config.labels, 64) if config.labels else None

    def forward(self, pictures: Tensor, labels: Tensor | None = None) -> Tensor:
        x = activate(self.from_picture(pictures))
        for block in self.blocks:
            x = block(x)
        x = activate(self.conv(self.minibatch_std(x)))
        x = self.output(activate(self.hidden(x.flatten(1))))
        if self.embed is None:
            return x.squeeze(1)
        return (x * second_moment_norm(self.embed(labels))).sum(dim=1) / math.sqrt(x.shape[1])
