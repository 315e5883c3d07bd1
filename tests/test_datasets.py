"""Preparing pictures in a workspace: nobody gets in another one's way."""

from __future__ import annotations

import contextlib
import errno
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from conftest import REPOSITORY, draw_pictures

from imagen_demo.config import PrepareConfig
from imagen_demo.data.dataset import open_dataset
from imagen_demo.errors import Cancelled, UserError
from imagen_demo.studio import datasets
from imagen_demo.studio.background import Background
from imagen_demo.studio.locks import Lock

SMALL = PrepareConfig(resolution=16, workers=1)


def test_cancelling_a_preparation_leaves_nothing(workspace, pictures_folder):

    def work(progress):
        def slowly(fraction, text):
            time.sleep(0.05)
            progress(fraction, text)

        return datasets.prepare_dataset(workspace, pictures_folder, "cats", SMALL, slowly)

    job = Background(work)
    job.cancel()
    job.join(20)
    assert job.done and job.cancelled and job.result is None
    assert list(workspace.datasets.iterdir()) == []


def test_visitors_who_prepare_at_the_same_time_get_datasets_of_their_own(workspace, pictures_folder, tmp_path):
    others = draw_pictures(tmp_path / "others", count=20)
    slow = lambda fraction, text: time.sleep(0.005)  # noqa: E731
    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(
            lambda source: datasets.prepare_dataset(workspace, source, "pictures", SMALL, slow),
            (pictures_folder, others),
        )
    assert {first.name, second.name} == {"pictures", "pictures-2"}
    assert (len(first), len(second)) == (40, 20)


def test_the_sample_set_is_drawn_once_for_all(workspace):
    waited = []

    def watch(fraction, text):
        time.sleep(0.005)
        waited.append("Waiting" in text)

    with ThreadPoolExecutor(2) as pool:
        made = list(pool.map(lambda _: datasets.prepare_sample_set(workspace, SMALL, watch, count=20), range(2)))
    assert made[0].path == made[1].path and made[0].fingerprint == made[1].fingerprint and any(waited)
    assert [path.name for path in workspace.datasets.iterdir()] == ["planets-16"]


def test_waiting_for_the_same_pictures_can_be_cancelled(workspace):
    def cancel(fraction, text):
        raise Cancelled

    others = datasets._alone(workspace, "planets-16", replace=True)
    with others, pytest.raises(Cancelled):
        datasets.prepare_sample_set(workspace, SMALL, cancel)
    assert datasets._being_made == set()


def test_a_full_disk_is_told_and_not_waited_for(workspace, monkeypatch):
    def full(lock):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Lock, "take", full)
    with pytest.raises(UserError, match="The disk is full; planets-16 was not prepared"):
        datasets.prepare_sample_set(workspace, SMALL)


PREPARE = """
import sys, time
from pathlib import Path
from imagen_demo.config import PrepareConfig
from imagen_demo.studio import datasets
from imagen_demo.workspace import Workspace

def slowly(fraction, text):
    print(fraction, flush=True)
    sys.stdin.readline()

source, root = map(Path, sys.argv[1:])
made = datasets.prepare_dataset(Workspace(root), source, "cats", PrepareConfig(resolution=16, workers=1), slowly)
print("made", made.name, flush=True)
"""


@contextlib.contextmanager
def preparing_elsewhere(workspace, source) -> Iterator[subprocess.Popen]:
    """Another process in the middle of preparing ``cats``; it goes on once its input is closed."""
    environment = os.environ | {"PYTHONPATH": str(REPOSITORY)}
    with subprocess.Popen(
        [sys.executable, "-c", PREPARE, str(source), str(workspace.root)], env=environment, text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    ) as other:  # fmt: skip
        assert other.stdout.readline().startswith("0")
        try:
            yield other
        finally:
            other.kill()


def test_another_process_that_prepares_the_same_name_is_told(workspace, pictures_folder, tmp_path):
    source = draw_pictures(tmp_path / "others", count=20)
    with preparing_elsewhere(workspace, source) as other:
        for replace in (False, True):
            with pytest.raises(UserError, match=f"cats is being prepared by process {other.pid} at this moment"):
                datasets.prepare_dataset(workspace, pictures_folder, "cats", SMALL, replace=replace)
        assert datasets.prepare_dataset(workspace, pictures_folder, "dogs", SMALL).name == "dogs"
        command = [sys.executable, "-m", "imagen_demo", "--workspace", str(workspace.root), "prepare",
                   str(pictures_folder), "--name", "cats", "--resolution", "16"]  # fmt: skip
        said = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True)
        assert said.returncode == 2 and f"by process {other.pid} at this moment" in said.stderr
        rest, _ = other.communicate("\n" * 1000)
        assert "made cats" in rest
    assert len(datasets.open_dataset(workspace.datasets / "cats")) == 20  # nobody got in its way
    assert datasets.prepare_dataset(workspace, pictures_folder, "cats", SMALL).name == "cats-2"
    assert sorted(path.name for path in workspace.datasets.iterdir()) == ["cats", "cats-2", "dogs"]


def test_a_process_that_died_while_preparing_blocks_nobody(workspace, pictures_folder):
    with preparing_elsewhere(workspace, pictures_folder) as other:
        other.kill()
        other.wait()
    assert len(datasets.prepare_dataset(workspace, pictures_folder, "cats", SMALL)) == 40
    assert [path.name for path in workspace.datasets.iterdir()] == ["cats"]


def test_the_sample_set_waits_for_another_process(workspace):
    lock, said = datasets.dataset_lock(workspace.datasets / "planets-16"), []
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as other:
        lock.take()
        lock.hand_to(other.pid)

        def watch(fraction, text):
            said.append(text)
            if len(said) == 3:
                other.communicate(b"\n")  # its end frees the name, whether or not it tidied up

        assert len(datasets.prepare_sample_set(workspace, SMALL, watch, count=20)) == 20
    assert said[:3] == ["Waiting for the same pictures"] * 3 and said[-1] == "Done" and said.count("Done") == 1


def test_a_users_own_dataset_of_the_sample_sets_name_stays(workspace, pictures_folder):
    own = datasets.prepare_dataset(workspace, pictures_folder, "planets-16", SMALL)
    sample = datasets.prepare_sample_set(workspace, SMALL, count=12)
    assert (sample.name, len(sample)) == ("planets-16-2", 12)
    assert open_dataset(workspace.datasets / "planets-16").fingerprint == own.fingerprint
