"""Accounts and customs statuses: stock in and out, a floor that holds, transitions that are legal."""

from __future__ import annotations

import numpy as np
import pytest

from tests.helper import kpis, plan_of, run
from zonesim.faults import Faults, InternalError, RunFault
from zonesim.kpi import Reducer

STOCK = """
clock: {warm_up: 10 min, measure: 20 min, cool_down: 10 min}
zones: {Z: {stock: {account: 5, unit: t, label: {en: Stock, zh: 库存}}, desk: {units: 1}}}
flows:
  into: {params: {zone: zone, tons: count}, steps: {store: {take: 2 min, set: {credit: {$zone.stock: $tons}}}}}
  out: {params: {zone: zone}, steps: {fetch: {take: 1 min, set: {debit: {$zone.stock: 3}}}}}
traffic:
  a: {flow: into, with: {zone: Z, tons: 4}, at: [0 min, 18 min]}
  b: {flow: out, with: {zone: Z}, at: [14 min, 24 min, 34 min]}
"""


def test_an_account_is_credited_and_debited(engine):
    """
    The level changes when the step's work is done; its mean over the window and its end follow by hand.
    """
    line = run(STOCK, engine=engine)
    values = kpis(plan_of(STOCK), engine=engine)[0].values

    assert line.marks("Z.stock.credited") == {"a0": 2, "a1": 20}
    assert line.marks("Z.stock.debited") == {"b0": 15, "b1": 25, "b2": 35}
    # From 10 to 15 there are 9 t, to 20 6 t, to 25 10 t, to 30 7 t.
    assert values["Z.stock.level.mean"] == pytest.approx((5 * 9 + 5 * 6 + 5 * 10 + 5 * 7) / 20)
    assert values["Z.stock.level.end"] == 5 + 8 - 9
    assert values["Z.stock.credited.day"] == pytest.approx(4 * 72)
    assert values["Z.stock.debited.day"] == pytest.approx(6 * 72)


def test_an_overdraft_stops_the_run(engine):
    """
    A debit below the floor is a fault that names account, token, quantity and time; down to the floor is allowed.
    """
    assert run(STOCK, "zones.Z.stock.floor=4", engine=engine).totals.levels.tolist() == [4]
    with pytest.raises(RunFault) as caught:
        run(STOCK, "zones.Z.stock.floor=5", engine=engine)

    assert str(caught.value) == (
        "account Z.stock would be overdrawn: b#2 takes 3 of 7 at 35 min, and the floor is 5\n"
        "    Start with more, or credit it before."
    )


def test_every_run_proves_its_accounts():
    """
    An engine whose account does not hold what the records say has broken its promise.
    """
    reducer = Reducer(plan_of(STOCK))
    line = run(STOCK)
    for block in line.sink.blocks:
        reducer.take(block)
    books = reducer.books
    books.check(line.totals)
    line.totals.levels[0] += 1

    with pytest.raises(InternalError, match=r"account Z.stock: the engine ends with 5, the records say 4"):
        books.check(line.totals)
    assert np.array_equal(books.booked, [[4, 6]])


def test_the_class_can_change_on_the_way(engine):
    """
    Downgraded after a finding, a token waits in the line of its new class and takes the times of it.
    """
    text = """
clock: {measure: 1 h}
zones: {Z: {desk: {units: 1}}}
flows:
  f:
    steps:
      look: {take: 1 min, when: {marked: none}}
      judge: {share: {AEO: 100 %, ordinary: 0 %}, set: {class: ordinary}, mark: downgraded}
      work: {hold: {d: Z.desk}, take: {by: class, AEO: 1 min, ordinary: 5 min}}
traffic:
  a: {flow: f, at: [0 min], class: AEO}
  b: {flow: f, at: [0 min], class: ordinary}
"""
    assert run(text, engine=engine).visits("work") == {"a0": (0, 0, 5), "b0": (0, 5, 10)}


STATUS = """
clock: {measure: 1 h}
statuses: {kept: {label: {en: kept, zh: 暂扣}, to: {released: assumed}}, declared: {to: {kept: assumed}}}
flows:
  f:
    steps:
      lodge: {take: 1 min, set: {status: declared}}
      target: {share: {bad: 100 %, all: 0 %}, set: {status: kept}, mark: hit}
      check: {when: {status: kept}, take: 10 min}
      let_go: {take: 1 min, set: {status: released}}
traffic: {a: {flow: f, at: [0 min], class: good}, b: {flow: f, at: [0 min], class: bad}}
"""


def test_a_status_decides_the_way(engine):
    """
    Goods that are held are checked, the others are not; each change is a mark.
    """
    line = run(STATUS, engine=engine)

    assert line.visits("check") == {"b0": (1, 1, 11)}
    assert line.marks("status.declared") == {"a0": 1, "b0": 1}
    assert line.marks("status.kept") == {"b0": 1}
    assert line.marks("status.released") == {"a0": 2, "b0": 12}


def test_a_child_goes_on_with_the_status_of_its_parent(engine):
    """
    Trucks carry goods of the status that the consignment had when they were loaded.
    """
    text = STATUS.replace(
        "let_go: {take: 1 min, set: {status: released}}",
        "t: {split: {count: 1}}\n      drive: {when: {status: kept}, take: 3 min}\n      all: {join: t}",
    )
    assert run(text, engine=engine).visits("drive") == {"b0/1": (11, 11, 14)}


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("set: {status: released}", "set: {status: exported}", "13:15: status 'exported' may come after 'declared', which is not legal\n    After 'declared' come: in_transit, declared, selected, released, duty_paid, kept."),
        ("when: {status: kept}, take: 10 min", "when: {status: kept}, take: 10 min, set: {status: bonded}", "status 'bonded' may come after 'kept', which is not legal\n    After 'kept' come: released."),
        ("set: {status: released}", "set: {status: released}, next: lodge", "status 'declared' may come after 'released', which is not legal"),
        ("set: {status: released}", "set: {status: destroyed}, next: {target: 5 %}", "status 'kept' may come after 'destroyed', which is not legal\n    Nothing comes after 'destroyed'."),
        ("set: {status: released}", "set: {status: relaesed}", "no status 'relaesed'\n    Did you mean 'released'"),
        ("when: {status: kept}", "when: {status: keptt}", "no status 'keptt'\n    Did you mean 'kept'"),
        ("to: {kept: assumed}", "to: {kpet: assumed}", "no status 'kpet'"),
        ("set: {status: released}", "set: {class: goood}", "no class 'goood'\n    Did you mean 'good'"),
        ("set: {status: released}", "set: {credit: {Z.stock: 1}}", "no account 'Z.stock'"),
        ("set: {status: released}", "set: {credit: {$zone.stock: 1}}", "no parameter 'zone' here"),
    ],
)  # fmt: skip
def test_what_is_not_legal(old, new, message):
    """
    On every way through the compiled flow a change of status must be legal; names that are none are faults with the nearest.
    """
    with pytest.raises(Faults) as caught:
        plan_of(STATUS.replace(old, new))

    assert message in str(caught.value)


def test_ways_are_told_apart_by_marks_and_classes():
    """
    What a mark or a class excludes is no way: goods that were hit are not released as if they had not been.
    """
    text = STATUS.replace(
        "let_go: {take: 1 min, set: {status: released}}",
        "seize: {when: {marked: hit}, set: {status: released}}\n      let_go: {when: {unmarked: hit}, set: {status: duty_paid}}",
    )
    by_class = text.replace("unmarked: hit", "class: good").replace("marked: hit", "class: bad")

    assert plan_of(text).names.statuses[-1] == "kept"
    assert plan_of(by_class).names.statuses[-1] == "kept"


def test_an_account_that_starts_below_its_floor():
    """
    Such an account is a fault of the file.
    """
    with pytest.raises(Faults, match="starts with 5, below its floor 6"):
        plan_of(STOCK.replace("account: 5", "account: 5, floor: 6"))
