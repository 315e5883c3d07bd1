"""The DCGAN of every course (Radford et al. 2016; sizes and settings as in PyTorch's own example), at the data's size.

Batch normalisation, transposed convolutions, Adam(2e-4, 0.5), the non-saturating loss, batch 128 or the given one.
"""

from __future__ import annotations

import argparse
import math
from itertools import pairwise

import numpy as np

from benchmarks.arena.clock import Contestant, arguments, enter, parameters
from imagen_demo.data.dataset import open_dataset
from imagen_demo.data.pixels import from_network, to_network  # imported before torch: its thread settings

import torch  # isort: skip
import torch.nn.functional as F  # isort: skip
from torch import Tensor, nn  # isort: skip

Z, WIDTH = 100, 64


def sizes(resolution: int) -> list[int]:
    """Channels from 4 x 4 up to half the resolution: 512, 256, 128, 64 for 64 px."""
    steps = int(math.log2(resolution)) - 2
    return [WIDTH * 2**k for k in range(steps)][::-1]


def generator(resolution: int, channels: int) -> nn.Sequential:
    widths = sizes(resolution)
    layers: list[nn.Module] = [nn.ConvTranspose2d(Z, widths[0], 4, bias=False)]
    for inputs, outputs in pairwise(widths):
        layers += [nn.BatchNorm2d(inputs), nn.ReLU(True), nn.ConvTranspose2d(inputs, outputs, 4, 2, 1, bias=False)]
    layers += [nn.BatchNorm2d(widths[-1]), nn.ReLU(True), nn.ConvTranspose2d(widths[-1], channels, 4, 2, 1), nn.Tanh()]
    return nn.Sequential(*layers)


def discriminator(resolution: int, channels: int) -> nn.Sequential:
    widths = sizes(resolution)[::-1]
    layers: list[nn.Module] = [nn.Conv2d(channels, widths[0], 4, 2, 1), nn.LeakyReLU(0.2, True)]
    for inputs, outputs in pairwise(widths):
        layers += [nn.Conv2d(inputs, outputs, 4, 2, 1, bias=False), nn.BatchNorm2d(outputs), nn.LeakyReLU(0.2, True)]
    return nn.Sequential(*layers, nn.Conv2d(widths[-1], 1, 4), nn.Flatten(0))


def initialise(module: nn.Module) -> None:
    if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d)):
        nn.init.normal_(module.weight, 0, 0.02)
    elif isinstance(module, nn.BatchNorm2d):
        nn.init.normal_(module.weight, 1, 0.02)


class Dcgan(Contestant):
    def __init__(self, options: argparse.Namespace) -> None:
        torch.set_num_threads(options.threads)
        torch.manual_seed(options.seed)
        self.random = np.random.default_rng(options.seed)
        self.batch = options.batch
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.dataset = open_dataset(options.dataset)
        shape = (self.dataset.resolution, self.dataset.channels)
        self.g, self.d = (
            network.apply(initialise).to(self.device, memory_format=torch.channels_last)
            for network in (generator(*shape), discriminator(*shape))
        )
        self.adam_g, self.adam_d = (
            torch.optim.Adam(network.parameters(), options.rate, (0.5, 0.999), fused=True)
            for network in (self.g, self.d)
        )
        self.parameters = parameters(self.g, self.d)

    def noise(self, count: int) -> Tensor:
        return torch.randn(count, Z, 1, 1, device=self.device)

    @torch.inference_mode()
    def draw(self, count: int) -> np.ndarray:
        self.g.eval()
        pictures = from_network(self.g(self.noise(count)))
        self.g.train()
        return pictures

    def real(self) -> Tensor:
        dataset, random = self.dataset, self.random
        chosen = dataset.images[np.sort(random.choice(len(dataset), self.batch, replace=False))]
        flip = random.random(self.batch) < 0.5
        chosen[flip] = chosen[flip, :, ::-1]
        return to_network(torch.from_numpy(chosen).to(self.device)).contiguous(memory_format=torch.channels_last)

    def step(self) -> int:
        real, fake = self.real(), self.g(self.noise(self.batch))
        self.adam_d.zero_grad()
        (F.softplus(-self.d(real)).mean() + F.softplus(self.d(fake.detach())).mean()).backward()
        self.adam_d.step()
        self.adam_g.zero_grad()
        F.softplus(-self.d(fake)).mean().backward()
        self.adam_g.step()
        return self.batch


def main() -> None:
    parser = arguments()
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--rate", type=float, default=2e-4)
    enter(Dcgan, parser)


if __name__ == "__main__":
    main()
