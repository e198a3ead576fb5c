"""What the traffic equations say of random models is what a simulation finds: a load, bounds, or nothing."""

from __future__ import annotations

import copy
import math
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from tests.helper import kpis
from tests.properties.plans import Model, model_of
from zonesim.faults import Faults, RunFault
from zonesim.kpi import RunResult
from zonesim.plan import Load, Plan, loads
from zonesim.plan.pace import in_order

HOURS = (["01:00-09:00", "09:30-20:00"], ["00:00-06:00", "08:00-24:00"], ["07:00-23:00"])
"""Opening hours that are the same every day, so that three days are like all days."""

BUSY = 0.5
TOKENS = 150
"""The load and the tokens a day that models are brought down to, so that lines come to their end."""

REPLICATIONS = 4


def steady(seed: int) -> Model:
    """Return the model with this number as one that goes on day by day: with rates in place of lists."""
    model = model_of(seed)
    tree = copy.deepcopy(model.tree)
    tree["clock"] = {"start": "2018-09-03", "warm_up": "1 d", "measure": "3 d", "cool_down": "1 d"}
    for number, name in enumerate(tree["calendars"]):
        tree["calendars"][name] = {"mon-sun": HOURS[(seed + number) % len(HOURS)]}
    for profile in tree.get("profiles", {}).values():
        if isinstance(profile["hours"], dict):  # one for all days
            profile["hours"] = next(iter(profile["hours"].values()))
    for entry in tree["zones"]["Z"].values():
        if isinstance(entry.get("units"), dict):
            entry["units"] = {"mon-sun": next(reversed(entry["units"].values()))}
    for entry in tree["traffic"].values():
        for limit in ("from", "until", "most", "factor", "during"):
            entry.pop(limit, None)
        if entry.pop("every", None) is not None:
            entry["rate"] = f"{20 / 600:.6f} /min"
        if "at" in entry:
            entry["rate"] = f"{len(entry.pop('at')) / 600:.6f} /min"
    model = replace(model, tree=tree, chosen=tuple(replace(each, start="") for each in model.chosen))
    highest = max((load.high if load.high < math.inf else load.low for load in loads(model.plan)), default=0.0)
    entries = [entry for entry in tree["traffic"].values() if "rate" in entry]
    tokens = sum(float(entry["rate"].split()[0]) for entry in entries) * 24 * 60
    factor = min(1.0, BUSY / max(highest, BUSY), TOKENS / tokens)
    for entry in entries:
        entry["rate"] = f"{float(entry['rate'].split()[0]) * factor:.9f} /min"
    return replace(model, tree=tree)


def is_stable(results: list[RunResult]) -> bool:
    """Return whether everybody has left and no line was long; what is held up by others may stand still."""
    missing = [run.values[kpi] for run in results for kpi in run.values if kpi.endswith("stay.missing")]
    peaks = [run.values[kpi] for run in results for kpi in run.values if kpi.endswith("queue.peak")]
    return (
        max([each for each in missing if not math.isnan(each)], default=0.0) < 0.02 and max(peaks, default=0.0) < TOKENS
    )


def disagrees(plan: Plan, load: Load, results: list[RunResult]) -> str:
    """
    Return how a load lies outside of what was simulated, or nothing.

    Allowed are five standard errors over the replications, 1 % of the time and 3 % of the value for what is in hand at
    the edges of three days.
    """
    name = plan.names.resources[load.resource]
    found = np.array([run.values[f"{name}.utilisation"] for run in results])
    mean, error = float(found.mean()), float(found.std(ddof=1)) / math.sqrt(len(found))
    share = in_order(plan, load.resource)  # utilisation is of all units, in order or not
    allowed = 5 * error + 0.01 + 0.03 * mean
    over = not load.waits and mean > load.high * share + allowed
    if mean < load.low * share - allowed or over:
        return f"{name}: {mean:.4f} ± {error:.4f} for {load.low:.4f} to {load.high:.4f}, {load.causes}"
    return ""


@pytest.mark.parametrize(
    ("first", "count", "least"), [(4_024, 12, 0.25), pytest.param(4_100, 150, 0.4, marks=pytest.mark.slow)]
)
def test_loads_of_random_models_agree_with_runs(first, count, least):
    """
    In stable random models the utilisation of every resource is its load, lies between its bounds, or is not told; many
    are known, though nearly every flow has patience, conditions or the shortest of several lines; most models are stable.
    """
    wrong: list[str] = []
    kinds: Counter[str] = Counter()
    for seed in range(first, first + count):
        try:
            plan = steady(seed).plan
            results = kpis(plan, replications=REPLICATIONS)
        except (RunFault, Faults):
            kinds["fault"] += 1
            continue
        if not is_stable(results):
            kinds["unstable"] += 1
            continue
        kinds["model"] += 1
        for load in loads(plan):
            kinds["known" if load.is_known else "unknown"] += 1
            wrong += [f"model {seed}, {each}" for each in [disagrees(plan, load, results)] if each]

    assert wrong == []
    assert kinds["known"] > least * (kinds["known"] + kinds["unknown"])
    assert kinds["model"] > count / 2
