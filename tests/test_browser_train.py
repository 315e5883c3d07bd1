"""Training in a real browser: pictures prepared, runs watched, what goes on elsewhere."""

from __future__ import annotations

import json
import re
import urllib.request
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
from browser_kit import choose, open_tab, picture, running_app, visitor
from conftest import SHARED_DATA, draw_pictures
from playwright.sync_api import expect

from imagen_demo.config import PrepareConfig, TrainConfig
from imagen_demo.studio import datasets, jobs
from imagen_demo.training.run import own_status
from imagen_demo.workspace import Workspace

pytestmark = pytest.mark.browser


@pytest.fixture
def pictures_zip(tmp_path: Path) -> Path:
    """48 real pictures with transparency where the shared data are present, else drawn ones."""
    source, target = SHARED_DATA / "emoji-rgba.zip", tmp_path / "pictures.zip"
    with zipfile.ZipFile(target, "w") as out:
        if source.exists():
            with zipfile.ZipFile(source) as archive:
                names = [name for name in archive.namelist() if name.endswith(".png")]
                for name in names[:: len(names) // 48][:48]:
                    out.writestr(Path(name).name, archive.read(name))
        else:
            for file in sorted(draw_pictures(tmp_path / "drawn", count=48).iterdir()):
                out.write(file, file.name)
    return target


def test_every_page_watches_pictures_being_prepared(open_page):
    first = open_page()
    picture(first)
    open_tab(first, "train")
    choose(first, "#train-resolution", "128")  # takes long enough to come back to
    first.locator("#train-sample").click()
    expect(first.locator("#train-prepare-bar")).to_contain_text("planets drawn")
    first.locator("#train-sample").click()
    expect(first.locator("#train-prepare-note")).to_contain_text("Other pictures of yours are being prepared")
    first.reload()  # the same visitor comes back, another one comes by
    second = open_page()
    for page in (first, second):
        picture(page)
        open_tab(page, "train")
        expect(page.locator("#train-prepare-bar")).to_contain_text("planets drawn")
    second.locator("#train-prepare-cancel").click()
    for page in (first, second):
        expect(page.locator("#train-prepare-note")).to_have_text("Cancelled.")
        expect(page.locator("#train-preparing")).to_be_hidden()

    choose(second, "#train-resolution", "16")
    second.locator("#train-sample").click()
    expect(second.locator("#train-prepare-bar")).to_contain_text("planets drawn")
    first.reload()
    picture(first)
    open_tab(first, "train")
    for page in (first, second):
        expect(page.locator("#train-prepare-note")).to_contain_text("planets-16")
        expect(page.locator("#train-report")).to_contain_text("2000 of 2000")
        expect(page.locator("#train-preview img")).to_be_visible()


def test_an_uploaded_folders_sub_folders_are_classes(open_page, tmp_path):
    for kind, side in (("cats", 24), ("dogs", 32)):
        draw_pictures(tmp_path / "photos" / kind, count=8, side=side)
    page = open_page()
    picture(page)
    open_tab(page, "train")
    choose(page, "#train-resolution", "16")
    folder = page.locator("#train-folder input[type=file], input[webkitdirectory]").first
    (tmp_path / "empty").mkdir()
    folder.set_input_files(tmp_path / "empty")
    expect(page.locator("#train-folder-note")).to_contain_text("the folder is empty")
    folder.set_input_files(tmp_path / "photos")
    expect(page.locator("#train-folder-note")).to_have_count(0)
    expect(page.locator("#train-prepare-note")).to_contain_text("photos")
    expect(page.locator("#train-report")).to_contain_text("cats, dogs")


def test_prepare_train_watch_and_explore(open_page, pictures_zip):
    page = open_page()
    picture(page)
    open_tab(page, "train")
    page.locator("#train-files input[type=file]").set_input_files(pictures_zip)
    choose(page, "#train-resolution", "16")
    page.locator("#train-prepare").click()
    expect(page.locator("#train-report")).to_contain_text(re.compile(r"\d+"))
    expect(page.locator("#train-preview img").first).to_be_visible()
    expect(page.locator("#train-live")).to_be_hidden()  # nothing trains yet

    page.locator("#train-minutes input").fill("0.4")
    page.locator("#train-name input, #train-name textarea").first.fill("little")
    page.locator("#train-start").click()
    expect(page.locator("#train-live")).to_be_visible()

    # The curves are drawn, and drawn again as the run goes on.
    curves = "[...document.querySelectorAll('#train-live canvas, #train-live svg.marks')]"
    drawing = f"{curves}.map(c => c.toDataURL ? c.toDataURL() : c.outerHTML).join()"
    page.wait_for_function(f"{curves}.length > 0")
    before = page.evaluate(drawing)
    page.wait_for_function(f"before => {drawing} !== before", arg=before)
    expect(page.locator("#train-grid")).to_be_visible()

    # Another visitor who comes by sees the same run, without having asked for it.
    other = open_page()
    picture(other)
    open_tab(other, "train")
    expect(other.locator("#train-live")).to_be_visible()
    expect(other.locator("#train-head")).to_contain_text("little")
    expect(other.locator("#train-plot-loss svg")).to_contain_text("thousand pictures")

    # A plot has the theme's colours after a change of it, too.
    words = other.locator("#train-plot-loss svg .role-axis-title text").first
    light = words.evaluate("text => getComputedStyle(text).fill")
    other.locator("#theme-toggle").click()
    expect(words).not_to_have_css("fill", light)

    page.locator("#train-explore").click()
    expect(page.locator("#explore-model")).to_have_value(re.compile("^(run/)?little$"))
    open_tab(page, "train")
    expect(page.locator("#train-delete")).to_be_visible()  # only a run that is over can be deleted
    expect(page.locator("#train-head")).to_contain_text("Finished")
    open_tab(page, "models")
    expect(page.locator("#models-cards [data-model=little]")).to_be_visible()

    open_tab(page, "train")
    page.locator("#train-new").click()  # begins with nothing dropped
    expect(page.locator("#train-files")).not_to_contain_text(pictures_zip.name)
    expect(page.locator("#train-prepare")).to_be_hidden()


def test_the_form_of_a_new_training_knows_what_goes_on_elsewhere(browser, tmp_path):
    workspace = Workspace(tmp_path / "workspace")
    config = PrepareConfig(resolution=16, workers=1)
    dataset = datasets.prepare_dataset(workspace, draw_pictures(tmp_path / "pictures"), "discs", config)
    with running_app(tmp_path) as (address, _):
        page = visitor(browser, address)
        open_tab(page, "train")
        expect(page.locator("#train-start")).to_be_visible()
        expect(page.locator("#train-top")).to_be_hidden()
        run = jobs.create_run(workspace, dataset, TrainConfig(), "first")
        run.write_status(replace(own_status(), state="training"))
        for _ in range(20):  # at once, unless the page's own greeting comes after it
            open_tab(page, "models")
            open_tab(page, "train")
            page.wait_for_timeout(500)
            if page.locator("#train-runs input").is_visible():
                break
        page.locator("#train-runs input").click()
        expect(page.get_by_role("option", name="first · training")).to_be_visible()
        expect(page.locator("#train-busy")).to_contain_text("“first” is being trained now.")

        page.keyboard.press("Escape")
        minutes, said = page.locator("#train-minutes input"), page.locator("#train-start-note")
        choose(page, "#train-dataset", re.compile("^discs"))
        minutes.fill("")
        page.locator("#train-start").click()
        expect(said).to_contain_text("“Minutes” is empty")
        minutes.fill("5")
        expect(said).to_have_text("")
        name = page.locator("#train-name input, #train-name textarea").first
        said = page.locator("#train-name-note")
        name.fill("My Cats & dogs")
        expect(said).to_contain_text("'&' cannot be in one")
        name.fill("My Cats and dogs")
        expect(said).to_have_text("")
        page.close()


def test_a_run_outlives_the_app(browser, tmp_path):
    workspace = Workspace(tmp_path / "workspace")
    source = draw_pictures(tmp_path / "pictures")
    datasets.prepare_dataset(workspace, source, "discs", PrepareConfig(resolution=16, workers=1))
    with running_app(tmp_path) as (address, app):
        call = json.dumps({"data": ["discs", "steady", 30, ""]}).encode()
        url, kind = f"{address}/gradio_api/call/train_start", {"Content-Type": "application/json"}
        event = json.load(urllib.request.urlopen(urllib.request.Request(url, call, kind)))["event_id"]
        assert b"steady" in urllib.request.urlopen(f"{url}/{event}").read()
        app.kill()  # the trainer is its child
    run = jobs.find_run(workspace, "steady")
    try:
        with running_app(tmp_path) as (address, _):
            page = visitor(browser, address)
            open_tab(page, "train")
            expect(page.locator("#train-head")).to_contain_text("steady")
            expect(page.locator("#train-grid")).to_be_visible()
            page.locator("#train-stop").click()
            page.locator("#train-stop-yes").click()
            expect(page.locator("#train-continue")).to_be_visible()
            page.close()
        assert run.status().state == "stopped" and jobs.can_continue(run)
    finally:
        if run.status().alive:
            jobs.stop(run)
            jobs.wait(run, 60)
