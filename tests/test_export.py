"""Models as ONNX, and the parts of an exported page: they do what the model does, and say so."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import tarfile
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from imagen_demo.data.pixels import from_network, to_network
from imagen_demo.errors import Cancelled, UserError
from imagen_demo.export import onnx as networks
from imagen_demo.export import runtime, web
from imagen_demo.latent import space
from imagen_demo.models.folder import load_model
from imagen_demo.studio.recipes import Studio
from imagen_demo.workspace import REPOSITORY

KINDS = [
    {},
    {"noise": True},
    {"kinds": 5},
    {"num_classes": 3, "channels": 4},
    {"arch": "mlp"},
    {"arch": "mlp", "num_classes": 2, "channels": 4},
]


def run(file, **inputs):
    session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(None, inputs), strict=True))


@pytest.mark.parametrize("changes", KINDS, ids=str)
def test_onnx_files_draw_what_the_model_draws(make_model, tmp_path, changes):
    model = load_model(make_model("net", **changes))
    facts = networks.export_onnx(model, "net", tmp_path / "net.onnx")
    whole, mapping, synthesis = facts["files"]
    names = [Path(file).name for file in facts["files"]]
    assert names == ["net.onnx", "net-mapping.onnx", "net-synthesis.onnx"]
    count, classes = 5, model.info.config.num_classes
    z = torch.cat([space.seed_to_z(seed, model.info.config.z_dim) for seed in range(40, 40 + count)])
    labels = torch.arange(count) % classes if classes else None
    feeds = {"z": z.numpy()} | ({"label": labels.numpy()} if classes else {})
    with torch.inference_mode():
        w = model.generator.mapping(z, labels)
        centre = model.w_avg[labels] if classes else model.w_avg.expand_as(w)
        ws = space.truncate(w, centre, 0.6).unsqueeze(1).repeat(1, model.generator.num_ws, 1)
        levels = (model.generator.synthesis(ws).clamp(-1, 1) + 1) * 127.5
    found = run(mapping, **feeds)
    assert np.allclose(found["w"], w, atol=1e-5) and np.allclose(found["w_avg"], centre, atol=1e-6)
    assert np.abs(run(synthesis, ws=ws.numpy())["picture"] - levels.numpy()).max() < 0.05
    drawn = run(whole, **feeds, psi=np.array([0.6], np.float32))
    assert np.abs(drawn["picture"] - levels.numpy()).max() < 0.05 and np.allclose(drawn["w"], w, atol=1e-5)


def test_levels_with_alpha_become_a_picture_as_the_docs_say():
    """The lines of docs/static-page.md do what ``from_network`` does."""
    docs = (REPOSITORY / "docs/static-page.md").read_text("utf-8")
    code = re.search(r"```python\n(levels = .*?)```", docs, re.DOTALL)
    images = to_network(np.random.default_rng(0).integers(0, 256, (2, 32, 32, 4), np.uint8))
    names = {"picture": (images.numpy() + 1) * 127.5}
    exec(code[1], {}, names)
    assert np.array_equal(np.concatenate([names["colours"], names["alpha"]], axis=-1), from_network(images))


def test_a_synthesis_network_can_take_any_noise(make_model):
    model = load_model(make_model("net", noise=True))
    network = networks.synthesis_network(model, "net", any_noise=True)
    ws = torch.randn(3, model.generator.num_ws, model.info.config.w_dim)
    for seed in (0, 5):
        noise = space.noise(model, seed)
        with torch.inference_mode():
            levels = (model.generator.synthesis(ws, noise).clamp(-1, 1) + 1) * 127.5
        given = model.generator.noise if noise is None else noise
        found = run(network.data, ws=ws.numpy(), noise=given.numpy())["picture"]
        assert np.abs(found - levels.numpy()).max() < 0.05


def test_onnx_file_says_what_it_is(tiny_model_folder, tmp_path):
    model = load_model(tiny_model_folder)
    facts = networks.export_onnx(model, "tiny", tmp_path / "tiny.onnx")
    for path, difference in zip(facts["files"], facts["differences"], strict=True):
        network = onnx.load(path)
        onnx.checker.check_model(network)
        said = {entry.key: entry.value for entry in network.metadata_props}
        assert said["imagen_demo.model_hash"] == model.hash
        assert float(said["imagen_demo.max_difference"]) == pytest.approx(difference, rel=0.01)
        assert {node.domain for node in network.graph.node} <= {""}  # standard operators alone
        assert network.graph.input[0].type.tensor_type.shape.dim[0].dim_param  # any batch


def test_a_file_that_differs_from_the_model_is_not_written(tiny_model_folder, tmp_path, monkeypatch):
    monkeypatch.setattr(networks, "_difference", lambda *arguments: 3.0)
    with pytest.raises(UserError, match="tiny differs from the model by 3"):
        networks.export_onnx(load_model(tiny_model_folder), "tiny", tmp_path / "tiny.onnx")
    assert not list(tmp_path.glob("*.onnx"))


def test_export_leaves_the_model_in_use_alone(tiny_model_folder, tmp_path):
    model = load_model(tiny_model_folder)
    before = {key: value.clone() for key, value in model.generator.state_dict().items()}
    networks.export_onnx(model, "tiny", tmp_path / "tiny.onnx")
    assert all(torch.equal(before[key], value) for key, value in model.generator.state_dict().items())


def test_command_line_exports_onnx(command, tiny_model_folder, tmp_path):
    code, out, _ = command("export", "tiny", "--onnx", tmp_path / "out" / "tiny.onnx", "--json")
    facts = json.loads(out)
    assert code == 0 and (tmp_path / "out" / "tiny.onnx").stat().st_size == facts["bytes"][0]
    assert max(facts["differences"]) < 0.05


@pytest.mark.parametrize("options", [[], ["--onnx", "a.onnx", "--web", "b"]])
def test_one_thing_is_exported_at_a_time(command, tiny_model_folder, options):
    code, _, err = command("export", "tiny", *options)
    assert code == 2 and "either --onnx FILE or --web FOLDER" in err


# -- ONNX Runtime Web ---------------------------------------------------------------------------------------


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A stand-in for the unpacked npm package; the network is out of reach."""
    monkeypatch.setattr(runtime, "_fetched", lambda *arguments: pytest.fail("the network was asked"))
    monkeypatch.delenv("IMAGEN_DEMO_ORT", raising=False)
    folder = tmp_path / "package"
    (folder / "dist").mkdir(parents=True)
    for name in runtime.FILES.values():
        (folder / "dist" / name).write_bytes(b"/*!\n * ONNX Runtime Web v9.8.7\n */" + name.encode() * 50)
    return folder


def test_page_of_a_given_runtime(package, make_model, workspace, tmp_path, command):
    make_model("glass", channels=4, num_classes=2)
    code, out, err = command("export", "glass", "--web", tmp_path / "site" / "glass", "--ort", package, "--json")
    assert code == 0, err
    page = tmp_path / "site" / "glass"
    facts = json.loads((page / "model.json").read_text("utf-8"))
    assert json.loads(out)["runtime"] == facts["runtime"] == "9.8.7"
    assert facts["classes"] == ["class 0", "class 1"] and len(facts["centres"]) == 2
    assert set(facts["files"]) == {"mapping.onnx", "synthesis.onnx", "ort/ort-wasm.bin", "ort/ort-webgpu.bin"}
    directions = Studio(workspace).directions("glass")
    for found, direction in zip(facts["directions"], directions, strict=True):
        assert found["id"] == direction.id and np.float32(found["scale"]) == np.float32(direction.scale)
        assert np.array_equal(np.float32(found["vector"]), direction.vector.numpy())
    html = (page / "index.html").read_text("utf-8")
    assert "Tiny" in html and "{title}" not in html and "Content-Security-Policy" in html
    for file in page.iterdir():  # self-contained: no address of another place, none from the root
        if file.suffix in (".html", ".js", ".css"):
            text = file.read_text("utf-8").replace("http://localhost:8000", "").replace("// ", "")
            assert "//" not in text, file.name
    # A second export replaces the first; a folder with anything else is left alone.
    assert command("export", "glass", "--web", page, "--ort", package)[0] == 0
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "thesis.txt").write_text("mine")
    code, _, err = command("export", "glass", "--web", tmp_path / "other", "--ort", package)
    assert code == 2 and "is not empty" in err and (tmp_path / "other" / "thesis.txt").exists()


def test_a_title_is_text_not_html(package, workspace, tmp_path, make_model, monkeypatch):
    model = load_model(make_model("tiny"))
    model.info.title = "<script>alert(1)</script>"
    web.write_page(model, "tiny", [], tmp_path / "page", tmp_path / "cache", package)
    assert "<script>alert" not in (tmp_path / "page" / "index.html").read_text("utf-8")


def test_classes_without_names_are_numbered(make_model):
    model = load_model(make_model("kinds", num_classes=3))
    model.info.class_names = ["cat"]
    assert web.page_facts(model, "kinds", [])["classes"] == ["cat", "1", "2"]


def test_what_an_export_has_kept_can_be_given(package, tmp_path):
    kept = runtime.runtime_files(tmp_path / "cache", package)
    assert runtime.runtime_files(tmp_path / "elsewhere", kept) == kept and not (tmp_path / "elsewhere").exists()


def test_the_published_package_is_known_by_its_hash(package, tmp_path, monkeypatch):
    archive = tmp_path / "onnxruntime-web.tgz"
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(package, "package")
    with pytest.raises(UserError, match="its hash differs"):
        runtime.runtime_files(tmp_path / "cache", archive)
    digest = base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
    monkeypatch.setattr(runtime, "INTEGRITY", f"sha512-{digest}")
    found = runtime.runtime_files(tmp_path / "cache", archive)
    assert sorted(path.name for path in found.iterdir()) == sorted([*runtime.FILES, "LICENSE.txt"])
    assert runtime.runtime_files(tmp_path / "cache") == found  # from now on without the archive


def test_a_folder_that_lacks_a_file_is_named(package, tmp_path):
    (package / "dist" / runtime.FILES["ort-wasm.js"]).unlink()
    with pytest.raises(UserError, match=r"dist lacks ort\.wasm\.bundle\.min\.mjs"):
        runtime.runtime_files(tmp_path / "cache", package)


def test_without_npm_and_registry_a_sentence_says_what_to_do(tmp_path, monkeypatch):
    for name in ("IMAGEN_DEMO_ORT", "NPM_CONFIG_REGISTRY", "npm_config_registry"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(UserError, match=r"install npm and connect, or fetch the package elsewhere .*--ort"):
        runtime.runtime_files(tmp_path / "cache")
    (tmp_path / ".npmrc").write_text("audit=false\nregistry = https://registry.invalid/npm/\n")
    assert runtime._registry() == "https://registry.invalid/npm"
    (tmp_path / ".npmrc").write_text("registry=http://registry.invalid/\n")  # in the clear: no
    assert runtime._registry() is None


def test_cancelled_export_leaves_nothing(package, tiny_model_folder, tmp_path):
    def stop(part, text):
        if part > 0.85:
            raise Cancelled

    model = load_model(tiny_model_folder)
    with pytest.raises(Cancelled):
        web.write_page(model, "tiny", [], tmp_path / "page", tmp_path / "cache", package, stop)
    assert not (tmp_path / "page").exists()
