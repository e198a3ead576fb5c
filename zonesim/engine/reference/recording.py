"""What the reference engine writes down as the run goes on: rows, tokens at each step, and how accounts stand."""

from __future__ import annotations

from typing import Final

import numpy as np

from zonesim.engine.run_faults import overdrawn
from zonesim.engine.state import Token
from zonesim.plan import MARK, NUMBER_BITS, VISIT, Block, Plan, Sink

BLOCK_ROWS: Final = 16_384


class Recorder:
    """Collects rows and hands them to the sink in blocks; counts the token-ms at each step inside the window."""

    def __init__(self, sink: Sink, steps: int, begin: int, end: int) -> None:
        self.sink = sink
        self.begin = begin
        self.end = end
        self.visits: list[int] = []
        self.marks: list[int] = []
        self.at = [0] * steps
        self.last = [begin] * steps
        self.integral = [0] * steps

    def come(self, step: int, now: int) -> None:
        """Count one more token at `step`."""
        self._count(step, now)
        self.at[step] += 1

    def go(self, step: int, number: int, queued: int, started: int, now: int) -> None:
        """Count one token less at `step` and write its visit."""
        self._count(step, now)
        self.at[step] -= 1
        self.row(step, number, queued, started, now)

    def move(self, step: int, other: int, queued: int, now: int) -> None:
        """Count a token that came to a step at `queued` as one of another step from then on."""
        self._count(step, now)
        self._count(other, now)
        self.at[step] -= 1
        self.at[other] += 1
        passed = min(max(now, self.begin), self.end) - min(max(queued, self.begin), self.end)
        self.integral[step] -= passed
        self.integral[other] += passed

    def row(self, step: int, number: int, queued: int, started: int, ended: int) -> None:
        """Write a visit; `ended` NEVER when the run ends before it does."""
        self.visits += (step << NUMBER_BITS | number, queued, started, ended)
        if len(self.visits) >= 4 * BLOCK_ROWS:
            self.flush()

    def mark(self, mark: int, number: int, now: int) -> None:
        """Write a milestone."""
        self.marks += (mark << NUMBER_BITS | number, now)
        if len(self.marks) >= 4 * BLOCK_ROWS:
            self.flush()

    def _count(self, step: int, now: int) -> None:
        time = min(self.end, now)
        if time > self.last[step]:
            self.integral[step] += (time - self.last[step]) * self.at[step]
            self.last[step] = time

    def flush(self) -> None:
        """Hand the rows written so far to the sink."""
        visits = np.array(self.visits, dtype=np.int64).view(VISIT)
        marks = np.array(self.marks, dtype=np.int64).view(MARK)
        self.visits, self.marks = [], []
        self.sink.take(Block(visits, marks))

    def close(self, now: int) -> None:
        """Count what is left up to the end of the run and hand over the last block."""
        for step in range(len(self.at)):
            self._count(step, now)
        self.flush()


class Ledger:
    """How every account stands, and the quantity-ms of each inside the measured window [`begin`, `end`)."""

    def __init__(self, plan: Plan, begin: int, end: int) -> None:
        self.plan = plan
        self.begin = begin
        self.end = end
        self.balance: list[int] = plan.accounts["start"].tolist()
        self.floor: list[int] = plan.accounts["least"].tolist()
        self.last = [begin] * len(self.balance)
        self.integral = [0] * len(self.balance)

    def book(self, account: int, amount: int, token: Token, now: int) -> None:
        """Add `amount`, which is below 0 for a debit; raises RunFault when the account would fall below its floor."""
        self._count(account, now)
        self.balance[account] += amount
        if self.balance[account] < self.floor[account]:
            raise overdrawn(self.plan, account, token.number, amount, self.balance[account] - amount, now)

    def close(self, now: int) -> None:
        """Count what is left up to the end of the run."""
        for account in range(len(self.balance)):
            self._count(account, now)

    def _count(self, account: int, now: int) -> None:
        time = min(max(now, self.begin), self.end)
        self.integral[account] += (time - self.last[account]) * self.balance[account]
        self.last[account] = time
