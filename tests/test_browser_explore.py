"""The Explore tab in a real browser."""

from __future__ import annotations

import re

import pytest
from browser_kit import changed_picture, direction, drop, picture
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
    slider = direction(page, "pc0")
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

    number = page.get_by_role("textbox", name=f"{slider.get_attribute('aria-label')}: number")  # typed instead
    for typed, value in (("1.5", "1.5"), ("many", "1.5"), ("9", "3"), ("−0,5", "-0.5")):
        number.fill(typed)
        number.press("Enter")
        expect(slider).to_have_value(value)
    expect(number).to_have_value("-0.50")


def explored(page: Page) -> str:
    """Go to a picture that is nobody's first one; its bytes, once the address bar names it."""
    before = picture(page)
    page.locator("#explore-seed").fill("1234")
    page.locator("#explore-seed").press("Enter")
    before = changed_picture(page, before)
    direction(page, "pc1").fill("1.5")
    direction(page, "pc1").dispatch_event("change")
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
    drop(other, "#explore-drop", file)
    assert changed_picture(other, before) == final
    expect(other.locator("#explore-seed")).to_have_value("1234")


def test_keys_locks_undo_and_the_way_back(open_page):
    page = open_page("?model=planets&seed=3")
    first = picture(page)
    slider, second = direction(page, "pc0"), direction(page, "pc1")
    slider.press("ArrowRight")
    expect(slider).to_have_value("0.05")
    slider.press("Shift+ArrowRight")
    expect(slider).to_have_value("0.55")
    page.locator("[data-id=pc0] .ex-lock").click()
    page.evaluate("Math.random = () => 0.3")  # by chance one slider in forty stays where it is
    page.locator("#explore-randomise").click()
    expect(second).to_have_value("-0.2")
    expect(slider).to_have_value("0.55")  # locked
    expect(page.locator("[data-id=sf0] input[type=range]")).to_have_value("0")  # in a closed group
    psi = page.locator("#explore-psi-number")
    psi.fill("0.9")
    psi.press("Enter")
    page.wait_for_url(re.compile("pc1"))  # drawn, so that what comes next is told from what was before
    page.locator("#explore-reset").click()
    expect(second).to_have_value("0")
    expect(psi).to_have_value("0.90")  # it is none of the directions
    expect(slider).to_have_value("0.55")
    page.wait_for_url(re.compile(r"d=pc0:0\.55&lock=pc0"))
    moved = changed_picture(page, first)

    # Before and after: the start lies over the picture, which stays.
    page.locator("#explore-compare").press("Enter")
    expect(page.locator("#explore-before")).to_have_attribute("src", first)
    assert picture(page) == moved
    page.locator("#explore-compare").press("Escape")
    expect(page.locator("#explore-before")).to_be_hidden()

    slider.dblclick()
    expect(slider).to_have_value("0")
    page.locator("#explore-undo").click()
    expect(slider).to_have_value("0.55")
    page.locator("#explore-view-recent").click()
    page.locator("#explore-recent button").last.click()  # where it began
    expect(page.locator("#explore-picture")).to_have_attribute("src", first)
    expect(slider).to_have_value("0")
    count = page.locator("#explore-recent button").count()
    page.reload()  # which they outlive
    picture(page)
    page.locator("#explore-view-recent").click()
    expect(page.locator("#explore-recent img[src]")).to_have_count(count)


def test_the_picture_after_a_quick_drag_is_that_of_the_last_value(open_page):
    page = open_page("?model=planets&seed=8")
    picture(page)
    pad = page.locator("#explore-pad")
    page.locator("#explore-pad-fold summary").click()
    pad.scroll_into_view_if_needed()
    box = pad.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    for step in range(60):  # faster than pictures come
        page.mouse.move(box["x"] + box["width"] * (0.1 + 0.8 * (step % 20) / 20), box["y"] + box["height"] * step / 60)
    page.mouse.move(box["x"] + box["width"] * 0.75, box["y"] + box["height"] * 0.25)
    page.mouse.up()
    pad.press("ArrowRight")
    page.wait_for_url(re.compile(r"d=pc0:1\.6,pc1:1\.5"))
    expect(direction(page, "pc1")).to_have_value("1.5")
    final, query = picture(page), page.url.partition("?")[2]
    assert picture(open_page(f"?{query}")) == final


def test_mixing_layers_and_truncation_are_in_the_link(open_page):
    page = open_page("?model=emoji&seed=2")
    picture(page)
    direction(page, "pc0")
    page.locator("[data-id=pc0] button").nth(1).click()
    about = page.locator("#explore-about-pc0")
    expect(about.locator(".ex-film button")).to_have_count(7)
    about.locator(".ex-layers").select_option("some")
    last = about.locator(".ex-pair input").nth(1)
    last.fill("99")
    last.press("Enter")
    expect(last).not_to_have_value("99")
    expect(page.locator("#explore-note")).to_contain_text("“Last layer” is a whole number from 0 to ")
    about.locator(".ex-layers").select_option("fine")
    about.locator(".ex-film button").last.click()
    page.locator("#explore-mix > summary").click()
    page.locator("#explore-fine-add").click()
    page.locator("#explore-fine input[type=number]").fill("77")
    page.locator("#explore-fine input[type=number]").press("Enter")
    page.locator("#explore-blend-add").click()
    expect(page.locator("#explore-blend input[type=number]")).to_have_count(2)
    expect(page.locator("#explore-blend-1-number")).to_have_value("1.00")
    page.locator("#explore-truncation > summary").click()
    page.locator("#explore-truncation details summary").click()
    page.locator("#explore-psi-1").press("Shift+ArrowLeft")
    page.wait_for_url(re.compile(r"seed=2\*1,\d+\*1&fine=77&split=\d&psis=1,0\.9&d=pc0@fine:3"))
    final, query = picture(page), page.url.partition("?")[2]
    other = open_page(f"?{query}")
    assert picture(other) == final
    expect(direction(other, "pc0")).to_have_value("3")


def test_a_direction_from_marked_pictures(open_page):
    page = open_page("?model=planets&seed=1")
    before = picture(page)
    page.locator("#explore-find-fold > summary").click()
    page.locator("#explore-examples > summary").click()
    cells = page.locator("#explore-examples-pool button")
    for index in range(4):
        cells.nth(index).press("+" if index < 2 else "-")
    expect(page.locator("#explore-examples-count")).to_have_text("2 with, 2 without")
    page.locator("#explore-examples-name").fill("Mine")
    page.locator("#explore-examples-make").click()
    slider = page.get_by_role("slider", name="Mine")
    slider.press("Shift+ArrowRight")
    changed_picture(page, before)
    page.wait_for_url(re.compile(r"d=mine-\w{4}:0\.5"))

    # Named, with its panel left open; hidden, where it acts no more until that is undone.
    id = slider.get_attribute("id").removeprefix("explore-direction-")
    page.locator(f"[data-id={id}] button").nth(1).click()
    about = page.locator(f"#explore-about-{id}")
    about.locator("input[type=text]").fill("Odd")
    about.locator("input[type=text]").press("Enter")
    slider = page.get_by_role("slider", name="Odd")
    expect(about.locator("input[type=text]")).to_have_value("Odd")
    expect(slider).to_have_value("0.5")
    about.get_by_role("button", name="Hide").click()
    expect(page.locator("#explore-note")).to_contain_text("Odd stands at 0 and is hidden")
    expect(slider).to_have_count(0)
    page.locator("#explore-undo").click()
    expect(slider).to_have_value("0.5")

    # With every group folded Randomise says so; another model never comes wholly folded.
    page.evaluate("document.querySelectorAll('#explore-directions details').forEach((each) => { each.open = false; })")
    page.locator("#explore-randomise").click()
    expect(page.locator("#explore-note")).to_contain_text("open a group of directions")
    page.locator("#explore-model").select_option("emoji")
    expect(page.locator("#explore-directions > details[open]")).to_have_count(1)


def test_a_direction_that_is_not_here_is_named(open_page):
    page = open_page("?model=planets&seed=1&d=smile-1234:1")
    picture(page)
    expect(page.locator("#explore-note")).to_contain_text("smile-1234")


@pytest.mark.parametrize("typed", ["-5", "1.5", "99999999999999999999"])
def test_a_seed_that_is_none_gets_a_sentence_and_the_picture_stays(open_page, typed):
    page = open_page("?seed=3")
    before = picture(page)
    seed = page.locator("#explore-seed")
    seed.fill(typed)
    seed.press("Enter")
    expect(page.locator("#explore-note")).to_have_text("A seed is a whole number from 0 to 4294967295.")
    expect(seed).to_have_attribute("aria-invalid", "true")
    assert picture(page) == before
    seed.fill("4")
    seed.press("Enter")
    changed_picture(page, before)
    expect(seed).not_to_have_attribute("aria-invalid", "true")


def test_numbers_beside_sliders_are_those_of_the_picture(open_page):
    page = open_page("?model=emoji&seed=4294967295&psi=2&d=brightness:5,warmth:0.12")
    picture(page)
    seed = page.locator("#explore-seed")
    page.locator("#explore-mix").evaluate("fold => { fold.open = true; }")
    for box in (seed, page.locator("#explore-blend input[type=number]")):
        assert box.evaluate("box => box.scrollWidth <= box.clientWidth")  # ten digits
    slider, note = direction(page, "brightness"), page.locator("#explore-note")
    brightness, psi = page.locator("#explore-direction-brightness-number"), page.locator("#explore-psi-number")
    expect(brightness).to_have_value("5.00")
    expect(slider).to_have_value("3")  # the thumb stands at its end
    expect(page.locator("#explore-direction-warmth-number")).to_have_value("0.12")
    expect(psi).to_have_value("2.00")
    brightness.fill("2.123456")
    brightness.press("Enter")
    page.wait_for_url(re.compile("d=brightness:2.123456"))
    expect(brightness).to_have_value("2.123456")
    expect(note).to_be_empty()
    for box, typed, held in ((brightness, "11", "10.00"), (psi, "-3", "-2.00")):
        box.fill(typed)
        box.press("Enter")
        expect(box).to_have_value(held)
    expect(note).to_have_text("“Truncation ψ” goes from -2 to 2.")
    page.set_viewport_size({"width": 390, "height": 600})
    brightness.scroll_into_view_if_needed()
    expect(note).to_be_in_viewport()
    page.wait_for_url(re.compile("psi=-2.*d=brightness:10,"))
    slider.press("ArrowLeft")  # from the thumb's end on
    expect(brightness).to_have_value("2.95")
    expect(note).to_be_empty()
