"""Grids: the right recipe in every cell, labels, and a picture that brings the grid back."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image
from tiny import save_tiny_model

from imagen_demo.errors import Cancelled, UserError
from imagen_demo.media import png
from imagen_demo.media.labelled import LabelledGrid, can_write
from imagen_demo.studio import grid_files, grids, library
from imagen_demo.studio.grids import Axis, Grid
from imagen_demo.studio.recipes import Recipe, Studio

BASE = Recipe("tiny", seeds=((7, 1.0),), psi=0.8)
TABLE = Grid(BASE, Axis("d:pc0", (-2, 0, 2)), Axis("seed", (1, 2)))


def test_each_cell_has_its_row_and_column():
    assert [[(r.seeds[0][0], r.directions) for r in row] for row in TABLE.rows] == [
        [(seed, (("pc0", -2.0, ""),)), (seed, ()), (seed, (("pc0", 2.0, ""),))] for seed in (1, 2)
    ]
    assert all(recipe.psi == 0.8 for row in TABLE.rows for recipe in row)
    assert TABLE.middle == TABLE.rows[1][1]


def test_every_parameter_changes_the_recipe_and_nothing_else():
    base = Recipe("tiny", seeds=((1, 0.5), (2, 0.5)), fine_seeds=((3, 1.0),), split=2, label=0)
    wanted = {
        "seed": (9, {"seeds": ((9, 0.5), (2, 0.5))}),
        "seed2": (9, {"seeds": ((1, 0.5), (9, 0.5))}),
        "share": (0.25, {"seeds": ((1, 0.75), (2, 0.25))}),
        "fine": (9, {"fine_seeds": ((9, 1.0),)}),
        "split": (4, {"split": 4}),
        "psi": (0.3, {"psi": 0.3}),
        "centre": (1, {"centre": "nearest"}),
        "class": (1, {"label": 1}),
        "d:sf2@coarse": (1.5, {"directions": (("sf2", 1.5, "coarse"),)}),
    }
    assert wanted.keys() - {"d:sf2@coarse"} == grids.NAMES.keys()
    for parameter, (value, change) in wanted.items():
        assert grids.varied(base, parameter, value) == Recipe(**{**vars(base), **change})


def test_a_mixing_table_and_a_table_of_averages_are_grids():
    mixed = Grid(Recipe("tiny", fine_seeds=((0, 1),), split=3), Axis("fine", (5, 6)), Axis("seed", (1, 2)))
    assert [(r.seeds[0][0], r.fine_seeds[0][0], r.split) for r in mixed.rows[1]] == [(2, 5, 3), (2, 6, 3)]
    averages = Grid(Recipe("tiny", seeds=((0, 0.7), (1, 0.3))), Axis("seed2", (5,)), Axis("seed", (1,)))
    assert averages.rows[0][0].seeds == ((1, 0.7), (5, 0.3))


@pytest.mark.parametrize(
    "axes",
    [
        (Axis("psi", (0, 1)), Axis("psi", (0, 1))),
        (Axis("d:pc0", (1,)), Axis("d:pc0", (1,))),
        (Axis("psi", (3,)),),
        (Axis("split", (1,)),),
        (Axis("share", (0.5,)),),
        (Axis("class", (10**6,)),),
        (Axis("centre", (2,)),),
    ],
)
def test_grids_that_make_no_sense_are_refused(axes):
    with pytest.raises(UserError):
        Grid(BASE, *axes)


@pytest.mark.parametrize(
    ("parameter", "values"),
    [("smell", (1,)), ("psi", ()), ("psi", (float("nan"),)), ("seed", (1.5,)), ("psi", ("a",)), ("psi", 5),
     (None, (1,)), ("seed", tuple(range(33))), ("psi", (1e300,)), ("d:", (1,)), ("d:No", (1,)), ("d:pc0@x", (1,))],
)  # fmt: skip
def test_axes_that_make_no_sense_are_refused(parameter, values):
    with pytest.raises(UserError):
        Axis(parameter, values)


def test_too_many_pictures_are_refused():
    with pytest.raises(UserError, match="too many"):
        Grid(BASE, Axis("seed", tuple(range(32))), Axis("d:pc0", grids.steps(-3, 3, 20)))


def test_json_brings_a_grid_back():
    for grid in (TABLE, Grid(BASE, Axis("psi", (0, 0.5, 1)))):
        assert Grid.from_json(grid.to_json()) == grid
    for text in ("", "[]", "{}", '{"base":{"model":"x"}}', '{"base":{"model":"x"},"x":5}', "[" * 4000, "x" * 10**6,
                 '{"base":{"model":"x"},"x":{"parameter":"psi","values":{}}}', '{"base":5,"x":null}'):  # fmt: skip
        with pytest.raises(UserError):
            Grid.from_json(text)


def test_axes_as_people_write_them():
    assert grids.parse_axis("psi=0..1:5", []) == Axis("psi", (0, 0.25, 0.5, 0.75, 1))
    assert grids.parse_axis("seed=0-3,7", []) == Axis("seed", (0, 1, 2, 3, 7))
    assert grids.parse_axis("pc0=-3..3:3", []) == Axis("d:pc0", (-3, 0, 3))
    assert grids.parse_axis("class=dog,0", ["cat", "dog"]) == Axis("class", (1, 0))
    assert grids.parse_axis("centre=mean,nearest", []) == Axis("centre", (0, 1))
    assert grids.parse_axis("split=0..6:4", []) == Axis("split", (0, 2, 4, 6))
    assert grids.parse_axis("share=0,0.5", []) == Axis("share", (0, 0.5))
    for text in ("psi", "psi=", "psi=a..b", "seed=x", "class=cow", "psi=0..1:99", "=1"):
        with pytest.raises(UserError):
            grids.parse_axis(text, ["cat"])
    with pytest.raises(UserError, match="This model has no classes"):
        grids.parse_axis("class=cat", [])


def test_the_picture_shows_every_cell_and_carries_the_grid(workspace, tiny_model_folder, tmp_path):
    studio, file = Studio(workspace), tmp_path / "grid.png"
    grid_files.write(studio, TABLE, file, side=32)
    image = np.asarray(Image.open(file))
    for row in TABLE.rows:
        for recipe in row:
            cell = np.asarray(studio.render(recipe).resize((32, 32), Image.Resampling.LANCZOS))
            found = np.lib.stride_tricks.sliding_window_view(image, (32, 32, 3))[:, :, 0]
            assert any(
                (found[y, x] == cell).all()
                for y, x in zip(*np.nonzero((found[:, :, 0, 0] == cell[0, 0]).all(-1)), strict=True)
            )
    restored = grid_files.read(file)
    assert (restored.x, restored.y) == (TABLE.x, TABLE.y) and restored.base.model_hash
    middle = Recipe.from_json(png.recipe_of(file))  # for Explore
    assert middle == restored.middle and middle.seeds == TABLE.middle.seeds
    assert json.loads(png.text_of(file, png.GRID_KEY))["x"]["values"] == [-2, 0, 2]


def test_a_picture_without_a_grid_has_none(workspace, tiny_model_folder, tmp_path):
    file = tmp_path / "one.png"
    file.write_bytes(Studio(workspace).png(BASE))
    assert grid_files.read(file) is None


def test_labels_speak_of_their_values(workspace, make_model):
    make_model("tiny", num_classes=2)
    studio = Studio(workspace)
    grid = Grid(Recipe("tiny", label=0), Axis("class", (0, 1)), Axis("d:pc0", (-1.5, 0, 2)))
    assert grid_files.labels(studio, grid, grid.x, {}) == ["class 0", "class 1"]
    assert grid_files.labels(studio, grid, grid.y, {}) == ["-1.5", "0", "+2"]
    centre = Axis("centre", (0, 1))
    assert grid_files.labels(studio, grid, centre, {"mean": "平均"}) == ["平均", "nearest"]
    assert grid_files.title(studio, grid, grid.x, {"class": "类别"}) == "类别"
    assert grid_files.title(studio, grid, grid.y, {}) == studio.directions("tiny").get("pc0").title()
    with pytest.raises(UserError):
        grid_files.picture(studio, Grid(Recipe("tiny", label=0), Axis("d:nothing", (1,))))


def test_labels_are_drawn():
    empty = LabelledGrid(["", ""], [""], 32).image
    assert (np.asarray(empty) == 255).all()
    assert (np.asarray(LabelledGrid(["1", "2"], ["a"], 32, "ψ", "Seed", "foot").image) < 128).any()
    assert can_write("Truncation ψ")


def test_a_grid_can_be_cancelled(workspace, tiny_model_folder):
    seen = []

    def progress(share: float, text: str) -> None:
        seen.append(share)
        if len(seen) == 2:
            raise Cancelled

    with pytest.raises(Cancelled):
        grid_files.picture(Studio(workspace), TABLE, progress=progress)
    assert seen == [0, 1 / 6]


def test_a_grid_of_a_model_in_training_is_of_one_version(workspace):
    latest, grid = workspace.runs / "r" / "latest", replace(TABLE, base=replace(BASE, model="run/r"))
    save_tiny_model(latest, seed=1)
    wanted = grid_files.png_bytes(Studio(workspace), grid)

    def trained_on(share: float, text: str) -> None:
        save_tiny_model(latest, seed=2)

    assert grid_files.png_bytes(Studio(workspace), grid, progress=trained_on) == wanted


def test_the_command_draws_a_grid(command, tiny_model_folder, tmp_path):
    out = tmp_path / "sub" / "grid.png"
    arguments = ("grid", "tiny", "--x", "pc0=-2..2:3", "--y", "seed=4,5", "--side", 32, "--out", out, "--json")
    code, stdout, _ = command(*arguments)
    assert code == 0 and json.loads(stdout) == {"file": str(out), "pictures": 6}
    assert grid_files.read(out).y == Axis("seed", (4, 5))
    code, _, stderr = command("grid", "tiny", "--x", "smell=1..2", "--out", out)
    assert code == 2 and "smell" in stderr


def test_a_grid_of_a_renamed_model_is_drawn(workspace, make_model, tmp_path):
    make_model("kinds", num_classes=2)
    studio = Studio(workspace, "cpu")
    grid = Grid(studio.pinned(Recipe("kinds", label=0)), Axis("class", (0, 1)), Axis("d:pc0", (0, 2)))
    before = grid_files.picture(studio, grid)
    library.rename(workspace, "kinds", "sorts")
    after = grid_files.picture(studio, grid)
    assert np.array_equal(np.asarray(before)[:-40], np.asarray(after)[:-40])  # the foot has the model's name
