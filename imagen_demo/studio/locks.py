"""One writer at a time, whatever process: a lock file that names its owner, so that a dead owner's is recognised."""

from __future__ import annotations

import errno
import json
import os
import uuid
from collections.abc import Callable
from pathlib import Path

from imagen_demo.errors import UserError
from imagen_demo.training.run import lives, process_started

# What linking says on a file system without links.
NO_LINKS = {errno.EPERM, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EMLINK, errno.EINVAL}


class Lock:
    """A file ``{"pid", "started"}`` of whoever may write ``name``; it counts for as long as that process lives.

    Other threads of the owner's process are refused like anybody else. ``refusal`` makes the sentence for those who
    come while the process with that id is at it.
    """

    def __init__(self, path: Path, name: str, refusal: Callable[[int], UserError]) -> None:
        self.path, self.name, self._refusal = path, name, refusal

    def owner(self) -> int | None:
        """The process id of the living owner, None for no lock or a dead owner's."""
        return _living_owner(self.path)

    def take(self) -> None:
        """Own the lock, taking it over from a dead owner.

        Raises:
            UserError: its owner lives.
        """
        for _ in range(3):
            try:
                self._create()
                return
            except FileExistsError:
                pass
            pid = self.owner()
            if pid is not None:
                raise self._refusal(pid)
            self._put_aside()
        raise UserError("{name} is being started elsewhere at this moment.", name=self.name)

    def _create(self) -> None:
        """A complete file under the final name or FileExistsError: linking is the exclusive step."""
        temporary = self._beside()
        temporary.write_text(_entry(os.getpid()), "utf-8")
        try:
            os.link(temporary, self.path)
        except OSError as error:
            if error.errno not in NO_LINKS:
                raise
            with open(os.open(self.path, os.O_CREAT | os.O_EXCL | os.O_WRONLY), "w", encoding="utf-8") as file:
                file.write(_entry(os.getpid()))
        finally:
            temporary.unlink(missing_ok=True)

    def _put_aside(self) -> None:
        """Remove a stale lock; if another server replaced it meanwhile, its fresh one is put back."""
        aside = self._beside()
        try:
            os.rename(self.path, aside)
        except FileNotFoundError:
            return
        if _living_owner(aside) is not None and not self.path.exists():
            os.rename(aside, self.path)
        else:
            aside.unlink(missing_ok=True)

    def _beside(self) -> Path:
        return self.path.with_name(f".lock.{uuid.uuid4().hex}")

    def hand_to(self, pid: int) -> None:
        """From now on process ``pid`` is the owner."""
        temporary = self._beside()
        temporary.write_text(_entry(pid), "utf-8")
        os.replace(temporary, self.path)

    def release(self) -> None:
        """Nobody is the owner any more."""
        self.path.unlink(missing_ok=True)


def run_lock(run: Path) -> Lock:
    """``lock.json`` of a run directory: taken by who starts a trainer, then handed to the trainer's process."""
    name = Path(run).name

    def refusal(pid: int) -> UserError:
        return UserError("{name} is already being trained by process {pid}. Stop it there first.", name=name, pid=pid)

    return Lock(Path(run) / "lock.json", name, refusal)


def dataset_lock(dataset: Path) -> Lock:
    """``.NAME.lock`` beside a dataset that is being prepared."""
    name = Path(dataset).name

    def refusal(pid: int) -> UserError:
        return UserError(
            "{name} is being prepared by process {pid} at this moment. Wait until it is done, or choose another name.",
            name=name, pid=pid,
        )  # fmt: skip

    return Lock(Path(dataset).with_name(f".{name}.lock"), name, refusal)


def _living_owner(path: Path) -> int | None:
    try:
        found = json.loads(path.read_text("utf-8"))
        pid, started = int(found["pid"]), float(found["started"])
    except (ValueError, KeyError, TypeError, OSError):
        return None  # no lock; or cut off while being written: its writer is gone
    return pid if lives(pid, started) else None


def _entry(pid: int) -> str:
    return json.dumps({"pid": pid, "started": process_started(pid)})
