"""The coach's rules on curves of real runs, healthy and sick (tests/data/curves/README.md)."""

import json
import math
from itertools import groupby
from pathlib import Path

import pytest

from imagen_demo.config import MOST_GENERATOR_RATE, TrainConfig
from imagen_demo.training import coach
from imagen_demo.training.coach import RULES, Curves

FOLDER = Path(__file__).parent / "data" / "curves"


def recorded(kind: str) -> list[dict[str, float]]:
    return [json.loads(line) for line in (FOLDER / f"{kind}.jsonl").read_text().splitlines()]


def said(rows: list[dict[str, float]], **options) -> list[str]:
    """Names of the rules that held one after the other while the run went on, each once; up to the first action."""
    names = []
    for count in range(1, len(rows) + 1):
        curves = Curves(rows[:count], progress=rows[count - 1]["kimg"] / rows[-1]["kimg"], **options)
        rule = coach.judge(curves)
        assert rule.sentence.format(**coach.advice(rule, curves)["values"])  # all that it mentions is there
        names.append(rule.name)
        if rule.action != "none":
            break
    return [name for name, _ in groupby(names)]


def test_a_healthy_run_is_left_in_peace():
    assert said(recorded("healthy")) == ["young", "well", "better"]


def test_the_first_measurement_is_not_called_the_best():
    measured = {**recorded("healthy")[-1], "swd": 500.0}
    first = Curves([{**measured, "kimg": 1.0}, {**measured, "kimg": 9.0}], progress=0.5)
    assert coach.judge(first).name == "well"
    better = Curves([*first.rows, {**measured, "kimg": 9.5, "swd": 400.0}], progress=0.6)
    assert coach.judge(better).name == "better"


@pytest.mark.parametrize(("kind", "rule"), [("nan", "broken"), ("won", "won"), ("collapsed", "collapsed")])
def test_a_sick_run_is_noticed_and_goes_back(kind, rule):
    *_, last = said(recorded(kind))
    found = next(r for r in RULES if r.name == last)
    assert (found.name, found.level, found.action) == (rule, "act", "gentler")
    assert found.end and found.gentler.rate_d < 1 and found.gentler.gamma > 1
    # gentler settings are allowed ones, however odd those before
    assert found.gentler.applied_to(TrainConfig(generator_rate=MOST_GENERATOR_RATE, learning_rate=1.0))


def test_a_winning_discriminator_is_watched_before_anything_is_done():
    rows = recorded("won")
    assert said(rows) == ["young", "winning", "won"]
    assert "won" not in said(rows[:4]) and coach.WON_TICKS > 4  # a moment is not for long


@pytest.mark.parametrize(("kind", "rule"), [("memorising", "memorising"), ("memorising", "worse")])
def test_a_run_that_wants_more_pictures_is_told_so(kind, rule):
    names = said(recorded(kind))
    assert rule in names and not {"broken", "collapsed", "won", "over"} & set(names)
    assert next(r for r in RULES if r.name == rule).level == "watch"


def test_a_run_that_gets_no_better_ends_only_when_patience_is_over():
    rows = recorded("plateau")
    assert said(rows, patience_kimg=4.0)[-1] == "over"
    assert "over" not in said(rows)  # by itself only after an hour and 200 kimg
    assert "over" not in said(rows, patience_kimg=0.0)
    assert "over" not in said(rows, patience_kimg=4.0, resumed=rows[-1]["kimg"] - 3)  # taken up again just now
    stretched = [row | {"kimg": row["kimg"] * 100, "seconds": row["seconds"] * 1000} for row in rows]
    assert {"plateau", "over"} <= set(said(stretched))
    assert "over" not in said(stretched, patience_kimg=0.0)
    assert "over" not in said(recorded("healthy"), patience_kimg=20.0)  # it still gets better


def test_a_network_that_never_had_variety_has_not_lost_it():
    rows = [row | {"diversity": 0.01} for row in recorded("healthy")]
    assert "collapsed" not in said(rows) and not coach.doubtful(Curves(rows))


def test_no_state_is_kept_of_a_run_that_is_losing():
    healthy = recorded("healthy")
    assert not any(coach.doubtful(Curves(healthy[:ticks])) for ticks in range(1, len(healthy) + 1))
    poor = [*healthy, healthy[-1] | {"diversity": coach.POOR - 0.01}]
    assert coach.judge(Curves(poor)).name != "collapsed" and coach.doubtful(Curves(poor))
    assert coach.doubtful(Curves(recorded("won"))) and not coach.doubtful(Curves())


def test_the_best_network_named_is_the_one_that_is_kept():
    rows = [{"kimg": 1.0, "swd": 100.0}, {"kimg": 2.0, "swd": 99.5}, {"kimg": 3.0, "swd": 110.0}]
    assert Curves(rows).best()[0] == 1.0 and Curves(rows).best_kimg() == 2.0


def test_noise_in_the_measure_is_no_progress_and_fid_outranks_swd():
    rows = [{"kimg": float(i), "seconds": 1.0, "swd": 100.0 - 0.01 * i} for i in range(50)]
    assert Curves(rows).waited() == 49
    rows[30]["fid"], rows[40]["fid"] = 80.0, 60.0
    assert Curves(rows).best() == (40.0, 60.0)


def test_time_without_measurements_is_no_time_without_progress():
    rows = [{"kimg": 10.0 * i, "seconds": 1e5, "swd": 100.0 - i} for i in range(100)]
    rows[10]["fid"] = 80.0  # and since then the metric network has had no time, or is gone
    curves = Curves(rows)
    assert curves.waited() == 0 and not coach.over(curves) and not coach.plateau(curves)
    rows[60]["fid"] = 81.0
    assert curves.waited() == 500 and coach.plateau(curves) and not coach.over(curves)  # one look may be wrong
    rows[70]["fid"] = rows[80]["fid"] = 81.0
    assert curves.waited() == 700 and coach.over(curves)


def test_the_table_is_complete():
    assert RULES[-1].holds(Curves()) and len({rule.name for rule in RULES}) == len(RULES)
    for rule in RULES:
        assert rule.level in ("fine", "watch", "act") and rule.action in ("none", "gentler", "stop")
        assert (rule.level == "act") == (rule.action != "none") and bool(rule.end) == (rule.action == "gentler")


def test_advice_carries_only_what_its_sentence_mentions():
    curves = Curves(recorded("memorising"))
    advice = coach.advice(next(rule for rule in RULES if rule.name == "memorising"), curves)
    assert advice["values"].keys() == {"p"} and math.isfinite(advice["values"]["p"])
