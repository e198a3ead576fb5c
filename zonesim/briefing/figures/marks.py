"""Points with intervals on rows, and words beside points that do not run into each other."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

from matplotlib.axes import Axes
from matplotlib.text import Text

from zonesim.analysis import Difference, Interval
from zonesim.briefing.figures import style

_AWAY: Final = (0.06, 0.13)
"""Inches from a point to the end of the word beside it, and to the middle of one above it."""

_SIDES: Final = ((1, 1), (1, -1), (-1, 1), (-1, -1), (1, 0), (0, 1), (0, -1), (-1, 0))
"""Sides of a point, first those where no lines of limits are: right and up."""


def reach(own: Interval | Difference, factor: float = 1.0) -> list[list[float]] | None:
    """Return how far limits reach below and above a value, as matplotlib wants it; None where there are none."""
    if math.isnan(own.low) or math.isnan(own.high):
        return None
    return [[max(factor * (own.value - own.low), 0.0)], [max(factor * (own.high - own.value), 0.0)]]


def whisker(axes: Axes, row: float, own: Interval | Difference, factor: float = 1.0, **look: Any) -> None:  # noqa: ANN401
    """Draw a value with its limits on a row."""
    if math.isnan(own.value):
        return
    axes.errorbar(
        [factor * own.value],
        [row],
        xerr=reach(own, factor),
        linestyle="none",
        **{"elinewidth": 1.4, "capsize": 3, "zorder": 4, **look},
    )


def words(axes: Axes, row: float, text: str) -> Text:
    """Write at the right end of a row why it has no value."""
    return axes.annotate(
        text,
        (1, row),
        xycoords=("axes fraction", "data"),
        ha="right",
        va="center",
        fontsize=style.SMALL,
        color=style.WARN,
    )


def behind(
    axes: Axes, row: float, inches: float, text: str, *, size: float = style.SMALL, colour: str = style.INK
) -> Text:
    """Write a text so many inches behind the right end of a row."""
    return axes.annotate(
        text,
        (1, row),
        xycoords=("axes fraction", "data"),
        xytext=(inches / style.POINT, 0),
        textcoords="offset points",
        ha="left",
        va="center",
        fontsize=size,
        color=colour,
        annotation_clip=False,
    )


def labels(axes: Axes, places: Mapping[str, tuple[float, float]], size: float = style.SMALL) -> None:
    """
    Write a short word beside each point, where no other word or point is; where there is no such place it is left out.
    The limits of the axes have to stand.
    """
    to_inches = axes.figure.dpi_scale_trans.inverted()
    points = {word: to_inches.transform(axes.transData.transform(place)) for word, place in places.items()}
    frame = axes.get_window_extent().transformed(to_inches)
    high = size * style.POINT
    taken: list[tuple[float, float, float, float]] = [
        (x - 0.05, y - 0.05, x + 0.05, y + 0.05) for x, y in points.values()
    ]
    taken += [
        (box.x0, box.y0, box.x1, box.y1)
        for box in (each.get_window_extent().transformed(to_inches) for each in axes.texts)
    ]
    for word, (x, y) in points.items():
        wide = style.width_of(word, size) + 0.02
        for right, up in _SIDES:
            middle = x + right * (_AWAY[0] + wide / 2), y + up * _AWAY[1]
            box = middle[0] - wide / 2, middle[1] - high / 2, middle[0] + wide / 2, middle[1] + high / 2
            inside = frame.x0 <= box[0] and box[2] <= frame.x1 and frame.y0 <= box[1] and box[3] <= frame.y1
            if inside and not any(_meet(box, other) for other in taken):
                taken.append(box)
                axes.annotate(
                    word,
                    places[word],
                    xytext=((middle[0] - x) / style.POINT, (middle[1] - y) / style.POINT),
                    textcoords="offset points",
                    ha="center",
                    va="center",
                    fontsize=size,
                    zorder=6,
                )
                break


def _meet(one: tuple[float, float, float, float], other: tuple[float, float, float, float]) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]
