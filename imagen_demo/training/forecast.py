"""What to expect of a training before it starts: how many pictures it will see, and how good that makes it."""

from __future__ import annotations

from typing import Any

import torch

from imagen_demo.config import ModelConfig, TrainConfig
from imagen_demo.models.style import START, channels_at, levels, widened

Sentence = tuple[str, dict[str, Any]]  # template, values

# Work a second of one processor thread in training, with AVX-512 and without. What two threads showed at 64 px and
# width 512 (torch 2.13, float32): 178 and 265 pictures a second on two machines that have it, all of a run's measuring
# and saving included; 87 to 102 on one with AVX2. No other was measured. Those of one kind differ by a factor of two.
SPEED_WITH_AVX512, SPEED_PER_THREAD = 7.7e9, 3.5e9
# What a value of a feature map costs besides, in multiplications: width 768 takes 1.8 times as long as 512, and 256 px
# 8 times as long as 64, with 2.2 and 5.5 times the multiplications (docs/speed.md).
VALUE = 670
# On a processor the wider network is better where it will see about so many thousand pictures of up to 64 px; where it
# will not, the narrower one is, which sees 1.8 times as many in the same time (docs/ablations.md). With classes the
# narrower one stays ahead for longer, on drawings (what has transparency) not for long, as seen with kinds; that they
# do so with classes, and that kinds of photographs are like classes, is a guess. Larger pictures were not measured.
NARROW, WIDE = 512, 768
WIDE_FROM_KIMG, WIDE_FROM_KIMG_WITH_LABELS, WIDE_FROM_KIMG_WITH_ALPHA = 150.0, 400.0, 60.0
# Roughly what pictures look like after so many thousand of them at 64 px and width 512, on planets, emoji, and cats
# and dogs, by the training runs of docs/training-recipe.md (which went to 590). Twice the side takes about twice as
# many; at width 768 fewer do, but as much work; beyond that no more was seen.
STAGES = (
    (0, "In {minutes} min this computer shows the network about {kimg} thousand pictures: expect "
        "colours only. Textures and coarse shapes need about {next} min."),
    (8, "In {minutes} min this computer shows the network about {kimg} thousand pictures: expect "
        "colours, textures and coarse shapes. Clear shapes need about {next} min."),
    (100, "In {minutes} min this computer shows the network about {kimg} thousand pictures: expect "
          "clear shapes with faults where the subject is simple, textures where photographs vary much. "
          "Fine detail needs about {next} min."),
    (500, "In {minutes} min this computer shows the network about {kimg} thousand pictures: expect "
          "about the best that a network of this size can do with these pictures."),
)  # fmt: skip
MEASURED = "The speed is known now: {speed} pictures a second, where {expected} were expected."
MEASURED_FIRST = "The speed is known now: {speed} pictures a second."
CLOSE = 1.3  # as much faster or slower than expected is no news


def multiplications(model: ModelConfig) -> float:
    """Of the convolutions of both style networks for one picture, one forward pass."""
    total, inputs = 0, channels_at(model, START)
    for side in levels(model):
        outputs = channels_at(model, side)
        generator = 9 * inputs * outputs * (side // 2) ** 2 + 9 * outputs**2 * side**2
        discriminator = 9 * outputs**2 * side**2 + 9 * outputs * inputs * (side // 2) ** 2
        total += generator + discriminator
        inputs = outputs
    return float(total + 9 * model.channels * inputs * model.resolution**2)


def work(model: ModelConfig) -> float:
    """What a picture costs, in multiplications: those, and the values of a feature map of each size."""
    values = sum(channels_at(model, side) * side**2 for side in (START, *levels(model)))
    return multiplications(model) + VALUE * values


def images_per_second(config: TrainConfig, model: ModelConfig) -> float | None:
    """About how fast a processor trains a style network; None where nothing was measured."""
    if config.device != "cpu" or model.arch != "style":
        return None
    fast = torch.backends.cpu.get_cpu_capability() == "AVX512"
    return (SPEED_WITH_AVX512 if fast else SPEED_PER_THREAD) * config.threads / work(model)


def processor_width(config: TrainConfig, model: ModelConfig) -> int:
    """The automatic width, by how many pictures a wide network would see.

    Args:
        config: with its device and threads.
        model: of any width.
    """
    wide = widened(model, WIDE)
    speed = images_per_second(config, wide)
    if speed is None:
        return NARROW
    kimg = config.kimg or config.minutes * 60 * speed / 1000
    if model.channels == 4:
        enough = WIDE_FROM_KIMG_WITH_ALPHA
    else:
        enough = WIDE_FROM_KIMG_WITH_LABELS if model.labels else WIDE_FROM_KIMG
    return WIDE if kimg >= enough * max(1, model.resolution / 64) else NARROW


def forecast(config: TrainConfig, model: ModelConfig, speed: float | None = None) -> Sentence | None:
    """One sentence; None where nothing is known: of other networks than the style network, and without a ``speed``.

    ``speed``: images a second; by default what is expected of a processor.
    """
    speed = speed or images_per_second(config, model)
    if not speed or model.arch != "style":
        return None
    a_minute = speed * 60 / 1000
    kimg = config.kimg or config.minutes * a_minute
    counted = min(max(model.width, NARROW), WIDE)  # what a picture counts depends on the width
    each = work(widened(model, counted)) / work(widened(model, NARROW)) / max(1.0, model.resolution / 64)
    reached = max(index for index, (need, _) in enumerate(STAGES) if kimg * each >= need)
    following = STAGES[min(reached + 1, len(STAGES) - 1)][0]
    values = {"minutes": kimg / a_minute, "kimg": kimg, "next": following / (a_minute * each)}
    return STAGES[reached][1], {key: rough(value) for key, value in values.items()}


def revised(config: TrainConfig, model: ModelConfig, speed: float) -> list[Sentence]:
    """What is to be said once the ``speed`` was measured, images a second; nothing where it is as expected."""
    expected, sentence = images_per_second(config, model), forecast(config, model, speed)
    if sentence is None or (expected and 1 / CLOSE < speed / expected < CLOSE):
        return []
    if expected is None:
        return [(MEASURED_FIRST, {"speed": rough(speed)}), sentence]
    return [(MEASURED, {"speed": rough(speed), "expected": rough(expected)}), sentence]


def measured_after(config: TrainConfig) -> float:
    """Seconds of training after which the speed is known: a minute, or a tenth of a short run."""
    return min(60.0, 6 * config.minutes)


def rough(value: float) -> str:
    """As exact as one says it: 0.3, 7.5, 42, 1,200."""
    return f"{value:,.0f}" if value >= 10 else f"{max(0.1, round(value, 1)):g}"
