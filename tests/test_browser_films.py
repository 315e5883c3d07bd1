"""Films in a real browser: made, played, with sound, opened again from links and files."""

from __future__ import annotations

import re

import pytest
from browser_kit import drop, linked, open_tab, picture, seeds, timeline
from playwright.sync_api import expect
from sounds import write_beats

pytestmark = pytest.mark.browser


def test_a_video_is_made_and_plays(open_page):
    page = timeline(open_page)
    page.locator("#interpolate-seconds").fill("2")
    page.locator("#interpolate-play").click()
    page.locator("#interpolate-play").click()
    page.locator("#interpolate-make").click()
    expect(page.locator("#interpolate-cancel")).to_be_visible()
    expect(page.locator("#interpolate-play")).to_have_attribute("aria-pressed", "false")  # it stays paused
    video = page.locator("#interpolate-video video")
    video.wait_for()
    video.evaluate("video => { video.muted = true; return video.play(); }")
    page.wait_for_function("document.querySelector('#interpolate-video video').currentTime > 0.3")
    assert video.evaluate("video => video.duration") == pytest.approx(2, abs=0.2)


def test_a_film_stays_until_the_next_one_is_there(open_page):
    page = timeline(open_page)
    page.locator("#interpolate-seconds").fill("1")
    page.locator("#interpolate-size").select_option("128")
    page.locator("#interpolate-make").click()
    video = page.locator("#interpolate-video video")
    video.wait_for()
    first = video.get_attribute("src")
    assert video.bounding_box()["width"] == 320  # enlarged: the player's controls need room
    expect(page.locator("#interpolate-cancel")).to_be_hidden()
    page.locator("#interpolate-seconds").fill("60")
    page.locator("#interpolate-size").select_option("1024")
    page.locator("#interpolate-make").click()
    expect(page.locator("#interpolate-cancel")).to_be_visible()
    page.locator("#interpolate-cancel").click()
    expect(page.locator(".toast-body")).to_contain_text("Cancelled.")
    expect(page.locator("#interpolate-cancel")).to_be_hidden()
    expect(video).to_be_visible()
    assert video.get_attribute("src") == first
    expect(page.locator("#interpolate-download")).to_be_visible()
    page.locator("#interpolate-seconds").fill("1")
    page.locator("#interpolate-size").select_option("128")
    page.locator("#interpolate-make").click()
    expect(video).not_to_have_attribute("src", first)


def test_cancelling_a_video_that_still_waits(open_page):
    visitors = [timeline(open_page) for _ in range(3)]
    for page in visitors:
        page.locator("#interpolate-seconds").fill("60")
        page.locator("#interpolate-size").select_option("1024")
        page.locator("#interpolate-make").click()
        expect(page.locator("#interpolate-cancel")).to_be_visible()
    last = visitors[-1]  # two are made at a time
    last.locator("#interpolate-cancel").click()
    expect(last.locator(".toast-body")).to_contain_text("Cancelled.")
    expect(last.locator("#interpolate-cancel")).to_be_hidden()
    for page in visitors[:2]:
        page.locator("#interpolate-cancel").click()
        expect(page.locator(".toast-body")).to_contain_text("Cancelled.")
        expect(page.locator("#interpolate-cancel")).to_be_hidden()
        expect(page.locator("#interpolate-video video")).to_have_count(0)
    # A cancelled page can make the next one.
    last.locator("#interpolate-seconds").fill("1")
    last.locator("#interpolate-size").select_option("256")
    last.locator("#interpolate-make").click()
    last.locator("#interpolate-video video").wait_for()


def test_the_preview_plays_while_the_film_is_made_and_transparent_films_show(open_page):
    page = timeline(open_page)
    page.locator("#interpolate-seconds").fill("48")
    expect(page.locator("#interpolate-weight")).to_have_text("A file of about 1.2 MB")  # it came to 1.6
    page.locator("#interpolate-seconds").fill("1")
    page.locator("#interpolate-size").select_option("128")
    page.locator("#interpolate-format").select_option("webp")
    expect(page.locator("#interpolate-weight")).to_have_text("A file of about 0.3 MB")  # 30 frames of 80 kB / 4 ^ 1.45
    page.locator("#interpolate-make").click()
    expect(page.locator("#interpolate-play")).to_have_attribute("aria-pressed", "true")
    image = page.locator("#interpolate-video img")
    image.wait_for()
    page.wait_for_function("document.querySelector('#interpolate-video img').naturalWidth === 128")
    expect(page.locator("#interpolate-play")).to_have_attribute("aria-pressed", "false")  # one moving picture is enough
    with page.expect_download() as download:
        page.locator("#interpolate-download").click()
    assert download.value.suggested_filename.endswith(f"-film-{'-'.join(seeds(page))}.webp")


def test_a_film_with_its_sound_opens_from_its_link_as_it_was(open_page, tmp_path):
    page = timeline(open_page)
    page.locator("#interpolate-space").select_option("walk")
    page.locator("#interpolate-sound-file").set_input_files(write_beats(tmp_path / "beats.wav"))
    expect(page.locator("#interpolate-sound-name")).to_contain_text(re.compile("beats.wav: 3.0 s, [2-4] beats"))
    page.locator("#interpolate-sound-length").click()
    link, shown = linked(page), page.locator("#interpolate-film img").nth(7)
    assert len(link) < 300
    other = timeline(open_page, link)
    expect(other.locator("#interpolate-space")).to_have_value("walk")
    expect(other.locator("#interpolate-seconds")).to_have_value("3")
    expect(other.locator("#interpolate-sound-name")).to_contain_text("3.0 s")
    expect(other.locator("#interpolate-film img").nth(7)).to_have_attribute("src", shown.get_attribute("src"))
    assert linked(other) == link
    other.locator("#tab-explore-button").click()
    other.wait_for_function("location.search.includes('seed=')")
    other.locator("#tab-interpolate-button").click()
    other.wait_for_function("location.search.startsWith('?t=')")


def test_a_dropped_film_comes_back_and_a_dropped_picture_is_a_keyframe(open_page, tmp_path):
    page = timeline(open_page)
    with page.expect_download() as download:  # a picture
        open_tab(page, "explore")
        page.locator("#explore-download").click()
    download.value.save_as(still := tmp_path / "still.png")
    open_tab(page, "interpolate")
    page.locator(".in-pick").first.focus()
    page.keyboard.press("Delete")
    page.locator(".in-segment input").first.fill("0.5")
    page.locator(".in-segment input").first.press("Tab")
    for menu, value in (("space", "spline"), ("size", "128"), ("fps", "12"), ("format", "webp")):
        page.locator(f"#interpolate-{menu}").select_option(value)
    page.locator("#interpolate-way-seed").evaluate("box => { box.value = 77; box.dispatchEvent(new Event('change')); }")
    link, before = linked(page), seeds(page)
    page.locator("#interpolate-make").click()
    page.locator("#interpolate-video img").wait_for()
    with page.expect_download() as download:
        page.locator("#interpolate-download").click()
    download.value.save_as(film := tmp_path / "film.webp")

    other = timeline(open_page)
    said = other.locator("#interpolate-note")
    drop(other, ".im-key >> nth=1", film)  # onto a keyframe, which is moved only by another
    expect(said).to_have_text("Restored from film.webp.")
    assert seeds(other) == before and linked(other) == link
    expect(other.locator(".in-segment input").first).to_have_value("0.5")
    drop(other, "#interpolate-preview", still)
    expect(other.locator(".im-key")).to_have_count(4)
    other.locator(".im-key").nth(3).drag_to(other.locator(".im-key").nth(0))  # as before
    assert seeds(other)[1:] == before
    other.locator("#interpolate-file").set_input_files(film)
    expect(other.locator(".im-key")).to_have_count(3)

    (tmp_path / "notes.txt").write_text("AI-generated film by Imagen Demo; t=; more")
    drop(other, "#interpolate-film", tmp_path / "notes.txt")
    expect(said).to_contain_text("There is no film in notes.txt.")
    (tmp_path / "broken.gif").write_text("x" * (2**22 - 20) + "AI-generated film by Imagen Demo; t=broken; more")
    other.locator("#interpolate-file").set_input_files(tmp_path / "broken.gif")
    expect(said).to_have_text("broken.gif cannot be opened. This link to a film is damaged; copy all of it.")
    assert seeds(other) == before
    drop(other, "#interpolate-sound-drop", write_beats(tmp_path / "beats.wav"))  # the field's own
    expect(other.locator("#interpolate-sound-name")).to_contain_text("beats.wav: 3.0 s")


def test_links_that_cannot_be_opened_say_why(open_page):
    page = timeline(open_page, "?t=broken")
    expect(page.locator("#interpolate-note")).to_have_text("This link to a film is damaged; copy all of it.")
    open_tab(page, "explore")  # a picture sent takes the place of those that nobody chose
    picture(page)
    page.locator("#explore-to-interpolate").click()
    expect(page.locator("#interpolate-note")).to_have_text("Add another picture: a film goes from one to the next.")
    assert len(seeds(page)) == 1
    page.locator("#interpolate-random").click()
    expect(page.locator("#interpolate-film img").first).to_be_visible()
    page.locator("#interpolate-clear").click()
    assert seeds(page) == []
    expect(page.locator(".in-marks i")).to_have_count(0)  # nothing is left of the film
    expect(page.locator("#interpolate-play")).to_be_disabled()
    expect(page.locator("#interpolate-seconds")).to_be_hidden()
    # {"k":[1,2],"m":{"model":"gone"}}
    page = timeline(open_page, "?t=q1bKVrKKNtQxitVRylWyqlbKzU9JzVGyUkrPz0tVqq0FAA")
    expect(page.locator("#interpolate-note")).to_contain_text("There is no model named gone")


def test_a_film_outlives_a_reload_while_another_tab_is_in_sight(open_page):
    page = timeline(open_page)
    page.locator("#interpolate-random").click()
    expect(page.locator("#interpolate-keys .im-key")).to_have_count(5)
    linked(page)
    before = seeds(page)
    open_tab(page, "explore")
    page.reload()
    picture(page)
    open_tab(page, "interpolate")
    expect(page.locator("#interpolate-keys .im-key")).to_have_count(5)
    assert seeds(page) == before
