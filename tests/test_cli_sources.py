"""What a command is given: files and links of the wrong kind, and options that would have no effect."""

from __future__ import annotations

import os
import shlex
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from sounds import write_beats

from imagen_demo.cli import commands
from imagen_demo.config import TrainConfig
from imagen_demo.errors import UserError
from imagen_demo.media import png
from imagen_demo.media.audio import read_sound
from imagen_demo.studio import interpolations, jobs
from imagen_demo.studio.recipes import Recipe, Studio
from imagen_demo.studio.timeline import Timeline, from_file


@pytest.fixture
def made(workspace, make_model, tmp_path) -> Path:
    """A film of 4 frames."""
    make_model("tiny")
    recipes = tuple(Recipe("tiny", seeds=((seed, 1.0),)) for seed in (1, 2))
    timeline = Timeline(recipes, seconds=(1.0,), fps=4, size=32, format="webp")
    interpolations.write(Studio(workspace), timeline, tmp_path / "film.webp")
    return tmp_path / "film.webp"


# -- files and links -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("verb", ["generate", "interpolate", "grid"])
@pytest.mark.parametrize("name", ["gone.png", "gone.mp4", "some/where/gone.jpg"])
def test_a_file_that_is_not_there(command, verb, name):
    more = {"grid": ("--x", "psi=0..1:2")}.get(verb, ("--seeds", "1,2"))
    for options in ((), more) if verb != "grid" else (more,):
        code, _, err = command(verb, name, *options, "--out", "x.png")
        assert (code, err.strip()) == (2, f"There is no file {name}.")


def test_a_file_of_the_wrong_kind(command, made, tmp_path):
    link = f"http://a.org/?t={from_file(made).to_link()}"
    again, photo = tmp_path / "again.png", tmp_path / "photo.jpg"
    assert command("interpolate", made, "--out", again)[0] == 0
    photo.write_bytes(b"a photo")
    for source in (made, again, link):
        code, _, err = command("generate", source, "--seeds", "1", "--out", tmp_path / "out")
        assert code == 2 and err.strip().endswith("the command that takes films is interpolate.")
    code, _, err = command("generate", photo, "--out", tmp_path / "out")
    assert code == 2 and err.startswith("photo.jpg cannot be read as a PNG picture.")
    code, _, err = command("interpolate", photo, "--seeds", "1,2", "--out", tmp_path / "x.mp4")
    assert code == 2 and err.startswith("photo.jpg carries no film.")
    code, _, err = command("interpolate", "tiny", "--seeds", "1,2", "--sound", "gone.mp3", "--out", tmp_path / "x.mp4")
    assert code == 2 and err.strip() == "There is no file gone.mp3."


def test_a_model_may_be_called_with_a_dot(command, make_model, tmp_path):
    make_model("v1.2")
    assert command("generate", "v1.2", "--seeds", "1", "--out", tmp_path)[:2] == (0, f"1 picture in {tmp_path}\n")


def test_a_model_called_as_files_are_comes_before_a_file(command, make_model, tmp_path, monkeypatch):
    make_model("faces.png")
    monkeypatch.chdir(tmp_path)
    assert command("generate", "faces.png", "--seeds", "1", "--out", "out")[0] == 0
    Path("faces.png").write_bytes(b"no picture")
    assert command("generate", "faces.png", "--seeds", "1", "--out", "out")[0] == 0
    assert command("generate", "./faces.png", "--out", "out")[2].startswith("faces.png cannot be read as a PNG")


@pytest.mark.parametrize(
    ("what", "sentence"),
    [
        ({"model": "none"}, "There is no model named none"),
        ({"directions": (("none", 1.0, ""),)}, "has no direction none"),
    ],
)
def test_what_cannot_be_drawn_leaves_no_folder(command, tiny_model_folder, tmp_path, what, sentence):
    recipe = replace(Recipe("tiny"), **what)
    film = Timeline((recipe, recipe), seconds=(1.0,)).to_link()
    out = tmp_path / "out"
    for arguments in (
        ("generate", recipe.to_query(), "--out", out),
        ("grid", recipe.to_query(), "--x", "psi=0..1:2", "--out", out / "grid.png"),
        ("interpolate", recipe.to_query(), "--seeds", "1,2", "--out", out / "film.mp4"),
        ("interpolate", f"http://a.org/?t={film}", "--out", out / "film.mp4"),
    ):
        code, _, err = command(*arguments)
        assert code == 2 and sentence in err and not out.exists()


def test_a_film_that_its_format_cannot_show_leaves_no_folder(command, tiny_model_folder, tmp_path):
    out = tmp_path / "out"
    code, _, err = command("interpolate", "tiny", "--seeds", "1,2", "--fps", "100", "--out", out / "film.gif")
    assert code == 2 and "at most" in err and not out.exists()


def test_many_models_are_not_all_named(command, make_model):
    for number in range(8):
        make_model(f"m{number}")
    _, _, err = command("generate", "none", "--seeds", "1", "--out", "x")
    assert err.strip().endswith("m5, and 2 more.")


# -- options that would have no effect ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (["--seeds", "1,2"], "--seeds"),
        (["--seconds", "2"], "--seconds"),
        (["--psi", "0", "--easing", "linear", "--fps", "10"], "--easing, --psi"),
        (["--space", "z", "--loop", "--even", "--way-seed", "0"], "--kind, --loop, --even, --way-seed"),
        (["--class", "cat"], "--class"),
    ],
)
def test_what_a_film_decides_itself_is_refused(command, made, tmp_path, options, named):
    code, _, err = command("interpolate", made, *options, "--out", tmp_path / "new.gif")
    assert code == 2 and err.startswith(f"Leave {named} out: this film has its own pictures and timing.")
    assert not (tmp_path / "new.gif").exists()


def test_what_can_be_changed_of_a_film_is(command, made, tmp_path):
    new = tmp_path / "new.gif"
    options = ["--size", "64", "--fps", "8", "--background", "black"]
    assert command("interpolate", made, *options, "--out", new)[0] == 0
    assert from_file(new) == replace(from_file(made), size=64, fps=8, background="black", format="gif")


def test_a_film_is_made_again_with_the_sound_inside_it(command, make_model, tmp_path):
    make_model("tiny")
    song, film, silent = write_beats(tmp_path / "song.wav"), tmp_path / "film.mp4", tmp_path / "film.gif"
    begin = ("--seeds", "1,2", "--seconds", "1", "--fps", "4", "--sound", song)
    for file in (film, silent):
        assert command("interpolate", "tiny", *begin, "--out", file)[0] == 0
    again = tmp_path / "again.webm"
    assert command("interpolate", film, "--out", again)[0] == 0
    assert read_sound(again).seconds == pytest.approx(1, abs=0.1)
    assert from_file(again).sound == read_sound(film).hash
    code, _, err = command("interpolate", silent, "--out", again)
    assert code == 2 and "give it with --sound FILE, or write --sound none." in err
    assert command("interpolate", silent, "--sound", "none", "--out", again)[0] == 0
    assert not from_file(again).sound
    with pytest.raises(UserError, match="no sound"):
        read_sound(again)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["interpolate", "tiny", "--seeds", "1,2", "--radius", "1"], "Leave --radius out: it is for --kind loop or"),
        (["interpolate", "tiny", "--seeds", "1", "--kind", "loop", "--speed", "1"], "Leave --speed out: it is for"),
        (["interpolate", "tiny", "--seeds", "1", "--kind", "walk", "--loop"], "Leave --loop out: it is for --kind w"),
        (["interpolate", "tiny", "--seeds", "1", "--kind", "walk", "--even"], "Leave --even out: it is for --kind w"),
        (["interpolate", "tiny", "--seeds", "1", "--kind", "walk", "--easing", "cubic"], "Leave --easing out: it is"),
        (["interpolate", "tiny", "--seeds", "1", "--kind", "loop", "--easing", "cubic"], "Leave --easing out: it is"),
        (["interpolate", "tiny", "--seeds", "1", "--kind", "loop", "--loop"], "Leave --loop out: it is for --kind w"),
        (["interpolate", "tiny", "--seeds", "1,2", "--react", "1"], "Leave --react out: it needs --sound."),
        (["interpolate", "tiny", "--seeds", "1,2", "--even", "--easing", "cubic"], "Leave --easing out: with --even"),
        (["interpolate", "tiny", "--seeds", "1,2", "--size", "33"],
         "MP4 films have an even number of pixels a side: make it 32 or 34, not 33."),
        (["grid", "tiny", "--x", "psi=0..1:2", "--split", "2"], "Leave --split out: it needs --fine."),
        (["grid", "tiny", "--x", "psi=0..1:2", "--psi", "1"], "Leave --psi out: the grid varies it."),
        (["grid", "tiny", "--x", "seed=0-3", "--seed", "7"], "Leave --seed out: the grid varies it."),
        (["grid", "tiny", "--x", "fine=0-3", "--fine", "7"], "Leave --fine out: the grid varies it."),
        (["grid", "tiny", "--x", "split=0,2", "--fine", "7", "--split", "1"], "Leave --split out: the grid varies it."),
    ],
)  # fmt: skip
def test_an_option_without_effect_is_refused(command, tiny_model_folder, tmp_path, arguments, sentence):
    out = tmp_path / ("x.png" if arguments[0] == "grid" else "x.mp4")
    code, _, err = command(*arguments, "--out", out)
    assert code == 2 and err.startswith(sentence) and not out.exists()


def test_what_a_grid_does_not_vary_of_seeds_is_heeded(command, tiny_model_folder, tmp_path):
    file = tmp_path / "grid.png"
    assert command("grid", "tiny", "--x", "fine=4-5", "--split", "2", "--out", file)[0] == 0
    recipe = Recipe.from_json(png.recipe_of(file))
    assert (recipe.fine_seeds, recipe.split) == (((5, 1.0),), 2)
    command("grid", "tiny", "--x", "psi=1", "--fine", "4", "--out", file)
    assert command("grid", file, "--x", "psi=1", "--split", "1", "--out", tmp_path / "other.png")[0] == 0
    assert Recipe.from_json(png.recipe_of(tmp_path / "other.png")).split == 1
    assert command("grid", "tiny", "--x", "seed=0-1", "--seed", "7,8", "--out", file)[0] == 0
    assert Recipe.from_json(png.recipe_of(file)).seeds == ((1, 1.0), (8, 1.0))


def test_a_picture_s_own_odd_size_is_no_film_s(command, tiny_model_folder, tmp_path):
    out = tmp_path / "x.mp4"
    command("generate", "tiny", "--seeds", "1", "--size", "33", "--out", tmp_path)
    loop = ("interpolate", tmp_path / "seed0001.png", "--kind", "loop", "--seconds", "0.4", "--fps", "5", "--out")
    code, _, err = command(*loop, out)
    assert code == 2 and "make it 32 or 34, not 33." in err and not out.exists()
    assert command(*loop, tmp_path / "x.gif")[0] == command(*loop, out, "--size", "34")[0] == 0


@pytest.mark.parametrize("setting", ["gamma", "patience_kimg"])
def test_below_nothing_there_is_only_auto(setting):
    for value in (-1.0, 0.0, 0.5):
        assert getattr(TrainConfig(**{setting: value}), setting) == value
    for value in (-0.5, -2.0, float("nan")):
        with pytest.raises(UserError, match=f"{setting} cannot be .*; the least is 0.0, or -1.0 for auto."):
            TrainConfig(**{setting: value})


# -- what is printed --------------------------------------------------------------------------------------------------


def test_a_name_that_was_taken_is_told_of(command, pictures_folder, monkeypatch):
    monkeypatch.setattr(jobs, "_spawn", lambda run, resume: None)
    train = ("train", pictures_folder, "--resolution", "16", "--workers", "1", "--name", "faces", "--detach")
    code, _, first = command(*train)
    assert code == 0 and "Prepared pictures: 40 pictures, 16 pixels, in" in first and " already;" not in first
    code, out, again = command(*train)
    assert code == 0 and out.startswith("faces-2 trains in")
    assert "There is a dataset pictures already; this one is called pictures-2." in again
    assert "There is a run faces already; this one is called faces-2." in again


def test_printed_commands_start_the_python_that_runs(tmp_path, monkeypatch):
    inside, outside = tmp_path / "my venv" / "bin" / "python", tmp_path.parent / "python"
    monkeypatch.chdir(tmp_path)
    for python, printed in ((inside, os.path.join("my venv", "bin", "python")), (outside, str(outside))):
        monkeypatch.setattr(sys, "executable", str(python))
        assert shlex.split(commands.program()) == [printed, "-m", "imagen_demo"]


def test_names_are_quoted_as_the_system_s_shell_has_it(monkeypatch):
    assert commands.quoted("--name", "my run") == "--name 'my run'"
    with monkeypatch.context() as windows:
        windows.setattr(os, "name", "nt")
        line = commands.quoted("--name", "my run")
    assert line == '--name "my run"'
