"""The job of `zonesim fit`: everything that is written of a log."""

from __future__ import annotations

from pathlib import Path

from zonesim.briefing.folders import files_listed, set_aside
from zonesim.briefing.tables.fit_beside import beside_document, beside_text, doubts_text, write_beside
from zonesim.briefing.text.documents import to_json
from zonesim.briefing.text.fit_report import FIT_HEAD, fit_document, fit_rows, fit_text, group_label
from zonesim.briefing.text.words import Words, language_named
from zonesim.engine import is_ready
from zonesim.experiment import NOBODY, Watch
from zonesim.faults import ZonesimError
from zonesim.fitting import Request, doubts, fit_log, put_beside, write_fit
from zonesim.jobs.job import Job
from zonesim.stopping import keep
from zonesim.writing import make_folder, write_table, write_text


def fit_job(request: Request, out: Path, language: str, *, check: bool = True, watch: Watch = NOBODY) -> Job:
    """
    Fit a log and write scenarios, trace, document, tables and figures into `out`; `check`: run the scenario and put it
    beside the log; `watch`: who waits. Raises ScenarioFault.
    """
    from zonesim.briefing.figures.fit import draw_beside, draw_fit  # noqa: PLC0415  matplotlib is slow to import

    lang = language_named(language)
    say = Words(lang)
    fit = fit_log(request)
    make_folder(out)
    moved = set_aside(out, "fit.json", fit.run)
    keep(f"what was written whole is kept in {out}")
    written = write_fit(fit, out)
    document = fit_document(fit)
    found = doubts(fit)
    labels = {group.name: group_label(group, say) for group in fit.groups}
    document["warnings"] = [doubts_text([each], labels, say) for each in found]
    parts = [doubts_text(found, labels, say)] if found else []
    written += [out / "fit.json", out / "fit.csv", *draw_fit(fit, out, lang)]
    if check:
        if not is_ready():
            watch.say(say("report.compiling"))
        try:
            side = put_beside(fit, written[0])
        except ZonesimError as error:
            parts.append(say("report.not_run", why=str(error)))
        else:
            document["beside"] = beside_document(side)
            parts.append(beside_text(side, fit, written[0], say))
            write_beside(side, out / "fit_check.csv")
            written += [out / "fit_check.csv", draw_beside(side, fit, out, lang)]
    document["files"] = sorted({path.name for path in written} | files_listed(out, "fit.json"))
    write_text(out / "fit.json", to_json(document) + "\n")
    write_table(out / "fit.csv", FIT_HEAD, ([*row, fit.run] for row in fit_rows(fit)))
    return Job(document, fit_text(fit, say, written, parts), moved)
