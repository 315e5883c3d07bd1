"""A model's networks as ONNX files, checked against PyTorch when they are written.

Exported by PyTorch's tracing exporter (``dynamo=False``). The newer one, ``dynamo=True``, gives the same pictures, but
took 44 s for a 64 px model where this takes 2 s, and needs onnxscript besides. Traced at batch 1, so that nothing but
broadcasting depends on the batch; ONNX Runtime's own basic optimisation then folds what is constant, such as the
weights' scales, so that every reader starts with a plain graph of standard operators. Weights stay float32: stored as
float16 they moved the first bundled models' pictures by up to 1.3 of 255 levels.
"""

from __future__ import annotations

import copy
import io
import json
import tempfile
import threading
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from imagen_demo import storage
from imagen_demo.errors import UserError
from imagen_demo.latent.space import one_thread, seed_to_z
from imagen_demo.models.folder import Model
from imagen_demo.models.registry import Generator
from imagen_demo.progress import Progress, silent

OPSET = 17  # the oldest that has everything: most readers know it
CHECKED_SEEDS = 8  # pictures that are compared
TOLERANCE = 0.05  # of one of the 255 levels of a picture, and of a w's own unit
_TRACING = threading.Lock()  # PyTorch's exporter keeps its state in globals


@dataclass(frozen=True)
class Network:
    """One ONNX file: its bytes, and the greatest difference to PyTorch over the pictures checked."""

    data: bytes
    difference: float


class _Mapping(nn.Module):
    """z [N, z_dim] (and label int64 [N]) -> w [N, w_dim] and its centre of truncation, w_avg [N, w_dim]."""

    def __init__(self, generator: Generator, w_avg: Tensor) -> None:
        super().__init__()
        self.generator = generator
        self.register_buffer("centres", w_avg)

    def forward(self, z: Tensor, label: Tensor | None = None) -> tuple[Tensor, Tensor]:
        w = self.generator.mapping(z, label)
        return w, self.centres[label] if label is not None else self.centres + 0 * w


class _Synthesis(nn.Module):
    """ws [N, num_ws, w_dim] (and noise [1, noise_size]) -> levels [N, C, H, W] in 0 to 255; RGBA is premultiplied."""

    def __init__(self, generator: Generator) -> None:
        super().__init__()
        self.generator = generator

    def forward(self, ws: Tensor, noise: Tensor | None = None) -> Tensor:
        return (self.generator.synthesis(ws, noise).clamp(-1, 1) + 1) * 127.5


class _Whole(nn.Module):
    """z (and label) and psi [1] -> levels [N, C, H, W], and w before truncation."""

    def __init__(self, mapping: _Mapping, synthesis: _Synthesis) -> None:
        super().__init__()
        self.mapping, self.synthesis = mapping, synthesis

    def forward(self, z: Tensor, label: Tensor | None, psi: Tensor) -> tuple[Tensor, Tensor]:
        w, centre = self.mapping(z, label)
        ws = (centre + psi * (w - centre)).unsqueeze(1)
        return self.synthesis(torch.cat([ws] * self.mapping.generator.num_ws, dim=1)), w


class _WholeWithoutClasses(_Whole):
    def forward(self, z: Tensor, psi: Tensor) -> tuple[Tensor, Tensor]:  # the tracer knows no None among its inputs
        return super().forward(z, None, psi)


def mapping_network(model: Model, name: str) -> Network:
    """``z`` [N, z_dim], and with classes ``label`` int64 [N] -> ``w`` and ``w_avg`` [N, w_dim], all float32.

    Raises:
        UserError: the file does not do what the model does; as all here.
    """
    generator, w_avg = _plain(model)
    inputs = _mapping_inputs(model)
    return _export(_Mapping(generator, w_avg), inputs, ["w", "w_avg"], _facts(model, name, "mapping"))


def synthesis_network(model: Model, name: str, any_noise: bool = False) -> Network:
    """``ws`` [N, num_ws, w_dim] -> ``picture`` [N, C, H, W], levels 0 to 255.

    ``any_noise``: a model with noise takes it as a second input, ``noise`` [1, noise_size], instead of its own.
    """
    generator, _ = _plain(model)
    z = _mapping_inputs(model)
    with torch.inference_mode():
        inputs = {"ws": generator.mapping(*z.values()).unsqueeze(1).repeat(1, generator.num_ws, 1)}
    if any_noise and generator.noise_size:
        inputs["noise"] = seed_to_z(1, generator.noise_size)
    return _export(_Synthesis(generator), inputs, ["picture"], _facts(model, name, "synthesis"))


def whole_network(model: Model, name: str) -> Network:
    """``z``, with classes ``label``, and ``psi`` [1] -> ``picture`` and ``w``: a seed's picture in one call."""
    generator, w_avg = _plain(model)
    kind = _Whole if model.info.config.num_classes else _WholeWithoutClasses
    inputs = _mapping_inputs(model) | {"psi": torch.tensor([0.8])}
    module = kind(_Mapping(generator, w_avg), _Synthesis(generator))
    return _export(module, inputs, ["picture", "w"], _facts(model, name, "whole"))


def export_onnx(model: Model, name: str, out: Path, progress: Progress = silent) -> dict[str, Any]:
    """Write ``out`` (z to picture) and, beside it, its halves ``STEM-mapping.onnx`` and ``STEM-synthesis.onnx``.

    Returns:
        ``files`` and, for each, the greatest ``difference`` to PyTorch: in levels of 255, in units of w for mapping.

    Raises:
        UserError: ``out`` is named otherwise, or a file does not do what the model does; then none is written.
        Cancelled: from ``progress``.
    """
    if out.suffix.lower() not in (".onnx", ""):
        raise UserError("The name of an ONNX file ends in .onnx; {name} does not.", name=out.name)
    out = out.with_suffix(".onnx")
    networks: dict[Path, Network] = {}
    kinds: list[tuple[str, Callable[[Model, str], Network]]] = [
        ("", whole_network), ("-mapping", mapping_network), ("-synthesis", synthesis_network),
    ]  # fmt: skip
    for done, (suffix, make) in enumerate(kinds):
        progress(done / len(kinds), f"{done} of {len(kinds)} networks exported")
        networks[out.with_name(f"{out.stem}{suffix}.onnx")] = make(model, name)
    progress(1.0, f"{len(kinds)} of {len(kinds)} networks exported")
    out.parent.mkdir(parents=True, exist_ok=True)
    for path, network in networks.items():
        storage.write_bytes(path, network.data)
    return {
        "files": [str(path) for path in networks],
        "bytes": [len(network.data) for network in networks.values()],
        "differences": [network.difference for network in networks.values()],
    }


def _plain(model: Model) -> tuple[Generator, Tensor]:
    """A copy on the CPU in the usual memory order: a model in use is not touched, and traces are alike everywhere."""
    generator = copy.deepcopy(model.generator).to("cpu", memory_format=torch.contiguous_format)
    return generator.eval().requires_grad_(False), model.w_avg.detach().cpu().clone()


def _mapping_inputs(model: Model) -> dict[str, Tensor]:
    config = model.info.config
    inputs = {"z": torch.cat([seed_to_z(seed, config.z_dim) for seed in range(CHECKED_SEEDS)])}
    if config.num_classes:
        inputs["label"] = torch.arange(CHECKED_SEEDS) % config.num_classes
    return inputs


def _facts(model: Model, name: str, part: str) -> dict[str, str]:
    """What goes into the file's metadata."""
    config = model.info.config
    facts = {
        "model": name, "model_hash": model.hash, "part": part, "arch": config.arch, "licence": model.info.licence,
        "resolution": config.resolution, "channels": config.channels, "num_ws": model.generator.num_ws,
        "class_names": json.dumps(model.info.class_names, ensure_ascii=False),
        "picture": "levels 0 to 255 [N, C, H, W]; " + ("round them" if config.channels < 4 else
                   "premultiplied: round alpha, then the colours x 255 / alpha"),
        "seed": "z = numpy.random.RandomState(seed).randn(1, z_dim).astype(float32)",
    }  # fmt: skip
    return {key: str(value) for key, value in facts.items()}


def _export(module: nn.Module, inputs: dict[str, Tensor], outputs: Sequence[str], facts: dict[str, str]) -> Network:
    """Trace at batch 1, optimise, compare with PyTorch at batch 1 and at all of ``inputs`` together."""
    import onnx

    module.eval()
    with one_thread(), torch.inference_mode():
        first = {key: value[:1] for key, value in inputs.items()}
        network = onnx.load_model_from_string(_optimised(_traced(module, first, outputs)))
        del network.opset_import[:]
        network.opset_import.append(onnx.helper.make_opsetid("", OPSET))
        network.producer_name = "Imagen Demo"
        expected = _expected(module, inputs), _expected(module, first)
    data = network.SerializeToString()
    difference = max(_difference(data, inputs, expected[0]), _difference(data, first, expected[1]))
    if not difference <= TOLERANCE:  # also where it is not a number
        raise UserError(
            "The ONNX file of model {name} differs from the model by {difference}; at most {limit} is accepted. "
            "It was not written.",
            name=facts["model"], difference=f"{difference:.3g}", limit=TOLERANCE,
        )  # fmt: skip
    facts = facts | {"max_difference": f"{difference:.3g}"}
    onnx.helper.set_model_props(network, {f"imagen_demo.{key}": value for key, value in facts.items()})
    return Network(network.SerializeToString(), difference)


def _traced(module: nn.Module, inputs: dict[str, Tensor], outputs: Sequence[str]) -> bytes:
    file = io.BytesIO()
    axes = {name: {0: "batch"} for name in [*inputs, *outputs] if name not in ("psi", "noise")}
    with _TRACING, warnings.catch_warnings():  # of its age, and of len(ws), which is 1 here
        warnings.simplefilter("ignore")
        torch.onnx.export(
            module, tuple(inputs.values()), file, dynamo=False, opset_version=OPSET,
            input_names=list(inputs), output_names=list(outputs), dynamic_axes=axes,
        )  # fmt: skip
    return file.getvalue()


def _session(data: bytes, optimised: Path | None = None) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    if optimised is not None:
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC  # standard operators
        options.optimized_model_filepath = str(optimised)
    return onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])


def _optimised(data: bytes) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "network.onnx"
        _session(data, file)
        return file.read_bytes()


def _expected(module: nn.Module, inputs: dict[str, Tensor]) -> list[np.ndarray]:
    found = module(*inputs.values())
    return [tensor.numpy() for tensor in (found if isinstance(found, tuple) else (found,))]


def _difference(data: bytes, inputs: dict[str, Tensor], expected: list[np.ndarray]) -> float:
    found = _session(data).run(None, {name: tensor.numpy() for name, tensor in inputs.items()})
    same = all(a.shape == b.shape for a, b in zip(found, expected, strict=True))
    return max(float(np.abs(a - b).max()) for a, b in zip(found, expected, strict=True)) if same else float("inf")
