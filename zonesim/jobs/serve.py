"""
The job of `serve`: the page that simulates, with the engine of this machine in place of the browser's.

What a page asks for is a replication of an arm, said by measures and levels of levers that the page was given; nothing
else is taken from it. Plans are compiled when they are asked for, so there is no limit to measures, levers compose as
the command composes them, and provinces run. Nothing is written.
"""

from __future__ import annotations

import asyncio
import hmac
import importlib.util
import json
import math
from collections.abc import Mapping, Sequence
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from functools import lru_cache, partial
from html import escape
from pathlib import Path
from typing import Any, Final

import numpy as np

from zonesim.briefing.text.story import step_labels
from zonesim.briefing.text.words import LANGUAGES, Words, language_named
from zonesim.briefing.whatif import page
from zonesim.compiled.streams import run_key
from zonesim.engine import simulate
from zonesim.experiment import Lever, Workers, plan_with
from zonesim.experiment import workers as processes
from zonesim.faults import Place, ScenarioFault, UnknownName, ZonesimError, suggest
from zonesim.jobs.levers import levers_of
from zonesim.jobs.page_control import Row, control_rows, control_told
from zonesim.jobs.whatif import CLOCKS, MOST_REPLICATIONS, SHORT, called, described
from zonesim.kpi import Reducer, asked_of, measure
from zonesim.plan import Plan, child_of, compile_plan, number_of, ordinal_of, place_of, source_of
from zonesim.policy import Arm, Chosen, arms_for, baseline, open_world, resolve
from zonesim.tracing.trail import SLOWEST, follow

LOOPBACK: Final = ("127.0.0.1", "localhost", "::1")
"""Hosts that nobody else reaches: they take no token."""

MOST_BYTES: Final = 20_000
"""Bytes of a request."""

MOST_LETTERS: Final = 200
"""Letters of what a token is called by."""

_SEED: Final = 1
_BINS: Final = 48
_MINUTE: Final = 60_000


@dataclass(frozen=True)
class Served:
    """A scenario that is served: its file, the settings that hold always, the measures and the levers."""

    file: Path
    given: tuple[str, ...]
    measures: tuple[str, ...]
    levers: tuple[Lever, ...]

    def settings(self, levels: Mapping[str, int]) -> tuple[str, ...]:
        """Return what levels of levers set; raises KeyError or IndexError for those that the page does not have."""
        known = {lever.key: lever for lever in self.levers}
        return tuple(text for key, level in levels.items() for text in known[key].settings[level])


def served(file: Path, settings: Sequence[str], clock: str) -> Served:
    """Return a scenario to serve; raises Faults."""
    if clock not in CLOCKS:
        raise UnknownName(f"no clock '{clock}'", Place("--clock"), suggest(clock, CLOCKS, "clocks"))
    given = (*settings, *(SHORT if clock == "short" else ()))
    world = open_world(file, given)
    arms = arms_for(world)
    measures = tuple(each.measure for each in arms[-1].measures) if len(arms) > 1 else ()
    return Served(file, given, measures, tuple(levers_of(world, measures)))


def page_of(own: Served, number: int, language: str, workers: int) -> str:
    """Return the page of a scenario that is served; raises Faults."""
    world = open_world(own.file, own.given)
    plan = compile_plan(resolve(world, baseline(world)))
    asked = asked_of(plan)
    begin, end, horizon = plan.window.tolist()
    about = described(own.file, world, own.measures, own.levers, own.given, (begin, end, horizon))
    rows = control_rows(plan)
    flows = resolve(world, baseline(world)).flows()
    steps = {
        str(language): {
            ".".join(step.path): " · ".join(step_labels(flows, step, Words(language))) for step in plan.names.steps
        }
        for language in LANGUAGES
    }
    base = {"measures": [], "kpis": 0, "steps": 0, "directions": list(asked.directions), "apart": {}}
    told = control_told(world, [rows], steps)
    about |= {
        "server": f"/run/{number}",
        "workers": workers,
        "index": [],
        "plans": [base],
        "control": {key: each for key, each in told.items() if each["main"]},
        "kpis": [called(world, asked.kpis)],
        "steps": [[]],
        "labels": {"en": {}, "zh": {}},
    }
    return page(about, b"", b"", language)


# --- a replication, in a process of its own


@lru_cache(maxsize=16)
def _plan(file: Path, given: tuple[str, ...], measures: tuple[str, ...], settings: tuple[str, ...]) -> Plan:
    return plan_with(open_world(file, given), tuple(map(Chosen, measures)), settings)


@lru_cache(maxsize=16)
def _control(file: Path, given: tuple[str, ...], measures: tuple[str, ...], settings: tuple[str, ...]) -> list[Row]:
    return control_rows(_plan(file, given, measures, settings))


def trace(
    own: Served, measures: tuple[str, ...], settings: tuple[str, ...], replication: int, token: str
) -> dict[str, Any]:
    """
    Return the rows of a token (`entry#ordinal`, `slowest:FLOW`, `slowest`) in an arm, as the page has them: step,
    child, queued, started, ended; names and labels of the steps, what the token is called. In `fault`: why it cannot.
    """
    try:
        plan = _plan(own.file, own.given, measures, settings)
        word, _, of = token.partition(":")
        if word == SLOWEST and of not in {*plan.names.source_flows, *plan.names.sources}:
            token = SLOWEST  # of all: that time is of several flows
        trail = follow(plan, token, _SEED, replication)
        world = open_world(own.file, own.given)
        arm = resolve(world, Arm("all", tuple(map(Chosen, measures))) if measures else baseline(world))
    except ZonesimError as fault:
        return {"fault": str(fault)}
    numbers, steps = number_of(trail.visits["key"]), place_of(trail.visits["key"])
    alike = (source_of(numbers) == source_of(trail.number)) & (ordinal_of(numbers) == ordinal_of(trail.number))
    alike &= ~np.array([step.is_leave for step in plan.names.steps], dtype=bool)[steps]
    rows = trail.visits[alike]
    times = [rows[name].tolist() for name in ("queued", "started", "ended")]
    flows = arm.flows(frozenset(use.name for use in arm.partial))
    paths = [".".join(step.path) for step in plan.names.steps]
    labels = {
        str(language): {
            paths[step]: " · ".join(step_labels(flows, plan.names.steps[step], Words(language)))
            for step in np.unique(steps[alike]).tolist()
        }
        for language in LANGUAGES
    }
    called = f"{plan.names.sources[int(source_of(trail.number))]}#{int(ordinal_of(trail.number))}"
    found = zip(steps[alike].tolist(), child_of(numbers[alike]).tolist(), *times, strict=True)
    return {"traced": list(map(list, found)), "steps": paths, "labels": labels, "token": called}


def replicate(own: Served, measures: tuple[str, ...], settings: tuple[str, ...], replication: int) -> dict[str, Any]:
    """
    Run a replication of an arm; return its KPIs in the order in which the page of the baseline tells them, queues by
    gate and hour, and distributions; or in `fault` why it cannot.
    """
    try:
        base = _plan(own.file, own.given, (), ())
        plan = _plan(own.file, own.given, measures, settings)
        reducer = Reducer(plan)
        totals = simulate(plan, _SEED, replication, reducer)
        found = measure(plan, reducer, totals, {}, run_key(_SEED, replication))
    except ZonesimError as fault:
        return {"fault": str(fault)}
    asked = asked_of(base)
    kpis = [str(kpi["id"]) for kpi in asked.kpis]
    shapes = {str(kpi.get("shape")) for kpi in asked.kpis}
    nothing = np.full(24, math.nan)
    return {
        "values": [_json(found.values.get(kpi, math.nan)) for kpi in kpis],
        "withheld": [float(found.withheld.get(kpi, 0.0)) for kpi in kpis],
        "queue": [list(map(_json, found.curves.get(f"{each}.queue", nothing).tolist())) for each in asked.directions],
        "shapes": {name: _binned(found.samples[name]) for name in sorted(shapes & found.samples.keys())},
        "slowest": {},
        "control": {"/".join(row[:3]): row[3:] for row in _control(own.file, own.given, measures, settings)},
    }


def _json(value: float) -> float | None:
    return None if math.isnan(value) else value


def _binned(spans: np.ndarray[Any, Any]) -> list[int]:
    """Return how many durations (ms) fall into each bin: from a minute on, eight to a factor of ten."""
    bins = np.floor(8 * np.log10(np.maximum(spans, 1) / _MINUTE)) + 1
    found: list[int] = np.bincount(np.clip(bins, 0, _BINS - 1).astype(np.int64), minlength=_BINS).tolist()
    return found


# --- the server


def application(
    scenarios: Sequence[Served], language: str, pool: Workers, workers: int, token: str, hosts: Sequence[str]
) -> Any:  # noqa: ANN401  the type of an extra
    """
    Return the server, which runs what it is asked in the processes of a pool: `/` lists the scenarios, `/page/0` is the
    page of the first, `/run/0` runs a replication, or follows a token through one.
    """
    from starlette.applications import Starlette  # noqa: PLC0415  an extra
    from starlette.middleware import Middleware  # noqa: PLC0415
    from starlette.middleware.trustedhost import TrustedHostMiddleware  # noqa: PLC0415
    from starlette.requests import Request  # noqa: PLC0415
    from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response  # noqa: PLC0415
    from starlette.routing import Route  # noqa: PLC0415

    language = language_named(language)
    pages: dict[int, str] = {}

    def refused(request: Request) -> Response | None:
        given = request.query_params.get("token", "")
        if token and not hmac.compare_digest(given.encode(), token.encode()):
            return PlainTextResponse("the token is missing or wrong", 403)
        origin = request.headers.get("origin")
        if origin is not None and origin.partition("://")[2] != request.headers.get("host"):
            return PlainTextResponse("asked from another page", 403)
        number = request.path_params.get("number", 0)
        return None if number < len(scenarios) else PlainTextResponse("no such scenario", 404)

    async def index(request: Request) -> Response:
        if (refusal := refused(request)) is not None:
            return refusal
        query = f"?token={escape(token)}" if token else ""
        rows = "".join(
            f'<li><a href="/page/{number}{query}">{escape(str(each.file))}</a></li>'
            for number, each in enumerate(scenarios)
        )
        return HTMLResponse(
            f'<!doctype html><meta charset="utf-8"><title>zonesim</title><h1>zonesim</h1><ul>{rows}</ul>'
        )

    async def shown(request: Request) -> Response:
        if (refusal := refused(request)) is not None:
            return refusal
        number = request.path_params["number"]
        if number not in pages:
            try:
                pages[number] = await asyncio.to_thread(page_of, scenarios[number], number, language, workers)
            except ZonesimError as fault:
                return PlainTextResponse(str(fault), 500)
        return HTMLResponse(pages[number])

    async def run(request: Request) -> Response:
        if (refusal := refused(request)) is not None:
            return refusal
        own = scenarios[request.path_params["number"]]
        try:
            measures, settings, replication, wanted = _asked(own, await request.body())
        except (KeyError, IndexError, TypeError, ValueError):
            return PlainTextResponse("not asked as the page asks", 400)
        call = partial(trace, token=wanted) if wanted else replicate
        try:
            return JSONResponse(await asyncio.wrap_future(pool.submit(call, own, measures, settings, replication)))
        except BrokenProcessPool:
            return PlainTextResponse("a process that simulates has died; start the server again", 500)

    return Starlette(
        routes=[
            Route("/", index),
            Route("/page/{number:int}", shown),
            Route("/run/{number:int}", run, methods=["POST"]),
        ],
        middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=list(hosts), www_redirect=False)],
    )


def _asked(own: Served, body: bytes) -> tuple[tuple[str, ...], tuple[str, ...], int, str]:
    """Return what a page asks for, in our own words; raises ValueError and others for what it cannot ask."""
    if len(body) > MOST_BYTES:
        raise ValueError
    told = json.loads(body)
    wanted, replication = set(told["measures"]), int(told["replication"])
    if not wanted <= set(own.measures) or not 0 <= replication < MOST_REPLICATIONS:
        raise ValueError
    levels = {str(key): int(level) for key, level in told["levels"].items()}
    if any(level < 0 for level in levels.values()):
        raise ValueError
    token = told.get("trace") or ""
    if not isinstance(token, str) or len(token) > MOST_LETTERS:
        raise TypeError
    return tuple(each for each in own.measures if each in wanted), own.settings(levels), replication, token


def check_host(host: str, token: str) -> None:
    """Raise ScenarioFault for a host that others reach, without a token; and where the extra is not installed."""
    if any(importlib.util.find_spec(name) is None for name in ("starlette", "uvicorn")):
        fault = "serving takes starlette and uvicorn, which are not installed"
        raise ScenarioFault(
            fault, Place("serve"), "Install them with: pip install 'zonesim[serve]', or write a page with whatif."
        )
    if host not in LOOPBACK and not token:
        fault = f"others reach '{host}', and whoever does could have this machine simulate"
        raise ScenarioFault(fault, Place(f"--host {host}"), "Give a --token, which the address of the page then has.")


def serve_job(
    files: Sequence[Path],
    settings: Sequence[str],
    host: str,
    port: int,
    token: str,
    language: str,
    clock: str,
    workers: int,
    say: Any,  # noqa: ANN401  a function of the terminal
) -> None:
    """Serve pages until somebody stops it; raises Faults for what is wrong with any file, before anything is served."""
    check_host(host, token)
    import uvicorn  # noqa: PLC0415  an extra

    scenarios = [served(file, settings, clock) for file in files]
    named = f"[{host}]" if ":" in host else host
    hosts = [*LOOPBACK, "[::1]"] if host in LOOPBACK else ["*"]
    query = f"?token={token}" if token else ""
    with processes(workers) as pool:
        app = application(scenarios, language, pool, workers, token, hosts)
        say(f"http://{named}:{port}/{'page/0' if len(scenarios) == 1 else ''}{query} (Ctrl-C ends it)")
        uvicorn.run(app, host=host, port=port, log_level="warning")
