"""The command: `python -m bench [--quick] [--only NAMES] [--write]`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from bench import page, targets
from bench.bench import Bench
from bench.programs import C_LOG, PEERS
from bench.sections import SECTIONS
from zonesim.engine import ENGINES


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    command = argparse.ArgumentParser(
        prog="python -m bench",
        description="Agreement, speed, memory and start of zonesim beside other programs, measured in one run.",
        epilog="Exit code 1: a program's answers disagree with the reference. Sections: "
        f"{', '.join(SECTIONS)}. Programs: {', '.join(each.name for each in (*PEERS, C_LOG))}.",
    )
    command.add_argument("--quick", action="store_true", help="small runs: about a minute, and noisy")
    command.add_argument("--only", default="", metavar="NAMES", help="sections and programs, e.g. agreement,simpy,c")
    command.add_argument("--write", action="store_true", help="renew docs/performance.md; only with all sections")
    return command


def main(words: Sequence[str] | None = None) -> int:
    """Run a bench; return the exit code."""
    command = parser()
    asked = command.parse_args(words)
    names = [name.strip() for name in asked.only.split(",") if name.strip()]
    sections = [name for name in names if name in SECTIONS] or list(SECTIONS)
    bench = Bench(asked.quick, _engines(), [name for name in names if name not in SECTIONS])
    known = {program.name for program in (*PEERS, C_LOG)} | {f"zonesim-{engine}" for engine in ENGINES}
    if wrong := [name for name in bench.only if name not in known]:
        command.error(f"no section or program: {', '.join(wrong)}")
    if asked.write and names:
        command.error("--write needs the whole bench, without --only")
    tables = []
    for name in sections:
        tables.append(SECTIONS[name](bench))
        print(tables[-1].plain(), flush=True)
    print(targets.table(bench.facts, bench.engine).plain())
    for label in bench.absent:
        print(f"not on this machine: {label}")
    if asked.write:
        print(page.write(bench, tables))
    for line in bench.disagreements:
        print(f"DISAGREES: {line}", file=sys.stderr)
    return 1 if bench.disagreements else 0


def _engines() -> list[str]:
    """Return zonesim's engines that run every plan, the reference engine first."""
    return sorted(set(ENGINES) - {"recursion"}, key=lambda name: name != "simpy")


if __name__ == "__main__":
    sys.exit(main())
