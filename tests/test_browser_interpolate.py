"""The timeline in a real browser: keyframes, numbers, models, and undo."""

from __future__ import annotations

import re

import pytest
from browser_kit import drop, open_tab, seeds, timeline
from playwright.sync_api import Page, expect
from sounds import write_beats

pytestmark = pytest.mark.browser


def test_keyframes_move_by_keyboard_and_mouse(open_page):
    page = timeline(open_page)
    before = seeds(page)
    page.locator(".in-pick").first.focus()
    page.keyboard.press("Shift+ArrowRight")
    assert seeds(page) == [before[1], before[0], *before[2:]]
    expect(page.locator("#interpolate-note")).to_have_text("Now picture 2 of 4.")
    assert page.evaluate("document.activeElement.closest('.im-key').dataset.seed") == before[0]
    page.locator(".im-key").nth(3).drag_to(page.locator(".im-key").nth(0))
    assert seeds(page)[0] == before[3]
    page.locator(".in-pick").first.focus()
    page.keyboard.press("Delete")
    assert seeds(page) == [before[1], before[0], before[2]]
    expect(page.locator("#interpolate-note")).to_be_empty()  # what was said of the move


def test_every_change_of_the_timeline_can_be_undone_and_redone(open_page):
    page = timeline(open_page)
    undo, redo = page.locator("#interpolate-undo"), page.locator("#interpolate-redo")
    kind, loop, length = (page.locator(f"#interpolate-{name}") for name in ("space", "loop", "seconds"))
    easing, speed = page.locator(".in-segment select"), page.locator("#interpolate-speed")
    before, first = seeds(page), page.locator(".in-pick img").first.get_attribute("src")
    expect(undo).to_be_disabled()
    page.locator(".in-pick").first.focus()
    page.keyboard.press("Shift+ArrowRight")
    moved = seeds(page)
    kind.select_option("spline")  # changes the easing, too
    loop.uncheck()
    easing.first.select_option("cubic")
    page.locator("#interpolate-format").select_option("gif")
    length.fill("20")
    kind.select_option("walk")
    speed.fill("1")
    page.locator("#interpolate-clear").click()
    assert seeds(page) == []

    def back(what, value, earlier):
        expect(what).to_have_value(value)
        undo.click()
        expect(what).to_have_value(earlier)

    undo.click()
    assert seeds(page) == moved
    back(speed, "1", "0.5")
    back(kind, "walk", "spline")
    back(length, "20", "6")
    back(page.locator("#interpolate-format"), "gif", "mp4")
    back(easing.first, "cubic", "linear")
    undo.click()
    expect(loop).to_be_checked()
    back(kind, "spline", "w")
    expect(easing.first).to_have_value("smooth")
    page.keyboard.press("Control+z")  # wherever the focus is now
    assert seeds(page) == before
    assert page.locator(".in-pick img").first.get_attribute("src") == first
    expect(undo).to_be_disabled()
    page.locator("#interpolate-seed").focus()
    page.keyboard.press("Control+Shift+z")  # a text field keeps its own
    assert seeds(page) == before
    page.locator(".in-pick").first.focus()
    for key in ("Control+Shift+z", "Meta+Shift+z", "Control+y"):
        page.keyboard.press(key)
    assert seeds(page) == moved
    expect(kind).to_have_value("spline")
    expect(loop).not_to_be_checked()
    page.locator("#interpolate-random").click()  # a new change: what was undone is gone
    expect(page.locator(".im-key")).to_have_count(5)
    expect(redo).to_be_disabled()


def test_quick_steps_of_one_number_are_one_step_of_undo(open_page):
    page = timeline(open_page)
    undo, boxes = page.locator("#interpolate-undo"), page.locator(".in-segment input")
    boxes.nth(1).focus()
    page.keyboard.press("ArrowUp")
    expect(boxes.nth(1)).not_to_have_value("2")
    expect(boxes.nth(1)).to_be_focused()  # drawn anew, and still to be stepped
    undo.click()
    expect(boxes.nth(1)).to_have_value("2")
    page.evaluate("""() => { for (const value of [3, 4, 5]) {
      const box = document.querySelector('.in-segment input');
      box.value = value;
      box.dispatchEvent(new Event('change'));
    } }""")
    expect(boxes.first).to_have_value("5")
    undo.click()
    expect(boxes.first).to_have_value("2")
    expect(undo).to_be_disabled()


def test_undo_brings_back_another_model_and_a_sound(open_page, tmp_path):
    page = timeline(open_page)
    undo, redo, model = (page.locator(f"#interpolate-{name}") for name in ("undo", "redo", "model"))
    first, image = model.input_value(), page.locator(".in-pick img").first
    shown = image.get_attribute("src")
    other = page.locator("#interpolate-model option").evaluate_all("all => all.map((each) => each.value)")
    model.select_option(next(name for name in other if name != first))
    expect(image).not_to_have_attribute("src", shown)
    page.locator("#interpolate-sound-file").set_input_files(write_beats(tmp_path / "beats.wav"))
    name = page.locator("#interpolate-sound-name")
    expect(name).to_contain_text("beats.wav")
    undo.click()
    expect(name).to_be_hidden()
    undo.click()
    expect(model).to_have_value(first)
    expect(image).to_have_attribute("src", shown)
    redo.click()
    expect(image).not_to_have_attribute("src", shown)
    redo.click()
    expect(name).to_contain_text("beats.wav")
    expect(redo).to_be_disabled()


def typed(page: Page, field: str, text: str) -> None:
    page.locator(field).first.fill(text)
    page.locator(field).first.press("Enter")


def test_a_number_outside_its_limits_is_held_within_and_they_are_said(open_page):
    page = timeline(open_page)
    note = page.locator("#interpolate-note")
    expect(note).to_have_attribute("role", "status")
    for value, held in (("9999", "594"), ("0", "0.05")):
        typed(page, ".in-segment input", value)
        expect(page.locator(".in-segment input").first).to_have_value(held)
        expect(note).to_have_text("“Way 1: Length, seconds” goes from 0.05 to 594.")
    typed(page, ".in-segment input", "3")
    expect(note).to_be_empty()
    length = page.locator("#interpolate-seconds-number")
    typed(page, "#interpolate-seconds-number", "999")
    expect(length).to_have_value("600.00")
    expect(note).to_have_text("“Length, seconds” goes from 0.2 to 600.")
    typed(page, ".in-segment input", "470")  # the others are short beside it
    for value, shown in (("1", "1.00"), ("70", "70.00"), ("10", "10.00")):
        typed(page, "#interpolate-seconds-number", value)
        expect(length).to_have_value(shown)
        expect(note).to_be_empty()
    typed(page, ".in-segment input", "2.345")
    expect(page.locator(".in-segment input").first).to_have_value("2.345")
    for index, value in enumerate(("2.3", "2.5", "3.5", "0.12")):
        typed(page, f".in-segment input >> nth={index}", value)
    expect(length).to_have_value("8.42")
    expect(page.locator("#interpolate-clock")).to_contain_text("8.4 s")
    page.locator("#interpolate-space").select_option("walk")
    expect(note).to_be_empty()
    for seed, held in (("-5", "0"), ("99999999999", "4294967295"), ("1.5", "2")):
        typed(page, "#interpolate-way-seed", seed)
        expect(page.locator("#interpolate-way-seed")).to_have_value(held)
        expect(note).to_have_text("A seed is a whole number from 0 to 4294967295.")
    typed(page, "#interpolate-way-seed", "7")
    expect(note).to_be_empty()
    chinese = timeline(open_page, locale="zh-CN")
    chinese.locator("#interpolate-space").select_option("loop")
    typed(chinese, "#interpolate-radius-number", "9")
    expect(chinese.locator("#interpolate-radius")).to_have_value("1")
    expect(chinese.locator("#interpolate-note")).to_have_text("“半径”须在 0.01 到 1 之间。")


@pytest.mark.parametrize("locale", ["en-GB", "zh-CN"])
@pytest.mark.parametrize("width", [1280, 390])
def test_long_seeds_and_easings_are_not_cut(open_page, width, locale):
    page = timeline(open_page, locale=locale, viewport={"width": width, "height": 900})
    for seed in ("4294967295", "98765"):
        page.locator("#interpolate-seed").fill(seed)
        page.locator("#interpolate-add").click()
        page.locator(f".im-key[data-seed='{seed}']").wait_for()
    for easing in page.locator("#interpolate-easing option").evaluate_all("all => all.map((each) => each.value)")[1:]:
        page.locator("#interpolate-easing").select_option(easing)
        cut = page.evaluate("""() => {
          const pen = document.createElement('canvas').getContext('2d');
          const chosen = (select) => { // its own scrollWidth says nothing of its text
            const style = getComputedStyle(select);
            pen.font = style.font;
            const room = select.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
            return pen.measureText(select.selectedOptions[0].text).width - room;
          };
          return [...document.querySelectorAll('.im-key-bar span')].map((each) => each.scrollWidth - each.clientWidth)
            .concat([...document.querySelectorAll('.in-segment select, .in-film select')].map(chosen));
        }""")
        assert len(cut) == 16 and max(cut) < 1  # half a pixel is rounding
    seconds = page.locator(".in-segment input[type=number]").first
    seconds.fill("12.345")
    seconds.press("Enter")
    expect(seconds).to_have_value("12.345")
    room = seconds.evaluate("""box => {
      const pen = document.createElement('canvas').getContext('2d'), style = getComputedStyle(box);
      pen.font = style.font;
      return box.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight)
        - pen.measureText(box.value).width;
    }""")
    assert room > 0
    segments = "[...document.querySelectorAll('.in-segment')]"
    assert page.evaluate(f"{segments}.every((each) => each.scrollWidth <= each.clientWidth)")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_picture_of_another_model_begins_a_film_and_undo_brings_the_old_one_back(open_page, tmp_path):
    page = timeline(open_page)
    model, note = page.locator("#interpolate-model"), page.locator("#interpolate-note")
    first, before = model.input_value(), seeds(page)
    other = "emoji" if first == "planets" else "planets"
    page.evaluate(f"window.imagenDemo.open('explore', {{ model: '{other}' }})")
    expect(page.locator("#explore-model")).to_have_value(other)
    with page.expect_download() as download:
        page.locator("#explore-download").click()
    download.value.save_as(still := tmp_path / "still.png")
    open_tab(page, "interpolate")
    typed(page, "#interpolate-seconds-number", "999")
    limits = "“Length, seconds” goes from 0.2 to 600."
    expect(note).to_have_text(limits)
    drop(page, "#interpolate-preview", still)
    expect(note).to_contain_text("it began a new film; Undo brings the old one back.")
    expect(note).to_contain_text("Add another picture")
    assert note.inner_text().count(limits) == 1
    assert len(seeds(page)) == 1
    page.locator("#interpolate-undo").click()
    expect(model).to_have_value(first)
    assert seeds(page) == before

    silent = re.compile("component_server")
    page.route(silent, lambda route: route.abort() if '"draw"' in route.request.post_data else route.continue_())
    drop(page, "#interpolate-preview", still)
    expect(note).to_have_text("The server does not answer; try again in a moment.")  # no film began
    assert seeds(page) == before


def test_a_model_whose_pictures_do_not_arrive_leaves_the_film_as_it_was(open_page):
    page = timeline(open_page)
    menu, before = page.locator("#interpolate-model"), seeds(page)
    first = menu.input_value()
    silent = re.compile("component_server")
    page.route(silent, lambda route: route.abort() if '"draw"' in route.request.post_data else route.continue_())
    menu.select_option("emoji" if first == "planets" else "planets")
    expect(page.locator("#interpolate-note")).to_contain_text("does not answer")
    expect(menu).to_have_value(first)
    page.unroute(silent)
    page.locator("#interpolate-random").click()
    expect(page.locator("#interpolate-keys .im-key")).to_have_count(5)
    assert seeds(page)[:4] == before
    assert page.locator("#interpolate-film img").first.is_visible()
