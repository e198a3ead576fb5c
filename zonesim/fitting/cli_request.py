"""From the options of the command line to a request."""

from __future__ import annotations

import datetime
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from zonesim.faults import Place, ScenarioFault, UnitFault, UnknownName, suggest
from zonesim.fitting.instants import InstantReader
from zonesim.fitting.job import Request, scenario_name
from zonesim.fitting.log import Columns, Rules
from zonesim.scenario import load_catalogue
from zonesim.scenario.calendars import Holidays
from zonesim.units import DAY, UNITS, parse, parse_share


def request_of(
    file: Path,
    columns: Mapping[str, str],
    *,
    zone: str,
    lanes: int,
    freight: tuple[str, ...],
    span: Any,  # noqa: ANN401  one of the words of Span, or nothing
    dates: Any,  # noqa: ANN401  one of the words of Order
    clock: Any,  # noqa: ANN401  one of the words of Clock
    begin: str,
    end: str,
    longest: str,
    accept: str,
    lane_unit: str,
    holidays: str,
    lang: Any = "en",  # noqa: ANN401  one of the words of Request.lang
) -> Request:
    """Return what is asked for; raises ScenarioFault when an option cannot be meant."""
    columns = {option: _letters(name) for option, name in columns.items()}
    freight = tuple(_letters(kind) for kind in freight)
    rules = Rules(
        longest=round(_quantity(longest, "duration", "--longest")),
        begin=_day(begin, "--from"),
        end=None if (last := _day(end, "--until")) is None else last + DAY,
        dates=dates,
        clock=clock,
        lane_unit=round(UNITS["duration"][lane_unit]),
        most_refused=_quantity(accept, "share", "--accept"),
    )
    if rules.begin is not None and rules.end is not None and rules.begin >= rules.end:
        raise ScenarioFault("the period ends before it begins (--from, --until)", remedy="Turn the dates round.")
    if freight and not columns["kind"]:
        raise ScenarioFault("--freight without --kind", remedy="Name the column with the kinds of vehicles.")
    if span and not columns["time_out"]:
        raise ScenarioFault("--span without --time-out", remedy="Name the column with the times of leaving.")
    closed, made_up = _holidays(holidays)
    name = scenario_name(zone)
    return Request(file, Columns(**columns), rules, name, lanes, freight, span or None, closed, made_up, lang)


def _letters(text: str) -> str:
    """Return a word of the command line; bytes that are no UTF-8 as GB 18030, which Chinese terminals send."""
    try:
        return os.fsencode(text).decode("gb18030") if any("\udc80" <= letter <= "\udcff" for letter in text) else text
    except UnicodeError:
        return text


def _holidays(name: str) -> tuple[frozenset[str], frozenset[str]]:
    """Return the dates of a table of the library, holidays and the weekend days worked for them; none for `none`."""
    if name == "none":
        return frozenset(), frozenset()
    known = load_catalogue().holidays
    if name not in known:
        raise UnknownName(f"no table of holidays '{name}'", Place("--holidays"), suggest(name, [*known, "none"]))
    table = Holidays.model_validate(known[name])
    closed, worked = table.closed_days(), table.working_days()
    return frozenset(day.isoformat() for day in closed), frozenset(day.isoformat() for day in worked)


def _quantity(text: str, kind: str, option: str) -> float:
    try:
        return parse_share(text) if kind == "share" else parse(text, kind)
    except UnitFault as fault:
        raise UnitFault(fault.fault, Place(option), fault.remedy) from None


def _day(text: str, option: str) -> int | None:
    if not text:
        return None
    try:
        day = datetime.date.fromisoformat(text).isoformat()
    except ValueError:
        raise ScenarioFault(
            f"expected a date, found '{text}'", Place(option), "Write a date such as 2018-09-03."
        ) from None
    return InstantReader().read(f"{day} 00:00")
