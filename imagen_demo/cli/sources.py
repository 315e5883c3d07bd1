"""What the first word after a command means: a model, a run, a picture's link or file, a film's."""

from __future__ import annotations

import os.path
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from imagen_demo.cli.commands import given
from imagen_demo.errors import UserError
from imagen_demo.workspace import Workspace, checked_name

Model = Annotated[str, typer.Argument(metavar="MODEL_OR_RUN", help="A model of the library, or a training run")]
Source = Annotated[
    str,
    typer.Argument(
        metavar="MODEL_OR_RUN_OR_PICTURE", help="A model, a training run, or a picture: its link, or its PNG saved here"
    ),
]
Film = Annotated[
    str,
    typer.Argument(metavar="MODEL_OR_RUN_OR_FILM", help="A model, a run, a picture, or a film: its link, its file"),
]
MAX_SEEDS = 100_000
PICTURES = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff")  # besides films' endings, how files are called


def library_name(workspace: Workspace, name: str) -> str:
    """What the library calls a model or, where there is none of that name, the newest network of a run.

    Raises:
        UserError: there is neither.
    """
    from imagen_demo.studio import library

    try:
        library.find(workspace, name)
    except UserError:
        if "/" in name or not (workspace.runs / checked_name(name) / "latest").exists():
            raise
        name = library.RUN_PREFIX + name
    return name


def existing(file: Path) -> Path:
    """The file; raises UserError where it is not there."""
    if not file.is_file():
        raise UserError("There is no file {name}.", name=file)
    return file


def called_as_file(path: Path) -> bool:
    """Whether it has a picture's or a film's ending."""
    from imagen_demo.media.formats import is_film

    return is_film(path) or path.suffix.lower() in PICTURES


def file_of(workspace: Workspace, source: str) -> Path | None:
    """The file that ``source`` names; None where it is a model, a run or a link. ``./NAME`` is a file in any case.

    Raises:
        UserError: it is called as files are, and is not there.
    """
    file = Path(source)
    called_so = not _is_text(source) and called_as_file(file)
    if not called_so and not (file.suffix and os.path.isfile(source)):
        return None
    return None if _in_library(workspace, source) else existing(file)


def _in_library(workspace: Workspace, name: str) -> bool:
    try:
        library_name(workspace, name)
    except UserError:
        return False
    return True


def _is_text(source: str) -> bool:
    """Whether it is a link, a link's query, or a recipe's JSON."""
    return "=" in source or source.lstrip().startswith("{")


def picture(workspace: Workspace, source: str) -> Any:
    """The recipe of a link, of a recipe's JSON or of a PNG file; None where it is a model or a run.

    Raises:
        UserError: it is a film, another file, a file that is not there, or a link that cannot be read.
    """
    from imagen_demo.media import png
    from imagen_demo.studio.recipes import Recipe
    from imagen_demo.studio.timeline import from_file, is_link

    if (file := file_of(workspace, source)) is not None:
        if from_file(file) is not None:
            raise UserError("{name} is a film; the command that takes films is interpolate.", name=file.name)
        return Recipe.from_json(png.recipe_of(file))
    if is_link(source):
        raise UserError("This is the link of a film; the command that takes films is interpolate.")
    return Recipe.from_text(source) if _is_text(source) else None


def film(workspace: Workspace, source: str) -> Any:
    """The timeline of a link, or of a film's file; None where it is a model, a run or a picture.

    Raises:
        UserError: a file without a film, one that is not there, or a damaged link.
    """
    from imagen_demo.studio.timeline import from_file, from_link, is_link

    if is_link(source):
        return from_link(source)
    file = file_of(workspace, source)
    if file is None:
        return None
    found = from_file(file)
    if found is None and file.suffix.lower() != ".png":
        raise UserError(
            "{name} carries no film. Only films saved by Imagen Demo do, and only unchanged ones.", name=file.name
        )
    return found


def base(context: typer.Context, studio: Any, source: str, psi: float, label: str | None, size: int | None) -> Any:
    """The recipe that ``source`` means: a picture's, changed by the options that were written, or a model's."""
    from imagen_demo.studio.recipes import Recipe

    found = picture(context.obj, source)
    if found is None:
        name = library_name(context.obj, source)
        return Recipe(name, psi=psi, label=_class(studio.model(name).info, name, label), size=size)
    changes: dict[str, Any] = {"psi": psi, "psi_layers": ()} if given(context, "psi") else {}
    if label is not None:
        changes |= {"label": _class(studio.model_for(found).info, found.model, label), "class_mix": ()}
    return replace(found, **changes, size=found.size if size is None else size)


def recipes(
    context: typer.Context, studio: Any, source: str, seeds: str, psi: float, label: str | None, size: int | None
) -> list[Any]:
    """A recipe for each seed; without ``seeds`` the one of the picture ``source``."""
    from imagen_demo.studio.seeds import parse_seeds

    first = base(context, studio, source, psi, label, size)
    if seeds:
        return [replace(first, seeds=((seed, 1.0),)) for seed in parse_seeds(seeds, most=MAX_SEEDS)]
    if picture(context.obj, source) is None:
        raise UserError("Say which pictures of {model}: --seeds 42, or 0-15.", model=source)
    return [first]


def _class(info: Any, model: str, name: str | None) -> int | None:
    """The number of a class from its name; the first where the model has classes and none was asked for."""
    names = list(info.class_names) if info.config.num_classes else []
    if name is None:
        return 0 if names else None
    if not names:
        raise UserError("The model {model} has no classes; leave --class out.", model=model)
    if name not in names:
        raise UserError("The model {model} has no class {name}; it has {names}.",
                        model=model, name=name, names=", ".join(names))  # fmt: skip
    return names.index(name)
