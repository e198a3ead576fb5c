"""Figures of effects: forests, waterfalls, zones and weeks say what the numbers say, and where they say nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.patches import StepPatch

from tests.made_up import NAN, kpis, made_up, ordinary, resolved, world_with
from zonesim.analysis import Move, compare
from zonesim.briefing.figures import style
from zonesim.briefing.figures.comparison import FigureContext
from zonesim.briefing.figures.effects import change_text, effects_figures
from zonesim.briefing.figures.waterfall import BETTER, NEITHER, WORSE, bars, package_of, waterfall_figure
from zonesim.briefing.figures.week import week_figure, weekly
from zonesim.briefing.figures.zones import dwell_hours, gate_minutes, officer_hours, zones_figure
from zonesim.kpi import RunResult
from zonesim.policy import ResolvedTree

HOURS = "all.officer_hours.day"


def texts(figure: Figure) -> list[str]:
    """Return all texts of a figure."""
    found = [text.get_text() for text in figure.texts]
    return found + [text.get_text() for axes in figure.axes for text in axes.texts]


def with_values(values: Mapping[str, list[float]], kpi: str = HOURS, **tags: Mapping[str, list[str]]) -> FigureContext:
    """Return a comparison of arms by name in which one KPI has these values by replication, and no other has any."""
    some = next(iter(ordinary().values()))
    results = {arm: [RunResult({kpi: value}) for value in column] for arm, column in values.items()}
    return FigureContext(
        dict.fromkeys(values, some), results, compare(results, [kpi.id for kpi in kpis()], **tags), kpis(), seed=1
    )


# --- forest


def test_a_forest_tells_differences_in_the_unit_and_in_per_cent() -> None:
    """Beside each KPI stand the baseline's value and the difference with half its interval; the point is in per cent."""
    context = with_values({"R1": [10.0, 12.0, 11.0], "11": [5.0, 6.0, 5.5]})
    with style.look():
        drawn = effects_figures(context)
    assert isinstance(drawn, dict)
    said = texts(drawn["effects"])
    points = [line for line in drawn["effects"].axes[0].get_lines() if line.get_marker() == "o"]

    assert "11.0 h/d" in said
    assert "−5.5 ± 1.2" in said
    assert "Officer hours per day ↓" in said
    assert any("↓ lower is better, ↑ higher is better" in text for text in said)
    assert [
        line.get_xdata().tolist() if hasattr(line.get_xdata(), "tolist") else list(line.get_xdata()) for line in points
    ] == [[-50.0]]


def test_a_forest_shows_what_kind_of_effect() -> None:
    """What is not material is hollow, an echo is a diamond, what grows has no point, and what lies beyond is an arrow."""
    same = with_values({"R1": [10.0, 12.0], "11": [10.01, 12.01]})
    echo = with_values({"R1": [10.0, 12.0], "11": [5.0, 6.0]}, inputs={"11": [HOURS]})
    grows = with_values({"R1": [10.0, 12.0], "11": [5.0, 6.0]}, unstable={"11": [HOURS]})
    far = with_values({"R1": [10.0, 12.0], "11": [50.0, 60.0]})
    found = {}
    for name, context in {"same": same, "echo": echo, "grows": grows, "far": far}.items():
        with style.look():
            drawn = effects_figures(context)
        assert isinstance(drawn, dict)
        points = [line for line in drawn["effects"].axes[0].get_lines() if line.get_marker() not in {"", "None", None}]
        found[name] = [(line.get_marker(), line.get_markerfacecolor()) for line in points]
        if name == "grows":
            assert "unstable" in texts(drawn["effects"])

    blue = style.ARMS[1]
    assert found == {"same": [("o", "white")], "echo": [("D", "white")], "grows": [], "far": [(">", blue)]}


def test_a_forest_splits_durations_and_shows_how_far_an_assumption_reaches() -> None:
    """
    Below a point stand two bars, the direct part filled and congestion hatched, from where the direct part ends to the
    whole; a dotted line leads from the low to the high end of a doubt. All are in the legend, in both languages.
    """
    kpi = "F1.dwell.mean"
    arms = dict.fromkeys(("R1", "11"), next(iter(ordinary().values())))
    runs = {"R1": [RunResult({kpi: value}) for value in (100.0, 101.0)], "11": [RunResult({kpi: 70.0})] * 2}
    free = {"R1": [RunResult({kpi: 60.0})] * 2, "11": [RunResult({kpi: 80.0})] * 2}
    found = compare(runs, [each.id for each in kpis()], free=free, durations=[kpi])
    moved = tuple(
        replace(each, moves=(Move("a.path", {"en": "a share"}, -50.25, -10.05, 2),)) if each.kpi == kpi else each
        for each in found.effects
    )
    for language, words in (("en", ["direct part", "congestion"]), ("zh", ["直接效果", "拥堵效果"])):
        context = FigureContext(arms, runs, replace(found, effects=moved), kpis(), seed=1, language=language)
        with style.look():
            drawn = effects_figures(context)
        assert isinstance(drawn, dict)
        figure = drawn["effects"]
        (axes,) = figure.axes
        bars = [(round(bar.get_x(), 1), round(bar.get_width(), 1), bool(bar.get_hatch())) for bar in axes.patches]
        dotted = [line.get_xdata() for line in axes.get_lines() if line.get_marker() == "|"]

        assert bars == [(0.0, 19.9, False), (19.9, -50.2, True)]
        assert [[round(float(end)) for end in ends] for ends in dotted] == [[-50, -10]]
        assert [text.get_text() for text in figure.legends[0].get_texts()][1:3] == words
        assert style.overlaps(figure) == []


@pytest.mark.slow
def test_a_forest_of_many_arms_has_a_row_an_arm() -> None:
    """With more arms than colours, KPIs stand side by side, and every arm has a row with its difference."""
    first, last = ordinary().values()
    context = made_up({"R1": first} | {f"arm {number}": last for number in range(22)})
    with style.look():
        drawn = effects_figures(context)
    assert isinstance(drawn, dict)
    figure = drawn["effects"]
    kpi = context.chief()[0]

    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == [f"arm {n}" for n in range(22)]
    assert {change_text(context, f"arm {n}", kpi) for n in range(22)} <= set(texts(figure))
    assert style.overlaps(figure) == []


def test_wanted_kpis_are_drawn_and_no_others() -> None:
    """The KPIs that a user names take the place of the usual ones."""
    context = replace(made_up(ordinary()), wanted=("F1.dwell.median",))
    with style.look():
        drawn = effects_figures(context)
    assert isinstance(drawn, dict)

    assert list(drawn) == ["effects"]
    assert "Dwell, median ↓" in texts(drawn["effects"])
    assert not {"Dwell, mean ↓", "Officer hours per day ↓"} & set(texts(drawn["effects"]))


def test_one_arm_has_no_effects() -> None:
    """Without a second arm, or without any known difference, the reason is given."""
    with style.look():
        alone = effects_figures(with_values({"R1": [1.0, 2.0]}))
        unknown = effects_figures(with_values({"R1": [NAN, NAN], "11": [NAN, NAN]}))

    assert alone == "there is nothing to compare with"
    assert unknown == "no difference is known"


# --- waterfall


def test_a_waterfall_adds_up() -> None:
    """
    The baseline, each measure alone and the interaction add up to the package; the interaction is what is left,
    replication by replication.
    """
    context = with_values({"R1": [10.0, 12.0], "a": [8.0, 9.0], "b": [9.0, 11.5], "a+b": [6.0, 9.5]})

    found = bars(context, HOURS, "a+b", ["a", "b"])

    assert [bar.name for bar in found] == ["R1", "a", "b", "joint part", "a+b"]
    assert [bar.size.value for bar in found] == pytest.approx([11.0, -2.5, -0.75, 0.0, 7.75])
    assert [bar.end for bar in found] == pytest.approx([11.0, 8.5, 7.75, 7.75, 7.75])
    assert [bar.begin for bar in found[1:-1]] == [bar.end for bar in found[:-2]]
    assert found[3].size.high - found[3].size.value == pytest.approx(12.706 * 1.0, rel=1e-3)  # -1 and +1: t(1) x 1


def test_a_waterfall_tells_better_from_worse() -> None:
    """Fewer hours are better and more are worse; where neither way is, a bar is grey whichever way it goes."""
    values = {"R1": [10.0, 12.0], "a": [8.0, 9.0], "b": [11.0, 13.5], "a+b": [9.0, 9.5]}
    neither = next(kpi.id for kpi in kpis() if kpi.definition.better == "neither")

    hours, plain = (
        bars(with_values(values), HOURS, "a+b", ["a", "b"]),
        bars(with_values(values, neither), neither, "a+b", ["a", "b"]),
    )

    assert [bar.colour for bar in hours[1:3]] == [BETTER, WORSE]
    assert [bar.colour for bar in plain[1:3]] == [NEITHER, NEITHER]


def test_small_measures_are_told_together() -> None:
    """Of more measures than there is room for, the smallest share a bar, and all still add up."""
    values = {"R1": [100.0, 101.0]} | {f"m{n}": [100.0 - n, 101.0 - n] for n in range(12)}
    context = with_values(values | {"all": [30.0, 31.0]})

    found = bars(context, HOURS, "all", [f"m{n}" for n in range(12)])

    assert [bar.name for bar in found] == ["R1", *(f"m{n}" for n in range(3, 12)), "3 others", "joint part", "all"]
    assert found[-3].size.value == pytest.approx(-3.0)
    assert found[-2].end == pytest.approx(found[-1].end)


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ({"R1": "", "a": "a", "b": "b", "a+b": "ab"}, ("a+b", ["a", "b"])),
        ({"R1": "", "a": "a", "a+b": "ab"}, None),
        ({"R1": "", "a": "a", "b": "b"}, None),
        ({"R1": "", "a": "a", "b": "b", "c": "c", "ab": "ab", "abc": "abc"}, ("abc", ["a", "b", "c"])),
    ],
)
def test_a_package_is_what_others_have_one_each_of(parts: dict[str, str], expected: object) -> None:
    """The package is the largest arm of which every measure is alone in another arm."""
    assert package_of({arm: frozenset(own) for arm, own in parts.items()}) == expected


def test_a_waterfall_is_drawn_of_measures() -> None:
    """Measures alone and together give a slide without overlaps; a sum of three that lacks a part gives the reason."""
    arms = resolved(world_with(), ["11", "10"])
    context = made_up(arms)
    with style.look():
        figure = waterfall_figure(context)
        fewer = {name: arm for name, arm in arms.items() if name != "10"}
        reason = waterfall_figure(made_up(fewer))
    assert not isinstance(figure, str)

    assert len(figure.axes) == 4
    assert style.overlaps(figure) == []
    assert reason == "needs an arm whose measures are each alone in other arms"


# --- zones


def second_zone(world: ResolvedTree) -> None:
    """Let the partner zone be modelled, with officers of its own."""
    partner = world.tree["zones"]["PARTNER"]
    del partner["outside"]
    for name, resource in world.tree["zones"]["TYP"].items():
        if name != "label":
            partner[name] = dict(resource)


def test_zones_stand_side_by_side() -> None:
    """Each modelled zone has a panel for gate, dwell and officers, with a bar an arm."""
    context = made_up(resolved(world_with(second_zone)))
    with style.look():
        figure = zones_figure(context)
    assert not isinstance(figure, str)

    assert len(figure.axes) == 6
    assert {axes.get_title(loc="left") for axes in figure.axes[:2]} == {
        "Typical zone",
        "Zones elsewhere",
    }
    assert style.overlaps(figure) == []


def test_numbers_of_a_zone_are_weighted() -> None:
    """
    A zone's gate time is that of its directions by passages, its dwell that of what becomes usable there by arrivals, its
    officer hours those of its officers; a direction without a value leaves none.
    """
    context = made_up(ordinary(), n=1)
    values = context.results["R1"][0].values
    values |= {"TYP.lanes_in.queue_and_lane.mean": 60.0, "TYP.lanes_in.passes.day": 30.0}
    values |= {"TYP.lanes_out.queue_and_lane.mean": 120.0, "TYP.lanes_out.passes.day": 10.0}
    values |= {kpi: 0.0 for kpi in values if kpi.endswith(".arrived.day")}
    values |= {"F1.dwell.mean": 100.0, "F1.arrived.day": 1.0, "F4b.dwell.mean": 10.0, "F4b.arrived.day": 2.0}
    values |= {"transfer_in.dwell.mean": 40.0, "transfer_in.arrived.day": 1.0}
    officers = ("gate_officers", "exception_desk", "officers", "inspectors")
    values |= {f"TYP.{name}.busy_hours.day": 2.0 for name in officers}

    assert gate_minutes(context, "R1", "TYP").tolist() == [1.25]
    assert dwell_hours(context, "R1", "TYP").tolist() == [40.0]
    assert officer_hours(context, "R1", "TYP").tolist() == [8.0]
    values["TYP.lanes_out.queue_and_lane.mean"] = NAN
    assert np.isnan(gate_minutes(context, "R1", "TYP")).all()


# --- week


def test_a_week_begins_on_monday() -> None:
    """Curves of a run that starts on a Wednesday are turned so that the slide begins on Monday 00:00."""

    def on_wednesday(world: ResolvedTree) -> None:
        world.tree["clock"]["start"] = "2018-09-05"

    context = made_up(resolved(world_with(on_wednesday)))
    curve = np.arange(168.0)
    for run in context.results["R1"]:
        run.curves["TYP.yard.busy_week"] = curve
    mean, low, high = weekly(context, "TYP.yard.busy_week")["R1"]

    assert mean[48] == 0.0, "the run's first hour is Wednesday 00:00"
    assert mean[0] == 120.0
    assert np.array_equal(low, mean)
    assert np.array_equal(high, mean)


def test_a_week_shows_lanes_and_the_yard() -> None:
    """The slide has the busiest gate directions and the yard, with a line at all its bays."""
    with style.look():
        figure = week_figure(made_up(ordinary()))
    assert not isinstance(figure, str)
    heads = [axes.get_title(loc="left") for axes in figure.axes]

    assert heads == [
        "Waiting for a lane: Gate in",
        "Waiting for a lane: Gate out",
        "In use: Yard bays",
    ]
    assert any(line.get_ydata()[0] == 42 for line in figure.axes[2].get_lines())
    assert style.overlaps(figure) == []


def test_a_week_shows_units_by_the_hour() -> None:
    """The line at all bays has steps where their number changes with the hour and the day."""

    def by_the_hour(world: ResolvedTree) -> None:
        world.tree["zones"]["TYP"]["yard"]["units"] = {
            "mon-fri": {"06:00-12:30": 20, "12:30-24:00": 30},
            "sun": [4] * 24,
        }

    with style.look():
        figure = week_figure(made_up(resolved(world_with(by_the_hour))))
    assert not isinstance(figure, str)
    (steps,) = [patch for patch in figure.axes[2].patches if isinstance(patch, StepPatch)]
    levels = steps.get_data().values

    assert levels[:24].tolist() == [0] * 6 + [20] * 6 + [25] + [30] * 11
    assert levels[120:].tolist() == [0] * 24 + [4] * 24
