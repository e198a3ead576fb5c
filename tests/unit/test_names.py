"""Names that stand in ids of KPIs: without dots, `all` for everything alone, and no two things with one id."""

from __future__ import annotations

import pytest

from tests.helper import plan_of
from tests.unit.test_fault_texts import SCENARIO, said
from zonesim.kpi import catalogue


def placed(text: str) -> tuple[str, list[str]]:
    """Return a text without the signs `@` and `~`, and the line:column of what stood behind each of them, in that order."""
    places = []
    for sign in "@~":
        before, found, after = text.partition(sign)
        if found:
            places.append(f"{before.count(chr(10)) + 1}:{len(before) - before.rfind(chr(10))}")
            text = before + after
    return text, places


DOTTED = {
    "a zone": ("Z: {desk", "@Z.1: {desk", "Z.1"),
    "a resource": ("slot:", "@sl.ot:", "sl.ot"),
    "a setting": ("km: {value", "@k.m: {value", "k.m"),
    "an account": ("km: {value: 5 km}", "@t.u: {account: 5}", "t.u"),
    "a truth": ("wrong: {all", "@wr.ong: {all", "wr.ong"),
    "a flow": ("  f:\n", "  @f.g:\n", "f.g"),
    "a parameter": ("zone: zone}", "@zo.ne: zone}", "zo.ne"),
    "a mark": ("take: 5 min}", "take: 5 min, mark: @wrong.caught}", "wrong.caught"),
    "an entry": ("  t: {flow: f, rate: 3 /h}", "  @t.u: {flow: f, rate: 3 /h}", "t.u"),
    "a group": ("rate: 3 /h}", "rate: 3 /h, group: @t.u}", "t.u"),
}


@pytest.mark.parametrize("case", DOTTED)
def test_a_dot_in_a_name_is_refused(case):
    """
    A name with a dot, which parts the names in ids and paths, is refused at its place.
    """
    old, new, name = DOTTED[case]
    text, [place] = placed(SCENARIO.replace(old, new))

    assert said(text).split("\n") == [
        f"faulty.yaml:{place}: a dot in the name '{name}'",
        "    Dots part the names in ids and paths; write '_' or '-'.",
    ]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("zones: {", "zones: {@all: {}, "),
        ("  f:\n", "  @all:\n"),
        ("  t: {flow", "  @all: {flow"),
        ("rate: 3 /h}", "rate: 3 /h, group: @all}"),
    ],
)
def test_nothing_is_called_all(old, new):
    """
    `all` stands for everything, and names no zone, flow, entry or group.
    """
    text, [place] = placed(SCENARIO.replace(old, new))

    assert said(text).split("\n") == [
        f"faulty.yaml:{place}: 'all' stands for everything and cannot name one thing",
        "    Choose another name.",
    ]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("{AEO: 40", "{@all: 40"),
        ("3 /h}", "3 /h, class: @all}"),
        ("3 /h}", "3 /h, classes: {@all: 100 %}}"),
    ],
)
def test_no_class_is_called_all(old, new):
    """
    `all` stands for every class that is not named, and so names none.
    """
    text, [place] = placed(SCENARIO.replace(old, new))

    assert said(text).split("\n") == [
        f"faulty.yaml:{place}: a class called 'all', which stands for every class that is not named",
        "    Choose another name.",
    ]


GATE = """\
zonesim: 1
kind: scenario
name: gate
clock: {measure: 1 d}
zones: {GATE: {lanes: {units: 1, role: lane}}}
flows:
  GATE: {place: GATE.lanes, steps: {m: {mark: gate_arrived}, lanes: {hold: {u: GATE.lanes}, take: 5 min}}}
  g: {steps: {s: {take: 7 min}}}
traffic: {h: {flow: g, at: [2 h]}, k: {flow: g, at: [1 h]}}
"""

ALIKE = {
    "an entry like its flow, which another entry uses too": (
        [("k: {flow: g", "@g: {flow: g"), ("  g:", "  ~g:")],
        "entry 'g' would have the ids of flow 'g', which others use",
    ),
    "an entry like a flow that another entry uses": (
        [("k: {flow: g", "@g: {flow: f"), ("  g:", "  f: {steps: {s: {take: 1 min}}}\n  ~g:")],
        "entry 'g' would have the ids of flow 'g', which others use",
    ),
    "a group like a flow": (
        [("at: [1 h]}", "at: [1 h], group: @g}"), ("  g:", "  ~g:")],
        "group 'g' would have the ids of flow 'g', which others use",
    ),
    "an entry like a group of another": (
        [("{h: {", "{@h: {"), ("at: [1 h]}", "at: [1 h], group: ~h}")],
        "entry 'h' would have the ids of group 'h'",
    ),
    "a flow and a step like a zone and its lanes": (
        [("k: {flow: g", "k: {flow: GATE"), ("lanes: {hold", "@lanes: {hold"), ("lanes: {units", "~lanes: {units")],
        "step 'GATE.lanes' would have the ids of lanes 'GATE.lanes'",
    ),
    "an entry and a step like a zone and its lanes": (
        [
            ("k: {flow: g", "GATE: {flow: pass"),
            ("  GATE:", "  pass:"),
            ("lanes: {hold", "@lanes: {hold"),
            ("lanes: {units", "~lanes: {units"),
        ],
        "step 'GATE.lanes' would have the ids of lanes 'GATE.lanes'",
    ),
}


@pytest.mark.parametrize("case", ALIKE)
def test_what_would_share_an_id_is_refused(case):
    """
    Two things that results could not tell apart are refused, with both places.
    """
    changes, fault = ALIKE[case]
    text = GATE
    for old, new in changes:
        text = text.replace(old, new)
    text, [place, there] = placed(text)

    assert said(text).split("\n") == [
        f"faulty.yaml:{place}: {fault}",
        f"    The other is at faulty.yaml:{there}; rename one of them.",
    ]


def test_an_entry_may_be_called_like_a_flow_that_it_alone_uses():
    """
    There is no doubt what `g` is where entry `g` is all that walks flow `g`.
    """
    assert said(GATE.replace("h: {flow: g, at: [2 h]}, k:", "g:")) == ""


def test_what_one_entry_alone_does_is_a_headline_of_its_flow_only():
    """
    An entry has KPIs of its own; where it alone uses its flow they are the flow's, and tables tell them once.
    """
    text = """
clock: {measure: 1 d, cool_down: 1 d}
zones: {Z: {d: {units: 1}}}
flows: {f: {steps: {s: {hold: {u: Z.d}, take: 5 min}}}, g: {steps: {s: {hold: {u: Z.d}, take: 7 min}}}}
traffic: {a: {flow: f, at: [1 h]}, b: {flow: g, at: [2 h]}, c: {flow: g, at: [3 h]}}
"""
    told = catalogue(plan_of(text))
    subjects = {kpi.subject for kpi in told if kpi.headline}

    assert {"a", "b", "c"} <= {kpi.subject for kpi in told}
    assert "a" not in subjects
    assert "a.s" not in subjects
    assert {"f", "f.s", "g", "b", "b.s", "c"} <= subjects
