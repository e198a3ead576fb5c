"""The order of what happens at one instant: each rule in a case that another order would change."""

from __future__ import annotations

import pytest

from tests.helper import run

HEAD = """
clock: {measure: 60 min}
zones: {Z: {desk: {units: 1}, other: {units: 1}, bays: {units: 2}}}
"""


def starts(text: str, engine: str, step: str = "use") -> dict[str, float]:
    """Return when each token starts at a step."""
    return run(HEAD + text, engine=engine).starts(step)


# --- ranks: hold end, arrival, patience, batch timeout


def test_a_hold_end_comes_before_an_arrival(engine):
    """
    Work that ends at the instant of an arrival has ended, whatever the names of the entries: the newcomer sees no line.
    """
    text = """
flows:
  work: {steps: {use: {hold: {d: Z.desk}, take: 10 min}}}
  look: {steps: {look: {when: {queue: {of: Z.desk, longer_than: 0}}, mark: saw_a_line}}}
traffic: {a: {flow: look, at: [9.999 min, 10 min]}, z: {flow: work, at: [0 min, 0 min]}}
"""
    assert run(HEAD + text, engine=engine).marks("saw_a_line") == {"a0": 9.999}


def test_an_arrival_comes_before_the_end_of_patience(engine):
    """
    Who arrives at the instant at which somebody gives up still sees that one in line.
    """
    text = """
flows:
  hog: {steps: {use: {hold: {d: Z.desk}, take: 30 min}}}
  brief: {steps: {use: {hold: {d: Z.desk}, patience: {longest: 5 min}, take: 1 min}}}
  look: {steps: {look: {when: {queue: {of: Z.desk, longer_than: 0}}, mark: saw_a_line}}}
traffic: {a: {flow: hog, at: [0 min]}, b: {flow: brief, at: [1 min]}, c: {flow: look, at: [6 min, 6.001 min]}}
"""
    line = run(HEAD + text, engine=engine)

    assert line.visits("use")["b0"] == (1, -1, 6)
    assert line.marks("saw_a_line") == {"c0": 6}


def test_the_end_of_patience_comes_before_the_end_of_a_batch(engine):
    """
    Who gives up at the instant at which a batch ends still joins it; who gives up a moment later waits for the next.
    """
    text = """
flows:
  hog: {steps: {use: {hold: {d: Z.desk}, take: 50 min}}}
  f:
    steps:
      ask: {hold: {d: Z.desk}, patience: {longest: 5 min, next: wait}, take: 1 min}
      wait: {gather: {within: 10 min}}
traffic: {a: {flow: hog, at: [0 min]}, b: {flow: f, at: [0 min, 10 min, 10.001 min]}}
"""
    line = run(HEAD + text, engine=engine)

    assert line.visits("wait") == {"b0": (5, 15, 15), "b1": (15, 15, 15), "b2": (15.001, 25.001, 25.001)}


def test_time_never_goes_back_but_rank_may(engine):
    """
    A hold of no time that begins with an arrival ends before the next arrival of the same instant.
    """
    text = """
flows:
  slow: {steps: {nothing: {take: 0 min}, use: {hold: {d: Z.desk}, take: 5 min}}}
  fast: {steps: {use: {hold: {d: Z.desk}, take: 5 min}}}
traffic: {a: {flow: slow, at: [10 min]}, b: {flow: fast, at: [10 min]}}
"""
    assert starts(text, engine) == {"a0": 10, "b0": 15}


def test_a_token_spawned_at_once_arrives_after_the_hold_ends_of_the_instant(engine):
    """
    It has the rank of an arrival: whoever's work ends at this instant goes first, also one with a larger number.
    """
    text = """
flows:
  first: {steps: {wait: {take: 10 min, spawn: child}}}
  later: {steps: {wait: {take: 10 min}, use: {hold: {d: Z.desk}, take: 5 min}}}
  new: {steps: {use: {hold: {d: Z.desk}, take: 5 min}}}
traffic: {a: {flow: first, at: [0 min]}, child: {flow: new, spawned: true}, z: {flow: later, at: [0 min]}}
"""
    assert starts(text, engine) == {"z0": 10, "child0": 15}


# --- numbers


def test_of_one_rank_the_smaller_number_goes_first(engine):
    """
    Holds that end at one instant end by entry, then ordinal, then child, whichever of them began first.
    """
    text = """
flows:
  f: {params: {t: duration}, steps: {wait: {take: $t}, use: {hold: {d: Z.desk}, take: 5 min}}}
  g: {steps: {t: {split: {count: 2}}, wait: {take: 10 min}, use: {hold: {d: Z.desk}, take: 5 min}, all: {join: t}}}
traffic:
  a: {flow: f, at: [5 min], with: {t: 5 min}}
  b: {flow: g, at: [0 min, 0 min]}
  c: {flow: f, at: [0 min], with: {t: 10 min}}
"""
    assert starts(text, engine) == {"a0": 10, "b0/1": 15, "b0/2": 20, "b1/1": 25, "b1/2": 30, "c0": 35}


def test_batches_that_end_at_one_instant_go_by_their_first_member(engine):
    """
    The time of a batch has the number of its first member: that of the smaller one is over first.
    """
    text = """
flows:
  f: {params: {t: duration}, steps: {wait: {gather: {within: $t}}, use: {hold: {d: Z.desk}, take: 5 min}}}
traffic: {a: {flow: f, at: [5 min], with: {t: 5 min}}, b: {flow: f, at: [0 min, 1 min], with: {t: 10 min}}}
"""
    assert starts(text, engine) == {"a0": 10, "b0": 15, "b1": 20}


# --- the ready list


def test_who_was_made_ready_goes_before_the_next_timed_event(engine):
    """
    The last child leaves: its parent goes on before another hold that ends at the same instant, though its number is larger.
    """
    text = """
flows:
  f: {steps: {t: {split: {count: 2}}, work: {take: 10 min}, all: {join: t}, use: {hold: {d: Z.desk}, take: 5 min}}}
  g: {steps: {wait: {take: 10 min}, use: {hold: {d: Z.desk}, take: 5 min}}}
traffic: {b: {flow: f, at: [0 min]}, c: {flow: g, at: [0 min]}}
"""
    assert starts(text, engine) == {"b0": 10, "c0": 15}


def test_ready_tokens_go_first_come_first_served(engine):
    """
    Two bays come free and two waiters are granted in order; what the first of them makes ready stands behind the second.
    """
    text = """
flows:
  hog: {steps: {bay: {hold: {b: {resource: Z.bays, units: 2}}, take: 10 min}}}
  f:
    steps:
      bay:
        hold: {b: Z.bays}
        steps:
          aside: {background: true, hold: {d: Z.desk}, take: 5 min}
          work: {take: 1 min}
  g: {steps: {bay: {hold: {b: Z.bays}, steps: {use: {hold: {d: Z.desk}, take: 5 min}}}}}
traffic: {a: {flow: hog, at: [0 min]}, b: {flow: f, at: [1 min]}, c: {flow: g, at: [2 min]}}
"""
    line = run(HEAD + text, engine=engine)

    assert line.starts("bay") == {"a0": 0, "b0": 10, "c0": 10}
    assert line.visits("bay.use") == {"c0": (10, 10, 15)}
    assert line.visits("bay.aside") == {"b0/1": (10, 15, 20)}


def test_a_seize_that_can_be_met_goes_on_without_a_pause(engine):
    """
    A token that finds its units free does not go to the end of the ready list: it takes the second one too, before another
    that was made ready with it.
    """
    text = """
flows:
  f:
    steps:
      wait: {gather: {number: 2}}
      one: {hold: {o: Z.bays}, steps: {use: {hold: {d: Z.desk}, take: 5 min}}}
traffic: {a: {flow: f, at: [1 min, 2 min]}}
"""
    assert starts(text, engine, "one.use") == {"a0": 2, "a1": 7}


def test_the_leader_goes_on_before_the_others(engine):
    """
    When the leader of a batch has done its work it goes on at once; the others follow in the order in which they joined.
    """
    text = """
flows:
  f: {steps: {led: {gather: {number: 3}, steps: {work: {take: 7 min}}}, use: {hold: {d: Z.desk}, take: 5 min}}}
traffic: {a: {flow: f, at: [0 min, 1 min, 2 min]}}
"""
    assert starts(text, engine) == {"a0": 9, "a1": 14, "a2": 19}


# --- giving back


def test_a_unit_given_back_belongs_to_the_waiter_at_once(engine):
    """
    Who gives a unit back and asks for it again in the next instruction has lost it; the line is shorter already, though the
    waiter has not moved.
    """
    text = """
flows:
  f:
    steps:
      first: {hold: {d: Z.desk}, take: 5 min}
      look: {when: {queue: {of: Z.desk, longer_than: 0}}, mark: saw_a_line}
      use: {hold: {d: Z.desk}, take: 5 min}
traffic: {a: {flow: f, at: [0 min, 1 min]}}
"""
    line = run(HEAD + text, engine=engine)

    assert line.visits("first") == {"a0": (0, 0, 5), "a1": (1, 5, 10)}
    assert line.visits("use") == {"a0": (5, 10, 15), "a1": (10, 15, 20)}
    assert line.marks("saw_a_line") == {}


def test_all_units_are_given_back_before_a_line_is_served(engine):
    """
    A release of two resources first gives both back: the one who needs both goes before the one behind, who needs one.
    """
    text = """
flows:
  pair: {steps: {use: {hold: {d: Z.desk, o: Z.other}, take: 10 min}}}
  single: {params: {r: resource}, steps: {use: {hold: {r: $r}, take: 10 min}}}
traffic:
  a: {flow: pair, at: [0 min, 1 min]}
  b: {flow: single, at: [2 min], with: {r: Z.desk}}
  c: {flow: single, at: [2 min], with: {r: Z.other}}
"""
    assert starts(text, engine) == {"a0": 0, "a1": 10, "b0": 20, "c0": 20}


@pytest.mark.parametrize(("first", "second"), [("desk", "other"), ("other", "desk")])
def test_lines_are_served_in_the_order_of_the_resources(engine, first, second):
    """
    Two waiters are granted by one release, each at another resource: the one at the resource that comes first in the plan
    goes on first, whoever has waited longer.
    """
    text = f"""
clock: {{measure: 60 min}}
zones: {{Z: {{{first}: {{units: 1}}, {second}: {{units: 1}}, bays: {{units: 2}}}}}}
flows:
  pair: {{steps: {{use: {{hold: {{x: Z.{first}, y: Z.{second}}}, take: 10 min}}}}}}
  single: {{params: {{r: resource}}, steps: {{use: {{hold: {{r: $r}}, steps: {{at_bay: {{hold: {{b: {{resource: Z.bays, units: 2}}}}, take: 5 min}}}}}}}}}}
traffic:
  a: {{flow: pair, at: [0 min]}}
  b: {{flow: single, at: [1 min], with: {{r: Z.{second}}}}}
  c: {{flow: single, at: [2 min], with: {{r: Z.{first}}}}}
"""
    line = run(text, engine=engine)
    names = [each.name for each in line.plan.names.resources]

    assert names.index(first) < names.index(second)
    assert line.starts("use.at_bay") == {"c0": 10, "b0": 15}


# --- giving up


def test_who_gives_up_goes_on_before_those_whom_it_lets_pass(engine):
    """
    A large request gives up: its token is made ready first, then the line it has left is served. Both want the desk.
    """
    text = """
flows:
  hog: {steps: {bay: {hold: {b: Z.bays}, take: 40 min}}}
  large:
    steps:
      bay: {hold: {b: {resource: Z.bays, units: 2}}, patience: {longest: 5 min, next: use}, take: 1 min}
      use: {hold: {d: Z.desk}, take: 5 min}
  small: {steps: {bay: {hold: {b: Z.bays}, steps: {work: {hold: {d: Z.desk}, take: 5 min}}}}}
traffic: {a: {flow: hog, at: [0 min]}, b: {flow: large, at: [1 min]}, c: {flow: small, at: [2 min]}}
"""
    line = run(HEAD + text, engine=engine)

    assert line.visits("bay")["b0"] == (1, -1, 6)
    assert line.visits("bay")["c0"][:2] == (2, 6)
    assert line.visits("use") == {"b0": (6, 6, 11)}
    assert line.visits("bay.work") == {"c0": (6, 11, 16)}


def test_every_line_that_is_left_is_served(engine):
    """
    Who waited for two resources held up one line at each; both go on, that of the first resource first.
    """
    text = """
zones: {Z: {desk: {units: 1}, p: {units: 2}, q: {units: 2}}}
flows:
  hog: {params: {r: resource}, steps: {use: {hold: {r: $r}, take: 50 min}}}
  large: {steps: {use: {hold: {p: {resource: Z.p, units: 2}, q: {resource: Z.q, units: 2}}, patience: {longest: 5 min}, take: 1 min}}}
  small: {params: {r: resource}, steps: {use: {hold: {r: $r}, steps: {work: {hold: {d: Z.desk}, take: 5 min}}}}}
traffic:
  a: {flow: hog, at: [0 min], with: {r: Z.p}}
  b: {flow: hog, at: [0 min], with: {r: Z.q}}
  c: {flow: large, at: [1 min]}
  d: {flow: small, at: [2 min], with: {r: Z.q}}
  e: {flow: small, at: [3 min], with: {r: Z.p}}
"""
    line = run("clock: {measure: 60 min}\n" + text, engine=engine)

    assert line.starts("use") == {"a0": 0, "b0": 0, "c0": -1, "d0": 6, "e0": 6}
    assert line.starts("use.work") == {"e0": 6, "d0": 11}


def test_patience_that_was_met_is_over(engine):
    """
    A wait that ended well at 3 leaves nothing behind: at 5, when it would have ended, the token waits elsewhere and goes on
    waiting.
    """
    text = """
flows:
  hog: {params: {r: resource, t: duration}, steps: {use: {hold: {r: $r}, take: $t}}}
  f:
    steps:
      one: {hold: {d: Z.desk}, patience: {longest: 5 min}, take: 1 min}
      two: {hold: {o: Z.other}, patience: {longest: 30 min}, take: 1 min}
traffic:
  a: {flow: hog, at: [0 min], with: {r: Z.desk, t: 3 min}}
  b: {flow: hog, at: [0 min], with: {r: Z.other, t: 20 min}}
  c: {flow: f, at: [0 min]}
"""
    line = run(HEAD + text, engine=engine)

    assert line.visits("one") == {"c0": (0, 3, 4)}
    assert line.visits("two") == {"c0": (4, 20, 21)}


def test_who_gives_up_and_asks_again_has_a_wait_of_its_own(engine):
    """
    Back to the same line at the instant of giving up: the second wait lasts as long as the first, at the end of the line.
    """
    text = """
flows:
  hog: {steps: {use: {hold: {d: Z.desk}, take: 12 min}}}
  f: {steps: {ask: {hold: {d: Z.desk}, patience: {longest: 5 min, next: ask}, take: 10 min}}}
  calm: {steps: {use: {hold: {d: Z.desk}, take: 10 min}}}
traffic: {a: {flow: hog, at: [0 min]}, b: {flow: f, at: [1 min]}, c: {flow: calm, at: [3 min]}}
"""
    line = run(HEAD + text, engine=engine)

    assert line.rows("ask")[:2] == [("b0", (1, -1, 6)), ("b0", (6, -1, 11))]
    assert line.starts("use") == {"a0": 0, "c0": 12}
    assert line.rows("ask")[2:] == [("b0", (11, -1, 16)), ("b0", (16, -1, 21)), ("b0", (21, 22, 32))]


def test_giving_up_backward_is_a_pass_with_luck_of_its_own(engine):
    """
    A longest wait that is drawn is drawn anew each time.
    """
    text = """
flows:
  hog: {steps: {use: {hold: {d: Z.desk}, take: 60 min}}}
  f: {steps: {ask: {hold: {d: Z.desk}, patience: {longest: {uniform: [1 min, 9 min]}, next: ask}, take: 1 min}}}
traffic: {a: {flow: hog, at: [0 min]}, b: {flow: f, at: [0 min]}}
"""
    waits = {round(end - queued, 6) for _, (queued, _, end) in run(HEAD + text, engine=engine).rows("ask") if end >= 0}

    assert len(waits) > 4


# --- children


def test_children_of_each_pass_have_luck_of_their_own(engine):
    """
    A child begins with the passes of its parent: what it draws in the second round differs from the first.
    """
    text = """
clock: {measure: 1 d}
flows:
  f:
    steps:
      t: {split: {count: 2}}
      work: {take: {uniform: [1 min, 20 min]}}
      all: {join: t, next: {t: 80 %}}
traffic: {a: {flow: f, at: [0 min]}}
"""
    lengths = [round(end - start, 6) for _, (_, start, end) in run(text, engine=engine, seed=3).rows("work")]

    assert len(lengths) >= 6
    assert len(set(lengths)) == len(lengths)


def test_children_start_in_the_order_of_their_numbers(engine):
    """
    Children of one split, and of one parallel step, start one after the other, before whoever comes next.
    """
    text = """
flows:
  f: {steps: {t: {split: {count: 3}}, use: {hold: {d: Z.desk}, take: 5 min}, all: {join: t}}}
  g: {steps: {both: {parallel: {x: {hold: {d: Z.desk}, take: 5 min}, y: {hold: {d: Z.desk}, take: 5 min}}}}}
traffic: {a: {flow: f, at: [0 min]}, b: {flow: g, at: [0 min]}}
"""
    line = run(HEAD + text, engine=engine)

    assert line.starts("use") == {"a0/1": 0, "a0/2": 5, "a0/3": 10}
    assert (line.starts("both.x"), line.starts("both.y")) == ({"b0/1": 15}, {"b0/2": 20})


# --- shifts


@pytest.mark.parametrize(("opens", "closes"), [("p", "q"), ("q", "p")])
def test_all_changes_of_an_instant_are_made_before_anybody_is_served(engine, opens, closes):
    """
    One resource opens at the instant at which another closes: who needs both is not served, whichever comes first in the
    plan.
    """
    text = f"""
clock: {{start: "2018-09-03", measure: 10 h}}
calendars: {{early: {{mon: ["00:00-05:00"]}}, late: {{mon: ["05:00-10:00"]}}}}
zones: {{Z: {{{opens}: {{units: 1, open: late}}, {closes}: {{units: 1, open: early}}}}}}
flows: {{f: {{steps: {{use: {{hold: {{p: Z.p, q: Z.q}}, take: 5 min}}}}}}}}
traffic: {{a: {{flow: f, at: [4 h]}}}}
"""
    assert run(text, engine=engine).visits("use") == {"a0": (240, -1, -1)}


def test_an_opening_comes_before_the_hold_ends_of_the_instant(engine):
    """
    Who waits for the opening is served before one whose work elsewhere ends at that instant, and before one who comes then.
    """
    text = """
clock: {start: "2018-09-03", measure: 10 h}
calendars: {late: {mon: ["05:00-10:00"]}}
zones: {Z: {desk: {units: 1, open: late}}}
flows:
  f: {steps: {use: {hold: {d: Z.desk}, take: 5 min}}}
  g: {steps: {wait: {take: 1 h}, use: {hold: {d: Z.desk}, take: 5 min}}}
traffic: {a: {flow: g, at: [4 h]}, b: {flow: f, at: [5 h]}, z: {flow: f, at: [4.5 h]}}
"""
    assert run(text, engine=engine).starts("use") == {"z0": 300, "a0": 305, "b0": 310}


def test_a_closing_comes_before_the_hold_ends_of_the_instant(engine):
    """
    Who gives a unit back at the instant of closing gives it to nobody.
    """
    text = """
clock: {start: "2018-09-03", measure: 10 h}
calendars: {early: {mon: ["00:00-05:00", "06:00-10:00"]}}
zones: {Z: {desk: {units: 1, open: early}}}
flows: {f: {steps: {use: {hold: {d: Z.desk}, take: 1 h}}}}
traffic: {a: {flow: f, at: [4 h, 4.5 h]}}
"""
    assert run(text, engine=engine).visits("use") == {"a0": (240, 240, 300), "a1": (270, 360, 420)}


# --- edges of the window and the end


@pytest.mark.parametrize(("end", "gave_up"), [("6 min", -1), ("6.001 min", 6)])
def test_nothing_happens_at_the_end(engine, end, gave_up):
    """
    Patience, a batch and a wait for an hour that end exactly with the run do not end in it; a moment earlier they do.
    """
    text = """
calendars: {soon: {mon: ["00:06-01:00"]}}
flows:
  hog: {steps: {use: {hold: {d: Z.desk}, take: 1 h}}}
  brief: {steps: {use: {hold: {d: Z.desk}, patience: {longest: 5 min}, take: 1 min}}}
  batch: {steps: {wait: {gather: {within: 5 min}}}}
  hour: {steps: {rest: {wait_until: soon}}}
traffic: {a: {flow: hog, at: [0 min]}, b: {flow: brief, at: [1 min]}, c: {flow: batch, at: [1 min]}, d: {flow: hour, at: [1 min]}}
"""
    line = run(HEAD.replace("60 min", end) + text, engine=engine)

    assert line.visits("use")["b0"][2] == gave_up
    assert line.visits("wait")["c0"][2] == gave_up
    assert line.visits("rest")["d0"][2] == gave_up


def test_the_longest_line_counts_who_waits_when_the_window_begins(engine):
    """
    Who is served only by the timed events of that instant still counts as waiting; who is served by an opening does not.
    """
    text = """
clock: {start: "2018-09-03", warm_up: 10 min, measure: 50 min}
calendars: {late: {mon: ["00:10-01:00"]}}
zones: {Z: {desk: {units: 1}, shop: {units: 2, open: late}}}
flows: {f: {params: {r: resource}, steps: {use: {hold: {r: $r}, take: 10 min}}}}
traffic: {a: {flow: f, at: [0 min, 1 min], with: {r: Z.desk}}, b: {flow: f, at: [0 min, 1 min], with: {r: Z.shop}}}
"""
    line = run(text, engine=engine)

    assert dict(zip((each.name for each in line.plan.names.resources), line.totals.peak.tolist(), strict=True)) == {
        "desk": 1,
        "shop": 0,
    }
