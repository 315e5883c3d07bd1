"""How good a model is: the metrics of docs/metrics.md, measured against a prepared dataset."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import Tensor

from imagen_demo import storage
from imagen_demo.data.dataset import SMALLEST, Dataset
from imagen_demo.data.pixels import from_network, to_network
from imagen_demo.errors import UserError
from imagen_demo.latent import space
from imagen_demo.models.folder import Model, load_model
from imagen_demo.progress import Progress, silent
from imagen_demo.studio import library
from imagen_demo.studio.neighbours import training_set
from imagen_demo.training import nearest
from imagen_demo.training.distances import fid, kid, precision_recall
from imagen_demo.training.features import MetricNetwork, at_hand, opaque, real_features
from imagen_demo.training.metrics import sliced_wasserstein
from imagen_demo.training.quality import some_reals
from imagen_demo.training.schedule import pick_device
from imagen_demo.workspace import Workspace

NETWORKED = ("fid", "kid", "pr")  # need the metric network
WEIGHTLESS = ("swd", "memorisation")
METRICS = (*NETWORKED, *WEIGHTLESS)
SAMPLES = 2000
REALS = 10_000  # training pictures the metric network looks at, or as many as are generated where those are more
BATCH = 32


def metrics_at_hand(workspace: Workspace) -> tuple[str, ...]:
    """What can be measured here and now."""
    return METRICS if at_hand(workspace.root) else WEIGHTLESS


def evaluate(
    workspace: Workspace,
    model_name: str,
    dataset: Dataset,
    metrics: Sequence[str] | None = None,
    samples: int = SAMPLES,
    progress: Progress = silent,
) -> dict[str, float]:
    """Measure a model on the pictures of seeds 0 to ``samples`` - 1, drawn without truncation (psi 1).

    Args:
        metrics: some of :data:`METRICS`; all that are at hand where None.
        samples: pictures for FID, KID, precision and recall; the other two need a few hundred at most.

    Returns:
        ``fid``, ``kid``, ``precision`` and ``recall`` (for ``pr``), ``swd``, ``memorisation``, as asked for.

    Raises:
        UserError: an unknown metric, one whose network is not there, or pictures of another size than the model's.
        Cancelled: from ``progress``.
    """
    wanted = _checked(metrics_at_hand(workspace) if metrics is None else metrics, samples)
    device = pick_device("auto")
    network = MetricNetwork(workspace.root, device) if set(wanted) & set(NETWORKED) else None
    model = load_model(storage.current_folder(library.find(workspace, model_name)), device)
    if model.info.config.resolution != dataset.resolution:
        if fitting := training_set(workspace, model.info):
            raise UserError(
                "{model} draws pictures of {own} pixels, those of {dataset} have {other}. It was trained on {fitting}.",
                model=model_name, own=model.info.config.resolution, dataset=dataset.name, other=dataset.resolution,
                fitting=fitting.name,
            )  # fmt: skip
        raise UserError(
            "{model} draws pictures of {own} pixels, those of {dataset} have {other}. "
            "Prepare the pictures again with {own} pixels.",
            model=model_name, own=model.info.config.resolution, dataset=dataset.name, other=dataset.resolution,
        )  # fmt: skip
    found: dict[str, float] = {}
    if network is not None:
        part = _part(progress, 0.0, 0.9)
        found |= _by_network(network, model, dataset, wanted, samples, part)
    rest = _part(progress, 0.9 if network else 0.0, 1.0)
    return found | _without_network(model, dataset, wanted, rest)


def _checked(metrics: Sequence[str], samples: int) -> list[str]:
    for name in metrics:
        if name not in METRICS:
            raise UserError("There is no metric {name!r}; there are {metrics}.", name=name, metrics=", ".join(METRICS))
    if not metrics:
        raise UserError("Name at least one metric of {metrics}.", metrics=", ".join(METRICS))
    if samples < SMALLEST:  # as many as the smallest dataset has
        raise UserError("At least {least} pictures are needed to measure a model.", least=SMALLEST)
    return list(metrics)


def _part(progress: Progress, start: float, end: float) -> Progress:
    return lambda fraction, text: progress(start + (end - start) * fraction, text)


def _by_network(
    network: MetricNetwork, model: Model, dataset: Dataset, wanted: Sequence[str], samples: int, progress: Progress
) -> dict[str, float]:
    reals = min(len(dataset), max(samples, REALS))
    real = real_features(dataset, network, reals, _part(progress, 0.0, 0.5))
    parts = [network(batch) for batch in draw(model, dataset, samples, _part(progress, 0.5, 0.9))]
    fake, found = torch.cat(parts), {}
    for name in wanted:
        progress(0.9, f"{name} is computed")
        if name == "fid":
            found["fid"] = fid(real, fake)
        elif name == "kid":
            found["kid"] = kid(real, fake)
        elif name == "pr":
            found["precision"], found["recall"] = precision_recall(real, fake)
    return found


def _without_network(model: Model, dataset: Dataset, wanted: Sequence[str], progress: Progress) -> dict[str, float]:
    found: dict[str, float] = {}
    reals = some_reals(dataset) if "swd" in wanted else torch.empty(0)
    queries = nearest.queries(dataset.resolution) if "memorisation" in wanted else 0
    count = max(len(reals), queries)
    if not count:
        return found
    pictures = np.concatenate(list(draw(model, dataset, count, _part(progress, 0.0, 0.5))))
    if "swd" in wanted:
        found["swd"] = sliced_wasserstein(*_alike(reals, pictures[: len(reals)]))
    if "memorisation" in wanted:
        score = nearest.memorisation(pictures[:queries], dataset, _part(progress, 0.5, 1.0))
        if score is not None:
            found["memorisation"] = score
    return found


def _alike(reals: Tensor, pictures: np.ndarray) -> tuple[Tensor, Tensor]:
    """Both as [N, C, H, W] with the same C: where only one side is transparent, both are compared on grey."""
    fakes = to_network(pictures)
    if reals.shape[1] == fakes.shape[1]:
        return reals, fakes
    return to_network(opaque(from_network(reals))), to_network(opaque(pictures))


@torch.inference_mode()
def draw(model: Model, dataset: Dataset, count: int, progress: Progress = silent) -> Iterator[np.ndarray]:
    """The pictures of seeds 0 to ``count`` - 1 at psi 1, uint8 [n, H, W, C] in parts.

    A model with classes draws them as often as the dataset has them; where that has others, in turns.
    """
    info = model.info
    labels = np.arange(count) % max(1, info.config.num_classes)
    if dataset.labels is not None and info.config.num_classes and info.class_names == dataset.class_names:
        labels = np.random.default_rng(0).choice(dataset.labels, count)
    for start in range(0, count, BATCH):
        progress(start / count, f"{start} of {count} pictures drawn")
        seeds = range(start, min(start + BATCH, count))
        z = torch.cat([space.seed_to_z(seed, info.config.z_dim) for seed in seeds]).to(model.w_avg.device)
        part = torch.from_numpy(labels[start : start + BATCH]).to(model.w_avg.device)
        yield from_network(model.generator(z, part if info.config.num_classes else None).float())
