"""
Situations: rules of procedure that the library's flows have to follow, each a small scene with what must come of it.

A situation puts one consignment, or a few, through a flow on a stage of two zones, some times with other luck, and says
what must then have happened: which milestones in which order, which never, what the goods' status is and what stands in
the ledgers. So that a customs officer can review them, each is told in words as well.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from zonesim import units
from zonesim.engine import AUTO, simulate
from zonesim.faults import Faults, Place, ScenarioFault, UnknownName, suggest
from zonesim.plan import Plan, RowLog, Totals, compile_plan, place_of
from zonesim.policy import Arm, Chosen, ResolvedArm, resolve, world_of
from zonesim.scenario import Document, check, load_catalogue, read_file
from zonesim.scenario.calendars import parse_span
from zonesim.verification.reading import cases_folder
from zonesim.verification.situation_documents import Expectation, Situation, Situations, Within

STAGE: Final = "stage.yaml"
"""The scenario on which all situations take place: its zones, and one entry that stands for the consignment."""

ENTRY: Final = "goods"
"""The entry of the stage that a situation fills in."""

TURNS: Final = 5
"""How many times each situation is run, each time with other luck."""

ARRIVED: Final = "arrived"
"""Stands for the moment at which the consignment arrives, which is no mark."""

_STATUS: Final = "status."


@dataclass(frozen=True)
class Outcome:
    """A situation, and what of it did not come out as expected (nothing: it holds)."""

    id: str
    file: str
    situation: Situation
    failures: tuple[str, ...]

    @property
    def holds(self) -> bool:
        """Return whether all came out as expected."""
        return not self.failures


def situations_folder() -> Path:
    """Return the folder of the situations that come with zonesim."""
    return cases_folder().parent / "situations"


def read_situations(folder: Path | None = None) -> dict[str, tuple[Document, Situation]]:
    """Return all situations of a folder by id, with the documents that they stand in; raises Faults."""
    folder = folder or situations_folder()
    found: dict[str, tuple[Document, Situation]] = {}
    for path in sorted(folder.glob("*.yaml")):
        if path.name == STAGE:
            continue
        document = read_file(path)
        file = check(Situations, document.tree, document.places, document.keys, file=document.file)
        for name, situation in file.situations.items():
            if name in found:
                place = document.place(("situations", name))
                raise Faults([ScenarioFault(f"the situation '{name}' stands twice", place, "Rename one of them.")])
            found[name] = document, situation
    return found


def tried(names: Sequence[str], folder: Path | None = None, engine: str = AUTO) -> Iterator[Outcome]:
    """
    Run the situations with these ids or of these flows and measures, or all of them, and yield what came of each.

    Raises UnknownName for a name that nothing has, Faults for what is wrong in the format of a file; a scene that
    cannot be run does not hold.
    """
    every = read_situations(folder)
    stage = read_file((folder or situations_folder()) / STAGE)
    chosen = {id_: each for id_, each in every.items() if not names or _is_meant(id_, each[1], names)}
    heads = {
        *every,
        *(each.flow for _, each in every.values()),
        *(m for _, each in every.values() for m in each.measures),
    }
    for name in names:
        if name not in heads:
            fault = f"no situation, flow or measure '{name}' here"
            raise UnknownName(fault, Place("--situation"), suggest(name, sorted(heads), "names"))
    for id_, (document, situation) in chosen.items():
        place = document.place(("situations", id_))
        yield Outcome(id_, document.file, situation, tuple(_failures(stage, situation, place, engine)))


def _is_meant(id_: str, situation: Situation, names: Sequence[str]) -> bool:
    return bool({id_, situation.flow, *situation.measures} & set(names))


def _failures(stage: Document, situation: Situation, place: Place, engine: str) -> list[str]:
    """Return what did not come out as expected, each thing once."""
    expect = situation.expect
    try:
        plan = compile_plan(_resolved(stage, situation, place))
    except ScenarioFault as fault:
        told = str(fault)
        if expect.refused is not None and expect.refused in told:
            return []
        return [f"cannot be run: {told}"]
    if expect.refused is not None:
        return ["it is not refused"]
    failures: dict[str, None] = {}
    for turn in range(TURNS):
        log = RowLog()
        totals = simulate(plan, 1, turn, log, engine)
        failures.update(dict.fromkeys(_Told(plan, log, totals).against(expect)))
    return list(failures)


def _resolved(stage: Document, situation: Situation, place: Place) -> ResolvedArm:
    """Return the stage with the consignment of a situation, in its regime and with its measures."""
    library = load_catalogue()
    world = world_of(_scene(stage, situation, place))
    chosen = []
    for name in situation.measures:
        if name not in library.measures:
            raise UnknownName(f"no measure '{name}'", place, suggest(name, library.measures, "measures"))
        chosen.append(Chosen(name))
    return resolve(world, Arm("situation" if chosen else situation.regime, tuple(chosen)))


def _scene(stage: Document, situation: Situation, place: Place) -> Document:
    """Return the document of the stage with what a situation says."""
    library = load_catalogue()
    tree = _copied(stage.tree)
    tree["regime"] = situation.regime
    followed = {
        name: {practice: _share(situation, name, practice) for practice in measure.practices}
        for name, measure in library.measures.items()
    }
    tree["adopted"] = {name: shares for name, shares in followed.items() if shares}
    flows = {**library.flows, **tree.get("flows", {})}
    if situation.flow not in flows:
        raise UnknownName(f"no flow '{situation.flow}'", place, suggest(situation.flow, flows, "flows"))
    day, _, clock = situation.arrives.partition(" ")
    hours, _, minutes = clock.partition(":")
    since = f"{int(hours) * 60 + int(minutes)} min"
    tree["clock"] = {**tree["clock"], "start": day, "measure": situation.follow}
    known = tree["traffic"][ENTRY].get("with", {})
    wanted = {name: known[name] for name in flows[situation.flow].get("params", {}) if name in known}
    entry = {**tree["traffic"][ENTRY], "flow": situation.flow, "with": {**wanted, **situation.arguments}}
    tree["traffic"][ENTRY] = {**entry, "at": [since] * situation.count}
    tree["edits"] = [*tree.get("edits", []), *situation.edits]
    for path, value in situation.settings.items():
        _write(tree, path.split("."), value, place)
    return Document(stage.file, tree, stage.places, stage.keys)


def _share(situation: Situation, measure: str, practice: str) -> str:
    followed = measure in situation.measures or f"{measure}.{practice}" in situation.practices
    return "100 %" if followed else "0 %"


def _copied(tree: Any) -> Any:  # noqa: ANN401  whatever YAML has
    if isinstance(tree, dict):
        return {key: _copied(value) for key, value in tree.items()}
    return [_copied(value) for value in tree] if isinstance(tree, list) else tree


def _write(tree: dict[str, Any], path: Sequence[str], value: Any, place: Place) -> None:  # noqa: ANN401
    """Write a value into a document; what stands in the library is changed by an edit."""
    if path[0] == "library":
        tree["edits"].append({"set": ".".join(path), "to": value, "source": "assumed"})
        return
    node = tree
    for part in path[:-1]:
        node = node.setdefault(part, {})
        if not isinstance(node, dict):
            raise ScenarioFault(f"nothing can be set at '{'.'.join(path)}'", place, "Name a key of the stage.")
    node[path[-1]] = value


class _Told:
    """What happened in one run."""

    def __init__(self, plan: Plan, log: RowLog, totals: Totals) -> None:
        self.plan, self.totals = plan, totals
        rows = log.marks
        names = [mark.name for mark in plan.names.marks]
        self.made = [
            (names[place], int(time))
            for place, time in zip(place_of(rows["key"]).tolist(), rows["time"].tolist(), strict=True)
        ]
        self.first: dict[str, int] = {ARRIVED: int(plan.times_of(plan.names.sources.index(ENTRY))["time"][0])}
        for name, time in sorted(self.made, key=lambda each: each[1]):
            self.first.setdefault(name, time)
        self.statuses = [name.removeprefix(_STATUS) for name, _ in self.made if name.startswith(_STATUS)]

    def against(self, expect: Expectation) -> Iterator[str]:
        """Yield what is not as expected."""
        yield from self._order(expect.order)
        for name in expect.lacks:
            if name in self.first:
                yield f"'{name}' is made"
        counted = Counter(name for name, _ in self.made)
        for name, count in expect.counts.items():
            if counted[name] != count:
                yield f"'{name}' is made {counted[name]} times, not {count}"
        for each in expect.within:
            yield from self._within(each)
        for name, hours in expect.hours.items():
            yield from self._hours(name, hours)
        if expect.status is not None and (not self.statuses or self.statuses[-1] != expect.status):
            yield f"the status in the end is {self.statuses[-1] if self.statuses else 'none'}, not {expect.status}"
        for name, change in expect.ledger.items():
            yield from self._account(name, change)

    def _order(self, names: Sequence[str]) -> Iterator[str]:
        before = ARRIVED
        for name in names:
            if name not in self.first:
                yield f"'{name}' is not made"
            elif before in self.first and self.first[name] < self.first[before]:
                yield f"'{name}' comes before '{before}'"
            before = name

    def _within(self, each: Within) -> Iterator[str]:
        if each.start not in self.first or each.to not in self.first:
            yield f"'{each.start if each.start not in self.first else each.to}' is not made"
            return
        took = self.first[each.to] - self.first[each.start]
        told = f"from '{each.start}' to '{each.to}' it takes {took / units.HOUR:.1f} h"
        if each.least is not None and took < units.parse(each.least, "duration"):
            yield f"{told}, less than {each.least}"
        if each.most is not None and took > units.parse(each.most, "duration"):
            yield f"{told}, more than {each.most}"

    def _hours(self, name: str, hours: str) -> Iterator[str]:
        begin, end = parse_span(hours)
        for made, time in self.made:
            minute = time // units.MINUTE % (24 * 60)
            if made == name and not begin <= minute <= end:
                yield f"'{name}' is made at {minute // 60:02d}:{minute % 60:02d}, outside of {hours}"

    def _account(self, name: str, change: int) -> Iterator[str]:
        accounts = {str(account): row for row, account in enumerate(self.plan.names.accounts)}
        if name not in accounts:
            yield f"there is no account '{name}'"
            return
        row = accounts[name]
        moved = int(self.totals.levels[row]) - int(self.plan.accounts["start"][row])
        if moved != change:
            yield f"{name} changes by {moved}, not {change}"
