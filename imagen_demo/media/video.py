"""Frames in, an MP4 file out that every browser plays."""

from __future__ import annotations

import itertools
import os
import uuid
from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.video.reformatter import ColorRange, Colorspace, Interpolation

from imagen_demo.errors import UserError

SMALLEST = 256  # players blur tiny videos; smaller frames are enlarged by a whole factor
LARGEST = 4096  # H.264 level 5.2
BT709 = 1  # its number in H.264 for matrix, primaries and transfer alike


def video_size(width: int, height: int, size: int | None) -> tuple[int, int]:
    """Width and height of the video: longest side ``size``, or the frame's, enlarged to at least 256; even."""
    longest = max(width, height)
    factor = size / longest if size else float(-(-SMALLEST // longest)) if longest < SMALLEST else 1.0
    even = [max(2, round(side * factor / 2) * 2) for side in (width, height)]
    return even[0], even[1]


def write_mp4(frames: Iterable[np.ndarray], out: Path, fps: int, size: int | None = None) -> None:
    """Encode ``frames`` (uint8 [H, W, 3], all of one shape) as they come: H.264, yuv420p, crf 18, faststart.

    ``size`` is the longest side in pixels; see :func:`video_size` for its default. The file
    appears when complete; on any exception, :class:`~imagen_demo.errors.Cancelled` among them,
    nothing is left behind.

    Raises:
        UserError: no frames, or a size H.264 cannot hold.
    """
    frames = iter(frames)
    first = next(frames, None)
    if first is None:
        raise UserError("There are no frames to make a video of.")
    width, height = video_size(first.shape[1], first.shape[0], size)
    if max(width, height) > LARGEST:
        raise UserError("A video can have at most {limit} pixels a side.", limit=LARGEST)
    out = Path(out)
    temporary = out.with_name(f".{out.stem}.{uuid.uuid4().hex}.mp4")
    try:
        with av.open(str(temporary), "w", options={"movflags": "+faststart"}) as container:
            stream = container.add_stream("libx264", rate=Fraction(fps), options={"crf": "18", "preset": "veryfast"})
            stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
            context = stream.codec_context  # say which colours these are: players guess by size otherwise
            context.colorspace = context.color_primaries = context.color_trc = BT709
            context.color_range = ColorRange.MPEG
            for frame in itertools.chain([first], frames):
                picture = av.VideoFrame.from_ndarray(np.ascontiguousarray(frame), format="rgb24")
                picture = picture.reformat(
                    width, height, "yuv420p", interpolation=Interpolation.LANCZOS,
                    dst_colorspace=Colorspace.ITU709, dst_color_range=ColorRange.MPEG,
                )  # fmt: skip
                container.mux(stream.encode(picture))
            container.mux(stream.encode())
        os.replace(temporary, out)
    finally:
        temporary.unlink(missing_ok=True)
