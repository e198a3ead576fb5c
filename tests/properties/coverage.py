"""What happens in a run: counts of the operations that tokens execute and of the turns that they take."""

from __future__ import annotations

from collections import Counter
from typing import Any

from tests.helper import ListSink
from zonesim.engine.reference import engine as simpy_engine
from zonesim.faults import RunFault
from zonesim.plan import Plan
from zonesim.plan.distributions import Law
from zonesim.plan.operations import NOWHERE, AtShiftEnd, BranchOn, GatherBy, Op, SetWhat


class _Counting(simpy_engine._Run):
    """The reference engine, counting."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.seen: Counter[str] = Counter()
        self.operations = {op: self._watched(op, act) for op, act in self.operations.items()}

    def _watched(self, op: int, act: Any) -> Any:
        def watching(token: Any, row: list[int]) -> bool:
            now, before = self.env.now, token.row
            goes_on = bool(act(token, row))
            self.seen[Op(op).name] += 1
            getattr(self, f"_saw_{Op(op).name.lower()}", self._saw)(token, row, before, goes_on, now)
            return goes_on

        return watching

    def _saw(self, *_: Any) -> None:
        """Note nothing more."""

    def _saw_seize(self, _token: Any, row: list[int], _before: int, goes_on: bool, _now: int) -> None:
        _, _, first, rows, *_ = row
        needs = self.plan.needs[first : first + rows].tolist()
        self.seen[f"seize of {len(needs)}"] += 1
        self.seen["seize of several units"] += any(units > 1 for _, units in needs)
        self.seen["seize at once" if goes_on else "seize waits"] += 1
        self.seen["newcomer passes a line"] += goes_on and any(self.pools[pool].line for pool, _ in needs)
        for pool, _ in needs:
            self.seen[f"seize, {AtShiftEnd(int(self.plan.resources[pool, 2])).name}"] += 1

    def _saw_hold(self, _token: Any, row: list[int], *_: Any) -> None:
        _, _, law, _, calendar, *_ = row
        self.seen[f"law {Law(int(self.plan.laws[law, 0])).name}"] += 1
        self.seen["hold in open time"] += calendar != NOWHERE

    def _saw_branch(self, token: Any, row: list[int], before: int, *_: Any) -> None:
        self.seen[f"branch {BranchOn(row[2]).name}, {'yes' if token.row != before else 'no'}"] += 1

    def _saw_set(self, _token: Any, row: list[int], *_: Any) -> None:
        self.seen[f"set {SetWhat(row[2]).name}"] += 1

    def _saw_gather(self, _token: Any, row: list[int], *_: Any) -> None:
        _, _, _, most, timeout, calendar, others_to, by, *_ = row
        self.seen[f"gather by {GatherBy(by).name}"] += 1
        for name, there in (("number", most), ("within", timeout), ("until", calendar), ("led", others_to)):
            self.seen[f"gather {name}"] += there != NOWHERE

    def _saw_split(self, _token: Any, row: list[int], *_: Any) -> None:
        self.seen["split in the background" if row[8] == NOWHERE else "split to be joined"] += 1

    def _saw_join(self, _token: Any, _row: list[int], _before: int, goes_on: bool, _now: int) -> None:
        self.seen["join at once" if goes_on else "join waits"] += 1

    def _saw_wait_until(self, _token: Any, row: list[int], _before: int, goes_on: bool, _now: int) -> None:
        self.seen[f"wait for the {'closing' if row[3] else 'opening'}, {'at once' if goes_on else 'later'}"] += 1

    def _saw_jump(self, _token: Any, row: list[int], *_: Any) -> None:
        self.seen["jump back"] += row[3]

    def _renege(self, event: Any) -> None:
        request, _, target = event.value
        if request.token.waits_for is request:
            self.seen["gives up"] += 1
            self.seen["gives up and goes back"] += target < request.token.row
            used = sum(pool.used for pool in self.pools)
            super()._renege(event)
            self.seen["gives up and lets others pass"] += sum(pool.used for pool in self.pools) > used

    def _due(self, event: Any) -> None:
        self.seen["a batch ends by time"] += not event.value.complete
        super()._due(event)

    def _born(self, event: Any) -> None:
        self.seen["a spawned token comes"] += 1
        super()._born(event)

    def _come(self, *args: Any) -> None:
        self.seen["adopts"] += bool(len(self.plan.adoptions) and args[3])
        super()._come(*args)

    def _interrupt(self, work: Any) -> None:
        self.seen["preempted" if work.pool.preempts else "interrupted by a breakdown"] += 1
        super()._interrupt(work)

    def _resume(self, work: Any, needs: Any) -> None:
        self.seen["interrupted work goes on"] += 1
        super()._resume(work, needs)

    def _break(self, event: Any) -> None:
        pool, _ = event.value
        before = pool.capacity
        super()._break(event)
        self.seen["breaks down"] += pool.capacity < before
        self.seen["breaks down while in use"] += pool.capacity < min(before, pool.used)
        self.seen["is repaired"] += pool.capacity > before
        self.seen["busy clock"] += pool.clock is not None

    def _grant(self, requests: list[Any]) -> None:
        self.seen["several granted at once"] += len(requests) > 1
        super()._grant(requests)

    def _change(self, event: Any) -> None:
        number, units = event.value
        self.seen["a shift ends with work in hand"] += units < self.pools[number].used
        super()._change(event)


def seen_in(plan: Plan, seed: int = 1) -> Counter[str]:
    """Return what happens in one run."""
    run = _Counting(plan, seed, 0, ListSink())
    try:
        run.run()
    except RunFault as fault:
        run.seen[str(fault).partition(":")[0].partition(" ")[0]] += 1
    return +run.seen
