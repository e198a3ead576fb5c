"""
What a replay's page is told: a document of texts in both languages and columns of whole numbers.

Columns of one table have one length. `Δ`: a number is told as what it adds to the one before it. Times are ms from the
start of the run, -1 for never. Everything that the page counts aloud comes from `zonesim.tracing.day`.
"""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, Final

import numpy as np

from zonesim.briefing.replay.stage import (
    MOST_ROADS,
    NOWHERE,
    OUTSIDE,
    ROLES,
    Label,
    Played,
    Road,
    Stage,
    is_road,
    label_of,
    resources_in,
)
from zonesim.briefing.text.arm_names import ArmNames, NamedArm, everything_in
from zonesim.briefing.text.story import FINDINGS, mark_text, shortage_text, step_labels
from zonesim.briefing.text.words import LANGUAGES, Words, glossary
from zonesim.faults import Place, ScenarioFault
from zonesim.plan import (
    NEVER,
    Ints,
    Plan,
    Rows,
    child_of,
    consignment_of,
    number_of,
    ordinal_of,
    place_of,
    source_of,
    token_number,
)
from zonesim.plan import NOWHERE as NO_ROW
from zonesim.tracing.day import Day, curve_of, last_moment, line_ends, present, worst_hour
from zonesim.tracing.story import SILENT_MARKS, reasons
from zonesim.tracing.trail import Trail

MOST_ROWS: Final = 400_000
"""Visits of an arm that a page carries, at most."""

MOST_HAPPENS: Final = 500_000
"""How much may happen in all the waits of an arm that are told in words: working them out takes the longer."""

WORDS: Final = "replay."
"""Phrases of the glossary that the page itself says."""


@dataclass(frozen=True)
class Replay:
    """Two arms as they were run under the same luck, and what is shown of them."""

    played: tuple[Played, Played]
    day: Day
    stage: Stage
    seed: int
    replication: int
    run: str
    command: str
    given: tuple[str, ...] = ()
    """What was set beside the arms, as people read it, the future among it."""


def document_of(replay: Replay) -> dict[str, Any]:
    """Return all that the page knows; raises ScenarioFault when that would be too much for one."""
    first = replay.played[0]
    scenario = first.arm.scenario
    shown = _shown(replay)
    start = datetime.date.fromisoformat(scenario.clock.start)
    roads = _Roads(replay)
    arms = [_arm(replay, each, own, roads) for each, own in zip(replay.played, shown.numbers, strict=True)]
    return {
        "scenario": {language: Words(language).label(scenario.label, scenario.name) for language in LANGUAGES},
        "name": scenario.name,
        "synthetic": scenario.synthetic,
        "run": replay.run,
        "command": replay.command,
        "given": list(replay.given),
        "seed": replay.seed,
        "replication": replay.replication,
        "start": start.isoformat(),
        "day": {
            "number": replay.day.number,
            "of": replay.day.of,
            "begin": replay.day.begin,
            "end": replay.day.end,
            "date": (start + datetime.timedelta(milliseconds=replay.day.begin)).isoformat(),
            "weekday": (start + datetime.timedelta(milliseconds=replay.day.begin)).weekday(),
        },
        "words": {language: _words(language) for language in LANGUAGES},
        "flows": {name: _both(flow.label, name) for name, flow in first.flows.items() if name in shown.flows},
        "classes": _terms(dict.fromkeys(name for each in replay.played for name in each.plan.names.classes)),
        "kinds": _terms(dict.fromkeys(step.kind for each in replay.played for step in each.plan.names.steps)),
        "zones": [_both(scenario.zones[zone].label, zone) for zone in replay.stage.zones],
        "counters": _counters(replay),
        "groups": list(replay.stage.groups),
        "roads": [{"from": _end(first, road[0]), "to": _end(first, road[1])} for road in roads.drawn],
        "more_roads": roads.more,
        "consignments": shown.columns,
        "arms": arms,
        "arm_names": _arm_names(replay),
    }


# --- who is shown


@dataclass(frozen=True)
class _Shown:
    """Consignments that are there on the day in either arm, by number in each arm, and what is said of them."""

    numbers: tuple[Ints, Ints]
    columns: dict[str, Any]
    flows: frozenset[str]


def _shown(replay: Replay) -> _Shown:
    """Return who is shown. The same entry and ordinal is the same consignment: it has the same luck in both arms."""
    day, stage = replay.day, replay.stage
    keys: dict[tuple[str, int], None] = {}
    for each in replay.played:
        own = present(each.plan, each.visits, day.begin, day.end, resources_in(each.plan, stage.zones))
        names = each.plan.names.sources
        for source, ordinal in zip(source_of(own).tolist(), ordinal_of(own).tolist(), strict=True):
            keys.setdefault((names[source], ordinal))
    ordered = sorted(keys)
    numbers = []
    for each in replay.played:
        rows = {name: row for row, name in enumerate(each.plan.names.sources)}
        found = [token_number(rows[name], ordinal) if name in rows else NO_ROW for name, ordinal in ordered]
        numbers.append(np.array(found, dtype=np.int64))
    entries = list(dict.fromkeys(name for name, _ in ordered))
    flow_of = {
        name: flow
        for each in replay.played
        for name, flow in zip(each.plan.names.sources, each.plan.names.source_flows, strict=True)
    }
    columns = {
        "entries": entries,
        "flow": [flow_of[name] for name in entries],
        "entry": [entries.index(name) for name, _ in ordered],
        "ordinal": [ordinal for _, ordinal in ordered],
    }
    return _Shown((numbers[0], numbers[1]), columns, frozenset(flow_of[name] for name in entries))


# --- an arm


def _arm(replay: Replay, played: Played, numbers: Ints, roads: _Roads) -> dict[str, Any]:
    """Return an arm: its visits and marks of those shown, waits in words, and how each counter fares."""
    plan, stage, day = played.plan, replay.stage, replay.day
    rows = _own(played.visits, numbers)
    if len(rows.rows) > MOST_ROWS:
        fault = f"the day has {len(rows.rows)} visits, and a page carries {MOST_ROWS}"
        raise ScenarioFault(fault, Place("--zone"), f"Choose one zone, e.g. --zone {stage.zones[0]}.")
    visits, places = rows.rows, place_of(rows.rows["key"])
    steps = np.unique(places)
    before = np.where(visits["started"] == NEVER, visits["queued"], visits["started"])
    marks = _own(played.marks, numbers)
    silent = [number for number, mark in enumerate(plan.names.marks) if not _is_told(mark.name)]
    told = ~np.isin(place_of(marks.rows["key"]), silent)
    mark_numbers = place_of(marks.rows["key"])[told]
    kinds, which = np.unique(mark_numbers, return_inverse=True)
    curves = [_counter(replay, played, place) for place in range(len(stage.counters))]
    where, road = roads.of(played, rows)
    return {
        "horizon": plan.horizon,
        "class": [_class(played, number) for number in numbers.tolist()],
        "steps": [_step(played, stage, step) for step in steps.tolist()],
        "visits": {
            "who": _steps_of(rows.who),
            "child": child_of(number_of(visits["key"])).tolist(),
            "step": np.searchsorted(steps, places).tolist(),
            "queued": _steps_of(visits["queued"]),
            "waited": np.where(visits["started"] == NEVER, NEVER, visits["started"] - visits["queued"]).tolist(),
            "took": np.where(visits["ended"] == NEVER, NEVER, visits["ended"] - before).tolist(),
        },
        "roads": {"visit": _steps_of(where), "road": road.tolist()},
        "marks": {
            "who": _steps_of(marks.who[told]),
            "child": child_of(number_of(marks.rows["key"][told])).tolist(),
            "mark": which.tolist(),
            "time": _steps_of(marks.rows["time"][told]),
            "names": [
                {lang: mark_text(played.arm, plan.names.marks[kind].name, Words(lang)) for lang in LANGUAGES}
                for kind in kinds.tolist()
            ],
        },
        "waits": _waits(played, day, rows),
        "counters": curves,
    }


def _is_told(mark: str) -> bool:
    """Return whether a mark is told in both languages: findings, and those that the glossary knows."""
    return mark not in SILENT_MARKS and (mark in glossary()["terms"] or mark.rpartition(".")[2] in FINDINGS)


@dataclass(frozen=True)
class _Own:
    """
    Rows of those shown, by consignment, child and time; `who`: the place of each consignment among those shown;
    `index`: the place of each row among all.
    """

    rows: Rows
    who: Ints
    index: Ints


def _own(rows: Rows, numbers: Ints) -> _Own:
    """Return the visits or marks of some consignments."""
    of = consignment_of(number_of(rows["key"]))
    order = np.argsort(numbers, kind="stable")
    near = np.minimum(np.searchsorted(numbers[order], of), len(numbers) - 1)
    who = order[near]
    index = np.flatnonzero(numbers[who] == of)
    rows, who = rows[index], who[index]
    time = rows["queued" if "queued" in (rows.dtype.names or ()) else "time"]
    sort = np.lexsort((time, child_of(number_of(rows["key"])), who))
    return _Own(rows[sort], who[sort], index[sort])


def _steps_of(column: Ints) -> list[int]:
    """Return a column as what each number adds to the one before it, the first to 0."""
    found: list[int] = np.diff(column, prepend=0).tolist()
    return found


def _class(played: Played, number: int) -> str:
    if number == NO_ROW:
        return ""
    known = played.classes[source_of(number)]
    ordinal = ordinal_of(number)
    return played.plan.names.classes[int(known[ordinal])] if ordinal < len(known) else ""


def _step(played: Played, stage: Stage, number: int) -> dict[str, Any]:
    """Return a step: its labels with those around it, and where its tokens are drawn."""
    name = played.plan.names.steps[number]
    counter = stage.counter_of(played.plan, name)
    own: dict[str, Any] = {
        **{language: " › ".join(step_labels(played.flows, name, Words(language))) for language in LANGUAGES},
        "kind": name.kind,
        "counter": counter,
        "units": 1,
    }
    if name.is_leave:
        return {**own, "leave": 1}
    if counter != NOWHERE:
        zone, resource = stage.counters[counter]
        row = next(
            row for row, each in enumerate(played.plan.names.resources) if (each.zone, each.name) == (zone, resource)
        )
        own["units"] = name.asked[row]
    elif is_road(played.flows, name):
        own["road"] = 1
    else:
        own["group"] = stage.group_of(played.plan, name, label_of(played.flows, name))
    if name.is_interruption:
        own["stopped"] = 1
    return own


def _counter(replay: Replay, played: Played, place: int) -> dict[str, Any] | None:
    """Return how a counter fares on the day, None where an arm does not have it."""
    plan, day = played.plan, replay.day
    zone, name = replay.stage.counters[place]
    found = [row for row, each in enumerate(plan.names.resources) if (each.zone, each.name) == (zone, name)]
    if not found:
        return None
    curve = curve_of(plan, played.visits, found[0], day.begin, day.end)
    changes = plan.changes_of(found[0])
    first = max(int(np.searchsorted(changes["time"], day.begin, side="right")) - 1, 0)
    own = changes[first:][changes["time"][first:] < day.end]
    return {
        "time": _steps_of(curve.time),
        "queue": curve.queue.tolist(),
        "used": curve.used.tolist(),
        "served": _steps_of(curve.served),
        "waited": _steps_of(curve.waited),
        "units": [[max(time, day.begin), units] for time, units in own.tolist()],
        "worst": worst_hour(plan, found[0], curve, day),
        "grows": int(found[0] in played.grows),
    }


def _waits(played: Played, day: Day, own: _Own) -> dict[str, Any]:
    """
    Return, for visits whose wait lies on the day, what it was for in words: the story that `trace` tells of them. Where
    that would be too much to work out, the waits in which least happened come first; `untold`: so many are left out.
    """
    plan, visits = played.plan, played.visits
    out = line_ends(own.rows, plan.horizon)
    waits = (out > own.rows["queued"]) & (out > day.begin) & (own.rows["queued"] < day.end)
    asks = np.array([bool(step.asked) for step in plan.names.steps], dtype=np.bool_)
    found = np.flatnonzero(waits & asks[place_of(own.rows["key"])])
    if not len(found):
        return {"visit": [], "untold": 0, **{language: [] for language in LANGUAGES}}
    begin, end = int(own.rows["queued"][found].min()), int(out[found].max())
    near = np.flatnonzero((visits["queued"] <= end) & (last_moment(visits, plan.horizon) >= begin))
    happens = _happens(plan, visits[near], own.rows[found], out[found])
    order = np.argsort(happens, kind="stable")
    told_of = np.sort(found[order[happens[order].cumsum() <= MOST_HAPPENS]])
    trail = Trail(NO_ROW, visits[near], played.marks, plan.horizon, left=True)
    row_of = dict(zip(np.searchsorted(near, own.index[told_of]).tolist(), told_of.tolist(), strict=True))
    told = [(row_of[row], short) for row, short in reasons(plan, trail, row_of)]
    texts = {
        str(language): [
            Words(language).joined(shortage_text(plan, each, Words(language)) for each in short) for _, short in told
        ]
        for language in LANGUAGES
    }
    rows = np.array([row for row, _ in told], dtype=np.int64)
    return {"visit": _steps_of(rows), "untold": len(found) - len(told_of), **texts}


def _happens(plan: Plan, visits: Rows, waits: Rows, out: Ints) -> Ints:
    """Return how often anything happens at the resources that each wait is for, while it lasts, ended at `out`."""
    steps = plan.names.steps
    found = np.zeros(len(waits), dtype=np.int64)
    for resource in sorted(
        {resource for step in set(place_of(waits["key"]).tolist()) for resource in steps[step].asked}
    ):
        asks = np.array([resource in step.asked for step in steps], dtype=np.bool_)
        rows = visits[asks[place_of(visits["key"])]]
        times = np.sort(np.concatenate([rows[name] for name in ("queued", "started", "ended")]))
        count = np.searchsorted(times, out, side="right") - np.searchsorted(times, waits["queued"])
        found += np.where(asks[place_of(waits["key"])], count, 0)
    return found


# --- roads


class _Roads:
    """
    The roads on which tokens of those shown are on the day; `drawn` are those with most, `more` so many others there
    are.
    """

    def __init__(self, replay: Replay) -> None:
        self.zones = replay.stage.zones
        counted: Counter[Road] = Counter()
        day = replay.day
        for each in replay.played:
            numbers = present(each.plan, each.visits, day.begin, day.end, resources_in(each.plan, self.zones))
            rows = _own(each.visits, numbers)
            on = (rows.rows["queued"] < day.end) & (last_moment(rows.rows, each.plan.horizon) >= day.begin)
            for row, road in self._found(each, rows):
                counted[road] += int(on[row])
        own = [road for road, count in counted.most_common() if count]
        self.drawn = tuple(sorted(own[:MOST_ROADS], key=own.index))
        self.more = len(own) - len(self.drawn)

    def of(self, played: Played, rows: _Own) -> tuple[Ints, Ints]:
        """Return the visits that are on a drawn road, by row, and which road it is."""
        found = [(row, self.drawn.index(road)) for row, road in self._found(played, rows) if road in self.drawn]
        pairs = np.array(found, dtype=np.int64).reshape(-1, 2)
        return pairs[:, 0], pairs[:, 1]

    def _found(self, played: Played, own: _Own) -> list[tuple[int, Road]]:
        """Return the visits on roads with the zones of the lanes, docks and yards before and after."""
        names = played.plan.names
        zone_of = [
            next((own.zone for own in map(names.resources.__getitem__, step.asked) if own.role in ROLES), OUTSIDE)
            for step in names.steps
        ]
        roads = np.array([is_road(played.flows, step) for step in names.steps], dtype=np.bool_)
        step = place_of(own.rows["key"])
        on = roads[step]
        concerned = np.isin(own.who, np.unique(own.who[on]))
        found: list[tuple[int, Road]] = []
        by_who: dict[int, list[int]] = {}
        for row in np.flatnonzero(concerned).tolist():
            by_who.setdefault(int(own.who[row]), []).append(row)
        child = child_of(number_of(own.rows["key"])).tolist()
        queued = own.rows["queued"].tolist()
        steps = step.tolist()
        for rows in by_who.values():
            # What comes next to a road on either side: a counter, or another road, which begins or ends elsewhere.
            stops = [(queued[row], child[row], zone_of[steps[row]]) for row in rows if zone_of[steps[row]] or on[row]]
            for row in rows:
                if on[row]:
                    kin = {0, child[row]}
                    before = [(time, zone) for time, who, zone in stops if time < queued[row] and who in kin]
                    after = [(time, zone) for time, who, zone in stops if time > queued[row] and who in kin]
                    start = max(before, key=itemgetter(0), default=(0, OUTSIDE))[1]
                    found.append((row, (start, min(after, key=itemgetter(0), default=(0, OUTSIDE))[1])))
        return found


# --- words


def _words(language: str) -> dict[str, Any]:
    phrases = glossary()["phrases"]
    own = {name.removeprefix(WORDS): texts[language] for name, texts in phrases.items() if name.startswith(WORDS)}
    story = {name: phrases[name][language] for name in phrases if name.startswith(("story.", "day."))}
    return own | story


def _both(labels: Any, name: str) -> Label:  # noqa: ANN401  by language or text
    return {language: Words(language).label(labels, name) for language in LANGUAGES}


def _terms(names: Sequence[str] | dict[str, None]) -> dict[str, Label]:
    return {name: {language: Words(language).term(name) for language in LANGUAGES} for name in names if name}


def _end(played: Played, zone: str) -> Label:
    """Return what an end of a road is called."""
    if zone == OUTSIDE:
        return {language: Words(language)("replay.outside") for language in LANGUAGES}
    return _both(played.arm.scenario.zones[zone].label, zone)


def _counters(replay: Replay) -> list[dict[str, Any]]:
    """Return the counters: zone, label by language, role."""
    found = []
    for zone, name in replay.stage.counters:
        own = next(
            each
            for played in replay.played
            for each in played.plan.names.resources
            if (each.zone, each.name) == (zone, name)
        )
        labels = {language: Words(language).label(own.label, Words(language).term(name)) for language in LANGUAGES}
        found.append({"zone": replay.stage.zones.index(zone), "name": str(own), "role": own.role, "label": labels})
    return found


def _arm_names(replay: Replay) -> list[dict[str, Label]]:
    """Return what the arms are called, at length and in short, by language."""
    arms = [
        NamedArm(each.arm.arm.name, dict(each.option.label), each.arm.arm.measures, bool(each.option.edits))
        for each in replay.played
    ]
    everything = everything_in(replay.played[0].arm.world)
    made = {language: ArmNames(Words(language), arms, everything) for language in LANGUAGES}
    return [
        {
            "name": dict.fromkeys(LANGUAGES, arm.name),
            "title": {language: names.title(arm.name) for language, names in made.items()},
            "short": {language: names.short(arm.name) for language, names in made.items()},
        }
        for arm in arms
    ]
