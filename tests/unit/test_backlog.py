"""Who waits at a time of day, day by day: by hand, and counted one by one in the rows of a run."""

from __future__ import annotations

import numpy as np
import pytest

from tests.helper import ENGINES, kpis, plan_of, run_plan
from zonesim.faults import Faults
from zonesim.plan import NUMBER_BITS
from zonesim.units import DAY, HOUR

LONG_DAY = """
clock: {start: "2018-09-03", measure: 3 d}
zones: {Z: {desk: {units: 1}, pen: {units: 1}}}
flows: {f: {steps: {sign: {hold: {d: Z.desk, p: Z.pen}, take: 10 h}}}}
traffic: {t: {flow: f, at: [8 h, 9 h, 10 h]}}
kpis:
  at_closing:
    resource: backlog
    at: "17:30"
    only: [Z.desk]
    label: {en: Left over at closing, zh: 下班积压}
    statistics: {mean: {}, share: {}}
"""


@pytest.mark.parametrize("engine", sorted(ENGINES))
def test_who_is_left_over_in_the_evening(engine):
    """
    Of three tokens that need a desk for ten hours from 8:00 on, two wait at 17:30 and one at 20:00 (until 4:00), on the first of three
    days; for the pen, which they need too, as for the desk. A scenario has a time of day of its own.
    """
    values = kpis(plan_of(LONG_DAY), engine=engine)[0].values

    for resource in ("desk", "pen"):
        assert values[f"Z.{resource}.backlog.mean"] == pytest.approx(1 / 3)
        assert values[f"Z.{resource}.backlog.share"] == pytest.approx(1 / 3)
    assert values["Z.desk.at_closing.mean"] == pytest.approx(2 / 3)
    assert values["Z.desk.at_closing.share"] == pytest.approx(1 / 3)
    assert "Z.pen.at_closing.mean" not in values


def test_who_joins_or_starts_at_the_very_time():
    """Who joins the line at 20:00 waits then; who gets the desk at 20:00, or has given up then, does not."""
    joins = plan_of(LONG_DAY.replace("[8 h, 9 h, 10 h]", "[19 h, 20 h]"))
    starts = plan_of(LONG_DAY.replace("[8 h, 9 h, 10 h]", "[10 h, 11 h]"))
    gives_up = LONG_DAY.replace("take: 10 h", "take: 10 h, patience: {longest: 1 h}")
    impatient = plan_of(gives_up.replace("[8 h, 9 h, 10 h]", "[15 h, 19 h, 19.5 h]"))
    found = [kpis(plan)[0].values["Z.desk.backlog.mean"] * 3 for plan in (joins, starts, impatient)]

    assert found == pytest.approx([1, 0, 1])


def test_interrupted_work_stands_in_the_queue():
    """Work that is interrupted for somebody more important from 19:30 to 20:30 waits at 20:00, as it does in the queue."""
    text = """
clock: {measure: 1 d}
zones: {Z: {desk: {units: 1, preempt: true}}}
flows:
  low: {steps: {do: {hold: {d: Z.desk}, priority: 5, take: 2 h}}}
  high: {steps: {do: {hold: {d: Z.desk}, priority: 1, take: 1 h}}}
traffic: {a: {flow: low, at: [19 h]}, b: {flow: high, at: [19.5 h]}}
"""
    values = kpis(plan_of(text))[0].values

    assert values["Z.desk.backlog.mean"] == 1
    assert values["Z.desk.queue.mean"] == pytest.approx(1 / 24)


def test_the_rows_of_a_run_say_the_same():
    """In a queue that is nearly full, the backlog at 20:00 is what the rows of its visits say, in the window of ten days behind one of warm-up."""
    text = """
clock: {warm_up: 1 d, measure: 10 d, cool_down: 2 h}
zones: {Z: {desk: {units: 2}}}
flows: {f: {steps: {serve: {hold: {d: Z.desk}, take: {exponential: {mean: 10 min}}}}}}
traffic: {t: {flow: f, rate: 11.5 /h}}
"""
    plan = plan_of(text)
    rows = run_plan(plan, seed=4).sink.visits
    steps = np.array([plan.names.steps[row].path == ("serve",) for row in rows["key"] >> NUMBER_BITS])
    queued, started = rows["queued"][steps], rows["started"][steps]
    started = np.where(started < 0, plan.horizon, started)
    counts = [int(((queued <= now) & (now < started)).sum()) for now in np.arange(1, 11) * DAY + 20 * HOUR]
    values = kpis(plan, seed=4)[0].values

    assert sum(counts) > 10
    assert values["Z.desk.backlog.mean"] == pytest.approx(np.mean(counts))
    assert values["Z.desk.backlog.share"] == pytest.approx(np.mean(np.array(counts) > 0))


def test_a_window_without_the_time_has_no_backlog():
    """A morning has no 20:00, so it has no such KPI."""
    values = kpis(plan_of(LONG_DAY.replace("measure: 3 d", "measure: 12 h")))[0].values

    assert "Z.desk.backlog.mean" not in values
    assert "Z.desk.queue.mean" in values


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (('at: "17:30"', 'at: "25:30"'), "'25:30' is no time of day"),
        (('    at: "17:30"\n', ""), "a backlog is told at a time of day"),
        (("resource: backlog", "resource: utilisation"), "a time of day of what is no backlog"),
    ],
)
def test_a_time_of_day_that_is_none(change, message):
    """A backlog without a time of day, with one that no clock shows, or a time of what is no backlog, is refused."""
    text = LONG_DAY.replace(*change)
    text = text.replace("{mean: {}, share: {}}", "{value: {}}") if "utilisation" in text else text
    with pytest.raises(Faults) as caught:
        plan_of(text)

    assert message in str(caught.value)
    assert 'Write {resource: backlog, at: "20:00"}.' in str(caught.value) or 'Write "20:00".' in str(caught.value)
