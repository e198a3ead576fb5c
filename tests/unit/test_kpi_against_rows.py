"""Every KPI again, from the rows of a run, row by row in plain Python as the KPI page defines it."""

from __future__ import annotations

import math
import re
from collections import defaultdict
from itertools import pairwise

import numpy as np
import pytest

from tests.helper import ROOT, RowLog, plan_of, plan_of_file
from zonesim.compiled.streams import run_key
from zonesim.engine import simulate
from zonesim.kpi import Reducer, catalogue, measure
from zonesim.plan import NUMBER_BITS, Plan, Totals

H = 3_600_000
LIBRARY = ("arrived", "declared", "released", "pickup_allowed", "out_of_zone", "in_zone", "usable", "left")
GATE = ("gate_arrived", "lane_left", "gate_passed", "manual", "stopped", "goods_vehicle")

SHOP = """
clock: {warm_up: 5 h, measure: 31 h, cool_down: 2 h}
calendars: {half: {mon-sun: ["06:00-18:00"]}}
zones:
  Z:
    desk: {units: 2, role: officer}
    cart: {units: 3}
    vet: {units: 1, open: half, role: officer}
    helper: {units: unlimited, role: officer}
truth: {bad: {all: 30 %}}
flows:
  shop:
    entity: consignment
    steps:
      look:
        hold: {d: Z.desk}
        take: {exponential: {mean: 8 min}}
        detect: {truth: bad, sensitivity: 50 %, false_alarm: 10 %}
        mark: declared
        next: {look: 20 %}
      check: {share: 40 %, hold: {v: Z.vet}, take: 9 min, detect: {truth: bad, sensitivity: 60 %}, mark: inspected}
      free: {mark: [released, pickup_allowed]}
      paper: {background: true, hold: {h: Z.helper}, take: 30 min}
      carts: {split: {into: truck, count: {discrete: {1: 50 %, 3: 50 %}}}}
      carry: {hold: {c: {resource: Z.cart, units: 2}}, take: {exponential: {mean: 6 min}}}
      there: {mark: in_zone}
      together: {join: carts}
      rest: {take: {exponential: {mean: 1 h}}}
      use: {mark: usable}
      after: {take: 20 min}
  walk: {entity: truck, steps: {stroll: {take: {exponential: {mean: 2 h}}}}}
traffic: {a: {flow: shop, rate: 2 /h}, b: {flow: shop, rate: 1 /h}, c: {flow: walk, rate: 3 /h}}
"""


class Rows:
    """The rows of a run as lists, with what the definitions ask for."""

    def __init__(self, plan: Plan, sink: RowLog, totals: Totals) -> None:
        self.plan, self.totals = plan, totals
        self.begin, self.end, self.horizon = plan.window.tolist()
        self.days = (self.end - self.begin) / (24 * H)
        steps, marks = plan.names.steps, plan.names.marks
        self.visits = [
            (steps[key >> NUMBER_BITS], key & (1 << NUMBER_BITS) - 1, *times) for key, *times in sink.visits.tolist()
        ]
        self.marks = [
            (marks[key >> NUMBER_BITS], key & (1 << NUMBER_BITS) - 1, time) for key, time in sink.marks.tolist()
        ]
        self.arrived = {number: time for mark, number, time in self.marks if mark.name == "arrived"}
        self.at: dict[str, dict[int, int]] = defaultdict(dict)
        for mark, number, time in self.marks:
            whose = self.owner(number)
            self.at[mark.name][whose] = max(time, self.at[mark.name].get(whose, 0))

    @staticmethod
    def owner(number: int) -> int:
        """Return the consignment of a token."""
        return number >> 6 << 6

    def measured(self, number: int) -> bool:
        """Return whether a token's consignment arrived inside the window."""
        return self.begin <= self.arrived[self.owner(number)] < self.end

    def entry(self, number: int) -> str:
        """Return the traffic entry of a token."""
        return self.plan.names.sources[number >> 32]


def mean(values: list[float]) -> float:
    """Return the mean, withheld when more than 1 % are missing (infinite)."""
    missing = sum(math.isinf(value) for value in values)
    if not values or missing > 0.01 * len(values):
        return math.nan
    return float(np.mean([value for value in values if not math.isinf(value)]))


def type_7(values: list[float], q: float) -> float:
    """Return the type 7 quantile, nan when it falls among the missing."""
    if not values:
        return math.nan
    low, rest = divmod(q * (len(values) - 1), 1)
    values = sorted(values)
    first, second = values[int(low)], values[int(low) + (rest > 0)]
    return math.nan if math.isinf(second) else first + rest * (second - first)


def quantile(values: list[float], followed: list[float], q: float) -> float:
    """Return the quantile with the missing as longest, nan where it is another with these as long as they were seen."""
    found = type_7(values, q)
    least = type_7([*(value for value in values if not math.isinf(value)), *followed], q)
    return found if found - least <= 0.01 * found else math.nan


def rate(yes: int, undecided: int, count: int) -> float:
    """Return a share of cases, nan when more than 1 % of them are undecided."""
    return yes / count if count and undecided <= 0.01 * count else math.nan


def share(values: list[bool]) -> float:
    """Return the share that is true."""
    return sum(values) / len(values) if values else math.nan


def spread(found: dict[str, float], name: str, values: list[float], unit: int, followed: list[float] = ()) -> None:
    """Note the statistics of a duration; those that are infinite have been followed for so long."""
    values, followed = [value / unit for value in values], [value / unit for value in followed]
    found |= {f"{name}.mean": mean(values), f"{name}.missing": share([math.isinf(value) for value in values])}
    for what, q in (("median", 0.5), ("p90", 0.9), ("p95", 0.95)):
        found[f"{name}.{what}"] = quantile(values, followed, q)


def flow_kpis(rows: Rows, group: str, entries: list[str], chain: list[str]) -> dict[str, float]:
    """Return the KPIs of a flow or an entry whose plan has the library marks `chain`."""
    found: dict[str, float] = {}
    mine = [number for number in rows.arrived if rows.entry(number) in entries]
    cohort = [number for number in mine if rows.measured(number)]
    end = "usable" if "usable" in chain else "left"

    def spans(early: str, late: str) -> list[float]:
        begun = [number for number in cohort if number in rows.at[early]]
        return [rows.at[late].get(number, math.inf) - rows.at[early][number] for number in begun]

    for name, early, late in (
        ("dwell", "arrived", end),
        ("clearance", "arrived", "pickup_allowed"),
        ("customs", "declared", "released"),
        ("stay", "arrived", "left"),
    ):
        begun = [number for number in cohort if number in rows.at[early]]
        followed = [rows.horizon - rows.at[early][number] for number in begun if number not in rows.at[late]]
        spread(found, f"{group}.{name}", spans(early, late), H, followed)
        for hours in (24, 48):
            within = sum(span <= hours * H for span in spans(early, late))
            undecided = sum(span <= hours * H for span in followed)
            found[f"{group}.{name}.within_{hours}h"] = rate(within, undecided, len(begun))
    stages = chain[: chain.index(end) + 1]
    whole = [number for number in cohort if number in rows.at[end]]
    for position, (early, late) in enumerate(pairwise(stages), 1):
        times = []
        for number in whole:
            first, second = (
                min(rows.at[mark].get(number, math.inf) for mark in stages[place:])
                for place in (position - 1, position)
            )
            times.append((second - first) / H)
        times += [math.inf] * (len(cohort) - len(whole))
        found[f"{group}.stage.{early}_to_{late}.mean"] = mean(times)
    held = [
        max(0, rows.at["released"][number] - rows.at["in_zone"][number])
        if number in rows.at[end] and number in rows.at["released"]
        else math.inf
        for number in cohort
        if number in rows.at["in_zone"] or number not in rows.at[end]
    ]
    spread(found, f"{group}.pending", held, H)
    for name, mark in (("declarations", "declared"), ("transits", "sealed")):
        made = [time for own, _, time in rows.marks if own.name == mark and own.entry in entries]
        found[f"{group}.{name}.day"] = sum(rows.begin <= time < rows.end for time in made) / rows.days
    seen = sum(number in rows.at["inspected"] for number in cohort)
    open_ = sum(number not in rows.at["inspected"] and number not in rows.at["left"] for number in cohort)
    found[f"{group}.inspected.rate"] = rate(seen, open_, len(cohort))
    found[f"{group}.arrived.day"] = len(cohort) / rows.days
    ends = [rows.at[end][number] for number in mine if number in rows.at[end]]
    found[f"{group}.completed.day"] = sum(rows.begin <= time < rows.end for time in ends) / rows.days
    found[f"{group}.inside.mean"] = found[f"{group}.truck_hours.day"] = 0
    for step, number, queued, _, ended in rows.visits:
        if step.is_leave and step.entry in entries:
            gone = rows.horizon if ended == -1 else ended
            inside = max(0, min(gone, rows.end) - max(queued, rows.begin))
            if number == rows.owner(number):
                found[f"{group}.inside.mean"] += inside / (rows.end - rows.begin)
            if step.kind == "truck":
                found[f"{group}.truck_hours.day"] += inside / H / rows.days
    return found


def step_kpis(rows: Rows, name: str, visits: list[tuple]) -> dict[str, float]:
    """Return the KPIs of a step from the visits of measured tokens."""
    found: dict[str, float] = {}
    waits = [math.inf if started == -1 else started - queued for _, _, queued, started, _ in visits]
    followed = [rows.horizon - queued for _, _, queued, started, _ in visits if started == -1]
    services = [math.inf if ended == -1 else ended - started for *_, started, ended in visits]
    spread(found, f"{name}.wait", waits, 60_000, followed)
    spread(found, f"{name}.service", services, 60_000)
    spread(found, f"{name}.stay", [wait + service for wait, service in zip(waits, services, strict=True)], 60_000)
    found[f"{name}.wait.share"] = share([wait > 0 for wait in waits])
    found[f"{name}.visits.day"] = len(visits) / rows.days
    found[f"{name}.open.share"] = share([ended == -1 for *_, ended in visits])
    return found


def place_kpis(rows: Rows, place: str) -> dict[str, float]:
    """Return the KPIs of a gate direction."""
    found: dict[str, float] = {}
    plan = rows.plan
    lane = [str(resource) for resource in plan.names.resources].index(place)
    visits = [row for row in rows.visits if lane in row[0].resources and rows.measured(row[1])]
    waits = [math.inf if started == -1 else started - queued for _, _, queued, started, _ in visits]
    services = [math.inf if ended == -1 else ended - started for *_, started, ended in visits]
    spread(found, f"{place}.wait", waits, 1000, [rows.horizon - each[2] for each in visits if each[3] == -1])
    spread(found, f"{place}.lane", services, 1000)
    passages: list[dict[str, int]] = []
    last: dict[tuple[int, tuple[str, ...]], dict[str, int]] = {}
    begun = 0
    for mark, number, time in rows.marks:
        if mark.place != place or mark.name not in GATE:
            continue
        if mark.name == "gate_arrived":
            begun += rows.begin <= time < rows.end
            last[number, mark.scope] = {}
            if rows.measured(number):
                passages.append(last[number, mark.scope])
        last[number, mark.scope][mark.name] = time
    for what, late in (("pass", "gate_passed"), ("queue_and_lane", "lane_left")):
        spans = [each.get(late, math.inf) - each["gate_arrived"] for each in passages]
        followed = [rows.horizon - each["gate_arrived"] for each in passages if late not in each]
        spread(found, f"{place}.{what}", spans, 1000, followed)
    found[f"{place}.passes.day"] = begun / rows.days
    for what, mark in (("exceptions", "stopped"), ("manual", "manual")):
        undecided = sum("gate_passed" not in each and mark not in each for each in passages)
        found[f"{place}.{what}.rate"] = rate(sum(mark in each for each in passages), undecided, len(passages))
    goods = [each for each in passages if "goods_vehicle" in each]
    undecided = sum("gate_passed" not in each and not {"stopped", "goods_vehicle"} <= set(each) for each in passages)
    found[f"{place}.exceptions_of_goods.rate"] = rate(sum("stopped" in each for each in goods), undecided, len(goods))
    untouched = sum("manual" not in each and "gate_passed" in each for each in passages)
    undecided = sum("manual" not in each and "gate_passed" not in each for each in passages)
    found[f"{place}.automatic.rate"] = rate(untouched, undecided, len(passages))
    return found


def other_kpis(rows: Rows) -> dict[str, float]:
    """Resources by their visits, hidden truths, hours."""
    found: dict[str, float] = {"all.officer_hours.day": 0}
    window = rows.end - rows.begin
    for number, resource in enumerate(rows.plan.names.resources):
        busy = queue = 0
        evenings = [now for now in range(20 * H, rows.end, 24 * H) if now >= rows.begin]
        left_over = [0] * len(evenings)
        for step, _, queued, started, ended in rows.visits:
            if number in step.resources:
                gone = rows.horizon if ended == -1 else ended
                start = gone if started == -1 else started
                units = sum(u for r, u in zip(step.resources, step.units, strict=True) if r == number)
                busy += units * max(0, min(gone, rows.end) - max(start, rows.begin))
                queue += max(0, min(start, rows.end) - max(queued, rows.begin))
                left_over = [count + (queued <= now < start) for count, now in zip(left_over, evenings, strict=True)]
        opened = int(rows.totals.open[number])
        found[f"{resource}.utilisation"] = busy / opened if opened else math.nan
        found[f"{resource}.queue.mean"] = queue / window
        if evenings:
            found[f"{resource}.backlog.mean"] = sum(left_over) / len(evenings)
            found[f"{resource}.backlog.share"] = sum(count > 0 for count in left_over) / len(evenings)
        found[f"{resource}.busy_hours.day"] = busy / H / rows.days
        if resource.role == "officer":
            found["all.officer_hours.day"] += busy / H / rows.days
        found[f"{resource}.queue.peak"] = float(rows.totals.peak[number])  # the engine's own
    truths: dict[str, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
    for mark, number, _ in rows.marks:
        truth, _, finding = mark.name.rpartition(".")
        if truth and rows.measured(number):
            truths[truth][finding].append(number)
    inside = {number for step, number, *_, ended in rows.visits if step.is_leave and ended == -1}
    for truth in {mark.truth for mark in rows.plan.names.marks if mark.truth}:
        marks = truths[truth]  # nobody here has the truth of somebody else
        caught = set(marks["caught"])
        passed = set(marks["true"]) - caught - set(marks["corrected"])
        cases, undecided = len(marks["true"]), len(passed & inside)
        for what, part in (("missed", passed - inside), ("caught", caught)):
            found[f"all.{truth}.{what}.share"] = rate(len(part), undecided, cases)
            found[f"all.{truth}.{what}.day"] = len(part) / rows.days if undecided <= 0.01 * cases else math.nan
        found[f"all.{truth}.cases.day"] = cases / rows.days
        found[f"all.{truth}.false_stops.rate"] = rate(len(marks["false_stop"]), 0, len(marks["checked"]))
    return found


def by_rows(plan: Plan, sink: RowLog, totals: Totals) -> dict[str, float]:
    """Return every KPI of a run, computed the slow way."""
    rows = Rows(plan, sink, totals)
    found = other_kpis(rows)
    groups = {flow: [] for flow in plan.names.source_flows}
    for entry, flow in zip(plan.names.sources, plan.names.source_flows, strict=True):
        groups[flow].append(entry)
    groups |= {entry: [entry] for entries in list(groups.values()) for entry in entries}
    found["all.truck_hours.day"] = 0
    for group, entries in groups.items():
        marks = {mark.name for mark in plan.names.marks if mark.entry in entries}
        found |= flow_kpis(rows, group, entries, [mark for mark in LIBRARY if mark in marks])
        if group in plan.names.source_flows:
            found["all.truck_hours.day"] += found[f"{group}.truck_hours.day"]
        visits = defaultdict(list)
        for row in rows.visits:
            if row[0].entry in entries and not row[0].is_leave and rows.measured(row[1]):
                visits[".".join(row[0].path)].append(row)
        for step in plan.names.steps:
            if step.entry in entries and not step.is_leave:
                path = ".".join(step.path)
                found |= step_kpis(rows, f"{group}.{path}", visits[path])
    for place in {mark.place for mark in plan.names.marks if mark.name == "gate_arrived"}:
        found |= place_kpis(rows, place)
    return found


def shop() -> Plan:
    """A shop with loops, trucks, background work, children, half days and a short cool-down."""
    return plan_of(SHOP)


def typical_zone_over_full() -> Plan:
    """Three days with half the docks and twice the traffic: much is missing when it ends."""
    settings = (
        "clock.warm_up=20 h",
        "clock.measure=75 h",
        "clock.cool_down=30 h",
        "zones.TYP.docks.units=6",
        "zones.TYP.lanes_in.units=1",
    )
    return plan_of_file(ROOT / "scenarios" / "typical_zone.yaml", *settings, "traffic.cars.rate=900 /d")


def typical_zone_with_time() -> Plan:
    """A week with enough time to finish."""
    settings = ("clock.warm_up=1 week", "clock.measure=1 week", "clock.cool_down=4 week")
    return plan_of_file(ROOT / "scenarios" / "typical_zone.yaml", *settings)


@pytest.mark.parametrize(
    "build", [shop, typical_zone_over_full, pytest.param(typical_zone_with_time, marks=pytest.mark.slow)]
)
def test_every_kpi_is_what_its_rows_say(build):
    """
    The folded KPIs equal those computed row by row: with loops, trucks, background work, partial windows, missing ends.
    """
    plan = build()
    sink = RowLog()
    totals = simulate(plan, 3, 0, sink)
    reducer = Reducer(plan)
    for block in sink.blocks:
        reducer.take(block)
    found = measure(plan, reducer, totals, {}, run_key(3, 0)).values
    expected = by_rows(plan, sink, totals)
    ids = [kpi.id for kpi in catalogue(plan)]
    # Accounts are proved from the records by every run; groups of goods are held against the whole in test_gains.py, deadlines
    # in the timelines.
    elsewhere = re.compile(r"\.(load$|ledger\.|dwell_by\.|goods_dwell|\w+\.due\.)")
    wanted = {name: expected[name] for name in ids if not elsewhere.search(name)}

    assert list(found) == ids
    assert {name: found[name] for name in wanted} == pytest.approx(wanted, nan_ok=True, rel=1e-9)


def test_the_hours_of_the_day_add_up():
    """
    Curves are about the hours that lie in the window: queue and passages, weighted by how often each hour is in it,
    give the mean.
    """
    plan = typical_zone_over_full()
    reducer = Reducer(plan)
    sink = RowLog()
    totals = simulate(plan, 3, 0, sink)
    for block in sink.blocks:
        reducer.take(block)
    result = measure(plan, reducer, totals, {}, run_key(3, 0))
    often = np.array([3 + (20 <= hour < 23) for hour in range(24)])  # 75 hours from 20:00
    rows = Rows(plan, sink, totals)
    came = [
        queued
        for step, number, queued, *_ in rows.visits
        if "TYP.lanes_in" in {str(plan.names.resources[r]) for r in step.resources} and rows.measured(number)
    ]

    weights = np.bincount([time // H % 24 for time in came], minlength=24)
    means = {
        "queue.mean": result.curves["TYP.lanes_in.queue"] @ often / 75,
        "passes.day": result.curves["TYP.lanes_in.passes"] @ often / 75 * 24,
        "wait.mean": np.nansum(result.curves["TYP.lanes_in.wait"] * weights) / weights.sum(),
    }

    assert means == pytest.approx({what: result.values[f"TYP.lanes_in.{what}"] for what in means})
