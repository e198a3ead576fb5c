"""The job of `whatif`: a page that simulates, from a scenario."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from zonesim.analysis import student
from zonesim.briefing.text.story import step_labels
from zonesim.briefing.text.words import LANGUAGES, Words, language_named
from zonesim.briefing.whatif import LARGEST_PAGE, page
from zonesim.engine import layout, module_bytes
from zonesim.experiment import MOST_MEASURES, Change, Lever, Packing, Shelved, ends_of_doubts, shelf
from zonesim.faults import Place, ScenarioFault, UnknownName, suggest
from zonesim.jobs.job import Job
from zonesim.policy import Arm, Chosen, ResolvedTree, arms_for, baseline, open_world, resolve
from zonesim.scenario import load_catalogue
from zonesim.scenario.fields import EVERYTHING
from zonesim.units import DAY, parse_share
from zonesim.version import __version__
from zonesim.writing import make_folder, write_text

SHORT: Final = ("clock.warm_up=1 week", "clock.measure=1 week", "clock.cool_down=1 week")
"""What `--clock short` sets: so that a replication takes a few hundredths of a second."""

CLOCKS: Final = ("short", "file")

MOST_REPLICATIONS: Final = 128
"""Replications of each arm that a page is asked for at most: so many quantiles of Student's law it has."""

DEMAND: Final = (0.6, 0.8, 1.0, 1.2, 1.4, 1.6)
_ROLES: Final = ("lane", "officer", "yard", "dock")
_STEPS: Final = (0.5, 1.0, 1.5, 2.0)
_MOST_LEVERS: Final = {"share": 2, "doubt": 1}
_FEW: Final = 8
"""Units up to which a lever goes one by one."""


def whatif_job(
    file: Path,
    names: Sequence[str] | None,
    settings: Sequence[str],
    out: Path,
    language: str,
    clock: str,
    workers: int,
    say: Any,  # noqa: ANN401  a function of the terminal
) -> Job:
    """
    Write a page that simulates. `names`: measures that can be chosen on it (None: those of all that act, up to six);
    `clock`: `short`, three weeks, or `file`. Raises Faults, and ScenarioFault where the kernel for browsers is missing
    or the page would be too large.
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
    levers = levers_of(world, [each.measure for each in measures])
    make_folder(out.parent)
    shelved = shelf(world, measures, levers, workers, say)
    levers = [lever for lever in levers if any(any(own.levers.get(lever.key, ())) for own in shelved)]
    about, pool = _about(file, world, shelved, levers, given)
    text = page(about, pool, module, language)
    size = len(text.encode())
    if size > LARGEST_PAGE:
        fault = f"the page would have {size:,} bytes, more than {LARGEST_PAGE:,}"
        raise ScenarioFault(fault, Place(str(out)), "Name fewer --measures, or take --clock short.")
    write_text(out, text)
    names_left = [each.measure for each in left_out]
    document = {"file": str(out), "bytes": size, "plans": len(shelved), "left_out": names_left}
    document["levers"] = [each.key for each in levers]
    told = f"{out}: {len(shelved)} plans, {len(levers)} levers, {size / 1e6:.2f} MB; open it in a browser"
    notes = [f"left out, for a page holds {MOST_MEASURES}: {', '.join(names_left)}"] if left_out else []
    return Job(document, told, notes)


# --- levers


def levers_of(world: ResolvedTree, measures: Sequence[str]) -> list[Lever]:
    """Return what can be moved: demand, units and hours of resources, shares of measures, and doubts that are named."""
    return [
        Lever(
            "demand",
            tuple((f"traffic.*.rate*={level:g}",) if level != 1 else () for level in DEMAND),
            tuple(_both(f"×{level:g}") for level in DEMAND),
            {"word": "demand"},
            everywhere=True,
        ),
        *_of_zones(world),
        *_of_measures(measures),
        *_of_doubts(world),
    ]


def _both(text: str) -> dict[str, str]:
    return {"en": text, "zh": text}


def _of_zones(world: ResolvedTree) -> Iterator[Lever]:
    """Yield the levers of the resources of modelled zones that somebody may wait for."""
    for zone, own in world.tree["zones"].items():
        if own.get("outside"):
            continue
        for name, resource in own.items():
            if not isinstance(resource, dict) or resource.get("role") not in _ROLES:
                continue
            path, units = f"zones.{zone}.{name}", resource.get("units")
            label = {"word": "units", **_label(resource, name)}
            if isinstance(units, int) and not isinstance(units, bool):
                numbers = _numbers(units)
                yield Lever(
                    f"{zone}.{name}",
                    tuple((f"{path}.units={each}",) if each != units else () for each in numbers),
                    tuple(_both(str(each)) for each in numbers),
                    label,
                )
            elif isinstance(units, dict):
                yield Lever(
                    f"{zone}.{name}",
                    tuple((f"{path}.units*={each:g}",) if each != 1 else () for each in _STEPS if each >= 1),
                    tuple(_both(f"×{each:g}") for each in _STEPS if each >= 1),
                    label,
                )
            if resource.get("open") == "office":
                yield Lever(
                    f"{zone}.{name}.open",
                    ((), (f"{path}.open=always",)),
                    ({"word": "as_written"}, {"word": "always"}),
                    label | {"word": "hours"},
                )


def _label(resource: Mapping[str, Any], name: str) -> dict[str, str]:
    label = resource.get("label") or {}
    return {"en": str(label.get("en", name)), "zh": str(label.get("zh", label.get("en", name)))}


def _numbers(units: int) -> list[int]:
    if units <= _FEW:
        return list(range(max(units - 1, 1), units + 4))
    return sorted({max(round(units * each), 1) for each in (0.75, 1.0, 1.25, 1.5, 2.0)})


def _of_measures(measures: Sequence[str]) -> Iterator[Lever]:
    """Yield levers of the shares of measures that are doubted, low and high as the library has them."""
    catalogue, found = load_catalogue(), 0
    for name in measures:
        measure = catalogue.measures[name]
        for key, param in measure.params.items():
            ends = [str(each) for each in (param.low, param.default, param.high)]
            if found == _MOST_LEVERS["share"] or None in {param.low, param.high} or len(set(ends)) < len(ends):
                continue
            if not all(_is_share(each) for each in ends):
                continue
            found += 1
            yield Lever(
                f"{name}.{key}",
                tuple((f"measures.{name}.{key}={each}",) if each != ends[1] else () for each in ends),
                tuple(map(_both, ends)),
                {
                    "word": "share_of",
                    "measure": measure.number,
                    "en": key.replace("_", " "),
                    "zh": _PARAMS.get(key, key),
                },
                needs=name,
                assumed=True,
            )
            break


def _param(key: str) -> dict[str, str]:
    return {"en": key.replace("_", " "), "zh": _PARAMS.get(key, key)}


_PARAMS: Final = {"coverage": "覆盖率", "eligible": "适用比例", "reach": "惠及比例", "share": "比例"}


def _is_share(text: str) -> bool:
    try:
        parse_share(text)
    except ScenarioFault:
        return False
    return True


def _of_doubts(world: ResolvedTree) -> Iterator[Lever]:
    """Yield levers of the first doubts that regime and scenario name, at their low and high ends."""
    ends: dict[str, dict[str, Any]] = {}
    for each in ends_of_doubts(world):
        ends.setdefault(each.doubt, {})[each.end] = each
    found = 0
    for path, own in ends.items():
        if found == _MOST_LEVERS["doubt"] or not path.startswith(("adopted", "traffic", "zones")):
            continue
        found += 1
        label = dict(own["low"].label)
        yield Lever(
            f"doubt.{path}",
            (_texts(own["low"].future.settings), (), _texts(own["high"].future.settings)),
            ({"word": "level_low"}, {"word": "as_written"}, {"word": "level_high"}),
            {"en": label.get("en", path), "zh": label.get("zh", path)},
            everywhere=True,
            assumed=True,
        )


def _texts(settings: Sequence[Any]) -> tuple[str, ...]:
    """Return settings as `--set` has them."""
    found = []
    for each in settings:
        value = each.request.edit.to
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        found.append(f"{each.path}={text}")
    return tuple(found)


# --- what the page knows


def _about(
    file: Path, world: ResolvedTree, shelved: Sequence[Shelved], levers: Sequence[Lever], given: Sequence[str]
) -> tuple[dict[str, Any], bytes]:
    """Return what the page knows, and the tables that it takes them from."""
    packing = Packing()
    shared: dict[str, list[Any]] = {"kpis": [], "steps": []}
    plans = [_plan(each, packing, shared) for each in shelved]
    index, pool = packing.packed()
    about = described(file, world, shelved[-1].measures, levers, given, shelved[0].window)
    return about | {
        "layout": layout(),
        "index": index,
        "plans": plans,
        "kpis": [called(world, kpis) for kpis in shared["kpis"]],
        "steps": shared["steps"],
        "labels": _step_labels(world, shelved),
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


def _plan(own: Shelved, packing: Packing, shared: dict[str, list[Any]]) -> dict[str, Any]:
    """Return a combination of measures as the page reads it: numbers of tables."""
    tables = {name: packing.add(name.partition("/")[0], table) for name, table in own.tables.items()}
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
        "levers": {key: [_level(each, packing) for each in levels] for key, levels in own.levers.items()},
        "apart": own.apart,
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
        elif change.places is not None and change.words is not None:
            found[name] = [packing.add("places", change.places), packing.add("words", change.words)]
    return found
