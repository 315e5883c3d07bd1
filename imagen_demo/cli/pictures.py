"""Commands that show and draw: models, generate, interpolate, grid."""

from __future__ import annotations

import os.path
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from imagen_demo.cli.commands import Result, command, given
from imagen_demo.config import DEFAULT_PSI
from imagen_demo.errors import UserError
from imagen_demo.workspace import Workspace, checked_name

MAX_SEEDS = 100_000

Model = Annotated[str, typer.Argument(metavar="MODEL_OR_RUN", help="A model of the library, or a training run")]
Source = Annotated[
    str,
    typer.Argument(
        metavar="MODEL_OR_RUN_OR_PICTURE", help="A model, a training run, or a picture: its link, or its PNG saved here"
    ),
]
Seeds = Annotated[str, typer.Option(help="Which pictures: 0-15, or 1,5,9")]
Psi = Annotated[float, typer.Option(help="Truncation: less is safer and more alike")]
Class = Annotated[
    str | None, typer.Option("--class", metavar="NAME", help="For models with classes; default: the first")
]
Size = Annotated[int | None, typer.Option(help="Side in pixels; default: the model's own")]


@command()
def models(context: typer.Context) -> Result:
    """List the models: bundled ones, your own, and those of runs."""
    from imagen_demo.studio import library

    facts, rows = [], []
    for entry in library.list_models(context.obj):
        config = entry.info.config if entry.info else None
        fact = {"name": entry.name, "path": str(entry.path), "bundled": entry.bundled, "error": None}
        if config is None:
            facts.append(fact | {"error": str(entry.error)})
            rows.append(f"{entry.name:24}  {entry.error}")
            continue
        classes = list(entry.info.class_names)
        facts.append(fact | {"arch": config.arch, "resolution": config.resolution, "channels": config.channels,
                             "classes": classes, "in_training": entry.in_training})  # fmt: skip
        notes = [*(["bundled"] if entry.bundled else []), *(["in training"] if entry.in_training else []), *classes]
        rows.append(f"{entry.name:24}  {config.resolution:4} px  {config.arch:5}  {', '.join(notes)}".rstrip())
    return Result(facts, "\n".join(rows) or "There are no models yet.")


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


def _base(context: typer.Context, studio: Any, source: str, psi: float, label: str | None, size: int | None) -> Any:
    """The recipe that ``source`` means: a picture's, changed by the options that were written, or a model's."""
    from imagen_demo.studio.recipes import Recipe

    found = _picture(source)
    if found is None:
        name = library_name(context.obj, source)
        return Recipe(name, psi=psi, label=_class(studio.model(name).info, name, label), size=size)
    changes: dict[str, Any] = {"psi": psi, "psi_layers": ()} if given(context, "psi") else {}
    if label is not None:
        changes |= {"label": _class(studio.model_for(found).info, found.model, label), "class_mix": ()}
    return replace(found, **changes, size=found.size if size is None else size)


def _picture(source: str) -> Any:
    """The recipe of a link, of a recipe's JSON or of a PNG file; None where it is a name."""
    from imagen_demo.media import png
    from imagen_demo.studio.recipes import Recipe

    if source.lower().endswith(".png"):
        return Recipe.from_json(png.recipe_of(_file(Path(source))))
    return Recipe.from_text(source) if "=" in source or source.lstrip().startswith("{") else None


def _recipes(context: typer.Context, source: str, seeds: str, psi: float, label: str | None, size: int | None) -> Any:
    """The studio, and a recipe for each seed; without ``seeds`` the one of the picture ``source``."""
    from imagen_demo.studio.recipes import Studio
    from imagen_demo.studio.seeds import parse_seeds

    studio = Studio(context.obj)
    if not seeds and _picture(source) is not None:
        return studio, [_base(context, studio, source, psi, label, size)]
    if not seeds:
        raise UserError("Say which pictures of {model}: --seeds 42, or 0-15.", model=source)
    wanted = parse_seeds(seeds, most=MAX_SEEDS)
    base = _base(context, studio, source, psi, label, size)
    return studio, [replace(base, seeds=((seed, 1.0),)) for seed in wanted]


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


@command()
def generate(
    context: typer.Context,
    model: Source,
    out: Annotated[Path, typer.Option(metavar="DIR", help="Where the PNG files go")],
    seeds: Seeds = "",
    psi: Psi = DEFAULT_PSI,
    label: Class = None,
    size: Size = None,
) -> Result:
    """Draw pictures: seed0000.png, ..., each with its recipe inside; or the picture of a link or PNG, as it is there.

    Seeds, psi, class and size that are written change that picture.
    """
    from imagen_demo import storage
    from imagen_demo.cli.terminal import progress_bar
    from imagen_demo.studio.links import file_name

    studio, recipes = _recipes(context, model, seeds, psi, label, size)
    out.mkdir(parents=True, exist_ok=True)
    files = []
    with progress_bar() as progress:
        for done, recipe in enumerate(recipes):
            progress(done / len(recipes), f"{done} of {len(recipes)} pictures")
            files.append(out / (f"seed{recipe.seeds[0][0]:04d}.png" if seeds else file_name(recipe)))
            storage.write_bytes(files[-1], studio.png(recipe))
    return Result({"files": [str(file) for file in files]}, f"{len(files)} pictures in {out}")


@command()
def interpolate(
    context: typer.Context,
    model: Annotated[
        str,
        typer.Argument(metavar="MODEL_OR_RUN_OR_FILM", help="A model, a run, a picture, or a film: its link, its file"),
    ],
    out: Annotated[
        Path, typer.Option(metavar="FILE", help="The film: .mp4, .webm, .gif, .webp, .png (animated) or .zip (frames)")
    ],
    seeds: Seeds = "",
    seconds: Annotated[float, typer.Option(help="Length of the film")] = 4.0,
    fps: Annotated[int, typer.Option(help="Frames a second")] = 30,
    kind: Annotated[
        str,
        typer.Option("--kind", "--space", metavar="w|z|spline|loop|walk",
                     help="w: straight; z: along the sphere; spline: a curve through all; "
                          "loop, walk: round and round, or anywhere, from the first seed"),
    ] = "w",
    easing: Annotated[
        str, typer.Option(metavar="linear|smooth|cubic", help="How it leaves and reaches each picture")
    ] = "smooth",
    loop: Annotated[bool, typer.Option("--loop", help="Come back to the first picture")] = False,
    even: Annotated[bool, typer.Option("--even", help="One speed all along: equal visual steps")] = False,
    radius: Annotated[float, typer.Option(help="How far a loop or walk goes, up to 1")] = 0.5,
    speed: Annotated[float, typer.Option(help="Of a walk: other pictures' worth of change a second")] = 0.5,
    way_seed: Annotated[int, typer.Option(help="Which loop or walk")] = 0,
    sound: Annotated[Path | None, typer.Option(metavar="FILE", help="Drives the film, and is in it")] = None,
    react: Annotated[float, typer.Option(help="How much the sound drives the film, 0 to 1")] = 0.7,
    background: Annotated[str, typer.Option(help="A colour, checkerboard, transparent")] = "transparent",
    psi: Psi = DEFAULT_PSI,
    label: Class = None,
    size: Size = None,
) -> Result:  # fmt: skip
    """Make a film that goes from picture to picture: of --seeds, or again that of a link or file, as it is there.

    Of a film that is made again, format, size and sound can be changed.
    """
    from imagen_demo.cli.terminal import progress_bar
    from imagen_demo.media.audio import read_sound
    from imagen_demo.media.formats import format_of
    from imagen_demo.studio import interpolations
    from imagen_demo.studio.recipes import Studio
    from imagen_demo.studio.timeline import Timeline, shared_out

    format, heard = format_of(out), read_sound(_file(sound)) if sound else None
    if again := _film(model):
        if given(context, "seeds"):
            raise UserError("This film has its own pictures; leave --seeds out.")
        studio, timeline = Studio(context.obj), replace(again, format=format)
        timeline = replace(timeline, size=size or timeline.size, sound=heard.hash if heard else timeline.sound)
    else:
        studio, recipes = _recipes(context, model, seeds, psi, label, None)
        timeline = Timeline(
            tuple(recipes), kind, shared_out(seconds, len(recipes), loop), easing, loop, even, radius, way_seed, speed,
            fps, size, format, background, heard.hash if heard else "", react,
        )  # fmt: skip
    out.parent.mkdir(parents=True, exist_ok=True)
    with progress_bar() as progress:
        film = interpolations.write(studio, timeline, out, progress, heard)
    facts = {"file": str(out), "frames": film.count, "seconds": film.count / timeline.fps,
             "link": f"t={interpolations.pinned(studio, timeline).to_link()}"}  # fmt: skip
    return Result(facts, f"{film.count} frames in {out}")


def _film(source: str) -> Any:
    """The timeline of a link, or of a film's file; None where it is a model or a picture."""
    from imagen_demo.studio.timeline import from_file, from_link, is_link

    if is_link(source):
        return from_link(source)
    file = Path(source)
    if not file.suffix or not os.path.isfile(source):
        return None
    found = from_file(file)
    if found is None and file.suffix.lower() != ".png":
        raise UserError(
            "{name} carries no film. Only films saved by Imagen Demo do, and only unchanged ones.", name=file.name
        )
    return found


def _file(file: Path) -> Path:
    if not file.is_file():
        raise UserError("{name} is neither a folder nor a file.", name=file)
    return file


@command()
def grid(
    context: typer.Context,
    model: Source,
    x: Annotated[str, typer.Option("--x", metavar="AXIS", help="Across: psi=0..1:5, seed=0-3, pc0=-3..3:7, class=cat")],
    out: Annotated[Path, typer.Option(metavar="FILE.png", help="The picture, with the grid's description inside")],
    y: Annotated[str | None, typer.Option("--y", metavar="AXIS", help="Down, written in the same way")] = None,
    seed: Annotated[str, typer.Option(help="What does not vary: one seed, or two blended, 1,2; default: 0")] = "",
    fine: Annotated[str | None, typer.Option(help="A seed for the fine layers (style mixing)")] = None,
    split: Annotated[int, typer.Option(help="The first layer that the fine seed rules")] = 0,
    psi: Psi = DEFAULT_PSI,
    label: Class = None,
    side: Annotated[int | None, typer.Option(help="Pixels of one picture; default: the model's own")] = None,
) -> Result:
    """Vary two things of a picture across and down, and draw the table with its labels."""
    from imagen_demo.cli.terminal import progress_bar
    from imagen_demo.studio import grid_files, grids
    from imagen_demo.studio.recipes import Studio
    from imagen_demo.studio.seeds import parse_seeds

    studio = Studio(context.obj)
    base = _base(context, studio, model, psi, label, None)
    if seed:
        base = replace(base, seeds=tuple((number, 1.0) for number in parse_seeds(seed, most=16)))
    if fine:
        base = replace(base, fine_seeds=((parse_seeds(fine)[0], 1.0),), split=split)
    classes = list(studio.model_for(base).info.class_names)
    axes = [grids.parse_axis(text, classes) if text else None for text in (x, y)]
    table = grids.Grid(base, axes[0], axes[1])
    out.parent.mkdir(parents=True, exist_ok=True)
    with progress_bar() as progress:
        grid_files.write(studio, table, out, side=side, progress=progress)
    count = len(table.rows) * len(table.rows[0])
    return Result({"file": str(out), "pictures": count}, f"{count} pictures in {out}")
