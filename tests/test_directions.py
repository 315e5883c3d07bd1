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
from imagen_demo.latent import boundary, discovery, measuring, properties, sefa, whitening
from imagen_demo.latent.directions import sample_w
from imagen_demo.latent.measuring import purity_of
from imagen_demo.studio import directions
from imagen_demo.studio.recipes import Recipe, Studio


@pytest.fixture(autouse=True)
def few_pictures(monkeypatch):
    """Enough for networks of 16 pixels with random weights."""
    monkeypatch.setattr(discovery, "samples_for", lambda resolution: 192)
    monkeypatch.setattr(measuring, "BASES", 6)
    for name, value in {"STEPS": 2, "SEARCHED": 4, "LEAST_EFFECT": 0.05, "LEAST_PURITY": 0.0}.items():
        monkeypatch.setattr(discovery, name, value)


@pytest.fixture
def studio(workspace):
    save_tiny_model(workspace.checkpoints / "plain")
    save_tiny_model(workspace.checkpoints / "kinds", num_classes=3, channels=4)
    return Studio(workspace, "cpu")


# -- properties ----------------------------------------------------------------------------------


def disc(radius=0.5, x=0.0, colour=(1.0, 1.0, 1.0), stretch=1.0, alpha=False, size=64):
    axis = (torch.arange(size) + 0.5) / size * 2 - 1
    inside = (((axis[None] - x) / stretch) ** 2 + axis[:, None] ** 2 < radius**2).float()
    picture = torch.stack([inside * value for value in colour])
    return torch.cat([picture, inside[None]]) if alpha else picture


@pytest.mark.parametrize("alpha", [False, True])
def test_properties_are_what_they_are_called(alpha):
    def of(**values):
        return {name: float(v) for name, v in properties.measure(disc(alpha=alpha, **values)[None], True).items()}

    plain = of()
    assert plain["brightness"] == pytest.approx(1, abs=1e-3) and of(colour=(0.5,) * 3)["brightness"] < 0.6
    assert of(colour=(1, 0.5, 0.2))["warmth"] == pytest.approx(0.8, abs=0.01)
    assert of(colour=(0.2, 0.5, 1))["warmth"] == pytest.approx(-0.8, abs=0.01)
    assert plain["colourfulness"] == pytest.approx(0, abs=1e-2) and of(colour=(1, 0.2, 0.2))["colourfulness"] > 0.2
    assert plain["size"] == pytest.approx(0.5 / 2**0.5, abs=0.01)  # of a disc: radius / sqrt(2)
    assert of(radius=0.8)["size"] > plain["size"] and of(x=0.3)["size"] == pytest.approx(plain["size"], abs=0.01)
    assert plain["roundness"] == pytest.approx(1, abs=0.01)
    assert of(stretch=0.5)["roundness"] == pytest.approx(0.8, abs=0.02)  # of an ellipse: 2 a b / (a^2 + b^2)
    assert of(x=-0.4)["left-right"] == pytest.approx(-0.4, abs=0.01)
    assert of(x=0.4)["left-right"] == pytest.approx(0.4, abs=0.01)
    if alpha:
        assert plain["coverage"] == pytest.approx(np.pi / 16, abs=0.01)


def test_colourfulness_is_the_published_formula():
    picture = torch.rand(1, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    red, green, blue = picture[0].double()
    rg, yb = red - green, (red + green) / 2 - blue
    expected = (rg.var(correction=0) + yb.var(correction=0)).sqrt() + 0.3 * (rg.mean() ** 2 + yb.mean() ** 2).sqrt()
    assert float(properties.measure(picture, False)["colourfulness"]) == pytest.approx(float(expected), rel=1e-3)


def test_plain_borders_are_told_from_scenes():
    assert properties.has_plain_border(torch.stack([disc(), disc(x=0.2)]))
    assert not properties.has_plain_border(torch.rand(3, 3, 32, 32))


# -- factorisation, whitening, boundary ------------------------------------------------------------


def test_sefa_changes_the_styles_most(studio):
    generator = studio.model("plain").generator
    weights = sefa.style_weights(generator)
    assert len(weights) == generator.num_ws == 5
    stacked, first = torch.cat(weights), sefa.factorise(weights, 3)
    _, _, right = torch.linalg.svd(stacked.double())
    assert torch.allclose((first.double() * right[:3]).sum(dim=1).abs(), torch.ones(3).double(), atol=1e-5)
    random = torch.nn.functional.normalize(torch.randn(100, 8), dim=1)
    assert (stacked @ first[0]).norm() >= (random @ stacked.T).norm(dim=1).max()
    ids = [direction.id for direction in sefa.sefa_directions(generator)]
    assert ids[:2] == ["sf0", "sf1"] and {"sfc0", "sfm0", "sff0"} < set(ids)


def test_styles_are_those_of_the_layers(studio):
    """What a layer's styles do not see of w leaves its picture as it is."""
    model = studio.model("plain")
    ws = studio.latent(Recipe("plain"))
    for layer, weights in enumerate(sefa.style_weights(model.generator)):
        _, values, right = torch.linalg.svd(weights.double())
        seen, unseen = right[0].float(), right[-1].float() if values[-1] < 1e-5 else None
        with torch.inference_mode():
            for vector, same in ((seen, False), (unseen, True)):
                if vector is not None:
                    moved = ws.clone()
                    moved[:, layer] += vector
                    pictures = [model.generator.synthesis(each) for each in (moved, ws)]
                    assert torch.allclose(*pictures, atol=1e-4) == same


def test_whitened_w_is_round(studio):
    w, labels = sample_w(studio.model("kinds"), 3000, 5)
    white = whitening.whiten(w, labels)
    assert torch.allclose(white.x.T @ white.x / 3000, torch.eye(len(white.deviations)).double(), atol=1e-6)
    step = torch.randn(8)
    assert torch.allclose(white.outwards(white.inwards(step[None])[0]).float(), step, atol=1e-4)


def test_logistic_regression_finds_the_boundary():
    random = torch.Generator().manual_seed(1)
    normal = torch.nn.functional.normalize(torch.randn(20, generator=random, dtype=torch.float64), dim=0)
    x = torch.randn(3000, 20, generator=random, dtype=torch.float64)
    side = x @ normal + 0.1 * torch.randn(3000, generator=random, dtype=torch.float64) > 1.0
    found = boundary.logistic(x[side], x[~side])
    assert float(found @ normal / found.norm()) > 0.98


@pytest.mark.parametrize("count", [1, 2, 40])
def test_boundary_separates_examples_it_has_not_seen(studio, count):
    model = studio.model("plain")
    w, labels = sample_w(model, 2000, 7)
    white = whitening.whiten(w, labels)
    hidden = torch.nn.functional.normalize(torch.randn(8, generator=torch.Generator().manual_seed(2)), dim=0)
    side = white.x.float() @ hidden
    with_, without = w[side > 1.2], w[side < -1.2]
    vector, scale = boundary.boundary(with_[:count], without[:count], white)
    assert vector.norm() == pytest.approx(1, abs=1e-5) and scale > 0
    ahead, behind = with_[count:] @ vector, without[count:] @ vector
    assert (ahead > behind.median()).float().mean() > (0.9 if count == 40 else 0.6)


def test_orthogonal_to_several():
    others = [torch.randn(8), torch.randn(8)]
    vector = boundary.orthogonal(torch.randn(8).double(), [*others, others[0] * 2])
    assert all(abs(float(vector @ other.double())) < 1e-6 for other in others)


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
    chosen = torch.nn.functional.normalize(torch.arange(8.0), dim=0)

    class Lamp(torch.nn.Module):
        num_ws, mapping, blocks = model.generator.num_ws, staticmethod(model.generator.mapping), model.generator.blocks
        conv, to_picture = model.generator.conv, model.generator.to_picture

        def synthesis(self, ws):
            light = (ws.mean(dim=1) @ chosen)[:, None, None, None]
            return (disc(size=16)[None] * 2 - 1) * 0.5 + 0.2 * light * disc(size=16)[None]

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
    assert ("sfc0" in found) == (name == "run/r")


def test_purity():
    assert purity_of({}) is None and purity_of({"size": 0.0}) is None
    assert purity_of({"brightness": -1.0}) == 1.0
    assert purity_of({"brightness": 3.0, "warmth": -1.0}) == 0.75
    assert purity_of({"brightness": 3.0, "warmth": -1.0}, "warmth") == 0.25
    assert purity_of({"size": 1.0, "coverage": -0.9}, "coverage") == 1.0


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
    assert code == 0 and [fact["kind"] for fact in json.loads(output.out)] == ["examples"] * 2
    code, output = run("import", "kinds", file)
    assert code == 2 and "another model" in output.err
    assert run("list", "nowhere")[0] == 2
