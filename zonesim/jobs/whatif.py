"""The job of `whatif`: a page that simulates, from a scenario."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from zonesim.analysis import student
from zonesim.briefing.text.story import step_labels
from zonesim.briefing.text.words import LANGUAGES, Words, language_named
from zonesim.briefing.whatif import LARGEST_PAGE, page
from zonesim.engine import layout, module_bytes
from zonesim.experiment import MOST_MEASURES, Change, Lever, Packing, Shelved, shelf
from zonesim.faults import Place, ScenarioFault, UnknownName, suggest
from zonesim.jobs.job import Job
from zonesim.jobs.levers import levers_of
from zonesim.jobs.page_control import control_rows, control_told
from zonesim.policy import Arm, Chosen, ResolvedTree, arms_for, baseline, open_world, resolve
from zonesim.scenario import load_catalogue
from zonesim.scenario.fields import EVERYTHING
from zonesim.units import DAY
from zonesim.version import __version__
from zonesim.writing import make_folder, write_text

SHORT: Final = ("clock.warm_up=1 week", "clock.measure=1 week", "clock.cool_down=1 week")
"""What `--clock short` sets: so that a replication takes a few hundredths of a second."""

CLOCKS: Final = ("short", "file")

MOST_REPLICATIONS: Final = 128
"""Replications of each arm that a page is asked for at most: so many quantiles of Student's law it has."""


def whatif_job(
    file: Path,
    names: Sequence[str] | None,
    settings: Sequence[str],
    out: Path,
    language: str,
    clock: str,
    workers: int,
    say: Any,  # noqa: ANN401  a function of the terminal
    asked: Sequence[str] = (),
) -> Job:
    """
    Write a page that simulates. `names`: measures that can be chosen on it (None: those of all that act, up to six);
    `clock`: `short`, three weeks, or `file`; `asked`: numbers that are levers, `PATH` or `PATH=LOW..HIGH`.

    Levers that change nothing, and those for which a page has no room, are left out, with a note. Raises Faults, and
    ScenarioFault where the kernel for browsers is missing or the page would be too large without any.
    """
    language = language_named(language)
    if clock not in CLOCKS:
        raise UnknownName(f"no clock '{clock}'", Place("--clock"), suggest(clock, CLOCKS, "clocks"))
    module = module_bytes()
    given = [*settings, *(SHORT if clock == "short" else ())]
    world = open_world(file, given)
    option = f"--measures {','.join(names or ())}"
    arms = arms_for(world, names, option)
    measures = arms[-1].measures if len(arms) > 1 else ()
    left_out = measures[MOST_MEASURES:] if names is None else ()
    measures = measures[: len(measures) - len(left_out)]
    if len(measures) > MOST_MEASURES:
        fault = f"{len(measures)} measures, of which every combination would be a plan"
        raise ScenarioFault(fault, Place(option), f"Name {MOST_MEASURES} at most.")
    levers = levers_of(world, [each.measure for each in measures], asked)
    make_folder(out.parent)
    shelved = shelf(world, measures, levers, workers, say, control_rows)
    costly = [lever for lever in levers if not any(lever.key in own.levers for own in shelved)]
    idle = [lever for lever in levers if not any(any(own.levers.get(lever.key, ())) for own in shelved)]
    levers, idle = [lever for lever in levers if lever not in idle], [lever for lever in idle if lever not in costly]
    text, heavy = _fitting(file, world, shelved, levers, given, module, language, out)
    write_text(out, text)
    size, levers = len(text.encode()), [lever for lever in levers if lever not in heavy]
    names_left = [each.measure for each in left_out]
    document = {"file": str(out), "bytes": size, "plans": len(shelved), "left_out": names_left}
    untold = [each.key for each in (*costly, *idle, *heavy)]
    document |= {"levers": [each.key for each in levers], "levers_left_out": untold}
    told = f"{out}: {len(shelved)} plans, {len(levers)} levers, {size / 1e6:.2f} MB; open it in a browser"
    notes = [f"left out, for a page holds {MOST_MEASURES}: {', '.join(names_left)}"] if left_out else []
    for each in costly:
        path = each.key.partition(".")[2] if each.key.startswith("doubt.") else f"measures.{each.key}"
        why = f"it changes the program and would be worked out in each of {len(shelved)} plans"
        notes.append(f"lever left out, for {why}: {each.key}; --lever {path}=LOW..HIGH asks for it")
    notes += [f"lever left out, for no plan of the page depends on it: {each.key}" for each in idle]
    notes += [f"lever left out, for the page would have more than {LARGEST_PAGE:,} bytes: {each.key}" for each in heavy]
    return Job(document, told, notes)


def _fitting(
    file: Path,
    world: ResolvedTree,
    shelved: Sequence[Shelved],
    levers: Sequence[Lever],
    given: Sequence[str],
    module: bytes,
    language: str,
    out: Path,
) -> tuple[str, list[Lever]]:
    """Return the page, and the levers without which it is small enough; raises ScenarioFault where it is not."""
    heavy: list[Lever] = []
    while True:
        own = [lever for lever in levers if lever not in heavy]
        about, pool = _about(file, world, shelved, own, given)
        text = page(about, pool, module, language)
        if (size := len(text.encode())) <= LARGEST_PAGE:
            return text, heavy
        if not own:
            fault = f"the page would have {size:,} bytes, more than {LARGEST_PAGE:,}"
            raise ScenarioFault(fault, Place(str(out)), "Name fewer --measures, or take --clock short.")
        heavy.append(max(own, key=lambda lever: _weight(lever, shelved)))


def _weight(lever: Lever, shelved: Sequence[Shelved]) -> int:
    """Return how many bytes of tables a lever brings, those counted once that plans share."""
    changes = {
        id(change): change for own in shelved for level in own.levers.get(lever.key, ()) for change in level.values()
    }
    parts = {part.tobytes() for each in changes.values() for part in (each.whole, each.words) if part is not None}
    return sum(map(len, parts))


# --- what the page knows


def _about(
    file: Path, world: ResolvedTree, shelved: Sequence[Shelved], levers: Sequence[Lever], given: Sequence[str]
) -> tuple[dict[str, Any], bytes]:
    """Return what the page knows, and the tables that it takes them from."""
    packing = Packing()
    shared: dict[str, list[Any]] = {"kpis": [], "steps": []}
    plans = [_plan(each, packing, shared, {lever.key for lever in levers}) for each in shelved]
    index, pool = packing.packed()
    about = described(file, world, shelved[-1].measures, levers, given, shelved[0].window)
    labels = _step_labels(world, shelved)
    return about | {
        "control": control_told(world, [own.beside for own in shelved], labels),
        "layout": layout(),
        "index": index,
        "plans": plans,
        "kpis": [called(world, kpis) for kpis in shared["kpis"]],
        "steps": shared["steps"],
        "labels": labels,
    }, pool


def described(
    file: Path,
    world: ResolvedTree,
    measures: Sequence[str],
    levers: Sequence[Lever],
    given: Sequence[str],
    window: tuple[int, int, int],
) -> dict[str, Any]:
    """Return what a page says of a scenario: names, clock, measures, levers, quantiles of Student's law."""
    begin, end, horizon = window
    label = world.tree.get("label") or {}
    name = str(world.tree.get("name"))
    catalogue = load_catalogue()
    return {
        "version": __version__,
        "file": str(file),
        "given": list(given),
        "title": {"en": str(label.get("en", name)), "zh": str(label.get("zh", name))},
        "synthetic": bool(world.tree.get("synthetic")),
        "days": [begin / DAY, (end - begin) / DAY, (horizon - end) / DAY],
        "seed": 1,
        "regime": str(world.tree.get("regime", "R1")),
        "student": [student(n) for n in range(1, MOST_REPLICATIONS)],
        "measures": [
            {"name": each, "number": catalogue.measures[each].number, **dict(catalogue.measures[each].label)}
            for each in measures
        ],
        "levers": [
            {
                "key": each.key,
                "label": dict(each.label),
                "texts": list(map(dict, each.texts)),
                "settings": list(map(list, each.settings)),
                "usual": each.usual,
                "everywhere": each.everywhere,
                "needs": each.needs,
                "assumed": each.assumed,
            }
            for each in levers
        ],
    }


def _plan(own: Shelved, packing: Packing, shared: dict[str, list[Any]], keys: set[str]) -> dict[str, Any]:
    """Return a combination of measures as the page reads it: numbers of tables."""
    tables = {name: packing.add(name.partition("/")[0], table) for name, table in own.tables.items()}
    levers = {key: levels for key, levels in own.levers.items() if key in keys}
    return {
        "measures": list(own.measures),
        "tables": tables,
        "marks": packing.add("marks", own.asked.marks, 4 * own.asked.marks.shape[1]),
        "rows": packing.add("rows", own.asked.steps, 4 * own.asked.steps.shape[1]),
        "kpis": _shared(shared["kpis"], list(own.asked.kpis)),
        "steps": _shared(shared["steps"], [".".join(step.path) for step in own.steps]),
        "directions": list(own.asked.directions),
        "milestones": own.asked.milestones,
        "rates": list(map(list, own.rates)),
        "members": own.members,
        "window": list(own.window),
        "levers": {key: [_level(each, packing) for each in levels] for key, levels in levers.items()},
        "apart": own.apart,
        "control": {"/".join(row[:3]): row[3:] for row in own.beside},
    }


def called(world: ResolvedTree, kpis: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return KPIs with flows and places called by their labels, in both languages, as far as they have any."""
    labels = {name: flow.label for name, flow in resolve(world, baseline(world)).flows().items()}
    labels |= {
        f"{zone}.{name}": entry.get("label") or {}
        for zone, entries in world.tree["zones"].items()
        for name, entry in entries.items()
        if isinstance(entry, dict)
    }
    found = [dict(kpi) for kpi in kpis]
    for language in LANGUAGES:
        say, colon = Words(language), {"en": ": ", "zh": "："}[language]
        parts = [str(kpi[language]).partition(colon) for kpi in kpis]
        names = {subject: say.label(labels[subject], subject) for subject, _, _ in parts if labels.get(subject)}
        told = Counter(names.values())
        for own, (subject, _, rest) in zip(found, parts, strict=True):
            if subject in names:
                alone = "." in subject and told[names[subject]] == 1  # the code of a flow is what people know it by
                name = names[subject] if alone else say.title(labels[subject], subject)
                own[language] = f"{name}{colon}{rest}"
            elif subject == EVERYTHING:
                own[language] = rest
    return found


def _step_labels(world: ResolvedTree, shelved: Sequence[Shelved]) -> dict[str, dict[str, str]]:
    """Return by language what each step is called, with the steps around it, by its path."""
    arms = [resolve(world, baseline(world)), resolve(world, Arm("all", tuple(map(Chosen, shelved[-1].measures))))]
    flows = [arm.flows(frozenset(use.name for use in arm.partial)) for arm in arms]
    found: dict[str, dict[str, str]] = {str(language): {} for language in LANGUAGES}
    for own, walked in ((shelved[0], flows[0]), (shelved[-1], flows[1]), *((each, flows[1]) for each in shelved)):
        for step in own.steps:
            path = ".".join(step.path)
            for language in LANGUAGES if path not in found["en"] else ():
                found[language][path] = " · ".join(step_labels(walked, step, Words(language)))
    return found


def _shared(known: list[Any], each: Any) -> int:  # noqa: ANN401
    if each not in known:
        known.append(each)
    return known.index(each)


def _level(level: Mapping[str, Change], packing: Packing) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, change in level.items():
        group = name.partition("/")[0]
        if change.whole is not None:
            found[name] = packing.add(group, change.whole)
        elif change.units is not None:
            found[name] = {"units": list(map(list, change.units.items()))}
        elif change.places is not None and change.words is not None:
            found[name] = [packing.add("places", change.places), packing.add("words", change.words)]
    return found
