"""`evaluate`: its numbers are the library's, and it says what is missing."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from standin import Whole, write_stand_in
from torchmetrics.image.fid import FrechetInceptionDistance
from torchmetrics.image.kid import KernelInceptionDistance

from imagen_demo.config import PrepareConfig
from imagen_demo.data.prepare import prepare
from imagen_demo.errors import Cancelled
from imagen_demo.models.folder import load_model, read_info
from imagen_demo.studio import doctor, evaluation
from imagen_demo.studio.evaluation import evaluate
from imagen_demo.studio.recipes import Recipe, Studio
from imagen_demo.training.features import FILE, VARIABLE


@pytest.fixture
def dataset(workspace, pictures_folder):
    return prepare(pictures_folder, workspace.datasets / "discs", PrepareConfig(resolution=16, workers=1))


@pytest.mark.filterwarnings("ignore:Metric `Kernel Inception Distance` will save")
def test_evaluate_agrees_with_the_library_run_by_hand(workspace, dataset, tiny_model_folder, command):
    """Pictures drawn one by one as `generate` draws them, given to torchmetrics with the same network."""
    write_stand_in(workspace.root / "metrics" / FILE)
    code, out, _ = command("evaluate", "tiny", "discs", "--metrics", "fid,kid", "--samples", 48, "--json")
    assert code == 0
    found = json.loads(out)["metrics"]

    studio = Studio(workspace, "cpu")
    drawn = np.stack([studio.render_array(Recipe("tiny", seeds=((seed, 1.0),), psi=1.0)) for seed in range(48)])
    frechet, kernel = FrechetInceptionDistance(Whole()), KernelInceptionDistance(Whole(), subset_size=40)
    torch.manual_seed(0)
    for metric in (frechet, kernel):
        order = np.random.default_rng(0).permutation(40)
        metric.update(torch.from_numpy(dataset.images[order]).permute(0, 3, 1, 2), real=True)
        metric.update(torch.from_numpy(drawn).permute(0, 3, 1, 2), real=False)
    assert found["fid"] == pytest.approx(float(frechet.compute()), rel=1e-3)
    assert found["kid"] == pytest.approx(float(kernel.compute()[0]), rel=1e-3)


def test_without_the_network_the_rest_is_measured_and_a_line_says_so(workspace, dataset, tiny_model_folder, command):
    code, out, err = command("evaluate", "tiny", workspace.datasets / "discs")
    assert code == 0 and str(workspace.root / "metrics" / FILE) in err.replace("\n", "")
    assert "sliced Wasserstein distance" in out and "memorisation" in out and "FID" not in out


def test_a_metric_asked_for_without_its_network_says_where_to_put_it(workspace, dataset, tiny_model_folder, command):
    code, out, err = command("evaluate", "tiny", "discs", "--metrics", "swd,fid")
    assert code == 2 and not out and len(err.strip().splitlines()) == 1
    assert str(workspace.root / "metrics" / FILE) in err and VARIABLE in err and "never downloads" in err


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["tiny", "discs", "--metrics", "beauty"], "There is no metric 'beauty'; there are fid, kid, pr, swd"),
        (["tiny", "discs", "--metrics", ","], "Name at least one metric of fid"),
        (["tiny", "discs", "--samples", "3"], "At least 11 pictures are needed"),
        (["tiny", "none"], "There is no prepared dataset none"),
        (["none", "discs"], "There is no model named none"),
        (["large", "discs"], "large draws pictures of 32 pixels, those of discs have 16"),
        (["planets", "discs", "--save"], "comes with the program and cannot be changed"),
    ],
)
def test_bad_input_is_one_sentence(workspace, dataset, make_model, command, arguments, sentence):
    make_model("tiny")
    make_model("large", resolution=32)
    code, out, err = command("evaluate", *arguments)
    assert code == 2 and not out
    assert sentence in err and len(err.strip().splitlines()) == 1


def test_pictures_of_another_size_name_those_of_the_training(workspace, dataset, pictures_folder, make_model, command):
    large = prepare(pictures_folder, workspace.datasets / "discs-2", PrepareConfig(resolution=32, workers=1))
    folder = make_model("third", resolution=32)
    info = json.loads((folder / "model.json").read_text())
    trained = info | {"dataset": {"name": "discs-2", "fingerprint": large.fingerprint}}
    (folder / "model.json").write_text(json.dumps(trained))
    code, _, err = command("evaluate", "third", "discs")
    assert code == 2 and err.strip().endswith("those of discs have 16. It was trained on discs-2.")


def test_save_writes_model_and_card(workspace, dataset, tiny_model_folder, command):
    write_stand_in(workspace.root / "metrics" / FILE)
    code, out, _ = command("evaluate", "tiny", "discs", "--samples", 20, "--save", "--json")
    assert code == 0
    found = json.loads(out)["metrics"]
    assert found.keys() == {"fid", "kid", "precision", "recall", "swd", "memorisation"}
    assert read_info(tiny_model_folder).metrics == found
    assert f"more: none): {found['memorisation']:.4g}" in (tiny_model_folder / "README.md").read_text("utf-8")


def test_progress_rises_to_the_end_and_cancels(workspace, dataset, tiny_model_folder):
    write_stand_in(workspace.root / "metrics" / FILE)
    seen: list[float] = []
    evaluate(workspace, "tiny", dataset, samples=40, progress=lambda fraction, text: seen.append(fraction))
    assert seen == sorted(seen) and seen[0] >= 0 and seen[-1] <= 1

    def cancel(fraction: float, text: str) -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        evaluate(workspace, "tiny", dataset, progress=cancel)


def test_classes_are_drawn_as_often_as_the_dataset_has_them(workspace, make_model, pictures_folder, monkeypatch):
    for name, files in (("class 0", range(30)), ("class 1", range(30, 40))):
        (pictures_folder / name).mkdir()
        for number in files:
            file = pictures_folder / f"disc{number:02d}.png"
            file.rename(pictures_folder / name / file.name)
    dataset = prepare(pictures_folder, workspace.datasets / "two", PrepareConfig(resolution=16, workers=1))
    model = load_model(make_model("pets", num_classes=2))
    asked: list[torch.Tensor] = []
    forward = model.generator.forward
    monkeypatch.setattr(model.generator, "forward", lambda z, labels: (asked.append(labels), forward(z, labels))[1])
    assert sum(len(part) for part in evaluation.draw(model, dataset, 400)) == 400
    assert 0.18 < float(torch.cat(asked).float().mean()) < 0.32


def test_transparent_and_opaque_pictures_can_be_compared(workspace, dataset, make_model):
    make_model("clear", channels=4)
    found = evaluate(workspace, "clear", dataset, ["swd", "memorisation"])
    assert found["swd"] > 0 and found["memorisation"] > 0


@pytest.mark.parametrize(
    ("content", "level", "words"),
    [(None, "ok", "memorisation"), (b"broken", "warning", "is not a network"), ("stand-in", "ok", "FID too")],
)
def test_doctor_says_what_can_be_measured(workspace, content, level, words):
    file = workspace.root / "metrics" / FILE
    if content is not None:
        write_stand_in(file)
    if isinstance(content, bytes):
        file.write_bytes(content)
    finding = doctor._metrics(workspace)
    assert finding.level == level and words in finding.found
    assert finding.advice or words == "FID too"
