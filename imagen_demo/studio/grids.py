"""Grids: one recipe, with two of its parameters varied across X and Y.

A grid is described as completely as a picture is: the base recipe and its two axes. That description lies in the PNG
file it is saved as, beside the recipe of the picture in the middle.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from imagen_demo.errors import UserError
from imagen_demo.studio import checks
from imagen_demo.studio.checks import CENTRES, shortest
from imagen_demo.studio.recipes import Recipe
from imagen_demo.studio.seeds import parse_seeds

MOST_VALUES = 32  # of one axis
MOST_CELLS = 400
MOST_TEXT = 20_000  # characters of a grid that comes from outside
DIRECTION = "d:"  # d:pc0, or d:pc0@2-5 in some layers only
# What may vary, in the order in which it is applied; all but directions.
NAMES = {
    "seed": "Seed",
    "seed2": "Second seed",
    "share": "Share of the second seed",
    "fine": "Fine seed",
    "split": "First fine layer",
    "psi": "Truncation ψ",
    "centre": "Truncation towards",
    "class": "Class",
}
WHOLE = {"seed", "seed2", "fine", "split", "centre", "class"}


@dataclass(frozen=True)
class Axis:
    """One parameter, a name of :data:`NAMES` or ``d:ID``, and the values it takes; "centre" by number in CENTRES.

    Raises:
        UserError: no such parameter, or no values that it could take.
    """

    parameter: str
    values: tuple[float, ...]

    def __post_init__(self) -> None:
        name = self.parameter if isinstance(self.parameter, str) else ""
        if name.startswith(DIRECTION):
            checks.direction_list([_direction(name, 1.0)])
        elif name not in NAMES:
            raise UserError("{name!r} is not something a grid can vary.", name=str(self.parameter)[:40])
        if not isinstance(self.values, (list, tuple)) or not 1 <= len(self.values) <= MOST_VALUES:
            raise UserError("An axis of a grid has 1 to {most} values.", most=MOST_VALUES)
        sound = [
            checks.integer(value, name, 0, checks.MAX_SEED)
            if name in WHOLE
            else checks.number(value, name, -checks.MAX_AMOUNT, checks.MAX_AMOUNT)
            for value in self.values
        ]
        object.__setattr__(self, "values", tuple(sound))

    def plain(self) -> dict[str, Any]:
        return {"parameter": self.parameter, "values": checks.plain(list(self.values))}


@dataclass(frozen=True)
class Grid:
    """``base`` with ``x`` varied from left to right and ``y``, if there is one, from top to bottom.

    Raises:
        UserError: too many pictures, twice the same parameter, or one that makes no sense for this base.
    """

    base: Recipe
    x: Axis
    y: Axis | None = None

    def __post_init__(self) -> None:
        if self.y and self.x.parameter == self.y.parameter:
            raise UserError("Across and down must vary two different things.")
        if len(self.x.values) * len(self.y.values if self.y else (0,)) > MOST_CELLS:
            raise UserError("That is too many pictures at once; the most is {most}.", most=MOST_CELLS)
        self.rows  # noqa: B018 - every cell must be a sound recipe

    @property
    def rows(self) -> list[list[Recipe]]:
        """The recipes, row by row."""
        return [
            [self._cell([(self.x, x), *([(self.y, y)] if self.y else [])]) for x in self.x.values]
            for y in (self.y.values if self.y else (0.0,))
        ]

    def _cell(self, choices: list[tuple[Axis, float]]) -> Recipe:
        # In one order whichever is across: the share of a second seed needs to know which that is.
        recipe, order = self.base, [*NAMES, *(axis.parameter for axis, _ in choices)]
        for axis, value in sorted(choices, key=lambda choice: order.index(choice[0].parameter)):
            recipe = varied(recipe, axis.parameter, value)
        return recipe

    @property
    def middle(self) -> Recipe:
        """The recipe of the picture in the middle."""
        rows = self.rows
        return rows[len(rows) // 2][len(rows[0]) // 2]

    def to_json(self) -> str:
        """Canonical, as :meth:`Recipe.to_json`."""
        raw = {"base": json.loads(self.base.to_json()), "x": self.x.plain(), "y": self.y.plain() if self.y else None}
        return json.dumps(raw, sort_keys=True, separators=(",", ":"), ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> Grid:
        """Read :meth:`to_json`'s text, from anyone; raises UserError where it makes no grid."""
        try:
            raw = json.loads(text) if isinstance(text, str) and len(text) <= MOST_TEXT else None
            base, axes = json.dumps(raw["base"]), (raw["x"], raw.get("y"))
            x, y = (Axis(axis["parameter"], axis["values"]) if axis else None for axis in axes)
        except (ValueError, RecursionError, TypeError, KeyError, AttributeError):
            raise UserError("This is not a grid of Imagen Demo.") from None
        if x is None:
            raise UserError("This is not a grid of Imagen Demo.")
        return cls(Recipe.from_json(base), x, y)


# -- what varying means --------------------------------------------------------------------------------------------


def varied(recipe: Recipe, parameter: str, value: float) -> Recipe:
    """The recipe with one parameter at ``value``. Raises UserError where the recipe has no such parameter."""
    if parameter.startswith(DIRECTION):
        return replace(recipe, directions=(*recipe.directions, _direction(parameter, value)))  # the last one counts
    return replace(recipe, **_CHANGES[parameter](recipe, value))


def _direction(parameter: str, amount: float) -> tuple[str, float, str]:
    """``d:pc0@2-5`` as a recipe's direction."""
    id, _, layers = parameter.removeprefix(DIRECTION).partition("@")
    return id, amount, layers


def _second(recipe: Recipe, seed: float) -> dict[str, Any]:
    first, rest = recipe.seeds[0], recipe.seeds[1:]
    return {"seeds": (first, (int(seed), rest[0][1] if rest else first[1]), *rest[1:])}


def _share(recipe: Recipe, share: float) -> dict[str, Any]:
    if len(recipe.seeds) != 2:
        raise UserError("The share of the second seed needs a picture of two seeds.")
    checks.number(share, "share", 0, 1)
    return {"seeds": ((recipe.seeds[0][0], 1 - share), (recipe.seeds[1][0], share))}


def _split(recipe: Recipe, split: float) -> dict[str, Any]:
    if not recipe.fine_seeds:
        raise UserError("The first fine layer can only vary where there is a fine seed.")
    return {"split": int(split)}


def _centre(recipe: Recipe, index: float) -> dict[str, Any]:
    return {"centre": CENTRES[checks.integer(index, "centre", 0, len(CENTRES) - 1)]}


_CHANGES: dict[str, Callable[[Recipe, float], dict[str, Any]]] = {
    "seed": lambda recipe, value: {"seeds": ((int(value), recipe.seeds[0][1]), *recipe.seeds[1:])},
    "seed2": _second,
    "share": _share,
    "fine": lambda recipe, value: {"fine_seeds": ((int(value), 1.0),)},
    "split": _split,
    "psi": lambda recipe, value: {"psi": value, "psi_layers": ()},
    "centre": _centre,
    "class": lambda recipe, value: {"label": int(value), "class_mix": ()},
}


# -- words for people ----------------------------------------------------------------------------------------------


def spoken(parameter: str, value: float, classes: list[str], words: Mapping[str, str]) -> str:
    """A value as a label says it: ``+1.5``, ``50%``, the name of a class. ``words`` may translate."""
    if parameter.startswith(DIRECTION):
        return f"{value:+g}" if value else "0"
    if parameter == "share":
        return f"{100 * value:g}%"
    if parameter == "class" and int(value) < len(classes):
        return classes[int(value)]
    if parameter == "centre":
        return words.get(CENTRES[int(value)], CENTRES[int(value)])
    return shortest(value)


def parse_axis(text: str, classes: list[str]) -> Axis:
    """``"psi=0..1:5"`` (five steps), ``"seed=0-3,7"``, ``"class=cat,dog"``, ``"pc0=-3..3:7"``, ``"share=0,0.5,1"``.

    Raises:
        UserError: it is no such thing.
    """
    name, mark, values = (part.strip() for part in text.partition("="))
    parameter = name if name in NAMES or name.startswith(DIRECTION) else DIRECTION + name
    try:
        if not mark:
            raise ValueError
        if parameter in ("seed", "seed2", "fine"):
            return Axis(parameter, tuple(parse_seeds(values, most=MOST_VALUES)))
        if parameter == "class" and not classes:
            raise UserError("This model has no classes.")
        if parameter == "class":
            return Axis(parameter, tuple(_index(part.strip(), classes) for part in values.split(",")))
        if parameter == "centre":
            return Axis(parameter, tuple(_index(part.strip(), list(CENTRES)) for part in values.split(",")))
        low, ranged, rest = values.partition("..")
        if not ranged:
            return Axis(parameter, tuple(float(part) for part in values.split(",")))
        high, _, count = rest.partition(":")
        return Axis(parameter, steps(float(low), float(high), int(count or 5), parameter in WHOLE))
    except ValueError:
        raise UserError(
            "{text!r} is not an axis; write psi=0..1:5, or seed=0-3, or pc0=-3..3:7.", text=text[:40]
        ) from None


def _index(text: str, names: list[str]) -> int:
    return names.index(text) if text in names else int(text)


def steps(low: float, high: float, count: int, whole: bool = False) -> tuple[float, ...]:
    """``count`` evenly spaced values, both ends included; whole numbers each once."""
    if not 1 <= count <= MOST_VALUES:
        raise UserError("An axis of a grid has 1 to {most} values.", most=MOST_VALUES)
    values = [round(low + (high - low) * step / max(1, count - 1), 6) for step in range(count)]
    return tuple(dict.fromkeys(round(value) for value in values)) if whole else tuple(values)
