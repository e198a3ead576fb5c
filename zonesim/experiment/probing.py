"""Few arms of an experiment, which show what all of them measure, so that slips are told before all are planned."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from zonesim.experiment.design import Design, complete, draft_experiment
from zonesim.experiment.execution import ALONE, Execution
from zonesim.experiment.futures import Setting, number_in
from zonesim.experiment.identity import USUAL_LEVEL
from zonesim.faults import Faults, ScenarioFault, UnknownName
from zonesim.policy import ResolvedTree, targets


def checked_design(
    file: Path,
    settings: Sequence[str],
    ahead: Callable[[Design], object],
    check: Callable[[Design], object],
    *,
    seed: int | None = None,
    replications: int | None = None,
    level: float = USUAL_LEVEL,
    how: Execution = ALONE,
) -> Design:
    """
    Return the design of an experiment file, as `read_design`; before all of its arms are planned `ahead` is asked with
    the design without plans, and `check` with few of its arms in the first future.

    What `check` does not know (UnknownName) may be in other arms; where it cannot, and for all other faults, it is told
    at once. `how`: in which processes plans are made, where it takes long. Raises Faults.
    """
    design, wanted = draft_experiment(file, settings, seed=seed, replications=replications, level=level)
    ahead(design)
    names = _telling(design)
    few = replace(
        design,
        options={name: design.options[name] for name in names},
        futures=design.futures[:1],
        precision=None,
        layout=None,
    )
    try:
        complete(few, [])
    except ScenarioFault:
        return complete(design, wanted, how)  # which tells everything that is wrong
    try:
        check(few)
    except ScenarioFault as fault:
        if not _is_unknown(fault) or _tell_all(design):
            raise
    return complete(design, wanted, how)


def _is_unknown(fault: ScenarioFault) -> bool:
    """Return whether a fault is about nothing but names."""
    return all(isinstance(each, UnknownName) for each in (fault.faults if isinstance(fault, Faults) else [fault]))


def _telling(design: Design) -> list[str]:
    """Return the baseline and arms that have all measures between them, those with the most first."""
    measures = {name: {each.measure for each in option.arm.measures} for name, option in design.options.items()}
    found, known = [design.baseline], set(measures[design.baseline])
    for name in sorted(measures, key=lambda each: -len(measures[each])):
        if measures[name] - known:
            found.append(name)
            known |= measures[name]
    return [name for name in design.options if name in found]


def _tell_all(design: Design) -> bool:
    """Return whether arms and futures change no more than numbers into others, which makes nothing new to measure."""
    own = [edit for option in design.options.values() for edit in option.edits]
    given = [setting for future in design.futures for setting in future.settings]
    return all(_is_number(design.world, each) for each in {each.told: each for each in (*own, *given)}.values())


def _is_number(world: ResolvedTree, setting: Setting) -> bool:
    """Return whether a setting makes a number of a number, both more than none: a parameter of a measure always is."""
    if not setting.number:
        return False
    try:
        paths = targets(world, setting.request)
    except ScenarioFault:
        return False
    if setting.request.edit.scale is not None:
        return True
    return all(path[0] == "measures" or _number(_at(world.tree, path)) for path in paths)


def _number(value: object) -> float | None:
    """Return a number as a scenario has it, of a doubt its mode; None for what is none."""
    doubt = value.get("uncertain") if isinstance(value, dict) else None
    return number_in(doubt[1] if isinstance(doubt, list) else value)


def _at(node: object, path: Sequence[str]) -> object:
    for part in path:
        if isinstance(node, dict):
            node = node.get(part)
        elif isinstance(node, list) and part.isdecimal() and int(part) < len(node):
            node = node[int(part)]
        else:
            return None
    return node
