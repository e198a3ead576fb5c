"""A briefing as slides: a finding for a title, and charts that can be edited, with their limits."""

from __future__ import annotations

import io
import math
from pathlib import Path
from typing import Any, Final

from zonesim.briefing.brief.model import Briefing, Chart, Section, Series, Table, number_text, room_of, text_of
from zonesim.briefing.brief.svg import TONES
from zonesim.briefing.text.words import Language
from zonesim.writing import for_spreadsheets, whole

MOST_LETTERS: Final = 255
"""Letters of a property of a document."""

MOST_ROWS: Final = 12
MOST_SLIDES: Final = 2
MOST_COLUMNS: Final = 12
"""Rows and columns that a slide has room for, and slides of a table; the rest is in the other documents."""

_IN_WORDS: Final = frozenset({"register"})
"""Sections of which slides have the words alone."""

_FONTS: Final[dict[Language, tuple[str, str]]] = {"en": ("Calibri", "Microsoft YaHei"), "zh": ("Arial", "微软雅黑")}
_WIDE, _HIGH, _EDGE = 13.333, 7.5, 0.6


def write_pptx(path: Path, briefing: Briefing) -> None:
    """Write a briefing as slides, whole or not at all; raises ScenarioFault when it cannot be written."""
    slides = _Slides(briefing)
    with whole(path) as part:
        slides.save(part)


class _Slides:
    """Adds slide after slide."""

    def __init__(self, briefing: Briefing) -> None:
        from pptx import Presentation  # noqa: PLC0415  slow to import, and seldom needed
        from pptx.util import Inches  # noqa: PLC0415

        self.briefing = briefing
        self.file = Presentation()
        self.file.slide_width, self.file.slide_height = Inches(_WIDE), Inches(_HIGH)
        self.file.core_properties.title = briefing.title[:MOST_LETTERS]
        self.file.core_properties.author = "zonesim"
        self.file.core_properties.subject = briefing.run
        self._texts(briefing.title, [briefing.question], size=24)
        self._texts(briefing.words["findings"], list(briefing.findings), size=24, numbered=True)
        for section in briefing.sections:
            self._section(section)
        self._texts(briefing.words["commands"], [briefing.words["again"], *briefing.commands], size=18)

    def save(self, path: Path) -> None:
        """Write the slides."""
        stream = io.BytesIO()
        self.file.save(stream)
        path.write_bytes(stream.getvalue())

    def _section(self, section: Section) -> None:
        for chart in section.charts:
            self._chart(section.title, chart)
        shown = [table for table in section.tables if not table.long and section.key not in _IN_WORDS]
        for table in shown:
            for first in range(0, min(len(table.rows), MOST_SLIDES * MOST_ROWS), MOST_ROWS):
                self._table(section.title, table, first)
        if not section.charts and not shown:
            self._texts(section.title, list(section.paragraphs), size=20)

    # --- one slide

    def _slide(self, title: str) -> Any:  # noqa: ANN401  untyped
        """Return a slide with its title, and with the number of the run at its foot."""
        from pptx.util import Inches, Pt  # noqa: PLC0415

        slide = self.file.slides.add_slide(self.file.slide_layouts[5])
        box = slide.shapes.title
        box.left, box.top = Inches(_EDGE), Inches(0.35)
        box.width, box.height = Inches(_WIDE - 2 * _EDGE), Inches(1.15)
        room = room_of(title)
        self._write(box.text_frame, [title], 28 if room < 90 else 22 if room < 160 else 16, bold=True)  # noqa: PLR2004
        foot = slide.shapes.add_textbox(Inches(_EDGE), Inches(_HIGH - 0.5), Inches(_WIDE - 2 * _EDGE), Inches(0.35))
        self._write(foot.text_frame, [self.briefing.source], 12)
        foot.text_frame.paragraphs[0].space_before = Pt(0)
        return slide

    def _texts(self, title: str, texts: list[str], *, size: int, numbered: bool = False) -> None:
        from pptx.util import Inches  # noqa: PLC0415

        slide = self._slide(title)
        box = slide.shapes.add_textbox(Inches(_EDGE), Inches(1.7), Inches(_WIDE - 2 * _EDGE), Inches(4.8))
        shown = [f"{number}. {text}" if numbered else text for number, text in enumerate(texts, start=1)]
        longest = max((len(text) for text in shown), default=0)
        self._write(box.text_frame, shown, size if longest < 300 else 14)  # noqa: PLR2004

    def _write(self, frame: Any, texts: list[str], size: float, *, bold: bool = False) -> None:  # noqa: ANN401
        from pptx.enum.text import PP_ALIGN  # noqa: PLC0415
        from pptx.util import Pt  # noqa: PLC0415

        frame.word_wrap = True
        for number, text in enumerate(texts):
            paragraph = frame.paragraphs[0] if number == 0 else frame.add_paragraph()
            paragraph.alignment = PP_ALIGN.LEFT
            paragraph.space_before = Pt(size / 2)
            run = paragraph.add_run()
            run.text = text
            self._letters(run.font, size, bold=bold)

    def _letters(self, font: Any, size: float, *, bold: bool = False) -> None:  # noqa: ANN401  untyped
        """Set size and families, that of Chinese letters too."""
        from pptx.oxml.ns import qn  # noqa: PLC0415
        from pptx.util import Pt  # noqa: PLC0415

        latin, chinese = _FONTS[self.briefing.language]
        font.size, font.bold, font.name = Pt(size), bold, latin
        properties = font._rPr  # noqa: SLF001  no other way to Chinese letters
        for old in properties.findall(qn("a:ea")):
            properties.remove(old)
        asian = properties.makeelement(qn("a:ea"), {"typeface": chinese})
        properties.find(qn("a:latin")).addnext(asian)

    # --- tables

    def _table(self, title: str, table: Table, first: int) -> None:
        from pptx.enum.text import PP_ALIGN  # noqa: PLC0415
        from pptx.util import Inches  # noqa: PLC0415

        slide = self._slide(title)
        rows, columns = table.rows[first : first + MOST_ROWS], table.columns[:MOST_COLUMNS]
        box = slide.shapes.add_textbox(Inches(_EDGE), Inches(1.45), Inches(_WIDE - 2 * _EDGE), Inches(0.4))
        self._write(box.text_frame, [table.title], 16, bold=True)
        grid = slide.shapes.add_table(
            1 + len(rows), len(columns), Inches(_EDGE), Inches(1.95), Inches(_WIDE - 2 * _EDGE), Inches(0.3)
        ).table
        size = 12 if len(rows) <= MOST_ROWS // 2 else 10
        for place, share in enumerate(table.widths()[:MOST_COLUMNS]):
            grid.columns[place].width = Inches((_WIDE - 2 * _EDGE) * share)
        for place, column in enumerate(columns):
            self._write(grid.cell(0, place).text_frame, [column.head], size, bold=True)
        for at, row in enumerate(rows, start=1):
            for place, (cell, column) in enumerate(zip(row, columns, strict=False)):
                frame = grid.cell(at, place).text_frame
                self._write(frame, [text_of(cell)], size)
                if column.kind != "text":
                    frame.paragraphs[0].alignment = PP_ALIGN.RIGHT
        for row_ in grid.rows:
            row_.height = Inches(0.3)
        for at in range(1 + len(rows)):
            for place in range(len(columns)):
                cell_ = grid.cell(at, place)
                cell_.margin_top = cell_.margin_bottom = Inches(0.02)
                cell_.text_frame.paragraphs[0].space_before = 0
        left = len(table.rows) - MOST_SLIDES * MOST_ROWS
        if left > 0 and first + MOST_ROWS >= MOST_SLIDES * MOST_ROWS:
            note = self.briefing.words["more"].format(n=left)
            more = slide.shapes.add_textbox(Inches(_EDGE), Inches(_HIGH - 0.8), Inches(_WIDE - 2 * _EDGE), Inches(0.35))
            self._write(more.text_frame, [note], 12)

    # --- charts

    def _chart(self, title: str, chart: Chart) -> None:
        from pptx.chart.data import CategoryChartData  # noqa: PLC0415
        from pptx.enum.chart import XL_CHART_TYPE, XL_LEGEND_POSITION  # noqa: PLC0415
        from pptx.util import Inches  # noqa: PLC0415

        slide = self._slide(title)
        data = CategoryChartData()
        # What is edited in PowerPoint is a workbook, in which a label is no formula.
        data.categories = [for_spreadsheets(name) for name in _categories(chart)]
        series = _drawn(chart)
        for each in series:
            values = [None if math.isnan(value) else value for value in each.values]
            data.add_series(for_spreadsheets(each.name), values)
        stacked = chart.kind in {"stack", "band"}
        kind = XL_CHART_TYPE.BAR_STACKED if stacked else XL_CHART_TYPE.BAR_CLUSTERED
        box = slide.shapes.add_textbox(Inches(_EDGE), Inches(1.45), Inches(_WIDE - 2 * _EDGE), Inches(0.4))
        unit = "" if chart.unit in chart.title else f" ({chart.unit})"
        self._write(box.text_frame, [f"{chart.title}{unit}"], 16, bold=True)
        frame = slide.shapes.add_chart(
            kind, Inches(_EDGE), Inches(1.95), Inches(_WIDE - 2 * _EDGE), Inches(_HIGH - 2.6), data
        )
        drawn = frame.chart
        self._letters_of(drawn)
        drawn.has_title = False
        drawn.has_legend = len(series) > 1 and chart.kind != "band"
        if drawn.has_legend:
            drawn.legend.position, drawn.legend.include_in_layout = XL_LEGEND_POSITION.BOTTOM, False
        self._axes(drawn, chart)
        plot = drawn.plots[0]
        plot.gap_width, plot.overlap = 60, 100 if chart.kind != "bars" else 0
        for number, one in enumerate(plot.series):
            self._series(one, series[number], chart, number)

    def _letters_of(self, drawn: Any) -> None:  # noqa: ANN401  untyped
        from pptx.util import Pt  # noqa: PLC0415

        drawn.font.size = Pt(14)
        drawn.font.name = _FONTS[self.briefing.language][0 if self.briefing.language == "en" else 1]

    def _axes(self, drawn: Any, chart: Chart) -> None:  # noqa: ANN401  untyped
        from pptx.enum.chart import XL_TICK_LABEL_POSITION  # noqa: PLC0415
        from pptx.oxml.ns import qn  # noqa: PLC0415

        categories, values = drawn.category_axis, drawn.value_axis
        categories.reverse_order = True  # the first on top
        categories.tick_label_position = XL_TICK_LABEL_POSITION.LOW
        categories.has_major_gridlines = False
        values.has_major_gridlines = True
        values.tick_label_position = XL_TICK_LABEL_POSITION.HIGH  # which is below, as the order is reversed
        if chart.kind == "ends":  # bars begin at the value as written
            axis = categories._element  # noqa: SLF001  no other way to where the axes cross
            for old in (*axis.findall(qn("c:crosses")), *axis.findall(qn("c:crossesAt"))):
                axis.remove(old)
            axis.find(qn("c:crossAx")).addnext(axis.makeelement(qn("c:crossesAt"), {"val": f"{chart.middle:.6g}"}))

    def _series(self, one: Any, series: Series, chart: Chart, number: int) -> None:  # noqa: ANN401  untyped
        from pptx.dml.color import RGBColor  # noqa: PLC0415
        from pptx.util import Pt  # noqa: PLC0415

        if chart.kind == "band" and number == 0:
            one.format.fill.background()  # carries the band to where it begins
            return
        one.format.fill.solid()
        one.format.fill.fore_color.rgb = RGBColor.from_string(TONES[number % len(TONES)].removeprefix("#").upper())
        one.format.line.color.rgb = RGBColor(0, 0, 0)
        one.format.line.width = Pt(0.5)
        one.invert_if_negative = False
        if chart.kind == "bars" and any(not math.isnan(low) for low in series.lows):
            _error_bars(one, series)


def _categories(chart: Chart) -> list[str]:
    """Return the names of the bars, with the value where there is one: on the bar it would cover the limits."""
    if chart.kind != "bars" or len(chart.series) > 1:
        return list(chart.categories)
    values = chart.series[0].values
    return [f"{name}  {number_text(value)}" for name, value in zip(chart.categories, values, strict=True)]


def _drawn(chart: Chart) -> list[Series]:
    """Return the series of a chart as PowerPoint draws them: a band is what lies before it, and its width."""
    if chart.kind != "band":
        return list(chart.series)
    (series,) = chart.series
    widths = tuple(high - low for low, high in zip(series.lows, series.highs, strict=True))
    return [Series("…", series.lows), Series(series.name, widths)]


def _error_bars(one: Any, series: Series) -> None:  # noqa: ANN401  untyped
    """Draw the limits of a series as error bars, with their lengths in the chart."""
    from pptx.oxml import parse_xml  # noqa: PLC0415
    from pptx.oxml.ns import qn  # noqa: PLC0415

    def numbers(tag: str, lengths: list[float]) -> str:
        points = "".join(
            f'<c:pt idx="{place}"><c:v>{0.0 if math.isnan(length) else length!r}</c:v></c:pt>'
            for place, length in enumerate(lengths)
        )
        count = f'<c:ptCount val="{len(lengths)}"/>'
        return f"<c:{tag}><c:numLit><c:formatCode>General</c:formatCode>{count}{points}</c:numLit></c:{tag}>"

    above = [high - value for value, high in zip(series.values, series.highs, strict=True)]
    below = [value - low for value, low in zip(series.values, series.lows, strict=True)]
    xml = (
        '<c:errBars xmlns:c="http://schemas.openxmlformats.org/drawingml/2006/chart">'
        '<c:errBarType val="both"/><c:errValType val="cust"/><c:noEndCap val="0"/>'
        f"{numbers('plus', above)}{numbers('minus', below)}</c:errBars>"
    )
    element = one._element  # noqa: SLF001  no other way to error bars
    # The schema wants them before the categories.
    element.find(qn("c:cat")).addprevious(parse_xml(xml))
