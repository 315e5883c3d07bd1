"""Coordinates in which the distribution of w is round: where "near" and "usual" mean the same in every direction."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from imagen_demo.latent.space import one_thread


@dataclass(frozen=True)
class Whitened:
    """w = its class's mean + axes^T (deviations * x). All float64."""

    axes: Tensor  # [K, w_dim], orthonormal
    deviations: Tensor  # [K]
    x: Tensor  # [N, K] of the samples, each column of variance 1

    @property
    def typical(self) -> float:
        """How far w usually is from its mean."""
        return float(self.deviations.square().sum().sqrt())

    def inwards(self, w: Tensor) -> Tensor:
        """Differences of w, [N, w_dim] -> x [N, K]."""
        return w.double().cpu() @ self.axes.T / self.deviations

    def outwards(self, x: Tensor) -> Tensor:
        """x [K] -> a difference of w, [w_dim]."""
        return (self.deviations * x) @ self.axes

    def spread(self, vector: Tensor) -> float:
        """The standard deviation of w along a unit vector [w_dim]."""
        return float((self.deviations * (self.axes @ vector.double().cpu())).norm())


def within_classes(values: Tensor, labels: Tensor) -> Tensor:
    """[N, ...] less the mean of each class."""
    values = values.clone()
    for label in labels.unique():
        values[labels == label] -= values[labels == label].mean(dim=0)
    return values


def whiten(w: Tensor, labels: Tensor) -> Whitened:
    """Of samples w [N, w_dim] and their classes [N], by the eigenvectors of their covariance within the classes."""
    with one_thread():
        w = within_classes(w.double().cpu(), labels.cpu())
        variances, axes = torch.linalg.eigh(w.T @ w / len(w))
        alive = variances > 1e-7 * variances.max().clamp(min=1e-30)
        deviations, axes = variances[alive].sqrt(), axes.T[alive]
        return Whitened(axes, deviations, w @ axes.T / deviations)
