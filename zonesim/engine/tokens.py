"""Tokens: whatever walks a program."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from zonesim.engine.resources import Pool, Request
from zonesim.plan.operations import NOWHERE
from zonesim.plan.records import CHILD_BITS, LARGEST_ORDINAL

if TYPE_CHECKING:
    from zonesim.engine.batches import Batch
    from zonesim.engine.preemption import Work


@dataclass(slots=True, eq=False)
class Visit:
    """
    An open visit: the step, when the token came, when it got its units (NEVER while it waits), and those units.

    `level` is the priority with which they were asked for, `granted` the number of the grant that gave them, counted
    over the whole run. While the work is interrupted there are no units.
    """

    step: int
    queued: int
    started: int
    needs: tuple[tuple[Pool, int], ...] = ()
    level: int = 0
    granted: int = 0


@dataclass(slots=True, eq=False)
class Token:
    """
    A consignment or one of its children.

    `row` is the next operation, `passes` counts backward jumps, `open` are its visits with units by slot, `hold` is the
    visit of a hold that is not in a block or of a wait for a batch or an hour. `waits_for` is set while it waits for
    units, `joins` while it waits for children, `batch` while it is a member of one that has not gone on; `leads` are
    the batches whose work it does. `work` is its hold that can be interrupted, while it lasts. `firms` are whose goods
    it carries, `status` is their customs status, -1: none.
    `ordinal` is its luck: with `child` and `passes` it says what it draws.
    """

    number: int
    ordinal: int
    child: int
    row: int
    arrived: int
    leave_step: int
    klass: int = 0
    flags: int = 0
    passes: int = 0
    parent: Token | None = None
    group: int = NOWHERE
    open: dict[int, Visit] = field(default_factory=dict)
    hold: Visit | None = None
    work: Work | None = None
    waits_for: Request | None = None
    joins: int = NOWHERE
    children: dict[int, int] = field(default_factory=dict)
    firms: tuple[int, ...] = ()
    status: int = NOWHERE
    batch: Batch | None = None
    leads: dict[int, Batch] = field(default_factory=dict)
    turn_time: int = -1
    turns: int = 0

    @property
    def sequence(self) -> int:
        """Return which of its source it is; the same as `ordinal` but for spawned tokens."""
        return self.number >> CHILD_BITS & LARGEST_ORDINAL
