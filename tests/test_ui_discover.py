"""The Discover tab over HTTP: what its views ask for, and what nonsense gets."""

from __future__ import annotations

import base64
import io
import time

import numpy as np
import pytest
from calls_kit import Page, first_page, picture, served_app, workspace_of_three  # noqa: F401 - fixtures
from PIL import Image

from imagen_demo.studio import grid_files
from imagen_demo.studio.grids import Axis, Grid
from imagen_demo.studio.recipes import Recipe, Studio
from imagen_demo.ui import discover_grids, texts
from imagen_demo.workspace import Workspace

BASE = {"model": "plain", "seeds": [[3, 1]], "psi": 0.8}
TABLE = {
    "base": BASE,
    "x": {"parameter": "d:pc0", "from": -1, "to": 1, "count": 3},
    "y": {"parameter": "seed", "text": "4-5"},
}


def whole_map(page: Page, spec: dict) -> dict:
    until = time.monotonic() + 60
    while "cloud" not in (answer := page.call("discover", "map", spec)):
        assert answer["stage"] in ("waiting", "measuring", "arranging") and time.monotonic() < until
        time.sleep(0.05)
    return answer


def test_a_map_and_the_blend_between_its_pictures(page: Page) -> None:
    spec = {"model": "plain", "first": 10, "count": 16, "psi": 0.8, "by": "w"}
    places = whole_map(page, spec)
    assert np.shape(places["cloud"]) == np.shape(places["tidy"]) == (16, 2)
    recipe = page.call("discover", "around", spec | {"point": places["tidy"][5], "tidy": True})["recipe"]
    assert recipe["seeds"][0][0] == 15 and recipe["psi"] == 0.8
    for call in ("draw", "thumbs"):
        assert picture(page.call("discover", call, {"recipes": [recipe]})["images"][0]).shape == (16, 16, 3)
    for point in (None, [1], ["a", 1], {}, [1, [2]], "11"):
        assert page.call("discover", "around", spec | {"point": point})["error"].startswith(
            "What was sent cannot be read"
        )


def test_a_family_is_bred_from_its_recipes(page: Page) -> None:
    first = page.call("discover", "breed", {"parents": [], "seed": 1, "base": BASE})["recipes"]
    asked = {"parents": first[:2], "seed": 7, "strength": 0.4}
    children = page.call("discover", "breed", asked)["recipes"]
    assert len(children) == 9 and page.call("discover", "breed", asked)["recipes"] == children
    for child in children:
        assert Recipe.from_query(page.call("discover", "link", {"recipe": child})["query"]).model == "plain"
    assert len(page.call("discover", "draw", {"recipes": children})["images"]) == 9


def test_classes_take_turns_in_a_first_litter(page: Page) -> None:
    base = {"model": "kinds", "label": None}
    first = page.call("discover", "breed", {"parents": [], "seed": 1, "base": base})["recipes"]
    assert {recipe["label"] for recipe in first} == {0, 1, 2}


def test_a_mixing_table(page: Page) -> None:
    asked = {"base": BASE, "rows": "1,2", "columns": "5-7", "mode": "layers", "split": 2, "share": 0.5}
    table = page.call("discover", "mix", asked)
    assert (table["rows"], table["columns"]) == ([1, 2], [5, 6, 7])
    cell = table["recipes"][1][2]
    assert (cell["seeds"], cell["fine_seeds"], cell["split"]) == ([[2, 1.0]], [[7, 1.0]], 2)
    assert {seed for seed, _ in table["average"]["seeds"]} == {1, 2, 5, 6, 7}
    for share, weights in ((0.25, [0.75, 0.25]), (0, [0.99, 0.01])):
        cell = page.call("discover", "mix", asked | {"mode": "average", "share": share})["recipes"][1][2]
        assert cell["seeds"] == [[2, pytest.approx(weights[0])], [7, pytest.approx(weights[1])]]


def test_a_grid_and_its_labels(page: Page, workspace: Workspace) -> None:
    table = page.call("discover", "cells", TABLE)
    assert table["columns"] == ["-1", "0", "+1"] and table["rows"] == ["4", "5"]
    assert (
        table["down"] == texts.t("v_p_seed")
        and table["across"] == Studio(workspace).directions("plain").get("pc0").name
    )
    assert [recipe["seeds"][0][0] for row in table["recipes"] for recipe in row] == [4, 4, 4, 5, 5, 5]
    classes = page.call(
        "discover", "cells", {"base": {"model": "kinds", "label": 0}, "x": {"parameter": "class"}, "y": None}
    )
    assert classes["columns"] == ["class 0", "class 1", "class 2"] and classes["rows"] == [""]


def file_url(file: str) -> str:
    return "data:image/png;base64," + base64.b64encode(open(file, "rb").read()).decode()


def test_the_picture_of_a_grid_brings_it_back_here_and_its_middle_on_explore(page: Page, workspace: Workspace) -> None:
    grid = page.call("discover", "cells", TABLE)["grid"]
    file = discover_grids.write_table(Studio(workspace), {"grid": grid, "side": 64}, lambda share, text: None)
    restored = page.call("discover", "read", {"name": "grid.png", "data": file_url(file)})
    assert (restored["grid"]["x"], restored["grid"]["y"], restored["note"]) == (grid["x"], grid["y"], None)
    assert restored["grid"]["base"]["seeds"] == [[3, 1]]
    explored = page.call("explore", "read", {"name": "grid.png", "data": file_url(file)})
    assert explored["recipe"]["seeds"] == [[5, 1.0]] and explored["recipe"]["directions"] == []


def test_any_other_picture_is_what_a_grid_is_made_around(page: Page) -> None:
    file = page.call("explore", "png", {"recipe": BASE})
    assert page.call("discover", "read", {"name": "a.png", "data": file["url"]})["recipe"]["seeds"] == [[3, 1.0]]
    for data in ("", "data:,%%%", None, 7, "data:image/png;base64,AAAA"):
        assert "holiday.png" in page.call("discover", "read", {"name": "holiday.png", "data": data})["error"]


def test_a_grid_of_another_version_says_so(page: Page, workspace: Workspace, tmp_path) -> None:
    file, other = tmp_path / "grid.png", Grid(Recipe("plain"), Axis("psi", (0, 1)))
    content = grid_files.png_bytes(Studio(workspace), other, side=32)
    version = Studio(workspace).model("plain").hash[:12]
    image = Image.open(io.BytesIO(content))
    image.load()
    text = grid_files.png.PngImagePlugin.PngInfo()
    text.add_itxt(grid_files.png.GRID_KEY, image.text[grid_files.png.GRID_KEY].replace(version, "0" * 12))
    image.save(file, pnginfo=text)
    assert page.call("discover", "read", {"name": "grid.png", "data": file_url(file)})["note"] == texts.t(
        "c_other_version"
    )


@pytest.mark.parametrize("payload", [None, [], {}, {"model": "plain", "count": 10**9}, {"model": "gone"}, {"base": 5},
                                     {"parents": "x", "seed": 1}, {"parents": [BASE] * 10, "seed": 1},
                                     {"parents": [BASE], "seed": 1, "strength": "much"}, {"parents": [], "seed": "a"},
                                     {"base": BASE, "x": {"parameter": "psi", "from": 0, "to": 1, "count": 10**6}},
                                     {"base": BASE, "x": {"parameter": "seed", "text": "0-4000000000"}},
                                     {"base": BASE, "x": {"parameter": ["psi"]}}, {"base": BASE, "x": []},
                                     {"base": BASE, "x": {"parameter": "psi", "values": "xyz"}},
                                     {"base": BASE, "rows": "1", "columns": "0-99", "mode": "layers", "split": 1},
                                     {"base": BASE, "rows": "1", "columns": "2", "mode": "layers", "split": 99},
                                     ])  # fmt: skip
def test_nonsense_gets_a_sentence(page: Page, payload: object) -> None:
    wrong = {"map": 0, "around": 0, "thumbs": 0, "breed": 0, "mix": 0, "cells": 0, "read": 0, "link": 0}
    for function in wrong:
        answer = page.call("discover", function, payload)
        if "error" in answer:
            wrong[function] = 1
            assert answer["error"] != texts.t("unexpected") and answer["error"].endswith((".", "。"))
    assert sum(wrong.values()) >= 7


def test_chinese_visitors_get_chinese_labels(served) -> None:
    chinese = Page(*served, language="zh-CN")
    assert chinese.call("discover", "cells", TABLE)["down"] == "种子"
