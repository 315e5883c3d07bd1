"""Recipes survive every form, refuse nonsense, and always draw the same bytes."""

import json
import random
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from PIL import Image
from tiny import save_tiny_model

from imagen_demo.data.pixels import from_network, to_network
from imagen_demo.errors import UserError
from imagen_demo.latent import space
from imagen_demo.media import png
from imagen_demo.studio import library
from imagen_demo.studio.recipes import Recipe, Studio
from imagen_demo.workspace import Workspace


@pytest.fixture
def workspace(tmp_path):
    workspace = Workspace(tmp_path)
    save_tiny_model(workspace.checkpoints / "plain")
    save_tiny_model(workspace.checkpoints / "classes", num_classes=3)
    save_tiny_model(workspace.checkpoints / "alpha", channels=4)
    save_tiny_model(workspace.checkpoints / "dense", arch="mlp", num_classes=2)
    return workspace


@pytest.fixture
def studio(workspace):
    return Studio(workspace, "cpu")


def random_recipe(rng):
    return Recipe(
        model=rng.choice(["plain", "run/my run", "行星-2"]),
        model_hash=rng.choice(["", "0123456789ab"]),
        seeds=tuple((rng.randrange(2**32), rng.random() + 1e-6) for _ in range(rng.randint(1, 4))),
        psi=rng.choice([1.0, 0.7, rng.uniform(-2, 2)]),
        fine_seeds=tuple((rng.randrange(2**32), rng.random() + 1e-6) for _ in range(rng.randint(0, 2))),
        split=rng.randint(0, 9),
        label=rng.choice([None, 0, 3]),
        class_mix=rng.choice([(), ((0, 0.25), (7, 1.5))]),
        psi_layers=tuple(rng.uniform(-2, 2) for _ in range(rng.randint(0, 5))),
        centre=rng.choice(["mean", "nearest"]),
        directions=tuple(
            (
                rng.choice(["pc0", "pc11", "sfc2", "my-smile-3f2a"]),
                rng.uniform(-10, 10),
                rng.choice(["", "2-5", "fine"]),
            )
            for _ in range(rng.randint(0, 4))
        ),
        noise=rng.choice([0, 7]),
        size=rng.choice([None, 16, 512]),
    )


def test_round_trips_are_exact():
    rng = random.Random(0)
    for _ in range(300):
        recipe = random_recipe(rng)
        assert Recipe.from_json(recipe.to_json()) == recipe
        assert Recipe.from_json(recipe.to_json()).to_json() == recipe.to_json()
        assert Recipe.from_query(recipe.to_query()) == recipe


def test_the_forms_are_short_and_canonical():
    recipe = Recipe("planets", seeds=[[42, 2]], psi=0.7, directions=[(3, -2), (0, 1.5), (5, 0)], label=2, size=512)
    assert recipe.to_query() == "model=planets&seed=42&psi=0.7&class=2&d=pc0:1.5,pc3:-2&size=512"
    assert json.loads(recipe.to_json()) == {
        "model": "planets", "seeds": [[42, 1]], "psi": 0.7, "label": 2, "size": 512,
        "directions": [["pc0", 1.5, ""], ["pc3", -2, ""]],
    }  # fmt: skip
    assert (
        Recipe("planets").to_json() == '{"model":"planets"}' and Recipe("planets").to_query() == "model=planets&seed=0"
    )
    assert Recipe("a", seeds=((1, 0.5), (2, 0.5))).to_query() == "model=a&seed=1*0.5,2*0.5"


def test_every_field_has_its_key():
    query = "model=a&seed=1*0.5,2*0.5&fine=7&split=4&psi=0.7&psis=1,1,0.5&centre=nearest&class=0*0.5,1*0.5&d=sf2@2-5:-1"
    recipe = Recipe.from_query(query)
    assert recipe == Recipe(
        "a", seeds=((1, 0.5), (2, 0.5)), fine_seeds=((7, 1),), split=4, psi=0.7, psi_layers=(1, 1, 0.5),
        centre="nearest", class_mix=((0, 0.5), (1, 0.5)), directions=(("sf2", -1, "2-5"),),
    )  # fmt: skip
    assert recipe.to_query() == query


def test_older_recipes_are_read():
    recipe = Recipe("a", directions=(("pc0", 1.5, ""), ("pc10", -2, "")))
    assert Recipe.from_json('{"model":"a","directions":[[0,1.5],[10,-2]]}') == recipe
    assert Recipe.from_json('{"model":"a","directions":[["pc10",-2],["pc0",1.5]]}') == recipe
    assert Recipe.from_query("model=a&d=0:1.5,10:-2") == recipe


def test_recipes_that_draw_the_same_are_equal():
    plain = Recipe("a", label=2, psi=0.5)
    assert Recipe("a", class_mix=((2, 3.0), (1, 0)), psi=0.5, psi_layers=(0.5, 0.5), split=4) == plain
    mixed = Recipe("a", label=9, class_mix=((0, 1), (1, 1)))
    assert mixed.label is None and mixed.classes == ((0, 1.0), (1, 1.0))
    assert Recipe("a", psi_layers=(0.3, 1, 1)).psi_layers == (0.3,)
    several = Recipe("a", directions=(("pc2", 1, "03-4"), ("pc2", 1, "5"), ("pc2", 1, ""), ("pc2", 2, "5-5")))
    assert several.directions == (("pc2", 1, ""), ("pc2", 1, "3-4"), ("pc2", 2, "5-5"))


def test_a_query_may_hold_other_keys():
    assert Recipe.from_query({"model": "a", "__theme": "dark", "seed": "7", "psi": ""}) == Recipe("a", seeds=((7, 1),))


OUT_OF_BOUNDS = [
    json.dumps({"model": "a"} | values)
    for values in (
        {"seeds": [[1, 1]] * 17}, {"psi_layers": [1] * 33},
        {"directions": [[1, 1]] * 65}, {"size": 10**400}, {"psi": 10**400}, {"psi": -2.5},
    )
]  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [*OUT_OF_BOUNDS, "", "{",
     "[]", "null", "{}", "[" * 9000, '{"model":"a"' + " " * 20_000 + "}", '{"model":"a","code":1}',
     '{"model":"../etc"}', '{"model":"a/b"}', '{"model":"run/../x"}', '{"model":3}', '{"model":"a","model_hash":"xyz"}',
     '{"model":"a","seeds":[]}', '{"model":"a","seeds":[[1,0]]}', '{"model":"a","seeds":[[-1,1]]}',
     '{"model":"a","seeds":[[4294967296,1]]}', '{"model":"a","seeds":[[1.5,1]]}', '{"model":"a","seeds":[["1",1]]}',
     '{"model":"a","seeds":[[1,NaN]]}', '{"model":"a","seeds":[[1]]}', '{"model":"a","seeds":{"1":1}}',
     '{"model":"a","psi":NaN}', '{"model":"a","psi":2.01}',
     '{"model":"a","psi":"0.7"}', '{"model":"a","psi":true}', '{"model":"a","psi":1e999}', '{"model":"a","label":-1}',
     '{"model":"a","label":1.5}', '{"model":"a","directions":[[0,10.5]]}', '{"model":"a","directions":[[64,1]]}',
     '{"model":"a","directions":[[0,Infinity]]}', '{"model":"a","directions":[["pc0"]]}',
     '{"model":"a","directions":[["PC0",1]]}', '{"model":"a","directions":[["../x",1]]}',
     '{"model":"a","directions":[["pc0",1,"5-2"]]}', '{"model":"a","directions":[["pc0",1,"thick"]]}',
     '{"model":"a","directions":[["pc0",1,3]]}', '{"model":"a","directions":[[true,1]]}',
     '{"model":"a","fine_seeds":[[1,0]]}', '{"model":"a","fine_seeds":5}', '{"model":"a","split":-1}',
     '{"model":"a","class_mix":[[0,1],[-1,1]]}', '{"model":"a","class_mix":7}', '{"model":"a","centre":"there"}',
     '{"model":"a","centre":[]}', '{"model":"a","psi_layers":[3]}', '{"model":"a","psi_layers":"1"}',
     '{"model":"a","size":15}', '{"model":"a","size":2049}', '{"model":"a","size":[512]}'],
)  # fmt: skip
def test_nonsense_is_refused_with_a_sentence(text):
    with pytest.raises(UserError) as caught:
        Recipe.from_json(text)
    assert str(caught.value).endswith(".")


@pytest.mark.parametrize(
    "query",
    ["", "seed=1", "model=a&seed=x", "model=a&seed=1*", "model=a&d=1", "model=a&d=1:2:3", "model=a&psi=nan",
     "model=a&psi=inf", "model=a&d=pc0@:1:1",
     "model=a&psis=1,,1", "model=a&class=two", "model=a&size=1e9", "model=..%2F..%2Fetc", "model=a&hash=<script>"],
)  # fmt: skip
def test_nonsense_links_are_refused_with_a_sentence(query):
    with pytest.raises(UserError):
        Recipe.from_query(query)


@pytest.mark.parametrize(("model", "label"), [("plain", None), ("classes", 2), ("alpha", None), ("dense", 1)])
def test_render_is_the_formula(studio, model, label):
    recipe = Recipe(model, seeds=((5, 1), (6, 3)), psi=0.6, label=label, directions=((0, 1.5), (2, -1)))
    m, d = studio.model(model), studio.directions(model)
    labels = None if label is None else torch.tensor([label])
    ws = [m.generator.mapping(space.seed_to_z(seed, 8), labels) for seed in (5, 6)]
    centre = m.w_avg[label or 0]
    w = centre + 0.6 * (ws[0] / 4 + ws[1] * 3 / 4 - centre)
    first, second = d.get("pc0"), d.get("pc2")
    w = w + 1.5 * first.scale * first.vector - second.scale * second.vector
    expected = from_network(m.generator.synthesis(w[:, None].expand(-1, m.generator.num_ws, -1)))[0]
    picture = studio.render_array(recipe)
    assert picture.dtype == np.uint8 and picture.shape == (16, 16, m.info.config.channels)
    # Premultiplied: colours hardly seen may differ much in straight alpha.
    assert (to_network(picture[None]) - to_network(expected[None])).abs().max() < 2.5 / 127.5


def w_of(studio, recipe):
    """[num_ws, w_dim], of one seed in a class."""
    return studio.latent(recipe)[0]


def test_fine_seeds_rule_the_layers_from_the_split_on(studio):
    one, two = Recipe("plain", seeds=((1, 1),), psi=0.6), Recipe("plain", seeds=((2, 1),), psi=0.6)
    mixed = w_of(studio, Recipe("plain", seeds=((1, 1),), fine_seeds=((2, 1),), split=2, psi=0.6))
    assert mixed.shape == (5, 8)
    assert torch.equal(mixed[:2], w_of(studio, one)[:2]) and torch.equal(mixed[2:], w_of(studio, two)[2:])
    for split, whole in ((0, two), (5, one), (30, one)):
        recipe = Recipe("plain", seeds=((1, 1),), fine_seeds=((2, 1),), split=split, psi=0.6)
        assert np.array_equal(studio.render_array(recipe), studio.render_array(whole))


def test_classes_blend_in_w(studio):
    zero, two = (w_of(studio, Recipe("classes", label=label, psi=0.5)) for label in (0, 2))
    mixed = w_of(studio, Recipe("classes", class_mix=((0, 1), (2, 3)), psi=0.5))
    assert torch.allclose(mixed, zero / 4 + two * 3 / 4, atol=1e-6)
    with pytest.raises(UserError, match="no class number 9"):
        studio.render(Recipe("classes", class_mix=((0, 1), (9, 1))))


def test_noise_changes_the_detail_of_networks_that_have_it(workspace, studio):
    save_tiny_model(workspace.checkpoints / "noisy", noise=True)
    model = studio.model("noisy")
    for block in model.generator.blocks:
        block.noise_strength.fill_(0.5)
    own, other = (studio.render_array(Recipe("noisy", noise=seed)) for seed in (0, 7))
    assert not np.array_equal(own, other)
    assert np.array_equal(other, Studio(workspace, "cpu").draw(model, studio.latent(Recipe("noisy")), noise=7))
    assert np.array_equal(studio.render_array(Recipe("plain")), studio.render_array(Recipe("plain", noise=7)))


def test_layers_have_their_own_truncation(studio):
    mixed = w_of(studio, Recipe("plain", psi=0.7, psi_layers=(1, 0)))
    for layer, psi in enumerate((1, 0, 0.7, 0.7, 0.7)):
        assert torch.equal(mixed[layer], w_of(studio, Recipe("plain", psi=psi))[layer])


@pytest.mark.parametrize(("model", "label"), [("plain", None), ("classes", 1), ("dense", 1)])
def test_truncation_goes_to_the_nearest_centre(workspace, studio, model, label):
    pictures = [Recipe(model, seeds=((seed, 1),), psi=0, centre="nearest", label=label) for seed in range(40)]
    centres = {tuple(w_of(studio, recipe)[0].tolist()) for recipe in pictures}
    assert 2 < len(centres) <= 8
    whole = Recipe(model, seeds=((3, 1),), centre="nearest", label=label)
    assert np.array_equal(studio.render_array(whole), studio.render_array(Recipe(model, seeds=((3, 1),), label=label)))
    again = Studio(workspace, "cpu")  # reads the centres it kept
    assert again.png(pictures[5]) == studio.png(pictures[5])


def test_directions_keep_to_their_layers(studio):
    plain = w_of(studio, Recipe("plain"))
    step = w_of(studio, Recipe("plain", directions=(("pc1", 2),))) - plain
    assert torch.allclose(step, step[:1].expand(5, -1), atol=1e-6)
    some = w_of(studio, Recipe("plain", directions=(("pc1", 2, "1-2"), ("pc1", 2, "fine")))) - plain
    assert torch.allclose(some[1:], step[1:], atol=1e-6) and not some[0].any()
    with pytest.raises(UserError, match="no layers 7-9"):
        studio.render(Recipe("plain", directions=(("pc1", 2, "7-9"),)))


@pytest.mark.parametrize("name", ["planets", "emoji"])
def test_bundled_models_draw_to_the_byte_what_the_first_version_drew(tmp_path, name):
    """Links and files of old must keep their picture: w for all layers at once, directions by number."""
    studio = Studio(Workspace(tmp_path), "cpu")
    model, found = studio.model(name), studio.directions(name).of_kind("pc")

    def first_version(seeds, psi, amounts):
        w = space.seeds_to_w(model, seeds, None)
        w = w if psi == 1 else torch.lerp(model.w_avg[:1], w, psi)
        total = torch.zeros(1, w.shape[1])
        for index, amount in amounts:
            total = total + amount * torch.tensor(found[index].scale) * found[index].vector
        ws = (w + total).unsqueeze(1).expand(-1, model.generator.num_ws, -1)
        with torch.inference_mode(), space.one_thread():
            return from_network(model.generator.synthesis(ws))[0]

    for seeds, psi, amounts in (
        ([(0, 1)], 1, []), ([(7, 1)], 0.7, [(0, -0.05)]), ([(1, 0.5), (2, 0.25), (99, 3)], -0.4, [(0, 1.5), (3, -2)]),
        ([(2**32 - 1, 1)], 1.3, [(2, -0.15), (11, 2.5)]),
    ):  # fmt: skip
        text = json.dumps({"model": name, "seeds": seeds, "psi": psi, "directions": amounts})
        assert np.array_equal(
            studio.render_array(Recipe.from_json(text)), first_version([(s, float(w)) for s, w in seeds], psi, amounts)
        )


def test_equal_recipes_give_equal_bytes_among_many_threads(workspace, studio):
    recipes = [Recipe(name, seeds=((seed, 1),)) for name in ("plain", "classes", "dense") for seed in range(6)]
    alone = [studio.png(recipe) for recipe in recipes]
    other, barrier = Studio(workspace, "cpu"), threading.Barrier(4)

    def visit(number):
        barrier.wait()
        order = random.Random(number).sample(range(len(recipes)), len(recipes))
        return all(other.png(recipes[k]) == alone[k] for k in order)

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(visit, range(4)))


def test_bytes_do_not_depend_on_the_number_of_threads(workspace):
    recipe, before = Recipe("alpha", seeds=((3, 1),), directions=((1, 1),)), torch.get_num_threads()
    try:
        torch.set_num_threads(4)
        many = Studio(workspace, "cpu").png(recipe)
        assert torch.get_num_threads() == 4
        torch.set_num_threads(1)
        assert Studio(workspace, "cpu").png(recipe) == many
    finally:
        torch.set_num_threads(before)


def test_size_enlarges_with_lanczos(studio):
    small, large = studio.render(Recipe("plain")), studio.render(Recipe("plain", size=64))
    assert large.size == (64, 64)
    assert np.array_equal(np.asarray(large), np.asarray(small.resize((64, 64), Image.Resampling.LANCZOS)))


def test_files_of_a_recipe(studio, tmp_path):
    recipe = Recipe("alpha", seeds=((3, 1),))
    (tmp_path / "a.png").write_bytes(studio.png(recipe))
    restored = Recipe.from_json(png.recipe_of(tmp_path / "a.png"))
    assert restored == studio.pinned(recipe) and len(restored.model_hash) == 12
    with Image.open(tmp_path / "a.png") as image:
        assert image.mode == "RGBA" and np.array_equal(np.asarray(image), studio.render_array(restored))


def test_rendered_pictures_cannot_be_changed_by_callers(studio):
    with pytest.raises(ValueError, match="read-only"):
        studio.render_array(Recipe("plain"))[0, 0] = 0


def test_missing_and_other_models_are_named(studio):
    with pytest.raises(UserError, match="no model named nowhere"):
        studio.render(Recipe("nowhere"))
    with pytest.raises(UserError, match=r"needs the model plain \(0123456789ab\).*another version"):
        studio.render(Recipe("plain", model_hash="0123456789ab"))
    with pytest.raises(UserError, match="another version"):  # nor is it passed off as today's
        studio.png(Recipe("plain", model_hash="0123456789ab"))
    with pytest.raises(UserError, match="has no classes"):
        studio.render(Recipe("plain", label=1))
    with pytest.raises(UserError, match="no direction pc40"):
        studio.render(Recipe("plain", directions=((40, 1),)))


def test_a_renamed_model_draws_its_old_recipes(workspace, studio):
    recipe = studio.pinned(Recipe("plain", directions=((0, 1),)))
    before = studio.png(recipe)
    library.rename(workspace, "plain", "other")
    assert studio.pinned(recipe) == recipe and Studio(workspace, "cpu").png(recipe) == before


def test_a_replaced_model_is_read_again(workspace, studio):
    recipe = Recipe("plain")
    before, hash_before = studio.render_array(recipe), studio.model("plain").hash
    save_tiny_model(workspace.checkpoints / "plain", seed=9)
    assert studio.model("plain").hash != hash_before
    assert not np.array_equal(studio.render_array(recipe), before)


def test_a_run_can_be_used_while_its_network_is_being_replaced(workspace, studio):
    latest = workspace.runs / "r" / "latest"
    for seed in (1, 2):
        save_tiny_model(latest.with_name(f"seed{seed}"), seed=seed)
    save_tiny_model(latest, seed=1)
    stop, failures = threading.Event(), []

    def look():
        while not stop.is_set():
            try:
                studio.render(Recipe("run/r", directions=((0, 1),)))
            except Exception as error:
                failures.append(error)

    watcher = threading.Thread(target=look)
    watcher.start()
    for round_number in range(8):
        save_tiny_model(latest, seed=round_number)
    stop.set()
    watcher.join()
    assert not failures
    assert not (latest / "directions.safetensors").exists()  # only the trainer writes there
