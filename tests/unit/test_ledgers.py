"""Ledgers in pieces, weight and value: every flow that books keeps them, a slip is found, and processing loses nothing."""

from __future__ import annotations

from collections import defaultdict

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.helper import HEAD, ROOT, RowLog, plan_of, plan_of_file, plan_of_world
from zonesim.briefing.text.words import CHINESE
from zonesim.engine import AUTO, simulate
from zonesim.faults import Faults
from zonesim.kpi import catalogue
from zonesim.plan import Plan, number_of, place_of
from zonesim.policy import world_of
from zonesim.scenario import Document, load_catalogue, read_file
from zonesim.verification.situations import ENTRY, STAGE, situations_folder

ON_THE_LEDGER = {"bonded", "processed", "warranted", "non_bonded"}
"""Statuses of goods that stand on a ledger, once they are in the zone."""

HOLDS = {"pieces": 7, "kg": 1300, "CNY": 90000}
LOTS = {"by": "entry", "lots": {ENTRY: {"start": 1000, "holds": HOLDS}}}


def books(flow: str) -> bool:
    """Return whether a flow of the library books an account, by itself or in a flow that it calls."""
    found = load_catalogue().flows[flow]
    return "debit:" in str(found).replace("'", "") or "credit:" in str(found).replace("'", "") or any(
        books(each["call"]) for each in every_step(found) if "call" in each
    )  # fmt: skip


def every_step(tree):
    """Yield all steps of a flow."""
    for step in [*tree.get("steps", {}).values(), *tree.get("parallel", {}).values()]:
        yield step
        yield from every_step(step)


FLOWS = sorted(flow for flow in load_catalogue().flows if books(flow) and flow != "out_and_in")
"""Without that which only F17 calls, for goods that are bonded already."""


def plan_on_stage(flow: str, *edits: dict[str, object], count: int = 20) -> Plan:
    """Return the plan of some loads of a flow on the stage of the situations, whose ledgers are kept in pieces, weight and value."""
    stage = read_file(situations_folder() / STAGE)
    zones = {
        zone: {key: {**entry, **LOTS} if isinstance(entry, dict) and "account" in entry else entry for key, entry in own.items()}
        for zone, own in stage.tree["zones"].items()
    }  # fmt: skip
    known = stage.tree["traffic"][ENTRY]["with"]
    params = load_catalogue().flows[flow]["params"]
    entry = {"flow": flow, "with": {name: known[name] for name in params if name in known}, "at": ["0 h"] * count}
    truth = {name: {"all": "30 %"} for name in stage.tree["truth"]}
    clock = {**stage.tree["clock"], "measure": "200 d"}
    tree = {**stage.tree, "zones": zones, "truth": truth, "clock": clock, "traffic": {ENTRY: entry}, "edits": list(edits)}  # fmt: skip
    return plan_of_world(world_of(Document(stage.file, tree, stage.places, stage.keys)))


def by_status(plan: Plan, log: RowLog) -> int:
    """
    Return how many consignments more stand on ledgers in the end than in the beginning, told from the statuses of goods alone: a token that is given a
    status counts where it is on the ledger in the end, and one less where it was in the beginning; a child begins as what its parent then was.
    """
    names = [mark.name for mark in plan.names.marks]
    changes: dict[tuple[int, int, int], list[tuple[int, str]]] = defaultdict(list)
    for key, time in zip(log.marks["key"].tolist(), log.marks["time"].tolist(), strict=True):
        name = names[place_of(key)]
        token = number_of(key)
        if name.startswith("status."):
            changes[token].append((time, name.removeprefix("status.")))
    more = 0
    for token, own in changes.items():
        parent = token >> 6 << 6
        began = own[0][1] if token == parent else [each for at, each in changes[parent] if at <= own[0][0]][-1]
        more += (own[-1][1] in ON_THE_LEDGER) - (began in ON_THE_LEDGER)
    return more


def booked(plan: Plan, levels) -> dict[str, int]:
    """Return by how much all accounts of a name have changed, over all zones."""
    found: dict[str, int] = defaultdict(int)
    for row, account in enumerate(plan.names.accounts):
        found[account.name] += int(levels[row]) - int(plan.accounts["start"][row])
    return found


def slips(plan: Plan) -> list[str]:
    """Return the accounts that do not stand as the goods' statuses say."""
    log = RowLog()
    totals = simulate(plan, 1, 0, log, AUTO)
    more, found = by_status(plan, log), booked(plan, totals.levels)
    wrong = [] if found["ledger"] + found["parcels"] == more else ["units"]
    return wrong + [unit for unit, number in HOLDS.items() if found[f"ledger_{ENTRY}_{unit}"] + found[f"parcels_{ENTRY}_{unit}"] != more * number]  # fmt: skip


@pytest.mark.parametrize("flow", FLOWS)
def test_every_flow_that_books_keeps_its_ledger(flow):
    """
    What stands on the ledgers of all zones in the end, in consignments, pieces, weight and value, is what the statuses of the goods say that came,
    went and are inside, also where goods fail a check, are returned or destroyed.
    """
    assert slips(plan_on_stage(flow)) == []


SLIPS = {
    "an export that is taken off twice": ("F2", {"set": "library.F2.post.set.debit", "to": {"$zone.ledger": 2}}),
    "an export that is never taken off": ("F2", {"remove": "library.F2.post.set.debit"}),
    "an import that is booked when it is declared, too": (
        "F1",
        {"add": "library.F1.declare.set.credit", "to": {"$zone.ledger": 1}},
    ),
    "scrap that stays on the ledger": (
        "F8",
        {"remove": "library.F8.scrapped.destroy.set.debit"},
        {"set": "library.F8.scrapped.share", "to": "50 %"},
    ),
    "a transfer that only arrives": ("F5", {"remove": "library.F5.gate_out.set"}),
}


@pytest.mark.parametrize("name", SLIPS)
def test_a_slip_is_found(name):
    """
    A flow that books twice, or not at all, keeps no ledger: units, pieces, weight and value all tell it.
    """
    flow, *edits = SLIPS[name]

    assert slips(plan_on_stage(flow, *edits, count=40)) == ["units", *HOLDS]


WORKS = (
    HEAD
    + """
clock: {measure: 10 d, cool_down: 2 d}
attributes: {goods: {other: 100 %, materials: 0 %, product: 0 %, remnants: 0 %}}
zones:
  Z:
    line: {units: 1}
    ledger:
      account: 30
      unit: lots
      label: {en: Bonded stock, zh: 保税库存}
      by: goods
      lots:
        materials: {start: 20, holds: {pieces: 100, kg: 50}, becomes: {product: 1, remnants: 2}, label: {en: materials, zh: 料件}}
        product: {start: 10, holds: {pieces: 40, kg: 46}, label: {en: product, zh: 成品}}
        remnants: {holds: {kg: 2}, label: {en: remnants, zh: 边角料}}
flows:
  come: {steps: {post: {set: {credit: {Z.ledger: 1}}}}}
  work: {steps: {make: {hold: {l: Z.line}, take: 1 h, set: {convert: {Z.ledger: 1}}}, out: {share: 50 %, set: {debit: {Z.ledger: 1}}}}}
traffic:
  in: {flow: come, at: [1 h, 2 h], attributes: {goods: materials}}
  any: {flow: come, at: [1 h]}
  jobs: {flow: work, at: [3 h, 4 h, 5 h], attributes: {goods: materials}}
"""
)


def stands(text: str) -> dict[str, int]:
    """Return by how much each account changes in a run of a scenario."""
    plan = plan_of(text)
    totals = simulate(plan, 1, 0, RowLog(), AUTO)
    return booked(plan, totals.levels)


def test_processing_loses_nothing():
    """
    Three lots of materials are worked: what comes of them weighs the same, 46 kg of product and 4 of remnants each; the load is then product, and is
    taken off as that. Goods of another kind are booked in lots alone.
    """
    found = stands(WORKS.replace("share: 50 %", "share: 100 %"))

    assert found["ledger"] == 3 - 3
    assert found["ledger_materials_kg"] == 2 * 50 - 3 * 50
    assert found["ledger_materials_pieces"] == 2 * 100 - 3 * 100
    assert found["ledger_product_kg"] == 3 * 46 - 3 * 46
    assert found["ledger_remnants_kg"] == 3 * 4
    names = {account.name: account for account in plan_of(WORKS).names.accounts}
    assert names["ledger_remnants_kg"].label == {"en": "Bonded stock: remnants, kg", "zh": "保税库存（边角料，千克）"}
    assert names["ledger_product_pieces"].unit == "pieces"


@given(
    weights=st.tuples(st.integers(1, 1000), st.integers(0, 200), st.integers(1, 5)),
    came=st.integers(0, 9),
    jobs=st.integers(0, 9),
)
@settings(max_examples=10, deadline=None)
def test_weight_in_is_weight_of_product_and_remnants(weights, came, jobs):
    """
    Whatever lots weigh, and however many come and are worked: the weight of all kinds together changes by what came and went, and by nothing else.
    """
    product, remnants, number = weights
    text = WORKS.replace("remnants: {holds: {kg: 2}", f"remnants: {{holds: {{kg: {remnants}}}")
    text = text.replace("pieces: 40, kg: 46", f"pieces: 40, kg: {product}").replace(
        "remnants: 2}", f"remnants: {number}}}"
    )
    text = text.replace("pieces: 100, kg: 50", f"pieces: 100, kg: {product + number * remnants}")
    text = text.replace("share: 50 %", "share: 0 %")
    text = text.replace("at: [1 h, 2 h]", f"at: {['1 h'] * came or ['20 d']}").replace("at: [3 h, 4 h, 5 h]", f"at: {['3 h'] * jobs or ['20 d']}")  # fmt: skip
    found = stands(text)
    weight = found["ledger_materials_kg"] + found["ledger_product_kg"] + found["ledger_remnants_kg"]

    assert weight == came * (product + number * remnants)
    assert found["ledger_product_kg"] == jobs * product


@pytest.mark.parametrize("name", ["goods", "services"])
def test_shipped_ledgers_add_up_by_zone_and_kind(name):
    """
    In the shipped scenarios what was credited less what was debited, told by the marks of tokens, is the change of every account of every kind, and each kind's
    pieces, weight and value tell the same number of lots.
    """
    plan = plan_of_file(
        ROOT / "scenarios" / f"{name}.yaml", "clock.warm_up=0 d", "clock.measure=20 d", "clock.cool_down=20 d"
    )
    log = RowLog()
    totals = simulate(plan, 1, 0, log, AUTO)
    moved: dict[int, int] = defaultdict(int)
    for key in log.marks["key"].tolist():
        mark = plan.names.marks[place_of(key)]
        if mark.account >= 0:
            moved[mark.account] += mark.amount
    changes = [int(level) - int(start) for level, start in zip(totals.levels, plan.accounts["start"], strict=True)]
    zones = plan_zones(name)
    told = 0

    assert changes == [moved[row] for row in range(len(changes))]
    for zone, account, kind, holds in zones:
        rows = {each.name: row for row, each in enumerate(plan.names.accounts) if each.zone == zone}
        lots = {changes[rows[f"{account}_{kind}_{unit}"]] / number for unit, number in holds.items() if number}
        told += lots != {0.0}
        assert len(lots) == 1, (zone, kind, lots)
    assert told >= 3


def plan_zones(name: str) -> list[tuple[str, str, str, dict[str, int]]]:
    """Return the lots of a shipped scenario: zone, account, kind and what one holds."""
    tree = read_file(ROOT / "scenarios" / f"{name}.yaml").tree["zones"]
    return [
        (zone, account, kind, lot["holds"])
        for zone, own in tree.items()
        for account, entry in own.items()
        if isinstance(entry, dict)
        for kind, lot in entry.get("lots", {}).items()
    ]


FAULTS = {
    "lots that do not add up": ("start: 20,", "start: 21,", "starts with 30, but its lots with 31 in all\n    Say by `start` how many are of each kind."),
    "weight that is lost": ("kg: 46", "kg: 45", "one of 'materials' weighs 50,000 g and becomes 49,000 g\n    What is lost is something too: write remnants."),
    "a kind of which there are no lots": ("remnants: 2}", "remnant: 2}", "'materials' becomes 'remnant', of which there are no lots\n    Did you mean 'remnants'?"),
    "lots by nothing": ("      by: goods\n", "", "'by' and 'lots' belong together\n    Write both, or none of them."),
    "a kind that cannot change": ("by: goods", "by: entry", "'materials' becomes something else, but 'entry' says of which kind it is\n    Tell kinds by an attribute, e.g. `by: goods`."),
    "an attribute that nobody has": ("by: goods", "by: good", "no attribute 'good'\n    Did you mean 'goods'?"),
    "a name that is taken": ("line: {units: 1}", "line: {units: 1}\n    ledger_product_kg: {units: 1}", "'ledger_product_kg' is the account of the lots of 'ledger' too\n    Rename it."),
}  # fmt: skip


@pytest.mark.parametrize("name", FAULTS)
def test_faults_of_lots(name):
    """
    What is wrong with lots is told where they are written, with what would be right.
    """
    old, new, message = FAULTS[name]
    with pytest.raises(Faults) as caught:
        plan_of(WORKS.replace(old, new))

    assert message in str(caught.value), str(caught.value)


def test_an_account_is_told_in_its_own_unit():
    """
    Level and bookings of an account have the unit that the scenario names, in both languages where the glossary has a word for it.
    """
    told = {kpi.id: kpi.unit for kpi in catalogue(plan_of(WORKS))}

    assert told["Z.ledger.level.mean"] == "lots"
    assert told["Z.ledger_remnants_kg.level.end"] == "kg"
    assert told["Z.ledger_product_pieces.credited.day"] == "pieces/d"
    assert [CHINESE.unit(unit) for unit in ("lots", "kg", "pieces/d", "boxes/d", "boxes")] == [
        "批",
        "千克",
        "件每天",
        "boxes每天",
        "boxes",
    ]
    assert {
        kpi.unit
        for kpi in catalogue(plan_of(WORKS.replace("unit: lots", 'unit: ""')))
        if kpi.id == "Z.ledger.level.mean"
    } == {"units"}
