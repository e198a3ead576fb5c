"""Writing the rows of a run, and counting the tokens at each step."""

from __future__ import annotations

from zonesim.compiled.jit import inlined
from zonesim.engine.kernel.layout import Output, Record, at
from zonesim.plan import NUMBER_BITS


@inlined
def begin_visit(s: Record, output: Output, step: int) -> None:
    """Count a token that comes to a step."""
    output.at_step[at(step)] += s.left


@inlined
def write_row(s: Record, output: Output, step: int, number: int, queued: int, started: int) -> None:
    """Write a visit that ends now, of a token that was not counted at its step."""
    visit = output.visits[at(s.visits)]
    visit.key = (step << NUMBER_BITS) | number
    visit.queued = queued
    visit.started = started
    visit.ended = s.now
    s.visits += 1


@inlined
def write_visit(s: Record, output: Output, step: int, number: int, queued: int, started: int) -> None:
    """Write a visit that ends now, and count its token at the step no longer."""
    write_row(s, output, step, number, queued, started)
    output.at_step[at(step)] -= s.left


@inlined
def write_mark(s: Record, output: Output, mark: int, number: int) -> None:
    """Write that a token reaches a milestone now."""
    write_mark_at(s, output, mark, number, s.now)


@inlined
def write_mark_at(s: Record, output: Output, mark: int, number: int, time: int) -> None:
    """Write when a milestone of a token is."""
    row = output.marks[at(s.marks)]
    row.key = (mark << NUMBER_BITS) | number
    row.time = time
    s.marks += 1
