"""A model is a folder: weights as safetensors, everything else as JSON."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from imagen_demo import storage
from imagen_demo.config import ModelConfig
from imagen_demo.errors import UserError
from imagen_demo.models.metrics import MEANINGS
from imagen_demo.models.registry import Generator, build_generator, check_model_config

FORMAT_VERSION = 1
MOST_NUMBER = 1e15
UNITS = {"kimg": "thousand pictures seen"}  # what a card calls the facts of the training, where the key is jargon
WRITTEN = ("title", "description", "class_names", "licence", "first_seed")  # by people, in model.json


@dataclass
class ModelInfo:
    """``model.json``: what the weights are and where they come from."""

    config: ModelConfig
    title: str = ""
    description: str = ""
    class_names: list[str] = field(default_factory=list)
    training: dict[str, Any] = field(default_factory=dict)  # kimg, minutes, device, objective, batch
    metrics: dict[str, float] = field(default_factory=dict)  # swd, ...
    dataset: dict[str, Any] = field(default_factory=dict)  # name, fingerprint, pictures
    licence: str = ""
    lineage: list[dict[str, str]] = field(default_factory=list)  # of the models it was trained from, see ancestor()
    created: str = ""
    first_seed: int = 0  # the picture that greets visitors
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
        (new / "model.safetensors").write_bytes(save(tensors))  # save_file would make it readable by the owner only
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
    name = _name(folder)
    try:
        raw = storage.read_json(storage.current_folder(folder) / "model.json")
    except (FileNotFoundError, NotADirectoryError):
        raise UserError("{name} is not a model folder: it has no model.json.", name=name) from None
    except (ValueError, RecursionError, OSError):
        raise UserError("The description of model {name} (model.json) is damaged.", name=name) from None
    version = raw.get("format_version", 0) if isinstance(raw, dict) else 0
    if isinstance(version, int) and version > FORMAT_VERSION:
        raise UserError(
            "Model {name} has format version {version}; this program knows up to {known}. Update the program.",
            name=name, version=version, known=FORMAT_VERSION,
        )  # fmt: skip
    try:
        config = ModelConfig(**raw.pop("config"))
        check_model_config(config)
        info = ModelInfo(config=config, **raw)
        info.lineage = lineage_from(info.lineage)
        _check_types(info)
        return info
    except (TypeError, KeyError, AttributeError, UserError):
        raise UserError("The description of model {name} (model.json) is damaged.", name=name) from None


def _name(folder: Path) -> str:
    """How sentences call a model: by its folder, or by the run whose newest or best network it is."""
    name = folder.name.removesuffix(".old")
    return folder.parent.name if name in ("latest", "best") else name


def _check_types(info: ModelInfo) -> None:
    """TypeError where a field is not what it is said to be: the description may come from a stranger."""
    plain = {"title": str, "description": str, "licence": str, "created": str, "training": dict, "dataset": dict}
    sound = all(isinstance(getattr(info, name), kind) for name, kind in plain.items())
    sound = sound and type(info.format_version) is int
    sound = sound and type(info.first_seed) is int and 0 <= info.first_seed < 2**32
    sound = sound and isinstance(info.class_names, list) and all(isinstance(name, str) for name in info.class_names)
    sound = sound and all(isinstance(value, str) for one in info.lineage for value in one.values())
    kimg = info.training.get("kimg", 0)
    sound = sound and isinstance(info.metrics, dict) and type(kimg) in (int, float) and 0 <= kimg < MOST_NUMBER
    # A measured value may be infinite or NaN; a whole number that no float can be would break who prints it.
    if not sound or not all(
        type(v) is float or (type(v) is int and abs(v) < MOST_NUMBER) for v in info.metrics.values()
    ):
        raise TypeError


def load_model(folder: Path, device: str | torch.device = "cpu") -> Model:
    """Read and check a model folder; nothing in it is ever executed.

    Raises:
        UserError: as :func:`read_info`; or tensors are missing, superfluous, misshapen or not finite.
    """
    info, name = read_info(folder), _name(folder)
    folder = storage.current_folder(folder)
    try:
        data = (folder / "model.safetensors").read_bytes()  # once: the hash is that of the very weights
        tensors = load(data)
    except FileNotFoundError:
        raise UserError("Model {name} has no weights: model.safetensors is missing.", name=name) from None
    except (SafetensorError, OSError, ValueError, KeyError):
        raise UserError("The weights of model {name} (model.safetensors) are damaged.", name=name) from None
    with torch.device("meta"):  # shapes only: no memory and no random numbers are spent
        generator = build_generator(info.config)
    expected = {f"generator.{key}": value for key, value in generator.state_dict().items()}
    expected["w_avg"] = torch.empty(max(1, info.config.num_classes), info.config.w_dim, device="meta")
    problems = _problems(tensors, expected)
    if problems:
        raise UserError(
            "The weights of model {name} do not fit its description: {problem} ({count} such tensors).",
            name=name, problem=problems[0], count=len(problems),
        )  # fmt: skip
    w_avg = tensors.pop("w_avg").to(device)
    generator.load_state_dict({key.removeprefix("generator."): value for key, value in tensors.items()}, assign=True)
    generator = generator.to(device, memory_format=torch.channels_last).eval().requires_grad_(False)
    return Model(generator, info, w_avg, hashlib.sha256(data).hexdigest(), folder)


def ancestor(model: Model) -> dict[str, str]:
    """What a model that begins with this one tells of it, for the sake of its licence and of its pictures."""
    info = model.info
    return {
        "hash": model.hash, "title": _name(model.path), "pictures": str(info.dataset.get("name", "?")),
        "licence": info.licence,
    }  # fmt: skip


def lineage_from(raw: Any) -> list[dict[str, str]]:
    """A lineage as it stands in a file; there was a time when it was only hashes.

    Raises:
        TypeError: it is none.
    """
    if not isinstance(raw, list) or not all(isinstance(one, (str, dict)) for one in raw):
        raise TypeError
    return [{"hash": one} if isinstance(one, str) else one for one in raw]


def ancestors_text(info: ModelInfo) -> str:
    """``Planets (planets; CC0), ...``: title, pictures and licence of each, the nearest last."""
    said = []
    for one in info.lineage:
        about = "; ".join(filter(None, (one.get("pictures"), one.get("licence"))))
        said.append((one.get("title") or one.get("hash", "?")[:12]) + (f" ({about})" if about else ""))
    return ", ".join(said)


def weights_hash(folder: Path) -> str:
    """The SHA-256 of a model's weights, as in :class:`Model`; "" where there are none."""
    try:
        return hashlib.sha256((storage.current_folder(folder) / "model.safetensors").read_bytes()).hexdigest()
    except OSError:
        return ""


def _problems(tensors: dict[str, Tensor], expected: dict[str, Tensor]) -> list[str]:
    """What is wrong with the tensors of a file, in a stable order."""
    problems = [f"{key} is missing" for key in expected.keys() - tensors.keys()]
    problems += [f"{key} is unknown" for key in tensors.keys() - expected.keys()]
    for key in expected.keys() & tensors.keys():
        found, wanted = tensors[key], expected[key]
        if found.shape != wanted.shape:
            problems.append(f"{key} has shape {list(found.shape)} instead of {list(wanted.shape)}")
        elif found.dtype != wanted.dtype:
            problems.append(f"{key} has type {found.dtype} instead of {wanted.dtype}")
        elif not found.isfinite().all():
            problems.append(f"{key} has values that are not numbers")
    return sorted(problems)


def add_metrics(folder: Path, metrics: dict[str, float]) -> None:
    """Write further metrics into ``model.json`` and the card; the rest of a card that someone edited stays.

    Raises:
        UserError: as :func:`read_info`.
    """
    info, folder = read_info(folder), storage.current_folder(folder)
    info.metrics |= metrics
    storage.write_json(folder / "model.json", dataclasses.asdict(info))
    card = folder / "README.md"
    if card.exists():
        storage.write_bytes(card, _updated(card.read_bytes(), info, "Metrics"))


def keep_words(folder: Path, older: Path) -> None:
    """Give a model what people wrote into the description and the card of the one that it replaces.

    Raises:
        UserError: as :func:`read_info`, of either.
    """
    info, before = read_info(folder), read_info(older)
    info = dataclasses.replace(info, **{name: getattr(before, name) for name in WRITTEN})
    storage.write_json(folder / "model.json", dataclasses.asdict(info))
    try:
        card = (storage.current_folder(older) / "README.md").read_bytes()
    except OSError:  # there is none, or it cannot be read
        return
    facts = ("Pictures learned from", "Training", "Metrics", "Began from")
    storage.write_bytes(folder / "README.md", _updated(card, info, *facts))


def _updated(card: bytes, info: ModelInfo, *keys: str) -> bytes:
    """A card with these of its lines as they are today; the rest stays as people left it, in any encoding."""
    text = card.decode("utf-8", "surrogateescape")
    for key, value in _card_facts(info).items():
        if key in keys:
            pattern, line = rf"^\| {key} \|.*$", f"| {key} | {value} |"
            text = re.sub(pattern, lambda match, line=line: line, text, count=1, flags=re.MULTILINE)
    return text.encode("utf-8", "surrogateescape")


def _metrics_text(info: ModelInfo) -> str:
    said = [f"{MEANINGS.get(key, key)}: {value:.4g}" for key, value in info.metrics.items()]
    return "; ".join(said) or "none measured"


def _card_facts(info: ModelInfo) -> dict[str, str]:
    """The lines of a card's table."""
    config, training, dataset = info.config, info.training, info.dataset
    return {
        "Architecture": f"{config.arch}, {config.resolution} x {config.resolution} px, {config.channels} channels",
        "Classes": ", ".join(info.class_names) or "none",
        "Pictures learned from": f"{dataset.get('name', '?')} ({dataset.get('pictures', '?')} pictures)",
        "Training": ", ".join(f"{UNITS.get(key, key)}: {value}" for key, value in training.items()) or "?",
        "Metrics": _metrics_text(info),
        **({"Began from": ancestors_text(info)} if info.lineage else {}),  # with a licence that goes along
        "Licence": info.licence or "the licence of the pictures it was trained on",
    }


def model_card(info: ModelInfo) -> str:
    """The model's README.md: what it draws, how it was made, what it may be used for."""
    table = "\n".join(f"| {key} | {value} |" for key, value in _card_facts(info).items())
    title = info.title or info.dataset.get("name", "Model")
    return f"# {title}\n\n{info.description}\n\n| | |\n|---|---|\n{table}\n\nMade with Imagen Demo.\n"
