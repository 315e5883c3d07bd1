"""Train, before it starts: the form, its settings, the button; its pictures are :mod:`train_pictures`'."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

import gradio as gr

from imagen_demo.config import TrainConfig, settings
from imagen_demo.data.dataset import open_dataset
from imagen_demo.errors import UserError
from imagen_demo.studio import jobs
from imagen_demo.studio.background import Jobs
from imagen_demo.training.schedule import pick_device, resolve
from imagen_demo.ui import pieces, train_pictures, widgets
from imagen_demo.ui.pieces import PRIVATE
from imagen_demo.ui.texts import TEXTS, i18n, language, setting_label, t, translate
from imagen_demo.workspace import Workspace, checked_name, free_name

PRESETS = (5, 15, 30, 60)  # minutes
ADVANCED = [field for field in settings(TrainConfig) if field.metadata["advanced"]]


@dataclass
class Setup:
    """What the rest of the tab needs: the form, the button, and what they mean."""

    group: gr.Column
    start: gr.Button
    name_note: gr.HTML  # what is wrong with the name
    busy: gr.HTML  # that this computer trains already
    note: gr.HTML
    files: gr.File
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
        dataset, files, chosen = train_pictures.build(workspace, blocks, greeting, preparing)
        name, parent, minutes, advanced, typed = _settings(workspace, blocks, greeting, dataset)
        with gr.Column(elem_classes="tr-card"):
            pieces.heading(greeting, 3, "tr_step3", "tr_start_help")
            name_note, busy = pieces.html("train-name-note"), pieces.html("train-busy")
            start = gr.Button(i18n("tr_start"), size="lg", elem_id="train-start")
            message = pieces.html("train-start-note")
    # Before there are pictures, preparing some is what to do.
    dataset.change(lambda data: gr.Button(variant="primary" if data else "secondary"), dataset, start, **PRIVATE)
    edits = [*chosen, *typed]
    return Setup(
        group, start, name_note, busy, message, files, dataset, name, parent, minutes, advanced, edits, preparing
    )


def busy(workspace: Workspace, request: gr.Request) -> str:
    """What to know before another training is started beside one; "" where there is none."""
    name = next((run.name for run in jobs.list_runs(workspace) if run.status().state in ("preparing", "training")), "")
    return pieces.note(t("tr_busy", request, name=name)) if name else ""


def _settings(
    workspace: Workspace, blocks: gr.Blocks, greeting: pieces.Greeting, dataset: gr.Dropdown
) -> tuple[Any, Any, Any, list[Any], list[Any]]:
    default = int(TrainConfig().minutes)
    with gr.Column(elem_classes="tr-card"):
        pieces.heading(greeting, 2, "tr_step2")
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
