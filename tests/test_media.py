"""Grids, PNG files with their recipe, and videos."""

import io
import zipfile
import zlib

import av
import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from imagen_demo.errors import Cancelled, UserError
from imagen_demo.media import grid, png, video

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
    png.save(Image.fromarray(pixels), tmp_path / "a.png", RECIPE)
    assert png.recipe_of(tmp_path / "a.png") == RECIPE
    with Image.open(tmp_path / "a.png") as image:
        assert np.array_equal(np.asarray(image), pixels)
        assert image.text["Software"] == "Imagen Demo" and image.text["Source"] == "AI-generated picture"


def test_png_without_recipe(tmp_path):
    png.save(Image.new("RGB", (4, 4)), tmp_path / "plain.png")
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


def test_mp4_plays_everywhere(tmp_path):
    colours = [(250, 20, 20), (20, 250, 20), (20, 20, 250)]
    video.write_mp4((np.full((64, 64, 3), c, np.uint8) for c in colours), tmp_path / "v.mp4", fps=10, size=128)
    stream, frames = decoded(tmp_path / "v.mp4")
    assert stream.codec_context.name == "h264" and stream.codec_context.pix_fmt == "yuv420p"
    assert stream.codec_context.colorspace == 1  # BT.709
    assert stream.average_rate == 10 and len(frames) == 3 and frames[0].shape == (128, 128, 3)
    for frame, colour in zip(frames, colours, strict=True):
        assert np.abs(frame.mean(axis=(0, 1)) - colour).max() < 12
    data = (tmp_path / "v.mp4").read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")  # faststart


@pytest.mark.parametrize(
    ("frame", "size", "expected"),
    [((64, 64), None, (256, 256)), ((100, 100), None, (300, 300)), ((300, 201), None, (300, 200)),
     ((16, 16), 512, (512, 512)), ((64, 32), 255, (256, 128)), ((512, 512), 64, (64, 64))],
)  # fmt: skip
def test_video_sizes_are_even_and_not_tiny(frame, size, expected):
    assert video.video_size(*frame, size) == expected


def test_cancelled_video_leaves_nothing_and_keeps_the_old(tmp_path):
    (tmp_path / "v.mp4").write_bytes(b"old")

    def frames():
        yield np.zeros((16, 16, 3), np.uint8)
        raise Cancelled

    with pytest.raises(Cancelled):
        video.write_mp4(frames(), tmp_path / "v.mp4", fps=10)
    assert [path.name for path in tmp_path.iterdir()] == ["v.mp4"] and (tmp_path / "v.mp4").read_bytes() == b"old"


def test_no_frames(tmp_path):
    with pytest.raises(UserError, match="no frames"):
        video.write_mp4([], tmp_path / "v.mp4", fps=10)
    assert not list(tmp_path.iterdir())
