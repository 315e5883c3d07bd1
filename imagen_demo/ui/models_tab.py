"""The Models tab: the library as cards, one model's facts, and what can be done with it."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import escape
from pathlib import Path
from typing import Any

import gradio as gr
from PIL import Image

from imagen_demo.errors import UserError
from imagen_demo.models.folder import ancestors_text
from imagen_demo.models.metrics import MEANINGS
from imagen_demo.studio import library, model_zips
from imagen_demo.studio.library import ModelEntry
from imagen_demo.ui import file_jobs, models_export, pieces, widgets
from imagen_demo.ui.pieces import PRIVATE
from imagen_demo.ui.texts import i18n, pictures, t, translate_error
from imagen_demo.workspace import Workspace

SHOW = "() => window.imagenDemo.revealSoon('models-detail')"  # below many cards it would open unseen
CARD_SIDE, DETAIL_SIDE = 380, 320  # pixels of the previews, at most


def build(workspace: Workspace, studio: Any, shared: Any) -> None:
    """Fill the tab."""
    chosen = gr.Textbox(visible=False)  # the model's name; a State would not reach the page
    with gr.Row(elem_classes="tr-buttons tr-outline"):
        upload = gr.UploadButton(i18n("mo_import"), file_count="single", size="md", elem_id="models-import")
        refresh = gr.Button(i18n("mo_refresh"), size="md", elem_id="models-refresh")
    cards = gr.HTML(
        value={"cards": [], "chosen": None}, html_template='<div class="mo-root im-root"></div>',
        js_on_load=widgets.script("models.js"), apply_default_css=False, elem_id="models-cards",
    )  # fmt: skip
    empty, note = pieces.html("models-empty"), pieces.html("models-note")
    with gr.Column(visible=False, elem_classes="tr-card", elem_id="models-detail") as detail:
        facts = pieces.html("models-facts")
        with gr.Row(elem_classes="tr-buttons"):
            explore = gr.Button(i18n("mo_explore"), variant="primary", size="md", elem_id="models-explore")
            rename = gr.Button(i18n("mo_rename"), size="md", elem_id="models-rename")
            export = gr.Button(i18n("mo_export"), size="md", elem_id="models-export")
            delete = gr.Button(i18n("mo_delete"), size="md", elem_id="models-delete")
        with gr.Row(visible=False, elem_classes="tr-buttons", elem_id="models-rename-row") as rename_row:
            new_name = gr.Textbox(label=i18n("mo_new_name"), max_lines=1, elem_id="models-new-name", min_width=220)
            rename_yes = gr.Button(i18n("mo_rename"), size="md", elem_id="models-rename-yes")
        delete_row, delete_yes, delete_no = pieces.confirm(
            "mo_delete_sure", "tr_delete_yes", "tr_keep", "models-delete", shared.greeting
        )
        file = gr.File(visible=False, label=i18n("mo_file"), interactive=False, elem_id="models-file")
        models_export.build(workspace, studio)
        with gr.Accordion(i18n("mo_card"), open=False, elem_id="models-card-fold"):
            readme = gr.Markdown(elem_id="models-readme")

    shown = [cards, empty, chosen, detail, facts, readme, rename, delete, rename_row, delete_row, file]
    acted = [note, *shown]
    say = pieces.bound(_act, workspace)

    def show(name: str | None, request: gr.Request) -> list[Any]:
        return _shown(workspace, name, request)

    def pick(event: gr.SelectData, request: gr.Request) -> list[Any]:
        return ["", *_shown(workspace, event.value, request)]

    def do_rename(name: str, new: str, request: gr.Request) -> list[Any]:
        return say(lambda: library.rename(workspace, name, new or ""), "mo_renamed", name, request)

    def do_delete(name: str, request: gr.Request) -> list[Any]:
        return say(lambda: library.delete(workspace, name), "mo_deleted", name, request)

    def do_import(path: str, request: gr.Request) -> list[Any]:
        return say(lambda: model_zips.import_zip(workspace, Path(path)), "mo_imported", None, request)

    cards.select(pick, None, acted, **PRIVATE).then(None, js=SHOW, **PRIVATE)
    refresh.click(show, chosen, shown, **PRIVATE)
    explore.click(None, chosen, None, js=shared.open_in_explore, **PRIVATE)
    rename.click(lambda name: (gr.Row(visible=True), name), chosen, [rename_row, new_name], **PRIVATE)
    rename_yes.click(do_rename, [chosen, new_name], acted, **PRIVATE)
    new_name.submit(do_rename, [chosen, new_name], acted, **PRIVATE)
    delete.click(lambda: gr.Column(visible=True), None, delete_row, **PRIVATE)
    delete_no.click(lambda: gr.Column(visible=False), None, delete_row, **PRIVATE)
    delete_yes.click(do_delete, chosen, acted, **PRIVATE)
    begins, ends, _ = file_jobs.scripts_of("models-export", file)
    export.click(None, js=begins, **PRIVATE)
    exported = export.click(pieces.bound(_export, workspace), chosen, [note, file], **PRIVATE)
    exported.then(None, file, js=ends, **PRIVATE)
    upload.upload(do_import, upload, acted, **PRIVATE)

    def arrive(name: str | None, request: gr.Request) -> list[Any]:
        return ["", *show(name, request)]  # what was said last time is over, and runs may have put models there

    shared.tab.select(arrive, chosen, acted, **PRIVATE)


def _act(
    workspace: Workspace, work: Callable[[], str | None], done: str, name: str | None, request: gr.Request
) -> list[Any]:
    """Do something to the library; the note says how it went, and the new name stays chosen."""
    try:
        result = work()
    except UserError as problem:
        return [pieces.error(problem, request), *[gr.skip()] * 11]
    return [pieces.note(t(done, request, name=result or name), "good"), *_shown(workspace, result, request)]


def _export(workspace: Workspace, name: str | None, request: gr.Request) -> list[Any]:
    if not name:
        return [pieces.note(t("mo_choose", request), "bad"), gr.File(value=None, visible=False)]
    out = file_jobs.fresh_file(f"{name.removeprefix(library.RUN_PREFIX)}.zip")
    try:
        model_zips.export_zip(workspace, name, out)
    except UserError as problem:
        return [pieces.error(problem, request), gr.File(value=None, visible=False)]
    return [pieces.note(t("mo_exported", request, name=out.name), "good"), gr.File(value=str(out), visible=True)]


# -- what is shown ---------------------------------------------------------------


def _shown(workspace: Workspace, name: str | None, request: gr.Request) -> list[Any]:
    """cards, empty, chosen, detail, facts, readme, rename, delete, rename row, delete row, file."""
    entries = library.list_models(workspace)
    entry = next((found for found in entries if found.name == name), None)
    titles = widgets.titles(entries, request)
    drawn = [_card(found, title, request) for found, title in zip(entries, titles, strict=True)]
    cards = {"cards": drawn, "chosen": entry and entry.name}
    empty = "" if entries else (
        f'<div class="im-empty"><h2>{t("mo_empty", request)}</h2><p>{t("mo_empty_help", request)}</p></div>'
    )  # fmt: skip
    own = entry is not None and not entry.bundled and not entry.name.startswith(library.RUN_PREFIX)
    return [
        cards, empty, entry and entry.name, gr.Column(visible=entry is not None),
        _facts(entry, request) if entry else "", _readme(entry) if entry else "",
        gr.Button(visible=own), gr.Button(visible=own), gr.Row(visible=False), gr.Column(visible=False),
        gr.File(value=None, visible=False),
    ]  # fmt: skip


def _origin(entry: ModelEntry, request: gr.Request) -> str:
    if entry.error:
        return t("mo_damaged", request)
    if entry.in_training:
        return t("in_training", request)
    if entry.bundled:
        return t("mo_bundled", request)
    return t("mo_run" if entry.name.startswith(library.RUN_PREFIX) else "mo_yours", request)


def _preview(entry: ModelEntry, side: int) -> str | None:
    """The preview grid as a data URL; None where there is none."""
    if entry.preview is None:
        return None
    try:
        with Image.open(entry.preview, formats=["PNG"]) as image:
            image.load()
            return widgets.data_url(image if image.mode in ("RGB", "RGBA") else image.convert("RGB"), side)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None


def _card(entry: ModelEntry, title: str, request: gr.Request) -> dict[str, Any]:
    parts = [_origin(entry, request)]
    if entry.info:
        parts.insert(0, f"{entry.info.config.resolution} px")
    if title != entry.name.removeprefix(library.RUN_PREFIX):
        parts.insert(0, entry.name)  # what links and the command line call a bundled model
    return {
        "name": entry.name, "title": title, "facts": " · ".join(parts),
        "image": _preview(entry, CARD_SIDE),
    }  # fmt: skip


def _facts(entry: ModelEntry, request: gr.Request) -> str:
    image = _preview(entry, DETAIL_SIDE)
    title = escape(widgets.title(entry, request))
    picture = f'<img src="{image}" alt="{title}" class="im-alpha">' if image else "<span></span>"
    head = f"<h3>{title}</h3><p>{escape(entry.name)} · {_origin(entry, request)}</p>"
    if entry.error:
        body = pieces.note(translate_error(entry.error, request), "bad")
    else:
        description = widgets.about(entry, request)["description"]
        body = f"<p>{escape(description)}</p>" if description else ""
        rows = [f"<dt>{t(key, request)}</dt><dd>{escape(str(value))}</dd>" for key, value in _rows(entry, request)]
        body += f'<dl class="mo-facts">{"".join(rows)}</dl>'
    return f'<div class="mo-detail">{picture}<div>{head}{body}</div></div>'


def _rows(entry: ModelEntry, request: gr.Request) -> list[tuple[str, str]]:
    info, about, rows = entry.info, widgets.about(entry, request), []
    rows.append(("mo_resolution", f"{info.config.resolution} × {info.config.resolution}"))
    if "kimg" in info.training:
        rows.append(("mo_kimg", pictures(info.training["kimg"], request)))
    if "minutes" in info.training:
        rows.append(("mo_minutes", t("mo_minutes_value", request, count=info.training["minutes"])))
    if info.dataset:
        count = t("mo_pictures_value", request, count=info.dataset.get("pictures", "?"))
        rows.append(("mo_pictures", f"{about['dataset']} ({count})"))
    if info.class_names:
        rows.append(("mo_classes", ", ".join(info.class_names[:12])))
    rows += [(f"mo_{key}", f"{info.metrics[key]:.4g}") for key in MEANINGS if key in info.metrics]
    if info.lineage:
        rows.append(("mo_ancestors", ancestors_text(info)))
    if about["licence"]:
        rows.append(("mo_licence", about["licence"]))
    return rows


def _readme(entry: ModelEntry) -> str:
    """The model's card as Markdown, without HTML and pictures: a stranger's could tell its author who looks at it."""
    try:
        text = (entry.path / "README.md").read_text("utf-8")[:20_000]
    except (OSError, UnicodeDecodeError):
        return ""
    return re.sub(r"!+(?=\[)", "", text.replace("<", "&lt;"))
