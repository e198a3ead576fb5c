"""
Random models: small scenarios in which everything that the language can say happens, and much of it at one instant.

A model is a scenario, written as text and compiled like any other, so that its plan is proved; with some of them come
measures that a share adopts. Two things that no text of one file can say are changed in the finished plan: a class,
or attributes, listed with each arrival time (else from a log).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from random import Random
from typing import Any

import numpy as np
import pytest
import yaml
from hypothesis import strategies as st

from tests.helper import HEAD, add_measure, plan_of
from tests.properties.durations import duration, minutes
from tests.properties.flows import FlowWriter, Place, ResolvedTree
from tests.properties.luck import Luck
from zonesim.faults import Faults
from zonesim.plan import Plan
from zonesim.plan.operations import NOWHERE, ArrivalsBy
from zonesim.plan.plan import LISTED_CLASS, LISTED_PART
from zonesim.policy import Arm, Chosen, loading
from zonesim.scenario import load_catalogue

LISTED_CLASSES = "a class is listed with each arrival"
LISTED_ATTRIBUTES = "attributes are listed with each arrival"


@dataclass(frozen=True)
class Model:
    """A scenario as a tree, the texts of measures with the choice of each, and what is changed in the plan."""

    tree: dict[str, Any]
    measures: tuple[str, ...] = ()
    chosen: tuple[Chosen, ...] = ()
    changes: tuple[str, ...] = ()
    tried: int = field(default=1, compare=False)

    def text(self) -> str:
        """Return the scenario as a file, without its head lines."""
        return yaml.safe_dump(self.tree, sort_keys=False, width=150, allow_unicode=True)

    @cached_property
    def plan(self) -> Plan:
        """The plan; raises Faults when the scenario is none."""
        with pytest.MonkeyPatch.context() as patch:
            catalogue = load_catalogue()
            for table in ("flows", "measures", "places", "keys"):
                patch.setattr(
                    catalogue, table, {}
                )  # the library has no part in these models, and copying it takes long
            patch.setattr(loading, "_library", loading._library.__wrapped__)  # which others would find without flows
            regime = catalogue.regimes["R1"].model_copy(update={"adopted": {}})
            patch.setattr(catalogue, "regimes", {"R1": regime})
            for measure in self.measures:
                add_measure(patch, measure)
            plan = plan_of(HEAD + self.text(), arm=Arm("arm", self.chosen) if self.chosen else None)
        if LISTED_CLASSES in self.changes:
            return _with_listed_classes(plan)
        return _with_listed_attributes(plan) if LISTED_ATTRIBUTES in self.changes else plan

    def __str__(self) -> str:
        """Return all of it, for people."""
        parts = [self.text(), *self.measures, *map(str, self.chosen), *self.changes]
        return "\n".join(parts)


def model_of(seed: int) -> Model:
    """Return the model with this number; models that do not compile are passed over."""
    return random_model(Random(seed))


def models() -> st.SearchStrategy[Model]:
    """Return models for hypothesis."""
    return st.randoms(use_true_random=False).map(random_model)


def random_model(source: Random) -> Model:
    """Return a model that compiles."""
    for tried in range(1, 200):
        model = _draw(Luck(source))
        try:
            assert len(model.plan.program)
        except Faults:
            continue
        return replace(model, tried=tried)
    raise AssertionError("no model of 200 compiles")


# --- drawing


def _draw(luck: Luck) -> Model:
    length = luck.pick([73, 120, 240, 361, 600, 600, 1445, 2000, 3000])
    clock = {
        "start": "2018-09-03",
        "warm_up": luck.pick(["0 h", "0 h", "10 min", "37 min", "61.5 min"]),
        "measure": f"{length} min",
        "cool_down": luck.pick(["0 h", "5 min", "90.25 min"]),
    }
    if luck.chance(0.15):
        clock["ends"] = "empty"
    classes = luck.pick([["A"], ["A", "B"], ["A", "B", "C"]])
    attributes = {"k": ["k0", "k1"], "l": ["l0", "l1", "l2"]}
    attributes = {name: attributes[name] for name in luck.some(list(attributes), 0, 2)} if luck.chance(0.4) else {}
    calendars = {f"c{number}": _calendar(luck, length) for number in range(luck.number(1, 3))}
    timetables = {"every": _every(luck)} | ({"daily": _moments(luck, length)} if luck.chance(0.5) else {})
    resources, rules = _resources(luck, list(calendars), length)
    zone: dict[str, Any] = {**resources, "stock": {"account": luck.pick([5, 500, 500, 500]), "floor": 0}}
    zone["goods"] = {"account": luck.pick([2, 9, 40]), "floor": luck.pick([0, 2]), "short": "wait"}
    firms = luck.chance(0.5)
    world = ResolvedTree(
        units={f"Z.{name}": _most_units(entry["units"]) for name, entry in resources.items()},
        rules={f"Z.{name}": rule for name, rule in rules.items()},
        alone={f"Z.{name}" for name, entry in resources.items() if _is_alone(entry)},
        preempts={f"Z.{name}" for name, entry in resources.items() if entry.get("preempt")},
        calendars=[*calendars, "always"] if luck.chance(0.3) else list(calendars),
        timetables=list(timetables),
        values={"class": classes, **attributes},
        accounts=["Z.stock"],
        stock="Z.goods",
        truths=["t0"],
        statuses=["q0", "q1", "q2"],
        spawned=["x"] if luck.chance(0.5) else [],
        firms=firms,
    )
    tree: dict[str, Any] = {"clock": clock, "calendars": calendars | timetables, "zones": {"Z": zone}}
    if luck.chance(0.3):
        tree["profiles"] = {"p": {"hours": _weights(luck)}}
        if luck.chance(0.4):
            tree["profiles"]["p"]["hours"] = {
                "mon-wed": _weights(luck),
                "sun": _weights(luck),
                "2018-09-04": _weights(luck),
            }
    if luck.chance(0.3):
        tree["factors"] = {name: FACTORS[name] for name in luck.some(list(FACTORS), 1, 2)}
    if firms:
        volume = {"zipf": luck.pick([0, 1.0])}
        tree["firms"] = {"count": luck.number(3, 8), "volume": volume, "credit": _mix(luck, classes)}
    if attributes:
        tree["attributes"] = {name: _mix(luck, values) for name, values in attributes.items()}
    truths: list[dict[str, Any]] = [{"all": luck.percent(10, 90)}]
    truths += [{"by": name, values[0]: luck.percent(), "all": luck.percent()} for name, values in attributes.items()]
    tree["truth"] = {"t0": luck.pick(truths)}
    tree["statuses"] = {name: {"to": dict.fromkeys(world.statuses, "assumed")} for name in world.statuses}
    tree["flows"] = _flows(luck, world)
    tree["traffic"] = _traffic(luck, world, tree, length)
    changes = tuple(each for each in (LISTED_CLASSES, LISTED_ATTRIBUTES) if luck.chance(0.3))
    measures, chosen = _measures(luck, world, tree, length) if luck.chance(0.4) else ((), ())
    return Model(tree, measures, chosen, changes)


def _mix(luck: Luck, values: list[str]) -> dict[str, str]:
    """Return the shares of some values."""
    return dict(zip(values, luck.split_percent(len(values)), strict=True))


def _calendar(luck: Luck, length: int) -> dict[str, list[str]]:
    """Return opening hours, most of them within the run."""
    return {key: _spans(luck, length) for key in luck.pick(DAYS)}


DAYS = [["mon-sun"], ["mon", "tue-sun"], ["mon-tue"], ["2018-09-03", "mon-sun"]]
"""Keys of a calendar or a table of units."""


def _spans(luck: Luck, length: int) -> list[str]:
    """Return spans of a day on 5-minute marks."""
    last = min(24 * 12, length // 5 + 3)
    edges = sorted(luck.source.sample(range(last + 1), min(2 * luck.number(1, 4), last + 1) // 2 * 2))
    spans = list(zip(edges[::2], edges[1::2], strict=True))
    if luck.chance(0.3) and spans[-1][1] < 24 * 12:
        spans.append((spans[-1][1], 24 * 12))  # two spans that touch
    return [f"{_hour(5 * begin)}-{_hour(5 * end)}" for begin, end in spans]


def _every(luck: Luck) -> dict[str, str]:
    """Return moments, or openings, of a period that is no part of a day."""
    found = {"every": f"{5 * luck.number(2, 60)} min"}
    if luck.chance(0.7):
        found["first"] = f"{5 * luck.number(0, 40)} min"
    if luck.chance(0.3):
        found["lasts"] = "5 min"
    return found


def _moments(luck: Luck, length: int) -> dict[str, list[str]]:
    """Return moments of days, some of them with opening hours between."""
    spans = [span for span in _spans(luck, length) if not span.endswith("24:00")]
    taken = [span if luck.chance(0.3) else span[:5] for span in spans or ["00:00-00:05"]]
    return {"mon-sun": [each for number, each in enumerate(taken) if not number or taken[number - 1][-5:] != each[:5]]}


def _staffing(luck: Luck, most: int, length: int) -> dict[str, Any]:
    """Return a table of units by time of day, with `most` at some time."""
    table: dict[str, Any] = {}
    for key in luck.pick(DAYS):
        if luck.chance(0.3):
            table[key] = [luck.number(0, most) for _ in range(24)]
            table[key][0] = most
        else:
            spans = _spans(luck, length)
            table[key] = {span: luck.number(0, most) for span in spans}
            table[key][spans[0]] = most
    return table


def _most_units(units: Any) -> int:
    """Return how many units steps may ask for."""
    if isinstance(units, dict):
        return max(count for day in units.values() for count in (day if isinstance(day, list) else day.values()))
    return 9 if units == "unlimited" else int(units)


def _weights(luck: Luck) -> list[float]:
    """Return weights of the hours of a day."""
    return [float(luck.pick([0, 1, 2, 5])) for _ in range(23)] + [1.0]


def _hour(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


def _is_alone(entry: dict[str, Any]) -> bool:
    """Return whether work with a resource can be interrupted."""
    pauses = entry.get("at_shift_end") == "pause"
    return bool(entry.get("preempt")) or (pauses and ("breakdowns" in entry or isinstance(entry["units"], dict)))


def _breakdowns(luck: Luck, units: int) -> dict[str, Any]:
    lasting = [duration(luck, {}, least) for least in (5, 1)]
    found = {"up": lasting[0], "repair": lasting[1], "of": luck.pick(["unit", "whole"])}
    if units == 1 and luck.chance(0.4):
        found["clock"] = "busy"
    return found


def _resources(luck: Luck, calendars: list[str], length: int) -> tuple[dict[str, Any], dict[str, str]]:
    """Return resources as a zone has them, and the rule at shift end of each; those that pause have the same hours."""
    entries: dict[str, Any] = {}
    rules: dict[str, str] = {}
    interrupts = luck.chance(0.4)
    for number in range(luck.number(2, 5)):
        name = f"r{number}"
        entry: dict[str, Any] = {"units": luck.weighted({1: 4, 2: 3, 3: 3, 4: 2, "unlimited": 0.5})}
        rule = "finish"
        if luck.chance(0.5):
            rule = luck.pick(["finish", "pause", "fits"])
            entry |= {"open": calendars[0] if rule == "pause" else luck.pick(calendars), "at_shift_end": rule}
        if interrupts and rule != "fits" and luck.chance(0.6):
            entry["preempt"] = True
        if interrupts and entry["units"] != "unlimited" and luck.chance(0.4):
            entry["breakdowns"] = _breakdowns(luck, entry["units"])
            if rule == "finish" and "open" not in entry and luck.chance(0.6):
                rule = entry["at_shift_end"] = "pause"
        if entry["units"] != "unlimited" and luck.chance(0.3):
            rules_here = ["finish", "pause"] if "preempt" in entry else ["finish", "pause", "fits"]
            rule = entry.setdefault("at_shift_end", luck.pick(rules_here))
            entry.pop("open", None)
            entry["units"] = _staffing(luck, entry["units"], length)
        entries[name], rules[name] = entry, rule
    return entries, rules


def _flows(luck: Luck, world: ResolvedTree) -> dict[str, Any]:
    flows: dict[str, Any] = {}
    for number in range(luck.number(1, 3)):
        writer = FlowWriter(luck, world, calls=True)
        flows[f"f{number}"] = {"steps": writer.steps(Place())}
    if world.spawned:
        alone = replace(world, spawned=world.spawned if luck.chance(0.1) else [])
        flows["g"] = {"steps": FlowWriter(luck, alone, calls=True).steps(Place(), 3)}
    sub = {"hold": {"h": "$r"}, "take": "$d"} | ({"mark": "m9"} if luck.chance(0.5) else {})
    flows["sub"] = {
        "params": {"r": "resource", "d": {"kind": "duration", "default": "3 min"}},
        "steps": {"one": sub, "two": {"share": luck.percent(), "take": minutes(luck)}},
    }
    return flows


def _traffic(luck: Luck, world: ResolvedTree, tree: dict[str, Any], length: int) -> dict[str, Any]:
    flows = [name for name in tree["flows"] if name.startswith("f")]
    traffic: dict[str, Any] = {}
    classes = world.values["class"]
    for number in range(luck.number(1, 4)):
        entry: dict[str, Any] = {"flow": flows[number % len(flows)]}
        tokens = luck.number(3, 40)
        how = luck.weighted({"rate": 4, "every": 2, "at": 4})
        if how == "rate":
            entry["rate"] = f"{tokens / length:.6f} /min"
            if "profiles" in tree and luck.chance(0.7):
                entry["profile"] = "p"
            if "factors" in tree and luck.chance(0.6):
                entry["factor"] = luck.some(list(tree["factors"]), 1, 2)
        elif how == "every":
            entry["every"] = duration(luck, {}, 1)
            entry["most"] = tokens
            if luck.chance(0.5):
                entry["during"] = luck.pick(world.calendars)
        if how != "at":
            entry |= _limits(luck, length)
        else:
            grid = sorted(5 * luck.number(0, min(length, 300) // 5) for _ in range(tokens))
            entry["at"] = [f"{each} min" for each in grid]
        if luck.chance(0.3):
            sizes = {"discrete": dict(zip(["1", "2", "3"], luck.split_percent(3), strict=True))}
            entry["batch"] = luck.pick([2, 3, sizes])
        if number == 0 or luck.chance(0.3):
            entry["classes"] = _mix(luck, classes)
        elif not world.firms or luck.chance(0.3):
            entry["class"] = luck.pick(classes)
        own = {name: values for name, values in world.values.items() if name != "class" and luck.chance(0.4)}
        if own:
            entry["attributes"] = {name: luck.pick([values[0], _mix(luck, values)]) for name, values in own.items()}
        if world.firms:
            entry["parties"] = luck.pick([1, 1, 1, 2])
        traffic[luck.pick("abcdeyz") + str(number)] = entry
    if world.spawned:
        traffic["x"] = {"flow": "g", "spawned": True} | ({"parties": 1} if world.firms else {})
    return traffic


def _limits(luck: Luck, length: int) -> dict[str, Any]:
    """Return when arrivals begin and end, and how many there are at most, or nothing of it."""
    found: dict[str, Any] = {}
    if luck.chance(0.2):
        found["from"] = f"{5 * luck.number(0, min(length, 120) // 5)} min"
    if luck.chance(0.3):
        found["until"] = luck.pick(["measure", f"{5 * luck.number(25, max(length // 5, 26))} min"])
    if luck.chance(0.3):
        found["most"] = luck.number(1, 20)
    return found


FACTORS = {
    "day": {"each": "day", "gamma": {"mean": 1.0, "cv": 0.5}},
    "run": {"each": "replication", "discrete": {"0.5": "40 %", "1.5": "60 %"}},
    "low": {"each": "day", "discrete": {"0": "30 %", "2": "70 %"}},
}
"""Random factors of rates, one of them often 0."""


def _measures(
    luck: Luck, world: ResolvedTree, tree: dict[str, Any], length: int
) -> tuple[tuple[str, ...], tuple[Chosen, ...]]:
    """Return one or two measures: other times of a step, a step less, another class."""
    texts, chosen = [], []
    classes = world.values["class"]
    flows = [name for name in tree["flows"] if name.startswith("f")]
    for number, flow in enumerate(luck.some(flows, 1, 2)):
        steps = {name: step for name, step in tree["flows"][flow]["steps"].items() if "take" in step}
        practice: dict[str, Any] = {"label": {"en": "x", "zh": "x"}}
        practice["adoption"] = {"share": "$share", "of": luck.pick(["volume", "firms", "token"])}
        if steps:
            path = f"flows.{flow}.{luck.pick(list(steps))}.take"
            practice["edits"] = [{"set": path, "to": duration(luck, world.values)}]
        elif len(classes) > 1:
            practice["sets_class"] = {classes[0]: classes[1]}
        else:
            continue
        name = f"m{90 + number}"
        body = {
            "params": {"share": {"default": luck.percent(20, 90), "low": "0 %", "high": "100 %"}},
            "practices": {"p": practice},
        }
        head = f"name: {name}\nannex: {90 + number}\n"
        texts.append(head + yaml.safe_dump(body, sort_keys=False, width=150, allow_unicode=True))
        start = "2018-09-04" if length > 24 * 60 and luck.chance(0.5) else ""
        chosen.append(Chosen(name, start=start))
    return tuple(texts), tuple(chosen)


# --- what the language cannot say


def _with_listed_classes(plan: Plan) -> Plan:
    """Return a plan whose listed arrivals have each a class of their own."""
    sources, times = plan.sources.copy(), plan.times.copy()
    classes = len(set(plan.names.classes))
    step = len(plan.names.classes) // classes  # the combinations with attributes of a class follow each other
    for row in sources:
        if row["arrivals"] == ArrivalsBy.LISTED and row["mix"] == -1:
            row["class"] = LISTED_CLASS
            times["class"][row["first"] : row["first"] + row["count"]] = np.arange(row["count"]) % classes * step
    return replace(plan, sources=sources, times=times)


def _with_listed_attributes(plan: Plan) -> Plan:
    """Return a plan whose listed arrivals have each attributes of their own, and a class that is drawn."""
    sources, times = plan.sources.copy(), plan.times.copy()
    step = len(plan.names.classes) // len(set(plan.names.classes))
    listed = [
        number for number, row in enumerate(sources) if row["arrivals"] == ArrivalsBy.LISTED and row["class"] == NOWHERE
    ]
    for row in sources[listed]:
        times["class"][row["first"] : row["first"] + row["count"]] = np.arange(row["count"]) % step
    sources["class"][listed] = LISTED_PART
    kept = ~np.isin(plan.attributes["source"], listed)
    attributes, streams = plan.attributes[kept], plan.attribute_streams[kept]
    return replace(plan, sources=sources, times=times, attributes=attributes, attribute_streams=streams)
