"""Watches the curves: notices trouble, and says in one sentence what is happening."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

COLLAPSE_RATIO = 0.05  # generated pictures vary less than this part of what the real ones do
COLLAPSE_FROM_KIMG = 5.0  # a younger network is not judged
GENTLER = {"learning_rate": 0.5, "gamma": 4.0}  # factors for the one second chance


class Trouble(NamedTuple):
    """What went wrong, as the sentence for the first time and for the second."""

    second_chance: str
    end: str


BROKEN = Trouble(
    "The losses stopped being numbers. Training went back to {kimg:.1f} kimg and goes on with gentler settings.",
    "The losses stopped being numbers, again after a second start with gentler settings. "
    "Try a lower learning rate or a higher gamma.",
)
COLLAPSED = Trouble(
    "The pictures collapsed: they all look the same. "
    "Training went back to {kimg:.1f} kimg and goes on with gentler settings.",
    "The pictures collapsed and all look the same, again after a second start with gentler settings. "
    "Try more pictures or a higher gamma.",
)
MEMORISING = (
    "The discriminator begins to memorise the pictures; augmentation was raised to {p:.0%}. More pictures would help."
)


def trouble(row: dict[str, float], diversity_ratio: float, kimg: float) -> Trouble | None:
    """Why the run cannot go on like this, if so.

    Args:
        row: the tick's metrics.
        diversity_ratio: variety of the sample grid over that of as many real pictures.
        kimg: thousands of pictures seen.
    """
    if not all(math.isfinite(row[key]) for key in ("loss_g", "loss_d", "grad_norm_g", "grad_norm_d")):
        return BROKEN
    if kimg > COLLAPSE_FROM_KIMG and diversity_ratio < COLLAPSE_RATIO:
        return COLLAPSED
    return None


def advise(row: dict[str, float], previous_p: float) -> tuple[str, dict[str, Any]] | None:
    """(template, values) of one sentence about a healthy run, when something worth knowing changed."""
    for threshold in (0.1, 0.3, 0.6):
        if previous_p < threshold <= row["augment_p"]:
            return MEMORISING, {"p": row["augment_p"]}
    return None
