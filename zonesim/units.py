"""
Quantities as people write them: `90 s`, `2.5 h`, `12 /h`, `5 %`, `99 km`.

A quantity is a number, then a unit. Durations become milliseconds, rates arrivals per millisecond, shares plain
numbers between 0 and 1, distances kilometres, speeds kilometres per hour. Working days (`10 wd`) are no duration, as
how long they last depends on a calendar; they become milliseconds of those days, 24 h each. A bare number where a
unit is due is a fault, and so is a unit of another kind.
"""

from __future__ import annotations

import re
from typing import Final

from zonesim.faults import UnitFault, suggest

SECOND: Final = 1_000
MINUTE: Final = 60 * SECOND
HOUR: Final = 60 * MINUTE
DAY: Final = 24 * HOUR
WEEK: Final = 7 * DAY

LARGEST: Final = 1e15
"""No quantity is so large: in ms 31,700 years, and no run lasts longer than a century."""

WORKING: Final = "number of working days"
"""The kind of `10 wd`."""

UNITS: Final[dict[str, dict[str, float]]] = {
    "duration": {"ms": 1, "s": SECOND, "min": MINUTE, "h": HOUR, "d": DAY, "week": WEEK},
    WORKING: {"wd": DAY},
    "rate": {"/s": 1 / SECOND, "/min": 1 / MINUTE, "/h": 1 / HOUR, "/d": 1 / DAY, "/week": 1 / WEEK},
    "share": {"%": 0.01},
    "distance": {"m": 0.001, "km": 1},
    "speed": {"km/h": 1},
    "cost rate": {"CNY/h": 1, "CNY/d": 1 / 24},
    "price": {"CNY": 1},
}
"""Units by kind, with the factor to the kind's own unit (ms, arrivals per ms, 1, km, km/h, CNY/h, CNY)."""

_CHINESE: Final = {
    "ms": ("毫秒",),
    "s": ("秒", "秒钟"),
    "min": ("分", "分钟"),
    "h": ("时", "小时", "钟头", "个小时"),
    "d": ("天", "日"),
    "week": ("周", "星期", "礼拜", "个星期"),
    "wd": ("工作日", "个工作日"),
    "%": ("百分比", "百分之"),
    "m": ("米",),
    "km": ("公里", "千米"),
    "km/h": ("公里/小时", "千米/小时", "公里/时", "千米/时", "km/小时"),
    "CNY/h": ("元/小时", "元/时", "元每小时"),
    "CNY/d": ("元/天", "元/日", "元每天"),
    "CNY": ("元", "人民币", "人民币元"),
}
_ENGLISH: Final = {
    "ms": ("msec", "msecs"),
    "s": ("sec", "secs", "second", "seconds"),
    "min": ("mins", "minute", "minutes"),
    "h": ("hr", "hrs", "hour", "hours"),
    "d": ("day", "days"),
    "week": ("w", "wk", "weeks"),
    "%": ("percent", "pct"),
    "km/h": ("kmh", "kph"),
    "CNY/h": ("CNY/hour", "RMB/h", "yuan/h", "CNY per hour"),
    "CNY/d": ("CNY/day", "RMB/d", "yuan/d", "CNY per day"),
    "CNY": ("RMB", "yuan", "¥"),
}
_TIMES: Final = ("s", "min", "h", "d", "week")

MEANT: Final[dict[str, str]] = {
    word: unit for table in (_CHINESE, _ENGLISH) for unit, words in table.items() for word in words
} | {
    f"{per}{word}": f"/{unit}"
    for unit in _TIMES
    for word in (unit, *_CHINESE[unit], *_ENGLISH[unit])
    for per in ("/", "/ ", "per ", "每")
    if f"{per}{word}" != f"/{unit}"
}
"""The unit that people mean who write it in another way: `周` for `week`, `/小时` and `per hour` for `/h`."""

EXAMPLES: Final = {
    "duration": "15 min",
    WORKING: "10 wd",
    "rate": "12 /h",
    "share": "5 %",
    "distance": "99 km",
    "speed": "45 km/h",
    "cost rate": "60 CNY/h",
    "price": "150 CNY",
}
"""A quantity of each kind."""

_NUMBER: Final = r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?"
_QUANTITY: Final = re.compile(rf"\s*({_NUMBER})\s*(\S.*?)?\s*")
_HANDS: Final = re.compile(r"\s*([0-9]{1,2}):([0-5][0-9])(?::([0-5][0-9]))?\s*")
"""What a clock shows, `09:30`."""


def parse(text: object, kind: str) -> float:
    """
    Return the value of a quantity in the kind's own unit.

    Raises UnitFault (without a place) when the text is no quantity of this kind, or is negative.
    """
    example = f"Write a {kind} such as '{EXAMPLES[kind]}'."
    if isinstance(text, bool) or not isinstance(text, str | int | float):
        message = f"expected a {kind}, found {describe(text)}"
        raise UnitFault(message, remedy=example)
    match = _QUANTITY.fullmatch(str(text))
    if match is None:
        message = f"expected a {kind}, found '{text}'"
        raise UnitFault(message, remedy=example)
    number, unit = float(match[1]), match[2]
    if unit is None:
        if number == 0 and kind in {"duration", WORKING, "share", "distance"}:
            return 0.0
        message = f"'{text}' has no unit"
        raise UnitFault(message, remedy=f"{example} Units: {', '.join(UNITS[kind])}.")
    if kind == "duration" and (hands := _HANDS.fullmatch(str(text))):
        minutes = 60 * int(hands[1]) + int(hands[2]) + int(hands[3] or 0) / 60
        message = f"'{text}' is a time of day, but a duration is due"
        remedy = f"Write '{minutes:.10g} min'; times of arrivals count from the start of the run."
        raise UnitFault(message, remedy=remedy)
    factor = UNITS[kind].get(unit)
    if factor is None and (meant := _meant(unit)) in UNITS[kind]:
        message = f"unknown unit '{unit}' in '{text}'"
        raise UnitFault(message, remedy=f"Write '{match[1]} {meant}'.")
    if factor is None:
        other = next((name for name, units in UNITS.items() if unit in units), None)
        if other is not None:
            message = f"'{text}' is a {other}, but a {kind} is due"
            raise UnitFault(message, remedy=example)
        message = f"unknown unit '{unit}' in '{text}'"
        raise UnitFault(message, remedy=suggest(unit, UNITS[kind], f"units of a {kind}"))
    if number < 0:
        message = f"'{text}' is negative"
        raise UnitFault(message, remedy=example)
    value = number * factor
    if kind == "speed" and not value > 0:
        message = f"at '{text}' nothing arrives"
        raise UnitFault(message, remedy=example)
    if not value < LARGEST:
        message = f"'{text}' is too large"
        raise UnitFault(message, remedy=example)
    return value


def _meant(unit: str) -> str:
    """Return the unit that is written in another way; what is counted is no part of it: `辆/天` is `/d`."""
    counted = re.fullmatch(r"[^/每]+((?:/|每).+)", unit)
    return MEANT.get(unit) or (MEANT.get(counted[1], counted[1]) if counted else "")


def is_working(text: object) -> bool:
    """Return whether a text counts working days."""
    match = _QUANTITY.fullmatch(str(text))
    return match is not None and match[2] in UNITS[WORKING]


def parse_time(text: object) -> float:
    """Return a duration in ms, or working days as 24 h each; raises UnitFault."""
    return parse(text, WORKING if is_working(text) else "duration")


def parse_share(text: object) -> float:
    """Return a share as a number between 0 and 1; raises UnitFault above 100 %."""
    value = parse(text, "share")
    if value > 1 + 1e-12:
        message = f"'{text}' is more than 100 %"
        raise UnitFault(message, remedy="A share lies between 0 % and 100 %.")
    return min(value, 1.0)


def describe(value: object) -> str:
    """Return what a value is, in the words of YAML."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return f"'{str(value).lower()}'"
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    return f"'{value}'"


def format_ms(ms: float) -> str:
    """Return a duration for people, in the unit that keeps it between 1 and 100 where possible."""
    for unit, size in (("d", DAY), ("h", HOUR), ("min", MINUTE), ("s", SECOND)):
        if abs(ms) >= (2 * size if unit == "d" else size):
            return f"{ms / size:.3g} {unit}"
    return f"{ms:.3g} ms"
