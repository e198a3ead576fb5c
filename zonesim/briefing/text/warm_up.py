"""Whether a warm-up is long enough, in words and as a document."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from zonesim.analysis import mser
from zonesim.experiment import inside_from_start, rhythm
from zonesim.plan import Floats, Plan
from zonesim.units import DAY, HOUR, MINUTE, SECOND, WEEK

PARTS: Final = 1000
"""Into how many parts a run without a weekly rhythm is divided."""

BATCH: Final = 5
WINDOWS: Final = 40
"""Welch's averages reach so small a part of a run to either side."""

FEWEST: Final = 10
"""Weeks from which on a start can be told from a steady state."""

_WORDS: Final = ((WEEK, "weeks"), (DAY, "d"), (HOUR, "h"), (MINUTE, "min"), (SECOND, "s"))


@dataclass(frozen=True)
class WarmUp:
    """
    How much of the start of a flow (ms) is to be left out, None where the run is too short to tell; from how many are
    `inside` on average in every `step` ms from the start on. Welch's averages are over `window` of these to either
    side.
    """

    flow: str
    needed: int | None
    inside: Floats
    step: int
    window: int


def warm_ups(plan: Plan, seed: int, replications: int) -> list[WarmUp]:
    """
    Return what MSER-5 says of the number inside, flow by flow, averaged over replications.

    Where arrivals or opening hours follow the week a value is a whole week, taken one by one (and a day for Welch's
    averages, over a week); otherwise a thousandth of the run, in fives (and averages over a twentieth).
    """
    week = rhythm(plan)
    step = DAY if week is not None else max(plan.end // PARTS, 1)
    found = []
    for flow, series in sorted(inside_from_start(plan, seed=seed, replications=replications, step=step).items()):
        if week is None:
            window = max(len(series) // WINDOWS, 1)
            cut = mser(series.tolist(), BATCH)
            found.append(WarmUp(flow, cut.leave_out * step if cut.found else None, series, step, window))
            continue
        days = week // DAY
        weeks = series[: len(series) // days * days].reshape(-1, days).mean(axis=1)
        enough = len(weeks) >= FEWEST
        weekly = mser(weeks.tolist(), 1) if enough else None
        needed = weekly.leave_out * week if weekly is not None and weekly.found else None
        found.append(WarmUp(flow, needed, series, step, days // 2))
    return found


def warm_up_text(plan: Plan, found: list[WarmUp], replications: int) -> str:
    """Return a line for each flow: what is to be left out, what the scenario leaves out, whether that is enough."""
    given = plan.begin
    lines = [
        f"Warm-up by MSER-5, from the number inside over {replications} replications; the scenario has {_words(given)}:"
    ]
    for each in found:
        if each.needed is None:
            lines.append(f"{each.flow}: the run is too short to tell where its start ends")
        else:
            verdict = "enough" if each.needed <= given else "too short"
            lines.append(f"{each.flow}: {_words(each.needed)} are to be left out: {verdict}")
    return "\n".join(lines)


def warm_up_document(plan: Plan, found: list[WarmUp]) -> dict[str, Any]:
    """Return the same for programs, in hours."""
    needed = {each.flow: None if each.needed is None else each.needed / HOUR for each in found}
    return {"given_h": plan.begin / HOUR, "needed_h": needed}


def _words(time: int) -> str:
    """Return a duration with the largest unit of which there are two or more, rounded."""
    size, name = next(((size, name) for size, name in _WORDS if time >= 2 * size), _WORDS[-1])
    return f"{time / size:.3g} {name}"
