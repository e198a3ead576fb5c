"""Accounts: quantities that tokens credit and debit."""

from __future__ import annotations

from zonesim.engine.run_faults import overdrawn
from zonesim.engine.tokens import Token
from zonesim.plan.plan import Plan


class Ledger:
    """How every account stands, and the quantity-ms of each inside the measured window [`begin`, `end`)."""

    def __init__(self, plan: Plan, begin: int, end: int) -> None:
        self.plan = plan
        self.begin = begin
        self.end = end
        self.level: list[int] = plan.accounts[:, 0].tolist()
        self.floor: list[int] = plan.accounts[:, 1].tolist()
        self.last = [begin] * len(self.level)
        self.integral = [0] * len(self.level)

    def book(self, account: int, amount: int, token: Token, now: int) -> None:
        """Add `amount`, which is below 0 for a debit; raises RunFault when the account would fall below its floor."""
        self._count(account, now)
        self.level[account] += amount
        if self.level[account] < self.floor[account]:
            raise overdrawn(self.plan, account, token.number, amount, self.level[account] - amount, now)

    def close(self, now: int) -> None:
        """Count what is left up to the end of the run."""
        for account in range(len(self.level)):
            self._count(account, now)

    def _count(self, account: int, now: int) -> None:
        time = min(max(now, self.begin), self.end)
        self.integral[account] += (time - self.last[account]) * self.level[account]
        self.last[account] = time
