"""
Work that is interrupted, and the rule by which a token takes the unit of another.

**Who can be interrupted**: a token in a DELAY with an `interrupted` step, whose end is later than now. It has one unit
of one resource in hand and nothing else (proved when the plan was compiled). **Victim**: of those whose priority is
less important than asked, the least important; of these the one granted last, resuming being a grant too. What is left
of its work is whole ms, in the open time of the calendar of its DELAY if there is one. It gives its unit back, stands
at the head of its priority (ahead of who was interrupted earlier), and when it is granted its end is scheduled anew at
that moment: it does not move, so it takes no turn in the ready list, and the row of the interruption is written then.

**Preemption** (`overtake`): the first in the queue of a resource that preempts takes the unit of a victim less
important than itself, unless more units are in use than there are (then the victim's unit is about to close). Whoever
is further back is no more important than the first, and all who wait here ask for one unit of this resource alone, so
nobody else need be asked. That the first in the queue has no victim holds at all times, because it is tested when it
can begin to fail: when a newcomer becomes the first; when a DELAY that can be interrupted begins (its token may have
been granted in this instant before a more important one came, and was in no DELAY then); and after the queue was
served, since units that open, are repaired or are given back may bring the use down to what there is.
"""

from __future__ import annotations

from typing import Final

from zonesim.engine.resources import join, note_peak
from zonesim.engine.state import Request, ResourceState, Way, Work

ANYBODY: Final = -(1 << 62)
"""A priority that is more important than every other."""


def victim(resource: ResourceState, priority: int, now: int) -> Work | None:
    """Return whose unit somebody of this priority may take, None: nobody's."""
    able = [work for work in resource.work if work.end > now and work.visit.priority > priority]
    return max(able, key=lambda work: (work.visit.priority, work.visit.granted), default=None)


def interrupt(work: Work, done: int, place: int, now: int) -> None:
    """Interrupt a work of which `done` ms are done since it last went on; `place` is its place within its priority."""
    resource, visit = work.resource, work.visit
    resource.work.remove(work)
    work.left -= done
    work.epoch += 1
    work.stopped = now
    request = Request(work.token, visit, visit.priority, place, visit.needs, (Way(visit.needs),), resumes=work)
    resource.use(-1, now)
    visit.needs = ()
    work.token.waits_for = request
    join(request, now)
    note_peak(resource, now)


def overtake(resource: ResourceState, now: int) -> tuple[Request, Work] | None:
    """Return the first in the queue of a resource that preempts and whom it is to interrupt, None: nobody."""
    if not resource.preempts or not resource.queue or resource.used > resource.capacity:
        return None
    first = resource.queue[0][1]
    found = victim(resource, first.priority, now)
    return None if found is None else (first, found)


def too_many(resource: ResourceState, now: int) -> Work | None:
    """
    Return whom a resource whose work pauses interrupts next, because more of its units are in use than there are.

    While it is closed nobody is: the time of its work stands still by the calendar of the DELAY.
    """
    if not resource.pauses or not resource.scheduled or resource.used <= resource.capacity:
        return None
    return victim(resource, ANYBODY, now)
