"""Models as zip files: one's own for others, and strangers' for the library, hostile until checked."""

from __future__ import annotations

import os
import shutil
import uuid
import zipfile
import zlib
from pathlib import Path, PurePosixPath

from PIL import Image

from imagen_demo import storage
from imagen_demo.data.archives import open_zip
from imagen_demo.errors import UserError
from imagen_demo.models.folder import load_model, read_info
from imagen_demo.studio import library
from imagen_demo.workspace import Workspace, checked_name, free_name

MB = 1024**2
MOST_COMPRESSED = 100  # weights hardly shrink in a zip; what shrinks more is a bomb
# What a model's zip may hold, and how many bytes of each. Nothing in these files is ever executed.
FILES = {
    "model.safetensors": 1024 * MB,
    "model.json": 1 * MB,
    "README.md": 1 * MB,
    "preview.png": 16 * MB,
    "directions.safetensors": 16 * MB,
    "directions.json": 1 * MB,
    "centres.safetensors": 64 * MB,
}


def export_zip(workspace: Workspace, name: str, out: Path) -> Path:
    """Write the model as a zip of one folder, which :func:`import_zip` and any unzip understand.

    Raises:
        UserError: there is no such model, or it is damaged.
    """
    folder = storage.current_folder(library.find(workspace, name))
    read_info(folder)
    inner, out = name.removeprefix(library.RUN_PREFIX), Path(out)
    # Weights do not compress.
    with storage.complete_or_absent(out) as place, zipfile.ZipFile(place, "w", zipfile.ZIP_STORED) as archive:
        for file in FILES:
            if (folder / file).exists():
                archive.write(folder / file, f"{inner}/{file}")
    return out


def import_zip(workspace: Workspace, file: Path) -> str:
    """Take a model from a stranger's zip into the library and return the name it got.

    Only the files of :data:`FILES` are accepted, flat or under one folder; the weights are loaded
    and checked before the model appears.

    Raises:
        UserError: says what is wrong with the zip or the model in it.
    """
    file = Path(file)
    fresh = workspace.checkpoints / f".import-{uuid.uuid4().hex}"
    try:
        with open_zip(file) as archive:
            members, inner = _checked_members(archive, file.name)
            wanted = _possible_name(inner or file.stem)
            model_folder = fresh / wanted  # sentences about the model name the folder
            model_folder.mkdir(parents=True)
            for target, member in members.items():
                _extract(archive, member, model_folder / target, file.name)
        model = load_model(model_folder)
        _check_preview(model_folder / "preview.png", file.name)
        if twin := library.with_weights(workspace, model.hash):
            raise UserError(
                "{file} was not imported: you already have this model, as {name}.", file=file.name, name=twin
            )
        taken = wanted in library.BUNDLED_NAMES
        final = free_name(f"{wanted}-2" if taken else wanted, workspace.checkpoints)
        os.rename(model_folder, workspace.checkpoints / final)
        storage.fsync_folder(workspace.checkpoints)
        return final
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, LookupError, OSError, ValueError) as error:
        if isinstance(error, OSError) and error.errno is not None and file.exists():
            raise UserError("{file} could not be imported: {reason}.", file=file.name, reason=error.strerror) from None
        raise UserError("{file} is not a readable zip file.", file=file.name) from None
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def _checked_members(archive: zipfile.ZipFile, zip_name: str) -> tuple[dict[str, zipfile.ZipInfo], str]:
    """``{file name: member}`` and the name of the one folder they lie in ("" if flat)."""
    members: dict[str, zipfile.ZipInfo] = {}
    parents = set()
    for member in archive.infolist():
        path = PurePosixPath(member.filename.replace("\\", "/"))
        if member.is_dir() or path.parts[:1] == ("__MACOSX",) or path.name == ".DS_Store":
            continue  # what a Mac's zipping adds means no harm and is left in the zip
        link = (member.external_attr >> 16) & 0o170000 == 0o120000
        if link or path.is_absolute() or ".." in path.parts or len(path.parts) > 2 or path.name not in FILES:
            raise UserError(
                "{file} was not imported: it has {member}. A model's zip holds only {allowed}.",
                file=zip_name, member=str(path)[:80], allowed=", ".join(FILES),
            )  # fmt: skip
        if path.name in members:
            raise UserError("{file} was not imported: it has {member} twice.", file=zip_name, member=path.name)
        if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise UserError("{file} is not a readable zip file.", file=zip_name)
        if member.flag_bits & 1:
            raise UserError("{file} was not imported: it is locked with a password.", file=zip_name)
        bomb = member.file_size > MB + MOST_COMPRESSED * member.compress_size
        if bomb or member.file_size > FILES[path.name]:
            raise UserError("{file} was not imported: {member} is too large.", file=zip_name, member=path.name)
        members[path.name] = member
        parents.add(path.parent.name)
    missing = [needed for needed in ("model.safetensors", "model.json") if needed not in members]
    if missing or len(parents) > 1:
        raise UserError(
            "{file} was not imported: a model's zip needs {needed} in one folder.",
            file=zip_name, needed="model.safetensors, model.json",
        )  # fmt: skip
    return members, parents.pop()


def _extract(archive: zipfile.ZipFile, member: zipfile.ZipInfo, target: Path, zip_name: str) -> None:
    """Copy one member, never more than its limit, whatever its header says."""
    left = FILES[target.name]
    with archive.open(member) as source, open(target, "wb") as out:
        while chunk := source.read(MB):
            left -= len(chunk)
            if left < 0:
                raise UserError("{file} was not imported: {member} is too large.", file=zip_name, member=target.name)
            out.write(chunk)
        out.flush()
        os.fsync(out.fileno())


def _possible_name(name: str) -> str:
    try:
        return checked_name(name)
    except UserError:
        return "imported"


def _check_preview(path: Path, zip_name: str) -> None:
    if not path.exists():
        return
    try:
        with Image.open(path, formats=["PNG"]) as image:
            if max(image.size) > 4096:
                raise ValueError
            image.load()
    except (OSError, ValueError, SyntaxError, EOFError, IndexError, Image.DecompressionBombError):
        raise UserError("{file} was not imported: its preview.png is not a sound picture.", file=zip_name) from None
