"""A model folder comes back as it was saved; a broken one gets its sentence."""

import json

import pytest
import torch
from safetensors.torch import load_file, save_file
from tiny import save_tiny_model

from imagen_demo.errors import UserError
from imagen_demo.models.folder import load_model, read_info


@pytest.fixture
def folder(tmp_path):
    save_tiny_model(tmp_path / "tiny", num_classes=2)
    return tmp_path / "tiny"


def change_tensors(folder, change):
    tensors = load_file(folder / "model.safetensors")
    change(tensors)
    save_file(tensors, folder / "model.safetensors")


def change_info(folder, **values):
    raw = json.loads((folder / "model.json").read_text())
    (folder / "model.json").write_text(json.dumps(raw | values))


@pytest.mark.parametrize("arch", ["style", "mlp"])
def test_round_trip(tmp_path, arch):
    config = save_tiny_model(tmp_path / "m", arch=arch)
    model = load_model(tmp_path / "m")
    assert model.info.config == config and model.info.title == "Tiny"
    assert read_info(tmp_path / "m") == model.info
    tensors = load_file(tmp_path / "m" / "model.safetensors")
    assert torch.equal(model.w_avg, tensors["w_avg"])
    for key, value in model.generator.state_dict().items():
        assert torch.equal(value, tensors["generator." + key]) and value.device.type == "cpu"
    assert not any(parameter.requires_grad for parameter in model.generator.parameters())


def test_equal_weights_have_equal_hashes_and_others_do_not(tmp_path):
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        save_tiny_model(tmp_path / name, seed=seed)
    a, b, c = (load_model(tmp_path / name).hash for name in "abc")
    assert a == b != c and len(a) == 64


def test_loading_spends_no_random_numbers(folder):
    torch.manual_seed(3)
    before = torch.get_rng_state()
    load_model(folder)
    assert torch.equal(before, torch.get_rng_state())


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda t: t.pop("generator.const"), "generator.const is missing (1 such tensors)"),
        (lambda t: t.update(extra=torch.zeros(2)), "extra is unknown"),
        (lambda t: t.update(w_avg=torch.zeros(3, 8)), "w_avg has shape [3, 8] instead of [2, 8]"),
        (lambda t: t["w_avg"].fill_(float("nan")), "w_avg has values that are not numbers"),
        (lambda t: t.update(w_avg=t["w_avg"].half()), "w_avg has type torch.float16 instead of torch.float32"),
    ],
)
def test_weights_that_do_not_fit(folder, change, sentence):
    change_tensors(folder, change)
    with pytest.raises(UserError) as caught:
        load_model(folder)
    assert sentence in str(caught.value) and "model tiny" in str(caught.value)


def test_truncated_weights(folder):
    data = (folder / "model.safetensors").read_bytes()
    for length in (0, 7, 100, len(data) - 1):
        (folder / "model.safetensors").write_bytes(data[:length])
        with pytest.raises(UserError, match="damaged"):
            load_model(folder)


def test_missing_weights(folder):
    (folder / "model.safetensors").unlink()
    with pytest.raises(UserError, match=r"model\.safetensors is missing"):
        load_model(folder)


def test_newer_format(folder):
    change_info(folder, format_version=99)
    with pytest.raises(UserError, match=r"format version 99.*Update the program"):
        read_info(folder)


@pytest.mark.parametrize("text", ["", "{", "[]", "3", '{"config": 3}', '{"config": {"arch": "rnn"}}', "[" * 100_000])
def test_damaged_description(folder, text):
    (folder / "model.json").write_text(text)
    with pytest.raises(UserError, match=r"model.json\) is damaged"):
        read_info(folder)


@pytest.mark.parametrize(
    "values",
    [{"title": ["x"]}, {"class_names": "abc"}, {"metrics": {"swd": "low"}}, {"format_version": "1"}, {"new": 1},
     {"training": {"kimg": float("inf")}}, {"training": {"kimg": float("nan")}}, {"metrics": {"swd": -(10**400)}}],
)  # fmt: skip
def test_description_of_wrong_types(folder, values):
    change_info(folder, **values)
    with pytest.raises(UserError, match="damaged"):
        read_info(folder)


def test_a_giant_network_is_refused_before_it_takes_memory(folder):
    raw = json.loads((folder / "model.json").read_text())
    change_info(folder, config=raw["config"] | {"width": 10**9})
    with pytest.raises(UserError, match="damaged"):
        load_model(folder)


def test_no_model_there(tmp_path):
    with pytest.raises(UserError, match="nothing is not a model folder"):
        read_info(tmp_path / "nothing")


def test_an_interrupted_replacement_is_still_readable(folder):
    folder.rename(folder.with_name("tiny.old"))
    assert load_model(folder).info.title == "Tiny"


@pytest.mark.parametrize(("arch", "name"), [("style", "channels"), ("mlp", "channels"), ("mlp", "resolution")])
def test_numbers_that_only_look_whole_are_refused(tmp_path, arch, name):
    config = save_tiny_model(tmp_path / "m", arch=arch)
    raw = json.loads((tmp_path / "m" / "model.json").read_text())
    change_info(tmp_path / "m", config=raw["config"] | {name: float(getattr(config, name))})
    with pytest.raises(UserError, match="damaged"):
        load_model(tmp_path / "m")


def test_a_runs_network_is_called_by_its_run(tmp_path):
    for folder in ("latest", "latest.old"):
        (tmp_path / "cats" / folder).mkdir(parents=True)
        with pytest.raises(UserError, match="cats is not a model folder"):
            read_info(tmp_path / "cats" / folder)
