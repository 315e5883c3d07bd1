"""Sounds made for tests."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np

RATE = 22_050


def write_beats(
    file: Path, seconds: float = 3.0, beats: tuple[float, ...] = (0.5, 1.0, 2.0), hum: float = 0.002
) -> Path:
    """A WAV file: drum-like sounds at ``beats`` over a faint hum."""
    t = np.arange(round(RATE * seconds)) / RATE
    samples = hum * np.sin(2 * np.pi * 440 * t)
    for beat in beats:
        since = t[t >= beat] - beat
        samples[t >= beat] += 0.5 * np.exp(-since * 15) * np.sin(2 * np.pi * 110 * since)
    return write_wav(file, samples)


def write_wav(file: Path, samples: np.ndarray, rate: int = RATE) -> Path:
    """Samples [N] in [-1, 1] as 16-bit mono."""
    with wave.open(str(file), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(rate)
        out.writeframes((np.clip(samples, -1, 1) * 32767).astype(np.int16).tobytes())
    return file
