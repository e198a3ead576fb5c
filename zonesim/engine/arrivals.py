"""Who arrives when, with which class, flags and members: pure functions of seed, replication and ordinal."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from itertools import count, islice
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from zonesim.compiled.arithmetic import log
from zonesim.compiled.streams import uniform
from zonesim.engine.reference.calendars import Calendars
from zonesim.engine.run_faults import too_many_tokens
from zonesim.engine.sampling import prepared, sample, whole
from zonesim.plan import LARGEST_ORDINAL, LISTED_CLASS, LISTED_PART, NOWHERE, TABLES, ArrivalsBy, Plan, Rows, as_dicts
from zonesim.units import DAY

BY_MEMBERS: Final = 1
BY_TOKEN: Final = 2
"""Codes of what the share of a rule for flags is a share of (see the adoptions table)."""


def arrivals_of(plan: Plan, source: int, key: np.uint64) -> Iterator[tuple[int, int]]:
    """
    Yield the time (ms) of each token of a source up to the end of the run, with the number of its arrival.

    Several tokens may come with one arrival; how many is drawn by the arrival's number.
    """
    distribution, stream = int(plan.sources["batch"][source]), plan.source_streams["batch"][source]
    sizes: list[float] = [1.0]
    shares: list[float] = [1.0]
    if distribution != NOWHERE:
        row = plan.distributions[distribution]
        own = plan.parameters[row["first"] : row["first"] + row["count"]]
        sizes, shares = own[::2].tolist(), own[1::2].tolist()
    tokens = 0
    for number, time in enumerate(arrival_times(plan, source, key)):
        size = sizes[0]
        if len(sizes) > 1:
            size = sizes[min(bisect_right(shares, uniform(key, stream, number, 0, 0)), len(sizes) - 1)]
        tokens += int(size)
        if tokens > LARGEST_ORDINAL + 1:
            raise too_many_tokens(plan, source)
        for _ in range(int(size)):
            yield time, number


def arrival_times(plan: Plan, source: int, key: np.uint64) -> Iterator[int]:
    """
    Yield the arrival times (ms) of a source up to the end of the run.

    Rates: the expected number of arrivals grows by an exponential step of mean 1 and is inverted exactly through the
    piecewise-constant rate, so the rate at the candidate time decides (Çinlar's inversion). Renewals: gaps are added up
    and each sum is rounded once.
    """
    most = plan.most_arrivals(source)
    yield from islice(_endless_times(plan, source, key), most)


def _endless_times(plan: Plan, source: int, key: np.uint64) -> Iterator[int]:
    """Yield the arrival times of a source, however many there are at most."""
    kind = plan.sources["arrivals"][source]
    if kind == ArrivalsBy.RENEWAL:
        yield from _renewals(plan, source, key)
        return
    if kind != ArrivalsBy.RATE:
        yield from (time for time in plan.times_of(source)["time"].tolist() if time < plan.horizon)
        return
    table = rates_drawn(plan, source, key)
    begins: list[float] = table["begins"].tolist()
    rates: list[float] = table["rate"].tolist()
    before: list[float] = table["expected_before"].tolist()
    stream = plan.source_streams["arrival"][source]
    expected = 0.0
    for ordinal in count():
        expected -= log(uniform(key, stream, ordinal, 0, 0))
        row = bisect_right(before, expected) - 1
        if rates[row] == 0.0:
            return
        time = begins[row] + (expected - before[row]) / rates[row]
        if not time < plan.horizon - 0.5:
            return
        yield int(time + 0.5)


def _renewals(plan: Plan, source: int, key: np.uint64) -> Iterator[int]:
    gap, calendar, begins, until = plan.renewal_of(source)[0].tolist()
    laws, numbers = prepared(plan.distributions.tobytes(), plan.parameters.tobytes())
    stream, until = plan.source_streams["arrival"][source], min(until, plan.horizon)
    calendars, passed = Calendars(plan), 0.0
    for ordinal in count():
        passed += sample(laws, numbers, gap, uniform(key, stream, ordinal, 0, 0), 0)
        time = calendars.end_of(calendar, begins, whole(passed))
        if time >= until:
            return
        yield time


def rates_drawn(plan: Plan, source: int, key: np.uint64) -> Rows:
    """Return the rates of a source in a replication: times its random factors, where it has some."""
    rows, table = plan.factors_of(source), plan.rates_of(source)
    if not rows:
        return table
    table = table[table["begins"] < plan.horizon]
    daily = plan.factors["each"][rows].any()
    days = np.arange(-(-plan.horizon // DAY), dtype=np.float64) * DAY if daily else np.zeros(0)
    begins = np.unique(np.concatenate([table["begins"], days]))
    rates = table["rate"][np.searchsorted(table["begins"], begins, side="right") - 1]
    for row in rows:
        rates = rates * _factors(plan, row, key)[(begins // DAY).astype(np.int64) * int(plan.factors["each"][row])]
    expected = np.cumsum(np.diff(begins) * rates[:-1])
    return TABLES["rates"].array(np.stack([begins, rates, np.concatenate([[0.0], expected])], axis=1))


def _factors(plan: Plan, row: int, key: np.uint64) -> NDArray[np.float64]:
    """Return a factor by day of the run; one that is drawn once a replication has one value."""
    _, distribution, each = plan.factors[row].tolist()
    laws, numbers = prepared(plan.distributions.tobytes(), plan.parameters.tobytes())
    stream = plan.factor_streams[row]
    draws = -(-plan.horizon // DAY) if each else 1
    return np.array([sample(laws, numbers, distribution, uniform(key, stream, day, 0, 0), 0) for day in range(draws)])


class ClassLog:
    """The classes of who has arrived, by source, in places that grow without a second copy."""

    def __init__(self, sources: int) -> None:
        self._codes = [bytearray() for _ in range(sources)]

    def add(self, source: NDArray[np.int64], klass: NDArray[np.int16]) -> None:
        """Note who arrives, in this order: from which source, and with which class."""
        if len(self._codes) == 1:
            self._codes[0] += klass.tobytes()
            return
        for each in np.flatnonzero(np.bincount(source)).tolist():  # few sources arrive in a block of a small plan
            self._codes[each] += klass[source == each].tobytes()

    def by_source(self) -> tuple[NDArray[np.int16], ...]:
        """Return the classes by source."""
        return tuple(np.frombuffer(codes, dtype=np.int16) for codes in self._codes)


class Population:
    """
    The members of a plan's groups: for which of them a flag is raised in this replication, and to which a token
    belongs.
    """

    def __init__(self, plan: Plan, key: np.uint64) -> None:
        self.plan = plan
        self.key = key
        self.cumulative = plan.members["cumulative_share"].tolist()
        self.classes = [int(value) for value in plan.members["class"]]
        self.sources = as_dicts(plan.sources)
        self.attributes: list[list[tuple[int, list[float], np.uint64]]] = [[] for _ in self.sources]
        """By source, of each attribute that its tokens draw: the step of the class, cumulative shares, the stream."""
        for row, stream in zip(as_dicts(plan.attributes), plan.attribute_streams, strict=True):
            shares = plan.attribute_shares[row["first"] : row["first"] + row["values"]].tolist()
            self.attributes[row["source"]].append((row["step"], shares, stream))
        self.raised = [self._raised_for(row) for row in range(len(plan.adoptions))]
        self.flags = [0] * len(self.classes)
        """Flags by member: those that stay for the whole run and that all members of a token have to have."""
        self.special: list[list[tuple[int, list[_FlagRule]]]] = [[] for _ in self.sources]
        """
        Flags by source: those that depend on the token, on its time of arrival or on the order of its members.
        """
        self._sort_out()

    def _raised_for(self, row: int) -> list[bool]:
        """
        Return for each member whether a row raises its flag.

        Members follow in an order drawn once a replication. A member is in when the middle of its slice of the volume
        (or of the number of members) lies within the share, so that the expected share is met however large single
        members are.
        """
        by = int(self.plan.adoptions["by"][row])
        count_ = len(self.classes)
        raised = [False] * count_
        if by == BY_TOKEN:
            return raised
        stream = self.plan.adoption_streams[row]
        order = sorted(range(count_), key=lambda member: (uniform(self.key, stream, member, 0, 0), member))
        begun = 0.0
        for member in order:
            weight = 1 / count_ if by == BY_MEMBERS else float(self.plan.members["share"][member])
            raised[member] = begun + weight / 2 <= float(self.plan.adoption_shares[row])
            begun += weight
        return raised

    def _sort_out(self) -> None:
        """Fill `flags` and `special` from the adoptions table."""
        by_flag: dict[tuple[int, int], list[_FlagRule]] = {}
        for row, own in enumerate(as_dicts(self.plan.adoptions)):
            flag, source = own["flag"], own["source"]
            if source == NOWHERE:
                for member, raised in enumerate(self.raised[row]):
                    self.flags[member] |= raised << flag
            else:
                rule = _FlagRule(row, own["by"], own["party"], own["begins"], own["until"])
                by_flag.setdefault((flag, source), []).append(rule)
        for (flag, source), rows in by_flag.items():
            self.special[source].append((flag, rows))

    def describe(self, source: int, ordinal: int, time: int, arrival: int) -> tuple[int, int, tuple[int, ...]]:
        """
        Return class, flags and members of a token that comes at `time` (ms) with the arrival of this
        number.
        """
        own = self.sources[source]
        fixed, mix = own["class"], own["mix"]
        part = 0
        if fixed in (LISTED_CLASS, LISTED_PART):
            part = max(int(self.plan.times["class"][own["first"] + arrival]), 0)
            fixed = 0 if fixed == LISTED_CLASS else NOWHERE
        klass = max(fixed, 0)
        members: tuple[int, ...] = ()
        if own["group"] != NOWHERE:
            stream = self.plan.source_streams["firm"][source]
            members = tuple(
                min(bisect_right(self.cumulative, uniform(self.key, stream, ordinal, 0, party)), len(self.classes) - 1)
                for party in range(own["parties"])
            )
            if fixed == NOWHERE and mix == NOWHERE:
                klass = self.classes[members[0]]
        if mix != NOWHERE:
            shares: NDArray[np.float64] = self.plan.mixes[mix]
            drawn = uniform(self.key, self.plan.source_streams["class"][source], ordinal, 0, 0)
            klass = min(int(np.searchsorted(shares, drawn, side="right")), len(shares) - 1)
        klass += part
        for step, shares_of, stream in self.attributes[source]:
            drawn = uniform(self.key, stream, ordinal, 0, 0)
            klass += step * min(bisect_right(shares_of, drawn), len(shares_of) - 1)
        return klass, self.flags_of(source, members, ordinal, time), members

    def flags_of(self, source: int, members: tuple[int, ...], ordinal: int, time: int) -> int:
        """Return the flags of a token of `members` that arrives at `time` (ms); each needs all of them."""
        flags = self.flags[members[0]] if members else 0
        for member in members[1:]:
            flags &= self.flags[member]
        for flag, rows in self.special[source]:
            holding = [row for row in rows if row.begin <= time < row.end]
            flags |= bool(holding and all(self._holds_for(row, members, ordinal) for row in holding)) << flag
        return flags

    def _holds_for(self, rule: _FlagRule, members: tuple[int, ...], ordinal: int) -> bool:
        row = rule.row
        if rule.by == BY_TOKEN:
            drawn = uniform(self.key, self.plan.adoption_streams[row], ordinal, 0, 0)
            return bool(drawn < self.plan.adoption_shares[row])
        asked = members if rule.party == NOWHERE else members[rule.party : rule.party + 1]
        return bool(asked) and all(self.raised[row][member] for member in asked)


class _FlagRule(NamedTuple):
    """A row of the adoptions table: its number, what its share is of, which member needs it, and when it holds."""

    row: int
    by: int
    party: int
    begin: int
    end: int
