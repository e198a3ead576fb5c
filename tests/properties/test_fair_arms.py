"""Arms meet the same luck: what a measure does not touch does not change, to the bit."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from tests.helper import ROOT, column, kpis, plan_of, plan_of_file, run, run_plan
from zonesim.plan import NUMBER_BITS, Plan
from zonesim.policy import Arm, Chosen

TYPICAL = ROOT / "scenarios" / "typical_zone.yaml"
SHORT = ("clock.warm_up=2 d", "clock.measure=5 d", "clock.cool_down=2 d")
M11 = Arm("11", (Chosen("m11"),))


@pytest.fixture(params=[pytest.param("simpy", marks=pytest.mark.slow), "compiled"])
def engine(request: pytest.FixtureRequest) -> str:
    """Give the engines that run every plan; they are equal to the byte, so the slower one is for the slow suite."""
    return request.param


def rows(plan: Plan, engine: str) -> dict[tuple[str, str], list[tuple[str, tuple[float, float, float]]]]:
    """Return the visits of a run by entry and step."""
    line = run_plan(plan, engine=engine)
    found: dict[tuple[str, str], list[tuple[str, tuple[float, float, float]]]] = {}
    for key, *times in line.sink.visits.tolist():
        step = plan.names.steps[key >> NUMBER_BITS]
        found.setdefault((step.entry, ".".join(step.path)), []).append(
            (line.name(key & (1 << NUMBER_BITS) - 1), tuple(times))
        )
    return {place: sorted(own) for place, own in found.items()}


def test_a_measure_that_nobody_adopts_changes_nothing(engine):
    """
    Placebo: measure 11 at adoption 0 % gives the plan of R1 but for its name, and the same records to the bit.
    """
    base = plan_of_file(TYPICAL, *SHORT)
    placebo = plan_of_file(TYPICAL, *SHORT, "measures.m11.coverage=0 %", arm=M11)

    assert placebo.identity == base.identity
    first, second = run_plan(base, engine=engine), run_plan(placebo, engine=engine)
    assert np.array_equal(first.sink.visits, second.sink.visits)
    assert np.array_equal(first.sink.marks, second.sink.marks)


def test_a_measure_in_force_for_nobody_here_changes_nothing(engine):
    """
    Placebo with both editions compiled: when the share is too small for any firm or token, the records are those of R1 to the bit.
    """
    base = rows(plan_of_file(TYPICAL, *SHORT), engine)
    settings = (*SHORT, "measures.m11.coverage=0.0000000001 %", "adopted={m11: {transfer: 0 %}}")
    placebo = rows(plan_of_file(TYPICAL, *settings, arm=M11), engine)
    base = rows(plan_of_file(TYPICAL, *SHORT, "adopted={m11: {transfer: 0 %}}"), engine)

    assert placebo == base


def test_with_unlimited_resources_untouched_steps_keep_their_times(engine):
    """
    Where nobody waits, measure 11 changes no length of a step that it does not edit, for any token.
    """
    free = [
        f"zones.TYP.{name}.units=unlimited"
        for name in (
            "lanes_in",
            "lanes_out",
            "gate_officers",
            "exception_desk",
            "officers",
            "inspectors",
            "docks",
            "yard",
        )
    ]
    base = rows(plan_of_file(TYPICAL, *SHORT, *free), engine)
    arm = rows(plan_of_file(TYPICAL, *SHORT, *free, arm=M11), engine)
    edited = {
        "identify",
        "weigh",
        "compare",
        "look",
        "assist",
        "lane",
        "light",
        "stay",
        "documents",
        "truck",
        "seal",
        "haul",
    }
    edited |= {"close", "left", "both"}
    compared = 0
    for place, own in base.items():
        if place[1].rpartition(".")[2] in edited:
            continue
        lengths = {(place, name): end - start for name, (_, start, end) in own if start >= 0 <= end}
        for name, (_, start, end) in arm.get(place, []):
            if start >= 0 <= end and (place, name) in lengths:
                compared += 1
                assert lengths[place, name] == end - start, (place, name)

    assert compared > 3_000


def test_a_new_entry_changes_no_draw_of_the_others(engine):
    """
    Traffic added elsewhere, before the others by name, leaves every row of the other entries as it was where nobody waits.
    """
    settings = (*SHORT, "zones.TYP.*.units=unlimited")
    base = rows(plan_of_file(TYPICAL, *settings), engine)
    text = TYPICAL.read_text(encoding="utf-8")
    added = text + "  aaa_more: {flow: visit, with: {zone: TYP, vehicle: freight, yard: detour}, rate: 20 /d}\n"
    more = rows(plan_of(added, *settings), engine)

    assert {place: own for place, own in more.items() if place[0] != "aaa_more"} == base


def test_an_edit_in_one_flow_leaves_the_others(engine):
    """
    A minimally different world: another time in F4b changes nothing of F1 where nobody waits.
    """
    settings = (*SHORT, "zones.TYP.*.units=unlimited")
    base = rows(plan_of_file(TYPICAL, *settings), engine)
    other = rows(plan_of_file(TYPICAL, *settings, "library.F4b.approval.take=1 min"), engine)

    assert {p: own for p, own in other.items() if p[0] != "domestic_goods"} == {
        p: own for p, own in base.items() if p[0] != "domestic_goods"
    }
    assert other != base


def test_arrivals_and_classes_are_those_of_the_baseline(engine):
    """
    In every arm the same consignments arrive at the same times with the same classes.
    """
    base = run_plan(plan_of_file(TYPICAL, *SHORT), engine=engine)
    arm = run_plan(plan_of_file(TYPICAL, *SHORT, arm=Arm("10+11", (Chosen("m10"), Chosen("m11")))), engine=engine)

    assert base.marks("arrived") == arm.marks("arrived")
    assert all(np.array_equal(one, two) for one, two in zip(base.totals.classes, arm.totals.classes, strict=True))


def test_equal_seeds_give_equal_records_and_others_do_not(engine):
    """
    A run is a function of plan, seed and replication.
    """
    plan = plan_of_file(TYPICAL, *SHORT)
    first = run_plan(plan, engine=engine, seed=5, replication=2)

    assert np.array_equal(first.sink.visits, run_plan(plan, engine=engine, seed=5, replication=2).sink.visits)
    assert not np.array_equal(first.sink.visits, run_plan(plan, engine=engine, seed=5, replication=3).sink.visits)
    assert not np.array_equal(first.sink.visits, run_plan(plan, engine=engine, seed=6, replication=2).sink.visits)


@pytest.mark.slow
def test_the_hash_seed_of_python_does_not_matter():
    """
    Plan and records do not depend on the order of sets or of hashes.
    """
    code = (
        "from tests.helper import *; import hashlib;"
        "p = plan_of_file(ROOT / 'scenarios/typical_zone.yaml', 'clock.measure=2 d', 'clock.warm_up=0 d', 'clock.cool_down=0 d');"
        "t = run_plan(p); print(p.identity, hashlib.sha256(t.sink.visits.tobytes() + t.sink.marks.tobytes()).hexdigest())"
    )
    seen = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed},
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("0", "12345")
    }

    assert len(seen) == 1


def test_common_random_numbers_make_differences_sharp():
    """
    M/M/1 from empty, first 100 delays, mean service 0.9 against 0.8: the variance of the difference is over four times smaller.
    """
    text = """
clock: {{measure: 100 min, cool_down: 400 min}}
zones: {{Z: {{desk: {{units: 1}}}}}}
flows: {{f: {{steps: {{work: {{hold: {{d: Z.desk}}, take: {{exponential: {{mean: {mean} min}}}}}}}}}}}}
traffic: {{a: {{flow: f, rate: 1 /min}}}}
"""
    slow = column(kpis(plan_of(text.format(mean=0.9)), replications=300), "f.work.wait.mean")
    fast = column(kpis(plan_of(text.format(mean=0.8)), replications=300), "f.work.wait.mean")
    alone = slow.var(ddof=1) + fast.var(ddof=1)

    assert alone / (slow - fast).var(ddof=1) > 4


@pytest.mark.parametrize("seed", [1, 2])
def test_a_plan_is_the_same_after_pickling(seed):
    """
    A plan sent to a worker is the plan that was sent, read-only and with the same identity.
    """
    import pickle

    plan = plan_of(
        "clock: {measure: 1 h}\nflows: {f: {steps: {w: {take: 1 min}}}}\ntraffic: {a: {flow: f, rate: 1 /min}}\n"
    )
    copy = pickle.loads(pickle.dumps(plan))

    assert copy.identity == plan.identity
    assert not copy.program.flags.writeable
    assert run(
        "clock: {measure: 1 h}\nflows: {f: {steps: {w: {take: 1 min}}}}\ntraffic: {a: {flow: f, rate: 1 /min}}\n",
        seed=seed,
    )
    assert replace(plan, window=plan.window + 1).identity != plan.identity


def test_before_its_start_a_measure_changes_nothing(engine):
    """
    Where nobody waits, tokens that arrived before the start of measures 10 and 11 have the records of the baseline, to the bit; later ones
    differ; and all arrive at the same times.
    """
    free = ("zones.TYP.*.units=unlimited",)
    start = "2018-09-07"
    late = Arm("late", (Chosen("m10", start=start), Chosen("m11", start=start)))
    base = run_plan(plan_of_file(TYPICAL, *SHORT, *free), engine=engine)
    arm = run_plan(plan_of_file(TYPICAL, *SHORT, *free, arm=late), engine=engine)
    arrived = base.marks("arrived")
    begins = 4 * 24 * 60

    def story(line) -> dict[str, list[tuple[str, tuple[int, ...]]]]:
        found: dict[str, list[tuple[str, tuple[int, ...]]]] = {}
        for key, *times in line.sink.visits.tolist():
            step = ".".join(line.plan.names.steps[key >> NUMBER_BITS].path)
            name = line.name(key & (1 << NUMBER_BITS) - 1)
            found.setdefault(name.partition("/")[0], []).append((step, tuple(times)))
        return {name: sorted(rows) for name, rows in found.items()}

    before, after = story(base), story(arm)
    early = {name for name, time in arrived.items() if time < begins}

    assert arm.marks("arrived") == arrived
    assert 500 < len(early) < len(arrived) - 500
    assert all(before[name] == after[name] for name in early)
    assert sum(before[name] != after[name] for name in set(arrived) - early) > 500
