"""A plan as the kernel reads it: worked out once for all replications."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from zonesim.engine.kernel import layout as k
from zonesim.engine.room import Room, zeros
from zonesim.engine.sampling import prepared, whole
from zonesim.plan import (
    NOWHERE,
    TABLES,
    ArrivalsBy,
    BranchOn,
    Clock,
    Distribution,
    GatherBy,
    Instruction,
    Op,
    Plan,
    flat,
    ways_of,
)

_COMPOSED: Final = (Distribution.MIXTURE, Distribution.BY_CLASS, Distribution.SHIFTED)

MOST_AHEAD: Final = 16
SIDE_BY_SIDE: Final = 4
_LIKELY: Final = 0.5
"""How many draws are made when a token starts, how many at once, and from which share on a way is the usual one."""

_ASKING: Final = (Op.SEIZE, Op.EITHER)
"""Operations that ask for units."""

MOST_KEPT: Final = 8
"""How many plans are kept as the kernel reads them."""


@dataclass(frozen=True)
class KernelInput:
    """
    A plan as the kernel reads it. The tables that a run changes are as they are before anything happens; each run has
    `room` of its own for them.
    """

    state: k.Rows
    flow: k.Flow
    draws: k.Draws
    hours: k.Hours
    resources: k.Resources
    arrivals: k.Arrivals
    batches: k.Batches
    accounts: k.Rows
    most_units: k.Ints
    """The most units that each resource ever has."""
    possible: NDArray[np.bool_]
    """By row of the program, whether there ever are as many units as it asks for."""
    busy_clocks: int
    """How many clocks run only while a unit is in use."""
    spare: list[Room]
    """What runs have made room for and are done with."""

    def room(self) -> Room:
        """Return what an earlier run has made room for, or a new room."""
        try:
            return self.spare.pop()
        except IndexError:
            return Room(self.state, self.hours, self.resources, self.arrivals, self.batches, self.accounts)


_kept: dict[str, KernelInput] = {}
"""Plans as the kernel reads them by identity, the one that was asked for last at the end."""


def _deadlines_of(each: Instruction) -> int:
    """Return how many deadlines a token must have room for: notes, questions and patience name one by its number."""
    names = {operand.name for operand in each.declared}
    if "deadline" in names:
        return each.deadline + 1
    return -each.stream - 1 if "patience" in names and each.stream < NOWHERE else 0


def input_of(plan: Plan) -> KernelInput:
    """Return a plan as the kernel reads it; plans that are the same run have the same."""
    found = _kept.pop(plan.identity, None) or _input(plan)
    _kept[plan.identity] = found
    while len(_kept) > MOST_KEPT:
        _kept.pop(next(iter(_kept)), None)
    return found


def _input(plan: Plan) -> KernelInput:
    state = np.zeros(1, dtype=k.STATE)
    distributions, numbers = prepared(plan.distributions.tobytes(), plan.parameters.tobytes())
    priorities, ranked = np.unique(plan.priorities, return_inverse=True)
    program = _program(plan)
    resources, falls = _resources(plan, program)
    clocks = _clocks(plan)
    changes = _merged_changes(plan)
    places, first_place = _batch_places(plan, program)
    open_visits, groups = _number_places(program)
    _note_requests(plan, program, resources)
    _note_delays(program, distributions, numbers)
    ahead = _Ahead(plan, program)
    sources, rules, rule_rows = _sources(plan)
    needs = max((count for _, count in _requests(program, *_ASKING)), default=1)
    for name, value in {
        "begin": plan.begin,
        "end": plan.end,
        "horizon": plan.horizon,
        "left": plan.end - min(max(0, plan.begin), plan.end),
        "fresh_slot": 1,
        "fresh_batch": 1,
        "spawn_time": -1,
        "changes": len(changes),
        "sources": len(plan.sources),
        "resources": len(plan.resources),
        "clocks": len(clocks),
        "classes": max(len(plan.names.classes), 1),
        "priorities": max(len(priorities), 1),
        "members": len(plan.members),
        "node_bits": (needs - 1).bit_length(),
        "open_visits": open_visits,
        "groups": groups,
        "parties": 1 + int(plan.sources["parties"][plan.sources["group"] != NOWHERE].max(initial=0)),
        "ahead": ahead.most,
        "interruptible": (resources["preempts"] + resources["pauses"]).any(),
        "deadlines": max(map(_deadlines_of, plan.code), default=0),
        "timed": (resources["fall"] < resources["falls_end"]).any(),
    }.items():
        state[name] = value
    accounts = np.zeros(len(plan.accounts), dtype=k.ACCOUNT)
    accounts["balance"], accounts["floor"] = plan.accounts["start"], plan.accounts["least"]
    accounts["integral"] = accounts["balance"] * (plan.end - plan.begin)
    nothing = np.zeros(0, dtype=np.int64)
    most_units = np.array([plan.most_units(resource) for resource in range(len(plan.resources))], dtype=np.int64)
    possible = np.ones(len(program), dtype=np.bool_)
    for row in np.flatnonzero(program["op"] == Op.SEIZE).tolist():
        asked = plan.needs_of(int(program["seize_first_need"][row]), int(program["seize_needs"][row]))
        possible[row] = all(units <= most_units[resource] for resource, units in asked)
    for row in np.flatnonzero(program["op"] == Op.EITHER).tolist():
        possible[row] = possible[ways_of(plan.code, row)].any()
    return KernelInput(
        state,
        k.Flow(
            program,
            np.array(plan.needs),
            np.array(ranked, dtype=np.int64).ravel(),
            np.array(plan.shares).ravel(),
        ),
        k.Draws(
            np.array(distributions),
            np.array(numbers),
            np.array(plan.streams),
            k.Ahead(
                np.array(ahead.delays, dtype=np.int64),
                np.array(ahead.streams, dtype=np.uint64),
                np.array(numbers),
                np.zeros(MOST_AHEAD + SIDE_BY_SIDE, dtype=np.uint64),
            ),
        ),
        k.Hours(np.array(plan.calendars), np.array(plan.spans), np.full(len(plan.calendars), NOWHERE, dtype=np.int64)),
        k.Resources(
            resources,
            np.zeros(len(plan.resources) * int(state["priorities"][0]), dtype=k.QUEUE),
            changes,
            falls,
            clocks,
        ),
        k.Arrivals(
            sources,
            np.zeros(len(plan.sources)),
            np.array(plan.source_streams),
            np.array(plan.times),
            np.array(plan.rates),
            np.array(plan.mixes).ravel(),
            np.array(plan.members["cumulative_share"]),
            plan.members["class"].astype(np.int64),
            nothing,
            rules,
            rule_rows,
            np.zeros(0, dtype=np.bool_),
            np.array(plan.adoption_shares),
            np.array(plan.adoption_streams),
            np.array(plan.attributes),
            np.array(plan.attribute_shares),
            np.array(plan.attribute_streams),
        ),
        k.Batches(
            np.zeros(0, dtype=k.BATCH),
            np.zeros(places, dtype=np.int64),
            np.array(first_place, dtype=np.int64),
            np.full(places, NOWHERE, dtype=np.int64),
        ),
        accounts,
        most_units,
        possible,
        int(clocks["busy"].sum()),
        [],
    )


def _merged_changes(plan: Plan) -> k.Rows:
    """Return capacity changes of all resources, by (time, resource)."""
    rows = [
        (time, number, units)
        for number in range(len(plan.resources))
        for time, units in plan.changes_of(number).tolist()
        if time < plan.horizon
    ]
    return np.array(sorted(rows), dtype=k.CHANGE)


def _resources(plan: Plan, program: k.Rows) -> tuple[k.Rows, k.Rows]:
    """Return the resources, and when units go off duty where nothing starts that would not end before."""
    rows = np.zeros(len(plan.resources), dtype=k.RESOURCE)
    falls: list[tuple[int, int, int]] = []
    asked: dict[int, set[int]] = {}
    for first, count in _requests(program, *_ASKING):
        for resource, units in plan.needs_of(first, count):
            asked.setdefault(resource, set()).add(units)
    for number, (own, row) in enumerate(zip(plan.resources, rows, strict=True)):
        row["even"] = len(asked.get(number, ())) <= 1
        row["fall"] = len(falls)
        falls += [(time, units, 0) for time, units in plan.falls_of(number)]
        row["falls_end"] = len(falls)
        row["preempts"] = own["preempts"]
        row["pauses"] = plan.pauses(number)
    for number, clock in enumerate(plan.breakdowns):
        if clock["clock"] == Clock.BUSY:
            rows["clock"][clock["resource"]] = number + 1
    return rows, np.array(falls, dtype=k.FALL)


def _clocks(plan: Plan) -> k.Rows:
    rows = np.zeros(len(plan.breakdowns), dtype=k.CLOCK)
    for name in ("resource", "units", "up", "up_stream", "repair", "repair_stream"):
        rows[name] = plan.breakdowns[name]
    rows["units"][plan.breakdowns["units"] == NOWHERE] = k.ALL_UNITS
    rows["busy"] = plan.breakdowns["clock"] == Clock.BUSY
    return rows


def _batch_places(plan: Plan, program: k.Rows) -> tuple[int, list[int]]:
    """Return how many batches can form at a time, and by batch number the first of its places; place 0 is not used."""
    sizes = {int(GatherBy.SOURCE): 1, int(GatherBy.FIRM): len(plan.members) + 1}
    sizes[int(GatherBy.CLASS)] = max(len(plan.names.classes), 1)
    wanted: dict[int, int] = {}
    gathers = program[np.isin(program["op"], (Op.GATHER, Op.BOARD))]  # both have `batch` and `by` in the same columns
    for number, by in zip(gathers["gather_batch"].tolist(), gathers["gather_by"].tolist(), strict=True):
        wanted[number] = max(wanted.get(number, 0), sizes[by])
    firsts = [0] * (max(wanted, default=0) + 1)
    length = 1
    for number in sorted(wanted):
        firsts[number] = length
        length += wanted[number]
    return length, firsts


def _program(plan: Plan) -> k.Rows:
    """Return the program with room for what is worked out for the kernel."""
    rows = zeros(len(plan.program), k.INSTRUCTION)
    columns = rows.view(np.int64).reshape(len(rows), -1)
    columns[:, : len(TABLES["program"].columns)] = flat(plan.program)
    return rows


def _requests(rows: k.Rows, *ops: Op) -> Iterator[tuple[int, int]]:
    """Yield, for each row of operations on units, its first row of the needs table and how many it has."""
    for op in ops:
        own, name = rows[rows["op"] == op], op.name.lower()
        yield from zip(own[f"{name}_first_need"].tolist(), own[f"{name}_needs"].tolist(), strict=True)


def _number_places(rows: k.Rows) -> tuple[int, int]:
    """
    Number places for visits and groups of children anew in each routine, which ends with its LEAVE; return how many of
    each a token needs.
    """
    open_visits = groups = 0
    begin = 0
    for end in np.flatnonzero(rows["op"] == Op.LEAVE).tolist():
        routine = rows[begin : end + 1]
        routine["leaves_at"] = routine["step"][-1]
        slots: dict[Op, tuple[str, ...]] = dict.fromkeys(_ASKING, ("seize_slot",))
        slots |= {Op.RELEASE: ("release_slot",), Op.KEEP: ("keep_from_slot", "keep_slot")}
        open_visits = max(open_visits, _renumber(routine, slots))
        groups = max(groups, _renumber(routine, {Op.SPLIT: ("split_group",), Op.JOIN: ("join_group",)}))
        begin = end + 1
    return open_visits, groups


def _note_requests(plan: Plan, rows: k.Rows, resources: k.Rows) -> None:
    """Work out what the kernel wants to know of a SEIZE or RELEASE."""
    alone = _asked_alone(plan, rows, resources)
    timed = (resources["fall"] < resources["falls_end"]).tolist()
    interruptible = (resources["preempts"] + resources["pauses"] > 0).tolist()
    names = ("simple", "resource", "timed", "interruptible")
    for op in (Op.SEIZE, Op.RELEASE):
        noted: list[tuple[bool, int, bool, bool]] = []
        for first, count in _requests(rows, op):
            asked = [resource for resource, _ in plan.needs_of(first, count)]
            noted.append(
                (
                    len(asked) == 1 and alone[asked[0]],
                    asked[0] if asked else NOWHERE,
                    any(timed[resource] for resource in asked),
                    any(interruptible[resource] for resource in asked),
                )
            )
        for name, values in zip(names, np.array(noted, dtype=np.int64).reshape(-1, len(names)).T, strict=True):
            rows[name][rows["op"] == op] = values
    for row in np.flatnonzero(rows["op"] == Op.EITHER).tolist():
        ways = ways_of(plan.code, row)
        rows["ways"][row] = len(ways)
        rows["interruptible"][row] = rows["interruptible"][ways].any()


def _note_delays(rows: k.Rows, distributions: k.Ints, numbers: k.Floats) -> None:
    """Work out what the kernel wants to know of a DELAY."""
    found = np.flatnonzero(rows["op"] == Op.DELAY)
    kind, first, count = distributions[rows["delay_duration"][found]].T
    rows["kind"][found] = np.where(np.isin(kind, _COMPOSED), NOWHERE, kind)
    rows["first_number"][found], rows["numbers"][found] = first, count
    fixed = kind == Distribution.CONSTANT
    rows["simple"][found[fixed]] = 1
    rows["fixed_time"][found[fixed]] = [whole(number) for number in numbers[first[fixed]].tolist()]


class _Ahead:
    """
    The draws that are made when a token starts: for each place where tokens start, how long the delays on its most
    usual way take and which way its branches go, as far as they depend on nothing else; and the class of who arrives.
    """

    def __init__(self, plan: Plan, rows: k.Rows) -> None:
        self.delays: list[int] = []
        """The DELAY of each draw, -1 for one whose random bits are kept. Each place has a multiple of four."""
        self.streams: list[int] = []
        self.most = 0
        rows["ahead"] = NOWHERE
        classes = {
            int(own["first_row"]): int(streams["class"])
            for own, streams in zip(plan.sources, plan.source_streams, strict=True)
            if own["mix"] != NOWHERE
        }
        self.ways = _Ways(plan, rows)
        starts = set(plan.sources["first_row"].tolist())
        starts |= set(rows["split_child"][rows["op"] == Op.SPLIT].tolist())
        for start in sorted(starts):
            self._add(plan, rows, start, classes.get(start))

    def _add(self, plan: Plan, rows: k.Rows, start: int, class_stream: int | None) -> None:
        begin = len(self.delays)
        rows["ahead_first"][start], rows["ahead_class"][start] = begin, NOWHERE
        for place in self.ways.usual_draws(start):
            row = rows[place]
            is_delay = row["op"] == Op.DELAY
            row["ahead"] = len(self.delays) - begin
            self.delays.append(place if is_delay else NOWHERE)
            self.streams.append(int(plan.streams[row["delay_stream" if is_delay else "branch_stream"]]))
        if class_stream is not None:
            rows["ahead_class"][start] = len(self.delays) - begin
            self.delays.append(NOWHERE)
            self.streams.append(class_stream)
        rows["ahead_count"][start] = len(self.delays) - begin
        while (len(self.delays) - begin) % SIDE_BY_SIDE:
            self.delays.append(NOWHERE)
            self.streams.append(0)
        self.most = max(self.most, len(self.delays) - begin)


class _Ways:
    """The way that a token most often takes."""

    def __init__(self, plan: Plan, rows: k.Rows) -> None:
        ops = rows["op"]
        shares = (ops == Op.BRANCH) & (rows["branch_on"] == BranchOn.SHARE)
        likely = np.zeros(len(rows), dtype=np.bool_)
        if shares.any():
            likely[shares] = plan.shares.mean(axis=1)[rows["branch_share"][shares]] > _LIKELY
        drawn = (ops == Op.DELAY) & (rows["simple"] == 0) & (rows["kind"] >= 0)
        self.draws: list[bool] = (shares | drawn).tolist()
        self.ends: list[bool] = ((ops == Op.LEAVE) | ((ops == Op.JUMP) & (rows["jump_again"] != 0))).tolist()
        following = np.where(ops == Op.JUMP, rows["jump_target"], np.arange(1, len(rows) + 1))
        self.following: list[int] = np.where(likely, rows["branch_target"], following).tolist()

    def usual_draws(self, start: int) -> list[int]:
        """Return the draws on the way from `start` on, up to the end or a way back."""
        found: list[int] = []
        place = start
        while len(found) < MOST_AHEAD and not self.ends[place]:
            if self.draws[place]:
                found.append(place)
            place = self.following[place]
        return found


def _asked_alone(plan: Plan, program: k.Rows, resources: k.Rows) -> list[bool]:
    """
    Return the resources of which all ask one unit and nothing else, and where it does not matter how long, whether
    somebody is interrupted, and what a clock counts.
    """
    watched = resources["preempts"] + resources["pauses"] + resources["clock"] > 0
    alone: list[bool] = ((resources["fall"] == resources["falls_end"]) & ~watched).tolist()
    for op in (*_ASKING, Op.RELEASE, Op.KEEP):
        for first, count in _requests(program, op):
            for resource, units in plan.needs_of(first, count):
                alone[resource] &= op != Op.EITHER and units == 1 and (count == 1 or op == Op.KEEP)
    return alone


def _renumber(routine: k.Rows, operands: dict[Op, tuple[str, ...]]) -> int:
    """Number, from 0 on and in their order, what these operands of a routine name; return how many there are."""
    columns = [(routine["op"] == op, name) for op, names in operands.items() for name in names]
    named = np.unique(np.concatenate([routine[name][rows] for rows, name in columns]))
    named = named[named >= 0]
    for rows, name in columns:
        before = routine[name][rows]
        routine[name][rows] = np.where(before >= 0, np.searchsorted(named, before), NOWHERE)
    return len(named)


def _sources(plan: Plan) -> tuple[k.Rows, k.Rows, k.Rows]:
    """Return the sources, and the flags of each that depend on the token with their rules."""
    rows = np.zeros(len(plan.sources), dtype=k.SOURCE)
    for name in ("first_row", "arrivals", "first", "count", "group", "parties", "mix", "batch"):
        rows[name] = plan.sources[name]
    rows["klass"] = plan.sources["class"]
    rows["most"] = np.where(rows["arrivals"] == ArrivalsBy.LISTED, rows["count"], k.FOREVER)
    rows["most"][rows["count"] == 0] = 0
    for source, _, most, _ in plan.limits[plan.limits["most"] != NOWHERE].tolist():
        rows["most"][source] = min(int(rows["most"][source]), most)
    for source in np.flatnonzero(rows["arrivals"] == ArrivalsBy.RENEWAL).tolist():
        (own,) = plan.renewal_of(source)
        for name in ("gap", "calendar", "begins"):
            rows[name][source] = own[name]
        rows["until"][source] = min(int(own["until"]), plan.horizon)
        if own["calendar"] != NOWHERE:
            spans = plan.spans_of(own["calendar"])
            opened = np.clip(own["begins"], spans["opens"], spans["closes"]) - spans["opens"]
            rows["open_before"][source] = opened.sum()
    rows["first_attribute"] = np.searchsorted(plan.attributes["source"], np.arange(len(rows)))
    rows["attributes"] = np.bincount(plan.attributes["source"], minlength=len(rows))
    rules: list[tuple[int, ...]] = []
    asked: list[int] = []
    """Rows of the adoptions table."""
    for number, flags in enumerate(_special_flags(plan)):
        rows["first_rule"][number], rows["rules"][number] = len(rules), len(flags)
        for flag, own in flags.items():
            rules.append((flag, len(asked), len(own)))
            asked += own
    rule_rows = np.zeros(len(asked), dtype=k.FLAG_RULE)
    rule_rows["row"] = asked
    for name in ("by", "party", "begins", "until"):
        rule_rows[name] = plan.adoptions[name][asked]
    return rows, np.array(rules, dtype=k.FLAG_RULES), rule_rows


def _special_flags(plan: Plan) -> Iterator[dict[int, list[int]]]:
    """Yield by source the flags that depend on the token, each with its rows of the adoptions table."""
    for source in range(len(plan.sources)):
        flags: dict[int, list[int]] = {}
        for row in np.flatnonzero(plan.adoptions["source"] == source).tolist():
            flags.setdefault(int(plan.adoptions["flag"][row]), []).append(row)
        yield flags
