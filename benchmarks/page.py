"""The page as a visitor feels it: ready after the start command, slider to picture, twenty visitors, memory.

Needs an installed Chromium and ``requirements-dev.txt``.
"""

from __future__ import annotations

import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil
import typer
from playwright.sync_api import Browser, Page, sync_playwright

REPOSITORY = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(REPOSITORY / "tests"))
from chromium import HOW_TO_GET, find_chromium  # noqa: E402

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
SINGLE = """async (count) => {
  const slider = document.querySelector('#explore-directions input[type=range]');
  const image = document.querySelector('#explore-picture');
  const taken = [];
  for (let i = 0; i < count; i++) {
    const started = performance.now();
    await new Promise((done) => {
      image.onload = done;
      slider.value = String(-2 + ((i * 37) % 80) * 0.05);
      slider.dispatchEvent(new Event('input', { bubbles: true }));
    });
    taken.push(performance.now() - started);
    await new Promise((done) => setTimeout(done, 60));
  }
  image.onload = null;
  return taken;
}"""
VISITOR = """async (milliseconds) => {
  const slider = document.querySelector('#explore-directions input[type=range]');
  const image = document.querySelector('#explore-picture');
  const end = performance.now() + milliseconds, taken = [];
  while (performance.now() < end) {
    const started = performance.now();
    await new Promise((done) => {
      image.onload = done;
      slider.value = String(-2 + Math.random() * 4);
      slider.dispatchEvent(new Event('input', { bubbles: true }));
      setTimeout(done, 5000);
    });
    taken.push(performance.now() - started);
    await new Promise((done) => setTimeout(done, 300));
  }
  return taken;
}"""


def summary(name: str, milliseconds: list[float]) -> None:
    ordered = sorted(milliseconds)
    p95 = ordered[int(0.95 * (len(ordered) - 1))]
    print(f"{name}: median {statistics.median(ordered):.0f} ms, p95 {p95:.0f} ms, {len(ordered)} samples")


def explore(browser: Browser, address: str) -> Page:
    page = browser.new_page(viewport={"width": 1280, "height": 860})
    page.goto(address)
    page.wait_for_selector("#explore-picture[src^='data:']")
    return page


def dragged(page: Page, seconds: float = 3.0) -> float:
    """Pictures a second while the mouse drags the second slider to and fro."""
    box = page.locator("#explore-directions input[type=range]").nth(1).bounding_box()
    updates = lambda: int(page.evaluate("document.querySelector('#explore-frame').dataset.updates"))  # noqa: E731
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] / 2, middle)
    page.mouse.down()
    before, started, step = updates(), time.monotonic(), 0
    while time.monotonic() - started < seconds:
        step += 1
        page.mouse.move(box["x"] + box["width"] * (0.5 + 0.45 * abs((step % 40) / 20 - 1)), middle)
        page.wait_for_timeout(12)
    rate = (updates() - before) / (time.monotonic() - started)
    page.mouse.up()
    return rate


def main(visitors: int = 20, visit_seconds: float = 10.0) -> None:
    chromium = find_chromium()
    if not chromium:
        raise SystemExit(HOW_TO_GET)
    with tempfile.TemporaryDirectory() as workspace, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        browser.new_page().goto("about:blank")  # the browser itself is not what is measured
        command = [sys.executable, "app.py", "--no-browser", "--port", "7899", "--workspace", workspace]
        started = time.monotonic()
        app = subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True)
        try:
            found = next(filter(None, (re.search(r"Imagen Demo: (http://\S+)", line) for line in app.stdout)))
            print(f"serving after {time.monotonic() - started:.1f} s")
            page = explore(browser, found[1])
            print(f"first picture on the page after {time.monotonic() - started:.1f} s")
            page.wait_for_timeout(2000)
            summary("slider to picture, one visitor", page.evaluate(SINGLE, 60)[5:])
            print(f"while dragging: {dragged(page):.1f} pictures a second")
            pages = [page, *(explore(browser, f"{found[1]}?seed={n}") for n in range(visitors - 1))]
            # All at once: each page runs by itself, the answers are collected afterwards.
            for each in pages:
                each.evaluate(f"() => {{ window.visit = ({VISITOR})({1000 * visit_seconds}); }}")
            taken = [ms for each in pages for ms in each.evaluate("window.visit")]
            summary(f"slider to picture, {visitors} visitors in one browser", taken)
            print(f"server memory: {psutil.Process(app.pid).memory_info().rss / 2**20:.0f} MB")
        finally:
            app.terminate()
            app.wait()
            browser.close()


if __name__ == "__main__":
    typer.run(main)
