"""Closed-form factorisation of the style weights (SeFa: Shen & Zhou 2021, "Closed-Form Factorization of Latent
Semantics in GANs", eq. 5 to 8)."""

from __future__ import annotations

import torch
from torch import Tensor

from imagen_demo.latent.directions import Direction, with_sign
from imagen_demo.latent.space import PARTS, layer_range, one_thread
from imagen_demo.models.mlp import MlpGenerator
from imagen_demo.models.registry import Generator

# Id's prefix for each range of layers, its names, and how many directions of it.
RANGES: dict[str, tuple[str, str, str, int]] = {
    "": ("sf", "SeFa", "SeFa", 6),
    "coarse": ("sfc", "SeFa coarse", "SeFa 粗", 4),
    "middle": ("sfm", "SeFa middle", "SeFa 中", 4),
    "fine": ("sff", "SeFa fine", "SeFa 细", 4),
}


def style_weights(generator: Generator) -> list[Tensor]:
    """For each layer that takes a w: A [channels, w_dim], the weights that turn w into the layer's styles."""
    if isinstance(generator, MlpGenerator):  # its w goes through one plain layer
        return [generator.second.weight]

    def weights(*convolutions: object) -> Tensor:
        return torch.cat([conv.style.weight * conv.style.scale for conv in convolutions])

    layers = [weights(generator.conv, generator.to_picture)]
    for block in generator.blocks:
        layers += [weights(block.conv0), weights(block.conv1, block.to_picture)]
    return layers


@torch.inference_mode()
def factorise(weights: list[Tensor], count: int) -> Tensor:
    """Unit vectors [count, w_dim]: those that change the styles of these layers most, || A n ||, most first.

    They are the eigenvectors of A^T A with the greatest eigenvalues.
    """
    stacked = torch.cat(weights).double().cpu()
    with one_thread():
        _, vectors = torch.linalg.eigh(stacked.T @ stacked)
    return with_sign(vectors.T.flip(0)[:count]).float()


def sefa_directions(generator: Generator) -> list[Direction]:
    """Of all layers, and of the coarse, middle and fine ones; not yet calibrated."""
    layers = style_weights(generator)
    found = []
    for part, (prefix, name, name_zh, count) in RANGES.items():
        if part in PARTS and len(layers) < 3:
            continue
        reach = layer_range(part, len(layers))
        for index, vector in enumerate(factorise(layers[reach.start : reach.stop], count)):
            vector = vector.to(layers[0].device)
            names = (f"{name} {index + 1}", f"{name_zh} {index + 1}")
            found.append(Direction(f"{prefix}{index}", "sefa", names[0], vector, 1.0, names[1], part))
    return found
