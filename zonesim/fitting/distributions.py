"""
Laws of the format fitted to durations by maximum likelihood.

Each candidate has the parameters of the format (`lognormal: {mean, cv}`), so what is fitted can be written as it is.
Values are positive durations in ms. Candidates are ordered by BIC; how far a law is from the data is said by the
largest gap between the two distribution functions (Kolmogorov-Smirnov) and by the Anderson-Darling distance, which
weighs the tails.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from zonesim.scenario.fields import CV_RANGE, SHAPE_RANGE
from zonesim.units import DAY, HOUR, MINUTE, SECOND

Numbers = NDArray[np.float64]
Function = Callable[[Numbers], Numbers]

ENOUGH: Final = 30
"""Durations below which no law is fitted."""

MOST_FITTED: Final = 20_000
"""So many durations are fitted at most, taken evenly over the period."""

MOST_POINTS: Final = 200
ROWS_BEHIND_A_POINT: Final = 5
"""Points of the empirical law, and rows between two of them at least."""

CLOSE_GAP: Final = 0.05
"""The largest gap between distribution functions up to which a law is taken as a description of the data."""


@dataclass(frozen=True)
class Candidate:
    """
    A fitted law.

    `written`: as the format has it; `parameters`: how many numbers were fitted; `ks`: largest gap between the
    distribution functions with `p`, which is too large because the parameters come from the same data; `ad`:
    Anderson-Darling distance.
    """

    name: str
    written: dict[str, Any]
    parameters: int
    log_likelihood: float
    aic: float
    bic: float
    ks: float
    p: float
    ad: float
    cdf: Function
    pdf: Function


@dataclass(frozen=True)
class Durations:
    """
    Durations of one group and the laws that describe them, best first.

    `count` all, `fitted` those the laws are fitted to (evenly taken), `zeros` replaced by half the resolution;
    `resolution` the step in which the log counts time, in ms; `quantiles` by share.
    """

    count: int
    fitted: int
    zeros: int
    resolution: int
    mean: float
    sd: float
    quantiles: dict[float, float]
    empirical: list[float]
    candidates: list[Candidate]
    sample: Numbers

    @property
    def best(self) -> Candidate | None:
        """Return the best law, or None when none comes close to the data (the empirical law does)."""
        first = self.candidates[0] if self.candidates else None
        return first if first is not None and first.ks <= CLOSE_GAP else None

    def chosen(self) -> dict[str, Any] | str:
        """Return the law to use as the format writes it: the best, else the empirical, else the mean."""
        if self.best is not None:
            return self.best.written
        if len(self.empirical) > 1:
            return {"empirical": [duration_text(value) for value in self.empirical]}
        return duration_text(self.mean)


def fit_durations(values: NDArray[np.int64]) -> Durations:
    """Return durations (ms, not negative, at least one) with the laws fitted to them."""
    resolution = _resolution(values)
    zeros = int((values == 0).sum())
    numbers = np.where(values == 0, resolution / 2, values).astype(float)
    quantiles = {share: float(np.quantile(numbers, share)) for share in (0.05, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99)}
    step = -(-len(numbers) // MOST_FITTED)
    sample = np.sort(numbers[::step])
    sd = float(numbers.std(ddof=1)) if len(numbers) > 1 else 0.0
    candidates = _candidates(sample) if len(sample) >= ENOUGH else []
    return Durations(
        len(numbers),
        len(sample),
        zeros,
        resolution,
        float(numbers.mean()),
        sd,
        quantiles,
        empirical_points(np.sort(numbers)),
        candidates,
        sample,
    )


def empirical_points(ordered: Numbers) -> list[float]:
    """
    Return the points of an empirical law: quantiles at even steps, at least ROWS_BEHIND_A_POINT rows apart.

    The ends are means of that many rows, so that no single row is published. Fewer than 20 rows have none.
    """
    count = min(MOST_POINTS, len(ordered) // ROWS_BEHIND_A_POINT)
    if count < 4:  # noqa: PLR2004
        return []
    points = np.quantile(ordered, np.linspace(0, 1, count))
    points[0], points[-1] = ordered[:ROWS_BEHIND_A_POINT].mean(), ordered[-ROWS_BEHIND_A_POINT:].mean()
    return [float(value) for value in np.maximum.accumulate(points)]


def duration_text(ms: float) -> str:
    """Return a duration as the format writes it, in the unit that reads well, to five digits."""
    for unit, size, least in (
        ("d", DAY, 2 * DAY),
        ("h", HOUR, 2 * HOUR),
        ("min", MINUTE, 2 * MINUTE),
        ("s", SECOND, SECOND),
    ):
        if ms >= least:
            return f"{float(f'{ms / size:.5g}'):.12g} {unit}"
    return f"{float(f'{ms:.5g}'):.12g} ms"


def _within(value: float, bounds: tuple[float, float]) -> float:
    """Return a number to five digits, at most as far as the format goes."""
    return number_text(min(max(value, bounds[0]), bounds[1]))


def number_text(value: float) -> float:
    """Return a plain number to five digits."""
    return float(f"{value:.5g}")


def _resolution(values: NDArray[np.int64]) -> int:
    """Return the largest of 1 ms, 1 s, 1 min, 1 h that all durations are whole numbers of."""
    return next((step for step in (HOUR, MINUTE, SECOND) if len(values) and not (values % step).any()), 1)


# --- candidates


def _candidates(x: Numbers) -> list[Candidate]:
    """Return the fitted laws, best BIC first; x is sorted and positive."""
    if x[-1] - x[0] <= 1e-9 * x[-1]:
        value = float(x[0])
        law = Candidate(
            "constant", {"constant": duration_text(value)}, 1, 0.0, 0.0, 0.0, 0.0, math.nan, 0.0, *_point(value)
        )
        return [law]
    found = []
    # In units of the mean, so that optimisers see numbers near 1.
    scale = float(x.mean())
    unit = x / scale
    for fit in (_exponential, _uniform, _erlang, _gamma, _weibull, _lognormal, _normal, _triangular, _pert, _mixture):
        fitted = fit(unit)
        if fitted is not None:
            name, parameters, cdf, pdf, write = fitted
            candidate = _judged(x, scale, name, parameters, cdf, pdf, write(scale))
            if candidate is not None:
                found.append(candidate)
    return sorted(found, key=lambda each: (each.bic, each.parameters))


Fitted = tuple[str, int, Function, Function, Callable[[float], dict[str, Any]]]


def _judged(
    x: Numbers, scale: float, name: str, parameters: int, cdf: Function, pdf: Function, written: dict[str, Any]
) -> Candidate | None:
    from scipy.special import kolmogorov

    n = len(x)
    with np.errstate(all="ignore"):
        density = pdf(x / scale) / scale
        if not np.isfinite(density).all() or (density <= 0).any():
            return None
        likelihood = float(np.log(density).sum())
        share = np.clip(cdf(x / scale), 1e-12, 1 - 1e-12)
    ranks = np.arange(n)
    ks = float(max((share - ranks / n).max(), ((ranks + 1) / n - share).max()))
    ad = float(-n - ((2 * ranks + 1) * (np.log(share) + np.log1p(-share[::-1]))).mean())
    aic, bic = 2 * parameters - 2 * likelihood, parameters * math.log(n) - 2 * likelihood
    p = float(kolmogorov(math.sqrt(n) * ks))
    return Candidate(
        name,
        written,
        parameters,
        likelihood,
        aic,
        bic,
        ks,
        p,
        ad,
        lambda y: cdf(np.asarray(y, dtype=float) / scale),
        lambda y: pdf(np.asarray(y, dtype=float) / scale) / scale,
    )


def _point(value: float) -> tuple[Function, Function]:
    return (lambda y: (np.asarray(y) >= value).astype(float)), (lambda y: np.zeros_like(np.asarray(y, dtype=float)))


def _exponential(x: Numbers) -> Fitted:
    mean = float(x.mean())
    return (
        "exponential",
        1,
        lambda y: -np.expm1(-y / mean),
        lambda y: np.exp(-y / mean) / mean,
        lambda scale: {"exponential": {"mean": duration_text(mean * scale)}},
    )


def _uniform(x: Numbers) -> Fitted:
    # The ends lie a little beyond the shortest and the longest: by their expected distance, without naming a row.
    step = float(x[-1] - x[0]) / (len(x) - 1)
    low, high = max(float(x[0]) - step, 0.0), float(x[-1]) + step
    width = high - low
    return (
        "uniform",
        2,
        lambda y: np.clip((y - low) / width, 0, 1),
        lambda y: np.where((y >= low) & (y <= high), 1 / width, 0.0),
        lambda scale: {"uniform": [duration_text(low * scale), duration_text(high * scale)]},
    )


def _gamma_shape(x: Numbers) -> float:
    """Return the shape of the gamma law of greatest likelihood: log k − ψ(k) = log mean − mean log."""
    from scipy.special import digamma, polygamma

    gap = max(math.log(float(x.mean())) - float(np.log(x).mean()), 1e-8)
    k = (3 - gap + math.sqrt((gap - 3) ** 2 + 24 * gap)) / (12 * gap)
    for _ in range(50):
        step = (math.log(k) - float(digamma(k)) - gap) / (1 / k - float(polygamma(1, k)))
        k = max(k - step, k / 2)
        if abs(step) < 1e-10 * k:
            break
    return k


def _gamma_functions(shape: float, mean: float) -> tuple[Function, Function]:
    from scipy.special import gammainc, gammaln

    theta = mean / shape
    constant = float(gammaln(shape)) + shape * math.log(theta)
    return (
        lambda y: gammainc(shape, np.maximum(y, 0) / theta),
        lambda y: np.exp((shape - 1) * np.log(y) - y / theta - constant),
    )


def _gamma(x: Numbers) -> Fitted:
    shape, mean = _gamma_shape(x), float(x.mean())
    return (
        "gamma",
        2,
        *_gamma_functions(shape, mean),
        lambda scale: {"gamma": {"mean": duration_text(mean * scale), "cv": _within(1 / math.sqrt(shape), CV_RANGE)}},
    )


def _erlang(x: Numbers) -> Fitted | None:
    shape, mean = _gamma_shape(x), float(x.mean())
    if shape > 1_000:  # noqa: PLR2004  a gamma law says it better
        return None
    logs = float(np.log(x).mean())

    def likelihood(k: int) -> float:
        return k * math.log(k / mean) - math.lgamma(k) + (k - 1) * logs - k

    best = max((max(math.floor(shape), 1), math.ceil(shape)), key=likelihood)
    if best == 1:  # that is the exponential law
        return None
    return (
        "erlang",
        2,
        *_gamma_functions(float(best), mean),
        lambda scale: {"erlang": {"shape": best, "mean": duration_text(mean * scale)}},
    )


def _weibull(x: Numbers) -> Fitted:
    logs = np.log(x)
    k = math.pi / (max(float(logs.std()), 1e-9) * math.sqrt(6))
    for _ in range(100):
        powers = x**k
        total, first, second = float(powers.sum()), float((powers * logs).sum()), float((powers * logs**2).sum())
        error = first / total - 1 / k - float(logs.mean())
        slope = second / total - (first / total) ** 2 + 1 / k**2
        new = max(k - error / slope, k / 2)
        if abs(new - k) < 1e-10 * k:
            break
        k = new
    size = float((x**k).mean()) ** (1 / k)
    return (
        "weibull",
        2,
        lambda y: -np.expm1(-((np.maximum(y, 0) / size) ** k)),
        lambda y: k / size * (y / size) ** (k - 1) * np.exp(-((y / size) ** k)),
        lambda scale: {
            "weibull": {
                "shape": _within(k, SHAPE_RANGE),
                "mean": duration_text(size * math.gamma(1 + 1 / max(k, SHAPE_RANGE[0])) * scale),
            }
        },
    )


def _lognormal_text(mu: float, sigma: float, scale: float) -> dict[str, Any]:
    mean, cv = math.exp(mu + sigma**2 / 2) * scale, math.sqrt(math.expm1(sigma**2))
    return {"lognormal": {"mean": duration_text(mean), "cv": _within(cv, CV_RANGE)}}


def _lognormal_functions(mu: float, sigma: float) -> tuple[Function, Function]:
    from scipy.special import ndtr

    root = math.sqrt(2 * math.pi)
    return (
        lambda y: ndtr((np.log(np.maximum(y, 1e-300)) - mu) / sigma),
        lambda y: np.exp(-(((np.log(y) - mu) / sigma) ** 2) / 2) / (y * sigma * root),
    )


def _lognormal(x: Numbers) -> Fitted:
    mu, sigma = float(np.log(x).mean()), float(np.log(x).std())
    return "lognormal", 2, *_lognormal_functions(mu, sigma), lambda scale: _lognormal_text(mu, sigma, scale)


def _normal(x: Numbers) -> Fitted | None:
    """Return the normal law cut off below 0."""
    from scipy.special import log_ndtr, ndtr

    n, first, second = len(x), float(x.mean()), float((x**2).mean())

    def loss(parts: Numbers) -> float:
        mean, sd = float(parts[0]), math.exp(float(parts[1]))
        square = second - 2 * mean * first + mean**2
        return math.log(sd) + square / (2 * sd**2) + float(log_ndtr(mean / sd))

    mean, log_sd = _least(loss, [first, math.log(float(x.std()))])
    sd = math.exp(log_sd)
    if mean <= 0 or n < ENOUGH:  # the format wants a mean that is a duration
        return None
    inside = float(ndtr(mean / sd))
    root = sd * math.sqrt(2 * math.pi) * inside
    return (
        "normal",
        2,
        lambda y: np.clip((ndtr((y - mean) / sd) - (1 - inside)) / inside, 0, 1),
        lambda y: np.exp(-(((y - mean) / sd) ** 2) / 2) / root,
        lambda scale: {"normal": {"mean": duration_text(mean * scale), "sd": duration_text(sd * scale)}},
    )


def _bounded(x: Numbers, loss: Callable[[float, float, float], float]) -> tuple[float, float, float]:
    """Return low, mode and high of least loss, with low below and high above all values and low not negative."""
    low, high = float(x[0]), float(x[-1])
    width = high - low

    def parts(point: Numbers) -> tuple[float, float, float]:
        a = low * (1 - 1 / (1 + math.exp(-float(np.clip(point[0], -30, 30)))))
        b = high + width * math.exp(float(np.clip(point[2], -30, 5)))
        return a, a + (b - a) / (1 + math.exp(-float(np.clip(point[1], -12, 12)))), b

    middle = min(max((float(np.median(x)) - low) / width, 0.05), 0.95)
    start = [-3.0, math.log(middle / (1 - middle)), -3.0]
    best = _least(lambda point: loss(*parts(point)), start)
    return parts(np.array(best))


def _triangular(x: Numbers) -> Fitted:
    def density(y: Numbers, low: float, mode: float, high: float) -> Numbers:
        with np.errstate(all="ignore"):
            return np.where(
                y < mode, 2 * (y - low) / ((high - low) * (mode - low)), 2 * (high - y) / ((high - low) * (high - mode))
            )

    def loss(low: float, mode: float, high: float) -> float:
        with np.errstate(all="ignore"):
            found = -float(np.log(density(x, low, mode, high)).mean())
        return found if math.isfinite(found) else 1e9

    low, mode, high = _bounded(x, loss)
    return (
        "triangular",
        3,
        lambda y: np.where(
            y < mode,
            np.clip(y - low, 0, None) ** 2 / ((high - low) * (mode - low)),
            1 - np.clip(high - y, 0, None) ** 2 / ((high - low) * (high - mode)),
        ),
        lambda y: np.maximum(density(y, low, mode, high), 0.0),
        lambda scale: {"triangular": [duration_text(value * scale) for value in (low, mode, high)]},
    )


def _pert(x: Numbers) -> Fitted:
    from scipy.special import betainc, betaln

    def shapes(low: float, mode: float, high: float) -> tuple[float, float]:
        return 1 + 4 * (mode - low) / (high - low), 1 + 4 * (high - mode) / (high - low)

    def log_density(y: Numbers, low: float, mode: float, high: float) -> Numbers:
        a, b = shapes(low, mode, high)
        u = (y - low) / (high - low)
        with np.errstate(all="ignore"):
            return np.asarray((a - 1) * np.log(u) + (b - 1) * np.log1p(-u) - betaln(a, b) - math.log(high - low))

    def loss(low: float, mode: float, high: float) -> float:
        found = -float(log_density(x, low, mode, high).mean())
        return found if math.isfinite(found) else 1e9

    low, mode, high = _bounded(x, loss)
    a, b = shapes(low, mode, high)
    return (
        "pert",
        3,
        lambda y: betainc(a, b, np.clip((y - low) / (high - low), 0, 1)),
        lambda y: np.exp(log_density(y, low, mode, high)),
        lambda scale: {"pert": [duration_text(value * scale) for value in (low, mode, high)]},
    )


def _mixture(x: Numbers) -> Fitted | None:
    """Return the mixture of two lognormal laws, by expectation and maximisation from three beginnings."""
    if len(x) < 4 * ENOUGH:
        return None
    logs = np.log(x)
    tries = [found for share in (0.5, 0.8, 0.93) if (found := _two_normals(logs, share)) is not None]
    if not tries:
        return None
    _, share, fast, slow = max(tries)
    if min(share, 1 - share) * len(x) < ENOUGH:
        return None
    (fast_cdf, fast_pdf), (slow_cdf, slow_pdf) = _lognormal_functions(*fast), _lognormal_functions(*slow)
    percent = round(100 * share, 2)

    def write(scale: float) -> dict[str, Any]:
        return {
            "mixture": {
                "fast": {"share": f"{percent:g} %", **_lognormal_text(*fast, scale)},
                "slow": {"share": f"{round(100 - percent, 2):g} %", **_lognormal_text(*slow, scale)},
            }
        }

    return (
        "mixture",
        5,
        lambda y: share * fast_cdf(y) + (1 - share) * slow_cdf(y),
        lambda y: share * fast_pdf(y) + (1 - share) * slow_pdf(y),
        write,
    )


Normal2 = tuple[float, float]


def _two_normals(logs: Numbers, share: float) -> tuple[float, float, Normal2, Normal2] | None:
    """
    Return likelihood, share of the lower part, and (mean, sd) of both; logs are sorted, the lower `share` begins as
    one part.
    """
    cut = int(share * len(logs))
    floor = max(0.02 * float(logs.std()), 1e-6)
    means = [float(logs[:cut].mean()), float(logs[cut:].mean())]
    sds = [max(float(logs[:cut].std()), floor), max(float(logs[cut:].std()), floor)]
    weight, likelihood, before = share, -math.inf, -math.inf
    for _ in range(500):
        with np.errstate(all="ignore"):
            one = math.log(weight) - ((logs - means[0]) / sds[0]) ** 2 / 2 - math.log(sds[0])
            two = math.log1p(-weight) - ((logs - means[1]) / sds[1]) ** 2 / 2 - math.log(sds[1])
            both = np.logaddexp(one, two)
        likelihood = float(both.sum())
        belongs = np.exp(one - both)
        weight = float(belongs.mean())
        if not 1e-3 < weight < 1 - 1e-3:  # noqa: PLR2004  one part is enough
            return None
        for part, mine in enumerate((belongs, 1 - belongs)):
            means[part] = float((mine * logs).sum() / mine.sum())
            sds[part] = max(math.sqrt(float((mine * (logs - means[part]) ** 2).sum() / mine.sum())), floor)
        if likelihood - before < 1e-7 * len(logs):
            break
        before = likelihood
    first, second = (means[0], sds[0]), (means[1], sds[1])
    return (likelihood, weight, first, second) if means[0] <= means[1] else (likelihood, 1 - weight, second, first)


def _least(loss: Callable[[Numbers], float], start: list[float]) -> list[float]:
    from scipy.optimize import minimize

    with np.errstate(all="ignore"):
        found = minimize(
            loss, np.array(start), method="Nelder-Mead", options={"xatol": 1e-5, "fatol": 1e-9, "maxiter": 2_000}
        )
    return [float(value) for value in found.x]
