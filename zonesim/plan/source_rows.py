"""Rows of the sources table: when the tokens of each traffic entry come, how many, and of which class."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from zonesim import units
from zonesim.faults import ScenarioFault, UnknownName, suggest
from zonesim.limits import MOST_RATES
from zonesim.plan.arrivals import Course, clipped, course_of, rate_rows, shape_of
from zonesim.plan.binding import resolve
from zonesim.plan.distributions import distribution_mean
from zonesim.plan.operations import NOWHERE, ArrivalsBy
from zonesim.plan.plan import LISTED_CLASS, LISTED_PART, Ends
from zonesim.plan.world_tables import WorldTables
from zonesim.scenario.fields import CLASS, mode_of
from zonesim.scenario.laws import Law
from zonesim.scenario.traces import TraceRows
from zonesim.scenario.traffic import BatchLaw, Traffic


def _cumulative(shares: Sequence[float]) -> list[float]:
    return [min(sum(shares[: position + 1]), 1.0) for position in range(len(shares))]


class Arrivals:
    """
    Rows of the sources table (all but the first operation) with their rates, renewals, times, limits, factors, class
    mixes and attributes.
    """

    def __init__(self, tables: WorldTables) -> None:
        self.tables = tables
        self.rows: list[tuple[int, ...]] = []
        self.rates: list[NDArray[np.float64]] = []
        self._rates = 0
        self._counted = 0
        self._courses: dict[tuple[str, ...], Course] = {}
        self.times: list[tuple[int, int]] = []
        self.mixes: list[tuple[float, ...]] = []
        self.renewals: list[tuple[int, int, int, int]] = []
        self.limits: list[tuple[int, int, int, int]] = []
        self.factors: list[tuple[int, int, int]] = []
        self.factor_streams: list[str] = []
        self.attributes: list[tuple[int, int, int, int]] = []
        self.attribute_shares: list[float] = []
        self.attribute_streams: list[str] = []

    def add(self, name: str, entry: Traffic) -> None:
        """Add the row of an entry; raises UnknownName for a profile that nobody has."""
        tables = self.tables
        fixed = tables.classes.part(CLASS, entry.class_) if entry.class_ else NOWHERE
        parties, mix = tables.tokens.parties_of(entry), self._mix(entry)
        trace = tables.traces.rows.get(name)
        begins, until = self._span(name, entry)
        most = None if entry.most is None else int(mode_of(entry.most))
        expected = 0.0
        if entry.spawned:
            kind, first, count = ArrivalsBy.SPAWNED, 0, 0
        elif trace is not None or entry.at is not None:
            kind, first = ArrivalsBy.LISTED, len(self.times)
            times = trace.times if trace else [round(units.parse(mode_of(time), "duration")) for time in entry.at or ()]
            if trace is None:
                self._note_late(name, entry, times, until)
            listed = self._listed(trace, fixed) if trace is not None else []
            rows = list(zip(times, listed or [NOWHERE] * len(times), strict=True))
            kept = [row for row in rows if begins <= row[0] < until][:most]
            self.times += kept
            count = len(kept)
            if listed:
                drawn = fixed == NOWHERE and not (trace and trace.classes) and (parties or mix != NOWHERE)
                fixed = LISTED_PART if drawn else LISTED_CLASS
        elif entry.every is not None:
            kind, first, count = ArrivalsBy.RENEWAL, len(self.renewals), 1
            expected = self._renew(name, entry, begins, until)
        else:
            kind, first = ArrivalsBy.RATE, self._rates
            rate = units.parse(mode_of(entry.rate), "rate")
            rates = rate_rows(rate, self._course(name, entry))
            if begins or until < tables.horizon:
                rates = clipped(rates, begins, until, tables.horizon)
            self.rates.append(rates)
            self._rates += len(rates)
            count = len(rates)
            end = float(rates[-1, 2] + rates[-1, 1] * (tables.horizon - rates[-1, 0]))
            expected = end * self._multiply(name, entry, count)
        self._limit(entry, most, expected, (begins, until))
        if fixed == NOWHERE and mix == NOWHERE and not parties:
            fixed = 0
        self._draw_attributes(name, entry)
        batch = self._batch(entry)
        self.rows.append((kind, first, count, 0 if parties else NOWHERE, parties, fixed, mix, batch))

    def _span(self, name: str, entry: Traffic) -> tuple[int, int]:
        """Return from when on and until when (ms) somebody of an entry may come; raises ScenarioFault."""
        tables, place = self.tables, self.tables.arm.world.place
        begins = 0 if entry.from_ is None else round(units.parse(mode_of(entry.from_), "duration"))
        until = tables.horizon
        if entry.until == "measure" or tables.terminates:
            until = tables.measured
        if entry.until not in {None, "measure"}:
            until = min(until, round(units.parse(mode_of(entry.until), "duration")))
        if begins >= until and not entry.spawned:
            key = "until" if entry.from_ is None else "from"
            begin, end = units.format_ms(begins), units.format_ms(until)
            fault = f"nobody comes: arrivals begin after {begin}, and end after {end}"
            raise ScenarioFault(fault, place(("traffic", name, key)), "Let them begin earlier, or end later.")
        return begins, until

    def _note_late(self, name: str, entry: Traffic, times: Sequence[int], until: int) -> None:
        """Note listed arrivals that would come when nobody comes any more."""
        late = [mode_of(written) for time, written in zip(times, entry.at or (), strict=False) if time >= until]
        if not late:
            return
        others = f" (and {len(late) - 1} more)" if len(late) > 1 else ""
        span = "the measured window" if self.tables.terminates else "the run"
        self.tables.traces.notes.append(
            f"traffic {name}: nobody comes at '{late[0]}'{others}: {span} is over from {units.format_ms(until)} on"
        )

    def _renew(self, name: str, entry: Traffic, begins: int, until: int) -> float:
        """Add the renewal by which tokens of an entry come; return how many arrivals are expected."""
        tables = self.tables
        place = tables.arm.world.place(("traffic", name, "every"))

        def value(text: object) -> object:
            return resolve(text, {}, tables.scenario, place)

        try:
            written = entry.every
            laws = tables.distributions
            gap = laws.written(written, value) if isinstance(written, Law) else laws.duration(written, value)
        except ScenarioFault as fault:
            raise fault.at(place) from None
        mean = distribution_mean(*laws.arrays(), gap, 0)
        if not mean > 0:
            raise ScenarioFault("everybody comes at once, for all gaps are 0", place, "Write e.g. every: 5 min.")
        calendar, there = NOWHERE, float(until - begins)
        if entry.during is not None:
            own = tables.arm.world.place(("traffic", name, "during"))
            calendar = tables.calendar(entry.during, own)
            spans = tables.spans(entry.during, own)
            there = float(sum(max(min(end, until) - max(begin, begins), 0) for begin, end in spans))
            if not there:
                message = f"nobody comes: calendar '{entry.during}' is never open while arrivals last"
                raise ScenarioFault(message, own, "Choose another calendar.")
        self.renewals.append((gap, calendar, begins, until))
        return there / mean

    def _multiply(self, name: str, entry: Traffic, rows: int) -> float:
        """Add the factors of the rate of an entry, which has so many rows; return their mean."""
        tables, mean = self.tables, 1.0
        for number, factor in enumerate(entry.factor):
            known = tables.scenario.factors
            if factor not in known:
                place = tables.arm.world.place(("traffic", name, "factor"))
                raise UnknownName(f"no factor '{factor}'", place, suggest(factor, known, "factors"))
            own = known[factor]
            if own.each == "day" and not any(known[each].each == "day" for each in entry.factor[:number]):
                self._count_rates(rows + -(-tables.horizon // units.DAY))
            law = tables.distributions.factor(own)
            mean_of = distribution_mean(*tables.distributions.arrays(), law, 0)
            if not mean_of > 0:
                place = tables.arm.world.place(("factors", factor))
                raise ScenarioFault("nobody ever comes, for the factor is always 0", place, "Give it a mean above 0.")
            self.factors.append((len(self.rows), law, int(own.each == "day")))
            self.factor_streams.append(f"//factor/{factor}")
            mean *= mean_of
        return mean

    def _limit(self, entry: Traffic, most: int | None, expected: float, span: tuple[int, int]) -> None:
        """Add the limits of an entry, if it has any; `expected` arrivals would come by the end of the run."""
        if entry.spawned:
            return
        begins, until = span
        own = entry.until not in {None, "measure"} and until < self.tables.horizon
        listed = entry.trace is not None or entry.at is not None
        drawn = None if listed else most
        ends = Ends.NEVER
        if self.tables.terminates:
            ends = Ends.WINDOW
        elif not listed and (own or (most is not None and most <= expected)):
            ends = Ends.OWN
        if ends or begins or drawn is not None:
            self.limits.append((len(self.rows), begins, NOWHERE if drawn is None else drawn, int(ends)))

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
