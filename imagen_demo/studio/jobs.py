"""Training runs, each a process of its own: starting, asking, looking.

A run outlives whoever started it: the trainer is a detached process that writes the
run directory (``training/run.py``); everything here only starts it, asks it, or reads.
"""

from __future__ import annotations

import dataclasses
import os
import shutil
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable
from pathlib import Path

from imagen_demo import storage
from imagen_demo.config import ModelConfig, TrainConfig
from imagen_demo.data.dataset import Dataset, open_dataset
from imagen_demo.errors import UserError
from imagen_demo.models.folder import read_info
from imagen_demo.studio import library
from imagen_demo.studio.locks import run_lock
from imagen_demo.training.run import Run, Status, process_started
from imagen_demo.training.schedule import pick_device, resolve
from imagen_demo.workspace import REPOSITORY, Workspace, checked_name, free_name

TRAINER = [sys.executable, "-m", "imagen_demo.training.main"]


# -- starting ------------------------------------------------------------------


def start(
    workspace: Workspace,
    dataset: str,
    config: TrainConfig,
    name: str,
    from_model: str | None = None,
) -> Run:
    """Start training in a process of its own and return at once.

    ``dataset`` and ``from_model`` are names in the workspace. A taken ``name`` gets a number.

    Raises:
        UserError: no such dataset or model, the name cannot be one, or the settings cannot work.
    """
    run = new_run(workspace, dataset, config, name, from_model)
    _spawn(run, resume=False)
    return run


def new_run(
    workspace: Workspace, dataset: str, config: TrainConfig, name: str, from_model: str | None, processes: int = 1
) -> Run:
    """The run of :func:`start`, with nobody training in it yet; raises as that does, before there is a run."""
    name, prepared = checked_name(name), open_dataset(workspace.datasets / checked_name(dataset))
    resolve(config, prepared, pick_device(config.device), processes, network_of(workspace, from_model))
    return create_run(workspace, prepared, config, name, from_model)


def network_of(workspace: Workspace, model: str | None) -> ModelConfig | None:
    """What kind of network the model of this name is; None without one.

    Raises:
        UserError: there is none of this name, or it is damaged.
    """
    return read_info(library.find(workspace, model)).config if model else None


def create_run(
    workspace: Workspace, dataset: Dataset, config: TrainConfig, name: str, from_model: str | None = None
) -> Run:
    """A new run directory, complete or not there at all."""
    model = str(library.find(workspace, from_model)) if from_model else None
    settings = {
        "dataset": str((dataset.path.parent / dataset.name).resolve()),
        "from_model": model,
        "train": dataclasses.asdict(config),
        "created": time.time(),
    }
    fresh = workspace.runs / f".new-{uuid.uuid4().hex}"
    fresh.mkdir()
    try:
        storage.write_json(fresh / "config.json", settings)
        storage.write_json(fresh / "status.json", dataclasses.asdict(Status()))
        while True:
            path = workspace.runs / free_name(name, workspace.runs)
            try:
                os.rename(fresh, path)  # fails where another server just made the same name
                return Run(path)
            except OSError:
                if not path.exists():
                    raise
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def _spawn(run: Run, resume: bool) -> None:
    """Start the trainer on ``run``: its own session, no input, output to ``log.txt``."""
    lock = run_lock(run.path)
    if run.status().alive:  # also a trainer that was started by hand and holds no lock
        raise UserError("{name} is already being trained.", name=run.name)
    lock.take()
    try:
        paths = [str(REPOSITORY), os.environ.get("PYTHONPATH", "")]
        environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, paths)), "PYTHONUNBUFFERED": "1"}
        run.answer()  # an old request is not meant for the new trainer
        command = [*TRAINER, str(run.path.resolve()), *(["--resume"] if resume else [])]
        with open(run.log, "ab") as log:
            process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
                cwd=run.path, env=environment, start_new_session=True,
            )  # fmt: skip
        # Until the trainer has loaded and speaks for itself.
        known = dataclasses.replace(run.status(), state="preparing", error=None, eta=None)
        known.pid, known.pid_started, known.heartbeat = process.pid, process_started(process.pid), time.time()
        run.write_status(known)
        lock.hand_to(process.pid)
    except BaseException:
        lock.release()
        raise
    threading.Thread(target=process.wait, daemon=True, name=f"wait-{run.name}").start()  # leaves no zombie


# -- asking --------------------------------------------------------------------


def pause(run: Run) -> None:
    """Ask the trainer to wait; it saves its state first.

    Raises:
        UserError: nobody is training the run.
    """
    now = _alive(run)
    run.ask("pause")
    run.append_event("user", now.kimg, "Training was paused.")


def resume_run(run: Run, more_minutes: float | None = None) -> Run:
    """Go on: wake a paused trainer, or start a new one from the last saved state.

    ``more_minutes`` is added to the time already spent; without it the rest of the planned time is used.

    Raises:
        UserError: the run is in training already, or is damaged, or pauses and is to get more minutes.
    """
    now = run.status()
    if now.alive:
        if now.state != "paused" and run.asked() != "pause":
            raise UserError("{name} is already being trained.", name=run.name)
        if more_minutes is not None:
            raise UserError(
                "{name} is paused; let it go on as it is, and add minutes once it has ended.", name=run.name
            )
        run.ask("resume")
        run.append_event("user", now.kimg, "Training went on.")
        return run
    go_on = ready_to_go_on(run, more_minutes)
    _spawn(run, resume=go_on)
    run.append_event("user", now.kimg, "Training went on.")
    return run


def ready_to_go_on(run: Run, more_minutes: float | None = None) -> bool:
    """Check the run's files and lengthen its plan; whether there is a state to go on from, or it begins anew.

    Raises:
        UserError: the run is damaged, or its pictures are gone or others.
    """
    problem = damage(run)
    if problem:
        raise problem
    run.check_pictures(open_dataset(run.dataset()))
    if more_minutes is not None:
        config = run.config()
        minutes = run.status().seconds / 60 + more_minutes
        train = dataclasses.replace(TrainConfig(**config["train"]), minutes=minutes, kimg=0.0)
        storage.write_json(run.path / "config.json", config | {"train": dataclasses.asdict(train)})
    return can_continue(run)


def stop(run: Run) -> None:
    """Ask the trainer to finish: it saves everything and puts the best network into the library.

    Raises:
        UserError: nobody is training the run.
    """
    now = _alive(run)
    run.ask("stop")
    run.append_event("user", now.kimg, "Training was stopped.")


def _alive(run: Run) -> Status:
    now = run.status()
    if not now.alive:
        raise UserError("{name} is not in training.", name=run.name)
    return now


def delete_run(run: Run) -> None:
    """Remove a run: at once out of the list, then from the disk. Its model in the library stays.

    Raises:
        UserError: it is being trained.
    """
    if run.status().alive or run_lock(run.path).owner() is not None:
        raise UserError("{name} is still being trained. Stop it first.", name=run.name)
    aside = run.path.with_name(f".deleted-{uuid.uuid4().hex}")
    try:
        os.rename(run.path, aside)
    except FileNotFoundError:
        return
    shutil.rmtree(aside, ignore_errors=True)


# -- looking -------------------------------------------------------------------


def list_runs(workspace: Workspace) -> list[Run]:
    """Every run of the workspace, newest first; ask :func:`damage` before trusting one."""
    folders = [path for path in workspace.runs.iterdir() if path.is_dir() and not path.name.startswith(".")]
    return [Run(path) for path in sorted(folders, key=_created, reverse=True)]


def _created(path: Path) -> float:
    try:
        return float(storage.read_json(path / "config.json")["created"])
    except (OSError, ValueError, KeyError, TypeError):
        try:
            return path.stat().st_mtime
        except OSError:
            return 0.0


def find_run(workspace: Workspace, name: str) -> Run:
    """The run of that name.

    Raises:
        UserError: there is none.
    """
    path = workspace.runs / checked_name(name)
    if not path.is_dir():
        raise UserError("There is no training run named {name}.", name=name)
    return Run(path)


def newest_run(workspace: Workspace) -> Run | None:
    """The run a visitor most likely wants to see: one in training, else the newest."""
    runs = list_runs(workspace)
    return next((run for run in runs if run.status().alive), runs[0] if runs else None)


def damage(run: Run) -> UserError | None:
    """What is wrong with a run's files, as a sentence, or None."""
    try:
        config = run.config()
        TrainConfig(**config["train"])
        if not isinstance(config["dataset"], str):
            raise TypeError
    except FileNotFoundError:
        return UserError("{name} has no settings (config.json is missing). Delete it and train anew.", name=run.name)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, UserError):
        return UserError("The settings of {name} (config.json) are damaged. Delete it and train anew.", name=run.name)
    return None


def can_continue(run: Run) -> bool:
    """Whether there is a saved state to go on from."""
    return storage.current_folder(run.state).is_dir()


def tail(run: Run, lines: int = 30) -> list[str]:
    """The last lines of ``log.txt``."""
    try:
        with open(run.log, "rb") as file:
            file.seek(max(0, run.log.stat().st_size - 400 * lines))
            text = file.read().decode("utf-8", "replace")
    except OSError:
        return []
    return text.splitlines()[-lines:]


def wait(
    run: Run,
    seconds: float = float("inf"),
    watch: Callable[[Status], None] | None = None,
    every: float = 0.5,
) -> Status:
    """Block until nobody trains ``run`` any more, or ``seconds`` are over; ``watch`` sees each status."""
    end = time.monotonic() + seconds
    while True:
        now = run.status()
        if watch:
            watch(now)
        if not now.alive or time.monotonic() >= end:
            return now
        time.sleep(min(every, max(0.01, end - time.monotonic())))


def model_to_explore(workspace: Workspace, run: Run) -> tuple[str, bool]:
    """The model a visitor of the run wants to see, and whether that is its best one, in the library.

    In training that is the newest network, ``run/NAME``; afterwards the one that the run put into the library.
    """
    name = published(run)
    if name and not run.status().alive:
        return name, True
    return library.RUN_PREFIX + run.name, False


def published(run: Run) -> str | None:
    """What the model that the run has put into the library is called today; None where it is not there."""
    try:
        note = storage.read_json(run.path / "published.json")
        workspace, weights = Workspace(run.workspace), note["weights"]
        name = library.renamed(workspace, note["model"], weights)
        return name if library.holds(workspace, name, weights) else None
    except (OSError, ValueError, KeyError, TypeError, UserError):
        return None
