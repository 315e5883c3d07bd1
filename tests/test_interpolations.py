"""A film shows its keyframes' own pictures, closes where it should, goes evenly, and is complete or absent."""

import itertools
from dataclasses import replace

import av
import numpy as np
import pytest
from sounds import write_beats
from tiny import save_tiny_model

from imagen_demo.errors import Cancelled, UserError
from imagen_demo.media.audio import read_sound
from imagen_demo.media.formats import FORMATS
from imagen_demo.media.perceived import change, look
from imagen_demo.studio import interpolations, library, pacing
from imagen_demo.studio.recipes import Recipe, Studio
from imagen_demo.studio.timeline import KINDS, MAX_LINK, Timeline, from_file
from imagen_demo.workspace import Workspace


@pytest.fixture(scope="module")
def studio(tmp_path_factory):
    workspace = Workspace(tmp_path_factory.mktemp("studio"))
    save_tiny_model(workspace.checkpoints / "m", num_classes=2)
    save_tiny_model(workspace.checkpoints / "alpha", channels=4)
    return Studio(workspace, "cpu")


KEYS = (
    Recipe("m", seeds=((1, 1),), psi=0.7, label=0, fine_seeds=((9, 1),), split=2),
    Recipe("m", seeds=((2, 1), (3, 2)), label=1, directions=(("pc0", 2.0, "1-2"),), psi_layers=(1, 0.5)),
    Recipe("m", seeds=((4, 1),), class_mix=((0, 1), (1, 3)), fine_seeds=((5, 1), (6, 1)), split=1, centre="nearest"),
)
STEADY = {"easings": "linear"}


def drawn(studio, timeline, sound=None):
    return list(interpolations.prepare(studio, timeline, sound).frames())


def steps(frames):
    looks = [look(frame) for frame in frames]
    return np.array([change(a, b) for a, b in itertools.pairwise(looks)])


@pytest.mark.parametrize("shares", [(2.0, 0.05), (0.05, 2.0), (1.0, 1e-6, 1e-6), (1e-6, 1e-6, 1e-6, 1.0)])
def test_every_keyframe_has_a_frame_however_short_its_segment(shares):
    knots = pacing._knots(np.arange(20.0), shares)
    assert len(knots) == len(shares) + 1 and (knots[0], knots[-1]) == (0, 19)
    assert all(a < b for a, b in itertools.pairwise(knots))


@pytest.mark.parametrize("even", [False, True])
@pytest.mark.parametrize("closed", [False, True])
@pytest.mark.parametrize("kind", ["w", "z", "spline"])
def test_frames_on_keyframes_are_their_own_pictures(studio, kind, closed, even):
    timeline = Timeline(KEYS, kind, (1, 2, 0.5)[: 3 if closed else 2], closed=closed, even=even, fps=7)
    film = interpolations.prepare(studio, timeline)
    frames, knots = list(film.frames()), [round(second * 7) for second in film.knots()]
    assert len(frames) == film.count and len(knots) == (4 if closed else 3)
    for key, knot in zip(KEYS, knots, strict=False):
        assert np.array_equal(frames[knot], studio.render_array(key))
    if not even:
        assert knots[1] in (6, 7) and knots[2] in (20, 21)


@pytest.mark.parametrize("kind", ["w", "z"])
def test_neighbours_are_near_also_at_keyframes(studio, kind):
    found = steps(drawn(studio, Timeline(KEYS, kind, 10, fps=10, **STEADY)))
    assert found.max() < 5 * np.median(found)


def test_each_kind_goes_its_own_way(studio):
    middles = [drawn(studio, Timeline(KEYS, kind, 1, fps=8))[5].tobytes() for kind in KINDS]
    assert len(set(middles)) == len(KINDS)


@pytest.mark.parametrize(("kind", "closed"), [("w", True), ("z", True), ("spline", True), ("loop", False)])
def test_what_returns_ends_one_step_before_its_beginning(studio, kind, closed):
    timeline = Timeline(KEYS, kind, 2, closed=closed, even=True, fps=12)
    frames = drawn(studio, timeline)
    closing = change(look(frames[-1]), look(frames[0]))
    assert 0.3 * np.median(steps(frames)) < closing < 2 * np.median(steps(frames))
    assert np.array_equal(frames[0], studio.render_array(KEYS[0]))


@pytest.mark.parametrize("kind", KINDS)
def test_even_speed_makes_equal_visible_steps(studio, kind):
    keys = tuple(Recipe("alpha", seeds=((seed, 1),)) for seed in (1, 2, 3))
    timeline = Timeline(keys, kind, (1, 3), even=True, fps=12, radius=1, speed=1)
    found = steps(drawn(studio, timeline))
    assert found.std() < 0.2 * found.mean()
    if kind in ("w", "z", "spline"):
        usual = steps(drawn(studio, replace(timeline, even=False)))
        assert found.std() / found.mean() < 0.5 * usual.std() / usual.mean()


def test_a_walk_goes_as_far_as_its_speed_says_and_another_seed_elsewhere(studio):
    walk = Timeline(KEYS[:1], "walk", 2, fps=10, speed=0.5, radius=1)
    slow, fast = (steps(drawn(studio, replace(walk, speed=speed))) for speed in (0.5, 1))
    assert 1.7 < fast.sum() / slow.sum() < 2.3
    unit = interpolations.usual_change(studio, studio.model("m"), KEYS[0])
    assert slow.sum() == pytest.approx(0.5 * 1.9 * unit, rel=0.2)
    one, other = (drawn(studio, replace(walk, seed=seed))[15] for seed in (1, 2))
    assert not np.array_equal(one, other)


def test_a_walk_that_would_flicker_goes_slower(studio):
    walk = Timeline(KEYS[:1], "walk", 2, fps=10, speed=5, radius=0.01)
    film = interpolations.prepare(studio, walk)
    assert len(film.pace.arcs) <= 9 and film.pace.place(19) == (8, 1.0)


def test_a_noise_loop_stays_as_near_as_its_radius(studio):
    key = Recipe("m", seeds=((1, 1),), label=0)
    start = look(studio.render_array(key))
    small, large = (
        max(change(look(frame), start) for frame in drawn(studio, Timeline((key,), "loop", radius=radius, fps=8)))
        for radius in (0.1, 1)
    )
    assert small < 0.5 * large


@pytest.mark.parametrize("kind", KINDS)
def test_films_are_deterministic(studio, kind):
    timeline = Timeline(KEYS, kind, 1, even=True, fps=6)
    first, again = drawn(studio, timeline), drawn(Studio(studio.workspace, "cpu"), timeline)
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))


def test_a_sound_drives_the_film_and_keyframes_stay_exact(studio, tmp_path):
    sound = read_sound(write_beats(tmp_path / "beats.wav", seconds=4, beats=(2.0, 2.5, 3.0)))
    keys = tuple(replace(key, model="alpha", label=None, class_mix=(), centre="mean") for key in KEYS)
    timeline = Timeline(keys, "spline", 2, even=True, fps=15, sound=sound.hash, react=1)
    film = interpolations.prepare(studio, timeline, sound)
    frames = list(film.frames())
    for key, second in zip(keys, film.knots(), strict=True):
        assert np.array_equal(frames[min(round(second * 15), 59)], studio.render_array(key))
    found = steps(frames)
    assert found[30:].sum() > 2 * found[:29].sum()  # the beats are in the second half
    with pytest.raises(UserError, match="sound that is not here"):
        interpolations.prepare(studio, timeline)


@pytest.mark.parametrize("model", ["m", "alpha"])
def test_write(studio, tmp_path, model):
    heard = []
    keys = (Recipe(model, seeds=((1, 1),)), Recipe(model, seeds=((2, 1),)))
    timeline = Timeline(keys, seconds=0.5, fps=20, size=64)
    interpolations.write(studio, timeline, tmp_path / "v.mp4", lambda fraction, text: heard.append((fraction, text)))
    with av.open(str(tmp_path / "v.mp4")) as container:
        frames = list(container.decode(video=0))
        comment = container.metadata["comment"]
    assert len(frames) == 10 and frames[0].width == 64
    assert f"; t={interpolations.pinned(studio, timeline).to_link()};" in comment
    assert heard[0] == (0.0, "0/10 frames") and heard[-1] == (1.0, "10/10 frames")
    assert [fraction for fraction, _ in heard] == sorted(fraction for fraction, _ in heard)


@pytest.mark.parametrize("format", FORMATS)
def test_a_films_file_gives_its_timeline_back(studio, tmp_path, format):
    timeline = Timeline(
        KEYS, "spline", (0.2, 0.4, 0.3), ("linear", "smooth", "cubic"), True, fps=10, size=32, format=format, seed=7
    )
    for name in ("film", "again"):
        interpolations.write(studio, timeline, tmp_path / name)
    assert from_file(tmp_path / "film") == interpolations.pinned(studio, timeline)
    if format not in ("webm", "frames"):  # WebM has numbers drawn by chance in it, a zip the time
        assert (tmp_path / "film").read_bytes() == (tmp_path / "again").read_bytes()


def test_a_link_too_long_to_open_is_left_out(studio, tmp_path):
    chance = np.random.default_rng(0)

    def blend():
        return tuple((int(chance.integers(2**32)), float(chance.uniform(0.1, 1))) for _ in range(8))

    keys = tuple(replace(KEYS[0], seeds=blend(), fine_seeds=blend()) for _ in range(64))
    timeline = Timeline(keys, seconds=0.05, fps=1, format="gif", size=16)
    assert len(timeline.to_link()) > MAX_LINK
    interpolations.write(studio, timeline, tmp_path / "film.gif")
    assert from_file(tmp_path / "film.gif") is None
    assert b"AI-generated film" in (tmp_path / "film.gif").read_bytes()


def test_pictures_of_two_models_that_had_one_name_make_no_film(workspace, make_model):
    make_model("cats")
    studio = Studio(workspace, "cpu")
    old = studio.pinned(Recipe("cats"))
    library.rename(workspace, "cats", "cats-old")
    save_tiny_model(workspace.checkpoints / "cats", seed=5)
    with pytest.raises(UserError, match="must come from one model"):
        interpolations.prepare(studio, Timeline((old, studio.pinned(Recipe("cats")))))


@pytest.mark.parametrize("format", ["mp4", "gif", "frames"])
def test_cancel_leaves_no_file(studio, tmp_path, format):
    def cancel(fraction, text):
        if fraction > 0.5:
            raise Cancelled

    with pytest.raises(Cancelled):
        interpolations.write(studio, Timeline(KEYS, seconds=0.5, format=format, size=32), tmp_path / "v", cancel)
    assert not list(tmp_path.iterdir())


def test_cancel_is_heard_while_the_way_is_measured(studio, tmp_path):
    def cancel(fraction, text):
        raise Cancelled

    for kind in ("w", "walk"):
        with pytest.raises(Cancelled):
            interpolations.prepare(studio, Timeline(KEYS, kind, even=True), progress=cancel)
