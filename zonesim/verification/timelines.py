"""Comparing the records of a run with a timeline that was worked out by hand, instant by instant."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from zonesim.plan import NEVER, Plan, RowLog, Rows, number_of, place_of
from zonesim.units import MINUTE
from zonesim.verification import documents
from zonesim.verification.documents import Case
from zonesim.verification.verdicts import near

WORDS: Final = ("queued", "started", "ended")

Times = tuple[float, ...]
"""Instants in minutes; NEVER stays -1."""


@dataclass
class Told:
    """What a short run wrote, by step and mark, in the order in which it was written."""

    plan: Plan
    rows: RowLog

    def visits(self, step: str) -> dict[str, list[Times]]:
        """Return when each token queued, started and ended at a step, one for each time it came."""
        wanted = [".".join(each.path) == step for each in self.plan.names.steps]
        return self._times(self.rows.visits, wanted)

    def marks(self, mark: str) -> dict[str, list[Times]]:
        """Return when each token made a mark."""
        wanted = [each.name == mark for each in self.plan.names.marks]
        return self._times(self.rows.marks, wanted)

    def _times(self, rows: Rows, wanted: list[bool]) -> dict[str, list[Times]]:
        found: dict[str, list[Times]] = {}
        for key, *times in rows[np.array(wanted, dtype=bool)[place_of(rows["key"])]].tolist():
            name = self.plan.names.token(number_of(key))
            found.setdefault(name, []).append(tuple(time if time == NEVER else time / MINUTE for time in times))
        return found


@dataclass(frozen=True)
class Instants:
    """The instants of a step or mark that are due, how many agree, and the first that does not, in words."""

    what: str
    due: int
    agree: int
    differs: str = ""


def compared(case: Case, log: Told) -> Iterator[Instants]:
    """Yield what becomes of each step and mark of a trace."""
    for step, tokens in case.visits.items():
        wanted = {token: many if isinstance(many[0], list) else [many] for token, many in tokens.items()}
        yield _compared(step, wanted, log.visits(step), complete=case.complete)
    for mark, instants in case.marks.items():
        last = {token: times[-1:] for token, times in log.marks(mark).items()}
        yield _compared(mark, {token: [[time]] for token, time in instants.items()}, last, complete=case.complete)


def _compared(
    what: str, wanted: Mapping[str, list[list[Any]]], found: Mapping[str, list[Times]], *, complete: bool
) -> Instants:
    agree, all_due = 0, sum(each is not None for visits in wanted.values() for times in visits for each in times)
    for token, visits in wanted.items():
        came = found.get(token, [])
        if len(came) != len(visits):
            return Instants(what, all_due, agree, f"{token} came {len(came)} times, not {len(visits)}")
        for turn, (expected, times) in enumerate(zip(visits, came, strict=False)):
            for word, due, instant in zip(WORDS, expected, times, strict=False):
                if not _agrees(due, instant):
                    again = f" ({turn + 1})" if turn else ""
                    name = word if len(times) > 1 else "made"
                    return Instants(
                        what,
                        all_due,
                        agree,
                        f"{token}{again} {name} {_instant_text(instant)}, not {_instant_text(due)}",
                    )
                agree += due is not None
    if complete and (more := sorted(set(found) - set(wanted))):
        return Instants(what, all_due, agree, f"{more[0]} came too")
    return Instants(what, all_due, agree)


def _agrees(due: Any, instant: float) -> bool:  # noqa: ANN401
    if due is None:
        return True
    return instant == NEVER if due == documents.NEVER else instant != NEVER and near(instant, due)


def _instant_text(instant: Any) -> str:  # noqa: ANN401
    return documents.NEVER if instant in {NEVER, documents.NEVER} else f"at {instant:.10g} min"
