"""
A plan as tables for another machine: what the kernel is handed, by name, with all that is needed to hand it over.

A page holds these tables in the memory of the WebAssembly module and does there what `compiled_engine` does here.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from zonesim.engine.arrivals import BY_MEMBERS, BY_TOKEN
from zonesim.engine.compiled_engine import BLOCK_ROWS, IN_RESERVE
from zonesim.engine.kernel import layout as k
from zonesim.engine.kernel_input import KernelInput, input_of
from zonesim.engine.room import blank_slot
from zonesim.plan import LARGEST_SOURCE, MARK, TABLES, VISIT, Op, Plan

Table = NDArray[Any]

GROWING: Final = ("tokens", "events", "batches.batches", "output")
"""What a run makes room for itself: not among the tables."""


def tables_of(plan: Plan) -> dict[str, Table]:
    """Return the tables that a run of a plan begins with, by `bundle.name`; nobody may write to them."""
    given = input_of(plan)
    found: dict[str, Table] = {"state": given.state}
    bundles: dict[str, Any] = {
        "flow": given.flow,
        "draws": given.draws,
        "hours": given.hours,
        "resources": given.resources,
        "arrivals": given.arrivals,
        "batches": given.batches,
    }
    for bundle, own in bundles.items():
        for name, table in zip(own._fields, own, strict=True):
            if isinstance(table, k.Ahead):
                found |= {f"{name}.{each}": part for each, part in zip(table._fields, table, strict=True)}
            else:
                found[f"{bundle}.{name}"] = table
    found["ahead.scratch"] = np.zeros_like(given.draws.ahead.scratch)  # runs write to it
    found["accounts"] = given.accounts
    found["most_units"] = given.most_units
    found |= {f"blank.{name}": table for name, table in _blank(given).items()}
    return found | _before_a_run(plan)


def _blank(given: KernelInput) -> dict[str, Table]:
    blank = blank_slot(given.state[0])
    return dict(zip(blank._fields, blank, strict=True))


def _before_a_run(plan: Plan) -> dict[str, Table]:
    """Return what is worked out once a replication: who has which flags, and rates times random factors."""
    return {
        "adoptions": plan.adoptions,
        "adoption_shares": np.array(plan.adoption_shares),
        "adoption_streams": np.array(plan.adoption_streams),
        "member_shares": np.array(plan.members["share"]),
        "factors": plan.factors,
        "factor_streams": np.array(plan.factor_streams),
    }


def layout() -> dict[str, Any]:
    """Return offsets and numbers by which a page reads and writes the kernel's memory."""

    def offsets(dtype: np.dtype[Any]) -> dict[str, int]:
        return {name: int(dtype.fields[name][1]) for name in dtype.names or () if dtype.fields is not None}

    return {
        "arguments": _arguments(),
        "itemsize": {
            "tokens": k.TOKEN.itemsize,
            "visit": k.OPEN_VISIT.itemsize,
            "work": k.WORK.itemsize,
            "event": k.EVENT.itemsize,
            "batch": k.BATCH.itemsize,
            "program": k.INSTRUCTION.itemsize,
            "row": VISIT.itemsize,
            "mark": MARK.itemsize,
            "resource": k.RESOURCE.itemsize,
            "adoption": TABLES["adoptions"].dtype.itemsize,
            "factor": TABLES["factors"].dtype.itemsize,
            "source": k.SOURCE.itemsize,
        },
        "state": offsets(k.STATE),
        "token": offsets(k.TOKEN),
        "visit": offsets(k.OPEN_VISIT),
        "work": offsets(k.WORK),
        "program": {
            name: offsets(k.INSTRUCTION)[name]
            for name in ("op", "step", "delay_interrupted", "seize_first_need", "seize_needs", "seize_slot")
        },
        "seize": int(Op.SEIZE),
        "resource": offsets(k.RESOURCE),
        "adoption": offsets(TABLES["adoptions"].dtype),
        "factor": offsets(TABLES["factors"].dtype),
        "source": offsets(k.SOURCE),
        "sourceBits": LARGEST_SOURCE.bit_length(),
        "block": BLOCK_ROWS,
        "reserve": IN_RESERVE,
        "byMembers": BY_MEMBERS,
        "byToken": BY_TOKEN,
        "reasons": {
            "done": k.DONE,
            "full": k.FULL,
            "slots": k.NEED_SLOTS,
            "events": k.NEED_EVENTS,
            "batches": k.NEED_BATCHES,
            "yield": k.YIELD,
        },
        "interrupted": k.INTERRUPTED,
        "queued": k.IN_QUEUE,
        "joining": k.JOINING,
        "empty": k.EMPTY,
    }


def _arguments() -> list[list[Any]]:
    """Return the arrays that `run` is handed behind the state, in order: name, bytes of an item, columns."""
    items: dict[str, tuple[Any, dict[str, int]]] = {
        "flow": (
            k.Flow,
            {"program": k.INSTRUCTION.itemsize, "needs": TABLES["needs"].dtype.itemsize},
        ),
        "draws": (k.Draws, {}),
        "hours": (k.Hours, {name: TABLES[name].dtype.itemsize for name in ("calendars", "spans")}),
        "resources": (
            k.Resources,
            {
                "states": k.RESOURCE.itemsize,
                "queues": k.QUEUE.itemsize,
                "changes": k.CHANGE.itemsize,
                "falls": k.FALL.itemsize,
                "clocks": k.CLOCK.itemsize,
            },
        ),
        "tokens": (
            k.Tokens,
            {
                "tokens": k.TOKEN.itemsize,
                "visits": k.OPEN_VISIT.itemsize,
                "nodes": k.NODE.itemsize,
                "works": k.WORK.itemsize,
            },
        ),
        "arrivals": (
            k.Arrivals,
            {
                "sources": k.SOURCE.itemsize,
                "streams": TABLES["source_streams"].dtype.itemsize,
                "times": TABLES["times"].dtype.itemsize,
                "rates": TABLES["rates"].dtype.itemsize,
                "rules": k.FLAG_RULES.itemsize,
                "rule_rows": k.FLAG_RULE.itemsize,
                "raised": 1,
                "attributes": TABLES["attributes"].dtype.itemsize,
            },
        ),
        "batches": (k.Batches, {"batches": k.BATCH.itemsize}),
    }
    found: list[list[Any]] = []
    for bundle, (kind, own) in items.items():
        for name in kind._fields:
            if name == "ahead" and bundle == "draws":
                found += [[f"ahead.{each}", 8, 1] for each in k.Ahead._fields]
            else:
                found.append([f"{bundle}.{name}", own.get(name, 8), 3 if name == "distributions" else 1])
    found += [["accounts", k.ACCOUNT.itemsize, 1], ["events", k.EVENT.itemsize, 1]]
    return found + [[f"output.{name}", size, 1] for name, size in _OUTPUT.items()]


_OUTPUT: Final = {"visits": VISIT.itemsize, "marks": MARK.itemsize, "arrivals": 8, "at_step": 8}
