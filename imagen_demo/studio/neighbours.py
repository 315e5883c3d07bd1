"""The training pictures nearest to a drawn one: whether the network made it up or remembers it."""

from __future__ import annotations

import threading
from dataclasses import dataclass

import numpy as np

from imagen_demo.data.dataset import Dataset, list_datasets, open_dataset
from imagen_demo.errors import UserError
from imagen_demo.latent import space
from imagen_demo.models.folder import ModelInfo
from imagen_demo.studio.recipes import Recipe, Studio
from imagen_demo.training import nearest
from imagen_demo.workspace import Workspace, checked_name

# Shares of the usual distance. One in a hundred training pictures has another nearer than 0.45 (emoji), 0.63 (planets),
# 0.65 (cats and dogs); copies with some noise are below 0.3.
COPY, CLOSE = 0.3, 0.6  # nearer is a copy; nearer is close to one

_one_at_a_time = threading.Lock()  # a search reads the whole dataset: visitors wait for one another


@dataclass(frozen=True)
class Neighbours:
    """The nearest training pictures, nearest first."""

    dataset: str
    pictures: list[np.ndarray]  # uint8 [H, W, C] each
    distances: list[float]  # as in training/nearest.py
    share: float | None  # the nearest's distance over the usual one, see nearest.newness; None: all are the same

    @property
    def verdict(self) -> str:
        """Whether it is a "copy", "close" to one, or "new"; "" where that cannot be told."""
        if self.share is None:
            return ""
        return "copy" if self.share < COPY else "close" if self.share < CLOSE else "new"


def training_set(workspace: Workspace, info: ModelInfo) -> Dataset | None:
    """The dataset of the workspace that the model was trained on, whatever its name is now."""
    name, fingerprint = info.dataset.get("name"), info.dataset.get("fingerprint")
    if not isinstance(fingerprint, str) or not fingerprint:
        return None
    try:
        likely = open_dataset(workspace.datasets / checked_name(str(name)))
        if likely.fingerprint == fingerprint:
            return likely
    except UserError:  # renamed, gone, or a name that comes from a stranger
        pass
    return next((found for found in list_datasets(workspace.datasets) if found.fingerprint == fingerprint), None)


def neighbours(studio: Studio, recipe: Recipe, count: int = 4, picture: np.ndarray | None = None) -> Neighbours:
    """The ``count`` training pictures nearest to the recipe's picture, in the model's own size.

    ``picture``: uint8 [H, W, C] of the recipe, where an earlier version of the network drew what is asked about.

    Raises:
        UserError: as :meth:`Studio.render`; or the model's dataset is not in the workspace.
    """
    model = studio.model_for(recipe)
    dataset = training_set(studio.workspace, model.info)
    if dataset is None:
        raise UserError(
            "The pictures that {model} was trained on ({dataset}) are not in this workspace, so none can be shown.",
            model=recipe.model, dataset=model.info.dataset.get("name") or "?",
        )  # fmt: skip
    if picture is None or len(picture) != dataset.resolution:
        picture = studio.draw(model, studio.latent(recipe, model), noise=recipe.noise)
    with _one_at_a_time, space.one_thread():
        usual = nearest.usual_distances(dataset)
        index, distances = nearest.nearest(picture[None], dataset, count)
        share = float(nearest.newness(picture[None], distances[:, 0], dataset, usual)[0]) if usual else None
    pictures = [np.array(dataset.images[number]) for number in index[0]]
    return Neighbours(dataset.name, pictures, distances[0].tolist(), share)
