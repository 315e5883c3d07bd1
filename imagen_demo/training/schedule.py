"""Automatic settings: from the data, the device and how long the user will wait."""

from __future__ import annotations

import dataclasses
from typing import Any

import torch

from imagen_demo.config import ModelConfig, TrainConfig, check_cores, cores
from imagen_demo.data.dataset import Dataset
from imagen_demo.errors import UserError
from imagen_demo.models.layers import GROUP
from imagen_demo.models.registry import check_model_config
from imagen_demo.models.style import widened
from imagen_demo.training.batches import held_out
from imagen_demo.training.forecast import forecast, processor_width
from imagen_demo.training.memory import micro_batches

MOST_KINDS, PICTURES_A_KIND = 12, 250  # with so many most kinds have enough held out for a group of their own

Reasons = list[tuple[str, dict[str, Any]]]  # (English template, values), one sentence each


def pick_device(wish: str) -> torch.device:
    """ "auto" takes a CUDA GPU where there is one.

    Raises:
        UserError: CUDA was asked for and there is none.
    """
    if wish == "auto":
        wish = "cuda" if torch.cuda.is_available() else "cpu"
    if wish == "cuda" and not torch.cuda.is_available():
        raise UserError("No CUDA GPU was found; choose the device cpu or auto.")
    return torch.device(wish)


def check_shares(config: TrainConfig, processes: int = 1) -> None:
    """Refuse a batch that cannot be shared out evenly, with whole groups of MinibatchStd in each part.

    Raises:
        UserError: names batches or micro-batches that would work.
    """
    batch, micro = config.batch, config.micro_batch
    share = batch // processes
    if share * processes != batch or share not in micro_batches(batch):
        least = GROUP * processes
        raise UserError(
            "A batch of {batch} cannot be shared by {processes} processes; use a multiple of {least}.",
            batch=batch, processes=processes, least=least,
        )  # fmt: skip
    if micro and processes == 1 and micro not in micro_batches(batch):
        raise UserError(
            "A batch of {batch} cannot be done with {setting} {micro}; use {choices}.",
            batch=batch, setting="micro_batch", micro=micro, choices=", ".join(map(str, micro_batches(batch))),
        )  # fmt: skip


def like_parent(config: TrainConfig, parent: ModelConfig) -> TrainConfig:
    """The settings with the kind and the width of the network that is begun with.

    Raises:
        UserError: others were asked for.
    """
    if config.width not in (0, parent.width) or config.arch not in (TrainConfig.arch, parent.arch):
        raise UserError(
            "The model to begin with is a network of kind {arch} and width {width}; leave both as they are, "
            "or begin without it.", arch=parent.arch, width=parent.width,
        )  # fmt: skip
    return dataclasses.replace(config, arch=parent.arch, width=parent.width)


def resolve(
    config: TrainConfig,
    dataset: Dataset,
    device: torch.device,
    processes: int = 1,
    parent: ModelConfig | None = None,
) -> tuple[TrainConfig, ModelConfig, Reasons]:
    """Fill in every "auto": the settings a run is made with, and why.

    ``parent``: the networks of the model that is begun with.

    Raises:
        UserError: the settings do not fit the data, the machine, the number of processes or the parent.
    """
    if parent:
        config = like_parent(config, parent)
    gpu, mlp = device.type == "cuda", config.arch == "mlp"
    auto: dict[str, Any] = {"device": device.type}
    if config.objective == "auto":
        auto["objective"] = "nonsaturating" if mlp else "relativistic"
    if not config.threads:
        auto["threads"] = cores()
    if mlp:
        auto["augment"] = "off"  # as the article has it
    learned = len(dataset) - (held_out(dataset) if auto.get("augment", config.augment) == "adaptive" else 0)
    kinds = auto["kinds"] = _kinds(config, dataset, learned, parent)
    model = ModelConfig(
        arch=config.arch,
        resolution=dataset.resolution,
        channels=dataset.channels,
        num_classes=len(dataset.class_names),
        kinds=kinds,
        z_dim=100 if mlp else 128,  # 512 learns slower (docs/ablations.md)
        w_dim=128,
        mapping_layers=2,
        # Hair and fur are drawn with noise; on flat drawings it is stains, which take long to go.
        noise=not mlp and dataset.channels == 3,
    )
    if not config.width:
        auto["width"] = 2048 if gpu else processor_width(dataclasses.replace(config, **auto), model)
    if not config.batch:
        auto["batch"] = _automatic_batch(learned, gpu, processes)
    if not config.learning_rate:
        # The article's Adam for the article's network; the style network's weights are equalised.
        auto["learning_rate"] = 2e-4 if mlp else 2e-3
    if not config.generator_rate:
        # The discriminator gets worse above 2e-3; the generator, which lags behind it, learns faster with more.
        # For photographs 4 is too much; with transparency, where the discriminator is far ahead, it is right.
        auto["generator_rate"] = 1.0 if mlp else 4.0 if dataset.channels == 4 else 2.0
    if config.gamma < 0:
        auto["gamma"] = 0.0 if mlp else 0.5 * (dataset.resolution / 64) ** 2
    if not config.penalty_every:
        auto["penalty_every"] = 8
    if not config.ema_half_life_kimg:
        auto["ema_half_life_kimg"] = 10.0 if gpu else 5.0
    if config.mirror == "auto":
        auto["mirror"] = "yes" if len(dataset) < 50_000 and not mlp else "no"
    config = dataclasses.replace(config, **auto)
    if config.batch > learned:
        raise UserError(
            "A batch of {batch} is larger than the {count} pictures of {name} that are learned from; use a batch of "
            "{count} or less.", batch=config.batch, count=learned, name=dataset.name,
        )  # fmt: skip
    if kinds > learned // GROUP:
        raise UserError(
            "{count} pictures are too few for {kinds} kinds; use at most {most}, or 0 for none.",
            count=learned, kinds=kinds, most=learned // GROUP,
        )  # fmt: skip
    check_shares(config, processes)
    check_cores("threads", config.threads)
    model = widened(model, config.width)
    if parent:  # changed as far as these pictures and classes need it
        model = dataclasses.replace(
            parent, resolution=model.resolution, channels=model.channels, num_classes=model.num_classes,
            kinds=kinds, noise=parent.noise or model.noise,
        )  # fmt: skip
    check_model_config(model)
    return config, model, reasons(config, model, dataset, begun=parent is not None)


def _kinds(config: TrainConfig, dataset: Dataset, learned: int, parent: ModelConfig | None) -> int:
    """How many kinds the pictures are sorted into."""
    if dataset.class_names or config.arch == "mlp":
        return 0
    if config.kinds >= 0:
        wanted = config.kinds
    elif parent:  # as many as it knows: then both networks can be taken over whole
        wanted = parent.kinds if parent.kinds <= learned // GROUP else 0
    else:
        wanted = min(MOST_KINDS, len(dataset) // PICTURES_A_KIND)
    return wanted if wanted > 1 else 0


def _automatic_batch(pictures: int, gpu: bool, processes: int) -> int:
    batch = 32 if gpu else 16
    while batch > pictures:
        batch //= 2
    if processes > 1:  # each process has whole groups
        batch = max(1, round(batch / (GROUP * processes))) * GROUP * processes
    return batch


def reasons(config: TrainConfig, model: ModelConfig, dataset: Dataset, begun: bool = False) -> Reasons:
    """What was chosen, in sentences a person can check."""
    out: Reasons = []
    if begun:
        out.append(("The network is of the kind and the width of the model it begins with.", {}))
    elif config.device == "cpu":
        out.append(
            (
                "Training runs on the processor (threads: {threads}), so the network is a small one.",
                {"threads": config.threads},
            )
        )
    else:
        out.append(("Training runs on the GPU, so the network is a large one.", {}))
    if len(dataset) < 1000 and config.augment == "adaptive":
        out.append(
            (
                "{count} pictures are few: if the network begins to memorise them, augmentation sets in.",
                {"count": len(dataset)},
            )
        )
    if config.mirror == "yes":
        out.append(("Mirrored pictures are used too; switch that off if left and right matter.", {}))
    if model.num_classes:
        out.append(("The network learns {count} classes, from the sub-folders.", {"count": model.num_classes}))
    if model.kinds:
        out.append(
            ("The pictures have no classes; they are sorted into {count} kinds by their looks.", {"count": model.kinds})
        )
    if model.channels == 4:
        out.append(("Transparency is learned too.", {}))
    expected = None if begun else forecast(config, model)  # measured on networks that knew nothing
    if expected:
        out.append(expected)
    return out
