"""Departures with room for so many, against the queue with bulk service at fixed times (Bailey 1954)."""

from __future__ import annotations

import cmath

import pytest

from tests.helper import column, kpis, plan_of


def mean_left(offered: float, room: int) -> float:
    """
    Return how many are left behind on average, where a Poisson number with mean `offered` comes between two departures
    with `room` for so many: by the roots of z ** room = exp(offered (z - 1)) inside the unit circle.
    """
    total = 0.0 + 0.0j
    for number in range(1, room):
        turn, root = cmath.exp(2j * cmath.pi * number / room), 0.0 + 0.0j
        for _ in range(10_000):
            root = turn * cmath.exp(offered * (root - 1) / room)
        total += 1 / (1 - root)
    return total.real - (room * (room - 1) - offered**2) / (2 * (room - offered))


def mean_left_of_the_chain(offered: float, room: int) -> float:
    """Return the same from the chain of the numbers left behind, step by step until it stands still."""
    states = 600
    come = [cmath.exp(-offered).real]
    for number in range(1, states):
        come.append(come[-1] * offered / number)
    left = [1.0] + [0.0] * (states - 1)
    for _ in range(400):
        there = [
            sum(left[each] * come[number - each] for each in range(min(number, states - 1) + 1))
            for number in range(states)
        ]
        left = [sum(there[: room + 1]), *there[room + 1 :], *[0.0] * room]
    return sum(number * share for number, share in enumerate(left))


@pytest.mark.slow
def test_roots_and_chain_agree():
    """
    Both ways to the mean number left behind give the same.
    """
    assert mean_left(2.5, 4) == pytest.approx(mean_left_of_the_chain(2.5, 4), abs=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize(("rate", "room"), [(0.5, 8), (2.0, 20), (2.3, 20), (0.1, 1)])
def test_barges_every_eight_hours(rate, room):
    """
    The mean wait is that of who is left behind and of half a period, over the rate (Little's law).
    """
    text = f"""
clock: {{warm_up: 20 d, measure: 400 d, cool_down: 20 d}}
calendars: {{barges: {{every: 8 h}}}}
flows: {{f: {{steps: {{go: {{gather: {{until: barges, most: {room}}}}}}}}}}}
traffic: {{a: {{flow: f, rate: {rate} /h}}}}
"""
    waits = column(kpis(plan_of(text), replications=20), "f.go.wait.mean") / 60
    expected = (mean_left(8 * rate, room) + 8 * rate / 2) / rate

    assert abs(waits.mean() - expected) < 4 * waits.std(ddof=1) / 20**0.5
