"""The weight-free quality metric orders things as an eye would."""

import torch

from imagen_demo.training.metrics import diversity, pyramid, relative_diversity, sliced_wasserstein


def stripes(count: int, seed: int, period: float = 4.0) -> torch.Tensor:
    """Pictures [count, 3, 32, 32] of stripes with random phase and brightness."""
    generator = torch.Generator().manual_seed(seed)
    phase = torch.rand(count, 1, 1, 1, generator=generator) * 6.28
    light = torch.rand(count, 3, 1, 1, generator=generator) * 0.5
    return torch.sin(torch.arange(32.0).view(1, 1, 1, 32) * 6.28 / period + phase).expand(-1, 3, 32, 32) * light


def test_equal_sets_have_distance_zero_and_it_is_deterministic():
    pictures = stripes(64, 0)
    assert sliced_wasserstein(pictures, pictures) == 0
    assert sliced_wasserstein(pictures, stripes(64, 1)) == sliced_wasserstein(pictures, stripes(64, 1))


def test_distance_grows_with_damage():
    real, same_kind = stripes(128, 0), stripes(128, 1)
    noise = torch.randn(same_kind.shape, generator=torch.Generator().manual_seed(2))
    distances = [sliced_wasserstein(real, same_kind + noise * strength) for strength in (0.0, 0.1, 0.3, 1.0)]
    assert distances == sorted(distances) and distances[-1] > 3 * distances[0]
    assert sliced_wasserstein(real, stripes(128, 1, period=8.0)) > 2 * distances[0]


def test_pyramid_puts_a_picture_together_again():
    pictures = torch.randn(2, 3, 64, 64)
    levels = pyramid(pictures)
    assert [level.shape[-1] for level in levels] == [64, 32, 16]
    back = levels[-1]
    for level in reversed(levels[:-1]):
        back = level + torch.nn.functional.interpolate(back, scale_factor=2, mode="bilinear", align_corners=False)
    assert torch.allclose(back, pictures, atol=1e-5)


def test_diversity_sees_collapse():
    varied = stripes(36, 0)
    same = varied[:1].expand(36, -1, -1, -1) + 0.001 * torch.randn(36, 3, 32, 32)
    assert diversity(same)[0] < 0.02 * diversity(varied)[0]
    assert relative_diversity(same, varied) < 0.02
    assert relative_diversity(varied, varied) == 1


def test_one_pattern_in_many_colours_is_a_collapse():
    pattern = torch.rand(1, 1, 32, 32) - 0.5
    tinted = pattern * torch.rand(36, 3, 1, 1) + 2 * torch.rand(36, 3, 1, 1) - 1
    reals = torch.rand(36, 3, 32, 32) * 2 - 1
    colours, shapes = diversity(tinted)
    assert colours > diversity(reals)[0]  # so colours alone would see nothing
    assert shapes < 0.01
    assert relative_diversity(tinted, reals) < 0.05
