"""Where everything of one user lies on disk."""

from __future__ import annotations

import os
import re
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from imagen_demo.errors import UserError

REPOSITORY = Path(__file__).resolve().parent.parent
BUNDLED = REPOSITORY / "checkpoints"
_NOT_IN_A_NAME = re.compile(r"[^\w .\-]")
_RESERVED = {"con", "prn", "aux", "nul", *(f"{port}{number}" for port in ("com", "lpt") for number in range(1, 10))}
LONGEST_NAME = 64


def checked_name(name: str) -> str:
    """A name that is safe as a folder's name on every system.

    Raises:
        UserError: if it is empty, too long, or has characters that could leave its folder.
    """
    name = name.strip()
    if not name:
        raise UserError("A name cannot be empty.")
    if len(name) > LONGEST_NAME:
        raise UserError("A name can have at most {most} characters; this one has {count}.",
                        most=LONGEST_NAME, count=len(name))  # fmt: skip
    if wrong := dict.fromkeys(_NOT_IN_A_NAME.findall(name)):
        raise UserError(
            "{name!r} cannot be a name: {wrong} cannot be in one. Use letters, digits, spaces, '-', '_' or '.'.",
            name=name, wrong=", ".join(map(repr, wrong)),
        )  # fmt: skip
    if name[0] in " .-" or name.endswith("."):
        raise UserError("{name!r} cannot be a name: one begins with a letter, a digit or '_', and ends with no '.'.",
                        name=name)  # fmt: skip
    if name.split(".")[0].rstrip().lower() in _RESERVED:
        raise UserError("{name!r} cannot be a name: Windows keeps it for itself.", name=name)
    if name.endswith((".new", ".old")):
        raise UserError("{name!r} cannot be a name: the endings .new and .old are kept for saving.", name=name)
    return name


def free_name(name: str, folder: Path, taken: Collection[Path] = ()) -> str:
    """``name``, or ``name-2``, ``name-3``, ... where ``folder`` already has it, or it is among ``taken``.

    A copy that an interrupted replacement left behind (:mod:`imagen_demo.storage`) counts as well.
    """
    candidate, number = name, 2
    while (folder / candidate).exists() or (folder / f"{candidate}.old").exists() or (folder / candidate) in taken:
        ending = f"-{number}"
        candidate, number = name[: LONGEST_NAME - len(ending)].rstrip(" .") + ending, number + 1
    return candidate


@dataclass(frozen=True)
class Workspace:
    """Datasets, training runs, exports and models, each in a folder that is made when first used.

    Raises:
        UserError: by each of them, where such a folder can be neither found nor made.
    """

    root: Path = REPOSITORY

    @classmethod
    def default(cls, folder: str | Path | None = None) -> Workspace:
        """``folder``, else ``IMAGEN_DEMO_WORKSPACE``, else the repository's root."""
        return cls(Path(folder or os.environ.get("IMAGEN_DEMO_WORKSPACE") or REPOSITORY).resolve())

    def _made(self, name: str) -> Path:
        folder = self.root / name
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UserError(
                "The workspace {folder} cannot be used ({reason}). Choose another folder with --workspace or "
                "IMAGEN_DEMO_WORKSPACE.", folder=self.root, reason=error.strerror,
            ) from None  # fmt: skip
        return folder

    @property
    def datasets(self) -> Path:
        return self._made("datasets")

    @property
    def runs(self) -> Path:
        return self._made("runs")

    @property
    def exports(self) -> Path:
        return self._made("exports")

    @property
    def checkpoints(self) -> Path:
        """The user's models; the bundled ones in :data:`BUNDLED` are listed beside them."""
        return self._made("checkpoints")
