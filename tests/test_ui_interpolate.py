"""Interpolate's calls: specs old and new, sounds that visitors give, links; without a browser."""

from __future__ import annotations

import json
import os
from pathlib import Path

import av
import numpy as np
import pytest
from sounds import write_beats

from imagen_demo.errors import UserError
from imagen_demo.media.audio import read_sound
from imagen_demo.progress import silent
from imagen_demo.studio.recipes import Recipe, Studio
from imagen_demo.studio.timeline import Timeline

gr = pytest.importorskip("gradio")

from imagen_demo.ui import interpolate, sounds, widgets  # noqa: E402

SPEC = {"recipes": [{"model": "tiny"}, {"model": "tiny", "seeds": [[1, 1]]}, {"model": "tiny", "seeds": [[2, 1]]}]}


@pytest.fixture
def uploads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Gradio's folder, for this test alone."""
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "uploads"))
    monkeypatch.setattr(sounds, "_heard", type(sounds._heard)())
    (tmp_path / "uploads" / "abc").mkdir(parents=True)
    return tmp_path / "uploads"


def test_old_specs_and_new_ones_mean_the_same() -> None:
    old = interpolate.timeline_from(SPEC | {"space": "z", "easing": "cubic", "seconds": 3, "loop": True, "fps": 12})
    new = {"kind": "z", "easings": ["cubic"] * 3, "seconds": [1, 1, 1], "closed": True, "fps": 12}
    assert interpolate.timeline_from(SPEC | new) == old
    assert interpolate.timeline_from({"t": old.to_link()}) == old
    assert interpolate.timeline_from(SPEC).seconds == (2, 2)


@pytest.mark.parametrize(
    "spec", [None, [], {}, {"t": "x"}, {"recipes": "x"}, SPEC | {"seconds": "3"}, SPEC | {"seconds": True},
             SPEC | {"kind": {}}, SPEC | {"sound": "/etc/passwd"}, SPEC | {"size": "512"}],
)  # fmt: skip
def test_nonsense_gets_a_sentence(spec: object) -> None:
    with pytest.raises(UserError):
        interpolate.timeline_from(spec)


def test_a_sound_is_found_again_by_its_hash_and_nothing_else(uploads: Path, tmp_path: Path) -> None:
    given = write_beats(uploads / "abc" / "my song.wav")
    kept = sounds.keep(str(given), "my song.wav")
    assert sounds.find(kept.hash) is not None and sounds.facts(kept)["beats"] == [round(b, 2) for b in kept.beats]
    os.utime(kept.path.parent, (0, 0))
    sounds.find(kept.hash)
    assert kept.path.parent.stat().st_mtime > 0  # used just now, so it stays for two days
    os.utime(kept.path.parent, (0, 0))
    assert sounds.keep(str(given), "my song.wav").path.is_file()  # given again long after, it stays, too
    sounds._heard.clear()
    given.unlink()
    again = sounds.find(kept.hash)
    assert again is not None and again.hash == kept.hash and again.beats == kept.beats
    kept.path.write_bytes(write_beats(tmp_path / "other.wav", beats=(1.5,)).read_bytes())
    sounds._heard.clear()
    assert sounds.find(kept.hash) is None  # no longer that sound
    assert sounds.find("../../etc") is None and sounds.find("0" * 16) is None


def test_only_uploads_are_listened_to(uploads: Path, tmp_path: Path) -> None:
    elsewhere = write_beats(tmp_path / "private.wav")
    link = uploads / "abc" / "link.wav"
    link.symlink_to(elsewhere)
    for path in (elsewhere, uploads / "abc" / ".." / ".." / "private.wav", link, uploads / "gone.wav", "", None, 3):
        with pytest.raises(UserError, match="cannot be read"):
            sounds.keep(path, "private.wav")


def test_a_film_with_a_sound_and_one_whose_sound_is_gone(
    uploads: Path, workspace, tiny_model_folder, tmp_path: Path
) -> None:
    studio, sound = Studio(workspace, "cpu"), read_sound(write_beats(tmp_path / "a.wav"))
    spec = SPEC | {"seconds": 1, "fps": 10, "size": 32}
    with av.open(interpolate.write_video(studio, spec, silent, sound)) as film:
        assert film.streams.audio and film.duration / 1e6 == pytest.approx(1, abs=0.05)
    with pytest.raises(UserError, match="sound that is not here"):
        interpolate.write_video(studio, spec | {"sound": sound.hash}, silent)


def test_a_picture_s_file_is_read(workspace, tiny_model_folder) -> None:
    studio = Studio(workspace, "cpu")
    recipe = Recipe("tiny", seeds=((5, 1),), psi=0.6)
    sent = {"name": "a.png", "data": widgets.file_url(studio.png(recipe), "image/png")}
    answer = interpolate._read(studio, sent, "en")
    assert answer == {"recipe": widgets.recipe_data(recipe), "note": None}
    with pytest.raises(UserError, match=r"a\.png cannot be read as a PNG"):
        interpolate._read(studio, sent | {"data": "data:,AAAA"}, "en")


def test_a_link_opens_and_says_what_is_not_as_it_was(uploads: Path, workspace, tiny_model_folder) -> None:
    studio = Studio(workspace, "cpu")
    recipes = tuple(Recipe("tiny", "0" * 12, ((seed, 1),)) for seed in (1, 2))
    wanted = Timeline(recipes, "spline", (1,), sound="0" * 16)
    answer = interpolate._open(workspace, studio, {"t": wanted.to_link()}, "en")
    assert "another version of the model" in answer["note"] and "sound that is not here" in answer["note"]
    assert answer["timeline"]["sound"] == "" and answer["sound"] is None and len(answer["images"]) == 2
    assert interpolate.timeline_from(json.loads(json.dumps(answer["timeline"]))).kind == "spline"
    with pytest.raises(UserError, match="There is no model named gone"):
        interpolate._open(workspace, studio, {"t": Timeline((Recipe("gone"), Recipe("gone"))).to_link()}, "en")


def test_a_film_too_long_for_a_link_says_so(workspace, tiny_model_folder) -> None:
    chance = np.random.default_rng(0)
    blends = [[[int(chance.integers(2**32)), float(chance.random())] for _ in range(8)] for _ in range(64)]
    recipes = [{"model": "tiny", "seeds": blend} for blend in blends]
    with pytest.raises(UserError, match="too much in it for a link"):
        interpolate._link(Studio(workspace, "cpu"), {"timeline": {"recipes": recipes, "seconds": 30}})
