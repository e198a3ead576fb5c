"""Rows of the sources table: when the tokens of each traffic entry come, how many, and of which class."""

from __future__ import annotations

from zonesim import units
from zonesim.faults import UnknownName, suggest
from zonesim.plan.arrivals import Shape, rate_rows, shape_of
from zonesim.plan.operations import NOWHERE
from zonesim.plan.plan import LISTED_CLASS
from zonesim.plan.world_tables import WorldTables
from zonesim.scenario.fields import mode_of
from zonesim.scenario.traffic import BatchLaw, Traffic

_RATE, _LISTED, _SPAWNED = 0, 1, 2


class Arrivals:
    """Rows of the sources table (all but the first operation) with their rates, times and class mixes."""

    def __init__(self, tables: WorldTables) -> None:
        self.tables = tables
        self.rows: list[tuple[int, ...]] = []
        self.rates: list[tuple[float, float, float]] = []
        self.times: list[tuple[int, int]] = []
        self.mixes: list[tuple[float, ...]] = []

    def add(self, name: str, entry: Traffic) -> None:
        """Add the row of an entry; raises UnknownName for a profile that nobody has."""
        tables = self.tables
        fixed = tables.classes.index(entry.class_) if entry.class_ else NOWHERE
        trace = tables.traces.rows.get(name)
        if entry.spawned:
            kind, first, count = _SPAWNED, 0, 0
        elif trace is not None or entry.at is not None:
            kind, first = _LISTED, len(self.times)
            times = trace.times if trace else [round(units.parse(time, "duration")) for time in entry.at or ()]
            numbers = {each: number for number, each in enumerate(tables.classes)}
            classes = [numbers[each] for each in trace.classes] if trace and trace.classes else [NOWHERE] * len(times)
            self.times += zip(times, classes, strict=True)
            count = len(times)
            if trace is not None and trace.classes:
                fixed = LISTED_CLASS
        else:
            kind, first = _RATE, len(self.rates)
            rate = units.parse(mode_of(entry.rate), "rate")
            rows = rate_rows(rate, self._shape(name, entry), tables.days, tables.horizon)
            self.rates += rows
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
            return self.tables.laws.discrete(parts)
        size = int(mode_of(entry.batch))
        return NOWHERE if size == 1 else self.tables.laws.discrete([(float(size), 1.0)])

    def _shape(self, name: str, entry: Traffic) -> Shape:
        profiles = self.tables.scenario.profiles
        for profile in entry.profile:
            if profile not in profiles:
                place = self.tables.arm.world.place(("traffic", name, "profile"))
                raise UnknownName(f"no profile '{profile}'", place, suggest(profile, profiles, "profiles"))
        return shape_of([profiles[profile] for profile in entry.profile])
