"""Deadlines: `due` notes them, conditions and patience look at them, results tell who leaves late."""

from __future__ import annotations

import pytest

from tests.helper import kpis, plan_of, run
from zonesim.faults import Faults
from zonesim.kpi import catalogue

DESK = """
clock: {start: "2018-09-03", measure: 100 min, cool_down: 20 min}
calendars: {c: {mon: ["00:00-00:20", "00:40-01:00"]}}
zones: {Z: {d: {units: 1}}}
flows:
  f:
    steps:
      come: {due: {flight: {closing: c}, papers: 12 min}}
      s: {hold: {d: Z.d}, patience: {until: flight, next: missed}, take: 8 min, next: good}
      missed: {mark: missed, next: end}
      good: {when: {in_time: papers}, mark: good}
      late: {when: {overdue: papers}, mark: late}
traffic: {a: {flow: f, at: [0 min, 1 min, 2 min, 3 min, 30 min]}}
"""


def test_a_deadline_parts_tokens_and_ends_waits(engine):
    """
    A deadline is the next closing of a calendar, also where it is shut at present, or a time from now on; the moment of it
    is a mark. Who waits gives up at it; a deadline is in time to its last instant.
    """
    line = run(DESK, engine=engine)

    assert line.marks("flight.due") == {"a0": 20, "a1": 20, "a2": 20, "a3": 20, "a4": 60}
    assert line.marks("papers.due") == {"a0": 12, "a1": 13, "a2": 14, "a3": 15, "a4": 42}
    assert line.visits("s") == {
        "a0": (0, 0, 8),
        "a1": (1, 8, 16),
        "a2": (2, 16, 24),
        "a3": (3, -1, 20),
        "a4": (30, 30, 38),
    }
    assert line.marks("missed") == {"a3": 20}
    assert line.marks("good") == {"a0": 8, "a4": 38}
    assert line.marks("late") == {"a1": 16, "a2": 24}


def test_to_the_last_instant(engine):
    """
    Who is done at the very moment is in time, who comes to a line after it gives up at once, and who has no such deadline
    is neither overdue nor in time and waits as long as it takes.
    """
    text = """
clock: {measure: 100 min}
zones: {Z: {d: {units: 1}}}
flows:
  f:
    params: {within: duration, walk: duration}
    steps:
      come: {when: {within: [5 min]}, due: {x: $within}}
      walk: {take: $walk}
      good: {when: {in_time: x}, mark: good}
      late: {when: {overdue: x}, mark: late}
      s: {hold: {d: Z.d}, patience: {until: x}, take: 10 min}
traffic:
  a: {flow: f, at: [0 min], with: {within: 5 min, walk: 5 min}}
  b: {flow: f, at: [0 min], with: {within: 5 min, walk: 6 min}}
  c: {flow: f, at: [0 min], with: {within: 9 min, walk: 6 min}}
"""
    line = run(text, engine=engine)

    assert line.marks("good") == {"a0": 5}
    assert line.marks("late") == {"b0": 6}
    assert line.visits("s") == {"a0": (5, 5, 15), "b0": (6, -1, 6), "c0": (6, 15, 25)}


def test_a_later_note_takes_the_place_of_an_earlier_one_and_children_inherit(engine):
    """
    Children and called flows know the deadline; one that is noted again counts from then on.
    """
    text = """
clock: {measure: 100 min}
flows:
  g: {steps: {look: {when: {overdue: x}, mark: called}}}
  f:
    steps:
      come: {due: {x: 10 min}, take: 4 min}
      trucks: {split: {into: truck, count: 2}}
      drive: {take: 8 min}
      look: {when: {overdue: x}, mark: child}
      together: {join: trucks}
      sub: {call: g}
      again: {due: {x: 30 min}}
      fine: {when: {in_time: x}, mark: fine}
traffic: {a: {flow: f, at: [0 min]}}
"""
    line = run(text, engine=engine)

    assert line.marks("child") == {"a0/1": 12, "a0/2": 12}
    assert line.marks("called") == {"a0": 12}
    assert line.marks("fine") == {"a0": 12}
    assert line.marks("x.due") == {"a0": 42}


def test_who_is_late_and_by_how_much():
    """
    The share of those with the deadline who leave after it, and their mean lateness, 0 for who is in time.
    """
    values = kpis(plan_of(DESK))[0].values

    assert values["f.flight.due.late"] == pytest.approx(1 / 5)
    assert values["f.flight.due.mean"] == pytest.approx(4 / 5)
    assert values["f.papers.due.late"] == pytest.approx(3 / 5)
    assert values["f.papers.due.mean"] == pytest.approx((3 + 10 + 5) / 5)


def test_who_is_still_inside_is_late_once_the_deadline_has_passed():
    """
    Who has not left when the run ends is late where the deadline has passed, and undecided where it has not.
    """
    text = """
clock: {measure: 10 min}
flows: {f: {params: {d: duration}, steps: {s: {due: {x: $d}, take: 30 min}}}}
traffic: {a: {flow: f, at: [0 min], with: {d: 5 min}}, b: {flow: f, at: [0 min], with: {d: DUE}}}
"""
    passed, open_ = (kpis(plan_of(text.replace("DUE", due)))[0] for due in ("6 min", "20 min"))

    assert passed.values["f.x.due.late"] == 1.0
    assert open_.withheld["f.x.due.late"] == pytest.approx(1 / 2)


FAULTS = {
    "a mark that nobody makes": (
        "clock: {measure: 1 h}\nflows: {f: {steps: {a: {due: {x: {within: 5 min, mark: fild}}}, b: {mark: filed}}}}\ntraffic: {t: {flow: f, at: [0 h]}}",
        "the deadline 'x' is for the mark 'fild', which nobody makes in flow 'f'\n    Did you mean 'filed'?",
    ),
    "a deadline without a time": (
        "clock: {measure: 1 h}\nflows: {f: {steps: {a: {due: {x: {mark: filed}}}, b: {mark: filed}}}}\ntraffic: {t: {flow: f, at: [0 h]}}",
        "a deadline is a time, an opening or a closing\n    Write {within: 14 d, mark: declared}.",
    ),
    "a time besides a time": (
        "clock: {measure: 1 h}\nflows: {f: {steps: {a: {due: {x: {within: 5 min, after: 1 h, mark: filed}}}, b: {mark: filed}}}}\ntraffic: {t: {flow: f, at: [0 h]}}",
        "'after' is for an opening or a closing\n    Add the two times.",
    ),
    "a deadline that nobody notes": (
        DESK.replace("in_time: papers", "in_time: paper"),
        "no deadline 'paper'\n    Did you mean 'papers'?",
    ),
    "patience for two": (
        DESK.replace("until: flight,", "until: flight, longest: 5 min,"),
        "either a longest wait or a deadline is due\n    Write {longest: 30 min} or {until: flight}.",
    ),
    "patience for none": (
        DESK.replace("until: flight, next: missed", "next: missed"),
        "either a longest wait or a deadline is due\n    Write {longest: 30 min} or {until: flight}.",
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_faults(name):
    """
    A deadline that no step notes, two ends of a patience, none.
    """
    text, told = FAULTS[name]
    with pytest.raises(Faults) as caught:
        plan_of(text)

    assert told in str(caught.value)


def test_who_has_no_deadline_waits_for_ever(engine):
    """
    Patience until a deadline that nobody can note, since its step is never done, never ends.
    """
    line = run(
        """clock: {measure: 10 h}
zones: {Z: {desk: {units: {mon-sun: [1, 1, 1, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1]}}}}
flows: {f: {steps: {note_it: {when: {shut: always}, due: {soon: 5 min}}, serve: {hold: {d: Z.desk}, patience: {until: soon}, take: 1 min}}}}
traffic: {t: {flow: f, at: [1 h, 200 min, 210 min]}}
""",
        engine=engine,
    )

    assert line.rows("serve") == [("t0", (60, 60, 61)), ("t1", (200, 300, 301)), ("t2", (210, 301, 302))]


FOR_A_MARK = """
clock: {start: "2018-09-03", measure: 10 h, cool_down: 10 h}
calendars: {night: {mon-sun: ["06:00-18:00"]}}
flows:
  f:
    params: {papers: duration}
    steps:
      come: {due: {entry: {within: 3 h, mark: filed, label: {en: Filing, zh: 申报期限}}, flight: {closing: night, mark: off}}}
      prepare: {take: $papers}
      file: {mark: filed}
      wait: {take: 9 h}
      fly: {mark: off}
traffic:
  a: {flow: f, at: [0 h, 9 h], with: {papers: 1 h}}
  b: {flow: f, at: [1 h, 8 h], with: {papers: 5 h}}
"""


def test_a_deadline_may_be_for_a_mark(engine):
    """
    A deadline that is for a mark is kept by making that, however long one stays; results tell whose mark is late, how many a day, and by how much. The next
    closing of a calendar is such a deadline too.
    """
    line = run(FOR_A_MARK, engine=engine)
    told = kpis(plan_of(FOR_A_MARK))[0]

    assert line.marks("entry.due") == {"a0": 180, "a1": 12 * 60, "b0": 240, "b1": 11 * 60}
    assert line.marks("flight.due") == {"a0": 18 * 60, "a1": 18 * 60, "b0": 18 * 60, "b1": 18 * 60}
    assert told.values["f.entry.due.late"] == pytest.approx(2 / 4)
    assert told.values["f.entry.due.late_day"] == pytest.approx(2 / (10 / 24))
    assert told.values["f.entry.due.mean"] == pytest.approx(2 * 120 / 4)
    assert told.values["f.flight.due.late"] == pytest.approx(2 / 4)  # a1 is off at 19:00, b1 not yet when the run ends


def test_a_deadline_for_a_mark_that_is_never_made_is_broken():
    """
    Who has gone, or is still there, without the mark is late once the deadline has passed.
    """
    told = kpis(plan_of(FOR_A_MARK.replace("file: {mark: filed}", "file: {share: 0.0001 %, mark: filed}")))[0]

    assert told.values["f.entry.due.late"] == 1.0


BOOKED = """
clock: {start: "2018-09-03", measure: 40 h, cool_down: 10 h}
calendars: {flights: {mon-sun: ["04:00", "10:00", "16:00", "22:00"]}, shop: {mon-sun: ["06:00-18:00"]}}
flows:
  f:
    params: {work: duration}
    steps:
      order: {due: {flight: {opening: flights, after: 6 h, mark: aboard}, shut: {closing: shop, after: 6 h, mark: aboard}}}
      work: {take: $work}
      aboard: {wait_until: flights, mark: aboard}
traffic:
  a: {flow: f, at: [10 h, 11 h], with: {work: 6 h}}
  b: {flow: f, at: [12 h], with: {work: 11 h}}
"""


def test_an_instant_some_time_away(engine):
    """
    The flight that is booked is the first whose cut-off comes when six hours have passed, that moment included; a closing
    comes later than that moment. Who is done too late for it takes the next one.
    """
    line = run(BOOKED, engine=engine)

    assert line.marks("flight.due") == {"a0": 16 * 60, "a1": 22 * 60, "b0": 22 * 60}
    assert line.marks("shut.due") == {"a0": 18 * 60, "a1": 18 * 60, "b0": (24 + 18) * 60}
    assert line.marks("aboard") == {"a0": 16 * 60, "a1": 22 * 60, "b0": 28 * 60}
    told = kpis(plan_of(BOOKED), engine=engine)[0].values
    assert told["f.flight.due.late"] == pytest.approx(1 / 3)
    assert told["f.flight.due.mean"] == pytest.approx(6 / 3 * 60)


def test_a_deadline_after_the_end_of_the_run_is_no_headline():
    """
    Who is late is printed where all who come have had the time of the deadline when the run ends, else only written.
    """
    text = BOOKED.replace("cool_down: 10 h", "cool_down: 5 h")

    def headlines(text):
        return {kpi.id for kpi in catalogue(plan_of(text)) if kpi.headline and kpi.id.endswith("due.late")}

    assert headlines(BOOKED) == {"f.flight.due.late", "f.shut.due.late"}
    assert headlines(text) == set()
