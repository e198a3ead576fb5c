"""
Arrivals of a log: the rate and its shape over the hours of the week, and whether counts vary as a Poisson process does.

The fitted rate of weekday d and hour h is v_d × w_h, with one shape w for all days or one each for working days,
Saturdays and Sundays; which, a criterion of information decides that is corrected for counts that vary more than
Poisson ones. Days that the log does not cover (its incomplete first or last day, gaps) and holidays do not take part.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from zonesim.fitting.instants import date_text
from zonesim.units import DAY, HOUR, SECOND

Counts = NDArray[np.int64]
Numbers = NDArray[np.float64]

DAY_HOURS: Final = 24
WEEK_DAYS: Final = 7

SMALLEST_CELL: Final = 5
"""Counts below this are not published; such hours share their mean."""

ENOUGH_FOR_A_SHAPE: Final = 240
"""Arrivals below which a group has no shape of its own: 10 an hour of the day."""

_ENOUGH_TO_MISS: Final = 7.0
"""Expected arrivals of an empty stretch that make it a gap of the log: chance would leave it empty once in 1,000."""

_BLOCK: Final = 5.0
"""Hours are put together until so many arrivals are expected, so that the chi-square law holds."""

_CLEAR: Final = 0.01
_MATERIAL: Final = 0.1
_NEAR: Final = 60 * SECOND

Split = tuple[tuple[str, tuple[int, ...]], ...]

SPLITS: Final[tuple[Split, ...]] = (
    (("", (0, 1, 2, 3, 4, 5, 6)),),
    (("workday", (0, 1, 2, 3, 4)), ("weekend", (5, 6))),
    (("workday", (0, 1, 2, 3, 4)), ("sat", (5,)), ("sun", (6,))),
)
"""Which days may have shapes of their own."""


@dataclass(frozen=True)
class Period:
    """
    The days that rates are counted over.

    `first`: number of the first day since 1970-01-01; `used`: whether each day takes part; `left_out`: the dates that
    do not, by reason (`edge`: begins or ends within the day, `gap`: no rows, `holiday`, `made_up`: a weekend day
    worked for one).
    """

    first: int
    used: NDArray[np.bool_]
    left_out: dict[str, list[str]]

    @property
    def days(self) -> int:
        """Return how many days take part."""
        return int(self.used.sum())

    def dates(self) -> list[str]:
        """Return the date of each day of the period."""
        return [date_text((self.first + day) * DAY) for day in range(len(self.used))]

    def weekdays(self) -> Counts:
        """Return the weekday of each day of the period, Monday 0."""
        return (np.arange(len(self.used)) + self.first + 3) % WEEK_DAYS


@dataclass(frozen=True)
class Part:
    """
    A shape and the days it holds for: `hours` are 24 weights with mean 1, `days` 7 weights (0: another part's days).
    """

    name: str
    hours: list[float]
    days: list[float]
    rate: float
    """Arrivals a day, over all days of the week."""


@dataclass(frozen=True)
class Dispersion:
    """
    How counts vary around the fitted rate: `index` is 1 for a Poisson process, with its chi-square test.

    `by_day` is the same of the counts of whole days; `near` the share of vehicles within a minute of the one before,
    `near_expected` what a Poisson process would give.
    """

    index: float
    freedom: float
    p: float
    by_day: float
    near: float
    near_expected: float
    verdict: Literal["poisson", "more", "less", "unknown"]


@dataclass(frozen=True)
class Arrivals:
    """
    The arrivals of one group.

    `rate`, `low`, `high`: a day, with 95 % limits that allow for the dispersion seen; `week`: arrivals an hour by
    weekday and hour as counted (nan: too few to tell); `borrowed`: the shape is that of all groups together.
    """

    count: int
    rate: float
    low: float
    high: float
    parts: list[Part]
    week: Numbers
    weekdays_seen: bool
    borrowed: bool
    dispersion: Dispersion


def period_of(times: Counts, holidays: frozenset[str] = frozenset(), made_up: frozenset[str] = frozenset()) -> Period:
    """
    Return the days over which a log that has all arrivals `times` (sorted) can be counted.

    `holidays`: dates of public holidays; `made_up`: weekend days that were worked for them.
    """
    first = int(times[0] // DAY)
    length = int(times[-1] // DAY) - first + 1
    counts = _table(times, first, length)
    used = np.ones(length, dtype=bool)
    left_out: dict[str, list[str]] = {}

    def leave(day: int, reason: str) -> None:
        used[day] = False
        left_out.setdefault(reason, []).append(date_text((first + day) * DAY))

    if length > 2:  # noqa: PLR2004  the inner days say what is expected
        hourly = counts[1:-1].mean(axis=0)
        begun, ended = int(times[0] % DAY), int(times[-1] % DAY)
        if _expected(hourly, 0, begun) > _ENOUGH_TO_MISS:
            leave(0, "edge")
        if _expected(hourly, ended, DAY) > _ENOUGH_TO_MISS:
            leave(length - 1, "edge")
    daily = counts.sum(axis=1)
    weekdays = (np.arange(length) + first + 3) % WEEK_DAYS
    for day in np.flatnonzero(daily == 0).tolist():
        others = daily[(weekdays == weekdays[day]) & (daily > 0)]
        if len(others) and others.mean() > _ENOUGH_TO_MISS:
            leave(day, "gap")
    for day in range(length):
        for special, reason in ((holidays, "holiday"), (made_up, "made_up")):
            if used[day] and date_text((first + day) * DAY) in special:
                leave(day, reason)
    if not used.any():
        used[:] = True
        left_out.clear()
    return Period(first, used, left_out)


def fit_arrivals(times: Counts, period: Period, everybody: Counts) -> Arrivals:
    """Return the fitted arrivals of a group; groups too small for a shape take that of `everybody`."""
    table = _table(times, period.first, len(period.used))[period.used]
    weekdays = period.weekdays()[period.used]
    exposure = np.bincount(weekdays, minlength=WEEK_DAYS).astype(float)
    seen = bool((exposure > 0).all())
    totals = _by_weekday(table, weekdays)
    borrowed = totals.sum() < ENOUGH_FOR_A_SHAPE
    shape_from = totals
    if borrowed:
        shape_from = _by_weekday(_table(everybody, period.first, len(period.used))[period.used], weekdays)
    per_day = _per_day(totals, exposure, shape_from if borrowed else None)
    split = SPLITS[0] if borrowed or not seen else _best_split(table, weekdays, totals, exposure)
    shapes = {name: _shape(shape_from[list(days)].sum(axis=0)) for name, days in split}
    mean = np.zeros((WEEK_DAYS, DAY_HOURS))
    for name, days in split:
        mean[list(days)] = per_day[list(days), None] * shapes[name] / DAY_HOURS
    errors = _errors(totals, SPLITS[0] if borrowed else split, shape_known=bool(borrowed))
    dispersion = _dispersion(times, table, mean, weekdays, errors)
    rate = float(per_day.mean())
    low, high = _limits(rate, per_day, exposure, table.sum(axis=1), weekdays)
    parts = [
        Part(
            name,
            [round(float(weight), 4) for weight in shapes[name]],
            _days(per_day, days),
            float(per_day[list(days)].sum() / WEEK_DAYS),
        )
        for name, days in split
        if per_day[list(days)].sum() > 0
    ]
    with np.errstate(divide="ignore", invalid="ignore"):
        week = np.where(totals >= SMALLEST_CELL, totals / exposure[:, None], np.nan)
    return Arrivals(len(times), rate, low, high, parts, week, seen, bool(borrowed), dispersion)


def _table(times: Counts, first: int, length: int) -> Counts:
    """Return counts by day and hour."""
    cells = times // HOUR - first * DAY_HOURS
    inside = (cells >= 0) & (cells < length * DAY_HOURS)
    return np.bincount(cells[inside], minlength=length * DAY_HOURS).reshape(length, DAY_HOURS)


def _expected(hourly: Numbers, begin: int, end: int) -> float:
    edges = np.arange(DAY_HOURS) * HOUR
    overlap = np.clip(np.minimum(end, edges + HOUR) - np.maximum(begin, edges), 0, HOUR) / HOUR
    return float((hourly * overlap).sum())


def _by_weekday(table: Counts, weekdays: Counts) -> Counts:
    totals = np.zeros((WEEK_DAYS, DAY_HOURS), dtype=np.int64)
    np.add.at(totals, weekdays, table)
    return totals


def _per_day(totals: Counts, exposure: Numbers, shape_from: Counts | None) -> Numbers:
    """
    Return arrivals a day by weekday; weekdays that the log does not have take the mean of the others.

    A small group has the proportions of all groups.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        found = totals.sum(axis=1) / exposure
        if shape_from is not None:
            general = shape_from.sum(axis=1) / exposure
            found = general * totals.sum() / np.nansum(general * exposure) if shape_from.sum() else found
    filled: Numbers = np.where(exposure > 0, found, np.nanmean(found))
    return filled


def _shape(counts: Counts) -> Numbers:
    """Return 24 weights with mean 1; hours with fewer than SMALLEST_CELL arrivals share their mean."""
    shape = counts.astype(float)
    order = np.argsort(counts, kind="stable")
    small = int((counts < SMALLEST_CELL).sum())
    if small:
        while small < DAY_HOURS and 0 < counts[order[:small]].sum() < SMALLEST_CELL:
            small += 1
        shape[order[:small]] = counts[order[:small]].mean()
    return shape * DAY_HOURS / shape.sum() if shape.sum() else np.ones(DAY_HOURS)


def _days(per_day: Numbers, days: tuple[int, ...]) -> list[float]:
    largest = float(per_day[list(days)].max())
    return [round(float(per_day[day]) / largest, 4) if day in days else 0.0 for day in range(WEEK_DAYS)]


def _best_split(table: Counts, weekdays: Counts, totals: Counts, exposure: Numbers) -> Split:
    """
    Return which days have shapes of their own: the split with the best quasi-likelihood after a charge for its numbers.
    """
    likelihoods, indices = [], []
    per_day = totals.sum(axis=1) / exposure
    for split in SPLITS:
        mean = np.zeros((WEEK_DAYS, DAY_HOURS))
        for _, days in split:
            own = totals[list(days)].sum(axis=0)
            mean[list(days)] = per_day[list(days), None] * (own / max(own.sum(), 1))
        with np.errstate(divide="ignore", invalid="ignore"):
            likelihoods.append(
                float(np.nansum(np.where(totals > 0, totals * np.log(mean), 0.0)) - (mean * exposure[:, None]).sum())
            )
        indices.append(_index(table, mean, weekdays, _errors(totals, split, shape_known=False))[0])
    scale = max(indices[-1] if not math.isnan(indices[-1]) else 1.0, 1.0)
    cost = math.log(table.size)
    scores = [
        -2 * value / scale + cost * (DAY_HOURS - 1) * len(split)
        for value, split in zip(likelihoods, SPLITS, strict=True)
    ]
    return SPLITS[int(np.argmin(scores))]


def _blocks(mean: Numbers) -> Counts:
    """
    Return the number of the block that each cell belongs to, in order of time: at least _BLOCK expected arrivals each.
    """
    numbers = np.zeros(mean.size, dtype=np.int64)
    block, gathered = 0, 0.0
    for place, value in enumerate(mean.ravel().tolist()):
        numbers[place] = block
        gathered += value
        if gathered >= _BLOCK:
            block, gathered = block + 1, 0.0
    if gathered and block:
        numbers[numbers == block] = block - 1
    return numbers


def _errors(totals: Counts, split: Split, *, shape_known: bool) -> tuple[Numbers, Numbers]:
    """
    Return the squared relative errors of fitted rates: what the hours of a weekday share, and what each hour has of
    its own.

    They are those of a product of two Poisson margins; with a known shape only the total was fitted.
    """
    shared, own = np.zeros(WEEK_DAYS), np.zeros((WEEK_DAYS, DAY_HOURS))
    for _, days in split:
        part = totals[list(days)].astype(float)
        with np.errstate(divide="ignore", invalid="ignore"):
            if shape_known:
                shared[list(days)] = 1 / part.sum()
            else:
                shared[list(days)] = 1 / part.sum(axis=1) - 1 / part.sum()
                own[list(days)] = 1 / part.sum(axis=0)
    return np.where(np.isfinite(shared), shared, 0.0), np.where(np.isfinite(own), own, 0.0)


def _index(
    table: Counts, week: Numbers, weekdays: Counts, errors: tuple[Numbers, Numbers]
) -> tuple[float, float, float]:
    """
    Return the index of dispersion of counts around their means, its chi-square value and degrees of freedom.

    Hours are put together to blocks. The rates were fitted to single hours, which takes less freedom from the blocks
    than one for each number fitted: from each, the share of its variance that the error of its mean makes up.
    """
    mean = week[weekdays]
    blocks = _blocks(mean)
    seen = np.bincount(blocks, weights=table.ravel())
    expected = np.bincount(blocks, weights=mean.ravel())
    shared, own = errors
    joint = np.bincount(blocks, weights=(mean * np.sqrt(shared)[weekdays, None]).ravel()) ** 2
    error = joint + np.bincount(blocks, weights=(mean**2 * own[weekdays]).ravel())
    some = expected > 0
    chi_square = float(((seen - expected)[some] ** 2 / expected[some]).sum())
    freedom = float((1 - error[some] / expected[some]).sum())
    return (chi_square / freedom if freedom > 0 else math.nan), chi_square, freedom


def _dispersion(
    times: Counts, table: Counts, week: Numbers, weekdays: Counts, errors: tuple[Numbers, Numbers]
) -> Dispersion:
    from scipy.stats import chi2

    index, chi_square, freedom = _index(table, week, weekdays, errors)
    daily = week.sum(axis=1)[weekdays]
    some = daily > 0
    free_days = int(some.sum()) - len(np.unique(weekdays[some]))
    squares = (table.sum(axis=1) - daily)[some] ** 2 / daily[some]
    by_day = float(squares.sum()) / free_days if free_days > 0 else math.nan
    gaps = np.diff(times)
    hours = times[1:] // HOUR
    rates = week[(hours // DAY_HOURS + 3) % WEEK_DAYS, hours % DAY_HOURS] / HOUR
    near = float((gaps < _NEAR).mean()) if len(gaps) else math.nan
    near_expected = float((1 - np.exp(-rates * _NEAR)).mean()) if len(gaps) else math.nan
    verdict: Literal["poisson", "more", "less", "unknown"] = "unknown"
    p = math.nan
    if freedom >= 10:  # noqa: PLR2004  fewer say nothing
        p = float(chi2.sf(chi_square, freedom))
        verdict = "poisson"
        if p < _CLEAR and index > 1 + _MATERIAL:
            verdict = "more"
        elif 1 - p < _CLEAR and index < 1 - _MATERIAL:
            verdict = "less"
    return Dispersion(index, max(freedom, 0.0), p, by_day, near, near_expected, verdict)


def _limits(rate: float, per_day: Numbers, exposure: Numbers, daily: Counts, weekdays: Counts) -> tuple[float, float]:
    """
    Return 95 % limits of the rate a day.

    The variance of a day's count is its mean times the dispersion of whole days, 1 at least; with fewer than eight days
    it is taken as that of a Poisson process.
    """
    from scipy.stats import norm, t

    seen = exposure > 0
    fitted = per_day[weekdays]
    some = fitted > 0
    freedom = int(some.sum()) - int(seen.sum())
    scale = float(((daily - fitted)[some] ** 2 / fitted[some]).sum()) / freedom if freedom > 0 else 1.0
    wide = float(t.ppf(0.975, freedom)) if freedom > 0 and scale > 1 else float(norm.ppf(0.975))
    # A weekday that was not seen has the mean of the others: its weight is spread over them.
    weight = 1 / float(seen.sum())
    variance = max(scale, 1.0) * float((weight**2 * per_day[seen] / exposure[seen]).sum())
    half = wide * math.sqrt(variance)
    return max(rate - half, 0.0), rate + half
