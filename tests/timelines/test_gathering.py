"""Batches: by number, by time, by calendar, by firm or class, with or without work that one does for all."""

from __future__ import annotations

import pytest

from tests.helper import kpis, plan_of, run
from zonesim.faults import Faults, RunFault
from zonesim.plan import loads

TEXT = """
clock: {{measure: 1 d}}
calendars: {{month_end: {{mon: ["02:00-03:00", "05:00-06:00"]}}}}
zones: {{Z: {{desk: {{units: 1}}}}}}
flows:
  f:
    steps:
      wait: {{gather: {gather}}}
      go: {{take: 1 min}}
traffic: {{a: {{flow: f, at: {at}{more}}}}}
"""


def waits(engine: str, gather: str, at: str, more: str = "") -> dict[str, tuple[float, float, float]]:
    """Return the visits of the gathering step."""
    return run(TEXT.format(gather=gather, at=at, more=more), engine=engine).visits("wait")


def test_a_batch_is_complete_at_its_number(engine):
    """
    Three at a time: all go on when the third has come; the last batch is still forming when the run ends.
    """
    assert waits(engine, "{number: 3}", "[0 min, 5 min, 9 min, 10 min]") == {
        "a0": (0, 9, 9),
        "a1": (5, 9, 9),
        "a2": (9, 9, 9),
        "a3": (10, -1, -1),
    }


def test_a_batch_is_complete_when_its_first_member_has_waited(engine):
    """
    The clock starts with the first member; who comes at the very end still belongs, and the next batch has its own clock.
    """
    assert waits(engine, "{within: 10 min}", "[0 min, 9 min, 10 min, 11 min]") == {
        "a0": (0, 10, 10),
        "a1": (9, 10, 10),
        "a2": (10, 10, 10),
        "a3": (11, 21, 21),
    }


def test_a_batch_is_complete_when_a_calendar_opens(engine):
    """
    At two o'clock and at five, whoever is there; at the opening itself one still belongs; in open hours one waits for the next opening.
    """
    assert waits(engine, "{until: month_end}", "[1 h, 2 h, 2.5 h, 6 h]") == {
        "a0": (60, 120, 120),
        "a1": (120, 120, 120),
        "a2": (150, 300, 300),
        "a3": (360, -1, -1),
    }


def test_whichever_comes_first(engine):
    """
    Number, time and calendar together: the first to be met completes the batch, and a clock that is over early does nothing later.
    """
    gather = "{number: 2, within: 30 min, until: month_end}"

    assert waits(engine, gather, "[0 min, 10 min, 20 min, 100 min, 150 min]") == {
        "a0": (0, 10, 10),
        "a1": (10, 10, 10),
        "a2": (20, 50, 50),
        "a3": (100, 120, 120),
        "a4": (150, 180, 180),
    }


def test_the_longest_wait_may_be_a_law(engine):
    """
    How long a batch waits is drawn anew for the first member of each.
    """
    ends = {visit[2] for visit in waits(engine, "{within: {uniform: [1 min, 60 min]}}", "[0 h, 2 h, 4 h]").values()}
    waited = [end % 120 for end in ends]

    assert len(set(waited)) == 3
    assert all(1 <= each <= 60 for each in waited)


def test_batches_by_class(engine):
    """
    Each class has its own batch.
    """
    text = TEXT.format(gather="{number: 2, by: class}", at="[0 min, 2 min]", more=", class: red").replace(
        "traffic: {", "traffic: {b: {flow: f, at: [1 min, 5 min], classes: {red: 0 %, blue: 100 %}}, "
    )
    line = run(text, engine=engine)

    assert line.ends("wait") == {"a0": 2, "a1": 2, "b0": 5, "b1": 5}


def test_batches_by_firm(engine):
    """
    Consolidation of one firm's goods: every batch has members of one firm only.
    """
    text = TEXT.format(gather="{number: 2, by: firm}", at="[" + ", ".join(f"{n} min" for n in range(12)) + "]", more="")
    text = text.replace("flows:", "firms: {count: 2, volume: {zipf: 0}, credit: {A: 50 %, B: 50 %}}\nflows:")
    line = run(text, engine=engine)
    classes = line.totals.classes[0].tolist()  # firm and class are one here
    together: dict[float, list[int]] = {}
    for name, (_, _, end) in line.visits("wait").items():
        together.setdefault(end, []).append(classes[int(name[1:])])

    assert sum(len(each) == 2 for end, each in together.items() if end >= 0) >= 4
    assert all(len(set(each)) == 1 for end, each in together.items() if end >= 0)


LEADER = """
clock: {measure: 1 d}
zones: {Z: {desk: {units: 1, role: officer}}}
flows:
  f:
    steps:
      declare:
        gather: {number: 3}
        steps:
          write: {take: 10 min, mark: written}
          post: {hold: {d: Z.desk}, take: 5 min}
        mark: declared
      go: {take: 1 min}
traffic: {a: {flow: f, at: [0 min, 1 min, 2 min, 3 min, 3 min, 3 min]}}
"""


def test_the_first_member_works_for_all(engine):
    """
    One declaration for three: the first writes and posts it while the others wait, then all go on.
    """
    line = run(LEADER, engine=engine)

    assert line.visits("declare") == {
        "a0": (0, 2, 2),
        "a1": (1, 2, 17),
        "a2": (2, 2, 17),
        "a3": (3, 3, 3),
        "a4": (3, 3, 22),
        "a5": (3, 3, 22),
    }
    assert line.visits("declare.write") == {"a0": (2, 2, 12), "a3": (3, 3, 13)}
    assert line.visits("declare.post") == {"a0": (12, 12, 17), "a3": (13, 17, 22)}
    assert line.marks("declared") == {"a0": 17, "a1": 17, "a2": 17, "a3": 22, "a4": 22, "a5": 22}
    assert line.marks("written") == {"a0": 12, "a3": 13}
    assert line.totals.busy.tolist() == [10 * 60_000]


def test_the_load_counts_one_declaration_for_three():
    """
    The traffic equations take a third of the tokens as leaders; with a calendar there is at most one batch an opening.
    """
    plan = plan_of(LEADER.replace("at: [0 min, 1 min, 2 min, 3 min, 3 min, 3 min]", "rate: 6 /h"))
    daily = plan_of(
        LEADER.replace("at: [0 min, 1 min, 2 min, 3 min, 3 min, 3 min]", "rate: 6 /h").replace(
            "{number: 3}", "{until: office}"
        )
    )

    assert [each.mean for each in loads(plan)] == pytest.approx([2 * 5 / 60])
    assert [each.mean for each in loads(daily)] == pytest.approx([5 / 1440])


def test_a_batch_of_one_goes_through_the_ready_list(engine):
    """
    A batch that is complete with its first member still lets those made ready before it go first.
    """
    text = """
clock: {measure: 1 h}
zones: {Z: {desk: {units: 1}}}
flows:
  f:
    steps:
      aside: {background: true, hold: {d: Z.desk}, take: 10 min}
      alone: {gather: {number: 1}}
      work: {hold: {d: Z.desk}, take: 10 min}
traffic: {a: {flow: f, at: [0 min]}}
"""
    line = run(text, engine=engine)

    assert line.visits("aside") == {"a0/1": (0, 0, 10)}
    assert line.visits("work") == {"a0": (0, 10, 20)}


def test_members_go_on_in_the_order_in_which_they_joined(engine):
    """
    The last to join goes through the ready list too and is served last.
    """
    text = """
clock: {measure: 1 h}
zones: {Z: {desk: {units: 1}}}
flows:
  f: {steps: {wait: {gather: {number: 3}}, work: {hold: {d: Z.desk}, take: 10 min}}}
traffic: {a: {flow: f, at: [0 min, 1 min, 2 min]}}
"""
    assert run(text, engine=engine).starts("work") == {"a0": 2, "a1": 12, "a2": 22}


def test_children_gather_and_a_leader_splits(engine):
    """
    Trucks of two consignments are gathered like any tokens; a leader may split and join while the others wait.
    """
    text = """
clock: {measure: 1 h}
flows:
  f:
    steps:
      t: {split: {count: 2}}
      convoy:
        gather: {number: 4}
        steps:
          parts: {split: {into: part, count: 2}}
          check: {take: 3 min}
          done: {join: parts}
      drive: {take: 5 min}
      all: {join: t}
traffic: {a: {flow: f, at: [0 min, 10 min]}}
"""
    line = run(text, engine=engine)

    assert sorted(line.visits("drive").values()) == [(13, 13, 18)] * 4
    assert len(line.visits("convoy.check")) == 2
    assert line.marks("left") == {"a0": 18, "a1": 18}


def test_a_gathering_in_the_background_lets_the_token_go_on(engine):
    """
    Goods go on at once while the declaration of the batch waits for the calendar.
    """
    text = TEXT.format(gather="{until: month_end}, background: true", at="[0 min, 60 min]", more="")
    line = run(text, engine=engine)

    assert line.marks("left") == {"a0": 1, "a1": 61}
    assert line.visits("wait") == {"a0/1": (0, 120, 120), "a1/1": (60, 120, 120)}


def test_a_forming_batch_is_unfinished_not_stuck(engine):
    """
    Members that hold units while their batch forms are no deadlock as long as somebody can still join.
    """
    text = """
clock: {{measure: 1 h}}
zones: {{Z: {{dock: {{units: {docks}}}}}}}
flows: {{f: {{steps: {{at_dock: {{hold: {{d: Z.dock}}, steps: {{wait: {{gather: {{number: 3}}}}}}}}}}}}}}
traffic: {{a: {{flow: f, at: [0 min, 1 min, 2 min, 3 min, 4 min]}}}}
"""
    line = run(text.format(docks=4), engine=engine)

    assert line.visits("at_dock.wait")["a4"] == (4, -1, -1)
    with pytest.raises(RunFault, match=r"a#2 waits at at_dock for 1 of Z.dock \(held by a#0, a#1\)"):
        run(text.format(docks=2), engine=engine)


def test_waiting_for_a_batch_is_the_wait_of_its_step():
    """
    The KPIs of the step tell the mean wait and the share that is still waiting at the end.
    """
    values = kpis(plan_of(TEXT.format(gather="{number: 2}", at="[0 min, 10 min, 20 min, 40 min]", more="")))[0].values

    assert values["f.wait.wait.mean"] == pytest.approx(7.5)
    assert values["f.wait.open.share"] == 0


@pytest.mark.parametrize(
    ("step", "message"),
    [
        ("{gather: {}}", "a batch that is never complete\n    Write {number: 20}, {within: 4 h} or {until: office}."),
        ("{gather: {number: 2}, take: 5 min}", "gather and take in one step\n    Make two steps of it."),
        ("{gather: {number: 2, by: firm}}", "tokens of traffic 'a' have no firm to be gathered by\n    Give the scenario `firms`, or leave `by` out."),
        ("{gather: {until: ofice}}", "no calendar 'ofice'\n    Did you mean 'office'?"),
        ("{gather: {number: 2, by: frim}}", "no attribute 'frim'\n    Did you mean 'firm'?"),
    ],
)  # fmt: skip
def test_what_is_no_batch(step, message):
    """
    A batch without an end, with other work, of no firm, or until a calendar that is none, is a fault.
    """
    with pytest.raises(Faults) as caught:
        plan_of(TEXT.format(gather="{number: 2}", at="[0 min]", more="").replace("{gather: {number: 2}}", step))

    assert message in str(caught.value)
