"""Train, while it runs and afterwards: everything is read from the run directory, once a second."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr
from PIL import Image

from imagen_demo.errors import UserError
from imagen_demo.studio import jobs
from imagen_demo.training.run import Run, Status
from imagen_demo.ui import pieces, plots, train_setup, widgets
from imagen_demo.ui.pieces import PRIVATE
from imagen_demo.ui.texts import i18n, pictures, t, translate_error
from imagen_demo.workspace import Workspace

SAVE = "(f) => { if (f) { const d = JSON.parse(f); window.imagenDemo.save(d.href, d.name); } }"
FRAME_SIDE = 768  # pixels of a sample grid on the page, at most


@dataclass
class Live:
    """What the rest of the tab needs of the live view."""

    group: gr.Column
    timer: gr.Timer
    watched: gr.State  # name of the run shown; unlike the menu's value it may be that of a run just deleted
    seen: gr.State
    quality: gr.Radio  # what the quality plot shows
    outputs: list[Any]
    actions: list[gr.Button]  # pause, resume, stop, delete: shown once the run's state is known
    asks: list[gr.Column]  # the questions before stop and delete: of the run that was shown when they were asked
    deleted: Any  # the event after which the run is gone
    note: gr.HTML


def build(workspace: Workspace, runs: gr.Dropdown, shared: Any) -> Live:
    """The live view of the chosen run, hidden until there is one."""
    with gr.Column(visible=False, elem_id="train-live") as group:
        with gr.Column(elem_classes="tr-card"):
            head = pieces.html("train-head")
            with gr.Row(elem_classes="tr-buttons"):
                explore = gr.Button(i18n("tr_explore"), variant="primary", size="md", elem_id="train-explore")
                pause = gr.Button(i18n("tr_pause"), size="md", elem_id="train-pause", visible=False)
                resume = gr.Button(i18n("tr_resume"), size="md", elem_id="train-resume", visible=False)
                stop = gr.Button(i18n("tr_stop"), size="md", elem_id="train-stop", visible=False)
                delete = gr.Button(i18n("tr_delete"), size="md", elem_id="train-delete", visible=False)
            stop_ask = pieces.confirm("tr_stop_sure", "tr_stop_yes", "tr_stop_no", "train-stop", shared.greeting)
            delete_ask = pieces.confirm("tr_delete_sure", "tr_delete_yes", "tr_keep", "train-delete", shared.greeting)
            with gr.Row(elem_classes="tr-buttons tr-more", visible=False) as more:
                minutes = gr.Number(
                    15, label=i18n("label_more_minutes"), elem_id="train-more-minutes", min_width=140
                )  # fmt: skip
                go_on = gr.Button(i18n("tr_continue"), size="md", elem_id="train-continue")
            note = pieces.html("train-note")
        with gr.Row(equal_height=False):
            with gr.Column(scale=5, min_width=300, elem_classes="tr-card"):
                lapse = gr.HTML(
                    value={"run": None, "kimg": []}, html_template='<div class="tl-root im-root"></div>',
                    js_on_load=pieces.script_with_texts("timelapse.js", "tl_"),
                    apply_default_css=False, elem_id="train-lapse",
                    server_functions=[widgets.server_function("frame", pieces.bound(_frame, workspace))],
                )  # fmt: skip
                happened = pieces.html("train-events")
            with gr.Column(scale=4, min_width=300):
                quality = gr.Radio(
                    [choice for choice, _, _ in plots.QUALITY], value="swd", visible=False, render=False,
                    label=i18n("tr_quality_by"), elem_id="train-quality-by", container=False,
                )  # fmt: skip
                choosers = {plots.QUALITY_PLOT: quality}
                drawn = [_plot(*plot, shared.greeting, choosers.get(place)) for place, plot in enumerate(plots.PLOTS)]
                lines, quality_head = [plot for _, plot in drawn], drawn[plots.QUALITY_PLOT][0]
                with gr.Row(elem_classes="tr-buttons"):
                    png = gr.Button(i18n("tr_curves_png"), size="sm", elem_id="train-curves-png")
                    pdf = gr.Button(i18n("tr_curves_pdf"), size="sm", elem_id="train-curves-pdf")
        with gr.Accordion(i18n("tr_log"), open=False, elem_id="train-log-fold"):
            log = pieces.html("train-log")
    timer, seen, file = gr.Timer(1.0, active=False), gr.State({}), gr.Textbox(visible=False)
    target, watched = gr.Textbox(visible=False), gr.State(None)
    outputs = [
        seen, head, note, runs, target, explore, pause, resume, stop, delete, more, lapse, happened, log,
        quality, quality_head, *lines,
    ]  # fmt: skip

    for moment in (timer.tick, quality.input):
        moment(pieces.bound(look, workspace), [watched, seen, quality], outputs, **PRIVATE)
    explore.click(None, target, None, js=shared.open_in_explore, **PRIVATE)
    for button, work, text in ((pause, jobs.pause, "tr_asked_pause"), (resume, jobs.resume_run, "tr_asked_resume")):
        button.click(pieces.bound(_ask, workspace, work, text), runs, note, **PRIVATE)
    shown, hidden = lambda: gr.Column(visible=True), lambda: gr.Column(visible=False)
    for button, (box, yes, no) in ((stop, stop_ask), (delete, delete_ask)):
        button.click(shown, None, box, **PRIVATE)
        for choice in (yes, no):
            choice.click(hidden, None, box, **PRIVATE)
    stop_ask[1].click(pieces.bound(_ask, workspace, jobs.stop, "tr_asked_stop"), runs, note, **PRIVATE)
    deleted = delete_ask[1].click(pieces.bound(_delete, workspace), runs, note, **PRIVATE)
    go_on.click(pieces.bound(_continue, workspace), [runs, minutes], note, **PRIVATE)
    for button, kind in ((png, "png"), (pdf, "pdf")):
        button.click(pieces.bound(_curves, workspace, kind), watched, [file, note], **PRIVATE).then(
            None, file, None, js=SAVE, **PRIVATE
        )  # fmt: skip
    actions, asks = [pause, resume, stop, delete], [stop_ask[0], delete_ask[0]]
    return Live(group, timer, watched, seen, quality, outputs, actions, asks, deleted, note)


def _plot(
    elem_id: str, title: str, keys: tuple[str, ...], greeting: pieces.Greeting, chooser: gr.Radio | None = None
) -> tuple[gr.HTML, gr.LinePlot]:
    """A plot under its heading, and under the choice of what it shows."""
    with gr.Column(elem_classes="tr-card tr-plot"):
        heading = pieces.html()
        if chooser is not None:
            chooser.render()
        colours = plots.colour_map(keys) if chooser is None else plots.QUALITY_COLOURS
        plot = gr.LinePlot(
            x="kimg", y="value", color="series", color_map=colours, colors_in_legend=[], height=170,
            show_label=False, x_title=" ", y_title=" ", elem_id=elem_id, buttons=[], container=False,
            x_axis_format=plots.APART, y_axis_format="~r",
        )  # fmt: skip

    def fill(request: gr.Request) -> str:
        return plots.heading(title, keys, request)

    greeting.add(fill, heading)
    return heading, plot


def menu(workspace: Workspace, chosen: str | None, request: gr.Request) -> gr.Dropdown:
    """The chooser of runs, with this one chosen."""
    return gr.Dropdown(choices=choices(workspace, request), value=chosen)


def choices(workspace: Workspace, request: gr.Request) -> list[tuple[str, str]]:
    """The runs, each with its state, and their names."""
    return [
        (f"{run.name} · {t('tr_state_' + run.status().state, request).lower()}", run.name)
        for run in jobs.list_runs(workspace)
    ]


# -- reading a run ---------------------------------------------------------------


def _stamp(path: Path) -> tuple[int, int]:
    try:
        found = path.stat()
    except OSError:
        return (0, 0)
    return (found.st_mtime_ns, found.st_size)


def look(
    workspace: Workspace, name: str | None, seen: dict[str, Any], quality: str | None, request: gr.Request
) -> list[Any]:
    """New values of what changed since this page last looked, ``gr.skip()`` for the rest.

    ``quality``: which of ``plots.QUALITY`` the visitor wants to see.
    """
    try:
        run = jobs.find_run(workspace, name or "")
    except UserError as gone:
        out = [gr.skip()] * (16 + len(plots.PLOTS))
        if name and seen.get("name") == name:  # deleted from elsewhere while this page watched
            note = pieces.note(translate_error(gone, request))
            out[0], out[2], out[3] = {}, note, gr.Dropdown(choices=choices(workspace, request))
            out[5:11] = [gr.Button(interactive=False), *[gr.Button(visible=False)] * 4, gr.Row(visible=False)]
        return out
    status, grids = run.status(), run.sample_grids()
    explorable = (run.latest.is_dir(), *jobs.model_to_explore(workspace, run))
    files = {key: _stamp(run.path / key) for key in ("metrics.jsonl", "events.jsonl", "log.txt")}
    rows = run.metrics() if files["metrics.jsonl"] != seen.get("metrics.jsonl") or name != seen.get("name") else None
    memory = rows[-1].get("memory_bytes") if rows else (seen.get("memory") if name == seen.get("name") else None)
    head = pieces.run_head(run, status, memory, request)
    measured = plots.measured(rows) if rows is not None else seen.get("measured", ["swd"])
    if quality not in measured:
        quality = "swd"
    now = files | {
        "name": name, "memory": memory, "head": head, "buttons": (status.state, *explorable),
        "grids": (len(grids), str(grids[-1][1]) if grids else ""), "measured": measured, "quality": quality,
    }  # fmt: skip

    def changed(*keys: str) -> bool:
        return any(now[key] != seen.get(key) for key in ("name", *keys))

    out: list[Any] = [now if now != seen else gr.skip(), head if changed("head") else gr.skip()]
    # The menu's value stays: the visitor may have gone to another run, or a new one, while this was read.
    out += ["", gr.Dropdown(choices=choices(workspace, request))] if changed("buttons") else [gr.skip()] * 2
    out += _buttons(run, status, *explorable, request) if changed("buttons") else [gr.skip()] * 7
    said = [pictures(kimg, request) for kimg, _ in grids]
    lapse = {
        "run": name,
        "kimg": [kimg for kimg, _ in grids],
        "said": said,
        "alpha": bool(grids) and _has_alpha(grids[-1][1]),
    }
    out.append(lapse if changed("grids") else gr.skip())
    out.append(pieces.events(run, request) if changed("events.jsonl") else gr.skip())
    out.append(pieces.log_tail(run, request) if changed("log.txt") else gr.skip())
    out += _quality(quality, measured, request) if changed("measured", "quality") else [gr.skip()] * 2
    drawn = changed("metrics.jsonl", "quality")
    out += _drawn(run, request, quality) if drawn else [gr.skip()] * len(plots.PLOTS)
    return out


def _drawn(run: Run, request: gr.Request, quality: str) -> list[Any]:
    """The plots, with the title of their axis in the visitor's language.

    A plot may be drawn before Gradio's texts are there, and would show an ``i18n`` object as raw code.
    """
    title = t("tr_x_short", request)
    return [gr.update(value=value, x_title=title) for value in plots.payloads(run, request, quality)]


def _quality(quality: str, measured: list[str], request: gr.Request) -> list[Any]:
    """The chooser of the quality plot's metric, shown where there is a choice, and the plot's heading."""
    _, title, keys = plots.shown(quality)[plots.QUALITY_PLOT]
    choices = [(t(f"tr_q_{choice}", request), choice) for choice in measured]
    chooser = gr.Radio(choices=choices, value=quality, visible=len(measured) > 1)
    return [chooser, plots.heading(title, keys, request)]


def _buttons(run: Run, status: Status, explorable: bool, model: str, best: bool, request: gr.Request) -> list[Any]:
    """the model to explore, explore, pause, resume, stop, delete, the row to continue."""
    state, sound = status.state, jobs.damage(run) is None
    over = state in ("finished", "stopped")
    return [
        model,
        gr.Button(t("tr_explore_best" if best else "tr_explore", request), interactive=explorable or best),
        gr.Button(visible=state == "training"),
        gr.Button(visible=state in ("paused", "interrupted", "failed") and sound),
        gr.Button(visible=status.alive),
        gr.Button(visible=not status.alive),
        gr.Row(visible=over and sound and jobs.can_continue(run)),
    ]


def _has_alpha(file: Path) -> bool:
    try:
        with Image.open(file) as image:
            return image.mode == "RGBA"
    except OSError:
        return False


def _frame(workspace: Workspace, payload: dict[str, Any], language: str) -> dict[str, Any]:
    """One sample grid of the time-lapse, by its kimg."""
    run = jobs.find_run(workspace, str(payload.get("run", "")))
    for kimg, file in run.sample_grids():
        if kimg == payload.get("kimg"):
            with Image.open(file) as image:
                image.load()
            return {"image": widgets.data_url(image, FRAME_SIDE)}
    raise UserError(widgets.UNREADABLE)


# -- asking ----------------------------------------------------------------------


def _ask(workspace: Workspace, work: Callable[[Run], Any], text: str, name: str | None, request: gr.Request) -> str:
    try:
        work(jobs.find_run(workspace, name or ""))
    except UserError as problem:
        return pieces.error(problem, request)
    return pieces.note(t(text, request, name=name))


def _delete(workspace: Workspace, name: str | None, request: gr.Request) -> str:
    """Raises gr.Error, a toast, so that what follows success does not follow."""
    try:
        jobs.delete_run(jobs.find_run(workspace, name or ""))
    except UserError as problem:
        raise gr.Error(translate_error(problem, request), print_exception=False) from None
    return ""


def _continue(workspace: Workspace, name: str | None, minutes: float | None, request: gr.Request) -> str:
    def go_on(run: Run) -> None:
        jobs.resume_run(run, train_setup.checked_minutes(minutes, "more_minutes"))

    return _ask(workspace, go_on, "tr_asked_resume", name, request)


def _curves(workspace: Workspace, kind: str, name: str | None, request: gr.Request) -> tuple[str, str]:
    """``(JSON of href and name, sentence)``."""
    try:
        run = jobs.find_run(workspace, name or "")
    except UserError as problem:
        return "", pieces.error(problem, request)
    if not run.metrics():
        return "", pieces.note(t("tr_no_curves", request), "bad")
    media = "image/png" if kind == "png" else "application/pdf"
    data = base64.b64encode(plots.figure_bytes(run, kind)).decode()
    return json.dumps({"href": f"data:{media};base64,{data}", "name": f"{run.name}-curves.{kind}"}), ""
