"""A picture is a recipe: the full description of one picture, and the studio that draws it."""

from __future__ import annotations

import json
import os
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from imagen_demo import storage
from imagen_demo.data.pixels import from_network
from imagen_demo.errors import UserError
from imagen_demo.latent import space
from imagen_demo.latent.directions import Directions, load_or_compute, principal_directions
from imagen_demo.media import png
from imagen_demo.models.folder import Model, load_model
from imagen_demo.studio import checks, library
from imagen_demo.workspace import Workspace

MAX_TEXT = 10_000  # characters of a recipe that comes from outside
MODELS_KEPT = 4  # in memory, the most recently used


@dataclass(frozen=True)
class Recipe:
    """The full description of one picture. Making one checks and normalises every value.

    ``model`` is a library name or ``run/NAME``; ``model_hash`` the first 12 digits of its weights'
    SHA-256, or "" for whatever the model is today. ``seeds`` are ``(seed, weight)``; ``directions``
    ``(index, amount)`` in standard deviations; ``size`` the side in pixels, None for the model's own.

    Raises:
        UserError: a value of the wrong type or outside its range.
    """

    model: str
    model_hash: str = ""
    seeds: tuple[tuple[int, float], ...] = ((0, 1.0),)
    psi: float = 1.0
    label: int | None = None
    directions: tuple[tuple[int, float], ...] = ()
    size: int | None = None

    def __post_init__(self) -> None:
        checked = {
            "model": checks.model_name(self.model),
            "model_hash": checks.model_hash(self.model_hash),
            "seeds": checks.seed_list(self.seeds),
            "psi": checks.number(self.psi, "psi", -checks.MAX_PSI, checks.MAX_PSI),
            "label": None if self.label is None else checks.integer(self.label, "class", 0, 9999),
            "directions": checks.direction_list(self.directions),
            "size": None if self.size is None else checks.integer(self.size, "size", *checks.SIZES),
        }
        for name, value in checked.items():
            object.__setattr__(self, name, value)

    def _changed(self) -> dict[str, Any]:
        """The fields that are not at their defaults."""
        return {
            field.name: getattr(self, field.name)
            for field in fields(self)
            if getattr(self, field.name) != field.default
        }

    def to_json(self) -> str:
        """Canonical: sorted keys, defaults left out, no spaces, shortest numbers. Equal recipes, equal text."""
        return json.dumps(checks.plain(self._changed()), sort_keys=True, separators=(",", ":"), ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> Recipe:
        """Read :meth:`to_json`'s text, from anyone.

        Raises:
            UserError: it is no recipe, or has values that make none.
        """
        try:
            raw = json.loads(text) if isinstance(text, str) and len(text) <= MAX_TEXT else None
        except (ValueError, RecursionError):
            raw = None
        if not isinstance(raw, dict) or "model" not in raw:
            raise UserError("This is not a recipe of Imagen Demo.")
        unknown = sorted(raw.keys() - {field.name for field in fields(cls)})
        if unknown:
            raise UserError("This recipe has an unknown entry, {key}; a newer version made it.", key=unknown[0][:40])
        return cls(**raw)

    def to_query(self) -> str:
        """The short form for links, without the question mark: ``model=planets&seed=42&psi=0.7&d=0:1.5,3:-2``."""
        short: dict[str, Any] = {"model": self.model, "hash": self.model_hash}
        alone = len(self.seeds) == 1
        short["seed"] = ",".join(str(s) if alone else f"{s}*{checks.shortest(weight)}" for s, weight in self.seeds)
        short["psi"] = checks.shortest(self.psi) if self.psi != 1 else ""
        short["class"] = "" if self.label is None else self.label
        short["d"] = ",".join(f"{index}:{checks.shortest(amount)}" for index, amount in self.directions)
        short["size"] = self.size or ""
        return urlencode({key: value for key, value in short.items() if value != ""}, safe="/:,*", quote_via=quote)

    @classmethod
    def from_query(cls, query: Mapping[str, str] | str) -> Recipe:
        """Read :meth:`to_query`'s text or its parsed form. Keys that mean nothing here are left alone.

        Raises:
            UserError: no model is named, or a value is out of place.
        """
        if isinstance(query, str):
            query = dict(parse_qsl(query.lstrip("?")[:MAX_TEXT]))
        given = {key: str(query[key])[:MAX_TEXT].strip() for key in query if query[key] not in (None, "")}
        if "model" not in given:
            raise UserError("This link names no model.")
        values: dict[str, Any] = {"model": given["model"]}
        parsers: dict[str, tuple[str, Callable[[str], Any]]] = {
            "hash": ("model_hash", str),
            "seed": ("seeds", lambda text: checks.parse_pairs(text, "*", 1.0)),
            "psi": ("psi", float),
            "class": ("label", int),
            "d": ("directions", lambda text: checks.parse_pairs(text, ":", None)),
            "size": ("size", int),
        }
        for key, (name, parse) in parsers.items():
            if key in given:
                try:
                    values[name] = parse(given[key])
                except ValueError:
                    raise UserError("The link's {key} cannot be {value!r}.", key=key, value=given[key][:40]) from None
        return cls(**values)


class Studio:
    """Draws recipes. One per server or command; safe to use from many threads.

    Every picture is drawn alone in its batch and on a CPU by a single thread: equal recipes give equal
    bytes whatever else happens. As many are drawn at once as there are cores, so that visitors share
    them fairly (measured on 2 cores beside a training: 6 ms a picture of 64 px; by two threads 9 to 75).
    """

    def __init__(self, workspace: Workspace, device: str | torch.device | None = None) -> None:
        self.workspace = workspace
        self.device = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
        self._drawing = threading.Semaphore(1 if self.device.type == "cuda" else os.cpu_count() or 1)
        self._loading = threading.RLock()
        self._models: OrderedDict[str, tuple[tuple[int, ...], Model]] = OrderedDict()  # by library name
        self._found: OrderedDict[tuple[str, str], Directions] = OrderedDict()  # by library name and weights' hash
        self._pictures = _PictureCache(limit=64 * 1024**2)

    def model(self, name: str) -> Model:
        """The model of that name, read again when its weights have changed.

        Raises:
            UserError: there is no such model, or it is damaged.
        """
        folder = library.find(self.workspace, name)
        with self._loading:
            stamp = _stamp(folder)
            known = self._models.get(name)
            if known is None or (stamp and known[0] != stamp):
                known = (stamp, self._load(folder))
                self._models[name] = known
                while len(self._models) > MODELS_KEPT:
                    self._models.popitem(last=False)
            self._models.move_to_end(name)
            return known[1]

    def _load(self, folder: Path) -> Model:
        try:
            return load_model(folder, self.device)
        except (UserError, FileNotFoundError):  # a trainer may just be replacing the folder
            time.sleep(0.1)
            return load_model(folder, self.device)

    def directions(self, name: str) -> Directions:
        """The slider directions of a model; raises as :meth:`model`."""
        return self._directions_of(name, self.model(name))

    def _directions_of(self, name: str, model: Model) -> Directions:
        with self._loading:
            key = (name, model.hash)
            if key not in self._found:
                # Only the trainer writes into a run's directory.
                in_run = name.startswith(library.RUN_PREFIX)
                self._found[key] = principal_directions(model) if in_run else load_or_compute(model)
                while len(self._found) > 2 * MODELS_KEPT:
                    self._found.popitem(last=False)
            return self._found[key]

    def pinned(self, recipe: Recipe) -> Recipe:
        """The recipe with today's model hash in it: for links and files that must not change later."""
        return replace(recipe, model_hash=self.model(recipe.model).hash[:12])

    def model_for(self, recipe: Recipe) -> Model:
        model = self.model(recipe.model)
        if recipe.model_hash and not model.hash.startswith(recipe.model_hash):
            raise UserError(
                "This picture needs the model {name} ({hash}); this workspace has another version ({present}).",
                name=recipe.model, hash=recipe.model_hash, present=model.hash[:12],
            )  # fmt: skip
        return model

    @torch.inference_mode()
    def latent(self, recipe: Recipe, model: Model | None = None) -> Tensor:
        """The final w, [1, w_dim]: seeds blended, truncated about the class's mean, moved along directions."""
        model = model or self.model_for(recipe)
        w = space.seeds_to_w(model, recipe.seeds, recipe.label)
        index = space.class_index(model, recipe.label)
        w = space.truncate(w, model.w_avg[index : index + 1], recipe.psi)
        return w + self.offset(recipe, model)

    @torch.inference_mode()
    def offset(self, recipe: Recipe, model: Model | None = None) -> Tensor:
        """What the recipe's directions add to w, [1, w_dim].

        Raises:
            UserError: the model has fewer directions than the recipe asks for.
        """
        model = model or self.model_for(recipe)
        if not recipe.directions:
            return torch.zeros(1, model.w_avg.shape[1], device=model.w_avg.device)
        directions = self._directions_of(recipe.model, model)
        if recipe.directions[-1][0] >= len(directions):
            raise UserError(
                "The model {name} has {count} directions; this recipe asks for number {index}, counted from 0.",
                name=recipe.model, count=len(directions), index=recipe.directions[-1][0],
            )  # fmt: skip
        return directions.offset(recipe.directions)

    @torch.inference_mode()
    def draw(self, model: Model, w: Tensor, size: int | None = None) -> np.ndarray:
        """w [1, w_dim] -> uint8 [H, W, C], C = 3 or 4; another ``size`` than the model's by Lanczos."""
        with self._drawing, space.one_thread():
            ws = w.unsqueeze(1).expand(-1, model.generator.num_ws, -1)
            picture = from_network(model.generator.synthesis(ws).float().cpu())[0]
        if size and size != picture.shape[0]:
            picture = np.asarray(Image.fromarray(picture).resize((size, size), Image.Resampling.LANCZOS))
        return picture

    def render_array(self, recipe: Recipe) -> np.ndarray:
        """The picture as uint8 [H, W, C], read-only.

        Raises:
            UserError: the model is missing, damaged or of another version, or lacks the class or a direction.
        """
        model = self.model_for(recipe)
        key = model.hash + recipe.to_json()
        picture = self._pictures.get(key)
        if picture is None:
            picture = self.draw(model, self.latent(recipe, model), recipe.size)
            self._pictures.put(key, picture)
        return picture

    def render(self, recipe: Recipe) -> Image.Image:
        """:meth:`render_array` as a Pillow picture, RGB or RGBA."""
        return Image.fromarray(self.render_array(recipe))

    def png(self, recipe: Recipe) -> bytes:
        """A PNG file with the recipe in it, pinned to the model's present version."""
        pinned = self.pinned(recipe)
        return png.to_bytes(self.render(pinned), pinned.to_json())


def _stamp(folder: Path) -> tuple[int, ...]:
    """What changes with a model's weights; () while they are being replaced."""
    try:
        stat = os.stat(storage.current_folder(folder) / "model.safetensors")
    except FileNotFoundError:
        return ()
    return stat.st_mtime_ns, stat.st_size, stat.st_ino


class _PictureCache:
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
