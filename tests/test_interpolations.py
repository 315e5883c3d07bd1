"""A video starts and ends on its keyframes' own pictures, and is complete or absent."""

import itertools

import av
import numpy as np
import pytest
from tiny import save_tiny_model

from imagen_demo.errors import Cancelled, UserError
from imagen_demo.studio import interpolations
from imagen_demo.studio.interpolations import Interpolation
from imagen_demo.studio.recipes import Recipe, Studio
from imagen_demo.workspace import Workspace


@pytest.fixture
def studio(tmp_path):
    workspace = Workspace(tmp_path)
    save_tiny_model(workspace.checkpoints / "m", num_classes=2)
    save_tiny_model(workspace.checkpoints / "alpha", channels=4)
    return Studio(workspace, "cpu")


KEYS = (
    Recipe("m", seeds=((1, 1),), psi=0.7, label=0),
    Recipe("m", seeds=((2, 1), (3, 2)), label=1, directions=((0, 2.0),)),
    Recipe("m", seeds=((4, 1),), fine_seeds=((9, 1),), split=2, psi=-0.5, class_mix=((0, 1), (1, 2)), centre="nearest"),
)


@pytest.mark.parametrize("space", ["w", "z"])
@pytest.mark.parametrize("easing", ["linear", "smooth", "cubic"])
def test_frames_on_keyframes_are_their_own_pictures(studio, space, easing):
    frames = list(interpolations.frames(studio, Interpolation(KEYS, space, easing, seconds=0.9, fps=10)))
    assert len(frames) == 9
    for index, key in ((0, KEYS[0]), (4, KEYS[1]), (8, KEYS[2])):
        assert np.array_equal(frames[index], studio.render_array(key))


@pytest.mark.parametrize("space", ["w", "z"])
def test_neighbours_are_near_also_at_keyframes(studio, space):
    frames = list(interpolations.frames(studio, Interpolation(KEYS, space, "linear", seconds=20, fps=10)))
    steps = [np.abs(a.astype(int) - b.astype(int)).mean() for a, b in itertools.pairwise(frames)]
    assert max(steps) < 4 * np.median(steps)


def test_z_and_w_go_different_ways(studio):
    middle = [list(interpolations.frames(studio, Interpolation(KEYS[:2], space)))[60] for space in ("w", "z")]
    assert not np.array_equal(*middle)


def test_loop_comes_back(studio):
    loop = Interpolation(KEYS, easing="linear", seconds=1.2, fps=10, loop=True)
    frames = list(interpolations.frames(studio, loop))
    assert len(frames) == 12
    for index in range(3):
        assert np.array_equal(frames[4 * index], studio.render_array(KEYS[index]))


def test_filmstrip_shows_the_whole_way(studio):
    strip = list(interpolations.filmstrip(studio, Interpolation(KEYS), count=5))
    assert len(strip) == 5
    for frame, key in ((strip[0], KEYS[0]), (strip[2], KEYS[1]), (strip[4], KEYS[2])):
        assert np.array_equal(frame, studio.render_array(key))


@pytest.mark.parametrize("model", ["m", "alpha"])
def test_write(studio, tmp_path, model):
    heard = []
    keys = (Recipe(model, seeds=((1, 1),)), Recipe(model, seeds=((2, 1),)))
    film = Interpolation(keys, seconds=0.5, fps=20)
    interpolations.write(studio, film, tmp_path / "v.mp4", lambda fraction, text: heard.append((fraction, text)), 64)
    with av.open(str(tmp_path / "v.mp4")) as container:
        frames = list(container.decode(video=0))
    assert len(frames) == 10 and frames[0].width == 64
    assert heard[0] == (0.0, "0/10 frames") and heard[-1] == (1.0, "10/10 frames")
    assert [fraction for fraction, _ in heard] == sorted(fraction for fraction, _ in heard)


def test_cancel_leaves_no_file(studio, tmp_path):
    def cancel(fraction, text):
        if fraction > 0.5:
            raise Cancelled

    before = set(tmp_path.iterdir())
    with pytest.raises(Cancelled):
        interpolations.write(studio, Interpolation(KEYS, seconds=0.5), tmp_path / "v.mp4", cancel)
    assert set(tmp_path.iterdir()) == before


@pytest.mark.parametrize(
    "values",
    [{"recipes": KEYS[:1]}, {"recipes": KEYS * 30}, {"recipes": (KEYS[0], Recipe("other"))}, {"space": "x"},
     {"easing": "jump"}, {"seconds": 0}, {"seconds": float("nan")}, {"seconds": 1e9}, {"fps": 0}, {"fps": 1000}],
)  # fmt: skip
def test_nonsense_is_refused(values):
    with pytest.raises(UserError):
        Interpolation(**({"recipes": KEYS} | values))
