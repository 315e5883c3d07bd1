"""Networks by name."""

from __future__ import annotations

from imagen_demo.config import ARCHITECTURES, RESOLUTIONS, ModelConfig
from imagen_demo.errors import UserError
from imagen_demo.models import mlp, style

Generator = style.StyleGenerator | mlp.MlpGenerator
Discriminator = style.StyleDiscriminator | mlp.MlpDiscriminator

# A model's description can come from a stranger: these bounds keep it from asking for all memory.
_BOUNDS = {
    "num_classes": (0, 10_000),
    "kinds": (0, 100),
    "z_dim": (1, 1024),
    "w_dim": (1, 1024),
    "mapping_layers": (1, 16),
    "width": (16, 65_536),
    "max_channels": (8, 1024),
}


def check_model_config(config: ModelConfig) -> None:
    """Refuse a network that cannot be built.

    Raises:
        UserError: names the value and what would work.
    """
    known = {"arch": ARCHITECTURES, "resolution": RESOLUTIONS, "channels": (3, 4), "noise": (False, True)}
    for name, choices in known.items():
        value = getattr(config, name)
        if type(value) is not type(choices[0]) or value not in choices:  # 64.0 == 64, but makes no network
            raise UserError(
                "The network's {setting} cannot be {value!r}; use one of {choices}.",
                setting=name, value=value, choices=", ".join(map(str, choices)),
            )  # fmt: skip
    for name, (low, high) in _BOUNDS.items():
        value = getattr(config, name)
        if type(value) is not int or not low <= value <= high:
            raise UserError(
                "The network's {setting} cannot be {value!r}; use a whole number from {low} to {high}.",
                setting=name, value=value, low=low, high=high,
            )  # fmt: skip
    if config.kinds == 1 or (config.kinds and (config.num_classes or config.arch == "mlp")):
        raise UserError("A network has two kinds or more, or none; with classes, and as mlp, none.")
    if config.arch == "mlp" and config.w_dim != mlp.HIDDEN[0]:
        raise UserError("The mlp network's w_dim is always {w_dim}.", w_dim=mlp.HIDDEN[0])


def build_generator(config: ModelConfig) -> Generator:
    """A freshly initialised generator.

    Raises:
        UserError: from :func:`check_model_config`.
    """
    check_model_config(config)
    return style.StyleGenerator(config) if config.arch == "style" else mlp.MlpGenerator(config)


def build_discriminator(config: ModelConfig) -> Discriminator:
    """A freshly initialised discriminator for the same pictures; raises as :func:`build_generator`."""
    check_model_config(config)
    return style.StyleDiscriminator(config) if config.arch == "style" else mlp.MlpDiscriminator(config)
