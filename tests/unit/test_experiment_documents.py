"""Experiment files: what they mean, and the exact words for what is wrong in them, before anything runs."""

from __future__ import annotations

import pytest

from tests.helper import ROOT
from zonesim.experiment import AS_WRITTEN, read_design
from zonesim.faults import ScenarioFault

BANK = """zonesim: 1
kind: scenario
name: bank
clock: {warm_up: 1 h, measure: 20 h, cool_down: 2 h}
zones: {BANK: {clerks: {units: {uncertain: [2, 3, 4]}}}}
flows:
  bank:
    entity: customer
    steps:
      serve: {hold: {clerk: BANK.clerks}, take: {exponential: {mean: {uncertain: [8 min, 10 min, 15 min]}}}}
traffic:
  customers: {flow: bank, rate: 0.2 /min}
  others: {flow: bank, rate: 0.01 /min}
"""
HEAD = """zonesim: 1
kind: experiment
name: clerks
scenario: bank.yaml
"""


@pytest.fixture
def folder(tmp_path):
    """Give a project folder with the scenario in it."""
    (tmp_path / "zonesim.toml").write_text("", encoding="utf-8")
    (tmp_path / "bank.yaml").write_text(BANK, encoding="utf-8")
    return tmp_path


def design(folder, text, *settings, head=HEAD, **more):
    """Return the design of an experiment text."""
    file = folder / "e.yaml"
    file.write_text(head + text, encoding="utf-8")
    return read_design(file, settings, **more)


def faults(folder, text, head=HEAD):
    """Return the message about an experiment text, without the folder."""
    with pytest.raises(ScenarioFault) as found:
        design(folder, text, head=head)
    return str(found.value).replace(str(folder) + "/", "")


def test_the_futures_are_the_grid_with_the_zipped_rows(folder):
    """
    Two values and two factors of the grid with two zipped rows are eight futures, named by their settings; every arm
    meets each, the rate of both entries follows the star.
    """
    found = design(
        folder,
        "arms: {R1: []}\n"
        "futures:\n"
        "  grid: {traffic.*.rate: {scale: [1, 1.5]}, zones.BANK.clerks.units: [2, 3]}\n"
        "  zip: {clock.measure: [10 h, 20 h], flows.bank.serve.take: [5 min, {exponential: {mean: 6 min}}]}\n",
    )

    assert [future.name for future in found.futures][:3] == [
        "traffic.*.rate ×1, zones.BANK.clerks.units = 2, clock.measure = 10 h, flows.bank.serve.take = 5 min",
        "traffic.*.rate ×1, zones.BANK.clerks.units = 2, clock.measure = 20 h, flows.bank.serve.take = {exponential: {mean: 6 min}}",
        "traffic.*.rate ×1, zones.BANK.clerks.units = 3, clock.measure = 10 h, flows.bank.serve.take = 5 min",
    ]
    assert len(found.futures) == 8 == len(found.cells)
    assert [setting.number for setting in found.futures[-1].settings] == [1.5, 3.0, 20.0, None]
    rates = found.cells["R1", found.futures[-1].name].plan.rates["rate"] * 60_000
    assert sorted(rates.round(9)) == [0.015, 0.3]


def test_without_futures_there_is_the_scenario_as_written(folder):
    """
    The first arm is the baseline and the headlines are reported, if nothing else is said; options of the command line
    win over seed and replications of the file.
    """
    found = design(folder, "arms: {one: [], two: {set: {zones.BANK.clerks.units: 4}}}\nseed: 5\n", replications=3)

    assert [future.name for future in found.futures] == [AS_WRITTEN]
    assert (found.baseline, found.seed, found.replications) == ("one", 5, 3)
    assert "bank.serve.wait.mean" in found.reported
    assert found.cells["two", AS_WRITTEN].changes[0].dotted == "zones.BANK.clerks.units"
    assert found.cells["two", AS_WRITTEN].changes[0].by == "arm 'two'"


def test_the_baseline_comes_first(folder):
    """
    `baseline` names the arm that the others are compared with; it is told first.
    """
    found = design(folder, "arms: {one: [], two: {scale: {traffic.others.rate: 2}}}\nbaseline: two\n")

    assert list(found.options) == ["two", "one"]


def test_doubts_are_futures_one_at_a_time(folder):
    """
    Each uncertain value gives its low and its high end with all else at the mode, beside the scenario as written.
    """
    found = design(folder, "arms: {R1: []}\ndoubts: true\n")
    one = design(folder, "arms: {R1: []}\ndoubts: [zones.*.clerks.units]\nfutures: {grid: {traffic.*.rate: [1 /h]}}\n")

    assert [future.name for future in found.futures] == [
        "as written",
        "zones.BANK.clerks.units = 2 (low)",
        "zones.BANK.clerks.units = 4 (high)",
        "flows.bank.serve.take.exponential.mean = 8 min (low)",
        "flows.bank.serve.take.exponential.mean = 15 min (high)",
    ]
    assert [future.name for future in one.futures] == [
        "traffic.*.rate = 1 /h",
        "as written",
        "zones.BANK.clerks.units = 2 (low)",
        "zones.BANK.clerks.units = 4 (high)",
    ]


def test_a_table_of_units_is_a_future_beside_doubts(folder):
    """
    A number of units and a table by the hour are two futures of one path; doubts stand beside them.
    """
    values = "zones.BANK.clerks.units: [2, {mon-sun: {'00:00-12:00': 1, '12:00-24:00': 3}}]"
    found = design(
        folder, f"arms: {{R1: []}}\ndoubts: [flows.bank.serve.take.exponential.mean]\nfutures: {{grid: {{{values}}}}}\n"
    )
    plans = [found.cells["R1", future.name].plan for future in found.futures[:2]]

    assert len(found.futures) == 5
    assert [plan.changes_of(0)["units"][:2].tolist() for plan in plans] == [[2], [1, 3]]


def test_arms_with_one_plan_have_one_key(folder):
    """
    The key of the cells follows the plan, the seed and the names of the KPIs, not the name of the arm.
    """
    text = "arms: {one: [], same: [], other: {set: {zones.BANK.clerks.units: 4}}}\n"
    keys = {name: design(folder, text).cells[name, AS_WRITTEN].key for name in ("one", "same", "other")}

    assert keys["one"] == keys["same"] != keys["other"]
    assert design(folder, text, seed=2).cells["one", AS_WRITTEN].key != keys["one"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "arms: {R1: []}\nbaseline: R2\n",
            "e.yaml:6:11: no arm 'R2'\n    Known arms: R1.",
        ),
        (
            "arms: {R1: five}\n",
            "e.yaml:5:12: expected an arm, found 'five'\n"
            "    Write [m11], [] for the baseline, or {measures: [m11], set: {zones.TYP.lanes_in.units: 2}}.",
        ),
        (
            "arms: {R1: {measures: m11}}\n",
            "e.yaml:5:23: expected a list of measures, found 'm11'\n    Write [m11], or [] for none.",
        ),
        (
            "arms: {R1: {meassures: [m11]}}\n",
            "e.yaml:5:13: unknown key 'meassures'\n    Did you mean 'measures'?",
        ),
        (
            "arms: {R1: {set: {zones.BANK.clerk.units: 2}}}\n",
            "e.yaml:5:43: arm 'R1' sets 'zones.BANK.clerk.units', but 'zones.BANK' has no 'clerk'\n    Did you mean 'clerks'?",
        ),
        (
            "arms: {R1: []}\nfutures: {grid: {traffic.*.rte: {scale: [2]}}}\n",
            "e.yaml:6:42: a future scales 'traffic.*.rte', but 'traffic.*' has no 'rte'\n    Did you mean 'rate'?",
        ),
        (
            "arms: {R1: []}\nfutures: {grid: {traffic.*.rate: {scale: [2, 0]}}}\n",
            "e.yaml:6:46: expected a factor above 0, found '0'\n    Write a number such as 1.5.",
        ),
        (
            "arms: {R1: []}\nfutures: {grid: {traffic.*.rate: [2]}}\n",
            "e.yaml:6:35: '2' has no unit\n    Write a rate such as '12 /h'. Units: /s, /min, /h, /d, /week.",
        ),
        (
            "arms: {R1: []}\nfutures: {zip: {traffic.customers.rate: [1 /h], traffic.others.rate: [1 /h, 2 /h]}}\n",
            "e.yaml:6:10: zipped lists differ in length: 'traffic.customers.rate' has 1, 'traffic.others.rate' has 2\n"
            "    Give each the same number of values.",
        ),
        (
            "arms: {R1: []}\nfutures: {grid: {traffic.*.rate: [1 /h], traffic.others.rate: [1 /h]}}\n",
            "e.yaml:6:64: two paths of the futures change 'traffic.others.rate': 'traffic.*.rate' and 'traffic.others.rate'\n"
            "    Keep one of them.",
        ),
        (
            "arms: {R1: []}\nfutures: {grid: {traffic.*.rate: [1 /h, 1 /h]}}\n",
            "e.yaml:6:41: the future 'traffic.*.rate = 1 /h' stands twice\n    Keep one of them.",
        ),
        (
            "arms: {R1: {scale: {traffic.others.rate: 2}}}\nfutures: {grid: {traffic.*.rate: [1 /h]}}\n",
            "e.yaml:5:42: arm 'R1' and the futures ('traffic.*.rate') both change 'traffic.others.rate'\n"
            "    Arms are what we choose, futures what nobody chooses.",
        ),
        (
            "arms: {R1: []}\ndoubts: [traffic.others.rate]\n",
            "e.yaml:6:10: 'traffic.others.rate' holds no doubt\n"
            "    Write {uncertain: [low, mode, high]} in the scenario, or use futures.",
        ),
        (
            "arms: {R1: []}\ndoubts: [traffic.other.rate]\n",
            "e.yaml:6:10: no value at 'traffic.other.rate', which is doubted\n    Did you mean 'others'?",
        ),
        (
            "arms: {R1: []}\nkpis: [bank.serve.wait.mean, bank.serve.wiat.mean]\n",
            "e.yaml:6:30: no KPI 'bank.serve.wiat.mean' in this experiment\n"
            "    Did you mean 'bank.serve.wait.mean' or 'bank.serve.stay.mean' or 'bank.serve.service.mean'?",
        ),
        (
            "arms: {R1: []}\nreplications: 0\n",
            "e.yaml:6:15: 'replications' is '0', which is outside its bounds (limit 1)\n    Choose a value within.",
        ),
        (
            "seed: 1\n",
            "e.yaml:1:1: there are no arms\n    Write `arms: {R1: [], m11: [m11]}`, or a `design`.",
        ),
    ],
)
def test_faults_have_place_fault_and_remedy(folder, text, expected):
    """
    Whatever is wrong in an experiment file is told with its place and a remedy, before anything runs.
    """
    assert faults(folder, text) == expected


def test_all_faults_of_a_file_at_once(folder):
    """
    Faults of arms, baseline and futures are told together, in the order of their places.
    """
    found = faults(folder, "arms: {a: [m99], b: [m98]}\nbaseline: c\nfutures: {grid: {traffic.x.rate: [1 /h]}}\n")

    assert [line.split(": ")[0] for line in found.splitlines() if line.startswith("e.yaml")] == [
        "e.yaml:5:12",
        "e.yaml:5:22",
        "e.yaml:6:11",
        "e.yaml:7:35",
    ]


@pytest.mark.parametrize(
    ("scenario", "expected"),
    [
        ("nowhere.yaml", "e.yaml:4:11: no file 'nowhere.yaml' here\n    Name a scenario from this file's folder."),
        (
            "/etc/passwd",
            "e.yaml:4:11: '/etc/passwd' is not relative\n    Name files from the folder of this file, e.g. ../data/log.csv.",
        ),
        (
            "e.yaml",
            "e.yaml:2:7: kind 'experiment' is not a scenario\n"
            "    Only scenarios can be run; flows and measures belong to the library.",
        ),
    ],
)
def test_the_scenario_lies_in_the_project(folder, scenario, expected):
    """
    The scenario of an experiment is a scenario file inside the project folder.
    """
    head = HEAD.replace("bank.yaml", scenario)

    assert faults(folder, "arms: {R1: []}\n", head=head) == expected


def test_a_scenario_is_no_experiment(folder):
    """
    `sweep` of a scenario says what to run instead.
    """
    with pytest.raises(ScenarioFault) as found:
        read_design(folder / "bank.yaml", ())

    assert str(found.value).endswith(
        "bank.yaml:2:7: kind 'scenario' is not an experiment\n"
        "    Write `kind: experiment`; `run` and `compare` take a scenario."
    )


def test_a_parameter_outside_its_bounds_is_said_before_the_numbers(tmp_path):
    """
    An arm whose coverage lies above what the measure's card gives as high runs, and the notes say so once.
    """
    (tmp_path / "pyproject.toml").touch()
    text = "zonesim: 1\nkind: experiment\nname: e\nscenario: s.yaml\narms: {R1: [], full: [{m11: {coverage: 100 %}}]}\n"
    (tmp_path / "s.yaml").write_text(
        (ROOT / "scenarios" / "typical_zone.yaml").read_text(encoding="utf-8"), encoding="utf-8"
    )
    (tmp_path / "e.yaml").write_text(text, encoding="utf-8")
    (note,) = read_design(tmp_path / "e.yaml", ()).notes()

    assert note.startswith("warning: ")
    assert "coverage" in note
    assert "100 %" in note
