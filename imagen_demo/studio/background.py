"""Work that goes on while nobody looks: a thread with progress, a result, and a way to cancel it."""

from __future__ import annotations

import logging
import threading
import time
import uuid
from collections.abc import Callable
from typing import Generic, TypeVar

from imagen_demo.errors import Cancelled, UserError
from imagen_demo.progress import Progress

log = logging.getLogger(__name__)
Result = TypeVar("Result")


class Background(Generic[Result]):
    """Runs ``work(progress)`` in a thread. ``fraction`` is 0 to 1, ``text`` what is being done.

    When ``done``: ``result``, or ``error`` (a UserError), or ``cancelled``, or ``crashed``.
    ``owner`` is who started it; ``told`` is set by whoever has told a person how it ended.
    """

    def __init__(self, work: Callable[[Progress], Result], owner: str = "") -> None:
        self.owner, self.told = owner, False
        self.fraction, self.text, self.started = 0.0, "", time.monotonic()
        self.result: Result | None = None
        self.error: UserError | None = None
        self.cancelled = self.crashed = self.done = False
        self._stop = threading.Event()
        self._work: Callable[[Progress], Result] | None = work
        self._thread = threading.Thread(target=self._run, daemon=True, name="background-work")
        self._thread.start()

    def _run(self) -> None:
        try:
            self.result = self._work(self._progress)
        except Cancelled:
            self.cancelled = True
        except UserError as error:
            self.error = error
        except Exception:
            log.exception("Background work failed")
            self.crashed = True
        finally:
            self._work = None  # with all that it holds
            self.done = True

    def _progress(self, fraction: float, text: str) -> None:
        if self._stop.is_set():
            raise Cancelled
        self.fraction, self.text = fraction, text

    @property
    def seconds_left(self) -> float | None:
        """An estimate from the speed so far; None while there is too little to go by."""
        spent = time.monotonic() - self.started
        return None if self.fraction < 0.03 or spent < 2 else spent * (1 - self.fraction) / self.fraction

    def cancel(self) -> None:
        self._stop.set()

    def join(self, seconds: float | None = None) -> None:
        self._thread.join(seconds)


class Jobs(Generic[Result]):
    """Background work that any page finds again: by its key, for as long as the server runs."""

    KEPT = 20  # jobs that have ended and been told of; each is small

    def __init__(self) -> None:
        self._jobs: dict[str, Background[Result]] = {}  # oldest first
        self._lock = threading.Lock()

    def start(self, work: Callable[[Progress], Result], owner: str = "") -> str:
        """Begin ``work(progress)``; returns its key."""
        key = uuid.uuid4().hex
        with self._lock:
            for old in [k for k, job in self._jobs.items() if job.done and job.told][: -self.KEPT]:
                del self._jobs[old]
            self._jobs[key] = Background(work, owner)
        return key

    def get(self, key: str | None) -> Background[Result] | None:
        return self._jobs.get(key or "")

    def newest(self) -> str | None:
        """What somebody who comes now wants to see: the newest job under way, or that ended while nobody watched."""
        with self._lock:
            return next((key for key in reversed(self._jobs) if not self._jobs[key].told), None)
