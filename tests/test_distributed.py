"""Two processes that train together are one that trains alone with the same batch."""

import contextlib
import dataclasses
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from safetensors.torch import load_file
from test_trainer import wait_for
from training_kit import make_run, two_colours

from imagen_demo import storage
from imagen_demo.config import TrainConfig
from imagen_demo.data.dataset import Dataset
from imagen_demo.errors import UserError
from imagen_demo.models.folder import load_model
from imagen_demo.training.main import for_people
from imagen_demo.training.run import Run
from imagen_demo.training.schedule import check_shares

REPOSITORY = Path(__file__).parent.parent
TOGETHER = ["-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2"]


@pytest.fixture(scope="module")
def dataset(tmp_path_factory) -> Dataset:
    return two_colours(tmp_path_factory.mktemp("pictures"), tmp_path_factory.mktemp("prepared") / "two")


def start(*command: object, processes: int = 2) -> subprocess.Popen:
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, *(TOGETHER if processes == 2 else []), "-m", *map(str, command)]
    return subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )


@contextlib.contextmanager
def running(*command: object, processes: int = 2):
    process = start(*command, processes=processes)
    try:
        yield process
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def train(run: Run, *options: str, processes: int) -> None:
    with running("imagen_demo.training.main", run.path, *options, processes=processes) as process:
        _, errors = process.communicate(timeout=300)
        assert process.returncode == 0, errors


def weights(run: Run) -> dict:
    return load_file(run.state / "tensors.safetensors")


def apart(first: dict, second: dict) -> float:
    """|a - b| / |a| of all networks' weights together."""
    assert first.keys() == second.keys()
    names = [name for name in first if name.split(".")[0] in ("generator", "discriminator", "ema")]
    squares = sum(float((first[name] - second[name]).square().sum()) for name in names)
    return (squares / sum(float(first[name].square().sum()) for name in names)) ** 0.5


def losses(run: Run) -> dict[float, list[float]]:
    return {row["kimg"]: [row[key] for key in ("loss_g", "loss_d", "r1", "grad_norm_g")] for row in run.metrics()}


def test_two_processes_give_the_losses_and_weights_of_one_also_when_resumed_by_another_number(tmp_path):
    dataset = two_colours(tmp_path / "pictures", tmp_path / "prepared" / "two", labels=False)
    settings = {"batch": 16, "kimg": 0.096, "kinds": 2, "augment_target": 0.0}  # p rises from the start
    alone, changing = (make_run(tmp_path / name, dataset, **settings) for name in ("a", "c"))
    together = make_run(tmp_path / "b", dataset, micro_batch=4, **settings)  # each has half, and does that in two parts
    train(alone, processes=1)
    train(together, processes=2)
    assert np.array_equal(np.load(alone.kinds), np.load(together.kinds))
    assert apart(weights(alone), weights(together)) < 1e-3
    for kimg, values in losses(alone).items():
        assert losses(together)[kimg] == pytest.approx(values, rel=0.02, abs=1e-3)
    assert [event["text"] for event in together.events()] == [event["text"] for event in alone.events()]
    assert together.status().state == "finished" and together.status().pid_started > 0

    half = changing.config() | {"train": changing.config()["train"] | {"kimg": 0.048}}
    storage.write_json(changing.path / "config.json", half)
    train(changing, processes=2)
    settled = changing.config()
    storage.write_json(changing.path / "config.json", settled | {"train": settled["train"] | {"kimg": 0.096}})
    train(changing, "--resume", processes=1)
    assert [row["kimg"] for row in changing.metrics()] == [row["kimg"] for row in alone.metrics()]
    assert apart(weights(alone), weights(changing)) < 1e-3


def test_a_stop_reaches_all_processes(tmp_path, dataset):
    run = make_run(tmp_path / "runs" / "demo", dataset, batch=8, minutes=10.0, tick_seconds=0.2)
    with running("imagen_demo.training.main", run.path) as process:
        wait_for(lambda: len(run.metrics()) >= 2, seconds=300)
        run.ask("pause")
        wait_for(lambda: run.status().state == "paused")
        run.ask("resume")
        wait_for(lambda: run.status().state == "training")
        run.ask("stop")
        assert process.wait(timeout=300) == 0
    assert run.status().state == "stopped" and run.asked() is None
    assert load_model(tmp_path / "checkpoints" / "demo").info.title == "demo"


def test_the_command_line_trains_under_torchrun(tmp_path, dataset):
    workspace = tmp_path / "work"
    prepared = workspace / "datasets" / "two"
    prepared.parent.mkdir(parents=True)
    prepared.symlink_to(dataset.path)
    options = {"--name": "duo", "--device": "cpu", "--batch": 8, "--width": 128, "--kimg": 0.016}
    command = ["imagen_demo", "--workspace", workspace, "train", "two", "--json", *sum(options.items(), ())]
    with running(*command) as process:
        out, errors = process.communicate(timeout=300)
        assert process.returncode == 0, errors
    facts = json.loads(out)
    assert (facts["run"], facts["state"], facts["model"], facts["kimg"]) == ("duo", "finished", "duo", 0.016)
    assert [folder.name for folder in (workspace / "runs").iterdir()] == ["duo"]
    with Image.open(Run(workspace / "runs" / "duo").sample_grids()[-1][1]) as grid:
        assert grid.size[0] > 16


def test_a_batch_that_cannot_be_shared_is_refused_before_training():
    check_shares(TrainConfig(batch=16), 4)
    with pytest.raises(UserError, match="batch of 16 cannot be shared by 3 processes; use a multiple of 12"):
        check_shares(TrainConfig(batch=16), 3)
    with pytest.raises(UserError, match="shared by 4 processes; use a multiple of 16"):  # groups would straddle
        check_shares(TrainConfig(batch=8), 4)
    with pytest.raises(UserError, match="with micro_batch 6; use 16, 8, 4"):
        check_shares(dataclasses.replace(TrainConfig(), batch=16, micro_batch=6))


def test_the_end_of_another_process_is_told_in_a_sentence():
    error = RuntimeError("[gloo/transport/tcp/pair.cc:547] Connection closed by peer [127.0.0.1]:4242")
    assert "Another process of this training ended first" in str(for_people(error))
