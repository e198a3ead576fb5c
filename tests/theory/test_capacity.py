"""The multiple of demand that is carried, on queues whose limit has a closed form."""

from __future__ import annotations

import itertools
import math
from pathlib import Path

import pytest

from tests.helper import kpis, plan_of
from zonesim.experiment import Execution, runner
from zonesim.jobs.asking import Question
from zonesim.jobs.capacity import capacity_job
from zonesim.jobs.sizes import sizes_job

ONE = """
zonesim: 1
kind: scenario
name: {name}
clock: {{warm_up: 1 d, measure: 21 d, cool_down: 6 h}}
zones: {{Z: {{{resources}}}}}
flows: {{f: {{steps: {{{steps}}}}}}}
traffic: {{t: {{flow: f, rate: {rate}}}}}
"""


def asked(
    tmp_path: Path, *promises: str, resources: str, steps: str, rate: str, runs: int = 8, tolerance: float = 0.02
):
    """Return the only arm of the document that `capacity` prints of a queue."""
    tmp_path.mkdir(exist_ok=True)
    file = tmp_path / "queue.yaml"
    file.write_text(ONE.format(name="queue", resources=resources, steps=steps, rate=rate), encoding="utf-8")
    question = Question(file, None, [], promises, runs, 3, tolerance=tolerance)
    job = capacity_job(question, Execution(1), tmp_path / "results", formats=())
    assert job.exit_code == 0
    return job.document["arms"]["R1"]


def erlang_c(servers: int, load: float) -> float:
    """Return the probability of a wait in M/M/c with so many busy servers on average."""
    terms = [load**k / math.factorial(k) for k in range(servers)]
    last = load**servers / math.factorial(servers) * servers / (servers - load)
    return last / (sum(terms) + last)


def crossing(function, low: float, high: float) -> float:
    """Return where an increasing function passes 0, by bisection."""
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if function(middle) < 0 else (low, middle)
    return low


def near(found: dict, exact: float) -> None:
    """Assert that an answer is precise, and within one and a half half widths of its interval, and the tolerance, of the exact one."""
    interval = found["multiple"]
    half = (interval["high"] - interval["low"]) / 2
    assert half < 0.03 * exact
    assert interval["value"] == pytest.approx(exact, abs=1.5 * half + 0.01 * exact)


@pytest.mark.slow
def test_mean_stay_of_one_server(tmp_path):
    """M/M/1 with a mean of 1 min and 30 arrivals an hour has a mean stay of 4 min at 1.5 times its demand: 1 / (1 - 3/4)."""
    found = asked(
        tmp_path,
        "f.serve.stay.mean <= 4 min",
        resources="desk: {units: 1}",
        steps="serve: {hold: {d: Z.desk}, take: {exponential: {mean: 1 min}}}",
        rate="30 /h",
    )

    near(found, 1.5)
    assert found["breaks"] == {"f.serve.stay.mean <= 4 min": 8}
    assert found["bound"]["multiple"] == pytest.approx(2.0)
    assert found["bound"]["resources"] == ["Z.desk"]
    assert found["busiest"]["utilisation"] == pytest.approx(0.75, abs=0.03)


def test_percentile_of_the_wait_of_one_server(tmp_path):
    """M/M/1: the wait has P95 of 6 min where load × exp(-6 (1 - load)) = 5 %, with services of a minute."""
    found = asked(
        tmp_path,
        "f.serve.wait.p95 <= 6 min",
        resources="desk: {units: 1}",
        steps="serve: {hold: {d: Z.desk}, take: {exponential: {mean: 1 min}}}",
        rate="30 /h",
    )

    near(found, 2 * crossing(lambda load: load * math.exp(-6 * (1 - load)) - 0.05, 0.01, 0.99))


@pytest.mark.slow
def test_a_yard_that_is_full(tmp_path):
    """
    Ten bays with stays of an hour on average (M/M/10): a fifth of those who come find them full where Erlang's C is 20 %.
    """
    found = asked(
        tmp_path,
        "f.yard.wait.share <= 20 %",
        resources="bays: {units: 10}",
        steps="yard: {hold: {bay: Z.bays}, take: {exponential: {mean: 1 h}}}",
        rate="5 /h",
        runs=10,
    )

    near(found, crossing(lambda load: erlang_c(10, load) - 0.2, 1, 9.9) / 5)


@pytest.mark.slow
def test_the_second_station_of_a_tandem_binds(tmp_path):
    """
    Two desks behind each other, of 30 s and of 2 × 90 s a token: no promise at the first breaks, and the second one, an M/M/2 with Poisson
    arrivals (Burke), has a mean wait of 3 min at the limit. The bound and the runs name it.
    """
    found = asked(
        tmp_path,
        "f.one.wait.mean <= 3 min",
        "f.two.wait.mean <= 3 min",
        resources="first: {units: 1}, second: {units: 2}",
        steps=(
            "one: {hold: {d: Z.first}, take: {exponential: {mean: 30 s}}},"
            " two: {hold: {d: Z.second}, take: {exponential: {mean: 90 s}}}"
        ),
        rate="40 /h",
    )

    def wait(multiple: float) -> float:
        load = multiple * 40 / 60 * 1.5  # busy servers of two
        return erlang_c(2, load) * 1.5 / (2 - load)

    near(found, crossing(lambda multiple: wait(multiple) - 3, 0.1, 1.99))
    assert found["breaks"] == {"f.two.wait.mean <= 3 min": 8}
    assert (found["busiest"]["resource"], found["bound"]["resources"]) == ("Z.second", ["Z.second"])
    assert found["longest_queue"]["resource"] == "Z.second"


def test_without_a_promise_the_limit_is_a_load_of_one(tmp_path):
    """Services of exactly a minute behind gaps of exactly two: work does not grow up to twice the demand, and then does."""
    file = tmp_path / "even.yaml"
    text = ONE.format(
        name="even", resources="desk: {units: 1}", steps="serve: {hold: {d: Z.desk}, take: 1 min}", rate="30 /h"
    )
    file.write_text(text.replace("rate: 30 /h", "every: 2 min"), encoding="utf-8")
    job = capacity_job(Question(file, None, [], [], 2, 1), Execution(1), tmp_path / "results", formats=())
    found = job.document["arms"]["R1"]

    assert found["multiple"]["value"] == pytest.approx(2.0, rel=0.01)
    assert found["breaks"] == {"work in system": 2}
    assert "work in system grows" in job.text


def test_work_in_system_by_week():
    """
    A desk that serves a hundred an hour, with 150 arrivals, has 50 more in line each hour: the last week of three has 50 × 336 h
    more than the first. With 50 arrivals both have the mean of M/D/1 at a load of a half, 3/4 (Pollaczek and Khinchine).
    """
    steps = "serve: {hold: {d: Z.desk}, take: 36 s}"
    text = ONE.format(name="weeks", resources="desk: {units: 1}", steps=steps, rate="150 /h")
    growing = kpis(plan_of(text), replications=2)
    steady = kpis(plan_of(text, "traffic.t.rate=50 /h"), replications=4)

    for run in growing:
        grown = run.values["all.work.last"] - run.values["all.work.first"]
        assert grown == pytest.approx(50 * 336, rel=0.02)
    for run in steady:
        assert run.values["all.work.first"] == pytest.approx(0.75, rel=0.05)
        assert run.values["all.work.last"] == pytest.approx(0.75, rel=0.05)
    assert "all.work.first" not in kpis(plan_of(text, "clock.measure=7 d"))[0].values


def test_a_search_that_is_stopped_goes_on(tmp_path, monkeypatch):
    """A search that is interrupted in its seventh run has kept six; the next one runs the others and finds what an unbroken one does."""
    told = {
        "resources": "desk: {units: 1}",
        "steps": "serve: {hold: {d: Z.desk}, take: {exponential: {mean: 1 min}}}",
        "rate": "30 /h",
        "runs": 3,
    }
    runs = []
    run_cell = runner.run_cell

    def counted(job, replication):
        runs.append(replication)
        if len(runs) == 7:
            raise KeyboardInterrupt
        return run_cell(job, replication)

    whole = asked(tmp_path / "whole", "f.serve.stay.mean <= 4 min", **told)
    monkeypatch.setattr(runner, "run_cell", counted)
    with pytest.raises(KeyboardInterrupt):
        asked(tmp_path / "broken", "f.serve.stay.mean <= 4 min", **told)
    before = len(runs)
    again = asked(tmp_path / "broken", "f.serve.stay.mean <= 4 min", **told)

    assert again == whole
    assert len(runs) - before == 3 * sum(not look["loaded"] for look in whole["looks"]) - 6


@pytest.mark.slow
def test_a_search_that_is_asked_again_finds_the_same_without_a_run(tmp_path, monkeypatch):
    """What a search has run is kept: a second one, from the store alone, has the same limits to the last digit."""
    told = {
        "resources": "desk: {units: 1}",
        "steps": "serve: {hold: {d: Z.desk}, take: {exponential: {mean: 1 min}}}",
        "rate": "30 /h",
        "runs": 3,
    }
    first = asked(tmp_path, "f.serve.stay.mean <= 4 min", **told)
    monkeypatch.setattr("zonesim.experiment.runner.run_cell", lambda *_: pytest.fail("a run"))
    again = asked(tmp_path, "f.serve.stay.mean <= 4 min", **told)

    assert again == first


@pytest.mark.parametrize("growth", [1.0, 1.6])
def test_units_by_erlang_c(tmp_path, growth):
    """
    The smallest c with which M/M/c keeps a mean wait of 30 s, by Erlang's C: of a desk of 4 min with 60 arrivals an hour, grown or not.
    """
    file = tmp_path / "queue.yaml"
    steps = "serve: {hold: {d: Z.desk}, take: {exponential: {mean: 4 min}}}"
    file.write_text(ONE.format(name="queue", resources="desk: {units: 2}", steps=steps, rate="60 /h"), encoding="utf-8")
    question = Question(file, None, [], ["f.serve.wait.mean <= 30 s"], 6, 3)
    job = sizes_job(question, ["desk"], growth, Execution(1), tmp_path / "results")
    found = job.document["arms"]["R1"]
    load = 4 * growth
    wait = {c: erlang_c(c, load) * 240 / (c - load) for c in range(math.floor(load) + 1, 30)}
    exact = min(c for c, seconds in wait.items() if seconds <= 30)

    assert abs(wait[exact] - 30) > 3, "not too near to the promise to tell"
    assert abs(wait[exact - 1] - 30) > 3
    assert found["least"] == {"Z.desk": math.floor(load) + 1}
    assert found["needed"] == {"Z.desk": exact}
    assert found["values"]["f.serve.wait.mean <= 30 s"]["value"] * 60 == pytest.approx(wait[exact], rel=0.2)


@pytest.mark.slow
def test_units_of_a_tandem_hold_together(tmp_path):
    """
    Of two stations with Poisson arrivals (Burke) each needs what it needs alone: the smallest units that keep both mean waits are those of two M/M/c.
    """
    file = tmp_path / "queue.yaml"
    steps = (
        "one: {hold: {d: Z.first}, take: {exponential: {mean: 2 min}}},"
        " two: {hold: {d: Z.second}, take: {exponential: {mean: 6 min}}}"
    )
    resources = "first: {units: 9}, second: {units: 1}"
    file.write_text(ONE.format(name="queue", resources=resources, steps=steps, rate="60 /h"), encoding="utf-8")
    promises = ["f.one.wait.mean <= 40 s", "f.two.wait.mean <= 40 s"]
    job = sizes_job(Question(file, None, [], promises, 6, 3), ["all"], 1, Execution(1), tmp_path / "results")
    exact = {
        name: min(c for c in range(servers, 30) if erlang_c(c, load) * mean / (c - load) <= 40)
        for name, load, mean, servers in (("Z.first", 2, 120, 3), ("Z.second", 6, 360, 7))
    }

    assert job.document["arms"]["R1"]["needed"] == exact


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
def test_more_lanes_never_carry_less(tmp_path, seed):
    """
    Under the same luck no replication of a gate with a queue for papers behind it carries less with a lane, or an officer, more, to the tolerance.
    """
    file = tmp_path / "queue.yaml"
    steps = (
        "lane: {hold: {l: Z.lanes}, take: {exponential: {mean: 2 min}}},"
        " papers: {hold: {o: Z.officers}, take: {exponential: {mean: 3 min}}}"
    )
    text = ONE.format(name="queue", resources="lanes: {units: 2}, officers: {units: 3}", steps=steps, rate="30 /h")
    file.write_text(text.replace("21 d", "8 d"), encoding="utf-8")
    found = []
    for more in ([], ["zones.Z.lanes.units=3"], ["zones.Z.lanes.units=3", "zones.Z.officers.units=4"]):
        question = Question(file, None, more, ["f.papers.wait.mean <= 4 min", "f.lane.wait.mean <= 4 min"], 3, seed)
        job = capacity_job(question, Execution(1), tmp_path / "results", formats=())
        found.append(job.document["arms"]["R1"]["by_replication"])

    for fewer, more in itertools.pairwise(found):
        assert all(many > 0.98 * few for few, many in zip(fewer, more, strict=True))
    assert sum(found[-1]) > 1.2 * sum(found[0])
