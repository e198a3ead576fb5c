"""From a scenario to arms: edits, adoption, regimes, firms."""

from zonesim.policy.adoption import ALL_ZONES, Following, PracticeUse
from zonesim.policy.arm import Arm, Chosen, arms_for, baseline, find_measure
from zonesim.policy.arm_parsing import arm_from, arm_named
from zonesim.policy.arms import ResolvedArm, Upgrade, resolve
from zonesim.policy.edit_register import edit_entries
from zonesim.policy.edited import edits_of_flows
from zonesim.policy.edits import ANY, Change, Request, apply, dotted, parse_setting, targets
from zonesim.policy.firms import Firm, generate, sizes
from zonesim.policy.futures import known_futures
from zonesim.policy.loading import left_out, load_world, world_of
from zonesim.policy.multiplying import Demand, demand_of
from zonesim.policy.opening import open_world
from zonesim.policy.register import KINDS, Entry, count_kinds, flows_in_use, register
from zonesim.policy.resolved_tree import USES, ResolvedTree, root_of
from zonesim.policy.scaling import can_be_scaled
from zonesim.policy.variants import variant

__all__ = [
    "ALL_ZONES",
    "ANY",
    "KINDS",
    "USES",
    "Arm",
    "Change",
    "Chosen",
    "Demand",
    "Entry",
    "Firm",
    "Following",
    "PracticeUse",
    "Request",
    "ResolvedArm",
    "ResolvedTree",
    "Upgrade",
    "apply",
    "arm_from",
    "arm_named",
    "arms_for",
    "baseline",
    "can_be_scaled",
    "count_kinds",
    "demand_of",
    "dotted",
    "edit_entries",
    "edits_of_flows",
    "find_measure",
    "flows_in_use",
    "generate",
    "known_futures",
    "left_out",
    "load_world",
    "open_world",
    "parse_setting",
    "register",
    "resolve",
    "root_of",
    "sizes",
    "targets",
    "variant",
    "world_of",
]
