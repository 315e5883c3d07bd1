"""What several test files share."""

from __future__ import annotations

import os
import signal

# Before torch is imported, here and in every process a test starts: tests run side by side on few cores.
os.environ["OMP_NUM_THREADS"] = "1"
os.environ.pop("IMAGEN_DEMO_WORKSPACE", None)  # no test writes into anybody's own workspace

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from browser_kit import address, browser, open_page  # noqa: F401 - fixtures
from PIL import Image

import imagen_demo.ui  # noqa: F401  (makes Gradio ready, which some tests import before anything of ours)
from imagen_demo.workspace import Workspace

# A shell's background jobs ignore Ctrl-C, and so would the commands that tests interrupt.
signal.signal(signal.SIGINT, signal.default_int_handler)

REPOSITORY = Path(__file__).resolve().parents[1]
SHARED_DATA = REPOSITORY.parent / "shared" / "data"


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """An empty workspace."""
    return Workspace(tmp_path / "workspace")


@pytest.fixture
def make_model(workspace: Workspace) -> Callable[..., Path]:
    """``make_model("pets", num_classes=2)``: a tiny model with random weights in ``workspace``; returns its folder."""
    from tiny import save_tiny_model  # imports torch, which not every test needs

    def make(name: str, **changes: object) -> Path:
        save_tiny_model(workspace.checkpoints / name, **changes)
        return workspace.checkpoints / name

    return make


@pytest.fixture
def tiny_model_folder(make_model: Callable[..., Path]) -> Path:
    """A 16 px style model with random weights, in ``workspace`` under the name ``tiny``."""
    return make_model("tiny")


@pytest.fixture
def command(workspace: Workspace, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """``command("models")`` -> (exit code, stdout, stderr) of the command line over ``workspace``."""
    from imagen_demo.cli.main import main

    def run(*arguments: object) -> tuple[int, str, str]:
        code = main(["--workspace", str(workspace.root), *map(str, arguments)])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run


@pytest.fixture
def pictures_folder(tmp_path: Path) -> Path:
    """40 PNG pictures, 24 x 24: a disc of its own colour and place on each."""
    return draw_pictures(tmp_path / "pictures")


def draw_pictures(folder: Path, count: int = 40, side: int = 24) -> Path:
    folder.mkdir(parents=True)
    random = np.random.default_rng(0)
    rows, columns = np.mgrid[:side, :side]
    for number in range(count):
        picture = np.empty((side, side, 3), np.uint8)
        picture[:] = random.integers(0, 256, 3)
        y, x = random.uniform(0.3, 0.7, 2) * side
        picture[(rows - y) ** 2 + (columns - x) ** 2 < (side * random.uniform(0.15, 0.3)) ** 2] = random.integers(
            0, 256, 3
        )
        Image.fromarray(picture).save(folder / f"disc{number:02d}.png")
    return folder
