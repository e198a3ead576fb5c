"""The arms of a result as they were run, from what lies in its folder: whatever became of the files since."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from zonesim.experiment.beside import UNLIMITED_UNITS
from zonesim.experiment.design import (
    Design,
    complete,
    draft_comparison,
    draft_experiment,
    plain_design,
)
from zonesim.experiment.execution import ALONE, Execution
from zonesim.experiment.planning import first_arms, tree_hash
from zonesim.experiment.results import INPUTS, Results
from zonesim.faults import ScenarioFault
from zonesim.policy import Arm, ResolvedArm, apply, load_world, parse_setting


def recall_arms(results: Results) -> Mapping[str, ResolvedArm]:
    """
    Return the arms of the first future, from the files that were read when it was run.

    Empty when they are not there, or this version of zonesim cannot read them.
    """
    inputs = results.folder / INPUTS
    return _arms(results, inputs / "scenario.yaml", inputs / "experiment.yaml")


def are_as_run(results: Results, arms: Mapping[str, ResolvedArm]) -> bool:
    """Return whether arms of the first future are to the last value those that were run."""
    future = next(iter(results.futures))
    return list(arms) == list(results.arms) and all(
        tree_hash(arm) == results.cells[name, future].tree for name, arm in arms.items()
    )


def have_changed(results: Results) -> bool:
    """
    Return whether the files that were run say something else today; that they are not there any more is no change.
    """
    files = {name: Path(path) for name, path in results.files.items()}
    try:
        same = [
            path.read_bytes() == (results.folder / INPUTS / f"{name}.yaml").read_bytes() for name, path in files.items()
        ]
    except OSError:
        return False
    return not all(same) and not are_as_run(results, _arms(results, files["scenario"], files.get("experiment")))


def _arms(results: Results, scenario: Path, experiment: Path | None) -> Mapping[str, ResolvedArm]:
    try:
        if results.kind == "sweep" and experiment is not None:
            return first_arms(draft_experiment(experiment, results.given, scenario_file=scenario)[0].sketch())
        world = load_world(scenario)
        apply(world, [parse_setting(text) for text in results.given])
        arms = [Arm(info.name, info.chosen) for info in results.arms.values()]
        return first_arms(draft_comparison(scenario, world, arms, results.given, results.changed).sketch())
    except (ScenarioFault, OSError):
        return {}


def recall_design(results: Results, *, whole: bool, how: Execution = ALONE) -> Design:
    """
    Return the design of results, complete with its plans, from the files that were read when they were run.

    `whole`: with all futures and what was run beside the first one; else the first future alone, which is quick. `how`:
    in which processes plans are made, where it takes long. Where
    the file that was run is still the same, it is read where it lies, beside what it may name. Raises Faults: it cannot
    be read any more, as by another version of zonesim.
    """
    scenario, experiment = (_file_of(results, name) for name in ("scenario", "experiment"))
    if results.kind == "sweep":
        design, wanted = draft_experiment(
            experiment,
            results.given,
            seed=results.seed,
            replications=None if results.precise else results.replications,
            level=results.level,
            scenario_file=scenario,
        )
        design.replications = results.replications
        kept = set(results.futures)
        design.futures = tuple(each for each in design.futures if each.name in kept)[: None if whole else 1]
        return complete(design, wanted, how)
    world = load_world(scenario)
    apply(world, [parse_setting(text) for text in results.given])
    return plain_design(
        scenario,
        world,
        [Arm(info.name, info.chosen) for info in results.arms.values()],
        results.given,
        seed=results.seed,
        replications=results.replications,
        level=results.level,
        kind="run" if results.kind == "run" else "compare",
        parts=whole and UNLIMITED_UNITS in results.beside,
        doubts=whole and any(each.doubt for each in results.beside.values()),
        changes=results.changed,
        how=how,
    )


def _file_of(results: Results, name: str) -> Path:
    """Return the file that was run where it lies, if it is as it was, else the copy of it."""
    copy, there = results.folder / INPUTS / f"{name}.yaml", Path(results.files.get(name, ""))
    try:
        if there.is_file() and there.read_bytes() == copy.read_bytes():
            return there
    except OSError:
        pass
    return copy
