"""PNG files that carry their recipe, and zips of them."""

from __future__ import annotations

import io
import os
import zipfile
from collections.abc import Iterable
from pathlib import Path

from PIL import Image, PngImagePlugin

from imagen_demo import storage
from imagen_demo.errors import UserError

RECIPE_KEY = "imagen_demo"
PROVENANCE = {"Software": "Imagen Demo", "Source": "AI-generated picture"}
MAX_RECIPE = 20_000  # characters; real recipes have a few hundred


def to_bytes(image: Image.Image, recipe_json: str | None = None) -> bytes:
    """A PNG file with the provenance mark and, where given, the recipe, as iTXt chunks before the pixels."""
    text = PngImagePlugin.PngInfo()
    for key, value in PROVENANCE.items():
        text.add_text(key, value)
    if recipe_json is not None:
        text.add_itxt(RECIPE_KEY, recipe_json)
    out = io.BytesIO()
    image.save(out, "PNG", pnginfo=text)
    return out.getvalue()


def save(image: Image.Image, path: Path, recipe_json: str | None = None) -> None:
    """:func:`to_bytes` into ``path``, atomically."""
    storage.write_bytes(Path(path), to_bytes(image, recipe_json))


def recipe_of(path: Path) -> str:
    """The recipe's JSON from a PNG file; the pixels are not decoded, the JSON is not yet checked.

    Raises:
        UserError: not a PNG file, a damaged one, or one without a recipe.
    """
    name = Path(path).name
    try:
        # Pillow bounds the text chunks (1 MB each, 64 MB together) and the picture's size.
        with Image.open(path, formats=["PNG"]) as image:
            recipe = getattr(image, "text", {}).get(RECIPE_KEY)
    except (OSError, ValueError, SyntaxError, EOFError, IndexError, Image.DecompressionBombError):
        raise UserError("{name} cannot be read as a PNG picture.", name=name) from None
    if not recipe or len(recipe) > MAX_RECIPE:
        raise UserError(
            "{name} carries no recipe. Only PNG files saved by Imagen Demo do, and only unchanged ones.", name=name
        )
    return str(recipe)


def write_zip(files: Iterable[tuple[str, bytes]], out: Path) -> None:
    """PNG files ``(name, bytes)`` as one zip, written as they come, renamed when complete."""
    temporary = out.with_name(f".{out.name}.{os.getpid()}.new")
    try:
        with zipfile.ZipFile(temporary, "w", zipfile.ZIP_STORED) as archive:  # PNG is compressed already
            for name, data in files:
                archive.writestr(name, data)
        os.replace(temporary, out)
    finally:
        temporary.unlink(missing_ok=True)
