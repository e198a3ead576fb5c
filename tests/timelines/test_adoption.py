"""Who follows a measure, from when and where: exact times."""

from __future__ import annotations

import pytest

from tests.helper import HEAD, add_measure, kpis, plan_of, run_plan
from zonesim.faults import Faults
from zonesim.plan import loads
from zonesim.plan.operations import BranchOn, Op
from zonesim.policy import Arm, Chosen, resolve, world_of
from zonesim.scenario import read_text

CREDIT = """name: m90
annex: 90
params: {share: {default: 100 %, low: 0 %, high: 100 %}}
practices:
  credit:
    label: {en: Top credit at once, zh: 直接认证}
    adoption: {share: $share, of: volume}
    sets_class: {ordinary: AEO}
"""

CLASSES = """
clock: {measure: 1 h}
zones: {Z: {desk: {units: 9}}}
truth: {bad: {AEO: 0 %, ordinary: 100 %, discredited: 0 %}}
flows:
  f:
    steps:
      work: {hold: {d: Z.desk}, take: {by: class, AEO: 1 min, ordinary: 5 min, discredited: 9 min}}
      top: {when: {class: AEO}, take: 2 min}
      check: {detect: {truth: bad, sensitivity: 100 %}}
traffic:
  a: {flow: f, at: [0 min], class: ordinary}
  b: {flow: f, at: [0 min], class: AEO}
  c: {flow: f, at: [0 min], class: discredited}
"""


def arm(*measures: Chosen) -> Arm:
    """Return an arm with these measures."""
    return Arm("with", measures)


def test_a_practice_gives_its_adopters_another_class(monkeypatch, engine):
    """
    Adopters of class ordinary get the times and conditions of AEO; other classes, the hidden truth and the class that results
    count stay.
    """
    add_measure(monkeypatch, CREDIT)
    base = run_plan(plan_of(CLASSES), engine=engine)
    line = run_plan(plan_of(CLASSES, arm=arm(Chosen("m90"))), engine=engine)

    assert base.ends("work") == {"a0": 5, "b0": 1, "c0": 9}
    assert line.ends("work") == {"a0": 1, "b0": 1, "c0": 9}
    assert line.ends("top") == {"a0": 3, "b0": 3}
    assert line.marks("bad.caught") == {"a0": 3}
    assert base.marks("bad.caught") == {"a0": 5}
    assert [own.tolist() for own in line.totals.classes] == [own.tolist() for own in base.totals.classes]


def test_the_load_of_upgraded_tokens_is_that_of_their_new_class(monkeypatch):
    """
    The traffic equations follow the change of class: (1 + 1 + 9) min over nine units and an hour.
    """
    add_measure(monkeypatch, CREDIT)

    assert loads(plan_of(CLASSES, arm=arm(Chosen("m90"))))[0].mean == pytest.approx(11 / 9 / 60)


def test_a_share_of_the_volume_is_upgraded(monkeypatch):
    """
    With 40 % of the volume adopting, 40 % of the ordinary volume is treated as AEO, in the mean over replications.
    """
    add_measure(monkeypatch, CREDIT)
    text = """
clock: {measure: 10 h}
firms: {count: 400, credit: {AEO: 20 %, ordinary: 80 %}}
flows: {f: {steps: {work: {take: {by: class, AEO: 0 min, ordinary: 10 min}}}}}
traffic: {a: {flow: f, rate: 5 /min}}
"""
    plan = plan_of(text, arm=arm(Chosen("m90", (("share", "40 %"),))))
    found = [run.values["f.work.service.mean"] * 60_000 for run in kpis(plan, replications=3)]

    assert sum(found) / 3 / 60_000 == pytest.approx(10 * 0.8 * 0.6, rel=0.05)


def test_two_measures_may_not_give_one_class_two_others(monkeypatch):
    """
    The fault names both practices and stands where the second says it.
    """
    add_measure(monkeypatch, CREDIT)
    add_measure(monkeypatch, CREDIT.replace("90", "91").replace("{ordinary: AEO}", "{ordinary: discredited}"))

    with pytest.raises(Faults) as caught:
        plan_of(CLASSES, arm=arm(Chosen("m90"), Chosen("m91")))
    assert str(caught.value) == (
        "timeline.yaml:1:1: practices 'm90.credit' and 'm91.credit' both set the class of 'ordinary'\n"
        "    used at zonesim's own library/measures/m91.yaml:12:28\n"
        "    Leave one of the measures out."
    )


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("    sets_class: {ordinary: AEO}\n", "", "a practice without 'edits' and without 'sets_class'\n    Say what it changes."),
        ("ordinary: AEO", "AEO: AEO", "'sets_class' gives class 'AEO' to itself\n    Name two classes."),
    ],
)  # fmt: skip
def test_a_practice_does_something(monkeypatch, old, new, message):
    """
    A practice that changes nothing is a fault of its file.
    """
    with pytest.raises(Faults) as caught:
        add_measure(monkeypatch, CREDIT.replace(old, new))

    assert str(caught.value).endswith(message)


# --- from a date on

FASTER = """name: m92
annex: 92
params: {share: {default: 100 %, low: 0 %, high: 100 %}}
practices:
  fast:
    label: {en: Faster, zh: 加快}
    adoption: {share: $share, of: volume}
    edits: [{set: flows.f.work.take, to: 10 min}]
"""

DAYS = """
clock: {start: "2018-09-03", measure: 3 d}
zones: {A: {desk: {units: 1}}, B: {desk: {units: 1}}, OUT: {outside: true, desk: {units: unlimited}}}
flows:
  f: {params: {zone: zone}, steps: {work: {take: 60 min}}}
  t: {params: {sender: zone, receiver: zone}, steps: {both: {call: f2, with: {from: $sender, to: $receiver}}}}
  f2: {params: {from: zone, to: zone}, steps: {inner: {call: g}}}
  g: {steps: {work: {take: 60 min}}}
traffic:
  a: {flow: f, with: {zone: A}, at: [0 h, 1439.99 min, 1440 min, 47 h]}
  b: {flow: f, with: {zone: B}, at: [0 h, 1440 min]}
"""


def lengths(plan, engine, step="work"):
    """Return how many minutes each token spent in a step."""
    return {name: round(end - start, 9) for name, (_, start, end) in run_plan(plan, engine=engine).visits(step).items()}


def test_tokens_that_arrive_from_the_start_on_follow(monkeypatch, engine):
    """
    A measure that starts on the second day holds for tokens that arrive at its 00:00 or later, to the millisecond.
    """
    add_measure(monkeypatch, FASTER)
    plan = plan_of(DAYS, arm=arm(Chosen("m92", start="2018-09-04")))

    assert lengths(plan, engine) == {"a0": 60, "a1": 60, "a2": 10, "a3": 10, "b0": 60, "b1": 10}


def test_a_start_on_the_first_day_is_no_start(monkeypatch):
    """
    From the run's first moment on is the plan without a start.
    """
    add_measure(monkeypatch, FASTER)

    assert (
        plan_of(DAYS, arm=arm(Chosen("m92", start="2018-09-03"))).identity
        == plan_of(DAYS, arm=arm(Chosen("m92"))).identity
    )


def test_a_measure_holds_in_its_zones_only(monkeypatch, engine):
    """
    `zones: [B]` leaves zone A as it was, without a choice left in the program.
    """
    add_measure(monkeypatch, FASTER)
    plan = plan_of(DAYS, arm=arm(Chosen("m92", zones=("B",))))

    assert lengths(plan, engine) == {"a0": 60, "a1": 60, "a2": 60, "a3": 60, "b0": 10, "b1": 10}
    assert len(plan.adoptions) == 0


def test_zone_and_start_together(monkeypatch, engine):
    """
    In B from the second day on.
    """
    add_measure(monkeypatch, FASTER)
    plan = plan_of(DAYS, arm=arm(Chosen("m92", start="2018-09-04", zones=("B",))))

    assert lengths(plan, engine) == {"a0": 60, "a1": 60, "a2": 60, "a3": 60, "b0": 60, "b1": 10}


TRANSFERS = """
clock: {measure: 1 d}
zones: {A: {desk: {units: 1}}, B: {desk: {units: 1}}, OUT: {outside: true, desk: {units: unlimited}}}
flows:
  t: {params: {sender: zone, receiver: zone}, steps: {inner: {call: f}}}
  f: {steps: {work: {take: 60 min}}}
traffic:
  aa: {flow: t, with: {sender: A, receiver: A}, at: [0 h]}
  ab: {flow: t, with: {sender: A, receiver: B}, at: [0 h]}
  ba: {flow: t, with: {sender: B, receiver: A}, at: [0 h]}
  ax: {flow: t, with: {sender: A, receiver: OUT}, at: [0 h]}
  xb: {flow: t, with: {sender: OUT, receiver: B}, at: [0 h]}
"""


def test_what_happens_in_two_zones_needs_both(monkeypatch, engine):
    """
    A transfer follows a measure in force in A only when all its zones are A; zones outside the model do not count, and a call
    without zones is where the call around it is.
    """
    add_measure(monkeypatch, FASTER)
    plan = plan_of(TRANSFERS, arm=arm(Chosen("m92", zones=("A",))))

    assert lengths(plan, engine, "inner.work") == {"aa0": 10, "ab0": 60, "ba0": 60, "ax0": 10, "xb0": 60}


def test_a_practice_is_adopted_zone_by_zone(monkeypatch, engine):
    """
    `adopted` gives a share to each zone: a transfer follows the practice only if it is adopted at both ends.
    """
    add_measure(monkeypatch, FASTER)
    plan = plan_of(TRANSFERS + "adopted: {m92: {fast: {A: 100 %, OUT: 100 %, all: 0 %}}}\n")

    assert lengths(plan, engine, "inner.work") == {"aa0": 10, "ab0": 60, "ba0": 60, "ax0": 10, "xb0": 60}
    assert len(plan.adoptions) == 0


def test_the_measure_raises_every_zone_to_its_share(monkeypatch):
    """
    A zone above the measure's share keeps its own, the others rise to it; in the zones where it is not in force nothing changes.
    """
    add_measure(monkeypatch, FASTER)
    text = TRANSFERS + "adopted: {m92: {fast: {A: 80 %, all: 10 %}}}\n"
    world = world_of(read_text(HEAD + text, "x.yaml"))
    use = resolve(world, arm(Chosen("m92", (("share", "50 %"),)))).uses["m92.fast"]
    only_b = resolve(world, arm(Chosen("m92", (("share", "50 %"),), zones=("B",)))).uses["m92.fast"]

    assert [use.at(zone).after for zone in ("A", "B", "OUT")] == [0.8, 0.5, 0.5]
    assert [only_b.at(zone).after for zone in ("A", "B", "OUT")] == [0.8, 0.5, 0.5]
    assert [own.before for own in (use.at("A"), use.at("B"))] == [0.8, 0.5]
    assert resolve(world, arm()).uses["m92.fast"].at("B").after == 0.1
    assert use.words() == "A 80 %, others 50 %"


def test_each_firm_adopts_in_its_own_zone(monkeypatch):
    """
    Where everybody in A and half of the volume in B follow, half of the transfers between them do (the sender's firm is in A), and
    those inside B only when both firms do.
    """
    from zonesim.compiled.streams import run_key
    from zonesim.engine.arrivals import Population

    add_measure(monkeypatch, FASTER)
    text = """
clock: {measure: 1 d}
firms: {count: 300}
zones: {A: {desk: {units: 1}}, B: {desk: {units: 1}}}
adopted: {m92: {fast: {A: 100 %, B: 50 %}}}
flows:
  f: {params: {sender: zone, receiver: zone}, steps: {work: {take: 60 min}}}
traffic:
  ab: {flow: f, parties: 2, with: {sender: A, receiver: B}, rate: 1 /min}
  bb: {flow: f, parties: 2, with: {sender: B, receiver: B}, rate: 1 /min}
"""
    plan = plan_of(text)
    population = Population(plan, run_key(1, 0))
    asked = plan.program["b"][(plan.program["op"] == Op.BRANCH) & (plan.program["a"] == BranchOn.FLAG)].tolist()
    share = {
        name: sum(population.describe(source, ordinal, 0, ordinal)[1] >> asked[source] & 1 for ordinal in range(4_000))
        / 4_000
        for source, name in enumerate(plan.names.sources)
    }

    assert share["ab"] == pytest.approx(0.5, abs=0.03)
    assert share["bb"] == pytest.approx(0.25, abs=0.03)


@pytest.mark.parametrize("of", ["firms", "token", "volume"])
def test_of_what_a_share_is_a_share(monkeypatch, of):
    """
    With one firm of ten that has most of the volume: half of the firms adopt whole, half of the tokens adopt one by one, and half of
    the volume adopts in the mean over replications.
    """
    from zonesim.compiled.streams import run_key
    from zonesim.engine.arrivals import Population

    add_measure(monkeypatch, FASTER.replace("of: volume", f"of: {of}"))
    text = """
clock: {measure: 1 d}
firms: {count: 10, volume: {zipf: 3}}
flows: {f: {steps: {work: {take: 60 min}}}}
traffic: {a: {flow: f, rate: 1 /min}}
"""
    plan = plan_of(text, arm=arm(Chosen("m92", (("share", "50 %"),))))
    shares, firms = [], []
    for replication in range(300 if of == "volume" else 20):
        population = Population(plan, run_key(1, replication))
        firms.append(sum(map(bool, population.flags)))
        tokens = 100 if of == "volume" else 400
        shares.append(sum(population.describe(0, ordinal, 0, ordinal)[1] for ordinal in range(tokens)) / tokens)

    if of == "firms":
        assert set(firms) == {5}
        assert max(shares) > 0.8
        assert min(shares) < 0.2
    elif of == "token":
        assert all(abs(share - 0.5) < 0.12 for share in shares)
    else:
        assert sum(shares) / len(shares) == pytest.approx(0.5, abs=0.08)
        assert max(shares) > 0.8


def test_who_adopts_before_adopts_after(monkeypatch):
    """
    Before the start 30 % follow, from it on 70 %, of firms and of tokens alike: the first are among the second.
    """
    from zonesim.compiled.streams import run_key
    from zonesim.engine.arrivals import Population

    add_measure(monkeypatch, FASTER)
    text = """
clock: {start: "2018-09-03", measure: 2 d}
firms: {count: 50}
adopted: {m92: {fast: 30 %}}
flows: {f: {steps: {work: {take: 60 min}}}}
traffic: {a: {flow: f, rate: 1 /min}, cars: {flow: f, rate: 1 /min, parties: 0}}
"""
    plan = plan_of(text, arm=arm(Chosen("m92", (("share", "70 %"),), "2018-09-04")))
    population = Population(plan, run_key(1, 0))
    for source in range(2):
        before, after = (
            {ordinal for ordinal in range(2_000) if population.describe(source, ordinal, time, ordinal)[1]}
            for time in (24 * 60 * 60_000 - 1, 24 * 60 * 60_000)
        )
        assert before < after
        assert len(before) / 2_000 == pytest.approx(0.3, abs=0.05)
        assert len(after) / 2_000 == pytest.approx(0.7, abs=0.05)


# --- capacity

LANES = """name: m93
annex: 93
zone_edits: [{set: zones.*.desk.units, to: 2}]
"""


def test_zone_edits_change_capacity_at_their_start(monkeypatch, engine):
    """
    Two tokens wait for one desk at 23:30 and one more at 24:00, when a second desk opens: the queue is served from that instant on.
    """
    add_measure(monkeypatch, LANES)
    text = """
clock: {start: "2018-09-03", measure: 3 d}
zones: {A: {desk: {units: 1}}}
flows: {f: {steps: {work: {hold: {d: A.desk}, take: 60 min}}}}
traffic: {a: {flow: f, at: [1410 min, 1411 min, 1412 min]}}
"""
    base = run_plan(plan_of(text), engine=engine)
    line = run_plan(plan_of(text, arm=arm(Chosen("m93", start="2018-09-04"))), engine=engine)

    assert base.starts("work") == {"a0": 1410, "a1": 1470, "a2": 1530}
    assert line.starts("work") == {"a0": 1410, "a1": 1440, "a2": 1470}


def test_a_table_of_units_changes_at_its_start(monkeypatch, engine):
    """
    From Tuesday on two desks are open from 08:00 on where the table had one; a number that becomes a table does the same.
    """
    text = """
clock: {start: "2018-09-03", measure: 3 d}
zones: {A: {desk: {units: {mon-sun: {"08:00-12:00": 1}}}}, B: {desk: {units: 1}}}
flows: {f: {steps: {work: {hold: {d: A.desk}, take: 60 min}}}}
traffic: {a: {flow: f, at: [0 h, 0 h, 24 h, 24 h]}}
"""
    chosen = arm(Chosen("m93", start="2018-09-04"))
    add_measure(monkeypatch, LANES.replace("zones.*.desk.units", "zones.A.desk.units.mon-sun.08:00-12:00"))
    line = run_plan(plan_of(text, arm=chosen), engine=engine)
    table = 'zones.A.desk.units, to: {mon-sun: {"08:00-12:00": 2}}'
    add_measure(monkeypatch, LANES.replace("zones.*.desk.units, to: 2", table))
    whole = run_plan(plan_of(text.replace('{mon-sun: {"08:00-12:00": 1}}', "1"), arm=chosen), engine=engine)

    assert list(line.starts("work").values()) == [480, 540, 32 * 60, 32 * 60]
    assert list(whole.starts("work").values()) == [0, 60, 32 * 60, 32 * 60]


def test_hours_change_at_their_start(monkeypatch, engine):
    """
    Work that pauses at closing time counts the old hours before the start and the new ones after: 40 min are left at 17:00 on Tuesday,
    and are done at midnight, when the desk begins to be open always.
    """
    add_measure(monkeypatch, LANES.replace("desk.units, to: 2", "desk.open, to: always"))
    text = """
clock: {start: "2018-09-03", measure: 3 d}
zones: {A: {desk: {units: 1, open: office, at_shift_end: pause}}}
flows: {f: {steps: {work: {hold: {d: A.desk}, take: 60 min}}}}
traffic: {a: {flow: f, at: [2440 min]}}
"""
    close = 24 * 60 + 17 * 60
    base = run_plan(plan_of(text), engine=engine)
    line = run_plan(plan_of(text, arm=arm(Chosen("m93", start="2018-09-05"))), engine=engine)

    assert close - 2440 == 20
    assert base.ends("work") == {"a0": 2 * 24 * 60 + 8 * 60 + 30 + 40}
    assert line.ends("work") == {"a0": 2 * 24 * 60 + 40}


def test_zone_edits_keep_to_the_zones_of_the_measure(monkeypatch):
    """
    `zones.*` means the zones that the arm names; another zone by name is a fault.
    """
    add_measure(monkeypatch, LANES)
    add_measure(monkeypatch, LANES.replace("*", "A").replace("93", "94"))
    world = world_of(read_text(HEAD + DAYS, "x.yaml"))
    only_b = resolve(world, arm(Chosen("m93", zones=("B",))))

    assert [only_b.world.tree["zones"][zone]["desk"]["units"] for zone in ("A", "B", "OUT")] == [1, 2, "unlimited"]
    with pytest.raises(Faults) as caught:
        resolve(world, arm(Chosen("m94", zones=("B",))))
    assert str(caught.value) == (
        "x.yaml:1:1: measure 'm94' sets 'zones.A.desk.units', but is limited to B\n"
        "    used at zonesim's own library/measures/m94.yaml:7:14\n"
        "    Limit it to a zone that it edits, or to none."
    )


def test_with_a_start_only_capacity_changes(monkeypatch):
    """
    What else a zone has cannot change in the middle of a run.
    """
    add_measure(monkeypatch, LANES.replace("desk.units, to: 2", "desk.at_shift_end, to: pause"))
    with pytest.raises(Faults) as caught:
        plan_of(DAYS, arm=arm(Chosen("m93", start="2018-09-04")))

    assert str(caught.value) == (
        "timeline.yaml:1:1: measure 'm93' edits 'zones.A.desk.at_shift_end' from 2018-09-04 on\n"
        "    used at zonesim's own library/measures/m93.yaml:7:14\n"
        "    With a start, `zone_edits` change `units` and `open` of resources only."
    )


def test_the_load_follows_the_shares_over_the_run(monkeypatch):
    """
    Half of the run with 60 min a token and half with 10 min is a mean of 35 min.
    """
    add_measure(monkeypatch, FASTER)
    text = """
clock: {start: "2018-09-03", measure: 2 d}
zones: {A: {desk: {units: 1}}}
flows: {f: {steps: {work: {hold: {d: A.desk}, take: 60 min}}}}
traffic: {a: {flow: f, rate: 1 /h}}
"""
    plan = plan_of(text, arm=arm(Chosen("m92", start="2018-09-04")))

    assert loads(plan)[0].mean == pytest.approx(35 / 60)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{fast: {C: 5 %}}", "timeline.yaml:16:24: no zone 'C' in the scenario\n    Known zones: A, B, OUT, all."),
        ("{fats: {A: 5 %}}", "timeline.yaml:16:17: measure 'm92' has no practice 'fats'\n    Did you mean 'fast'?"),
        ("{fast: {A: 5 h}}", "timeline.yaml:16:27: '5 h' is a duration, but a share is due\n    Write a share such as '5 %'."),
    ],
)  # fmt: skip
def test_what_is_wrong_with_shares_by_zone(monkeypatch, text, message):
    """
    Zones, practices and shares are checked at their places.
    """
    add_measure(monkeypatch, FASTER)
    with pytest.raises(Faults) as caught:
        plan_of(TRANSFERS + f"adopted: {{m92: {text}}}\n")

    assert str(caught.value) == message
