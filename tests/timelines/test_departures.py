"""Departures with room for so many, and calendars of moments."""

from __future__ import annotations

import pytest

from tests.helper import plan_of, run
from zonesim.plan import loads

BARGES = """
clock: {{start: "2018-09-03", measure: 2 d}}
calendars: {{barges: {calendar}}}
zones: {{Z: {{desk: {{units: 1}}, yard: {{units: 9}}}}}}
firms: {{count: 2, credit: {{A: 50 %, B: 50 %}}}}
flows: {{f: {{steps: {{go: {{gather: {gather}{inner}}}}}}}}}
traffic: {{a: {{flow: f, at: {at}}}}}
"""
EIGHT = "{every: 8 h, first: 2 h}"
H = 60


def barges(engine: str, gather: str, at: str, *, calendar: str = EIGHT, inner: str = "") -> dict[str, float]:
    """Return when each goes."""
    text = BARGES.format(calendar=calendar, gather=gather, at=at, inner=inner)
    return run(text, engine=engine).starts("go")


def test_so_many_go_first_come_first_served(engine):
    """
    Of five who wait two go at 2:00, two at 10:00, and the last at 18:00 with one who came in between.
    """
    found = barges(engine, "{until: barges, most: 2}", "[1 h, 1 h, 1.1 h, 1.2 h, 1.3 h, 6 h, 19 h]")

    assert list(found.values()) == [2 * H, 2 * H, 10 * H, 10 * H, 18 * H, 18 * H, 26 * H]


def test_who_comes_at_the_moment_goes_if_there_is_room(engine):
    """
    Who comes at the moment of a departure still goes; nobody departs twice at one moment.
    """
    assert barges(engine, "{until: barges, most: 2}", "[1 h, 2 h, 2 h]") == {"a0": 2 * H, "a1": 2 * H, "a2": 10 * H}
    again = """
clock: {start: "2018-09-03", measure: 2 d}
calendars: {barges: {every: 8 h}}
flows: {f: {steps: {go: {gather: {until: barges, most: 9}, mark: gone, next: {go: 100 %}}}}}
traffic: {a: {flow: f, at: [1 h]}}
"""
    assert [times[1] for _, times in run(again, engine=engine).rows("go") if times[2] >= 0] == [
        8 * H, 16 * H, 24 * H, 32 * H, 40 * H,
    ]  # fmt: skip


def test_the_first_of_those_who_go_leads_them(engine):
    """
    The first of each barge sails for all of it; those who are left behind have a leader of their own.
    """
    text = BARGES.format(
        calendar=EIGHT,
        gather="{until: barges, most: 2}",
        at="[1 h, 1 h, 1 h]",
        inner=", steps: {sail: {hold: {d: Z.desk}, take: 3 h}}",
    )
    line = run(text, engine=engine)

    assert line.visits("go.sail") == {"a0": (2 * H, 2 * H, 5 * H), "a2": (10 * H, 10 * H, 13 * H)}
    assert line.ends("go") == {"a0": 2 * H, "a1": 5 * H, "a2": 10 * H}


@pytest.mark.parametrize("by", ["class", "firm"])
def test_each_class_or_firm_has_room_of_its_own(engine, by):
    """
    Of six tokens of two firms, each of a class of its own, one of each goes at a time.
    """
    text = BARGES.format(calendar=EIGHT, gather=f"{{until: barges, most: 1, by: {by}}}", at=["1 h"] * 6, inner="")
    line = run(text, engine=engine)
    classes = line.totals.classes[0].tolist()
    starts = list(line.starts("go").values())

    assert len(set(classes)) == 2
    for one in set(classes):
        own = [start for start, each in zip(starts, classes, strict=True) if each == one]
        assert own == [(2 + 8 * number) * H for number in range(len(own))]


def test_moments_of_days(engine):
    """
    A time alone is a moment of each day that is named; one at midnight after a night of opening hours is one too.
    """
    found = barges(
        engine, "{until: barges, most: 1}", "[1 h, 1 h, 1 h, 1 h]", calendar='{mon-sun: ["00:00", "06:00", "14:00"]}'
    )
    night = barges(engine, "{until: barges}", "[1 h, 23 h]", calendar='{mon: ["22:00-24:00"], tue: ["00:00"]}')

    assert list(found.values()) == [6 * H, 14 * H, 24 * H, 30 * H]
    assert list(night.values()) == [22 * H, 24 * H]


def test_openings_of_any_period():
    """
    With `lasts` there are openings: a light that is green for thirty of ninety seconds lets through a third of the time.
    """
    text = """
clock: {start: "2018-09-03", measure: 1 h}
calendars: {green: {every: 90 s, first: 10 s, lasts: 30 s}}
zones: {Z: {light: {units: 1, open: green}}}
flows: {f: {steps: {go: {hold: {l: Z.light}, take: 2 s}}}}
traffic: {a: {flow: f, at: [0 min, 45 s]}}
"""
    line = run(text)

    assert line.visits("go") == {"a0": (0, 10 / 60, 0.2), "a1": (0.75, 100 / 60, 102 / 60)}
    assert line.totals.open.tolist() == [40 * 30_000]


def test_a_random_number_goes(engine):
    """
    How many go is drawn at each departure: one or three, so twelve are gone after four to twelve departures, the same in both engines.
    """
    found = barges(
        engine,
        "{until: barges, most: {discrete: {1: 50 %, 3: 50 %}}}",
        str(["0 h"] * 12),
        calendar="{every: 1 h, first: 1 h}",
    )
    groups = [sum(start == time * H for start in found.values()) for time in range(1, 13)]
    sailed = [size for size in groups if size]

    assert sum(sailed) == 12
    assert set(sailed[:-1]) <= {1, 3}
    assert len(set(sailed[:-1])) == 2


def test_units_in_hand_while_waiting_are_no_part_of_the_load():
    """
    A wait for a departure with units in hand comes on top of the load; how many lead is known between bounds.
    """
    text = """
clock: {start: "2018-09-03", measure: 10 d}
calendars: {barges: {every: 8 h}}
zones: {Z: {yard: {units: 100}, crew: {units: 1}}}
flows: {f: {steps: {s: {hold: {y: Z.yard}, steps: {go: {gather: {until: barges, most: 20}, steps: {sail: {hold: {c: Z.crew}, take: 30 min}}}, x: {take: 1 h}}}}}}
traffic: {a: {flow: f, rate: 2 /h}}
"""
    yard, crew = loads(plan_of(text))

    assert yard.waits
    assert (crew.low, crew.high) == (pytest.approx(2 * 0.5 / 20), pytest.approx(1.0))
