"""What the pip peers need on a machine without CUDA: they refuse to be imported there, and compute on "cuda" by name.

Nothing of theirs is changed: they are told once, during import, that there is a GPU, and what they then ask of
it is done by the processor. On a machine with CUDA nothing is bypassed.
"""

from __future__ import annotations

import random
import sys
import types
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.overrides import TorchFunctionMode


def describe(png: Path) -> tuple[int, bool]:
    """Side of the pictures in this folder, and whether they have alpha."""
    with Image.open(next(png.glob("*.png"))) as first:
        return first.width, first.mode == "RGBA"


@contextmanager
def imports() -> Iterator[None]:
    """Inside, an assertion that there is CUDA holds; ``aim``, a logger, need not be installed."""
    sys.modules.setdefault("aim", types.ModuleType("aim"))  # stylegan2-pytorch imports it, and uses it only when asked
    there_is = torch.cuda.is_available
    torch.cuda.is_available = lambda: True
    try:
        yield
    finally:
        torch.cuda.is_available = there_is


class OnProcessor(TorchFunctionMode):
    """``.cuda()`` gives the tensor itself; ``device="cuda:0"`` and ``device=0`` mean the processor."""

    def __torch_function__(self, func: Any, types: Any, args: tuple = (), kwargs: dict | None = None) -> Any:
        kwargs = dict(kwargs or {})
        if func is Tensor.cuda:
            return args[0]
        device = kwargs.get("device")
        if isinstance(device, int) or (device is not None and torch.device(device).type == "cuda"):
            kwargs["device"] = torch.device("cpu")
        return func(*args, **kwargs)


def prepare(threads: int, seed: int) -> None:
    """Threads, seeds, and the processor in the GPU's place where there is none."""
    torch.set_num_threads(threads)
    torch.manual_seed(seed)
    np.random.seed(seed)
    random.seed(seed)
    if not torch.cuda.is_available():
        OnProcessor().__enter__()  # for the rest of the process


def patiently(train: Callable[[], None], trouble: type[Exception], tries: int = 3) -> None:
    """One step, tried again where a NaN turned up, as the peers' command lines do."""
    for left in reversed(range(tries)):
        try:
            return train()
        except trouble:
            if not left:
                raise


def pictures(images: Tensor) -> np.ndarray:
    """Float [N, C, H, W] in [0, 1] -> uint8 [N, H, W, C], rounded as the peers' own grids are."""
    return (images.clamp(0, 1) * 255 + 0.5).byte().permute(0, 2, 3, 1).contiguous().cpu().numpy()
