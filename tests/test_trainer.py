"""The training process: exact resume, kills, second chances, and what it leaves on disk."""

import dataclasses
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors import SafetensorError
from training_kit import everything, make_run, make_trainer, two_colours

from imagen_demo import storage
from imagen_demo.config import ModelConfig
from imagen_demo.data.dataset import Dataset
from imagen_demo.errors import UserError
from imagen_demo.models.folder import add_metrics, load_model, read_info
from imagen_demo.models.registry import build_discriminator
from imagen_demo.training import showing
from imagen_demo.training import state as states
from imagen_demo.training import trainer as trainer_module
from imagen_demo.training.main import for_people, publish, settled, train_run
from imagen_demo.training.run import Run
from imagen_demo.training.step import update_average, verdicts
from imagen_demo.training.trainer import Trainer


@pytest.fixture(scope="module")
def dataset(tmp_path_factory) -> Dataset:
    return two_colours(tmp_path_factory.mktemp("pictures"), tmp_path_factory.mktemp("prepared") / "two")


@pytest.mark.parametrize("arch", ["style", "mlp"])
def test_two_n_steps_equal_n_steps_kill_resume_n_steps(tmp_path, dataset, arch):
    straight = make_trainer(tmp_path / "straight", dataset, kimg=0.064, arch=arch)
    straight.train()

    half = make_trainer(tmp_path / "half", dataset, kimg=0.064, arch=arch)
    counters = half.state.counters
    half._finished = lambda: counters.step == 8
    half.train()
    del half  # the process is gone; only its directory remains
    again = make_trainer(tmp_path / "elsewhere", dataset, kimg=0.064, arch=arch)
    again.run = Run(tmp_path / "half")
    again.train(resume=True)

    first, second = everything(straight), everything(again)
    assert first.keys() == second.keys()
    assert [name for name in first if not torch.equal(first[name], second[name])] == []
    assert straight.state.counters.step == again.state.counters.step == 16
    seen = [{name: getattr(each.state.controller, name) for name in states.CONTROLLER} for each in (straight, again)]
    assert seen[0] == seen[1] and (arch == "mlp") == (seen[0]["square_validation"] == 0)
    assert straight.state.controller.held_out == len(straight.batches.held_out)


@pytest.mark.parametrize("objective", ["nonsaturating", "hinge", "relativistic"])
def test_every_objective_trains_and_leaves_a_usable_run(tmp_path, dataset, objective):
    trainer = make_trainer(tmp_path / "run", dataset, kimg=0.02, objective=objective)
    before = [value.clone() for value in trainer.state.generator.parameters()]
    trainer.train()
    run = trainer.run
    status = run.status()
    assert status.state == "finished" and status.progress == 1
    assert status.images_per_second == pytest.approx(1000 * status.kimg / status.seconds)
    rows = run.metrics()
    keys = {"kimg", "seconds", "images_per_second", "loss_g", "loss_d", "logits_real", "logits_fake", "r1", "r2",
            "grad_norm_g", "grad_norm_d", "augment_p", "memory_bytes"}  # fmt: skip
    assert all(keys <= row.keys() for row in rows) and np.isfinite(rows[-1]["loss_g"])
    assert "swd" in rows[-1] and rows[-1]["kimg"] == 0.02
    assert len(run.sample_grids()) == len(rows)
    changed = [not torch.equal(*pair) for pair in zip(before, trainer.state.generator.parameters(), strict=True)]
    assert all(changed)
    for folder in (run.latest, run.best):
        model = load_model(folder)
        assert model.info.class_names == ["blue", "red"] and model.w_avg.shape == (2, 8)


def test_the_average_follows_the_generator_at_its_half_life(dataset, tmp_path):
    trainer = make_trainer(tmp_path / "run", dataset, ema_half_life_kimg=0.004)
    state = trainer.state
    state.counters.images = 10**6
    with torch.no_grad():
        for average, weight in zip(state.ema.parameters(), state.generator.parameters(), strict=True):
            average.zero_()
            weight.fill_(1.0)
    update_average(state, trainer.config, 4)  # one half-life
    assert all(torch.allclose(p, torch.full_like(p, 0.5)) for p in state.ema.parameters())


def test_a_run_does_not_go_on_with_other_pictures(tmp_path, dataset):
    run = make_run(tmp_path / "runs" / "first", dataset)
    settled(run, dataset)
    settled(run, dataset)  # as a resume does
    for other in ({"class_names": ["blue", "green"]}, {"manifest": dataset.manifest | {"fingerprint": "another"}}):
        with pytest.raises(UserError, match="not those that first began with"):
            settled(run, dataclasses.replace(dataset, **other))


def test_the_forecast_is_revised_once_when_the_speed_is_known(tmp_path, dataset, monkeypatch):
    monkeypatch.setattr(trainer_module, "measured_after", lambda config: 1e-3)
    trainer = make_trainer(tmp_path / "run", dataset, kimg=0.02)
    trainer.train()
    measured, sentence = trainer.run.events()
    assert "pictures a second, where" in measured["text"] and "colours only" in sentence["text"]
    assert measured["kimg"] == trainer.run.metrics()[0]["kimg"]


def run_process(run: Run, *arguments: str) -> subprocess.Popen:
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "imagen_demo.training.main", str(run.path), *arguments]
    return subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)


def wait_for(condition, seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.05)


def test_kill_pause_signal_and_resume_of_the_real_process(tmp_path, dataset):
    run = make_run(tmp_path / "runs" / "demo", dataset, minutes=10.0, state_seconds=0.5)
    process = run_process(run)
    wait_for(lambda: len(run.metrics()) >= 3 and (run.state / "state.json").exists())
    process.kill()
    process.wait()
    assert run.status().state == "interrupted"
    kept = json.loads((storage.current_folder(run.state) / "state.json").read_text())["counters"]["step"]

    process = run_process(run, "--resume")
    wait_for(lambda: run.status().state == "training" and len(run.metrics()) >= 2)
    run.ask("pause")
    wait_for(lambda: run.status().state == "paused")
    kimg = run.status().kimg
    time.sleep(0.5)
    assert run.status().kimg == kimg
    run.ask("resume")
    wait_for(lambda: run.status().kimg > kimg)
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=30) == 0
    status = run.status()
    assert status.state == "stopped" and status.error is None
    assert json.loads((run.state / "state.json").read_text())["counters"]["step"] > kept
    kimgs = [row["kimg"] for row in run.metrics()]
    assert kimgs == sorted(set(kimgs))  # resumed without repeating or losing a line
    published = load_model(tmp_path / "checkpoints" / "demo")
    assert published.info.title == "demo"
    assert publish(run) == "demo"  # again under the same name


def test_stop_request_ends_within_a_step(tmp_path, dataset):
    run = make_run(tmp_path / "runs" / "demo", dataset, minutes=10.0)
    process = run_process(run)
    wait_for(lambda: len(run.metrics()) >= 1)
    run.ask("stop")
    assert process.wait(timeout=30) == 0
    assert run.status().state == "stopped" and run.asked() is None


def test_a_stop_asked_for_while_the_trainer_still_loads_ends_in_good_order(tmp_path, dataset):
    run = make_run(tmp_path / "runs" / "demo", dataset, minutes=10.0)
    run.ask("stop")
    assert run_process(run).wait(timeout=60) == 0
    assert run.status().state == "stopped" and run.state.is_dir() and run.asked() is None


def test_failures_are_written_as_one_sentence(tmp_path, dataset, monkeypatch):
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    gone = make_run(tmp_path / "gone", dataset)
    config = gone.config() | {"dataset": str(tmp_path / "vanished")}
    storage.write_json(gone.path / "config.json", config)
    with pytest.raises(UserError):
        train_run(gone)
    assert gone.status().state == "failed" and "vanished" in gone.status().error

    run = make_run(tmp_path / "empty", dataset)
    with pytest.raises(UserError, match="no saved state"):
        train_run(run, resume=True)
    assert "no saved state" in run.status().error
    assert "disk is full" in str(for_people(OSError(28, "No space left on device")))
    rust = SafetensorError("Error while serializing: I/O error: No space left on device (os error 28)")
    assert "disk is full" in str(for_people(rust))
    assert "smaller batch" in str(for_people(RuntimeError("CUDA out of memory.")))


def test_a_damaged_state_is_refused_with_a_sentence(tmp_path, dataset):
    trainer = make_trainer(tmp_path / "run", dataset, kimg=0.008)
    trainer.train()
    file = trainer.run.state / "tensors.safetensors"
    file.write_bytes(file.read_bytes()[:1000])
    with pytest.raises(UserError, match="damaged"):
        trainer.train(resume=True)


def test_a_full_disk_while_saving_leaves_the_old_state(tmp_path, dataset, monkeypatch):
    trainer = make_trainer(tmp_path / "run", dataset, kimg=0.008)
    trainer.train()
    before = (trainer.run.state / "tensors.safetensors").read_bytes()

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("imagen_demo.training.state.save_file", full)
    with pytest.raises(OSError):
        states.save(trainer.run.state, trainer.state)
    assert (trainer.run.state / "tensors.safetensors").read_bytes() == before


@pytest.mark.parametrize("count", [1, 3, 6, 8])
def test_the_verdict_on_real_pictures_does_not_depend_on_generated_ones(count):
    discriminator = build_discriminator(ModelConfig(resolution=16, width=64))
    seen = torch.randn(2 * count, 3, 16, 16, requires_grad=True)
    logits = verdicts(discriminator, seen, None)
    assert logits.shape == (2 * count,)
    logits[:count].sum().backward()
    assert seen.grad[:count].abs().sum() > 0 and seen.grad[count:].abs().sum() == 0


def test_a_model_of_another_is_not_overwritten(tmp_path, dataset):
    trainer = make_trainer(tmp_path / "runs" / "cats", dataset, kimg=0.008)
    trainer.train()
    library = tmp_path / "checkpoints"
    assert publish(trainer.run) == publish(trainer.run) == "cats"
    (library / "cats").rename(library / "my cats")
    (library / "cats").mkdir()
    (library / "cats" / "model.safetensors").write_bytes(b"another's")
    assert publish(trainer.run) == "cats-2"
    assert (library / "cats" / "model.safetensors").read_bytes() == b"another's"


def test_a_model_that_is_in_the_library_already_keeps_what_was_added_to_it(tmp_path, dataset):
    trainer = make_trainer(tmp_path / "runs" / "cats", dataset, kimg=0.008)
    trainer.train()
    model = tmp_path / "checkpoints" / publish(trainer.run)
    (model / "README.md").write_text("edited by hand")
    add_metrics(model, {"fid": 12.0})
    assert publish(trainer.run) == "cats"
    assert (model / "README.md").read_text() == "edited by hand" and read_info(model).metrics["fid"] == 12.0


def test_a_better_model_of_the_same_run_keeps_what_people_wrote_of_it(tmp_path, dataset):
    trainer = make_trainer(tmp_path / "runs" / "cats", dataset, kimg=0.008)
    trainer.train()
    model = tmp_path / "checkpoints" / publish(trainer.run)
    about = json.loads((model / "model.json").read_text())
    (model / "model.json").write_text(json.dumps(about | {"title": "Our cats", "licence": "CC0", "first_seed": 7}))
    card = (model / "README.md").read_text()
    (model / "README.md").write_text(card.replace("Made with", "All of our neighbours. Made with"))
    longer = make_trainer(tmp_path / "longer", dataset, kimg=0.024)
    longer.train()
    shutil.copytree(longer.run.latest, trainer.run.best, dirs_exist_ok=True)
    newest = read_info(trainer.run.best)
    assert publish(trainer.run) == "cats"
    info, card = read_info(model), (model / "README.md").read_text()
    assert (info.title, info.licence, info.first_seed) == ("Our cats", "CC0", 7)
    assert info.training == newest.training and info.training["kimg"] == 0.024 and info.metrics == newest.metrics
    assert "All of our neighbours." in card and f"thousand pictures seen: {info.training['kimg']}," in card


@pytest.mark.parametrize("harm", ["card", "description", "place"])
def test_what_people_wrote_never_stands_in_the_way_of_a_better_model(tmp_path, dataset, harm):
    trainer = make_trainer(tmp_path / "runs" / "cats", dataset, kimg=0.008)
    trainer.train()
    model = tmp_path / "checkpoints" / publish(trainer.run)
    words = "邻居的猫".encode("gbk")
    if harm == "description":
        (model / "model.json").write_text("{")
    else:
        (model / "README.md").write_bytes(words)
    if harm == "place":
        model.rename(model.with_name("cats.old"))  # saving was interrupted
    longer = make_trainer(tmp_path / "longer", dataset, kimg=0.024)
    longer.train()
    shutil.copytree(longer.run.latest, trainer.run.best, dirs_exist_ok=True)
    assert publish(trainer.run) == "cats"
    assert read_info(model).training["kimg"] == 0.024
    assert ((model / "README.md").read_bytes() == words) == (harm != "description")


def test_a_run_that_fails_hands_its_best_network_over(tmp_path, dataset, monkeypatch):
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    run = make_run(tmp_path / "runs" / "cats", dataset, kimg=1.0)
    monkeypatch.setattr(Trainer, "_finished", lambda trainer: trainer.state.counters.step >= 3 and 1 / 0)
    with pytest.raises(ZeroDivisionError):
        train_run(run)
    assert run.status().state == "failed"
    assert load_model(tmp_path / "checkpoints" / "cats").hash == load_model(run.best).hash


def test_a_start_that_fails_forgets_nothing_of_what_was_trained(tmp_path, dataset, monkeypatch):
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    run = make_run(tmp_path / "runs" / "cats", dataset, kimg=0.012)
    train_run(run)
    before = run.status()
    storage.write_json(run.path / "config.json", run.config() | {"dataset": str(tmp_path / "vanished")})
    with pytest.raises(UserError, match="vanished"):
        train_run(run, resume=True)
    after = run.status()
    assert after.state == "failed"
    assert (after.kimg, after.seconds, after.progress) == (before.kimg, before.seconds, before.progress) != (0, 0, 0)


def test_a_run_of_a_gpu_is_not_taken_up_without_one(tmp_path, dataset, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    run = make_run(tmp_path / "runs" / "cats", dataset)
    settled(run, dataset)
    config = run.config()
    storage.write_json(run.path / "config.json", config | {"train": config["train"] | {"device": "cuda"}})
    with pytest.raises(UserError, match="No CUDA GPU was found"):
        settled(run, dataset)


def test_until_a_resumed_run_takes_a_penalty_it_tells_none(tmp_path, dataset):
    trainer = make_trainer(tmp_path / "run", dataset, kimg=0.012, penalty_every=2)
    trainer.train()  # three steps; the next one takes none
    longer = make_trainer(tmp_path / "run", dataset, kimg=0.02, penalty_every=2)
    longer.train(resume=True)
    assert [row.get("r1", 0) > 0 for row in longer.run.metrics()] == [True, True, True, False, True]
    assert not any(row.get("r1") == 0 for row in longer.run.metrics())


def test_large_pictures_make_a_grid_that_is_not_larger(tmp_path, dataset, monkeypatch):
    monkeypatch.setattr(showing, "GRID_SIDE", 48)  # three of 16 pixels
    trainer = make_trainer(tmp_path / "run", dataset, kimg=0.008)
    trainer.train()
    with Image.open(trainer.run.sample_grids()[-1][1]) as grid:
        assert grid.size == (3 * 18 - 2, 3 * 18 - 2)
