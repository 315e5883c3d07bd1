"""How long work reports: a callback that gets the fraction done and a short text.

Raising :class:`~imagen_demo.errors.Cancelled` from the callback cancels the work.
"""

from collections.abc import Callable

Progress = Callable[[float, str], None]


def silent(fraction: float, text: str) -> None:
    """The progress of nobody watching."""
