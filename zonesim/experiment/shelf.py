"""
A shelf of plans for a page that simulates: every combination of some measures, and what levers change in each.

A plan is a set of named tables. Equal tables stand on the shelf once. A lever's level is what differs from the plan
without it: whole tables, or single words of 32 bits of them. Where a lever changes rates or units alone, the same
tables do for every combination; of other levers it is worked out for each. Several levers compose by putting their
changes on top of each other. That is not taken on trust: for each combination the plan with every lever at its last
level is compiled as well, and what the shelf puts together has to equal it, table by table.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from zonesim.engine import tables_of
from zonesim.experiment.starting import workers
from zonesim.kpi import Asked, asked_of
from zonesim.plan import ArrivalsBy, Plan, StepName, compile_plan
from zonesim.policy import Arm, Chosen, ResolvedTree, apply, baseline, parse_setting, resolve

MOST_MEASURES: Final = 6
"""Every combination of so many is compiled: 64 plans."""

_LANE: Final = 4
"""Bytes of a word that a patch changes."""

Tables = dict[str, NDArray[Any]]


@dataclass(frozen=True)
class Lever:
    """
    Something that can be set: at each level by the `--set` of `settings` (none: as the file has it, which is one of
    them); `texts` say in both languages what a level is.

    `everywhere`: it is what nobody chooses, the same in both arms; else it is set in the arm with measures alone.
    `needs`: the measure that it is a parameter of. `assumed`: it is a number that somebody has assumed.
    """

    key: str
    settings: tuple[tuple[str, ...], ...]
    texts: tuple[Mapping[str, str], ...]
    label: Mapping[str, str]
    everywhere: bool = False
    needs: str = ""
    assumed: bool = False

    @property
    def usual(self) -> int:
        """Return the level that changes nothing."""
        return self.settings.index(())


@dataclass(frozen=True)
class Change:
    """What a level changes in a table: all of it, or the words at some places."""

    whole: NDArray[Any] | None = None
    places: NDArray[np.uint32] | None = None
    words: NDArray[np.uint32] | None = None

    def applied_to(self, table: NDArray[Any]) -> NDArray[Any]:
        """Return a table with the change."""
        if self.whole is not None:
            return self.whole
        assert self.places is not None  # noqa: S101  words stand at places
        assert self.words is not None  # noqa: S101
        found = np.array(table)
        _words(found)[self.places] = self.words
        return found


@dataclass
class Shelved:
    """
    A combination of measures: its tables, what its rows mean for KPIs, names of its steps, and by lever and level what
    changes. `rates`: first row and number of the rates of each source. `sources` and `members`: how many there are.
    `apart`: by lever that does not compose with all others here, those with which it must not be moved.
    """

    measures: tuple[str, ...]
    tables: Tables
    asked: Asked
    steps: tuple[StepName, ...]
    window: tuple[int, int, int]
    rates: tuple[tuple[int, int], ...]
    members: int
    levers: dict[str, list[dict[str, Change]]] = field(default_factory=dict)
    apart: dict[str, list[str]] = field(default_factory=dict)


def shelf(
    world: ResolvedTree,
    measures: Sequence[Chosen],
    levers: Sequence[Lever],
    count: int = 1,
    say: Callable[[str], None] = lambda _: None,
) -> list[Shelved]:
    """
    Return every combination of some measures, the one without any first; raises Faults for what does not compile.
    Compiled in `count` processes.
    """
    packages = [each for size in range(len(measures) + 1) for each in combinations(measures, size)]
    first = _combination(world, packages[0], levers, {})
    simple = {key: levels for key, levels in first.levers.items() if _is_simple(levels)}
    found = [first]
    with workers(count) as pool:
        for each in [pool.submit(_combination, world, package, levers, simple) for package in packages[1:]]:
            found.append(each.result())
            say(f"plan {len(found)} of {len(packages)}")
    return found


def _combination(
    world: ResolvedTree,
    package: Sequence[Chosen],
    levers: Sequence[Lever],
    simple: Mapping[str, list[dict[str, Change]]],
) -> Shelved:
    """Return a combination of measures; `simple` are the levers that change the same in all."""
    own = _shelved(_plan(world, package, ()), package)
    for lever in levers:
        if lever.key in simple:
            own.levers[lever.key] = simple[lever.key]
        elif not lever.needs or lever.needs in own.measures:
            own.levers[lever.key] = _levels(world, package, lever, own.tables)
    _check(world, package, own, levers)
    return own


def composed(own: Shelved, levels: Mapping[str, int]) -> Tables:
    """Return the tables of a combination with levers at some levels."""
    tables = dict(own.tables)
    for key, level in levels.items():
        for name, change in own.levers.get(key, [{}] * (level + 1))[level].items():
            tables[name] = change.applied_to(tables.get(name, np.zeros(0, np.uint32)))
    return tables


def _plan(world: ResolvedTree, package: Sequence[Chosen], settings: Sequence[str]) -> Plan:
    arm = Arm("+".join(each.measure for each in package), tuple(package)) if package else baseline(world)
    changed = world.copy()
    apply(changed, [parse_setting(text) for text in settings])
    return compile_plan(resolve(changed, arm))


def _shelved(plan: Plan, package: Sequence[Chosen]) -> Shelved:
    begin, end, horizon = plan.window.tolist()
    names = tuple(each.measure for each in package)
    rates = [
        (int(plan.sources["first"][source]), len(plan.rates_of(source)) if by == ArrivalsBy.RATE else 0)
        for source, by in enumerate(plan.sources["arrivals"])
    ]
    window = (begin, end, horizon)
    return Shelved(names, split_tables(plan), asked_of(plan), plan.names.steps, window, tuple(rates), len(plan.members))


def split_tables(plan: Plan) -> Tables:
    """
    Return the tables of a plan, taken apart where levers change parts: changes of capacity by resource, rates by source
    (without what is expected before, which follows from them), the numbers of laws by law.
    """
    found = dict(tables_of(plan))
    del found["ahead.numbers"]
    state = np.array(found["state"])
    state["changes"] = 0
    found["state"] = state
    changes = found.pop("resources.changes")
    for resource in range(len(plan.resources)):
        found[f"changes/{resource}"] = changes[changes["resource"] == resource]
    rates = found.pop("arrivals.rates")
    found["rates/begins"], found["rates/rate"] = np.array(rates["begins"]), np.array(rates["rate"])
    if not np.array_equal(expected_before(rates, plan), rates["expected_before"]):
        found["rates/expected"] = np.array(rates["expected_before"])
    numbers, laws = found.pop("draws.numbers"), found["draws.distributions"]
    place = int((laws[:, 1] + laws[:, 2]).max(initial=0))
    found["numbers/0"] = numbers[:place]
    count = 1
    while place < len(numbers):
        after = place + 3 + 2 * (int(numbers[place + 2]) + 2)
        found[f"numbers/{count}"] = numbers[place:after]
        place, count = after, count + 1
    return found


def expected_before(rates: NDArray[Any], plan: Plan) -> NDArray[np.float64]:
    """Return how many arrivals are expected before each row of the rates, added up row by row within each source."""
    found = np.zeros(len(rates))
    for source in range(len(plan.sources)):
        own = plan.rates_of(source)
        if len(own) == 0:
            continue
        first = int(plan.sources["first"][source])
        steps = np.diff(own["begins"]) * own["rate"][:-1]
        found[first + 1 : first + len(own)] = np.cumsum(steps)
    return found


def _levels(world: ResolvedTree, package: Sequence[Chosen], lever: Lever, base: Tables) -> list[dict[str, Change]]:
    """Return by level what a lever changes in the tables of a combination."""
    return [
        difference(base, split_tables(_plan(world, package, setting))) if setting else {} for setting in lever.settings
    ]


def difference(base: Tables, other: Tables) -> dict[str, Change]:
    """Return what has to change in some tables so that they are the others."""
    found: dict[str, Change] = {}
    for name, table in other.items():
        before = base.get(name)
        if before is not None and before.nbytes == table.nbytes:
            one, two = _words(before), _words(table)
            places = np.flatnonzero(one != two)
            if len(places) == 0:
                continue
            if len(places) < len(two) // 4:
                found[name] = Change(None, places.astype(np.uint32), two[places])
                continue
        found[name] = Change(np.array(table))
    for name in base.keys() - other.keys():
        found[name] = Change(np.zeros(0, np.uint32))
    return found


def _is_simple(levels: Sequence[Mapping[str, Change]]) -> bool:
    """Return whether a lever changes rates or units of resources alone, which no measure has a part in."""
    return all(name.startswith(("changes/", "rates/")) for level in levels for name in level)


def _check(world: ResolvedTree, package: Sequence[Chosen], own: Shelved, levers: Sequence[Lever]) -> None:
    """
    Set levers apart that change one table, one of them the whole of it, and others until what is put together is the
    plan that is compiled with all that are left.

    A lever that is set apart is tried with those with which it may be moved; of one that changes units alone that has
    been shown where there are no measures.
    """
    every = [lever for lever in levers if lever.key in own.levers]
    there: list[Lever] = []
    for lever in every:
        if not any(_collide(own, lever, other) for other in there):
            there.append(lever)
    while wrong := _wrong(world, package, own, there):
        there.remove(next((each for each in reversed(there) if wrong & _touched(own, each)), there[-1]))
    for lever in every:
        if lever in there:
            continue
        free = [each for each in there if not _touched(own, lever) & _touched(own, each)]
        shown = package and _is_simple(own.levers[lever.key])
        alone = not shown and bool(_wrong(world, package, own, [*free, lever]))
        own.apart[lever.key] = [each.key for each in every if each is not lever and (alone or each not in free)]


def _collide(own: Shelved, one: Lever, other: Lever) -> bool:
    """Return whether two levers change one table, one of them the whole of it."""
    common = _touched(own, one) & _touched(own, other)
    return any(
        level[name].whole is not None
        for lever in (one, other)
        for level in own.levers[lever.key]
        for name in common & level.keys()
    )


def _touched(own: Shelved, lever: Lever) -> set[str]:
    return {name for level in own.levers[lever.key] for name in level}


def _wrong(world: ResolvedTree, package: Sequence[Chosen], own: Shelved, there: Sequence[Lever]) -> set[str]:
    """Return the tables in which a plan with some levers at their last levels is not what is put together."""
    levels = {lever.key: _last(lever) for lever in there}
    truth = split_tables(_plan(world, package, [text for lever in there for text in lever.settings[_last(lever)]]))
    made = composed(own, levels)
    wrong = {name for name in truth if not _same(truth[name], made.get(name))}
    return wrong | {name for name in made.keys() - truth.keys() if len(made[name])}


def _last(lever: Lever) -> int:
    """Return the last level that changes something."""
    return max(place for place, setting in enumerate(lever.settings) if setting)


def _same(one: NDArray[Any], other: NDArray[Any] | None) -> bool:
    return other is not None and one.tobytes() == other.tobytes()


def _words(table: NDArray[Any]) -> NDArray[np.uint32]:
    """Return the words of a table; bytes that do not fill one are padded."""
    data = np.ascontiguousarray(table)
    flat = data.view(np.uint8).reshape(-1) if data.nbytes else np.zeros(0, np.uint8)
    if len(flat) % _LANE:
        flat = np.concatenate([flat, np.zeros(_LANE - len(flat) % _LANE, np.uint8)])
    return flat.view(np.uint32)


# --- packing


class Packing:
    """
    Tables as one string of bytes that compresses well: each as words of 32 bits, column by column of its rows, each
    word less the one above it; those of one name side by side. A table is called by a number.
    """

    def __init__(self) -> None:
        self._known: dict[tuple[str, int, bytes], int] = {}
        self._tables: list[tuple[str, NDArray[np.uint32]]] = []

    def add(self, name: str, table: NDArray[Any], width: int = 0) -> int:
        """Return the number of a table, whose rows have so many bytes (0: its own items)."""
        width = max((width or table.itemsize) // _LANE, 1)
        words = _words(table)
        key = (name, width, words.tobytes())
        if key not in self._known:
            self._known[key] = len(self._tables)
            rows = words.reshape(-1, width) if len(words) % width == 0 else words.reshape(-1, 1)
            self._tables.append((name, rows))
        return self._known[key]

    def packed(self) -> tuple[list[list[int]], bytes]:
        """Return of each table its rows, words of a row and group, and the bytes of all, group by group."""
        groups: dict[tuple[str, int], list[int]] = {}
        for number, (name, rows) in enumerate(self._tables):
            groups.setdefault((name, rows.shape[1]), []).append(number)
        index = [[0, 0, 0]] * len(self._tables)
        parts: list[bytes] = []
        for group, members in enumerate(groups.values()):
            for number in members:
                rows = self._tables[number][1]
                index[number] = [*rows.shape, group]
            parts += self._columns(members)
        return index, b"".join(parts)

    def _columns(self, members: Sequence[int]) -> Iterator[bytes]:
        for column in range(self._tables[members[0]][1].shape[1]):
            for number in members:
                words = np.array(self._tables[number][1][:, column])
                words[1:] -= self._tables[number][1][:-1, column]
                yield words.tobytes()
