"""Accounts that tokens wait for: `draw` uses up, `hold` gives back, `credit` serves the line."""

from __future__ import annotations

import pytest

from tests.helper import kpis, plan_of, run
from zonesim.briefing.text.story import shortage_text
from zonesim.briefing.text.words import Words
from zonesim.faults import Faults, RunFault
from zonesim.plan import loads
from zonesim.tracing.story import tell
from zonesim.tracing.trail import follow

STORE = """
clock: {measure: 100 min}
zones: {W: {stock: {account: 5, floor: 1, short: wait}, dock: {units: 1}, crane: {units: 1}}}
flows:
  get: {params: {n: count}, steps: {get: {draw: {W.stock: $n}, take: 2 min}}}
  load: {params: {n: count}, steps: {get: {hold: {d: W.dock}, draw: {W.stock: $n}, take: 10 min}}}
  lend: {params: {n: count}, steps: {get: {hold: {g: {resource: W.stock, units: $n}}, take: 10 min}}}
  dock: {params: {n: count}, steps: {get: {hold: {d: W.dock}, take: 10 min}}}
  bring: {params: {n: count}, steps: {put: {set: {credit: {W.stock: $n}}}}}
traffic:
"""


def store(*tokens: str, text: str = STORE) -> str:
    """Return a scenario with a stock of 4 above its floor; a token is written `name flow arrival amount`."""
    for token in tokens:
        name, flow, at, amount = token.split()
        text += f"  {name}: {{flow: {flow}, at: [{at} min], with: {{n: {amount}}}}}\n"
    return text


def test_who_finds_too_little_waits_for_a_credit(engine):
    """
    What is above the floor is there to be drawn; who asks for more waits, and holds up those behind who ask for less. A
    credit serves the line in its order.
    """
    line = run(store("a get 0 3", "b get 1 2", "c get 2 1", "p bring 10 1", "q bring 20 3"), engine=engine)

    assert line.visits("get") == {"a0": (0, 0, 2), "b0": (1, 10, 12), "c0": (2, 20, 22)}
    assert line.totals.levels.tolist() == [5 - 6 + 4]


def test_what_is_drawn_is_used_up_and_what_is_held_is_given_back(engine):
    """
    A draw is gone for good; an amount that is held comes back at the end of the step and stays in the level.
    """
    line = run(store("a lend 0 3", "b lend 1 2", "c get 12 3", "d lend 13 2"), engine=engine)

    assert line.visits("get") == {"a0": (0, 0, 10), "b0": (1, 10, 20), "c0": (12, 20, 22), "d0": (13, -1, -1)}
    assert line.totals.levels.tolist() == [2]


def test_stock_and_a_dock_all_or_nothing(engine):
    """
    A step takes what it holds and what it draws together. Who lacks the dock does not hold up the line of the stock, and
    who lacks stock does not hold up that of the dock.
    """
    tokens = ("a dock 0 1", "b load 1 2", "c get 2 3", "d dock 3 1", "e load 30 2", "f dock 31 1", "p bring 40 1")
    line = run(store(*tokens), engine=engine)

    assert line.visits("get") == {
        "a0": (0, 0, 10),
        "c0": (2, 2, 4),
        "d0": (3, 10, 20),
        "f0": (31, 31, 41),
        "b0": (1, 41, 51),
        "e0": (30, -1, -1),
    }


def test_patience_and_priority(engine):
    """
    Who gives up has drawn nothing and lets those behind pass; smaller numbers are served first.
    """
    text = STORE.replace(
        "draw: {W.stock: $n}, take: 2 min", "draw: {W.stock: $n}, priority: {A: 1, all: 2}, patience: {longest: 5 min}"
    )
    tokens = ("a get 0 3", "b get 1 2", "c get 2 1", "p bring 20 1", "z get 90 1")
    line = run(store(*tokens, text=text).replace("z: {", "z: {class: A, "), engine=engine)

    assert line.visits("get") == {"a0": (0, 0, 0), "b0": (1, -1, 6), "c0": (2, 6, 6), "z0": (90, 90, 90)}

    text = store("a get 0 4", "b get 1 1", "c get 2 1", "p bring 3 1", "q bring 4 1", text=text)
    line = run(text.replace("c: {", "c: {class: A, "), engine=engine)

    assert line.starts("get") == {"a0": 0, "c0": 3, "b0": 4}


def test_a_buffer_between_two_flows(engine):
    """
    Pieces and places are two accounts: who brings waits for a place, who takes for a piece.
    """
    text = """
clock: {measure: 100 min}
zones: {B: {pieces: {account: 0, short: wait}, places: {account: 2, short: wait}}}
flows:
  put: {steps: {put: {draw: {B.places: 1}, set: {credit: {B.pieces: 1}}}}}
  take: {steps: {fetch: {draw: {B.pieces: 1}, set: {credit: {B.places: 1}}}}}
traffic:
  a: {flow: put, at: [0 min, 1 min, 2 min, 3 min]}
  b: {flow: take, at: [5 min, 6 min, 20 min, 21 min, 22 min]}
  c: {flow: put, at: [30 min]}
"""
    line = run(text, engine=engine)

    assert line.starts("put") == {"a0": 0, "a1": 1, "a2": 5, "a3": 6, "c0": 30}
    assert line.starts("fetch") == {"b0": 5, "b1": 6, "b2": 20, "b3": 21, "b4": 30}


def test_conditions_look_at_the_line_and_at_what_is_there(engine):
    """
    `shut` is met where nothing is there above the floor, `queue` by those who wait for it.
    """
    text = STORE.replace(
        "get: {draw: {W.stock: $n}, take: 2 min}",
        "out: {when: {shut: W.stock}, mark: out}, long: {when: {queue: {of: W.stock, longer_than: 0}}, mark: long}, "
        "get: {draw: {W.stock: $n}}",
    )
    line = run(store("a get 0 3", "b get 1 2", "c get 2 1", "p bring 3 1", "d get 4 1", text=text), engine=engine)

    assert line.marks("out") == {"d0": 4}
    assert line.marks("long") == {"c0": 2, "d0": 4}


def test_any_of_two_stocks(engine):
    """
    An amount of either of two accounts is held like one of either resource.
    """
    text = STORE.replace("dock: {units: 1}", "dock: {units: 1}, other: {account: 3, short: wait}").replace(
        "{resource: W.stock, units: $n}", "{any: [W.stock, W.other], units: $n}"
    )
    line = run(store("a lend 0 3", "b lend 1 3", "c lend 2 2", text=text), engine=engine)

    assert line.starts("get") == {"a0": 0, "b0": 1, "c0": 10}


def test_level_line_and_load():
    """
    The account has a level and bookings, its line a queue and a peak, and no utilisation where all is used up. Work
    behind a draw may never be reached, so its load has bounds; a stock itself has none.
    """
    text = STORE.replace(
        "draw: {W.stock: $n}, take: 2 min}", "draw: {W.stock: $n}}, then: {hold: {c: W.crane}, take: 10 min}"
    )
    plan = plan_of(store("a get 0 4", "b get 10 1", "p bring 30 2", text=text))

    values = kpis(plan)[0].values

    assert values["W.stock.level.mean"] == pytest.approx((30 * 1 + 70 * 2) / 100)
    assert values["W.stock.queue.mean"] == pytest.approx(20 / 100)
    assert values["W.stock.queue.peak"] == 1
    assert "W.stock.utilisation" not in values
    assert [(plan.names.resources[load.resource].name, load.low) for load in loads(plan)] == [("dock", 0), ("crane", 0)]
    assert [round(load.high, 3) for load in loads(plan)] == [0, 0.2]


def test_what_is_held_has_a_utilisation():
    """
    The share of what is there that is in hand, over time: 3 of 4 for 10 of 100 minutes.
    """
    values = kpis(plan_of(store("a lend 0 3", "p bring 99 1")))[0].values

    assert values["W.stock.utilisation"] == pytest.approx(3 * 10 / (4 * 99 + 5 * 1))


def test_who_waits_for_a_credit_is_no_deadlock_but_who_waits_for_each_other_is(engine):
    """
    A draw stands open when the run ends, whoever may bring something; an account of which amounts are held and given
    back alone is a resource like others.
    """
    line = run(store("a get 0 4", "b get 1 1"), engine=engine)

    assert line.visits("get")["b0"] == (1, -1, -1)

    text = """
clock: {measure: 100 min}
zones: {W: {g: {account: 4, short: wait}}}
flows: {f: {steps: {a: {hold: {g: {resource: W.g, units: 2}}, steps: {b: {take: 1 min}, c: {hold: {g: W.g}, take: 1 min}}}}}}
traffic: {x: {flow: f, at: [0 min, 0 min]}}
"""
    with pytest.raises(RunFault, match=r"x#0 waits at a.c for 1 of W.g \(held by x#0, x#1\)"):
        run(text, engine=engine)


@pytest.mark.parametrize(
    ("language", "told"),
    [("en", "W.stock: fewer than 2 there for 9 min"), ("zh", "W.stock：需2，存量不足9分")],
)
def test_the_story(language, told):
    """
    A wait for stock is told with what was asked for, how long there was less, and who got some first.
    """
    plan = plan_of(store("a get 0 3", "b get 1 2", "c get 2 1", "p bring 10 1"))
    (moment,) = [each for each in tell(plan, follow(plan, "b#0", 1, 0)) if each.kind == "step"]
    (shortage,) = moment.shortages

    assert (shortage.units, shortage.short, shortage.closed) == (2, 9 * 60_000, 0)
    assert shortage_text(plan, shortage, Words(language)).startswith(told)


@pytest.mark.parametrize(
    ("language", "told"), [("en", "W.stock: fewer than 2 t there"), ("zh", "W.stock：需2 t，存量不足")]
)
def test_the_story_counts_in_the_unit_of_the_account(language, told):
    """
    Where an account says what is counted, a wait for it says so too.
    """
    text = STORE.replace("short: wait", "short: wait, unit: t", 1)
    plan = plan_of(store("a get 0 3", "b get 1 2", "p bring 10 1", text=text))
    (moment,) = [each for each in tell(plan, follow(plan, "b#0", 1, 0)) if each.kind == "step"]

    assert shortage_text(plan, moment.shortages[0], Words(language)).startswith(told)


FAULTS = {
    "debit": (
        STORE.replace("draw: {W.stock: $n}, take: 2 min", "set: {debit: {W.stock: 2}}"),
        "timeline.yaml:8:57: steps wait in line for W.stock, so nobody debits it\n"
        "    Write `draw: {W.stock: 2}` as a key of the step.",
    ),
    "not waited for": (
        STORE.replace(", short: wait", "").replace("W.stock, units", "W.dock, units"),
        "timeline.yaml:8:59: nobody waits for account W.stock\n"
        "    Give it `short: wait`, or write `set: {debit: …}` here.",
    ),
    "no account": (
        STORE.replace("draw: {W.stock: $n}, take: 2 min", "draw: {W.dock: 1}"),
        "timeline.yaml:8:58: no account 'W.dock'\n    Did you mean 'W.stock'?",
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_faults(name):
    """
    A debit where tokens wait, a draw where they do not, a draw on what is no account.
    """
    text, told = FAULTS[name]
    with pytest.raises(Faults) as caught:
        plan_of(store("a get 0 1", text=text))

    assert told in str(caught.value)
