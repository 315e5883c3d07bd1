"""A direction from examples: across the linear boundary between pictures with something and pictures without it.

As InterFaceGAN (Shen et al. 2020, "Interpreting the Latent Space of GANs for Semantic Face Editing") has it, but by
logistic regression in whitened w, whose penalty keeps few examples from being overfitted, and back in w along
the distribution: with two and two pictures the direction is nearly the difference of their means.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from imagen_demo.errors import UserError
from imagen_demo.latent.space import one_thread
from imagen_demo.latent.whitening import Whitened

PENALTY = 1.0
STEPS = 25  # of Newton's method
SHORTEST, LONGEST = 0.25, 1.5  # bounds of +1, in standard deviations of w along the direction


def boundary(with_: Tensor, without: Tensor, white: Whitened, against: Sequence[Tensor] = ()) -> tuple[Tensor, float]:
    """The unit vector float32 [w_dim] from ``without`` [M, w_dim] to ``with_`` [N, w_dim], and the length of +1.

    +1 goes from the middle between both groups to the middle of ``with_``, but no further than w usually varies:
    few examples are far apart in many ways at once. ``against``: vectors [w_dim] that
    the direction shall be orthogonal to.

    Raises:
        UserError: the groups are the same, or nothing is left beside ``against``.
    """
    with one_thread():
        groups = (with_.double().cpu(), without.double().cpu())
        middle = (groups[0].mean(dim=0) + groups[1].mean(dim=0)) / 2
        apart = groups[0].mean(dim=0) - groups[1].mean(dim=0)
        if float(white.inwards(apart[None]).norm()) < 1e-3:
            raise UserError("The pictures with and without it are the same; choose different ones.")
        normal = logistic(*(white.inwards(group - middle) for group in groups))
        vector = white.outwards(normal)
        length = vector.norm()
        vector = orthogonal(vector, against)
        if float(vector.norm()) < 1e-2 * float(length):
            raise UserError("Nothing is left of this direction beside the others; keep it apart from fewer of them.")
        vector = vector / vector.norm()
        spread = white.spread(vector)
        half = float(apart @ vector) / 2
    return vector.float(), min(LONGEST * spread, max(SHORTEST * spread, half))


def orthogonal(vector: Tensor, against: Sequence[Tensor]) -> Tensor:
    """[D] less its part in the span of ``against``."""
    if not against:
        return vector
    basis = torch.stack([other.to(vector) for other in against], dim=1)
    return vector - basis @ torch.linalg.lstsq(basis, vector[:, None], driver="gelsd").solution[:, 0]


def logistic(with_: Tensor, without: Tensor) -> Tensor:
    """The normal [K] of the boundary between [N, K] and [M, K], float64; both groups count alike, whatever their sizes.

    Minimises mean log(1 + exp(-s)) of each group + PENALTY / (2 (N + M)) |b|^2 by Newton's method.
    """
    x = torch.cat([with_, without])
    x = torch.cat([x, torch.ones(len(x), 1).to(x)], dim=1)  # the last weight is the offset, unpenalised
    sign = torch.cat([torch.ones(len(with_)), -torch.ones(len(without))]).to(x)
    share = torch.cat([torch.full((len(part),), 0.5 / len(part)) for part in (with_, without)]).to(x)
    penalty = torch.full((x.shape[1],), PENALTY / len(x)).to(x)
    penalty[-1] = 1e-6
    weights = torch.zeros(x.shape[1]).to(x)
    for _ in range(STEPS):
        wrong = torch.sigmoid(-sign * (x @ weights))
        gradient = -(x.T @ (share * sign * wrong)) + penalty * weights
        curvature = (x.T * (share * wrong * (1 - wrong))) @ x + torch.diag(penalty)
        step = torch.linalg.solve(curvature, gradient)
        weights = weights - step
        if float(step.norm()) < 1e-9 * float(weights.norm() + 1e-9):
            break
    return weights[:-1]
