"""Running a plan only as far as one token goes, with all rows kept: what its story is told from."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from zonesim.engine import simulate
from zonesim.faults import Place, ScenarioFault, UnknownName, suggest
from zonesim.plan import (
    LARGEST_ORDINAL,
    NEVER,
    Block,
    Ints,
    Plan,
    RowLog,
    Rows,
    child_of,
    number_of,
    ordinal_of,
    place_of,
    source_of,
    token_number,
)

SLOWEST: Final = "slowest"
WHICH: Final = Place("--token")


@dataclass
class _Until(RowLog):
    """A sink that keeps every row, and stops the run when the token `until` has left."""

    plan: Plan | None = None
    until: int = NEVER

    def take(self, block: Block) -> None:
        """Keep a block; raises _Enough."""
        super().take(block)
        if self.plan is not None and len(_leaves(self.plan, block.visits, self.until)):
            raise _Enough


class _Enough(Exception):
    """The token has left."""


@dataclass(frozen=True)
class Trail:
    """
    A token's number, and all rows of a run up to the moment it left: who is still inside has `ended` NEVER. `end` is
    that moment in ms, and `left` whether it left at all before the run ended.
    """

    number: int
    visits: Rows
    marks: Rows
    end: int
    left: bool


def follow(plan: Plan, token: str, seed: int, replication: int) -> Trail:
    """
    Return the trail of a token: `entry#ordinal` (the first is 0), `slowest` of the consignments that arrive in the
    measured window, or `slowest:FLOW` (or entry).

    Raises ScenarioFault when there is no such token, RunFault when the run cannot go on.
    """
    if token.partition(":")[0] == SLOWEST:
        number = _slowest(plan, token.partition(":")[2], seed, replication)
    else:
        number = number_named(plan, token)
    log = _log(plan, seed, replication, number)
    visits = log.visits
    rows = _leaves(plan, visits, number)
    if not len(rows) and not np.any(number_of(visits["key"]) == number):
        source = source_of(number)
        name = plan.names.sources[source]
        known = len(np.unique(_consignments(visits, source)))
        fault = f"traffic '{name}' has no token {ordinal_of(number)} in this run"
        remedy = f"Its {known} tokens are {name}#0 to {name}#{known - 1}." if known else "Nobody arrives in this run."
        raise ScenarioFault(fault, WHICH, remedy)
    left = bool(len(rows)) and int(rows["ended"][0]) != NEVER
    end = int(rows["ended"][0]) if left else plan.horizon
    if left:
        # Once more, but only to this moment: then whoever is inside is in the rows too.
        cut = replace(plan, window=np.minimum(plan.window, end + 1))
        log = _log(cut, seed, replication, NEVER)
        visits = log.visits
    return Trail(number, visits, log.marks, end, left)


def _log(plan: Plan, seed: int, replication: int, until: int) -> RowLog:
    log = RowLog() if until == NEVER else _Until(plan=plan, until=until)
    with contextlib.suppress(_Enough):
        simulate(plan, seed, replication, log)
    return log


def number_named(plan: Plan, token: str) -> int:
    """
    Return the number of the token written as `import_sea#12`, or `12` where all traffic is of one entry; raises
    ScenarioFault.
    """
    if token.isdecimal() and len(plan.names.sources) == 1:
        token = f"{plan.names.sources[0]}#{token}"
    name, mark, ordinal = token.rpartition("#")
    if not mark or not ordinal.isdecimal() or int(ordinal) > LARGEST_ORDINAL:
        remedy = "Write import_sea#12 (traffic entry and number, the first is 0), slowest, or slowest:F5."
        raise ScenarioFault(f"'{token}' names no token", WHICH, remedy)
    if name not in plan.names.sources:
        raise UnknownName(f"no traffic '{name}'", WHICH, suggest(name, plan.names.sources, "traffic"))
    return token_number(plan.names.sources.index(name), int(ordinal))


def _slowest(plan: Plan, of: str, seed: int, replication: int) -> int:
    """Return the consignment, of a flow or an entry or of all, that took longest to leave of those measured."""
    names = plan.names
    wanted = [
        number
        for number, (name, flow) in enumerate(zip(names.sources, names.source_flows, strict=True))
        if not of or of in {name, flow}
    ]
    if not wanted:
        raise UnknownName(
            f"no flow or traffic '{of}'", WHICH, suggest(of, sorted({*names.sources, *names.source_flows}))
        )
    visits = _log(plan, seed, replication, NEVER).visits
    begin, end = plan.begin, plan.end
    is_leave = np.array([step.is_leave for step in names.steps], dtype=bool)
    number = number_of(visits["key"])
    rows = is_leave[place_of(visits["key"])] & (child_of(number) == 0) & np.isin(source_of(number), wanted)
    rows &= (visits["queued"] >= begin) & (visits["queued"] < end)
    if not rows.any():
        raise ScenarioFault("no token arrives in the measured window", WHICH, "Measure longer, or name a token.")
    measured = visits[rows]
    stays = np.where(measured["ended"] == NEVER, plan.horizon, measured["ended"]) - measured["queued"]
    # Of equals the one with the lowest number.
    longest = number[rows][stays == stays.max()]
    return int(longest.min())


def _leaves(plan: Plan, visits: Rows, number: int) -> Rows:
    """Return the row with which a token leaves, or none."""
    own: Rows = visits[number_of(visits["key"]) == number]
    leaves: Rows = own[[plan.names.steps[step].is_leave for step in place_of(own["key"])]]
    return leaves


def _consignments(visits: Rows, source: int) -> Ints:
    number = number_of(visits["key"])
    found: Ints = number[(source_of(number) == source) & (child_of(number) == 0)]
    return found
