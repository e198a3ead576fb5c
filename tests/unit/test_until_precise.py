"""Replications until differences are known precisely: the rule by hand, and an experiment from file to table."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from typer.testing import CliRunner

from tests.unit.test_experiment_documents import BANK, design, faults, folder
from zonesim import cli
from zonesim.analysis import Enough, Width, next_replications, paired, relative_widths
from zonesim.experiment import Precision, run_id
from zonesim.faults import ScenarioFault

__all__ = ["folder"]

ARMS = "arms: {three: [], four: {set: {zones.BANK.clerks.units: 4}}}\nkpis: [bank.dwell.mean]\n"
UNTIL = "replications: {until: 12 %, at_most: 60}\n"


def asked(folder, text: str, *options: str):
    """Run an experiment of the bank and return what the command says."""
    (folder / "bank.yaml").write_text(BANK, encoding="utf-8")
    (folder / "e.yaml").write_text(
        f"zonesim: 1\nkind: experiment\nname: clerks\nscenario: bank.yaml\n{text}", encoding="utf-8"
    )
    run = ("sweep", str(folder / "e.yaml"), "--workers", "1", "--out", str(folder / "out"))
    return CliRunner().invoke(cli.app, [*run, *options])


def test_relative_widths_are_those_of_the_paired_interval():
    """
    After each replication the width is half the paired interval over the baseline's mean; a replication without a value is left out.
    """
    luck = np.sin(np.arange(1.0, 13.0) * 7)
    base, arm = 10 + luck, 12 + 3 * luck
    arm[4] = math.nan
    found = relative_widths(arm - base, base)

    assert math.isnan(found[0])
    for count in range(2, 13):
        told = paired(base[:count], arm[:count])
        mean = np.mean([one for one, other in zip(base[:count], arm[:count], strict=True) if not math.isnan(other)])
        assert found[count - 1] == pytest.approx((told.high - told.low) / 2 / mean, rel=1e-9)
    assert relative_widths(np.zeros(3), np.zeros(3))[1:].tolist() == [0, 0]
    assert math.isnan(relative_widths(np.array([1.0, 2.0, 4.0]), np.zeros(3))[-1])


def test_the_next_number_is_what_the_widest_needs():
    """
    The estimate with what is looked ahead, at most four times as many at once, never beyond what is allowed, and always five more.
    """
    rule = Precision(0.05, "baseline", 5, 1000)

    def following(needed: int, count: int, most: Precision = rule) -> int:
        return next_replications(Enough(None, (Width("a", "f", "k", 0.1, needed),)), most, count)

    assert following(30, 10) == 35
    assert following(300, 10) == 40
    assert following(9, 10) == 15
    assert following(300, 10, Precision(0.05, "baseline", 5, 12)) == 12


def test_an_experiment_is_run_until_it_is_precise(folder):
    """
    The number is the first from which on the paired interval stays below 12 % of the baseline over six numbers; it does not depend on how
    many are there already, and the table is that of an experiment that asks for this number.
    """
    done = asked(folder, ARMS + UNTIL, "--json")
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    n = told["precision"]["replications"]
    again = json.loads(asked(folder, ARMS + "replications: 60\n", "--json", "--by-replication").stdout)
    after = json.loads(asked(folder, ARMS + UNTIL, "--json").stdout)
    fixed = json.loads(asked(folder, ARMS + f"replications: {n}\n", "--json").stdout)
    values = {arm: [row["value"] for row in again["by_replication"] if row["arm"] == arm] for arm in ("three", "four")}

    def width(count: int) -> float:
        found = paired(values["three"][:count], values["four"][:count])
        return (found.high - found.low) / 2 / float(np.mean(values["three"][:count]))

    first = next(count for count in range(5, 56) if all(width(count + more) <= 0.12 for more in range(6)))
    assert told["precision"]["reached"] is True
    assert n == first + 5
    assert 10 <= n < 60
    assert after["precision"]["replications"] == n
    assert after["results"] == told["results"] == fixed["results"]
    assert after["run"]["id"] == told["run"]["id"] != fixed["run"]["id"]
    (row,) = told["precision"]["differences"]
    assert row["half_width"] == pytest.approx(width(n), rel=1e-9)
    assert row["needed"] == 0


def test_what_cannot_be_known_is_told(folder):
    """
    Too few replications are allowed: the text says how wide the interval is and how many it would take, in both languages. What grows is
    told by itself and holds nothing up.
    """
    done = asked(folder, ARMS + "replications: {until: 0.2 %, at_most: 8}\n")
    grown = asked(
        folder,
        "arms: {three: [], four: {set: {zones.BANK.clerks.units: 4}}}\nkpis: [bank.dwell.mean]\nset: {traffic.*.rate: 2 /min}\n"
        "replications: {until: 5 %, at_most: 12}\n",
    )

    assert done.exit_code == 0, done.output
    assert "8 replications, the most that are allowed, are not enough for 0.2 % of the baseline's value:" in done.output
    assert "bank.dwell.mean (four): ± " in done.output
    assert "8次重复（上限）仍不足，未达到基准值的0.2 %：" in done.output
    assert grown.exit_code == 0, grown.output
    assert "no number of replications does for what depends on run length: bank.dwell.mean (four)" in grown.output
    assert "数值取决于运行长度，增加重复次数无济于事" in grown.output


def test_half_of_the_difference_itself(folder):
    """
    Held against the difference, which is smaller than the baseline, it takes at least as many replications.
    """
    (baseline, own) = (
        json.loads(asked(folder, f"{ARMS}replications: {{until: 20 %, of: {of}, at_most: 200}}\n", "--json").stdout)[
            "precision"
        ]
        for of in ("baseline", "difference")
    )

    assert own["replications"] > baseline["replications"]
    assert own["reached"] is True


def test_a_part_says_why_not(folder):
    """
    A part does not know the others' results. With a number of one's own it runs.
    """
    part = asked(folder, ARMS + UNTIL, "--shard", "1/2")
    assert isinstance(part.exception, ScenarioFault)

    assert str(part.exception) == (
        "--shard: how many replications are enough is only known with the results of all parts, so no part can tell\n"
        "    Run it without --shard, or say how many: --replications 20."
    )
    assert asked(folder, ARMS + UNTIL, "--shard", "1/2", "--replications", "4").exit_code == 0
    assert "n4" in next((folder / "out").parent.glob("out")).name or design(
        folder, ARMS + UNTIL, replications=4
    ).asked == ("n4",)


def test_the_plan_says_from_how_many_to_how_many(folder):
    """
    `plan` tells the rule, and counts the most that it may run.
    """
    asked(folder, ARMS + UNTIL)
    done = CliRunner().invoke(cli.app, ["plan", str(folder / "e.yaml"), "--out", str(folder / "out")])

    assert "5 to 60 replications, until 12 % of the baseline's value, seed 1" in done.output


def test_the_number_of_a_run_is_that_of_its_rule(folder):
    """
    Another rule is another run, however many replications it found; the number of replications is not in it.
    """
    first, other = (
        design(folder, f"{ARMS}replications: {{until: {until}, at_most: 60}}\n") for until in ("5 %", "6 %")
    )
    before = run_id(first)
    first.replications = 12

    assert run_id(first) == before != run_id(other)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{until: 0 %}", "e.yaml:7:16: half an interval of 0 % is never reached\n    Write e.g. until: 5 %."),
        (
            "{until: 5 %, at_least: 50, at_most: 20}",
            "e.yaml:7:42: at most 20 replications, and at least 50\n    Give at_most the larger number.",
        ),
        (
            "{until: 5 %, kpis: [bank.dwel.mean]}",
            "e.yaml:7:35: no KPI 'bank.dwel.mean' in this experiment\n    Did you mean",
        ),
        ("{at_most: 5}", "key 'until' is missing"),
        ("{until: 5}", "e.yaml:7:23: "),
        ("{until: 5 %, of: mean}", "e.yaml:7:32: "),
        ("many", "e.yaml:7:15: "),
    ],
)
def test_what_is_wrong_with_a_rule(folder, text, expected):
    """
    Each fault is told with its place before anything runs.
    """
    assert expected in faults(folder, f"{ARMS}replications: {text}\n")
