"""A briefing as a Word document: real headings and tables, in Chinese with the letters of official documents."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from zonesim.briefing.brief.model import Briefing, Table, text_of
from zonesim.briefing.brief.pictures import can_draw, png_of
from zonesim.briefing.text.words import Language
from zonesim.writing import whole

_WIDTH: Final = 14.5
_WIDTH_OF_TABLES: Final = 15.6
"""Centimetres of pictures, and between the margins."""

_COUNTED: Final = ("一", "二", "三", "四", "五", "六", "七", "八", "九", "十", "十一", "十二", "十三", "十四", "十五")

MOST_LETTERS: Final = 255
"""Letters of a property of a document."""

_MANY_COLUMNS: Final = 8

MOST_ROWS: Final = 60
"""Rows of a table that Word shows; what is longer is in the workbook and the HTML file."""


@dataclass(frozen=True)
class _Look:
    """Letters by role (Latin, Chinese), sizes in points, and the space between lines."""

    latin: str
    title: str
    heading: str
    minor: str
    body: str
    sizes: tuple[float, float, float, float]
    spacing: float | None
    indent: float


_LOOKS: Final[dict[Language, _Look]] = {
    "en": _Look(
        "Calibri", "Microsoft YaHei", "Microsoft YaHei", "Microsoft YaHei", "Microsoft YaHei", (20, 14, 12, 11), None, 0
    ),
    # GB/T 9704: title 小标宋 二号, headings 黑体 and 楷体, text 仿宋 三号 in lines of 28 pt, two letters indented.
    "zh": _Look("Times New Roman", "方正小标宋简体", "黑体", "楷体", "仿宋", (22, 16, 16, 16), 28, 32),
}

ALIASES: Final = {
    "方正小标宋简体": "FZXiaoBiaoSong-B05S,Source Han Serif SC Heavy,Noto Serif CJK SC,STZhongsong,SimSun",
    "黑体": "SimHei,Heiti SC,Source Han Sans SC,Noto Sans CJK SC",
    "楷体": "KaiTi,KaiTi_GB2312,STKaiti,AR PL UKai CN,Noto Serif CJK SC",
    "仿宋": "FangSong,FangSong_GB2312,STFangsong,Noto Serif CJK SC",
}
"""What programs take where a family is not installed, the best first: the names of Windows, of macOS, and free ones."""


def write_docx(path: Path, briefing: Briefing) -> None:
    """Write a briefing for Word, whole or not at all; raises ScenarioFault when it cannot be written."""
    with whole(path) as part:
        _Document(briefing).save(part)


class _Document:
    """Fills a document from the top."""

    def __init__(self, briefing: Briefing) -> None:
        from docx import Document  # noqa: PLC0415  slow to import, and seldom needed
        from docx.shared import Cm  # noqa: PLC0415

        self.briefing = briefing
        self.look = _LOOKS[briefing.language]
        self.file = Document()
        self.file.core_properties.title = briefing.title[:MOST_LETTERS]
        self.file.core_properties.author = "zonesim"
        self.file.core_properties.subject = briefing.run
        page = self.file.sections[0]
        page.page_width, page.page_height = Cm(21), Cm(29.7)
        page.top_margin, page.bottom_margin = Cm(3.7), Cm(3.5)
        page.left_margin, page.right_margin = Cm(2.8), Cm(2.6)
        self._styles()
        self._fill()

    def save(self, path: Path) -> None:
        """Write the document."""
        stream = io.BytesIO()
        self.file.save(stream)
        path.write_bytes(stream.getvalue())

    def _fill(self) -> None:
        briefing = self.briefing
        self.file.add_heading(briefing.title, 0)
        self._note(briefing.source)
        self.file.add_heading(self._numbered(0, briefing.words["question"]), 1)
        self._text(briefing.question)
        self.file.add_heading(self._numbered(1, briefing.words["findings"]), 1)
        for number, text in enumerate(briefing.findings, start=1):
            self._text(f"{number}. {text}")
        for place, section in enumerate(briefing.sections, start=2):
            self.file.add_heading(self._numbered(place, section.name), 1)
            self._text(section.title, bold=True)
            for text in section.paragraphs:
                self._text(text)
            for chart in section.charts if can_draw(briefing.language) else ():
                self.file.add_heading(chart.title, 2)
                self._picture(png_of(chart, briefing.language))
                self._note(briefing.source)
            for table in section.tables:
                if not table.long:
                    self._table(table)
        self.file.add_heading(self._numbered(len(briefing.sections) + 2, briefing.words["commands"]), 1)
        self._text(briefing.words["again"])
        for command in briefing.commands:
            self._note(command)

    def _numbered(self, place: int, text: str) -> str:
        """Return a heading with its number, in Chinese as official documents count."""
        return f"{_COUNTED[place]}、{text}" if self.briefing.language == "zh" else text

    def _text(self, text: str, *, bold: bool = False) -> None:
        from docx.shared import Pt  # noqa: PLC0415

        paragraph = self.file.add_paragraph()
        paragraph.add_run(text).bold = bold
        if self.look.indent:
            paragraph.paragraph_format.first_line_indent = Pt(self.look.indent)

    def _note(self, text: str) -> None:
        self.file.add_paragraph(text, style="Caption")

    def _picture(self, picture: bytes) -> None:
        from docx.shared import Cm  # noqa: PLC0415

        self.file.add_picture(io.BytesIO(picture), width=Cm(_WIDTH))
        # A fixed space between lines would cut the picture.
        self.file.paragraphs[-1].paragraph_format.line_spacing = 1.0

    def _table(self, table: Table) -> None:
        from docx.enum.text import WD_ALIGN_PARAGRAPH  # noqa: PLC0415
        from docx.shared import Cm  # noqa: PLC0415

        self.file.add_heading(table.title, 2)
        shown = table.rows[:MOST_ROWS]
        drawn = self.file.add_table(rows=1 + len(shown), cols=len(table.columns))
        drawn.style = "Table Grid"
        drawn.autofit = False
        _narrow(drawn)
        small = len(table.columns) > _MANY_COLUMNS
        for place, share in enumerate(table.widths()):
            drawn.columns[place].width = Cm(_WIDTH_OF_TABLES * share)
        rows = list(drawn.rows)
        for cell, column in zip(rows[0].cells, table.columns, strict=True):
            self._cell(cell, column.head, bold=True, small=small)
        _repeat(rows[0])
        for row, values in zip(rows[1:], shown, strict=True):
            for cell, value, column in zip(row.cells, values, table.columns, strict=True):
                paragraph = self._cell(cell, text_of(value), small=small)
                if column.kind != "text":
                    paragraph.alignment = WD_ALIGN_PARAGRAPH.RIGHT
        for note in table.notes:
            self._note(note)
        if len(table.rows) > MOST_ROWS:
            self._note(self.briefing.words["more"].format(n=len(table.rows) - MOST_ROWS))
        self._note(self.briefing.source)

    def _cell(self, cell: Any, text: str, *, bold: bool = False, small: bool = False) -> Any:  # noqa: ANN401  untyped
        paragraph = cell.paragraphs[0]
        paragraph.style = "Small table text" if small else "Table text"
        paragraph.add_run(text).bold = bold
        return paragraph

    def _styles(self) -> None:
        from docx.enum.style import WD_STYLE_TYPE  # noqa: PLC0415
        from docx.enum.text import WD_ALIGN_PARAGRAPH  # noqa: PLC0415
        from docx.shared import Pt  # noqa: PLC0415

        look, styles = self.look, self.file.styles
        title, heading, minor, body = look.sizes
        for name, family, size, bold in (
            ("Normal", look.body, body, False),
            ("Title", look.title, title, look.spacing is None),
            ("Heading 1", look.heading, heading, look.spacing is None),
            ("Heading 2", look.minor, minor, look.spacing is None),
            ("Caption", look.body, 9, False),
        ):
            self._letters(styles[name], family, size, bold=bold)
        table, small = (styles.add_style(name, WD_STYLE_TYPE.PARAGRAPH) for name in ("Table text", "Small table text"))
        self._letters(table, look.body, 8, bold=False)
        self._letters(small, look.body, 6.5, bold=False)
        for style in (table, small, styles["Caption"]):
            style.paragraph_format.space_after = style.paragraph_format.space_before = Pt(1)
            style.paragraph_format.line_spacing = 1.0
        if look.spacing is not None:
            styles["Normal"].paragraph_format.line_spacing = Pt(look.spacing)
            styles["Normal"].paragraph_format.space_after = Pt(0)
            styles["Title"].paragraph_format.alignment = WD_ALIGN_PARAGRAPH.CENTER
            styles["Title"].paragraph_format.line_spacing = 1.2
        self._aliases()

    def _letters(self, style: Any, family: str, size: float, *, bold: bool) -> None:  # noqa: ANN401  untyped
        """Set Latin and Chinese letters of a style, its size, and black ink."""
        from docx.oxml.ns import qn  # noqa: PLC0415
        from docx.shared import Pt, RGBColor  # noqa: PLC0415

        style.font.name, style.font.size = self.look.latin, Pt(size)
        style.font.bold, style.font.italic = bold, False
        style.font.color.rgb = RGBColor(0, 0, 0)
        fonts = style.element.get_or_add_rPr().get_or_add_rFonts()
        for name in list(fonts.attrib):
            if name.endswith("Theme"):
                del fonts.attrib[name]
        for name in ("ascii", "hAnsi", "cs"):
            fonts.set(qn(f"w:{name}"), self.look.latin)
        fonts.set(qn("w:eastAsia"), family)

    def _aliases(self) -> None:
        """Name in the table of fonts what stands in for a family that is not installed."""
        from docx.opc.constants import RELATIONSHIP_TYPE  # noqa: PLC0415
        from docx.opc.oxml import serialize_part_xml  # noqa: PLC0415
        from docx.oxml import OxmlElement, parse_xml  # noqa: PLC0415
        from docx.oxml.ns import qn  # noqa: PLC0415

        part = self.file.part.part_related_by(RELATIONSHIP_TYPE.FONT_TABLE)
        root: Any = parse_xml(part.blob)
        for family, others in ALIASES.items() if self.briefing.language == "zh" else ():
            font, other = OxmlElement("w:font"), OxmlElement("w:altName")
            font.set(qn("w:name"), family)
            other.set(qn("w:val"), others)
            font.append(other)
            root.append(font)
        part._blob = serialize_part_xml(root)  # noqa: SLF001  no other way to the table of fonts


def _narrow(table: Any) -> None:  # noqa: ANN401  untyped
    """Leave little room beside what stands in the cells of a table."""
    from docx.oxml import OxmlElement  # noqa: PLC0415
    from docx.oxml.ns import qn  # noqa: PLC0415

    margins = OxmlElement("w:tblCellMar")
    for side in ("left", "right"):
        margin = OxmlElement(f"w:{side}")
        margin.set(qn("w:w"), "50")
        margin.set(qn("w:type"), "dxa")
        margins.append(margin)
    table._tbl.tblPr.insert_element_before(margins, "w:tblLook", "w:tblCaption")  # noqa: SLF001  in the schema's order


def _repeat(row: Any) -> None:  # noqa: ANN401  untyped
    """Let the head of a table stand on each of its pages."""
    from docx.oxml import OxmlElement  # noqa: PLC0415

    row._tr.get_or_add_trPr().append(OxmlElement("w:tblHeader"))  # noqa: SLF001
