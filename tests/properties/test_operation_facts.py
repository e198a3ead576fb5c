"""What the operation table says of an operation is what the reference engine does."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest

from tests.helper import RowLog
from tests.properties.plans import model_of
from zonesim.engine.reference.engine import ReferenceEngine
from zonesim.faults import RunFault
from zonesim.plan.instructions import successors
from zonesim.plan.operations import Who


class _Following(ReferenceEngine):
    """The reference engine, noting each step of a token from one row to the next, and after which rows it stands."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.steps: set[tuple[int, int]] = set()
        self.stands: set[int] = set()
        self.last: dict[int, tuple[Any, int]] = {}
        self.operations = {op: self._watched(act) for op, act in self.operations.items()}

    def _watched(self, act: Any) -> Any:
        def watching(token: Any, row: Any) -> bool:
            at = token.row - 1
            if id(token) in self.last:
                self.steps.add((self.last[id(token)][1], at))
            self.last[id(token)] = (token, at)
            goes_on = bool(act(token, row))
            if not goes_on:
                self.stands.add(at)
            return goes_on

        return watching


@pytest.mark.parametrize("seed", range(12))
def test_tokens_go_on_where_the_operation_table_says(seed: int) -> None:
    """
    In random models every token goes on only at rows that its last operation leads to, and stands only where that operation
    waits, lets time pass, or ends it.
    """
    plan = model_of(seed).plan
    run = _Following(plan, 1, 0, RowLog())
    with suppress(RunFault):
        run.run()
    allowed = {
        (row, target)
        for row, each in enumerate(plan.code)
        for then, target in successors(each, row)
        if then.who is Who.ITSELF
    }
    standing = {
        row
        for row, each in enumerate(plan.code)
        if each.facts.waits is not None or each.facts.delays or each.facts.ends
    }

    assert run.steps
    assert run.steps <= allowed
    assert run.stands <= standing
