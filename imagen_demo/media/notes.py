"""What a film's file says of itself: plain text in every format, so that a stranger's file is never unpacked for it.

MP4 and WebM have it in their comment, a zip of frames in ``film.txt``. Finished GIF, WebP and PNG files get it at their
end, where nothing has to move for it; players pass over it.
"""

from __future__ import annotations

import mmap
import re
import struct
import zlib
from pathlib import Path
from xml.sax.saxutils import escape

_XMP = (
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    '<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:description><rdf:Alt>'
    '<rdf:li xml:lang="x-default">{}</rdf:li></rdf:Alt></dc:description></rdf:Description></rdf:RDF></x:xmpmeta>'
)
# Leads decoders that take the XMP for blocks out of it, wherever they are (Adobe's XMP Specification, part 3).
_WAY_OUT = b"\x01" + bytes(range(255, -1, -1)) + b"\x00"


def add_to_gif(out: Path, notes: str) -> None:
    """As XMP, unbroken, where a comment would be cut into blocks."""
    _insert(out, 1, b"!\xff\x0bXMP DataXMP" + _xmp(notes) + _WAY_OUT)


def add_to_png(out: Path, notes: str) -> None:
    """As a text chunk, the comment."""
    chunk = b"tEXtComment\x00" + notes.encode("latin-1")
    _insert(out, 12, struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk)))


def add_to_webp(out: Path, notes: str) -> None:
    """As XMP, and the header says that it is there."""
    packet = _xmp(notes)
    _insert(out, 0, b"XMP " + struct.pack("<I", len(packet)) + packet + bytes(len(packet) % 2))
    with open(out, "r+b") as file:
        head = bytearray(file.read(21))
        head[4:8] = struct.pack("<I", out.stat().st_size - 8)
        if head[12:16] == b"VP8X":  # not where all frames are one picture
            head[20] |= 4
        file.seek(0)
        file.write(head)


def _xmp(notes: str) -> bytes:
    return _XMP.format(escape(notes)).encode()


def _insert(out: Path, end: int, added: bytes) -> None:
    """In front of the file's last ``end`` bytes, its trailer."""
    with open(out, "r+b") as file:
        file.seek(-end, 2)
        trailer = file.read()
        file.seek(-end, 2)
        file.write(added + trailer)


def word_after(mark: str, file: Path) -> str:
    """The letters, digits, "-" and "_" that follow ``mark`` in a file, from anyone; "" where it is not there."""
    with open(file, "rb") as opened:
        if not file.stat().st_size:  # cannot be mapped
            return ""
        with mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) as content:
            found = re.search(re.escape(mark.encode()) + rb"([\w-]{1,65536})", content)
            return found[1].decode() if found else ""
