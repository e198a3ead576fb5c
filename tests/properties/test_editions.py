"""
Tokens that part at single steps do what tokens do that walk a text of the flow that is all their own.

The reference is the same compiler with the whole flow as the smallest part that has editions: each token then goes
through the flow as those who follow what it follows have it. Practices change random steps of random models.
"""

from __future__ import annotations

import copy
import sys
from collections.abc import Iterator
from dataclasses import replace
from random import Random
from typing import Any

import numpy as np
import pytest
import yaml

from tests.helper import run_plan
from tests.properties.luck import Luck
from tests.properties.plans import Model, model_of
from zonesim.faults import Faults, RunFault
from zonesim.plan import Load, Plan, loads
from zonesim.plan.editions import Edition
from zonesim.policy import Chosen
from zonesim.units import HOUR

SEEDS = 12


def steps_of(node: dict[str, Any], path: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every step below a flow or step with the path by which edits name it."""
    for name, step in node.get("steps", {}).items():
        yield f"{path}.{name}", step
        yield from steps_of(step, f"{path}.{name}")
    for name, step in node.get("parallel", {}).items():
        yield f"{path}.parallel.{name}", step
        yield from steps_of(step, f"{path}.parallel.{name}")


def edit_of(luck: Luck, path: str, step: dict[str, Any], number: int) -> dict[str, Any]:
    """Return an edit of a step: of a value, of where it leads, or of the list in which it stands."""
    around, _, name = path.rpartition(".")
    short = {"take": f"{luck.number(1, 9)} min"}
    choices: list[dict[str, Any]] = [
        {"remove": path},
        {"add": f"{around}.new{number}", "to": {**short, "mark": f"m{number}"}, luck.pick(["after", "before"]): name},
        {"add": f"{around}.new{number}", "to": copy.deepcopy(step), "after": name},
        {"set": f"{path}.mark", "to": [f"m{number}"]},
    ]
    if "take" in step:
        choices += [{"set": f"{path}.take", "to": short["take"]}] * 4
    if "hold" in step and "take" not in step and not step.get("steps"):
        choices += [{"add": f"{path}.take", "to": short["take"]}]
    if "share" in step:
        choices += [{"set": f"{path}.share", "to": luck.percent()}] * 2
    if isinstance(step.get("next"), str):
        choices += [{"set": f"{path}.next", "to": "end"}, {"remove": f"{path}.next"}]
    if "split" in step:
        choices += [{"set": f"{path}.split.count", "to": luck.number(1, 3)}] * 3
    if "steps" in step:
        choices += [{"add": f"{path}.inner{number}", "to": short}] * 2
    return luck.pick(choices)


def with_practices(model: Model, luck: Luck) -> Model:
    """Return a model with some measures more, whose practices change steps of its flows."""
    steps = [each for name, flow in model.tree["flows"].items() for each in steps_of(flow, f"flows.{name}")]
    texts, chosen = [], []
    for number in range(60, 60 + luck.number(1, 4)):
        practices = {}
        for own in range(luck.number(1, 3)):
            edits = [
                edit_of(luck, *luck.pick(steps), number * 100 + own * 10 + each) for each in range(luck.number(1, 2))
            ]
            share = luck.pick(["30 %", "50 %", "50 %", "80 %"])
            practices[f"p{own}"] = {
                "label": {"en": "P", "zh": "做法"},
                "adoption": {"share": share, "of": luck.pick(["volume", "firms", "token"])},
                "edits": edits,
            }
        after = [f"m{other}" for other in range(60, number)]
        document = {"name": f"m{number}", "annex": number, "after": after, "practices": practices}
        texts.append(yaml.safe_dump(document, sort_keys=False, allow_unicode=True))
        chosen.append(Chosen(f"m{number}"))
    kept = [replace(each, start="") for each in model.chosen] if luck.chance(0.5) else list(model.chosen)
    return replace(model, measures=(*model.measures, *texts), chosen=(*kept, *chosen))


def _whole(edition: Edition) -> Any:
    """Return a flow in its editions, where all its text is looked at."""
    return edition._choose(edition.texts.uses, edition.texts.flow, lambda flow: flow)


def compiled(model: Model, *, whole: bool) -> Plan | None:
    """Return the plan of a model, with editions of flows or of steps; None where it is none."""
    model.__dict__.pop("plan", None)
    with pytest.MonkeyPatch.context() as patch:
        if whole:
            patch.setattr(Edition, "flow", _whole)
        try:
            return model.plan
        except Faults:
            return None


def pairs(seeds: range) -> Iterator[tuple[int, Plan, Plan]]:
    """Yield plans of random models with editions of flows and of steps, by their number."""
    for seed in seeds:
        luck = Luck(Random(seed))
        base = model_of(seed)
        for _ in range(20):
            model = with_practices(base, luck)
            plans = [compiled(model, whole=whole) for whole in (True, False)]
            assert (plans[0] is None) == (plans[1] is None), f"model {seed}:\n{model}"
            if plans[0] is not None and plans[1] is not None and len(plans[1].names.flags):
                yield seed, plans[0], plans[1]
                break


def outcome(plan: Plan) -> tuple[str, bytes, bytes]:
    """Return the records of a run, or the fault that ends it."""
    try:
        line = run_plan(plan)
    except RunFault as fault:
        return str(fault), b"", b""
    return "", line.sink.visits.tobytes(), line.sink.marks.tobytes()


def loads_of_unknown_kinds(plan: Plan) -> list[Load]:
    """Return the loads of a plan when it is decided where it is asked what a token has adopted."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys.modules["zonesim.plan.loads"], "MOST_KINDS", 1)
        return loads(plan, HOUR)  # of another hour of the week, so not those that are remembered


def check(seeds: range) -> None:
    """Compare steps, marks, records and loads of the two ways to compile."""
    compared = 0
    for seed, whole, parted in pairs(seeds):
        compared += 1
        assert [(step.entry, step.path, step.resources, step.units) for step in whole.names.steps] == [
            (step.entry, step.path, step.resources, step.units) for step in parted.names.steps
        ], seed
        assert outcome(whole) == outcome(parted), seed
        assert len(parted.program) <= 1.1 * len(whole.program) + 10, seed
        for one, other in zip(loads(whole), loads(parted), strict=True):
            assert np.allclose(
                [one.low, one.high, one.must, *one.hourly],
                [other.low, other.high, other.must, *other.hourly],
                rtol=1e-9,
                equal_nan=True,
            ), seed
            assert one.causes == other.causes, seed
        for one, other in zip(loads(parted), loads_of_unknown_kinds(parted), strict=True):
            assert not one.is_known or np.isclose(one.low, other.low, rtol=1e-9), seed
    assert compared > len(seeds) / 2


def test_tokens_part_at_steps_as_they_would_at_the_flow():
    """
    Records are equal to the byte, loads to rounding, and the program is never longer by much.
    """
    check(range(SEEDS))


@pytest.mark.slow
def test_tokens_part_at_steps_as_they_would_at_the_flow_in_many_models():
    """
    The same for ten times as many models.
    """
    check(range(SEEDS, 10 * SEEDS))
