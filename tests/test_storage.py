"""Files appear whole or not at all."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from imagen_demo import storage
from imagen_demo.errors import UserError
from imagen_demo.workspace import checked_name, free_name


def test_threads_may_write_the_same_file(tmp_path: Path) -> None:
    values = [{"number": number, "text": "x" * 1000} for number in range(40)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda value: storage.write_json(tmp_path / "control.json", value), values))
    assert storage.read_json(tmp_path / "control.json") in values
    assert os.listdir(tmp_path) == ["control.json"]


def test_a_failed_write_keeps_the_old_file_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    storage.write_bytes(tmp_path / "file", b"old")

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError):
        storage.write_bytes(tmp_path / "file", b"new")
    assert (tmp_path / "file").read_bytes() == b"old" and os.listdir(tmp_path) == ["file"]


def test_a_failed_replacement_keeps_the_old_folder(tmp_path: Path) -> None:
    storage.replace_folder(tmp_path / "model", lambda new: (new / "a").write_text("old"))

    def fail(new: Path) -> None:
        (new / "a").write_text("half")
        raise ValueError

    with pytest.raises(ValueError):
        storage.replace_folder(tmp_path / "model", fail)
    assert (tmp_path / "model" / "a").read_text() == "old" and os.listdir(tmp_path) == ["model"]


def test_a_copy_left_by_an_interrupted_replacement_is_read_and_its_name_is_taken(tmp_path: Path) -> None:
    (tmp_path / "cats.old").mkdir()  # killed between the two renames
    assert storage.current_folder(tmp_path / "cats") == tmp_path / "cats.old"
    assert free_name("cats", tmp_path) == "cats-2"  # a new "cats" would sweep the only copy away
    assert free_name("dogs", tmp_path) == "dogs"


def test_a_free_name_is_one_that_can_be_a_name(tmp_path: Path) -> None:
    longest = "x" * 64
    (tmp_path / longest).mkdir()
    free = free_name(longest, tmp_path)
    assert checked_name(free) == free == "x" * 62 + "-2"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("My Cats & dögs", "'My Cats & dögs' cannot be a name: '&' cannot be in one. Use letters,"),
        ("a/b\\c/d", r"cannot be a name: '/', '\\' cannot be in one"),
        ("x" * 65, "A name can have at most 64 characters; this one has 65."),
        ("  ", "A name cannot be empty."),
        (".hidden", "'.hidden' cannot be a name: one begins with"),
        ("end.", "'end.' cannot be a name: one begins with a letter, a digit or '_', and ends with no '.'."),
    ],
)
def test_what_is_wrong_with_a_name_is_said(name: str, said: str) -> None:
    with pytest.raises(UserError) as caught:
        checked_name(name)
    assert said in str(caught.value)


@pytest.mark.parametrize("name", ["nul", "COM1", "lpt9.txt", "nul.png"])
def test_names_that_windows_keeps_are_refused(name: str) -> None:
    with pytest.raises(UserError, match="cannot be a name"):
        checked_name(name)
