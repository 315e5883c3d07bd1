"""Speed side by side: training, generating, memory and start-up of ours, the peers and the official codes.

``python -m benchmarks.speed DATASET``, and with a clone of the official code at hand
``--checkout stylegan2-ada=FOLDER --checkout r3gan=FOLDER``.
"""

from __future__ import annotations

import datetime
import json
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from benchmarks.arena import machine
from benchmarks.arena.peers import OFFICIAL, PEERS, REPOSITORY, VENVS, Peer, missing, png
from imagen_demo.data.dataset import Dataset

console = Console(stderr=True, highlight=False)
STRENGTH = 0.3  # of augmentation, about what training on few pictures comes to
HEAD = (
    "| | G, D in M | training images/s | ours is | generating, batch 1 | batch 16 | peak memory | start-up |\n"
    "|---|---|---|---|---|---|---|---|"
)


def entries(contestants: list[str], checkouts: dict[str, Path], changes: list[str]) -> dict[str, tuple[Peer, list]]:
    """What is measured: name -> who, and its own options."""
    found: dict[str, tuple[Peer, list]] = {}
    settings = [word for change in changes for word in ("--set", change)]
    for name in contestants:
        if name == "ours":
            found[name] = (PEERS[name], [*settings, "--strength", "0"])
            found[f"ours, augmentation at {STRENGTH}"] = (PEERS[name], [*settings, "--strength", str(STRENGTH)])
        else:
            found[name] = (PEERS[name], [])
    for name, folder in checkouts.items():
        found[f"{name}, official"] = (OFFICIAL[name], ["--checkout", str(folder.resolve())])
    return found


def measure(
    peer: Peer, extra: list[str], dataset: Dataset, options: list[str], scratch: Path, venvs: Path, env: dict[str, str]
) -> dict[str, Any]:
    """The figures of one, or why there are none (``problem``)."""
    with tempfile.TemporaryDirectory(dir=scratch) as out:
        command = [str(peer.python(venvs)), "-m", peer.module, str(dataset.path), out, *options, *extra]
        if peer.needs_png:
            command += ["--png", str(png(dataset.images, scratch / "png"))]
        command += ["--started", str(time.time())]
        done = subprocess.run(command, cwd=REPOSITORY, env=env, capture_output=True, text=True)
        if done.returncode:
            return {"problem": (done.stderr.strip() or f"exit code {done.returncode}").splitlines()[-1]}
        return json.loads((Path(out) / "facts.json").read_text())


def table(results: dict[str, dict[str, Any]]) -> str:
    ours = results.get("ours", {}).get("training")
    lines = [HEAD]
    for name, found in results.items():
        if "problem" in found:
            lines.append(f"| {name} | cannot run here: {found['problem']} | | | | | | |")
            continue
        sizes = ", ".join(f"{count / 1e6:.2f}" for count in found["parameters"])
        times = f"{ours / found['training']:.1f} x" if ours else ""
        memory = f"{found['peak_memory'] / 2**20:.0f} MB"
        if found["peak_gpu_memory"]:
            memory += f", GPU {found['peak_gpu_memory'] / 2**20:.0f} MB"
        rates = [f"{found[key]:.3g}" for key in ("training", "generating_1", "generating_16")]
        cells = [name, sizes, rates[0], times, rates[1], rates[2], memory, f"{found['startup_seconds']:.1f} s"]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def report(dataset: Dataset, results: dict[str, dict[str, Any]], threads: int) -> str:
    known = [found for found in results.values() if "problem" not in found]
    device = known[0]["device"] if known else "cpu"
    torches = ", ".join(
        f"{name} {found['torch']} on {found['device']}" for name, found in results.items() if "torch" in found
    )
    return (
        f"# Speed at {dataset.resolution} px, {'RGBA' if dataset.channels == 4 else 'RGB'}\n\n"
        f"{machine.sentence(machine.facts(), device)}; CPU threads: {threads}. {datetime.date.today().isoformat()}.\n\n"
        f"{table(results)}\n\ntorch: {torches}.\n"
    )


def main(
    dataset: Annotated[Path, typer.Argument(help="Folder of a prepared dataset")],
    contestants: Annotated[str, typer.Option(help="Who is measured")] = ",".join(PEERS),
    checkout: Annotated[
        list[str] | None, typer.Option(help=f"NAME=FOLDER of an official code; NAME is one of {', '.join(OFFICIAL)}")
    ] = None,
    seconds: Annotated[float, typer.Option(help="For each figure, and at least one round of steps")] = 20.0,
    threads: Annotated[int, typer.Option(help="CPU threads")] = 2,
    device: Annotated[str, typer.Option(help="auto, or cpu: hide a GPU from all")] = "auto",
    change: Annotated[
        list[str] | None, typer.Option("--set", help="A setting of ours, as width=512 or model.max_channels=64")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Folder for speed-DATASET-DATE.md and .json")] = None,
    venvs: Annotated[Path, typer.Option(help="Where benchmarks.arena.peers installed the peers")] = VENVS,
) -> None:
    """Measure one after the other, each in a process of its own, with the settings it comes with."""
    names = [name for name in contestants.split(",") if name]
    if trouble := missing(names, venvs):
        raise typer.BadParameter(trouble)
    checkouts = {name: Path(folder) for name, _, folder in (text.partition("=") for text in checkout or [])}
    if unknown := [name for name in checkouts if name not in OFFICIAL]:
        raise typer.BadParameter(f"There is no official code {unknown[0]}; there are {', '.join(OFFICIAL)}.")
    data = machine.opened(dataset)
    options = ["--speed", str(seconds), "--threads", str(threads)]
    results: dict[str, dict[str, Any]] = {}
    with tempfile.TemporaryDirectory() as scratch:
        for name, (peer, extra) in entries(names, checkouts, change or []).items():
            with console.status(f"measuring {name}"):
                env = machine.surroundings(threads, device)
                results[name] = measure(peer, extra, data, options, Path(scratch), venvs, env)
            found = results[name]
            line = found["problem"] if "problem" in found else f"{found['training']:.3g} training images/s"
            console.print(f"{name}: {line}", markup=False)
    text = report(data, results, threads)
    Console().print(text, markup=False, soft_wrap=True)
    if out:
        out.mkdir(parents=True, exist_ok=True)
        stem = f"speed-{data.name}-{datetime.date.today().isoformat()}"
        (out / f"{stem}.md").write_text(text, encoding="utf-8")
        (out / f"{stem}.json").write_text(json.dumps({"machine": machine.facts(), "results": results}, indent=1) + "\n")


if __name__ == "__main__":
    typer.run(main)
