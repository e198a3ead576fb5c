"""Every law over its whole legal range: quantiles, means and variances against closed forms, extremes included."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from scipy import integrate, special, stats

from tests.helper import plan_of
from tests.properties.agreement import difference, outcome
from zonesim.engine import sampling
from zonesim.faults import ZonesimError
from zonesim.plan.distributions import Distribution, distribution_mean, distribution_variance
from zonesim.units import MINUTE

BITS = 2.0**-52
"""The engine's uniform numbers are odd multiples of half of this."""

Laws = tuple[np.ndarray, np.ndarray]


def law(kind: Distribution, *numbers: float) -> Laws:
    """Return a plan's table of one law."""
    return np.array([(int(kind), 0, len(numbers))], dtype=np.int64), np.array(numbers, dtype=np.float64)


def uniforms(least: float = BITS / 2) -> np.ndarray:
    """Return uniform numbers that an engine can draw, from both ends of the unit interval to its middle."""
    low = (np.floor(10.0 ** np.linspace(math.log10(least), -0.31, 60) / BITS) + 0.5) * BITS
    return np.concatenate([low, 1 - low[::-1]])


def drawn(table: Laws, where: np.ndarray) -> np.ndarray:
    """Return what the engine draws at these uniform numbers."""
    ready = sampling.prepare(*table)
    return np.array([sampling.sample(*ready, 0, u, 0) for u in where])


def moments(table: Laws) -> tuple[float, float]:
    """Return mean and variance as the traffic equations know them."""
    return distribution_mean(*table, 0, 0), distribution_variance(*table, 0, 0)


def close(found: np.ndarray, expected: np.ndarray, mean: float, error: float = 1e-8) -> bool:
    """Return whether values agree to `error` of themselves or of the mean."""
    return bool(np.all(np.abs(found - expected) <= error * np.maximum(np.abs(expected), mean)))


# --- gamma and Erlang

SHAPES = [1e-4, 1e-3, 0.01, 0.04, 0.16, 0.2499, 0.25, 0.3, 1.0, 3.0, 40.0, 400.0, 1111.1, 3000.0, 1e4, 1e5, 1e6]


@pytest.mark.parametrize("shape", SHAPES)
def test_gamma_and_erlang_from_cv_100_to_cv_one_in_a_thousand(shape):
    """
    The value drawn at u is the quantile at u: what is left between the distribution there and u is no more than 1e-8
    of the value or of the mean.
    """
    where = uniforms() if shape < 1e4 else uniforms(1e-4)  # further out scipy is not exact for large shapes
    table = law(Distribution.GAMMA, shape, shape**-0.5)
    x = drawn(table, where)
    off = np.where(where < 0.5, special.gammainc(shape, x) - where, (1 - where) - special.gammaincc(shape, x))
    with np.errstate(divide="ignore"):
        density = np.exp((shape - 1) * np.log(x) - x - special.gammaln(shape))
    counts = x > 1e-10 * shape

    assert close(x[counts], (x + off / density)[counts], shape)
    assert np.all(special.gammainc(shape, 1e-9 * shape) > where[~counts])
    assert np.all(np.diff(x) >= 0)
    if shape == round(shape):
        assert drawn(law(Distribution.ERLANG, shape, shape), where) == pytest.approx(x, rel=1e-12)


@pytest.mark.parametrize("cv", [0.01, 0.03, 0.5, 2.0, 3.0, 10.0])
def test_the_mean_and_variance_of_gamma_are_drawn(cv):
    """
    Over evenly spread numbers (in the variable in which the tail is fine) the draws have the mean and the cv asked for.
    """
    ready = sampling.prepare(*law(Distribution.GAMMA, 5.0, cv))

    def value(z: float) -> float:
        u = special.ndtr(z)
        return sampling.sample(*ready, 0, min(max(u, 2.0**-53), 1 - 2.0**-53), 0)

    mean, second = (integrate.simpson([value(z) ** n * stats.norm.pdf(z) for z in GRID], x=GRID) for n in (1, 2))

    assert mean == pytest.approx(5, rel=1e-6)
    assert math.sqrt(second - mean**2) / mean == pytest.approx(cv, rel=1e-5)


GRID = np.linspace(-8.1, 8.1, 6001)

# --- normal, cut off

CUTS = [-1e300, -40.0, -8.0, -1.0, 0.0, 1e-9, 0.5, 3.0, 7.5, 15.0, 29.9, 30.1, 40.0, 300.0, 1e4]


@pytest.mark.parametrize("cut", CUTS)
def test_normal_is_right_wherever_it_is_cut(cut):
    """
    Quantiles, mean and variance of a normal law cut off from far below to 10,000 standard deviations above its mean.
    """
    table = law(Distribution.NORMAL, 0.0, 1.0, cut)
    where = uniforms()
    x = drawn(table, where)
    mean, variance = moments(table)
    if cut <= 0:
        # u counts from the cut; from the middle on the upper tail is the exact way to say it
        share = special.ndtr(cut)
        low, high = special.ndtri(share + where * (1 - share)), -special.ndtri((1 - where) * (1 - share))
        exact = np.where(where < 0.5, low, high)
        sure = where < 1 - 1e-7  # the tail of a law that is hardly cut is drawn as finely as 1 - u is written

        assert close(x[sure], exact[sure], 1.0)
        assert np.all(np.abs(x - exact) < 0.6)
        assert (mean, variance) == pytest.approx(stats.truncnorm.stats(max(cut, -40), np.inf), rel=1e-12)
        return
    # log of the tail beyond x = log of the tail beyond the cut + log(1 - u), to first order in the value
    hazard = 1 / (math.sqrt(math.pi / 2) * special.erfcx(x / math.sqrt(2)))
    left = special.erfcx(x / math.sqrt(2)) / special.erfcx(cut / math.sqrt(2))
    off = np.log(left) - (x - cut) * (x + cut) / 2 - np.log1p(-where)
    more, width = (beyond(cut, what) for what in (lambda d, _: d, lambda d, mean: (d - mean) ** 2))

    assert close(x - cut, x - cut + off / hazard, more, 1e-8 if cut < 1e4 else 1e-6)
    assert np.all(x >= cut - 1e-14 * max(cut, 1))
    assert mean - cut == pytest.approx(more, rel=1e-9 if cut < 1e4 else 1e-6)
    assert variance == pytest.approx(width, rel=1e-9)


def beyond(cut: float, what: Any) -> float:
    """Return the mean of `what`(value - cut, mean of it) over the normal law beyond a cut, by quadrature."""
    scale = 1 / max(cut, 1.0)

    def over(function: Any) -> float:
        options = {"epsabs": 0, "epsrel": 1e-12, "limit": 400}
        return integrate.quad(lambda d: function(d) * math.exp(-cut * d - d * d / 2), 0, 45 * scale, **options)[0]

    whole = over(lambda _: 1.0)
    mean = over(lambda d: d) / whole
    return over(lambda d: what(d, mean)) / whole


LOWS = [
    ("{mean: 30 s, sd: 2 s, low: 1 min}", 60.13 / 60),
    ("{mean: 5 min, sd: 1 min, low: 13 min}", 13.12),
    ("{mean: 5 min, sd: 1 min, low: 14 min}", 14.11),
    ("{mean: 5 min, sd: 1 min, low: 44 min}", 44 + 1 / 39 - 2 / 39**3),
    ("{mean: 10 min, sd: 1 min, low: 3 h}", 180 + 1 / 170),
    ("{mean: 10 min, sd: 1 ms, low: 3 h}", 180.0),
    ("{mean: 5 min, sd: 0 min}", 5.0),
    ("{mean: 5 min, sd: 0, low: 5 min}", 5.0),
]


@pytest.mark.parametrize(("written", "minutes"), LOWS)
def test_a_normal_law_far_above_its_mean_as_a_scenario_writes_it(written, minutes):
    """
    What is drawn, and what the traffic equations reckon with, is a little above the cut; without spread it is the mean.
    """
    plan = plan_of(ONE.replace("LAW", f"{{normal: {written}}}"))
    found = drawn((plan.distributions[-1:], plan.parameters), (np.arange(2000) + 0.5) / 2000).mean() / MINUTE

    assert distribution_mean(
        plan.distributions, plan.parameters, len(plan.distributions) - 1, 0
    ) / MINUTE == pytest.approx(minutes, abs=0.005)
    assert found == pytest.approx(minutes, abs=0.005)


# --- the others


@pytest.mark.parametrize("shape", [0.01, 0.03, 0.1, 0.5, 1.0, 3.6, 100.0, 999.0, 1001.0, 1e5, 1e6])
def test_weibull_of_every_shape(shape):
    """
    Quantiles to 1e-12, and mean and variance by the gamma function, also where the law is nearly constant.
    """
    table = law(Distribution.WEIBULL, shape, 2.0)
    where = np.concatenate([uniforms(), [1e-17, 3e-16]])  # a mixture stretches its numbers
    exact = 2 * np.exp(np.log(-np.log1p(-where)) / shape - special.gammaln(1 + 1 / shape))
    mean, variance = moments(table)
    x = 1 / shape
    if shape > 100:  # expanded in 1 / shape
        expected = special.zeta(2) * x**2 - 2 * special.zeta(3) * x**3
    else:
        expected = math.expm1(special.gammaln(1 + 2 * x) - 2 * special.gammaln(1 + x))

    assert close(drawn(table, where), exact, 2.0, 1e-12)
    assert mean == 2
    assert variance / 4 == pytest.approx(expected, rel=1e-3 if shape == 100 else 20 * x**2 if shape > 100 else 1e-9)


@pytest.mark.parametrize("cv", [0.001, 0.01, 1.0, 10.0, 100.0])
def test_lognormal_of_every_cv(cv):
    """
    Quantiles of a lognormal law by mean and cv of the value.
    """
    width = math.sqrt(math.log1p(cv**2))
    where = uniforms()
    upper = special.ndtri(where)

    assert close(
        drawn(law(Distribution.LOGNORMAL, 2.0, cv), where), 2 * np.exp(width * upper - width**2 / 2), 2.0, 1e-9
    )
    assert moments(law(Distribution.LOGNORMAL, 2.0, cv)) == pytest.approx((2, (2 * cv) ** 2))


WIDE = [(0.0, 1e15), (1e12, 1e12 + 1e-3), (0.0, 1e-9), (5.0, 5.0 + 1e-9)]


@pytest.mark.parametrize(("low", "high"), WIDE)
@pytest.mark.parametrize("mode", [0.0, 1e-6, 0.5, 1.0])
def test_laws_between_bounds_stay_there(low, high, mode):
    """
    Uniform, triangular and PERT laws over nothing and over all time: quantiles, mean, and the spread without lost digits.
    """
    top = low + mode * (high - low)
    where = uniforms()
    for kind, exact in (
        (Distribution.TRIANGULAR, stats.triang(mode)),
        (Distribution.PERT, stats.beta(1 + 4 * mode, 1 + 4 * (1 - mode))),
        (Distribution.UNIFORM, stats.uniform()),
    ):
        table = law(kind, low, high) if kind == Distribution.UNIFORM else law(kind, low, top, high)
        x = drawn(table, where)
        mean, variance = moments(table)
        wide = high - low
        digits = 4 * np.spacing(high)  # two such numbers cannot be told apart

        assert np.all((low - digits <= x) & (x <= high + digits))
        assert np.all(np.abs(x - (low + wide * exact.ppf(where))) <= 1e-8 * wide + digits)
        assert mean == pytest.approx(low + wide * exact.mean(), rel=1e-12)
        assert math.sqrt(variance) == pytest.approx(wide * exact.std(), rel=1e-6, abs=4 * digits)


def test_spread_of_values_far_from_zero_loses_no_digits():
    """
    Mean and variance of empirical, discrete and mixed values of which only the last digits differ.
    """
    empirical, discrete = (
        law(Distribution.EMPIRICAL, 1e9, 1e9 + 1, 1e9 + 2),
        law(Distribution.DISCRETE, 1e9, 0.5, 1e9 + 2, 1.0),
    )

    assert moments(empirical) == (1e9 + 1, pytest.approx(1 / 3))
    assert moments(discrete) == (1e9 + 1, 1)


def test_a_part_without_a_share_is_never_drawn():
    """
    The last part of a discrete law or a mixture with a share of 0 % does not get what rounding left over.
    """
    plan = plan_of(ONE.replace("LAW", "{discrete: {1 min: 70 %, 2 min: 20 %, 3 min: 10 %, 9 min: 0 %}}"))
    ready = sampling.prepare(plan.distributions, plan.parameters)

    assert sampling.sample(*ready, len(plan.distributions) - 1, 1 - 2.0**-53, 0) == 3 * MINUTE


def test_nothing_drawn_outlasts_int64():
    """
    A value beyond all time is cut off there, as no run lasts so long, instead of overflowing the clock.
    """
    assert sampling.whole(1e300) == sampling.whole(math.inf) == 10**15


# --- as scenarios write them

ONE = """\
clock: {warm_up: 0 h, measure: 2 d, cool_down: 0 h}
zones: {Z: {desk: {units: 2}}}
flows: {f: {steps: {s: {hold: {d: Z.desk}, take: LAW}}}}
traffic: {t: {flow: f, rate: 6 /h}}
"""

EXTREMES = [
    "{gamma: {mean: 5 min, cv: 0.001}}",
    "{gamma: {mean: 5 min, cv: 0.03}}",
    "{gamma: {mean: 5 min, cv: 100}}",
    "{gamma: {mean: 0 min, cv: 100}}",
    "{erlang: {shape: 1000000, mean: 5 min}}",
    "{erlang: {shape: 3000, mean: 0 s}}",
    "{weibull: {shape: 0.01, mean: 5 min}}",
    "{weibull: {shape: 1000000, mean: 5 min}}",
    "{lognormal: {mean: 5 min, cv: 100}}",
    "{lognormal: {mean: 900000000000 s, cv: 100}}",
    "{normal: {mean: 5 min, sd: 0 min}}",
    "{normal: {mean: 5 min, sd: 1 min, low: 12 min}}",
    "{normal: {mean: 5 min, sd: 1 min, low: 44 min}}",
    "{normal: {mean: 5 min, sd: 9 d}}",
    "{normal: {mean: 5 min, sd: 1e-300 ms}}",
    "{empirical: [5 min]}",
    "{uniform: [0 s, 11000 d]}",
    "{distance: 1 m, speed: 1000000 km/h, cv: 100}",
    "{mixture: {a: {share: 0 %, gamma: {mean: 1 min, cv: 30}}, b: {share: 100 %, normal: {mean: 1 s, sd: 1 s, low: 1 min}}}}",
]


@pytest.mark.parametrize("written", EXTREMES)
def test_both_engines_draw_the_extremes_alike(written):
    """
    A step that takes any of these times runs to its end, with equal rows on both engines.
    """
    plan = plan_of(ONE.replace("LAW", written))

    assert difference(plan, outcome(plan, "simpy"), outcome(plan, "compiled")) == ""


REFUSED = [
    "{gamma: {mean: 5 min, cv: 0}}",
    "{gamma: {mean: 5 min, cv: 101}}",
    "{gamma: {mean: 5 min, cv: true}}",
    "{lognormal: {mean: 5 min, cv: .nan}}",
    "{lognormal: {mean: 5 min, cv: .inf}}",
    "{lognormal: {mean: 5 min, cv: 1" + 400 * "0" + "}}",
    "{lognormal: {mean: -5 min, cv: 1}}",
    "{weibull: {mean: 5 min, shape: 0.009}}",
    "{weibull: {mean: 5 min, shape: 1.1e6}}",
    "{weibull: {mean: 5 min, shape: -1}}",
    "{erlang: {mean: 5 min, shape: 0}}",
    "{erlang: {mean: 5 min, shape: 1000001}}",
    "{erlang: {mean: 5 min, shape: 2.5}}",
    "{normal: {mean: 5 min, sd: -1 min}}",
    "{normal: {mean: .nan, sd: 1 min}}",
    "{normal: {mean: 5 min, sd: 0 s, low: 6 min}}",
    "{exponential: {mean: 1e20 d}}",
    "{exponential: {mean: .inf min}}",
    "{empirical: []}",
    "{distance: 5 km, speed: 0 km/h}",
    "{distance: 5 km, speed: 0 km/h, cv: 0.1}",
    "{distance: 5 km, speed: 1e-320 km/h}",
    "{distance: 5 km, speed: 60 km/h, cv: 0}",
    "{distance: 1e12 km, speed: 0.001 km/h}",
]


@pytest.mark.parametrize("written", REFUSED)
def test_what_cannot_be_drawn_is_refused_with_its_place(written):
    """
    A parameter that has no law, or none that is drawn to full precision, is a fault at its line.
    """
    with pytest.raises(ZonesimError) as found:
        plan_of(ONE.replace("LAW", written))

    assert str(found.value).startswith("timeline.yaml:")
