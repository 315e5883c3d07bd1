"""One training step, as the equations have it."""

from __future__ import annotations

import contextlib
import functools
import itertools
import math
from collections import defaultdict
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from imagen_demo.config import TrainConfig
from imagen_demo.models.layers import GROUP, twice_differentiable
from imagen_demo.models.registry import Discriminator
from imagen_demo.training.augment import Plan, apply, plan
from imagen_demo.training.distributed import ALONE, Team
from imagen_demo.training.losses import OBJECTIVES, Objective, gradient_penalty
from imagen_demo.training.memory import Notify, fitting_memory, fitting_size, ignore
from imagen_demo.training.state import State

STEP, VALIDATION = 0, 1  # what a step's random numbers are for


@dataclass
class StepResult:
    """Scalars of one step, still tensors: reading them would wait for a GPU."""

    loss_g: Tensor
    loss_d: Tensor
    real: Tensor  # logits [N]
    fake: Tensor
    grad_norm_g: Tensor
    grad_norm_d: Tensor
    r1: Tensor | None = None  # mean squared gradients, where this step took the penalty
    r2: Tensor | None = None


@dataclass
class Noise:
    """All the chance of one step. Each tensor's first dimension is the batch, so a part of it can be done alone."""

    z: Tensor  # [N, z_dim]
    detail: Tensor  # [N, noise_size]
    real: Plan | None  # how the real pictures are augmented,
    fake: Plan | None  # the generated ones,
    again: Plan | None  # and the same ones when the generator learns

    def part(self, which: slice) -> Noise:
        plans = (self.real, self.fake, self.again)
        return Noise(
            self.z[which], self.detail[which], *(None if drawn is None else drawn.part(which) for drawn in plans)
        )


def seed_random(state: State, config: TrainConfig, purpose: int) -> None:
    """Make the coming random numbers a pure function of the seed and the step, whoever draws them."""
    words = np.random.SeedSequence((config.seed, state.counters.step, purpose)).generate_state(1, np.uint64)
    state.random.manual_seed(int(words[0]))


def draw_noise(state: State, config: TrainConfig, count: int, device: torch.device) -> Noise:
    """The chance of the next step for a batch of ``count``."""
    seed_random(state, config, STEP)
    sizes = (state.generator.config.z_dim, state.generator.noise_size)
    z, detail = (torch.randn(count, size, generator=state.random, device=device) for size in sizes)
    drawn = plan(3 * count, state.controller.p, device, state.random)  # at once: a third of the operations
    plans = (None,) * 3 if drawn is None else drawn.split(count)
    return Noise(z, detail, *plans)


def train_step(
    state: State, config: TrainConfig, real: Tensor, labels: Tensor | None, team: Team = ALONE, notify: Notify = ignore
) -> StepResult:
    """Update the discriminator, then the generator, then the average.

    Args:
        real: this process's share of the batch, [N, C, H, W] in [-1, 1].
        labels: int64 [N] or None.
        team: the processes that train together; their gradients are averaged.
        notify: called with the new size when the memory was full and the micro-batch made smaller.

    Raises:
        UserError: the memory does not even hold the smallest micro-batch.
    """
    count = len(real)
    noise = draw_noise(state, config, count * team.size, real.device).part(team.share(count * team.size))
    work = Work(state, config, OBJECTIVES[config.objective], real, labels, noise, team)
    update = functools.partial(update_both, notify=notify)
    found = state.graphs(update, work) if state.graphs and work.recordable else update(work)
    update_average(state, config, count * team.size)
    state.counters.step += 1
    state.counters.images += count * team.size
    return StepResult(**found)


def update_both(work: Work, notify: Notify = ignore) -> dict[str, Tensor]:
    """The fields of :class:`StepResult`, once the discriminator and then the generator have learned."""
    judged = fitting_memory(discriminator_update, work, notify)
    taught = fitting_memory(generator_update, work, notify)
    return {
        "loss_g": taught["loss"], "grad_norm_g": taught["grad_norm"],
        "loss_d": judged.pop("loss"), "grad_norm_d": judged.pop("grad_norm"), **judged,
    }  # fmt: skip


class Shown(torch.autograd.Function):
    """Clamps to [-1, 1] as for the screen; of values outside, only gradients that lead back inside pass.

    Otherwise a plain background gives every generated picture away: real ones are exactly white there, or exactly
    transparent, generated ones only about so.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return x.clamp(-1, 1)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        return gradient.masked_fill((x > 1) & (gradient < 0) | (x < -1) & (gradient > 0), 0)


@dataclass
class Work:
    """What both updates of one step need."""

    state: State
    config: TrainConfig
    objective: Objective
    real: Tensor
    labels: Tensor | None
    noise: Noise
    team: Team
    drawn: Tensor | None = None  # the generated pictures with their graph, where the batch is done in one piece

    @property
    def size(self) -> int:
        """Pictures of one micro-batch."""
        return fitting_size(self.state.counters.micro_batch or self.config.micro_batch, len(self.real))

    @property
    def recordable(self) -> bool:
        """Whether this process alone does the whole batch at once: only such steps are recorded on a GPU."""
        return self.team.size == 1 and self.size == len(self.real)

    @property
    def penalise(self) -> bool:
        return penalised(self.state, self.config)

    @property
    def kind(self) -> tuple[bool, bool]:
        """Steps of one kind do the same operations."""
        return self.penalise, self.noise.real is None

    def tensors(self) -> list[Tensor]:
        """All that differs from step to step, besides the networks."""
        plans = (self.noise.real, self.noise.fake, self.noise.again)
        drawn = [self.noise.z, self.noise.detail, *itertools.chain.from_iterable(one or () for one in plans)]
        return [self.real, *([] if self.labels is None else [self.labels]), *drawn]

    def parts(self) -> list[tuple[Tensor, Tensor | None, Noise, float]]:
        """(real, labels, noise, weight of its mean) of each micro-batch."""
        count, size = len(self.real), self.size
        cuts = [slice(start, start + size) for start in range(0, count, size)]
        cut_labels = [None if self.labels is None else self.labels[cut] for cut in cuts]
        return [
            (self.real[cut], cut_label, self.noise.part(cut), size / count)
            for cut, cut_label in zip(cuts, cut_labels, strict=True)
        ]

    def draw(self, labels: Tensor | None, noise: Noise, graph: bool) -> Tensor:
        """The generator's pictures, float32 in [-1, 1]; those just drawn, where they are still ``drawn``."""
        if self.drawn is not None:
            return self.drawn
        with autocast(self.real), torch.set_grad_enabled(graph):
            return Shown.apply(self.team.caller(self.state.generator)(noise.z, labels, noise.detail).float())


def discriminator_update(work: Work) -> dict[str, Tensor]:
    """One step of the discriminator over all micro-batches: loss, logits, norm and penalties."""
    state, config, objective = work.state, work.config, work.objective
    discriminator, parts = state.discriminator, work.parts()
    whole = len(parts) == 1  # then the generated pictures are drawn once, with their graph, for both updates
    discriminator.requires_grad_(True)
    state.optimizer_d.zero_grad()
    out: dict[str, list[Tensor]] = defaultdict(list)
    for index, (real, labels, noise, weight) in enumerate(parts):
        count = len(real)
        fake = work.draw(labels, noise, graph=whole)
        work.drawn = fake if whole else None
        seen = torch.cat([apply(real, noise.real), apply(fake.detach(), noise.fake)]).requires_grad_(work.penalise)
        with work.team.syncing(discriminator, index == len(parts) - 1):
            judge = functools.partial(verdicts, work.team.caller(discriminator), seen, labels)
            if work.penalise:  # second derivatives want float32
                with twice_differentiable():
                    logits = judge()
                    penalty = gradient_penalty(logits, seen)
            else:
                with autocast(seen):
                    logits = judge()
            real_logits, fake_logits = logits[:count], logits[count:]
            total = loss = objective.discriminator(real_logits, fake_logits)
            if work.penalise:
                r1, r2 = penalty[:count].mean(), penalty[count:].mean()
                # Taken every so many steps, it weighs as many times more (lazy regularisation, StyleGAN2).
                lazy = config.penalty_every * config.gamma / 2
                total = loss + lazy * (r1 + r2 if objective.penalise_fakes else r1)
                out["r1"].append(r1.detach() * weight)
                out["r2"].append(r2.detach() * weight)
            (total * weight).backward()
        out["loss"].append(loss.detach() * weight)
        out["real"].append(real_logits.detach())
        out["fake"].append(fake_logits.detach())
    found = _summed(out, discriminator)
    state.optimizer_d.step()  # last: whatever fails before it can be done again
    return found


def generator_update(work: Work) -> dict[str, Tensor]:
    """One step of the generator, against the discriminator just improved."""
    state, objective, parts = work.state, work.objective, work.parts()
    state.discriminator.requires_grad_(False)
    state.optimizer_g.zero_grad()
    out: dict[str, list[Tensor]] = defaultdict(list)
    for index, (real, labels, noise, weight) in enumerate(parts):
        with work.team.syncing(state.generator, index == len(parts) - 1):
            fake = work.draw(labels, noise, graph=True)
            work.drawn = None
            with autocast(real):
                real_logits = torch.zeros(len(real), device=real.device)
                if objective.generator_sees_reals:
                    with torch.no_grad():
                        real_logits = state.discriminator(apply(real, noise.real), labels).float()
                fake_logits = state.discriminator(apply(fake, noise.again), labels).float()
                loss = objective.generator(real_logits, fake_logits)
            (loss * weight).backward()
        out["loss"].append(loss.detach() * weight)
    found = _summed(out, state.generator)
    state.optimizer_g.step()
    return found


def _summed(out: dict[str, list[Tensor]], network: nn.Module) -> dict[str, Tensor]:
    """Weighted means added up, logits [N] put together again, and the norm of the network's gradient."""
    whole = {key: torch.cat(values) if values[0].dim() else torch.stack(values).sum() for key, values in out.items()}
    gradients = [p.grad for p in network.parameters() if p.grad is not None]
    return whole | {"grad_norm": nn.utils.get_total_norm(gradients)}


@torch.no_grad()
def validate(state: State, config: TrainConfig, pictures: Tensor, labels: Tensor | None, team: Team = ALONE) -> Tensor:
    """Logits [N] of pictures the discriminator does not train on, augmented as those it does."""
    count = len(pictures) * team.size
    seed_random(state, config, VALIDATION)
    planned = plan(count, state.controller.p, pictures.device, state.random)
    if planned is not None:
        planned = planned.part(team.share(count))
    size = fitting_size(state.counters.micro_batch or config.micro_batch, len(pictures))
    seen = apply(pictures, planned).split(size)
    shares = [None] * len(seen) if labels is None else labels.split(size)
    # With the precision of the logits that these are compared with: those of the step to come.
    with contextlib.nullcontext() if penalised(state, config) else autocast(pictures):
        return torch.cat([state.discriminator(*pair).float() for pair in zip(seen, shares, strict=True)])


def penalised(state: State, config: TrainConfig) -> bool:
    """Whether the next step takes the gradient penalties."""
    return config.gamma > 0 and state.counters.step % config.penalty_every == 0


def autocast(pictures: Tensor) -> torch.autocast:
    """bf16 where their GPU has it: older ones would only emulate it."""
    able = pictures.is_cuda and torch.cuda.is_bf16_supported(including_emulation=False)
    return torch.autocast("cuda", torch.bfloat16, enabled=able)


def verdicts(discriminator: Discriminator, seen: Tensor, labels: Tensor | None) -> Tensor:
    """Logits [2 N] of as many real as generated pictures; in one pass, where that mixes no group of MinibatchStd."""
    count = len(seen) // 2
    if count % GROUP == 0:
        return discriminator(seen, None if labels is None else torch.cat([labels, labels])).float()
    return torch.cat([discriminator(half, labels) for half in seen.split(count)]).float()


@torch.no_grad()
def update_average(state: State, config: TrainConfig, count: int) -> None:
    """ema = lerp(generator, ema, 0.5^(count / half-life)); early on the half-life is a tenth of what was seen.

    The generator's noise is no parameter: both have had the same since the start.
    """
    half_life = max(1.0, min(config.ema_half_life_kimg * 1000, 0.1 * state.counters.images))
    keep = math.pow(0.5, count / half_life)
    torch._foreach_lerp_(list(state.ema.parameters()), list(state.generator.parameters()), 1 - keep)
