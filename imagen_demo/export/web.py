"""A model as a folder that is a complete static web page: it draws in the visitor's browser, and needs no server.

The folder holds the page (``page/`` here), ``model.json`` (facts and directions), the two networks as ONNX, and ONNX
Runtime Web. It lies on any static host, in any sub-folder: every address in it is relative.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterable
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from imagen_demo import storage
from imagen_demo.config import DEFAULT_PSI
from imagen_demo.data.pixels import from_network
from imagen_demo.errors import UserError
from imagen_demo.export import onnx, runtime
from imagen_demo.latent import centres, space
from imagen_demo.latent.directions import Direction
from imagen_demo.models.folder import Model
from imagen_demo.progress import Progress, silent

PAGE = Path(__file__).with_name("page")
MOST_CENTRES = 16  # classes whose cluster centres go along: some 10 kB each
PROBES = 512  # values of one picture by which the page checks what the visitor's GPU draws
ICON = 256  # pixels at most
ORDER = ("examples", "property", "pc", "sefa")  # kinds of directions, as the Explore tab lists them
README = """# {title}: a web page that draws in the visitor's browser

Put this folder on any static web host, in any sub-folder. To look at it on this computer, run
`python -m http.server` in it and open http://localhost:8000. Nothing is sent anywhere; it works without a network.

Links of Imagen Demo work here too: put the part after the question mark behind this page's address.
The model's licence: {licence}. ONNX Runtime Web in `ort/` is under the MIT License.
"""


def write_page(
    model: Model,
    name: str,
    directions: Iterable[Direction],
    folder: Path,
    cache: Path,
    ort: Path | None = None,
    progress: Progress = silent,
) -> dict[str, Any]:
    """Fill ``folder`` with the page of ``model``, atomically; an earlier page there is replaced.

    ``cache`` and ``ort``: as :func:`~imagen_demo.export.runtime.runtime_files` takes them.

    Returns:
        ``folder``, ``bytes`` of all files, and the networks' greatest ``differences`` to PyTorch.

    Raises:
        UserError: the folder holds something else, or ONNX Runtime Web is not to be had.
        Cancelled: from ``progress``.
    """
    _check_free(folder)
    library = runtime.runtime_files(cache, ort, lambda part, text: progress(0.8 * part, text))
    progress(0.8, "Exporting the networks")
    mapping = onnx.mapping_network(model, name)
    progress(0.9, "Exporting the networks")
    synthesis = onnx.synthesis_network(model, name, any_noise=True)
    facts = page_facts(model, name, directions)
    title = facts["title"]

    def fill(new: Path) -> None:
        for source in sorted(PAGE.iterdir()):
            text = source.read_text("utf-8")
            (new / source.name).write_text(text.replace("{title}", escape(title)), "utf-8", newline="\n")
        (new / "mapping.onnx").write_bytes(mapping.data)
        (new / "synthesis.onnx").write_bytes(synthesis.data)
        if model.generator.noise_size:
            (new / "noise.bin").write_bytes(model.generator.noise.float().cpu().numpy().astype("<f4").tobytes())
        (new / "ort").mkdir()
        for source in sorted(library.iterdir()):
            (new / "ort" / source.name).write_bytes(source.read_bytes())
        _icon(model).save(new / "icon.png")
        licence = model.info.licence or "that of the pictures it was trained on"
        (new / "README.md").write_text(README.format(title=title, licence=licence), "utf-8")
        sizes = {file.relative_to(new).as_posix(): file.stat().st_size for file in _files(new)}
        facts["files"] = {path: size for path, size in sizes.items() if path.endswith((".bin", ".onnx"))}
        facts["runtime"] = runtime.version_of(library)
        (new / "model.json").write_text(json.dumps(facts, ensure_ascii=False, separators=(",", ":")), "utf-8")

    folder.parent.mkdir(parents=True, exist_ok=True)
    storage.replace_folder(folder, fill)
    progress(1.0, "Done")
    return {
        "folder": str(folder),
        "bytes": sum(file.stat().st_size for file in _files(folder)),
        "differences": {"mapping": mapping.difference, "synthesis": synthesis.difference},
        "runtime": facts["runtime"],
    }


def write_page_zip(folder: Path, out: Path) -> None:
    """The page's folder as a zip with one folder in it, complete or absent."""
    with storage.complete_or_absent(out) as place, zipfile.ZipFile(place, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in _files(folder):
            archive.write(file, f"{out.stem}/{file.relative_to(folder).as_posix()}")


def page_facts(model: Model, name: str, directions: Iterable[Direction]) -> dict[str, Any]:
    """``model.json``: what the page needs to know of the model, without its networks."""
    config, info = model.info.config, model.info
    named = dict(enumerate(info.class_names))  # a description may name fewer than there are
    classes = [named.get(label, str(label)) for label in range(config.num_classes)]
    shown = sorted((each for each in directions if not each.hidden), key=lambda each: ORDER.index(each.kind))
    return {
        "name": name, "title": info.title or name, "model_hash": model.hash[:12], "licence": info.licence,
        "resolution": config.resolution, "channels": config.channels, "z_dim": config.z_dim, "w_dim": config.w_dim,
        "num_ws": model.generator.num_ws, "noise_size": model.generator.noise_size,
        "classes": classes, "default_psi": DEFAULT_PSI,
        "first_seed": info.first_seed, "directions": [_direction(each) for each in shown],
        "centres": [_plain(centres.load_or_compute(model, label, keep=False)) for label in range(max(1, len(classes)))]
        if len(classes) <= MOST_CENTRES else [],
        "probe": _probe(model),
    }  # fmt: skip


def _direction(direction: Direction) -> dict[str, Any]:
    return {
        "id": direction.id, "name": direction.name, "name_zh": direction.name_zh, "layers": direction.layers,
        "scale": float(direction.scale), "vector": _plain(direction.vector),
    }  # fmt: skip


def _plain(values: torch.Tensor) -> Any:
    """Float32 values as numbers of as few digits as tell them apart."""
    array = values.detach().float().cpu().numpy()
    if array.ndim > 1:
        return [_plain(torch.from_numpy(row)) for row in array]
    return [float(np.format_float_positional(value, unique=True, trim="-")) for value in array]


@torch.inference_mode()
def _ws(model: Model, seed: int = 0, psi: float = 1.0) -> torch.Tensor:
    """The network's input for ``seed``, [1, num_ws, w_dim]."""
    w = space.truncate(space.seeds_to_w(model, ((seed, 1.0),), None), model.w_avg[:1], psi)
    return w.unsqueeze(1).repeat(1, model.generator.num_ws, 1)


@torch.inference_mode()
def _probe(model: Model) -> dict[str, Any]:
    """One input, and every ``stride``-th level of its picture [C, H, W]."""
    ws = _ws(model)
    with space.one_thread():
        levels = ((model.generator.synthesis(ws).float().clamp(-1, 1) + 1) * 127.5).cpu().flatten()
    stride = max(1, len(levels) // PROBES) | 1  # odd: not always the same column
    return {"ws": _plain(ws.flatten()), "stride": stride, "levels": [round(v, 3) for v in levels[::stride].tolist()]}


@torch.inference_mode()
def _icon(model: Model) -> Image.Image:
    ws = _ws(model, model.info.first_seed, DEFAULT_PSI)
    with space.one_thread():
        picture = Image.fromarray(from_network(model.generator.synthesis(ws).float())[0])
    return picture.resize((ICON, ICON), Image.Resampling.LANCZOS) if picture.width > ICON else picture


def _files(folder: Path) -> list[Path]:
    return sorted(file for file in folder.rglob("*") if file.is_file())


def _check_free(folder: Path) -> None:
    """Only an empty folder or an earlier page is written over."""
    if folder.is_dir() and any(folder.iterdir()) and not (folder / "ort").is_dir():
        raise UserError("{folder} is not empty, and no page exported before; name another folder.", folder=folder)
    if folder.exists() and not folder.is_dir():
        raise UserError("{folder} is a file; name a folder for the page.", folder=folder)
