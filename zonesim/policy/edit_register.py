"""The numbers that measures bring: those of the edits of an arm, for the register."""

from __future__ import annotations

from zonesim.policy.arms import ResolvedArm
from zonesim.policy.edits import dotted
from zonesim.policy.register import Entry, note_of, numbers_in
from zonesim.scenario import load_catalogue


def edit_entries(arm: ResolvedArm) -> list[Entry]:
    """Return the numbers that the measures of an arm bring, where their edits are written, with their sources."""
    catalogue = load_catalogue()
    entries = []
    for change in arm.changes:
        name, _, practice = change.by.partition(".")
        measure = catalogue.measures.get(name)
        if measure is None or change.new is None:
            continue
        own = measure.practices.get(practice)
        edits = [*(own.edits if own is not None else []), *measure.zone_edits]
        edit = next((each for each in edits if each.path == dotted(change.path)), None)
        given = [each.source for each in (edit, own, measure) if each is not None and each.source is not None]
        for path, value, source, key in numbers_in(
            change.new, change.path, given[0] if given else None, change.path[-1]
        ):
            note, written = note_of(source, key, catalogue.sources)
            entries.append(Entry(path, str(value), change.place, note, written))
    return entries
