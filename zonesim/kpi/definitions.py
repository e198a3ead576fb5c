"""
The table of KPI definitions: the one place that says what each number means.

An id is `scope.quantity.statistic`. Scopes: a flow (`F1`), an entry of the traffic (or the group that it is
told with), a step of either (`bank.serve`), a gate direction (`TYP.lanes_in`), a resource (`TYP.officers`), or `all`.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Final, Literal

Unit = Literal["h", "min", "s", "share", "/d", "h/d", "tokens", "units", "1"]
Token = Literal["consignment", "truck", "any token", "-"]


@dataclass(frozen=True)
class Definition:
    """
    One row of the table.

    `what` is `quantity.statistic`; `token` says what is counted; `headline` rows are printed, all rows are written to files.
    """

    scope: str
    what: str
    unit: Unit
    token: Token
    en: str
    zh: str
    meaning: str
    headline: bool = False


DWELL: Final = "from arrived to usable, or to left where a flow has no usable"

# fmt: off
DEFINITIONS: Final[tuple[Definition, ...]] = (
    # Consignments of a flow.
    Definition("flow", "dwell.mean", "h", "consignment", "Dwell, mean", "停留时间均值", DWELL, headline=True),
    Definition("flow", "dwell.median", "h", "consignment", "Dwell, median", "停留时间中位数", DWELL),
    Definition("flow", "dwell.p90", "h", "consignment", "Dwell, P90", "停留时间P90", DWELL),
    Definition("flow", "dwell.p95", "h", "consignment", "Dwell, P95", "停留时间P95", DWELL, headline=True),
    Definition("flow", "dwell.within_24h", "share", "consignment", "Dwell within 24 h", "24小时内占比", DWELL),
    Definition("flow", "dwell.within_48h", "share", "consignment", "Dwell within 48 h", "48小时内占比", DWELL),
    Definition("flow", "dwell.missing", "share", "consignment", "Dwell, still missing", "未完成占比", "measured consignments without the end mark when the run ends"),
    Definition("flow", "clearance.mean", "h", "consignment", "Overall clearance time, mean", "整体通关时间均值", "from arrived to pickup_allowed", headline=True),
    Definition("flow", "clearance.p95", "h", "consignment", "Overall clearance time, P95", "整体通关时间P95", "from arrived to pickup_allowed"),
    Definition("flow", "customs.mean", "h", "consignment", "Customs time, mean", "海关通关时间均值", "from declared to released", headline=True),
    Definition("flow", "customs.p95", "h", "consignment", "Customs time, P95", "海关通关时间P95", "from declared to released"),
    Definition("flow", "customs.within_24h", "share", "consignment", "Released within 24 h", "24小时通关率", "from declared to released, of all declared"),
    Definition("flow", "declarations.day", "/d", "any token", "Declarations per day", "日均报关单（备案清单）数", "marks declared made inside the window, per day, by anybody; a consolidated declaration counts once"),
    Definition("flow", "pending.mean", "h", "consignment", "In the zone before release, mean", "入区后待放行时间均值", "from in_zone to released, 0 where the release comes first; over consignments with both marks that have reached the end of the dwell; missing are those that have not, or are in the zone without a release"),
    Definition("flow", "stage", "h", "consignment", "Stage, mean", "环节时间均值", "between two consecutive marks, over consignments that have reached the end of the dwell; a mark that is not made, or later than the next one, counts with the next; the stages add up to the dwell"),
    Definition("flow", "stay.mean", "h", "consignment", "Time inside, mean", "在途总时间均值", "from arrived to left"),
    Definition("flow", "stay.p95", "h", "consignment", "Time inside, P95", "在途总时间P95", "from arrived to left"),
    Definition("flow", "stay.missing", "share", "consignment", "Still inside at the end", "期末未离开占比", "measured consignments that have not left when the run ends"),
    Definition("flow", "inside.mean", "tokens", "consignment", "Inside, time average", "平均在途数量", "time average over the window"),
    Definition("flow", "arrived.day", "/d", "consignment", "Arrived per day", "日均到达量", "arrivals in the window per day"),
    Definition("flow", "completed.day", "/d", "consignment", "Completed per day", "日均完成量", "consignments that become usable (or leave, where a flow has no usable) inside the window, per day", headline=True),
    Definition("flow", "inspected.rate", "share", "consignment", "Inspection rate", "查验率", "measured consignments with the mark inspected; those still inside without it are undecided", headline=True),
    Definition("flow", "truck_hours.day", "h/d", "truck", "Truck hours per day", "日均车辆小时", "time of trucks inside the model within the window, per day"),
    # Steps.
    Definition("step", "wait.mean", "min", "any token", "Wait, mean", "等待时间均值", "from queued to first start, of those who got the units"),
    Definition("step", "wait.p95", "min", "any token", "Wait, P95", "等待时间P95", "from queued to first start, of those who got the units"),
    Definition("step", "wait_all.mean", "min", "any token", "Wait of all, those who gave up included, mean", "等待时间均值（含放弃者）", "from queued to first start, or to giving up"),
    Definition("step", "wait.share", "share", "any token", "Share that waits", "需等待占比", "visits with a wait above 0, those that still wait and those that gave up after a wait included"),
    Definition("step", "gave_up.share", "share", "any token", "Gave up waiting", "放弃排队占比", "visits that ended without the units, of all visits; those that still wait are undecided", headline=True),
    Definition("step", "service.mean", "min", "any token", "Time in the step, mean", "作业时间均值", "from start to end, after the wait; interruptions are part of it"),
    Definition("step", "stay.mean", "min", "any token", "Wait and step, mean", "等待及作业时间均值", "from queued to end"),
    Definition("step", "visits.day", "/d", "any token", "Visits per day", "日均次数", "visits of measured tokens, per day of the window: those that got the units, still wait for them, or gave up"),
    Definition("step", "open.share", "share", "any token", "Visits not ended", "期末未结束占比", "visits of measured tokens still open when the run ends, of all visits"),
    Definition("step", "interruptions.day", "/d", "any token", "Interruptions per day", "日均中断次数", "interruptions of the work of measured tokens, by more important ones or by breakdowns, per day of the window"),
    Definition("step", "interrupted.mean", "min", "any token", "Interruption, mean", "中断时间均值", "from an interruption until the work goes on"),
    # Directions of a gate.
    Definition("place", "lane.mean", "s", "truck", "Lane occupancy, mean", "占用通道时间均值", "from getting the lane to leaving it", headline=True),
    Definition("place", "wait.mean", "s", "truck", "Wait for a lane, mean", "卡口排队时间均值", "from joining the queue to the lane", headline=True),
    Definition("place", "wait.p95", "s", "truck", "Wait for a lane, P95", "卡口排队时间P95", "from joining the queue to the lane"),
    Definition("place", "queue_and_lane.mean", "s", "truck", "Gate time without exceptions, mean", "过卡时间均值（不含异常）", "from gate_arrived to lane_left"),
    Definition("place", "pass.mean", "s", "truck", "Gate pass time, mean", "车辆平均过卡时间", "from gate_arrived to gate_passed, exceptions included", headline=True),
    Definition("place", "pass.median", "s", "truck", "Gate pass time, median", "过卡时间中位数", "from gate_arrived to gate_passed"),
    Definition("place", "pass.p95", "s", "truck", "Gate pass time, P95", "过卡时间P95", "from gate_arrived to gate_passed", headline=True),
    Definition("place", "pass.missing", "share", "truck", "Passages not ended", "未完成过卡占比", "passages begun by measured consignments without gate_passed"),
    Definition("place", "passes.day", "/d", "truck", "Passages per day", "日均过卡车次", "passages begun inside the window per day, by anybody"),
    Definition("place", "exceptions.rate", "share", "truck", "Exception rate", "卡口异常率", "passages stopped and sent to the exception desk; those not ended and not stopped are undecided", headline=True),
    Definition("place", "manual.rate", "share", "truck", "Manual intervention rate", "人工干预率", "passages that an officer had a hand in; those not ended that none had a hand in are undecided", headline=True),
    Definition("place", "automatic.rate", "share", "truck", "Automatic release rate", "卡口自动核放率", "passages without an officer's hand; those not ended without one are undecided"),
    # Resources.
    Definition("resource", "utilisation", "share", "-", "Utilisation", "利用率", "busy over open unit time, both within the window; can pass 100 % where work in hand is finished after closing", headline=True),
    Definition("resource", "availability", "share", "-", "Availability", "可用率", "open unit time in which the units are not broken down, of all open unit time within the window", headline=True),
    Definition("resource", "queue.mean", "tokens", "any token", "Queue, time average", "平均排队数", "time average within the window; those whose work is interrupted stand in it"),
    Definition("resource", "queue.peak", "tokens", "any token", "Queue, longest", "最大排队数", "within the window"),
    Definition("resource", "busy_hours.day", "h/d", "-", "Busy hours per day", "日均忙时", "busy unit time within the window per day"),
    Definition("resource", "load", "share", "-", "Load (bound)", "负荷（上界估计）", "expected busy over open unit time (in order on average, where units break down) from the traffic equations, no simulation; no value where it depends on the state of the system; what waits in line with units in hand comes on top"),
    # Accounts.
    Definition("account", "level.mean", "units", "-", "Level, time average", "平均结存", "time average within the window, in the account's own unit", headline=True),
    Definition("account", "level.end", "units", "-", "Level when the run ends", "期末结存", "start and credits less debits of the whole run; every run proves it from its records"),
    Definition("account", "credited.day", "/d", "-", "Credited per day", "日均记增", "quantity added within the window, per day"),
    Definition("account", "debited.day", "/d", "-", "Debited per day", "日均记减", "quantity taken within the window, per day"),
    # Hidden truths.
    Definition("truth", "missed.share", "share", "any token", "Missed", "漏检率", "measured tokens with the truth that no check has caught and nobody has put right, looked at or not, of all with it; those still inside are undecided", headline=True),
    Definition("truth", "missed.day", "/d", "any token", "Missed per day", "日均漏检", "such tokens per day of the window"),
    Definition("truth", "caught.share", "share", "any token", "Caught", "查获率", "measured tokens with the truth that a check has caught, of all with it; those still inside are undecided"),
    Definition("truth", "caught.day", "/d", "any token", "Caught per day", "日均查获", "such tokens per day of the window"),
    Definition("truth", "cases.day", "/d", "any token", "Cases per day", "日均实有问题数", "measured tokens with the truth, per day of the window: of kinds that a check of their flow looks for it as the flow is written, whether a measure leaves the check or not"),
    Definition("truth", "false_stops.rate", "share", "any token", "False stops", "误拦率", "checks that stop a token without the truth, of all checks of measured tokens", headline=True),
    # Everything.
    Definition("all", "officer_hours.day", "h/d", "-", "Officer hours per day", "日均关员工时", "busy unit time of resources with the role officer within the window, per day", headline=True),
    Definition("all", "truck_hours.day", "h/d", "truck", "Truck hours per day", "日均车辆小时", "time of trucks inside the model within the window, per day", headline=True),
)
# fmt: on

BY_NAME: Final = {(definition.scope, definition.what): definition for definition in DEFINITIONS}

SCOPES: Final = {
    "flow": "`FLOW` and `ENTRY`",
    "step": "`FLOW.STEP` and `ENTRY.STEP`",
    "place": "`ZONE.LANES` (a direction of a gate)",
    "resource": "`ZONE.RESOURCE`",
    "account": "`ZONE.ACCOUNT`",
    "truth": "`all.TRUTH`",
    "all": "`all`",
}

COMPUTED: Final = 4
"""
Version of how the numbers are computed from records, curves and samples among them. It is raised with every change of
`measure.py`, `folding.py` or `reducer.py` that changes or adds a number: stored numbers of other versions are not used again.
"""


def table_version() -> str:
    """Return the version of the numbers: of their computing, and of what the table says that they are."""
    rows = [(row.scope, row.what, row.unit, row.token, row.meaning) for row in DEFINITIONS]
    return f"{COMPUTED}-{hashlib.sha256(repr(rows).encode()).hexdigest()[:12]}"


def page() -> str:
    """Return docs/reference/kpi.md."""
    lines = [
        "# KPIs",
        "",
        "An id is `scope.quantity.statistic`. Intervals are over replications; a mean is withheld (null) when more than 1 % of its values"
        " are missing. Quantiles (type 7) take the missing for the longest, and are withheld where it matters for how long these have been followed;"
        " shares are withheld when more than 1 % of their cases are undecided. What one replication of one of the arms that are compared"
        " withholds is given for none of them: what is left would be the runs in which least was going on. The tables say how much is missing"
        " at most, and in how many runs; a longer cool_down follows more to their end. Durations between marks are those of the consignment: its"
        " last token to reach a mark counts, so a mark is missing as long as a truck may yet reach it. Gate durations are those of the"
        " truck. Measured are the consignments that arrive inside the window; they are followed until the run ends. Arrivals, completions and"
        " passages per day, queues, utilisation and hours are about all that happens inside the window.",
        "",
        "A flow is told over all the traffic that walks it, and each entry of the traffic (entries of one `group` together) by"
        " itself, also where it is the only one of its flow: an id keeps its meaning when another entry comes. Names in ids have"
        " no dot, `all` is no name, and what would share an id is refused: an entry may be called like its flow only where no"
        " other uses that flow, and a step of a flow `Z` may not be called like a gate's lanes in a zone `Z`.",
    ]
    for scope, written in SCOPES.items():
        lines += [
            "",
            f"## {written}",
            "",
            "| KPI | unit | counts | English | 中文 | definition | headline |",
            "|---|---|---|---|---|---|---|",
        ]
        for row in DEFINITIONS:
            if row.scope == scope:
                what = "stage.A_to_B.mean" if row.what == "stage" else row.what
                head = "yes" if row.headline else ""
                lines.append(f"| `{what}` | {row.unit} | {row.token} | {row.en} | {row.zh} | {row.meaning} | {head} |")
    return "\n".join([*lines, ""])
