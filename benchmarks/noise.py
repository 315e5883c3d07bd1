"""What a network's noise is in its pictures: drawn with its own, with fresh noise for each picture, and with none.

``python -m benchmarks.noise DATASET --minutes 15 --marks 5,10``: one training run, under the arena's judge. "Alike" is
the part of the fine detail (brightness less its mean of 3 x 3, 0 to 255, root mean square) that is the same in all
pictures: real ones have little.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import numpy as np
import torch
import torch.nn.functional as F
import typer

from benchmarks.arena import machine
from benchmarks.arena.scores import METRICS, Judge
from benchmarks.one_run import OneRun
from imagen_demo.data.pixels import from_network

COUNT, BATCH = 2000, 50  # pictures that the judge sees of each kind, and of one network call
BORDER = 6  # pixels left out when detail is measured: frames are alike in real pictures, too


def main(
    dataset: Annotated[Path, typer.Argument(help="Folder of a prepared dataset")],
    minutes: Annotated[float, typer.Option(help="CPU time of the run")] = 15.0,
    marks: Annotated[str, typer.Option(help="Minutes at which it is judged, besides the end")] = "5,10",
    seed: Annotated[int, typer.Option(help="Of the training")] = 0,
) -> None:
    """Train once, and judge pictures drawn with three kinds of noise."""
    run = OneRun(dataset, seed, minutes, noise=True)  # also where it is not automatic
    judge, state = Judge(run.data.images), run.trainer.state
    every, alike = fine_detail(run.data.images[: 2 * COUNT])
    print(
        f"{machine.sentence(machine.facts())}; {run.data.name}; real pictures: detail {every:.1f}, alike {alike:.1f}\n"
    )
    print("| kimg | noise | FD | KD | SWD | detail | alike |\n|---|---|---|---|---|---|---|", flush=True)
    for _ in run.moments(marks):
        for kind in ("its own", "fresh", "none"):
            drawn = pictures(run, kind)
            found, (every, alike) = judge.score(drawn), fine_detail(drawn)
            figures = " | ".join(f"{found[key]:.0f}" for key in METRICS)
            print(f"| {state.counters.kimg:.0f} | {kind} | {figures} | {every:.1f} | {alike:.1f} |", flush=True)
        strengths = {name: value.tolist() for name, value in state.ema.named_parameters() if "noise_strength" in name}
        print(f"<!-- {strengths} -->", flush=True)


@torch.inference_mode()
def pictures(run: OneRun, kind: str) -> np.ndarray:
    """[COUNT, H, W, C] by the average network; the same latents for every ``kind``."""
    network, model, chance = run.trainer.state.ema, run.trainer.model, torch.Generator().manual_seed(1)
    z = torch.randn(COUNT, model.z_dim, generator=chance)
    labels = torch.randint(max(1, model.num_classes), (COUNT,), generator=chance)
    fresh, none = torch.randn(COUNT, network.noise_size, generator=chance), torch.zeros(COUNT, network.noise_size)
    noise = {"its own": network.noise.expand(COUNT, -1), "fresh": fresh, "none": none}[kind]
    parts = zip(z.split(BATCH), labels.split(BATCH), noise.split(BATCH), strict=True)
    drawn = [network(some, of if model.num_classes else None, with_) for some, of, with_ in parts]
    return np.concatenate([from_network(part) for part in drawn])


def fine_detail(images: np.ndarray) -> tuple[float, float]:
    """Root mean square of the fine detail of [N, H, W, C], and of its mean over all pictures, where they are solid."""
    x = torch.from_numpy(np.array(images)).permute(0, 3, 1, 2).float()
    solid = (x[:, 3:] > 250).float() if x.shape[1] == 4 else torch.ones_like(x[:, :1])
    bright = x[:, :3].mean(dim=1, keepdim=True)
    detail = bright - F.avg_pool2d(bright, 3, stride=1, padding=1, count_include_pad=False)
    inner = slice(BORDER, -BORDER)
    detail, solid = detail[..., inner, inner], solid[..., inner, inner]
    shared = (detail * solid).sum(dim=0) / solid.sum(dim=0).clamp(min=1)
    return float(((detail.square() * solid).sum() / solid.sum()).sqrt()), float(shared.square().mean().sqrt())


if __name__ == "__main__":
    typer.run(main)
