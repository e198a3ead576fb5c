"""What can be moved on a page that simulates: demand, units, hours, shares of measures, doubts, other numbers."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from zonesim.briefing.whatif import param_label
from zonesim.experiment import Lever, doubts_of, ends_of_doubts
from zonesim.faults import Faults, Place, ScenarioFault, UnknownName, suggest
from zonesim.policy import Entry, Request, ResolvedTree, apply, dotted, flows_in_use, parse_setting, register, targets
from zonesim.scenario import Edit, load_catalogue
from zonesim.units import parse_share

DEMAND: Final = (0.6, 0.8, 1.0, 1.2, 1.4, 1.6)

LONGER: Final = "long_day"
"""The calendar of a longer day, which is offered where office hours are kept."""

_ROLES: Final = ("lane", "officer", "yard", "dock")
_STEPS: Final = (1.0, 1.5, 2.0)
_FEW: Final = 8
"""Units up to which a lever goes one by one."""

_OPTION: Final = "--lever"


def levers_of(world: ResolvedTree, measures: Sequence[str], asked: Sequence[str] = ()) -> list[Lever]:
    """
    Return what can be moved: demand, units and hours of resources, shares of measures, doubts that are named, and the
    numbers of `asked` (`PATH` or `PATH=LOW..HIGH`). Raises Faults for what is wrong with these.
    """
    found = [
        Lever(
            "demand",
            tuple((f"traffic.*.rate*={level:g}",) if level != 1 else () for level in DEMAND),
            tuple(_both(f"×{level:g}") for level in DEMAND),
            {"word": "demand"},
            everywhere=True,
        ),
        *_of_zones(world),
        *_of_measures(world, measures),
        *_of_doubts(world),
    ]
    known = {lever.key for lever in found}
    return [*found, *(lever for lever in _asked_for(world, measures, asked) if lever.key not in known)]


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
                    tuple((f"{path}.units*={each:g}",) if each != 1 else () for each in _STEPS),
                    tuple(_both(f"×{each:g}") for each in _STEPS),
                    label,
                )
            if resource.get("open", "always") != "always":
                yield _hours(world, f"{zone}.{name}", resource, label | {"word": "hours"})


def _hours(world: ResolvedTree, key: str, resource: Mapping[str, Any], label: Mapping[str, str]) -> Lever:
    """Return the lever of the hours of a resource: as written, a longer day where it keeps office hours, all day."""
    longer = [LONGER] if resource["open"] == "office" and LONGER in world.tree["calendars"] else []
    levels = [*longer, "always"]
    return Lever(
        f"{key}.open",
        ((), *((f"zones.{key}.open={each}",) for each in levels)),
        ({"word": "as_written"}, *({"word": "long_day" if each == LONGER else each} for each in levels)),
        label,
    )


def _label(resource: Mapping[str, Any], name: str) -> dict[str, str]:
    label = resource.get("label") or {}
    return {"en": str(label.get("en", name)), "zh": str(label.get("zh", label.get("en", name)))}


def _numbers(units: int) -> list[int]:
    if units <= _FEW:
        return list(range(max(units - 1, 1), units + 4))
    return sorted({max(round(units * each), 1) for each in (0.75, 1.0, 1.25, 1.5, 2.0)})


def _of_measures(world: ResolvedTree, measures: Sequence[str]) -> Iterator[Lever]:
    """Yield levers of the shares of measures, low and high as the library has them, or as they are doubted."""
    catalogue = load_catalogue()
    for name in measures:
        measure = catalogue.measures[name]
        for key, param in measure.params.items():
            now = str(world.tree["measures"][name].get(key, param.default))
            ends = [str(each) for each in (param.low, now, param.high)]
            if not all(each not in {None, "None"} and _is_share(each) for each in ends) or ends[0] == ends[2]:
                continue
            levels = list(dict.fromkeys(ends))
            yield Lever(
                f"{name}.{key}",
                tuple((f"measures.{name}.{key}={each}",) if each != now else () for each in levels),
                tuple(map(_both, levels)),
                {"word": "share_of", "measure": measure.number, **param_label(key)},
                needs=name,
                assumed=True,
            )


def _is_share(text: str) -> bool:
    try:
        parse_share(text)
    except ScenarioFault:
        return False
    return True


def _of_doubts(world: ResolvedTree) -> Iterator[Lever]:
    """Yield levers of the doubts that regime and scenario name, at their low and high ends."""
    ends: dict[str, dict[str, Any]] = {}
    for each in ends_of_doubts(world):
        ends.setdefault(each.doubt, {})[each.end] = each
    for path, own in ends.items():
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


# --- numbers that are asked for


def _asked_for(world: ResolvedTree, measures: Sequence[str], asked: Sequence[str]) -> Iterator[Lever]:
    """Yield the levers of numbers of the register; raises Faults with all that is wrong with any."""
    if not asked:
        return
    entries = {entry.dotted: entry for entry in register(world, flows_in_use(world))}
    doubts = {dotted(path): ends for path, ends in doubts_of(world, measures).items()}
    faults: list[ScenarioFault] = []
    found: list[Lever] = []
    for text in asked:
        try:
            found.append(_number(world, measures, text, entries, doubts))
        except ScenarioFault as fault:
            faults += fault.faults if isinstance(fault, Faults) else [fault]
    if faults:
        raise Faults(faults)
    yield from found


def _number(
    world: ResolvedTree,
    measures: Sequence[str],
    text: str,
    entries: Mapping[str, Entry],
    doubts: Mapping[str, tuple[Any, Any, Any]],
) -> Lever:
    path, given, span = (part.strip() for part in text.partition("="))
    place = Place(f"{_OPTION} {text}")
    needs = path.split(".")[1] if path.startswith("measures.") else ""
    if needs in load_catalogue().measures and needs not in measures:
        raise ScenarioFault(f"measure '{needs}' is not on the page", place, "Name it in --measures too.")
    own = {name: entry for name, entry in entries.items() if name == path or name.startswith(f"{path}.")}
    if not own:
        targets(world, Request(Edit(remove=path), _OPTION, place))  # says which part of the path is wrong
        raise UnknownName(
            f"no number at '{path}'", place, suggest(path, entries, "numbers of `zonesim show --sources`")
        )
    if given:
        low, between, high = (part.strip() for part in span.partition(".."))
        if not (between and low and high):
            raise ScenarioFault(f"'{span}' is no low and high end", place, f"Write them as {path}=LOW..HIGH.")
    elif path in doubts:
        low, _, high = (str(each) for each in doubts[path])
    else:
        near = [name for name in doubts if name.startswith(f"{path}.")]
        remedy = f"Give them: {_OPTION} {path}=LOW..HIGH" + (f", or name {near[0]}." if near else ".")
        raise ScenarioFault(f"nobody has said between which ends '{path}' lies", place, remedy)
    for end in (low, high):
        changed = world.copy()
        apply(changed, [parse_setting(f"{path}={end}")])
        changed.scenario()
    return Lever(
        f"number.{path}",
        ((f"{path}={low}",), (), (f"{path}={high}",)),
        (_both(low), {"word": "as_written"}, _both(high)),
        _both(path),
        everywhere=not needs,
        needs=needs,
        asked=True,
        assumed=any(entry.kind == "assumed" for entry in own.values()),
    )
