"""The figure of control against facilitation says what is known of control, and no more."""

from __future__ import annotations

from dataclasses import replace

from tests.made_up import NAN, made_up, resolved, world_with
from tests.unit.test_effect_figures import texts
from zonesim.analysis import Interval, compare
from zonesim.briefing.figures import style
from zonesim.briefing.figures.frontier import frontier_figure

MISSED = "all.irregular.missed.share"
HOURS = "all.officer_hours.day"
DWELL = "F1.dwell.mean"
REPORTED = (DWELL, HOURS, MISSED)


def context_of(*, band=True, hours=(10.0, 11.0, 12.0), language="en"):
    """
    Return three arms with made-up hours of officers and dwell, of which each misses irregular goods between its own least
    and most, or surely as many as is in the middle.
    """
    arms = resolved(world_with(), ["10", "11"])
    context = made_up({name: arms[name] for name in ("R1", "10", "11")}, language=language)
    for place, runs in enumerate(context.results.values()):
        for number, run in enumerate(runs):
            run.values[HOURS] = hours[place] + 0.1 * number
            run.values[DWELL] = 20.0 + place + 0.01 * number * (1 + place)
            run.values[MISSED] = 0.5 + 0.1 * place
    comparison = compare(context.results, [*context.by_id])
    if band:
        for place, arm in enumerate(context.names):
            comparison.arms[arm][MISSED] = Interval(NAN, 0.5 + 0.1 * place, 0.7 + 0.1 * place, 3, reason="band")
    return replace(context, comparison=comparison, reported=REPORTED)


def drawn(context):
    """Return the figure of a context."""
    with style.look(context.language):
        return frontier_figure(context)


def test_what_is_missed_is_drawn_from_least_to_most():
    """
    In each panel every arm has a bar from the least to the most that it may miss, at the paired difference of the arm,
    the baseline at 0; a note says that the middle is no estimate.
    """
    figure = drawn(context_of())

    assert len(figure.axes) == 2
    for axes in figure.axes:
        upright = [line for line in axes.lines if line.get_linewidth() == 5]
        assert [[round(float(y)) for y in line.get_ydata()] for line in upright] == [[50, 70], [60, 80], [70, 90]]
        assert [round(float(line.get_xdata()[0]), 1) for line in upright] == [0.0, 1.0, 2.0]
    assert any("no estimate" in text for text in texts(figure))
    assert style.overlaps(figure) == []


def test_what_is_known_of_control_has_its_interval():
    """Where control is known, its bar is thin and as long as the interval of its mean, and no note tells of a band."""
    figure = drawn(context_of(band=False))

    bars = [line for axes in figure.axes for line in axes.lines if len(line.get_xdata()) > 1]
    assert all(line.get_linewidth() < 2 for line in bars)
    assert not any("no estimate" in text for text in texts(figure))


def test_an_arm_without_a_value_has_no_point():
    """An arm whose hours have no value is left out of their panel, and is in that of the dwell."""
    context = context_of(hours=(10.0, NAN, 12.0))
    figure = drawn(context)

    bars = [sum(line.get_linewidth() == 5 for line in axes.lines) for axes in figure.axes]
    assert sorted(bars) == [2, 3]


def test_what_is_not_drawn_is_told():
    """Without control that is known in every arm, or without anything that moves, words stand in its place."""
    without = replace(context_of(), reported=(DWELL, HOURS))
    unmoved = replace(context_of(), reported=(MISSED,))

    assert drawn(without) == "of no KPI of control anything is known in every arm"
    assert drawn(unmoved) == "no arm surely changes a time or work"
    assert drawn(replace(without, language="zh")) == "没有在所有方案中均可知的监管效能指标"


def test_it_speaks_chinese():
    """The slide has no word of English but names, and its title tells what was found, with the interval."""
    found = texts(drawn(context_of(language="zh")))

    assert "措施11：日均关员工时增加2.00小时/天（2.00至2.00）" in found
    assert not any("difference" in text or "limits" in text for text in found)
