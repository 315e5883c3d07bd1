"""Mixing tables and grids of the Discover tab: the page's wishes into cells, and into one labelled picture."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from imagen_demo.errors import UserError
from imagen_demo.latent.space import PARTS
from imagen_demo.progress import Progress
from imagen_demo.studio import checks, grid_files, grids
from imagen_demo.studio.grids import Axis, Grid
from imagen_demo.studio.recipes import Studio
from imagen_demo.studio.seeds import parse_seeds
from imagen_demo.ui import file_jobs, widgets
from imagen_demo.ui.texts import t
from imagen_demo.ui.widgets import Payload

MOST_MIXED = 12  # seeds on each side of a mixing table


def calls(studio: Studio) -> dict[str, Callable[..., Payload]]:
    """``mix``: a table of two lists of seeds; ``cells``: a grid; ``read``: what a dropped PNG file carries."""
    return {
        "mix": lambda payload, language: _mix(studio, payload, language),
        "cells": lambda payload, language: _cells(studio, _grid(studio, payload), language),
        "read": lambda payload, language: _read(studio, payload, language),
    }


def words(language: str) -> dict[str, str]:
    """What parameters, centres and parts of the layers are called."""
    return {
        **{name: t(f"v_p_{name}", language) for name in grids.NAMES},
        **{name: t(f"v_centre_{name}", language) for name in checks.CENTRES},
        **{name: t(f"v_layers_{name}", language) for name in PARTS},
    }


def _cells(studio: Studio, grid: Grid, language: str) -> Payload:
    said, chinese = words(language), language == "zh"
    return {
        "grid": json.loads(grid.to_json()),
        "recipes": [[widgets.recipe_data(recipe) for recipe in row] for row in grid.rows],
        "across": grid_files.title(studio, grid, grid.x, said, chinese),
        "down": grid_files.title(studio, grid, grid.y, said, chinese) if grid.y else "",
        "columns": grid_files.labels(studio, grid, grid.x, said),
        "rows": grid_files.labels(studio, grid, grid.y, said) if grid.y else [""],
    }


def _grid(studio: Studio, payload: Payload) -> Grid:
    """The grid the page asks for: ``base``, ``x`` and ``y``."""
    base = widgets.recipe_from(payload.get("base"))
    classes = studio.model(base.model).info.config.num_classes
    x, y = (_axis(payload.get(name), classes) for name in ("x", "y"))
    if x is None:
        raise UserError(widgets.UNREADABLE)
    return Grid(base, x, y)


def _axis(wanted: Any, classes: int) -> Axis | None:
    """An axis by its ``values``, by a ``text`` with seeds, by ``from``, ``to`` and ``count``, or with all there are."""
    if wanted is None:
        return None
    if not isinstance(wanted, dict) or not isinstance(wanted.get("parameter"), str):
        raise UserError(widgets.UNREADABLE)
    parameter = wanted["parameter"]
    if "values" in wanted:
        return Axis(parameter, wanted["values"])
    if "text" in wanted:
        return Axis(parameter, tuple(parse_seeds(wanted["text"], most=grids.MOST_VALUES)))
    if parameter == "class":
        return Axis(parameter, tuple(range(min(classes, grids.MOST_VALUES))))
    if parameter == "centre":
        return Axis(parameter, tuple(range(len(checks.CENTRES))))
    low, high = (
        checks.number(wanted.get(end), "axis", -checks.MAX_AMOUNT, checks.MAX_LAYERS) for end in ("from", "to")
    )
    count = checks.integer(wanted.get("count"), "number of steps", 1, grids.MOST_VALUES)
    return Axis(parameter, grids.steps(low, high, count, parameter in grids.WHOLE))


def _mix(studio: Studio, payload: Payload, language: str) -> Payload:
    """A table of rows' and columns' seeds: their layers put together, or averages; and the average of all."""
    base = widgets.recipe_from(payload.get("base"))
    rows, columns = (parse_seeds(payload.get(side, ""), most=MOST_MIXED) for side in ("rows", "columns"))
    if payload.get("mode") == "average":
        share = checks.number(payload.get("share"), "share", 0, 1)
        share = min(0.99, max(0.01, share))  # a seed without weight is no part of a recipe
        base = replace(base, seeds=((rows[0], 1 - share), (columns[0], share)))
        grid = Grid(base, Axis("seed2", tuple(columns)), Axis("seed", tuple(rows)))
    else:
        split = checks.integer(payload.get("split"), "split", 0, studio.model(base.model).generator.num_ws)
        base = replace(base, seeds=((rows[0], 1.0),), fine_seeds=((columns[0], 1.0),), split=split)
        grid = Grid(base, Axis("fine", tuple(columns)), Axis("seed", tuple(rows)))
    everyone = tuple((seed, 1.0) for seed in dict.fromkeys([*rows, *columns]))[: checks.MAX_SEEDS]
    average = replace(base, seeds=everyone, fine_seeds=(), split=0)
    return _cells(studio, grid, language) | {"rows": rows, "columns": columns, "average": widgets.recipe_data(average)}


def _read(studio: Studio, payload: Payload, language: str) -> Payload:
    """The grid inside a dropped PNG file, or else the recipe."""
    with widgets.sent_file(payload) as file:
        grid = grid_files.read(file)
        if grid is None:
            return widgets.picture_in(studio, file, language)
    base, note = widgets.unpinned(studio, grid.base, language)
    grid = replace(grid, base=base)
    return {"grid": json.loads(grid.to_json()) | {"base": widgets.recipe_data(base)}, "note": note}


def write_table(studio: Studio, sent: dict[str, Any], progress: Progress) -> str:
    """The labelled picture of the page's ``grid``, in Gradio's own folder."""
    grid, side = Grid.from_json(json.dumps(sent.get("grid"))), sent.get("side")
    language = "zh" if sent.get("chinese") else "en"
    out = file_jobs.fresh_file(f"{widgets.stem(grid.base.model)}-grid-{int(time.time())}.png")
    grid_files.write(
        studio, grid, out, progress=progress, words=words(language), chinese=language == "zh",
        side=side if side in (64, 128, 256) else None,
    )  # fmt: skip
    return str(out)
