"""The job of `zonesim replay`: a day of two arms side by side, as a page."""

from __future__ import annotations

import datetime
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from zonesim.briefing.replay.document import Replay, document_of
from zonesim.briefing.replay.page import write_page
from zonesim.briefing.replay.stage import Played, stage_of, zones_asked
from zonesim.briefing.text.words import Words, language_named
from zonesim.engine import AUTO, simulate
from zonesim.experiment import (
    AS_WRITTEN,
    USUAL_SEED,
    Design,
    Option,
    complete,
    draft_experiment,
    is_experiment,
    number_of,
    plain_design,
    slug,
    told_settings,
)
from zonesim.faults import Place, ScenarioFault, UnknownName, suggest
from zonesim.jobs.job import Job, first_ones, settings_words, warnings_of
from zonesim.plan import Plan, RowLog, departures, grown_queues, loads
from zonesim.policy import arm_named, arms_for, baseline, open_world
from zonesim.scenario import read_file
from zonesim.tracing.day import busiest_day, day_numbered
from zonesim.writing import make_folder

ARMS: Final = 2
BYTES_A_MB: Final = 1e6


@dataclass(frozen=True)
class Asked:
    """
    What is to be played: of which file and arms, which day (None: the busiest weekday), and which zones.

    `seed` None: the usual one, or that of the experiment.
    """

    file: Path
    settings: Sequence[str]
    arms: Sequence[str]
    day: int | None
    zones: Sequence[str]
    seed: int | None
    replication: int
    at: str = ""
    """Of an experiment, which future; empty: the first."""


def replay_job(asked: Asked, language: str, path: Path | None, out: Path) -> Job:
    """
    Run two arms once under the same luck and write the page that plays a day of them.

    Without arms: the baseline and all measures together, of an experiment its only other arm; with one: the baseline
    and that one. `path`: the file, None: one in the folder `out`. Raises ScenarioFault for what is asked wrongly,
    RunFault when a run cannot go on.
    """
    speaking = language_named(language)
    if path is not None and path.suffix.lower() not in {".html", ".htm"}:
        raise ScenarioFault(f"'{path.name}' is no page", Place("-o"), "Write a name that ends with .html.")
    design = _design(asked)
    future = design.futures[0].name
    options = list(design.options.values())
    plans = [design.cells[each.name, future].plan for each in options]
    first, second = (_played(design, each, plan, asked.replication) for each, plan in zip(options, plans, strict=True))
    start = datetime.date.fromisoformat(first.arm.scenario.clock.start)
    day = busiest_day(first.plan, start, first.visits) if asked.day is None else day_numbered(first.plan, asked.day)
    zones = zones_asked((first, second), asked.zones)
    stage = stage_of((first, second), zones, day)
    if not stage.counters:
        raise ScenarioFault(
            "nobody comes to a counter of these zones on this day", Place("--zone"), "Choose another zone or day."
        )
    name = first.arm.scenario.name
    identities = [plan.identity for plan in plans]
    luck = [design.seed, asked.replication]
    run = number_of(["zonesim replay", name, list(design.options), identities, luck, day.number, list(zones)])
    words = [part for arm in design.options for part in ("--arm", arm)]
    command = shlex.join(["zonesim", "replay", str(asked.file), *words, "--day", str(day.number), *_asked_words(asked)])
    given = [*told_settings(design), *([] if future == AS_WRITTEN else [future])]
    replay = Replay((first, second), day, stage, design.seed, asked.replication, run, command, tuple(given))
    document = document_of(replay)
    if path is None:
        make_folder(out)
        path = out / f"{slug(name)}--replay-{run}.html"
    size = write_page(path, document, language)
    return _told(Words(speaking), document, path, size, warnings_of(design))


def _played(design: Design, option: Option, plan: Plan, replication: int) -> Played:
    """Return an arm as it is run once."""
    log = RowLog()
    totals = simulate(plan, design.seed, replication, log, AUTO)
    grows = grown_queues([*loads(plan, design.offset), *departures(plan, design.offset)])
    return Played(option, design.resolved[option.name], plan, log.visits, log.marks, totals.classes, grows)


def _design(asked: Asked) -> Design:
    """Return the two arms, compiled, in one future."""
    if len(asked.arms) > ARMS:
        raise ScenarioFault("more than two arms", Place("--arm"), "Give --arm once or twice.")
    if is_experiment(read_file(asked.file)):
        return _of_experiment(asked)
    if asked.at:
        raise ScenarioFault("a scenario has one future", Place("--at"), "Name another with --future, or an experiment.")
    world = open_world(asked.file, asked.settings)
    chosen = [arm_named(world, name) for name in asked.arms] or [arms_for(world)[-1]]
    if len(chosen) < ARMS:
        chosen = [baseline(world), *chosen]
    _differ([each.name for each in chosen])
    seed = USUAL_SEED if asked.seed is None else asked.seed
    return plain_design(asked.file, world, chosen, asked.settings, seed=seed, replications=1, parts=False, doubts=False)


def _of_experiment(asked: Asked) -> Design:
    """Return two arms of an experiment in one of its futures, the first where none is named."""
    design, _ = draft_experiment(asked.file, asked.settings, seed=asked.seed, replications=1)
    others = [name for name in design.options if name != design.baseline]
    names = list(asked.arms)
    for name in names:
        if name not in design.options:
            raise UnknownName(f"no arm '{name}'", Place("--arm"), suggest(name, list(design.options), "arms"))
    if not names and len(others) > 1:
        remedy = f"Name one or two: {', '.join(design.options)}."
        raise ScenarioFault(f"the experiment has {len(others) + 1} arms", Place("--arm"), remedy)
    names = names or others
    names = [design.baseline, *names] if len(names) < ARMS else names
    _differ(names)
    futures = {each.name: each for each in design.futures}
    if asked.at and asked.at not in futures:
        raise UnknownName(f"no future '{asked.at}'", Place("--at"), suggest(asked.at, list(futures), "futures"))
    design.options = {name: design.options[name] for name in names}
    design.baseline, design.layout, design.precision = names[0], None, None
    design.futures = (futures[asked.at] if asked.at else design.futures[0],)
    return complete(design, [])


def _differ(names: Sequence[str]) -> None:
    if len(set(names)) < ARMS:
        raise ScenarioFault(f"arm '{names[0]}' beside itself", Place("--arm"), "Name two different arms.")


def _asked_words(asked: Asked) -> list[str]:
    """Return what was asked beyond arms and day, as words of a command."""
    words = [part for zone in asked.zones for part in ("--zone", zone)]
    words += ["--replication", str(asked.replication)] if asked.replication else []
    words += ["--seed", str(asked.seed)] if asked.seed is not None else []
    words += ["--at", asked.at] if asked.at else []
    return [*words, *settings_words(asked.settings)]


def _told(say: Words, document: dict[str, object], path: Path, size: int, warnings: list[str]) -> Job:
    """Return what is said when the page is written."""
    day = document["day"]
    assert isinstance(day, dict)  # noqa: S101  as written above
    text = say(
        "replay.written",
        path=path,
        size=f"{size / BYTES_A_MB:.1f}",
        date=day["date"],
        weekday=say(f"day.{day['weekday']}"),
        number=day["number"],
        of=day["of"],
        replication=document["replication"],
        seed=document["seed"],
        run=document["run"],
    )
    told = {key: document[key] for key in ("name", "run", "seed", "replication", "day", "command")}
    arms = document["arm_names"]
    assert isinstance(arms, list)  # noqa: S101
    return Job(
        {**told, "arms": [each["name"]["en"] for each in arms], "file": str(path), "bytes": size, "warnings": warnings},
        text,
        first_ones(warnings),
    )
