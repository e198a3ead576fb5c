"""What figures say, in English or Chinese: one glossary, so that no word is written in the code that draws."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import Any, Final, Literal, cast

import yaml

from zonesim.faults import Place, UnknownName, suggest
from zonesim.scenario import load_catalogue

Language = Literal["en", "zh"]

LANGUAGES: Final[tuple[Language, ...]] = ("en", "zh")

WRITTEN_UNITS: Final = ("km/h", "week", "min", "km", "ms", "s", "h", "d")
"""Units as scenarios write them, the longer ones first."""

FULL_STOPS: Final = {"en": "; ", "zh": "；"}
COMMAS: Final = {"en": ", ", "zh": "、"}


def language_named(text: str) -> Language:
    """Return the language with this name; raises UnknownName, which names the option."""
    for language in LANGUAGES:
        if language == text:
            return language
    raise UnknownName(f"no language '{text}'", Place("--lang"), suggest(text, LANGUAGES, "languages"))


@cache
def glossary() -> Mapping[str, Mapping[str, Mapping[str, str | list[str]]]]:
    """Return the glossary: sections of entries, each with its words in every language."""
    text = resources.files("zonesim.briefing").joinpath("glossary.yaml").read_text(encoding="utf-8")
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # in C where that is there
    found = yaml.load(text, Loader=loader)  # noqa: S506  safe, in C or not
    return cast("Mapping[str, Mapping[str, Mapping[str, str | list[str]]]]", found)


@dataclass(frozen=True)
class Words:
    """
    The glossary in one language.

    `Words("zh")("axis.hours")` is a phrase of the section `phrases`, with what stands in braces filled in. A phrase
    written as a list has a form for one and a form for many; the value `n` chooses. `names`: what a scenario calls
    its own resources. `level`: the confidence level of the intervals, in per cent, for phrases that tell it.
    """

    language: Language = "en"
    names: Mapping[str, str] = field(default_factory=dict, hash=False)
    level: str = "95"

    def __call__(self, phrase: str, **values: Any) -> str:  # noqa: ANN401  whatever is filled in
        """Return a phrase; raises KeyError when the glossary lacks it."""
        words = glossary()["phrases"][phrase][self.language]
        if isinstance(words, list):
            words = words[0 if values["n"] == 1 else 1]
        return words.format(**{"level": self.level, **values})

    def term(self, name: str) -> str:
        """Return what an id of the library is called (a mark, a resource, a status); others as written."""
        if name in self.names:
            return self.names[name]
        entry = glossary()["terms"].get(name) or load_catalogue().statuses.get(name, {}).get("label")
        return str(entry[self.language]) if entry is not None else name.replace("_", " ")

    def quantities(self, text: str) -> str:
        """Return a text of the scenario with the units behind its numbers in this language: `5/10/20 s`, `30 min`."""
        if self.language == "en":
            return text
        return re.sub(
            rf"(?<=\d) ?({'|'.join(map(re.escape, WRITTEN_UNITS))})(?![A-Za-z/])",
            lambda found: f" {glossary()['written'][found[1]][self.language]}",
            text,
        )

    def unit(self, unit: str) -> str:
        """Return a unit of a KPI as it stands on an axis; that of an account is as the scenario calls it."""
        known = glossary()["units"]
        of, slash, day = unit.rpartition("/")
        if unit not in known and slash:
            return f"{self.unit(of)}{self.unit(slash + day)}"
        return str(known[unit][self.language]) if unit in known else unit

    def label(self, labels: Mapping[Any, str], name: str) -> str:
        """Return the label in this language, or in English, or the name."""
        return labels.get(self.language) or labels.get("en") or name.replace("_", " ")

    def title(self, labels: Mapping[Any, str], name: str) -> str:
        """Return label and name; the name alone when the label says it, or there is none."""
        label = labels.get(self.language) or labels.get("en") or ""
        if not label:
            return name
        said = re.search(rf"(?<!\w){re.escape(name)}(?!\w)", label, re.IGNORECASE)
        return label if said else self("named", label=label, name=name)

    def listed(self, parts: Iterable[str]) -> str:
        """Return names one after the other."""
        return COMMAS[self.language].join(parts)

    def joined(self, parts: Iterable[str]) -> str:
        """Return sayings one after the other."""
        return FULL_STOPS[self.language].join(parts)


ENGLISH: Final = Words("en")
CHINESE: Final = Words("zh")
