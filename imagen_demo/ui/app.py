"""The page: header, tabs, and how the server starts."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import gradio as gr
from gradio.routes import App
from starlette.middleware import Middleware

from imagen_demo.studio.recipes import Studio
from imagen_demo.ui import (
    api,
    discover,
    explore,
    file_jobs,
    generate,
    interpolate,
    models_tab,
    pieces,
    theme,
    train,
    widgets,
)
from imagen_demo.ui.early import EarlyScripts
from imagen_demo.ui.texts import i18n
from imagen_demo.workspace import Workspace

# Tabs in the order of the journey: (id, module, key of its title).
TABS = (
    ("explore", explore, "tab_explore"),
    ("discover", discover, "tab_discover"),
    ("interpolate", interpolate, "tab_interpolate"),
    ("generate", generate, "tab_generate"),
    ("train", train, "tab_train"),
    ("models", models_tab, "tab_models"),
)


@dataclass
class Shared:
    """What every tab may use: the Blocks, and the tab that is being built.

    ``open_in_explore`` is JavaScript to run from any event: it opens a model (first input) in Explore.
    """

    blocks: gr.Blocks
    tab: gr.Tab | None = None
    greeting: pieces.Greeting = field(default_factory=pieces.Greeting)
    open_in_explore: str = "(model) => { window.imagenDemo.open('explore', {model}); return []; }"


@contextmanager
def _no_server_yet() -> Iterator[None]:
    """Gradio makes a server of 80 routes twice while a page is built, and once when it is launched: that one serves."""
    create_app = App.__dict__["create_app"]
    App.create_app = staticmethod(lambda *arguments, **options: None)
    try:
        yield
    finally:
        App.create_app = create_app


def build_app(workspace: Workspace) -> gr.Blocks:
    """The whole page over one workspace; launch it with :func:`launch`."""
    studio = Studio(workspace)
    threading.Thread(target=widgets.warm_up, args=(workspace, studio), daemon=True, name="warm-up").start()
    with (
        _no_server_yet(),
        gr.Blocks(title="Imagen Demo", analytics_enabled=False, delete_cache=(3600, file_jobs.MOST_AGE)) as blocks,
    ):
        gr.HTML(
            html_template=theme.HEADER,
            js_on_load=theme.HEADER_SCRIPT,
            elem_id="header",
            apply_default_css=False,
            texts=widgets.page_texts("tagline", "theme", "other_language"),
        )
        shared = Shared(blocks)
        with gr.Tabs(elem_id="tabs"):
            for name, module, title in TABS:
                with gr.Tab(i18n(title), id=name, elem_id=f"tab-{name}") as shared.tab:
                    module.build(workspace, studio, shared)
        shared.greeting.attach(blocks)
        api.add(studio)
    return blocks


def launch(blocks: gr.Blocks, **options: Any) -> tuple[Any, str, str | None]:
    """Serve the page with our look; ``options`` go to ``gr.Blocks.launch``."""
    return blocks.launch(
        theme=theme.theme(), css=theme.css(), head=theme.head(), i18n=i18n,
        run_history=False, footer_links=[], max_file_size="16gb", ssr_mode=False,
        app_kwargs={"middleware": [Middleware(EarlyScripts)]},
        _frontend=False,  # no question to ourselves, which a busy machine or a proxy lets fail
        **options,
    )  # fmt: skip
