"""What this machine can do, looked at rather than assumed."""

from __future__ import annotations

import importlib.metadata
import platform
import re
import shutil
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from imagen_demo.config import cores
from imagen_demo.errors import UserError
from imagen_demo.workspace import REPOSITORY, Workspace

GB = 1024**3
LEAST_MEMORY = 2 * GB  # what training at 64 px and the page need together
LEAST_DISK = 2 * GB  # a few datasets and runs


@dataclass(frozen=True)
class Finding:
    """One thing looked at. ``level``: "ok", "warning" (something is missing), "problem" (the program cannot work)."""

    name: str
    level: str
    found: str
    advice: str = ""


def examine(workspace: Workspace) -> list[Finding]:
    """Every check, in order. A check that breaks becomes a problem of its own; none raises."""
    checks: list[tuple[str, Callable[[Workspace], Finding]]] = [
        ("Python", _python),
        ("Packages", _packages),
        ("Page", _page),
        ("Device", _device),
        ("Memory", _memory),
        ("Workspace", _workspace),
        ("Models", _models),
        ("Training", _training),
        ("Video", _video),
        ("Metrics", _metrics),
    ]
    findings = []
    for name, check in checks:
        try:
            findings.append(replace(check(workspace), name=name))
        except UserError as error:
            findings.append(Finding(name, "problem", str(error)))
        except Exception as error:
            findings.append(Finding(name, "problem", f"{type(error).__name__}: {error}", _reinstall()))
    return findings


def _reinstall() -> str:
    return f'Install the pinned packages: "{sys.executable}" -m pip install -r requirements.txt'


def _python(workspace: Workspace) -> Finding:
    return Finding("", "ok", f"{platform.python_version()} on {platform.system()} {platform.machine()}")


def pins() -> dict[str, str]:
    """``{package: version}`` of requirements.txt."""
    text = (REPOSITORY / "requirements.txt").read_text("utf-8")
    return dict(re.findall(r"^([\w-]+)(?:\[\w+\])?==([\w.]+)", text, re.MULTILINE))


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _packages(workspace: Workspace) -> Finding:
    """Versions against the pins. ``2.13.0+cpu`` is 2.13.0; another version is a warning, as it may well work."""
    wanted = pins()
    have = {package: _version(package) for package in wanted}
    missing = [package for package in wanted if have[package] is None and package != "gradio"]
    other = [
        f"{package} {have[package]} (tested with {version})"
        for package, version in wanted.items()
        if have[package] and have[package].partition("+")[0] != version
    ]
    if missing:
        return Finding("", "problem", f"missing: {', '.join(missing)}", _reinstall())
    if other:
        return Finding("", "warning", ", ".join(other), f"If something fails: {_reinstall()}")
    return Finding("", "ok", ", ".join(f"{name} {have[name]}" for name in ("torch", "numpy", "pillow", "av")))


def _page(workspace: Workspace) -> Finding:
    if _version("gradio") is None:
        return Finding("", "warning", "without gradio only the command line works", _reinstall())
    return Finding("", "ok", f"gradio {_version('gradio')}; any browser will do, nothing to install there")


def _device(workspace: Workspace) -> Finding:
    import torch

    processor = f"{cores()} CPU cores, {torch.get_num_threads()} threads"
    if not torch.cuda.is_available():
        return Finding("", "ok", f"{processor}, no CUDA GPU: small networks train well, large ones take long")
    gpus = [torch.cuda.get_device_properties(index) for index in range(torch.cuda.device_count())]
    names = ", ".join(f"{gpu.name} ({gpu.total_memory / GB:.0f} GB)" for gpu in gpus)
    return Finding("", "ok", f"{names}; CUDA {torch.version.cuda}; {processor}")


def _memory(workspace: Workspace) -> Finding:
    import psutil

    memory = psutil.virtual_memory()
    found = f"{memory.available / GB:.1f} of {memory.total / GB:.1f} GB free"
    if memory.available < LEAST_MEMORY:
        return Finding("", "warning", found, "Close other programs, or train at a lower resolution or batch.")
    return Finding("", "ok", found)


def _workspace(workspace: Workspace) -> Finding:
    try:
        workspace.root.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=workspace.root):
            pass
    except OSError as error:
        advice = "Choose another folder with --workspace or IMAGEN_DEMO_WORKSPACE."
        return Finding("", "problem", f"{workspace.root} cannot be written to ({error.strerror})", advice)
    free = shutil.disk_usage(workspace.root).free
    found = f"{workspace.root}, {free / GB:.1f} GB free"
    if free < LEAST_DISK:
        return Finding("", "warning", found, "Free some space, or choose another folder with --workspace.")
    return Finding("", "ok", found)


def _models(workspace: Workspace) -> Finding:
    from imagen_demo.studio import library

    entries = library.list_models(workspace)
    damaged = [entry for entry in entries if entry.error is not None]
    if damaged:
        return Finding("", "warning", str(damaged[0].error), "Delete it under Models, or import it again.")
    if not entries:
        return Finding("", "warning", "none", "Train one; the bundled models come with the repository's checkpoints/.")
    return Finding("", "ok", ", ".join(entry.name for entry in entries))


def _training(workspace: Workspace) -> Finding:
    """One step of a tiny network, with penalties, on the device that a run would take."""
    import torch

    from imagen_demo.config import ModelConfig, TrainConfig
    from imagen_demo.training.schedule import pick_device
    from imagen_demo.training.state import fresh_state
    from imagen_demo.training.step import train_step

    device = pick_device("auto")
    config = TrainConfig(
        objective="relativistic", batch=4, learning_rate=1e-3, generator_rate=1.0, gamma=0.1, penalty_every=1,
        ema_half_life_kimg=1.0,
    )  # fmt: skip
    shape = ModelConfig(resolution=16, z_dim=8, w_dim=8, width=128)
    with torch.random.fork_rng():
        state = fresh_state(config, shape, device, held_out=0)
        result = train_step(state, config, torch.zeros(4, 3, 16, 16, device=device), None)
    if not (result.loss_g.isfinite() and result.loss_d.isfinite()):
        return Finding("", "problem", f"a step on {device.type} gave no finite loss", _reinstall())
    return Finding("", "ok", f"a step on {device.type} works")


def _metrics(workspace: Workspace) -> Finding:
    from imagen_demo.training.features import MetricNetwork, at_hand, place

    if not at_hand(workspace.root):
        advice = f"For FID, KID, precision and recall put their network at {place(workspace.root)}; see docs/metrics.md"
        return Finding("", "ok", "sliced Wasserstein distance and memorisation", advice)
    try:
        network = MetricNetwork(workspace.root)
    except UserError as error:
        return Finding("", "warning", str(error), "Replace or remove the file; docs/metrics.md says where it is from")
    return Finding("", "ok", f"all, FID too (features: {network.size}, network {network.hash[:12]})")


def _video(workspace: Workspace) -> Finding:
    import numpy as np

    from imagen_demo.media.video import write_film

    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "test.mp4"
        write_film((np.full((64, 64, 3), 20 * shade, np.uint8) for shade in range(10)), file, fps=10)
        size = file.stat().st_size
    return Finding("", "ok", f"H.264 video can be written ({size} bytes for a second)")
