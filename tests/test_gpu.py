"""What only a machine with a CUDA GPU can show; nearly all other tests train on the processor, also there."""

from __future__ import annotations

import contextlib
import dataclasses

import numpy as np
import pytest
import torch
from training_kit import TINY, difference, make_run, two_colours

from imagen_demo import storage
from imagen_demo.config import TrainConfig
from imagen_demo.data.dataset import Dataset
from imagen_demo.data.pixels import from_network
from imagen_demo.models.folder import load_model
from imagen_demo.training import batches
from imagen_demo.training import state as states
from imagen_demo.training import step as steps
from imagen_demo.training.main import train_run
from imagen_demo.training.run import Run
from imagen_demo.training.schedule import resolve
from imagen_demo.training.step import autocast, train_step
from imagen_demo.training.trainer import Trainer
from imagen_demo.workspace import Workspace

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA GPU")
GPU = torch.device("cuda")


@pytest.fixture(scope="module")
def dataset(tmp_path_factory) -> Dataset:
    return two_colours(tmp_path_factory.mktemp("pictures"), tmp_path_factory.mktemp("prepared") / "two")


@pytest.fixture(scope="module")
def unsorted(tmp_path_factory) -> Dataset:
    return two_colours(tmp_path_factory.mktemp("pictures"), tmp_path_factory.mktemp("prepared") / "two", labels=False)


def trainer_on_gpu(path, dataset: Dataset, **changes: object) -> Trainer:
    config, model, _ = resolve(TrainConfig(**{**TINY, "augment": "off", **changes}), dataset, GPU)
    path.mkdir(parents=True)
    return Trainer(Run(path), dataset, config, dataclasses.replace(model, z_dim=8, w_dim=8))


def after_steps(trainer: Trainer, count: int, strength: float) -> Trainer:
    for step in range(count):
        trainer.state.controller.p = strength if step % 2 else 0.0  # steps of all kinds, in turn
        train_step(trainer.state, trainer.config, *trainer.batches[step])
    return trainer


def apart(first: Trainer, second: Trainer) -> float:
    """How far apart their weights are; where a recorded step has had its gradients, the next one has other things."""
    for trainer in (first, second):
        trainer.state.generator.zero_grad()
        trainer.state.discriminator.zero_grad()
    return difference(first.state, second.state)


@pytest.mark.parametrize("resident", [batches.RESIDENT, 0])
def test_batches_are_those_of_the_processor(dataset, monkeypatch, resident):
    monkeypatch.setattr(batches, "RESIDENT", resident)
    here, there = (
        batches.Batches(dataset, 8, seed=3, mirror=True, device=device, hold_out=True)
        for device in (torch.device("cpu"), GPU)
    )
    assert (there._resident is not None) == (resident > 0)
    for step in range(20):
        pairs = zip((*here[step], *here.validation(step)), (*there[step], *there.validation(step)), strict=True)
        assert all(b.is_cuda and torch.allclose(a, b.cpu(), atol=1e-6) for a, b in pairs)


@pytest.mark.parametrize("kinds", [0, 2])
def test_recorded_steps_come_to_what_the_usual_ones_do(tmp_path, dataset, unsorted, kinds):
    def trained(name: str, recorded: bool) -> Trainer:
        trainer = trainer_on_gpu(tmp_path / name, unsorted if kinds else dataset, penalty_every=3, kinds=kinds)
        trainer.state.graphs.able = recorded
        return after_steps(trainer, 30, strength=0.5)

    usual, again, recorded = trained("a", False), trained("b", False), trained("c", True)
    assert len(recorded.state.graphs._records) == 4  # with and without a penalty, with and without augmentation
    rounding = apart(usual, again)  # a GPU adds up in no fixed order
    assert apart(usual, recorded) < max(4 * rounding, 1e-3)


def test_what_was_recorded_is_forgotten_with_another_state(tmp_path, dataset):
    first = after_steps(trainer_on_gpu(tmp_path / "first", dataset), 20, strength=0.0)
    states.save(first.run.state, first.state)
    recorded, usual, again = first, *(trainer_on_gpu(tmp_path / name, dataset) for name in "ab")
    for trainer in (recorded, usual, again):
        states.load(first.run.state, trainer.state)
        assert not trainer.state.graphs._records
        trainer.state.graphs.able = trainer is recorded
        for step in range(20, 40):
            train_step(trainer.state, trainer.config, *trainer.batches[step])
    assert recorded.state.graphs._records
    assert apart(usual, recorded) < max(4 * apart(usual, again), 1e-3)


def test_the_penalty_is_what_pytorch_makes_of_it(tmp_path, dataset, monkeypatch):
    usual, ours = (trainer_on_gpu(tmp_path / name, dataset, width=1024, batch=8) for name in "ab")
    after_steps(ours, 1, strength=0.0)
    monkeypatch.setattr(steps, "twice_differentiable", contextlib.nullcontext)
    after_steps(usual, 1, strength=0.0)
    assert difference(usual.state, ours.state) < 2e-2  # tf32


def test_feature_maps_are_bf16_where_the_gpu_has_it(tmp_path, dataset):
    trainer = trainer_on_gpu(tmp_path / "a", dataset)
    generator, discriminator = trainer.state.generator, trainer.state.discriminator
    found: list[torch.dtype] = []
    for block in (*generator.blocks, *discriminator.blocks):
        block.register_forward_hook(lambda _, __, out: found.append((out[0] if isinstance(out, tuple) else out).dtype))
    pictures = torch.zeros(4, 3, 16, 16, device=GPU)
    with autocast(pictures):
        generator(torch.zeros(4, 8, device=GPU), torch.zeros(4, dtype=torch.long, device=GPU))
        discriminator(pictures, torch.zeros(4, dtype=torch.long, device=GPU))
    wanted = torch.bfloat16 if torch.cuda.is_bf16_supported(including_emulation=False) else torch.float32
    assert set(found) == {wanted}


def test_full_memory_makes_the_parts_smaller_and_the_step_the_same(tmp_path):
    sizes: list[int] = []
    dataset = two_colours(tmp_path / "pictures", tmp_path / "two", resolution=256)
    changes = {"batch": 16, "width": 1024, "gamma": 0.0}  # what fills the memory is pictures, in all steps alike
    trainers = [trainer_on_gpu(tmp_path / name, dataset, **changes) for name in ("whole", "tight")]
    whole, tight = (after_steps(trainer, 1, strength=0.0) for trainer in trainers)  # Adam has its memory now
    torch.cuda.reset_peak_memory_stats()
    before = torch.cuda.memory_allocated()
    expected = train_step(whole.state, whole.config, *whole.batches[1])
    needed = torch.cuda.max_memory_allocated() - before
    torch.cuda.empty_cache()
    total = torch.cuda.get_device_properties(0).total_memory
    try:
        torch.cuda.set_per_process_memory_fraction((torch.cuda.memory_reserved() + 0.6 * needed) / total)
        for step in range(1, 8):
            found = train_step(tight.state, tight.config, *tight.batches[step], notify=sizes.append)
            if step == 1:
                assert float(found.loss_d) == pytest.approx(float(expected.loss_d), rel=2e-2)
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)
    assert sizes and tight.state.counters.micro_batch == sizes[-1] < 16
    assert torch.isfinite(found.loss_g)


@pytest.mark.parametrize("kinds", [0, 2])
def test_a_run_on_the_gpu_draws_the_same_pictures_on_the_processor(tmp_path, dataset, unsorted, kinds):
    workspace = Workspace(tmp_path / "workspace")
    run = make_run(workspace.runs / "one", unsorted if kinds else dataset, kimg=0.2, device="cuda", kinds=kinds)
    train_run(run)
    assert run.status().state == "finished"
    z = torch.from_numpy(np.random.RandomState(0).randn(4, 128)).float()
    labels = torch.tensor([0, 1, 0, 1])
    pictures = []
    for device in ("cpu", "cuda"):
        model = load_model(workspace.checkpoints / "one", torch.device(device))
        with torch.inference_mode():
            given = None if kinds else labels.to(device)  # z says of what kind a picture is
            pictures.append(from_network(model.generator(z.to(device), given)).astype(int))
    assert np.abs(pictures[0] - pictures[1]).max() <= 2  # of 255


def test_a_run_of_the_gpu_goes_on_where_it_was(tmp_path, dataset):
    workspace = Workspace(tmp_path / "workspace")
    run = make_run(workspace.runs / "one", dataset, kimg=0.2, device="cuda")
    train_run(run)
    config = run.config()
    config["train"]["kimg"] = 0.4
    storage.write_json(run.path / "config.json", config)
    train_run(run, resume=True)
    assert run.status().state == "finished" and run.status().kimg == pytest.approx(0.4)
