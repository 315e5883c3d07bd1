"""Untrusted sources: each trick is refused with its sentence, and the good pictures stand."""

from __future__ import annotations

import gzip
import io
import json
import os
import tarfile
import zipfile
from pathlib import Path

import pytest
from hostile import encoded, encrypted_zip, folder_of, good, hostile_tar, picture, tar_of, zip_of, zip_with_link

from imagen_demo.config import PrepareConfig
from imagen_demo.data import archives, reasons
from imagen_demo.data.dataset import open_dataset
from imagen_demo.data.intake import Intake, find_pictures
from imagen_demo.data.prepare import prepare
from imagen_demo.errors import Cancelled, UserError


def codes(intake: Intake) -> dict[str, str]:
    return {aside.name: aside.code for aside in intake.set_aside}


def names(intake: Intake) -> list[str]:
    return [candidate.name for candidate in intake.candidates]


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:xz", "w:bz2"])
def test_tars_of_every_packing(tmp_path: Path, mode: str) -> None:
    files = good(3)
    intake = find_pictures(tar_of(tmp_path / "set.bin", files, mode), tmp_path / "scratch")
    assert {c.name: c.path.read_bytes() for c in intake.candidates} == files


def test_slips_links_and_devices_are_refused(tmp_path: Path) -> None:
    intake = find_pictures(hostile_tar(tmp_path / "set.tar", good(2)), tmp_path / "in" / "scratch")
    assert names(intake) == ["good000.png", "good001.png"]
    assert codes(intake) == {
        "soft.png": "link", "hard.png": "link", "device.png": "special",
        "../escaped.png": "unsafe_path", "/tmp/absolute.png": "unsafe_path",
    }  # fmt: skip
    assert not list(tmp_path.rglob("escaped.png"))


@pytest.mark.parametrize("name", ["../x.png", "a/../../x.png", "/x.png", "..\\x.png", "C:\\x.png"])
def test_zip_slip(tmp_path: Path, name: str) -> None:
    intake = find_pictures(zip_of(tmp_path / "set.zip", good(2) | {name: encoded(picture(1))}), tmp_path / "scratch")
    assert list(codes(intake).values()) == ["unsafe_path"] and len(names(intake)) == 2


def test_link_in_zip_and_in_folder(tmp_path: Path) -> None:
    intake = find_pictures(zip_with_link(tmp_path / "set.zip", good(2)), tmp_path / "scratch")
    assert codes(intake) == {"link.png": "link"}
    folder = folder_of(tmp_path / "set", good(2))
    os.symlink("/etc/passwd", folder / "link.png")
    os.symlink("/etc", folder / "linked")
    os.mkfifo(folder / "pipe.png")
    intake = find_pictures(folder, tmp_path / "scratch")
    assert codes(intake) == {"link.png": "link", "linked": "link", "pipe.png": "special"}
    assert names(intake) == sorted(good(2))


def test_hidden_and_system_files_are_ignored_but_listed(tmp_path: Path) -> None:
    junk = {"__MACOSX/._a.png": b"x", ".DS_Store": b"x", "sub/Thumbs.db": b"x", ".git/config": b"x"}
    intake = find_pictures(zip_of(tmp_path / "set.zip", good(2) | junk), tmp_path / "scratch")
    assert codes(intake) == dict.fromkeys(junk, "hidden")
    intake = find_pictures(folder_of(tmp_path / "set", good(2) | junk), tmp_path / "scratch")
    assert set(codes(intake).values()) == {"hidden"} and len(names(intake)) == 2


def test_nested_archives_are_dropped_by_content(tmp_path: Path) -> None:
    inner = zip_of(tmp_path / "inner.zip", good(1)).read_bytes()
    intake = find_pictures(zip_of(tmp_path / "set.zip", good(2) | {"innocent.png": inner}), tmp_path / "scratch")
    assert codes(intake) == {"innocent.png": "nested_archive"}


def test_encrypted_entries(tmp_path: Path) -> None:
    files = good(3)
    intake = find_pictures(encrypted_zip(tmp_path / "a.zip", files, {"good001.png"}), tmp_path / "scratch")
    assert codes(intake) == {"good001.png": "encrypted"} and len(names(intake)) == 2
    with pytest.raises(UserError, match=r"b\.zip is protected by a password"):
        find_pictures(encrypted_zip(tmp_path / "b.zip", files, set(files)), tmp_path / "scratch")


@pytest.mark.parametrize("pack", [zip_of, tar_of])
def test_bombs_stop_early(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pack) -> None:
    monkeypatch.setattr(archives, "FREE_RATIO", 1 << 20)
    bomb = pack(tmp_path / "bomb.zip", {f"{i}.bmp": b"\0" * (8 << 20) for i in range(4)})
    with pytest.raises(UserError, match=r"bomb\.zip unpacks to far more"):
        find_pictures(bomb, tmp_path / "scratch")
    unpacked = sum(f.stat().st_size for f in (tmp_path / "scratch").rglob("*") if f.is_file())
    assert unpacked <= max(1 << 20, archives.MAX_RATIO * bomb.stat().st_size) + (8 << 20)


def test_too_many_entries(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "MAX_ENTRIES", 3)
    with pytest.raises(UserError, match=r"set\.zip has more than 3 entries"):
        find_pictures(zip_of(tmp_path / "set.zip", good(4)), tmp_path / "scratch")


def test_a_bad_archive_among_others_is_named_and_the_rest_stands(tmp_path: Path) -> None:
    (tmp_path / "bad.zip").write_bytes(b"PK\x03\x04 and then nothing")
    ok = zip_of(tmp_path / "ok.zip", good(2))
    intake = find_pictures([tmp_path / "bad.zip", ok], tmp_path / "scratch")
    assert names(intake) == ["ok/good000.png", "ok/good001.png"]
    assert intake.set_aside[0].code == "bad_archive" and "bad.zip is damaged" in intake.set_aside[0].values["problem"]


def test_truncated_tar_keeps_what_came_before(tmp_path: Path) -> None:
    whole = tar_of(tmp_path / "set.tar", good(4), "w").read_bytes()
    (tmp_path / "cut.tar").write_bytes(whole[: 2 * 512 + 4000])
    intake = find_pictures(tmp_path / "cut.tar", tmp_path / "scratch")
    assert "good000.png" in names(intake)
    assert codes(intake)["cut.tar"] == "archive_damaged"


def test_wrong_checksum_drops_one_entry(tmp_path: Path) -> None:
    archive = zip_of(tmp_path / "set.zip", good(3))
    data = bytearray(archive.read_bytes())
    data[data.find(b"good001.png") + 60] ^= 0xFF
    archive.write_bytes(data)
    intake = find_pictures(archive, tmp_path / "scratch")
    assert codes(intake) == {"good001.png": "damaged"} and len(names(intake)) == 2


def test_sentences_for_sources_that_are_none(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "note.pdf").write_bytes(b"%PDF-1.4")
    (tmp_path / "broken.zip").write_bytes(b"PK\x03\x04")
    (tmp_path / "fake.ZIP").write_bytes(b"no zip at all")
    (tmp_path / "old.rar").write_bytes(b"Rar!\x1a\x07\x00")
    (tmp_path / "text.gz").write_bytes(__import__("gzip").compress(b"no tar at all"))
    for name, sentence in {
        "gone": "gone is not there any more.",
        "empty": "empty is empty. Choose one with pictures.",
        "note.pdf": "neither a folder nor a zip or tar",
        "broken.zip": "broken.zip is damaged or not an archive",
        "fake.ZIP": "fake.ZIP is damaged or not an archive",
        "old.rar": "archive of a kind that is not read",
        "text.gz": "text.gz is damaged or not an archive",
    }.items():
        with pytest.raises(UserError, match=sentence):
            find_pictures(tmp_path / name, tmp_path / "scratch")


def test_cancel_while_unpacking(tmp_path: Path) -> None:
    def stop(fraction: float, text: str) -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        find_pictures(zip_of(tmp_path / "set.zip", good(2)), tmp_path / "scratch", stop)


def test_class_folders_below_a_common_top(tmp_path: Path) -> None:
    files = {f"pets/{kind}/{n}": d for kind in ("cats", "dogs") for n, d in good(2).items()}
    intake = find_pictures(zip_of(tmp_path / "set.zip", files), tmp_path / "scratch")
    assert intake.classes()["pets/cats/good000.png"] == "cats" and set(intake.classes().values()) == {"cats", "dogs"}
    single = find_pictures(zip_of(tmp_path / "one.zip", {f"pets/{n}": d for n, d in good(2).items()}), tmp_path / "s")
    assert single.classes() == {}


def test_two_flat_archives_are_two_classes(tmp_path: Path) -> None:
    sources = [zip_of(tmp_path / "cats.zip", good(2)), tar_of(tmp_path / "dogs.tar.gz", good(2, 5))]
    assert set(find_pictures(sources, tmp_path / "scratch").classes().values()) == {"cats", "dogs"}


def test_equal_names_from_different_places_stay_apart(tmp_path: Path) -> None:
    a, b = folder_of(tmp_path / "a", good(1)), folder_of(tmp_path / "b", good(1))
    intake = find_pictures([a / "good000.png", b / "good000.png"], tmp_path / "scratch")
    assert names(intake) == ["good000.png", "good000.png (2)"]


def test_nvidia_labels_hugging_face_metadata_and_side_car_captions(tmp_path: Path) -> None:
    labels = json.dumps({"labels": [["good000.png", 3], ["good001.png", 10]]}).encode()
    intake = find_pictures(folder_of(tmp_path / "nv", good(2) | {"dataset.json": labels}), tmp_path / "scratch")
    assert intake.classes() == {"good000.png": "3", "good001.png": "10"}
    table = b"file_name,label,text\ngood000.png,cat,a cat\ngood001.png,dog,\n"
    intake = find_pictures(
        zip_of(tmp_path / "hf.zip", {f"t/{n}": d for n, d in (good(2) | {"metadata.csv": table}).items()}),
        tmp_path / "s2",
    )
    assert intake.classes() == {"t/good000.png": "cat", "t/good001.png": "dog"}
    assert intake.captions == {"t/good000.png": "a cat"}
    assert codes(intake) == {"t/metadata.csv": "metadata"}
    intake = find_pictures(folder_of(tmp_path / "txt", good(1) | {"good000.txt": b" a red disc \n"}), tmp_path / "s3")
    assert intake.captions == {"good000.png": "a red disc"}


def test_nonsense_metadata_is_no_metadata(tmp_path: Path) -> None:
    files = good(1) | {
        "dataset.json": b'{"labels": [',
        "metadata.jsonl": b"[1]\nnull\n",
        "a/dataset.json": b'{"labels": 5}',
    }
    intake = find_pictures(folder_of(tmp_path / "set", files), tmp_path / "scratch")
    assert intake.classes() == {} and "dataset.json" in names(intake)


def test_one_name_many_times_and_no_name_at_all(tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match="Duplicate name"), zipfile.ZipFile(tmp_path / "set.zip", "w") as bundle:
        for number in range(4):
            bundle.writestr("same.png", encoded(picture(number)))
        bundle.writestr("same.png (3)", encoded(picture(9)))
    intake = find_pictures(tmp_path / "set.zip", tmp_path / "scratch")
    assert len(set(names(intake))) == 5 and {"same.png", "same.png (2)", "same.png (4)"} < set(names(intake))
    nameless = zip_of(tmp_path / "nameless.zip", good(2) | {"?.png": encoded(picture(1))})
    nameless.write_bytes(nameless.read_bytes().replace(b"?.png", b"\0.png"))
    intake = find_pictures(nameless, tmp_path / "scratch")
    assert sorted(good(2)) == names(intake) and list(codes(intake).values()) in (["archive_damaged"], ["damaged"])


@pytest.mark.parametrize("pack", [zip_of, tar_of])
def test_a_huge_file_in_an_archive_is_left_out(tmp_path: Path, pack: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "MAX_FILE", 1 << 20)
    files = good(2) | {"film.mov": bytes(3 << 20)}
    intake = find_pictures(pack(tmp_path / "set.bin", files), tmp_path / "scratch")
    (aside,) = intake.set_aside
    assert reasons.sentence(aside.code, aside.values) == "The file is larger than 1 MB." and names(intake) == sorted(
        good(2)
    )


def test_files_keep_the_places_they_had_in_an_uploaded_folder(tmp_path):
    for number in range(3):
        (tmp_path / f"{number}.png").write_bytes(b"picture")
    places = ["photos/cats/a.png", "photos/dogs/a.png", "photos/.git/b.png"]
    found = find_pictures({place: tmp_path / f"{n}.png" for n, place in enumerate(places)}, tmp_path / "scratch")
    assert found.source == "photos"
    assert found.classes() == {"photos/cats/a.png": "cats", "photos/dogs/a.png": "dogs"}
    assert [(aside.name, aside.code) for aside in found.set_aside] == [("photos/.git/b.png", "hidden")]


def test_one_picture_is_a_file_among_files(tmp_path):
    (tmp_path / "cat.jpg").write_bytes(b"no picture at all")
    assert [c.name for c in find_pictures(tmp_path / "cat.jpg", tmp_path / "scratch").candidates] == ["cat.jpg"]


def test_names_and_captions_that_are_no_text_are_made_readable(tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "set", good(11))
    name = os.fsencode(folder / "caf") + b"\xe9.png"
    Path(os.fsdecode(name)).write_bytes(encoded(picture(5)))
    (folder / "metadata.jsonl").write_text('{"file_name": "good000.png", "text": "\\ud800!"}')
    found = find_pictures(folder, tmp_path / "scratch")
    assert "caf?.png" in names(found) and found.captions == {"good000.png": "?!"}
    dataset = prepare(folder, tmp_path / "out", PrepareConfig(resolution=16, workers=1))
    assert "caf?.png" in {line["file"] for line in open_dataset(dataset.path).manifest["files"]}


def test_a_zip_that_lost_bytes_keeps_what_can_be_read(tmp_path: Path) -> None:
    whole = zip_of(tmp_path / "whole.zip", good(4)).read_bytes()
    (tmp_path / "cut.zip").write_bytes(whole[:40] + whole[90:])
    found = find_pictures(tmp_path / "cut.zip", tmp_path / "scratch")
    assert len(names(found)) == 3 and "damaged" in codes(found).values()


def test_uploaded_archives_are_classes_too(tmp_path: Path) -> None:
    cats, dogs = zip_of(tmp_path / "cleaned.zip", good(2)), zip_of(tmp_path / "cleaned_2.zip", good(4, 2))
    found = find_pictures({"pets/cats.zip": cats, "pets/dogs.zip": dogs}, tmp_path / "scratch")
    assert set(names(found)) == {f"pets/cats/{name}" for name in good(2)} | {f"pets/dogs/{name}" for name in good(4, 2)}
    assert set(found.classes().values()) == {"cats", "dogs"}


def test_captions_beside_pictures_that_have_other_files_beside_them(tmp_path: Path) -> None:
    files = {"a.jpg": encoded(picture(1), "JPEG"), "a.json": b"{}", "a.txt": b"a red square"}  # as img2dataset has it
    found = find_pictures(folder_of(tmp_path / "set", files), tmp_path / "scratch")
    assert found.captions == {"a.jpg": "a red square"}


def test_all_archives_share_one_budget(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "FREE_RATIO", 3 << 20)
    monkeypatch.setattr(archives, "MAX_RATIO", 1)
    folder = tmp_path / "set"
    folder.mkdir()
    for number in range(3):
        zip_of(folder / f"{number}.zip", {f"{number}.bin": bytes(2 << 20)})
    found = find_pictures(folder, tmp_path / "scratch")
    assert names(found) == ["0/0.bin"] and codes(found) == {"1.zip": "bad_archive", "2.zip": "bad_archive"}
    assert len([file for file in (tmp_path / "scratch").rglob("*") if file.is_file()]) == 1  # nothing of a bomb stays


def test_a_zip_with_too_long_a_list_is_not_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "MAX_DIRECTORY", 100)
    with pytest.raises(UserError, match="cannot be opened"):
        find_pictures(zip_of(tmp_path / "set.zip", good(4)), tmp_path / "scratch")


def test_a_tar_that_jumps_back_is_not_unpacked_again_and_again(tmp_path: Path) -> None:
    header = bytearray(tarfile.TarInfo("a.png").tobuf())
    header[124:136] = (-1024 % 2**96).to_bytes(12, "big")  # a negative size, in base 256
    header[124] = 0xFF
    header[148:156] = b"        "
    header[148:156] = b"%06o\0 " % sum(header)
    good_part = io.BytesIO()
    with tarfile.open(fileobj=good_part, mode="w") as bundle:
        info = tarfile.TarInfo("good.png")
        info.size = len(encoded(picture(1)))
        bundle.addfile(info, io.BytesIO(encoded(picture(1))))
    data = good_part.getvalue()[: 512 + (info.size + 511) // 512 * 512]
    (tmp_path / "set.tar.gz").write_bytes(gzip.compress(data + bytes(header) * 4))
    found = find_pictures(tmp_path / "set.tar.gz", tmp_path / "scratch")
    assert len(found.candidates) + len(found.set_aside) < 5
