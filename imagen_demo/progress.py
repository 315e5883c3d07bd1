"""How long work reports: a callback that gets the fraction done and a short text.

Raising :class:`~imagen_demo.errors.Cancelled` from the callback cancels the work.
"""

from collections.abc import Callable

Progress = Callable[[float, str], None]


def silent(fraction: float, text: str) -> None:
    """The progress of nobody watching."""


def pictures_seen(kimg: float, chinese: bool = False) -> str:
    """A number of pictures, from thousands of them, as people write it.

    >>> pictures_seen(0.2), pictures_seen(2.1), pictures_seen(38.25), pictures_seen(38.25, chinese=True)
    ('200', '2,100', '38.2 k', '3.8 万')
    """
    count = round(kimg * 1000)
    if count < 10_000:
        return str(count) if chinese else f"{count:,}"
    if chinese:
        return f"{count / 10_000:.1f} 万" if count < 1_000_000 else f"{count / 10_000:.0f} 万"
    return f"{count / 1000:.1f} k" if count < 1_000_000 else f"{count / 1_000_000:.2f} million"
