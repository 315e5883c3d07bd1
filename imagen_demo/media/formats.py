"""The kinds of film there are, and a frame made ready for one: its size, its background."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from imagen_demo.errors import UserError
from imagen_demo.media.grid import Background, flatten

SMALLEST = 256  # players blur tiny films; smaller frames are enlarged by a whole factor
LARGEST = 4096  # a side; H.264 level 5.2
TRANSPARENT = "transparent"  # as a background: none


@dataclass(frozen=True)
class Format:
    """What a kind of film can hold. ``alpha``: transparency, in GIF all or nothing for each pixel.

    ``frame_bytes``: of one frame of 512 px, measured on films of the first emoji model, of 64 px; another size has
    (size / 512) ^ 1.45 times as many, within a quarter of what was measured (128 to 512 px, MP4 and GIF to 1024).
    ``motion``: frames hold only what has changed, and ``frame_bytes`` are those of 30 from picture to picture: n of
    them have sqrt(30 / n) times as many each (30 to 360; a third more for the emoji, a third less for the planets).
    """

    name: str
    ending: str
    alpha: bool
    sound: bool
    frame_bytes: int
    motion: bool = False
    even: bool = False  # sides must be even: colours are kept for 2 x 2 pixels together
    most_fps: int = 120
    largest: int = LARGEST


FORMATS = {
    f.name: f
    for f in (
        Format("mp4", ".mp4", alpha=False, sound=True, frame_bytes=2_900, motion=True, even=True),
        Format("webm", ".webm", alpha=True, sound=True, frame_bytes=37_000, even=True),
        # browsers slow faster GIFs
        Format("gif", ".gif", alpha=True, sound=False, frame_bytes=50_000, most_fps=50, largest=1024),
        Format("webp", ".webp", alpha=True, sound=False, frame_bytes=80_000),
        Format("apng", ".png", alpha=True, sound=False, frame_bytes=287_000),
        Format("frames", ".zip", alpha=True, sound=False, frame_bytes=245_000),
    )
}
_BY_ENDING = {f.ending: f.name for f in FORMATS.values()} | {".m4v": "mp4", ".apng": "apng"}


def format_of(file: Path) -> str:
    """The format a file's ending asks for.

    Raises:
        UserError: there is none for it.
    """
    ending = Path(file).suffix.lower()
    if ending not in _BY_ENDING:
        raise UserError(
            "A film cannot be written as {name}; the endings are {endings}.",
            name=Path(file).name, endings=", ".join(sorted(_BY_ENDING)),
        )  # fmt: skip
    return _BY_ENDING[ending]


def is_film(file: Path) -> bool:
    """Whether a file is called as films are; pictures can be, too."""
    return Path(file).suffix.lower() in _BY_ENDING


def known_format(name: str) -> Format:
    """The format of that name; raises UserError where there is none."""
    if name not in FORMATS:
        raise UserError("A film's format must be one of {choices}.", choices=", ".join(FORMATS))
    return FORMATS[name]


def film_size(width: int, height: int, size: int | None, even: bool = True) -> tuple[int, int]:
    """Width and height of a film: longest side ``size``, or the frame's, enlarged to at least 256."""
    longest = max(width, height)
    factor = size / longest if size else float(-(-SMALLEST // longest)) if longest < SMALLEST else 1.0
    grain = 2 if even else 1
    sides = [max(grain, round(side * factor / grain) * grain) for side in (width, height)]
    return sides[0], sides[1]


def checked_size(shape: tuple[int, ...], size: int | None, kind: Format) -> tuple[int, int]:
    """:func:`film_size` of frames [H, W, C].

    Raises:
        UserError: the format cannot hold it, or not with the odd ``size`` that was asked for.
    """
    if kind.even and size and size % 2:
        raise UserError("{format} films have an even number of pixels a side: make it {less} or {more}, not {size}.",
                        format=kind.name.upper(), less=size - 1, more=size + 1, size=size)  # fmt: skip
    width, height = film_size(shape[1], shape[0], size, kind.even)
    if max(width, height) > kind.largest:
        raise UserError("{format} films can have at most {limit} pixels a side.",
                        format=kind.name.upper(), limit=kind.largest)  # fmt: skip
    return width, height


def fitted(frame: np.ndarray, width: int, height: int, background: Background | None) -> np.ndarray:
    """uint8 [H, W, C] -> uint8 [height, width, 3 or 4]: Lanczos, transparent parts weighing nothing.

    ``background`` None keeps the transparency; the colour that nobody sees becomes black, which packs better.
    """
    image = Image.fromarray(frame)
    if image.size != (width, height):
        image = image.resize((width, height), Image.Resampling.LANCZOS)  # of RGBA by premultiplied colours
    if frame.shape[2] == 3 or background is not None:
        return np.asarray(flatten(image, background or "white"))
    pixels = np.array(image)
    pixels[pixels[..., 3] == 0] = 0
    return pixels
