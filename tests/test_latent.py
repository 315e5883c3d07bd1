"""Seeds, truncation, directions and ways between codes."""

import dataclasses
import json

import numpy as np
import pytest
import torch
from tiny import save_tiny_model

from imagen_demo.errors import UserError
from imagen_demo.latent import directions, interpolation, space
from imagen_demo.models.folder import load_model


@pytest.fixture
def model(tmp_path):
    save_tiny_model(tmp_path / "tiny")
    return load_model(tmp_path / "tiny")


def test_seeds_follow_the_convention():
    expected = np.random.RandomState(42).randn(1, 8).astype(np.float32)
    assert np.array_equal(space.seed_to_z(42, 8).numpy(), expected)
    assert space.seed_to_z(2**32 - 1, 8).shape == (1, 8)


def test_seeds_blend_in_w_by_normalised_weights(model):
    a, b = (model.generator.mapping(space.seed_to_z(seed, 8)) for seed in (1, 2))
    blend = space.seeds_to_w(model, [(1, 1.0), (2, 3.0)], None)
    assert torch.allclose(blend, a / 4 + b * 3 / 4, atol=1e-6)
    assert torch.equal(space.seeds_to_w(model, [(1, 5.0)], None), a)


def test_blended_z_is_as_long_as_one_z():
    lengths = [space.seeds_to_z([(k, 1.0), (k + 1000, 0.4)], 512).norm() for k in range(20)]
    assert abs(torch.stack(lengths).mean() / 512**0.5 - 1) < 0.03


def test_truncation():
    w, centre = torch.randn(1, 8), torch.randn(1, 8)
    assert torch.equal(space.truncate(w, centre, 1.0), w)
    assert torch.equal(space.truncate(w, centre, 0.0), centre)
    assert torch.allclose(space.truncate(w, centre, -0.5), centre - 0.5 * (w - centre), atol=1e-6)


def test_an_unknown_class_is_refused(model):
    with pytest.raises(UserError, match="no class number 3"):
        space.seeds_to_w(model, [(1, 1.0)], 3)


def sampled_w(model, count=10_000):
    z = torch.from_numpy(np.random.RandomState(0).randn(count, model.info.config.z_dim)).float()
    return model.generator.mapping(z)


def test_directions_are_the_principal_components(model):
    found = directions.principal_directions(model, count=5)
    w = sampled_w(model).double()
    _, s, vt = torch.linalg.svd(w - w.mean(dim=0), full_matrices=False)
    assert torch.allclose(found.scales.double(), s[:5] / len(w) ** 0.5, rtol=1e-4)
    cosines = (found.vectors.double() * vt[:5]).sum(dim=1).abs()
    assert torch.allclose(cosines, torch.ones(5, dtype=torch.float64), atol=1e-4)
    largest = found.vectors.gather(1, found.vectors.abs().argmax(dim=1, keepdim=True))
    assert (largest > 0).all() and found.names == [f"PC {n}" for n in range(1, 6)]


def test_one_step_is_one_standard_deviation(model):
    found = directions.principal_directions(model)
    along = sampled_w(model) @ found.vectors[0]
    assert torch.isclose(found.offset(((0, 1.0),)).norm(), along.std(), rtol=1e-3)
    both = found.offset(((0, 1.5), (2, -1.0)))
    assert torch.allclose(both[0], 1.5 * found.scales[0] * found.vectors[0] - found.scales[2] * found.vectors[2])


def test_classes_do_not_become_directions(tmp_path):
    save_tiny_model(tmp_path / "c", num_classes=3)
    model = load_model(tmp_path / "c")
    spread = [model.generator.mapping(torch.randn(3000, 8), torch.full((3000,), c)).var(dim=0).sum() for c in range(3)]
    total = directions.principal_directions(model, count=8).scales.square().sum()
    assert torch.isclose(total, torch.stack(spread).mean(), rtol=0.1)


def test_directions_are_kept_until_the_weights_change(model, tmp_path):
    first = directions.load_or_compute(model)
    assert (model.path / "directions.safetensors").exists()
    again = directions.load_or_compute(model)
    assert torch.equal(first.vectors, again.vectors) and torch.equal(first.scales, again.scales)
    other = dataclasses.replace(model, hash="0" * 64)
    other.generator.mapping_network.layers[0].weight.data.mul_(2)
    assert not torch.equal(directions.load_or_compute(other).scales, first.scales)


def test_directions_can_have_human_names(model):
    names = {"names": ["Size"], "names_zh": ["大小", 5]}
    (model.path / "directions.json").write_text(json.dumps(names))
    found = directions.load_or_compute(model)
    assert found.names[:2] == ["Size", "PC 2"] and found.names_zh[:2] == ["大小", "PC 2"]
    assert directions.load_or_compute(model).names_zh[0] == "大小"


@pytest.mark.parametrize("data", [b"", b"x" * 100, b"\xff" * 9])
def test_damaged_directions_are_made_anew(model, data):
    first = directions.load_or_compute(model)
    (model.path / "directions.safetensors").write_bytes(data)
    (model.path / "directions.json").write_bytes(data)
    assert torch.equal(directions.load_or_compute(model).vectors, first.vectors)


def test_misshapen_directions_are_made_anew(model):
    wrong = directions.Directions(["x"], torch.ones(1, 3), torch.ones(1))
    directions.save_directions(model.path, wrong, model.hash)
    assert directions.load_or_compute(model).vectors.shape[1] == 8


@pytest.mark.parametrize("kind", interpolation.EASINGS)
def test_easing_is_monotonic_symmetric_and_exact_at_the_ends(kind):
    values = [interpolation.ease(k / 20, kind) for k in range(21)]
    assert values[0] == 0 and values[-1] == 1 and values == sorted(values)
    assert all(abs(a + b - 1) < 1e-12 for a, b in zip(values, reversed(values), strict=True))


def test_slerp_turns_evenly_and_keeps_the_length():
    a, b = torch.tensor([[2.0, 0.0, 0.0]]), torch.tensor([[0.0, 2.0, 0.0]])
    for k in range(11):
        angle = torch.tensor(k / 10 * np.pi / 2)
        expected = 2 * torch.stack([angle.cos(), angle.sin(), angle * 0]).float()[None]
        assert torch.allclose(interpolation.slerp(a, b, k / 10), expected, atol=1e-5)


def test_slerp_of_degenerate_codes_is_finite():
    a = torch.randn(1, 8)
    for b in (a, 3 * a, -a):
        assert interpolation.slerp(a, b, 0.3).isfinite().all()
    assert torch.allclose(interpolation.slerp(a, a, 0.3), a, atol=1e-5)
    assert interpolation.slerp(a, torch.randn(1, 8), 0) is a


def test_open_path_goes_from_end_to_end():
    places = interpolation.path(3, 9)
    assert places[0] == (0, 1, 0.0) and places[4] == (1, 2, 0.0) and places[8][0] == 2 and places[8][2] == 0
    assert [start + t for start, _, t in places] == [k / 4 for k in range(9)]


def test_loop_closes_without_repeating_the_first():
    places = interpolation.path(3, 12, loop=True)
    assert [start + t for start, _, t in places] == [k / 4 for k in range(12)] and places[-1][1] == 0
