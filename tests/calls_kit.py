"""The page's calls into Python over HTTP, without a browser."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator

import gradio as gr
import httpx
import numpy as np
import pytest
from PIL import Image
from tiny import save_tiny_model

from imagen_demo.studio import library
from imagen_demo.ui.app import build_app, launch
from imagen_demo.workspace import Workspace


class Page:
    """What the browser does: find a component by its elem_id and call its server functions."""

    def __init__(
        self, url: str, blocks: gr.Blocks, session: str = "a", language: str = "en", cookies: dict | None = None
    ):
        self.blocks, self.session = blocks, session
        self.http = httpx.Client(base_url=url, headers={"accept-language": language}, cookies=cookies, timeout=30)

    def post(self, elem_id: str, function: str, payload: object) -> httpx.Response:
        block = next(key for key, block in self.blocks.blocks.items() if getattr(block, "elem_id", None) == elem_id)
        body = {"data": payload, "fn_name": function, "component_id": block, "session_hash": self.session}
        return self.http.post("/gradio_api/component_server", json=body)

    def call(self, elem_id: str, function: str, payload: object) -> dict:
        response = self.post(elem_id, function, payload)
        assert response.status_code == 200, response.text
        return response.json()


@pytest.fixture(scope="module", name="workspace")
def workspace_of_three(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    """With the models ``plain``, ``kinds`` (of three classes) and ``glass`` (with transparency)."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(library, "BUNDLED_NAMES", ())
        workspace = Workspace(tmp_path_factory.mktemp("workspace"))
        for name, changes in (("plain", {}), ("kinds", {"num_classes": 3}), ("glass", {"channels": 4})):
            save_tiny_model(workspace.checkpoints / name, **changes)
        yield workspace


@pytest.fixture(scope="module", name="served")
def served_app(workspace: Workspace) -> Iterator[tuple[str, gr.Blocks]]:
    blocks = build_app(workspace)
    _, url, _ = launch(blocks, prevent_thread_lock=True, quiet=True, server_name="127.0.0.1")
    yield url, blocks
    blocks.close()


@pytest.fixture(name="page")
def first_page(served: tuple[str, gr.Blocks]) -> Page:
    return Page(*served)


def picture(url: str) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(url.partition(",")[2]))))
