"""The whole journey in a real browser: the page as a visitor gets it, from an app that runs as its own process.

The tests of Explore, Discover, Interpolate, films and training are in files of their own, ``test_browser_*.py``.
"""

from __future__ import annotations

import io
import json
import re
import zipfile

import pytest
from browser_kit import changed_picture, open_tab, picture, running_app, visitor
from conftest import draw_pictures
from PIL import Image
from playwright.sync_api import expect

from imagen_demo.config import PrepareConfig
from imagen_demo.studio import datasets, library

TABS = ("explore", "discover", "interpolate", "generate", "train", "models")
PHONE = {"width": 390, "height": 844}

pytestmark = pytest.mark.browser


# -- Generate -----------------------------------------------------------------------------------------------


def test_a_picture_of_the_grid_goes_to_explore(open_page):
    page = open_page()
    before = picture(page)
    open_tab(page, "generate")
    cell = page.locator("#generate-grid button[data-seed]").nth(3)
    seed = cell.get_attribute("data-seed")
    cell.click()
    page.locator("#generate-to-explore").click()
    expect(page.locator("#explore-seed")).to_have_value(seed)
    changed_picture(page, before)


def test_nearest_training_pictures_are_shown_where_the_dataset_is_there(browser, workspace, make_model, tmp_path):
    dataset = datasets.prepare_dataset(workspace, draw_pictures(tmp_path / "p"), "discs", PrepareConfig(resolution=16))
    description = make_model("mine") / "model.json"
    about = {"dataset": {"name": "discs", "fingerprint": dataset.fingerprint}}
    description.write_text(json.dumps(json.loads(description.read_text()) | about))
    with running_app(tmp_path) as (address, _):
        page = visitor(browser, address)
        open_tab(page, "generate")
        cells, note = page.locator("#generate-grid button[data-seed]"), page.locator("#generate-nearest-note")
        cells.nth(1).click()
        expect(note).to_be_hidden()  # folded until someone asks
        page.locator("#generate-nearest summary").click()
        expect(note).to_contain_text("are not in this workspace")  # those of the bundled model
        page.locator("#generate-model").select_option("mine")
        expect(page.locator("#generate-detail")).to_be_hidden()
        cells.nth(2).click()
        expect(page.locator("#generate-nearest img")).to_have_count(4)
        expect(note).to_contain_text("training picture")
        page.close()


def test_a_zip_saves_itself_and_its_button_says_that_it_works(open_page):
    page = open_page()
    picture(page)
    open_tab(page, "generate")
    expect(page.locator("#generate-grid img[src]")).to_have_count(24)
    with page.expect_download() as download:
        page.locator("#generate-zip").click()
        expect(page.locator("#generate-zip")).to_have_attribute("aria-busy", "true")
    assert len(zipfile.ZipFile(download.value.path()).namelist()) == 24
    expect(page.locator("#generate-zip")).not_to_have_attribute("aria-busy", "true")
    expect(page.locator("#generate-file")).to_be_visible()
    page.locator("#generate-random").click()  # other pictures than those in the zip
    expect(page.locator("#generate-file")).to_be_hidden()


def test_numbers_that_cannot_be_are_said_and_the_pictures_come_all_the_same(open_page):
    page = open_page()
    picture(page)
    open_tab(page, "generate")
    count, psi, note = (page.locator(f"#generate-{name}") for name in ("count", "psi-number", "note"))
    for wrong in ("0", "-1", "2.5", ""):
        count.fill(wrong)
        count.press("Enter")
        expect(note).to_have_text("Choose a whole number of pictures, from 1 to 400.")
        note.evaluate("line => { line.textContent = ''; }")
    count.fill("3")
    count.press("Enter")
    expect(page.locator("#generate-grid img[src]")).to_have_count(3)
    image = page.locator("#generate-grid img[src]").first
    before = image.get_attribute("src")
    psi.fill("2.5")
    psi.press("Enter")
    expect(image).not_to_have_attribute("src", before)
    expect(note).to_have_text("“Truncation ψ” goes from -2 to 2.")
    expect(psi).to_have_value("2.00")


# -- Models --------------------------------------------------------------------------------------------------


def test_an_exported_model_saves_itself_and_is_forgotten_with_its_file(open_page):
    page = open_page("#tab=models")
    page.locator("#models-cards [data-model=planets]").click()
    with page.expect_download() as download:
        page.locator("#models-export").click()
    assert download.value.suggested_filename == "planets.zip"
    expect(page.locator("#models-note")).to_contain_text("ready")
    open_tab(page, "train")
    open_tab(page, "models")
    expect(page.locator("#models-note")).not_to_contain_text("ready")
    expect(page.locator("#models-file")).to_be_hidden()


def test_a_model_opens_in_explore(open_page):
    page = open_page("#tab=models")
    page.locator("#models-cards [data-model=planets]").click()
    page.locator("#models-explore").click()
    expect(page.locator("#tab-explore")).to_be_visible()
    expect(page.locator("#explore-model")).to_have_value("planets")


def test_a_model_chosen_among_many_comes_into_sight(open_page):
    page = open_page("#tab=models", viewport={"width": 390, "height": 420}, reduced_motion="reduce")
    expect(page.locator("#models-detail")).to_be_hidden()
    page.locator("#models-cards [data-model=planets]").click()
    expect(page.locator("#models-facts h3")).to_be_in_viewport()


def test_menus_are_fresh_when_their_tab_is_opened_and_follow_a_model_that_was_renamed(
    browser, workspace, make_model, tmp_path
):
    make_model("mine")
    with running_app(tmp_path) as (address, _):
        page = visitor(browser, f"{address}?model=mine&seed=5")
        before, menu = picture(page), page.locator("#explore-model")
        open_tab(page, "interpolate")
        expect(page.locator("#interpolate-film img").first).to_be_visible()
        open_tab(page, "explore")
        page.locator("#explore-next").click()
        after = changed_picture(page, before)
        library.rename(workspace, "mine", "shells")  # by somebody else
        page.locator("#explore-next").click()
        expect(menu).to_have_value("shells")
        changed_picture(page, after)
        expect(page.locator("#explore-note")).to_have_text("")
        for _ in range(2):
            page.locator("#explore-undo").click()
        expect(page.locator("#explore-picture")).to_have_attribute("src", before)
        page.wait_for_url(re.compile("model=shells"))

        library.rename(workspace, "shells", "pearls")
        make_model("late", seed=2)
        open_tab(page, "interpolate")
        menu = page.locator("#interpolate-model")
        expect(menu).to_have_value("pearls")
        assert {"pearls", "late"} <= {option.get_attribute("value") for option in menu.locator("option").all()}
        page.locator("#interpolate-random").click()
        expect(page.locator("#interpolate-keys .im-key")).to_have_count(5)
        page.wait_for_url(re.compile("t="))
        page.locator("#interpolate-current").click()  # Explore's picture has the new name as well
        expect(page.locator("#interpolate-keys .im-key")).to_have_count(6)
        page.close()


def test_tabs_opened_first_after_a_rename_begin_with_the_renamed_model(browser, workspace, make_model, tmp_path):
    make_model("mine")
    with running_app(tmp_path) as (address, _):
        page = visitor(browser, f"{address}?model=mine&seed=5")
        picture(page)
        open_tab(page, "models")
        page.locator("#models-cards [data-model=mine]").click()
        page.locator("#models-rename").click()
        page.locator("#models-new-name input, #models-new-name textarea").first.fill("shells")
        page.locator("#models-rename-yes").click()
        expect(page.locator("#models-facts h3")).to_have_text("shells")
        for tab, shown in (("generate", "#generate-grid img[src]"), ("discover", "#discover-map")):
            open_tab(page, tab)
            expect(page.locator(shown).first).to_be_visible()
            expect(page.locator(f"#{tab}-model")).to_have_value("shells")
            expect(page.locator(f"#{tab}-note")).not_to_contain_text("no model")
        page.close()


# -- the page --------------------------------------------------------------------------------------------------


def test_a_reload_opens_the_same_tab_and_picture(open_page):
    page = open_page("?seed=77")
    picture(page)
    open_tab(page, "train")
    page.wait_for_url(re.compile("seed=77.*#tab=train$"))
    page.reload()
    expect(page.locator("#tab-train")).to_be_visible()
    open_tab(page, "explore")
    expect(page.locator("#explore-seed")).to_have_value("77")
    page.wait_for_url(re.compile("seed=77[^#]*$"))


def test_back_and_forward_go_from_tab_to_tab(open_page):
    page = open_page("?seed=77")
    before = picture(page)
    first = page.evaluate("history.length")
    for tab in ("train", "generate", "models"):
        page.locator(f"#tab-{tab}-button").click()
        page.wait_for_url(re.compile(f"#tab={tab}$"))
        expect(page.locator(f"#tab-{tab}")).to_be_visible()
    page.go_back()
    expect(page.locator("#tab-generate")).to_be_visible()
    page.go_back()
    page.go_back()
    expect(page.locator("#tab-explore")).to_be_visible()
    page.wait_for_url(re.compile("seed=77[^#]*$"))
    page.go_forward()
    expect(page.locator("#tab-train")).to_be_visible()
    page.go_back()
    expect(page.locator("#tab-explore")).to_be_visible()
    assert picture(page) == before
    assert page.evaluate("history.length") == first + 3
    page.locator("#explore-next").click()  # another picture, no other tab
    page.wait_for_url(re.compile("seed=78"))
    assert page.evaluate("history.length") == first + 3


# -- looks ----------------------------------------------------------------------------------------------------


def test_chinese_visitors_read_chinese(open_page):
    page = open_page(locale="zh-CN")
    picture(page)
    expect(page.locator("#tab-explore-button")).to_have_text("探索")
    expect(page.locator("#explore-random")).to_have_text("随机")
    expect(page.locator("#explore-pad")).to_have_attribute("aria-label", re.compile("^横轴 .+，纵轴 .+。拖动"))
    open_tab(page, "train")
    # With runs in the workspace the newest one is shown, and a button for another; else the way to the first.
    expect(page.get_by_role("button", name=re.compile("新的训练|开始训练")).first).to_be_visible()


def test_a_visitor_may_choose_the_other_language(open_page):
    page = open_page(locale="en-US")
    picture(page)
    page.locator("#language-toggle", has_text="中文").click()
    expect(page.locator("#tab-train-button")).to_have_text("训练")  # Gradio's own
    expect(page.locator("#explore-random")).to_have_text("随机")  # the page's scripts
    picture(page)
    open_tab(page, "models")
    page.locator("#models-cards button", has_text="行星").click()
    expect(page.locator("#models-facts")).to_contain_text("内置")  # the server's
    page.locator("#language-toggle", has_text="English").click()
    expect(page.locator("#tab-train-button")).to_have_text("Train")


@pytest.mark.parametrize("query", ["", "?__theme=dark"])
def test_no_tab_scrolls_sideways_on_a_phone(open_page, query):
    page = open_page(query, viewport=PHONE, has_touch=True)
    picture(page)
    for tab in TABS:
        open_tab(page, tab)
        width = page.evaluate("document.documentElement.scrollWidth")
        assert width <= PHONE["width"], f"{tab} is {width} pixels wide"


@pytest.mark.parametrize(("query", "dark"), [("", False), ("?__theme=dark", True)])
def test_light_and_dark(open_page, query, dark):
    page = open_page(query)
    picture(page)
    margin = page.screenshot(clip={"x": 4, "y": 300, "width": 8, "height": 8})
    red, green, blue = Image.open(io.BytesIO(margin)).convert("RGB").getpixel((4, 4))
    assert (max(red, green, blue) < 60) if dark else (min(red, green, blue) > 200)
