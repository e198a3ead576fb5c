"""Statistics over replications."""

from zonesim.analysis.effects import Comparison, Effect, compare
from zonesim.analysis.paired import Difference, Interval, interval, paired
from zonesim.analysis.sweep import Point, points
from zonesim.analysis.tags import echoes, growing

__all__ = [
    "Comparison",
    "Difference",
    "Effect",
    "Interval",
    "Point",
    "compare",
    "echoes",
    "growing",
    "interval",
    "paired",
    "points",
]
