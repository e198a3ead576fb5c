"""Random flows: lists of steps of every kind that the language has."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from tests.properties.durations import duration, minutes
from tests.properties.luck import Luck

Steps = dict[str, dict[str, Any]]

KINDS = {
    "serve": 11.0,
    "delay": 3.0,
    "impatient": 2.0,
    "any": 3.0,
    "draw": 3.0,
    "due": 3.0,
    "block": 3.0,
    "gather": 3.0,
    "led": 1.0,
    "split": 2.5,
    "parallel": 1.0,
    "wait_until": 1.0,
    "change": 2.5,
    "check": 1.5,
    "call": 1.0,
    "spawn": 1.0,
}
"""How often a step is of each kind."""

DEEPEST = 3
"""Blocks, branches and batches inside each other."""


@dataclass(frozen=True)
class ResolvedTree:
    """What flows may name: resources with their units and rule at shift end, calendars, classes and so on."""

    units: dict[str, int]
    rules: dict[str, str]
    alone: set[str]
    """Resources that may be lost in the middle of work, and so are taken alone."""
    preempts: set[str]
    """Those of them that who is more important takes."""
    calendars: list[str]
    timetables: list[str]
    """Calendars of moments, at which something departs and nothing is open."""
    values: dict[str, list[str]]
    """Of the class and the attributes that tokens have."""
    accounts: list[str]
    stock: str
    """An account that is waited for."""
    truths: list[str]
    statuses: list[str]
    spawned: list[str]
    firms: bool


@dataclass(frozen=True)
class Place:
    """Where a list of steps stands: what its tokens hold, how deep it lies, and the marks and statuses set before it."""

    held: dict[str, int] = field(default_factory=dict)
    depth: int = 0
    marks: list[str] = field(default_factory=list)
    statuses: list[str] = field(default_factory=list)
    dues: list[str] = field(default_factory=list)
    split: str = ""
    """The split whose children stand here."""

    def inside(self, needs: dict[str, int] | None = None) -> Place:
        """Return the place inside a step of this one that holds `needs` besides."""
        held = dict(self.held)
        for name, units in (needs or {}).items():
            held[name] = held.get(name, 0) + units
        return replace(self, held=held, depth=self.depth + 1, split="")

    def alone(self) -> Place:
        """Return the place of a child, which holds nothing."""
        return Place(depth=self.depth + 1, marks=self.marks, statuses=self.statuses, dues=self.dues)


class FlowWriter:
    """Writes the steps of one flow."""

    def __init__(self, luck: Luck, world: ResolvedTree, *, calls: bool) -> None:
        self.luck = luck
        self.world = world
        self.calls = calls
        self.number = 0
        self.left = luck.number(3, 16)
        """How many steps may still be written."""

    def name(self) -> str:
        """Return a new name of a step."""
        self.number += 1
        return f"s{self.number}"

    def steps(self, place: Place, most: int = 7) -> Steps:
        """Return a list of steps."""
        luck = self.luck
        found: Steps = {}
        own: list[str] = []
        for _ in range(luck.number(1, most)):
            if self.left <= 0 and found:
                break
            self.left -= 1
            kinds = dict(KINDS)
            if place.depth >= DEEPEST:
                kinds = {kind: kinds[kind] for kind in ("serve", "delay", "change", "check", "wait_until")}
            kind = luck.weighted(kinds)
            if kind == "split":
                own += self._split(found, place)
                continue
            name = self.name()
            step = getattr(self, f"_{kind}")(place)
            found[name] = self._dressed(step, place, kind)
            own.append(name)
        self._lead_on(found, own)
        self._keep(found, own)
        return found

    # --- kinds of steps

    def _delay(self, _: Place) -> dict[str, Any]:
        step: dict[str, Any] = {"take": duration(self.luck, self.world.values)}
        if self.luck.chance(0.25):
            step["during"] = self.luck.pick(self.world.calendars)
        return step

    def _serve(self, place: Place) -> dict[str, Any]:
        needs = self._needs(place)
        if not needs:
            return self._delay(place)
        step: dict[str, Any] = {"hold": self._hold(needs), "take": duration(self.luck, self.world.values)}
        lines = [name for name in self.world.units if not place.held or name not in {*self.world.alone, *place.held}]
        if len(lines) > 1 and self.luck.chance(0.2):
            needs = dict.fromkeys(self.luck.some(lines, 2, 3), 1)
            step["hold"] = {"h": {"shortest": list(needs)}}
        rules = {self.world.rules[name] for name in needs}
        if "fits" not in rules and self.luck.chance(0.1):
            step["during"] = self.luck.pick(self.world.calendars)
        return self._waiting(step, place)

    def _impatient(self, place: Place) -> dict[str, Any]:
        """Ask for several units and give up soon: the line behind is held up and then let go."""
        able = [
            name
            for name, units in self.world.units.items()
            if units > 1 and name not in self.world.alone and name not in place.held
        ]
        if not able or self.world.alone & set(place.held):
            return self._serve(place)
        name = able[0]  # the same for all steps, so that small requests stand behind large ones
        needs = {name: self.luck.number(2, min(self.world.units[name], 3))}
        step: dict[str, Any] = {"hold": self._hold(needs)}
        step["patience"] = {"longest": f"{self.luck.number(1, 8)} min"}
        work = {"take": f"{self.luck.number(5, 20)} min"}
        if self.world.rules[name] == "fits" or self.luck.chance(0.5):
            return {**step, **work}
        return {**step, "steps": {self.name(): {"mark": self._new_mark(place)}, self.name(): work}}

    def _any(self, place: Place) -> dict[str, Any]:
        """Ask for any of several resources, with the time of each, mostly alone: who is held up there, may be served here."""
        luck, world = self.luck, self.world
        able = [name for name in world.units if name not in place.held and (not place.held or name not in world.alone)]
        able = [name for name in able if name not in world.preempts]
        if len(able) < 2 or world.alone & set(place.held):
            return self._serve(place)
        listed = luck.some(able, 2, 3)
        units = 1
        if not world.alone & set(listed):
            units = luck.number(1, min(2, *(world.units[name] for name in listed)))
        step: dict[str, Any] = {"hold": {"h": {"any": listed} | ({"units": units} if units > 1 else {})}}
        others = [name for name in able if name not in {*listed, *world.alone}]
        if others and not world.alone & set(listed) and luck.chance(0.25):
            step["hold"]["other"] = luck.pick(others)
        asked = {*listed, *(hold for hold in step["hold"].values() if isinstance(hold, str))}
        if any(world.rules[name] == "fits" for name in asked) or luck.chance(0.6):
            step["take"] = duration(luck, world.values)
            if luck.chance(0.6):
                step["take"] = {"by": "h", listed[0]: duration(luck, world.values), "all": step["take"]}
        else:
            needs = {name: units if name in listed else 1 for name in asked}
            step["steps"] = self.steps(place.inside(needs), 2)
        return self._waiting(step, place)

    def _draw(self, place: Place) -> dict[str, Any]:
        """Draw on an account or bring to it; with units of resources, or an amount that is given back."""
        luck, world = self.luck, self.world
        if luck.chance(0.4) or world.alone & set(place.held):
            return {"set": {"credit": {world.stock: luck.number(1, 4)}}}
        needs = {}
        if luck.chance(0.5):
            needs = {name: units for name, units in self._needs(place).items() if world.rules[name] != "fits"}
        if world.alone & set(needs):
            needs = {}
        step: dict[str, Any] = {"draw": {world.stock: luck.number(1, 3)}}
        if luck.chance(0.2):
            needs[world.stock] = luck.number(1, 2)
            step = {} if luck.chance(0.5) else step
        if needs:
            step["hold"] = self._hold(needs)
        if luck.chance(0.7):
            step["take"] = duration(luck, world.values)
        return self._waiting(step, place)

    def _due(self, place: Place) -> dict[str, Any]:
        """Note a deadline; the first of a list is known to all that stands behind."""
        luck = self.luck
        name = f"d{luck.number(0, 2)}"
        place.dues.append(name)
        due: Any = duration(luck, self.world.values)
        if luck.chance(0.5):
            due = {luck.pick(["opening", "closing"]): luck.pick(self.world.calendars)}
        return {"due": {name: due}} | ({"take": duration(luck, self.world.values)} if luck.chance(0.5) else {})

    def _block(self, place: Place) -> dict[str, Any]:
        needs = {name: units for name, units in self._needs(place).items() if self.world.rules[name] != "fits"}
        if not needs:
            return self._serve(place)
        inner = self.steps(place.inside(needs), 3)
        if self.luck.chance(0.4):  # a row at the very instant of the grant, which tells who moves first
            inner = {self.name(): {"mark": self._new_mark(place)}, **inner}
        step = {"hold": self._hold(needs), "steps": inner}
        return self._waiting(step, place)

    def _gather(self, _: Place) -> dict[str, Any]:
        luck = self.luck
        gather: dict[str, Any] = {}
        ends = luck.some(["number", "within", "until"], 1, 2)
        if "number" in ends:
            gather["number"] = luck.weighted({1: 1, 2: 4, 3: 3, 5: 1})
        if "within" in ends:
            gather["within"] = duration(luck, {}, 1)
        if "until" in ends:
            gather["until"] = luck.pick([*self.world.calendars, *self.world.timetables])
        if luck.chance(0.3):
            most = luck.weighted({1: 2, 2: 3, 3: 1})
            if luck.chance(0.4):
                most = {"discrete": dict(zip(["1", "2", "4"], luck.split_percent(3), strict=True))}
            gather = {"until": luck.pick([*self.world.timetables, *self.world.calendars]), "most": most}
        by = luck.pick([None, None, *self.world.values, *(["firm"] if self.world.firms else [])])
        return {"gather": gather | ({"by": by} if by else {})}

    def _led(self, place: Place) -> dict[str, Any]:
        return {**self._gather(place), "steps": self.steps(place.inside(), 3)}

    def _split(self, found: Steps, place: Place) -> list[str]:
        luck = self.luck
        split, join = self.name(), self.name()
        count: Any = luck.number(1, 3)
        if luck.chance(0.4):
            count = {"discrete": dict(zip(["1", "2", "4"], luck.split_percent(3), strict=True))}
        found[split] = {"split": {"into": "part", "count": count}}
        found.update(self.steps(replace(place.alone(), split=split), 3))
        found[join] = {"join": split}
        return [split, join]

    def _parallel(self, place: Place) -> dict[str, Any]:
        branches = {}
        for _ in range(self.luck.number(2, 3)):
            branches[self.name()] = {"steps": self.steps(place.alone(), 2)}
        return {"parallel": branches}

    def _wait_until(self, _: Place) -> dict[str, Any]:
        if self.luck.chance(0.4):
            return {"wait_until": {"closing": self.luck.pick(self.world.calendars)}}
        return {"wait_until": self.luck.pick([*self.world.calendars, *self.world.timetables])}

    def _change(self, place: Place) -> dict[str, Any]:
        luck, world = self.luck, self.world
        changes: dict[str, Any] = {}
        what = luck.pick(["credit", "debit", "values", "status", "status"])
        if what in {"credit", "debit"}:
            changes[what] = {luck.pick(world.accounts): luck.number(1, 3)}
        elif what == "values":
            changes |= {name: luck.pick(world.values[name]) for name in luck.some(list(world.values), 1, 2)}
        else:
            changes["status"] = luck.pick(world.statuses)
            place.statuses.append(changes["status"])
        step: dict[str, Any] = {"set": changes}
        if luck.chance(0.3):
            step["take"] = duration(luck, world.values)
        return step

    def _check(self, place: Place) -> dict[str, Any]:
        luck = self.luck
        truth = luck.pick(self.world.truths)
        if luck.chance(0.2):
            return {"correct": truth, "take": minutes(luck)}
        step: dict[str, Any] = {
            "detect": {"truth": truth, "sensitivity": luck.percent(20), "false_alarm": luck.pick(["0 %", "30 %"])}
        }
        if luck.chance(0.6):
            step["detect"]["on_hit"] = {"mark": self._new_mark(place)}
        if luck.chance(0.5):
            step["take"] = duration(luck, self.world.values)
        return step

    def _call(self, place: Place) -> dict[str, Any]:
        needs = self._needs(place)
        usable = [name for name, units in needs.items() if units == 1]
        if not usable or not self.calls:
            return self._delay(place)
        given: dict[str, Any] = {"r": usable[0]}
        if self.luck.chance(0.5):
            given["d"] = minutes(self.luck)
        return {"call": "sub", "with": given}

    def _spawn(self, place: Place) -> dict[str, Any]:
        if not self.world.spawned:
            return self._delay(place)
        start = self.luck.pick(self.world.spawned)
        if self.luck.chance(0.6):
            return {"spawn": {"traffic": start, "after": duration(self.luck, self.world.values)}}
        return {"spawn": start}

    # --- what steps have besides

    def _needs(self, place: Place) -> dict[str, int]:
        """Return units of one to three resources that can be had with what is in hand; mostly in one order."""
        luck, units, alone = self.luck, self.world.units, self.world.alone
        if alone & set(place.held):
            return {}
        names = [name for name in units if not place.held or name not in alone]
        last = max((names.index(name) for name in place.held if name in names), default=-1)
        ordered = names[last + 1 :] if luck.chance(0.9) else names
        free = {name: units[name] - place.held.get(name, 0) for name in ordered}
        usable = [name for name in ordered if free[name] > 0 and (name not in place.held or luck.chance(0.2))]
        if not usable:
            return {}
        chosen = luck.some(usable, 1, luck.weighted({1: 6, 2: 3, 3: 2}))
        popular = [name for name in usable if free[name] > 1 and name not in alone][:1]
        if popular and luck.chance(0.3):
            chosen = popular
        if alone & set(chosen):
            return {luck.pick(sorted(alone & set(chosen))): 1}
        return {name: luck.number(1, min(free[name], 3)) if luck.chance(0.45) else 1 for name in chosen}

    def _hold(self, needs: dict[str, int]) -> dict[str, Any]:
        return {
            f"h{number}": {"resource": name, "units": units} if units > 1 else name
            for number, (name, units) in enumerate(needs.items())
        }

    def _waiting(self, step: dict[str, Any], place: Place) -> dict[str, Any]:
        """Return a step that holds something, with a priority and patience or without."""
        luck = self.luck
        if luck.chance(0.4):
            step["priority"] = luck.pick([1, 2, self._by([1, 2]), self._by([0, 1])])
        if luck.chance(0.3):
            step["patience"] = {"longest": duration(luck, self.world.values)}
            if place.dues and luck.chance(0.6):
                step["patience"] = {"until": luck.pick(place.dues)}
        return step

    def _by(self, two: list[Any]) -> dict[str, Any]:
        """Return one of two things by class or attribute: the first for one of its values."""
        name, (first, others) = self.luck.pick(list(self.world.values)), two
        cases = {self.luck.pick(self.world.values[name]): first, "all": others}
        return cases if name == "class" and self.luck.chance(0.5) else {"by": name, **cases}

    def _new_mark(self, place: Place) -> str:
        mark = f"m{self.luck.number(0, 3)}"
        place.marks.append(mark)
        return mark

    def _dressed(self, step: dict[str, Any], place: Place, kind: str) -> dict[str, Any]:
        """Return a step with conditions, marks and a background or without."""
        luck = self.luck
        front: dict[str, Any] = {}
        if luck.chance(0.2):
            front["when"] = self._when(place)
        if kind == "spawn" or luck.chance(0.15):
            front["share"] = luck.pick([luck.percent(10, 90), self._by([luck.percent(), luck.percent(10, 90)])])
        if "patience" not in step and "gather" not in step and luck.chance(0.1):
            front["background"] = True
        if luck.chance(0.15):
            step["mark"] = self._new_mark(place)
        if "detect" in step:
            self._picked(front, step)
        return {**front, **step}

    def _picked(self, front: dict[str, Any], step: dict[str, Any]) -> None:
        """Let many checks pick whom they look at, with a lift; nothing is drawn, so that other steps stay as they are."""
        if self.number % 3 == 0:
            front.setdefault("share", f"{10 + 13 * (self.number % 7)} %")
        if "share" in front:
            step["detect"]["lift"] = [0.4, 2.5, {"uncertain": [1, 1, 10]}, {"uncertain": [0.5, 4, 8]}][self.number % 4]

    def _when(self, place: Place) -> dict[str, Any]:
        luck, world = self.luck, self.world
        names = list(world.units)
        kinds: list[dict[str, Any]] = [
            {name: luck.pick(world.values[name]) for name in luck.some(list(world.values), 1, 2)},
            {"queue": {"of": luck.pick(names), "longer_than": luck.number(0, 3)}},
            {luck.pick(["shut", "open"]): luck.pick([*names, *world.calendars])},
        ]
        if place.statuses:
            kinds += [{"status": luck.some(world.statuses, 1, 2)}] + [{"status": place.statuses[-1]}] * 3
        if place.dues:
            kinds += [{luck.pick(["overdue", "in_time"]): luck.pick(place.dues)}] * 3
        if place.split:
            kinds += [{"last_of": place.split}] * 3
        if place.marks:
            kinds += [{luck.pick(["marked", "unmarked"]): luck.pick(place.marks)}] * 2
        return luck.pick(kinds)

    def _lead_on(self, found: Steps, own: list[str]) -> None:
        """Let some steps go on elsewhere, forward or backward, and let those who give up do so."""
        luck = self.luck
        for number, name in enumerate(own):
            step = found[name]
            if "patience" in step:
                forward = [*own[number + 1 :], "end"]
                target = self._target(found, own, number) if luck.chance(0.3) else luck.pick(forward)
                step["patience"]["next"] = target
                if target in own[: number + 1]:  # not round and round in no time
                    step["patience"] = {"longest": minutes(luck, 1), "next": target}
            if step.get("background") or "split" in step or not luck.chance(0.12):
                continue
            if luck.chance(0.3):
                step["next"] = luck.pick([*own[number + 1 :], "end"])
            else:
                targets = list(dict.fromkeys(self._target(found, own, number) for _ in range(luck.number(1, 2))))
                step["next"] = {target: luck.percent(5, 40) for target in targets}

    def _target(self, found: Steps, own: list[str], number: int) -> str:
        """Return where to go on; not back over a step in the background, whose child may still be there."""
        first = number + 1
        while first > 0 and not found[own[first - 1]].get("background"):
            first -= 1
        return self.luck.pick([*own[first:], *own[number + 1 :], "end"])

    def _keep(self, found: Steps, own: list[str]) -> None:
        """Let some holds outlast their step or the block around it."""
        for number, name in enumerate(own):
            later = [each for each in own[number + 1 :] if not found[each].get("background")]
            inner = [(step, [name, *later]) for step in found[name].get("steps", {}).values() if "hold" in found[name]]
            for step, untils in [(found[name], later), *inner]:
                kept = self._keepable(step)
                if kept and untils and "keep" not in step and self.luck.chance(0.15):
                    step["keep"] = {kept: f"until {self.luck.pick(untils)}"}

    def _keepable(self, step: dict[str, Any]) -> str | None:
        """Return a hold of a step that may be kept, None when there is none."""
        written = [hold for hold in step.get("hold", {}).values() if isinstance(hold, dict)]
        if any(step.get(key) for key in ("background", "when", "share")) or any(
            {"shortest", "any"} & set(hold) for hold in written
        ):
            return None
        names = {key: hold if isinstance(hold, str) else hold["resource"] for key, hold in step.get("hold", {}).items()}
        if any(self.world.rules.get(name) != "finish" or name in self.world.alone for name in names.values()):
            return None
        return next(iter(names), None)
