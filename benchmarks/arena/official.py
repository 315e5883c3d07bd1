"""What the official codes need to be measured from a checkout: equal network size, their CUDA operators off."""

from __future__ import annotations

import argparse
import importlib
import sys
import types
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from packaging.version import parse

from benchmarks.arena.clock import arguments
from imagen_demo.config import ModelConfig, TrainConfig
from imagen_demo.data.dataset import Dataset, open_dataset
from imagen_demo.data.pixels import to_network
from imagen_demo.training.schedule import pick_device, resolve

import torch  # isort: skip
from torch import Tensor, nn  # isort: skip


def parser() -> argparse.ArgumentParser:
    found = arguments()
    found.add_argument("--checkout", type=Path, required=True, help="folder of the official code")
    return found


def enter_checkout(folder: Path, proof: str) -> None:
    """Import from ``folder``, which must hold the file ``proof``; its compiled operators give way to plain ones."""
    if not (folder / proof).is_file():
        raise SystemExit(f"{folder} is not the right checkout: it has no {proof}.")
    sys.path.insert(0, str(folder.resolve()))
    _stand_in("requests")  # for downloads alone
    _stand_in("pkg_resources", parse_version=parse)  # gone from newer setuptools
    for name in ("bias_act", "upfirdn2d"):
        importlib.import_module(f"torch_utils.ops.{name}")._init = lambda: False


def _stand_in(name: str, **content: Any) -> None:
    """An empty module of this name, where it is not installed."""
    try:
        importlib.import_module(name)
    except ImportError:
        module = sys.modules[name] = types.ModuleType(name)
        vars(module).update(content)


@dataclass
class Same:
    """The data, and what this project would choose for them."""

    dataset: Dataset
    config: TrainConfig
    model: ModelConfig
    device: torch.device
    random: np.random.Generator

    def real(self) -> Tensor:
        """A batch [N, C, H, W] in [-1, 1]."""
        chosen = self.random.choice(len(self.dataset), self.config.batch, replace=False)
        pictures = torch.from_numpy(self.dataset.images[np.sort(chosen)])
        return to_network(pictures.to(self.device)).contiguous()

    def classes(self, count: int) -> Tensor:
        """One-hot [N, classes]; classes may be 0."""
        found = torch.zeros(count, self.model.num_classes, device=self.device)
        if self.model.num_classes:
            found[torch.arange(count), torch.from_numpy(self.random.integers(self.model.num_classes, size=count))] = 1
        return found


def same(options: argparse.Namespace) -> Same:
    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    np.random.seed(options.seed)
    dataset, device = open_dataset(options.dataset), pick_device("auto")
    config, model, _ = resolve(TrainConfig(seed=options.seed, threads=options.threads), dataset, device)
    torch.backends.cudnn.benchmark = True  # as their training loops set it
    return Same(dataset, config, model, device, np.random.default_rng(options.seed))


@torch.no_grad()
def average(ema: nn.Module, network: nn.Module, batch: int, half_life: float) -> None:
    """Their moving average of the weights, one tensor after another as they have it."""
    beta = 0.5 ** (batch / half_life)
    for mean, now in zip(ema.parameters(), network.parameters(), strict=True):
        mean.copy_(now.lerp(mean, beta))
    for mean, now in zip(ema.buffers(), network.buffers(), strict=True):
        mean.copy_(now)
