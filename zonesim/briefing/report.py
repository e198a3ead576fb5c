"""Jobs of the command line from file to printed table: run the arms, compare them, write results."""

from __future__ import annotations

import csv
import hashlib
import math
import os
import platform
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from zonesim import __version__
from zonesim.analysis import Comparison, Effect, compare, echoes, growing, interval
from zonesim.briefing.documents import to_json
from zonesim.briefing.inspection import arm_named, open_world, printed
from zonesim.experiment import Runs, run_arms
from zonesim.faults import Place, ScenarioFault
from zonesim.kpi import Kpi, RunResult, catalogue
from zonesim.plan import Plan, compile_plan, monday_offset
from zonesim.plan.plan import MEANING
from zonesim.policy import Arm, ResolvedArm, World, arms_for, count_kinds, flows_in_use, register, resolve

INTERRUPTED = 130
SOME_FAILED = 1


@dataclass
class Job:
    """What the command line prints: the document for --json, the text for people, notes for stderr, the exit code."""

    document: dict[str, Any]
    text: str
    notes: list[str] = field(default_factory=list)
    exit_code: int = 0


@dataclass(frozen=True)
class Study:
    """Everything that a comparison is made of."""

    file: Path
    world: World
    arms: dict[str, ResolvedArm]
    plans: dict[str, Plan]
    settings: tuple[str, ...]
    seed: int
    replications: int
    offset: int

    @property
    def baseline(self) -> str:
        """Return the name of the first arm."""
        return next(iter(self.arms))

    def kpis(self) -> list[Kpi]:
        """Return the KPIs of all arms, each once."""
        found = {kpi.id: kpi for plan in self.plans.values() for kpi in catalogue(plan)}
        return list(found.values())


def prepare(
    file: Path, arms: Sequence[Arm] | None, world: World, settings: Sequence[str], seed: int, count: int
) -> Study:
    """Return the study of a scenario; raises Faults."""
    chosen = list(arms) if arms is not None else arms_for(world)
    resolved = {arm.name: resolve(world, arm) for arm in chosen}
    plans = {name: compile_plan(arm) for name, arm in resolved.items()}
    offset = monday_offset(next(iter(resolved.values())).scenario.clock.start)
    return Study(file, world, resolved, plans, tuple(settings), seed, count, offset)


def run_job(
    file: Path,
    names: Sequence[str] | None,
    settings: Sequence[str],
    replications: int,
    seed: int,
    workers: int,
    out: Path,
    *,
    only: bool,
) -> Job:
    """
    Run a scenario and write its results to `out`/<name>.

    `only`: one arm (the measures in `names` together, none: the baseline); else a comparison of the baseline with
    the measures in
    `names`, each and together (None: all of the library together). Raises Faults, or the fault of the runs when
    none finished.
    """
    world = open_world(file, settings)
    arms = [arm_named(world, names[0] if names else "")] if only else arms_for(world, names)
    study = prepare(file, arms, world, settings, seed, replications)
    folder = _folder(out, study.arms[study.baseline].scenario.name)
    runs = _run(study, workers)
    complete = runs.complete()
    notes = [
        f"{arm}, replication {failure.replication}: {failure.message}"
        for arm, failed in runs.failures.items()
        for failure in failed
    ]
    code = INTERRUPTED if runs.interrupted else SOME_FAILED if notes else 0
    if not complete:
        codes = [failure.exit_code for failed in runs.failures.values() for failure in failed]
        code = INTERRUPTED if runs.interrupted else max(codes, default=3)
        return Job({"scenario": str(file), "failures": notes}, "no replication was finished", notes, code)
    results = {name: [runs.results[name][replication] for replication in complete] for name in study.arms}
    comparison = _compare(study, results)
    job = Job(_document(study, comparison, results, notes, only=only), "", notes, code)
    written = _write(folder, "run" if only else "compare", study, comparison, job.document)
    if not only:
        written += _figures(folder, study, results, comparison)
    job.text = "\n".join(
        [_table(study, comparison, len(complete)), _closing(study, comparison), "", *map(str, written)]
    )
    if runs.interrupted:
        job.notes.append(f"stopped after {len(complete)} of {replications} replications; what was finished is kept")
    return job


def _folder(out: Path, name: str) -> Path:
    """Return the results folder of a scenario, made; raises ScenarioFault when it cannot be written."""
    folder = out / name
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ScenarioFault(
            f"cannot write results: {error.strerror}", Place(str(folder)), "Choose another folder with --out."
        ) from None
    if not os.access(folder, os.W_OK):
        raise ScenarioFault("cannot write results there", Place(str(folder)), "Choose another folder with --out.")
    return folder


def _run(study: Study, workers: int) -> Runs:
    """Run all cells, with a progress bar on a terminal."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not sys.stderr.isatty()) as progress:
        task = progress.add_task(f"{' | '.join(study.arms)}", total=None)
        return run_arms(
            study.plans,
            seed=study.seed,
            replications=study.replications,
            workers=workers,
            offset=study.offset,
            progress=lambda done, total: progress.update(task, completed=done, total=total),
        )


def _compare(study: Study, results: dict[str, list[RunResult]]) -> Comparison:
    kpis = study.kpis()
    base = study.plans[study.baseline]
    return compare(
        results,
        [kpi.id for kpi in kpis],
        bounds=[kpi.id for kpi in kpis if kpi.definition.what == "load"],
        inputs={name: echoes(base, study.plans[name], arm.changes) for name, arm in study.arms.items()},
        growing={name: growing(plan, study.offset, kpis) for name, plan in study.plans.items()},
    )


# --- documents


def _document(
    study: Study,
    comparison: Comparison,
    results: dict[str, list[RunResult]],
    failures: list[str],
    *,
    only: bool,
) -> dict[str, Any]:
    document: dict[str, Any] = {
        "scenario": study.arms[study.baseline].scenario.name,
        "baseline": comparison.baseline,
        "arms": {
            arm: {
                kpi: {"value": each.value, "low": each.low, "high": each.high, "n": each.n}
                for kpi, each in column.items()
            }
            for arm, column in comparison.arms.items()
        },
    }
    if not only:
        document["effects"] = [
            {
                "arm": effect.arm,
                "kpi": effect.kpi,
                "difference": effect.difference.value,
                "low": effect.difference.low,
                "high": effect.difference.high,
                "n": effect.difference.n,
                "tag": effect.tag,
                "variance_reduction": effect.difference.variance_reduction,
            }
            for effect in comparison.effects
        ]
    document["curves"] = {
        arm: {
            name: [interval([run.curves[name][hour] for run in runs]).value for hour in range(24)]
            for name in runs[0].curves
        }
        for arm, runs in results.items()
    }
    document["failures"] = failures
    document["provenance"] = _provenance(study, len(results[study.baseline]))
    return document


def _provenance(study: Study, n: int) -> dict[str, Any]:
    """Return what is needed to remake the numbers."""
    return {
        "zonesim": __version__,
        "meaning": MEANING,
        "file": str(study.file),
        "resolved_sha256": {
            name: hashlib.sha256(to_json(arm.world.tree).encode()).hexdigest() for name, arm in study.arms.items()
        },
        "plan_sha256": {name: plan.identity for name, plan in study.plans.items()},
        "settings": list(study.settings),
        "seed": study.seed,
        "replications": study.replications,
        "replications_complete": n,
        "engine": "simpy",
        "adoption": {name: arm.shares for name, arm in study.arms.items()},
        "changes": {
            name: [
                {"path": change.dotted, "old": change.old, "new": change.new, "by": change.by, "at": str(change.place)}
                for change in arm.changes
            ]
            for name, arm in study.arms.items()
        },
        "numbers": count_kinds(register(study.world, flows_in_use(study.world))),
        "python": platform.python_version(),
        "packages": {name: version(name) for name in ("numpy", "numba", "scipy", "simpy")},
    }


def _write(folder: Path, stem: str, study: Study, comparison: Comparison, document: dict[str, Any]) -> list[Path]:
    """Write the CSV and the JSON; return their paths."""
    table, text = folder / f"{stem}.csv", folder / f"{stem}.json"
    effects = {(effect.arm, effect.kpi): effect for effect in comparison.effects}
    others = [name for name in study.arms if name != comparison.baseline]
    head = ["kpi", "label_en", "label_zh", "unit", "headline", comparison.baseline, "low", "high", "n"]
    for name in others:
        head += [name, f"{name} difference", f"{name} low", f"{name} high", f"{name} n", f"{name} tag"]
    with table.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(head)
        for kpi in study.kpis():
            base = comparison.arms[comparison.baseline][kpi.id]
            row: list[Any] = [
                kpi.id,
                kpi.en,
                kpi.zh,
                kpi.unit,
                int(kpi.headline),
                base.value,
                base.low,
                base.high,
                base.n,
            ]
            for name in others:
                effect = effects[name, kpi.id]
                change = effect.difference
                row += [
                    comparison.arms[name][kpi.id].value,
                    change.value,
                    change.low,
                    change.high,
                    change.n,
                    effect.tag,
                ]
            writer.writerow(["" if isinstance(cell, float) and math.isnan(cell) else cell for cell in row])
    text.write_text(to_json(document) + "\n", encoding="utf-8")
    return [table, text]


def _figures(folder: Path, study: Study, results: dict[str, list[RunResult]], comparison: Comparison) -> list[Path]:
    from zonesim.briefing.figures import FigureContext, draw_all  # noqa: PLC0415  matplotlib is slow to import

    return draw_all(folder, FigureContext(study.arms, results, comparison, study.kpis(), study.seed))


# --- for people


def _table(study: Study, comparison: Comparison, n: int) -> str:
    others = [name for name in study.arms if name != comparison.baseline]
    scenario = study.arms[study.baseline].scenario
    title = f"{scenario.label.get('en', scenario.name)}: {n} replications, seed {study.seed}, 95 % intervals"
    table = Table(title=title, title_justify="left", box=None, pad_edge=False)
    table.add_column("KPI")
    table.add_column("指标")
    table.add_column("unit")
    table.add_column(comparison.baseline, justify="right")
    if not others:
        for title in ("low", "high"):
            table.add_column(title, justify="right")
    for name in others:
        for title in (name, "difference", "low", "high"):
            table.add_column(title, justify="right")
    table.add_column("n", justify="right")
    if others:
        table.add_column("tag")
    effects = {(effect.arm, effect.kpi): effect for effect in comparison.effects}
    for kpi in study.kpis():
        if kpi.headline:
            table.add_row(*_row(kpi, comparison, others, effects))
    return printed(table)


def _row(kpi: Kpi, comparison: Comparison, others: list[str], effects: dict[tuple[str, str], Effect]) -> list[str]:
    percent = kpi.unit == "share"
    base = comparison.arms[comparison.baseline][kpi.id]
    cells = [
        f"{kpi.subject} {kpi.definition.en}",
        kpi.definition.zh,
        "%" if percent else kpi.unit,
        _number(base.value, percent),
    ]
    if not others:
        cells += [_number(base.low, percent), _number(base.high, percent)]
    tags = []
    for name in others:
        effect = effects[name, kpi.id]
        change = effect.difference
        cells += [_number(comparison.arms[name][kpi.id].value, percent)]
        cells += [_number(value, percent) for value in (change.value, change.low, change.high)]
        tags.append(effect.tag)
    cells.append(str(base.n))
    if others:
        cells.append(" | ".join(tags) if any(tags) else "")
    return cells


def _number(value: float, percent: bool) -> str:  # noqa: FBT001
    if math.isnan(value):
        return "-"
    shown = 100 * value if percent else value
    digits = 3 if abs(shown) < 1 else 2 if abs(shown) < 100 else 1  # noqa: PLR2004
    text = f"{shown:.{digits}f}"
    return "0" if float(text) == 0 else text


def _closing(study: Study, comparison: Comparison) -> str:
    numbers = count_kinds(register(study.world, flows_in_use(study.world)))
    lines = [
        "",
        f"Numbers behind this: {numbers['found']} found, {numbers['derived']} derived, {numbers['assumed']} assumed.",
    ]
    if comparison.effects:
        reduction = comparison.variance_reduction([kpi.id for kpi in study.kpis() if kpi.headline])
        if not math.isnan(reduction):
            lines.append(
                f"Common random numbers: the variance of a difference is {reduction:.1f} times smaller (median)."
            )
        tags = {effect.tag for effect in comparison.effects if effect.tag}
        words = {
            "input": "input: only echoes an edited value",
            "not material": "not material: below 1 % of the baseline",
            "grows": "grows: depends on run length, an arm is not stable",
            "bound": "bound: from the traffic equations",
        }
        lines += [text for tag, text in words.items() if tag in tags and tag != "bound"]
    return "\n".join(lines)
