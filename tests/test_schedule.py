"""Automatic settings fit the data, the device and the time; what cannot work is refused with what would."""

import dataclasses

import numpy as np
import pytest
import torch
from training_kit import CPU, two_colours

from imagen_demo.config import OBJECTIVES, ModelConfig, PrepareConfig, TrainConfig
from imagen_demo.data.dataset import Dataset
from imagen_demo.errors import UserError
from imagen_demo.models.style import widened
from imagen_demo.studio import jobs
from imagen_demo.training.forecast import (
    MEASURED,
    MEASURED_FIRST,
    STAGES,
    forecast,
    images_per_second,
    measured_after,
    multiplications,
    processor_width,
    revised,
)
from imagen_demo.training.schedule import pick_device, resolve
from imagen_demo.workspace import Workspace


@pytest.fixture(scope="module")
def dataset(tmp_path_factory) -> Dataset:
    return two_colours(tmp_path_factory.mktemp("pictures"), tmp_path_factory.mktemp("prepared") / "two")


@pytest.fixture(scope="module")
def clear(dataset) -> Dataset:
    """The same with transparency."""
    return dataclasses.replace(dataset, images=np.zeros((len(dataset), 16, 16, 4), np.uint8))


def test_automatic_settings_fit_the_data(dataset):
    config, model, reasons = resolve(TrainConfig(), dataset, CPU)
    assert 0 < config.batch <= len(dataset) and config.objective in OBJECTIVES
    assert model == ModelConfig(**dataclasses.asdict(model)) and model.num_classes == 2 and model.resolution == 16
    assert all(template.format(**values) for template, values in reasons)
    article, mlp, _ = resolve(TrainConfig(arch="mlp"), dataset, CPU)
    assert (article.objective, article.gamma, article.augment, mlp.z_dim) == ("nonsaturating", 0.0, "off", 100)


def test_pictures_with_transparency_have_a_faster_generator(dataset, clear):
    assert resolve(TrainConfig(), dataset, CPU)[0].generator_rate == 2
    assert resolve(TrainConfig(), clear, CPU)[0].generator_rate == 4
    assert resolve(TrainConfig(generator_rate=1.5), clear, CPU)[0].generator_rate == 1.5


def test_pictures_with_transparency_are_learned_without_noise_unless_the_parent_has_it(dataset, clear):
    photographs, drawings = (resolve(TrainConfig(), each, CPU)[1] for each in (dataset, clear))
    assert photographs.noise and not drawings.noise
    assert resolve(TrainConfig(), clear, CPU, parent=photographs)[1].noise
    assert resolve(TrainConfig(), dataset, CPU, parent=drawings)[1].noise
    assert not resolve(TrainConfig(), clear, CPU, parent=drawings)[1].noise


@pytest.mark.parametrize("processes", [2, 3, 5])
def test_the_automatic_batch_can_be_shared(dataset, processes):
    config, _, _ = resolve(TrainConfig(), dataset, CPU, processes)
    assert config.batch % (4 * processes) == 0


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        (
            {"batch": 64},
            "A batch of 64 is larger than the 20 pictures of two that are learned from; use a batch of 20 or less.",
        ),
        ({"batch": 16, "micro_batch": 5}, "cannot be done with micro_batch 5; use 16, 8, 4."),
        ({"batch": 16, "micro_batch": 2}, "cannot be done with micro_batch 2; use 16, 8, 4."),
        ({"width": 10}, "The network's width cannot be 10; use a whole number from 16 to 65536."),
        ({"minutes": 0}, "minutes cannot be 0; the least is 0.1."),
        ({"threads": 1000}, r"threads cannot be 1000: this machine has \d+ cores; use 1 to \d+, or 0 for all."),
    ],
)
def test_settings_that_cannot_work_are_refused_before_there_is_a_run(dataset, tmp_path, settings, sentence):
    workspace = Workspace(tmp_path)
    (workspace.datasets / "two").symlink_to(dataset.path)
    with pytest.raises(UserError, match=sentence):
        jobs.start(workspace, "two", TrainConfig(**settings), "demo")
    assert list(workspace.runs.iterdir()) == []


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: PrepareConfig(resolution=100), "resolution cannot be 100; use one of 16, 32, 64, 128, 256, 512, 1024"),
        (lambda: TrainConfig(objective="magic"), "objective cannot be 'magic'; use one of auto, relativistic"),
        (lambda: TrainConfig(device="tpu"), "device cannot be 'tpu'; use one of auto, cpu, cuda"),
        (lambda: TrainConfig(minutes=float("nan")), "minutes cannot be nan; the least is"),
        (lambda: TrainConfig(batch=-1), "batch cannot be -1; the least is 0"),
    ],
)
def test_values_out_of_bounds_are_refused_with_what_would_work(make, sentence):
    with pytest.raises(UserError, match=sentence):
        make()


@pytest.mark.parametrize(
    ("length", "classes", "width"),
    [
        ({"minutes": 5}, [], 512),
        ({"minutes": 600}, [], 768),
        ({"kimg": 149}, [], 512),
        ({"kimg": 150}, [], 768),
        ({"kimg": 399}, ["a", "b"], 512),
        ({"kimg": 400}, ["a", "b"], 768),
        ({"kimg": 399, "kinds": 2}, [], 512),
        ({"kimg": 149, "kinds": 1}, [], 512),
        ({"kimg": 150, "kinds": 1}, [], 768),
    ],
)
def test_a_processor_trains_a_wider_network_where_it_will_see_enough(dataset, length, classes, width):
    dataset = dataclasses.replace(dataset, class_names=classes)
    assert resolve(TrainConfig(device="cpu", threads=1, **length), dataset, CPU)[1].width == width


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_missing_gpu_is_told():
    with pytest.raises(UserError, match="No CUDA GPU"):
        pick_device("cuda")


def said(minutes: float, **changes) -> str:
    template, values = forecast(TrainConfig(device="cpu", threads=2, minutes=minutes), ModelConfig(**changes))
    return template.format(**values)


def test_the_forecast_promises_more_for_more_time_and_less_for_larger_pictures():
    small = {"width": 512, "max_channels": 128}
    assert "colours only" in said(0.5, **small) and "best" in said(10_000, **small)
    stages = [next(i for i, (_, t) in enumerate(STAGES) if t[-40:] in forecast_template(m)) for m in (0.5, 5, 60, 600)]
    assert stages == sorted(stages) and len(set(stages)) > 2
    config = TrainConfig(device="cpu", threads=2)
    speeds = [images_per_second(config, ModelConfig(resolution=r, **small)) for r in (32, 64, 128, 256)]
    assert speeds == sorted(speeds, reverse=True)
    assert 60 < images_per_second(config, ModelConfig(resolution=64, **small)) < 300  # 99, 178 and 265 were measured


@pytest.mark.parametrize(("capability", "width"), [("AVX512", 768), ("AVX2", 512), ("DEFAULT", 512)])
def test_half_an_hour_is_enough_for_the_wider_network_on_a_fast_processor_only(monkeypatch, capability, width):
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: capability)
    assert processor_width(TrainConfig(device="cpu", threads=2), ModelConfig()) == width


@pytest.mark.parametrize(("kimg", "width"), [(59, 512), (60, 768)])
@pytest.mark.parametrize(("classes", "kinds"), [([], 1), ([], 2), (["a", "b"], -1)])
def test_drawings_need_fewer_pictures_for_the_wider_network(clear, classes, kinds, kimg, width):
    clear = dataclasses.replace(clear, class_names=classes)
    config = TrainConfig(device="cpu", threads=1, kimg=kimg, kinds=kinds)
    assert resolve(config, clear, CPU)[1].width == width


@pytest.mark.parametrize(("capability", "minutes"), [("AVX512", 15), ("AVX2", 33)])
def test_a_forecast_that_is_followed_comes_true_also_with_the_wider_network_that_follows(
    monkeypatch, capability, minutes
):
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: capability)
    narrow = ModelConfig(width=512, max_channels=128)
    config = TrainConfig(device="cpu", threads=2, minutes=minutes)
    template, values = forecast(config, narrow)
    longer = dataclasses.replace(config, minutes=float(values["next"]) + 1)
    wide = widened(narrow, processor_width(longer, narrow))
    assert wide.width == 768
    assert forecast(longer, wide)[0] == STAGES[[stage for _, stage in STAGES].index(template) + 1][1]


def forecast_template(minutes: float) -> str:
    return forecast(TrainConfig(device="cpu", threads=2, minutes=minutes), ModelConfig(width=512, max_channels=128))[0]


def test_the_work_of_a_network_is_counted_as_its_layers_do_it():
    # 4 -> 8 px, 8 channels: the generator's convolutions at 4 and 8 px, the discriminator's at 8 and 4, the first layer
    model = ModelConfig(resolution=8, width=16, max_channels=8)
    assert multiplications(model) == 9 * 64 * (16 + 64) * 2 + 9 * 3 * 8 * 64


def test_nothing_is_promised_where_nothing_was_measured():
    assert forecast(TrainConfig(device="cuda"), ModelConfig()) is None
    assert forecast(TrainConfig(device="cpu", threads=1), ModelConfig(arch="mlp")) is None


def test_the_forecast_is_revised_once_the_speed_is_known():
    model = ModelConfig(width=512, max_channels=128)
    config = TrainConfig(device="cpu", threads=2, minutes=5)
    expected = images_per_second(config, model)
    assert revised(config, model, expected * 1.2) == []
    (measured, values), (template, later) = revised(config, model, expected / 10)
    assert measured == MEASURED and float(values["expected"]) > 9 * float(values["speed"])
    assert "colours only" in template and float(later["kimg"]) < 10
    (measured, _), sentence = revised(TrainConfig(device="cuda", minutes=5), model, 1000.0)  # nothing was promised
    assert measured == MEASURED_FIRST and sentence[1]["kimg"] == "300"
    assert revised(config, ModelConfig(arch="mlp"), 1000.0) == []
    assert [measured_after(TrainConfig(minutes=m)) for m in (0.5, 5, 60)] == [3, 30, 60]
