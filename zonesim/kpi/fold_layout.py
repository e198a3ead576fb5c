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

_u = np.uint64

LONG: Final = 2**31 - 1
"""Stands where a number of ms does not fit into 31 bits."""

CHUNK_BITS: Final = 9
CHUNK: Final = 1 << CHUNK_BITS
"""Dossiers in a chunk, and waits in one."""

UNSEEN: Final = 2**63 - 1
"""Where no measured consignment has been seen yet."""

# --- fields of `state`

BEGIN: Final = _u(0)
END: Final = _u(1)
HORIZON: Final = _u(2)
CHUNKS: Final = _u(3)
"""Chunks of dossiers in use."""
STRIDE: Final = _u(4)
"""Places that the directory has for each source."""
MILESTONES: Final = _u(5)
"""Milestones in a dossier."""
NOTES: Final = _u(6)
LATE: Final = _u(7)
WAITS: Final = _u(8)
"""Chunks of waits in use."""
LATE_WAITS: Final = _u(9)
INSIDE: Final = _u(10)
"""Rows of what has not ended when the run ends: (LEAVE pseudo-step, token inside) or (step, when queued)."""
REACHED: Final = _u(11)
"""Kind of the notes of which milestones a child reached."""
TRUTHS: Final = _u(12)
"""Whether tokens have truths, so that everybody inside at the end is put down and not children alone."""
COUNTS: Final = _u(13)
"""Marks that are counted, by source."""
FAR: Final = _u(14)
STATE_FIELDS: Final = 15

# --- fields of a source

FIRST: Final = _u(0)
"""Ordinal of the first measured consignment; `AFTER`, of the first one that arrives after the window."""
AFTER: Final = _u(1)
SEEN: Final = _u(2)
"""How many have arrived; `OPENED`, chunks of dossiers that they have."""
OPENED: Final = _u(3)
SOURCE_FIELDS: Final = 4

# --- fields of a step

KIND: Final = _u(0)
GROUP: Final = _u(1)
"""
What its visits take: where the cells of a limited resource begin, and units (0: nothing). `TAKES`: what else, pairs of
the same. `LANES`: pairs of where the cells and the hours of gate directions begin whose lanes it holds.
"""
UNITS: Final = _u(2)
TAKES: Final = _u(3)
TAKES_END: Final = _u(4)
LANES: Final = _u(5)
LANES_END: Final = _u(6)
COUNT: Final = _u(7)
"""Visits of measured tokens that have started; sums of their waits and, where they have ended, services."""
WAIT: Final = _u(8)
SERVICE: Final = _u(9)
OPEN: Final = _u(10)
"""Those among them that have not ended, and the sum of their waits."""
OPEN_WAIT: Final = _u(11)
STILL_WAIT: Final = _u(12)
"""Visits of measured tokens that still wait when the run ends."""
GAVE_UP: Final = _u(13)
"""Visits of measured tokens that ended before they started; their waits, and how many of these are above 0."""
MORE_STAY: Final = _u(14)
"""ms of all visits inside the window, less `WAIT` and `SERVICE`; `MORE_WAIT`, those before the start, less `WAIT`."""
MORE_WAIT: Final = _u(15)
KEPT: Final = _u(16)
"""Where the next wait goes, and where the chunk ends."""
KEPT_END: Final = _u(17)
MORE_ROWS: Final = _u(18)
"""Whether there are any such pairs."""
GAVE_UP_WAIT: Final = _u(19)
GAVE_UP_WAITED: Final = _u(20)
SAMPLES: Final = _u(21)
"""
Where services are kept one by one, as a step of its own behind all others, and stays at the one behind it; 0: nobody
asks for more than their sum.
"""
STEP_FIELDS: Final = 22

PLAIN: Final = 0
LEAVES: Final = 1
INTERRUPTED: Final = 2

# --- fields of a mark

WANTED: Final = _u(0)
ARRIVES: Final = _u(1)
MILESTONE: Final = _u(2)
"""Which milestone of a dossier; `TELLS` 1: reached, 0: this mark is none of them."""
TELLS: Final = _u(3)
MORE: Final = _u(4)
"""Whether there is anything in the fields that follow."""
COUNTED: Final = _u(5)
"""Which of the marks that are counted, -1: none."""
BEGINS: Final = _u(6)
"""Gate direction whose passage begins, -1: none."""
GATE: Final = _u(7)
"""Kind of the note of a passage, -1: none; `WHAT` of the marks of a passage."""
WHAT: Final = _u(8)
TRUTH: Final = _u(9)
FINDING: Final = _u(10)
"""Position in TRUTH_MARKS."""
TRUTH_NOTE: Final = _u(11)
"""Kind of the note of the truth, -1: none; whose it is: child `OWNER_BASE + (child - OWNER_FIRST) // OWNER_SIZE`."""
OWNER_BASE: Final = _u(12)
OWNER_FIRST: Final = _u(13)
OWNER_SIZE: Final = _u(14)
ACCOUNT: Final = _u(15)
AMOUNT: Final = _u(16)
MARK_FIELDS: Final = 17

FINDINGS: Final = _u(6)
"""How many TRUTH_MARKS there are; the bit behind theirs says that somebody who may yet be checked is inside."""

# --- fields of a note

TAG: Final = _u(0)
"""kind << 6 | child."""
NEXT: Final = _u(1)
"""The note before it of the same consignment, by number from 1 on; 0: none."""
FACTS: Final = _u(2)
"""Of a passage, times of its marks (NEVER: not noted); of the others the first of these holds bits."""
NOTE_FIELDS: Final = 2 + MOST_PASSAGE_MARKS

# --- fields of an account

ADDED: Final = _u(0)
AREA: Final = _u(1)
CREDITED: Final = _u(2)
DEBITED: Final = _u(3)
ACCOUNT_FIELDS: Final = 4
