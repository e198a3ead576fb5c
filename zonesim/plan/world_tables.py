"""The tables that all traffic entries share: shares, resources, calendars, adoption."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Final, TypeVar

from zonesim import units
from zonesim.faults import Place, ScenarioFault, UnknownName, suggest
from zonesim.limits import LONGEST_RUN_YEARS, MOST_CHANGES, MOST_STEPS
from zonesim.plan.adoption import Adoptions
from zonesim.plan.binding import find_account, find_resource, is_waited_for
from zonesim.plan.calendars import (
    Days,
    Span,
    capacity_changes,
    falls_in_part,
    joined,
    open_spans,
    periodic_spans,
    settled,
    spans_above_0,
    staffing_changes,
)
from zonesim.plan.distribution_rows import Distributions
from zonesim.plan.operations import AtShiftEnd
from zonesim.plan.plan import UNLIMITED, AccountName, Look, MarkName, ResourceName, StepName, Truths
from zonesim.plan.reach import Reach
from zonesim.plan.tables import Collector, Keyed, Numbered, Streams, Table
from zonesim.plan.token_classes import Possible, TokenClasses, diagonal
from zonesim.plan.traces import Traces
from zonesim.policy import Firm, ResolvedArm, generate
from zonesim.scenario import Path_
from zonesim.scenario.fields import RelativeShare, ShareBy, check_ratio, ends_of, mode_of
from zonesim.scenario.kpis import Scope
from zonesim.scenario.lots import IN_CHINESE
from zonesim.scenario.models import Account, Resource, Staffing
from zonesim.scenario.traces import Run

Value = TypeVar("Value")


def lot_account(account: str, kind: str, unit: str) -> str:
    """Return the name of the account of a unit of the lots of a kind."""
    return f"{account}_{kind}_{unit}"


LONGEST_RUN: Final = LONGEST_RUN_YEARS * 366 * units.DAY
"""Longest run in ms."""

MOST_STATUSES = 62
"""Statuses that the bits of one number can tell apart."""


@dataclass
class Obligation:
    """A deadline for a mark as it is written, and by flow where its tokens note it."""

    due: Any
    flows: dict[str, Place] = field(default_factory=dict)


class WorldTables:
    """Tables of a plan under construction, and what the scenario says about the whole world."""

    def __init__(self, arm: ResolvedArm) -> None:
        self.arm = arm
        self.scenario = arm.scenario
        self.faults = Collector()
        self.reach = Reach(arm)
        clock = self.scenario.clock
        self.warm_up = round(units.parse(mode_of(clock.warm_up), "duration"))
        self.measured = self.warm_up + round(units.parse(mode_of(clock.measure), "duration"))
        self.horizon = self.measured + round(units.parse(mode_of(clock.cool_down), "duration"))
        self.terminates = clock.ends == "empty"
        if self.horizon > LONGEST_RUN:
            place = arm.world.place(("clock",))
            self.faults.add(ScenarioFault("the run is longer than a hundred years", place, "Write `measure: 4 week`."))
            self.horizon = LONGEST_RUN
        self.days = self._days()
        self.traces = Traces(arm, Run(self.days.start, self.measured if self.terminates else self.horizon))
        self.faults.faults += self.traces.faults
        self.firms: list[Firm] = generate(self.scenario.firms) if self.scenario.firms else []
        self.tokens = TokenClasses(arm, self.firms, self.reach, self.traces, self.faults)
        self.classes = self.tokens.classes
        self.adoptions = Adoptions(self.horizon)
        self.steps: Numbered[StepName] = Numbered()
        self.marks: Numbered[MarkName] = Numbered()
        self.groups: Keyed[tuple[str, ...]] = Keyed()
        self.limits: dict[tuple[Scope, str, int], dict[str, None]] = {}
        """What is told within a time: the flows or steps, by scope, KPI of the library, and limit (ms)."""
        self.batches: Keyed[tuple[str, ...]] = Keyed()
        self.streams = Streams()
        self.distributions = Distributions()
        self.shares: Table[tuple[float, ...]] = Table()
        self.priorities: Table[tuple[int, ...]] = Table()
        self.needs: Table[tuple[int, int]] = Table()
        self.resources: Keyed[ResourceName] = Keyed()
        self.capacities: list[tuple[list[Span], int, str]] = []
        self.calendars: Table[tuple[str, bool]] = Table()
        self.composed: dict[str, list[Span]] = {}
        self._spans: dict[tuple[str, bool], list[Span]] = {}
        self._changes = 0
        self._written = 0
        self.deadlines: dict[str, dict[str, None]] = {}
        """Deadlines, in the order of their numbers, with the flows whose tokens note them."""
        self.obligations: dict[tuple[str, str], Obligation] = {}
        """By deadline and the mark that it is for."""
        self.looks: dict[tuple[int, int], Look] = {}
        self.truths: dict[tuple[str, str], Truths] = {}
        """What `Names` says of checks that pick with a lift, and of how many have a truth."""
        self.accounts: Keyed[AccountName] = Keyed()
        self.account_rows: list[tuple[int, int]] = []
        self.statuses = list(self.scenario.statuses)
        self.legal, self.passing = self._successors(), self._passing()
        self._declare_resources()

    def _days(self) -> Days:
        """Return the days of the run with its holidays; a run beyond the years of their table is a fault."""
        clock = self.scenario.clock
        warm_up = self.warm_up // units.DAY
        days = Days.of(clock.start, warm_up=warm_up)
        if clock.holidays is None:
            return days
        place = self.arm.world.place(("clock", "holidays"))
        known = self.scenario.holidays
        if clock.holidays not in known:
            remedy = suggest(clock.holidays, known, "holidays")
            self.faults.add(UnknownName(f"no holidays '{clock.holidays}'", place, remedy))
            return days
        table = known[clock.holidays]
        last = days.date(max(self.horizon - 1, 0) // units.DAY)
        missing = [year for year in range(days.start.year, last.year + 1) if table.years and year not in table.years]
        if missing:
            years = ", ".join(str(year) for year in table.years)
            self.faults.add(
                ScenarioFault(
                    f"the run goes from {days.start} to {last}, but holidays '{clock.holidays}' are known for {years}",
                    place,
                    "Choose another start, or write a table of your own under `holidays`.",
                )
            )
        return Days.of(clock.start, table, warm_up)

    def truth_share(self, truth: str, possible: Possible) -> int:
        """Return the row of shares of a hidden truth."""
        return self.shares.add(self.truth_rates(truth, possible).mode)

    def truth_rates(self, truth: str, possible: Possible) -> Truths:
        """Return how many have a hidden truth: what is told by another class may be less or more."""
        return Truths(*(self._truth_rates(truth, possible, end) for end in range(3)))

    def _truth_rates(self, truth: str, possible: Possible, end: int) -> tuple[float, ...]:
        """Return the share of a truth by class, with the least (`end` 0), the mode (1) or the most (2) of doubts."""
        place = self.arm.world.place(("truth", truth))
        declared = self.scenario.truth[truth]

        def by_number(by: str, shares: Mapping[str, Any]) -> list[float]:
            """Return the share of each combination, where shares are given by one attribute."""
            rows = {
                name: by_number(share.by, share.__pydantic_extra__ or {})
                if isinstance(share, ShareBy)
                else [rate(share, shares)] * len(self.classes)
                for name, share in shares.items()
            }
            none = [0.0] * len(self.classes)
            return diagonal(self.tokens.per_class(rows, possible, none, place, by=by, truth=True))

        def rate(share: Any, shares: Mapping[str, Any]) -> float:  # noqa: ANN401
            """Return a share, or so many times another of the `shares`, 1 at most."""
            if isinstance(share, RelativeShare):
                return min(1.0, check_ratio(ends_of(share.times)[end]) * units.parse_share(mode_of(shares[share.of])))
            return units.parse_share(mode_of(share))

        return tuple(by_number(declared.by, declared.shares()))

    # --- resources and calendars

    def _declare_resources(self) -> None:
        for zone_name, zone in self.scenario.zones.items():
            for name, entry in zone.entries().items():
                if isinstance(entry, Resource):
                    label = {str(language): text for language, text in entry.label.items()}
                    self.resources.add(
                        (zone_name, name),
                        ResourceName(
                            zone_name, name, entry.role, label, None if entry.stable == "computed" else entry.stable
                        ),
                    )
                    self.capacities.append(self._capacity(zone_name, name, entry, free=zone.outside))
                elif isinstance(entry, Account):
                    label = {str(language): text for language, text in entry.label.items()}
                    self.accounts.add((zone_name, name), AccountName(zone_name, name, entry.unit, label))
                    self.account_rows.append((entry.account, entry.floor))
                    self._declare_lots(zone_name, name, entry)
                    if is_waited_for(entry):  # what is above its floor are units, of which there may be more some day
                        self.resources.add((zone_name, name), ResourceName(zone_name, name, label=label))
                        units = [(0, entry.account - entry.floor)]
                        self.capacities.append((units, UNLIMITED, AtShiftEnd.FINISH.name.lower()))

    def _declare_lots(self, zone: str, name: str, entry: Account) -> None:
        """Declare an account for every unit of every kind of lot; a name that is taken is noted as a fault."""
        for kind, lot in entry.lots.items():
            for unit, number in lot.holds.items():
                own = lot_account(name, kind, unit)
                if own in self.scenario.zones[zone].entries():
                    place = self.arm.world.key_place(("zones", zone, own))
                    fault = f"'{own}' is the account of the lots of '{name}' too"
                    self.faults.add(ScenarioFault(fault, place, "Rename it."))
                both = ((name, entry.label), (kind, lot.label))
                whole, part = ({"en": written, "zh": written} | dict(label) for written, label in both)
                label = {
                    "en": f"{whole['en']}: {part['en']}, {unit}",
                    "zh": f"{whole['zh']}（{part['zh']}，{IN_CHINESE.get(unit, unit)}）",
                }
                self.accounts.add((zone, own), AccountName(zone, own, unit, label))
                self.account_rows.append((lot.start * number, 0))

    def lots_of(self, account: int) -> Account | None:
        """Return an account as it is written, if it has lots."""
        name = self.accounts.rows[account]
        entry = self.scenario.zones[name.zone].entries()[name.name]
        return entry if isinstance(entry, Account) and entry.lots else None

    def account(self, dotted: Any, place: Place) -> int:  # noqa: ANN401
        """Return the number of an account; raises UnknownName."""
        zone, name = find_account(dotted, self.scenario, place)
        return self.accounts.add((zone, name), AccountName(zone, name))

    def stock(self, dotted: Any, place: Place) -> tuple[int, int]:  # noqa: ANN401
        """Return the numbers, as account and as resource, of an account that is waited for; raises ScenarioFault."""
        account = self.account(dotted, place)
        if not self.is_stock(account):
            name = self.accounts.rows[account]
            fault = f"nobody waits for account {name}"
            raise ScenarioFault(fault, place, "Give it `short: wait`, or write `set: {debit: …}` here.")
        return account, self.resource(dotted, place)

    def is_stock(self, account: int) -> bool:
        """Return whether tokens wait for an account."""
        name = self.accounts.rows[account]
        return is_waited_for(self.scenario.zones[name.zone].entries()[name.name])

    # --- statuses

    def _successors(self) -> list[int]:
        """Return, for each customs status, the bits of those that may follow it."""
        masks: list[int] = []
        for name, status in self.scenario.statuses.items():
            mask = 0
            for other in status.to:
                if other in self.statuses:
                    mask |= 1 << self.statuses.index(other)
                else:
                    place = self.arm.world.key_place(("statuses", name, "to", other))
                    self.faults.add(UnknownName(f"no status '{other}'", place, suggest(other, self.statuses)))
            masks.append(mask)
        if len(masks) > MOST_STATUSES:
            place = self.arm.world.place(("statuses",))
            self.faults.add(ScenarioFault(f"more than {MOST_STATUSES} statuses", place, "Leave some out."))
        return masks

    def _passing(self) -> dict[str, int]:
        """Return, for each mark that not every status passes, the bits of those that do."""
        masks: dict[str, int] = {}
        for number, status in enumerate(self.scenario.statuses.values()):
            for mark in status.passes:
                masks[mark] = masks.get(mark, 0) | 1 << number
        return masks

    def status(self, name: str, place: Place) -> int:
        """Return the number of a customs status; raises UnknownName."""
        if name not in self.statuses:
            raise UnknownName(f"no status '{name}'", place, suggest(name, self.statuses, "statuses"))
        return self.statuses.index(name)

    # --- calendars

    def _capacity(self, zone: str, name: str, entry: Resource, *, free: bool) -> tuple[list[Span], int, str]:
        """
        Return when how many units are there, the most there are, and the rule at closing; zones may change in a run.
        """
        path = ("zones", zone, name)
        phases = [(0, entry)]
        for start, later in self.arm.phases:
            own = later.zones[zone].entries()[name]
            assert isinstance(own, Resource)  # noqa: S101  edits with a start change units and opening only
            phases.append((start, own))
        changes: list[Span] = []
        opened: list[Span] = []
        most = 0
        for (start, own), (end, _) in pairwise([*phases, (self.horizon, entry)]):
            try:
                steps, spans = self._course(own, path, free=free)
            except ScenarioFault as fault:
                self.faults.add(fault)
                steps, spans = [(0, _most_units(own, free=free))], [(0, self.horizon)]
            most = max(most, _most_units(own, free=free))
            opened = joined(opened, [(max(a, start), min(b, end)) for a, b in spans if a < end and b > start])
            now = [units for time, units in steps if time <= start][-1]
            changes += [(start, now), *((time, units) for time, units in steps if start < time < end)]
        if not opened:
            place = self.arm.world.place((*path, "units" if isinstance(entry.units, Staffing) else "open"))
            fault_ = f"{zone}.{name} is never open in this run"
            self.faults.add(ScenarioFault(fault_, place, "Choose other opening hours."))
        if len({own.open for _, own in phases}) > 1 or any(isinstance(own.units, Staffing) for _, own in phases):
            self.composed[f"hours of {zone}.{name}"] = opened
        return settled(changes), most, entry.at_shift_end

    def _course(self, entry: Resource, path: Path_, *, free: bool) -> tuple[list[Span], list[Span]]:
        """
        Return how many units of a resource there would be when in this run, and the spans in which there are any;
        raises ScenarioFault.
        """
        if isinstance(entry.units, Staffing):
            shifts = entry.units.shifts()
            self._count_changes(2 * shifts.most_parts * -(-self.horizon // units.DAY))
            steps = staffing_changes(shifts, self.days, self.horizon)
            steps = settled([(time, UNLIMITED if free and count else count) for time, count in steps])
            return steps, spans_above_0(steps, self.horizon)
        place = self.arm.world.place((*path, "open"))
        self.check_opens(entry.open, place)
        spans = [span for span in self.spans(entry.open, place) if span[0] < span[1]]
        self._count_changes(2 * len(spans))
        return capacity_changes(spans, _most_units(entry, free=free), self.horizon), spans

    def spans(self, calendar: str, place: Place, *, whole_days: bool = False) -> list[Span]:
        """Return the open spans of a calendar in this run, or the days on which it opens; raises UnknownName."""
        if calendar in self.composed:
            return self.composed[calendar]
        if calendar not in self.scenario.calendars:
            raise UnknownName(
                f"no calendar '{calendar}'", place, suggest(calendar, self.scenario.calendars, "calendars")
            )
        key = (calendar, whole_days)
        if key not in self._spans:
            entry = self.scenario.calendars[calendar]
            hours, period = entry.hours(), entry.period()
            if every := period[0]:
                self._count_changes(2 * -(-self.horizon // every))
                self._spans[key] = periodic_spans(period, self.horizon, whole_days=whole_days)
            else:
                self._count_changes(2 * hours.most_parts * -(-self.horizon // units.DAY))
                self._spans[key] = open_spans(hours, self.days, self.horizon, whole_days=whole_days)
        return self._spans[key]

    def check_opens(self, calendar: str, place: Place) -> None:
        """Raise ScenarioFault where a calendar has moments alone, at which nothing is open."""
        spans = self.spans(calendar, place)
        if spans and all(begin == end for begin, end in spans):
            fault = f"'{calendar}' has moments alone and is never open for any time"
            raise ScenarioFault(fault, place, 'Write opening hours such as "08:30-17:00", or give it `lasts`.')

    def _count_changes(self, count: int) -> None:
        """Count openings and closings that are about to be laid out; raises ScenarioFault when they are too many."""
        self._changes += count
        if self._changes > MOST_CHANGES:
            fault = f"more than {MOST_CHANGES:,} openings and closings in this run"
            place = self.arm.world.place(("clock", "measure"))
            raise ScenarioFault(fault, place, "Simulate a shorter time, or with fewer opening hours.")

    def may_write(self, place: Place) -> bool:
        """Count a step that is about to be written; note a fault and return False when they are too many."""
        self._written += 1
        if self._written == MOST_STEPS + 1:
            fault = f"more than {MOST_STEPS:,} steps, those of called flows counted at every call"
            self.faults.add(ScenarioFault(fault, place, "Look for flows that call flows that call flows."))
        return self._written <= MOST_STEPS

    def resource(self, dotted: Any, place: Place) -> int:  # noqa: ANN401
        """Return the number of a resource; raises UnknownName."""
        zone, name = find_resource(dotted, self.scenario, place)
        return self.resources.add((zone, name), ResourceName(zone, name))

    def hours(self, calendar: str, place: Place) -> int | None:
        """
        Return the number of the hours of a calendar, a resource of no zone and without limit that is there while the
        calendar is open; None where it is open, or shut, during the whole run. Raises ScenarioFault.
        """
        self.check_opens(calendar, place)
        spans = [span for span in self.spans(calendar, place) if span[0] < span[1]]
        if not spans or spans == [(0, self.horizon)]:
            return None
        number = self.resources.add(("", calendar), ResourceName("", calendar))
        if number == len(self.capacities):
            changes = capacity_changes(spans, UNLIMITED, self.horizon)
            self._count_changes(len(changes))
            self.capacities.append((changes, UNLIMITED, AtShiftEnd.FINISH.name.lower()))
        return number

    def begins_open(self, calendar: str, place: Place) -> bool:
        """Return whether a calendar is open when the run starts; raises UnknownName."""
        return any(begin <= 0 < end for begin, end in self.spans(calendar, place)[:1])

    def path_of(self, resource: int) -> tuple[str, str, str]:
        """Return where in the world a resource is written."""
        name = self.resources.rows[resource]
        return ("zones", name.zone, name.name)

    def largest_capacity(self, resource: int) -> int:
        """Return the most units a resource ever has."""
        return self.capacities[resource][1]

    def starts_only_what_fits(self, resource: int) -> bool:
        """Return whether nothing starts with a resource that would not end before it closes."""
        return self.capacities[resource][2] == AtShiftEnd.FITS.name.lower()

    def resource_entry(self, resource: int) -> Resource | None:
        """Return what is written of a resource, None for hours and for one of a zone outside: they are never short."""
        name = self.resources.rows[resource]
        zone = self.scenario.zones.get(name.zone)
        entry = zone.entries()[name.name] if zone is not None and not zone.outside else None
        return entry if isinstance(entry, Resource) else None

    def preempts(self, resource: int) -> bool:
        """Return whether who is more important takes a unit of a resource from who is served."""
        entry = self.resource_entry(resource)
        return entry is not None and entry.preempt

    def interrupts(self, resource: int) -> bool:
        """
        Return whether work with a resource can be interrupted: it preempts, or pauses when units break down or leave
        while others stay.
        """
        entry = self.resource_entry(resource)
        if entry is None:
            return False
        leave = falls_in_part([count for _, count in self.capacities[resource][0]])
        return entry.preempt or (entry.at_shift_end == "pause" and (leave or entry.breakdowns != "none"))

    def pausing_calendar(self, resource: int) -> str | None:
        """Return the calendar in whose open time work with this resource counts, if its work pauses at closing."""
        name = self.resources.rows[resource]
        entry = self.scenario.zones[name.zone].entries()[name.name]
        if not isinstance(entry, Resource) or entry.at_shift_end != "pause":
            return None
        composed = f"hours of {name}"
        return composed if composed in self.composed else entry.open

    def calendar(self, name: str, place: Place, *, whole_days: bool = False) -> int:
        """
        Return the number of a calendar that holds are counted in, with `whole_days` of the days on which it opens.

        Raises UnknownName.
        """
        self.spans(name, place)
        return self.calendars.add((name, whole_days))

    def resource_rows(self) -> tuple[list[tuple[int, int, int, int]], list[Span]]:
        """Return the resources table and the changes table."""
        rows: list[tuple[int, int, int, int]] = []
        changes: list[Span] = []
        for resource, (own, _, rule) in enumerate(self.capacities):
            entry = self.resource_entry(resource)
            preempts = entry is not None and entry.preempt
            rows.append((len(changes), len(own), int(AtShiftEnd[rule.upper()]), int(preempts)))
            changes += own
        return rows, changes

    def calendar_rows(self) -> tuple[list[tuple[int, int]], list[tuple[int, int, int]]]:
        """Return the calendars table and the spans table."""
        rows: list[tuple[int, int]] = []
        spans: list[tuple[int, int, int]] = []
        for name, whole_days in self.calendars.rows:
            own = self.spans(name, Place(self.arm.world.file), whole_days=whole_days)
            rows.append((len(spans), len(own)))
            before = 0
            for begin, end in own:
                spans.append((begin, end, before))
                before += end - begin
        return rows, spans


def _most_units(entry: Resource, *, free: bool) -> int:
    """Return the most units that a resource is written with."""
    if free or entry.units == "unlimited":
        return UNLIMITED
    if isinstance(entry.units, Staffing):
        return max(count for day in entry.units.shifts().by_key.values() for *_, count in day)
    return int(mode_of(entry.units))
