"""The jobs of `run` and `compare`, from file to printed table: run the arms, compare them, write results."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from rich.table import Table

from zonesim.analysis import Comparison, Effect, compare, curve, points, replications_needed
from zonesim.briefing.folders import results_folder
from zonesim.briefing.tables.files import write_results
from zonesim.briefing.tables.printing import printed
from zonesim.briefing.text.documents import to_json
from zonesim.briefing.text.values import (
    TAG_WORDS,
    WITHHELD,
    figure_text,
    level_text,
    reason_text,
    run_document,
    told_run,
    withheld_fields,
)
from zonesim.experiment import SHARED, USUAL_LEVEL, Design, Execution, Results, Store, plain_design, slug
from zonesim.jobs.job import (
    INTERRUPTED,
    SOME_FAILED,
    Job,
    anything_finished,
    run_design,
    stopped_note,
    warnings_of,
    write_found,
)
from zonesim.kpi import Kpi, RunResult
from zonesim.policy import Arm, arm_named, arms_for, count_kinds, flows_in_use, open_world, register
from zonesim.writing import write_table, write_text

PRECISE: Final = 0.05
"""Half the width of an interval, as a share of the mean, that is precise enough for most questions."""


def run_job(
    file: Path,
    names: Sequence[str] | None,
    settings: Sequence[str],
    replications: int,
    seed: int,
    how: Execution,
    out: Path,
    *,
    only: bool,
    warm_up: bool = False,
    level: float = USUAL_LEVEL,
) -> Job:
    """
    Run a scenario and write its results to a folder of this run in `out`, beside the cells, which are found again.

    `only`: one arm (the measures in `names` together, none: the baseline); else a comparison of the baseline with
    the measures in `names`, each and together (None: all of the library together). `warm_up`: also say, with `only`,
    whether the warm-up is long enough. `level`: confidence level of the intervals. Raises Faults; where no replication
    was finished the job has the exit code of what failed.
    """
    world = open_world(file, settings)
    option = f"--measures {','.join(names or ())}"
    arms = [arm_named(world, names[0] if names else "")] if only else arms_for(world, names, option)
    design = plain_design(
        file,
        world,
        arms,
        settings,
        seed=seed,
        replications=replications,
        level=level,
        kind="run" if only else "compare",
        asked=_asked(arms, names, only=only),
    )
    folder = results_folder(out, design)
    store = Store.below(out, SHARED)
    runs = run_design(design, how, store)
    if runs.interrupted:
        document: dict[str, Any] = {"scenario": design.name, "interrupted": True}
        return Job(document, "", [*store.notes, stopped_note(design, runs, store)], INTERRUPTED)
    failures = [
        f"{arm}, replication {failure.replication}: {failure.message}"
        for (arm, _), failed in runs.failures.items()
        for failure in failed
    ]
    warnings = warnings_of(design)
    notes = [*design.notes(), *warnings, *store.notes, *failures]
    if not anything_finished(design, runs):
        code = max((failure.exit_code for failed in runs.failures.values() for failure in failed), default=3)
        return Job({"scenario": str(file), "failures": failures}, "no replication was finished", notes, code)
    found, moved = write_found(design, runs, folder, store)
    notes += moved
    (future,) = found.futures
    complete = found.common(future)
    results = {name: found.runs(name, future) for name in design.options}
    comparison = _compare(found, results, future)
    document = _document(design, found, comparison, results, failures, only=only)
    document["warnings"] = warnings
    said = _warm_up(design, document, len(complete)) if warm_up else []
    job = Job(document, "", notes, SOME_FAILED if failures else 0)
    written = _write(folder, design, found, comparison, document)
    if not only:
        numbers = register(design.world, flows_in_use(design.world))
        written += write_results(folder, found, list(points(found, list(found.kpis))), numbers, table=False)
        written += _figures(folder, design, found, results, comparison)
    job.text = "\n".join(
        [
            _table(design, found, comparison, document),
            _closing(design, comparison),
            *said,
            "",
            *map(str, written),
        ]
    )
    return job


def _asked(arms: Sequence[Arm], names: Sequence[str] | None, *, only: bool) -> list[str]:
    """Return the arms as words of a folder's name, none for the usual ones: the baseline, or all measures together."""
    if only:
        return [slug(arms[0].name)] if arms[0].measures else []
    return [slug("-".join(["measures", *names]))] if names is not None else []


def _warm_up(design: Design, document: dict[str, Any], replications: int) -> list[str]:
    """Return what is to be said of the warm-up, and put it into the document."""
    from zonesim.briefing.text.warm_up import warm_up_document, warm_up_text, warm_ups  # noqa: PLC0415  seldom needed

    (cell,) = design.cells.values()
    found = warm_ups(cell.plan, design.seed, replications)
    document["warm_up"] = warm_up_document(cell.plan, found)
    return ["", warm_up_text(cell.plan, found, replications)]


def _compare(found: Results, results: dict[str, list[RunResult]], future: str) -> Comparison:
    return compare(
        results,
        list(found.kpis),
        bounds=[kpi.id for kpi in found.kpis.values() if kpi.bound],
        inputs={name: found.cells[name, future].inputs for name in found.arms},
        unstable={name: found.cells[name, future].unstable for name in found.arms},
        level=found.level,
        overruled={name: found.cells[name, future].overruled for name in found.arms},
    )


# --- documents


def _document(
    design: Design,
    found: Results,
    comparison: Comparison,
    results: dict[str, list[RunResult]],
    failures: list[str],
    *,
    only: bool,
) -> dict[str, Any]:
    document: dict[str, Any] = {
        "run": run_document(found),
        "scenario": found.scenario,
        "baseline": comparison.baseline,
        "level": comparison.level,
        "arms": {
            arm: {
                kpi: {
                    "value": each.value,
                    "low": each.low,
                    "high": each.high,
                    "n": each.n,
                    "needed": None
                    if each.reason
                    else replications_needed(
                        [run.values.get(kpi, math.nan) for run in results[arm]], PRECISE, comparison.level
                    ),
                    **withheld_fields(each),
                }
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
        arm: {name: [each.value for each in curve(runs, name)] for name in runs[0].curves}
        for arm, runs in results.items()
    }
    document["failures"] = failures
    document["provenance"] = _provenance(design, found, len(results[design.baseline]))
    return document


def _provenance(design: Design, found: Results, n: int) -> dict[str, Any]:
    """Return what is needed to remake the numbers."""
    (future,) = found.futures
    cells = {name: design.cells[name, future] for name in design.options}
    return {
        **found.provenance,
        "resolved_sha256": {name: cell.tree for name, cell in cells.items()},
        "plan_sha256": {name: cell.plan.identity for name, cell in cells.items()},
        "seed": found.seed,
        "replications": found.replications,
        "replications_complete": n,
    }


def _write(
    folder: Path, design: Design, found: Results, comparison: Comparison, document: dict[str, Any]
) -> list[Path]:
    """Write the CSV and the JSON; return their paths."""
    table, text = folder / f"{design.kind}.csv", folder / f"{design.kind}.json"
    told = [found.run, found.seed, found.replications, "; ".join(found.settings)]
    effects = {(effect.arm, effect.kpi): effect for effect in comparison.effects}
    others = [name for name in design.options if name != comparison.baseline]
    head = ["kpi", "label_en", "label_zh", "unit", "headline", comparison.baseline, "low", "high", "n", *WITHHELD]
    for name in others:
        head += [name, f"{name} difference", f"{name} low", f"{name} high", f"{name} n", f"{name} tag"]
    head += ["run", "seed", "replications", "settings"]
    rows = []
    for kpi in design.kpis:
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
            *withheld_fields(base).values(),
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
        rows.append([*row, *told])
    write_table(table, head, rows)
    write_text(text, to_json(document) + "\n")
    return [table, text]


def _figures(
    folder: Path, design: Design, found: Results, results: dict[str, list[RunResult]], comparison: Comparison
) -> list[Path]:
    from zonesim.briefing.figures.comparison import FigureContext, draw_all  # noqa: PLC0415  matplotlib is slow to import

    context = FigureContext(
        design.resolved, results, comparison, design.kpis, design.seed, run=found.run, settings=found.settings
    )
    return draw_all(folder, context)


# --- for people


def _table(design: Design, found: Results, comparison: Comparison, document: dict[str, Any]) -> str:
    others = [name for name in design.options if name != comparison.baseline]
    scenario = design.resolved[design.baseline].scenario
    n = document["provenance"]["replications_complete"]
    title = (
        f"{scenario.label.get('en', scenario.name)}: {n} replications, seed {design.seed},"
        f" {level_text(design.level)} % intervals\n{told_run(found)}"
    )
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
    if not others:
        table.add_column(f"n for ±{100 * PRECISE:g} %", justify="right")
    table.add_column("tag")
    needed = {kpi: told["needed"] for kpi, told in document["arms"][comparison.baseline].items()}
    effects = {(effect.arm, effect.kpi): effect for effect in comparison.effects}
    for kpi in design.kpis:
        if kpi.headline:
            table.add_row(*_row(kpi, comparison, others, effects, needed[kpi.id]))
    return printed(table)


def _count(needed: int | None) -> str:
    """Return a number of replications, `-` for none."""
    return "-" if needed is None else f"{needed:,}"


def _row(
    kpi: Kpi,
    comparison: Comparison,
    others: list[str],
    effects: dict[tuple[str, str], Effect],
    needed: int | None,
) -> list[str]:
    percent = kpi.unit == "share"
    base = comparison.arms[comparison.baseline][kpi.id]
    cells = [
        f"{kpi.subject} {kpi.definition.en}",
        kpi.definition.zh,
        "%" if percent else kpi.unit,
        figure_text(base.value, percent=percent),
    ]
    if not others:
        cells += [figure_text(base.low, percent=percent), figure_text(base.high, percent=percent)]
    tags = []
    for name in others:
        effect = effects[name, kpi.id]
        change = effect.difference
        cells += [figure_text(comparison.arms[name][kpi.id].value, percent=percent)]
        cells += [figure_text(value, percent=percent) for value in (change.value, change.low, change.high)]
        tags.append(effect.tag if effect.tag != "missing" else reason_text(comparison.arms[name][kpi.id]))
    cells.append(str(base.n))
    if not others:
        cells.append(_count(needed))
        tags.append(reason_text(base))
    return [*cells, " | ".join(tags) if any(tags) else ""]


def _closing(design: Design, comparison: Comparison) -> str:
    numbers = count_kinds(register(design.world, flows_in_use(design.world)))
    lines = [
        "",
        f"Numbers behind this: {numbers['found']} found, {numbers['derived']} derived, {numbers['assumed']} assumed.",
    ]
    shown = [kpi.id for kpi in design.kpis if kpi.headline]
    tags = {effect.tag for effect in comparison.effects if effect.kpi in shown}
    tags |= {column[kpi].reason for column in comparison.arms.values() for kpi in shown}
    if comparison.effects:
        reduction = comparison.variance_reduction(shown)
        if not math.isnan(reduction):
            lines.append(
                f"Common random numbers: the variance of a difference is {reduction:.1f} times smaller (median)."
            )
    else:
        lines.append(
            f"n for ±{100 * PRECISE:g} %: so many replications bring the interval to ±{100 * PRECISE:g} % of the mean,"
            " judged by the spread of these."
        )
    lines += [text for tag, text in TAG_WORDS.items() if tag in tags and tag != "bound"]
    return "\n".join(lines)
