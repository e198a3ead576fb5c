"""How arms are called where people read: one place, so that tables, figures and briefings say the same."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from zonesim.briefing.text.words import CHINESE, ENGLISH, Words
from zonesim.experiment import Design
from zonesim.policy import Arm, Chosen, ResolvedTree, left_out
from zonesim.scenario import load_catalogue

AUTOMATIC: Final = re.compile(r"[mt]?[0-9]+(?:\+[mt]?[0-9]+)*|R[0-9]+")
"""
Names that commands give: of the regime, and of measures by their numbers or their own names. Others are names that
people chose.
"""

MOST_NAMED: Final = 3
"""Measures that a name tells one by one; more are counted, and told in the legend."""


MOST_LINES: Final = 20
"""So many arms are told what they are above a table."""


@dataclass(frozen=True)
class NamedArm:
    """What an arm is called by: its name, its label by language, its measures, and whether it has own changes."""

    name: str
    label: Mapping[Any, str]
    measures: tuple[Chosen, ...]
    edited: bool = False


def everything_in(world: ResolvedTree) -> frozenset[str]:
    """Return the names of the measures that act in a scenario, which together are all measures."""
    numbers = set(left_out(world))
    return frozenset(name for name, each in load_catalogue().measures.items() if each.number not in numbers)


def arms_of(design: Design) -> list[NamedArm]:
    """Return the arms of a design."""
    options = design.options.items()
    return [NamedArm(name, dict(each.label), each.arm.measures, bool(each.edits)) for name, each in options]


def heads_of(design: Design) -> ArmHeads:
    """Return how the arms of a design are called in tables with both languages."""
    return ArmHeads(_as_named(arms_of(design)), everything_in(design.world))


def called(design: Design, say: Words) -> Callable[[str], str]:
    """Return what calls an arm of a design in few words of one language."""
    return ArmNames(say, _as_named(arms_of(design)), everything_in(design.world)).short


def _as_named(arms: Iterable[NamedArm]) -> list[NamedArm]:
    """Return arms such that what people have named without a label keeps its name."""
    return [replace(each, edited=each.edited or AUTOMATIC.fullmatch(each.name) is None) for each in arms]


def arm_title(say: Words, arm: Arm, world: ResolvedTree) -> str:
    """Return what an arm of a scenario is called, where it stands alone."""
    return ArmNames(say, [NamedArm(arm.name, {}, arm.measures)], everything_in(world)).title(arm.name)


def arm_lines(arms: Sequence[NamedArm], world: ResolvedTree) -> list[str]:
    """
    Return a line for each arm that says in both languages what the name is called that commands give it, where it does
    not say it itself; of many arms the first ones.
    """
    english, chinese = (ArmNames(say, arms, everything_in(world)) for say in (ENGLISH, CHINESE))
    told = {each.name: (english.title(each.name), chinese.title(each.name)) for each in arms}
    lines = [f"{name}: {_both(*both)}" for name, both in told.items() if name not in both]
    more = len(lines) - MOST_LINES
    return lines if more <= 0 else [*lines[:MOST_LINES], ENGLISH("arm.more", n=more)]


def _both(english: str, chinese: str) -> str:
    """Return a name in both languages, once where they are the same."""
    return english if english == chinese else f"{english} | {chinese}"


class ArmHeads:
    """How arms are called in tables with both languages: in few words, English first. Unknown arms keep their name."""

    def __init__(self, arms: Iterable[NamedArm] = (), everything: Collection[str] = ()) -> None:
        own = list(arms)
        self._english, self._chinese = (ArmNames(say, own, everything) for say in (ENGLISH, CHINESE))

    def both(self, name: str) -> tuple[str, str]:
        """Return what an arm is called in English and in Chinese."""
        return self._english.short(name), self._chinese.short(name)

    def line(self, name: str) -> str:
        """Return both in one line, once where they are the same."""
        return _both(*self.both(name))

    def head(self, name: str) -> str:
        """Return the head of a column: Chinese below English."""
        return "\n".join(dict.fromkeys(self.both(name)))

    def column(self, names: Iterable[str]) -> bool:
        """Return whether a column of names in Chinese says anything beside the one in English."""
        return any(len(set(self.both(name))) > 1 for name in names)


class ArmNames:
    """
    The names of some arms in one language.

    `everything`: the names of all measures that act in the scenario; an arm that has just these is `all measures`.
    """

    def __init__(self, say: Words, arms: Iterable[NamedArm], everything: Collection[str] = ()) -> None:
        self._say = say
        self._arms = {arm.name: arm for arm in arms}
        self._everything = frozenset(everything)
        self._titles = self._apart({name: self._title(arm) for name, arm in self._arms.items()})
        self._shorts = self._apart({name: self._short(arm) for name, arm in self._arms.items()})

    def title(self, name: str) -> str:
        """Return what an arm is called: its label, or its measures in words."""
        return self._titles.get(name, name)

    def short(self, name: str) -> str:
        """Return the same in few words, for heads of columns; `legend` tells what it means."""
        return self._shorts.get(name, name)

    def legend(self) -> list[tuple[str, list[str]]]:
        """Return for each arm its short name and the measures that it has, in words."""
        return [(self.short(name), [self._measure(each) for each in arm.measures]) for name, arm in self._arms.items()]

    def _apart(self, names: dict[str, str]) -> dict[str, str]:
        """Return names of which no two are the same."""
        counted = Counter(names.values())
        return {
            name: text if counted[text] == 1 else self._say("named", label=text, name=name)
            for name, text in names.items()
        }

    def _title(self, arm: NamedArm) -> str:
        known = self._known(arm)
        if known:
            return known
        if len(arm.measures) > MOST_NAMED:
            return self._say("arm.several", n=len(arm.measures))
        return self._say("arm.and").join(self._measure(each) for each in arm.measures)

    def _short(self, arm: NamedArm) -> str:
        known = self._known(arm)
        if known:
            return known
        if len(arm.measures) > MOST_NAMED:
            return self._say("arm.several", n=len(arm.measures))
        numbers = self._say.listed(self._number(each.measure) for each in arm.measures)
        return self._say("arm.short", n=len(arm.measures), numbers=numbers)

    def _known(self, arm: NamedArm) -> str:
        """Return the label, or the words for none and for all measures; empty where its measures name it."""
        label = arm.label.get(self._say.language) or arm.label.get("en") or arm.label.get("zh") or ""
        if label:
            return label
        if arm.edited:
            return arm.name.replace("_", " ")
        if not arm.measures:
            return self._say("arm.none")
        plain = not any(each.limits() for each in arm.measures)
        names = {each.measure for each in arm.measures}
        return self._say("arm.all") if plain and len(names) > 1 and names == self._everything else ""

    def _measure(self, chosen: Chosen) -> str:
        """Return a measure by number and label, with what sets this choice of it apart."""
        found = load_catalogue().measures.get(chosen.measure)
        if found is None:
            return chosen.measure
        label = self._say.label(found.label, found.name)
        if found.annex is not None:
            text = self._say("arm.measure", number=found.annex, label=label)
        else:
            text = self._say("arm.task", number=found.task, label=label)
        return self._say("named", label=text, name=chosen.limits()) if chosen.limits() else text

    @staticmethod
    def _number(measure: str) -> str:
        found = load_catalogue().measures.get(measure)
        return found.number if found is not None else measure
