"""The fitted scenario beside its log, told: a table by hour of the day, a CSV file, the document, and a figure."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
from rich.table import Table

from zonesim.briefing.tables.printing import printed
from zonesim.briefing.text.words import Words
from zonesim.fitting import Beside, Check, Doubt, Fit, duration_text
from zonesim.units import MINUTE, SECOND
from zonesim.writing import write_table

FAR: Final = 1.25
"""A mean time of the model that differs from the log's by more than this factor is remarked."""


def doubts_text(found: list[Doubt], labels: dict[str, str], say: Words) -> str:
    """Return what cannot be as the options say, a line for each; `labels` of the groups by name."""
    return "\n".join(
        say(
            f"report.doubt_{each.kind}",
            group=labels[each.group.name],
            found=say.quantities(duration_text(each.found)),
            expected=say.quantities(duration_text(each.expected)),
            lane=say.quantities(duration_text(each.lane)) if each.kind == "passage" else "",
            rate=each.group.arrivals.rate,
            lanes=each.lanes,
            load=f"{100 * each.load:.2g} %",
        )
        for each in found
    )


def beside_text(check: Check, fit: Fit, scenario: Path, say: Words) -> str:
    """Return the table of log and model by hour of the day, with what stands out."""
    head = say("report.beside", file=scenario.name, runs=check.runs, weeks=check.weeks)
    return "\n".join([head, *(f"{_table(each, fit, say)}\n{_finding(each, fit, say)}" for each in check.ways)])


def _table(each: Beside, fit: Fit, say: Words) -> str:
    table = Table(title=way_label(each, fit, say), title_justify="left", box=None, pad_edge=False)
    table.add_column(say("report.hour_of_day"))
    timed = not np.isnan(each.logged_mean_ms)
    for key in ("logged_rate", "model_rate", *(("logged_time", "model_time") if timed else ())):
        table.add_column(say(f"report.{key}"), justify="right")
    for hour in range(len(each.logged)):
        rates = [_number(each.logged[hour]) + ("*" if hour in each.apart else ""), _number(each.modelled[hour])]
        times = [_number(each.logged_ms[hour] / MINUTE), _number(each.modelled_ms[hour] / MINUTE)] if timed else []
        table.add_row(f"{hour:02d}", *rates, *times)
    return printed(table)


def _finding(each: Beside, fit: Fit, say: Words) -> str:
    name = way_label(each, fit, say)
    rates = {"logged": each.logged_a_day, "modelled": each.modelled_a_day, "n": len(each.apart)}
    lines = [say("report.beside_rates", way=name, **rates)]
    if not np.isnan(each.logged_mean_ms) and not np.isnan(each.modelled_mean_ms):
        logged, modelled = each.logged_mean_ms, each.modelled_mean_ms  # both may be 0
        times = [say.quantities(duration_text(value)) for value in (logged, modelled)]
        key = "shorter" if modelled * FAR < logged else "longer" if modelled > FAR * logged else "alike"
        lines.append(say(f"report.beside_{key}", way=name, logged=times[0], modelled=times[1]))
    return "\n".join(f"  {line}" for line in lines)


def way_label(each: Beside, fit: Fit, say: Words) -> str:
    """Return how a direction is called."""
    if fit.visits or not fit.request.columns.direction:
        return say("report.all_vehicles")
    return say(f"report.way_{each.way}") if each.way in {"in", "out"} else each.direction


def beside_document(check: Check) -> dict[str, Any]:
    """Return log and model by hour of the day, a direction each; null where the log has too few rows to tell."""
    return {
        "replications": check.runs,
        "weeks": check.weeks,
        "by_direction": {
            each.way: {
                "vehicles_an_hour": {"log": _list(each.logged), "model": _list(each.modelled)},
                "mean_time_s": {"log": _list(each.logged_ms / SECOND), "model": _list(each.modelled_ms / SECOND)},
                "hours_apart": each.apart,
            }
            for each in check.ways
        },
    }


def write_beside(check: Check, path: Path) -> None:
    """Write log and model by hour of the day, one quantity a row, for spreadsheets; raises as `writing.whole`."""
    write_table(path, ["direction", "quantity", "指标", "hour", "log", "model", "unit"], _rows(check))


def _rows(check: Check) -> Iterator[list[str]]:
    for each in check.ways:
        for en, zh, unit, logged, modelled in (
            ("vehicles an hour", "每小时车辆数", "1/h", each.logged, each.modelled),
            ("mean time in to time out", "进出时间差均值", "s", each.logged_ms / SECOND, each.modelled_ms / SECOND),
        ):
            for hour, (one, other) in enumerate(zip(_list(logged), _list(modelled), strict=True)):
                cells = ["" if value is None else f"{value:.6g}" for value in (one, other)]
                yield [each.way, en, zh, f"{hour:02d}", *cells, unit]


def _list(values: Any) -> list[float | None]:  # noqa: ANN401  an array
    return [None if np.isnan(value) else float(value) for value in values]


def _number(value: float) -> str:
    return "-" if np.isnan(value) else f"{value:.3g}"
