"""A training that starts from another model keeps what that one knows, at other resolutions and classes too."""

import dataclasses
import signal

import pytest
import torch
from training_kit import make_run, make_trainer, two_colours

from imagen_demo import storage
from imagen_demo.config import ModelConfig, TrainConfig
from imagen_demo.data.dataset import Dataset
from imagen_demo.errors import UserError
from imagen_demo.models.folder import ancestors_text, load_model, read_info
from imagen_demo.models.registry import build_discriminator, build_generator
from imagen_demo.models.transfer import transfer_discriminator, transfer_generator
from imagen_demo.studio import jobs
from imagen_demo.training.main import discriminator_of, publish, settled, train_run
from imagen_demo.training.run import Run
from imagen_demo.ui import train_setup

SMALL = ModelConfig(noise=True, resolution=16, z_dim=8, w_dim=8, width=256, max_channels=64)
COND = dataclasses.replace(SMALL, num_classes=2)


@pytest.fixture(scope="module")
def dataset(tmp_path_factory) -> Dataset:
    return two_colours(tmp_path_factory.mktemp("pictures"), tmp_path_factory.mktemp("prepared") / "two")


def pair(parent: ModelConfig, child: ModelConfig, *names):
    torch.manual_seed(0)
    first, second = build_generator(parent), build_generator(child)
    with torch.no_grad():
        for block in (*first.blocks, *second.blocks):
            block.noise_strength.fill_(0.05)
    return first, second, transfer_generator(second, first.state_dict(), parent, *names)


def test_the_same_shape_is_taken_over_whole():
    first, second, share = pair(COND, COND)
    assert share == 1
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), second.parameters(), strict=True))


def test_a_higher_resolution_begins_with_the_parent_s_pictures_enlarged():
    first, second, share = pair(SMALL, dataclasses.replace(SMALL, resolution=64))
    z = torch.randn(4, 8)
    assert torch.equal(second.noise[:, : first.noise_size], first.noise)
    small = torch.nn.functional.avg_pool2d(second(z), 4)
    assert 0.5 < share < 1
    assert (small - first(z)).abs().mean() < 0.1 * first(z).abs().mean()


def test_without_the_parent_s_transparency_its_colours_stay():
    clear = dataclasses.replace(SMALL, channels=4)
    first, second, share = pair(clear, SMALL)
    z = torch.randn(4, 8)
    assert share == 1 and torch.allclose(second(z), first(z)[:, :3], atol=1e-6)


def test_new_transparency_begins_solid():
    first, second, share = pair(SMALL, dataclasses.replace(SMALL, channels=4))
    z = torch.randn(4, 8)
    assert share == 1 and torch.allclose(second(z)[:, :3], first(z), atol=1e-6)
    assert torch.allclose(second(z)[:, 3], torch.ones(4, 16, 16))


@pytest.mark.parametrize("channels", [(3, 4), (4, 3)])
def test_a_discriminator_judges_solid_pictures_as_before_with_and_without_alpha(channels):
    before, after = (dataclasses.replace(SMALL, channels=count) for count in channels)
    first, second = build_discriminator(before), build_discriminator(after)
    assert transfer_discriminator(second, first.state_dict(), before) == 1
    picture = torch.rand(4, 4, 16, 16) * 2 - 1
    picture[:, 3] = 1
    seen = [
        layer(picture[:, :count])
        for layer, count in zip((first.from_picture, second.from_picture), channels, strict=True)
    ]
    inner = (..., slice(1, -1), slice(1, -1))  # at the border there is nothing, and nothing is not solid
    assert torch.allclose(seen[0][inner], seen[1][inner], atol=1e-5)


def test_a_lower_resolution_keeps_the_coarse_blocks():
    first, second, share = pair(dataclasses.replace(SMALL, resolution=64), SMALL)
    assert share == 1
    assert all(torch.equal(value, first.state_dict()[key]) for key, value in second.named_parameters())
    assert torch.equal(second.noise, first.noise[:, : second.noise_size])


def test_classes_come_and_go_without_a_change_of_the_pictures():
    z, labels = torch.randn(3, 8), torch.tensor([0, 1, 1])
    first, second, _ = pair(SMALL, COND)
    assert torch.allclose(first(z), second(z, labels), atol=1e-5)
    first, second, _ = pair(COND, SMALL)
    with torch.no_grad():  # both classes alike: their mean is either
        first.mapping_network.embed.weight[1] = first.mapping_network.embed.weight[0]
    transfer_generator(second, first.state_dict(), COND)
    assert torch.allclose(first(z, labels), second(z), atol=1e-5)


def test_a_parent_without_noise_keeps_its_pictures():
    torch.manual_seed(0)
    first, second = build_generator(dataclasses.replace(SMALL, noise=False)), build_generator(SMALL)
    transfer_generator(second, first.state_dict(), first.config)
    z = torch.randn(3, 8)
    assert torch.equal(first(z), second(z, noise=torch.randn(3, second.noise_size)))


def test_new_classes_are_the_mean_and_known_ones_themselves():
    four = dataclasses.replace(SMALL, num_classes=4)
    first, second, _ = pair(COND, four, ["cats", "dogs"], ["birds", "dogs", "fish", "cats"])
    old, new = first.mapping_network.embed.weight, second.mapping_network.embed.weight
    assert torch.equal(new[1], old[1]) and torch.equal(new[3], old[0])
    assert torch.allclose(new[0], old.mean(dim=0)) and torch.equal(new[0], new[2])


@pytest.mark.parametrize("resolution", [16, 32, 64])
def test_the_discriminator_s_blocks_are_matched_by_resolution(resolution):
    parent_config, child_config = (
        dataclasses.replace(COND, resolution=32),
        dataclasses.replace(COND, resolution=resolution),
    )
    torch.manual_seed(0)
    parent, child = build_discriminator(parent_config), build_discriminator(child_config)
    share = transfer_discriminator(child, parent.state_dict(), parent_config)
    assert torch.equal(child.blocks[-1].conv0.weight, parent.blocks[-1].conv0.weight)  # 8 px to 4
    assert torch.equal(child.hidden.weight, parent.hidden.weight) and share > 0.5
    assert (share == 1) == (resolution == 32)


def test_training_starts_from_a_model_of_another_resolution_and_its_discriminator(tmp_path, dataset, monkeypatch):
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    parent = make_trainer(tmp_path / "runs" / "parent", dataset, kimg=0.008)
    parent.train()
    publish(parent.run)
    source = tmp_path / "checkpoints" / "parent"
    run = make_run(tmp_path / "runs" / "child", dataset, kimg=0.004, learning_rate=1e-4)
    storage.write_json(run.path / "config.json", run.config() | {"from_model": str(source)})
    train_run(run)
    child, ancestor = load_model(run.best), load_model(source)
    begun = {"hash": ancestor.hash, "title": "parent", "pictures": "two", "licence": ""}
    assert child.info.lineage == [begun] and "| Began from | parent (two) |" in (run.best / "README.md").read_text()
    assert child.info.config == ancestor.info.config
    before, after = discriminator_of(source, ancestor.hash), discriminator_of(run.latest, "")
    for old, new in (ancestor.generator.const, child.generator.const), (before["conv.weight"], after["conv.weight"]):
        assert 0 < (new - old).abs().mean() < 0.1 * old.abs().mean()  # a step away, not a new beginning
    (event,) = [event for event in run.events() if "starts from" in event["text"]]
    assert "100% of the generator and 100% of the discriminator" in event["text"]
    assert not any("get worse" in event["text"] for event in run.events())
    config = run.config()
    longer = config | {"train": config["train"] | {"kimg": 0.008}}
    storage.write_json(run.path / "config.json", longer)
    train_run(run, resume=True)
    assert load_model(run.latest).info.lineage == [begun]  # a resume forgets nothing
    longer["train"]["kimg"] = 0.012
    storage.write_json(run.path / "config.json", longer | {"lineage": [ancestor.hash]})  # as it once was written
    train_run(run, resume=True)
    assert load_model(run.latest).info.lineage == [{"hash": ancestor.hash}]


@pytest.mark.parametrize("shape", [{"resolution": 32, "width": 256}, {"arch": "mlp", "w_dim": 128}])
def test_network_and_settings_are_of_the_parent_s_kind(tmp_path, dataset, make_model, shape):
    source, run = make_model("parent", **shape), make_run(tmp_path / "runs" / "child", dataset, width=0)
    storage.write_json(run.path / "config.json", run.config() | {"from_model": str(source)})
    train, model = settled(run, dataset)
    parent = read_info(source).config
    # a parent from before there was noise gets it: its strength begins at zero, so the pictures stay
    assert model == dataclasses.replace(parent, resolution=16, num_classes=2, noise=parent.arch == "style")
    assert (train.arch, train.width) == (parent.arch, parent.width)
    assert train.objective == ("nonsaturating" if parent.arch == "mlp" else "relativistic")


def test_without_a_run_the_generator_alone_is_taken_and_said_to_get_worse(tmp_path, dataset, make_model, monkeypatch):
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    folder = make_model("alone")
    assert discriminator_of(folder, load_model(folder).hash) is None
    assert discriminator_of(Run(tmp_path / "gone").latest, "") is None
    run = make_run(tmp_path / "runs" / "child", dataset, kimg=0.004, width=0)
    storage.write_json(run.path / "config.json", run.config() | {"from_model": str(folder)})
    train_run(run)
    said = [event["text"] for event in run.events()]
    begun = next(place for place, text in enumerate(said) if "and 0% of the discriminator" in text)
    assert "the pictures get worse at first" in said[begun + 1]


@pytest.mark.parametrize("wish", [{"width": 512}, {"arch": "mlp"}])
def test_another_kind_or_width_than_the_parent_s_is_refused(workspace, dataset, make_model, wish):
    (workspace.datasets / "two").symlink_to(dataset.path)
    make_model("parent", width=256)
    with pytest.raises(UserError, match="is a network of kind style and width 256; leave both as they are"):
        jobs.start(workspace, "two", TrainConfig(**wish), "child", "parent")
    with pytest.raises(UserError, match="no model named gone"):
        jobs.start(workspace, "two", TrainConfig(), "child", "gone")
    assert not list(workspace.runs.iterdir())


def test_the_page_tells_what_a_model_to_begin_with_decides(workspace, dataset, make_model):
    (workspace.datasets / "two").symlink_to(dataset.path)
    make_model("parent", width=256)
    values = [field.default for field in train_setup.ADVANCED]
    choices = train_setup._parents(workspace, None).choices
    assert choices[0][1] == "" and ("parent", "parent") in choices
    begun = "The network is of the kind and the width of the model it begins with."
    assert begun in train_setup._explained(workspace, None, "two", "parent", 5, *values)
    assert begun not in train_setup._explained(workspace, None, "two", "", 5, *values)


def test_a_lineage_of_hashes_alone_is_still_read(make_model):
    folder = make_model("old")
    info = storage.read_json(folder / "model.json")
    storage.write_json(folder / "model.json", info | {"lineage": ["0123456789abcdef"]})
    assert ancestors_text(read_info(folder)) == "0123456789ab"
    storage.write_json(folder / "model.json", info | {"lineage": [{"title": "Planets", "licence": "CC0"}]})
    assert ancestors_text(read_info(folder)) == "Planets (CC0)"
    for wrong in ("x", [1], [{"title": 3}]):
        storage.write_json(folder / "model.json", info | {"lineage": wrong})
        with pytest.raises(UserError, match="damaged"):
            read_info(folder)
