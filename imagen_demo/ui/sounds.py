"""The sound files that visitors give: kept in Gradio's own folder by their hash, two days after their last use."""

from __future__ import annotations

import os
import re
import shutil
import threading
from collections import OrderedDict
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
from gradio.utils import get_upload_folder

from imagen_demo.errors import UserError
from imagen_demo.media.audio import MAX_BYTES, Sound, file_hash, read_sound
from imagen_demo.ui import file_jobs, widgets
from imagen_demo.ui.widgets import Payload

KEPT = 16  # sounds whose loudness and beats stay in memory
SHOWN = 240  # values of the loudness that the page draws
_heard: OrderedDict[str, Sound] = OrderedDict()
_lock = threading.Lock()


def keep(uploaded: Any, name: Any) -> Sound:
    """Listen to a file that the page has uploaded, and keep it.

    Raises:
        UserError: the path is not that of an upload, or as :func:`read_sound`.
    """
    path, name = Path(str(uploaded)).resolve(), str(name)[:80]
    if Path(get_upload_folder()).resolve() not in path.parents or not path.is_file():
        raise UserError(widgets.UNREADABLE)
    sound = read_sound(path, name)
    place = _folder(sound.hash) / f"sound{re.sub(r'[^A-Za-z0-9.]', '', path.suffix)[:8]}"
    file_jobs.clear_old(place.parent.parent)
    place.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(path, place)
    return _remember(Sound(place, sound.hash, sound.seconds, sound.loudness, sound.beats))


def find(hash: str) -> Sound | None:
    """The sound of that hash, where a visitor has given it; None where not, or where it was cleared away."""
    if not re.fullmatch(r"[0-9a-f]{16}", hash):
        return None
    if not _folder(hash).is_dir():
        return None
    os.utime(_folder(hash))
    with _lock:
        sound = _heard.get(hash)
    if sound is not None and sound.path.is_file():
        return _remember(sound)
    file = next(iter(sorted(_folder(hash).glob("sound*"))), None)
    if file is None or file.stat().st_size > MAX_BYTES or file_hash(file) != hash:
        return None
    return _remember(read_sound(file))


def facts(sound: Sound) -> Payload:
    """What the page draws and plays."""
    edges = np.linspace(0, len(sound.loudness), min(SHOWN, len(sound.loudness)) + 1).astype(int)
    loudness = np.maximum.reduceat(sound.loudness, edges[:-1])
    return {
        "hash": sound.hash,
        "seconds": sound.seconds,
        "loudness": [round(float(value), 2) for value in loudness],
        "beats": [round(beat, 2) for beat in sound.beats],
        "url": served(sound.path),
    }


def served(file: Path) -> str:
    """The address, from the page, of a file in Gradio's own folder."""
    return f"gradio_api/file={quote(str(file))}"


def _folder(hash: str) -> Path:
    return Path(get_upload_folder()).resolve() / "sounds" / hash


def _remember(sound: Sound) -> Sound:
    with _lock:
        _heard[sound.hash] = sound
        _heard.move_to_end(sound.hash)
        while len(_heard) > KEPT:
            _heard.popitem(last=False)
    return sound
