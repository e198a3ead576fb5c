"""
A shelf of plans for a page that simulates: every combination of some measures, and what levers change in each.

A plan is a set of named tables. Equal tables stand on the shelf once. A lever's level is what differs from the plan
without it. It is worked out where there are no measures, or with the one measure alone that the lever is a parameter
of, and carried over to other combinations: tables that are equal there change in the same way; shares of adoption are
found again by what they are drawn with, laws by their numbers. Several levers compose by putting their changes on top
of each other. Neither is taken on trust: for each combination the plan with every lever at its first level, and that
with every lever at its last, are compiled as well, and what the shelf puts together has to equal them, table by table.
Where it does not, the levers in question are worked out in that combination, or are set apart.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import combinations
from typing import Any, Final

from zonesim.experiment.carrying import Origin, carried
from zonesim.experiment.grouping import Touched, attributed, grouped, touched_by
from zonesim.experiment.shelf_tables import Change, Tables, composed, difference, same, split_tables
from zonesim.experiment.starting import Workers, workers
from zonesim.kpi import Asked, asked_of
from zonesim.plan import ArrivalsBy, Plan, StepName, compile_plan
from zonesim.policy import Arm, Chosen, ResolvedTree, apply, baseline, parse_setting, resolve

MOST_MEASURES: Final = 6
"""Every combination of so many is compiled: 64 plans."""

MOST_WORKED_OUT: Final = 2
"""Combinations up to which levers that change the program stand on a shelf unasked: each is worked out in each."""

Say = Callable[[str], None]
Told = Callable[[int], None]
Levels = list[dict[str, Change]]


@dataclass(frozen=True)
class Lever:
    """
    Something that can be set: at each level by the `--set` of `settings` (none: as the file has it, which is one of
    them); `texts` say in both languages what a level is.

    `everywhere`: it is what nobody chooses, the same in both arms; else it is set in the arm with measures alone.
    `needs`: the measure that it is a parameter of. `assumed`: it is a number that somebody has assumed. `asked`: it was
    asked for, whatever it takes.
    """

    key: str
    settings: tuple[tuple[str, ...], ...]
    texts: tuple[Mapping[str, str], ...]
    label: Mapping[str, str]
    everywhere: bool = False
    needs: str = ""
    assumed: bool = False
    asked: bool = False

    @property
    def usual(self) -> int:
        """Return the level that changes nothing."""
        return self.settings.index(())

    @property
    def changed(self) -> list[int]:
        """Return the levels that change something."""
        return [level for level, setting in enumerate(self.settings) if setting]


@dataclass
class Shelved:
    """
    A combination of measures: its tables, what its rows mean for KPIs, names of its steps, and by lever and level what
    changes. `rates`: first row and number of the rates of each source. `sources` and `members`: how many there are.
    `beside`: what somebody asked of the plan. `apart`: by lever that does not compose with all others here, those with
    which it must not be moved.
    """

    measures: tuple[str, ...]
    tables: Tables
    asked: Asked
    steps: tuple[StepName, ...]
    window: tuple[int, int, int]
    rates: tuple[tuple[int, int], ...]
    members: int
    beside: Any = None
    levers: dict[str, Levels] = field(default_factory=dict)
    apart: dict[str, list[str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Sketch:
    """What there is to compile: combinations of measures in a world, with levers."""

    world: ResolvedTree
    packages: tuple[tuple[Chosen, ...], ...]
    levers: tuple[Lever, ...]
    beside: Callable[[Plan], Any] | None = None

    def plan(self, package: int, settings: Sequence[str] = ()) -> Plan:
        """Return the plan of a combination with settings."""
        return plan_with(self.world, self.packages[package], settings)

    def home(self, lever: Lever) -> int:
        """Return the combination in which a lever is worked out: none of the measures, or the one that it is of."""
        return [tuple(each.measure for each in own) for own in self.packages].index((lever.needs,) * bool(lever.needs))


def plan_with(world: ResolvedTree, package: Sequence[Chosen], settings: Sequence[str]) -> Plan:
    """Return the plan of an arm of some measures in a world with settings; raises Faults for what does not compile."""
    arm = Arm("+".join(each.measure for each in package), tuple(package)) if package else baseline(world)
    changed = world.copy()
    apply(changed, [parse_setting(text) for text in settings])
    return compile_plan(resolve(changed, arm))


def shelf(
    world: ResolvedTree,
    measures: Sequence[Chosen],
    levers: Sequence[Lever],
    count: int = 1,
    say: Say = lambda _: None,
    beside: Callable[[Plan], Any] | None = None,
) -> list[Shelved]:
    """
    Return every combination of some measures, the one without any first; raises Faults for what does not compile.
    Compiled in `count` processes. A lever that changes the program, and was not asked for, is left out of a shelf of
    more than MOST_WORKED_OUT combinations. `beside`: a function of a module, what else is asked of each plan.
    """
    packages = tuple(each for size in range(len(measures) + 1) for each in combinations(measures, size))
    sketch = Sketch(world, packages, tuple(levers), beside)
    homes = {lever.key: sketch.home(lever) for lever in levers}
    with ExitStack() as stack:
        pool = _Pool(sketch, stack.enter_context(workers(count)) if count > 1 else None, count)
        changes = _changes(pool, levers, [homes[lever.key] for lever in levers], say)
        origins = {}
        for place, lever in enumerate(levers):
            own = [changes.get((place, level), {}) for level in range(len(lever.settings))]
            costly = len(packages) > MOST_WORKED_OUT and any("flow.program" in level for level in own)
            if costly and not lever.asked:
                continue
            origins[lever.key] = _origin(_base(pool.own, homes[lever.key]), own)
        given = [(package, origins) for package in range(len(packages))]
        return pool.each(_combination, given, lambda done: say(f"plan {done} of {len(packages)}"))


def _changes(
    pool: _Pool, levers: Sequence[Lever], homes: Sequence[int], say: Say
) -> dict[tuple[int, int], dict[str, Change]]:
    """Return by lever and level what is changed at home: the last level of each, then others of several at once."""
    last = sorted((home, place, levers[place].changed[-1]) for place, home in enumerate(homes))
    told = "levers {} of {}".format
    found = pool.each(_level, last, lambda done: say(told(done, len(last))))
    changes = {(place, level): own for (_, place, level), own in zip(last, found, strict=True)}
    asked = []
    for home in dict.fromkeys(homes):
        own = {place: touched_by(changes[place, levers[place].changed[-1]]) for each, place, _ in last if each == home}
        for group in grouped(own):
            others = {place: levers[place].changed[:-1] for place in group if len(levers[place].changed) > 1}
            for turn in range(max(map(len, others.values()), default=0)):
                # Each lever at another of its levels than the one beside it, so that the check sees other plans.
                levels = [
                    (place, own_others[(turn + number) % len(own_others)])
                    for number, (place, own_others) in enumerate(others.items())
                    if turn < len(own_others)
                ]
                asked.append((home, levels, [own[place] for place, _ in levels]))
    for (_, levels, _), each in zip(asked, pool.each(_several, asked, lambda _: None), strict=True):
        changes |= dict(zip(levels, each, strict=True))
    return changes


class _Pool:
    """Does things here until processes that were started for them are ready, and then there."""

    def __init__(self, sketch: Sketch, pool: Workers | None, count: int) -> None:
        self.own = pickle.dumps(sketch)
        self._pool = pool
        self._ready = [pool.submit(_nothing) for _ in range(count)] if pool is not None else []

    def each(
        self, call: Callable[..., Any], given: Sequence[tuple[Any, ...]], told: Callable[[int], None]
    ) -> list[Any]:
        """Return the answers of a call of the sketch with each of the given, in their order."""
        found: list[Any] = []
        while len(found) < len(given) and not (self._pool and all(each.done() for each in self._ready)):
            found.append(call(self.own, *given[len(found)]))
            told(len(found))
        if self._pool is None or len(found) == len(given):
            return found
        try:
            answers = [self._pool.submit(call, self.own, *each) for each in given[len(found) :]]
            for answer in answers:
                found.append(answer.result())
                told(len(found))
        except BrokenProcessPool:  # the rest is done here
            self._pool.broken = True
            self._pool = None
            found += self.each(call, given[len(found) :], told)
        return found


def _nothing() -> None:
    """Be there."""


@lru_cache(maxsize=1)
def _read(sketch: bytes) -> Sketch:
    found: Sketch = pickle.loads(sketch)  # noqa: S301  from the process that has started this one
    return found


@lru_cache(maxsize=8)
def _base(sketch: bytes, package: int) -> Shelved:
    """Return a combination as it is without levers."""
    own = _read(sketch)
    plan = own.plan(package)
    return replace(_shelved(plan, own.packages[package]), beside=own.beside(plan) if own.beside is not None else None)


def _level(sketch: bytes, package: int, lever: int, level: int) -> dict[str, Change]:
    """Return what a level of a lever changes in the tables of a combination."""
    own = _read(sketch)
    settings = own.levers[lever].settings[level]
    return difference(_base(sketch, package).tables, split_tables(own.plan(package, settings))) if settings else {}


def _several(
    sketch: bytes, package: int, levels: Sequence[tuple[int, int]], touched: Sequence[Touched]
) -> list[dict[str, Change]]:
    """Return what levels of some levers change, from one plan with all of them where that tells."""
    own = _read(sketch)
    settings = [text for lever, level in sorted(levels) for text in own.levers[lever].settings[level]]
    found = attributed(difference(_base(sketch, package).tables, split_tables(own.plan(package, settings))), touched)
    return found if found is not None else [_level(sketch, package, *each) for each in levels]


def _origin(base: Shelved, levels: Levels) -> Origin:
    touched = {name for level in levels for name in level}
    names = touched | {"adoption_streams", "draws.distributions"}
    return Origin(levels, {name: table for name, table in base.tables.items() if name in names})


def _combination(sketch: bytes, package: int, origins: Mapping[str, Origin]) -> Shelved:
    """Return a combination of measures with its levers."""
    own, base = _read(sketch), _base(sketch, package)
    found = replace(base, levers={}, apart={})
    for place, lever in enumerate(own.levers):
        if lever.key not in origins or (lever.needs and lever.needs not in found.measures):
            continue
        levels = carried(origins[lever.key], found.tables)
        found.levers[lever.key] = levels if levels is not None else _here(sketch, package, place)
    _check(sketch, package, found)
    return found


def _here(sketch: bytes, package: int, lever: int) -> Levels:
    """Return what the levels of a lever change in a combination, worked out there."""
    return [_level(sketch, package, lever, level) for level in range(len(_read(sketch).levers[lever].settings))]


def with_levels(own: Shelved, levels: Mapping[str, int]) -> Tables:
    """Return the tables of a combination with levers at some levels."""
    return composed(own.tables, [own.levers[key][level] for key, level in levels.items() if key in own.levers])


def _shelved(plan: Plan, package: Sequence[Chosen]) -> Shelved:
    begin, end, horizon = plan.window.tolist()
    names = tuple(each.measure for each in package)
    rates = [
        (int(plan.sources["first"][source]), len(plan.rates_of(source)) if by == ArrivalsBy.RATE else 0)
        for source, by in enumerate(plan.sources["arrivals"])
    ]
    window = (begin, end, horizon)
    return Shelved(names, split_tables(plan), asked_of(plan), plan.names.steps, window, tuple(rates), len(plan.members))


# --- the check


def _check(sketch: bytes, package: int, own: Shelved) -> None:
    """
    Set levers apart that change one table, one of them the whole of it, and others until what is put together is the
    plan that is compiled with all that are left, at their first levels and at their last.

    What is wrong is worked out here before it is set apart. A lever that is set apart is tried with those with which it
    may be moved.
    """
    every = [lever for lever in _read(sketch).levers if lever.key in own.levers]
    there: list[Lever] = []
    for lever in every:
        if not any(_collide(own, lever, other) for other in there):
            there.append(lever)
    anew: set[str] = set()
    while wrong := _wrong(sketch, package, own, there):
        doubted = [each for each in reversed(there) if wrong & _touched(own, each)] or there[-1:]
        if fresh := [each for each in doubted if each.key not in anew]:
            for lever in fresh:
                own.levers[lever.key] = _here(sketch, package, _read(sketch).levers.index(lever))
                anew.add(lever.key)
        else:
            there.remove(doubted[0])
    for lever in every:
        if lever in there:
            continue
        free = [each for each in there if not _touched(own, lever) & _touched(own, each)]
        while wrong := _wrong(sketch, package, own, [*free, lever]):
            if not free:
                own.levers[lever.key] = _here(sketch, package, _read(sketch).levers.index(lever))
                break
            free.remove(next((each for each in reversed(free) if wrong & _touched(own, each)), free[-1]))
        own.apart[lever.key] = [each.key for each in every if each is not lever and each not in free]


def _collide(own: Shelved, one: Lever, other: Lever) -> bool:
    """Return whether two levers change one table, one of them the whole of it, which the other does by its words."""
    for name in _touched(own, one) & _touched(own, other):
        changes = [level[name] for lever in (one, other) for level in own.levers[lever.key] if name in level]
        if any(each.whole is not None for each in changes) and not _by_units(own, one, other, name):
            return True
    return False


def _by_units(own: Shelved, one: Lever, other: Lever, name: str) -> bool:
    """Return whether one of two levers changes nothing but units in a table, and the other none."""
    of_units = [
        {level[name].units is not None for level in own.levers[lever.key] if name in level} for lever in (one, other)
    ]
    return of_units in ([{True}, {False}], [{False}, {True}])


def _touched(own: Shelved, lever: Lever) -> set[str]:
    return {name for level in own.levers[lever.key] for name in level}


def _wrong(sketch: bytes, package: int, own: Shelved, there: Sequence[Lever]) -> set[str]:
    """Return the tables in which plans with levers at their first, or last, levels are not what is put together."""
    wrong: set[str] = set()
    for end in (-1, 0):
        levels = {lever.key: lever.changed[end] for lever in there}
        settings = [text for lever in there for text in lever.settings[levels[lever.key]]]
        truth = split_tables(_read(sketch).plan(package, settings))
        made = with_levels(own, levels)
        wrong |= {name for name in truth if not same(truth[name], made.get(name))}
        wrong |= {name for name in made.keys() - truth.keys() if len(made[name])}
        if wrong or all(len(lever.changed) == 1 for lever in there):
            break
    return wrong
