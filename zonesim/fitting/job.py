"""
The whole of a fit: the log cleaned, split into groups of one direction and kind, and each group's arrivals and times.
"""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from zonesim.experiment import number_of
from zonesim.faults import Place, ScenarioFault, UnknownName, suggest
from zonesim.fitting.arrivals import Arrivals, Period, fit_arrivals, period_of
from zonesim.fitting.cleaning import read_log
from zonesim.fitting.distributions import ENOUGH, Durations, fit_durations
from zonesim.fitting.log import UNKNOWN, Columns, Log, Rules
from zonesim.fitting.words import names_for, vehicle_of
from zonesim.units import DAY

Span = Literal["stay", "pass"]
Mask = NDArray[np.bool_]

RARE: Final = 30
"""Kinds and classes with fewer rows are put together: nothing can be fitted to them, and few rows point at persons."""

OTHERS: Final = "other"


@dataclass(frozen=True)
class Request:
    """
    What is wanted.

    `zone`: its name in the scenarios; `lanes`: lanes in each direction (0: not known); `freight`: kinds that the gate
    checks as goods vehicles (empty: by their words); `span`: what lies between time in and time out, a `stay` in the
    zone or the `pass` through the gate (None: pass when the log has directions); `holidays`: dates that are no ordinary
    days; `lang`: of what is written for people.
    """

    file: Path
    columns: Columns
    rules: Rules = field(default_factory=Rules)
    zone: str = "GATE"
    lanes: int = 0
    freight: tuple[str, ...] = ()
    span: Span | None = None
    holidays: frozenset[str] = frozenset()
    made_up: frozenset[str] = frozenset()
    lang: Literal["en", "zh"] = "en"

    def say(self, en: str, zh: str) -> str:
        """Return what is written in the language asked for."""
        return zh if self.lang == "zh" else en


@dataclass(frozen=True)
class Group:
    """
    The vehicles of one direction and kind.

    `name` is that of its traffic; `way` the name of the direction (`in` where the log has none); `vehicle`: freight
    or other;
    `classes`: share by class; `lane`: time in the lane; `span`: time in to time out; `lane_from` says whose lane
    times these are when the group has too few (another group's name), `lane_rows` how they were chosen.
    """

    name: str
    direction: str
    kind: str
    way: str
    vehicle: str
    arrivals: Arrivals
    classes: dict[str, float]
    span: Durations | None
    lane: Durations | None
    lane_pooled: bool


@dataclass(frozen=True)
class Fit:
    """What was found in a log; `names` of directions, kinds and classes as scenarios have them."""

    request: Request
    log: Log
    period: Period
    span: Span
    groups: list[Group]
    ways: dict[str, str]
    kinds: dict[str, str]
    classes: dict[str, str]
    holiday_share: float
    """Traffic of the holidays left out, over that of ordinary days of the same weekdays; nan: there were none."""
    lane_source: Literal["", "column", "empty gate"]
    lane_rows: int
    run: str
    """Number of the fit, from the log and all that was asked for: it tells one fit from another."""

    @property
    def visits(self) -> bool:
        """Return whether a row is a whole visit: in, a stay, and out again."""
        return self.span == "stay" and not self.request.columns.direction and bool(self.request.columns.time_out)


def fit_log(request: Request) -> Fit:
    """Return the fit of a log; raises ScenarioFault."""
    log = read_log(request.file, request.columns, request.rules)
    _merge_rare(log)
    _check_freight(request, log)
    period = period_of(log.time_in, request.holidays, request.made_up)
    span: Span = request.span or ("pass" if request.columns.direction else "stay")
    ways = names_for(log.directions, "way") if request.columns.direction else {"": "in"}
    kinds = names_for(log.kinds, "kind") if request.columns.kind else {"": "vehicles"}
    classes = names_for(log.classes, "class") if request.columns.klass else {}
    lane, source = _lane_times(log, span, max(request.lanes, 1))
    groups = []
    for way_code, way_text in enumerate(log.directions):
        for kind_code, kind_text in enumerate(log.kinds):
            mine = (log.direction == way_code) & (log.kind == kind_code)
            if not mine.any():
                continue
            group_lane, pooled = _durations_of(lane, mine, log.direction == way_code)
            groups.append(
                Group(
                    f"{ways[way_text]}_{kinds[kind_text]}",
                    way_text,
                    kind_text,
                    ways[way_text],
                    _vehicle(request, kind_text),
                    fit_arrivals(log.time_in[mine], period, log.time_in),
                    _shares(log, mine, classes),
                    _span_of(log.stay[mine]),
                    group_lane,
                    pooled,
                )
            )
    share = _holiday_share(log, period, groups)
    rows = int((lane != UNKNOWN).sum())
    return Fit(request, log, period, span, groups, ways, kinds, classes, share, source, rows, _number(request))


def _number(request: Request) -> str:
    """Return the number of a fit: the name of the log's folder does not count, what is in it does."""
    asked = asdict(request) | {"file": request.file.name, "log": hashlib.sha256(request.file.read_bytes()).hexdigest()}
    return number_of(json.loads(json.dumps(asked, default=lambda value: sorted(map(str, value)), sort_keys=True)))


def _holiday_share(log: Log, period: Period, groups: list[Group]) -> float:
    """Return the traffic of holidays over what their weekdays would have had."""
    by_day = np.zeros(7)
    for group in groups:
        for part in group.arrivals.parts:
            by_day += part.rate * 7 * np.array(part.days) / sum(part.days)
    counts = np.bincount(log.time_in // DAY - period.first, minlength=len(period.used))
    days = [number for number, date in enumerate(period.dates()) if date in period.left_out.get("holiday", [])]
    expected = float(by_day[period.weekdays()[days]].sum()) if days else 0.0
    return float(counts[days].sum()) / expected if expected else math.nan


def _check_freight(request: Request, log: Log) -> None:
    for kind in request.freight:
        if kind not in log.kinds:
            raise UnknownName(
                f"no kind '{kind}' in column '{request.columns.kind}' (--freight)",
                Place(str(request.file)),
                suggest(kind, log.kinds, "kinds"),
            )


def _vehicle(request: Request, kind: str) -> str:
    if request.freight:
        return "freight" if kind in request.freight else "other"
    return vehicle_of(kind)


def _merge_rare(log: Log) -> None:
    """Put kinds, and classes, with few rows together."""
    for column, names in ((log.kind, log.kinds), (log.klass, log.classes)):
        counts = np.bincount(column, minlength=len(names))
        rare = [code for code in range(len(names)) if counts[code] < RARE]
        if not rare or len(rare) == len(names):
            continue
        first = rare[0]
        column[np.isin(column, rare)] = first
        names[first] = OTHERS if OTHERS not in names else f"{OTHERS} (rare)"
        del names[first + 1 :]  # the most frequent come first, so the rare ones are the last


def _shares(log: Log, mine: Mask, names: dict[str, str]) -> dict[str, float]:
    if not names:
        return {}
    counts = np.bincount(log.klass[mine], minlength=len(log.classes))
    return {names[text]: float(counts[code] / counts.sum()) for code, text in enumerate(log.classes) if counts[code]}


def _span_of(stays: NDArray[np.int64]) -> Durations | None:
    known = stays[stays != UNKNOWN]
    return fit_durations(known) if len(known) >= ENOUGH else None


def _durations_of(lane: NDArray[np.int64], mine: Mask, same_way: Mask) -> tuple[Durations | None, bool]:
    """Return the lane times of a group, or where it has too few those of its direction, or of all."""
    for rows, pooled in ((mine, False), (same_way, True), (np.ones_like(mine), True)):
        known = lane[rows & (lane != UNKNOWN)]
        if len(known) >= ENOUGH:
            return fit_durations(known), pooled
    return None, False


def _lane_times(log: Log, span: Span, lanes: int) -> tuple[NDArray[np.int64], Literal["", "column", "empty gate"]]:
    """
    Return the time in the lane of each row that tells it.

    With a column of lane times it is that. Where rows are passages from the end of the queue to the bar, it is the
    whole passage of the vehicles that found fewer than `lanes` others of their direction at the gate: they did not
    wait.
    """
    if log.columns.lane_time:
        return log.lane, "column"
    unknown = np.full(len(log), UNKNOWN, dtype=np.int64)
    if span != "pass" or not log.columns.time_out:
        return unknown, ""
    for way in range(len(log.directions)):
        rows = np.flatnonzero((log.direction == way) & (log.stay != UNKNOWN))
        begins = log.time_in[rows]
        ends = np.sort(begins + log.stay[rows])
        # Those before in the order of arrival, less those that have left: times that touch count as still there.
        present = np.arange(len(rows)) - np.searchsorted(ends, begins, side="left")
        alone = rows[present < lanes]
        unknown[alone] = log.stay[alone]
    return unknown, "empty gate"


def scenario_name(zone: str) -> str:
    """Return a zone's name as a scenario has it; raises ScenarioFault when it cannot be one."""
    if not zone.replace("_", "").isalnum() or not zone.isascii() or not zone[0].isalpha():
        raise ScenarioFault(
            f"'{zone}' cannot name a zone (--zone)", remedy="Use letters, digits and _, a letter first."
        )
    return zone
