"""The page docs/reference/kpi.md: every KPI of the library, scope by scope."""

from __future__ import annotations

from zonesim.kpi.definitions import SCOPES, definitions, library

_INTRODUCTION = """\
# KPIs

Every KPI is declared in `zonesim/library/kpis/`; a scenario declares its own in the same words: see [how to add a \
KPI](../how-to/add-a-kpi.md) and [the keys](format.md#kpi-declaration).

An id is `scope.quantity.statistic`. Intervals are over replications; a mean is withheld (null) when more than 1 % \
of its values are missing. Quantiles (type 7) take the missing for the longest, and are withheld where it matters \
for how long these have been followed; shares are withheld when more than 1 % of their cases are undecided. What \
one replication of one of the arms that are compared withholds is given for none of them: what is left would be the \
runs in which least was going on. The tables say how much is missing at most, and in how many runs; a longer \
cool_down follows more to their end. Durations between marks are those of the consignment: its last token to reach \
a mark counts, so a mark is missing as long as a truck may yet reach it; a time between two marks is 0 where the \
second comes first, and missing where the first is made and the second is not. Gate durations are those of the \
truck. Measured are the consignments that arrive inside the window; they are followed until the run ends. Arrivals, \
completions and passages per day, queues, utilisation and hours are about all that happens inside the window.

A flow is told over all the traffic that walks it, and each entry of the traffic (entries of one `group` together) \
by itself, also where it is the only one of its flow: an id keeps its meaning when another entry comes. Names in \
ids have no dot, `all` is no name, and what would share an id is refused: an entry may be called like its flow only \
where no other uses that flow, a step of a flow `Z` may not be called like a gate's lanes in a zone `Z`, and a \
scenario's own KPI not like one of the library.

`GROUP` is `class`, `firm_size` or an attribute of the scenario, `VALUE` one of its values, such as \
`F1.dwell_by.class.AEO.mean`. Groups are told of flows and of all goods, where there are two at least; see [who \
gains](../how-to/read-who-gains.md).

`better` says which way is good, where there is one: results carry it.
"""


def page() -> str:
    """Return docs/reference/kpi.md."""
    lines = [_INTRODUCTION.rstrip("\n")]
    grouped = {each.name for each in library() if each.rule.by is not None}
    for scope, written in SCOPES.items():
        rows = [row for row in definitions() if row.scope == scope]
        if not rows:
            continue
        lines += [
            "",
            f"## {written}",
            "",
            "| KPI | unit | counts | English | 中文 | definition | 定义 | better | headline |",
            "|---|---|---|---|---|---|---|---|---|",
        ]
        for row in rows:
            what = f"{row.quantity}.A_to_B.{row.statistic}" if row.kind == "stages" else row.what
            if row.quantity in grouped:
                what = f"{row.quantity}.GROUP.VALUE.{row.statistic}"
            head = "yes" if row.headline else f"without `{row.unless}`" if row.unless else ""
            better = "" if row.better == "neither" else row.better
            lines.append(
                f"| `{what}` | {row.unit} | {row.token} | {row.en} | {row.zh} | {row.meaning} | {row.meaning_zh}"
                f" | {better} | {head} |"
            )
    return "\n".join([*lines, ""])
