"""Which flags matter from a row of a program on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from zonesim.plan.operations import BranchOn, Op, SetWhat


def flags_asked(
    program: Sequence[Sequence[int]], first: int, end: int, starts: Mapping[int, int] | None = None
) -> list[int]:
    """
    Return, for each row from `first` to `end` - 1, the flags that a token there may yet be asked for.

    `starts`: the first row of each source, whose spawned tokens are then asked too.
    """
    asked = [0] * (end - first)
    changed = True
    while changed:
        changed = False
        for row in range(end - 1, first - 1, -1):
            op, _, a, b, c, d, e, f = (*program[row], *(0,) * 7)[:8]
            after = 0 if op in (Op.LEAVE, Op.JUMP) else asked[row + 1 - first]
            if op == Op.JUMP:
                after |= asked[a - first]
            elif op == Op.BRANCH:
                after |= asked[d - first] | (1 << b if a == BranchOn.FLAG else 0)
            elif op == Op.SPLIT:
                after |= asked[c - first]
            elif op == Op.SPAWN and starts:
                after |= asked[starts[a] - first]
            elif op == Op.SEIZE and f >= 0:
                after |= asked[f - first]
            elif op == Op.GATHER and e >= 0:
                after |= asked[e - first]
            elif op == Op.SET and a in (SetWhat.RAISE_FLAG, SetWhat.LOWER_FLAG):
                after &= ~(1 << b)
            if after != asked[row - first]:
                asked[row - first] = after
                changed = True
    return asked
