"""Each loss and penalty against an independent computation in float64."""

import contextlib
import math

import numpy as np
import pytest
import torch

from imagen_demo.config import ModelConfig
from imagen_demo.models.layers import twice_differentiable
from imagen_demo.models.style import StyleDiscriminator
from imagen_demo.training import losses
from imagen_demo.training.losses import OBJECTIVES, gradient_penalty
from imagen_demo.training.step import Shown

REAL, FAKE = [1.5, -0.25, 3.0, 0.0], [-2.0, 0.5, 1.0, -0.125]


def sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x))


def tensors() -> tuple[torch.Tensor, torch.Tensor]:
    return torch.tensor(REAL, dtype=torch.float64), torch.tensor(FAKE, dtype=torch.float64)


def test_nonsaturating_is_the_article_s_equation():
    real, fake = tensors()
    loss_d = -np.mean([math.log(sigmoid(x)) for x in REAL]) - np.mean([math.log(1 - sigmoid(x)) for x in FAKE])
    loss_g = -np.mean([math.log(sigmoid(x)) for x in FAKE])
    assert float(losses.nonsaturating_d(real, fake)) == pytest.approx(loss_d, abs=1e-12)
    assert float(losses.nonsaturating_g(real, fake)) == pytest.approx(loss_g, abs=1e-12)


def test_hinge():
    real, fake = tensors()
    loss_d = np.mean([max(0, 1 - x) for x in REAL]) + np.mean([max(0, 1 + x) for x in FAKE])
    assert float(losses.hinge_d(real, fake)) == pytest.approx(loss_d, abs=1e-12)
    assert float(losses.hinge_g(real, fake)) == pytest.approx(-np.mean(FAKE), abs=1e-12)


def test_relativistic_pairs_real_and_fake():
    real, fake = tensors()
    loss_d = -np.mean([math.log(sigmoid(r - f)) for r, f in zip(REAL, FAKE, strict=True)])
    loss_g = -np.mean([math.log(sigmoid(f - r)) for r, f in zip(REAL, FAKE, strict=True)])
    assert float(losses.relativistic_d(real, fake)) == pytest.approx(loss_d, abs=1e-12)
    assert float(losses.relativistic_g(real, fake)) == pytest.approx(loss_g, abs=1e-12)


@pytest.mark.parametrize("name", OBJECTIVES)
def test_losses_stay_finite_where_log_of_sigmoid_would_not(name):
    huge = torch.tensor([-1e4, 1e4])
    objective = OBJECTIVES[name]
    for loss in (objective.discriminator, objective.generator):
        assert loss(huge, -huge).isfinite()


@pytest.mark.parametrize("name", OBJECTIVES)
def test_each_side_gains_by_moving_its_logits_the_right_way(name):
    real, fake = (x.requires_grad_() for x in tensors())
    objective = OBJECTIVES[name]
    grad_real, grad_fake = torch.autograd.grad(objective.discriminator(real, fake), (real, fake))
    assert (grad_real <= 0).all() and (grad_fake >= 0).all() and grad_real.abs().sum() > 0
    (grad_fake,) = torch.autograd.grad(objective.generator(real.detach(), fake), fake)
    assert (grad_fake < 0).all()


def test_gradient_penalty_against_finite_differences():
    torch.manual_seed(0)
    network = torch.nn.Sequential(
        torch.nn.Flatten(), torch.nn.Linear(27, 8), torch.nn.Tanh(), torch.nn.Linear(8, 1)
    ).double()
    pictures = torch.randn(3, 3, 3, 3, dtype=torch.float64)
    x = pictures.clone().requires_grad_()
    penalty = gradient_penalty(network(x).squeeze(1), x)
    step = 1e-6
    for n in range(3):
        squared = 0.0
        for i in range(27):
            shift = torch.zeros(27, dtype=torch.float64)
            shift[i] = step
            shift = shift.view(1, 3, 3, 3)
            up, down = (network(pictures[n : n + 1] + sign * shift).detach() for sign in (1, -1))
            squared += float((up - down) / (2 * step)) ** 2
        assert float(penalty[n].detach()) == pytest.approx(squared, rel=1e-6)


def test_gradient_penalty_of_a_linear_critic_is_its_squared_norm_and_trains_it():
    weight = torch.tensor([[3.0, 4.0]], dtype=torch.float64, requires_grad=True)
    x = torch.randn(5, 2, dtype=torch.float64).view(5, 2, 1, 1).requires_grad_()
    penalty = gradient_penalty((x.flatten(1) @ weight.T).squeeze(1), x)
    assert torch.allclose(penalty, torch.full((5,), 25.0, dtype=torch.float64))
    (gradient,) = torch.autograd.grad(penalty.mean(), weight)
    assert torch.allclose(gradient, 2 * weight)


def test_values_outside_are_clamped_and_only_ways_back_inside_have_a_gradient():
    x = torch.tensor([-2.0, -2.0, -0.5, 1.0, 1.5, 1.5], requires_grad=True)
    shown = Shown.apply(x)
    assert shown.tolist() == [-1, -1, -0.5, 1, 1, 1]
    shown.backward(torch.tensor([-3.0, 3.0, 4.0, -5.0, -6.0, 6.0]))  # descent goes against it
    assert x.grad.tolist() == [-3, 0, 4, -5, 0, 6]


@pytest.mark.parametrize("labels", [None, torch.tensor([0, 1, 1, 0])])
def test_the_way_round_slow_second_derivatives_gives_the_same_gradients(labels):
    config = ModelConfig(resolution=16, width=128, max_channels=16, num_classes=0 if labels is None else 2)
    torch.manual_seed(0)
    discriminator = StyleDiscriminator(config).double()
    pictures = torch.rand(4, 3, 16, 16, dtype=torch.float64).requires_grad_()

    def found(way) -> list[torch.Tensor]:
        with way():
            logits = discriminator(pictures, labels)
            penalty = gradient_penalty(logits, pictures)
        total = penalty.mean() + logits.sum()
        return [penalty, logits, *torch.autograd.grad(total, list(discriminator.parameters()))]

    for first, second in zip(found(contextlib.nullcontext), found(twice_differentiable), strict=True):
        assert torch.allclose(first, second, rtol=1e-9, atol=1e-12)
