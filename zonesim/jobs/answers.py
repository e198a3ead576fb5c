"""Beside what a search found, the briefing on it in both languages is kept, for `zonesim brief`."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from zonesim.briefing.brief.kept import keep_briefings
from zonesim.briefing.brief.model import Briefing
from zonesim.briefing.text.values import level_text
from zonesim.briefing.text.words import LANGUAGES, Words
from zonesim.experiment import Design
from zonesim.jobs.doubted import numbers_of
from zonesim.kpi import RunResult

if TYPE_CHECKING:
    from zonesim.briefing.brief.answers import Frame


def keep_answer(
    folder: Path,
    design: Design,
    runs: Mapping[str, Sequence[RunResult]],
    replications: int,
    words: Sequence[str],
    told: Callable[[Frame], Briefing],
) -> Path:
    """
    Keep what `told` says of an answer in both languages in the folder of its results; return the path.

    `runs`: by arm, as `drawn` has them; `words`: the command that asks the same. Raises as `keep_briefings`.
    """
    from zonesim.briefing.brief.answers import Frame  # noqa: PLC0415  matplotlib is slow to import
    from zonesim.jobs.drawing import context_of  # noqa: PLC0415

    most = max(reversed(list(design.options)), key=lambda name: len(design.options[name].arm.measures))
    numbers = numbers_of(design.resolved[most])
    command = shlex.join(["zonesim", *words])
    made = {}
    for language in LANGUAGES:
        context = context_of(design, runs, Words(language, level=level_text(design.level)))
        made[language] = told(Frame(context, replications, numbers, command))
    return keep_briefings(folder, made)
