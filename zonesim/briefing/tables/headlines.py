"""The headlines of `run` and `compare` as printed tables: of values, or of differences, one for each other arm."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from rich.table import Table

from zonesim.analysis import Comparison, Effect
from zonesim.briefing.tables.printing import printed
from zonesim.briefing.text.arm_names import ArmHeads
from zonesim.briefing.text.effect_parts import doubt_lines, doubt_text, letters_of
from zonesim.briefing.text.values import figure_text, interval_text, reason_text
from zonesim.briefing.text.words import CHINESE, ENGLISH
from zonesim.experiment import UNLIMITED_UNITS, Design, Results
from zonesim.kpi import Kpi

PRECISE: Final = 0.05
"""Half the width of an interval, as a share of the mean, that is precise enough for most questions."""


def headline_tables(
    design: Design, results: Results, comparison: Comparison, needed: Mapping[str, int | None], heads: ArmHeads
) -> str:
    """
    Return the headlines as text: values with intervals where there is one arm, else a table for each other arm.

    `needed`: by KPI, the replications that bring its interval to `PRECISE`; None where no number does.
    """
    others = [name for name in design.options if name != comparison.baseline]
    shown = [kpi for kpi in design.kpis if kpi.headline]
    if not others:
        return _values(shown, comparison, needed, heads)
    effects = {(effect.arm, effect.kpi): effect for effect in comparison.effects}
    letters = letters_of(effects[name, kpi.id] for kpi in shown for name in others)
    parted = UNLIMITED_UNITS in results.beside
    told: list[str] = []
    for name in others:
        title = [against(heads, name, comparison.baseline)] if len(others) > 1 else []
        own = {kpi.id: effects[name, kpi.id] for kpi in shown}
        told += [
            *([""] if told else []),
            *title,
            _differences(name, shown, comparison, own, letters, heads, parted=parted),
        ]
    return "\n".join([*told, *doubt_lines(results, letters)])


def against(heads: ArmHeads, arm: str, baseline: str) -> str:
    """Return which arm is compared with which, in both languages."""
    pairs = zip((ENGLISH, CHINESE), heads.both(arm), heads.both(baseline), strict=True)
    return " | ".join(say("against", arm=one, baseline=other) for say, one, other in pairs)


def _values(shown: list[Kpi], comparison: Comparison, needed: Mapping[str, int | None], heads: ArmHeads) -> str:
    """Return the values of the only arm, with intervals and the replications that they need."""
    table = _begun(heads.head(comparison.baseline), "low", "high", "n", f"n for ±{100 * PRECISE:g} %")
    for kpi in shown:
        base, count = comparison.arms[comparison.baseline][kpi.id], needed[kpi.id]
        percent = kpi.unit == "share"
        values = [figure_text(value, percent=percent) for value in (base.value, base.low, base.high)]
        more = [_count(base.n, base.reason), "-" if count is None else f"{count:,}", reason_text(base)]
        table.add_row(*_named(kpi), *values, *more)
    return printed(table)


def _differences(
    name: str,
    shown: list[Kpi],
    comparison: Comparison,
    effects: Mapping[str, Effect],
    letters: Mapping[str, str],
    heads: ArmHeads,
    *,
    parted: bool,
) -> str:
    """Return the values of the baseline and of an arm, their difference and its parts, and what doubts do to it."""
    doubtful = any(effects[kpi.id].doubtful for kpi in shown)
    parts = ("direct", "congestion") if parted else ()
    table = _begun(heads.head(comparison.baseline), heads.head(name), "difference", "low", "high", *parts, "n")
    if doubtful:
        table.add_column("low … high", justify="right")
    for kpi in shown:
        base, own, effect = comparison.arms[comparison.baseline][kpi.id], comparison.arms[name][kpi.id], effects[kpi.id]
        percent, change = kpi.unit == "share", effect.difference
        cells = [interval_text(each, percent=percent) for each in (base, own)]
        cells += [figure_text(value, percent=percent) for value in (change.value, change.low, change.high)]
        if parted:
            both = (effect.parts.direct, effect.parts.congestion) if effect.parts else ()
            cells += [figure_text(each.value, percent=False) for each in both] or ["", ""]
        cells += [_count(base.n, base.reason), effect.tag if effect.tag != "missing" else reason_text(own)]
        table.add_row(*_named(kpi), *cells, *([doubt_text(effect, letters, percent=percent)] if doubtful else []))
    return printed(table)


def _begun(*titles: str) -> Table:
    """Return a table with the columns that name a KPI, numbers of some titles, and the tag."""
    table = Table(box=None, pad_edge=False)
    for title in ("KPI", "指标", "unit"):
        table.add_column(title)
    for title in titles:
        table.add_column(title, justify="right")
    table.add_column("tag")
    return table


def _named(kpi: Kpi) -> tuple[str, str, str]:
    return f"{kpi.subject} {kpi.definition.en}", kpi.definition.zh, "%" if kpi.unit == "share" else kpi.unit


def _count(n: int, reason: str) -> str:
    """Return the number of replications behind a value, `-` where it is no value of them."""
    return "-" if reason == "band" else str(n)
