"""Numbers and results as text: values, levels, tags, and what tells a result from others."""

from __future__ import annotations

import math
from typing import Any, Final

from zonesim.analysis import Interval
from zonesim.experiment import Results, is_future, told_setting

TAG_WORDS: Final = {
    "input": "input: only echoes edited values",
    "not material": "not material: below 1 % of the baseline",
    "grows": "grows: depends on run length, an arm is not stable",
    "missing": "missing: too many cases had not ended when a run ended; a longer cool_down follows them to their end",
    "band": "band: the least and the most over what nobody knows of control (targeting, ratio of classes); no mean",
    "mix": "mix: a mean or share over goods of which the baseline has not all, so no difference is given",
    "few": "few: fewer than 30 consignments in all replications, too few to say anything",
    "bound": "bound: from the traffic equations",
    "stable by hand": "stable by hand: the load says that it grows, the scenario that it does not (`stable: true`)",
}

WITHHELD: Final = ("reason", "missing", "withheld")
"""Columns that say of a value why it is not given, the largest missing share, and in how many runs it is too large."""


def told_run(results: Results) -> str:
    """Return the line that tells a result from others: `run r3f9a1c07, future outage, --set traffic.*.rate × 2`."""
    futures = [text for text in results.settings if is_future(text)]
    others = [text for text in results.settings if not is_future(text)]
    changed = [f"--change {'; '.join(map(told_setting, results.changed))}"] if results.changed else []
    return ", ".join([f"run {results.run}", *futures, *([f"--set {'; '.join(others)}"] if others else []), *changed])


def run_document(results: Results) -> dict[str, Any]:
    """Return what tells a result from others, for --json and the files of numbers."""
    return {
        "id": results.run,
        "folder": str(results.folder),
        "kind": results.kind,
        "name": results.name,
        "settings": list(results.settings),
        "baseline": results.baseline,
        "arms": list(results.arms),
        "seed": results.seed,
        "replications": results.replications,
    }


def level_text(level: float) -> str:
    """Return a confidence level in per cent, without the sign."""
    return f"{100 * level:g}"


def reason_text(interval: Interval) -> str:
    """Return why a value is not given, empty where it is: `missing: up to 12 % in 37 runs`."""
    if interval.reason != "missing":
        return interval.reason
    runs = f"{interval.withheld} run{'' if interval.withheld == 1 else 's'}"
    return f"missing: up to {100 * interval.missing:.3g} % in {runs}"


def withheld_fields(interval: Interval) -> dict[str, Any]:
    """Return what documents say of a value that is not given, by `WITHHELD`."""
    return dict(zip(WITHHELD, (interval.reason, interval.missing, interval.withheld), strict=True))


def figure_text(value: float, *, percent: bool) -> str:
    """Return a number with about three digits, shares as per cent, `-` for none."""
    if math.isnan(value):
        return "-"
    shown = 100 * value if percent else value
    digits = 3 if abs(shown) < 1 else 2 if abs(shown) < 100 else 1  # noqa: PLR2004
    text = f"{shown:.{digits}f}"
    return "0" if float(text) == 0 else text


def band_text(low: float, high: float, *, percent: bool) -> str:
    """Return the least and the most that a number may be, one number where they are alike: `96.4 to 99.6`."""
    ends = [figure_text(low, percent=percent), figure_text(high, percent=percent)]
    return ends[0] if ends[0] == ends[1] else " to ".join(ends)


def interval_text(interval: Interval, *, percent: bool) -> str:
    """Return the mean of an interval, or the least and the most of a band."""
    if interval.reason == "band":
        return band_text(interval.low, interval.high, percent=percent)
    return figure_text(interval.value, percent=percent)
