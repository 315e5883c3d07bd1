"""Imports flow downwards only, as docs/architecture.md has it; nothing untrusted is ever unpickled."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parent.parent / "imagen_demo"
BASE = {"config", "errors", "progress", "storage", "workspace"}
DATA_LEVEL = {"data", "models", "media"}
# What each room may import besides itself.
MAY = {
    **dict.fromkeys(DATA_LEVEL, BASE),
    "latent": BASE | DATA_LEVEL,
    "training": BASE | DATA_LEVEL,
    "export": BASE | DATA_LEVEL | {"latent"},
    "studio": BASE | DATA_LEVEL | {"latent", "training"},
}
FACES = BASE | MAY.keys()  # the ui and the command line may call everything below
MAY |= {"ui": FACES, "cli": FACES, "__main__": {"cli"}}
BASE_ORDER = {"errors": set(), "progress": set(), "storage": set(), "config": {"errors"}, "workspace": {"errors"}}
MAY |= BASE_ORDER
UNSAFE_MODULES = {"pickle", "dill", "shelve", "marshal", "joblib", "cloudpickle"}
UNSAFE_CALLS = {"torch.load", "torch.save", "pandas.read_pickle", "torch.jit.load"}
# The metric network that a person puts there, see docs/metrics.md; nothing from a stranger is loaded so.
EXCEPTIONS = {("imagen_demo/training/features.py", "torch.jit.load")}

FILES = sorted(PACKAGE.rglob("*.py"))
SOURCES = [*FILES, PACKAGE.parent / "app.py"]


def room(file: Path) -> str:
    """``models`` for imagen_demo/models/style.py, ``config`` for imagen_demo/config.py."""
    return file.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports(file: Path) -> Iterator[str]:
    """Every module that ``file`` imports, also inside functions, as a dotted name."""
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: relative imports hide their room"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def named(file: Path) -> str:
    return str(file.relative_to(PACKAGE.parent))


@pytest.mark.parametrize("file", FILES, ids=named)
def test_imports_flow_downwards(file):
    if room(file) == "__init__":
        assert not [name for name in imports(file) if name.startswith("imagen_demo")]
        return
    allowed = MAY[room(file)] | {room(file)}
    for name in imports(file):
        if name.startswith("imagen_demo."):
            assert name.split(".")[1] in allowed, f"{named(file)} imports {name}"


def test_gradio_stays_in_the_ui():
    users = {room(file) for file in FILES for name in imports(file) if name.split(".")[0] == "gradio"}
    assert users <= {"ui"}


@pytest.mark.parametrize("file", SOURCES, ids=named)
def test_nothing_is_unpickled(file):
    assert not {name.split(".")[0] for name in imports(file)} & UNSAFE_MODULES
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.Attribute) and (named(file), ast.unparse(node)) not in EXCEPTIONS:
            assert ast.unparse(node) not in UNSAFE_CALLS, f"{named(file)}: {ast.unparse(node)}"
        if isinstance(node, ast.keyword) and node.arg == "allow_pickle":
            assert ast.unparse(node.value) == "False", f"{named(file)} allows pickles"


def test_core_and_command_line_work_without_gradio_and_pandas(tmp_path):
    modules = [
        ".".join(file.relative_to(PACKAGE.parent).with_suffix("").parts)
        for file in FILES
        if room(file) not in ("ui", "__main__", "__init__") and file.name != "__init__.py"
    ]
    program = (
        "import sys, importlib\n"
        "sys.modules.update(gradio=None, pandas=None)\n"  # importing them now raises ImportError
        f"for name in {modules}: importlib.import_module(name)\n"
        "from imagen_demo.cli.main import main\n"
        f"sys.exit(main(['--workspace', {str(tmp_path)!r}, 'models', '--json']))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=PACKAGE.parent, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "gradio" not in done.stderr
