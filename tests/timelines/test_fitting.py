"""Nothing starts that would not end before closing: at_shift_end: fits."""

from __future__ import annotations

import pytest

from tests.helper import plan_of, run
from zonesim.faults import Faults

# One server, service 12, arrivals 0, 10, ..., 470; on duty 0-245 and 275-480.
BREAK = """
clock: {{start: "2018-09-03", measure: 600 min}}
calendars: {{shift: {{mon: ["00:00-04:05", "04:35-08:00"]}}}}
zones: {{Z: {{desk: {{units: 1, open: shift, at_shift_end: {rule}}}}}}}
flows: {{f: {{steps: {{serve: {{hold: {{d: Z.desk}}, take: 12 min}}}}}}}}
traffic: {{a: {{flow: f, at: [{times}]}}}}
"""
TIMES = ", ".join(f"{time} min" for time in range(0, 480, 10))


@pytest.mark.parametrize(
    ("rule", "started", "ended", "mean", "around", "last"),
    [
        ("finish", 39, 39, 48.615385, [(240, 252), (275, 287), (287, 299)], (479, 491)),
        ("pause", 38, 37, 50.421053, [(240, 282), (282, 294), (294, 306)], (474, -1)),
        ("fits", 37, 37, 52.081081, [(275, 287), (287, 299), (299, 311)], (467, 479)),
    ],
)
def test_one_break_three_rules(engine, rule, started, ended, mean, around, last):
    """
    What starts around the break, how many are served and how long they wait, under each rule for the end of a shift.
    """
    line = run(BREAK.format(rule=rule, times=TIMES), engine=engine)
    visits = sorted((start, end, queued) for _, (queued, start, end) in line.rows("serve") if start != -1)

    assert len(visits) == started
    assert sum(end != -1 for _, end, _ in visits) == ended
    assert sum(start - queued for start, _, queued in visits) / started == pytest.approx(mean, abs=1e-6)
    assert [(start, end) for start, end, _ in visits if start >= 240][:3] == around
    assert visits[-1][:2] == last


def test_short_work_passes_long_work_that_does_not_fit(engine):
    """
    Ten minutes before closing, work of twelve minutes does not start, but work of five that came later does; work that
    ends exactly at closing fits.
    """
    text = BREAK.format(rule="fits", times="235 min").replace(
        "traffic: {", "traffic: {b: {flow: short, at: [236 min]}, c: {flow: four, at: [237 min]}, "
    )
    text = text.replace(
        "flows: {",
        "flows: {short: {steps: {brief: {hold: {d: Z.desk}, take: 5 min}}}, four: {steps: {rest: {hold: {d: Z.desk}, take: 4 min}}}, ",
    )
    line = run(text, engine=engine)

    assert line.visits("brief") == {"b0": (236, 236, 241)}
    assert line.visits("rest") == {"c0": (237, 241, 245)}
    assert line.visits("serve") == {"a0": (235, 275, 287)}


def test_work_of_unknown_length_is_refused():
    """
    A block whose inner steps take time cannot be held by a resource that starts only what fits.
    """
    text = BREAK.format(rule="fits", times="0 min").replace("take: 12 min}", "steps: {a: {take: 12 min}}}")
    with pytest.raises(Faults) as found:
        plan_of(text)

    assert "Z.desk starts only what fits, but how long this step takes is not known at its start" in str(found.value)
