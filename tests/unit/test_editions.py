"""Editions of steps: where tokens part that follow different practices, and what is proved and computed of that."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from tests.helper import add_measure, plan_of, run_plan
from zonesim.faults import Faults
from zonesim.plan import NUMBER_BITS, Plan, editions, loads
from zonesim.plan.operations import BranchOn, Op
from zonesim.policy import Arm, Chosen
from zonesim.units import HOUR

of_plans = sys.modules["zonesim.plan.loads"]
"""The module, which the function of its name hides."""

HEAD = """
clock: {measure: 1 d}
firms: {count: 40}
zones: {Z: {desk: {units: 9}, bay: {units: 2}}}
statuses: {here: {to: {}}, old: {to: {here: assumed}}, new: {to: {here: assumed}}}
"""


def practice(monkeypatch: pytest.MonkeyPatch, number: int, share: str, *edits: str) -> None:
    """Put a measure with one practice into the library."""
    more_practices(monkeypatch, number, (share, edits))


def more_practices(monkeypatch: pytest.MonkeyPatch, number: int, *practices: tuple[str, tuple[str, ...]]) -> None:
    """Put a measure into the library: its practices are adopted in one order of firms."""
    text = f"name: m{number}\nannex: {number}\nafter: [{', '.join(f'm{other}' for other in range(60, number))}]\npractices:\n"
    for name, (share, edits) in enumerate(practices):
        text += (
            f"  p{name}:\n    label: {{en: P, zh: 做法}}\n    adoption: {{share: {share}, of: volume}}\n    edits:\n"
            + "".join(f"      - {{{edit}}}\n" for edit in edits)
        )
    add_measure(monkeypatch, text)


def plan_with(steps: str, *numbers: int, flows: str = "") -> Plan:
    """Return the plan of one flow with these measures."""
    text = f"{HEAD}flows: {{f: {{steps: {{{steps}}}}}{flows}}}\ntraffic: {{a: {{flow: f, rate: 2 /h}}}}\n"
    return plan_of(text, arm=Arm("x", tuple(Chosen(f"m{number}") for number in numbers)))


def often(plan: Plan, path: str) -> int:
    """Return how many times a step stands in the program."""
    steps = [number for number, step in enumerate(plan.names.steps) if ".".join(step.path) == path]
    begins = np.isin(plan.program["op"], (Op.SEIZE, Op.DELAY))
    return int((begins & np.isin(plan.program["step"], steps)).sum())


def choices(plan: Plan) -> int:
    """Return how many times tokens part by a flag of adoption."""
    flags = len(plan.names.flags)
    branches = plan.program[(plan.program["op"] == Op.BRANCH) & (plan.program["a"] == BranchOn.FLAG)]
    return int((branches["b"] < flags).sum())


TWELVE = ", ".join(f"s{number}: {{hold: {{d: Z.desk}}, take: {10 + number} min}}" for number in range(12))


def test_twelve_practices_of_twelve_steps_make_a_program_of_three_times_the_size_at_most(monkeypatch):
    """
    A program grows with the number of practices: each edits a step of its own, so that there are 12 choices and not 4,096 editions.
    """
    plain = plan_with(TWELVE)
    for number in range(12):
        practice(monkeypatch, 60 + number, "50 %", f"set: flows.f.s{number}.take, to: 1 min")
    plan = plan_with(TWELVE, *range(60, 72))

    assert len(plan.names.flags) == choices(plan) == 12
    assert [often(plan, f"s{number}") for number in range(12)] == [2] * 12
    assert len(plan.program) == len(plain.program) + 12 * 5 <= 3 * len(plain.program)


def test_the_load_of_a_flow_with_twelve_practices_is_known(monkeypatch):
    """
    The work of the desk is the mean over who follows what, though there are 4,096 kinds of tokens.
    """
    for number in range(12):
        practice(monkeypatch, 60 + number, "50 %", f"set: flows.f.s{number}.take, to: 1 min")
    (desk,) = (load for load in loads(plan_with(TWELVE, *range(60, 72))) if load.resource == 0)

    work = sum(0.5 * (10 + number) + 0.5 for number in range(12))
    assert desk.is_known
    assert desk.mean == pytest.approx(work * 2 / 60 / 9)


def test_the_load_of_a_flow_with_twelve_practices_of_two_steps_each_is_known(monkeypatch):
    """
    Who adopted at the first step need not be remembered until the second: expected work is a sum. All statuses are proved.
    """
    steps = TWELVE + "".join(f", t{number}: {{hold: {{d: Z.desk}}, take: 9 min}}" for number in range(12))
    for number in range(12):
        practice(
            monkeypatch,
            60 + number,
            "50 %",
            f"set: flows.f.s{number}.take, to: 1 min",
            f"set: flows.f.t{number}.take, to: 2 min",
        )
    plan = plan_with(f"{steps}, last: {{set: {{status: here}}}}", *range(60, 72))
    (desk,) = (load for load in loads(plan) if load.resource == 0)

    work = sum(0.5 * (10 + number) + 0.5 + 0.5 * 9 + 0.5 * 2 for number in range(12))
    assert choices(plan) == 24
    assert desk.is_known
    assert desk.mean == pytest.approx(work * 2 / 60 / 9)


@pytest.mark.parametrize("share", ["20 %", "50 %", "100 %"])
def test_loads_are_the_same_whether_kinds_are_told_apart_at_once_or_where_they_part(monkeypatch, share):
    """
    Shares that are nested in one order, steps that are edited twice and branches that only adopters come to.
    """
    more_practices(
        monkeypatch,
        60,
        (share, ("set: flows.f.s0.take, to: 1 min", "set: flows.f.s5.take, to: 2 min")),
        ("70 %", ("set: flows.f.s3.take, to: 3 min", "remove: flows.f.s7", "set: flows.f.s4.next, to: s9")),
        ("90 %", ("add: flows.f.s0.share, to: 50 %", "set: flows.f.s10.take, to: 8 min")),
    )
    practice(
        monkeypatch,
        61,
        "40 %",
        "set: flows.f.s2.share, to: 50 %",
        "set: flows.f.s6.take, to: 3 min",
        "set: flows.g.x.take, to: 6 min",
        "add: flows.f.more, to: {background: true, call: g}, after: s1",
    )
    flows = ", g: {steps: {x: {hold: {d: Z.desk}, take: 1 min}}}"
    steps = TWELVE.replace("s2: {", "s2: {share: 30 %, ").replace("s4: {", "s4: {next: s6, ")
    at_once = loads(plan_with(steps, 60, 61, flows=flows))
    monkeypatch.setattr(of_plans, "MOST_KINDS", 1)
    later = loads(plan_with(steps, 60, 61, flows=flows), HOUR)  # another hour of the week: not those remembered

    assert [load.low for load in later] == pytest.approx([load.low for load in at_once])
    assert [load.high for load in later] == pytest.approx([load.high for load in at_once])
    assert at_once[0].is_known


def test_two_practices_of_one_step_have_the_editions_of_that_step_alone(monkeypatch):
    """
    Both edit one step, which has four editions; the steps around it have one.
    """
    practice(monkeypatch, 60, "50 %", "set: flows.f.s1.take, to: 1 min")
    practice(monkeypatch, 61, "50 %", "add: flows.f.s1.share, to: 50 %")
    plan = plan_with(TWELVE, 60, 61)

    assert [often(plan, f"s{number}") for number in range(3)] == [1, 4, 1]
    assert choices(plan) == 3


def test_nested_shares_make_one_edition_more_than_there_are_shares(monkeypatch):
    """
    Three practices of one order of firms edit one step: who adopts the rarest adopts the others too.
    """
    more_practices(
        monkeypatch,
        60,
        ("30 %", ("set: flows.f.s1.take, to: 1 min",)),
        ("50 %", ("add: flows.f.s1.share, to: 50 %",)),
        ("80 %", ("add: flows.f.s1.mark, to: seen",)),
    )

    assert often(plan_with(TWELVE, 60), "s1") == 4


def test_a_block_has_one_edition_where_only_its_inner_steps_differ(monkeypatch):
    """
    What is in hand is taken and given back for all; the inner step has two editions.
    """
    practice(
        monkeypatch,
        60,
        "50 %",
        "set: flows.f.block.inner.take, to: 1 min",
        "add: flows.f.block.more, to: {take: 1 min}",
    )
    plan = plan_with("block: {hold: {d: Z.desk}, steps: {first: {take: 2 min}, inner: {take: 9 min}}}", 60)

    assert [often(plan, path) for path in ("block", "block.first", "block.inner", "block.more")] == [1, 1, 2, 1]


def test_a_batch_is_led_by_those_alone_who_have_something_to_do_for_it(monkeypatch):
    """
    Who has no step inside a batch goes on when the batch is complete; who has one is led, as if each had a text of his own.
    """
    practice(monkeypatch, 60, "50 %", "remove: flows.f.g.s")
    plan = plan_with("g: {gather: {number: 2}, steps: {s: {take: 7 min}}}, last: {take: 1 min}", 60)
    alone = plan_with("g: {gather: {number: 2}}, last: {take: 1 min}")

    assert (plan.program["op"] == Op.GATHER).sum() == 2 * (alone.program["op"] == Op.GATHER).sum() == 2
    assert choices(plan) == 1


def test_a_block_has_two_editions_where_it_takes_something_else(monkeypatch):
    """
    Units that are taken in one edition are given back in the same one.
    """
    practice(monkeypatch, 60, "50 %", "set: flows.f.block.hold.d, to: Z.bay")
    plan = plan_with("block: {hold: {d: Z.desk}, steps: {first: {take: 2 min}, inner: {take: 9 min}}}", 60)

    assert [often(plan, path) for path in ("block", "block.first", "block.inner")] == [2, 2, 2]


def test_a_list_has_two_editions_where_splits_differ(monkeypatch):
    """
    How many children a split has is a matter of the list in which it stands with its join; the step behind is in it.
    """
    practice(monkeypatch, 60, "50 %", "set: flows.f.cut.split.count, to: 3")
    practice(monkeypatch, 61, "50 %", "set: flows.f.after.take, to: 1 min")
    plan = plan_with(
        "cut: {split: {count: 2}}, own: {take: 1 min}, end_of_cut: {join: cut}, after: {take: 2 min}", 60, 61
    )

    assert [often(plan, path) for path in ("cut.own", "own", "after")] == [0, 2, 4]


def test_steps_that_some_have_stand_in_the_order_of_each_edition(monkeypatch):
    """
    Steps put in before and after one that others leave out: each token goes through its own list.
    """
    practice(
        monkeypatch, 60, "50 %", "add: flows.f.x, to: {mark: x}, after: s1", "add: flows.f.y, to: {mark: y}, before: s2"
    )
    practice(monkeypatch, 61, "50 %", "remove: flows.f.s1", "remove: flows.f.s3")
    plan = plan_with("s1: {mark: s1}, s2: {mark: s2}, s3: {mark: s3}, s4: {mark: s4}", 60, 61)
    walked: dict[int, list[str]] = {}
    for key, _ in run_plan(plan).sink.marks.tolist():
        walked.setdefault(key & (1 << NUMBER_BITS) - 1, []).append(plan.names.marks[key >> NUMBER_BITS].name)
    ways = {tuple(way[1:-1]) for way in walked.values()}

    assert ways == {
        ("s1", "s2", "s3", "s4"),
        ("s1", "x", "y", "s2", "s3", "s4"),
        ("s2", "s4"),
        ("x", "y", "s2", "s4"),
    }


def test_a_step_that_some_do_not_have_cannot_be_gone_on_with(monkeypatch):
    """
    It is the edition in which it is missing that is wrong, so that edition is told.
    """
    practice(monkeypatch, 60, "50 %", "remove: flows.f.s2")
    with pytest.raises(Faults, match="no step 's2' to go on with"):
        plan_with("s1: {take: 1 min, next: s2}, s3: {take: 1 min}, s2: {take: 1 min}", 60)


def test_who_leaves_a_step_out_may_go_on_elsewhere(monkeypatch):
    """
    The same practice leads its followers past the step that they do not have.
    """
    practice(monkeypatch, 60, "50 %", "remove: flows.f.s2", "set: flows.f.s1.next, to: s3")
    plan = plan_with("s1: {take: 1 min, next: s2}, s3: {take: 1 min, next: end}, s2: {take: 1 min, next: s3}", 60)

    assert often(plan, "s2") == 1


LEGAL = HEAD.replace("new: {to: {here: assumed}}", "new: {to: {}}")
"""Nothing comes after `new`."""


def plan_of_statuses(number: int) -> Plan:
    """Return the plan of a flow that sets two statuses, with a measure."""
    steps = "a: {set: {status: old}}, b: {set: {status: here}}"
    text = f"{LEGAL}flows: {{f: {{steps: {{{steps}}}}}}}\ntraffic: {{a: {{flow: f, rate: 2 /h}}}}\n"
    return plan_of(text, arm=Arm("x", (Chosen(f"m{number}"),)))


def test_who_adopts_at_one_step_adopts_at_the_next(monkeypatch):
    """
    No token has the status of one edition and goes on in the other, so it is proved that all statuses are legal.
    """
    practice(monkeypatch, 60, "50 %", "set: flows.f.a.set.status, to: new", "remove: flows.f.b")
    practice(monkeypatch, 61, "50 %", "set: flows.f.a.set.status, to: new")

    assert plan_of_statuses(60).names.flags == ("adopts m60.p0",)
    with pytest.raises(Faults, match="status 'here' may come after 'new', which is not legal"):
        plan_of_statuses(61)


def test_who_adopts_the_rarer_practice_adopts_the_commoner_one(monkeypatch):
    """
    A status that followers of the rarer practice get is left out by followers of the commoner one, who include them.
    """
    more_practices(
        monkeypatch,
        60,
        ("30 %", ("set: flows.f.a.set.status, to: new",)),
        ("60 %", ("remove: flows.f.b",)),
    )
    assert len(plan_of_statuses(60).names.flags) == 2


def test_what_nobody_changes_keeps_its_numbers(monkeypatch):
    """
    Steps and children are numbered as if nobody followed anything, and behind that what practices add: so the same consignment
    meets the same luck with and without measures.
    """
    steps = "first: {take: 1 min}, behind: {background: true, take: 1 min}, cut: {split: {count: 2}}, own: {take: 1 min}, whole: {join: cut}"
    practice(monkeypatch, 60, "50 %", "add: flows.f.more, to: {background: true, take: 1 min}, after: first")
    plain, plan = plan_with(steps), plan_with(steps, 60)
    bases = [row["d"] for row in plan.program if row["op"] == Op.SPLIT]

    assert [step.path for step in plan.names.steps][: len(plain.names.steps) - 1] == [
        step.path for step in plain.names.steps
    ][:-1]
    assert bases == [4, 1, 2]


def test_editions_with_nothing_to_do_are_no_choice(monkeypatch):
    """
    A practice edits a step that these arguments never come to.
    """
    practice(monkeypatch, 60, "50 %", "set: flows.g.s.take, to: 1 min")
    flows = ", g: {params: {kind: [a, b]}, steps: {s: {when: {kind: b}, take: 5 min}}}"
    plan = plan_with("one: {call: g, with: {kind: a}}", 60, flows=flows)

    assert len(plan.names.flags) == choices(plan) == 0


def test_editions_of_a_step_are_limited(monkeypatch):
    """
    N practices of one step, each followed by some, make 2 ** n editions of it; more than the limit are not built.
    """
    fields = ["take, to: 1 min", "share, to: 50 %", "mark, to: seen", "label, to: {en: X, zh: 某}"]
    for number, field in enumerate(fields):
        act = "set" if field.startswith("take") else "add"
        practice(monkeypatch, 60 + number, "50 %", f"{act}: flows.f.s.{field}")
    assert often(plan_with("s: {take: 5 min}", 60, 61, 62, 63), "s") == 16

    monkeypatch.setattr(editions, "MOST_EDITIONS", 15)
    with pytest.raises(Faults) as found:
        plan_with("s: {take: 5 min}", 60, 61, 62, 63)
    assert str(found.value).endswith(
        "4 practices that only some follow make more than 15 editions of a step\n"
        "    Let some of them be followed by all, or leave measures out."
    )
