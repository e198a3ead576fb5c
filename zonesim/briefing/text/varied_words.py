"""What an experiment varies, in words: its axes, its futures, and the lines that are one arm or several."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from zonesim.briefing.figures.context import FigureContext
from zonesim.briefing.figures.sweep_grid import Axis, Grid
from zonesim.briefing.text.words import Words
from zonesim.experiment import FUTURE
from zonesim.scenario import load_catalogue

_ROOTS = 4
"""Parts of the path of a resource's key: `zones.TYP.lanes_in.units`."""

_OF_STEPS = ("take", "share", "detect.sensitivity", "detect.false_alarm")
"""What there are words for of a step."""


def axis_words(context: FigureContext, axis: Axis) -> str:
    """Return what an axis is called: what its path means, and paths that vary with it."""
    return paths_words(context, (axis.path, *axis.together))


def axis_title(context: FigureContext, axis: Axis) -> str:
    """Return what stands below an axis: what it is called, and whether its values are factors."""
    words = axis_words(context, axis)
    return context.say("sweep.factor", path=words) if axis.is_factor else words


def level_words(context: FigureContext, axis: Axis, number: float) -> str:
    """Return an axis at one of its values."""
    return context.say("path.level", path=axis_words(context, axis), value=axis.tick(number))


def paths_words(context: FigureContext, paths: Sequence[str]) -> str:
    """Return several paths in words; resources with the same key are told in one go."""
    say = context.say
    groups: dict[str, list[str]] = {}
    for path in _joined(paths):
        parts = path.split(".")
        place = _place(context, parts)
        if place:
            groups.setdefault(say.term(parts[-1]), []).append(place)
        else:
            groups.setdefault(path_words(context, path), [])
    told = [
        say("path.resource", place=say.listed(places), key=key) if places else key for key, places in groups.items()
    ]
    return say("sweep.together").join(told)


def _joined(paths: Sequence[str]) -> list[str]:
    """Return paths, those of the library that differ in the flow alone as one: `library.{F1, F3}.inspect.share`."""
    flows: dict[str, list[str]] = {}
    for path in dict.fromkeys(paths):
        root, _, rest = path.partition(".")
        flow, _, value = rest.partition(".")
        if root == "library" and value:
            flows.setdefault(value, []).append(flow)
        else:
            flows.setdefault(path, [])
    return [
        value if not names else f"library.{names[0] if len(names) == 1 else '{' + ', '.join(names) + '}'}.{value}"
        for value, names in flows.items()
    ]


def path_words(context: FigureContext, path: str) -> str:
    """Return what a path of the scenario means to people; the path where there are no words for it."""
    say = context.say
    parts = path.split(".")
    if parts[0] == "traffic" and parts[2:] == ["rate"]:
        return say("path.all_traffic") if parts[1] == "*" else say("path.traffic", entry=_entry(context, parts[1]))
    if place := _place(context, parts):
        return say("path.resource", place=place, key=say.term(parts[-1]))
    measures = load_catalogue().measures
    own = parts[1:] if parts[0] == "measures" else parts
    if len(own) == 2 and own[0] in measures:  # noqa: PLR2004  a measure and its parameter
        return say("path.measure", measure=measures[own[0]].number, key=say.term(own[1]))
    if parts[0] == "adopted" and len(parts) > 2 and parts[1] in measures:  # noqa: PLR2004  a measure and its practice
        label, _ = context.practice(".".join(parts[1:3]))
        return say("path.adopted", measure=measures[parts[1]].number, practice=label or say.term(parts[2]))
    truths = context.known.scenario.truth if context.known is not None else {}
    if parts[0] == "truth" and parts[1] in truths:
        return say("path.truth", truth=say.label(truths[parts[1]].label, parts[1]))
    return _of_step(context, parts) or path


def _of_step(context: FigureContext, parts: Sequence[str]) -> str:
    """Return what a number of a step is in words, "" where the path is none of a step, or there are no words for it."""
    flows = context.known.flows() if context.known is not None and parts[0] in {"library", "flows"} else {}
    if len(parts) < _ROOTS or parts[1] not in flows:
        return ""
    say, flow = context.say, flows[parts[1]]
    called = [parts[1] if re.fullmatch(r"F[0-9]+[a-z]*", parts[1]) else say.label(flow.label, parts[1])]
    steps, at = flow.steps, 2
    while at < len(parts) and parts[at] in steps:
        step = steps[parts[at]]
        called.append(say.label(step.label, parts[at]))
        steps = step.inside or (flows[step.call].steps if step.call in flows else {})
        at += 1
    key = next((key for key in _OF_STEPS if ".".join(parts[at:]).startswith(key)), "")
    return say(f"path.step.{key}", step=" › ".join(called)) if key and len(called) > 1 else ""


def _place(context: FigureContext, parts: Sequence[str]) -> str:
    """Return the label of the resource that a path is about, "" when it is about none that is known."""
    if len(parts) != _ROOTS or parts[0] != "zones":
        return ""
    place = ".".join(parts[1:3])
    title = context.place_title(place, full=False)
    return "" if title == place else title


def _entry(context: FigureContext, entry: str) -> str:
    """Return the label of an entry of the traffic, else that of its flow, else its name."""
    traffic = context.known.scenario.traffic if context.known is not None else {}
    if entry not in traffic:
        return entry
    own = traffic[entry]
    return context.say.label(own.label, entry) if own.label else context.flow_title(str(own.flow))


def future_words(context: FigureContext, settings: Sequence[tuple[str, str, float | None]]) -> str:
    """Return what a future sets, in words; one that has a name by its label."""
    say = context.say
    return say.listed(
        context.future_title(text) if path == FUTURE else say("path.level", path=path_words(context, path), value=text)
        for path, text, _ in settings
    )


def line_names(context: FigureContext, grid: Grid) -> Mapping[str, str]:
    """
    Return what every line is called: its arm, or what its arms have in common, which is never the name of one of them.
    """
    names = {line: _line(context, grid, arms) for line, arms in grid.lines.items()}
    for line, arms in grid.lines.items():
        if list(names.values()).count(names[line]) > 1:
            names[line] = context.say.listed(map(context.arm_name, arms))
    return names


def _line(context: FigureContext, grid: Grid, arms: Sequence[str]) -> str:
    if len(arms) == 1:
        return context.arm_label(arms[0])
    info = grid.results.arms[arms[0]]
    varied = {path for axis in grid.axes for path in (axis.path, *axis.together)}
    edits = [edit for edit in info.edits if edit[0] not in varied]
    told = [measures_words(context.say, info.names), *([future_words(context, edits)] if edits else [])]
    return context.say.listed(told)


def measures_words(say: Words, names: Sequence[str]) -> str:
    """Return measures by their numbers in the plan, or that there are none."""
    if not names:
        return say("no_measures")
    measures = load_catalogue().measures
    numbers = "+".join(measures[name].number if name in measures else name for name in names)
    return say("with_measure", n=len(names), arm=numbers)
