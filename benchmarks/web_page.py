"""The exported page as its visitor feels it: size, first picture, pictures a second, and how near to the app's.

Exports a model, serves it from loopback, opens it in an installed Chromium. ``--webgpu`` lets Chromium use WebGPU (in
software where there is no GPU). Needs ``requirements-dev.txt``, and npm at the first time.
"""

from __future__ import annotations

import functools
import http.server
import io
import statistics
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Annotated

import numpy as np
import psutil
import typer
from PIL import Image
from playwright.sync_api import Page, sync_playwright

REPOSITORY = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(REPOSITORY), str(REPOSITORY / "tests")]
from chromium import HOW_TO_GET, find_chromium  # noqa: E402

from imagen_demo.export.web import write_page  # noqa: E402
from imagen_demo.studio.recipes import Recipe, Studio  # noqa: E402
from imagen_demo.workspace import Workspace  # noqa: E402

FLAGS = ["--no-sandbox", "--disable-background-networking", "--disable-component-update", "--no-first-run"]
WEBGPU = [
    "--enable-unsafe-webgpu",
    "--enable-features=Vulkan",
    "--enable-unsafe-swiftshader",
    "--use-webgpu-adapter=swiftshader",
]
DRAW = """async (count) => {
  const { engine, recipe } = imagenPage, codes = [], taken = [];
  for (const seed of [1, 2]) codes.push(await engine.code({ ...recipe, seeds: [[seed, 1]] }));
  for (let i = 0; i < count; i++) {
    const ws = codes[0].map((value, at) => value + (i / count) * (codes[1][at] - value));
    const started = performance.now();
    await engine.draw(ws);
    taken.push(performance.now() - started);
  }
  return taken;
}"""


class Host(http.server.SimpleHTTPRequestHandler):
    """A static host that counts what it sends."""

    sent = 0

    def log_message(self, *arguments: object) -> None:
        pass

    def copyfile(self, source: io.BufferedReader, outputfile: io.BufferedIOBase) -> None:
        data = source.read()
        Host.sent += len(data)
        outputfile.write(data)


def first_picture(page: Page, address: str) -> float:
    """Seconds until the page has drawn; a poster of the first picture may be there earlier."""
    started = time.monotonic()
    page.goto(address)
    page.wait_for_selector("body[data-ready]", timeout=120_000)
    return time.monotonic() - started


def processor_seconds() -> float:
    """What this process's children have used so far: the browser, whatever else keeps the machine busy."""
    times = [child.cpu_times() for child in psutil.Process().children(recursive=True)]
    return sum(each.user + each.system for each in times)


def difference(page: Page, studio: Studio, address: str, recipe: Recipe) -> float:
    """Greatest difference to the app's picture, as seen on black and on white, in levels."""
    first_picture(page, f"{address}&{studio.pinned(recipe).to_query()}")
    with page.expect_download() as download:
        page.click("#download")
    found = np.asarray(Image.open(download.value.path()), float)
    expected = studio.render_array(recipe).astype(float)
    if found.shape[2] == 3:
        return float(np.abs(found - expected).max())
    black = [picture[..., :3] * picture[..., 3:] / 255 for picture in (found, expected)]
    white = [part + 255 - picture[..., 3:] for part, picture in zip(black, (found, expected), strict=True)]
    return float(max(np.abs(black[0] - black[1]).max(), np.abs(white[0] - white[1]).max()))


def main(
    model: str = "planets",
    seeds: Annotated[int, typer.Option(help="Pictures compared with the app's")] = 5,
    frames: Annotated[int, typer.Option(help="Pictures drawn for the rate")] = 200,
    webgpu: bool = False,
) -> None:
    program = find_chromium()
    if not program:
        sys.exit(HOW_TO_GET)
    studio = Studio(Workspace.default(), "cpu")
    with tempfile.TemporaryDirectory() as root, sync_playwright() as playwright:
        started = time.monotonic()
        facts = write_page(
            studio.model(model), model, studio.directions(model), Path(root) / "sub" / "page", studio.workspace.exports
        )
        print(f"exported in {time.monotonic() - started:.1f} s: {facts['bytes'] / 1e6:.2f} MB on the host")
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Host, directory=root))
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}/sub/page/?engine={'webgpu' if webgpu else 'wasm'}"
        browser = playwright.chromium.launch(
            executable_path=program, args=[*FLAGS, *(WEBGPU if webgpu else ["--disable-gpu"])]
        )
        times, used = [], []
        for _ in range(5):  # each a visitor with an empty cache
            context = browser.new_context()
            page, before = context.new_page(), processor_seconds()
            times.append(first_picture(page, address))
            used.append(processor_seconds() - before)
            context.close()
        page, Host.sent = browser.new_context(accept_downloads=True).new_page(), 0
        first_picture(page, address)
        kind = page.evaluate("document.body.dataset.ready")
        print(f"{kind}: {Host.sent / 1e6:.2f} MB to the visitor; first picture after "
              f"{statistics.median(times):.2f} s ({min(times):.2f} to {max(times):.2f})")  # fmt: skip
        print(f"until then the browser uses {statistics.median(used):.2f} s of processor time")
        before = processor_seconds()
        taken = sorted(page.evaluate(DRAW, frames))
        spent = 1000 * (processor_seconds() - before) / frames
        median = statistics.median(taken)
        print(f"a picture takes {median:.1f} ms (best {taken[0]:.1f}, p95 {taken[int(0.95 * len(taken))]:.1f}): "
              f"{1000 / median:.0f} a second; {spent:.1f} ms of processor time")  # fmt: skip
        before, began = page.evaluate("imagenPage.frames"), time.monotonic()
        page.click("#play")
        page.wait_for_timeout(5000)
        shown = page.evaluate("imagenPage.frames") - before
        print(f"the walk shows {shown / (time.monotonic() - began):.0f} pictures a second")
        worst = max(difference(page, studio, address, Recipe(model, seeds=((seed, 1),))) for seed in range(seeds))
        print(f"{seeds} seeds differ from the app's pictures by at most {worst:.2f} of 255 levels")
        browser.close()
        server.shutdown()


if __name__ == "__main__":
    typer.run(main)
