"""
Short runs of two shipped scenarios, stored: their records by digest, some of their figures by value.

A change here changes published results: renew the values by hand, and say by how much and why under Results in CHANGELOG.md.
"""

from __future__ import annotations

import hashlib

import pytest

from tests.helper import ROOT, kpis, plan_of_file, run_plan
from zonesim.plan import Rows, number_of, place_of
from zonesim.policy import arms_for, load_world

CLOCK = ("clock.warm_up=3 d", "clock.measure=1 week", "clock.cool_down=4 d")

TYPICAL, ALL = (ROOT / "scenarios" / f"{name}.yaml" for name in ("typical_zone", "all_flows"))
PACKAGE = arms_for(load_world(ALL))[-1]
"""All measures together, which `all_flows` is run with, so that every flow and measure of the library is in it."""

STORED = {
    TYPICAL: (
        None,
        "8031ab96cebf41b028b7c2450ffba74ccb92eae314d24c4bfaa0cbfd8eb1a7b3",
        {
            "F4b.dwell.mean": 16.303191080964687,
            "F5.inside.mean": 25.44524388558201,
            "visit.dwell.p95": 5.1985937083333305,
            "TYP.lanes_in.pass.mean": 199.24860827949271,
            "TYP.yard.utilisation": 0.42277630157155455,
            "all.officer_hours.day": 76.72469186507938,
        },
    ),
    ALL: (
        PACKAGE,
        "fc26cfd7ae177213290450f33cf36588a832d310a0482b42728fa57ccd007962",
        {
            "F1air.dwell.mean": 25.13679831746032,
            "F6.dwell.mean": 10.385651069856985,
            "writeoff.dwell.mean": 61.198187777777775,
            "ALL.lanes_in.pass.mean": 94.43374702774109,
            "all.papers_wrong.missed.share": 0.2112676056338028,
            "all.officer_hours.day": 15.692868531746031,
        },
    ),
}


def stored(rows: Rows) -> bytes:
    """Return rows as they were stored: keys with the step or mark from bit 40 on, whatever the layout of today."""
    rows = rows.copy()
    rows["key"] = place_of(rows["key"]) << 40 | number_of(rows["key"])
    return rows.tobytes()


@pytest.mark.parametrize("path", STORED, ids=lambda path: path.stem)
def test_the_records_are_the_stored_ones(path, engine):
    """
    Plan, seed and meaning unchanged give the stored records, to the byte.
    """
    arm, digest, _ = STORED[path]
    line = run_plan(plan_of_file(path, *CLOCK, arm=arm), engine=engine, seed=7)

    assert hashlib.sha256(stored(line.sink.visits) + stored(line.sink.marks)).hexdigest() == digest


@pytest.mark.parametrize("path", STORED, ids=lambda path: path.stem)
def test_the_figures_are_the_stored_ones(path):
    """
    And so do the figures made from them.
    """
    arm, _, stored = STORED[path]
    values = kpis(plan_of_file(path, *CLOCK, arm=arm), seed=7)[0].values

    assert {kpi: values[kpi] for kpi in stored} == pytest.approx(stored, rel=1e-12)
