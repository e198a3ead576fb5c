"""What happens in a run: counts of the operations that tokens execute and of the turns that they take."""

from __future__ import annotations

from collections import Counter
from typing import Any

from tests.helper import RowLog
from zonesim.engine.reference.engine import ReferenceEngine
from zonesim.engine.reference.resources import Resources
from zonesim.faults import RunFault
from zonesim.plan import ArrivalsBy, Ends, Plan
from zonesim.plan.distributions import Distribution
from zonesim.plan.operations import NOWHERE, AtShiftEnd, BranchOn, GatherBy, Op, SetWhat


class _CountingResources(Resources):
    """The resources of the reference engine, counting in `seen` of that engine."""

    def renege(self, request: Any, slot: int, target: int) -> None:
        """Count who gives up."""
        if request.token.waits_for is request:
            self.seen["gives up"] += 1
            self.seen["gives up and goes back"] += target < request.token.row
            used = sum(each.used for each in self.states)
            super().renege(request, slot, target)
            self.seen["gives up and lets others pass"] += sum(each.used for each in self.states) > used

    @property
    def seen(self) -> Counter[str]:
        """Return the counts."""
        return self.walk.seen

    def _interrupt(self, work: Any) -> None:
        breaks = (self.plan.breakdowns["resource"] == work.resource.number).any()
        by = "interrupted by a breakdown" if breaks else "interrupted as units leave"
        self.seen["preempted" if work.resource.preempts else by] += 1
        super()._interrupt(work)

    def _resume(self, work: Any) -> None:
        self.seen["interrupted work goes on"] += 1
        super()._resume(work)

    def _change_at(self, time: int, resource: Any, act: Any) -> None:
        def watched(now: int) -> None:
            before = resource.capacity
            act(now)
            self.seen["breaks down"] += resource.capacity < before
            self.seen["breaks down while in use"] += resource.capacity < min(before, resource.used)
            self.seen["is repaired"] += resource.capacity > before
            self.seen["busy clock"] += resource.clock is not None

        super()._change_at(time, resource, watched)

    def _grant(self, requests: list[Any]) -> None:
        self.seen["several granted at once"] += len(requests) > 1
        self.seen["the way that is not preferred is granted"] += any(request.visit.way > 0 for request in requests)
        super()._grant(requests)

    def _schedule(self, resource: Any, units: int) -> None:
        self.seen["a shift ends with work in hand"] += units < resource.used
        super()._schedule(resource, units)


class _Counting(ReferenceEngine):
    """The reference engine, counting."""

    resources_type = _CountingResources

    def __init__(self, *args: Any) -> None:
        self.seen: Counter[str] = Counter()
        super().__init__(*args)
        self.operations = {op: self._watched(op, act) for op, act in self.operations.items()}

    def _watched(self, op: int, act: Any) -> Any:
        def watching(token: Any, row: Any) -> bool:
            now, before = self.events.now, token.row
            goes_on = bool(act(token, row))
            self.seen[Op(op).name] += 1
            getattr(self, f"_saw_{Op(op).name.lower()}", self._saw)(token, row, before, goes_on, now)
            return goes_on

        return watching

    def _saw(self, *_: Any) -> None:
        """Note nothing more."""

    def _saw_seize(self, _token: Any, row: Any, _before: int, goes_on: bool, _now: int) -> None:
        needs = self.plan.needs_of(row.first_need, row.needs)
        self.seen[f"seize of {len(needs)}"] += 1
        self.seen["seize of several units"] += any(units > 1 for _, units in needs)
        self.seen["seize at once" if goes_on else "seize waits"] += 1
        self.seen["newcomer passes a line"] += goes_on and any(self.resources.states[pool].queue for pool, _ in needs)
        for pool, _ in needs:
            self.seen[f"seize, {AtShiftEnd(int(self.plan.resources['at_shift_end'][pool])).name}"] += 1

    def _saw_either(self, token: Any, row: Any, _before: int, goes_on: bool, _now: int) -> None:
        self.seen["either at once" if goes_on else "either waits"] += 1
        self.seen["either at once, not the preferred"] += goes_on and token.open[row.slot].way > 0

    def _saw_delay(self, _token: Any, row: Any, *_: Any) -> None:
        self.seen[f"law {Distribution(int(self.plan.distributions['kind'][row.duration])).name}"] += 1
        self.seen["hold in open time"] += row.calendar != NOWHERE

    def _saw_branch(self, token: Any, row: Any, before: int, *_: Any) -> None:
        self.seen[f"branch {BranchOn(row.on).name}, {'yes' if token.row != before else 'no'}"] += 1

    def _saw_set(self, _token: Any, row: Any, *_: Any) -> None:
        self.seen[f"set {SetWhat(row.what).name}"] += 1

    def _saw_gather(self, _token: Any, row: Any, *_: Any) -> None:
        self.seen[f"gather by {GatherBy(row.by).name}"] += 1
        ends = {"number": row.number, "within": row.timeout, "until": row.calendar, "led": row.others_to}
        for name, there in ends.items():
            self.seen[f"gather {name}"] += there != NOWHERE

    def _saw_board(self, _token: Any, row: Any, *_: Any) -> None:
        self.seen[f"board by {GatherBy(row.by).name}"] += 1
        self.seen["board led"] += row.others_to != NOWHERE

    def _depart(self, line: Any) -> None:
        waiting = len(line.tokens)
        super()._depart(line)
        self.seen["a departure leaves some behind"] += 0 < len(line.tokens) < waiting

    def _saw_split(self, _token: Any, row: Any, *_: Any) -> None:
        self.seen["split in the background" if row.group == NOWHERE else "split to be joined"] += 1

    def _saw_join(self, _token: Any, _row: Any, _before: int, goes_on: bool, _now: int) -> None:
        self.seen["join at once" if goes_on else "join waits"] += 1

    def _saw_wait_until(self, _token: Any, row: Any, _before: int, goes_on: bool, _now: int) -> None:
        self.seen[f"wait for the {'closing' if row.which else 'opening'}, {'at once' if goes_on else 'later'}"] += 1

    def _saw_jump(self, _token: Any, row: Any, *_: Any) -> None:
        self.seen["jump back"] += row.again

    def _due(self, batch: Any) -> None:
        self.seen["a batch ends by time"] += not batch.complete
        super()._due(batch)

    def _born(self, *args: Any) -> None:
        self.seen["a spawned token comes"] += 1
        super()._born(*args)

    def _come(self, *args: Any) -> None:
        source = args[0]
        self.seen[f"comes by {ArrivalsBy(int(self.plan.sources['arrivals'][source])).name}"] += 1
        self.seen["comes by a factor"] += bool(self.plan.factors_of(source))
        self.seen["comes up to a number"] += self.plan.most_arrivals(source) is not None
        own = self.plan.limits_of(source)
        self.seen["arrivals end"] += bool((own["ends"] == Ends.OWN).any())
        self.seen["a run ends empty"] += bool((own["ends"] == Ends.WINDOW).any())
        self.seen["adopts"] += bool(len(self.plan.adoptions) and args[3])
        super()._come(*args)


def seen_in(plan: Plan, seed: int = 1) -> Counter[str]:
    """Return what happens in one run."""
    run = _Counting(plan, seed, 0, RowLog())
    try:
        run.run()
    except RunFault as fault:
        run.seen[str(fault).partition(":")[0].partition(" ")[0]] += 1
    falls = [fall for resource in run.resources.states for fall in resource.falls]
    run.seen["work that fits goes on while some units leave"] = sum(fall.beyond > 0 for fall in falls)
    return +run.seen
