"""The values of a recipe, map, grid or film that comes from outside: checked, normalised, written short.

A check returns the sound value or raises a UserError; a ``parse_`` function raises a ValueError instead.
"""

from __future__ import annotations

import math
import re
from typing import Any

from imagen_demo.errors import UserError
from imagen_demo.latent.direction_files import ID
from imagen_demo.latent.directions import MAX_DIRECTIONS
from imagen_demo.latent.space import PARTS, layer_range
from imagen_demo.studio import library
from imagen_demo.workspace import checked_name

MAX_TEXT = 10_000  # characters of a recipe that comes from outside
MAX_SEED = 2**32 - 1
MAX_SEEDS = 16
MAX_CLASSES = 16
MAX_LABEL = 9999
MAX_LAYERS = 32
MAX_PSI = 2.0
MAX_AMOUNT = 10.0
MAX_WEIGHT = 1000.0
SIZES = (16, 2048)
CENTRES = ("mean", "nearest")


def number(value: Any, name: str, low: float, high: float) -> float:
    """A finite number from ``low`` to ``high``, as float; texts and booleans are none."""
    try:
        if isinstance(value, (bool, str)):
            raise TypeError
        result = float(value) + 0.0  # + 0.0 turns -0.0 into 0.0
    except (TypeError, ValueError, OverflowError):
        result = math.nan
    if not low <= result <= high:
        raise UserError(
            "The {name} must be a number from {low} to {high}.",
            name=name, low=shortest(low), high=shortest(high),
        )  # fmt: skip
    return result


def integer(value: Any, name: str, low: int, high: int) -> int:
    """A whole number from ``low`` to ``high``, as int; texts and booleans are none."""
    try:
        if isinstance(value, (bool, str)) or int(value) != value:
            raise ValueError
        result = int(value)
    except (TypeError, ValueError, OverflowError):
        result = low - 1
    if not low <= result <= high:
        raise UserError("The {name} must be a whole number from {low} to {high}.", name=name, low=low, high=high)
    return result


def model_name(value: Any) -> str:
    """A library name, or ``run/NAME``."""
    if not isinstance(value, str):
        raise UserError("A recipe's model must be a name.")
    prefix = library.RUN_PREFIX if value.startswith(library.RUN_PREFIX) else ""
    return prefix + checked_name(value.removeprefix(prefix))


def model_hash(value: Any) -> str:
    """12 digits of SHA-256, or "" for none."""
    if not isinstance(value, str) or not re.fullmatch(r"(?:[0-9a-f]{12})?", value):
        raise UserError("A recipe's model hash must have 12 digits, 0 to 9 and a to f.")
    return value


def seed_list(value: Any) -> tuple[tuple[int, float], ...]:
    """1 to :data:`MAX_SEEDS` pairs ``(seed, weight)``, those of weight 0 left out; a lone seed weighs 1."""
    seeds = _weighted(value, "seeds", "seed", MAX_SEEDS, MAX_SEED)
    if not seeds:
        raise UserError("A recipe needs at least one seed with a weight above 0.")
    return seeds


def class_list(value: Any) -> tuple[tuple[int, float], ...]:
    """Up to :data:`MAX_CLASSES` pairs ``(class, weight)``, those of weight 0 left out; a lone class weighs 1."""
    return _weighted(value, "classes", "class", MAX_CLASSES, MAX_LABEL)


def _weighted(value: Any, plural: str, singular: str, limit: int, high: int) -> tuple[tuple[int, float], ...]:
    pairs = value if isinstance(value, (list, tuple)) and len(value) <= limit else [None]
    if not all(isinstance(pair, (list, tuple)) and len(pair) == 2 for pair in pairs):
        raise UserError("A recipe's {name} must be a list of at most {limit} pairs.", name=plural, limit=limit)
    checked = [
        (integer(first, singular, 0, high), number(weight, f"{singular} weight", 0, MAX_WEIGHT))
        for first, weight in pairs
    ]
    heavy = [(first, weight) for first, weight in checked if weight > 0]
    return tuple(heavy) if len(heavy) != 1 else ((heavy[0][0], 1.0),)


def layers_psi(value: Any, psi: float) -> tuple[float, ...]:
    """One truncation for each layer from the first on; those at the end that equal ``psi`` are left out."""
    if not isinstance(value, (list, tuple)) or len(value) > MAX_LAYERS:
        raise UserError("A recipe's psi_layers must be a list of at most {limit} numbers.", limit=MAX_LAYERS)
    psis = [number(each, "psi", -MAX_PSI, MAX_PSI) for each in value]
    while psis and psis[-1] == psi:
        psis.pop()
    return tuple(psis)


def centre(value: Any) -> str:
    """What truncation goes towards: one of :data:`CENTRES`."""
    if value not in CENTRES:
        raise UserError("A recipe's centre must be one of {choices}.", choices=", ".join(CENTRES))
    return value


def direction_list(value: Any) -> tuple[tuple[str, float, str], ...]:
    """``(id, amount, layers)`` in the order of their ids, pc2 before pc10; those of amount 0 left out.

    Pairs ``(id, amount)`` act on the direction's own layers; a number n in place of an id, as earlier versions
    wrote it, means pcN. Of several with the same id and layers the last counts.
    """
    if not isinstance(value, (list, tuple)) or len(value) > MAX_DIRECTIONS:
        raise UserError("A recipe's directions must be a list of at most {limit}.", limit=MAX_DIRECTIONS)
    amounts: dict[tuple[str, str], float] = {}
    for entry in value:
        if not isinstance(entry, (list, tuple)) or len(entry) not in (2, 3):
            raise UserError("Each of a recipe's directions must be an id, an amount and perhaps layers.")
        id, amount, layers = (*entry, "") if len(entry) == 2 else entry
        key = (_direction_id(id), _layers(layers))
        amounts[key] = number(amount, "direction amount", -MAX_AMOUNT, MAX_AMOUNT)
    ordered = sorted(amounts.items(), key=lambda item: (_natural(item[0][0]), item[0][1]))
    return tuple((id, amount, layers) for (id, layers), amount in ordered if amount)


def _direction_id(value: Any) -> str:
    if isinstance(value, (int, float)):
        return f"pc{integer(value, 'direction', 0, MAX_DIRECTIONS - 1)}"
    if not isinstance(value, str) or not ID.fullmatch(value):
        raise UserError("A direction's id has 1 to 32 small letters, digits and '-', a letter first, such as pc0.")
    return value


def _layers(value: Any) -> str:
    """As :func:`space.layer_range` reads it, written in one way; whether the model has them shows later."""
    if not isinstance(value, str) or len(value) > 7:
        raise UserError("A range of layers is written like 2-5, or is one of {choices}.", choices=", ".join(PARTS))
    text = f"{value}-{value}" if value.isascii() and value.isdigit() else value
    layer_range(text, 1000)
    return re.sub(r"\d+", lambda digits: str(int(digits[0])), text)


def _natural(id: str) -> tuple[str, int, str]:
    """Sorts pc2 before pc10."""
    found = re.fullmatch(r"(.*?)(\d{1,9})", id)
    return (found[1], int(found[2]), id) if found else (id, -1, id)


def parse_pairs(text: str) -> list[tuple[int, float]]:
    """``"1*0.5,2"`` -> ``[(1, 0.5), (2, 1.0)]``."""
    pairs = []
    for part in text.split(","):
        first, found, second = part.partition("*")
        pairs.append((int(first), float(second) if found else 1.0))
    return pairs


def parse_directions(text: str) -> list[tuple[str | int, float, str]]:
    """``"pc0:1.5,sf2@2-5:-1"`` -> ``[("pc0", 1.5, ""), ("sf2", -1.0, "2-5")]``; ``"0:1.5"`` has a number for its id."""
    found = []
    for part in text.split(","):
        name, mark, amount = part.rpartition(":")
        if not mark:
            raise ValueError
        id, _, layers = name.partition("@")
        found.append((int(id) if id.isascii() and id.isdigit() else id, float(amount), layers))
    return found


def write_pairs(pairs: tuple[tuple[int, float], ...]) -> str:
    """What :func:`parse_pairs` reads; a lone one without its weight."""
    if len(pairs) == 1:
        return str(pairs[0][0])
    return ",".join(f"{number}*{shortest(weight)}" for number, weight in pairs)


def write_directions(directions: tuple[tuple[str, float, str], ...]) -> str:
    """What :func:`parse_directions` reads."""
    return ",".join(f"{id}{f'@{layers}' if layers else ''}:{shortest(amount)}" for id, amount, layers in directions)


def shortest(value: float) -> str:
    """1.5 -> "1.5", 2.0 -> "2"."""
    return str(int(value)) if float(value).is_integer() else repr(float(value))


def plain(value: Any) -> Any:
    """Whole floats as integers, for the shortest JSON."""
    if isinstance(value, dict):
        return {key: plain(part) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(part) for part in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value
