"""What is left of an arena: ``scores.json``, ``table.md``, ``curves.png``, ``grids.jpg`` and ``real.jpg``."""

from __future__ import annotations

import json
import statistics
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import LogFormatter
from PIL import Image, ImageDraw, ImageFont

from benchmarks.arena import machine
from benchmarks.arena.peers import PEERS
from benchmarks.arena.scores import METRICS
from imagen_demo.media.grid import flatten, make_grid

SAMPLES, COLUMNS = 36, 6  # pictures in each contestant's grid
HEADING, GAP = 26, 10  # pixels
LEAST = 0.1  # of what a logarithmic axis shows
NAMES = {"fd": "Fréchet distance", "kd": "kernel distance x 1000", "swd": "sliced Wasserstein"}

Scores = dict[str, Any]


def summarise(scores: Scores) -> None:
    """Add the means over the seeds, and ours against the best of the others (``means``, ``ratio``)."""
    contests = [contest for contest in scores["contests"] if "fd" in contest and not contest["broke_down"]]
    names = dict.fromkeys(contest["contestant"] for contest in contests)
    keys = ("minutes", "images", "images_per_second", *METRICS)
    scores["means"] = {
        name: {key: statistics.mean(c[key] for c in contests if c["contestant"] == name) for key in keys}
        for name in names
    }
    others = {name: mean for name, mean in scores["means"].items() if name != "ours"}
    scores["ratio"] = {}
    if "ours" in scores["means"] and others:
        for key in METRICS:
            best = min(others, key=lambda name: others[name][key])
            ratio = scores["means"]["ours"][key] / others[best][key]
            scores["ratio"][key] = {"best_other": best, "ours_to_best_other": ratio}


def write(folder: Path, scores: Scores, reals: np.ndarray, drawn: dict[str, np.ndarray]) -> None:
    """All files; ``drawn``: contestant -> its pictures at the end. Only ``real.jpg`` shows what was learned from."""
    summarise(scores)
    (folder / "scores.json").write_text(json.dumps(scores, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    (folder / "table.md").write_text(table(scores), encoding="utf-8")
    curves(scores).savefig(folder / "curves.png", dpi=110)
    grids({"real pictures": reals}).save(folder / "real.jpg", quality=88)
    if drawn:
        grids(drawn).save(folder / "grids.jpg", quality=88)


def table(scores: Scores) -> str:
    data, settings = scores["dataset"], scores["settings"]
    lines = [
        f"# {data['name']}: {settings['minutes']:g} minutes each",
        "",
        f"{data['pictures']} pictures of {data['resolution']} px, {'RGBA' if data['channels'] == 4 else 'RGB'}; "
        f"CPU threads: {settings['threads']}; {settings['count']} pictures handed in by each, without truncation. "
        "Lower is better.",
        "",
        *_circumstances(scores["contests"]),
        "",
        "| contestant | seed | minutes | images | images/s | FD | KD x 1000 | SWD |",
        "|---|---|---|---|---|---|---|---|",
    ]
    lines += [_row(contest) for contest in scores["contests"]]
    for name, mean in scores["means"].items():
        ended = [not contest["broke_down"] for contest in scores["contests"] if contest["contestant"] == name]
        of = "mean" if all(ended) else f"mean of {sum(ended)} of {len(ended)}"
        cells = [f"**{name}**", of, f"{mean['minutes']:.1f}", f"{mean['images']:.0f}", _rate(mean)]
        lines.append(f"| {' | '.join(cells)} | {_figures(mean)} |")
    if scores["floor"]:
        lines.append(f"| *real against real* |  |  |  |  | {_figures(scores['floor'])} |")
    lines.append("")
    for key, found in scores["ratio"].items():
        share = found["ours_to_best_other"]
        lines.append(f"- {NAMES[key]}: ours is {share:.2f} of the best other's ({found['best_other']}).")
    lines += ["", "Libraries: " + "; ".join(f"{name} {v}" for name, v in scores["versions"].items()) + ".", ""]
    return "\n".join(lines)


def _circumstances(contests: list[dict[str, Any]]) -> list[str]:
    """Where and when, and where that differs who."""
    groups: dict[str, list[str]] = {}
    for contest in contests:
        where = machine.sentence(contest["machine"], contest.get("device", "cpu"))
        groups.setdefault(f"{where}. {contest['date']}.", []).append(f"{contest['contestant']} {contest['seed']}")
    if len(groups) < 2:
        return list(groups)
    return [f"- {', '.join(who)}: {sentence}" for sentence, who in groups.items()]


def _row(contest: dict[str, Any]) -> str:
    cells = [contest["contestant"], str(contest["seed"])]
    if "fd" not in contest:
        return f"| {' | '.join(cells)} | broke down: {contest['broke_down']} |  |  |  |  |  |"
    minutes = f"{contest['minutes']:.1f}" + (" (broke down)" if contest["broke_down"] else "")
    return f"| {' | '.join([*cells, minutes, str(contest['images']), _rate(contest)])} | {_figures(contest)} |"


def _rate(found: dict[str, float]) -> str:
    rate = found["images_per_second"]
    return f"{rate:.1f}" if rate >= 1 else f"{rate:.2f}"


def _figures(found: dict[str, float]) -> str:
    return f"{found['fd']:.1f} | {found['kd']:.1f} | {found['swd']:.4g}"


def curves(scores: Scores) -> Figure:
    """FD and KD over minutes of training; each seed a thin line, their mean a thick one."""
    figure = Figure(figsize=(11, 4.4), layout="constrained")
    for axes, key in zip(figure.subplots(1, 2), ("fd", "kd"), strict=True):
        for name in dict.fromkeys(contest["contestant"] for contest in scores["contests"]):
            lines = [c["curve"] for c in scores["contests"] if c["contestant"] == name and c["curve"]]
            colour = PEERS[name].colour
            for line in lines:
                axes.plot(*_points(line, key), color=colour, alpha=0.35, lw=1, marker=".", ms=4)
            if lines:
                axes.plot(*_mean(lines, key), color=colour, lw=2, marker="o", ms=4, label=name)
        if scores["floor"]:
            floor, style = scores["floor"][key], {"color": "grey", "ls": ":"}
            axes.plot([], [], **style, label=f"real against real: {floor:.3g}")
            if floor > LEAST:  # the kernel distance of equals is about zero, and may be below
                axes.axhline(floor, **style)
        axes.set(xlabel="minutes of training", ylabel=NAMES[key], yscale="log", xlim=(0, None))
        axes.yaxis.set_major_formatter(LogFormatter())
        axes.yaxis.set_minor_formatter(LogFormatter(minor_thresholds=(1.5, 0.6)))
        axes.grid(alpha=0.3, which="both")
        axes.legend()
    figure.suptitle(f"{scores['dataset']['name']}, CPU threads: {scores['settings']['threads']}; lower is better")
    return figure


def _points(line: list[dict[str, float]], key: str) -> tuple[list[float], list[float]]:
    return [point["minutes"] for point in line], [max(point[key], LEAST) for point in line]


def _mean(lines: list[list[dict[str, float]]], key: str) -> tuple[list[float], list[float]]:
    """Moment by moment, where every seed handed in."""
    marks = sorted(set.intersection(*({point["mark"] for point in line} for line in lines)))
    found = [[next(point for point in line if point["mark"] == mark) for line in lines] for mark in marks]
    minutes = [statistics.mean(point["minutes"] for point in points) for points in found]
    return minutes, [max(statistics.mean(point[key] for point in points), LEAST) for points in found]


def grids(drawn: dict[str, np.ndarray]) -> Image.Image:
    """Sample grids side by side, each under its name; small pictures are shown twice their size."""
    side = next(iter(drawn.values())).shape[1]
    scale = 2 if side < 64 else 1
    parts = []
    for pictures in drawn.values():
        grid = flatten(make_grid(pictures[:SAMPLES], COLUMNS), "checkerboard")
        parts.append(grid.resize((grid.width * scale, grid.height * scale), Image.Resampling.NEAREST))
    width, height = parts[0].size
    sheet = Image.new("RGB", (len(parts) * (width + GAP) - GAP, height + HEADING), "white")
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(size=16)
    for index, (name, grid) in enumerate(zip(drawn, parts, strict=True)):
        left = index * (width + GAP)
        pen.text((left + 2, 3), name, fill="black", font=font)
        sheet.paste(grid, (left, HEADING))
    return sheet
