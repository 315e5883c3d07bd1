"""Every setting of the product, once: type, default, unit, and one line of help in two languages.

The command line and the Train tab are both generated from these dataclasses
(:func:`settings`), so a flag and its control cannot drift apart. ``"auto"``
and the number in a field's ``auto`` mean "chosen from the data and the device".
"""

from __future__ import annotations

import dataclasses
import os
from dataclasses import dataclass
from typing import Any

from imagen_demo.errors import UserError

RESOLUTIONS = (16, 32, 64, 128, 256, 512, 1024)
ARCHITECTURES = ("style", "mlp")
OBJECTIVES = ("relativistic", "nonsaturating", "hinge")
MOST_GENERATOR_RATE = 100.0
DEFAULT_PSI = 0.8  # truncation of a picture nobody has set it for: a little less varied, a little cleaner


def _setting(
    default: Any,
    help: str,
    zh: str,
    *,
    choices: tuple[Any, ...] = (),
    low: float | None = None,
    high: float | None = None,
    auto: float | None = None,
    advanced: bool = True,
) -> Any:
    """``auto``: the number that stands for "chosen for you"; it may lie below ``low``."""
    meta = {"help": help, "zh": zh, "choices": choices, "low": low, "high": high, "auto": auto, "advanced": advanced}
    return dataclasses.field(default=default, metadata=meta)


@dataclass(frozen=True)
class PrepareConfig:
    """How pictures become a prepared dataset."""

    resolution: int = _setting(
        64,
        "Side of the square pictures, in pixels; twice the side is about four times the work",
        "正方形图片的边长（像素）；边长加倍，计算量约为四倍",
        choices=RESOLUTIONS,
        advanced=False,
    )
    fit: str = _setting(
        "crop",
        "crop: cut the middle square; pad: keep all, add a border; stretch: squeeze",
        "crop：裁剪中央；pad：保留全图并补边；stretch：拉伸",
        choices=("crop", "pad", "stretch"),
        advanced=False,
    )
    alpha: str = _setting(
        "auto",
        "Transparency: auto keeps it where most pictures have it; keep; flatten onto white",
        "透明通道：auto 多数图片有则保留；keep 保留；flatten 铺在白底上",
        choices=("auto", "keep", "flatten"),
    )
    labels: bool = _setting(True, "Each sub-folder of pictures is a class", "每个子文件夹里的图片为一类")
    workers: int = _setting(
        0, "Processes that read pictures (0 = one per core)", "同时读图的进程（0 = 每核一个）", low=0, auto=0
    )

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True)
class ModelConfig:
    """The networks' shape: everything needed to rebuild them around a file of weights."""

    arch: str = "style"
    resolution: int = 64
    channels: int = 3  # 3 RGB, 4 RGBA
    num_classes: int = 0  # 0 = unconditional
    kinds: int = 0  # that pictures without classes were sorted into; a picture's own follows from its z
    z_dim: int = 128
    w_dim: int = 128
    mapping_layers: int = 2
    width: int = 1024  # channels at resolution r: min(width / r, max_channels)
    max_channels: int = 256
    noise: bool = False  # fresh random numbers for the detail of every training picture (StyleGAN, section 3.2)

    @property
    def labels(self) -> int:
        """How many classes or kinds the networks are told apart."""
        return self.num_classes or self.kinds


@dataclass(frozen=True)
class TrainConfig:
    """How a network learns. Every field works as it stands."""

    minutes: float = _setting(
        30.0, "Stop after so many minutes", "训练这么多分钟后停止", low=0.1, high=100_000, advanced=False
    )
    kimg: float = _setting(
        0.0,
        "Stop after so many thousand pictures instead (0 = go by minutes)",
        "改为按千张图停止（0 = 按分钟）",
        low=0.0,
    )
    arch: str = _setting(
        "style",
        "style: the modern network; mlp: the article's two dense layers",
        "style：现代网络；mlp：文章中的两层全连接网络",
        choices=ARCHITECTURES,
    )
    objective: str = _setting(
        "auto",
        "Loss: relativistic (RpGAN), nonsaturating (the article's), hinge",
        "损失函数：relativistic、nonsaturating（文章所用）、hinge",
        choices=("auto", *OBJECTIVES),
    )
    width: int = _setting(
        0,
        "Network width, channels x resolution: wider draws finer and learns slower (0 = auto)",
        "越宽画得越精细，学得越慢（0 = 自动）",
        low=0,
        auto=0,
        high=65536,
    )
    batch: int = _setting(
        0,
        "Pictures per step: more is steadier and takes more memory (0 = auto)",
        "越多越稳，也越占内存（0 = 自动）",
        low=0,
        auto=0,
        high=4096,
    )
    micro_batch: int = _setting(
        0,
        "Pictures in memory at once; a batch is done in so many (0 = whole batch, less where memory ends)",
        "同时在内存中的图片数；每批分次完成（0 = 整批，内存不足时自动减小）",
        low=0,
        auto=0,
        high=4096,
    )
    learning_rate: float = _setting(
        0.0, "Adam's step (0 = auto)", "Adam 优化器的步长（0 = 自动）", low=0.0, auto=0, high=1.0
    )
    generator_rate: float = _setting(
        0.0,
        "The generator's step as a multiple of the discriminator's: 1 = the same (0 = auto)",
        "1 = 两者步长相同（0 = 自动）",
        low=0.0,
        auto=0,
        high=MOST_GENERATOR_RATE,
    )
    gamma: float = _setting(
        -1.0,
        "Weight of the gradient penalties R1 and R2: more is steadier (-1 = auto, 0 = none)",
        "R1 和 R2 的权重：越大越稳（-1 = 自动，0 = 无）",
        low=0.0,
        auto=-1.0,
    )
    penalty_every: int = _setting(
        0,
        "Apply the penalties every so many steps, scaled to match (0 = auto)",
        "隔这么多步施加一次，并按比例放大（0 = 自动）",
        low=0,
        auto=0,
    )
    ema_half_life_kimg: float = _setting(
        0.0,
        "Half-life of the averaged weights, in thousands of pictures (0 = auto)",
        "看过多少千张图片后，旧权重在平均中减半（0 = 自动）",
        low=0.0,
        auto=0,
    )
    augment: str = _setting(
        "adaptive",
        "Augmentation against memorising few pictures: adaptive or off",
        "防止过拟合的数据增强：adaptive 自适应，off 关闭",
        choices=("adaptive", "off"),
    )
    augment_target: float = _setting(
        0.3, "Overfitting level that augmentation holds (0 to 1)", "增强所维持的过拟合程度（0 到 1）", low=0.0, high=1.0
    )
    kinds: int = _setting(
        -1,
        "Sort pictures without classes into so many kinds by their looks (-1 = auto, 0 = do not)",
        "无类别的图片按外观分成几种（-1 = 自动，0 = 不分）",
        low=0,
        auto=-1,
        high=100,
    )
    mirror: str = _setting(
        "auto", "Also learn from left-right mirrored pictures", "同时学习左右镜像的图片", choices=("auto", "yes", "no")
    )
    patience_kimg: float = _setting(
        -1.0,
        "End early after so many thousand pictures without better quality (-1 = auto, 0 = never)",
        "质量在多少千张图内没有提高则提前结束（-1 = 自动，0 = 从不）",
        low=0.0,
        auto=-1.0,
    )
    seed: int = _setting(
        0,
        "Where all chance of the training starts; another number is another attempt",
        "训练中一切随机性的起点；换一个数就是另一次尝试",
        low=0,
        high=2**32 - 1,
    )
    device: str = _setting(
        "auto",
        "Where to compute; auto: on the NVIDIA GPU if there is one",
        "auto：有 NVIDIA 显卡就用它，否则用 CPU",
        choices=("auto", "cpu", "cuda"),
    )
    threads: int = _setting(0, "CPU cores to compute on (0 = all)", "用几个核心计算（0 = 全部）", low=0, auto=0)
    tick_seconds: float = _setting(
        10.0,
        "Seconds between sample grids and log lines; after hours of training more",
        "每隔多少秒画一次样图、写一行日志；训练数小时后间隔渐长",
        low=0.0,
    )
    state_seconds: float = _setting(
        60.0, "Seconds between saved states: a crash loses about as much", "意外中断大约损失这么久的训练", low=0.0
    )

    def __post_init__(self) -> None:
        check(self)


def cores() -> int:
    """The cores this process may use, where the system tells: a container often has fewer than the machine."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def check_cores(setting: str, value: int) -> None:
    """Refuse more processes or threads than there are cores: they would only be in each other's way.

    Raises:
        UserError: names the setting and what would work.
    """
    if value > cores():
        raise UserError(
            "{setting} cannot be {value}: this machine has {cores} cores; use 1 to {cores}, or 0 for all.",
            setting=setting, value=value, cores=cores(),
        )  # fmt: skip


def settings(config_class: type) -> list[dataclasses.Field]:
    """The fields a user may set, in the order of the form; see ``field.metadata``."""
    return [field for field in dataclasses.fields(config_class) if "help" in field.metadata]


def check(config: Any) -> None:
    """Refuse a value outside its field's choices or bounds.

    Raises:
        UserError: names the setting, the value and what would work.
    """
    for field in settings(type(config)):
        value, meta = getattr(config, field.name), field.metadata
        if meta["choices"] and value not in meta["choices"]:
            raise UserError(
                "{setting} cannot be {value!r}; use one of {choices}.",
                setting=field.name, value=value, choices=", ".join(map(str, meta["choices"])),
            )  # fmt: skip
        if meta["auto"] is not None and value == meta["auto"]:
            continue
        if meta["auto"] is not None and meta["auto"] < meta["low"] and not value >= meta["low"]:
            raise UserError(
                "{setting} cannot be {value}; the least is {low}, or {auto} for auto.",
                setting=field.name, value=value, low=meta["low"], auto=meta["auto"],
            )  # fmt: skip
        if meta["low"] is not None and not value >= meta["low"]:  # also refuses NaN
            raise UserError(
                "{setting} cannot be {value}; the least is {low}.", setting=field.name, value=value, low=meta["low"]
            )
        if meta["high"] is not None and not value <= meta["high"]:
            raise UserError(
                "{setting} cannot be {value}; the most is {high}.", setting=field.name, value=value, high=meta["high"]
            )
