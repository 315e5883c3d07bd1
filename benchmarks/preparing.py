"""Preparing a zip of photos, against the plain Pillow loop that every tutorial has, on one core."""

from __future__ import annotations

import tempfile
import time
import zipfile
from pathlib import Path

import numpy as np
import typer
from PIL import Image, ImageOps

from imagen_demo.config import PrepareConfig
from imagen_demo.data.prepare import prepare


def photos(folder: Path, count: int, distinct: int = 100) -> None:
    """``count`` JPEG files of 1400 x 1050; as many different pictures as ``distinct``, each with a mark of its own."""
    rng = np.random.default_rng(0)
    base = []
    for _ in range(distinct):
        small = Image.fromarray(rng.integers(0, 256, (24, 32, 3), dtype=np.uint8))
        noise = rng.normal(0, 12, (1050, 1400, 3))
        big = np.asarray(small.resize((1400, 1050), Image.Resampling.BICUBIC)) + noise
        base.append(np.clip(big, 0, 255).astype(np.uint8))
    for i in range(count):
        picture = base[i % distinct].copy()
        picture[:300, :300] = rng.integers(0, 256, 3)
        picture[400:700, 500:900] = rng.integers(0, 256, 3)
        Image.fromarray(picture).save(folder / f"{i:05d}.jpg", quality=88)


def main(count: int = 2000, resolution: int = 64) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "photos"
        folder.mkdir()
        photos(folder, count)
        archive = Path(scratch) / "photos.zip"
        with zipfile.ZipFile(archive, "w") as out:
            for file in sorted(folder.iterdir()):
                out.write(file, file.name)

        sample = sorted(folder.iterdir())[: max(1, count // 10)]  # the plain loop is steady; a tenth tells
        started = time.perf_counter()
        for file in sample:
            np.asarray(
                ImageOps.fit(Image.open(file).convert("RGB"), (resolution, resolution), Image.Resampling.LANCZOS)
            )
        plain = (time.perf_counter() - started) / len(sample) * count

        started = time.perf_counter()
        dataset = prepare(archive, Path(scratch) / "prepared", PrepareConfig(resolution=resolution))
        ours = time.perf_counter() - started
        print(f"{len(dataset)} of {count} photos of {1.4 * 1.05:.1f} megapixels to {resolution} px")
        print(f"plain Pillow loop {plain:.1f} s, ours {ours:.1f} s: {plain / ours:.1f} times as fast")


if __name__ == "__main__":
    typer.run(main)
