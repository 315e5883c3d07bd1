"""The official R3GAN from a checkout, its networks at the size of ours, for the speed bench.

Its own networks and its own adversarial training (RpGAN + R1 + R2 at every step), bfloat16 stages on a GPU, no
augmentation; only its data loader and its logs are left out, which makes it faster.
"""

from __future__ import annotations

import argparse
import copy
import math
from bisect import bisect_left

import numpy as np

from benchmarks.arena import official
from benchmarks.arena.clock import Contestant, enter, parameters
from imagen_demo.data.pixels import from_network
from imagen_demo.models.registry import build_generator

import torch  # isort: skip

Z = 64
GAMMA, RATE, BETAS = 2.0, 2e-4, (0.0, 0.9)  # of its FFHQ-64 preset at the start
HALF_LIFE = 500_000  # pictures, of the average
GROUP = 8  # channels


class R3gan(Contestant):
    def __init__(self, options: argparse.Namespace) -> None:
        official.enter_checkout(options.checkout, "R3GAN/Networks.py")
        from R3GAN.Trainer import AdversarialTraining
        from training.networks import Discriminator, Generator

        self.same = same = official.same(options)
        model = same.model
        if model.channels != 3:
            raise SystemExit("R3GAN draws RGB pictures only; measure it on a dataset without alpha.")
        (wanted,) = parameters(build_generator(model))

        def build(network: type[torch.nn.Module], unit: int) -> torch.nn.Module:
            return network(**self._shape(unit, network is Generator))

        def size(unit: int) -> int:
            return parameters(build(Generator, unit))[0]

        units = range(GROUP, 800, GROUP)
        above = bisect_left(units, wanted, hi=len(units) - 1, key=size)
        unit = min(units[max(0, above - 1) : above + 1], key=lambda unit: abs(size(unit) - wanted))
        self.g, self.d = (
            build(network, unit).train().requires_grad_(False).to(same.device) for network in (Generator, Discriminator)
        )
        self.ema = copy.deepcopy(self.g).eval()
        self.training = AdversarialTraining(self.g, self.d)
        self.adam_g, self.adam_d = (
            torch.optim.Adam(network.parameters(), RATE, BETAS, eps=1e-8) for network in (self.g, self.d)
        )
        self.parameters = parameters(self.g, self.d)

    def _shape(self, unit: int, generates: bool) -> dict:
        """Its presets in proportion: four stages of twice ``unit`` channels, half as many with each finer one."""
        model = self.same.model
        stages = int(math.log2(model.resolution)) - 1
        widths = [max(GROUP, 2 * unit >> max(0, stage - 3)) // GROUP * GROUP for stage in range(stages)]
        half = list(range(-1, -min(4, stages - 1) - 1, -1)) if self.same.device.type == "cuda" else []
        shape = {
            "WidthPerStage": widths, "CardinalityPerStage": [width // GROUP for width in widths],
            "BlocksPerStage": [2] * stages, "ExpansionFactor": 2,
            "c_dim": model.num_classes, "img_resolution": model.resolution, "FP16Stages": half,
        }  # fmt: skip
        if model.num_classes:
            shape["ConditionEmbeddingDimension"] = Z if generates else widths[0]
        if generates:
            return {**shape, "NoiseDimension": Z}
        turned = {key: shape[key][::-1] for key in ("WidthPerStage", "CardinalityPerStage", "BlocksPerStage")}
        return {**shape, **turned, "FP16Stages": [stage + len(half) for stage in half]}

    def step(self) -> int:
        batch = self.same.config.batch
        for network, adam in ((self.d, self.adam_d), (self.g, self.adam_g)):
            real, labels = self.same.real(), self.same.classes(batch)
            z = torch.randn(batch, Z, device=self.same.device)
            adam.zero_grad(set_to_none=True)
            network.requires_grad_(True)
            if network is self.d:
                self.training.AccumulateDiscriminatorGradients(z, real, labels, GAMMA)
            else:
                self.training.AccumulateGeneratorGradients(z, real, labels)
            network.requires_grad_(False)
            adam.step()
        official.average(self.ema, self.g, batch, HALF_LIFE)
        return batch

    @torch.no_grad()
    def draw(self, count: int) -> np.ndarray:
        z = torch.randn(count, Z, device=self.same.device)
        return from_network(self.ema(z, self.same.classes(count)))


if __name__ == "__main__":
    enter(R3gan, official.parser())
