"""A bench: what its sections share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from bench.programs import DROPPED, FOLDED, MEASURED, PEERS, Program, zonesim


@dataclass
class Bench:
    """
    How large a bench is, what it compares, and what its sections found.

    `engines`: of zonesim, the one that users get last. `only`: names of programs, if some were chosen. `facts` are the
    numbers that targets are about. `disagreements`: what answers differ.
    """

    quick: bool
    engines: Sequence[str]
    only: Sequence[str] = ()
    facts: dict[str, float] = field(default_factory=dict)
    disagreements: list[str] = field(default_factory=list)

    @property
    def engine(self) -> str:
        """Return the engine that the targets are about."""
        return self.engines[-1]

    @property
    def repeats(self) -> int:
        """Return how often a measurement is made."""
        return 2 if self.quick else 5

    @property
    def seconds(self) -> float:
        """Return about how long one measured run may take."""
        return 0.5 if self.quick else 4.0

    @property
    def records(self) -> Sequence[str]:
        """Return what may become of zonesim's records, where all of it is measured."""
        return (FOLDED,) if self.quick else (DROPPED, FOLDED, MEASURED)

    @property
    def horizon(self) -> float:
        """Return the minutes of a run of a program that is fast enough."""
        return 20_000 if self.quick else 100_000

    def chosen(self, *programs: Program) -> list[Program]:
        """Return those of some programs that were asked for and are on this machine."""
        return [each for each in programs if each.is_here and (not self.only or each.family in self.only)]

    @property
    def peers(self) -> list[Program]:
        """Return the other programs."""
        return self.chosen(*PEERS)

    def ours(self, records: str = FOLDED) -> list[Program]:
        """Return zonesim on each engine."""
        return self.chosen(*(zonesim(engine, records) for engine in self.engines))

    @property
    def best(self) -> Program:
        """Return zonesim as the targets mean it: on its best engine, with records folded."""
        return zonesim(self.engine, FOLDED)

    @property
    def absent(self) -> list[str]:
        """Return what cannot be compared on this machine."""
        return [each.label for each in PEERS if not each.is_here]
