"""PNG files that carry their recipe, and zips of them."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path

from PIL import Image, PngImagePlugin

from imagen_demo import storage
from imagen_demo.errors import UserError

RECIPE_KEY = "imagen_demo"
GRID_KEY = "imagen_demo_grid"  # beside the recipe of its middle, in the picture of a grid
PROVENANCE = {"Software": "Imagen Demo", "Source": "AI-generated picture"}
MAX_RECIPE = 20_000  # characters; real recipes have a few hundred


def to_bytes(
    image: Image.Image, recipe_json: str | None = None, more: Mapping[str, str] | None = None, effort: int = 6
) -> bytes:
    """A PNG file with the provenance mark and, where given, the recipe and ``more``, as iTXt chunks in front.

    ``effort``: 0 to 9, how hard it is packed.
    """
    text = PngImagePlugin.PngInfo()
    for key, value in PROVENANCE.items():
        text.add_text(key, value)
    if recipe_json is not None:
        text.add_itxt(RECIPE_KEY, recipe_json)
    for key, value in (more or {}).items():
        text.add_itxt(key, value)
    out = io.BytesIO()
    image.save(out, "PNG", pnginfo=text, compress_level=effort)
    return out.getvalue()


def recipe_of(path: Path) -> str:
    """The recipe's JSON from a PNG file; the pixels are not decoded, the JSON is not yet checked.

    Raises:
        UserError: not a PNG file, a damaged one, or one without a recipe.
    """
    name = Path(path).name
    recipe = text_of(path, RECIPE_KEY)
    if not recipe:
        raise UserError(
            "{name} carries no recipe. Only PNG files saved by Imagen Demo do, and only unchanged ones.", name=name
        )
    return recipe


def text_of(path: Path, key: str) -> str:
    """One text chunk of a PNG file; "" where there is none, or one too long to be ours.

    Raises:
        UserError: not a PNG file, or a damaged one.
    """
    try:
        # Pillow bounds the text chunks (1 MB each, 64 MB together) and the picture's size.
        with Image.open(path, formats=["PNG"]) as image:
            found = str(image.info.get(key) or "")  # `text` would decode the picture, to look behind it too
    except (OSError, ValueError, SyntaxError, EOFError, IndexError, Image.DecompressionBombError):
        raise UserError("{name} cannot be read as a PNG picture.", name=Path(path).name) from None
    return found if len(found) <= MAX_RECIPE else ""


def write_zip(files: Iterable[tuple[str, bytes]], out: Path) -> None:
    """PNG files ``(name, bytes)`` as one zip, written as they come, renamed when complete."""
    # PNG is compressed already.
    with storage.complete_or_absent(out) as place, zipfile.ZipFile(place, "w", zipfile.ZIP_STORED) as archive:
        for name, data in files:
            archive.writestr(name, data)
