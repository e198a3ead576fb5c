"""Small files cannot make much work: checking grows with the size of a file, and what is told is bounded."""

from __future__ import annotations

import sys

import pytest

from tests.helper import HEAD, ROOT, plan_of
from zonesim.faults import MOST_TOLD, Faults, MoreFaults, Place, ScenarioFault, near
from zonesim.plan import compile_plan
from zonesim.policy import baseline, resolve, world_of
from zonesim.scenario import read_text
from zonesim.scenario.excerpts import explain

OWN = str(ROOT / "zonesim")


def many(n: int) -> dict[str, str]:
    """Return files that have `n` of something, by what it is."""

    def joined(text: str) -> str:
        return ", ".join(text.replace("#", str(number)) for number in range(n))

    head = f"{HEAD}clock: {{measure: 1 h}}\n"
    desk = "zones: {B: {c: {units: 3}}}\n"
    flow = "flows: {f: {steps: {s: {hold: {k: B.c}, take: 1 min}}}}\n"
    traffic = "traffic: {t: {flow: f, rate: 1 /d}}\n"
    return {
        "steps": f"{head}{desk}flows: {{f: {{steps: {{{joined('s#: {hold: {k: B.c}, take: 1 s}')}}}}}}}\n{traffic}",
        "resources": (
            f"{head}zones: {{B: {{{joined('r#: {units: 3}')}}}}}\n"
            f"flows: {{f: {{steps: {{{joined('s#: {hold: {k: B.r#}, take: 1 min}')}}}}}}}\n{traffic}"
        ),
        "traffic entries": f"{head}{desk}{flow}traffic: {{{joined('t#: {flow: f, rate: 1 /d}')}}}\n",
        "unknown keys": f"{head}{desk}{flow}traffic: {{t: {{flow: f, rate: 1 /d, {joined('x#: 1')}}}}}\n",
        "wrong values": f"{head}zones: {{B: {{{joined('r#: {units: -1}')}}}}}\n{flow}{traffic}",
        "unknown resources": (
            f"{head}{desk}flows: {{f: {{steps: {{{joined('s#: {hold: {k: B.r#}, take: 1 min}')}}}}}}}\n{traffic}"
        ),
    }


def check(text: str) -> None:
    """Read and compile a scenario; what is wrong is put into words."""
    try:
        world = world_of(read_text(text, "many.yaml"))
        compile_plan(resolve(world, baseline(world)))
    except Faults as faults:
        explain(faults)


def work(text: str) -> int:
    """Return how many lines of zonesim's own code are run to check a scenario."""
    lines = 0

    def in_frame(frame, event, argument):
        nonlocal lines
        lines += event == "line"
        return in_frame

    def on_call(frame, event, argument):
        return in_frame if frame.f_code.co_filename.startswith(OWN) else None

    before = sys.gettrace()
    sys.settrace(on_call)
    try:
        check(text)
    finally:
        sys.settrace(before)
    return lines


@pytest.mark.parametrize("what", list(many(0)))
def test_checking_grows_no_faster_than_the_file(what):
    """
    Twice as many steps, resources, entries or mistakes are twice the work, not four times or eight.
    """
    check(many(1)[what])  # reads the library
    small, middle, large = (work(many(n)[what]) for n in (24, 48, 96))

    assert (large - middle) < 2.4 * (middle - small)


def test_of_many_faults_the_first_are_told_and_the_others_counted():
    """
    Fifty are told one by one; a last line says from where on there are how many more.
    """
    with pytest.raises(Faults) as found:
        plan_of(many(3 * MOST_TOLD)["unknown keys"])
    told = str(found.value).splitlines()

    assert told[0].endswith("unknown key 'x0'")
    assert told[-2] == f"timeline.yaml:7:{36 + 7 * 10 + 8 * 40}: 100 more faults from here on"
    assert told[-1] == "    Mend those above first."
    assert len(found.value.told()) == MOST_TOLD + 1


def test_counted_faults_are_not_counted_twice():
    """
    Faults of several places put together: what was only counted in one of them counts for as much here.
    """
    faults = [ScenarioFault("wrong", Place("a.yaml", line, 1)) for line in range(1, 61)]
    both = Faults([*faults, MoreFaults(40, Place("a.yaml", 99, 1))])

    assert str(both.told()[-1]) == "a.yaml:51:1: 50 more faults from here on\n    Mend those above first."
    assert len(Faults(faults[: MOST_TOLD + 1]).told()) == MOST_TOLD + 1


def test_a_very_long_name_is_compared_with_nothing():
    """
    Looking for what was meant costs time for each pair of letters.
    """
    assert near("x" * 1000, ["x" * 999]) == []
    assert near("lanse", ["lanes"]) == ["lanes"]
