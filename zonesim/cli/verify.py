"""The command `verify`: cases with known results."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from zonesim.cli.app import Engine, Json, Lang, Seed, Workers, app, execution_of, finish


@app.command()
def verify(
    quick: Annotated[
        bool, typer.Option("--quick", help="Traces in full, the other cases 25 times shorter: about a minute.")
    ] = False,
    cases: Annotated[
        list[str] | None, typer.Option("--case", metavar="ID", help="Only this case, e.g. S08 (repeatable).")
    ] = None,
    situations: Annotated[
        bool,
        typer.Option(
            "--situations",
            help="Rules of procedure that flows have to follow, in place of the cases.",
        ),
    ] = False,
    only: Annotated[
        list[str] | None,
        typer.Option("--situation", metavar="NAME", help="Only this one, or those of a flow or measure (repeatable)."),
    ] = None,
    engine: Engine = "auto",
    seed: Seed = 1,
    workers: Workers = 0,
    language: Lang = "en",
    as_json: Json = False,
    page: Annotated[
        Path | None, typer.Option("--write", metavar="PAGE", help="Also write the table here, as Markdown.")
    ] = None,
) -> None:
    """Run cases that others have worked out or published, and say whether zonesim agrees."""
    from zonesim.jobs.verify import situations_job, verify_job  # noqa: PLC0415  slow imports

    if situations or only:
        finish(situations_job(only or [], how=execution_of(workers, engine), language=language), as_json)
        return
    job = verify_job(
        cases or [],
        quick=quick,
        how=execution_of(workers, engine),
        seed=seed,
        language=language,
        page=page,
    )
    finish(job, as_json)
