"""Tables for other programs: the long CSV and the workbook of a sweep."""

from __future__ import annotations

import csv

import numpy as np
import openpyxl
import pytest

from zonesim.analysis import paired
from zonesim.experiment import Execution, load_results
from zonesim.jobs.sweep import sweep_job

SCENARIO = """zonesim: 1
kind: scenario
name: bank
clock: {warm_up: 1 h, measure: 10 h, cool_down: 2 h}
zones: {BANK: {clerks: {units: 3}}}
flows: {bank: {entity: customer, steps: {serve: {hold: {clerk: BANK.clerks}, take: {exponential: {mean: 10 min}}}}}}
traffic: {customers: {flow: bank, rate: 0.2 /min}}
"""
EXPERIMENT = """zonesim: 1
kind: experiment
name: clerks
scenario: bank.yaml
arms: {three: [], four: {set: {zones.BANK.clerks.units: 4}, label: {en: "=Four", zh: 四人}}}
futures: {grid: {traffic.*.rate: {scale: [1, 1.6]}, clock.measure: [10 h]}}
replications: 3
kpis: [bank.serve.stay.mean, BANK.clerks.utilisation]
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Give the results of a small sweep in which the second future overloads the baseline."""
    root = tmp_path_factory.mktemp("sweep")
    (root / "bank.yaml").write_text(SCENARIO, encoding="utf-8")
    (root / "e.yaml").write_text(EXPERIMENT, encoding="utf-8")
    assert sweep_job(root / "e.yaml", [], None, None, Execution(1), root).exit_code == 0
    return root / "clerks"


def test_the_table_is_long_and_its_numbers_are_those_of_the_cells(folder):
    """
    One row an arm, future and KPI with each path of the futures as a column; values are means over replications, and
    differences are paired to the baseline of the same future.
    """
    with (folder / "results.csv").open(encoding="utf-8-sig") as file:
        rows = list(csv.DictReader(file))
    results = load_results(folder)
    four = next(row for row in rows if row["arm"] == "four" and row["kpi"] == "BANK.clerks.utilisation")
    base, own = (results.column(arm, four["future"], four["kpi"]) for arm in ("three", "four"))

    assert len(rows) == 2 * 2 * 2
    assert list(rows[0])[:5] == ["experiment", "arm", "future", "traffic.*.rate", "clock.measure"]
    assert (four["traffic.*.rate"], four["clock.measure"], four["label_zh"]) == ("1", "10 h", "BANK.clerks：利用率")
    assert float(four["value"]) == pytest.approx(np.mean(own), rel=1e-12)
    assert float(four["difference"]) == pytest.approx(np.mean(own - base), rel=1e-9)
    assert float(four["diff_high"]) == pytest.approx(paired(base.tolist(), own.tolist()).high, rel=1e-12)
    assert (four["n"], four["baseline"]) == ("3", "three")


def test_what_grows_has_no_value_and_no_difference(folder):
    """
    Where the baseline is overloaded it has no value, and the other arm, which is stable, has a value and no difference.
    """
    with (folder / "results.csv").open(encoding="utf-8-sig") as file:
        found = {
            row["arm"]: row
            for row in csv.DictReader(file)
            if row["traffic.*.rate"] == "1.6" and row["kpi"] == "bank.serve.stay.mean"
        }

    assert found["three"]["tag"] == found["four"]["tag"] == "grows"
    assert found["three"]["value"] == found["four"]["difference"] == ""
    assert float(found["four"]["value"]) > 10 / 60


def test_the_workbook_says_all_that_is_needed(folder):
    """
    Five sheets with headers in both languages that stay in sight: results with numbers as numbers and shares as per
    cent, effects in per cent of the baseline, arms, the register of numbers, and where all comes from.
    """
    book = openpyxl.load_workbook(folder / "results.xlsx")
    sheets = {sheet.title: sheet for sheet in book}
    results = [[cell.value for cell in row] for row in sheets["Results"]]
    heads = [str(head).partition("\n")[0] for head in results[0]]
    share = next(row for row in sheets["Results"] if row[heads.index("kpi")].value == "BANK.clerks.utilisation")

    assert list(sheets) == ["Results", "Effects", "Arms", "Register", "Provenance"]
    assert all(sheet.freeze_panes == "A2" for sheet in book)
    assert str(results[0][1]) == "arm\n方案"
    assert share[heads.index("value")].number_format == "0.00%"
    assert share[heads.index("traffic.*.rate")].value == 1
    assert len(list(sheets["Effects"])) == 1 + 2 * 2
    label = next(row[1] for row in sheets["Arms"] if row[0].value == "four")
    assert (label.value, label.data_type) == ("=Four", "s")
    assert "flows.bank.serve.take.exponential.mean" in {row[0].value for row in sheets["Register"]}
    assert ["seed", 1] in [[cell.value for cell in row] for row in sheets["Provenance"]]
