"""Models small enough to make in every test."""

from __future__ import annotations

from pathlib import Path

import torch
from PIL import Image

from imagen_demo.config import ModelConfig
from imagen_demo.models.folder import ModelInfo, save_model
from imagen_demo.models.registry import build_generator


def save_tiny_model(folder: Path, seed: int = 0, **changes: object) -> ModelConfig:
    """An untrained model of 16 x 16 pixels in ``folder``; ``changes`` go into its ModelConfig."""
    values = {"resolution": 16, "width": 64, "z_dim": 8, "w_dim": 8, "mapping_layers": 2} | changes
    if values.get("arch") == "mlp":
        values["w_dim"] = 128
    config = ModelConfig(**values)
    torch.manual_seed(seed)
    generator = build_generator(config)
    for block in generator.blocks if config.noise else ():
        torch.nn.init.constant_(block.noise_strength, 0.5)  # it begins at zero: noise would not be seen
    if config.kinds:
        generator.mapping_network.share_out(torch.ones(config.kinds))
    w_avg = torch.randn(max(1, config.num_classes), config.w_dim) * 0.1
    info = ModelInfo(config, title="Tiny", class_names=[f"class {i}" for i in range(config.num_classes)])
    folder.parent.mkdir(parents=True, exist_ok=True)
    save_model(folder, generator, w_avg, info, Image.new("RGB", (32, 32), "teal"))
    return config
