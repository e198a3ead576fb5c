"""
Samples of futures in which several values are drawn at once, each by a law of its own: triangular over low, mode and
high, uniform over low and high.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

from zonesim import units
from zonesim.faults import UnitFault

DIGITS: Final = 6
"""Significant digits of a value that is drawn."""

_TWO: Final = 2


def drawn(doubts: Mapping[str, tuple[Any, Any, Any]], number: int) -> list[dict[str, Any]]:
    """
    Return `number` futures: by path the value that each has there, as people write it.

    `doubts` are low, mode and high by path. A Latin hypercube: each value falls once into each of `number` slices of
    equal probability, in an order of its own (McKay, Beckman and Conover 1979). The order follows from path and number
    alone, so a further doubt leaves the values of the others as they are. Three whole numbers give whole numbers.
    """
    columns = {path: [value_at(ends, each) for each in _slices(path, number)] for path, ends in doubts.items()}
    return [{path: column[row] for path, column in columns.items()} for row in range(number)]


def latin_hypercube(paths: Sequence[str], number: int, seed: int) -> list[dict[str, float]]:
    """
    Return `number` rows of a probability by path: each path has one in each of `number` slices of equal probability
    (McKay, Beckman and Conover 1979). What a path has follows from its name, number and seed alone, so a further path
    leaves those of the others as they are.
    """
    from scipy.stats import qmc

    columns = {
        path: qmc.LatinHypercube(1, rng=_stream(f"future {seed} {path}")).random(number)[:, 0].tolist()
        for path in paths
    }
    return [{path: columns[path][row] for path in paths} for row in range(number)]


def sobol(paths: Sequence[str], number: int, seed: int) -> list[dict[str, float]]:
    """
    Return `number` rows (a power of two) of a probability by path: a scrambled Sobol sequence (I. M. Sobol 1967,
    A. B. Owen 1998), which follows from the seed, the number of paths and their order.
    """
    from scipy.stats import qmc

    engine = qmc.Sobol(len(paths), rng=_stream(f"futures {seed}"))
    rows = engine.random_base2(number.bit_length() - 1).tolist()
    return [dict(zip(paths, row, strict=True)) for row in rows]


def triangular(probability: float, low: float, mode: float, high: float) -> float:
    """Return the quantile of the triangular law; low where low and high are one."""
    if not high > low:
        return low
    peak = (mode - low) / (high - low)
    if probability <= peak:
        return low + math.sqrt(probability * (high - low) * (mode - low))
    return high - math.sqrt((1 - probability) * (high - low) * (high - mode))


def value_at(ends: Sequence[Any], probability: float) -> Any:  # noqa: ANN401
    """
    Return what a value is at this probability, as people write it; `ends` are low, mode and high, or low and high,
    in the unit of the middle one: `[1 h, 2 h, 3 d]` is in hours. Whole numbers give whole numbers, those between two
    each as likely as the others. Raises UnitFault where the ends are no quantities of one kind.
    """
    if all(isinstance(end, int) and not isinstance(end, bool) for end in ends):
        if len(ends) == _TWO:
            return min(ends[0] + math.floor(probability * (ends[1] - ends[0] + 1)), ends[1])
        return round(_between(probability, [float(end) for end in ends]))
    if all(isinstance(end, int | float) and not isinstance(end, bool) for end in ends):
        return float(f"{_between(probability, [float(end) for end in ends]):.{DIGITS}g}")
    kind = _kind(ends)
    value = _between(probability, [units.parse(end, kind) for end in ends])
    unit = next((unit for end in (ends[1], ends[-1], ends[0]) if (unit := str(end).strip("+-.0123456789 "))), "")
    return f"{value / units.UNITS[kind][unit]:.{DIGITS}g} {unit}"


def check_range(ends: Sequence[Any], *, factor: bool = False) -> None:
    """Raise UnitFault unless the ends of a range are quantities of one kind, or factors, the lowest first."""
    if factor and not all(isinstance(end, int | float) and end > 0 for end in ends):
        raise UnitFault("expected factors above 0", remedy="Write {scale: [0.8, 1.5]}.")
    plain = all(isinstance(end, int | float) and not isinstance(end, bool) for end in ends)
    values = [float(end) for end in ends] if plain else [units.parse(end, _kind(ends)) for end in ends]
    if values != sorted(values):
        told = ", ".join(map(str, ends))
        raise UnitFault(f"the range [{told}] does not ascend", remedy="Write [low, high] or [low, mode, high].")


def _between(probability: float, ends: Sequence[float]) -> float:
    """Return the quantile of the uniform law over two ends, of the triangular law over three."""
    if len(ends) == _TWO:
        return ends[0] + probability * (ends[1] - ends[0])
    return triangular(probability, ends[0], ends[1], ends[2])


def _kind(ends: Sequence[Any]) -> str:
    """Return the kind that all ends are quantities of."""
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


def _stream(name: str) -> int:
    """Return the seed of what is drawn by this name."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big")


def _luck(name: str) -> float:
    """Return a number from 0 to 1 that is the same for the same name, whatever is drawn besides."""
    return _stream(name) / 2**64
