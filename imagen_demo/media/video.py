"""Frames in, a film out: MP4 and WebM here, the animated pictures in ``animation.py``. Everything streams."""

from __future__ import annotations

import itertools
import platform
from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.video.reformatter import ColorRange, Colorspace
from av.video.stream import VideoStream

from imagen_demo import storage
from imagen_demo.errors import UserError
from imagen_demo.media import animation
from imagen_demo.media.audio import Sound, Track
from imagen_demo.media.formats import TRANSPARENT, checked_size, fitted, known_format
from imagen_demo.media.grid import Background

BT709 = 1  # its number in H.264 for matrix, primaries and transfer alike
THREADS = 4  # always as many: what an encoder writes may depend on it
# x264's AVX-512 code writes another file once in a while: 12 in 1,000 of 64 px, none without it. Some 7 % slower.
_STEADY = {"x264-params": "asm=sse4.2"} if platform.machine() in ("x86_64", "AMD64") else {}
# codec of the pictures, its options, codec of the sound.
_CODECS = {
    "mp4": ("libx264", {"crf": "18", "preset": "veryfast"} | _STEADY, "aac"),
    # Measured on emoji, 256 px: "good" is 5 times slower for 6 % smaller files.
    "webm": ("libvpx-vp9", {"crf": "22", "b": "0", "deadline": "realtime", "cpu-used": "6", "row-mt": "1"}, "libopus"),
}


def write_film(
    frames: Iterable[np.ndarray],
    out: Path,
    fps: int,
    format: str = "mp4",
    size: int | None = None,
    background: Background = "white",
    sound: Sound | None = None,
    seconds: float | None = None,
    notes: str = "AI-generated pictures",
) -> None:
    """Encode ``frames`` (uint8 [H, W, C], C = 3 or 4, all of one shape) as they come.

    ``size``: the longest side in pixels; default: the frame's, at least 256. ``background``: a colour,
    "checkerboard", or "transparent" where the format can; others show white then. ``sound`` is cut or
    filled up to ``seconds``, the length of the film. ``notes`` go into the file.
    The file appears when complete, and its folder is made where there is something to write; on any exception,
    :class:`~imagen_demo.errors.Cancelled` among them, no file is left behind.

    Raises:
        UserError: no frames, a size the format cannot hold, too many frames a second for it.
    """
    kind = known_format(format)
    if fps > kind.most_fps:
        raise UserError("{format} shows at most {most} frames a second.", format=kind.name.upper(), most=kind.most_fps)
    frames = iter(frames)
    first = next(frames, None)
    if first is None:
        raise UserError("There are no frames to make a video of.")
    width, height = checked_size(first.shape, size, kind)
    behind = None if background == TRANSPARENT and kind.alpha else "white" if background == TRANSPARENT else background
    ready = (fitted(frame, width, height, behind) for frame in itertools.chain([first], frames))
    out.parent.mkdir(parents=True, exist_ok=True)
    with storage.complete_or_absent(out) as place:
        if format in _CODECS:
            alpha = first.shape[2] == 4 and behind is None
            _write_video(ready, place, format, (width, height), fps, alpha, sound, seconds, notes)
        else:
            animation.WRITERS[format](ready, place, fps, notes)


def _write_video(
    frames: Iterator[np.ndarray], out: Path, format: str, size: tuple[int, int], fps: int, alpha: bool,
    sound: Sound | None, seconds: float | None, notes: str,
) -> None:  # fmt: skip
    codec, options, sound_codec = _CODECS[format]
    quick_start = {"movflags": "+faststart"} if format == "mp4" else {}
    with av.open(str(out), "w", format=format, options=quick_start) as container:
        container.metadata["comment"] = notes
        stream = container.add_stream(codec, rate=Fraction(fps), options=options)
        _describe(stream, size, alpha)
        track = Track(container, sound, sound_codec, seconds) if sound else None
        for number, frame in enumerate(frames):
            picture = av.VideoFrame.from_ndarray(np.ascontiguousarray(frame), format="rgba" if alpha else "rgb24")
            picture = picture.reformat(
                format=stream.pix_fmt, dst_colorspace=Colorspace.ITU709, dst_color_range=ColorRange.MPEG
            )
            container.mux(stream.encode(picture))
            if track:
                track.write_until((number + 1) / fps)
        container.mux(stream.encode())
        if track:
            track.finish()


def _describe(stream: VideoStream, size: tuple[int, int], alpha: bool) -> None:
    """Size and colours: players guess these by size otherwise."""
    stream.width, stream.height = size
    stream.pix_fmt = "yuva420p" if alpha else "yuv420p"
    context = stream.codec_context
    context.thread_count = THREADS
    context.colorspace = context.color_primaries = context.color_trc = BT709
    context.color_range = ColorRange.MPEG
