"""Measures on special goods, retail and places: what they move, which way, in several futures, and what they leave alone."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pytest

from tests.helper import ROOT, column, kpis
from zonesim.analysis import bands_of, control_of, paired
from zonesim.kpi import RunResult
from zonesim.plan import Plan, compile_plan
from zonesim.policy import Arm, Chosen, baseline, open_world, resolve
from zonesim.scenario import load_catalogue

LIBRARY = load_catalogue()
GOODS, PLACES = (ROOT / "scenarios" / f"{name}.yaml" for name in ("goods", "zone_and_port"))
HOME = {"m12": GOODS, "m16": GOODS, "m18": GOODS} | dict.fromkeys(("m01", "m02", "t05", "t07", "t08"), PLACES)
REPLICATIONS = 8
SHORT = ("clock.warm_up=0 d", "clock.measure=1 d", "clock.cool_down=0 d")


def plan(name: str, *settings: str, adopted: tuple[tuple[str, str], ...] | None = None) -> Plan:
    """Return the plan of a measure's scenario, with it where its parameters are given."""
    world = open_world(HOME[name], list(settings))
    arm = baseline(world) if adopted is None else Arm(LIBRARY.measures[name].number, (Chosen(name, adopted),))
    return compile_plan(resolve(world, arm))


@cache
def alone(path: Path) -> Plan:
    """Return the plan of the baseline of a scenario on a short clock."""
    return plan(next(name for name, home in HOME.items() if home == path), *SHORT)


@cache
def results(name: str, *, on: bool) -> list[RunResult]:
    """Return replications without or with a measure."""
    return kpis(plan(name, adopted=() if on else None), replications=REPLICATIONS)


@pytest.mark.slow
@pytest.mark.parametrize("name", HOME)
def test_a_measure_moves_what_it_edits(name):
    """
    What a card says that the measure edits goes its way too, beyond its interval. (What it does not edit is looked at, in several futures, with the other measures.)
    """
    before, after = (results(name, on=on) for on in (False, True))
    edited = {kpi: expected.sign for kpi, expected in LIBRARY.measures[name].expects.items() if expected.edited}
    for kpi, sign in edited.items():
        found = paired(list(column(before, kpi)), list(column(after, kpi)))
        assert (found.low if sign == "up" else -found.high) > 0, (kpi, found)

    assert edited


@pytest.mark.slow
def test_orders_that_exist_only_with_the_measure_are_in_no_mean():
    """
    Without measure 18 no order is served from the zone, so its dwell has no baseline and no difference; with it the same orders are placed, and
    nine in ten are served.
    """
    before, after = (results("m18", on=on) for on in (False, True))

    assert column(before, "bonded_orders.arrived.day").tolist() == [0] * REPLICATIONS
    assert np.isnan(column(before, "F7a.dwell.mean")).all()
    assert (column(after, "F7a.dwell.mean") > 1).all()
    assert column(before, "F7d.arrived.day").tolist() == column(after, "F7d.arrived.day").tolist()
    served = column(after, "bonded_orders.arrived.day") / column(after, "F7d.arrived.day")
    assert served.mean() == pytest.approx(0.9, abs=0.05)


@pytest.mark.slow
def test_a_zone_that_operates_gains_nothing_from_early_equipment():
    """
    Measure 2 leaves every consignment of equipment of an accepted zone as it is; shipments for a zone that is being built come before its
    acceptance and not all on one day.
    """
    before, after = (results("m02", on=on) for on in (False, True))

    assert column(before, "equipment.dwell.mean").tolist() == pytest.approx(
        column(after, "equipment.dwell.mean").tolist(), rel=2e-3
    )
    assert (column(before, "equipment_new.dwell.mean") > 4 * 30 * 24).all()


@pytest.mark.slow
def test_food_is_tested_as_much_and_later():
    """
    Released after sampling, food is tested as often and fails as often; what fails is recalled and not refused.
    """
    unfit = "truth.food_unfit.all=10 %"
    before, after = (
        kpis(plan("m16", unfit, adopted=adopted), replications=4)
        for adopted in (None, (("vaccines", "0 %"), ("plants", "0 %"), ("food", "100 %")))
    )
    for kpi in ("F12.laboratory.test.visits.day", "all.food_unfit.caught.day"):
        assert column(before, kpi).mean() == pytest.approx(column(after, kpi).mean(), rel=0.15)

    assert not column(before, "F12.recalled.day").any()
    assert column(after, "F12.recalled.day").mean() == pytest.approx(column(before, "F12.refused.day").mean(), rel=0.4)
    assert "F12.refused.day" not in after[0].values


@pytest.mark.parametrize("name", HOME)
def test_no_measure_looks_less_without_saying_so(name):
    """
    Of irregular goods as much is intercepted with a measure as without, whatever the lift, unless its card names it. Moving looks to the second line changes it by
    two points at most, where irregular goods are picked ten times likelier: then two picks, of the same goods twice now and again, become one at twice the chance.
    """
    bands = bands_of({"": control_of(alone(HOME[name])), "m": control_of(plan(name, *SHORT, adopted=()))})
    change = bands["m"]["all.irregular.caught.share"].minus(bands[""]["all.irregular.caught.share"])

    assert change.least >= (-0.001 if name == "t07" else -1e-9)
    assert change.most <= (0.02 if name == "t07" else 1e-9)
