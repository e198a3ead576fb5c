"""Charts as pictures, for documents that take no drawings: in the tones and in the order of those of HTML."""

from __future__ import annotations

import io
import math
from typing import Any, Final

from zonesim.briefing.brief.model import Chart, number_text, room_of
from zonesim.briefing.brief.svg import TONES
from zonesim.briefing.text.words import Language

_WIDE: Final = 7.2
_BAR: Final = 0.24
"""Inches of a picture from left to right, and of a bar from top to bottom."""

_MOST_LETTERS: Final = 34


def can_draw(language: Language) -> bool:
    """Return whether there are letters to draw a language with."""
    from zonesim.briefing.figures import fonts  # noqa: PLC0415  slow to import

    return language == "en" or fonts.chinese() is not None


def png_of(chart: Chart, language: Language) -> bytes:
    """Return a chart as PNG, 200 dots an inch."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415  slow to import
    from matplotlib.figure import Figure  # noqa: PLC0415

    from zonesim.briefing.figures import style  # noqa: PLC0415

    rows, each = len(chart.categories), 1 if chart.kind in {"stack", "ends", "band"} else len(chart.series)
    with style.look(language):
        figure = Figure(figsize=(_WIDE, 1.0 + _BAR * rows * (each + 0.8)), layout="constrained")
        FigureCanvasAgg(figure)
        axes = figure.subplots()
        for number, series in enumerate(chart.series):
            _draw(axes, chart, number, each)
            if len(chart.series) > 1:
                axes.barh([0], [0], color=_tone(number), edgecolor="black", linewidth=0.4, label=series.name)
        axes.axvline(chart.middle if chart.kind == "ends" else 0.0, color="black", linewidth=0.9)
        axes.set_yticks(range(rows), [_folded(name) for name in chart.categories], fontsize=9)
        axes.set_ylim(rows - 0.5, -0.5)
        axes.tick_params(axis="y", length=0)
        axes.margins(x=0.14)
        axes.set_xlabel(chart.unit, fontsize=9)
        if len(chart.series) > 1:
            columns = 2 if chart.kind == "stack" else 3
            figure.legend(loc="outside upper left", ncols=columns, fontsize=8, frameon=False)
        stream = io.BytesIO()
        figure.savefig(stream, format="png", dpi=200)
    return stream.getvalue()


def _draw(axes: Any, chart: Chart, number: int, each: int) -> None:  # noqa: ANN401  untyped
    """Draw the bars of a series with their limits and values."""
    series = chart.series[number]
    for row, value in enumerate(series.values):
        height = 0.7 / each
        at = row + (number - (each - 1) / 2) * height if each > 1 else row
        left = 0.0
        if chart.kind == "stack":
            left = sum(before.values[row] for before in chart.series[:number])
        elif chart.kind == "ends":
            left, value = chart.middle, value - chart.middle  # noqa: PLW2901
        elif chart.kind == "band":
            left, value = series.lows[row], series.highs[row] - series.lows[row]  # noqa: PLW2901
        if math.isnan(value) or math.isnan(left):
            continue
        axes.barh(at, value, left=left, height=height, color=_tone(number), edgecolor="black", linewidth=0.4)
        if chart.kind == "bars":
            _limits(axes, chart, number, row, at)


def _limits(axes: Any, chart: Chart, number: int, row: int, at: float) -> None:  # noqa: ANN401  untyped
    series = chart.series[number]
    value = series.values[row]
    far = value
    if series.lows and not math.isnan(series.lows[row]):
        low, high = series.lows[row], series.highs[row]
        axes.errorbar(value, at, xerr=[[value - low], [high - value]], color="black", linewidth=1.1, capsize=2.5)
        far = high if value >= 0 else low
    side = "left" if value >= 0 else "right"
    axes.annotate(
        number_text(value), (far, at), xytext=(4 if value >= 0 else -4, 0), textcoords="offset points", ha=side,
        va="center", fontsize=8,
    )  # fmt: skip


def _tone(number: int) -> str:
    return TONES[number % len(TONES)]


def _folded(text: str) -> str:
    """Return a name in lines that leave room for the bars."""
    lines, line, room = [], "", 0
    for word in text.split(" ") if " " in text else list(text):
        gap = " " if " " in text and line else ""
        wide = room_of(word)
        if line and room + wide > _MOST_LETTERS:
            lines.append(line)
            line, room, gap = "", 0, ""
        line, room = line + gap + word, room + wide + len(gap)
    return "\n".join([*lines, line])
