"""The command line: the same jobs, the same files, and exit codes that scripts can rely on."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import av
import pytest
from conftest import draw_pictures
from PIL import Image

from imagen_demo.cli.main import main
from imagen_demo.config import DEFAULT_PSI, PrepareConfig, TrainConfig, settings
from imagen_demo.data.dataset import open_dataset
from imagen_demo.errors import UserError
from imagen_demo.media import png
from imagen_demo.studio import doctor as doctor_module
from imagen_demo.studio import jobs
from imagen_demo.studio.links import file_name
from imagen_demo.studio.recipes import Recipe, Studio
from imagen_demo.studio.seeds import parse_seeds
from imagen_demo.studio.timeline import from_file, from_link

REPOSITORY = Path(__file__).resolve().parent.parent
TINY_RUN = ["--width", "128", "--batch", "4", "--threads", "1", "--resolution", "16", "--workers", "1"]


# -- bad input: exit code 2 and one sentence ----------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["prepare", "/nowhere/at-all"], "/nowhere/at-all was found neither as a prepared dataset"),
        (["prepare", "https://a.org/x.zip"], "Nothing is downloaded: fetch the pictures yourself"),
        (["prepare", ".", "--resolution", "48"], "resolution cannot be 48; use one of 16, 32"),
        (["prepare", ".", "--name", "../out"], "'../out' cannot be a name"),
        (["train"], "SOURCE_OR_DATASET is missing."),
        (["train", "--resume"], "--name RUN is missing."),
        (["train", "--resume", "--name", "old", "--from", "x"], "--from is for a new run; --resume goes on with"),
        (["train", "--resume", "--from", "x"], "--name RUN is missing."),
        (["train", "photos", "--resume", "--name", "old"], "the pictures of run old; leave photos out."),
        (["train", "--resume", "--name", "none"], "There is no training run named none"),
        (["train", ".", "--minutes", "-1"], "minutes cannot be -1.0; the least is 0.1."),
        (["train", ".", "--objective", "best"], "objective cannot be 'best'; use one of auto"),
        (["generate", "none", "--seeds", "0", "--out", "x"], "There is no model named none"),
        (["stop", "none"], "There is no training run named none"),
        (["generate", "none"], "Missing option"),
        (["train", ".", "--gamma", "-0.5"], "gamma cannot be -0.5; the least is 0.0, or -1.0 for auto."),
        (["train", ".", "--workers", "999"], "workers cannot be 999: this machine has"),
        (["train", ".", "--threads", "9999"], "threads cannot be 9999: this machine has"),
        (["generate", "https://a.org/?seed=4", "--out", "x"], "This link names no model."),
        (["generate", "model=none&seed=4", "--out", "x"], "There is no model named none in this workspace; there are"),
        (["interpolate", "none", "--seeds", "1,2", "--out", "film.txt"], "A film cannot be written as film.txt"),
        (["grid", "planets", "--x", "psi=0..1:2", "--out", "g.jpg"], "a grid's file ends in .png; g.jpg does not."),
        (["export", "planets", "--onnx", "planets.txt"], "ends in .onnx; planets.txt does not"),
        (["dance"], "No such command"),
        (["models", "--loud"], "No such option"),
        (["models", "--workspace", "x"], "-m imagen_demo --workspace DIR COMMAND"),
        (["--workspace"], "requires an argument"),
    ],
)  # fmt: skip
def test_bad_input_is_one_sentence_and_code_2(command, arguments, sentence):
    code, out, err = command(*arguments)
    assert code == 2
    assert sentence in err and len(err.strip().splitlines()) == 1
    assert not out and "Traceback" not in err


@pytest.mark.parametrize(
    ("seeds", "sentence"),
    [("", "Say which pictures of tiny"), ("99999999999", "A seed can be at most 4294967295."),
     *((seeds, "is not a list of seeds") for seeds in ("a", "5-3", "-1", "1.5"))],
)  # fmt: skip
def test_seeds_that_are_none(command, tiny_model_folder, tmp_path, seeds, sentence):
    code, _, err = command("generate", "tiny", f"--seeds={seeds}", "--out", tmp_path / "out")
    assert code == 2 and sentence in err
    assert not (tmp_path / "out").exists()


def test_seeds():
    assert parse_seeds("0-3, 7,2") == [0, 1, 2, 3, 7, 2]
    assert parse_seeds("4294967295") == [2**32 - 1]
    assert parse_seeds("7", count=3) == [7, 8, 9]
    for too_much in ("0-999999999", "0-400", "4294967296", "4294967296,1", "0-99999999999"):
        with pytest.raises(UserError, match=r"the most is 400|at most 4294967295"):
            parse_seeds(too_much)


# -- options are the settings -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "configs"), [("prepare", (PrepareConfig,)), ("train", (TrainConfig, PrepareConfig))]
)  # fmt: skip
def test_every_setting_is_an_option_with_its_help(command, name, configs, monkeypatch):
    monkeypatch.setenv("COLUMNS", "400")
    _, out, _ = command(name, "--help")
    for field in (field for config in configs for field in settings(config)):
        assert f"--{field.name.replace('_', '-')}" in out
        assert field.metadata["help"][:20] in " ".join(out.split())


# -- pictures and videos --------------------------------------------------------------------------------


def test_generate_writes_the_studios_pictures_with_their_recipes(command, workspace, tiny_model_folder, tmp_path):
    code, out, _ = command(
        "generate", "tiny", "--seeds", "0-1,5", "--psi", "0.5", "--out", tmp_path / "a" / "b", "--json"
    )
    files = [Path(file) for file in json.loads(out)["files"]]
    assert code == 0
    assert [file.name for file in files] == ["seed0000.png", "seed0001.png", "seed0005.png"]
    recipe = Recipe.from_json(png.recipe_of(files[2]))
    assert recipe == Studio(workspace).pinned(Recipe("tiny", seeds=((5, 1.0),), psi=0.5))
    assert Image.open(files[2]).tobytes() == Studio(workspace).render(recipe).tobytes()


def test_generate_writes_into_a_folder_alone(command, tiny_model_folder, tmp_path):
    (tmp_path / "taken").write_bytes(b"")
    for name in ("taken", "one.png", "some.zip"):
        code, _, err = command("generate", "tiny", "--seeds", "1", "--out", tmp_path / name)
        assert code == 2 and err.startswith("--out is the folder") and f"{name} looks like a file." in err
        assert not (tmp_path / name).is_dir()


def test_a_picture_is_drawn_again_by_its_link_or_file(command, workspace, make_model, tmp_path):
    make_model("kinds", num_classes=3)
    studio = Studio(workspace)
    recipe = studio.pinned(Recipe("kinds", seeds=((3, 1), (4, 2)), label=1, psi=0.6, directions=(("pc0", 1, ""),)))
    file = tmp_path / "mine.png"
    file.write_bytes(studio.png(recipe))
    query = recipe.to_query()
    for number, given in enumerate((query, f"http://a.org/app/?view=explore&{query}#x", recipe.to_json(), file)):
        code, out, err = command("generate", given, "--out", tmp_path / str(number), "--json")
        assert code == 0, err
        drawn = [Path(name) for name in json.loads(out)["files"]]
        assert [Recipe.from_json(png.recipe_of(name)) for name in drawn] == [recipe]
        assert drawn[0].name == file_name(recipe) and drawn[0].read_bytes() == file.read_bytes()
    # What is written changes it, the rest stays.
    change = ["--seeds", "8", "--psi", "0.5", "--class", "class 2", "--size", "32"]
    assert command("generate", file, *change, "--out", tmp_path / "other")[0] == 0
    other = replace(recipe, seeds=((8, 1),), psi=0.5, label=2, size=32)
    assert Recipe.from_json(png.recipe_of(tmp_path / "other" / "seed0008.png")) == other
    code, _, err = command("generate", recipe.to_query().replace(recipe.model_hash, "0" * 12), "--out", tmp_path)
    assert code == 2 and "needs the model kinds (000000000000)" in err
    grid, film = tmp_path / "grid.png", tmp_path / "film.gif"
    assert command("grid", file, "--x", "psi=0.6", "--out", grid)[0] == 0
    assert Recipe.from_json(png.recipe_of(grid)) == recipe
    assert command("interpolate", file, "--kind", "loop", "--seconds", "0.4", "--fps", "10", "--out", film)[0] == 0
    code, out, _ = command(
        "interpolate", file, "--seeds", "1,2", "--seconds", "0.4", "--fps", "10", "--out", film, "--json"
    )
    assert code == 0
    assert from_link(json.loads(out)["link"]).recipes == tuple(replace(recipe, seeds=((n, 1),)) for n in (1, 2))


def test_variants_of_a_seed_have_files_of_their_own(workspace):
    plain = Recipe("planets", seeds=((42, 1),), psi=DEFAULT_PSI)
    assert file_name(plain) == file_name(replace(plain, model_hash="0" * 12, label=0)) == "seed0042.png"
    variants = [{"psi": 0.5}, {"psi": 1}, {"directions": (("pc0", 1, ""),)}, {"directions": (("pc0", 2, ""),)},
                {"size": 128}, {"label": 1}, {"fine_seeds": ((1, 1),), "split": 2}]  # fmt: skip
    names = {file_name(replace(plain, **variant)) for variant in variants}
    assert len(names) == len(variants) and all(re.fullmatch(r"seed0042-[0-9a-f]{4}\.png", name) for name in names)


def test_generate_knows_classes_by_name(command, make_model, tmp_path):
    folder = make_model("pets", num_classes=2)
    info = json.loads((folder / "model.json").read_text())
    (folder / "model.json").write_text(json.dumps(info | {"class_names": ["cat", "dog"]}))
    assert command("generate", "pets", "--seeds", "3", "--class", "dog", "--out", tmp_path)[0] == 0
    assert Recipe.from_json(png.recipe_of(tmp_path / "seed0003.png")).label == 1
    code, _, err = command("generate", "pets", "--seeds", "3", "--class", "fish", "--out", tmp_path)
    assert code == 2 and err.strip() == "The model pets has no class fish; it has cat, dog."


def test_interpolate_writes_a_video_of_that_length(command, tiny_model_folder, tmp_path):
    film = tmp_path / "film.mp4"
    code, _, _ = command("interpolate", "tiny", "--seeds", "1,2,3", "--seconds", "1", "--fps", "12", "--out", film)
    assert code == 0
    with av.open(str(film)) as video:
        assert video.streams.video[0].codec_context.name == "h264"
        assert sum(1 for _ in video.decode(video=0)) == 12
    code, _, err = command("interpolate", "tiny", "--seeds", "1", "--out", tmp_path / "one.mp4")
    assert code == 2 and "needs 2 to" in err and not (tmp_path / "one.mp4").exists()


def test_a_film_is_made_again_from_its_file(command, tiny_model_folder, tmp_path):
    film = tmp_path / "film.webp"
    code, out, _ = command(
        "interpolate", "tiny", "--seeds", "1,2,3", "--kind", "spline", "--seconds", "1", "--fps", "6", "--size", "32",
        "--out", film, "--json",
    )  # fmt: skip
    assert code == 0
    again, made = from_link(json.loads(out)["link"]), tmp_path / "again.png"
    assert command("interpolate", film, "--out", made)[0] == 0
    assert from_file(made) == replace(again, format="apng")
    assert command("interpolate", made, "--out", tmp_path / "third.gif")[0] == 0  # its ending is a picture's, too
    other = tmp_path / "holiday.mp4"
    other.write_bytes(b"no film")
    code, _, err = command("interpolate", other, "--out", tmp_path / "x.gif")
    assert code == 2 and err.startswith("holiday.mp4 carries no film.")


# -- learning ---------------------------------------------------------------------------------------------


def test_prepare_train_stop_resume_generate(command, workspace, pictures_folder, tmp_path, monkeypatch):
    code, out, _ = command(
        "prepare", pictures_folder, "--name", "discs", "--resolution", "16", "--workers", "1", "--json"
    )
    assert code == 0 and json.loads(out)["counts"]["accepted"] == 40
    assert len(open_dataset(workspace.datasets / "discs")) == 40

    code, _, err = command("train", "discs", "--resolution", "16")
    assert code == 2 and "discs is prepared already; --resolution is only for pictures." in err

    short = ["--width", "128", "--batch", "4", "--threads", "1", "--tick-seconds", "0"]
    (tmp_path / "discs").mkdir()
    monkeypatch.chdir(tmp_path)
    code, out, err = command("train", "discs", "--name", "first", "--kimg", "0.016", *short, "--json")
    assert "the prepared dataset discs; to read discs again, write ./discs" in err
    facts = json.loads(out)
    assert code == 0, err
    assert facts["state"] == "finished" and facts["kimg"] == pytest.approx(0.016) and facts["model"] == "first"
    assert "images/s" in err and "40 pictures are few: if the network begins" in err  # what the coach says
    assert TrainConfig(**jobs.find_run(workspace, "first").config()["train"]).kimg == 0.016

    code, out, _ = command("runs", "--json")
    assert code == 0 and [run["run"] for run in json.loads(out)] == ["first"]
    assert command("generate", "first", "--seeds", "0", "--out", tmp_path / "best")[0] == 0
    assert command("generate", "run/first", "--seeds", "0", "--out", tmp_path / "latest")[0] == 0
    for option in (["--kimg", "5"], ["--batch", "8"], ["--resolution", "32"], ["--no-labels"], ["--arch", "mlp"]):
        code, _, err = command("train", "--name", "first", "--resume", *short, *option)
        assert code == 2 and err.startswith(f"Leave {option[0]} out: a run that goes on keeps its settings.")
    monkeypatch.setenv("WORLD_SIZE", "2")  # as torchrun sets it
    assert command("train", "--name", "first", "--resume", "--batch", "8")[2].startswith("Leave --batch out")
    monkeypatch.delenv("WORLD_SIZE")
    resumed = []
    monkeypatch.setattr(jobs, "resume_run", lambda run, minutes: resumed.append(run.name))
    automatic = ["--device", "auto", "--batch", "0", "--mirror", "auto", "--objective", "auto", "--gamma", "-1"]
    code, _, err = command("train", "--name", "first", "--resume", "--width", "128", *automatic, "--threads", "0")
    assert code == 0 and resumed == ["first"], err
    assert "40 pictures are few" not in err  # the coach said so before
    code, _, err = command("pause", "first")
    assert code == 2 and "not in training" in err


def test_ctrl_c_stops_a_run_that_can_go_on(workspace, pictures_folder):
    command = [sys.executable, "-m", "imagen_demo", "--workspace", str(workspace.root), "train", str(pictures_folder)]
    command += ["--name", "long", "--minutes", "30", "--tick-seconds", "0.1", *TINY_RUN]
    process = subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    run = jobs.Run(workspace.runs / "long")
    try:
        deadline = time.monotonic() + 60
        while len(run.metrics()) < 2 and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.1)
        os.kill(process.pid, signal.SIGINT)
        out, err = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 0, err
    assert "long: stopped after" in out
    assert "Prepared pictures: 40 pictures, 16 pixels, in" in err
    shell = ["bash", "-c", out.split("Go on with: ")[1].splitlines()[0] + " --minutes 0.1"]
    assert "the state is being saved" in err and "Traceback" not in err
    assert run.status().state == "stopped" and jobs.can_continue(run)
    before = run.status().kimg

    subprocess.run(shell, cwd=REPOSITORY, check=True)  # what it told to type works as it stands
    assert run.status().state == "finished" and run.status().kimg > before


def test_ctrl_c_while_preparing_leaves_nothing(workspace, tmp_path):
    draw_pictures(tmp_path / "many", count=400)
    command = [
        sys.executable,
        "-m",
        "imagen_demo",
        "--workspace",
        str(workspace.root),
        "prepare",
        str(tmp_path / "many"),
    ]
    process = subprocess.Popen(
        [*command, "--workers", "2"], cwd=REPOSITORY, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    try:
        deadline = time.monotonic() + 60
        while not list(workspace.datasets.glob("*.new/spool")) and time.monotonic() < deadline:
            time.sleep(0.01)
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does: the worker processes get it too
        _, err = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 1, err
    assert "Stopped; nothing half-made was left behind." in err
    assert not list(workspace.datasets.iterdir())


def test_a_training_that_cannot_work_is_refused_before_there_is_a_run(command, workspace, pictures_folder):
    assert command("prepare", pictures_folder, "--name", "few", "--resolution", "16", "--workers", "1")[0] == 0
    code, out, err = command("train", "few", "--batch", "4096", "--threads", "1")
    assert code == 2 and out == "" and list(workspace.runs.iterdir()) == []
    assert "A batch of 4096 is larger than the 36 pictures of few" in err and "Traceback" not in err


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--from", "gone"], "There is no model named gone"),
        (["--from", "tiny", "--width", "768"], "The model to begin with is a network of kind style and width"),
        (["--minutes", "0"], "minutes cannot be 0.0; the least is 0.1."),
        (["--name", "../out"], "'../out' cannot be a name"),
    ],
)
def test_what_no_pictures_can_mend_is_refused_before_they_are_prepared(
    command, workspace, pictures_folder, tiny_model_folder, options, sentence
):
    code, out, err = command("train", pictures_folder, "--resolution", "16", "--workers", "1", *options)
    assert code == 2 and out == "" and sentence in err and len(err.strip().splitlines()) == 1
    assert list(workspace.datasets.iterdir()) == list(workspace.runs.iterdir()) == []


def test_a_run_that_fails_says_why_and_ends_with_1(command, workspace, pictures_folder):
    assert command("prepare", pictures_folder, "--name", "few", "--resolution", "16", "--workers", "1")[0] == 0
    train = ("train", "--threads", "1", "--width", "128", "--batch", "4")
    assert command(*train, "few", "--name", "run", "--kimg", "0.004")[0] == 0
    shutil.rmtree(workspace.runs / "run" / "state")
    (workspace.runs / "run" / "state").mkdir()
    code, _, err = command(*train, "--name", "run", "--resume", "--minutes", "1")
    assert code == 1
    assert "has no saved state to go on from" in err and "Traceback" not in err


def test_a_run_without_its_pictures_is_refused_and_left_as_it_is(command, workspace, pictures_folder):
    few = ("prepare", pictures_folder, "--name", "few", "--workers", "1", "--resolution")
    assert command(*few, "16")[0] == 0
    train = ("train", "--threads", "1", "--width", "128", "--batch", "4")
    assert command(*train, "few", "--name", "run", "--kimg", "0.004")[0] == 0
    before = (workspace.runs / "run" / "config.json").read_bytes()
    go_on = (*train, "--name", "run", "--resume", "--minutes", "1")
    shutil.rmtree(workspace.datasets / "few")
    code, _, err = command(*go_on)
    assert code == 2 and "There is no prepared dataset few" in err
    assert command(*few, "32")[0] == 0  # others under its name
    code, _, err = command(*go_on)
    assert code == 2 and "The pictures of few are not those that run began with." in err
    assert (workspace.runs / "run" / "config.json").read_bytes() == before
    assert json.loads((workspace.runs / "run" / "status.json").read_text())["state"] == "finished"


# -- doctor -------------------------------------------------------------------------------------------------


def test_doctor_finds_this_machine_well(command):
    code, out, _ = command("doctor", "--json")
    findings = {finding["name"]: finding for finding in json.loads(out)}
    assert code == 0
    assert findings["Training"]["level"] == findings["Video"]["level"] == "ok"
    assert all(finding["advice"] for finding in findings.values() if finding["level"] != "ok")


def test_doctor_reports_what_is_broken_and_ends_with_1(command, monkeypatch):
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("no encoder")

    monkeypatch.setattr("imagen_demo.media.video.write_film", broken)
    monkeypatch.setattr(doctor_module, "LEAST_DISK", 2**62)
    code, out, _ = command("doctor", "--json")
    findings = {finding["name"]: finding for finding in json.loads(out)}
    assert code == 1
    assert findings["Video"]["level"] == "problem" and "no encoder" in findings["Video"]["found"]
    assert findings["Workspace"]["level"] == "warning" and "Free some space" in findings["Workspace"]["advice"]


def test_a_workspace_that_cannot_be_is_refused_and_reported(tmp_path, capsys):
    (tmp_path / "taken").write_bytes(b"")
    place = ["--workspace", str(tmp_path / "taken")]
    assert main([*place, "prepare", str(tmp_path)]) == 2
    err = capsys.readouterr().err
    assert err.startswith(f"The workspace {tmp_path / 'taken'} cannot be used (") and len(err.splitlines()) == 1
    assert main([*place, "doctor", "--json"]) == 1
    finding = next(each for each in json.loads(capsys.readouterr().out) if each["name"] == "Workspace")
    assert finding["level"] == "problem" and "--workspace" in finding["advice"]


def test_pins_are_read():
    assert doctor_module.pins()["torch"].startswith("2.")
    assert {"gradio", "typer", "av"} <= doctor_module.pins().keys()
