"""Two zones and one transfer, worked out by hand: when it is where, who works for it, and what the ledgers hold."""

from __future__ import annotations

import numpy as np
import pytest

from tests.helper import kpis, plan_of, run_plan
from zonesim.plan import Plan
from zonesim.units import HOUR

ZONES = """
clock: {start: "2018-09-03", measure: 200 d, cool_down: 5 d}
zones:
  A: ZONE
  B: ZONE
firms: {count: 2, credit: {ordinary: 100 %}}
truth: {papers_wrong: {all: 0 %}, irregular: {all: 0 %}}
traffic: {transfer: {flow: F5, with: {sender: A, receiver: B, km: 90 km}, at: AT, class: ordinary, parties: 2}}
adopted: {m11: {gate: 0 %, transfer: SHARE}}
edits:
  - {set: library.F5.approve_out.take, to: 15 min}
  - {set: library.F5.approve_in.take, to: 20 min}
  - {set: library.F5.documents.take, to: 120 min}
  - {set: library.F5.truck.take, to: 90 min}
  - {set: library.F5.load.take, to: 60 min}
  - {set: library.F5.seal.take, to: 180 min}
  - {set: library.F5.haul.take, to: {distance: $km, speed: 45 km/h}}
  - {set: library.F5.inspect.share, to: 0 %}
  - {set: library.F5.unload.take, to: 50 min}
  - {set: library.F5.close.take, to: 60 min}
  - {set: library.yard.stay.share, to: 0 %}
  - {set: library.gate.lane.identify.take, to: 10 s}
  - {set: library.gate.lane.weigh.take, to: 10 s}
  - {set: library.gate.lane.compare.take, to: 100 s}
  - {set: library.gate.light.identify.take, to: 10 s}
  - {set: library.gate.light.look.take, to: 20 s}
  - {set: library.gate.lane.check.detect.false_alarm, to: 0 %}
source: assumed
""".replace(
    "ZONE",
    "{lanes_in: {units: 1, role: lane}, lanes_out: {units: 1, role: lane}, gate_officers: {units: 1, role: officer},"
    " exception_desk: {units: 1, role: officer}, officers: {units: 1, role: officer}, docks: {units: 1},"
    " inspectors: {units: 1, role: officer}, yard: {units: 1}, ledger: {account: 1000}}",
)

DAYS = 200
"""A transfer a day, at ten in the morning: none meets another."""


def transfers(share: str, days: int) -> Plan:
    """Return the plan of a transfer a day from A to B, of which a share follows the simplified rules of 2018."""
    times = ", ".join(f"{day * 24 + 10} h" for day in range(days))
    return plan_of(ZONES.replace("SHARE", share).replace("AT", f"[{times}]"))


def test_a_conventional_transfer_is_where_the_hand_says(engine):
    """
    From 10:00: papers 2 h, a truck 1.5 h later, loaded in 1 h, sealed in 3 h, gate 2 min, 90 km at 45 km/h, gate 2 min, unloaded in
    50 min, closed in 1 h: usable 11.4 h after it was applied for. One ledger has one less at the release, the other one more at the end.
    """
    line = run_plan(transfers("0 %", 1), engine=engine)
    found = {mark: line.marks(mark) for mark in ("released", "sealed", "lane_left", "in_zone", "usable")}

    assert found["released"] == {"transfer0": 600 + 120}
    assert found["sealed"] == {"transfer0": 720 + 90 + 60 + 180}
    assert sorted(found["lane_left"].values()) == [810.5, 1174, 1224.5]  # the truck's second gate
    assert set(found["in_zone"].values()) == {1052 + 120 + 2}
    assert found["usable"] == {"transfer0": 600 + 684}
    assert line.totals.levels.tolist() == [999, 1001]


def test_a_day_of_transfers_is_what_the_hand_says():
    """
    The mean dwell of either kind of transfer, hours of officers by zone, passes and balances of both ledgers, over 200 days; simplified
    transfers have laws, so their mean is that of the laws up to three standard errors.
    """
    conventional, simplified = (kpis(transfers(share, DAYS))[0] for share in ("0 %", "100 %"))
    hours = {"A": (15 + 0.5 + 2) / 60, "B": (20 + 2 + 0.5) / 60}
    by_law = (0.5 + 4 * 1 + 4) / 6 + (4 * 0.5 + 4) / 6 + 1 + 10 / 6 / 60 + 2 / 60 + 90 / 50 + 2 / 60 + 50 / 60
    by_law += (5 + 4 * 10 + 30) / 6 / 60
    spread = np.std(simplified.samples["F5.dwell"].astype(float) / HOUR, ddof=1) / DAYS**0.5

    assert conventional.values["F5.dwell.mean"] == pytest.approx(684 / 60)
    assert simplified.values["F5.dwell.mean"] == pytest.approx(by_law, abs=3 * spread)
    assert spread < 0.2
    for zone, expected in hours.items():
        told = sum(conventional.values[f"{zone}.{name}.busy_hours.day"] for name in ("officers", "gate_officers"))
        assert told == pytest.approx(expected), zone
    for run in (conventional, simplified):
        assert run.values["A.ledger.level.end"] == 1000 - DAYS
        assert run.values["B.ledger.level.end"] == 1000 + DAYS
        assert run.values["A.ledger.debited.day"] == run.values["B.ledger.credited.day"] == 1
        assert run.values["A.lanes_in.passes.day"] == run.values["B.lanes_out.passes.day"] == 1
    assert conventional.values["F5.transits.day"] == 1
    assert "F5.transits.day" not in simplified.values  # nothing seals
