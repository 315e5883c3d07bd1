"""The complete training state on disk: what is needed to go on as if never stopped: on a processor bit for bit."""

from __future__ import annotations

import copy
import dataclasses
import json
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from imagen_demo import storage
from imagen_demo.config import ModelConfig, TrainConfig
from imagen_demo.errors import UserError
from imagen_demo.models.registry import build_discriminator, build_generator
from imagen_demo.training.augment import Controller
from imagen_demo.training.graphs import Graphs

VERSION = 3
CONTROLLER = ("p", "gap_validation", "square_validation", "gap_generated")  # what changes in it


@dataclasses.dataclass
class Counters:
    """Where the run stands."""

    step: int = 0
    images: int = 0  # real pictures shown to the discriminator
    seconds: float = 0.0  # spent training, over all resumes
    micro_batch: int = 0  # pictures at once since the memory was full; 0: as the settings say
    rescues: int = 0  # how often the run went back to an earlier state with gentler settings
    rescue: str = ""  # for which of the coach's rules

    @property
    def kimg(self) -> float:
        return self.images / 1000


@dataclasses.dataclass
class State:
    """Everything that changes while training."""

    generator: nn.Module
    discriminator: nn.Module
    ema: nn.Module  # averaged generator: every picture shown comes from it
    optimizer_g: torch.optim.Adam
    optimizer_d: torch.optim.Adam
    controller: Controller
    random: torch.Generator  # seeded anew for every step (:mod:`step`), so it needs no saving
    counters: Counters
    graphs: Graphs | None = None  # of the steps, on a GPU


def fresh_state(config: TrainConfig, model: ModelConfig, device: torch.device, held_out: int) -> State:
    """Networks, averages and optimisers as they are before the first step.

    ``held_out``: how many pictures are kept from training.
    """
    torch.manual_seed(config.seed)
    layout = torch.channels_last
    generator = build_generator(model).to(device, memory_format=layout)
    discriminator = build_discriminator(model).to(device, memory_format=layout)
    ema = copy.deepcopy(generator).eval().requires_grad_(False)
    # The article's network has the article's momentum; StyleGAN2's has none.
    betas = (0.5, 0.999) if config.arch == "mlp" else (0.0, 0.99)
    gpu = device.type == "cuda"
    adam = lambda network, rate: torch.optim.Adam(  # noqa: E731
        network.parameters(), rate, betas, fused=True, capturable=gpu
    )
    random = torch.Generator(device).manual_seed(config.seed + 1)
    controller = Controller(config.augment_target, held_out)
    optimizer_g = adam(generator, config.learning_rate * config.generator_rate)
    optimizer_d = adam(discriminator, config.learning_rate)
    graphs = Graphs(device) if gpu else None
    return State(generator, discriminator, ema, optimizer_g, optimizer_d, controller, random, Counters(), graphs)


def _optimizer_tensors(optimizer: torch.optim.Adam) -> dict[str, Tensor]:
    return {
        f"{index}.{key}": value
        for index, entry in optimizer.state_dict()["state"].items()
        for key, value in entry.items()
    }


def _restore_optimizer(optimizer: torch.optim.Adam, tensors: dict[str, Tensor]) -> None:
    state = optimizer.state_dict()
    parameters = [p for group in optimizer.param_groups for p in group["params"]]
    entries: dict[int, dict[str, Tensor]] = {}
    for name, value in tensors.items():
        index, key = name.split(".", 1)
        if key != "step":
            # The fused Adam walks parameter and moments side by side: their memory layout must agree.
            value = torch.empty_like(parameters[int(index)]).copy_(value)
        entries.setdefault(int(index), {})[key] = value
    optimizer.load_state_dict({"state": entries, "param_groups": state["param_groups"]})


def save(folder: Path, state: State) -> None:
    """Replace ``folder`` by the present state, atomically."""
    tensors: dict[str, Tensor] = {}
    for name in ("generator", "discriminator", "ema"):
        for key, value in getattr(state, name).state_dict().items():
            tensors[f"{name}.{key}"] = value
    for name in ("optimizer_g", "optimizer_d"):
        for key, value in _optimizer_tensors(getattr(state, name)).items():
            tensors[f"{name}.{key}"] = value
    tensors = {key: value.detach().cpu().contiguous() for key, value in tensors.items()}
    rest = {
        "version": VERSION,
        "counters": dataclasses.asdict(state.counters),
        "augment": {name: getattr(state.controller, name) for name in CONTROLLER},
    }

    def fill(new: Path) -> None:
        save_file(tensors, new / "tensors.safetensors")
        (new / "state.json").write_text(json.dumps(rest, indent=1))

    storage.replace_folder(folder, fill)


def load(folder: Path, state: State) -> None:
    """Bring ``state`` to what :func:`save` wrote.

    Raises:
        UserError: there is no state, or it is damaged or of other networks.
    """
    folder = storage.current_folder(folder)
    try:
        rest: dict[str, Any] = json.loads((folder / "state.json").read_text())
        if rest["version"] != VERSION:
            raise UserError(
                "The saved state of run {name} is of another version of this program; train anew.",
                name=folder.parent.name,
            )
        tensors = load_file(folder / "tensors.safetensors")
        parts: dict[str, dict[str, Tensor]] = {}
        for name, value in tensors.items():
            part, _, key = name.partition(".")
            parts.setdefault(part, {})[key] = value
        for name in ("generator", "discriminator", "ema"):
            getattr(state, name).load_state_dict(parts[name])
        _restore_optimizer(state.optimizer_g, parts.get("optimizer_g", {}))
        _restore_optimizer(state.optimizer_d, parts.get("optimizer_d", {}))
        known = {field.name for field in dataclasses.fields(Counters)}
        state.counters = Counters(**{key: value for key, value in rest["counters"].items() if key in known})
        for name in CONTROLLER:
            setattr(state.controller, name, float(rest["augment"][name]))
        if state.graphs:
            state.graphs.forget()  # the optimisers' tensors are others now
    except FileNotFoundError:
        raise UserError("Run {name} has no saved state to go on from.", name=folder.parent.name) from None
    except (SafetensorError, RuntimeError, LookupError, TypeError, ValueError, OSError) as error:
        raise UserError(
            "The saved state of run {name} is damaged ({detail}).", name=folder.parent.name, detail=type(error).__name__
        ) from None
