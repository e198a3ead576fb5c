"""The installed command: documents, exit codes, and bad input."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.helper import ROOT
from zonesim.faults import Faults
from zonesim.jobs.plot import plot_job
from zonesim.jobs.show import show_text

SHORT = ("--set", "clock.warm_up=1 d", "--set", "clock.measure=1 d", "--set", "clock.cool_down=1 d")
BANK = """zonesim: 1
kind: scenario
name: bank
clock: {warm_up: 1 h, measure: 20 h, cool_down: 2 h}
zones: {BANK: {clerks: {units: 3}}}
flows: {bank: {entity: customer, steps: {serve: {hold: {clerk: BANK.clerks}, take: {exponential: {mean: 10 min}}}}}}
traffic: {customers: {flow: bank, rate: 0.2 /min}}
"""


def zonesim(*words: str, cwd=ROOT) -> subprocess.CompletedProcess[str]:
    """Run the command as a user would."""
    return subprocess.run(
        [sys.executable, "-m", "zonesim", *words], cwd=cwd, capture_output=True, text=True, check=False, timeout=120
    )


def test_compare_prints_one_document(tmp_path):
    """
    `compare --json` prints the document alone on stdout; the effect is the difference of the arms' values, with n and tag.
    """
    done = zonesim(
        "compare",
        "scenarios/typical_zone.yaml",
        "--json",
        "--measures",
        "11",
        "--replications",
        "2",
        "--workers",
        "1",
        "--no-figures",
        "--no-parts",
        "--no-doubts",
        "--out",
        str(tmp_path),
        *SHORT,
    )
    document = json.loads(done.stdout)

    assert done.returncode == 0
    assert set(document) >= {"scenario", "baseline", "arms", "effects", "provenance"}
    assert list(document["arms"]) == ["R1", "11"]
    for effect in document["effects"][:200]:
        assert set(effect) >= {"arm", "kpi", "difference", "low", "high", "n", "tag"}
        base, arm = (document["arms"][name][effect["kpi"]]["value"] for name in ("R1", effect["arm"]))
        if effect["difference"] is not None and effect["n"] == 2:
            assert effect["difference"] == pytest.approx(arm - base, abs=1e-9)
    written = {path.name for path in Path(document["run"]["folder"]).iterdir()}
    assert written >= {"cells", "inputs", "compare.csv", "compare.json", "results.xlsx", "study.json"}
    assert len(document["curves"]["11"]["TYP.lanes_in.pass"]) == 24


def test_run_prints_a_document_without_effects(tmp_path):
    """
    `run --json` has arms and provenance, no effects.
    """
    (tmp_path / "bank.yaml").write_text(BANK, encoding="utf-8")
    document = json.loads(
        zonesim("run", "bank.yaml", "--json", "--replications", "3", "--workers", "1", cwd=tmp_path).stdout
    )

    assert "effects" not in document
    assert document["arms"]["R1"]["bank.serve.wait.mean"]["n"] == 3


def test_measures_as_a_document():
    """
    `measures --json` lists the cards in the order of the plan, those of its annex first; each has both labels and what it changes.
    """
    document = json.loads(zonesim("measures", "--json").stdout)
    numbers = [measure["annex"] for measure in document if measure["annex"] is not None]

    assert numbers == sorted(set(numbers))
    assert [measure["number"] for measure in document[: len(numbers)]] == list(map(str, numbers))
    assert {10, 11} <= {measure["annex"] for measure in document}
    assert all(
        set(measure["label"]) == {"en", "zh"} and (measure["edits"] or measure["sets_class"]) for measure in document
    )


def test_the_card_of_a_measure():
    """
    `measures 11` and `measures m11` print one card in both languages: departments, the plan and its notices, who followed it in 2018 by zone, the
    flows that it touches (also those that it calls), parameters with bounds and source, what is published, and what is expected.
    """
    text = zonesim("measures", "11").stdout

    assert text == zonesim("measures", "m11").stdout
    for told in (
        "m11  11 Automatic comparison, automatic release, point-to-point transfer 数据自动比对、卡口自动核放、点对点流转",
        "responsible 责任部门         Nanjing Customs 南京海关",
        "海关总署公告2018年第52号（区间流转）, 海关总署, 2018",
        "flows 涉及流程               F5, gate, yard",
        "followed by 90 % ($coverage) of the volume where it is in force; in R1: SIP 100 %, ZJG 100 %, KS 50 % (20 % … 80 %), others 0 %",
        "实施后采用比例90 % ($coverage)（按业务量计）；R1：SIP 100 %、ZJG 100 %、KS 50 % (20 % … 80 %)、其他 0 %",
        "coverage 90 % (60 % … 98 %)",
        "time of a vehicle at the gate 车辆过卡时间: 5 min → 10 s (Zhangjiagang 2014; a usual case 一般情形)",
        "F5.dwell.mean ↓ (edited 直接设定)",
    ):
        assert told in text
    card = json.loads(zonesim("measures", "21", "--json").stdout)
    assert (card["id"], card["departments"][0]["zh"]) == ("m21", "南京海关")
    assert card["flows"] == ["F1", "F1air", "F1airb", "F1b", "F4c", "F6"]
    assert card["practices"]["classified"]["R1"] == {"NJ": ["100 %"] * 3, "all": ["0 %"] * 3}


def test_no_card_of_what_is_no_measure():
    """
    An unknown measure is a fault with what there is.
    """
    done = zonesim("measures", "m1l")

    assert done.returncode == 2
    assert done.stderr.startswith("measures m1l: no measure 'm1l' in the library\n    Did you mean ")


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("validate", "scenarios/typical_zone.yaml"), 0),
        (("show", "scenarios/typical_zone.yaml", "--arm", "11", "--flow", "gate"), 0),
        (("show", "scenarios/typical_zone.yaml", "--flow", "F9"), 2),
        (("run", "nowhere.yaml"), 2),
        (("compare", "scenarios/typical_zone.yaml", "--measures", "99"), 2),
        (("run", "scenarios/typical_zone.yaml", "--set", "zones.TYP.lane_in.units=2"), 2),
        (("run", "scenarios/typical_zone.yaml", "--replications", "none"), 2),
        (("frobnicate",), 2),
    ],
)
def test_exit_codes(words, code):
    """
    Every command ends with the documented code and without a traceback.
    """
    done = zonesim(*words)

    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr


def test_a_deadlock_ends_with_code_3(tmp_path):
    """
    A run that cannot go on says who waits for what.
    """
    text = BANK.replace(
        "{entity: customer, steps: {serve: {hold: {clerk: BANK.clerks}, take: {exponential: {mean: 10 min}}}}}",
        "{steps: {a: {hold: {c: {resource: BANK.clerks, units: 2}}, steps: {b: {take: 1 min}, d: {hold: {c: BANK.more}, steps: {e: {take: 1 min}}}}}}}",
    )
    text = text.replace("clerks: {units: 3}", "clerks: {units: 2}, more: {units: 1}").replace(
        "traffic: {customers: {flow: bank, rate: 0.2 /min}}",
        "traffic: {customers: {flow: bank, at: [1 min]}, others: {flow: back, at: [1 min]}}",
    )
    text = text.replace(
        "flows: {",
        "flows: {back: {steps: {a: {hold: {c: BANK.more}, steps: {b: {take: 1 min}, d: {hold: {c: {resource: BANK.clerks, units: 2}}, steps: {e: {take: 1 min}}}}}}}, ",
    )
    (tmp_path / "bank.yaml").write_text(text, encoding="utf-8")
    done = zonesim("run", "bank.yaml", "--replications", "2", "--workers", "1", cwd=tmp_path)

    assert done.returncode == 3
    assert "deadlock" in done.stderr
    assert "Traceback" not in done.stderr


def test_what_cannot_run_is_neither_shown_nor_drawn(tmp_path):
    """
    Traffic through a flow that does not exist, and a flow that calls one, have no map: refused as `validate` does.
    """
    file = tmp_path / "bank.yaml"
    for old, new, place in (
        ("customers: {flow: bank", "customers: {flow: '1900-01-01'", "7:29: no flow '1900-01-01'"),
        ("steps: {serve:", "steps: {b: {call: nowhere}, serve:", "6:52: no flow 'nowhere'"),
    ):
        file.write_text(BANK.replace(old, new), encoding="utf-8")
        for inspected in (
            lambda: show_text(file, [], "", ""),
            lambda: plot_job(file, "en", "png", tmp_path / "figures", [], []),
        ):
            with pytest.raises(Faults) as found:
                inspected()

            assert str(found.value).startswith(f"{file}:{place}\n    Known flows: ")
    assert not (tmp_path / "figures").exists()
