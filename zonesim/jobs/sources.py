"""The job of `zonesim sources`: every number behind a scenario with its source, and which assumed ones decide."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from zonesim.briefing.tables.sources import Driver, sources_csv, sources_document, sources_text
from zonesim.briefing.text.words import Words, language_named
from zonesim.experiment import USUAL_LEVEL, Execution
from zonesim.jobs.doubted import doubted, kind_of, kinds_of, numbers_of
from zonesim.jobs.job import Job
from zonesim.policy import Entry, arm_named, open_world, resolve


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
    every = numbers_of(resolved)
    entries = [entry for entry in every if entry.kind == "assumed"] if asking.assumed else every
    drivers = _drivers(asking, how, out, every) if asking.drives else None
    document = sources_document(resolved.arm.name, entries, drivers, asking.drives)
    text = sources_csv(entries) if csv else sources_text(say, document)
    return Job(document, text, [])


def _drivers(asking: Asking, how: Execution, out: Path, entries: Sequence[Entry]) -> list[Driver]:
    """Return how the KPI moves with each doubted value, those that move it most first."""
    own = doubted(
        asking.file,
        asking.settings,
        asking.arm,
        replications=asking.replications,
        seed=asking.seed,
        how=how,
        out=out,
    )
    own.check_kpi(asking.drives, "--drives")
    (found,) = own.tornado([asking.drives], USUAL_LEVEL)
    kinds = kinds_of(entries)
    return [
        Driver(each.factor, found.middle, each.values["low"], each.values["high"], kind_of(each.factor, kinds))
        for each in found.influences
    ]
