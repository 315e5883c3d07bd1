"""Commands that show and draw: models, generate, grid."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from imagen_demo.cli.commands import Result, command, counted, given, refuse
from imagen_demo.cli.sources import Source, base, called_as_file, recipes
from imagen_demo.config import DEFAULT_PSI
from imagen_demo.errors import UserError

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
    from imagen_demo.studio.recipes import Studio

    studio = Studio(context.obj)
    wanted = recipes(context, studio, model, seeds, psi, label, size)
    if out.is_file() or (called_as_file(out) and not out.is_dir()):
        raise UserError("--out is the folder that the PNG files go into; {name} looks like a file.", name=out)
    files = []
    with progress_bar() as progress:
        for done, recipe in enumerate(wanted):
            progress(done / len(wanted), f"{done} of {len(wanted)} pictures")
            files.append(out / (f"seed{recipe.seeds[0][0]:04d}.png" if seeds else file_name(recipe)))
            drawn = studio.png(recipe)
            out.mkdir(parents=True, exist_ok=True)  # not before there is something to put there
            storage.write_bytes(files[-1], drawn)
    return Result({"files": [str(file) for file in files]}, f"{counted(len(files), 'picture')} in {out}")


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

    if out.suffix.lower() != ".png":
        raise UserError("The name of a grid's file ends in .png; {name} does not.", name=out.name)
    studio = Studio(context.obj)
    middle = base(context, studio, model, psi, label, None)
    if seed:
        middle = replace(middle, seeds=tuple((number, 1.0) for number in parse_seeds(seed, most=16)))
    classes = list(studio.model_for(middle).info.class_names)
    axes = [grids.parse_axis(text, classes) if text else None for text in (x, y)]
    varied = {axis.parameter: axis.values for axis in axes if axis}
    options = {"psi": "psi", "class": "label", "fine": "fine", "split": "split"}
    if len(middle.seeds) == 1:  # of two blended, the grid varies the first alone
        options["seed"] = "seed"
    refuse(context, [options[name] for name in varied if name in options], UserError("the grid varies it."))
    if fine or "fine" in varied:
        first = parse_seeds(fine, most=1)[0] if fine else int(varied["fine"][0])
        middle = replace(middle, fine_seeds=((first, 1.0),), split=split)
    elif middle.fine_seeds and given(context, "split"):  # of the picture that was given
        middle = replace(middle, split=split)
    else:
        refuse(context, ["split"], UserError("it needs --fine."))
    table = grids.Grid(middle, axes[0], axes[1])
    with progress_bar() as progress:
        grid_files.write(studio, table, out, side=side, progress=progress)
    count = len(table.rows) * len(table.rows[0])
    return Result({"file": str(out), "pictures": count}, f"{counted(count, 'picture')} in {out}")
