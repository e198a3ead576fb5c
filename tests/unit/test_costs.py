"""What things cost and who pays: amounts worked out by hand, what is not known, and what pays for itself."""

from __future__ import annotations

import csv
import json
import math

import pytest
from typer.testing import CliRunner

import zonesim
from tests.helper import add_measure
from zonesim import cli
from zonesim.analysis import costs_of, prices_of
from zonesim.briefing.tables.costs import COLUMNS, cost_text, payback_lines
from zonesim.faults import Faults, UnknownName
from zonesim.jobs.validate import validate_file
from zonesim.policy import register, world_of
from zonesim.scenario import load_catalogue, read_text
from zonesim.scenario.fields import ends_of

DESK = """\
zonesim: 1
kind: scenario
name: desk
clock: {start: "2018-09-03", measure: 10 d, cool_down: 1 d}
zones:
  Z:
    desk: {units: 2, role: officer}
    lanes: {units: 3, role: lane}
flows:
  f:
    entity: consignment
    steps:
      file: {mark: declared}
      serve: {hold: {d: Z.desk}, take: 30 min}
      pack: {take: 90 min}
      done: {mark: packed}
traffic:
  goods: {flow: f, at: [AT], label: {en: Goods, zh: 货物}}
costs:
  storage: {payer: firm, of: [dwell.mean, arrived.day], rate: {uncertain: [1 CNY/h, 2 CNY/h, 4 CNY/h]}, label: {en: Storage, zh: 堆存}, source: assumed}
investments:
  scanner: {measure: m90, practice: p, payer: customs, role: lane, price: {uncertain: [100 CNY, 200 CNY, 400 CNY]}, upkeep: 10 %, life: 5, source: assumed}
""".replace("AT", ", ".join(f"{hour} h" for hour in range(0, 240, 2)))
"""Twelve consignments a day, each half an hour with an officer and two hours in all."""

FASTER = """\
name: m90
annex: 90
practices:
  p:
    label: {en: Faster, zh: 更快}
    adoption: {share: 100 %, of: token}
    edits:
      - {set: flows.f.serve.take, to: 6 min}
"""

ALONE = {"replications": 2, "parts": False, "doubts": False}


@pytest.fixture
def desk(tmp_path, monkeypatch):
    """Return the file of a desk, with a measure that makes it five times as fast."""
    add_measure(monkeypatch, FASTER)
    path = tmp_path / "desk.yaml"
    path.write_text(DESK, encoding="utf-8")
    return path


def test_amounts_are_figures_times_what_is_counted(desk):
    """
    12 declarations of CNY 150; 6 h of officers of CNY 100; 12 x 2 h of storage of CNY 2; sums by payer and together, and
    both ends of all figures.
    """
    costs = zonesim.load(desk).run(replications=2).costs()
    told = {line.name: line.amounts["R1"] for line in costs.lines}

    assert {name: amount.usual.value for name, amount in told.items()} == pytest.approx(
        {"declarations": 1800, "officers": 600, "storage": 48, "firm": 1848, "customs": 600, "total": 2448}
    )
    assert (told["total"].least, told["total"].most) == pytest.approx((1200 + 450 + 24, 4200 + 900 + 96))
    assert (told["total"].usual.low, told["total"].usual.high) == pytest.approx((2448, 2448))
    assert costs.consignments == {"R1": pytest.approx(12)}
    assert costs.unknown == ()
    assert [line.kind for line in costs.lines] == ["cost"] * 3 + ["payer"] * 2 + ["total"]


def test_differences_are_those_of_the_counts(desk):
    """
    24 min less of an officer and of storage for each of 12 consignments; what only echoes an edit is tagged so.
    """
    costs = zonesim.load(desk).compare("90", replications=2, doubts=False).costs()
    told = {line.name: line.differences["90"] for line in costs.lines}

    assert {name: saving.usual.value for name, saving in told.items()} == pytest.approx(
        {"declarations": 0, "officers": -480, "storage": -9.6, "firm": -9.6, "customs": -480, "total": -489.6}
    )
    assert (told["total"].least, told["total"].most) == pytest.approx((-720 - 19.2, -360 - 4.8))
    assert told["storage"].tag == "input"
    assert told["firm"].tag == "input"


def test_what_a_measure_needs_is_paid_back_by_what_all_save(desk):
    """
    Three lanes for CNY 200 each and 10 % a year: the price over 365 x 489.6 less the upkeep; dear and little saved, cheap and
    much saved are the ends.
    """
    (found,) = zonesim.load(desk).compare("90", **ALONE).costs().paybacks

    assert (found.units, found.zones, found.payer) == (3, ("Z",), "customs")
    assert found.price == pytest.approx((300, 600, 1200))
    assert found.years == pytest.approx(600 / (365 * 489.6 - 60))
    assert found.years_least == pytest.approx(300 / (365 * 739.2 - 30))
    assert found.years_most == pytest.approx(1200 / (365 * 364.8 - 120))


def test_what_nobody_saves_is_never_paid_back(desk):
    """
    Where a measure makes work longer, its price is never earned, and the text says so in both languages.
    """
    slower = desk.read_text(encoding="utf-8").replace("take: 30 min", "take: 3 min")
    desk.write_text(slower, encoding="utf-8")
    (found,) = zonesim.load(desk).compare("90", **ALONE).costs().paybacks
    english, chinese = payback_lines(found)

    assert found.years == math.inf
    assert "does not earn it" in english
    assert "不足以收回投资" in chinese


def test_what_other_measures_may_have_saved_pays_nothing_back(desk, monkeypatch):
    """
    An arm with a measure beside the one that needs the scanners has a saving of both, and no payback.
    """
    add_measure(monkeypatch, FASTER.replace("90", "91").replace("serve.take, to: 6 min", "pack.take, to: 30 min"))
    study = zonesim.load(desk).compare("90", "90+91", **ALONE)

    assert [(each.arm, each.name) for each in study.costs().paybacks] == [("90", "scanner")]
    assert "90+91" in study.arms


def test_a_measure_that_was_followed_before_needs_nothing(desk):
    """
    Nothing is bought where as many follow the practice already.
    """
    before = desk.read_text(encoding="utf-8") + "adopted: {m90: {p: 100 %}}\n"
    desk.write_text(before, encoding="utf-8")
    costs = zonesim.load(desk).compare("90", **ALONE).costs()

    assert costs.paybacks == ()


def test_a_cost_of_what_is_withheld_is_not_known_and_neither_is_its_sum(desk):
    """
    Half of the goods are inside when the run ends: their storage, what firms pay and the total have no value, officers have one.
    """
    costs = zonesim.load(desk).set("clock.cool_down=0 h", "flows.f.pack.take=5 d").compare("90", **ALONE).costs()
    told = {line.name: line for line in costs.lines}

    for name in ("storage", "firm", "total"):
        assert math.isnan(told[name].amounts["R1"].usual.value), name
        assert math.isnan(told[name].differences["90"].usual.value), name
        assert told[name].amounts["R1"].usual.reason == "missing", name
    assert told["officers"].amounts["R1"].usual.value == pytest.approx(600, rel=0.02)
    assert costs.unknown == ("storage",)
    assert "storage" in cost_text(costs, "R1")
    assert math.isnan(costs.paybacks[0].years)


def test_figures_of_an_arm_are_its_own(desk):
    """
    A measure may change what something costs: the difference is that of the amounts, tagged `input`.
    """
    cheaper = zonesim.load(desk).set("costs.declarations.price=100 CNY").run(replications=1).costs()

    assert cheaper.line("declarations").amounts["R1"].usual.value == pytest.approx(1200)
    with pytest.raises(UnknownName, match="no cost 'declaration'"):
        cheaper.line("declaration")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("payer: firm, of", "payer: frim, of", "nobody is called 'frim'"),
        ("[dwell.mean, arrived.day]", "dwel.mean", "no KPI 'dwel.mean' of any flow"),
        ("[dwell.mean, arrived.day]", "dwell.mean", "h is not hours a day, for a `rate`"),
        ("[dwell.mean, arrived.day]", "arrived.day", "/d is not hours a day, for a `rate`"),
        (
            "rate: {uncertain: [1 CNY/h, 2 CNY/h, 4 CNY/h]}",
            "price: 5 CNY",
            "h × /d is not a number a day, for a `price`",
        ),
        (
            "rate: {uncertain: [1 CNY/h, 2 CNY/h, 4 CNY/h]}",
            "rate: 5 CNY/h, scope: all",
            "no KPI 'dwell.mean' of any all",
        ),
        ("[dwell.mean, arrived.day]", "dwel.mean, only: [f]", "no KPI 'dwel.mean' of any flow"),
        ("arrived.day], rate", "arrived.day], only: [g], rate", "nothing has all that cost 'storage' is told of"),
        ("measure: m90", "measure: m91", "no measure 'm91'"),
        ("practice: p", "practice: q", "measure m90 has no practice 'q'"),
        ("payer: customs", "payer: custom", "nobody is called 'custom'"),
    ],
)
def test_what_is_wrong_with_costs_is_told_before_anything_runs(desk, old, new, message):
    """
    Validation tells what names nothing, and what cannot be multiplied, at its line.
    """
    desk.write_text(desk.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
    with pytest.raises(Faults) as caught:
        validate_file(desk, ())

    assert message in str(caught.value)
    assert "desk.yaml:" in str(caught.value)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("rate: {uncertain: [1 CNY/h, 2 CNY/h, 4 CNY/h]}, ", "", "exactly one of `rate` and `price` is due"),
        ("of: [dwell.mean, arrived.day]", "of: []", "nothing is paid for"),
        ("of: [dwell.mean, arrived.day]", "of: arrived.day, role: officer", "`role` of what is no resource"),
        ("of: [dwell.mean, arrived.day]", "of: arrived.day, only: [f], leave_out: [f]", "`only` beside `leave_out`"),
        ("of: [dwell.mean, arrived.day]", "of: visits.day, scope: step", "steps that are paid for have no names"),
        ("rate: {uncertain: [1 CNY/h, 2 CNY/h, 4 CNY/h]}", "price: 5 元/h", "unknown unit"),
        ("rate: {uncertain: [1 CNY/h, 2 CNY/h, 4 CNY/h]}", "price: 5 元", "Write '5 CNY'."),
    ],
)
def test_costs_that_say_nothing_are_refused(old, new, message):
    """
    What a cost lacks, or says twice, is a fault of the scenario.
    """
    with pytest.raises(Faults) as caught:
        world_of(read_text(DESK.replace(old, new), "desk.yaml"))

    assert message in str(caught.value)


def test_files_tell_what_the_table_tells(desk):
    """
    `costs.csv`, the JSON and the workbook have every line in every arm; the table has payers and the total.
    """
    out = desk.parent / "out"
    told = ["--replications", "2", "--no-figures", "--no-parts", "--no-doubts", "--measures", "90", "--out", str(out)]
    done = CliRunner().invoke(cli.app, ["compare", str(desk), *told])
    assert done.exit_code == 0, done.output
    printed = done.output
    (folder,) = [path.parent for path in out.rglob("costs.csv")]
    with (folder / "costs.csv").open(encoding="utf-8-sig", newline="") as text:
        rows = list(csv.DictReader(text))
    document = json.loads((folder / "compare.json").read_text(encoding="utf-8"))["costs"]

    assert tuple(rows[0]) == COLUMNS
    assert [(row["arm"], row["cost"]) for row in rows] == [(each["arm"], each["cost"]) for each in document["lines"]]
    total = next(row for row in rows if row["cost"] == "total" and row["arm"] == "90")
    assert float(total["difference"]) == pytest.approx(-489.6)
    assert float(total["diff_per_year"]) == pytest.approx(-489.6 * 365)
    assert float(total["diff_per_consignment"]) == pytest.approx(-489.6 / 12)
    assert "all together" in printed
    assert "合计" in printed
    assert (folder / "payback.csv").exists()


def test_numbers_of_costs_stand_in_the_register():
    """
    Every figure of the library's costs has a source, and is a number behind every comparison.
    """
    world = world_of(read_text(DESK, "desk.yaml"))
    entries = {entry.dotted: entry for entry in register(world)}

    for name, cost in load_catalogue().costs.items():
        key = "rate" if "rate" in cost else "price"
        assert ends_of(cost[key])[0] is not None
        assert entries[f"costs.{name}.{key}.uncertain.1"].source is not None, name
    assert entries["investments.smart_gate.life"].source is not None


def test_every_cost_of_the_library_is_told_of_something():
    """
    Each cost of the library names KPIs that the typical zone has, and payers that there are.
    """
    model = zonesim.load("scenarios/typical_zone.yaml")
    design = model.set("clock.warm_up=1 d", "clock.measure=1 d", "clock.cool_down=1 d").run(replications=1).design
    priced = {each.name for each in prices_of(design.resolved, design.kpis)["R1"]}

    assert priced == set(load_catalogue().costs)


def test_nothing_is_told_where_nothing_is_paid_for(desk):
    """
    A scenario without officers, trucks and declarations has no table of costs.
    """
    bare = (
        desk.read_text(encoding="utf-8")
        .replace(", role: officer", "")
        .replace("file: {mark: declared}", "file: {mark: filed}")
    )
    desk.write_text(bare[: bare.index("costs:")], encoding="utf-8")
    study = zonesim.load(desk).run(replications=1)
    (future,) = study.futures
    costs = costs_of(study.design, study.comparisons[future], {"R1": study.results["R1", future]})

    assert costs.lines == ()
    assert cost_text(costs, "R1") == ""
