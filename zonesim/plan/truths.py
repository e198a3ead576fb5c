"""
Which hidden truths the tokens of a traffic entry have: those that a check of their flow looks for, as it is written.

A truth is there whether anybody looks or not. So what counts is the flow that nobody has changed (a practice may take
the check away) and every step in it, whatever share of tokens goes there: else a truth that nobody looks for would not
exist, and skipping a check would miss nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from zonesim.faults import Place, ScenarioFault
from zonesim.limits import CALLS_DEEP, MOST_STEPS
from zonesim.plan.binding import Arguments, bind, resolve
from zonesim.plan.editions import one_edition
from zonesim.policy import ResolvedArm
from zonesim.scenario import Step

Path = tuple[str, ...]


class Survey:
    """
    The truths of the tokens of one flow, by the step that their kind of token begins at: () for consignments.

    A flow that cannot be followed here cannot be compiled either, and is a fault there.
    """

    def __init__(self, arm: ResolvedArm) -> None:
        self.arm = arm
        self.found: dict[Path, dict[str, None]] = {}
        self._inside: dict[Path, Path] = {}
        self._left = MOST_STEPS
        self._calls = 0

    def take(self, key: str, arguments: Arguments) -> dict[Path, dict[str, None]]:
        """Return what there is, of a flow by its key with these arguments."""
        self._flow(key, arguments, (), ())
        for kind, around in self._inside.items():  # who goes on beside a token has the truths of that one
            for truth in self.found.get(around, ()):
                self.found.get(kind, {}).pop(truth, None)
        return self.found

    def _flow(self, key: str, arguments: Arguments, path: Path, kind: Path) -> None:
        bare, now = self.arm.bare_flow(key), self.arm.flow(key)
        self._steps(bare.steps, arguments, path, kind)
        if now != bare:
            self._steps(now.steps, arguments, path, kind)

    def _steps(self, steps: Mapping[str, Step], arguments: Arguments, path: Path, kind: Path) -> None:
        children = one_edition(steps).of_children
        for name, step in steps.items():
            self._left -= 1
            if self._left > 0 and self._may_be(step, arguments):
                self._step(step, arguments, (*path, name), (*path, children[name]) if name in children else kind)

    def _step(self, step: Step, arguments: Arguments, path: Path, kind: Path) -> None:
        if step.background:
            self._inside[path], kind = kind, path
        if step.detect is not None:
            self.found.setdefault(kind, {})[step.detect.truth] = None
        self._steps(step.steps, arguments, path, kind)
        for name, branch in step.parallel.items():
            self._inside[*path, name] = kind
            self._steps({name: branch}, arguments, path, (*path, name))
        if step.call is not None and step.call in self.arm.world.flow_keys() and self._calls < CALLS_DEEP:
            self._calls += 1
            flow = self.arm.flow(step.call)
            given = {key: self._resolved(value, arguments) for key, value in step.with_.items()}
            arguments = bind(flow, given, step.call, self.arm.scenario, _nowhere)
            self._flow(step.call, arguments, path, kind)
            self._calls -= 1

    def _may_be(self, step: Step, arguments: Arguments) -> bool:
        """Return whether the step can be done with these arguments."""
        asked = (step.when.__pydantic_extra__ or {}) if step.when is not None else {}
        return all(
            str(self._resolved(f"${name}", arguments)) in (one if isinstance(one, list) else [one])
            for name, one in asked.items()
        )

    def _resolved(self, value: Any, arguments: Arguments) -> Any:  # noqa: ANN401
        return resolve(value, arguments, self.arm.scenario, _nowhere())


def truths_of(arm: ResolvedArm, key: str, arguments: Arguments) -> dict[Path, dict[str, None]]:
    """Return the truths of the tokens of a flow by kind, as `Survey` does."""
    survey = Survey(arm)
    try:
        return survey.take(key, arguments)
    except ScenarioFault:
        return {}


def _nowhere(*_: object) -> Place:
    """Stand in for the place of a fault that nobody will see."""
    return Place("")
