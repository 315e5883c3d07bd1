"""Maps: similar seeds side by side, the same map every time, and no work that nobody waits for."""

from __future__ import annotations

import time

import numpy as np
import pytest

from imagen_demo.errors import UserError
from imagen_demo.studio import maps
from imagen_demo.studio.maps import Layout, Maps, MapSpec, Waiting
from imagen_demo.studio.recipes import Studio


def two_clouds(count: int = 40) -> np.ndarray:
    """Features of two kinds, the first half of one."""
    random = np.random.default_rng(0)
    return (random.standard_normal((count, 6)) + np.repeat([[-9.0], [9.0]], count // 2, axis=0)).astype(np.float32)


def test_equal_features_give_equal_layouts():
    first, second = maps.arrange(two_clouds()), maps.arrange(two_clouds())
    assert np.array_equal(first.cloud, second.cloud) and np.array_equal(first.tidy, second.tidy)


def test_similar_ones_lie_side_by_side():
    layout = maps.arrange(two_clouds())
    for places in (layout.cloud, layout.tidy):
        far = np.linalg.norm(places[:, None] - places[None], axis=2)
        np.fill_diagonal(far, np.inf)
        same_kind = (far.argmin(axis=1) < 20) == (np.arange(40) < 20)
        assert same_kind.mean() > 0.85


def test_a_layout_fits_its_square_and_a_tidy_one_has_no_overlaps():
    layout = maps.arrange(two_clouds())
    assert np.abs(layout.cloud).max() <= 1 and np.abs(layout.tidy).max() <= 1
    assert len(np.unique(layout.tidy, axis=0)) == 40


def test_pictures_that_are_all_alike_still_have_places():
    layout = maps.arrange(np.ones((20, 4), np.float32))
    assert len(np.unique(layout.cloud, axis=0)) == 20


@pytest.mark.parametrize("by", maps.MEASURES)
@pytest.mark.parametrize("channels", [3, 4])
def test_seeds_are_measured_one_row_each(workspace, make_model, by, channels):
    make_model("tiny", channels=channels)
    features = maps.measure(Studio(workspace), MapSpec("tiny", first=5, count=20, by=by))
    assert len(features) == 20 and np.isfinite(features).all() and features.std(axis=0).any()
    later = maps.measure(Studio(workspace), MapSpec("tiny", first=9, count=16, by=by))
    assert np.array_equal(features[4:], later)  # a seed means the same on every map


def test_around_a_seed_is_mostly_that_seed_and_between_two_is_both():
    spec, places = MapSpec("tiny", first=10, count=16), np.array([[i / 8 - 1, 0] for i in range(16)], np.float32)
    assert maps.around(spec, places, (-1.0, 0.0)).seeds[0] == (10, pytest.approx(1, abs=0.1))
    between = dict(maps.around(spec, places, (3 / 16 - 1, 0.0)).seeds)
    assert between[11] == between[12] > 0.3


def test_around_blends_within_one_class():
    spec, places = MapSpec("tiny", count=16), np.array([[i / 8 - 1, 0] for i in range(16)], np.float32)
    blend = maps.around(spec, places, (-1.0, 0.0), classes=2)
    assert blend.label == 0 and all(seed % 2 == 0 for seed, _ in blend.seeds)
    assert {recipe.label for recipe in spec.recipes(2)} == {0, 1} and spec.recipes()[0].label is None


@pytest.mark.parametrize("wrong", [{"count": 10**6}, {"count": 3}, {"first": -1}, {"by": "smell"}, {"psi": "x"},
                                   {"model": "../x"}, {"label": "a"}, {"by": ["w"]}])  # fmt: skip
def test_nonsense_is_refused(wrong):
    with pytest.raises(UserError):
        MapSpec(**{"model": "tiny"} | wrong)


def test_a_large_picture_is_drawn_once_for_its_map(workspace, make_model, monkeypatch):
    make_model("tiny", resolution=128)
    studio = Studio(workspace)
    server, drawn, draw = Maps(studio), [], Studio.render_array
    monkeypatch.setattr(Studio, "render_array", lambda self, recipe: drawn.append(recipe) or draw(self, recipe))
    spec = MapSpec("tiny", count=16, by="look")
    assert all(server.small(recipe).shape == (maps.THUMB, maps.THUMB, 3) for recipe in spec.recipes())
    asked(server, spec)
    assert len(drawn) == 16


def asked(server: Maps, spec: MapSpec) -> Layout:
    until = time.monotonic() + 60
    while isinstance(answer := server.ask(spec), Waiting):
        assert time.monotonic() < until
        time.sleep(0.02)
    return answer


def test_a_server_makes_each_map_once(workspace, tiny_model_folder, monkeypatch):
    made, arrange = [], maps.arrange
    monkeypatch.setattr(maps, "arrange", lambda features: made.append(1) or arrange(features))
    server, spec = Maps(Studio(workspace)), MapSpec("tiny", count=16)
    assert isinstance(server.ask(spec), Waiting)
    first = asked(server, spec)
    assert asked(server, MapSpec("tiny", count=16)) is first and len(made) == 1
    asked(server, MapSpec("tiny", count=16, by="look"))
    assert len(made) == 2


def test_work_that_nobody_waits_for_stops(workspace, tiny_model_folder, monkeypatch):
    monkeypatch.setattr(maps, "PATIENCE", -1.0)  # whoever asked has gone
    monkeypatch.setattr(maps, "arrange", lambda features: pytest.fail("nobody asked any more"))
    server = Maps(Studio(workspace))
    server.ask(MapSpec("tiny", count=16))
    worker = server._worker
    if worker:
        worker.join(30)
    assert not server._waiting and not server._done


def test_what_went_wrong_is_said_once(workspace, tiny_model_folder):
    server, spec = Maps(Studio(workspace)), MapSpec("tiny", count=16, label=5)
    with pytest.raises(UserError, match="class"):
        asked(server, spec)
