"""Verdicts on outside cases, what is wrong in files of cases, and the command that runs them."""

from __future__ import annotations

import json
import math
import shutil

import pytest
from typer.testing import CliRunner

from tests.helper import ROOT
from zonesim import cli
from zonesim.experiment import Execution
from zonesim.faults import Faults, ScenarioFault
from zonesim.verification import Verdict, cases_folder, prepared, read_cases, trace, verify
from zonesim.verification.lengths import customers, erlang_c, wait_variance, warm_up, window
from zonesim.verification.verdicts import exact, published, published_error, traced

SCENARIO = """\
zonesim: 1
kind: scenario
name: desk
clock: {measure: 1 h, cool_down: 1 h}
zones: {Z: {desk: {units: 1}}}
flows: {f: {steps: {serve: {hold: {d: Z.desk}, take: 4 min}}}}
traffic: {a: {flow: f, at: [0 min, 1 min]}}
"""

CASES = """\
zonesim: 1
kind: cases
id: S99
title: {en: A desk}
source: nobody
cases:
  one:
    scenario: desk.yaml
    rule: trace
    visits: {serve: {a#0: [0, 0, 4], a#1: [1, 4, 8]}}
    expect: {f.serve.wait.mean: 1.5 min}
"""


def written(tmp_path, *changes, name="S99.cases.yaml"):
    """Return the folder with a scenario and a file of cases, in which texts are replaced."""
    text = CASES
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    (tmp_path / "pyproject.toml").touch()
    (tmp_path / "desk.yaml").write_text(SCENARIO, encoding="utf-8")
    (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


def findings(folder, *, quick=False):
    """Return what is found in all cases of a folder."""
    cases = [case for file in read_cases(folder) for case in prepared(file, quick=quick)]
    return list(verify(cases, how=Execution(1, "simpy")))


# --- verdicts


def spread(mean: float, sd: float, n: int) -> list[float]:
    """Return n values with exactly this mean and standard deviation."""
    step = sd * math.sqrt((n - 1) / n)
    return [mean + step * (1 if turn % 2 else -1) for turn in range(n)]


def test_an_exact_value_within_the_error_of_a_narrow_interval_passes():
    """
    N = 30, s = 0.02: standard error 0.00365, half-width 0.00747, below 1 % of 1.
    """
    found = exact(spread(1.003, 0.02, 30), 1.0, 0.01)

    assert found.verdict is Verdict.PASSED
    assert found.found == pytest.approx(1.003)
    assert found.half_width == pytest.approx(2.045230 * 0.02 / math.sqrt(30), rel=1e-6)


def test_a_wrong_value_differs():
    """
    t(0.9995, 29) is 3.659: a mean 3.7 standard errors away differs, one 3.6 away does not.
    """
    error = 0.02 / math.sqrt(30)

    assert exact(spread(1 + 3.7 * error, 0.02, 30), 1.0, 0.01).verdict is Verdict.DIFFERS
    assert exact(spread(1 + 3.6 * error, 0.02, 30), 1.0, 0.01).verdict is Verdict.PASSED


def test_an_interval_that_would_hold_anything_does_not_pass():
    """
    A mean near the exact value from a wide interval proves nothing.
    """
    assert exact(spread(1.0, 0.5, 30), 1.0, 0.01).verdict is Verdict.TOO_WIDE


def test_nothing_passes_without_values():
    """
    No replications, too few of them, or one without a value: there is nothing to judge.
    """
    assert exact([], 1.0, 0.01).verdict is Verdict.MISSING
    assert exact([1.0] * 29, 1.0, 0.01).verdict is Verdict.MISSING
    assert exact([*[1.0] * 30, math.nan], 1.0, 0.01).verdict is Verdict.MISSING
    assert published([], 1.0, 0.1, 0.05).verdict is Verdict.MISSING
    assert traced([], 1.0).verdict is Verdict.MISSING
    assert traced([math.nan], 1.0).verdict is Verdict.MISSING


def test_values_of_a_trace_agree_to_the_ninth_digit():
    """
    Every replication has to agree; the farthest one is told.
    """
    assert traced([1.0, 1.0 + 9e-10], 1.0).verdict is Verdict.PASSED
    assert traced([1.0, 1.0 + 2e-9], 1.0).verdict is Verdict.DIFFERS
    assert traced([1.0, 1.5, 1.1], 1.0).found == 1.5


def test_a_published_value_is_compared_with_both_errors():
    """
    Own error 0.00365 and published 0.01 make 0.01065 together: 3.3 of them are 0.0351.
    """
    assert published(spread(1.034, 0.02, 30), 1.0, 0.01, 0.05).verdict is Verdict.PASSED
    assert published(spread(1.037, 0.02, 30), 1.0, 0.01, 0.05).verdict is Verdict.DIFFERS
    assert published(spread(1.0, 0.5, 30), 1.0, 0.01, 0.05).verdict is Verdict.TOO_WIDE


def test_the_error_of_a_published_value():
    """
    From the half-width of a 95 % interval over 40 runs (t = 2.0227), or from the sd of one run.
    """
    assert published_error(40, half_width=2.0227, sd=None) == pytest.approx(1.0, rel=1e-4)
    assert published_error(16, half_width=None, sd=2.0) == 0.5


# --- lengths of runs


def test_the_asymptotic_variance_of_waits():
    """
    M/M/1 at 0.9: 35 901 for each customer, so that 1 % at 95 % of the mean wait 9 takes 17 million customers.
    """
    assert wait_variance(0.9) == pytest.approx(35_901, rel=1e-6)
    assert customers(0.9, 1, 1.0, 0.01) == pytest.approx(17.03e6, rel=1e-3)


def test_longer_runs_for_rarer_waits_wider_spread_and_more_load():
    """
    Erlang C in the middle of it: 0.4444 for three servers at two thirds.
    """
    assert erlang_c(2 / 3, 3) == pytest.approx(4 / 9)
    assert erlang_c(0.7, 1) == pytest.approx(0.7)
    assert customers(0.8, 1, 4.0, 0.01) == pytest.approx(2.5 * customers(0.8, 1, 1.0, 0.01))
    assert customers(0.5, 4, 1.0, 0.01) > customers(0.5, 1, 1.0, 0.01)
    assert window(0.8, 1, 1.0, 0.01, 30) == pytest.approx(25 * window(0.8, 1, 1.0, 0.05, 30))
    assert warm_up(0.8, 1, 1.0) < warm_up(0.9, 1, 1.0)
    assert warm_up(0.1, 100, 0.0) == 20


# --- running


def test_a_trace_that_is_as_expected_passes(tmp_path):
    """
    Instants are counted, and values of KPIs stand beside.
    """
    serve, wait = findings(written(tmp_path))

    assert serve.passed
    assert serve.what == "serve"
    assert serve.expected == serve.judgement.found == 6
    assert wait.passed
    assert wait.judgement.found == 1.5


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("a#1: [1, 4, 8]", "a#1: [1, 4, 9]", "a#1 ended at 8 min, not at 9 min"),
        ("a#1: [1, 4, 8]", "a#1: [1, never, 8]", "a#1 started at 4 min, not never"),
        ("a#1: [1, 4, 8]", "a#1: [[1, 4, 8], [8, 8, 12]]", "a#1 came 1 times, not 2"),
        (", a#1: [1, 4, 8]", "", "a#1 came too"),
        ("a#1: [1, 4, 8]", "b#0: [1, 4, 8]", "b#0 came 0 times, not 1"),
        (
            "visits: {serve: {a#0: [0, 0, 4], a#1: [1, 4, 8]}}",
            "marks: {left: {a#0: 4, a#1: 7}}",
            "a#1 made at 8 min, not at 7 min",
        ),
        ("[0, 0, 4], a#1: [1, 4, 8]", "[~, ~, ~], a#1: [~, ~, ~]", "no instant is compared"),
    ],
)
def test_a_trace_that_is_not_as_expected_fails(tmp_path, old, new, told):
    """
    The first instant that differs is told; a token too many or too few is one as well.
    """
    found = findings(written(tmp_path, (old, new)))[0]

    assert found.judgement.verdict is Verdict.DIFFERS
    assert found.told == told


def test_what_is_not_said_is_not_compared(tmp_path):
    """
    `~` stands for any instant, `complete: false` for tokens that are not listed.
    """
    folder = written(
        tmp_path,
        ("{a#0: [0, 0, 4], a#1: [1, 4, 8]}", "{a#1: [~, 4, ~]}"),
        ("    rule", "    complete: false\n    rule"),
    )

    assert findings(folder)[0].passed


def test_a_wrong_value_of_a_trace_fails(tmp_path):
    """
    A KPI that is not the expected one differs.
    """
    assert findings(written(tmp_path, ("1.5 min", "1.6 min")))[1].judgement.verdict is Verdict.DIFFERS


RANDOM = """\
  one:
    scenario: desk.yaml
    set: {flows.f.serve.take: {exponential: {mean: 1 min}}, traffic.a: {flow: f, rate: 0.5 /min}}
    rule: exact
    station: {load: 0.5, service: 1 min}
    widest: 4 %
    expect: {f.serve.wait.mean: WAIT min, f.serve.wait.share: 50 %, f.serve.visits.day / f.arrived.day: 1}
"""


@pytest.mark.parametrize(("wait", "verdict"), [("1", Verdict.PASSED), ("1.2", Verdict.DIFFERS)])
def test_exact_cases_are_told_from_wrong_ones(tmp_path, wait, verdict):
    """
    M/M/1 at one half waits one service on average, and not 1.2.
    """
    one = CASES[CASES.index("  one") :]
    found = findings(written(tmp_path, (one, RANDOM.replace("WAIT", wait))), quick=True)

    assert found[0].judgement.verdict is verdict
    assert [each.passed for each in found[1:]] == [True, True]
    assert [each.judgement.n for each in found] == [30, 30, 30]


def test_quick_runs_are_shorter_by_what_their_intervals_are_wider(tmp_path):
    """
    A 25th of the window, five times the width; `quick: false` leaves a case out, a mapping says what else is shorter.
    """
    one = CASES[CASES.index("  one") :]
    more = RANDOM.replace("WAIT", "1") + RANDOM.replace("  one", "  two").replace(
        "    rule", "    quick: false\n    rule"
    )
    more += RANDOM.replace("  one", "  three").replace("    rule", "    quick: {replications: 40}\n    rule")
    more += RANDOM.replace("  one", "  four").replace("station: {load: 0.5, service: 1 min}", "length: 100 h")
    (file,) = read_cases(written(tmp_path, (one, more.replace("WAIT", "1"))))
    full = {case.name: case for case in prepared(file, quick=False)}
    quick = {case.name: case for case in prepared(file, quick=True)}

    def measured(case):
        return int(case.plan.window[1] - case.plan.window[0])

    assert list(quick) == ["one", "three", "four"]
    assert measured(full["one"]) == pytest.approx(25 * measured(quick["one"]), rel=0.05)
    assert (full["one"].widest, quick["one"].widest) == (0.04, 0.2)
    assert (full["three"].replications, quick["three"].replications) == (30, 40)
    assert (measured(full["four"]), measured(quick["four"])) == (100 * 3_600_000, 4 * 3_600_000)


def test_a_run_that_cannot_go_on_is_not_passed(tmp_path):
    """
    A fault of a run is told in place of a value.
    """
    folder = written(tmp_path, ("[1, 4, 8]}}", "[1, 4, 8]}}\n    set: {flows.f.serve: {take: 0 s, next: serve}}"))
    (case,) = prepared(read_cases(folder)[0], quick=False)
    (found,) = trace(case, "simpy")

    assert found.judgement.verdict is Verdict.FAILED
    assert "takes no time" in found.told


# --- faults


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("1.5 min", "[1]", "S99.cases.yaml:11:33: expected a value, found a list"),
        ("1.5 min", "1e999", "S99.cases.yaml:11:33: the number '1e999' is too large"),
        ("1.5 min", "1.5 km", "S99.cases.yaml:11:33: '1.5 km' is a distance, but a duration is due"),
        ("f.serve.wait.mean: 1.5 min", "Z.desk.queue.mean: 1 min", "S99.cases.yaml:11:33: '1 min' is no plain number, but the KPI counts tokens"),
        ("f.serve.wait.mean", "f.serve.wait.maen", "S99.cases.yaml:11:14: no KPI 'f.serve.wait.maen'\n    Did you mean 'f.serve.wait.mean'"),
        ("[0, 0, 4]", "[0, 0, soon]", "expected an instant, found 'soon'"),
        ("rule: trace", "rule: exact", "visits and marks belong to a trace"),
        ("rule: trace\n    visits: {serve: {a#0: [0, 0, 4], a#1: [1, 4, 8]}}", "rule: published", "a published value has an error"),
        ("1.5 min", "{value: 1.5 min, half_width: 0.1 min, n: 9}", "only a published value has an error"),
        ("1.5 min", "{value: 1.5 min, n: 9}", "a published value has either a half_width or an sd"),
        ("1.5 min", "{value: 1.5 min, half_width: 1 min, n: 1}", "no interval comes from one run"),
        ("expect: {f.serve.wait.mean: 1.5 min}", "station: {load: 0.5, service: 1 min}\n    length: 1 h", "station and length together"),
        ("    visits: {serve: {a#0: [0, 0, 4], a#1: [1, 4, 8]}}\n    expect: {f.serve.wait.mean: 1.5 min}\n", "", "nothing is expected"),
        ("rule: trace\n    visits: {serve: {a#0: [0, 0, 4], a#1: [1, 4, 8]}}", "rule: exact\n    replications: 5", "an exact value needs 30 replications"),
        ("desk.yaml", "disk.yaml", "S99.cases.yaml:8:15: no file 'disk.yaml' beside the case\n    Name a scenario there."),
        ("id: S99", "id: S98", "S99.cases.yaml:3:5: the file of 'S98' has another name\n    Call it S98.cases.yaml."),
    ],
)  # fmt: skip
def test_what_is_wrong_in_a_file_of_cases_is_told_with_its_place(tmp_path, old, new, message):
    """
    Faults of cases have place and remedy as those of scenarios have.
    """
    folder = written(tmp_path, (old, new))
    with pytest.raises(Faults) as found:
        [list(prepared(file, quick=False)) for file in read_cases(folder)]

    assert message in str(found.value)


def test_cases_that_are_not_installed(monkeypatch, tmp_path):
    """
    Without the folder of cases the command says so.
    """
    monkeypatch.setattr(
        "zonesim.verification.reading.__file__", str(tmp_path / "zonesim" / "verification" / "reading.py")
    )
    with pytest.raises(ScenarioFault) as found:
        cases_folder()

    assert str(found.value).endswith("the outside cases are not installed\n    Install zonesim as a wheel.")


# --- the command


def command(*words):
    """Return what `zonesim verify` does."""
    return CliRunner().invoke(cli.app, ["verify", *words])


def test_the_command_prints_a_line_for_each_value():
    """
    Case, what, expected, found, verdict; the last line counts.
    """
    done = command("--case", "S02")

    assert done.exit_code == 0
    assert "S02 customers and time averages  f.serve.wait.mean" in done.stdout
    assert done.stdout.splitlines()[-1] == "9 passed, 0 failed".replace("9", "6")


def test_the_command_fails_when_a_value_differs(monkeypatch, tmp_path):
    """
    Exit code 1, and the reason before the count; --write keeps the table, --lang tells it in Chinese.
    """
    folder = written(tmp_path, ("[1, 4, 8]", "[1, 4, 9]"))
    monkeypatch.setattr("zonesim.verification.reading.cases_folder", lambda: folder)
    page = tmp_path / "page.md"
    done = command("--lang", "zh", "--write", str(page))

    assert done.exit_code == 1
    assert "S99 one: a#1 ended at 8 min, not at 9 min\n通过1项，未通过1项" in done.stdout
    assert "| `serve` | instants | 6 | 5 |  | 1 | differs |" in page.read_text(encoding="utf-8")


def test_the_document_of_the_command(monkeypatch, tmp_path):
    """
    --json prints every value as it is.
    """
    monkeypatch.setattr("zonesim.verification.reading.cases_folder", lambda: written(tmp_path))
    document = json.loads(command("--json", "--quick").stdout)

    assert (document["passed"], document["failed"], document["engine"], document["quick"]) == (2, 0, "auto", True)
    assert document["findings"][1]["what"] == "f.serve.wait.mean"
    assert document["findings"][1]["found"] == 1.5


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--case", "S00"), "--case: no case 'S00'\n    Did you mean"),
        (("--engine", "steam"), "--engine: no engine 'steam'\n"),
        (("--lang", "fr"), "--lang: no language 'fr'\n    Known languages: en, zh."),
    ],
)
def test_names_that_the_command_does_not_know(words, message):
    """
    A case, an engine or a language that there is none of is a fault that names what there is.
    """
    assert str(command(*words).exception).startswith(message)


def test_the_example_of_the_page_passes(tmp_path):
    """
    The case that docs/verification.md shows is one that runs and passes.
    """
    page = (ROOT / "zonesim" / "briefing" / "verification_head.md").read_text(encoding="utf-8")
    (tmp_path / "pyproject.toml").touch()
    (tmp_path / "S02.cases.yaml").write_text(page.partition("```yaml\n")[2].partition("```")[0], encoding="utf-8")
    shutil.copy(ROOT / "tests" / "cases" / "S02_bank.yaml", tmp_path)
    found = findings(tmp_path)

    assert [(each.what, each.told) for each in found if not each.passed] == []
    assert [each.what for each in found] == ["serve", "BANK.teller.utilisation"]


def test_files_of_cases_stand_beside_their_scenarios():
    """
    Every scenario in the folder of cases belongs to a case.
    """
    used = {case.scenario for file in read_cases() for case in file.model.cases.values()}
    there = {path.name for path in (ROOT / "tests" / "cases").glob("*.yaml") if ".cases." not in path.name}

    assert there == used
