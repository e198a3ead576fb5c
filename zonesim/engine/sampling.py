"""
Sampling by inversion: one uniform number makes one value, so changed parameters keep ranks.

`prepare` is called once when an engine loads a plan. It turns parameters into what a draw needs; laws without a closed
inverse get tables of their quantile function in a variable in which it is smooth, read by cubic Hermite interpolation:
PERT in w = u ** (1 / shape) from the low side and the like from the high side, gamma and Erlang in the quantile of the
normal law, gamma of a shape below 1/4 by its logarithm in that of the Gumbel law. Their error is below 1e-8 of the
value or of the mean, far below the millisecond to which durations are rounded. A normal law cut off above its mean is
inverted from its upper tail, and far above it (`_beyond`) by what a value has beyond the cut.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from zonesim.compiled.arithmetic import (
    beta_integral,
    exp,
    gamma_integrals,
    log,
    log_beta,
    log_gamma,
    mills_ratio,
    normal_quantile,
    normal_share,
    power,
)
from zonesim.compiled.jit import inlined, kernel
from zonesim.compiled.streams import uniform
from zonesim.plan import TABLES, Distribution, Rows
from zonesim.units import LARGEST

Index = NDArray[np.int64]
Numbers = NDArray[np.float64]
Table = tuple[str, float, float]
"""Name and two numbers of a table of quantiles."""

CELLS: Final = 128
GAMMA_CELLS: Final = 1024
SMALL_GAMMA_CELLS: Final = 2048
"""Cells of the two quantile tables of a PERT law, and of the one of a gamma law, also of one with a small shape."""

_NORMAL_END: Final = 8.3
"""The table of a gamma law reaches to this normal quantile, beyond that of the smallest uniform number."""

_SMALL_SHAPE: Final = 0.25
"""Below this shape the quantiles of a gamma law span too many magnitudes for a table of their values."""

_GUMBEL_END: Final = 36.8
"""The table of a gamma law with a small shape reaches to this Gumbel quantile, beyond that of the largest number."""

_NEGLIGIBLE: Final = 1e-10
"""It begins at this part of the mean: below, the power law of small values holds to so many parts of itself."""

_FAR: Final = 30.0
_ALL: Final = 1e7
"""
From so many standard deviations above the mean on, what lies beyond the cut of a normal law is inverted by itself;
from the second on it is below the last digit of the cut.
"""

_LARGEST: Final = 1.0 - 2.0**-53
_MIDDLE: Final = 0.5
_TINY: Final = 1e-290
_LITTLE: Final = 0.7
_HALF_LOG_TWO_PI: Final = 0.91893853320467274178

_CONSTANT: Final = int(Distribution.CONSTANT)
_UNIFORM: Final = int(Distribution.UNIFORM)
_TRIANGULAR: Final = int(Distribution.TRIANGULAR)
_PERT: Final = int(Distribution.PERT)
_EXPONENTIAL: Final = int(Distribution.EXPONENTIAL)
_LOGNORMAL: Final = int(Distribution.LOGNORMAL)
_DISCRETE: Final = int(Distribution.DISCRETE)
_MIXTURE: Final = int(Distribution.MIXTURE)
_BY_CLASS: Final = int(Distribution.BY_CLASS)
_SHIFTED: Final = int(Distribution.SHIFTED)
_EMPIRICAL: Final = int(Distribution.EMPIRICAL)
_WEIBULL: Final = int(Distribution.WEIBULL)
_GAMMA: Final = int(Distribution.GAMMA)


# --- draws
# --------------------------------------------------------------------------------------------------------------------


@inlined
def draw_ms(
    index: Index,
    numbers: Numbers,
    row: int,
    klass: int,
    key: np.uint64,
    stream: np.uint64,
    ordinal: int,
    child: int,
    loop_count: int,
) -> int:
    """Return a value of a prepared law, rounded once to a whole number that is not negative."""
    return whole(sample(index, numbers, row, uniform(key, stream, ordinal, child, loop_count), klass))


@inlined
def whole(value: float) -> int:
    """Return a value rounded to a whole number that is not negative, nor longer than any run by far."""
    return max(math.floor(min(value, LARGEST) + 0.5), 0)


@inlined
def sample(index: Index, numbers: Numbers, row: int, u: float, klass: int) -> float:
    """Return the quantile of a prepared law at u, for tokens of class `klass`."""
    offset, factor = 0.0, 1.0
    kind, first, count = index[row, 0], index[row, 1], index[row, 2]
    while kind in (_MIXTURE, _BY_CLASS, _SHIFTED):
        if kind == _BY_CLASS:
            row = int(numbers[first + klass])
        elif kind == _SHIFTED:
            row = int(numbers[first])
            offset += factor * numbers[first + 1]
            factor *= numbers[first + 2]
        else:
            part = first
            below = 0.0
            while u >= numbers[part + 1] and part + 2 < first + count:
                below = numbers[part + 1]
                part += 2
            # The uniform number is stretched over its part, so that one serves for both choices.
            u = min(max((u - below) / (numbers[part + 1] - below), 2.0**-54), _LARGEST)
            row = int(numbers[part])
        kind, first, count = index[row, 0], index[row, 1], index[row, 2]
    return offset + factor * quantile(numbers, kind, first, count, u)


@kernel
def quantile_at(index: Index, numbers: Numbers, row: int, u: float) -> float:
    """Return the quantile of a prepared law at u, for those who have no class."""
    return sample(index, numbers, row, u, 0)


@inlined
def quantile(numbers: Numbers, kind: int, first: int, count: int, u: float) -> float:
    """Return the quantile at u of a prepared law that is not put together of others."""
    if kind == _CONSTANT:
        return numbers[first]
    if kind == _EXPONENTIAL:
        return -numbers[first] * log(1.0 - u)
    if kind == _PERT:
        return numbers[first] + numbers[first + 1] * _pert(numbers, first, u)
    if kind == _LOGNORMAL:
        return exp(numbers[first] + numbers[first + 1] * normal_quantile(u))
    if kind == _UNIFORM:
        return numbers[first] + u * (numbers[first + 1] - numbers[first])
    if kind == _TRIANGULAR:
        low, mode, high = numbers[first], numbers[first + 1], numbers[first + 2]
        rising = u * (high - low) < mode - low  # no branch: it could not be foreseen
        root = math.sqrt((u if rising else 1.0 - u) * (high - low) * (mode - low if rising else high - mode))
        return low + root if rising else high - root
    if kind == _DISCRETE:
        part = first
        while u >= numbers[part + 1] and part + 2 < first + count:
            part += 2
        return numbers[part]
    if kind == _GAMMA:
        return numbers[first] * _gamma(numbers, first, u)
    if kind == _WEIBULL:
        return numbers[first] * _weibull(numbers, first, u)
    if kind == _EMPIRICAL:
        place = u * (count - 1)
        cell = min(int(place), count - 2)
        return numbers[first + cell] + (place - cell) * (numbers[first + cell + 1] - numbers[first + cell])
    return numbers[first] + numbers[first + 1] * _normal(numbers, first, u)


@kernel
def _normal(numbers: Numbers, first: int, u: float) -> float:
    """Return the quantile of the standard normal law given that it is above the cut."""
    below, above, cut = numbers[first + 2], numbers[first + 3], numbers[first + 4]
    if cut > 0.0:
        return cut + _beyond(cut, -log(1.0 - u))
    if above > 0.0:
        return -normal_quantile(above * (1.0 - u))
    return normal_quantile(min(below + u * (1.0 - below), _LARGEST))


@kernel
def _weibull(numbers: Numbers, first: int, u: float) -> float:
    """Return the quantile of the Weibull law of scale 1; a large shape makes much of the digits that 1 - u loses."""
    rest = 1.0 - u
    return power(-log(rest) * (u / (1.0 - rest)) if rest < 1.0 else u, numbers[first + 1])


@kernel
def _beyond(cut: float, more: float) -> float:
    """
    Return how far beyond `cut` the upper tail of the standard normal law is e ** `more` times smaller than at it.

    With the tail as density times Mills' ratio, (cut + d) ** 2 / 2 - log mills(cut + d) is known; d is found by putting
    it in, which divides the error by cut ** 2 each time.
    """
    there = mills_ratio(cut)
    d = 0.0
    for _ in range(8):
        y = max(more + log(mills_ratio(cut + d) / there), 0.0)
        d = 2.0 * y / (cut + math.sqrt(cut * cut + 2.0 * y))
    return d


@kernel
def _pert(numbers: Numbers, first: int, u: float) -> float:
    """Return the quantile of the beta law behind a PERT law."""
    if u < _MIDDLE:
        return _read(numbers, int(numbers[first + 4]), power(u, numbers[first + 2]))
    return 1.0 - _read(numbers, int(numbers[first + 5]), power(1.0 - u, numbers[first + 3]))


@kernel
def _gamma(numbers: Numbers, first: int, u: float) -> float:
    """Return the quantile of the gamma law of scale 1."""
    table, per_shape = int(numbers[first + 1]), numbers[first + 2]
    if per_shape == 0.0:
        return _read(numbers, table, normal_quantile(u))
    under = log(u)
    gumbel = -log(-under)
    more = _read(numbers, table, gumbel) if gumbel > numbers[table] else 0.0
    return exp(under * per_shape + numbers[first + 3] + more)


@kernel
def _read(numbers: Numbers, table: int, w: float) -> float:
    """
    Return the value of a table at w: start, cells per unit, last cell, then value and slope (per cell) at each
    node.
    """
    place = (w - numbers[table]) * numbers[table + 1]
    cell = min(max(int(place), 0), int(numbers[table + 2]))
    t = place - cell
    node = table + 3 + 2 * cell
    left, left_slope, right, right_slope = numbers[node], numbers[node + 1], numbers[node + 2], numbers[node + 3]
    step = right - left
    return left + t * (
        left_slope + t * ((3.0 * step - 2.0 * left_slope - right_slope) + t * (left_slope + right_slope - 2.0 * step))
    )


# --- preparing
# ----------------------------------------------------------------------------------------------------------------


def prepare(index: Rows, numbers: Numbers) -> tuple[Index, Numbers]:
    """Return laws and numbers as draws want them; call once for a plan. Rows keep their places."""
    rows: list[tuple[int, int, int]] = []
    out: list[float] = []
    tables: dict[Table, int] = {}
    pending: list[tuple[int, Table]] = []
    for kind, first, count in index.tolist():
        own = [float(value) for value in numbers[first : first + count]]
        new_kind, new_own, wanted = _prepared(Distribution(kind), own)
        rows.append((int(new_kind), len(out), len(new_own)))
        pending += [(len(out) + position, table) for position, table in wanted]
        out += new_own
    for position, table in pending:
        if table not in tables:
            tables[table] = len(out)
            out += _table(*table)
        out[position] = float(tables[table])
    return np.array(rows, dtype=np.int64).reshape(len(rows), 3), np.array(out, dtype=np.float64)


@lru_cache(maxsize=8)
def prepared(distributions: bytes, parameters: bytes) -> tuple[Index, Numbers]:
    """Return laws, given as the bytes of their tables, as draws want them."""
    return prepare(np.frombuffer(distributions, TABLES["distributions"].dtype), np.frombuffer(parameters))


def _prepared(kind: Distribution, own: list[float]) -> tuple[Distribution, list[float], list[tuple[int, Table]]]:
    """Return kind and numbers of a draw, and the tables it wants as (position of the reference, table)."""
    if kind == Distribution.PERT:
        low, mode, high = own
        if high == low:
            return Distribution.CONSTANT, [low], []
        a, b = 1 + 4 * (mode - low) / (high - low), 1 + 4 * (high - mode) / (high - low)
        return kind, [low, high - low, 1 / a, 1 / b, 0.0, 0.0], [(4, ("beta", a, b)), (5, ("beta", b, a))]
    if kind in (Distribution.GAMMA, Distribution.ERLANG):
        shape, mean = (1 / own[1] ** 2, own[0]) if kind == Distribution.GAMMA else (own[0], own[1])
        if shape < _SMALL_SHAPE:
            numbers = [mean / shape, 0.0, 1 / shape, log_gamma(1 + shape) / shape]
            return Distribution.GAMMA, numbers, [(1, ("small gamma", shape, 0.0))]
        return Distribution.GAMMA, [mean / shape, 0.0, 0.0, 0.0], [(1, ("gamma", shape, 0.0))]
    if kind == Distribution.LOGNORMAL:
        if own[0] == 0:
            return Distribution.CONSTANT, [0.0], []
        variance = log(1.0 + own[1] ** 2)
        return kind, [log(own[0]) - variance / 2, math.sqrt(variance)], []
    if kind == Distribution.WEIBULL:
        return kind, [own[1] / exp(log_gamma(1 + 1 / own[0])), 1 / own[0]], []
    if kind == Distribution.NORMAL:
        return _prepared_normal(*own)
    if kind == Distribution.TRIANGULAR and own[0] == own[2]:
        return Distribution.CONSTANT, own[:1], []
    return kind, own, []


def _prepared_normal(mean: float, sd: float, low: float) -> tuple[Distribution, list[float], list[tuple[int, Table]]]:
    cut = (low - mean) / sd
    if cut > _ALL:
        return Distribution.CONSTANT, [low], []
    if cut > _FAR:
        return Distribution.NORMAL, [mean, sd, 0.0, 0.0, cut], []
    if cut > 0:
        return Distribution.NORMAL, [mean, sd, 0.0, normal_share(-cut), 0.0], []
    return Distribution.NORMAL, [mean, sd, normal_share(max(cut, -_FAR - 10)), 0.0, 0.0], []


def _table(name: str, a: float, b: float) -> list[float]:
    """Return a table: start, cells per unit, last cell, then value and slope of the quantile function at each node."""
    start, end, cells = {
        "beta": (0.0, power(_MIDDLE, 1 / a), CELLS),
        "gamma": (-_NORMAL_END, _NORMAL_END, GAMMA_CELLS),
        "small gamma": (-log(log_gamma(1 + a) - a * log(_NEGLIGIBLE * a)), _GUMBEL_END, SMALL_GAMMA_CELLS),
    }[name]
    step = (end - start) / cells
    out = [start, 1 / step, float(cells - 1)]
    x = 0.0
    for node in range(cells + 1):
        w = start + node * step
        if name == "beta":
            x, slope = _beta_node(a, b, w, x)
        else:
            x, slope = _gamma_node(a, w, x) if name == "gamma" else _small_gamma_node(a, w, x)
        out += [x, slope * step]
    return out


@kernel
def _beta_node(a: float, b: float, w: float, before: float) -> tuple[float, float]:
    """Return the quantile of a beta law at u = w ** a, and its slope in w; `before` is the quantile at a smaller w."""
    if w == 0.0:
        return 0.0, exp((log(a) + log_beta(a, b)) / a)
    x = _solve_beta(a, b, power(w, a), before)
    return x, a * exp((a - 1) * (log(w) - log(x)) - (b - 1) * log(1 - x) + log_beta(a, b))


@kernel
def _gamma_node(a: float, z: float, before: float) -> tuple[float, float]:
    """Return the quantile of a gamma law where the normal law has z, and its slope in z; `before`: at a smaller z."""
    x = _solve_gamma(a, normal_share(-abs(z)), before, upper=z > 0)
    if x < _TINY:
        return 0.0, 0.0
    return x, exp(-z * z / 2 - _HALF_LOG_TWO_PI + log_gamma(a) - (a - 1) * log(x) + x)


@kernel
def _small_gamma_node(a: float, s: float, before: float) -> tuple[float, float]:
    """
    Return what the logarithm of a gamma law's quantile has more than (log u + log Gamma(1 + a)) / a, that of a power
    law, where Gumbel's law has s, and its slope in s; `before`: at a smaller s.
    """
    rest = exp(-s)  # u = exp(-rest)
    power_law = (log_gamma(1 + a) - rest) / a
    y = _solve_small_gamma(a, rest, power_law + before)
    return y - power_law, rest * exp(exp(y) - rest + log_gamma(a) - a * y) - rest / a


@kernel
def _solve_small_gamma(a: float, rest: float, start: float) -> float:
    """Return the logarithm of the gamma law's quantile at u = exp(-rest), by Newton's method kept within a bracket."""
    # A quantile is larger than the power law has it, and the upper tail is smaller than that of the exponential law.
    y, low, high = start, (log_gamma(1.0 + a) - rest) / a - 1e-9, 4.0
    norm = log_gamma(a)
    upper = rest < _LITTLE
    p = rest * (1.0 - rest * (0.5 - rest / 6.0)) if rest < 1e-5 else 1.0 - exp(-rest)  # noqa: PLR2004
    for _ in range(200):
        below, above = gamma_integrals(a, exp(y))
        error = p - above if upper else below - exp(-rest)
        if error > 0.0:
            high = y
        else:
            low = y
        new = y - error / exp(a * y - exp(y) - norm)
        if not low < new < high:
            new = 0.5 * (low + high)
        if abs(new - y) <= 1e-14 * max(abs(y), 1.0):
            return new
        y = new
    return y


@kernel
def _solve_beta(a: float, b: float, p: float, start: float) -> float:
    """Return x with the regularised beta integral p, by Newton's method kept within a bracket."""
    low, high = start, 1.0
    x = start if start > 0.0 else power(p * a * exp(log_beta(a, b)), 1.0 / a)
    x = min(max(x, 1e-300), 1.0 - 1e-16)
    norm = log_beta(a, b)
    for _ in range(200):
        error = beta_integral(a, b, x) - p
        if error > 0.0:
            high = x
        else:
            low = x
        new = x - error / exp((a - 1.0) * log(x) + (b - 1.0) * log(1.0 - x) - norm)
        if not low < new < high:
            new = 0.5 * (low + high)
        if abs(new - x) <= 1e-15 * x:
            return new
        x = new
    return x


@kernel
def _solve_gamma(a: float, p: float, start: float, upper: bool) -> float:  # noqa: FBT001  a kernel takes plain values
    """Return x with lower (or upper) regularised gamma integral p, by Newton's method kept within a bracket."""
    low, high = 0.0, max(4.0 * a, 1.0)
    while True:
        below, above = gamma_integrals(a, high)
        if (above < p) if upper else (below > p):
            break
        low = high
        high *= 2.0
    x = start if low < start < high else 0.5 * (low + high)
    if not upper and start == 0.0:
        x = min(max(exp((log(p) + log(a) + log_gamma(a)) / a), 1e-300), 0.5 * high)
    norm = log_gamma(a)
    for _ in range(300):
        below, above = gamma_integrals(a, x)
        error = p - above if upper else below - p
        if error > 0.0:
            high = x
        else:
            low = x
        density = exp((a - 1.0) * log(x) - x - norm)
        new = x - error / density if density > 0.0 else low
        if not low < new < high:
            new = 0.5 * (low + high)
        if abs(new - x) <= 1e-15 * x:
            return new
        x = new
    return x
