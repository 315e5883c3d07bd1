"""A timeline drawn: its frames one after the other, and films of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path

import numpy as np

from imagen_demo.errors import UserError
from imagen_demo.media.audio import Sound
from imagen_demo.media.perceived import change, look
from imagen_demo.media.video import write_film
from imagen_demo.models.folder import Model
from imagen_demo.progress import Progress, silent
from imagen_demo.studio import pacing
from imagen_demo.studio.recipes import Recipe, Studio
from imagen_demo.studio.timeline import MADE, MARK, MAX_LINK, Timeline
from imagen_demo.studio.ways import Way, way_of

STRANGERS = 6  # pictures that say how different two pictures of a model are
MEASURING = "Measuring the way"


@dataclass(frozen=True)
class Film:
    """A timeline ready to be drawn. ``count`` frames; :meth:`frame` draws any of them, each always the same.

    The whole film has its first keyframe's noise: detail that changed from frame to frame would flicker.
    """

    studio: Studio
    model: Model
    timeline: Timeline
    way: Way
    pace: pacing.Pace | pacing.WalkPace

    @property
    def count(self) -> int:
        return self.timeline.count

    def frame(self, number: float) -> np.ndarray:
        """uint8 [H, W, C] at the model's own size. A frame on a keyframe of the film's noise is its very picture."""
        noise = self.timeline.recipes[0].noise
        return self.studio.draw(self.model, self.way.at(*self.pace.place(number)), noise=noise)

    def frames(self) -> Iterator[np.ndarray]:
        """All of them, each drawn when asked for."""
        return (self.frame(number) for number in range(self.count))

    def knots(self) -> list[float]:
        """The second of each keyframe, and of the end."""
        if isinstance(self.pace, pacing.WalkPace):
            return [0.0, self.count / self.timeline.fps]
        return [knot / self.timeline.fps for knot in self.pace.knots]


def prepare(studio: Studio, timeline: Timeline, sound: Sound | None = None, progress: Progress = silent) -> Film:
    """Look up the models, and where the speed is to be even, measure the way.

    Raises:
        UserError: as :meth:`Studio.render_array`, or the timeline's sound is not the one given.
        Cancelled: from ``progress``.
    """
    if timeline.sound and (sound is None or sound.hash != timeline.sound):
        raise UserError("This film moves to a sound that is not here; add the sound file again, or remove it.")
    models = [studio.model_for(recipe) for recipe in timeline.recipes]
    model = models[0]
    if any(other.hash != model.hash for other in models):  # of one name once, and of two today
        raise UserError("All pictures of an interpolation must come from one model.")
    way = way_of(studio, model, timeline)
    clock = pacing.clock_of(timeline, sound if timeline.sound else None)

    def look_at(segment: int, u: float) -> pacing.Look:
        return look(studio.draw(model, way.at(segment, u), noise=timeline.recipes[0].noise))

    if timeline.kind == "walk":
        unit = usual_change(studio, model, timeline.recipes[0])
        pace = pacing.walk(timeline, clock, unit, look_at, lambda: progress(0.0, MEASURING))
    elif timeline.even:
        arcs = []
        for segment in range(1 if timeline.kind == "loop" else timeline.segments):
            progress(0.0, MEASURING)
            arcs.append(pacing.measure(lambda u, segment=segment: look_at(segment, u)))
        pace = pacing.even(timeline, clock, tuple(arcs))
    else:
        pace = pacing.timed(timeline, clock)
    return Film(studio, model, timeline, way, pace)


def usual_change(studio: Studio, model: Model, recipe: Recipe) -> float:
    """How different two pictures of the recipe with other seeds look: the mean over pairs of a few."""
    others = [replace(recipe, seeds=((seed, 1.0),)) for seed in range(STRANGERS)]
    looks = [look(studio.draw(model, studio.latent(other, model))) for other in others]
    return float(np.mean([change(a, b) for a, b in combinations(looks, 2)]))


def write(
    studio: Studio,
    timeline: Timeline,
    out: Path,
    progress: Progress = silent,
    sound: Sound | None = None,
) -> Film:
    """The film as the timeline says, streamed to disk frame by frame. Returns what was drawn.

    Raises:
        UserError: as :func:`prepare` and :func:`write_film`.
        Cancelled: from ``progress``; no file is left.
    """
    film = prepare(studio, timeline, sound, progress)
    write_film(
        _told(film, progress), out, timeline.fps, timeline.format, timeline.size or timeline.recipes[0].size,
        timeline.background, sound if timeline.sound else None, film.count / timeline.fps, _notes(studio, timeline),
    )  # fmt: skip
    return film


def _told(film: Film, progress: Progress) -> Iterator[np.ndarray]:
    """The frames, with a word of progress before each."""
    for done, frame in enumerate(film.frames()):
        progress(done / film.count, f"{done}/{film.count} frames")
        yield frame
    progress(1.0, f"{film.count}/{film.count} frames")


def _notes(studio: Studio, timeline: Timeline) -> str:
    """What a file says about itself: where it is from, and the timeline that makes it again."""
    link = pinned(studio, timeline).to_link()
    return f"{MARK}{link}; drop it on Interpolate to change it" if len(link) <= MAX_LINK else MADE


def pinned(studio: Studio, timeline: Timeline) -> Timeline:
    """With today's model hash in every recipe: for links and files that must not change later."""
    return replace(timeline, recipes=tuple(studio.pinned(recipe) for recipe in timeline.recipes))
