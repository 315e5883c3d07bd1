"""Augmentation: identity at p = 0, exact where its formulas are simple, differentiable, steered by overfitting."""

import pytest
import torch

from imagen_demo.training.augment import (
    P_MAX,
    Controller,
    affine_matrices,
    apply,
    blank,
    colour_matrices,
    cutout_boxes,
    gaps,
    plan,
    recolour,
    warp,
)

CPU = torch.device("cpu")
ALL = torch.ones(32, dtype=torch.bool)


def augment(pictures: torch.Tensor, p: float, generator: torch.Generator | None = None) -> torch.Tensor:
    return apply(pictures, plan(len(pictures), p, CPU, generator))


def test_p_zero_is_the_identity():
    pictures = torch.rand(4, 3, 16, 16) * 2 - 1
    assert augment(pictures, 0.0) is pictures
    assert torch.equal(affine_matrices(4, 0.0, CPU), torch.eye(2, 3).expand(4, 2, 3))
    assert torch.allclose(warp(pictures, torch.eye(2, 3).expand(4, 2, 3)), pictures, atol=1e-5)
    assert torch.allclose(recolour(pictures, colour_matrices(4, 0.0, CPU)), pictures, atol=1e-5)
    assert torch.equal(blank(pictures, cutout_boxes(4, 0.0, CPU)), pictures)


def test_warp_shifts_by_whole_pixels():
    pictures = torch.rand(1, 3, 8, 8)
    shift = torch.tensor([[[1.0, 0.0, 2 / 8], [0.0, 1.0, 0.0]]])  # sample one pixel to the right
    assert torch.allclose(warp(pictures, shift)[..., :-1], pictures[..., 1:], atol=1e-5)


def test_hue_rotation_keeps_grey_and_luma():
    torch.manual_seed(1)
    matrices = colour_matrices(64, 1.0, CPU)
    grey = torch.full((64, 3, 2, 2), 0.5) * 2 - 1
    out = recolour(grey, matrices)
    assert torch.allclose(out[:, 0], out[:, 1], atol=1e-5) and torch.allclose(out[:, 1], out[:, 2], atol=1e-5)


def test_premultiplied_transparency_stays_transparent():
    torch.manual_seed(0)
    clear = -torch.ones(8, 4, 8, 8)  # transparent black
    out = augment(clear, 1.0)
    assert torch.allclose(out, clear, atol=1e-5)


def test_colours_of_half_transparent_pixels_change_as_the_opaque_ones():
    torch.manual_seed(0)
    matrices = colour_matrices(1, 1.0, CPU)
    colour, alpha = torch.tensor([0.2, 0.6, 0.4]).view(1, 3, 1, 1), 0.5
    opaque = recolour(torch.cat([colour * 2 - 1, torch.ones(1, 1, 1, 1)], dim=1), matrices)
    half = recolour(torch.cat([colour * alpha * 2 - 1, torch.zeros(1, 1, 1, 1)], dim=1), matrices)
    assert torch.allclose((half[:, :3] + 1) / 2, (opaque[:, :3] + 1) / 2 * alpha, atol=1e-5)


def test_cutout_blanks_about_a_quarter():
    pictures = torch.ones(400, 3, 16, 16)
    out = blank(pictures, cutout_boxes(400, 1.0, CPU, torch.Generator().manual_seed(0)))
    hit = (out == 0).flatten(1).any(dim=1).float().mean()
    assert 0.4 < float(hit) < 0.6
    assert int((out == 0)[:, 0].flatten(1).sum(dim=1).max()) <= 8 * 8


@pytest.mark.parametrize("channels", [3, 4])
def test_gradients_flow_and_randomness_is_the_generator_s(channels):
    pictures = (torch.rand(4, channels, 16, 16) * 2 - 1).requires_grad_()
    first = augment(pictures, 0.7, torch.Generator().manual_seed(5))
    again = augment(pictures, 0.7, torch.Generator().manual_seed(5))
    assert torch.equal(first, again)
    first.square().sum().backward()
    assert pictures.grad.isfinite().all() and pictures.grad.abs().sum() > 0


def test_controller_raises_p_when_only_pictures_it_learns_from_look_real_and_lowers_it_again():
    controller = Controller(target=0.3, held_out=16, speed_kimg=1.0)
    train, fake = torch.full((32,), 5.0), torch.full((32,), -5.0)
    for _ in range(800):  # pictures never seen look generated; a constant added to all logits means nothing
        controller.update(*gaps(train + 100, fake + 100, fake + 100, ALL).tolist(), images=32)
    assert controller.overfitting == pytest.approx(1.0, abs=1e-3) and controller.p == P_MAX
    for _ in range(400):  # they look as real as the others, however bad the generator
        controller.update(*gaps(train, fake, train, ALL).tolist(), images=32)
    assert controller.overfitting < 0.01 and controller.p == 0.0


def test_overfitting_is_where_validation_lies_between_generated_and_train():
    controller = Controller(target=0.3, held_out=16)
    for _ in range(500):
        controller.update(*gaps(*torch.tensor([2.0, -2.0, 1.0]).expand(32, 3).T, ALL).tolist(), images=8)
    assert controller.overfitting == pytest.approx(0.25, abs=1e-3)


@pytest.mark.parametrize(("held_out", "p"), [(16, 0.0), (4096, P_MAX)])
def test_what_few_pictures_held_out_show_by_chance_is_no_overfitting(held_out, p):
    controller, random = Controller(target=0.3, held_out=held_out, speed_kimg=1.0), torch.Generator().manual_seed(0)
    for _ in range(400):  # the gap to those held out is half the generated ones', and a quarter of how much logits vary
        logits = torch.randn(2, 32, generator=random)
        controller.update(*gaps(logits[0], logits[0] - 0.5, logits[1] - 0.25, ALL).tolist(), images=32)
    assert controller.p == p


def test_pictures_known_by_heart_are_noticed_however_few_are_held_out():
    controller, random = Controller(target=0.3, held_out=4, speed_kimg=1.0), torch.Generator().manual_seed(0)
    for _ in range(400):  # those held out look generated, and logits vary as much as the two lie apart
        train, fake, unseen = torch.randn(3, 32, generator=random) + torch.tensor([1.0, 0.0, 0.0])[:, None]
        controller.update(*gaps(train, fake, unseen, ALL).tolist(), images=32)
    assert controller.p == P_MAX


def test_a_discriminator_that_takes_generated_pictures_for_better_does_not_overfit():
    controller = Controller(target=0.3, held_out=16)
    controller.update(0.0, 0.1, -0.2, 1.0, images=32)
    assert controller.overfitting == controller.p == 0.0


def test_only_pairs_of_one_class_count():
    train, fake, unseen = torch.tensor([[1.0, 9.0], [0.0, 8.0], [0.5, 0.0]])
    paired, none = torch.tensor([True, False]), torch.tensor([False, False])
    assert gaps(train, fake, unseen, paired).tolist() == [0.25, 0.125, 0.5, 0.5]
    controller = Controller(target=0.3, held_out=16, speed_kimg=1e-3)
    controller.update(*gaps(train, fake, unseen, none).tolist(), images=32)  # nothing was seen: nothing is done
    assert controller.p == controller.gap_generated == 0.0
    controller.update(*gaps(train, fake, unseen, paired).tolist(), images=32)
    assert controller.gap_validation / controller.gap_generated == pytest.approx(0.5)


def test_controller_speed_is_in_thousands_of_pictures():
    controller = Controller(target=-0.1, held_out=16, speed_kimg=10.0)
    for _ in range(10):
        controller.update(0.0, 0.0, 1.0, 1.0, images=100)
    assert controller.p == pytest.approx(0.1)
