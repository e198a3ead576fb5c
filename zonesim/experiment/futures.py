"""Futures: what nobody chooses, each a list of settings with a name that people can read."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from math import prod
from typing import Any, Final

from zonesim.experiment.samples import check_range, drawn, latin_hypercube, sobol, value_at
from zonesim.faults import Faults, Place, ScenarioFault, UnitFault, UnknownName
from zonesim.limits import MOST_CELLS
from zonesim.policy import (
    ALL_ZONES,
    Request,
    ResolvedTree,
    dotted,
    flows_in_use,
    parse_setting,
    root_of,
    targets,
)
from zonesim.scenario import NO_FUTURE, Document, Edit, Path_, load_catalogue
from zonesim.scenario.experiment_documents import DOUBTED, Drawn, Experiment, Sample, Scale

AS_WRITTEN: Final = "as written"
"""Name of the future that changes nothing."""

FUTURE: Final = "future"
"""The path of what a scenario says of the named future that it meets."""

BY_FUTURE: Final = "a future"
"""Who asks for the edits of a future, in messages."""

_DIGITS: Final = 2
"""Digits of the number of a drawn future at least, so that names sort by number."""

_NUMBER: Final = re.compile(r"\s*([+-]?[0-9.]+(?:[eE][+-]?[0-9]+)?)\s*([^\d\s].*?)?\s*")
_DOUBT_ROOTS: Final = ("adopted", "zones", "firms", "truth", "traffic", "flows", "library")


@dataclass(frozen=True)
class Setting:
    """
    One value of a future or of an arm: its path, what is done to it, in words (`×1.5`, `12 /h`), and the number in
    these words (in the unit that is written; None for a law or a word).
    """

    path: str
    text: str
    number: float | None
    request: Request

    @property
    def told(self) -> str:
        """Return the setting as people read it: `traffic.*.rate ×1.5`, `zones.TYP.docks.units = 12`, `outage`."""
        if self.path == FUTURE:
            return AS_WRITTEN if self.text == NO_FUTURE else self.text
        return f"{self.path} {self.text}" if self.request.edit.scale else f"{self.path} = {self.text}"


@dataclass(frozen=True)
class Future:
    """A future: its settings, none for the scenario as it is written."""

    settings: tuple[Setting, ...] = ()
    doubt: str = ""
    """`low` or `high` when it is one end of a doubt."""
    sample: int = 0
    """Its number, from 1, when several values are drawn at once; 0 for others."""
    called: str = ""
    """What results call it, where its settings do not say it."""

    @property
    def name(self) -> str:
        """Return what results call it."""
        if self.called:
            return self.called
        if self.sample:
            return f"sample {self.sample}"
        if self.doubt:
            return f"{self.settings[0].told} ({self.doubt})"
        return ", ".join(setting.told for setting in self.settings) or AS_WRITTEN


def in_words(value: Any) -> str:  # noqa: ANN401
    """Return a value as one would write it on one line."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {in_words(part)}" for key, part in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(in_words(part) for part in value) + "]"
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:.12g}" if isinstance(value, float) else str(value)


def number_in(value: Any) -> float | None:  # noqa: ANN401
    """Return the number of a quantity in the unit that it is written in; None when it is no quantity."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return float(value)
    match = _NUMBER.fullmatch(value) if isinstance(value, str) else None
    try:
        return float(match[1]) if match else None
    except ValueError:
        return None


def setting_of(path: str, value: Any, *, factor: bool, by: str, place: Place) -> Setting:  # noqa: ANN401
    """Return the setting of `path` to a value, or with `factor` times a number."""
    if factor:
        return Setting(path, f"×{value:.12g}", float(value), Request(Edit(scale=path, by=float(value)), by, place))
    return Setting(path, in_words(value), number_in(value), Request(Edit(set=path, to=value), by, place))


def setting_given(text: str, option: str) -> Setting:
    """Return the setting of an option such as `--change PATH=VALUE`; raises ScenarioFault."""
    request = parse_setting(text, option)
    edit = request.edit
    if edit.scale:
        by = float(edit.by or 1)
        return Setting(edit.scale, f"×{by:.12g}", by, request)
    return Setting(edit.path, in_words(edit.to), number_in(edit.to), request)


def futures_of(
    experiment: Experiment, document: Document, world: ResolvedTree, measures: Sequence[str], *, arms: int, seed: int
) -> list[Future]:
    """
    Return the futures in the order in which they are written: the grid with the zipped rows, those that are drawn by
    `seed`, then the doubts.

    Drawn futures, and the low and high ends of doubts, stand beside a future as written, which is there then.
    `measures` are those of the arms, whose parameters are doubted within their bounds. Raises Faults: two futures that
    change one value, a path that does not exist, a doubt that is none.
    """
    grid = [_column(path, values, document, "grid") for path, values in experiment.futures.grid.items()]
    zipped = [_column(path, values, document, "zip") for path, values in experiment.futures.zip.items()]
    _check_apart([column[0] for column in [*grid, *zipped]], world)
    _check_count(grid, zipped, arms, document)
    rows = [*product(*grid)] if grid else [()]
    together = [*zip(*zipped, strict=True)] if zipped else [()]
    found = [Future((*row, *more)) for row in rows for more in together]
    beside: list[Future] = []
    if (asked := experiment.futures.drawn) is not None:
        _check_sample(asked[1].n, arms, document.place(("futures", asked[0], "n")))
        beside += _drawn(*asked, document, world, measures, seed)
    if experiment.doubts is not False:
        if isinstance(experiment.doubts, Sample):
            _check_sample(experiment.doubts.sample, arms, document.place(("doubts", "sample")))
        beside += _doubts(experiment, document, world, measures)
    if beside or experiment.doubts is not False:
        as_written = [] if any(not each.settings for each in found) else [Future()]
        found = list({repr(each): each for each in [*found, *as_written, *beside]}.values())  # a value may be a mapping
    _check_names(found, document)
    return found


def _check_count(
    grid: Sequence[Sequence[Setting]], zipped: Sequence[Sequence[Setting]], arms: int, document: Document
) -> None:
    """Raise Faults when the arms meet too many futures; they are counted before any of them is made."""
    count = prod(map(len, grid)) * (len(zipped[0]) if zipped else 1)
    if count * arms > MOST_CELLS:
        what = f"{count:,} futures with {arms} arm{'s' if arms > 1 else ''}, together more than {MOST_CELLS:,}"
        remedy = "Give the grid fewer values, or zip those that go together."
        raise Faults([ScenarioFault(what, document.place(("futures",)), remedy)])


def _column(path: str, values: Any, document: Document, where: str) -> list[Setting]:  # noqa: ANN401
    """Return the settings of one path, one a value."""
    at: Path_ = ("futures", where, path)
    factor = isinstance(values, Scale)
    listed = values.scale if isinstance(values, Scale) else values
    below: Path_ = (*at, "scale") if factor else at
    return [
        setting_of(path, value, factor=factor, by=BY_FUTURE, place=document.place((*below, str(number))))
        for number, value in enumerate(listed)
    ]


def _check_apart(firsts: Sequence[Setting], world: ResolvedTree) -> None:
    """Raise Faults unless every path exists and no two paths change one value."""
    faults: list[ScenarioFault] = []
    claims: list[tuple[Path_, Setting]] = []
    for first in firsts:
        try:
            claims += [(path, first) for path in targets(world, first.request)]
        except ScenarioFault as fault:
            faults.append(fault)
    for number, (path, own) in enumerate(claims):
        for other_path, other in claims[:number]:
            if other is not own and overlap(path, other_path):
                both = f"two paths of the futures change '{dotted(path)}': '{other.path}' and '{own.path}'"
                faults.append(ScenarioFault(both, own.request.place, "Keep one of them."))
    if faults:
        raise Faults(faults)


def overlap(one: Path_, other: Path_) -> bool:
    """Return whether a change at one path touches the other."""
    short = min(len(one), len(other))
    return one[:short] == other[:short]


def _check_names(futures: Sequence[Future], document: Document) -> None:
    seen: set[str] = set()
    for future in futures:
        if future.name in seen:
            place = future.settings[0].request.place if future.settings else document.place(("futures",))
            raise Faults([ScenarioFault(f"the future '{future.name}' stands twice", place, "Keep one of them.")])
        seen.add(future.name)


# --- doubts


def _check_sample(number: int, arms: int, place: Place) -> None:
    """Raise Faults when the arms meet too many futures of a sample."""
    if number * arms > MOST_CELLS:
        what = f"a sample of {number:,} futures with {arms} arms, together more than {MOST_CELLS:,}"
        raise Faults([ScenarioFault(what, place, "Draw fewer.")])


def _drawn(
    how: str, asked: Drawn, document: Document, world: ResolvedTree, measures: Sequence[str], seed: int
) -> list[Future]:
    """Return futures in which the values that are asked for are drawn at once; raises Faults."""
    ranges = _ranges(how, asked, document, world, measures)
    place = document.place(("futures", how))
    if not ranges:
        remedy = "Give ranges, e.g. over: {traffic.*.rate: {scale: [0.8, 1.5]}}."
        raise Faults([ScenarioFault("nothing here is doubted, so there is nothing to draw", place, remedy)])
    rows = (latin_hypercube if how == "latin_hypercube" else sobol)(list(ranges), asked.n, seed)
    width = max(_DIGITS, len(str(asked.n)))
    return [
        Future(
            tuple(
                setting_of(path, value_at(ends, row[path]), factor=factor, by=BY_FUTURE, place=place)
                for path, (ends, factor) in ranges.items()
            ),
            sample=number,
            called=f"future_{number:0{width}d}",
        )
        for number, row in enumerate(rows, start=1)
    ]


def _ranges(
    how: str, asked: Drawn, document: Document, world: ResolvedTree, measures: Sequence[str]
) -> dict[str, tuple[tuple[Any, ...], bool]]:
    """Return the range of every value that is drawn, and whether it is one of factors, by path; raises Faults."""
    known = doubts_of(world, measures)
    over, where = asked.over, ("futures", how, "over")
    given = over if isinstance(over, dict) else {}
    listed = [*over] if isinstance(over, list) else [path for path, each in given.items() if each == DOUBTED]
    keyed = [document.place((*where, path)) for path in listed] if given else None
    chosen = _chosen(listed, where, document, world, known, keyed) if over != "doubts" else list(known)
    found: dict[str, tuple[tuple[Any, ...], bool]] = {dotted(path): (known[path], False) for path in chosen}
    faults: list[ScenarioFault] = []
    for path, written in given.items():
        if written == DOUBTED:
            continue
        factor = isinstance(written, dict)
        ends = tuple(written["scale"] if factor else written)
        place = document.place((*where, path))
        try:
            check_range(ends, factor=factor)
        except UnitFault as fault:
            faults.append(fault.at(place))
            continue
        found[path] = tuple(map(float, ends)) if factor else ends, factor
    if faults:
        raise Faults(faults)
    firsts = [
        setting_of(path, ends[0], factor=factor, by=BY_FUTURE, place=document.place((*where, path)))
        for path, (ends, factor) in found.items()
    ]
    _check_apart(firsts, world)
    return found


def _doubts(experiment: Experiment, document: Document, world: ResolvedTree, measures: Sequence[str]) -> list[Future]:
    """Return the low and the high end of every doubt, one value at a time, or the futures of a sample."""
    known = doubts_of(world, measures)
    asked = experiment.doubts
    where: Path_ = ("doubts", "of") if isinstance(asked, Sample) else ("doubts",)
    listed = asked.of if isinstance(asked, Sample) else asked if isinstance(asked, list) else []
    chosen = _chosen(listed, where, document, world, known) if listed else list(known)
    if isinstance(asked, Sample):
        rows = drawn({dotted(path): known[path] for path in chosen}, asked.sample)
        place = document.place(("doubts", "sample"))
        return [
            Future(
                tuple(setting_of(path, value, factor=False, by=BY_FUTURE, place=place) for path, value in row.items()),
                sample=number,
            )
            for number, row in enumerate(rows, start=1)
        ]
    ends = []
    for doubted in chosen:
        low, _, high = known[doubted]
        for name, value in (("low", low), ("high", high)):
            end = setting_of(dotted(doubted), value, factor=False, by=BY_FUTURE, place=document.place(("doubts",)))
            ends.append(Future((end,), name))
    return ends


def doubts_of(world: ResolvedTree, measures: Sequence[str] = ()) -> dict[Path_, tuple[Any, Any, Any]]:
    """Return low, mode and high of every doubt in what the traffic uses, and in parameters of `measures`, by path."""
    return dict(_doubted(world, measures))


def _chosen(
    listed: Sequence[str],
    where: Path_,
    document: Document,
    world: ResolvedTree,
    known: Mapping[Path_, tuple[Any, Any, Any]],
    places: Sequence[Place] | None = None,
) -> list[Path_]:
    """
    Return the doubted values at the paths of a list or below, each once; raises Faults for a path without any, at its
    own of `places` where they do not stand in a list.
    """
    faults: list[ScenarioFault] = []
    chosen: list[Path_] = []
    for number, path in enumerate(listed):
        place = places[number] if places is not None else document.place((*where, str(number)))
        try:
            found = targets(world, Request(Edit(remove=path), "a doubt", place))
        except UnknownName as fault:
            faults.append(UnknownName(f"no value at '{path}', which is doubted", place, fault.remedy))
            continue
        own = [each for each in known if any(each[: len(at)] == at for at in found)]
        if not own:
            remedy = "Write {uncertain: [low, mode, high]} in the scenario, or use futures."
            faults.append(ScenarioFault(f"'{path}' holds no doubt", place, remedy))
        chosen += own
    if faults:
        raise Faults(faults)
    return list(dict.fromkeys(chosen))


def _doubted(world: ResolvedTree, measures: Sequence[str]) -> Iterator[tuple[Path_, tuple[Any, Any, Any]]]:
    """Return path, low, mode and high of every doubt in what the traffic uses, and in the parameters of `measures`."""
    used = {(root_of(world, flow), flow) for flow in flows_in_use(world)}
    zones = {*world.tree.get("zones", {}), ALL_ZONES}
    shares = any(root == "library" for root, _ in used)  # practices change flows of the library
    for root in (each for each in _DOUBT_ROOTS if each != "adopted" or shares):
        for path, value in _uncertain(world.tree.get(root, {}), (root,)):
            reached = not any("." in part for part in path)  # a dotted path cannot name such a key
            elsewhere = root == "adopted" and not zones.issuperset(path[3:4])
            if reached and not elsewhere and (root not in {"flows", "library"} or path[:2] in used):
                yield path, (value[0], value[1], value[2])
    catalogue = load_catalogue()
    for name in measures:
        for key, param in catalogue.measures[name].params.items():
            if param.low is not None and param.high is not None:
                yield ("measures", name, key), (param.low, param.default, param.high)


def _uncertain(node: Any, path: Path_) -> Iterator[tuple[Path_, list[Any]]]:  # noqa: ANN401
    if isinstance(node, dict):
        if set(node) == {"uncertain"}:
            yield path, node["uncertain"]
            return
        for key, value in node.items():
            if key not in {"source", "label", "note"}:
                yield from _uncertain(value, (*path, key))
