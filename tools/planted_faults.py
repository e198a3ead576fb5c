"""
Do the tests see a fault in the compiled engine? Plant one after the other, and look.

    python tools/planted_faults.py [NAME …] [--plans 200] [--both]

Each fault is one change of a few words in a copy of `zonesim/engine/kernel.py`, of the kind that a slip makes. In the
copy random models are compared with the reference, half of them with next to no room; what they do not see the
hand-made timelines are to see (with `--both` they are asked in any case). A fault that neither sees is missed, and the
exit status is 1. It is 2 if the words that a fault changes are gone from the kernel: then the table below is to be
brought up to date. Each fault takes about a minute, for the kernel is compiled anew.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
KERNEL: Final = Path("zonesim") / "engine" / "kernel.py"
COPIED: Final = ("zonesim", "tests", "pyproject.toml")
GONE: Final = 2


@dataclass(frozen=True)
class Fault:
    """A fault by name: what stands in the kernel once, and what is written in its place."""

    name: str
    right: str
    wrong: str


FAULTS: Final = (
    Fault(
        "an arrival comes before a hold end",
        "DELAY_END_RANK: Final = 1\nARRIVAL_RANK: Final = 2",
        "DELAY_END_RANK: Final = 2\nARRIVAL_RANK: Final = 1",
    ),
    Fault(
        "a batch ends before patience",
        "PATIENCE_RANK: Final = 3\nBATCH_RANK: Final = 4",
        "PATIENCE_RANK: Final = 4\nBATCH_RANK: Final = 3",
    ),
    Fault(
        "a release of several units gives back one",
        "pools[here + USED] -= world[need + _ONE]",
        "pools[here + USED] -= 1",
    ),
    Fault(
        "a hold that ends at closing has not ended",
        "return world[span] + rest if rest <= world",
        "return world[span] + rest if rest < world",
    ),
    Fault(
        "the least important is served first",
        "for level in range(state[LEVELS]):\n        node",
        "for level in range(state[LEVELS] - 1, -1, -1):\n        node",
    ),
    Fault(
        "a row is lost when a block is full",
        "state[VISITS], state[MARKS] = visit, mark",
        "state[VISITS], state[MARKS] = visit - (reason == FULL and visit > 0), mark",
    ),
    Fault("a loop draws the same again", "tokens[token + PASSES] += 1", "tokens[token + PASSES] += 0"),
    Fault(
        "children forget the passes of their parent",
        "tokens[new + PASSES] = tokens[token + PASSES]",
        "tokens[new + PASSES] = 0",
    ),
    Fault(
        "a newcomer overtakes those who wait",
        "pools[here + WAITING] != 0 or world[need",
        "world[need",
    ),
    Fault(
        "the shortage of those passed over is ignored",
        "max(units, passed_over) > pools",
        "units > pools",
    ),
    Fault(
        "patience that was met is not over",
        "tokens[token + DEADLINE] = -1\n        state[STALE] += 1",
        "state[STALE] += 1",
    ),
    Fault(
        "each capacity change is served before the next",
        "change += 1\n    state[CHANGE]",
        "change += 1\n        break\n    state[CHANGE]",
    ),
    Fault(
        "whose unit was granted first is interrupted",
        "importance == least and granted > latest",
        "importance == least and granted < latest",
    ),
    Fault("work that ends now is interrupted", "tokens[work + WORK_END] > state[NOW]", "tokens[work + WORK_END] >= 0"),
    Fault(
        "who is interrupted stands behind the others of its level",
        "_prepend(state, lines, tokens, pools, pool, tokens",
        "_append(state, lines, tokens, pools, pool, tokens",
    ),
    Fault(
        "to go on with a unit is no grant",
        "if program[row + INTERRUPTS] != 0:\n                    _has_unit(",
        "if program[row + INTERRUPTS] != 0 and tokens[token + STATE] != INTERRUPTED:\n                    _has_unit(",
    ),
    Fault(
        "an end that was keyed before an interruption counts",
        "or tokens[token + _u(state[AT_WORK]) + WORK_END] != state[NOW]:",
        "or tokens[token + _u(state[AT_WORK]) + WORK_END] < 0:",
    ),
    Fault(
        "a clock of use counts while work pauses",
        "(pools[here + SCHEDULED] > 0 or pools[here + PAUSES] == 0)",
        "pools[here + SCHEDULED] >= 0",
    ),
    Fault(
        "a unit whose time is up waits for the ready",
        "if slot != 0 and state[NEXT_CHANGE] > now:",
        "if slot != 0:",
    ),
    Fault(
        "who gives up goes on behind those it lets pass",
        "                    _ready(state, tokens, slot)\n                    for each in range(program[row + B]):\n"
        "                        pool = world[_u(in_needs + 2 * (program[row + A] + each))]\n"
        "                        if pools[(_u(pool) << POOL_BITS) + WAITING] > 0:\n"
        "                            _serve(state, program, world, tokens, pools, lines, pool)\n",
        "                    for each in range(program[row + B]):\n"
        "                        pool = world[_u(in_needs + 2 * (program[row + A] + each))]\n"
        "                        if pools[(_u(pool) << POOL_BITS) + WAITING] > 0:\n"
        "                            _serve(state, program, world, tokens, pools, lines, pool)\n"
        "                    _ready(state, tokens, slot)\n",
    ),
    Fault(
        "work that would end at closing does not fit",
        "> world[_u(state[IN_CLOSINGS] + closing)]\n        ):",
        ">= world[_u(state[IN_CLOSINGS] + closing)]\n        ):",
    ),
    Fault(
        "who arrives at the end of the window is measured",
        "sources[row + BEFORE_END] += now < state[END]",
        "sources[row + BEFORE_END] += now <= state[END]",
    ),
)


@dataclass(frozen=True)
class Verdict:
    """What saw a fault: a timeline and a random model, each "" for none."""

    timeline: str
    model: str

    @property
    def caught(self) -> bool:
        """Return whether anything saw it."""
        return bool(self.timeline or self.model)


def planted(source: str, fault: Fault) -> str:
    """Return the kernel with a fault in it; raises LookupError unless the place is there exactly once."""
    found = source.count(fault.right)
    if found != 1:
        raise LookupError(f"{fault.name}: its place is {found} times in {KERNEL}\n    {fault.right!r}")
    return source.replace(fault.right, fault.wrong)


def look(fault: Fault | None, plans: int, *, both: bool = False) -> Verdict:
    """Run random models on a copy with a fault (None: as it is), and timelines if these see nothing or `both`."""
    with tempfile.TemporaryDirectory(prefix="planted-") as name:
        folder = Path(name)
        for part in COPIED:
            whole = ROOT / part
            if whole.is_dir():
                ignored = shutil.ignore_patterns("__pycache__", "cases")
                shutil.copytree(whole, folder / part, ignore=ignored)
            else:
                shutil.copy(whole, folder / part)
        kernel = folder / KERNEL
        if fault is not None:
            kernel.write_text(planted(kernel.read_text(encoding="utf-8"), fault), encoding="utf-8")
        model = _model(folder, plans)
        return Verdict(_timeline(folder) if both or not model else "", model)


def _run(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "PYTHONPATH": str(folder), "NUMBA_CACHE_DIR": str(folder / "cache")}
    return subprocess.run(  # noqa: S603  our own command
        [sys.executable, *words], cwd=folder, env=env, capture_output=True, text=True, check=False
    )


def _timeline(folder: Path) -> str:
    """Return the first timeline that fails, "" when none does."""
    words = ("-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "-k", "compiled", "tests/timelines")
    done = _run(folder, *words)
    if done.returncode == 0:
        return ""
    failed = re.search(r"^(?:FAILED|ERROR) tests/timelines/(\S+)", done.stdout, re.MULTILINE)
    return failed[1] if failed else f"exit status {done.returncode}"


def _model(folder: Path, plans: int) -> str:
    """Return the first random model that differs, "" when none does; half of the models have next to no room."""
    for words in ((), ("--cramped",)):
        done = _run(
            folder, "-m", "tests.properties.hunt", "--plans", str(plans // 2), "--engine", "compiled", "--first", *words
        )
        if done.returncode:
            found = re.search(r"^model (\d+) differs", done.stdout, re.MULTILINE)
            return f"model {found[1]}{' cramped' if words else ''}" if found else f"exit status {done.returncode}"
    return ""


def main() -> int:
    """Plant the faults that are asked for, and tell what saw them."""
    parser = argparse.ArgumentParser(description="Plant faults in the compiled engine and see whether tests find them.")
    parser.add_argument("names", nargs="*", help="faults to plant, by a part of their name; without: all")
    parser.add_argument("--plans", type=int, default=200, help="random models for each")
    parser.add_argument("--both", action="store_true", help="run the timelines also where a random model has seen it")
    given = parser.parse_args()
    chosen = [each for each in FAULTS if not given.names or any(name in each.name for name in given.names)]
    source = (ROOT / KERNEL).read_text(encoding="utf-8")
    try:
        for fault in chosen:
            planted(source, fault)
    except LookupError as gone:
        print(gone)
        return GONE
    missed = 0
    for fault in chosen:
        begun = time.perf_counter()
        verdict = look(fault, given.plans, both=given.both)
        missed += not verdict.caught
        word = "caught" if verdict.caught else "MISSED"
        by = ", ".join(part for part in (verdict.timeline, verdict.model) if part)
        print(f"{word}  {fault.name}: {by or 'nothing'} ({time.perf_counter() - begun:.0f} s)", flush=True)
    print(f"{len(chosen) - missed} of {len(chosen)} caught")
    return int(missed > 0)


if __name__ == "__main__":
    sys.exit(main())
