"""Find a model's directions: SeFa's, and one for each property its pictures vary in; calibrate and measure them all.

A property's direction comes from a linear model of the property: a ridge regression on w (as Shen et al. 2020,
InterFaceGAN, fit their boundaries), or its mean gradient through the network. What the models say of the other
properties is taken out, which is the conditional manipulation of InterFaceGAN, section 3.3, in whitened w; then what
pictures show it to change besides. Of such candidates, in all layers or a third of them, the purest is kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import torch
from torch import Tensor

from imagen_demo.latent.direction_files import default_name
from imagen_demo.latent.directions import Direction, Directions, Varied, principal_directions, sample_w
from imagen_demo.latent.measuring import BASES, Measurer, main_effect, purity_of
from imagen_demo.latent.properties import PROPERTIES, SAME, has_plain_border, measure
from imagen_demo.latent.sefa import sefa_directions
from imagen_demo.latent.space import PARTS, layer_range, one_thread
from imagen_demo.latent.whitening import Whitened, whiten, within_classes
from imagen_demo.models.folder import Model
from imagen_demo.progress import Progress, silent

LEAST_EXPLAINED = 0.1  # R^2 on pictures left aside; below it w does not tell the property
RIDGES = (3.0, 10.0, 30.0, 100.0, 300.0, 1000.0)
CANDIDATES = 3  # starts of the search for a property, each tried in every range of layers
ROUNDS = 2  # of SeFa's calibration
SLOPES = 32  # pictures whose gradients are taken
# Bounds of +1, so that +3 is still a picture: in typical distances of w from its mean, and, for properties, which go
# along the distribution of w, in its standard deviations; fine layers bear more.
LONGEST, LONGEST_OF_PROPERTY, FARTHEST, FARTHEST_FINE = 0.25, 0.5, 2.0, 4.0
LEAST_CHANGE = 0.15  # of a SeFa direction, as a share of a component's
LEAST_EFFECT, DECENT_EFFECT, LEAST_PURITY = 0.25, 0.5, 0.25  # of a property's direction


class Effort(NamedTuple):
    """How many pictures are drawn."""

    samples: int  # for the regressions
    bases: int  # that each direction is measured on
    searched: int  # of these, while looking for a property's
    steps: int  # of that search


def effort_for(resolution: int) -> Effort:
    """Less for larger pictures, which take longer."""
    if resolution <= 64:
        return Effort(1536, BASES, 16, 4)
    return Effort(1024, 32, 12, 3) if resolution <= 128 else Effort(512, 24, 8, 2)


def name_of(model: Model, id: str) -> tuple[str, str]:
    """What a direction found here is called by itself, in English and Chinese ("" where that is the same)."""
    if id in PROPERTIES:
        return PROPERTIES[id].name, PROPERTIES[id].name_zh
    named = {direction.id: (direction.name, direction.name_zh) for direction in sefa_directions(model.generator)}
    return named.get(id) or (default_name(id), "")


def discover(model: Model, known: Sequence[Direction] = (), progress: Progress = silent) -> Directions:
    """Everything that can be found without a person; less than a minute for a small model.

    Equal weights give equal directions on one kind of machine. ``known``: the principal components, where they are
    there already.

    Raises:
        Cancelled: from ``progress``.
    """
    components, sefa = list(known) or principal_directions(model), sefa_directions(model.generator)
    effort, ranges, drawn = effort_for(model.info.config.resolution), _ranges(model), 0
    one, few = 2 * effort.bases, 2 * effort.searched
    searched = len(ranges) * CANDIDATES * effort.steps * few + one
    drawings = len(components) * (one + few) + len(sefa) * (ROUNDS * few + one)
    total = effort.samples + drawings + len(PROPERTIES) * searched

    def notify(pictures: int) -> None:
        nonlocal drawn
        drawn += pictures
        progress(min(1.0, drawn / total), f"{min(drawn, total)} of {total} pictures measured")

    measurer = Measurer(model, notify, effort.bases)
    w, labels = sample_w(model, effort.samples, seed=2)
    varied, values = _properties(measurer, w, labels)
    total -= (len(PROPERTIES) - len(varied.spread)) * searched
    if not components:  # w never varies
        return Directions([], varied)
    white = whiten(w, labels)
    components = [_measured(measurer, direction, varied) for direction in components]
    change = sorted(measurer.try_out(direction, varied, effort.searched)[1] for direction in components)
    usual = change[len(change) // 2]
    factors = [_calibrated(measurer, direction, varied, usual, white.typical, effort) for direction in sefa]
    search = _Search(measurer, varied, white, ranges, effort)
    named = [found for name in _explained(white, values, search) if (found := search.best(name))]
    progress(1.0, f"{total} of {total} pictures measured")
    return Directions([*components, *named, *(direction for direction in factors if direction)], varied)


def _ranges(model: Model) -> tuple[str, ...]:
    return ("", *PARTS) if model.generator.num_ws >= 3 else ("",)


def _properties(measurer: Measurer, w: Tensor, labels: Tensor) -> tuple[Varied, dict[str, Tensor]]:
    """How the pictures of w vary, and each property's values, float64 [N], less its class's mean, of variance 1."""
    pictures = measurer.draw(measurer.all_layers(w)).cpu()
    plain = has_plain_border(pictures)
    with one_thread():
        table = measure(pictures, plain)
        values = {name: within_classes(value.double(), labels.cpu()) for name, value in table.items()}
    spread = {name: float(value.std()) for name, value in values.items()}
    spread = {name: std for name, std in spread.items() if std >= PROPERTIES[name].least}
    return Varied(plain, spread), {name: values[name] / std for name, std in spread.items()}


def _measured(measurer: Measurer, direction: Direction, varied: Varied, main: str | None = None) -> Direction:
    effects, _ = measurer.try_out(direction, varied)
    return replace(direction, effects=effects, purity=purity_of(effects, main))


def _calibrated(
    measurer: Measurer, direction: Direction, varied: Varied, wanted: float, typical: float, effort: Effort
) -> Direction | None:
    """So that +1 changes a picture as much as ``wanted``, and + is more of what changes most; None if it hardly can."""
    change = 0.0
    direction = replace(direction, scale=typical / 4)
    for _ in range(ROUNDS):
        _, change = measurer.try_out(direction, varied, effort.searched)
        direction = replace(direction, scale=_clipped(direction.scale, wanted, change, LONGEST * typical))
    if change < LEAST_CHANGE * wanted:
        return None
    direction = _measured(measurer, direction, varied)
    return _turned(direction) if direction.effects.get(main_effect(direction.effects) or "", 0) < 0 else direction


def _clipped(scale: float, wanted: float, found: float, most: float) -> float:
    """The next scale to try: what is found grows about as the scale does."""
    return min(most, scale * max(0.2, min(5.0, wanted / max(found, 1e-9))))


def _turned(direction: Direction) -> Direction:
    effects = {name: -effect for name, effect in direction.effects.items()}
    return replace(direction, vector=-direction.vector, effects=effects)


def _explained(white: Whitened, values: dict[str, Tensor], search: _Search) -> list[str]:
    """The properties that w tells, in order; their regressions go into ``search``."""
    for name, value in values.items():
        explained, weights = ridge(white.x, value)
        if explained >= LEAST_EXPLAINED:
            search.weights[name] = weights
    return list(search.weights)


def ridge(x: Tensor, y: Tensor) -> tuple[float, Tensor]:
    """R^2 on a quarter left aside, and the weights [K] of y [N] on x [N, K], with the best penalty of RIDGES."""
    cut = len(x) * 3 // 4
    with one_thread():

        def fit(rows: slice, penalty: float) -> Tensor:
            part = x[rows]
            return torch.linalg.solve(part.T @ part + penalty * torch.eye(x.shape[1]).to(x), part.T @ y[rows])

        scores = []
        for penalty in RIDGES:
            rest = y[cut:] - x[cut:] @ fit(slice(cut), penalty)
            scores.append(1 - float(rest.square().mean() / y[cut:].var().clamp(min=1e-12)))
        best = max(range(len(RIDGES)), key=scores.__getitem__)
        return scores[best], fit(slice(None), RIDGES[best])


class _Search:
    """The purest direction of each property."""

    def __init__(
        self, measurer: Measurer, varied: Varied, white: Whitened, ranges: Sequence[str], effort: Effort
    ) -> None:
        self.weights: dict[str, Tensor] = {}  # of the regressions, [K] each, in whitened w
        self._measurer, self._varied, self._white, self._ranges = measurer, varied, white, ranges
        self._effort = effort
        self._slopes: dict[str, dict[str, Tensor]] = {}  # by range of layers

    def best(self, name: str) -> Direction | None:
        """+1 is one standard deviation of the property, or as much as a step of decent length gives.

        None where no direction changes the property much, or none without changing others far more.
        """
        tried = [d for part in self._ranges for x in self._candidates(name, part) for d in self._tried(name, x, part)]
        strong = [direction for direction in tried if direction.effects[name] >= DECENT_EFFECT]
        best = max(strong or tried, key=lambda d: (d.purity or 0) * min(1.0, d.effects[name]))
        best = _measured(self._measurer, best, self._varied, name)
        return best if best.effects[name] >= LEAST_EFFECT and (best.purity or 0) >= LEAST_PURITY else None

    def _candidates(self, name: str, part: str) -> list[Tensor]:
        """Steps in whitened w, [K] each; CANDIDATES of them."""
        others = [key for key in self.weights if SAME.get(key, key) != SAME.get(name, name)]
        free = [alone(rows[name], [rows[key] for key in others]) for rows in (self.weights, self.slopes(part))]
        return [self.weights[name], *free]

    def slopes(self, part: str) -> dict[str, Tensor]:
        """How fast each property grows as whitened w moves in these layers, the mean over some pictures: [K] each."""
        if part not in self._slopes:
            reach = layer_range(part, self._measurer.model.generator.num_ws)
            gradients = self._measurer.gradients(self._varied, SLOPES)
            self._slopes[part] = {
                name: self._white.deviations * (self._white.axes @ gradient[reach.start : reach.stop].sum(dim=0))
                for name, gradient in gradients.items()
            }
        return self._slopes[part]

    def _tried(self, name: str, x: Tensor, part: str) -> list[Direction]:
        """The directions on the way from ``x``: each step takes out what the last one was seen to change besides."""
        names = [key for key in self.weights if key == name or SAME.get(key, key) != SAME.get(name, name)]
        slopes = torch.stack([self.slopes(part)[key] for key in names])
        inverse = torch.linalg.pinv(slopes, rtol=0.05)  # [K, properties]: the shortest step for a wanted change
        wanted = torch.tensor([float(key == name) for key in names], dtype=torch.float64)
        x, tried = x / max(float(slopes[names.index(name)] @ x), 1e-9), []
        for _ in range(self._effort.steps):
            direction = self._direction(name, x, part)
            effects, _ = self._measurer.try_out(direction, self._varied, self._effort.searched)
            tried.append(replace(direction, effects=effects, purity=purity_of(effects, name)))
            x = self._within(x, part)
            x = x + 0.7 * inverse @ (wanted - torch.tensor([effects[key] for key in names], dtype=torch.float64))
        return tried

    def _within(self, x: Tensor, part: str) -> Tensor:
        """No longer than a step may be."""
        most = FARTHEST_FINE if part == "fine" else FARTHEST
        farthest = min(most / float(x.norm()), LONGEST_OF_PROPERTY * self._white.typical / self._length(x))
        return x * min(1.0, farthest)

    def _length(self, x: Tensor) -> float:
        return float(self._white.outwards(x).norm())

    def _direction(self, name: str, x: Tensor, part: str) -> Direction:
        about, x = PROPERTIES[name], self._within(x, part)
        step, length = self._white.outwards(x), self._length(x)
        vector = (step / length).float().to(self._measurer.bases.device)
        return Direction(name, "property", about.name, vector, length, about.name_zh, part)


def alone(row: Tensor, others: Sequence[Tensor]) -> Tensor:
    """``row`` [K] less its part in the span of ``others``: what they predict stays as it is."""
    if not others:
        return row
    basis = torch.linalg.qr(torch.stack(list(others), dim=1)).Q
    return row - basis @ (basis.T @ row)
