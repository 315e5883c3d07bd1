"""Training images/s and generator pictures/s on a prepared dataset, with the settings the product would choose."""
# ruff: noqa: I001

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from pathlib import Path

import typer

import imagen_demo  # noqa: F401  before torch: it sets how idle threads wait
import torch
from imagen_demo.config import TrainConfig
from imagen_demo.data.dataset import open_dataset
from imagen_demo.training.schedule import pick_device, resolve
from imagen_demo.training.batches import Batches
from imagen_demo.training.step import train_step
from imagen_demo.training.state import fresh_state


def seconds(work: Callable[[], object], repeats: int, device: torch.device) -> float:
    """Median seconds of one call, after three to warm up."""
    taken = []
    for _ in range(repeats + 3):
        started = time.perf_counter()
        work()
        if device.type == "cuda":
            torch.cuda.synchronize()
        taken.append(time.perf_counter() - started)
    return statistics.median(taken[3:])


def main(
    dataset: Path, width: int = 0, batch: int = 0, threads: int = 0, device: str = "auto", rounds: int = 6
) -> None:
    """Measure on DATASET, the folder of a prepared dataset."""
    data = open_dataset(dataset)
    config, model, _ = resolve(
        TrainConfig(width=width, batch=batch, threads=threads, device=device), data, pick_device(device)
    )
    place = torch.device(config.device)
    if place.type == "cpu":
        torch.set_num_threads(config.threads)
    state = fresh_state(config, model, place)
    batches = Batches(data, config.batch, config.seed, config.mirror == "yes", place)

    def cycle() -> None:
        """As many steps as lie between two penalties, so that each round costs the same."""
        for _ in range(config.penalty_every):
            train_step(state, config, *batches[state.counters.step])

    parameters = [
        sum(p.numel() for p in network.parameters()) / 1e6 for network in (state.generator, state.discriminator)
    ]
    print(
        f"torch {torch.__version__}, {config.device}, {config.threads} threads, "
        f"{data.resolution} px, batch {config.batch}"
    )
    print(f"generator {parameters[0]:.2f} M, discriminator {parameters[1]:.2f} M parameters")
    for p in (0.0, 0.3):
        state.controller.p = p
        taken = seconds(cycle, rounds, place)
        print(f"training, augmentation p = {p}: {config.batch * config.penalty_every / taken:.1f} images/s")
    with torch.inference_mode():
        for count in (1, 16):
            z = torch.randn(count, model.z_dim, device=place)
            labels = torch.zeros(count, dtype=torch.int64, device=place) if model.num_classes else None
            taken = seconds(lambda z=z, labels=labels: state.ema(z, labels), 50, place)
            print(f"generating, batch {count}: {count / taken:.0f} pictures/s")


if __name__ == "__main__":
    typer.run(main)
