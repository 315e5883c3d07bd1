"""Explore: one picture, and the sliders that change it under the finger.

The tab is one HTML component (``static/explore.js``) that calls Python directly, because
that is the fastest way from a slider to a picture; see ``docs/ui-notes.md``.
"""

from __future__ import annotations

import base64
import binascii
import re
import tempfile
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import gradio as gr

from imagen_demo.errors import UserError
from imagen_demo.media import png
from imagen_demo.studio import links
from imagen_demo.studio.recipes import Recipe, Studio
from imagen_demo.ui import widgets
from imagen_demo.ui.texts import translate_error
from imagen_demo.ui.widgets import Payload
from imagen_demo.workspace import Workspace

LINK = links.KEYS - {"hash"}  # keys that make an address a link to a picture
MAX_DROPPED = 64 * 2**20  # bytes of base64 of a dropped picture


def build(workspace: Workspace, studio: Studio, shared: Any) -> gr.HTML:
    """Fill the tab; returns its component."""
    calls = {
        "open": lambda payload, language: _open(workspace, studio, payload, language),
        "render": lambda payload, language: _render(studio, payload),
        "link": lambda payload, language: {"query": widgets.link(studio, widgets.recipe_from(payload.get("recipe")))},
        "read": lambda payload, language: _read(studio, payload, language),
    }
    return widgets.picture_tab("explore", workspace, studio, calls, ("x_",))


def _open(workspace: Workspace, studio: Studio, payload: Payload, language: str) -> Payload:
    """The first answer: the link's picture, or the first model's with a sentence on why not."""
    models, note = widgets.models(workspace, language), None
    if not models:
        return {"models": []}
    recipe = None
    query = dict(parse_qsl(str(payload.get("query", ""))[:4096].lstrip("?")))
    if not LINK.isdisjoint(query):
        try:
            recipe, note = widgets.unpinned(studio, _linked(studio, query, models[0]["name"]), language)
        except UserError as error:
            recipe, note = None, translate_error(error, language)
    for model in models:  # the first one that can be opened
        if recipe is not None:
            break
        try:
            recipe = widgets.new_recipe(studio, model["name"])
        except UserError as error:
            note = note or translate_error(error, language)
    if recipe is None:
        return {"models": [], "note": note}
    return {"models": models, "note": note, **_state(studio, recipe, language)}


def _linked(studio: Studio, query: dict[str, str], default: str) -> Recipe:
    """The recipe of a link; a short one such as ``?seed=5`` means the model that greets visitors."""
    if not query.get("model"):
        query = query | {"model": default}
        if studio.model(default).info.config.num_classes:
            query.setdefault("class", "0")
    return Recipe.from_query(query)


def _state(studio: Studio, recipe: Recipe, language: str) -> Payload:
    return {"model": widgets.model_facts(studio, recipe.model, language), "recipe": widgets.recipe_data(recipe)}


def _render(studio: Studio, payload: Payload) -> Payload:
    recipe = widgets.recipe_from(payload.get("recipe"))
    return {"image": widgets.data_url(studio.render(recipe)), "query": widgets.link(studio, recipe)}


def _read(studio: Studio, payload: Payload, language: str) -> Payload:
    """The recipe inside a dropped PNG."""
    name, data = str(payload.get("name", ""))[:100], payload.get("data")
    if not isinstance(data, str) or len(data) > MAX_DROPPED:
        raise UserError("{name} is too large to be a picture exported here.", name=name)
    try:
        content = base64.b64decode(data.partition(",")[2], validate=True)
    except binascii.Error:
        content = b""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / (re.sub(r"[^\w .-]", "_", name).strip(". ") or "picture")  # sentences name it
        file.write_bytes(content)
        recipe, note = widgets.unpinned(studio, Recipe.from_json(png.recipe_of(file)), language)
    return {"note": note, **_state(studio, recipe, language)}
