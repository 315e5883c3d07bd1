"""The run directory: everything a training run tells the world, and the little it is told.

While it lives, the trainer is the only writer, except for ``control.json``, with which the UI and the
command line ask for something, and their lines in ``events.jsonl``. Anyone reads, at any time.
"""

from __future__ import annotations

import io
import json
import os
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from imagen_demo import storage
from imagen_demo.data.dataset import Dataset
from imagen_demo.data.kinds import sorted_into_kinds
from imagen_demo.errors import UserError

ALIVE = ("preparing", "training", "paused")
SAME_START = 2.0  # seconds between two readings of one process's start


@dataclass
class Status:
    """``status.json``. ``eta`` and ``seconds`` in seconds; ``heartbeat`` in Unix time."""

    # "preparing", "training", "paused", "finished", "failed" or "stopped"; a dead trainer reads as "interrupted"
    state: str = "preparing"
    pid: int = 0
    pid_started: float = 0.0  # tells a recycled pid from ours
    heartbeat: float = 0.0
    kimg: float = 0.0
    images_per_second: float = 0.0
    seconds: float = 0.0  # spent training, over all resumes
    progress: float = 0.0  # 0 to 1
    eta: float | None = None
    quality: float | None = None  # latest sliced Wasserstein distance, lower is better
    advice: dict[str, Any] = field(default_factory=dict)  # the coach's sentence: rule, level, template, values
    error: str | None = None  # the last error in one sentence
    error_template: str | None = None  # the same for translation, with its values
    error_values: dict[str, Any] = field(default_factory=dict)

    def fail(self, error: UserError) -> None:
        self.state, self.eta = "failed", None
        self.error, self.error_template = str(error), error.template
        self.error_values = {key: str(value) for key, value in error.values.items()}

    @property
    def alive(self) -> bool:
        return self.state in ALIVE


def process_started(pid: int) -> float:
    """When process ``pid`` began, in seconds of a clock that nobody sets; 0.0 if there is none."""
    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return 0.0
        # Linux knows it since the start of the system; in Unix time it would move whenever the clock is set.
        return process.create_time() - (psutil.boot_time() if psutil.LINUX else 0.0)
    except psutil.Error:
        return 0.0


def lives(pid: int, started: float) -> bool:
    """Whether the process that began at ``started`` still runs: a recycled pid is another's."""
    now = process_started(pid) if pid else 0.0
    return now > 0 and abs(now - started) < SAME_START


class Run:
    """One ``runs/<name>/`` directory."""

    def __init__(self, path: Path) -> None:
        self.path = Path(path)
        self.name = self.path.name
        self.workspace = self.path.parent.parent
        self.samples = self.path / "samples"  # {kimg:09.3f}.png, one grid a tick
        self.state = self.path / "state"  # complete training state, see training/state.py
        self.latest = self.path / "latest"  # model folder: the network as of the last tick
        self.best = self.path / "best"  # model folder: the best network by metric
        self.log = self.path / "log.txt"
        self.kinds = self.path / "kinds.npy"  # of each picture, where they have no classes: see data/kinds.py

    # -- written by the trainer ------------------------------------------------

    def write_status(self, status: Status) -> None:
        storage.write_json(self.path / "status.json", asdict(status))

    def append_metrics(self, row: dict[str, float]) -> None:
        self._append("metrics.jsonl", row)

    def append_event(self, who: str, kimg: float, template: str, /, **values: object) -> None:
        """``who`` is "coach" or "user". ``template`` is English and the key of its translation."""
        row = {"time": time.time(), "kimg": kimg, "who": who, "template": template, "values": values}
        self._append("events.jsonl", row | {"text": template.format(**values)})

    def _append(self, file: str, row: dict[str, Any]) -> None:
        with open(self.path / file, "ab+") as out:
            out.seek(max(0, out.seek(0, os.SEEK_END) - 1))
            cut = out.read(1) not in (b"", b"\n")  # by a full disk: that line is not to spoil this one
            out.write(b"\n" * cut + json.dumps(row, ensure_ascii=False).encode() + b"\n")

    def kinds_of(self, dataset: Dataset, count: int) -> np.ndarray:
        """The kind of each picture, int64 [N]: found once for a run."""
        if not self.kinds.exists():
            found = io.BytesIO()
            np.save(found, sorted_into_kinds(dataset.images, count))
            storage.write_bytes(self.kinds, found.getvalue())
        return np.load(self.kinds, allow_pickle=False)

    def forget_after(self, kimg: float) -> None:
        """Drop metrics and samples past ``kimg``: a resumed run makes them again."""
        rows = [row for row in self.metrics() if row["kimg"] <= kimg]
        text = "".join(json.dumps(row) + "\n" for row in rows)
        storage.write_bytes(self.path / "metrics.jsonl", text.encode())
        for kimg_of_sample, file in self.sample_grids():
            if kimg_of_sample > kimg + 1e-6:
                file.unlink()

    # -- read by anyone --------------------------------------------------------

    def config(self) -> dict[str, Any]:
        """``config.json``.

        ``dataset`` (its path), ``pictures`` (their fingerprint and classes), ``train`` and ``model`` (dataclass
        fields), ``reasons``.
        """
        return storage.read_json(self.path / "config.json")

    def dataset(self) -> Path:
        """The dataset it learns from: where it was, or, after the workspace was moved, the one of that name in it."""
        place = Path(self.config()["dataset"])
        return place if place.exists() else self.workspace / "datasets" / place.name

    def check_pictures(self, dataset: Dataset) -> None:
        """Refuse to go on with other pictures than the run began with.

        Raises:
            UserError: the dataset was prepared anew, from others or with other classes.
        """
        if self.config().get("pictures", facts_of(dataset)) != facts_of(dataset):
            raise UserError(
                "The pictures of {dataset} are not those that {run} began with. Start a new run that begins with its "
                "model, or prepare the same pictures under that name again.", dataset=dataset.name, run=self.name,
            )  # fmt: skip

    def status(self) -> Status:
        """The last status; one whose trainer is gone, or that is missing or damaged, reads as ``interrupted``."""
        try:
            status = Status(**storage.read_json(self.path / "status.json"))
            if status.alive and not lives(status.pid, status.pid_started):
                status.state, status.eta = "interrupted", None
            return status
        except (OSError, ValueError, TypeError, AttributeError):
            return Status(state="interrupted")

    def metrics(self) -> list[dict[str, float]]:
        """The lines of ``metrics.jsonl``, one a tick, oldest first."""
        return self._rows("metrics.jsonl")

    def events(self) -> list[dict[str, Any]]:
        """The lines of ``events.jsonl``: what the coach and the user did, oldest first."""
        return self._rows("events.jsonl")

    def _rows(self, file: str) -> list[dict[str, Any]]:
        try:
            lines = (self.path / file).read_text(encoding="utf-8", errors="replace").splitlines()
        except FileNotFoundError:
            return []
        rows = []
        for line in lines:
            try:
                rows.append(json.loads(line))
            except json.JSONDecodeError:
                continue  # a line being written, or cut by a kill
        return rows

    def sample_grids(self) -> list[tuple[float, Path]]:
        """``(kimg, file)`` of every sample grid, oldest first."""
        return sorted((float(file.stem), file) for file in self.samples.glob("[0-9]*.png"))

    # -- asking the trainer ----------------------------------------------------

    def ask(self, command: str) -> None:
        """``command``: "pause", "resume" or "stop"; obeyed within a step."""
        storage.write_json(self.path / "control.json", {"command": command, "time": time.time()})

    def asked(self) -> str | None:
        """What :meth:`ask` asked for last, if it was not answered yet."""
        try:
            return storage.read_json(self.path / "control.json")["command"]
        except (FileNotFoundError, json.JSONDecodeError, KeyError):
            return None

    def answer(self) -> None:
        """Forget the request, once obeyed or when a new trainer starts."""
        (self.path / "control.json").unlink(missing_ok=True)


def facts_of(dataset: Dataset) -> dict[str, Any]:
    """What tells a run's pictures from others."""
    return {"fingerprint": dataset.fingerprint, "class_names": list(dataset.class_names)}


def own_status(before: Status | None = None) -> Status:
    """A status of this very process, which goes on from where the run was ``before``."""
    pid, before = os.getpid(), before or Status()
    return Status(
        pid=pid, pid_started=process_started(pid), heartbeat=time.time(),
        kimg=before.kimg, seconds=before.seconds, progress=before.progress,
    )  # fmt: skip
