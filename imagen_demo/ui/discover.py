"""Discover: a map of many seeds, breeding, mixing tables and grids of parameters.

The tab is one HTML component of several scripts (``static/discover*.js``); each view asks Python for recipes or
places and then for the pictures a few at a time, so that the first are there at once, a visitor can stop, and
visitors share the cores fairly.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gradio as gr
from PIL import Image

from imagen_demo.errors import UserError
from imagen_demo.progress import Progress
from imagen_demo.studio import breeding, checks, grids
from imagen_demo.studio.maps import Maps, MapSpec, Waiting, around
from imagen_demo.studio.recipes import Studio
from imagen_demo.ui import discover_grids, file_jobs, widgets
from imagen_demo.ui.texts import i18n
from imagen_demo.ui.widgets import Payload
from imagen_demo.workspace import Workspace

SCRIPTS = (
    "discover_core.js", "discover_map_canvas.js", "discover_map.js", "discover_tree.js", "discover_breed.js",
    "discover_table.js", "discover_mix.js", "discover_grid.js", "discover.js",
)  # fmt: skip


def build(workspace: Workspace, studio: Studio, shared: Any) -> None:
    """Fill the tab."""
    calls = {
        "link": lambda payload, language: {"query": widgets.link(studio, widgets.recipe_from(payload.get("recipe")))},
        "breed": lambda payload, language: _breed(studio, payload),
        **_map_calls(studio),
        **discover_grids.calls(studio),
    }
    prefixes = ("v_", "x_kind_")
    tab = widgets.picture_tab("discover", workspace, studio, calls, prefixes, SCRIPTS, grid_parameters=[*grids.NAMES])
    file = gr.File(label=i18n("v_table_file"), visible=False, elem_id="discover-table", interactive=False)

    def work(sent: dict[str, Any], report: Progress) -> str:
        return discover_grids.write_table(studio, sent, report)

    file_jobs.wire(tab.table, file, "discover-table-cancel", work, "table")


# -- map -----------------------------------------------------------------------------------------------------------


def _map_calls(studio: Studio) -> dict[str, Callable[..., Payload]]:
    """``map``: where the seeds lie, or how far that is; ``around``: the blend at a place between them;
    ``thumbs``: small pictures of recipes."""
    maps = Maps(studio)

    def lay_out(payload: Payload, language: str) -> Payload:
        answer = maps.ask(map_spec(payload))
        if isinstance(answer, Waiting):
            return {"share": answer.share, "stage": answer.stage}
        return {"cloud": answer.cloud.round(4).tolist(), "tidy": answer.tidy.round(4).tolist()}

    def blend(payload: Payload, language: str) -> Payload:
        spec, point = map_spec(payload), payload.get("point")
        answer = maps.ask(spec)
        sound = isinstance(point, list) and len(point) == 2 and all(isinstance(v, int | float) for v in point)
        if isinstance(answer, Waiting) or not sound:
            raise UserError(widgets.UNREADABLE)
        places = answer.tidy if payload.get("tidy") else answer.cloud
        recipe = around(spec, places, (point[0], point[1]), studio.model(spec.model).info.config.num_classes)
        return {"recipe": widgets.recipe_data(recipe)}

    def thumbs(payload: Payload, language: str) -> Payload:
        recipes = widgets.recipes_from(payload)
        return {"images": [widgets.data_url(Image.fromarray(maps.small(recipe))) for recipe in recipes]}

    return {"map": lay_out, "around": blend, "thumbs": thumbs}


def map_spec(payload: Payload) -> MapSpec:
    """A map out of the page's JSON; raises UserError on nonsense."""
    return MapSpec(
        model=payload.get("model", ""),
        first=payload.get("first", 0),
        count=payload.get("count", 256),
        psi=payload.get("psi", 1.0),
        label=payload.get("label"),
        by=payload.get("by", "w"),
    )


# -- breed ---------------------------------------------------------------------------------------------------------


def _breed(studio: Studio, payload: Payload) -> Payload:
    """Nine children of the page's ``parents``; without any, nine random pictures like its ``base``."""
    parents, seed = payload.get("parents"), checks.integer(payload.get("seed"), "seed", 0, checks.MAX_SEED)
    if not isinstance(parents, list) or len(parents) > breeding.MOST_PARENTS:
        raise UserError("Choose 1 to {most} parents.", most=breeding.MOST_PARENTS)
    if not parents:
        base = widgets.recipe_from(payload.get("base"))
        children = breeding.first_litter(base, seed, classes=studio.model(base.model).info.config.num_classes)
    else:
        recipes = [widgets.recipe_from(parent) for parent in parents]
        ids = [direction.id for direction in studio.directions(recipes[0].model) if not direction.hidden]
        layers = studio.model(recipes[0].model).generator.num_ws
        children = breeding.litter(recipes, seed, payload.get("strength", 0.3), layers, ids)
    return {"recipes": [widgets.recipe_data(child) for child in children]}
