"""
What cannot be as it was said: passages of a gate too long to be any, and stays too short.

Times between the two ends of a gate hold the wait for a lane. How long that can be follows from how many vehicles come,
how long the lane takes and how many lanes there are; hours where minutes are possible are stays in the zone.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, Literal

from zonesim.fitting.fragment import busiest_hour, library_lane_ms
from zonesim.fitting.job import Fit, Group
from zonesim.units import HOUR, MINUTE

_TIMES: Final = 5.0
"""A mean passage is impossible beyond so many times what lane and queue explain, and …"""
_BEYOND: Final = 5 * MINUTE
"""… beyond it by so much."""
_NO_LANE: Final = 20 * MINUTE
"""A mean time in a lane, of vehicles that met nobody, is none beyond this and _TIMES that of the library's gate."""
_NO_STAY: Final = 5 * MINUTE
"""Where 95 of 100 stays in a zone are shorter, they are passages of the gate."""
_FULL: Final = 0.95
"""A lane with more load than this may have any queue."""

Kind = Literal["passage", "lane", "stay"]


@dataclass(frozen=True)
class Doubt:
    """
    A time that cannot be meant so, in ms: the mean `passage` of a gate where lane and queue explain `expected`; a time
    in the `lane` of vehicles that did not wait, where the library's gate takes `expected`; a `stay` (its 95th
    percentile). `lanes` and `load`: of the busiest hour, for passages.
    """

    kind: Kind
    group: Group
    found: float
    expected: float
    lane: float = math.nan
    lanes: int = 0
    load: float = math.nan


def doubts(fit: Fit) -> list[Doubt]:
    """Return what in a fit cannot be as the options say, one for each group at most."""
    found = [_of_stay(group) if fit.span == "stay" else _of_passage(fit, group) for group in fit.groups]
    return [each for each in found if each is not None]


def _of_stay(group: Group) -> Doubt | None:
    if group.span is None or group.span.quantiles[0.95] >= _NO_STAY:
        return None
    return Doubt("stay", group, group.span.quantiles[0.95], _NO_STAY)


def _of_passage(fit: Fit, group: Group) -> Doubt | None:
    if group.span is None:
        return None
    usual = library_lane_ms(group)
    if group.lane is not None and fit.lane_source == "empty gate":
        if group.lane.mean > max(_NO_LANE, _TIMES * usual):
            return Doubt("lane", group, group.lane.mean, usual)
        return None
    lane = usual if group.lane is None else group.lane.mean
    spread = 1.0 if group.lane is None else group.lane.sd / max(group.lane.mean, 1.0)
    same = [each for each in fit.groups if each.way == group.way]
    work = lane / HOUR
    mean = sum(each.arrivals.rate for each in same) / 24 * work
    lanes = fit.request.lanes or math.floor(mean) + 1
    load = sum(busiest_hour(each) for each in same) * work / lanes
    if load >= _FULL:
        return None
    expected = lane * (1 + _waiting(load, lanes) * (1 + spread**2) / 2)
    if group.span.mean <= max(_TIMES * expected, expected + _BEYOND):
        return None
    return Doubt("passage", group, group.span.mean, expected, lane, lanes, load)


def _waiting(load: float, lanes: int) -> float:
    """Return the mean wait in an M/M/c queue, in units of the mean service (Erlang C, by the recursion of Erlang B)."""
    offered, blocked = load * lanes, 1.0
    for number in range(1, lanes + 1):
        blocked = offered * blocked / (number + offered * blocked)
    waits = blocked / (1 - load * (1 - blocked))
    return waits / (lanes * (1 - load))
