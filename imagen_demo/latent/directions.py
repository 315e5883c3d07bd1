"""Directions worth a slider, and the principal components of w (GANSpace, Härkönen et al. 2020) among them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from imagen_demo.errors import UserError
from imagen_demo.latent.space import layer_range, one_thread
from imagen_demo.latent.whitening import within_classes
from imagen_demo.models.folder import Model

MAX_DIRECTIONS = 64  # that one recipe may use
KINDS = ("pc", "property", "sefa", "examples")  # in slider order
COMPONENTS = 12  # principal components that get a slider


@dataclass
class Direction:
    """One direction in w. Amount a adds a * scale * vector to w in the layers of ``layers``.

    ``vector`` float32 [w_dim], a unit vector; ``scale`` what +1 is long, in units of w; ``layers`` the range
    it acts on by itself, as :func:`~imagen_demo.latent.space.layer_range` reads it. ``effects``: what +1
    changes, ``{property: standard deviations of that property}``; ``purity`` the share of the greatest
    effect in all, 0 to 1; None where it has not been measured.
    """

    id: str
    kind: str
    name: str
    vector: Tensor
    scale: float
    name_zh: str = ""
    layers: str = ""
    effects: dict[str, float] = field(default_factory=dict)
    purity: float | None = None
    hidden: bool = False

    def title(self, chinese: bool = False) -> str:
        return (self.name_zh if chinese else "") or self.name


@dataclass(frozen=True)
class Varied:
    """How a model's pictures vary: the properties they vary in, each with its standard deviation."""

    plain: bool  # see properties.has_plain_border
    spread: dict[str, float]


class Directions:
    """The directions of one model, in slider order: by kind, then as they were found.

    ``varied`` is known once everything has been found.
    """

    def __init__(self, found: Iterable[Direction], varied: Varied | None = None) -> None:
        """Of several with one id the last is taken, in the first one's place."""
        self.varied = varied
        self._by_id: dict[str, Direction] = {}
        for direction in sorted(found, key=lambda direction: KINDS.index(direction.kind)):
            self._by_id[direction.id] = direction

    def __iter__(self) -> Iterator[Direction]:
        return iter(self._by_id.values())

    def __len__(self) -> int:
        return len(self._by_id)

    def __contains__(self, id: str) -> bool:
        return id in self._by_id

    def get(self, id: str) -> Direction:
        """The direction of that id.

        Raises:
            UserError: there is none.
        """
        if id not in self._by_id:
            raise UserError(
                "This model has no direction {id}: have its directions found or, if someone else made it, "
                "import their file.", id=id,
            )  # fmt: skip
        return self._by_id[id]

    def of_kind(self, kind: str) -> list[Direction]:
        return [direction for direction in self if direction.kind == kind]

    def offset(self, amounts: Sequence[tuple[str, float, str]], num_ws: int) -> Tensor:
        """What ``(id, amount, layers)``, at least one, add to w: float32 [1, num_ws, w_dim].

        ``layers`` "" is the direction's own.

        Raises:
            UserError: there is no such direction, or no such layer.
        """
        chosen = [(self.get(id), amount, layers) for id, amount, layers in amounts]
        like = chosen[0][0].vector
        total = torch.zeros(1, num_ws, len(like), device=like.device)
        for direction, amount, layers in chosen:
            reach = layer_range(layers or direction.layers, num_ws)
            # Multiplied in float32 from the start, as every earlier version did: the same bytes.
            total[:, reach.start : reach.stop] += amount * torch.tensor(direction.scale).to(like) * direction.vector
        return total


def sample_w(model: Model, samples: int, seed: int, label: int | None = None) -> tuple[Tensor, Tensor]:
    """w float32 [samples, w_dim] of random z, and the class of each, int64 [samples] (of ``label``, or in turn)."""
    config, device = model.info.config, model.w_avg.device
    z = torch.from_numpy(np.random.RandomState(seed).randn(samples, config.z_dim)).float().to(device)
    labels = torch.arange(samples, device=device) % max(1, config.num_classes)
    if label is not None:
        labels = torch.full_like(labels, label)
    with torch.inference_mode(), one_thread():
        parts = [
            model.generator.mapping(z[at : at + 1000], labels[at : at + 1000] if config.num_classes else None)
            for at in range(0, samples, 1000)
        ]
    return torch.cat(parts), labels


def with_sign(vectors: Tensor) -> Tensor:
    """[K, w_dim] whose signs are free, eigenvectors: the largest entry made positive, to be the same every time."""
    return vectors * vectors.gather(1, vectors.abs().argmax(dim=1, keepdim=True)).sign()


@torch.inference_mode()
def principal_directions(
    model: Model, count: int = COMPONENTS, samples: int = 10_000, seed: int = 0
) -> list[Direction]:
    """The ``count`` axes along which w varies most, most first; +-1 is one standard deviation of w.

    With classes, w is centred class by class, so that the directions are those within a class.
    """
    w, labels = sample_w(model, samples, seed)
    with one_thread():
        w = within_classes(w.double().cpu(), labels.cpu())
        # The right singular vectors of w are the eigenvectors of its small covariance matrix.
        variances, vectors = torch.linalg.eigh(w.T @ w / samples)
    variances, vectors = variances.flip(0)[:count].clamp(min=0), vectors.T.flip(0)[:count]
    alive = variances > 1e-12 * variances[0].clamp(min=1e-30)
    variances, vectors = variances[alive], vectors[alive]
    vectors = with_sign(vectors).float().to(model.w_avg.device)
    scales = variances.sqrt().float().tolist()
    return [
        Direction(f"pc{index}", "pc", f"PC {index + 1}", vector, scale)
        for index, (vector, scale) in enumerate(zip(vectors, scales, strict=True))
    ]
