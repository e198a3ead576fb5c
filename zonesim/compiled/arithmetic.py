"""
Functions from + - * / and square root only, so that every machine gets the same bits.

The functions of a system's mathematics library differ between systems in the last bit; these do not. Relative
errors are below 1e-15 (exp, log), 1e-12 (quantiles, integrals); tests compare with scipy.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from zonesim.compiled.jit import inlined, kernel

_LOG2E: Final = 1.4426950408889634
_LN2_HIGH: Final = 6.93147180369123816490e-01
_LN2_LOW: Final = 1.90821492927058770002e-10
_ROOT_HALF_BITS: Final = 0x3FE6A09E667F3BCD
"""The bits of the root of 1/2 as a double."""
_MANTISSA_BITS: Final = 52
_BIAS: Final = 1023
_E2, _E3, _E4, _E5, _E6, _E7, _E8, _E9, _E10, _E11, _E12, _E13 = (1.0 / math.factorial(n) for n in range(2, 14))
"""Coefficients of the exponential function."""
_L1, _L2, _L3, _L4, _L5, _L6, _L7, _L8, _L9, _L10, _L11 = (1.0 / (2 * n + 1) for n in range(1, 12))
"""Coefficients of the inverse hyperbolic tangent after the first."""
_HALF_LOG_TWO_PI: Final = 0.91893853320467274178
_LARGEST_EXPONENT: Final = 709.0
_SMALLEST_EXPONENT: Final = -708.0
_TINY: Final = 1e-300
_EPSILON: Final = 1e-16
_TERMS: Final = 20_000
"""More than a gamma integral of shape 10 ** 6 needs."""
_MILLS_LEVELS: Final = 10


@inlined
def exp(x: float) -> float:
    """Return e ** x: the power of two is split off, the rest is a Taylor polynomial whose parts stand alone."""
    if x > _LARGEST_EXPONENT:
        return math.inf
    if x < _SMALLEST_EXPONENT:
        return 0.0
    k = math.floor(x * _LOG2E + 0.5)
    r = (x - k * _LN2_HIGH) - k * _LN2_LOW
    r2 = r * r
    r4 = r2 * r2
    low = (1.0 + r) + r2 * (_E2 + _E3 * r)
    middle = (_E4 + _E5 * r) + r2 * (_E6 + _E7 * r)
    high = (_E8 + _E9 * r) + r2 * (_E10 + _E11 * r)
    total = low + r4 * (middle + r4 * (high + r4 * (_E12 + _E13 * r)))
    return total * np.int64((np.int64(k) + _BIAS) << _MANTISSA_BITS).view(np.float64)


@inlined
def log(x: float) -> float:
    """
    Return the natural logarithm of x > 0 (not subnormal): exponent apart, mantissa between the roots of 1/2 and 2 by
    the series of the inverse hyperbolic tangent.
    """
    bits = np.float64(x).view(np.int64)
    exponent = (bits - _ROOT_HALF_BITS) >> _MANTISSA_BITS
    mantissa = np.int64(bits - (exponent << _MANTISSA_BITS)).view(np.float64)
    s = (mantissa - 1.0) / (mantissa + 1.0)
    z = s * s
    z2 = z * z
    z4 = z2 * z2
    low = (_L1 + _L2 * z) + z2 * (_L3 + _L4 * z)
    middle = (_L5 + _L6 * z) + z2 * (_L7 + _L8 * z)
    high = (_L9 + _L10 * z) + z2 * _L11
    total = z * (low + z4 * (middle + z4 * high))
    return exponent * _LN2_HIGH + (2.0 * s * (1.0 + total) + exponent * _LN2_LOW)


@kernel
def power(x: float, y: float) -> float:
    """Return x ** y for x >= 0."""
    return exp(y * log(x)) if x > 0.0 else 0.0


@inlined
def normal_quantile(p: float) -> float:
    """
    Return the quantile of the standard normal law for 0 < p < 1 (Wichura, algorithm AS 241, PPND16; Applied
    Statistics 37, 1988).
    """
    q = p - 0.5
    if abs(q) <= 0.425:  # noqa: PLR2004  the algorithm's own bound
        r = 0.180625 - q * q
        top = (
            (
                (
                    (
                        ((2509.0809287301226727 * r + 33430.575583588128105) * r + 67265.770927008700853) * r
                        + 45921.953931549871457
                    )
                    * r
                    + 13731.693765509461125
                )
                * r
                + 1971.5909503065514427
            )
            * r
            + 133.14166789178437745
        ) * r + 3.387132872796366608
        bottom = (
            (
                (
                    (
                        ((5226.495278852545925 * r + 28729.085735721942674) * r + 39307.89580009271061) * r
                        + 21213.794301586595867
                    )
                    * r
                    + 5394.1960214247511077
                )
                * r
                + 687.1870074920579083
            )
            * r
            + 42.313330701600911252
        ) * r + 1.0
        return q * top / bottom
    r = math.sqrt(-log(p if q < 0.0 else 1.0 - p))
    if r <= 5.0:  # noqa: PLR2004  the algorithm's own bound
        r -= 1.6
        top = (
            (
                (
                    (
                        ((7.7454501427834140764e-4 * r + 0.0227238449892691845833) * r + 0.24178072517745061177) * r
                        + 1.27045825245236838258
                    )
                    * r
                    + 3.64784832476320460504
                )
                * r
                + 5.7694972214606914055
            )
            * r
            + 4.6303378461565452959
        ) * r + 1.42343711074968357734
        bottom = (
            (
                (
                    (
                        ((1.05075007164441684324e-9 * r + 5.475938084995344946e-4) * r + 0.0151986665636164571966) * r
                        + 0.14810397642748007459
                    )
                    * r
                    + 0.68976733498510000455
                )
                * r
                + 1.6763848301838038494
            )
            * r
            + 2.05319162663775882187
        ) * r + 1.0
    else:
        r -= 5.0
        top = (
            (
                (
                    (
                        ((2.01033439929228813265e-7 * r + 2.71155556874348757815e-5) * r + 0.0012426609473880784386) * r
                        + 0.026532189526576123093
                    )
                    * r
                    + 0.29656057182850489123
                )
                * r
                + 1.7848265399172913358
            )
            * r
            + 5.4637849111641143699
        ) * r + 6.6579046435011037772
        bottom = (
            (
                (
                    (
                        ((2.04426310338993978564e-15 * r + 1.4215117583164458887e-7) * r + 1.8463183175100546818e-5) * r
                        + 7.868691311456132591e-4
                    )
                    * r
                    + 0.0148753612908506148525
                )
                * r
                + 0.13692988092273580531
            )
            * r
            + 0.59983220655588793769
        ) * r + 1.0
    return -top / bottom if q < 0.0 else top / bottom


@kernel
def log_gamma(x: float) -> float:
    """Return log Gamma(x) for x > 0: Stirling's series from 12 on, below by the recurrence."""
    product = 1.0
    while x < 12.0:  # noqa: PLR2004  where the series reaches double precision
        product *= x
        x += 1.0
    z = 1.0 / (x * x)
    series = 1.0 / 12 - z * (1.0 / 360 - z * (1.0 / 1260 - z * (1.0 / 1680 - z * (1.0 / 1188 - z * 691.0 / 360360))))
    return (x - 0.5) * log(x) - x + _HALF_LOG_TWO_PI + series / x - log(product)


@kernel
def log_beta(a: float, b: float) -> float:
    """Return log B(a, b)."""
    return log_gamma(a) + log_gamma(b) - log_gamma(a + b)


@kernel
def beta_integral(a: float, b: float, x: float) -> float:
    """Return the regularised incomplete beta function by its continued fraction (modified Lentz)."""
    if x <= 0.0:
        return 0.0
    if x >= 1.0:
        return 1.0
    if x > (a + 1.0) / (a + b + 2.0):
        return 1.0 - _beta_fraction(b, a, 1.0 - x)
    return _beta_fraction(a, b, x)


@kernel
def _beta_fraction(a: float, b: float, x: float) -> float:
    """
    Return the continued fraction of the incomplete beta function, where it converges fast. A kernel of its own: a
    cached kernel that calls itself can crash when it is loaded for a second set of types.
    """
    front = exp(a * log(x) + b * log(1.0 - x) - log_beta(a, b)) / a
    c = 1.0
    d = 1.0 / _away_from_zero(1.0 - (a + b) * x / (a + 1.0))
    fraction = d
    for m in range(1, 300):
        even = m * (b - m) * x / ((a + 2 * m - 1.0) * (a + 2 * m))
        d = 1.0 / _away_from_zero(1.0 + even * d)
        c = _away_from_zero(1.0 + even / c)
        fraction *= d * c
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1.0))
        d = 1.0 / _away_from_zero(1.0 + odd * d)
        c = _away_from_zero(1.0 + odd / c)
        change = d * c
        fraction *= change
        if abs(change - 1.0) < _EPSILON:
            break
    return front * fraction


@kernel
def gamma_integrals(a: float, x: float) -> tuple[float, float]:
    """
    Return the regularised lower and upper incomplete gamma functions: by the series, or the continued fraction for
    large x.
    """
    if x <= 0.0:
        return 0.0, 1.0
    front = exp(a * log(x) - x - log_gamma(a))
    if x < a + 1.0:
        term = 1.0 / a
        total = term
        n = a
        for _ in range(_TERMS):
            n += 1.0
            term *= x / n
            total += term
            if term < total * _EPSILON:
                break
        lower = front * total
        return lower, 1.0 - lower
    b = x + 1.0 - a
    c = 1.0 / _TINY
    d = 1.0 / b
    fraction = d
    for m in range(1, _TERMS):
        step = -m * (m - a)
        b += 2.0
        d = 1.0 / _away_from_zero(step * d + b)
        c = _away_from_zero(b + step / c)
        change = d * c
        fraction *= change
        if abs(change - 1.0) < _EPSILON:
            break
    upper = front * fraction
    return 1.0 - upper, upper


@kernel
def normal_share(x: float) -> float:
    """Return the share of the standard normal law below x."""
    lower, upper = gamma_integrals(0.5, 0.5 * x * x)
    return 0.5 * upper if x < 0.0 else 0.5 + 0.5 * lower


@kernel
def mills_ratio(x: float) -> float:
    """Return the upper tail of the standard normal law over its density, for x of 30 and more: a continued fraction."""
    rest = x
    for level in range(_MILLS_LEVELS, 0, -1):
        rest = x + level / rest
    return 1.0 / rest


@kernel
def _away_from_zero(x: float) -> float:
    return x if abs(x) > _TINY else _TINY
