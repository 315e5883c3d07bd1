"""The steps since the last tick, and the line of ``metrics.jsonl`` they make."""

from __future__ import annotations

import time

import psutil
import torch

from imagen_demo.training.distributed import Team
from imagen_demo.training.state import State
from imagen_demo.training.step import StepResult

# key in metrics.jsonl -> field of StepResult
MEANS = {
    "loss_g": "loss_g", "loss_d": "loss_d", "logits_real": "real", "logits_fake": "fake",
    "grad_norm_g": "grad_norm_g", "grad_norm_d": "grad_norm_d",
}  # fmt: skip
PENALTIES = ("r1", "r2")


class Window:
    """Collects what the steps of one tick said."""

    def __init__(self) -> None:
        self.results: list[StepResult] = []
        self._penalties: dict[str, float] = {}  # as last taken
        self.restart(0)

    def restart(self, images: int) -> None:
        """Forget the steps and begin to count the time; ``images`` were seen before."""
        self.results.clear()
        self._started, self._images = time.monotonic(), images

    def add(self, result: StepResult) -> None:
        self.results.append(result)

    def row(self, state: State, team: Team, device: torch.device) -> dict[str, float]:
        """Means over the steps and over all processes; the next window begins."""
        counters = state.counters
        speed = (counters.images - self._images) / max(1e-9, time.monotonic() - self._started)
        found = {key: [getattr(r, name).mean() for r in self.results] for key, name in MEANS.items()}
        taken = {name: [getattr(r, name) for r in self.results] for name in PENALTIES}
        found |= {name: [value for value in values if value is not None] for name, values in taken.items()}
        found = {key: values for key, values in found.items() if values}
        means = team.mean(torch.stack([torch.stack(values).mean() for values in found.values()])).tolist()
        row = dict(zip(found, means, strict=True))
        self._penalties |= {name: row[name] for name in PENALTIES if name in row}  # between penalties the last stands
        self.restart(counters.images)
        return {
            "kimg": counters.kimg,
            "seconds": counters.seconds,
            "images_per_second": speed,
            **row,
            **self._penalties,
            "augment_p": state.controller.p,
            "overfitting": state.controller.overfitting,
            "memory_bytes": float(memory_bytes(device)),
        }


def memory_bytes(device: torch.device) -> int:
    """The most of the GPU's memory so far, or what this process holds now."""
    if device.type == "cuda":
        return torch.cuda.max_memory_reserved(device)
    return psutil.Process().memory_info().rss
