"""What a studio keeps in memory, and how it sees that a file has changed."""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from pathlib import Path

import numpy as np

Stamp = tuple[int, ...]


def stamp(file: Path) -> Stamp:
    """What changes with a file; () where there is none, as for a moment while it is being replaced."""
    try:
        stat = os.stat(file)
    except FileNotFoundError:
        return ()
    return stat.st_mtime_ns, stat.st_size, stat.st_ino


class PictureCache:
    """The most recently drawn pictures, up to ``limit`` bytes together."""

    def __init__(self, limit: int) -> None:
        self._limit, self._bytes, self._lock = limit, 0, threading.Lock()
        self._pictures: OrderedDict[str, np.ndarray] = OrderedDict()

    def get(self, key: str) -> np.ndarray | None:
        with self._lock:
            if key in self._pictures:
                self._pictures.move_to_end(key)
            return self._pictures.get(key)

    def put(self, key: str, picture: np.ndarray) -> None:
        picture.flags.writeable = False
        with self._lock:
            if key not in self._pictures:
                self._pictures[key] = picture
                self._bytes += picture.nbytes
            while self._bytes > self._limit:
                self._bytes -= self._pictures.popitem(last=False)[1].nbytes
