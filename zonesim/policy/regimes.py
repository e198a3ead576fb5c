"""Regimes: the stage of supervision that a scenario starts from, as edits of flows and shares of practices."""

from __future__ import annotations

import copy

from zonesim.faults import Faults, UnknownName, suggest
from zonesim.policy.edits import Request, apply, targets
from zonesim.policy.world import World
from zonesim.scenario import Catalogue, Path_, Regime


def enter(world: World, catalogue: Catalogue) -> None:
    """
    Put the regime that `world` names into force there.

    What the scenario or `--set` says itself stays: a share of a practice that it gives, and a value that was edited
    before. Raises UnknownName when there is no such regime, Faults when an edit cannot be carried out.
    """
    name = str(world.tree.get("regime", "R1"))
    regime = catalogue.regimes.get(name)
    if regime is None:
        remedy = suggest(name, catalogue.regimes, "regimes")
        raise Faults([UnknownName(f"unknown regime '{name}'", world.place(("regime",)), remedy)])
    _adopt(world, regime, catalogue)
    document = catalogue.documents[name]
    requests = [
        Request(edit, f"regime {name}", document.place(("edits", str(position))))
        for position, edit in enumerate(regime.edits)
    ]
    said = set(world.edited)
    for request in requests:
        if not any(_overlap(path, other) for path in targets(world, request) for other in said):
            apply(world, [request])


def _adopt(world: World, regime: Regime, catalogue: Catalogue) -> None:
    """Let practices have the shares of `regime` where another regime has given them theirs."""
    files = {catalogue.documents[each].file for each in catalogue.regimes}
    adopted = world.tree.setdefault("adopted", {})
    for measure, practices in list(adopted.items()):
        for practice in [each for each in practices if _is_from(world, ("adopted", measure, each), files)]:
            del practices[practice]
    document = catalogue.documents[regime.name]
    for measure, practices in regime.adopted.items():
        for practice, share in practices.items():
            if practice not in adopted.setdefault(measure, {}):
                adopted[measure][practice] = copy.deepcopy(share)
                world.places["adopted", measure, practice] = document.place(("adopted", measure, practice))


def _is_from(world: World, path: Path_, files: set[str]) -> bool:
    edited = any(path[:length] in world.edited for length in range(1, len(path) + 1))
    return not edited and world.place(path).file in files


def _overlap(path: Path_, other: Path_) -> bool:
    short = min(len(path), len(other))
    return path[:short] == other[:short]
