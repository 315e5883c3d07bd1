"""What a program has to do to get exactly one picture: the same call in Python and for a shell."""

from __future__ import annotations

import json
import re

from imagen_demo.errors import UserError
from imagen_demo.studio.recipes import Recipe

MAX_ADDRESS = 500  # characters
_ADDRESS = re.compile(r"https?://[^\s\"'`\\<>$;|&?#]+")

_PYTHON = """\
# pip install gradio_client
from shutil import copy
from gradio_client import Client

recipe = {recipe}
client = Client({address})
copy(client.predict(recipe, api_name="/render"), {file})
"""
_CURL = """\
api={address}
event=$(curl -s "$api/call/render" -H 'Content-Type: application/json' -d {body} | cut -d '"' -f 4)
path=$(curl -sN "$api/call/render/$event" | sed -n 's/.*"path": *"\\([^"]*\\)".*/\\1/p')
curl -s "$api/file=$path" -o {file}
"""


def api_call(recipe: Recipe, base_url: str, file: str = "picture.png") -> dict[str, str]:
    """``{"python", "curl"}``: code that writes the picture of ``recipe`` to ``file`` in the working folder.

    ``base_url`` is the app's address as the caller sees it. Where the app asks for a password the calls need it too:
    see ``docs/api.md``.

    Raises:
        UserError: ``base_url`` is no web address.
    """
    base = base_url.rstrip("/")
    if len(base) > MAX_ADDRESS or not _ADDRESS.fullmatch(base):
        raise UserError("{address} is not the address of a web page.", address=repr(base_url[:80]))
    text = recipe.to_json()
    body = json.dumps({"data": [text]}, ensure_ascii=False)
    return {
        "python": _PYTHON.format(recipe=_python(text), address=json.dumps(f"{base}/"), file=json.dumps(file)),
        "curl": _CURL.format(address=_shell(f"{base}/gradio_api"), body=_shell(body), file=_shell(file)),
    }


def _python(text: str) -> str:
    """A literal; JSON is easier to read between single quotes."""
    return f"'{text}'" if not re.search(r"['\\\n]", text) else repr(text)


def _shell(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"
