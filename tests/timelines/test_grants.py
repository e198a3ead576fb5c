"""Who is granted what: requests for several units and resources, priorities, and who may pass whom."""

from __future__ import annotations

from tests.helper import run

TEXT = """
clock: {measure: 200 min}
zones: {Z: {bays: {units: 3}, crane: {units: 1}}}
flows:
  one: {params: {t: {kind: duration, default: 20 min}}, steps: {use: {hold: {b: Z.bays}, priority: {urgent: 1, all: 2}, take: $t}}}
  three: {steps: {use: {hold: {b: {resource: Z.bays, units: 3}}, priority: {urgent: 1, all: 2}, take: 20 min}}}
  lift: {steps: {use: {hold: {c: Z.crane}, take: 100 min}}}
  both: {steps: {use: {hold: {b: {resource: Z.bays, units: 2}, c: Z.crane}, priority: {urgent: 1, all: 2}, take: 20 min}}}
traffic:
  nobody: {flow: one, at: [201 min], classes: {urgent: 50 %, plain: 50 %}}
"""


def starts(*entries: str, engine: str) -> dict[str, float]:
    """Return when the tokens start; an entry is written `name flow minute class`."""
    text = TEXT
    for entry in entries:
        name, flow, at, klass = entry.split()
        text += f"  {name}: {{flow: {flow}, at: [{at} min], class: {klass}}}\n"
    return run(text, engine=engine).starts("use")


def test_a_newcomer_passes_those_of_a_lower_level(engine):
    """
    A large request that waits holds up its equals, not one that is more important and finds what it needs.
    """
    found = starts("a one 0 plain", "b three 1 plain", "c one 2 plain", "d one 3 urgent", engine=engine)

    assert found == {"a0": 0, "d0": 3, "b0": 23, "c0": 43}


def test_a_newcomer_does_not_pass_one_of_its_own_level_that_is_short(engine):
    """
    An urgent large request holds up the urgent small one that comes later, and the plain one as well.
    """
    found = starts("a one 0 plain", "b three 1 urgent", "c one 2 urgent", "d one 3 plain", engine=engine)

    assert found == {"a0": 0, "b0": 20, "c0": 40, "d0": 40}


def test_a_newcomer_passes_one_that_is_short_of_something_else(engine):
    """
    Who waits for the crane alone, though for bays as well, does not hold up those who want bays: there are enough for both.
    """
    found = starts("a lift 0 plain", "b both 1 urgent", "c one 2 plain", engine=engine)

    assert found == {"a0": 0, "c0": 2, "b0": 100}


def test_the_shortage_of_one_passed_over_is_that_at_each_moment(engine):
    """
    Of three free bays one goes to the newcomer that passes; then the one who waits for the crane and two bays is still not
    short of bays; the next newcomer takes the second, which makes it short, and the third newcomer waits although a bay is
    free.
    """
    found = starts("a lift 0 plain", "b both 1 plain", "c one 2 plain", "d one 3 plain", "e one 4 plain", engine=engine)

    assert found == {"a0": 0, "c0": 2, "d0": 3, "e0": 22, "b0": 100}


def test_the_more_important_is_served_first_whenever_it_came(engine):
    """
    One total order of those who wait: by level, then by the time of coming; a large urgent request is the first to be met.
    """
    found = starts("a three 0 plain", "b one 1 plain", "c three 2 urgent", "d one 3 urgent", engine=engine)

    assert found == {"a0": 0, "c0": 20, "d0": 40, "b0": 40}


def test_units_that_do_not_suffice_are_not_reserved(engine):
    """
    Nothing is put aside for the first in line: a bay that comes free stays free until all three are, and then goes to it.
    """
    found = starts(
        "a one 0 plain", "b one 5 plain", "c one 10 plain", "d three 11 plain", "e one 12 plain", engine=engine
    )

    assert found == {"a0": 0, "b0": 5, "c0": 10, "d0": 30, "e0": 50}
