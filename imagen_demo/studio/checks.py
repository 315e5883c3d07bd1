"""The values of a recipe that comes from outside: checked, normalised, written short.

Every function returns the sound value or raises a UserError.
"""

from __future__ import annotations

import math
import re
from typing import Any

from imagen_demo.errors import UserError
from imagen_demo.latent.directions import MAX_DIRECTIONS
from imagen_demo.studio import library
from imagen_demo.workspace import checked_name

MAX_SEED = 2**32 - 1
MAX_SEEDS = 16
MAX_PSI = 2.0
MAX_AMOUNT = 10.0
MAX_WEIGHT = 1000.0
SIZES = (16, 2048)


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
            "A recipe's {name} must be a number from {low} to {high}.",
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
        raise UserError("A recipe's {name} must be a whole number from {low} to {high}.", name=name, low=low, high=high)
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


def _pair_list(value: Any, name: str, limit: int) -> list[tuple[Any, Any]]:
    if not isinstance(value, (list, tuple)) or len(value) > limit:
        raise UserError("A recipe's {name} must be a list of at most {limit} pairs.", name=name, limit=limit)
    if not all(isinstance(pair, (list, tuple)) and len(pair) == 2 for pair in value):
        raise UserError("A recipe's {name} must be a list of at most {limit} pairs.", name=name, limit=limit)
    return [(first, second) for first, second in value]


def seed_list(value: Any) -> tuple[tuple[int, float], ...]:
    """1 to :data:`MAX_SEEDS` pairs ``(seed, weight)``, those of weight 0 left out; a lone seed weighs 1."""
    seeds = [
        (integer(seed, "seed", 0, MAX_SEED), number(weight, "seed weight", 0, MAX_WEIGHT))
        for seed, weight in _pair_list(value, "seeds", MAX_SEEDS)
    ]
    seeds = [(seed, weight) for seed, weight in seeds if weight > 0]
    if not seeds:
        raise UserError("A recipe needs at least one seed with a weight above 0.")
    return tuple(seeds) if len(seeds) > 1 else ((seeds[0][0], 1.0),)


def direction_list(value: Any) -> tuple[tuple[int, float], ...]:
    """Pairs ``(index, amount)`` by index, each index once (the last one given), those of amount 0 left out."""
    amounts: dict[int, float] = {}
    for index, amount in _pair_list(value, "directions", MAX_DIRECTIONS):
        index = integer(index, "direction", 0, MAX_DIRECTIONS - 1)
        amounts[index] = number(amount, "direction amount", -MAX_AMOUNT, MAX_AMOUNT)
    return tuple((index, amount) for index, amount in sorted(amounts.items()) if amount)


def parse_pairs(text: str, mark: str, default: float | None) -> list[tuple[int, float]]:
    """``"1*0.5,2*0.5"`` -> ``[(1, 0.5), (2, 0.5)]``."""
    pairs = []
    for part in text.split(","):
        first, found, second = part.partition(mark)
        if not found and default is None:
            raise ValueError
        pairs.append((int(first), float(second) if found else float(default or 0)))
    return pairs


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
