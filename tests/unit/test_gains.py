"""Who gains: groups of goods by zone, class, size of firm and attribute, worked out by hand and against the rows."""

from __future__ import annotations

import math
from bisect import bisect_right

import pytest

from tests.helper import ROOT, RowLog, kpis, plan_of, plan_of_file
from zonesim.analysis import FEW, GATE, compare, echoes, gains, mixed, unstable
from zonesim.compiled.streams import run_key, uniform
from zonesim.engine import simulate
from zonesim.faults import Faults
from zonesim.kpi import Kpi, RunResult, catalogue
from zonesim.plan import Plan
from zonesim.policy import sizes
from zonesim.scenario import check, read_text
from zonesim.scenario.kpis import KpisDocument

GOODS = """
clock: {start: "2018-09-03", measure: 1 d, cool_down: 1 d}
zones: {A: {lanes: {units: 99}}, B: {lanes: {units: 99}}}
FIRMS
attributes: {goods: {food: 50 %, cloth: 50 %}}
flows:
  gate:
    entity: truck
    params: {lanes: resource}
    place: $lanes
    steps:
      arrive: {mark: gate_arrived}
      lane: {hold: {l: $lanes}, take: 1 min}
      away: {mark: lane_left}
      passed: {mark: gate_passed}
  bring:
    entity: consignment
    params: {zone: zone}
    steps:
      papers: {take: {by: class, AEO: 10 min, ordinary: ORDINARY}}
      store: {take: {by: goods, food: FOOD, cloth: 20 min}}
      gate: {call: gate, with: {lanes: $zone.lanes}}
      use: {mark: usable}
traffic:
TRAFFIC
"""

LISTED = """\
  a: {flow: bring, with: {zone: A}, at: [1 h, 2 h], class: AEO, attributes: {goods: food}}
  b: {flow: bring, with: {zone: A}, at: [3 h], class: ordinary, attributes: {goods: cloth}}
  c: {flow: bring, with: {zone: B}, at: [4 h], class: ordinary, attributes: {goods: food}}
"""

DRAWN = """\
  a: {flow: bring, with: {zone: A}, rate: 20 /h}
  b: {flow: bring, with: {zone: B}, rate: 10 /h}
"""

FIRMS = "firms: {count: 30, volume: {zipf: 1.0}, credit: {AEO: 40 %, ordinary: 60 %}}"


def goods(ordinary: str, food: str, traffic: str = LISTED, firms: str = "") -> Plan:
    """The goods of two zones, with the time of papers of ordinary firms and of storing food."""
    text = GOODS.replace("ORDINARY", ordinary).replace("FOOD", food).replace("TRAFFIC", traffic)
    return plan_of(text.replace("FIRMS", firms))


def found(before: Plan, after: Plan, replications: int = 1):
    """What the second plan changes for the groups of the first, by dimension, value and subject."""
    runs = {"R1": kpis(before, replications=replications), "with": kpis(after, replications=replications)}
    told = catalogue(before)
    comparison = compare(runs, [kpi.id for kpi in told])

    def column(arm: str, kpi: str) -> list[float]:
        return [run.values[kpi] for run in runs[arm]]

    return {(each.by, each.value, each.subject): each for each in gains(comparison, told, column, 1.0)}


def test_who_gains_by_hand():
    """
    Papers of ordinary firms take 10 min less: they gain 10 min, certified ones nothing, zone A 10 of 3 and zone B 10.
    """
    told = found(goods("30 min", "5 min"), goods("20 min", "5 min"))
    minutes = {
        (by, value): (each.difference.value * 60, each.cases)
        for (by, value, subject), each in told.items()
        if subject == "all" and by != GATE
    }

    assert minutes == {
        ("all", "all"): (pytest.approx(-5), 4),
        ("zone", "A"): (pytest.approx(-10 / 3), 3),
        ("zone", "B"): (pytest.approx(-10), 1),
        ("class", "AEO"): (pytest.approx(0), 2),
        ("class", "ordinary"): (pytest.approx(-10), 2),
        ("goods", "food"): (pytest.approx(-10 / 3), 3),
        ("goods", "cloth"): (pytest.approx(-10), 1),
    }
    assert told["class", "ordinary", "all"].apart.value * 60 == pytest.approx(-5)
    # 30 min papers, 20 or 5 min in the store, 1 min at the gate.
    assert told["class", "ordinary", "bring"].relative == pytest.approx(-10 / ((51 + 36) / 2))
    assert {each.tag for each in told.values()} <= {FEW, "not material"}


def test_one_wins_what_another_loses():
    """
    Food is stored 9 min longer while ordinary papers take 10 min less: each group is told apart, with its interval.
    """
    told = found(
        *(goods(*times, DRAWN, FIRMS) for times in (("30 min", "5 min"), ("20 min", "14 min"))), replications=3
    )

    assert told["goods", "food", "all"].loses
    assert told["goods", "food", "all"].differs
    assert told["class", "AEO", "all"].loses
    assert not told["class", "ordinary", "all"].loses
    assert told["goods", "cloth", "all"].difference.high < 0


def weighted(run: RunResult, names: list[str]) -> tuple[float, float]:
    """The mean of groups weighted by their cases, and the cases."""
    parts = [(run.values[f"{name}.mean"], run.values[f"{name}.day"]) for name in names]
    total = sum(count for _, count in parts)
    return sum(value * count for value, count in parts if count) / total, total


@pytest.mark.parametrize("seed", [1, 7, 2019])
def test_groups_are_a_partition(seed):
    """
    By class, size of firm, attribute and zone: the groups' means weighted by their cases are the mean of all, to 1e-9.
    """
    plan = goods("30 min", "5 min", DRAWN, FIRMS)
    (run,) = kpis(plan, seed=seed)
    groups: dict[str, list[str]] = {}
    for kpi in catalogue(plan):
        by, _ = kpi.definition.group
        if by and kpi.definition.statistic == "mean":
            groups.setdefault(f"{kpi.subject} {by}", []).append(kpi.id.removesuffix(".mean"))
    groups["all zone"] = ["A.goods_dwell", "B.goods_dwell"]

    assert set(groups) == {f"{head} {by}" for head in ("all", "bring") for by in ("class", "firm_size", "goods")} | {
        "all zone"
    }
    for name, own in groups.items():
        whole = "bring.dwell.mean" if name.startswith("bring") else "all.goods_dwell.mean"
        mean, count = weighted(run, own)
        assert mean == pytest.approx(run.values[whole], rel=1e-9), name
        assert count == pytest.approx(run.values["all.goods_dwell.day"], rel=1e-12), name


def test_groups_of_a_shipped_zone_are_a_partition():
    """
    So they are in a shipped scenario, flow by flow and over all goods, wherever no mean is withheld; cars belong to no firm.
    """
    plan = plan_of_file(ROOT / "scenarios" / "typical_zone.yaml", "clock.warm_up=0 h", "clock.measure=1 week")
    (run,) = kpis(plan)
    groups: dict[tuple[str, str], list[Kpi]] = {}
    for kpi in catalogue(plan):
        if kpi.definition.group[0] and kpi.definition.statistic == "mean" and kpi.subject != "visit":
            groups.setdefault((kpi.subject, kpi.definition.group[0]), []).append(kpi)
    checked = 0
    for (subject, _), own in groups.items():
        whole = run.values[f"{subject}.{'goods_dwell' if subject == 'all' else 'dwell'}.mean"]
        if math.isnan(whole) or any(kpi.id in run.withheld for kpi in own):
            continue
        checked += 1
        assert weighted(run, [kpi.id.removesuffix(".mean") for kpi in own])[0] == pytest.approx(whole, rel=1e-9), (
            subject
        )
    assert checked > 10


def test_sizes_of_firms_are_those_that_were_drawn():
    """
    The size of a consignment's firm is that of the firm that the run drew for it, and the same in another arm.
    """
    plan, other = goods("30 min", "5 min", DRAWN, FIRMS), goods("20 min", "9 min", DRAWN, FIRMS)
    key, stream = run_key(1, 0), plan.source_streams["firm"][0]
    cumulative, by_firm = plan.members["cumulative_share"].tolist(), sizes(plan.members["share"].tolist())
    totals = simulate(plan, 1, 0, RowLog())
    first, after = totals.cohort[0].tolist()
    drawn = [by_firm[min(bisect_right(cumulative, uniform(key, stream, n, 0, 0)), 29)] for n in range(first, after)]
    stream = plan.source_streams["firm"][1]
    drawn += [
        by_firm[min(bisect_right(cumulative, uniform(key, stream, n, 0, 0)), 29)]
        for n in range(*totals.cohort[1].tolist())
    ]
    runs = [kpis(each)[0].values for each in (plan, other)]

    for size in ("large", "medium", "small"):
        assert [own[f"all.goods_dwell_by.firm_size.{size}.day"] for own in runs] == [drawn.count(size)] * 2


def test_sizes_go_by_rank_of_volume():
    """
    The largest firms that make up half of the volume are large, the next 30 % medium, the rest small; firms that are all alike
    have no size.
    """
    assert sizes([0.5, 0.3, 0.2]) == ["large", "medium", "small"]
    assert sizes([0.3, 0.2, 0.15, 0.14, 0.11, 0.1]) == ["large", "large", "medium", "medium", "small", "small"]
    assert sizes([0.9, 0.1]) == ["large", "small"]
    assert sizes([0.25] * 4) == []
    assert sizes([]) == []


def test_nothing_is_told_by_what_does_not_differ():
    """
    Without firms or attributes there are no groups, and zones without a gate have no goods.
    """
    plan = plan_of(
        "clock: {measure: 1 h}\nzones: {Z: {d: {units: 1}}}\nflows: {f: {steps: {s: {hold: {d: Z.d}, take: 1 min}}}}\n"
        "traffic: {a: {flow: f, at: [0 min]}}\n"
    )

    assert not [kpi.id for kpi in catalogue(plan) if "_by." in kpi.id or "goods" in kpi.id]


def test_goods_of_a_zone_have_the_tags_of_what_they_are_of():
    """
    Where only times of steps are edited the dwell of a zone's goods echoes them; where its lane is overloaded the dwell of this zone
    and of all goods grows with the run, and that of the other zone does not.
    """
    before, after = goods("30 min", "5 min"), goods("20 min", "5 min")
    echoed = echoes(before, after)

    assert {f"{zone}.goods_dwell.mean" for zone in "AB"} | {"all.goods_dwell.mean"} <= echoed.keys()
    assert "all.goods_dwell_by.class.AEO.mean" in echoed
    assert not [name for name in echoed if name.endswith("goods_dwell.day")]

    text = (
        GOODS.replace("ORDINARY", "30 min").replace("FOOD", "5 min").replace("TRAFFIC", DRAWN).replace("FIRMS", FIRMS)
    )
    full = plan_of(
        text.replace("A: {lanes: {units: 99}}", "A: {lanes: {units: 1}}").replace("rate: 20 /h", "rate: 90 /h")
    )
    grown = unstable(full, 0, catalogue(full))

    assert {"A.goods_dwell.mean", "all.goods_dwell.mean", "all.goods_dwell_by.firm_size.small.mean"} <= grown
    assert not {"B.goods_dwell.mean", "A.goods_dwell.day", "all.goods_dwell.day"} & grown


def test_goods_that_only_an_arm_brings_make_no_difference():
    """
    Where a zone gets goods with a truth that nobody comes by in the baseline, the mean over both is tagged `mix`, the other zone's not.
    """
    check = "papers: {take: {by: class, AEO: 10 min, ordinary: 1 min}, detect: {truth: wrong, sensitivity: 50 %}}"
    text = GOODS.replace("papers: {take: {by: class, AEO: 10 min, ordinary: ORDINARY}}", check).replace("FOOD", "5 min")
    text = text.replace("FIRMS", FIRMS + "\ntruth: {wrong: {all: 10 %}}")
    base, more = (
        plan_of(text.replace("TRAFFIC", f"{DRAWN}  c: {{flow: bring, with: {{zone: B}}, rate: {rate}}}\n"))
        for rate in ("0 /h", "5 /h")
    )
    tagged = mixed(base, more, catalogue(more))

    assert {"B.goods_dwell.mean", "all.goods_dwell.mean", "all.goods_dwell_by.class.AEO.mean"} <= tagged
    assert not {"A.goods_dwell.mean", "B.goods_dwell.day"} & tagged


def test_goods_of_two_firms_count_once():
    """
    Goods that belong to two firms count once, with the first of them.
    """
    traffic = "  a: {flow: bring, with: {zone: A}, at: [1 h, 2 h, 3 h], parties: 2}\n"
    (run,) = kpis(goods("30 min", "5 min", traffic, FIRMS))

    assert weighted(run, [f"all.goods_dwell_by.firm_size.{size}" for size in ("large", "medium", "small")])[1] == 3


FAULTS = {
    "firms without size": (
        "FIRMS",
        "firms: {count: 4, credit: {AEO: 50 %, ordinary: 50 %}}",
        "by: firm_size",
        "no firm is larger than another\n    Write e.g. firms: {count: 60, volume: {zipf: 1.0}}.",
    ),
    "an unknown size": ("FIRMS", FIRMS, "of: {firm_size: larg}", "no size of firms 'larg'\n    Did you mean 'large'?"),
    "an unknown dimension": ("FIRMS", FIRMS, "by: firm_siz", "no attribute 'firm_siz'\n    Did you mean 'firm_size'?"),
}


@pytest.mark.parametrize("case", FAULTS)
def test_what_is_wrong_with_groups(case):
    """
    A group that there is not is a fault that says what there is.
    """
    old, new, told, message = FAULTS[case]
    text = GOODS.replace("ORDINARY", "1 min").replace("FOOD", "1 min").replace("TRAFFIC", DRAWN).replace(old, new)
    rule = f"kpis: {{k: {{time: {{from: arrived, to: usable}}, {told}, statistics: {{mean: {{}}}}}}}}\n"
    with pytest.raises(Faults) as caught:
        plan_of(text + rule)

    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("time: {from: a, to: b}\n    having: c", "`having` of what is no time of a zone or of all\n    Leave it out, or name flows with `only`."),
        ("time: {from: a, to: b, once: c}\n    scope: zone", "`once` is told of flows and gates\n    Leave it out, or `scope`."),
    ],
)  # fmt: skip
def test_a_wrong_declaration_of_goods_is_refused(body, message):
    """
    What is no time of goods of several entries is refused in words.
    """
    document = read_text(
        f"zonesim: 1\nkind: kpis\nname: own\nkpis:\n  k:\n    {body}\n    statistics: {{mean: {{}}}}\n", "own.yaml"
    )
    with pytest.raises(Faults) as caught:
        check(KpisDocument, document.tree, document.places, document.keys, file="own.yaml")

    assert message in str(caught.value)


def test_sizes_add_up():
    """
    The sizes of firms make up the whole volume.
    """
    text = "zonesim: 1\nkind: kpis\nname: own\nfirm_sizes: {big: {share: 50 %, label: {en: big}}}\nkpis: {}\n"
    document = read_text(text, "own.yaml")
    with pytest.raises(Faults) as caught:
        check(KpisDocument, document.tree, document.places, document.keys, file="own.yaml")

    assert "the shares of the sizes of firms add up to 50 %\n    They must add up to 100 %." in str(caught.value)
