"""The search for the multiple of demand that is carried, on functions whose crossing is known, without a run."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest

from zonesim.analysis import (
    HIGHEST,
    LOWEST,
    WORK,
    Bound,
    Look,
    Promise,
    Sizing,
    Verdict,
    broken_at,
    limit_of,
    next_multiples,
)

WAIT = Promise("wait", "f.s.wait.mean", 10.0, most=True, unit="min")
SHARE = Promise("share", "f.s.wait.within_5min", 0.9, most=False, unit="share")

Waits = Callable[[float, int], float]


def searched(waits: Waits, bound: float = math.inf, *, runs: int = 4, tolerance: float = 0.01):
    """Return the looks of a search for where `waits(multiple, replication)` passes 10 min, none above the bound."""
    looks: list[Look] = []
    while wanted := next_multiples(looks, [WAIT], Bound(bound), runs, tolerance):
        for multiple in wanted:
            assert all(multiple != look.multiple for look in looks), "nothing is looked at twice"
            if multiple >= bound:
                looks.append(Look(multiple, ("Z.desk",)))
            else:
                looks.append(Look(multiple, (), {"wait": np.array([waits(multiple, run) for run in range(runs)])}))
    return looks


def queue(multiple: float, run: int) -> float:
    """Return the mean wait of M/M/1 with a load of half the multiple, a little more or less in each run."""
    load = multiple / 2
    return (1 + 0.05 * run) * 5 * load / (1 - load)


def test_each_run_crosses_where_its_own_function_does():
    """
    The limits of four runs with waits 1 + 0.05 r times those of M/M/1 are where each passes the promise, to 1 %; looks above 2 are not run.
    """
    looks = searched(queue, bound=2.0)
    limit = limit_of(looks, [WAIT], 4)
    exact = [2 * 2 / (2 + 1 + 0.05 * run) for run in range(4)]

    assert limit.multiples == pytest.approx(exact, rel=0.005)
    assert (limit.below, limit.above, dict(limit.breaks)) == (0, 0, {"wait": 4})
    assert all(look.loaded or look.multiple < 2 for look in looks)


def test_the_tolerance_is_how_wide_a_bracket_stays():
    """Of a step that no straight line tells of, the limit lies within the tolerance, and a wide one asks for fewer looks."""
    found = {}
    for tolerance in (0.2, 0.01):
        looks = searched(lambda multiple, _: 1.0 if multiple < 1.234 else 1e9, bound=3.0, tolerance=tolerance)
        found[tolerance] = len(looks)
        assert limit_of(looks, [WAIT], 4).multiples == pytest.approx([1.234] * 4, rel=tolerance)

    assert found[0.2] < found[0.01]


def test_what_is_broken_at_once_is_below_the_lowest_multiple():
    """A wait that is always too long has no limit: all runs are below, and the mean is not given."""
    limit = limit_of(searched(lambda *_: 11.0, bound=2.0), [WAIT], 4)

    assert (limit.below, limit.above) == (4, 0)
    assert limit.multiples.tolist() == [LOWEST] * 4
    assert math.isnan(limit.mean(0.95).value)
    assert limit.first == "wait"


def test_what_never_breaks_is_above_the_highest_multiple():
    """Without a bound, a wait that stays short has no limit up to the highest multiple: all runs are above."""
    limit = limit_of(searched(lambda *_: 1.0), [WAIT], 4)

    assert (limit.below, limit.above, dict(limit.breaks)) == (0, 4, {})
    assert limit.multiples.tolist() == [HIGHEST] * 4


def test_without_a_promise_the_load_is_the_limit():
    """Where nothing is promised and work does not grow below the bound, every run has the bound for its limit."""
    looks: list[Look] = []
    while wanted := next_multiples(looks, [], Bound(1.5, ("Z.desk",)), 3):
        looks += [Look(multiple, ("Z.desk",) if multiple >= 1.5 else ()) for multiple in wanted]
    limit = limit_of(looks, [], 3)

    assert limit.multiples == pytest.approx([1.5] * 3, rel=2e-4)
    assert dict(limit.breaks) == {WORK: 3}


def test_a_bound_that_does_not_hold_is_passed():
    """Where the load does not tell of a limit at the bound, the search goes on above it."""
    looks: list[Look] = []
    while wanted := next_multiples(looks, [WAIT], Bound(1.0), 2):
        looks += [Look(each, (), {"wait": np.full(2, 5 * each)}) for each in wanted]

    assert limit_of(looks, [WAIT], 2).multiples == pytest.approx([2.0, 2.0], rel=0.005)


def test_work_that_grows_is_a_limit():
    """
    Ten runs in which the last week has surely more than the first, and by more than a little, have lost their stability; noise, or a little more, has not.
    """
    noise = np.array([-3.0, 2, 1, -2, 3, 0, -1, 2, -2, 1])

    assert Look(1.0, (), {}, 100 + noise, 120 + noise[::-1]).grows
    assert not Look(1.0, (), {}, 100 + noise, 102 + noise).grows
    assert not Look(1.0, (), {}, 100 + 20 * noise, 106 + 20 * noise[::-1]).grows
    assert not Look(1.0, (), {}, np.array([1.0]), np.array([50.0])).grows


def test_withheld_breaks_and_nobody_does_not():
    """A KPI that is withheld breaks its promise, and is told; one without a case breaks none, and a least is a limit too."""
    values = [np.array([math.nan, 0.95]), np.array([0.91, -math.inf])]
    looks = [Look(1 + place / 100, (), {"share": own}) for place, own in enumerate(values)]
    limit = limit_of(looks, [SHARE], 2)

    assert limit.above == 1
    assert dict(limit.breaks) == {"share": 1}
    assert limit.withheld == ("share",)
    assert limit.multiples[1] == pytest.approx(math.sqrt(1.01))


def test_a_run_that_breaks_at_low_demand_too_keeps_its_upper_limit():
    """What is broken at little demand, such as a wait for a full truck, and then holds, has its limit where it breaks again."""
    looks = [Look(each, (), {"wait": np.array([wait])}) for each, wait in ((0.5, 30.0), (1.0, 5.0), (1.005, 15.0))]

    assert limit_of(looks, [WAIT], 1).multiples.tolist() == pytest.approx([1.0025])
    assert next_multiples(looks, [WAIT], Bound(2.0), 1) == []


def test_sizes_are_raised_and_then_lowered():
    """
    Lanes and bays hold together from (7, 40) on, or with more lanes from fewer bays: what is found is held, and neither goes any lower alone.
    """

    def look(sizes):
        lanes, bays = sizes["lanes"], sizes["bays"]
        holds = lanes >= 7 and bays + 2 * lanes >= 54
        return Verdict(() if holds else ("wait",), ("bays", "lanes") if lanes >= 7 else ("lanes", "bays"))

    search = Sizing({"lanes": 2, "bays": 10}, look)
    search.go()
    found = search.found

    assert found is not None
    assert not look(found).broken
    assert look({**found, "lanes": found["lanes"] - 1}).broken
    assert look({**found, "bays": found["bays"] - 1}).broken
    assert len(search.seen) < 40


def test_sizes_that_no_unit_mends():
    """Where something else binds no units help: what is broken is said, and nothing is found."""
    search = Sizing({"lanes": 2}, lambda _: Verdict(("wait",), ("officers",)))
    search.go()

    assert search.found is None
    assert search.stuck == ("wait",)


def test_a_promise_is_held_with_its_interval():
    """A mean below the limit with a confidence limit above it does not hold; a withheld value, or work that grows, does not either."""
    near, far = np.array([9.0, 10.5, 9.5, 10.4]), np.array([8.0, 8.1, 8.0, 7.9])

    assert near.mean() < WAIT.limit
    assert broken_at(Look(1.0, (), {"wait": near}), [WAIT], 0.95) == ("wait",)
    assert broken_at(Look(1.0, (), {"wait": far}), [WAIT], 0.95) == ()
    assert broken_at(Look(1.0, (), {"wait": np.array([8.0, math.inf])}), [WAIT], 0.95) == ("wait",)
    assert broken_at(Look(1.0, (), {"wait": np.array([math.nan])}), [WAIT], 0.95) == ()
    assert broken_at(Look(1.0, (), {"wait": far}, np.arange(9) + 10, np.arange(9) + 20), [WAIT], 0.95) == (WORK,)
