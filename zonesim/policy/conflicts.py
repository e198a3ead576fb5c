"""Which edits of an arm may stand beside each other, and in which order measures act."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from zonesim.faults import Faults, MeasureConflict, ScenarioFault
from zonesim.policy.edits import Request, apply, dotted, targets
from zonesim.policy.resolved_tree import ResolvedTree
from zonesim.scenario import Catalogue, Measure, Path_

Claim = tuple[Path_, Request]


def in_order(catalogue: Catalogue) -> list[Measure]:
    """
    Return the measures of the library in the order in which they act: that of the plan, but each behind those it comes
    `after`.

    Raises Faults when some come after each other in a circle, or after a measure that nothing is called.
    """
    waiting = catalogue.in_plan_order()
    faults: list[ScenarioFault] = [
        ScenarioFault(
            f"measure '{measure.name}' comes after '{name}', which is no measure",
            catalogue.documents[measure.name].place(("after",)),
        )
        for measure in waiting
        for name in measure.after
        if name not in catalogue.measures
    ]
    if faults:
        raise Faults(faults)
    ordered: list[Measure] = []
    done: set[str] = set()
    while waiting:
        following = next((measure for measure in waiting if set(measure.after) <= done), None)
        if following is None:
            names = " and ".join(sorted(measure.name for measure in waiting))
            place = catalogue.documents[waiting[0].name].place(("after",))
            raise Faults([ScenarioFault(f"measures {names} come after each other in a circle", place)])
        waiting.remove(following)
        ordered.append(following)
        done.add(following.name)
    return ordered


def check_conflicts(
    world: ResolvedTree, requests: Sequence[Request], together: Callable[[Request, Request], bool] = lambda _, __: True
) -> list[Claim]:
    """
    Return the paths that every edit means, in order.

    Raises Faults when two measures edit one value of `world`, unless both scale it or one comes `after` the other.
    `requests` stand in the order in which they act; each is carried out in a world of its own, so that an edit of what
    an earlier one adds is found. `together`: whether anybody ever meets both (measures in different zones do not).
    """
    scratch = world.copy()
    claims: list[Claim] = []
    failures: list[tuple[Request, ScenarioFault]] = []
    for request in requests:
        try:
            claims += [(path, request) for path in targets(scratch, request)]
            apply(scratch, [request])
        except ScenarioFault as fault:
            failures.append((request, fault))
            claims += [(path, request) for path in _targets_before(world, request)]
    faults: list[ScenarioFault] = []
    in_conflict: list[Request] = []
    for number, (path, request) in enumerate(claims):
        for other_path, other in claims[:number]:
            short = min(len(path), len(other_path))
            if request.measure == other.measure or path[:short] != other_path[:short]:
                continue
            if _compose(request, other) or not together(request, other):
                continue
            in_conflict += [request, other]
            both = f"measures '{other.measure}' and '{request.measure}' both edit '{dotted(path[:short])}'"
            remedy = f"Leave one out, or declare `after: [{other.measure}]`."
            faults.append(MeasureConflict(f"{both} (the other at {other.place})", request.place, remedy))
    for request, found in failures:
        if request not in in_conflict:
            faults += found.faults if isinstance(found, Faults) else [found]
    if faults:
        raise Faults(faults)
    return claims


def _compose(one: Request, other: Request) -> bool:
    if one.edit.action == other.edit.action == "scale":
        return True
    return other.measure in one.after or one.measure in other.after


def _targets_before(world: ResolvedTree, request: Request) -> list[Path_]:
    """Return what an edit would mean if no other edit had come before it."""
    try:
        return targets(world, request)
    except ScenarioFault:
        return []
