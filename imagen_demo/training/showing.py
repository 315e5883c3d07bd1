"""What a network in training shows of itself: pictures, their grid, its mean w, and its description."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from imagen_demo.config import ModelConfig, TrainConfig
from imagen_demo.data.dataset import Dataset
from imagen_demo.data.pixels import from_network, to_network
from imagen_demo.media.grid import make_grid
from imagen_demo.models.folder import ModelInfo
from imagen_demo.models.registry import Generator
from imagen_demo.training.run import Run
from imagen_demo.training.state import Counters

METRICS = ("swd", "fid", "kid", "precision", "recall")  # of a tick's line, that model.json repeats
GRID = 36  # pictures in a sample grid, as far as they fit
GRID_SIDE = 2048  # pixels of a sample grid, about, at most
AT_ONCE = 32  # pictures drawn at once,
PIXELS_AT_ONCE = 2**21  # and all their pixels: features of large pictures are what fills a memory


@torch.inference_mode()
def draw_fixed(
    generator: Generator, count: int, labels: np.ndarray | None = None, *, device: torch.device
) -> Iterator[Tensor]:
    """The first ``count`` pictures of fixed z in parts, as they will be shown: [n, C, H, W] in [-1, 1] on the CPU.

    ``labels``: their classes, int64 [count]; without, classes take turns.
    """
    random, config = torch.Generator().manual_seed(0), generator.config
    if labels is None:
        labels = np.arange(count) % max(1, config.num_classes)
    at_once = max(1, min(AT_ONCE, PIXELS_AT_ONCE // config.resolution**2))
    for start in range(0, count, at_once):
        part = torch.from_numpy(labels[start : min(start + at_once, count)]).to(device)
        z = torch.randn(len(part), config.z_dim, generator=random).to(device)
        yield to_network(from_network(generator(z, part if config.num_classes else None)))


def sample_grid(pictures: Tensor) -> Image.Image:
    """As many of [N, C, H, W] as make a square that is not too large."""
    columns = max(2, min(round(GRID**0.5), GRID_SIDE // pictures.shape[-1]))
    return make_grid(from_network(pictures[: columns**2]), columns)


def write_sample(grid: Image.Image, folder: Path, kimg: float) -> None:
    folder.mkdir(exist_ok=True)
    file = folder / f"{kimg:09.3f}.png"
    grid.save(file.with_suffix(".new"), "PNG")
    file.with_suffix(".new").replace(file)


@torch.inference_mode()
def mean_w(generator: Generator, device: torch.device) -> Tensor:
    """The mean w of each class, [max(1, classes), w_dim]."""
    classes = generator.config.num_classes
    count = max(64, min(2048, 65_536 // max(1, classes)))
    z = torch.randn(count, generator.config.z_dim, generator=torch.Generator().manual_seed(1)).to(device)
    if not classes:
        return generator.mapping(z).mean(dim=0, keepdim=True)
    labels = (torch.full((count,), label, device=device) for label in range(classes))
    return torch.stack([generator.mapping(z, label).mean(dim=0) for label in labels])


def model_info(
    run: Run, dataset: Dataset, config: TrainConfig, model: ModelConfig, counters: Counters, row: dict[str, float]
) -> ModelInfo:
    """``model.json`` of the network as of the tick that ``row`` is of."""
    training = {
        "kimg": counters.kimg,
        "minutes": round(counters.seconds / 60, 1),
        "device": config.device,
        "objective": config.objective,
        "batch": config.batch,
    }
    about = {"name": dataset.name, "pictures": len(dataset), "fingerprint": dataset.fingerprint}
    return ModelInfo(
        config=model, title=run.name, class_names=list(dataset.class_names), training=training,
        metrics={key: row[key] for key in METRICS if key in row}, dataset=about,
    )  # fmt: skip
