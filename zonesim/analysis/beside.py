"""What was run beside a comparison, as its effects tell it: unlimited units, and the ends of doubts."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Protocol

from zonesim.analysis.effects import Column, Comparison, Effect
from zonesim.analysis.paired import Reason
from zonesim.analysis.parts import Move, has_parts, shifted
from zonesim.experiment import UNLIMITED_UNITS, BesideInfo
from zonesim.kpi import Definition
from zonesim.plan import Floats


class Ran(Protocol):
    """What was run, on disk or in memory; `future` is that of a future, or of something beside it."""

    @property
    def baseline(self) -> str:
        """Return the arm that differences are taken to."""

    @property
    def beside(self) -> Mapping[str, BesideInfo]:
        """Return what was run beside the first future, by name."""

    def common(self, future: str) -> Sequence[int]:
        """Return the replications that every arm has finished."""

    def column(self, arm: str, future: str, kpi: str) -> Floats:
        """Return a KPI by replication (those in `common`), nan where it has no value or is withheld."""

    def missing(self, arm: str, future: str, kpi: str) -> Sequence[float]:
        """Return the shares of cases that are missing in the replications that withhold a KPI."""

    def grows(self, arm: str, future: str, kpi: str) -> bool:
        """Return whether a KPI depends on the run length."""


def free_column(ran: Ran, arm: str, future: str, definition: Definition, kpi: str) -> Column | None:
    """Return a KPI with unlimited units in the replications of a future; None where it was not run or has no parts."""
    if UNLIMITED_UNITS not in ran.beside or not has_parts(definition):
        return None
    column = ran.column(arm, UNLIMITED_UNITS, kpi).tolist()
    values = dict(zip(ran.common(UNLIMITED_UNITS), column, strict=True))
    missing = ran.missing(arm, UNLIMITED_UNITS, kpi)
    return Column([values.get(number, math.nan) for number in ran.common(future)], missing)


def with_moves(comparison: Comparison, ran: Ran, future: str) -> Comparison:
    """Return a comparison in a future whose effects tell what the doubts do to them that were run beside it."""
    doubts = _Doubts(ran, future)
    if not doubts.ends:
        return comparison
    return replace(comparison, effects=tuple(replace(each, moves=doubts.moves(each)) for each in comparison.effects))


class _Doubts:
    """The doubts that were run, each with the names of its two `ends`, and the replications shared with a future."""

    def __init__(self, ran: Ran, future: str) -> None:
        self.ran, self.future = ran, future
        found: dict[str, dict[str, str]] = {}
        for name, each in ran.beside.items():
            if each.doubt and ran.common(name):
                found.setdefault(each.doubt, {})[each.end] = name
        self.ends = {doubt: (own["low"], own["high"]) for doubt, own in found.items() if {"low", "high"} <= own.keys()}
        numbers = {number: row for row, number in enumerate(ran.common(future))}
        self._rows: dict[str, tuple[list[int], list[int]]] = {}
        for end in (end for own in self.ends.values() for end in own):
            both = [(numbers[number], row) for row, number in enumerate(ran.common(end)) if number in numbers]
            self._rows[end] = [row for row, _ in both], [row for _, row in both]

    def moves(self, effect: Effect) -> tuple[Move, ...]:
        """Return what doubts do to an effect; nothing where its difference is not known."""
        if math.isnan(effect.difference.value):
            return ()
        written = self._difference(effect, self.future)
        moves = []
        for doubt, ends in self.ends.items():
            (low, first, why), (high, last, why_high) = (self._at(effect, written, end) for end in ends)
            label = self.ran.beside[ends[0]].label
            moves.append(Move(doubt, label, low, high, max(first, last), (why, why_high)))
        return tuple(moves)

    def _difference(self, effect: Effect, future: str) -> Floats:
        """Return the difference of an effect by replication."""
        base = self.ran.column(self.ran.baseline, future, effect.kpi)
        return self.ran.column(effect.arm, future, effect.kpi) - base

    def _at(self, effect: Effect, written: Floats, end: str) -> tuple[float, int, Reason]:
        """Return an effect at an end of a doubt, the replications behind that, and why it is not known (nan)."""
        arms = (self.ran.baseline, effect.arm)
        if any(self.ran.grows(arm, end, effect.kpi) for arm in arms):
            return math.nan, 0, "grows"
        if any(self.ran.missing(arm, end, effect.kpi) for arm in arms):
            return math.nan, 0, "missing"
        own, there = self._rows[end]
        return *shifted(effect.difference.value, written[own], self._difference(effect, end)[there]), ""
