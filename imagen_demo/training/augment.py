"""Differentiable augmentation of what the discriminator sees, and how strong it should be.

Applied to real and generated pictures alike, with a probability below one for each kind, it
hides the pictures' identity from the discriminator without leaking into the generator
(Karras et al. 2020, "Training GANs with limited data"; kinds after its figure 4 and after
Zhao et al. 2020).
"""

from __future__ import annotations

import functools
import math
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

P_MAX = 0.8  # beyond it augmentations begin to leak into the generated pictures (ADA, section 2.2)
MEMORY = 0.02  # weight of the newest logits in the controller's running means
MOST_DOUBT = 0.6  # of the gap between learned and generated pictures: more would hide what is known by heart


class Plan(NamedTuple):
    """What will happen to each of N pictures: drawn for a whole batch, so that its parts can be done apart."""

    affine: Tensor  # [N, 2, 3], see affine_matrices
    colour: Tensor  # [N, 3, 4], see colour_matrices
    boxes: Tensor  # [N, 3], see cutout_boxes

    def part(self, which: slice) -> Plan:
        return Plan(*(values[which] for values in self))

    def split(self, count: int) -> list[Plan]:
        """Plans for ``count`` pictures each."""
        return [Plan(*values) for values in zip(*(value.split(count) for value in self), strict=True)]


def plan(n: int, p: float, device: torch.device, generator: torch.Generator | None = None) -> Plan | None:
    """Chance for ``n`` pictures: each kind of change hits each with probability ``p``, 0 to 1. None: nothing changes.

    ``generator``: source of randomness on ``device``.
    """
    if p <= 0:
        return None
    draws = (affine_matrices, colour_matrices, cutout_boxes)
    return Plan(*(draw(n, p, device, generator) for draw in draws))


def apply(pictures: Tensor, planned: Plan | None) -> Tensor:
    """Change [N, C, H, W] in [-1, 1] as planned; C = 3 RGB or 4 premultiplied RGBA. Gradients flow through."""
    if planned is None:
        return pictures
    return blank(recolour(warp(pictures, planned.affine), planned.colour), planned.boxes)


def _draw(n: int, p: float, kind: str, device: torch.device, generator: torch.Generator | None) -> Tensor:
    """[N] normal or uniform(-1, 1) numbers, set to zero with probability 1 - p."""
    make = torch.randn if kind == "normal" else lambda *a, **k: torch.rand(*a, **k) * 2 - 1
    hit = torch.rand(n, device=device, generator=generator) < p
    return make(n, device=device, generator=generator) * hit


def affine_matrices(n: int, p: float, device: torch.device, generator: torch.Generator | None = None) -> Tensor:
    """[N, 2, 3] maps from output to input coordinates in [-1, 1]: shift, scale, stretch, rotation."""
    draw = lambda kind: _draw(n, p, kind, device, generator)  # noqa: E731
    shift_x, shift_y = draw("uniform") * 0.25, draw("uniform") * 0.25  # up to an eighth of the side
    scale, stretch = torch.exp2(draw("normal") * 0.2), torch.exp2(draw("normal") * 0.15)
    angle = _draw(n, p / 2, "uniform", device, generator) * math.pi / 6  # half as often: upright is information
    cos, sin = torch.cos(angle), torch.sin(angle)
    sx, sy = scale * stretch, scale / stretch
    rows = [torch.stack([cos * sx, -sin * sy, shift_x], dim=1), torch.stack([sin * sx, cos * sy, shift_y], dim=1)]
    return torch.stack(rows, dim=1)


def warp(pictures: Tensor, matrices: Tensor) -> Tensor:
    """Resample [N, C, H, W] along affine [N, 2, 3] maps, bilinear, mirrored beyond the border."""
    grid = F.affine_grid(matrices.to(pictures.dtype), list(pictures.shape), align_corners=False)
    return F.grid_sample(pictures, grid, mode="bilinear", padding_mode="reflection", align_corners=False)


def colour_matrices(n: int, p: float, device: torch.device, generator: torch.Generator | None = None) -> Tensor:
    """[N, 3, 4] maps of (r, g, b, 1) in [0, 1]: contrast, brightness, hue, saturation (ADA, appendix B)."""
    draw = lambda kind: _draw(n, p, kind, device, generator).view(n, 1, 1)  # noqa: E731
    grey, eye, cross = _axes(device)
    contrast, saturation = torch.exp2(draw("normal") * 0.5), torch.exp2(draw("normal") * 0.8)
    angle = draw("uniform") * math.pi
    # Rodrigues' rotation about the luma axis, applied to the coloured part only.
    rotation = torch.cos(angle) * (eye - grey) + torch.sin(angle) * cross
    linear = contrast * (grey + saturation * rotation)
    offset = 0.5 * (1 - contrast) + draw("normal") * 0.1
    return torch.cat([linear, offset.expand(n, 3, 1)], dim=2)


@functools.cache  # a copy to a GPU would wait for what it does
def _axes(device: torch.device) -> tuple[Tensor, Tensor, Tensor]:
    """[3, 3] each: projection onto the luma axis, identity, cross product with the axis."""
    luma = torch.ones(3) / math.sqrt(3)
    cross = torch.tensor([[0.0, -1, 1], [1, 0, -1], [-1, 1, 0]]) / math.sqrt(3)
    return torch.outer(luma, luma).to(device), torch.eye(3, device=device), cross.to(device)


def recolour(pictures: Tensor, matrices: Tensor) -> Tensor:
    """Apply [N, 3, 4] colour maps. With alpha, colours are premultiplied, so alpha takes the place of 1."""
    n, channels, height, width = pictures.shape
    unit = (pictures + 1) / 2
    one = unit[:, 3:] if channels == 4 else torch.ones_like(unit[:, :1])
    homogeneous = torch.cat([unit[:, :3], one], dim=1).flatten(2)
    colours = torch.bmm(matrices.to(unit.dtype), homogeneous).view(n, 3, height, width)
    return torch.cat([colours * 2 - 1, pictures[:, 3:]], dim=1)


def cutout_boxes(n: int, p: float, device: torch.device, generator: torch.Generator | None = None) -> Tensor:
    """[N, 3]: whether a square is blanked (half as often as the rest), and its centre x, y in [0, 1]."""
    hit = torch.rand(n, device=device, generator=generator) < p / 2
    centre = torch.rand(2, n, device=device, generator=generator)
    return torch.stack([hit.float(), *centre], dim=1)


def blank(pictures: Tensor, boxes: Tensor) -> Tensor:
    """Blank a square of half the side where ``boxes`` [N, 3] says so (cutout, Zhao et al. 2020)."""
    height, width = pictures.shape[2:]
    hit, centre_x, centre_y = (value.view(-1, 1, 1) for value in boxes.unbind(dim=1))
    x = (torch.arange(width, device=pictures.device) + 0.5) / width
    y = (torch.arange(height, device=pictures.device) + 0.5) / height
    inside = ((x[None, None, :] - centre_x).abs() < 0.25) & ((y[None, :, None] - centre_y).abs() < 0.25)
    keep = ~(inside & (hit > 0))  # [N, H, W]
    if pictures.shape[1] == 4:  # transparent black
        return (pictures + 1) * keep[:, None] - 1
    return pictures * keep[:, None]


class Controller:
    """Raises p while the discriminator overfits and lowers it otherwise (ADA, section 3).

    Overfitting is the paper's r_v = (E[D(train)] - E[D(validation)]) / (E[D(train)] - E[D(generated)]):
    0 when pictures the discriminator never saw look as real to it as those it learns from, 1 when they
    look generated. Unlike the paper's other measure, r_t, it is not fooled by a generator that is still
    bad, and means the same for losses that fix logits only up to a constant.

    What ``held_out`` pictures can show by chance is no overfitting: two standard errors are taken off.
    Otherwise few of them and a generator that does well raise p, which brings train and generated closer
    together, and chance weighs even more. At most :data:`MOST_DOUBT` of the gap to the generated ones is
    taken off, so that pictures known by heart are seen as such even where few are held out.
    """

    def __init__(self, target: float, held_out: int, speed_kimg: float = 100.0) -> None:
        self.target, self.held_out, self.speed_kimg = target, held_out, speed_kimg
        self.p = 0.0
        self.gap_validation = 0.0  # running mean of D(train) - D(validation), pair by pair,
        self.square_validation = 0.0  # and of its square
        self.gap_generated = 0.0  # running mean of D(train) - D(generated)

    @property
    def overfitting(self) -> float:
        """r_v, 0 to 1, as far as it is sure; 0 before the first update."""
        variance = (self.square_validation - self.gap_validation**2) / 2  # of one logit; two make a difference
        # Of the mean over those held out, which stay the same; what else is chance changes sign soon.
        error = math.sqrt(max(0.0, variance) / max(1, self.held_out))
        sure = self.gap_validation - min(2 * error, MOST_DOUBT * max(0.0, self.gap_generated))
        return min(1.0, max(0.0, sure / max(self.gap_generated, 1e-3)))

    def update(self, behind: float, square: float, ahead: float, paired: float, images: int) -> None:
        """What :func:`gaps` found; ``images`` were trained on since the last call."""
        self.gap_validation += MEMORY * (behind - paired * self.gap_validation)
        self.square_validation += MEMORY * (square - paired * self.square_validation)
        self.gap_generated += MEMORY * (ahead - paired * self.gap_generated)
        if paired:
            step = math.copysign(images / (self.speed_kimg * 1000), self.overfitting - self.target)
            self.p = min(P_MAX, max(0.0, self.p + step))


def gaps(train: Tensor, generated: Tensor, validation: Tensor, paired: Tensor) -> Tensor:
    """[4]: D(train) - D(validation), its square, D(train) - D(generated) and 1 where ``paired``, else 0: the means.

    Args:
        train, generated, validation: logits [N].
        paired: bool [N], whether the three are of the same class. The logits of a class have a level of their own,
            which wanders, and is a multiple of the gaps.
    """
    behind = train - validation
    found = torch.stack([behind, behind.square(), train - generated, torch.ones_like(train)])
    return (found * paired).mean(dim=1)
