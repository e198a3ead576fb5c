"""The logs that traffic entries follow, read for a run."""

from __future__ import annotations

import os
from pathlib import Path

from zonesim.faults import Faults, Place, ScenarioFault
from zonesim.policy import ResolvedArm
from zonesim.scenario.paths import inside_project
from zonesim.scenario.traces import Run, TraceRows, read_trace


class Traces:
    """Arrivals by traffic entry, faults of logs, and what people should know about them."""

    def __init__(self, arm: ResolvedArm, run: Run) -> None:
        self.rows: dict[str, TraceRows] = {}
        self.faults: list[ScenarioFault] = []
        self.notes: list[str] = []
        world = arm.world
        for name, entry in arm.scenario.traffic.items():
            if entry.trace is None:
                continue
            base = ("traffic", name, "trace")

            def at(*key: str, base: tuple[str, ...] = base) -> Place:
                return world.place((*base, *key))

            written = entry.trace.file
            shown = os.path.normpath(Path(world.file).parent / written)
            try:
                file = inside_project(written, Path(world.file), at("file"))
                rows = read_trace(entry.trace, file, shown, run, at)
            except ScenarioFault as fault:
                self.faults += fault.faults if isinstance(fault, Faults) else [fault]
                rows = TraceRows(())
            if rows.outside:
                self.notes.append(
                    f"traffic {name}: {rows.outside} rows of {shown} lie outside the run and are left out"
                )
            self.rows[name] = rows

    def values(self, entry: str, attribute: str) -> list[str]:
        """Return the values of an attribute that the log of an entry names, in the order of their first arrival."""
        return list(dict.fromkeys(self.rows[entry].attributes.get(attribute, ())))

    def classes(self) -> list[str]:
        """Return the classes that the logs name, in the order of their first arrival."""
        return list(dict.fromkeys(name for rows in self.rows.values() for name in rows.classes))
