"""A table of pictures with labels along its top and left side, as one picture."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from imagen_demo.media.grid import flatten

GAP = 4  # pixels between pictures
INK, QUIET, PAPER = (39, 38, 36), (111, 108, 103), (255, 255, 255)
# Families with Chinese characters, as systems have them.
CHINESE = ("Noto Sans CJK SC", "Noto Sans SC", "Source Han Sans SC", "PingFang SC", "Hiragino Sans GB",
           "Microsoft YaHei", "WenQuanYi Micro Hei", "WenQuanYi Zen Hei", "Droid Sans Fallback", "SimHei")  # fmt: skip


@functools.cache
def _chinese_font() -> str | None:
    """The file of a font with Chinese characters on this machine, or None."""
    from matplotlib import font_manager

    for family in CHINESE:
        try:
            return font_manager.findfont(family, fallback_to_default=False)
        except ValueError:
            continue
    return None


def can_write(text: str) -> bool:
    """Whether this machine has a font for ``text``; Latin and Greek can always be written."""
    return not _is_chinese(text) or _chinese_font() is not None


def _is_chinese(text: str) -> bool:
    """Whether it has characters from U+2E80 on, where those of East Asia begin."""
    return max(map(ord, text), default=0) >= 0x2E80


@functools.lru_cache(maxsize=16)
def _font(size: int, chinese: bool) -> ImageFont.FreeTypeFont:
    if chinese and (file := _chinese_font()):
        return ImageFont.truetype(file, size)
    import matplotlib

    return ImageFont.truetype(str(Path(matplotlib.get_data_path()) / "fonts/ttf/DejaVuSans.ttf"), size)


class LabelledGrid:
    """A table to fill picture by picture.

    Args:
        columns, rows: the labels of each; one row with the label "" for a strip.
        side: pixels of a picture.
        across, down: what the columns and the rows stand for.
        foot: a quiet line below.
    """

    def __init__(
        self, columns: Sequence[str], rows: Sequence[str], side: int, across: str = "", down: str = "", foot: str = ""
    ) -> None:
        self.side, self._size = side, max(11, min(26, side // 8))
        self._draw = ImageDraw.Draw(Image.new("RGB", (1, 1)))
        line = round(1.7 * self._size)
        longest = max((self._width(row) for row in rows), default=0)
        self._left = (line if down else 0) + (min(longest, 2 * side) + self._size if longest else 0) or GAP
        self._top = (line if across else 0) + line
        width = self._left + len(columns) * (side + GAP) + GAP
        height = self._top + len(rows) * (side + GAP) + (line if foot else GAP)
        self.image = Image.new("RGB", (width, height), PAPER)
        self._draw = ImageDraw.Draw(self.image)
        middle_x, middle_y = (self._left + width) // 2, (self._top + height) // 2
        if across:
            self._text(across, (middle_x, line // 2), QUIET, width - self._left)
        if down:
            self._upright(down, (line // 2, middle_y), height - self._top)
        for index, label in enumerate(columns):
            self._text(label, (self._left + index * (side + GAP) + side // 2, self._top - line // 2), INK, side)
        for index, label in enumerate(rows):
            y = self._top + index * (side + GAP) + side // 2
            self._text(label, (self._left - self._size // 2, y), INK, 2 * side, "rm")
        if foot:
            self._text(foot, (middle_x, height - line // 2), QUIET, width - self._left)

    def put(self, row: int, column: int, picture: Image.Image) -> None:
        """Place one picture; transparent ones on white."""
        if picture.size != (self.side, self.side):
            picture = picture.resize((self.side, self.side), Image.Resampling.LANCZOS)
        self.image.paste(
            flatten(picture), (self._left + column * (self.side + GAP), self._top + row * (self.side + GAP))
        )

    def _face(self, text: str) -> ImageFont.FreeTypeFont:
        return _font(self._size, _is_chinese(text))

    def _width(self, text: str) -> int:
        return round(self._draw.textlength(text, font=self._face(text)))

    def _fitted(self, text: str, width: int) -> str:
        if len(text) <= 200 and self._width(text) <= width:
            return text
        text = text[:200]  # a name may be a book
        while text and self._width(text + "…") > width:
            text = text[:-1]
        return text + "…"

    def _text(
        self, text: str, place: tuple[int, int], ink: tuple[int, int, int], width: int, anchor: str = "mm"
    ) -> None:
        text = self._fitted(text, width)
        self._draw.text(place, text, fill=ink, font=self._face(text), anchor=anchor)

    def _upright(self, text: str, middle: tuple[int, int], height: int) -> None:
        text = self._fitted(text, height)
        strip = Image.new("RGB", (self._width(text) + 8, round(1.6 * self._size)), PAPER)
        ImageDraw.Draw(strip).text(
            (strip.width // 2, strip.height // 2), text, fill=QUIET, font=self._face(text), anchor="mm"
        )
        strip = strip.rotate(90, expand=True)
        self.image.paste(strip, (middle[0] - strip.width // 2, middle[1] - strip.height // 2))
