"""Commands that learn: prepare, train; and runs, pause, stop."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any

import typer

from imagen_demo.cli.commands import Result, command, config_from, given, program, refuse, torchrun, written
from imagen_demo.config import PrepareConfig, TrainConfig, settings
from imagen_demo.errors import UserError
from imagen_demo.progress import pictures_seen
from imagen_demo.workspace import Workspace, checked_name

# torch and what needs it are imported inside the commands, so that --help answers at once.

RunName = Annotated[str, typer.Argument(metavar="RUN", help="Its name, as `runs` lists it")]


@command(PrepareConfig)
def prepare(
    context: typer.Context,
    source: Annotated[Path, typer.Argument(metavar="SOURCE", help="A folder, zip or tar of pictures")],
    name: Annotated[str | None, typer.Option(metavar="DATASET", help="Its name; default: after the source")] = None,
    replace: Annotated[bool, typer.Option("--replace", help="Replace a dataset of this name")] = False,
    **values: Any,
) -> Result:
    """Check pictures and make a dataset of them."""
    dataset = _prepare(context.obj, source, name, config_from(PrepareConfig, values), replace)
    facts = {
        "name": dataset.name, "path": str(dataset.path), "resolution": dataset.resolution,
        "channels": dataset.channels, "classes": dataset.class_names, "counts": dataset.manifest["counts"],
    }  # fmt: skip
    return Result(facts, _prepared(dataset))


def _prepared(dataset: Any) -> str:
    return f"Prepared {dataset.name}: {len(dataset)} pictures, {dataset.resolution} pixels, in {dataset.path}"


def _prepare(workspace: Workspace, source: Path, name: str | None, config: PrepareConfig, replace: bool = False) -> Any:
    from imagen_demo.cli.terminal import progress_bar, say
    from imagen_demo.data.dataset import report
    from imagen_demo.studio import datasets

    if re.match(r"https?:/", str(source)):
        raise UserError("Nothing is downloaded: fetch the pictures yourself, and write where they lie.")
    if not source.exists():
        raise UserError("{source} was found neither as a prepared dataset nor as a file or folder.", source=source)
    name = checked_name(name) if name else _name_after(source)
    with progress_bar() as progress:
        dataset = datasets.prepare_dataset(workspace, source, name, config, progress, replace=replace)
    for template, values in report(dataset):
        say(template.format(**values))
    if dataset.name != name:
        say(f"There is a dataset {name} already; this one is called {dataset.name}.")
    return dataset


def _name_after(source: Path) -> str:
    name = re.sub(r"[^\w .\-]", "-", source.resolve().name.split(".")[0])[:60].strip(" .-")
    return name or "pictures"


@command(TrainConfig, PrepareConfig)
def train(
    context: typer.Context,
    source: Annotated[str | None, typer.Argument(metavar="SOURCE_OR_DATASET", help="Pictures, or a dataset")] = None,
    name: Annotated[str | None, typer.Option(metavar="RUN", help="Name of the run; default: after the source")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with run --name; --minutes adds that many")] = False,
    from_model: Annotated[str | None, typer.Option("--from", metavar="MODEL", help="Begin with what it knows")] = None,
    detach: Annotated[bool, typer.Option("--detach", help="Return at once; the run goes on")] = False,
    **values: Any,
) -> Result:
    """Train on a folder or zip of pictures, or on a prepared dataset."""
    from imagen_demo.cli.terminal import say, watch
    from imagen_demo.studio import jobs
    from imagen_demo.training.distributed import launched

    workspace: Workspace = context.obj
    config = config_from(TrainConfig, values)
    minutes, told = config.minutes if given(context, "minutes") else None, 0

    def ready() -> str:
        pictures = _needed(source, "SOURCE_OR_DATASET")
        _refuse_early(workspace, config, name, from_model)
        return _dataset(context, workspace, pictures, values)

    if resume:
        _refuse_new(_needed(name, "--name RUN"), source, from_model)
        run = jobs.find_run(workspace, name)
        _refuse_changes(context, run, values)
    if launched():  # torchrun started this command, several times over
        from imagen_demo.cli.together import train_together

        old = (run.name, minutes) if resume else None
        run = train_together(workspace, config, lambda: (ready(), name, from_model), old)
        return Result(_facts(run), _ending(context, run, torchrun(context, "train", "--name", run.name, "--resume")))
    if resume:
        told = len(run.events())
        jobs.resume_run(run, minutes)
    else:
        dataset = ready()
        run = jobs.start(workspace, dataset, config, name or dataset, from_model=from_model)
        if run.name != (name or dataset).strip():
            say(f"There is a run {name or dataset} already; this one is called {run.name}.")
    go_on = program(context, "train", "--name", run.name, "--resume")
    if detach:
        return Result({"run": run.name, "path": str(run.path)}, f"{run.name} trains in {run.path}")
    say(f"Training {run.name} in {run.path}")
    try:
        status = watch(run, told)
    except KeyboardInterrupt:
        return Result(_facts(run), f"{run.name} is left to itself. Look: {program(context)} runs")
    failed = status.state in ("failed", "interrupted")
    if failed:
        say(f"{status.error or 'The trainer was ended from outside.'} Go on with: {go_on}")
    return Result(_facts(run), _ending(context, run, go_on), code=int(failed))


def _refuse_early(workspace: Workspace, config: TrainConfig, name: str | None, from_model: str | None) -> None:
    """Refuse what cannot work whatever the pictures are, before they are prepared."""
    from imagen_demo.studio import jobs
    from imagen_demo.training.schedule import like_parent, pick_device

    if name:
        checked_name(name)
    pick_device(config.device)
    if parent := jobs.network_of(workspace, from_model):
        like_parent(config, parent)


def _refuse_new(name: str, source: str | None, from_model: str | None) -> None:
    """Refuse what a run that goes on has already."""
    if source:
        raise UserError("--resume goes on with the pictures of run {name}; leave {source} out.",
                        name=name, source=source)  # fmt: skip
    if from_model:
        raise UserError("--from is for a new run; --resume goes on with what run {name} has learned.", name=name)


def _refuse_changes(context: typer.Context, run: Any, values: dict[str, Any]) -> None:
    """Refuse what would not change a run that goes on; settings that it has anyway may be written again.

    So may those that leave the choice to us: it was made when the run began.
    """
    from imagen_demo.studio import jobs

    if problem := jobs.damage(run):
        raise problem
    own = run.config()["train"]
    kept = own | {field.name: field.default for field in settings(TrainConfig) if _ours(field, values)}
    others = [name for name in written(context) if name in values and kept.get(name) != values[name]]
    refuse(context, set(others) - {"minutes"}, UserError(
        "a run that goes on keeps its settings. --minutes gives it more time."))  # fmt: skip


def _ours(field: Any, values: dict[str, Any]) -> bool:
    """Whether a setting says: choose for me."""
    return values[field.name] in ("auto", field.metadata["auto"])


def _needed(value: str | None, what: str) -> str:
    if not value:
        raise UserError("{what} is missing.", what=what)
    return value


def _dataset(context: typer.Context, workspace: Workspace, source: str, values: dict[str, Any]) -> str:
    """The name of the dataset to train on; pictures are prepared first."""
    from imagen_demo.cli.terminal import say

    path = Path(source)
    inside = path.resolve().parent == workspace.datasets.resolve()
    name = path.name if inside else source
    if re.search(r"[/\\]", name) or not (workspace.datasets / name / "manifest.json").exists():
        dataset = _prepare(workspace, path, None, config_from(PrepareConfig, values))
        say(_prepared(dataset))
        return dataset.name
    for field in settings(PrepareConfig):
        if given(context, field.name):
            raise UserError(
                "{dataset} is prepared already; --{option} is only for pictures. Name their folder with a path, "
                "such as ./{dataset}, or leave it out.", dataset=name, option=field.name,
            )  # fmt: skip
    if path.exists() and not inside:
        say(f"The pictures are those of the prepared dataset {name}; to read {source} again, write ./{source}")
    return name


def _facts(run: Any) -> dict[str, Any]:
    from imagen_demo.studio import jobs

    status = run.status()
    keys = ("state", "kimg", "images_per_second", "seconds", "progress", "eta", "quality", "error")
    facts = {"run": run.name, "path": str(run.path), "model": jobs.published(run)}
    advice = status.advice.get("template", "").format(**status.advice.get("values", {}))
    facts["advice"] = advice if status.alive or status.advice.get("level") == "act" else None
    return facts | {key: getattr(status, key) for key in keys}


def _ending(context: typer.Context, run: Any, go_on: str) -> str:
    from imagen_demo.models.folder import read_info

    facts = _facts(run)
    lines = [f"{run.name}: {facts['state']} after {pictures_seen(facts['kimg'])} pictures."]
    if facts["advice"]:
        lines.append(facts["advice"])
    if facts["state"] == "stopped":
        lines.append(f"Go on with: {go_on}")
    if facts["model"]:
        draw = program(context, "generate", facts["model"], "--seeds", "0-15", "--out", "DIR")
        best = read_info(context.obj.checkpoints / facts["model"]).training["kimg"]
        lines.append(f"Its best network, that after {pictures_seen(best)} pictures, is in the library: {draw}")
    return "\n".join(lines)


# -- runs ------------------------------------------------------------------------------------------


@command()
def runs(context: typer.Context) -> Result:
    """List the training runs, newest first."""
    from imagen_demo.studio import jobs

    facts = [_facts(run) for run in jobs.list_runs(context.obj)]
    rows = [
        f"{f['run']:24}  {f['state']:11}  {pictures_seen(f['kimg']):>9} pictures  {100 * f['progress']:3.0f}%"
        for f in facts
    ]
    return Result(facts, "\n".join(rows) or "There are no runs yet.")


@command()
def pause(context: typer.Context, run: RunName) -> Result:
    """Let a run wait; `train --name RUN --resume` wakes it."""
    return _ask(context, run, "pause")


@command()
def stop(context: typer.Context, run: RunName) -> Result:
    """End a run in good order: everything is saved, its best network goes into the library."""
    return _ask(context, run, "stop")


def _ask(context: typer.Context, name: str, what: str) -> Result:
    from imagen_demo.studio import jobs

    run = jobs.find_run(context.obj, name)
    {"pause": jobs.pause, "stop": jobs.stop}[what](run)
    return Result({"run": run.name, "asked": what}, f"{run.name} was asked to {what}.")
