"""Children: plain recipes, the same ones every time, made of what their parents have."""

from __future__ import annotations

import numpy as np
import pytest

from imagen_demo.errors import UserError
from imagen_demo.studio import breeding
from imagen_demo.studio.recipes import Recipe, Studio

MOTHER = Recipe("tiny", seeds=((1, 1.0),), psi=0.8, directions=(("pc0", 1.0, ""),))
FATHER = Recipe("tiny", seeds=((2, 0.6), (3, 0.4)), psi=0.8, directions=(("pc1", -2.0, "coarse"),))
DIRECTIONS = ["pc0", "pc1", "pc2", "pc3"]


def children(strength: float, seed: int = 5, parents: tuple[Recipe, ...] = (MOTHER, FATHER)) -> list[Recipe]:
    return breeding.litter(parents, seed, strength, num_ws=6, directions=DIRECTIONS)


def test_equal_arguments_give_equal_children_and_another_seed_gives_others():
    assert children(0.5) == children(0.5)
    assert not set(children(0.5)) & set(children(0.5, seed=6))


@pytest.mark.parametrize("parents", [(MOTHER,), (MOTHER, FATHER)])
def test_nine_different_children_that_can_be_linked_and_written(parents):
    litter = children(0.4, parents=parents)
    assert len(set(litter)) == 9
    for child in litter:
        assert Recipe.from_json(child.to_json()) == child
        assert Recipe.from_query(child.to_query()) == child


def test_without_mutation_children_have_nothing_but_what_their_parents_have():
    for child in children(0.0):
        assert {seed for seed, _ in child.seeds + child.fine_seeds} <= {1, 2, 3}
        assert set(child.directions) <= {*MOTHER.directions, *FATHER.directions}
    crossings = {bool(child.fine_seeds) for child in children(0.0)}
    assert crossings == {True, False}  # by layers, and blended


def test_stronger_mutations_lead_farther_away(workspace, tiny_model_folder):
    studio = Studio(workspace)
    home = studio.latent(MOTHER)

    def distance(strength: float) -> float:
        return float(np.mean([(studio.latent(c) - home).norm() for c in children(strength, parents=(MOTHER,))]))

    assert distance(0) < distance(0.1) < distance(0.5) < distance(1.0)
    assert distance(0.3) > 0.45 * distance(1.0)  # what the page begins with is to be seen


def test_families_stay_lean_and_vivid_over_generations():
    parents = (MOTHER, FATHER)
    for generation in range(30):
        litter = children(0.5, seed=generation, parents=parents)
        parents = tuple(litter[index] for index in (1, 4, 7))
        for child in litter:
            assert max(len(child.seeds), len(child.fine_seeds)) <= breeding.MOST_SEEDS
            assert len(child.directions) <= breeding.MOST_MOVES and len(child.to_query()) < 400
            spread = child.psi * breeding._spread(child.seeds)
            assert 0.3 < spread < 1.3  # neither the mean picture nor beyond what the model knows
            assert all(abs(amount) <= breeding.REACH for _, amount, _ in child.directions)


def test_children_are_drawn(workspace, make_model):
    make_model("tiny", num_classes=2)
    studio = Studio(workspace)
    first = breeding.first_litter(Recipe("tiny", psi=0.8), seed=1, classes=2)
    assert {recipe.label for recipe in first} == {0, 1} and len({recipe.seeds for recipe in first}) == 9
    model = studio.model("tiny")
    ids = [direction.id for direction in studio.directions("tiny")]
    for child in breeding.litter(first[:3], 1, 0.5, model.generator.num_ws, ids):
        assert studio.render_array(child).shape == (16, 16, 3)


def test_a_family_has_one_model():
    with pytest.raises(UserError, match="same model"):
        children(0.5, parents=(MOTHER, Recipe("other")))
    with pytest.raises(UserError, match="parents"):
        children(0.5, parents=())
    for strength in (-0.1, 1.1, float("nan"), "x"):
        with pytest.raises(UserError):
            children(strength)
