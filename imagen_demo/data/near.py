"""Pictures that look almost alike."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

MAX_BITS = 4  # of 64 in which two hashes may differ
MAX_LEVELS = 5.0  # mean difference of the pixels, of 255: the hash alone takes all dark pictures for alike
MANY = 100_000  # above, the search (every pair) would take minutes; it is left out
BLOCK = 4096


def near_duplicates(hashes: Sequence[int], pictures: np.ndarray) -> dict[int, int]:
    """Index of each picture that nearly repeats an earlier one -> the index of that one.

    ``hashes`` are 64-bit difference hashes, ``pictures`` uint8 [N, R, R, C] in the same order.
    """
    codes = np.array(hashes, dtype=np.uint64)
    found: dict[int, int] = {}
    if len(codes) > MANY:
        return found
    for start in range(0, len(codes), BLOCK):
        rows = codes[start : start + BLOCK]
        best = np.full(len(rows), MAX_BITS + 1)
        twin = np.zeros(len(rows), dtype=np.int64)
        for other in range(0, start + len(rows), BLOCK // 4):
            columns = codes[other : other + BLOCK // 4]
            bits = np.bitwise_count(rows[:, None] ^ columns[None, :])
            earlier = np.arange(start, start + len(rows))[:, None] > np.arange(other, other + len(columns))[None, :]
            bits = np.where(earlier, bits, 64)
            nearest = bits.argmin(axis=1)
            value = bits[np.arange(len(rows)), nearest]
            better = value < best
            best[better], twin[better] = value[better], other + nearest[better]
        for row in np.flatnonzero(best <= MAX_BITS):
            index, candidate = start + int(row), int(twin[row])
            one, two = (pictures[i, ..., :3].astype(np.int16) for i in (index, candidate))
            difference = np.abs(one - two).mean()
            if difference <= MAX_LEVELS:
                found[index] = candidate
    return found
