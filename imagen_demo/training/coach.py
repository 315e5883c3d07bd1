"""Watches the curves and says in one plain sentence what is happening, and what is to be done.

Everything it knows is the lines of ``metrics.jsonl`` so far, so its rules (:data:`RULES`, the first that holds
counts) can be tried on recorded runs: ``tests/data/curves`` has healthy and sick ones, and the figures below
were chosen on them.
"""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from imagen_demo.config import MOST_GENERATOR_RATE, TrainConfig

Row = dict[str, float]

# Collapse: variety, as a part of the real pictures', was above the first figure once (a network that never had any,
# like the article's in its first minutes, is only young), and is below the second, or below the third for long.
# Healthy runs were never below 0.29, and above 0.5 after their first thousands of pictures.
VARIED = 0.5
COLLAPSED = 0.05
POOR = 0.2
POOR_TICKS = 3
# The discriminator has won: it tells every picture apart, so its loss and with it the generator's hints vanish.
WON_LOSS_D = 0.02
WON_LOSS_G = 4.0
WON_TICKS = 6  # for so many ticks on end, and
WON_KIMG = 2.0  # for so many thousand pictures, and
WON_SHARE = 0.1  # for so much of the run
MEMORISING_P = 0.1
YOUNG_SHARE = 0.05  # of the planned run, while the pictures are only colour
# Without better quality (by so much of it, for it is a noisy figure) for this share of the run, and for at least so
# many pictures and minutes, a run ends by itself.
BETTER = 0.01
PATIENCE_SHARE = 0.5
PATIENCE_KIMG = 200.0
PATIENCE_MINUTES = 60.0
LOOKS = 3  # measurements that have to agree on it
WORSE = 1.5  # quality now over the best


class Gentler(NamedTuple):
    """Factors for the one second chance."""

    rate_d: float
    rate_g: float
    gamma: float

    def applied_to(self, config: TrainConfig) -> TrainConfig:
        return dataclasses.replace(
            config,
            learning_rate=config.learning_rate * self.rate_d,
            generator_rate=min(MOST_GENERATOR_RATE, config.generator_rate * self.rate_g / self.rate_d),
            gamma=max(config.gamma, 0.05) * self.gamma,
        )


@dataclass
class Curves:
    """The run so far."""

    rows: list[Row] = field(default_factory=list)  # of metrics.jsonl, oldest first; the last is the newest
    patience_kimg: float = -1.0  # as in TrainConfig
    progress: float = 0.0  # 0 to 1 of what was planned
    resumed: float = 0.0  # kimg at which the run was last taken up: whoever does so wants it to go on for a while

    @property
    def now(self) -> Row:
        return self.rows[-1]

    def most_diversity(self) -> float:
        """The most variety a sample grid has had before now."""
        return max((row.get("diversity", 0.0) for row in self.rows[:-1]), default=0.0)

    def quality(self) -> list[tuple[float, float]]:
        """(kimg, distance) where quality was measured, by one and the same metric; lower is better."""
        key = "fid" if any("fid" in row for row in self.rows) else "swd"
        return [(row["kimg"], row[key]) for row in self.rows if key in row]

    def best_kimg(self) -> float:
        """Where quality was best: the network that is kept."""
        return min(self.quality(), key=lambda look: look[1], default=(self.now["kimg"], math.inf))[0]

    def best(self) -> tuple[float, float]:
        """(kimg, distance) of the last time quality became clearly better."""
        best = (self.now["kimg"], math.inf)
        for kimg, distance in self.quality():
            if distance < best[1] * (1 - BETTER):
                best = (kimg, distance)
        return best

    def waited(self) -> float:
        """Thousands of pictures from when quality was last better to when it was last measured."""
        measured = self.quality()
        return measured[-1][0] - self.best()[0] if measured else 0.0

    def looks(self) -> int:
        """How often quality was measured since it was last better."""
        best = self.best()[0]
        return sum(kimg > best for kimg, _ in self.quality())

    def patience(self) -> float:
        """After how many thousand pictures without better quality the run ends."""
        if self.patience_kimg > 0:
            return self.patience_kimg
        if self.patience_kimg == 0 or self.now["seconds"] < PATIENCE_MINUTES * 60:
            return math.inf
        return max(PATIENCE_KIMG, PATIENCE_SHARE * self.now["kimg"])


# -- what may be the case ----------------------------------------------------------------------------


def broken(curves: Curves) -> bool:
    return not all(math.isfinite(curves.now[key]) for key in ("loss_g", "loss_d", "grad_norm_g", "grad_norm_d"))


def collapsed(curves: Curves) -> bool:
    if curves.most_diversity() <= VARIED:
        return False
    latest = [row.get("diversity", 1.0) for row in curves.rows[-POOR_TICKS:]]
    return latest[-1] < COLLAPSED or (len(latest) == POOR_TICKS and max(latest) < POOR)


def doubtful(curves: Curves) -> bool:
    """What may soon turn out as lost: no state to go back to. Nothing is, before the first tick."""
    if not curves.rows:
        return False
    poor = curves.most_diversity() > VARIED and curves.now.get("diversity", 1.0) < POOR
    return poor or winning(curves)


def _lost(row: Row) -> bool:
    return row["loss_d"] < WON_LOSS_D and row["loss_g"] > WON_LOSS_G


def winning(curves: Curves) -> bool:
    """The discriminator tells all pictures apart right now."""
    return _lost(curves.now)


def won(curves: Curves) -> bool:
    """... and has done so for long."""
    lost = [row["kimg"] for row in itertools.takewhile(_lost, reversed(curves.rows))]
    return len(lost) >= WON_TICKS and lost[0] - lost[-1] >= max(WON_KIMG, WON_SHARE * lost[0])


def over(curves: Curves) -> bool:
    waited = min(curves.waited(), curves.now["kimg"] - curves.resumed)
    return curves.looks() >= LOOKS and waited >= curves.patience()


def memorising(curves: Curves) -> bool:
    return curves.now.get("augment_p", 0.0) >= MEMORISING_P


def worse(curves: Curves) -> bool:
    measured = curves.quality()
    return len(measured) > 2 and all(distance > WORSE * curves.best()[1] for _, distance in measured[-2:])


def plateau(curves: Curves) -> bool:
    return curves.waited() >= max(PATIENCE_KIMG / 4, PATIENCE_SHARE / 2 * curves.now["kimg"])


def improved(curves: Curves) -> bool:
    """Quality was measured before its best time: a first measurement is the best one and says nothing."""
    measured = curves.quality()
    return bool(measured) and measured[0][0] < curves.best()[0]


def young(curves: Curves) -> bool:
    return curves.progress < YOUNG_SHARE


# -- what is said and done ---------------------------------------------------------------------------


class Rule(NamedTuple):
    """If ``holds``, then ``sentence``."""

    name: str
    level: str  # "fine", "watch" or "act"
    holds: Callable[[Curves], bool]
    sentence: str
    action: str = "none"  # "none"; "gentler": back to the last good state; "stop": finish
    gentler: Gentler = Gentler(1.0, 1.0, 1.0)
    end: str = ""  # instead of ``sentence``, where going back did not help


RULES = (
    Rule(
        "broken", "act", broken,
        "The losses stopped being numbers. Training went back to {kimg:.1f} thousand pictures and goes on "
        "with gentler settings.",
        "gentler", Gentler(0.5, 0.5, 4.0),
        "The losses stopped being numbers, again after a second start with gentler settings. "
        "Try a lower learning rate or a higher gamma.",
    ),
    Rule(
        "collapsed", "act", collapsed,
        "The pictures collapsed: they all look the same. "
        "Training went back to {kimg:.1f} thousand pictures and goes on with gentler settings.",
        "gentler", Gentler(0.5, 0.5, 4.0),
        "The pictures collapsed and all look the same, again after a second start with gentler settings. "
        "Try more pictures or a higher gamma.",
    ),
    Rule(
        "won", "act", won,
        "The discriminator won: it tells every picture apart, and the generator learns nothing more. "
        "Training went back to {kimg:.1f} thousand pictures and goes on with a slower discriminator.",
        "gentler", Gentler(0.25, 1.0, 4.0),
        "The discriminator won again after a second start with gentler settings. "
        "Try a lower learning rate, a higher generator rate or a higher gamma.",
    ),
    Rule(
        "over", "act", over,
        "Quality has not become better for {waited:.0f} thousand pictures, so training ends here; the best "
        "network is that of "
        "{best:.1f} thousand pictures.",
        "stop",
    ),
    Rule(
        "winning", "watch", winning,
        "The discriminator tells all pictures apart at the moment. If that lasts, training goes back by itself.",
    ),
    Rule(
        "worse", "watch", worse,
        "The pictures have become worse since {best:.1f} thousand pictures; the best network is kept. "
        "More pictures or a higher gamma would help.",
    ),
    Rule(
        "memorising", "watch", memorising,
        "The discriminator begins to memorise the pictures; augmentation was raised to {p:.0%}. "
        "More pictures would help.",
    ),
    Rule(
        "plateau", "watch", plateau,
        "Quality has not become better for {waited:.0f} thousand pictures. The best network is kept, so you "
        "may stop here.",
    ),
    Rule(
        "young", "fine", young,
        "Training has just begun: first come colours, then coarse shapes, then detail. There is nothing to do.",
    ),
    Rule(
        "better", "fine", improved,
        "All is well: the two networks learn from each other. Quality so far was best at {best:.1f} thousand pictures.",
    ),
    Rule("well", "fine", lambda curves: True, "All is well: the two networks learn from each other."),
)  # fmt: skip
LAST_WORD = (
    "Just before the end something went wrong, so the run ends with its last good state, of {kimg:.1f} "
    "thousand pictures."
)


def judge(curves: Curves) -> Rule:
    """The first rule that holds."""
    return next(rule for rule in RULES if rule.holds(curves))


def values(curves: Curves) -> dict[str, Any]:
    """What the sentences may mention."""
    now = curves.now
    return {"kimg": now["kimg"], "best": curves.best_kimg(), "waited": curves.waited(), "p": now.get("augment_p", 0.0)}


def advice(rule: Rule, curves: Curves) -> dict[str, Any]:
    """The current sentence as it stands in ``status.json``; only the values that it mentions."""
    mentioned = {key: value for key, value in values(curves).items() if f"{{{key}" in rule.sentence}
    return {"rule": rule.name, "level": rule.level, "template": rule.sentence, "values": mentioned}
