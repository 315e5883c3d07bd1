"""How a function becomes a command: an option for each setting of ``config.py``, ``--json``, and an exit code."""

from __future__ import annotations

import functools
import inspect
import json
import os
import shlex
import subprocess
import sys
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Annotated, Any, NamedTuple, TypeVar, get_type_hints

import typer

from imagen_demo.config import PrepareConfig, TrainConfig, check_cores, settings
from imagen_demo.errors import UserError
from imagen_demo.workspace import Workspace

PANELS = {PrepareConfig: "Preparing pictures", TrainConfig: "Training"}
Config = TypeVar("Config")


app = typer.Typer(
    help="Train a GAN on your own pictures and explore its latent space.",
    epilog="Begin with: train PICTURES --name NAME, then: generate NAME --seeds 0-15 --out DIR",
    no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)  # fmt: skip


class Result(NamedTuple):
    """What a command found: ``value`` is printed with ``--json``, else ``text``."""

    value: Any
    text: str
    code: int = 0


def command(
    *configs: type, group: typer.Typer = app, name: str | None = None
) -> Callable[[Callable[..., Result]], Callable[..., None]]:
    """Make a function that returns a :class:`Result` a command, with options for the settings of ``configs``.

    ``group``: the commands it is one of; ``name``: where it is not the function's.
    """
    return lambda work: group.command(name)(_with_settings(work, *configs))


def _with_settings(work: Callable[..., Result], *configs: type) -> Callable[..., None]:
    """``work(context, ..., **settings)`` as typer wants it: with one option for each setting of ``configs``."""

    @functools.wraps(work)
    def run(context: typer.Context, **values: Any) -> None:
        as_json = values.pop("json")
        result = work(context, **values)
        print(json.dumps(result.value, indent=1, ensure_ascii=False) if as_json else result.text, flush=True)
        if result.code:
            raise typer.Exit(result.code)

    own = [p for p in inspect.signature(work, eval_str=True).parameters.values() if p.kind is not p.VAR_KEYWORD]
    as_json = Annotated[bool, typer.Option("--json", help="Print the result as JSON")]
    every = [*own, *(p for config in configs for p in _parameters(config)), _keyword("json", as_json, False)]
    run.__signature__ = inspect.Signature(every)  # type: ignore[attr-defined]
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in every}
    return run


def _keyword(name: str, annotation: Any, default: Any) -> inspect.Parameter:
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)


def _parameters(config: type) -> list[inspect.Parameter]:
    """The settings of ``config`` as options; choices and bounds are checked by the dataclass, in one sentence."""
    types, parameters = get_type_hints(config), []
    for field in settings(config):
        meta, flag = field.metadata, "--" + field.name.replace("_", "-")
        if types[field.name] is bool:
            flag = f"{flag}/--no-{flag[2:]}"
        choices = "|".join(map(str, meta["choices"])) or None
        panel = PANELS[config] + (", advanced" if meta["advanced"] else "")
        option = typer.Option(flag, help=meta["help"], metavar=choices, rich_help_panel=panel)
        parameters.append(_keyword(field.name, Annotated[types[field.name], option], field.default))
    return parameters


def config_from(config: type[Config], values: dict[str, Any]) -> Config:
    """The dataclass out of a command's values; raises UserError where one is out of bounds."""
    made = config(**{field.name: values[field.name] for field in settings(config)})
    for setting in ("workers", "threads"):  # a training would refuse them only after pictures were prepared for it
        check_cores(setting, getattr(made, setting, 0))
    return made


# -- what was written -------------------------------------------------------------------------------------------------


def given(context: typer.Context, name: str) -> bool:
    """Whether the person wrote this option, instead of leaving it at its default."""
    source = context.get_parameter_source(name)
    return source is not None and source.name == "COMMANDLINE"


def written(context: typer.Context) -> dict[str, str]:
    """The options that the person wrote: name -> as it is written, ``{"way_seed": "--way-seed"}``."""
    options = (one for one in context.command.params if one.param_type_name == "option")
    return {
        str(one.name): (one.secondary_opts if context.params.get(str(one.name)) is False else one.opts)[0]
        for one in options
        if given(context, str(one.name))
    }


def refuse(context: typer.Context, names: Collection[str], why: UserError) -> None:
    """Refuse options that would have no effect: what a person writes never goes unheeded.

    Raises:
        UserError: one of ``names`` was written; names them, and says ``why``.
    """
    if found := [option for name, option in written(context).items() if name in names]:
        raise UserError("Leave {options} out: {why}", options=", ".join(found), why=why)


# -- what is printed --------------------------------------------------------------------------------------------------


def quoted(*words: str) -> str:
    """``words`` as this system's shell takes them."""
    return subprocess.list2cmdline(words) if os.name == "nt" else shlex.join(words)


def python_line(*words: str) -> str:
    """A line for a shell in the current folder that runs this very Python with ``words``."""
    python, here = Path(sys.executable), Path.cwd()
    return quoted(str(python.relative_to(here) if python.is_relative_to(here) else python), *words)


def program(context: typer.Context | None = None, *words: str) -> str:
    """This command line, as a person can start it again; over the workspace of ``context``, if one was written."""
    return python_line(*_module(context), *words)


def torchrun(context: typer.Context, *words: str) -> str:
    """The same under torchrun, whose own options the person knows."""
    return f"torchrun OPTIONS {quoted(*_module(context), *words)}"


def _module(context: typer.Context | None) -> list[str]:
    workspace = context.find_root().params.get("workspace") if context else None
    return ["-m", "imagen_demo", *(["--workspace", str(workspace)] if workspace else [])]


def counted(count: int, thing: str) -> str:
    """``1 picture``, ``2 pictures``."""
    return f"{count} {thing}{'' if count == 1 else 's'}"


@app.callback()
def options(
    context: typer.Context,
    workspace: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Datasets, runs and models; default: IMAGEN_DEMO_WORKSPACE, else the project"),
    ] = None,
) -> None:
    context.obj = Workspace.default(workspace)
