"""Regimes: the stage of supervision that is the baseline, as shares of practices and edits of the library's flows."""

from __future__ import annotations

from zonesim.faults import UnknownName
from zonesim.policy.edits import Change, Request, apply, targets
from zonesim.policy.loading import fill_adoption, regime_of, regimes_behind
from zonesim.policy.resolved_tree import ResolvedTree, by_zone
from zonesim.scenario import Catalogue, Path_


def enter(world: ResolvedTree, catalogue: Catalogue) -> list[Change]:
    """
    Put the regime that `world` names into force there, and return what changed, also by settings made again.

    `--set regime=R0` may have changed which regime that is: shares that another one gave are taken back. What the
    scenario or an edit made before (`--set`, a future) says holds against the regime. Raises Faults.
    """
    behind = regimes_behind(regime_of(world, catalogue), catalogue)
    taken = _take_shares_back(world, catalogue)
    fill_adoption(world, catalogue)
    requests = [
        Request(edit, f"regime {each.name}", catalogue.documents[each.name].place(("edits", str(position))))
        for each in reversed(behind)
        for position, edit in enumerate(each.edits)
    ]
    settings = list(world.settings)
    changes = apply(world, requests)
    edited = [*taken, *(change.path for change in changes)]
    again = [
        setting
        for setting in settings
        if any(
            path[: len(other)] == other or other[: len(path)] == path
            for path in _to_be_made_again(world, setting)
            for other in edited
        )
    ]
    changes += apply(world, again)
    world.settings = settings
    return changes


def _to_be_made_again(world: ResolvedTree, setting: Request) -> list[Path_]:
    """Return the paths at which an edit from before the regime has still, or again, something to do."""
    if setting.edit.action not in {"add", "remove"}:
        return targets(world, setting)
    try:
        paths = targets(world, setting)
    except UnknownName:  # what it took out is still out
        return []
    return [path for path in paths if world.has(path) != (setting.edit.action == "add")]


def _take_shares_back(world: ResolvedTree, catalogue: Catalogue) -> list[Path_]:
    """
    Take out the shares that any regime gave: which one it is may have changed, and one goes before another.

    Returns their paths: what has been changed inside one of them is to be changed again.
    """
    taken: list[Path_] = []
    others = {catalogue.documents[name].file for name in catalogue.regimes}
    for measure, practices in world.tree.get("adopted", {}).items():
        for practice, share in list(practices.items()):
            path = ("adopted", measure, practice)
            if by_zone(share):
                for zone in [zone for zone in share if world.place((*path, zone)).file in others]:
                    del world.open((*path, zone))[zone]
                    taken.append((*path, zone))
            elif world.place(path).file in others:
                del world.open(path)[practice]
                taken.append(path)
    return taken
