"""uint8 pictures to network values and back."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from imagen_demo.data.pixels import from_network, to_network


@pytest.mark.parametrize("channels", [3, 4])
def test_round_trip_keeps_every_visible_pixel(channels: int) -> None:
    images = np.random.default_rng(0).integers(0, 256, (4, 16, 16, channels), dtype=np.uint8)
    images[0] = 0
    images[1, ..., -1] = 255
    back = from_network(to_network(images))
    if channels == 4:
        images[images[..., 3] == 0] = 0  # what cannot be seen is black
    assert np.array_equal(back, images)


def test_all_pairs_of_colour_and_alpha_survive() -> None:
    colour, alpha = np.meshgrid(np.arange(256, dtype=np.uint8), np.arange(1, 256, dtype=np.uint8))
    images = np.stack([colour, colour, colour, alpha], axis=-1)[None]
    assert np.array_equal(from_network(to_network(images)), images)


def test_range_and_premultiplication() -> None:
    images = np.array([[[[255, 0, 128, 0], [255, 0, 0, 255]]]], np.uint8)
    values = to_network(images)
    assert values.shape == (1, 4, 1, 2) and values.dtype == torch.float32
    assert values[0, :, 0, 0].tolist() == [-1, -1, -1, -1]
    assert values[0, :, 0, 1].tolist() == [1, -1, -1, 1]


def test_values_outside_are_clamped_and_rounded_to_nearest() -> None:
    values = torch.tensor([-3.0, -1 + 0.6 / 127.5, -1 + 1.4 / 127.5, 9.0]).reshape(1, 1, 1, 4).expand(1, 3, 1, 4)
    assert from_network(values)[0, 0, :, 0].tolist() == [0, 1, 1, 255]


def test_network_output_settles_after_one_round_trip() -> None:
    values = torch.rand(2, 4, 8, 8, generator=torch.Generator().manual_seed(0)) * 3 - 1.5
    once = from_network(values)
    assert np.array_equal(from_network(to_network(once)), once)
