"""One training step, as the equations have it."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from imagen_demo.config import TrainConfig
from imagen_demo.data.dataset import Dataset
from imagen_demo.data.pixels import to_network
from imagen_demo.models.layers import GROUP
from imagen_demo.models.registry import Discriminator
from imagen_demo.training.augment import augment
from imagen_demo.training.losses import OBJECTIVES, gradient_penalty
from imagen_demo.training.state import State

HELD_OUT = 1 / 16  # of the pictures, kept from training to see whether the discriminator overfits
HELD_OUT_MOST = 256


class Batches:
    """An endless stream of shuffled pictures; batch ``step`` is a pure function of ``(seed, step)``.

    Nothing needs saving for an exact resume, and the mapped file is never loaded whole.
    With ``hold_out`` some pictures are kept back: :meth:`validation` shows those, ``self[step]`` never.
    """

    def __init__(
        self, dataset: Dataset, batch: int, seed: int, mirror: bool, device: torch.device, hold_out: bool = False
    ) -> None:
        self.dataset, self.batch, self.seed, self.mirror, self.device = dataset, batch, seed, mirror, device
        held = min(HELD_OUT_MOST, math.ceil(len(dataset) * HELD_OUT)) if hold_out else 0
        shuffled = np.random.default_rng((seed, 2)).permutation(len(dataset))
        self.held_out, self.train = np.sort(shuffled[:held]), np.sort(shuffled[held:])
        self._orders: dict[int, np.ndarray] = {}

    def _order(self, epoch: int) -> np.ndarray:
        if epoch not in self._orders:
            self._orders = {e: o for e, o in self._orders.items() if e == epoch - 1}
            self._orders[epoch] = np.random.default_rng((self.seed, epoch)).permutation(self.train)
        return self._orders[epoch]

    def indices(self, step: int) -> np.ndarray:
        """Which pictures step ``step`` sees: int64 [batch]."""
        positions = np.arange(step * self.batch, (step + 1) * self.batch)
        return np.array([self._order(int(p) // len(self.train))[p % len(self.train)] for p in positions])

    def __getitem__(self, step: int) -> tuple[Tensor, Tensor | None]:
        """Pictures [batch, C, H, W] in [-1, 1] and labels int64 [batch] or None, on the device."""
        return self._load(self.indices(step), step)

    def validation(self, step: int) -> tuple[Tensor, Tensor | None]:
        """As many of the pictures held out, in the same form."""
        # In turn, not by chance: a picture twice in one group would look like little variety to MinibatchStd.
        shuffled = np.random.default_rng((self.seed, 3, step)).permutation(self.held_out)
        return self._load(np.resize(shuffled, self.batch), step)

    def _load(self, indices: np.ndarray, step: int) -> tuple[Tensor, Tensor | None]:
        pictures = self.dataset.images[indices]
        if self.mirror:
            flip = np.random.default_rng((self.seed, 1, step)).random(len(indices)) < 0.5
            pictures[flip] = pictures[flip, :, ::-1]
        labels = self.dataset.labels
        labels = None if labels is None else torch.from_numpy(labels[indices].astype(np.int64)).to(self.device)
        images = to_network(torch.from_numpy(pictures).to(self.device, non_blocking=True))
        return images.contiguous(memory_format=torch.channels_last), labels


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


def _norm(parameters: Iterable[nn.Parameter]) -> Tensor:
    return nn.utils.get_total_norm([p.grad for p in parameters if p.grad is not None])


def train_step(state: State, config: TrainConfig, real: Tensor, labels: Tensor | None) -> StepResult:
    """Update the discriminator, then the generator, then the average.

    The generator's pictures are drawn once and serve both updates.
    """
    objective = OBJECTIVES[config.objective]
    generator, discriminator = state.generator, state.discriminator
    count, p = len(real), state.controller.p
    penalise = config.gamma > 0 and state.counters.step % config.penalty_every == 0
    # bf16 where the GPU has it; the penalty's second derivatives want float32.
    autocast = torch.autocast("cuda", torch.bfloat16, enabled=real.is_cuda)

    with autocast:
        z = torch.randn(count, generator.config.z_dim, generator=state.random, device=real.device)
        fake = generator(z, labels).float()

    # Discriminator.
    discriminator.requires_grad_(True)
    state.optimizer_d.zero_grad()
    seen = augment(torch.cat([real, fake.detach()]), p, state.random).requires_grad_(penalise)
    with torch.autocast("cuda", torch.bfloat16, enabled=real.is_cuda and not penalise):
        logits = verdicts(discriminator, seen, labels)
    real_logits, fake_logits = logits[:count], logits[count:]
    loss_d = objective.discriminator(real_logits, fake_logits)
    r1 = r2 = None
    total = loss_d
    if penalise:
        penalty = gradient_penalty(logits, seen)
        r1, r2 = penalty[:count].mean(), penalty[count:].mean()
        # Taken every so many steps, it weighs as many times more (lazy regularisation, StyleGAN2).
        total = loss_d + config.penalty_every * config.gamma / 2 * (r1 + r2 if objective.penalise_fakes else r1)
    total.backward()
    grad_norm_d = _norm(discriminator.parameters())
    state.optimizer_d.step()

    # Generator, against the discriminator just improved.
    discriminator.requires_grad_(False)
    state.optimizer_g.zero_grad()
    with autocast:
        with torch.no_grad():
            real_again = discriminator(seen[:count].detach(), labels) if objective.generator_sees_reals else real_logits
        fake_again = discriminator(augment(fake, p, state.random), labels)
        loss_g = objective.generator(real_again.float(), fake_again.float())
    loss_g.backward()
    grad_norm_g = _norm(generator.parameters())
    state.optimizer_g.step()

    update_average(state, config, count)
    state.counters.step += 1
    state.counters.images += count
    return StepResult(
        *(t.detach() for t in (loss_g, loss_d, real_logits, fake_logits, grad_norm_g, grad_norm_d)),
        r1=r1 if r1 is None else r1.detach(),
        r2=r2 if r2 is None else r2.detach(),
    )


@torch.no_grad()
def judge(state: State, pictures: Tensor, labels: Tensor | None) -> Tensor:
    """Logits [N] of pictures the discriminator does not train on, augmented as those it does."""
    return state.discriminator(augment(pictures, state.controller.p, state.random), labels).float()


def verdicts(discriminator: Discriminator, seen: Tensor, labels: Tensor | None) -> Tensor:
    """Logits [2 N] of as many real as generated pictures; in one pass, where that mixes no group of MinibatchStd."""
    count = len(seen) // 2
    if count % GROUP == 0:
        return discriminator(seen, None if labels is None else torch.cat([labels, labels])).float()
    return torch.cat([discriminator(half, labels) for half in seen.split(count)]).float()


@torch.no_grad()
def update_average(state: State, config: TrainConfig, count: int) -> None:
    """ema = lerp(generator, ema, 0.5^(count / half-life)); early on the half-life is a tenth of what was seen."""
    half_life = max(1.0, min(config.ema_half_life_kimg * 1000, 0.1 * state.counters.images))
    keep = math.pow(0.5, count / half_life)
    torch._foreach_lerp_(list(state.ema.parameters()), list(state.generator.parameters()), 1 - keep)
