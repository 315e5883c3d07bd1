"""``train`` under torchrun: the command itself runs in every process, and trains instead of starting a trainer."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable
from pathlib import Path

import typer

from imagen_demo.config import TrainConfig
from imagen_demo.errors import UserError
from imagen_demo.studio import jobs
from imagen_demo.studio.locks import run_lock
from imagen_demo.training.distributed import Team
from imagen_demo.training.main import train_run
from imagen_demo.training.run import Run
from imagen_demo.workspace import Workspace

New = Callable[[], tuple[str, str | None, str | None]]  # -> dataset, name of the run, model to start from


def train_together(workspace: Workspace, config: TrainConfig, new: New, old: tuple[str, float | None] | None) -> Run:
    """Train one run in all processes; process 0 returns it at the end, the others have nothing more to say.

    Args:
        new: makes ready what a new run needs; called in process 0 alone.
        old: or the name of the run to go on with, and how many more minutes.

    Raises:
        UserError: as ``jobs.start`` and ``jobs.resume_run``.
    """
    team = Team.join()
    run, resume = None, False
    if team.leads:
        if old:
            run = jobs.find_run(workspace, old[0])
            if run.status().alive:
                raise UserError("{name} is already being trained.", name=run.name)
            resume = jobs.ready_to_go_on(run, old[1])
        else:
            dataset, name, model = new()
            run = jobs.new_run(workspace, dataset, config, name or dataset, model, team.size)
    run = Run(Path(team.told_text(str(run.path.resolve()) if run else "")))
    resume = bool(team.told(resume))
    lock = run_lock(run.path)
    if team.leads:
        lock.take()
        run.answer()  # an old request is not meant for this training
    try:
        with contextlib.redirect_stdout(sys.stderr):  # the result alone goes to stdout
            train_run(run, resume, team)
    finally:
        if team.leads:
            lock.release()
    team.leave()
    if not team.leads:
        sys.stdout.flush()
        raise typer.Exit(0)
    return run
