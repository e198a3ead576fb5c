"""The zones where they lie as a slide: how much sooner or later their goods are through, with intervals."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from zonesim.analysis import MIX
from zonesim.briefing.figures import finding, style
from zonesim.briefing.figures.context import NOT_GIVEN, FigureContext
from zonesim.briefing.figures.waterfall import BETTER, WORSE

DWELL_OF_ZONE: Final = "goods_dwell.mean"
KPIS: Final = {"zone": (DWELL_OF_ZONE,)}
"""What the figure is about, by scope."""

FEWEST: Final = 3
"""Zones with a position of which there is a map."""

MOST_ROWS: Final = 22
KM_A_DEGREE: Final = math.pi / 180 * 6371.0088
"""On a sphere of the mean radius of the Earth (IUGG)."""

LARGEST: Final = 0.11
SMALLEST: Final = 0.03
"""Inches: radius of the circle of the largest change, and the smallest that is seen."""

MAP_WIDTH: Final = 5.7
LETTERS: Final = style.SMALL
_SHARE_OF_SCALE: Final = 0.3
_ROW: Final = 0.232
_PAD: Final = 0.025


@dataclass(frozen=True)
class Place:
    """
    A zone on the map: where it lies (inches in the panel), the radius of its circle, what an arm changes there (h, nan:
    not given) with limits, and the time of the baseline.
    """

    zone: str
    x: float
    y: float
    radius: float
    change: float
    low: float
    high: float
    base: float
    tag: str

    @property
    def known(self) -> bool:
        """Return whether there is a change to draw."""
        return not math.isnan(self.change)

    @property
    def sure(self) -> bool:
        """Return whether its interval lies on one side of 0."""
        return self.low > 0 or self.high < 0

    @property
    def colour(self) -> str:
        """Return the colour of its circle."""
        return style.PALE if not self.known else BETTER if self.change < 0 else WORSE


Box = tuple[float, float, float, float]
"""Left, lower, right and upper end, inches."""


def zone_map_figure(context: FigureContext) -> Figure | str:
    """Draw what the last arm changes in every zone with a position, or say why not."""
    say = context.say
    if context.known is None:
        return say("no_scenario")
    positions = _positions(context)
    others = [name for name in context.names if name != context.baseline]
    if len(positions) < FEWEST:
        return say("zone_map.few", n=FEWEST)
    if not others or not context.n:
        return say("effects.one_arm") if context.n else say("caption.no_run")
    arm = others[-1]
    high = style.HEIGHT - style.HEAD - style.FOOT - 0.55
    places, scale = _laid_out(context, arm, positions, MAP_WIDTH, high)
    links = _links(context, {place.zone for place in places})
    notes = [
        say("zone_map.area", largest=style.number(max(abs(each.change) for each in places if each.known)))
        if any(each.known for each in places)
        else say("zone_map.none"),
        say("zone_map.what"),
        *([say("zone_map.links")] if links else []),
        say("zone_map.position"),
        *([say("zone_map.one_arm", n=len(others) - 1)] if len(others) > 1 else []),
    ]
    title = say("zone_map.title", arm=context.arm_name(arm), baseline=context.arm_name(context.baseline))
    zones = {place.zone for place in places}
    dwells = [kpi for kpi in context.kpis if kpi.definition.what == DWELL_OF_ZONE and kpi.subject in zones]
    figure = context.slide(finding.found(context, dwells, title, [arm]), notes)
    handles = [
        _circle(BETTER, filled=True),
        _circle(WORSE, filled=True),
        _circle(style.PALE, filled=False),
    ]
    style.legend_above(figure, handles, [say(f"zone_map.{word}") for word in ("sooner", "later", "unsure")], sample=1.2)
    axes = figure.add_axes(
        (
            style.MARGIN / style.WIDTH,
            (style.FOOT + 0.1) / style.HEIGHT,
            MAP_WIDTH / style.WIDTH,
            high / style.HEIGHT,
        )
    )
    axes.set_xlim(0, MAP_WIDTH)
    axes.set_ylim(0, high)
    axes.set_axis_off()
    _draw(axes, places, links, scale, context)
    _list(figure, context, places, style.FOOT + 0.1 + high)
    return figure


def _positions(context: FigureContext) -> dict[str, tuple[float, float]]:
    """Return latitude and longitude of the modelled zones that have them, in degrees."""
    assert context.known is not None  # noqa: S101  asked before
    found = {}
    for name, zone in context.known.scenario.zones.items():
        values = [getattr(zone.entries().get(key), "value", None) for key in ("lat", "lon")]
        if not zone.outside and f"{name}.{DWELL_OF_ZONE}" in context.by_id and None not in values:
            found[name] = (float(str(values[0])), float(str(values[1])))
    return found


def _laid_out(
    context: FigureContext, arm: str, positions: dict[str, tuple[float, float]], wide: float, high: float
) -> tuple[list[Place], float]:
    """
    Return the zones on a panel of so many inches, and inches a km: distances are true along the mean latitude, where
    a degree of longitude is shorter by the cosine of it.
    """
    middle = sum(lat for lat, _ in positions.values()) / len(positions)
    east = {zone: KM_A_DEGREE * math.cos(math.radians(middle)) * lon for zone, (_, lon) in positions.items()}
    north = {zone: KM_A_DEGREE * lat for zone, (lat, _) in positions.items()}
    spans = [max(own.values()) - min(own.values()) for own in (east, north)]
    room = 0.55
    scale = min((side - 2 * room) / max(span, 1.0) for side, span in zip((wide, high), spans, strict=True))
    left = room + (wide - 2 * room - scale * spans[0]) / 2
    effects = {zone: context.effects[arm, f"{zone}.{DWELL_OF_ZONE}"] for zone in positions}
    largest = max((abs(each.difference.value) for each in effects.values() if each.difference.n), default=math.nan)
    found = []
    for zone, effect in effects.items():
        change = effect.difference
        size = abs(change.value) / largest if largest > 0 and change.n else 0.0
        found.append(
            Place(
                zone,
                left + scale * (east[zone] - min(east.values())),
                room + scale * (north[zone] - min(north.values())),
                max(LARGEST * math.sqrt(size), SMALLEST),
                *(change.value, change.low, change.high, context.mean(context.baseline, effect.kpi)),
                effect.tag,
            )
        )
    return sorted(found, key=lambda each: (not each.known, each.change if each.known else 0.0)), scale


def _links(context: FigureContext, zones: set[str]) -> set[tuple[str, ...]]:
    """Return the pairs of zones between which goods go."""
    assert context.known is not None  # noqa: S101  asked before
    traffic = context.known.scenario.traffic.values()
    ends = {tuple(sorted({str(value) for value in entry.with_.values()} & zones)) for entry in traffic}
    return {pair for pair in ends if len(pair) == 2}  # noqa: PLR2004  from one zone to another


def _circle(colour: str, *, filled: bool) -> Line2D:
    face = colour if filled else "white"
    return Line2D([], [], color="none", marker="o", markersize=9, markerfacecolor=face, markeredgecolor=colour)


def _draw(
    axes: Axes, places: Sequence[Place], links: set[tuple[str, ...]], scale: float, context: FigureContext
) -> None:
    at = {place.zone: place for place in places}
    for one, other in sorted(links):
        axes.plot([at[one].x, at[other].x], [at[one].y, at[other].y], color=style.RULE, linewidth=0.7, zorder=1)
    for place in places:
        size = (2 * place.radius / style.POINT) ** 2
        marker: dict[str, Any] = {"s": size, "zorder": 4, "linewidths": 1.0}
        if not place.known:
            axes.scatter([place.x], [place.y], marker="x", color=place.colour, **marker)
            continue
        face = place.colour if place.sure else "white"
        edge = "white" if place.sure else place.colour
        axes.scatter([place.x], [place.y], facecolors=face, edgecolors=edge, **marker)
    taken: list[Box] = []
    kilometres = _round_length(_SHARE_OF_SCALE * MAP_WIDTH / scale)
    _scale_bar(axes, scale * kilometres, context.say("zone_map.km", n=f"{kilometres:g}"), taken)
    for place, x, y, led in _labels(places, taken, axes.get_ylim()[1]):
        if led:
            axes.plot([place.x, x], [place.y, y], color=style.PALE, linewidth=0.6, zorder=3, clip_on=False)
        axes.text(
            *(x, y, place.zone),
            fontsize=LETTERS,
            ha="center",
            va="center",
            zorder=6,
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.6},
        )


def _scale_bar(axes: Axes, long: float, words: str, taken: list[Box]) -> None:
    """Draw a bar of so many inches in the lower left corner, where no label may stand then."""
    low, tick = 0.16, 0.05
    axes.plot([0.1, 0.1, 0.1 + long, 0.1 + long], [low + tick, low, low, low + tick], color=style.INK, linewidth=1.0)
    axes.text(0.1 + long / 2, low + 0.13, words, fontsize=style.SMALL, ha="center", va="center")
    taken.append((0.0, 0.0, 0.2 + long, low + 0.28))


def _round_length(most: float) -> float:
    """Return the largest of 1, 2 and 5 times a power of ten that is at most `most`."""
    power: float = 10.0 ** math.floor(math.log10(most))
    return next(step * power for step in (5, 2, 1) if step * power <= most)


def _labels(places: Sequence[Place], taken: list[Box], high: float) -> Iterator[tuple[Place, float, float, bool]]:
    """
    Yield where the middle of each zone's name stands, and whether a line leads there: beside its circle, or as near as
    no circle, no other name and no line is met.
    """
    circles = [_around(each.x, each.y, each.radius, each.radius) for each in places]
    tall = 1.25 * LETTERS * style.POINT
    for place in sorted(places, key=lambda each: -_crowd(each, places)):
        wide = style.width_of(place.zone, LETTERS)
        for away, angle in _turns():
            gap = place.radius + away
            x = place.x + (gap + wide / 2) * math.cos(angle)
            y = place.y + (gap + tall / 2) * math.sin(angle)
            box = _around(x, y, wide / 2 + _PAD, tall / 2)
            inside = box[0] >= 0 and box[2] <= MAP_WIDTH and box[1] >= 0 and box[3] <= high
            line = list(_along(place, x, y)) if away > 0.1 else []  # noqa: PLR2004  inches
            met = any(_meet(box, other) for other in (*circles, *taken))
            crossed = any(_meet(step, other) for step in line for other in taken)
            if inside and not met and not crossed:
                taken += [box, *line]
                yield place, x, y, bool(line)
                break
        else:
            yield place, place.x, place.y, False


def _turns() -> Iterator[tuple[float, float]]:
    """Yield distances (inches) and directions, those to the right and near first."""
    for step in range(16):
        for turn in (0, 8, 4, 12, 2, 14, 6, 10, 1, 15, 3, 13, 5, 11, 7, 9):
            yield 0.03 + 0.09 * step, math.pi / 8 * turn


def _crowd(place: Place, places: Sequence[Place]) -> int:
    return sum(math.hypot(place.x - other.x, place.y - other.y) < 0.5 for other in places)  # noqa: PLR2004  inches


def _along(place: Place, x: float, y: float) -> Iterator[Box]:
    """Yield small boxes along the line from a circle to its name."""
    for step in range(1, 12):
        part = step / 12
        yield _around(place.x + part * (x - place.x), place.y + part * (y - place.y), 0.01, 0.01)


def _around(x: float, y: float, wide: float, high: float) -> Box:
    return x - wide, y - high, x + wide, y + high


def _meet(one: Box, other: Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def _list(figure: Figure, context: FigureContext, places: Sequence[Place], top: float) -> None:
    """Write the zones by their change beside the map, each with its interval in words."""
    say = context.say
    left = style.MARGIN + MAP_WIDTH + 0.25
    columns = left + 0.55, left + 3.05, left + 3.9, left + 4.6
    heads = (say("zone_map.zone"), say("zone_map.change"), "%", say("zone_map.interval", level=say.level))
    for x, head in zip((left, *columns[1:]), heads, strict=True):
        style.put(figure, x, top, head, LETTERS, bold=True)
    shown = places[:MOST_ROWS]
    for number, place in enumerate(shown, start=1):
        y = top - _ROW * number
        assert context.known is not None  # noqa: S101  asked before
        label = say.label(context.known.scenario.zones[place.zone].label, place.zone)
        style.put(figure, left, y, place.zone, LETTERS, bold=True)
        style.put(figure, columns[0], y, style.fit(label, columns[1] - columns[0] - 0.1, LETTERS), LETTERS)
        if not place.known:
            words = {tag: f"effects.{tag}" for tag in NOT_GIVEN} | {MIX: "zone_map.mix"}
            reason = say(words[place.tag]) if place.tag in words else "-"
            style.put(figure, columns[1], y, reason, LETTERS, colour=style.PALE)
            continue
        style.put(figure, columns[1], y, f"{style.number(place.change)} {say.unit('h')}", LETTERS, colour=place.colour)
        if place.base:
            style.put(figure, columns[2], y, style.number(100 * place.change / abs(place.base)), LETTERS)
        style.put(figure, columns[3], y, _limits(context, place), LETTERS, colour=style.PALE)
    if len(places) > len(shown):
        y = top - _ROW * (len(shown) + 1)
        style.put(figure, left, y, say("zone_map.more", n=len(places) - len(shown)), LETTERS, colour=style.PALE)


def _limits(context: FigureContext, place: Place) -> str:
    """Return the interval of a change in words."""
    if math.isnan(place.low):
        return context.say("zone_map.no_interval")
    words = context.say("zone_map.limits", low=style.number(place.low), high=style.number(place.high))
    return words if place.sure else context.say("zone_map.holds_0", limits=words)
