"""What `trace` claims of waits, against a reconstruction of its own from all rows of the run."""

from __future__ import annotations

from contextlib import suppress
from itertools import count, pairwise

import pytest

from tests.helper import RowLog
from tests.properties.plans import model_of
from zonesim.engine import simulate
from zonesim.faults import RunFault
from zonesim.plan import NUMBER_BITS, Plan
from zonesim.plan.operations import AtShiftEnd
from zonesim.plan.plan import UNLIMITED
from zonesim.tracing.story import Moment, Shortage, tell
from zonesim.tracing.trail import Trail

Row = tuple[int, int, int, int, int]
"""Token, step, and when it queued, started and ended (-1: never)."""


class Rows:
    """The visits of a run, with what was in hand and open at a time."""

    def __init__(self, plan: Plan, sink: RowLog) -> None:
        self.plan = plan
        self.rows: list[Row] = [
            (key & (1 << NUMBER_BITS) - 1, key >> NUMBER_BITS, *times) for key, *times in sink.visits.tolist()
        ]
        self.booked = [(plan.names.marks[key >> NUMBER_BITS], time) for key, time in sink.marks.tolist()]

    def units(self, step: int, resource: int) -> int:
        """Return how many units of a resource a step asks for."""
        asked = self.plan.names.steps[step]
        return sum(units for own, units in zip(asked.resources, asked.units, strict=True) if own == resource)

    def wants(self, step: int, resource: int) -> bool:
        """Return whether a step takes units of a resource, or draws on it."""
        return bool(self.units(step, resource)) or (
            resource in self.plan.stocks and resource in self.plan.names.steps[step].asked
        )

    def open(self, resource: int, time: int) -> int:
        """Return how many units are there by the calendar; of a stock by what was booked."""
        changes = self.plan.changes_of(resource)
        brought = 0
        if resource in self.plan.stocks:
            account = [str(each) for each in self.plan.names.accounts].index(str(self.plan.names.resources[resource]))
            brought = sum(mark.amount for mark, when in self.booked if mark.account == account and when <= time)
        return int(changes["units"][changes["time"] <= time][-1]) + brought

    def in_hand(self, resource: int, time: int) -> int:
        """Return how many units are in use just after a time; the wait of an interruption has none."""
        used = 0
        for _, step, queued, started, ended in self.rows:
            if self.plan.names.steps[step].is_interruption:
                used -= self.units(step, resource) * (queued <= time and (time < started or started == -1))
            elif started != -1:
                used += self.units(step, resource) * (started <= time and (time < ended or ended == -1))
        return used


def finished(seed: int) -> tuple[Plan, RowLog]:
    """Return the first model from a number on that runs to its end, as nobody waits for ever, and its rows."""
    for number in count(seed):
        plan, sink = model_of(number).plan, RowLog()
        with suppress(RunFault):
            simulate(plan, 1, 0, sink)
            return plan, sink
    raise AssertionError


@pytest.mark.parametrize("seed", range(0, 100, 10))
def test_reasons_and_who_was_ahead_are_true(seed: int) -> None:
    """
    Each wait in random models has reasons for all of its time, short and closed where the rows say so and at no other
    time; who is named as ahead had units or got them first, and nobody who came later and was served in the same instant.
    """
    plan, sink = finished(seed)
    rows = Rows(plan, sink)
    for number in sorted({row[0] for row in rows.rows if not row[0] & 63})[::7]:
        whole = Trail(number, sink.visits, sink.marks, plan.horizon, left=False)
        for moment in tell(plan, whole):
            if moment.kind == "step" and moment.waited and plan.names.steps[moment.step].asked:
                check_reasons(rows, moment)
                for shortage in moment.shortages:
                    check_ahead(rows, number, moment, shortage)


def check_reasons(rows: Rows, moment: Moment) -> None:
    """Assert that the times for which reasons are given are those in which the rows show them."""
    plan = rows.plan
    asked = plan.names.steps[moment.step].asked
    begin, end = moment.time, moment.time + moment.waited
    times = {begin, end, *plan.changes["time"].tolist(), *(time for row in rows.rows for time in row[2:])}
    times |= {time for _, time in rows.booked}
    lost = dict.fromkeys(asked, (0, 0))
    unexplained = 0
    for early, late in pairwise(sorted(time for time in times if begin <= time <= end)):
        fine = True
        for resource, units in asked.items():
            opened, short = rows.open(resource, early), lost[resource]
            if opened - rows.in_hand(resource, early) < units:
                fine = False
                step = (late - early, 0) if opened or resource in plan.stocks else (0, late - early)
                lost[resource] = (short[0] + step[0], short[1] + step[1])
        unexplained += (late - early) * fine
    told = {each.resource: each for each in moment.shortages}
    for resource, (short, closed) in lost.items():
        if resource in told:
            assert (told[resource].short, told[resource].closed) == (short, closed)
        else:
            assert not short + closed
    others = [each.behind + each.unfit + each.broken for each in moment.shortages]
    fits = {resource for resource in asked if plan.resources["at_shift_end"][resource] == AtShiftEnd.FITS}
    broken = set(plan.breakdowns["resource"].tolist())

    assert sum(others) == unexplained
    assert all(each.resource in fits for each in moment.shortages if each.unfit)
    assert all(each.resource in broken for each in moment.shortages if each.broken)


def check_ahead(rows: Rows, number: int, moment: Moment, shortage: Shortage) -> None:
    """Assert that each of those told as ahead has a visit that shows it."""
    queued, until = moment.time, moment.time + moment.waited
    for ahead in shortage.ahead:
        uses = [
            use
            for token, step, *use in rows.rows
            if rows.plan.names.token(token) == ahead.token and rows.wants(step, shortage.resource)
        ]
        held = any(began != -1 and began <= queued and (queued < ended or ended == -1) for _, began, ended in uses)
        before = any(came <= queued < began and (began < until or came < queued) for came, began, _ in uses)
        overtook = any(queued < came <= began < until for came, began, _ in uses)

        assert ahead.token != rows.plan.names.token(number + moment.token)
        assert {"served": held, "before": before, "overtook": overtook}[ahead.how]
        assert rows.open(shortage.resource, queued) < UNLIMITED
