"""What pictures held out say of the discriminator: r_v by several groups of them, one training run.

``python -m benchmarks.overfitting DATASET --minutes 15 --marks 5,10``: trains without augmentation, holds out many more
pictures than training does, and measures r_v (``augment.Controller``) by all of them and by groups of ``--group``. A
discriminator has one r_v, so how far the groups lie apart is chance. "Plain" compares all pictures as they come, "by
class" those of each class with each other.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated
from unittest import mock

import numpy as np
import torch
import typer

from benchmarks.arena import machine
from benchmarks.one_run import OneRun
from imagen_demo.training import batches

BATCH = 16  # pictures of one network call: whole groups of MinibatchStd


def main(
    dataset: Annotated[Path, typer.Argument(help="Folder of a prepared dataset")],
    minutes: Annotated[float, typer.Option(help="CPU time of the run")] = 15.0,
    marks: Annotated[str, typer.Option(help="Minutes at which it is measured, besides the end")] = "5,10",
    group: Annotated[int, typer.Option(help="Pictures of a group")] = 256,
    groups: Annotated[int, typer.Option(help="How many groups are held out; fewer where pictures are few")] = 12,
    seed: Annotated[int, typer.Option(help="Of the training")] = 0,
) -> None:
    """Train once, and compare what the groups say."""
    with mock.patch.multiple(batches, HELD_OUT=0.5, HELD_OUT_MOST=group * groups):
        run = OneRun(dataset, seed, minutes)
    held_out = np.random.default_rng(seed).permutation(run.trainer.batches.held_out)
    learned = np.random.default_rng(seed).permutation(run.trainer.batches.train)[: len(held_out)]

    def unchanged() -> None:
        run.trainer.state.controller.p = 0.0

    about = f"{run.data.name}, width {run.config.width}; groups of {group}"
    print(f"{machine.sentence(machine.facts())}; {about}\n")
    print("| kimg | logits within a class, between classes | train - generated | r_v, all | groups plain | by class |")
    print("|---|---|---|---|---|---|", flush=True)
    for _ in run.moments(marks, unchanged):
        train, generated = logits(run, learned, drawn=False), logits(run, learned, drawn=True)
        unseen, of, of_unseen = logits(run, held_out, drawn=False), classes(run, learned), classes(run, held_out)
        gap = train.mean() - generated.mean()
        levels = np.array([train[of == one].mean() for one in np.unique(of)])
        within = np.mean([train[of == one].std() for one in np.unique(of)])
        group = min(group, len(unseen))
        parts = [slice(start, start + group) for start in range(0, len(unseen) - group + 1, group)]
        plain = [(train.mean() - unseen[part].mean()) / gap for part in parts]
        fair = [by_class(train, of, unseen[part], of_unseen[part]) / gap for part in parts]
        both = [f"{min(some):.2f} to {max(some):.2f}" for some in (plain, fair)]
        print(
            f"| {run.trainer.state.counters.kimg:.0f} | {within:.2f}, {levels.std():.2f} | {gap:.2f} | "
            f"{by_class(train, of, unseen, of_unseen) / gap:.2f} | {both[0]} | {both[1]} |", flush=True,
        )  # fmt: skip


def classes(run: OneRun, indices: np.ndarray) -> np.ndarray:
    """Classes or kinds, int64 [N], all 0 where there are none."""
    labels = run.trainer.batches.dataset.labels
    return np.zeros(len(indices), np.int64) if labels is None else labels[indices]


@torch.inference_mode()
def logits(run: OneRun, indices: np.ndarray, drawn: bool) -> np.ndarray:
    """The discriminator's, [N], of these pictures, or of as many ``drawn`` of the same classes by the generator."""
    state, chance, found = run.trainer.state, torch.Generator().manual_seed(2), np.empty(len(indices), np.float32)
    order = np.argsort(classes(run, indices), kind="stable")  # as in training: a group of MinibatchStd is of one class
    for start in range(0, len(order), BATCH):
        places = order[start : start + BATCH]
        pictures, labels = run.trainer.batches._load(indices[places], 0)
        if drawn:
            z = torch.randn(len(places), run.trainer.model.z_dim, generator=chance)
            noise = torch.randn(len(places), state.generator.noise_size, generator=chance)
            pictures = state.generator(z, labels, noise).clamp(-1, 1)
        found[places] = state.discriminator(pictures, labels).numpy()
    return found


def by_class(train: np.ndarray, of: np.ndarray, unseen: np.ndarray, of_unseen: np.ndarray) -> float:
    """Mean over ``unseen`` of how far each is behind those of its class that are trained on."""
    level = {one: train[of == one].mean() for one in np.unique(of)}
    return float(np.mean([level[one] - logit for one, logit in zip(of_unseen, unseen, strict=True) if one in level]))


if __name__ == "__main__":
    typer.run(main)
