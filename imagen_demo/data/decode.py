"""One untrusted file in, one square picture out. Runs in worker processes, so it stays light (no torch)."""

from __future__ import annotations

import functools
import hashlib
import io
import multiprocessing
import os
import threading
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError, features

FORMATS = ["JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF", "PPM"] + (["AVIF"] if features.check("avif") else [])
EXTENSIONS = {
    "JPEG": {"jpg", "jpeg", "jpe", "jfif", "mpo"}, "MPO": {"jpg", "jpeg", "jpe", "jfif", "mpo"}, "PNG": {"png", "apng"},
    "WEBP": {"webp"}, "BMP": {"bmp", "dib"}, "GIF": {"gif"}, "TIFF": {"tif", "tiff"},
    "PPM": {"ppm", "pgm", "pbm", "pnm", "pfm"}, "AVIF": {"avif", "avifs"},
}  # fmt: skip
MAX_PIXELS = 100_000_000  # about 400 MB once decoded
MAX_FILE = 512 << 20  # bytes
MAX_PROFILE = 4 << 20  # bytes of a colour profile
MIN_SIDE = 8
ORIENTATION = 0x0112  # EXIF tag


@dataclass
class Decoded:
    """What became of one file. ``pixels`` is uint8 [R, R, C], C = 4 only where something is transparent."""

    sha256: str = ""
    pixels: np.ndarray | None = None
    code: str = ""  # of reasons.DROPPED where pixels is None
    values: dict[str, Any] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)  # codes of reasons.NOTES
    dhash: int = 0

    @property
    def transparent(self) -> bool:
        return self.pixels is not None and self.pixels.shape[2] == 4


class _Refused(Exception):
    def __init__(self, code: str, **values: Any) -> None:
        self.code, self.values = code, values


def decode(path: str, name: str, resolution: int, fit: str, pad_clear: bool) -> Decoded:
    """Read, check and resize the file at ``path``; ``name`` is what the user calls it. Never raises for a bad file.

    ``pad_clear``: the border of ``fit="pad"`` is transparent, even around an opaque picture (else white).
    """
    result = Decoded()
    try:
        file = Path(path)
        if file.stat().st_size > MAX_FILE:
            raise _Refused("file_too_large", limit=MAX_FILE >> 20)
        data = file.read_bytes()
        if not data:
            raise _Refused("empty")
        result.sha256 = hashlib.sha256(data).hexdigest()
        picture = _square(data, name, resolution, fit, pad_clear, result.notes)
        result.pixels, result.dhash = np.asarray(picture), difference_hash(picture)
    except _Refused as refused:
        result.code, result.values = refused.code, refused.values
    except UnidentifiedImageError:
        result.code = "not_a_picture"
    except Image.DecompressionBombError:
        result.code, result.values = "too_large", {"megapixels": ">178", "limit": MAX_PIXELS // 1_000_000}
    except OSError as error:
        result.code = "unreadable" if error.errno else "damaged"  # Pillow's own OSErrors carry no errno
    except MemoryError:
        raise
    except Exception:  # decoders raise nearly anything on crafted bytes: struct.error, SyntaxError, KeyError, ...
        result.code = "damaged"
    return result


def decode_many(jobs: list[tuple[str, str, int, str, bool]]) -> list[Decoded]:
    """What a worker process is asked for: several calls of :func:`decode`."""
    return [decode(*job) for job in jobs]


def leave_with_parent() -> None:
    """Called in each worker at its start: a killed server must leave no readers behind."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=lambda: (parent.join(), os._exit(1)), daemon=True).start()


def _square(data: bytes, name: str, resolution: int, fit: str, pad_clear: bool, notes: list[str]) -> Image.Image:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # bombs are refused by our own, lower limit
        image = Image.open(io.BytesIO(data), formats=FORMATS)
    width, height = image.size
    if width * height > MAX_PIXELS:
        raise _Refused("too_large", megapixels=round(width * height / 1e6), limit=MAX_PIXELS // 1_000_000)
    if min(width, height) < MIN_SIDE:
        raise _Refused("too_small", width=width, height=height)
    if name.rpartition(".")[2].lower() not in EXTENSIONS.get(image.format or "", ()):
        notes.append("wrong_extension")
    if image.format != "MPO" and getattr(image, "is_animated", False):
        notes.append("animated")
    if min(width, height) < resolution:
        notes.append("enlarged")
    turned = image.getexif().get(ORIENTATION, 1) in range(2, 9)
    profile = image.info.get("icc_profile")
    # A JPEG is decoded at 1/2, 1/4 or 1/8 of its size; three times the target keeps the final filter honest.
    short = max(1, min(width, height) if fit != "pad" else max(width, height))
    scale = min(1.0, 3 * resolution / short)
    image.draft(None, (max(1, int(width * scale)), max(1, int(height * scale))))
    picture = _fitted(_plain(image, notes), resolution, fit, pad_clear)
    picture = _to_srgb(picture, profile, notes)
    if turned:
        notes.append("rotated")
        # On the small square: turning commutes with every fit. Pillow turns a TIFF by itself as it decodes it.
        picture.getexif()[ORIENTATION] = image.getexif().get(ORIENTATION, 1)
        picture = ImageOps.exif_transpose(picture)
    if picture.mode == "RGBA" and picture.getchannel("A").getextrema()[0] == 255:
        picture = picture.convert("RGB")
    return picture


def _plain(image: Image.Image, notes: list[str]) -> Image.Image:
    """Any mode to one that can be filtered: L, RGB, RGBA or CMYK."""
    mode = image.mode
    if mode.startswith("I") or mode == "F":
        notes.append("deep")
        return _eight_bit(image)
    if image.has_transparency_data:
        return image.convert("RGBA")
    if mode == "CMYK":
        notes.append("cmyk")
        return image
    return image if mode in ("L", "RGB") else image.convert("L" if mode == "1" else "RGB")


def _eight_bit(image: Image.Image) -> Image.Image:
    """16- and 32-bit integers and floats to 8-bit grey; the range is told by the largest value."""
    whole = np.asarray(image)
    grey = np.empty(whole.shape, np.uint8)
    bands = [slice(top, top + 256) for top in range(0, len(whole), 256)]  # of rows: all as floats would take much room

    def numbers(band: slice) -> np.ndarray:
        return np.nan_to_num(whole[band].astype(np.float32), posinf=0.0, neginf=0.0)

    top, factor = max(float(numbers(band).max()) for band in bands), 1.0
    if image.mode.startswith("I;16") or 255 < top <= 65535:
        factor = 1 / 257
    elif image.mode == "F" and top <= 1:
        factor = 255
    elif top > 65535:
        factor = 255 / top
    for band in bands:
        grey[band] = (numbers(band) * factor).clip(0, 255).round()
    return Image.fromarray(grey, "L")


def _fitted(image: Image.Image, resolution: int, fit: str, pad_clear: bool) -> Image.Image:
    width, height = image.size
    if fit == "crop":
        side = min(width, height)
        left, top = (width - side) / 2, (height - side) / 2
        return _resized(image, (resolution, resolution), (left, top, left + side, top + side))
    if fit == "stretch" or width == height:
        return _resized(image, (resolution, resolution), (0, 0, width, height))
    longest = max(width, height)
    size = tuple(max(1, round(side * resolution / longest)) for side in (width, height))
    inner = _resized(image, size, (0, 0, width, height))
    clear = pad_clear or inner.mode == "RGBA"
    inner = inner.convert("RGBA") if clear else inner
    border = {"RGBA": (255, 255, 255, 0), "L": 255, "CMYK": (0, 0, 0, 0)}.get(inner.mode, (255, 255, 255))
    square = Image.new(inner.mode, (resolution, resolution), border)
    square.paste(inner, ((resolution - size[0]) // 2, (resolution - size[1]) // 2))
    return square


def _resized(image: Image.Image, size: tuple[int, int], box: tuple[float, float, float, float]) -> Image.Image:
    # reducing_gap: a cheap whole-number box reduction first, then Lanczos over the last factor of 2 to 4
    return image.resize(size, Image.Resampling.LANCZOS, box=box, reducing_gap=2.0)


def _to_srgb(image: Image.Image, profile: bytes | None, notes: list[str]) -> Image.Image:
    """RGB or RGBA in sRGB; a profile that is damaged or of another kind than the picture is passed over."""
    alpha = image.getchannel("A") if image.mode == "RGBA" else None
    colour = image.convert("RGB") if alpha else image
    transform = _transform(profile, colour.mode) if profile and len(profile) <= MAX_PROFILE else None
    if transform is not None:
        notes.append("colour_profile")
        colour = ImageCms.applyTransform(colour, transform)
    colour = colour.convert("RGB")
    if alpha:
        colour.putalpha(alpha)
    return colour


@functools.lru_cache(maxsize=32)
def _transform(profile: bytes, mode: str) -> ImageCms.ImageCmsTransform | None:
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if "srgb" in ImageCms.getProfileDescription(source).lower():
            return None
        return ImageCms.buildTransform(source, ImageCms.createProfile("sRGB"), mode, "RGB")
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return None


def difference_hash(image: Image.Image) -> int:
    """64 bits: is each of 8 x 8 cells brighter than its right neighbour? (dHash, Krawetz 2013.)"""
    if image.mode == "RGBA":
        white = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(white, image)
    cells = np.asarray(image.convert("L").resize((9, 8), Image.Resampling.BOX)).astype(np.int16)
    return int.from_bytes(np.packbits(cells[:, :-1] > cells[:, 1:]).tobytes(), "big")
