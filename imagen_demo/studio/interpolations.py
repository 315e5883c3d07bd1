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
from imagen_demo.media.grid import Background, flatten
from imagen_demo.media.video import write_film
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
    """What of a recipe moves along the path; all [1, ...]."""

    w: Tensor  # final
    z: Tensor
    label: int | None
    rest: Tensor  # w of several seeds blended, less w of their blended z; 0 for one seed
    centre: Tensor  # of truncation
    psi: float
    offset: Tensor  # of the directions


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
        w = a.w if t == 0 else _between(model, a, b, t, interpolation.space)
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

    write_film(flat_frames(), out, interpolation.fps, size=size)


@torch.inference_mode()
def _keyframe(studio: Studio, model: Model, recipe: Recipe) -> _Keyframe:
    index = space.class_index(model, recipe.label)
    z = space.seeds_to_z(recipe.seeds, model.info.config.z_dim)
    blended = space.seeds_to_w(model, recipe.seeds, recipe.label)
    return _Keyframe(
        w=studio.latent(recipe, model),
        z=z,
        label=recipe.label,
        rest=blended - space.z_to_w(model, z, recipe.label),
        centre=model.w_avg[index : index + 1],
        psi=recipe.psi,
        offset=studio.offset(recipe, model),
    )


@torch.inference_mode()
def _between(model: Model, a: _Keyframe, b: _Keyframe, t: float, kind: str) -> Tensor:
    """The final w on the way from a to b, 0 < t < 1."""
    if kind == "w":
        return lerp(a.w, b.w, t)
    z = slerp(a.z, b.z, t)
    w = space.z_to_w(model, z, a.label)
    if a.label != b.label:
        w = lerp(w, space.z_to_w(model, z, b.label), t)
    w = w + lerp(a.rest, b.rest, t)
    w = space.truncate(w, lerp(a.centre, b.centre, t), a.psi + t * (b.psi - a.psi))
    return w + lerp(a.offset, b.offset, t)
