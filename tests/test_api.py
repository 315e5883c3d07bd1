"""The endpoints for programs, called as programs call them: over HTTP, against a launched app."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from browser_kit import running_app
from gradio_client import Client
from PIL import Image
from tiny import save_tiny_model

from imagen_demo.errors import UserError
from imagen_demo.export import runtime
from imagen_demo.media import png
from imagen_demo.studio.recipes import Recipe, Studio
from imagen_demo.studio.timeline import Timeline
from imagen_demo.ui.api_call import api_call
from imagen_demo.ui.app import build_app, launch
from imagen_demo.workspace import Workspace

ENDPOINTS = {"render", "generate", "interpolate", "film", "grid", "directions", "discover", "direction_strip",
             "models", "export_model", "train_start", "train_status", "train_pause", "train_resume", "train_stop",
             "train_runs"}  # fmt: skip


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Studio]]:
    """The address of a launched app with the models ``tiny`` and ``kinds``, and a studio over the same workspace."""
    workspace = Workspace(tmp_path_factory.mktemp("api"))
    save_tiny_model(workspace.checkpoints / "tiny", resolution=32)
    save_tiny_model(workspace.checkpoints / "kinds", num_classes=2, channels=4)
    blocks = build_app(workspace)
    _, url, _ = launch(blocks, prevent_thread_lock=True, quiet=True, server_name="127.0.0.1")
    yield url, Studio(workspace)
    blocks.close()


@pytest.fixture(scope="module")
def client(served: tuple[str, Studio], tmp_path_factory: pytest.TempPathFactory) -> Client:
    return Client(served[0], verbose=False, download_files=str(tmp_path_factory.mktemp("downloads")))


def pixels(file: str | Path) -> np.ndarray:
    return np.asarray(Image.open(file))


def test_every_endpoint_says_what_it_takes_and_does(client):
    named = client.view_api(return_format="dict")["named_endpoints"]
    assert {f"/{name}" for name in ENDPOINTS} <= named.keys()
    assert all(named[f"/{name}"]["description"] for name in ENDPOINTS)
    assert all(parameter["type"] for endpoint in named.values() for parameter in endpoint["parameters"])


def test_every_argument_and_its_default_are_documented(client):
    documented = (Path(__file__).parent.parent / "docs" / "api.md").read_text("utf-8").partition("## Arguments")[2]
    named = client.view_api(return_format="dict")["named_endpoints"]
    for parameter in (parameter for name in ENDPOINTS for parameter in named[f"/{name}"]["parameters"]):
        rows = [
            row for row in documented.splitlines() if row.startswith("|") and f"`{parameter['parameter_name']}`" in row
        ]
        assert rows, parameter
        default = parameter["parameter_default"] if parameter["parameter_has_default"] else None
        if default not in (None, "", False):
            assert any(f"| {default} |" in row.replace("`", "") for row in rows), parameter


def test_functions_are_named_as_their_endpoints(workspace):  # Gradio calls the MCP tools by the functions' names
    functions = {fn.api_name: fn.fn.__name__ for fn in build_app(workspace).fns.values() if fn.api_name in ENDPOINTS}
    assert functions == {name: name for name in ENDPOINTS}


def test_render_takes_recipes_and_links(client, served):
    recipe = Recipe("kinds", seeds=((3, 1),), label=1, psi=0.6, directions=(("pc0", 1, "0-1"),))
    query = recipe.to_query()
    for text in (recipe.to_json(), query, f"?{query}", f"https://a.org/app/?__theme=dark&{query}#top"):
        file = client.predict(text, api_name="/render")
        assert np.array_equal(pixels(file), served[1].render_array(recipe))
    assert np.array_equal(pixels(client.predict(json.loads(recipe.to_json()), api_name="/render")), pixels(file))
    with pytest.raises(Exception, match="There is no model named gone"):
        client.predict("model=gone", api_name="/render")
    with pytest.raises(Exception, match="The count must be a whole number"):
        client.predict(query, "pc0", "7", api_name="/direction_strip")


@pytest.mark.parametrize("endpoint", ["/render", "/grid", "/direction_strip", "/film"])
def test_a_recipe_of_another_version_is_refused(client, served, endpoint):
    more = {"/grid": ["psi=0,1"], "/direction_strip": ["pc0"]}.get(endpoint, [])
    for version in ("0" * 12, served[1].model("tiny").hash[:12]):
        recipe = Recipe("tiny", version, seeds=((42, 1),), size=16)
        film = Timeline((recipe, Recipe("tiny", version)), seconds=(0.1,), fps=10, format="gif")
        arguments = [film.to_link() if endpoint == "/film" else recipe.to_query(), *more]
        if set(version) == {"0"}:
            with pytest.raises(Exception, match="needs the model tiny \\(000000000000\\)"):
                client.predict(*arguments, api_name=endpoint)
        else:
            assert Path(client.predict(*arguments, api_name=endpoint)).exists()


def test_models_and_directions(client, served):
    found = client.predict(api_name="/models")
    tiny = next(model for model in found if model["name"] == "tiny")
    assert tiny["resolution"] == 32 and tiny["hash"] == served[1].model("tiny").hash[:12]
    damaged = served[1].workspace.checkpoints / "damaged"
    save_tiny_model(damaged)
    (damaged / "model.safetensors").write_bytes(b"nothing")
    assert "tiny" in {model["name"] for model in client.predict(api_name="/models")}  # one does not spoil the rest
    shutil.rmtree(damaged)
    directions = client.predict("tiny", api_name="/directions")
    assert [each["id"] for each in directions] == [each.id for each in served[1].directions("tiny")]


def test_discover_and_direction_strip(client, served):
    pytest.importorskip("imagen_demo.studio.directions")
    found = client.predict("tiny", api_name="/discover")
    assert any(each["kind"] == "sefa" for each in found)
    file = client.predict("model=tiny&seed=2", "pc0", 5, 2.0, api_name="/direction_strip")
    strip = pixels(file)
    assert png.text_of(Path(file), "Source") == png.PROVENANCE["Source"]
    assert Recipe.from_json(png.recipe_of(Path(file))).seeds == ((2, 1.0),)
    assert strip.shape[:2] == (32, 5 * 32 + 4 * 2)
    assert np.array_equal(strip[:, 68:100], served[1].render_array(Recipe("tiny", seeds=((2, 1),))))


def test_grid(client):
    file = client.predict("model=tiny&seed=1", "psi=0..1:3", "pc0=-1..1:2", 64, api_name="/grid")
    assert png.recipe_of(Path(file)) and min(pixels(file).shape[:2]) > 2 * 64
    with pytest.raises(Exception, match="is not an axis"):
        client.predict("model=tiny&seed=1", "psi", api_name="/grid")


def test_generate(client):
    with zipfile.ZipFile(client.predict(model="tiny", seeds="0-2", api_name="/generate")) as archive:
        assert len(archive.namelist()) == 3


def test_films(client):
    gif = client.predict("tiny", "1,2", 0.5, 10, "spline", format="gif", size=64, api_name="/interpolate")
    assert Image.open(gif).n_frames == 5
    wanted = Timeline((Recipe("tiny"), Recipe("tiny", seeds=((5, 1),))), seconds=(0.5,), fps=10, format="webp")
    link = wanted.to_link()
    for text in (link, f"t={link}", f"https://a.org/?view=interpolate&t={link}#top", json.dumps(wanted.to_data())):
        assert Image.open(client.predict(text, api_name="/film")).n_frames == 5
    for nonsense in ("", "{", "t=x", "{}", '{"recipes": 1}'):
        with pytest.raises(Exception, match=r"film|^What was sent cannot be read"):
            client.predict(nonsense, api_name="/film")


def test_export_model(client, monkeypatch):
    with zipfile.ZipFile(client.predict("kinds", "onnx", api_name="/export_model")) as archive:
        assert archive.namelist() == ["kinds.onnx", "kinds-mapping.onnx", "kinds-synthesis.onnx"]
    with pytest.raises(Exception, match="can be exported as one of onnx, web"):
        client.predict("kinds", "pickle", api_name="/export_model")


def test_export_of_a_page_says_what_is_missing(client, monkeypatch):
    def unreachable(*arguments: object) -> None:
        raise UserError("Nothing can be fetched.")

    monkeypatch.setattr(runtime, "_fetched", unreachable)
    monkeypatch.delenv("IMAGEN_DEMO_ORT", raising=False)
    with pytest.raises(Exception, match="Nothing can be fetched"):
        client.predict("kinds", "web", api_name="/export_model")


# -- the code for exactly one picture ---------------------------------------------------------------------

AWKWARD = Recipe(
    "kinds", seeds=((1, 0.25), (2**32 - 1, 0.75)), fine_seeds=((7, 1),), split=1, class_mix=((0, 1), (1, 2)),
    psi=0.9, centre="nearest", directions=(("pc1", -1.5, "coarse"),), size=64,
)  # fmt: skip


@pytest.mark.parametrize("recipe", [Recipe("tiny"), AWKWARD], ids=["plain", "awkward"])
@pytest.mark.parametrize("kind", ["python", "curl"])
def test_copied_code_draws_exactly_this_picture(served, tmp_path, kind, recipe):
    if kind == "curl" and not shutil.which("curl"):
        pytest.skip("curl is not installed")
    address, studio = served
    recipe = studio.pinned(recipe)
    code = api_call(recipe, address, "it's mine.png")[kind]
    runner = [sys.executable, "-c", code] if kind == "python" else ["sh", "-ec", code]
    done = subprocess.run(runner, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    file = tmp_path / "it's mine.png"
    assert np.array_equal(pixels(file), studio.render_array(recipe))
    assert Recipe.from_json(png.recipe_of(file)) == recipe


@pytest.mark.parametrize("address", ["", "javascript:alert(1)", "http://a'; rm -rf ~; '", "http://a b", "ftp://a/"])
def test_code_is_only_made_for_web_addresses(address):
    with pytest.raises(UserError, match="is not the address of a web page"):
        api_call(Recipe("tiny"), address)


def test_the_page_is_given_the_code(served):
    from imagen_demo.ui import widgets

    calls = widgets.picture_functions(served[1].workspace, served[1])
    work = next(call for call in calls if call.__name__ == "api_call")
    answer = work({"recipe": {"model": "tiny", "psi": 0.8}, "base": served[0]}, None)
    assert served[1].model("tiny").hash[:12] in answer["python"] and "tiny-seed0000.png" in answer["curl"]
    assert "address" in work({"recipe": {"model": "tiny"}, "base": "nowhere"}, None)["error"]


# -- the Model Context Protocol -----------------------------------------------------------------------------


@pytest.mark.parametrize("options", [["--password", "x"], ["--share"], ["--host", "0.0.0.0"]])
def test_mcp_is_for_this_computer_alone(options):
    done = subprocess.run([sys.executable, "app.py", "--mcp", "--no-browser", *options], capture_output=True, text=True,
                          cwd=Path(__file__).parent.parent, timeout=60)  # fmt: skip
    assert done.returncode == 1 and "programs on this computer" in done.stderr


def test_mcp_client_draws_a_picture(tmp_path):
    if not os.environ.get("CI"):
        pytest.importorskip("mcp")
    import asyncio

    from mcp import ClientSession
    from mcp.client.streamable_http import streamable_http_client

    async def use(address: str) -> tuple[dict[str, str], str]:
        async with streamable_http_client(address) as (read, write, _), ClientSession(read, write) as session:
            await session.initialize()
            tools = (await session.list_tools()).tools
            name = next(tool.name for tool in tools if tool.name.endswith("render"))
            answer = await session.call_tool(name, {"recipe": "model=planets&seed=4&psi=0.8"})
            assert not answer.isError, answer
            described = {tool.name: tool.description or "" for tool in tools}
            return described, json.dumps([part.model_dump(mode="json") for part in answer.content])

    with running_app(tmp_path, "--mcp") as (address, _):
        tools, answer = asyncio.run(use(f"{address}/gradio_api/mcp/"))
    for name in ENDPOINTS:  # Gradio may put a prefix in front
        assert [tool for tool in tools if re.fullmatch(f"(.*_)?{name}", tool) and tools[tool]], name
    assert "seed0004.png" in answer
