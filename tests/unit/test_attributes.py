"""Attributes of tokens: luck, loads, logs, words, and what is wrong with them."""

from __future__ import annotations

import json

import numpy as np
import pytest
from typer.testing import CliRunner

from tests.helper import HEAD, RowLog, Timeline, plan_of, plan_of_file
from zonesim.briefing.text.step_words import Facts, facts_of
from zonesim.cli import app
from zonesim.engine import simulate
from zonesim.engine.recursion import qualifies
from zonesim.faults import Faults
from zonesim.plan import Plan, loads
from zonesim.scenario import Step

MODEL = """\
clock: {measure: 2 d}
attributes: {goods: {food: 60 %, cloth: 40 %}}
zones: {Z: {desk: {units: 1}, cold: {units: 2}}}
firms: {count: 4, credit: {AEO: 40 %, ordinary: 60 %}}
truth: {wrong: {AEO: 10 %, all: 30 %}}
flows:
  f:
    params: {place: zone}
    steps:
      serve: {hold: {d: Z.desk}, take: {exponential: {mean: 4 min}}}
      check: {detect: {truth: wrong, sensitivity: 50 %}}
      store: {when: {goods: food}, hold: {c: Z.cold}, take: {by: goods, food: 8 min, all: 0 min}}
traffic:
  a: {flow: f, with: {place: Z}, rate: 6 /h}
  b: {flow: f, with: {place: Z}, rate: 4 /h, classes: {AEO: 50 %, ordinary: 50 %}, attributes: {goods: food}}
"""


def _rows(plan: Plan) -> Timeline:
    sink = RowLog()
    return Timeline(plan, sink, simulate(plan, 1, 0, sink))


def _fault(text: str) -> str:
    with pytest.raises(Faults) as found:
        plan_of(text)
    return str(found.value)


def _changed(*changes: tuple[str, str]) -> str:
    text = MODEL
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return text


def test_an_attribute_leaves_all_other_luck_as_it_is():
    """
    With an attribute more, and with another mix, tokens come at the same times, with the same classes, truths and times.
    """
    plain = _changed(
        ("attributes: {goods: {food: 60 %, cloth: 40 %}}\n", ""),
        ("      store: {when: {goods: food}, hold: {c: Z.cold}, take: {by: goods, food: 8 min, all: 0 min}}\n", ""),
        (", attributes: {goods: food}", ""),
    )
    more = _changed(("food: 60 %, cloth: 40 %}", "food: 10 %, cloth: 90 %}, size: {big: 50 %, small: 50 %}"))
    runs = [_rows(plan_of(text)) for text in (plain, MODEL, more)]

    classes = [
        [[run.plan.names.classes[klass] for klass in own.tolist()] for own in run.totals.classes] for run in runs
    ]
    assert classes[0] == classes[1] == classes[2]
    assert runs[0].visits("serve") == runs[1].visits("serve") == runs[2].visits("serve")
    assert runs[0].marks("wrong.true") == runs[1].marks("wrong.true") == runs[2].marks("wrong.true")


def test_shares_of_the_values_are_met():
    """
    An entry draws by its own mix, else by that of the scenario, whatever the class.
    """
    run = _rows(plan_of(_changed(("measure: 2 d", "measure: 100 d"))))
    goods = np.array(dict(run.plan.names.attributes)["goods"])
    classes = np.array(run.plan.names.classes)
    a, b = (own.astype(int) for own in run.totals.classes)

    assert np.mean(goods[a] == "food") == pytest.approx(0.6, abs=0.02)
    assert np.mean(goods[a[classes[a] == "AEO"]] == "food") == pytest.approx(0.6, abs=0.02)
    assert set(goods[b]) == {"food"}


def test_loads_by_attribute_are_exact():
    """
    The work of the cold store is that of the food: 60 % of 6 an hour and 4 more, 8 minutes each, on two units.
    """
    plan = plan_of(MODEL)
    found = {str(plan.names.resources[load.resource]): load.mean for load in loads(plan)}

    assert found["Z.cold"] == pytest.approx((0.6 * 6 + 4) * 8 / 60 / 2)


def test_a_plan_without_attributes_is_known_as_before():
    """
    Tables of attributes without rows do not count in the identity of a plan.
    """
    plan = plan_of(
        "clock: {measure: 1 h}\nflows: {f: {steps: {s: {take: 1 min}}}}\ntraffic: {a: {flow: f, at: [0 min]}}\n"
    )

    assert plan.identity == "11868d09883cf6ab7b0e71f7c581f73c0543d7b744fceff510503a794306812c"


def test_attributes_of_a_log(tmp_path):
    """
    Columns of a log give attributes, values of their own among them; a class beside them is fixed, drawn, or of a column.
    """
    (tmp_path / "zonesim.toml").touch()
    (tmp_path / "log.csv").write_text("at,what,who\n1 min,food,AEO\n2 min,toys,ordinary\n3 min,cloth,AEO\n")
    trace = "trace: {file: log.csv, time: at, attributes: {goods: what}"
    entries = {
        "a": f"{trace}, class: who}}",
        "b": f"{trace}}}, class: ordinary",
        "c": f"{trace}}}, classes: {{AEO: 100 %, ordinary: 0 %}}",
        "d": f"{trace}}}",
    }
    text = HEAD + _changed((MODEL[MODEL.index("traffic:") :], "traffic:\n"))
    text += "".join(f"  {name}: {{flow: f, with: {{place: Z}}, {own}}}\n" for name, own in entries.items())
    (tmp_path / "s.yaml").write_text(text)
    run = _rows(plan_of_file(tmp_path / "s.yaml"))
    names = run.plan.names
    goods = [[dict(names.attributes)["goods"][klass] for klass in own] for own in run.totals.classes]
    classes = [[names.classes[klass] for klass in own] for own in run.totals.classes]

    assert goods == [["food", "toys", "cloth"]] * 4
    assert classes[:3] == [["AEO", "ordinary", "AEO"], ["ordinary"] * 3, ["AEO"] * 3]
    assert set(classes[3]) <= {"AEO", "ordinary"}
    cold = [str(name) for name in names.resources].index("Z.cold")
    food = sum(load.mean for load in loads(run.plan) if load.resource == cold)
    assert food == pytest.approx(4 * 8 / 60 / 48 / 2)


def test_the_recursion_does_not_draw_attributes():
    """
    The engine without an event list refuses plans whose tokens draw attributes.
    """
    assert qualifies(plan_of(MODEL)) == "traffic 'a' draws attributes"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("cloth: 40 %}}", "cloth: 30 %}}", "the shares of the values add up to 90 %\n    They must add up to 100 %."),
        ("cloth: 40 %}}", "all: 40 %}}", "'all' stands for every value that is not named\n    Rename it."),
        ("{goods: {food: 60 %", "{queue: {food: 60 %", "'queue' is a key of the format and cannot name an attribute\n    Choose another name."),
        ("{goods: {food: 60 %", "{place: {cold: 100 %}, goods: {food: 60 %", "'place' is a parameter of the flow 'f' too\n    Rename it."),
        ("when: {goods: food}", "when: {goods: fod}", "'goods' has no value 'fod'\n    Did you mean 'food'?"),
        ("when: {goods: food}", "when: {good: food}", "no parameter 'good' here\n    Did you mean 'goods'?"),
        ("{by: goods, food: 8 min, all: 0 min}", "{by: goods, food: 8 min}", "nothing for 'goods' cloth\n    Name every value, or add `all:`."),
        ("{by: goods, food: 8 min, all: 0 min}", "{by: goods, fod: 8 min, all: 0 min}", "'goods' has no value 'fod'\n    Did you mean 'food'?"),
        ("{by: goods, food: 8 min, all: 0 min}", "{by: godos, food: 8 min, all: 0 min}", "no parameter or attribute 'godos' here\n    Did you mean 'goods'?"),
        ("take: {exponential: {mean: 4 min}}", "take: 1 min, set: {goods: fod}", "'goods' has no value 'fod'\n    Did you mean 'food'?"),
        ("take: {exponential: {mean: 4 min}}", "take: 1 min, set: {stauts: released}", "no attribute 'stauts'\n    Did you mean 'status'?"),
        ("attributes: {goods: food}}", "attributes: {goods: fod}}", "'goods' has no value 'fod'\n    Did you mean 'food'?"),
        ("attributes: {goods: food}}", "attributes: {good: food}}", "no attribute 'good'\n    Did you mean 'goods'?"),
        ("attributes: {goods: food}}", "attributes: {goods: {food: 50 %}}}", "the shares of 'goods' add up to 50 %\n    They must add up to 100 %."),
        ("rate: 6 /h", "trace: {file: log.csv, time: at, attributes: {goods: what}}, attributes: {goods: food}", "a column and a mix for 'goods'\n    Keep one of them."),
        ("rate: 6 /h", "spawned: true, attributes: {goods: food}", "spawned tokens have the attributes of who starts them\n    Remove them."),
        ("{wrong: {AEO: 10 %, all: 30 %}}", "{wrong: {by: goods, food: 10 %}}", "nothing for 'goods' cloth\n    Name every value, or add `all:`."),
        ("{wrong: {AEO: 10 %, all: 30 %}}", "{wrong: {by: godos, all: 10 %}}", "no attribute 'godos'\n    Did you mean 'goods'?"),
        ("attributes: {goods: {", f"attributes: {{n: {{x: 100 %, {', '.join(f'x{n}: 0 %' for n in range(90))}}}, goods: {{", "546 combinations of class and attributes, more than 500\n    Leave out an attribute, or put values together."),
    ],
)  # fmt: skip
def test_what_is_wrong_with_attributes(old, new, message):
    """
    A fault says what is wrong with an attribute and what would be right.
    """
    assert message in _fault(_changed((old, new)))


def test_an_attribute_that_nobody_declares():
    """
    An entry with an attribute of its own needs it among those of the scenario.
    """
    text = "clock: {measure: 1 h}\nflows: {f: {steps: {s: {take: 1 min}}}}\ntraffic: {a: {flow: f, at: [0 min], attributes: {goods: food}}}\n"

    assert "no attribute 'goods'\n    Declare it under `attributes` of the scenario." in _fault(text)


def test_the_story_of_a_token_tells_its_attributes(tmp_path):
    """
    `trace` says what a token is in both languages, by the label of the attribute, and the document by its name.
    """
    label = "goods: {label: {en: Goods, zh: 货物}, food: 60 %"
    (tmp_path / "zonesim.toml").touch()
    file = tmp_path / "s.yaml"
    file.write_text(HEAD + _changed(("goods: {food: 60 %", label)), encoding="utf-8")
    words = ["trace", str(file), "--token", "b#0"]
    english, chinese, document = (
        CliRunner().invoke(app, [*words, *more]).stdout for more in ([], ["--lang", "zh"], ["--json"])
    )

    assert "Goods food" in english
    assert "货物为food" in chinese
    assert json.loads(document)["attributes"] == {"goods": "food"}
    assert facts_of(
        Step(when={"goods": ["food", "cloth"]}, share={"by": "goods", "food": "5 %", "all": "1 %"})
    ) == Facts(condition="goods food or cloth, by goods (food: 5 %, all: 1 %)")
    assert facts_of(Step(set={"goods": "food", "class": "AEO"})).check == "class AEO, goods food"
