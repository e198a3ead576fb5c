"""
The operation table: everything a token can be told to do.

A program is a table of rows `(op, step, a, b, c, d, e, f, g)`, all int64. `op` is the operation, `step` the row of
the step table that the operation works for (-1: none), and `a` to `g` are named, operation by operation, in
`OPERATIONS`. This table is the narrow waist of zonesim: left of it is policy and language, right of it is
arithmetic. It knows no word of customs.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

PROGRAM_COLUMNS: Final = ("op", "step", "a", "b", "c", "d", "e", "f", "g")
"""Columns of the program table, in order."""

NOWHERE: Final = -1
"""Marks an absent reference (no calendar, no step, no patience). No valid reference is negative."""


class Op(IntEnum):
    """Codes of the operations."""

    SEIZE = 0
    DELAY = 1
    RELEASE = 2
    MARK = 3
    SPLIT = 4
    GATHER = 5
    SPAWN = 6
    BRANCH = 7
    JUMP = 8
    SET = 9
    JOIN = 10
    SCATTER = 11
    WAIT_UNTIL = 12
    LEAVE = 13
    KEEP = 14


class BranchOn(IntEnum):
    """What a BRANCH looks at (its operand `a`)."""

    SHARE = 0
    FLAG = 1
    CLASS = 2
    QUEUE_LONGER = 3
    CLOSED = 4
    STATUS = 5
    SHORTEST = 6


class SetWhat(IntEnum):
    """What a SET changes (its operand `a`)."""

    RAISE_FLAG = 0
    LOWER_FLAG = 1
    CLASS = 2
    ACCOUNT = 3
    STATUS = 4


class GatherBy(IntEnum):
    """What tokens of one batch have in common (operand `f` of GATHER)."""

    SOURCE = 0
    FIRM = 1
    CLASS = 2


class AtShiftEnd(IntEnum):
    """What happens to work in hand when the capacity of a resource falls."""

    FINISH = 0
    PAUSE = 1
    FITS = 2


class Clock(IntEnum):
    """Which time counts towards the next breakdown of a resource."""

    ALWAYS = 0
    BUSY = 1


@dataclass(frozen=True)
class Operation:
    """
    One row of the operation table.

    `arguments` names the operands a, b, c … in order, each with its meaning.
    """

    op: Op
    meaning: str
    arguments: tuple[tuple[str, str], ...]


OPERATIONS: Final[dict[Op, Operation]] = {
    row.op: row
    for row in (
        Operation(
            Op.SEIZE,
            "Take units of one or more resources, all or nothing; wait in line until they are free.",
            (
                ("first_need", "first row of the needs table"),
                ("needs", "how many rows of the needs table"),
                ("priority", "row of the priorities table (a number per class; smaller is served first)"),
                ("slot", "keeps this visit and its units until their RELEASE"),
                ("patience", "law of the longest wait in ms, -1: waits for ever"),
                ("renege_to", "where to go on when patience ends"),
                ("stream", "row of the streams table: the luck of the longest wait"),
            ),
        ),
        Operation(
            Op.DELAY,
            "Let time pass. Writes a visit row when `step` is not -1.",
            (
                ("law", "row of the laws table: how long, in ms"),
                ("stream", "row of the streams table"),
                ("calendar", "row of the calendars table: only its open time counts; -1: the clock"),
                (
                    "interrupted",
                    "step of the visits that are written of its interruptions; -1: it cannot be interrupted. The token"
                    " has exactly one unit of one resource in hand",
                ),
            ),
        ),
        Operation(
            Op.RELEASE,
            "Give units back and serve those who wait for them. Writes a visit row when `step` is not -1.",
            (
                ("first_need", "first row of the needs table"),
                ("needs", "how many rows of the needs table"),
                ("slot", "of the visit that ends"),
                ("if_held", "1: nothing happens when the slot is empty"),
            ),
        ),
        Operation(
            Op.KEEP,
            "Hold on to some of the units of a slot when the rest is given back: from now on a visit of `step`.",
            (
                ("first_need", "first row of the needs table"),
                ("needs", "how many rows of the needs table"),
                ("slot", "where the units are"),
                ("to_slot", "where they go"),
            ),
        ),
        Operation(Op.MARK, "Note the time of a milestone.", (("mark", "row of the marks table"),)),
        Operation(
            Op.SPLIT,
            "Make child tokens, which start at `child`; the parent goes on with the next operation.",
            (
                ("law", "row of the laws table: how many"),
                ("stream", "row of the streams table"),
                ("child", "where the children start"),
                ("base", "first child number of this place"),
                ("stride", "most children that one parent may have here"),
                ("parent_base", "smallest child number of a parent that comes here"),
                ("group", "row counted by JOIN, -1: background, nobody waits for them"),
            ),
        ),
        Operation(
            Op.GATHER,
            "Wait until a batch is complete; then all members go on, or the first one, who leads. Writes a visit row.",
            (
                ("batch", "which batch"),
                ("number", "complete at this many members, -1: no number"),
                ("timeout", "law of the longest wait of the first member in ms, -1: none"),
                ("calendar", "complete at the next opening of this calendar, -1: none"),
                ("others_to", "where all but the leader go on after its SCATTER; -1: nobody leads, all go on at once"),
                ("by", "a GatherBy code: one batch for each"),
                ("stream", "row of the streams table, for the longest wait"),
            ),
        ),
        Operation(
            Op.SPAWN,
            "Start a new token of another source (a return, a recall), with the firms and the class of this one.",
            (
                ("source", "row of the sources table"),
                ("delay", "law in ms until it arrives"),
                ("stream", "row of the streams table, also for the luck of the new token"),
            ),
        ),
        Operation(
            Op.BRANCH,
            "Go to `target` if the question is answered yes, else on with the next operation.",
            (
                ("on", "a BranchOn code"),
                (
                    "operand",
                    "SHARE: row of the shares table; FLAG: its number; CLASS, STATUS: bit mask; SHORTEST: first row of"
                    " the needs table that names a candidate; else: resource",
                ),
                ("stream", "SHARE: row of the streams table; QUEUE_LONGER: the length; SHORTEST: how many candidates"),
                ("target", "where to go on yes"),
                (
                    "steady",
                    "SHARE: 1 if a token that passes again meets the same luck; SHORTEST: which candidate, from 0: yes"
                    " if it is the first of those with the fewest tokens waiting + units in use",
                ),
            ),
        ),
        Operation(
            Op.JUMP,
            "Go on elsewhere.",
            (("target", "where"), ("again", "1: backward, the token counts one more pass")),
        ),
        Operation(
            Op.SET,
            "Change an attribute of the token or an account.",
            (
                ("what", "a SetWhat code"),
                ("operand", "flag number, class, account or status"),
                ("amount", "ACCOUNT: added to it (below 0: taken from it)"),
            ),
        ),
        Operation(
            Op.JOIN,
            "Wait for the children of a SPLIT.",
            (("group", "the group of that SPLIT"),),
        ),
        Operation(
            Op.SCATTER, "The leader of a batch has done its work: the other members go on.", (("batch", "which batch"),)
        ),
        Operation(
            Op.WAIT_UNTIL,
            "Wait for an instant of a calendar. Writes a visit row.",
            (("calendar", "row of the calendars table"), ("which", "0: until it is open, 1: until it is shut")),
        ),
        Operation(
            Op.LEAVE,
            "End of the token, with empty hands. Writes a row with arrival and end.",
            (),
        ),
    )
}


def program_rows(rows: list[tuple[int, ...]]) -> list[tuple[int, ...]]:
    """Return `rows`, each padded with zeros to the columns of a program."""
    width = len(PROGRAM_COLUMNS)
    return [(*row, *(0,) * (width - len(row))) for row in rows]
