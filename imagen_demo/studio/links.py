"""A recipe's short form: the part of a link after the question mark.

model=planets & hash=0123456789ab & seed=1*0.5,2*0.5 & fine=7 & split=4 & psi=0.7 & psis=1,1,0.5 & centre=nearest
& class=0 or class=0*0.5,1*0.5 & d=pc0:1.5,sf2@2-5:-1 & noise=3 & size=512
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, quote, urlencode

from imagen_demo.config import DEFAULT_PSI
from imagen_demo.errors import UserError
from imagen_demo.studio import checks

if TYPE_CHECKING:
    from imagen_demo.studio.recipes import Recipe


# The recipe's field for each key, and its value out of the text (ValueError where it is none).
_FIELDS: dict[str, tuple[str, Callable[[str], Any]]] = {
    "model": ("model", str),
    "hash": ("model_hash", str),
    "seed": ("seeds", checks.parse_pairs),
    "fine": ("fine_seeds", checks.parse_pairs),
    "split": ("split", int),
    "psi": ("psi", float),
    "psis": ("psi_layers", lambda text: [float(part) for part in text.split(",")]),
    "centre": ("centre", str),
    "class": ("class_mix", checks.parse_pairs),
    "d": ("directions", checks.parse_directions),
    "noise": ("noise", int),
    "size": ("size", int),
}
KEYS = frozenset(_FIELDS)


def write(recipe: Recipe) -> str:
    """The query; what is at its default is left out, but for the seed."""
    short: dict[str, Any] = {"model": recipe.model, "hash": recipe.model_hash}
    short["seed"] = checks.write_pairs(recipe.seeds)
    short["fine"] = checks.write_pairs(recipe.fine_seeds) if recipe.fine_seeds else ""
    short["split"] = recipe.split or ""
    short["psi"] = checks.shortest(recipe.psi) if recipe.psi != 1 else ""
    short["psis"] = ",".join(checks.shortest(psi) for psi in recipe.psi_layers)
    short["centre"] = recipe.centre if recipe.centre != "mean" else ""
    short["class"] = checks.write_pairs(recipe.class_mix) if recipe.class_mix else recipe.label
    short["d"] = checks.write_directions(recipe.directions)
    short["noise"] = recipe.noise or ""
    short["size"] = recipe.size or ""
    shown = {key: value for key, value in short.items() if value not in ("", None)}
    return urlencode(shown, safe="/:,*@", quote_via=quote)


def alone(text: str) -> str:
    """The query of a link: what stands between the question mark and a ``#``; a query alone stays as it is."""
    text = text.strip()[: checks.MAX_TEXT].partition("#")[0]
    return text.partition("?")[2] if "?" in text else text


def read(query: Mapping[str, str] | str) -> dict[str, Any]:
    """A Recipe's arguments out of a query, alone or in a whole link, or its parsed form; other keys are left alone.

    Raises:
        UserError: no model is named, or values cannot be used; names them all.
    """
    if isinstance(query, str):
        query = dict(parse_qsl(alone(query)))
    values, problems = _parsed(query)
    if problems:
        raise _together(problems)
    if "model" not in values:
        raise UserError("This link names no model.")
    return values


def usable(query: Mapping[str, str]) -> tuple[dict[str, str], UserError | None]:
    """A parsed query without the values that cannot be used, and what is wrong with those."""
    _, problems = _parsed(query)
    return {key: query[key] for key in query if key not in problems}, _together(problems) if problems else None


def _parsed(query: Mapping[str, str]) -> tuple[dict[str, Any], dict[str, UserError]]:
    """The recipe's fields, and by key what is wrong."""
    given = {key: str(query[key])[: checks.MAX_TEXT].strip() for key in query if query[key] not in (None, "")}
    values: dict[str, Any] = {}
    problems: dict[str, UserError] = {}
    for key, (name, parse) in _FIELDS.items():
        if key in given:
            try:
                value = parse(given[key])
                _check(name, value)
                values[name] = value
            except ValueError:
                problems[key] = UserError("The link's {key} cannot be {value!r}.", key=key, value=given[key][:40])
            except UserError as problem:
                problems[key] = problem
    return values, problems


def _together(problems: Mapping[str, UserError]) -> UserError:
    return functools.reduce(lambda first, rest: UserError("{first} {rest}", first=first, rest=rest), problems.values())


def file_name(recipe: Recipe) -> str:
    """What the picture's file is called: ``seed0042.png``, or ``seed0042-1f3a.png`` where the recipe has more in it.

    "More" is whatever a page or command that is only told the seed does not do; the four digits are of a hash of all
    but the model, so that variants of a seed lie side by side.
    """
    from imagen_demo.studio.recipes import Recipe  # it imports this module

    seeds = "-".join(f"{seed:04d}" for seed, _ in recipe.seeds[:3])
    own = dataclasses.replace(recipe, model="any", model_hash="")
    plain = [Recipe("any", seeds=((recipe.seeds[0][0], 1.0),), psi=DEFAULT_PSI, label=label) for label in (None, 0)]
    tag = "" if own in plain else "-" + hashlib.sha256(own.to_json().encode()).hexdigest()[:4]
    return f"seed{seeds}{tag}.png"


def _check(field: str, value: Any) -> None:
    """Raise what a recipe says to this value of one field."""
    from imagen_demo.studio.recipes import Recipe  # it imports this module

    Recipe(**{"model": "any", "seeds": ((0, 1.0),), field: value})
