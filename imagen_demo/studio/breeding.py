"""Breeding: children of pictures, as plain recipes, so that each has a link and can be exported.

The genes of a picture are its seeds (what the coarse layers are made of), its fine seeds with the layer they begin at,
its directions, and its class. A child takes them from two parents by one of two crossings, and mutates:

- *layers*: the coarse layers of one parent, the fine ones of the other, from a random layer on (style mixing);
- *blend*: both parents' seeds, each with a share of the weight.

A mutation blends in a seed that nobody in the family has, and moves the child along a few directions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from imagen_demo.errors import UserError
from imagen_demo.studio.checks import number
from imagen_demo.studio.recipes import Recipe

Pairs = tuple[tuple[int, float], ...]  # (seed, weight)

MOST_PARENTS = 9
MOST_SEEDS = 4  # of a child's coarse layers, and of its fine ones: the heaviest; keeps links short and pictures vivid
MOST_MOVES = 6  # directions of a child
LONE = 0.04  # least strength for a lone parent
NEW_SHARE = 0.6  # greatest weight of a new seed, at full strength
STEP = 1.5  # standard deviation of a move along a direction, at full strength
REACH = 3.0  # the farthest along a direction
MOST_PSI = 1.3
NEW_SEEDS = 100_000  # new seeds are below it: short numbers make short links


def first_litter(base: Recipe, seed: int, count: int = 9, classes: int = 0) -> list[Recipe]:
    """``count`` pictures nobody is a parent of: ``base`` with random seeds; in the classes in turn if it has none."""
    random = np.random.RandomState([seed, 2**31])
    seeds = random.randint(0, NEW_SEEDS, size=count)
    in_turn = classes and base.label is None and not base.class_mix
    return [
        replace(base, seeds=((int(s), 1.0),), label=i % classes if in_turn else base.label) for i, s in enumerate(seeds)
    ]


def litter(
    parents: Sequence[Recipe], seed: int, strength: float, num_ws: int, directions: Sequence[str] = (), count: int = 9
) -> list[Recipe]:
    """``count`` different children. Equal arguments give equal children.

    Args:
        strength: of mutations, 0 (only what the parents have) to 1. A lone parent's children differ by mutation
            alone: they get its square root, and a little of it in any case.
        num_ws: layers of the model.
        directions: ids a mutation may move along.

    Raises:
        UserError: no parents, too many, or of several models; a strength out of range.
    """
    if not 1 <= len(parents) <= MOST_PARENTS:
        raise UserError("Choose 1 to {most} parents.", most=MOST_PARENTS)
    if len({parent.model for parent in parents}) > 1:
        raise UserError("Parents must come from the same model.")
    strength = number(strength, "mutation strength", 0, 1)
    if len(parents) == 1:
        strength = max(LONE, strength) ** 0.5
    children: list[Recipe] = []
    for index in range(count):
        random = np.random.RandomState([seed, index])
        for _ in range(20):  # twins are rare; with few layers and no mutation they cannot always be avoided
            child = _child(parents, random, strength, num_ws, directions)
            if child not in children and child not in parents:
                break
        children.append(child)
    return children


def _child(
    parents: Sequence[Recipe], random: np.random.RandomState, strength: float, num_ws: int, directions: Sequence[str]
) -> Recipe:
    order = random.permutation(len(parents))
    child = parents[order[0]]
    if len(parents) > 1:
        child = _cross(child, parents[order[1]], random, num_ws)
    if strength:
        child = _mutate(child, random, strength, num_ws, directions)
    return replace(child, model_hash="")


def _cross(one: Recipe, other: Recipe, random: np.random.RandomState, num_ws: int) -> Recipe:
    kin = one if random.rand() < 0.5 else other  # whose class it has
    common = {"label": kin.label, "class_mix": kin.class_mix, "directions": _moves(one, other, random)}
    if num_ws > 1 and random.rand() < 0.5:
        split = int(random.randint(1, num_ws))
        return replace(one, fine_seeds=other.fine_seeds or other.seeds, split=split, **common)
    share = random.uniform(0.3, 0.7)
    seeds = _blend(one.seeds, other.seeds, share)
    fine, split = (), 0
    if one.fine_seeds or other.fine_seeds:
        fine = _blend(one.fine_seeds or one.seeds, other.fine_seeds or other.seeds, share)
        split = one.split or other.split
    psi = _psi(one, seeds) * (1 - share) + _psi(other, seeds) * share
    return replace(one, seeds=seeds, fine_seeds=fine, split=split, psi=round(psi, 2), **common)


def _moves(one: Recipe, other: Recipe, random: np.random.RandomState) -> tuple[tuple[str, float, str], ...]:
    """Each direction with the amount that one of the two has, perhaps none."""
    own = [{(id, layers): amount for id, amount, layers in parent.directions} for parent in (one, other)]
    keys = sorted(own[0].keys() | own[1].keys())
    moves = [(id, own[random.randint(2)].get((id, layers), 0.0), layers) for id, layers in keys]
    return _fewest(moves)


def _mutate(
    child: Recipe, random: np.random.RandomState, strength: float, num_ws: int, directions: Sequence[str]
) -> Recipe:
    fresh = ((int(random.randint(0, NEW_SEEDS)), 1.0),)
    share = strength * random.uniform(0.2, NEW_SHARE)
    if num_ws > 1 and random.rand() < 0.4:  # in the fine layers
        fine = _blend(child.fine_seeds or child.seeds, fresh, share)
        child = replace(child, fine_seeds=fine, split=child.split or int(random.randint(1, num_ws)))
    else:
        seeds = _blend(child.seeds, fresh, share)
        child = replace(child, seeds=seeds, psi=round(_psi(child, seeds), 2))
    moves = {(id, layers): amount for id, amount, layers in child.directions}
    chosen = random.permutation(len(directions))[:3]
    for index in chosen:
        key = (directions[index], "")
        moved = moves.get(key, 0.0) + STEP * strength * float(random.randn())
        moves[key] = round(min(REACH, max(-REACH, moved)), 2)
    return replace(child, directions=_fewest([(id, amount, layers) for (id, layers), amount in moves.items()]))


def _fewest(moves: list[tuple[str, float, str]]) -> tuple[tuple[str, float, str], ...]:
    """The :data:`MOST_MOVES` longest moves."""
    return tuple(sorted(moves, key=lambda move: -abs(move[1]))[:MOST_MOVES])


def _blend(ours: Pairs, theirs: Pairs, share: float) -> Pairs:
    """Both lists of seeds, ``share`` of the weight with ``theirs``; the heaviest few, to a hundredth."""
    weights: dict[int, float] = {}
    for pairs, part in ((ours, 1 - share), (theirs, share)):
        total = sum(weight for _, weight in pairs)
        for seed, weight in pairs:
            weights[seed] = weights.get(seed, 0.0) + part * weight / total
    heaviest = sorted(weights.items(), key=lambda pair: -pair[1])[:MOST_SEEDS]
    total = sum(weight for _, weight in heaviest)
    return tuple((seed, max(0.01, round(weight / total, 2))) for seed, weight in heaviest)


def _spread(seeds: Pairs) -> float:
    """How far a blend is from the mean w, against one seed: the root of the sum of squared shares."""
    total = sum(weight for _, weight in seeds)
    return sum((weight / total) ** 2 for _, weight in seeds) ** 0.5


def _psi(parent: Recipe, seeds: Pairs) -> float:
    """The truncation with which ``seeds`` is as far from the mean as the parent: blends of many are dull."""
    return float(np.clip(parent.psi * _spread(parent.seeds) / _spread(seeds), -MOST_PSI, MOST_PSI))
