"""What a direction does to pictures: how much they change, and which of their measured properties."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from imagen_demo.config import DEFAULT_PSI
from imagen_demo.latent import properties
from imagen_demo.latent.directions import Direction, Varied, sample_w
from imagen_demo.latent.space import layer_range, one_thread, truncate
from imagen_demo.models.folder import Model

BATCH = 16  # pictures in one call: a fixed number, for the same rounding every time
SIDE = 64  # pixels that are measured; larger pictures are averaged down to them
COARSE = 32  # pixels at which change is felt
BASES = 48  # pictures on which a direction is tried, of a small model
MAX_EFFECT = 99.0


class Measurer:
    """Draws a model's pictures small, and measures them; one thread, always in the same way."""

    def __init__(self, model: Model, notify: Callable[[int], None] = lambda pictures: None, bases: int = BASES) -> None:
        """``bases``: pictures to try directions on; ``notify`` is told of every few pictures drawn, and may raise."""
        self.model, self._notify = model, notify
        w, labels = sample_w(model, bases, seed=1)
        with torch.inference_mode(False):  # gradients are taken at copies of them
            self.bases = truncate(w.clone(), model.w_avg[labels], DEFAULT_PSI)

    @torch.inference_mode()
    def draw(self, ws: Tensor) -> Tensor:
        """ws [N, num_ws, w_dim] -> [N, C, h, h] from 0 to 1, h at most :data:`SIDE`, premultiplied."""
        parts = []
        for start in range(0, len(ws), BATCH):
            batch = ws[start : start + BATCH]
            with one_thread():
                parts.append(self._small(batch))
            self._notify(len(batch))
        return torch.cat(parts)

    def _small(self, ws: Tensor) -> Tensor:
        pictures = (self.model.generator.synthesis(ws).float().clamp(-1, 1) + 1) / 2
        return torch.nn.functional.avg_pool2d(pictures, max(1, pictures.shape[-1] // SIDE))

    def all_layers(self, w: Tensor) -> Tensor:
        """[N, w_dim] -> [N, num_ws, w_dim]."""
        return w.unsqueeze(1).repeat(1, self.model.generator.num_ws, 1)

    @torch.inference_mode()
    def try_out(self, direction: Direction, varied: Varied, bases: int | None = None) -> tuple[dict[str, float], float]:
        """The effects of +1, and how much it changes a picture: root mean square of all values, 0 to 1.

        Half the difference between -1 and +1, the mean over the first ``bases`` pictures, or all.
        """
        ws = self.all_layers(self.bases[:bases])
        reach = layer_range(direction.layers, ws.shape[1])
        step = torch.zeros_like(ws[:1])
        step[:, reach.start : reach.stop] = direction.scale * direction.vector
        more, less = self.draw(ws + step), self.draw(ws - step)
        with one_thread():
            found, before = (properties.measure(pictures, varied.plain) for pictures in (more, less))
            effects = {
                name: _bounded(float((found[name] - before[name]).mean()) / 2 / spread)
                for name, spread in varied.spread.items()
            }
            pool = max(1, more.shape[-1] // COARSE)
            difference = torch.nn.functional.avg_pool2d(more - less, pool) / 2
            change = float(difference.square().mean(dim=(1, 2, 3)).sqrt().mean())
        return effects, change

    def gradients(self, varied: Varied, bases: int) -> dict[str, Tensor]:
        """By property float64 [num_ws, w_dim]: how many of its standard deviations a unit of w gives in each layer."""
        total: dict[str, Tensor] = {}
        bases = min(bases, len(self.bases))
        for start in range(0, bases, BATCH):
            ws = self.all_layers(self.bases[start : min(start + BATCH, bases)]).requires_grad_()
            with torch.enable_grad(), one_thread():
                found = properties.measure(self._small(ws), varied.plain)
                for name, spread in varied.spread.items():
                    (gradient,) = torch.autograd.grad(found[name].sum() / spread, ws, retain_graph=True)
                    gradient = gradient.nan_to_num(0, 0, 0).sum(dim=0).double().cpu() / bases
                    total[name] = total.get(name, 0) + gradient
            self._notify(len(ws))
        return total


def _bounded(value: float) -> float:
    return max(-MAX_EFFECT, min(MAX_EFFECT, value)) if math.isfinite(value) else 0.0


def purity_of(effects: dict[str, float], main: str | None = None) -> float | None:
    """The share of one effect, the greatest by default, in all: 1 changes nothing else. None without effects.

    Properties that can hardly be had apart (:data:`properties.SAME`) count once.
    """
    strength: dict[str, float] = {}
    for name, effect in effects.items():
        group = properties.SAME.get(name, name)
        strength[group] = max(strength.get(group, 0.0), abs(effect))
    total = sum(strength.values())
    if not total:
        return None
    return (strength[properties.SAME.get(main, main)] if main else max(strength.values())) / total


def main_effect(effects: dict[str, float]) -> str | None:
    """The property that changes most."""
    return max(effects, key=lambda name: abs(effects[name]), default=None)
