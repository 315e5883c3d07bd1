"""A grid as one picture with labels, and that picture as a file that carries the grid."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from PIL import Image

from imagen_demo import storage
from imagen_demo.media import png
from imagen_demo.media.labelled import LabelledGrid, can_write
from imagen_demo.progress import Progress, silent
from imagen_demo.studio import library
from imagen_demo.studio.grids import DIRECTION, NAMES, Axis, Grid, spoken
from imagen_demo.studio.recipes import Studio

SIDES = (32, 512)  # pixels of one picture, at least and at most
MOST_PIXELS = 8000  # of the whole picture's longer side
Words = Mapping[str, str]  # parameter, centre or part of the layers -> what it is called


def title(studio: Studio, grid: Grid, axis: Axis, words: Words, chinese: bool = False) -> str:
    """What an axis is called; raises UserError where the model has no such direction."""
    if not axis.parameter.startswith(DIRECTION):
        return words.get(axis.parameter, NAMES[axis.parameter])
    id, _, layers = axis.parameter.removeprefix(DIRECTION).partition("@")
    direction = studio.directions(grid.base.model).get(id)
    return direction.title(chinese) + (f" ({words.get(layers, layers)})" if layers else "")


def labels(studio: Studio, grid: Grid, axis: Axis, words: Words) -> list[str]:
    """The label of each value of an axis."""
    classes = list(studio.model(grid.base.model).info.class_names)
    return [spoken(axis.parameter, value, classes, words) for value in axis.values]


def picture(
    studio: Studio,
    grid: Grid,
    side: int | None = None,
    words: Words | None = None,
    chinese: bool = False,
    progress: Progress = silent,
) -> Image.Image:
    """The whole grid, RGB, labelled; ``side`` pixels a picture, the model's own size by default.

    Raises:
        UserError: as :meth:`Studio.render`. Cancelled: from ``progress``.
    """
    words = words or {}
    today = library.renamed(studio.workspace, grid.base.model, grid.base.model_hash)
    grid = replace(grid, base=replace(grid.base, model=today))
    rows, model = grid.rows, studio.model_for(grid.base)
    count = len(rows) * len(rows[0])
    side = min(max(side or grid.base.size or model.info.config.resolution, SIDES[0]), SIDES[1])
    side = min(side, MOST_PIXELS // max(len(rows), len(rows[0])))

    def written(text: str, instead: str) -> str:
        return text if can_write(text) else instead

    def titled(axis: Axis) -> str:
        return written(title(studio, grid, axis, words, chinese), NAMES.get(axis.parameter, axis.parameter))

    def labelled(axis: Axis) -> list[str]:
        plain = labels(studio, grid, axis, {})
        instead = [each if can_write(each) else str(int(v)) for each, v in zip(plain, axis.values, strict=True)]
        return [written(*pair) for pair in zip(labels(studio, grid, axis, words), instead, strict=True)]

    table = LabelledGrid(
        columns=labelled(grid.x),
        rows=labelled(grid.y) if grid.y else [""],
        side=side,
        across=titled(grid.x),
        down=titled(grid.y) if grid.y else "",
        foot=written(f"{grid.base.model} · {model.hash[:12]}", model.hash[:12]),
    )
    for row, recipes in enumerate(rows):
        for column, recipe in enumerate(recipes):
            done = row * len(recipes) + column
            progress(done / count, f"{done} of {count} pictures")
            table.put(row, column, studio.render(recipe, model))
    return table.image


def png_bytes(studio: Studio, grid: Grid, **options: object) -> bytes:
    """A PNG file of :func:`picture` that carries the grid, and the recipe of its middle, for this model's version."""
    pinned = replace(grid, base=studio.pinned(grid.base))
    image = picture(studio, pinned, **options)  # type: ignore[arg-type]
    return png.to_bytes(image, pinned.middle.to_json(), {png.GRID_KEY: pinned.to_json()})


def write(studio: Studio, grid: Grid, out: Path, **options: object) -> None:
    """:func:`png_bytes` into ``out``, atomically; its folder is made only when there is something to put there."""
    drawn = png_bytes(studio, grid, **options)
    out.parent.mkdir(parents=True, exist_ok=True)
    storage.write_bytes(out, drawn)


def read(file: Path) -> Grid | None:
    """The grid that a PNG file carries, or None; raises UserError where it is no PNG file or a broken grid."""
    text = png.text_of(file, png.GRID_KEY)
    return Grid.from_json(text) if text else None
