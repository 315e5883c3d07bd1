"""lightweight-gan 1.2.1, with its own trainer and the settings of its command line.

Apart from the picture size and transparency, which are the data's, every setting is the default of
``lightweight_gan.cli``: batch 10, gathered 4 times, attention at 32 px, augmentation chosen from the number of
pictures. Its sample grids are left out, so that all of its time is training.

Its averaged generator starts after 20,000 steps; until then it is a copy of the raw one that is up to 1,000 steps
old. Handed in is the better of what its ``generate`` writes: the raw network until then, the averaged one after.
"""

from __future__ import annotations

import argparse
import tempfile

import numpy as np
import torch

from benchmarks.arena import foreign
from benchmarks.arena.clock import Contestant, enter, parameters

with foreign.imports():
    from lightweight_gan.lightweight_gan import NanException, Trainer

AVERAGED_FROM = 20_000  # steps


class Quiet(Trainer):
    """Paints no sample grids; checkpoints stay, because it goes back to them after a NaN."""

    def evaluate(self, num: int = 0, num_image_tiles: int = 4) -> None:
        pass


class LightweightGan(Contestant):
    cycle = 4  # steps between two gradient penalties

    def __init__(self, options: argparse.Namespace) -> None:
        foreign.prepare(options.threads, options.seed)
        size, transparent = foreign.describe(options.png)
        self.scratch = tempfile.TemporaryDirectory(prefix="arena-")
        self.trainer = Quiet(
            base_dir=self.scratch.name, image_size=size, transparent=transparent,
            batch_size=10, gradient_accumulate_every=4, attn_res_layers=[32], disc_output_size=1,
            aug_types=["cutout", "translation"], use_aim=False,
        )  # fmt: skip
        self.trainer.set_data_src(str(options.png))
        self.trainer.init_GAN()
        self.gan = self.trainer.GAN
        self.parameters = parameters(self.gan.G, self.gan.D)

    def step(self) -> int:
        foreign.patiently(self.trainer.train, NanException)
        return self.trainer.batch_size * self.trainer.gradient_accumulate_every

    @torch.no_grad()
    def draw(self, count: int) -> np.ndarray:
        self.gan.eval()  # ``train`` puts it back
        network = self.gan.GE if self.trainer.steps > AVERAGED_FROM else self.gan.G
        return foreign.pictures(network(torch.randn(count, self.gan.latent_dim).cuda()))


if __name__ == "__main__":
    enter(LightweightGan)
