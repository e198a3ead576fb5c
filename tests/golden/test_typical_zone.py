"""
A short run of the typical zone, stored: its records by digest, some of its figures by value.

A change here changes published results: renew the values by hand, and say by how much and why under Results in CHANGELOG.md.
"""

from __future__ import annotations

import hashlib

import pytest

from tests.helper import ROOT, kpis, plan_of_file, run_plan

CLOCK = ("clock.warm_up=3 d", "clock.measure=1 week", "clock.cool_down=4 d")
DIGEST = "bfbf5dc7eb6bd0b2d9431475e47f6a20da61d372ab6b9be968028e22d4a2c62a"
VALUES = {
    "F4b.dwell.mean": 5.138644349525405,
    "F5.inside.mean": 24.76672791005291,
    "visit.dwell.p95": 5.548664833333333,
    "TYP.lanes_in.pass.mean": 87.84208104738155,
    "TYP.yard.utilisation": 0.3307224630291005,
    "all.officer_hours.day": 40.41598626984127,
}


def test_the_records_are_the_stored_ones(engine):
    """
    Plan, seed and meaning unchanged give the stored records, to the byte.
    """
    line = run_plan(plan_of_file(ROOT / "scenarios" / "typical_zone.yaml", *CLOCK), engine=engine, seed=7)

    assert hashlib.sha256(line.sink.visits.tobytes() + line.sink.marks.tobytes()).hexdigest() == DIGEST


def test_the_figures_are_the_stored_ones():
    """
    And so do the figures made from them.
    """
    values = kpis(plan_of_file(ROOT / "scenarios" / "typical_zone.yaml", *CLOCK), seed=7)[0].values

    assert {kpi: values[kpi] for kpi in VALUES} == pytest.approx(VALUES, rel=1e-12)
