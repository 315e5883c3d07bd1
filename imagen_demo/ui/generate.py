"""Generate: a grid of seeds; any picture of it goes on to the other tabs, all of them into a zip."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import Any

import gradio as gr
from PIL import Image

from imagen_demo.errors import UserError
from imagen_demo.media import png
from imagen_demo.progress import Progress
from imagen_demo.studio.neighbours import neighbours
from imagen_demo.studio.recipes import Recipe, Studio
from imagen_demo.studio.seeds import MAX_PICTURES, parse_seeds
from imagen_demo.ui import file_jobs, widgets
from imagen_demo.ui.pieces import PRIVATE
from imagen_demo.ui.texts import i18n, t
from imagen_demo.ui.widgets import Payload
from imagen_demo.workspace import Workspace

# Of a picture that was sent here, what has no control here.
EXTRA = ("fine_seeds", "split", "directions", "size", "centre", "psi_layers", "noise", "class_mix")
NEAREST_SIDE = 128  # pixels of a training picture on the page, at most


def build(workspace: Workspace, studio: Studio, shared: Any) -> None:
    """Fill the tab."""
    calls = {
        "plan": lambda payload, language: _plan(studio, payload),
        "nearest": lambda payload, language: _nearest(studio, payload, language),
    }
    grid = widgets.picture_tab("generate", workspace, studio, calls, ("g_",))
    archive = gr.File(label=i18n("g_zip_file"), visible=False, elem_id="generate-file", interactive=False)

    def work(sent: dict[str, Any], report: Progress) -> str:
        recipes, versions = widgets.recipes_from(sent, MAX_PICTURES), sent.get("versions")
        sound = isinstance(versions, list) and len(versions) == len(recipes)
        return write_zip(studio, recipes, report, [str(each) for each in versions] if sound else [])

    there = file_jobs.wire(grid.zip, archive, "generate-zip-cancel", work, "zip", "generate-zip")
    # Other pictures are in sight now than those in the zip.
    grid.renewed(lambda: (gr.File(value=None, visible=False), False), None, [archive, there], queue=False, **PRIVATE)


def _plan(studio: Studio, payload: Payload) -> Payload:
    """The recipes of a grid; without a class, the classes take turns."""
    count = payload.get("count")
    if not isinstance(count, int) or not 1 <= count <= MAX_PICTURES:
        raise UserError("Choose a whole number of pictures, from 1 to {most}.", most=MAX_PICTURES)
    name, seeds = str(payload.get("model", "")), parse_seeds(payload.get("seeds", ""), count)
    classes, sent = studio.model(name).info.config.num_classes, payload.get("extra")
    extra = {key: sent[key] for key in EXTRA if key in sent} if isinstance(sent, dict) else {}
    recipes = []
    for index, seed in enumerate(seeds):
        label = payload.get("label")
        data = {"model": name, "seeds": [[seed, 1]], "psi": payload.get("psi"),
                "label": index % classes if classes and label is None else label, **extra}  # fmt: skip
        recipes.append(widgets.recipe_data(widgets.recipe_from(data)))
    return {"recipes": recipes}


def _nearest(studio: Studio, payload: Payload, language: str) -> Payload:
    """The training pictures nearest to one picture, and what that means in a sentence."""
    recipe, version = widgets.recipe_from(payload.get("recipe")), str(payload.get("version", ""))
    found = neighbours(studio, recipe, picture=studio.seen(recipe, version))
    share = "" if found.share is None else f"{found.share:.2f}"
    said = t(f"g_near_{found.verdict or 'unknown'}", language, share=share)
    return {
        "images": [widgets.data_url(Image.fromarray(picture), NEAREST_SIDE) for picture in found.pictures],
        "distances": [f"{distance:.3f}" for distance in found.distances],
        "sentence": " ".join(filter(None, [said, widgets.moved_on(studio, recipe, version, language)])),
    }


def write_zip(studio: Studio, recipes: list[Recipe], progress: Progress, versions: Sequence[str] = ()) -> str:
    """PNG files with their recipes, zipped, in Gradio's own folder.

    ``versions``: hashes of the networks that drew what the page shows, see :meth:`Studio.png`.
    """

    def files() -> Iterator[tuple[str, bytes]]:
        for done, (recipe, version) in enumerate(zip(recipes, versions or [""] * len(recipes), strict=True)):
            progress(done / len(recipes), f"{done}/{len(recipes)}")
            yield _member_name(done, recipe), studio.png(recipe, version)

    out = file_jobs.fresh_file(f"{widgets.stem(recipes[0].model)}-{int(time.time())}.zip")
    png.write_zip(files(), out)
    return str(out)


def _member_name(index: int, recipe: Recipe) -> str:
    return f"{index:03d}-{widgets.file_name(recipe)}"
