"""A scenario file as it is worked with: read, and changed as somebody asks."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from zonesim.policy.edits import apply, parse_setting
from zonesim.policy.loading import load_world
from zonesim.policy.resolved_tree import ResolvedTree


def open_world(file: Path, settings: Sequence[str]) -> ResolvedTree:
    """Return the world of a scenario with the edits of `--set`; raises ScenarioFault."""
    world = load_world(file)
    apply(world, [parse_setting(text) for text in settings])
    return world
