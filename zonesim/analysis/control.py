"""What becomes of control: bands of what is intercepted and missed, in place of what a few finds of a run say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np

from zonesim.experiment import UNKNOWN, Band, CellControl, CheckBand
from zonesim.plan import AT_CHECKS, CASES, QUANTITIES, Control, Floats, Plan, control

KPIS: Final = {
    "missed.share": "not_found",
    "missed.day": "missed",
    "caught.share": "intercepted",
    "caught.day": "caught",
    "cases.day": "cases",
    "false_stops.rate": "stopped_for_nothing",
}
"""KPIs of a truth that are bands where it is doubted, with what these are called in `CellControl`."""


def control_of(plan: Plan) -> CellControl:
    """Return what is expected of control in a plan; bands are unknown where there are too many ways to follow."""
    names = plan.names
    lifts = [look.lift for look in names.looks.values()]
    doubted = {look.truth for look in names.looks.values() if look.lift[0] < look.lift[2]}
    doubted |= {truth for (_, truth), rates in names.truths.items() if rates.low != rates.high}
    truths = sorted({truth for _, truth in names.truths})
    found = control(plan)
    return CellControl(
        tuple(sorted(doubted)),
        (min(low for low, _, _ in lifts), max(high for _, _, high in lifts)) if lifts else None,
        {truth: _bands(found, truth) for truth in truths},
        tuple(_checks(plan, found)) if found is not None else (),
    )


def bands_of(cells: Mapping[str, CellControl]) -> dict[str, dict[str, Band]]:
    """Return, by arm and KPI, the bands that stand in place of means: of truths that are doubted in any of the arms."""
    doubted = dict.fromkeys(truth for cell in cells.values() for truth in cell.doubted)
    return {
        arm: {
            f"all.{truth}.{what}": cell.truths.get(truth, {}).get(name, UNKNOWN)
            for truth in doubted
            for what, name in KPIS.items()
        }
        for arm, cell in cells.items()
    }


def _bands(found: Control | None, truth: str) -> dict[str, Band]:
    """Return the bands of a truth by name."""
    if found is None:
        return dict.fromkeys((*KPIS.values(), "false_stops"), UNKNOWN)
    own = dict(zip(QUANTITIES, found.of(truth), strict=True))
    bands = {name: _band(own[name]) for name in ("cases", "caught", "missed", "false_stops")}
    bands["intercepted"] = _band(_share_of(own["caught"], own["cases"]))
    bands["stopped_for_nothing"] = _band(_share_of(own["false_stops"], own["checked"]))
    bands["not_found"] = _band(_share_of(own["missed"], own["cases"]))
    return bands


def _checks(plan: Plan, found: Control) -> list[CheckBand]:
    """Return what each check does, those of entries with the same flow together."""
    flows = dict(zip(plan.names.sources, plan.names.source_flows, strict=True))
    together: dict[tuple[str, str], Floats] = {}
    for (entry, truth, path), each in found.checks.items():
        key = (f"{flows[entry]}.{path}", truth)
        together[key] = together.get(key, np.zeros_like(each)) + each
    checks = []
    for (step, truth), each in sorted(together.items()):
        flow = step.partition(".")[0]
        cases = sum(
            (own[0] for (entry, name, _), own in found.truths.items() if flows[entry] == flow and name == truth),
            start=np.zeros((2, CASES)),
        )
        met, seen, finds = (each[AT_CHECKS.index(name)] for name in AT_CHECKS)
        checks.append(CheckBand(step, truth, _band(_share_of(met, cases)), _band(_share_of(finds, seen))))
    return checks


def _share_of(part: Floats, whole: Floats) -> Floats:
    """Return the least and the most share, by case, shape (2, CASES); nan of nothing."""
    with np.errstate(divide="ignore", invalid="ignore"):
        same = np.array_equal(whole[0], whole[1])
        shares = part / whole if same else np.stack([part[0] / whole[1], part[1] / whole[0]])
        return np.where((whole > 0).all(axis=0), np.clip(shares, 0.0, 1.0), np.nan)


def _band(values: Floats) -> Band:
    """Return least and most by case, one of each where all cases are alike."""
    low, high = (tuple(float(f"{value:.10g}") for value in part) for part in values.tolist())
    if len(set(low)) == len(set(high)) == 1:
        low, high = low[:1], high[:1]
    return Band(low, high)
