"""A picture is a recipe: the full description of one picture, and the studio that draws it."""

from __future__ import annotations

import json
import threading
import time
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from imagen_demo import storage
from imagen_demo.config import cores
from imagen_demo.data.pixels import from_network
from imagen_demo.errors import UserError
from imagen_demo.latent import space
from imagen_demo.latent.centres import load_or_compute as load_or_compute_centres
from imagen_demo.latent.centres import nearest
from imagen_demo.latent.direction_files import FILES as DIRECTION_FILES
from imagen_demo.latent.direction_files import load_or_compute, with_own
from imagen_demo.latent.directions import Directions, principal_directions
from imagen_demo.latent.space import Code, Seeds
from imagen_demo.media import png
from imagen_demo.models.folder import Model, load_model
from imagen_demo.studio import checks, library, links
from imagen_demo.studio.caches import PictureCache, Stamp, stamp
from imagen_demo.workspace import Workspace

MODELS_KEPT = 4  # in memory, the most recently used
CENTRES_KEPT = 64  # classes


@dataclass(frozen=True)
class Recipe:
    """The full description of one picture. Making one checks and normalises every value.

    ``model`` is a library name or ``run/NAME``; ``model_hash`` the first 12 digits of its weights'
    SHA-256, or "" for whatever the model is today. ``seeds`` are ``(seed, weight)``, blended in w;
    ``fine_seeds`` rule the layers from ``split`` on instead (style mixing). ``class_mix``: ``(label, weight)``
    of several classes, in place of ``label``. ``psi_layers``: truncation layer by layer, from the first on;
    the others use ``psi``. ``centre``: truncation goes towards the "mean" w, or the "nearest" of several
    cluster centres. ``directions``: ``(id, amount, layers)``, layers "" for the direction's own;
    ``noise``: seed of the detail that w does not rule, where the network has noise; 0 for the model's own;
    ``size``: the side in pixels, None for the model's own.

    Raises:
        UserError: a value of the wrong type or outside its range.
    """

    model: str
    model_hash: str = ""
    seeds: tuple[tuple[int, float], ...] = ((0, 1.0),)
    fine_seeds: tuple[tuple[int, float], ...] = ()
    split: int = 0
    label: int | None = None
    class_mix: tuple[tuple[int, float], ...] = ()
    psi: float = 1.0
    psi_layers: tuple[float, ...] = ()
    centre: str = "mean"
    directions: tuple[tuple[str, float, str], ...] = ()
    noise: int = 0
    size: int | None = None

    def __post_init__(self) -> None:
        psi = checks.number(self.psi, "psi", -checks.MAX_PSI, checks.MAX_PSI)
        split = checks.integer(self.split, "split", 0, checks.MAX_LAYERS)
        classes = checks.class_list(self.class_mix)
        label = None if self.label is None else checks.integer(self.label, "class", 0, checks.MAX_LABEL)
        checked = {
            "model": checks.model_name(self.model),
            "model_hash": checks.model_hash(self.model_hash),
            "seeds": checks.seed_list(self.seeds),
            "fine_seeds": checks.seed_list(self.fine_seeds) if self.fine_seeds not in ((), []) else (),
            "split": split if self.fine_seeds else 0,
            "label": label if not classes else classes[0][0] if len(classes) == 1 else None,
            "class_mix": classes if len(classes) > 1 else (),
            "psi": psi,
            "psi_layers": checks.layers_psi(self.psi_layers, psi),
            "centre": checks.centre(self.centre),
            "directions": checks.direction_list(self.directions),
            "noise": checks.integer(self.noise, "noise", 0, checks.MAX_SEED),
            "size": None if self.size is None else checks.integer(self.size, "size", *checks.SIZES),
        }
        for name, value in checked.items():
            object.__setattr__(self, name, value)

    @property
    def classes(self) -> tuple[tuple[int | None, float], ...]:
        """``class_mix``, or the one class: what seeds are drawn in."""
        return self.class_mix or ((self.label, 1.0),)

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
            raw = json.loads(text) if isinstance(text, str) and len(text) <= checks.MAX_TEXT else None
        except (ValueError, RecursionError):
            raw = None
        if not isinstance(raw, dict) or "model" not in raw:
            raise UserError("This is not a recipe of Imagen Demo.")
        unknown = sorted(raw.keys() - {field.name for field in fields(cls)})
        if unknown:
            raise UserError("This recipe has an unknown entry, {key}; a newer version made it.", key=unknown[0][:40])
        return cls(**raw)

    @classmethod
    def from_text(cls, text: str | dict[str, Any]) -> Recipe:
        """Read what people copy: :meth:`to_json`'s text, a link, or a link's query; raises as their readers.

        Programs may give the JSON itself.
        """
        text = text if isinstance(text, str) else json.dumps(text)
        return (cls.from_json if text.lstrip().startswith("{") else cls.from_query)(text)

    def to_query(self) -> str:
        """The short form for links, without the question mark: ``model=planets&seed=42&psi=0.7&d=pc0:1.5``."""
        return links.write(self)

    @classmethod
    def from_query(cls, query: Mapping[str, str] | str) -> Recipe:
        """Read :meth:`to_query`'s text, alone or in a link, or its parsed form. Keys without a meaning are left alone.

        Raises:
            UserError: no model is named, or a value is out of place.
        """
        return cls(**links.read(query))


class Studio:
    """Draws recipes. One per server or command; safe to use from many threads.

    Every picture is drawn alone in its batch and on a CPU by a single thread: equal recipes give equal
    bytes whatever else happens. As many are drawn at once as there are cores, so that visitors share
    them fairly (measured on 2 cores beside a training: 6 ms a picture of 64 px; by two threads 9 to 75).
    """

    def __init__(self, workspace: Workspace, device: str | torch.device | None = None) -> None:
        self.workspace = workspace
        self.device = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
        self._drawing = threading.Semaphore(1 if self.device.type == "cuda" else cores())
        self._loading = threading.RLock()
        self._models: OrderedDict[str, tuple[Stamp, Model]] = OrderedDict()  # by library name
        self._found: OrderedDict[tuple[str, str], tuple[tuple[Stamp, ...], Directions]] = OrderedDict()  # and by hash
        self._centres: OrderedDict[tuple[str, int], Tensor] = OrderedDict()  # by weights' hash and class
        self._pictures = PictureCache(limit=64 * 1024**2)

    def model(self, name: str) -> Model:
        """The model of that name, read again when its weights have changed.

        Raises:
            UserError: there is no such model, or it is damaged.
        """
        folder = library.find(self.workspace, name)
        with self._loading:
            now = stamp(storage.current_folder(folder) / "model.safetensors")
            known = self._models.get(name)
            if known is None or (now and known[0] != now):
                known = (now, self._load(folder))
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
        """A model's directions, at once: those found so far, and the user's own; raises as :meth:`model`."""
        return self._directions_of(name, self.model(name))

    def _directions_of(self, name: str, model: Model) -> Directions:
        own = self.own_directions(model)
        # Only the trainer writes into a run's directory.
        in_run = name.startswith(library.RUN_PREFIX)
        files = [folder / file for folder in (own, model.path) for file in DIRECTION_FILES]
        with self._loading:
            key, now = (name, model.hash), tuple(stamp(file) for file in files)
            if key not in self._found or self._found[key][0] != now:
                found = Directions(principal_directions(model)) if in_run else load_or_compute(model)
                self._found[key] = (now, with_own(found, own, model))
                while len(self._found) > 2 * MODELS_KEPT:
                    self._found.popitem(last=False)
            return self._found[key][1]

    def own_directions(self, model: Model) -> Path:
        """The folder, there or not, of what the user has made for or said about this model's directions."""
        return self.workspace.root / "directions" / model.hash[:12]

    def pinned(self, recipe: Recipe) -> Recipe:
        """The recipe with its model's hash in it, for links and files that must not change later.

        Raises:
            UserError: as :meth:`model_for`.
        """
        return replace(recipe, model_hash=self.model_for(recipe).hash[:12])

    def model_for(self, recipe: Recipe) -> Model:
        """The recipe's model, also where it has been renamed since.

        Raises:
            UserError: as :meth:`model`, or it is of another version than the recipe's.
        """
        model = self.model(library.renamed(self.workspace, recipe.model, recipe.model_hash))
        if recipe.model_hash and not model.hash.startswith(recipe.model_hash):
            raise UserError(
                "This picture needs the model {name} ({hash}); this workspace has another version ({present}).",
                name=recipe.model, hash=recipe.model_hash, present=model.hash[:12],
            )  # fmt: skip
        return model

    def latent(self, recipe: Recipe, model: Model | None = None) -> Tensor:
        """The final w of every layer, [1, num_ws, w_dim]: blended, mixed, truncated, moved along directions."""
        return self.code(recipe, model).final()

    @torch.inference_mode()
    def code(self, recipe: Recipe, model: Model | None = None) -> Code:
        """What the recipe's latent is made of.

        Raises:
            UserError: the model lacks a class, a direction or a layer.
        """
        model = model or self.model_for(recipe)
        count = model.generator.num_ws
        ws, centres = (part.unsqueeze(1).repeat(1, count, 1) for part in self._base(recipe, model, recipe.seeds))
        if recipe.fine_seeds:
            fine, fine_centre = self._base(recipe, model, recipe.fine_seeds)
            ws[:, recipe.split :], centres[:, recipe.split :] = fine, fine_centre
        psis = (recipe.psi_layers + (recipe.psi,) * count)[:count]
        offset = torch.zeros_like(ws)
        if recipe.directions:
            offset = self._directions_of(recipe.model, model).offset(recipe.directions, count)
        return Code(ws, centres, psis, offset)

    def _base(self, recipe: Recipe, model: Model, seeds: Seeds) -> tuple[Tensor, Tensor]:
        """w of blended seeds and classes, and what truncation draws it to; [1, w_dim] each."""
        ws, centres = [], []
        for label, weight in recipe.classes:
            w, index = space.seeds_to_w(model, seeds, label), space.class_index(model, label)
            centre = model.w_avg[index : index + 1]
            if recipe.centre == "nearest":
                centre = nearest(w, self._centres_of(recipe.model, model, index))
            ws.append((w, weight))
            centres.append((centre, weight))
        return space.blend(ws), space.blend(centres)

    def _centres_of(self, name: str, model: Model, label: int) -> Tensor:
        """The class's cluster centres, [count, w_dim]."""
        with self._loading:
            key = (model.hash, label)
            if key not in self._centres:
                self._centres[key] = load_or_compute_centres(model, label, not name.startswith(library.RUN_PREFIX))
                while len(self._centres) > CENTRES_KEPT:
                    self._centres.popitem(last=False)
            self._centres.move_to_end(key)
            return self._centres[key]

    @torch.inference_mode()
    def draw(self, model: Model, ws: Tensor, size: int | None = None, noise: int = 0) -> np.ndarray:
        """ws [1, num_ws, w_dim] -> uint8 [H, W, C], C = 3 or 4.

        Another ``size`` than the model's by Lanczos; ``noise``: as a recipe's.
        """
        with self._drawing, space.one_thread():
            picture = from_network(model.generator.synthesis(ws, space.noise(model, noise)).float().cpu())[0]
        if size and size != picture.shape[0]:
            picture = np.asarray(Image.fromarray(picture).resize((size, size), Image.Resampling.LANCZOS))
        return picture

    def render_array(self, recipe: Recipe, model: Model | None = None) -> np.ndarray:
        """The picture as uint8 [H, W, C], read-only.

        ``model``: the recipe's, for several pictures of one version while a trainer writes the next.

        Raises:
            UserError: the model is missing, damaged or of another version, or lacks the class or a direction.
        """
        model = model or self.model_for(recipe)
        key = model.hash + recipe.to_json()
        picture = self._pictures.get(key)
        if picture is None:
            picture = self.draw(model, self.latent(recipe, model), recipe.size, recipe.noise)
            self._pictures.put(key, picture)
        return picture

    def render(self, recipe: Recipe, model: Model | None = None) -> Image.Image:
        """:meth:`render_array` as a Pillow picture, RGB or RGBA."""
        return Image.fromarray(self.render_array(recipe, model))

    def seen(self, recipe: Recipe, version: str) -> np.ndarray | None:
        """The picture as the network with this hash drew it, while it is in memory: trainers write new networks."""
        return self._pictures.get(version + recipe.to_json())

    def png(self, recipe: Recipe, version: str = "") -> bytes:
        """A PNG file with the recipe in it, pinned to the version of the model that drew it.

        That is the present one, or the one with the hash ``version`` where its picture is still in memory.
        """
        picture = self.seen(recipe, version)
        if picture is None:
            model = self.model_for(recipe)
            picture, version = self.render_array(recipe, model), model.hash
        return png.to_bytes(Image.fromarray(picture), replace(recipe, model_hash=version[:12]).to_json())
