"""The job of `zonesim evaluate`: what an evaluation of zones asks for, zone by zone, without a run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from zonesim.analysis import evaluated
from zonesim.briefing.tables.evaluation import evaluation_csv, evaluation_document, evaluation_text
from zonesim.briefing.text.words import Words, language_named
from zonesim.jobs.job import Job
from zonesim.plan import compile_plan
from zonesim.policy import arm_named, open_world, resolve
from zonesim.scenario import load_catalogue


def evaluate_job(file: Path, settings: Sequence[str], arm: str, *, csv: bool, language: str = "en") -> Job:
    """
    Tell what the evaluation of the library asks of every modelled zone in an arm (empty: the baseline), with the mark
    of its weakest source; there is no score. Raises Faults, UnknownName for an arm or a language that there is not.
    """
    say = Words(language_named(language))
    world = open_world(file, settings)
    resolved = resolve(world, arm_named(world, arm))
    asked = load_catalogue().evaluation
    assert asked is not None  # noqa: S101  the library has one
    found = evaluated(resolved, compile_plan(resolved), asked.indicators)
    document = evaluation_document(resolved, asked, found)
    text = evaluation_csv(asked, document) if csv else evaluation_text(say, resolved, asked, document)
    return Job(document, text, [])
