"""A film is a list of recipes and their timing: the timeline, and its short form for links."""

from __future__ import annotations

import base64
import binascii
import json
import math
import re
import zlib
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from PIL import ImageColor

from imagen_demo.errors import UserError
from imagen_demo.latent.interpolation import EASINGS
from imagen_demo.media.formats import LARGEST, TRANSPARENT, known_format
from imagen_demo.media.notes import word_after
from imagen_demo.studio import checks
from imagen_demo.studio.recipes import Recipe

KINDS = ("w", "z", "spline", "loop", "walk")
ALONE = ("loop", "walk")  # ways that start at the first keyframe and need no other
MAX_KEYFRAMES = 64
MAX_SECONDS = 600.0
MAX_LINK = 8_000  # characters
MAX_JSON = 200_000  # characters of a link, unpacked
MADE = "AI-generated film by Imagen Demo"
MARK = f"{MADE}; t="  # in a film's file, before its link
_SHORT = {"kind": "w", "seconds": "s", "easings": "e", "closed": "c", "even": "v", "radius": "r", "seed": "n",
          "speed": "p", "fps": "f", "size": "z", "format": "o", "background": "b", "sound": "a",
          "react": "x"}  # fmt: skip
_IN_LINK = re.compile(r"(?:^|[?&#])t=([^&#]*)")


@dataclass(frozen=True)
class Timeline:
    """A way through pictures of one model, and the film of it. Making one checks and normalises every value.

    ``kind``: "w" straight between the keyframes' final w; "z" along great circles of z; "spline" a smooth curve through
    all of them in w; "loop" a closed circle in z that starts and ends at the first keyframe; "walk" a random
    walk from it. ``seconds`` and ``easings``: of each segment, :meth:`segments` of them; one alone stands for all.
    ``closed`` comes back to the first keyframe. ``even``: the whole way at one speed as it looks, see
    ``studio/pacing.py``; segments then share the time by how much changes in them, and easing has no part.
    ``radius`` and ``seed`` are those of a loop or walk, ``speed`` of a walk: how many other pictures' worth of
    change a second. ``sound``: the hash of a sound file that drives the film, ``react`` how much, 0 to 1.
    ``size``: the film's longest side, None for the model's own, at least 256. ``background``: behind
    transparent pictures, "transparent" for none.

    Raises:
        UserError: too few recipes, several models, or a value outside its range.
    """

    recipes: tuple[Recipe, ...]
    kind: str = "w"
    seconds: tuple[float, ...] = (2.0,)
    easings: tuple[str, ...] = ("smooth",)
    closed: bool = False
    even: bool = False
    radius: float = 0.5
    seed: int = 0
    speed: float = 0.5
    fps: int = 30
    size: int | None = None
    format: str = "mp4"
    background: str = TRANSPARENT
    sound: str = ""
    react: float = 0.7

    def __post_init__(self) -> None:
        recipes, kind = tuple(self.recipes), _choice(self.kind, "kind", KINDS)
        least = 1 if kind in ALONE else 2
        if not least <= len(recipes) <= MAX_KEYFRAMES:
            raise UserError("An interpolation needs {least} to {most} pictures to go between.",
                            least=least, most=MAX_KEYFRAMES)  # fmt: skip
        if len({recipe.model for recipe in recipes}) > 1:
            raise UserError("All pictures of an interpolation must come from one model.")
        object.__setattr__(self, "recipes", recipes)
        object.__setattr__(self, "closed", bool(self.closed) and len(recipes) > 1)
        checked = {
            "seconds": tuple(checks.number(s, "seconds", 0.05, MAX_SECONDS) for s in self._each(self.seconds)),
            "easings": tuple(_choice(e, "easing", EASINGS) for e in self._each(self.easings)),
            "even": bool(self.even),
            "radius": checks.number(self.radius, "radius", 0.01, 1),
            "seed": checks.integer(self.seed, "seed", 0, checks.MAX_SEED),
            "speed": checks.number(self.speed, "speed", 0.01, 5),
            "fps": checks.integer(self.fps, "fps", 1, 120),
            "size": None if self.size is None else checks.integer(self.size, "size", 16, LARGEST),
            "format": known_format(str(self.format)).name,
            "background": _background(self.background),
            "sound": _sound(self.sound),
            "react": checks.number(self.react, "react", 0, 1),
        }
        for name, value in checked.items():
            object.__setattr__(self, name, value)
        if math.fsum(self.seconds) > MAX_SECONDS + 1e-6:
            raise UserError("An interpolation can last up to {most} seconds.", most=int(MAX_SECONDS))

    def _each(self, values: Any) -> tuple[Any, ...]:
        """A value for every segment: one alone stands for all."""
        values = tuple(values) if isinstance(values, (list, tuple)) else (values,)
        if len(values) == 1:
            values *= self.segments
        if len(values) != self.segments:
            raise UserError(
                "This film has {segments} segments and {count} lengths or easings; it needs one for each.",
                segments=self.segments, count=len(values),
            )  # fmt: skip
        return values

    @property
    def segments(self) -> int:
        """How many ways between keyframes there are; a lone keyframe's loop or walk is one."""
        return max(1, len(self.recipes) - (not self.closed))

    @property
    def returns(self) -> bool:
        """Whether the film ends where it began, so that it can play for ever."""
        return self.kind == "loop" or (self.closed and self.kind != "walk")

    @property
    def count(self) -> int:
        """How many frames: seconds x fps, at least one a keyframe."""
        return max(self.segments + 1, round(math.fsum(self.seconds) * self.fps))

    def to_data(self) -> dict[str, Any]:
        """As plain data; defaults are left out. :func:`from_data` reads it."""
        changed = {f.name: getattr(self, f.name) for f in fields(self) if f.name != "recipes"}
        changed = {name: _joined(value) for name, value in changed.items()}
        defaults = {f.name: _joined(f.default) for f in fields(self)}
        kept = {name: checks.plain(value) for name, value in changed.items() if value != defaults[name]}
        return {"recipes": [json.loads(recipe.to_json()) for recipe in self.recipes], **kept}

    def to_link(self) -> str:
        """The ``t`` of a link: canonical JSON, what the recipes share written once, deflated, base64url."""
        data = self.to_data()
        recipes = data.pop("recipes")
        first = recipes[0]
        shared = {key: value for key, value in first.items() if all(r.get(key) == value for r in recipes)}
        own = [{key: value for key, value in recipe.items() if key not in shared} for recipe in recipes]
        short = {_SHORT[name]: value for name, value in data.items()}
        short |= {"m": shared, "k": [_lone_seed(recipe) for recipe in own]}
        text = json.dumps(short, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        packer = zlib.compressobj(9, zlib.DEFLATED, -15)
        packed = packer.compress(text.encode()) + packer.flush()
        return base64.urlsafe_b64encode(packed).decode().rstrip("=")


def from_data(data: Any) -> Timeline:
    """Read :meth:`Timeline.to_data`'s data, from anyone.

    Raises:
        UserError: it is no timeline, or has values that make none.
    """
    if not isinstance(data, dict) or not isinstance(data.get("recipes"), list):
        raise UserError("This is not a film of Imagen Demo.")
    unknown = sorted(data.keys() - {f.name for f in fields(Timeline)})
    if unknown:
        raise UserError("This film has an unknown entry, {key}; a newer version made it.", key=str(unknown[0])[:40])
    if len(data["recipes"]) > MAX_KEYFRAMES:
        raise UserError("An interpolation needs {least} to {most} pictures to go between.", least=1, most=MAX_KEYFRAMES)
    recipes = tuple(r if isinstance(r, Recipe) else Recipe.from_json(json.dumps(r)) for r in data["recipes"])
    return Timeline(**(data | {"recipes": recipes}))


def is_link(text: str) -> bool:
    """Whether the text is ``t=...`` or a link with that in it."""
    return _IN_LINK.search(text.strip()) is not None


def from_link(text: str) -> Timeline:
    """Read :meth:`Timeline.to_link`'s text, from anyone: alone, as ``t=...``, or in a whole link.

    Raises:
        UserError: it is damaged, or no timeline.
    """
    damaged = UserError("This link to a film is damaged; copy all of it.")
    text = str(text).strip()
    text = (match[1] if (match := _IN_LINK.search(text)) else text).rstrip("=")
    if not text or len(text) > MAX_LINK or not re.fullmatch(r"[A-Za-z0-9_-]+", text):
        raise damaged
    try:
        unpacker = zlib.decompressobj(-15)
        raw = unpacker.decompress(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)), MAX_JSON)
        short = json.loads(raw) if unpacker.eof and not unpacker.unused_data else None
    except (binascii.Error, zlib.error, ValueError, RecursionError):
        raise damaged from None
    if not isinstance(short, dict) or not isinstance(short.get("m"), dict) or not isinstance(short.get("k"), list):
        raise damaged
    shared, own = short.pop("m"), short.pop("k")
    own = [{"seeds": [[recipe, 1]]} if isinstance(recipe, int) else recipe for recipe in own]
    recipes = [shared | recipe for recipe in own if isinstance(recipe, dict)]
    names = {key: name for name, key in _SHORT.items()}
    return from_data({"recipes": recipes, **{names.get(key, key): value for key, value in short.items()}})


def from_file(file: Path) -> Timeline | None:
    """The timeline in a film's file of any format, from anyone; None where there is none.

    Raises:
        UserError: as :func:`from_link`, naming the file.
    """
    link = word_after(MARK, file)
    try:
        return from_link(link) if link else None
    except UserError as problem:
        raise UserError("{name} cannot be opened. {problem}", name=file.name, problem=problem) from None


def shared_out(seconds: float, recipes: int, closed: bool) -> float:
    """What each segment gets of a film's length."""
    return seconds / max(1, recipes - (not closed))


def _lone_seed(recipe: dict[str, Any]) -> Any:
    """A recipe's own part that is one seed: the seed alone."""
    seeds = recipe.get("seeds")
    alone = len(recipe) == 1 and seeds is not None and len(seeds) == 1 and seeds[0][1] == 1
    return seeds[0][0] if alone else recipe


def _joined(value: Any) -> Any:
    """A tuple of equal values as one of them."""
    if isinstance(value, tuple):
        return value[0] if len(set(value)) == 1 else list(value)
    return value


def _choice(value: Any, name: str, choices: tuple[str, ...]) -> str:
    if value not in choices:
        raise UserError("A film's {name} must be one of {choices}.", name=name, choices=", ".join(choices))
    return value


def _background(value: Any) -> str:
    """A sound one is "transparent", "checkerboard", or a colour as Pillow knows it."""
    if value not in (TRANSPARENT, "checkerboard"):
        try:
            ImageColor.getrgb(str(value)[:40])
        except ValueError:
            raise UserError("{value!r} is no colour for a background; write white, or #336699.",
                            value=str(value)[:40]) from None  # fmt: skip
    return str(value)


def _sound(value: Any) -> str:
    if not isinstance(value, str) or not re.fullmatch(r"(?:[0-9a-f]{16})?", value):
        raise UserError("A film's sound must be named by 16 digits, 0 to 9 and a to f.")
    return value
