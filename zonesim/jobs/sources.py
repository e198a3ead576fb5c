"""The job of `zonesim sources`: every number behind a scenario with its source, and which assumed ones decide."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from zonesim.analysis import Interval, interval
from zonesim.briefing.tables.sources import Driver, sources_csv, sources_document, sources_text
from zonesim.briefing.text.words import Words, language_named
from zonesim.experiment import SHARED, Execution, Future, Store, doubted_values, setting_of
from zonesim.faults import Place, UnknownName, suggest
from zonesim.jobs.job import Job
from zonesim.jobs.trials import Trials
from zonesim.kpi import RunResult, catalogue
from zonesim.plan import compile_plan
from zonesim.policy import (
    Arm,
    Entry,
    ResolvedArm,
    ResolvedTree,
    arm_named,
    baseline,
    can_be_scaled,
    dotted,
    edit_entries,
    flows_in_use,
    open_world,
    register,
    resolve,
)
from zonesim.scenario import Path_

DOUBT_OF_TIMES: Final = (0.5, 2.0)
"""
How many times as long an assumed time may be where nothing else is said: low, mode and high of a law are the spread
between consignments, and doubt about it is a factor on its mean.
"""


@dataclass(frozen=True)
class Asking:
    """What is asked: of which file and arm (empty: the baseline), only assumed numbers, and which KPI they decide."""

    file: Path
    settings: Sequence[str]
    arm: str = ""
    assumed: bool = False
    drives: str = ""
    replications: int = 3
    seed: int = 1


def sources_job(asking: Asking, how: Execution, out: Path, *, csv: bool, language: str = "en") -> Job:
    """
    List the numbers that an arm of a scenario uses, with kind, body, title, date and confidence of their source, and
    count them by kind.

    With `drives` also run the scenario with every doubted value at its low and high end, and every assumed time half
    and twice as long, one at a time and under the same luck; list which of them move this KPI most, of an arm with
    measures its difference to the baseline. Raises Faults, UnknownName for an arm or KPI that there is none of,
    RunFault where a run fails.
    """
    say = Words(language_named(language))
    world = open_world(asking.file, asking.settings)
    arm = arm_named(world, asking.arm)
    resolved = resolve(world, arm)
    every = _entries(resolved)
    entries = [entry for entry in every if entry.kind == "assumed"] if asking.assumed else every
    drivers = _drivers(asking, world, arm, how, out, every) if asking.drives else None
    document = sources_document(resolved.arm.name, entries, drivers, asking.drives)
    text = sources_csv(entries) if csv else sources_text(say, document)
    return Job(document, text, [])


def _entries(arm: ResolvedArm) -> list[Entry]:
    """Return the numbers of the world as the arm finds it, then those that its measures bring."""
    used = flows_in_use(arm.world)
    brought = [each for each in edit_entries(arm) if each.path[0] != "library" or each.path[1] in used]
    return [*register(arm.world, used), *brought]


def _drivers(
    asking: Asking, world: ResolvedTree, arm: Arm, how: Execution, out: Path, entries: Sequence[Entry]
) -> list[Driver]:
    """Return how the KPI moves with each doubted value, those that move it most first."""
    base = baseline(world)
    arms = {each.name: each for each in ([base, arm] if arm.measures else [base])}
    known = {kpi.id for kpi in catalogue(compile_plan(resolve(world, base)))}
    if asking.drives not in known:
        raise UnknownName(f"no KPI '{asking.drives}'", Place("--drives"), suggest(asking.drives, known, "KPIs"))
    trials = Trials(
        asking.file, world, arms, asking.settings, asking.seed, asking.replications, how, Store.below(out, SHARED)
    )
    place = Place("--drives")
    ends = {
        path: [
            Future((setting_of(dotted(path), value, factor=False, by="a doubt", place=place),), end)
            for end, value in zip(("low", "high"), values, strict=True)
        ]
        for path, values in doubted_values(world).items()
    }
    for path in _doubted_times(world, ends):
        ends[path] = [
            Future((setting_of(dotted(path), factor, factor=True, by="a doubt", place=place),), end)
            for end, factor in zip(("low", "high"), DOUBT_OF_TIMES, strict=True)
        ]
    futures = [Future(), *(future for pair in ends.values() for future in pair)]
    tried = trials.run(dict.fromkeys(arms, futures))

    def given(run: RunResult) -> float | None:
        return None if asking.drives in run.withheld else run.values.get(asking.drives)

    def told(future: Future) -> Interval:
        runs = [list(map(given, tried[name, future.name].runs)) for name in arms]
        pairs = list(zip(*runs, strict=False))  # nobody runs where a line grows
        if any(None in values for values in pairs):
            return interval([])  # a mean over the runs that finished would be of those in which least was going on
        return interval([values[-1] - values[0] if len(arms) > 1 else values[0] for values in pairs])

    middle = told(Future())
    kinds = {entry.dotted: entry for entry in entries}
    found = []
    for path, (low, high) in ends.items():
        entry = next((kinds[name] for name in kinds if f"{name}.".startswith(f"{dotted(path)}.")), None)
        found.append(Driver(dotted(path), middle, told(low), told(high), entry.kind if entry else "assumed"))
    return sorted(found, key=lambda driver: -driver.swing)


def _doubted_times(world: ResolvedTree, known: Iterable[Path_]) -> list[Path_]:
    """Return the laws of assumed times in the flows of a world that hold no doubt of their own, each once."""
    doubted = list(known)
    found: dict[Path_, None] = {}
    for entry in register(world, flows_in_use(world)):
        if entry.kind == "assumed" and entry.path[0] in {"library", "flows"} and "take" in entry.path:
            found[entry.path[: entry.path.index("take") + 1]] = None
    return [
        path
        for path in found
        if can_be_scaled(world.tree, path) and not any(each[: len(path)] == path for each in doubted)
    ]
