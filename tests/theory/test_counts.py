"""Counts whose whole distribution is known."""

from __future__ import annotations

import numpy as np
from scipy.stats import chi2

from tests.helper import plan_of_file, run_plan
from zonesim.plan import NUMBER_BITS
from zonesim.units import HOUR
from zonesim.verification import cases_folder

RUNS = 20
INSTANTS = np.array([3, 6, 9, 12, 18, 24]) * HOUR


def test_how_many_are_inside_is_poisson():
    """
    Where everybody is served at once, how many are inside at an instant is Poisson whatever the rate of arrivals does:
    the variance is the mean. The dispersion of 20 runs at six instants, too far from each other to have anybody in
    common, lies between the 0.05 % and 99.95 % quantiles of chi-squared.

    Source: Eick, Massey, Whitt, Mt/G/infinity queues with sinusoidal arrival rates, 1993.
    """
    plan = plan_of_file(
        cases_folder() / "S17_day.yaml", "traffic.visitors.rate=60 /h", "clock.warm_up=23 h", "clock.measure=2 h"
    )
    counts = []
    for replication in range(RUNS):
        visits = run_plan(plan, engine="compiled", seed=5, replication=replication).sink.visits
        stays = np.array([bool(plan.names.steps[step].path == ("stay",)) for step in visits["key"] >> NUMBER_BITS])
        started, ended = visits["started"][stays], visits["ended"][stays]
        ended = np.where(ended < 0, plan.horizon, ended)
        counts.append([int(((started <= now) & (now < ended)).sum()) for now in INSTANTS])
    found = np.array(counts)
    dispersion = float(((RUNS - 1) * found.var(axis=0, ddof=1) / found.mean(axis=0)).sum())
    freedom = (RUNS - 1) * len(INSTANTS)

    assert chi2.ppf(0.0005, freedom) < dispersion < chi2.ppf(0.9995, freedom)
