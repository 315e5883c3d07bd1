"""Explore: one picture, and the controls that change it under the finger.

The tab is one HTML component (``static/explore_*.js``) that calls Python directly, because
that is the fastest way from a slider to a picture; see ``docs/ui-notes.md``. Its calls about
directions are in ``explore_directions.py``.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl

from imagen_demo.errors import UserError
from imagen_demo.media import png
from imagen_demo.studio import library, links
from imagen_demo.studio.recipes import Recipe, Studio
from imagen_demo.ui import explore_directions, texts, widgets
from imagen_demo.ui.texts import translate_error
from imagen_demo.ui.widgets import Payload
from imagen_demo.workspace import Workspace

LINK = links.KEYS - {"hash"}  # keys that make an address a link to a picture
SCRIPTS = tuple(f"explore{part}.js" for part in ("_core", "_strip", "_directions", "_pad", "_mix", "_find", "_api", ""))


def build(workspace: Workspace, studio: Studio, shared: Any) -> None:
    """Fill the tab."""
    calls = {
        "open": lambda payload, language: _open(workspace, studio, payload, language),
        "render": lambda payload, language: _render(studio, payload),
        "link": lambda payload, language: {"query": widgets.link(studio, widgets.recipe_from(payload.get("recipe")))},
        "read": lambda payload, language: _read(studio, payload, language),
        **explore_directions.calls(studio),
    }
    widgets.picture_tab("explore", workspace, studio, calls, ("x_",), SCRIPTS)


def _open(workspace: Workspace, studio: Studio, payload: Payload, language: str) -> Payload:
    """The first answer: the picture of what can be used of the link, or the first model's, with a sentence on why."""
    models, note = widgets.models(workspace, language), None
    if not models:
        return {"models": []}
    recipe = None
    query, wrong = links.usable(dict(parse_qsl(str(payload.get("query", ""))[:4096].lstrip("?"))))
    if not LINK.isdisjoint(query):
        try:
            recipe, note = _here(studio, _linked(studio, query, models[0]["name"]), language)
        except UserError as error:
            recipe, note = None, translate_error(error, language)
    if wrong:
        note = " ".join(filter(None, [translate_error(wrong, language), note]))
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


def _here(studio: Studio, recipe: Recipe, language: str) -> tuple[Recipe, str | None]:
    """A recipe from elsewhere as this server can draw it, and a sentence on what is missing.

    Raises:
        UserError: its model is not here, or cannot draw it.
    """
    try:
        recipe = replace(recipe, model=library.renamed(studio.workspace, recipe.model, recipe.model_hash))
    except UserError:
        raise UserError(
            "This picture needs the model {name}, which is not here: import it under Models, or train it.",
            name=recipe.model,
        ) from None
    known = studio.directions(recipe.model)
    missing = [id for id, _, _ in recipe.directions if id not in known]
    kept = tuple(each for each in recipe.directions if each[0] in known)
    recipe, note = widgets.unpinned(studio, replace(recipe, directions=kept), language)
    if missing:
        said = texts.t("x_missing_directions", language, names=", ".join(dict.fromkeys(missing)))
        note = " ".join(filter(None, [note, said]))
    return recipe, note


def _state(studio: Studio, recipe: Recipe, language: str) -> Payload:
    return {"model": widgets.model_facts(studio, recipe.model, language), "recipe": widgets.recipe_data(recipe)}


def _render(studio: Studio, payload: Payload) -> Payload:
    recipe = widgets.recipe_from(payload.get("recipe"))
    model = studio.model_for(recipe)
    image = widgets.data_url(studio.render(recipe, model))
    return {"image": image, "version": model.hash, "query": widgets.link(studio, recipe)}


def _read(studio: Studio, payload: Payload, language: str) -> Payload:
    """The recipe inside a dropped PNG."""
    with widgets.sent_file(payload) as file:
        recipe, note = _here(studio, Recipe.from_json(png.recipe_of(file)), language)
    return {"note": note, **_state(studio, recipe, language)}
