"""Ids of KPIs tell apart what they are about, whatever people call things."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.helper import HEAD, kpis, plan_of
from tests.properties.plans import model_of
from zonesim.faults import Faults
from zonesim.kpi import catalogue, scopes_of
from zonesim.plan import Plan

NAMES = st.sampled_from(["a", "b", "lanes", "dwell", "stage", "wait"])
"""Few, so that they meet; some are words of ids."""


def check_told(plan: Plan) -> None:
    """Assert that no id stands for two things, and that every flow and entry has a KPI of its own, over its sources."""
    ids = Counter(kpi.id for kpi in catalogue(plan))
    groups = scopes_of(plan).groups
    names = plan.names

    assert [name for name, count in ids.items() if count > 1] == []
    for called in (names.source_flows, names.source_groups):
        for name in called:
            assert f"{name}.arrived.day" in ids
            assert groups[name] == tuple(source for source, other in enumerate(called) if other == name)


@pytest.mark.parametrize("seed", range(40))
def test_random_models_tell_everything_by_an_id_of_its_own(seed: int) -> None:
    """
    In random models no two KPIs share an id, and each flow and each entry is told over its own arrivals.
    """
    check_told(model_of(seed).plan)


@settings(max_examples=40)
@given(st.data())
def test_names_that_would_share_an_id_are_refused(data: st.DataObject) -> None:
    """
    However a zone, its lanes, flows, steps, entries and groups are called: ids are unique, or the scenario is refused.
    """
    zone, lanes, *steps = (data.draw(NAMES) for _ in range(4))
    flows = data.draw(st.lists(NAMES, min_size=2, max_size=2, unique=True))
    entries = data.draw(st.lists(NAMES, min_size=3, max_size=3, unique=True))
    text = f"clock: {{measure: 1 d}}\nzones: {{{zone}: {{{lanes}: {{units: 1, role: lane}}}}}}\nflows:\n"
    for flow, step in zip(flows, steps, strict=True):
        text += f"  {flow}: {{place: {zone}.{lanes}, steps: {{m: {{mark: gate_arrived}}, {step}: {{hold: {{u: {zone}.{lanes}}}, take: 5 min}}}}}}\n"
    text += "traffic:\n"
    for entry in entries:
        group = data.draw(st.none() | NAMES)
        told = f", group: {group}" if group else ""
        text += f"  {entry}: {{flow: {data.draw(st.sampled_from(flows))}, at: [1 h]{told}}}\n"
    try:
        plan = plan_of(HEAD + text)
    except Faults as faults:
        assert all(
            " would have the ids of " in fault.fault and "The other is at " in fault.remedy for fault in faults.faults
        )
    else:
        check_told(plan)


ONE = """
clock: {measure: 1 d}
zones: {Z: {desk: {units: 3}}}
flows: {f: {steps: {s: {hold: {d: Z.desk}, take: 5 min}}}}
traffic: {a: {flow: f, at: [1 h, 2 h]}}
"""


def test_an_id_keeps_its_meaning_when_another_entry_comes() -> None:
    """
    The ids of a single entry and their values stay when a second one uses its flow; those of the flow tell both then.
    """
    alone, both = (
        kpis(plan_of(text))[0].values
        for text in (ONE, ONE.replace("traffic: {", "traffic: {b: {flow: f, at: [3 h]}, "))
    )
    own = {name: value for name, value in alone.items() if name.startswith("a.")}

    assert {"a.stay.mean", "a.s.wait.mean", "a.s.visits.day"} <= set(own)
    assert own == pytest.approx({name: both[name] for name in own}, nan_ok=True)
    assert set(alone) <= set(both)
    assert [each["f.arrived.day"] for each in (alone, both)] == [2, 3]
