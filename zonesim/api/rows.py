"""The rows of a study, and how they are printed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.table import Table

from zonesim.briefing.tables.printing import printed
from zonesim.briefing.text.values import figure_text


@dataclass(frozen=True)
class Row:
    """A KPI of an arm in a future, with its paired difference to the baseline; nan where there is none."""

    future: str
    """Name of the future, `as written` where nothing varies."""
    arm: str
    """Name of the arm."""
    kpi: str
    """Id of the KPI."""
    en: str
    """Its label in English."""
    zh: str
    """Its label in Chinese."""
    unit: str
    """Unit of the value; `share` is a number from 0 to 1."""
    value: float
    """Mean over replications; nan where it is undefined or not given (see `tag`)."""
    low: float
    """Lower confidence limit."""
    high: float
    """Upper confidence limit."""
    n: int
    """Replications behind the mean."""
    difference: float
    """Mean paired difference to the baseline in the same future; nan for the baseline itself."""
    difference_low: float
    """Lower confidence limit of the difference."""
    difference_high: float
    """Upper confidence limit of the difference."""
    change: str
    """`better` or `worse`, where its limits are on one side of 0 and one way is good for the KPI; else nothing."""
    tag: str
    """
    What is to be known of it: `input`, `not material`, `grows`, `missing`, `mix`, `bound`, `stable by hand`, or
    nothing.
    """
    direct: float
    """The difference with unlimited units, of a duration of single tokens; nan where it is none, or was not run."""
    congestion: float
    """What is left of the difference without its direct part; nan as that."""


def rows_text(rows: Sequence[Row]) -> str:
    """Return one line a KPI, future and arm: value and difference with their limits, and the tag."""
    several = len({row.future for row in rows}) > 1
    table = Table(box=None, pad_edge=False)
    for title in ("KPI", "指标", "unit", *(["future"] if several else []), "arm"):
        table.add_column(title)
    for title in ("value", "low", "high", "difference", "low", "high", "n"):
        table.add_column(title, justify="right")
    table.add_column("tag")
    before = ""
    for row in rows:
        percent = row.unit == "share"
        numbers = (row.value, row.low, row.high, row.difference, row.difference_low, row.difference_high)
        told = [row.en, row.zh, "%" if percent else row.unit] if row.kpi != before else ["", "", ""]
        cells = [figure_text(value, percent=percent) for value in numbers]
        table.add_row(*told, *([row.future] if several else []), row.arm, *cells, str(row.n), row.tag)
        before = row.kpi
    return printed(table)
