"""The job of `zonesim diff`: what sets two arms apart."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from zonesim.briefing.text.difference import differences
from zonesim.policy import arm_named, arms_for, baseline, open_world, resolve


def diff_document(file: Path, settings: Sequence[str], names: Sequence[str]) -> dict[str, Any]:
    """
    Return what sets two arms of a scenario apart: those named, or the baseline and the one named, or the baseline and
    all measures together.

    Keys: scenario, arms (two names), practices (name, shares in both where they differ), classes (old, new, practice,
    share in both), changes (path, old, new, by, share, place). Raises ScenarioFault.
    """
    world = open_world(file, settings)
    chosen = [arm_named(world, name) for name in names]
    if not chosen:
        chosen = [arms_for(world)[-1]]
    if len(chosen) == 1:
        chosen = [baseline(world), *chosen]
    first, second = (resolve(world, arm) for arm in chosen[:2])
    return {
        "scenario": first.scenario.name,
        "arms": [first.arm.name, second.arm.name],
        "practices": [
            {"practice": name, "first": first.shares[name], "second": share}
            for name, share in second.shares.items()
            if share != first.shares[name]
        ],
        "classes": [
            {
                "old": upgrade.old,
                "new": upgrade.new,
                "practice": upgrade.practice,
                "first": first.shares[upgrade.practice],
                "second": second.shares[upgrade.practice],
            }
            for upgrade in dict.fromkeys([*first.upgrades, *second.upgrades])
            if first.shares[upgrade.practice] != second.shares[upgrade.practice]
        ],
        "changes": [
            {
                "path": each.dotted,
                "old": each.old,
                "new": each.new,
                "by": each.by,
                "share": each.share,
                "place": str(each.place),
            }
            for each in differences(first, second)
        ],
    }
