"""
What a fit writes: `fragment.yaml`, a whole scenario with the fitted numbers; `trace.csv` and `replay.yaml`, the same
gate with the arrivals of the log itself.

The trace has time, direction, kind and class and nothing else of the log.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

import numpy as np

from zonesim.fitting.arrivals import Part
from zonesim.fitting.distributions import ENOUGH, Durations, number_text
from zonesim.fitting.instants import date_text, instant_text, weekday
from zonesim.fitting.job import Fit, Group, scenario_name
from zonesim.scenario import load_catalogue
from zonesim.scenario.fields import mode_of
from zonesim.units import DAY, HOUR, WEEK, parse
from zonesim.writing import whole, write_text

LOAD: Final = 0.85
"""Where the log does not say how many lanes there are, so many that the busiest hour loads them less than this."""

MOST_REPLAYED: Final = 1_000_000
"""Rows of a trace; of a longer log its last days are written."""

_WAY_LABELS: Final = {"in": ("Gate in", "进区卡口"), "out": ("Gate out", "出区卡口")}


def write_fit(fit: Fit, folder: Path) -> list[Path]:
    """Write the scenarios and the trace into `folder`; return the paths."""
    paths = [folder / name for name in ("fragment.yaml", "trace.csv", "replay.yaml")]
    begin = write_trace(fit, paths[1])
    write_text(paths[0], fragment(fit))
    write_text(paths[2], replay(fit, begin))
    return paths


def fragment(fit: Fit) -> str:
    """Return the scenario with the fitted numbers."""
    start = _first_monday(fit)
    cool = _cool_down(fit)
    lines = [
        f"# {_said(fit)}",
        *_how_to_compare(fit, "fragment.yaml"),
        *_head(fit, "fitted", f"fitted to {fit.request.file.name}", f"（按{fit.request.file.name}拟合）"),
        f'clock: {{start: "{start}", warm_up: 1 week, measure: 4 week, cool_down: {cool} week}}',
        "",
        *_profiles(fit),
        *_world(fit),
        *_flows(fit),
        "traffic:",
        *(line for group in fit.groups for line in _entry(fit, group)),
    ]
    return "\n".join(lines) + "\n"


def replay(fit: Fit, begin: int) -> str:
    """Return the scenario whose arrivals are those of the trace, which begins at `begin` (ms)."""
    last = int(fit.log.time_in[-1])
    days = max((last - begin // DAY * DAY) // DAY + 1, 1)
    lines = [
        "# "
        + fit.request.say(
            f"The arrivals of {fit.request.file.name} themselves, {date_text(begin)} to {date_text(last)}, through the "
            "gate of fragment.yaml.",
            f"{fit.request.file.name} 的实际到达，{date_text(begin)} 至 {date_text(last)}，经 fragment.yaml 的卡口。",
        ),
        *_how_to_compare(fit, "replay.yaml"),
        *_head(fit, "replay", f"arrivals of {fit.request.file.name}", f"（重放{fit.request.file.name}）"),
        f'clock: {{start: "{date_text(begin)}", measure: {days} d, cool_down: {_cool_down(fit)} week}}',
        "",
        *_world(fit),
        *_flows(fit),
        "traffic:",
        *(line for group in fit.groups for line in _traced(fit, group, begin)),
    ]
    return "\n".join(lines) + "\n"


def write_trace(fit: Fit, path: Path) -> int:
    """
    Write the arrivals of the log, of a very long one the last days; return the instant that the trace begins with.
    """
    log = fit.log
    first = 0
    if len(log) > MOST_REPLAYED:
        day = (int(log.time_in[-MOST_REPLAYED]) // DAY + 1) * DAY
        first = int(np.searchsorted(log.time_in, day))
    columns = [
        [fit.ways[name] for name in log.directions],
        [fit.kinds[name] for name in log.kinds],
        [fit.classes.get(name, "") for name in log.classes],
    ]
    codes = [column[first:].tolist() for column in (log.direction, log.kind, log.klass)]
    with whole(path) as part, part.open("w", encoding="utf-8", newline="") as file:
        file.write("time,direction,kind" + (",class" if fit.classes else "") + "\n")
        for time, way, kind, klass in zip(log.time_in[first:].tolist(), *codes, strict=True):
            row = [instant_text(time), columns[0][way], columns[1][kind]]
            if fit.classes:
                row.append(columns[2][klass])
            file.write(",".join(row) + "\n")
    return int(log.time_in[first])


# --- parts of a scenario


def _said(fit: Fit) -> str:
    first, last = fit.log.dates
    n, file = len(fit.log), fit.request.file.name
    return fit.request.say(
        f"Fitted from {n:,} rows of {file}, {first} to {last}. Rates, profiles, times and shares with this source are "
        "fitted; what is assumed says so.",
        f"由 {file} 的 {n:,} 行拟合，{first} 至 {last}。"
        "以此为来源的到达率、曲线、时长和占比为拟合所得；假设的数字另有注明。",
    )


def _head(fit: Fit, kind: str, en: str, zh: str) -> list[str]:
    zone = scenario_name(fit.request.zone)
    return [
        "zonesim: 1",
        "kind: scenario",
        f"name: {zone}-{kind}",
        f"label: {{en: {_quoted(f'{zone}: {en}')}, zh: {_quoted(zone + zh)}}}",
    ]


def _how_to_compare(fit: Fit, file: str) -> list[str]:
    if not _passes_own_lane(fit):
        return []
    say = fit.request.say
    return [
        "# "
        + say(
            "Measures change the library's gate, not the lane times of the log. To see what they would do here,",
            "措施改变的是库中的卡口，而不是日志的通道用时。要看措施在此的作用，",
        ),
        f"# {say('send the traffic through the library’s gate:', '请让车流经过库中的卡口：')} "
        f"zonesim compare {file} --set 'traffic.*.flow=gate'",
    ]


def _passes_own_lane(fit: Fit) -> bool:
    return not fit.visits and any(group.lane is not None for group in fit.groups)


def _source(fit: Fit, n: int, what: str) -> str:
    first, last = fit.log.dates
    file = fit.request.file.name
    title = fit.request.say(
        f"{what} {n:,} rows of {file}, {first} to {last}", f"{what}：{file} 的 {n:,} 行，{first} 至 {last}"
    )
    confidence = "high" if n >= 1_000 else "medium" if n >= 100 else "low"  # noqa: PLR2004
    return f'{{kind: found, title: {_quoted(title)}, date: "{last}", confidence: {confidence}}}'


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _first_monday(fit: Fit) -> str:
    first = int(fit.log.time_in[0])
    return date_text(first + (-weekday(first)) % 7 * DAY)


def _cool_down(fit: Fit) -> int:
    """Return weeks until nearly all who came have left."""
    longest = max((group.span.quantiles[0.99] for group in fit.groups if fit.visits and group.span), default=0.0)
    return max(1, math.ceil(1.5 * longest / WEEK))


def entry_name(group: Group, part: Part) -> str:
    """Return what the traffic of a part of a group, and its profile, is called."""
    return f"{group.name}_{part.name}" if part.name else group.name


def _profiles(fit: Fit) -> list[str]:
    lines = ["profiles:"]
    for group in fit.groups:
        for part in group.arrivals.parts:
            n = group.arrivals.count
            what = (
                fit.request.say("shape of all vehicles together fitted from", "全部车辆合并拟合的曲线")
                if group.arrivals.borrowed
                else fit.request.say("shape fitted from", "拟合的曲线")
            )
            lines += [
                f"  {entry_name(group, part)}:",
                f"    hours: {_numbers(part.hours)}",
                f"    days: {_numbers(part.days)}",
                f"    source: {_source(fit, len(fit.log) if group.arrivals.borrowed else n, what)}",
            ]
    return [*lines, ""]


def _numbers(values: Iterable[float]) -> str:
    return "[" + ", ".join(f"{number_text(value):g}" for value in values) + "]"


def _world(fit: Fit) -> list[str]:
    zone = fit.request.zone
    lanes = {way: _lanes(fit, way) for way in _ways(fit)}
    busiest = sum(busiest_hour(group) for group in fit.groups if group.vehicle == "freight")
    desks = max(1, math.ceil(busiest * _STOPPED * _DESK_HOURS / LOAD))
    say = fit.request.say
    enough = say(
        f"as many lanes as keep the busiest hour below {LOAD:.0%} load", f"使最繁忙时段负荷低于 {LOAD:.0%} 的通道数"
    )
    assumed = f"{{kind: assumed, title: {_quoted(enough)}}}"
    given = say("number of lanes as given for the fit", "拟合时给定的通道数")
    given = f"{{kind: found, title: {_quoted(given)}, confidence: high}}"
    lines = ["zones:", f"  {zone}:"]
    for way, units in lanes.items():
        en, zh = _WAY_LABELS.get(way, (f"Gate {way}", f"卡口 {way}"))
        lines.append(
            f"    lanes_{way}: {{units: {units}, role: lane, label: {{en: {_quoted(en)}, zh: {_quoted(zh)}}}, "
            f"source: {given if fit.request.lanes else assumed}}}"
        )
    lines += [
        f"    gate_officers: {{units: {sum(lanes.values())}, role: officer, "
        "label: {en: Gate officers, zh: 卡口关员}, source: {kind: assumed, title: "
        f"{say('an officer at every lane', '每条通道一名关员')}}}}}",
        f"    exception_desk: {{units: {desks}, role: officer, "
        "label: {en: Exception desk, zh: 异常处置台}, source: assumed}",
        "",
        "firms: {count: 60, volume: {zipf: 1.0}, source: assumed}",
        "truth:",
        "  papers_wrong:",
        "    all: {uncertain: [2.2 %, 5 %, 8.5 %]}",
        "    label: {en: Papers wrong, zh: 单证有误}",
        "    source: wrong_papers",
        "",
    ]
    return lines


_STOPPED: Final = 0.04
_DESK_HOURS: Final = 0.3
"""
Share of goods vehicles that the library's gate stops, and hours of an officer at the desk for each: for its size only.
"""


def _ways(fit: Fit) -> list[str]:
    found = list(dict.fromkeys(group.way for group in fit.groups))
    return ["in", "out"] if fit.visits else sorted(found)


def busiest_hour(group: Group) -> float:
    """Return the arrivals of a group in the busiest hour of the week."""
    return max(
        part.rate * 7 * (max(part.days) / sum(part.days)) * max(part.hours) / 24 for part in group.arrivals.parts
    )


def _lanes(fit: Fit, way: str) -> int:
    if fit.request.lanes:
        return fit.request.lanes
    through = [group for group in fit.groups if fit.visits or group.way == way]
    load = sum(busiest_hour(group) * _lane_hours(group) for group in through)
    return max(1, math.ceil(load / LOAD))


def _lane_hours(group: Group) -> float:
    """Return the mean time in the lane: fitted, else that of the library's gate."""
    return (library_lane_ms(group) if group.lane is None else group.lane.mean) / HOUR


def library_lane_ms(group: Group) -> float:
    """Return the mean time that a vehicle of a group has in the lane of the library's gate."""
    steps = load_catalogue().flows["gate"]["steps"]["lane" if group.vehicle == "freight" else "light"]["steps"]
    total = 0.0
    for step in steps.values():
        law = mode_of(step.get("take", {}))
        if isinstance(law, dict) and "pert" in law:
            low, mode, high = (parse(mode_of(value), "duration") for value in law["pert"])
            total += (low + 4 * mode + high) / 6
    return total


def _flows(fit: Fit) -> list[str]:
    """Return the scenario's own flows: passages with the fitted lane times, or visits with the fitted stays."""
    lines = ["flows:"]
    stay = fit.request.say("time in to time out fitted from", "拟合的停留时间")
    for group in fit.groups:
        way = {"in": "进", "out": "出"}.get(group.direction, group.direction)
        words = f"{group.name.replace('_', ' ')} as logged", f"{way}{group.kind or '车辆'}（按日志）"
        label = f"{{en: {_quoted(words[0])}, zh: {_quoted(words[1])}}}"
        if fit.visits and group.span is not None:
            lines += [
                f"  {_flow_name(group)}:",
                f"    label: {label}",
                "    entity: truck",
                "    params: {zone: zone, vehicle: [freight, other]}",
                "    steps:",
                *_gate_call("in"),
                "      stay:",
                "        label: {en: Time in the zone, zh: 区内停留}",
                f"        take: {_law(group.span)}",
                f"        source: {_source(fit, group.span.count, stay)}",
                *_gate_call("out"),
            ]
        elif not fit.visits and group.lane is not None:
            lines += [
                f"  {_flow_name(group)}:",
                f"    label: {label}",
                "    entity: truck",
                "    place: $lanes",
                "    params: {zone: zone, lanes: resource, vehicle: [freight, other]}",
                "    steps:",
                "      arrive: {mark: gate_arrived}",
                "      lane:",
                "        label: {en: Lane, zh: 通道}",
                "        hold: {lane: $lanes}",
                f"        take: {_law(group.lane)}",
                f"        source: {_source(fit, group.lane.count, _lane_words(fit, group))}",
                "      leave_lane: {mark: lane_left}",
                "      passed: {mark: gate_passed}",
            ]
    return [*lines, ""] if len(lines) > 1 else []


def _gate_call(way: str) -> list[str]:
    en, zh = _WAY_LABELS[way]
    return [
        f"      gate_{way}:",
        f"        label: {{en: {en}, zh: {zh}}}",
        "        call: gate",
        f"        with: {{zone: $zone, lanes: $zone.lanes_{way}, vehicle: $vehicle}}",
    ]


def _flow_name(group: Group) -> str:
    return f"{group.name}_as_logged"


def _lane_words(fit: Fit, group: Group) -> str:
    say = fit.request.say
    en, zh = (
        ("time in the lane", "拟合的通道用时")
        if fit.lane_source == "column"
        else ("passage of vehicles that did not wait", "由未排队车辆拟合的过卡用时")
    )
    return (
        say(f"{en}, all kinds together, fitted from", f"{zh}（全部车型）")
        if group.lane_pooled
        else say(f"{en} fitted from", zh)
    )


def _law(durations: Durations) -> str:
    """Return a law in the flow style of YAML, which is JSON without quotes round plain words."""

    def shown(value: Any) -> str:  # noqa: ANN401
        if isinstance(value, dict):
            return "{" + ", ".join(f"{key}: {shown(part)}" for key, part in value.items()) + "}"
        if isinstance(value, list):
            return "[" + ", ".join(shown(part) for part in value) + "]"
        return f"{value:g}" if isinstance(value, float) else str(value)

    return shown(durations.chosen())


def _call(fit: Fit, group: Group) -> list[str]:
    """Return flow and arguments of a group's traffic."""
    zone = fit.request.zone
    if fit.visits and group.span is not None:
        return [f"    flow: {_flow_name(group)}", f"    with: {{zone: {zone}, vehicle: {group.vehicle}}}"]
    flow = _flow_name(group) if not fit.visits and group.lane is not None else "gate"
    return [
        f"    flow: {flow}",
        f"    with: {{zone: {zone}, lanes: {zone}.lanes_{group.way}, vehicle: {group.vehicle}}}",
    ]


def _firm(group: Group) -> str:
    return f"    parties: {1 if group.vehicle == 'freight' else 0}"


_DAY_WORDS: Final = {"workday": "工作日", "weekend": "周末", "sat": "周六", "sun": "周日"}


def _label(group: Group, days: str = "") -> str:
    way = {"in": "进", "out": "出"}.get(group.direction, group.direction)
    en = " ".join(part for part in (group.name.replace("_", " "), days) if part)
    zh = f"{way}{group.kind or '车辆'}{_DAY_WORDS.get(days, '')}"
    return f"    label: {{en: {_quoted(en)}, zh: {_quoted(zh)}}}"


def _entry(fit: Fit, group: Group) -> list[str]:
    lines: list[str] = []
    for part in group.arrivals.parts:
        lines += [
            f"  {entry_name(group, part)}:",
            _label(group, part.name),
            *_call(fit, group),
            f"    rate: {number_text(part.rate):g} /d",
            f"    profile: {entry_name(group, part)}",
            *_classes(group),
            _firm(group),
            f"    source: {_source(fit, group.arrivals.count, fit.request.say('rate fitted from', '拟合的到达率'))}",
        ]
    return lines


def _traced(fit: Fit, group: Group, begin: int) -> list[str]:
    mine = (fit.log.direction == fit.log.directions.index(group.direction)) & (
        fit.log.kind == fit.log.kinds.index(group.kind)
    )
    rows = int((mine & (fit.log.time_in >= begin)).sum())
    if not rows:
        return []
    klass = ", class: class" if fit.classes else ""
    where = f"{{direction: {group.way}, kind: {fit.kinds[group.kind]}}}"
    return [
        f"  {group.name}:",
        _label(group),
        *_call(fit, group),
        f"    trace: {{file: trace.csv, time: time{klass}, where: {where}}}",
        _firm(group),
        f"    source: {_source(fit, rows, fit.request.say('the arrivals of', '到达'))}",
    ]


def _classes(group: Group) -> list[str]:
    """Return the shares of the classes, rounded so that they add up to 100 %."""
    if not group.classes:
        return []
    hundredths = {name: round(10_000 * share) for name, share in group.classes.items()}
    largest = max(hundredths, key=lambda name: hundredths[name])
    hundredths[largest] += 10_000 - sum(hundredths.values())
    shares = ", ".join(f"{name}: {value / 100:g} %" for name, value in hundredths.items() if value > 0)
    return [f"    classes: {{{shares}}}"]


__all__ = ["ENOUGH", "fragment", "replay", "write_fit", "write_trace"]
