"""Directions on disk: ``directions.safetensors`` holds all that a picture depends on, ``directions.json`` the rest.

The tensors are ``vectors`` [K, w_dim] and ``scales`` [K]; the header says for which weights, and of each
direction its id, kind and layers. The JSON has names and measures by id, for people to edit: where it
is missing or damaged, pictures stay the same.
"""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save

from imagen_demo import storage
from imagen_demo.errors import UserError
from imagen_demo.latent.directions import KINDS, Direction, Directions, Varied, principal_directions
from imagen_demo.latent.properties import PROPERTIES
from imagen_demo.latent.space import layer_range
from imagen_demo.models.folder import Model

FILES = ("directions.safetensors", "directions.json")
MOST_KEPT = 512  # directions in one file
MOST_JSON = 1024**2  # bytes
MOST_NAME = 40  # characters
ID = re.compile(r"[a-z][a-z0-9-]{0,31}")


def save_directions(
    folder: Path, directions: Sequence[Direction], weights_hash: str, varied: Varied | None = None
) -> None:
    """Write both files for the weights of that hash; the folder must exist."""
    if directions:
        storage.write_bytes(folder / "directions.safetensors", packed(directions, weights_hash))
    save_about(folder, {direction.id: facts(direction) for direction in directions}, weights_hash, varied)


def packed(directions: Sequence[Direction], weights_hash: str, **header: str) -> bytes:
    """The bytes of ``directions.safetensors``."""
    tensors = {
        "vectors": torch.stack([direction.vector.float().cpu() for direction in directions]),
        "scales": torch.tensor([direction.scale for direction in directions], dtype=torch.float32),
    }
    index = [[direction.id, direction.kind, direction.layers] for direction in directions]
    return save(tensors, {"weights": weights_hash, "directions": json.dumps(index, separators=(",", ":"))} | header)


def save_about(folder: Path, about: dict[str, Any], weights_hash: str, varied: Varied | None = None) -> None:
    """Write ``directions.json`` alone: by id the names, measures, what is hidden."""
    measured = {"varied": asdict(varied)} if varied else {}
    storage.write_json(folder / "directions.json", {"weights": weights_hash, **measured, "directions": about})


def facts(direction: Direction) -> dict[str, Any]:
    """What ``directions.json`` says about one."""
    found: dict[str, Any] = {"name": direction.name, "name_zh": direction.name_zh}
    if direction.effects:
        found["effects"] = {key: round(value, 3) for key, value in direction.effects.items()}
    if direction.purity is not None:
        found["purity"] = round(direction.purity, 3)
    return found | ({"hidden": True} if direction.hidden else {})


def load_or_compute(model: Model) -> Directions:
    """The model's directions from its folder; the principal components at least, kept there where it is writable.

    Files made for other weights, or damaged ones, count as absent. Names written by hand
    (``directions.json`` without ``weights``) are taken whatever the weights.
    """
    found = read_directions(model.path, model)
    fresh = not found
    found = found or principal_directions(model)
    raw = read_about(model.path, model.hash)
    take_about(found, raw)
    if fresh:
        with contextlib.suppress(OSError):  # a read-only library: computing takes a fraction of a second
            save_directions(model.path, found, model.hash)
    return Directions(found, None if fresh else read_varied(raw))


def with_own(found: Directions, folder: Path, model: Model) -> Directions:
    """``found`` and what the user's ``folder`` holds: further directions, and other names for, or hiding of, any."""
    raw = read_about(folder, model.hash)
    every = [*(replace(direction) for direction in found), *read_directions(folder, model)]
    take_about(every, raw)
    return Directions(every, found.varied or read_varied(raw))


def read_directions(folder: Path, model: Model) -> list[Direction]:
    """The directions of ``directions.safetensors``, without their names; [] where it is no use for this model."""
    return read_vectors(folder / "directions.safetensors", model)


def read_vectors(file: Path, model: Model) -> list[Direction]:
    """As :func:`read_directions`, of any such file."""
    try:
        with safe_open(file, "pt") as opened:
            header = opened.metadata() or {}
            if header.get("weights") != model.hash or sorted(opened.keys()) != ["scales", "vectors"]:
                return []
            vectors, scales = opened.get_tensor("vectors"), opened.get_tensor("scales")
    except (OSError, SafetensorError):
        return []
    count = len(vectors) if vectors.dim() else 0
    index = _index(header.get("directions"), count, model.generator.num_ws)
    sound = (
        0 < count <= MOST_KEPT
        and len(index) == count
        and vectors.shape == (count, model.info.config.w_dim)
        and scales.shape == (count,)
        and bool(vectors.float().isfinite().all() and scales.float().isfinite().all())
    )
    if not sound:
        return []
    vectors = vectors.float().to(model.w_avg.device)
    return [
        Direction(id, kind, default_name(id), vector, scale, layers=layers)
        for (id, kind, layers), vector, scale in zip(index, vectors, scales.float().tolist(), strict=True)
    ]


def _index(text: str | None, count: int, num_ws: int) -> list[tuple[str, str, str]]:
    """``[(id, kind, layers)]`` of the header; of principal components where an earlier version wrote none."""
    if text is None:
        return [(f"pc{number}", "pc", "") for number in range(count)]
    try:
        index = [(id, kind, layers) for id, kind, layers in json.loads(text[:MOST_JSON])]
        for id, kind, layers in index:
            if not ID.fullmatch(id) or kind not in KINDS:
                return []
            layer_range(layers, num_ws)
    except (ValueError, TypeError, AttributeError, RecursionError, UserError):
        return []
    return index if len({id for id, _, _ in index}) == count else []


def default_name(id: str) -> str:
    """ "PC 1" for pc0; other ids as they are."""
    return f"PC {int(id[2:]) + 1}" if re.fullmatch(r"pc\d+", id) else id


def read_about(folder: Path, weights_hash: str) -> dict[str, Any]:
    """The raw ``directions.json``; {} where it is missing, damaged or for other weights."""
    try:
        with open(folder / "directions.json", encoding="utf-8") as file:
            raw = json.loads(file.read(MOST_JSON))
    except (OSError, ValueError, RecursionError):
        return {}
    return raw if isinstance(raw, dict) and raw.get("weights", weights_hash) == weights_hash else {}


def take_about(directions: Sequence[Direction], raw: dict[str, Any]) -> None:
    """Put into ``directions`` whatever of ``directions.json`` is sound."""
    components = [direction for direction in directions if direction.kind == "pc"]
    for key, attribute in (("names", "name"), ("names_zh", "name_zh")):  # as earlier versions wrote them
        names = raw.get(key)
        for direction, name in zip(components, names if isinstance(names, list) else [], strict=False):
            _set_name(direction, attribute, name)
    about = raw.get("directions")
    for direction in directions:
        found = about.get(direction.id) if isinstance(about, dict) else None
        if isinstance(found, dict):
            _take(direction, found)


def _take(direction: Direction, found: dict[str, Any]) -> None:
    _set_name(direction, "name", found.get("name"))
    _set_name(direction, "name_zh", found.get("name_zh"))
    effects, purity = _numbers(found.get("effects")), found.get("purity")
    direction.effects = effects or direction.effects
    if _number(purity) and 0 <= purity <= 1:
        direction.purity = float(purity)
    direction.hidden = found.get("hidden", direction.hidden) is True


def read_varied(about: dict[str, Any]) -> Varied | None:
    """Of :func:`read_about`; None where nothing has been measured yet."""
    raw = about.get("varied")
    spread = _numbers(raw.get("spread")) if isinstance(raw, dict) else {}
    spread = {name: value for name, value in spread.items() if name in PROPERTIES and value > 0}
    return Varied(raw.get("plain") is True, spread) if isinstance(raw, dict) else None


def _numbers(raw: Any) -> dict[str, float]:
    """The numbers of a small ``{text: number}``."""
    pairs = list(raw.items())[:40] if isinstance(raw, dict) else []
    return {key[:40]: float(value) for key, value in pairs if _number(value)}


def _number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < 1e6


def _set_name(direction: Direction, attribute: str, name: Any) -> None:
    if isinstance(name, str) and name.strip():
        setattr(direction, attribute, name.strip()[:MOST_NAME])
