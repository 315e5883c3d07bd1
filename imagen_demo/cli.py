"""The same jobs without a browser: ``python -m imagen_demo COMMAND``.

Every command prints its result on stdout, as JSON with ``--json``, and ends with 0;
with 2 and one sentence on stderr when the input is at fault; with 1 when the work failed.
Options that are settings come from the dataclasses of ``config.py``.
"""

from __future__ import annotations

import json
import re
import shlex
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from imagen_demo.cli_settings import Result, config_from, given, with_settings
from imagen_demo.config import PrepareConfig, TrainConfig, settings
from imagen_demo.errors import Cancelled, UserError
from imagen_demo.workspace import Workspace, checked_name

# torch and what needs it are imported inside the commands, so that --help answers at once.

PROGRAM = "python -m imagen_demo"
MAX_SEEDS = 100_000

app = typer.Typer(
    help="Train a GAN on your own pictures and explore its latent space.",
    no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)  # fmt: skip

Model = Annotated[str, typer.Argument(metavar="MODEL_OR_RUN", help="A model of the library, or a training run")]
Seeds = Annotated[str, typer.Option(help="Which pictures: 0-15, or 1,5,9")]
Psi = Annotated[float, typer.Option(help="Truncation: less is safer and more alike")]
Class = Annotated[
    str | None, typer.Option("--class", metavar="NAME", help="For models with classes; default: the first")
]
Size = Annotated[int | None, typer.Option(help="Side in pixels; default: the model's own")]
RunName = Annotated[str, typer.Argument(metavar="RUN")]


def command(*configs: type) -> Callable[[Callable[..., Result]], Callable[..., None]]:
    """Make a function that returns a :class:`Result` a command, with options for the settings of ``configs``."""
    return lambda work: app.command()(with_settings(work, *configs))


@app.callback()
def options(
    context: typer.Context,
    workspace: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Datasets, runs and models; default: IMAGEN_DEMO_WORKSPACE, else the project"),
    ] = None,
) -> None:
    context.obj = Workspace.default(workspace)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    try:
        result = app(args=arguments, prog_name=PROGRAM, standalone_mode=False)
    except (UserError, typer.TyperException) as error:
        message = error.format_message() if isinstance(error, typer.TyperException) else str(error)
        print(message, file=sys.stderr)
        return 2
    except (Cancelled, KeyboardInterrupt, typer.Abort):
        print("Stopped; nothing half-made was left behind.", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"That did not work: {error}.", file=sys.stderr)
        return 1
    return result if isinstance(result, int) else 0


# -- learning ------------------------------------------------------------------------------------


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
    return Result(
        facts, f"Prepared {dataset.name}: {len(dataset)} pictures, {dataset.resolution} pixels, in {dataset.path}"
    )


def _prepare(workspace: Workspace, source: Path, name: str | None, config: PrepareConfig, replace: bool = False) -> Any:
    from imagen_demo.data.dataset import report
    from imagen_demo.studio import jobs
    from imagen_demo.terminal import progress_bar, say

    if not source.exists():
        raise UserError("{source} was found neither as a prepared dataset nor as a file or folder.", source=source)
    name = checked_name(name) if name else _name_after(source)
    with progress_bar() as progress:
        dataset = jobs.prepare_dataset(workspace, source, name, config, progress, replace=replace)
    for template, values in report(dataset):
        say(template.format(**values))
    return dataset


def _name_after(source: Path) -> str:
    name = re.sub(r"[^\w .\-]", "-", source.resolve().name.split(".")[0])[:60].strip(" .-")
    return name or "pictures"


@command(TrainConfig, PrepareConfig)
def train(
    context: typer.Context,
    source: Annotated[str | None, typer.Argument(metavar="SOURCE_OR_DATASET", help="Pictures, or a dataset")] = None,
    name: Annotated[str | None, typer.Option(metavar="RUN", help="The run's name; default: after the source")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with this run; --minutes adds that many")] = False,
    from_model: Annotated[str | None, typer.Option("--from", metavar="MODEL", help="Start from a model")] = None,
    detach: Annotated[bool, typer.Option("--detach", help="Return at once; the run goes on")] = False,
    **values: Any,
) -> Result:
    """Train on a folder or zip of pictures, or on a prepared dataset."""
    from imagen_demo.studio import jobs
    from imagen_demo.terminal import say, watch

    workspace: Workspace = context.obj
    config = config_from(TrainConfig, values)
    if resume:
        run = jobs.find_run(workspace, _needed(name, "--name RUN"))
        jobs.resume_run(run, config.minutes if given(context, "minutes") else None)
    else:
        dataset = _dataset(context, workspace, _needed(source, "SOURCE_OR_DATASET"), values)
        run = jobs.start(workspace, dataset, config, name or dataset, from_model=from_model)
    go_on = f"{PROGRAM} train --name {shlex.quote(run.name)} --resume"
    if detach:
        return Result({"run": run.name, "path": str(run.path)}, f"{run.name} trains in {run.path}")
    say(f"Training {run.name} in {run.path}")
    try:
        status = watch(run)
    except KeyboardInterrupt:
        return Result(_facts(run), f"{run.name} is left to itself. Look: {PROGRAM} runs")
    failed = status.state in ("failed", "interrupted")
    if failed:
        say(f"{status.error or 'The trainer was ended from outside.'} Go on with: {go_on}")
    return Result(_facts(run), _ending(run, go_on), code=int(failed))


def _needed(value: str | None, what: str) -> str:
    if not value:
        raise UserError("{what} is missing.", what=what)
    return value


def _dataset(context: typer.Context, workspace: Workspace, source: str, values: dict[str, Any]) -> str:
    """The name of the dataset to train on; pictures are prepared first."""
    path = Path(source)
    name = path.name if path.resolve().parent == workspace.datasets.resolve() else source
    if re.search(r"[/\\]", name) or not (workspace.datasets / name / "manifest.json").exists():
        return _prepare(workspace, path, None, config_from(PrepareConfig, values)).name
    for field in settings(PrepareConfig):
        if given(context, field.name):
            raise UserError(
                "{dataset} is prepared already; --{option} is only for pictures. Name their folder with a path, "
                "such as ./{dataset}, or leave it out.", dataset=name, option=field.name,
            )  # fmt: skip
    return name


def _facts(run: Any) -> dict[str, Any]:
    from imagen_demo.studio import jobs

    status = jobs.status(run)
    keys = ("state", "kimg", "images_per_second", "seconds", "progress", "eta", "quality", "error")
    return {"run": run.name, "path": str(run.path), "model": _published(run)} | {k: getattr(status, k) for k in keys}


def _published(run: Any) -> str | None:
    """The library name of what a run made."""
    try:
        return json.loads((run.path / "published.json").read_text("utf-8"))["model"]
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _ending(run: Any, go_on: str) -> str:
    facts = _facts(run)
    lines = [f"{run.name}: {facts['state']} after {facts['kimg']:.1f} kimg."]
    if facts["state"] == "stopped":
        lines.append(f"Go on with: {go_on}")
    if facts["model"]:
        model = shlex.quote(facts["model"])
        lines.append(f"Its best network is in the library: {PROGRAM} generate {model} --seeds 0-15 --out DIR")
    return "\n".join(lines)


# -- runs ------------------------------------------------------------------------------------------


@command()
def runs(context: typer.Context) -> Result:
    """List the training runs, newest first."""
    from imagen_demo.studio import jobs

    facts = [_facts(run) for run in jobs.list_runs(context.obj)]
    rows = [f"{f['run']:24}  {f['state']:11}  {f['kimg']:9.1f} kimg  {100 * f['progress']:3.0f}%" for f in facts]
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


# -- pictures and videos -----------------------------------------------------------------------------


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


def parse_seeds(text: str) -> list[int]:
    """``0-3,7`` -> [0, 1, 2, 3, 7].

    Raises:
        UserError: it is no list of seeds, or a very long one.
    """
    seeds: list[int] = []
    for part in text.split(","):
        found = re.fullmatch(r"\s*(\d{1,10})\s*(?:-\s*(\d{1,10}))?\s*", part)
        first, last = (int(found[1]), int(found[2] or found[1])) if found else (1, 0)
        if last < first or last >= 2**32 or len(seeds) + last - first >= MAX_SEEDS:
            raise UserError("{text!r} is no list of seeds; write 0-15 or 1,5,9.", text=text[:60])
        seeds += range(first, last + 1)
    return seeds


def _recipes(context: typer.Context, name: str, seeds: str, psi: float, label: str | None, size: int | None) -> Any:
    """The studio, and a recipe for each seed."""
    from imagen_demo.studio import library
    from imagen_demo.studio.recipes import Recipe, Studio

    wanted = parse_seeds(seeds)
    try:
        library.find(context.obj, name)
    except UserError:
        if "/" in name or not (context.obj.runs / checked_name(name) / "latest").exists():
            raise
        name = library.RUN_PREFIX + name
    studio = Studio(context.obj)
    info = studio.model(name).info
    index = _class(info, name, label)
    return studio, [Recipe(name, seeds=((seed, 1.0),), psi=psi, label=index, size=size) for seed in wanted]


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
    model: Model,
    seeds: Seeds,
    out: Annotated[Path, typer.Option(metavar="DIR", help="Where the PNG files go")],
    psi: Psi = 0.8,
    label: Class = None,
    size: Size = None,
) -> Result:
    """Draw pictures: seed0000.png, ..., each with its recipe inside."""
    from imagen_demo import storage
    from imagen_demo.terminal import progress_bar

    studio, recipes = _recipes(context, model, seeds, psi, label, size)
    out.mkdir(parents=True, exist_ok=True)
    files = []
    with progress_bar() as progress:
        for done, recipe in enumerate(recipes):
            progress(done / len(recipes), f"{done} of {len(recipes)} pictures")
            files.append(out / f"seed{recipe.seeds[0][0]:04d}.png")
            storage.write_bytes(files[-1], studio.png(recipe))
    return Result({"files": [str(file) for file in files]}, f"{len(files)} pictures in {out}")


@command()
def interpolate(
    context: typer.Context,
    model: Model,
    seeds: Seeds,
    out: Annotated[Path, typer.Option(metavar="FILE.mp4", help="The video")],
    seconds: Annotated[float, typer.Option(help="Its length")] = 4.0,
    fps: Annotated[int, typer.Option(help="Frames a second")] = 30,
    space: Annotated[str, typer.Option(metavar="w|z", help="w: straight between styles; z: along the sphere")] = "w",
    easing: Annotated[str, typer.Option(help="How it leaves and reaches each picture")] = "smooth",
    loop: Annotated[bool, typer.Option("--loop", help="Come back to the first picture")] = False,
    psi: Psi = 0.8,
    label: Class = None,
    size: Size = None,
) -> Result:
    """Make a video that goes from picture to picture."""
    from imagen_demo.studio import interpolations
    from imagen_demo.terminal import progress_bar

    studio, recipes = _recipes(context, model, seeds, psi, label, None)
    way = interpolations.Interpolation(tuple(recipes), space, easing, seconds, fps, loop)
    out.parent.mkdir(parents=True, exist_ok=True)
    with progress_bar() as progress:
        interpolations.write(studio, way, out, progress, size=size)
    facts = {"file": str(out), "frames": way.count, "seconds": way.count / fps}
    return Result(facts, f"{way.count} frames in {out}")


@command()
def doctor(context: typer.Context) -> Result:
    """Look at this machine and say what works."""
    from imagen_demo.studio.doctor import examine

    findings = examine(context.obj)
    width = max(len(finding.name) for finding in findings)
    lines = [f"{f.level:7}  {f.name:{width}}  {f.found}{f'  -> {f.advice}' if f.advice else ''}" for f in findings]
    broken = any(finding.level == "problem" for finding in findings)
    return Result([vars(finding) for finding in findings], "\n".join(lines), code=int(broken))
