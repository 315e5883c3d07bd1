"""The objectives by name, and the gradient penalties.

All work on logits (the discriminator has no sigmoid): D(x) = sigmoid(logit), so
-log D = softplus(-logit) and -log(1 - D) = softplus(logit), exact without overflow.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

Loss = Callable[[Tensor, Tensor], Tensor]  # (real logits [N], fake logits [N]) -> scalar


def nonsaturating_d(real: Tensor, fake: Tensor) -> Tensor:
    """L_D = -E[log D(x)] - E[log(1 - D(G(z)))] (Goodfellow et al. 2014; the article's equation)."""
    return F.softplus(-real).mean() + F.softplus(fake).mean()


def nonsaturating_g(real: Tensor, fake: Tensor) -> Tensor:
    """L_G = -E[log D(G(z))] (Goodfellow et al. 2014; the article's equation)."""
    return F.softplus(-fake).mean()


def hinge_d(real: Tensor, fake: Tensor) -> Tensor:
    """E[max(0, 1 - D(x))] + E[max(0, 1 + D(G(z)))] (Lim & Ye 2017)."""
    return F.relu(1 - real).mean() + F.relu(1 + fake).mean()


def hinge_g(real: Tensor, fake: Tensor) -> Tensor:
    """-E[D(G(z))] (Lim & Ye 2017)."""
    return -fake.mean()


def relativistic_d(real: Tensor, fake: Tensor) -> Tensor:
    """E[log(1 + exp(-(D(x) - D(G(z)))))], real and fake paired (Jolicoeur-Martineau 2018; R3GAN 2024, eq. 2)."""
    return F.softplus(fake - real).mean()


def relativistic_g(real: Tensor, fake: Tensor) -> Tensor:
    """E[log(1 + exp(-(D(G(z)) - D(x))))]: the same game from the other side."""
    return F.softplus(real - fake).mean()


@dataclass(frozen=True)
class Objective:
    """One pair of losses, and what else belongs to it."""

    discriminator: Loss
    generator: Loss
    penalise_fakes: bool  # R2 beside R1
    generator_sees_reals: bool


OBJECTIVES = {
    "nonsaturating": Objective(nonsaturating_d, nonsaturating_g, penalise_fakes=False, generator_sees_reals=False),
    "hinge": Objective(hinge_d, hinge_g, penalise_fakes=False, generator_sees_reals=False),
    "relativistic": Objective(relativistic_d, relativistic_g, penalise_fakes=True, generator_sees_reals=True),
}


def gradient_penalty(logits: Tensor, pictures: Tensor) -> Tensor:
    """|grad_x D(x)|^2 for each picture, [N]: R1 on real, R2 on generated ones (Mescheder et al. 2018).

    ``pictures`` [N, C, H, W] must require a gradient and be what the discriminator saw,
    after augmentation.
    """
    (gradient,) = torch.autograd.grad(logits.sum(), pictures, create_graph=True)
    return gradient.square().sum(dim=(1, 2, 3))
