"""Pictures without classes: sorted into kinds, learned kind by kind, drawn as often as they occur."""

import dataclasses
import itertools

import numpy as np
import pytest
import torch
from tiny import save_tiny_model
from training_kit import CPU, everything, make_trainer, two_colours

from imagen_demo.config import ModelConfig, TrainConfig
from imagen_demo.data.dataset import Dataset
from imagen_demo.data.kinds import sorted_into_kinds
from imagen_demo.errors import UserError
from imagen_demo.latent import space
from imagen_demo.models.folder import load_model
from imagen_demo.models.registry import build_generator
from imagen_demo.studio.recipes import Recipe, Studio
from imagen_demo.studio.timeline import Timeline
from imagen_demo.studio.ways import way_of
from imagen_demo.training.run import Run
from imagen_demo.training.schedule import resolve
from imagen_demo.workspace import Workspace

TINY = ModelConfig(resolution=16, width=128, max_channels=16, z_dim=8, w_dim=8, kinds=3)


@pytest.fixture(scope="module")
def dataset(tmp_path_factory) -> Dataset:
    """24 pictures of two colours, without classes."""
    return two_colours(tmp_path_factory.mktemp("pictures"), tmp_path_factory.mktemp("prepared") / "two", labels=False)


@pytest.fixture(scope="module")
def colours(dataset) -> np.ndarray:
    """Bool [24]: which ones are red."""
    return dataset.images[..., 0].mean(axis=(1, 2)) > dataset.images[..., 2].mean(axis=(1, 2))


def test_pictures_that_look_alike_are_of_one_kind(dataset, colours):
    kinds = sorted_into_kinds(dataset.images, 2)
    assert kinds.dtype == np.int64 and kinds.shape == (24,)
    assert len(set(zip(kinds, colours, strict=True))) == 2
    assert np.array_equal(kinds, sorted_into_kinds(np.array(dataset.images), 2))


def test_what_cannot_be_seen_makes_no_kind():
    rng = np.random.default_rng(0)
    pictures = rng.integers(0, 256, (40, 32, 32, 4), dtype=np.uint8)
    pictures[:20, ..., 3], pictures[20:, ..., 3] = 0, 255  # twenty times nothing, in twenty colours
    pictures[:20, ..., :3] = rng.integers(0, 256, (20, 1, 1, 3))
    kinds = sorted_into_kinds(pictures, 2)
    assert len(set(kinds[:20])) == 1 and kinds[0] not in kinds[20:]


def test_a_black_drawing_is_not_like_nothing():
    pictures = np.zeros((30, 16, 16, 4), np.uint8)
    pictures[10:, ..., 3] = 255  # ten times nothing, ten black ones,
    pictures[20:, ..., :3] = 224  # ten pale ones
    kinds = sorted_into_kinds(pictures, 2)
    assert len(set(kinds[10:20])) == 1 and kinds[10] not in kinds[:10]


def test_of_many_pictures_the_kinds_of_some_are_those_of_all(dataset, colours, monkeypatch):
    monkeypatch.setattr("imagen_demo.data.kinds.FITTED", 12)
    monkeypatch.setattr("imagen_demo.data.kinds.PIXELS_AT_ONCE", 5 * 16**2)
    assert len(set(zip(sorted_into_kinds(dataset.images, 2), colours, strict=True))) == 2


def test_each_kind_is_drawn_as_often_as_it_occurs():
    torch.manual_seed(0)
    generator = build_generator(TINY)
    generator.mapping_network.share_out(torch.tensor([5, 3, 2]))
    z = torch.randn(20_000, 8)
    kinds = generator.mapping_network.kinds(z)
    assert torch.allclose(kinds.bincount() / len(z), torch.tensor([0.5, 0.3, 0.2]), atol=0.02)
    assert torch.equal(generator.mapping(z), generator.mapping(z, kinds))
    for counts, drawn in (([1, 0, 1], {0, 2}), ([0, 1, 1], {1, 2}), ([1, 1, 0], {0, 1})):
        generator.mapping_network.share_out(torch.tensor(counts))
        assert set(generator.mapping_network.kinds(z).tolist()) == drawn


@pytest.mark.parametrize("kind", ["z", "loop"])
def test_films_through_z_go_from_kind_to_kind_without_a_jump(tmp_path, kind):
    workspace = Workspace(tmp_path)
    save_tiny_model(workspace.checkpoints / "m", kinds=6)
    studio = Studio(workspace, "cpu")
    model = studio.model("m")
    recipes = (Recipe("m", seeds=((0, 1),)), Recipe("m", seeds=((2, 1),), fine_seeds=((5, 1),), split=2))
    assert len({int(model.generator.mapping_network.kinds(space.seed_to_z(seed, 8))) for seed in (0, 2, 5)}) == 3
    timeline = Timeline(recipes[: 1 if kind == "loop" else 2], kind, radius=1.0)
    way = way_of(studio, model, timeline)
    steps = [way.at(0, float(u)) for u in np.linspace(0, 1, 401)]
    lengths = torch.tensor([float((b - a).norm()) for a, b in itertools.pairwise(steps)])
    assert lengths.max() < 5 * lengths.mean()


def test_a_run_keeps_its_kinds_and_goes_on_with_them(tmp_path, dataset, colours):
    straight = make_trainer(tmp_path / "straight", dataset, kimg=0.064, kinds=2)
    straight.train()
    kinds = np.load(straight.run.kinds)
    assert len(set(zip(kinds, colours, strict=True))) == 2
    assert np.array_equal(straight.batches.dataset.labels, kinds)

    half = make_trainer(tmp_path / "half", dataset, kimg=0.064, kinds=2)
    counters = half.state.counters
    half._finished = lambda: counters.step == 8
    half.train()
    again = make_trainer(tmp_path / "half", dataset, kimg=0.064, kinds=2)
    again.train(resume=True)
    first, second = everything(straight), everything(again)
    assert [name for name in first if not torch.equal(first[name], second[name])] == []

    model = load_model(Run(tmp_path / "half").latest)
    assert model.info.config.kinds == 2 and model.info.class_names == []
    edges = model.generator.mapping_network.edges
    assert torch.allclose(torch.special.ndtr(edges), torch.tensor([(kinds == 0).mean()]).float())
    with torch.inference_mode():
        assert model.generator(torch.randn(3, 8)).shape == (3, 3, 16, 16)


def test_a_run_sorts_its_pictures_once(tmp_path, dataset):
    run = make_trainer(tmp_path / "run", dataset, kinds=2).run
    np.save(run.kinds, np.arange(24) % 2)
    trainer = make_trainer(tmp_path / "run", dataset, kinds=2)
    assert np.array_equal(trainer.kinds, np.arange(24) % 2)


def test_another_model_s_kinds_are_shared_out_anew(tmp_path, dataset, colours):
    parent = make_trainer(tmp_path / "parent", dataset, kimg=0.008, kinds=2)
    parent.train()
    few = dataclasses.replace(dataset, images=np.array(dataset.images)[np.sort(np.argsort(colours)[:18])])
    child = make_trainer(tmp_path / "child", few, kinds=2)
    child.start_from(load_model(parent.run.latest))
    shares = np.bincount(child.kinds, minlength=2) / len(few)
    assert sorted(shares) == [pytest.approx(1 / 3), pytest.approx(2 / 3)]
    for generator in (child.state.generator, child.state.ema):
        edges = generator.mapping_network.edges
        assert torch.allclose(torch.special.ndtr(edges), torch.tensor(shares[:1]).float(), atol=1e-5)
    (share,) = [event["values"]["generator"] for event in child.run.events() if "generator" in event["values"]]
    assert share == 1


@pytest.mark.parametrize(("pictures", "kinds"), [(200, 0), (499, 0), (500, 2), (3532, 12), (100_000, 12)])
def test_the_more_pictures_the_more_kinds(dataset, pictures, kinds):
    many = dataclasses.replace(dataset, images=np.broadcast_to(dataset.images[:1], (pictures, 16, 16, 3)))
    assert resolve(TrainConfig(), many, CPU)[1].kinds == kinds


@pytest.mark.parametrize(("kinds", "kept"), [(0, 0), (5, 5), (6, 0)])
def test_what_begins_with_a_model_has_its_kinds_if_it_can_fill_them(dataset, kinds, kept):
    parent = dataclasses.replace(TINY, kinds=kinds)
    assert resolve(TrainConfig(), dataset, CPU, parent=parent)[1].kinds == kept
    classes = dataclasses.replace(dataset, class_names=["a", "b"])
    assert resolve(TrainConfig(), classes, CPU, parent=parent)[1].kinds == 0


@pytest.mark.parametrize("changes", [{"kinds": 1}, {"num_classes": 2}, {"arch": "mlp", "w_dim": 128}])
def test_a_network_that_makes_no_sense_is_refused(changes):
    with pytest.raises(UserError, match="two kinds or more, or none"):
        build_generator(dataclasses.replace(TINY, **changes))


def test_kinds_are_for_pictures_without_classes_and_for_the_style_network(dataset):
    many = dataclasses.replace(dataset, images=np.broadcast_to(dataset.images[:1], (1000, 16, 16, 3)))
    _, model, reasons = resolve(TrainConfig(), many, CPU)
    assert model.kinds == 4
    assert {"count": 4} in [values for template, values in reasons if "into {count} kinds" in template]
    sorted_already = dataclasses.replace(many, class_names=["a", "b"])
    assert resolve(TrainConfig(kinds=5), sorted_already, CPU)[1].kinds == 0
    assert resolve(TrainConfig(arch="mlp", kinds=5), many, CPU)[1].kinds == 0
    assert resolve(TrainConfig(kinds=0), many, CPU)[1].kinds == 0
    assert resolve(TrainConfig(kinds=5), dataset, CPU)[1].kinds == 5


def test_more_kinds_than_pictures_can_fill_are_refused(dataset):
    with pytest.raises(UserError, match="20 pictures are too few for 6 kinds; use at most 5"):
        resolve(TrainConfig(kinds=6), dataset, CPU)
