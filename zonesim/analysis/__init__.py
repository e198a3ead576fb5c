"""Statistics over replications."""

from zonesim.analysis.attribution import (
    MOST_EXACT,
    ORDERS,
    Attribution,
    Contribution,
    Package,
    attribute,
    attributions,
    packages,
)
from zonesim.analysis.beside import with_moves
from zonesim.analysis.bounds import Bound, bound_of, grows
from zonesim.analysis.capacity import HIGHEST, LOWEST, TOLERANCE, WORK, Limit, Look, limit_of, next_multiples
from zonesim.analysis.control import bands_of, control_of
from zonesim.analysis.costs import TOTAL, YEAR, Amount, CostLine, Costs, Payback, Saving, costs_of, prices_of
from zonesim.analysis.echoes import echoes, trivially_changed
from zonesim.analysis.effects import (
    BAND,
    MIX,
    NO_DIFFERENCE,
    Column,
    Comparison,
    Effect,
    compare,
    curve,
    curve_means,
    judge,
)
from zonesim.analysis.evaluation import Followed, Told, ZoneTold, evaluated
from zonesim.analysis.gains import ALL, FEW, GATE, ZONE, Gain, gains
from zonesim.analysis.load_warnings import NOTHING, arrival_warnings, hour_text, load_warnings, mean_text, unknown_text
from zonesim.analysis.newcomers import mixed
from zonesim.analysis.paired import LEVEL, Difference, Interval, interval, paired
from zonesim.analysis.parts import Move, Parts, has_parts, is_none, parts_of, shifted
from zonesim.analysis.precision import (
    first_precise,
    lag_one,
    looks_ahead,
    relative_half_widths,
    replications_for,
    replications_needed,
)
from zonesim.analysis.promises import Promise, promise, written_promise
from zonesim.analysis.sizing import Sizes, Sizing, Verdict, broken_at
from zonesim.analysis.spread import Range, Spread, range_of, spreads
from zonesim.analysis.sweep import Point, compared, points
from zonesim.analysis.tags import overruled, tags_of, unstable
from zonesim.analysis.warm_up import Truncation, mser

__all__ = [
    "ALL",
    "BAND",
    "FEW",
    "GATE",
    "HIGHEST",
    "LEVEL",
    "LOWEST",
    "MIX",
    "MOST_EXACT",
    "NOTHING",
    "NO_DIFFERENCE",
    "ORDERS",
    "TOLERANCE",
    "TOTAL",
    "WORK",
    "YEAR",
    "ZONE",
    "Amount",
    "Attribution",
    "Bound",
    "Column",
    "Comparison",
    "Contribution",
    "CostLine",
    "Costs",
    "Difference",
    "Effect",
    "Followed",
    "Gain",
    "Interval",
    "Limit",
    "Look",
    "Move",
    "Package",
    "Parts",
    "Payback",
    "Point",
    "Promise",
    "Range",
    "Saving",
    "Sizes",
    "Sizing",
    "Spread",
    "Told",
    "Truncation",
    "Verdict",
    "ZoneTold",
    "arrival_warnings",
    "attribute",
    "attributions",
    "bands_of",
    "bound_of",
    "broken_at",
    "compare",
    "compared",
    "control_of",
    "costs_of",
    "curve",
    "curve_means",
    "echoes",
    "evaluated",
    "first_precise",
    "gains",
    "grows",
    "has_parts",
    "hour_text",
    "interval",
    "is_none",
    "judge",
    "lag_one",
    "limit_of",
    "load_warnings",
    "looks_ahead",
    "mean_text",
    "mixed",
    "mser",
    "next_multiples",
    "overruled",
    "packages",
    "paired",
    "parts_of",
    "points",
    "prices_of",
    "promise",
    "range_of",
    "relative_half_widths",
    "replications_for",
    "replications_needed",
    "shifted",
    "spreads",
    "tags_of",
    "trivially_changed",
    "unknown_text",
    "unstable",
    "with_moves",
    "written_promise",
]
