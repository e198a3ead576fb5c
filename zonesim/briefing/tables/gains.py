"""Who gains, beside the table of KPIs: what an arm changes for zones, classes and sizes of firms, and goods."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from rich.table import Table

from zonesim.analysis import ALL, GATE, ZONE, Gain
from zonesim.briefing.tables.headlines import against
from zonesim.briefing.tables.printing import printed
from zonesim.briefing.tables.workbook import PERCENT
from zonesim.briefing.text.arm_names import ArmHeads
from zonesim.briefing.text.values import figure_text, level_text
from zonesim.briefing.text.words import CHINESE, ENGLISH, Words
from zonesim.experiment import Results
from zonesim.scenario import Scenario, load_catalogue
from zonesim.scenario.fields import EVERYTHING
from zonesim.scenario.kpis import FIRM_SIZE
from zonesim.writing import write_table

CSV: Final = "gains.csv"

COLUMNS: Final = (
    *("arm", "group_by", "group", "goods_of", "group_en", "group_zh", "kpi", "unit", "cases", "base", "value"),
    *("difference", "diff_low", "diff_high", "percent", "n", "change", "apart", "apart_low", "apart_high", "differs"),
    *("tag", "run"),
)
WIDTHS: Final = (16, 14, 18, 12, 30, 24, 36, 8, *[12] * 13, 14, 12)

MOST: Final = 12
"""Groups of an arm that are printed at most; all are written to the file."""


def group_label(gain: Gain, scenario: Scenario, say: Words) -> str:
    """Return what people call a group: `large firms`, `class AEO`, `Kunshan (KS)`."""
    if gain.by == ALL:
        return say("gains.all")
    if gain.by == FIRM_SIZE:
        return say.label(load_catalogue().firm_sizes[gain.value].label, gain.value)
    if gain.by in {ZONE, GATE}:
        zone, _, lanes = gain.value.partition(".")
        own = scenario.zones[zone]
        title = say.title(own.label, zone)
        return title if not lanes else say("gains.gate", zone=title, lanes=say.label(own.entries()[lanes].label, lanes))
    called = scenario.attributes[gain.by].label if gain.by in scenario.attributes else {}
    what = say.label(called, say.term(gain.by)) if called else say.term(gain.by)
    return say("gains.value", what=what, value=say.term(gain.value))


def gain_rows(results: Results, found: Sequence[Gain], scenario: Scenario) -> Iterator[list[Any]]:
    """Yield what is told of every group, by `COLUMNS`."""
    for each in found:
        change, apart = each.difference, each.apart
        yield [
            *(each.arm, each.by, each.value, each.subject),
            *(group_label(each, scenario, say) for say in (ENGLISH, CHINESE)),
            *(each.kpi, results.kpis[each.kpi].unit, each.cases, each.base.value, each.own.value),
            *(change.value, change.low, change.high, each.relative, change.n, change.change(each.better)),
            *(apart.value, apart.low, apart.high, int(each.differs), each.tag, results.run),
        ]


def gain_formats() -> list[str]:
    """Return the formats of a row in a workbook."""
    return [PERCENT if name == "percent" else "" for name in COLUMNS]


def gain_document(results: Results, found: Sequence[Gain], scenario: Scenario) -> list[dict[str, Any]]:
    """Return what is told of every group for --json."""
    return [dict(zip(COLUMNS[:-1], row[:-1], strict=True)) for row in gain_rows(results, found, scenario)]


def write_gains(folder: Path, results: Results, found: Sequence[Gain], scenario: Scenario) -> list[Path]:
    """Write `gains.csv`, a row for each arm and group; return its path, nothing where there are no groups."""
    if not has_groups(found):
        return []
    path = folder / CSV
    write_table(path, COLUMNS, gain_rows(results, found, scenario))
    return [path]


def has_groups(found: Sequence[Gain]) -> bool:
    """Return whether there is any group besides all goods together."""
    return any(each.by != ALL for each in found)


def gains_text(results: Results, found: Sequence[Gain], scenario: Scenario, heads: ArmHeads) -> str:
    """Return the groups that gain clearly more or less than all goods, or lose, a table an arm; empty: no groups."""
    if not has_groups(found):
        return ""
    arms = dict.fromkeys(each.arm for each in found)
    return "\n\n".join(_of_arm(results, [each for each in found if each.arm == arm], scenario, heads) for arm in arms)


def _of_arm(results: Results, found: Sequence[Gain], scenario: Scenario, heads: ArmHeads) -> str:
    arm, level = found[0].arm, level_text(results.level)
    looked = [each for each in found if each.subject == EVERYTHING and each.by not in {ALL, GATE}]
    shown = [each for each in found if each.subject == EVERYTHING and (each.differs or each.loses) and each.by != ALL]
    chance = round((1 - results.level) * len(looked))
    title = f"Who gains | 谁受益: {against(heads, arm, results.baseline)}"
    note = ENGLISH("gains.looked", n=len(looked), level=level, chance=chance)
    if not shown:
        return "\n".join([title, ENGLISH("gains.nobody", n=len(looked), level=level)])
    table = Table(box=None, pad_edge=False)
    for head in ("group", "组别"):
        table.add_column(head)
    for head in (
        "a day",
        heads.head(results.baseline),
        heads.head(arm),
        "difference",
        "low",
        "high",
        "%",
        "than all",
        "low",
        "high",
    ):
        table.add_column(head, justify="right")
    table.add_column("unit")
    table.add_column("tag")
    for each in [*(own for own in found if own.by == ALL), *shown[:MOST]]:
        numbers = [each.cases, each.base.value, each.own.value]
        numbers += [each.difference.value, each.difference.low, each.difference.high, 100 * each.relative]
        numbers += [each.apart.value, each.apart.low, each.apart.high]
        cells = [figure_text(value, percent=False) for value in numbers]
        names = [group_label(each, scenario, say) for say in (ENGLISH, CHINESE)]
        table.add_row(*names, *cells, results.kpis[each.kpi].unit, each.tag)
    more = [ENGLISH("gains.more", n=len(shown) - MOST, file=CSV)] if len(shown) > MOST else []
    return "\n".join([title, printed(table), *more, note])
