"""A video is a list of recipes and their timing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from imagen_demo.errors import UserError
from imagen_demo.latent import space
from imagen_demo.latent.interpolation import EASINGS, SPACES, lerp, path, slerp
from imagen_demo.latent.space import Code
from imagen_demo.media.grid import Background, flatten
from imagen_demo.media.video import write_mp4
from imagen_demo.models.folder import Model
from imagen_demo.progress import Progress, silent
from imagen_demo.studio.recipes import Recipe, Studio

MAX_KEYFRAMES = 64
MAX_SECONDS = 600.0


@dataclass(frozen=True)
class Interpolation:
    """A way through several recipes of one model.

    ``seconds`` is the length of the whole, shared equally by the segments. ``space``: "w" goes straight
    between the final w of the keyframes; "z" goes along great circles of z. ``loop`` comes back to the
    first keyframe.

    Raises:
        UserError: fewer than two recipes, several models, or a value outside its range.
    """

    recipes: tuple[Recipe, ...]
    space: str = "w"
    easing: str = "smooth"
    seconds: float = 4.0
    fps: int = 30
    loop: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "recipes", tuple(self.recipes))
        if not 2 <= len(self.recipes) <= MAX_KEYFRAMES:
            raise UserError("An interpolation needs 2 to {most} pictures to go between.", most=MAX_KEYFRAMES)
        if len({recipe.model for recipe in self.recipes}) > 1:
            raise UserError("All pictures of an interpolation must come from one model.")
        if self.space not in SPACES:
            raise UserError("An interpolation's space must be one of {choices}.", choices=", ".join(SPACES))
        if self.easing not in EASINGS:
            raise UserError("An interpolation's easing must be one of {choices}.", choices=", ".join(EASINGS))
        if not 0 < self.seconds <= MAX_SECONDS:
            raise UserError("An interpolation can last up to {most} seconds.", most=int(MAX_SECONDS))
        if not 1 <= self.fps <= 120 or int(self.fps) != self.fps:
            raise UserError("Frames a second must be a whole number from 1 to 120.")

    @property
    def count(self) -> int:
        """How many frames: seconds x fps, at least one a keyframe."""
        return max(len(self.recipes), round(self.seconds * self.fps))


@dataclass(frozen=True)
class _Keyframe:
    """What of a recipe moves along the path."""

    final: Tensor  # [1, num_ws, w_dim]
    code: Code
    z: Tensor  # [1, z_dim], of the blended seeds
    classes: tuple[tuple[int | None, float], ...]
    rest: Tensor  # the code's ws, less the w of z: 0 for one seed that rules all layers


def frames(studio: Studio, interpolation: Interpolation, count: int | None = None) -> Iterator[np.ndarray]:
    """uint8 [H, W, C], one after the other, each drawn when asked for; ``count`` defaults to the whole video.

    A frame that falls on a keyframe (the first does, and on an open path the last) equals the
    keyframe's own picture exactly.

    Raises:
        UserError: as :meth:`Studio.render_array`.
    """
    recipes = interpolation.recipes
    model = [studio.model_for(recipe) for recipe in recipes][-1]
    keyframes = [_keyframe(studio, model, recipe) for recipe in recipes]
    places = path(len(recipes), count or interpolation.count, interpolation.easing, interpolation.loop)
    for start, end, t in places:
        a, b = keyframes[start], keyframes[end]
        w = a.final if t == 0 else _between(model, a, b, t, interpolation.space)
        yield studio.draw(model, w, recipes[0].size)


def filmstrip(studio: Studio, interpolation: Interpolation, count: int = 8) -> Iterator[np.ndarray]:
    """``count`` evenly spaced frames, as :func:`frames`: large ones need not be in memory together."""
    return frames(studio, interpolation, max(2, count))


def write(
    studio: Studio,
    interpolation: Interpolation,
    out: Path,
    progress: Progress = silent,
    size: int | None = None,
    background: Background = "white",
) -> None:
    """The interpolation as MP4, streamed to disk frame by frame; transparent parts show ``background``.

    Raises:
        UserError: as :func:`frames`.
        Cancelled: from ``progress``; no file is left.
    """
    total = interpolation.count

    def flat_frames() -> Iterator[np.ndarray]:
        for done, frame in enumerate(frames(studio, interpolation)):
            progress(done / total, f"{done}/{total} frames")
            yield np.asarray(flatten(Image.fromarray(frame), background)) if frame.shape[2] == 4 else frame
        progress(1.0, f"{total}/{total} frames")

    write_mp4(flat_frames(), out, interpolation.fps, size)


@torch.inference_mode()
def _keyframe(studio: Studio, model: Model, recipe: Recipe) -> _Keyframe:
    code = studio.code(recipe, model)
    z = space.seeds_to_z(recipe.seeds, model.info.config.z_dim)
    rest = code.ws - _z_to_w(model, z, recipe.classes).unsqueeze(1)
    return _Keyframe(code.final(), code, z, recipe.classes, rest)


def _z_to_w(model: Model, z: Tensor, classes: tuple[tuple[int | None, float], ...]) -> Tensor:
    """[1, z_dim] -> [1, w_dim], the classes blended in w."""
    return space.blend([(space.z_to_w(model, z, label), weight) for label, weight in classes])


@torch.inference_mode()
def _between(model: Model, a: _Keyframe, b: _Keyframe, t: float, kind: str) -> Tensor:
    """The final w of every layer on the way from a to b, 0 < t < 1."""
    if kind == "w":
        return lerp(a.final, b.final, t)
    z = slerp(a.z, b.z, t)
    w = _z_to_w(model, z, a.classes)
    if a.classes != b.classes:
        w = lerp(w, _z_to_w(model, z, b.classes), t)
    psis = tuple(first + t * (second - first) for first, second in zip(a.code.psis, b.code.psis, strict=True))
    ws, centres = w.unsqueeze(1) + lerp(a.rest, b.rest, t), lerp(a.code.centres, b.code.centres, t)
    return Code(ws, centres, psis, lerp(a.code.offset, b.code.offset, t)).final()
