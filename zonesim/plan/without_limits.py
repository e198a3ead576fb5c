"""A plan in which nobody waits for units: what the same tokens do where there is always one more."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np

from zonesim.plan.instructions import rows_where
from zonesim.plan.operations import NOWHERE, OPERATIONS, PROGRAM_COLUMNS
from zonesim.plan.plan import UNLIMITED, Plan

_INTERRUPTED: Final = PROGRAM_COLUMNS[
    next(
        form.column("interrupted")
        for operation in OPERATIONS.values()
        for form in operation.forms
        if form.facts.delays and any(each and each.name == "interrupted" for each in form.operands)
    )
]
"""The column of a row in which time passes that says where who is interrupted goes on."""


def without_limits(plan: Plan) -> Plan:
    """
    Return a plan in which every resource has, whenever it is open, as many units as are asked for.

    Opening hours stay: who waits for an office to open waits for hours, not for others. Stocks stay too, for their
    units are goods. What comes of the want of units goes: nothing breaks down and nobody is interrupted by a more
    important one. Of several resources of which one is to be taken (`any`), all are free, and the rule chooses as it
    does when all are free. Draws belong to tokens, so that these meet the same luck in both plans.
    """
    changes = plan.changes.copy()
    for resource in set(range(len(plan.resources))) - plan.stocks:
        own = plan.resources[resource]
        rows = slice(own["first_change"], own["first_change"] + own["changes"])
        units = changes["units"]
        units[rows] = np.where(units[rows] > 0, UNLIMITED, 0)
    resources = plan.resources.copy()
    resources["preempts"] = 0
    program = plan.program.copy()
    program[_INTERRUPTED][rows_where(program, lambda facts: facts.delays)] = NOWHERE
    return replace(plan, program=program, changes=changes, resources=resources, breakdowns=plan.breakdowns[:0])
