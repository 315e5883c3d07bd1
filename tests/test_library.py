"""The library lists everything, changes only the user's own, and takes no hostile zip."""

import io
import json
import os
import stat
import zipfile
from pathlib import Path

import pytest
from PIL import Image
from tiny import save_tiny_model

from imagen_demo import storage
from imagen_demo.errors import UserError
from imagen_demo.models.folder import load_model
from imagen_demo.studio import library, model_zips
from imagen_demo.training.run import Run, Status, own_status
from imagen_demo.workspace import REPOSITORY, Workspace


@pytest.fixture
def workspace(tmp_path, monkeypatch):
    bundled = tmp_path / "program" / "checkpoints"
    save_tiny_model(bundled / "planets")
    monkeypatch.setattr(library, "BUNDLED", bundled)
    workspace = Workspace(tmp_path / "work")
    save_tiny_model(workspace.checkpoints / "mine", seed=1)
    return workspace


@pytest.fixture
def theirs(tmp_path):
    """A model from elsewhere."""
    save_tiny_model(tmp_path / "theirs", seed=2)
    return tmp_path / "theirs"


def names(workspace):
    return [entry.name for entry in library.list_models(workspace)]


def everything(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def test_bundled_names_are_the_committed_ones():
    kept = [line for line in (REPOSITORY / ".gitignore").read_text().splitlines() if line.startswith("!/checkpoints/")]
    assert {line.split("/")[2] for line in kept} == set(library.BUNDLED_NAMES)


def test_list_has_bundled_own_and_runs(workspace):
    for name, status in (("done", Status(state="finished")), ("busy", own_status()), ("empty", None)):
        run = Run(workspace.runs / name)
        run.path.mkdir()
        if status:
            run.write_status(status)
            save_tiny_model(run.latest)
    entries = {entry.name: entry for entry in library.list_models(workspace)}
    assert list(entries)[:2] == ["planets", "mine"] and set(entries) == {"planets", "mine", "run/done", "run/busy"}
    assert entries["planets"].bundled and not entries["mine"].bundled
    assert entries["run/busy"].in_training and not entries["run/done"].in_training
    assert all(entry.info.title == "Tiny" and entry.preview.exists() for entry in entries.values())


def test_a_damaged_model_is_listed_with_its_sentence(workspace):
    (workspace.checkpoints / "broken").mkdir()
    (workspace.checkpoints / "broken" / "model.json").write_text("{")
    (workspace.checkpoints / ".hidden").mkdir()
    (workspace.checkpoints / "half.new").mkdir()
    (workspace.checkpoints / "file.txt").write_text("x")
    entries = {entry.name: entry for entry in library.list_models(workspace)}
    assert set(entries) == {"planets", "mine", "broken"}
    assert entries["broken"].info is None and "broken (model.json) is damaged" in str(entries["broken"].error)


def test_an_interrupted_saving_is_found_under_its_name(workspace):
    (workspace.checkpoints / "mine").rename(workspace.checkpoints / "mine.old")
    assert names(workspace) == ["planets", "mine"]
    assert load_model(library.find(workspace, "mine")).info.title == "Tiny"


@pytest.mark.parametrize("name", ["nowhere", "run/nowhere", "../mine", "run/../mine", "", "/etc"])
def test_find_refuses_what_is_not_there(workspace, name):
    with pytest.raises(UserError):
        library.find(workspace, name)


def test_rename(workspace):
    assert library.rename(workspace, "mine", " Sea shells ") == "Sea shells"
    assert names(workspace) == ["planets", "Sea shells"]
    save_tiny_model(workspace.checkpoints / "other")
    for new in ("other", "planets", "../x", "a/b", ""):
        with pytest.raises(UserError):
            library.rename(workspace, "Sea shells", new)
    assert names(workspace) == ["planets", "other", "Sea shells"]


def test_a_renamed_model_is_found_by_its_weights(workspace):
    weights = load_model(workspace.checkpoints / "mine").hash
    library.rename(workspace, "mine", "shells")
    assert library.renamed(workspace, "mine", weights[:12]) == "shells"
    assert library.renamed(workspace, "shells", "") == "shells"
    save_tiny_model(workspace.checkpoints / "mine", seed=3)  # another takes the name
    assert library.renamed(workspace, "mine", weights[:12]) == "shells"
    assert library.renamed(workspace, "mine", "0" * 12) == "mine"  # these are nowhere: it is at least of that name
    assert library.holds(workspace, "shells", weights) and not library.holds(workspace, "mine", weights)
    library.delete(workspace, "mine")
    for unknown in ("", "0" * 12):
        with pytest.raises(UserError, match="no model named mine"):
            library.renamed(workspace, "mine", unknown)


def test_delete(workspace):
    library.delete(workspace, "mine")
    assert names(workspace) == ["planets"] and not list(workspace.checkpoints.iterdir())


def test_a_stale_copy_does_not_bring_a_deleted_model_back(workspace):
    save_tiny_model(workspace.checkpoints / "mine.old")
    assert names(workspace) == ["planets", "mine"]
    library.delete(workspace, "mine")
    assert names(workspace) == ["planets"]


def test_the_users_own_model_hides_a_bundled_one_of_its_name(workspace):
    save_tiny_model(workspace.checkpoints / "planets", seed=5)
    assert library.find(workspace, "planets") == workspace.checkpoints / "planets"
    assert [entry.bundled for entry in library.list_models(workspace)] == [False, False]
    library.rename(workspace, "planets", "my planets")
    assert names(workspace) == ["planets", "mine", "my planets"]
    at_home = Workspace(library.BUNDLED.parent)  # where both libraries are one folder
    assert [entry.bundled for entry in library.list_models(at_home)] == [True]


def test_bundled_models_and_runs_stay(workspace):
    save_tiny_model(workspace.runs / "r" / "latest")
    for name in ("planets", "run/r"):
        with pytest.raises(UserError):
            library.delete(workspace, name)
        with pytest.raises(UserError):
            library.rename(workspace, name, "x")
    assert names(workspace) == ["planets", "mine", "run/r"]


def test_export_and_import(workspace, tmp_path):
    (workspace.checkpoints / "mine" / "secret.txt").write_text("not for others")
    out = model_zips.export_zip(workspace, "mine", tmp_path / "mine.zip")
    with zipfile.ZipFile(out) as archive:
        assert set(archive.namelist()) == {
            f"mine/{file}" for file in ("model.safetensors", "model.json", "README.md", "preview.png")
        }
    before = load_model(library.find(workspace, "mine")).hash
    library.delete(workspace, "mine")
    assert model_zips.import_zip(workspace, out) == "mine" and names(workspace) == ["planets", "mine"]
    assert load_model(library.find(workspace, "mine")).hash == before


def test_import_gives_a_free_name(workspace, tmp_path, theirs):
    for name in ("mine", "planets"):
        files = {f"{name}/{file}": data for file, data in model_files(theirs).items()}
        assert model_zips.import_zip(workspace, make_zip(tmp_path / "x.zip", files)) == f"{name}-2"
        library.delete(workspace, f"{name}-2")


def test_a_model_that_is_already_there_is_not_imported_again(workspace, tmp_path):
    for name in ("mine", "planets"):
        file = model_zips.export_zip(workspace, name, tmp_path / f"{name}.zip")
        with pytest.raises(UserError, match=f"already have this model, as {name}"):
            model_zips.import_zip(workspace, file)
    assert names(workspace) == ["planets", "mine"] and len(list(workspace.checkpoints.iterdir())) == 1


def model_files(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def make_zip(path, files):
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return path


def test_flat_zips_are_taken_under_the_files_name(workspace, tmp_path, theirs):
    file = make_zip(tmp_path / "gift.zip", model_files(theirs))
    assert model_zips.import_zip(workspace, file) == "gift"


def test_what_a_mac_adds_is_left_out(workspace, tmp_path, theirs):
    files = {f"shells/{name}": data for name, data in model_files(theirs).items()}
    files |= {"__MACOSX/shells/._model.json": b"x", "shells/.DS_Store": b"x"}
    assert model_zips.import_zip(workspace, make_zip(tmp_path / "x.zip", files)) == "shells"
    assert not list((workspace.checkpoints / "shells").glob(".*"))


def test_a_bomb_is_refused_by_its_header(workspace, tmp_path):
    with zipfile.ZipFile(tmp_path / "x.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in model_files(workspace.checkpoints / "mine").items():
            archive.writestr(name, b"\0" * 5_000_000 if name == "model.safetensors" else data)
    with pytest.raises(UserError, match=r"model\.safetensors is too large"):
        model_zips.import_zip(workspace, tmp_path / "x.zip")


def test_damaged_compression_is_refused(workspace, tmp_path):
    file = tmp_path / "x.zip"
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in model_files(workspace.checkpoints / "mine").items():
            archive.writestr(name, data)
    data = bytearray(file.read_bytes())
    data[1000:1400] = bytes(400)
    file.write_bytes(data)
    with pytest.raises(UserError, match=r"x\.zip"):
        model_zips.import_zip(workspace, file)


def link(name):
    info = zipfile.ZipInfo(name)
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    return info


@pytest.mark.parametrize(
    ("extra", "sentence"),
    [({"x/model.pt": b"1"}, "it has x/model.pt"), ({"evil.pkl": b"1"}, "it has evil.pkl"),
     ({"../model.json": b"1"}, "../model.json"), ({"/abs/model.json": b"1"}, "/abs/model.json"),
     ({"a/b/README.md": b"1"}, "a/b/README.md"), ({"..\\README.md": b"1"}, "README.md"),
     ({"x/README.md": b"1"}, "twice"), ({"x/directions.json": b"1"}, "in one folder"),
     ({"x/model.pth/": b"", "x/y.exe": b""}, "it has x/y.exe"),
     ({link("directions.json"): b"/etc/passwd"}, "directions.json"),
     ({"directions.json": b" " * (2 * 1024**2)}, "directions.json is too large")],
)  # fmt: skip
def test_hostile_zips_are_refused_and_leave_nothing(workspace, tmp_path, extra, sentence):
    before = everything(tmp_path)
    file = make_zip(tmp_path / "x.zip", model_files(workspace.checkpoints / "mine") | extra)
    with pytest.raises(UserError) as caught:
        model_zips.import_zip(workspace, file)
    assert sentence in str(caught.value) and "x.zip" in str(caught.value)
    file.unlink()
    assert everything(tmp_path) == before


def test_a_header_that_lies_about_the_size_is_caught(workspace, tmp_path, monkeypatch):
    file = make_zip(tmp_path / "x.zip", model_files(workspace.checkpoints / "mine"))
    with zipfile.ZipFile(file) as archive:
        member = archive.getinfo("README.md")
        monkeypatch.setitem(model_zips.FILES, "README.md", 10)
        with pytest.raises(UserError, match="too large"):
            model_zips._extract(archive, member, Path(tmp_path / "README.md"), "x.zip")


@pytest.mark.parametrize(
    "change",
    [{"model.safetensors": b"junk"}, {"model.json": b"{"}, {"model.json": json.dumps({"config": {}}).encode()},
     {"preview.png": b"<svg onload=alert(1)>"}],
)  # fmt: skip
def test_a_zip_with_a_broken_model_never_appears(workspace, tmp_path, change):
    file = make_zip(tmp_path / "x.zip", model_files(workspace.checkpoints / "mine") | change)
    with pytest.raises(UserError):
        model_zips.import_zip(workspace, file)
    assert names(workspace) == ["planets", "mine"] and len(list(workspace.checkpoints.iterdir())) == 1


@pytest.mark.parametrize("data", [b"", b"not a zip", b"PK\x03\x04" + b"\0" * 50])
def test_what_is_no_zip(workspace, tmp_path, data):
    (tmp_path / "x.zip").write_bytes(data)
    with pytest.raises(UserError, match=r"x.zip"):
        model_zips.import_zip(workspace, tmp_path / "x.zip")


def test_a_zip_without_weights(workspace, tmp_path):
    picture = io.BytesIO()
    Image.new("RGB", (4, 4)).save(picture, "PNG")
    with pytest.raises(UserError, match=r"needs model\.safetensors"):
        model_zips.import_zip(workspace, make_zip(tmp_path / "x.zip", {"preview.png": picture.getvalue()}))


def test_export_survives_a_model_between_two_names(workspace, tmp_path):
    os.rename(workspace.checkpoints / "mine", workspace.checkpoints / "mine.old")
    out = model_zips.export_zip(workspace, "mine", tmp_path / "m.zip")
    assert zipfile.ZipFile(out).testzip() is None and storage.current_folder(workspace.checkpoints / "mine").exists()


def test_damaged_or_half_deleted_runs_do_not_hide_the_library(workspace):
    for name in ("broken", ".deleted-0123"):
        save_tiny_model(workspace.runs / name / "latest")
    for text in ("{", "[]", '{"unknown": 1}', '{"state": "training", "pid": "x"}'):
        (workspace.runs / "broken" / "status.json").write_text(text)
        entries = {entry.name: entry for entry in library.list_models(workspace)}
        assert set(entries) == {"planets", "mine", "run/broken"} and not entries["run/broken"].in_training


@pytest.mark.parametrize("name", [".", "\0.png"])
def test_a_zip_with_a_nameless_entry_is_refused(workspace, tmp_path, name):
    file = model_zips.export_zip(workspace, "mine", tmp_path / "m.zip")
    with zipfile.ZipFile(file, "a") as archive:
        info = zipfile.ZipInfo("?" * len(name))
        archive.writestr(info, b"x")
    file.write_bytes(file.read_bytes().replace(b"?" * len(name), name.encode()))
    with pytest.raises(UserError):
        model_zips.import_zip(workspace, file)
    assert names(workspace) == ["planets", "mine"]
