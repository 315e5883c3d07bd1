"""Odd and bad pictures: each ends in the manifest with its sentence, and the good ones stand."""

from __future__ import annotations

import errno
import io
import json
from pathlib import Path

import numpy as np
import pytest
from conftest import SHARED_DATA
from hostile import encoded, folder_of, good, picture, png_bomb, zip_of
from PIL import Image, ImageCms

from imagen_demo import storage
from imagen_demo.config import PrepareConfig
from imagen_demo.data import decode as decoding
from imagen_demo.data import prepare as preparing
from imagen_demo.data.dataset import Dataset, list_datasets, open_dataset, report
from imagen_demo.data.decode import decode
from imagen_demo.data.near import near_duplicates
from imagen_demo.data.prepare import on_white, prepare
from imagen_demo.errors import Cancelled, UserError

SMALL = PrepareConfig(resolution=16)


def one(tmp_path: Path, data: bytes, name: str = "x.png", resolution: int = 16, fit: str = "crop") -> decoding.Decoded:
    file = tmp_path / "file"
    file.write_bytes(data)
    return decode(str(file), name, resolution, fit, False)


def lines(dataset: Dataset) -> dict[str, dict]:
    return {line["file"]: line for line in dataset.manifest["files"]}


# -- one picture ---------------------------------------------------------------


def test_exif_rotation_turns_the_pixels(tmp_path: Path) -> None:
    upright = picture(1, (40, 60))
    exif = Image.Exif()
    exif[decoding.ORIENTATION] = 6  # the camera lay on its side: turn clockwise by 90 degrees to see it upright
    stored = encoded(upright.transpose(Image.Transpose.ROTATE_90), "PNG", exif=exif)
    turned = one(tmp_path, stored)
    assert turned.notes == ["rotated"]
    assert np.abs(turned.pixels.astype(int) - one(tmp_path, encoded(upright)).pixels).max() <= 1


def test_a_tiff_is_turned_once(tmp_path: Path) -> None:
    upright = picture(1)
    exif = Image.Exif()
    exif[decoding.ORIENTATION] = 3
    turned = one(tmp_path, encoded(upright.transpose(Image.Transpose.ROTATE_180), "TIFF", exif=exif), "x.tif")
    assert turned.notes == ["rotated"]
    assert np.abs(turned.pixels.astype(int) - one(tmp_path, encoded(upright)).pixels).max() <= 1


@pytest.mark.parametrize("mode", ["L", "1", "P", "LA", "RGBA", "RGB"])
def test_every_mode_becomes_rgb_unless_something_is_clear(tmp_path: Path, mode: str) -> None:
    pixels = one(tmp_path, encoded(picture(2, mode=mode))).pixels
    assert pixels.shape == (16, 16, 3) and pixels.dtype == np.uint8 and pixels.std() > 5


def test_cmyk_shows_the_same_colours(tmp_path: Path) -> None:
    plain = one(tmp_path, encoded(picture(3), "TIFF"), "x.tif")
    cmyk = one(tmp_path, encoded(picture(3, mode="CMYK"), "TIFF"), "x.tif")
    assert cmyk.notes == ["cmyk"] and np.abs(cmyk.pixels.astype(int) - plain.pixels).mean() < 3


def test_sixteen_bits_are_scaled_not_cut(tmp_path: Path) -> None:
    ramp = np.linspace(0, 65535, 32 * 32).reshape(32, 32).astype(np.uint16)
    decoded = one(tmp_path, encoded(Image.fromarray(ramp)))
    eight = one(tmp_path, encoded(Image.fromarray((ramp / 257).round().astype(np.uint8))))
    assert decoded.notes == ["deep"] and np.abs(decoded.pixels.astype(int) - eight.pixels).max() <= 1


@pytest.mark.parametrize("top", [1.0, 255.0, 1e6])
def test_float_pictures(tmp_path: Path, top: float) -> None:
    ramp = np.linspace(0, top, 32 * 32).reshape(32, 32).astype(np.float32)
    ramp[0, 0] = np.nan
    pixels = one(tmp_path, encoded(Image.fromarray(ramp), "TIFF"), "x.tif").pixels
    assert pixels[0].mean() < 15 and pixels[-1].mean() > 240


def test_palette_transparency_and_colour_bleeding(tmp_path: Path) -> None:
    image = Image.new("P", (64, 64), 0)
    image.putpalette([0, 255, 0, 255, 0, 0])
    image.paste(1, (10, 10, 55, 55))
    pixels = one(tmp_path, encoded(image, transparency=0)).pixels
    visible = pixels[pixels[..., 3] > 16]
    assert pixels[0, 0, 3] == 0 and pixels[8, 8, 3] == 255
    assert visible[:, 1].max() < 16  # no green fringe from under the clear part


def test_animated_uses_the_first_frame(tmp_path: Path) -> None:
    frames = [picture(i).quantize() for i in (1, 2)]
    decoded = one(tmp_path, encoded(frames[0], "GIF", save_all=True, append_images=frames[1:]), "x.gif")
    still = one(tmp_path, encoded(frames[0], "GIF"), "x.gif")
    assert decoded.notes == ["animated"] and np.array_equal(decoded.pixels, still.pixels)


def test_wrong_extension_is_read_by_content(tmp_path: Path) -> None:
    decoded = one(tmp_path, encoded(picture(4), "JPEG"), "photo.png")
    assert decoded.notes == ["wrong_extension"] and decoded.pixels is not None


def test_colour_profiles(tmp_path: Path) -> None:
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    assert one(tmp_path, encoded(picture(5), icc_profile=srgb)).notes == []  # nothing to convert
    assert one(tmp_path, encoded(picture(5), icc_profile=b"nonsense")).pixels is not None
    # The same profile under another name and with red and blue exchanged: red pictures are truly blue.
    swapped = srgb.replace("sRGB".encode("utf-16-be"), "swap".encode("utf-16-be")).replace(b"sRGB", b"swap")
    swapped = swapped.replace(b"rXYZ", b"tmp!").replace(b"bXYZ", b"rXYZ").replace(b"tmp!", b"bXYZ")
    decoded = one(tmp_path, encoded(Image.new("RGB", (32, 32), (250, 10, 10)), icc_profile=swapped))
    assert decoded.notes == ["colour_profile"] and decoded.pixels[0, 0, 2] > 200 > 60 > decoded.pixels[0, 0, 0]


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "empty"),
        (b"hello, I am no picture", "not_a_picture"),
        (encoded(picture(6, (200, 200)))[:2000], "damaged"),
        (encoded(picture(6, (200, 200)), "JPEG")[:1500], "damaged"),
        (png_bomb(), "too_large"),
        (png_bomb(11_000, 11_000), "too_large"),
        (encoded(picture(6, (100, 3))), "too_small"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "not_a_picture"),
    ],
)  # fmt: skip
def test_bad_files(tmp_path: Path, data: bytes, code: str) -> None:
    decoded = one(tmp_path, data)
    assert decoded.pixels is None and decoded.code == code


def test_cut_anywhere_never_raises(tmp_path: Path) -> None:
    for kind in ("PNG", "JPEG", "WEBP", "GIF", "TIFF", "BMP"):
        data = encoded(picture(8), kind)
        for cut in range(1, len(data) - 1, max(1, len(data) // 12)):
            decoded = one(tmp_path, data[:cut])
            assert (decoded.pixels is None) == bool(decoded.code)


def test_fits(tmp_path: Path) -> None:
    image = Image.new("RGB", (64, 32), "red")
    image.paste("blue", (16, 0, 48, 32))
    crop, stretch, pad = (one(tmp_path, encoded(image), fit=fit).pixels for fit in ("crop", "stretch", "pad"))
    assert (crop[:, 3:-3] == (0, 0, 255)).all()  # the filter sees a little beyond the cut
    assert np.abs(stretch[:, 1].astype(int) - (255, 0, 0)).max() < 20 and stretch[0, 8, 2] > 235
    assert (pad[0] == 255).all() and pad[8, 8, 2] > 235 and pad.shape == (16, 16, 3)


def test_draft_decoding_stays_close_to_the_plain_filter(tmp_path: Path) -> None:
    photo = picture(9, (1600, 1200))
    fast = one(tmp_path, encoded(photo, "JPEG", quality=95), "x.jpg", 64).pixels.astype(int)
    plain = photo.crop((200, 0, 1400, 1200)).resize((64, 64), Image.Resampling.LANCZOS)
    assert np.abs(fast - np.asarray(plain)).mean() < 2


# -- a whole source ------------------------------------------------------------


def test_bad_pictures_are_named_and_the_good_stand(tmp_path: Path) -> None:
    bad = {
        "cut.jpg": encoded(picture(1, (300, 300)), "JPEG")[:1500], "empty.png": b"", "notes.docx": b"text",
        "bomb.png": png_bomb(), "twin.png": good(1)["good000.png"], ".DS_Store": b"x",
        "zz_again.bmp": encoded(picture(1000), "BMP"),
    }  # fmt: skip
    dataset = prepare(folder_of(tmp_path / "set", good(12) | bad), tmp_path / "out", SMALL)
    by_name = lines(dataset)
    assert set(by_name) == {*good(12), *bad}
    assert {name: by_name[name]["reason"] for name in bad} == {
        "cut.jpg": "The file ends early or is damaged.", "empty.png": "The file is empty.",
        "notes.docx": "The file is not a picture of a known kind, such as JPEG, PNG or WebP.",
        "bomb.png": "The picture has >178 million pixels; at most 100 million are read.",
        "twin.png": "The picture is the same as good000.png.", ".DS_Store": "A hidden or system file.",
        "zz_again.bmp": "The picture is the same as good000.png.",
    }  # fmt: skip
    counts = dataset.manifest["counts"]
    assert (counts["found"], counts["accepted"], counts["dropped"], counts["ignored"]) == (19, 12, 6, 1)
    assert counts["exact_duplicates"] == 2 and len(dataset) == 12 and dataset.labels is None
    for name, data in good(12).items():
        expected = one(tmp_path, data).pixels
        assert np.array_equal(dataset.images[by_name[name]["index"]], expected)
    sentences = [template.format(**values) for template, values in report(dataset)]
    assert sentences[0] == "Used as pictures: 12 of 18 files."  # all but the hidden one
    assert sentences[1] == "2 left out: the same as another picture, for example twin.png."
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["images.npy", "manifest.json"]


def test_labels_captions_and_order(tmp_path: Path) -> None:
    files = {f"b/{n}": d for n, d in good(6).items()} | {f"a/{n}": d for n, d in good(6, 6).items()}
    files["a/good006.txt"] = b"the sixth"
    dataset = prepare(zip_of(tmp_path / "set.zip", files), tmp_path / "out", SMALL)
    assert dataset.class_names == ["a", "b"] and dataset.labels.tolist() == [0] * 6 + [1] * 6
    captions = (dataset.path / "captions.jsonl").read_text().splitlines()
    assert [json.loads(line) for line in captions] == [{"index": 0, "file": "a/good006.png", "text": "the sixth"}]
    assert dataset.manifest["class_counts"] == {"a": 6, "b": 6}
    unlabelled = prepare(tmp_path / "set.zip", tmp_path / "out", PrepareConfig(resolution=16, labels=False))
    assert unlabelled.labels is None and unlabelled.fingerprint == dataset.fingerprint
    stray = prepare(zip_of(tmp_path / "s.zip", files | good(1, 20)), tmp_path / "out", SMALL)
    assert stray.class_names == [] and len(stray) == 13


@pytest.mark.parametrize(
    ("clear", "alpha", "channels"), [(6, "auto", 4), (5, "auto", 3), (0, "keep", 4), (12, "flatten", 3)]
)
def test_alpha(tmp_path: Path, clear: int, alpha: str, channels: int) -> None:
    files = {}
    for i in range(12):
        image = picture(i, (32, 32)).convert("RGBA")
        if i < clear:
            image.putalpha(Image.linear_gradient("L").resize((32, 32)))
        files[f"{i:02d}.png"] = encoded(image)
    dataset = prepare(folder_of(tmp_path / "set", files), tmp_path / "out", PrepareConfig(resolution=16, alpha=alpha))
    assert dataset.channels == channels
    if channels == 3 and clear:
        assert dataset.images[0, 0].min() > 230  # the clear top edge became white


def test_on_white_rounds_to_nearest() -> None:
    values = np.random.default_rng(0).integers(0, 256, (64, 64, 4), dtype=np.uint8)
    colour, alpha = values[..., :3].astype(float), values[..., 3:] / 255
    assert np.array_equal(on_white(values), np.floor(colour * alpha + 255 * (1 - alpha) + 0.5).astype(np.uint8))


def test_several_processes_give_the_same_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("imagen_demo.config.cores", lambda: 2)
    source = folder_of(tmp_path / "set", good(70))
    several, alone = (prepare(source, tmp_path / f"out{n}", PrepareConfig(resolution=16, workers=n)) for n in (2, 1))
    assert np.array_equal(several.images, alone.images) and several.fingerprint == alone.fingerprint


def test_more_workers_than_cores_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("imagen_demo.config.cores", lambda: 3)
    with pytest.raises(UserError, match="workers cannot be 4: this machine has 3 cores; use 1 to 3, or 0 for all"):
        prepare(tmp_path, tmp_path / "out", PrepareConfig(workers=4))


def test_ten_pictures_are_too_few(tmp_path: Path) -> None:
    source = folder_of(tmp_path / "cats", good(10) | {"bad.png": b"oops"})
    with pytest.raises(
        UserError, match=r"Too few usable pictures in cats: 10 of at least 11\. Add some\. Left out: 1, .*bad\.png"
    ):
        prepare(source, tmp_path / "out", SMALL)
    assert not (tmp_path / "out").exists() and not (tmp_path / "out.new").exists()


@pytest.mark.parametrize("at", [0.0, 0.5, 0.97])
def test_cancel_leaves_the_old_dataset(tmp_path: Path, at: float) -> None:
    old = prepare(folder_of(tmp_path / "old", good(11)), tmp_path / "sets" / "out", SMALL)

    def stop(fraction: float, text: str) -> None:
        if fraction >= at:
            raise Cancelled

    with pytest.raises(Cancelled):
        prepare(zip_of(tmp_path / "new.zip", good(30, 50)), tmp_path / "sets" / "out", SMALL, stop)
    assert [p.name for p in (tmp_path / "sets").iterdir()] == ["out"]
    assert open_dataset(tmp_path / "sets" / "out").fingerprint == old.fingerprint


def test_full_disk_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(preparing.np.lib.format, "write_array_header_1_0", full)
    with pytest.raises(UserError, match="The disk is full; out was not prepared"):
        prepare(folder_of(tmp_path / "set", good(11)), tmp_path / "sets" / "out", SMALL)
    assert list((tmp_path / "sets").iterdir()) == []


def test_progress_rises_to_one(tmp_path: Path) -> None:
    seen: list[float] = []
    prepare(zip_of(tmp_path / "a.zip", good(12)), tmp_path / "out", SMALL, lambda f, _: seen.append(f))
    assert seen == sorted(seen) and seen[-1] == 1.0 and len(seen) > 12


def test_near_duplicates_are_kept_and_reported(tmp_path: Path) -> None:
    files = good(11) | {"zz.jpg": encoded(picture(1003), "JPEG", quality=92)}
    dataset = prepare(folder_of(tmp_path / "set", files), tmp_path / "out", SMALL)
    assert len(dataset) == 12 and dataset.manifest["counts"]["near_duplicates"] == 1
    assert lines(dataset)["zz.jpg"]["notes"] == [{"code": "near_duplicate", "twin": "good003.png"}]


def test_near_search_finds_the_pair_across_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("imagen_demo.data.near.BLOCK", 8)
    hashes = [int(h) for h in np.random.default_rng(0).integers(0, 2**63, 40)]
    hashes[37] = hashes[2] ^ 0b101
    assert near_duplicates(hashes, np.zeros((40, 4, 4, 4), np.uint8)) == {37: 2}
    different = np.zeros((40, 4, 4, 4), np.uint8)
    different[37] = 99
    assert near_duplicates(hashes, different) == {}


# -- opening -------------------------------------------------------------------


def test_damaged_and_newer_datasets_are_refused_and_left_out_of_the_list(tmp_path: Path) -> None:
    out = tmp_path / "out"
    prepare(folder_of(tmp_path / "set", good(11)), out, SMALL)
    manifest, images = (out / "manifest.json").read_text(), (out / "images.npy").read_bytes()
    pickled = io.BytesIO()
    np.save(pickled, np.array([{"a": 1}], dtype=object), allow_pickle=True)
    changes = {
        "images.npy": [images[:300], b"", pickled.getvalue()],
        "manifest.json": ["{", "[]", "{}", manifest.replace('"accepted": 11', '"accepted": 12')],
    }
    for file, contents in changes.items():
        for content in contents:
            (out / file).write_bytes(content if isinstance(content, bytes) else content.encode())
            with pytest.raises(UserError, match=r"Dataset out is damaged \("):
                open_dataset(out)
        (out / "images.npy").write_bytes(images)
        (out / "manifest.json").write_text(manifest)
    (out / "manifest.json").write_text(json.dumps(json.loads(manifest) | {"version": 99}))
    with pytest.raises(UserError, match="format version 99; this program knows up to 1"):
        open_dataset(out)
    assert list_datasets(tmp_path) == []
    with pytest.raises(UserError, match="There is no prepared dataset none"):
        open_dataset(tmp_path / "none")


def test_a_dataset_between_two_renames_is_found(tmp_path: Path) -> None:
    prepare(folder_of(tmp_path / "sources" / "set", good(11)), tmp_path / "sets" / "out", SMALL)
    (tmp_path / "sets" / "out").rename(tmp_path / "sets" / "out.old")
    assert [d.name for d in list_datasets(tmp_path / "sets")] == ["out"]
    assert storage.current_folder(tmp_path / "sets" / "out").name == "out.old"


# -- real pictures ---------------------------------------------------------------


@pytest.mark.parametrize(("name", "channels", "classes"), [("cats-dogs", 3, ["cats", "dogs"]), ("emoji-rgba", 4, [])])
def test_real_sets(tmp_path: Path, name: str, channels: int, classes: list[str]) -> None:
    archive = SHARED_DATA / f"{name}.zip"
    if not archive.exists():
        pytest.skip(f"{archive.name} is not here")
    import zipfile

    with zipfile.ZipFile(archive) as bundle:
        entries = [n for n in bundle.namelist() if not n.endswith("/")]
        files = {n: bundle.read(n) for n in entries[:: max(1, len(entries) // 60)]}
    dataset = prepare(zip_of(tmp_path / "part.zip", files), tmp_path / "out", PrepareConfig(resolution=32, workers=1))
    assert dataset.channels == channels and dataset.class_names == classes
    assert len(dataset) >= 55 and len(dataset.manifest["files"]) == len(files)
    assert dataset.images.std() > 30
