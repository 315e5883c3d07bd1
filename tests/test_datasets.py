"""Preparing pictures in a workspace: nobody gets in another one's way."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from conftest import draw_pictures

from imagen_demo.config import PrepareConfig
from imagen_demo.errors import Cancelled
from imagen_demo.studio import datasets
from imagen_demo.studio.background import Background

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

    others = datasets._alone(workspace, "planets-16", lambda fraction, text: None, replace=True)
    with others, pytest.raises(Cancelled):
        datasets.prepare_sample_set(workspace, SMALL, cancel)
    assert datasets._being_made == set()
