"""What the compiled loops of the fold have to bear: many consignments, several sources, and times that are very long."""

from __future__ import annotations

import numpy as np
import pytest

from tests.helper import kpis, plan_of
from zonesim.kpi import Reducer, censoring
from zonesim.kpi.consignment_table import room
from zonesim.plan import Block
from zonesim.plan.columns import MARK, VISIT, structured
from zonesim.plan.records import NUMBER_BITS, token_number
from zonesim.units import DAY, HOUR, MINUTE

TWO = """
clock: {warm_up: 1 d, measure: 300 d, cool_down: 1 d}
flows: {f: {steps: {wait: {take: 1 min}}}}
traffic: {a: {flow: f, rate: 1 /h}, b: {flow: f, rate: 1 /h}}
"""


def test_times_that_take_more_than_31_bits_are_exact(engine):
    """
    Waits and times inside of 30, 60 and 90 days, beside short ones: 2^31 ms are 24.8 days.
    """
    text = """
clock: {measure: 10 d, cool_down: 190 d}
zones: {Z: {desk: {units: 1}}}
flows: {f: {steps: {work: {hold: {d: Z.desk}, take: 30 d}, told: {mark: usable}, rest: {take: 1 h}}}}
traffic: {a: {flow: f, at: [0 h, 1 h, 2 h]}}
"""
    values = kpis(plan_of(text), engine=engine)[0].values

    assert values["f.work.wait.mean"] * MINUTE == (90 * DAY - 3 * HOUR) / 3
    assert values["f.work.wait.p95"] * MINUTE == pytest.approx(60 * DAY - 2 * HOUR - (30 * DAY - HOUR) / 10)
    assert values["f.dwell.median"] * HOUR == 60 * DAY - HOUR
    assert values["f.dwell.p90"] * HOUR == pytest.approx(90 * DAY - 2 * HOUR - (30 * DAY - HOUR) / 5)
    assert values["f.stage.arrived_to_usable.mean"] * HOUR == 60 * DAY - HOUR
    assert values["f.stay.mean"] * HOUR == 60 * DAY
    assert values["f.dwell.missing"] == values["f.work.open.share"] == 0


def test_a_child_that_is_still_inside_takes_back_what_its_consignment_reached(engine):
    """
    One of two trucks has made the mark, the other has not: it is missing. In a second consignment both have.
    """
    text = """
clock: {measure: 5 h}
zones: {Z: {dock: {units: 1}}}
flows:
  f:
    entity: consignment
    steps:
      send: {split: {into: truck, count: 2}}
      unload: {hold: {d: Z.dock}, take: 1 h}
      in: {mark: in_zone}
      out: {take: 90 min}
      together: {join: send}
      rest: {mark: usable}
traffic: {a: {flow: f, at: [0 h, 3.5 h]}}
"""
    values = kpis(plan_of(text), engine=engine)[0].values

    assert values["f.dwell.missing"] == 0.5
    assert values["f.dwell.median"] != values["f.dwell.median"]
    assert values["f.completed.day"] * 5 / 24 == 1
    assert values["f.stay.missing"] == 0.5


@pytest.mark.parametrize("rows", [100, 30_000, 10**6])
def test_many_consignments_of_several_sources_find_their_own_dossier(rows):
    """
    Whatever the size of blocks, each of 40,000 and 33,000 consignments keeps the time of its own end.
    """
    plan = plan_of(TWO)
    reducer = Reducer(plan)
    names = {(mark.entry, mark.name): number for number, mark in enumerate(plan.names.marks)}
    came, marks = {}, []
    for source, (entry, count) in enumerate((("a", 40_000), ("b", 33_000))):
        came[source] = np.arange(count) * (300 * DAY // 40_000)
        numbers = token_number(source, 0) + (np.arange(count) << 6)
        for name, late in (("arrived", 0), ("left", 1 + np.arange(count) % 977)):
            key = names[entry, name] << NUMBER_BITS | numbers
            marks.append(structured(np.column_stack([key, came[source] + late]), MARK))
    told = np.concatenate(marks)
    told = told[np.argsort(told["time"], kind="stable")]
    none = np.zeros(0, dtype=VISIT)
    for first in range(0, len(told), rows):
        reducer.take(Block(none, told[first : first + rows]))
    dossiers = reducer.dossiers
    dossiers.settle(np.zeros((0, 2), dtype=np.int64))
    for source, times in came.items():
        first, after, seen, _ = dossiers.sources[source].tolist()

        assert seen == len(times)
        assert first == np.searchsorted(times, DAY)
        assert after > seen or after == np.searchsorted(times, 301 * DAY)
        assert np.array_equal(dossiers.when_arrived(source, 0, seen), times)
        expected = 2 + np.arange(seen) % 977
        assert np.array_equal(dossiers.spans("left", source, 0, seen), expected)
        assert np.array_equal(dossiers.spans("left", source, 5, 1030), expected[5:1030])
        assert np.array_equal(dossiers.spans("arrived", source, 7, 9), [1, 1])
        assert np.array_equal(dossiers.spans("usable", source, 7, 9), [0, 0])


def test_consignments_that_come_once_a_month_keep_when_they_came():
    """
    What lies more than 31 bits of ms after the first consignment of its chunk is kept all the same.
    """
    plan = plan_of(TWO)
    reducer = Reducer(plan)
    names = {(mark.entry, mark.name): number for number, mark in enumerate(plan.names.marks)}
    came = np.arange(10) * 30 * DAY
    numbers = token_number(1, 0) + (np.arange(10) << 6)
    marks = [
        structured(np.column_stack([names["b", name] << NUMBER_BITS | numbers, came + late]), MARK)
        for name, late in (("arrived", 0), ("left", 5))
    ]
    told = np.concatenate(marks)
    reducer.take(Block(np.zeros(0, dtype=VISIT), told[np.argsort(told["time"], kind="stable")]))

    assert reducer.dossiers.when_arrived(1, 0, 10).tolist() == came.tolist()
    assert reducer.dossiers.when_arrived(1, 3, 9).tolist() == came[3:9].tolist()
    assert reducer.dossiers.spans("left", 1, 0, 10).tolist() == [6] * 10


@pytest.mark.parametrize("zeros", [0, 7, 900])
@pytest.mark.parametrize("longest", [40, 90_000, 2**31 - 2, 2**40])
def test_quantiles_of_many_are_those_of_all_in_order(monkeypatch, zeros, longest):
    """
    Whether all are sorted, or counted by their first bits and then a few sorted, quantiles are the same to the bit.
    """
    dtype = np.int32 if longest < 2**31 else np.int64
    spans = ((np.arange(5_000) * 48_271 % 5_003 / 5_003) ** 3 * longest).astype(dtype)
    followed = np.array([longest, 3, longest // 2])
    shares = [0.0, 0.05, 0.5, 0.9, 0.95, 0.999, 1.0]
    for missing in (followed[:0], followed):
        whole = censoring.quantiles(spans, zeros, missing, shares)
        with monkeypatch.context() as patch:
            patch.setattr(censoring, "_SORTED", 64)
            parts = censoring.quantiles(spans, zeros, missing, shares)

        assert list(map(repr, parts)) == list(map(repr, whole))
        known = np.concatenate([np.zeros(zeros), np.sort(spans)])
        assert missing.size or whole == pytest.approx(np.quantile(known, shares).tolist(), rel=1e-12)


@pytest.mark.parametrize("length", [1, 3_000_000])
def test_an_array_that_grows_keeps_what_it_holds(length):
    """
    Small ones are copied, large ones grow in place; what is new is 0.
    """
    array = np.arange(length, dtype=np.int64)
    assert room(array, length) is array
    grown = room(array, length + 1)

    assert len(grown) > length
    assert np.array_equal(grown[:length], np.arange(length))
    assert not grown[length:].any()
