"""Which doubted numbers move a KPI: a table for each KPI, and all of it as CSV and JSON."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from rich.table import Table

from zonesim.analysis import QUANTITIES, Interval, Sensitivity
from zonesim.briefing.tables.printing import printed
from zonesim.briefing.text.values import figure_text
from zonesim.briefing.text.words import Words
from zonesim.kpi import Kpi

COLUMNS: Final = (
    *("kpi", "label_en", "label_zh", "unit", "method", "number", "kind"),
    *("quantity", "value", "low", "high", "n", "reason", "run"),
)

MOST_ROWS: Final = 12
"""So many numbers are printed; the CSV has all."""

_SHARES: Final = frozenset({"total", "first"})


def sensitivity_rows(
    told: Sequence[Sensitivity], kpis: Mapping[str, Kpi], kinds: Mapping[str, str], run: str
) -> Iterator[list[Any]]:
    """
    Yield all as rows with `COLUMNS`: quantities as in `QUANTITIES`, the KPI itself as `middle` without a number.

    `kinds`: by number where it comes from.
    """
    for each in told:
        kpi = kpis[each.kpi]
        head = [kpi.id, kpi.en, kpi.zh, kpi.unit, each.method]
        yield [*head, "", "", "middle", *_numbers(each.middle), run]
        for own in each.influences:
            for quantity in QUANTITIES[each.method]:
                yield [*head, own.factor, kinds[own.factor], quantity, *_numbers(own.values[quantity]), run]


def sensitivity_document(
    told: Sequence[Sensitivity], kpis: Mapping[str, Kpi], kinds: Mapping[str, str], run: str
) -> list[dict[str, Any]]:
    """Return what --json tells of each KPI."""
    rows = [dict(zip(COLUMNS, row, strict=True)) for row in sensitivity_rows(told, kpis, kinds, run)]
    return [
        {
            "kpi": each.kpi,
            "method": each.method,
            "futures": each.points,
            "unknown": each.unknown,
            "luck": each.luck,
            "values": [
                {key: row[key] for key in COLUMNS[5:-1] if key in row}
                for row in rows
                if row["kpi"] == each.kpi and row["method"] == each.method
            ],
        }
        for each in told
    ]


def sensitivity_text(
    say: Words, told: Sensitivity, kpi: Kpi, kinds: Mapping[str, str], *, difference: bool, count: int, file: str
) -> list[str]:
    """
    Return a table of the numbers that move a KPI most, with what was done below it.

    `difference`: whether it is one between arms; `count`: walks or rows of the sample; `file`: has the others.
    """
    percent = kpi.unit == "share"
    middle = [figure_text(value, percent=percent) for value in (told.middle.value, told.middle.low, told.middle.high)]
    lines = [
        say(
            "sensitivity.of_difference" if difference else "sensitivity.of",
            kpi=kpi.id,
            label=kpi.en if say.language == "en" else kpi.zh,
            unit="%" if percent else say.unit(kpi.unit),
            **dict(zip(("value", "low", "high"), middle, strict=True)),
        )
    ]
    first, *others = QUANTITIES[told.method]
    moving = [each for each in told.influences if each.values[first].value != 0]
    if moving:
        table = Table(box=None, pad_edge=False)
        table.add_column(say("sources.path"), overflow="fold")
        table.add_column(say("sources.kind"))
        for head in (say(f"sensitivity.{first}"), say("capacity.low"), say("capacity.high")):
            table.add_column(head, justify="right")
        for quantity in others:
            table.add_column(say(f"sensitivity.{quantity}"), justify="right")
        for own in moving[:MOST_ROWS]:
            lead = own.values[first]
            cells = [_cell(lead, value, first, percent=percent) for value in (lead.value, lead.low, lead.high)]
            rest = [own.values[quantity] for quantity in others]
            cells += [_cell(each, each.value, name, percent=percent) for each, name in zip(rest, others, strict=True)]
            table.add_row(own.factor, say(f"sources.kind.{kinds[own.factor]}"), *cells)
        lines.append(printed(table))
    if len(moving) > MOST_ROWS:
        lines.append(say("sensitivity.more", n=len(moving) - MOST_ROWS, file=file))
    if still := len(told.influences) - len(moving):
        lines.append(say("sensitivity.still", n=still))
    if told.unknown:
        lines.append(say("sensitivity.unknown", n=told.unknown, points=told.points))
    if told.method == "sobol" and told.unknown:
        lines.append(say("sensitivity.no_shares"))
    lines.append(say(f"sensitivity.{told.method}_note", walks=count, rows=count, points=told.points))
    if not math.isnan(told.luck):
        lines.append(say("sensitivity.luck", share=figure_text(told.luck, percent=True)))
    return lines


def _cell(own: Interval, value: float, quantity: str, *, percent: bool) -> str:
    if own.reason:
        return "-"
    return figure_text(value, percent=percent and quantity not in _SHARES)


def _numbers(own: Interval) -> list[Any]:
    return [own.value, own.low, own.high, own.n, own.reason]
