"""Grids, PNG files with their recipe, and videos."""

import io
import weakref
import zipfile
import zlib
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image, ImageSequence, PngImagePlugin

from imagen_demo.errors import Cancelled, UserError
from imagen_demo.media import formats, grid, notes, png, video

RECIPE = '{"model":"行星","seeds":[[42,1]]}'


def pictures(count, channels=3, size=8):
    return np.random.default_rng(0).integers(0, 256, (count, size, size, channels), dtype=np.uint8)


def test_grid_places_every_picture_and_pads_the_rest():
    images = pictures(5)
    out = np.asarray(grid.make_grid(images, columns=3, gap=2))
    assert out.shape == (8 * 2 + 2, 8 * 3 + 4, 3)
    assert np.array_equal(out[:8, :8], images[0]) and np.array_equal(out[10:18, 10:18], images[4])
    assert (out[10:, 20:] == 255).all() and (out[8:10] == 255).all()


def test_grid_of_transparent_pictures_has_transparent_gaps():
    image = grid.make_grid(pictures(2, channels=4), gap=1)
    assert image.mode == "RGBA" and image.getpixel((8, 0)) == (0, 0, 0, 0)


def test_flatten_shows_the_background_where_transparent():
    image = Image.new("RGBA", (32, 32), (10, 20, 30, 0))
    image.putpixel((0, 0), (10, 20, 30, 255))
    flat = grid.flatten(image, "red")
    assert flat.mode == "RGB" and flat.getpixel((5, 5)) == (255, 0, 0) and flat.getpixel((0, 0)) == (10, 20, 30)
    assert len(grid.flatten(image, "checkerboard").getcolors()) == 3


@pytest.mark.parametrize("channels", [3, 4])
def test_png_keeps_pixels_and_recipe(tmp_path, channels):
    pixels = pictures(1, channels)[0]
    (tmp_path / "a.png").write_bytes(png.to_bytes(Image.fromarray(pixels), RECIPE))
    assert png.recipe_of(tmp_path / "a.png") == RECIPE
    with Image.open(tmp_path / "a.png") as image:
        assert np.array_equal(np.asarray(image), pixels)
        assert image.text["Software"] == "Imagen Demo" and image.text["Source"] == "AI-generated picture"


def test_png_without_recipe(tmp_path):
    (tmp_path / "plain.png").write_bytes(png.to_bytes(Image.new("RGB", (4, 4))))
    with pytest.raises(UserError, match=r"plain.png carries no recipe"):
        png.recipe_of(tmp_path / "plain.png")


def test_hostile_pngs_get_a_sentence(tmp_path):
    good = png.to_bytes(Image.new("RGB", (4, 4)), RECIPE)
    bomb = PngImagePlugin.PngInfo()
    bomb.add_itxt("imagen_demo", "x" * 50_000_000, zip=True)
    bombed, long, huge = io.BytesIO(), io.BytesIO(), bytearray(good)
    Image.new("RGB", (4, 4)).save(bombed, "PNG", pnginfo=bomb)
    text = PngImagePlugin.PngInfo()
    text.add_text("imagen_demo", "x" * 30_000)
    Image.new("RGB", (4, 4)).save(long, "PNG", pnginfo=text)
    huge[16:24] = b"\x7f\xff\xff\xff" * 2
    huge[29:33] = zlib.crc32(bytes(huge[12:29])).to_bytes(4, "big")
    jpeg = io.BytesIO()
    Image.new("RGB", (4, 4)).save(jpeg, "JPEG")
    cases = [b"", b"hello", good[:20], good[:60], bombed.getvalue(), long.getvalue(), bytes(huge), jpeg.getvalue()]
    for number, data in enumerate(cases):
        (tmp_path / f"{number}.png").write_bytes(data)
        with pytest.raises(UserError, match=f"{number}.png"):
            png.recipe_of(tmp_path / f"{number}.png")


def test_zip_of_pngs(tmp_path):
    files = [(f"seed{n:04d}.png", png.to_bytes(Image.new("RGB", (4, 4)), RECIPE)) for n in range(3)]
    png.write_zip(iter(files), tmp_path / "all.zip")
    with zipfile.ZipFile(tmp_path / "all.zip") as archive:
        assert [(name, archive.read(name)) for name in archive.namelist()] == files
    assert [path.name for path in tmp_path.iterdir()] == ["all.zip"]


def test_a_failed_zip_leaves_nothing(tmp_path):
    def files():
        yield "a.png", b"1"
        raise Cancelled

    with pytest.raises(Cancelled):
        png.write_zip(files(), tmp_path / "all.zip")
    assert not list(tmp_path.iterdir())


def decoded(path):
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(stream)]
        return stream, frames


COLOURS = [(250, 20, 20), (20, 250, 20), (20, 20, 250)]


def plain(*colours, size=64):
    return (np.full((size, size, len(colour)), colour, np.uint8) for colour in colours)


def disc(count=6, side=64):
    """A red disc that moves, soft at its edge, on nothing."""
    rows, columns = np.mgrid[:side, :side]
    for number in range(count):
        alpha = np.clip(16 - np.hypot(rows - 32, columns - 24 - 3 * number), 0, 1) * 255
        bands = [np.full_like(alpha, value) for value in (220, 30, 30)]
        yield np.dstack([*bands, alpha]).astype(np.uint8)


@pytest.mark.parametrize(("format", "codec"), [("mp4", "h264"), ("webm", "vp9")])
def test_videos_play_everywhere_in_the_right_colours(tmp_path, format, codec):
    video.write_film(plain(*COLOURS), tmp_path / "v", fps=10, format=format, size=128)
    stream, frames = decoded(tmp_path / "v")
    assert stream.codec_context.name == codec and stream.codec_context.pix_fmt == "yuv420p"
    assert stream.codec_context.colorspace == 1  # BT.709
    assert stream.average_rate == 10 and len(frames) == 3 and frames[0].shape == (128, 128, 3)
    for frame, colour in zip(frames, COLOURS, strict=True):
        assert np.abs(frame.mean(axis=(0, 1)) - colour).max() < 12
    data = (tmp_path / "v").read_bytes()
    if format == "mp4":
        assert data.index(b"moov") < data.index(b"mdat")  # faststart


@pytest.mark.parametrize(("format", "kind", "worst"), [("gif", "GIF", 8), ("webp", "WEBP", 8), ("apng", "PNG", 0)])
def test_animated_pictures_repeat_for_ever_in_the_right_colours(tmp_path, format, kind, worst):
    frames = list(plain(*COLOURS))
    video.write_film(iter(frames), tmp_path / "v", fps=20, format=format, size=64)
    with Image.open(tmp_path / "v") as image:
        assert image.format == kind and image.n_frames == 3 and image.info["loop"] == 0
        total = 0
        for number, frame in enumerate(frames):
            image.seek(number)
            assert np.abs(np.asarray(image.convert("RGB")).astype(int) - frame).max() <= worst
            total += image.info["duration"]
    assert total == pytest.approx(150)


@pytest.mark.parametrize(("format", "worst"), [("webp", 3), ("apng", 0), ("gif", 128)])
def test_alpha_survives(tmp_path, format, worst):
    video.write_film(disc(), tmp_path / "v", fps=10, format=format, size=64, background="transparent")
    with Image.open(tmp_path / "v") as image:
        for number, frame in enumerate(disc()):
            image.seek(number)
            seen = np.asarray(image.convert("RGBA")).astype(int)
            assert np.abs(seen[..., 3] - frame[..., 3]).max() <= worst
            solid = frame[..., 3] == 255
            assert np.abs(seen[solid] - frame[solid]).mean() < 8


def test_alpha_survives_in_webm(tmp_path):
    video.write_film(disc(), tmp_path / "v.webm", fps=10, format="webm", size=64, background="transparent")
    with av.open(str(tmp_path / "v.webm")) as container:
        decoder = av.CodecContext.create("libvpx-vp9", "r")  # the usual one leaves alpha out
        decoder.extradata = container.streams.video[0].codec_context.extradata
        seen = [frame for packet in container.demux(video=0) for frame in decoder.decode(packet)]
    assert len(seen) == 6 and seen[0].format.name == "yuva420p"
    for frame, made in zip(seen, disc(), strict=True):
        assert np.abs(frame.to_ndarray(format="rgba")[..., 3].astype(int) - made[..., 3]).mean() < 6


def test_transparent_films_show_their_background_where_asked_or_where_the_format_has_no_alpha(tmp_path):
    for format, background, corner in (("mp4", "transparent", 255), ("apng", "black", 0), ("gif", "white", 255)):
        video.write_film(disc(2), tmp_path / "v", fps=10, format=format, size=64, background=background)
        assert np.abs(decoded(tmp_path / "v")[1][0][2, 2].astype(int) - corner).max() < 4


def test_enlarging_leaves_no_dark_edge_around_transparent_things():
    large = formats.fitted(next(disc()), 256, 256, None)
    edge = (large[..., 3] > 60) & (large[..., 3] < 200)
    assert edge.any() and np.abs(large[edge][:, :3].astype(int) - (220, 30, 30)).max() < 15


def test_frames_in_a_zip_are_the_frames(tmp_path):
    frames = list(disc())
    video.write_film(
        iter(frames), tmp_path / "v.zip", fps=10, format="frames", size=64, background="transparent", notes="t=x"
    )
    with zipfile.ZipFile(tmp_path / "v.zip") as archive:
        assert archive.namelist() == ["film.txt", *(f"frame{n:05d}.png" for n in range(6))]
        assert b"10 frames a second" in archive.read("film.txt") and b"t=x" in archive.read("film.txt")
        seen = np.asarray(Image.open(io.BytesIO(archive.read("frame00003.png"))))
    assert np.array_equal(seen[..., 3], frames[3][..., 3])


@pytest.mark.parametrize("format", ["mp4", "webm", "gif", "webp", "apng"])
@pytest.mark.parametrize("colours", [COLOURS, COLOURS[:1] * 3])
def test_what_films_say_of_themselves_is_found_and_harms_no_player(tmp_path, format, colours):
    for text in ("short", "long " * 500):
        video.write_film(plain(*colours), tmp_path / "v", 10, format, 64, notes=f"{text}<&>; t=ab-_9; more")
        assert notes.word_after("; t=", tmp_path / "v") == "ab-_9"
        assert notes.word_after("; x=", tmp_path / "v") == ""
        if format == "webp":  # which FFmpeg does not read
            with Image.open(tmp_path / "v") as image:
                frames = [np.asarray(frame.convert("RGB")) for frame in ImageSequence.Iterator(image)]
                assert b"&lt;&amp;&gt;; t=ab-_9" in image.info.get("xmp", b"") or image.n_frames == 1
        else:
            frames = decoded(tmp_path / "v")[1]
        assert np.abs(frames[-1].mean(axis=(0, 1)) - colours[-1]).max() < 12
    if format in ("gif", "apng"):
        with Image.open(tmp_path / "v") as image:
            image.seek(image.n_frames - 1)
            image.load()


@pytest.mark.parametrize("format", formats.FORMATS)
def test_films_stream(tmp_path, format):
    """No more than a few frames are alive at any time."""
    alive, most = [], 0

    class Frame(np.ndarray):
        pass

    def frames():
        nonlocal most
        for number in range(60):
            frame = np.full((16, 16, 3), number, np.uint8).view(Frame)
            alive.append(weakref.ref(frame))
            most = max(most, sum(one() is not None for one in alive))
            yield frame
            del frame

    video.write_film(frames(), tmp_path / "v", fps=10, format=format, size=16)
    assert (tmp_path / "v").stat().st_size and most <= 4


@pytest.mark.parametrize(
    ("frame", "size", "expected"),
    [((64, 64), None, (256, 256)), ((100, 100), None, (300, 300)), ((300, 201), None, (300, 200)),
     ((16, 16), 512, (512, 512)), ((64, 32), 255, (256, 128)), ((512, 512), 64, (64, 64))],
)  # fmt: skip
def test_video_sizes_are_even_and_not_tiny(frame, size, expected):
    assert formats.film_size(*frame, size) == expected
    assert formats.film_size(101, 51, 101, even=False) == (101, 51)


@pytest.mark.parametrize("format", formats.FORMATS)
def test_cancelled_films_leave_nothing_and_keep_the_old(tmp_path, format):
    (tmp_path / "v").write_bytes(b"old")

    def frames():
        yield np.zeros((16, 16, 3), np.uint8)
        raise Cancelled

    with pytest.raises(Cancelled):
        video.write_film(frames(), tmp_path / "v", fps=10, format=format)
    assert [path.name for path in tmp_path.iterdir()] == ["v"] and (tmp_path / "v").read_bytes() == b"old"


def test_what_cannot_be_a_film_gets_a_sentence(tmp_path):
    frame = [np.zeros((16, 16, 3), np.uint8)]
    cases = [([], {}, "no frames"), (frame, {"size": 5000}, "MP4 films can have at most 4096 pixels"),
             (frame, {"format": "gif", "size": 2000}, "GIF films can have at most 1024 pixels"),
             (frame, {"format": "avi"}, "one of mp4"),
             (frame, {"format": "gif", "fps": 60}, "GIF shows at most 50")]  # fmt: skip
    for frames, options, sentence in cases:
        with pytest.raises(UserError, match=sentence):
            video.write_film(frames, tmp_path / "v", **({"fps": 10} | options))
    assert not list(tmp_path.iterdir())


def test_the_ending_names_the_format():
    found = {
        name: formats.format_of(Path(name))
        for name in ("a.mp4", "b.WebM", "c.gif", "d.webp", "e.png", "f.apng", "g.zip")
    }
    assert list(found.values()) == ["mp4", "webm", "gif", "webp", "apng", "apng", "frames"]
    with pytest.raises(UserError, match=r"written as x\.avi; the endings are"):
        formats.format_of(Path("x.avi"))
