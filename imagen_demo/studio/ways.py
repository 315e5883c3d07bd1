"""Where a film goes: from a timeline to the final w of every layer, at any place on the way."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

import torch
from torch import Tensor

from imagen_demo.latent import interpolation, space
from imagen_demo.latent.interpolation import lerp, slerp
from imagen_demo.latent.space import Code
from imagen_demo.models.folder import Model
from imagen_demo.studio.recipes import Recipe, Studio
from imagen_demo.studio.timeline import Timeline

Classes = tuple[tuple[int | None, float], ...]


class Way(Protocol):
    """A way through w in segments; a walk has no last one."""

    def at(self, segment: int, u: float) -> Tensor:
        """The final ws [1, num_ws, w_dim] at the part ``u``, 0 to 1, of a segment; exactly the keyframe's at 0."""


@dataclass(frozen=True)
class Keyframe:
    """What of a recipe moves along the way. Layers from ``split`` on are ruled by ``fine``, if it is there."""

    final: Tensor  # [1, num_ws, w_dim]
    code: Code
    z: Tensor  # [1, z_dim], of the blended seeds
    fine: Tensor | None
    split: int
    classes: Classes
    rest: Tensor  # the code's ws, less the w of z and fine: 0 for seeds that are not blended


@torch.inference_mode()
def keyframe(studio: Studio, model: Model, recipe: Recipe) -> Keyframe:
    """A recipe's codes."""
    code = studio.code(recipe, model)
    z_dim = model.info.config.z_dim
    z = space.seeds_to_z(recipe.seeds, z_dim)
    fine = space.seeds_to_z(recipe.fine_seeds, z_dim) if recipe.fine_seeds else None
    ws = _mapped(model, z, fine, recipe.split, recipe.classes)
    return Keyframe(code.final(), code, z, fine, recipe.split, recipe.classes, code.ws - ws)


def _mapped(model: Model, z: Tensor, fine: Tensor | None, split: int, classes: Classes) -> Tensor:
    """ws [1, num_ws, w_dim] before truncation, the classes blended in w."""

    def w(code: Tensor) -> Tensor:
        return space.blend([(space.z_to_w(model, code, label), weight) for label, weight in classes])

    ws = w(z).unsqueeze(1).repeat(1, model.generator.num_ws, 1)
    if fine is not None and split < model.generator.num_ws:
        ws[:, split:] = w(fine)
    return ws


@torch.inference_mode()
def moved(model: Model, start: Keyframe, z: Tensor) -> Tensor:
    """The keyframe's final ws with another ``z`` in place of its own; all else, fine layers too, as it was."""
    ws = _mapped(model, z, start.fine, start.split, start.classes) + start.rest
    return Code(ws, start.code.centres, start.code.psis, start.code.offset).final()


def of_kind(model: Model, z: Tensor, like: Tensor) -> Tensor:
    """``z`` [1, z_dim], but of the kind that the z ``like`` is of: between kinds there is no way but in w."""
    return torch.cat([like[:, :1], z[:, 1:]], dim=1) if model.info.config.kinds else z


def _fine(of: Keyframe) -> Tensor:
    """The z of the fine layers: its seeds' where it has none of its own."""
    return of.z if of.fine is None else of.fine


@torch.inference_mode()
def between(model: Model, a: Keyframe, b: Keyframe, t: float) -> Tensor:
    """The final ws on the way from a to b along great circles of z, 0 < t < 1; what is not a seed, and from kind to
    kind, goes straight.

    A keyframe without fine seeds of its own has its seeds there: they turn into the other's fine seeds on
    the layers that those rule.
    """
    z, fine = slerp(a.z, b.z, t), None
    if a.fine is not None or b.fine is not None:
        fine = slerp(_fine(a), _fine(b), t)
    ends = []
    for end in (a, b):
        split = end.split if end.fine is not None else (b if end is a else a).split
        own_fine = None if fine is None else of_kind(model, fine, _fine(end))
        ends.append((of_kind(model, z, end.z), own_fine, split, end.classes))
    ws = _mapped(model, *ends[0])
    if model.info.config.kinds or ends[0][2:] != ends[1][2:]:
        ws = lerp(ws, _mapped(model, *ends[1]), t)
    psis = tuple(first + t * (second - first) for first, second in zip(a.code.psis, b.code.psis, strict=True))
    centres = lerp(a.code.centres, b.code.centres, t)
    return Code(ws + lerp(a.rest, b.rest, t), centres, psis, lerp(a.code.offset, b.code.offset, t)).final()


@dataclass(frozen=True)
class Between:
    """From keyframe to keyframe, each pair on its own: "w" straight, "z" along great circles."""

    model: Model
    keyframes: list[Keyframe]
    kind: str

    def at(self, segment: int, u: float) -> Tensor:
        a, b = self.keyframes[segment], self.keyframes[(segment + 1) % len(self.keyframes)]
        if u in (0, 1):
            return b.final if u else a.final
        return lerp(a.final, b.final, u) if self.kind == "w" else between(self.model, a, b, u)


@dataclass(frozen=True)
class NoiseLoop:
    """A closed circle in z that starts and ends at the keyframe, and stays of its kind."""

    model: Model
    start: Keyframe
    circle: interpolation.Circle

    def at(self, segment: int, u: float) -> Tensor:
        z = of_kind(self.model, self.circle.at(u), self.start.z)
        return self.start.final if u in (0, 1) else moved(self.model, self.start, z)


@dataclass(frozen=True)
class Walk:
    """Smoothly from one random code to the next, for ever; segment n goes from the nth to the one after it."""

    place: Callable[[int], Tensor]  # the final ws of the nth, 0 the keyframe

    def at(self, segment: int, u: float) -> Tensor:
        points = (self.place(max(0, segment + n)) for n in range(-1, 3))
        return interpolation.catmull_rom(*points, u)


def way_of(studio: Studio, model: Model, timeline: Timeline) -> Way:
    """The timeline's way.

    Raises:
        UserError: the model lacks what a recipe asks for.
    """
    keyframes = [keyframe(studio, model, recipe) for recipe in timeline.recipes]
    start = keyframes[0]
    if timeline.kind == "loop":
        return NoiseLoop(model, start, interpolation.Circle(start.z, timeline.seed, timeline.radius))
    if timeline.kind == "walk":

        @lru_cache(maxsize=64)
        def place(number: int) -> Tensor:
            if number == 0:
                return start.final
            return moved(model, start, interpolation.stray(start.z, timeline.seed, number, timeline.radius))

        return Walk(place)
    if timeline.kind == "spline":
        return interpolation.Spline([k.final for k in keyframes], timeline.seconds, timeline.closed)
    return Between(model, keyframes, timeline.kind)
