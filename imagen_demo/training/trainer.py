"""The training loop, in the order in which things happen."""

from __future__ import annotations

import copy
import dataclasses
import time
from typing import Any

import numpy as np
import psutil
import torch
from torch import Tensor

from imagen_demo.config import ModelConfig, TrainConfig
from imagen_demo.data.dataset import Dataset
from imagen_demo.data.pixels import from_network, to_network
from imagen_demo.errors import UserError
from imagen_demo.media.grid import make_grid
from imagen_demo.models.folder import Model, ModelInfo, save_model
from imagen_demo.models.registry import build_discriminator, build_generator
from imagen_demo.training import coach
from imagen_demo.training import state as states
from imagen_demo.training.augment import Controller
from imagen_demo.training.batches import Batches
from imagen_demo.training.metrics import relative_diversity
from imagen_demo.training.quality import METRICS, Quality
from imagen_demo.training.run import Run, own_status
from imagen_demo.training.state import Counters, State
from imagen_demo.training.step import StepResult, judge, train_step

GRID = 36  # pictures in a sample grid, as far as they fit
GRID_SIDE = 2048  # pixels of a sample grid, about, at most
JUDGE_EVERY = 4  # steps between looks at the pictures held out

MEMORY_ENDED = "The memory was full; a batch is now done in parts of {size} pictures. Nothing was lost."


def fresh_state(config: TrainConfig, model: ModelConfig, device: torch.device) -> State:
    """Networks, averages and optimisers as they are before the first step."""
    torch.manual_seed(config.seed)
    layout = torch.channels_last
    generator = build_generator(model).to(device, memory_format=layout)
    discriminator = build_discriminator(model).to(device, memory_format=layout)
    ema = copy.deepcopy(generator).eval().requires_grad_(False)
    # The article's network has the article's momentum; StyleGAN2's has none.
    betas = (0.5, 0.999) if config.arch == "mlp" else (0.0, 0.99)
    adam = lambda network, rate: torch.optim.Adam(network.parameters(), rate, betas, fused=True)  # noqa: E731
    random = torch.Generator(device).manual_seed(config.seed + 1)
    controller = Controller(config.augment_target)
    optimizer_g = adam(generator, config.learning_rate * config.generator_rate)
    optimizer_d = adam(discriminator, config.learning_rate)
    return State(generator, discriminator, ema, optimizer_g, optimizer_d, controller, random, Counters())


class Trainer:
    """One run from its first or next step to its end."""

    def __init__(self, run: Run, dataset: Dataset, config: TrainConfig, model: ModelConfig) -> None:
        self.run, self.dataset, self.config, self.model = run, dataset, config, model
        self.device = torch.device(config.device)
        self.lineage: list[str] = []  # hashes of the models this one descends from
        if self.device.type == "cpu":
            torch.set_num_threads(config.threads)
        self.state = fresh_state(config, model, self.device)
        adaptive = config.augment == "adaptive"
        self.batches = Batches(dataset, config.batch, config.seed, config.mirror == "yes", self.device, adaptive)
        self.status = own_status()
        self.stop_asked = False  # set by the signal handler
        self._window: list[StepResult] = []
        self._penalties: dict[str, float] = {"r1": 0.0, "r2": 0.0}
        self.quality = Quality(run, dataset, model, self.device)
        self._previous_p = 0.0
        fixed = torch.Generator().manual_seed(0)
        self._fixed_z = torch.randn(GRID, model.z_dim, generator=fixed).to(self.device)
        classes = max(1, model.num_classes)
        self._fixed_labels = torch.arange(GRID, device=self.device) % classes if model.num_classes else None

    def start_from(self, model: Model) -> None:
        """Begin with another model's generator of the same shape instead of a random one."""
        for network in (self.state.generator, self.state.ema):
            network.load_state_dict(model.generator.state_dict())
        self.lineage = [*model.info.lineage, model.hash]

    # -- the loop --------------------------------------------------------------

    def train(self, resume: bool = False) -> None:
        """Until the time or the pictures are up, or someone says stop.

        Raises:
            UserError: no state to resume, or training broke down twice.
        """
        if resume:
            states.load(self.run.state, self.state)
            self.run.forget_after(self.state.counters.kimg)
            self._apply_rescues()
            self._previous_p = self.state.controller.p
            self.quality.remember()
        else:
            self._save_state()
        self.status.state = "training"
        self._restart_clocks()
        next_beat = next_tick = self._last
        next_state = self._last + self.config.state_seconds
        while not self._finished() and self._obey():
            real, labels = self.batches[self.state.counters.step]
            judged = self._judged()
            result = train_step(self.state, self.config, real, labels, notify=self._memory_ended)
            if judged is not None:
                images = JUDGE_EVERY * self.config.batch
                self.state.controller.update(result.real, result.fake, judged, images)
            self._window.append(result)
            now = time.monotonic()
            self.state.counters.seconds += now - self._last
            self._last = now
            if now >= next_beat:
                self._beat()
                next_beat = now + 1
            if now >= next_tick and not self._finished():
                healthy = self._tick()
                # The first grids come quickly: there is much to see and nothing to wait for.
                next_tick = time.monotonic() + min(self.config.tick_seconds, 2 + self.state.counters.seconds / 10)
                if healthy and now >= next_state:  # only what was just found healthy is kept
                    self._save_state()
                    next_state = time.monotonic() + self.config.state_seconds
        self._end()

    def _restart_clocks(self) -> None:
        self._last = self._tick_started = time.monotonic()
        self._images_at_tick = self.state.counters.images

    def _judged(self) -> Tensor | None:
        """What the discriminator thinks of pictures held out, every few steps where augmentation adapts."""
        step = self.state.counters.step
        if self.config.augment != "adaptive" or step % JUDGE_EVERY:
            return None
        return judge(self.state, self.config, *self.batches.validation(step))

    def _memory_ended(self, size: int) -> None:
        self.run.append_event("coach", self.state.counters.kimg, MEMORY_ENDED, size=size)

    def _finished(self) -> bool:
        counters = self.state.counters
        if self.config.kimg > 0:
            return counters.kimg >= self.config.kimg
        return counters.seconds >= self.config.minutes * 60

    def _progress(self) -> float:
        counters = self.state.counters
        if self.config.kimg > 0:
            return min(1.0, counters.kimg / self.config.kimg)
        return min(1.0, counters.seconds / max(1e-9, self.config.minutes * 60))

    def _obey(self) -> bool:
        """Do what control.json asks; False means stop."""
        command = "stop" if self.stop_asked else self.run.asked()
        if command == "pause":
            if self._tick():  # only what was just found healthy is kept
                self._save_state()
            self.status.state, self.status.eta = "paused", None
            while not self.stop_asked and self.run.asked() == "pause":
                self._beat()
                time.sleep(0.2)
            self.status.state = "training"
            self._restart_clocks()
            return self._obey()
        return command != "stop"

    def _end(self) -> None:
        self.quality.hurry()  # the last word on quality
        if self._tick():
            self._save_state()
        self.run.answer()
        self.status.state = "finished" if self._finished() else "stopped"
        self._beat()

    # -- what the world sees ---------------------------------------------------

    def _beat(self) -> None:
        counters, status = self.state.counters, self.status
        status.heartbeat, status.kimg, status.seconds = time.time(), counters.kimg, counters.seconds
        status.progress = self._progress()
        if status.state == "training" and status.progress > 0:
            status.eta = counters.seconds * (1 - status.progress) / status.progress
        elif not status.alive:
            status.eta = None
        self.run.write_status(status)

    def _tick(self) -> bool:
        """Metrics, a sample grid, the newest network. False if there was trouble and the run went back."""
        if not self._window:
            return True
        row = self._metrics()
        pictures = self._draw(GRID)
        spread = np.linspace(0, len(self.dataset) - 1, min(GRID, len(self.dataset))).astype(int)
        reals = to_network(self.dataset.images[spread])
        row["diversity"] = relative_diversity(pictures, reals)
        counters = self.state.counters
        problem = coach.trouble(row, counters.best_diversity)
        counters.best_diversity = max(counters.best_diversity, row["diversity"])
        if problem:
            self._rescue(problem)
            return False
        columns = max(2, min(round(GRID**0.5), GRID_SIDE // self.model.resolution))
        preview = make_grid(from_network(pictures[: columns**2]), columns)
        self.run.samples.mkdir(exist_ok=True)
        file = self.run.samples / f"{self.state.counters.kimg:09.3f}.png"
        preview.save(file.with_suffix(".new"), "PNG")
        file.with_suffix(".new").replace(file)
        self._measure_quality(row, preview)
        self._save_model(self.run.latest, preview, row)
        self.run.append_metrics(row)
        advice = coach.advise(row, self._previous_p)
        if advice:
            self.run.append_event("coach", row["kimg"], advice[0], **advice[1])
        self._previous_p = row["augment_p"]
        self._beat()
        speed, loss_g, loss_d = row["images_per_second"], row["loss_g"], row["loss_d"]
        print(f"{row['kimg']:9.1f} kimg  {speed:6.1f} images/s  G {loss_g:.3f}  D {loss_d:.3f}", flush=True)
        return True

    def _metrics(self) -> dict[str, float]:
        """One line of metrics.jsonl: means over the steps since the last tick."""
        window, self._window = self._window, []
        now, counters = time.monotonic(), self.state.counters
        speed = (counters.images - self._images_at_tick) / max(1e-9, now - self._tick_started)
        self._tick_started, self._images_at_tick = now, counters.images
        mean = lambda name: float(torch.stack([getattr(r, name).mean() for r in window]).mean())  # noqa: E731
        for name in ("r1", "r2"):
            taken = [getattr(r, name) for r in window if getattr(r, name) is not None]
            if taken:  # between penalties the last known value stands
                self._penalties[name] = float(torch.stack(taken).mean())
        self.status.images_per_second = speed
        return {
            "kimg": counters.kimg,
            "seconds": counters.seconds,
            "images_per_second": speed,
            "loss_g": mean("loss_g"),
            "loss_d": mean("loss_d"),
            "logits_real": mean("real"),
            "logits_fake": mean("fake"),
            **self._penalties,
            "grad_norm_g": mean("grad_norm_g"),
            "grad_norm_d": mean("grad_norm_d"),
            "augment_p": self.state.controller.p,
            "overfitting": self.state.controller.overfitting,
            "memory_bytes": float(self._memory()),
        }

    def _memory(self) -> int:
        if self.device.type == "cuda":
            return torch.cuda.max_memory_allocated(self.device)
        return psutil.Process().memory_info().rss

    @torch.inference_mode()
    def _draw(self, count: int) -> Tensor:
        """``count`` pictures of fixed z from the averaged network, [N, C, H, W] on the CPU."""
        labels = None if self._fixed_labels is None else self._fixed_labels[:count]
        parts = []
        for start in range(0, count, 32):
            part = slice(start, min(start + 32, count))
            parts.append(self.state.ema(self._fixed_z[part], None if labels is None else labels[part]).float().cpu())
        return torch.cat(parts)

    def _measure_quality(self, row: dict[str, float], preview: Any) -> None:
        """What :mod:`quality` finds goes into the row; the best network so far is kept."""
        found = self.quality.measure(self.state.ema)
        row |= found
        self.status.quality = found.get("swd", self.status.quality)
        if self.quality.is_best(found):
            self.state.counters.best_quality = self.quality.best[1]
            self._save_model(self.run.best, preview, row)

    # -- what is kept ----------------------------------------------------------

    def _save_state(self) -> None:
        states.save(self.run.state, self.state)

    def _save_model(self, folder: Any, preview: Any, row: dict[str, float]) -> None:
        save_model(folder, self.state.ema, self._w_avg(), self._info(row), preview)

    @torch.inference_mode()
    def _w_avg(self) -> Tensor:
        """The mean w of each class, [max(1, classes), w_dim]."""
        count = max(64, min(2048, 65_536 // max(1, self.model.num_classes)))
        z = torch.randn(count, self.model.z_dim, generator=torch.Generator().manual_seed(1)).to(self.device)
        if not self.model.num_classes:
            return self.state.ema.mapping(z).mean(dim=0, keepdim=True)
        means = [
            self.state.ema.mapping(z, torch.full((count,), label, device=self.device)).mean(dim=0)
            for label in range(self.model.num_classes)
        ]
        return torch.stack(means)

    def _info(self, row: dict[str, float]) -> ModelInfo:
        counters = self.state.counters
        return ModelInfo(
            config=self.model,
            title=self.run.name,
            class_names=list(self.dataset.class_names),
            training={
                "kimg": round(counters.kimg, 1),
                "minutes": round(counters.seconds / 60, 1),
                "device": self.config.device,
                "objective": self.config.objective,
                "batch": self.config.batch,
            },
            metrics={key: row[key] for key in METRICS if key in row},
            dataset={
                "name": self.dataset.name, "pictures": len(self.dataset), "fingerprint": self.dataset.fingerprint,
            },
            lineage=self.lineage,
        )  # fmt: skip

    # -- second chances --------------------------------------------------------

    def _rescue(self, trouble: coach.Trouble) -> None:
        """Back to the last good state, once, with gentler settings; the second time is the end."""
        kimg = self.state.counters.kimg
        if self.state.counters.rescues:
            raise UserError(trouble.end)
        states.load(self.run.state, self.state)
        self.state.counters.rescues = 1
        self._apply_rescues()
        self.run.forget_after(self.state.counters.kimg)
        self._window.clear()
        self._save_state()
        self._restart_clocks()
        self.run.append_event("coach", kimg, trouble.second_chance, kimg=self.state.counters.kimg)

    def _apply_rescues(self) -> None:
        if not self.state.counters.rescues:
            return
        factors = coach.GENTLER
        self.config = dataclasses.replace(
            self.config,
            learning_rate=self.config.learning_rate * factors["learning_rate"],
            gamma=max(self.config.gamma, 0.01) * factors["gamma"],
        )
        for optimizer in (self.state.optimizer_g, self.state.optimizer_d):
            for group in optimizer.param_groups:
                group["lr"] *= factors["learning_rate"]
