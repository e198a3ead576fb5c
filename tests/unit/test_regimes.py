"""Regimes: what a scenario starts from, whether it says so itself or `--set` does."""

from __future__ import annotations

import pytest

from tests.helper import ROOT, column, kpis, plan_of, plan_of_file
from zonesim.faults import Faults
from zonesim.policy import apply, baseline, load_world, parse_setting, resolve, world_of
from zonesim.scenario import load_catalogue, read_text

TYPICAL = ROOT / "scenarios" / "typical_zone.yaml"
LIBRARY = load_catalogue()
SHORT = ("clock.warm_up=0 d", "clock.measure=4 d", "clock.cool_down=1 d")


@pytest.mark.parametrize("regime", LIBRARY.regimes.values(), ids=lambda regime: regime.name)
def test_a_regime_edits_flows_of_the_library(regime):
    """
    A regime has labels and a source, names practices that exist, and every edit is of a flow of the library and says where it comes from.
    """
    assert set(regime.label) == {"en", "zh"}
    assert regime.source in LIBRARY.sources
    assert all(set(practices) <= set(LIBRARY.measures[name].practices) for name, practices in regime.adopted.items())
    for edit in regime.edits:
        root, flow, *_ = edit.path.split(".")
        assert (root, edit.source in LIBRARY.sources) == ("library", True)
        assert flow in LIBRARY.flows


def test_set_and_the_scenario_say_the_same():
    """
    `--set regime=R0` gives the plan of a scenario that says `regime: R0`, and is another plan than that of R1.
    """
    said = TYPICAL.read_text(encoding="utf-8").replace("regime: R1", "regime: R0")

    assert plan_of_file(TYPICAL, "regime=R0").identity == plan_of(said).identity
    assert plan_of_file(TYPICAL, "regime=R0").identity != plan_of_file(TYPICAL).identity


def test_shares_are_those_of_the_regime_in_force():
    """
    Nobody uses the simplified transfer in R0; a share that the scenario or `--set` gives stays.
    """

    def share(*settings: str) -> float:
        world = load_world(TYPICAL)
        apply(world, [parse_setting(setting) for setting in settings])
        return resolve(world, baseline(world)).shares["m11.transfer"]

    assert share() == 0.5
    assert share("regime=R0") == 0
    assert share("regime=R0", "adopted.m11.transfer=30 %") == 0.3
    text = TYPICAL.read_text(encoding="utf-8").replace("regime: R1", "regime: R0\nadopted: {m11: {transfer: 20 %}}")
    world = world_of(read_text(text, "typical.yaml"))
    assert resolve(world, baseline(world)).shares["m11.transfer"] == 0.2


def test_what_is_set_stays():
    """
    A value that `--set` gives is not taken back by the regime, in whichever order they come.
    """
    compare = "library.gate.lane.compare.take=100 s"
    plans = {plan_of_file(TYPICAL, *each).identity for each in ((compare, "regime=R0"), ("regime=R0", compare))}
    lane = column(kpis(plan_of_file(TYPICAL, *SHORT, compare, "regime=R0")), "F1.gate_in.lane.compare.service.mean")

    assert len(plans) == 1
    assert lane.tolist() == pytest.approx([100 / 60])


def test_the_paper_stop_lasts_its_published_minutes():
    """
    Declared trucks stop for 320 s on average in R0 (PERT 120/300/600 s) and for 130 s in R1 (60/120/240 s).
    """
    for regime, seconds in (("R0", 320), ("R1", 130)):
        found = kpis(plan_of_file(TYPICAL, *SHORT, f"regime={regime}"))[0].values["F1.gate_in.lane.service.mean"]
        assert found * 60 == pytest.approx(seconds, rel=0.05)


def test_an_unknown_regime_is_named():
    """
    The fault says what there is instead.
    """
    with pytest.raises(Faults) as caught:
        plan_of_file(TYPICAL, "regime=R9")

    assert str(caught.value.faults[0]) == "--set regime=R9: unknown regime 'R9'\n    Known regimes: R0, R1."
