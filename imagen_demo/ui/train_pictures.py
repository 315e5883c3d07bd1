"""Train, before it starts: the pictures, dropped in, prepared or chosen."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gradio as gr

from imagen_demo.config import RESOLUTIONS, PrepareConfig
from imagen_demo.data.dataset import Dataset, list_datasets, open_dataset
from imagen_demo.errors import UserError
from imagen_demo.studio import datasets
from imagen_demo.studio.background import Background, Jobs
from imagen_demo.ui import pieces
from imagen_demo.ui.pieces import PRIVATE
from imagen_demo.ui.texts import i18n, t, translate_progress
from imagen_demo.workspace import Workspace, checked_name

# Gradio uploads a folder's files without saying where in it they lay; the browser's own input still knows.
PLACES = """(...values) => {
  const input = [...document.querySelectorAll("input[webkitdirectory]")].find((each) => each.files.length);
  return [...values.slice(0, 4), JSON.stringify(input ? [...input.files].map((file) => file.webkitRelativePath) : [])];
}"""


def build(
    workspace: Workspace, blocks: gr.Blocks, greeting: pieces.Greeting, preparing: Jobs[str]
) -> tuple[gr.Dropdown, gr.File, list[Any]]:
    """The pictures' card: the menu of prepared datasets, what was dropped, and the events of a visitor's changes."""
    token = gr.State(None)  # key of the job this page watches
    places = gr.Textbox(visible=False)  # JSON: where each file of the uploaded folder lay in it
    with gr.Column(elem_classes="tr-card"):
        pieces.heading(greeting, 1, "tr_step1", "tr_step1_help")
        with gr.Row(equal_height=False):
            with gr.Column(scale=3, min_width=280):
                files = gr.File(file_count="multiple", label=i18n("tr_drop"), height=150, elem_id="train-files")
                with gr.Row(elem_classes="tr-buttons"):
                    folder = gr.UploadButton(
                        i18n("tr_folder"), file_count="directory", size="md", elem_id="train-folder"
                    )
                    sample = gr.Button(i18n("tr_sample"), size="md", elem_id="train-sample")
            with gr.Column(scale=2, min_width=240):
                resolution = gr.Dropdown(
                    choices=list(RESOLUTIONS[:-1]), value=PrepareConfig().resolution, label=i18n("label_resolution"),
                    info=i18n("set_resolution"), elem_id="train-resolution",
                )  # fmt: skip
                fit = gr.Dropdown(
                    choices=["crop", "pad", "stretch"], value="crop", label=i18n("label_fit"), elem_id="train-fit"
                )
                dataset = gr.Dropdown(choices=[], value=None, label=i18n("tr_existing"), visible=False,
                                      elem_id="train-dataset")  # fmt: skip
        go = gr.Button(i18n("tr_prepare"), variant="primary", visible=False, elem_id="train-prepare")
        with gr.Column(visible=False, elem_id="train-preparing") as working:
            bar = pieces.html("train-prepare-bar")
            cancel = gr.Button(i18n("c_cancel"), size="sm", elem_id="train-prepare-cancel")
        message = pieces.html("train-prepare-note")
        report = pieces.html("train-report")
        preview = pieces.html("train-preview")
    timer = gr.Timer(0.5, active=False)

    def watch(key: str, request: gr.Request) -> tuple[Any, ...]:
        job = preparing.get(key)
        return key, gr.Timer(active=True), gr.Column(visible=True), _progress(job, request) if job else "", ""

    def arrive(request: gr.Request) -> tuple[Any, ...]:
        """A page opens: it watches what is being prepared, whoever began it."""
        key = preparing.newest()
        return watch(key, request) if key else tuple(gr.skip() for _ in started)

    def under_way(before: str | None, request: gr.Request) -> bool:
        """Whether this visitor's own pictures are being prepared."""
        job = preparing.get(before)
        return bool(job and not job.done and job.owner == request.session_hash)

    def begin(before: str | None, work: Callable[..., str], request: gr.Request) -> tuple[Any, ...]:
        if under_way(before, request):
            return before, gr.skip(), gr.skip(), gr.skip(), pieces.note(t("tr_preparing_already", request), "bad")
        return watch(preparing.start(work, request.session_hash or ""), request)

    def from_files(
        before: str | None, paths: list[str] | None, side: int, how: str, request: gr.Request
    ) -> tuple[Any, ...]:
        if not paths:
            return before, gr.skip(), gr.skip(), gr.skip(), pieces.note(t("tr_no_files", request), "bad")
        sources, config = [Path(path) for path in paths], PrepareConfig(resolution=side, fit=how)
        source, name = sources[0] if len(sources) == 1 else sources, _name_of(sources)
        work = lambda progress: datasets.prepare_dataset(workspace, source, name, config, progress).name  # noqa: E731
        return begin(before, work, request)

    def from_folder(
        before: str | None, paths: list[str] | None, side: int, how: str, places: str | None, request: gr.Request
    ) -> tuple[Any, ...]:
        """As :func:`from_files`, with the sub-folders as classes, where the page could tell where each file lay.

        One thing more goes out: what was dropped before, which is not what is prepared.
        """
        dropped = gr.skip() if under_way(before, request) else None
        found = json.loads(places or "[]")
        if not paths or len(found) != len(paths):
            return *from_files(before, paths, side, how, request), dropped
        source = {str(place): Path(path) for place, path in zip(found, paths, strict=True)}
        name, config = _name_of([Path(next(iter(source)).partition("/")[0])]), PrepareConfig(resolution=side, fit=how)
        work = lambda progress: datasets.prepare_dataset(workspace, source, name, config, progress).name  # noqa: E731
        return *begin(before, work, request), dropped

    def from_sample(before: str | None, side: int, how: str, request: gr.Request) -> tuple[Any, ...]:
        config = PrepareConfig(resolution=side, fit=how)
        return begin(before, lambda progress: datasets.prepare_sample_set(workspace, config, progress).name, request)

    def look(key: str | None, chosen_now: str | None, request: gr.Request) -> tuple[Any, ...]:
        """bar, group, timer, message, dataset."""
        job = preparing.get(key)
        if job is None:
            return gr.skip(), gr.Column(visible=False), gr.Timer(active=False), gr.skip(), gr.skip()
        if not job.done:
            return _progress(job, request), gr.skip(), gr.skip(), gr.skip(), gr.skip()
        job.told = True
        chosen = gr.skip()
        if job.result is not None:
            sentence = pieces.note(t("tr_ready", request, name=job.result), "good")
            own = job.owner == request.session_hash or not chosen_now  # else what this visitor has chosen stays
            chosen = _dataset_menu(workspace, request, job.result if own else chosen_now)
        elif job.error is not None:
            sentence = pieces.error(job.error, request)
        else:
            sentence = pieces.note(t("c_cancelled" if job.cancelled else "unexpected", request), "bad")
        return "", gr.Column(visible=False), gr.Timer(active=False), sentence, chosen

    def stop(key: str | None) -> None:
        if job := preparing.get(key):
            job.cancel()

    started = [token, timer, working, bar, message]
    blocks.load(arrive, None, started, **PRIVATE)
    files.change(lambda paths: gr.Button(visible=bool(paths)), files, go, **PRIVATE)
    go.click(from_files, [token, files, resolution, fit], started, **PRIVATE)
    folder.upload(from_folder, [token, folder, resolution, fit, places], [*started, files], js=PLACES, **PRIVATE)
    sample.click(from_sample, [token, resolution, fit], started, **PRIVATE)
    cancel.click(stop, token, None, **PRIVATE)
    timer.tick(look, [token, dataset], [bar, working, timer, message, dataset], **PRIVATE)
    dataset.change(pieces.bound(_shown, workspace), dataset, [report, preview], **PRIVATE)
    greeting.add(_fit_menu, fit)
    greeting.add(lambda request: _dataset_menu(workspace, request), dataset)
    return dataset, files, [dataset.input, go.click, folder.upload, sample.click]


def _progress(job: Background[Dataset], request: gr.Request) -> str:
    left = job.seconds_left
    text = "" if left is None else t("tr_left", request, time=pieces.duration(left))
    return pieces.progress(t("tr_preparing", request), job.fraction, translate_progress(job.text, request), text)


def _name_of(sources: list[Path]) -> str:
    """A dataset's name from the file dropped: the archive's, or "pictures"."""
    stem = sources[0].name.split(".")[0] if len(sources) == 1 else "pictures"
    try:
        return checked_name(stem)
    except UserError:
        return "pictures"


def _fit_menu(request: gr.Request) -> gr.Dropdown:
    return gr.Dropdown(choices=[(t(f"tr_fit_{how}", request), how) for how in ("crop", "pad", "stretch")])


def _dataset_menu(workspace: Workspace, request: gr.Request, chosen: str | None = None) -> gr.Dropdown:
    choices = [
        (f"{found.name} · {t('mo_pictures_value', request, count=len(found))} · {found.resolution} px", found.name)
        for found in list_datasets(workspace.datasets)
    ]
    return gr.Dropdown(choices=choices, value=chosen, visible=bool(choices))


def _shown(workspace: Workspace, name: str | None, request: gr.Request) -> tuple[str, str]:
    """Report and preview of the chosen dataset."""
    if not name:
        return "", ""
    try:
        dataset = open_dataset(workspace.datasets / checked_name(name))
        return pieces.dataset_report(dataset, request), pieces.dataset_preview(dataset, request)
    except UserError as problem:
        return pieces.error(problem, request), ""
