"""Nearest training pictures of a drawn one, when the model's dataset is in the workspace."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest

from imagen_demo.config import PrepareConfig
from imagen_demo.data.prepare import prepare
from imagen_demo.errors import UserError
from imagen_demo.studio.neighbours import Neighbours, neighbours, training_set
from imagen_demo.studio.recipes import Recipe, Studio
from imagen_demo.training.nearest import nearest
from imagen_demo.ui.generate import _nearest


@pytest.fixture
def dataset(workspace, pictures_folder):
    return prepare(pictures_folder, workspace.datasets / "discs", PrepareConfig(resolution=16, workers=1))


@pytest.fixture
def trained(tiny_model_folder, dataset):
    """A model that says it was trained on ``dataset``."""
    file = tiny_model_folder / "model.json"
    info = json.loads(file.read_text()) | {"dataset": {"name": "discs", "fingerprint": dataset.fingerprint}}
    file.write_text(json.dumps(info))
    return Recipe("tiny", seeds=((3, 1.0),))


def test_the_nearest_of_a_drawn_picture(workspace, dataset, trained):
    studio = Studio(workspace, "cpu")
    found = neighbours(studio, trained)
    index, distances = nearest(studio.render_array(trained)[None], dataset, 4)
    assert [picture.tolist() for picture in found.pictures] == [dataset.images[i].tolist() for i in index[0]]
    assert found.distances == pytest.approx(distances[0].tolist()) and found.dataset == "discs"
    assert found.distances == sorted(found.distances) and found.verdict in ("copy", "close", "new")
    larger = neighbours(studio, dataclasses.replace(trained, size=64))  # the size on screen changes nothing
    assert larger.distances == found.distances


def test_the_dataset_is_known_by_its_pictures_not_by_its_name(workspace, dataset, trained):
    info = Studio(workspace, "cpu").model("tiny").info
    assert training_set(workspace, info).name == "discs"
    dataset.path.rename(workspace.datasets / "renamed")
    assert training_set(workspace, info).name == "renamed"
    hostile = dataclasses.replace(info, dataset={"name": "../../etc", "fingerprint": "x"})
    assert training_set(workspace, hostile) is None
    assert training_set(workspace, dataclasses.replace(info, dataset={})) is None


def test_without_the_dataset_a_sentence_says_so(workspace, tiny_model_folder):
    with pytest.raises(UserError, match=r"was trained on .* are not in this workspace"):
        neighbours(Studio(workspace, "cpu"), Recipe("tiny"))


def test_the_page_gets_pictures_distances_and_a_sentence_in_its_language(workspace, trained):
    studio, payload = Studio(workspace, "cpu"), {"recipe": json.loads(trained.to_json())}
    answer = _nearest(studio, payload, "zh")
    assert [url.split(",")[0] for url in answer["images"]] == ["data:image/png;base64"] * 4
    assert len(answer["distances"]) == 4 and "训练图片" in answer["sentence"]


@pytest.mark.parametrize(
    ("share", "verdict"), [(0.0, "copy"), (0.29, "copy"), (0.5, "close"), (1.1, "new"), (None, "")]
)
def test_verdicts(share, verdict):
    assert Neighbours("discs", [np.zeros((1, 1, 3))], [0.0], share).verdict == verdict
