"""The arms of an experiment: those that are written one by one, and those that are made of a list of measures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Final

from zonesim.experiment.futures import Setting, setting_of
from zonesim.experiment.screening import Signs, factorial, plackett_burman
from zonesim.faults import Faults, ScenarioFault
from zonesim.limits import MOST_CELLS
from zonesim.policy import Arm, Chosen, ResolvedTree, arm_from, arms_for, baseline
from zonesim.scenario import Document, load_catalogue
from zonesim.scenario.experiment_documents import SCREENING, ArmDocument, ArmsDesign, Experiment

FEWEST: Final = 2
"""A design is of so many measures at least."""

_NAMED: Final = 2
"""Arms with so many measures, or without so many, are called by these; others by their number in the design."""

Package = frozenset[str]
"""Measures by name."""


@dataclass(frozen=True)
class Option:
    """An arm of an experiment: its measures, and changes of its own that are no measures."""

    arm: Arm
    edits: tuple[Setting, ...] = ()
    label: tuple[tuple[str, str], ...] = ()

    @property
    def name(self) -> str:
        """Return what results call it."""
        return self.arm.name


@dataclass(frozen=True)
class Layout:
    """
    A design whose arms together tell the effect of each measure: its `kind`, the `measures`, and for each run the name
    of the arm and whether it has each of them (+1) or not (-1).
    """

    kind: str
    measures: tuple[str, ...]
    arms: tuple[str, ...]
    signs: tuple[tuple[int, ...], ...]
    foldover: bool = False


@dataclass(frozen=True)
class Made:
    """The arms of an experiment by name, the one that differences are taken to if nothing is said, and the layout."""

    options: dict[str, Option]
    usual_baseline: str = ""
    layout: Layout | None = None


def made_options(written: Experiment, document: Document, world: ResolvedTree, faults: list[ScenarioFault]) -> Made:
    """Return the arms that are written, and behind them those of the design; what is wrong goes to `faults`."""
    options = _written(written, document, world, faults)
    if written.design is None:
        return Made(options, next(iter(options), ""))
    try:
        return _designed(written.design, options, document, world)
    except Faults as found:
        faults += found.faults
        return Made(options)


def _written(
    written: Experiment, document: Document, world: ResolvedTree, faults: list[ScenarioFault]
) -> dict[str, Option]:
    """Return the arms that are written one by one."""
    options: dict[str, Option] = {}
    for name, own in written.arms.items():
        measures, at = written.written_measures(name)
        edits: list[Setting] = []
        label: tuple[tuple[str, str], ...] = ()
        if isinstance(own, ArmDocument):
            by, where = f"arm '{name}'", ("arms", name)
            edits += [
                setting_of(path, value, factor=False, by=by, place=document.place((*where, "set", path)))
                for path, value in own.set.items()
            ]
            edits += [
                setting_of(path, value, factor=True, by=by, place=document.place((*where, "scale", path)))
                for path, value in own.scale.items()
            ]
            label = tuple(own.label.items())
        try:
            options[name] = Option(arm_from(name, measures, world, document, at), tuple(edits), label)
        except Faults as found:
            faults += found.faults
    return options


# --- arms of a design


def _designed(design: ArmsDesign, options: Mapping[str, Option], document: Document, world: ResolvedTree) -> Made:
    """
    Return the arms with those of a design, which take the name of a written arm with the same measures and no changes
    of its own.
    """
    chosen = _chosen(design, document, world)
    names = [each.measure for each in chosen]
    _check_count(design, len(chosen), document)
    rows = {kind: _signs(design, kind, len(chosen)) for kind in design.kinds if kind in SCREENING}
    known = {_told(option.arm.measures): name for name, option in reversed(list(options.items())) if not option.edits}
    found = dict(options)
    called: dict[Package, str] = {}
    faults: list[ScenarioFault] = []

    def make(package: Package, number: int = 0) -> None:
        if package in called:
            return
        own = tuple(each for each in chosen if each.measure in package)
        same = known.get(_told(own))
        name, label = _called(own, names, number, baseline(world).name, is_all=design.of == "all")
        called[package] = same or name
        if same is None and name in found:
            fault = f"arm '{name}' is written with other measures than the design gives it"
            faults.append(ScenarioFault(fault, document.place(("arms", name)), "Give it another name."))
        elif same is None:
            found[name] = Option(Arm(name, own), label=label)

    make(frozenset())
    for kind in design.kinds:
        for number, package in enumerate(_packages(kind, names, rows.get(kind)), start=1):
            make(package, number)
    if faults:
        raise Faults(faults)
    layout = next((_layout(design, kind, names, signs, called) for kind, signs in rows.items()), None)
    return Made(found, called[frozenset()], layout)


def _told(chosen: Sequence[Chosen]) -> frozenset[str]:
    """Return what tells some measures from others, in whatever order they are written."""
    return frozenset(repr((each.measure, each.params, each.start, each.zones)) for each in chosen)


def _chosen(design: ArmsDesign, document: Document, world: ResolvedTree) -> tuple[Chosen, ...]:
    """Return the measures of a design with what is said of them; raises Faults."""
    at = ("design", "of")
    if design.of == "all":
        chosen = arms_for(world)[-1].measures
        place = document.place(("design",))
        chosen = tuple(Chosen(each.measure, place=place) for each in chosen)
    else:
        chosen = arm_from("design", design.of, world, document, at).measures
    if len(chosen) < FEWEST:
        told = f"{len(chosen)} measure{'' if len(chosen) == 1 else 's'}" if chosen else "no measures"
        fault = f"a design of {told}; it takes {FEWEST} at least"
        raise Faults([ScenarioFault(fault, document.place(at), "Write e.g. of: [m10, m11].")])
    return chosen


def _check_count(design: ArmsDesign, measures: int, document: Document) -> None:
    """Raise Faults for a factorial that is too large to be run, before it is made."""
    if "factorial" in design.kinds and 2**measures > MOST_CELLS:
        fault = f"every combination of {measures} measures is {2**measures:,} arms, more than {MOST_CELLS:,}"
        remedy = "Name fewer measures in `of`, or write plackett_burman."
        raise Faults([ScenarioFault(fault, document.place(("design", "arms")), remedy)])


def _signs(design: ArmsDesign, kind: str, measures: int) -> Signs:
    return factorial(measures) if kind == "factorial" else plackett_burman(measures, foldover=design.foldover)


def _packages(kind: str, names: Sequence[str], signs: Signs | None) -> Iterator[Package]:
    """Yield the measures of each arm of a kind, in the order of its runs."""
    if signs is not None:
        for row in signs.tolist():
            yield frozenset(name for name, sign in zip(names, row, strict=True) if sign > 0)
    elif kind == "each_alone":
        yield from (frozenset([name]) for name in names)
    elif kind == "all_pairs":
        yield from map(frozenset, combinations(names, 2))
    else:
        yield frozenset(names)
        yield from (frozenset(names) - {name} for name in names)


def _layout(design: ArmsDesign, kind: str, names: Sequence[str], signs: Signs, called: Mapping[Package, str]) -> Layout:
    packages = _packages(kind, names, signs)
    rows = tuple(tuple(row) for row in signs.tolist())
    return Layout(kind, tuple(names), tuple(called[each] for each in packages), rows, design.foldover)


def _called(
    own: Sequence[Chosen], names: Sequence[str], number: int, nothing: str, *, is_all: bool
) -> tuple[str, tuple[tuple[str, str], ...]]:
    """Return the name of an arm of a design, and its label by language."""
    package = [each.measure for each in own]
    rest = [name for name in names if name not in package]
    every = ("All measures", "全部措施") if is_all else (f"All {len(names)} measures", f"全部{len(names)}项措施")
    if not package:
        return nothing, ()
    if not rest:
        return "all", (("en", every[0]), ("zh", every[1]))
    if len(package) <= _NAMED:
        en, zh = _in_words(package)
        return "_".join(package), (("en", en[0].upper() + en[1:]), ("zh", zh))
    if len(rest) <= _NAMED:
        en, zh = _in_words(rest)
        label = (("en", f"{every[0]} without {en}"), ("zh", f"{every[1]}，去掉{zh}"))
        return f"all_without_{'_'.join(rest)}", label
    en = f"Combination {number} ({len(package)} of {len(names)} measures)"
    zh = f"组合{number}（{len(names)}项措施中的{len(package)}项）"
    return f"combination_{number:02d}", (("en", en), ("zh", zh))


def _in_words(names: Sequence[str]) -> tuple[str, str]:
    """Return measures in words: `measures 10 and 11`, `措施10和11`; a task of the plan is `task 5`, `任务5`."""
    catalogue = load_catalogue()
    kinds: dict[tuple[str, str], list[str]] = {}
    for name in names:
        measure = catalogue.measures[name]
        kind = ("measure", "措施") if measure.task is None else ("task", "任务")
        kinds.setdefault(kind, []).append(str(measure.annex if measure.task is None else measure.task))
    en = [f"{one}{'s' if len(numbers) > 1 else ''} {' and '.join(numbers)}" for (one, _), numbers in kinds.items()]
    zh = [f"{one}{'和'.join(numbers)}" for (_, one), numbers in kinds.items()]
    return " and ".join(en), "和".join(zh)
