"""Random streams, portable arithmetic, and the laws."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special, stats

from zonesim.compiled import arithmetic, streams
from zonesim.engine import sampling
from zonesim.plan.distributions import Distribution, distribution_mean, distribution_variance
from zonesim.plan.tables import stream_identity

GOLDEN_UNIFORMS = ["0x1.0054508ba891ep-2", "0x1.53315a3280f63p-1"]
GOLDEN_IDENTITY = 2286656881810079226


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ((0,) * 6, "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
        ((0xFFFFFFFF,) * 6, "408f276d 41c83b0e a20bc7c6 6d5451fd"),
        (
            (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344, 0xA4093822, 0x299F31D0),
            "d16cfe09 94fdcceb 5001e420 24126ea1",
        ),
    ],
)
def test_philox_gives_the_published_vectors(words, expected):
    """
    Philox 4x32-10 answers the known-answer tests of Random123.
    """
    assert " ".join(f"{int(word):08x}" for word in streams.philox(*map(np.uint64, words))) == expected


def uniforms(count: int, **where: int) -> np.ndarray:
    """Return uniform numbers by ordinal at one place."""
    place = {"seed": 1, "replication": 0, "stream": 7, "child": 0, "passes": 0} | where
    key = streams.run_key(place["seed"], place["replication"])
    return np.array(
        [streams.uniform(key, np.uint64(place["stream"]), n, place["child"], place["passes"]) for n in range(count)]
    )


def test_uniform_numbers_are_uniform():
    """
    A hundred thousand numbers fill a hundred cells evenly and stay strictly between 0 and 1.
    """
    found = uniforms(100_000)

    assert stats.chisquare(np.histogram(found, 100, (0, 1))[0]).pvalue > 1e-4
    assert 0 < found.min() < found.max() < 1


@pytest.mark.parametrize("other", [{"seed": 2}, {"replication": 1}, {"stream": 8}, {"child": 1}, {"passes": 1}])
def test_streams_are_independent(other):
    """
    A place that differs in one thing has unrelated numbers.
    """
    one, two = uniforms(20_000), uniforms(20_000, **other)
    table = np.histogram2d(one, two, 10, ((0, 1), (0, 1)))[0]

    assert abs(np.corrcoef(one, two)[0, 1]) < 4 / math.sqrt(20_000)
    assert stats.chisquare(table.ravel()).pvalue > 1e-4


def test_draws_are_the_same_on_every_machine():
    """
    The first numbers of two streams, to the last bit: a change here changes every published result.
    """
    assert [value.hex() for value in uniforms(2)] == GOLDEN_UNIFORMS
    assert stream_identity("import_sea/unload/take") == GOLDEN_IDENTITY


def test_portable_functions_agree_with_scipy():
    """
    exp, log, normal quantile, log gamma and the incomplete integrals are right to 1e-12 over their range.
    """
    x = np.linspace(-700, 700, 2001)
    assert max(abs(arithmetic.exp(v) / math.exp(v) - 1) for v in x) < 1e-14
    x = 10.0 ** np.linspace(-300, 300, 2001)
    assert max(abs(arithmetic.log(v) - math.log(v)) for v in x) < 2e-13
    p = np.concatenate([10.0 ** np.linspace(-16, -0.4, 800), 1 - 10.0 ** np.linspace(-15, -0.4, 800)])
    assert max(abs(arithmetic.normal_quantile(v) / special.ndtri(v) - 1) for v in p) < 1e-13
    assert max(abs(arithmetic.log_gamma(v) - special.gammaln(v)) for v in np.linspace(0.1, 60, 300)) < 1e-12
    for a in (1.0, 2.3, 5.0):
        for v in np.linspace(0, 1, 41):
            assert arithmetic.beta_integral(a, 3.0, v) == pytest.approx(special.betainc(a, 3.0, v), abs=1e-12)
        for v in np.linspace(0, 50, 41):
            lower, upper = arithmetic.gamma_integrals(a, v)
            assert (lower, upper) == pytest.approx((special.gammainc(a, v), special.gammaincc(a, v)), abs=1e-12)
    assert arithmetic.normal_share(1.3) == pytest.approx(special.ndtr(1.3), abs=1e-14)


LAWS = {
    "constant": (Distribution.CONSTANT, [5.0], None),
    "uniform": (Distribution.UNIFORM, [2.0, 6.0], stats.uniform(2, 4)),
    "triangular": (Distribution.TRIANGULAR, [1.0, 2.0, 6.0], stats.triang(0.2, 1, 5)),
    "PERT": (Distribution.PERT, [5.0, 10.0, 20.0], stats.beta(1 + 4 / 3, 1 + 8 / 3, 5, 15)),
    "PERT, mode at low": (Distribution.PERT, [0.0, 0.0, 10.0], stats.beta(1, 5, 0, 10)),
    "PERT, mode at high": (Distribution.PERT, [0.0, 10.0, 10.0], stats.beta(5, 1, 0, 10)),
    "exponential": (Distribution.EXPONENTIAL, [4.0], stats.expon(scale=4)),
    "Erlang": (Distribution.ERLANG, [3.0, 6.0], stats.gamma(3, scale=2)),
    "gamma": (Distribution.GAMMA, [10.0, 2.0], stats.gamma(0.25, scale=40)),
    "Erlang of many phases": (Distribution.ERLANG, [40.0, 6.0], stats.gamma(40, scale=6 / 40)),
    "gamma, nearly normal": (Distribution.GAMMA, [10.0, 0.05], stats.gamma(400, scale=10 / 400)),
    "Weibull": (Distribution.WEIBULL, [1.7, 3.0], stats.weibull_min(1.7, scale=3 / special.gamma(1 + 1 / 1.7))),
    "lognormal": (
        Distribution.LOGNORMAL,
        [3.0, 0.8],
        stats.lognorm(math.sqrt(math.log(1.64)), scale=3 / math.sqrt(1.64)),
    ),
    "normal": (Distribution.NORMAL, [5.0, 2.0, 4.0], stats.truncnorm(-0.5, np.inf, 5, 2)),
    "discrete": (Distribution.DISCRETE, [1.0, 0.5, 4.0, 0.8, 9.0, 1.0], None),
    "empirical": (Distribution.EMPIRICAL, [1.0, 2.0, 7.0], None),
}


def table(*laws: tuple[Distribution, list[float]]) -> tuple[np.ndarray, np.ndarray]:
    """Return laws as the tables of a plan."""
    rows, numbers = [], []
    for kind, own in laws:
        rows.append((int(kind), len(numbers), len(own)))
        numbers += own
    return np.array(rows, dtype=np.int64), np.array(numbers, dtype=np.float64)


@pytest.mark.parametrize("name", LAWS)
def test_a_law_has_its_mean_and_variance(name):
    """
    The mean over a fine grid of quantiles is the closed form's, and so is the variance.
    """
    kind, numbers, _ = LAWS[name]
    index, values = table((kind, numbers))
    ready = sampling.prepare(index, values)
    grid = (np.arange(200_000) + 0.5) / 200_000
    found = np.array([sampling.sample(*ready, 0, u, 0) for u in grid])
    mean, variance = distribution_mean(index, values, 0, 0), distribution_variance(index, values, 0, 0)

    assert found.mean() == pytest.approx(mean, rel=2e-4)
    assert found.var() == pytest.approx(variance, rel=5e-3, abs=1e-12)


@pytest.mark.parametrize("name", [name for name, law in LAWS.items() if law[2] is not None])
def test_sampling_inverts_the_distribution(name):
    """
    The value drawn at u is the quantile at u, from 1e-9 to 1 - 1e-9.
    """
    kind, numbers, exact = LAWS[name]
    ready = sampling.prepare(*table((kind, numbers)))
    for u in [*10.0 ** np.linspace(-9, -0.4, 60), *(1 - 10.0 ** np.linspace(-9, -0.4, 60))]:
        expected = exact.ppf(u)
        assert sampling.sample(*ready, 0, u, 0) == pytest.approx(expected, rel=1e-8, abs=1e-8 * exact.mean())


def test_mixture_by_class_and_shifted():
    """
    Laws made of laws: parts with their shares, a law for each class, offset and factor.
    """
    laws = table(
        (Distribution.CONSTANT, [2.0]),
        (Distribution.UNIFORM, [10.0, 20.0]),
        (Distribution.MIXTURE, [0.0, 0.75, 1.0, 1.0]),
        (Distribution.BY_CLASS, [0.0, 2.0]),
        (Distribution.SHIFTED, [1.0, 100.0, 2.0]),
    )
    ready = sampling.prepare(*laws)

    assert [sampling.sample(*ready, 2, u, 0) for u in (0.1, 0.74)] == [2.0, 2.0]
    assert sampling.sample(*ready, 2, 0.875, 0) == pytest.approx(15)
    assert sampling.sample(*ready, 3, 0.875, 0) == 2.0
    assert sampling.sample(*ready, 3, 0.875, 1) == pytest.approx(15)
    assert sampling.sample(*ready, 4, 0.5, 0) == pytest.approx(130)
    assert distribution_mean(*laws, 2, 0) == pytest.approx(0.75 * 2 + 0.25 * 15)
    assert distribution_mean(*laws, 4, 0) == pytest.approx(130)


@settings(max_examples=60, deadline=None)
@given(
    low=st.floats(0, 100),
    spread=st.floats(0.001, 1000),
    mode=st.floats(0, 1),
    us=st.lists(st.floats(1e-9, 1 - 1e-9), min_size=2, max_size=10),
)
def test_pert_is_monotone_and_stays_within_its_bounds(low, spread, mode, us):
    """
    A larger uniform number never gives a smaller value, and no value leaves [low, high].
    """
    ready = sampling.prepare(*table((Distribution.PERT, [low, low + mode * spread, low + spread])))
    values = [sampling.sample(*ready, 0, u, 0) for u in sorted(us)]

    assert all(later >= earlier - 1e-9 * spread for earlier, later in zip(values, values[1:], strict=False))
    assert low - 1e-9 * spread <= min(values) <= max(values) <= low + spread * (1 + 1e-9)


def test_durations_are_rounded_once_to_milliseconds():
    """
    A draw is a whole number that is not negative.
    """
    ready = sampling.prepare(
        *table((Distribution.CONSTANT, [2.5]), (Distribution.CONSTANT, [-3.0]), (Distribution.CONSTANT, [2.49]))
    )
    key = streams.run_key(1, 0)

    assert [sampling.draw_ms(*ready, row, 0, key, np.uint64(1), 0, 0, 0) for row in range(3)] == [3, 0, 2]
