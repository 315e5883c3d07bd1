"""What the trainer does when the coach sees trouble: back once, then the end; and what is kept meanwhile."""

import dataclasses

import pytest
import torch
from safetensors.torch import load_file
from training_kit import everything, make_trainer, two_colours

from imagen_demo.data.dataset import Dataset
from imagen_demo.errors import UserError
from imagen_demo.training import coach
from imagen_demo.training import trainer as trainer_module


@pytest.fixture(scope="module")
def dataset(tmp_path_factory) -> Dataset:
    return two_colours(tmp_path_factory.mktemp("pictures"), tmp_path_factory.mktemp("prepared") / "two")


def test_a_broken_run_goes_back_once_with_gentler_settings_and_then_stops(tmp_path, dataset, monkeypatch):
    real_step, poison_at = trainer_module.train_step, {6, 9}

    def poisoned_step(state, config, pictures, labels, **options):
        if state.counters.step in poison_at:
            poison_at.discard(state.counters.step)
            with torch.no_grad():
                next(state.generator.parameters()).fill_(float("nan"))
        return real_step(state, config, pictures, labels, **options)

    monkeypatch.setattr(trainer_module, "train_step", poisoned_step)
    trainer = make_trainer(tmp_path / "run", dataset, kimg=1.0)
    rate = trainer.config.learning_rate
    with pytest.raises(UserError, match="again after a second start"):
        trainer.train()
    assert trainer.config.learning_rate == rate / 2
    (event,) = trainer.run.events()
    assert event["who"] == "coach" and "gentler" in event["text"]
    saved = load_file(trainer.run.state / "tensors.safetensors")
    assert all(value.isfinite().all() for value in saved.values())  # nothing good was overwritten


def test_collapse_is_noticed(tmp_path, dataset, monkeypatch):
    trainer = make_trainer(tmp_path / "run", dataset, kimg=100.0)
    monkeypatch.setattr(trainer, "_draw", lambda: torch.zeros(36, 3, 16, 16))
    monkeypatch.setattr(coach.Curves, "most_diversity", lambda curves: 1.0)
    with pytest.raises(UserError, match="all look the same, again"):
        trainer.train()


def test_trouble_in_the_very_last_moment_ends_with_the_last_good_state_and_says_so(tmp_path, dataset, monkeypatch):
    real_step = trainer_module.train_step

    def poisoned_step(state, config, pictures, labels, **options):
        result = real_step(state, config, pictures, labels, **options)
        last = state.counters.images == 20
        return dataclasses.replace(result, loss_d=torch.tensor(float("nan"))) if last else result

    monkeypatch.setattr(trainer_module, "train_step", poisoned_step)
    trainer = make_trainer(tmp_path / "run", dataset, kimg=0.02, state_seconds=0.0)
    trainer.train()
    status = trainer.run.status()
    assert (status.state, status.kimg, status.advice["rule"]) == ("finished", 0.016, "broken")
    (event,) = [event for event in trainer.run.events() if event["template"] == coach.LAST_WORD]
    assert "last good state, of 0.0 thousand pictures" in event["text"]
    assert trainer.state.counters.step == 4 and trainer.run.metrics()[-1]["kimg"] == 0.016


def test_a_run_that_gets_no_better_ends_by_itself_and_says_so(tmp_path, dataset, monkeypatch):
    trainer = make_trainer(tmp_path / "run", dataset, kimg=100.0, patience_kimg=0.02)
    monkeypatch.setattr(trainer.quality, "measure", lambda *_, **__: {"swd": 10.0})
    trainer.train()
    status = trainer.run.status()
    assert status.state == "finished" and status.kimg < 0.05
    assert status.advice["rule"] == "over" and "ends here" in trainer.run.events()[-1]["text"]


def test_a_network_that_never_had_variety_is_young_and_not_collapsed(tmp_path, dataset, monkeypatch):
    trainer = make_trainer(tmp_path / "run", dataset, kimg=0.02)
    monkeypatch.setattr(trainer, "_draw", lambda: torch.zeros(36, 3, 16, 16))
    trainer.train()
    assert trainer.run.status().state == "finished" and trainer.run.events() == []


def test_a_pause_keeps_no_broken_state(tmp_path, dataset, monkeypatch):
    trainer = make_trainer(tmp_path / "run", dataset, kimg=1.0)
    good = everything(trainer)
    trainer._begin(resume=False)
    result = trainer_module.train_step(trainer.state, trainer.config, *trainer.batches[0])
    trainer.window.add(dataclasses.replace(result, loss_g=torch.tensor(float("nan"))))
    monkeypatch.setattr(trainer.run, "asked", lambda: "pause")
    assert trainer._order() == "wait"
    trainer._wait()
    assert trainer.run.status().state == "paused"
    kept = load_file(trainer.run.state / "tensors.safetensors")
    assert all(torch.equal(kept[name], good[name]) for name in good if name.startswith("generator."))


def test_a_pause_before_the_first_step_is_a_pause(tmp_path, dataset):
    trainer = make_trainer(tmp_path, dataset, kimg=0.016)
    trainer._begin(resume=False)
    trainer._wait()
    assert trainer.status.state == "paused"
