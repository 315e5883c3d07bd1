"""What each setting is worth: ours with one thing changed at a time, for the same CPU time, under the arena's judge.

``python -m benchmarks.ablation DATASET --out FOLDER``; the same command again goes on where it was stopped. Every run
has one thread and counts its own processor time, so several fit beside each other and beside other work.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from rich.console import Console

from benchmarks.arena import machine
from benchmarks.arena.clock import pictures_file
from benchmarks.arena.peers import REPOSITORY
from benchmarks.arena.scores import Judge

console = Console(stderr=True, highlight=False)
THREADS = 1

# One change each, by what it is about; the first is the settings as they come, with three seeds to tell chance by.
TRIALS: dict[str, list[str]] = {
    "as it is": [],
    "as it is, seed 1": ["--seed=1"],
    "as it is, seed 2": ["--seed=2"],
    "objective: nonsaturating, R1": ["--set=objective=nonsaturating"],
    "objective: hinge, R1": ["--set=objective=hinge"],
    "generator's rate 0.5": ["--set=generator_rate=0.5"],
    "generator's rate 1": ["--set=generator_rate=1"],
    "generator's rate 1, seed 1": ["--set=generator_rate=1", "--seed=1"],
    "generator's rate 1, seed 2": ["--set=generator_rate=1", "--seed=2"],
    "generator's rate 1, learning rate 4e-3": ["--set=generator_rate=1", "--set=learning_rate=0.004"],
    "generator's rate 2": ["--set=generator_rate=2"],
    "generator's rate 4": ["--set=generator_rate=4"],
    "generator's rate 4, seed 1": ["--set=generator_rate=4", "--seed=1"],
    "generator's rate 4, learning rate 1e-3": ["--set=generator_rate=4", "--set=learning_rate=0.001"],
    "generator's rate by balance": ["--variant=balance"],
    "generator's rate by balance, seed 1": ["--variant=balance", "--seed=1"],
    "generated values not clamped": ["--variant=unclamped"],
    "generated values not clamped, seed 1": ["--variant=unclamped", "--seed=1"],
    "generated colours within alpha": ["--variant=within-alpha"],
    "batch 8": ["--set=batch=8"],
    "batch 32": ["--set=batch=32"],
    "EMA half-life 2 kimg": ["--set=ema_half_life_kimg=2"],
    "EMA half-life 15 kimg": ["--set=ema_half_life_kimg=15"],
    "gamma 0.1": ["--set=gamma=0.1"],
    "gamma 2": ["--set=gamma=2"],
    "residual generator": ["--variant=residual-generator"],
    "picture from the last block only": ["--variant=last-picture"],
    "width 384": ["--set=width=384"],
    "width 768": ["--set=width=768"],
    "learning rate 1e-3": ["--set=learning_rate=0.001"],
    "learning rate 4e-3": ["--set=learning_rate=0.004"],
    "penalty every step": ["--set=penalty_every=1"],
    "penalty every 16th step": ["--set=penalty_every=16"],
    "finite differences": ["--variant=finite-differences"],
    "finite differences, every step": ["--variant=finite-differences", "--set=penalty_every=1"],
    "real logits of the step before": ["--variant=stale-reals"],
    "beta_1 0.5": ["--variant=momentum"],
    "no minibatch standard deviation": ["--variant=no-minibatch-std"],
    "blurred downsampling": ["--variant=blurred"],
    "mapping of 1 layer": ["--set=model.mapping_layers=1"],
    "mapping of 6 layers": ["--set=model.mapping_layers=6"],
    "z and w of 512": ["--set=model.z_dim=512", "--set=model.w_dim=512"],
    "augmentation 0.2": ["--strength=0.2"],
    "no mirrored pictures": ["--set=mirror=no"],
    "no kinds": ["--set=kinds=0"],  # of pictures without classes
    "no kinds, seed 1": ["--set=kinds=0", "--seed=1"],
}


def place(out: Path, name: str) -> Path:
    return out / "runs" / "".join(c if c.isalnum() or c in ".-" else "-" for c in name)


def made(folder: Path) -> dict[str, Any]:
    """With which ``options`` a run was made, and on what ``machine``."""
    return json.loads((folder / "made.json").read_text())


def train(name: str, dataset: Path, out: Path, minutes: float, marks: str) -> None:
    """One run, unless it was made before with the same options."""
    folder = place(out, name)
    if (folder / "facts.json").exists() and made(folder)["options"] == TRIALS[name]:
        return
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (folder / "made.json").write_text(json.dumps({"options": TRIALS[name], "machine": machine.facts()}))
    command = [
        sys.executable, "-m", "benchmarks.arena.contestants.ours", str(dataset), str(folder), "--cpu-clock",
        "--minutes", str(minutes), "--marks", marks, "--threads", str(THREADS), *TRIALS[name],
    ]  # fmt: skip
    with (folder / "log.txt").open("w") as log:
        subprocess.run(
            command, cwd=REPOSITORY, env=machine.surroundings(THREADS, "cpu"), stdout=log, stderr=subprocess.STDOUT
        )


def score(name: str, out: Path, judge: Judge) -> list[dict[str, float]]:
    """What a run came to at each mark, judged once."""
    folder = place(out, name)
    file = folder / "scores.json"
    if not file.exists():
        rows = [json.loads(line) for line in (folder / "progress.jsonl").read_text().splitlines()]
        drawn = [np.load(pictures_file(folder, row["minutes"]), allow_pickle=False) for row in rows]
        found = [row | judge.score(pictures) for row, pictures in zip(rows, drawn, strict=True)]
        file.write_text(json.dumps(found))
    return json.loads(file.read_text())


def table(curves: dict[str, list[dict[str, float]]], machines: set[str], minutes: float, dataset: str) -> str:
    """Best first; ``curves``: trial -> its marks."""
    moments = ", ".join(f"{row['minutes']:g}" for row in next(iter(curves.values())))
    lines = [
        f"# {dataset}: {minutes:g} minutes of one thread's CPU time each, one thing changed at a time",
        "",
        *(f"{each}." for each in sorted(machines)),
        "Lower is better.",
        "",
        f"| what | kimg | FD at {moments} | KD | SWD |",
        "|---|---|---|---|---|",
    ]
    for name, rows in sorted(curves.items(), key=lambda item: item[1][-1]["fd"]):
        last, way = rows[-1], ", ".join(f"{row['fd']:.0f}" for row in rows)
        lines.append(f"| {name} | {last['images'] / 1000:.0f} | {way} | {last['kd']:.0f} | {last['swd']:.0f} |")
    return "\n".join(lines) + "\n"


def main(
    dataset: Annotated[Path, typer.Argument(help="Folder of a prepared dataset")],
    out: Annotated[Path, typer.Option(help="Where runs and the table go")],
    only: Annotated[str, typer.Option(help="Names of trials, parted by semicolons; default: all")] = "",
    minutes: Annotated[float, typer.Option(help="CPU time of each run")] = 8.0,
    marks: Annotated[str, typer.Option(help="Minutes at which pictures are judged, besides the end")] = "4",
    jobs: Annotated[int, typer.Option(help="Runs beside each other")] = 2,
) -> None:
    """Train ours with one thing changed at a time, and judge all of them alike."""
    names = only.split(";") if only else list(TRIALS)
    if unknown := [name for name in names if name not in TRIALS]:
        raise typer.BadParameter(f"no trial is named {unknown[0]!r}; there are: {'; '.join(TRIALS)}")
    data = machine.opened(dataset)
    settings = {"dataset": data.fingerprint, "minutes": minutes, "marks": marks}
    kept = out / "settings.json"
    if kept.exists() and json.loads(kept.read_text()) != settings:
        raise typer.BadParameter(f"{out} holds runs of other settings; use another --out.")
    out.mkdir(parents=True, exist_ok=True)
    kept.write_text(json.dumps(settings))
    with ThreadPoolExecutor(jobs) as pool:
        for name, _ in zip(names, pool.map(lambda n: train(n, dataset, out, minutes, marks), names), strict=True):
            console.print(f"{name}: trained", markup=False)
    judge, curves = Judge(data.images), {}
    for name in names:
        if (place(out, name) / "facts.json").exists():
            curves[name] = score(name, out, judge)
        else:
            console.print(f"{name} broke down: see {place(out, name) / 'log.txt'}", markup=False)
    if not curves:
        raise typer.Exit(1)
    machines = {machine.sentence(made(place(out, name))["machine"]) for name in curves}
    text = table(curves, machines, minutes, data.name)
    (out / "table.md").write_text(text, encoding="utf-8")
    (out / "scores.json").write_text(json.dumps(curves, indent=1) + "\n", encoding="utf-8")
    console.print(text, markup=False, soft_wrap=True)


if __name__ == "__main__":
    typer.run(main)
