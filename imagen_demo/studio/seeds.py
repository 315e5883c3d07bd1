"""Lists of seeds as people write them."""

from __future__ import annotations

import re

from imagen_demo.errors import UserError
from imagen_demo.studio.checks import MAX_SEED

MAX_PICTURES = 400  # at once, on the page


def parse_seeds(text: str, count: int | None = None, most: int = MAX_PICTURES) -> list[int]:
    """``"0-3,7"`` -> [0, 1, 2, 3, 7]; with ``count``, one seed alone is followed by ``count - 1`` more.

    Raises:
        UserError: not seeds, or more than ``most`` of them.
    """
    seeds: list[int] = []
    if len(str(text)) > 12 * most:  # ten digits, a comma and a space each
        raise UserError("That is too many pictures at once; the most is {most}.", most=most)
    for part in re.split(r"[,;，；\s]+", str(text).strip(" ,;，；")):
        match = re.fullmatch(r"(\d{1,20})(?:[-–](\d{1,20}))?", part)
        first = int(match[1]) if match else 0
        last = int(match[2]) if match and match[2] else first
        if not match or last < first:
            raise UserError("{text!r} is not a list of seeds; write 42, or 0-15, or 1,5,9.", text=str(text)[:40])
        if last > MAX_SEED:
            raise UserError("A seed can be at most {most}.", most=MAX_SEED)
        if last - first >= most or len(seeds) > most:
            raise UserError("That is too many pictures at once; the most is {most}.", most=most)
        seeds += range(first, last + 1)
    if len(seeds) == 1 and count is not None:
        seeds = list(range(seeds[0], seeds[0] + count))
    if not 1 <= len(seeds) <= most:
        raise UserError("That is too many pictures at once; the most is {most}.", most=most)
    if seeds[-1] > MAX_SEED:  # of a first one and a count
        raise UserError("A seed can be at most {most}.", most=MAX_SEED)
    return seeds
