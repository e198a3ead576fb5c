"""
Short runs of two shipped scenarios, stored: their records by digest, some of their figures by value.

A change here changes published results: renew the values by hand, and say by how much and why under Results in CHANGELOG.md.
"""

from __future__ import annotations

import hashlib

import pytest

from tests.helper import ROOT, kpis, plan_of_file, run_plan
from zonesim.policy import arms_for, load_world

CLOCK = ("clock.warm_up=3 d", "clock.measure=1 week", "clock.cool_down=4 d")

TYPICAL, ALL = (ROOT / "scenarios" / f"{name}.yaml" for name in ("typical_zone", "all_flows"))
PACKAGE = arms_for(load_world(ALL))[-1]
"""All measures together, which `all_flows` is run with, so that every flow and measure of the library is in it."""

STORED = {
    TYPICAL: (
        None,
        "bfbf5dc7eb6bd0b2d9431475e47f6a20da61d372ab6b9be968028e22d4a2c62a",
        {
            "F4b.dwell.mean": 5.138644349525405,
            "F5.inside.mean": 24.76672791005291,
            "visit.dwell.p95": 5.548664833333333,
            "TYP.lanes_in.pass.mean": 87.84208104738155,
            "TYP.yard.utilisation": 0.3307224630291005,
            "all.officer_hours.day": 40.41598626984127,
        },
    ),
    ALL: (
        PACKAGE,
        "af256a09119ca1398ed28ae54e093912994ded150720200ee47ae503175982bb",
        {
            "F1air.dwell.mean": 24.91892792824074,
            "F6.dwell.mean": 7.5550122442244225,
            "writeoff.dwell.mean": 59.351131458333334,
            "ALL.lanes_in.pass.mean": 88.64517680339463,
            "all.papers_wrong.missed.share": 0.07692307692307693,
            "all.officer_hours.day": 12.54097003968254,
        },
    ),
}


@pytest.mark.parametrize("path", STORED, ids=lambda path: path.stem)
def test_the_records_are_the_stored_ones(path, engine):
    """
    Plan, seed and meaning unchanged give the stored records, to the byte.
    """
    arm, digest, _ = STORED[path]
    line = run_plan(plan_of_file(path, *CLOCK, arm=arm), engine=engine, seed=7)

    assert hashlib.sha256(line.sink.visits.tobytes() + line.sink.marks.tobytes()).hexdigest() == digest


@pytest.mark.parametrize("path", STORED, ids=lambda path: path.stem)
def test_the_figures_are_the_stored_ones(path):
    """
    And so do the figures made from them.
    """
    arm, _, stored = STORED[path]
    values = kpis(plan_of_file(path, *CLOCK, arm=arm), seed=7)[0].values

    assert {kpi: values[kpi] for kpi in stored} == pytest.approx(stored, rel=1e-12)
