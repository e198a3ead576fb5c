"""
Peel made-up futures with the EMA workbench, for `test_ema_prim.py`: prints `ema_prim.json`.

The workbench needs a good deal that zonesim does not, so it is no dependency. In an environment of its own:

    python -m venv ema && ema/bin/pip install ema_workbench==2.5.3
    ema/bin/python tests/against/ema_prim.py > tests/against/ema_prim.json

Whole numbers are handed over as floats: with a recent pandas the workbench cannot paste columns of whole numbers.
"""

from __future__ import annotations

import json
import sys
from importlib.metadata import version

import numpy as np

FUTURES = 100
NUMBERS = ["a", "b", "c", "d", "e"]
KINDS = ("box", "slope", "sure", "whole")


def futures(kind, seed):
    """Return futures, shape (FUTURES, NUMBERS), and which of them are cases."""
    luck = np.random.default_rng(seed)
    ranks = np.array([luck.permutation(FUTURES) for _ in NUMBERS]).T
    values = np.round((ranks + luck.random(ranks.shape)) / FUTURES, 4)
    if kind == "whole":
        values[:, 1] = np.floor(4 * values[:, 1])
    drawn = luck.random(FUTURES)
    if kind == "box":
        return values, drawn < np.where((values[:, 2] > 0.5) & (values[:, 3] < 0.5), 0.9, 0.1)
    if kind == "slope":
        return values, drawn < 1 / (1 + np.exp(-8 * (values[:, 0] + values[:, 4] - 1.2)))
    if kind == "sure":
        return values, (values[:, 0] > 0.6) & (values[:, 1] < 0.4)
    return values, drawn < np.where(values[:, 0] + values[:, 1] > 2.5, 0.7, 0.1)


def peeled(values, cases):
    """Return what the workbench says of each box that it peels: its limits, and what lies inside."""
    import pandas as pd
    from ema_workbench.analysis.prim import Prim

    box = Prim(pd.DataFrame(values, columns=NUMBERS), cases.astype(int), threshold=0.01).find_box()
    told = []
    for place, (_, row) in enumerate(box.peeling_trajectory.iterrows()):
        if told and row["n"] >= told[-1]["inside"]:
            break  # from here on it pastes
        limits = box.box_lims[place]
        told.append(
            {
                "low": [float(limits[name].iloc[0]) for name in NUMBERS],
                "high": [float(limits[name].iloc[1]) for name in NUMBERS],
                "inside": int(row["n"]),
                "coverage": float(row["coverage"]),
                "density": float(row["density"]),
            }
        )
    return told


def main():
    """Print what the workbench finds in every set of futures, with the futures themselves."""
    packages = ("ema_workbench", "numpy", "pandas")
    document = {"made_by": "tests/against/ema_prim.py", **{name: version(name) for name in packages}, "sets": []}
    for kind in KINDS:
        for seed in (1, 2):
            values, cases = futures(kind, seed)
            own = {"kind": kind, "seed": seed, "values": values.tolist(), "cases": cases.astype(int).tolist()}
            document["sets"].append({**own, "trajectory": peeled(values, cases)})
    json.dump(document, sys.stdout, separators=(",", ":"))
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
