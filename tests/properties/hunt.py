"""
Hunts for a plan on which two engines differ, and makes it small.

    python -m tests.properties.hunt --plans 1000 --seed 0 --engine compiled --against simpy

Model number n of a hunt from seed s is `model_of(s + n)`. On a difference the model is cut down, part by part, as
long as the engines still differ; what is left is printed with the first row that differs, and the exit status is 1.
"""

from __future__ import annotations

import argparse
import copy
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from tests.helper import ENGINES
from tests.properties.agreement import cramped, difference, outcome
from tests.properties.plans import Model, model_of
from zonesim.engine import Engine
from zonesim.faults import Faults

Differs = Callable[[Model], str]

REPLICATIONS = 2


def say(text: str) -> None:
    """Print a line at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def differs(
    model: Model,
    one: str | Engine,
    other: str | Engine,
    replications: int = REPLICATIONS,
    counted: Counter[str] | None = None,
) -> str:
    """
    Return in what two engines differ on a model, "" when in nothing; a crash of the second is a difference.

    Runs, faults and rows are added to `counted`.
    """
    for replication in range(replications):
        first = outcome(model.plan, one, 1, replication)
        if counted is not None:
            counted["faults" if first.fault else "runs"] += 1
            counted["rows"] += len(first.visits) + len(first.marks)
        try:
            second = outcome(model.plan, other, 1, replication)
        except Exception:  # noqa: BLE001  whatever an engine under test may raise
            return f"crash:\n{traceback.format_exc(limit=-3)}"
        if found := difference(model.plan, first, second):
            return f"replication {replication}: {found}"
    return ""


def smaller(model: Model) -> Iterator[Model]:
    """Yield models with one part less, large parts first."""
    for number in range(len(model.measures)):
        texts, chosen = list(model.measures), list(model.chosen)
        del texts[number], chosen[number]
        yield replace(model, measures=tuple(texts), chosen=tuple(chosen))
    for change in model.changes:
        yield replace(model, changes=tuple(each for each in model.changes if each != change))
    for path in sorted(_paths(model.tree), key=lambda path: (len(path), path)):
        tree = copy.deepcopy(model.tree)
        node = tree
        for part in path[:-1]:
            node = node[part]
        value = node[path[-1]]
        if path[-1] in {"take", "longest", "within", "after"} and isinstance(value, dict):
            node[path[-1]] = "5 min"
            yield replace(model, tree=copy.deepcopy(tree))
        if path[-1] == "at" and len(value) > 3:
            for half in (value[: len(value) // 2], value[len(value) // 2 :]):
                node[path[-1]] = half
                yield replace(model, tree=copy.deepcopy(tree))
        del node[path[-1]]
        yield replace(model, tree=tree)


def _paths(node: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    pairs = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, value in pairs:
        yield (*path, key)
        yield from _paths(value, (*path, key))


def shrunk(model: Model, still_differs: Differs, seconds: float = 120.0) -> Model:
    """Return a smaller model of which `still_differs` says the same kind of difference."""
    kind = _kind(still_differs(model))
    end = time.perf_counter() + seconds
    progress = True
    while progress and time.perf_counter() < end:
        progress = False
        for candidate in smaller(model):
            if time.perf_counter() > end:
                break
            try:
                found = still_differs(candidate)
            except Faults:
                continue
            if found and _kind(found) == kind:
                model, progress = candidate, True
                break
    return model


def _kind(found: str) -> str:
    """Return the first word of a difference: what kind it is."""
    return found.partition(": ")[2].partition(",")[0].partition(":")[0] if found.startswith("replication") else "crash"


def hunt(plans: int, seed: int, one: str, other: str | Engine, after: str = "shrink") -> int:
    """Run models and report; return how many differ. `after` a difference: `shrink` it, `stop`, or `go on`."""
    counted: Counter[str] = Counter()
    wrong = []
    name = other if isinstance(other, str) else "cramped"
    begun = time.perf_counter()
    for number in range(seed, seed + plans):
        model = model_of(number)
        found = differs(model, one, other, counted=counted)
        if found:
            wrong.append(number)
            say(f"model {number} differs: {found.splitlines()[0]}")
            if after == "stop":
                break
            if after == "shrink":
                small = shrunk(model, lambda each: differs(each, one, other))
                say(f"\nThe smallest model found (from number {number}):\n\n{small}")
                say(f"\n{one} is one, {name} is the other; {differs(small, one, other)}")
                break
        if (number - seed) % 200 == 199:
            say(f"  {number - seed + 1} models, {dict(counted)}, {len(wrong)} differ")
    seconds = time.perf_counter() - begun
    say(f"{one} against {name}: {dict(counted)}, {len(wrong)} differ {wrong[:20]}, {seconds:.0f} s")
    return len(wrong)


def main() -> int:
    """Read the command line and hunt."""
    parser = argparse.ArgumentParser(description="Hunt for a plan on which two engines differ.")
    parser.add_argument("--plans", type=int, default=200, help="how many models")
    parser.add_argument("--seed", type=int, default=0, help="number of the first model")
    parser.add_argument("--engine", default=min(ENGINES), choices=sorted(ENGINES), help="the engine under test")
    parser.add_argument("--against", default="simpy", choices=sorted(ENGINES), help="the engine it has to equal")
    parser.add_argument("--cramped", action="store_true", help="give the compiled engine next to no room")
    parser.add_argument("--first", action="store_true", help="stop at the first that differs, and do not shrink it")
    parser.add_argument("--keep-going", action="store_true", help="count all differing models and shrink none")
    given = parser.parse_args()
    engine = cramped if given.cramped else given.engine
    after = "go on" if given.keep_going else "stop" if given.first else "shrink"
    return int(hunt(given.plans, given.seed, given.against, engine, after) > 0)


if __name__ == "__main__":
    sys.exit(main())
