"""The metric network: pictures in, the features out of which FID, KID, precision and recall are computed.

The network is Inception v3 in the TorchScript file of StyleGAN2-ADA; the figures of StyleGAN3 and R3GAN come from the
same weights, so numbers can be compared. It is never downloaded: someone puts it there (docs/metrics.md says where
from, and how far such a file is to be trusted).
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import warnings
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from imagen_demo import storage
from imagen_demo.data.dataset import Dataset
from imagen_demo.errors import UserError
from imagen_demo.progress import Progress, silent

FILE = "inception-2015-12-05.pt"
VARIABLE = "IMAGEN_DEMO_INCEPTION"
BACKDROP = 128  # grey that shows through where a picture is transparent
BATCH = 50


def place(root: Path) -> Path:
    """Where the network is looked for: the variable's path, else ``metrics/`` in the workspace ``root``."""
    named = os.environ.get(VARIABLE)
    return Path(named) if named else Path(root) / "metrics" / FILE


def at_hand(root: Path) -> bool:
    """Whether FID and its kin can be measured in the workspace ``root``."""
    return place(root).is_file()


class MetricNetwork:
    """The network, loaded from the file at :func:`place`. ``hash`` is the file's SHA-256.

    Raises:
        UserError: there is no such file (the sentence says where to put it), or it is none that can be used.
    """

    def __init__(self, root: Path, device: str | torch.device = "cpu") -> None:
        file = place(root)
        if not file.is_file():
            raise UserError(
                "FID, KID, precision and recall need the network file {name}, which the program never downloads. "
                "Put it at {place}, or name its place in {variable}; docs/metrics.md says more.",
                name=FILE, place=file, variable=VARIABLE,
            )  # fmt: skip
        self.device = torch.device(device)
        self.hash = _sha256(file)
        try:
            self._network = _load(file, self.device)
            self.size = self(np.zeros((1, 32, 32, 3), np.uint8)).shape[1]
        except (RuntimeError, ValueError, TypeError, IndexError, AttributeError):
            raise UserError(
                "{file} is not a network that pictures can be measured with; {name} as a TorchScript file is needed.",
                file=file, name=FILE,
            ) from None  # fmt: skip

    @torch.inference_mode()
    def __call__(self, pictures: np.ndarray) -> Tensor:
        """uint8 [N, H, W, 3 or 4] -> float32 [N, size] on the CPU; any N."""
        parts = []
        for start in range(0, len(pictures), BATCH):
            part = torch.from_numpy(opaque(np.array(pictures[start : start + BATCH]))).to(self.device)
            parts.append(self._network(part.permute(0, 3, 1, 2), return_features=True).float().cpu())
        return torch.cat(parts)


def _sha256(file: Path) -> str:
    with open(file, "rb") as data:
        return hashlib.file_digest(data, "sha256").hexdigest()


def _load(file: Path, device: torch.device) -> torch.jit.ScriptModule:
    """The only use of TorchScript: this is how the network is published, and safetensors cannot hold a program."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "`torch.jit.load` is deprecated", DeprecationWarning)
        return torch.jit.load(str(file), map_location=device).eval()


def opaque(pictures: np.ndarray) -> np.ndarray:
    """uint8 [N, H, W, 3 or 4] -> [N, H, W, 3]: transparent pictures are laid onto mid grey."""
    if pictures.shape[3] == 3:
        return pictures
    alpha = pictures[..., 3:].astype(np.float32) / 255
    return np.round(pictures[..., :3] * alpha + BACKDROP * (1 - alpha)).astype(np.uint8)


def cached_count(dataset: Dataset, network: MetricNetwork) -> int:
    """How many of the dataset's pictures need not be looked at again."""
    return len(_cached(dataset, network))


def real_features(dataset: Dataset, network: MetricNetwork, count: int, progress: Progress = silent) -> Tensor:
    """Features of the first ``count`` pictures of a fixed random order, float32 [count, size].

    What was computed is kept in the dataset's folder, also when ``progress`` cancels, and is used again as long as
    pictures and network are the same.
    """
    order = np.random.default_rng(0).permutation(len(dataset))[:count]
    known = _cached(dataset, network)
    parts, done = [known], len(known)
    try:
        while done < len(order):
            progress(done / len(order), f"{done} of {len(order)} pictures of {dataset.name} measured")
            parts.append(network(dataset.images[order[done : done + BATCH]]))
            done += len(parts[-1])
    finally:
        if len(parts) > 1:
            _keep(dataset, network, torch.cat(parts))
    return torch.cat(parts)[: len(order)]


def _cache(dataset: Dataset, network: MetricNetwork) -> Path:
    return dataset.path / f"features-{network.hash[:16]}.safetensors"


def _cached(dataset: Dataset, network: MetricNetwork) -> Tensor:
    """[N, size], N = 0 where nothing is known."""
    with contextlib.suppress(OSError, SafetensorError), safe_open(_cache(dataset, network), "pt") as file:
        if (file.metadata() or {}).get("fingerprint") == dataset.fingerprint:
            return file.get_tensor("features")
    return torch.empty(0, network.size)


def _keep(dataset: Dataset, network: MetricNetwork, features: Tensor) -> None:
    with contextlib.suppress(OSError):  # where the dataset cannot be written to, it is computed anew each time
        about = {"fingerprint": dataset.fingerprint, "network": network.hash}
        storage.write_bytes(_cache(dataset, network), save({"features": features.contiguous()}, about))
