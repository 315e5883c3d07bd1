"""The command that takes a model out of here: export."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from imagen_demo.cli.commands import Result, command, python_line, refuse
from imagen_demo.cli.sources import Model, library_name
from imagen_demo.errors import UserError


@command()
def export(
    context: typer.Context,
    model: Model,
    onnx: Annotated[
        Path | None, typer.Option(metavar="FILE.onnx", help="z to picture; its two halves are written beside it")
    ] = None,
    web: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="A web page that draws in the visitor's browser")
    ] = None,
    ort: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="ONNX Runtime Web: its npm package's folder or .tgz; default: npm fetches it"),
    ] = None,
) -> Result:
    """Write a model as ONNX, checked against PyTorch, or as a static web page."""
    from imagen_demo.cli.terminal import progress_bar
    from imagen_demo.export import onnx as networks
    from imagen_demo.export.web import write_page
    from imagen_demo.studio.recipes import Studio

    if (onnx is None) == (web is None):
        raise UserError("Say what to export: either --onnx FILE or --web FOLDER.")
    if web is None:
        refuse(context, ["ort"], UserError("it needs --web."))
    name = library_name(context.obj, model)
    studio = Studio(context.obj, "cpu")
    with progress_bar() as progress:
        if onnx is not None:
            facts = networks.export_onnx(studio.model(name), name, onnx, progress)
            return Result(facts, _networks_text(facts))
        facts = write_page(studio.model(name), name, studio.directions(name), web, context.obj.exports, ort, progress)
    text = f"{web}: {facts['bytes'] / 1e6:.1f} MB; pictures differ from PyTorch's by at most "
    text += f"{facts['differences']['synthesis']:.2g} of 255 levels before rounding. Look at it with: "
    return Result(facts, text + python_line("-m", "http.server", "--directory", str(web)))


def _networks_text(facts: dict[str, Any]) -> str:
    rows = zip(facts["files"], facts["bytes"], facts["differences"], strict=True)
    return "\n".join(
        f"{file}  {size / 1e6:.2f} MB  differs from PyTorch by at most {difference:.2g}"
        + (" in w" if file.endswith("-mapping.onnx") else " of 255 levels")
        for file, size, difference in rows
    )
