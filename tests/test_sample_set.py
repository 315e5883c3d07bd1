"""The planets that our own code draws."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from imagen_demo.data.sample_set import draw, random_planet, write_sample_set
from imagen_demo.errors import Cancelled


def test_same_seed_same_planet_and_other_seed_other_planet() -> None:
    one, again, other = (np.asarray(draw(random_planet(np.random.default_rng((0, i))), 32)) for i in (1, 1, 2))
    assert np.array_equal(one, again)
    assert np.abs(one.astype(int) - other).mean() > 1


def test_alpha_is_clear_outside_solid_inside_and_soft_between() -> None:
    image = draw(random_planet(np.random.default_rng(3)), 64, alpha=True)
    alpha = np.asarray(image)[..., 3]
    assert image.mode == "RGBA"
    assert alpha[0, 0] == alpha[-1, -1] == 0 and alpha[32, 32] == 255
    assert np.count_nonzero((alpha > 0) & (alpha < 255)) > 30


def test_the_light_falls_from_the_planets_sun() -> None:
    for seed in range(12):
        planet = random_planet(np.random.default_rng(seed))
        grey = np.asarray(draw(planet, 64, alpha=True).convert("RGBa").convert("RGBA")).astype(float)
        light = grey[..., :3].mean(axis=2)
        y, x = np.mgrid[-31.5:32, -31.5:32] / 64
        side = x * planet.light[0] + y * planet.light[1]
        ball = x**2 + y**2 < (0.9 * planet.radius) ** 2
        assert light[ball & (side > 0)].mean() > light[ball & (side < 0)].mean()


def test_files_and_captions_are_written(tmp_path: Path) -> None:
    seen: list[float] = []
    write_sample_set(tmp_path / "set", count=5, size=16, alpha=True, progress=lambda f, _: seen.append(f))
    files = sorted((tmp_path / "set").glob("*.png"))
    rows = [json.loads(line) for line in (tmp_path / "set" / "metadata.jsonl").read_text().splitlines()]
    assert [row["file_name"] for row in rows] == [file.name for file in files] and len(files) == 5
    assert all(row["text"].startswith("a ") for row in rows)
    assert Image.open(files[0]).size == (16, 16) and Image.open(files[0]).mode == "RGBA"
    assert seen == sorted(seen) and seen[-1] == 1.0


def test_cancelling_leaves_no_folder(tmp_path: Path) -> None:
    def stop(fraction: float, text: str) -> None:
        if fraction > 0.5:
            raise Cancelled

    with pytest.raises(Cancelled):
        write_sample_set(tmp_path / "set", count=6, size=16, progress=stop)
    assert list(tmp_path.iterdir()) == []
