"""The jobs of `sweep` and `plan`: run an experiment's missing cells, write its tables, say what was found."""

from __future__ import annotations

import math
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from rich.table import Table

from zonesim.analysis import Point, Range, Spread, factors, points, spreads, stabilities
from zonesim.briefing.tables.control import control_document, control_told, write_control
from zonesim.briefing.tables.files import by_replication_document, write_by_replication, write_results
from zonesim.briefing.tables.futures import stability_document, stability_text, write_futures, write_stability
from zonesim.briefing.tables.main_effects import main_effects_document, main_effects_text, write_main_effects
from zonesim.briefing.tables.multiplicity import together_cells, together_lines
from zonesim.briefing.tables.printing import printed
from zonesim.briefing.text.arm_names import ArmHeads, arm_lines, arms_of, heads_of
from zonesim.briefing.text.values import (
    TAG_WORDS,
    figure_text,
    level_text,
    reason_text,
    run_document,
    told_run,
    withheld_fields,
)
from zonesim.experiment import (
    AS_WRITTEN,
    SHARED,
    USUAL_LEVEL,
    Design,
    Execution,
    Results,
    Store,
    read_design,
    remaining,
    rough_size,
    rough_time,
)
from zonesim.jobs.job import Found, Job, run_and_report, warnings_of
from zonesim.policy import flows_in_use, register

_TOGETHER: Final = ("diff_low_together", "diff_high_together")

MOST_ROWS: Final = 100
"""So many arms, and so many futures, are listed, and so many rows of a KPI's table are printed."""

MOST_WARNED: Final = 200
"""Plans of more arms in futures than these are told without the warnings of their loads, which `sweep` prints."""


def sweep_job(
    file: Path,
    settings: Sequence[str],
    replications: int | None,
    seed: int | None,
    how: Execution,
    out: Path,
    level: float = USUAL_LEVEL,
    *,
    by_replication: bool = False,
) -> Job:
    """
    Run the cells of an experiment that `out` does not have, and write `study.json`, `results.csv` and `results.xlsx` to
    the folder of this run there; `by_replication`: also every KPI of every replication.

    Raises Faults before anything runs, or the worst fault's exit code in the job when no replication was finished.
    """
    design = read_design(file, settings, seed=seed, replications=replications, level=level, how=how)
    return run_and_report(design, how, out, lambda found: _report(found, by_replication=by_replication))


def _report(found: Found, *, by_replication: bool) -> Job:
    """Write what an experiment found and return it for people."""
    design, results = found.design, found.results
    told = list(points(results, results.reported()))
    numbers = register(design.world, flows_in_use(design.world))
    control, heads = control_told(results), heads_of(design)
    written = [found.folder / "study.json", *write_results(found.folder, results, told, numbers, heads=heads)]
    written += write_control(found.folder, results, control)
    document = {**_document(results, told, found.failures), "warnings": found.warnings}
    document["control"] = control_document(control)
    if by_replication:
        document["by_replication"] = by_replication_document(results, results.reported())
        written.append(write_by_replication(found.folder, results, results.reported()))
    parts = [sweep_text(results, told, arm_lines(arms_of(design), design.world), heads), ""]
    if design.layout is not None:
        effects = list(factors(results, design.layout, results.reported()))
        document["main_effects"] = main_effects_document(results, design.layout, effects)
        written.append(write_main_effects(found.folder, results, effects))
        parts += [main_effects_text(results, design.layout, effects), ""]
    signs = list(stabilities(told, [name for name, number in _sample(results).items() if number], results.level))
    if len(results.futures) > 1:
        written.append(write_futures(found.folder, results))
    if signs:
        document["stability"] = stability_document(signs)
        written.append(write_stability(found.folder, results, signs))
        parts += [stability_text(results, signs, heads), ""]
    text = "\n".join([*parts, *map(str, written)])
    return Job(document, text)


def _document(results: Results, found: Sequence[Point], failures: Sequence[str]) -> dict[str, Any]:
    """Return what --json prints."""
    return {
        "run": run_document(results),
        "experiment": results.name,
        "scenario": results.scenario,
        "baseline": results.baseline,
        "arms": {
            arm.name: {"measures": list(arm.measures), "edits": {path: text for path, text, _ in arm.edits}}
            for arm in results.arms.values()
        },
        "futures": {
            future.name: {path: text for path, text, _ in future.settings} for future in results.futures.values()
        },
        "results": [
            {
                "arm": point.arm,
                "future": point.future,
                "kpi": point.kpi,
                "value": point.interval.value,
                "low": point.interval.low,
                "high": point.interval.high,
                "n": point.interval.n,
                **withheld_fields(point.interval),
                "difference": point.difference.value if point.difference else None,
                "diff_low": point.difference.low if point.difference else None,
                "diff_high": point.difference.high if point.difference else None,
                **dict(zip(_TOGETHER, together_cells(point.difference), strict=True)),
                "better": results.kpis[point.kpi].better,
                "change": point.difference.change(results.kpis[point.kpi].better) if point.difference else "",
                "tag": point.tag,
            }
            for point in found
        ],
        "sample": [
            {
                "arm": each.arm,
                "kpi": each.kpi,
                **_band_fields(each.value, ""),
                **(_band_fields(each.difference, "diff_") if each.difference else {}),
            }
            for each in spreads(found, _sample(results))
        ],
        "failures": list(failures),
        "provenance": {**results.provenance, "seed": results.seed, "replications": results.replications},
    }


def _sample(results: Results) -> dict[str, int]:
    """Return the numbers of the futures of a sample, by name; 0 for others."""
    return {name: each.sample for name, each in results.futures.items()}


def _band_fields(found: Range, prefix: str) -> dict[str, Any]:
    return {
        f"{prefix}median": found.median,
        f"{prefix}p5": found.low,
        f"{prefix}p95": found.high,
        f"{prefix}futures": found.n,
    }


# --- for people


def sweep_text(results: Results, found: Sequence[Point], arms: Sequence[str], heads: ArmHeads) -> str:
    """
    Return `arms`, which say what arms are, and one table a KPI: futures and arms down, value and difference across; of
    a sample of doubts only the range.
    """
    label = results.label.get("en", results.name)
    parts = [
        f"{label}: {len(results.arms)} arms × {_counted(len(results.futures), 'future')} ×"
        f" {_counted(results.replications, 'replication')}, seed {results.seed},"
        f" {level_text(results.level)} % intervals, differences to {heads.line(results.baseline)}",
        told_run(results),
        *arms,
    ]
    sample = _sample(results)
    ranges = spreads(found, sample)
    for kpi in results.reported():
        info = results.kpis[kpi]
        unit = "%" if info.unit == "share" else info.unit
        table = Table(title=f"\n{info.en} | {info.zh} [{unit}]", title_justify="left", box=None, pad_edge=False)
        several = sum(not number for number in sample.values()) > 1
        if several:
            table.add_column("future")
        for title in _arm_titles(results, heads):
            table.add_column(title)
        for title in ("value", "low", "high", "difference", "low", "high", "n"):
            table.add_column(title, justify="right")
        table.add_column("tag")
        before = ""
        own = [each for each in found if each.kpi == kpi and not sample[each.future]]
        for point in own[:MOST_ROWS]:
            values = [point.interval.value, point.interval.low, point.interval.high]
            change = point.difference
            values += [change.value, change.low, change.high] if change else [math.nan] * 3
            cells = [figure_text(value, percent=info.unit == "share") for value in values]
            if change is None:
                cells[3:] = ["", "", ""]
            future = [point.future if point.future != before else ""] if several else []
            before = point.future
            table.add_row(*future, *_arm_cells(results, heads, point.arm), *cells, str(point.interval.n), _tag(point))
        parts.append(printed(table))
        if len(own) > MOST_ROWS:
            parts.append(f"and {len(own) - MOST_ROWS:,} more rows in results.csv")
        if any(sample.values()):
            parts.append(_ranges(results, ranges, kpi, max(sample.values()), heads))
    tags = {point.tag for point in found if not sample[point.future]}
    legend = [text for tag, text in TAG_WORDS.items() if tag in tags]
    if legend:
        parts += ["", *legend]
    several = len(results.futures) > 1
    if lines := together_lines(
        (" ".join([heads.line(each.arm), each.kpi, *([each.future] if several else [])]), each.difference)
        for each in found
        if each.difference is not None and not sample[each.future]
    ):
        parts += ["", *lines]
    return "\n".join(parts)


def _arm_titles(results: Results, heads: ArmHeads) -> list[str]:
    """Return the titles of the columns that name arms: one in Chinese too where it says anything else."""
    return ["arm", *(["方案"] if heads.column(results.arms) else [])]


def _arm_cells(results: Results, heads: ArmHeads, arm: str) -> list[str]:
    """Return what such columns say of an arm."""
    return list(heads.both(arm)[: len(_arm_titles(results, heads))])


def _ranges(results: Results, found: Sequence[Spread], kpi: str, count: int, heads: ArmHeads) -> str:
    """Return the ranges of a KPI over a sample as a table."""
    title = f"over {count} futures that are drawn | {count} 个抽样情景"
    table = Table(title=title, title_justify="left", box=None, pad_edge=False)
    percent = results.kpis[kpi].unit == "share"
    for head in _arm_titles(results, heads):
        table.add_column(head)
    for head in ("median", "P5", "P95", "difference", "P5", "P95", "futures"):
        table.add_column(head, justify="right")
    for each in (spread for spread in found if spread.kpi == kpi):
        change = each.difference
        own = [each.value.median, each.value.low, each.value.high]
        others = [change.median, change.low, change.high] if change else []
        told = [figure_text(value, percent=percent) for value in (*own, *others)]
        table.add_row(*_arm_cells(results, heads, each.arm), *told, *([""] * (6 - len(told))), str(each.value.n))
    return printed(table)


def _tag(point: Point) -> str:
    return reason_text(point.interval) if point.tag == "missing" else point.tag


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


# --- plan


def plan_job(
    file: Path, settings: Sequence[str], replications: int | None, seed: int | None, workers: int, out: Path
) -> Job:
    """Return what `sweep` would run, what is done already, and how long the rest will take; runs only a pilot."""
    design = read_design(file, settings, seed=seed, replications=replications, how=Execution(workers))
    store = Store.below(out, SHARED) if (out / SHARED).is_dir() else None
    ahead = remaining(design, store, workers, thorough=True)
    document = {
        "experiment": design.name,
        "arms": {name: [each.measure for each in option.arm.measures] for name, option in design.options.items()},
        "futures": [future.name for future in design.futures],
        "kpis": list(design.reported),
        "replications": design.replications,
        "seed": design.seed,
        "plans": ahead.plans,
        "runs": ahead.runs,
        "runs_done": ahead.done,
        "cells": ahead.cells,
        "cells_done": ahead.cells_done,
        "bytes": ahead.disk,
        "bytes_done": ahead.disk_done,
        "workers": workers,
        "processor_seconds": ahead.work,
        "seconds": ahead.seconds,
    }
    warnings = warnings_of(design) if len(design.cells) <= MOST_WARNED else []
    if (free := _free_bytes(out)) < ahead.disk:
        warnings = [*warnings, f"warning: {rough_size(free)} are free for {out}, and the runs take more"]
    document["warnings"] = warnings
    notes = [*design.notes(), *warnings, *(store.notes if store is not None else [])]
    return Job(document, _plan_text(design, document), notes)


def _free_bytes(folder: Path) -> float:
    """Return how many bytes are free where a folder is, or will be."""
    there = next((each for each in (folder, *folder.absolute().parents) if each.is_dir()), None)
    return shutil.disk_usage(there).free if there is not None else math.inf


def _replications(design: Design) -> str:
    rule = design.precision
    if rule is None:
        return _counted(design.replications, "replication")
    of = "the baseline's value" if rule.of == "baseline" else "the difference"
    return f"{rule.at_least} to {rule.at_most} replications, until {100 * rule.until:.12g} % of {of}"


def _plan_text(design: Design, document: dict[str, Any]) -> str:
    arms = Table(box=None, pad_edge=False)
    for title in ("arm", "measures", "own changes"):
        arms.add_column(title)
    for name, option in list(design.options.items())[:MOST_ROWS]:
        told = [each.measure + (f" ({each.limits()})" if each.limits() else "") for each in option.arm.measures]
        edits = ", ".join(edit.told for edit in option.edits)
        arms.add_row(f"{name} (baseline)" if name == design.baseline else name, ", ".join(told) or "-", edits or "-")
    combinations = len(design.cells)
    shared = combinations - document["plans"]
    drawn = sum(each.sample > 0 for each in design.futures)
    written = len(design.futures) - drawn
    equal = f" ({shared} of {combinations} arms are equal to others)" if shared else ""
    runs = f"{'at most ' if design.precision is not None else ''}{document['runs']} runs{equal}"
    lines = [
        f"{design.label.get('en', design.name)}: {_counted(len(design.options), 'arm')} ×"
        f" {_counted(len(design.futures), 'future')} × {_replications(design)},"
        f" seed {design.seed}",
        "",
        printed(arms),
        *([f"and {len(design.options) - MOST_ROWS} more arms"] if len(design.options) > MOST_ROWS else []),
        "",
        "futures:",
        *(
            f"  {each.name}"
            for each in [each for each in design.futures if not each.sample][:MOST_ROWS]
            if each.name != AS_WRITTEN or len(design.futures) > 1
        ),
        *([f"  and {written - MOST_ROWS} more"] if written > MOST_ROWS else []),
        *([f"  {_counted(drawn, 'future')} that are drawn"] if drawn else []),
        *(["  the scenario as written"] if [each.name for each in design.futures] == [AS_WRITTEN] else []),
        "",
        f"reported: {', '.join(design.reported)}",
        "",
        f"{runs}, {document['runs_done']} of them done ({_counted(document['cells_done'], 'cell')},"
        f" {rough_size(document['bytes_done'])})"
        if document["runs_done"]
        else f"{runs}, none of them done",
        f"left: {_counted(document['cells'], 'cell')}, about {rough_time(document['seconds'])} with"
        f" {_counted(document['workers'], 'worker')}, about {rough_size(document['bytes'])} on the disk"
        if document["runs_done"] < document["runs"]
        else "nothing is left to run",
    ]
    return "\n".join(lines)
