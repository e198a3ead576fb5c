"""From a results folder to what figures are drawn from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from zonesim.analysis import compare
from zonesim.briefing.context import FigureContext, Told
from zonesim.briefing.inspection import open_world
from zonesim.briefing.words import Language, Words
from zonesim.experiment import Design, KpiInfo, Results, is_experiment, load_results, plain_design, read_design
from zonesim.faults import Place, ScenarioFault, UnknownName, suggest
from zonesim.kpi import DEFINITIONS, Kpi
from zonesim.policy import arm_named
from zonesim.scenario import read_file


@dataclass(frozen=True)
class Shown:
    """Results with the context that draws their first future; `changed`: the scenario is not what was run any more."""

    results: Results
    context: FigureContext
    changed: bool


def results_context(folder: Path, language: Language, wanted: Sequence[str]) -> Shown:
    """
    Return what a results folder shows.

    Labels come from the scenario as it stands now, if it can still be read; numbers only from the folder. Raises
    ScenarioFault: no results, nothing finished, or a KPI in `wanted` that the results do not have.
    """
    results = load_results(folder)
    future = next(iter(results.futures))
    if not results.common(future):
        fault = "no replication is finished in all arms"
        raise ScenarioFault(fault, Place(str(folder)), "Run the same command again to go on.")
    for name in wanted:
        if name not in results.kpis:
            raise UnknownName(f"no KPI '{name}' in these results", Place("--kpi"), suggest(name, results.kpis))
    design = _design(results)
    changed = design is None or any(
        design.cells[pair].key != cell.key for pair, cell in results.cells.items() if pair in design.cells
    )
    kpis = [kpi for info in results.kpis.values() if (kpi := _kpi(info)) is not None]
    runs = {arm: results.runs(arm, future) for arm in results.arms}
    comparison = compare(
        runs,
        [kpi.id for kpi in kpis],
        bounds=[info.id for info in results.kpis.values() if info.bound],
        inputs={arm: results.cells[arm, future].inputs for arm in results.arms},
        growing={arm: results.cells[arm, future].growing for arm in results.arms},
        level=results.level,
    )
    say = Words(language)
    several = len(results.futures) > 1
    context = FigureContext(
        arms=design.resolved if design is not None else {},
        results=runs,
        comparison=comparison,
        kpis=kpis,
        seed=results.seed,
        language=language,
        future=say("caption.future", name=future) if several else "",
        told=Told(results.scenario, results.scenario_label, results.synthetic, **results.clock),
        wanted=tuple(wanted),
        labels={name: say.label(info.label, name) if info.label else name for name, info in results.arms.items()},
        run=results.run,
        settings=results.settings,
        experiment=say.label(results.label, results.name) if results.kind == "sweep" else "",
    )
    return Shown(results, context, changed)


def _design(results: Results) -> Design | None:
    """Return the design of the results as its files stand now, None when they cannot be read or say other arms."""
    written = results.provenance
    file = Path(str(written.get("file", "")))
    settings = [str(each) for each in written.get("settings", ())]
    try:
        if not file.is_file():
            return None
        if is_experiment(read_file(file)):
            design = read_design(
                file, settings, seed=results.seed, replications=results.replications, level=results.level
            )
        else:
            world = open_world(file, settings)
            arms = [arm_named(world, name) for name in results.arms]
            design = plain_design(
                file,
                world,
                arms,
                settings,
                seed=results.seed,
                replications=results.replications,
                level=results.level,
            )
    except ScenarioFault:
        return None
    return design if list(design.options) == list(results.arms) else None


def _kpi(info: KpiInfo) -> Kpi | None:
    """Return a KPI with its definition, found by id, unit and label; None when this version defines it no more."""
    for definition in DEFINITIONS:
        subject, _, what = (
            info.id.partition(".stage.") if definition.what == "stage" else info.id.rpartition(f".{definition.what}")
        )
        ends = bool(what) if definition.what == "stage" else info.id.endswith(f".{definition.what}")
        if ends and definition.unit == info.unit and info.en.startswith(f"{subject}: {definition.en}"):
            return Kpi(info.id, definition, subject, info.headline, info.en, info.zh)
    return None
