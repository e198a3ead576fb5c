"""
Which KPIs only echo an arm's edits: those whose difference to the baseline is a function of edited values alone.

Such values are laws and shares of steps, sensitivities, who adopts, and whole steps in which nothing but time passes.
What tokens have to go through otherwise (children and batches, calendars, conditions, ways that part) is the shape of
their way: where an edit changes that, the difference says something that no single number says. Waits for units have no
place in the shape: whether they matter is what congestion says.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import combinations
from typing import Final

from zonesim.analysis.passages import Marks, Reading, StepKey, Stretch, called
from zonesim.kpi import Quantity, Scopes, fold_tables, quantities
from zonesim.plan import Plan
from zonesim.scenario.fields import EVERYTHING


def trivially_changed(base: Plan, arm: Plan) -> frozenset[str]:
    """Return the KPIs of `arm` that only echo its edits, whatever runs: there is nothing to wait for in between."""
    return frozenset(kpi for kpi, waits in echoes(base, arm).items() if not waits)


def echoes(base: Plan, arm: Plan) -> dict[str, bool]:
    """
    Return the KPIs of `arm` that follow from edited values alone, and whether tokens may have to wait in between.

    Those are: time in a step or a lane, and between two marks of a flow or a gate, where the shape of the way is that
    of the baseline and its values are others; and shares of those with a mark, and of a hidden truth, where shares and
    adoption alone decide about it. In a step, waiting means that its work may be interrupted.
    """
    old, new = Reading(base), Reading(arm)
    found: dict[str, bool] = {}
    scopes, measured = fold_tables(arm).scopes, quantities(arm)
    _steps(found, old, new, scopes, measured)
    for group, sources in scopes.groups.items():
        for (early, late), names in _between_marks(scopes, group, measured).items():
            pairs = [(own.between(source, called(early), called(late)) for own in (old, new)) for source in sources]
            if (waits := _echo([tuple(pair) for pair in pairs])) is not None:
                found |= {f"{group}.{name}": waits for name in names}
    _goods(found, old, new, scopes, measured)
    for lane in scopes.lanes:
        for each in measured:
            if each.scope == "gate" and each.rule.time is not None and not each.rule.time.once:
                ends = (each.rule.time.from_, each.rule.time.to)
                if (waits := _same_gate(*(own.at_gate(lane, *ends) for own in (old, new)))) is not None:
                    found |= {f"{lane}.{each_.what}": waits for each_ in each.told if each_.statistic != "missing"}
    for subject, name, own_marks in _shares(scopes, measured, arm):
        before, after = old.decided(own_marks), new.decided(own_marks)
        if before.sure and after.sure and before.ways and before.told != after.told:
            found[f"{subject}.{name}"] = False
    return found


def _steps(found: dict[str, bool], old: Reading, new: Reading, scopes: Scopes, measured: Sequence[Quantity]) -> None:
    """Note the times in steps and lanes that the baseline has with other laws, and with work of the same shape."""
    stopped = {(step.entry, step.path[:-1]) for step in new.plan.names.steps if step.is_interruption}
    for scope, subjects in (("step", scopes.steps), ("gate", scopes.lanes)):
        told = [(each, each.rule.visits) for each in measured if each.scope == scope]
        service = [f"{each.name}.mean" for each, visits in told if visits == "service"]
        stay = [f"{each.name}.mean" for each, visits in told if visits == "stay"]
        for subject, rows in subjects.items():
            steps = new.plan.names.steps
            keys = {(steps[row].entry, steps[row].path) for row in rows}
            laws = [{frozenset(own.laws[key]) for key in keys & own.laws.keys()} for own in (old, new)]
            shapes = [{frozenset(own.shapes[key]) for key in keys & own.shapes.keys()} for own in (old, new)]
            if laws[0] and laws[0] != laws[1] and shapes[0] == shapes[1]:
                found |= {f"{subject}.{name}": _within(keys, stopped) for name in service}
                found |= {f"{subject}.{name}": True for name in stay}


def _goods(found: dict[str, bool], old: Reading, new: Reading, scopes: Scopes, measured: Sequence[Quantity]) -> None:
    """Note the times of the goods of a zone, and of all, whose ways are as they were, and values on some are others."""
    known: dict[tuple[tuple[int, ...], str, tuple[str, ...]], bool | None] = {}
    for each in measured:
        time = each.rule.time
        if time is None or each.scope not in {"zone", EVERYTHING}:
            continue
        for subject in (
            [EVERYTHING] if each.scope == EVERYTHING else [name for name in scopes.zones if name != EVERYTHING]
        ):
            sources = scopes.pooled(subject, each.rule)
            key = sources, time.from_, tuple(time.to)
            if key not in known:
                ends = [next(mark for mark in time.to if mark in scopes.own_marks[source]) for source in sources]
                known[key] = _echo(
                    [
                        tuple(own.between(source, called(time.from_), called(end)) for own in (old, new))
                        for source, end in zip(sources, ends, strict=True)
                    ]
                )
            if (waits := known[key]) is not None:
                found |= {f"{subject}.{told.what}": waits for told in each.told if told.statistic != "day"}


def _echo(pairs: Sequence[tuple[Stretch | None, ...]]) -> bool | None:
    """Return whether tokens may wait where values changed and shapes did not; None where it is otherwise."""
    changed, waits = False, False
    for before, after in pairs:
        if before is None or after is None or before.shape != after.shape:
            return None
        if before.own & after.sent or before.sent & after.own:
            return None  # what was done on the way is left to others, or the other way round
        changed |= before.values != after.values
        waits |= before.waits or after.waits
    return waits if changed else None


def _same_gate(before: Sequence[Stretch], after: Sequence[Stretch]) -> bool | None:
    """Return the same of all passages of a gate: there may be more of one kind, but no kind of another shape."""
    shapes, values = ([{repr(getattr(each, what)) for each in own} for own in (before, after)] for what in _TWO)
    if not before or shapes[0] != shapes[1] or values[0] == values[1]:
        return None
    return any(each.waits for each in (*before, *after))


_TWO: Final = ("shape", "values")


def _shares(scopes: Scopes, measured: Sequence[Quantity], plan: Plan) -> Iterator[tuple[str, str, Marks]]:
    """Yield subject, name and marks of the shares of those with a mark, and of what becomes of a truth."""
    groups = {name: {plan.names.sources[source] for source in own} for name, own in scopes.groups.items()}
    for each in measured:
        names = [definition.what for definition in each.told if definition.unit == "share"]
        if each.rule.share is not None and each.scope == "flow":
            for group, entries in groups.items():
                yield from ((group, name, Marks(each.rule.share.mark, entries=frozenset(entries))) for name in names)
        elif each.rule.share is not None and each.scope == "gate":
            for lane in scopes.lanes:
                yield from ((lane, name, Marks(each.rule.share.mark, place=lane)) for name in names)
        elif each.rule.truth is not None:
            for truth in scopes.truths:
                yield from ((f"all.{truth}", name, Marks(truth=truth)) for name in names)


def _between_marks(scopes: Scopes, group: str, measured: Sequence[Quantity]) -> dict[tuple[str, str], list[str]]:
    """Return, by two marks of a group, what is told of the time between them."""
    found: dict[tuple[str, str], list[str]] = {}
    for each in measured:
        rule = each.rule
        if rule.time is not None and each.scope == "flow" and not rule.time.once:
            end = scopes.first(group, rule.time.to)
            names = [each_.what for each_ in each.told if each_.statistic not in {"missing", "day"}]
            found.setdefault((rule.time.from_, end or ""), []).extend(names)
        elif rule.stages is not None:
            for early, late in combinations(rule.stages.through, 2):
                found.setdefault((early, late), []).append(f"{each.name}.{early}_to_{late}.mean")
    return found


def _within(keys: Iterable[StepKey], stopped: Iterable[StepKey]) -> bool:
    """Return whether work in one of these steps, or in a step inside it, can be interrupted."""
    return any(entry == other and path[: len(own)] == own for entry, own in keys for other, path in stopped)
