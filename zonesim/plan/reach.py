"""Which steps the tokens of a flow may come to, in any edition and through any call."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property

from zonesim.policy import ResolvedArm
from zonesim.scenario import Step
from zonesim.scenario.acts import start_of
from zonesim.scenario.models import Account


class Reach:
    """What the flows of an arm come to, looked up once."""

    def __init__(self, arm: ResolvedArm) -> None:
        self.arm = arm
        self._found: dict[str, Reached] = {}

    @cached_property
    def keys(self) -> frozenset[str]:
        """Return the keys of all flows."""
        return frozenset(self.arm.world.flow_keys())

    def of(self, flow: str) -> Reached:
        """Return what tokens may come to that walk a flow."""
        if flow not in self._found:
            self._found[flow] = Reached(self.steps(flow), self._made)
        return self._found[flow]

    @cached_property
    def _made(self) -> Mapping[str, set[str]]:
        """Return what lots of any account are worked into, by attribute."""
        found: dict[str, set[str]] = {}
        entries = [entry for zone in self.arm.scenario.zones.values() for entry in zone.entries().values()]
        for account in (entry for entry in entries if isinstance(entry, Account) and entry.lots):
            made = {kind for lot in account.lots.values() for kind in lot.becomes}
            found.setdefault(str(account.by), set()).update(made)
        return found

    def steps(self, flow: str) -> Iterator[Step]:
        """Yield the steps of a flow and of those it calls, as followers of none and of all practices see them."""
        for adopted in {frozenset[str](), frozenset(use.name for use in self.arm.partial)}:
            pending, seen = [flow], {flow}
            while pending:
                name = pending.pop()
                for step in _all(self.arm.flow(name, adopted).steps) if name in self.keys else ():
                    yield step
                    if step.call is not None and step.call not in seen:
                        seen.add(step.call)
                        pending.append(step.call)


class Reached:
    """
    What steps do beyond themselves: the values that they give, by attribute, the class among them, the traffic entries
    that they start, and the deadlines that they note.
    """

    def __init__(self, steps: Iterator[Step], made: Mapping[str, set[str]]) -> None:
        self.gives: dict[str, set[str]] = {}
        self.starts: set[str] = set()
        self.deadlines: set[str] = set()
        for step in steps:
            self.deadlines.update(step.due)
            for name, value in step.set.values().items() if step.set is not None else ():
                self.gives.setdefault(name, set()).add(value)
            if step.set is not None and step.set.convert:
                for name, values in made.items():
                    self.gives.setdefault(name, set()).update(values)
            if step.spawn is not None:
                self.starts.add(start_of(step.spawn).traffic)


def _all(steps: Mapping[str, Step]) -> Iterator[Step]:
    for step in steps.values():
        yield step
        yield from _all(step.inside)
