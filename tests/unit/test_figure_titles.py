"""Titles of figures tell what was found, with its interval, or say that there is nothing to tell."""

import math
from dataclasses import replace

import numpy as np
import pytest

from tests.made_up import made_up, ordinary, resolved, world_with
from zonesim.analysis import Bound, Difference, Effect, Interval, Limit, Point
from zonesim.briefing.figures import style
from zonesim.briefing.figures.capacity import capacity_finding
from zonesim.briefing.figures.dwell import dwell_figure
from zonesim.briefing.figures.effects import effects_figures
from zonesim.briefing.figures.finding import Change, found, found_at, judged
from zonesim.briefing.figures.gate import gate_figure
from zonesim.briefing.figures.load import load_figure
from zonesim.briefing.figures.stages import stages_figure
from zonesim.briefing.figures.week import week_figure
from zonesim.briefing.tables.capacity import Carried, Used

F5, F4B, OFFICERS, RATE = "F5.dwell.mean", "F4b.dwell.mean", "all.officer_hours.day", "F6.inspected.rate"


def context_of(*told, language="en", arms=1):
    """Return a context in which the second arm does what is told, (kpi, value, low, high, tag), to a baseline of 10."""
    context = made_up(ordinary(), language=language)
    own = {kpi: (Difference(*limits, 3, 0.01, limits[1:], arms), tag) for kpi, *limits, tag in told}
    nothing = Difference(0.0, 0.0, 0.0, 3, 0.0), "not material"
    effects = tuple(Effect(context.names[1], kpi.id, *own.get(kpi.id, nothing)) for kpi in context.kpis)
    means = {name: {kpi.id: Interval(10.0, 10.0, 10.0, 3) for kpi in context.kpis} for name in context.names}
    return replace(context, comparison=replace(context.comparison, arms=means, effects=effects))


def title(context, *names):
    """Return the title of a figure of some KPIs."""
    return found(context, [context.by_id[name] for name in names], "Topic")


LESS = (F4B, -17.26, -18.16, -16.36, "")
ECHO = (F5, -3.5, -3.7, -3.3, "input")


@pytest.mark.parametrize(
    ("told", "language", "expected"),
    [
        ([LESS], "en", "Domestic goods without declaration, mean dwell: 17.26 h shorter (16.36 to 18.16) with measures 10, 11"),
        ([LESS], "zh", "措施10、11：便捷进出区货物平均停留时间缩短17.26小时（16.36至18.16）"),
        ([(F5, 2.0, 1.0, 3.0, "")], "en", "Zone-to-zone transfer, mean dwell: 2.0 h longer (1.0 to 3.0) with measures 10, 11"),
        ([LESS, (F5, -1.0, -1.1, -0.9, "")], "en", "Domestic goods without declaration, mean dwell: 17.26 h shorter"),
        ([(OFFICERS, -4.0, -5.0, -3.0, "")], "en", "Officer hours per day: 4.0 h/d less (3.0 to 5.0) with"),
        ([(RATE, 0.05, 0.04, 0.06, "")], "zh", "分批出区（分送集报）查验率增加5.0个百分点（4.0至6.0）"),
        ([ECHO], "en", ", which echoes edited values"),
        ([ECHO, (F4B, -1.0, -1.1, -0.9, "")], "en", "Domestic goods without declaration, mean dwell: 1.00 h shorter"),
        ([(F5, -1.0, -3.0, 1.0, "")], "en", "Topic: no sure difference of 1 % or more"),
        ([(F5, -0.05, -0.06, -0.04, "not material")], "zh", "Topic：未见1 %及以上的确定差异"),
        ([(F5, math.nan, math.nan, math.nan, "grows")], "en", "Topic"),
        ([(F5, -2.0, math.nan, math.nan, "")], "en", "2.00 h shorter (one replication, so no interval) with"),
    ],
)  # fmt: skip
def test_a_title_tells_the_largest_sure_difference(told, language, expected):
    """
    The difference that is largest for its baseline, a result before an echo, with its limits and its arm; else that
    none is sure, or only the topic where something is not known.
    """
    context = context_of(*told, language=language)

    assert expected in title(context, *(kpi for kpi, *_ in told))


def test_a_difference_of_one_of_many_arms_is_sure_together():
    """
    Among three arms a difference is told when its limits that hold for all of them do not reach nothing.
    """
    arm = context_of((F5, -2.0, -3.0, -1.0, ""), arms=3)
    (effect,) = [each for each in arm.comparison.effects if each.kpi == F5]
    wide = replace(effect, difference=replace(effect.difference, together=(-4.1, 0.1)))
    others = tuple(each for each in arm.comparison.effects if each.kpi != F5)
    unsure = replace(arm, comparison=replace(arm.comparison, effects=(wide, *others)))

    assert "2.0 h shorter (1.0 to 3.0)" in title(arm, F5)
    assert title(unsure, F5) == "Topic: no sure difference of 1 % or more"


def test_without_another_arm_a_title_is_the_topic():
    """
    One arm has nothing to be compared with.
    """
    arms = ordinary()
    context = made_up({name: arms[name] for name in list(arms)[:1]})

    assert title(context, F5) == "Topic"


@pytest.mark.parametrize("language", ["en", "zh"])
def test_figures_have_the_finding_as_their_title(language):
    """
    Effects, dwell, stages and the gate tell theirs, of what they show; flows that change most come first.
    """
    gate = "TYP.lanes_out.pass.mean"
    context = context_of(LESS, (gate, -5.0, -6.0, -4.0, ""), language=language)
    with style.look(language):
        drawn = [dwell_figure(context), stages_figure(context), effects_figures(context)["effects"]]
        passing = gate_figure(context)
    said = [figure.texts[0].get_text() for figure in drawn]

    assert said == [title(context, F4B)] * 3
    assert passing.texts[0].get_text() == title(context, gate)
    assert drawn[0].axes[0].get_title(loc="left").endswith(("(F4b)", "（F4b）"))


def test_the_flow_that_changes_most_comes_first():
    """
    By the change of its mean dwell as a share of the baseline, whatever the order of the file.
    """
    context = context_of(LESS, (F5, -3.0, -3.1, -2.9, ""))

    assert context.by_change(["F1", "F5", "F4b"]) == ["F4b", "F5", "F1"]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_more_figures_have_their_finding(language):
    """
    The week tells of waits for a lane, the waterfall of its package alone, the loads which resource is fullest; a place is called by its
    label, without the name that files have for it.
    """
    wait = "TYP.lanes_in.wait.mean"
    context = context_of(LESS, (wait, -5.0, -6.0, -4.0, ""), language=language)
    with style.look(language):
        week, loads = week_figure(context), load_figure(context)
        rows = effects_figures(replace(context, wanted=(wait,)))["effects"]
    told = [text.get_text() for text in rows.texts]
    fullest = loads.axes[0].get_yticklabels()[0].get_text()

    assert week.texts[0].get_text() == title(context, wait)
    assert fullest in loads.texts[0].get_text()
    assert context.say.label({"en": "Gate in", "zh": "进区卡口"}, "") in told
    assert found(context, [context.by_id[wait]], "Topic", ["no other arm"]) == "Topic"


def test_points_of_an_experiment_tell_where_they_are():
    """
    Of points in futures the title tells the largest sure one with its future; one without a difference, the baseline's, tells nothing.
    """
    context = context_of()
    kpi = context.by_id[F5]
    points = [
        (kpi, Point("b", "f", F5, Interval(8.0, 7.0, 9.0, 3), Difference(-2.0, -3.0, -1.0, 3, 1.0), ""), "Measure", "demand: ×2"),
        (kpi, Point("b", "g", F5, Interval(9.5, 9.0, 9.9, 3), Difference(-0.5, -0.6, -0.4, 3, 1.0), ""), "Measure", "demand: ×1"),
        (kpi, Point("a", "f", F5, Interval(10.0, 9.0, 11.0, 3), None, ""), "Baseline", "demand: ×2"),
    ]  # fmt: skip

    assert found_at(context, points, "Topic") == (
        "Zone-to-zone transfer, mean dwell: 2.0 h shorter (1.0 to 3.0) with Measure, demand: ×2"
    )
    assert found_at(context, points[2:], "Topic") == "Topic"


def test_what_a_figure_works_out_is_judged_as_effects_are():
    """
    A change below 1 % is a trifle; limits are those for all arms together.
    """
    context = context_of()
    own = Change("arm", "zone", "Mean dwell", "h", Difference(-0.05, -0.06, -0.04, 3, 1.0), 10.0, "")
    small, large = judged(context, own), judged(context, replace(own, base=0.5))

    assert (small.tag, small.is_telling, large.tag, large.is_telling) == ("not material", False, "", True)
    assert large.difference.arms == len(context.names) - 1


def test_arms_differ_by_shape():
    """
    Where there are several, effects have a shape for each arm in legend and rows, so that a print without colours tells them apart.
    """
    arms = made_up(resolved(world_with(), ["10", "11"]))
    with style.look():
        drawn = effects_figures(arms)
    legend = next(iter(drawn.values())).legends[0]
    shapes = [handle.get_marker() for handle in legend.legend_handles[: len(arms.names) - 1]]

    assert len(set(shapes)) == len(arms.names) - 1 > 1


@pytest.mark.parametrize(
    ("change", "language", "expected"),
    [
        ((0.5, 0.4, 0.6), "en", "0.500 times the demand more is carried (0.400 to 0.600) with measures 10, 11"),
        ((-0.5, -0.6, -0.4), "zh", "措施10、11：可承载的需求减少现有的0.500倍（0.400至0.600）"),
        ((0.1, -0.1, 0.3), "en", "How many times its demand is carried: no sure difference between arms"),
        ((), "en", "1.50 times the demand is carried (1.40 to 1.60): without measures"),
    ],
)
def test_what_is_carried_is_told(change, language, expected):
    """
    The difference to the first arm with its limits, or that none is sure; of a single arm what it carries.
    """
    context = context_of(language=language)
    limit = Limit(np.array([1.4, 1.6]), 0, 0, {}, ())
    own = [
        Carried(name, limit, Interval(1.5, 1.4, 1.6, 3), (change and Difference(*change, 3, 1.0)) or None, None, Bound(2.0, ()), Used(), ())
        for name in context.names[: 2 if change else 1]
    ]  # fmt: skip

    assert capacity_finding(context, own) == expected
