"""The job of `zonesim verify`: cases with known results, and what came out of them here."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from zonesim.briefing.tables.situations import situations_document, situations_text
from zonesim.briefing.tables.verification import verification_document, verification_page, verification_text
from zonesim.briefing.text.words import Words, language_named
from zonesim.experiment import Execution
from zonesim.jobs.job import SOME_FAILED, Job
from zonesim.verification import chosen, prepared, read_cases, tried, verify
from zonesim.writing import write_text


def situations_job(names: Sequence[str], *, how: Execution, language: str) -> Job:
    """
    Run the situations with these ids, or of these flows and measures, or all; the exit code is 1 when one fails.

    Raises UnknownName for a name that nothing has, Faults for what is wrong in the files.
    """
    say = Words(language_named(language))
    found = list(tried(names, engine=how.engine))
    failed = any(not each.holds for each in found)
    return Job(situations_document(found), situations_text(found, say), [], SOME_FAILED if failed else 0)


def verify_job(ids: Sequence[str], *, quick: bool, how: Execution, seed: int, language: str, page: Path | None) -> Job:
    """
    Run the outside cases with these ids, or all of them, on an engine and say what came out.

    The job's exit code is 1 when a value is not as expected. `page`: where the table is also written, as Markdown.
    Raises UnknownName for an id or language that there is none of, Faults for what is wrong in the cases.
    """
    say = Words(language_named(language))
    files = chosen(read_cases(), ids)
    cases = [case for file in files for case in prepared(file, quick=quick)]
    place = {case.key: number for number, case in enumerate(cases)}
    with how.watch.progress("verify") as progress:
        found = sorted(
            verify(cases, how=how, seed=seed, progress=progress),
            key=lambda finding: place[finding.case.key],
        )
    failed = [finding for finding in found if not finding.passed]
    notes = []
    if page is not None:
        write_text(
            page, verification_page(files, found, engine=how.engine, seed=seed, quick=quick), "Choose another file."
        )
        notes.append(str(page))
    document = verification_document(found, how.engine, seed, quick=quick)
    return Job(document, verification_text(found, say), notes, SOME_FAILED if failed else 0)
