"""The trainer as a process of its own: ``python -m imagen_demo.training.main RUN_DIR [--resume]``.

Several processes train one run together with ``torchrun --nproc_per_node N -m imagen_demo.training.main RUN_DIR``.
Reads ``config.json``, trains, and tells how it ended in ``status.json``.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import errno
import os
import signal
import sys
import traceback
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from imagen_demo import storage
from imagen_demo.config import ModelConfig, TrainConfig
from imagen_demo.data.dataset import Dataset, open_dataset
from imagen_demo.errors import UserError
from imagen_demo.models.folder import keep_words, lineage_from, load_model, read_info, weights_hash
from imagen_demo.training.distributed import ALONE, Team, launched
from imagen_demo.training.memory import is_full
from imagen_demo.training.run import Run, facts_of, own_status
from imagen_demo.training.schedule import check_shares, pick_device, resolve
from imagen_demo.training.trainer import Trainer
from imagen_demo.workspace import free_name

DISCRIMINATOR = "discriminator."  # how its tensors' names begin in a run's state


def settled(run: Run, dataset: Dataset, processes: int = 1) -> tuple[TrainConfig, ModelConfig]:
    """The run's settings with every "auto" filled in; written back so that a resume uses the same.

    Raises:
        UserError: they fit neither the data nor so many processes, or the run began with other pictures.
    """
    config = run.config()
    train = TrainConfig(**config["train"])
    if config.get("model"):
        run.check_pictures(dataset)
        check_shares(train, processes)
        pick_device(train.device)  # refuses a run of a GPU where there is none
        return train, ModelConfig(**config["model"])
    parent = read_info(Path(config["from_model"])).config if config.get("from_model") else None
    train, model, reasons = resolve(train, dataset, pick_device(train.device), processes, parent)
    sentences = [{"template": template, "values": values} for template, values in reasons]
    settled_config = {"train": dataclasses.asdict(train), "model": dataclasses.asdict(model), "reasons": sentences}
    storage.write_json(run.path / "config.json", config | settled_config | {"pictures": facts_of(dataset)})
    for template, values in reasons:
        run.append_event("coach", 0.0, template, **values)
    return train, model


def discriminator_of(folder: Path, weights: str) -> dict[str, Tensor] | None:
    """The discriminator that the model in ``folder`` was trained with, where a run still has it.

    That is the run whose ``latest`` or ``best`` it is, or the one that put weights of this hash into the library.
    """
    runs = [folder.parent] if folder.name in ("latest", "best") else []
    for note in sorted((folder.parent.parent / "runs").glob("*/published.json")):
        with contextlib.suppress(OSError, ValueError):
            if storage.read_json(note).get("weights") == weights:
                runs.append(note.parent)
    for run in runs:
        with contextlib.suppress(OSError, SafetensorError):
            tensors = load_file(storage.current_folder(run / "state") / "tensors.safetensors")
            return {k.removeprefix(DISCRIMINATOR): v for k, v in tensors.items() if k.startswith(DISCRIMINATOR)}
    return None


def publish(run: Run) -> str | None:
    """Put the run's best model into the library; its name there, the same one as long as it is still the run's.

    Where it lies there already it is left alone, with what was measured and found of it since; an older one hands on
    what people wrote of it, but no names of directions: those are of the old weights.
    """
    best = storage.current_folder(run.best)
    if not best.exists():
        return None
    note = run.path / "published.json"
    library = run.workspace / "checkpoints"
    library.mkdir(exist_ok=True)
    known = storage.read_json(note) if note.exists() else {}
    name = known.get("model", run.name)
    there = weights_hash(library / name)
    if not known or known.get("weights") != there:  # renamed since: the name may be another's
        name = free_name(run.name, library)
    elif there == weights_hash(best):
        return name
    files = {file.name: file.read_bytes() for file in best.iterdir() if file.is_file()}

    def fill(new: Path) -> None:
        for file, content in files.items():
            (new / file).write_bytes(content)
        with contextlib.suppress(UserError):  # there is none, or it is damaged
            keep_words(new, library / name)

    storage.replace_folder(library / name, fill)
    storage.write_json(note, {"model": name, "weights": weights_hash(library / name)})
    return name


def for_people(error: BaseException) -> UserError:
    """What went wrong, in one sentence."""
    if isinstance(error, UserError):
        return error
    full = (errno.ENOSPC, errno.EDQUOT)
    # By its words too: safetensors' error is no OSError.
    if getattr(error, "errno", None) in full or any(os.strerror(number) in str(error) for number in full):
        return UserError("The disk is full; free some space and resume the run. The last saved state is safe.")
    if is_full(error):
        return UserError("The memory is full; choose a smaller batch or width, or close other programs.")
    if "closed by peer" in str(error).lower() or "reset by peer" in str(error).lower():
        return UserError("Another process of this training ended first; its output says why. Then resume the run.")
    return UserError(
        "Training stopped by an unexpected error ({kind}: {text}). Details are in log.txt.",
        kind=type(error).__name__, text=error,
    )  # fmt: skip


def train_run(run: Run, resume: bool = False, team: Team = ALONE) -> None:
    """Train ``run`` to its end in this process, together with the others of ``team``.

    Raises:
        Whatever broke the run, after process 0 wrote it to ``status.json`` as one sentence.
    """
    status = own_status(run.status())
    if team.leads:
        run.write_status(status)
    trainer: Trainer | None = None
    asked_early: list[Any] = []

    def on_signal(*_: Any) -> None:
        asked_early.append(True)
        if trainer is not None:
            trainer.stop_asked = True

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, on_signal)
    try:
        config = run.config()
        dataset = open_dataset(run.dataset())
        if team.leads:
            settled(run, dataset, team.size)
        team.told(0)  # the others wait until the settings are written
        train, model = settled(run, dataset, team.size)
        trainer = Trainer(run, dataset, train, model, team)
        if config.get("from_model") and not resume:
            parent = load_model(Path(config["from_model"]))
            trainer.start_from(parent, discriminator_of(parent.path, parent.hash))
            if team.leads:
                storage.write_json(run.path / "config.json", run.config() | {"lineage": trainer.lineage})
        else:
            trainer.lineage = lineage_from(config.get("lineage", []))
        trainer.stop_asked = bool(asked_early)
        trainer.train(resume=resume)
        if team.leads:
            publish(run)
    except BaseException as error:
        final = trainer.status if trainer is not None else status
        final.fail(for_people(error))
        if team.leads:
            if trainer is not None:
                with contextlib.suppress(Exception):  # what went wrong first is what counts
                    publish(run)
            run.write_status(final)
        raise


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path)
    parser.add_argument("--resume", action="store_true")
    arguments = parser.parse_args()
    team = Team.join() if launched() else ALONE
    try:
        train_run(Run(arguments.run), arguments.resume, team)
        team.leave()
    except UserError as error:
        print(error, file=sys.stderr)
        return 2
    except Exception:
        traceback.print_exc()
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
