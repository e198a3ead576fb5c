"""
Do the tests see a fault in the compiled engine? Plant one after the other, and look.

    python tools/planted_faults.py [NAME …] [--plans 200] [--both]

Each fault is one change in a copy of a module of `zonesim/engine/kernel/`, of the kind that a slip makes: in one of its
functions an expression, or some statements, give way to others. The place is found in the syntax tree, whatever the
text looks like. In the copy random models are compared with the reference, half of them with next to no room; what they
do not see the hand-made timelines are to see (with `--both` they are asked in any case). A fault that neither sees is
missed, and the exit status is 1. It is 2 if what a fault changes is gone from the kernel: then the table below is to be
brought up to date. Each fault takes about a minute, for the kernel is compiled anew.
"""

from __future__ import annotations

import argparse
import ast
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
KERNEL: Final = Path("zonesim") / "engine" / "kernel"
COPIED: Final = ("zonesim", "tests", "pyproject.toml")
GONE: Final = 2


@dataclass(frozen=True)
class Fault:
    """
    A fault by name: the `module` and `function` of the kernel in which the code `right` stands once (function "": at
    the top of the module), and what is written in its place. Both are one expression, or statements.
    """

    name: str
    module: str
    function: str
    right: str
    wrong: str


FAULTS: Final = (
    Fault(
        "an arrival comes before a delay end",
        "layout",
        "",
        "DELAY_END: Final = wide(1)\nARRIVAL: Final = wide(2)",
        "DELAY_END: Final = wide(2)\nARRIVAL: Final = wide(1)",
    ),
    Fault(
        "a batch ends before patience",
        "layout",
        "",
        "PATIENCE: Final = wide(3)\nBATCH_DUE: Final = wide(4)",
        "PATIENCE: Final = wide(4)\nBATCH_DUE: Final = wide(3)",
    ),
    Fault(
        "a release of several units gives back one", "queues", "release", "state.used -= need.units", "state.used -= 1"
    ),
    Fault(
        "a delay that ends at closing has not ended",
        "calendars",
        "end_of",
        "rest <= span.closes - span.opens",
        "rest < span.closes - span.opens",
    ),
    Fault(
        "the least important is served first",
        "queues",
        "serve",
        "range(s.priorities)",
        "range(s.priorities - 1, -1, -1)",
    ),
    Fault(
        "a row is lost when a block is full",
        "loop",
        "run",
        "s.current = slot",
        "s.current = slot\ns.visits -= reason == FULL and s.visits > 0",
    ),
    Fault("a loop draws the same again", "tokens", "loop_again", "token.loop_count += 1", "token.loop_count += 0"),
    Fault(
        "children forget the loops of their parent",
        "tokens",
        "split",
        "new.loop_count = token.loop_count",
        "new.loop_count = 0",
    ),
    Fault(
        "a newcomer overtakes those who wait",
        "queues",
        "_are_free",
        "state.waiting != 0 or need.units > state.capacity - state.used",
        "need.units > state.capacity - state.used",
    ),
    Fault("the shortage of those passed over is ignored", "queues", "serve", "max(units, passed_over)", "units"),
    Fault(
        "patience that was met is not over",
        "queues",
        "grant",
        "token.deadline = -1\ns.stale += 1",
        "s.stale += 1",
    ),
    Fault(
        "each capacity change is served before the next",
        "breakdowns",
        "open_and_close",
        "s.changes_made += 1",
        "s.changes_made += 1\nbreak",
    ),
    Fault(
        "whose unit was granted first is interrupted",
        "preemption",
        "_victim",
        "work.granted > latest",
        "work.granted < latest",
    ),
    Fault("work that ends now is interrupted", "preemption", "_victim", "work.end > s.now", "work.end >= 0"),
    Fault(
        "who is interrupted stands behind the others of its priority",
        "preemption",
        "",
        "from zonesim.engine.kernel.queues import grant, leave_queues, note_peak, prepend, seize, serve_apart",
        "from zonesim.engine.kernel.queues import append as prepend\n"
        "from zonesim.engine.kernel.queues import grant, leave_queues, note_peak, seize, serve_apart",
    ),
    Fault(
        "to go on with a unit is no grant",
        "queues",
        "serve",
        "row.interruptible != 0",
        "row.interruptible != 0 and token.state != INTERRUPTED",
    ),
    Fault(
        "an end that was scheduled before an interruption counts",
        "preemption",
        "work_ends",
        "tokens.works[at(slot)].end != s.now",
        "tokens.works[at(slot)].end < 0",
    ),
    Fault(
        "a clock of use counts while work pauses",
        "breakdowns",
        "start_or_stop",
        "state.scheduled > 0 or state.pauses == 0",
        "state.scheduled >= 0",
    ),
    Fault(
        "a unit whose time is up waits for the ready",
        "loop",
        "run",
        "s.ready_first != 0 and s.next_change > s.now",
        "s.ready_first != 0",
    ),
    Fault(
        "who gives up goes on behind those it lets pass",
        "loop",
        "_give_up",
        "ready(s, tokens, slot)\n"
        "for each in range(row.seize_needs):\n"
        "    resource = flow.needs[at(row.seize_first_need + each)].resource\n"
        "    if resources.states[at(resource)].waiting > 0:\n"
        "        serve_apart(s, flow, tokens, resources, resource)\n"
        "    if row.interruptible != 0:\n"
        "        carry_on(s, flow, tokens, resources, hours, events, output, resource)\n"
        "    elif s.resume_first != 0:\n"
        "        resume_all(s, flow, tokens, resources, hours, events, output)",
        "for each in range(row.seize_needs):\n"
        "    resource = flow.needs[at(row.seize_first_need + each)].resource\n"
        "    if resources.states[at(resource)].waiting > 0:\n"
        "        serve_apart(s, flow, tokens, resources, resource)\n"
        "    if row.interruptible != 0:\n"
        "        carry_on(s, flow, tokens, resources, hours, events, output, resource)\n"
        "ready(s, tokens, slot)",
    ),
    Fault(
        "work that would end at closing does not fit",
        "queues",
        "in_time",
        "fall.time >= end",
        "fall.time > end",
    ),
    Fault(
        "who arrives at the end of the window is measured",
        "arrivals",
        "come",
        "source.before_end += s.now < s.end",
        "source.before_end += s.now <= s.end",
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


def source_of(fault: Fault) -> str:
    """Return the module that a fault changes, as it is."""
    return (ROOT / KERNEL / f"{fault.module}.py").read_text(encoding="utf-8")


def planted(source: str, fault: Fault) -> str:
    """Return a module with a fault in it; raises LookupError unless the place is there exactly once."""
    module = ast.parse(source)
    scope: ast.AST = module
    if fault.function:
        named = (node for node in module.body if isinstance(node, ast.FunctionDef) and node.name == fault.function)
        scope = next(named, ast.Module([], []))
    right, wrong = ast.parse(fault.right).body, ast.parse(fault.wrong).body
    one = [part[0].value for part in (right, wrong) if len(part) == 1 and isinstance(part[0], ast.Expr)]
    found = _expression(scope, *one) if len(one) == len((right, wrong)) else _statements(scope, right, wrong)
    if found != 1:
        where = f"{KERNEL / fault.module}.py {fault.function}"
        raise LookupError(f"{fault.name}: its place is {found} times in {where}\n    {fault.right!r}")
    return ast.unparse(module)


def _expression(scope: ast.AST, right: ast.expr, wrong: ast.expr) -> int:
    """Put an expression in the place of another one; return how often that was there."""
    before = ast.dump(right)
    found = 0
    for node in list(ast.walk(scope)):
        for name, value in ast.iter_fields(node):
            if isinstance(value, list):
                places = [
                    at for at, each in enumerate(value) if isinstance(each, ast.expr) and ast.dump(each) == before
                ]
                found += len(places)
                for at in places:
                    value[at] = wrong
            elif isinstance(value, ast.expr) and ast.dump(value) == before:
                found += 1
                setattr(node, name, wrong)
    return found


def _statements(scope: ast.AST, right: list[ast.stmt], wrong: list[ast.stmt]) -> int:
    """Put statements in the place of others that stand behind each other; return how often those were there."""
    before = [ast.dump(each) for each in right]
    found = 0
    for node in list(ast.walk(scope)):
        for _, body in ast.iter_fields(node):
            if not isinstance(body, list):
                continue
            dumped = [ast.dump(each) for each in body if isinstance(each, ast.stmt)]
            places = [at for at in range(len(dumped)) if dumped[at : at + len(before)] == before]
            found += len(places)
            for at in reversed(places):
                body[at : at + len(before)] = wrong
    return found


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
        if fault is not None:
            changed = planted(source_of(fault), fault)
            (folder / KERNEL / f"{fault.module}.py").write_text(changed, encoding="utf-8")
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
    try:
        for fault in chosen:
            planted(source_of(fault), fault)
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
