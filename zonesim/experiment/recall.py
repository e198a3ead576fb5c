"""The arms of a result as they were run, from what lies in its folder: whatever became of the files since."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from zonesim.experiment.design import draft_comparison, draft_experiment, first_arms, tree_hash
from zonesim.experiment.results import INPUTS, Results
from zonesim.faults import ScenarioFault
from zonesim.policy import Arm, ResolvedArm, apply, load_world, parse_setting


def recall_arms(results: Results) -> dict[str, ResolvedArm]:
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


def _arms(results: Results, scenario: Path, experiment: Path | None) -> dict[str, ResolvedArm]:
    try:
        if results.kind == "sweep" and experiment is not None:
            return first_arms(draft_experiment(experiment, results.given, scenario_file=scenario)[0])
        world = load_world(scenario)
        apply(world, [parse_setting(text) for text in results.given])
        arms = [Arm(info.name, info.chosen) for info in results.arms.values()]
        return first_arms(draft_comparison(scenario, world, arms, results.given))
    except (ScenarioFault, OSError):
        return {}
