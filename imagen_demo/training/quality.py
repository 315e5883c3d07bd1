"""What a run measures of its pictures, how often, and which of its networks is the best.

The sliced Wasserstein distance always; FID, KID, precision and recall where the metric network is at hand
(:mod:`features`) and the run is long enough for them. Together they take at most a twentieth of the time.
"""

from __future__ import annotations

import contextlib
import functools
import math
import time
from collections.abc import Callable, Iterator

import numpy as np
import torch
from torch import Tensor, nn

from imagen_demo.data.dataset import Dataset
from imagen_demo.data.pixels import from_network, to_network
from imagen_demo.errors import Cancelled, UserError
from imagen_demo.models.folder import add_metrics, load_model, read_info
from imagen_demo.training import nearest
from imagen_demo.training.distances import fid, kid, precision_recall
from imagen_demo.training.features import MetricNetwork, cached_count, place, real_features
from imagen_demo.training.metrics import sliced_wasserstein
from imagen_demo.training.run import Run
from imagen_demo.training.showing import draw_fixed

PICTURES = 512  # for the sliced Wasserstein distance
PIXELS = 2**25  # of all those pictures together: a quarter of a gigabyte a copy
# Shares of the time. The last measurement may overdraw by one of FOUR_AT_LEAST: 5% in all.
SHARE = 0.02  # for the sliced Wasserstein distance
NETWORK_SHARE = 0.02  # for what needs the metric network
COUNTS = (5000, 2000, 1000, 500, 250)  # pictures for the metric network; the most with which ...
FOUR_AT_LEAST = 4  # ... it can measure so often in the run
LOADING = 5e-8  # seconds a byte that loading and compiling the network takes, about: 5 s for Inception
PROBE = 8  # pictures that tell how fast the metric network is
KID_SUBSETS = 20
EIGENVALUES = 6e-10  # seconds x size^3 that FID's matrix root takes, about
COPIES_SECONDS = 20.0  # that looking for copies may take at a run's end

TOO_SLOW = (
    "FID is not measured in this run: the metric network needs {seconds:.0f} s each time, more than a run so short "
    "has for it. The best network is found by sliced Wasserstein distance."
)
FAILED = "FID is no longer measured in this run: {problem}"


def some_reals(dataset: Dataset) -> Tensor:
    """The training pictures that the sliced Wasserstein distance compares with, [N, C, H, W] in [-1, 1]."""
    count = min(PICTURES, PIXELS // dataset.resolution**2, len(dataset))
    choice = np.random.default_rng(0).choice(len(dataset), count, replace=False)
    return to_network(dataset.images[np.sort(choice)])


class Quality:
    """Measures within its share of the time, and knows the best network so far.

    The pictures are those of fixed z, so that the numbers of one run can be compared.
    """

    def __init__(self, run: Run, dataset: Dataset, device: torch.device) -> None:
        self.run, self.dataset, self.device = run, dataset, device
        self._draw = functools.partial(draw_fixed, device=device)
        self.best: dict[str, float] = {}  # FID, where it was measured, and SWD of ``best/``
        self._next = 0.0  # when SWD is due, on the monotonic clock
        self._network = NetworkQuality(run, dataset, device, self._draw)

    def remember(self) -> None:
        """Read from disk how good ``best/`` is: after a kill it can be newer than the state that is resumed."""
        with contextlib.suppress(UserError):
            self.best = read_info(self.run.best).metrics

    def hurry(self) -> None:
        """The next :meth:`measure` is the last word on a run."""
        self._next = 0.0
        self._network.last = True

    def measure(self, generator: nn.Module, seconds: float, planned: float) -> dict[str, float]:
        """The metrics of a generator in evaluation mode; empty while their share of the time is used up.

        Args:
            seconds, planned: that the run has trained so far, and will have at its end.
        """
        by_network = self._network.measure(generator, seconds, planned)
        started = time.monotonic()
        if started < self._next and not by_network:
            return {}
        reals = some_reals(self.dataset)
        fakes = torch.cat(list(self._draw(generator, len(reals))))
        found = {"swd": sliced_wasserstein(reals, fakes)}
        self._next = time.monotonic() + (time.monotonic() - started) / SHARE
        return found | by_network

    def is_best(self, found: dict[str, float]) -> bool:
        """Whether this is the best network so far; it is then remembered as such.

        FID outranks SWD for as long as it is measured.
        """
        key = "fid" if "fid" in found or ("fid" in self.best and self._network.wanted) else "swd"
        if key not in found or found[key] >= self.best.get(key, math.inf):
            return False
        self.best = found
        return True

    def look_for_copies(self) -> None:
        """At a run's end: write into the best model how new its pictures are (``metrics.memorisation``).

        Left out where it would take longer than :data:`COPIES_SECONDS`.
        """
        end = time.monotonic() + COPIES_SECONDS

        def in_time(fraction: float, text: str) -> None:
            if time.monotonic() > end:
                raise Cancelled

        with contextlib.suppress(UserError, Cancelled):
            best = load_model(self.run.best, self.device)
            parts = []
            for batch in self._draw(best.generator, nearest.queries(self.dataset.resolution)):
                in_time(0, "")
                parts.append(from_network(batch))
            pictures = np.concatenate(parts)
            score = nearest.memorisation(pictures, self.dataset, in_time)
            if score is not None:
                add_metrics(self.run.best, {"memorisation": score})


class NetworkQuality:
    """FID, KID, precision and recall within :data:`NETWORK_SHARE` of the time, where the network is at hand."""

    def __init__(self, run: Run, dataset: Dataset, device: torch.device, draw: Callable[..., Iterator[Tensor]]) -> None:
        self.run, self.dataset, self.device, self._draw = run, dataset, device, draw
        self.last = False  # whether the run ends now
        self._file = place(run.workspace)
        self.wanted = self._file.is_file()
        self._network: MetricNetwork | None = None
        self._count = 0  # pictures, the same all through a run
        self._cost = 0.0  # seconds of one measurement
        self._spent = 0.0
        self._began: float | None = None  # how long the run had trained when this process began

    def measure(self, generator: nn.Module, seconds: float, planned: float) -> dict[str, float]:
        """As :meth:`Quality.measure`. What goes wrong is told once, and the run goes on without."""
        if not self.wanted:
            return {}
        started = time.monotonic()
        try:
            if self._began is None:
                self._began = seconds
            if self._network is None:
                if NETWORK_SHARE * (seconds - self._began) < LOADING * self._file.stat().st_size:
                    return {}
                self._prepare(planned - self._began)
                self._spent += time.monotonic() - started
            if not self.wanted or not self._due(seconds - self._began):
                return {}
            started = time.monotonic()
            found = self._measured(generator)
            self._cost = time.monotonic() - started
            self._spent += self._cost
            return found
        except UserError as problem:
            self._give_up(FAILED, problem=str(problem))
        except (RuntimeError, MemoryError, OSError) as problem:
            self._give_up(FAILED, problem=str(problem).splitlines()[0][:200] if str(problem) else "memory is full")
        return {}

    def _give_up(self, template: str, **values: object) -> None:
        rows = self.run.metrics()
        self.wanted, self._network = False, None
        self.run.append_event("coach", rows[-1]["kimg"] if rows else 0.0, template, **values)

    def _prepare(self, left: float) -> None:
        """Load the network, see how fast it is, and choose how many pictures the time that is left allows."""
        self._network = MetricNetwork(self.run.workspace, self.device)
        few = self.dataset.images[:PROBE]
        self._network(few)  # the first time it is also being compiled
        started = time.monotonic()
        self._network(few)
        each = (time.monotonic() - started) / len(few)
        known = cached_count(self.dataset, self._network)
        before = [int(row["fid_pictures"]) for row in self.run.metrics() if "fid_pictures" in row]
        for count in before[-1:] or COUNTS:
            self._count = count
            self._cost = each * count + EIGENVALUES * self._network.size**3
            reals = each * max(0, min(count, len(self.dataset)) - known)  # once
            if before or FOUR_AT_LEAST * self._cost + reals <= NETWORK_SHARE * left:
                self._cost += reals
                return
        self._give_up(TOO_SLOW, seconds=self._cost)

    def _due(self, seconds: float) -> bool:
        """Whether the share of ``seconds`` of training pays for another measurement; at the end, if any is left."""
        credit = NETWORK_SHARE * seconds - self._spent
        return credit >= (0 if self.last else self._cost)

    def _measured(self, generator: nn.Module) -> dict[str, float]:
        random, labels = np.random.default_rng(0), self.dataset.labels
        classes = None if labels is None else random.choice(labels, self._count)  # as often as in the dataset
        real = real_features(self.dataset, self._network, min(self._count, len(self.dataset)))
        batches = self._draw(generator, self._count, classes)
        fake = torch.cat([self._network(from_network(batch)) for batch in batches])
        precision, recall = precision_recall(real, fake)
        found = {"fid": fid(real, fake), "kid": kid(real, fake, KID_SUBSETS)}
        return found | {"precision": precision, "recall": recall, "fid_pictures": float(self._count)}
