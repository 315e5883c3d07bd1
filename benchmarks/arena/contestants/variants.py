"""What was tried and is not in the code, put on a trainer from outside: so the ablation can be repeated.

``python -m benchmarks.arena.contestants.ours DATASET OUT --variant NAME``; what they came to stands in
``docs/training-recipe.md``.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from imagen_demo.training import step
from imagen_demo.training.trainer import Trainer


def bfloat16(trainer: Trainer) -> None:
    """Mixed precision on the processor, as on a GPU."""
    step.Work.autocast = lambda work, enabled=True: torch.autocast(work.real.device.type, torch.bfloat16, enabled)


def compiled(trainer: Trainer) -> None:
    """``torch.compile`` for both networks; a penalty's second derivatives are beyond it: that step stays as it is."""
    trainer.state.generator.compile()
    discriminator = trainer.state.discriminator
    plain, fast = discriminator.forward, torch.compile(discriminator.forward)
    discriminator.forward = lambda x, *rest: (plain if x.requires_grad and x.is_leaf else fast)(x, *rest)


def finite_differences(trainer: Trainer) -> None:
    """|grad D|^2 by a small step in a random direction, no second derivatives (Lin et al. 2025, approximated R1)."""
    size, verdicts = 0.01, step.verdicts
    seen_last: dict[str, Any] = {}

    def remembering(discriminator: Any, seen: Tensor, labels: Tensor | None) -> Tensor:
        seen_last.update(discriminator=discriminator, labels=labels)
        return verdicts(discriminator, seen, labels)

    def penalty(logits: Tensor, pictures: Tensor) -> Tensor:
        nudged = pictures.detach() + size * torch.randn(pictures.shape, generator=trainer.state.random)
        return ((verdicts(seen_last["discriminator"], nudged, seen_last["labels"]) - logits) / size).square()

    step.verdicts, step.gradient_penalty = remembering, penalty


def falling_rates(trainer: Trainer) -> None:
    """Both learning rates, from 40 % of the run on, along half a cosine to a twentieth (SGDR, 2017); idle machine."""
    optimizers = (trainer.state.optimizer_d, trainer.state.optimizer_g)
    rates = [optimizer.param_groups[0]["lr"] for optimizer in optimizers]
    as_it_is = trainer._step

    def falling() -> None:
        way = max(0.0, (trainer._progress() - 0.4) / 0.6)
        for optimizer, rate in zip(optimizers, rates, strict=True):
            optimizer.param_groups[0]["lr"] = rate * (0.05 + 0.95 * 0.5 * (1 + math.cos(math.pi * way)))
        as_it_is()

    trainer._step = falling


VARIANTS: dict[str, Callable[[Trainer], None]] = {
    "bfloat16": bfloat16,
    "compiled": compiled,
    "finite-differences": finite_differences,
    "falling-rates": falling_rates,
}
