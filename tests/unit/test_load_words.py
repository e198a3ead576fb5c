"""What is said of loads: the same in every command, with what is not known as nothing and not as 0."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from tests.helper import plan_of
from zonesim.analysis import Column, judge, load_warnings, overruled, points
from zonesim.analysis.load_warnings import BECAUSE, mean_text
from zonesim.briefing.text.documents import to_json
from zonesim.experiment import Execution, load_results
from zonesim.jobs.run import run_job
from zonesim.jobs.sweep import plan_job, sweep_job
from zonesim.jobs.validate import validate_file, validation_text
from zonesim.kpi import catalogue
from zonesim.plan import loads
from zonesim.plan.graph import Cause

SCENARIO = """\
zonesim: 1
kind: scenario
name: desks
clock: {start: "2018-09-03", warm_up: 1 h, measure: 8 h, cool_down: 1 h}
zones: {Z: {full: {units: 1}, room: {units: 1}, lane: {units: 2}, idle: {units: 1}}}
flows:
  f: {steps: {s: {hold: {d: Z.full}, take: 10 min}}}
  g: {steps: {away: {when: {queue: {of: Z.room, longer_than: 1}}, next: end}, s: {hold: {d: Z.room}, take: 8 min}}}
  h: {steps: {s: {hold: {l: Z.lane}, steps: {t: {hold: {i: Z.idle}, take: 6 min}}}}}
traffic: {a: {flow: f, rate: 9 /h}, b: {flow: g, rate: 9 /h}, c: {flow: h, rate: 2 /h}}
"""

EXPERIMENT = """\
zonesim: 1
kind: experiment
name: two
scenario: desks.yaml
set: {zones.Z.lane.units: 3}
arms: {one: [], more: {measures: [], set: {zones.Z.full.units: 2}}, said: {measures: [], set: {zones.Z.full.stable: true}}}
replications: 2
kpis: [Z.full.queue.mean, Z.room.queue.mean, Z.full.load, Z.room.load]
"""

GROWS = "Z.full: load 150%: its queue grows as long as the run lasts"
ROOM = (
    "Z.room: load ≤ 120%: unknown, because who comes depends on lines and on what is open; nothing says that its queue"
    " grows"
)


@pytest.fixture
def desks(tmp_path: Path) -> Path:
    """Return the scenario as a file, with the experiment beside it."""
    (tmp_path / "two.yaml").write_text(EXPERIMENT, encoding="utf-8")
    path = tmp_path / "desks.yaml"
    path.write_text(SCENARIO, encoding="utf-8")
    return path


def test_validate_and_run_warn_alike(desks):
    """
    The warnings of loads are those of one rule, before and after a run, for people and in the document.
    """
    checked = validate_file(desks, [])
    job = run_job(desks, [], [], 1, 1, Execution(1), desks.parent / "out", only=True)

    assert checked["warnings"] == [GROWS, ROOM]
    assert job.document["warnings"] == [f"warning: {each}" for each in checked["warnings"]]
    assert [note for note in job.notes if "load" in note] == job.document["warnings"]


def test_what_is_not_known_is_null(desks):
    """
    The document of `validate` has null, bounds and a reason for what is not known; the table has `-` and bounds.
    """
    found = validate_file(desks, [])
    document = json.loads(to_json(found))["loads"]
    rows = {line.split()[0]: line.split() for line in validation_text(found).splitlines() if line.startswith("Z.")}

    assert document["Z.room"]["mean"] is None
    assert document["Z.room"]["hourly"] is None
    assert document["Z.room"]["unknown"] == BECAUSE[Cause.STATE]
    assert (document["Z.room"]["low"], document["Z.room"]["high"]) == (0, pytest.approx(1.2))
    assert document["Z.idle"]["unknown"] is None
    assert rows["Z.lane"][1:3] == ["≥", "10%"]
    assert rows["Z.idle"][1] == "20%"
    assert (
        "≥: time at rest with units in hand, in line for others or until the opening, comes on top"
        in validation_text(found)
    )


def test_sweep_warns_where_it_holds_and_says_what_is_said_by_hand(desks):
    """
    A line that grows in one arm withholds the differences to it; where it is said by hand to be stable they are given
    and the table says so. An unknown load has no value.
    """
    job = sweep_job(desks.parent / "two.yaml", [], None, None, Execution(1), desks.parent / "out")
    (folder,) = {path.parent for path in (desks.parent / "out").rglob("study.json")}
    found = {
        (point.arm, point.kpi): point for point in points(load_results(folder), ["Z.full.queue.mean", "Z.room.load"])
    }
    ahead = plan_job(desks.parent / "two.yaml", [], None, None, 1, desks.parent / "out")

    assert f"warning: {GROWS} (one)" in job.notes
    assert f"warning: {ROOM}" in job.notes
    assert ahead.document["warnings"] == job.document["warnings"]
    assert found["one", "Z.full.queue.mean"].tag == "grows"
    assert found["more", "Z.full.queue.mean"].tag == "grows"
    assert found["said", "Z.full.queue.mean"].interval.value > 0
    assert math.isnan(found["one", "Z.room.load"].interval.value)


def test_a_difference_that_is_given_by_hand_is_tagged():
    """
    Where no arm grows but for what is said by hand, the difference is given with that tag.
    """
    found = judge(
        {"base": Column([1.0, 2.0], []), "arm": Column([2.0, 3.0], [])},
        overruled=["base"],
    )
    plan = plan_of(SCENARIO.split("name: desks\n")[1].replace("full: {units: 1}", "full: {units: 1, stable: true}"))

    assert found.effects["arm"][1] == "stable by hand"
    assert found.effects["arm"][0].value == 1
    assert "Z.full.queue.mean" in overruled(plan, 0, catalogue(plan))
    assert load_warnings(plan, 0)[0] == (
        "Z.full: load 150%: its queue does not grow, as is said by hand (`stable: true`)"
    )


def test_every_cause_has_words():
    """
    A reason is given for whatever makes a load unknown; bounds are shown where there are any.
    """
    plan = plan_of(SCENARIO.split("name: desks\n")[1])
    told = {str(plan.names.resources[load.resource]): mean_text(load) for load in loads(plan)}

    assert set(BECAUSE) == set(Cause)
    assert told == {"Z.full": "150%", "Z.room": "≤ 120%", "Z.lane": "≥ 10%", "Z.idle": "20%"}
