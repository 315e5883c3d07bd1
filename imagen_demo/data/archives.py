"""Zips and tars from strangers: unpacked under our own names, within hard limits, links and tricks refused.

No size written in an archive is believed: every byte is counted as it is unpacked.
"""

from __future__ import annotations

import bz2
import errno
import gzip
import io
import lzma
import stat
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from imagen_demo.data.decode import MAX_FILE
from imagen_demo.errors import UserError

MAX_ENTRIES = 500_000
MAX_DIRECTORY = 128 << 20  # bytes of a zip's list of its entries, which takes over ten times that in memory
MAX_TOTAL = 50 << 30  # bytes unpacked
MAX_RATIO = 200  # unpacked / packed; photographs are near 1, flat BMPs below 100
FREE_RATIO = 256 << 20  # so much may come out at any ratio: small archives of flat drawings are honest
CHUNK = 1 << 20
ZIP, TAR, FOREIGN = "zip", "tar", "foreign"
_OPENERS: dict[bytes, Callable[[BinaryIO], BinaryIO]] = {
    b"\x1f\x8b": lambda f: gzip.GzipFile(fileobj=f),
    b"BZh": bz2.BZ2File,
    b"\xfd7zXZ\x00": lzma.LZMAFile,
}
_BROKEN = (
    zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError, struct.error,
    EOFError, RuntimeError, ValueError, IndexError, OSError,
)  # fmt: skip


@dataclass
class Entry:
    """One thing found in an archive: a file now at ``path``, or a refusal with its ``code``."""

    name: str
    path: Path | None = None
    code: str = ""
    values: dict[str, int] = field(default_factory=dict)  # for the sentence of ``code``


def kind(head: bytes) -> str | None:
    """What the first 512 bytes of a file say: zip, tar (packed or not), another archive, or None."""
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return ZIP
    if head.startswith(tuple(_OPENERS)) or head[257:262] == b"ustar":
        return TAR
    if head.startswith((b"Rar!\x1a\x07", b"7z\xbc\xaf\x27\x1c")):
        return FOREIGN
    return None


def hidden(name: str) -> bool:
    """Files that systems leave about: dot files, ``__MACOSX``, ``Thumbs.db``, ``desktop.ini``."""
    parts = PurePosixPath(name).parts
    return any(p.startswith(".") or p == "__MACOSX" for p in parts) or (
        bool(parts) and parts[-1].lower() in ("thumbs.db", "desktop.ini", "ehthumbs.db")
    )


def unsafe(name: str) -> bool:
    """A name that would leave the folder it is unpacked into, on any system."""
    name = name.replace("\\", "/")
    return name.startswith("/") or ".." in name.split("/") or name[1:2] == ":" or "\0" in name


def open_zip(file: Path) -> zipfile.ZipFile:
    """The zip, whose directory is read at once, unless that is too large for the memory: BadZipFile."""
    with open(file, "rb") as opened:
        end = zipfile._EndRecData(opened)  # what ZipFile itself goes by
    if end and end[zipfile._ECD_SIZE] > MAX_DIRECTORY:
        raise zipfile.BadZipFile("the directory is too large")
    return zipfile.ZipFile(file)


class Budget:
    """Counts what the archives of one intake give out, and stops a bomb."""

    def __init__(self) -> None:
        self.name, self.packed, self.bytes, self.entries = "", 0, 0, 0

    def open(self, archive: Path) -> None:
        """The next archive, whose size allows more to come."""
        self.name, self.packed = archive.name, self.packed + archive.stat().st_size

    @property
    def limit(self) -> int:
        return min(MAX_TOTAL, max(FREE_RATIO, MAX_RATIO * self.packed))

    def spend(self, count: int) -> None:
        self.bytes += count
        if self.bytes > self.limit:
            raise UserError(
                "{name} unpacks to far more than its size allows (a zip bomb?). It was not used.", name=self.name
            )

    def entry(self) -> None:
        self.entries += 1
        if self.entries > MAX_ENTRIES:
            raise UserError("{name} has more than {limit} entries.", name=self.name, limit=MAX_ENTRIES)


class _Counted(io.RawIOBase):
    """An unpacking stream for tarfile that spends from the budget, skipping included."""

    def __init__(self, stream: BinaryIO, budget: Budget) -> None:
        self.stream, self.budget, self.furthest = stream, budget, 0

    def _count(self) -> None:
        here = self.stream.tell()
        if here > self.furthest:
            self.budget.spend(here - self.furthest)
            self.furthest = here

    def read(self, size: int = -1) -> bytes:
        if not 0 <= size <= 4 * CHUNK:  # only a crafted header asks for so much at once
            raise tarfile.ReadError("oversized header")
        data = self.stream.read(size)
        self._count()
        return data

    def seek(self, offset: int, whence: int = 0) -> int:
        here = self.stream.tell()
        if offset < here:  # nothing lawful asks for that: a crafted size would have it unpacked again and again
            raise tarfile.ReadError("backwards")
        while offset - here > 4 * CHUNK:  # skip in steps, so that a bomb stops early
            before, here = here, self.stream.seek(here + 4 * CHUNK)
            self._count()
            if here <= before:
                break  # the stream ends here
        position = self.stream.seek(offset, whence)
        self._count()
        return position

    def tell(self) -> int:
        return self.stream.tell()


def unpack(archive: Path, scratch: Path, watch: Callable[[float], None], budget: Budget) -> Iterator[Entry]:
    """Unpack ``archive`` into numbered files in ``scratch``; yields every entry but folders.

    ``watch`` gets the fraction of the archive done and may raise ``Cancelled``; ``budget`` is that of all archives of
    the intake.

    Raises:
        UserError: a bomb, or nothing that can be opened.
    """
    with open(archive, "rb") as file:
        which = kind(file.read(512))
    if which == FOREIGN:
        raise UserError("{name} is an archive of a kind that is not read. Pack it as zip.", name=archive.name)
    budget.open(archive)
    before = budget.entries
    scratch.mkdir(parents=True, exist_ok=True)
    entries = _unzip if which == ZIP else _untar
    try:
        yield from entries(archive, scratch, budget, watch)
    except _BROKEN as error:
        _raise_if_the_disk_is_to_blame(error)
        if budget.entries == before:
            raise UserError("{name} is damaged or not an archive; it cannot be opened.", name=archive.name) from None
        yield Entry(archive.name, code="archive_damaged")


def _unzip(archive: Path, scratch: Path, budget: Budget, watch: Callable[[float], None]) -> Iterator[Entry]:
    with open_zip(archive) as bundle:
        infos = bundle.infolist()
        for index, info in enumerate(infos):
            watch(index / len(infos))
            budget.entry()
            if info.is_dir():
                continue
            mode = info.external_attr >> 16
            code = _refusal(info.filename, stat.S_ISLNK(mode), bool(stat.S_IFMT(mode)) and not stat.S_ISREG(mode))
            if not code and info.flag_bits & 1:
                code = "encrypted"
            if code:
                yield Entry(info.filename, code=code)
                continue
            try:
                with bundle.open(info) as stream:
                    yield _copied(stream, info.filename, scratch / f"{budget.entries:06d}", budget)
            except _BROKEN as error:  # a wrong checksum, an unknown packing
                _raise_if_the_disk_is_to_blame(error)
                yield Entry(info.filename, code="damaged")


def _untar(archive: Path, scratch: Path, budget: Budget, watch: Callable[[float], None]) -> Iterator[Entry]:
    size = max(1, archive.stat().st_size)
    with open(archive, "rb") as file:
        head = file.read(6)
        file.seek(0)
        opener = next((open_ for magic, open_ in _OPENERS.items() if head.startswith(magic)), None)
        stream = opener(file) if opener else file
        with tarfile.open(fileobj=_Counted(stream, budget), mode="r:") as bundle:
            for member in iter(bundle.next, None):
                watch(min(1.0, file.tell() / size))
                budget.entry()
                bundle.members.clear()  # or a tar of half a million entries stays in memory
                if member.isdir():
                    continue
                special = not member.isreg() or member.issparse()
                code = _refusal(member.name, member.issym() or member.islnk(), special)
                if code:
                    yield Entry(member.name, code=code)
                    continue
                try:
                    with bundle.extractfile(member) as content:
                        yield _copied(content, member.name, scratch / f"{budget.entries:06d}", None)
                except _BROKEN as error:
                    _raise_if_the_disk_is_to_blame(error)
                    yield Entry(member.name, code="damaged")
                    raise  # a tar cannot be read past such a place


def _raise_if_the_disk_is_to_blame(error: Exception) -> None:
    """Decompressors raise OSError too, without a number; with one it is our disk that is full or failing."""
    if isinstance(error, OSError) and error.errno not in (None, errno.EINVAL):  # EINVAL: a seek before the start
        raise error


def _refusal(name: str, link: bool, special: bool) -> str:
    if unsafe(name):
        return "unsafe_path"
    if hidden(name):
        return "hidden"
    return "link" if link else "special" if special else ""


def _copied(stream: BinaryIO, name: str, target: Path, budget: Budget | None) -> Entry:
    """``budget`` is None where the stream beneath already counts."""
    written = 0
    with open(target, "wb") as out:
        while chunk := stream.read(CHUNK):
            if written == 0 and kind(chunk[:512]):
                target.unlink()
                return Entry(name, code="nested_archive")
            written += len(chunk)
            if budget:
                budget.spend(len(chunk))
            if written > MAX_FILE:
                target.unlink()
                return Entry(name, code="file_too_large", values={"limit": MAX_FILE >> 20})
            out.write(chunk)
    return Entry(name, target)
