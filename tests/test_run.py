"""The run directory survives kills, half-written lines and dead trainers."""

import json
from dataclasses import replace

import psutil
import pytest

from imagen_demo.training.run import Run, Status, own_status


def test_a_dead_trainer_reads_as_interrupted_and_a_living_one_does_not(tmp_path):
    run = Run(tmp_path)
    assert run.status().state == "interrupted"  # no status yet
    alive = own_status()
    alive.state = "training"
    run.write_status(alive)
    assert run.status().state == "training"
    run.write_status(Status(state="training", pid=alive.pid, pid_started=alive.pid_started - 100))  # a recycled pid
    assert run.status().state == "interrupted"
    run.write_status(Status(state="preparing", pid=2**22 + 1, pid_started=0.0))  # it died before anyone looked
    assert run.status().state == "interrupted"
    run.write_status(Status(state="finished", pid=1))
    assert run.status().state == "finished"


@pytest.mark.skipif(not psutil.LINUX, reason="elsewhere the system keeps a process's start in Unix time")
def test_a_trainer_is_not_taken_for_dead_when_the_clock_is_set(tmp_path, monkeypatch):
    run, booted = Run(tmp_path), psutil._psplatform.boot_time
    run.write_status(replace(own_status(), state="training"))
    monkeypatch.setattr(psutil._psplatform, "boot_time", lambda: booted() + 100)
    assert psutil.Process().create_time() > 0 and run.status().state == "training"


def test_a_line_cut_by_a_kill_is_passed_over_and_the_rest_stands(tmp_path):
    run = Run(tmp_path)
    run.append_metrics({"kimg": 1.0})
    run.append_metrics({"kimg": 2.0})
    with open(tmp_path / "metrics.jsonl", "a") as file:
        file.write('{"kimg": 3.')
    assert [row["kimg"] for row in run.metrics()] == [1.0, 2.0]
    run.forget_after(2.0)  # as a resume does: the cut line is gone, new ones append cleanly
    run.append_metrics({"kimg": 2.5})
    assert [row["kimg"] for row in run.metrics()] == [1.0, 2.0, 2.5]
    assert all(json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text().splitlines())


def test_an_event_after_a_line_that_a_full_disk_cut_is_not_lost(tmp_path):
    run = Run(tmp_path)
    run.append_event("coach", 1.0, "before")
    with open(tmp_path / "events.jsonl", "ab") as file:
        file.write('{"who": "user", "text": "猫'.encode()[:-1])
    run.append_event("coach", 2.0, "after")
    assert [event["template"] for event in run.events()] == ["before", "after"]


def test_after_a_move_of_the_workspace_its_dataset_is_found_in_it(tmp_path):
    run = Run(tmp_path / "runs" / "first")
    run.path.mkdir(parents=True)
    (run.path / "config.json").write_text(json.dumps({"dataset": str(tmp_path / "elsewhere" / "cats")}))
    assert run.dataset() == run.workspace / "datasets" / "cats"
    (tmp_path / "elsewhere" / "cats").mkdir(parents=True)
    assert run.dataset() == tmp_path / "elsewhere" / "cats"


def test_forget_after_drops_later_samples(tmp_path):
    run = Run(tmp_path)
    run.samples.mkdir()
    for kimg in (0.032, 1.5, 12.25):
        (run.samples / f"{kimg:09.3f}.png").write_bytes(b"x")
    assert [kimg for kimg, _ in run.sample_grids()] == [0.032, 1.5, 12.25]
    run.forget_after(1.5)
    assert [kimg for kimg, _ in run.sample_grids()] == [0.032, 1.5]


def test_requests_are_seen_until_answered(tmp_path):
    run = Run(tmp_path)
    assert run.asked() is None
    run.ask("pause")
    assert run.asked() == "pause"
    run.answer()
    run.answer()
    assert run.asked() is None


def test_events_keep_the_template_for_translation(tmp_path):
    run = Run(tmp_path)
    run.append_event("coach", 1.0, "Back to {kimg} kimg.", kimg=0.5)
    (event,) = run.events()
    assert event["text"] == "Back to 0.5 kimg." and event["template"] == "Back to {kimg} kimg."
