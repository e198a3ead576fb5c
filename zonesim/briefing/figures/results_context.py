"""From a results folder to what figures are drawn from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from zonesim.analysis import compared
from zonesim.briefing.figures.context import FigureContext, Told
from zonesim.briefing.text.varied_words import future_words
from zonesim.briefing.text.words import Language, Words
from zonesim.experiment import Results, are_as_run, have_changed, load_results, recall_arms
from zonesim.faults import Place, ScenarioFault, UnknownName, suggest


@dataclass(frozen=True)
class Shown:
    """Results with the context that draws their first future; `changed`: the scenario is not what was run any more."""

    results: Results
    context: FigureContext
    changed: bool


def results_context(folder: Path, language: Language, wanted: Sequence[str]) -> Shown:
    """
    Return what a results folder shows.

    All comes from the folder, whatever became of the scenario since. Raises ScenarioFault: no results, nothing
    finished, or a KPI in `wanted` that the results do not have.
    """
    results = load_results(folder)
    future = next(iter(results.futures))
    if not results.common(future):
        fault = "no replication is finished in all arms"
        raise ScenarioFault(fault, Place(str(folder)), "Run the same command again to go on.")
    for name in wanted:
        if name not in results.kpis:
            raise UnknownName(f"no KPI '{name}' in these results", Place("--kpi"), suggest(name, results.kpis))
    arms = recall_arms(results)
    kpis = [info.kpi for info in results.kpis.values()]
    runs = {arm: results.runs(arm, future) for arm in results.arms}
    comparison = compared(results, future, [kpi.id for kpi in kpis], runs)
    say = Words(language)
    drawn = FigureContext(
        arms=arms,
        library_changed=not are_as_run(results, arms),
        results=runs,
        comparison=comparison,
        kpis=kpis,
        seed=results.seed,
        language=language,
        told=Told(results.scenario, results.scenario_label, results.synthetic, **results.clock),
        wanted=tuple(wanted),
        labels={name: say.label(info.label, name) if info.label else name for name, info in results.arms.items()},
        run=results.run,
        settings=results.settings,
        experiment=say.label(results.label, results.name) if results.kind == "sweep" else "",
        reported=results.reported() if results.kind == "sweep" else (),
    )
    if len(results.futures) > 1:
        settings = results.futures[future].settings
        name = future_words(drawn, settings) if settings else say("path.as_written")
        drawn = replace(drawn, future=say("caption.future", name=name))
    return Shown(results, drawn, have_changed(results))
