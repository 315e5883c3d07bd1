"""The exported page in a real browser: the same seeds, recipes and pictures as the app, and no network but its host."""

from __future__ import annotations

import functools
import http.server
import io
import os
import re
import threading
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from browser_kit import open_tab
from ort_files import CACHE, find_ort
from PIL import Image
from playwright.sync_api import Browser, Page, expect
from tiny import save_tiny_model

from imagen_demo.export import web
from imagen_demo.studio.recipes import Recipe, Studio
from imagen_demo.workspace import Workspace

WAIT = 60_000  # milliseconds: the machine may be busy, no test waits for a clock
PAGE = Path(web.__file__).with_name("page")

pytestmark = pytest.mark.browser


def absent(sentence: str) -> None:
    if os.environ.get("CI"):
        pytest.fail(sentence)
    pytest.skip(sentence)


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *arguments: object) -> None:
        pass


def serve(folder: Path) -> http.server.ThreadingHTTPServer:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(_Quiet, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Studio]]:
    """Pages of three models under ``/some/where/NAME/``: the address of ``/some/where``, and the app's studio."""
    ort = find_ort()
    if isinstance(ort, str):
        absent(ort)
    root = tmp_path_factory.mktemp("site")
    workspace = Workspace(root / "workspace")
    save_tiny_model(workspace.checkpoints / "tiny", resolution=32, noise=True)
    save_tiny_model(workspace.checkpoints / "kinds", num_classes=3, noise=True)
    save_tiny_model(workspace.checkpoints / "article", arch="mlp")
    studio = Studio(workspace, "cpu")
    for name in ("tiny", "kinds", "article", "planets", "emoji"):
        web.write_page(studio.model(name), name, studio.directions(name), root / "www/some/where" / name, CACHE)
    server = serve(root / "www")
    yield f"http://127.0.0.1:{server.server_port}/some/where", studio
    server.shutdown()


@pytest.fixture
def visit(browser: Browser, site: tuple[str, Studio]) -> Iterator[Callable[..., Page]]:
    """``visit("tiny", "seed=1", locale="zh-CN")``: the page, drawn. Errors and outside requests fail the test."""
    contexts, faults = [], []

    def open_page(name: str, query: str = "", **options: object) -> Page:
        context = browser.new_context(accept_downloads=True, **options)
        contexts.append(context)
        context.set_default_timeout(WAIT)
        page = context.new_page()
        page.on("pageerror", lambda error: faults.append(f"error in the page: {error}"))
        page.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
        page.route("**", lambda route: route.continue_() if inside(route.request.url, name) else blocked(route))
        page.goto(f"{site[0]}/{name}/{f'?{query}' if query else ''}")
        page.wait_for_selector("body[data-ready]")
        return page

    def inside(url: str, name: str) -> bool:
        return url.startswith((f"{site[0]}/{name}/", "data:", "blob:"))

    def blocked(route: object) -> None:
        faults.append(f"asked for {route.request.url}")
        route.abort()

    yield open_page
    for context in contexts:
        context.close()
    assert not faults


def downloaded(page: Page) -> Image.Image:
    with page.expect_download() as download:
        page.click("#download")
    picture = Image.open(io.BytesIO(Path(download.value.path()).read_bytes()))
    picture.load()
    return picture


def seen(picture: np.ndarray) -> np.ndarray:
    """What one sees of it on black and on white: colours under no alpha cannot be told apart."""
    picture = picture.astype(float)
    if picture.shape[2] == 3:
        return picture
    alpha = picture[..., 3:] / 255
    return np.concatenate([picture[..., :3] * alpha, picture[..., :3] * alpha + 255 * (1 - alpha)], axis=2)


# -- the parts, without ONNX Runtime Web ---------------------------------------------------------------------


@pytest.fixture(scope="module")
def parts(browser: Browser) -> Iterator[Page]:
    """A page that can import the exported page's modules."""
    server = serve(PAGE)
    page = browser.new_page()
    page.goto(f"http://127.0.0.1:{server.server_port}/style.css")
    yield page
    page.close()
    server.shutdown()


@pytest.mark.parametrize("seed", [0, 1, 42, 123456789, 2**31, 2**32 - 1])
def test_seeds_are_numpys(parts, seed):
    found = parts.evaluate(
        """async (seed) => {
        const { RandomState, seedToZ } = await import('/random.js'), random = new RandomState(seed);
        return [Array.from({ length: 2001 }, () => random.normal()), [...seedToZ(seed, 512)]];
    }""",
        seed,
    )
    expected = np.random.RandomState(seed).randn(2001)
    # log differs between libraries in the last digit at most; as float32, which networks get, nothing is left of it.
    np.testing.assert_allclose(found[0], expected, rtol=1e-15, atol=0)
    assert np.array_equal(np.float32(found[1]), np.random.RandomState(seed).randn(1, 512)[0].astype(np.float32))


RECIPES = [
    Recipe("m", "0123456789ab"),
    Recipe("run/m x", "0123456789ab", seeds=((5, 1),), psi=0.75, label=2),
    Recipe("m", "0123456789ab", seeds=((1, 0.5), (2, 1.25)), class_mix=((0, 1), (2, 3)), psi=-0.5),
    Recipe("m", "0123456789ab", fine_seeds=((7, 1),), split=4, psi_layers=(1, 0.5), centre="nearest"),
    Recipe("m", "0123456789ab", directions=(("pc10", 1, ""), ("pc2", -1.25, "2-5"), ("my-smile", 0.5, "fine"))),
    Recipe("m", "0123456789ab", directions=(("pc1", 1, ""),), noise=4294967295),
]


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.to_query())
def test_links_and_recipes_are_the_apps(parts, recipe):
    query, text = parts.evaluate(
        """async (query) => {
        const { readQuery, toQuery, toJson } = await import('/recipe.js'), read = readQuery(query);
        const recipe = { ...read.recipe, model: read.model, model_hash: read.hash };
        return [toQuery(recipe), toJson(recipe)];
    }""",
        recipe.to_query(),
    )
    assert (query, text) == (recipe.to_query(), recipe.to_json())


@pytest.mark.parametrize("query", ["seed=x", "seed=-1", "psi=9", "d=pc0", "d=pc0@5-2:1", "centre=left", "split=1.5"])
def test_unreadable_links_name_their_key(parts, query):
    key = parts.evaluate(
        """async (query) => {
        const { readQuery } = await import('/recipe.js');
        try { readQuery(query); } catch (error) { return error.key; }
    }""",
        query,
    )
    assert key == query.partition("=")[0]


# -- the whole page ------------------------------------------------------------------------------------------

PICTURES = [
    ("planets", {"seeds": ((0, 1),)}),
    ("planets", {"seeds": ((1, 0.3), (2, 0.7)), "fine_seeds": ((7, 1),), "split": 4, "psi_layers": (1, 0.5),
                 "centre": "nearest", "directions": (("pc0", 1.5, ""), ("pc3", -2, "2-5"), ("pc2", 1, "fine"))}),
    ("emoji", {"seeds": ((4294967295, 1),), "psi": 0.7}),
    ("emoji", {"seeds": ((12, 1),), "directions": (("pc1", 2, "coarse"),)}),
    ("kinds", {"seeds": ((3, 1),), "label": 2, "psi": 0.8}),
    ("kinds", {"seeds": ((3, 1),), "class_mix": ((0, 1), (2, 3)), "psi": 0.5, "centre": "nearest"}),
    ("article", {"seeds": ((9, 1),), "psi": 1.3}),
    ("tiny", {"seeds": ((1, 1),)}),
    ("tiny", {"seeds": ((1, 1),), "noise": 3}),
]  # fmt: skip


@pytest.mark.parametrize(("name", "values"), PICTURES, ids=str)
def test_a_link_draws_the_apps_picture(visit, site, name, values):
    recipe = site[1].pinned(Recipe(name, **values))
    picture = downloaded(visit(name, recipe.to_query()))
    assert Recipe.from_json(picture.text["imagen_demo"]) == recipe  # dropped onto the app it opens there
    expected = site[1].render_array(recipe)
    assert np.asarray(picture).shape == expected.shape
    assert np.abs(seen(np.asarray(picture)) - seen(expected)).max() <= 2


def test_sliders_seeds_and_back(visit, site):
    page = visit("tiny", "seed=5")
    page.locator("#direction-pc0").fill("1.5")
    expect(page.locator("#picture")).to_have_attribute("data-shown", re.compile("pc0:1.5"), timeout=WAIT)
    page.locator("#psi").fill("0.6")
    page.wait_for_url("**psi=0.6**")
    found = Recipe.from_json(downloaded(page).text["imagen_demo"])
    assert found.directions == (("pc0", 1.5, ""),) and found.psi == 0.6
    page.click("#next")
    expect(page.locator("#seed")).to_have_value("6")
    page.go_back()
    expect(page.locator("#seed")).to_have_value("5")
    expect(page.locator("#direction-pc0")).to_have_value("1.5")
    page.click("#reset")
    expect(page.locator("#direction-pc0")).to_have_value("0")


def test_noise_is_another_picture_of_the_same_seed(visit):
    page = visit("tiny", "seed=1")
    own = np.asarray(downloaded(page)).astype(int)
    page.locator("#noise").fill("3")
    page.locator("#noise").press("Enter")
    expect(page.locator("#picture")).to_have_attribute("data-shown", re.compile("noise=3"), timeout=WAIT)
    assert np.abs(np.asarray(downloaded(page)) - own).max() > 10
    assert not visit("article").locator("#noise").count()  # a model without noise


def test_a_seed_that_is_none_changes_nothing_and_is_said(visit):
    page = visit("tiny", "seed=1&noise=3")
    for box, before, said in ((page.locator("#seed"), "1", "#note"), (page.locator("#noise"), "3", "#noise-wrong")):
        for typed in ("-5", "99999999999", "2.6", ""):
            box.fill(typed)
            box.press("Enter")
            expect(page.locator(said)).to_have_text("A seed is a whole number from 0 to 4294967295.")
            expect(box).to_have_attribute("aria-invalid", "true")
            page.locator("#psi").fill(f"0.{len(typed) + 1}")  # the picture goes on as it was
            expect(page.locator("#note")).to_be_empty()
            expect(page.locator("#noise-wrong")).to_have_count(0)
            expect(box).to_have_value(before)


def test_it_opens_as_the_app_does(visit, site):
    page = visit("emoji", viewport={"width": 1280, "height": 800})
    first_seed = site[1].model("emoji").info.first_seed
    assert first_seed
    expect(page.locator("#seed")).to_have_value(str(first_seed))
    expect(page.locator("#picture")).to_have_attribute("data-poster", "shown")
    kinds = {direction.id: direction.kind for direction in site[1].directions("emoji")}
    ids = page.evaluate("[...document.querySelectorAll('[id^=direction-]')].map(({ id }) => id.slice(10))")
    assert list(dict.fromkeys(kinds[id] for id in ids)) == ["property", "pc", "sefa"]
    tops = page.evaluate("[...document.querySelectorAll('#bar > *')].map((node) => node.getBoundingClientRect().top)")
    assert len(set(tops)) == 1  # the buttons are one row


def test_a_direction_is_filled_from_its_middle(visit):
    page = visit("tiny", "seed=5&d=pc0:1.5,pc1:-3")
    filled = """(id) => ['--from', '--to'].map((name) => document.getElementById(id).style.getPropertyValue(name))"""
    assert page.evaluate(filled, "direction-pc0") == ["50%", "75%"]
    assert page.evaluate(filled, "direction-pc1") == ["0%", "50%"]
    assert page.evaluate(filled, "direction-pc2") == ["50%", "50%"]
    assert page.evaluate(filled, "speed")[0] == "0%"


def test_a_walk_plays_and_stops(visit):
    page = visit("tiny")
    page.click("#keep")
    page.click("#random")
    page.click("#keep")
    expect(page.locator("#keys button.thumb")).to_have_count(2)
    page.click("#play")
    expect(page.locator("#picture")).to_have_attribute("data-frames", re.compile(r"\d\d"), timeout=WAIT)
    page.click("#play")
    expect(page.locator("#play")).to_have_attribute("aria-pressed", "false")


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("model=other&seed=1", "is of the model other"),
        ("model=tiny&hash=000000000000&seed=1", "another version of the model"),
        ("seed=abc", "cannot be abc"),
        ("seed=1&size=512", "own size, 32 × 32; the link asks for 512"),
        ("t=q1bKVrKKNtQxitVRylWyqlbKzU9JzVGyUkrPz0tVqq0FAA", "is of a film"),
    ],
)
def test_what_cannot_be_honoured_is_said(visit, query, sentence):
    expect(visit("tiny", query).locator("#note")).to_contain_text(sentence, timeout=WAIT)


@pytest.mark.parametrize(
    ("name", "query", "without", "sentence"),
    [
        ("tiny", "seed=1&d=zz:1,pc0:1", "seed=1&d=pc0:1", "no direction zz; the picture is shown without"),
        ("tiny", "seed=1&d=pc0@40-41:1", "seed=1", "no layers 40-41"),
        ("tiny", "seed=1&class=1", "seed=1", "no class number 1; the picture is shown without"),
        ("kinds", "seed=1&class=7", "seed=1&class=0", "no class number 7"),
        ("kinds", "seed=1&class=2*1,7*3", "seed=1&class=2", "no class number 7"),
    ],
)
def test_what_the_model_lacks_is_left_out_of_the_picture(visit, site, name, query, without, sentence):
    page = visit(name, query)
    expect(page.locator("#note")).to_contain_text(sentence, timeout=WAIT)
    recipe = site[1].pinned(Recipe.from_query(f"model={name}&{without}"))
    assert Recipe.from_json(downloaded(page).text["imagen_demo"]) == recipe
    expect(page.locator("#picture")).to_have_attribute("data-shown", recipe.to_query())
    page.click("#next")
    expect(page.locator("#picture")).to_have_attribute("data-shown", re.compile("seed=2"), timeout=WAIT)
    expect(page.locator("#note")).to_be_empty()


@pytest.mark.parametrize(("scheme", "locale"), [("light", "en"), ("dark", "zh-CN")])
def test_phone_languages_and_names_for_screen_readers(visit, scheme, locale):
    page = visit("kinds", viewport={"width": 390, "height": 844}, color_scheme=scheme, locale=locale)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    expect(page.locator("#random")).to_have_text("随机" if locale == "zh-CN" else "Random")
    brightness = page.evaluate("getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)[0]")
    assert brightness < 60 if scheme == "dark" else brightness > 200
    nameless = page.evaluate("""[...document.querySelectorAll('button, input, select')].filter(
        (node) => !(node.textContent.trim() || node.getAttribute('aria-label') || node.labels?.length)).length""")
    assert nameless == 0
    page.evaluate("scrollTo(0, document.body.scrollHeight)")
    place = page.evaluate(
        "(({ top, bottom }) => [scrollY, top, bottom])(document.getElementById('frame').getBoundingClientRect())"
    )
    assert place[0] > 60 and place[1] >= 0 and place[2] < 844 / 2  # the picture stays above the sliders


# -- the buttons in the app ----------------------------------------------------------------------------------


def test_models_tab_exports_onnx(open_page):
    page = open_page()
    open_tab(page, "models")
    page.locator("#models-cards [data-model=planets]").click()
    expect(page.locator("#models-export-web")).to_be_visible(timeout=WAIT)
    with page.expect_download() as download:
        page.click("#models-export-onnx")
    with zipfile.ZipFile(download.value.path()) as archive:
        assert archive.namelist() == ["planets.onnx", "planets-mapping.onnx", "planets-synthesis.onnx"]
    expect(page.locator("#models-take-cancel")).to_be_hidden()
