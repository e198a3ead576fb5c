"""Arms that an experiment makes of a list of measures: which they are, what they are called, what is told of them."""

from __future__ import annotations

import csv
import json

import pytest
from typer.testing import CliRunner

from tests.helper import add_measure
from tests.unit.test_attribute_command import desk
from zonesim import cli
from zonesim.experiment import read_design
from zonesim.faults import ScenarioFault

__all__ = ["desk"]

HEAD = """\
zonesim: 1
kind: experiment
name: package
scenario: desk.yaml
replications: 3
kpis: [f.dwell.mean]
"""


def written(desk, text: str):
    """Write an experiment beside the desk and return its file."""
    file = desk.parent / "package.yaml"
    file.write_text(HEAD + text, encoding="utf-8")
    return file


def arms(desk, text: str) -> dict[str, list[str]]:
    """Return the measures of the arms by name, the baseline first."""
    options = read_design(written(desk, text), ()).options
    return {name: [each.measure for each in option.arm.measures] for name, option in options.items()}


def message(desk, text: str) -> str:
    """Return what is wrong with an experiment, without its folder."""
    with pytest.raises(ScenarioFault) as found:
        read_design(written(desk, text), ())
    faults = getattr(found.value, "faults", [found.value])
    return "\n".join(str(fault) for fault in faults).replace(f"{desk.parent}/", "")


OF = "of: [90, m91, 92]"


@pytest.mark.parametrize(
    ("kinds", "expected"),
    [
        ("each_alone", {"R1": "", "m90": "90", "m91": "91", "m92": "92"}),
        (
            "each_left_out",
            {
                "R1": "",
                "all": "90 91 92",
                "m91_m92": "91 92",
                "m90_m92": "90 92",
                "m90_m91": "90 91",
            },
        ),
        ("all_pairs", {"R1": "", "m90_m91": "90 91", "m90_m92": "90 92", "m91_m92": "91 92"}),
        (
            "factorial",
            {
                "R1": "",
                "m90": "90",
                "m91": "91",
                "m90_m91": "90 91",
                "m92": "92",
                "m90_m92": "90 92",
                "m91_m92": "91 92",
                "all": "90 91 92",
            },
        ),
        ("plackett_burman", {"R1": "", "m90_m91": "90 91", "m90_m92": "90 92", "m91_m92": "91 92"}),
        ("[each_alone, all_pairs]", {}),
    ],
)
def test_which_arms_a_design_makes(desk, kinds, expected):
    """
    Each alone, each left out of all, all pairs, all combinations; several kinds share the arms that they have in common, and the arm
    without any measure comes first, as the baseline.
    """
    found = arms(desk, f"design: {{arms: {kinds}, {OF}}}\n")

    assert next(iter(found)) == "R1"
    if kinds.startswith("["):
        assert list(found) == ["R1", "m90", "m91", "m92", "m90_m91", "m90_m92", "m91_m92"]
    else:
        assert found == {name: [f"m{number}" for number in own.split()] for name, own in expected.items()}


def test_names_and_labels_of_larger_designs(desk, monkeypatch):
    """
    An arm is called by what is in it, or by what is not; in between by its number in the design, in both languages. A written arm with the
    same measures keeps its name, and stands once.
    """
    for number in (93, 94, 95):
        add_measure(
            monkeypatch,
            f"name: m{number}\nannex: {number}\npractices:\n  p: {{label: {{en: P, zh: 做法}}, adoption: {{share: 100 %, of: token}},"
            f" edits: [{{add: flows.f.s{number}, to: {{take: 1 min}}, after: second}}]}}\n",
        )
    text = "arms: {today: [], fast: {measures: [m90], label: {en: Fast, zh: 快}}}\n"
    design = read_design(written(desk, f"{text}design: {{arms: factorial, of: [m90, m91, m92, m93, m94, m95]}}\n"), ())
    labels = {name: dict(option.label) for name, option in design.options.items()}

    assert len(labels) == 64
    assert design.baseline == "today"
    assert labels["fast"]["zh"] == "快"
    assert "m90" not in labels
    assert labels["m91"] == {"en": "Measure 91", "zh": "措施91"}
    assert labels["m91_m93"] == {"en": "Measures 91 and 93", "zh": "措施91和93"}
    assert labels["all"] == {"en": "All 6 measures", "zh": "全部6项措施"}
    assert labels["all_without_m92"] == {"en": "All 6 measures without measure 92", "zh": "全部6项措施，去掉措施92"}
    assert labels["all_without_m92_m95"]["zh"] == "全部6项措施，去掉措施92和95"
    assert labels["combination_08"] == {"en": "Combination 8 (3 of 6 measures)", "zh": "组合8（6项措施中的3项）"}


def test_all_measures_that_act_and_tasks_of_the_plan():
    """
    `all` are those that change anything here, a task of the plan is called one.
    """
    from zonesim.experiment.options import _called
    from zonesim.policy import Chosen

    own = [Chosen("m10"), Chosen("t05")]
    assert _called(own, ["m10", "m11", "t05", "m12", "m13"], 1, "R1", is_all=True) == (
        "m10_t05",
        (("en", "Measure 10 and task 5"), ("zh", "措施10和任务5")),
    )
    assert _called(own, ["m10", "t05", "m11"], 1, "R1", is_all=True)[0] == "m10_t05"
    assert _called([*own, Chosen("m11")], ["m10", "t05", "m11", "m12"], 1, "R1", is_all=True)[1] == (
        ("en", "All measures without measure 12"),
        ("zh", "全部措施，去掉措施12"),
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "kpi: 1\n",
            "package.yaml:7:1: unknown key 'kpi'",
        ),
        ("arms: {}\n", "package.yaml:7:1: there are no arms\n    Write `arms: {R1: [], m11: [m11]}`, or a `design`."),
        ("design: {arms: each_alone, of: [m90, m9x]}\n", "package.yaml:7:38: no measure 'm9x' in the library"),
        (
            "design: {arms: each_alone, of: [m90]}\n",
            "package.yaml:7:32: a design of 1 measure; it takes 2 at least\n    Write e.g. of: [m10, m11].",
        ),
        (
            "design: {arms: each_alone, of: [m90, m90]}\n",
            "package.yaml:7:38: measure 'm90' stands twice in arm 'design'\n    Keep one of them.",
        ),
        ("design: {arms: [each_alone, each_alone], of: all}\n", "package.yaml:7:10: 'each_alone' stands twice"),
        (
            "design: {arms: [factorial, plackett_burman], of: all}\n",
            "package.yaml:7:10: 'factorial' and 'plackett_burman' both tell main effects\n"
            "    Keep one: factorial for a few measures, plackett_burman for many.",
        ),
        (
            "design: {arms: factorial, foldover: true}\n",
            "package.yaml:7:27: only plackett_burman has a foldover\n    Leave it out.",
        ),
        (
            "arms: {m91: [m90]}\ndesign: {arms: each_alone, of: [m90, m91]}\n",
            "package.yaml:7:13: arm 'm91' is written with other measures than the design gives it\n    Give it another name.",
        ),
        ("design: {arms: each_one, of: [m90, m91]}\n", "package.yaml:7:16: "),
        ("design: {arms: each_alone, of: al}\n", "package.yaml:7:32: "),
        (
            "design: {arms: each_alone, of: [m90, m91]}\nbaseline: m9\n",
            "package.yaml:8:11: no arm 'm9'\n    Did you mean 'm91' or 'm90'?",
        ),
    ],
)
def test_what_is_wrong_with_a_design(desk, text, expected):
    """
    Each fault is told with its place before anything runs.
    """
    assert expected in message(desk, text)


def test_measures_that_exclude_each_other(desk, monkeypatch):
    """
    Two measures that edit one value are one fault that names both, however many arms have both; each alone they can be run.
    """
    edit = "{set: flows.f.first.take, to: 5 min}"
    add_measure(
        monkeypatch,
        "name: m99\nannex: 99\npractices:\n  p: {label: {en: P, zh: 做法}, adoption: {share: 100 %, of: token},"
        f" edits: [{edit}]}}\n",
    )
    told = message(desk, "design: {arms: factorial, of: [m90, m91, m99]}\n")

    assert told.count("measures 'm90' and 'm99' both edit 'flows.f.first.take'") == 1
    assert told.startswith("package.yaml:7:")
    assert "Leave one out" in told
    assert len(arms(desk, "design: {arms: each_alone, of: [m90, m91, m99]}\n")) == 4


def test_a_factorial_that_is_too_large_is_refused_before_it_is_made():
    """
    Every combination of all 21 measures is two million arms.
    """
    from zonesim.experiment.options import _check_count
    from zonesim.scenario import read_text
    from zonesim.scenario.experiment_documents import ArmsDesign

    document = read_text("kind: experiment\ndesign: {arms: factorial}\n", "e.yaml")
    with pytest.raises(ScenarioFault) as found:
        _check_count(ArmsDesign(arms="factorial"), 21, document)
    (fault,) = found.value.faults

    assert "every combination of 21 measures is 2,097,152 arms, more than" in str(fault)
    assert "Name fewer measures in `of`, or write plackett_burman." in str(fault)


def test_main_effects_are_told(desk):
    """
    A factorial tells what each measure does on average, in the table in both languages, as CSV and as JSON: what lies behind the desk is
    15 min less and 5 min more whatever else is done, and has no interaction.
    """
    file = written(desk, f"design: {{arms: factorial, {OF}}}\n")
    out = desk.parent / "out"
    run = ("sweep", str(file), "--workers", "1", "--out", str(out))
    done = CliRunner().invoke(cli.app, [*run])
    assert done.exit_code == 0, done.output
    told = json.loads(CliRunner().invoke(cli.app, [*run, "--json"]).stdout)["main_effects"]
    with (out / "package" / "main_effects.csv").open(encoding="utf-8-sig", newline="") as text:
        rows = {(row["quantity"], row["measure"], row["with"]): row for row in csv.DictReader(text)}

    assert float(rows["main", "m91", ""]["difference"]) == pytest.approx(-0.25, abs=1e-9)
    assert float(rows["main", "m92", ""]["difference"]) == pytest.approx(5 / 60, abs=1e-9)
    assert float(rows["main", "m90", ""]["diff_high"]) < -0.2
    assert float(rows["pair", "m90", "m91"]["difference"]) == pytest.approx(0, abs=1e-9)
    assert rows["main", "m91", ""]["n"] == "3"
    assert told["tells_pairs"] is True
    assert told["runs"][0] == {"arm": "R1", "signs": [-1, -1, -1]}
    assert [each["difference"] for each in told["effects"]] == [
        pytest.approx(float(row["difference"]), abs=1e-15) for row in rows.values()
    ]
    assert "Main effects of measures over every combination: 8 runs, 3 replications, 95 % intervals" in done.output
    assert "各项措施的主效应（全因子设计）：8个组合，3次重复，95 %置信区间" in done.output


def test_a_kpi_that_grows_has_no_main_effects(desk):
    """
    Where an arm is not stable its KPI depends on the run length: the reason stands in place of effects.
    """
    text = f"set: {{traffic.goods.rate: 60 /d}}\ndesign: {{arms: plackett_burman, {OF}}}\n"
    out = desk.parent / "out"
    done = CliRunner().invoke(cli.app, ["sweep", str(written(desk, text)), "--workers", "1", "--out", str(out)])
    assert done.exit_code == 0, done.output
    with (out / "package" / "main_effects.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))

    assert [(row["quantity"], row["reason"], row["difference"]) for row in rows] == [("none", "grows", "")]
    assert "depends on run length, an arm is not stable" in done.output
    assert "Each main effect also holds parts of the interactions of two" in done.output
