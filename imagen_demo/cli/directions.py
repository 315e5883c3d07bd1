"""Commands about a model's directions: find, list, export, import."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from imagen_demo.cli.commands import Result, app, command, counted
from imagen_demo.cli.sources import Model, library_name

group = typer.Typer(help="The directions in which a model's pictures can be changed.", no_args_is_help=True)
app.add_typer(group, name="directions")


def _listed(found: Any) -> Result:
    facts, rows = [], []
    for each in found:
        fact = {"id": each.id, "kind": each.kind, "name": each.name, "name_zh": each.name_zh or each.name}
        fact |= {"layers": each.layers, "purity": each.purity, "effects": each.effects, "hidden": each.hidden}
        facts.append(fact)
        strongest = sorted(each.effects.items(), key=lambda effect: -abs(effect[1]))[:3]
        effects = ", ".join(f"{name} {value:+.1f}" for name, value in strongest)
        purity = "" if each.purity is None else f"{each.purity:.2f}"
        rows.append(f"{each.id:20}  {each.name:24}  {each.layers or 'all':7}  {purity:6}  {effects}".rstrip())
    head = f"{'id':20}  {'name':24}  {'layers':7}  {'purity':6}  what +1 changes, in standard deviations"
    return Result(facts, "\n".join([head, *rows]))


@command(group=group)
def discover(context: typer.Context, model: Model) -> Result:
    """Find a model's directions, measure them, and keep them with the model."""
    from imagen_demo.cli.terminal import progress_bar
    from imagen_demo.studio import directions
    from imagen_demo.studio.recipes import Studio

    studio = Studio(context.obj)
    with progress_bar() as progress:
        return _listed(directions.discover(studio, library_name(context.obj, model), progress))


@command(group=group, name="list")
def list_directions(context: typer.Context, model: Model) -> Result:
    """List the directions known of a model, and what each changes."""
    from imagen_demo.studio.recipes import Studio

    return _listed(Studio(context.obj).directions(library_name(context.obj, model)))


@command(group=group, name="export")
def export_directions(
    context: typer.Context,
    model: Model,
    ids: Annotated[str, typer.Option(metavar="pc0,sf2,...", help="Which directions; their ids are in the list")],
    out: Annotated[Path, typer.Option(metavar="FILE.safetensors", help="The file")],
) -> Result:
    """Write directions into a file for others who have the same model."""
    from imagen_demo.studio import directions
    from imagen_demo.studio.recipes import Studio

    chosen = [id for part in ids.split(",") if (id := part.strip())]
    directions.export_file(Studio(context.obj), library_name(context.obj, model), chosen, out)
    return Result({"file": str(out), "ids": chosen}, f"{counted(len(chosen), 'direction')} in {out}")


@command(group=group, name="import")
def import_directions(
    context: typer.Context,
    model: Model,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What export has written")],
) -> Result:
    """Take in directions that somebody exported for the same model."""
    from imagen_demo.studio import directions
    from imagen_demo.studio.recipes import Studio

    return _listed(directions.import_file(Studio(context.obj), library_name(context.obj, model), file))
