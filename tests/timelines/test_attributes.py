"""Attributes: what tells tokens apart besides their class."""

from __future__ import annotations

from tests.helper import run

FLOW = """
clock: {measure: 100 min}
attributes: {goods: {food: 100 %, cloth: 0 %}, size: {big: 0 %, small: 100 %}}
flows:
  f:
    steps:
"""


def test_time_condition_and_share_by_attribute(engine):
    """
    Times, conditions and shares differ by an attribute, or by one and then another; `all` stands for what is not named.
    """
    text = (
        FLOW
        + """
      work: {take: {by: goods, food: 1 min, all: {by: size, big: 20 min, small: 3 min}}}
      extra: {when: {goods: [cloth]}, take: 10 min}
      rare: {share: {by: goods, food: 100 %, all: {AEO: 100 %, all: 0 %}}, take: 40 min}
traffic:
  a: {flow: f, at: [0 min]}
  b: {flow: f, at: [0 min], attributes: {goods: cloth}, class: ordinary}
  c: {flow: f, at: [0 min], attributes: {goods: cloth, size: {big: 100 %}}, class: AEO}
"""
    )
    assert run(text, engine=engine).marks("left") == {"a0": 41, "b0": 13, "c0": 70}


def test_priority_by_attribute(engine):
    """
    The line for one desk is ordered by goods.
    """
    text = (
        FLOW
        + """
      serve: {hold: {d: Z.desk}, priority: {by: goods, food: 1, all: 2}, take: 5 min}
zones: {Z: {desk: {units: 1}}}
traffic:
  a: {flow: f, at: [0 min, 1 min, 2 min], attributes: {goods: cloth}}
  b: {flow: f, at: [3 min, 4 min]}
"""
    )
    assert run(text, engine=engine).marks("left") == {"a0": 5, "b0": 10, "b1": 15, "a1": 20, "a2": 25}


def test_set_changes_one_attribute_and_leaves_the_others(engine):
    """
    Who becomes cloth keeps class and size; who gets another class keeps its attributes.
    """
    text = (
        FLOW
        + """
      change: {set: {goods: cloth}}
      upgrade: {when: {size: big}, set: {class: AEO}}
      goods: {take: {by: goods, food: 1 min, cloth: 2 min}}
      size: {take: {by: size, big: 10 min, small: 20 min}}
      klass: {take: {by: class, AEO: 3 min, ordinary: 4 min}}
      both: {set: {goods: food, size: small, class: ordinary}}
      again: {when: {goods: food, size: small, class: ordinary}, take: 30 min}
traffic:
  a: {flow: f, at: [0 min], attributes: {size: big}, class: ordinary}
  b: {flow: f, at: [0 min], attributes: {goods: cloth}, class: AEO}
"""
    )

    assert run(text, engine=engine).marks("left") == {"a0": 2 + 10 + 3 + 30, "b0": 2 + 20 + 3 + 30}


def test_batches_by_attribute(engine):
    """
    Batches of two are of one kind of goods, whatever the class; the first member does the inner step for both.
    """
    text = (
        FLOW
        + """
      batch: {gather: {number: 2, by: goods}, steps: {go: {take: 5 min}}}
traffic:
  a: {flow: f, at: [0 min, 10 min], class: AEO}
  b: {flow: f, at: [1 min, 3 min], attributes: {goods: cloth}, class: AEO}
  c: {flow: f, at: [2 min], class: ordinary}
"""
    )
    line = run(text, engine=engine)

    assert line.marks("left") == {"a0": 15, "a1": 15, "b0": 8, "b1": 8}


def test_batches_by_class_beside_attributes(engine):
    """
    Batches by class hold goods of every kind.
    """
    text = (
        FLOW
        + """
      batch: {gather: {number: 2, by: class}}
      go: {take: 5 min}
traffic: {a: {flow: f, at: [0 min, 4 min], classes: {AEO: 100 %}, attributes: {goods: {food: 50 %, cloth: 50 %}}}}
"""
    )
    assert run(text, engine=engine).marks("left") == {"a0": 9, "a1": 9}


def test_children_and_heirs_have_the_attributes(engine):
    """
    Parts of a split and tokens that others start are of the same goods.
    """
    text = (
        FLOW
        + """
      parts: {split: {into: part, count: 2}}
      pack: {take: {by: goods, food: 1 min, cloth: 3 min}}
      together: {join: parts}
      back: {spawn: back}
  g: {steps: {work: {take: {by: goods, food: 7 min, cloth: 9 min}}}}
traffic:
  a: {flow: f, at: [0 min], attributes: {goods: cloth}}
  back: {flow: g, spawned: true}
"""
    )
    assert run(text, engine=engine).marks("left") == {"a0": 3, "back0": 12}


def test_truth_by_attribute(engine):
    """
    A hidden truth may depend on an attribute, and on the class besides.
    """
    text = (
        FLOW
        + """
      check: {detect: {truth: wrong, sensitivity: 100 %, on_hit: {mark: stopped}}}
      desk: {when: {marked: stopped}, take: 10 min}
truth: {wrong: {by: goods, food: 0 %, all: {AEO: 0 %, all: 100 %}}}
traffic:
  a: {flow: f, at: [0 min], class: ordinary}
  b: {flow: f, at: [0 min], attributes: {goods: cloth}, class: ordinary}
  c: {flow: f, at: [0 min], attributes: {goods: cloth}, class: AEO}
"""
    )
    assert run(text, engine=engine).marks("left") == {"a0": 0, "b0": 10, "c0": 0}


def test_more_classes_than_a_number_has_bits(engine):
    """
    With 9 × 9 kinds of goods and sizes conditions, changes and batches mean the same.
    """
    mixes = [f"{name}: {{{', '.join(f'{name}{n}: {100 if n == 4 else 0} %' for n in range(9))}}}" for name in "gs"]
    text = f"""
clock: {{measure: 100 min}}
attributes: {{{", ".join(mixes)}}}
zones: {{Z: {{desk: {{units: 1}}}}}}
flows:
  f:
    steps:
      mine: {{when: {{g: [g4, g7], s: s4}}, take: 1 min}}
      other: {{when: {{g: g7}}, take: {{by: s, s4: 7 min, all: 9 min}}}}
      change: {{set: {{g: g8}}}}
      changed: {{when: {{g: g8}}, hold: {{d: Z.desk}}, priority: {{by: s, s4: 2, all: 1}}, take: {{by: s, s4: 20 min, all: 10 min}}}}
      batch: {{gather: {{number: 2, by: s}}}}
traffic:
  a: {{flow: f, at: [0 min, 0 min]}}
  b: {{flow: f, at: [2 min, 12 min], attributes: {{g: g7, s: s0}}}}
"""
    line = run(text, engine=engine)

    # The desk serves a0 from 1 to 21, then b0, which came at 11, b1 at 21 after b0, and a1, which came at 1.
    assert line.visits("changed") == {"a0": (1, 1, 21), "b0": (11, 21, 31), "b1": (21, 31, 41), "a1": (1, 41, 61)}
    assert line.marks("left") == {"b0": 41, "b1": 41, "a0": 61, "a1": 61}
