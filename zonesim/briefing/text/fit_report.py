"""A fit told: the report for people, the JSON document, and the rows of the CSV table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from rich.table import Table

from zonesim.briefing.tables.printing import printed
from zonesim.briefing.text.words import Words
from zonesim.fitting import (
    CLOSE_GAP,
    DAY_HOURS,
    MOST_REPLAYED,
    REASONS,
    SMALLEST_CELL,
    Durations,
    Fit,
    Group,
    detail_in,
    duration_text,
    offset_text,
)
from zonesim.units import HOUR, MINUTE, SECOND
from zonesim.version import __version__

SHOWN_LAWS: Final = 4
SHOWN_DATES: Final = 6
SEPARATORS: Final = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
_DAYS: Final = tuple(Words("en")(f"day.{day}") for day in range(7))
_FINE: Final = 0.1
"""A resolution coarser than this share of the mean time is said."""


# --- the document


def fit_document(fit: Fit) -> dict[str, Any]:
    """Return everything found, without single rows and without counts below SMALLEST_CELL."""
    log = fit.log
    first, last = log.dates
    return {
        "run": fit.run,
        "log": {
            "file": log.file.name,
            "encoding": log.form.encoding,
            "separator": log.form.separator,
            "header_line": log.form.header_line,
            "columns": log.columns.named(),
            "rows_read": log.read,
            "rows_used": len(log),
            "rows_refused": log.refused.total,
            "refused": {
                reason: {
                    "rows": count,
                    "en": REASONS[reason][0],
                    "zh": REASONS[reason][1],
                    "first_lines": [line for line, _ in log.refused.first[reason]],
                }
                for reason, count in log.refused.counts.most_common()
            },
            "without_time_out": log.open_stays,
            "rows_by_offset": {offset_text(offset): _cell(n) for offset, n in sorted(log.offsets.items())},
            "clock": fit.request.rules.clock,
            "equal_rows_kept": log.equal_kept,
        },
        "period": {"first": first, "last": last, "days_counted": fit.period.days, "left_out": fit.period.left_out},
        "holiday_traffic_share": fit.holiday_share,
        "span": fit.span,
        "groups": {group.name: _group_document(fit, group) for group in fit.groups},
        "zonesim": __version__,
    }


def _told_classes(group: Group) -> dict[str, float]:
    """Return the shares of the classes that have enough vehicles to be told."""
    return {name: share for name, share in group.classes.items() if share * group.arrivals.count >= SMALLEST_CELL}


def _group_document(fit: Fit, group: Group) -> dict[str, Any]:
    found = group.arrivals
    test = found.dispersion
    return {
        "direction": group.direction,
        "kind": group.kind,
        "vehicle": group.vehicle,
        "rows": _cell(found.count),
        "rate_per_day": {"value": found.rate, "low": found.low, "high": found.high},
        "profiles": [
            {"days_of": part.name or "all", "hours": part.hours, "days": part.days, "rate_per_day": part.rate}
            for part in found.parts
        ],
        "profile_of_all_vehicles": found.borrowed,
        "week_per_hour": [[float(value) for value in row] for row in found.week],
        "dispersion": {
            "index": test.index,
            "degrees_of_freedom": test.freedom,
            "p": test.p,
            "index_of_days": test.by_day,
            "within_a_minute": test.near,
            "within_a_minute_expected": test.near_expected,
            "verdict": test.verdict,
        },
        "classes": _told_classes(group),
        "lane_time": _durations_document(group.lane) | {"from": fit.lane_source, "pooled": group.lane_pooled},
        "time_in_to_time_out": _durations_document(group.span) | {"is": fit.span},
    }


def _cell(count: int) -> int | None:
    return count if count >= SMALLEST_CELL else None


def _durations_document(durations: Durations | None) -> dict[str, Any]:
    if durations is None:
        return {"rows": None}
    return {
        "rows": durations.count,
        "rows_fitted": durations.fitted,
        "zero_times": _cell(durations.zeros),
        "resolution_ms": durations.resolution,
        "mean_s": durations.mean / SECOND,
        "sd_s": durations.sd / SECOND,
        "quantiles_s": {f"{share:g}": value / SECOND for share, value in durations.quantiles.items()},
        "chosen": durations.chosen(),
        "laws": [
            {
                "law": each.written,
                "parameters": each.parameters,
                "log_likelihood": each.log_likelihood,
                "aic": each.aic,
                "bic": each.bic,
                "kolmogorov_smirnov": each.ks,
                "p": each.p,
                "anderson_darling": each.ad,
            }
            for each in durations.candidates
        ],
        "empirical": [duration_text(value) for value in durations.empirical],
    }


FIT_HEAD: Final = ("traffic", "quantity", "指标", "at", "value", "low", "high", "unit", "rows", "run")


def fit_rows(fit: Fit) -> Iterator[list[Any]]:
    """Yield the numbers of the document one a row, for spreadsheets."""
    for group in fit.groups:
        found = group.arrivals
        n = "" if _cell(found.count) is None else found.count
        yield ([group.name, "rate", "日均到达", "", found.rate, found.low, found.high, "1/d", n])
        yield ([group.name, "index of dispersion", "离散指数", "", _blank(found.dispersion.index), "", "", "", n])
        for part in found.parts:
            for hour, weight in enumerate(part.hours):
                yield (
                    [
                        group.name,
                        "weight of hour",
                        "小时权重",
                        f"{part.name or 'all'} {hour:02d}",
                        weight,
                        "",
                        "",
                        "",
                        "",
                    ]
                )
            for day, weight in zip(_DAYS, part.days, strict=True):
                yield ([group.name, "weight of day", "星期权重", f"{part.name or 'all'} {day}", weight, "", "", "", ""])
        for name, share in _told_classes(group).items():
            yield ([group.name, "share of class", "类别占比", name, share, "", "", "", ""])
        for en, zh, durations in (
            ("time in lane", "通道用时", group.lane),
            ("time in to time out", "进出时间差", group.span),
        ):
            if durations is None:
                continue
            yield ([group.name, f"{en}, mean", f"{zh}均值", "", durations.mean / SECOND, "", "", "s", durations.count])
            for q, value in durations.quantiles.items():
                yield (
                    [
                        group.name,
                        f"{en}, quantile",
                        f"{zh}分位数",
                        f"{q:g}",
                        value / SECOND,
                        "",
                        "",
                        "s",
                        durations.count,
                    ]
                )


def _blank(value: float) -> float | str:
    return value if np.isfinite(value) else ""


# --- for people


def fit_text(fit: Fit, say: Words, written: list[Path], more: Sequence[str] = ()) -> str:
    """Return the report; `more`: what is doubtful, and the scenario beside the log."""
    parts = [_log_text(fit, say), _arrivals_text(fit, say), _times_text(fit, say), *more]
    closing = [
        say("report.files", files=" ".join(map(str, written))),
        say("report.private", n=SMALLEST_CELL),
        say("report.measures", command=_compare_command(fit, written[0])),
    ]
    if len(fit.log) > MOST_REPLAYED:
        closing.append(say("report.cut", n=MOST_REPLAYED))
    return "\n\n".join([*(part for part in parts if part), "\n".join(closing)])


def _compare_command(fit: Fit, scenario: Path) -> str:
    own = not fit.visits and any(group.lane is not None for group in fit.groups)
    return f"zonesim compare {scenario}" + (" --set 'traffic.*.flow=gate'" if own else "")


def _log_text(fit: Fit, say: Words) -> str:
    log = fit.log
    share = f"{100 * log.refused.total / log.read:.2g} %"
    lines = [
        say("report.read", file=log.file, read=log.read, used=len(log), refused=log.refused.total, share=share),
        say(
            "report.form",
            encoding=log.form.encoding.removesuffix("-sig"),
            separator=say(f"report.separator.{SEPARATORS[log.form.separator]}"),
            line=log.form.header_line,
        ),
    ]
    if log.refused.total:
        table = Table(box=None, pad_edge=False)
        table.add_column(say("report.refused"), justify="right")
        table.add_column(say("report.reason"))
        table.add_column(say("report.lines"), overflow="fold")
        for reason, count in log.refused.counts.most_common():
            named = [
                f"{line}" + (say("report.in_brackets", text=detail_in(detail, say.language)) if detail else "")
                for line, detail in log.refused.first[reason]
            ]
            words = [f"{log.file.name}:{say('report.comma').join(named)}" + (" …" if count > len(named) else "")]
            table.add_row(f"{count:,}", REASONS[reason][say.language == "zh"], *words)
        lines.append(printed(table))
    first, last = log.dates
    lines.append(say("report.period", first=first, last=last, days=fit.period.days))
    for reason, dates in fit.period.left_out.items():
        shown = ", ".join(dates[:SHOWN_DATES]) + (" …" if len(dates) > SHOWN_DATES else "")
        lines.append(say("report.left_out", dates=shown, reason=say(f"report.{reason}")))
    if not np.isnan(fit.holiday_share):
        lines.append(say("report.holiday_share", share=f"{100 * fit.holiday_share:.0f} %"))
    if not all(group.arrivals.weekdays_seen for group in fit.groups):
        lines.append(say("report.weekdays"))
    for offset, n in sorted(log.offsets.items()):
        kept = fit.request.rules.clock == "written"
        lines.append(say(f"report.{'as_written' if kept else 'turned'}", n=n, offset=offset_text(offset)))
    if log.open_stays:
        lines.append(say("report.open", n=log.open_stays))
    if log.equal_kept:
        lines.append(say("report.equal", n=log.equal_kept))
    return "\n".join(lines)


def _arrivals_text(fit: Fit, say: Words) -> str:
    table = Table(title=say("report.arrivals"), title_justify="left", box=None, pad_edge=False)
    table.add_column(say("report.group"))
    for key in ("count", "rate", "low", "high", "busiest", "index", "p", "by_day", "near", "near_expected"):
        table.add_column(say(f"report.{key}"), justify="right")
    table.add_column(say("report.verdict"))
    notes = []
    for group in fit.groups:
        found, test = group.arrivals, group.arrivals.dispersion
        table.add_row(
            group_label(group, say),
            f"{found.count:,}",
            *(f"{value:.4g}" for value in (found.rate, found.low, found.high)),
            _busiest(group, say),
            _two(test.index),
            "-" if np.isnan(test.p) else "<0.0001" if test.p < 1e-4 else f"{test.p:.2g}",  # noqa: PLR2004
            _two(test.by_day),
            _percent(test.near),
            _percent(test.near_expected),
            say(f"report.{test.verdict}"),
        )
        notes += _advice(group, say)
    hours = Table(title=say("report.profile"), title_justify="left", box=None, pad_edge=False)
    hours.add_column(say("report.group"))
    for hour in range(DAY_HOURS):
        hours.add_column(f"{hour:02d}", justify="right")
    for group in fit.groups:
        for part in group.arrivals.parts:
            name = group_label(group, say) + (say("report.comma") + say(f"report.{part.name}") if part.name else "")
            hours.add_row(name, *(f"{weight:.1f}" for weight in part.hours))
    return "\n".join([printed(table), say("report.dispersion_note"), *notes, "", printed(hours)])


def _advice(group: Group, say: Words) -> list[str]:
    found, test = group.arrivals, group.arrivals.dispersion
    name = group_label(group, say)
    notes = []
    if test.verdict == "less":
        notes.append(say("report.advice_less", group=name))
    elif test.verdict == "more" and not test.by_day > 2 * test.index:
        size = max(round(test.index), 2)
        notes.append(say("report.advice_batch", group=name, size=size, share=f"1/{size}"))
    elif test.verdict == "more":
        notes.append(say("report.advice_days", group=name, by_day=_two(test.by_day)))
    if found.borrowed:
        notes.append(say("report.borrowed", group=name))
    elif len(found.parts) > 1:
        notes.append(
            say(
                "report.split",
                group=name,
                days=say("report.comma").join(say(f"report.{part.name}") for part in found.parts),
            )
        )
    return notes


def group_label(group: Group, say: Words) -> str:
    """Return how a group is called: its name, or in Chinese the words of the log."""
    if say.language != "zh":
        return group.name
    way = {"in": "进", "out": "出"}.get(group.direction, group.direction)
    return f"{way}{group.kind or '车辆'}"


def _busiest(group: Group, say: Words) -> str:
    best = max(
        (
            (part.rate * 7 * day / sum(part.days) * hour / DAY_HOURS, number, at)
            for part in group.arrivals.parts
            for number, day in enumerate(part.days)
            for at, hour in enumerate(part.hours)
        ),
        key=lambda found: found[0],
    )
    return say("report.busiest_hour", day=say(f"day.{best[1]}"), hour=best[2], rate=best[0])


def _two(value: float) -> str:
    return "-" if np.isnan(value) else f"{value:.2f}"


def _percent(value: float) -> str:
    return "-" if np.isnan(value) else f"{100 * value:.1f} %"


def _times_text(fit: Fit, say: Words) -> str:
    parts = []
    if fit.lane_source == "column":
        head = say("report.lane_column", column=fit.log.columns.lane_time)
    elif fit.lane_source == "empty gate":
        head = say("report.lane_empty", n=fit.lane_rows, lanes=max(fit.request.lanes, 1))
    else:
        head = say("report.no_lane")
    parts.append(say("report.headed", head=say("report.lane"), text=head))
    parts += [
        _durations_text(group, group.lane, say, pooled=group.lane_pooled)
        for group in fit.groups
        if group.lane is not None
    ]
    spans = [group for group in fit.groups if group.span is not None]
    if spans:
        parts.append(say("report.headed", head=say(f"report.{fit.span}"), text=say(f"report.{fit.span}_note")))
        parts += [_durations_text(group, group.span, say) for group in spans if group.span is not None]
    if any(group.lane or group.span for group in fit.groups):
        parts.append(say("report.p_note"))
    return "\n\n".join(parts)


def _durations_text(group: Group, durations: Durations, say: Words, *, pooled: bool = False) -> str:
    numbers = {
        "mean": say.quantities(duration_text(durations.mean)),
        "sd": say.quantities(duration_text(durations.sd)),
        "median": say.quantities(duration_text(durations.quantiles[0.5])),
        "late": say.quantities(duration_text(durations.quantiles[0.95])),
    }
    table = Table(
        title=say("report.titled", name=group_label(group, say), n=durations.count) + say("report.mean", **numbers),
        title_justify="left",
        box=None,
        pad_edge=False,
    )
    table.add_column(say("report.law"))
    for key in ("delta", "gap_share", "ad", "p"):
        table.add_column(say(f"report.{key}"), justify="right")
    table.add_column(say("report.written"))
    best = durations.candidates[0].bic if durations.candidates else 0.0
    for each in durations.candidates[:SHOWN_LAWS]:
        table.add_row(
            say(f"fit.law.{each.name}"),
            f"{each.bic - best:,.1f}",
            _percent(each.ks),
            f"{each.ad:.3g}",
            "-" if np.isnan(each.p) else f"{each.p:.2g}",
            _flow_text(each.written) + (f"  ← {say('report.chosen')}" if each is durations.best else ""),
        )
    notes = []
    if durations.candidates and durations.best is None:
        notes.append(say("report.none_close", close=f"{100 * CLOSE_GAP:g} %"))
    if durations.empirical:
        notes.append(say("report.empirical", points=len(durations.empirical)))
    unit = {MINUTE: "minute", HOUR: "hour", SECOND: "second"}.get(durations.resolution)
    if unit and durations.resolution > _FINE * durations.mean:
        notes.append(say("report.resolution", unit=say(f"report.{unit}"), zeros=durations.zeros))
    if durations.fitted < durations.count:
        notes.append(say("report.sample", n=durations.fitted))
    if pooled:
        notes.append(say("report.pooled"))
    return "\n".join([printed(table), *(f"  {note}" for note in notes)])


def _flow_text(value: Any) -> str:  # noqa: ANN401  any part of a law
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_flow_text(part)}" for key, part in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_flow_text(part) for part in value) + "]"
    return f"{value:g}" if isinstance(value, float) else str(value)
