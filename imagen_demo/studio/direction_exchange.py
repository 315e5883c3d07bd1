"""Directions as a file that goes from one person to another; and the ids of those that people make.

The file is one safetensors file: ``vectors`` [K, w_dim], ``scales`` [K], and in the header for which weights they
are, their ids and layers, their names and measures. Nothing in it is ever executed.
"""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open

from imagen_demo.errors import UserError
from imagen_demo.latent.direction_files import MOST_JSON, facts, packed, read_vectors, take_about
from imagen_demo.latent.directions import Direction
from imagen_demo.models.folder import Model

MOST_BYTES = 16 * 1024**2
FORMAT = "imagen-demo directions 1"


def own_id(name: str, direction: Direction) -> str:
    """``smile-3f2a``: the name in small letters, and four digits of what it does.

    So a link with somebody's direction draws the same picture elsewhere or says that it is missing: never another.
    """
    letters = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    short = re.sub(r"[^a-z0-9]+", "-", letters).strip("-")[:24].rstrip("-")
    short = short if short[:1].isalpha() else f"d-{short}".rstrip("-")
    numbers = np.float32([*direction.vector.cpu().tolist(), direction.scale]).tobytes()
    return f"{short}-{hashlib.sha256(numbers + direction.layers.encode()).hexdigest()[:4]}"


def pack(directions: Sequence[Direction], weights_hash: str) -> bytes:
    """The bytes of a file of directions for the weights of that hash."""
    about = json.dumps({"directions": {direction.id: facts(direction) for direction in directions}}, ensure_ascii=False)
    return packed(directions, weights_hash, about=about, format=FORMAT)


def unpack(file: Path, model: Model, model_name: str) -> list[Direction]:
    """The directions of :func:`pack`'s file, checked, as a user's own.

    Raises:
        UserError: says what is wrong with it.
    """
    header = _header(file)
    if header.get("weights") != model.hash:
        raise UserError(
            "The directions in {file} are for another model ({found}), not for {name} ({present}).",
            file=file.name, found=str(header.get("weights", "?"))[:12], name=model_name, present=model.hash[:12],
        )  # fmt: skip
    found = read_vectors(file, model)
    lengths = [float(direction.vector.norm()) for direction in found]
    if not found or not all(0.99 < length < 1.01 for length in lengths) or not all(_sound(d.scale) for d in found):
        raise UserError("The directions in {file} are damaged.", file=file.name)
    take_about(found, {"directions": _about(header)})
    return [_as_own(direction) for direction in found]


def _as_own(direction: Direction) -> Direction:
    base = re.sub(r"-[0-9a-f]{4}$", "", direction.id) if direction.kind == "examples" else direction.id
    return replace(direction, id=own_id(base, direction), kind="examples", hidden=False)


def twins(new: Sequence[Direction], there: Iterable[Direction]) -> dict[str, Direction]:
    """By id: those of ``new`` that the model itself has under the same name, as it has them."""
    own = {(direction.name, direction.layers): direction for direction in there if direction.kind != "examples"}
    pairs = [(one, own.get((one.name, one.layers))) for one in new]
    return {one.id: other for one, other in pairs if other is not None and _alike(one, other)}


def _alike(one: Direction, other: Direction) -> bool:  # components computed elsewhere differ in the last digits
    return bool(((one.vector * one.scale - other.vector * other.scale).norm() < 1e-3 * other.scale).item())


def _sound(scale: float) -> bool:
    return 0 < scale < 1e4


def _header(file: Path) -> dict[str, str]:
    try:
        if file.stat().st_size > MOST_BYTES:
            raise UserError("{file} is too large to hold directions.", file=file.name)
        with safe_open(file, "pt") as opened:
            header = opened.metadata() or {}
    except (OSError, SafetensorError):
        header = {}
    if header.get("format") != FORMAT:
        raise UserError("{file} is no file of directions from Imagen Demo.", file=file.name)
    return header


def _about(header: dict[str, str]) -> object:
    try:
        raw = json.loads(header.get("about", "")[:MOST_JSON])
    except (ValueError, RecursionError):
        return {}
    return raw.get("directions") if isinstance(raw, dict) else {}
