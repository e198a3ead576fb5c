"""`study.json`: what was run, exactly enough to run it again, and where its numbers are."""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from zonesim.experiment.control import NO_CONTROL, CellControl
from zonesim.experiment.design import Design
from zonesim.experiment.futures import Setting
from zonesim.experiment.identity import run_id, told_settings
from zonesim.experiment.options import Option
from zonesim.experiment.results import FORMAT, INPUTS, STUDY
from zonesim.experiment.runner import Runs
from zonesim.kpi import table_version
from zonesim.plan import MEANING
from zonesim.policy import count_kinds, flows_in_use, register
from zonesim.version import __version__
from zonesim.writing import make_folder, whole, write_text

Pair = tuple[str, str]


@dataclass(frozen=True)
class CellTags:
    """What is to be known of the KPIs of an arm in a future, by their ids."""

    inputs: frozenset[str] = frozenset()
    """Those that only echo the arm's edits."""
    unstable: frozenset[str] = frozenset()
    """Those that depend on the run length."""
    overruled: frozenset[str] = frozenset()
    """Those that would, but for what the scenario says by hand."""
    echoes: frozenset[str] = frozenset()
    """Those that only echo the arm's edits where nobody waits for long."""
    control: CellControl = NO_CONTROL
    """What is expected of control."""
    mixed: frozenset[str] = frozenset()
    """Those that are told over goods of which the baseline has some and not others."""


def study_document(design: Design, runs: Runs[Pair], tags: Mapping[Pair, CellTags]) -> dict[str, Any]:
    """Return the document of an experiment that was run, wholly or in part."""
    scenario = design.resolved[design.baseline].scenario
    meanings = {each: row for row, each in enumerate(dict.fromkeys(kpi.definition for kpi in design.kpis))}
    return {
        "format": FORMAT,
        "run": run_id(design),
        "kind": design.kind,
        "settings": told_settings(design),
        "set": list(design.given),
        **({"changed": list(design.changed)} if design.changed else {}),
        "files": {
            name.removesuffix(".yaml"): str(file.resolve())
            for name, file in (("experiment.yaml", design.file), ("scenario.yaml", design.scenario_file))
            if name in design.inputs
        },
        "name": design.name,
        "label": design.label or {str(key): text for key, text in scenario.label.items()},
        "scenario": {
            "name": scenario.name,
            "label": dict(scenario.label),
            "synthetic": bool(scenario.synthetic),
            "clock": {key: getattr(scenario.clock, key) for key in ("start", "warm_up", "measure", "cool_down")},
        },
        "baseline": design.baseline,
        "arms": [_arm(option) for option in design.options.values()],
        "futures": [
            {"name": each.name, "settings": _settings(each.settings), "sample": each.sample} for each in design.futures
        ],
        "beside": [
            {
                "name": each.name,
                "doubt": each.doubt,
                "end": each.end,
                "label": dict(each.label),
                "settings": _settings(each.future.settings if each.future is not None else ()),
            }
            for each in design.beside
        ],
        "definitions": [asdict(each) for each in meanings],
        "kpis": [
            {
                "id": kpi.id,
                "subject": kpi.subject,
                "definition": meanings[kpi.definition],
                "en": kpi.en,
                "zh": kpi.zh,
                "headline": kpi.headline,
                "bound": kpi.bound,
            }
            for kpi in design.kpis
        ],
        "reported": list(design.reported),
        "seed": design.seed,
        "replications": design.replications,
        **({"precision": design.precision.rule()} if design.precision is not None else {}),
        "level": design.level,
        "cells": [
            {
                "arm": arm,
                "future": future,
                "key": cell.key,
                "replications": runs.finished[arm, future],
                "inputs": sorted(tags[arm, future].inputs),
                "unstable": sorted(tags[arm, future].unstable),
                "overruled": sorted(tags[arm, future].overruled),
                "echoes": sorted(tags[arm, future].echoes),
                "mixed": sorted(tags[arm, future].mixed),
                "control": tags[arm, future].control.document(),
                "plan_sha256": cell.plan.identity,
                "resolved_sha256": cell.tree,
            }
            for (arm, future), cell in design.cells.items()
        ],
        "failures": [
            {"arm": arm, "future": future, "replication": failure.replication, "message": failure.message}
            for (arm, future), failed in runs.failures.items()
            for failure in failed
        ],
        "provenance": provenance(design),
    }


def provenance(design: Design) -> dict[str, Any]:
    """Return what is needed to remake the numbers; changes and shares are those of the first future."""
    first = design.futures[0].name
    return {
        "zonesim": __version__,
        "meaning": MEANING,
        "kpi_table": table_version(),
        "file": str(design.file),
        "scenario_file": str(design.scenario_file),
        "settings": list(design.settings),
        "adoption": {name: design.cells[name, first].shares for name in design.options},
        "changes": {
            name: [
                {"path": each.dotted, "old": each.old, "new": each.new, "by": each.by, "at": str(each.place)}
                for each in design.cells[name, first].changes
            ]
            for name in design.options
        },
        "numbers": count_kinds(register(design.world, flows_in_use(design.world))),
        "python": platform.python_version(),
        "packages": {name: version(name) for name in ("duckdb", "numpy", "numba", "scipy", "simpy")},
    }


def write_study(folder: Path, document: dict[str, Any]) -> Path:
    """Write `study.json` into a folder, whole or not at all; return its path."""
    path = folder / STUDY
    write_text(path, json.dumps(document, ensure_ascii=False, indent=1) + "\n")
    return path


def write_inputs(folder: Path, design: Design) -> None:
    """Write the files that were read into a results folder, as they were, so that it can be drawn without them."""
    inputs = folder / INPUTS
    make_folder(inputs)
    for name, content in design.inputs.items():
        with whole(inputs / name) as part:
            part.write_bytes(content)


def _arm(option: Option) -> dict[str, Any]:
    return {
        "name": option.name,
        "label": dict(option.label),
        "measures": [
            {
                "measure": each.measure,
                "params": dict(each.params),
                "start": each.start,
                "zones": list(each.zones),
                "told": each.measure + (f" ({each.limits()})" if each.limits() else ""),
            }
            for each in option.arm.measures
        ],
        "edits": _settings(option.edits),
    }


def _settings(settings: Sequence[Setting]) -> list[dict[str, Any]]:
    return [{"path": each.path, "text": each.text, "number": each.number} for each in settings]
