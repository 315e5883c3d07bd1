"""ONNX Runtime Web for the tests of exported pages, fetched once through npm; as a program, fetches it or says how."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from imagen_demo.errors import UserError
from imagen_demo.export.runtime import runtime_files
from imagen_demo.workspace import REPOSITORY

CACHE = REPOSITORY / "exports"  # where the app itself keeps it, out of version control


def find_ort() -> Path | str:
    """The folder, or a sentence on why there is none."""
    try:
        return runtime_files(CACHE)
    except UserError as error:
        return str(error)


if __name__ == "__main__":
    found = find_ort()
    sys.exit(found if isinstance(found, str) else None)
