"""Who takes part, and the virtual environments of those that come from PyPI: ``python -m benchmarks.arena.peers``."""

from __future__ import annotations

import shutil
import subprocess
import sys
import venv
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from PIL import Image
from rich.console import Console

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parent.parent
VENVS = HERE / ".venv"


@dataclass(frozen=True)
class Peer:
    """``package`` is a pinned package from PyPI, empty for what this repository holds itself."""

    module: str
    package: str = ""
    colour: str = "C0"  # in the curves
    needs_png: bool = False  # reads picture files

    def python(self, venvs: Path) -> Path:
        """The Python that runs it."""
        if not self.package:
            return Path(sys.executable)
        return venvs.resolve() / self.package.split("==")[0] / "bin" / "python"


MODULES = "benchmarks.arena.contestants."
PEERS = {
    "ours": Peer(MODULES + "ours", colour="C3"),
    "dcgan": Peer(MODULES + "dcgan", colour="C0"),
    "lightweight-gan": Peer(MODULES + "peer_lightweight_gan", "lightweight-gan==1.2.1", "C2", needs_png=True),
    "stylegan2-pytorch": Peer(MODULES + "peer_stylegan2_pytorch", "stylegan2-pytorch==1.9.0", "C4", needs_png=True),
}
OFFICIAL = {"stylegan2-ada": Peer(MODULES + "official_stylegan2_ada"), "r3gan": Peer(MODULES + "official_r3gan")}


def png(images: np.ndarray, folder: Path) -> Path:
    """A dataset's pictures as files in ``folder``, written once."""
    if not folder.exists():
        new = folder.with_name(folder.name + ".new")
        shutil.rmtree(new, ignore_errors=True)
        new.mkdir(parents=True)
        for index, picture in enumerate(images):
            Image.fromarray(np.asarray(picture)).save(new / f"{index:06d}.png", compress_level=1)
        new.rename(folder)
    return folder


def missing(names: list[str], venvs: Path) -> str | None:
    """A sentence, where one of these cannot run yet."""
    for name in names:
        if name not in PEERS:
            return f"There is no contestant {name}; there are {', '.join(PEERS)}."
        if not PEERS[name].python(venvs).exists():
            return f"{name} is not installed; run: python -m benchmarks.arena.peers --venvs {venvs}"
    return None


def main(venvs: Annotated[Path, typer.Option(help="Where the environments are made, one folder each")] = VENVS) -> None:
    """Install each peer from PyPI into a virtual environment of its own (5 GB each with a CUDA build of torch)."""
    console = Console(stderr=True, highlight=False)
    for name, peer in PEERS.items():
        if not peer.package:
            continue
        python = peer.python(venvs)
        console.print(f"{name}: {python.parent.parent}", soft_wrap=True)
        if not python.exists():
            venv.create(python.parent.parent, with_pip=True)
        install = [str(python), "-m", "pip", "--disable-pip-version-check", "install"]
        subprocess.run([*install, "-r", str(HERE / f"requirements-{name}.txt")], check=True)
        # By itself: stylegan2-pytorch wants aim, which does not build everywhere.
        subprocess.run([*install, "--no-deps", peer.package], check=True)


if __name__ == "__main__":
    typer.run(main)
