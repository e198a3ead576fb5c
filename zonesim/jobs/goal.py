"""What is good: the smallest or the largest KPI, as `--goal` says it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from zonesim.analysis import bands_of, tags_of
from zonesim.experiment import Design
from zonesim.faults import Place, ScenarioFault, UnknownName, suggest
from zonesim.kpi import Kpi

_WRITTEN: Final = re.compile(r"\s*(smallest|largest)\s+(\S+)\s*")


@dataclass(frozen=True)
class Goal:
    """A KPI and which way is good; `sign`: 1 where small is, -1 where large is, for what looks for the smallest."""

    kpi: Kpi
    sign: int


def goal_of(design: Design, text: str) -> Goal:
    """Return what `smallest KPI` asks for; raises ScenarioFault, UnknownName."""
    place = Place("--goal")
    match = _WRITTEN.fullmatch(text)
    if match is None:
        raise ScenarioFault("expected smallest KPI, or largest KPI", place, "Write 'smallest F4b.dwell.mean'.")
    known = {kpi.id: kpi for kpi in design.kpis}
    if match[2] not in known:
        raise UnknownName(f"no KPI '{match[2]}' in this experiment", place, suggest(match[2], known, "KPIs"))
    kpi = known[match[2]]
    if kpi.bound:
        raise ScenarioFault(f"'{kpi.id}' is a bound, which no run measures", place, "Ask for what is measured.")
    tags = tags_of(design)
    if any(kpi.id in own for own in bands_of({arm: tag.control for (arm, _), tag in tags.items()}).values()):
        fault = f"'{kpi.id}' is a band over what nobody knows of control, and has no mean"
        raise ScenarioFault(fault, place, "Ask for what has a mean.")
    return Goal(kpi, 1 if match[1] == "smallest" else -1)
