"""
The plan: a resolved scenario as immutable arrays, the only thing an engine reads.

Every table is declared in `zonesim.plan.columns`; `docs/reference/plan.md` is generated from there and from the
operation table. A plan is picklable, and `Plan.identity` hashes its arrays: two arms with equal arrays are the same
run, whatever their names are.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from functools import cached_property
from itertools import pairwise
from typing import Final

import numpy as np

from zonesim.plan.calendars import falls_in_part
from zonesim.plan.columns import TABLES, Floats, Ints, Rows, Words, flat
from zonesim.plan.distributions import distribution_mean, distribution_range, distribution_variance
from zonesim.plan.instructions import decoded
from zonesim.plan.operations import NOWHERE, ArrivalsBy, AtShiftEnd, Instruction
from zonesim.plan.records import child_of, ordinal_of, source_of
from zonesim.scenario import KpiDeclaration

MEANING: Final = 2
"""
Version of the meaning of plans: results of other versions are never mixed. In version 1, units that left while others
stayed were not told apart from those that stay.
"""

LISTED_CLASS: Final = -2
"""Class of a source whose arrivals have each a class of their own."""

LISTED_PART: Final = -3
"""Class of a source whose arrivals have each something of their own that is added to the class that is drawn."""

UNLIMITED: Final = 1 << 40
"""Units of a resource that nobody ever waits for."""


class Ends(IntEnum):
    """Whether the arrivals of a source come to an end by themselves, so that no line grows for ever."""

    NEVER = 0
    OWN = 1
    """By a number or a time of its own."""
    WINDOW = 2
    """With the measured window, after which the run goes on until all have left."""


@dataclass(frozen=True)
class StepName:
    """What a row of the step table stands for."""

    entry: str
    """The traffic entry whose tokens come to it."""
    flow: str
    """The flow that the entry follows."""
    path: tuple[str, ...]
    """The step's place in the entry's flow, from the outside in."""
    label: dict[str, str] = field(default_factory=dict)
    """What people call it, by language."""
    resources: tuple[int, ...] = ()
    """Rows of the resources table: what a visit has in hand."""
    units: tuple[int, ...] = ()
    """How many units of each."""
    kind: str = "token"
    """What the tokens are: `consignment`, `truck` …"""
    lines: tuple[tuple[int, int], ...] = ()
    """What it waits for, (resource, units), where that is more than it takes: one of several resources."""
    is_leave: bool = False
    """Whether it is the end of a routine: its visits are from arrival to leaving."""
    is_kept: bool = False
    """Whether its visits are of units that are kept after the block which took them."""
    is_interruption: bool = False
    """Whether its visits are waits of a token whose work with a unit was interrupted, until it has one again."""
    truths: tuple[tuple[str, int, int, int], ...] = ()
    """Of a LEAVE pseudo-step, the truths of the tokens that it ends, and whose: (truth, base, first, size)."""

    @property
    def asked(self) -> dict[int, int]:
        """Return the resources in whose queues a token stands that waits at the step, with the units asked for."""
        return dict(self.lines or zip(self.resources, self.units, strict=True))


@dataclass(frozen=True)
class MarkName:
    """What the number of a mark stands for: a milestone of the tokens of an entry."""

    entry: str
    """The traffic entry whose tokens make it."""
    flow: str
    """The flow that the entry follows."""
    scope: tuple[str, ...]
    """The path of the call of a flow that it happens in."""
    name: str
    """What the milestone is called, `released` …"""
    place: str = ""
    """The zone that it happens in."""
    kind: str = "token"
    """What the tokens are: `consignment`, `truck` …"""
    account: int = -1
    """Row of the accounts table to which the moment adds something, -1: none."""
    amount: int = 0
    """What it adds there; below 0: takes."""
    truth: str = ""
    """The hidden truth that it says something of."""
    owner: tuple[int, int, int] = (0, 0, 1)
    """Whose truth that is: (base, first, size) of a child's number (`Owner`)."""


@dataclass(frozen=True)
class Look:
    """
    Who is picked for a check of a truth that picks with a lift: where that is drawn, and what is not known of it.

    With a share s of a class picked and a share b of it true, who has the truth is picked with min(1, lift × s), and
    who has it not with what is left of s, (s - b × that) / (1 - b), at least 0.
    """

    share: tuple[float, ...]
    """The share that is picked, by class."""
    entry: str
    """The traffic entry whose tokens are looked at."""
    truth: str
    """The truth that is looked for."""
    flag: int
    """The flag of those who have it."""
    lift: tuple[float, float, float]
    """Its least, that of runs, and its greatest."""

    def picked(self, true: Sequence[float], lift: float) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """Return, by class of which `true` have it, the picked share of those with the truth and of those without."""
        with_it = tuple(min(1.0, lift * share) for share in self.share)
        without = tuple(
            share if lift == 1 or rate >= 1 else min(1.0, max(0.0, (share - rate * own) / (1 - rate)))
            for share, own, rate in zip(self.share, with_it, true, strict=True)
        )
        return with_it, without


@dataclass(frozen=True)
class Truths:
    """How many have a truth, where that is not known: by class the least, that of runs, and the most."""

    low: tuple[float, ...]
    mode: tuple[float, ...]
    high: tuple[float, ...]


@dataclass(frozen=True)
class AccountName:
    """An account."""

    zone: str
    """The zone that keeps it."""
    name: str
    """Its name there."""
    unit: str = ""
    """What it counts."""
    label: dict[str, str] = field(default_factory=dict)
    """What people call it, by language."""

    def __str__(self) -> str:
        """Return the dotted name."""
        return f"{self.zone}.{self.name}"


@dataclass(frozen=True)
class ResourceName:
    """A resource."""

    zone: str
    """The zone that it is in, "" for the hours of a calendar."""
    name: str
    """Its name there."""
    role: str = ""
    """What it is: `lane`, `officer`, `dock` …"""
    label: dict[str, str] = field(default_factory=dict)
    """What people call it, by language."""
    stable: bool | None = None
    """Whether the scenario says that its queue does not grow, whatever its load is; None: it says nothing."""

    def __str__(self) -> str:
        """Return the dotted name; of the hours of a calendar its name."""
        return f"{self.zone}.{self.name}" if self.zone else self.name


@dataclass(frozen=True)
class Names:
    """Words for the rows of the tables. They carry no meaning for a run."""

    steps: tuple[StepName, ...]
    """Steps, by the number in a visit's key."""
    marks: tuple[MarkName, ...]
    """Marks, by the number in a mark's key."""
    resources: tuple[ResourceName, ...]
    """Resources, by row of their table."""
    accounts: tuple[AccountName, ...]
    """Accounts, by row of their table."""
    statuses: tuple[str, ...]
    """Customs statuses, by number."""
    sources: tuple[str, ...]
    """Traffic entries, by row of the sources table."""
    source_flows: tuple[str, ...]
    """The flow that each source follows."""
    source_groups: tuple[str, ...]
    """What results call each source: its own name, or that of the group of entries it belongs to."""
    classes: tuple[str, ...]
    """
    Classes of tokens, by number; the first is that of tokens without one. With attributes a number for each combination
    of class and attributes.
    """
    flags: tuple[str, ...]
    """Adoption flags, by number."""
    streams: tuple[str, ...]
    """The place in the model that each random stream belongs to."""
    groups: int
    """How many groups of children JOIN can wait for."""
    notes: tuple[str, ...] = ()
    """What people should know about how the plan was made, e.g. rows of a log that lie outside the run."""
    kpis: tuple[tuple[str, KpiDeclaration], ...] = ()
    """The scenario's own KPIs by name."""
    attributes: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """Attributes of tokens by name, each with its value by number of class."""
    looks: Mapping[tuple[int, int], Look] = field(default_factory=dict)
    """Checks that pick with a lift, by the stream and the share of the branch that picks."""
    truths: Mapping[tuple[str, str], Truths] = field(default_factory=dict)
    """By entry and truth, how many have it."""

    def token(self, number: int) -> str:
        """Return what people call a token: `import_sea#12`, `import_sea#12/1` for its first child."""
        child = child_of(number)
        return f"{self.sources[source_of(number)]}#{ordinal_of(number)}" + (f"/{child}" if child else "")


@dataclass(frozen=True, eq=False)
class Plan:
    """
    A compiled scenario of one arm; arrays as declared in `TABLES`, all read-only.

    A plan is equal to itself only, so that what is worked out for it once is found again by it; `identity` says whether
    two are the same run.
    """

    program: Rows
    needs: Rows
    priorities: Ints
    shares: Floats
    distributions: Rows
    parameters: Floats
    streams: Words
    resources: Rows
    changes: Rows
    breakdowns: Rows
    calendars: Rows
    spans: Rows
    sources: Rows
    source_streams: Rows
    rates: Rows
    times: Rows
    mixes: Floats
    groups: Rows
    members: Rows
    adoptions: Rows
    adoption_shares: Floats
    adoption_streams: Words
    accounts: Rows
    window: Ints
    renewals: Rows
    limits: Rows
    factors: Rows
    factor_streams: Words
    attributes: Rows
    attribute_shares: Floats
    attribute_streams: Words
    names: Names

    def __post_init__(self) -> None:
        """Freeze the arrays."""
        for name in TABLES:
            getattr(self, name).setflags(write=False)

    def __setstate__(self, state: dict[str, object]) -> None:
        """Unpickle, and freeze again: numpy forgets the flag."""
        self.__dict__.update(state)
        self.__post_init__()

    def __getstate__(self) -> dict[str, object]:
        """Pickle without what is only read from the arrays."""
        return {name: value for name, value in self.__dict__.items() if name != "code"}

    @cached_property
    def code(self) -> list[Instruction]:
        """Return the program, with the operands of each row by name."""
        return decoded(self.program.tolist())

    @cached_property
    def identity(self) -> str:
        """Return the hash (64 hex digits) of the arrays and of the version of their meaning."""
        digest = hashlib.sha256(f"zonesim plan {MEANING}".encode())
        for name, table in TABLES.items():
            array = flat(np.ascontiguousarray(getattr(self, name)))
            if table.unless_empty and not len(array):
                continue
            digest.update(f"{name} {array.dtype.str} {array.shape}".encode())
            digest.update(array.tobytes())
        return digest.hexdigest()

    @property
    def begin(self) -> int:
        """Return the end of the warm-up in ms: measuring begins."""
        return int(self.window[0])

    @property
    def end(self) -> int:
        """Return the end of measuring in ms."""
        return int(self.window[1])

    @property
    def horizon(self) -> int:
        """Return the end of the run in ms; events at or after it do not happen."""
        return int(self.window[2])

    def needs_of(self, first: int, count: int) -> list[tuple[int, int]]:
        """Return (resource, units) of a request: `count` rows of the needs table."""
        found: list[tuple[int, int]] = self.needs[first : first + count].tolist()
        return found

    def reopenings(self, calendar: str) -> tuple[int, ...]:
        """
        Return when the hours of a calendar begin again inside the measured window, in ms; none where the plan does not
        have them, for nobody asks or they never begin anew.
        """
        found: list[int] = []
        for number, name in enumerate(self.names.resources):
            if not name.zone and name.name == calendar:
                changes = self.changes_of(number)
                found += changes["time"][(changes["units"] > 0) & (changes["time"] > 0)].tolist()
        return tuple(time for time in found if self.window[0] <= time < self.window[1])

    def changes_of(self, resource: int) -> Rows:
        """Return the capacity changes of a resource."""
        own = self.resources[resource]
        return self.changes[own["first_change"] : own["first_change"] + own["changes"]]

    @cached_property
    def stocks(self) -> frozenset[int]:
        """Return the resources whose units are brought and used up: there may be any number of them some day."""
        return frozenset(each.resource for each in self.code if each.facts.stocks)

    def most_units(self, resource: int) -> int:
        """Return the most units that a resource ever has."""
        if resource in self.stocks:
            return UNLIMITED
        return int(self.changes_of(resource)["units"].max())

    def pauses(self, resource: int) -> bool:
        """Return whether work with a resource is interrupted when more of its units are in use than there are."""
        own = self.resources[resource]
        if own["at_shift_end"] != AtShiftEnd.PAUSE:
            return False
        breaks = bool((self.breakdowns["resource"] == resource).any())
        return bool(own["preempts"]) or breaks or falls_in_part(self.changes_of(resource)["units"].tolist())

    def falls_of(self, resource: int) -> list[tuple[int, int]]:
        """
        Return (time, units that stay) of each time at which units of a resource go off duty, if nothing starts with it
        that would end too late; else nothing.
        """
        if self.resources[resource]["at_shift_end"] != AtShiftEnd.FITS:
            return []
        return [
            (time, units)
            for (_, before), (time, units) in pairwise(self.changes_of(resource).tolist())
            if units < before
        ]

    def spans_of(self, calendar: int) -> Rows:
        """Return the open spans of a calendar."""
        own = self.calendars[calendar]
        return self.spans[own["first_span"] : own["first_span"] + own["spans"]]

    def rates_of(self, source: int) -> Rows:
        """Return the rates of a source, none where its arrivals are listed or spawned."""
        return self._arrivals_of(source, ArrivalsBy.RATE, self.rates)

    def renewal_of(self, source: int) -> Rows:
        """Return the renewal by which the tokens of a source come, none where they come otherwise."""
        return self._arrivals_of(source, ArrivalsBy.RENEWAL, self.renewals)

    def limits_of(self, source: int) -> Rows:
        """Return the limits of the arrivals of a source, none where there are none."""
        found: Rows = self.limits[self.limits["source"] == source]
        return found

    def factors_of(self, source: int) -> list[int]:
        """Return the rows of the factors by which the rate of a source is multiplied."""
        return [int(row) for row in np.flatnonzero(self.factors["source"] == source)]

    def most_arrivals(self, source: int) -> int | None:
        """Return how many arrivals a source has at most, None where any number may come."""
        own = self.limits_of(source)["most"]
        return int(own[0]) if len(own) and own[0] != NOWHERE else None

    def comes_to_an_end(self, source: int) -> bool:
        """Return whether the arrivals of a source come to an end by themselves: they are listed, or limited."""
        return self.sources["arrivals"][source] == ArrivalsBy.LISTED or bool(self.limits_of(source)["ends"].any())

    @property
    def terminates(self) -> bool:
        """Return whether the run ends when it is empty: nobody comes after the window."""
        return bool((self.limits["ends"] == Ends.WINDOW).any())

    def goes_on(self, source: int) -> bool:
        """Return whether somebody may always come yet, however long a run lasts."""
        comes = self.rates_of(source)["rate"].any() or len(self.renewal_of(source))
        return bool(comes) and not self.comes_to_an_end(source)

    def times_of(self, source: int) -> Rows:
        """Return the listed arrivals of a source, none where it has a rate or is spawned."""
        return self._arrivals_of(source, ArrivalsBy.LISTED, self.times)

    def _arrivals_of(self, source: int, by: ArrivalsBy, table: Rows) -> Rows:
        own = self.sources[source]
        count = own["count"] if own["arrivals"] == by else 0
        return table[own["first"] : own["first"] + count]

    def members_of(self, group: int) -> Rows:
        """Return the firms of a group, none of NOWHERE."""
        if group == NOWHERE:
            return self.members[:0]
        own = self.groups[group]
        return self.members[own["first_member"] : own["first_member"] + own["members"]]

    def mean(self, distribution: int, klass: int) -> float:
        """Return the mean of a distribution for tokens of a class."""
        return distribution_mean(self.distributions, self.parameters, distribution, klass)

    def variance(self, distribution: int, klass: int) -> float:
        """Return the variance of a distribution for tokens of a class."""
        return distribution_variance(self.distributions, self.parameters, distribution, klass)

    def range(self, distribution: int, klass: int) -> tuple[float, float]:
        """Return the least and the greatest value (inf: no bound) of a distribution for tokens of a class."""
        return distribution_range(self.distributions, self.parameters, distribution, klass)
