"""A thousand broken files: each is refused with a fault, or runs."""

from __future__ import annotations

import random

import pytest

from tests.helper import ROOT
from zonesim.faults import ZonesimError
from zonesim.plan import compile_plan
from zonesim.policy import baseline, resolve, world_of
from zonesim.scenario import read_text

LINES = (ROOT / "scenarios" / "typical_zone.yaml").read_text(encoding="utf-8").splitlines()
WORDS = [
    "5 %",
    "3 h",
    "-1",
    "nan",
    "null",
    "[]",
    "{}",
    "true",
    "F1",
    "$zone",
    "99 km",
    "1e400",
    "'",
    "{a: b}",
    "汉字",
    "\t",
    "&x",
    "*x",
    "!!int 3",
    "- 1",
    ": :",
    "0",
]


def mutated(seed: int) -> str:
    """Return the typical zone with a few things wrong."""
    luck = random.Random(seed)
    lines = list(LINES)
    for _ in range(luck.randint(1, 3)):
        at = luck.randrange(len(lines))
        kind = luck.randrange(7)
        if kind == 0:
            del lines[at]
        elif kind == 1:
            lines.insert(at, lines[at])
        elif kind == 2:
            lines[at] = " " * luck.randint(0, 5) + lines[at].strip()
        elif kind == 3:
            parts = lines[at].split(" ")
            parts[luck.randrange(len(parts))] = luck.choice(WORDS)
            lines[at] = " ".join(parts)
        elif kind == 4:
            cut = luck.randint(0, len(lines[at]))
            lines[at] = lines[at][:cut]
        elif kind == 5:
            other = luck.randrange(len(lines))
            lines[at], lines[other] = lines[other], lines[at]
        else:
            cut = luck.randint(0, len(lines[at]))
            lines[at] = lines[at][:cut] + luck.choice("{}[]:,%#'\"$&*!|>@`\x07\u200b") + lines[at][cut:]
    return "\n".join(lines)


@pytest.mark.parametrize("block", range(10))
def test_a_broken_file_is_a_fault_or_runs(block):
    """
    Whatever is wrong, the end is a fault of ours with exit code 2, never another exception.
    """
    refused = 0
    for seed in range(100 * block, 100 * block + 100):
        try:
            world = world_of(read_text(mutated(seed), "mutated.yaml"))
            compile_plan(resolve(world, baseline(world)))
        except ZonesimError as fault:
            refused += 1
            assert fault.exit_code == 2, (seed, fault)
            assert str(fault), seed

    assert refused > 30
