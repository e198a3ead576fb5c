"""
From flows to programs: one traffic entry becomes a routine for its consignments and one for each kind of child.

Everything a flow says is turned into the few operations of the plan here. Detection is a branch on a hidden truth
and one on a draw of the check; partial adoption is a branch to one of two editions of a step; a sub-flow is copied in
place. Steps, marks and streams are told apart by their place in the flow, so that the editions of a step are one step
and make the same draws.

`emitter` is what all write to, `values` what written values mean. What a step does is written by a part of its own
each: `conditions`, `holding`, `delays`, `batches`, `checks`, `effects`, `calls`. `routines` begins and ends what tokens
and their children walk, `steps` puts the parts together, list by list, and `entry` begins with an entry of the
traffic.
"""

from zonesim.plan.flows.emitter import FLAGS
from zonesim.plan.flows.entry import EntryCompiler

__all__ = ["FLAGS", "EntryCompiler"]
