"""Small files cannot make much work: checking grows with the size of a file, and what is told is bounded."""

from __future__ import annotations

import math
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.helper import HEAD, ROOT, plan_of, plan_of_file
from zonesim import cli
from zonesim.experiment import design, planning, read_design
from zonesim.experiment.eta import remaining
from zonesim.experiment.execution import no_longer_than
from zonesim.faults import MOST_TOLD, Faults, MoreFaults, Place, ScenarioFault, near
from zonesim.plan import compile_plan, compiler, loads, world_tables
from zonesim.plan.columns import flat
from zonesim.policy import baseline, resolve, world_of
from zonesim.scenario import composing, read_text, reader, traces
from zonesim.scenario.excerpts import explain

OWN = str(ROOT / "zonesim")


def many(n: int) -> dict[str, str]:
    """Return files that have `n` of something, by what it is."""

    def joined(text: str) -> str:
        return ", ".join(text.replace("#", str(number)) for number in range(n))

    head = f"{HEAD}clock: {{measure: 1 h}}\n"
    desk = "zones: {B: {c: {units: 3}}}\n"
    flow = "flows: {f: {steps: {s: {hold: {k: B.c}, take: 1 min}}}}\n"
    traffic = "traffic: {t: {flow: f, rate: 1 /d}}\n"
    return {
        "steps": f"{head}{desk}flows: {{f: {{steps: {{{joined('s#: {hold: {k: B.c}, take: 1 s}')}}}}}}}\n{traffic}",
        "resources": (
            f"{head}zones: {{B: {{{joined('r#: {units: 3}')}}}}}\n"
            f"flows: {{f: {{steps: {{{joined('s#: {hold: {k: B.r#}, take: 1 min}')}}}}}}}\n{traffic}"
        ),
        "traffic entries": f"{head}{desk}{flow}traffic: {{{joined('t#: {flow: f, rate: 1 /d}')}}}\n",
        "unknown keys": f"{head}{desk}{flow}traffic: {{t: {{flow: f, rate: 1 /d, {joined('x#: 1')}}}}}\n",
        "wrong values": f"{head}zones: {{B: {{{joined('r#: {units: -1}')}}}}}\n{flow}{traffic}",
        "unknown resources": (
            f"{head}{desk}flows: {{f: {{steps: {{{joined('s#: {hold: {k: B.r#}, take: 1 min}')}}}}}}}\n{traffic}"
        ),
    }


def check(text: str) -> None:
    """Read and compile a scenario; what is wrong is put into words."""
    try:
        world = world_of(read_text(text, "many.yaml"))
        compile_plan(resolve(world, baseline(world)))
    except Faults as faults:
        explain(faults)


def work(text: str) -> int:
    """Return how many lines of zonesim's own code are run to check a scenario."""
    lines = 0

    def in_frame(frame, event, argument):
        nonlocal lines
        lines += event == "line"
        return in_frame

    def on_call(frame, event, argument):
        return in_frame if frame.f_code.co_filename.startswith(OWN) else None

    before = sys.gettrace()
    sys.settrace(on_call)
    try:
        check(text)
    finally:
        sys.settrace(before)
    return lines


def works(what: str) -> list[int]:
    """Return the work for 24, 48 and 96 of something."""
    check(many(1)[what])  # reads the library
    return [work(many(n)[what]) for n in (24, 48, 96)]


@pytest.mark.parametrize("what", list(many(0)))
def test_checking_grows_no_faster_than_the_file(what):
    """
    Twice as many steps, resources, entries or mistakes are twice the work, not four times or eight. Counted in a process of its own, which has
    nothing else in memory to look after while every line is counted.
    """
    code = f"from {__name__} import works; print(*works({what!r}))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=300, check=True
    )
    small, middle, large = map(int, done.stdout.split())

    assert 0 < small < middle
    assert (large - middle) < 2.4 * (middle - small)


def test_of_many_faults_the_first_are_told_and_the_others_counted():
    """
    Fifty are told one by one; a last line says from where on there are how many more.
    """
    with pytest.raises(Faults) as found:
        plan_of(many(3 * MOST_TOLD)["unknown keys"])
    told = str(found.value).splitlines()

    assert told[0].endswith("unknown key 'x0'")
    assert told[-2] == f"timeline.yaml:7:{36 + 7 * 10 + 8 * 40}: 100 more faults from here on"
    assert told[-1] == "    Mend those above first."
    assert len(found.value.told()) == MOST_TOLD + 1


def test_counted_faults_are_not_counted_twice():
    """
    Faults of several places put together: what was only counted in one of them counts for as much here.
    """
    faults = [ScenarioFault("wrong", Place("a.yaml", line, 1)) for line in range(1, 61)]
    both = Faults([*faults, MoreFaults(40, Place("a.yaml", 99, 1))])

    assert str(both.told()[-1]) == "a.yaml:51:1: 50 more faults from here on\n    Mend those above first."
    assert len(Faults(faults[: MOST_TOLD + 1]).told()) == MOST_TOLD + 1


def test_a_very_long_name_is_compared_with_nothing():
    """
    Looking for what was meant costs time for each pair of letters.
    """
    assert near("x" * 1000, ["x" * 999]) == []
    assert near("lanse", ["lanes"]) == ["lanes"]


PARTS = "[" + ", ".join(str(number % 7) for number in range(288)) + "]"
SHIFTS = ", ".join(
    f'"{hour:02d}:{minute:02d}-{hour:02d}:{minute + 1:02d}"' for hour in range(24) for minute in range(0, 60, 2)
)
CALLS = "\n".join(
    f"  f{level}: {{steps: {{{', '.join(f'c{number}: {{call: f{level + 1}}}' for number in range(10))}}}}}"
    for level in range(8)
)
KEPT = "\n      ".join(
    f"s{number}: {{share: 50 %, hold: {{r: Z.r{number}}}, keep: {{r: until last}}, take: 1 s}}" for number in range(7)
)

TOO_MUCH = {
    "changes of rates": (
        f"""
clock: {{measure: 5000 week}}
profiles: {{p: {{parts: {PARTS}}}}}
flows: {{f: {{steps: {{s: {{take: 1 min}}}}}}}}
traffic: {{t: {{flow: f, rate: 1 /week, profile: p}}, u: {{flow: f, rate: 1 /week, profile: p}}}}
""",
        [
            "timeline.yaml:4:18: the profiles make more than 4,000,000 changes of rates in this run",
            "    Simulate a shorter time, or with fewer and coarser profiles.",
        ],
    ),
    "opening hours": (
        f"""
clock: {{measure: 5000 week}}
calendars: {{c: {{mon-sun: [{SHIFTS}]}}}}
zones: {{Z: {{a: {{units: 1, open: c}}, b: {{units: 1, open: c}}}}}}
flows: {{f: {{steps: {{s: {{hold: {{a: Z.a}}, take: 1 min}}}}}}}}
traffic: {{t: {{flow: f, rate: 1 /week}}}}
""",
        [
            "timeline.yaml:4:18: more than 4,000,000 openings and closings in this run",
            "    Simulate a shorter time, or with fewer opening hours.",
        ],
    ),
    "breakdowns": (
        """
clock: {measure: 5000 week}
zones: {B: {c: {units: 3, breakdowns: {up: 1 ms, repair: 1 ms}}}}
flows: {f: {steps: {s: {hold: {k: B.c}, take: 1 s}}}}
traffic: {t: {flow: f, rate: 1 /week}}
""",
        [
            "timeline.yaml:5:44: B.c is expected to break down 4.5e+12 times in this run, more than 100,000,000",
            "    Check the units, or measure a shorter time.",
        ],
    ),
    "calls": (
        f"""
clock: {{measure: 1 h}}
flows:
{CALLS}
  f8: {{steps: {{s: {{take: 1 s}}}}}}
traffic: {{t: {{flow: f0, rate: 1 /h}}}}
""",
        [
            "timeline.yaml:13:132: more than 400 steps, those of called flows counted at every call",
            "    Look for flows that call flows that call flows.",
        ],
    ),
    "ways through flows that keep": (
        f"""
clock: {{measure: 1 h}}
zones: {{Z: {{{", ".join(f"r{number}: {{units: 3}}" for number in range(7))}}}}}
flows:
  f:
    steps:
      {KEPT}
      last: {{take: 1 s}}
  g:
    steps:
      {KEPT}
      last: {{take: 1 s}}
      more: {{take: 1 s}}
  h:
    steps:
      {KEPT}
      last: {{take: 1 s}}
      more: {{take: 1 s}}
      again: {{take: 1 s}}
traffic: {{t: {{flow: f, rate: 1 /h}}, u: {{flow: g, rate: 1 /h}}, v: {{flow: h, rate: 1 /h}}}}
""",
        [
            "timeline.yaml:40:47: more than 2,000 ways through the flows that differ in what is kept, known or the status",
            "    Give back what is kept before the next choices (`until` an earlier step), or choose less often.",
        ],
    ),
    "profiles that leave no time": (
        """
clock: {measure: 1 week}
profiles:
  night: {hours: [1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]}
  noon: {hours: [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]}
flows: {f: {steps: {s: {take: 1 min}}}}
traffic: {t: {flow: f, rate: 1 /week, profile: [night, noon]}}
""",
        [
            "timeline.yaml:9:48: with these profiles together nobody ever comes",
            "    Give some hour, some day and some month a weight in all of them.",
        ],
    ),
    "dates": (
        """
clock: {measure: 1 week}
holidays: {h: {closed: ["1900-01-01..2199-12-31", "1900-01-01..2199-12-31"]}}
flows: {f: {steps: {s: {take: 1 min}}}}
traffic: {t: {flow: f, rate: 1 /week}}
""",
        ["timeline.yaml:5:24: more than 120,000 dates", "    Name each day once."],
    ),
}


@pytest.mark.parametrize("case", list(TOO_MUCH))
def test_what_a_file_asks_for_is_counted_before_it_is_built(case, monkeypatch):
    """
    Told once, at the place that asks for it, with the limit.
    """
    monkeypatch.setattr(world_tables, "MOST_STEPS", 400)
    monkeypatch.setattr(compiler, "MOST_WAYS", 2_000)
    text, expected = TOO_MUCH[case]
    with pytest.raises(Faults) as found:
        plan_of(text.lstrip("\n"))

    assert str(found.value).splitlines() == expected


def test_rates_are_the_same_however_they_are_laid_out():
    """
    A profile over a year of 24 weights is 48 half hours that are equal in pairs: the same rows of the plan.
    """
    hours = [float(number % 5) for number in range(24)]
    halves = [weight for weight in hours for _ in range(2)]
    text = """
clock: {{measure: 52 week}}
profiles: {{p: {{{key}: {weights}, months: [1, 2, 3, 4, 5, 6, 6, 5, 4, 3, 2, 1]}}}}
flows: {{f: {{steps: {{s: {{take: 1 min}}}}}}}}
traffic: {{t: {{flow: f, rate: 10 /d, profile: p}}}}
"""
    one, two = (
        plan_of(text.format(key=key, weights=weights)) for key, weights in (("hours", hours), ("parts", halves))
    )

    assert len(one.rates) > 364 * 18
    assert np.allclose(flat(one.rates), flat(two.rates), rtol=1e-12)
    last = one.rates[-1]
    assert last["expected_before"] + last["rate"] * (one.horizon - last["begins"]) == pytest.approx(3640, rel=0.01)


def test_classes_of_those_who_start_each_other_are_found_at_once():
    """
    Thirty entries that all start all the others: each has the class of the only one that arrives by itself.
    """
    spawned = ", ".join(
        f"s{number}: {{take: 1 min, spawn: {{traffic: u{number}, after: 1 d}}}}" for number in range(30)
    )
    entries = ", ".join(f"u{number}: {{flow: f, spawned: true}}" for number in range(30))
    plan = plan_of(
        f"clock: {{measure: 1 h}}\nflows: {{f: {{steps: {{{spawned}, z: {{take: {{by: class, A: 1 min}}}}}}}}}}\n"
        f"traffic: {{t: {{flow: f, rate: 1 /h, class: A}}, {entries}}}\n"
    )

    assert len(plan.sources) == 31


PIPED = {
    "scenario": (["validate", "pipe"], "pipe: is a pipe or a device, not a file"),
    "experiment": (["plan", "pipe"], "pipe: is a pipe or a device, not a file"),
    "log": (["fit", "pipe", "--time-in", "t"], "pipe: is a pipe or a device, not a file"),
    "target of plot": (["plot", "pipe"], "pipe: is a pipe or a device, not a file"),
    "study": (["plot", "folder"], "folder/study.json: is a pipe or a device, not a file"),
    "trace": (["validate", "traced.yaml"], "traced.yaml:7:47: 'pipe' is a pipe or a device, not a file"),
    "results folder": (
        ["run", "bank.yaml", "--replications", "1", "--out", "pipe"],
        "pipe: cannot write there: File exists",
    ),
}


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes")
@pytest.mark.parametrize("what", list(PIPED))
def test_a_pipe_is_refused_wherever_a_file_is_due(what, tmp_path, monkeypatch, capsys):
    """
    Nobody may ever write into it; waiting for its end would be waiting for ever.
    """
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    os.mkfifo("pipe")
    os.mkfifo("folder/study.json")
    head = f"{HEAD}clock: {{measure: 1 h}}\nzones: {{}}\nflows: {{f: {{steps: {{s: {{take: 1 min}}}}}}}}\n"
    Path("bank.yaml").write_text(f"{head}traffic: {{t: {{flow: f, rate: 1 /h}}}}\n", encoding="utf-8")
    Path("traced.yaml").write_text(
        f"{head}traffic: {{t: {{flow: f, trace: {{time: t, file: pipe}}}}}}\n", encoding="utf-8"
    )
    words, expected = PIPED[what]
    monkeypatch.setattr("sys.argv", ["zonesim", *words])
    with pytest.raises(SystemExit) as end:
        cli.main()

    assert end.value.code == 2
    assert expected in capsys.readouterr().err


EXPERIMENT = """\
zonesim: 1
kind: experiment
name: e
scenario: bank.yaml
arms: {a: [], b: []}
"""

GRIDS = {
    "a grid": (
        "futures: {grid: {traffic.t.rate: {scale: NUMBERS}, clock.measure: {scale: NUMBERS}}}",
        "e.yaml:6:10: 10,000 futures with 2 arms, together more than 10,000",
    ),
    "replications": (
        "futures: {grid: {traffic.t.rate: {scale: NUMBERS}}}\nreplications: 100000",
        "e.yaml: 200 arms and futures with 100,000 replications each, together more than 1,000,000 runs",
    ),
}


@pytest.mark.parametrize("what", list(GRIDS))
def test_runs_are_counted_before_they_are_laid_out(what, tmp_path, monkeypatch):
    """
    Futures are products of lists; a file of some lines asks for more than could ever be run.
    """
    monkeypatch.chdir(tmp_path)
    more, expected = GRIDS[what]
    scenario = f"{HEAD}clock: {{measure: 1 h}}\nflows: {{f: {{steps: {{s: {{take: 1 min}}}}}}}}\n"
    Path("bank.yaml").write_text(f"{scenario}traffic: {{t: {{flow: f, rate: 1 /h}}}}\n", encoding="utf-8")
    text = EXPERIMENT + more.replace("NUMBERS", str([1 + number / 100 for number in range(100)]))
    Path("e.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(ScenarioFault) as found:
        read_design(Path("e.yaml"), [])

    assert str(found.value).splitlines()[0] == expected


def test_arms_and_futures_are_counted_together(monkeypatch, tmp_path):
    """
    Doubts are futures too, which are known only when the scenario is.
    """
    monkeypatch.setattr(design, "MOST_CELLS", 1)
    Path(tmp_path / "bank.yaml").write_text(
        f"{HEAD}clock: {{measure: 1 h}}\nflows: {{f: {{steps: {{s: {{take: 1 min}}}}}}}}\ntraffic: {{t: {{flow: f, rate: 1 /h}}}}\n",
        encoding="utf-8",
    )
    (tmp_path / "e.yaml").write_text(EXPERIMENT, encoding="utf-8")
    with pytest.raises(ScenarioFault, match="2 arms in 1 futures, together more than 1"):
        read_design(tmp_path / "e.yaml", [])


def test_values_are_counted_while_they_are_read(monkeypatch):
    """
    The reader stops at the first value too many, and says where it stands.
    """
    monkeypatch.setattr(composing, "MOST_VALUES", 5)
    monkeypatch.setattr(reader, "MOST_VALUES", 5)
    with pytest.raises(Faults) as found:
        read_text("a: [1, 2, 3,\n 4, 5]", "many.yaml")

    assert str(found.value) == "many.yaml:2:5: more than 5 values\n    Split the file, or use fewer aliases."


TRACED = f"""\
{HEAD}clock: {{measure: 1 h}}
flows: {{f: {{steps: {{s: {{take: 1 min}}}}}}}}
traffic: {{t: {{flow: f, trace: {{file: log.csv, time: t, where: {{w: a}}}}}}}}
"""

LONG_LOGS = {
    "wrong rows": (
        "t,w\n" + "x,a\n" * 100,
        "log.csv:7:1: 15 more wrong rows from here on, and it is read no further\n    Mend those above first.",
    ),
    "rows that are left out": (
        "t,w\n" + "1 min,b\n" * 100,
        "log.csv:51:1: more than 50 lines\n    Keep those that matter.",
    ),
}


@pytest.mark.parametrize("what", list(LONG_LOGS))
def test_a_log_is_not_read_to_its_end_when_it_cannot_be_used(what, tmp_path, monkeypatch):
    """
    After so many wrong rows, or so many lines in all, the rest is not looked at.
    """
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(traces, "MOST_WRONG", 20)
    monkeypatch.setattr(traces, "MOST_LINES", 50)
    text, expected = LONG_LOGS[what]
    Path("log.csv").write_text(text, encoding="utf-8")
    Path("traced.yaml").write_text(TRACED, encoding="utf-8")
    with pytest.raises(Faults) as found:
        plan_of_file(Path("traced.yaml"))

    assert str(found.value).endswith(expected)


@pytest.mark.parametrize("seconds", [math.inf, math.nan, 1e300])
def test_a_limit_beyond_all_time_is_none(seconds):
    """
    A timer of the system knows no such time: none is set, and nothing stops.
    """
    with no_longer_than(seconds):
        assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)


def test_a_listed_time_may_be_in_doubt():
    """
    Like any quantity; the run uses the mode.
    """
    plan = plan_of(
        "clock: {measure: 1 h}\nflows: {f: {steps: {s: {take: 1 min}}}}\ntraffic: {t: {flow: f, at: [{uncertain: [1 min, 2 min, 3 min]}]}}"
    )

    assert plan.times["time"].tolist() == [120_000]


@pytest.mark.parametrize("loop", ["", ", t: {take: 1 min, next: {s: 50 %, end: 50 %}}"])
def test_a_scenario_without_resources_has_no_loads(loop):
    """
    Nothing is waited for, also where tokens go round; that is no defect.
    """
    plan = plan_of(
        f"clock: {{measure: 1 h}}\nflows: {{f: {{steps: {{s: {{take: 1 min}}{loop}}}}}}}\ntraffic: {{t: {{flow: f, rate: 9 /h}}}}"
    )

    assert loads(plan) == []


def test_arms_that_differ_in_their_names_only_are_resolved_once(tmp_path, monkeypatch):
    """
    Five hundred arms without measures are one piece of work; each has its name and the same plan.
    """
    count = 0
    real = planning.resolve

    def counted(world, arm):
        nonlocal count
        count += 1
        return real(world, arm)

    monkeypatch.setattr(planning, "resolve", counted)
    scenario = f"{HEAD}clock: {{measure: 1 h}}\nflows: {{f: {{steps: {{s: {{take: 1 min}}}}}}}}\n"
    (tmp_path / "bank.yaml").write_text(f"{scenario}traffic: {{t: {{flow: f, rate: 1 /h}}}}\n", encoding="utf-8")
    arms = ", ".join(f"a{number}: []" for number in range(500))
    text = EXPERIMENT.replace("{a: [], b: []}", f"{{{arms}, faster: {{scale: {{traffic.t.rate: 2}}}}}}")
    (tmp_path / "e.yaml").write_text(text, encoding="utf-8")
    found = read_design(tmp_path / "e.yaml", [])

    assert count == 2
    assert len({cell.key for cell in found.cells.values()}) == 2
    assert [arm.arm.name for arm in found.resolved.values()] == [*(f"a{number}" for number in range(500)), "faster"]
    assert remaining(found, None, 1, thorough=True).plans == 2


def test_a_fault_of_many_arms_is_looked_for_once(tmp_path):
    """
    What is wrong in every arm is told once.
    """
    scenario = f"{HEAD}clock: {{measure: 1 h}}\nflows: {{f: {{steps: {{s: {{take: 1 min}}}}}}}}\n"
    (tmp_path / "bank.yaml").write_text(f"{scenario}traffic: {{t: {{flow: g, rate: 1 /h}}}}\n", encoding="utf-8")
    (tmp_path / "e.yaml").write_text(EXPERIMENT, encoding="utf-8")
    with pytest.raises(Faults) as found:
        read_design(tmp_path / "e.yaml", [])

    assert len(found.value.faults) == 1
    assert "no flow 'g'" in str(found.value)
