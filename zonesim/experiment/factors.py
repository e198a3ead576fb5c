"""Factors: the numbers that nobody is sure of, each with the range in which it may lie, for what asks which decide."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from zonesim.experiment.futures import Future, Setting, doubts_of, setting_of
from zonesim.experiment.samples import DIGITS, triangular, value_at
from zonesim.faults import Place
from zonesim.policy import ResolvedTree, can_be_scaled, dotted, flows_in_use, register
from zonesim.scenario import Path_

DOUBT_OF_TIMES: Final = (0.5, 1.0, 2.0)
"""
How many times as long an assumed time may be where nothing else is said: low, mode and high of a law are the spread
between consignments, and doubt about it is a factor on its mean.
"""

_BY: Final = "a doubt"


@dataclass(frozen=True)
class Factor:
    """A number that is doubted: low, mode and high of it, or where `scaled` of a factor on what is written there."""

    path: Path_
    low: Any
    mode: Any
    high: Any
    scaled: bool = False

    @property
    def name(self) -> str:
        """Return the path as people write it."""
        return dotted(self.path)

    def ends(self) -> tuple[Future, Future]:
        """Return the futures in which it is at its low and at its high end, and all else as written."""
        return Future((self._setting(self.low),), "low"), Future((self._setting(self.high),), "high")

    def at(self, probability: float) -> Setting:
        """
        Return it at a quantile of its law, from 0 (low) to 1 (high).

        The law is triangular; that of a factor on times has its triangle on a scale of logarithms, on which half and
        twice as long are as far from 1.
        """
        if not self.scaled:
            return self._setting(value_at((self.low, self.mode, self.high), probability))
        exponent = triangular(probability, math.log(self.low), math.log(self.mode), math.log(self.high))
        return self._setting(float(f"{math.exp(exponent):.{DIGITS}g}"))

    def _setting(self, value: Any) -> Setting:  # noqa: ANN401  as people write it
        return setting_of(self.name, value, factor=self.scaled, by=_BY, place=Place(_BY))


def factors_of(world: ResolvedTree, measures: Sequence[str] = ()) -> list[Factor]:
    """
    Return the numbers of a world that may be others: its doubts, the parameters of `measures` within their bounds, and
    every assumed time that holds no doubt of its own.
    """
    doubts = doubts_of(world, measures)
    found = [Factor(path, *ends) for path, ends in doubts.items()]
    return [*found, *(Factor(path, *DOUBT_OF_TIMES, scaled=True) for path in _assumed_times(world, doubts))]


def future_at(factors: Sequence[Factor], point: Sequence[float], number: int) -> Future:
    """Return the future in which each factor is at its quantile of `point`, as the `number`th of a sample."""
    return Future(tuple(each.at(at) for each, at in zip(factors, point, strict=True)), sample=number)


def _assumed_times(world: ResolvedTree, known: Iterable[Path_]) -> list[Path_]:
    """Return the laws of assumed times in the flows of a world that hold no doubt of their own, each once."""
    doubted = list(known)
    found: dict[Path_, None] = {}
    for entry in register(world, flows_in_use(world)):
        if entry.kind == "assumed" and entry.path[0] in {"library", "flows"} and "take" in entry.path:
            found[entry.path[: entry.path.index("take") + 1]] = None
    return [
        path
        for path in found
        if can_be_scaled(world.tree, path) and not any(each[: len(path)] == path for each in doubted)
    ]
