"""What was tried and is not in the code, and what is in it taken out, from outside: so the ablation can be repeated.

``python -m benchmarks.arena.contestants.ours DATASET OUT --variant NAME``; what they came to stands in
``docs/ablations.md`` and ``docs/speed.md``.
"""

from __future__ import annotations

import contextlib
import copy
import itertools
import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from imagen_demo.config import ModelConfig
from imagen_demo.models import style
from imagen_demo.models.layers import ACTIVATION_GAIN, Conv, Linear, activate, second_moment_norm, upsample
from imagen_demo.training import step
from imagen_demo.training.trainer import Trainer


def bfloat16(trainer: Trainer) -> None:
    """Mixed precision on the processor, as on a GPU."""
    step.autocast = lambda seen: torch.autocast(seen.device.type, torch.bfloat16)


def single_precision(trainer: Trainer) -> None:
    """No bf16 on a GPU."""
    step.autocast = lambda seen: torch.autocast(seen.device.type, torch.bfloat16, enabled=False)


def slow_penalty(trainer: Trainer) -> None:
    """The penalty's second derivatives as PyTorch takes them."""
    step.twice_differentiable = contextlib.nullcontext


def one_by_one(trainer: Trainer) -> None:
    """A GPU's operations started one by one, no CUDA graphs: also where a variant changes what a graph would keep."""
    trainer.state.graphs = None


def pooled(trainer: Trainer) -> None:
    """Halving by a mean pool instead of bilinear interpolation."""
    style.downsample = lambda x: nn.functional.avg_pool2d(x, 2)


def compiled(trainer: Trainer) -> None:
    """``torch.compile`` for both networks; a penalty's second derivatives are beyond it: that step stays as it is."""
    trainer.state.generator.compile()
    discriminator = trainer.state.discriminator
    plain, fast = discriminator.forward, torch.compile(discriminator.forward)
    discriminator.forward = lambda x, *rest: (plain if x.requires_grad and x.is_leaf else fast)(x, *rest)


def finite_differences(trainer: Trainer) -> None:
    """|grad D|^2 by a small step in a random direction, no second derivatives (Lin et al. 2025, approximated R1)."""
    one_by_one(trainer)
    size, verdicts = 0.01, step.verdicts
    seen_last: dict[str, Any] = {}

    def remembering(discriminator: Any, seen: Tensor, labels: Tensor | None) -> Tensor:
        seen_last.update(discriminator=discriminator, labels=labels)
        return verdicts(discriminator, seen, labels)

    def penalty(logits: Tensor, pictures: Tensor) -> Tensor:
        nudged = pictures.detach() + size * torch.randn(
            pictures.shape, generator=trainer.state.random, device=pictures.device
        )
        return ((verdicts(seen_last["discriminator"], nudged, seen_last["labels"]) - logits) / size).square()

    step.verdicts, step.gradient_penalty = remembering, penalty


def falling_rates(trainer: Trainer) -> None:
    """Both learning rates, from 40 % of the run on, along half a cosine to a twentieth (SGDR, 2017); idle machine."""
    one_by_one(trainer)
    optimizers = (trainer.state.optimizer_d, trainer.state.optimizer_g)
    rates = [optimizer.param_groups[0]["lr"] for optimizer in optimizers]
    as_it_is = trainer._step

    def falling() -> None:
        way = max(0.0, (trainer._progress() - 0.4) / 0.6)
        for optimizer, rate in zip(optimizers, rates, strict=True):
            optimizer.param_groups[0]["lr"] = rate * (0.05 + 0.95 * 0.5 * (1 + math.cos(math.pi * way)))
        as_it_is()

    trainer._step = falling


def fading_noise(trainer: Trainer) -> None:
    """Noise while shapes are found, from 20 to 60 % of the run less and less of it, and then none."""
    one_by_one(trainer)
    as_it_is, fields = trainer._step, style.StyleGenerator._fields
    share = 1.0

    def fading() -> None:
        nonlocal share
        share = min(1.0, max(0.0, (0.6 - trainer._progress()) / 0.4))
        as_it_is()

    trainer._step = fading
    style.StyleGenerator._fields = lambda network, noise: [share * field for field in fields(network, noise)]


def slow_noise(trainer: Trainer, share: float = 0.1) -> None:
    """The strengths of noise learn at a tenth of the generator's rate."""
    one_by_one(trainer)
    state = trainer.state
    group, named = state.optimizer_g.param_groups[0], dict(state.generator.named_parameters())
    slow = [p for name, p in named.items() if "noise_strength" in name]
    others = [p for name, p in named.items() if "noise_strength" not in name]
    groups = [{"params": others}, {"params": slow, "lr": share * group["lr"]}]
    state.optimizer_g = torch.optim.Adam(groups, group["lr"], group["betas"], fused=True)


def balance(trainer: Trainer, target: float = 0.3, speed: float = 1.7, low: float = 0.5, high: float = 4.0) -> None:
    """The generator's rate follows who is ahead: it rises while the discriminator's loss is below ``target``.

    d log(rate) / d kimg = ``speed`` (target - loss), within ``low`` to ``high`` of the discriminator's rate.
    """
    one_by_one(trainer)
    as_it_is, group = trainer._step, trainer.state.optimizer_g.param_groups[0]
    rate_d = trainer.state.optimizer_d.param_groups[0]["lr"]

    def balanced() -> None:
        as_it_is()
        ahead = target - float(trainer.window.results[-1].loss_d)
        rate = group["lr"] / rate_d * math.exp(speed * ahead * trainer.config.batch / 1000)
        group["lr"] = rate_d * min(high, max(low, rate))
        if trainer.state.counters.step % 500 == 0:
            print(f"{trainer.state.counters.kimg:.0f} kimg: rate {rate:.2f}", flush=True)

    trainer._step = balanced


def unclamped(trainer: Trainer) -> None:
    """The discriminator sees generated values outside [-1, 1] as they are."""
    step.Shown.apply = staticmethod(lambda x: x)


def within_alpha(trainer: Trainer) -> None:
    """No premultiplied colour that the discriminator sees is more than its alpha."""
    draw = step.Work.draw

    def visible(work: step.Work, *rest: Any, **named: Any) -> Tensor:
        x = draw(work, *rest, **named)
        return x if x.shape[1] != 4 else torch.cat([torch.minimum(x[:, :3], x[:, 3:]), x[:, 3:]], dim=1)

    step.Work.draw = visible


def momentum(trainer: Trainer) -> None:
    """Adam's beta_1 of the article and of DCGAN, 0.5, instead of none."""
    for optimizer in (trainer.state.optimizer_d, trainer.state.optimizer_g):
        optimizer.param_groups[0]["betas"] = (0.5, 0.99)


def no_minibatch_std(trainer: Trainer) -> None:
    """The discriminator is not told how much a group of pictures varies (R3GAN left it out)."""
    layer = trainer.state.discriminator.minibatch_std
    layer.forward = lambda x: torch.cat([x, torch.zeros_like(x[:, :1])], dim=1)


def last_picture(trainer: Trainer) -> None:
    """The picture is what the finest block paints, not a sum over all sizes (StyleGAN, fig. 7a of StyleGAN2)."""
    as_it_is = style.Block.forward
    style.Block.forward = lambda block, x, picture, *rest: as_it_is(block, x, torch.zeros_like(picture), *rest)


def stale_reals(trainer: Trainer) -> None:
    """The generator's loss takes the real pictures' logits from the discriminator's step: one pass less."""
    judge, latest = step.discriminator_update, {}

    def remembering(work: step.Work) -> dict[str, Tensor]:
        found = judge(work)
        latest["real"] = found["real"]
        return found

    def teach(work: step.Work) -> dict[str, Tensor]:
        state, noise = work.state, work.noise
        state.discriminator.requires_grad_(False)
        state.optimizer_g.zero_grad()
        fake = step.apply(work.draw(work.labels, noise, graph=True), noise.again)
        work.drawn = None
        loss = work.objective.generator(latest["real"], state.discriminator(fake, work.labels).float())
        loss.backward()
        found = {"loss": loss.detach(), "grad_norm": step._summed({}, state.generator)["grad_norm"]}
        state.optimizer_g.step()
        return found

    step.discriminator_update, step.generator_update = remembering, teach


def blurred(trainer: Trainer) -> None:
    """The discriminator goes down by StyleGAN2's [1 3 3 1] filter instead of the mean of 2 x 2."""
    line = torch.tensor([1.0, 3.0, 3.0, 1.0]) / 8

    def down(x: Tensor) -> Tensor:
        kernel = torch.outer(line, line).expand(x.shape[1], 1, 4, 4).to(x)
        return nn.functional.conv2d(x, kernel, stride=2, padding=1, groups=x.shape[1])

    style.downsample = down


def narrow_discriminator(trainer: Trainer, width: int = 384) -> None:
    """The discriminator is 384 wide, however wide the generator is."""
    one_by_one(trainer)
    state = trainer.state
    torch.manual_seed(trainer.config.seed)
    narrower = style.StyleDiscriminator(style.widened(trainer.model, width))
    state.discriminator = narrower.to(trainer.device, memory_format=torch.channels_last)
    group = state.optimizer_d.param_groups[0]
    state.optimizer_d = torch.optim.Adam(state.discriminator.parameters(), group["lr"], group["betas"], fused=True)


class ResidualGenerator(nn.Module):
    """z -> picture without styles: residual blocks that start as the identity, after R3GAN (2024); with our noise."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        sides = [style.START, *style.levels(config)]
        sizes = [style.channels_at(config, side) for side in sides]
        self.noise_sides = sides[1:] if config.noise else []
        self.noise_size = sum(side**2 for side in self.noise_sides)
        self.register_buffer("noise", torch.randn(1, max(1, self.noise_size)))
        self.embed = style.embedding(config.num_classes, config.z_dim) if config.num_classes else None
        inputs = config.z_dim * (2 if config.num_classes else 1)
        self.basis = Linear(inputs, sizes[0] * style.START**2, gain=1.0)
        self.changes = nn.ModuleList(Conv(a, b, 1, bias=False) for a, b in itertools.pairwise(sizes))
        self.first = nn.ModuleList(Conv(size, size, 3, gain=ACTIVATION_GAIN) for size in sizes)
        self.second = nn.ModuleList(Conv(size, size, 3, gain=ACTIVATION_GAIN) for size in sizes)
        for layer in self.second:
            nn.init.zeros_(layer.weight)
        self.strength = nn.Parameter(torch.zeros(len(sides)))
        self.to_picture = Conv(sizes[-1], config.channels, 1)

    def mapping(self, z: Tensor, labels: Tensor | None = None) -> Tensor:
        return z

    def forward(self, z: Tensor, labels: Tensor | None = None, noise: Tensor | None = None) -> Tensor:
        x = second_moment_norm(z)
        if self.embed is not None:
            x = torch.cat([x, second_moment_norm(self.embed(labels))], dim=1)
        x = self.basis(x).view(len(z), -1, style.START, style.START)
        x = x.contiguous(memory_format=torch.channels_last)
        parts = (self.noise if noise is None else noise).split([side**2 for side in self.noise_sides] or 1, dim=1)
        for i, (first, second) in enumerate(zip(self.first, self.second, strict=True)):
            if i:
                x = upsample(self.changes[i - 1](x))
                if self.noise_sides:
                    side = self.noise_sides[i - 1]
                    x = x + self.strength[i] * parts[i - 1].view(-1, 1, side, side)
            x = x + second(activate(first(activate(x))))
        return self.to_picture(activate(x))


def residual_generator(trainer: Trainer) -> None:
    """A modern residual generator instead of the modulated one; of pictures without classes with ``--set kinds=0``."""
    one_by_one(trainer)
    state, config = trainer.state, trainer.config
    torch.manual_seed(config.seed)
    state.generator = ResidualGenerator(trainer.model).to(trainer.device, memory_format=torch.channels_last)
    state.ema = copy.deepcopy(state.generator).eval().requires_grad_(False)
    group = state.optimizer_g.param_groups[0]
    state.optimizer_g = torch.optim.Adam(state.generator.parameters(), group["lr"], group["betas"], fused=True)


VARIANTS: dict[str, Callable[[Trainer], None]] = {
    "bfloat16": bfloat16,
    "single-precision": single_precision,
    "slow-penalty": slow_penalty,
    "one-by-one": one_by_one,
    "pooled": pooled,
    "compiled": compiled,
    "finite-differences": finite_differences,
    "falling-rates": falling_rates,
    "fading-noise": fading_noise,
    "slow-noise": slow_noise,
    "balance": balance,
    "unclamped": unclamped,
    "within-alpha": within_alpha,
    "momentum": momentum,
    "no-minibatch-std": no_minibatch_std,
    "last-picture": last_picture,
    "stale-reals": stale_reals,
    "blurred": blurred,
    "narrow-discriminator": narrow_discriminator,
    "residual-generator": residual_generator,
}
