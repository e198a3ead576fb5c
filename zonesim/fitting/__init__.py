"""A user's own gate log: reading it, refusing its dirty rows by name, fitting arrivals and times, writing scenarios."""

from zonesim.fitting.arrivals import DAY_HOURS, SMALLEST_CELL, WEEK_DAYS
from zonesim.fitting.beside import Beside, Check, put_beside
from zonesim.fitting.cli_request import request_of
from zonesim.fitting.distributions import CLOSE_GAP, Candidate, Durations, duration_text
from zonesim.fitting.fragment import MOST_REPLAYED, write_fit
from zonesim.fitting.instants import offset_text
from zonesim.fitting.job import Fit, Group, Request, fit_log
from zonesim.fitting.log import REASONS, Columns, Log, Rules
from zonesim.fitting.plausible import Doubt, doubts
from zonesim.fitting.words import detail_in

__all__ = [
    "CLOSE_GAP",
    "DAY_HOURS",
    "MOST_REPLAYED",
    "REASONS",
    "SMALLEST_CELL",
    "WEEK_DAYS",
    "Beside",
    "Candidate",
    "Check",
    "Columns",
    "Doubt",
    "Durations",
    "Fit",
    "Group",
    "Log",
    "Request",
    "Rules",
    "detail_in",
    "doubts",
    "duration_text",
    "fit_log",
    "offset_text",
    "put_beside",
    "request_of",
    "write_fit",
]
