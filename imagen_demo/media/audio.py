"""A sound file in: how loud it is and where it begins anew, moment by moment; and the sound of a film out.

The file comes from anybody. FFmpeg's demuxers for playlists could be made to open other files and addresses,
so only those for plain sound and film files are allowed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.container import OutputContainer

from imagen_demo.errors import UserError

MAX_SECONDS = 600.0
MAX_BYTES = 200 * 1024**2
RATE = 22_050  # samples a second, for listening
HOP = 512  # samples between two moments
WINDOW = 1024  # samples a spectrum is taken of
MOMENTS = RATE / HOP  # a second, 43
FLOOR = -50.0  # decibels below the loudest moment that count as silence
KICK = 0.18  # seconds in which a beat dies away
FADE = 0.25  # seconds in which a sound that is cut fades out
FILM_RATE = 48_000  # samples a second in a film
# No playlists (hls, concat, dash), no devices, no pictures; by FFmpeg's names.
_DEMUXERS = "aac,ac3,aiff,amr,ape,asf,au,avi,caf,flac,flv,matroska,mp3,mov,mpeg,mpegts,ogg,opus,tta,voc,w64,wav,wv"


@dataclass(frozen=True)
class Sound:
    """A sound file and what is heard in it, :data:`MOMENTS` values a second.

    ``loudness`` float32 [N] in [0, 1], from silence to the loudest; ``beats`` seconds of the onsets; ``hash``
    the first 16 digits of the file's SHA-256.
    """

    path: Path
    hash: str
    seconds: float
    loudness: np.ndarray
    beats: tuple[float, ...]

    def drive(self) -> np.ndarray:
        """float64 [N], mean 1: how fast a film should go at each moment; loud moments and beats are fast."""
        curve = 0.15 + self.loudness.astype(np.float64)
        times = np.arange(len(curve)) / MOMENTS
        for beat in self.beats:
            first = int(np.ceil(beat * MOMENTS))
            tail = slice(first, min(len(curve), first + int(5 * KICK * MOMENTS)))
            curve[tail] += 2 * np.exp(-(times[tail] - beat) / KICK)
        return curve / curve.mean()


def file_hash(path: Path) -> str:
    """The first 16 digits of the file's SHA-256."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:16]


def read_sound(path: Path, name: str | None = None) -> Sound:
    """Listen to a file, from anyone; ``name`` is what to call it in sentences.

    Raises:
        UserError: not a sound, none in it, only silence, too long or too large.
    """
    path, name = Path(path), name or Path(path).name
    if path.stat().st_size > MAX_BYTES:
        raise UserError("{name} is too large; a sound can have {most} MB.", name=name, most=MAX_BYTES // 1024**2)
    samples = _samples(path, name)
    loudness = _loudness(samples)
    if not loudness.any():
        raise UserError("{name} is silent; there is nothing in it to move to.", name=name)
    return Sound(path, file_hash(path), len(samples) / RATE, loudness, tuple(_beats(samples)))


def _samples(path: Path, name: str) -> np.ndarray:
    """float32 [N], mono, :data:`RATE` samples a second."""
    parts, count = [], 0
    try:
        for chunk in _decoded(path, RATE, "mono"):
            parts.append(chunk[0])
            count += chunk.shape[1]
            if count > MAX_SECONDS * RATE:
                raise UserError("{name} is longer than {minutes} min; cut it first.",
                                name=name, minutes=int(MAX_SECONDS // 60))  # fmt: skip
    except _NoSound:
        raise UserError("There is no sound in {name}.", name=name) from None
    except (av.FFmpegError, ValueError, OSError):
        if not count:
            raise UserError("{name} cannot be read as a sound file.", name=name) from None
        # a damaged end: what came before it is a sound
    if count < RATE // 10:
        raise UserError("There is no sound in {name}.", name=name)
    return np.nan_to_num(np.concatenate(parts), posinf=0, neginf=0).clip(-4, 4)


class _NoSound(Exception):
    pass


def _decoded(path: Path, rate: int, layout: str) -> Iterator[np.ndarray]:
    """float32 [channels, n] pieces of the file's first sound; the file may be damaged or hostile."""
    options = {"format_whitelist": _DEMUXERS, "protocol_whitelist": "file"}
    with open(path, "rb") as file, av.open(file, options=options) as container:
        if not container.streams.audio:
            raise _NoSound
        stream = container.streams.audio[0]
        resampler = av.AudioResampler(format="fltp", layout=layout, rate=rate)
        for frame in container.decode(stream):
            frame.pts = None  # gaps and jumps of damaged files are closed
            for piece in resampler.resample(frame):
                yield piece.to_ndarray()
        for piece in resampler.resample(None):
            yield piece.to_ndarray()


def _loudness(samples: np.ndarray) -> np.ndarray:
    """The root mean square around each moment, in decibels below the loudest, [0, 1]."""
    count = 1 + len(samples) // HOP
    energy = np.concatenate([[0.0], np.cumsum(samples.astype(np.float64) ** 2)])
    middle = np.arange(count) * HOP
    start, end = np.clip(middle - HOP, 0, len(samples)), np.clip(middle + HOP, 0, len(samples))
    power = (energy[end] - energy[start]) / np.maximum(1, end - start)
    loudest = power.max()
    if loudest < 1e-8:  # -80 dB: noise of the converter
        return np.zeros(count, np.float32)
    decibels = 10 * np.log10(np.maximum(power / loudest, 1e-12))
    return np.clip(1 - decibels / FLOOR, 0, 1).astype(np.float32)


def _beats(samples: np.ndarray) -> list[float]:
    """Seconds at which something begins: peaks of the spectral flux (Bello et al. 2005; Dixon 2006).

    The flux is what the compressed spectrum gains from moment to moment, over 23 bands, so that a drum
    counts as much as a high note.
    """
    flux = _flux(samples)
    if not flux.any():
        return []
    around = int(0.5 * MOMENTS)  # a peak stands out of the half second on both sides of it
    # A file that begins within a song begins with a leap, which says little of how strong its beats are.
    usual = np.minimum(flux, max(flux[WINDOW // HOP :].max(), flux.max() / 4))
    windows = np.lib.stride_tricks.sliding_window_view(np.pad(usual, around, mode="reflect"), 2 * around + 1)
    threshold = 1.4 * windows.mean(axis=1) + 0.08 * usual.max()
    close = np.lib.stride_tricks.sliding_window_view(np.pad(flux, 4), 9).max(axis=1)  # 0.1 s
    peaks = np.flatnonzero((flux >= close) & (flux > threshold))
    return [float(peak / MOMENTS) for peak in peaks]


def _flux(samples: np.ndarray, bands: int = 24) -> np.ndarray:
    """float64 [N]: the sum over bands of log(1 + 100 magnitude)'s increase."""
    count = 1 + len(samples) // HOP
    padded = np.pad(samples, (WINDOW // 2, WINDOW))
    window = np.hanning(WINDOW).astype(np.float32)
    edges = np.unique(np.geomspace(2, WINDOW // 2, bands + 1).round().astype(int))
    flux, before = np.zeros(count), np.zeros((1, len(edges) - 1))  # before the file there is silence
    for start in range(0, count, 1000):  # some megabytes at a time
        moments = np.arange(start, min(count, start + 1000))
        pieces = padded[moments[:, None] * HOP + np.arange(WINDOW)] * window
        magnitude = np.abs(np.fft.rfft(pieces, axis=1)) / (WINDOW / 4)
        level = np.log1p(100 * np.add.reduceat(magnitude, edges[:-1], axis=1))
        level = np.concatenate([before, level])
        flux[moments] = np.maximum(0, np.diff(level, axis=0)).sum(axis=1)
        before = level[-1:]
    flux[(len(samples) - WINDOW // 2) // HOP + 1 :] = 0  # where the sound breaks off nothing begins
    return flux


class Track:
    """The sound of a film, encoded along with its pictures and exactly as long as they are.

    A shorter sound is followed by silence, a longer one fades out.
    """

    def __init__(self, container: OutputContainer, sound: Sound, codec: str, seconds: float | None) -> None:
        self._container = container
        self._stream: Any = container.add_stream(codec, rate=FILM_RATE, layout="stereo")
        self._stream.bit_rate = 160_000
        self._total = round((seconds or sound.seconds) * FILM_RATE)
        self._pieces = self._cut(sound)
        self._written = 0

    def write_until(self, seconds: float) -> None:
        """Encode up to that moment of the film."""
        while self._written < min(self._total, seconds * FILM_RATE):
            piece = next(self._pieces, None)
            if piece is None:
                return
            frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(piece), format="fltp", layout="stereo")
            frame.rate, frame.pts = FILM_RATE, self._written
            self._written += piece.shape[1]
            self._container.mux(self._stream.encode(frame))

    def finish(self) -> None:
        """Encode the rest."""
        self.write_until(float("inf"))
        self._container.mux(self._stream.encode())

    def _cut(self, sound: Sound) -> Iterator[np.ndarray]:
        """float32 [2, n] pieces, ``_total`` samples together."""
        done, fade = 0, round(FADE * FILM_RATE)
        pieces = _decoded(sound.path, FILM_RATE, "stereo")
        while done < self._total:
            try:
                piece = next(pieces, None)
            except (av.FFmpegError, ValueError, OSError):  # a damaged end
                piece = None
            if piece is None:
                break
            piece = np.nan_to_num(piece[:, : self._total - done])
            left = self._total - done - np.arange(piece.shape[1])
            if sound.seconds * FILM_RATE > self._total:
                piece = piece * np.minimum(1, left / fade).astype(np.float32)
            done += piece.shape[1]
            if piece.shape[1]:
                yield piece
        while done < self._total:
            count = min(FILM_RATE // 10, self._total - done)
            done += count
            yield np.zeros((2, count), np.float32)
