"""Arrivals after gaps, arrivals that begin late and come to an end, and rates times a random factor."""

from __future__ import annotations

import numpy as np
import pytest

from tests.helper import plan_of, run
from zonesim.analysis import arrival_warnings
from zonesim.compiled.streams import run_key
from zonesim.engine import engine_for, simulate
from zonesim.engine.arrivals import arrival_times, rates_drawn
from zonesim.experiment.estimate import expected_tokens, first_tokens
from zonesim.faults import Faults
from zonesim.plan import RowLog, loads
from zonesim.tracing.trail import follow
from zonesim.units import DAY, HOUR, MINUTE

DESK = """
clock: {{start: "2018-09-03", {clock}}}
calendars: {{office: {{mon-sun: ["00:20-00:30", "01:00-02:00"]}}}}
profiles: {{p: {{hours: [1, {zeros}]}}}}
factors: {{busy: {{each: day, gamma: {{mean: 1, cv: 0.5}}}}, good: {{each: replication, discrete: {{0.5: 50 %, 2: 50 %}}}}}}
zones: {{Z: {{desk: {{units: 1}}}}}}
flows: {{f: {{steps: {{work: {{hold: {{d: Z.desk}}, take: 1 min}}}}}}}}
traffic: {{a: {{flow: f, {traffic}}}}}
"""


def desk(traffic, clock="measure: 3 h"):
    """Return a scenario with one desk and one entry of traffic."""
    return DESK.format(traffic=traffic, clock=clock, zeros=", ".join("0" * 23))


def came(traffic, engine, clock="measure: 3 h"):
    """Return when tokens came, in minutes."""
    line = run(desk(traffic, clock), engine=engine)
    return [queued for _, (queued, _, _) in line.rows("work")]


def test_the_first_comes_after_a_gap(engine):
    """
    Every half an hour: nobody comes at the start.
    """
    assert came("every: 30 min", engine) == [30, 60, 90, 120, 150]


def test_gaps_begin_with_the_arrivals(engine):
    """
    From 40 minutes on: the first comes at 60. Until 2 hours: who would come at this very moment does not.
    """
    assert came("every: 20 min, from: 40 min, until: 2 h", engine) == [60, 80, 100]


def test_only_open_time_counts(engine):
    """
    Open are 0:20 to 0:30 and 1:00 to 2:00; every 5 minutes of it, closing time included. From 0:25 on the first comes at 0:30.
    """
    own = "every: {constant: 5 min}, during: office"

    assert came(f"{own}, most: 5", engine) == [25, 30, 65, 70, 75]
    assert came(f"{own}, from: 25 min, most: 3", engine) == [30, 65, 70]
    assert came("every: 20 min, during: office", engine) == [70, 90, 110]


def test_gaps_of_nothing_bring_several_at_once(engine):
    """
    Gaps of 0 and of 10 minutes: who comes at one instant is served in the order of coming.
    """
    found = came("every: {discrete: {0 min: 50 %, 10 min: 50 %}}", engine)

    assert set(np.array(found) % 10) == {0}
    assert len(found) > len(set(found))


def test_a_number_counts_arrivals_and_not_tokens(engine):
    """
    Two arrivals of three tokens each.
    """
    assert came("every: 10 min, batch: 3, most: 2", engine) == [10, 10, 10, 20, 20, 20]


@pytest.mark.parametrize("traffic", ["rate: 60 /h", "rate: 60 /h, factor: busy", "every: {exponential: {mean: 1 min}}"])
def test_limits_cut_the_same_arrivals(engine, traffic):
    """
    A number and an end take arrivals away and move none; a rate that begins late meets the luck of its own expected number.
    """
    whole = came(traffic, engine)

    assert came(f"{traffic}, most: 17", engine) == whole[:17]
    assert came(f"{traffic}, until: 1 h", engine) == [time for time in whole if time < 60]
    late = came(f"{traffic}, from: 1 h", engine)
    assert min(late) >= 60
    if "rate" in traffic and "factor" not in traffic:
        assert late == pytest.approx([time + 60 for time in whole[: len(late)]], abs=1e-4)


def test_nobody_comes_after_the_window(engine):
    """
    `until: measure` ends arrivals with the window; without it they go on while those of the window are followed.
    """
    clock = "measure: 1 h, cool_down: 2 h"

    assert len(came("every: 10 min", engine, clock)) == 17
    assert came("every: 10 min, until: measure", engine, clock) == [10, 20, 30, 40, 50]


def test_a_run_that_ends_empty_stops_all_arrivals(engine):
    """
    With `ends: empty` nobody comes after the window, and all who are inside leave: the desk works for four more minutes.
    """
    text = desk(
        "at: [0 min, 58 min, 59 min, 59 min], batch: 2}, b: {flow: f, every: 60 min", "measure: 1 h, ends: empty"
    )
    line = run(text, engine=engine)

    assert max(line.ends("work").values()) == 64
    assert line.totals.arrivals.tolist() == [8, 0]
    assert line.plan.horizon == HOUR + 30 * DAY


def test_a_factor_multiplies_the_rate_of_its_day():
    """
    The rate of each day is the rate times the factor of that day, the same in all entries that name it and in every order.
    """
    plan = plan_of(
        desk("rate: 10 /h, factor: [busy, good]}, b: {flow: f, rate: 20 /h, factor: [good, busy]", "measure: 4 d")
    )
    key = run_key(3, 1)
    one, other = (rates_drawn(plan, source, key) for source in (0, 1))

    assert one["begins"].tolist() == [0, DAY, 2 * DAY, 3 * DAY]
    assert other["rate"] == pytest.approx(2 * one["rate"])
    assert len(set(one["rate"])) == 4
    assert one["expected_before"][1:] == pytest.approx(np.cumsum(one["rate"])[:-1] * DAY)
    again = plan_of(desk("rate: 10 /h, factor: busy", "measure: 9 d"))
    ratio = one["rate"] / rates_drawn(again, 0, key)["rate"][:4]
    assert ratio == pytest.approx([ratio[0]] * 4)
    assert round(ratio[0], 9) in {0.5, 2}


def test_the_trail_of_a_token_meets_the_same_rates():
    """
    A run that is cut short when a token has left has the arrivals of the whole run until then, also where rates change later.
    """
    plan = plan_of(
        desk(
            "rate: 30 /d, factor: busy, until: 3 d}, b: {flow: f, every: {exponential: {mean: 1 h}}, until: 3 d",
            "measure: 5 d",
        )
    )
    for token in ("a#20", "b#20"):
        trail = follow(plan, token, 1, 0)
        assert trail.left
        rows = RowLog()
        simulate(plan, 1, 0, rows)
        whole = rows.visits[rows.visits["ended"] <= trail.end]
        assert whole.tolist() == [row for row in trail.visits.tolist() if row[3] != -1]


def test_arrivals_of_a_day_with_a_gamma_factor_are_negative_binomial():
    """
    Mean m = 240 and variance m + m² cv² = 14,640: here over 2,000 days.
    """
    plan = plan_of(desk("rate: 10 /h, factor: busy", "measure: 2000 d"))
    counts = np.bincount(np.array(list(arrival_times(plan, 0, run_key(1, 0)))) // DAY, minlength=2000)

    assert counts.mean() == pytest.approx(240, abs=4 * (14_640 / 2000) ** 0.5)
    assert counts.var() == pytest.approx(14_640, rel=0.12)


def test_the_recursion_refuses_what_it_cannot_do():
    """
    A renewal, a greatest number and a factor need another engine; a rate that ends does not.
    """
    for traffic in ("every: 10 min", "rate: 1 /h, most: 5", "rate: 1 /h, factor: busy"):
        assert engine_for(plan_of(desk(traffic))) == "compiled"
    assert engine_for(plan_of(desk("rate: 1 /h, until: measure"))) == "recursion"


def test_loads_know_how_many_come():
    """
    A renewal comes as often as its mean gap says, in the open time of its calendar, and between its limits; a factor of mean
    m multiplies; a number that is reached before the window ends is all that comes.
    """

    def load(traffic, clock="measure: 3 h"):
        return loads(plan_of(desk(traffic, clock)))[0]

    assert load("every: {erlang: {shape: 2, mean: 5 min}}").mean == pytest.approx(1 / 5)
    assert load("every: 5 min, during: office").mean == pytest.approx(70 / 5 / 180)
    assert load("rate: 20 /h, until: 90 min").mean == pytest.approx(1 / 6)
    assert load("rate: 20 /h, from: 1 h, until: measure").mean == pytest.approx(2 / 9)
    assert load("rate: 20 /h, factor: good", "measure: 9 d").mean == pytest.approx(1.25 / 3)
    assert load("rate: 1 /min, most: 18", "measure: 3 h").mean == pytest.approx(0.1)
    assert not load("every: {exponential: {mean: 1 min}}, most: 175").is_known
    assert load("every: {exponential: {mean: 10 min}}, most: 175").mean == pytest.approx(0.1)


@pytest.mark.parametrize(
    ("traffic", "grows"),
    [
        ("every: 30 s", True),
        ("rate: 2 /min, factor: busy", True),
        ("rate: 2 /min, until: measure", True),
        ("rate: 2 /min, until: 1 h", False),
        ("rate: 2 /min, most: 100", False),
        ("rate: 2 /min, most: 10000", True),
        ("every: 30 s, most: 100", False),
    ],
)
def test_a_line_grows_only_where_arrivals_go_on(traffic, grows):
    """
    Arrivals that end by themselves make no line that grows for ever; the window ends none.
    """
    assert loads(plan_of(desk(traffic)))[0].grows is grows
    assert not loads(plan_of(desk(traffic, "measure: 3 h, ends: empty")))[0].grows


def test_expected_tokens_and_the_first_of_them():
    """
    How many come is known before a run, also where they come after gaps; a pilot run has about as many as it asks for.
    """
    plan = plan_of(desk("every: {uniform: [1 min, 3 min]}, batch: 2", "measure: 10 d"))

    assert expected_tokens(plan) == pytest.approx(2 * 10 * 720)
    assert expected_tokens(first_tokens(plan, 100)) == pytest.approx(100, abs=1)
    assert expected_tokens(plan_of(desk("rate: 1 /h, factor: good", "measure: 8 h"))) == pytest.approx(10)
    assert expected_tokens(plan_of(desk("rate: 9 /h, most: 4", "measure: 1 d"))) == pytest.approx(4, abs=1e-3)


@pytest.mark.parametrize(
    ("traffic", "fault"),
    [
        (
            "every: 5 min, profile: p",
            "a profile shapes a rate, and gaps that are drawn one by one have none\n"
            "    Write `during: CALENDAR`, in whose open time gaps count, or a rate.",
        ),
        ("rate: 5 /h, during: office", "there is no `every`\n    Shape a rate with a `profile`."),
        ("every: 5 min, rate: 5 /h", "rate and every together\n    Keep one of them."),
        ("every: 0 min", "everybody comes at once, for all gaps are 0\n    Write e.g. every: 5 min."),
        ("every: 5 min, during: offices", "no calendar 'offices'\n    Did you mean 'office'?"),
        ("every: 5 min, factor: busy", "a factor multiplies a rate, and there is none\n    Write a rate."),
        ("rate: 5 /h, factor: bussy", "no factor 'bussy'\n    Did you mean 'busy'?"),
        ("rate: 5 /h, factor: [busy, busy]", "the factor 'busy' is named twice\n    Name it once."),
        ("at: [1 min], most: 5", "`most` beside listed times\n    List the times that are meant."),
        ("spawned: true, most: 5", "spawned tokens come when a step starts them\n    Remove `most`."),
        (
            "at: [1 min], during: office",
            "`during` says which time gaps count in, and there is no `every`\n    Remove it.",
        ),
        ("rate: 5 /h, from: 2 h, until: 1 h", "arrivals end before they begin\n    Write a later `until`."),
        (
            "rate: 5 /h, from: 5 h",
            "nobody comes: arrivals begin after 5 h, and end after 3 h\n    Let them begin earlier, or end later.",
        ),
        (
            "rate: 5 /h, until: maesure",
            "expected a duration or 'measure', found 'maesure'\n    Did you mean 'measure'?",
        ),
        (
            "rate: 5 /h, until: forever",
            "expected a duration or 'measure', found 'forever'\n    Write '8 h', or measure.",
        ),
        (
            "rate: {erlang: {shape: 2, mean: 5 min}}",
            "a rate is a number; a law is one of the gaps between arrivals\n"
            "    Write `every: {erlang: …}` in place of `rate`, or a number such as 12 /h.",
        ),
        (
            'at: ["09:30"]',
            "'09:30' is a time of day, but a duration is due\n"
            "    Write '570 min'; times of arrivals count from the start of the run.",
        ),
        ("rate: 5 /h, most: 0", "expected a whole number of at least 1, found '0'"),
        (
            "every: 5 min, during: office, from: 2 h",
            "nobody comes: calendar 'office' is never open while arrivals last\n    Choose another calendar.",
        ),
    ],
)
def test_arrivals_that_are_wrong(traffic, fault):
    """
    Each mistake is named, with what would be right.
    """
    with pytest.raises(Faults) as found:
        plan_of(desk(traffic))

    assert fault in str(found.value)


@pytest.mark.parametrize(
    ("at", "clock", "note"),
    [
        (
            "1 min, 180 min, 200 min",
            "measure: 3 h",
            "nobody comes at '180 min' (and 1 more): the run is over from 3 h on",
        ),
        (
            "59 min, 60 min",
            "measure: 1 h, cool_down: 2 h, ends: empty",
            "nobody comes at '60 min': the measured window is over from 1 h on",
        ),
        ("59 min, 60 min", "measure: 1 h, cool_down: 2 h", ""),
    ],
)
def test_listed_arrivals_after_a_run_are_told(at, clock, note):
    """
    Nobody comes after a run, nor after the window of one that ends empty, and that is told; until the end of other runs
    listed times come, and do not count.
    """
    notes = plan_of(desk(f"at: [{at}]", clock)).names.notes

    assert notes == ((f"traffic a: {note}",) if note else ())


def test_listed_arrivals_come_until_the_end_of_a_run():
    """
    Who comes in `cool_down` comes.
    """
    assert came("at: [59 min, 60 min]", "compiled", "measure: 1 h, cool_down: 2 h") == [59, 60]


@pytest.mark.parametrize(
    ("at", "told"), [("0 min, 59 min, 120 min", True), ("60 min", False), ("0 min, 119 min", False), ("120 min", True)]
)
def test_listed_arrivals_none_of_which_counts_are_told(at, told):
    """
    The window is from 1 h on to before 2 h. Whoever goes round for ever is there in the window, whenever he came.
    """
    text = desk(f"at: [{at}]", "warm_up: 1 h, measure: 1 h, cool_down: 1 h")
    warning = (
        "traffic a: none of its listed arrivals lies in the measured window, 1 h to 2 h after the start:"
        " nobody of it counts"
    )

    assert arrival_warnings(plan_of(text)) == ([warning] if told else [])
    assert not arrival_warnings(plan_of(text.replace("take: 1 min", "take: 1 min, next: work")))
    assert not arrival_warnings(plan_of(desk("rate: 1 /h", "measure: 1 h")))


@pytest.mark.parametrize(
    ("factor", "fault"),
    [
        (
            "{each: day, gamma: {cv: 30 %}}",
            "expected a cv from 0.001 to 100, found '30 %'\n"
            "    Write a number such as 0.2; without spread, leave the factor out.",
        ),
        (
            "{each: day, weibull: {shape: 0}}",
            "expected a shape from 0.01 to 1,000,000, found '0'\n"
            "    Write a number such as 2; without spread, leave the factor out.",
        ),
        ("{each: day}", "exactly one law is due, found none\n    Write one, such as {gamma: {mean: 1, cv: 0.2}}."),
        ("{each: day, uniform: [2, 1]}", "the values of uniform are not in ascending order"),
        ("{each: day, discrete: {1: 50 %, 2: 40 %}}", "the shares of discrete add up to 90 %"),
        ("{each: day, discrete: {low: 100 %}}", "'low' is no factor\n    Write {0.8: 50 %, 1.2: 50 %}."),
        ("{each: day, uniform: [0, 0]}", "nobody ever comes, for the factor is always 0\n    Give it a mean above 0."),
    ],
)
def test_factors_that_are_wrong(factor, fault):
    """
    Each mistake is named, with what would be right.
    """
    text = desk("rate: 5 /h, factor: own").replace("factors: {", f"factors: {{own: {factor}, ")
    with pytest.raises(Faults) as found:
        plan_of(text)

    assert fault in str(found.value)


def test_every_law_of_a_factor_has_the_mean_that_it_says():
    """
    Of each law the mean of 20,000 draws is that of the loads, within five standard errors.
    """
    laws = [
        "uniform: [0.5, 1.5]",
        "triangular: [0, 1, 2]",
        "pert: [0.5, 1, 3]",
        "exponential: {mean: 2}",
        "erlang: {shape: 3, mean: 1.5}",
        "gamma: {cv: 0.2}",
        "weibull: {shape: 2, mean: 1}",
        "lognormal: {mean: 1, cv: 0.3}",
        "normal: {sd: 0.3, low: 0.2}",
        "discrete: {0.8: 30 %, 1.2: 70 %}",
        "empirical: [0.7, 1, 1.6]",
    ]
    for law in laws:
        text = desk("rate: 1 /d, factor: own", "measure: 20000 d")
        plan = plan_of(text.replace("factors: {", f"factors: {{own: {{each: day, {law}}}, "))
        drawn = rates_drawn(plan, 0, run_key(1, 0))["rate"] * DAY
        mean = plan.mean(int(plan.factors["distribution"][0]), 0)
        assert drawn.mean() == pytest.approx(mean, abs=5 * drawn.std() / 20000**0.5), law
        assert drawn.min() >= 0


def test_a_renewal_has_the_mean_of_its_gaps():
    """
    Twenty thousand gaps of an Erlang law: their mean and their spread.
    """
    plan = plan_of(desk("every: {erlang: {shape: 4, mean: 2 min}}", "measure: 28 d"))
    gaps = np.diff(list(arrival_times(plan, 0, run_key(1, 0)))) / MINUTE

    assert gaps.mean() == pytest.approx(2, abs=0.03)
    assert gaps.std() == pytest.approx(1, abs=0.03)
