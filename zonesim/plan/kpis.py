"""
The scenario's own KPIs: whether there is what they name, and whether their ids are theirs alone.

What a KPI names has to be there in this arm, or where nobody follows a practice: a measure may take a step away.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from zonesim import units
from zonesim.faults import Place, ScenarioFault, UnknownName, near, suggest
from zonesim.limits import CALLS_DEEP, MOST_KPI_MARKS, MOST_PASSAGE_MARKS
from zonesim.plan.plan import UNLIMITED
from zonesim.plan.world_tables import WorldTables
from zonesim.policy import sizes
from zonesim.scenario import KpiDeclaration, Step, load_catalogue
from zonesim.scenario.acts import Deadline
from zonesim.scenario.fields import CLASS
from zonesim.scenario.kpis import EACH, FIRM_SIZE, LATE, LATE_DAY, Between, KpiStatistic, within
from zonesim.scenario.traffic import Traffic

SHARE_A_FORM: Final = ({"flow", "zone"}, {"step", "gate", "resource", "account"}, {"truth"}, {"all"})
"""Scopes whose ids have one form: `FLOW.x.mean`, `ZONE.x.day`; a name tells one thing in them."""


ORDER: Final = 4.5
"""Place in figures of what is told within a time: before the means of waits and stays, which nobody asked for."""


@dataclass(frozen=True)
class Declared:
    """One of the scenario's KPIs: its name, and where it and what it says are written."""

    name: str
    rule: KpiDeclaration
    tables: WorldTables

    def place(self, *keys: str) -> Place:
        """Return where something of it is written."""
        world = self.tables.arm.world
        return world.place(("kpis", self.name, *keys)) if keys else world.key_place(("kpis", self.name))


def own_kpis(tables: WorldTables, traffic: Mapping[str, Traffic]) -> tuple[tuple[str, KpiDeclaration], ...]:
    """
    Return the scenario's KPIs by name; what is wrong with them is noted as faults, unless the flows are wrong already:
    what they would make is not known then.
    """
    known = Known(tables, traffic)
    sound = not tables.faults.faults
    for fault in _roles(tables):
        tables.faults.add(fault)
    for name, rule in tables.scenario.kpis.items() if sound else ():
        for fault in _wrong(Declared(name, rule, tables), known):
            tables.faults.add(fault)
    if tables.scenario.kpis:
        for fault in _too_many(tables):
            tables.faults.add(fault)
    return tuple(told for own in tables.scenario.kpis.items() for told in _told_by(*own, tables))


def grouped_kpis(tables: WorldTables) -> tuple[tuple[str, KpiDeclaration], ...]:
    """Return the KPIs that the library tells of one group of consignments after the other, by name."""
    told_by = [(name, rule) for name, rule in load_catalogue().kpis if rule.by is not None]
    return tuple(told for name, rule in told_by for told in _told_by(name, rule, tables))


def _told_by(name: str, rule: KpiDeclaration, tables: WorldTables) -> Iterator[tuple[str, KpiDeclaration]]:
    """Yield a KPI, or one for each value of what it is told by; by `each` of all that have two values at least."""
    if rule.by is None:
        yield name, rule
        return
    called = {"en": name.replace("_", " "), "zh": name} | rule.label
    for dimension in [rule.by] if rule.by != EACH else [CLASS, FIRM_SIZE, *tables.classes.attributes]:
        values = [value for value in _values(dimension, tables) if value in rule.of.get(dimension, [value])]
        if rule.by == EACH and len(values) <= 1:
            continue
        for value in values:
            words = _words(dimension, value)
            label = {"en": f"{called['en']} ({words['en']})", "zh": f"{called['zh']}（{words['zh']}）"}
            of = {**rule.of, dimension: [value]}
            told = f"{name}.{dimension}.{value}" if rule.by == EACH else f"{name}.{value}"
            yield told, rule.model_copy(update={"by": None, "of": of, "label": label})


def _values(dimension: str, tables: WorldTables) -> Iterator[str]:
    """Yield the values of what consignments are told by: those with which they arrive, of practices none of its own."""
    if dimension == FIRM_SIZE:
        yield from dict.fromkeys(sizes([firm.share for firm in tables.firms]))
        return
    for value in tables.classes.values.get(dimension, ()):
        if value and value not in tables.tokens.upgraded:
            yield value


def _words(dimension: str, value: str) -> dict[str, str]:
    """Return what people call a value, by language."""
    sized = load_catalogue().firm_sizes
    label = {str(language): text for language, text in sized[value].label.items()} if dimension == FIRM_SIZE else {}
    return {"en": value, "zh": value} | label


def within_kpis(tables: WorldTables) -> tuple[tuple[str, KpiDeclaration], ...]:
    """Return what flows and steps say is to be told within a time, as KPIs of the library with one statistic more."""
    library = {(rule.where, name): rule for name, rule in load_catalogue().kpis}
    found = []
    for (scope, name, limit), subjects in sorted(tables.limits.items()):
        statistic = KpiStatistic(headline=True, order=ORDER)
        changes = {"only": list(subjects), "statistics": {within(limit): statistic}, "samples": False}
        found.append((name, library[scope, name].model_copy(update=changes)))
    return tuple(found)


def due_kpis(tables: WorldTables) -> tuple[tuple[str, KpiDeclaration], ...]:
    """
    Return what is told of the deadlines that flows note: who leaves late, or makes the mark late that one is for, how
    many a day, and by how much.
    """
    found = []
    for (name, mark), each in sorted(tables.obligations.items()):
        deadline = each.due if isinstance(each.due, Deadline) else None
        called = {"en": name.replace("_", " "), "zh": name} | (dict(deadline.label) if deadline else {})
        until = ("leaving", "离开") if deadline is None else (f"mark {mark}", f"标记（{mark}）")
        rule = KpiDeclaration(
            time=Between.model_validate({"from": f"{name}.due", "to": [mark]}),
            better="lower",
            only=list(each.flows),
            label={"en": f"{called['en']}: lateness", "zh": f"{called['zh']}迟延"},
            definition={
                "en": f"from the deadline to {until[0]}, 0 for who is there before it; of those who have the deadline",
                "zh": f"自期限至{until[1]}，期限前完成者计0；仅计有此期限者",
            },
            statistics={
                LATE: KpiStatistic(headline=None if _ends_in_time(tables, deadline) else False),
                LATE_DAY: KpiStatistic(headline=False),
                "mean": KpiStatistic(headline=deadline is None),
            },
        )
        found.append((f"{name}.due", rule))
    return tuple(found)


def _ends_in_time(tables: WorldTables, deadline: Deadline | None) -> bool:
    """Return whether all who come in the measured window have had the time of a deadline before the run ends."""
    written = None if deadline is None else deadline.within if deadline.within is not None else deadline.after
    return not isinstance(written, str) or units.parse_time(written) <= tables.horizon - tables.measured


def unmet_deadlines(tables: WorldTables) -> Iterator[ScenarioFault]:
    """Yield a fault for every deadline that is for a mark which nobody makes who has it."""
    for (name, mark), each in sorted(tables.obligations.items()):
        for flow, place in each.flows.items():
            made = {other.name for other in tables.marks.rows if other.flow == flow}
            if mark not in made:
                fault = f"the deadline '{name}' is for the mark '{mark}', which nobody makes in flow '{flow}'"
                yield ScenarioFault(fault, place, suggest(mark, made, "marks"))


def watch_hours(tables: WorldTables) -> list[str]:
    """
    Keep the hours of the calendars after whose closings somebody asks for recovery; unknown ones are noted as faults.

    Return a note for each that a future shuts, but not so that it opens again inside the measured window.
    """
    library, own = load_catalogue().kpis, tables.scenario.kpis
    met = tables.arm.met
    shut = {change.path[1] for change in met.changes if change.path[0] == "calendars"}
    notes: list[str] = []
    for name, rule in (*library, *own.items()):
        if rule.recovery is None:
            continue
        calendar = rule.recovery.after
        written = ("kpis", name, "recovery", "after") if own.get(name) is rule else ("calendars", calendar)
        place = tables.arm.world.place(written)
        try:
            tables.hours(calendar, place)
            begins = [begin for begin, end in tables.spans(calendar, place) if begin < end]
        except ScenarioFault as fault:
            tables.faults.add(fault)
            continue
        if calendar in shut and not any(max(tables.warm_up, 1) <= begin < tables.measured for begin in begins):
            notes.append(f"warning: in future {met.name} no closing of {calendar} ends inside the measured window")
    return notes


class Known:
    """What KPIs may name: flows, steps and marks, of this arm or where nobody follows a practice."""

    def __init__(self, tables: WorldTables, traffic: Mapping[str, Traffic]) -> None:
        self.tables = tables
        self.traffic = traffic

    @cached_property
    def marks(self) -> dict[str, set[str]]:
        """Return the marks that tokens of each entry may make."""
        found: dict[str, set[str]] = {name: set() for name in self.traffic}
        for mark in self.tables.marks.rows:
            found[mark.entry].add(mark.name)
        for entry, step, _ in self._bare():
            hit = step.detect.on_hit if step.detect is not None else None
            found[entry] |= {*step.mark, *([hit.mark] if hit is not None else [])}
        return found

    @cached_property
    def steps(self) -> set[str]:
        """Return the steps, written with their flow and with what their entry is told with."""
        paths = {(step.entry, step.path) for step in self.tables.steps.rows if not step.is_leave}
        paths |= {(entry, path) for entry, _, path in self._bare()}
        return {f"{head}.{'.'.join(path)}" for entry, path in paths for head in self._heads(entry)}

    @cached_property
    def heads(self) -> set[str]:
        """Return the flows of the traffic, and what its entries are told with."""
        return {head for name in self.traffic for head in self._heads(name)}

    def _heads(self, entry: str) -> tuple[str, str]:
        own = self.traffic[entry]
        return own.flow, own.group or entry

    def _bare(self) -> Iterator[tuple[str, Step, tuple[str, ...]]]:
        """Yield the steps of every entry's flow where nobody follows a practice, with their paths."""
        arm = self.tables.arm
        for entry in self.traffic:
            for step, path in self._steps(arm.world.flow_key(entry), (), 0):
                yield entry, step, path

    def _steps(self, key: str, path: tuple[str, ...], deep: int) -> Iterator[tuple[Step, tuple[str, ...]]]:
        if key in self.tables.reach.keys and deep < CALLS_DEEP:
            yield from self._inside(self.tables.arm.bare_flow(key).steps, path, deep)

    def _inside(
        self, steps: Mapping[str, Step], path: tuple[str, ...], deep: int
    ) -> Iterator[tuple[Step, tuple[str, ...]]]:
        for name, step in steps.items():
            yield step, (*path, name)
            yield from self._inside(step.inside, (*path, name), deep)
            if step.call is not None:
                yield from self._steps(step.call, (*path, name), deep + 1)


def _wrong(own: Declared, known: Known) -> Iterator[ScenarioFault]:
    """Yield what is wrong with a KPI."""
    yield from _taken(own)
    yield from _strange_marks(own, known)
    yield from _strange_roles(own)
    yield from _strange_subjects(own, known)
    yield from _strange_values(own)
    kind = own.rule.inside.kind if own.rule.inside is not None else None
    kinds = {step.kind for step in own.tables.steps.rows if step.is_leave}
    if kind is not None and kind not in kinds:
        yield UnknownName(f"no token is a '{kind}'", own.place("inside", "kind"), suggest(kind, sorted(kinds), "kinds"))


def _taken(own: Declared) -> Iterator[ScenarioFault]:
    """Yield a fault where the library has a KPI of this name in scopes whose ids have the same form."""
    alike = next(scopes for scopes in SHARE_A_FORM if own.rule.where in scopes)
    library = load_catalogue().kpis
    names = {name for name, rule in library if rule.where in alike}
    if "step" in alike:  # `FLOW.stage.a_to_b.mean` is of the form of a step's
        ways = [rule.stages.through for _, rule in library if rule.stages is not None]
        names |= {f"{one}_to_{other}" for way in ways for one in way for other in way}
    if own.name in names:
        yield ScenarioFault(f"KPI '{own.name}' would have the ids of one of the library", own.place(), "Rename it.")


def _strange_marks(own: Declared, known: Known) -> Iterator[ScenarioFault]:
    """Yield faults of marks that nobody makes, or that are never made by the tokens of one flow."""
    rule = own.rule
    if rule.where == "gate":
        yield from _strange_passage(own)
        return
    found = True
    everywhere = set().union(*known.marks.values())
    for keys, mark in _written_marks(rule):
        if mark not in everywhere:
            found = False
            yield UnknownName(
                f"no flow of the traffic has a mark '{mark}'",
                own.place(*keys),
                suggest(mark, sorted(everywhere), "marks"),
            )
    asked = [rule.time.from_, rule.time.to[0]] if rule.time is not None else []
    if found and asked and not any(set(asked) <= marks for marks in known.marks.values()):
        fault = f"no flow of the traffic has both marks '{asked[0]}' and '{asked[1]}'"
        yield ScenarioFault(fault, own.place("time"), "Name two marks that the tokens of one flow make.")


def _written_marks(rule: KpiDeclaration) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield the marks that a KPI names, each with where."""
    if rule.time is not None:
        yield ("time", "from"), rule.time.from_
        yield from ((("time", "to"), mark) for mark in rule.time.to)
        yield from ((("time", "once"), mark) for mark in rule.time.once)
    if rule.stages is not None:
        yield from ((("stages", "through"), mark) for mark in rule.stages.through)
    if rule.share is not None:
        yield ("share", "marked" if rule.share.marked is not None else "unmarked"), rule.share.mark
        if rule.share.among is not None:
            yield ("share", "among"), rule.share.among
    if rule.count is not None:
        yield from ((("count", "mark"), mark) for mark in rule.count.mark)


def _strange_passage(own: Declared) -> Iterator[ScenarioFault]:
    """Yield faults of a KPI of gates: no gate, or a mark that is none of a passage."""
    passage = load_catalogue().passage
    assert passage is not None  # noqa: S101  the library declares it
    made = {mark.name for mark in own.tables.marks.rows if mark.place}
    if passage.from_ not in made:
        remedy = f"A gate is a flow with a `place` whose tokens make the mark '{passage.from_}'."
        yield ScenarioFault("no gate in this scenario", own.place("scope"), remedy)
        return
    for keys, mark in _written_marks(own.rule):
        if mark not in made:
            yield UnknownName(f"no gate has a mark '{mark}'", own.place(*keys), suggest(mark, sorted(made), "marks"))
        elif own.rule.count is not None and mark != passage.from_:
            remedy = "Leave out `scope`, so that the marks of each flow are counted."
            yield ScenarioFault(f"at a gate '{passage.from_}' is counted only", own.place(*keys), remedy)


def _strange_roles(own: Declared) -> Iterator[ScenarioFault]:
    """Yield faults of roles that no resource has, and of open hours that have no end."""
    form, key = ("cost", "rate") if own.rule.cost is not None else ("hours", "role")
    of = own.rule.cost.of if own.rule.cost is not None else own.rule.hours.of if own.rule.hours is not None else ""
    tables = own.tables
    roles = sorted({each.role for each in tables.resources.rows} - {""})
    for role in own.rule.roles():
        place = own.place(form, key, role) if form == "cost" else own.place(form, key)
        if role not in roles:
            yield UnknownName(f"no resource has the role '{role}'", place, suggest(role, roles, "roles"))
        for row, each in enumerate(tables.resources.rows):
            if of == "open" and each.role == role and tables.largest_capacity(row) >= UNLIMITED:
                remedy = "Give its units, or count the hours in use with `of: busy`."
                yield ScenarioFault(f"{each} has unlimited units, so no open hours", place, remedy)


def _strange_subjects(own: Declared, known: Known) -> Iterator[ScenarioFault]:
    """Yield faults of what `only` names."""
    scope, tables = own.rule.where, own.tables
    called: dict[str, Iterable[str]] = {
        "flow": known.heads,
        "step": known.steps,
        "gate": {mark.place for mark in tables.marks.rows if mark.place},
        "resource": map(str, tables.resources.rows),
        "account": map(str, tables.accounts.rows),
        "truth": (f"all.{truth}" for truth in tables.scenario.truth),
        "zone": tables.scenario.zones,
        "all": ("all",),
    }
    names = sorted(called[scope])
    words = {"flow": "flow or entry of the traffic", "gate": "direction of a gate"}.get(scope, scope)
    for number, name in enumerate(own.rule.only):
        if name not in names:
            yield UnknownName(f"no {words} '{name}'", own.place("only", str(number)), suggest(name, names))


def _strange_values(own: Declared) -> Iterator[ScenarioFault]:
    """Yield faults of classes, attributes and sizes of firms that nobody has."""
    by: dict[str, list[str]] = {own.rule.by: []} if own.rule.by not in {None, EACH} else {}
    for name, values in {**by, **own.rule.of}.items():
        place = own.place("of", name) if name in own.rule.of else own.place("by")
        if name == FIRM_SIZE:
            yield from _strange_sizes(values, place, own.tables)
            continue
        try:
            own.tables.tokens.known_attribute(name, place, EACH, FIRM_SIZE)
            for value in values:
                own.tables.tokens.known_value(name, value, place)
        except UnknownName as fault:
            yield fault


def _strange_sizes(asked: list[str], place: Place, tables: WorldTables) -> Iterator[ScenarioFault]:
    """Yield faults of sizes of firms."""
    known = list(load_catalogue().firm_sizes)
    there = list(_values(FIRM_SIZE, tables))
    if not there:
        remedy = "Write e.g. firms: {count: 60, volume: {zipf: 1.0}}."
        yield ScenarioFault("no firm is larger than another", place, remedy)
    for size in asked:
        if size not in known:
            yield UnknownName(f"no size of firms '{size}'", place, suggest(size, known, "sizes"))


def _roles(tables: WorldTables) -> Iterator[ScenarioFault]:
    """Yield a fault for every role of a resource that is nearly one of the library, and that no KPI names."""
    own = {role for rule in tables.scenario.kpis.values() for role in rule.roles()}
    library = load_catalogue().roles
    for each in tables.resources.rows:
        if each.role and each.role not in {*library, *own} and near(each.role, library):
            place = tables.arm.world.place(("zones", each.zone, each.name, "role"))
            yield UnknownName(f"no KPI knows the role '{each.role}'", place, suggest(each.role, library, "roles"))


def _too_many(tables: WorldTables) -> Iterator[ScenarioFault]:
    """Yield a fault where KPIs ask for more marks than are kept."""
    rules = [*(rule for _, rule in load_catalogue().kpis), *tables.scenario.kpis.values()]
    made = {mark.name for mark in tables.marks.rows}
    asked = {mark for rule in rules for mark in rule.consignment_marks()} & made
    if len(asked) > MOST_KPI_MARKS:
        fault = f"KPIs ask when consignments reach more than {MOST_KPI_MARKS} marks"
        yield ScenarioFault(fault, tables.arm.world.place(("kpis",)), "Leave some out.")
    if len({mark for rule in rules for mark in rule.passage_marks()}) > MOST_PASSAGE_MARKS:
        fault = f"KPIs of gates ask for more than {MOST_PASSAGE_MARKS} marks of a passage"
        remedy = "Leave out `scope`, so that marks of flows are told."
        yield ScenarioFault(fault, tables.arm.world.place(("kpis",)), remedy)
