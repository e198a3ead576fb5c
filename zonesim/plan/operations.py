"""
The operation table: everything a token can be told to do.

A program is a table of rows `(op, step, a, b, c, d, e, f, g)`, all int64. `op` is the operation, `step` the row of
the step table that the operation works for (-1: none), and `a` to `g` are named, operation by operation, in
`OPERATIONS`. This table is the narrow waist of zonesim: left of it is policy and language, right of it is
arithmetic. It knows no word of customs.

Each operation is declared once, with its operands and with what it does (`Facts`): where the token goes on, what it
waits for, which units it seizes, what it writes. Whoever reads programs (proofs, loads, stories, tags) reads these
facts by name (`zonesim.plan.instructions`) and knows no single operation, so that a new one is a row here and
a few lines in each of the two engines.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum, IntEnum
from typing import Final, NamedTuple, Protocol

from zonesim.plan.columns import TABLES

PROGRAM_COLUMNS: Final = tuple(column.name for column in TABLES["program"].columns)
"""Columns of the program table, in order."""

LETTERS: Final = PROGRAM_COLUMNS[2:]
"""Those of the operands."""

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
    EITHER = 15
    BOARD = 16
    STOCK = 17
    DUE = 18


class BranchOn(IntEnum):
    """What a BRANCH looks at (its operand `a`)."""

    SHARE = 0
    FLAG = 1
    CLASS = 2
    QUEUE_LONGER = 3
    CLOSED = 4
    STATUS = 5
    SHORTEST = 6
    GRANTED = 7
    OVERDUE = 8
    LAST = 9


class SetWhat(IntEnum):
    """What a SET changes (its operand `a`)."""

    RAISE_FLAG = 0
    LOWER_FLAG = 1
    CLASS = 2
    ACCOUNT = 3
    STATUS = 4


class ArrivalsBy(IntEnum):
    """How the tokens of a source come."""

    RATE = 0
    LISTED = 1
    SPAWNED = 2
    RENEWAL = 3


class GatherBy(IntEnum):
    """What tokens of one batch have in common (operand `by` of GATHER and BOARD)."""

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


class Units(Enum):
    """What an operation does to units; its operands `first_need` and `needs` say to which, `slot` where they are."""

    SEIZES = "seizes"
    KEEPS = "keeps"
    RELEASES = "releases"


class WaitsFor(Enum):
    """What a token may have to wait for, it is not known how long."""

    UNITS = "units"
    INSTANT = "an instant of a calendar"
    BATCH = "a batch"
    CHILDREN = "children"


class When(Enum):
    """In which case a token goes on somewhere."""

    ALWAYS = ""
    YES = "if yes"
    NO = "if no"
    SERVED = "with the units"
    GIVES_UP = "when it gives up"
    LEADS = "as one of all, or as leader"
    FOLLOWS = "unless it leads"


class Who(Enum):
    """Which token goes on somewhere."""

    ITSELF = "itself"
    CHILD = "each child"
    HEIR = "the token that it starts"


class Then(NamedTuple):
    """
    Where a token may go on after an operation: at the row that the operand `to` names ("": at the next row, of an heir:
    at the first row of the source that it names), if the operand names one.
    """

    to: str = ""
    when: When = When.ALWAYS
    who: Who = Who.ITSELF


@dataclass(frozen=True)
class Facts:
    """What whoever follows tokens through a program has to know of an operation."""

    then: tuple[Then, ...] = (Then(),)
    """Everywhere that a token may go on; nothing: it ends here."""
    units: Units | None = None
    """What it does to units."""
    waits: WaitsFor | None = None
    """What the token may have to wait for."""
    delays: bool = False
    """Whether time passes as drawn from `duration`, in the open time of `calendar`."""
    visit: bool = False
    """Whether a visit row of `step` is written, where there is one."""
    departs: bool = False
    """Whether those who wait go on at the openings of `calendar` alone, `most` of them at a time."""
    marks: bool = False
    """Whether a row of `mark` is written."""
    asks: BranchOn | None = None
    """The question that decides where the token goes on."""
    sets: SetWhat | None = None
    """Which attribute of the token, or account, it changes."""
    stocks: bool = False
    """Whether it changes how many units of `resource` there are."""

    @property
    def ends(self) -> bool:
        """Return whether the token ends here."""
        return not self.then


@dataclass(frozen=True)
class Operand:
    """An operand of an operation: what it means, which table it names a row of, and what it means if it is -1."""

    name: str
    meaning: str = ""
    table: str = ""
    none: str = ""


@dataclass(frozen=True)
class Form:
    """
    An operation with one set of operands. Those that branch or set have one for each `code`, which is their first
    operand; None leaves a letter out.
    """

    operands: tuple[Operand | None, ...] = ()
    facts: Facts = field(default_factory=Facts)
    code: BranchOn | SetWhat | None = None

    def column(self, operand: str) -> int:
        """Return the column of the program table that an operand stands in, by its number."""
        return 2 + [each.name if each else "" for each in self.operands].index(operand)


@dataclass(frozen=True)
class Operation:
    """One row of the operation table."""

    op: Op
    meaning: str
    forms: tuple[Form, ...]

    def form(self, code: int | None = None) -> Form:
        """Return its form, or that for a code."""
        return next(each for each in self.forms if each.code == code)


_NEED: Final = (
    Operand("first_need", "first of the units", "needs"),
    Operand("needs", "how many rows of the needs table"),
)
_IN_LINE: Final = (
    Operand("priority", "a number per class; smaller is served first", "priorities"),
    Operand("slot", "keeps this visit and its units until their RELEASE"),
    Operand("patience", "the longest wait, in ms", "distributions", "waits for ever"),
    Operand("renege_to", "where to go on when patience ends", "program", "never"),
    Operand(
        "stream", "the stream of draws of the longest wait; -2 - d: it ends with deadline d of the token", "streams"
    ),
)
_ASKED: Final = (Then("renege_to", When.GIVES_UP), Then(when=When.SERVED))
_DRAWN_BY: Final = Operand("stream", "the stream of draws", "streams")
_ON: Final = Operand("on", "a BranchOn code")
_WHAT: Final = Operand("what", "a SetWhat code")
_TARGET: Final = Operand("target", "where to go on if yes", "program")
_OTHERS_TO: Final = Operand(
    "others_to", "where all but the leader go on after its SCATTER", "program", "nobody leads, all go on at once"
)
_ANSWERS: Final = (Then("target", When.YES), Then(when=When.NO))


def _branch(code: BranchOn, *operands: Operand | None) -> Form:
    return Form((_ON, *operands), Facts(_ANSWERS, asks=code), code)


def _set(code: SetWhat, *operands: Operand) -> Form:
    return Form((_WHAT, *operands), Facts(sets=code), code)


OPERATIONS: Final[dict[Op, Operation]] = {
    row.op: row
    for row in (
        Operation(
            Op.SEIZE,
            "Take units of one or more resources, all or nothing; wait in the queue until they are free.",
            (
                Form(
                    (*_NEED, *_IN_LINE),
                    Facts(_ASKED, units=Units.SEIZES, waits=WaitsFor.UNITS),
                ),
            ),
        ),
        Operation(
            Op.EITHER,
            "Take what one of several SEIZEs asks for: the first that the rule allows, else wait in the queues of all"
            " until one can be had. They stand where the branches GRANTED behind it lead to, and where the last of"
            " these goes on; the token finds what it was given there in hand.",
            (
                Form(
                    (
                        Operand("first_need", "first of the units in whose queues it waits", "needs"),
                        _NEED[1],
                        *_IN_LINE,
                    ),
                    Facts(_ASKED, waits=WaitsFor.UNITS),
                ),
            ),
        ),
        Operation(
            Op.DELAY,
            "Let time pass. Writes a visit row when `step` is not -1.",
            (
                Form(
                    (
                        Operand("duration", "how long, in ms", "distributions"),
                        _DRAWN_BY,
                        Operand("calendar", "only its open time counts", "calendars", "all time counts"),
                        Operand(
                            "interrupted",
                            "step of the visits that are written of its interruptions; the token has exactly one unit"
                            " of one resource in hand",
                            none="it cannot be interrupted",
                        ),
                    ),
                    Facts(delays=True, visit=True),
                ),
            ),
        ),
        Operation(
            Op.RELEASE,
            "Give units back and serve those who wait for them. Writes a visit row when `step` is not -1.",
            (
                Form(
                    (
                        *_NEED,
                        Operand("slot", "of the visit that ends"),
                        Operand("if_held", "1: nothing happens when the slot is empty"),
                    ),
                    Facts(units=Units.RELEASES, visit=True),
                ),
            ),
        ),
        Operation(
            Op.KEEP,
            "Hold on to some of the units of a slot when the rest is given back: from now on a visit of `step`.",
            (
                Form(
                    (*_NEED, Operand("from_slot", "where the units are"), Operand("slot", "where they go")),
                    Facts(units=Units.KEEPS),
                ),
            ),
        ),
        Operation(
            Op.MARK,
            "Note the time of a milestone.",
            (Form((Operand("mark", "row of the marks, by name"),), Facts(marks=True)),),
        ),
        Operation(
            Op.DUE,
            "Note a deadline of the token, in place of an earlier one, and the moment of it as a milestone: after a"
            " time, or at an instant of a calendar.",
            (
                Form(
                    (
                        Operand("mark", "row of the marks, by name"),
                        Operand("deadline", "its number"),
                        Operand("duration", "how long from now on, in ms", "distributions", "no time"),
                        _DRAWN_BY,
                        Operand("calendar", "only its open time counts; whose instant it is", "calendars", "all time"),
                        Operand("which", "0: its next opening after that, 1: its next closing", none="at that time"),
                    ),
                    Facts(marks=True),
                ),
            ),
        ),
        Operation(
            Op.SPLIT,
            "Make child tokens, which start at `child`; the parent goes on with the next operation.",
            (
                Form(
                    (
                        Operand("number", "how many", "distributions"),
                        _DRAWN_BY,
                        Operand("child", "where the children start", "program"),
                        Operand("base", "first child number of this place"),
                        Operand("stride", "most children that one parent may have here"),
                        Operand("parent_base", "smallest child number of a parent that comes here"),
                        Operand("group", "row counted by JOIN", none="background, nobody waits for them"),
                    ),
                    Facts((Then("child", who=Who.CHILD), Then())),
                ),
            ),
        ),
        Operation(
            Op.GATHER,
            "Wait until a batch is complete; then all members go on, or the first one, who leads. Writes a visit row.",
            (
                Form(
                    (
                        Operand("batch", "which batch"),
                        Operand("number", "complete at this many members", none="no number"),
                        Operand("timeout", "the longest wait of the first member, in ms", "distributions", "none"),
                        Operand("calendar", "complete at its next opening", "calendars", "none"),
                        _OTHERS_TO,
                        Operand("by", "a GatherBy code: one batch for each"),
                        Operand("stream", "the stream of draws of the longest wait", "streams"),
                    ),
                    Facts(
                        (Then("others_to", When.FOLLOWS), Then(when=When.LEADS)),
                        waits=WaitsFor.BATCH,
                        visit=True,
                    ),
                ),
            ),
        ),
        Operation(
            Op.BOARD,
            "Wait for a departure: at each opening of a calendar so many of those who wait go on, first come first"
            " served, or the first of them, who leads the others. Writes a visit row.",
            (
                Form(
                    (
                        Operand("batch", "which line"),
                        Operand("most", "how many go, drawn by the first of them", "distributions"),
                        None,
                        Operand("calendar", "whose openings are the departures", "calendars"),
                        _OTHERS_TO,
                        Operand("by", "a GatherBy code: one line for each"),
                        Operand("stream", "the stream of draws of how many go", "streams"),
                    ),
                    Facts(
                        (Then("others_to", When.FOLLOWS), Then(when=When.LEADS)),
                        waits=WaitsFor.BATCH,
                        departs=True,
                        visit=True,
                    ),
                ),
            ),
        ),
        Operation(
            Op.SPAWN,
            "Start a new token of another source (a return, a recall), with the firms and the class of this one.",
            (
                Form(
                    (
                        Operand("source", "of which it is", "sources"),
                        Operand("delay", "in ms until it arrives", "distributions"),
                        Operand("stream", "the stream of draws, also of the new token", "streams"),
                    ),
                    Facts((Then("source", who=Who.HEIR), Then())),
                ),
            ),
        ),
        Operation(
            Op.BRANCH,
            "Go to `target` if the question is answered yes, else on with the next operation.",
            (
                _branch(
                    BranchOn.SHARE,
                    Operand("share", "probability of yes for each class", "shares"),
                    _DRAWN_BY,
                    _TARGET,
                    Operand("steady", "1: a token that passes again draws the same"),
                ),
                _branch(BranchOn.FLAG, Operand("flag", "its number; yes if it is raised"), None, _TARGET),
                _branch(BranchOn.CLASS, Operand("classes", "bit mask; yes if the class is in it"), None, _TARGET),
                _branch(
                    BranchOn.QUEUE_LONGER,
                    Operand("resource", "whose queue is looked at", "resources"),
                    Operand("length", "yes if more wait"),
                    _TARGET,
                ),
                _branch(
                    BranchOn.CLOSED,
                    Operand("resource", "yes if it has no units on duty", "resources"),
                    None,
                    _TARGET,
                ),
                _branch(BranchOn.STATUS, Operand("statuses", "bit mask; yes if the status is in it"), None, _TARGET),
                _branch(
                    BranchOn.SHORTEST,
                    Operand("first_need", "first of the rows that name a candidate", "needs"),
                    Operand("needs", "how many candidates"),
                    _TARGET,
                    Operand(
                        "candidate",
                        "which of them, from 0: yes if it is the first of those with the fewest tokens waiting + units"
                        " in use",
                    ),
                ),
                _branch(
                    BranchOn.OVERDUE,
                    Operand("deadline", "its number"),
                    None,
                    _TARGET,
                    Operand("passed", "1: yes if the token has it and it has passed, 0: if it has it and it has not"),
                ),
                _branch(
                    BranchOn.LAST,
                    Operand("flag", "of those who have been here; yes if every other child of the same SPLIT has it"),
                    None,
                    _TARGET,
                    Operand("number", "how many children that makes: so is known how often it is yes", "distributions"),
                ),
                _branch(
                    BranchOn.GRANTED,
                    Operand("slot", "of the visit that an EITHER began"),
                    None,
                    _TARGET,
                    Operand("candidate", "which of its SEIZEs, from 0: yes if the token was given what that asks for"),
                ),
            ),
        ),
        Operation(
            Op.JUMP,
            "Go on elsewhere.",
            (
                Form(
                    (
                        Operand("target", "where", "program"),
                        Operand("again", "1: backward, the token counts one more pass"),
                    ),
                    Facts((Then("target"),)),
                ),
            ),
        ),
        Operation(
            Op.SET,
            "Change an attribute of the token or an account.",
            (
                _set(SetWhat.RAISE_FLAG, Operand("flag", "its number")),
                _set(SetWhat.LOWER_FLAG, Operand("flag", "its number")),
                _set(SetWhat.CLASS, Operand("new_class", "the class that the token has from now on")),
                _set(
                    SetWhat.ACCOUNT,
                    Operand("account", "which", "accounts"),
                    Operand("amount", "added to it (below 0: taken from it)"),
                ),
                _set(SetWhat.STATUS, Operand("status", "the customs status of the goods from now on")),
            ),
        ),
        Operation(
            Op.STOCK,
            "Change how many units of a resource there are: bring some, and serve those who wait for them, or use up"
            " some of those that the token has just seized.",
            (
                Form(
                    (
                        Operand("resource", "whose units they are", "resources"),
                        Operand("amount", "brought (below 0: used up)"),
                    ),
                    Facts(stocks=True),
                ),
            ),
        ),
        Operation(
            Op.JOIN,
            "Wait for the children of a SPLIT.",
            (Form((Operand("group", "the group of that SPLIT"),), Facts(waits=WaitsFor.CHILDREN)),),
        ),
        Operation(
            Op.SCATTER,
            "The leader of a batch has done its work: the other members go on.",
            (Form((Operand("batch", "which batch"),)),),
        ),
        Operation(
            Op.WAIT_UNTIL,
            "Wait for an instant of a calendar. Writes a visit row.",
            (
                Form(
                    (
                        Operand("calendar", "which", "calendars"),
                        Operand("which", "0: until it is open, 1: until it is shut"),
                    ),
                    Facts(waits=WaitsFor.INSTANT, visit=True),
                ),
            ),
        ),
        Operation(
            Op.LEAVE,
            "End of the token, with empty hands. Writes a row with arrival and end.",
            (Form((), Facts((), visit=True)),),
        ),
    )
}


def column(op: Op, operand: str, code: int | None = None) -> int:
    """Return the column of the program table that an operand of an operation stands in, by its number."""
    return OPERATIONS[op].form(code).column(operand)


class Instruction(Protocol):
    """A row of a program, with its operands by name."""

    op: int
    step: int
    facts: Facts
    declared: tuple[Operand, ...]

    def __getattr__(self, operand: str) -> int: ...


def ways_of(code: Sequence[Instruction], row: int) -> list[int]:
    """Return the rows of the SEIZEs of which the EITHER at a row takes one, in the order of their candidates."""
    found = []
    row += 1
    while code[row].facts.asks is BranchOn.GRANTED:
        found.append(code[row].target)
        row += 1
    return [row, *found]
