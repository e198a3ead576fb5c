"""zonesim from Python: the public names, and numbers that are those of the command line and of the engine."""

from __future__ import annotations

import csv
import dataclasses
import math
import subprocess
import sys

import numpy as np
import pytest

import zonesim
from tests.helper import ROOT, RowLog, plan_of_file
from zonesim import api
from zonesim.engine import simulate
from zonesim.experiment import Execution
from zonesim.jobs.run import run_job
from zonesim.jobs.sweep import sweep_job
from zonesim.plan import NUMBER_BITS

DESK = """\
zonesim: 1
kind: scenario
name: desk
clock: {warm_up: 1 h, measure: 8 h, cool_down: 4 h}
zones:
  DESK: {clerks: {units: 2}}
flows:
  visit:
    entity: visitor
    steps:
      serve: {hold: {clerk: DESK.clerks}, take: {exponential: {mean: 6 min}}, source: assumed}
traffic:
  visitor: {flow: visit, rate: 15 /h, source: assumed}
"""


CIRCLE = """\
zonesim: 1
kind: scenario
name: circle
clock: {measure: 2 h}
zones: {Z: {a: {units: 1}, b: {units: 1}}}
flows:
  f: {steps: {outer: {hold: {x: Z.a}, steps: {go: {take: 1 min}, inner: {hold: {y: Z.b}, take: 1 min}}}}}
  g: {steps: {outer: {hold: {x: Z.b}, steps: {go: {take: 1 min}, inner: {hold: {y: Z.a}, take: 1 min}}}}}
traffic: {p: {flow: f, at: [0 min]}, q: {flow: g, at: [0 min]}}
"""


@pytest.fixture
def desk(tmp_path):
    """Return the file of a small scenario."""
    path = tmp_path / "desk.yaml"
    path.write_text(DESK, encoding="utf-8")
    return path


def test_public_names_are_those_that_are_promised():
    """
    `zonesim` has these names and no others; the stub for type checkers lists the same.
    """
    names = {
        *("load", "Scenario", "Experiment", "Study", "Row", "Records", "Interval"),
        *("Best", "Robustness", "Sensitivities"),
        *("ZonesimError", "ScenarioFault", "Faults", "RunFault"),
    }
    stub = (ROOT / "zonesim" / "__init__.pyi").read_text(encoding="utf-8")

    assert set(zonesim.__all__) == {*names, "__version__"} == set(dir(zonesim))
    assert set(api.__all__) == names
    assert all(getattr(zonesim, name) is getattr(api, name) for name in names)
    assert all(f"    {name} as {name},\n" in stub for name in names)


def test_every_public_attribute_and_method_says_what_it_is():
    """
    Each public method has a docstring, each field of a public class a line below it or a word in the class's own.
    """
    for name in api.__all__:
        thing = getattr(api, name)
        assert thing.__doc__, name
        for attribute, value in vars(thing).items():
            if not attribute.startswith("_") and (callable(value) or isinstance(value, property)):
                assert value.__doc__, f"{name}.{attribute}"


def test_importing_zonesim_imports_nothing_slow():
    """
    `import zonesim` loads neither numpy nor the engine: the command line prints its help in no time.
    """
    asked = "import sys, zonesim; print(sorted({'numpy', 'numba', 'duckdb', 'matplotlib', 'zonesim.api'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"


def test_a_name_that_is_none_is_an_attribute_error():
    """
    Asking the package for what it does not have fails as for any module.
    """
    with pytest.raises(AttributeError, match="no attribute 'simulate_all'"):
        _ = zonesim.simulate_all


ALONE = {"parts": False, "doubts": False}
"""What is run besides has tests of its own."""


def test_numbers_are_those_of_the_command_line(tmp_path):
    """
    A comparison from Python has every value, limit, difference and tag that `compare` writes to results.csv.
    """
    file = tmp_path / "typical_zone.yaml"
    file.write_bytes((ROOT / "scenarios" / "typical_zone.yaml").read_bytes())
    short = ["clock.warm_up=1 d", "clock.measure=2 d", "clock.cool_down=2 d"]
    run_job(file, ["11"], short, 3, 7, Execution(1), tmp_path / "out", only=False, with_figures=False, **ALONE)
    (written,) = (tmp_path / "out").rglob("compare.csv")
    study = zonesim.load(file).set(*short).compare("11", replications=3, seed=7, **ALONE)
    rows = {(row.arm, row.kpi): row for row in study.table(study.kpis)}
    with written.open(encoding="utf-8-sig", newline="") as text:
        found = list(csv.DictReader(text))

    assert {line["kpi"] for line in found} == set(study.kpis)
    for line in found:
        base, arm = rows["R1", line["kpi"]], rows["11", line["kpi"]]
        names = ("R1", "low", "high", "11", "11 difference", "11 low", "11 high")
        told = (base.value, base.low, base.high, arm.value, arm.difference, arm.difference_low, arm.difference_high)
        for name, value in zip(names, told, strict=True):
            assert (math.isnan(value) and line[name] == "") or repr(value) == line[name], (line["kpi"], name)
        assert (base.n, arm.tag, arm.en, arm.zh) == (int(line["n"]), line["11 tag"], line["label_en"], line["label_zh"])


def test_a_mean_is_that_of_its_replications(desk):
    """
    `values` has one number a replication, whose mean is the interval's; the relation of replications has the same.
    """
    study = zonesim.load(desk).run(replications=5)
    values = study.values("visit.serve.wait.mean")
    relation = study.replications(["visit.serve.wait.mean"]).order("replication")

    assert values.shape == (5,)
    assert study.interval("visit.serve.wait.mean").value == pytest.approx(values.mean())
    assert [value for (value,) in relation.project("value").fetchall()] == values.tolist()
    assert study.finished == {"as written": [0, 1, 2, 3, 4]}


def test_records_are_the_rows_of_the_engine(desk):
    """
    `records` has every visit and mark of a replication, in order, taken apart into token, place and times.
    """
    rows = zonesim.load(desk).records(replication=2, seed=5)
    plan, sink = plan_of_file(desk), RowLog()
    simulate(plan, 5, 2, sink)
    visits, marks = sink.visits, sink.marks

    assert len(rows.visits) == len(visits) > 100
    for name in ("queued", "started", "ended"):
        assert rows.visits[name].tolist() == visits[name].tolist()
    key = (
        rows.visits["step"] << NUMBER_BITS
        | rows.visits["entry"] << 32
        | rows.visits["ordinal"] << 6
        | rows.visits["child"]
    )
    assert key.tolist() == visits["key"].tolist()
    assert rows.marks["time"].tolist() == marks["time"].tolist()
    assert {rows.steps[step] for step in rows.visits["step"]} == {"visitor.serve", "visitor.left"}


def test_relations_name_places_and_have_null_for_never(desk):
    """
    The relation of visits has names for numbers, whole milliseconds, and NULL where a visit did not start or end.
    """
    rows = zonesim.load(desk).set("traffic.visitor.rate=40 /h").records()
    relation = rows.visit_relation()
    never = int((rows.visits["ended"] == -1).sum())

    assert dict(zip(relation.columns, map(str, relation.types), strict=True)) == {
        **dict.fromkeys(("entry", "flow", "step"), "VARCHAR"),
        **dict.fromkeys(("ordinal", "child", "queued_ms", "started_ms", "ended_ms"), "BIGINT"),
    }
    assert never > 0
    assert relation.filter("ended_ms is null").aggregate("count(*)").fetchall() == [(never,)]
    assert relation.filter("started_ms >= queued_ms").aggregate("sum(started_ms - queued_ms)").fetchall() == [
        (int((rows.visits["started"] - rows.visits["queued"])[rows.visits["started"] >= 0].sum()),)
    ]
    assert set(rows.mark_relation().project("mark").fetchnumpy()["mark"]) <= set(rows.mark_names)


def test_scenarios_never_change(desk):
    """
    `set` and `arm` return others, and what was there before runs as before.
    """
    plain = zonesim.load(desk)
    changed = plain.set("zones.DESK.clerks.units=1")

    assert plain.settings == ()
    assert changed.settings == ("zones.DESK.clerks.units=1",)
    assert changed.arm("11").measures == "11"
    with pytest.raises(dataclasses.FrozenInstanceError):
        plain.measures = "11"
    before = plain.run(replications=2).values("visit.serve.wait.mean")
    changed.run(replications=2)
    assert plain.run(replications=2).values("visit.serve.wait.mean").tolist() == before.tolist()


def test_engines_give_the_same_numbers(desk):
    """
    The engine by name changes nothing but the time it takes.
    """
    found = [zonesim.load(desk).run(replications=2, engine=engine) for engine in ("compiled", "simpy")]

    assert found[0].relation(found[0].kpis).fetchall() == found[1].relation(found[1].kpis).fetchall()


def test_a_sweep_runs_every_combination(desk):
    """
    Each combination of values is a future of its own, whose numbers are those of the scenario with these settings.
    """
    scenario = zonesim.load(desk)
    study = scenario.sweep(
        {"zones.DESK.clerks.units": range(2, 4), "traffic.visitor.rate": {"scale": (1.0, 1.5)}}, replications=2
    )
    alone = scenario.set("zones.DESK.clerks.units=3", "traffic.visitor.rate*=1.5").run(replications=2)

    assert len(study.futures) == 4
    assert study.arms == ["R1"]
    last = study.values("visit.serve.wait.mean", future=study.futures[-1])
    assert last.tolist() == alone.values("visit.serve.wait.mean").tolist()
    assert len(study.table(["visit.serve.wait.mean"])) == 4


def test_an_experiment_file_runs_as_it_says(desk):
    """
    `load` of an experiment gives its arms, futures, replications and seed, unless others are asked for.
    """
    file = desk.with_name("more.yaml")
    file.write_text(
        "zonesim: 1\nkind: experiment\nname: more\nscenario: desk.yaml\nreplications: 3\n"
        "arms: {R1: [], third: {set: {zones.DESK.clerks.units: 3}}}\nkpis: [visit.serve.wait.mean]\n",
        encoding="utf-8",
    )
    study = zonesim.load(file).sweep()
    short = zonesim.load(file).sweep(2)

    assert study.arms == ["R1", "third"]
    assert study.values("visit.serve.wait.mean", "third").shape == (3,)
    assert short.values("visit.serve.wait.mean", "third").shape == (2,)
    assert study.difference("visit.serve.wait.mean").value < 0
    assert [row.kpi for row in study.table()] == ["visit.serve.wait.mean"] * 2


PRECISE = (
    "zonesim: 1\nkind: experiment\nname: precise\nscenario: desk.yaml\n"
    "replications: {until: 5 %, of: baseline, at_least: 3, at_most: 8}\n"
    "arms: {R1: [], third: {set: {zones.DESK.clerks.units: 3}}}\nkpis: [visit.stay.mean]\n"
)


def test_a_file_is_run_until_it_is_precise_as_by_the_command_line(desk):
    """
    As many replications as `zonesim sweep` finds to be enough, or the most; numbers are those of a study of so many.
    """
    file = desk.with_name("precise.yaml")
    file.write_text(PRECISE, encoding="utf-8")
    study = zonesim.load(file).sweep()
    job = sweep_job(file, [], None, None, Execution(), desk.parent / "results")
    count = job.document["precision"]["replications"]
    values = study.values("visit.stay.mean", "third")

    assert study.design.replications == count == len(values)
    assert study.is_precise == job.document["precision"]["reached"]
    assert values.tolist() == zonesim.load(file).sweep(count).values("visit.stay.mean", "third").tolist()
    assert len(study.samples("visit.dwell", "third")) == count
    assert zonesim.load(file).sweep(2).is_precise


@pytest.mark.parametrize(
    ("ask", "told"),
    [
        (lambda desk: desk.set("zones.DESK.clerk.units=1"), "DESK.clerk"),
        (lambda desk: desk.arm("99"), "no measure '99'"),
        (lambda desk: desk.run(replications=2).values("visit.serve.wait.men"), "Did you mean 'visit.serve.wait.mean'"),
        (lambda desk: desk.compare("11", replications=1).values("visit.serve.wait.mean"), "which arm is meant"),
        (lambda desk: desk.run(replications=1).difference("visit.serve.wait.mean"), "'R1' is the baseline"),
        (lambda desk: desk.run(replications=1).curve("DESK.queue"), "no curve 'DESK.queue'"),
        (lambda desk: desk.run(replications=1).samples("visit.dwel"), "no samples 'visit.dwel'"),
        (lambda desk: desk.sweep({"zones.DESK.clerks.unit": [1]}, replications=1), "unit"),
        (lambda desk: desk.run(engine="compield"), "compield"),
    ],
)
def test_slips_are_told(desk, ask, told):
    """
    A name that there is none of is a ScenarioFault, whose text says what would be right.
    """
    with pytest.raises(zonesim.ScenarioFault) as caught:
        ask(zonesim.load(desk))

    assert told in str(caught.value)


def test_a_file_with_faults_tells_all_of_them(desk):
    """
    `load` raises every fault of a file, each with its line.
    """
    desk.write_text(
        DESK.replace("rate: 15 /h", "rate: 15 per hour").replace("units: 2", "units: two"), encoding="utf-8"
    )

    with pytest.raises(zonesim.Faults) as caught:
        zonesim.load(desk)
    assert len(caught.value.faults) == 2
    assert {fault.place.line for fault in caught.value.faults} == {6, 13}


def test_a_run_of_which_nothing_is_finished_is_a_fault(desk):
    """
    Where no replication can be finished there are no numbers: a RunFault says why.
    """
    desk.write_text(CIRCLE, encoding="utf-8")

    with pytest.raises(zonesim.RunFault, match="wait for each other"):
        zonesim.load(desk).run(replications=1)


def test_a_study_prints_as_a_table(desk):
    """
    Printed, a study says what was run and has one line a KPI with both names.
    """
    text = str(zonesim.load(desk).run(replications=2))

    assert text.startswith("desk: 2 replications, seed 1, 95 % intervals\n")
    assert "DESK.clerks: Queue, time average" in text
    assert np.char.count(text, "\n") > 5
