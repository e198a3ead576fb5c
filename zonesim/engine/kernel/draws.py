"""Draws: each is a function of the run's key, a stream, and the ordinal, child number and loop count of who draws."""

from __future__ import annotations

import numpy as np

from zonesim.compiled.jit import inlined, kernel
from zonesim.compiled.streams import random_bits, uniform, unit
from zonesim.engine.kernel.layout import Draws, Flow, Record, Tokens, at, wide
from zonesim.engine.sampling import draw_ms, quantile, sample, whole


@inlined
def draw_for(s: Record, draws: Draws, token: Record, distribution: int, stream: int) -> int:
    """Return a duration (ms) or number that a token draws."""
    return draw(
        s,
        draws,
        distribution,
        stream,
        wide(token.klass),
        wide(token.ordinal),
        wide(token.child),
        wide(token.loop_count),
    )


@kernel
def draw(
    s: Record, draws: Draws, distribution: int, stream: int, klass: int, ordinal: int, child: int, loop_count: int
) -> int:
    """Return what is drawn from a distribution with a stream."""
    identity = draws.streams[at(stream)]
    return draw_ms(draws.distributions, draws.numbers, distribution, klass, s.key, identity, ordinal, child, loop_count)


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
        return _composed(draws, row.delay_duration, drawn, wide(token.klass))
    if row.ahead >= 0 and token.ahead_loop == token.loop_count:
        return tokens.ahead[at(slot * s.ahead + row.ahead)]
    return draw_for(s, draws, token, row.delay_duration, row.delay_stream)


@kernel
def _composed(draws: Draws, distribution: int, drawn: float, klass: int) -> int:
    """Return the value at a uniform number of a distribution that is put together of others."""
    return whole(sample(draws.distributions, draws.numbers, distribution, drawn, klass))


@inlined
def draw_ahead(s: Record, flow: Flow, draws: Draws, tokens: Tokens, slot: int, start: int) -> None:
    """
    Make the draws that a token which starts will most often need: how long its delays take, which way it goes.

    None depends on another, so the processor makes several at once; made when they are needed, each would be waited
    for. They come in fours, for as many fit side by side.
    """
    token = tokens.tokens[at(slot)]
    row = flow.program[at(start)]
    first, count = wide(row.ahead_first), wide(row.ahead_count)
    token.ahead_loop = token.loop_count
    random_bits(
        draws.scratch,
        s.key,
        flow.ahead_streams,
        first,
        (count + 3) & -4,
        wide(token.ordinal),
        wide(token.child),
        wide(token.loop_count),
    )
    place = slot * s.ahead
    for each in range(count):
        delay = flow.ahead_delays[at(first + each)]
        drawn = wide(draws.scratch[at(each)])
        if delay >= 0:
            row = flow.program[at(delay)]
            value = quantile(draws.numbers, wide(row.kind), wide(row.first_number), wide(row.numbers), unit(drawn))
            drawn = whole(value)
        tokens.ahead[at(place + each)] = drawn


@kernel
def draw_ahead_apart(s: Record, flow: Flow, draws: Draws, tokens: Tokens, slot: int, start: int) -> None:
    """Do the same, out of the way of the loop: for tokens that do not come from outside."""
    draw_ahead(s, flow, draws, tokens, slot, start)
