"""Where the Chromium that the browser tests drive is; as a program, says so or how to get one."""

from __future__ import annotations

import os
import shutil
import sys

# Without windows it is the same browser at three quarters of the processor time.
NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
HOW_TO_GET = (
    "No Chromium was found: install chromium (apt-get install chromium) or Google Chrome, "
    "or set IMAGEN_DEMO_CHROMIUM to the program's path."
)


def find_chromium() -> str | None:
    """``IMAGEN_DEMO_CHROMIUM``, or the first browser on the path."""
    wanted = os.environ.get("IMAGEN_DEMO_CHROMIUM")
    return shutil.which(wanted) if wanted else next(filter(None, map(shutil.which, NAMES)), None)


if __name__ == "__main__":
    sys.exit(None if find_chromium() else HOW_TO_GET)
