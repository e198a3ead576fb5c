"""Which steps the tokens of a flow may come to, in any edition and through any call."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from zonesim.policy import ResolvedArm
from zonesim.scenario.models import Step


def steps_of(arm: ResolvedArm, flow: str) -> Iterator[Step]:
    """Yield the steps of a flow and of those it calls, as followers of none and of all practices see them."""
    for adopted in {frozenset[str](), frozenset(use.name for use in arm.partial)}:
        flows = arm.flows(adopted)
        pending, seen = [flow], {flow}
        while pending:
            name = pending.pop()
            for step in _all(flows[name].steps) if name in flows else ():
                yield step
                if step.call is not None and step.call not in seen:
                    seen.add(step.call)
                    pending.append(step.call)


def _all(steps: Mapping[str, Step]) -> Iterator[Step]:
    for step in steps.values():
        yield step
        yield from _all(step.inside)
