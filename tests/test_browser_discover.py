"""The Discover tab in a real browser."""

from __future__ import annotations

import re

import pytest
from browser_kit import drop, open_tab, picture
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser


def discover(page: Page, view: str) -> None:
    picture(page)
    open_tab(page, "discover")
    page.locator(f"#discover-view-{view}").wait_for(state="attached")
    page.locator("label", has=page.locator(f"#discover-view-{view}")).click()


def all_drawn(page: Page, place: str, count: int) -> None:
    page.wait_for_function(
        "([place, count]) => { const all = [...document.querySelectorAll(`${place} img`)];"
        "return all.length >= count && all.every((each) => each.naturalWidth > 0); }",
        arg=[place, count],
    )


def test_a_map_is_walked_by_keyboard_and_its_picture_goes_to_explore(open_page):
    page = open_page()
    picture(page)
    open_tab(page, "discover")
    page.locator("#discover-map-count").select_option("64")
    expect(page.locator("#discover-note")).to_have_text(re.compile("Arranged: 64"))
    board = page.locator("#discover-map")
    board.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    said = page.locator("#discover-note").inner_text()
    seed = re.match(r"Seed (\d+), \d+ of 64", said)[1]
    page.keyboard.press("Enter")
    expect(page.locator("#discover-caption")).to_have_text(f"Seed {seed}")
    page.locator("#discover-to-explore").click()
    expect(page.locator("#explore-seed")).to_have_value(seed)

    open_tab(page, "discover")
    page.locator("#discover-map-first").fill("4294967290")
    page.locator("#discover-map-first").press("Enter")
    expect(page.locator("#discover-note")).to_have_text(re.compile("whole number from 0 to 4294966271"))
    page.locator("#discover-map-first").fill("0")
    page.locator("#discover-map-first").press("Enter")
    page.locator("#discover-map-tidy").check()  # rows of eight, with the middle of the map between four pictures
    box = board.bounding_box()
    board.hover(position={"x": box["width"] / 2 + 30, "y": box["height"] / 2 + 30})
    expect(board).to_have_attribute("title", re.compile(r"Seed \d+"))
    page.locator("#discover-map-blend").click()  # what lies around the middle
    expect(page.locator("#discover-caption")).to_have_text(re.compile("Blend of seeds"))


def test_a_family_outlives_a_reload_and_an_ancestor_is_one_click_away(open_page):
    page = open_page()
    discover(page, "breed")
    all_drawn(page, "#discover-nine", 9)
    page.locator("[data-child='2']").click()
    page.locator("[data-child='4']").click()
    ancestor = page.locator("#discover-nine [data-child='2'] img").get_attribute("src")
    page.locator("#discover-breed-next").click()
    nodes = page.locator("#discover-tree button")
    expect(nodes).to_have_count(3)  # both parents, and the present nine
    all_drawn(page, "#discover-nine", 9)
    page.locator("[data-child='0']").click()
    caption = page.locator("#discover-caption").inner_text()
    page.locator("#discover-strength").fill("0.5")
    page.locator("#discover-psi-number").fill("2")  # beyond the slider's end
    page.locator("#discover-psi-number").press("Enter")
    page.reload()
    picture(page)
    expect(page.locator("#discover-view-breed")).to_be_checked()
    expect(page.locator("#discover-strength")).to_have_value("0.5")
    expect(page.locator("#discover-psi-number")).to_have_value("2.00")
    expect(nodes).to_have_count(3)
    all_drawn(page, "#discover-nine", 9)
    expect(page.locator("[data-child='0']")).to_have_attribute("aria-pressed", "true")
    nodes.first.click()
    expect(page.locator("#discover-nine [data-child='2'] img")).to_have_attribute("src", ancestor)
    expect(page.locator("#discover-caption")).not_to_have_text(caption)
    page.locator("#discover-to-breed").click()  # its children at once, under one more root
    expect(nodes).to_have_count(4)
    expect(page.locator("#discover-chosen")).to_be_hidden()
    names = page.locator("#discover-nine button").evaluate_all("all => all.map((each) => each.ariaLabel)")
    assert len(set(names)) == 9 and max(map(len, names)) < 50


def test_a_number_left_half_typed_comes_back_from_a_reload_within_its_limits(open_page):
    page = open_page()
    discover(page, "breed")
    all_drawn(page, "#discover-nine", 9)
    psi = page.locator("#discover-psi-number")
    for typed, held in (("0,5", "0.50"), ("abc", "0.50"), ("99", "2.00"), ("", "2.00"), ("−1", "-1.00")):
        psi.fill(typed)
        page.reload()
        picture(page)
        expect(psi).to_have_value(held)
        all_drawn(page, "#discover-nine", 9)
    expect(page.locator("#discover-note")).to_be_empty()


def test_a_mixing_table_follows_its_split_and_sends_a_mixed_picture_on(open_page):
    page = open_page()
    discover(page, "mix")
    all_drawn(page, "#discover-mix", 30)
    mixed = page.locator("#discover-mix [data-cell='1.1'] img")
    before = mixed.get_attribute("src")
    split = page.locator("#discover-mix-split-number")
    split.fill("2.5")
    split.press("Enter")
    expect(split).to_have_value("3")
    expect(page.locator("#discover-note")).to_contain_text("is a whole number from 0 to ")
    page.locator("#discover-mix-split").fill("1")
    expect(mixed).not_to_have_attribute("src", before)
    page.locator("#discover-mix [data-cell='1.1']").click()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    expect(page.locator("#discover-caption")).to_have_text("Seed 0; fine layers of seed 11 from layer 1")
    page.locator("#discover-to-explore").click()
    page.wait_for_url(re.compile(r"fine=11.*split=1"))


def test_a_grid_is_saved_as_one_picture_and_comes_back_by_drop(open_page, tmp_path):
    page = open_page()
    discover(page, "grid")
    all_drawn(page, "#discover-grid", 25)
    page.locator("#discover-grid-y").select_option("psi")
    page.locator("#discover-grid-y-count").fill("3")
    page.locator("#discover-grid-y-count").press("Enter")
    expect(page.locator("#discover-grid img")).to_have_count(15)
    all_drawn(page, "#discover-grid", 15)
    page.locator("#discover-grid-export").click()
    with page.expect_download() as download:
        page.locator("#discover-table a").first.click()
    file = tmp_path / "grid.png"
    download.value.save_as(file)
    page.locator("label", has=page.locator("#discover-view-mix")).click()
    expect(page.locator("#discover-table")).to_be_hidden()
    page.reload()
    discover(page, "grid")
    expect(page.locator("#discover-grid img")).to_have_count(15)
    expect(page.locator("#discover-grid-x optgroup")).not_to_have_count(2)

    other = open_page()
    discover(other, "grid")
    all_drawn(other, "#discover-grid", 25)
    drop(other, "#discover-drop", file)
    expect(other.locator("#discover-note")).to_have_text("Restored from grid.png.")
    expect(other.locator("#discover-grid-y")).to_have_value("psi")
    expect(other.locator("#discover-grid img")).to_have_count(15)


def test_a_seed_of_the_grid_that_is_none_is_put_right_and_said(open_page):
    page = open_page()
    discover(page, "grid")
    all_drawn(page, "#discover-grid", 25)
    note, seed, second = (page.locator(f"#discover-{name}") for name in ("note", "grid-seed", "grid-seed2"))
    expect(note).to_have_attribute("role", "status")
    for box, typed, held in ((seed, "-5", "0"), (seed, "1.5", "2"), (second, "99999999999", "4294967295")):
        box.fill(typed)
        box.press("Enter")
        expect(box).to_have_value(held)
        expect(note).to_have_text("A seed is a whole number from 0 to 4294967295.")
        right = "7" if box is seed else "8"
        box.fill(right)
        box.press("Enter")
        expect(box).to_have_value(right)
        expect(note).to_be_empty()
    second.fill("")
    second.press("Enter")
    seed.fill("")
    seed.press("Enter")
    expect(seed).to_have_value("7")  # there must be one
    expect(second).to_have_value("")
    expect(note).to_be_empty()
