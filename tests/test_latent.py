"""Seeds, truncation, directions and ways between codes."""

import dataclasses
import json

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from tiny import save_tiny_model

from imagen_demo.errors import UserError
from imagen_demo.latent import centres, direction_files, directions, interpolation, space
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


def test_an_unknown_class_is_refused(model, make_model):
    with pytest.raises(UserError, match="This model has no classes"):
        space.seeds_to_w(model, [(1, 1.0)], 3)
    with pytest.raises(UserError, match="no class number 3; it has 3 classes"):
        space.seeds_to_w(load_model(make_model("kinds", num_classes=3)), [(1, 1.0)], 3)


def sampled_w(model, count=10_000):
    z = torch.from_numpy(np.random.RandomState(0).randn(count, model.info.config.z_dim)).float()
    return model.generator.mapping(z)


def vectors_of(found):
    return torch.stack([direction.vector for direction in found])


def scales_of(found):
    return [direction.scale for direction in found]


def test_directions_are_the_principal_components(model):
    found = directions.principal_directions(model, count=5)
    w = sampled_w(model).double()
    _, s, vt = torch.linalg.svd(w - w.mean(dim=0), full_matrices=False)
    scales = torch.tensor([direction.scale for direction in found], dtype=torch.float64)
    vectors = vectors_of(found)
    assert torch.allclose(scales, s[:5] / len(w) ** 0.5, rtol=1e-4)
    cosines = (vectors.double() * vt[:5]).sum(dim=1).abs()
    assert torch.allclose(cosines, torch.ones(5, dtype=torch.float64), atol=1e-4)
    assert (vectors.gather(1, vectors.abs().argmax(dim=1, keepdim=True)) > 0).all()
    assert [(d.id, d.name) for d in found] == [(f"pc{n}", f"PC {n + 1}") for n in range(5)]


def test_one_step_is_one_standard_deviation(model):
    found = directions.Directions(directions.principal_directions(model))
    along = sampled_w(model) @ found.get("pc0").vector
    step = found.offset((("pc0", 1.0, ""),), 5)
    assert step.shape == (1, 5, 8) and torch.equal(step[0, 0], step[0, 4])
    assert torch.isclose(step[0, 0].norm(), along.std(), rtol=1e-3)
    both = found.offset((("pc0", 1.5, ""), ("pc2", -1.0, "1-3")), 5)[0]
    first, second = (1.5 * found.get("pc0").scale * found.get("pc0").vector, found.get("pc2"))
    assert torch.allclose(both[0], first)
    assert torch.allclose(both[3], first - second.scale * second.vector)


@pytest.mark.parametrize("count", [1, 2, 3, 5, 9, 17])
def test_thirds_cover_the_layers(count):
    thirds = [space.layer_range(part, count) for part in space.PARTS]
    assert all(thirds) and {layer for third in thirds for layer in third} == set(range(count))
    assert count < 3 or sum(map(len, thirds)) == count


def test_ranges_of_layers():
    assert space.layer_range("", 9) == range(9) and space.layer_range("2-5", 9) == range(2, 6)
    assert space.layer_range("2-50", 9) == range(2, 9)
    for wrong in ("9-9", "5-2", "x", "2-", "-1", "1-2-3", "٣-٤"):
        with pytest.raises(UserError):
            space.layer_range(wrong, 9)


def test_centres_are_those_of_the_clusters():
    random = np.random.RandomState(3)
    true = torch.tensor([[0.0, 0.0], [9.0, 0.0], [0.0, 9.0]], dtype=torch.float64)
    points = torch.cat([t + torch.from_numpy(random.randn(n, 2)) for t, n in zip(true, (300, 200, 100), strict=True)])
    found = centres.kmeans(points, 3)
    assert torch.allclose(found, true, atol=0.4)
    assert torch.equal(centres.kmeans(points, 3), found)
    assert centres.kmeans(torch.ones(5, 2, dtype=torch.float64), 3).shape == (3, 2)


@pytest.mark.parametrize("data", [b"", b"x" * 100, None])
def test_centres_are_kept_and_damaged_ones_made_anew(model, data):
    first = centres.load_or_compute(model, 0)
    file = model.path / "centres.safetensors"
    assert torch.equal(centres.load_or_compute(model, 0), first) and file.exists()
    other = dataclasses.replace(model, hash="0" * 64)
    other.generator.mapping_network.layers[0].weight.data.mul_(2)
    assert not torch.equal(centres.load_or_compute(other, 0), first)
    if data is not None:
        file.write_bytes(data)
        assert centres.load_or_compute(model, 0).shape == first.shape


def test_classes_do_not_become_directions(tmp_path):
    save_tiny_model(tmp_path / "c", num_classes=3)
    model = load_model(tmp_path / "c")
    spread = [model.generator.mapping(torch.randn(3000, 8), torch.full((3000,), c)).var(dim=0).sum() for c in range(3)]
    total = sum(direction.scale**2 for direction in directions.principal_directions(model, count=8))
    assert np.isclose(total, torch.stack(spread).mean(), rtol=0.1)


def test_directions_are_kept_until_the_weights_change(model, tmp_path):
    first = direction_files.load_or_compute(model)
    assert (model.path / "directions.safetensors").exists()
    again = direction_files.load_or_compute(model)
    assert torch.equal(vectors_of(first), vectors_of(again)) and scales_of(first) == scales_of(again)
    other = dataclasses.replace(model, hash="0" * 64)
    other.generator.mapping_network.layers[0].weight.data.mul_(2)
    assert scales_of(direction_files.load_or_compute(other)) != scales_of(first)


def test_directions_can_have_human_names(model):
    names = {"names": ["Size"], "names_zh": ["大小", 5]}
    (model.path / "directions.json").write_text(json.dumps(names))
    found = direction_files.load_or_compute(model)
    assert [d.title() for d in found][:2] == ["Size", "PC 2"]
    assert [d.title(chinese=True) for d in found][:2] == ["大小", "PC 2"]
    assert direction_files.load_or_compute(model).get("pc0").name_zh == "大小"


@pytest.mark.parametrize("data", [b"", b"x" * 100, b"\xff" * 9])
def test_damaged_directions_are_made_anew(model, data):
    first = direction_files.load_or_compute(model)
    (model.path / "directions.safetensors").write_bytes(data)
    (model.path / "directions.json").write_bytes(data)
    assert torch.equal(vectors_of(direction_files.load_or_compute(model)), vectors_of(first))


def direction(id="x", kind="sefa", layers="", size=8):
    return directions.Direction(id, kind, "X", torch.ones(size), 1.0, layers=layers)


@pytest.mark.parametrize(
    "wrong",
    [direction(size=3), direction(id="../x"), direction(kind="code"), direction(layers="99-99"), direction(layers="x")],
)
def test_unsound_directions_are_made_anew(model, wrong):
    direction_files.save_directions(model.path, [wrong], model.hash)
    found = direction_files.load_or_compute(model)
    assert found.get("pc0").vector.shape == (8,) and "x" not in found


def test_directions_of_an_earlier_version_are_read(model):
    found = directions.principal_directions(model, count=3)
    tensors = {"vectors": vectors_of(found), "scales": torch.tensor(scales_of(found))}
    save_file(tensors, model.path / "directions.safetensors", {"weights": model.hash})
    names = {"names": ["Size"], "names_zh": ["大小"], "weights": model.hash}
    (model.path / "directions.json").write_text(json.dumps(names))
    again = direction_files.load_or_compute(model)
    assert [d.id for d in again] == ["pc0", "pc1", "pc2"] and again.get("pc0").title(True) == "大小"
    assert torch.equal(vectors_of(again), vectors_of(found)) and scales_of(again) == scales_of(found)


def test_everything_about_a_direction_is_kept(model):
    made = directions.Direction(
        "sfc0", "sefa", "Ring", torch.eye(8)[2], 0.25, "环", "0-1", {"brightness": 0.5}, 0.75, True
    )
    direction_files.save_directions(model.path, [*directions.principal_directions(model), made], model.hash)
    found = direction_files.load_or_compute(model).get("sfc0")
    assert dataclasses.replace(found, vector=made.vector) == made and torch.equal(found.vector, made.vector)


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


@pytest.mark.parametrize("closed", [False, True])
def test_splines_are_exact_at_their_points_and_smooth_there(closed):
    torch.manual_seed(0)
    points, lengths = [torch.randn(1, 2, 8) for _ in range(4)], [1.0, 2.0, 0.5, 1.5][: 4 if closed else 3]
    spline = interpolation.Spline(points, lengths, closed)
    for segment in range(len(lengths)):
        assert torch.equal(spline.at(segment, 0), points[segment])
        assert torch.equal(spline.at(segment, 1), points[(segment + 1) % 4])
    joints = range(4) if closed else (1, 2)
    for joint in joints:
        before, after, e = joint - 1, joint, 1e-2
        if before < 0:
            before = len(lengths) - 1
        arriving = (spline.at(before, 1) - spline.at(before, 1 - e)) / (e * lengths[before])
        leaving = (spline.at(after, e) - spline.at(after, 0)) / (e * lengths[after])
        assert torch.allclose(arriving, leaving, atol=0.3)
        assert not torch.allclose(points[joint] - points[joint - 1], points[(joint + 1) % 4] - points[joint], atol=0.3)


def test_two_points_make_a_straight_spline_or_a_way_there_and_back():
    a, b = torch.zeros(1, 3), torch.ones(1, 3)
    assert torch.allclose(interpolation.Spline([a, b], [2.0], False).at(0, 0.25), torch.full((1, 3), 0.25))
    there = interpolation.Spline([a, b], [1.0, 1.0], True)
    assert torch.allclose(there.at(0, 0.3), there.at(1, 0.7))


def test_catmull_rom_goes_through_its_points_and_straight_on_a_line():
    points = [torch.full((1, 2), float(n)) for n in range(4)]
    assert torch.equal(interpolation.catmull_rom(*points, 0), points[1])
    assert torch.equal(interpolation.catmull_rom(*points, 1), points[2])
    assert torch.allclose(interpolation.catmull_rom(*points, 0.3), torch.full((1, 2), 1.3))


@pytest.mark.parametrize("radius", [0.1, 0.5, 1])
def test_circles_close_stay_on_the_sphere_and_reach_as_far_as_their_radius(radius):
    start = torch.randn(1, 64, generator=torch.Generator().manual_seed(0))
    circle = interpolation.Circle(start, 5, radius)
    assert torch.equal(circle.at(0), start) and torch.equal(circle.at(1), start)
    codes = torch.cat([circle.at(n / 60) for n in range(60)])
    assert torch.allclose(codes.norm(dim=1), start.norm().expand(60), rtol=1e-5)
    angles = torch.nn.functional.cosine_similarity(codes, start).clamp(-1, 1).acos().rad2deg()
    assert angles.max() == pytest.approx(90 * radius, abs=0.5) and angles.argmax() == 30
    sides = (codes - codes.roll(1, dims=0)).norm(dim=1)
    assert torch.allclose(sides, sides.mean().expand(60), rtol=1e-2)
    other = interpolation.Circle(start, 6, radius).at(0.25)
    assert not torch.allclose(other, circle.at(0.25), atol=0.1)


def test_strays_are_as_long_and_as_far_as_asked_each_its_own():
    start = torch.randn(1, 64, generator=torch.Generator().manual_seed(0))
    strays = torch.cat([interpolation.stray(start, 5, number, 1) for number in (1, 2)])
    assert torch.allclose(strays.norm(dim=1), start.norm().expand(2), rtol=1e-5)
    assert torch.nn.functional.cosine_similarity(strays, start).abs().max() < 1e-5
    assert torch.nn.functional.cosine_similarity(strays[:1], strays[1:]).abs() < 0.5
    assert torch.equal(interpolation.stray(start, 5, 2, 1), strays[1:])
