"""A map of a model: many seeds laid out so that similar ones lie side by side.

Similar in w, or in what is seen. The layout is scikit-learn's t-SNE (van der Maaten & Hinton 2008) from a start by
principal components, with a fixed seed and in one thread, so that equal maps come out equal.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

from imagen_demo.errors import Cancelled, UserError
from imagen_demo.latent import space
from imagen_demo.progress import Progress, silent
from imagen_demo.studio import checks
from imagen_demo.studio.caches import PictureCache
from imagen_demo.studio.recipes import Recipe, Studio
from imagen_demo.training.nearest import thumbnails

COUNTS = (16, 1024)  # pictures of a map, fewest and most
MEASURES = ("w", "look")
LOOK_SIDE = 16  # pixels of the small pictures that are compared
COMPONENTS = 50  # what t-SNE's authors keep of long vectors
STEPS = 500  # of t-SNE; 1000 take twice as long and are as faithful (trustworthiness 0.80 and 0.81 at 256 seeds)
THUMB = 64  # pixels of a picture on the map
KEPT = 64  # layouts in memory
KEPT_BYTES = 64 * 2**20  # of small pictures: four maps of 1,024
PATIENCE = 8.0  # seconds without a question after which nobody waits for a layout any more


@dataclass(frozen=True)
class MapSpec:
    """Which seeds, ``first`` and those after it, and what "similar" means.

    ``by``: "w", near each other in w; "look", near each other as small pictures. ``label``: one class, or None for
    the classes in turn.

    Raises:
        UserError: a value of the wrong type or outside its range.
    """

    model: str
    first: int = 0
    count: int = 256
    psi: float = 1.0
    label: int | None = None
    by: str = "w"

    def __post_init__(self) -> None:
        checked = {
            "model": checks.model_name(self.model),
            "first": checks.integer(self.first, "first seed", 0, checks.MAX_SEED - COUNTS[1]),
            "count": checks.integer(self.count, "count", *COUNTS),
            "psi": checks.number(self.psi, "psi", -checks.MAX_PSI, checks.MAX_PSI),
            "label": None if self.label is None else checks.integer(self.label, "class", 0, checks.MAX_LABEL),
        }
        for name, value in checked.items():
            object.__setattr__(self, name, value)
        if self.by not in MEASURES:
            raise UserError("A map is made by w or by look, not by {by!r}.", by=str(self.by)[:20])

    def recipes(self, classes: int = 0) -> list[Recipe]:
        """One for each seed; a model with ``classes`` draws them in turn where no class is asked for."""
        return [
            Recipe(
                self.model,
                seeds=((self.first + number, 1.0),),
                psi=self.psi,
                label=self.label if self.label is not None or not classes else number % classes,
            )
            for number in range(self.count)
        ]


@dataclass(frozen=True)
class Layout:
    """Where each seed lies: float32 [N, 2] in [-1, 1]; ``cloud`` by t-SNE, ``tidy`` each in its own cell."""

    cloud: np.ndarray
    tidy: np.ndarray


@dataclass(frozen=True)
class Waiting:
    """A layout still in the making: the share that is done and in words ("waiting", "measuring", "arranging")."""

    share: float
    stage: str


# -- measuring and arranging ---------------------------------------------------------------------------------------


def small(studio: Studio, recipe: Recipe) -> np.ndarray:
    """The recipe's picture as the map shows it, uint8 [S, S, C], S at most :data:`THUMB`."""
    picture = studio.render_array(recipe)
    if picture.shape[0] <= THUMB:
        return picture
    return np.array(Image.fromarray(picture).resize((THUMB, THUMB), Image.Resampling.LANCZOS))


def measure(
    studio: Studio,
    spec: MapSpec,
    progress: Progress = silent,
    look: Callable[[Studio, Recipe], np.ndarray] = small,
) -> np.ndarray:
    """float32 [N, D]: what the seeds are compared by. ``progress`` may raise Cancelled; ``look``: as :func:`small`."""
    model, rows = studio.model(spec.model), []
    for done, recipe in enumerate(spec.recipes(model.info.config.num_classes)):
        progress(done / spec.count, "measuring")
        if spec.by == "w":
            rows.append(studio.latent(recipe, model).reshape(-1)[: model.info.config.w_dim].cpu().numpy())
        else:
            picture = look(studio, recipe)
            side = min(LOOK_SIDE, picture.shape[0])
            rows.append(thumbnails(picture[None], side, picture.shape[2]).flatten().numpy())
    return np.stack(rows).astype(np.float32)


def arrange(features: np.ndarray) -> Layout:
    """float32 [N, D] -> the layout of N points; equal features give equal layouts."""
    # Imported here: it takes a second or two, and only a map needs it.
    from sklearn.decomposition import PCA
    from sklearn.manifold import TSNE
    from threadpoolctl import threadpool_limits

    count = len(features)
    with threadpool_limits(1), space.one_thread():
        kept = min(COMPONENTS, count - 1, features.shape[1])
        if not features.std(axis=0).any():  # all alike: there is nothing to tell them apart by
            return Layout(_squares(count), _squares(count))
        reduced = PCA(kept, random_state=0).fit_transform(features)
        tsne = TSNE(init="pca", perplexity=min(30.0, count / 5), max_iter=STEPS, random_state=0, n_jobs=1)
        cloud = tsne.fit_transform(reduced)
    cloud = cloud - (cloud.max(axis=0) + cloud.min(axis=0)) / 2
    cloud = (cloud / max(np.abs(cloud).max(), 1e-9)).astype(np.float32)
    return Layout(cloud, tidied(cloud))


def _squares(count: int) -> np.ndarray:
    """[N, 2]: the first ``count`` cells of a square grid over [-1, 1], row by row."""
    side = int(np.ceil(np.sqrt(count)))
    rows, columns = np.divmod(np.arange(count), side)
    return (np.stack([columns, rows], axis=1) * 2 / max(1, side - 1) - 1).astype(np.float32)


def tidied(cloud: np.ndarray) -> np.ndarray:
    """Each point into a cell of its own, all together moved as little as can be (a linear assignment)."""
    from scipy.optimize import linear_sum_assignment
    from scipy.spatial.distance import cdist

    cells = _squares(len(cloud))
    # Spread evenly first, by rank: else the whole middle would have to travel outwards.
    ranks = np.argsort(np.argsort(cloud, axis=0, kind="stable"), axis=0, kind="stable")
    even = (cloud + ranks / max(1, len(cloud) - 1) * 2 - 1) / 2
    _, chosen = linear_sum_assignment(cdist(even, cells, "sqeuclidean"))
    return cells[chosen]


def around(spec: MapSpec, places: np.ndarray, point: tuple[float, float], classes: int = 0, count: int = 4) -> Recipe:
    """The blend of the ``count`` seeds nearest to ``point`` on the map, nearer ones weighing more.

    Where the classes lie on it in turn, only neighbours of the nearest one's class are blended.
    """
    recipes = spec.recipes(classes)
    distances = np.linalg.norm(places - np.asarray(point, dtype=np.float32), axis=1)
    order = np.argsort(distances, kind="stable")
    nearest = [number for number in order if recipes[number].label == recipes[order[0]].label][:count]
    weights = 1 / (distances[nearest] ** 2 + 1e-6)
    weights = np.round(weights / weights.sum(), 2)
    seeds = [(recipes[n].seeds[0][0], float(w)) for n, w in zip(nearest, weights, strict=True) if w > 0]
    first = recipes[nearest[0]]
    return Recipe(spec.model, seeds=tuple(seeds), psi=spec.psi, label=first.label)


# -- on a server: one layout at a time, for as long as somebody waits for it ----------------------------------------


class Maps:
    """The layouts of one server. A page asks again and again until it has its answer; when it stops asking, so does
    the work. One is made at a time, so that visitors who draw pictures keep a core."""

    def __init__(self, studio: Studio) -> None:
        self._studio = studio
        self._small = PictureCache(KEPT_BYTES)
        self._done: OrderedDict[Any, Layout | Exception] = OrderedDict()
        self._waiting: OrderedDict[Any, tuple[MapSpec, list[Any]]] = OrderedDict()  # [last asked, share, stage]
        self._lock = threading.Lock()
        self._worker: threading.Thread | None = None

    def small(self, recipe: Recipe) -> np.ndarray:
        """:func:`small`, kept: a map draws each picture once, for showing and for comparing."""
        key = self._studio.model(recipe.model).hash + recipe.to_json()
        picture = self._small.get(key)
        if picture is None:
            picture = small(self._studio, recipe)
            self._small.put(key, picture)
        return picture

    def ask(self, spec: MapSpec) -> Layout | Waiting:
        """The layout, or how far it is. Raises what went wrong in the making."""
        key = (spec, self._studio.model(spec.model).hash)
        with self._lock:
            found = self._done.get(key)
            if isinstance(found, Exception):
                del self._done[key]  # said once; the next question tries again
                raise found
            if found is not None:
                self._done.move_to_end(key)
                return found
            _, state = self._waiting.setdefault(key, (spec, [0.0, 0.0, "waiting"]))
            state[0] = time.monotonic()
            if self._worker is None or not self._worker.is_alive():
                self._worker = threading.Thread(target=self._work, daemon=True, name="maps")
                self._worker.start()
            return Waiting(state[1], state[2])

    def _work(self) -> None:
        while True:
            with self._lock:
                if not self._waiting:
                    self._worker = None
                    return
                key, (spec, state) = next(iter(self._waiting.items()))
            try:
                result: Layout | Exception | None = self._make(spec, state)
            except Cancelled:
                result = None
            except Exception as error:  # told to whoever asks next
                result = error
            with self._lock:
                del self._waiting[key]
                if result is not None:
                    self._done[key] = result
                while len(self._done) > KEPT:
                    self._done.popitem(last=False)

    def _make(self, spec: MapSpec, state: list[Any]) -> Layout:
        def report(share: float, stage: str) -> None:
            if time.monotonic() - state[0] > PATIENCE:
                raise Cancelled
            state[1:] = share, stage

        features = measure(self._studio, spec, report, lambda _, recipe: self.small(recipe))
        report(1.0, "arranging")
        return arrange(features)
