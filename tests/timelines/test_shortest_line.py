"""Choosing the shortest of several lines: `hold: {lane: {shortest: […]}}`."""

from __future__ import annotations

import pytest

from tests.helper import kpis, plan_of, run
from zonesim.faults import Faults
from zonesim.plan import NUMBER_BITS, loads

LANES = """
clock: {measure: 60 min}
zones: {Z: {one: {units: 1}, two: {units: 1}, three: {units: 1}}}
flows:
  f:
    entity: car
    params: {t: duration}
    steps: {lane: {hold: {lane: {shortest: [Z.one, Z.two, Z.three]}}, take: $t}}
traffic:
"""


def lanes(*tokens: str, text: str = LANES) -> str:
    """Return a scenario with lanes to choose from; a token is written `name arrival service`, both in minutes."""
    for token in tokens:
        name, at, service = token.split()
        text += f"  {name}: {{flow: f, at: [{at} min], with: {{t: {service} min}}}}\n"
    return text


def where(line, step="lane"):
    """Return the resource that each token stood in line for."""
    names = line.plan.names
    found = {}
    for key in line.sink.visits["key"].tolist():
        own = names.steps[key >> NUMBER_BITS]
        if ".".join(own.path) == step:
            found[line.name(key & (1 << NUMBER_BITS) - 1)] = names.resources[own.resources[0]].name
    return found


def test_the_first_of_the_shortest(engine):
    """
    Among equals the first of the list; who is served counts like who waits. Nobody changes lines later.
    """
    line = run(lanes("a 0 20", "b 1 20", "c 2 3", "d 3 5", "e 4 5", "g 6 1", "h 7 1"), engine=engine)

    assert where(line) == {
        "a0": "one",
        "b0": "two",
        "c0": "three",
        "d0": "one",
        "e0": "two",
        "g0": "three",
        "h0": "three",
    }
    assert line.visits("lane") == {
        "a0": (0, 0, 20),
        "b0": (1, 1, 21),
        "c0": (2, 2, 5),
        "d0": (3, 20, 25),
        "e0": (4, 21, 26),
        "g0": (6, 6, 7),
        "h0": (7, 7, 8),
    }


def test_a_lane_that_is_freed_at_this_instant_is_free(engine):
    """
    A release comes before an arrival of the same instant, so the lane counts as empty.
    """
    line = run(lanes("a 0 20", "b 0 20", "c 0 5", "d 5 1"), engine=engine)

    assert where(line)["d0"] == "three"
    assert line.starts("lane")["d0"] == 5


def test_those_who_come_together_see_each_other(engine):
    """
    Each of those who come at one instant chooses at its turn, after those before it.
    """
    line = run(lanes(*(f"{name} 0 10" for name in "abcde")), engine=engine)

    assert list(where(line).values()) == ["one", "two", "three", "one", "two"]


def test_units_and_broken_lanes_count_as_they_stand(engine):
    """
    Tokens waiting and units in use are counted, however many units there are; a lane that is broken (or shut) may be the
    shortest, and who chose it waits for it.
    """
    one = "one: {units: 3, breakdowns: {up: 30 s, repair: 10 min}}"
    line = run(lanes("a 0 9", "b 1 1", "c 2 1", "d 9.5 1").replace("one: {units: 1}", one), engine=engine)

    assert where(line) == {"a0": "one", "b0": "two", "c0": "two", "d0": "one"}
    assert line.starts("lane") == {"a0": 0, "b0": 1, "c0": 2, "d0": 10.5}


def test_a_block_behind_the_choice(engine):
    """
    A block is done with the units of the line that was chosen: inner steps, units kept from it, two units at once.
    """
    text = """
clock: {measure: 60 min}
zones: {Z: {one: {units: 2}, two: {units: 2}}}
flows:
  f:
    params: {t: duration}
    steps:
      lane: {hold: {l: {shortest: [Z.one, Z.two], units: 2}}, keep: {l: until out}, steps: {in: {take: $t}}}
      out: {take: 2 min}
traffic:
"""
    line = run(lanes("a 0 3", "b 1 3", "c 2 3", text=text), engine=engine)

    assert where(line) == {"a0": "one", "b0": "two", "c0": "one"}
    assert line.visits("lane.in") == {"a0": (0, 0, 3), "b0": (1, 1, 4), "c0": (5, 5, 8)}
    assert line.visits("lane.keep.l") == {"a0": (3, 3, 5), "b0": (4, 4, 6), "c0": (8, 8, 10)}
    assert line.totals.busy.tolist() == [20 * 60_000, 10 * 60_000]


def test_lanes_of_the_zone_that_was_given(engine):
    """
    The lines may be those of a zone that is an argument, and those who give up come from all of them.
    """
    text = """
clock: {measure: 60 min}
zones: {Z: {one: {units: 1}, two: {units: 1}}}
flows:
  f:
    params: {t: duration, zone: {kind: zone, default: Z}}
    steps:
      lane: {hold: {l: {shortest: [$zone.one, $zone.two]}}, patience: {longest: 2 min}, take: $t}
traffic:
"""
    line = run(lanes("a 0 9", "b 0 9", "c 1 1", text=text), engine=engine)

    assert where(line) == {"a0": "one", "b0": "two", "c0": "one"}
    assert line.visits("lane")["c0"] == (1, -1, 3)


def test_the_lines_are_one_step_in_results():
    """
    Waits of all lines are waits of the step; each resource has KPIs of its own. What of the load a line gets is not known: from
    none to all of it.
    """
    plan = plan_of(lanes("a 0 20", "b 1 20", "c 2 3", "d 3 5", "e 4 5"))

    values = kpis(plan)[0].values

    assert values["f.lane.visits.day"] == 5 * 24
    assert values["f.lane.wait.mean"] == pytest.approx((17 + 17) / 5)
    assert values["Z.one.utilisation"] == pytest.approx(25 / 60)
    assert [load.low for load in loads(plan)] == [0.0] * 3
    assert [load.is_known for load in loads(plan)] == [False] * 3


FAULTS = {
    "shortest: [Z.one]": "timeline.yaml:11:44: 'shortest' has 1 entries, 2 are due\n    Leave some out, or add some.",
    "shortest: [Z.one, Z.two, Z.one]": (
        "timeline.yaml:11:44: 'Z.one' stands in the list twice\n    Name each resource once."
    ),
    "shortest: [Z.one, Z.four]": (
        "timeline.yaml:11:44: zone 'Z' has no resource 'four'\n    Known resources: Z.one, Z.two, Z.three."
    ),
    "shortest: [Z.one, Z.two]}, other: {shortest: [Z.two, Z.three]": (
        "timeline.yaml:11:20: two choices of a line in one step\n    Make two steps of it."
    ),
}


@pytest.mark.parametrize("written", FAULTS)
def test_choices_that_are_none(written: str):
    """
    A choice between one, a line twice, a line that does not exist, two choices at once.
    """
    with pytest.raises(Faults) as caught:
        plan_of(lanes("a 0 1").replace("shortest: [Z.one, Z.two, Z.three]", written))

    assert str(caught.value) == FAULTS[written]
