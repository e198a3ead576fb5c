"""Running an experiment until its differences are known precisely, one number of replications for all arms."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import numpy as np

from zonesim.analysis import Enough, enough, looks_ahead, next_replications, tags_of
from zonesim.briefing.text.words import CHINESE, ENGLISH
from zonesim.experiment import Design, Execution, Precision, Runs, Store
from zonesim.faults import Place, ScenarioFault
from zonesim.kpi import RunResult
from zonesim.plan import Floats

Pair = tuple[str, str]

_MOST_TOLD: Final = 8
"""So many differences that are not known precisely are told one by one."""


@dataclass(frozen=True)
class Reached:
    """What a rule has led to: the replications that were found to be enough, or the most that it allows."""

    rule: Precision
    replications: int
    found: Enough


def refuse_parts(design: Design, how: Execution) -> None:
    """Raise ScenarioFault for a part of an experiment that is run until it is precise."""
    if design.precision is not None and how.shard is not None:
        fault = "how many replications are enough is only known with the results of all parts, so no part can tell"
        remedy = "Run it without --shard, or say how many: --replications 20."
        raise ScenarioFault(fault, Place("--shard"), remedy)


def run_until_precise(
    design: Design, rule: Precision, how: Execution, store: Store, run: Callable[[], Runs[Pair]]
) -> tuple[Runs[Pair], Reached | None]:
    """
    Let `run` run a design with more and more replications until they are enough by the rule; the design then has as
    many. None where it was interrupted, or nothing was finished.
    """
    tags = tags_of(design)
    count = min(rule.at_least + looks_ahead(rule.at_least, 5), rule.at_most)
    while True:
        design.replications = count
        runs = run()
        if runs.interrupted:
            return runs, None
        values = _Values(design, store, count)
        found = enough(design, rule, count, values.column, values.withheld, tags)
        if found.replications is not None or count >= rule.at_most:
            break
        following = next_replications(found, rule, count)
        how.watch.say(f"{count} replications do not do: going on to {following}")
        count = following
    enough_are = count if found.replications is None else min(found.replications, count)
    if enough_are < count:
        design.replications = enough_are
        runs = run()  # runs nothing: it picks what is enough
    return runs, Reached(rule, enough_are, found)


class _Values:
    """What the store has of a design."""

    def __init__(self, design: Design, store: Store, count: int) -> None:
        @cache
        def runs(key: str) -> dict[int, RunResult]:
            return store.read(key, range(count), values_only=True)

        self._design, self._runs, self._count = design, runs, count

    def column(self, arm: str, future: str, kpi: str) -> Floats:
        """Return a KPI by replication, nan where it has no value."""
        found = self._runs(self._design.cells[arm, future].key)
        values = np.full(self._count, np.nan)
        for number, run in found.items():
            values[number] = run.values.get(kpi, np.nan)
        return values

    def withheld(self, arm: str, future: str, kpi: str) -> bool:
        """Return whether a replication withholds a KPI."""
        return any(kpi in run.withheld for run in self._runs(self._design.cells[arm, future].key).values())


def precision_document(reached: Reached) -> dict[str, Any]:
    """Return what the rule asked for and what came of it, for --json."""
    rule = reached.rule
    return {
        "until": rule.until,
        "of": rule.of,
        "at_least": rule.at_least,
        "at_most": rule.at_most,
        "replications": reached.replications,
        "reached": reached.found.replications is not None,
        "differences": [
            {
                "arm": each.arm,
                "future": each.future,
                "kpi": each.kpi,
                "half_width": each.width,
                "needed": each.needed,
                "reason": each.reason,
            }
            for each in reached.found.widths
        ],
    }


def precision_text(reached: Reached) -> str:
    """Return in both languages how many replications were enough, and what is not known precisely."""
    rule, open_ = reached.rule, reached.found.open(reached.rule.until)
    percent = f"{100 * rule.until:.12g}"
    which = "enough" if reached.found.replications is not None else "not_enough" if open_ else "only_just"
    never = [each for each in reached.found.widths if each.reason]
    several = len({each.future for each in reached.found.widths}) > 1
    lines = []
    for say in (ENGLISH, CHINESE):
        of = say(f"precision.of_{rule.of}")
        lines.append(say(f"precision.{which}", n=reached.replications, percent=percent, of=of, most=rule.at_most))
        for each in open_[:_MOST_TOLD]:
            where = f"{each.arm}, {each.future}" if several else each.arm
            width = f"{100 * each.width:.3g}"
            lines.append("  " + say("precision.open", kpi=each.kpi, arm=where, width=width, needed=each.needed))
        if len(open_) > _MOST_TOLD:
            lines.append("  " + say("precision.more", n=len(open_) - _MOST_TOLD))
        reasons: dict[str, dict[str, None]] = {}
        for each in never:
            reasons.setdefault(each.reason, {})[f"{each.kpi} ({each.arm})"] = None
        for reason, told in reasons.items():
            names = ", ".join(list(told)[:_MOST_TOLD]) + (" …" if len(told) > _MOST_TOLD else "")
            lines.append("  " + say(f"precision.never_{reason.replace(' ', '_')}", names=names))
    return "\n".join(lines)
