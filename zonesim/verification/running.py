"""Running cases: what came out of each beside what was expected."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final

from zonesim.compiled.streams import run_key
from zonesim.engine import simulate
from zonesim.experiment import Execution, Failure, Progress, run_arms
from zonesim.faults import ZonesimError
from zonesim.kpi import Reducer, measure
from zonesim.plan import Block, RowLog
from zonesim.verification.reading import Check, Prepared, kpis_of
from zonesim.verification.timelines import Instants, Told, compared
from zonesim.verification.verdicts import Judgement, Verdict, exact, published, traced

SEED: Final = 1
"""The seed of every run that is not told another one, so that a verdict is the same each time."""


@dataclass(frozen=True)
class Finding:
    """
    One value of a case: what it is, in which unit, what was expected and what is said of it.

    `error`: standard error of a published value. `told`: what differs or failed, in words.
    """

    case: Prepared
    what: str
    unit: str
    expected: float
    error: float
    judgement: Judgement
    told: str = ""

    @property
    def passed(self) -> bool:
        """Return whether it is as expected."""
        return self.judgement.verdict is Verdict.PASSED


@dataclass
class Both:
    """A sink that gives each block to a log and to the KPIs."""

    log: RowLog
    reducer: Reducer

    def take(self, block: Block) -> None:
        """Give on a block."""
        self.log.take(block)
        self.reducer.take(block)


def trace(case: Prepared, engine: str, seed: int = SEED) -> list[Finding]:
    """Return what is found in the runs of a trace, each of which has to agree."""
    values: list[dict[str, float]] = []
    instants: list[list[Instants]] = []
    for replication in range(case.replications):
        sink = Both(RowLog(), Reducer(case.plan))
        try:
            totals = simulate(case.plan, seed, replication, sink, engine)
            values.append(measure(case.plan, sink.reducer, totals, {}, run_key(seed, replication)).values)
        except ZonesimError as fault:
            return [_failed(case, check, str(fault)) for check in case.checks] or [_failed(case, None, str(fault))]
        instants.append(list(compared(case.case, Told(case.plan, sink.log))))
    found = [_traced(case, list(each)) for each in zip(*instants, strict=True)]
    for check in case.checks:
        judged = traced([check.of(each) for each in values], check.expected)
        found.append(Finding(case, check.kpi, check.unit, check.expected, 0.0, judged))
    return found


def _traced(case: Prepared, instants: Sequence[Instants]) -> Finding:
    wrong = next((each for each in instants if each.differs), None)
    least = min(instants, key=lambda each: each.agree)
    verdict = Verdict.PASSED if wrong is None and least.agree else Verdict.DIFFERS
    judged = Judgement(verdict, float(least.agree), 0.0, len(instants))
    told = wrong.differs if wrong is not None else "" if least.agree else "no instant is compared"
    return Finding(case, least.what, "instants", float(least.due), 0.0, judged, told)


def verify(
    cases: Sequence[Prepared], *, how: Execution, seed: int = SEED, progress: Progress | None = None
) -> Iterator[Finding]:
    """
    Yield the findings of cases, traces first; what takes long is run in several processes.

    `progress` is called with the replications that are done and those that were to do.
    """
    for case in cases:
        if case.case.rule == "trace":
            yield from trace(case, how.engine, seed)
    rest = sorted((case for case in cases if case.case.rule != "trace"), key=lambda case: case.replications)
    total, before = sum(case.replications for case in rest), 0
    for replications, group in groupby(rest, key=lambda case: case.replications):
        members = {case.key: case for case in group}
        done = before

        def tell(count: int, _: int, done: int = done) -> None:
            if progress is not None:
                progress(done + count, total)

        runs = run_arms(
            {key: case.plan for key, case in members.items()},
            seed=seed,
            replications=replications,
            how=how,
            only=frozenset().union(*(kpis_of(case.checks) for case in members.values())),
            progress=tell,
        )
        if runs.interrupted:
            raise KeyboardInterrupt
        before += replications * len(members)
        for key, case in members.items():
            results = [result.values for _, result in sorted(runs.results[key].items())]
            yield from _judged(case, results, runs.failures[key])


def _judged(case: Prepared, results: Sequence[dict[str, float]], failures: Sequence[Failure]) -> Iterator[Finding]:
    for check in case.checks:
        if failures:
            yield _failed(case, check, failures[0].message)
            continue
        values = [check.of(each) for each in results]
        if case.case.rule == "exact":
            judged = exact(values, check.expected, case.widest)
        else:
            judged = published(values, check.expected, check.error, case.widest)
        yield Finding(case, check.kpi, check.unit, check.expected, check.error, judged)


def _failed(case: Prepared, check: Check | None, told: str) -> Finding:
    judged = Judgement(Verdict.FAILED, float("nan"), float("nan"), 0)
    if check is None:
        return Finding(case, "run", "1", float("nan"), 0.0, judged, told)
    return Finding(case, check.kpi, check.unit, check.expected, check.error, judged, told)
