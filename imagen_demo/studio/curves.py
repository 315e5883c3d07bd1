"""A run's numbers over time, small enough to send every second without losing a spike."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import numpy as np

from imagen_demo.training.run import Run

Points = tuple[list[float], list[float]]  # kimg, value


def series(rows: Sequence[dict[str, float]], key: str) -> Points:
    """``key`` of every row that has it as a finite number, in order."""
    pairs = [
        (float(row["kimg"]), float(row[key]))
        for row in rows
        if isinstance(row.get(key), (int, float)) and math.isfinite(row[key]) and "kimg" in row
    ]
    return [x for x, _ in pairs], [y for _, y in pairs]


def thin(x: Sequence[float], y: Sequence[float], max_points: int) -> Points:
    """At most ``max_points`` points: the least and the greatest of each bin, so spikes stay. Ends are kept."""
    if len(x) <= max_points:
        return list(x), list(y)
    values, bins = np.asarray(y, np.float64), max(1, (max_points - 2) // 2)
    edges = np.linspace(0, len(values), bins + 1).astype(int)
    keep = {0, len(values) - 1}
    for low, high in itertools.pairwise(edges):
        if high > low:
            keep |= {low + int(values[low:high].argmin()), low + int(values[low:high].argmax())}
    order = sorted(keep)
    return [x[i] for i in order], [y[i] for i in order]


def curve(run: Run, keys: Sequence[str], max_points: int = 500) -> dict[str, Points]:
    """``{key: (kimg, values)}``, at most ``max_points`` points over all keys together."""
    rows = run.metrics()
    each = max(4, max_points // max(1, len(keys)))
    return {key: thin(*series(rows, key), each) for key in keys}
