"""The job of `zonesim sensitivity`: which doubted numbers move a KPI, or what an arm does to it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np

from zonesim.analysis import METHODS, QUANTITIES, Influence, Method, Sensitivity, saltelli, sensitivity, trajectories
from zonesim.briefing.folders import PNG, results_folder, set_aside
from zonesim.briefing.tables.sensitivity import COLUMNS, sensitivity_document, sensitivity_rows, sensitivity_text
from zonesim.briefing.text.arm_names import called
from zonesim.briefing.text.documents import to_json
from zonesim.briefing.text.values import level_text
from zonesim.briefing.text.words import Words, language_named
from zonesim.experiment import (
    USUAL_LEVEL,
    Design,
    Execution,
    Future,
    future_at,
    plain_design,
    rough_seconds,
    rough_time,
    run_id,
    slug,
    told_settings,
)
from zonesim.faults import Place, ScenarioFault, UnknownName, suggest
from zonesim.jobs.answers import keep_answer
from zonesim.jobs.doubted import Doubted, doubted, kind_of, kinds_of, numbers_of
from zonesim.jobs.job import LONG, Job, settings_words
from zonesim.kpi import Kpi
from zonesim.plan import Floats
from zonesim.policy import dotted, resolve
from zonesim.writing import make_folder, write_table, write_text

DOCUMENT: Final = "sensitivity.json"
TABLE: Final = "sensitivity.csv"

USUAL_WALKS: Final = 10
USUAL_ROWS: Final = 64

_FEWEST: Final = 2
"""Numbers that Morris and Sobol tell apart, and replications whose luck can be told."""


@dataclass(frozen=True)
class Asked:
    """
    What is asked: of which file and arm (empty: the baseline), which KPIs, by which method; `numbers`: paths of those
    that are doubted (none: all), `count`: walks of Morris or rows of Sobol's sample (None: the usual number).
    """

    file: Path
    settings: Sequence[str]
    arm: str = ""
    kpis: Sequence[str] = ()
    method: str = "tornado"
    numbers: Sequence[str] = ()
    count: int | None = None
    replications: int = 5
    seed: int = 1
    level: float = USUAL_LEVEL


@dataclass(frozen=True)
class Found:
    """What was found: of which numbers and arms, by which `method`, and what it says of each KPI."""

    own: Doubted
    design: Design
    method: Method
    told: Sequence[Sensitivity]
    count: int
    """Walks of Morris, or rows of Sobol's sample."""

    def kinds(self) -> dict[str, str]:
        """Return by number where it comes from: `found`, `derived` or `assumed`."""
        kinds = kinds_of(numbers_of(resolve(self.own.world, self.own.arm)))
        return {factor.name: kind_of(factor.name, kinds) for factor in self.own.factors}


def sensitivity_job(asked: Asked, how: Execution, out: Path, language: str = "en", formats: Sequence[str] = PNG) -> Job:
    """
    Tell which doubted numbers decide, and write `sensitivity.csv`, `sensitivity.json` and, for `formats`, a figure of
    each KPI to a folder of this run; cells that `out` has are not run again.

    Raises what `sensitivities` raises; UnknownName for a language that there is none of.
    """
    say = Words(language_named(language), level=level_text(asked.level))
    found = sensitivities(asked, how, out)
    folder = results_folder(out, found.design)
    make_folder(folder)
    notes = [*found.design.notes(), *set_aside(folder, DOCUMENT, run_id(found.design))]
    drawn = _figures(found, folder, say, formats) if formats else []
    return _written(asked, found, folder, drawn, notes, say)


def sensitivities(asked: Asked, how: Execution, out: Path) -> Found:
    """
    Run an arm (and beside it the baseline) in futures of its doubted numbers, and return what they say of each KPI;
    cells that `out` has are not run again.

    Raises Faults; UnknownName for a method, KPI or number that there is none of; ScenarioFault where too few numbers or
    replications are left to tell anything, or rows are no power of 2; RunFault where a run fails.
    """
    method = _method(asked.method)
    own = doubted(
        asked.file,
        asked.settings,
        asked.arm,
        replications=asked.replications,
        seed=asked.seed,
        how=how,
        out=out,
        measures=True,
    )
    kpis = _kpis(own, asked.kpis)
    _choose(own, asked.numbers)
    _check(own, method, asked)
    count = asked.count or (USUAL_ROWS if method == "sobol" else USUAL_WALKS)
    design = _design(asked, own, method, kpis, count if method != "tornado" else 0)
    return Found(own, design, method, _told(own, method, kpis, count, asked, how), count)


def _method(text: str) -> Method:
    for method in METHODS:
        if method == text:
            return method
    raise UnknownName(f"no method '{text}'", Place("--method"), suggest(text, METHODS, "methods"))


def _kpis(own: Doubted, asked: Sequence[str]) -> list[Kpi]:
    """Return the KPIs that are asked for, or those that are promised, or the headlines that runs measure."""
    known = own.kpis
    for name in asked:
        own.check_kpi(name, "--of")
        if known[name].bound:
            fault = f"'{name}' is a bound, which no run measures"
            raise ScenarioFault(fault, Place("--of"), "Ask of what is measured.")
    promised = dict.fromkeys(each.kpi for each in own.world.scenario().promises.values() if each.kpi in known)
    headlines = [kpi.id for kpi in known.values() if kpi.headline and not kpi.bound]
    return [known[name] for name in dict.fromkeys(asked or promised or headlines)]


def _choose(own: Doubted, paths: Sequence[str]) -> None:
    """Keep the doubted numbers at some paths or below; raises UnknownName for a path at which there is none."""
    above = {dotted(factor.path[:length]): None for factor in own.factors for length in range(len(factor.path), 0, -1)}
    for path in paths:
        if path not in above:
            raise UnknownName(f"no doubted number at '{path}'", Place("--numbers"), suggest(path, above, "numbers"))
    if paths:
        own.factors = [
            factor for factor in own.factors if any(f"{factor.name}.".startswith(f"{path}.") for path in paths)
        ]


def _check(own: Doubted, method: Method, asked: Asked) -> None:
    """Raise ScenarioFault where the method cannot tell anything."""
    place = Place(str(asked.file))
    if not own.factors:
        remedy = "Write {uncertain: [low, mode, high]} for what nobody is sure of."
        raise ScenarioFault("no number is doubted, and no time is assumed", place, remedy)
    if method == "tornado":
        if asked.count is not None:
            fault = "a tornado tries both ends of every number, and no points besides"
            raise ScenarioFault(fault, Place("--points"), "Ask with --method morris or sobol, or leave it out.")
        return
    if len(own.factors) < _FEWEST:
        fault = f"{method} tells numbers apart, and there is one: {own.factors[0].name}"
        raise ScenarioFault(fault, Place("--numbers"), "Ask with --method tornado.")
    if asked.count is not None and asked.count < _FEWEST:
        raise ScenarioFault(f"{asked.count} walk or row tells no spread", Place("--points"), "Ask for at least 2.")
    if method == "sobol" and asked.count is not None and asked.count & (asked.count - 1):
        fault = f"{asked.count} rows are no power of 2, which a Sobol sequence is balanced at"
        raise ScenarioFault(fault, Place("--points"), f"Write {1 << (asked.count.bit_length() - 1)}.")
    if asked.replications < _FEWEST:
        fault = "the luck of one replication cannot be told from what the numbers do"
        raise ScenarioFault(fault, Place("--replications"), "Ask for at least 2.")


def _design(asked: Asked, own: Doubted, method: Method, kpis: Sequence[Kpi], count: int) -> Design:
    """Return the arms as written, for what tells this run from others and for its figure."""
    design = plain_design(
        asked.file,
        own.world,
        list(own.trials.arms.values()),
        asked.settings,
        seed=asked.seed,
        replications=asked.replications,
        level=asked.level,
        kind="sensitivity",
    )
    words = [method, *([own.arm.name] if own.is_difference else []), *asked.kpis, *asked.numbers]
    return replace(
        design,
        asked=(*(slug(word) for word in words), *design.asked),
        question=(method, str(count), *(kpi.id for kpi in kpis), *(factor.name for factor in own.factors)),
    )


def _told(
    own: Doubted, method: Method, kpis: Sequence[Kpi], count: int, asked: Asked, how: Execution
) -> list[Sensitivity]:
    """Run the futures of a method and return what it says of each KPI."""
    if method == "tornado":
        _announce(own, 1 + 2 * len(own.factors), how)
        return own.tornado([kpi.id for kpi in kpis], asked.level)
    points = (trajectories if method == "morris" else saltelli)(len(own.factors), count, asked.seed)
    futures = [future_at(own.factors, point, number) for number, point in enumerate(points.tolist(), start=1)]
    _announce(own, 1 + len(futures), how)
    own.run([Future(), *futures], [kpi.id for kpi in kpis])
    names = [factor.name for factor in own.factors]

    def told(kpi: str) -> Sensitivity:
        values: Floats = np.array([own.values(kpi, future) for future in futures])
        middle = own.values(kpi, Future())
        return sensitivity(kpi, method, names, points, values, middle, seed=asked.seed, level=asked.level)

    return [told(kpi.id) for kpi in kpis]


def _announce(own: Doubted, futures: int, how: Execution) -> None:
    """Tell who waits how much there is to run at most."""
    runs = futures * len(own.trials.arms) * own.trials.replications
    seconds = runs * rough_seconds(own.plan) / how.workers
    if seconds > LONG:
        how.watch.say(f"{futures:,} futures, {runs:,} runs: {rough_time(seconds)} or less")


def _written(asked: Asked, found: Found, folder: Path, drawn: Sequence[Path], notes: list[str], say: Words) -> Job:
    """Write what was found into the folder of the run, and return it for people."""
    own, design, told = found.own, found.design, found.told
    run, known, own_kinds = run_id(design), own.kpis, found.kinds()
    document = {
        "run": run,
        "scenario": design.name,
        "arm": own.arm.name,
        "baseline": design.baseline if own.is_difference else None,
        "settings": list(asked.settings),
        "seed": asked.seed,
        "replications": asked.replications,
        "level": asked.level,
        "sensitivity": sensitivity_document(told, known, own_kinds, run),
        "files": [TABLE, *(path.name for path in drawn)],
    }
    table, kept = folder / TABLE, folder / DOCUMENT
    write_table(table, COLUMNS, sensitivity_rows(told, known, own_kinds, run))
    write_text(kept, to_json(document) + "\n")
    _keep(asked, found, folder)
    call = called(design, say)
    arm = (
        say("against", arm=call(own.arm.name), baseline=call(design.baseline))
        if own.is_difference
        else call(own.arm.name)
    )
    name = say.label(own.world.scenario().label, design.name)
    method = say(f"sensitivity.{told[0].method}")
    settings = "; ".join(told_settings(design))
    lines = [
        say("sensitivity.title", name=name, arm=arm, method=method, n=asked.replications, seed=asked.seed),
        say("capacity.run", run=run) + (f", --set {settings}" if settings else ""),
    ]
    for each in told:
        lines += [
            "",
            *sensitivity_text(
                say, each, known[each.kpi], own_kinds, difference=own.is_difference, count=found.count, file=TABLE
            ),
        ]
    return Job(document, "\n".join([*lines, "", *map(str, (table, kept, *drawn))]), notes)


def _keep(asked: Asked, found: Found, folder: Path) -> None:
    """Keep the briefing on what was found."""
    from zonesim.briefing.brief.answers import sensitivity_briefing  # noqa: PLC0415  matplotlib is slow to import

    own, method = found.own, found.method
    words = ["sensitivity", str(asked.file), *settings_words(asked.settings), "--method", method]
    words += ["--arm", asked.arm] if asked.arm else []
    words += ["--of", ",".join(asked.kpis)] if asked.kpis else []
    words += ["--numbers", ",".join(asked.numbers)] if asked.numbers else []
    words += ["--points", str(asked.count)] if asked.count is not None else []
    words += ["--replications", str(asked.replications), "--seed", str(asked.seed), "--level", f"{100 * asked.level:g}"]
    baseline = found.design.baseline if own.is_difference else None
    keep_answer(
        folder,
        found.design,
        own.as_written,
        asked.replications,
        words,
        lambda frame: sensitivity_briefing(frame, found.told, own.kpis, own.arm.name, baseline, found.count),
    )


def _figures(found: Found, folder: Path, say: Words, formats: Sequence[str]) -> list[Path]:
    """Draw what moves each KPI that anything moves, in the language that was asked for; return the files."""
    from zonesim.briefing.figures.context import FigureContext  # noqa: PLC0415  matplotlib is slow to import
    from zonesim.briefing.figures.influence import influence_figure  # noqa: PLC0415
    from zonesim.briefing.figures.sensitivity import tornado_figure  # noqa: PLC0415
    from zonesim.jobs.drawing import Figures, drawn  # noqa: PLC0415

    own, method = found.own, found.method
    one = tornado_figure if method == "tornado" else influence_figure

    def draw(context: FigureContext) -> Figures:
        return {
            f"{method}-{slug(each.kpi)}": one(context, each, own.kpis[each.kpi], difference=own.is_difference)
            for each in found.told
            if any(_is_known(other, method) for other in each.influences)
        }

    return drawn(found.design, own.as_written, say, folder, draw, (f"{method}-*",), formats=formats)


def _is_known(own: Influence, method: Method) -> bool:
    """Return whether there is anything to draw of a number: of a tornado also one end without the other."""
    values = [own.values[quantity].value for quantity in QUANTITIES[method]]
    return values[0] != 0 and not all(map(math.isnan, values))
