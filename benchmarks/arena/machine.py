"""What the figures were measured on: the data and the machine."""

from __future__ import annotations

import os
import platform
import subprocess
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psutil
import torch
import typer

from benchmarks.arena.peers import REPOSITORY
from imagen_demo.config import cores
from imagen_demo.data.dataset import Dataset, open_dataset
from imagen_demo.errors import UserError


def opened(path: Path) -> Dataset:
    """A prepared dataset, or a usage error in one sentence."""
    try:
        return open_dataset(path)
    except UserError as error:
        raise typer.BadParameter(str(error)) from None


def facts() -> dict[str, Any]:
    return {
        "cpu": f"{_cpu()} with {torch.backends.cpu.get_cpu_capability()}",
        "cores": cores(),
        "memory_gb": round(psutil.virtual_memory().total / 2**30),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "torch": version("torch"),
        "commit": _commit(),
    }


def sentence(machine: dict[str, Any], device: str = "cpu") -> str:
    gpu = "" if device == "cpu" else f", {device}"
    return (
        f"{machine['cpu']}, {machine['cores']} cores, {machine['memory_gb']} GB{gpu}; {machine['system']}, "
        f"Python {machine['python']}; this project at {machine['commit']}"
    )


def surroundings(threads: int, device: str) -> dict[str, str]:
    """The environment that every measured process runs in."""
    hidden = {"CUDA_VISIBLE_DEVICES": ""} if device == "cpu" else {}
    return os.environ | {"OMP_NUM_THREADS": str(threads), "PYTHONUNBUFFERED": "1"} | hidden


def _cpu() -> str:
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or "unknown processor"


def _commit() -> str:
    git = ["git", "-C", str(REPOSITORY), "describe", "--always", "--dirty"]
    try:
        return subprocess.run(git, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "an unknown commit"
