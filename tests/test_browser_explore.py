"""The Explore tab in a real browser."""

from __future__ import annotations

import re

import pytest
from browser_kit import changed_picture, picture
from playwright.sync_api import Page, expect

from imagen_demo.studio.library import BUNDLED_NAMES

pytestmark = pytest.mark.browser


def test_opens_on_a_bundled_model_with_a_picture(open_page):
    page = open_page()
    assert picture(page).startswith("data:image/")
    assert page.locator("#explore-model").input_value() in BUNDLED_NAMES
    expect(page.locator("#explore-directions input[type=range]").first).to_be_visible()


def test_the_picture_follows_the_slider_and_reset_brings_it_back(open_page):
    page = open_page()
    first = picture(page)
    slider = page.locator("#explore-direction-pc0")
    slider.scroll_into_view_if_needed()
    box = slider.bounding_box()
    y, x = box["y"] + box["height"] / 2, box["x"] + box["width"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    for step in range(1, 11):  # the button is still down: the picture moves under the finger
        page.mouse.move(x + step * box["width"] / 25, y)
    during = changed_picture(page, first)
    page.mouse.move(x - box["width"] / 3, y, steps=5)
    assert changed_picture(page, during) != first
    page.mouse.up()
    page.locator("#explore-reset").click()
    expect(page.locator("#explore-picture")).to_have_attribute("src", first)
    page.locator("#explore-undo").click()
    changed_picture(page, first)


def explored(page: Page) -> str:
    """Go to a picture that is nobody's first one; its bytes, once the address bar names it."""
    before = picture(page)
    page.locator("#explore-seed").fill("1234")
    page.locator("#explore-seed").press("Enter")
    before = changed_picture(page, before)
    page.locator("#explore-direction-pc1").fill("1.5")
    page.locator("#explore-direction-pc1").dispatch_event("change")
    final = changed_picture(page, before)
    page.wait_for_url(re.compile(r"seed=1234.*d=pc1:1\.5"))
    return final


def test_a_link_opens_on_the_very_same_picture(open_page):
    page = open_page()
    final = explored(page)
    query = page.url.partition("?")[2]
    assert picture(open_page(f"?{query}")) == final


def test_copy_link_is_of_the_picture_asked_for_last(open_page):
    page = open_page(permissions=["clipboard-read", "clipboard-write"])
    picture(page)
    page.evaluate("""() => { // the link is copied before the picture can have come
      const seed = document.querySelector('#explore-seed');
      seed.value = 4321;
      seed.dispatchEvent(new Event('change'));
      document.querySelector('#explore-copy').click();
    }""")
    expect(page.locator("#explore-note")).to_contain_text("Link copied")
    assert "seed=4321" in page.evaluate("navigator.clipboard.readText()")


def test_a_link_that_makes_no_sense_says_so(open_page):
    page = open_page("?seed=abc")
    picture(page)
    expect(page.locator("#explore-note")).to_have_text("The link's seed cannot be 'abc'.")


def test_a_dropped_png_restores_its_recipe(open_page, tmp_path):
    page = open_page()
    final = explored(page)
    with page.expect_download() as download:
        page.locator("#explore-download").click()
    file = tmp_path / download.value.suggested_filename
    download.value.save_as(file)

    other = open_page()
    before = picture(other)
    transfer = other.evaluate_handle(
        "bytes => { const all = new DataTransfer();"
        "all.items.add(new File([new Uint8Array(bytes)], 'mine.png', { type: 'image/png' })); return all; }",
        list(file.read_bytes()),
    )
    other.locator("#explore-drop").dispatch_event("drop", {"dataTransfer": transfer})
    assert changed_picture(other, before) == final
    expect(other.locator("#explore-seed")).to_have_value("1234")
