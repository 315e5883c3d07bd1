"""The named endpoints for programs, one for each job, under the command line's names. Documented in docs/api.md."""

from __future__ import annotations

import dataclasses
import functools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np
from gradio import FileData

from imagen_demo.config import DEFAULT_PSI
from imagen_demo.errors import UserError
from imagen_demo.latent.directions import Directions
from imagen_demo.media import png
from imagen_demo.media.grid import make_grid
from imagen_demo.progress import silent
from imagen_demo.studio import checks, grid_files, grids, links
from imagen_demo.studio import directions as making
from imagen_demo.studio import library as models_library
from imagen_demo.studio.recipes import Recipe, Studio
from imagen_demo.studio.seeds import parse_seeds
from imagen_demo.studio.timeline import MAX_KEYFRAMES
from imagen_demo.ui import file_jobs, models_export, widgets
from imagen_demo.ui.generate import write_zip
from imagen_demo.ui.interpolate import write_video


def add(studio: Studio) -> None:
    """Register the endpoints on the Blocks being built; the Train tab adds its own."""
    for function in (*_drawing(studio), *_exploring(studio), *_library(studio)):
        gr.api(spoken(function), api_name=function.__name__, concurrency_id=f"api-{function.__name__}")


def spoken(work: Callable[..., Any]) -> Callable[..., Any]:
    """``work`` whose UserErrors reach the caller as sentences."""

    @functools.wraps(work)
    def call(*args: Any, **kwargs: Any) -> Any:
        try:
            return work(*args, **kwargs)
        except UserError as error:
            raise gr.Error(str(error), print_exception=False) from None

    return call


def _drawing(studio: Studio) -> list[Callable[..., Any]]:
    def render(recipe: str) -> dict[str, Any]:
        """Draw one picture.

        Args:
            recipe: A recipe as JSON, for example {"model": "planets", "seeds": [[42, 1]], "psi": 0.8}, or a link
                or its query part, for example model=planets&seed=42&psi=0.8. Without psi it is 1.

        Returns:
            A PNG file that carries the recipe.
        """
        wanted = Recipe.from_text(recipe)
        out = file_jobs.fresh_file(links.file_name(wanted))  # without the model's name: shells want plain letters
        out.write_bytes(studio.png(wanted))
        return _file(out)

    def generate(model: str, seeds: str = "0-15", psi: float = DEFAULT_PSI, label: int | None = None) -> dict[str, Any]:
        """Draw a set of pictures.

        Args:
            model: Name of a model in the library, or run/NAME for one in training.
            seeds: 0-15, or 1,5,9, or 42; up to 400.
            psi: Truncation: 0 the average picture, 1 as learned.
            label: Number of the class, counted from 0, where the model has classes.

        Returns:
            A zip of PNG files that carry their recipes.
        """
        return _file(write_zip(studio, [_recipe(model, seed, psi, label) for seed in parse_seeds(seeds)], silent))

    def interpolate(
        model: str, seeds: str = "1,2,3", seconds: float = 4.0, fps: int = 30, kind: str = "w", easing: str = "smooth",
        loop: bool = False, psi: float = DEFAULT_PSI, label: int | None = None, size: int = 512, even: bool = False,
        format: str = "mp4",
    ) -> dict[str, Any]:  # fmt: skip
        """Make a film that goes from seed to seed.

        Args:
            model: Name of a model in the library, or run/NAME for one in training.
            seeds: The pictures on the way, for example 1,2,3.
            seconds: Length of the film.
            fps: Frames a second.
            kind: w straight between the pictures, z along an arc, spline a curve through all; from the first seed
                loop a circle, walk anywhere.
            easing: How it leaves and reaches each picture: linear, smooth or cubic.
            loop: Come back to the first picture.
            psi: Truncation: 0 the average picture, 1 as learned.
            label: Number of the class, counted from 0, where the model has classes.
            size: Longest side of the film in pixels.
            even: One speed all along: equal visual steps.
            format: mp4 (H.264), webm, gif, webp, apng or frames (a zip of PNGs).

        Returns:
            The film's file.
        """
        keyframes = parse_seeds(seeds, most=MAX_KEYFRAMES)
        recipes = [widgets.recipe_data(_recipe(model, seed, psi, label)) for seed in keyframes]
        timing = {"seconds": seconds, "fps": fps, "kind": kind, "easings": easing, "closed": loop, "even": even}
        return _file(write_video(studio, {"recipes": recipes, "size": size, "format": format, **timing}, silent))

    def film(timeline: str) -> dict[str, Any]:
        """Make the film of a timeline, as the Interpolate tab does.

        Args:
            timeline: That tab's link, or its t alone, or JSON: recipes, seconds and easings of each segment, kind,
                closed, even, fps, size, format, background, radius, seed, speed.

        Returns:
            The film's file.
        """
        return _file(write_video(studio, _timeline_of(timeline), silent))

    def grid(recipe: str, across: str, down: str = "", side: int = 0) -> dict[str, Any]:
        """Vary one or two things of a picture and draw the table, with labels.

        Args:
            recipe: What does not vary, as for render.
            across: An axis: psi=0..1:5 (five steps), seed=0-3, pc0=-3..3:7, class=cat,dog, share=0,0.5,1.
            down: Another one, or nothing for a single row.
            side: Pixels of one picture, 32 to 512; 0: the model's own.

        Returns:
            A PNG file that carries the grid's description.
        """
        base = Recipe.from_text(recipe)
        classes = list(studio.model_for(base).info.class_names)
        y = grids.parse_axis(down, classes) if down else None
        made = grids.Grid(base, grids.parse_axis(across, classes), y)
        if side:
            checks.integer(side, "side", *grid_files.SIDES)
        out = file_jobs.fresh_file(f"{widgets.stem(base.model)}-grid.png")
        grid_files.write(studio, made, out, side=side or None)
        return _file(out)

    return [render, generate, interpolate, film, grid]


def _exploring(studio: Studio) -> list[Callable[..., Any]]:
    def directions(model: str) -> list[dict[str, Any]]:
        """The directions that a picture of this model can be moved in.

        Args:
            model: Name of a model in the library, or run/NAME for one in training.

        Returns:
            For each its id (for recipes), kind, names, layers, what +1 changes (effects, in standard deviations of
            each measured property), purity (0 to 1) and whether it is hidden.
        """
        return _described(studio.directions(model))

    def discover(model: str) -> list[dict[str, Any]]:
        """Look for more directions, in the style weights and for measured properties; takes up to a minute.

        Args:
            model: Name of a model in the library.

        Returns:
            As directions; what was found is kept with the model.
        """
        return _described(making.discover(studio, model, silent))

    def direction_strip(recipe: str, direction: str, count: int = 7, reach: float = 3.0) -> dict[str, Any]:
        """Draw a picture moved along a direction, from left to right.

        Args:
            recipe: The picture in the middle, as for render.
            direction: The direction's id, for example pc0.
            count: Pictures, 2 to 32.
            reach: The amount at the right end; at the left end it is negative.

        Returns:
            A PNG file, the pictures side by side, with the recipe of the one in the middle.
        """
        base = Recipe.from_text(recipe)
        count, reach = checks.integer(count, "count", 2, 32), checks.number(reach, "reach", 0.01, checks.MAX_AMOUNT)
        pictures = making.filmstrip(studio, base, direction, count, reach)
        out = file_jobs.fresh_file(f"{widgets.stem(base.model)}-{direction}.png")
        strip = make_grid(np.stack(pictures), columns=count)
        out.write_bytes(png.to_bytes(strip, studio.pinned(base).to_json()))
        return _file(out)

    return [directions, discover, direction_strip]


def _library(studio: Studio) -> list[Callable[..., Any]]:
    def models() -> list[dict[str, Any]]:
        """The models in the library, and the newest networks of training runs.

        Returns:
            For each its name, title, resolution, channels (4 with transparency), classes and the 12 digits of its hash.
        """
        return [_about(entry) for entry in models_library.list_models(studio.workspace) if entry.info]

    def export_model(model: str, format: str = "onnx") -> dict[str, Any]:
        """Take a model out: as ONNX for other programs, or as a web page that draws in its visitors' browsers.

        Args:
            model: Name of a model in the library, or run/NAME for one in training.
            format: onnx or web.

        Returns:
            A zip: three ONNX files, checked against PyTorch; or the page's folder.
        """
        return _file(models_export.write_export(studio.workspace, studio, model, format, silent))

    return [models, export_model]


def _timeline_of(text: str) -> Any:
    """What ``write_video`` takes, out of JSON or a link's ``t``."""
    if not text.lstrip().startswith("{"):
        return {"t": text}
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise UserError("This is not a film of Imagen Demo.") from None


def _recipe(model: str, seed: int, psi: float, label: int | None) -> Recipe:
    return Recipe(model=model, seeds=((seed, 1.0),), psi=psi, label=label)


def _described(directions: Directions) -> list[dict[str, Any]]:
    left_out = {"vector", "scale"}
    return [
        {field.name: getattr(each, field.name) for field in dataclasses.fields(each) if field.name not in left_out}
        for each in directions
    ]


def _about(entry: models_library.ModelEntry) -> dict[str, Any]:
    info = entry.info
    assert info is not None
    return {
        "name": entry.name, "title": widgets.title(entry), "resolution": info.config.resolution,
        "channels": info.config.channels, "classes": list(info.class_names),
        "hash": models_library.hash_of(entry.path)[:12],
    }  # fmt: skip


def _file(path: str | Path) -> dict[str, Any]:
    """A file as programs get it."""
    return FileData(path=str(path)).model_dump()
