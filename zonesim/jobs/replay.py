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
from zonesim.experiment import number_of, slug
from zonesim.faults import Place, ScenarioFault
from zonesim.jobs.job import Job
from zonesim.plan import Plan, RowLog, compile_plan
from zonesim.policy import Arm, ResolvedArm, ResolvedTree, arm_named, arms_for, baseline, open_world, resolve
from zonesim.tracing.day import busiest_day, day_numbered
from zonesim.writing import make_folder

ARMS: Final = 2
BYTES_A_MB: Final = 1e6


@dataclass(frozen=True)
class Asked:
    """What is to be played: of which file and arms, which day (None: the busiest weekday), and which zones."""

    file: Path
    settings: Sequence[str]
    arms: Sequence[str]
    day: int | None
    zones: Sequence[str]
    seed: int
    replication: int


def replay_job(asked: Asked, language: str, path: Path | None, out: Path) -> Job:
    """
    Run two arms once under the same luck and write the page that plays a day of them.

    Without arms: the baseline and all measures together; with one: the baseline and that one. `path`: the file, None:
    one in the folder `out`. Raises ScenarioFault for what is asked wrongly, RunFault when a run cannot go on.
    """
    speaking = language_named(language)
    if path is not None and path.suffix.lower() not in {".html", ".htm"}:
        raise ScenarioFault(f"'{path.name}' is no page", Place("-o"), "Write a name that ends with .html.")
    world = open_world(asked.file, asked.settings)
    arms = _arms(world, asked.arms)
    resolved = [resolve(world, arm) for arm in arms]
    plans = [compile_plan(each) for each in resolved]
    first, second = (_played(*pair, asked.seed, asked.replication) for pair in zip(resolved, plans, strict=True))
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
    luck = [asked.seed, asked.replication]
    run = number_of(["zonesim replay", name, [arm.name for arm in arms], identities, luck, day.number, list(zones)])
    words = [part for arm in arms for part in ("--arm", arm.name)]
    command = shlex.join(["zonesim", "replay", str(asked.file), *words, "--day", str(day.number), *_asked_words(asked)])
    replay = Replay((first, second), day, stage, asked.seed, asked.replication, run, command)
    document = document_of(replay)
    if path is None:
        make_folder(out)
        path = out / f"{slug(name)}--replay-{run}.html"
    size = write_page(path, document, language)
    return _told(Words(speaking), document, path, size)


def _played(arm: ResolvedArm, plan: Plan, seed: int, replication: int) -> Played:
    log = RowLog()
    totals = simulate(plan, seed, replication, log, AUTO)
    return Played(arm, plan, log.visits, log.marks, totals.classes)


def _arms(world: ResolvedTree, names: Sequence[str]) -> list[Arm]:
    if len(names) > ARMS:
        raise ScenarioFault("more than two arms", Place("--arm"), "Give --arm once or twice.")
    chosen = [arm_named(world, name) for name in names] or [arms_for(world)[-1]]
    if len(chosen) < ARMS:
        chosen = [baseline(world), *chosen]
    if chosen[0].name == chosen[1].name:
        raise ScenarioFault(f"arm '{chosen[0].name}' beside itself", Place("--arm"), "Name two different arms.")
    return chosen


def _asked_words(asked: Asked) -> list[str]:
    """Return what was asked beyond arms and day, as words of a command."""
    words = [part for zone in asked.zones for part in ("--zone", zone)]
    words += ["--replication", str(asked.replication)] if asked.replication else []
    words += ["--seed", str(asked.seed)] if asked.seed != 1 else []
    for text in asked.settings:
        future = text.removeprefix("future=")
        words += ["--future", future] if future != text else ["--set", text]
    return words


def _told(say: Words, document: dict[str, object], path: Path, size: int) -> Job:
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
    return Job({**told, "arms": [each["name"]["en"] for each in arms], "file": str(path), "bytes": size}, text)
