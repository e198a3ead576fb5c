"""Draws: each is a function of the run's key, a stream, and the ordinal, child number and loop count of who draws."""

from __future__ import annotations

import numpy as np

from zonesim.compiled.jit import inlined, kernel
from zonesim.compiled.streams import random_bits, uniform, unit
from zonesim.engine.kernel.layout import Ahead, Draws, Floats, Ints, Record, Rows, Tokens, at, wide
from zonesim.engine.sampling import draw_ms, quantile, sample, whole


@inlined
def draw_for(s: Record, draws: Draws, token: Record, distribution: int, stream: int) -> int:
    """Return a duration (ms) or number that a token draws."""
    return draw(
        s,
        draws.distributions,
        draws.numbers,
        distribution,
        draws.streams[at(stream)],
        wide(token.klass),
        wide(token.ordinal),
        wide(token.child),
        wide(token.loop_count),
    )


@kernel
def draw(
    s: Record,
    distributions: Ints,
    numbers: Floats,
    distribution: int,
    stream: np.uint64,
    klass: int,
    ordinal: int,
    child: int,
    loop_count: int,
) -> int:
    """Return what is drawn from a distribution with a stream."""
    return draw_ms(distributions, numbers, distribution, klass, s.key, stream, ordinal, child, loop_count)


@inlined
def uniform_for(s: Record, draws: Draws, token: Record, stream: int, loop_count: int) -> float:
    """Return a uniform number that a token draws."""
    identity = draws.streams[at(stream)]
    return _uniform(s.key, identity, wide(token.ordinal), wide(token.child), wide(loop_count))


@kernel
def _uniform(key: np.uint64, stream: np.uint64, ordinal: int, child: int, loop_count: int) -> float:
    return uniform(key, stream, ordinal, child, loop_count)


@inlined
def duration_of(s: Record, draws: Draws, tokens: Tokens, slot: int, row: Record) -> int:
    """Return how long a DELAY takes whose time is not fixed."""
    token = tokens.tokens[at(slot)]
    if row.kind < 0:
        drawn = uniform_for(s, draws, token, row.delay_stream, wide(token.loop_count))
        return _composed(draws.distributions, draws.numbers, row.delay_duration, drawn, wide(token.klass))
    if row.ahead >= 0 and token.ahead_loop == token.loop_count:
        return tokens.ahead[at(slot * s.ahead + row.ahead)]
    return draw_for(s, draws, token, row.delay_duration, row.delay_stream)


@kernel
def _composed(distributions: Ints, numbers: Floats, distribution: int, drawn: float, klass: int) -> int:
    """Return the value at a uniform number of a distribution that is put together of others."""
    return whole(sample(distributions, numbers, distribution, drawn, klass))


@inlined
def draw_ahead(s: Record, program: Rows, ahead: Ahead, token: Record, drawn: Ints, place: int, start: int) -> None:
    """
    Make the draws that a token which starts will most often need: how long its delays take, which way it goes. What is
    drawn goes to `drawn`, from `place` on.

    None depends on another, so the processor makes several at once; made when they are needed, each would be waited
    for. They come in fours, for as many fit side by side.
    """
    row = program[at(start)]
    first, count = wide(row.ahead_first), wide(row.ahead_count)
    token.ahead_loop = token.loop_count
    random_bits(
        ahead.scratch,
        s.key,
        ahead.streams,
        first,
        (count + 3) & -4,
        wide(token.ordinal),
        wide(token.child),
        wide(token.loop_count),
    )
    for each in range(count):
        delay = ahead.delays[at(first + each)]
        value = wide(ahead.scratch[at(each)])
        if delay >= 0:
            row = program[at(delay)]
            value = whole(
                quantile(ahead.numbers, wide(row.kind), wide(row.first_number), wide(row.numbers), unit(value))
            )
        drawn[at(place + each)] = value


@kernel
def draw_ahead_apart(
    s: Record, program: Rows, ahead: Ahead, token: Record, drawn: Ints, place: int, start: int
) -> None:
    """Do the same, out of the way of the loop: for tokens that do not come from outside."""
    draw_ahead(s, program, ahead, token, drawn, place, start)
