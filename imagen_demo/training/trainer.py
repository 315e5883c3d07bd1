"""The training loop, in the order in which things happen."""

from __future__ import annotations

import dataclasses
import time
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from imagen_demo.config import ModelConfig, TrainConfig
from imagen_demo.data.dataset import Dataset
from imagen_demo.data.pixels import to_network
from imagen_demo.errors import UserError
from imagen_demo.models.folder import Model, ancestor, save_model
from imagen_demo.models.transfer import transfer_discriminator, transfer_generator
from imagen_demo.training import coach
from imagen_demo.training import state as states
from imagen_demo.training.augment import gaps
from imagen_demo.training.batches import Batches
from imagen_demo.training.distributed import ALONE, Team, own_device, own_threads
from imagen_demo.training.forecast import measured_after, revised
from imagen_demo.training.memory import keep_freed_memory
from imagen_demo.training.metrics import relative_diversity
from imagen_demo.training.quality import Quality
from imagen_demo.training.run import Run, own_status
from imagen_demo.training.showing import GRID, draw_fixed, mean_w, model_info, sample_grid, write_sample
from imagen_demo.training.state import fresh_state
from imagen_demo.training.step import train_step, validate
from imagen_demo.training.window import Window

VALIDATE_EVERY = 4  # steps between looks at the pictures held out
GRID_GAP = 1 / 2000  # of the time trained so far, at least, between two grids: after hours fewer and fewer come
ORDERS = ("step", "tick", "wait", "end")  # what process 0 tells all to do next
STARTED_FROM = (
    "Training starts from {model}: {generator:.0%} of the generator and {discriminator:.0%} of the discriminator are "
    "taken over."
)
NO_DISCRIMINATOR = (
    "What judged the pictures of {model} in its training is not here: a new discriminator learns from the start, so "
    "the pictures get worse at first."
)
MEMORY_ENDED = "The memory was full; a batch is now done in parts of {size} pictures. Nothing was lost."


class Trainer:
    """One run from its first or next step to its end.

    With several processes (``team``) each has one of these, in step with the others; only process 0's writes.
    """

    def __init__(self, run: Run, dataset: Dataset, config: TrainConfig, model: ModelConfig, team: Team = ALONE) -> None:
        self.run, self.dataset, self.config, self.model, self.team = run, dataset, config, model, team
        self.device = own_device(config.device)
        self.lineage: list[dict[str, str]] = []  # the models this one descends from
        if self.device.type == "cpu":
            torch.set_num_threads(own_threads(config.threads))
            keep_freed_memory()
        self.kinds = self._sorted() if model.kinds else None
        learned = dataset if self.kinds is None else dataclasses.replace(dataset, labels=self.kinds)
        self.batches = Batches(
            learned, config.batch, config.seed, config.mirror == "yes", self.device,
            hold_out=config.augment == "adaptive", share=team.share(config.batch),
        )  # fmt: skip
        self.state = fresh_state(config, model, self.device, held_out=len(self.batches.held_out))
        self._share_out()
        team.wrap(self.state.generator, self.state.discriminator)
        self.status = own_status(run.status())
        self.stop_asked = False  # set by the signal handler
        self.window = Window()
        self.quality = Quality(run, dataset, self.device)
        self.curves = coach.Curves(patience_kimg=config.patience_kimg)
        self._announced = ""  # the rule whose sentence is the newest event
        self._enough = False  # the coach says that the run is over
        self._ending = False

    def start_from(self, model: Model, discriminator: dict[str, torch.Tensor] | None = None) -> None:
        """Begin with what another model's networks know instead of nothing, as far as it fits.

        ``discriminator``: the weights of the one that the model was trained with, where they are still there.
        """
        config, names = model.info.config, (model.info.class_names, self.dataset.class_names)
        share = transfer_generator(self.state.generator, model.generator.state_dict(), config, *names)
        self._share_out()  # other pictures, other kinds
        self.state.ema.load_state_dict(self.state.generator.state_dict())
        self.lineage = [*model.info.lineage, ancestor(model)]
        values = {"model": self.lineage[-1]["title"], "generator": share, "discriminator": 0.0}
        if discriminator:
            values["discriminator"] = transfer_discriminator(self.state.discriminator, discriminator, config, *names)
        if self.team.leads:
            self.run.append_event("coach", 0.0, STARTED_FROM, **values)
            if not discriminator:
                self.run.append_event("coach", 0.0, NO_DISCRIMINATOR, model=values["model"])

    def _sorted(self) -> np.ndarray:
        """The kind of each picture, int64 [N]; process 0 sorts them."""
        if self.team.leads:
            self.run.kinds_of(self.dataset, self.model.kinds)
        self.team.meet()
        return self.run.kinds_of(self.dataset, self.model.kinds)

    def _share_out(self) -> None:
        """Each kind is drawn as often as it occurs."""
        if self.kinds is not None:
            counts = torch.from_numpy(np.bincount(self.kinds, minlength=self.model.kinds))
            for generator in (self.state.generator, self.state.ema):
                generator.mapping_network.share_out(counts)

    # -- the loop --------------------------------------------------------------

    def train(self, resume: bool = False) -> None:
        """Until the time or the pictures are up, quality no longer rises, or someone says stop.

        Raises:
            UserError: no state to resume, or training broke down twice.
        """
        self._begin(resume)
        while (order := self._order()) != "end":
            if order == "step":
                self._step()
            elif order == "tick":
                self._tick_and_keep()
            else:
                self._wait()
        self._end()

    def _begin(self, resume: bool) -> None:
        if resume:
            states.load(self.run.state, self.state)
            self._apply_rescue()
            if self.team.leads:
                self.run.forget_after(self.state.counters.kimg)
                self.quality.remember()
                self.curves.rows, self.curves.resumed = self.run.metrics(), self.state.counters.kimg
        elif self.team.leads:
            states.save(self.run.state, self.state)
        self.status.state = "training"
        self._restart_clocks()
        self._next_beat = self._next_tick = self._last
        self._next_state = self._last + self.config.state_seconds

    def _restart_clocks(self) -> None:
        self._last = time.monotonic()
        self.window.restart(self.state.counters.images)

    def _order(self) -> str:
        """What all processes do next: process 0 looks at the clock and at what it was asked."""
        return ORDERS[int(self.team.told(ORDERS.index(self._wish()) if self.team.leads else 0))]

    def _wish(self) -> str:
        asked = "stop" if self.stop_asked else self.run.asked()
        if self._finished() or self._enough or asked == "stop":
            return "end"
        if asked == "pause":
            return "wait"
        return "tick" if self.window.results and time.monotonic() >= self._next_tick else "step"

    def _finished(self) -> bool:
        return self._progress() >= 1

    def _progress(self) -> float:
        """0 to 1 of the pictures, or of the time, that was planned."""
        counters, kimg = self.state.counters, self.config.kimg
        done, planned = (counters.kimg, kimg) if kimg > 0 else (counters.seconds, self.config.minutes * 60)
        return min(1.0, done / planned) if planned > 0 else 1.0

    def _step(self) -> None:
        if self.status.state == "paused":  # woken
            self.status.state = "training"
            self._restart_clocks()
        step, controller = self.state.counters.step, self.state.controller
        adapt = self.config.augment == "adaptive" and step % VALIDATE_EVERY == 0
        if adapt:
            *held_out, paired = self.batches.validation(step)
            unseen = validate(self.state, self.config, *held_out, team=self.team)
        real, labels = self.batches[step]
        result = train_step(self.state, self.config, real, labels, team=self.team, notify=self._memory_ended)
        if adapt:
            found = self.team.mean(gaps(result.real, result.fake, unseen, paired)).tolist()
            controller.update(*found, images=VALIDATE_EVERY * self.config.batch)
        self.window.add(result)
        now = time.monotonic()
        self.state.counters.seconds += now - self._last
        self._last = now
        if now >= self._next_beat:
            self._beat()
            self._next_beat = now + 1

    def _memory_ended(self, size: int) -> None:
        self.run.append_event("coach", self.state.counters.kimg, MEMORY_ENDED, size=size)

    def _tick_and_keep(self) -> None:
        sound = self._tick()
        now = time.monotonic()
        # The first grids come quickly: there is much to see and nothing to wait for. Those of days would fill a disk.
        seconds = self.state.counters.seconds
        self._next_tick = now + max(min(self.config.tick_seconds, 2 + seconds / 10), seconds * GRID_GAP)
        if sound and self.team.leads and now >= self._next_state and not coach.doubtful(self.curves):
            states.save(self.run.state, self.state)
            self._next_state = time.monotonic() + self.config.state_seconds

    def _wait(self) -> None:
        """As long as the user wants a pause; what was just found sound is kept first."""
        if self.status.state != "paused":
            if self._tick() and self.team.leads and not coach.doubtful(self.curves):
                states.save(self.run.state, self.state)
            self.status.state, self.status.eta = "paused", None
            self._beat()
        elif time.monotonic() >= self._next_beat:
            self._beat()
            self._next_beat = time.monotonic() + 1
        time.sleep(0.2)

    def _end(self) -> None:
        self._ending, planned = True, self._finished() or self._enough
        self.quality.hurry()  # the last word on quality
        if self._tick() and self.team.leads:
            states.save(self.run.state, self.state)
        if not self.team.leads:
            return
        self.quality.look_for_copies()
        self.run.answer()
        counters = self.state.counters  # of a run that is over, the whole time counts, not the last moment
        self.status.images_per_second = counters.images / max(1e-9, counters.seconds)
        self.status.state = "finished" if planned else "stopped"
        self._beat()

    # -- what the world sees ---------------------------------------------------

    def _beat(self) -> None:
        if not self.team.leads:
            return
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
        if not self.window.results:
            return True
        row = self.window.row(self.state, self.team, self.device)
        pictures = None
        if self.team.leads:
            pictures = self._draw()
            row["diversity"] = self._relative_diversity(pictures)
            self.curves.rows.append(row)
            self.curves.progress = self._progress()
        trouble = self._told_rule()
        if trouble.action == "gentler":
            self._rescue(trouble)
            return False
        if pictures is not None:
            self._show(row, pictures)
        self._enough = self._told_rule().action == "stop"  # quality is known by now
        return True

    def _told_rule(self) -> coach.Rule:
        """What the coach of process 0 says, in every process."""
        index = coach.RULES.index(coach.judge(self.curves)) if self.team.leads else 0
        return coach.RULES[int(self.team.told(index))]

    def _draw(self) -> torch.Tensor:
        return torch.cat(list(draw_fixed(self.state.ema, GRID, device=self.device)))

    def _relative_diversity(self, pictures: torch.Tensor) -> float:
        spread = np.linspace(0, len(self.dataset) - 1, min(GRID, len(self.dataset))).astype(int)
        return relative_diversity(pictures, to_network(self.dataset.images[spread]))

    def _show(self, row: dict[str, float], pictures: torch.Tensor) -> None:
        """Everything of one tick on disk."""
        preview = sample_grid(pictures)
        write_sample(preview, self.run.samples, row["kimg"])
        self._measure_quality(row, preview)
        self._save_model(self.run.latest, preview, row)
        self.run.append_metrics(row)
        self._revise_forecast()
        self.status.images_per_second = row["images_per_second"]
        self._advise()
        self._beat()
        speed, loss_g, loss_d = row["images_per_second"], row["loss_g"], row["loss_d"]
        print(f"{row['kimg']:9.2f} k pictures  {speed:6.1f} images/s  G {loss_g:.3f}  D {loss_d:.3f}", flush=True)

    def _advise(self) -> None:
        """The coach's sentence into the status; where something is to be known, also once among the events."""
        rule = coach.judge(self.curves)
        self.status.advice = advice = coach.advice(rule, self.curves)
        if rule.level != "fine" and rule.name != self._announced:
            self._announced = rule.name
            self.run.append_event("coach", self.curves.now["kimg"], rule.sentence, **advice["values"])

    def _revise_forecast(self) -> None:
        """Once, when the speed is known; what is expected of networks that know something was never measured."""
        seconds = [0.0, *(row["seconds"] for row in self.curves.rows[-2:])]
        if self.lineage or not seconds[-2] < measured_after(self.config) <= seconds[-1]:
            return
        for template, values in revised(self.config, self.model, self.state.counters.images / seconds[-1]):
            self.run.append_event("coach", self.state.counters.kimg, template, **values)

    def _measure_quality(self, row: dict[str, float], preview: Image.Image) -> None:
        """What :mod:`quality` finds goes into the row; the best network so far is kept."""
        seconds = self.state.counters.seconds
        found = self.quality.measure(self.state.ema, seconds, planned=seconds / max(1e-9, self._progress()))
        row |= found
        self.status.quality = found.get("swd", self.status.quality)
        if self.quality.is_best(found):
            self._save_model(self.run.best, preview, row)

    def _save_model(self, folder: Path, preview: Image.Image, row: dict[str, float]) -> None:
        w_avg = mean_w(self.state.ema, self.device)
        info = model_info(self.run, self.dataset, self.config, self.model, self.state.counters, row)
        save_model(folder, self.state.ema, w_avg, dataclasses.replace(info, lineage=self.lineage), preview)

    # -- second chances --------------------------------------------------------

    def _rescue(self, rule: coach.Rule) -> None:
        """Back to the last good state, once, with gentler settings; the second time is the end."""
        counters = self.state.counters
        kimg = counters.kimg
        if counters.rescues and not self._ending:
            raise UserError(rule.end)
        states.load(self.run.state, self.state)
        self.team.meet()  # all have read the state: process 0 may write it anew
        if not self._ending:
            self.state.counters.rescues, self.state.counters.rescue = 1, rule.name
            self._apply_rescue()
        self.window.restart(self.state.counters.images)
        self._last = time.monotonic()
        if self.team.leads:
            self._tell_of_rescue(rule, kimg)

    def _tell_of_rescue(self, rule: coach.Rule, kimg: float) -> None:
        back = self.state.counters.kimg
        sentence = coach.LAST_WORD if self._ending else rule.sentence
        self.run.forget_after(back)
        self.curves.rows = self.run.metrics()
        states.save(self.run.state, self.state)
        self.run.append_event("coach", kimg, sentence, kimg=back)
        self.status.advice = {"rule": rule.name, "level": "act", "template": sentence, "values": {"kimg": back}}

    def _apply_rescue(self) -> None:
        """Gentler settings, where the run was rescued before."""
        gentler = next((rule.gentler for rule in coach.RULES if rule.name == self.state.counters.rescue), None)
        if gentler is None:
            return
        self.config = gentler.applied_to(self.config)
        for optimizer, factor in ((self.state.optimizer_d, gentler.rate_d), (self.state.optimizer_g, gentler.rate_g)):
            for group in optimizer.param_groups:
                group["lr"] *= factor
