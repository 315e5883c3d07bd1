"""What directions are made of: measured properties, factorised styles, whitened w, linear boundaries."""

import numpy as np
import pytest
import torch
from tiny import save_tiny_model

from imagen_demo.latent import boundary, properties, sefa, whitening
from imagen_demo.latent.directions import sample_w
from imagen_demo.latent.measuring import purity_of
from imagen_demo.studio.recipes import Recipe, Studio


@pytest.fixture
def studio(workspace):
    save_tiny_model(workspace.checkpoints / "plain")
    save_tiny_model(workspace.checkpoints / "kinds", num_classes=3, channels=4)
    return Studio(workspace, "cpu")


# -- properties ----------------------------------------------------------------------------------


def disc(radius=0.5, x=0.0, colour=(1.0, 1.0, 1.0), stretch=1.0, alpha=False, size=64):
    axis = (torch.arange(size) + 0.5) / size * 2 - 1
    inside = (((axis[None] - x) / stretch) ** 2 + axis[:, None] ** 2 < radius**2).float()
    picture = torch.stack([inside * value for value in colour])
    return torch.cat([picture, inside[None]]) if alpha else picture


@pytest.mark.parametrize("alpha", [False, True])
def test_properties_are_what_they_are_called(alpha):
    def of(**values):
        return {name: float(v) for name, v in properties.measure(disc(alpha=alpha, **values)[None], True).items()}

    plain = of()
    assert plain["brightness"] == pytest.approx(1, abs=1e-3) and of(colour=(0.5,) * 3)["brightness"] < 0.6
    assert of(colour=(1, 0.5, 0.2))["warmth"] == pytest.approx(0.8, abs=0.01)
    assert of(colour=(0.2, 0.5, 1))["warmth"] == pytest.approx(-0.8, abs=0.01)
    assert plain["colourfulness"] == pytest.approx(0, abs=1e-2) and of(colour=(1, 0.2, 0.2))["colourfulness"] > 0.2
    assert plain["size"] == pytest.approx(0.5 / 2**0.5, abs=0.01)  # of a disc: radius / sqrt(2)
    assert of(radius=0.8)["size"] > plain["size"] and of(x=0.3)["size"] == pytest.approx(plain["size"], abs=0.01)
    assert plain["roundness"] == pytest.approx(1, abs=0.01)
    assert of(stretch=0.5)["roundness"] == pytest.approx(0.8, abs=0.02)  # of an ellipse: 2 a b / (a^2 + b^2)
    assert of(x=-0.4)["left-right"] == pytest.approx(-0.4, abs=0.01)
    assert of(x=0.4)["left-right"] == pytest.approx(0.4, abs=0.01)
    if alpha:
        assert plain["coverage"] == pytest.approx(np.pi / 16, abs=0.01)


def test_colourfulness_is_the_published_formula():
    picture = torch.rand(1, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    red, green, blue = picture[0].double()
    rg, yb = red - green, (red + green) / 2 - blue
    expected = (rg.var(correction=0) + yb.var(correction=0)).sqrt() + 0.3 * (rg.mean() ** 2 + yb.mean() ** 2).sqrt()
    assert float(properties.measure(picture, False)["colourfulness"]) == pytest.approx(float(expected), rel=1e-3)


def test_plain_borders_are_told_from_scenes():
    assert properties.has_plain_border(torch.stack([disc(), disc(x=0.2)]))
    assert not properties.has_plain_border(torch.rand(3, 3, 32, 32))


# -- factorisation, whitening, boundary ------------------------------------------------------------


def test_sefa_changes_the_styles_most(studio):
    generator = studio.model("plain").generator
    weights = sefa.style_weights(generator)
    assert len(weights) == generator.num_ws == 5
    stacked, first = torch.cat(weights), sefa.factorise(weights, 3)
    _, _, right = torch.linalg.svd(stacked.double())
    assert torch.allclose((first.double() * right[:3]).sum(dim=1).abs(), torch.ones(3).double(), atol=1e-5)
    random = torch.nn.functional.normalize(torch.randn(100, 8), dim=1)
    assert (stacked @ first[0]).norm() >= (random @ stacked.T).norm(dim=1).max()
    ids = [direction.id for direction in sefa.sefa_directions(generator)]
    assert ids[:2] == ["sf0", "sf1"] and {"sfc0", "sfm0", "sff0"} < set(ids)


def test_styles_are_those_of_the_layers(studio):
    """What a layer's styles do not see of w leaves its picture as it is."""
    model = studio.model("plain")
    ws = studio.latent(Recipe("plain"))
    for layer, weights in enumerate(sefa.style_weights(model.generator)):
        _, values, right = torch.linalg.svd(weights.double())
        seen, unseen = right[0].float(), right[-1].float() if values[-1] < 1e-5 else None
        with torch.inference_mode():
            for vector, same in ((seen, False), (unseen, True)):
                if vector is not None:
                    moved = ws.clone()
                    moved[:, layer] += vector
                    pictures = [model.generator.synthesis(each) for each in (moved, ws)]
                    assert torch.allclose(*pictures, atol=1e-4) == same


def test_whitened_w_is_round(studio):
    w, labels = sample_w(studio.model("kinds"), 3000, 5)
    white = whitening.whiten(w, labels)
    assert torch.allclose(white.x.T @ white.x / 3000, torch.eye(len(white.deviations)).double(), atol=1e-6)
    step = torch.randn(8)
    assert torch.allclose(white.outwards(white.inwards(step[None])[0]).float(), step, atol=1e-4)


def test_logistic_regression_finds_the_boundary():
    random = torch.Generator().manual_seed(1)
    normal = torch.nn.functional.normalize(torch.randn(20, generator=random, dtype=torch.float64), dim=0)
    x = torch.randn(3000, 20, generator=random, dtype=torch.float64)
    side = x @ normal + 0.1 * torch.randn(3000, generator=random, dtype=torch.float64) > 1.0
    found = boundary.logistic(x[side], x[~side])
    assert float(found @ normal / found.norm()) > 0.98


@pytest.mark.parametrize("count", [1, 2, 40])
def test_boundary_separates_examples_it_has_not_seen(studio, count):
    model = studio.model("plain")
    w, labels = sample_w(model, 2000, 7)
    white = whitening.whiten(w, labels)
    hidden = torch.nn.functional.normalize(torch.randn(8, generator=torch.Generator().manual_seed(2)), dim=0)
    side = white.x.float() @ hidden
    with_, without = w[side > 1.2], w[side < -1.2]
    vector, scale = boundary.boundary(with_[:count], without[:count], white)
    assert vector.norm() == pytest.approx(1, abs=1e-5) and scale > 0
    ahead, behind = with_[count:] @ vector, without[count:] @ vector
    assert (ahead > behind.median()).float().mean() > (0.9 if count == 40 else 0.6)


def test_orthogonal_to_several():
    others = [torch.randn(8), torch.randn(8)]
    vector = boundary.orthogonal(torch.randn(8).double(), [*others, others[0] * 2])
    assert all(abs(float(vector @ other.double())) < 1e-6 for other in others)


def test_purity():
    assert purity_of({}) is None and purity_of({"size": 0.0}) is None
    assert purity_of({"brightness": -1.0}) == 1.0
    assert purity_of({"brightness": 3.0, "warmth": -1.0}) == 0.75
    assert purity_of({"brightness": 3.0, "warmth": -1.0}, "warmth") == 0.25
    assert purity_of({"size": 1.0, "coverage": -0.9}, "coverage") == 1.0
