"""
What a comparison runs beside the scenario as it is written, so that its differences say what they are made of.

All arms with unlimited units: the direct part of what a measure does, without anybody in front. And all arms at the low
and the high end of each doubt that the regime or the scenario names (`doubts`): what a headline would be if an
assumption that nobody can settle here were another.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from zonesim.experiment.futures import BY_FUTURE, Future, doubts_of, setting_of
from zonesim.faults import Faults, Place, UnknownName
from zonesim.policy import Request, ResolvedTree, dotted, targets
from zonesim.scenario import Edit, Path_, load_catalogue

UNLIMITED_UNITS: Final = "unlimited units"

MOST_AT_AN_END: Final = 5
"""Replications at an end of a doubt: it is the shift of a difference that counts, in which pairs leave little luck."""


@dataclass(frozen=True)
class Beside:
    """
    What is run beside the first future: at one `end` of a `doubt` (its path), or where there is none, with unlimited
    units. `label`: what people call the doubt, by language; `most`: replications are these at most (None: as many
    as of the first future).
    """

    name: str
    future: Future | None = None
    doubt: str = ""
    end: str = ""
    label: tuple[tuple[str, str], ...] = ()
    most: int | None = None


def unlimited_units() -> Beside:
    """Return all arms with unlimited units, in as many replications as without."""
    return Beside(UNLIMITED_UNITS)


def ends_of_doubts(world: ResolvedTree) -> Iterator[Beside]:
    """
    Yield the low and the high end of each doubt that the regime or the scenario names.

    A path means every `uncertain` value at it or below; all of them are at one end together. One that holds none is
    passed over: it may have been settled by `--set`, or be of a flow that nobody walks. Raises Faults for a path of the
    scenario that does not exist.
    """
    catalogue = load_catalogue()
    regime = catalogue.regimes.get(str(world.tree.get("regime", "R1")))
    named: dict[str, Any] = {**(regime.doubts if regime is not None else {}), **world.tree.get("doubts", {})}
    if not named:
        return
    known = doubts_of(world)
    faults = []
    for path, label in named.items():
        place = world.key_place(("doubts", path))
        try:
            found = targets(world, Request(Edit(remove=path), "a doubt", place))
        except UnknownName as fault:
            if path in world.tree.get("doubts", {}):
                faults.append(UnknownName(f"no value at '{path}', which is doubted", place, fault.remedy))
            continue
        own = {at: value for at, value in known.items() if any(at[: len(each)] == each for each in found)}
        for end, number in (("low", 0), ("high", 2)):
            if own:
                yield _end(path, end, {at: ends[number] for at, ends in own.items()}, dict(label), place)
    if faults:
        raise Faults(faults)


def _end(path: str, end: str, values: dict[Path_, Any], label: dict[str, str], place: Place) -> Beside:
    settings = tuple(
        setting_of(dotted(at), value, factor=False, by=BY_FUTURE, place=place) for at, value in values.items()
    )
    future = Future(settings, end)
    return Beside(future.name, future, path, end, tuple(label.items()), MOST_AT_AN_END)
