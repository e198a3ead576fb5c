"""The job of `zonesim attribute`: which measure of a package contributes how much, one for all orders."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from zonesim.analysis import (
    LARGEST_EXACT,
    MOST_EXACT,
    ORDERS,
    Package,
    attributions,
    packages,
    reasons,
)
from zonesim.briefing.tables.attribution import attribution_document, attribution_text, write_attribution
from zonesim.experiment import USUAL_LEVEL, Design, Execution, plain_design
from zonesim.faults import Place, ScenarioFault, UnknownName, suggest
from zonesim.jobs.job import Found, Job, left_out_notes, run_and_report
from zonesim.plan import Floats
from zonesim.policy import Arm, ResolvedTree, arms_for, baseline, open_world
from zonesim.scenario import load_catalogue

FEWEST_MEASURES: Final = 2
MOST_MEASURES: Final = 16
"""How many measures can be taken apart at once."""


@dataclass(frozen=True)
class Asked:
    """What is taken apart: of which file, which measures (None: all that act), and how exactly."""

    file: Path
    settings: Sequence[str]
    measures: Sequence[str] | None
    kpis: Sequence[str] = ()
    replications: int = 10
    seed: int = 1
    orders: int = ORDERS
    exact: bool = False
    """Whether all orders are looked at, however many measures there are."""
    level: float = USUAL_LEVEL

    @property
    def most_exact(self) -> int:
        """Return of how many measures all orders are looked at."""
        return LARGEST_EXACT if self.exact else MOST_EXACT


def attribute_job(asked: Asked, how: Execution, out: Path) -> Job:
    """
    Run the arms that tell what each measure of a package contributes, and write `attribution.csv` to a folder of this
    run in `out`; cells that are there already are not run again.

    Raises Faults; UnknownName for a KPI that there is none of; ScenarioFault for fewer than two measures or too many.
    """
    world = open_world(asked.file, asked.settings)
    whole = arms_for(world, asked.measures)[-1]
    names = [each.measure for each in whole.measures]
    if not FEWEST_MEASURES <= len(names) <= MOST_MEASURES:
        fault = f"{len(names)} measures to tell apart; from {FEWEST_MEASURES} to {MOST_MEASURES} can be"
        raise ScenarioFault(fault, Place("--measures"), "Name some of them, e.g. --measures 4,10,11.")
    if asked.exact and len(names) > LARGEST_EXACT:
        fault = f"{len(names)} measures have {2 ** len(names):,} packages"
        remedy = f"Name up to {LARGEST_EXACT} with --measures, or leave --exact out: then orders are drawn."
        raise ScenarioFault(fault, Place("--exact"), remedy)
    wanted = packages(names, seed=asked.seed, orders=asked.orders, most_exact=asked.most_exact)
    arms = {package: _arm(world, whole, package) for package in wanted}
    numbers = [load_catalogue().measures[name].number for name in names]
    design = plain_design(
        asked.file,
        world,
        list(arms.values()),
        asked.settings,
        seed=asked.seed,
        replications=asked.replications,
        level=asked.level,
        asked=[f"attribute-{'-'.join(numbers)}", *(["exact"] if MOST_EXACT < len(names) <= asked.most_exact else [])],
        parts=False,
        doubts=False,
        how=how,
    )
    kpis = _kpis(design, asked.kpis)

    def report(found: Found) -> Job:
        job = _report(found, asked, names, {package: arm.name for package, arm in arms.items()}, kpis)
        job.notes += left_out_notes(world) if asked.measures is None else []
        return job

    return run_and_report(design, how, out, report)


def _arm(world: ResolvedTree, whole: Arm, package: Package) -> Arm:
    """Return the arm of a package, named by the numbers of its measures."""
    if not package:
        return baseline(world)
    own = tuple(each for each in whole.measures if each.measure in package)
    return Arm("+".join(load_catalogue().measures[each.measure].number for each in own), own)


def _kpis(design: Design, asked: Sequence[str]) -> list[str]:
    """Return the KPIs that are taken apart: those asked for, or the headlines that runs measure."""
    known = {kpi.id: kpi for kpi in design.kpis}
    for name in asked:
        if name not in known:
            raise UnknownName(f"no KPI '{name}' in this scenario", Place("--kpis"), suggest(name, known, "KPIs"))
    return list(asked) or [kpi.id for kpi in design.kpis if kpi.headline and not kpi.bound]


def _report(found: Found, asked: Asked, names: Sequence[str], arms: dict[Package, str], kpis: Sequence[str]) -> Job:
    results = found.results
    (future,) = results.futures

    def values(kpi: str) -> dict[Package, Floats]:
        return {package: results.column(arm, future, kpi) for package, arm in arms.items()}

    told = attributions(
        kpis,
        values,
        names,
        reason=reasons(results, future, arms.values()),
        seed=asked.seed,
        orders=asked.orders,
        most_exact=asked.most_exact,
        level=asked.level,
    )
    path = write_attribution(found.folder, results, told)
    text = attribution_text(results, told, every=bool(asked.kpis))
    return Job(attribution_document(results, told), f"{text}\n\n{path}")
