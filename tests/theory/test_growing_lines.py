"""Which lines grow as long as a run lasts: those whose work has to be done and cannot, and no others."""

from __future__ import annotations

import pytest

from tests.helper import plan_of
from zonesim.analysis import unstable
from zonesim.analysis.load_warnings import load_warnings
from zonesim.kpi import catalogue
from zonesim.plan import departures, grown_queues, loads

HEAD = 'clock: {start: "2018-09-03", warm_up: 1 d, measure: 20 d}\n'
DESK = "zones: {Z: {desk: {units: 1}, next: {units: 1}}}\n"
ONE = "traffic: {a: {flow: f, rate: 9 /h}}\n"


def flow(steps: str) -> str:
    """Return a flow of one desk with the given steps."""
    return f"flows: {{f: {{steps: {{{steps}}}}}}}\n"


SERVE = "serve: {hold: {d: Z.desk}, take: {exponential: {mean: 8 min}}}"

CASES = {
    "one desk": (DESK + flow(SERVE) + ONE, {"Z.desk"}),
    "a waiting room of two": (
        DESK + flow(f"away: {{when: {{queue: {{of: Z.desk, longer_than: 1}}}}, next: end}}, {SERVE}") + ONE,
        set(),
    ),
    "a waiting room that one comes into from the street": (
        DESK
        + flow(f"away: {{when: {{queue: {{of: Z.desk, longer_than: 1}}}}, next: end}}, walk: {{take: 5 min}}, {SERVE}")
        + ONE,
        set(),
    ),
    "a room for some, and for others none": (
        DESK
        + "flows: {f: {steps: {away: {when: {class: A, queue: {of: Z.desk, longer_than: 1}}, next: end}, "
        + SERVE
        + "}}}\n"
        "traffic: {a: {flow: f, rate: 9 /h, classes: {A: 10 %, B: 90 %}}}\n",
        {"Z.desk"},
    ),
    "no patience": (
        DESK + flow("serve: {hold: {d: Z.desk}, patience: {longest: 0 s, next: end}, take: 8 min}") + ONE,
        set(),
    ),
    "some patience": (
        DESK
        + flow("serve: {hold: {d: Z.desk}, patience: {longest: {exponential: {mean: 1 h}}, next: end}, take: 8 min}")
        + ONE,
        set(),
    ),
    "who gives up comes back and waits for ever": (
        DESK
        + flow(
            "serve: {hold: {d: Z.desk}, patience: {longest: 1 h, next: again}, take: 8 min, next: end}, again: {hold: {d: Z.desk}, take: 8 min}"
        )
        + ONE,
        {"Z.desk"},
    ),
    "who finds the desk in use goes to the next": (
        DESK
        + flow(
            "serve: {hold: {d: Z.desk}, patience: {longest: 0 s, next: other}, take: 8 min, next: end}, other: {hold: {d: Z.next}, take: 8 min}"
        )
        + "traffic: {a: {flow: f, rate: 14 /h}}\n",
        {"Z.next"},
    ),
    "who finds a long line goes to the next, and both have time": (
        DESK
        + flow(
            "look: {when: {queue: {of: Z.desk, longer_than: 3}}, next: other}, serve: {hold: {d: Z.desk}, take: 8 min, next: end}, other: {hold: {d: Z.next}, take: 8 min}"
        )
        + ONE,
        set(),
    ),
    "who finds a long line goes to the next, and both have none": (
        DESK
        + flow(
            "look: {when: {queue: {of: Z.desk, longer_than: 3}}, next: other}, serve: {hold: {d: Z.desk}, take: 8 min, next: end}, other: {hold: {d: Z.next}, take: 8 min}"
        )
        + "traffic: {a: {flow: f, rate: 16 /h}}\n",
        {"Z.next"},
    ),
    "the shorter of two lines": (
        DESK + flow("serve: {hold: {d: {shortest: [Z.desk, Z.next]}}, take: 8 min}") + ONE,
        set(),
    ),
    "the shorter of two lines that are too few": (
        DESK
        + flow("serve: {hold: {d: {shortest: [Z.desk, Z.next]}}, take: 8 min}")
        + "traffic: {a: {flow: f, rate: 16 /h}}\n",
        {"Z.desk", "Z.next"},
    ),
    "any of two": (
        DESK + flow("serve: {hold: {d: {any: [Z.desk, Z.next]}}, take: 8 min}") + ONE,
        set(),
    ),
    "any of two that are too few": (
        DESK
        + flow("serve: {hold: {d: {any: [Z.desk, Z.next]}}, take: 8 min}")
        + "traffic: {a: {flow: f, rate: 16 /h}}\n",
        {"Z.desk", "Z.next"},
    ),
    "any of two, of which one is full of others": (
        DESK
        + "flows: {f: {steps: {serve: {hold: {d: {any: [Z.desk, Z.next]}}, take: 8 min}}}, "
        + "g: {steps: {serve: {hold: {d: Z.desk}, take: 8 min}}}}\n"
        + "traffic: {a: {flow: f, rate: 9 /h}, b: {flow: g, rate: 7 /h}}\n",
        {"Z.desk", "Z.next"},
    ),
    "any of two, with others at one of them": (
        DESK
        + "flows: {f: {steps: {serve: {hold: {d: {any: [Z.desk, Z.next]}}, take: 8 min}}}, "
        + "g: {steps: {serve: {hold: {d: Z.desk}, take: 8 min}}}}\n"
        + "traffic: {a: {flow: f, rate: 8 /h}, b: {flow: g, rate: 6 /h}}\n",
        set(),
    ),
    "any of two, with no patience": (
        DESK
        + flow("serve: {hold: {d: {any: [Z.desk, Z.next]}}, patience: {longest: 0 s}, take: 8 min}")
        + "traffic: {a: {flow: f, rate: 30 /h}}\n",
        set(),
    ),
    "service in bulk": (
        DESK + flow(f"bulk: {{gather: {{number: 10, within: 1 h}}, steps: {{{SERVE}}}}}") + ONE,
        set(),
    ),
    "service in bulk of groups that come together": (
        DESK
        + flow(f"bulk: {{gather: {{within: 1 s}}, steps: {{{SERVE}}}}}")
        + "traffic: {a: {flow: f, rate: 1 /h, batch: 9}}\n",
        set(),
    ),
    "bulks that are too many": (
        DESK + flow(f"bulk: {{gather: {{number: 2}}, steps: {{{SERVE}}}}}") + "traffic: {a: {flow: f, rate: 16 /h}}\n",
        {"Z.desk"},
    ),
    "arrivals that end": (DESK + flow(SERVE) + "traffic: {a: {flow: f, at: [1 d], batch: 5000}}\n", set()),
    "a closed population": (
        DESK
        + flow("think: {take: 1 min}, serve: {hold: {d: Z.desk}, take: 8 min, next: think}")
        + "traffic: {a: {flow: f, at: [0 h], batch: 50}}\n",
        set(),
    ),
    "a clock that never ends": (
        DESK + "flows: {f: {steps: {" + SERVE + "}}, gen: {steps: {gap: {take: 7 min}, go: {spawn: a, next: gap}}}}\n"
        "traffic: {a: {flow: f, spawned: true}, clock: {flow: gen, at: [0 h]}}\n",
        {"Z.desk"},
    ),
    "a clock that never ends, and overflow": (
        DESK
        + "flows: {f: {steps: {serve: {hold: {d: Z.desk}, patience: {longest: 0 s, next: other}, take: 8 min, next: end}, other: {hold: {d: Z.next}, take: 8 min}}}, gen: {steps: {gap: {take: 3 min}, go: {spawn: a, next: gap}}}}\n"
        "traffic: {a: {flow: f, spawned: true}, clock: {flow: gen, at: [0 h]}}\n",
        {"Z.next"},
    ),
    "in parallel": (
        DESK
        + flow("s: {hold: {d: Z.desk}, steps: {p: {parallel: {a: {take: 10 min}, b: {take: 50 min}}}}}")
        + "traffic: {a: {flow: f, rate: 2 /h}}\n",
        {"Z.desk"},
    ),
    "a desk behind a lane": (
        DESK + flow("lane: {hold: {l: Z.next}, steps: {" + SERVE + "}}") + ONE,
        {"Z.next"},
    ),
    "a desk behind a lane for which nobody waits long": (
        DESK + flow("lane: {hold: {l: Z.next}, patience: {longest: 1 h}, steps: {" + SERVE + "}}") + ONE,
        set(),
    ),
    "by hand: it is stable": (DESK.replace("units: 1}, n", "units: 1, stable: true}, n") + flow(SERVE) + ONE, set()),
    "by hand: it is not": (
        DESK.replace("units: 1}, n", "units: 1, stable: false}, n") + flow(SERVE) + ONE.replace("9 /h", "1 /h"),
        {"Z.desk"},
    ),
    "more work than fits into the open time of a calendar": (
        DESK
        + 'calendars: {day: {mon-sun: ["08:00-16:00"]}}\n'
        + flow("s: {hold: {d: Z.desk}, take: 1 h, during: day}")
        + "traffic: {a: {flow: f, rate: 10 /d}}\n",
        {"Z.desk"},
    ),
    "as much work as fits into the open time of a calendar": (
        DESK
        + 'calendars: {day: {mon-sun: ["08:00-16:00"]}}\n'
        + flow("s: {hold: {d: Z.desk}, take: 1 h, during: day}")
        + "traffic: {a: {flow: f, rate: 6 /d}}\n",
        set(),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_lines_that_grow(name):
    """
    A line grows where what must be served is more than can be, once it is long; every command has it from here.
    """
    text, expected = CASES[name]
    plan = plan_of(HEAD + text)
    grown = {str(plan.names.resources[each]) for each in grown_queues(loads(plan))}
    tagged = unstable(plan, 0, catalogue(plan))
    said = [warning for warning in load_warnings(plan, 0) if "grows as long as the run lasts" in warning]

    assert grown == expected
    assert {f"{each}.queue.mean" for each in expected} <= tagged
    assert bool(tagged) == bool(expected)
    assert bool(said) == bool(expected) or "by hand" in name


BARGES = (
    HEAD
    + 'calendars: {barge: {every: 8 h}, day: {mon-sat: ["06:00", "14:00"]}}\nzones: {Z: {yard: {units: 99}, desk: {units: 1}}}\n'
)
BOARD = "board: {gather: {until: barge, most: 10}}"
OUT = "out: {hold: {d: Z.desk}, take: 36 min}"


def boxes(rate: float, more: str = "") -> str:
    """Return traffic of so many boxes an hour."""
    return f"traffic: {{boxes: {{flow: f, rate: {rate} /h{more}}}}}\n"


SHIPS = {
    "too few places": (flow(BOARD) + boxes(1.5), {"": 1.2}, set()),
    "just as many places": (flow(BOARD) + boxes(1.25), {"": 1.0}, set()),
    "just enough places": (flow(BOARD) + boxes(1.24), {}, set()),
    "boxes that come by twos": (flow(BOARD) + boxes(0.75, ", batch: 2"), {"": 1.2}, set()),
    "how many is drawn": (flow("board: {gather: {until: barge, most: {discrete: {5: 50 %, 15: 50 %}}}}") + boxes(1.5), {"": 1.2}, set()),
    "with inner steps": (flow(BOARD.replace("}}", "}, steps: {sail: {take: 1 h}}}")) + boxes(1.5), {"": 1.2}, set()),
    "of so many a week": (flow(BOARD.replace("barge", "day")) + boxes(0.8), {"": 0.8 * 168 / 120}, set()),
    "a class of three has too few": (
        flow(BOARD.replace("10", "10, by: class")) + boxes(3, ", classes: {A: 50 %, B: 20 %, C: 30 %}"), {" for class A": 1.2}, set(),
    ),
    "each class has just enough": (
        flow(BOARD.replace("10", "10, by: class")) + boxes(3, ", classes: {A: 40 %, B: 30 %, C: 30 %}"), {}, set(),
    ),
    "places in hand meanwhile": (
        flow("store: {hold: {y: Z.yard}, steps: {" + BOARD + "}}") + boxes(1.5), {"": 1.2}, {"Z.yard"},
    ),
    "who finds many waiting in the street goes away": (
        flow("away: {when: {queue: {of: Z.yard, longer_than: 5}}, next: end}, store: {hold: {y: Z.yard}, steps: {" + BOARD + "}}") + boxes(1.5), {}, set(),
    ),
    "the work behind is bounded by the places": (flow(BOARD + ", " + OUT) + boxes(1.8), {"": 1.44}, set()),
    "and that may be too much": (flow(BOARD.replace("10", "14") + ", " + OUT) + boxes(1.8), {"": 1.8 * 8 / 14}, {"Z.desk"}),
    "a second barge gets what the first one takes": (
        flow(BOARD + ", sort: {take: 1 h}, again: {gather: {until: barge, most: 11}}") + boxes(1.8), {"": 1.44}, set(),
    ),
    "a second barge is smaller": (
        flow(BOARD + ", sort: {take: 1 h}, again: {gather: {until: barge, most: 8}}") + boxes(1.8), {"": 1.44, "again": 1.25}, set(),
    ),
    "arrivals that end": (flow(BOARD) + "traffic: {boxes: {flow: f, at: [1 d], batch: 5000}}\n", {}, set()),
}  # fmt: skip


@pytest.mark.parametrize("name", SHIPS)
def test_lines_for_departures_that_grow(name):
    """
    A line for departures grows where more tokens come than there are places, by class where each has its own; what comes behind is as much as goes.
    """
    text, expected, resources = SHIPS[name]
    plan = plan_of(BARGES + text)
    full = {load.step: load for load in departures(plan) if load.grows}
    tagged = unstable(plan, 0, catalogue(plan))
    said = [warning for warning in load_warnings(plan, 0) if "line for them" in warning and "grows as long" in warning]
    queues = {str(plan.names.resources[each]) for each in grown_queues([*loads(plan), *departures(plan)])}

    assert sorted(load.mean for load in full.values()) == pytest.approx(sorted(expected.values()))
    assert len(said) == len(expected)
    for whose, load in expected.items():
        assert any(f"departures have a load of {load:.0%}" in each and whose in each for each in said)
    assert queues == resources
    assert {f"{each}.queue.mean" for each in resources} <= tagged
    assert bool(tagged) == bool(expected or resources)
    assert not expected or "f.dwell.mean" in tagged


def test_each_firm_has_a_line_whose_share_is_not_followed():
    """
    With a line for each firm the places of all together are a bound: below those of one firm nothing grows, above those of all something does.
    """
    firms = "firms: {count: 2}\n"
    plans = [
        plan_of(BARGES + firms + flow(BOARD.replace("10", "10, by: firm")) + boxes(rate)) for rate in (1.2, 2, 2.6)
    ]
    found = [departures(plan)[0] for plan in plans]

    assert [load.grows for load in found] == [False, False, True]
    assert [(load.low, load.high) for load in found] == [
        pytest.approx((rate * 0.4, rate * 0.8)) for rate in (1.2, 2, 2.6)
    ]
    assert [len(load_warnings(plan, 0)) for plan in plans] == [0, 1, 1]
    assert "load of 80% to 160%: unknown, because each firm has a line" in load_warnings(plans[1], 0)[0]
