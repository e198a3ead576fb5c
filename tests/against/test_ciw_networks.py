"""Five networks, each written in Ciw and in zonesim under the rules that both have, agree in waits and times."""

from __future__ import annotations

import pytest

from tests.against.ciw_runs import assert_agree, runs_of, stays, waits
from tests.helper import plan_of

ciw = pytest.importorskip("ciw")

pytestmark = pytest.mark.slow

HOUR = 60.0

BLOCKING = """
clock: {warm_up: 300 min, measure: 3000 min, cool_down: 300 min}
zones: {Z: {saw: {units: 1}, places: {units: 2}, drill: {units: 1}, oven: {units: 2}}}
flows:
  line:
    steps:
      to_saw: {hold: {m: Z.saw}, keep: {m: until leave_saw}}
      saw: {take: {exponential: {mean: 1 min}}}
      leave_saw: {hold: {p: Z.places}, keep: {p: until to_drill}}
      to_drill: {hold: {m: Z.drill}, keep: {m: until to_oven}}
      drill: {take: {gamma: {mean: 1 min, cv: 0.5}}}
      to_oven: {hold: {o: Z.oven}, keep: {o: until bake}}
      bake: {take: {uniform: [1 min, 3 min]}}
traffic: {parts: {flow: line, rate: 0.5 /min}}
"""


def test_a_line_with_few_places():
    """
    Three stations, two places before the second and none before the third: a part stays on its machine until there is
    room. Wait at the first station, and time in the system.
    """
    network = ciw.create_network(
        arrival_distributions=[ciw.dists.Exponential(0.5), None, None],
        service_distributions=[
            ciw.dists.Exponential(1.0),
            ciw.dists.Gamma(shape=4.0, scale=0.25),
            ciw.dists.Uniform(1, 3),
        ],
        number_of_servers=[1, 1, 2],
        queue_capacities=[float("inf"), 2, 0],
        routing=[[0.0, 1.0, 0.0], [0.0, 0.0, 1.0], [0.0, 0.0, 0.0]],
    )
    theirs = runs_of(network, 40, (300, 3300), 3600)
    assert_agree(
        plan_of(BLOCKING),
        theirs,
        {"line.to_saw.wait.mean": (1, waits(1)), "line.stay.mean": (HOUR, stays())},
        widest=0.2,
    )


CLASSES = """
clock: {warm_up: 300 min, measure: 2400 min, cool_down: 300 min}
zones: {Z: {desk: {units: 2}, check: {units: 1}}}
flows:
  office:
    steps:
      serve:
        hold: {d: Z.desk}
        priority: {express: 1, ordinary: 2}
        take: {by: class, express: {exponential: {mean: 1 min}}, ordinary: {exponential: {mean: 3 min}}}
        next: {check: 40 %, end: 60 %}
      check:
        hold: {c: Z.check}
        priority: {express: 1, ordinary: 2}
        take: {exponential: {mean: 2 min}}
        next: {serve: 25 %, end: 75 %}
traffic:
  quick: {flow: office, rate: 0.3 /min, class: express}
  plain: {flow: office, rate: 0.3 /min, class: ordinary}
"""


def _classes(preempt):
    routing = [[0.0, 0.4], [0.25, 0.0]]
    return ciw.create_network(
        arrival_distributions={name: [ciw.dists.Exponential(0.3), None] for name in ("express", "ordinary")},
        service_distributions={
            "express": [ciw.dists.Exponential(1.0), ciw.dists.Exponential(0.5)],
            "ordinary": [ciw.dists.Exponential(1 / 3), ciw.dists.Exponential(0.5)],
        },
        number_of_servers=[2, 1],
        priority_classes=({"express": 0, "ordinary": 1}, [preempt, preempt]),
        routing={"express": routing, "ordinary": routing},
    )


def test_two_classes_with_rework():
    """
    Two classes with service times of their own, nobody interrupted, two in five checked and one in four of these served
    again.
    """
    theirs = runs_of(_classes(False), 40, (300, 2700), 3000)
    assert_agree(
        plan_of(CLASSES),
        theirs,
        {
            "quick.serve.wait.mean": (1, waits(1, name="express")),
            "plain.serve.wait.mean": (1, waits(1, name="ordinary")),
            "quick.check.wait.mean": (1, waits(2, name="express")),
            "plain.check.wait.mean": (1, waits(2, name="ordinary")),
            "plain.stay.mean": (HOUR, stays("ordinary")),
        },
        widest=0.25,
    )


def test_two_classes_that_are_interrupted():
    """
    The same office where the important take the desk of the others, who go on with the rest of their work later.
    """
    theirs = runs_of(_classes("resume"), 40, (300, 2700), 3000)
    assert_agree(
        plan_of(CLASSES, "zones.Z.desk.preempt=true", "zones.Z.check.preempt=true"),
        theirs,
        {"quick.stay.mean": (HOUR, stays("express")), "plain.stay.mean": (HOUR, stays("ordinary"))},
        widest=0.15,
    )


IMPATIENT = """
clock: {warm_up: 200 min, measure: 3000 min, cool_down: 200 min}
zones: {Z: {counter: {units: 2}, letter_box: {units: 1}}}
flows:
  visit:
    steps:
      ask:
        hold: {c: Z.counter}
        patience: {longest: {exponential: {mean: 4 min}}, next: write}
        take: {lognormal: {mean: 3 min, cv: 1}}
        next: end
      write: {hold: {b: Z.letter_box}, take: {exponential: {mean: 2 min}}}
traffic: {people: {flow: visit, rate: 0.8 /min}}
"""


class _ElseToTheLetterBox(ciw.routing.Leave):
    """Who is served leaves; who gives up goes to the second node."""

    def next_node_for_jockeying(self, ind):
        """Return where someone who gives up goes."""
        del ind
        return self.simulation.nodes[2]


def test_who_gives_up_goes_elsewhere():
    """
    Two busy counters; who has waited too long writes a letter instead.
    """
    network = ciw.create_network(
        arrival_distributions=[ciw.dists.Exponential(0.8), None],
        # log-normal with mean 3 and cv 1: the logarithm has variance ln 2 and mean ln 3 - ln 2 / 2
        service_distributions=[ciw.dists.Lognormal(0.7520386983881371, 0.8325546111576977), ciw.dists.Exponential(0.5)],
        number_of_servers=[2, 1],
        routing=ciw.routing.NetworkRouting(routers=[_ElseToTheLetterBox(), ciw.routing.Leave()]),
        reneging_time_distributions=[ciw.dists.Exponential(0.25), None],
    )
    theirs = runs_of(network, 40, (200, 3200), 3400)

    def gave_up(records):
        at_counter = [record for record in records if record.node == 1]
        return sum(record.record_type == "renege" for record in at_counter) / len(at_counter)

    assert_agree(
        plan_of(IMPATIENT),
        theirs,
        {
            "visit.ask.gave_up.share": (1, gave_up),
            "visit.ask.wait.mean": (1, waits(1)),
            "visit.write.wait.mean": (1, waits(2)),
            "visit.stay.mean": (HOUR, stays()),
        },
        widest=0.2,
    )


SHIFTS = """
clock: {warm_up: 720 min, measure: 5760 min, cool_down: 1440 min}
calendars: {shift: {mon-sun: ["00:00-05:00", "06:00-11:00", "12:00-17:00", "18:00-23:00"]}}
zones: {Z: {crew: {units: 3, open: shift, at_shift_end: finish}}}
flows: {unload: {steps: {serve: {hold: {c: Z.crew}, take: {uniform: [5 min, 15 min]}}}}}
traffic: {lorries: {flow: unload, rate: 0.06 /min, batch: {discrete: {1: 50 %, 3: 30 %, 6: 20 %}}}}
"""


def test_batches_for_a_crew_with_breaks():
    """
    Lorries in convoys of one, three or six; a crew of three with an hour off every six hours, who finish the work in
    hand. That ends long before they are back, so that a fresh crew (Ciw) and the same one (zonesim) are alike.
    """
    network = ciw.create_network(
        arrival_distributions=[ciw.dists.Exponential(0.06)],
        batching_distributions=[ciw.dists.Pmf([1, 3, 6], [0.5, 0.3, 0.2])],
        service_distributions=[ciw.dists.Uniform(5, 15)],
        number_of_servers=[ciw.Schedule(numbers_of_servers=[3, 0], shift_end_dates=[300, 360])],
    )
    theirs = runs_of(network, 40, (720, 6480), 7920)
    assert_agree(
        plan_of(SHIFTS),
        theirs,
        {"unload.serve.wait.mean": (1, waits(1)), "unload.stay.mean": (HOUR, stays())},
        widest=0.15,
    )
