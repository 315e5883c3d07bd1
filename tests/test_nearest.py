"""Nearest training pictures, and the score that tells new pictures from copies."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from conftest import draw_pictures
from PIL import Image

from imagen_demo.config import PrepareConfig
from imagen_demo.data.dataset import Dataset
from imagen_demo.data.prepare import prepare
from imagen_demo.training import nearest as module
from imagen_demo.training.nearest import SAME, memorisation, nearest, newness, usual_distances


@pytest.fixture
def dataset(tmp_path) -> Dataset:
    """60 pictures of discs, 64 px."""
    folder = draw_pictures(tmp_path / "many", 60, 64)
    return prepare(folder, tmp_path / "discs", PrepareConfig(resolution=64, workers=1))


def others(tmp_path, count: int = 60) -> np.ndarray:
    """Discs drawn later by the same hand."""
    folder = draw_pictures(tmp_path / "more", 60 + count, 64)
    return np.stack([np.asarray(Image.open(folder / f"disc{i:02d}.png")) for i in range(60, 60 + count)])


def brute_force(picture: np.ndarray, dataset: Dataset) -> np.ndarray:
    """All distances, by numpy in double precision."""

    def small(some: np.ndarray) -> np.ndarray:
        unit = some.astype(float) / 255
        return unit.reshape(32, 2, 32, 2, 3).mean(axis=(1, 3))

    return np.array(
        [
            min(np.sqrt(((small(view) - small(image)) ** 2).mean()) for view in (picture, picture[:, ::-1]))
            for image in dataset.images
        ]
    )


def test_the_nearest_are_those_of_brute_force(tmp_path, dataset, monkeypatch):
    monkeypatch.setattr(module, "BLOCK", 17)
    pictures = others(tmp_path, 5)
    index, distances = nearest(pictures, dataset, 4)
    for row, picture in enumerate(pictures):
        every = brute_force(picture, dataset)
        assert index[row].tolist() == np.argsort(every)[:4].tolist()
        assert distances[row] == pytest.approx(np.sort(every)[:4], rel=1e-4)


def test_copies_and_mirrored_copies_are_found_at_distance_zero(dataset):
    pictures = np.concatenate([dataset.images[[7, 30]], dataset.images[[50]][:, :, ::-1]])
    index, distances = nearest(pictures, dataset, 2)
    assert index[:, 0].tolist() == [7, 30, 50]
    assert (distances[:, 0] < 1e-6).all() and (distances[:, 1] > SAME).all()
    own, _ = nearest(dataset.images[:3], dataset, 4, own=np.arange(3))
    assert not any(row in own[row] for row in range(3))


def test_score_is_about_one_for_new_pictures_and_near_zero_for_copies(tmp_path, dataset):
    copies = dataset.images[np.arange(0, 60, 2)]
    noisy = np.clip(copies + np.random.default_rng(0).normal(0, 6, copies.shape), 0, 255).astype(np.uint8)
    assert memorisation(copies, dataset) < 0.01
    assert memorisation(copies[:, :, ::-1], dataset) < 0.01
    assert memorisation(noisy, dataset) < 0.3
    assert 0.7 < memorisation(others(tmp_path), dataset) < 1.4


def test_duplicates_in_the_set_do_not_make_the_usual_distance_zero(dataset, monkeypatch):
    usual = usual_distances(dataset)
    twice = dataclasses.replace(
        dataset, images=np.concatenate([dataset.images, dataset.images]),
        manifest=dataset.manifest | {"fingerprint": "twice"},
    )  # fmt: skip
    assert usual_distances(twice) == pytest.approx(usual, rel=0.2)
    monkeypatch.setattr(module, "nearest", None)  # kept on disk, not computed again
    assert usual_distances(twice) == pytest.approx(usual, rel=0.2)
    same = dataclasses.replace(twice, images=dataset.images[[0] * 20], manifest={"fingerprint": "same"})
    monkeypatch.undo()
    assert usual_distances(same) is None and memorisation(dataset.images[:3], same) is None


def test_what_cannot_be_seen_does_not_count():
    clear = np.zeros((1, 64, 64, 4), np.uint8)
    coloured = clear.copy()
    coloured[..., :3] = 200  # under alpha 0
    side = module.thumbnails(clear, 32, 4)
    assert (side == module.thumbnails(coloured, 32, 4)).all()
    assert module.thumbnails(clear[..., :3], 32, 4)[:, 3].min() == 1  # without alpha is opaque


def test_a_picture_with_nothing_in_it_is_no_copy(dataset):
    """It is nearer to every training picture than those are to each other."""
    rng = np.random.default_rng(0)
    texture = rng.integers(0, 256, (60, 8, 8, 3)).repeat(8, axis=1).repeat(8, axis=2).astype(np.uint8)
    mixed = dataclasses.replace(dataset, images=texture, manifest=dataset.manifest | {"fingerprint": "texture"})
    grey = np.full((1, 64, 64, 3), 128, np.uint8)
    usual = usual_distances(mixed)
    _, distances = nearest(grey, mixed, 1)
    assert distances[0, 0] < 0.8 * usual.nearest
    assert newness(grey, distances[:, 0], mixed, usual)[0] > 0.9
    assert newness(texture[:1], np.array([0.02]), mixed, usual)[0] < 0.3


def test_a_copy_of_one_of_two_pictures_is_told(dataset):
    two = dataclasses.replace(dataset, images=dataset.images[:2], manifest=dataset.manifest | {"fingerprint": "pair"})
    assert usual_distances(two).typical == pytest.approx(usual_distances(two).nearest, rel=1e-3)
    assert memorisation(two.images, two) < 0.01
