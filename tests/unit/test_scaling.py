"""`scale`: what is a time or an amount is multiplied, what says how it is spread stays; by meaning, not by name."""

from __future__ import annotations

import math
from typing import Any

import pytest
import yaml

from tests.helper import plan_of
from zonesim.faults import ZonesimError
from zonesim.plan import Plan
from zonesim.plan.distributions import distribution_mean, distribution_variance
from zonesim.plan.operations import Op
from zonesim.policy import apply, parse_setting, world_of
from zonesim.policy.scaling import scaled
from zonesim.scenario import read_text

SCENARIO = """\
zonesim: 1
kind: scenario
name: scaled
clock: {warm_up: 0 h, measure: 2 d, cool_down: 0 h}
profiles: {p: {hours: [0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 3, 3, 0, 0, 0, 0]}}
zones: {Z: {desk: {units: 2, breakdowns: {up: {erlang: {shape: 2, mean: 9 h}}, repair: 1 h, clock: always, of: whole}}, km: {value: 5 km}, rate: {value: 50 %}}}
truth: {wrong: {speed: 5 %, cv: 4 %, all: 2 %}}
flows:
  f:
    params: {k: {kind: distance, default: 12 km}, m: {kind: duration, default: 3 min}}
    steps:
      s:
        hold: {d: Z.desk}
        patience: {longest: {gamma: {mean: 1 h, cv: 0.5}}, next: end}
        share: {speed: 10 %, all: 20 %}
        take: TAKE
traffic:
  t: {flow: f, rate: 6 /h, profile: p, batch: {discrete: {1: 80 %, 3: 20 %}}, classes: {CLASSES}}
"""
CLASSES = "speed: 30 %, cv: 30 %, share: 20 %, note: 20 %"
FACTOR = 2.5


def text(take: str = "1 min", classes: str = CLASSES) -> str:
    """Return the scenario with what its step takes."""
    return SCENARIO.replace("TAKE", take).replace("CLASSES", classes)


def changed(path: str, take: str = "1 min", factor: float = FACTOR) -> Any:
    """Return what stands at a path after scaling."""
    (change,) = apply(world_of(read_text(text(take), "scaled.yaml")), [parse_setting(f"{path}*={factor}")])
    return change.new


LAWS = {
    "{constant: 4 min}": "{constant: 10 min}",
    "{uniform: [2 min, 4 min]}": "{uniform: [5 min, 10 min]}",
    "{triangular: [2 min, 4 min, 8 min]}": "{triangular: [5 min, 10 min, 20 min]}",
    "{pert: [2 min, 4 min, 8 min]}": "{pert: [5 min, 10 min, 20 min]}",
    "{exponential: {mean: 4 min}}": "{exponential: {mean: 10 min}}",
    "{erlang: {shape: 4, mean: 4 min}}": "{erlang: {shape: 4, mean: 10 min}}",
    "{gamma: {mean: 4 min, cv: 0.5}}": "{gamma: {mean: 10 min, cv: 0.5}}",
    "{weibull: {shape: 2, mean: 4 min}}": "{weibull: {shape: 2, mean: 10 min}}",
    "{lognormal: {mean: 4 min, cv: 0.8}}": "{lognormal: {mean: 10 min, cv: 0.8}}",
    "{normal: {mean: 4 min, sd: 2 min, low: 1 min}}": "{normal: {mean: 10 min, sd: 5 min, low: 2.5 min}}",
    "{discrete: {2 min: 30 %, 8 min: 70 %}}": "{discrete: {5 min: 30 %, 20 min: 70 %}}",
    "{empirical: [1 min, 2 min, 9 min]}": "{empirical: [2.5 min, 5 min, 22.5 min]}",
    "{distance: 4 km, speed: 40 km/h, cv: 0.2}": "{distance: 10 km, speed: 40 km/h, cv: 0.2}",
    "{distance: $k, speed: 40 km/h, cv: 0.2}": "{distance: $k, speed: 16 km/h, cv: 0.2}",
    "{exponential: {mean: {uncertain: [2 min, 4 min, 8 min]}}}": "{exponential: {mean: {uncertain: [5 min, 10 min, 20 min]}}}",
    "{mixture: {speed: {share: 25 %, constant: 2 min}, cv: {share: 75 %, erlang: {shape: 3, mean: 8 min}}}}": (
        "{mixture: {speed: {share: 25 %, constant: 5 min}, cv: {share: 75 %, erlang: {shape: 3, mean: 20 min}}}}"
    ),
    "{mixture: {share: {share: 50 %, mixture: {shape: {share: 50 %, constant: 2 min}, by: {share: 50 %, constant: 4 min}}}, "
    "note: {share: 50 %, weibull: {shape: 2, mean: 8 min}}}}": (
        "{mixture: {share: {share: 50 %, mixture: {shape: {share: 50 %, constant: 5 min}, by: {share: 50 %, constant: 10 min}}}, "
        "note: {share: 50 %, weibull: {shape: 2, mean: 20 min}}}}"
    ),
    "{by: class, speed: 2 min, cv: {gamma: {mean: 4 min, cv: 3}}, share: {constant: 8 min}, note: 6 min}": (
        "{by: class, speed: 5 min, cv: {gamma: {mean: 10 min, cv: 3}}, share: {constant: 20 min}, note: 15 min}"
    ),
}
"""Every law, and what it is when its times are two and a half times as long."""


@pytest.mark.parametrize("take", LAWS)
def test_scale_multiplies_exactly_the_times_of_a_law(take):
    """
    Mean and standard deviation are multiplied, in every class; shapes, cvs, shares and speeds stay, whatever the names.
    """
    assert changed("flows.f.s.take", take) == yaml.safe_load(LAWS[take])

    before, after = plan_of(text(take)), plan_of(text(take), f"flows.f.s.take*={FACTOR}")
    for klass in range(4):
        mean, deviation = moments(before, klass)

        assert moments(after, klass) == pytest.approx((FACTOR * mean, FACTOR * deviation), rel=1e-12)


def moments(plan: Plan, klass: int) -> tuple[float, float]:
    """Return mean and standard deviation of what the step takes."""
    (law,) = plan.program["a"][plan.program["op"] == Op.DELAY].tolist()
    return distribution_mean(plan.distributions, plan.parameters, law, klass), math.sqrt(
        distribution_variance(plan.distributions, plan.parameters, law, klass)
    )


PLACES = {
    "truth.wrong": ({"speed": "12.5 %", "cv": "10 %", "all": "5 %"}, "every share of a mapping of shares"),
    "truth.wrong.speed": ("12.5 %", "the one that is meant"),
    "flows.f.s.share": ({"speed": "25 %", "all": "50 %"}, "shares by class"),
    "flows.f.s.patience": (
        {"longest": {"gamma": {"mean": "2.5 h", "cv": 0.5}}, "next": "end"},
        "the times of a mapping",
    ),
    "flows.f.s.patience.longest.gamma.cv": (1.25, "a spread that is meant itself"),
    "flows.f.params.k": ({"kind": "distance", "default": "30 km"}, "a default"),
    "zones.Z.km": ({"value": "12.5 km"}, "a setting"),
    "zones.Z.desk.units": (5, "a number of units"),
    "zones.Z.desk.breakdowns": (
        {"up": {"erlang": {"shape": 2, "mean": "22.5 h"}}, "repair": "2.5 h", "clock": "always", "of": "whole"},
        "both times of breakdowns, without the shape",
    ),
    "traffic.t.rate": ("15 /h", "a rate"),
    "clock.measure": ("5 d", "a time"),
}


@pytest.mark.parametrize("path", PLACES)
def test_scale_of_anything_else(path):
    """
    What the format calls a time, a rate, a distance or a count is multiplied in a mapping; a ratio where it is meant.
    """
    expected, reason = PLACES[path]

    assert changed(path) == expected, reason


def test_a_mapping_of_times_is_scaled_by_its_keys():
    """
    Scaled in themselves, durations with their shares become longer; numbers of arrivals become larger.
    """
    assert changed("flows.f.s.take.discrete", "{discrete: {2 min: 30 %, 8 min: 70 %}}") == {
        "5 min": "30 %",
        "20 min": "70 %",
    }
    assert changed("traffic.t.batch", factor=2) == {"discrete": {"2": "80 %", "6": "20 %"}}


def test_a_profile_scaled_by_its_weights_keeps_the_rate_of_every_hour():
    """
    The weights of the hours are multiplied, of which only proportions matter: the plan is the same.
    """
    plans = [plan_of(text(), *edit) for edit in ((), ("profiles.p.hours*=2.5",))]

    assert changed("profiles.p.hours")[17:20] == [2.5, 7.5, 7.5]
    assert plans[0].identity == plans[1].identity


@pytest.mark.parametrize(
    ("value", "after"), [("3", "6"), ("1.2.3", "1.2.3"), ("2018-09-03", "2018-09-03"), (1e308, math.inf)]
)
def test_what_no_model_knows_is_scaled_when_it_is_a_quantity(value, after):
    """
    A setting may be anything: numbers and quantities are multiplied, dates and names stay.
    """
    assert scaled(value, Any, 2.0) == after


@pytest.mark.parametrize(
    ("take", "name"),
    [
        ("{normal: {mean: $m, sd: 2 min}}", "$m"),
        ("{uniform: [1 min, $m]}", "$m"),
        ("{by: class, speed: $m, all: 2 min}", "$m"),
        ("{distance: $k, speed: $v}", "$k"),
        ("{exponential: {mean: {uncertain: [1 min, $m, 9 min]}}}", "$m"),
    ],
)
def test_half_of_a_law_is_not_scaled(take, name):
    """
    A law in which a parameter stands for a time is refused, as only the rest of it would be multiplied.
    """
    with pytest.raises(ZonesimError) as found:
        changed("flows.f.s.take", take)

    assert str(found.value) == (
        f"--set flows.f.s.take*=2.5: --set scales 'flows.f.s.take', but '{name}' in it stands for another value\n"
        f"    Scale what is given for '{name}', or write the value here."
    )
