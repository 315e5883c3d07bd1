"""A batch done in parts is the same step; a full memory makes the parts smaller and costs nothing else."""

import dataclasses
import math
import platform
import re
import subprocess
import sys

import pytest
import torch
from training_kit import difference, make_trainer, two_colours

from imagen_demo.data.dataset import Dataset
from imagen_demo.errors import UserError
from imagen_demo.training import memory
from imagen_demo.training import step as steps
from imagen_demo.training.memory import is_full, micro_batches
from imagen_demo.training.step import train_step
from imagen_demo.workspace import REPOSITORY

# Of weights and last gradients. Rounding, three steps on, gives up to 2e-3; other random numbers give about 1.
TOLERANCE = 1e-2


@pytest.fixture(scope="module")
def dataset(tmp_path_factory) -> Dataset:
    return two_colours(tmp_path_factory.mktemp("pictures"), tmp_path_factory.mktemp("prepared") / "two")


def after_steps(path, dataset, count=3, **changes):
    """A trainer and its step results after ``count`` steps with augmentation on."""
    trainer = make_trainer(path, dataset, augment="off", **changes)
    trainer.state.controller.p = 0.6
    state, config = trainer.state, trainer.config
    return trainer, [train_step(state, config, *trainer.batches[state.counters.step]) for _ in range(count)]


@pytest.mark.parametrize("objective", ["relativistic", "nonsaturating", "hinge"])
def test_a_batch_in_parts_is_the_same_step(tmp_path, dataset, objective):
    options = {"batch": 8, "objective": objective, "seed": 2}  # no logit stands within rounding of hinge's kink
    whole, at_once = after_steps(tmp_path / "a", dataset, **options)
    parts, in_parts = after_steps(tmp_path / "b", dataset, micro_batch=4, **options)
    assert difference(whole.state, parts.state) < TOLERANCE
    for first, second in zip(at_once, in_parts, strict=True):
        for field in dataclasses.fields(first):
            a, b = getattr(first, field.name), getattr(second, field.name)
            assert (a is None) == (b is None) and (a is None or torch.allclose(a, b, rtol=1e-3, atol=5e-3)), field.name


@pytest.mark.parametrize("batch", [1, 2, 6, 16, 24])
def test_parts_keep_the_groups_whose_variety_the_discriminator_sees(batch):
    sizes = micro_batches(batch)
    assert sizes[0] == batch and sizes == sorted(sizes, reverse=True)
    assert all(batch % size == 0 and math.gcd(size, 4) == math.gcd(batch, 4) for size in sizes)
    assert {16: [16, 8, 4], 6: [6, 2], 24: [24, 12, 8, 4]}.get(batch, sizes) == sizes


def run_out_of_memory(monkeypatch, update: str, above: int, error: Exception) -> None:
    """``update`` fails at its very end, before it changes a weight, whenever it has more pictures at once."""
    real_sum = steps._summed

    def summed(out, network):
        part = memory_of["work"]
        if part.size > above and memory_of["update"] == update:
            raise error
        return real_sum(out, network)

    memory_of = {}
    for name in ("discriminator_update", "generator_update"):
        original = getattr(steps, name)

        def spied(work, original=original, name=name):
            memory_of.update(work=work, update=name)
            return original(work)

        monkeypatch.setattr(steps, name, spied)
    monkeypatch.setattr(steps, "_summed", summed)


@pytest.mark.parametrize("update", ["discriminator_update", "generator_update"])
@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory."),
        MemoryError(),
        RuntimeError("DefaultCPUAllocator: not enough memory"),
    ],
)
def test_a_full_memory_halves_the_parts_and_the_same_step_goes_on(tmp_path, dataset, monkeypatch, update, error):
    undisturbed, _ = after_steps(tmp_path / "a", dataset, batch=16)
    run_out_of_memory(monkeypatch, update, above=4, error=error)
    disturbed, results = after_steps(tmp_path / "b", dataset, batch=16)
    assert disturbed.state.counters.micro_batch == 4 and disturbed.state.counters.step == 3
    assert all(len(result.real) == 16 for result in results)
    assert difference(undisturbed.state, disturbed.state) < TOLERANCE


class FakeGraphs:
    """Recorded steps of a GPU, whose memory can be had back once."""

    def __init__(self) -> None:
        self.given = False

    def __call__(self, body, work):
        return body(work)

    def give_up(self) -> bool:
        before, self.given = self.given, True
        return not before


def test_what_recorded_steps_hold_is_given_back_before_the_parts_get_smaller(tmp_path, dataset, monkeypatch):
    undisturbed, _ = after_steps(tmp_path / "a", dataset, batch=16)
    trainer = make_trainer(tmp_path / "b", dataset, augment="off", batch=16)
    trainer.state.graphs, trainer.state.controller.p = FakeGraphs(), 0.6
    real_sum = steps._summed

    def enough_once_given_back(out, network):
        if not trainer.state.graphs.given:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return real_sum(out, network)

    monkeypatch.setattr(steps, "_summed", enough_once_given_back)
    for step in range(3):
        train_step(trainer.state, trainer.config, *trainer.batches[step])
    assert trainer.state.graphs.given and trainer.state.counters.micro_batch == 0
    assert difference(undisturbed.state, trainer.state) < TOLERANCE


def test_the_run_tells_of_it_and_remembers_over_a_resume(tmp_path, dataset, monkeypatch):
    run_out_of_memory(monkeypatch, "generator_update", above=4, error=torch.OutOfMemoryError("CUDA out of memory."))
    trainer = make_trainer(tmp_path / "run", dataset, batch=8, kimg=0.016)
    trainer.train()
    assert [event["text"] for event in trainer.run.events()] == [
        "The memory was full; a batch is now done in parts of 4 pictures. Nothing was lost."
    ]
    again = make_trainer(tmp_path / "other", dataset, batch=8, kimg=0.032)
    again.run = trainer.run
    again.train(resume=True)
    assert again.state.counters.micro_batch == 4 and len(trainer.run.events()) == 1


def test_a_memory_too_small_for_anything_ends_in_a_sentence(tmp_path, dataset, monkeypatch):
    run_out_of_memory(monkeypatch, "discriminator_update", above=0, error=MemoryError())
    with pytest.raises(UserError, match="full even with 4 pictures at once"):
        after_steps(tmp_path / "run", dataset, batch=8)


def test_several_processes_do_not_try_again_each_by_itself(tmp_path, dataset, monkeypatch):
    def full(work):
        raise MemoryError

    trainer = make_trainer(tmp_path / "run", dataset, batch=8)
    real, labels = trainer.batches[0]
    work = steps.Work(trainer.state, trainer.config, steps.OBJECTIVES["hinge"], real, labels, None, steps.Team(1, 2))
    with pytest.raises(UserError, match=re.escape("process 1 is full with 8 pictures at once; start again with")):
        memory.fitting_memory(full, work)


def test_other_errors_pass_through(tmp_path, dataset):
    assert not is_full(RuntimeError("sizes do not match")) and not is_full(OSError(12, "Cannot allocate memory"))

    def broken(work):
        raise RuntimeError("sizes do not match")

    with pytest.raises(RuntimeError, match="sizes"):
        memory.fitting_memory(broken, None)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library, which is left as it is")
def test_freed_memory_is_kept_for_the_next_step():
    """Pages that were touched once are not asked for again."""
    code = """
import resource, numpy as np
from imagen_demo.training.memory import keep_freed_memory
faults = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_minflt
def fresh():
    before = faults()
    np.full(8 << 20, 1.0)  # 64 MB
    return faults() - before
keep_freed_memory()
fresh()
print(fresh())
"""
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=REPOSITORY)
    assert int(said.stdout) < 100  # of 16,384
