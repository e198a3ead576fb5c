"""Closed forms of queueing theory, each a scenario file with a user-defined flow."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.helper import column, kpis, plan_of_file
from zonesim.analysis import interval

HERE = Path(__file__).parent
REPLICATIONS = 30
WIDEST = 0.05
LARGEST_Z = 3.5


@dataclass(frozen=True)
class Case:
    """A scenario with settings, and exact values by KPI."""

    name: str
    file: str
    settings: tuple[str, ...]
    expected: dict[str, float] = field(hash=False)


def erlang_c(rate: float, service: float, servers: int) -> tuple[float, float]:
    """Return the probability of waiting and the mean wait in M/M/c (B by recursion, C from B)."""
    load = rate * service
    blocked = 1.0
    for server in range(1, servers + 1):
        blocked = load * blocked / (server + load * blocked)
    rho = load / servers
    waits = blocked / (1 - rho + rho * blocked)
    return waits, waits / (servers / service - rate)


def markov(rate: float, service: float, servers: int, minutes: int) -> Case:
    """Return M/M/c with its waiting probability, waits and time averages."""
    waits, wait = erlang_c(rate, service, servers)
    settings = (
        f"traffic.customers.rate={rate} /min",
        f"zones.BANK.clerks.units={servers}",
        f"flows.bank.serve.take.exponential.mean={service} min",
        f"clock.measure={minutes} min",
    )
    return Case(
        f"M/M/{servers} rate {rate:.3g} service {service:.3g}",
        "queue.yaml",
        settings,
        {
            "bank.serve.wait.mean": wait,
            "bank.serve.wait.share": waits,
            "BANK.clerks.queue.mean": rate * wait,
            "BANK.clerks.utilisation": rate * service / servers,
            "bank.stay.mean": (wait + service) / 60,
            "bank.inside.mean": rate * (wait + service),
        },
    )


LAWS: dict[str, tuple[str, float]] = {
    "constant": ("1 min", 0.0),
    "triangular": ("{triangular: [0.5 min, 1 min, 1.5 min]}", 1 / 24),
    "uniform": ("{uniform: [0.5 min, 1.5 min]}", 1 / 12),
    "Erlang-2": ("{erlang: {shape: 2, mean: 1 min}}", 1 / 2),
    "exponential": ("{exponential: {mean: 1 min}}", 1.0),
    "lognormal": ("{lognormal: {mean: 1 min, cv: 1.4142135623730951}}", 2.0),
    "PERT": ("{pert: [0.2 min, 1 min, 1.8 min]}", 0.8 * 0.8 / 7),
    "gamma": ("{gamma: {mean: 1 min, cv: 0.5}}", 0.25),
    "Weibull": ("{weibull: {shape: 2, mean: 1 min}}", 4 / math.pi - 1),
    # Balanced means: 88.729833 % at rate 2p and the rest at rate 2(1-p) has mean 1 and squared cv 4.
    "hyperexponential": (
        "{mixture: {fast: {share: 88.72983346207417 %, exponential: {mean: 0.5635083268962916 min}},"
        " slow: {share: 11.27016653792583 %, exponential: {mean: 4.436491673103709 min}}}}",
        4.0,
    ),
}
"""Laws of mean 1 minute with their variance."""

LENGTH = {"lognormal": 60_000, "hyperexponential": 40_000}


def one_server(law: str, rate: float) -> Case:
    """Return M/G/1 with the wait by Pollaczek and Khinchine."""
    text, variance = LAWS[law]
    wait = rate * (variance + 1) / (2 * (1 - rate))
    settings = (
        f"traffic.customers.rate={rate} /min",
        f"flows.bank.serve.take={text}",
        f"clock.measure={LENGTH.get(law, 8_000)} min",
    )
    return Case(f"M/G/1 {law} {rate}", "queue.yaml", settings, {"bank.serve.wait.mean": wait})


CASES = [
    markov(0.5, 1, 1, 8_000),
    markov(1 / 6, 5, 1, 60_000),
    markov(0.2, 10, 3, 40_000),
    markov(0.5, 5, 3, 25_000),
    *[one_server(law, 0.5) for law in LAWS],
    one_server("constant", 0.8),
    one_server("Erlang-2", 0.8),
    Case(
        "hospital desk, Erlang-3",
        "queue.yaml",
        ("traffic.customers.rate=1 /min", "flows.bank.serve.take={erlang: {shape: 3, mean: 0.8 min}}"),
        {"bank.serve.wait.mean": 2.133333},
    ),
    Case(
        "two-class priority",
        "priority.yaml",
        (),
        {"high.serve.wait.mean": 1.0, "low.serve.wait.mean": 5.0, "DESK.clerk.queue.mean": 0.2 * 1.0 + 0.6 * 5.0},
    ),
    Case(
        "gate network with feedback",
        "gate_network.yaml",
        (),
        {
            "gate.documents.visits.day": 12.631579 * 24,
            "gate.xray.visits.day": 3.222342 * 24,
            "GATE.officers.utilisation": 0.631579,
            "GATE.xray.utilisation": 0.429646,
            "gate.documents.wait.mean": 3.98157,
            "gate.xray.wait.mean": 6.02637,
            "gate.stay.mean": 15.08424 / 60,
            "gate.inside.mean": 3.016848,
        },
    ),
]


LONG = {"M/G/1 lognormal 0.5", "M/G/1 hyperexponential 0.5", "M/G/1 constant 0.8", "M/M/3 rate 0.5 service 5"}
"""Cases that take more than 15 seconds; the others of their kind are fast."""


@pytest.mark.parametrize(
    "case",
    [pytest.param(case, marks=pytest.mark.slow if case.name in LONG else (), id=case.name) for case in CASES],
)
def test_closed_form(case: Case):
    """
    Thirty replications agree with the exact value: within 3.5 standard errors, and within an interval of 5 %.
    """
    check(case)


def check(case: Case) -> None:
    """Run a case and compare it with its exact values."""
    results = kpis(plan_of_file(HERE / case.file, *case.settings), seed=11, replications=REPLICATIONS)

    for kpi, exact in case.expected.items():
        values = column(results, kpi)
        found = interval(list(values))
        error = values.std(ddof=1) / math.sqrt(len(values))

        assert abs(found.value - exact) < LARGEST_Z * error, (kpi, found, exact)
        assert (found.high - found.low) / 2 <= WIDEST * exact, (kpi, found, exact)


@pytest.mark.slow
@pytest.mark.parametrize("case", [markov(4.5, 1, 5, 20_000), markov(18, 1, 20, 6_000)], ids=lambda case: case.name)
def test_closed_form_of_a_busy_station(case: Case):
    """
    The same for stations that are 90 % busy, whose waits need long runs.
    """
    check(case)


@pytest.mark.parametrize("name", ["queue.yaml", "priority.yaml", "gate_network.yaml"])
def test_little(name: str):
    """
    Little's law holds on every run as an identity of its own records, within what is cut off at the edges of the window.
    """
    for result in kpis(plan_of_file(HERE / name), seed=3, replications=3):
        flow = {"queue.yaml": "bank", "priority.yaml": "desk", "gate_network.yaml": "gate"}[name]
        inside = result.values[f"{flow}.arrived.day"] / 24 * result.values[f"{flow}.stay.mean"]

        assert inside == pytest.approx(result.values[f"{flow}.inside.mean"], rel=0.03)
