"""NVIDIA's stylegan2-ada-pytorch from a checkout, its networks at the size of ours, for the speed bench.

Its own networks and loss, its phases in their order and rhythm (path length every 4 steps, R1 every 16), its float16
blocks on a GPU, no augmentation; only its data loader and its logs are left out, which makes it faster.
"""

from __future__ import annotations

import argparse
import copy
from typing import Any

import numpy as np

from benchmarks.arena import official
from benchmarks.arena.clock import Contestant, enter, parameters
from imagen_demo.data.pixels import from_network

import torch  # isort: skip

G_EVERY, D_EVERY = 4, 16  # steps between two regularisations
HALF_LIFE = 10_000  # pictures, of the average


class Stylegan2Ada(Contestant):
    cycle = D_EVERY

    def __init__(self, options: argparse.Namespace) -> None:
        official.enter_checkout(options.checkout, "training/networks.py")
        from training.loss import StyleGAN2Loss
        from training.networks import Discriminator, Generator

        self.same = same = official.same(options)
        model, batch = same.model, same.config.batch
        gpu = same.device.type == "cuda"
        common = {"c_dim": model.num_classes, "img_resolution": model.resolution, "img_channels": model.channels}
        # "Channels at resolution r: min(base / r, max)" means the same there and here.
        width = {"channel_base": model.width, "channel_max": model.max_channels}
        half = {"num_fp16_res": 4, "conv_clamp": 256} if gpu else {"num_fp16_res": 0}
        g = Generator(
            z_dim=model.z_dim, w_dim=model.w_dim, mapping_kwargs={"num_layers": model.mapping_layers},
            synthesis_kwargs={**width, **half}, **common,
        )  # fmt: skip
        d = Discriminator(**width, **half, epilogue_kwargs={"mbstd_group_size": min(batch, 4)}, **common)
        self.g, self.d = (network.train().requires_grad_(False).to(same.device) for network in (g, d))
        self.ema = copy.deepcopy(self.g).eval()
        gamma = 0.0002 * model.resolution**2 / batch  # its heuristic
        self.loss = StyleGAN2Loss(same.device, self.g.mapping, self.g.synthesis, self.d, r1_gamma=gamma)
        self.adam_g, self.adam_d = self._adam(self.g, G_EVERY), self._adam(self.d, D_EVERY)
        self.steps = 0
        self.parameters = parameters(self.g, self.d)

    def _adam(self, network: torch.nn.Module, every: int) -> torch.optim.Adam:
        ratio = every / (every + 1)  # lazy regularisation
        return torch.optim.Adam(network.parameters(), 0.0025 * ratio, (0.0, 0.99**ratio), eps=1e-8)

    def step(self) -> int:
        batch = self.same.config.batch
        real, labels = self.same.real(), self.same.classes(batch)
        phases: list[tuple[str, Any, Any, int]] = [
            ("Gmain", self.g, self.adam_g, 1), ("Greg", self.g, self.adam_g, G_EVERY),
            ("Dmain", self.d, self.adam_d, 1), ("Dreg", self.d, self.adam_d, D_EVERY),
        ]  # fmt: skip
        for phase, network, adam, every in phases:
            if self.steps % every == 0:
                z = torch.randn(batch, self.g.z_dim, device=self.same.device)
                adam.zero_grad(set_to_none=True)
                network.requires_grad_(True)
                self.loss.accumulate_gradients(phase, real, labels, z, self.same.classes(batch), sync=True, gain=every)
                network.requires_grad_(False)
                for weight in network.parameters():
                    if weight.grad is not None:
                        torch.nan_to_num(weight.grad, nan=0, posinf=1e5, neginf=-1e5, out=weight.grad)
                adam.step()
        official.average(self.ema, self.g, batch, HALF_LIFE)
        self.steps += 1
        return batch

    @torch.no_grad()
    def draw(self, count: int) -> np.ndarray:
        z = torch.randn(count, self.g.z_dim, device=self.same.device)
        return from_network(self.ema(z, self.same.classes(count), noise_mode="const"))


if __name__ == "__main__":
    enter(Stylegan2Ada, official.parser())
