"""The model library: bundled models, the user's own, and the networks of runs."""

from __future__ import annotations

import functools
import os
import shutil
import uuid
from dataclasses import dataclass
from pathlib import Path

from imagen_demo import storage
from imagen_demo.errors import UserError
from imagen_demo.models import folder as models
from imagen_demo.models.folder import ModelInfo, read_info, weights_hash
from imagen_demo.studio.caches import Stamp, stamp
from imagen_demo.training.run import Run
from imagen_demo.workspace import BUNDLED, Workspace, checked_name

BUNDLED_NAMES = ("emoji", "planets")  # the committed ones, the first greets visitors; .gitignore names the same
RUN_PREFIX = "run/"
MOST_NAMED = 8  # models, in a sentence


@dataclass(frozen=True)
class ModelEntry:
    """One model of the list. A damaged one has ``error``, a sentence, and no ``info``."""

    name: str
    path: Path
    info: ModelInfo | None
    bundled: bool = False
    in_training: bool = False
    error: UserError | None = None

    @property
    def preview(self) -> Path | None:
        file = self.path / "preview.png"
        return file if file.exists() else None


def list_models(workspace: Workspace) -> list[ModelEntry]:
    """Bundled models, then the user's by name, then runs' networks, newest first."""
    bundled = [name for name in BUNDLED_NAMES if _is_bundled(workspace, name) and (BUNDLED / name).is_dir()]
    entries = [_entry(name, BUNDLED / name, bundled=True) for name in bundled]
    entries += [_entry(name, workspace.checkpoints / name) for name in _own_names(workspace)]
    folders = [folder for folder in workspace.runs.iterdir() if not folder.name.startswith(".")]
    runs = [Run(folder) for folder in folders if _there(folder / "latest")]
    for run in sorted(runs, key=_last_change, reverse=True):
        entries.append(_entry(RUN_PREFIX + run.name, run.latest, in_training=run.status().alive))
    return entries


def _own_names(workspace: Workspace) -> list[str]:
    """Folders of the user's library, also one that an interrupted saving left under its .old name."""
    folders = [path.name for path in workspace.checkpoints.iterdir() if path.is_dir()]
    names = {name.removesuffix(".old") for name in folders if not name.startswith(".") and not name.endswith(".new")}
    return sorted((name for name in names if not _is_bundled(workspace, name)), key=str.casefold)


def _is_bundled(workspace: Workspace, name: str) -> bool:
    """A model of the user's own hides a bundled one of the same name, so that nothing trained gets lost."""
    if name not in BUNDLED_NAMES:
        return False
    return workspace.checkpoints.resolve() == BUNDLED or not _there(workspace.checkpoints / name)


def _there(folder: Path) -> bool:
    """Whether there is such a folder, also at the instant in which it is being replaced (:mod:`storage`)."""
    return folder.is_dir() or folder.with_name(folder.name + ".old").is_dir() or folder.is_dir()


def _last_change(run: Run) -> float:
    try:
        return run.path.stat().st_mtime
    except OSError:
        return 0.0


def _entry(name: str, path: Path, *, bundled: bool = False, in_training: bool = False) -> ModelEntry:
    error = None
    for _ in range(2):  # a trainer may be replacing the folder just now
        current = storage.current_folder(path)
        try:
            return ModelEntry(name, current, read_info(current), bundled, in_training)
        except UserError as problem:
            error = problem
    return ModelEntry(name, current, None, bundled, in_training, error)


def find(workspace: Workspace, name: str) -> Path:
    """The folder of the model of that name; ``run/NAME`` is the newest network of a run.

    Read it through :func:`storage.current_folder`.

    Raises:
        UserError: there is none.
    """
    if name.startswith(RUN_PREFIX):
        path = workspace.runs / checked_name(name.removeprefix(RUN_PREFIX)) / "latest"
    elif _is_bundled(workspace, name):
        path = BUNDLED / name
    else:
        path = workspace.checkpoints / checked_name(name)
    if not _there(path):
        names = [entry.name for entry in list_models(workspace)]
        known, more = ", ".join(names[:MOST_NAMED]), len(names) - MOST_NAMED
        if not known:
            raise UserError("There is no model named {name} in this workspace.", name=name)
        if more > 0:
            raise UserError("There is no model named {name} in this workspace; there are {known}, and {more} more.",
                            name=name, known=known, more=more)  # fmt: skip
        raise UserError("There is no model named {name} in this workspace; there are {known}.", name=name, known=known)
    return path


def renamed(workspace: Workspace, name: str, weights: str) -> str:
    """What the model ``name`` is called today: another name where one with these weights was renamed.

    Args:
        weights: the SHA-256 of its weights, or how that begins; "" for whatever has the name.

    Returns:
        ``name`` itself also where no model has these weights, but one of that name others.

    Raises:
        UserError: there is no model of that name, nor one with these weights.
    """
    if holds(workspace, name, weights):
        return name
    if found := with_weights(workspace, weights):
        return found
    find(workspace, name)
    return name


def holds(workspace: Workspace, name: str, weights: str) -> bool:
    """Whether there is a model ``name`` and the SHA-256 of its weights is, or begins with, ``weights``."""
    try:
        folder = storage.current_folder(find(workspace, name))
        return not weights or hash_of(folder).startswith(weights)
    except UserError:
        return False


def with_weights(workspace: Workspace, weights: str) -> str | None:
    """The name of the library's model whose weights' SHA-256 is or begins with ``weights``, runs' networks aside."""
    for entry in list_models(workspace) if weights else []:
        if not entry.name.startswith(RUN_PREFIX) and hash_of(entry.path).startswith(weights):
            return entry.name
    return None


def hash_of(folder: Path) -> str:
    """:func:`weights_hash`, read once and not at every look."""
    return _hash_at(folder, stamp(folder / "model.safetensors"))


@functools.lru_cache(maxsize=256)
def _hash_at(folder: Path, version: Stamp) -> str:
    return weights_hash(folder)


def _own(workspace: Workspace, name: str) -> Path:
    """The folder of a model that the user may change."""
    if _is_bundled(workspace, name):
        raise UserError("The model {name} comes with the program and cannot be changed.", name=name)
    if name.startswith(RUN_PREFIX):
        raise UserError("{name} belongs to its training run; change the run instead.", name=name)
    folder = find(workspace, name)
    if folder.exists():  # else a stale copy would take the name again
        shutil.rmtree(folder.with_name(folder.name + ".old"), ignore_errors=True)
    return storage.current_folder(folder)


def check_own(workspace: Workspace, name: str) -> None:
    """Raise UserError unless the model is there and the user may change it."""
    _own(workspace, name)


def add_metrics(workspace: Workspace, name: str, metrics: dict[str, float]) -> None:
    """Write measured metrics into the model's description and card.

    Raises:
        UserError: a bundled model, a run's, or there is none.
    """
    models.add_metrics(_own(workspace, name), metrics)


def rename(workspace: Workspace, name: str, new_name: str) -> str:
    """Give a model another name and return it.

    Raises:
        UserError: a bundled model, a run's, or the name is taken or impossible.
    """
    folder, new_name = _own(workspace, name), checked_name(new_name)
    target = workspace.checkpoints / new_name
    if new_name == name:
        return name
    if target.exists() or new_name in BUNDLED_NAMES:
        raise UserError("There is already a model named {name}.", name=new_name)
    os.rename(folder, target)
    return new_name


def delete(workspace: Workspace, name: str) -> None:
    """Remove a model of the user's: at once out of the list, then from the disk.

    Raises:
        UserError: a bundled model, a run's, or there is none.
    """
    folder = _own(workspace, name)
    aside = folder.with_name(f".deleted-{uuid.uuid4().hex}")
    os.rename(folder, aside)
    shutil.rmtree(aside, ignore_errors=True)
