"""When a film is where: frames -> places on its way, timed by segments, at an even speed, or driven by a sound.

An even speed means equal visual steps: the change between neighbouring frames, by ``media/perceived.py``, is the
same all along. The way is measured on pictures drawn at the model's own size, more of them where it changes fast, and
run through by the length that was measured (the curve reparametrised by arc length).
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from imagen_demo.latent.interpolation import ease
from imagen_demo.media.audio import MOMENTS, Sound
from imagen_demo.media.perceived import change
from imagen_demo.studio.timeline import Timeline

Look = tuple[np.ndarray, ...]
FIRST, MOST = 9, 49  # places a segment is measured at: to begin with, and at most
STRETCH = (5, 17)  # places a stretch of a walk is measured at: one for every other frame, within these
SHORTEST = 0.25  # seconds a stretch of a walk lasts at least: faster would be a flicker, and endless to measure


@dataclass(frozen=True)
class Arc:
    """One segment's way, measured: at the part ``u[i]`` of it, ``lengths[i]`` of visual change lie behind."""

    u: np.ndarray
    lengths: np.ndarray

    @property
    def total(self) -> float:
        return float(self.lengths[-1])

    def at(self, length: float) -> float:
        """The part of the segment with that much change behind it; smooth, rising, exact at both ends."""
        if length <= 0:
            return 0.0
        return 1.0 if length >= self.total else float(np.interp(length, self.lengths, self.u))


def measure(look_at: Callable[[float], Look], first: int = FIRST, most: int = MOST) -> Arc:
    """Measure a segment: ``look_at(u)`` is how it looks at u. The largest step is halved until none stands out."""
    looks = {float(u): look_at(float(u)) for u in np.linspace(0, 1, first)}
    steps = [(-change(looks[a], looks[b]), a, b) for a, b in itertools.pairwise(sorted(looks))]
    heapq.heapify(steps)
    while len(looks) < most and -steps[0][0] > 1.5 * -sum(s for s, _, _ in steps) / most:
        _, a, b = heapq.heappop(steps)
        middle = (a + b) / 2
        looks[middle] = look_at(middle)
        for left, right in ((a, middle), (middle, b)):
            heapq.heappush(steps, (-change(looks[left], looks[right]), left, right))
    u = sorted(looks)
    lengths = [0.0, *itertools.accumulate(change(looks[a], looks[b]) for a, b in itertools.pairwise(u))]
    return Arc(np.array(u), np.array(lengths))


@dataclass(frozen=True)
class Pace:
    """``place(frame)`` -> (segment, part of it). Keyframes fall on whole frames, so that they are shown exactly.

    ``clock[f]``: how far the film is at frame f, in frames of a film without sound. ``knots[k]``: keyframe k's frame.
    """

    clock: np.ndarray
    knots: tuple[int, ...]
    easings: tuple[str, ...]
    arcs: tuple[Arc, ...] = ()

    def place(self, frame: float) -> tuple[int, float]:
        segment = int(np.searchsorted(self.knots, frame, side="right")) - 1
        if segment >= len(self.knots) - 1:
            return len(self.knots) - 2, 1.0
        start, end = self.knots[segment], self.knots[segment + 1]
        if frame == start:
            return segment, 0.0
        now, first, last = np.interp([frame, start, end], np.arange(len(self.clock)), self.clock)
        part = float((now - first) / (last - first))
        if self.arcs:
            arc = self.arcs[segment]
            return segment, arc.at(part * arc.total) if arc.total > 0 else part
        return segment, ease(part, self.easings[segment])


@dataclass(frozen=True)
class WalkPace:
    """A walk's ``place(frame)``: as far along its stretches as its speed and the clock say. Always even."""

    clock: np.ndarray
    per_frame: float  # change
    arcs: tuple[Arc, ...]
    ends: np.ndarray  # change behind the end of each stretch

    def place(self, frame: float) -> tuple[int, float]:
        length = self.per_frame * float(np.interp(frame, np.arange(len(self.clock)), self.clock))
        segment = min(int(np.searchsorted(self.ends, length, side="right")), len(self.arcs) - 1)
        behind = float(self.ends[segment - 1]) if segment else 0.0
        return segment, self.arcs[segment].at(length - behind)


def last_frame(timeline: Timeline) -> int:
    """The frame on the last keyframe: of a film that returns, the one after its last."""
    return timeline.count - (not timeline.returns)


def clock_of(timeline: Timeline, sound: Sound | None) -> np.ndarray:
    """float64 [last frame + 1]: from 0 to the last frame, evenly or as the sound drives it, evenly after its end."""
    last = last_frame(timeline)
    if sound is None or timeline.react == 0:
        return np.arange(last + 1, dtype=np.float64)
    drive = sound.drive()
    middles = (np.arange(last) + 0.5) / timeline.fps
    speed = np.interp(middles, np.arange(len(drive)) / MOMENTS, drive, right=1.0)
    speed = 1 - timeline.react + timeline.react * speed
    clock = np.concatenate([[0.0], np.cumsum(speed)])
    return clock * (last / clock[-1])


def timed(timeline: Timeline, clock: np.ndarray) -> Pace:
    """By the lengths and easings of the segments. A noise loop is one segment without easing."""
    if timeline.kind == "loop":
        return Pace(clock, (0, len(clock) - 1), ("linear",))
    return Pace(clock, _knots(clock, timeline.seconds), timeline.easings)


def even(timeline: Timeline, clock: np.ndarray, arcs: tuple[Arc, ...]) -> Pace:
    """At one speed through the measured segments."""
    totals = [arc.total for arc in arcs]
    shares = totals if sum(totals) > 0 else [1.0] * len(arcs)
    return Pace(clock, _knots(clock, shares), timeline.easings, arcs)


def _knots(clock: np.ndarray, shares: tuple[float, ...] | list[float]) -> tuple[int, ...]:
    """Each keyframe's frame: nearest to its share of the clock, at least one frame after the one before."""
    last, total = len(clock) - 1, float(np.sum(shares))
    wanted = np.concatenate([[0.0], np.cumsum(shares)]) / total * last
    frames = np.round(np.interp(wanted, clock, np.arange(last + 1))).astype(int)
    frames[-1] = last
    for k in range(1, len(frames) - 1):
        frames[k] = max(frames[k], frames[k - 1] + 1)
    for k in range(len(frames) - 2, -1, -1):
        frames[k] = min(frames[k], frames[k + 1] - 1)
    return tuple(int(f) for f in frames)


def walk(
    timeline: Timeline, clock: np.ndarray, unit: float, look_at: Callable[[int, float], Look],
    tell: Callable[[], None] = lambda: None,
) -> WalkPace:  # fmt: skip
    """Measure a walk as far as it will go; ``unit`` is the change from one picture to any other.

    ``tell`` is called after each stretch, and may end it all by raising.

    Its speed is less than asked for where stretches would be shorter than :data:`SHORTEST`.
    """
    per_frame = timeline.speed * unit / timeline.fps
    needed, arcs, ends = per_frame * float(clock[-1]), [], []
    places, most = STRETCH[1], 1 + int(timeline.count / timeline.fps / SHORTEST)
    while not arcs or (ends[-1] < needed and len(arcs) < most):
        segment = len(arcs)
        arc = measure(lambda u, segment=segment: look_at(segment, u), places, places)
        arcs.append(arc)
        ends.append((ends[-1] if ends else 0.0) + arc.total)
        tell()
        if segment == 0 and per_frame > 0:
            places = int(np.clip(arc.total / per_frame / 2, *STRETCH))
    return WalkPace(clock, min(per_frame, ends[-1] / float(clock[-1])), tuple(arcs), np.array(ends))
