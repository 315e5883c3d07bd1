"""ONNX Runtime Web, which draws in the visitor's browser: its files, from its published npm package or from a folder.

The package's version and hash are pinned here. It comes through the ``npm`` command, so from the registry that the
user's own npm settings name; without npm, from the registry in ``NPM_CONFIG_REGISTRY`` or ``~/.npmrc``. What has been
fetched once is kept in the workspace's exports, so the next export needs no network.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import os
import re
import shutil
import subprocess
import tarfile
import tempfile
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

from imagen_demo import storage
from imagen_demo.errors import UserError
from imagen_demo.progress import Progress, silent

PACKAGE, VERSION = "onnxruntime-web", "1.30.0"
INTEGRITY = "sha512-q0y+JrrtukXSzsBWEMccVfqX25LRmosXHF+CaRJmg8pZClzcV7svNc4rKY3jL02Vb7QmRMDs1SigqR4CXAfKYQ=="
# What the page needs of the package's dist folder, by the name it has in the page: one pair of script and binary for a
# GPU, one without. The binaries travel compressed, as .bin: a static host cannot be trusted to compress, nor with .gz.
FILES = {
    "ort-wasm.js": "ort.wasm.bundle.min.mjs",
    "ort-wasm.bin": "ort-wasm-simd-threaded.wasm",
    "ort-webgpu.js": "ort.webgpu.bundle.min.mjs",
    "ort-webgpu.bin": "ort-wasm-simd-threaded.asyncify.wasm",
}
WAIT = 600  # seconds for the package, at most
CHUNK = 2**18  # bytes
_MAKING = threading.Lock()  # two first exports at once would write into one folder
LICENCE = """ONNX Runtime Web, from the npm package onnxruntime-web. Copyright (c) Microsoft Corporation. MIT License.

Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated
documentation files (the "Software"), to deal in the Software without restriction, including without limitation the
rights to use, copy, modify, merge, publish, distribute, sublicense, and/or sell copies of the Software, and to permit
persons to whom the Software is furnished to do so, subject to the following conditions: The above copyright notice and
this permission notice shall be included in all copies or substantial portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE
WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR
COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR
OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.
"""


def runtime_files(cache: Path, given: Path | None = None, progress: Progress = silent) -> Path:
    """A folder with :data:`FILES` as the page wants them, and their licence; made in ``cache`` where it is not there.

    ``given``: the package's folder, its ``dist`` folder, its ``.tgz`` or what this has made, instead of the network;
    default: ``IMAGEN_DEMO_ORT``.

    Raises:
        UserError: the files are neither there nor to be had, or not what was published.
        Cancelled: from ``progress``.
    """
    given = given or (Path(os.environ["IMAGEN_DEMO_ORT"]) if os.environ.get("IMAGEN_DEMO_ORT") else None)
    while not _MAKING.acquire(timeout=0.2):
        progress(0.0, "Fetching ONNX Runtime Web")
    try:
        return _made(cache, given, progress)
    finally:
        _MAKING.release()


def _made(cache: Path, given: Path | None, progress: Progress) -> Path:
    ready = cache / f"{PACKAGE}-{VERSION}"
    made = given or ready  # the cache itself may be given, by somebody without a network
    if all((made / name).is_file() for name in (*FILES, "LICENSE.txt")):
        return made
    with tempfile.TemporaryDirectory(prefix="imagen-ort-") as scratch:
        if given is None:
            files = _unpacked(_fetched(Path(scratch), progress), Path(scratch))
        elif given.is_file():
            files = _unpacked(given, Path(scratch))
        else:
            files = given / "dist" if (given / "dist").is_dir() else given
            ready = cache / f"{PACKAGE}-given"
        missing = [name for name in FILES.values() if not (files / name).is_file()]
        if missing:
            raise UserError(
                "{folder} lacks {file} of ONNX Runtime Web; give the dist folder of the npm package {package}.",
                folder=files, file=missing[0], package=f"{PACKAGE} {VERSION}",
            )  # fmt: skip
        progress(0.95, "Compressing ONNX Runtime Web")
        storage.replace_folder(ready, lambda new: _fill(new, files))
    return ready


def version_of(files: Path) -> str:
    """What the library says of itself in its first lines, such as 1.30.0; "" where it does not."""
    found = re.search(r"ONNX Runtime Web v([\w.-]+)", (files / "ort-wasm.js").read_text("utf-8")[:500])
    return found[1] if found else ""


def _fill(new: Path, files: Path) -> None:
    for name, source in FILES.items():
        data = (files / source).read_bytes()
        (new / name).write_bytes(gzip.compress(data, 9, mtime=0) if name.endswith(".bin") else data)
    (new / "LICENSE.txt").write_text(LICENCE, "utf-8")


def _unpacked(package: Path, scratch: Path) -> Path:
    """The files out of the package, once its hash is that of the published one."""
    with open(package, "rb") as file:
        digest = hashlib.file_digest(file, "sha512").digest()
    if f"sha512-{base64.b64encode(digest).decode()}" != INTEGRITY:
        raise UserError("{file} is not the package {package} that was published; its hash differs.",
                        file=package.name, package=f"{PACKAGE} {VERSION}")  # fmt: skip
    folder = scratch / "dist"
    folder.mkdir()
    with tarfile.open(package) as archive:
        for name in FILES.values():
            member = archive.extractfile(f"package/dist/{name}")
            assert member is not None  # the hash says so
            (folder / name).write_bytes(member.read())
    return folder


def _fetched(scratch: Path, progress: Progress) -> Path:
    """The package's file, through npm or from the registry that npm's settings name."""
    progress(0.0, "Fetching ONNX Runtime Web")
    npm, registry = shutil.which("npm"), _registry()
    if npm:
        fetched = _by_npm(npm, scratch, progress)
    elif registry:
        fetched = _by_address(f"{registry}/{PACKAGE}/-/{PACKAGE}-{VERSION}.tgz", scratch / "package.tgz", progress)
    else:
        fetched = None
    if fetched is None:
        raise UserError(
            "The page needs the npm package {package}, which could not be fetched: install npm and connect, "
            "or fetch the package elsewhere and give its folder (--ort, or IMAGEN_DEMO_ORT).",
            package=f"{PACKAGE} {VERSION}",
        )  # fmt: skip
    return fetched


def _by_npm(npm: str, scratch: Path, progress: Progress) -> Path | None:
    command = [npm, "pack", f"{PACKAGE}@{VERSION}", "--pack-destination", str(scratch), "--ignore-scripts", "--silent"]
    process = subprocess.Popen(command, cwd=scratch, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    started = time.monotonic()
    try:
        while process.poll() is None and time.monotonic() - started < WAIT:
            time.sleep(0.1)
            spent = time.monotonic() - started
            progress(0.9 * spent / (spent + 20), "Fetching ONNX Runtime Web")  # npm does not say how far it is
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
    return next(iter(scratch.glob("*.tgz")), None) if process.returncode == 0 else None


def _by_address(address: str, out: Path, progress: Progress) -> Path | None:
    try:
        with urllib.request.urlopen(address, timeout=30) as answer, open(out, "wb") as file:
            size, done = int(answer.headers.get("Content-Length") or 35e6), 0
            while chunk := answer.read(CHUNK):
                file.write(chunk)
                done += len(chunk)
                progress(min(0.9, 0.9 * done / size), "Fetching ONNX Runtime Web")
    except (urllib.error.URLError, OSError, ValueError):
        return None
    return out


def _registry() -> str | None:
    """The address in npm's own settings, without its last slash; only HTTPS."""
    found = os.environ.get("NPM_CONFIG_REGISTRY") or os.environ.get("npm_config_registry")  # noqa: SIM112
    if not found:
        try:
            settings = (Path.home() / ".npmrc").read_text("utf-8")
        except (OSError, UnicodeDecodeError, RuntimeError):
            settings = ""
        match = re.search(r"^\s*registry\s*=\s*(\S+)", settings, re.MULTILINE)
        found = match[1] if match else None
    return found.rstrip("/") if found and found.startswith("https://") else None
