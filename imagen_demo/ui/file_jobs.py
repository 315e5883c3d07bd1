"""Long work that ends in a file: started by a page component's own event, with progress, time left and Cancel."""

from __future__ import annotations

import logging
import secrets
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


def wire(
    event: Callable[..., Any],
    output: gr.components.Component,
    cancel: gr.Button,
    work: Callable[[dict[str, Any], Progress], str],
    name: str,
) -> None:
    """On ``event``, show ``work(what the page sent, progress)``, a file's path, in ``output``.

    ``output`` and ``cancel`` are hidden until then. ``name`` keeps these jobs to two at a time.
    """
    kind = type(output)
    stops: dict[str, threading.Event] = {}  # by session

    def run(event: gr.EventData, request: gr.Request, progress: gr.Progress = gr.Progress()) -> Any:  # noqa: B008
        session = request.session_hash or ""
        stop = stops[session] = threading.Event()
        try:
            return kind(work(event._data or {}, reporter(progress, stop, request)), visible=True)
        except Cancelled:
            gr.Info(texts.t("c_cancelled", request))
        except UserError as error:
            gr.Warning(texts.translate_error(error, request))
        except Exception:
            log.exception("%s failed", name)
            gr.Warning(texts.t("unexpected", request))
        finally:
            if stops.get(session) is stop:  # else the visitor has started another one meanwhile
                del stops[session]
        return kind(visible=False)

    def ask_to_stop(request: gr.Request) -> None:
        if stop := stops.get(request.session_hash or ""):
            stop.set()

    quiet = {"queue": False, "show_progress": "hidden", "api_visibility": "private"}
    event(lambda: (kind(None, visible=True), gr.Button(visible=True)), None, [output, cancel], **quiet)
    running = event(run, None, output, api_visibility="private", concurrency_id=name, concurrency_limit=2)
    running.then(lambda: gr.Button(visible=False), None, cancel, **quiet)
    cancel.click(ask_to_stop, None, None, **quiet)


def reporter(progress: gr.Progress, stop: threading.Event, request: gr.Request | None) -> Progress:
    """Gradio's progress as the core's: percent and seconds left; raises Cancelled once ``stop`` is set."""
    started = time.monotonic()

    def report(fraction: float, text: str) -> None:
        if stop.is_set():
            raise Cancelled
        spent = time.monotonic() - started
        left = spent / fraction - spent if fraction > 0.02 else None
        progress(fraction, desc=text if left is None else texts.t("seconds_left", request, seconds=f"{left:.0f}"))

    return report


def fresh_file(name: str) -> Path:
    """A new place in Gradio's own folder, which it may serve and clears by age."""
    folder = Path(get_upload_folder()) / secrets.token_hex(16)
    folder.mkdir(parents=True)
    return folder / name
