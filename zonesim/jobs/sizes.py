"""The job of `capacity --size`: the smallest numbers of units that hold the promises at a multiple of demand."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from zonesim.analysis import WORK, Interval, Sizes, Sizing, Verdict, broken_at, interval
from zonesim.briefing.folders import set_aside
from zonesim.briefing.tables.sizes import Sized, sizes_document, sizes_rows, sizes_text
from zonesim.briefing.text.arm_names import called
from zonesim.briefing.text.documents import to_json
from zonesim.experiment import Execution, Future, run_id, setting_of, slug
from zonesim.faults import Faults, Place, ScenarioFault, UnknownName, suggest
from zonesim.jobs.asking import Asked, Question, head_lines, look_of, made_ready, not_multiplied, told, words_of
from zonesim.jobs.capacity import future_of
from zonesim.jobs.job import Job, left_out_notes
from zonesim.jobs.trials import Tried
from zonesim.plan import UNLIMITED, Plan, loads
from zonesim.scenario.fields import mode_of
from zonesim.scenario.staffing import most_on_duty, with_most
from zonesim.writing import make_folder, write_table, write_text

DOCUMENT: Final = "sizes.json"
TABLE: Final = "sizes.csv"

ALL: Final = "all"
"""Stands for every resource that somebody may wait for."""


def sizes_job(
    question: Question, names: Sequence[str], growth: float, how: Execution, out: Path, language: str = "en"
) -> Job:
    """
    Search, for every arm, the smallest numbers of units of some resources that hold the promises at `growth` times the
    demand, and write them to a folder. `names`: of resources, with or without their zone, or `all`.

    The size of units by the hour is the largest number on duty; the other hours keep their proportion to it. Raises
    Faults before anything runs: no such resource; RunFault where a replication fails.
    """
    words = [slug(f"size-{'-'.join(names)}-x{growth:g}")]
    more = [f"size {name}" for name in names] + [f"growth {growth:g}"]
    asked = made_ready(question, how, out, language, words=words, more=more)
    found = []
    for arm in asked.trials.arms:
        (future,) = asked.design.futures
        now = _sized(asked, asked.design.cells[arm, future.name].plan, names)
        found.append(_Search(asked, arm, growth, now).go())
    return _written(asked, growth, found)


class _Search:
    """The search for the sizes of one arm."""

    def __init__(self, asked: Asked, arm: str, growth: float, now: Sizes) -> None:
        self.asked, self.arm, self.now = asked, arm, now
        self.grown = future_of(asked.demand, growth)
        self.held: dict[tuple[int, ...], Tried] = {}
        self.count = 0

    def go(self) -> Sized:
        """Return the smallest sizes, or why there are none."""
        search = Sizing(self._floor(), self._look)
        search.go()
        values: dict[str, Interval] = {}
        if search.found is not None:
            look = look_of(1.0, self.held[tuple(search.found.values())], self.asked.promises)
            values = {name: interval(own.tolist(), self.asked.question.level) for name, own in look.values.items()}
        return Sized(self.arm, self.now, dict(search.floor), search.found, search.stuck, values, self.count)

    def _floor(self) -> Sizes:
        """Return the least units with which no load is 1 or more, by the traffic equations at the grown demand."""
        design = self.asked.trials.design(self.arm, [self._future(self.now)])
        (cell,) = design.cells.values()
        found = dict.fromkeys(self.now, 1)
        for load in loads(cell.plan, design.offset):
            name = str(cell.plan.names.resources[load.resource])
            least = load.must if load.is_known else min(load.must, load.low)  # what else must be goes with the others
            if name in found and math.isfinite(least):
                found[name] = max(1, math.floor(least * self.now[name] + 1e-9) + 1)
        return found

    def _future(self, sizes: Sizes) -> Future:
        """Return the future with the grown demand and some sizes."""
        place = Place("--size")
        units = [
            setting_of(f"zones.{name}.units", self._units(name, count), factor=False, by="--size", place=place)
            for name, count in sizes.items()
        ]
        return Future((*self.grown.settings, *units))

    def _units(self, name: str, count: int) -> Any:  # noqa: ANN401
        return with_most(_as_written(self.asked, name), count)

    def _look(self, sizes: Sizes) -> Verdict:
        """Return what becomes of some sizes: what is broken, and what binds."""
        future = self._future(sizes)
        tried = self.asked.trials.run({self.arm: [future]})[self.arm, future.name]
        check_units(self.arm, tried.cell.plan, sizes)
        self.held[tuple(sizes.values())] = tried
        self.count += 1
        if tried.loaded:
            return Verdict((WORK,), tuple(name for name in tried.loaded if name in sizes))
        look = look_of(1.0, tried, self.asked.promises)
        return Verdict(broken_at(look, self.asked.promises, self.asked.question.level), tuple(_binding(tried, sizes)))


def check_units(arm: str, plan: Plan, sizes: Sizes) -> None:
    """Raise ScenarioFault where the plan of an arm has other units than were asked for: its measures say how many."""
    for row, resource in enumerate(plan.names.resources):
        if sizes.get(str(resource), plan.most_units(row)) != plan.most_units(row):
            fault = f"arm '{arm}' sets the units of {resource} itself"
            raise ScenarioFault(fault, Place("--size"), "Leave it out of --size, or name other measures.")


def _binding(tried: Tried, sizes: Sizes) -> list[str]:
    """Return the resources that are sized, that in front of which most wait first."""
    means: dict[str, tuple[float, float]] = {}
    for name in sizes:
        values = [
            [run.values.get(f"{name}.{what}", 0.0) for run in tried.runs] for what in ("queue.mean", "utilisation")
        ]
        queue, used = (sum(own) / len(own) for own in values)
        means[name] = (queue, used)
    return sorted(sizes, key=lambda name: means[name], reverse=True)


def _sized(asked: Asked, plan: Plan, names: Sequence[str]) -> Sizes:
    """
    Return the units as they are of the resources that are named, by zone and name; raises Faults: no such resource, one
    of which nobody has to wait for.
    """
    there = {str(resource): row for row, resource in enumerate(plan.names.resources)}
    limited = {name for name, row in there.items() if plan.most_units(row) < UNLIMITED}
    known = sorted({*limited, *(name.partition(".")[2] for name in limited), ALL})
    found: Sizes = {}
    faults: list[ScenarioFault] = []
    for written in names:
        meant = [name for name in there if written in {name, name.partition(".")[2], ALL} and name in limited]
        if not meant:
            remedy = suggest(written, known, "resources")
            faults.append(UnknownName(f"no limited resource '{written}'", Place(f"--size {written}"), remedy))
        found |= {name: most_on_duty(_as_written(asked, name)) for name in meant}
    if faults:
        raise Faults(faults)
    return found


def _as_written(asked: Asked, name: str) -> Any:  # noqa: ANN401
    """Return the units of a resource as the scenario has them, where there is doubt those that runs use."""
    zone, _, own = name.partition(".")
    return mode_of(asked.world.tree["zones"][zone][own]["units"])


def _written(asked: Asked, growth: float, found: Sequence[Sized]) -> Job:
    """Write what was found into the folder of the run, and return it for people."""
    run = run_id(asked.design)
    left_out = left_out_notes(asked.world) if asked.question.names is None else []
    notes = [*asked.design.notes(), *left_out, *not_multiplied(asked.demand)]
    make_folder(asked.folder)
    notes += set_aside(asked.folder, DOCUMENT, run)
    document = {**told(asked), "growth": growth, **sizes_document(found, asked.promises), "files": [TABLE]}
    head, rows = sizes_rows(found, growth, run)
    table, kept = asked.folder / TABLE, asked.folder / DOCUMENT
    write_table(table, head, rows)
    write_text(kept, to_json(document) + "\n")
    lines = head_lines(asked, "sizes.title", growth=f"{growth:g}")
    lines += sizes_text(words_of(asked), found, asked.promises, called(asked.design, words_of(asked)))
    return Job(document, "\n".join([*lines, "", str(table), str(kept)]), notes)
