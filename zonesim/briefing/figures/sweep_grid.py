"""An experiment as a grid for figures: what varies in numbers, which arms are one line, and the points between."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

from zonesim.analysis import Point, points
from zonesim.experiment import ArmInfo, Results, number_in

FEW: Final = 2
"""An axis has at least so many values."""

MOST: Final = 2
"""Axes that a figure has."""

_TOLD: Final = re.compile(r"(?P<measure>\S+) \((?P<limits>.*)\)")


@dataclass(frozen=True)
class Axis:
    """
    Something that varies in numbers: its path, other paths that vary with it, and its values in ascending order with
    the texts that say them.
    """

    path: str
    numbers: tuple[float, ...]
    texts: tuple[str, ...]
    together: tuple[str, ...] = ()

    @property
    def is_factor(self) -> bool:
        """Return whether its values multiply what the scenario says."""
        return all(text.startswith("×") for text in self.texts)

    def tick(self, number: float) -> str:
        """Return a value as it stands on an axis: as it is written, or where it is none that is written a number."""
        return self.texts[self.numbers.index(number)] if number in self.numbers else f"{number:g}"


@dataclass
class Grid:
    """
    An experiment's points by line and place on the axes.

    `tree` is the scenario as resolved in the baseline, for values that an arm does not set.
    """

    results: Results
    tree: Mapping[str, Any] = field(default_factory=dict)

    @cached_property
    def places(self) -> dict[tuple[str, str], dict[str, tuple[str, float]]]:
        """Return the coordinates of every arm in every future."""
        levers = {arm: _levers(info) for arm, info in self.results.arms.items()}
        paths = dict.fromkeys(path for own in levers.values() for path in own)
        for own in levers.values():
            for path in paths:
                default = None if path in own else _value(self.tree, path)
                number = number_in(default)
                if number is not None:
                    own[path] = (str(default), number)
        futures = {
            name: {path: (text, number) for path, text, number in info.settings if number is not None}
            for name, info in self.results.futures.items()
        }
        return {(arm, future): futures[future] | levers[arm] for arm in levers for future in futures}

    @cached_property
    def axes(self) -> list[Axis]:
        """
        Return what varies, that with most values first; what varies with another stands beside it.

        What only arms vary is an axis while there is room for it: behind two axes it tells lines apart.
        """
        found: dict[str, dict[float, str]] = {}
        columns: dict[str, list[float | None]] = {}
        for place in self.places.values():
            for path, (text, number) in place.items():
                found.setdefault(path, {}).setdefault(number, text)
        for path in found:
            columns[path] = [place[path][1] if path in place else None for place in self.places.values()]
        axes: dict[str, Axis] = {}
        for path, values in found.items():
            if len(values) < FEW:
                continue
            same = next((other for other in axes if _go_together(columns[other], columns[path])), None)
            if same is not None:
                axes[same] = Axis(same, axes[same].numbers, axes[same].texts, (*axes[same].together, path))
                continue
            numbers = tuple(sorted(values))
            axes[path] = Axis(path, numbers, tuple(values[number] for number in numbers))
        ranked = sorted(axes.values(), key=lambda axis: -len(axis.numbers))
        futures = {path for info in self.results.futures.values() for path, *_ in info.settings}
        return [axis for place, axis in enumerate(ranked) if place < MOST or axis.path in futures]

    @cached_property
    def lines(self) -> dict[str, list[str]]:
        """Return arms that are alike but for their places on the axes, by an id of the line; baseline first."""
        varied = {path for axis in self.axes for path in (axis.path, *axis.together)}
        groups: dict[tuple[object, ...], list[str]] = {}
        for arm, info in self.results.arms.items():
            # An arm that has no place on an axis, such as one without the measure that is varied, is alike to no other.
            lacking = tuple(
                axis.path
                for axis in self.axes
                if all(axis.path not in self.places[arm, f] for f in self.results.futures)
            )
            rest = tuple(edit[:2] for edit in info.edits if edit[0] not in varied)
            groups.setdefault((info.names, rest, lacking), []).append(arm)
        return {"+".join(arms): arms for arms in groups.values()}

    def table(self, kpi: str, line: str, axes: Sequence[Axis]) -> dict[tuple[float | None, ...], tuple[str, Point]]:
        """
        Return the points of a KPI on a line by place on `axes` (None: it has none there), with the future of each.

        What else varies is held at its first value.
        """
        held = [axis for axis in self.axes if axis not in axes]
        found: dict[tuple[float | None, ...], tuple[str, Point]] = {}
        for point in self._points(kpi):
            place = self.places[point.arm, point.future]
            if point.arm not in self.lines[line]:
                continue
            if any(axis.path in place and place[axis.path][1] != self._first(axis) for axis in held):
                continue
            where = tuple(place[axis.path][1] if axis.path in place else None for axis in axes)
            found.setdefault(where, (point.future, point))
        return found

    def held(self, axes: Sequence[Axis]) -> list[tuple[Axis, float]]:
        """Return what is held at one value where only `axes` are drawn, with this value."""
        return [(axis, self._first(axis)) for axis in self.axes if axis not in axes]

    def _first(self, axis: Axis) -> float:
        """Return the value that other figures hold an axis at: the one written first."""
        return next(place[axis.path][1] for place in self.places.values() if axis.path in place)

    def _points(self, kpi: str) -> list[Point]:
        if kpi not in self._known:
            self._known[kpi] = list(points(self.results, [kpi]))
        return self._known[kpi]

    _known: dict[str, list[Point]] = field(default_factory=dict, repr=False)


def _go_together(one: Sequence[float | None], other: Sequence[float | None]) -> bool:
    """Return whether each value of one path always comes with the same value of another, and the other way round."""
    pairs = set(zip(one, other, strict=True))
    return len(pairs) == len(set(one)) == len(set(other))


def _levers(info: ArmInfo) -> dict[str, tuple[str, float]]:
    """Return what an arm sets to a number: changes of its own, and parameters of its measures."""
    found = {path: (text, number) for path, text, number in info.edits if number is not None}
    for told in info.measures:
        match = _TOLD.fullmatch(told)
        for part in match["limits"].split(", ") if match else ():
            name, _, text = part.partition(" ")
            number = number_in(text)
            if number is not None and match is not None:
                found[f"{match['measure']}.{name}"] = (text, number)
    return found


def _value(tree: Mapping[str, Any], path: str) -> Any:  # noqa: ANN401  a scenario's value
    """Return the value at a dotted path of a scenario, None when there is none."""
    node: Any = tree
    for part in path.split("."):
        if not isinstance(node, Mapping) or part not in node:
            return None
        node = node[part]
    return node
