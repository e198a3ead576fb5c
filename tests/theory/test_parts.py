"""The parts of a difference: what is direct and what is congestion, where both are known."""

from __future__ import annotations

import math

import pytest

from tests.helper import ENGINES, column, kpis, plan_of, run_plan
from zonesim.analysis import compare, echoes, is_none, parts_of
from zonesim.kpi import catalogue
from zonesim.plan import Plan, without_limits

SERVER = """
clock: {warm_up: 20 d, measure: 200 d, cool_down: 2 d}
zones: {Z: {desk: {units: 1}}}
flows: {f: {steps: {serve: {hold: {d: Z.desk}, take: {exponential: {mean: 10 min}}}}}}
traffic: {a: {flow: f, rate: 4.5 /h}}
"""
FASTER = "flows.f.serve.take={exponential: {mean: 8 min}}"


def parted(base: Plan, arm: Plan, replications: int = 8, kpi: str = "f.stay.mean"):
    """Return the parts of a KPI's difference, and the baseline's mean."""
    plans = (base, arm, without_limits(base), without_limits(arm))
    values = [column(kpis(plan, replications=replications), kpi).tolist() for plan in plans]
    return parts_of(*values), sum(values[0]) / len(values[0])


def test_a_faster_server_helps_itself_and_those_behind():
    """
    M/M/1: the direct part of a faster server is the difference of the mean service times, congestion that of the mean
    waits, rho / (mu - lambda): 30 and 12 minutes (Kleinrock, Queueing systems I, 1975, section 3.2).
    """
    parts, _ = parted(plan_of(SERVER), plan_of(SERVER, FASTER))
    waits = [load / (rate - 4.5) for load, rate in ((4.5 / 6, 6.0), (4.5 / 7.5, 7.5))]

    assert parts.direct.low < -2 / 60 < parts.direct.high
    assert parts.direct.high - parts.direct.low < 0.2 / 60
    assert parts.congestion.low < waits[1] - waits[0] < parts.congestion.high
    assert waits == pytest.approx([30 / 60, 12 / 60])


def test_direct_part_and_congestion_add_up():
    """Replication by replication, so also in the mean, they are the difference."""
    base, arm = plan_of(SERVER), plan_of(SERVER, FASTER)
    plans = (base, arm, without_limits(base), without_limits(arm))
    values = [column(kpis(plan, replications=3), "f.stay.mean").tolist() for plan in plans]
    parts = parts_of(*values)
    total = sum(after - before for before, after in zip(values[0], values[1], strict=True)) / 3

    assert parts.direct.value + parts.congestion.value == pytest.approx(total, rel=1e-12)
    assert parts.direct.n == parts.congestion.n == 3


ELAPSED = """
clock: {measure: 50 d, cool_down: 2 d}
flows:
  f:
    steps:
      papers: {take: {exponential: {mean: 5 h}}}
      declare: {mark: declared}
      review: {take: {pert: [1 h, 2 h, 8 h]}}
      release: {mark: released}
      look: {share: 10 %, take: 3 h, mark: inspected}
traffic: {a: {flow: f, rate: 1 /h}}
"""


@pytest.mark.parametrize(
    "edit", ["flows.f.review.take=1 h", "flows.f.look.share=50 %", "flows.f.papers.take={exponential: {mean: 1 h}}"]
)
def test_where_nobody_waits_there_is_no_congestion(edit):
    """
    Without resources the difference is direct to the millisecond in every replication, and an echo of the edit.
    """
    base, arm = plan_of(ELAPSED), plan_of(ELAPSED, edit)
    plans = (base, arm, without_limits(base), without_limits(arm))
    runs = [kpis(plan, replications=3) for plan in plans]
    names = [kpi.id for kpi in catalogue(base)]
    found = compare(
        {"R1": runs[0], "x": runs[1]},
        names,
        echoes={"x": echoes(base, arm)},
        free={"R1": runs[2], "x": runs[3]},
        durations=["f.stay.mean", "f.stay.p95"],
    )
    effects = {effect.kpi: effect for effect in found.effects}

    assert [run.values for run in runs[0]] == [run.values for run in runs[2]]
    for kpi in ("f.stay.mean", "f.stay.p95"):
        parts = effects[kpi].parts
        assert (parts.congestion.value, parts.congestion.low, parts.congestion.high) == (0, 0, 0)
        assert effects[kpi].tag == "input"


QUEUE_BETWEEN = """
clock: {warm_up: 2 d, measure: 20 d, cool_down: 2 d}
zones: {Z: {desk: {units: 2}}}
flows:
  f:
    steps:
      papers: {take: 2 h}
      desk: {hold: {d: Z.desk}, take: {exponential: {mean: 10 min}}}
      close: {take: 1 h}
traffic: {a: {flow: f, rate: 4 /h}}
"""


def test_an_echo_is_one_though_a_queue_lies_between():
    """
    An elapsed step is cut, or taken out, before and behind a desk with a queue: the stay echoes the edit, for the queue
    has no part in it. Where the desk itself works faster, the queue has one, and it does not.
    """
    base = plan_of(QUEUE_BETWEEN)
    for edit, echo in (
        ("flows.f.close.take=20 min", True),
        ("flows.f.papers.take=20 min", True),
        ("flows.f.desk.take={exponential: {mean: 5 min}}", False),
    ):
        arm = plan_of(QUEUE_BETWEEN, edit)
        parts, value = parted(base, arm, replications=5)

        assert echoes(base, arm)["f.stay.mean"]
        assert is_none(parts, value) is echo


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("close: {take: 1 h}", "close: {take: 1 h, background: true}"),
        ("close: {take: 1 h}", "close: {take: 1 h, during: half}"),
        ("close: {take: 1 h}", "close: {gather: {number: 2}, steps: {x: {take: 1 h}}}"),
        ("papers: {take: 2 h}", "papers: {parallel: {a: {steps: {x: {take: 2 h}}}, b: {steps: {y: {take: 1 h}}}}}"),
        ("papers: {take: 2 h}", "papers: {take: 2 h, next: {close: 50 %}}"),
    ],
)
def test_another_shape_is_no_echo(before, after):
    """
    What becomes a background task, keeps office hours, gathers, runs side by side or leads past other steps is more
    than another value; and a time that is edited beside it does not make an echo of it.
    """
    text = 'calendars: {half: {mon-sun: ["06:00-18:00"]}}' + QUEUE_BETWEEN
    arm = plan_of(text.replace(before, after), "flows.f.desk.take={exponential: {mean: 5 min}}")

    assert "f.stay.mean" not in echoes(plan_of(text), arm)
    assert "f.desk.service.mean" in echoes(plan_of(text), arm)


CHECKS = """
clock: {measure: 20 d, cool_down: 1 d}
zones: {Z: {desk: {units: 1}}}
truth: {wrong: {all: 20 %}}
flows:
  f:
    steps:
      look: {take: 5 min, detect: {truth: wrong, sensitivity: 60 %, false_alarm: 1 %, on_hit: {mark: stopped}}}
      mend: {when: {marked: stopped}, hold: {d: Z.desk}, take: 10 min, mark: inspected}
      other: {share: 30 %, take: 1 min}
traffic: {a: {flow: f, rate: 4 /h}}
"""


def test_shares_echo_what_leads_to_their_mark():
    """
    What is missed and who is inspected follow from the sensitivity of the check, and not from the share of another
    step or from a time.
    """
    base = plan_of(CHECKS)
    sharper = echoes(base, plan_of(CHECKS, "flows.f.look.detect.sensitivity=98 %"))
    beside = echoes(base, plan_of(CHECKS, "flows.f.other.share=60 %", "flows.f.look.take=1 min"))
    shares = {"all.wrong.missed.share", "all.wrong.caught.share", "f.inspected.rate"}

    assert shares <= sharper.keys()
    assert not any(sharper[kpi] for kpi in shares)
    assert not shares & beside.keys()


LIMITED = """
clock: {start: "2018-09-03", measure: 3 d, cool_down: 1 d}
calendars: {day: {mon-sun: ["08:00-18:00"]}}
zones:
  Z:
    desk: {units: {mon-sun: {"08:00-13:00": 2, "13:00-18:00": 1}}, at_shift_end: pause}
    first: {units: 1, preempt: true}
    spare: {units: 1}
    tools: {units: 2, breakdowns: {up: {exponential: {mean: 5 h}}, repair: 1 h}}
    late: {units: 1, open: day, at_shift_end: fits}
flows:
  f:
    steps:
      desk: {hold: {d: Z.desk}, take: 40 min}
      either: {hold: {d: {any: [Z.spare, Z.tools]}}, take: 20 min}
      tool: {hold: {t: Z.tools}, take: 30 min}
      first: {hold: {d: Z.first}, priority: 1, take: 10 min}
      late: {hold: {l: Z.late}, take: 25 min}
traffic: {a: {flow: f, rate: 2 /h}, b: {flow: f, rate: 1 /h}}
"""


def test_with_unlimited_units_only_hours_make_wait():
    """
    With unlimited units tokens wait until an office opens and for nothing else, whatever breaks down, preempts, pauses
    or must fit; the engines agree on that to the byte.
    """
    plan = without_limits(plan_of(LIMITED))
    runs = [run_plan(plan, engine=engine).sink for engine in ENGINES]
    (run,) = kpis(plan, replications=1)
    waits = {name: value for name, value in run.values.items() if name.endswith(".wait.mean") and name.startswith("f.")}

    assert runs[0].visits.tobytes() == runs[1].visits.tobytes()
    assert waits["f.desk.wait.mean"] > 0
    assert waits["f.late.wait.mean"] > 0
    assert [waits[f"f.{step}.wait.mean"] for step in ("either", "tool", "first")] == [0, 0, 0]
    assert not any(math.isnan(value) for value in waits.values())
