"""Random durations: every law of the language, with whole minutes and zeros often, so that events fall together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.properties.luck import Luck

MINUTES = (0, 1, 2, 3, 5, 5, 10, 10, 15, 20, 30)
"""Constants of durations; multiples of five meet arrivals and shift edges."""

LAWS = {
    "constant": 10.0,
    "discrete": 4.0,
    "exponential": 2.0,
    "uniform": 1.0,
    "triangular": 1.0,
    "lognormal": 1.0,
    "pert": 0.6,
    "normal": 0.6,
    "weibull": 0.6,
    "empirical": 0.6,
    "mixture": 0.6,
    "haul": 0.5,
    "gamma": 0.3,
    "erlang": 0.3,
    "class": 1.0,
}
"""How often a duration has each law."""


def minutes(luck: Luck, least: int = 0) -> str:
    """Return a whole number of minutes."""
    return f"{luck.pick([each for each in MINUTES if each >= least])} min"


def duration(luck: Luck, values: Mapping[str, list[str]], least: int = 0) -> Any:
    """
    Return a duration of at least `least` minutes in the mean, as a scenario writes it; it may differ by what has
    several of these values: the class, attributes.
    """
    kind = luck.weighted(LAWS)
    several = [name for name, own in values.items() if len(own) > 1]
    if kind == "class" and several:
        by = luck.pick(several)
        others = {name: own for name, own in values.items() if name != by}
        return {"by": by, **{name: duration(luck, others if luck.chance(0.3) else {}, least) for name in values[by]}}
    return minutes(luck, least) if kind in {"constant", "class"} else _law(luck, kind)


def _law(luck: Luck, kind: str) -> dict[str, Any]:
    mean = f"{luck.number(1, 20)} min"
    three = sorted(luck.number(0, 30) for _ in range(3))
    three[2] = max(three[2], three[0] + 1)
    low_mode_high = [f"{each} min" for each in three]
    if kind == "discrete":
        keys = list(dict.fromkeys(minutes(luck) for _ in range(luck.number(1, 3))))
        return {"discrete": dict(zip(keys, luck.split_percent(len(keys)), strict=True))}
    if kind in {"uniform", "empirical"}:
        return {kind: [low_mode_high[0], low_mode_high[2]] if kind == "uniform" else low_mode_high}
    if kind in {"triangular", "pert"}:
        return {kind: low_mode_high}
    if kind == "exponential":
        return {kind: {"mean": mean}}
    if kind in {"lognormal", "gamma"}:
        return {kind: {"mean": mean, "cv": luck.pick([0.5, 1.0, 1.5, 0.03, 3.0])}}
    if kind in {"weibull", "erlang"}:
        return {kind: {"shape": luck.pick([1, 2, 3]), "mean": mean}}
    if kind == "normal":
        return {kind: {"mean": mean, "sd": luck.pick(["2 min", "2 min", "0 min"]), "low": luck.pick(["0 s", mean])}}
    if kind == "haul":
        return {"distance": f"{luck.number(1, 30)} km", "speed": "60 km/h", "cv": 0.3}
    first, second = luck.split_percent(2)
    return {
        "mixture": {
            "often": {"share": first, "constant": minutes(luck)},
            "seldom": {"share": second, "exponential": {"mean": mean}},
        }
    }
