"""Explore's calls about directions: filmstrips, names, hiding, finding, making from examples, files."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from PIL import Image

from imagen_demo.errors import UserError
from imagen_demo.studio import directions as making
from imagen_demo.studio import jobs, library
from imagen_demo.studio.background import Background
from imagen_demo.studio.recipes import Recipe, Studio
from imagen_demo.ui import texts, widgets
from imagen_demo.ui.widgets import Payload

FILM, REACH, FILM_SIDE = 7, 3, 96  # pictures of a filmstrip, its greatest amount, their side


def calls(studio: Studio) -> dict[str, Callable[[Payload, str], Payload]]:
    """name -> ``work(payload, language)``, for :func:`widgets.picture_tab`."""
    finding = _Finding(studio)

    def changed(name: str, language: str, **more: Any) -> Payload:
        return {"model": widgets.model_facts(studio, name, language), **more}

    def film(payload: Payload, language: str) -> Payload:
        recipe, id = widgets.recipe_from(payload.get("recipe")), _text(payload, "id")
        return _film(studio, recipe, id, _text(payload, "layers"))

    def rename(payload: Payload, language: str) -> Payload:
        name = _lasting(studio, payload)
        making.rename(studio, name, _text(payload, "id"), _text(payload, "name"))
        return changed(name, language)

    def hide(payload: Payload, language: str) -> Payload:
        name = _lasting(studio, payload)
        making.hide(studio, name, _text(payload, "id"), payload.get("hidden") is True)
        return changed(name, language)

    def remove(payload: Payload, language: str) -> Payload:
        name = _lasting(studio, payload)
        making.remove(studio, name, _text(payload, "id"))
        return changed(name, language)

    def from_examples(payload: Payload, language: str) -> Payload:
        name = _lasting(studio, payload)
        with_, without = (
            widgets.recipes_from({"recipes": payload.get(key)}, making.MOST_EXAMPLES) for key in ("with", "without")
        )
        made = making.from_examples(
            studio, name, with_, without, _text(payload, "name"), _ids(payload, "against"),
            layers=_text(payload, "layers"), within_class=payload.get("within_class") is True,
        )  # fmt: skip
        return changed(name, language, id=made.id)

    def from_class(payload: Payload, language: str) -> Payload:
        name, label = _lasting(studio, payload), payload.get("label")
        if not isinstance(label, int) or isinstance(label, bool):
            raise UserError(widgets.UNREADABLE)
        layers = _text(payload, "layers")
        made = making.from_class(studio, name, label, _text(payload, "name"), _ids(payload, "against"), layers=layers)
        return changed(name, language, id=made.id)

    def export_directions(payload: Payload, language: str) -> Payload:
        name, ids = _text(payload, "model"), _ids(payload, "ids")
        with tempfile.TemporaryDirectory() as folder:
            out = Path(folder) / "directions.safetensors"
            making.export_file(studio, name, ids, out)
            title = f"{widgets.stem(name)}-{'-'.join(ids)[:60]}.safetensors"
            return {"url": widgets.file_url(out.read_bytes()), "name": title}

    def import_directions(payload: Payload, language: str) -> Payload:
        name = _lasting(studio, payload)
        before = {direction.id for direction in studio.directions(name)}
        with widgets.sent_file(payload) as file:
            found = making.import_file(studio, name, file)
        chinese = texts.language(language) == "zh"
        names = {new: [d.title(chinese) for d in found if (d.id not in before) is new] for new in (True, False)}
        return changed(name, language, names=names[True], known=names[False])

    def stop_finding(payload: Payload, language: str) -> Payload:
        finding.stop(_text(payload, "model"))
        return {}

    return {
        "film": film, "rename": rename, "hide": hide, "remove": remove, "from_examples": from_examples,
        "from_class": from_class, "export_directions": export_directions, "import_directions": import_directions,
        "find": lambda payload, language: finding.start(_lasting(studio, payload), language),
        "finding": lambda payload, language: finding.state(_text(payload, "model"), language),
        "stop_finding": stop_finding,
    }  # fmt: skip


def _lasting(studio: Studio, payload: Payload) -> str:
    """The name of the payload's model, which keeps what is found or said of it.

    Raises:
        UserError: it is in training: directions belong to weights, and these are others every few seconds.
    """
    name = _text(payload, "model")
    if name.startswith(library.RUN_PREFIX):
        run = jobs.find_run(studio.workspace, name.removeprefix(library.RUN_PREFIX))
        if run.status().alive:
            raise UserError("{name} is in training and changes all the time; do this when it is done.", name=run.name)
    return name


def _text(payload: Payload, key: str) -> str:
    value = payload.get(key)
    if not isinstance(value, str) or len(value) > 200:
        raise UserError(widgets.UNREADABLE)
    return value


def _ids(payload: Payload, key: str) -> list[str]:
    value = payload.get(key)
    if not isinstance(value, list) or len(value) > 512 or not all(isinstance(id, str) for id in value):
        raise UserError(widgets.UNREADABLE)
    return value


def _film(studio: Studio, recipe: Recipe, id: str, layers: str) -> Payload:
    """The picture with the direction at amounts from -REACH to REACH, everything else as it is."""
    pictures = making.filmstrip(studio, recipe, id, FILM, REACH, layers)
    amounts = [round(-REACH + 2 * REACH * step / (FILM - 1), 2) for step in range(FILM)]
    return {"images": [widgets.data_url(Image.fromarray(each), FILM_SIDE) for each in pictures], "amounts": amounts}


class _Finding:
    """Looking for more directions: at most one job a model, which every page of that model watches."""

    def __init__(self, studio: Studio) -> None:
        self._studio = studio
        self._jobs: dict[str, Background[Any]] = {}  # by the weights' hash
        self._lock = threading.Lock()

    def start(self, name: str, language: str) -> Payload:
        key = self._studio.model(name).hash
        with self._lock:
            if key not in self._jobs or self._jobs[key].done:
                self._jobs[key] = Background(lambda progress: making.discover(self._studio, name, progress))
        return self.state(name, language)

    def stop(self, name: str) -> None:
        if job := self._jobs.get(self._studio.model(name).hash):
            job.cancel()

    def state(self, name: str, language: str) -> Payload:
        """``state``: idle, working (with ``fraction``, ``text``), cancelled, complete (with the model's new facts)."""
        job = self._jobs.get(self._studio.model(name).hash)
        if job and not job.done:
            text = texts.translate_progress(job.text, language)
            return {"state": "working", "fraction": job.fraction, "text": text}
        if job and job.error:
            raise job.error
        if job and job.crashed:
            return {"error": texts.t("unexpected", language)}
        if self._studio.directions(name).varied is not None:
            return {"state": "complete", "model": widgets.model_facts(self._studio, name, language)}
        return {"state": "cancelled" if job and job.cancelled else "idle"}
