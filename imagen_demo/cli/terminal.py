"""What the command line shows while something takes time, always on stderr: results alone go to stdout."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

from imagen_demo.errors import Cancelled, UserError
from imagen_demo.progress import Progress, pictures_seen
from imagen_demo.studio import jobs
from imagen_demo.training.run import Run, Status, lives

console = Console(stderr=True, highlight=False)


def say(text: str) -> None:
    """A line for the person, kept out of stdout."""
    console.print(text, markup=False, soft_wrap=True)


@contextmanager
def progress_bar() -> Iterator[Progress]:
    """A bar that the yielded callback moves. Ctrl-C cancels at its next call, so that nothing half-made is left."""
    interrupted: list[int] = []
    previous = signal.signal(signal.SIGINT, lambda number, frame: interrupted.append(number))
    columns = (BarColumn(), TaskProgressColumn(), TimeRemainingColumn(), TextColumn("{task.description}", markup=False))
    try:
        with Bar(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
            task = bar.add_task("", total=1.0)

            def report(fraction: float, text: str) -> None:
                if interrupted:
                    raise Cancelled
                bar.update(task, completed=fraction, description=text)

            yield report
    except (Exception, KeyboardInterrupt):
        if interrupted:  # the terminal interrupts worker processes too, and their end shows as any error
            raise Cancelled from None
        raise
    finally:
        signal.signal(signal.SIGINT, previous)


def watch(run: Run, told: int = 0) -> Status:
    """Follow a run until nobody trains it any more; its last status. ``told``: events before this training.

    The first Ctrl-C stops the run in good order; the second leaves it to itself.
    """
    follow = _bar if console.is_terminal else _lines

    def look(now: Status) -> None:
        nonlocal told
        events = run.events()
        for event in events[told:]:
            if event["who"] == "coach":
                say(event["text"])
        told = len(events)
        show(run, now)

    with follow() as show:
        asked = False
        while True:
            try:
                status = jobs.wait(run, watch=look)
                return _settled(run, status)
            except KeyboardInterrupt:
                if asked:
                    raise
                asked = True
                say("Stopping: the state is being saved. Ctrl-C again leaves it to finish alone.")
                try:
                    jobs.stop(run)
                except UserError:  # it has just ended by itself
                    continue


def _settled(run: Run, status: Status, seconds: float = 60.0) -> Status:
    """The status once the trainer's process is gone: after the last step it still puts the model into the library."""
    end = time.monotonic() + seconds
    while time.monotonic() < end and lives(status.pid, status.pid_started):
        time.sleep(0.1)
    return run.status()


@contextmanager
def _bar() -> Iterator[Any]:
    """One bar that is painted over and over."""
    columns = (TextColumn("{task.fields[state]}"), BarColumn(), TaskProgressColumn(), TextColumn("{task.description}"))
    with Bar(*columns, console=console) as bar:
        task = bar.add_task("", total=1.0, state="preparing")

        def show(run: Run, status: Status) -> None:
            bar.update(task, completed=status.progress, state=status.state, description=line(run, status))

        yield show


@contextmanager
def _lines() -> Iterator[Any]:
    """One line for every tick of the run: for log files and pipes."""
    seen = 0.0

    def show(run: Run, status: Status) -> None:
        nonlocal seen
        rows = run.metrics()
        if rows and rows[-1]["kimg"] != seen:
            seen = rows[-1]["kimg"]
            print(f"{100 * status.progress:3.0f}%  {line(run, status)}", file=sys.stderr, flush=True)

    yield show


def line(run: Run, status: Status) -> str:
    """``12.3 k pictures  87.1 images/s  2:05 left  G 0.712  D 0.655  distance 42.1``."""
    parts = [f"{pictures_seen(status.kimg)} pictures"]
    if status.images_per_second:
        parts.append(f"{status.images_per_second:.1f} images/s")
    if status.eta is not None:
        parts.append(f"{duration(status.eta)} left")
    rows = run.metrics()
    if rows:
        parts += [f"G {rows[-1]['loss_g']:.3f}", f"D {rows[-1]['loss_d']:.3f}"]
    if status.quality is not None:
        parts.append(f"distance {status.quality:.1f}")
    return "  ".join(parts)


def duration(seconds: float) -> str:
    """``0:09``, ``12:30`` or ``3:05:00``."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
