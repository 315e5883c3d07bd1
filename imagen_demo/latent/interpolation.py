"""Ways between latent codes, and when to be where."""

from __future__ import annotations

import torch
from torch import Tensor

EASINGS = ("linear", "smooth", "cubic")
SPACES = ("w", "z")


def ease(t: float, kind: str) -> float:
    """[0, 1] -> [0, 1]: linear; smooth, 3t^2 - 2t^3 (smoothstep); cubic, ease-in-out (4t^3, mirrored)."""
    if kind == "smooth":
        return t * t * (3 - 2 * t)
    if kind == "cubic":
        return 4 * t**3 if t < 0.5 else 1 - 4 * (1 - t) ** 3
    return t


def lerp(a: Tensor, b: Tensor, t: float) -> Tensor:
    """a + t (b - a), exact at both ends."""
    return torch.lerp(a, b, t)


def slerp(a: Tensor, b: Tensor, t: float) -> Tensor:
    """Along the great circle from a to b, [N, D] each (Shoemake 1985); lengths change linearly.

    sin((1 - t) o) / sin(o) a/|a| + sin(t o) / sin(o) b/|b|, with o the angle between them.
    Nearly (anti)parallel codes have no single great circle and go straight.
    """
    if t in (0, 1):
        return b if t else a
    length_a, length_b = a.norm(dim=1, keepdim=True), b.norm(dim=1, keepdim=True)
    unit_a, unit_b = a / length_a, b / length_b
    angle = (unit_a * unit_b).sum(dim=1, keepdim=True).clamp(-1, 1).acos()
    sine = angle.sin()
    unit = (((1 - t) * angle).sin() * unit_a + (t * angle).sin() * unit_b) / sine
    return torch.where(sine < 1e-4, lerp(a, b, t), unit * lerp(length_a, length_b, t))


def path(keyframes: int, frames: int, easing: str = "linear", loop: bool = False) -> list[tuple[int, int, float]]:
    """Where each frame lies: ``(from, to, t)``, keyframe indices and the eased way between them, 0 <= t < 1.

    An open path starts on the first keyframe and ends on the last. A loop comes back to the first
    without showing it twice. In whole numbers, so that a frame that falls on a keyframe has t = 0.
    """
    segments = keyframes if loop else keyframes - 1
    steps = max(1, frames if loop else frames - 1)
    places = []
    for frame in range(frames):
        segment, rest = divmod(frame * segments, steps)
        places.append((segment % keyframes, (segment + 1) % keyframes, ease(rest / steps, easing)))
    return places
