"""What zonesim must reach, and whether a bench has found it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from bench.report import Table, number

TITLE: Final = "Targets"


@dataclass(frozen=True)
class Target:
    """
    A bound on a fact that a section finds (see `Bench.facts`).

    `bound` is a least value where `least` says so, else a largest one.
    """

    measure: str
    fact: str
    bound: float
    unit: str
    least: bool = False

    @property
    def told(self) -> str:
        """Return the bound in words."""
        return f"{'≥' if self.least else '≤'} {number(self.bound)}{self.unit}"

    def holds(self, value: float) -> bool:
        """Return whether a value is within the bound."""
        return value >= self.bound if self.least else value <= self.bound


TARGETS: Final = (
    Target("speed, records folded, against SimPy with processes", "simpy", 50, " ×", least=True),
    Target("speed, records folded, against C by hand without records", "c", 0.75, " ×", least=True),
    Target("speed, records folded, against Ciw", "ciw", 20, " ×", least=True),
    Target("speed, records folded, against salabim", "salabim", 20, " ×", least=True),
    Target("a replication of 2,000 min: what it costs beyond its simulation", "replication", 10, " %"),
    Target("time per consignment, 1 M against 10 k", "growth", 1.2, " ×"),
    Target("peak memory, 10 M consignments, records folded", "memory", 400, " MB"),
    Target(
        "a real zone, one core, against 2 s for 17 M events (scaled by C here, 313 ns a consignment there)",
        "zone",
        1,
        " ×",
    ),
    Target("`zonesim --help`", "help", 0.4, " s"),
    Target("`compare` of the typical zone, 30 replications of 2 arms, processor time", "compare", 8, " s"),
    Target("the same without figures", "tables", 5, " s"),
    Target("`make run`: the typical zone and a real one, 10 replications of 2 arms each", "run", 30, " s"),
    Target("every zone, from the file to the plan", "province.compile", 5, " s"),
    Target("every zone, a replication of five weeks", "province.run", 20, " s"),
    Target("every zone, peak memory", "province.memory", 1000, " MB"),
)


def table(facts: Mapping[str, float], engine: str) -> Table:
    """Return every target with what was measured."""
    rows = []
    for target in TARGETS:
        value = facts.get(target.fact)
        if value is None:
            rows.append([target.measure, target.told, "not measured", "-"])
        else:
            holds = "yes" if target.holds(value) else "no"
            rows.append([target.measure, target.told, f"{number(value)}{target.unit}", holds])
    return Table(TITLE, f"With zonesim's engine `{engine}`.", ("measure", "target", "measured", "holds"), rows)
