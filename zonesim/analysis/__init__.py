"""Statistics over replications."""

from zonesim.analysis.effects import Column, Comparison, Effect, compare, curve, curve_means, judge
from zonesim.analysis.load_warnings import NOTHING, arrival_warnings, hour_text, load_warnings, mean_text, unknown_text
from zonesim.analysis.paired import LEVEL, Difference, Interval, interval, paired
from zonesim.analysis.precision import (
    first_precise,
    lag_one,
    looks_ahead,
    relative_half_widths,
    replications_for,
    replications_needed,
)
from zonesim.analysis.sweep import Point, compared, points
from zonesim.analysis.tags import overruled, tags_of, trivially_changed, unstable
from zonesim.analysis.warm_up import Truncation, mser

__all__ = [
    "LEVEL",
    "NOTHING",
    "Column",
    "Comparison",
    "Difference",
    "Effect",
    "Interval",
    "Point",
    "Truncation",
    "arrival_warnings",
    "compare",
    "compared",
    "curve",
    "curve_means",
    "first_precise",
    "hour_text",
    "interval",
    "judge",
    "lag_one",
    "load_warnings",
    "looks_ahead",
    "mean_text",
    "mser",
    "overruled",
    "paired",
    "points",
    "relative_half_widths",
    "replications_for",
    "replications_needed",
    "tags_of",
    "trivially_changed",
    "unknown_text",
    "unstable",
]
