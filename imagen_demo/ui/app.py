"""The page: header, tabs, and how the server starts."""

from __future__ import annotations

import importlib
import logging
from dataclasses import dataclass, field
from typing import Any

import gradio as gr

from imagen_demo.studio.recipes import Studio
from imagen_demo.ui import api, theme, widgets
from imagen_demo.ui.texts import i18n
from imagen_demo.workspace import Workspace

log = logging.getLogger(__name__)

# Tabs in the order of the journey: (module below imagen_demo.ui, key of its title).
TABS = (("explore", "tab_explore"), ("interpolate", "tab_interpolate"), ("generate", "tab_generate"),
        ("train", "tab_train"), ("models_tab", "tab_models"))  # fmt: skip


@dataclass
class Shared:
    """What tabs hand to each other: the Blocks, the Tabs, and each tab's components by its module's name.

    ``page.tabs`` switches tabs with ``gr.Tabs(selected="explore")``; tab ids are the modules' names.
    ``page.open_in_explore`` is JavaScript to run from any event: it opens a model (first input) in Explore.
    """

    blocks: gr.Blocks
    tabs: gr.Tabs
    components: dict[str, Any] = field(default_factory=dict)
    open_in_explore: str = "(model) => { window.imagenDemo.open('explore', {model}); return []; }"


def build_app(workspace: Workspace) -> gr.Blocks:
    """The whole page over one workspace; launch it with :func:`launch`."""
    studio = Studio(workspace)
    with gr.Blocks(title="Imagen Demo", analytics_enabled=False, delete_cache=(3600, 2 * 86400)) as blocks:
        gr.HTML(
            html_template=theme.HEADER,
            js_on_load=theme.HEADER_SCRIPT,
            elem_id="header",
            apply_default_css=False,
            texts=widgets.page_texts("tagline", "theme"),
        )
        with gr.Tabs(elem_id="tabs") as tabs:
            shared = Shared(blocks, tabs)
            for module, title in TABS:
                with gr.Tab(i18n(title), id=module, elem_id=f"tab-{module}"):
                    _build_tab(module, workspace, studio, shared)
        api.add(studio)
    return blocks


def _build_tab(module: str, workspace: Workspace, studio: Any, shared: Shared) -> None:
    try:
        tab = importlib.import_module(f"imagen_demo.ui.{module}")
    except ModuleNotFoundError as error:
        if error.name != f"imagen_demo.ui.{module}":
            raise
        gr.Markdown(i18n("tab_missing"))
        return
    shared.components[module] = tab.build(workspace, studio, shared)


def launch(blocks: gr.Blocks, **options: Any) -> tuple[Any, str, str | None]:
    """Serve the page with our look; ``options`` go to ``gr.Blocks.launch``."""
    return blocks.launch(
        theme=theme.theme(), css=theme.css(), head=theme.head(), i18n=i18n,
        run_history=False, footer_links=[], max_file_size="16gb", ssr_mode=False, **options,
    )  # fmt: skip
