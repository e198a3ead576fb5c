"""Regimes: what a scenario starts from, whether it says so itself or `--set` does."""

from __future__ import annotations

import pytest

from tests.helper import ROOT, column, kpis, plan_of, plan_of_file
from zonesim.faults import Faults
from zonesim.plan import compile_plan
from zonesim.policy import (
    Arm,
    Chosen,
    apply,
    arms_for,
    baseline,
    load_world,
    open_world,
    parse_setting,
    resolve,
    world_of,
)
from zonesim.scenario import load_catalogue, read_text

TYPICAL = ROOT / "scenarios" / "typical_zone.yaml"
LIBRARY = load_catalogue()
ROOM = ("zones.TYP.lanes_in.units=50", "zones.TYP.gate_officers.units=100")
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


def test_what_is_set_inside_a_share_of_the_regime_stays():
    """
    A part of a share that the regime gives, once set, is not taken back with it: of one for all zones, and of one for each.
    """
    for practice, part, share in (("m11.transfer", "", 0.6), ("m21.enter_first", "all.", 0.7)):
        world = load_world(TYPICAL)
        apply(world, [parse_setting(f"adopted.{practice}.{part}uncertain=[10 %, {100 * share:g} %, 80 %]")])
        assert resolve(world, baseline(world)).shares[practice] == pytest.approx(share)


def test_the_paper_stop_lasts_its_published_minutes():
    """
    Declared trucks stop for 320 s on average in R0 (PERT 120/300/600 s) and for 130 s in R1 (60/120/240 s).
    """
    for regime, seconds in (("R0", 320), ("R1", 130)):
        found = kpis(plan_of_file(TYPICAL, *SHORT, "traffic.freight.rate=900 /d", *ROOM, f"regime={regime}"))[0].values[
            "visit.gate_in.lane.service.mean"
        ]
        assert found * 60 == pytest.approx(seconds, rel=0.05)


def test_an_unknown_regime_is_named():
    """
    The fault says what there is instead.
    """
    with pytest.raises(Faults) as caught:
        plan_of_file(TYPICAL, "regime=R9")

    assert str(caught.value.faults[0]) == "--set regime=R9: unknown regime 'R9'\n    Known regimes: R0, R1, R2, R3."


SHIPPED = [
    pytest.param(file, id=file.stem, marks=[] if file.stem in {"all_flows", "busy_gate"} else pytest.mark.slow)
    for file in sorted((ROOT / "scenarios").glob("*.yaml"))
]
"""The shipped scenarios; the larger ones take longer."""


@pytest.mark.parametrize("file", SHIPPED)
@pytest.mark.parametrize("regime", LIBRARY.regimes)
def test_every_regime_is_a_baseline_of_every_scenario(file, regime):
    """
    Every shipped scenario can be run in every regime, which gives its baseline its name, and with all measures in it.
    """
    world = open_world(file, [f"regime={regime}"])
    arms = arms_for(world)

    assert arms[0].name == regime
    assert all(len(compile_plan(resolve(world, arm)).code) for arm in arms)


@pytest.mark.parametrize("name", ["R2", "R3"])
@pytest.mark.parametrize("file", SHIPPED)
def test_the_measures_of_the_plan_are_in_force_in_r2(file, name):
    """
    In R2 and R3 every practice of a measure that changes anything which is run is followed to the share that its measure asks for, or to the higher one
    that a zone had in 2018 (R3: registration at the gate by all); so a comparison with all measures has nothing to add.
    """
    before, after = (open_world(file, [f"regime={regime}"]) for regime in ("R1", name))
    package = resolve(before, arms_for(before)[-1])
    found, with_all = (resolve(after, arm) for arm in arms_for(after))
    rule = {"m10.simplified": 1.0} if name == "R3" else {}

    assert set(LIBRARY.regimes["R2"].measures) == set(LIBRARY.measures)
    assert found.shares == package.shares | rule
    assert compile_plan(found).identity == compile_plan(with_all).identity


def test_a_measure_does_not_take_back_what_the_regime_has():
    """
    An arm in R2 that asks for less of a measure than R2 has changes nothing, one that asks for more raises it.
    """
    world = open_world(TYPICAL, ["regime=R2"])

    def share(coverage: str) -> float:
        return resolve(world, Arm("own", (Chosen("m11", (("coverage", coverage),)),))).shares["m11.gate"]

    assert (share("60 %"), share("98 %")) == (0.9, 0.98)


def test_registered_goods_come_in_as_other_vehicles_do_in_r3():
    """
    In R2 freight of the plain gate traffic comes in by the lane for goods vehicles; in R3 none does, and 2 % of it is looked into.
    """
    lane, spot = "visit.gate_in.lane.visits.day", "visit.spot_check.visits.day"
    long = ("clock.warm_up=0 d", "clock.measure=28 d", "clock.cool_down=1 d")
    before, after = (kpis(plan_of_file(TYPICAL, *long, f"regime={name}"))[0].values for name in ("R2", "R3"))

    rate = float(load_world(TYPICAL).tree["traffic"]["freight"]["rate"].removesuffix(" /d"))
    assert before[lane] == pytest.approx(rate, rel=0.1)
    assert (after.get(lane, 0), before.get(spot, 0)) == (0, 0)
    assert after[spot] == pytest.approx(0.02 * rate, rel=0.5)


def test_a_regime_is_like_another_where_it_says_nothing_else():
    """
    R3 has the shares that zones had in 2018 where no measure asks for more, its own share of registration, and after R1 nothing stays
    of what R1 gave it.
    """
    park = ROOT / "scenarios" / "suzhou_industrial_park.yaml"
    first = resolve(open_world(park, []), Arm("R1")).shares
    third = resolve(open_world(park, ["regime=R3"]), Arm("R3")).shares

    assert first["m11.gate"] == third["m11.gate"] == 1.0
    assert (first["m10.simplified"], third["m10.simplified"]) == (0.0, 1.0)
    assert all(third[name] >= share for name, share in first.items())
