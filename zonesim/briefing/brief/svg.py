"""Charts as SVG: narrow, so that they are legible on a phone, and in three tones that stay apart in grey."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from html import escape
from typing import Final

from zonesim.briefing.brief.model import FIRST_WIDE, Chart, Series, number_text, room_of

WIDE: Final = 460
"""Units of the drawing from left to right; letters are 12 high."""

TONES: Final = ("#1b3a57", "#7c9cb8", "#cfdae4", "#4f4f4f", "#a8a8a8", "#e3e3e3", "#2f6f62", "#9fc4ba")
"""Fill of the series, one after the other: dark, middle, light."""

_INK, _PALE, _RULE = "#1a1a1a", "#555", "#bbb"
_LINE: Final = 15
_BAR: Final = 13
_ROOM: Final = 78
"""Units to the right of the bars, for the value of the last one."""

_LETTERS: Final = 60
"""Latin letters that fit on a line; a Chinese one takes the room of two."""


def svg_of(chart: Chart, title: str = "") -> str:
    """Return a chart as an SVG element without a fixed size; `title` is read to those who cannot see it."""
    drawn = _Drawing(chart)
    body = "\n".join(drawn.draw())
    family = "system-ui, 'PingFang SC', 'Microsoft YaHei', 'Noto Sans CJK SC', 'Noto Sans', sans-serif"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDE} {drawn.y:.0f}" role="img" '
        f'font-family="{escape(family)}" font-size="12">\n<title>{escape(title or chart.title)}</title>\n{body}\n</svg>'
    )


class _Drawing:
    """Writes a chart from the top; `y` is how far down it has come."""

    def __init__(self, chart: Chart) -> None:
        self.chart = chart
        self.y = 4.0
        self.low, self.high = _limits(chart)

    def x(self, value: float) -> float:
        """Return where a value lies, from left to right."""
        left = 4.0 + (_ROOM if self.low < 0 else 0.0)
        return left + (WIDE - left - _ROOM - 4.0) * (value - self.low) / (self.high - self.low)

    def draw(self) -> Iterator[str]:
        """Yield the elements."""
        chart = self.chart
        yield from self._legend()
        top = self.y
        for row, name in enumerate(chart.categories):
            yield from self._text(4 if self.low < 0 else 10, name, weight="600")
            yield from self._stack(row) if chart.kind == "stack" else self._bars(row)
            self.y += 6
        zero = self.x(chart.middle if chart.kind == "ends" else max(self.low, 0.0))
        yield _line(zero, top, zero, self.y)
        yield from self._text(4, chart.unit, colour=_PALE, size=11)
        yield from self._text(4, chart.note, colour=_PALE, size=11)
        self.y += 4

    def _legend(self) -> Iterator[str]:
        if len(self.chart.series) < 2:  # noqa: PLR2004  one needs no legend
            return
        for number, series in enumerate(self.chart.series):
            yield _box(4, self.y, 12, 10, _tone(number))
            yield from self._text(22, series.name)
        self.y += 4

    def _text(self, x: float, text: str, *, colour: str = _INK, size: int = 12, weight: str = "400") -> Iterator[str]:
        for line in _lines(text):
            self.y += _LINE
            style = f'fill="{colour}" font-size="{size}" font-weight="{weight}"'
            yield f'<text x="{x:.1f}" y="{self.y - 4:.1f}" {style}>{escape(line)}</text>'

    def _stack(self, row: int) -> Iterator[str]:
        total = 0.0
        for number, series in enumerate(self.chart.series):
            value = series.values[row]
            if not value > 0:
                continue
            left, right = self.x(total), self.x(total + value)
            yield _box(left, self.y + 2, right - left, _BAR, _tone(number))
            total += value
        yield self._value(total, number_text(total))
        self.y += _BAR + 4

    def _bars(self, row: int) -> Iterator[str]:
        chart = self.chart
        start = chart.middle if chart.kind == "ends" else max(self.low, 0.0)
        for number, series in enumerate(chart.series):
            value = series.values[row]
            low, high = (ends[row] if ends else math.nan for ends in (series.lows, series.highs))
            if chart.kind == "band":
                if math.isnan(low):
                    continue
                yield _box(self.x(low), self.y + 2, max(self.x(high) - self.x(low), 2.0), _BAR, _tone(number))
                text = (
                    number_text(low)
                    if number_text(low) == number_text(high)
                    else f"{number_text(low)} … {number_text(high)}"
                )
                yield self._value(high, text)
                self.y += _BAR + 3
                continue
            if math.isnan(value):
                self.y += _BAR + 3
                continue
            left, right = sorted((self.x(start), self.x(value)))
            yield _box(left, self.y + 2, max(right - left, 1.0), _BAR, _tone(number))
            far = value
            if not math.isnan(low):
                middle = self.y + 2 + _BAR / 2
                yield _line(self.x(low), middle, self.x(high), middle)
                yield from (_line(self.x(end), middle - 4, self.x(end), middle + 4) for end in (low, high))
                far = high if value >= start else low
            yield self._value(far, number_text(value, signed=chart.kind != "bars" or self.low < 0))
            self.y += _BAR + 3

    def _value(self, at: float, text: str) -> str:
        """Write a value behind the end of its bar, on the side where there is room."""
        x = self.x(at)
        start = self.chart.middle if self.chart.kind == "ends" else 0.0
        left = at < start and self.low < 0
        place = f'x="{x - 5:.1f}" text-anchor="end"' if left else f'x="{x + 5:.1f}"'
        return f'<text {place} y="{self.y + 2 + _BAR - 2.5:.1f}" fill="{_INK}">{escape(text)}</text>'


def _limits(chart: Chart) -> tuple[float, float]:
    """Return the least and the most that the axis has to show; 0 is always on it, but for a tornado."""
    if chart.kind == "stack":
        most = max(
            (sum(_known(each.values[row] for each in chart.series)) for row in range(len(chart.categories))),
            default=1.0,
        )
        return 0.0, most or 1.0
    values = [value for series in chart.series for value in _all(series)]
    values += [chart.middle] if chart.kind == "ends" else [0.0]
    known = list(_known(values))
    low, high = min(known, default=0.0), max(known, default=1.0)
    return (low, high) if high > low else (low - 0.5, high + 0.5)


def _all(series: Series) -> list[float]:
    return [*series.values, *series.lows, *series.highs]


def _known(values: Iterator[float] | Sequence[float]) -> Iterator[float]:
    return (value for value in values if math.isfinite(value))


def _tone(number: int) -> str:
    return TONES[number % len(TONES)]


def _box(x: float, y: float, wide: float, high: float, fill: str) -> str:
    place = f'x="{x:.1f}" y="{y:.1f}" width="{wide:.1f}" height="{high:.1f}"'
    return f'<rect {place} fill="{fill}" stroke="{_INK}" stroke-width="0.4"/>'


def _line(x: float, y: float, to_x: float, to_y: float) -> str:
    return f'<line x1="{x:.1f}" y1="{y:.1f}" x2="{to_x:.1f}" y2="{to_y:.1f}" stroke="{_INK}" stroke-width="1.4"/>'


def _lines(text: str) -> Iterator[str]:
    """Yield a text in lines that fit, broken between words, or where there are none anywhere."""
    line, room = "", 0
    for word in _words(text):
        wide = room_of(word)
        if line and room + wide > _LETTERS:
            yield line.rstrip()
            line, room = "", 0
        line, room = line + word, room + wide
    if line.strip():
        yield line.rstrip()


def _words(text: str) -> Iterator[str]:
    """Yield words with the space behind them, Chinese letter by letter, none longer than a line."""
    word = ""
    for letter in text:
        word += letter
        if letter == " " or ord(letter) > FIRST_WIDE or len(word) >= _LETTERS:
            yield word
            word = ""
    if word:
        yield word
