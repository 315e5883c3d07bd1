"""Ways between latent codes, and when to be where."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

EASINGS = ("linear", "smooth", "cubic")


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


class Spline:
    """The smoothest curve through ``points``: a natural cubic spline, periodic where it is closed.

    Position, velocity and acceleration are continuous; between points i and i + 1, with h the ``lengths[i]`` (time) of
    that segment and M the second derivatives, which solve a linear system (de Boor, A Practical Guide to Splines):

        (1 - u) p_i + u p_i+1 + h^2 / 6 (((1 - u)^3 - (1 - u)) M_i + (u^3 - u) M_i+1)
    """

    def __init__(self, points: Sequence[Tensor], lengths: Sequence[float], closed: bool) -> None:
        """K points of one shape; K lengths above 0 if closed, else K - 1."""
        self._points, self._lengths = list(points), list(lengths)
        count = len(self._points)
        flat = torch.stack([point.flatten() for point in self._points]).double().cpu()
        system, right = torch.eye(count, dtype=torch.float64), torch.zeros_like(flat)
        for i in range(0 if closed else 1, count if closed else count - 1):
            before, after, (left, on) = (i - 1) % count, (i + 1) % count, (self._lengths[i - 1], self._lengths[i])
            system[i] = 0
            for column, value in ((before, left), (i, 2 * (left + on)), (after, on)):
                system[i, column] += value
            right[i] = 6 * ((flat[after] - flat[i]) / on - (flat[i] - flat[before]) / left)
        solved = torch.linalg.solve(system, right)
        self._bends = [m.reshape(p.shape).to(p) for m, p in zip(solved, self._points, strict=True)]

    def at(self, segment: int, u: float) -> Tensor:
        """The point at the part ``u``, 0 to 1, of a segment; exact at both ends."""
        end = (segment + 1) % len(self._points)
        a, b, h = self._points[segment], self._points[end], self._lengths[segment]
        if u in (0, 1):
            return b if u else a
        bend = ((1 - u) ** 3 - (1 - u)) * self._bends[segment] + (u**3 - u) * self._bends[end]
        return lerp(a, b, u) + h * h / 6 * bend


def catmull_rom(p0: Tensor, p1: Tensor, p2: Tensor, p3: Tensor, u: float) -> Tensor:
    """From p1 to p2, as smooth as its neighbours p0 and p3 ask for (Catmull and Rom 1974).

    A spline that needs no more than the next two points: for walks without an end.
    """
    if u in (0, 1):
        return p2 if u else p1
    return p1 + u / 2 * ((p2 - p0) + u * (2 * p0 - 5 * p1 + 4 * p2 - p3 + u * (3 * (p1 - p2) + p3 - p0)))


class Circle:
    """A closed circle on the sphere of z that starts and ends at ``start`` [1, D].

    ``radius`` 0 to 1: the far side of the circle is so many times 90 degrees away; two seeds are about 90
    degrees apart. ``seed`` chooses in which of all directions the circle lies.
    """

    def __init__(self, start: Tensor, seed: int, radius: float) -> None:
        self._start = start
        self._length = float(start.norm())
        unit = (start / self._length).double().cpu()
        first, second = _across(unit, seed, 2)
        angle = radius * math.pi / 4
        self._centre = math.cos(angle) * unit + math.sin(angle) * first
        self._to_start, self._aside = unit - math.cos(angle) * self._centre, math.sin(angle) * second
        self._height = math.cos(angle)

    def at(self, turn: float) -> Tensor:
        """The code after the part ``turn`` of a full turn."""
        if turn % 1 == 0:
            return self._start
        angle = 2 * math.pi * turn
        unit = self._height * self._centre + math.cos(angle) * self._to_start + math.sin(angle) * self._aside
        return (self._length * unit).to(self._start)


def stray(start: Tensor, seed: int, number: int, radius: float) -> Tensor:
    """Where a random walk from ``start`` [1, D] is after ``number`` stretches: as long, ``radius`` x 90 degrees away.

    Radius 1 gives codes as different from the start, and from each other, as other seeds are.
    """
    length = float(start.norm())
    unit = (start / length).double().cpu()
    (aside,) = _across(unit, (seed, number), 1)
    angle = radius * math.pi / 2
    return (length * (math.cos(angle) * unit + math.sin(angle) * aside)).to(start)


def _across(unit: Tensor, seed: int | tuple[int, int], count: int) -> list[Tensor]:
    """``count`` random unit vectors [1, D], at right angles to ``unit`` and to each other (Gram-Schmidt)."""
    random, found = np.random.RandomState(seed), [unit]
    for _ in range(count):
        vector = torch.from_numpy(random.randn(*unit.shape))
        for other in found:
            vector = vector - (vector * other).sum() * other
        found.append(vector / vector.norm().clamp(min=1e-12))
    return found[1:]
