"""One line for several unlike resources: `hold: {clerk: {any: […]}}`."""

from __future__ import annotations

import pytest

from tests.helper import kpis, plan_of, run
from tests.timelines.test_shortest_line import where
from zonesim.faults import Faults, RunFault
from zonesim.plan import loads
from zonesim.tracing.story import tell
from zonesim.tracing.trail import follow

DESKS = """
clock: {measure: 100 min}
zones: {Z: {fast: {units: 1}, slow: {units: 1}, room: {units: 1}}}
flows:
  f:
    params: {fast: duration, slow: duration}
    steps: {s: {hold: {c: {any: [Z.fast, Z.slow]}}, take: {by: c, Z.fast: $fast, Z.slow: $slow}}}
  only: {params: {t: duration}, steps: {s: {hold: {c: Z.slow}, take: $t}}}
  large: {params: {t: duration}, steps: {s: {hold: {c: {resource: Z.slow, units: 2}}, take: $t}}}
traffic:
"""


def desks(*tokens: str, text: str = DESKS) -> str:
    """Return a scenario with desks; a token is written `name arrival fast slow`, or `name arrival time` for one desk."""
    for token in tokens:
        name, at, *times = token.split()
        flow = "f" if len(times) == 2 else "large" if name.isupper() else "only"
        given = zip(("fast", "slow") if flow == "f" else ("t",), times, strict=True)
        arguments = ", ".join(f"{key}: {time} min" for key, time in given)
        text += f"  {name}: {{flow: {flow}, at: [{at} min], with: {{{arguments}}}}}\n"
    return text


def test_the_preferred_one_then_the_first_that_comes_free(engine):
    """
    Of several that are free the first of the list is taken; who waits takes the first that comes free, in the order of
    coming, and the time is that of the one which was taken.
    """
    line = run(desks("a 0 4 9", "b 1 4 9", "c 2 4 9", "d 3 4 9", "e 20 4 9"), engine=engine)

    assert where(line, "s") == {"a0": "fast", "b0": "slow", "c0": "fast", "d0": "fast", "e0": "fast"}
    assert line.visits("s") == {
        "a0": (0, 0, 4),
        "b0": (1, 1, 10),
        "c0": (2, 4, 8),
        "d0": (3, 8, 12),
        "e0": (20, 20, 24),
    }


def test_both_come_free_at_once(engine):
    """
    At an instant at which both come free the order of events decides who is served first; each takes what is preferred
    of what is free then.
    """
    line = run(desks("a 0 5 5", "b 0 5 5", "c 1 1 1", "d 2 1 1"), engine=engine)

    assert where(line, "s") == {"a0": "fast", "b0": "slow", "c0": "fast", "d0": "slow"}
    assert line.starts("s") == {"a0": 0, "b0": 0, "c0": 5, "d0": 5}


def test_skills(engine):
    """
    Who can be served by one desk alone and who by both stand in one line there: first come, first served.
    """
    line = run(desks("a 0 10 9", "b 0 9 6", "x 1 2", "c 2 9 9", "y 3 2"), engine=engine)

    assert where(line, "s") == {"a0": "fast", "b0": "slow", "x0": "slow", "c0": "slow", "y0": "slow"}
    assert line.starts("s") == {"a0": 0, "b0": 0, "x0": 6, "c0": 8, "y0": 17}


def test_who_waits_is_counted_in_each_queue_and_once_at_the_step():
    """
    A wait counts in the queues of both desks, and once at the step. The load of each is not known: from none to all of
    it.
    """
    plan = plan_of(desks("a 0 4 9", "b 0 4 9", "c 1 4 9"))

    values = kpis(plan)[0].values

    assert values["Z.fast.queue.mean"] == values["Z.slow.queue.mean"] == pytest.approx(3 / 100)
    assert values["f.s.wait.mean"] == pytest.approx(1.0)
    assert values["f.s.visits.day"] == pytest.approx(3 * 14.4)
    assert values["Z.fast.utilisation"] == pytest.approx(0.08)
    assert [(load.low, load.high) for load in loads(plan)] == [
        (0.0, pytest.approx(0.12)),
        (0.0, pytest.approx(0.27)),
        (0.0, 0.0),
    ]


def test_patience_and_priority(engine):
    """
    Who gives up leaves all queues; smaller numbers are served first at whatever comes free.
    """
    text = DESKS.replace(
        "Z.slow]}}, take", "Z.slow]}}, priority: {A: 1, all: 2}, patience: {longest: 3 min, next: end}, take"
    )
    text = desks("a 0 5 8", "b 0 5 8", "c 1 5 5", "d 3 2 2", "e 4 1 1", text=text)
    line = run(text.replace("e: {flow: f,", "e: {flow: f, class: A,"), engine=engine)

    assert line.visits("s")["c0"] == (1, -1, 4)
    assert line.visits("s")["e0"] == (4, 5, 6)
    assert line.visits("s")["d0"] == (3, 6, 8)
    assert where(line, "s")["b0"] == "slow"


def test_who_was_held_up_by_one_that_is_served_elsewhere(engine):
    """
    Two of a kind are asked for: who is first in line and finds one of them free holds up those behind who need one only.
    Once it gets two of the other kind, those behind it are served at once.
    """
    text = DESKS.replace("fast: {units: 1}, slow: {units: 1}", "fast: {units: 2}, slow: {units: 2}").replace(
        "[Z.fast, Z.slow]}", "[Z.fast, Z.slow], units: 2}"
    )
    line = run(desks("a 0 5 5", "x 0 20", "c 1 7 9", "y 2 1", text=text), engine=engine)

    assert where(line, "s") == {"a0": "fast", "x0": "slow", "c0": "fast", "y0": "slow"}
    assert line.starts("s") == {"a0": 0, "x0": 0, "c0": 5, "y0": 5}


def test_a_room_for_either(engine):
    """
    Another resource of the same step is taken with the one that is chosen, all or nothing; who lacks it holds nobody up.
    """
    text = DESKS.replace("{any: [Z.fast, Z.slow]}", "{any: [Z.fast, Z.slow]}, r: Z.room")
    line = run(desks("a 0 5 5", "b 1 5 5", "x 2 1", "y 6 9", text=text), engine=engine)

    assert where(line, "s") == {"a0": "fast", "b0": "fast", "x0": "slow", "y0": "slow"}
    assert line.starts("s") == {"a0": 0, "b0": 5, "x0": 2, "y0": 6}


def test_a_block_that_knows_what_was_taken(engine):
    """
    Inside the step the name of the hold is the resource that was taken: for times, conditions and calls. It can be kept.
    """
    text = """
clock: {measure: 100 min}
zones: {Z: {one: {units: 1}, two: {units: 1}}}
flows:
  f:
    params: {zone: {kind: zone, default: Z}}
    steps:
      s:
        hold: {c: {any: [$zone.one, $zone.two]}}
        keep: {c: until out}
        steps:
          in: {take: {by: c, $zone.one: 3 min, all: 5 min}}
          more: {when: {c: Z.two}, take: 1 min}
          sub: {call: g, with: {r: $c}}
      out: {take: 2 min}
  g: {params: {r: resource}, steps: {g: {take: {by: r, Z.one: 1 min, Z.two: 4 min}}}}
traffic: {a: {flow: f, at: [0 min, 0 min, 1 min]}}
"""
    line = run(text, engine=engine)

    assert where(line, "s") == {"a0": "one", "a1": "two", "a2": "one"}
    assert line.visits("s.in") == {"a0": (0, 0, 3), "a1": (0, 0, 5), "a2": (6, 6, 9)}
    assert line.visits("s.more") == {"a1": (5, 5, 6)}
    assert line.visits("s.sub.g") == {"a0": (3, 3, 4), "a1": (6, 6, 10), "a2": (9, 9, 10)}
    assert line.visits("s.keep.c") == {"a0": (4, 4, 6), "a1": (10, 10, 12), "a2": (10, 10, 12)}


def test_the_one_that_is_done_before_it_closes(engine):
    """
    Where nothing starts that would not end before closing time, the time at each is compared with its own closing; who
    is passed over waits for the next opening of either.
    """
    text = """
clock: {start: "2018-09-03", measure: 100 min}
calendars: {c: {mon: ["00:00-00:10", "00:30-02:00"]}, d: {mon: ["00:00-00:20", "00:40-02:00"]}}
zones:
  Z:
    fast: {units: 1, open: c, at_shift_end: fits}
    slow: {units: 1, open: d, at_shift_end: fits}
flows:
  f:
    params: {fast: duration, slow: duration}
    steps: {s: {hold: {c: {any: [Z.fast, Z.slow]}}, take: {by: c, Z.fast: $fast, Z.slow: $slow}}}
traffic:
"""
    line = run(desks("a 5 6 9", "b 6 4 9", "c 7 12 14", text=text), engine=engine)

    assert where(line, "s") == {"a0": "slow", "b0": "fast", "c0": "fast"}
    assert line.visits("s") == {"a0": (5, 5, 14), "b0": (6, 6, 10), "c0": (7, 30, 42)}


def test_interrupted_work_goes_on_with_the_same(engine):
    """
    Work that a breakdown cuts short waits for the same resource, also where the other one is free; the calendars of both
    count, and newcomers take what is in order.
    """
    text = DESKS.replace(
        "fast: {units: 1}", "fast: {units: 1, at_shift_end: pause, breakdowns: {up: 10 min, repair: 20 min}}"
    )
    line = run(desks("a 5 8 8", "b 12 3 3", "c 16 3 3", "d 29 4 4", text=text), engine=engine)

    assert where(line, "s") == {"a0": "fast", "b0": "slow", "c0": "slow", "d0": "slow"}
    assert line.visits("s") == {"a0": (5, 5, 33), "b0": (12, 12, 15), "c0": (16, 16, 19), "d0": (29, 29, 33)}
    assert line.visits("s.interrupted") == {"a0": (10, 30, 30)}


def test_interrupted_work_goes_on_where_another_held_it_up(engine):
    """
    Both desks break down at minutes 10, 30, … for 10 min. At 20 the one who is ahead in both lines takes the first desk: in that
    instant the work at the second goes on, of which nobody is ahead any more.
    """
    text = """
clock: {measure: 100 min}
zones:
  Z:
    a: {units: 1, at_shift_end: pause, breakdowns: {up: 10 min, repair: 10 min, of: whole}}
    b: {units: 1, at_shift_end: pause, breakdowns: {up: 10 min, repair: 10 min, of: whole}}
flows:
  first: {steps: {s: {hold: {d: Z.a}, priority: 2, take: 25 min}}}
  second: {steps: {s: {hold: {d: Z.b}, priority: 2, take: 25 min}}}
  any: {steps: {s: {hold: {d: {any: [Z.a, Z.b]}}, priority: 1, take: 1 min}}}
traffic:
  one: {flow: first, at: [0 min]}
  two: {flow: second, at: [0 min]}
  ahead: {flow: any, at: [5 min]}
"""
    line = run(text, engine=engine)

    assert line.visits("s") == {"one0": (0, 0, 46), "two0": (0, 0, 45), "ahead0": (5, 20, 21)}
    assert line.rows("s.interrupted") == [
        ("two0", (10, 20, 20)),
        ("one0", (10, 21, 21)),
        ("one0", (30, 40, 40)),
        ("two0", (30, 40, 40)),
    ]


def test_who_waits_for_ever():
    """
    Who waits for two, of which one comes back, goes on; a wait for what nobody gives back is a deadlock that names both.
    """
    text = """
clock: {measure: 100 min}
zones: {Z: {one: {units: 1}, two: {units: 1}, door: {units: 1}}}
flows:
  f: {steps: {s: {hold: {c: {any: [Z.one, Z.two]}}, steps: {in: {hold: {d: Z.door}, take: 5 min}}}}}
  g: {steps: {s: {hold: {d: Z.door}, steps: {in: {take: 1 min}, on: {hold: {c: {any: [Z.one, Z.two]}}, take: 1 min}}}}}
traffic: {a: {flow: g, at: [0 min]}, b: {flow: f, at: [0 min, 0 min]}}
"""
    for engine in ("simpy", "compiled"):
        with pytest.raises(RunFault) as caught:
            run(text, engine=engine)

        assert "a#0 waits at s.on for 1 of Z.one (held by b#0), or 1 of Z.two (held by b#1)" in str(caught.value)


def test_the_story_tells_of_both_queues():
    """
    A wait for any of two is told of each: how long it was short, and who was ahead there.
    """
    plan = plan_of(desks("a 0 4 9", "b 0 4 9", "c 1 4 9"))

    (moment,) = [each for each in tell(plan, follow(plan, "c#0", 1, 0)) if each.kind == "step"]

    assert [(plan.names.resources[each.resource].name, each.short) for each in moment.shortages] == [
        ("fast", 3 * 60_000),
        ("slow", 3 * 60_000),
    ]
    assert [each.ahead[0].token for each in moment.shortages] == ["a#0", "b#0"]


FAULTS = {
    "any: [Z.fast]": "timeline.yaml:10:33: 'any' has 1 entries, 2 are due\n    Leave some out, or add some.",
    "any: [Z.fast, Z.slow, Z.fast]": (
        "timeline.yaml:10:33: 'Z.fast' stands in the list twice\n    Name each resource once."
    ),
    "any: [Z.fast, Z.slow]}, d: {shortest: [Z.fast, Z.slow]": (
        "timeline.yaml:10:17: two choices of a line in one step\n    Make two steps of it."
    ),
    "any: [Z.fast, Z.slow]}, d: {resource: Z.slow": (
        "timeline.yaml:10:55: 'Z.slow' is one of those that 'c' may take\n"
        "    Take it in a step of its own, or leave it out of the list."
    ),
    "any: [Z.fast, Z.room]": (
        "timeline.yaml:10:59: 'c' is 'Z.room' here, for which no value is given\n    Known cases: Z.fast, Z.slow."
    ),
}


@pytest.mark.parametrize("written", FAULTS)
def test_choices_that_are_none(written: str):
    """
    A choice of one, one named twice, two choices at once, one that is held besides, one without a time.
    """
    with pytest.raises(Faults) as caught:
        plan_of(desks("a 0 1 1").replace("any: [Z.fast, Z.slow]", written))

    assert str(caught.value) == FAULTS[written]


def test_nobody_is_interrupted_by_who_waits_for_any():
    """
    A preemptive resource is not one of several: its fault stands at the resource, or at the list.
    """
    with pytest.raises(Faults) as caught:
        plan_of(desks("a 0 1 1").replace("fast: {units: 1}", "fast: {units: 1, preempt: true}"))

    assert str(caught.value) == (
        "timeline.yaml:10:33: Z.fast has `preempt`, but who waits for any of several interrupts nobody\n"
        "    Leave it out of the list, or leave out `preempt`."
    )
