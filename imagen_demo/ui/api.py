"""The named endpoints for programs: the same jobs as the picture tabs, under the command line's names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gradio as gr
from gradio import FileData

from imagen_demo.config import DEFAULT_PSI
from imagen_demo.errors import UserError
from imagen_demo.progress import silent
from imagen_demo.studio.recipes import Recipe, Studio
from imagen_demo.studio.seeds import parse_seeds
from imagen_demo.studio.timeline import MAX_KEYFRAMES
from imagen_demo.ui import file_jobs, widgets
from imagen_demo.ui.generate import write_zip
from imagen_demo.ui.interpolate import write_video


def add(studio: Studio) -> None:
    """Register ``render``, ``generate`` and ``interpolate`` on the Blocks being built."""

    def render(recipe: str) -> dict[str, Any]:
        """Draw one picture.

        Args:
            recipe: A recipe as JSON, for example {"model": "planets", "seeds": [[42, 1]], "psi": 0.8}, or
                the query part of a link, for example model=planets&seed=42.

        Returns:
            A PNG file that carries the recipe.
        """
        parse = Recipe.from_json if recipe.lstrip().startswith("{") else Recipe.from_query
        return _answer(lambda: _save_png(studio, parse(recipe)))

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
        return _answer(
            lambda: write_zip(studio, [_recipe(model, seed, psi, label) for seed in parse_seeds(seeds)], silent)
        )

    def interpolate(
        model: str, seeds: str = "1,2,3", seconds: float = 4.0, fps: int = 30, space: str = "w",
        easing: str = "smooth", loop: bool = False, psi: float = DEFAULT_PSI, label: int | None = None, size: int = 512,
    ) -> dict[str, Any]:  # fmt: skip
        """Make a video that walks from seed to seed.

        Args:
            model: Name of a model in the library, or run/NAME for one in training.
            seeds: The pictures on the way, for example 1,2,3.
            seconds: Length of the video.
            fps: Frames a second.
            space: w goes straight between the pictures, z along an arc.
            easing: linear, smooth or cubic.
            loop: Come back to the first picture.
            psi: Truncation: 0 the average picture, 1 as learned.
            label: Number of the class, counted from 0, where the model has classes.
            size: Side of the video in pixels: 256, 512 or 1024.

        Returns:
            An MP4 file (H.264).
        """

        def video() -> str:
            keyframes = parse_seeds(seeds, most=MAX_KEYFRAMES)
            recipes = [widgets.recipe_data(_recipe(model, seed, psi, label)) for seed in keyframes]
            timing = {"seconds": seconds, "fps": fps, "space": space, "easing": easing, "loop": loop}
            return write_video(studio, {"recipes": recipes, "size": size, **timing}, silent)

        return _answer(video)

    for function in (render, generate, interpolate):
        gr.api(function, api_name=function.__name__, concurrency_id=f"api-{function.__name__}")


def _recipe(model: str, seed: int, psi: float, label: int | None) -> Recipe:
    return Recipe(model=model, seeds=((seed, 1.0),), psi=psi, label=label)


def _save_png(studio: Studio, recipe: Recipe) -> str:
    out = file_jobs.fresh_file(widgets.file_name(recipe))
    out.write_bytes(studio.png(recipe))
    return str(out)


def _answer(work: Callable[[], str]) -> dict[str, Any]:
    """A file's path as Gradio's file data; a UserError as the sentence programs get."""
    try:
        return FileData(path=work()).model_dump()
    except UserError as error:
        raise gr.Error(str(error), print_exception=False) from None
