"""The story of a token in words, English or Chinese, and as a document."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

from rich.table import Table

from zonesim.briefing.tables.printing import printed
from zonesim.briefing.text.words import LANGUAGES, Language, Words
from zonesim.compiled.streams import run_key
from zonesim.engine import Population, arrivals_of
from zonesim.plan import CHILD_BITS, LARGEST_ORDINAL, NEVER, NOWHERE, Plan, StepName, source_of
from zonesim.policy import ResolvedArm
from zonesim.scenario import Flow, Step
from zonesim.tracing.story import Moment, Shortage, total_waited
from zonesim.tracing.trail import Trail
from zonesim.units import DAY, HOUR, MINUTE, SECOND

FINDINGS: Final = ("true", "checked", "caught", "missed", "false_stop", "corrected")
"""Marks of truths, `truth.finding`."""

_ADOPTS: Final = "adopts "


@dataclass(frozen=True)
class Story:
    """A told story with all that its names come from."""

    arm: ResolvedArm
    plan: Plan
    trail: Trail
    moments: list[Moment]
    seed: int
    replication: int

    @property
    def source(self) -> int:
        """Return the number of the token's traffic entry."""
        return source_of(self.trail.number)

    @property
    def arrived(self) -> int:
        """Return when the token arrived (ms)."""
        return next(each.time for each in self.moments)

    def describe(self) -> tuple[str, dict[str, str], int, list[str]]:
        """
        Return the token's class, its attributes, its firm (-1: none) and, of the practices with a share, those it
        follows.
        """
        key = run_key(self.seed, self.replication)
        ordinal = (self.trail.number >> CHILD_BITS) & LARGEST_ORDINAL
        coming = next(islice(arrivals_of(self.plan, self.source, key), ordinal, None), None)
        if coming is None:  # started by another token, whose class, attributes and firm it has
            return "", {}, NOWHERE, []
        klass, flags, firms = Population(self.plan, key).describe(self.source, ordinal, *coming)
        names = [
            name for bit, name in enumerate(self.plan.names.flags) if flags >> bit & 1 and name.startswith(_ADOPTS)
        ]
        firm = firms[0] if firms else NOWHERE
        followed = dict.fromkeys(each for name in names for each in name.removeprefix(_ADOPTS).split(", "))
        attributes = {name: values[klass] for name, values in self.plan.names.attributes}
        return self.plan.names.classes[klass], attributes, firm, list(followed)

    # --- names

    def step_labels(self, step: int, say: Words) -> list[str]:
        """Return what a step and the steps around it are called, from the outside in."""
        return step_labels(self.arm.flows(), self.plan.names.steps[step], say)

    def who(self, moment: Moment, say: Words) -> str:
        """Return which of the token and its children a moment is about; empty for the token itself."""
        if not moment.token:
            return ""
        kind = next(
            (
                self.plan.names.steps[each.step].kind
                for each in self.moments
                if each.token == moment.token and each.step != NOWHERE
            ),
            "token",
        )
        return f"{say.term(kind)} {moment.token}"

    def mark_text(self, mark: int, say: Words) -> str:
        """Return a mark in words: a finding of a check, or its name."""
        return mark_text(self.arm, self.plan.names.marks[mark].name, say)

    def clock(self, time: int) -> datetime.datetime:
        """Return the date and time of day of a moment."""
        start = datetime.datetime.fromisoformat(self.arm.scenario.clock.start)
        return start + datetime.timedelta(milliseconds=time)

    # --- for people

    def text(self, language: Language) -> str:
        """Return the story for people."""
        say = Words(language)
        klass, attributes, firm, practices = self.describe()
        flow = self.plan.names.source_flows[self.source]
        label = say.title(self.arm.flows()[flow].label, flow)
        head = [
            f"{self.plan.names.token(self.trail.number)}: {label}",
            say("story.run", arm=self.arm.arm.name, replication=self.replication, seed=self.seed),
            say("story.class", name=say.term(klass)) if klass else "",
            *(self._attribute(name, value, say) for name, value in attributes.items()),
            say("story.firm", number=firm + 1) if firm != NOWHERE else "",
            say("story.practices", names=say.listed(practices)) if practices else "",
        ]
        end = self.trail.end
        stay = say("story.inside" if self.trail.left else "story.still_inside", time=span(end - self.arrived, say))
        waited = say("story.waited", time=span(total_waited(self.moments), say))
        table = Table(box=None, pad_edge=False)
        for column in ("time", "since", "who", "step", "waited", "took", "happened"):
            right = column in {"since", "waited", "took"}
            table.add_column(say(f"story.column.{column}"), justify="right" if right else "left", overflow="fold")
        for moment in self.moments:
            table.add_row(*self._row(moment, say))
        return "\n".join([say.joined(part for part in head if part), say.joined([stay, waited]), "", printed(table)])

    def _attribute(self, name: str, value: str, say: Words) -> str:
        """Return an attribute with its value in words."""
        label = say.label(self.arm.scenario.attributes[name].label, say.term(name))
        return say("step.attribute", name=label, value=say.term(value))

    def _row(self, moment: Moment, say: Words) -> tuple[str, ...]:
        time = self.clock(moment.time)
        when = f"{say(f'day.{time.weekday()}')} {time:%m-%d %H:%M:%S}"
        since = span(moment.time - self.arrived, say)
        if moment.kind == "marks":
            marks = say.joined(self.mark_text(mark, say) for mark in moment.marks)
            return (when, since, self.who(moment, say), "", "", "", marks)
        if moment.kind != "step":
            return (when, since, self.who(moment, say), "", "", "", say(f"story.{moment.kind}"))
        labels = self.step_labels(moment.step, say)
        step = " › ".join(labels) if not moment.depth else f"{'  ' * moment.depth}{labels[-1]}"
        waited = span(moment.waited, say) if moment.waited else ""
        took = span(moment.took, say) if moment.took != NEVER else say("story.goes_on")
        if moment.interruption and moment.started != NEVER:
            took = ""
        if moment.gave_up:
            took = say("story.gave_up")
        return (when, since, self.who(moment, say), step, waited, took, self._happened(moment, say))

    def _happened(self, moment: Moment, say: Words) -> str:
        parts = [shortage_text(self.plan, each, say) for each in moment.shortages]
        if moment.for_batch and moment.waited:
            parts.append(say("story.batch"))
        if moment.until and moment.waited:
            parts.append(say(f"story.{moment.until}"))
        if moment.paused:
            parts.append(say("story.paused", time=span(moment.paused, say)))
        return say.joined(parts)

    # --- for programs

    def document(self) -> dict[str, Any]:
        """Return the story as a document: times in ms from the start and as dates, labels in both languages."""
        klass, attributes, firm, practices = self.describe()
        return {
            "token": self.plan.names.token(self.trail.number),
            "flow": self.plan.names.source_flows[self.source],
            "scenario": self.arm.scenario.name,
            "arm": self.arm.arm.name,
            "seed": self.seed,
            "replication": self.replication,
            "class": klass,
            "attributes": attributes,
            "firm": firm if firm != NOWHERE else None,
            "practices": practices,
            "arrived_ms": self.arrived,
            "left_ms": self.trail.end if self.trail.left else None,
            "waited_ms": total_waited(self.moments),
            "moments": [self._entry(moment) for moment in self.moments],
        }

    def _entry(self, moment: Moment) -> dict[str, Any]:
        entry: dict[str, Any] = {
            "kind": moment.kind,
            "child": moment.token,
            "time_ms": moment.time,
            "time": self.clock(moment.time).isoformat(sep=" ", timespec="milliseconds"),
        }
        if moment.kind == "marks":
            names = self.plan.names.marks
            entry["marks"] = [names[mark].name for mark in moment.marks]
        if moment.kind == "step":
            name = self.plan.names.steps[moment.step]
            entry |= {
                "step": ".".join(name.path),
                "label": {each: self.step_labels(moment.step, Words(each))[-1] for each in LANGUAGES},
                "waited_ms": moment.waited,
                "took_ms": moment.took if moment.took != NEVER else None,
                "gave_up": moment.gave_up,
                "interruption": moment.interruption,
                "paused_ms": moment.paused,
                "for_batch": moment.for_batch,
                "until": moment.until or None,
                "waited_for": [
                    {
                        "resource": str(self.plan.names.resources[each.resource]),
                        "units": each.units,
                        "of": each.capacity,
                        "short_ms": each.short,
                        "closed_ms": each.closed,
                        "behind_ms": each.behind,
                        "unfit_ms": each.unfit,
                        "broken_ms": each.broken,
                        "ahead": [
                            {
                                "token": one.token,
                                "step": ".".join(self.plan.names.steps[one.step].path),
                                "how": one.how,
                                "took_ms": one.took if one.took != NEVER else None,
                            }
                            for one in each.ahead
                        ],
                        "more_ahead": each.more,
                    }
                    for each in moment.shortages
                ],
            }
        return entry


def shortage_text(plan: Plan, each: Shortage, say: Words) -> str:
    """Return what a wait was for in words: what was short, how long, and who was ahead."""
    name = plan.names.resources[each.resource]
    what = say.title(name.label, str(name))
    parts = []
    if each.short:
        key = "stock" if each.resource in plan.stocks else "short" if each.units == 1 else "few"
        own = [account for account in plan.names.accounts if str(account) == str(name)]
        units = f"{each.units} {own[0].unit}" if own and own[0].unit else each.units
        parts.append(say(f"story.{key}", what=what, n=each.capacity, units=units, time=span(each.short, say)))
    if each.closed:
        parts.append(say("story.closed", what=what, time=span(each.closed, say)))
    others = {"behind": each.behind, "unfit": each.unfit, "broken": each.broken}
    parts += [say(f"story.{why}", what=what, time=span(time, say)) for why, time in others.items() if time]
    if not parts:
        parts.append(say("story.line", what=what))
    ahead = [
        say(
            f"story.{one.how}",
            token=one.token,
            time=span(one.took, say) if one.took != NEVER else say("story.goes_on"),
        )
        for one in each.ahead
    ]
    if each.more:
        ahead.append(say("story.more", n=each.more))
    if ahead:
        parts.append(say("story.ahead", names=say.listed(ahead)))
    return say.joined(parts)


def way_to(flows: Mapping[str, Flow], name: StepName) -> list[tuple[str, Step | None]]:
    """Return the names on the way to a step, from the outside in, each with the step of the flow where there is one."""
    steps = flows[name.flow].steps if name.flow in flows else {}
    found: list[tuple[str, Step | None]] = []
    for part in name.path[: -1 if name.is_interruption else None]:
        step = steps.get(part)
        found.append((part, step))
        steps = {} if step is None else step.inside
        if step is not None and step.call is not None and step.call in flows:
            steps = flows[step.call].steps
    return found


def step_labels(flows: Mapping[str, Flow], name: StepName, say: Words) -> list[str]:
    """Return what a step and the steps around it are called, from the outside in."""
    labels = [
        say.label(step.label, part) if step is not None else part.replace("_", " ")
        for part, step in way_to(flows, name)
    ]
    if name.is_interruption:
        labels.append(say("story.interrupted"))
    elif name.label:
        labels[-1] = say.label(name.label, name.path[-1])
    return labels


def mark_text(arm: ResolvedArm, name: str, say: Words) -> str:
    """Return a mark in words: a finding of a check, or its name."""
    truth, _, finding = name.rpartition(".")
    if truth and finding in FINDINGS:
        found = arm.scenario.truth.get(truth)
        return say(f"story.{finding}", truth=say.label(found.label if found is not None else {}, truth))
    return say.term(name)


def span(ms: int, say: Words) -> str:
    """Return a duration of a story, to the second (or below a second in ms): `2 d 3 h`, `14 min 5 s`."""
    if ms < SECOND:
        return say("story.ms", n=ms) if ms else say("story.s", n=0)
    seconds = round(ms / SECOND) * SECOND
    sizes = (("d", DAY), ("h", HOUR), ("min", MINUTE), ("s", SECOND))
    first = next(number for number, (_, size) in enumerate(sizes) if seconds >= size)
    parts = []
    for unit, size in sizes[first : first + 2]:
        count, seconds = divmod(seconds, size)
        parts += [say(f"story.{unit}", n=count)] if count else []
    return (" " if say.language == "en" else "").join(parts)
