"""Pictures that move without a player: GIF, animated WebP and PNG, and the frames themselves in a zip.

By PyAV's encoders, because Pillow keeps every frame of a GIF or PNG in memory until the last has come.
They repeat for ever.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from fractions import Fraction
from itertools import islice
from pathlib import Path

import av
import numpy as np
from av.filter import Graph
from PIL import Image

from imagen_demo.media import png
from imagen_demo.media.notes import add_to_gif, add_to_png, add_to_webp

Frames = Iterator[np.ndarray]  # uint8 [H, W, 3 or 4]
TOGETHER = 10  # frames of a GIF that share their colours


def write_webp(frames: Frames, out: Path, fps: int, notes: str) -> None:
    """Lossy, with alpha. Effort 0: measured, 2 is half as fast again for 6 % smaller files."""
    _write(frames, out, fps, "webp", "libwebp_anim", {"quality": "88", "compression_level": "0"}, {"loop": "0"})
    add_to_webp(out, notes)


def write_apng(frames: Frames, out: Path, fps: int, notes: str) -> None:
    """Lossless, with alpha. The "paeth" filter: measured, "mixed" is 3 times slower for 17 % smaller files."""
    _write(frames, out, fps, "apng", "apng", {"pred": "paeth", "compression_level": "2"}, {"plays": "0"})
    add_to_png(out, notes)


def _write(
    frames: Frames, out: Path, fps: int, kind: str, codec: str, options: dict[str, str], loop: dict[str, str]
) -> None:
    with av.open(str(out), "w", format=kind, options=loop) as container:
        stream = None
        for frame in frames:
            pixel_format = "rgba" if frame.shape[2] == 4 else "rgb24"
            if stream is None:
                stream = container.add_stream(codec, rate=Fraction(fps), options=options)
                stream.height, stream.width = frame.shape[:2]
                lossy = {"rgba": "yuva420p", "rgb24": "yuv420p"}
                stream.pix_fmt = lossy[pixel_format] if codec == "libwebp_anim" else pixel_format
            picture = av.VideoFrame.from_ndarray(np.ascontiguousarray(frame), format=pixel_format)
            container.mux(stream.encode(picture.reformat(format=stream.pix_fmt)))
        if stream is not None:
            container.mux(stream.encode())


def write_gif(frames: Frames, out: Path, fps: int, notes: str) -> None:
    """Every few frames with 256 colours of their own: a film through a latent space changes all of them on the way.

    Ordered dithering, whose pattern stands still while the picture moves; alpha below one half is transparent.
    """
    with av.open(str(out), "w", format="gif", options={"loop": "0"}) as container:
        stream, number = None, 0
        while some := list(islice(frames, TOGETHER)):
            if stream is None:
                stream = container.add_stream("gif", rate=Fraction(fps))
                stream.height, stream.width = some[0].shape[:2]
                stream.pix_fmt = "pal8"
            for reduced in _with_palette(some):
                reduced.pts, reduced.time_base = number, Fraction(1, fps)
                number += 1
                container.mux(stream.encode(reduced))
        if stream is not None:
            container.mux(stream.encode())
    add_to_gif(out, notes)


def _rgba(frame: np.ndarray) -> av.VideoFrame:
    if frame.shape[2] == 3:
        frame = np.dstack([frame, np.full(frame.shape[:2], 255, np.uint8)])
    return av.VideoFrame.from_ndarray(np.ascontiguousarray(frame), format="rgba")


def _with_palette(frames: list[np.ndarray]) -> Iterator[av.VideoFrame]:
    """The same pictures, pal8, with one palette for all; chosen from one pixel in nine, for speed."""
    few = [_rgba(frame[::3, ::3]) for frame in frames]
    (palette,) = _filtered("palettegen", "stats_mode=full:reserve_transparent=1", few)
    pictures = [_rgba(frame) for frame in frames]
    return _filtered("paletteuse", "dither=bayer:bayer_scale=3:alpha_threshold=128", pictures, [palette])


def _filtered(name: str, options: str, *inputs: list[av.VideoFrame]) -> Iterator[av.VideoFrame]:
    """What a filter makes of its inputs' frames."""
    graph, tick = Graph(), Fraction(1, 25)
    work, sink = graph.add(name, options), graph.add("buffersink")
    sources = []
    for number, frames in enumerate(inputs):
        size, kind = {"width": frames[0].width, "height": frames[0].height}, frames[0].format.name
        sources.append(graph.add_buffer(**size, format=kind, time_base=tick))
        sources[-1].link_to(work, 0, number)
    work.link_to(sink)
    graph.configure()
    for source, frames in zip(sources, inputs, strict=True):
        for number, frame in enumerate(frames):
            frame.pts, frame.time_base = number, tick
            source.push(frame)
        source.push(None)
    with contextlib.suppress(av.EOFError):
        while True:
            yield graph.vpull()


def write_frames(frames: Frames, out: Path, fps: int, notes: str) -> None:
    """``frame00000.png``, ... in a zip, and ``film.txt``: frames a second, and the notes."""

    def files() -> Iterator[tuple[str, bytes]]:
        yield "film.txt", f"{fps} frames a second\n{notes}\n".encode()
        for number, frame in enumerate(frames):
            yield f"frame{number:05d}.png", png.to_bytes(Image.fromarray(frame), effort=4)

    png.write_zip(files(), out)


WRITERS: dict[str, Callable[[Frames, Path, int, str], None]] = {
    "gif": write_gif,
    "webp": write_webp,
    "apng": write_apng,
    "frames": write_frames,
}
