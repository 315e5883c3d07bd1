"""Interpolate: a timeline of keyframes, a preview that moves at once, a film when asked.

The tab is one HTML component (``static/interpolate*.js``); the film goes through Gradio's queue, for its progress.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import asdict, replace
from html import escape
from pathlib import Path
from typing import Any

import gradio as gr
from PIL import Image

from imagen_demo.errors import UserError
from imagen_demo.latent.interpolation import EASINGS
from imagen_demo.media.audio import Sound
from imagen_demo.media.formats import FORMATS
from imagen_demo.progress import Progress
from imagen_demo.studio import interpolations, library, pacing, timeline
from imagen_demo.studio.interpolations import Film
from imagen_demo.studio.recipes import Studio
from imagen_demo.studio.timeline import KINDS, Timeline
from imagen_demo.ui import file_jobs, sounds, texts, widgets
from imagen_demo.ui.widgets import Payload
from imagen_demo.workspace import Workspace

MAX_PREVIEW = 32  # frames in one answer
PREPARED = 16  # films ready to be drawn, kept for the preview's next pictures
SCRIPTS = ("interpolate_core.js", "interpolate_preview.js", "interpolate_keys.js", "interpolate_sound.js",
           "interpolate.js")  # fmt: skip
OLD = {"space": "kind", "loop": "closed", "easing": "easings"}  # keys of earlier versions' specs


def build(workspace: Workspace, studio: Studio, shared: Any) -> None:
    """Fill the tab."""
    previews = _Previews(studio)
    calls = {
        "open": lambda payload, language: _open(workspace, studio, payload, language),
        "film": lambda payload, language: _film(previews, payload),
        "link": lambda payload, language: {"query": _link(studio, payload)},
        "sound": lambda payload, language: {"sound": _heard(payload)},
        "read": lambda payload, language: _read(studio, payload, language),
    }
    editor = widgets.picture_tab(
        "interpolate", workspace, studio, calls, ("i_",), SCRIPTS, easings=list(EASINGS), kinds=list(KINDS),
        mark=timeline.MARK,
        formats={f.name: {"alpha": f.alpha, "sound": f.sound, "fps": f.most_fps, "bytes": f.frame_bytes,
                          "motion": f.motion} for f in FORMATS.values()},
    )  # fmt: skip
    result = gr.HTML(visible=False, elem_id="interpolate-video", apply_default_css=False, min_height=90)

    def work(sent: dict[str, Any], report: Progress) -> str:
        return _result(studio, sent.get("spec"), report)

    file_jobs.wire(editor.make, result, "interpolate-cancel", work, "video", "interpolate-make")


def timeline_from(spec: Any) -> Timeline:
    """A timeline out of the page's or a program's JSON: ``{"t": link}``, or its fields, recipes among them.

    ``seconds``: a list, one for each segment, or one number, the length of the whole. Keys of earlier
    versions are understood: ``space`` (kind), ``loop`` (closed), ``easing`` (easings).

    Raises:
        UserError: nonsense.
    """
    if not isinstance(spec, dict):
        raise UserError(widgets.UNREADABLE)
    if spec.get("t"):
        return timeline.from_link(spec["t"])
    known = {name: OLD.get(name, name) for name in spec}
    values = {known[name]: value for name, value in spec.items() if known[name] in Timeline.__dataclass_fields__}
    values["recipes"] = widgets.recipes_from(spec, 2 * timeline.MAX_KEYFRAMES)  # a few too many get their sentence
    seconds = values.setdefault("seconds", 4.0)
    if not isinstance(seconds, list):
        if isinstance(seconds, bool) or not isinstance(seconds, (int, float)):
            raise UserError(widgets.UNREADABLE)
        values["seconds"] = timeline.shared_out(seconds, len(values["recipes"]), bool(values.get("closed")))
    return timeline.from_data(values)


def write_video(studio: Studio, spec: Any, progress: Progress, sound: Sound | None = None) -> str:
    """The film of ``spec`` (see :func:`timeline_from`), in Gradio's own folder; returns its path.

    ``sound`` drives it and is in it; without one, the sound that the spec names, where a visitor has given it here.
    """
    wanted = timeline_from(spec)
    if sound is not None:
        wanted = replace(wanted, sound=sound.hash)
    ending = FORMATS[wanted.format].ending
    used = wanted.recipes[:1] if wanted.kind in ("loop", "walk") else wanted.recipes[:6]  # a name has an end
    seeds = "-".join(str(recipe.seeds[0][0]) for recipe in used)
    out = file_jobs.fresh_file(f"{widgets.stem(wanted.recipes[0].model)}-film-{seeds}{ending}")
    interpolations.write(studio, wanted, out, progress, sound or sounds.find(wanted.sound))
    return str(out)


def _result(studio: Studio, spec: Any, progress: Progress) -> str:
    """The film made, as HTML that shows it and offers it."""
    file = Path(write_video(studio, spec, progress))
    url, name = sounds.served(file), escape(file.name, quote=True)
    has_sound = bool(isinstance(spec, dict) and spec.get("sound"))
    clear = ' class="im-alpha"' if file.suffix != ".mp4" else ""  # a pattern behind what is transparent
    if file.suffix in (".mp4", ".webm"):
        quiet = "" if has_sound else " autoplay muted"
        shown = f'<video src="{url}" controls loop playsinline{quiet}{clear}></video>'
    else:
        shown = "" if file.suffix == ".zip" else f'<img src="{url}" alt="{name}"{clear}>'
    size = file.stat().st_size
    told = f"{size / 1e6:.1f} MB" if size >= 1e5 else f"{size / 1e3:.0f} kB"
    return (
        f'<figure class="in-result">{shown}<figcaption>'
        f'<a class="im-button" id="interpolate-download" href="{url}" download="{name}">{name} · {told}</a>'
        f"</figcaption></figure>"
    )


class _Previews:
    """Films that are ready to be drawn: the preview of one asks several times."""

    def __init__(self, studio: Studio) -> None:
        self.studio = studio
        self._films: OrderedDict[str, Film] = OrderedDict()
        self._lock = threading.Lock()

    def film(self, wanted: Timeline) -> Film:
        """The film, measured only once."""
        model = self.studio.model(wanted.recipes[0].model)
        key = model.hash + replace(wanted, size=None, format="mp4", background="white").to_link()
        with self._lock:
            film = self._films.get(key)
        film = film or interpolations.prepare(self.studio, wanted, sounds.find(wanted.sound))
        with self._lock:
            self._films[key] = film
            self._films.move_to_end(key)
            while len(self._films) > PREPARED:
                self._films.popitem(last=False)
        return film


def _film(previews: _Previews, payload: Payload) -> Payload:
    """Frames at some parts (0 to 1) of the film, and the second of each keyframe."""
    parts, side = payload.get("parts"), payload.get("side")
    sound = isinstance(parts, list) and len(parts) <= MAX_PREVIEW and side in (192, 256)
    if not sound or not all(isinstance(part, (int, float)) and 0 <= part <= 1 for part in parts):
        raise UserError(widgets.UNREADABLE)
    film = previews.film(timeline_from(payload.get("timeline")))
    last = pacing.last_frame(film.timeline)
    images = [widgets.data_url(Image.fromarray(film.frame(round(part * last))), side) for part in parts]
    return {"images": images, "knots": film.knots()}


def _heard(payload: Payload) -> Payload:
    """What is in a sound file that the page has uploaded."""
    return sounds.facts(sounds.keep(payload.get("path"), payload.get("name")))


def _read(studio: Studio, payload: Payload, language: str) -> Payload:
    """The picture of a dropped PNG file. (Of a film's file the page sends only the link in it, to ``open``.)"""
    with widgets.sent_file(payload) as file:
        return widgets.picture_in(studio, file, language)


def _link(studio: Studio, payload: Payload) -> str:
    """The query part of a link: pinned to the model's version, unless that changes every few seconds."""
    wanted = timeline_from(payload.get("timeline"))
    in_run = wanted.recipes[0].model.startswith(library.RUN_PREFIX)
    link = (wanted if in_run else interpolations.pinned(studio, wanted)).to_link()
    if len(link) > timeline.MAX_LINK:
        raise UserError("This film has too much in it for a link: take out pictures, or directions of theirs.")
    return f"t={link}"


def _open(workspace: Workspace, studio: Studio, payload: Payload, language: str) -> Payload:
    """The timeline of a link, as the page edits it, and a sentence about what is not as it was."""
    wanted = timeline.from_link(str(payload.get("t", "")))
    notes, recipes = [], []
    for recipe in wanted.recipes:
        fresh, note = widgets.unpinned(studio, recipe, language)
        recipes.append(fresh)
        notes += [note] if note and note not in notes else []
    heard = sounds.find(wanted.sound)
    if wanted.sound and heard is None:
        notes.append(texts.t("i_sound_gone", language))
        wanted = replace(wanted, sound="")
    data = asdict(replace(wanted, recipes=tuple(recipes)))
    images = [widgets.data_url(studio.render(recipe), 192) for recipe in recipes]
    return {"timeline": data, "images": images, "note": " ".join(notes) or None,
            "sound": sounds.facts(heard) if heard else None}  # fmt: skip
