"""
Planning: every arm in every future made concrete and compiled into a plan.

What arms and futures have in common is worked out once. Where planning takes long, several processes do it; the plans
are the same.
"""

from __future__ import annotations

import hashlib
import json
import pickle
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future as Answer
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import zip_longest
from math import ceil
from time import perf_counter
from typing import Final

from zonesim.experiment.execution import Execution, Progress
from zonesim.experiment.futures import Future
from zonesim.experiment.options import Option
from zonesim.experiment.starting import Workers, workers
from zonesim.experiment.store import cell_key
from zonesim.faults import MOST_TOLD, Faults, ScenarioFault
from zonesim.plan import Loads, Plan, all_loads, compile_plan, monday_offset, remember
from zonesim.policy import Arm, Change, ResolvedArm, ResolvedTree, apply, resolve, variant

_FEWEST_VARIANTS: Final = 3
"""From so many on, arms with the same measures are made concrete by way of one without edits."""

_MOST_TEXTS: Final = 2000
"""So many parts of resolved scenarios are kept as text."""

_DEEP: Final = 2
"""Levels of a resolved scenario whose parts are written by themselves: a root, and what it has by name."""

_TRIED: Final = 0.5
"""Seconds of planning after which it is asked how long the rest will take, and people are told how far it is."""

_LONG: Final = 4.0
"""Seconds from which on the rest is worth starting processes for."""

_CHUNK: Final = 0.5
"""Seconds of planning that a process is given at a time."""


@dataclass(frozen=True)
class Combination:
    """
    An arm in a future: its plan, the key of its cells, what its measures and edits changed, who follows them, and what
    is allowed of them but odd.
    """

    plan: Plan
    key: str
    tree: str
    """SHA-256 of the resolved scenario."""
    changes: tuple[Change, ...]
    shares: dict[str, float]
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Sketch:
    """What there is to plan: every one of `options` (by name) in every one of `futures`, in a world."""

    world: ResolvedTree
    options: dict[str, Option]
    futures: tuple[Future, ...]
    seed: int


@dataclass(frozen=True)
class Planned:
    """
    A planned arm: the future and the names of the arm, and of those that differ from it in their names only; the
    distance of its start from Monday 00:00 in ms, and the arm made concrete, where it was planned in this process.
    """

    future: str
    names: tuple[str, ...]
    cell: Combination
    offset: int
    arm: ResolvedArm | None = field(default=None, compare=False)
    loads: Loads | None = field(default=None, compare=False)
    """The loads of the plan, where they were worked out in another process."""


class Planner:
    """Plans the arms of a sketch, numbered future by future."""

    def __init__(self, sketch: Sketch) -> None:
        self.sketch = sketch
        alike: dict[str, list[str]] = {}
        for name, option in sketch.options.items():
            alike.setdefault(repr((_measures(option), [edit.request for edit in option.edits])), []).append(name)
        self.alike = [tuple(names) for names in alike.values()]
        """Names of the arms that differ in their names only."""
        self.uses = Counter(_measures(sketch.options[names[0]]) for names in self.alike)
        self._bases: dict[str, ResolvedArm | None] = {}
        self._texts: dict[int, tuple[object, str]] = {}

    def __len__(self) -> int:
        """Return how many arms there are to plan, in all futures."""
        return len(self.alike) * len(self.sketch.futures)

    def arm(self, number: int) -> ResolvedArm:
        """Return an arm made concrete; raises ScenarioFault."""
        future, _, option = self._at(number)
        world, measures = self.sketch.world, _measures(option)
        if measures not in self._bases:
            worthwhile = self.uses[measures] * len(self.sketch.futures) >= _FEWEST_VARIANTS
            self._bases[measures] = _base(world, option.arm) if worthwhile else None
        return _concrete(world, future, option, self._bases[measures])

    def plan(self, number: int) -> Planned:
        """Return an arm with its plan; raises ScenarioFault."""
        future, names, option = self._at(number)
        arm = self.arm(number)
        try:
            plan = compile_plan(arm)
        except Faults:  # they are told of the arm made concrete without its base
            arm = _concrete(self.sketch.world, future, option)
            plan = compile_plan(arm)
        offset = monday_offset(arm.scenario.clock.start)
        key, tree = cell_key(plan, self.sketch.seed, offset), tree_hash(arm, self._texts)
        cell = Combination(plan, key, tree, tuple(arm.changes), dict(arm.shares), tuple(arm.warnings))
        return Planned(future.name, names, cell, offset, arm)

    def _at(self, number: int) -> tuple[Future, tuple[str, ...], Option]:
        future, place = divmod(number, len(self.alike))
        names = self.alike[place]
        return self.sketch.futures[future], names, self.sketch.options[names[0]]


class Arms(Mapping[str, ResolvedArm]):
    """The arms of a sketch in its first future by name, made concrete when they are asked for."""

    def __init__(self, planner: Planner, known: Mapping[str, ResolvedArm]) -> None:
        self._planner = planner
        self._numbers = {name: number for number, names in enumerate(planner.alike) for name in names}
        self._known = dict(known)

    def __getitem__(self, name: str) -> ResolvedArm:
        """Return an arm by its name."""
        if name not in self._known:
            self._known[name] = self._planner.arm(self._numbers[name])
        return replace(self._known[name], arm=self._planner.sketch.options[name].arm)

    def __iter__(self) -> Iterator[str]:
        """Return the names in their order."""
        return iter(self._planner.sketch.options)

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._numbers)


def planned(planner: Planner, faults: list[ScenarioFault], how: Execution) -> Iterator[Planned]:
    """
    Yield every arm in every future with its plan, in order, made in the processes of `how` where it takes long.

    What is wrong goes to `faults`; no more is planned when there are many.
    """
    began, count = perf_counter(), len(planner)
    with ExitStack() as stack:
        tell: Progress | None = None
        pool: Workers | None = None
        ready: list[Answer[bytes | None]] = []
        sketch = b""
        for number in range(count):
            spent = perf_counter() - began
            if number and spent > _TRIED:
                tell = tell or stack.enter_context(how.watch.progress("plans"))
                tell(number, count)
                if pool is None and how.workers > 1 and spent / number * (count - number) > _LONG:
                    pool, sketch = stack.enter_context(workers(how.workers)), pickle.dumps(planner.sketch)
                    with suppress(BrokenProcessPool):
                        ready += [pool.submit(_elsewhere, sketch, range(0)) for _ in range(how.workers)]
                if pool is not None and all(each.done() for each in ready):  # until then it goes on here
                    size = max(1, min(round(_CHUNK * number / spent), ceil((count - number) / how.workers)))
                    chunks = [range(first, min(first + size, count)) for first in range(number, count, size)]
                    yield from _in_processes(planner, pool, sketch, chunks, faults, tell)
                    return
            yield from _here(planner, [number], faults)
            if len(faults) > MOST_TOLD:
                return


def _here(planner: Planner, numbers: Sequence[int], faults: list[ScenarioFault]) -> Iterator[Planned]:
    for number in numbers:
        if len(faults) > MOST_TOLD:
            return
        try:
            yield planner.plan(number)
        except ScenarioFault as wrong:
            faults += wrong.faults if isinstance(wrong, Faults) else [wrong]


def _in_processes(
    planner: Planner, pool: Workers, sketch: bytes, chunks: list[range], faults: list[ScenarioFault], tell: Progress
) -> Iterator[Planned]:
    """Yield what is planned in processes, a chunk of arms at a time; faults, and what is lost, are found again here."""
    answers: list[Answer[bytes | None]] = []
    with suppress(BrokenProcessPool):
        answers += [pool.submit(_elsewhere, sketch, chunk) for chunk in chunks]
    for chunk, answer in zip_longest(chunks, answers):
        try:
            found = answer.result() if answer is not None else None
        except BrokenProcessPool:
            found = None
            pool.broken = True
        yield from _here(planner, chunk, faults) if found is None else _told(found)
        if len(faults) > MOST_TOLD:
            return
        tell(chunk[-1] + 1, len(planner))


def _told(found: bytes) -> Iterator[Planned]:
    """Yield what was planned in a process, and keep the loads that it has worked out."""
    arms: list[Planned] = pickle.loads(found)  # noqa: S301  from a process that this one has started
    for each in arms:
        if each.loads is not None:
            remember(each.cell.plan, each.offset, each.loads)
        yield replace(each, loads=None)


def _elsewhere(sketch: bytes, numbers: range) -> bytes | None:
    """Return planned arms as text, in a process of its own; None where something is wrong with one of them."""
    planner = _planner(sketch)
    try:
        return pickle.dumps([_alone(planner.plan(number)) for number in numbers])
    except ScenarioFault:
        return None


def _alone(found: Planned) -> Planned:
    """Return a planned arm with its loads, which every run is asked for, and without the arm made concrete."""
    return replace(found, arm=None, loads=all_loads(found.cell.plan, found.offset))


@lru_cache(maxsize=1)
def _planner(sketch: bytes) -> Planner:
    found: Sketch = pickle.loads(sketch)  # noqa: S301  from the process that has started this one
    return Planner(found)


def first_arms(sketch: Sketch) -> Mapping[str, ResolvedArm]:
    """Return the arms of a sketch made concrete in its first future, by name; raises Faults."""
    planner = Planner(sketch)
    faults: list[ScenarioFault] = []
    found: dict[str, ResolvedArm] = {}
    for number, names in enumerate(planner.alike):
        try:
            found |= dict.fromkeys(names, planner.arm(number))
        except ScenarioFault as wrong:
            faults += wrong.faults if isinstance(wrong, Faults) else [wrong]
    if faults:
        raise Faults(faults)
    return Arms(planner, found)


def tree_hash(arm: ResolvedArm, texts: dict[int, tuple[object, str]] | None = None) -> str:
    """
    Return the SHA-256 of the resolved scenario of an arm, labels included.

    `texts` keeps what was written of the parts that arms share, with the parts, which must stay as they are.
    """
    known: dict[int, tuple[object, str]] = {} if texts is None else texts
    return hashlib.sha256(_put_together(arm.world.tree, known, _DEEP).encode()).hexdigest()


def _put_together(tree: Mapping[str, object], known: dict[int, tuple[object, str]], deep: int) -> str:
    """Return a mapping as JSON, from the texts of its parts; those of mappings are put together down to `deep`."""
    parts = (f"{json.dumps(key, ensure_ascii=False)}: {_text(part, known, deep - 1)}" for key, part in tree.items())
    return f"{{{', '.join(parts)}}}"


def _text(part: object, known: dict[int, tuple[object, str]], deep: int) -> str:
    """Return a part of a resolved scenario as JSON; texts of mappings are kept."""
    if not isinstance(part, dict):
        return json.dumps(part, ensure_ascii=False)
    if id(part) in known:
        return known[id(part)][1]
    found = _put_together(part, known, deep) if deep else json.dumps(part, ensure_ascii=False)
    if len(known) < _MOST_TEXTS:
        known[id(part)] = part, found
    return found


def _measures(option: Option) -> str:
    """Return what tells the measures of an arm from those of others."""
    return repr([(each.measure, each.params, each.start, each.zones) for each in option.arm.measures])


def _base(world: ResolvedTree, arm: Arm) -> ResolvedArm | None:
    """Return an arm without edits of its own or of a future, None where something is wrong with it."""
    try:
        return resolve(world, arm)
    except ScenarioFault:
        return None


def _concrete(world: ResolvedTree, future: Future, option: Option, base: ResolvedArm | None = None) -> ResolvedArm:
    """Return what an arm is in a future, by way of its `base` where it has one; raises ScenarioFault."""
    ahead, own = ([setting.request for setting in settings] for settings in (future.settings, option.edits))
    if base is not None and (found := variant(base, world, option.arm, ahead, own)) is not None:
        return found
    world = world.copy()
    apply(world, ahead)
    changes = apply(world, own)
    resolved = resolve(world, option.arm)
    resolved.changes[:0] = changes
    return resolved
