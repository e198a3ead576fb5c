"""
Work that is interrupted, and the rule by which a token takes the unit of another.

**Who can be interrupted**: a token in a DELAY with an `interrupted` step, whose end is later than now. It has one unit
of one resource in hand and nothing else (proved when the plan was compiled). **Victim**: of those whose level is less
important than asked, the least important; of these the one granted last, resuming being a grant too. What is left of
its work is whole ms, in the open time of the calendar of its DELAY if there is one. It gives its unit back, stands at
the head of its level (ahead of who was interrupted earlier), and when it is granted its hold end is keyed anew at that
moment: it does not move, so it takes no turn in the ready list, and the row of the interruption is written then.

**Preemption** (`overtake`): the first in line of a resource that preempts takes the unit of a victim less important
than itself, unless more units are in use than there are (then the victim's unit is about to close). Whoever is further
back is no more important than the first, and all who wait here ask for one unit of this resource alone, so nobody else
need be asked. That the first in line has no victim holds at all times, because it is tested when it can begin to fail:
when a newcomer becomes the first; when a DELAY that can be interrupted begins (its token may have been granted in this
instant before a more important one came, and was in no DELAY then); and after the line was served, since units that
open, are repaired or are given back may bring the use down to what there is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from zonesim.engine.resources import Pool, Request, join, note_peak
from zonesim.plan.records import NEVER

if TYPE_CHECKING:
    from zonesim.engine.tokens import Token, Visit

ANYBODY: Final = -(1 << 62)
"""Level that is more important than every other."""


@dataclass(slots=True, eq=False)
class Work:
    """
    A DELAY that can be interrupted: who does it with which unit (`visit`), the `step` of its interruptions, the
    `calendar` it counts in, what was `left` of it (ms) when it last went on at `since`, and its `end` as it stands.

    `turn` counts how often it went on: an end that was keyed in an earlier turn is none. `stopped` is when it was
    interrupted, NEVER while it goes on.
    """

    token: Token
    visit: Visit
    pool: Pool
    step: int
    calendar: int
    left: int
    since: int
    end: int
    turn: int = 0
    stopped: int = NEVER


def victim(pool: Pool, level: int, now: int) -> Work | None:
    """Return whose unit somebody of priority `level` may take, None: nobody's."""
    able = [work for work in pool.work if work.end > now and work.visit.level > level]
    return max(able, key=lambda work: (work.visit.level, work.visit.granted), default=None)


def stop(work: Work, done: int, place: int, now: int) -> None:
    """Interrupt a work of which `done` ms are done since it last went on; `place` is its place within its level."""
    pool, visit = work.pool, work.visit
    pool.work.remove(work)
    work.left -= done
    work.turn += 1
    work.stopped = now
    request = Request(work.token, visit, visit.level, place, visit.needs, resumes=work)
    pool.use(-1, now)
    visit.needs = ()
    work.token.waits_for = request
    join(request, now)
    note_peak(pool, now)


def overtake(pool: Pool, now: int) -> tuple[Request, Work] | None:
    """Return the first in line of a resource that preempts and whom it is to interrupt, None: nobody."""
    if not pool.preempts or not pool.line or pool.used > pool.capacity:
        return None
    first = pool.line[0][1]
    found = victim(pool, first.priority, now)
    return None if found is None else (first, found)


def too_many(pool: Pool, now: int) -> Work | None:
    """
    Return whom a resource whose work pauses interrupts next, because more of its units are in use than there are.

    While it is closed nobody is: the time of its work stands still by the calendar of the DELAY.
    """
    if not pool.pauses or not pool.scheduled or pool.used <= pool.capacity:
        return None
    return victim(pool, ANYBODY, now)
