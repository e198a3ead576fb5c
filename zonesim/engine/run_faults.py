"""What a run that cannot go on tells its user, whichever engine finds it."""

from __future__ import annotations

from zonesim.faults import RunFault
from zonesim.plan import LARGEST_ORDINAL, Plan
from zonesim.units import format_ms


def made_twice(plan: Plan, leave_step: int) -> RunFault:
    """Return the fault of a child that is made while it still exists."""
    name = plan.names.steps[leave_step]
    where = f"'{'.'.join(name.path[:-1])}' of traffic '{name.entry}'"
    return RunFault(f"{where} makes a child that still exists: a split inside a loop")


def endless(plan: Plan, leave_step: int) -> RunFault:
    """Return the fault of a token that goes back again and again within one instant."""
    name = plan.names.steps[leave_step]
    return RunFault(f"traffic '{name.entry}' goes round in a loop that takes no time")


def too_many_tokens(plan: Plan, source: int) -> RunFault:
    """Return the fault of a source with more tokens than there are numbers for."""
    return RunFault(f"traffic '{plan.names.sources[source]}' has more than {LARGEST_ORDINAL + 1} tokens")


def spawn_loop(plan: Plan, source: int) -> RunFault:
    """Return the fault of tokens that start one another within one instant."""
    name = plan.names.sources[source]
    return RunFault(
        f"traffic '{name}' is started again and again at one instant\n"
        "    Give the spawn an 'after', and let each token start one other at most."
    )


def overdrawn(plan: Plan, account: int, number: int, amount: int, had: int, now: int) -> RunFault:
    """Return the fault of an account that would fall below its floor; `amount` is below 0, `now` in ms."""
    who = plan.names.token(number)
    return RunFault(
        f"account {plan.names.accounts[account]} would be overdrawn: {who} takes {-amount} of {had} at "
        f"{format_ms(now)}, and the floor is {int(plan.accounts['least'][account])}\n"
        "    Start with more, or credit it before."
    )


def too_large(inside: int, needed: int, now: int) -> RunFault:
    """Return the fault of a run with so many tokens inside at `now` (ms) that more do not fit; `needed` in bytes."""
    return RunFault(
        f"{inside} tokens are inside at {format_ms(now)}, and room for more would take {needed / 1e9:.2g} GB, more "
        "than there is.\n    Look for a queue that grows without end, for tokens that start more than one each, or "
        "simulate less at once."
    )


def too_long(needed: float, there: int, tokens: float) -> RunFault:
    """Return the fault of a plan whose results would not fit; `needed` and `there` in bytes, `tokens` to arrive."""
    return RunFault(
        f"a replication has about {tokens:.2g} tokens and needs about {needed / 1e9:.2g} GB of memory; "
        f"{there / 1e9:.2g} GB are free for it.\n    Measure a shorter time, or use fewer --workers."
    )
