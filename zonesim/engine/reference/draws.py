"""Draws of the reference engine: each is a function of the run's key, a stream, and who draws for which time."""

from __future__ import annotations

from zonesim.compiled.streams import lineage, run_key, uniform
from zonesim.engine.sampling import draw_ms, prepare
from zonesim.engine.state import Token
from zonesim.plan import Plan


class Draws:
    """What tokens and clocks of a replication draw."""

    def __init__(self, plan: Plan, seed: int, replication: int) -> None:
        self.key = run_key(seed, replication)
        self.distributions, self.numbers = prepare(plan.distributions, plan.parameters)
        self.streams = list(plan.streams)

    def for_token(self, token: Token, distribution: int, stream: int) -> int:
        """Return a duration (ms) or number that a token draws."""
        return self._drawn(distribution, token.klass, stream, token.ordinal, token.child, token.loop_count)

    def for_cycle(self, distribution: int, stream: int, cycle: int) -> int:
        """Return a duration (ms) that a clock of breakdowns draws in one of its cycles."""
        return self._drawn(distribution, 0, stream, cycle, 0, 0)

    def below(self, share: float, token: Token, stream: int, loop_count: int) -> bool:
        """Return whether a token draws a number below a share."""
        drawn = share > 0.0 and uniform(self.key, self.streams[stream], token.ordinal, token.child, loop_count) < share
        return bool(drawn)

    def ordinal_of_heir(self, token: Token, stream: int) -> int:
        """Return the ordinal with which a token draws that another one starts."""
        return int(lineage(self.streams[stream], token.ordinal, token.child, token.loop_count))

    def _drawn(self, distribution: int, klass: int, stream: int, ordinal: int, child: int, loop_count: int) -> int:
        value: int = draw_ms(
            self.distributions,
            self.numbers,
            distribution,
            klass,
            self.key,
            self.streams[stream],
            ordinal,
            child,
            loop_count,
        )
        return value
