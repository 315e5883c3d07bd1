"""Preparing pictures: the datasets of a workspace, each made by one at a time, whatever process asks."""

from __future__ import annotations

import contextlib
import errno
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from imagen_demo.config import PrepareConfig
from imagen_demo.data.dataset import Dataset, open_dataset
from imagen_demo.data.intake import Source
from imagen_demo.data.prepare import prepare
from imagen_demo.data.sample_set import write_sample_set
from imagen_demo.errors import UserError
from imagen_demo.progress import Progress, silent
from imagen_demo.studio.locks import dataset_lock
from imagen_demo.workspace import Workspace, checked_name, free_name

SAMPLE_SET = "planets"
SAMPLE_COUNT = 2000
_DRAWING = 0.6  # share of the sample set's progress bar

_being_made: set[Path] = set()  # by some thread of this process, a visitor's for example
_choosing = threading.Lock()


def prepare_dataset(
    workspace: Workspace,
    source: Source,
    name: str,
    config: PrepareConfig | None = None,
    progress: Progress = silent,
    *,
    replace: bool = False,
) -> Dataset:
    """Prepare a folder, an archive or many files as a dataset of the workspace.

    It is called ``name``, or ``name-2``, ... if that is taken and ``replace`` is not set.

    Raises:
        UserError, Cancelled: as :func:`imagen_demo.data.prepare.prepare`; also UserError where another process
            prepares a dataset of this name.
    """
    with _alone(workspace, checked_name(name), replace) as out:
        return prepare(source, out, config, progress)


def prepare_sample_set(
    workspace: Workspace, config: PrepareConfig | None = None, progress: Progress = silent, count: int = SAMPLE_COUNT
) -> Dataset:
    """Draw and prepare the sample set, or open it if it is there already at this resolution.

    Raises:
        Cancelled: from ``progress``; nothing is left behind.
    """
    config = config or PrepareConfig()
    name = f"{SAMPLE_SET}-{config.resolution}"
    with _alone(workspace, name, not _is_another(workspace.datasets / name), wait=progress) as out:
        try:
            found = open_dataset(out)
            if found.resolution == config.resolution and len(found) >= 0.9 * count:
                return found
        except UserError:
            pass  # not there, or damaged: make it
        with tempfile.TemporaryDirectory(prefix=".sample-", dir=workspace.root) as scratch:
            folder = Path(scratch) / SAMPLE_SET
            size = max(32, config.resolution)
            drawing = lambda done, text: progress(done * _DRAWING, text if done < 1 else "All planets drawn")  # noqa: E731
            write_sample_set(folder, count, size, progress=drawing)
            return prepare(folder, out, config, lambda done, text: progress(_DRAWING + done * (1 - _DRAWING), text))


def _is_another(dataset: Path) -> bool:
    """Whether this is a dataset of the user's own, which only has the sample set's name."""
    try:
        return open_dataset(dataset).manifest.get("source") != SAMPLE_SET
    except UserError:
        return False


@contextlib.contextmanager
def _alone(workspace: Workspace, name: str, replace: bool, wait: Progress | None = None) -> Iterator[Path]:
    """The folder to prepare: the next free one, or, to replace it, that very one, locked against everybody else.

    ``wait``: tell this progress and come again, instead of refusing, while somebody else is at it.
    """
    while True:
        try:
            with _choosing:
                out = workspace.datasets / (name if replace else free_name(name, workspace.datasets, _being_made))
                dataset_lock(out).take()
                _being_made.add(out)
            break
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise UserError("The disk is full; {name} was not prepared. Free some space.", name=name) from None
            raise
        except UserError:
            if wait is None:
                raise
            wait(0.0, "Waiting for the same pictures")
            time.sleep(0.1)
    try:
        yield out
    finally:
        with _choosing:
            _being_made.discard(out)
            dataset_lock(out).release()
