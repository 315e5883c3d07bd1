"""Starting, asking and finding training runs, with a stand-in for the trainer."""

import errno
import json
import os
import subprocess
import sys
import textwrap
import threading
import time

import numpy as np
import pytest
from PIL import Image

from imagen_demo.config import PrepareConfig, TrainConfig
from imagen_demo.errors import Cancelled, UserError
from imagen_demo.studio import curves, datasets, jobs
from imagen_demo.studio.background import Background, Jobs
from imagen_demo.studio.locks import run_lock
from imagen_demo.training.run import Run, Status, process_started
from imagen_demo.workspace import REPOSITORY, Workspace

FAKE = textwrap.dedent("""
    import sys, time
    from pathlib import Path
    from imagen_demo.training.run import Run, own_status
    run = Run(Path(sys.argv[1]))
    status = own_status()
    (run.path / "arguments.txt").write_text(" ".join(sys.argv[2:]))
    run.state.mkdir(exist_ok=True)
    status.state = "training"
    run.write_status(status)
    print("hello from the trainer", flush=True)
    while run.asked() != "stop":
        wanted = "paused" if run.asked() == "pause" else "training"
        if wanted != status.state:
            status.state = wanted
            run.write_status(status)
        time.sleep(0.02)
    status.state, status.seconds = "stopped", 120.0
    run.write_status(status)
""")


@pytest.fixture
def workspace(tmp_path, monkeypatch):
    script = tmp_path / "fake_trainer.py"
    script.write_text(FAKE)
    monkeypatch.setattr(jobs, "TRAINER", [sys.executable, str(script)])
    return Workspace(tmp_path / "workspace")


@pytest.fixture
def dataset(workspace, tmp_path):
    return datasets.prepare_dataset(
        workspace, pictures(tmp_path / "pictures"), "cats", PrepareConfig(resolution=16)
    ).name


def pictures(folder, count=12):
    folder.mkdir()
    random = np.random.default_rng(0)
    for number in range(count):
        Image.fromarray(random.integers(0, 255, (20, 20, 3), np.uint8)).save(folder / f"cat{number}.png")
    return folder


def until(run, state, seconds=20):
    end = time.monotonic() + seconds
    while run.status().state != state:
        assert time.monotonic() < end, f"still {run.status()}\n{jobs.tail(run)}"
        time.sleep(0.02)


def test_a_run_is_started_paused_resumed_stopped_and_continued(workspace, dataset):
    run = jobs.start(workspace, dataset, TrainConfig(minutes=3), "first")
    try:
        assert run.status().alive  # at once, before the trainer has loaded
        until(run, "training")
        assert run.config()["train"]["minutes"] == 3
        assert (workspace.datasets / "cats").samefile(run.config()["dataset"])
        with pytest.raises(UserError, match="already being trained"):
            jobs._spawn(run, resume=False)
        with pytest.raises(UserError, match="Stop it first"):
            jobs.delete_run(run)
        with pytest.raises(UserError, match="already being trained"):
            jobs.resume_run(run)
        jobs.pause(run)
        until(run, "paused")
        with pytest.raises(UserError, match="once it has ended"):
            jobs.resume_run(run, more_minutes=5)
        jobs.resume_run(run)
        until(run, "training")
    finally:
        jobs.stop(run)
    assert jobs.wait(run, 20).state == "stopped"
    assert "hello from the trainer" in jobs.tail(run)
    assert [row["who"] for row in run.events()] == ["user"] * 3  # paused, resumed, stopped
    jobs.resume_run(run, more_minutes=5)
    try:
        until(run, "training")
        assert run.config()["train"]["minutes"] == pytest.approx(7)  # the two minutes spent, and five more
        assert (run.path / "arguments.txt").read_text() == "--resume"
    finally:
        jobs.stop(run)
    jobs.wait(run, 20)
    for asked in (jobs.pause, jobs.stop):
        with pytest.raises(UserError, match="not in training"):
            asked(run)
    jobs.delete_run(run)
    assert jobs.list_runs(workspace) == []


def test_the_trainer_is_detached_and_leaves_no_zombie(workspace, dataset):
    run = jobs.start(workspace, dataset, TrainConfig(), "detached")
    pid = run.status().pid
    until(run, "training")
    assert os.getsid(pid) == pid != os.getsid(0)
    jobs.stop(run)
    jobs.wait(run, 20)
    end = time.monotonic() + 10
    while process_started(pid) and time.monotonic() < end:
        time.sleep(0.05)
    assert process_started(pid) == 0.0


def test_a_trainer_that_dies_reads_as_interrupted_and_can_be_resumed(workspace, dataset):
    run = jobs.start(workspace, dataset, TrainConfig(), "dies")
    until(run, "training")
    os.kill(run.status().pid, 9)
    until(run, "interrupted")
    jobs.resume_run(run)
    try:
        until(run, "training")
    finally:
        jobs.stop(run)
    jobs.wait(run, 20)


def test_names_are_never_shared_and_wrong_names_are_sentences(workspace, dataset):
    opened = jobs.open_dataset(workspace.datasets / dataset)
    names = [jobs.create_run(workspace, opened, TrainConfig(), "run").name for _ in range(3)]
    assert names == ["run", "run-2", "run-3"]
    assert not [path for path in workspace.runs.iterdir() if path.name.startswith(".")]
    with pytest.raises(UserError, match="no prepared dataset"):
        jobs.start(workspace, "dogs", TrainConfig(), "run")
    with pytest.raises(UserError, match="cannot be a name"):
        jobs.start(workspace, dataset, TrainConfig(), "../run")
    with pytest.raises(UserError, match="no training run"):
        jobs.find_run(workspace, "nothing")


def test_runs_are_listed_newest_first_and_damaged_ones_with_a_sentence(workspace, dataset):
    opened = jobs.open_dataset(workspace.datasets / dataset)
    for number, name in enumerate(("old", "newer", "newest")):
        run = jobs.create_run(workspace, opened, TrainConfig(), name)
        config = run.config() | {"created": 1000.0 + number}
        (run.path / "config.json").write_text(json.dumps(config))
    (workspace.runs / "newer" / "config.json").write_text("{")
    (workspace.runs / "old" / "status.json").write_text("[]")
    runs = {run.name: run for run in jobs.list_runs(workspace)}
    assert set(runs) == {"newest", "old", "newer"}
    assert [name for name in runs if name != "newer"] == ["newest", "old"]
    assert jobs.damage(runs["newest"]) is None
    assert "damaged" in str(jobs.damage(runs["newer"]))
    assert runs["old"].status().state == "interrupted"
    with pytest.raises(UserError, match="damaged"):
        jobs.resume_run(runs["newer"])


def test_a_dead_owners_lock_is_taken_over_and_a_living_ones_is_not(tmp_path):
    lock = run_lock(tmp_path)
    lock.take()
    with pytest.raises(UserError, match="already being trained"):
        run_lock(tmp_path).take()
    lock.release()
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    for stale in (json.dumps({"pid": gone.pid, "started": 1.0}), json.dumps({"pid": os.getpid(), "started": 1.0}), "{"):
        lock.path.write_text(stale)
        assert lock.owner() is None
        lock.take()
        assert lock.owner() == os.getpid()
        lock.release()


def test_a_file_system_without_links_has_locks_too_and_a_full_one_says_so(tmp_path, monkeypatch):
    def fail(code: int) -> None:
        monkeypatch.setattr(os, "link", lambda *_: (_ for _ in ()).throw(OSError(code, os.strerror(code))))

    fail(errno.ENOSPC)
    with pytest.raises(OSError, match="No space left"):
        run_lock(tmp_path).take()
    assert not list(tmp_path.iterdir())
    fail(errno.EPERM)
    run_lock(tmp_path).take()
    assert run_lock(tmp_path).owner() == os.getpid()
    with pytest.raises(UserError):
        run_lock(tmp_path).take()


def test_of_two_takers_one_gets_the_lock(tmp_path):
    got, barrier = [], threading.Barrier(8)

    def taker():
        barrier.wait()
        try:
            run_lock(tmp_path).take()
            got.append(True)
        except UserError:
            pass

    threads = [threading.Thread(target=taker) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(got) == 1


def test_the_real_trainer_is_found_from_anywhere(tmp_path):
    environment = os.environ | {"PYTHONPATH": str(REPOSITORY), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-m", "imagen_demo.training.main", "--help"], cwd=tmp_path, env=environment,
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0
    assert "--resume" in done.stdout


def test_background_work_tells_results_errors_and_crashes_apart():
    def fails(progress):
        raise UserError("No {what}.", what="pictures")

    def crashes(progress):
        raise ZeroDivisionError

    def cancels(progress):
        raise Cancelled

    outcomes = [Background(work) for work in (lambda progress: 3, fails, crashes, cancels)]
    for job in outcomes:
        job.join(5)
    assert outcomes[0].result == 3
    assert str(outcomes[1].error) == "No pictures."
    assert [job.crashed for job in outcomes] == [False, False, True, False]
    assert [job.cancelled for job in outcomes] == [False, False, False, True]


def test_a_page_that_comes_later_finds_work_under_way_and_what_ended_unseen():
    pages, go_on = Jobs(), threading.Event()
    assert pages.newest() is None and pages.get(None) is None and pages.get("gone") is None
    old, new = pages.start(lambda progress: 1, "a"), pages.start(lambda progress: go_on.wait(5), "b")
    pages.get(old).join(5)
    assert pages.newest() == new and pages.get(new).owner == "b"
    go_on.set()
    pages.get(new).join(5)
    pages.get(new).told = True
    assert pages.newest() == old and pages.get(old).result == 1
    pages.get(old).told = True
    assert pages.newest() is None and pages.get(old).result == 1  # others who watch are still told
    for _ in range(3 * Jobs.KEPT):
        job = pages.get(pages.start(lambda progress: None))
        job.join(5)
        job.told = True
    assert pages.get(old) is None and len(pages._jobs) <= Jobs.KEPT + 1


def test_thinning_keeps_ends_and_spikes():
    x, y = list(range(10_000)), [0.0] * 10_000
    y[1234], y[8765] = 9.0, -9.0
    thin_x, thin_y = curves.thin(x, y, 100)
    assert len(thin_x) <= 100
    assert thin_x == sorted(thin_x) and {0, 1234, 8765, 9999} <= set(thin_x)
    assert max(thin_y) == 9.0 and min(thin_y) == -9.0
    assert curves.thin([1, 2], [3, 4], 100) == ([1, 2], [3, 4])


def test_curves_stay_small_together_and_leave_gaps_out(tmp_path):
    run = Run(tmp_path)
    rows = [{"kimg": i / 10, "loss_g": float(i), "loss_d": float("nan") if i == 5 else 1.0} for i in range(3000)]
    rows[7]["swd"] = 2.0
    (tmp_path / "metrics.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows) + '{"kimg": 1, "lo')
    found = curves.curve(run, ["loss_g", "loss_d", "swd", "absent"], 500)
    assert sum(len(x) for x, _ in found.values()) <= 500
    assert found["swd"] == ([0.7], [2.0]) and found["absent"] == ([], [])
    assert all(np.isfinite(y).all() for _, y in found.values())


def test_waiting_shows_each_status_and_ends(tmp_path):
    run, seen = Run(tmp_path), []
    run.write_status(Status(state="finished", kimg=4.0))
    assert jobs.wait(run, 5, seen.append).state == "finished"
    assert [status.kimg for status in seen] == [4.0]
