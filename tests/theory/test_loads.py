"""Loads of the traffic equations against what can be worked out on paper; what cannot be known is not given."""

from __future__ import annotations

import math

import pytest

from tests.helper import plan_of
from zonesim.plan import Load, loads
from zonesim.plan.settling import erlang_loss

HEAD = """
clock: {start: "2018-09-03", warm_up: 1 d, measure: 10 d, cool_down: 1 d}
calendars: {day: {mon-sun: ["08:00-16:00"]}}
"""


def load_of(text: str, name: str = "Z.d", head: str = HEAD) -> Load:
    """Return the load of one resource of a scenario."""
    plan = plan_of(head + text)
    return next(load for load in loads(plan) if str(plan.names.resources[load.resource]) == name)


def inside(step: str, *, traffic: str = "rate: 2 /h", units: int = 1, extra: str = "") -> str:
    """Return a scenario in which a unit is held around one step."""
    return f"""
zones: {{Z: {{d: {{units: {units}}}, e: {{units: 1}}, free: {{units: unlimited}}}}}}
flows: {{f: {{steps: {{s: {{hold: {{d: Z.d}}, steps: {step}}}}}}}}}
traffic: {{a: {{flow: f, {traffic}}}}}
{extra}"""


EXACT = {
    "the longest of two branches": (inside("{p: {parallel: {a: {take: 10 min}, b: {take: 50 min}}}}"), 100 / 60),
    "branches one in the other": (
        inside(
            "{p: {parallel: {a: {steps: {q: {parallel: {x: {take: 5 min}, y: {take: 9 min}}}, z: {take: 1 min}}}, b: {take: 8 min}}}}"
        ),
        20 / 60,
    ),
    "a branch that is always the last": (
        inside("{p: {parallel: {a: {take: {uniform: [1 min, 5 min]}}, b: {take: {uniform: [10 min, 20 min]}}}}}"),
        30 / 60,
    ),
    "time before and after the branches": (
        inside("{x: {take: 2 min}, p: {parallel: {a: {take: 1 min}, b: {take: 3 min}}}, y: {take: 5 min}}"),
        20 / 60,
    ),
    "children of a split": (
        inside("{t: {split: {into: truck, count: 2}}, u: {take: 20 min}, j: {join: t}}"),
        40 / 60,
    ),
    "a random number of children of one length": (
        inside("{t: {split: {count: {discrete: {1: 50 %, 4: 50 %}}}}, u: {take: 20 min}, j: {join: t}}"),
        40 / 60,
    ),
    "branches that hold what is never short": (
        inside("{p: {parallel: {a: {hold: {f: Z.free}, take: 6 min}, b: {take: 3 min}}}}"),
        12 / 60,
    ),
    "work in the background holds nobody": (
        inside("{b: {background: true, take: 50 min}, x: {take: 6 min}}"),
        12 / 60,
    ),
    "two branches that may go either way by chance": (
        inside("{x: {take: 6 min, next: {y: 30 %, z: 30 %}}, w: {take: 10 min}, y: {take: 10 min}, z: {take: 10 min}}"),
        2 / 60 * (6 + 0.3 * 20 + 0.3 * 10 + 0.4 * 30),
    ),
    "rework with a chance": (inside("{x: {take: 6 min, next: {x: 80 %}}}"), 2 / 60 * 6 / 0.2),
}


@pytest.mark.parametrize("name", EXACT)
def test_work_in_hand_is_counted(name):
    """
    A unit is busy for as long as whoever holds it: until the last of the children is back, loops and chances included.
    """
    text, expected = EXACT[name]
    load = load_of(text)

    assert load.mean == pytest.approx(expected, rel=1e-9)
    assert not load.waits


def test_three_ways_share_one_draw():
    """
    The shares of `next` are those of one draw, so the second way has its own share and not that of a second draw.
    """
    text = """
zones: {Z: {d: {units: 1}, e: {units: 1}}}
flows:
  f: {steps: {x: {next: {y: 30 %, z: 30 %}}, w: {next: end}, y: {hold: {d: Z.d}, take: 1 min, next: end}, z: {hold: {e: Z.e}, take: 1 min}}}
traffic: {a: {flow: f, rate: 10 /h}}
"""

    assert load_of(text).mean == pytest.approx(3 / 60)
    assert load_of(text, "Z.e").mean == pytest.approx(3 / 60)


def test_a_status_leads_to_work():
    """
    A step for goods of one status is done by those that have it: a status is known on every way.
    """
    text = """
zones: {Z: {d: {units: 1}}}
statuses: {q0: {to: {q1: assumed}}, q1: {to: {q0: assumed}}}
flows: {f: {steps: {a: {set: {status: q0}}, b: {share: 40 %, set: {status: q1}}, c: {when: {status: q1}, hold: {d: Z.d}, take: 6 min}}}}
traffic: {a: {flow: f, rate: 2 /h}}
"""

    assert load_of(text).mean == pytest.approx(0.4 * 12 / 60)


def test_spawned_tokens_come_as_often_as_they_are_started():
    """
    Half of the tokens start another one, later, which works too and starts one more in turn with one in four.
    """
    text = """
zones: {Z: {d: {units: 1}}}
flows:
  f: {steps: {go: {share: 50 %, spawn: {traffic: back, after: 1 d}}}}
  g: {steps: {work: {hold: {d: Z.d}, take: 6 min}, again: {share: 25 %, spawn: back}}}
traffic: {a: {flow: f, rate: 2 /h}, back: {flow: g, spawned: true}}
"""

    assert load_of(text).mean == pytest.approx(2 * 0.5 / 0.75 * 6 / 60)


CLOCK = """
zones: {Z: {d: {units: 2}}}
flows:
  gen: {entity: clock, steps: {gap: {take: GAP}, go: {spawn: calls, next: gap}}}
  f: {steps: {serve: {hold: {d: Z.d}, take: 1.8 min}}}
traffic: {clock: {flow: gen, at: [0 min]}, calls: {flow: f, spawned: true}}
"""


@pytest.mark.parametrize("gap", ["1 min", "{exponential: {mean: 1 min}}", "{uniform: [0 min, 2 min]}"])
def test_a_clock_that_starts_a_call_each_minute(gap):
    """
    A loop that never ends and waits for nobody has a rate: what a round starts over what it takes (renewal theory).
    """
    load = load_of(CLOCK.replace("GAP", gap))

    assert load.mean == pytest.approx(0.9)
    assert load.must == pytest.approx(0.9)


def test_a_token_that_starts_its_own_successor():
    """
    Renewal arrivals by tokens that each start the next one, half an hour later, are two an hour.
    """
    text = """
zones: {Z: {d: {units: 1}}}
flows: {f: {steps: {again: {spawn: {traffic: more, after: 30 min}}, work: {hold: {d: Z.d}, take: 10 min}}}}
traffic: {a: {flow: f, at: [0 min]}, more: {flow: f, spawned: true}}
"""

    assert load_of(text).mean == pytest.approx(1 / 3)


def test_tokens_that_go_round_and_wait_have_no_load():
    """
    How often machines come back depends on how long they wait for the repairer: unknown, not 0, and no line grows.
    """
    text = """
zones: {Z: {d: {units: 1}}}
flows: {life: {steps: {run: {take: 10 h}, repair: {hold: {r: Z.d}, take: 2 h, next: run}}}}
traffic: {machines: {flow: life, at: [0 h], batch: 5}}
"""
    load = load_of(text)

    assert (load.low, load.high) == (0, math.inf)
    assert [cause.value for cause in load.causes] == ["circle"]
    assert not load.grows


LOSS = """
zones: {Z: {d: {units: 3}, e: {units: 4}}}
flows:
  f:
    steps:
      d: {hold: {d: Z.d}, patience: {longest: 0 s, next: e}, take: LAW, next: end}
      e: {hold: {d: Z.e}, take: 20 min}
traffic: {a: {flow: f, rate: 6 /h}}
"""


@pytest.mark.parametrize("law", ["20 min", "{exponential: {mean: 20 min}}", "{uniform: [0 min, 40 min]}"])
def test_overflow_of_a_loss_system(law):
    """
    Of two erlangs offered to three units, Erlang's B is 4/19, whatever the law; the others' work is the next line's.
    """
    text = LOSS.replace("LAW", law)

    assert erlang_loss(3, 2.0) == pytest.approx(4 / 19)
    assert load_of(text).mean == pytest.approx(2 * 15 / 19 / 3)
    assert load_of(text, "Z.e").mean == pytest.approx(2 * 4 / 19 / 4)


@pytest.mark.parametrize(
    ("change", "cause"),
    [
        (("rate: 6 /h", "rate: 6 /h, batch: 2"), "patience"),
        (("rate: 6 /h", "at: [1 h, 26 h]"), "patience"),
        (("longest: 0 s", "longest: 5 min"), "patience"),
        (("    steps:\n", "    steps:\n      look: {when: {queue: {of: Z.e, longer_than: 1}}, next: end}\n"), "state"),
    ],
)
def test_other_overflow_is_not_known(change, cause):
    """
    Arrivals in batches or as listed, patience above 0, and who looks at a line first: bounds, and why it is not known.
    """
    load = load_of(LOSS.replace("LAW", "20 min").replace(*change), "Z.e")

    assert math.isnan(load.mean)
    assert load.low == 0
    assert 0 < load.high < math.inf
    assert cause in {each.value for each in load.causes}


def test_both_ways_have_the_same_work():
    """
    Who gives up at one desk and goes to another that takes as long loads the third desk all the same: that is known.
    """
    text = """
zones: {Z: {a: {units: 1}, b: {units: 1}, d: {units: 1}}}
flows:
  f:
    steps:
      a: {hold: {d: Z.a}, patience: {longest: 5 min, next: b}, take: 5 min, next: d}
      b: {when: {open: Z.b}, hold: {d: Z.b}, take: 5 min}
      d: {hold: {d: Z.d}, take: 6 min}
traffic: {x: {flow: f, rate: 2 /h}}
"""

    assert load_of(text).mean == pytest.approx(0.2)
    assert math.isnan(load_of(text, "Z.a").mean)


UNKNOWN = {
    "the last of two random branches": (
        inside("{p: {parallel: {a: {steps: {x: {wait_until: day}}}, b: {take: 10 min}}}}"),
        20 / 60,
        math.inf,
        "longest",
    ),
    "work in the open time of a calendar": (inside("{x: {take: 10 min, during: day}}"), 20 / 60, math.inf, "hours"),
    "waiting for an hour": (inside("{x: {take: 10 min}, y: {wait_until: day}}"), 20 / 60, math.inf, "hours"),
    "waiting for a batch": (
        inside("{x: {take: 10 min}, y: {gather: {number: 2}}}", units=3),
        20 / 180,
        math.inf,
        "batch",
    ),
    "only when there is no line": (
        inside("{x: {take: 10 min}, y: {when: {queue: {of: Z.d, longer_than: 2}}, take: 5 min}}"),
        20 / 60,
        30 / 60,
        "state",
    ),
}


@pytest.mark.parametrize("name", UNKNOWN)
def test_what_depends_on_the_state_is_not_known(name):
    """
    No number is given where the work follows from nothing but a run; there are bounds, and a reason.
    """
    text, low, high, cause = UNKNOWN[name]
    load = load_of(text)

    assert math.isnan(load.mean)
    assert math.isnan(load.peak)
    assert load.low == pytest.approx(low)
    assert load.high == pytest.approx(high)
    assert [each.value for each in load.causes] == [cause]


def test_waits_in_line_with_units_in_hand_come_on_top():
    """
    Who holds a lane while he waits for an officer holds it for longer than the work: the load is told as a least one.
    """
    load = load_of(inside("{x: {hold: {e: Z.e}, take: 10 min}}"))

    assert load.mean == pytest.approx(20 / 60)
    assert load.waits


def test_a_flow_with_too_many_ways_has_no_load(monkeypatch):
    """
    Ways that would take too long to follow are not followed: the load is unknown, and no line is said to grow.
    """
    text = inside("{x: {take: 50 min}}")

    assert load_of(text).grows
    monkeypatch.setattr("zonesim.plan.ways.MOST_STEPS", 3)
    load = load_of(text.replace("50 min", "51 min"))  # loads of one plan are remembered

    assert math.isnan(load.mean)
    assert [cause.value for cause in load.causes] == ["size"]
    assert not load.grows


def test_a_loop_that_who_gives_up_goes_round_has_no_most():
    """
    Whoever gives up and comes back may work any number of times on the way: at least 0, and no bound.
    """
    text = """
zones: {Z: {d: {units: 1}, e: {units: 1}}}
flows: {f: {steps: {w: {hold: {d: Z.d}, take: 1 min}, s: {hold: {e: Z.e}, patience: {longest: 1 h, next: w}, take: 6 min}}}}
traffic: {a: {flow: f, rate: 2 /h}}
"""
    load = load_of(text)

    assert (load.low, load.high) == (pytest.approx(2 / 60), math.inf)
    assert {cause.value for cause in load.causes} == {"patience", "circle"}
    assert load_of(text, "Z.e").high == pytest.approx(0.2)


def test_who_waits_for_the_opening_may_give_up():
    """
    What has no limit but opening hours is waited for all the same: how many give up and go to the desk is not known.
    """
    text = """
zones: {Z: {d: {units: 1}, hall: {units: unlimited, open: day}}}
flows: {f: {steps: {s: {hold: {h: Z.hall}, patience: {longest: 1 h, next: d}, next: end}, d: {hold: {d: Z.d}, take: 6 min}}}}
traffic: {a: {flow: f, rate: 2 /h}}
"""
    load = load_of(text)

    assert (load.low, load.high) == (0, pytest.approx(0.2))


def test_the_shortest_of_several_lines_gets_nobody_knows_what():
    """
    Together they get all; one of them none or all. A single candidate is no choice.
    """
    text = """
zones: {Z: {d: {units: 1}, e: {units: 1}}}
flows: {f: {steps: {s: {hold: {d: {shortest: [Z.d, Z.e]}}, take: 6 min}}}}
traffic: {a: {flow: f, rate: 2 /h}}
"""
    load = load_of(text)

    assert (load.low, load.high) == (0, pytest.approx(0.2))


def test_units_by_the_hour():
    """
    With units at all hours the load of an hour is its work over its units, in the window the work over all of them;
    what comes in hours without units is spread over all the others.
    """
    text = """
zones: {Z: {d: {units: {mon-sun: {"00:00-06:00": 1, "06:00-12:00": 2, "12:00-24:00": NIGHT}}}}}
flows: {f: {steps: {s: {hold: {d: Z.d}, take: 15 min}}}}
traffic: {a: {flow: f, rate: 2 /h}}
"""
    always, shuts = load_of(text.replace("NIGHT", "4")), load_of(text.replace("NIGHT", "0"))

    assert always.mean == pytest.approx(0.5 * 24 / (6 + 12 + 48))
    assert always.hourly.tolist() == pytest.approx(([0.5] * 6 + [0.25] * 6 + [0.125] * 12) * 7)
    assert always.peak_hour == 0
    assert shuts.mean == pytest.approx(0.5 * 24 / 18)
    assert shuts.hourly.tolist() == pytest.approx(([0.5 + 6 / 18] * 6 + [0.25 + 6 / 18] * 6 + [0.0] * 12) * 7)


LISTED = """
clock: {{start: "2018-09-03", measure: 1 d, cool_down: {cool_down}}}
zones: {{Z: {{d: {{units: 1}}}}}}
flows: {{f: {{steps: {{wait: {{take: {before}}}, s: {{hold: {{d: Z.d}}, take: 60 min}}}}}}}}
traffic: {{a: {{flow: f, at: [{at}]}}}}
"""
TWELVE = "1 h, 4 h, 6 h, 8 h, 10 h, 12 h, 14 h, 16 h, 18 h, 20 h, 21 h, 22 h"


@pytest.mark.parametrize("cool_down", ["0 d", "1 d", "9 d"])
def test_listed_arrivals_count_in_the_window(cool_down):
    """
    Twelve hours of work in a day are a load of 50 %, however long the run goes on afterwards; the line comes to its end.
    """
    load = load_of(LISTED.format(cool_down=cool_down, before="0 h", at=TWELVE), head="")

    assert load.mean == pytest.approx(0.5)
    assert load.must == 0


@pytest.mark.parametrize(
    ("before", "at"),
    [("30 h", TWELVE), ("0 h", "23 h, 23.2 h, 23.4 h, 23.6 h, 23.8 h"), ("0 h", "1 h, 23.9 h")],
)
def test_listed_arrivals_with_work_outside_of_the_window(before, at):
    """
    Where much of the work is done after the window, because it comes late in it or takes its time, the load is unknown.
    """
    load = load_of(LISTED.format(cool_down="9 d", before=before, at=at), head="")

    assert math.isnan(load.mean)
    assert [each.value for each in load.causes] == ["listed"]


LATER = {
    "who is started later": """
  f: {steps: {go: {spawn: {traffic: back, after: 30 h}}}}
  g: {steps: {work: {hold: {d: Z.d}, take: 60 min}}}
traffic: {a: {flow: f, at: [TIMES]}, back: {flow: g, spawned: true}}
""",
    "who leaves with a batch at set times": """
  f: {steps: {collect: {gather: {until: shop}, steps: {ride: {take: 1 min}}}, work: {hold: {d: Z.d}, take: 60 min}}}
traffic: {a: {flow: f, at: [TIMES]}}
""",
}


@pytest.mark.parametrize("name", LATER)
def test_work_right_behind_a_wait_comes_as_late_as_the_wait_is_long(name):
    """
    Listed arrivals whose work follows at once on a long wait for something else than units do it after the window, as
    they would if another step stood between: the load is unknown.
    """
    text = LISTED.format(cool_down="9 d", before="0 h", at="0 h").split("flows:")[0]
    text += "calendars: {shop: {mon-sun: ['09:00-10:00']}}\nflows:" + LATER[name].replace("TIMES", TWELVE)
    load = load_of(text, head="")

    assert not load.is_known
    assert "listed" in [each.value for each in load.causes]


def test_batches_of_poisson_arrivals():
    """
    A batch that waits a quarter of an hour for more has 1 + 0.5 members at two an hour; one of at most two has
    1 + P(another comes); of arrivals in groups of their own it is not known.
    """
    text = """
zones: {Z: {d: {units: 1}}}
flows: {f: {steps: {g: {gather: GATHER, steps: {s: {hold: {d: Z.d}, take: 6 min}}}}}}
traffic: {a: {flow: f, rate: 2 /h}}
"""
    quarter = text.replace("GATHER", "{within: 15 min}")
    two = text.replace("GATHER", "{within: 15 min, number: 2}")
    grouped = load_of(two.replace("2 /h", "1 /h, batch: 2"))

    assert load_of(quarter).mean == pytest.approx(0.2 / 1.5)
    assert load_of(two).mean == pytest.approx(0.2 / (2 - math.exp(-0.5)))
    assert (grouped.low, grouped.high) == (pytest.approx(0.1), pytest.approx(0.2))


def test_what_is_unlimited_in_office_hours_has_no_load_around_holidays():
    """
    Of units without limit there is no load, also where they are there in office hours and a holiday makes weeks differ.
    """
    text = """
clock: {start: "2018-09-24", measure: 2 week, holidays: cn}
zones: {Z: {desk: {units: unlimited, open: office}, clerk: {units: 1, open: office}}}
flows: {f: {steps: {look: {hold: {d: Z.desk}, take: 1 min}, file: {hold: {c: Z.clerk}, take: 1 min}}}}
traffic: {a: {flow: f, rate: 1 /h}}
"""
    plan = plan_of(text)

    assert [str(plan.names.resources[load.resource]) for load in loads(plan)] == ["Z.clerk"]
