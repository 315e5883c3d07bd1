"""The page's calls into Python, over HTTP, without a browser: right pictures, right sentences, a real password."""

from __future__ import annotations

import json
import re
import shutil
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from calls_kit import Page, first_page, picture, served_app, workspace_of_three  # noqa: F401 - fixtures
from starlette.responses import HTMLResponse
from starlette.testclient import TestClient
from starlette.types import Receive, Scope, Send
from tiny import save_tiny_model

from imagen_demo.errors import UserError
from imagen_demo.models.folder import read_info
from imagen_demo.studio import library
from imagen_demo.studio.recipes import Recipe, Studio
from imagen_demo.studio.seeds import parse_seeds
from imagen_demo.workspace import Workspace

gr = pytest.importorskip("gradio")

from imagen_demo.ui import explore, file_jobs, texts, widgets  # noqa: E402
from imagen_demo.ui.app import build_app, launch  # noqa: E402
from imagen_demo.ui.early import EarlyScripts  # noqa: E402


def test_slider_call_returns_the_recipes_picture(page: Page, workspace: Workspace) -> None:
    recipe = Recipe("plain", seeds=((7, 1.0),), psi=0.5, directions=(("pc0", 1.5),))
    answer = page.call("explore", "render", {"recipe": widgets.recipe_data(recipe)})
    assert np.array_equal(picture(answer["image"]), Studio(workspace).render_array(recipe))
    linked = Recipe.from_query(answer["query"])
    assert linked.model_hash and (linked.seeds, linked.directions) == (recipe.seeds, recipe.directions)


def test_link_opens_exactly_its_picture(page: Page) -> None:
    query = page.call("explore", "render", {"recipe": {"model": "kinds", "seeds": [[3, 1]], "label": 2}})["query"]
    opened = page.call("explore", "open", {"query": f"?{query}&__theme=dark"})
    assert opened["note"] is None
    assert (opened["recipe"]["model"], opened["recipe"]["seeds"], opened["recipe"]["label"]) == ("kinds", [[3, 1.0]], 2)
    assert opened["model"]["classes"] == ["class 0", "class 1", "class 2"]


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("?model=gone&seed=1", "needs the model gone, which is not here"),
        ("?model=../../etc&seed=1", "cannot be a name"),
        ("?seed=abc", "The link's seed cannot be 'abc'"),
        ("?psi=much", "The link's psi cannot be 'much'"),
        ("?seed=-7&psi=much", "The seed must be a whole number from 0 to 4294967295. The link's psi cannot be"),
    ],
)
def test_bad_link_says_why_and_opens_the_default(page: Page, query: str, sentence: str) -> None:
    opened = page.call("explore", "open", {"query": query})
    assert sentence in opened["note"]
    assert opened["recipe"]["model"] == opened["models"][0]["name"]


def test_what_can_be_used_of_a_link_is_used(page: Page) -> None:
    opened = page.call("explore", "open", {"query": "?model=plain&seed=4&psi=99&d=pc0:1,my-smile:1&noise=x"})
    assert (opened["recipe"]["model"], opened["recipe"]["seeds"]) == ("plain", [[4, 1.0]])
    assert opened["recipe"]["directions"] == [["pc0", 1.0, ""]]
    assert all(wrong in opened["note"] for wrong in ("psi", "noise cannot be 'x'", "my-smile"))
    assert page.call("explore", "open", {"query": "?model=plain&seed=x"})["recipe"]["model"] == "plain"


def test_a_direction_that_is_not_here_is_left_out_by_name(page: Page) -> None:
    opened = page.call("explore", "open", {"query": "?model=plain&seed=4&d=pc0:1,my-smile@2-3:-1"})
    assert "my-smile" in opened["note"] and "pc0" not in opened["note"]
    assert opened["recipe"]["model"] == "plain" and opened["recipe"]["directions"] == [["pc0", 1.0, ""]]


def test_a_short_link_means_the_first_model(page: Page) -> None:
    opened = page.call("explore", "open", {"query": "?seed=5"})
    assert (opened["note"], opened["recipe"]["seeds"]) == (None, [[5, 1.0]])
    assert opened["recipe"]["model"] == opened["models"][0]["name"]
    assert page.call("explore", "open", {"query": "?__theme=dark"})["note"] is None


def test_a_link_is_to_be_had_before_its_picture(page: Page) -> None:
    recipe = {"model": "plain", "seeds": [[77, 1]]}
    assert page.call("explore", "link", {"recipe": recipe}) == {
        "query": page.call("explore", "render", {"recipe": recipe})["query"]
    }


def test_link_to_another_version_opens_with_a_note(page: Page) -> None:
    opened = page.call("explore", "open", {"query": "?model=plain&hash=0123456789ab&seed=5"})
    assert opened["note"] == texts.t("c_other_version")
    assert opened["recipe"]["seeds"] == [[5, 1.0]]


def test_downloaded_png_restores_its_recipe(page: Page) -> None:
    recipe = widgets.recipe_data(Recipe("glass", seeds=((11, 1.0),), psi=0.7, directions=((1, -2.0),)))
    file = page.call("explore", "png", {"recipe": recipe})
    assert re.fullmatch(r"glass-seed0011-[0-9a-f]{4}\.png", file["name"])  # more than the seed: a name of its own
    assert page.call("explore", "png", {"recipe": {"model": "glass", "psi": 0.8}})["name"] == "glass-seed0000.png"
    restored = page.call("explore", "read", {"name": "x.png", "data": file["url"]})
    assert restored["recipe"] == json.loads(json.dumps(recipe))


@pytest.mark.parametrize("data", ["", "data:image/png;base64,AAAA", "data:,%%%", None, 7])
def test_dropping_something_else_says_so(page: Page, data: object) -> None:
    answer = page.call("explore", "read", {"name": "../holiday.png", "data": data})
    assert "holiday.png" in answer["error"]


@pytest.mark.parametrize("payload", [None, [], "x", {}, {"recipe": 5}, {"recipe": {"model": "plain", "psi": "NaN"}},
                                     {"recipe": {"model": "plain", "seeds": [[1, 2, 3]]}},
                                     {"recipe": {"model": ["x"]}},
                                     {"recipe": {"model": "plain", "size": 10**9}},
                                     {"recipe": "[" * 5000}])  # fmt: skip
def test_nonsense_gets_a_sentence(page: Page, payload: object) -> None:
    for function in ("render", "png", "read", "draw", "describe"):
        answer = page.call("explore", function, payload)
        assert answer["error"].endswith(".")
        assert answer["error"] != texts.t("unexpected")


def test_private_functions_cannot_be_called(page: Page) -> None:
    for name in ("get_config", "postprocess", "__init__", "nothing"):
        assert page.post("explore", name, {}).status_code == 404


def test_errors_come_in_the_visitors_language(served: tuple[str, gr.Blocks]) -> None:
    page = Page(*served, language="zh-CN,zh;q=0.9,en;q=0.8")
    error = page.call("explore", "describe", {"model": "gone"})["error"]
    assert re.search("[一-鿿]", error) and "gone" in error


@pytest.mark.parametrize(("browser", "chosen"), [("en", "zh-CN"), ("zh-CN", "en")])
def test_the_chosen_language_comes_first(served: tuple[str, gr.Blocks], browser: str, chosen: str) -> None:
    page = Page(*served, language=browser, cookies={"imagen-language": chosen})
    error = page.call("explore", "describe", {"model": "gone"})["error"]
    assert bool(re.search("[一-鿿]", error)) == (chosen == "zh-CN")


def test_the_script_for_it_comes_before_gradios(page: Page) -> None:
    shown = page.http.get("/")
    assert shown.text.index("imagen-language") < shown.text.index("window.gradio_config")
    assert page.http.head("/").headers["content-length"] == str(len(shown.content))


@pytest.mark.parametrize(
    ("path", "prefix", "first"),
    [
        ("/", "", True),
        ("/demo/", "/demo", True),
        ("/demo", "/demo", True),
        ("/demo/api", "/demo", False),
        ("/a", "", False),
    ],
)
def test_the_script_is_in_the_page_alone_also_behind_a_proxys_prefix(path: str, prefix: str, first: bool) -> None:
    async def anything(scope: Scope, receive: Receive, send: Send) -> None:
        await HTMLResponse("<html><head></head></html>")(scope, receive, send)

    shown = TestClient(EarlyScripts(anything), root_path=prefix).get(path)
    assert ("imagen-language" in shown.text) == first


def test_many_visitors_each_get_their_own_picture(served: tuple[str, gr.Blocks], workspace: Workspace) -> None:
    studio, models = Studio(workspace), ["plain", "kinds", "glass", "plain", "kinds"]

    def visit(number: int) -> bool:
        page = Page(*served, session=f"visitor{number}")
        for step in range(6):
            label = 1 if models[number] == "kinds" else None
            recipe = Recipe(models[number], seeds=((100 * number + step, 1.0),), psi=0.1 * step, label=label)
            answer = page.call("explore", "render", {"recipe": widgets.recipe_data(recipe)})
            if not np.array_equal(picture(answer["image"]), studio.render_array(recipe)):
                return False
        return True

    with ThreadPoolExecutor(5) as pool:
        assert all(pool.map(visit, range(5)))


def test_password_protects_the_calls(workspace: Workspace) -> None:
    blocks = build_app(workspace)
    _, url, _ = launch(blocks, prevent_thread_lock=True, quiet=True, server_name="127.0.0.1", auth=("imagen", "secret"))
    try:
        stranger = Page(url, blocks)
        for function in ("open", "render", "png", "read"):
            assert stranger.post("explore", function, {"query": ""}).status_code == 401
        login = stranger.http.post("/login", data={"username": "imagen", "password": "secret"})
        assert login.status_code == 200
        assert "recipe" in Page(url, blocks, cookies=dict(login.cookies)).call("explore", "open", {"query": ""})
    finally:
        blocks.close()


def test_film_strip_starts_and_ends_on_its_pictures(page: Page, workspace: Workspace) -> None:
    recipes = [Recipe("plain", seeds=((seed, 1.0),)) for seed in (1, 2)]
    spec = {"recipes": [widgets.recipe_data(recipe) for recipe in recipes], "space": "z", "easing": "linear",
            "seconds": 2, "fps": 12, "loop": False}  # fmt: skip
    asked = {"timeline": spec, "parts": [0, 0.25, 0.6, 1], "side": 192}
    images = page.call("interpolate", "film", asked)["images"]
    assert len(images) == 4
    for recipe, image in ((recipes[0], images[0]), (recipes[1], images[-1])):
        assert np.array_equal(picture(image), Studio(workspace).render_array(recipe))
    for broken in ({"recipes": []}, {"space": "q"}, {"fps": "x"}, {"seconds": 1e9}, {"seconds": []}, {"sound": "../x"}):
        assert page.call("interpolate", "film", asked | {"timeline": spec | broken})["error"].endswith(".")
    for parts in ([2], ["x"], [0.5] * 100, 3):
        assert page.call("interpolate", "film", asked | {"parts": parts})["error"].endswith(".")


def test_grid_plan_takes_turns_through_classes(page: Page) -> None:
    request = {"model": "kinds", "seeds": "5", "count": 4, "psi": 0.8, "label": None}
    plan = page.call("generate", "plan", request)["recipes"]
    assert [(recipe["seeds"][0][0], recipe["label"]) for recipe in plan] == [(5, 0), (6, 1), (7, 2), (8, 0)]
    assert all(recipe["label"] == 1 for recipe in page.call("generate", "plan", request | {"label": 1})["recipes"])


def test_other_seeds_keep_what_a_picture_sent_to_generate_has(page: Page) -> None:
    extra = {
        "fine_seeds": [[9, 1]],
        "split": 2,
        "directions": [["pc0", 1.0, ""]],
        "centre": "nearest",
        "psi_layers": [0.5],
        "class_mix": [[0, 1], [2, 3]],
    }
    request = {"model": "kinds", "seeds": "5", "count": 2, "psi": 0.8, "label": None, "extra": extra | {"model": "no"}}
    for recipe in page.call("generate", "plan", request)["recipes"]:
        assert {key: recipe[key] for key in ("model", "label", "centre")} == {
            "model": "kinds", "label": None, "centre": "nearest"}  # fmt: skip
        assert (
            recipe["fine_seeds"] == [[9, 1]]
            and recipe["split"] == 2
            and recipe["psi_layers"] == [0.5]
            and recipe["class_mix"] == [[0, 1], [2, 3]]
            and recipe["directions"]
        )
    assert page.call("generate", "plan", request | {"extra": {"noise": -1}})["error"].startswith("The noise must be")


def test_the_file_is_the_picture_on_the_page_though_the_network_learns_on(page: Page, workspace: Workspace) -> None:
    folder = workspace.runs / "going" / "latest"
    save_tiny_model(folder, seed=1)
    wanted = {"model": "run/going", "seeds": [[3, 1]]}
    shown = page.call("explore", "render", {"recipe": wanted})
    drawn = page.call("explore", "draw", {"recipes": [wanted]})
    assert drawn["versions"] == [shown["version"]]
    shutil.rmtree(folder)
    save_tiny_model(folder, seed=2)
    file = page.call("explore", "png", {"recipe": wanted, "version": shown["version"]})
    assert np.array_equal(picture(file["url"]), picture(shown["image"])) and not file["note"]
    newer = page.call("explore", "png", {"recipe": wanted})
    assert not np.array_equal(picture(newer["url"]), picture(shown["image"])) and not newer["note"]
    gone = page.call("explore", "png", {"recipe": wanted, "version": "0" * 64})
    assert gone["url"] == newer["url"] and "has learned on" in gone["note"]


def test_seed_lists() -> None:
    assert parse_seeds("0-15") == list(range(16))
    assert parse_seeds(" 1, 5,9 ") == [1, 5, 9]
    assert parse_seeds("42", 3) == [42, 43, 44]
    for text in ("", "x", "-1", "5-2", "1;x", "0-400", "0-4294967295", "4294967296", "1.5", "1 " * 3000):
        with pytest.raises(UserError):
            parse_seeds(text)


def test_page_without_models_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(library, "BUNDLED_NAMES", ())
    from imagen_demo.ui import explore

    empty = Workspace(tmp_path)
    assert explore._open(empty, Studio(empty), {"query": ""}, "en") == {"models": []}


def test_cancel_stops_between_frames(workspace: Workspace) -> None:
    from imagen_demo.errors import Cancelled
    from imagen_demo.ui.interpolate import write_video

    stop, seen = threading.Event(), []

    def progress(fraction: float, desc: str = "") -> None:
        seen.append(fraction)
        stop.set()

    spec = {"recipes": [{"model": "plain"}, {"model": "plain", "seeds": [[1, 1]]}], "seconds": 60, "fps": 30}
    with pytest.raises(Cancelled):
        write_video(Studio(workspace), spec, file_jobs.reporter(progress, stop, None))
    assert len(seen) == 1


def test_a_model_says_which_seed_greets_visitors(workspace: Workspace, make_model: Callable[..., Path]) -> None:
    file = make_model("greeter") / "model.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"first_seed": 5}))
    studio = Studio(workspace)
    assert widgets.new_recipe(studio, "greeter").seeds == ((5, 1.0),)
    assert widgets.new_recipe(studio, "greeter", seed=0).seeds == ((0, 1.0),)
    for nonsense in (-1, "5", True, 2**32):
        file.write_text(json.dumps(json.loads(file.read_text()) | {"first_seed": nonsense}))
        with pytest.raises(UserError, match="damaged"):
            read_info(file.parent)


def test_a_link_to_a_renamed_model_opens_it(workspace: Workspace, make_model: Callable[..., Path]) -> None:
    make_model("mine", seed=3)
    studio = Studio(workspace)
    query = widgets.link(studio, Recipe("mine", seeds=((5, 1.0),)))
    library.rename(workspace, "mine", "shells")
    recipe, note = explore._here(studio, Recipe.from_query(query), "en")
    assert (recipe.model, recipe.seeds, note) == ("shells", ((5, 1.0),), None)
