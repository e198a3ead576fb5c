"""Samples of doubts: futures in which every doubted value is drawn at once, each by its triangular law."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from typing import Any, Final

from zonesim import units
from zonesim.faults import UnitFault

DIGITS: Final = 6
"""Significant digits of a value that is drawn."""


def drawn(doubts: Mapping[str, tuple[Any, Any, Any]], number: int) -> list[dict[str, Any]]:
    """
    Return `number` futures: by path the value that each has there, as people write it.

    `doubts` are low, mode and high by path. A Latin hypercube: each value falls once into each of `number` slices of
    equal probability, in an order of its own (McKay, Beckman and Conover 1979). The order follows from path and number
    alone, so a further doubt leaves the values of the others as they are. Three whole numbers give whole numbers.
    """
    columns = {path: [value_at(ends, each) for each in _slices(path, number)] for path, ends in doubts.items()}
    return [{path: column[row] for path, column in columns.items()} for row in range(number)]


def triangular(probability: float, low: float, mode: float, high: float) -> float:
    """Return the quantile of the triangular law; low where low and high are one."""
    if not high > low:
        return low
    peak = (mode - low) / (high - low)
    if probability <= peak:
        return low + math.sqrt(probability * (high - low) * (mode - low))
    return high - math.sqrt((1 - probability) * (high - low) * (high - mode))


def value_at(ends: tuple[Any, Any, Any], probability: float) -> Any:  # noqa: ANN401
    """
    Return what a doubted value is at this probability, in the unit of its mode: `{uncertain: [1 h, 2 h, 3 d]}` is in
    hours. Raises UnitFault where the three are no quantities of one kind.
    """
    if all(isinstance(end, int) and not isinstance(end, bool) for end in ends):
        low, mode, high = (float(end) for end in ends)
        return round(triangular(probability, low, mode, high))
    if all(isinstance(end, int | float) for end in ends):
        low, mode, high = (float(end) for end in ends)
        return float(f"{triangular(probability, low, mode, high):.{DIGITS}g}")
    kind = _kind(ends)
    value = triangular(probability, *(units.parse(end, kind) for end in ends))
    unit = next((unit for end in (ends[1], ends[2], ends[0]) if (unit := str(end).strip("+-.0123456789 "))), "")
    return f"{value / units.UNITS[kind][unit]:.{DIGITS}g} {unit}"


def _kind(ends: tuple[Any, Any, Any]) -> str:
    """Return the kind that all three are quantities of."""
    for kind in units.UNITS:
        try:
            for end in ends:
                units.parse(end, kind)
        except UnitFault:
            continue
        return kind
    message = f"{', '.join(map(str, ends))} are not of one kind"
    raise UnitFault(message, remedy="Write low, mode and high as quantities of one kind.")


def _slices(path: str, number: int) -> list[float]:
    """Return one probability in each of `number` slices of equal probability, in the order of this path."""
    order = sorted(range(number), key=lambda row: _luck(f"{path} order {row} of {number}"))
    return [(place + _luck(f"{path} place {row} of {number}")) / number for row, place in enumerate(order)]


def _luck(name: str) -> float:
    """Return a number from 0 to 1 that is the same for the same name, whatever is drawn besides."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big") / 2**64
