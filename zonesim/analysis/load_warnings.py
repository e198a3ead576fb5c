"""What is to be said of arrivals and loads before and after a run: one rule for every command."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from zonesim import units
from zonesim.kpi import scopes_of
from zonesim.plan import Cause, Load, Plan, Who, departures, grown_queues, loads, successors

WEEKDAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")

NOTHING: Final = "-"
"""The words of a mean load of which nothing is known."""

BECAUSE: Final[Mapping[Cause, str]] = {
    Cause.STATE: "who comes depends on lines and on what is open",
    Cause.PATIENCE: "how many give up depends on the line",
    Cause.SHORTEST: "the shortest of several lines is chosen",
    Cause.EITHER: "the first of several that is free is taken",
    Cause.STOCK: "who draws on an account goes on when there is enough",
    Cause.BATCH: "how large batches are depends on the arrivals",
    Cause.HOURS: "how long it is in hand depends on the hour",
    Cause.LONGEST: "it is in hand until the last of several branches ends",
    Cause.CIRCLE: "tokens go round without end, as often as they wait or draw",
    Cause.LISTED: "much of the work of arrivals that come to an end lies outside of the window",
    Cause.LATE: "arrivals begin or end within the run, and much of their work lies outside of the window",
    Cause.FIRM: "each firm has a line and places of its own, and who is of which is not followed",
    Cause.SIZE: "there are too many ways through the flows",
}
"""Why a load is not known."""


def hour_text(hour: int) -> str:
    """Return an hour of the week (0 = Monday 00:00) in words."""
    return f"{WEEKDAYS[hour // 24]} {hour % 24:02d}:00"


def mean_text(load: Load) -> str:
    """Return the mean load in words: a number, `≥` where waits with units in hand come on top, or bounds, or `-`."""
    if load.is_known:
        return f"{'≥ ' if load.waits else ''}{load.mean:.0%}"
    least, most = f"{load.low:.0%}", f"{load.high:.0%}" if load.high < float("inf") and not load.waits else ""
    if load.low > 0:
        return f"{least} to {most}" if most else f"≥ {least}"
    return f"≤ {most}" if most else NOTHING


def unknown_text(load: Load) -> str:
    """Return why a load is not known."""
    return ", and ".join(BECAUSE[cause] for cause in load.causes) or "it depends on the state of the system"


def too_large(found: Sequence[Load]) -> bool:
    """Return whether a plan was too large for loads: then none of them is known."""
    return any(Cause.SIZE in load.causes for load in found)


def load_warnings(plan: Plan, offset: int) -> list[str]:
    """
    Return the warnings of the loads of a plan, by resource and by step that waits for departures: a line that grows, a
    line that builds up every week, a load that is not known, and what is said of stability by hand. In a run that ends
    empty no line can grow, known or not.
    """
    found, lines = loads(plan, offset), departures(plan, offset)
    name_of = [str(name) for name in plan.names.resources]
    grown = grown_queues([*found, *lines])

    def is_told(load: Load) -> bool:
        return load.is_known or load.said is not None or not plan.terminates

    if too_large(found):
        told = [f"no load is known, because {BECAUSE[Cause.SIZE]}; nothing says that no queue grows"]
        return told if not plan.terminates else []
    told = [_warning(load, name_of, grown) for load in found if is_told(load)]
    told += [_of_departures(plan, load, name_of, grown) for load in lines if is_told(load)]
    return [text for text in told if text]


def arrival_warnings(plan: Plan) -> list[str]:
    """Return a warning for each entry that lists arrivals, none of them in the measured window: nobody counts."""
    warnings = []
    for source, name in enumerate(plan.names.sources):
        times = plan.times_of(source)["time"]
        if not len(times) or ((times >= plan.begin) & (times < plan.end)).any() or not _leaves(plan, source):
            continue
        window = f"{units.format_ms(plan.begin)} to {units.format_ms(plan.end)} after the start"
        warnings.append(
            f"traffic {name}: none of its listed arrivals lies in the measured window, {window}: nobody of it counts"
        )
    return warnings


def _leaves(plan: Plan, source: int) -> bool:
    """Return whether tokens of a source can leave; who goes round for ever is there in the window, whenever he came."""
    pending, seen = [int(plan.sources["first_row"][source])], set[int]()
    while pending:
        row = pending.pop()
        if row in seen:
            continue
        seen.add(row)
        if plan.code[row].facts.ends:
            return True
        pending += [target for then, target in successors(plan.code[row], row) if then.who is not Who.CHILD]
    return False


def line_name(plan: Plan, load: Load) -> str:
    """Return the step at which tokens wait for departures, as KPIs call it: `FLOW.STEP`, or `ENTRY.STEP`."""
    steps = scopes_of(plan).steps
    return min((name for name, rows in steps.items() if load.step in rows), key=lambda name: len(steps[name]))


def _of_departures(plan: Plan, load: Load, name_of: list[str], grown: frozenset[int]) -> str:
    step = line_name(plan, load)
    whose = f" for class {plan.names.classes[load.klass]}" if load.klass >= 0 else ""
    start = f"{step}: departures have a load of {mean_text(load)}{whose}"
    if load.grows:
        least = f" (at least {load.must:.0%} has to go)" if not load.is_known else ""
        held = " or ".join(sorted(name_of[each] for each in load.queues & grown))
        also = f", and with it the queue of {held}," if held else ""
        return f"{start}{least}: the line for them{also} grows as long as the run lasts"
    if not load.is_known and load.high >= 1:
        return f"{start}: unknown, because {unknown_text(load)}; nothing says that the line for them grows"
    if load.is_known and load.mean >= 1:
        return f"{start}: more than there is room for while it lasts, but no line grows without end"
    return ""


def _warning(load: Load, name_of: list[str], lines: Iterable[int]) -> str:
    name, told = name_of[load.resource], f"load {mean_text(load)}"
    if load.said is not None and load.said == load.is_overloaded:
        verb = "does not grow" if load.said else "grows"
        return f"{name}: {told}: its queue {verb}, as is said by hand (`stable: {str(load.said).lower()}`)"
    if load.grows:
        least = f" (at least {load.must:.0%} has to be done)" if not load.is_known else ""
        grown = sorted(name_of[each] for each in load.queues & set(lines))
        if not grown:
            return f"{name}: {told}{least}: no queue grows for it, as is said by hand of who holds it up"
        whose = "its queue" if grown == [name] else f"the queue of {' or '.join(grown)}"
        return f"{name}: {told}{least}: {whose} grows as long as the run lasts"
    if not load.is_known:
        if load.high < 1:
            return ""
        stands = "" if load.resource in lines else "; nothing says that its queue grows"
        return f"{name}: {told}: unknown, because {unknown_text(load)}{stands}"
    if load.mean >= 1:
        return f"{name}: {told}: more than it can do while it lasts, but no queue grows without end"
    if load.peak >= 1:
        return f"{name}: load {load.peak:.0%} at {hour_text(load.peak_hour)}: queues build up every week"
    return ""
