"""The DCGAN of every course (Radford et al. 2016; sizes and settings as in PyTorch's own example), at the data's size.

Batch normalisation, transposed convolutions, Adam(2e-4, 0.5), the non-saturating loss, batch 128 or the given one.
"""

from __future__ import annotations

import math

import numpy as np

from benchmarks.arena.clock import Clock, arguments
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
    for inputs, outputs in zip(widths, widths[1:], strict=False):
        layers += [nn.BatchNorm2d(inputs), nn.ReLU(True), nn.ConvTranspose2d(inputs, outputs, 4, 2, 1, bias=False)]
    layers += [nn.BatchNorm2d(widths[-1]), nn.ReLU(True), nn.ConvTranspose2d(widths[-1], channels, 4, 2, 1), nn.Tanh()]
    return nn.Sequential(*layers)


def discriminator(resolution: int, channels: int) -> nn.Sequential:
    widths = sizes(resolution)[::-1]
    layers: list[nn.Module] = [nn.Conv2d(channels, widths[0], 4, 2, 1), nn.LeakyReLU(0.2, True)]
    for inputs, outputs in zip(widths, widths[1:], strict=False):
        layers += [nn.Conv2d(inputs, outputs, 4, 2, 1, bias=False), nn.BatchNorm2d(outputs), nn.LeakyReLU(0.2, True)]
    return nn.Sequential(*layers, nn.Conv2d(widths[-1], 1, 4), nn.Flatten(0))


def initialise(module: nn.Module) -> None:
    if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d)):
        nn.init.normal_(module.weight, 0, 0.02)
    elif isinstance(module, nn.BatchNorm2d):
        nn.init.normal_(module.weight, 1, 0.02)


def main() -> None:
    parser = arguments()
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--rate", type=float, default=2e-4)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    random = np.random.default_rng(options.seed)
    dataset = open_dataset(options.dataset)
    g = generator(dataset.resolution, dataset.channels).apply(initialise).to(memory_format=torch.channels_last)
    d = discriminator(dataset.resolution, dataset.channels).apply(initialise).to(memory_format=torch.channels_last)
    adam_g = torch.optim.Adam(g.parameters(), options.rate, (0.5, 0.999), fused=True)
    adam_d = torch.optim.Adam(d.parameters(), options.rate, (0.5, 0.999), fused=True)

    def draw(count: int) -> np.ndarray:
        g.eval()
        with torch.inference_mode():
            pictures = from_network(g(torch.randn(count, Z, 1, 1)))
        g.train()
        return pictures

    def batch() -> Tensor:
        chosen = dataset.images[np.sort(random.choice(len(dataset), options.batch, replace=False))]
        flip = random.random(options.batch) < 0.5
        chosen[flip] = chosen[flip, :, ::-1]
        return to_network(torch.from_numpy(chosen)).contiguous(memory_format=torch.channels_last)

    images, clock = 0, Clock(options.out, options.minutes, options.marks)
    while not clock.over:
        real, fake = batch(), g(torch.randn(options.batch, Z, 1, 1))
        adam_d.zero_grad()
        (F.softplus(-d(real)).mean() + F.softplus(d(fake.detach())).mean()).backward()
        adam_d.step()
        adam_g.zero_grad()
        F.softplus(-d(fake)).mean().backward()
        adam_g.step()
        images += options.batch
        clock.look(draw, images)


if __name__ == "__main__":
    main()
