"""What a run measures of itself: FID beside SWD where the network is at hand, within its share of the time."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
import training_kit
from conftest import draw_pictures
from standin import write_stand_in
from training_kit import CPU

from imagen_demo.config import PrepareConfig
from imagen_demo.data.dataset import Dataset
from imagen_demo.data.prepare import prepare
from imagen_demo.models.folder import add_metrics, read_info
from imagen_demo.training import quality as module
from imagen_demo.training.features import FILE
from imagen_demo.training.quality import NetworkQuality, Quality
from imagen_demo.training.run import Run
from imagen_demo.training.trainer import Trainer
from imagen_demo.ui.sentences_zh import SENTENCES

FOUND = {"fid", "kid", "precision", "recall"}


@pytest.fixture(scope="module")
def dataset(tmp_path_factory) -> Dataset:
    folder = tmp_path_factory.mktemp("pictures") / "discs"
    out = tmp_path_factory.mktemp("datasets") / "discs"
    return prepare(draw_pictures(folder, 40), out, PrepareConfig(resolution=16, workers=1))


@pytest.fixture
def plenty(monkeypatch) -> None:
    """Time for metrics, whatever they take; 20 pictures."""
    monkeypatch.setattr(module, "NETWORK_SHARE", 1e6)
    monkeypatch.setattr(module, "COUNTS", (20,))


def make_trainer(root: Path, dataset: Dataset, kimg: float = 0.02) -> Trainer:
    return training_kit.make_trainer(root / "runs" / "one", dataset, kimg=kimg)


def test_with_the_network_at_hand_a_run_measures_fid_over_time(tmp_path, dataset, plenty):
    write_stand_in(tmp_path / "metrics" / FILE)
    trainer = make_trainer(tmp_path, dataset)
    trainer.train()
    rows = [row for row in trainer.run.metrics() if "fid" in row]
    assert len(rows) > 1 and all(rows[-1].keys() >= FOUND | {"swd"} for row in rows)
    assert all(0 <= row["precision"] <= 1 and row["fid"] > 0 for row in rows)
    best = read_info(trainer.run.best).metrics
    assert best["fid"] == min(row["fid"] for row in rows) and best.keys() >= FOUND | {"swd", "memorisation"}
    card = (trainer.run.best / "README.md").read_text("utf-8")
    assert all(f"): {best[name]:.4g}" in card for name in ("fid", "memorisation"))


def test_measuring_changes_nothing_in_training(tmp_path, dataset, plenty):
    without = make_trainer(tmp_path / "without", dataset)
    without.train()
    write_stand_in(tmp_path / "with" / "metrics" / FILE)
    measured = make_trainer(tmp_path / "with", dataset)
    measured.train()
    assert not any(FOUND & row.keys() for row in without.run.metrics())
    pairs = zip(without.state.ema.parameters(), measured.state.ema.parameters(), strict=True)
    assert all(torch.equal(a, b) for a, b in pairs)


def test_a_resumed_run_measures_with_as_many_pictures(tmp_path, dataset, plenty, monkeypatch):
    write_stand_in(tmp_path / "metrics" / FILE)
    make_trainer(tmp_path, dataset).train()
    monkeypatch.setattr(module, "COUNTS", (30,))
    again = make_trainer(tmp_path, dataset, kimg=0.04)
    again.train(resume=True)
    assert {row["fid_pictures"] for row in again.run.metrics() if "fid" in row} == {20.0}
    assert "fid" in again.quality.best


@pytest.mark.parametrize(("content", "sentence"), [(b"no network", "is not a network"), (None, "needs")])
def test_a_network_that_cannot_serve_is_told_once(tmp_path, dataset, monkeypatch, content, sentence):
    file = write_stand_in(tmp_path / "metrics" / FILE)
    if content is None:
        monkeypatch.setattr(module, "NETWORK_SHARE", 1e-3)  # too short a run
        monkeypatch.setattr(module, "LOADING", 0.0)
    else:
        monkeypatch.setattr(module, "NETWORK_SHARE", 1e6)
        file.write_bytes(content)
    trainer = make_trainer(tmp_path, dataset)
    trainer.train()
    told = [event["text"] for event in trainer.run.events() if "FID" in event["text"]]
    assert len(told) == 1 and sentence in told[0]
    assert "swd" in read_info(trainer.run.best).metrics and trainer.run.status().state == "finished"


class Clock:
    """Time that passes only when someone says so."""

    now = 100.0

    def monotonic(self) -> float:
        return self.now


@pytest.mark.parametrize("each", [0.001, 0.004, 0.02])
def test_all_measuring_together_takes_at_most_a_twentieth(tmp_path, dataset, monkeypatch, each):
    """On a simulated clock: a run of an hour, a network that needs ``each`` seconds a picture, FID one second."""
    write_stand_in(tmp_path / "metrics" / FILE)
    clock = Clock()
    monkeypatch.setattr(module, "time", clock)

    class Slow:
        size = 4

        def __init__(self, *_: object) -> None:
            clock.now += 5

        def __call__(self, pictures: np.ndarray) -> torch.Tensor:
            clock.now += each * len(pictures)
            return torch.rand(len(pictures), 4)

    def draw(generator: object, count: int, labels: object = None) -> list[torch.Tensor]:
        return [torch.zeros(count, 3, 16, 16)]

    def slow_fid(real: torch.Tensor, fake: torch.Tensor) -> float:
        clock.now += 1
        return 1.0

    def slow_swd(real: torch.Tensor, fake: torch.Tensor) -> float:
        clock.now += 0.3
        return 1.0

    monkeypatch.setattr(module, "MetricNetwork", Slow)
    monkeypatch.setattr(module, "cached_count", lambda *_: 0)
    monkeypatch.setattr(module, "real_features", lambda dataset, network, count: network(np.zeros((count, 1))))
    monkeypatch.setattr(module, "fid", slow_fid)
    monkeypatch.setattr(module, "sliced_wasserstein", slow_swd)
    run = Run(tmp_path / "runs" / "slow")
    run.path.mkdir(parents=True)
    quality = Quality(run, dataset, CPU)
    quality._draw = draw
    quality._network._draw = draw
    start, planned, measuring, times = clock.now, 3600.0, 0.0, []
    while clock.now - start < planned:
        clock.now += 10  # of training
        before = clock.now
        if clock.now - start >= planned:
            quality.hurry()
        found = quality.measure(None, clock.now - start, planned)
        measuring += clock.now - before
        times += [clock.now - start] if "fid" in found else []
    assert measuring <= 0.05 * (clock.now - start)
    assert len(times) >= 4 and times[0] < planned / 2 < times[-1]


def test_what_a_run_tells_about_its_metrics_is_translated():
    assert {module.TOO_SLOW, module.FAILED} <= SENTENCES.keys()


def test_best_follows_fid_once_it_is_known(tmp_path, dataset):
    quality = make_trainer(tmp_path, dataset).quality
    assert quality.is_best({"swd": 50.0}) and not quality.is_best({"swd": 60.0}) and quality.is_best({"swd": 40.0})
    assert not quality.is_best({})
    quality._network.wanted = True
    assert quality.is_best({"swd": 90.0, "fid": 30.0})  # the first FID counts, whatever the other says
    assert not quality.is_best({"swd": 1.0})
    assert not quality.is_best({"swd": 1.0, "fid": 31.0}) and quality.is_best({"swd": 99.0, "fid": 29.0})


def test_where_fid_is_no_longer_measured_best_follows_swd_again(tmp_path, dataset):
    quality = make_trainer(tmp_path, dataset).quality
    quality._network.wanted = True
    assert quality.is_best({"swd": 90.0, "fid": 30.0})
    quality._network._give_up(module.FAILED, problem="memory is full")
    assert not quality.is_best({"swd": 95.0}) and quality.is_best({"swd": 80.0})


def test_a_run_without_time_for_it_leaves_copies_unsought(tmp_path, dataset, monkeypatch):
    monkeypatch.setattr(module, "COPIES_SECONDS", -1.0)
    trainer = make_trainer(tmp_path, dataset)
    trainer.train()
    assert "memorisation" not in read_info(trainer.run.best).metrics
    assert trainer.run.status().state == "finished"


def test_further_metrics_leave_an_edited_card_as_it_is(tmp_path, tiny_model_folder):
    card = tiny_model_folder / "README.md"
    card.write_text(card.read_text("utf-8").replace("Made with", r"Edited \1 by hand. Made with"), "utf-8")
    add_metrics(tiny_model_folder, {"fid": 12.345678, "recall": 0.5})
    assert json.loads((tiny_model_folder / "model.json").read_text())["metrics"] == {"fid": 12.345678, "recall": 0.5}
    text = card.read_text("utf-8")
    assert "| Metrics | FID (lower is better): 12.35; recall (0 to 1, higher is better): 0.5 |" in text
    assert r"Edited \1 by hand." in text


def test_without_the_file_nothing_is_loaded(tmp_path, dataset):
    run = Run(tmp_path / "runs" / "plain")
    run.path.mkdir(parents=True)
    assert NetworkQuality(run, dataset, CPU, None).measure(None, 1e9, 1e9) == {}
