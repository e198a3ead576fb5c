"""The job of `capacity`: how many times its demand every arm carries while promises hold."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from zonesim.analysis import (
    Bound,
    Limit,
    Look,
    Promise,
    bound_of,
    interval,
    limit_of,
    next_multiples,
    paired,
)
from zonesim.briefing.folders import PNG, set_aside
from zonesim.briefing.tables.capacity import Carried, Used, capacity_document, capacity_rows, capacity_text
from zonesim.briefing.text.arm_names import called
from zonesim.briefing.text.documents import to_json
from zonesim.experiment import Execution, Future, run_id, setting_of
from zonesim.faults import Place
from zonesim.jobs.answers import keep_answer
from zonesim.jobs.asking import Asked, Question, head_lines, look_of, made_ready, not_multiplied, told, words_of
from zonesim.jobs.job import Job, left_out_notes, settings_words
from zonesim.jobs.trials import Trials, Tried
from zonesim.kpi import RunResult, catalogue
from zonesim.policy import Demand
from zonesim.writing import make_folder, write_table, write_text

DOCUMENT: Final = "capacity.json"
TABLE: Final = "capacity.csv"


@dataclass
class Search:
    """The search for the limits of all arms: what was looked at so far."""

    demand: Demand
    trials: Trials
    promises: tuple[Promise, ...]
    bounds: Mapping[str, Bound]
    tolerance: float
    looks: dict[str, list[Look]] = field(default_factory=dict)
    tried: dict[tuple[str, float], Tried] = field(default_factory=dict)

    def go(self) -> None:
        """Look at multiple after multiple until every limit is known to the tolerance."""
        self.looks = {arm: [] for arm in self.bounds}
        while wanted := {arm: found for arm in self.looks if (found := self._wanted(arm))}:
            futures = {
                arm: [future_of(self.demand, multiple) for multiple in multiples] for arm, multiples in wanted.items()
            }
            tries = self.trials.run(futures)
            for arm, multiples in wanted.items():
                for multiple, future in zip(multiples, futures[arm], strict=True):
                    tried = tries[arm, future.name]
                    self.tried[arm, multiple] = tried
                    self.looks[arm].append(look_of(multiple, tried, self.promises))

    def limit(self, arm: str) -> Limit:
        """Return the limit of an arm."""
        return limit_of(self.looks[arm], self.promises, self.trials.replications)

    def used(self, arm: str, multiple: float) -> Used:
        """Return what is used most, and where most wait, in the runs at the greatest multiple up to a limit."""
        run = [look.multiple for look in self.looks[arm] if not look.loaded]
        below = [each for each in run if each <= multiple] or run
        if not below:
            return Used()
        tried = self.tried[arm, max(below) if max(below) <= multiple else min(below)]
        return used_most(tried)

    def _wanted(self, arm: str) -> list[float]:
        return next_multiples(
            self.looks[arm], self.promises, self.bounds[arm], self.trials.replications, self.tolerance
        )


def capacity_job(
    question: Question, how: Execution, out: Path, language: str = "en", formats: Sequence[str] = PNG
) -> Job:
    """
    Search the largest multiple of demand that every arm carries, and write table, document and, for `formats`, a figure
    in the language to a folder.

    Promises of the command stand in place of those of the scenario. Raises Faults before anything runs, RunFault where
    a replication fails.
    """
    asked = made_ready(question, how, out, language)
    design = asked.design
    bounds = {name: bound_of(cell.plan, design.offset) for (name, _), cell in design.cells.items()}
    search = Search(asked.demand, asked.trials, asked.promises, bounds, question.tolerance)
    search.go()
    return _written(asked, search, _carried(search, question.level), formats)


def future_of(demand: Demand, multiple: float) -> Future:
    """Return the future with so many times the demand."""
    place = Place("a multiple of demand")
    edits = demand.edits(multiple) if multiple != 1 else []
    return Future(tuple(setting_of(path, by, factor=True, by=place.file, place=place) for path, by in edits))


def used_most(tried: Tried) -> Used:
    """Return the resource that is used most, and the one in front of which most wait, on average over the runs."""
    means: dict[str, list[tuple[float, str]]] = {"resource utilisation": [], "resource queue": []}
    for kpi in catalogue(tried.cell.plan):
        if kpi.definition.kind in means and kpi.definition.statistic in {"value", "mean"}:
            value = interval([run.values[kpi.id] for run in tried.runs]).value
            if not math.isnan(value):
                means[kpi.definition.kind].append((value, kpi.subject))
    (share, busiest), (tokens, longest) = (max(own, default=(math.nan, "")) for own in means.values())
    return Used(busiest, share, longest, tokens)


def _carried(search: Search, level: float) -> list[Carried]:
    """Return what every arm carries, beside the first one."""
    found: list[Carried] = []
    for arm, bound in search.bounds.items():
        limit = search.limit(arm)
        difference, ratio = None, None
        if found and not any(each.below or each.above for each in (limit, found[0].limit)):
            base = found[0].limit.multiples
            difference = paired(base.tolist(), limit.multiples.tolist(), level)
            ratio = interval((limit.multiples / base).tolist(), level)
        used = search.used(arm, float(limit.multiples.mean()))
        looks = tuple(sorted(search.looks[arm], key=lambda look: look.multiple))
        found.append(Carried(arm, limit, limit.mean(level), difference, ratio, bound, used, looks))
    return found


def _written(asked: Asked, search: Search, carried: Sequence[Carried], formats: Sequence[str]) -> Job:
    """Write what was found into the folder of the run, and return it for people."""
    question, design = asked.question, asked.design
    run = run_id(design)
    left_out = left_out_notes(asked.world) if question.names is None else []
    notes = [*design.notes(), *left_out, *not_multiplied(asked.demand)]
    make_folder(asked.folder)
    notes += set_aside(asked.folder, DOCUMENT, run)
    document = {
        **told(asked),
        "tolerance": question.tolerance,
        **capacity_document(carried, asked.promises, question.level),
    }
    head, rows = capacity_rows(carried, run)
    table, kept = asked.folder / TABLE, asked.folder / DOCUMENT
    drawn = _figure(asked, search, carried, formats) if formats else []
    document["files"] = [TABLE, *(path.name for path in drawn)]
    write_table(table, head, rows)
    write_text(kept, to_json(document) + "\n")
    _keep(asked, search, carried)
    say = words_of(asked)
    lines = [*head_lines(asked, "capacity.title"), *capacity_text(say, carried, asked.promises, called(design, say))]
    return Job(document, "\n".join([*lines, "", *map(str, (table, kept, *drawn))]), notes)


def _keep(asked: Asked, search: Search, carried: Sequence[Carried]) -> None:
    """Keep the briefing on what was found."""
    from zonesim.briefing.brief.answers import capacity_briefing  # noqa: PLC0415  matplotlib is slow to import

    keep_answer(
        asked.folder,
        asked.design,
        _runs(search),
        asked.question.replications,
        _command(asked.question),
        lambda frame: capacity_briefing(frame, carried, asked.promises),
    )


def _runs(search: Search) -> dict[str, Sequence[RunResult]]:
    """Return by arm runs that captions count."""
    return {arm: tried.runs for (arm, _), tried in search.tried.items() if tried.runs}


def _command(question: Question) -> list[str]:
    """Return the words of the command that asks the same."""
    words = ["capacity", str(question.file)]
    words += ["--measures", ",".join(question.names)] if question.names is not None else []
    words += [word for text in question.promises for word in ("--promise", text)]
    words += [*settings_words(question.settings), "--replications", str(question.replications), "--seed"]
    return [
        *words,
        str(question.seed),
        "--tolerance",
        f"{100 * question.tolerance:g}",
        "--level",
        f"{100 * question.level:g}",
    ]


def _figure(asked: Asked, search: Search, carried: Sequence[Carried], formats: Sequence[str]) -> list[Path]:
    """Draw what was found in the language that was asked for; return the files."""
    from zonesim.briefing.figures.capacity import capacity_figure  # noqa: PLC0415  matplotlib is slow to import
    from zonesim.jobs.drawing import drawn  # noqa: PLC0415

    return drawn(
        asked.design,
        _runs(search),
        words_of(asked),
        asked.folder,
        lambda context: {"capacity": capacity_figure(context, carried, asked.promises)},
        formats=formats,
    )
