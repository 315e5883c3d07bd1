"""Directions do what they say: found, calibrated, measured, made from examples, kept, shared."""

import dataclasses
import json

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from tiny import save_tiny_model

from imagen_demo.cli.main import main
from imagen_demo.errors import Cancelled, UserError
from imagen_demo.latent import centres, discovery
from imagen_demo.latent.directions import sample_w
from imagen_demo.studio import directions, library
from imagen_demo.studio.recipes import Recipe, Studio


@pytest.fixture(autouse=True)
def few_pictures(monkeypatch):
    """Enough for networks of 16 pixels with random weights."""
    monkeypatch.setattr(discovery, "effort_for", lambda resolution: discovery.Effort(192, 6, 4, 2))
    for name, value in {"LEAST_EFFECT": 0.05, "LEAST_PURITY": 0.0}.items():
        monkeypatch.setattr(discovery, name, value)


@pytest.fixture
def studio(workspace):
    save_tiny_model(workspace.checkpoints / "plain")
    save_tiny_model(workspace.checkpoints / "kinds", num_classes=3, channels=4)
    return Studio(workspace, "cpu")


# -- discovery -----------------------------------------------------------------------------------


def test_discovery_is_complete_calibrated_and_kept(studio, workspace):
    heard = []
    found = directions.discover(studio, "kinds", lambda fraction, text: heard.append(fraction))
    assert heard == sorted(heard) and heard[-1] == 1.0
    assert {"pc", "property", "sefa"} <= {direction.kind for direction in found}
    for direction in found:
        assert set(direction.effects) == set(found.varied.spread) and 0 < direction.purity <= 1
        assert direction.scale > 0 and direction.vector.norm() == pytest.approx(1, abs=1e-4)
    for direction in found.of_kind("property"):
        assert direction.effects[direction.id] > 0  # + is more
    for direction in found.of_kind("sefa"):
        assert max(direction.effects.values()) == max(map(abs, direction.effects.values()))
    assert (workspace.checkpoints / "kinds" / "directions.safetensors").exists()

    def refuse(fraction, text):
        raise AssertionError("computed twice")

    again = directions.discover(Studio(workspace, "cpu"), "kinds", refuse)
    assert [direction.id for direction in again] == [direction.id for direction in found]
    recipe = Recipe("kinds", directions=(("sf0", 1.0), ("pc0", 1.0)))
    assert studio.png(recipe) == Studio(workspace, "cpu").png(recipe)


def test_a_property_of_a_network_that_shows_it_is_found(studio):
    """A network whose brightness is a direction of w gets just that direction, and it is pure."""
    model = studio.model("plain")
    chosen, square = torch.nn.functional.normalize(torch.arange(8.0), dim=0), torch.zeros(1, 3, 16, 16)
    square[:, :, 4:12, 4:12] = 1

    class Lamp(torch.nn.Module):
        num_ws, mapping, blocks = model.generator.num_ws, staticmethod(model.generator.mapping), model.generator.blocks
        conv, to_picture = model.generator.conv, model.generator.to_picture

        def synthesis(self, ws):
            light = (ws.mean(dim=1) @ chosen)[:, None, None, None]
            return -0.5 + square * (1 + 0.2 * light)

    lamp = dataclasses.replace(model, generator=Lamp())
    (found,) = discovery.discover(lamp).of_kind("property")
    assert found.id == "brightness" and found.purity > 0.95 and found.effects["brightness"] > 0.5
    along = torch.cov(sample_w(lamp, 4000, 0)[0].T) @ chosen  # the most likely way to more of it
    assert float(found.vector @ along / along.norm()) > 0.9


def test_discovery_gives_the_same_twice(studio):
    model = studio.model("plain")
    one, two = (discovery.discover(model) for _ in range(2))
    assert [d.scale for d in one] == [d.scale for d in two]
    assert all(torch.equal(a.vector, b.vector) for a, b in zip(one, two, strict=True))


def test_principal_components_keep_their_pictures(studio):
    recipe = Recipe("plain", directions=(("pc0", 2.0), ("pc3", -1.0)))
    before = studio.render_array(recipe)
    directions.discover(studio, "plain")
    assert np.array_equal(Studio(studio.workspace, "cpu").render_array(recipe), before)


@pytest.mark.parametrize("name", ["planets", "emoji"])
def test_bundled_models_come_with_everything_found(studio, name):
    found, folder = studio.directions(name), studio.model(name).path
    assert found.varied is not None and len(found.of_kind("sefa")) >= 12 and len(found.of_kind("property")) >= 5
    assert all(direction.purity is not None for direction in found)
    assert all(len(direction.vector) == 128 and direction.title(True) for direction in found)
    assert centres._read(studio.model(name)) and (folder / "directions.json").stat().st_size < 20_000


def test_cancelling_keeps_nothing(studio, workspace):
    def cancel(fraction, text):
        if fraction > 0.3:
            raise Cancelled

    with pytest.raises(Cancelled):
        directions.discover(studio, "plain", cancel)
    assert not studio.directions("plain").of_kind("sefa") and studio.directions("plain").varied is None
    assert directions.discover(studio, "plain").of_kind("sefa")  # and the next one is not held up


@pytest.mark.parametrize("name", ["run/r", "dense"])
def test_directions_of_runs_and_of_the_articles_network(workspace, studio, name):
    save_tiny_model(workspace.runs / "r" / "latest", seed=3)
    save_tiny_model(workspace.checkpoints / "dense", arch="mlp")
    found = directions.discover(studio, name)
    assert "sf0" in found and not (workspace.runs / "r" / "latest" / "directions.safetensors").exists()
    assert "sf0" in Studio(workspace, "cpu").directions(name)
    directions.rename(studio, name, "sf0", "Mine")
    assert directions.rename(studio, name, "sf0", "").name == "SeFa 1"
    assert ("sfc0" in found) == (name == "run/r")


# -- made by the user ----------------------------------------------------------------------------


def recipes(*seeds, model="plain", label=None):
    return [Recipe(model, seeds=((seed, 1),), label=label) for seed in seeds]


def test_from_examples_is_kept_and_draws_the_same_elsewhere(studio, workspace):
    made = directions.from_examples(studio, "plain", recipes(1, 2), recipes(3, 4), "My smile", ("pc0", "pc1"))
    assert made.id.startswith("my-smile-") and made.kind == "examples" and made.name == "My smile"
    for other in ("pc0", "pc1"):
        assert abs(float(made.vector @ studio.directions("plain").get(other).vector)) < 1e-5
    recipe = Recipe("plain", seeds=((9, 1),), directions=((made.id, 1.5),))
    fresh = Studio(workspace, "cpu")
    assert [d.id for d in fresh.directions("plain")][-1] == made.id
    assert np.array_equal(fresh.render_array(recipe), studio.render_array(recipe))
    along = [float(studio.latent(r)[0, 0] @ made.vector) for r in recipes(1, 2, 3, 4)]
    assert sum(along[:2]) > sum(along[2:])
    folder = workspace.root / "directions" / studio.model("plain").hash[:12]
    assert {file.name for file in folder.iterdir()} == {"directions.safetensors", "directions.json"}


def test_effects_of_own_directions_are_measured_once_properties_are_known(studio):
    assert directions.from_examples(studio, "plain", recipes(1), recipes(2), "a").purity is None
    directions.discover(studio, "plain")
    made = directions.from_examples(studio, "plain", recipes(1), recipes(2), "b", layers="fine")
    assert made.effects and 0 < made.purity <= 1 and made.layers == "fine"


def test_classes_give_directions(studio):
    made = directions.from_class(studio, "kinds", 1)
    assert made.name == "class 1"
    w = {label: sample_w(studio.model("kinds"), 200, 9, label)[0] @ made.vector for label in range(3)}
    assert w[1].mean() > max(w[0].mean(), w[2].mean())
    with pytest.raises(UserError, match="no classes"):
        directions.from_class(studio, "plain", 0)
    with pytest.raises(UserError, match="no class number 5"):
        directions.from_class(studio, "kinds", 5)


def test_layers_that_are_not_there_cost_nobody_their_directions(studio):
    kept = directions.from_class(studio, "kinds", 1)
    with pytest.raises(UserError, match="has no layers 90-99"):
        directions.from_class(studio, "kinds", 2, layers="90-99")
    assert kept.id in Studio(studio.workspace, "cpu").directions("kinds")
    with pytest.raises(UserError, match="no class number -1"):
        directions.from_class(studio, "kinds", -1)


def test_a_file_of_directions_that_cannot_be_read_is_laid_aside(studio):
    file = studio.own_directions(studio.model("plain")) / "directions.safetensors"
    file.parent.mkdir(parents=True)
    file.write_bytes(b"of a newer version")
    directions.rename(studio, "plain", "pc0", "By day")
    assert file.with_suffix(".unreadable").read_bytes() == b"of a newer version"


def test_examples_of_other_weights_are_refused(studio):
    old = [studio.pinned(Recipe("plain", seeds=((seed, 1),))) for seed in range(2)]
    library.rename(studio.workspace, "plain", "shells")
    save_tiny_model(studio.workspace.checkpoints / "plain", seed=9)
    with pytest.raises(UserError, match="must be pictures of the model"):
        directions.from_examples(studio, "plain", old[:1], old[1:], "odd")


def test_conditional_on_the_class(studio):
    """Examples that differ by class alone have nothing to say within the classes."""
    model = studio.model("kinds")
    means = [sample_w(model, 4000, 1, label)[0].mean(dim=0) for label in range(3)]
    model.w_avg.copy_(torch.stack(means))
    one, two = recipes(*range(40), model="kinds", label=0), recipes(*range(40), model="kinds", label=1)
    mixed = directions.from_examples(studio, "kinds", one, two, "mixed")
    within = directions.from_examples(
        studio, "kinds", [*one[:20], *two[:20]], [*one[20:], *two[20:35]], "x", within_class=True
    )
    apart = means[0] - means[1]
    cosine = [abs(float(d.vector @ apart / apart.norm())) for d in (mixed, within)]
    assert cosine[0] > 0.75 and cosine[1] < 0.6


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"with_": []}, "at least one"),
        ({"with_": recipes(3, 4)}, "the same"),
        ({"with_": recipes(1, model="kinds")}, "of the model plain"),
        ({"against": ("sf99",)}, "no direction sf99"),
        ({"against": tuple(f"pc{k}" for k in range(8))}, "Nothing is left"),
        ({"name": " "}, "name"),
        ({"name": "x" * 41}, "name"),
        ({"layers": "8-9"}, "no layers"),
        ({"with_": [Recipe("plain", model_hash="0123456789ab")]}, "another version"),
    ],
)
def test_impossible_examples_are_refused(studio, values, sentence):
    given = {"with_": recipes(1, 2), "without": recipes(3, 4), "name": "d"} | values
    with pytest.raises(UserError, match=sentence):
        directions.from_examples(studio, "plain", **given)
    assert not studio.directions("plain").of_kind("examples")


def test_names_hiding_and_removing(studio, workspace):
    made = directions.from_examples(studio, "plain", recipes(1, 2), recipes(3, 4), "微笑")
    assert made.id.startswith("d-")
    directions.rename(studio, "plain", made.id, "Smile", "笑")
    directions.rename(studio, "plain", "pc1", "Size")
    directions.hide(studio, "plain", "pc1")
    there = Studio(workspace, "cpu").directions("plain")
    assert (there.get(made.id).name, there.get(made.id).name_zh) == ("Smile", "笑")
    assert (there.get("pc1").title(True), there.get("pc1").hidden) == ("Size", True)
    directions.hide(studio, "plain", "pc1", False)
    assert not studio.directions("plain").get("pc1").hidden and studio.directions("plain").get("pc1").name == "Size"
    directions.rename(studio, "plain", "pc1", " ")  # its own again
    assert studio.directions("plain").get("pc1").title(True) == "PC 2"
    with pytest.raises(UserError, match="name"):
        directions.rename(studio, "plain", made.id, "")
    with pytest.raises(UserError, match="can be hidden"):
        directions.remove(studio, "plain", "pc1")
    directions.remove(studio, "plain", made.id)
    assert made.id not in studio.directions("plain")
    with pytest.raises(UserError, match="no direction"):
        studio.render(Recipe("plain", directions=((made.id, 1),)))
    with pytest.raises(UserError, match="no direction"):
        directions.rename(studio, "plain", "pc77", "x")


# -- sharing -------------------------------------------------------------------------------------


def test_a_shared_direction_draws_the_same_picture(studio, tmp_path, make_model, workspace):
    made = directions.from_examples(studio, "plain", recipes(1, 2), recipes(3, 4), "Smile", name_zh="笑")
    file = directions.export_file(studio, "plain", [made.id, "pc2"], tmp_path / "d.safetensors")
    recipe = Recipe("plain", directions=((made.id, 2),))
    before = studio.render_array(recipe)
    directions.remove(studio, "plain", made.id)
    smile, component = directions.import_file(studio, "plain", file)
    assert (smile.id, smile.name, smile.name_zh) == (made.id, "Smile", "笑")
    assert component.id == "pc2"  # of the same name and the same doing: not a second time
    directions.rename(studio, "plain", "pc2", "Else")
    component = directions.import_file(studio, "plain", file)[1]
    assert component.id.startswith("pc2-") and component.kind == "examples"
    assert np.array_equal(Studio(workspace, "cpu").render_array(recipe), before)
    directions.import_file(studio, "plain", file)  # once more changes nothing
    assert len(studio.directions("plain").of_kind("examples")) == 2
    with pytest.raises(UserError, match="for another model"):
        directions.import_file(studio, "kinds", file)


def hostile_files(hash):
    vectors, scales = torch.eye(8)[:1], torch.ones(1)
    header = {"weights": hash, "format": "imagen-demo directions 1", "directions": '[["a","pc",""]]'}
    good = ({"vectors": vectors, "scales": scales}, header)
    yield {"vectors": vectors * 7, "scales": scales}, header
    yield {"vectors": vectors * torch.nan, "scales": scales}, header
    yield {"vectors": torch.eye(9)[:1], "scales": scales}, header
    yield {"vectors": vectors, "scales": scales * -1}, header
    yield {"vectors": vectors, "scales": scales * 1e30}, header
    yield {**good[0], "more": scales.clone()}, header
    for index in ("", "[]", "[" * 5000, '[["../../x","pc",""]]', '[["a","code",""]]', '[["a","pc","99-99"]]', "{}",
                  '[["a","pc",""],["a","pc",""]]', "[[1,2,3]]"):  # fmt: skip
        yield good[0], header | {"directions": index}
    yield good[0], header | {"format": "x"}
    yield good[0], {}


def test_hostile_files_are_refused_with_a_sentence(studio, tmp_path):
    file = tmp_path / "evil.safetensors"
    for tensors, header in hostile_files(studio.model("plain").hash):
        save_file(tensors, file, header)
        with pytest.raises(UserError) as caught:
            directions.import_file(studio, "plain", file)
        assert "evil.safetensors" in str(caught.value)
    for data in (b"", b"x" * 100, b"\xff" * 9, b"\x00" * 17_000_000):
        file.write_bytes(data)
        with pytest.raises(UserError, match=r"evil\.safetensors"):
            directions.import_file(studio, "plain", file)
    with pytest.raises(UserError):
        directions.import_file(studio, "plain", tmp_path / "none")
    assert not studio.directions("plain").of_kind("examples")


def test_twins_in_a_file_leave_what_is_there(studio, tmp_path):
    """Two ids for one direction become one id, and an index with an id twice would be refused at the next look."""
    made = directions.from_examples(studio, "plain", recipes(1, 2), recipes(3, 4), "Smile")
    header = {"weights": studio.model("plain").hash, "format": "imagen-demo directions 1"}
    header |= {"directions": '[["a-0000","examples",""],["a-1111","examples",""]]'}
    save_file({"vectors": torch.eye(8)[[0, 0]], "scales": torch.ones(2)}, tmp_path / "f", header)
    one, two = directions.import_file(studio, "plain", tmp_path / "f")
    assert one.id == two.id
    assert {d.id for d in studio.directions("plain").of_kind("examples")} == {made.id, one.id}


def test_foreign_names_are_cut_and_lies_ignored(studio, tmp_path):
    about = {"directions": {"a": {"name": "n" * 999, "effects": {"x": "y", "z": 1}, "purity": 7, "hidden": True}}}
    header = {"weights": studio.model("plain").hash, "format": "imagen-demo directions 1"}
    header |= {"directions": '[["a","pc","0-1"]]', "about": json.dumps(about)}
    save_file({"vectors": torch.eye(8)[:1], "scales": torch.ones(1)}, tmp_path / "f", header)
    (taken,) = directions.import_file(studio, "plain", tmp_path / "f")
    assert len(taken.name) == 40 and taken.effects == {"z": 1.0} and taken.purity is None and not taken.hidden


def test_filmstrip_goes_through_the_picture(studio):
    recipe = Recipe("plain", seeds=((4, 1),), directions=(("pc1", 1.0), ("pc0", 0.5)))
    strip = directions.filmstrip(studio, recipe, "pc0", count=5, reach=2)
    for amount, picture in zip((-2, -1, 0, 1, 2), strip, strict=True):
        expected = dataclasses.replace(recipe, directions=(("pc1", 1.0), ("pc0", amount)))
        assert np.array_equal(picture, studio.render_array(expected))


def test_commands(studio, workspace, tmp_path, capsys):
    def run(*arguments):
        code = main(["--workspace", str(workspace.root), "directions", *arguments])
        return code, capsys.readouterr()

    code, output = run("discover", "plain", "--json")
    assert code == 0 and {"pc0", "sf0"} < {fact["id"] for fact in json.loads(output.out)}
    code, output = run("list", "plain")
    assert code == 0 and "pc0" in output.out and "sfc0" in output.out
    file = str(tmp_path / "d.safetensors")
    assert run("export", "plain", "--ids", "pc0, sf0", "--out", file)[0] == 0
    code, output = run("import", "plain", file, "--json")
    assert code == 0 and [fact["id"] for fact in json.loads(output.out)] == ["pc0", "sf0"]  # its own
    code, output = run("import", "kinds", file)
    assert code == 2 and "another model" in output.err
    assert run("list", "nowhere")[0] == 2
