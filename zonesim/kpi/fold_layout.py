"""
The layout of what the loops of `folding` read and write: flat int64 arrays with rows of constant width.

A dossier holds what one consignment reached: when it arrived, in ms after the base of its chunk (-1 - n: this has no
room, and row n of `far` tells when), and for each milestone the ms after its arrival, plus 1 (0: not reached; LONG or
more is written LONG, and the exact time is put into `late`). Dossiers lie in chunks of one source each; `directory`
tells which chunk. A note is what else a measured token leaves behind: a passage of a gate, what was
found about a truth, which milestones a child reached. Notes of a consignment are chained, the latest first.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from zonesim.limits import MOST_PASSAGE_MARKS

LONG: Final = 2**31 - 1
"""Stands where a number of ms does not fit into 31 bits."""

CHUNK_BITS: Final = 9
CHUNK: Final = 1 << CHUNK_BITS
"""Dossiers in a chunk, and waits in one."""

UNSEEN: Final = 2**63 - 1
"""Where no measured consignment has been seen yet."""


class _Fields:
    """The fields of a row, numbered as they are declared; `width` is the length of a row of those declared so far."""

    def __init__(self) -> None:
        self.width = 0

    def field(self, length: int = 1) -> np.uint64:
        """Return the place of the next field, which takes `length` numbers."""
        self.width += length
        return np.uint64(self.width - length)


# --- fields of `state`

_state = _Fields()
BEGIN: Final = _state.field()
END: Final = _state.field()
HORIZON: Final = _state.field()
CHUNKS: Final = _state.field()
"""Chunks of dossiers in use."""
STRIDE: Final = _state.field()
"""Places that the directory has for each source."""
MILESTONES: Final = _state.field()
"""Milestones in a dossier."""
NOTES: Final = _state.field()
LATE: Final = _state.field()
WAITS: Final = _state.field()
"""Chunks of waits in use."""
LATE_WAITS: Final = _state.field()
INSIDE: Final = _state.field()
"""Rows of what has not ended when the run ends: (LEAVE pseudo-step, token inside) or (step, when queued)."""
REACHED: Final = _state.field()
"""Kind of the notes of which milestones a child reached."""
TRUTHS: Final = _state.field()
"""Whether tokens have truths, so that everybody inside at the end is put down and not children alone."""
COUNTS: Final = _state.field()
"""Marks that are counted, by source."""
FAR: Final = _state.field()
"""Arrivals that are too far from the first of their chunk for 4 bytes, and stand apart."""
STATE_FIELDS: Final = _state.width

# --- fields of a source

_source = _Fields()
FIRST: Final = _source.field()
"""Ordinal of the first measured consignment; `AFTER`, of the first one that arrives after the window."""
AFTER: Final = _source.field()
SEEN: Final = _source.field()
"""How many have arrived; `OPENED`, chunks of dossiers that they have."""
OPENED: Final = _source.field()
SOURCE_FIELDS: Final = _source.width

# --- fields of a step

_step = _Fields()
KIND: Final = _step.field()
GROUP: Final = _step.field()
"""
What its visits take: where the cells of a limited resource begin, and units (0: nothing). `TAKES`: what else, pairs of
the same. `LANES`: pairs of where the cells and the hours of gate directions begin whose lanes it holds.
"""
UNITS: Final = _step.field()
TAKES: Final = _step.field()
TAKES_END: Final = _step.field()
LANES: Final = _step.field()
LANES_END: Final = _step.field()
COUNT: Final = _step.field()
"""Visits of measured tokens that have started; sums of their waits and, where they have ended, services."""
WAIT: Final = _step.field()
SERVICE: Final = _step.field()
OPEN: Final = _step.field()
"""Those among them that have not ended, and the sum of their waits."""
OPEN_WAIT: Final = _step.field()
STILL_WAIT: Final = _step.field()
"""Visits of measured tokens that still wait when the run ends."""
GAVE_UP: Final = _step.field()
"""Visits of measured tokens that ended before they started; their waits, and how many of these are above 0."""
MORE_STAY: Final = _step.field()
"""ms of all visits inside the window, less `WAIT` and `SERVICE`; `MORE_WAIT`, those before the start, less `WAIT`."""
MORE_WAIT: Final = _step.field()
KEPT: Final = _step.field()
"""Where the next wait goes, and where the chunk ends."""
KEPT_END: Final = _step.field()
MORE_ROWS: Final = _step.field()
"""Whether there are any such pairs."""
GAVE_UP_WAIT: Final = _step.field()
GAVE_UP_WAITED: Final = _step.field()
SAMPLES: Final = _step.field()
"""
Where services are kept one by one, as a step of its own behind all others, and stays at the one behind it; 0: nobody
asks for more than their sum.
"""
STEP_FIELDS: Final = _step.width

PLAIN: Final = 0
LEAVES: Final = 1
INTERRUPTED: Final = 2

# --- fields of a mark

_mark = _Fields()
WANTED: Final = _mark.field()
ARRIVES: Final = _mark.field()
MILESTONE: Final = _mark.field()
"""Which milestone of a dossier; `TELLS` 1: reached, 0: this mark is none of them."""
TELLS: Final = _mark.field()
MORE: Final = _mark.field()
"""Whether there is anything in the fields that follow."""
COUNTED: Final = _mark.field()
"""Which of the marks that are counted, -1: none."""
BEGINS: Final = _mark.field()
"""Gate direction whose passage begins, -1: none."""
GATE: Final = _mark.field()
"""Kind of the note of a passage, -1: none; `WHAT` of the marks of a passage."""
WHAT: Final = _mark.field()
TRUTH: Final = _mark.field()
FINDING: Final = _mark.field()
"""Position in TRUTH_MARKS."""
TRUTH_NOTE: Final = _mark.field()
"""Kind of the note of the truth, -1: none; whose it is: child `OWNER_BASE + (child - OWNER_FIRST) // OWNER_SIZE`."""
OWNER_BASE: Final = _mark.field()
OWNER_FIRST: Final = _mark.field()
OWNER_SIZE: Final = _mark.field()
ACCOUNT: Final = _mark.field()
AMOUNT: Final = _mark.field()
MARK_FIELDS: Final = _mark.width

FINDINGS: Final = np.uint64(6)
"""How many TRUTH_MARKS there are; the bit behind theirs says that somebody who may yet be checked is inside."""

# --- fields of a note

_note = _Fields()
TAG: Final = _note.field()
"""kind << 6 | child."""
NEXT: Final = _note.field()
"""The note before it of the same consignment, by number from 1 on; 0: none."""
FACTS: Final = _note.field(MOST_PASSAGE_MARKS)
"""Of a passage, times of its marks (NEVER: not noted); of the others the first of these holds bits."""
NOTE_FIELDS: Final = _note.width

# --- fields of an account

_account = _Fields()
ADDED: Final = _account.field()
AREA: Final = _account.field()
CREDITED: Final = _account.field()
DEBITED: Final = _account.field()
ACCOUNT_FIELDS: Final = _account.width
