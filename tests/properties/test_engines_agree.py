"""All engines give the same rows, totals and faults: random models, shipped scenarios, every model of the docs."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from tests.helper import ENGINES, ROOT, plan_of, plan_of_file
from tests.properties.agreement import cramped, difference, outcome
from tests.properties.hunt import differs, shrunk
from tests.properties.plans import Model, model_of, models
from zonesim.engine import Engine
from zonesim.engine.reference.engine import ReferenceEngine
from zonesim.engine.resources import leave
from zonesim.plan import ArrivalsBy, Plan, Sink, Totals, without_limits
from zonesim.plan.records import NEVER

OTHERS = sorted(set(ENGINES) - {"simpy"}) or ["simpy"]
"""Engines that have to equal the reference; the reference itself where there is no other, which shows that it repeats."""

CHUNK = 250
CHUNKS = 40
"""Ten thousand models in the slow test, in pieces that several processes can share."""


def check(model: Model, engine: str | Engine) -> None:
    """Compare an engine with the reference on a model."""
    found = differs(model, "simpy", engine, replications=1)
    assert not found, f"{found}\n{model}"


@pytest.mark.parametrize("engine", OTHERS)
@pytest.mark.parametrize("seed", range(0, 80, 20))
def test_engines_agree_on_random_models(engine, seed):
    """
    Eighty models: rows as a sequence of bytes, totals field by field, faults word for word.
    """
    for number in range(seed, seed + 20):
        check(model_of(number), engine)


def test_a_run_does_not_depend_on_room():
    """
    Twenty models more, on a compiled engine that has next to no room and hands on blocks of a few rows.
    """
    for number in range(80, 100):
        check(model_of(number), cramped)


@pytest.mark.parametrize("engine", OTHERS)
def test_engines_agree_where_units_are_unlimited(engine):
    """
    Thirty models without limits: the same rows, and as many tokens arrive from outside as with limits.
    """
    for number in range(30):
        plan = model_of(number).plan
        free = without_limits(plan)
        first = outcome(free, "simpy")

        assert not difference(free, first, outcome(free, engine)), number
        limited = outcome(plan, "simpy")
        if first.totals is not None and limited.totals is not None:
            own = [row for row, by in enumerate(plan.sources["arrivals"]) if by != ArrivalsBy.SPAWNED]
            assert first.totals.arrivals[own].tolist() == limited.totals.arrivals[own].tolist()


MANY = """
clock: {measure: 9 h}
zones: {Z: {desk: {units: 1100, at_shift_end: pause, breakdowns: {up: 4 h, repair: 30 min, of: whole}}}}
flows: {f: {steps: {work: {hold: {d: Z.desk}, take: {uniform: [1 h, 30 h]}}}}}
traffic: {a: {flow: f, rate: 350 /h}}
"""


@pytest.mark.slow
@pytest.mark.parametrize("engine", [*OTHERS, cramped])
def test_many_are_interrupted_at_once(engine):
    """
    A breakdown that stops the work of a thousand tokens leaves a thousand ends that are none, and ends in a thousand rows at
    once.
    """
    plan = plan_of(MANY)

    assert difference(plan, outcome(plan, "simpy"), outcome(plan, engine)) == ""


@pytest.mark.slow
@pytest.mark.parametrize("engine", OTHERS)
@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_engines_agree_on_ten_thousand_models(engine, chunk):
    """
    Ten thousand others, every fifth with next to no room as well; a difference is made small before it is shown.
    """
    for number in range(1_000 + chunk * CHUNK, 1_000 + (chunk + 1) * CHUNK):
        model = model_of(number)
        for one in [engine, cramped] if number % 5 == 0 else [engine]:
            if differs(model, "simpy", one, replications=1):
                check(shrunk(model, lambda each, one=one: differs(each, "simpy", one)), one)


@pytest.mark.slow
@pytest.mark.parametrize("engine", OTHERS)
@settings(max_examples=200, phases=(Phase.generate, Phase.shrink), suppress_health_check=list(HealthCheck))
@given(model=models())
def test_engines_agree_on_what_hypothesis_finds(engine, model):
    """
    Models whose choices hypothesis makes: it looks for corners that plain chance leaves out.
    """
    check(model, engine)


@pytest.mark.slow
@pytest.mark.parametrize("engine", OTHERS)
def test_engines_agree_with_bounds_checked(engine, tmp_path):
    """
    With every index of compiled code checked, in a cache of its own: no access outside an array, and the same rows.
    """
    code = f"import sys; from tests.properties.hunt import hunt; sys.exit(hunt(300, 20_000, 'simpy', {engine!r}, 'go on') > 0)"
    env = {**os.environ, "NUMBA_BOUNDSCHECK": "1", "NUMBA_CACHE_DIR": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", code], env=env, cwd=ROOT, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 differ" in done.stdout


# --- models that people wrote

SHORT = ("clock.warm_up=6 h", "clock.measure=1 d", "clock.cool_down=6 h")


@pytest.mark.slow
@pytest.mark.parametrize("engine", OTHERS)
@pytest.mark.parametrize("name", sorted(path.name for path in (ROOT / "scenarios").glob("*.yaml")))
def test_engines_agree_on_shipped_scenarios(engine, name):
    """
    Every scenario that zonesim ships, for a day and a half.
    """
    agree(plan_of_file(ROOT / "scenarios" / name, *SHORT), engine)


PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
EXAMPLES = [
    pytest.param(text, id=f"{page.stem}-{number}")
    for page in PAGES
    for number, text in enumerate(
        re.findall(r"```yaml scenario\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL), start=1
    )
]
FILES = [
    pytest.param(path, id=str(path.relative_to(ROOT)))
    for path in sorted((ROOT / "tests").rglob("*.yaml"))
    if "kind: scenario" in path.read_text(encoding="utf-8")
]
BRIEF = ("clock.warm_up=1 h", "clock.measure=32 h", "clock.cool_down=1 h")


@pytest.mark.parametrize("engine", OTHERS)
@pytest.mark.parametrize("text", EXAMPLES)
def test_engines_agree_on_the_examples_of_the_documents(engine, text):
    """
    Every whole scenario in the documents, for 34 hours.
    """
    agree(plan_of(text.replace("batch: 20000", "batch: 2000"), *BRIEF), engine)


@pytest.mark.slow
@pytest.mark.parametrize("engine", OTHERS)
@pytest.mark.parametrize("path", FILES)
def test_engines_agree_on_the_models_of_other_tests(engine, path):
    """
    Every scenario file among the tests, for 34 hours.
    """
    agree(plan_of_file(path, *BRIEF), engine)


def agree(plan: Plan, engine: str) -> None:
    """Compare an engine with the reference on a plan."""
    assert difference(plan, outcome(plan, "simpy"), outcome(plan, engine)) == ""


# --- what the comparison can see


class _SameDraws(ReferenceEngine):
    """A loop draws the same again."""

    def loop(self, token):
        super().loop(token)
        token.loop_count -= 1


class _GrantsFirst(ReferenceEngine):
    """Those whom somebody who gives up lets pass go on before that one."""

    def __init__(self, *args):
        super().__init__(*args)
        self.resources.renege = self._renege

    def _renege(self, request, slot, target):
        token, now, resources = request.token, self.events.now, self.resources
        if token.waits_for is not request:
            return
        self.events.count += 1
        leave(request, now)
        token.waits_for = None
        visit = token.open.pop(slot)
        self.recorder.go(visit.step, token.number, visit.queued, NEVER, now)
        if target < token.row:
            self.loop(token)
        token.row = target
        for resource, _ in request.needs:
            resources._serve(resource)
        self.ready(token)


class _LastJoinsLast(ReferenceEngine):
    """A batch lets its members go in the opposite order."""

    def _complete(self, batch):
        if not batch.led:
            batch.tokens.reverse()
        super()._complete(batch)


WRONG: dict[str, tuple[type[ReferenceEngine], int]] = {
    "a loop draws the same again": (_SameDraws, 60),
    "members in the opposite order": (_LastJoinsLast, 60),
    "grants before the one who gives up": (_GrantsFirst, 600),
}
"""Engines with one rule broken, and how many models must be enough to see it."""


def wrong_engine(run: type[ReferenceEngine]) -> Callable[[Plan, int, int, Sink], Totals]:
    """Return an engine with another run."""
    return lambda plan, seed, replication, sink: run(plan, seed, replication, sink).run()


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow if most > 100 else ()) for name, (_, most) in WRONG.items()]
)
def test_a_broken_rule_is_seen(name):
    """
    An engine with one rule broken differs from the reference on some of the models.
    """
    run, models_at_most = WRONG[name]
    engine = wrong_engine(run)
    assert any(differs(model_of(number), "simpy", engine, replications=1) for number in range(models_at_most))
