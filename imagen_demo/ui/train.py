"""The Train tab: choose a run to watch, or make a new one. Also its endpoints for programs."""

from __future__ import annotations

import dataclasses
from typing import Any

import gradio as gr

from imagen_demo.config import TrainConfig
from imagen_demo.errors import UserError
from imagen_demo.studio import jobs
from imagen_demo.ui import pieces, train_live, train_setup
from imagen_demo.ui.api import spoken
from imagen_demo.ui.pieces import PRIVATE
from imagen_demo.ui.texts import i18n, t
from imagen_demo.workspace import Workspace, checked_name


def build(workspace: Workspace, studio: Any, shared: Any) -> None:
    """Fill the tab."""
    with gr.Row(visible=False, equal_height=False, elem_id="train-top") as top:
        runs = gr.Dropdown(choices=[], value=None, label=i18n("tr_runs"), elem_id="train-runs", scale=4, min_width=220)
        new = gr.Button(i18n("tr_new"), size="md", elem_id="train-new", scale=0, min_width=140)
    setup = train_setup.build(workspace, shared.blocks, shared.greeting)
    live = train_live.build(workspace, runs, shared)

    def show(name: str | None) -> list[Any]:
        """Setup or live view; the live one starts from nothing seen, so that everything is sent."""
        watching = bool(name)
        # Out of sight by style, not by visible: taken out of the page, the plots' size observers fail.
        live_view = gr.Column(visible=True, elem_classes=[] if watching else ["tr-away"])
        away = [*(gr.Button(visible=False) for _ in live.actions), *(gr.Column(visible=False) for _ in live.asks)]
        return [gr.Column(visible=not watching), live_view, gr.Timer(active=watching), name, {}, "", *away]

    def begin(
        request: gr.Request, data: str | None, name: str, parent: str, minutes: float | None, *values: Any
    ) -> list[Any]:
        if not data:
            return [gr.skip(), gr.skip(), pieces.note(t("tr_need_pictures", request), "bad")]
        try:
            config = train_setup.train_config(minutes, values)
            run = jobs.start(workspace, data, config, name or data, parent)
        except UserError as problem:
            return [gr.skip(), gr.skip(), pieces.error(problem, request)]
        return [gr.Row(visible=True), train_live.menu(workspace, run.name, request), ""]

    def top_of_tab(menu: gr.Dropdown, request: gr.Request) -> list[Any]:
        return [gr.Row(visible=bool(jobs.list_runs(workspace))), menu, train_setup.busy(workspace, request)]

    def arrive(request: gr.Request) -> list[Any]:
        """A page opens: it shows what is being prepared, else the run in training or the newest one."""
        newest = jobs.newest_run(workspace)
        chosen = None if newest is None or setup.preparing.newest() else newest.name
        return top_of_tab(train_live.menu(workspace, chosen, request), request)

    def again(watched: str | None, request: gr.Request) -> list[Any]:
        """The tab is opened: runs may have begun, ended or gone since."""
        names = [run.name for run in jobs.list_runs(workspace)]
        gone = watched is not None and watched not in names
        chosen = {"value": None} if gone else {}  # else it stays
        return top_of_tab(gr.Dropdown(choices=train_live.choices(workspace, request), **chosen), request)

    def leave(request: gr.Request) -> list[Any]:
        return top_of_tab(train_live.menu(workspace, None, request), request)

    def check(name: str | None, request: gr.Request) -> list[str]:
        """A name that cannot be is told while it is typed."""
        wrong = ""
        try:
            checked_name(name or "unnamed")
        except UserError as problem:
            wrong = pieces.error(problem, request)
        return [wrong, train_setup.busy(workspace, request)]

    tops = [top, runs, setup.busy]
    views = [setup.group, live.group, live.timer, live.watched, live.seen, live.note, *live.actions, *live.asks]
    runs.change(show, runs, views, **PRIVATE).then(
        pieces.bound(train_live.look, workspace), [live.watched, live.seen, live.quality], live.outputs, **PRIVATE
    )
    setup.start.click(begin, setup.inputs, [top, runs, setup.note], **PRIVATE)
    # What was wrong with the form is over at its next edit: by the page itself, and not by `change`, of which Gradio
    # sends some so late that they would wipe what was just answered.
    gr.on(setup.edits, None, None, setup.note, js="() => ''", **PRIVATE)
    setup.name.change(check, setup.name, [setup.name_note, setup.busy], trigger_mode="always_last", **PRIVATE)
    new.click(leave, None, tops, **PRIVATE)
    new.click(lambda: None, None, setup.files, **PRIVATE)  # what was dropped for the last one
    live.deleted.success(leave, None, tops, **PRIVATE)
    shared.blocks.load(arrive, None, tops, **PRIVATE)
    shared.tab.select(again, live.watched, tops, **PRIVATE)
    _endpoints(workspace)


def _endpoints(workspace: Workspace) -> None:
    """The same, for programs: train_start, train_status, train_pause, train_resume, train_stop, train_runs."""

    # Their names and docstrings are what Gradio tells of them, as MCP tools too.
    def train_start(dataset: str, name: str, minutes: float = TrainConfig().minutes, begin_with: str = "") -> str:
        """Begin to train on a prepared dataset.

        Args:
            dataset: Name of a prepared dataset in the workspace.
            name: Name of the new run.
            minutes: How long it trains.
            begin_with: Name of a model to begin with; without one the network learns from the start.

        Returns:
            The run's name.
        """
        return jobs.start(workspace, dataset, TrainConfig(minutes=minutes), name, begin_with).name

    def train_status(run: str) -> dict[str, Any]:
        """State, progress, speed and time left of a training run.

        Args:
            run: Name of the run.
        """
        return dataclasses.asdict(jobs.find_run(workspace, run).status())

    def train_pause(run: str) -> dict[str, Any]:
        """Pause a training run: it keeps its state and can go on with train_resume.

        Args:
            run: Name of the run.

        Returns:
            As train_status.
        """
        jobs.pause(jobs.find_run(workspace, run))
        return train_status(run)

    def train_resume(run: str) -> dict[str, Any]:
        """Let a paused or interrupted training run go on.

        Args:
            run: Name of the run.

        Returns:
            As train_status.
        """
        jobs.resume_run(jobs.find_run(workspace, run))
        return train_status(run)

    def train_stop(run: str) -> dict[str, Any]:
        """End a training run; its model stays.

        Args:
            run: Name of the run.

        Returns:
            As train_status.
        """
        jobs.stop(jobs.find_run(workspace, run))
        return train_status(run)

    def train_runs() -> list[str]:
        """Names of all training runs, newest first."""
        return [run.name for run in jobs.list_runs(workspace)]

    for work in (train_start, train_status, train_pause, train_resume, train_stop, train_runs):
        gr.api(spoken(work), api_name=work.__name__)
