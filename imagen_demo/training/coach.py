"""Watches the curves: notices trouble, and says in one sentence what is happening."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

# Collapse: variety, as a part of the real pictures', was above the first figure once and is below the second.
# A network that never had any, like the article's in its first minutes, is only young.
VARIED_RATIO = 0.25
COLLAPSE_RATIO = 0.05
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


def trouble(row: dict[str, float], best_diversity: float) -> Trouble | None:
    """Why the run cannot go on like this, if so.

    Args:
        row: the tick's metrics; ``diversity`` is the sample grid's variety over that of as many real pictures.
        best_diversity: the most the run has had before.
    """
    if not all(math.isfinite(row[key]) for key in ("loss_g", "loss_d", "grad_norm_g", "grad_norm_d")):
        return BROKEN
    if best_diversity > VARIED_RATIO and row["diversity"] < COLLAPSE_RATIO:
        return COLLAPSED
    return None


def advise(row: dict[str, float], previous_p: float) -> tuple[str, dict[str, Any]] | None:
    """(template, values) of one sentence about a healthy run, when something worth knowing changed."""
    for threshold in (0.1, 0.3, 0.6):
        if previous_p < threshold <= row["augment_p"]:
            return MEMORISING, {"p": row["augment_p"]}
    return None
