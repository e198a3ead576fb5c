"""The command `fit`: a gate log of one's own."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from zonesim.cli.app import Json, Lang, app, finish


class _Dates(StrEnum):
    ymd = "ymd"
    dmy = "dmy"
    mdy = "mdy"


class _Clock(StrEnum):
    ask = "ask"
    china = "china"
    written = "written"


class _Span(StrEnum):
    auto = "auto"
    stay = "stay"
    passage = "pass"


class _LaneUnit(StrEnum):
    s = "s"
    min = "min"
    ms = "ms"


def _column(option: str, text: str) -> typer.models.OptionInfo:
    return typer.Option(option, metavar="COLUMN", help=text)  # type: ignore[no-any-return]


@app.command()
def fit(
    log: Annotated[Path, typer.Argument(help="A gate log (CSV), one vehicle a row.", show_default=False)],
    time_in: Annotated[str, _column("--time-in", "Column with the time of arrival at the gate.")],
    time_out: Annotated[str, _column("--time-out", "Column with the time of leaving the gate, or the zone.")] = "",
    direction: Annotated[str, _column("--direction", "Column that says in or out.")] = "",
    kind: Annotated[str, _column("--kind", "Column with the kind of vehicle.")] = "",
    klass: Annotated[str, _column("--class", "Column with the credit class.")] = "",
    lane_time: Annotated[str, _column("--lane-time", "Column with the time in the lane, without waiting.")] = "",
    identity: Annotated[str, _column("--id", "Column that tells vehicles apart; never written.")] = "",
    lane_unit: Annotated[_LaneUnit, typer.Option("--lane-unit", help="Unit of the lane times.")] = _LaneUnit.s,
    span: Annotated[
        _Span,
        typer.Option(
            "--span", help="What lies between time in and out: a stay in the zone, or the pass through the gate."
        ),
    ] = _Span.auto,
    zone: Annotated[str, typer.Option("--zone", help="Name of the zone in the scenarios written.")] = "GATE",
    lanes: Annotated[int, typer.Option("--lanes", min=0, max=200, help="Lanes in each direction; 0: not known.")] = 0,
    freight: Annotated[
        list[str] | None,
        typer.Option("--freight", metavar="KIND", help="A kind that is checked as goods (repeatable)."),
    ] = None,
    dates: Annotated[_Dates, typer.Option("--dates", help="Order where the year is last.")] = _Dates.ymd,
    clock: Annotated[
        _Clock,
        typer.Option(
            "--clock", help="Times with an offset: turned into China's (UTC+8), or their hours as written; or ask."
        ),
    ] = _Clock.ask,
    begin: Annotated[str, typer.Option("--from", metavar="DATE", help="First day to use, e.g. 2018-09-03.")] = "",
    end: Annotated[str, typer.Option("--until", metavar="DATE", help="Last day to use.")] = "",
    holidays: Annotated[
        str, typer.Option("--holidays", metavar="NAME", help="Table of days that are no ordinary ones; or none.")
    ] = "cn",
    longest: Annotated[str, typer.Option("--longest", help="Longest time in to time out believed.")] = "30 d",
    accept: Annotated[str, typer.Option("--accept", help="Share of rows that may be refused.")] = "10 %",
    check: Annotated[
        bool, typer.Option("--check/--no-check", help="Run the scenario and put it beside the log, by hour.")
    ] = True,
    language: Lang = "en",
    as_json: Json = False,
    out: Annotated[Path, typer.Option("--out", help="Folder for what is written.")] = Path("results/fit"),
) -> None:
    """Fit arrivals and times to a gate log, and write a scenario, a trace that replays it, and a report."""
    from zonesim.cli.terminal import Terminal  # noqa: PLC0415  slow imports
    from zonesim.fitting import request_of  # noqa: PLC0415
    from zonesim.jobs.fit import fit_job  # noqa: PLC0415  slow imports

    columns = {
        "time_in": time_in,
        "time_out": time_out,
        "direction": direction,
        "kind": kind,
        "klass": klass,
        "lane_time": lane_time,
        "id": identity,
    }
    request = request_of(
        log,
        columns,
        zone=zone,
        lanes=lanes,
        freight=tuple(freight or ()),
        span="" if span is _Span.auto else span.value,
        dates=dates.value,
        clock=clock.value,
        begin=begin,
        end=end,
        longest=longest,
        accept=accept,
        lane_unit=lane_unit.value,
        holidays=holidays,
        lang=language,
    )
    finish(fit_job(request, out, language, check=check, watch=Terminal()), as_json)
