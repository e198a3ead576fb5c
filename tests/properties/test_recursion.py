"""The recursion gives the same bytes as the other engines wherever a plan qualifies, and says why where it does not."""

from __future__ import annotations

import json
from random import Random

import pytest

from tests.helper import RowLog, plan_of
from tests.properties.agreement import difference, outcome
from tests.properties.durations import duration
from tests.properties.luck import Luck
from zonesim.engine import recursion, recursion_kernel, simulate
from zonesim.faults import RunFault
from zonesim.plan import Plan

CLASSES = ["A", "B", "C"]


def single_queue(seed: int) -> Plan:
    """
    Return a plan with one queue, of any kind that qualifies: much of it happens at one instant, and some of the work takes
    no time.
    """
    luck = Luck(Random(seed))
    classes = CLASSES[: luck.number(1, 3)]
    length = luck.pick([30, 120, 600])
    lines = [
        f"clock: {{warm_up: {luck.pick(['0 h', '7 min', '10 min'])}, measure: {length} min, cool_down: {luck.pick(['0 h', '5 min'])}}}",
        f"zones: {{Z: {{desk: {{units: {luck.pick([1, 1, 2, 3, 5, 40])}}}, idle: {{units: 3}}, stock: {{account: 7}}}}}}",
        "flows:",
    ]
    traffic = ["traffic:"]
    for number in range(luck.number(1, 4)):
        mark = ", mark: done" if luck.chance(0.3) else ""
        lines.append(f"  f{number}: {{steps: {{work: {{hold: {{d: Z.desk}}, take: {_work(luck, classes)}{mark}}}}}}}")
        tokens = luck.number(1, 60)
        comes = f"rate: {tokens / length:.6f} /min"
        if luck.chance(0.6):
            comes = f"at: [{', '.join(f'{each} min' for each in sorted(luck.number(0, length // 2) for _ in range(tokens)))}]"
        batch = f", batch: {luck.pick(['2', '3', '{discrete: {1: 50 %, 4: 50 %}}'])}" if luck.chance(0.4) else ""
        mix = ", ".join(
            f"{name}: {share}" for name, share in zip(classes, luck.split_percent(len(classes)), strict=True)
        )
        klass = f", classes: {{{mix}}}" if number == 0 or luck.chance(0.5) else f", class: {luck.pick(classes)}"
        traffic.append(f"  {luck.pick('abcxyz')}{number}: {{flow: f{number}, {comes}{batch}{klass}}}")
    return plan_of("\n".join([*lines, *traffic]))


def _work(luck: Luck, classes: list[str]) -> str:
    """Return a duration, as it stands in a scenario."""
    some = luck.pick(["1 min", "5 min", "0 min", {"exponential": {"mean": "0.001 s"}}, {"uniform": ["0 min", "3 min"]}])
    steps = {"discrete": {"0 min": "40 %", "1 min": "40 %", "2 min": "20 %"}}
    return json.dumps(luck.pick([some, steps, {"exponential": {"mean": "2 min"}}, duration(luck, {"class": classes})]))


@pytest.mark.parametrize("first", range(0, 120, 30))
def test_the_recursion_equals_the_other_engines(first):
    """
    A hundred and twenty queues: rows as a sequence of bytes, and totals field by field.
    """
    for seed in range(first, first + 30):
        agree(single_queue(seed))


@pytest.mark.slow
def test_the_recursion_equals_the_other_engines_two_thousand_times():
    """
    Two thousand other queues.
    """
    for seed in range(1_000, 3_000):
        agree(single_queue(seed))


def agree(plan: Plan) -> None:
    """Compare the recursion with the other engines."""
    assert recursion.qualifies(plan) == ""
    found = outcome(plan, "recursion")
    for engine in ("simpy", "compiled"):
        assert difference(plan, outcome(plan, engine), found) == ""


def test_blocks_and_chunks_do_not_matter(monkeypatch):
    """
    A queue that grows to 30,000 over several chunks of tokens, and blocks of a few rows: the same bytes.
    """
    monkeypatch.setattr(recursion, "BLOCK_ROWS", 11)
    plan = plan_of(
        DESK.format(units=3),
        "traffic.a.rate=60 /min",
        "clock.measure=12 h",
        "clock.warm_up=2 h",
        "flows.f.work.take=10 s",
    )
    waiting = outcome(plan, "recursion")

    assert difference(plan, outcome(plan, "compiled"), waiting) == ""
    assert waiting.totals.peak[0] > 3 * recursion_kernel.CHUNK


DESK = """
clock: {{measure: 2 h}}
zones: {{Z: {{desk: {{units: {units}}}, other: {{units: 1}}}}}}
calendars: {{day: {{mon-sun: ["01:00-20:00"]}}}}
flows: {{f: {{steps: {{work: {{hold: {{d: Z.desk}}, take: 1 min}}}}}}, g: {{steps: {{work: {{hold: {{o: Z.other}}, take: 1 min}}}}}}}}
traffic: {{a: {{flow: f, rate: 1 /min}}}}
"""

MORE = {
    "units: 1}}": ("units: 1, breakdowns: {up: 1 h, repair: 1 min}}}", "resource 'Z.other' breaks down"),
    "desk: {units: 1}": ("desk: {units: 300}", "resource 'Z.desk' has not 1 to 256 units"),
    "desk: {units: 1": ("desk: {units: 1, open: day", "units of resource 'Z.desk' come and go"),
    "d: Z.desk}": ("d: Z.desk, o: Z.other}", "traffic 'a' takes more than one unit"),
    "take: 1 min}": (
        "take: 1 min, patience: {longest: 1 min, next: leave}}",
        "traffic 'a' gives up waiting",
    ),
    "work: {": ("work: {share: 50 %, ", "traffic 'a' does more than to wait for a unit, work and leave"),
    "steps: {": ("steps: {before: {take: 1 min}, ", "traffic 'a' does more than to wait for a unit, work and leave"),
    "traffic: {": (
        "traffic: {b: {flow: g, rate: 1 /h}, ",
        "traffic 'b' waits in another line",
    ),
}
"""What a plan has more than a single queue: what is changed in the text, and what is said."""


@pytest.mark.parametrize("place", MORE)
def test_a_plan_that_does_not_qualify_is_refused_with_the_reason(place):
    """
    `--engine recursion` says why it cannot run a plan, and what can.
    """
    instead, reason = MORE[place]
    plan = plan_of(DESK.format(units=1).replace(place, instead, 1))
    with pytest.raises(RunFault) as found:
        simulate(plan, 1, 0, RowLog(), "recursion")

    assert (
        str(found.value)
        == f"""\
the engine 'recursion' runs one line for equal units, first come first served: {reason}
    Use --engine auto, which takes it where it can."""
    )
