"""Directions of a model, for people: find them, make one from examples, name, hide, remove, share, look at them.

What a person makes or says about a model's directions lies in ``directions/HASH12/`` of the workspace, in the same
two files as in a model's folder; so bundled models stay untouched, and a renamed model keeps its directions.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from imagen_demo import storage
from imagen_demo.errors import UserError
from imagen_demo.latent import direction_files, discovery
from imagen_demo.latent.boundary import boundary
from imagen_demo.latent.direction_files import MOST_KEPT, MOST_NAME
from imagen_demo.latent.directions import Direction, Directions, Varied, sample_w
from imagen_demo.latent.measuring import Measurer, purity_of
from imagen_demo.latent.space import blend, class_index, layer_range
from imagen_demo.latent.whitening import whiten
from imagen_demo.models.folder import Model
from imagen_demo.progress import Progress, silent
from imagen_demo.studio import direction_exchange, library
from imagen_demo.studio.recipes import Recipe, Studio

MOST_EXAMPLES = 256
CLASS_EXAMPLES = 256  # drawn of each side
SPREAD_SAMPLES = 4000  # of w

_finding = threading.Lock()  # one model's directions at a time
_writing = threading.RLock()


def discover(studio: Studio, model_name: str, progress: Progress = silent) -> Directions:
    """The model's directions, all that can be found found; at once where that has been done before.

    Kept in the model's folder; in the workspace's where that cannot be written, and for models of runs.

    Raises:
        UserError: as :meth:`Studio.model`.
        Cancelled: from ``progress``; nothing is kept.
    """
    while not _finding.acquire(timeout=0.2):
        progress(0.0, "Waiting for another model's directions")
    try:
        model, there = studio.model(model_name), studio.directions(model_name)
        if there.varied is not None:
            return there
        found = discovery.discover(model, there.of_kind("pc"), progress)
        _keep_found(studio, model_name, model, found)
    finally:
        _finding.release()
    return studio.directions(model_name)


def _keep_found(studio: Studio, name: str, model: Model, found: Directions) -> None:
    if not name.startswith(library.RUN_PREFIX):
        try:
            direction_files.save_directions(model.path, list(found), model.hash, found.varied)
            return
        except OSError:  # a read-only library
            pass

    def take_over(made: list[Direction], about: dict[str, Any]) -> None:
        direction_files.take_about(list(found), {"directions": about})  # what the user said about them before
        _put(made, found)

    _change(studio, model, take_over, found.varied)


def _change(
    studio: Studio, model: Model, edit: Callable[[list[Direction], dict[str, Any]], None], varied: Varied | None = None
) -> None:
    """Let ``edit`` change the user's own directions, and what is said about others by id; then write both."""
    folder = studio.own_directions(model)
    with _writing:
        folder.mkdir(parents=True, exist_ok=True)
        raw, made = direction_files.read_about(folder, model.hash), direction_files.read_directions(folder, model)
        vectors, readable = folder / "directions.safetensors", bool(made)
        direction_files.take_about(made, raw)
        about = raw.get("directions") if isinstance(raw.get("directions"), dict) else {}
        others = {id: said for id, said in about.items() if id not in {direction.id for direction in made}}
        edit(made, others)
        if len(made) > MOST_KEPT:
            raise UserError("A model can have at most {most} directions of your own.", most=MOST_KEPT)
        if vectors.exists() and not readable:
            os.replace(vectors, vectors.with_suffix(".unreadable"))  # nothing is lost: a newer version may know it
        if made:
            storage.write_bytes(vectors, direction_files.packed(made, model.hash))
        else:
            vectors.unlink(missing_ok=True)
        about = others | {direction.id: direction_files.facts(direction) for direction in made}
        varied = varied or direction_files.read_varied(raw)
        direction_files.save_about(folder, about, model.hash, varied)


# -- from examples -----------------------------------------------------------------------------------


def from_examples(
    studio: Studio,
    model_name: str,
    with_: Sequence[Recipe],
    without: Sequence[Recipe],
    name: str,
    against: Sequence[str] = (),
    *,
    name_zh: str = "",
    layers: str = "",
    within_class: bool = False,
) -> Direction:
    """The direction from the pictures ``without`` something to those ``with_`` it; two of each are enough.

    ``against``: ids of directions it shall be orthogonal to. ``layers``: where it acts, and is looked for.
    ``within_class``: conditional on the class, so that differences between the examples' classes do not count.
    It is kept, and of the kind "examples".

    Raises:
        UserError: no examples, of another model, or alike; an unknown direction, or an impossible name.
    """
    model = studio.model(model_name)
    for recipes in (with_, without):
        if not 1 <= len(recipes) <= MOST_EXAMPLES:
            raise UserError("Mark at least one picture with it and one without it, at most {most}.", most=MOST_EXAMPLES)
        if any(recipe.model != model_name for recipe in recipes):
            raise UserError("All examples must be pictures of the model {name}.", name=model_name)
    groups = [
        torch.cat([_example(studio, model, recipe, layers, within_class) for recipe in recipes])
        for recipes in (with_, without)
    ]
    return _made(studio, model_name, model, groups[0], groups[1], name, name_zh, layers, against)


@torch.inference_mode()
def _example(studio: Studio, model: Model, recipe: Recipe, layers: str, within_class: bool) -> Tensor:
    """[1, w_dim]: the mean over the layers in question; less its class's mean where classes do not count."""
    if studio.model_for(recipe).hash != model.hash:  # its name is another's today
        raise UserError("All examples must be pictures of the model {name}.", name=recipe.model)
    ws = studio.latent(recipe, model)
    reach = layer_range(layers, ws.shape[1])
    w = ws[:, reach.start : reach.stop].mean(dim=1)
    means = [(model.w_avg[class_index(model, label)][None], weight) for label, weight in recipe.classes]
    return w - blend(means) if within_class else w


def from_class(
    studio: Studio,
    model_name: str,
    label: int,
    name: str = "",
    against: Sequence[str] = (),
    *,
    name_zh: str = "",
    layers: str = "",
) -> Direction:
    """The direction from all other classes to the class ``label``, each of the others counting alike; it is kept.

    Raises:
        UserError: the model has no such class, or but one; as :func:`from_examples`.
    """
    model = studio.model(model_name)
    index, classes = class_index(model, label), model.info.config.num_classes
    if classes < 2:
        raise UserError("The model {name} has no classes to tell apart.", name=model_name)
    title = name or (model.info.class_names[index] if index < len(model.info.class_names) else str(index))[:MOST_NAME]
    with_, _ = sample_w(model, CLASS_EXAMPLES, 4, index)
    mixed, labels = sample_w(model, CLASS_EXAMPLES * min(classes, 16), 4)
    return _made(studio, model_name, model, with_, mixed[labels != index], title, name_zh, layers, against)


def _made(
    studio: Studio,
    model_name: str,
    model: Model,
    with_: Tensor,
    without: Tensor,
    name: str,
    name_zh: str,
    layers: str,
    against: Sequence[str],
) -> Direction:
    layer_range(layers, model.generator.num_ws)  # refuses one that could not be read again
    there, name = studio.directions(model_name), _checked(name)
    others = [there.get(id).vector for id in against]
    vector, scale = boundary(with_, without, whiten(*sample_w(model, SPREAD_SAMPLES, 3)), others)
    vector = vector.to(model.w_avg.device)
    direction = Direction("d", "examples", name, vector, scale, _checked(name_zh) if name_zh else "", layers)
    direction.id = direction_exchange.own_id(name, direction)
    if there.varied is not None and there.varied.spread:
        effects, _ = Measurer(model).try_out(direction, there.varied)
        direction = replace(direction, effects=effects, purity=purity_of(effects))
    _change(studio, model, lambda made, about: _put(made, [direction]))
    return studio.directions(model_name).get(direction.id)


def _put(made: list[Direction], new: Iterable[Direction]) -> None:
    """Add, or put in place of those of the same ids; of several new ones with one id the last counts."""
    made[:] = {direction.id: direction for direction in (*made, *new)}.values()


# -- names, hiding, removing ---------------------------------------------------------------------------


def _checked(name: str) -> str:
    name = " ".join(str(name).split())
    if not name or len(name) > MOST_NAME or not name.isprintable():
        raise UserError("A direction's name has 1 to {most} characters.", most=MOST_NAME)
    return name


def rename(studio: Studio, model_name: str, id: str, name: str, name_zh: str = "") -> Direction:
    """Call a direction of any kind so; without ``name_zh`` in Chinese too. Its id, and so every link, stays.

    An empty ``name`` brings back what the model itself calls it, where that has found it.

    Raises:
        UserError: there is no such direction, or it is no name.
    """
    if not name.strip() and studio.directions(model_name).get(id).kind != "examples":
        return _name_again(studio, model_name, id)
    name = _checked(name)
    return _say(studio, model_name, id, name=name, name_zh=_checked(name_zh) if name_zh else name)


def _name_again(studio: Studio, model_name: str, id: str) -> Direction:
    model = studio.model(model_name)

    def edit(made: list[Direction], about: dict[str, Any]) -> None:
        for index, direction in enumerate(made):
            if direction.id == id:
                name, name_zh = discovery.name_of(model, id)
                made[index] = replace(direction, name=name, name_zh=name_zh)
        if isinstance(about.get(id), dict):  # the model's folder has its name
            about[id] = {key: value for key, value in about[id].items() if key not in ("name", "name_zh")}

    _change(studio, model, edit)
    return studio.directions(model_name).get(id)


def hide(studio: Studio, model_name: str, id: str, hidden: bool = True) -> Direction:
    """Take a direction of any kind out of sight, or bring it back; recipes that use it draw what they drew.

    Raises:
        UserError: there is no such direction.
    """
    return _say(studio, model_name, id, hidden=bool(hidden))


def _say(studio: Studio, model_name: str, id: str, **said: Any) -> Direction:
    model = studio.model(model_name)
    studio.directions(model_name).get(id)

    def edit(made: list[Direction], about: dict[str, Any]) -> None:
        for index, direction in enumerate(made):
            if direction.id == id:
                made[index] = replace(direction, **said)
                return
        before = about.get(id)
        about[id] = (before if isinstance(before, dict) else {}) | said

    _change(studio, model, edit)
    return studio.directions(model_name).get(id)


def remove(studio: Studio, model_name: str, id: str) -> None:
    """Delete a direction that the user made or imported.

    Raises:
        UserError: there is no such direction, or it was found by the program.
    """
    model = studio.model(model_name)
    if studio.directions(model_name).get(id).kind != "examples":
        raise UserError("The direction {id} belongs to the model; it can be hidden, not removed.", id=id)

    def edit(made: list[Direction], about: dict[str, Any]) -> None:
        made[:] = [direction for direction in made if direction.id != id]

    _change(studio, model, edit)


# -- sharing and looking -------------------------------------------------------------------------------


def export_file(studio: Studio, model_name: str, ids: Sequence[str], out: Path) -> Path:
    """Write these directions into one file that :func:`import_file` takes where the same model is.

    Raises:
        UserError: there is no such direction, or none was chosen.
    """
    model, there = studio.model(model_name), studio.directions(model_name)
    if not ids:
        raise UserError("Choose at least one direction to export.")
    storage.write_bytes(Path(out), direction_exchange.pack([there.get(id) for id in dict.fromkeys(ids)], model.hash))
    return Path(out)


def import_file(studio: Studio, model_name: str, file: str | os.PathLike[str]) -> list[Direction]:
    """Take in the directions of a stranger's file; they become the user's own, of the kind "examples".

    One of the model's own, of the same name here, is not taken a second time.

    Raises:
        UserError: it is no such file, is damaged, or is for another model.
    """
    model = studio.model(model_name)
    new = direction_exchange.unpack(Path(file), model, model_name)
    twins = direction_exchange.twins(new, studio.directions(model_name))
    _change(studio, model, lambda made, about: _put(made, [d for d in new if d.id not in twins]))
    there = studio.directions(model_name)
    return [twins.get(direction.id) or there.get(direction.id) for direction in new]


def filmstrip(
    studio: Studio, recipe: Recipe, id: str, count: int = 7, reach: float = 3.0, layers: str = ""
) -> list[np.ndarray]:
    """The recipe's picture with the direction's amount from -reach to reach in ``count`` steps: uint8 [H, W, C] each.

    Raises:
        UserError: as :meth:`Studio.render_array`.
    """
    count = max(2, min(33, int(count)))
    amounts = [round(reach * (2 * index / (count - 1) - 1), 6) for index in range(count)]
    studio.directions(recipe.model).get(id)  # at amount 0 it would not be missed
    # Of several amounts of one direction a recipe takes the last.
    return [studio.render_array(replace(recipe, directions=(*recipe.directions, (id, a, layers)))) for a in amounts]
