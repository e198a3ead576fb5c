"""What a day costs and who pays, beside the table of KPIs: by item, by payer and together, and what pays for itself."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from rich.table import Table

from zonesim.analysis import YEAR, CostLine, Costs, Payback
from zonesim.briefing.tables.printing import printed
from zonesim.briefing.text.arm_names import ArmHeads
from zonesim.briefing.text.words import CHINESE, ENGLISH, Words
from zonesim.experiment import Results
from zonesim.scenario import load_catalogue
from zonesim.writing import write_table

CSV: Final = "costs.csv"
PAYBACK_CSV: Final = "payback.csv"

COLUMNS: Final = (
    *("arm", "kind", "cost", "payer", "label_en", "label_zh", "unit", "value", "low", "high", "n", "least", "most"),
    *("per_year", "per_consignment", "difference", "diff_low", "diff_high", "diff_least", "diff_most"),
    *("diff_per_year", "diff_per_consignment", "reason", "tag", "run"),
)
PAYBACK_COLUMNS: Final = (
    *("arm", "investment", "label_en", "label_zh", "payer", "zones", "units", "price_low", "price", "price_high"),
    *(
        "upkeep_low",
        "upkeep",
        "upkeep_high",
        "life",
        "years",
        "years_low",
        "years_high",
        "years_least",
        "years_most",
        "run",
    ),
)

UNIT: Final = "CNY/d"

UNNAMED: Final = ArmHeads()
"""Arms keep the names that commands give them."""


_THOUSAND: Final = 1000

_EACH: Final = "CNY/consignment"


def cost_rows(results: Results, costs: Costs) -> list[list[Any]]:
    """Return all lines in all arms as rows with `COLUMNS`; CNY a day, a year and a consignment; nan: not known."""
    rows = []
    for line in costs.lines:
        for arm, amount in line.amounts.items():
            usual, saving, each = amount.usual, line.differences.get(arm), costs.consignments[arm]
            row: list[Any] = [arm, line.kind, line.name, line.payer, line.label["en"], line.label["zh"], UNIT]
            row += [usual.value, usual.low, usual.high, usual.n, amount.least, amount.most]
            row += [YEAR * usual.value, _per(usual.value, each)]
            if saving is None:
                row += [*(math.nan,) * 7, usual.reason, ""]
            else:
                change = saving.usual
                row += [change.value, change.low, change.high, saving.least, saving.most]
                row += [YEAR * change.value, _per(change.value, each), usual.reason, saving.tag]
            rows.append([*row, results.run])
    return rows


def payback_rows(results: Results, costs: Costs) -> list[list[Any]]:
    """Return what is bought as rows with `PAYBACK_COLUMNS`; CNY and years, inf: never, nan: not known."""
    return [
        [
            *(each.arm, each.name, each.label["en"], each.label["zh"], each.payer, " ".join(each.zones), each.units),
            *(*each.price, *each.upkeep, each.life),
            *(each.years, each.years_low, each.years_high, each.years_least, each.years_most, results.run),
        ]
        for each in costs.paybacks
    ]


def cost_document(results: Results, costs: Costs) -> dict[str, Any]:
    """Return lines and paybacks for --json."""
    return {
        "unit": UNIT,
        "consignments": costs.consignments,
        "lines": [dict(zip(COLUMNS[:-1], row, strict=False)) for row in cost_rows(results, costs)],
        "payback": [dict(zip(PAYBACK_COLUMNS[:-1], row, strict=False)) for row in payback_rows(results, costs)],
    }


def write_costs(folder: Path, results: Results, costs: Costs) -> list[Path]:
    """Write `costs.csv` and, where something is bought, `payback.csv`; return their paths."""
    if not costs.lines:
        return []
    paths = [folder / CSV]
    write_table(paths[0], COLUMNS, cost_rows(results, costs))
    if costs.paybacks:
        paths.append(folder / PAYBACK_CSV)
        write_table(paths[1], PAYBACK_COLUMNS, payback_rows(results, costs))
    return paths


def cost_text(costs: Costs, baseline: str, heads: ArmHeads = UNNAMED) -> str:
    """
    Return who pays what as text: amounts of the baseline, for every other arm the differences, and what pays for
    itself. Empty where nothing is paid for.
    """
    if not costs.lines:
        return ""
    told = [line for line in costs.lines if line.kind != "cost"]
    others = [arm for arm in costs.consignments if arm != baseline]
    parts = (
        [_amounts(told, costs, baseline, heads)]
        if not others
        else [_differences(told, costs, baseline, arm, heads) for arm in others]
    )
    parts += [say("cost.unknown", names=", ".join(costs.unknown)) for say in (ENGLISH, CHINESE) if costs.unknown]
    parts += [line for each in costs.paybacks for line in payback_lines(each, heads)]
    return "\n".join(parts)


def payback_lines(each: Payback, heads: ArmHeads = UNNAMED) -> Iterator[str]:
    """Yield in both languages how soon what an arm needs pays for itself."""
    payers = load_catalogue().payers
    for say, called in zip((ENGLISH, CHINESE), heads.both(each.arm), strict=True):
        key = "years" if math.isfinite(each.years) else "never" if each.years == math.inf else "not_known"
        head = say(
            "payback.price",
            arm=called,
            name=each.label[say.language],
            units=f"{each.units}",
            payer=payers[each.payer][say.language],
            price=_thousands(each.price[1]),
            upkeep=_thousands(each.upkeep[1]),
        )
        tail = say(
            f"payback.{key}",
            years=_years(each.years, say),
            low=_years(each.years_low, say),
            high=_years(each.years_high, say),
            least=_years(each.years_least, say),
            most=_years(each.years_most, say),
            life=f"{each.life:g}",
        )
        yield f"{head}{tail}"


def _amounts(told: list[CostLine], costs: Costs, arm: str, heads: ArmHeads) -> str:
    table = _begun(_title(heads, arm, arm), heads.head(arm), "low", "high", "least … most", "kCNY/year", _EACH)
    for line in told:
        amount = line.amounts[arm]
        cells = [_money(value) for value in (amount.usual.value, amount.usual.low, amount.usual.high)]
        cells += [_range(amount.least, amount.most), _thousands(YEAR * amount.usual.value)]
        table.add_row(
            *_named(line), *cells, _money(_per(amount.usual.value, costs.consignments[arm])), amount.usual.reason
        )
    return printed(table)


def _differences(told: list[CostLine], costs: Costs, baseline: str, arm: str, heads: ArmHeads) -> str:
    titles = (heads.head(baseline), "difference", "low", "high", "least … most", "kCNY/year", _EACH)
    table = _begun(_title(heads, arm, baseline), *titles)
    for line in told:
        saving = line.differences[arm]
        change = saving.usual
        cells = [_money(value) for value in (line.amounts[baseline].usual.value, change.value, change.low, change.high)]
        cells += [_range(saving.least, saving.most), _thousands(YEAR * change.value)]
        reason = line.amounts[baseline].usual.reason or line.amounts[arm].usual.reason
        table.add_row(*_named(line), *cells, _money(_per(change.value, costs.consignments[arm])), reason or saving.tag)
    return printed(table)


def _title(heads: ArmHeads, arm: str, baseline: str) -> str:
    """Return the title of a table in both languages."""
    key = "cost.title" if arm == baseline else "cost.title_against"
    pairs = zip((ENGLISH, CHINESE), heads.both(arm), heads.both(baseline), strict=True)
    return " | ".join(say(key, arm=one, baseline=other) for say, one, other in pairs)


def _begun(title: str, *heads: str) -> Table:
    table = Table(title=title, title_justify="left", box=None, pad_edge=False)
    for head in ("who pays", "承担方"):
        table.add_column(head)
    for head in heads:
        table.add_column(head, justify="right")
    table.add_column("tag")
    return table


def _named(line: CostLine) -> tuple[str, str]:
    return line.label["en"], line.label["zh"]


def _per(value: float, consignments: float) -> float:
    """Return an amount of a day for each consignment, nan where there are none."""
    return value / consignments if consignments > 0 else math.nan


def _money(value: float) -> str:
    """Return CNY with no more digits than they deserve."""
    if math.isnan(value):
        return "-"
    text = f"{value:,.0f}" if abs(value) >= 100 else f"{value:.1f}"  # noqa: PLR2004
    return "0" if text in {"0.0", "-0.0", "-0"} else text


def _thousands(value: float) -> str:
    return _money(value / _THOUSAND)


def _range(least: float, most: float) -> str:
    return "-" if math.isnan(least) or math.isnan(most) else f"{_money(least)} … {_money(most)}"


def _years(value: float, say: Words) -> str:
    if math.isnan(value):
        return "-"
    return say("payback.no_end") if math.isinf(value) else f"{value:.1f}"
