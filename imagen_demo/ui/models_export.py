"""Models: a model as ONNX files or as a static web page, made in the queue with progress and Cancel."""

from __future__ import annotations

import tempfile
import zipfile
from pathlib import Path
from typing import Any

import gradio as gr

from imagen_demo.errors import UserError
from imagen_demo.export import onnx, web
from imagen_demo.progress import Progress
from imagen_demo.studio.recipes import Studio
from imagen_demo.ui import file_jobs, pieces
from imagen_demo.ui.texts import i18n
from imagen_demo.workspace import Workspace

FORMATS = ("onnx", "web")


def build(workspace: Workspace, studio: Studio) -> None:
    """The buttons, what they make, and Cancel."""
    buttons = gr.HTML(
        html_template='<div class="me-root im-root"></div>',
        js_on_load=pieces.script_with_texts("models_export.js", "me_"),
        apply_default_css=False, elem_id="models-take",
    )  # fmt: skip
    file = gr.File(visible=False, label=i18n("me_file"), interactive=False, elem_id="models-take-file")

    def work(sent: dict[str, Any], progress: Progress) -> str:
        return write_export(workspace, studio, str(sent.get("model", "")), str(sent.get("format", "")), progress)

    file_jobs.wire(buttons.make, file, "models-take-cancel", work, "export")


def write_export(workspace: Workspace, studio: Studio, name: str, format: str, progress: Progress) -> str:
    """A zip in Gradio's own folder: of three ONNX files, or of the page.

    Raises:
        UserError: there is no such model or format, or what the page needs is not to be had.
    """
    if format not in FORMATS:
        raise UserError("A model can be exported as one of {choices}.", choices=", ".join(FORMATS))
    model, stem = studio.model(name), name.rpartition("/")[2]
    out = file_jobs.fresh_file(f"{stem}-{format}.zip")
    with tempfile.TemporaryDirectory(prefix="imagen-export-") as scratch:
        if format == "onnx":
            facts = onnx.export_onnx(model, name, Path(scratch) / f"{stem}.onnx", progress)
            with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:  # weights do not compress
                for file in facts["files"]:
                    archive.write(file, Path(file).name)
        else:
            folder = Path(scratch) / stem
            web.write_page(model, name, studio.directions(name), folder, workspace.exports, progress=progress)
            web.write_page_zip(folder, out)
    return str(out)
