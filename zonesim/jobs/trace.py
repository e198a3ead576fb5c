"""The job of `zonesim trace`: the story of one token."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from zonesim.briefing.text.story import Story
from zonesim.briefing.text.words import language_named
from zonesim.jobs.job import Job
from zonesim.plan import compile_plan
from zonesim.policy import arm_named, open_world, resolve
from zonesim.tracing.story import tell
from zonesim.tracing.trail import follow


def trace_job(
    file: Path, settings: Sequence[str], arm: str, token: str, seed: int, replication: int, language: str
) -> Job:
    """
    Return the story of one token of a scenario.

    Raises ScenarioFault for what the file, the arm, the token or the language is not, RunFault when the run cannot go
    on.
    """
    speaking = language_named(language)
    world = open_world(file, settings)
    resolved = resolve(world, arm_named(world, arm))
    plan = compile_plan(resolved)
    trail = follow(plan, token, seed, replication)
    story = Story(resolved, plan, trail, tell(plan, trail), seed, replication)
    return Job(story.document(), story.text(speaking))
