"""The map of zones: nothing runs into each other, distances are true, and what is not known is said."""

from __future__ import annotations

import math
from functools import cache

import pytest

from tests.helper import ROOT
from tests.made_up import made_up, ordinary
from zonesim.analysis import compare
from zonesim.briefing.figures import fonts, style
from zonesim.briefing.figures.comparison import FigureContext
from zonesim.briefing.figures.zone_map import DWELL_OF_ZONE, zone_map_figure
from zonesim.briefing.text.words import Language
from zonesim.kpi import Kpi, RunResult, catalogue
from zonesim.plan import compile_plan
from zonesim.policy import ResolvedArm, arms_for, load_world, resolve

PROVINCE = ROOT / "scenarios" / "jiangsu_2019.yaml"


@cache
def province() -> tuple[dict[str, ResolvedArm], tuple[Kpi, ...]]:
    """The province with and without measure 11, and its KPIs."""
    world = load_world(PROVINCE)
    arms = {arm.name: resolve(world, arm) for arm in arms_for(world, ["11"])}
    return arms, catalogue(compile_plan(arms["R1"]))


def context(language: Language = "en") -> FigureContext:
    """Three replications in which zones gain more the later they stand; SIP loses, KS is unsure, WX is withheld."""
    arms, kpis = province()
    zones = [kpi.subject for kpi in kpis if kpi.definition.what == DWELL_OF_ZONE]
    runs: dict[str, list[RunResult]] = {arm: [] for arm in arms}
    for place, arm in enumerate(arms):
        for number in range(3):
            values = {
                f"{zone}.{DWELL_OF_ZONE}": 50.0 - place * (3 + row + 0.1 * number) for row, zone in enumerate(zones)
            }
            values |= {f"SIP.{DWELL_OF_ZONE}": 40.0 + place * (2 + 0.1 * number)}
            values |= {f"KS.{DWELL_OF_ZONE}": 40.0 + place * (number - 1)}
            values |= {f"WX.{DWELL_OF_ZONE}": math.nan}
            runs[arm].append(RunResult(values, withheld={f"WX.{DWELL_OF_ZONE}": 0.2}))
    own = tuple(kpi for kpi in kpis if kpi.definition.what == DWELL_OF_ZONE)
    return FigureContext(arms, runs, compare(runs, [kpi.id for kpi in own]), own, seed=1, language=language)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_no_letter_of_the_map_is_covered(language):
    """
    The twenty-one zones of the province have their names on the map and in the list, and no two texts intersect.
    """
    if language == "zh" and fonts.chinese() is None:
        pytest.skip("no font with Chinese letters")
    drawn = context(language)
    with style.look(language):
        figure = zone_map_figure(drawn)
        assert not isinstance(figure, str)
        found = style.overlaps(figure)
    (axes,) = figure.axes
    names = [text.get_text() for text in axes.texts]

    assert found == []
    assert drawn.known is not None
    assert set(drawn.known.scenario.zones) < set(names)
    assert len(names) == 22


def test_the_map_says_what_is_not_sure():
    """
    The list tells a gain, a loss and an interval that holds 0; a value that is withheld is none.
    """
    with style.look():
        figure = zone_map_figure(context())
    assert not isinstance(figure, str)
    texts = [text.get_text() for text in figure.texts]
    (axes,) = figure.axes

    assert "2.10 h" in texts
    assert any(text.endswith("holds 0") for text in texts)
    assert "not ended" in texts
    hollow = [dots for dots in axes.collections if dots.get_facecolor()[0].tolist() == [1, 1, 1, 1]]
    assert len(hollow) == 1


def test_distances_on_the_map_are_true():
    """
    By the bar of the map, zones lie as far from each other as on the globe (great circle), to 2 %.
    """
    with style.look():
        figure = zone_map_figure(context())
    assert not isinstance(figure, str)
    (axes,) = figure.axes
    (bar,) = (line.get_xdata() for line in axes.lines if len(line.get_xdata()) == 4)
    (words,) = (text.get_text() for text in axes.texts if text.get_text().endswith(" km"))
    inches_a_km = (bar[2] - bar[1]) / float(words.removesuffix(" km"))
    drawn = sorted(tuple(dots.get_offsets()[0]) for dots in axes.collections)
    arms, _ = province()
    facts = [zone.entries() for zone in arms["R1"].scenario.zones.values()]
    places = sorted((float(str(own["lon"].value)), float(str(own["lat"].value))) for own in facts)

    for (one, first), (other, second) in zip(
        zip(drawn, places, strict=True), list(zip(drawn, places, strict=True))[::-1], strict=True
    ):
        if first != second:
            assert math.dist(one, other) / inches_a_km == pytest.approx(great_circle(first, second), rel=0.02)


def great_circle(one: tuple[float, float], other: tuple[float, float]) -> float:
    """The distance of two places (longitude, latitude in degrees) on a sphere with the mean radius of the Earth, km."""
    (east, north), (east_2, north_2) = ([math.radians(each) for each in place] for place in (one, other))
    half = (
        math.sin((north_2 - north) / 2) ** 2 + math.cos(north) * math.cos(north_2) * math.sin((east_2 - east) / 2) ** 2
    )
    return 2 * 6371.0088 * math.asin(math.sqrt(half))


def test_fewer_zones_have_no_map():
    """
    With fewer than three zones that have a position there is no map, and the reason is said.
    """
    with style.look():
        assert zone_map_figure(made_up(ordinary())) == "fewer than 3 modelled zones have a position (lat, lon)"
