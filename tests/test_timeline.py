"""A timeline is checked wherever it comes from, and its link is short and gives it back."""

import base64
import json
import zlib
from dataclasses import replace

import pytest

from imagen_demo.errors import UserError
from imagen_demo.studio import timeline as timelines
from imagen_demo.studio.recipes import Recipe
from imagen_demo.studio.timeline import MARK, Timeline, from_data, from_file, from_link

KEYS = (
    Recipe("m", seeds=((1, 1),), psi=0.7, label=0, model_hash="0123456789ab"),
    Recipe("m", seeds=((2, 1), (3, 2)), psi=0.7, label=1, directions=(("pc0", 2.0, "1-2"),), model_hash="0123456789ab"),
    Recipe("m", seeds=((4294967295, 1),), psi=0.7, label=1, fine_seeds=((5, 1),), split=1, model_hash="0123456789ab"),
)
FULL = Timeline(
    KEYS, "walk", (1, 2.5, 3), ("linear", "smooth", "cubic"), True, True, 0.25, 77, 1.5, 24, 1024, "webm", "#336699",
    "0123456789abcdef", 0.4,
)  # fmt: skip


def packed(text: str) -> str:
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return base64.urlsafe_b64encode(packer.compress(text.encode()) + packer.flush()).decode().rstrip("=")


@pytest.mark.parametrize(
    "timeline", [Timeline(KEYS), FULL, Timeline(KEYS[:1], "loop"), Timeline(KEYS, "z", 5, closed=True)]
)
def test_links_and_data_give_the_timeline_back(timeline):
    assert from_link(timeline.to_link()) == timeline
    assert from_data(json.loads(json.dumps(timeline.to_data()))) == timeline
    assert from_link(timeline.to_link()).to_link() == timeline.to_link()


def test_links_fit_into_a_chat_message():
    seeds = tuple(
        Recipe("planets", "0123456789ab", ((seed, 1),), psi=0.7) for seed in (11, 222, 3333, 44444, 555, 6, 7, 8)
    )
    assert len(Timeline(seeds, "spline", closed=True, even=True).to_link()) < 160
    assert len(FULL.to_link()) < 400


@pytest.mark.parametrize(
    "text",
    ["", "x", "%%%", "=" * 10, "A" * 20_000, packed(""), packed("[1]"), packed("[" * 50_000), packed('{"m":1,"k":[]}'),
     packed('{"m":{},"k":[1,2]}'), packed('{"m":{"model":"a"},"k":[1,2],"zz":1}'),
     packed('{"m":{"model":"a"},"k":[[],[]]}'),
     packed('{"m":{"model":"../a"},"k":[1,2]}'), packed(json.dumps({"m": {"model": "a"}, "k": [1] * 5000})),
     packed("[" + "1," * 1_000_000), FULL.to_link()[:-5], packed('{"m":{"model":"a"},"k":[1,2],"s":NaN}'),
     packed('{"m":{"model":"a"},"k":[1,2],"recipes":[]}'), packed('{"m":{"model":"a"},"k":[1,2],"e":{}}')],
)  # fmt: skip
def test_hostile_links_get_a_sentence(text):
    with pytest.raises(UserError) as caught:
        from_link(text)
    assert str(caught.value).endswith(".")


@pytest.mark.parametrize("content", [b"", b"\x89PNG\r\n\x1a\n", MARK.encode(), b"; t=" + FULL.to_link().encode()])
def test_other_files_carry_no_timeline(tmp_path, content):
    (tmp_path / "other.gif").write_bytes(content)
    assert from_file(tmp_path / "other.gif") is None


@pytest.mark.parametrize("link", ["x", "A" * 1_000_000, FULL.to_link()[:-5], packed("[" + "1," * 1_000_000)])
def test_a_hostile_film_gets_a_sentence_with_its_name(tmp_path, link):
    (tmp_path / "film.mp4").write_bytes(b"\x00" + MARK.encode() + link.encode() + b"\x00")
    with pytest.raises(UserError, match=r"^film\.mp4 cannot be opened\. This link to a film is damaged"):
        from_file(tmp_path / "film.mp4")


@pytest.mark.parametrize(
    "values",
    [{"recipes": KEYS[:1]}, {"recipes": ()}, {"recipes": KEYS * 30}, {"recipes": (KEYS[0], Recipe("other"))},
     {"kind": "x"}, {"kind": []}, {"easings": "jump"}, {"easings": ("linear",) * 5}, {"seconds": 0},
     {"seconds": float("nan")}, {"seconds": 1e9}, {"seconds": (400, 400)}, {"seconds": (1, 1, 1)}, {"seconds": "2"},
     {"fps": 0}, {"fps": 1000}, {"fps": 12.5}, {"radius": 0}, {"speed": 99}, {"seed": -1}, {"seed": 0.5},
     {"size": 10**6}, {"format": "avi"},
     {"background": "nocolour"}, {"sound": "../x"}, {"sound": 3}, {"react": 2}],
)  # fmt: skip
def test_nonsense_is_refused(values):
    with pytest.raises(UserError):
        Timeline(**({"recipes": KEYS} | values))


def test_one_value_stands_for_all_segments():
    assert Timeline(KEYS, seconds=3, easings="cubic").seconds == (3, 3)
    assert Timeline(KEYS, seconds=3, closed=True).seconds == (3, 3, 3)
    assert Timeline(KEYS[:1], "loop", 3, closed=True).seconds == (3,)
    assert Timeline(KEYS, seconds=timelines.shared_out(6, 3, True), closed=True).count == 180
    assert replace(Timeline(KEYS), fps=1, seconds=0.05).count == 3  # a frame for each keyframe
