"""Titles of figures tell what was found, with its interval, or say that there is nothing to tell."""

import math
from dataclasses import replace

import pytest

from tests.made_up import made_up, ordinary
from zonesim.analysis import Difference, Effect, Interval
from zonesim.briefing.figures import style
from zonesim.briefing.figures.dwell import dwell_figure
from zonesim.briefing.figures.effects import effects_figures
from zonesim.briefing.figures.finding import found
from zonesim.briefing.figures.gate import gate_figure
from zonesim.briefing.figures.stages import stages_figure

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
