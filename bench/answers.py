"""What every program answers about the workload, and whether the answers agree with the reference."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from bench.workload import CLASSES, SERVICE, STATIONS


@dataclass(frozen=True)
class Answers:
    """
    Answers of one run: `values` by the names of `REFERENCE`.

    `seconds`: processor time that it took, where a program times itself because some of its work is not the simulation.
    `events`: events processed, where a program counts them. `peak_mb`: peak memory of a program outside this process.
    """

    values: Mapping[str, float]
    seconds: float | None = None
    events: int | None = None
    peak_mb: float | None = None


@dataclass
class Notes:
    """
    What the Python programs write down as they go; minutes.

    `stays` by class, of those that have left; `waits` by station and class, of those that have begun; `busy` by
    station, unit-minutes before the horizon.
    """

    stays: dict[str, list[float]] = field(default_factory=lambda: {klass: [] for klass in CLASSES})
    waits: dict[str, dict[str, list[float]]] = field(
        default_factory=lambda: {station: {klass: [] for klass in CLASSES} for station in STATIONS}
    )
    busy: dict[str, float] = field(default_factory=lambda: dict.fromkeys(STATIONS, 0.0))

    def answers(self, horizon: float) -> Answers:
        """Return the answers of a run that ended at `horizon`."""
        everybody = sorted(stay for stays in self.stays.values() for stay in stays)
        values = {
            "completed": float(len(everybody)),
            "stay.mean": mean(everybody),
            "stay.p95": percentile(everybody, 0.95),
        }
        values |= {f"stay.{klass}": mean(stays) for klass, stays in self.stays.items()}
        for station, waits in self.waits.items():
            values[f"wait.{station}"] = mean([wait for each in waits.values() for wait in each])
        values |= {f"wait.inspection.{klass}": mean(waits) for klass, waits in self.waits["inspection"].items()}
        values |= {f"use.{station}": self.busy[station] / (units * horizon) for station, units in STATIONS.items()}
        return Answers(values)


def mean(values: Sequence[float]) -> float:
    """Return the mean, nan of nothing."""
    return sum(values) / len(values) if values else math.nan


def percentile(ordered: Sequence[float], q: float) -> float:
    """Return the type 7 quantile of values in order, nan of nothing."""
    if not ordered:
        return math.nan
    place = q * (len(ordered) - 1)
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (place - low) * (ordered[high] - ordered[low])


# --- agreement

REFERENCE_HORIZON: Final = 100_000
REFERENCE_RUNS: Final = 200

REFERENCE: Final[dict[str, tuple[float, float]]] = {
    "completed": (99_974.3, 318.0),
    "stay.mean": (25.660, 0.164),
    "stay.p95": (66.65, 0.69),
    "stay.A": (23.820, 0.192),
    "stay.B": (26.773, 0.198),
    "stay.C": (33.589, 0.36),
    "wait.documents": (1.245, 0.045),
    "wait.entry": (1.657, 0.060),
    "wait.inspection": (4.254, 0.66),
    "wait.inspection.A": (7.585, 1.42),
    "wait.inspection.B": (2.706, 0.305),
    "wait.inspection.C": (1.572, 0.146),
    "wait.exit": (0.0466, 0.00096),
    "use.documents": (0.7497, 0.0030),
    "use.entry": (0.8331, 0.0028),
    "use.inspection": (0.6904, 0.0087),
    "use.exit": (0.3887, 0.0013),
}
"""
Answer and its standard deviation between runs of REFERENCE_HORIZON, by name; minutes, and utilisation as a share.

Means over REFERENCE_RUNS runs of programs that have nothing in common but the workload; those by class come from SimPy
with callbacks and from C, half each. The utilisations are 0.75, 0.8333, 0.6919 and 0.3889 in theory.
"""

LARGEST_Z: Final = 4.0
"""
Standard errors that an answer may be off. A bench makes about a hundred comparisons; that one of them is further off by
chance alone has probability 0.006. Seeds are fixed, so a program that agrees today does so tomorrow.
"""


@dataclass(frozen=True)
class Agreement:
    """How the mean answers of a program's runs lie to the reference, by name: value, reference, z."""

    rows: Mapping[str, tuple[float, float, float]]

    @property
    def worst(self) -> tuple[str, float]:
        """Return the answer that is furthest off, and by how many standard errors; nan counts as furthest."""
        name = max(self.rows, key=lambda each: math.inf if math.isnan(self.rows[each][2]) else abs(self.rows[each][2]))
        return name, self.rows[name][2]

    @property
    def holds(self) -> bool:
        """Return whether every answer is there and near enough."""
        return all(abs(z) <= LARGEST_Z for _, _, z in self.rows.values())


def agreement(runs: Iterable[Answers], horizon: float) -> Agreement:
    """
    Compare runs of `horizon` minutes with the reference.

    The standard error is that of so many runs of such a length (a variance falls with the length) and that of the
    reference itself together.
    """
    answers = list(runs)
    rows: dict[str, tuple[float, float, float]] = {}
    for name, (expected, deviation) in REFERENCE.items():
        found = mean([each.values.get(name, math.nan) for each in answers])
        length = horizon / REFERENCE_HORIZON
        if name == "completed":  # grows with the run, all but those who are inside at its end
            inside = REFERENCE_HORIZON - expected
            expected, deviation = horizon - inside, deviation * length  # noqa: PLW2901
        error = deviation * math.sqrt(1 / (length * len(answers)) + 1 / REFERENCE_RUNS)
        rows[name] = (found, expected, (found - expected) / error)
    return Agreement(rows)


# --- the single line


def single_agreement(runs: Iterable[Answers], horizon: float) -> Agreement:
    """
    Compare runs of the single line, `horizon` minutes each, with theory.

    Asymptotic variances: of the mean wait by D. J. Daley, The serial correlation coefficients of waiting times in a
    stationary single server queue, Journal of the Australian Mathematical Society 8, 1968; of the share of time at
    work as a renewal process of busy and idle periods; arrivals are Poisson.
    """
    answers = list(runs)
    load, idle = SERVICE, 1.0 - SERVICE  # one comes a minute
    busy = SERVICE / idle
    busy_variance = 2 * SERVICE**2 / idle**3 - busy**2
    expected = {
        "wait": (load * SERVICE / idle, SERVICE**2 * load * (2 + 5 * load - 4 * load**2 + load**3) / idle**4 / horizon),
        "use": (load, (busy**2 + busy_variance) / (busy + 1) ** 3 / horizon),
        "completed": (horizon - load / idle, horizon),
    }
    rows: dict[str, tuple[float, float, float]] = {}
    for name, (value, variance) in expected.items():
        found = mean([each.values.get(name, math.nan) for each in answers])
        rows[name] = (found, value, (found - value) / math.sqrt(variance / len(answers)))
    return Agreement(rows)
