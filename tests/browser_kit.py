"""What the browser tests share: the app as a process of its own, Chromium, a visitor's page, the ways to a tab."""

from __future__ import annotations

import mimetypes
import os
import re
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from chromium import HOW_TO_GET, find_chromium

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Page

REPOSITORY = Path(__file__).resolve().parent.parent
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update",
         "--disable-sync", "--no-first-run"]  # fmt: skip
WAIT = 40_000  # milliseconds for anything to appear: the machine may be busy, no test waits for a clock


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One Chromium for all tests."""
    from playwright.sync_api import expect, sync_playwright  # not every test run has it

    expect.set_options(timeout=WAIT)
    program = find_chromium()
    if not program:
        if os.environ.get("CI"):
            pytest.fail(HOW_TO_GET)
        pytest.skip(HOW_TO_GET)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=FLAGS)
        yield browser
        browser.close()


@contextmanager
def running_app(folder: Path, *options: str) -> Iterator[tuple[str, subprocess.Popen]]:
    """``python app.py`` over ``folder/workspace``: its address and its process."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "app.py", "--no-browser", "--port", str(port), "--workspace", str(folder / "workspace"),
               *options]  # fmt: skip
    with open(folder / "log.txt", "a") as log:
        environment = os.environ | {"GRADIO_TEMP_DIR": str(folder / "gradio")}
        app = subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, stderr=log, text=True, env=environment)
        try:
            found = next(filter(None, (re.search(r"Imagen Demo: (http://\S+)", line) for line in app.stdout)), None)
            if not found:
                pytest.fail(f"The app did not start: {(folder / 'log.txt').read_text()}")
            yield found[1].rstrip("/"), app
        finally:
            app.terminate()
            app.wait(timeout=30)


@pytest.fixture(scope="session")
def address(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of an app over an empty workspace."""
    with running_app(tmp_path_factory.mktemp("app")) as (address, _):
        yield address


@pytest.fixture
def open_page(browser: Browser, address: str) -> Iterator[Callable[..., Page]]:
    """``open_page("?seed=1", locale="zh-CN")``: a visitor of their own. Errors and outside requests fail the test."""
    contexts, faults = [], []

    def visit(query: str = "", **options: object) -> Page:
        context = browser.new_context(accept_downloads=True, **options)
        contexts.append(context)
        context.set_default_timeout(WAIT)
        page = context.new_page()
        page.on("pageerror", lambda error: faults.append(f"error in the page: {error}"))
        page.on("request", lambda request: faults.append(request.url) if outside(request.url) else None)
        page.goto(f"{address}/{query}")
        return page

    def outside(url: str) -> bool:
        return not url.startswith((address, address.replace("http", "ws"), "data:", "blob:"))

    yield visit
    for context in contexts:
        context.close()
    assert not faults


def visitor(browser: Browser, address: str) -> Page:
    """A visitor of an app of the test's own, who sees a picture."""
    page = browser.new_page(locale="en-US")
    page.set_default_timeout(WAIT)
    page.goto(address)
    picture(page)
    return page


def picture(page: Page) -> str:
    """The bytes of the picture on the Explore tab, as its data URL."""
    page.wait_for_function("document.querySelector('#explore-picture')?.naturalWidth > 0")
    return page.locator("#explore-picture").get_attribute("src")


def changed_picture(page: Page, before: str) -> str:
    """The next picture on the Explore tab."""
    from playwright.sync_api import expect

    expect(page.locator("#explore-picture")).not_to_have_attribute("src", before)
    return picture(page)


def direction(page: Page, id: str) -> Locator:
    """The slider of a direction on Explore, unfolded."""
    slider = page.locator(f"#explore-direction-{id}")
    slider.evaluate("node => { while ((node = node.parentElement)) if (node.tagName === 'DETAILS') node.open = true; }")
    return slider


def open_tab(page: Page, name: str) -> None:
    """By the button a visitor clicks; on a narrow page it may lie in the menu of those that do not fit."""
    from playwright.sync_api import expect

    page.wait_for_selector("#tabs button[role=tab]")
    page.evaluate(f"window.imagenDemo.open('{name}', {{}})")
    expect(page.locator(f"#tab-{name}")).to_be_visible()


def drop(page: Page, place: str, file: Path) -> None:
    """A file from outside, let go over ``place``."""
    transfer = page.evaluate_handle(
        "([bytes, name, type]) => { const all = new DataTransfer();"
        "all.items.add(new File([new Uint8Array(bytes)], name, { type })); return all; }",
        [list(file.read_bytes()), file.name, mimetypes.guess_type(file.name)[0] or ""],
    )
    page.locator(place).dispatch_event("drop", {"dataTransfer": transfer})


def choose(page: Page, dropdown: str, option: str) -> None:
    page.locator(f"{dropdown} input").first.click()
    page.get_by_role("option", name=option, exact=True).click()


def timeline(open_page: Callable[..., Page], query: str = "", **options: object) -> Page:
    """A visitor who sees the film strip of Interpolate."""
    from playwright.sync_api import expect

    page = open_page(query, **options)
    if not query.startswith("?t="):
        picture(page)
        open_tab(page, "interpolate")
    expect(page.locator("#interpolate-film img").first).to_be_visible()
    return page


def seeds(page: Page) -> list[str]:
    return [key.get_attribute("data-seed") for key in page.locator("#interpolate-keys .im-key").all()]


def linked(page: Page) -> str:
    """The film's link, once the address has it."""
    page.wait_for_function("location.search.startsWith('?t=')")
    page.wait_for_timeout(1000)  # a change is written a moment later
    return page.evaluate("location.search")
