"""From facts to a briefing: the findings first, then section by section what they stand on."""

from __future__ import annotations

import shlex
from dataclasses import replace
from typing import Final

from zonesim.briefing.brief.facts import Facts, Telling, capital
from zonesim.briefing.brief.futures import futures
from zonesim.briefing.brief.grounds import doubts, method, register
from zonesim.briefing.brief.model import Briefing, Section, plain
from zonesim.briefing.brief.passing import dwell, throughput
from zonesim.briefing.brief.sentences import findings
from zonesim.briefing.brief.weighing import control, costs, gains
from zonesim.briefing.text.values import level_text
from zonesim.briefing.text.words import Language, Words

WRITERS_WORDS: Final = (
    "question",
    "findings",
    "contents",
    "commands",
    "source",
    "appendix",
    "more",
    "again",
    "summary",
    "low",
    "high",
)
"""Words that writers say themselves."""


def briefing_of(facts: Facts, language: Language) -> Briefing:
    """Return what there is to say of some results, in one language."""
    results = facts.results
    say = Words(language, level=level_text(results.level))
    telling = Telling(facts, say)
    told = findings(telling)
    scenario = plain(say.label(results.scenario_label, results.scenario))
    lead = telling.arm(facts.lead)
    alone = facts.lead == facts.baseline
    if results.kind == "sweep" and results.label:
        question = plain(say.label(results.label, results.name))
    else:
        question = say("brief.question.alone" if alone else "brief.question.arm", scenario=scenario, arm=lead)
    found = [
        throughput(telling),
        dwell(telling),
        futures(telling),
        control(telling),
        costs(telling),
        gains(telling),
        doubts(telling, told),
        method(telling),
        register(telling),
    ]
    commands = [f"zonesim reproduce {results.run}"]
    if results.folder.parent.name != "results":
        commands[0] += f" --out {shlex.quote(str(results.folder.parent))}"
    return Briefing(
        language=language,
        title=say("brief.title.alone" if alone else "brief.title.arm", scenario=scenario, arm=lead),
        question=question,
        findings=tuple(each.text for each in told),
        sections=tuple(_finished(each) for each in found if each is not None),
        run=results.run,
        source=say(
            "brief.source_is",
            run=results.run,
            n=len(results.common(facts.future)),
            seed=results.seed,
            synthetic=say("brief.synthetic") if results.synthetic else "",
        ),
        commands=tuple(plain(each) for each in (facts.original, commands[0]) if each),
        words={word: say(f"brief.word.{word}", n="{n}") for word in WRITERS_WORDS},
    )


def _finished(section: Section) -> Section:
    """Return a section whose title begins with a large letter, with no empty columns in its tables."""
    return replace(section, title=capital(section.title), tables=tuple(table.lean() for table in section.tables))
