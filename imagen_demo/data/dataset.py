"""A prepared dataset on disk: ``images.npy``, ``labels.npy``, ``captions.jsonl``, ``manifest.json``."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from imagen_demo import storage
from imagen_demo.data.reasons import GROUPS, NOTES
from imagen_demo.errors import UserError

FORMAT_VERSION = 1
SMALLEST = 11  # pictures; fewer teach a network nothing


@dataclass(frozen=True)
class Dataset:
    """``images`` is uint8 [N, H, W, C], mapped from disk; ``labels`` int64 [N] or None."""

    path: Path
    name: str
    images: np.ndarray
    labels: np.ndarray | None
    class_names: list[str]
    manifest: dict[str, Any]

    def __len__(self) -> int:
        return len(self.images)

    @property
    def resolution(self) -> int:
        return self.images.shape[1]

    @property
    def channels(self) -> int:
        return self.images.shape[3]

    @property
    def fingerprint(self) -> str:
        """SHA-256 over the pictures: equal for equal pictures in equal order."""
        return self.manifest["fingerprint"]


def open_dataset(path: Path) -> Dataset:
    """Map a prepared dataset; nothing in it is ever executed.

    Raises:
        UserError: there is none, it is damaged, or it was written by a newer program.
    """
    path = Path(path)
    name, folder = path.name, storage.current_folder(path)
    try:
        manifest = storage.read_json(folder / "manifest.json")
    except (FileNotFoundError, NotADirectoryError):
        raise UserError("There is no prepared dataset {name}.", name=name) from None
    except (ValueError, OSError):
        raise _damaged(name, "manifest.json") from None
    version = manifest.get("version") if isinstance(manifest, dict) else None
    if not isinstance(version, int):
        raise _damaged(name, "manifest.json")
    if version > FORMAT_VERSION:
        raise UserError(
            "Dataset {name} has format version {version}; this program knows up to {known}. Update the program.",
            name=name, version=version, known=FORMAT_VERSION,
        )  # fmt: skip
    images = _mapped(folder / "images.npy", name)
    classes, counts = manifest.get("classes"), manifest.get("counts")
    known = isinstance(classes, list) and isinstance(counts, dict) and isinstance(manifest.get("fingerprint"), str)
    if not known:
        raise _damaged(name, "manifest.json")
    square = images.ndim == 4 and images.shape[1] == images.shape[2] and images.shape[3] in (3, 4)
    if images.dtype != np.uint8 or not square or len(images) != counts.get("accepted"):
        raise _damaged(name, "images.npy")
    labels = None
    if classes:
        labels = np.array(_mapped(folder / "labels.npy", name))
        fits = labels.dtype == np.int64 and labels.shape == (len(images),)
        if not fits or labels.min() < 0 or labels.max() >= len(classes):
            raise _damaged(name, "labels.npy")
    return Dataset(folder, name, images, labels, [str(c) for c in classes], manifest)


def _damaged(name: str, file: str) -> UserError:
    return UserError("Dataset {name} is damaged ({file}). Prepare it again.", name=name, file=file)


def _mapped(file: Path, name: str) -> np.ndarray:
    try:
        return np.load(file, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError, SyntaxError):
        raise _damaged(name, file.name) from None


def list_datasets(folder: Path) -> list[Dataset]:
    """Every dataset in ``folder`` that opens, by name; damaged ones are left out."""
    names = {p.name.removesuffix(".old") for p in Path(folder).iterdir() if p.is_dir() and not p.name.endswith(".new")}
    found = []
    for name in sorted(names):
        try:
            found.append(open_dataset(Path(folder) / name))
        except UserError:
            continue
    return found


def report(dataset: Dataset) -> list[tuple[str, dict[str, Any]]]:
    """What became of the files, as ``(template, values)`` sentences: the sum, then the most frequent reasons first."""
    counts = dataset.manifest["counts"]
    offered = counts["found"] - counts["ignored"]  # nobody misses a hidden file or a list of captions
    lines: list[tuple[str, dict[str, Any]]] = [
        ("Used as pictures: {accepted} of {found} files.", {"accepted": counts["accepted"], "found": offered})
    ]
    tally: Counter[str] = Counter()
    example: dict[str, str] = {}
    for file in dataset.manifest["files"]:
        codes = [file["code"]] if file["code"] else []
        for code in codes + [note["code"] for note in file.get("notes", [])]:
            tally[code] += 1
            example.setdefault(code, file["file"])
    sentences = {**GROUPS, **NOTES}
    order = sorted(tally, key=lambda code: (code in NOTES, -tally[code], code))  # what was left out comes first
    return lines + [
        (sentences[code], {"count": tally[code], "example": example[code]}) for code in order if code in sentences
    ]
