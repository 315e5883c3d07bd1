"""Which pictures a training sees, and which are held out."""

import dataclasses

import numpy as np
import pytest
import torch
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


@pytest.mark.parametrize("batch", [4, 16])
def test_pictures_held_out_come_in_the_classes_of_the_step_each_once_in_a_group(dataset, batch):
    batches = Batches(dataset, batch, seed=3, mirror=False, device=CPU, hold_out=True)
    assert np.bincount(dataset.labels[batches.held_out]).tolist() == [2, 2]  # as many of each as among all
    unseen = {batches._load(np.array([index]), 0)[0].numpy().tobytes() for index in batches.held_out}
    for step in range(20):
        (pictures, labels, paired), (_, trained) = batches.validation(step), batches[step]
        assert torch.equal(paired, labels == trained)
        for start in range(0, batch, 4):  # of a class of which a group has more than two, two are paired
            assert {picture[None].numpy().tobytes() for picture in pictures[start : start + 4]} == unseen
            assert paired[start : start + 4].sum() == np.minimum(np.bincount(trained[start : start + 4]), 2).sum()


def test_processes_share_the_pictures_held_out_as_they_share_the_batch(dataset):
    whole, *parts = (
        Batches(dataset, 8, seed=3, mirror=True, device=CPU, hold_out=True, share=share).validation(5)
        for share in (slice(0, 8), slice(0, 4), slice(4, 8))
    )
    assert all(torch.equal(all_, torch.cat(some)) for all_, some in zip(whole, zip(*parts, strict=True), strict=True))


def test_no_class_is_held_out_whole(dataset):
    labels = np.zeros(24, np.int64)
    labels[7] = 1
    lonely = dataclasses.replace(dataset, labels=labels)
    held_out = [Batches(lonely, 4, seed, mirror=False, device=CPU, hold_out=True).held_out for seed in range(40)]
    assert all(len(held) == 4 and 7 not in held for held in held_out)
    batches = Batches(lonely, 4, 0, mirror=False, device=CPU, hold_out=True)
    found = [(*batches.validation(step), batches[step][1]) for step in range(24)]
    assert all(labels.tolist() == [0] * 4 for _, labels, _, _ in found)  # where 1 is wanted some other comes, unpaired
    assert all(torch.equal(paired, wanted == 0) for _, _, paired, wanted in found)
    assert any(1 in wanted for *_, wanted in found)


def test_without_classes_all_pictures_held_out_are_compared(dataset):
    batches = Batches(dataclasses.replace(dataset, labels=None), 16, 3, mirror=False, device=CPU, hold_out=True)
    pictures, labels, paired = batches.validation(0)
    assert labels is None and paired.all() and pictures.shape == (16, 3, 16, 16)


@pytest.mark.parametrize("hold_out", [True, False])
def test_large_classes_come_in_groups_of_one_class_and_small_ones_mixed(dataset, hold_out):
    labels = np.repeat([0, 1, 2], [150, 101, 3])
    many = dataclasses.replace(dataset, images=np.zeros((254, 16, 16, 3), np.uint8), labels=labels)
    batches = Batches(many, 8, seed=3, mirror=False, device=CPU, hold_out=hold_out)
    length = len(batches.train) // 4 * 4
    epochs = np.concatenate([batches.indices(step) for step in range(2 * length // 8)]).reshape(2, length)
    for epoch in epochs:
        assert len(set(epoch)) == length and set(epoch) <= set(batches.train)
        groups = labels[epoch].reshape(-1, 4)
        mixed = [group for group in groups if len(set(group)) > 1]
        assert len(mixed) <= 3  # what is left of each class, and the small one
        assert all(group.max() < 2 for group in groups if len(set(group)) == 1)
    assert not np.array_equal(*epochs)
    for step in range(20 if hold_out else 0):  # those held out can be compared with all of a group of one class
        paired, wanted = batches.validation(step)[2].reshape(-1, 4), labels[batches.indices(step)].reshape(-1, 4)
        assert all(whole.all() for whole, group in zip(paired, wanted, strict=True) if len(set(group)) == 1)
