"""What the picture tabs share: calls from the page into Python, pictures as data URLs, the list of models.

The page's own components call Python through ``server_functions``. Their input is
untrusted: recipes are validated by ``Recipe.from_json``, numbers are clamped here, and
every answer is an object, ``{"error": sentence}`` when it cannot be done.
"""

from __future__ import annotations

import base64
import io
import json
import logging
import re
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import gradio as gr
from PIL import Image

from imagen_demo.config import DEFAULT_PSI
from imagen_demo.errors import UserError
from imagen_demo.media import png
from imagen_demo.studio import checks, library, links
from imagen_demo.studio.recipes import Recipe, Studio
from imagen_demo.ui import texts
from imagen_demo.ui.api_call import api_call
from imagen_demo.ui.theme import STATIC
from imagen_demo.workspace import Workspace

log = logging.getLogger(__name__)

MAX_BATCH = 64  # pictures in one answer
MAX_SENT = 64 * 2**20  # letters of base64 of a file that the page sends
UNREADABLE = "What was sent cannot be read; if it came from the page, reload that."
Payload = dict[str, Any]


def server_function(name: str, work: Callable[..., Payload]) -> Callable[..., Payload]:
    """``work(payload, language)`` as a function the page may call as ``server.<name>(payload)``."""

    def call(payload: Any, request: gr.Request) -> Payload:
        try:
            if not isinstance(payload, dict):
                raise UserError(UNREADABLE)
            return work(payload, texts.language(request))
        except UserError as error:
            return {"error": texts.translate_error(error, request)}
        except Exception:
            log.exception("%s failed", name)
            return {"error": texts.t("unexpected", request)}

    call.__name__ = name
    return call


def script(*names: str) -> str:
    """The text of scripts in ``static/``, one after the other: they share one scope."""
    return "\n".join((STATIC / name).read_text("utf-8") for name in names)


def picture_tab(
    name: str,
    workspace: Workspace,
    studio: Studio,
    calls: dict[str, Callable[..., Payload]],
    texts_of: tuple[str, ...],
    scripts: tuple[str, ...] = (),
    **props: Any,
) -> gr.HTML:
    """The one component of a picture tab: ``static/<name>.js``, or ``scripts`` in one scope, and the calls it may make.

    ``calls``: name -> ``work(payload, language)``, besides those of :func:`picture_functions`; ``texts_of``: prefixes
    of the keys of its texts; ``props``: what else the script finds in its ``props``.
    """
    own = [server_function(call, work) for call, work in calls.items()]
    return gr.HTML(
        html_template='<div class="im-root"></div>',
        js_on_load=script(*(scripts or (f"{name}.js",))),
        server_functions=[*picture_functions(workspace, studio), *own],
        elem_id=name,
        apply_default_css=False,
        texts=page_texts("c_", *texts_of),
        default_psi=DEFAULT_PSI,
        limits={"psi": checks.MAX_PSI, "amount": checks.MAX_AMOUNT, "weight": checks.MAX_WEIGHT},
        **props,
    )


def page_texts(*prefixes: str) -> dict[str, dict[str, str]]:
    """The texts whose keys start with one of ``prefixes``, for a component's JavaScript."""
    chosen = {key: pair for key, pair in texts.TEXTS.items() if key.startswith(prefixes)}
    return {"en": {key: en for key, (en, _) in chosen.items()}, "zh": {key: zh for key, (_, zh) in chosen.items()}}


def data_url(image: Image.Image, side: int | None = None) -> str:
    """A picture for the page: PNG where it is small, else the fastest to encode: WebP with alpha, JPEG without.

    ``side``: shrink to at most so many pixels (thumbnails).
    """
    if side and image.width > side:
        image = image.resize((side, side), Image.Resampling.LANCZOS)
    buffer, kind = io.BytesIO(), "png"
    if image.width <= 128:
        image.save(buffer, "PNG", compress_level=1)
    elif image.mode == "RGBA":
        kind = "webp"
        image.save(buffer, "WEBP", quality=92, method=0)
    else:
        kind = "jpeg"
        image.save(buffer, "JPEG", quality=92)
    return f"data:image/{kind};base64,{base64.b64encode(buffer.getvalue()).decode()}"


def recipe_from(value: Any) -> Recipe:
    """A recipe out of the page's JSON; raises UserError on nonsense."""
    return Recipe.from_json(value if isinstance(value, str) else json.dumps(value))


def recipe_data(recipe: Recipe) -> Payload:
    """Every field, also those at their defaults: the page edits them in place."""
    return asdict(recipe)


def recipes_from(payload: Payload, most: int = MAX_BATCH) -> list[Recipe]:
    """The recipes of the page's JSON; raises UserError on nonsense or more than ``most``."""
    values = payload.get("recipes")
    if not isinstance(values, list) or len(values) > most:
        raise UserError(UNREADABLE)
    return [recipe_from(value) for value in values]


def models(workspace: Workspace, language: str) -> list[dict[str, str]]:
    """``[{name, title}]`` for a menu: the library, then the newest networks of the runs, which say so."""

    def label(entry: library.ModelEntry, title: str) -> str:
        if not entry.name.startswith(library.RUN_PREFIX):
            return title
        return f"{title} · {texts.t('in_training' if entry.in_training else 'mo_run', language)}"

    entries = library.list_models(workspace)
    return [
        {"name": entry.name, "title": label(entry, title)}
        for entry, title in zip(entries, titles(entries, language), strict=True)
        if entry.info is not None  # damaged ones are shown, with their sentence, under Models
    ]


def titles(entries: list[library.ModelEntry], language: str | gr.Request | None = "en") -> list[str]:
    """What models are called in a list; a bundled one's name follows its title where one of the visitor's has that."""
    theirs = {entry.name for entry in entries if not entry.bundled}
    found = [(entry, title(entry, language)) for entry in entries]
    return [f"{said} ({entry.name})" if entry.bundled and said in theirs else said for entry, said in found]


def title(entry: library.ModelEntry, language: str | gr.Request | None = "en") -> str:
    """What a model is called on the page: a bundled one by its own title, the visitor's by the name they gave it."""
    own = about(entry, language)["title"] if entry.info and entry.bundled else ""
    return own or entry.name.removeprefix(library.RUN_PREFIX)


def about(entry: library.ModelEntry, language: str | gr.Request | None = "en") -> dict[str, str]:
    """What a sound model says of itself: ``title``, ``description``, ``licence`` and its ``dataset``'s name."""
    info = entry.info
    said = {
        "title": info.title, "description": info.description.replace("`", ""), "licence": info.licence,
        "dataset": str(info.dataset.get("name", "?")),
    }  # fmt: skip
    chinese = entry.bundled and texts.language(language) == "zh"
    return said | texts.BUNDLED_ZH.get(entry.name, {}) if chinese else said


def model_facts(studio: Studio, name: str, language: str) -> Payload:
    """What the controls need to know about one model."""
    model, directions = studio.model(name), studio.directions(name)
    chinese = texts.language(language) == "zh"
    return {
        "name": name,
        "hash": "" if name.startswith(library.RUN_PREFIX) else model.hash[:12],
        "classes": list(model.info.class_names) if model.info.config.num_classes else [],
        "resolution": model.info.config.resolution,
        "alpha": model.info.config.channels == 4,
        "layers": model.generator.num_ws,
        "noise": model.generator.noise_size > 0,
        "first_seed": model.info.first_seed,
        "directions": [
            {"id": d.id, "kind": d.kind, "name": d.title(chinese), "layers": d.layers, "effects": d.effects,
             "purity": d.purity, "hidden": d.hidden}
            for d in directions
        ],
    }  # fmt: skip


def new_recipe(
    studio: Studio, name: str, seed: int | None = None, psi: float = DEFAULT_PSI, label: int | None = None
) -> Recipe:
    """One seed of a model, by default the one that greets visitors; class 0 where one is needed and none was given.

    Recipes on the page carry no hash, so that a model in training can be watched; links and files are
    pinned to the model's version when they are made.
    """
    info = studio.model(name).info
    if info.config.num_classes and label is None:
        label = 0
    return Recipe(model=name, seeds=((info.first_seed if seed is None else seed, 1.0),), psi=psi, label=label)


def unpinned(studio: Studio, recipe: Recipe, language: str) -> tuple[Recipe, str | None]:
    """A recipe from a link or file, made ready for the page, and a sentence if its model has changed since."""
    note = None
    recipe = replace(recipe, model=library.renamed(studio.workspace, recipe.model, recipe.model_hash))
    if recipe.model_hash and not studio.model(recipe.model).hash.startswith(recipe.model_hash):
        note = texts.t("c_other_version", language)
    recipe = replace(recipe, model_hash="")
    studio.render(recipe)  # raises what is wrong with it
    return recipe, note


def picture_in(studio: Studio, file: Path, language: str) -> Payload:
    """The recipe inside a PNG file, made ready for the page, and a sentence if its model has changed since."""
    recipe, note = unpinned(studio, Recipe.from_json(png.recipe_of(file)), language)
    return {"recipe": recipe_data(recipe), "note": note}


def pinned(studio: Studio, recipe: Recipe) -> Recipe:
    """``recipe`` with the model's version, for links and code, unless that changes every few seconds."""
    return recipe if recipe.model.startswith(library.RUN_PREFIX) else studio.pinned(recipe)


def link(studio: Studio, recipe: Recipe) -> str:
    """The query part of a link to a picture."""
    return pinned(studio, recipe).to_query()


def moved_on(studio: Studio, recipe: Recipe, version: str, language: str) -> str | None:
    """A sentence where the network with the hash ``version`` has learned on, and its picture is no longer in memory."""
    if version in ("", studio.model_for(recipe).hash) or studio.seen(recipe, version) is not None:
        return None
    return texts.t("c_newer_version", language)


def warm_up(workspace: Workspace, studio: Studio) -> None:
    """Draw once with the model that greets visitors: a process is slow to draw its first picture."""
    try:
        for model in models(workspace, "en")[:1]:
            studio.directions(model["name"])
            studio.render(new_recipe(studio, model["name"]))
    except Exception:  # a visitor is told when they open it
        log.debug("Warming up failed", exc_info=True)


def picture_functions(workspace: Workspace, studio: Studio) -> list[Callable[..., Payload]]:
    """The calls every picture tab makes: ``models`` (and today's name of the page's), ``describe``, ``draw``, ..."""

    def list_models(payload: Payload, language: str) -> Payload:
        name = str(payload.get("model", ""))
        with suppress(UserError):
            name = library.renamed(workspace, name, str(payload.get("hash", "")))
        return {"models": models(workspace, language), "name": name}

    def describe(payload: Payload, language: str) -> Payload:
        name = str(payload.get("model", ""))
        return {"model": model_facts(studio, name, language), "recipe": recipe_data(new_recipe(studio, name))}

    def draw(payload: Payload, language: str) -> Payload:
        side = payload.get("side")
        side = side if isinstance(side, int) and 16 <= side <= 1024 else None
        recipes = recipes_from(payload)
        of = [studio.model_for(recipe) for recipe in recipes]  # a trainer may write the next at any moment
        images = [data_url(studio.render(*pair), side) for pair in zip(recipes, of, strict=True)]
        return {"images": images, "versions": [model.hash for model in of]}

    def png_file(payload: Payload, language: str) -> Payload:
        recipe, version = recipe_from(payload.get("recipe")), str(payload.get("version", ""))
        note, content = moved_on(studio, recipe, version, language), studio.png(recipe, version)
        return {"url": file_url(content, "image/png"), "name": file_name(recipe), "note": note}

    def code(payload: Payload, language: str) -> Payload:
        recipe = pinned(studio, recipe_from(payload.get("recipe")))
        return dict(api_call(recipe, str(payload.get("base", "")), file_name(recipe)))

    calls = {"models": list_models, "describe": describe, "draw": draw, "png": png_file, "api_call": code}
    return [server_function(name, work) for name, work in calls.items()]


def file_url(content: bytes, kind: str = "application/octet-stream") -> str:
    """A file for the page to save."""
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"


@contextmanager
def sent_file(payload: Payload) -> Iterator[Path]:
    """The file that the page sent, its ``name`` and its ``data`` (a data URL), while the context lasts.

    Where ``data`` cannot be read it is empty, and its reader says what is wrong, by name.

    Raises:
        UserError: there is none, or it is too large.
    """
    name = re.sub(r"[^\w .-]", "_", str(payload.get("name", ""))[:60]).strip(". ") or "file"  # sentences name it
    data = payload.get("data")
    if not isinstance(data, str) or len(data) > MAX_SENT:
        raise UserError("{name} is too large to be a file saved here.", name=name)
    try:
        content = base64.b64decode(data.partition(",")[2], validate=True)
    except ValueError:
        content = b""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / name
        file.write_bytes(content)
        yield file


def stem(model: str) -> str:
    """A model's name as the names of files begin with it."""
    return model.replace("/", "-")


def file_name(recipe: Recipe) -> str:
    """``planets-seed0042.png``, as the command line names it, with the model in front."""
    return f"{stem(recipe.model)}-{links.file_name(recipe)}"
