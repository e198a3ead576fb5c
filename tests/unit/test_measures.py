"""Each measure of the library alone: what it moves besides what it edits, in several futures, and that nobody's following changes nothing."""

from __future__ import annotations

from fnmatch import fnmatch
from functools import cache
from pathlib import Path

import pytest

from tests.helper import ROOT, column, kpis
from zonesim.analysis import paired
from zonesim.kpi import RunResult
from zonesim.plan import Plan, compile_plan
from zonesim.policy import Arm, Chosen, ResolvedTree, baseline, left_out, load_world, open_world, resolve
from zonesim.scenario import Measure, load_catalogue

LIBRARY = load_catalogue()
SHOWCASES = [ROOT / "scenarios" / f"{name}.yaml" for name in ("all_flows", "services", "goods", "zone_and_port")]
MEASURES = list(LIBRARY.measures.values())

CLOCKS = {
    "all_flows": ("clock.warm_up=1 week", "clock.measure=2 week", "clock.cool_down=2 week"),
}
"""Clocks that are long enough for what is looked at; others run as they are written."""
SHORT = ("clock.warm_up=0 d", "clock.measure=1 d", "clock.cool_down=0 d")

MORE = {
    "m08": "measures.m08.reach=100 %",
    "m09": "traffic.more_devices.rate=2 /week",
    "m19": "traffic.more_outsourcing.rate=2 /week",
}
"""Settings with which a measure that brings a few shipments a year, or reaches few firms, can be seen within weeks."""

REPLICATIONS = 6

SMALL = {"": 0.01, "demand_x2": 0.05, "national_2019": 0.01}
"""What a mean may move by where a card says that it does not, through desks and lines that are shared; at twice the demand these are busy."""


@cache
def showcase(name: str) -> Path:
    """Return the first scenario in which a measure changes anything that is run."""
    number = LIBRARY.measures[name].number
    return next(path for path in SHOWCASES if path.exists() and number not in left_out(load_world(path)))


def arm(measure: Measure, *params: tuple[str, str]) -> Arm:
    """Return the arm of one measure."""
    return Arm(measure.number, (Chosen(measure.name, params),))


def plan(path: Path, *settings: str, chosen: Arm | None = None) -> Plan:
    """Return the plan of a scenario with settings."""
    world = open_world(path, list(settings))
    return compile_plan(resolve(world, chosen or baseline(world)))


@cache
def short(path: Path) -> tuple[ResolvedTree, str]:
    """Return a scenario on a short clock, and the identity of its baseline's plan."""
    world = open_world(path, SHORT)
    return world, compile_plan(resolve(world, baseline(world))).identity


@cache
def results(path: Path, future: str, name: str) -> list[RunResult]:
    """Return replications of the baseline ("") or of an arm with one measure, in a future."""
    settings = [*([f"future={future}"] if future else []), *CLOCKS.get(path.stem, ()), *filter(None, [MORE.get(name)])]
    chosen = arm(LIBRARY.measures[name]) if name else None
    return kpis(plan(path, *settings, chosen=chosen), replications=REPLICATIONS)


ALIKE = {"m09", "m15", "m19"}
"""Measures that let goods come as measure 7 does."""


@pytest.mark.parametrize(
    "measure",
    [pytest.param(each, marks=pytest.mark.slow if each.name in ALIKE else [], id=each.name) for each in MEASURES],
)
def test_a_measure_that_nobody_follows_is_the_baseline(measure):
    """
    Placebo: with an adoption of 0 % the plan is that of the baseline, byte for byte.
    """
    world, identity = short(showcase(measure.name))
    nobody = arm(measure, *((param, "0 %") for param in measure.params))

    assert compile_plan(resolve(world, nobody)).identity == identity


@pytest.mark.slow
@pytest.mark.parametrize("future", ["", "demand_x2", "national_2019"])
@pytest.mark.parametrize("measure", MEASURES, ids=lambda measure: measure.name)
def test_a_measure_moves_what_it_does_not_edit(measure, future):
    """
    Of the KPIs that a card expects to move without editing what they are made of at least one moves so, beyond its interval, today, at twice the
    demand, and with the national reforms of 2019; none moves the other way, and what is expected to stay stays.
    """
    path = showcase(measure.name)
    before, after = (results(path, future, name) for name in ("", measure.name))
    moved = []
    for pattern, expected in measure.expects.items():
        for kpi in (kpi for kpi in before[0].values if fnmatch(kpi, pattern) and not expected.edited):
            found = paired(list(column(before, kpi)), list(column(after, kpi)))
            if expected.sign == "none":
                assert abs(found.value) <= SMALL[future] * column(before, kpi).mean(), (kpi, found)
                continue
            low, high = (found.low, found.high) if expected.sign == "up" else (-found.high, -found.low)
            assert high > -1e-9, (kpi, found)
            moved += [kpi] if low > 0 else []

    assert moved


@pytest.mark.slow
@pytest.mark.parametrize("name", ["m03", "m07", "m09", "m15", "m19"])
def test_what_only_brings_goods_leaves_others_alone(name):
    """
    A measure of eligibility or mix alone: goods come that do not exist without it, and the mean dwell of every flow that is there in both arms stays;
    only own jobs wait for the end of an entrusted one that is in hand.
    """
    path = showcase(name)
    before, after = (results(path, "", which) for which in ("", name))
    flows = {kpi for kpi in before[0].values if kpi.endswith(".dwell.mean") and kpi.partition(".")[0] in LIBRARY.flows}
    there = {kpi for kpi in flows if (column(before, kpi.replace("dwell.mean", "completed.day")) > 0).all()}
    new = [kpi.partition(".")[0] for kpi in flows if not column(before, kpi.replace("dwell.mean", "arrived.day")).any()]

    assert any(column(after, f"{flow}.arrived.day").any() for flow in new)
    if name == "m03":
        own = "processing.dwell.mean"
        assert column(before, own).mean() <= column(after, own).mean() <= 1.1 * column(before, own).mean()
        there.remove(own)
    for kpi in there:
        assert column(after, kpi).mean() == pytest.approx(column(before, kpi).mean(), rel=SMALL[""], nan_ok=True), kpi


@pytest.mark.slow
def test_fewer_cycles_leave_the_others_as_they_are():
    """
    Measure 5, article 4: two thirds of the cycles that fall due for nine tenths of the volume are filed no more, and so are three forms in four (article
    7). A form that is filed takes as long as before: what falls away is in no mean.
    """
    path = showcase("m06")
    before, after = (results(path, "", which) for which in ("", "m05"))

    def ratio(kpi: str) -> float:
        return float(column(after, kpi).mean() / column(before, kpi).mean())

    assert ratio("ledgers.arrived.day") == pytest.approx(1 - 0.9 * 0.67, abs=0.15)
    assert ratio("forms.arrived.day") == pytest.approx(1 - 0.9 * 0.75, abs=0.15)
    assert ratio("cycles.arrived.day") == ratio("moulds_forms.arrived.day") == 1
    assert ratio("filing.dwell.mean") == pytest.approx(1, abs=0.15)
