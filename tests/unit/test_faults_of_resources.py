"""What is wrong with resources that preempt or break down: the exact text of each fault."""

from __future__ import annotations

import pytest

from tests.helper import plan_of
from zonesim.faults import Faults

ZONE = "zones: {Z: {desk: {units: 2, preempt: true}, slot: {units: 2}}}"
SCENARIO = f"""\
clock: {{start: "2018-09-03", measure: 1 d}}
calendars: {{shift: {{mon-fri: ["08:00-12:00"]}}}}
{ZONE}
flows:
  f:
    steps:
      a: {{hold: {{d: Z.desk}}, take: 5 min}}
      b: {{take: 1 min}}
traffic: {{t: {{flow: f, rate: 3 /h}}}}
"""
ALONE = (
    "    Take it in a step of its own, or leave out `preempt` and, where it breaks down or some of its units leave, write"
    " `at_shift_end: finish`."
)

CASES = {
    "two units of a preemptive resource": (
        [("{d: Z.desk}", "{d: {resource: Z.desk, units: 2}}")],
        [
            "timeline.yaml:10:17: work with Z.desk can be interrupted, so it is taken alone: one unit, with nothing else in hand",
            ALONE,
        ],
    ),
    "another resource together with it": (
        [("{d: Z.desk}", "{d: Z.desk, s: Z.slot}")],
        [
            "timeline.yaml:10:17: work with Z.desk can be interrupted, so it is taken alone: one unit, with nothing else in hand",
            ALONE,
        ],
    ),
    "another resource in hand": (
        [
            (
                "a: {hold: {d: Z.desk}, take: 5 min}",
                "a: {hold: {s: Z.slot}, steps: {c: {hold: {d: Z.desk}, take: 1 min}}}",
            )
        ],
        [
            "timeline.yaml:10:48: work with Z.desk can be interrupted, so it is taken alone: one unit, with nothing else in hand",
            ALONE,
        ],
    ),
    "another resource while it is in hand": (
        [
            (
                "a: {hold: {d: Z.desk}, take: 5 min}",
                "a: {hold: {d: Z.desk}, steps: {c: {hold: {s: Z.slot}, take: 1 min}}}",
            )
        ],
        [
            "timeline.yaml:10:48: takes more while it has a unit of Z.desk in hand, whose work can be interrupted",
            ALONE,
        ],
    ),
    "kept after its block": (
        [("hold: {d: Z.desk}", "hold: {d: Z.desk}, keep: {d: until b}")],
        [
            "timeline.yaml:10:17: work with Z.desk can be interrupted, so it is taken alone: one unit, with nothing else in hand",
            ALONE,
        ],
    ),
    "another resource kept from before": (
        [
            ("a: {hold: {d: Z.desk}, take: 5 min}", "a: {hold: {s: Z.slot}, keep: {s: until b}, take: 1 min}"),
            ("b: {take: 1 min}", "b: {hold: {d: Z.desk}, take: 5 min}"),
        ],
        [
            "timeline.yaml:11:10: work with Z.desk can be interrupted, but Z.slot may still be kept from before",
            "    Give that back first, or leave out `preempt`.",
        ],
    ),
    "preemption of what has to fit": (
        [("preempt: true", "preempt: true, open: shift, at_shift_end: fits")],
        [
            "timeline.yaml:6:19: Z.desk starts only what fits, but who preempts would make it end later",
            "    Leave out `preempt`, or choose another `at_shift_end`.",
        ],
    ),
    "breakdowns of what is unlimited": (
        [("units: 2, preempt: true", "units: unlimited, breakdowns: {up: 1 h, repair: 1 h}")],
        ["timeline.yaml:6:50: Z.desk is unlimited and cannot break down", "    Give it a number of units."],
    ),
    "a busy clock of several units": (
        [("preempt: true", "breakdowns: {up: 1 h, repair: 1 h, clock: busy}")],
        [
            "timeline.yaml:6:72: the breakdowns of Z.desk count busy time, which is clear for a single unit only, but it has 2",
            "    Write `clock: always`, or make resources of its units.",
        ],
    ),
    "too many clocks": (
        [("units: 2, preempt: true", "units: 1001, breakdowns: {up: 1 h, repair: 1 h, of: unit}")],
        [
            "timeline.yaml:6:72: Z.desk has 1001 units that break down each by itself, more than 1000",
            "    Write `of: whole`, or make it smaller.",
        ],
    ),
    "never up": (
        [("preempt: true", "breakdowns: {up: 0 h, repair: 1 h}")],
        ["timeline.yaml:6:47: Z.desk breaks down as soon as it is repaired", "    Give it some time."],
    ),
    "a repair in working days": (
        [("preempt: true", "breakdowns: {up: 1 h, repair: 2 wd}")],
        [
            "timeline.yaml:6:60: '2 wd' is a number of working days, but a duration is due",
            "    Write a duration such as '15 min'.",
        ],
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_the_text_of_faults(name: str):
    """
    Place, what is wrong and what would be right, exactly.
    """
    changes, expected = CASES[name]
    text = SCENARIO
    for old, new in changes:
        assert text.count(old) == 1
        text = text.replace(old, new)

    with pytest.raises(Faults) as caught:
        plan_of(text)

    assert str(caught.value) == "\n".join(expected)


def test_an_outside_zone_has_no_breakdowns_and_nobody_preempts():
    """
    In a zone outside nothing is ever short, whatever is written of its resources.
    """
    outside = SCENARIO.replace("zones: {Z: {", "zones: {Z: {outside: true, ").replace(
        "preempt: true", "preempt: true, breakdowns: {up: 1 h, repair: 1 h}"
    )
    plan = plan_of(outside)

    assert plan.resources["preempts"].tolist() == [0, 0]
    assert len(plan.breakdowns) == 0
