"""From what a user has (a folder, an archive, many files) to a list of candidate pictures. Trusts nothing."""

from __future__ import annotations

import csv
import io
import itertools
import json
import os
import shutil
import stat
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePath, PurePosixPath
from typing import Any

from imagen_demo.data import archives
from imagen_demo.data.decode import EXTENSIONS
from imagen_demo.errors import UserError
from imagen_demo.progress import Progress, silent

# Metadata files, and bytes of each at most: JSON lies in memory whole, as objects.
MOST_METADATA = {"dataset.json": 16 << 20, "metadata.csv": 64 << 20, "metadata.jsonl": 64 << 20}
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
            return _below(common, places)
        # cats.zip and dogs.zip, flat inside: the archives are the classes
        names = [(c.name, PurePosixPath(c.name).parts[:-1]) for c in self.candidates]
        return {} if common else _below(_common([parts for _, parts in names]), names)


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
        self.budget = archives.Budget()

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
                if path.suffix.lower() in (".zip", ".tar", ".tgz"):
                    raise UserError("{name} is damaged or not an archive; it cannot be opened.", name=path.name)
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
            self._archive_among_others(path, name, name.removesuffix(place.name) + _stem(place) + "/")
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
        candidates, spent = len(self.intake.candidates), self.budget.bytes

        def watch(fraction: float) -> None:
            self.progress(fraction, f"Unpacking {path.name}")

        try:
            for entry in archives.unpack(path, where, watch, self.budget):
                name = prefix + entry.name
                if entry.path is None:
                    self._aside(name, entry.code, **entry.values)
                else:
                    self._file(entry.path, name, PurePosixPath(entry.name))
        except UserError:  # none of it is used
            del self.intake.candidates[candidates:]
            shutil.rmtree(where, ignore_errors=True)
            self.budget.bytes = spent
            raise

    def _file(self, path: Path, name: str, place: PurePosixPath) -> None:
        self.intake.candidates.append(Candidate(self._unique(name), path, PurePosixPath(_readable(str(place)))))

    def _aside(self, name: str, code: str, **values: Any) -> None:
        self.intake.set_aside.append(SetAside(self._unique(name), code, values))

    def _unique(self, name: str) -> str:
        candidate = name = _readable(name)
        while candidate in self.names:  # counted on: an archive may repeat one name half a million times
            candidate = f"{name} ({self.names[name]})"
            self.names[name] += 1
        self.names[candidate] = 2
        return candidate

    def finish(self) -> None:
        """Take the metadata out of the candidates and put both lists in order."""
        intake = self.intake
        by_name = {c.name: c for c in intake.candidates}
        pictures = (name for name in by_name if name.rpartition(".")[2].lower() in PICTURE_ENDINGS)
        stems = {name.rpartition(".")[0]: name for name in pictures}
        metadata = {name for name, c in by_name.items() if _read_metadata(c, by_name, stems, intake)}
        intake.set_aside += [SetAside(name, "metadata") for name in metadata]
        intake.candidates = sorted((c for c in intake.candidates if c.name not in metadata), key=lambda c: c.name)
        intake.set_aside.sort(key=lambda s: s.name)
        if not intake.candidates and not intake.set_aside:
            raise UserError("{name} is empty. Choose one with pictures.", name=intake.source)
        if not intake.candidates and any(s.code == "encrypted" for s in intake.set_aside):
            raise UserError("{name} is protected by a password. Pack it again without one.", name=intake.source)


def _below(common: tuple[str, ...], places: list[tuple[str, tuple[str, ...]]]) -> dict[str, str]:
    """Name -> the folder below the common ones, of those that lie in one."""
    return {name: parts[len(common)][:MAX_LABEL] for name, parts in places if len(parts) > len(common)}


def _common(folders: list[tuple[str, ...]]) -> tuple[str, ...]:
    """The folders that all share, from the top."""
    shared = itertools.takewhile(lambda level: len(set(level)) == 1, zip(*folders, strict=False))
    return tuple(level[0] for level in shared)


def _readable(text: str) -> str:
    """With a question mark for what is no text: names of files in another encoding cannot be written as JSON."""
    return text.encode("utf-8", "replace").decode()


def _stem(path: PurePath) -> str:
    name = path.name
    for ending in (".tar.gz", ".tar.xz", ".tar.bz2", ".tgz", ".txz", ".tbz2", ".tar", ".zip"):
        if name.lower().endswith(ending) and len(name) > len(ending):
            return name[: -len(ending)]
    return name


def _read_metadata(candidate: Candidate, names: dict[str, Any], stems: dict[str, str], intake: Intake) -> bool:
    """Whether ``candidate`` is a metadata file; what it says goes into ``intake``."""
    folder, _, file = candidate.name.rpartition("/")
    prefix = folder + "/" if folder else ""
    caption_of = stems.get(candidate.name.removesuffix(".txt")) if file.endswith(".txt") else None
    try:
        if candidate.path.stat().st_size > (MAX_CAPTION if caption_of else MOST_METADATA.get(file, -1)):
            return False
        text = candidate.path.read_text(encoding="utf-8-sig", errors="replace")
    except OSError:  # gone meanwhile
        return False
    if caption_of:
        if text := text.strip():
            intake.captions.setdefault(caption_of, text)
        return True
    labels, captions = {}, {}
    try:
        for row in _rows(file, text):
            name = prefix + str(row.get("file_name"))
            if name not in names:
                continue
            label = next((row[c] for c in LABEL_COLUMNS if _given(row.get(c))), None)
            caption = next((row[c] for c in CAPTION_COLUMNS if _given(row.get(c))), None)
            if label is not None:
                labels[name] = _readable(str(label)[:MAX_LABEL])
            if caption is not None:
                captions[name] = _readable(str(caption)[:MAX_CAPTION])
    except (ValueError, csv.Error, RecursionError):
        return False  # it ends among the dropped, as no picture
    intake.labels |= labels
    intake.captions |= captions
    return True


def _given(value: Any) -> bool:
    return isinstance(value, (str, int)) and value != ""


def _rows(file: str, text: str) -> Iterator[dict[str, Any]]:
    """The rows of any of the three formats as dicts with ``file_name``, one at a time."""
    if file == "metadata.csv":
        yield from csv.DictReader(io.StringIO(text))
    elif file == "metadata.jsonl":
        rows = (json.loads(line) for line in io.StringIO(text) if line.strip())
        yield from (row for row in rows if isinstance(row, dict))
    else:
        labels = json.loads(text)
        labels = labels.get("labels") if isinstance(labels, dict) else None
        pairs = labels.items() if isinstance(labels, dict) else labels if isinstance(labels, list) else []
        yield from ({"file_name": p[0], "label": p[1]} for p in pairs if isinstance(p, (list, tuple)) and len(p) == 2)
