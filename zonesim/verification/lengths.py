"""
How long a run has to be, before it is made: warm-up and measured window from the theory of one station.

Of a queue that has reached its steady state, the mean over N customers has the variance a / N, where a is the
asymptotic variance: waits of neighbours are alike, so a is much more than the variance of one wait. A 95 % interval
of half-width h times the mean needs N = (1.96 / h)² · a / mean².
"""

from __future__ import annotations

import math
from typing import Final

Z: Final = 1.959963984540054
"""Quantile of the normal distribution for 95 %."""

MARGIN: Final = 2.5
"""
How much longer than theory asks for: the error is itself estimated, from 30 replications within about a quarter, and
Student's quantile is larger than the normal one.
"""

RELAXATIONS: Final = 30.0
"""Warm-up in relaxation times; what is left of an empty start is then below 1e-13."""


def wait_variance(load: float) -> float:
    """
    Return the asymptotic variance of the mean wait of M/M/1, of one customer and in squared mean services.

    Source: D. J. Daley, The serial correlation coefficients of waiting times in a stationary single server queue, 1968.
    """
    return load * (2 + 5 * load - 4 * load**2 + load**3) / (1 - load) ** 4


def erlang_c(load: float, servers: int) -> float:
    """Return the probability of a wait in M/M/c: Erlang's B by its recursion, and C from it."""
    offered, blocked = load * servers, 1.0
    for server in range(1, servers + 1):
        blocked = offered * blocked / (server + offered * blocked)
    return blocked / (1 - load + load * blocked)


def customers(load: float, servers: int, cv2: float, half_width: float) -> float:
    """
    Return how many customers make the relative 95 % half-width of the mean wait `half_width`.

    Exact for M/M/1. For other stations as W. Whitt, Planning queueing simulations, 1989: the variance over the squared
    mean grows with (1 + cv²) / 2, and the rarer a wait the more customers are needed.
    """
    relative = wait_variance(load) * ((1 - load) / load) ** 2 * load / erlang_c(load, servers)
    return (Z / half_width) ** 2 * relative * (1 + cv2) / 2


def warm_up(load: float, servers: int, cv2: float) -> float:
    """
    Return a warm-up in mean services: `RELAXATIONS` times the relaxation time, at least 20.

    Source: A. R. Odoni and E. Roth, An empirical investigation of the transient behavior of stationary queueing
    systems, 1983: (1 + cv²) / 2.8 (1 - √load)², of one server.
    """
    return max(RELAXATIONS * (1 + cv2) / (2.8 * (1 - math.sqrt(load)) ** 2) / servers, 20.0)


def window(load: float, servers: int, cv2: float, half_width: float, replications: int) -> float:
    """Return the measured window of each replication, in mean services."""
    return MARGIN * customers(load, servers, cv2, half_width) / (replications * servers * load)
