"""Whether the work of listed arrivals is done inside of the measured window, as their load takes it to be."""

from __future__ import annotations

from typing import Final

import numpy as np

from zonesim.plan.pace import mean_batch, window_rate
from zonesim.plan.plan import Plan

LATE: Final = 0.05
"""Share of the work that may be done outside of the window, or come into it from before."""


def spills(plan: Plan, source: int, delay: float, work: float, room: float) -> bool:
    """
    Return whether the window gets notably more or less work from listed arrivals than they bring while it lasts.

    Each brings `work` unit-ms after `delay` ms. It is looked at twice: as if nobody waited, and as if `room` units did
    whatever there is to do at once. `room` are units there on average.
    """
    begin, end = float(plan.begin), float(plan.end)
    times = np.sort(plan.times_of(source)["time"]) + delay
    brought = window_rate(plan, source) * (end - begin) * work
    size = mean_batch(plan, source) * work
    length = max(work, 1.0)
    alone = np.clip(np.minimum(times + length, end) - np.maximum(times, begin), 0, None).sum() * size / length
    left = [_backlog(times[times < edge].tolist(), size, room, edge) for edge in (begin, end)]
    together = size * float(((times >= begin) & (times < end)).sum()) + left[0] - left[1]
    return bool(max(abs(alone - brought), abs(together - brought)) > LATE * brought)


def _backlog(times: list[float], size: float, room: float, until: float) -> float:
    """Return the work that is left at `until` of what has come before."""
    left, last = 0.0, 0.0
    for time in times:
        left = max(0.0, left - room * (time - last)) + size
        last = time
    return max(0.0, left - room * (until - last))
