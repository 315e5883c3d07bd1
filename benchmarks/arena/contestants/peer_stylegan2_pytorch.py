"""stylegan2-pytorch 1.9.0, with its own trainer and the settings of its command line.

Apart from the picture size and transparency, which are the data's, every setting is the default of
``stylegan2_pytorch.cli``: batch 5, gathered 6 times, network capacity 16, no augmentation. Its sample grids are
left out, so that all of its time is training.

Its averaged generator starts after 20,000 steps; until then it is a copy of the raw one that is up to 1,000 steps
old. Handed in is the better of the two that it shows: the raw network until then, the averaged one after. Its grids
are truncated (0.75); here nobody's pictures are.
"""

from __future__ import annotations

import argparse
import tempfile

import numpy as np
import torch

from benchmarks.arena import foreign
from benchmarks.arena.clock import Contestant, enter, parameters

with foreign.imports():
    from stylegan2_pytorch.stylegan2_pytorch import NanException, Trainer, image_noise

AVERAGED_FROM = 20_000  # steps


class Quiet(Trainer):
    """Paints no sample grids; checkpoints stay, because it goes back to them after a NaN."""

    def evaluate(self, num: int = 0, trunc: float = 1.0) -> None:
        pass


class Stylegan2Pytorch(Contestant):
    cycle = 4  # steps between two gradient penalties

    def __init__(self, options: argparse.Namespace) -> None:
        foreign.prepare(options.threads, options.seed)
        size, transparent = foreign.describe(options.png)
        self.scratch = tempfile.TemporaryDirectory(prefix="arena-")
        self.trainer = Quiet(
            base_dir=self.scratch.name, image_size=size, transparent=transparent,
            batch_size=5, gradient_accumulate_every=6, ttur_mult=1.5,
        )  # fmt: skip
        self.trainer.set_data_src(str(options.png))
        self.trainer.init_GAN()
        self.gan = gan = self.trainer.GAN
        self.parameters = parameters(torch.nn.ModuleList([gan.S, gan.G]), gan.D)

    def step(self) -> int:
        foreign.patiently(self.trainer.train, NanException)
        return self.trainer.batch_size * self.trainer.gradient_accumulate_every

    @torch.no_grad()
    def draw(self, count: int) -> np.ndarray:
        gan = self.gan
        gan.eval()  # ``train`` puts it back
        averaged = self.trainer.steps > AVERAGED_FROM
        style, synthesis = (gan.SE, gan.GE) if averaged else (gan.S, gan.G)
        w = style(torch.randn(count, gan.G.latent_dim).cuda())
        layers = w[:, None].expand(-1, gan.G.num_layers, -1)
        return foreign.pictures(synthesis(layers, image_noise(count, gan.G.image_size, device=0)))


if __name__ == "__main__":
    enter(Stylegan2Pytorch)
