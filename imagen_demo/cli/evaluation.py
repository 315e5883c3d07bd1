"""The command that measures: evaluate."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from imagen_demo.cli.commands import Result, command
from imagen_demo.cli.sources import Model, library_name
from imagen_demo.models.metrics import MEANINGS
from imagen_demo.workspace import Workspace, checked_name


@command()
def evaluate(
    context: typer.Context,
    model: Model,
    dataset: Annotated[str, typer.Argument(metavar="DATASET", help="A prepared dataset")],
    metrics: Annotated[
        str | None, typer.Option(help="Some of fid,kid,pr,swd,memorisation; default: all that are at hand")
    ] = None,
    samples: Annotated[int, typer.Option(help="Pictures to draw for fid, kid and pr")] = 2000,
    save: Annotated[bool, typer.Option("--save", help="Write the numbers into the model and its card")] = False,
) -> Result:
    """Measure how good a model's pictures are, and whether they are new."""
    from imagen_demo.cli.terminal import progress_bar, say
    from imagen_demo.data.dataset import open_dataset
    from imagen_demo.studio import evaluation, library
    from imagen_demo.training.features import FILE, place

    workspace: Workspace = context.obj
    name, pictures = library_name(workspace, model), open_dataset(_folder(workspace, dataset))
    if save:
        library.check_own(workspace, name)
    wanted = None if metrics is None else [part.strip().lower() for part in metrics.split(",") if part.strip()]
    with progress_bar() as progress:
        found = evaluation.evaluate(workspace, name, pictures, wanted, samples, progress)
    if wanted is None and evaluation.metrics_at_hand(workspace) != evaluation.METRICS:
        say(f"Without FID, KID, precision and recall: their network file {FILE} is not at {place(workspace.root)}.")
    if save:
        library.add_metrics(workspace, name, found)
    lines = [f"{value:10.4g}  {MEANINGS[key]}" for key, value in found.items()]
    facts = {"model": name, "dataset": pictures.name, "samples": samples, "metrics": found}
    return Result(facts, "\n".join(lines))


def _folder(workspace: Workspace, dataset: str) -> Path:
    """The dataset of that name, which may also be written as the path of its folder in the workspace."""
    path = Path(dataset)
    inside = path.resolve().parent == workspace.datasets.resolve()
    return workspace.datasets / checked_name(path.name if inside else dataset)
