"""The metric network and what is computed from its features."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import torch
from standin import SIZE, StandIn, Whole, write_stand_in
from torchmetrics.image.fid import FrechetInceptionDistance
from torchmetrics.image.kid import KernelInceptionDistance

from imagen_demo.config import PrepareConfig
from imagen_demo.data.dataset import Dataset, open_dataset
from imagen_demo.data.prepare import prepare
from imagen_demo.errors import Cancelled, UserError
from imagen_demo.training import features as features_module
from imagen_demo.training.distances import fid, kid, precision_recall
from imagen_demo.training.features import FILE, VARIABLE, MetricNetwork, cached_count, opaque, real_features


@pytest.fixture
def dataset(tmp_path, pictures_folder) -> Dataset:
    """40 pictures of 16 px."""
    return prepare(pictures_folder, tmp_path / "datasets" / "discs", PrepareConfig(resolution=16, workers=1))


@pytest.fixture
def network(tmp_path) -> MetricNetwork:
    write_stand_in(tmp_path / "metrics" / FILE)
    return MetricNetwork(tmp_path)


def clouds(count: int, seed: int, shift: float = 0.0, size: int = SIZE) -> torch.Tensor:
    return torch.randn(count, size, generator=torch.Generator().manual_seed(seed)) + shift


# -- the network ---------------------------------------------------------------------------------------


def test_without_its_file_a_sentence_says_where_to_put_it(tmp_path, monkeypatch):
    with pytest.raises(UserError) as missing:
        MetricNetwork(tmp_path)
    assert str(tmp_path / "metrics" / FILE) in str(missing.value) and VARIABLE in str(missing.value)
    monkeypatch.setenv(VARIABLE, str(tmp_path / "elsewhere.pt"))
    with pytest.raises(UserError, match=r"elsewhere\.pt"):
        MetricNetwork(tmp_path)
    write_stand_in(tmp_path / "elsewhere.pt")
    assert MetricNetwork(tmp_path).size == SIZE


class Pair(torch.nn.Module):
    """A program, but none that gives features."""

    def forward(self, img: torch.Tensor, return_features: bool) -> tuple[torch.Tensor, torch.Tensor]:
        return img, img


@pytest.mark.filterwarnings("ignore:`torch.jit:DeprecationWarning")
@pytest.mark.parametrize("program", [None, Pair()])
def test_another_kind_of_file_is_refused_with_a_sentence(tmp_path, program):
    (tmp_path / "metrics").mkdir()
    (tmp_path / "metrics" / FILE).write_bytes(b"not a network")
    if program:
        torch.jit.save(torch.jit.script(program), str(tmp_path / "metrics" / FILE))
    with pytest.raises(UserError, match="is not a network that pictures can be measured with"):
        MetricNetwork(tmp_path)


def test_features_are_those_of_the_network_and_loading_warns_of_nothing(tmp_path):
    write_stand_in(tmp_path / "metrics" / FILE)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        network = MetricNetwork(tmp_path)
    pictures = np.random.default_rng(0).integers(0, 256, (70, 16, 16, 3), np.uint8)
    by_hand = StandIn()(torch.from_numpy(pictures).permute(0, 3, 1, 2), return_features=True)
    assert torch.allclose(network(pictures), by_hand.detach(), atol=1e-6)


def test_transparent_pictures_are_laid_onto_grey():
    pictures = np.array([[[[200, 100, 0, 255], [200, 100, 0, 0], [0, 0, 0, 51]]]], np.uint8)
    assert opaque(pictures).tolist() == [[[[200, 100, 0], [128, 128, 128], [102, 102, 102]]]]


# -- features of the training pictures are kept --------------------------------------------------------


def test_features_are_computed_once_and_more_are_added_to_them(dataset, network, monkeypatch):
    few = real_features(dataset, network, 15)
    assert cached_count(dataset, network) >= 15
    every = real_features(dataset, network, 1000)
    assert every.shape == (40, SIZE) and torch.equal(every[:15], few)
    order = np.random.default_rng(0).permutation(40)
    assert torch.allclose(every, network(dataset.images[order]), atol=1e-6)
    monkeypatch.setattr(MetricNetwork, "__call__", None)  # no picture is looked at again
    assert torch.equal(real_features(open_dataset(dataset.path), network, 40), every)


def test_features_of_other_pictures_or_of_another_network_are_not_used(tmp_path, dataset, network):
    real_features(dataset, network, 40)
    write_stand_in(tmp_path / "other" / "metrics" / FILE, seed=1)
    assert cached_count(dataset, MetricNetwork(tmp_path / "other")) == 0
    dataset.manifest["fingerprint"] = "changed"
    assert cached_count(dataset, network) == 0
    next(dataset.path.glob("features-*")).write_bytes(b"damaged")
    assert real_features(dataset, network, 40).shape == (40, SIZE)


def test_what_was_computed_before_a_cancel_is_kept(dataset, network, monkeypatch):
    monkeypatch.setattr(features_module, "BATCH", 10)

    def cancel(fraction: float, text: str) -> None:
        if fraction > 0.4:
            raise Cancelled

    with pytest.raises(Cancelled):
        real_features(dataset, network, 40, cancel)
    assert cached_count(dataset, network) == 20


# -- distances -----------------------------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore:Metric `Kernel Inception Distance` will save")
def test_fid_and_kid_are_the_librarys(network):
    random = np.random.default_rng(1)
    real = random.integers(0, 200, (120, 16, 16, 3), np.uint8)
    fake = random.integers(40, 256, (90, 16, 16, 3), np.uint8)

    frechet = FrechetInceptionDistance(Whole())
    kernel = KernelInceptionDistance(Whole(), subset_size=90)
    for metric in (frechet, kernel):
        metric.update(torch.from_numpy(real).permute(0, 3, 1, 2), real=True)
        metric.update(torch.from_numpy(fake).permute(0, 3, 1, 2), real=False)
    assert fid(network(real), network(fake)) == pytest.approx(float(frechet.compute()), rel=1e-3)
    torch.manual_seed(0)
    assert kid(network(real), network(fake)) == pytest.approx(float(kernel.compute()[0]), rel=1e-3)


def test_fid_of_two_gaussians_is_that_of_the_formula():
    real, fake = clouds(20_000, 0), clouds(20_000, 1, shift=0.5)
    assert fid(real, fake) == pytest.approx(0.25 * SIZE, rel=0.05)
    assert fid(real, 2 * clouds(20_000, 1)) == pytest.approx(SIZE, rel=0.05)  # (2 - 1) squared each


def test_kid_leaves_random_numbers_alone_and_repeats():
    real, fake = clouds(300, 0), clouds(200, 1, shift=0.2)
    torch.manual_seed(5)
    first, after = kid(real, fake, subsets=3), torch.randn(1)
    torch.manual_seed(5)
    assert torch.equal(after, torch.randn(1)) and kid(real, fake, subsets=3) == first


def brute_force(real: np.ndarray, fake: np.ndarray, k: int) -> tuple[float, float]:
    def inside(points: np.ndarray, centres: np.ndarray) -> float:
        hits = 0
        for point in points:
            for i, centre in enumerate(centres):
                others = np.linalg.norm(np.delete(centres, i, axis=0) - centre, axis=1)
                if np.linalg.norm(point - centre) <= np.sort(others)[k - 1]:
                    hits += 1
                    break
        return hits / len(points)

    return inside(fake, real), inside(real, fake)


@pytest.mark.parametrize("shift", [0.0, 1.0, 6.0])
def test_precision_and_recall_equal_brute_force(shift, monkeypatch):
    monkeypatch.setattr("imagen_demo.training.distances.BLOCK", 7)  # blocks change nothing
    real, fake = clouds(60, 0, size=3), 0.5 * clouds(60, 1, shift, size=3)
    assert precision_recall(real, fake) == pytest.approx(brute_force(real.double().numpy(), fake.double().numpy(), 3))


def test_precision_and_recall_tell_narrow_from_wild():
    real, narrow, wild = clouds(400, 0, size=4), 0.3 * clouds(400, 1, size=4), 3 * clouds(400, 1, size=4)
    precise, poor = precision_recall(real, narrow)
    vague, rich = precision_recall(real, wild)
    assert precise > 0.95 > vague and rich > poor
    assert precision_recall(real, real) == (1.0, 1.0)
