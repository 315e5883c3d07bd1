"""Watches the curves: notices trouble, and says in one sentence what is happening."""

from __future__ import annotations

import math
from typing import Any

Sentence = tuple[str, dict[str, Any]]  # (English template, values)

COLLAPSE_RATIO = 0.05  # generated pictures vary less than this part of what the real ones do
GENTLER = {"learning_rate": 0.5, "gamma": 4.0}  # factors for the one second chance


def trouble(row: dict[str, float], diversity_ratio: float, kimg: float) -> Sentence | None:
    """Why the run cannot go on like this, if so.

    Args:
        row: the tick's metrics.
        diversity_ratio: variety of the sample grid over that of as many real pictures.
        kimg: a network that has seen less than 5 is not judged for collapse.
    """
    if not all(math.isfinite(row[key]) for key in ("loss_g", "loss_d", "grad_norm_g", "grad_norm_d")):
        return "The losses stopped being numbers.", {}
    if kimg > 5 and diversity_ratio < COLLAPSE_RATIO:
        return "The pictures have collapsed: they all look the same.", {}
    return None


def advise(row: dict[str, float], previous_p: float) -> Sentence | None:
    """One sentence about a healthy run, when something worth knowing changed."""
    for threshold in (0.1, 0.3, 0.6):
        if previous_p < threshold <= row["augment_p"]:
            return (
                "The discriminator begins to memorise the pictures; augmentation was raised to {p:.0%}. "
                "More pictures would help.",
                {"p": row["augment_p"]},
            )
    return None
