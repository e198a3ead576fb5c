"""Rows of the sources table: when the tokens of each traffic entry come, how many, and of which class."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from zonesim import units
from zonesim.faults import ScenarioFault, UnknownName, suggest
from zonesim.limits import MOST_RATES
from zonesim.plan.arrivals import Course, course_of, rate_rows, shape_of
from zonesim.plan.operations import NOWHERE
from zonesim.plan.plan import LISTED_CLASS, ArrivalsBy
from zonesim.plan.world_tables import WorldTables
from zonesim.scenario.fields import mode_of
from zonesim.scenario.traffic import BatchLaw, Traffic


class Arrivals:
    """Rows of the sources table (all but the first operation) with their rates, times and class mixes."""

    def __init__(self, tables: WorldTables) -> None:
        self.tables = tables
        self.rows: list[tuple[int, ...]] = []
        self.rates: list[NDArray[np.float64]] = []
        self._rates = 0
        self._counted = 0
        self._courses: dict[tuple[str, ...], Course] = {}
        self.times: list[tuple[int, int]] = []
        self.mixes: list[tuple[float, ...]] = []

    def add(self, name: str, entry: Traffic) -> None:
        """Add the row of an entry; raises UnknownName for a profile that nobody has."""
        tables = self.tables
        fixed = tables.classes.index(entry.class_) if entry.class_ else NOWHERE
        trace = tables.traces.rows.get(name)
        if entry.spawned:
            kind, first, count = ArrivalsBy.SPAWNED, 0, 0
        elif trace is not None or entry.at is not None:
            kind, first = ArrivalsBy.LISTED, len(self.times)
            times = trace.times if trace else [round(units.parse(mode_of(time), "duration")) for time in entry.at or ()]
            numbers = {each: number for number, each in enumerate(tables.classes)}
            classes = [numbers[each] for each in trace.classes] if trace and trace.classes else [NOWHERE] * len(times)
            self.times += zip(times, classes, strict=True)
            count = len(times)
            if trace is not None and trace.classes:
                fixed = LISTED_CLASS
        else:
            kind, first = ArrivalsBy.RATE, self._rates
            rate = units.parse(mode_of(entry.rate), "rate")
            rows = rate_rows(rate, self._course(name, entry))
            self.rates.append(rows)
            self._rates += len(rows)
            count = len(rows)
        parties = tables.parties_of(entry)
        mix = self._mix(entry)
        if fixed == NOWHERE and mix == NOWHERE and not parties:
            fixed = 0
        batch = self._batch(entry)
        self.rows.append((kind, first, count, 0 if parties else NOWHERE, parties, fixed, mix, batch))

    def _mix(self, entry: Traffic) -> int:
        """Return the row of the class mix of an entry, or none."""
        if not entry.classes:
            return NOWHERE
        shares = [units.parse_share(mode_of(entry.classes.get(each, "0 %"))) for each in self.tables.classes]
        self.mixes.append(tuple(min(sum(shares[: position + 1]), 1.0) for position in range(len(shares))))
        return len(self.mixes) - 1

    def _batch(self, entry: Traffic) -> int:
        """Return the law of how many tokens an arrival of an entry has, or none when it is one."""
        if isinstance(entry.batch, BatchLaw):
            parts = [(float(key), units.parse_share(mode_of(share))) for key, share in entry.batch.discrete.items()]
            return self.tables.distributions.discrete(parts)
        size = int(mode_of(entry.batch))
        return NOWHERE if size == 1 else self.tables.distributions.discrete([(float(size), 1.0)])

    def _course(self, name: str, entry: Traffic) -> Course:
        """Return how the rate of an entry goes with time; raises ScenarioFault."""
        profiles, place = self.tables.scenario.profiles, self.tables.arm.world.place(("traffic", name, "profile"))
        key = tuple(entry.profile)
        found = self._courses.get(key)
        if found is None:
            for profile in key:
                if profile not in profiles:
                    raise UnknownName(f"no profile '{profile}'", place, suggest(profile, profiles, "profiles"))
            shape = shape_of([profiles[profile] for profile in key], place)
            days = -(-self.tables.horizon // units.DAY)
            self._count_rates(1 if shape.is_flat else days * shape.parts)
            found = self._courses[key] = course_of(shape, self.tables.days, self.tables.horizon)
        self._count_rates(len(found.times))
        return found

    def _count_rates(self, count: int) -> None:
        """Count changes of rates that are about to be laid out; raises ScenarioFault when they are too many."""
        self._counted += count
        if self._counted > MOST_RATES:
            fault = f"the profiles make more than {MOST_RATES:,} changes of rates in this run"
            place = self.tables.arm.world.place(("clock", "measure"))
            raise ScenarioFault(fault, place, "Simulate a shorter time, or with fewer and coarser profiles.")
