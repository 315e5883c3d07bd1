"""Long work that ends in a file: started by a page component's own event, with progress, time left and Cancel."""

from __future__ import annotations

import contextlib
import json
import logging
import secrets
import shutil
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.utils import get_upload_folder

from imagen_demo.errors import Cancelled, UserError
from imagen_demo.progress import Progress
from imagen_demo.ui import texts

log = logging.getLogger(__name__)
MOST_AGE = 2 * 24 * 3600  # seconds that files which visitors gave or had made are kept
BETWEEN_WORDS = 0.25  # seconds between two words of progress to a page


class Stops:
    """Which jobs were cancelled, also those that still wait in the queue: by session, and the job's own name."""

    MOST = 1000  # remembered; a job that never began leaves its entry

    def __init__(self) -> None:
        self._events: dict[tuple[str, str], threading.Event] = {}
        self._lock = threading.Lock()

    def of(self, session: str, job: str) -> threading.Event:
        """The job's event: made when the page announces it or when it begins, whichever is first."""
        with self._lock:
            while len(self._events) >= self.MOST:
                self._events.pop(next(iter(self._events)))
            return self._events.setdefault((session, job), threading.Event())

    def forget(self, session: str, job: str) -> None:
        """The job has ended."""
        with self._lock:
            self._events.pop((session, job), None)

    def cancel(self, session: str) -> bool:
        """Stop every job of the session; whether there was one."""
        with self._lock:
            events = [e for (owner, _), e in self._events.items() if owner == session and not e.is_set()]
        for event in events:
            event.set()
        return bool(events)


def wire(
    event: Callable[..., Any],
    output: gr.components.Component,
    cancel_id: str,
    work: Callable[[dict[str, Any], Progress], str],
    name: str,
    button: str = "",
) -> gr.State:
    """On ``event``, show ``work(what the page sent, progress)``, a file's path, in ``output``.

    ``output`` and, below it, Cancel (``cancel_id``) are hidden until then; what an earlier job made stays until the
    next is there. ``name`` keeps these jobs to two at a time. The page sends a new ``job`` with each event, so that
    one that waits in the queue can be told from the next. ``button``: id of the button that begins it, which shows
    that it is at work. A gr.File saves itself. Returns whether ``output`` holds something, for who takes it away.
    """
    kind = type(output)
    cancel = gr.Button(texts.i18n("c_cancel"), visible=False, elem_id=cancel_id, size="sm")
    begins, ends, stopped = scripts_of(button, output, cancel)
    stops, there = Stops(), gr.State(False)  # whether an earlier job has made something

    def job_of(event: gr.EventData, request: gr.Request) -> tuple[str, str]:
        return request.session_hash or "", str((event._data or {}).get("job", ""))[:64]

    def announce(event: gr.EventData, request: gr.Request) -> Any:
        stops.of(*job_of(event, request))
        return kind(visible=True), gr.Button(visible=True)

    def run(
        before: bool,
        event: gr.EventData,
        request: gr.Request,
        progress: gr.Progress = gr.Progress(),  # noqa: B008
    ) -> Any:
        stop = stops.of(*job_of(event, request))
        try:
            report = reporter(progress, stop, request)
            report(0.0, "")  # raises where it was cancelled while it waited
            return kind(work(event._data or {}, report), visible=True), True
        except Cancelled:
            pass  # said when the button was pressed
        except UserError as error:
            gr.Warning(texts.translate_error(error, request))
        except Exception:
            log.exception("%s failed", name)
            gr.Warning(texts.t("unexpected", request))
        finally:
            stops.forget(*job_of(event, request))
        return kind(visible=before), before

    def ask_to_stop(before: bool, request: gr.Request) -> Any:
        if stops.cancel(request.session_hash or ""):
            gr.Info(texts.t("c_cancelled", request))
        return kind(visible=before), gr.Button(visible=False)

    quiet = {"queue": False, "show_progress": "hidden", "api_visibility": "private"}
    event(announce, None, [output, cancel], **quiet).then(None, js=begins, **quiet)
    running = event(run, there, [output, there], api_visibility="private", concurrency_id=name, concurrency_limit=2)
    running.then(lambda: gr.Button(visible=False), None, cancel, **quiet)
    running.then(None, output, js=ends, **quiet)
    cancel.click(None, js=stopped, **quiet)
    # `cancels` takes a waiting job out of the queue and lets the page ask for the next one at once.
    # Toasts travel through the queue; this one waits for nobody there.
    loud = quiet | {"queue": True, "concurrency_limit": None}
    cancel.click(ask_to_stop, there, [output, cancel], cancels=[running], **loud)
    return there


def scripts_of(button: str, output: gr.components.Component, cancel: gr.Button | None = None) -> tuple[str, str, str]:
    """JavaScript for when a job has begun, has ended (its input: what ``output`` holds) and was cancelled."""
    places = json.dumps([output.elem_id, *([cancel.elem_id] if cancel else [])])[1:-1]
    button, shown, save = json.dumps(button), json.dumps(output.elem_id), json.dumps(isinstance(output, gr.File))
    return (
        f"() => {{ window.imagenDemo.jobBegins({button}, {places}); return []; }}",
        f"(value) => {{ window.imagenDemo.jobEnds({button}, {shown}, value, {save}); return []; }}",
        f"() => {{ window.imagenDemo.jobEnds({button}, {shown}, null, false); return []; }}",
    )


def reporter(progress: gr.Progress, stop: threading.Event, request: gr.Request | None) -> Progress:
    """Gradio's progress as the core's: percent and seconds left; raises Cancelled once ``stop`` is set.

    The page hears of it a few times a second: told of every frame of a video, it is too busy to notice a click.
    """
    started = time.monotonic()
    next_word = started

    def report(fraction: float, text: str) -> None:
        nonlocal next_word
        if stop.is_set():
            raise Cancelled
        now = time.monotonic()
        if now < next_word:
            return
        next_word = now + BETWEEN_WORDS
        spent = now - started
        left = spent / fraction - spent if fraction > 0.02 else None
        progress(
            fraction,
            desc=texts.translate_progress(text, request)
            if left is None
            else texts.t("seconds_left", request, seconds=f"{left:.0f}"),
        )

    return report


def fresh_file(name: str) -> Path:
    """A new place in Gradio's own folder, which it may serve; what was made there days ago goes."""
    made = Path(get_upload_folder()) / "made"
    clear_old(made)
    folder = made / secrets.token_hex(16)
    folder.mkdir(parents=True)
    return folder / name


def clear_old(folder: Path) -> None:
    """Delete the folders in it that nobody has used for :data:`MOST_AGE`: Gradio clears only what it knows of."""
    for each in folder.iterdir() if folder.is_dir() else ():
        with contextlib.suppress(OSError):  # another request may be at it
            if time.time() - each.stat().st_mtime > MOST_AGE:
                shutil.rmtree(each)
