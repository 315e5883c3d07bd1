"""Interpolate: keyframes in a row, a film strip at once, a video when asked.

The tab is one HTML component (``static/interpolate.js``); the video goes through Gradio's
queue, for its progress and its player.
"""

from __future__ import annotations

import time
from typing import Any

import gradio as gr
from PIL import Image

from imagen_demo.errors import UserError
from imagen_demo.latent.interpolation import EASINGS
from imagen_demo.progress import Progress
from imagen_demo.studio import interpolations
from imagen_demo.studio.interpolations import Interpolation
from imagen_demo.studio.recipes import Studio
from imagen_demo.ui import file_jobs, widgets
from imagen_demo.ui.texts import i18n
from imagen_demo.ui.widgets import Payload
from imagen_demo.workspace import Workspace

MAX_PREVIEW = 64  # frames of one film strip


def build(workspace: Workspace, studio: Studio, shared: Any) -> None:
    """Fill the tab."""
    calls = {"film": lambda payload, language: _film(studio, payload)}
    editor = widgets.picture_tab("interpolate", workspace, studio, calls, ("i_", "x_picture"), easings=list(EASINGS))
    video = gr.Video(label=i18n("i_video"), visible=False, elem_id="interpolate-video", interactive=False, height=420,
                     autoplay=True, loop=True, buttons=["download"])  # fmt: skip
    cancel = gr.Button(i18n("c_cancel"), visible=False, elem_id="interpolate-cancel", size="sm")
    file_jobs.wire(
        editor.make, video, cancel, lambda sent, report: write_video(studio, sent.get("spec"), report), "video"
    )


def interpolation_from(spec: Any) -> Interpolation:
    """An interpolation out of the page's JSON; raises UserError on nonsense."""
    if not isinstance(spec, dict):
        raise UserError("The page sent something unreadable; reload it.")
    try:
        seconds, fps = float(spec.get("seconds", 4)), int(spec.get("fps", 30))
    except (TypeError, ValueError, OverflowError):
        raise UserError("The page sent something unreadable; reload it.") from None
    return Interpolation(
        recipes=tuple(widgets.recipes_from(spec, 2 * interpolations.MAX_KEYFRAMES)),  # a few too many get its sentence
        space=str(spec.get("space", "w")),
        easing=str(spec.get("easing", "smooth")),
        seconds=seconds,
        fps=fps,
        loop=bool(spec.get("loop")),
    )


def write_video(studio: Studio, spec: Any, progress: Progress) -> str:
    """The MP4 of the page's ``spec``, in Gradio's own folder; at least 256 px, so that players show it well."""
    interpolation = interpolation_from(spec)
    size = spec.get("size")
    size = size if size in (256, 512, 1024) else 512
    out = file_jobs.fresh_file(f"{interpolation.recipes[0].model.replace('/', '-')}-{int(time.time())}.mp4")
    interpolations.write(studio, interpolation, out, progress, size=size)
    return str(out)


def _film(studio: Studio, payload: Payload) -> Payload:
    count, side = payload.get("count"), payload.get("side")
    if not isinstance(count, int) or not 2 <= count <= MAX_PREVIEW or side not in (192, 256):
        raise UserError("The page sent something unreadable; reload it.")
    frames = interpolations.filmstrip(studio, interpolation_from(payload), count)
    return {"images": [widgets.data_url(Image.fromarray(frame), side) for frame in frames]}
