"""Rows of the sources table: when the tokens of each traffic entry come, how many, and of which class."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from zonesim import units
from zonesim.faults import ScenarioFault, UnknownName, suggest
from zonesim.limits import MOST_RATES
from zonesim.plan.arrivals import Course, course_of, rate_rows, shape_of
from zonesim.plan.operations import NOWHERE
from zonesim.plan.plan import LISTED_CLASS, LISTED_PART, ArrivalsBy
from zonesim.plan.world_tables import WorldTables
from zonesim.scenario.fields import CLASS, mode_of
from zonesim.scenario.traces import TraceRows
from zonesim.scenario.traffic import BatchLaw, Traffic


def _cumulative(shares: Sequence[float]) -> list[float]:
    return [min(sum(shares[: position + 1]), 1.0) for position in range(len(shares))]


class Arrivals:
    """Rows of the sources table (all but the first operation) with their rates, times, class mixes and attributes."""

    def __init__(self, tables: WorldTables) -> None:
        self.tables = tables
        self.rows: list[tuple[int, ...]] = []
        self.rates: list[NDArray[np.float64]] = []
        self._rates = 0
        self._counted = 0
        self._courses: dict[tuple[str, ...], Course] = {}
        self.times: list[tuple[int, int]] = []
        self.mixes: list[tuple[float, ...]] = []
        self.attributes: list[tuple[int, int, int, int]] = []
        self.attribute_shares: list[float] = []
        self.attribute_streams: list[str] = []

    def add(self, name: str, entry: Traffic) -> None:
        """Add the row of an entry; raises UnknownName for a profile that nobody has."""
        tables = self.tables
        fixed = tables.classes.part(CLASS, entry.class_) if entry.class_ else NOWHERE
        parties, mix = tables.parties_of(entry), self._mix(entry)
        trace = tables.traces.rows.get(name)
        if entry.spawned:
            kind, first, count = ArrivalsBy.SPAWNED, 0, 0
        elif trace is not None or entry.at is not None:
            kind, first = ArrivalsBy.LISTED, len(self.times)
            times = trace.times if trace else [round(units.parse(mode_of(time), "duration")) for time in entry.at or ()]
            listed = self._listed(trace, fixed) if trace is not None else []
            self.times += zip(times, listed or [NOWHERE] * len(times), strict=True)
            count = len(times)
            if listed:
                drawn = fixed == NOWHERE and not (trace and trace.classes) and (parties or mix != NOWHERE)
                fixed = LISTED_PART if drawn else LISTED_CLASS
        else:
            kind, first = ArrivalsBy.RATE, self._rates
            rate = units.parse(mode_of(entry.rate), "rate")
            rows = rate_rows(rate, self._course(name, entry))
            self.rates.append(rows)
            self._rates += len(rows)
            count = len(rows)
        if fixed == NOWHERE and mix == NOWHERE and not parties:
            fixed = 0
        self._draw_attributes(name, entry)
        batch = self._batch(entry)
        self.rows.append((kind, first, count, 0 if parties else NOWHERE, parties, fixed, mix, batch))

    def _mix(self, entry: Traffic) -> int:
        """Return the row of the class mix of an entry, or none."""
        if not entry.classes:
            return NOWHERE
        classes = self.tables.classes
        shares = dict.fromkeys(range(len(classes)), 0.0)
        for name, share in entry.classes.items():
            shares[classes.part(CLASS, name)] = units.parse_share(mode_of(share))
        self.mixes.append(tuple(_cumulative(list(shares.values()))))
        return len(self.mixes) - 1

    def _listed(self, trace: TraceRows, fixed: int) -> list[int]:
        """Return the number, or the part of it, that a log lists with each arrival; none where it lists nothing."""
        classes = self.tables.classes
        columns = {CLASS: trace.classes} if trace.classes else {}
        columns |= {name: values for name, values in trace.attributes.items() if values}
        parts = {name: {value: classes.part(name, value) for value in set(values)} for name, values in columns.items()}
        rows = zip(*([parts[name][value] for value in values] for name, values in columns.items()), strict=True)
        return [sum(row) + max(fixed, 0) for row in rows]

    def _draw_attributes(self, name: str, entry: Traffic) -> None:
        """Add the attributes that tokens of an entry draw when they arrive."""
        classes = self.tables.classes
        for attribute in () if entry.spawned else classes.attributes:
            if entry.trace is not None and attribute in entry.trace.attributes:
                continue
            mix = entry.attributes.get(attribute) or self.tables.scenario.attributes[attribute].shares()
            shares = dict.fromkeys(classes.values[attribute], 0.0)
            shares |= (
                {mix: 1.0}
                if isinstance(mix, str)
                else {value: units.parse_share(mode_of(share)) for value, share in mix.items()}
            )
            first, step = len(self.attribute_shares), classes.stride(attribute)
            self.attributes.append((len(self.rows), step, first, len(shares)))
            self.attribute_shares += _cumulative(list(shares.values()))
            self.attribute_streams.append(f"{name}//attribute/{attribute}")

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
