"""The jobs of `run` and `compare`, from file to printed table: run the arms, compare them, write results."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from zonesim.analysis import (
    Comparison,
    Gain,
    bound_of,
    compared,
    costs_of,
    curve_means,
    gains,
    points,
    prices_of,
    replications_needed,
)
from zonesim.briefing.tables.control import control_document, control_text, control_told, write_control
from zonesim.briefing.tables.costs import cost_document, cost_text, write_costs
from zonesim.briefing.tables.files import by_replication_document, write_bounds, write_by_replication, write_results
from zonesim.briefing.tables.gains import gain_document, gain_rows, gains_text, has_groups, write_gains
from zonesim.briefing.tables.headlines import PRECISE, headline_tables
from zonesim.briefing.tables.multiplicity import together_cells, together_lines
from zonesim.briefing.tables.parts import part_cells, part_columns, write_doubts
from zonesim.briefing.tables.tokens import check_file, write_tokens
from zonesim.briefing.text.arm_names import ArmHeads, arm_lines, arms_of, heads_of
from zonesim.briefing.text.bounds import bound_document, bound_lines
from zonesim.briefing.text.documents import to_json
from zonesim.briefing.text.effect_parts import made_of
from zonesim.briefing.text.values import (
    TAG_WORDS,
    WITHHELD,
    level_text,
    run_document,
    told_run,
    withheld_fields,
)
from zonesim.briefing.text.words import Language
from zonesim.experiment import USUAL_LEVEL, Design, Execution, Results, plain_design, slug
from zonesim.faults import Place, ScenarioFault
from zonesim.jobs.job import Found, Job, left_out_notes, run_and_report
from zonesim.kpi import RunResult
from zonesim.policy import (
    Arm,
    ResolvedTree,
    arm_named,
    arms_for,
    baseline,
    count_kinds,
    flows_in_use,
    left_out,
    open_world,
    register,
)
from zonesim.units import DAY
from zonesim.writing import write_table, write_text

CHANGED: Final = "changed"
"""Name of an arm without measures in which `--change` holds."""


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
    with_figures: bool = True,
    level: float = USUAL_LEVEL,
    by_replication: bool = False,
    tokens: Path | None = None,
    parts: bool = True,
    doubts: bool = True,
    changes: Sequence[str] = (),
) -> Job:
    """
    Run a scenario and write its results to a folder of this run in `out`, beside the cells, which are found again.

    `only`: one arm (the measures in `names` together, none: the baseline); else a comparison of the baseline with
    the measures in `names`, each and together (None: all of the library together). `warm_up`: also say, with `only`,
    whether the warm-up is long enough. `with_figures`: also draw what a comparison shows. `level`: confidence level of
    the intervals. `by_replication`: also write every KPI of every replication. `tokens`: a file to which all visits and
    marks of all tokens go, with `only`. `parts`, `doubts`: what a comparison also runs (see `plain_design`). `changes`:
    settings of the arms with measures alone; with `["none"]` for names, of one arm without measures. Raises Faults;
    where no replication was finished the job has the exit code of what failed.
    """
    if tokens is not None:
        check_file(tokens)
    world = open_world(file, settings)
    option = f"--measures {','.join(names or ())}"
    arms = [arm_named(world, names[0] if names else "")] if only else _arms(world, names, option, changes)
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
        parts=parts,
        doubts=doubts,
        changes=changes,
        how=how,
    )
    prices_of(design.resolved, design.kpis)  # what is wrong with them is told before anything runs

    def report(found: Found) -> Job:
        job = _report(found, only=only, warm_up=warm_up, with_figures=with_figures, by_replication=by_replication)
        if tokens is not None:
            _write_tokens(tokens, found, how)
            job.text += f"\n{tokens}"
        if names is None and not only:
            job.document["left_out"] = left_out(world)
            job.notes += left_out_notes(world)
        return job

    return run_and_report(design, how, out, report)


def _arms(world: ResolvedTree, names: Sequence[str] | None, option: str, changes: Sequence[str]) -> list[Arm]:
    """Return the arms of a comparison; raises ScenarioFault where changes have no arm to hold in."""
    if names == ["none"]:
        if not changes:
            fault = "no measures and no changes: there is nothing to compare"
            raise ScenarioFault(fault, Place(option), "Name measures, or write --change PATH=VALUE.")
        return [baseline(world), Arm(CHANGED)]
    return arms_for(world, names, option)


def _write_tokens(path: Path, found: Found, how: Execution) -> None:
    """Write what every token did in the one arm of a run."""
    (cell,) = found.design.cells.values()
    (future,) = found.results.futures
    start = found.results.clock["start"]
    write_tokens(path, cell.plan, start, found.design.seed, found.results.common(future), how.engine)


def _report(found: Found, *, only: bool, warm_up: bool, with_figures: bool, by_replication: bool) -> Job:
    """Compare the arms and write tables and figures."""
    design, results = found.design, found.results
    (future,) = results.futures
    runs = {name: results.runs(name, future) for name in design.options}
    kpis = list(results.kpis)
    comparison = compared(results, future, kpis, runs)
    bounds = {name: bound_of(design.cells[name, future].plan, design.offset) for name in design.options}
    document = _document(found, comparison, runs, only=only)
    document["bounds"] = {name: bound_document(bound) for name, bound in bounds.items()}
    said, drawn = _warm_up(found, document, runs) if warm_up else ([], [])
    if by_replication:
        document["by_replication"] = by_replication_document(results, kpis)
    control = control_told(results)
    document["control"] = control_document(control)
    costs, heads = costs_of(design, comparison, runs), heads_of(design)
    document["costs"] = cost_document(results, costs)
    written = [*_write(found, comparison, document), write_bounds(found.folder, results, bounds)]
    written += [*write_control(found.folder, results, control), *drawn]
    written += write_costs(found.folder, results, costs)
    written += [write_by_replication(found.folder, results, kpis)] if by_replication else []
    written += write_doubts(found.folder, results, comparison)
    who = _who_gains(found, comparison, runs)
    scenario = design.resolved[design.baseline].scenario
    document["gains"] = gain_document(results, who, scenario)
    written += write_gains(found.folder, results, who, scenario)
    if not only:
        numbers = register(design.world, flows_in_use(design.world))
        told = list(points(results, results.reported(), {future: comparison}))
        rows = gain_rows(results, who, scenario) if has_groups(who) else ()
        written += write_results(
            found.folder, results, told, numbers, table=False, bounds=bounds, groups=rows, costs=costs, heads=heads
        )
    if with_figures and not only:
        written += _figures(found, runs, comparison)
    beside = (
        gains_text(results, who, scenario, heads),
        control_text(results, control, heads),
        cost_text(costs, comparison.baseline, heads),
    )
    head = [*_title(design, results, document), *arm_lines(arms_of(design), design.world)]
    head += bound_lines(bounds, heads)
    parts = [
        *head,
        headline_tables(design, results, comparison, _needed(document, comparison), heads),
        *(line for text in beside if text for line in ("", text)),
    ]
    text = "\n".join([*parts, _closing(design, comparison, heads), *said, "", *map(str, written)])
    return Job(document, text)


def _who_gains(found: Found, comparison: Comparison, runs: dict[str, list[RunResult]]) -> tuple[Gain, ...]:
    """Return what every arm changes for every group of goods."""
    (future,) = found.results.futures
    begin, end, _ = found.design.cells[comparison.baseline, future].plan.window.tolist()

    def column(arm: str, kpi: str) -> list[float]:
        return [run.values.get(kpi, math.nan) for run in runs[arm]]

    return gains(comparison, found.design.kpis, column, (end - begin) / DAY)


def _asked(arms: Sequence[Arm], names: Sequence[str] | None, *, only: bool) -> list[str]:
    """Return the arms as words of a folder's name, none for the usual ones: the baseline, or all measures together."""
    if only:
        return [slug(arms[0].name)] if arms[0].measures else []
    return [slug("-".join(["measures", *names]))] if names is not None else []


def _warm_up(found: Found, document: dict[str, Any], runs: dict[str, list[RunResult]]) -> tuple[list[str], list[Path]]:
    """Return what is to be said of the warm-up, put it into the document, and draw it in both languages."""
    from zonesim.briefing.figures import fonts, style  # noqa: PLC0415  matplotlib is slow to import, and seldom needed
    from zonesim.briefing.figures.comparison import FigureContext, save_all  # noqa: PLC0415
    from zonesim.briefing.figures.warm_up import warm_up_figure  # noqa: PLC0415
    from zonesim.briefing.text.warm_up import warm_up_document, warm_up_text, warm_ups  # noqa: PLC0415

    design, results = found.design, found.results
    (cell,) = design.cells.values()
    n = len(runs[design.baseline])
    told = warm_ups(cell.plan, design.seed, n)
    document["warm_up"] = warm_up_document(cell.plan, told)
    shown = [each for each in told if len(each.inside) > 1]
    if not shown:
        return ["", warm_up_text(cell.plan, told, n)], []
    drawn = []
    languages: tuple[Language, ...] = ("en", "zh") if fonts.chinese() is not None else ("en",)
    for language in languages:
        context = FigureContext(
            design.resolved,
            runs,
            Comparison(design.baseline, {}, (), design.level),
            design.kpis,
            design.seed,
            language,
            run=results.run,
            settings=results.settings,
        )
        with style.look(language):
            figure = warm_up_figure(context, shown, cell.plan.begin)
        drawn += save_all(found.folder, {"warm_up": figure}, context, ())
    return ["", warm_up_text(cell.plan, told, n)], drawn


# --- documents


def _document(found: Found, comparison: Comparison, runs: dict[str, list[RunResult]], *, only: bool) -> dict[str, Any]:
    document: dict[str, Any] = {
        "run": run_document(found.results),
        "scenario": found.results.scenario,
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
                        [run.values.get(kpi, math.nan) for run in runs[arm]], PRECISE, comparison.level
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
                **dict(zip(("low_together", "high_together"), together_cells(effect.difference), strict=True)),
                "n": effect.difference.n,
                "better": found.results.kpis[effect.kpi].better,
                "change": effect.difference.change(found.results.kpis[effect.kpi].better),
                "tag": effect.tag,
                "variance_reduction": effect.difference.variance_reduction,
                **made_of(effect),
            }
            for effect in comparison.effects
        ]
    document["curves"] = {arm: {name: curve_means(own, name) for name in own[0].curves} for arm, own in runs.items()}
    document["failures"] = found.failures
    document["provenance"] = _provenance(found, len(runs[comparison.baseline]))
    document["warnings"] = found.warnings
    return document


def _provenance(found: Found, n: int) -> dict[str, Any]:
    """Return what is needed to remake the numbers."""
    design, results = found.design, found.results
    (future,) = results.futures
    cells = {name: design.cells[name, future] for name in design.options}
    return {
        **results.provenance,
        "resolved_sha256": {name: cell.tree for name, cell in cells.items()},
        "plan_sha256": {name: cell.plan.identity for name, cell in cells.items()},
        "seed": results.seed,
        "replications": results.replications,
        "replications_complete": n,
    }


def _write(found: Found, comparison: Comparison, document: dict[str, Any]) -> list[Path]:
    """Write the CSV and the JSON; return their paths."""
    design, results = found.design, found.results
    table, text = found.folder / f"{design.kind}.csv", found.folder / f"{design.kind}.json"
    told = [results.run, results.seed, results.replications, "; ".join(results.settings)]
    effects = {(effect.arm, effect.kpi): effect for effect in comparison.effects}
    others = [name for name in design.options if name != comparison.baseline]
    head = ["kpi", "label_en", "label_zh", "unit", "better", "headline"]
    head += [comparison.baseline, "low", "high", "n", *WITHHELD]
    for name in others:
        limits = ("difference", "low", "high", "low together", "high together", "n", "change", "tag")
        head += [name, *(f"{name} {what}" for what in limits)]
        head += [f"{name} {what.replace('_', ' ')}" for what in part_columns(results)]
    head += ["run", "seed", "replications", "settings"]
    rows = []
    for kpi in design.kpis:
        base = comparison.arms[comparison.baseline][kpi.id]
        row: list[Any] = [
            kpi.id,
            kpi.en,
            kpi.zh,
            kpi.unit,
            kpi.definition.better,
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
                *together_cells(change),
                change.n,
                change.change(kpi.definition.better),
                effect.tag,
                *part_cells(results, effect.parts),
            ]
        rows.append([*row, *told])
    write_table(table, head, rows)
    write_text(text, to_json(document) + "\n")
    return [table, text]


def _figures(found: Found, runs: dict[str, list[RunResult]], comparison: Comparison) -> list[Path]:
    from zonesim.briefing.figures.comparison import FigureContext, draw_all  # noqa: PLC0415  matplotlib is slow to import

    design, results = found.design, found.results
    context = FigureContext(
        design.resolved, runs, comparison, design.kpis, design.seed, run=results.run, settings=results.settings
    )
    return draw_all(found.folder, context)


# --- for people


def _needed(document: dict[str, Any], comparison: Comparison) -> dict[str, int | None]:
    """Return by KPI how many replications an interval of `PRECISE` needs."""
    return {kpi: told["needed"] for kpi, told in document["arms"][comparison.baseline].items()}


def _title(design: Design, results: Results, document: dict[str, Any]) -> list[str]:
    """Return the lines that say what was run."""
    scenario = design.resolved[design.baseline].scenario
    n = document["provenance"]["replications_complete"]
    what = f"{scenario.label.get('en', scenario.name)}: {n} replications, seed {design.seed}"
    return [f"{what}, {level_text(design.level)} % intervals", told_run(results)]


def _closing(design: Design, comparison: Comparison, heads: ArmHeads) -> str:
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
        lines += together_lines(
            (f"{heads.line(each.arm)} {each.kpi}", each.difference) for each in comparison.effects if each.kpi in shown
        )
    else:
        lines.append(
            f"n for ±{100 * PRECISE:g} %: so many replications bring the interval to ±{100 * PRECISE:g} % of the mean,"
            " judged by the spread of these."
        )
    lines += [text for tag, text in TAG_WORDS.items() if tag in tags and tag != "bound"]
    return "\n".join(lines)
