"""The plan: what a scenario is compiled to, and all that an engine reads."""

from zonesim.plan.calendars import monday_offset
from zonesim.plan.compiler import compile_plan
from zonesim.plan.loads import Load, grown_lines, loads, overloaded_sources
from zonesim.plan.pace import mean_batch
from zonesim.plan.plan import Plan
from zonesim.plan.records import Block, Sink, Totals

__all__ = [
    "Block",
    "Load",
    "Plan",
    "Sink",
    "Totals",
    "compile_plan",
    "grown_lines",
    "loads",
    "mean_batch",
    "monday_offset",
    "overloaded_sources",
]
