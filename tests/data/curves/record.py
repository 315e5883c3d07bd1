"""Record the curves of one run, healthy or sick: ``python tests/data/curves/record.py KIND``.

Trains for real on generated planets, with nobody watching: what the coach would undo goes on here.
Writes ``KIND.jsonl`` beside this file; see README.md there.
"""

# ruff: noqa: E402  the root of the repository is put on the path first

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[2]))

import torch

from imagen_demo.config import PrepareConfig, TrainConfig
from imagen_demo.data.prepare import prepare
from imagen_demo.data.sample_set import write_sample_set
from imagen_demo.training import coach
from imagen_demo.training.run import Run
from imagen_demo.training.schedule import resolve
from imagen_demo.training.trainer import Trainer

COMMON = {"batch": 16, "threads": 1, "width": 256, "tick_seconds": 3.0, "state_seconds": 1e9, "device": "cpu"}
KEYS = ("kimg", "seconds", "loss_g", "loss_d", "logits_real", "logits_fake", "grad_norm_g", "grad_norm_d", "augment_p",
        "overfitting", "diversity", "swd")  # fmt: skip
KINDS = {  # pictures, settings
    "healthy": (400, {"kimg": 30.0}),
    "nan": (100, {"kimg": 2.0, "learning_rate": 1.0, "generator_rate": 1.0, "gamma": 50.0, "objective": "hinge"}),
    "won": (400, {"kimg": 12.0, "learning_rate": 4e-3, "generator_rate": 1e-3, "gamma": 0.0}),
    "collapsed": (400, {"kimg": 16.0, "learning_rate": 2e-4, "generator_rate": 40.0, "gamma": 0.0}),
    "memorising": (24, {"kimg": 40.0}),
    "plateau": (100, {"kimg": 12.0, "learning_rate": 1e-7}),
}


def main(kind: str) -> None:
    count, settings = KINDS[kind]
    coach.judge = lambda curves: coach.RULES[-1]  # nobody watches
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        write_sample_set(work / "planets", count=count, size=16, seed=0)
        dataset = prepare(work / "planets", work / "data", PrepareConfig(resolution=16, workers=1))
        config, model, _ = resolve(TrainConfig(**(COMMON | settings)), dataset, torch.device("cpu"))
        (work / "run").mkdir()
        trainer = Trainer(Run(work / "run"), dataset, config, model)
        if kind == "memorising":
            trainer.state.controller.speed_kimg = 10.0  # ten times as fast, so that a short run shows it
        trainer.train()
        rows = trainer.run.metrics()
    lines = [json.dumps({key: round(row[key], 5) for key in KEYS if key in row}) for row in rows]
    (HERE / f"{kind}.jsonl").write_text("\n".join(lines) + "\n")
    print(f"{kind}: {len(rows)} lines, {rows[-1]['seconds']:.0f} seconds")


if __name__ == "__main__":
    main(sys.argv[1])
