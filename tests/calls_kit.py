"""The page's calls into Python over HTTP, without a browser."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator
from pathlib import Path

import gradio as gr
import httpx
import numpy as np
import pytest
import torch
from PIL import Image

from imagen_demo.config import ModelConfig
from imagen_demo.models.folder import ModelInfo, save_model
from imagen_demo.models.registry import build_generator
from imagen_demo.ui.app import build_app, launch
from imagen_demo.workspace import Workspace


def make_model(folder: Path, classes: int = 0, channels: int = 3) -> None:
    torch.manual_seed(classes + channels)
    config = ModelConfig(
        resolution=16, z_dim=8, w_dim=8, width=128, max_channels=16, num_classes=classes, channels=channels
    )
    generator = build_generator(config)
    info = ModelInfo(config=config, class_names=[f"kind {index}" for index in range(classes)])
    save_model(folder, generator, torch.zeros(max(1, classes), 8), info, None)


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
