"""Which pictures a training sees, and which are held out."""

import dataclasses

import numpy as np
import pytest
from training_kit import CPU, two_colours

from imagen_demo.data.dataset import Dataset
from imagen_demo.training.batches import Batches


@pytest.fixture(scope="module")
def dataset(tmp_path_factory) -> Dataset:
    return two_colours(tmp_path_factory.mktemp("pictures"), tmp_path_factory.mktemp("prepared") / "two")


def test_batches_show_every_picture_once_an_epoch_whatever_the_batch(dataset):
    batches = Batches(dataset, 5, seed=3, mirror=False, device=CPU)
    seen = np.concatenate([batches.indices(step) for step in range(24)])[: 24 * 5]
    for epoch in range(5):
        assert sorted(seen[epoch * 24 : (epoch + 1) * 24]) == list(range(24))
    fresh = Batches(dataset, 5, seed=3, mirror=False, device=CPU)
    assert np.array_equal(fresh.indices(17), batches.indices(17))
    pictures, labels = batches[17]
    assert pictures.shape == (5, 3, 16, 16) and pictures.min() >= -1 and pictures.max() <= 1
    assert labels.tolist() == dataset.labels[batches.indices(17)].tolist()


def test_pictures_held_out_are_never_trained_on(dataset):
    batches = Batches(dataset, 4, seed=3, mirror=True, device=CPU, hold_out=True)
    held_out = set(batches.held_out)
    trained = {int(index) for step in range(40) for index in batches.indices(step)}
    assert len(held_out) == 4 and trained == set(range(24)) - held_out  # a group of MinibatchStd, not a sixteenth


def test_pictures_held_out_come_in_the_classes_of_the_step(dataset):
    batches = Batches(dataset, 4, seed=3, mirror=False, device=CPU, hold_out=True)
    assert np.bincount(dataset.labels[batches.held_out]).tolist() == [2, 2]  # as many of each as among all
    unseen = {batches._load(np.array([index]), 0)[0].numpy().tobytes() for index in batches.held_out}
    for step in range(20):
        (pictures, labels), (_, trained) = batches.validation(step), batches[step]
        assert labels.tolist() == trained.tolist()
        assert {picture[None].numpy().tobytes() for picture in pictures} <= unseen


def test_no_class_is_held_out_whole(dataset):
    labels = np.zeros(24, np.int64)
    labels[7] = 1
    lonely = dataclasses.replace(dataset, labels=labels)
    held_out = [Batches(lonely, 4, seed, mirror=False, device=CPU, hold_out=True).held_out for seed in range(40)]
    assert all(len(held) == 4 and 7 not in held for held in held_out)
    batches = Batches(lonely, 4, 0, mirror=False, device=CPU, hold_out=True)  # none to compare it with: some other
    assert all(batches.validation(step)[1].tolist() == [0] * 4 for step in range(24))
