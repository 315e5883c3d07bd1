"""From what a user has (a folder, an archive, many files) to a list of candidate pictures. Trusts nothing."""

from __future__ import annotations

import csv
import io
import itertools
import json
import os
import stat
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from imagen_demo.data import archives
from imagen_demo.data.decode import EXTENSIONS
from imagen_demo.errors import UserError
from imagen_demo.progress import Progress, silent

MAX_TEXT = 64 << 20  # bytes of one metadata file
MAX_CAPTION = 64 << 10
MAX_LABEL = 200  # characters
LABEL_COLUMNS = ("label", "labels", "class", "category")
PICTURE_ENDINGS = frozenset().union(*EXTENSIONS.values())
CAPTION_COLUMNS = ("text", "caption", "captions", "prompt", "description")


@dataclass
class Candidate:
    """A file that may be a picture. ``name`` is what the user calls it; ``place`` its path within its own source."""

    name: str
    path: Path
    place: PurePosixPath


@dataclass
class SetAside:
    """A file that is no candidate, with the code of the reason (see ``reasons``)."""

    name: str
    code: str
    values: dict[str, Any] = field(default_factory=dict)


@dataclass
class Intake:
    """``labels`` and ``captions`` map names of candidates to what metadata files say of them."""

    source: str
    candidates: list[Candidate] = field(default_factory=list)
    set_aside: list[SetAside] = field(default_factory=list)
    labels: dict[str, str] = field(default_factory=dict)
    captions: dict[str, str] = field(default_factory=dict)

    def classes(self) -> dict[str, str]:
        """Candidate -> class: from metadata if there is any, else from the folders below the common ones."""
        if self.labels:
            return self.labels
        places = [(c.name, c.place.parts[:-1]) for c in self.candidates]
        folders = [parts for _, parts in places]
        common = _common(folders)
        if any(len(parts) > len(common) for parts in folders):
            return {name: parts[len(common)] for name, parts in places if len(parts) > len(common)}
        if common or "/" not in "".join(c.name for c in self.candidates):
            return {}
        # cats.zip and dogs.zip, flat inside: the archives are the classes
        return {c.name: c.name.partition("/")[0] for c in self.candidates if "/" in c.name}


Source = Path | Sequence[Path] | Mapping[str, Path]  # a folder or archive; files; or files by their place in a folder


def find_pictures(source: Source, scratch: Path, progress: Progress = silent) -> Intake:
    """List what ``source`` holds; archives are unpacked into ``scratch``, which the caller deletes.

    Raises:
        UserError: the source is gone, unreadable, empty, not an archive, or a bomb.
        Cancelled: from ``progress``.
    """
    if isinstance(source, Mapping):
        finder = _Finder(Intake(next(iter(source), "/").partition("/")[0]), scratch, progress)
        for place, path in source.items():
            finder.add_placed(path, PurePosixPath(place))
        finder.finish()
        return finder.intake
    sources = [Path(source)] if isinstance(source, (str, Path)) else [Path(s) for s in source]
    if not sources:
        raise UserError("No files were given.")
    alone = len(sources) == 1
    intake = Intake(sources[0].name if alone else f"{len(sources)} files")
    finder = _Finder(intake, scratch, progress)
    for path in sources:
        try:
            finder.add(path, alone)
        except FileNotFoundError:
            raise UserError("{name} is not there any more.", name=path.name or str(path)) from None
        except PermissionError:
            raise UserError("{name} may not be read.", name=path.name) from None
    finder.finish()
    return intake


class _Finder:
    def __init__(self, intake: Intake, scratch: Path, progress: Progress) -> None:
        self.intake, self.scratch, self.progress = intake, scratch, progress
        self.names: dict[str, int] = {}  # name -> the number a second file of that name gets
        self.archive_count = 0

    def add(self, path: Path, alone: bool) -> None:
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            self._folder(path, "" if alone else path.name + "/")
        elif not stat.S_ISREG(mode):
            raise UserError("{name} is neither a folder nor a file.", name=path.name)
        else:
            with open(path, "rb") as file:
                which = archives.kind(file.read(512))
            if which and alone:
                self._archive(path, "")
            elif which:
                self._archive_among_others(path, path.name, _stem(path) + "/")
            elif alone and path.suffix.lower().lstrip(".") not in PICTURE_ENDINGS:
                raise UserError(
                    "{name} is neither a folder nor a zip or tar archive of pictures, nor are there several files.",
                    name=path.name,
                )
            else:
                self._file(path, path.name, PurePosixPath(path.name))

    def add_placed(self, path: Path, place: PurePosixPath) -> None:
        """A file that lay at ``place`` in a folder and lies elsewhere now. The place is only ever a name."""
        if any(archives.hidden(part) for part in place.parts):
            self._aside(str(place), "hidden")
        else:
            self._plain(path, str(place), place)

    def _folder(self, folder: Path, prefix: str) -> None:
        def unreadable(error: OSError) -> None:
            if Path(error.filename) == folder:
                raise error
            self._aside(prefix + Path(error.filename).relative_to(folder).as_posix(), "unreadable")

        for root, folders, files in os.walk(folder, onerror=unreadable, followlinks=False):
            folders.sort()
            for name in list(folders):
                path = Path(root, name)
                inside = path.relative_to(folder).as_posix()
                code = "hidden" if archives.hidden(name) else "link" if path.is_symlink() else ""
                if code:
                    self._aside(prefix + inside, code)
                    folders.remove(name)
            for name in sorted(files):
                path = Path(root, name)
                place = PurePosixPath(path.relative_to(folder).as_posix())
                self._plain(path, prefix + str(place), place)

    def _plain(self, path: Path, name: str, place: PurePosixPath) -> None:
        head = None
        try:
            mode = path.lstat().st_mode
            if archives.hidden(path.name):
                self._aside(name, "hidden")
            elif stat.S_ISLNK(mode):
                self._aside(name, "link")
            elif not stat.S_ISREG(mode):
                self._aside(name, "special")
            else:
                with open(path, "rb") as file:
                    head = file.read(512)
        except OSError:
            self._aside(name, "unreadable")
            return
        if head is not None and archives.kind(head):
            self._archive_among_others(path, name, name.removesuffix(path.name) + _stem(path) + "/")
        elif head is not None:
            self._file(path, name, place)

    def _archive_among_others(self, path: Path, name: str, prefix: str) -> None:
        try:
            self._archive(path, prefix)
        except UserError as error:  # one bad archive does not spoil the rest
            self._aside(name, "bad_archive", problem=str(error))

    def _archive(self, path: Path, prefix: str) -> None:
        self.archive_count += 1
        where = self.scratch / f"archive{self.archive_count}"

        def watch(fraction: float) -> None:
            self.progress(fraction, f"Unpacking {path.name}")

        for entry in archives.unpack(path, where, watch):
            name = prefix + entry.name
            if entry.path is None:
                self._aside(name, entry.code, **entry.values)
            else:
                self._file(entry.path, name, PurePosixPath(entry.name))

    def _file(self, path: Path, name: str, place: PurePosixPath) -> None:
        self.intake.candidates.append(Candidate(self._unique(name), path, place))

    def _aside(self, name: str, code: str, **values: Any) -> None:
        self.intake.set_aside.append(SetAside(self._unique(name), code, values))

    def _unique(self, name: str) -> str:
        candidate = name
        while candidate in self.names:  # counted on: an archive may repeat one name half a million times
            candidate = f"{name} ({self.names[name]})"
            self.names[name] += 1
        self.names[candidate] = 2
        return candidate

    def finish(self) -> None:
        """Take the metadata out of the candidates and put both lists in order."""
        intake = self.intake
        by_name = {c.name: c for c in intake.candidates}
        stems = {c.name.rpartition(".")[0]: c.name for c in intake.candidates if not c.name.lower().endswith(".txt")}
        metadata = {name for name, c in by_name.items() if _read_metadata(c, by_name, stems, intake)}
        intake.set_aside += [SetAside(name, "metadata") for name in metadata]
        intake.candidates = sorted((c for c in intake.candidates if c.name not in metadata), key=lambda c: c.name)
        intake.set_aside.sort(key=lambda s: s.name)
        if not intake.candidates and not intake.set_aside:
            raise UserError("{name} is empty.", name=intake.source)
        if not intake.candidates and any(s.code == "encrypted" for s in intake.set_aside):
            raise UserError("{name} is protected by a password. Pack it again without one.", name=intake.source)


def _common(folders: list[tuple[str, ...]]) -> tuple[str, ...]:
    """The folders that all share, from the top."""
    shared = itertools.takewhile(lambda level: len(set(level)) == 1, zip(*folders, strict=False))
    return tuple(level[0] for level in shared)


def _stem(path: Path) -> str:
    name = path.name
    for ending in (".tar.gz", ".tar.xz", ".tar.bz2", ".tgz", ".txz", ".tbz2", ".tar", ".zip"):
        if name.lower().endswith(ending) and len(name) > len(ending):
            return name[: -len(ending)]
    return name


def _read_metadata(candidate: Candidate, names: dict[str, Any], stems: dict[str, str], intake: Intake) -> bool:
    """Whether ``candidate`` is a metadata file; what it says goes into ``intake``."""
    folder, _, file = candidate.name.rpartition("/")
    prefix = folder + "/" if folder else ""
    size = candidate.path.stat().st_size
    if file.endswith(".txt"):
        picture = stems.get(candidate.name.removesuffix(".txt"))
        if picture and size <= MAX_CAPTION:
            text = candidate.path.read_text(encoding="utf-8", errors="replace").strip()
            if text:
                intake.captions.setdefault(picture, text)
            return True
        return False
    if file not in ("dataset.json", "metadata.csv", "metadata.jsonl") or size > MAX_TEXT:
        return False
    text = candidate.path.read_text(encoding="utf-8-sig", errors="replace")
    try:
        rows = _rows(file, text)
    except (ValueError, csv.Error, RecursionError):
        return False  # it ends among the dropped, as no picture
    for row in rows:
        name = prefix + str(row.get("file_name"))
        if name not in names:
            continue
        label = next((row[c] for c in LABEL_COLUMNS if _given(row.get(c))), None)
        caption = next((row[c] for c in CAPTION_COLUMNS if _given(row.get(c))), None)
        if label is not None:
            intake.labels[name] = str(label)[:MAX_LABEL]
        if caption is not None:
            intake.captions[name] = str(caption)[:MAX_CAPTION]
    return True


def _given(value: Any) -> bool:
    return isinstance(value, (str, int)) and value != ""


def _rows(file: str, text: str) -> list[dict[str, Any]]:
    """The rows of any of the three formats as dicts with ``file_name``."""
    if file == "metadata.csv":
        return list(csv.DictReader(io.StringIO(text)))
    if file == "metadata.jsonl":
        rows = [json.loads(line) for line in text.splitlines() if line.strip()]
        return [row for row in rows if isinstance(row, dict)]
    labels = json.loads(text)
    labels = labels.get("labels") if isinstance(labels, dict) else None
    pairs = labels.items() if isinstance(labels, dict) else labels if isinstance(labels, list) else []
    pairs = [p for p in pairs if isinstance(p, (list, tuple)) and len(p) == 2]
    return [{"file_name": name, "label": label} for name, label in pairs]
