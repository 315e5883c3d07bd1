"""A model is a folder: weights as safetensors, everything else as JSON."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from imagen_demo import storage
from imagen_demo.config import ModelConfig
from imagen_demo.errors import UserError
from imagen_demo.models.registry import Generator, build_generator

FORMAT_VERSION = 1


@dataclass
class ModelInfo:
    """``model.json``: what the weights are and where they come from."""

    config: ModelConfig
    title: str = ""
    description: str = ""
    class_names: list[str] = field(default_factory=list)
    training: dict[str, Any] = field(default_factory=dict)  # kimg, seconds, device, objective, ...
    metrics: dict[str, float] = field(default_factory=dict)  # swd, ...
    dataset: dict[str, Any] = field(default_factory=dict)  # name, fingerprint, pictures
    licence: str = ""
    lineage: list[str] = field(default_factory=list)  # hashes of the models it was trained from
    created: str = ""
    format_version: int = FORMAT_VERSION


@dataclass
class Model:
    """A generator ready to draw.

    ``w_avg`` is [max(1, num_classes), w_dim]: the mean w of each class, the centre of truncation.
    ``hash`` is the SHA-256 of the weights' file; its first 12 digits go into recipes.
    """

    generator: Generator
    info: ModelInfo
    w_avg: Tensor
    hash: str
    path: Path


def save_model(folder: Path, generator: Generator, w_avg: Tensor, info: ModelInfo, preview: Image.Image | None) -> None:
    """Write ``folder`` anew, atomically. Cached directions of older weights go with the old folder."""
    info.created = info.created or time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    tensors = {f"generator.{name}": value.detach().cpu().contiguous() for name, value in generator.state_dict().items()}
    tensors["w_avg"] = w_avg.detach().cpu().contiguous()

    def fill(new: Path) -> None:
        save_file(tensors, new / "model.safetensors")
        (new / "model.json").write_text(json.dumps(dataclasses.asdict(info), indent=1, ensure_ascii=False), "utf-8")
        (new / "README.md").write_text(model_card(info), "utf-8")
        if preview is not None:
            preview.save(new / "preview.png")

    storage.replace_folder(folder, fill)


def read_info(folder: Path) -> ModelInfo:
    """Only ``model.json``: cheap enough for a page of cards.

    Raises:
        UserError: no model there, a damaged description, or one of a newer format.
    """
    folder = storage.current_folder(folder)
    name = folder.name
    try:
        raw = storage.read_json(folder / "model.json")
    except FileNotFoundError:
        raise UserError("{name} is not a model folder: it has no model.json.", name=name) from None
    except (json.JSONDecodeError, UnicodeDecodeError):
        raise UserError("The description of model {name} (model.json) is damaged.", name=name) from None
    version = raw.get("format_version", 0) if isinstance(raw, dict) else 0
    if not isinstance(version, int) or version > FORMAT_VERSION:
        raise UserError(
            "Model {name} has format version {version}; this program knows up to {known}. Update the program.",
            name=name, version=version, known=FORMAT_VERSION,
        )  # fmt: skip
    try:
        config = ModelConfig(**raw.pop("config"))
        return ModelInfo(config=config, **raw)
    except (TypeError, KeyError, AttributeError):
        raise UserError("The description of model {name} (model.json) is damaged.", name=name) from None


def load_model(folder: Path, device: str | torch.device = "cpu") -> Model:
    """Read and check a model folder; nothing in it is ever executed.

    Raises:
        UserError: as :func:`read_info`; or tensors are missing, superfluous, misshapen or not finite.
    """
    info = read_info(folder)
    folder = storage.current_folder(folder)
    name, file = folder.name, folder / "model.safetensors"
    try:
        digest = hashlib.sha256(file.read_bytes()).hexdigest()
        tensors = load_file(file)
    except FileNotFoundError:
        raise UserError("Model {name} has no weights: model.safetensors is missing.", name=name) from None
    except (SafetensorError, OSError):
        raise UserError("The weights of model {name} (model.safetensors) are damaged.", name=name) from None
    generator = build_generator(info.config)
    expected = {f"generator.{key}": value.shape for key, value in generator.state_dict().items()}
    expected["w_avg"] = torch.Size([max(1, info.config.num_classes), info.config.w_dim])
    problems = (
        [f"{key} is missing" for key in expected.keys() - tensors.keys()]
        + [f"{key} is unknown" for key in tensors.keys() - expected.keys()]
        + [f"{key} has shape {list(tensors[key].shape)} instead of {list(shape)}"
           for key, shape in expected.items() if key in tensors and tensors[key].shape != shape]
        + [f"{key} has values that are not numbers" for key, value in tensors.items() if not value.isfinite().all()]
    )  # fmt: skip
    if problems:
        raise UserError(
            "The weights of model {name} do not fit its description: {problem} ({count} such tensors).",
            name=name, problem=sorted(problems)[0], count=len(problems),
        )  # fmt: skip
    w_avg = tensors.pop("w_avg").to(device)
    generator.load_state_dict({key.removeprefix("generator."): value for key, value in tensors.items()})
    return Model(generator.to(device).eval().requires_grad_(False), info, w_avg, digest, folder)


def model_card(info: ModelInfo) -> str:
    """The model's README.md: what it draws, how it was made, what it may be used for."""
    config, training, dataset = info.config, info.training, info.dataset
    facts = [
        ("Architecture", f"{config.arch}, {config.resolution} x {config.resolution} px, {config.channels} channels"),
        ("Classes", ", ".join(info.class_names) or "none"),
        ("Pictures learned from", f"{dataset.get('name', '?')} ({dataset.get('pictures', '?')} pictures)"),
        ("Training", ", ".join(f"{key}: {value}" for key, value in training.items()) or "?"),
        ("Metrics", ", ".join(f"{key}: {value:.4g}" for key, value in info.metrics.items()) or "none measured"),
        ("Licence", info.licence or "the licence of the pictures it was trained on"),
    ]
    table = "\n".join(f"| {key} | {value} |" for key, value in facts)
    title = info.title or dataset.get("name", "Model")
    return f"# {title}\n\n{info.description}\n\n| | |\n|---|---|\n{table}\n\nMade with Imagen Demo.\n"
