"""From a scenario to arms: edits, adoption, regimes, firms."""

from zonesim.policy.adoption import Following, PracticeUse
from zonesim.policy.arms import ResolvedArm, Upgrade, resolve
from zonesim.policy.chosen import Arm, Chosen, arms_for, baseline, find_measure
from zonesim.policy.edits import Change, Request, apply, dotted, parse_setting, targets
from zonesim.policy.firms import Firm, generate
from zonesim.policy.register import Entry, count_kinds, flows_in_use, register
from zonesim.policy.variants import variant
from zonesim.policy.world import World, load_world, root_of, world_of
from zonesim.policy.written import arm_from, arm_named

__all__ = [
    "Arm",
    "Change",
    "Chosen",
    "Entry",
    "Firm",
    "Following",
    "PracticeUse",
    "Request",
    "ResolvedArm",
    "Upgrade",
    "World",
    "apply",
    "arm_from",
    "arm_named",
    "arms_for",
    "baseline",
    "count_kinds",
    "dotted",
    "find_measure",
    "flows_in_use",
    "generate",
    "load_world",
    "parse_setting",
    "register",
    "resolve",
    "root_of",
    "targets",
    "variant",
    "world_of",
]
