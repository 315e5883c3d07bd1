"""Begin with what another network knows, also at another resolution and with other classes.

Every weight that has a counterpart of the same shape is taken over. Counterparts are found by the resolution a
block works at. What cannot be taken over is made so that it changes the pictures as little as possible at first:
a new finer block begins by adding nothing, a new class begins as the mean of all, transparency as none.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from imagen_demo.config import ModelConfig
from imagen_demo.models.layers import second_moment_norm
from imagen_demo.models.registry import Discriminator, Generator
from imagen_demo.models.style import StyleDiscriminator, StyleGenerator, levels

Weights = Mapping[str, Tensor]
FIRST_LAYER = "mapping_network.layers.0"


@torch.no_grad()
def transfer_generator(
    child: Generator, parent: Weights, config: ModelConfig, names: Sequence[str] = (), own_names: Sequence[str] = ()
) -> float:
    """Fill ``child`` from the weights of a generator of ``config``; returns the share of its values taken over, 0 to 1.

    ``names`` are the parent's classes and ``own_names`` the child's: classes of the same name keep what they know.
    """
    taken = _fitting(child, parent)
    if isinstance(child, StyleGenerator) and config.arch == "style":
        finer = child.blocks[len(levels(config)) :]
        for block in finer:  # the pictures begin as the parent's, enlarged
            block.to_picture.weight.zero_()
        if "noise" in parent and child.noise_size:  # from coarse to fine: one is the beginning of the other
            shared = parent["noise"][:, : child.noise_size]
            taken["noise"] = torch.cat([shared, child.noise[:, shared.shape[1] :]], dim=1)
        if config.channels != child.config.channels:
            taken |= _painting(child, parent)
        taken |= _mapping(child, parent, config, names, own_names)
    return _load(child, taken)


@torch.no_grad()
def transfer_discriminator(
    child: Discriminator, parent: Weights, config: ModelConfig, names: Sequence[str] = (), own_names: Sequence[str] = ()
) -> float:
    """The same for a discriminator. Its blocks begin with the finest, so they are counted from the end."""
    if isinstance(child, StyleDiscriminator) and config.arch == "style":
        shift = len(child.blocks) - len(levels(config))
        parent = {re.sub(r"^blocks\.(\d+)", lambda m: f"blocks.{int(m[1]) + shift}", k): v for k, v in parent.items()}
    taken = _fitting(child, parent)
    if isinstance(child, StyleDiscriminator) and config.arch == "style" and config.channels != child.config.channels:
        taken |= _seeing(child, parent)
    embed = getattr(child, "embed", None)
    if embed is not None and "embed.weight" in parent:
        taken["embed.weight"] = _classes(embed.weight, parent["embed.weight"], names, own_names)
    return _load(child, taken)


def _fitting(child: nn.Module, parent: Weights) -> dict[str, Tensor]:
    own = child.state_dict()
    return {key: value for key, value in parent.items() if key in own and own[key].shape == value.shape}


def _load(child: nn.Module, taken: Weights) -> float:
    own = child.state_dict()
    child.load_state_dict(own | dict(taken))
    return sum(value.numel() for value in taken.values()) / sum(value.numel() for value in own.values())


def _painting(child: StyleGenerator, parent: Weights) -> dict[str, Tensor]:
    """The layers that paint: what both have of red, green, blue, alpha; alpha that the parent had not is all solid."""
    taken = {}
    for key, own in child.state_dict().items():
        if re.search(r"to_picture\.(weight|bias)$", key) and key in parent and own.shape[1:] == parent[key].shape[1:]:
            shared = parent[key][: len(own)]
            taken[key] = torch.cat([shared, torch.zeros_like(own[len(shared) :])])
            if key == "to_picture.bias":  # every finer block adds to what the first one paints
                taken[key][len(shared) :] = 1
    return taken


def _seeing(child: StyleDiscriminator, parent: Weights) -> dict[str, Tensor]:
    """The layer that looks at the picture: new alpha means nothing yet; alpha that is no more was all solid."""
    own, weight, bias = child.from_picture, parent["from_picture.weight"], parent["from_picture.bias"]
    if len(own.weight) != len(weight):
        return {}
    inputs, before = own.weight.shape[1], weight.shape[1]
    # With other inputs the layer scales its weights by another 1 / sqrt(inputs): undone here.
    shared = weight[:, :inputs] * math.sqrt(inputs / before)
    solid = weight[:, inputs:].sum(dim=(1, 2, 3)) * own.scale * math.sqrt(inputs / before)
    whole = torch.cat([shared, torch.zeros_like(own.weight[:, before:])], dim=1)
    return {"from_picture.weight": whole, "from_picture.bias": bias + solid}


def _classes(own: Tensor, parent: Tensor, names: Sequence[str], own_names: Sequence[str]) -> Tensor:
    """Rows [K, F] for the child's classes: the parent's of the same name, else their mean.

    Kinds have no names and go by number, which says little, but keeps them apart.
    """
    if parent.shape == own.shape and not names and not own_names:
        return parent
    rows = parent.mean(dim=0).expand_as(own).clone()
    for row, name in enumerate(own_names):
        if name in names:
            rows[row] = parent[list(names).index(name)]
    return rows


def _mapping(
    child: StyleGenerator, parent: Weights, config: ModelConfig, names: Sequence[str], own_names: Sequence[str]
) -> dict[str, Tensor]:
    """The mapping's first layer sees z and, where there are classes, a class beside it: z's part is kept."""
    embed, first = child.mapping_network.embed, child.mapping_network.layers[0]
    weight, bias = parent.get(f"{FIRST_LAYER}.weight"), parent.get(f"{FIRST_LAYER}.bias")
    if weight is None or bias is None or len(weight) != len(first.weight) or config.z_dim != child.config.z_dim:
        return {}
    rows = parent.get("mapping_network.embed.weight")
    if (embed is None) == (rows is None):
        return {} if embed is None else {"mapping_network.embed.weight": _classes(embed.weight, rows, names, own_names)}
    # With twice or half the inputs the layer scales its weights by 1 / sqrt(2) or sqrt(2): undone here.
    z_part = weight[:, : config.z_dim]
    if rows is None:  # no class changes anything yet
        whole = torch.cat([z_part * math.sqrt(2), torch.zeros_like(z_part)], dim=1)
        return {f"{FIRST_LAYER}.weight": whole, f"{FIRST_LAYER}.bias": bias}
    mean = second_moment_norm(rows).mean(dim=0)  # from now on every picture is of the mean class
    constant = (weight[:, config.z_dim :] @ mean) * first.scale / math.sqrt(2) / first.rate
    return {f"{FIRST_LAYER}.weight": z_part / math.sqrt(2), f"{FIRST_LAYER}.bias": bias + constant}
