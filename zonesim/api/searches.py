"""What is found by searching many runs: which numbers decide, which arm is best, how arms do over many futures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb

from zonesim.analysis import QUANTITIES, Box, Difference, Interval, Regret, Sensitivity
from zonesim.api.relations import relation
from zonesim.briefing.tables import best as best_tables
from zonesim.briefing.tables import robustness as robust_tables
from zonesim.briefing.tables import sensitivity as sensitivity_tables
from zonesim.briefing.text.values import level_text
from zonesim.briefing.text.words import ENGLISH, Words
from zonesim.experiment import Design, run_id
from zonesim.faults import Place, UnknownName, suggest
from zonesim.jobs.sensitivity import Found as Sensed


@contextmanager
def finished_runs(out: str | Path | None) -> Iterator[Path]:
    """Give the folder of finished runs that is asked for, or one that is taken away again."""
    if out is not None:
        yield Path(out)
        return
    with TemporaryDirectory() as folder:
        yield Path(folder)


@dataclass(frozen=True)
class Sensitivities:
    """Which doubted numbers of a scenario decide its KPIs, or what an arm does to them. Numbers go by their paths."""

    found: Sensed
    """What was run, and what it says."""

    @property
    def kpis(self) -> list[str]:
        """Ids of the KPIs that it is told of."""
        return [each.kpi for each in self.found.told]

    @property
    def quantities(self) -> tuple[str, ...]:
        """What the method tells of a number: `swing`, `low`, `high`; `mu_star`, `mu`, `sigma`; or `total`, `first`."""
        return QUANTITIES[self.found.method]

    def numbers(self, kpi: str = "") -> list[str]:
        """Return the numbers, the one that decides most first; raises UnknownName."""
        return [each.factor for each in self._of(kpi).influences]

    def value(self, number: str, quantity: str = "", kpi: str = "") -> Interval:
        """Return a quantity of a number with its limits, the first one where none is named; raises UnknownName."""
        quantity = _named("quantity", quantity or self.quantities[0], self.quantities)
        own = {each.factor: each for each in self._of(kpi).influences}
        return own[_named("number", number, list(own))].values[quantity]

    def middle(self, kpi: str = "") -> Interval:
        """Return the KPI (or its difference) with every number at its mode; raises UnknownName."""
        return self._of(kpi).middle

    def luck(self, kpi: str = "") -> float:
        """
        Return which share of the variance between futures is the luck of the runs, nan of a tornado; raises
        UnknownName.
        """
        return self._of(kpi).luck

    def table(self) -> list[dict[str, Any]]:
        """Return rows of KPIs × numbers × quantities, as `sensitivity.csv` has them; the KPI itself is `middle`."""
        run = run_id(self.found.design)
        rows = sensitivity_tables.sensitivity_rows(self.found.told, self.found.own.kpis, self.found.kinds(), run)
        return _rows(sensitivity_tables.COLUMNS, rows)

    def relation(self) -> duckdb.DuckDBPyRelation:
        """Return `table()` as a relation."""
        return _relation(sensitivity_tables.COLUMNS, self.table())

    def __str__(self) -> str:
        """Return a table of text for each KPI."""
        found = self.found
        lines: list[str] = []
        for each in found.told:
            lines += sensitivity_tables.sensitivity_text(
                Words(level=level_text(found.design.level)),
                each,
                found.own.kpis[each.kpi],
                found.kinds(),
                difference=found.own.is_difference,
                count=found.count,
                file="table()",
            )
        return "\n".join(lines)

    def _of(self, kpi: str) -> Sensitivity:
        return self.found.told[self.kpis.index(_named("kpi", kpi, self.kpis))]


@dataclass(frozen=True)
class Best:
    """The best arm of an experiment: what became of each arm, and the best one on runs that nothing was chosen by."""

    design: Design
    """What was run."""
    found: best_tables.Found
    """What was found."""
    asked_probability: float
    """How sure the choice had to be."""

    @property
    def arm(self) -> str:
        """Name of the best arm, empty where none is left."""
        return self.found.choice.best

    @property
    def probability(self) -> float:
        """That it is the best or as good, promised or estimated; nan where the runs did not do."""
        return self.found.choice.probability

    @property
    def value(self) -> Interval | None:
        """The KPI of the best arm on runs of another seed; None where no arm is left."""
        return self.found.estimate.value if self.found.estimate is not None else None

    @property
    def difference(self) -> Difference | None:
        """What the best arm changes against the baseline, on these runs; None where it is the baseline."""
        return self.found.estimate.difference if self.found.estimate is not None else None

    def table(self) -> list[dict[str, Any]]:
        """Return a row an arm, as `best.csv` has them: its mean over its runs in the search, and what became of it."""
        return _rows(best_tables.COLUMNS, best_tables.best_rows(self.found, run_id(self.design)))

    def relation(self) -> duckdb.DuckDBPyRelation:
        """Return `table()` as a relation."""
        return _relation(best_tables.COLUMNS, self.table())

    def __str__(self) -> str:
        """Return what became of each arm, which is best and how sure that is."""
        lines = best_tables.best_text(
            Words(level=level_text(self.design.level)),
            self.found,
            name=self.design.name,
            run=run_id(self.design),
            seed=self.design.seed,
            arms=list(self.design.options),
            probability=self.asked_probability,
        )
        return "\n".join(lines)


@dataclass(frozen=True)
class Robustness:
    """How the arms of an experiment do over its futures, and where an arm does not do well."""

    design: Design
    """What was run."""
    told: robust_tables.Robust
    """What was found."""
    run: str
    """The number of the run."""

    def regret(self, arm: str) -> Interval:
        """Return the mean regret of an arm over the futures, with limits over replications; raises UnknownName."""
        own = self._of(arm)
        return Interval(own.mean, *own.limits, own.futures)

    def largest_regret(self, arm: str) -> Difference | None:
        """
        Return the largest regret of an arm, None where it has no value in a future in which others have; raises
        UnknownName.
        """
        return self._of(arm).largest

    def box(self, arm: str) -> Box | None:
        """Return the box of futures in which an arm does not do well, None where there is none; raises UnknownName."""
        found = {each.arm: each for each in self.told.discoveries}
        return found[_named("arm", arm, list(found))].picked

    def table(self) -> list[dict[str, Any]]:
        """Return regrets, promises kept and signs as rows, as `robustness.csv` has them."""
        return _rows(robust_tables.COLUMNS, robust_tables.robust_rows(self.told, self.run))

    def boxes(self) -> list[dict[str, Any]]:
        """Return the limits of every box that was peeled, as `boxes.csv` has them; number 0 is the one picked."""
        return _rows(robust_tables.BOX_COLUMNS, robust_tables.box_rows(self.told, self.run))

    def relation(self) -> duckdb.DuckDBPyRelation:
        """Return `table()` as a relation."""
        return _relation(robust_tables.COLUMNS, self.table())

    def __str__(self) -> str:
        """Return a table of the arms, promises kept, and for each arm where it does not do well."""
        return "\n".join(robust_tables.robust_text(ENGLISH, self.told))

    def _of(self, arm: str) -> Regret:
        found = {each.arm: each for each in self.told.regrets}
        return found[_named("arm", arm, list(found))]


def _named(what: str, name: str, known: Sequence[str]) -> str:
    """Return a name that is known, the only one where none is named; raises UnknownName."""
    if not name and len(known) == 1:
        return known[0]
    if name not in known:
        fault = f"no {what} '{name}'" if name else f"which {what} is meant"
        raise UnknownName(fault, Place(what), suggest(name, known, f"{what}s"))
    return name


def _rows(columns: Sequence[str], rows: Iterator[list[Any]]) -> list[dict[str, Any]]:
    return [dict(zip(columns, row, strict=True)) for row in rows]


def _relation(columns: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> duckdb.DuckDBPyRelation:
    """Return rows as a relation; where a column has numbers, what is no number in it is NULL."""
    found: dict[str, list[Any]] = {name: [row[name] for row in rows] for name in columns}
    for name, values in found.items():
        if any(isinstance(value, int | float) for value in values):
            found[name] = [value if isinstance(value, int | float) else float("nan") for value in values]
    return relation(found)
