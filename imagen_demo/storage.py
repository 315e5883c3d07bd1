"""How files reach the disk: written beside, fsynced, renamed.

A kill at any instant leaves the old version or the new one, never a mixture.
"""

from __future__ import annotations

import json
import os
import shutil
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


def fsync_folder(folder: Path) -> None:
    """Make renames inside ``folder`` durable (no effect where folders cannot be opened)."""
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError:  # Windows
        return
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def complete_or_absent(path: Path) -> Iterator[Path]:
    """A place to write beside ``path``: it takes its name when all went well, and is gone when not."""
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}.new")  # threads may write the same file
    try:
        yield temporary
        with open(temporary, "r+b") as file:
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
    fsync_folder(path.parent)


def write_bytes(path: Path, data: bytes) -> None:
    """Replace ``path`` by ``data`` atomically."""
    with complete_or_absent(path) as temporary:
        temporary.write_bytes(data)


def write_json(path: Path, value: Any) -> None:
    """Replace ``path`` by ``value`` as readable JSON, atomically."""
    write_bytes(path, (json.dumps(value, indent=1, ensure_ascii=False) + "\n").encode("utf-8", "replace"))


def read_json(path: Path) -> Any:
    """What :func:`write_json` wrote; raises OSError or ValueError where that is not to be had."""
    return json.loads(path.read_text(encoding="utf-8"))


def replace_folder(folder: Path, fill: Callable[[Path], None]) -> None:
    """Replace a whole folder: ``fill`` writes into a new one, which then takes the name.

    Between the two renames only ``NAME.old`` exists; readers go through
    :func:`current_folder`, which knows that.
    """
    new, old = folder.with_name(folder.name + ".new"), folder.with_name(folder.name + ".old")
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir(parents=True)
    try:
        fill(new)
        for file in new.rglob("*"):
            if file.is_file():
                with open(file, "r+b") as handle:  # Windows writes through no other
                    os.fsync(handle.fileno())
        fsync_folder(new)
    except BaseException:
        shutil.rmtree(new, ignore_errors=True)
        raise
    if folder.exists():
        shutil.rmtree(old, ignore_errors=True)
        os.rename(folder, old)
    os.rename(new, folder)
    fsync_folder(folder.parent)
    shutil.rmtree(old, ignore_errors=True)


def current_folder(folder: Path) -> Path:
    """The folder to read: itself, or the copy an interrupted replacement left behind."""
    old = folder.with_name(folder.name + ".old")
    return old if not folder.exists() and old.exists() else folder
