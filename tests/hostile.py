"""Makers of good, odd and malicious picture files for the tests of the data room."""

from __future__ import annotations

import io
import struct
import tarfile
import zipfile
import zlib
from pathlib import Path

import numpy as np
from PIL import Image


def picture(seed: int, size: tuple[int, int] = (40, 30), mode: str = "RGB") -> Image.Image:
    """A smooth random picture, unlike that of any other seed."""
    rng = np.random.default_rng(seed)
    small = Image.fromarray(rng.integers(0, 256, (5, 5, 3), np.uint8), "RGB")
    return small.resize(size, Image.Resampling.BICUBIC).convert(mode)


def encoded(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def good(count: int, first: int = 0) -> dict[str, bytes]:
    """``count`` PNG files by name."""
    return {f"good{i:03d}.png": encoded(picture(1000 + i)) for i in range(first, first + count)}


def folder_of(folder: Path, files: dict[str, bytes]) -> Path:
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return folder


def zip_of(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as bundle:
        for name, data in files.items():
            bundle.writestr(name, data)
    return path


def zip_with_link(path: Path, files: dict[str, bytes]) -> Path:
    zip_of(path, files)
    with zipfile.ZipFile(path, "a") as bundle:
        info = zipfile.ZipInfo("link.png")
        info.create_system, info.external_attr = 3, 0o120777 << 16
        bundle.writestr(info, "/etc/passwd")
    return path


def encrypted_zip(path: Path, files: dict[str, bytes], secret: set[str]) -> Path:
    """A zip in which the entries named in ``secret`` carry the flag of encryption."""
    zip_of(path, files)
    data = bytearray(path.read_bytes())
    for signature, flags, length, start in ((b"PK\x03\x04", 6, 26, 30), (b"PK\x01\x02", 8, 28, 46)):
        at = data.find(signature)
        while at >= 0:
            (size,) = struct.unpack_from("<H", data, at + length)
            if data[at + start : at + start + size].decode() in secret:
                data[at + flags] |= 1
            at = data.find(signature, at + 4)
    path.write_bytes(data)
    return path


def tar_of(path: Path, files: dict[str, bytes], mode: str = "w:gz") -> Path:
    with tarfile.open(path, mode) as bundle:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            bundle.addfile(info, io.BytesIO(data))
    return path


def hostile_tar(path: Path, files: dict[str, bytes]) -> Path:
    """``files`` and a symbolic link, a hard link, a device, and two names that lead outside."""
    tar_of(path, files, "w")
    with tarfile.open(path, "a") as bundle:
        for name, kind, target in (
            ("soft.png", tarfile.SYMTYPE, "/etc/passwd"),
            ("hard.png", tarfile.LNKTYPE, "/etc/passwd"),
            ("device.png", tarfile.CHRTYPE, ""),
        ):
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind, target
            bundle.addfile(info)
        for name in ("../escaped.png", "/tmp/absolute.png"):
            data = encoded(picture(7))
            info = tarfile.TarInfo(name)
            info.size = len(data)
            bundle.addfile(info, io.BytesIO(data))
    return path


def png_bomb(width: int = 30_000, height: int = 30_000) -> bytes:
    """A tiny PNG whose header announces 900 million pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 99)) + chunk(b"IEND", b"")
    )
