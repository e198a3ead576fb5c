"""Which flags matter from a row of a program on."""

from __future__ import annotations

from collections.abc import Sequence

from zonesim.plan.instructions import successors
from zonesim.plan.operations import BranchOn, Instruction, SetWhat

CHANGES_A_FLAG = (SetWhat.RAISE_FLAG, SetWhat.LOWER_FLAG)


def flags_asked(code: Sequence[Instruction], first: int = 0, starts: Sequence[int] | None = None) -> list[int]:
    """
    Return, for each row of `code`, the flags (bits) that a token there may yet be asked for; its rows are numbered from
    `first` on.

    `starts`: the first row of each source, whose spawned tokens are then asked too.
    """
    after = [[target - first for _, target in successors(each, first + row, starts)] for row, each in enumerate(code)]
    asks = [1 << each.flag if each.facts.asks is BranchOn.FLAG else 0 for each in code]
    keeps = [~(1 << each.flag) if each.facts.sets in CHANGES_A_FLAG else -1 for each in code]
    asked = [0] * len(code)
    changed = True
    while changed:
        changed = False
        for row in range(len(code) - 1, -1, -1):
            flags = asks[row]
            for other in after[row]:
                flags |= asked[other]
            flags &= keeps[row]
            if flags != asked[row]:
                asked[row] = flags
                changed = True
    return asked
