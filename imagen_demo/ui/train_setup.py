"""Train, before it starts: pictures, settings, the button."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr

from imagen_demo.config import RESOLUTIONS, PrepareConfig, TrainConfig, settings
from imagen_demo.data.dataset import Dataset, list_datasets, open_dataset
from imagen_demo.errors import UserError
from imagen_demo.studio import datasets, jobs
from imagen_demo.studio.background import Background, Jobs
from imagen_demo.training.schedule import pick_device, resolve
from imagen_demo.ui import pieces, widgets
from imagen_demo.ui.pieces import PRIVATE
from imagen_demo.ui.texts import TEXTS, i18n, language, setting_label, t, translate, translate_progress
from imagen_demo.workspace import Workspace, checked_name, free_name

PRESETS = (5, 15, 30, 60)  # minutes
# Gradio uploads a folder's files without saying where in it they lay; the browser's own input still knows.
PLACES = """(...values) => {
  const input = [...document.querySelectorAll("input[webkitdirectory]")].find((each) => each.files.length);
  return [...values.slice(0, 4), JSON.stringify(input ? [...input.files].map((file) => file.webkitRelativePath) : [])];
}"""
ADVANCED = [field for field in settings(TrainConfig) if field.metadata["advanced"]]


@dataclass
class Setup:
    """What the rest of the tab needs: the form, the button, and what they mean."""

    group: gr.Column
    start: gr.Button
    name_note: gr.HTML  # what is wrong with the name
    busy: gr.HTML  # that this computer trains already
    note: gr.HTML
    dataset: gr.Dropdown
    name: gr.Textbox
    parent: gr.Dropdown
    minutes: gr.Number
    advanced: list[Any]
    edits: list[Any]  # the events of a visitor's own changes
    preparing: Jobs[str]

    @property
    def inputs(self) -> list[Any]:
        return [self.dataset, self.name, self.parent, self.minutes, *self.advanced]


def build(workspace: Workspace, blocks: gr.Blocks, greeting: pieces.Greeting) -> Setup:
    """The form of a new training."""
    preparing: Jobs[str] = Jobs()  # of all visitors: a page that opens later watches too
    with gr.Column(visible=True, elem_id="train-setup") as group:
        dataset, chosen = _pictures(workspace, blocks, greeting, preparing)
        name, parent, minutes, advanced, typed = _settings(workspace, blocks, greeting, dataset)
        with gr.Column(elem_classes="tr-card"):
            _step(greeting, 3, "tr_step3", "tr_start_help")
            name_note, busy = pieces.html("train-name-note"), pieces.html("train-busy")
            start = gr.Button(i18n("tr_start"), variant="primary", size="lg", elem_id="train-start")
            message = pieces.html("train-start-note")
    edits = [*chosen, *typed]
    return Setup(group, start, name_note, busy, message, dataset, name, parent, minutes, advanced, edits, preparing)


def _step(greeting: pieces.Greeting, number: int, title: str, help: str = "") -> None:
    heading = pieces.html()

    def fill(request: gr.Request) -> str:
        return pieces.step(number, t(title, request), t(help, request) if help else "")

    greeting.add(fill, heading)


def busy(workspace: Workspace, request: gr.Request) -> str:
    """What to know before another training is started beside one; "" where there is none."""
    name = next((run.name for run in jobs.list_runs(workspace) if run.status().state in ("preparing", "training")), "")
    return pieces.note(t("tr_busy", request, name=name)) if name else ""


# -- 1 pictures ----------------------------------------------------------------


def _pictures(
    workspace: Workspace, blocks: gr.Blocks, greeting: pieces.Greeting, preparing: Jobs[str]
) -> tuple[gr.Dropdown, list[Any]]:
    token = gr.State(None)  # key of the job this page watches
    places = gr.Textbox(visible=False)  # JSON: where each file of the uploaded folder lay in it
    with gr.Column(elem_classes="tr-card"):
        _step(greeting, 1, "tr_step1", "tr_step1_help")
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

    def begin(before: str | None, work: Callable[..., str], request: gr.Request) -> tuple[Any, ...]:
        job = preparing.get(before)
        if job and not job.done and job.owner == request.session_hash:  # pressed again: the work under way goes on
            return before, gr.skip(), gr.skip(), gr.skip(), gr.skip()
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
        """As :func:`from_files`, with the sub-folders as classes, where the page could tell where each file lay."""
        found = json.loads(places or "[]")
        if not paths or len(found) != len(paths):
            return from_files(before, paths, side, how, request)
        source = {str(place): Path(path) for place, path in zip(found, paths, strict=True)}
        name, config = _name_of([Path(next(iter(source)).partition("/")[0])]), PrepareConfig(resolution=side, fit=how)
        work = lambda progress: datasets.prepare_dataset(workspace, source, name, config, progress).name  # noqa: E731
        return begin(before, work, request)

    def from_sample(before: str | None, side: int, how: str, request: gr.Request) -> tuple[Any, ...]:
        config = PrepareConfig(resolution=side, fit=how)
        return begin(before, lambda progress: datasets.prepare_sample_set(workspace, config, progress).name, request)

    def look(key: str | None, request: gr.Request) -> tuple[Any, ...]:
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
            chosen = _dataset_menu(workspace, request, job.result)
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
    folder.upload(from_folder, [token, folder, resolution, fit, places], started, js=PLACES, **PRIVATE)
    folder.upload(lambda: None, None, files, **PRIVATE)  # what was dropped before is not what is prepared
    sample.click(from_sample, [token, resolution, fit], started, **PRIVATE)
    cancel.click(stop, token, None, **PRIVATE)
    timer.tick(look, token, [bar, working, timer, message, dataset], **PRIVATE)
    dataset.change(pieces.bound(_shown, workspace), dataset, [report, preview], **PRIVATE)
    greeting.add(_fit_menu, fit)
    greeting.add(lambda request: _dataset_menu(workspace, request), dataset)
    return dataset, [dataset.input, go.click, folder.upload, sample.click]


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


# -- 2 settings ----------------------------------------------------------------


def _settings(
    workspace: Workspace, blocks: gr.Blocks, greeting: pieces.Greeting, dataset: gr.Dropdown
) -> tuple[Any, Any, Any, list[Any], list[Any]]:
    default = int(TrainConfig().minutes)
    with gr.Column(elem_classes="tr-card"):
        _step(greeting, 2, "tr_step2")
        with gr.Row(equal_height=False):
            preset = gr.Radio(
                choices=[(str(count), count) for count in PRESETS], value=default, label=i18n("tr_minutes"),
                elem_id="train-minutes-preset", scale=3, min_width=260,
            )  # fmt: skip
            # No bounds here nor below: Gradio's own sentence about them names no field and is English.
            minutes = gr.Number(
                default, label=i18n("label_minutes"), elem_id="train-minutes", scale=1, min_width=120
            )  # fmt: skip
            name = gr.Textbox(label=i18n("tr_name"), placeholder="planets", max_lines=1, elem_id="train-name",
                              scale=3, min_width=220)  # fmt: skip
        parent = gr.Dropdown(choices=[("", "")], value="", label=i18n("tr_parent"), info=i18n("tr_parent_help"),
                             allow_custom_value=True,  # one that is gone since gets our own sentence
                             elem_id="train-parent")  # fmt: skip
        with gr.Accordion(i18n("tr_advanced"), open=False, elem_id="train-advanced"), gr.Row():
            advanced = [_control(field) for field in ADVANCED]
        chosen = pieces.html("train-chosen")

    def presets(request: gr.Request) -> gr.Radio:
        return gr.Radio(choices=[(t("tr_minutes_preset", request, count=count), count) for count in PRESETS])

    def suggest(data: str | None) -> Any:
        """The name a run gets without one: only a hint, so that what is being typed is never overwritten."""
        return gr.Textbox(placeholder=free_name(data, workspace.runs)) if data else gr.skip()

    for field, control in zip(ADVANCED, advanced, strict=True):
        if field.metadata["choices"]:
            greeting.add(functools.partial(_choices, field), control)
    greeting.add(presets, preset)
    greeting.add(functools.partial(_parents, workspace), parent)
    parent.focus(pieces.bound(_parents, workspace), None, parent, **PRIVATE)  # some were trained since
    preset.input(lambda count: count, preset, minutes, **PRIVATE)
    minutes.input(lambda count: count if count in PRESETS else None, minutes, preset, **PRIVATE)
    dataset.change(suggest, dataset, name, **PRIVATE)
    explained = [dataset, parent, minutes, *advanced]
    events = [blocks.load, dataset.change, parent.change, minutes.change, *(control.change for control in advanced)]
    gr.on(events, pieces.bound(_explained, workspace), explained, chosen, trigger_mode="always_last", **PRIVATE)
    typed = [control.input for control in (preset, minutes, name, parent, *advanced)]
    return name, parent, minutes, advanced, typed


def _parents(workspace: Workspace, request: gr.Request) -> gr.Dropdown:
    """The models that a training may begin with."""
    found = widgets.models(workspace, language(request))
    return gr.Dropdown(choices=[(t("tr_parent_none", request), ""), *((one["title"], one["name"]) for one in found)])


def _choices(field: Any, request: gr.Request) -> gr.Dropdown:
    """Words in the visitor's language; names of networks and losses are the same in both."""

    def said(value: Any) -> str:
        return t(f"choice_{value}", request) if f"choice_{value}" in TEXTS else str(value)

    return gr.Dropdown(choices=[(said(value), value) for value in field.metadata["choices"]])


def _control(field: Any) -> Any:
    """The control of one setting, made from its dataclass field."""
    meta, common = field.metadata, {"info": i18n(f"set_{field.name}"), "elem_id": f"train-set-{field.name}"}
    label = setting_label(field.name)
    if meta["choices"]:
        return gr.Dropdown(choices=list(meta["choices"]), value=field.default, label=label, min_width=240, **common)
    whole = isinstance(field.default, int)
    return gr.Number(field.default, precision=0 if whole else None, label=label, min_width=240, **common)


def train_config(minutes: float | None, values: tuple[Any, ...]) -> TrainConfig:
    """The settings of the form; an emptied advanced field means its default.

    Raises:
        UserError: a value out of range.
    """
    given = {f.name: value for f, value in zip(ADVANCED, values, strict=True) if value is not None}
    if given.get("kimg"):  # the length is given by pictures
        return TrainConfig(**given)
    return TrainConfig(minutes=checked_minutes(minutes, "minutes"), **given)


def checked_minutes(minutes: float | None, setting: str) -> float:
    """A length that can be trained for.

    Raises:
        UserError: names the field, by ``label_<setting>``.
    """
    limits = next(field for field in settings(TrainConfig) if field.name == "minutes").metadata
    low, high = limits["low"], limits["high"]
    if minutes is None:
        raise UserError("{setting} is empty: give a number, {low} or more.", setting=setting, low=low)
    if not minutes >= low:
        raise UserError("{setting} cannot be {value}; the least is {low}.", setting=setting, value=minutes, low=low)
    if minutes > high:
        raise UserError("{setting} cannot be {value}; the most is {high}.", setting=setting, value=minutes, high=high)
    return minutes


def _explained(
    workspace: Workspace, request: gr.Request, data: str | None, parent: str, minutes: float | None, *values: Any
) -> str:
    """The automatic choices, as sentences."""
    if not data:
        return pieces.note(t("tr_chosen_empty", request))
    try:
        config = train_config(minutes, values)
        prepared = open_dataset(workspace.datasets / checked_name(data))
        _, _, reasons = resolve(config, prepared, pick_device(config.device), parent=jobs.network_of(workspace, parent))
    except UserError as problem:
        return pieces.error(problem, request)
    length = (
        t("tr_chosen_kimg", request, kimg=f"{config.kimg:g}") if config.kimg
        else t("tr_chosen_long", request, minutes=f"{config.minutes:g}")
    )  # fmt: skip
    return pieces.sentences([length, *(translate(template, found, request) for template, found in reasons)])
