"""Long work that ends in a file: its progress, and that a job which still waits is cancelled for good."""

from __future__ import annotations

import itertools
import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import gradio as gr
import httpx
import pytest

from imagen_demo.errors import Cancelled
from imagen_demo.ui import file_jobs


@pytest.fixture
def began() -> list[str]:
    return []


@pytest.fixture
def release() -> Iterator[threading.Event]:
    event = threading.Event()
    yield event
    event.set()


@pytest.fixture
def press(tmp_path: Path, began: list[str], release: threading.Event) -> Iterator[Callable[[str, str, str], None]]:
    """``press(visitor, "announce" | "run" | "ask_to_stop", job)``: what the page sends."""

    def work(sent: dict, report: Callable[[float, str], None]) -> str:
        began.append(sent["job"])
        while not release.wait(0.02):
            report(0.5, "working")
        (tmp_path / "out.zip").write_bytes(b"done")
        return str(tmp_path / "out.zip")

    with gr.Blocks() as blocks:
        start, out = gr.Button(), gr.File()
        file_jobs.wire(start.click, out, "cancel", work, "zip")
    _, url, _ = blocks.launch(prevent_thread_lock=True, quiet=True, server_name="127.0.0.1")
    number = {fn.fn.__name__: index for index, fn in blocks.fns.items() if fn.fn is not None}

    def send(visitor: str, what: str, job: str) -> None:
        route = "run/predict" if what == "announce" else "queue/join"
        data = [] if what == "announce" else [None]  # whether there was something before
        body = {"data": data, "fn_index": number[what], "session_hash": visitor, "event_data": {"job": job}}
        answer = httpx.post(f"{url}gradio_api/{route}", json=body, timeout=30).raise_for_status().json()
        if what == "ask_to_stop":
            with httpx.stream("GET", f"{url}gradio_api/queue/data?session_hash={visitor}", timeout=30) as messages:
                mine = (line for line in messages.iter_lines() if answer["event_id"] in line)
                said = list(itertools.takewhile(lambda line: "process_completed" not in line, mine))
            assert any("Cancelled." in line for line in said)

    yield send
    release.set()
    blocks.close()


def until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + 20
    while not true():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_a_job_cancelled_while_it_waits_never_runs(press, began, release):
    for visitor in ("a", "b"):  # as many as run at a time
        press(visitor, "announce", visitor)
        press(visitor, "run", visitor)
    until(lambda: len(began) == 2)
    press("c", "announce", "unwanted")
    press("c", "run", "unwanted")
    press("c", "ask_to_stop", "")
    press("c", "announce", "wanted")  # the next one is another job
    press("c", "run", "wanted")
    release.set()
    until(lambda: "wanted" in began)
    assert "unwanted" not in began


def test_cancel_ends_the_visitors_own_job_only(press, began, release):
    for visitor in ("a", "b"):
        press(visitor, "announce", visitor)
        press(visitor, "run", visitor)
    until(lambda: len(began) == 2)
    press("c", "announce", "next")
    press("c", "run", "next")
    press("a", "ask_to_stop", "")
    until(lambda: "next" in began)  # the place of the cancelled one is free, b still works
    assert not release.is_set()


def test_what_never_began_is_forgotten_in_time():
    stops = file_jobs.Stops()
    for number in range(3 * stops.MOST):
        stops.of("session", str(number))
    assert len(stops._events) <= stops.MOST


def test_a_page_is_not_told_of_every_frame_but_stops_at_any():
    words, stop = [], threading.Event()
    report = file_jobs.reporter(lambda fraction, desc: words.append(fraction), stop, None)
    for frame in range(10_000):
        report(frame / 10_000, "")
    assert words[0] == 0.0 and len(words) < 100
    stop.set()
    with pytest.raises(Cancelled):
        report(1.0, "")


def test_what_was_made_days_ago_is_cleared_away(tmp_path, monkeypatch):
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    old, new = (file_jobs.fresh_file("film.mp4") for _ in range(2))
    for file in (old, new):
        file.write_bytes(b"film")
    os.utime(old.parent, (0, time.time() - file_jobs.MOST_AGE - 1))
    assert file_jobs.fresh_file("film.mp4").parent.is_dir()
    assert not old.parent.exists() and new.is_file()
