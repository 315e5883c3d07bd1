"""The layers do what their formulas say; the networks fit together at every size."""

import dataclasses

import pytest
import torch
import torch.nn.functional as F

from imagen_demo.config import ModelConfig
from imagen_demo.errors import UserError
from imagen_demo.models.layers import ACTIVATION_GAIN, MinibatchStd, ModulatedConv, downsample, upsample
from imagen_demo.models.registry import build_discriminator, build_generator

TINY = ModelConfig(resolution=16, width=128, max_channels=16, z_dim=8, w_dim=8)


@pytest.mark.parametrize("demodulate", [True, False])
def test_modulated_convolution_equals_the_paper_s_per_picture_weights(demodulate):
    torch.manual_seed(0)
    layer = ModulatedConv(5, 7, 3, w_dim=4, demodulate=demodulate).double()
    x, w = torch.randn(3, 5, 6, 6, dtype=torch.float64), torch.randn(3, 4, dtype=torch.float64)
    for n in range(3):
        style = layer.style(w[n : n + 1])[0]
        weight = layer.weight * layer.scale * style[None, :, None, None]  # eq. 1
        if demodulate:  # eq. 3
            weight = weight / (weight.square().sum(dim=(1, 2, 3), keepdim=True) + 1e-8).sqrt() * ACTIVATION_GAIN
        expected = F.conv2d(x[n : n + 1], weight, layer.bias, padding=1)
        assert torch.allclose(layer(x, w)[n : n + 1], expected, atol=1e-10)


def test_upsampling_keeps_constants_and_ramps_and_downsampling_is_the_mean():
    constant = torch.full((1, 1, 4, 4), 0.7)
    assert torch.allclose(upsample(constant), torch.full((1, 1, 8, 8), 0.7))
    ramp = torch.arange(8.0).expand(1, 1, 8, 8)
    inner = upsample(ramp)[0, 0, 4, 2:-2]
    assert torch.allclose(inner.diff(), torch.full((11,), 0.5))
    x = torch.randn(2, 3, 6, 6)
    assert torch.allclose(downsample(x)[0, 1, 2, 0], x[0, 1, 4:6, 0:2].mean())


def test_minibatch_std_keeps_real_and_fake_halves_apart():
    layer = MinibatchStd()
    real, fake = torch.randn(4, 2, 4, 4), torch.zeros(4, 2, 4, 4)
    out = layer(torch.cat([real, fake]))
    expected = real.var(dim=0, unbiased=False).add(1e-8).sqrt().mean()
    assert torch.allclose(out[:4, -1], expected.expand(4, 4, 4))
    assert out[4:, -1].abs().max() < 1e-3


@pytest.mark.parametrize("arch", ["style", "mlp"])
@pytest.mark.parametrize(("channels", "classes"), [(3, 0), (4, 3)])
@pytest.mark.parametrize("resolution", [16, 32, 64])
def test_shapes(arch, channels, classes, resolution):
    config = dataclasses.replace(
        TINY,
        arch=arch,
        channels=channels,
        num_classes=classes,
        resolution=resolution,
        w_dim=128 if arch == "mlp" else 8,
    )
    generator, discriminator = build_generator(config), build_discriminator(config)
    labels = torch.tensor([0, 2, 1, 1]) if classes else None
    z = torch.randn(4, 8)
    pictures = generator(z, labels)
    assert pictures.shape == (4, channels, resolution, resolution)
    assert discriminator(pictures, labels).shape == (4,)
    ws = generator.mapping(z, labels).unsqueeze(1).expand(-1, generator.num_ws, -1)
    assert torch.equal(generator.synthesis(ws), pictures)


def test_noise_changes_detail_as_its_strength_says():
    generator = build_generator(dataclasses.replace(TINY, resolution=32, noise=True))
    assert generator.noise_size == 4**2 + 8**2 + 8**2 + 16**2 + 16**2 + 32**2
    z, noise = torch.randn(2, 8), torch.randn(2, generator.noise_size)
    assert torch.equal(generator(z), generator(z, None, noise))  # a strength of 0, as at the start
    with torch.no_grad():
        for block in generator.blocks:
            block.noise_strength.fill_(0.5)
    assert not torch.equal(generator(z), generator(z, None, noise))
    assert torch.equal(generator(z), generator(z, None, generator.noise))  # the model's own: always the same picture
    apart = generator(z[:1].expand(2, -1), None, noise)
    assert not torch.equal(*apart)
    assert torch.allclose(apart[1:], generator(z[:1], None, noise[1:]), atol=1e-5)  # each picture has its own


def test_classes_change_the_picture_and_the_logit():
    config = dataclasses.replace(TINY, num_classes=2)
    generator, discriminator = build_generator(config), build_discriminator(config)
    z = torch.randn(1, 8).expand(4, -1)
    labels = torch.tensor([0, 0, 1, 1])
    pictures = generator(z, labels)
    assert torch.allclose(pictures[0], pictures[1]) and not torch.allclose(pictures[0], pictures[2])
    logits = discriminator(pictures[:1].expand(4, -1, -1, -1), labels)
    assert torch.allclose(logits[0], logits[1]) and not torch.allclose(logits[0], logits[2])


def test_the_article_s_network_has_the_article_s_layers():
    config = ModelConfig(arch="mlp", resolution=64, z_dim=100, w_dim=128)
    sizes = [tuple(p.shape) for p in build_generator(config).parameters() if p.ndim == 2]
    assert sizes == [(128, 100), (64, 128), (64 * 64 * 3, 64)]
    sizes = [tuple(p.shape) for p in build_discriminator(config).parameters() if p.ndim == 2]
    assert sizes == [(128, 64 * 64 * 3), (64, 128), (1, 64)]


def test_activations_start_near_unit_variance():
    torch.manual_seed(0)
    config = dataclasses.replace(TINY, width=1024, max_channels=64, resolution=32, z_dim=64, w_dim=64)
    w = build_generator(config).mapping(torch.randn(64, 64))
    assert 0.3 < float(w.detach().std()) < 3


@pytest.mark.parametrize(
    ("change", "word"),
    [({"resolution": 48}, "resolution"), ({"channels": 1}, "channels"), ({"width": 10**9}, "width"),
     ({"arch": "vae"}, "arch"), ({"z_dim": "8"}, "z_dim"), ({"arch": "mlp"}, "w_dim")],
)  # fmt: skip
def test_impossible_networks_are_refused_with_what_would_work(change, word):
    with pytest.raises(UserError, match=word):
        build_generator(dataclasses.replace(TINY, **change))
