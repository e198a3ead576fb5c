"""Briefings: what is found in the documents is what the results hold, in both languages, whatever labels hold."""

from __future__ import annotations

import re
from dataclasses import replace
from types import SimpleNamespace
from xml.etree import ElementTree as ET

import openpyxl
import pytest

from tests.helper import ROOT
from zonesim.analysis import Difference, compared
from zonesim.briefing.brief import sentences
from zonesim.briefing.brief.build import briefing_of
from zonesim.briefing.brief.docx import write_docx
from zonesim.briefing.brief.html import write_html
from zonesim.briefing.brief.model import Number, Range, plain
from zonesim.briefing.brief.pdf import check_typst, write_pdf
from zonesim.briefing.brief.pptx import write_pptx
from zonesim.briefing.brief.svg import svg_of
from zonesim.briefing.brief.xlsx import write_xlsx
from zonesim.briefing.figures import fonts
from zonesim.briefing.text.words import LANGUAGES, Words
from zonesim.experiment import Execution, load_results
from zonesim.faults import ScenarioFault
from zonesim.jobs.brief import Asked, brief_job, facts_of
from zonesim.jobs.run import run_job

TYPICAL = ROOT / "scenarios" / "typical_zone.yaml"
CLOCK = ("clock.warm_up=1 d", "clock.measure=7 d", "clock.cool_down=14 d")

DESK = """\
zonesim: 1
kind: scenario
name: desk
clock: {warm_up: 1 d, measure: 2 d, cool_down: 1 d}
zones: {Z: {desk: {units: 1}}}
flows:
  bank: {label: {en: Bank, zh: 银行}, steps: {serve: {hold: {d: Z.desk}, take: {exponential: {mean: 5 min}}}}}
traffic: {customers: {flow: bank, rate: 8 /h}}
"""

DESKS = """\
zonesim: 1
kind: experiment
name: desks
label: {en: "What does a second desk do?", zh: 增设一个窗口有何效果？}
scenario: desk.yaml
arms: {one: [], two: {set: {zones.Z.desk.units: 2}, label: {en: a second desk, zh: 增设窗口}}}
futures: {grid: {traffic.customers.rate: [8 /h, 9 /h]}}
kpis: [bank.stay.mean]
replications: 2
"""

NASTY = "<script>alert(1)</script> =1+1 $x$ | {{7*7}} #strong[a] `b` \\u005c" + " long" * 60
"""What a label may hold: markup of every document that is written, and more letters than any line has."""


def compare(file, out, settings=CLOCK, replications=2):
    """Compare measure 11 with the baseline, and return the results."""
    how = Execution(1)
    job = run_job(
        file, ["11"], settings, replications, 1, how, out, only=False, with_figures=False, parts=False, doubts=False
    )
    return load_results(out / job.document["run"]["folder"])


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """Return a short comparison of the typical zone."""
    return compare(TYPICAL, tmp_path_factory.mktemp("results"))


@pytest.fixture(scope="module")
def facts(results):
    """Return what a briefing on it is made from."""
    return facts_of(results)[0]


@pytest.fixture(scope="module")
def nasty(tmp_path_factory):
    """Return what a briefing is made from whose labels hold all that steers anything."""
    folder = tmp_path_factory.mktemp("nasty")
    text = TYPICAL.read_text(encoding="utf-8")
    label = "{en: '" + NASTY + "', zh: '" + NASTY + "'}"
    for own in ("{en: Gate in, zh: 进区卡口}", "{en: A busy medium zone (synthetic), zh: 繁忙的中型综保区（虚构）}"):
        assert own in text
        text = text.replace(own, label)
    (folder / "nasty.yaml").write_text(text, encoding="utf-8")
    return facts_of(compare(folder / "nasty.yaml", folder, replications=1))[0]


def dwell_table(briefing):
    """Return the table of dwell times by flow and arm."""
    (section,) = (each for each in briefing.sections if each.key == "dwell")
    return section.tables[0]


def numbers_of(briefing):
    """Return all numbers of its tables as people read them."""
    cells = (cell for section in briefing.sections for table in section.tables for row in table.rows for cell in row)
    return [cell.text for cell in cells if isinstance(cell, Number | Range)]


def test_the_numbers_are_those_of_the_results(facts, results):
    """
    The table of dwell times has the means, medians, P90, P95 and shares of the results, unrounded, and the paired
    difference with its interval.
    """
    future = next(iter(results.futures))
    comparison = compared(
        results, future, [f"F5.dwell.{name}" for name in ("mean", "median", "p90", "p95", "within_24h")]
    )
    (effect,) = (each for each in comparison.effects if each.kpi == "F5.dwell.mean")
    row = next(
        row for row in dwell_table(briefing_of(facts, "en")).rows if row[:2] == ("Zone-to-zone transfer", "measure 11")
    )

    assert [cell.value for cell in row[3:8]] == [comparison.arms["11"][kpi].value for kpi in comparison.arms["11"]]
    assert row[9].value == effect.difference.value
    assert (row[10].low, row[10].high) == (effect.difference.low, effect.difference.high)
    assert row[2].value == sum(len(run.samples["F5.dwell"]) for run in results.runs("11", future))


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_briefing_has_what_people_decide_by(facts, language):
    """
    Question, three findings with intervals, throughput, dwell, control, costs, who gains, doubts, method and assumed
    numbers are there in each language, with the number of the run and the command that makes the numbers again.
    """
    briefing = briefing_of(facts, language)

    assert [section.key for section in briefing.sections] == [
        *("throughput", "dwell", "control", "costs", "gains", "doubts", "method", "register")
    ]
    assert len(briefing.findings) == 3
    assert all(re.search(r"\d (to|至) \d|\d至\d", text) for text in briefing.findings)
    assert briefing.run in briefing.source
    assert f"zonesim reproduce {briefing.run}" in briefing.commands[-1]
    chinese = re.compile("[\u4e00-\u9fff]")
    titles = [
        briefing.title,
        briefing.question,
        *(s.title for s in briefing.sections),
        *(s.name for s in briefing.sections),
    ]
    assert all(bool(chinese.search(text)) == (language == "zh") for text in titles)


def test_no_title_is_a_list_of_numbers(facts):
    """
    Arms have names: the baseline is without measures, measure 11 has its label, and no title or head is `11` or `R1`.
    """
    english, chinese = (briefing_of(facts, language) for language in LANGUAGES)

    assert "measure 11: Automatic comparison, automatic release, point-to-point transfer" in english.title
    assert "措施11：数据自动比对、卡口自动核放、点对点流转" in chinese.title
    for briefing, none in ((english, "without measures"), (chinese, "不采取措施")):
        arms = {row[1] for row in dwell_table(briefing).rows}
        assert none in arms
        texts = [c.head for s in briefing.sections for t in s.tables for c in t.columns] + [*arms]
        assert not any(re.search(r"\bR1\b|^[0-9+]+$", text) for text in texts)


@pytest.mark.parametrize("language", LANGUAGES)
def test_html_needs_nothing_else_and_has_all_numbers(facts, language, tmp_path):
    """
    The HTML file names nothing on a network, runs no script, fits a phone, and shows every number of the tables.
    """
    briefing = briefing_of(facts, language)
    write_html(tmp_path / "b.html", briefing)
    text = (tmp_path / "b.html").read_text(encoding="utf-8")

    assert set(re.findall(r"https?://[^\s\"'<]+", text)) == {"http://www.w3.org/2000/svg"}
    assert "<script" not in text
    assert 'name="viewport"' in text
    assert "@media print" in text
    assert [number for number in numbers_of(briefing) if number not in text] == []
    assert all(finding in text for finding in briefing.findings)


@pytest.mark.parametrize("language", LANGUAGES)
def test_word_has_headings_and_tables(facts, language, tmp_path):
    """
    The Word document has a title, real headings and the table of dwell times with its numbers, in the letters of Chinese
    official documents where it is Chinese, with what stands in for them.
    """
    from docx import Document
    from docx.oxml.ns import qn

    briefing = briefing_of(facts, language)
    write_docx(tmp_path / "b.docx", briefing)
    found = Document(str(tmp_path / "b.docx"))
    headings = [each.text for each in found.paragraphs if each.style.name == "Heading 1"]
    wanted = dwell_table(briefing)
    (table,) = (each for each in found.tables if each.cell(0, 2).text == wanted.columns[2].head)
    family = found.styles["Title"].element.rPr.rFonts.get(qn("w:eastAsia"))

    assert found.paragraphs[0].text == briefing.title
    assert [text.partition("、")[2] or text for text in headings[2:-1]] == [each.name for each in briefing.sections]
    assert [cell.text for cell in table.rows[1].cells][2:9] == [cell.text for cell in wanted.rows[0][2:9]]
    assert (family == "方正小标宋简体") == (language == "zh")
    charts = sum(len(section.charts) for section in briefing.sections)
    assert len(found.inline_shapes) == (charts if language == "en" or fonts.chinese() is not None else 0)


@pytest.mark.parametrize("language", LANGUAGES)
def test_slides_have_findings_for_titles_and_charts_to_edit(facts, language, tmp_path):
    """
    The titles of slides are findings; charts are PowerPoint's own with the numbers and the limits of the results, and
    every slide has the number of the run.
    """
    from pptx import Presentation

    briefing = briefing_of(facts, language)
    write_pptx(tmp_path / "b.pptx", briefing)
    slides = Presentation(str(tmp_path / "b.pptx")).slides
    charts = [shape.chart for slide in slides for shape in slide.shapes if shape.has_chart]
    (wanted,) = (chart for s in briefing.sections if s.key == "dwell" for chart in s.charts if chart.kind == "bars")
    titles = {slide.shapes.title.text for slide in slides}
    own = next(chart for chart in charts if len(list(chart.plots[0].categories)) == len(wanted.categories))
    limits = [float(node.text) for node in own._chartSpace.xpath(".//c:errBars/c:plus//c:v")]

    assert {section.title for section in briefing.sections if section.charts} <= titles
    assert list(own.plots[0].series[0].values) == pytest.approx(list(wanted.series[0].values))
    assert limits == pytest.approx(
        [high - value for value, high in zip(wanted.series[0].values, wanted.series[0].highs, strict=True)]
    )
    assert all(
        any(briefing.run in shape.text_frame.text for shape in slide.shapes if shape.has_text_frame) for slide in slides
    )


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_workbook_has_a_sheet_a_question(facts, language, tmp_path):
    """
    The workbook begins with a summary and has a sheet for each question, named in its language; numbers are numbers, with
    both limits in cells of their own.
    """
    briefing = briefing_of(facts, language)
    write_xlsx(tmp_path / "b.xlsx", briefing)
    book = openpyxl.load_workbook(tmp_path / "b.xlsx")
    sheet = book.worksheets[2]
    table = dwell_table(briefing)
    rows = [[cell.value for cell in row] for row in sheet.iter_rows()]
    place = next(at for at, row in enumerate(rows) if row[0] == table.title)

    assert book.sheetnames == [briefing.words["summary"], *(section.name for section in briefing.sections)]
    assert [cell.value for cell in book.worksheets[0]["A"] if cell.value][5:8] == [
        f"{number}. {text}" for number, text in enumerate(briefing.findings, start=1)
    ]
    assert rows[place + 3][2:9] == pytest.approx([cell.value for cell in table.rows[1][2:9]])
    assert rows[place + 3][10:12] == pytest.approx([table.rows[1][10].low, table.rows[1][10].high])
    assert sheet.cell(place + 4, 8).number_format == "0.00%"


@pytest.mark.parametrize("language", LANGUAGES)
def test_pdf_is_set(facts, language, tmp_path):
    """
    Typst sets the briefing as PDF, in both languages.
    """
    write_pdf(tmp_path / "b.pdf", briefing_of(facts, language))

    assert (tmp_path / "b.pdf").read_bytes().startswith(b"%PDF-")


def test_without_typst_one_line_says_how_to_get_it(monkeypatch):
    """
    Where Typst is not installed, one line says so and how it is installed.
    """
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(ScenarioFault) as found:
        check_typst()

    assert str(found.value) == (
        "--to: PDF is set by Typst, which is not installed\n    Install it with: pip install 'zonesim[pdf]', or write docx."
    )


def test_labels_are_only_labels(nasty, tmp_path):
    """
    A label with markup, formulas and more letters than a line is a text in every document: nothing runs, nothing is
    interpreted, and nothing is cut off.
    """
    from docx import Document
    from pptx import Presentation

    briefing = briefing_of(nasty, "en")
    label = plain(NASTY)
    write_html(tmp_path / "b.html", briefing)
    write_docx(tmp_path / "b.docx", briefing)
    write_pptx(tmp_path / "b.pptx", briefing)
    write_xlsx(tmp_path / "b.xlsx", briefing)
    write_pdf(tmp_path / "b.pdf", briefing)
    html = (tmp_path / "b.html").read_text(encoding="utf-8")
    book = openpyxl.load_workbook(tmp_path / "b.xlsx")
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row]
    slides = Presentation(str(tmp_path / "b.pptx")).slides

    assert "<script" not in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt; =1+1 $x$ | {{7*7}} #strong[a]" in html
    assert any(label in paragraph.text for paragraph in Document(str(tmp_path / "b.docx")).paragraphs)
    assert not any(cell.data_type == "f" for cell in cells)
    assert any(label in str(cell.value) for cell in cells)
    assert any(label in slide.shapes.title.text for slide in slides)
    for section in briefing.sections:
        for chart in section.charts:
            ET.fromstring(svg_of(chart))  # noqa: S314  what was just made


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("\x1b[31mred\x1b[0m", "[31mred[0m"),
        ("a\u202eb\u200bc", "abc"),
        ("two\n lines\t", "two lines"),
        ("中 文", "中 文"),
    ],
)
def test_letters_that_steer_are_left_out(text, expected):
    """
    What steers terminals, printers or the direction of writing is no part of a text.
    """
    assert plain(text) == expected


def test_a_formula_in_the_workbook_of_a_chart_is_none(tmp_path, facts):
    """
    A category that begins like a formula stands behind an apostrophe in the workbook that PowerPoint edits.
    """
    from pptx import Presentation

    briefing = briefing_of(facts, "en")
    (section,) = (each for each in briefing.sections if each.key == "costs")
    chart = replace(section.charts[0], categories=tuple("=cmd()" for _ in section.charts[0].categories))
    write_pptx(tmp_path / "b.pptx", replace(briefing, sections=(replace(section, charts=(chart,), tables=()),)))
    charts = [s.chart for slide in Presentation(str(tmp_path / "b.pptx")).slides for s in slide.shapes if s.has_chart]

    assert all(label.startswith("'=cmd()") for label in charts[0].plots[0].categories)


def test_the_command_writes_what_is_asked(results, tmp_path):
    """
    The job writes a file for each language and format, with the number of the run in names outside the results folder.
    """
    asked = Asked(None, (), None, None, 0.95)
    job = brief_job(results.folder, "both", "html,xlsx", asked, Execution(1), tmp_path, tmp_path / "out")

    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == sorted(
        f"briefing_{language}-{results.run}.{kind}" for language in LANGUAGES for kind in ("html", "xlsx")
    )
    assert job.document["run"] == results.run
    assert all(text in job.text for text in job.document["findings"]["en"])


def test_an_experiment_tells_its_futures(tmp_path):
    """
    What an experiment reports comes first, and is told in every future with what it sets in words; its label is the
    question, and an arm with a label is called by it.
    """
    (tmp_path / "pyproject.toml").touch()
    (tmp_path / "desk.yaml").write_text(DESK, encoding="utf-8")
    (tmp_path / "desks.yaml").write_text(DESKS, encoding="utf-8")
    asked = Asked(None, (), None, None, 0.95)
    job = brief_job(tmp_path / "desks.yaml", "both", "html", asked, Execution(1), tmp_path / "results", None)
    again = brief_job(tmp_path / "desks.yaml", "zh", "html", asked, Execution(1), tmp_path / "results", None)
    facts, _ = facts_of(load_results(tmp_path / "results" / "desks"))
    briefing = briefing_of(facts, "zh")
    (section,) = (each for each in briefing.sections if each.key == "futures")

    assert briefing.question == "增设一个窗口有何效果？"
    assert "增设窗口" in briefing.title
    assert again.document["findings"]["zh"] == job.document["findings"]["zh"]
    assert job.document["findings"]["en"][0].startswith("Bank, mean time inside: ")
    assert len(section.tables[0].rows) == 4
    assert {row[1] for row in section.tables[0].rows} == {"银行（bank）的需求：8 /h", "银行（bank）的需求：9 /h"}


def test_other_results_have_no_briefing(results, tmp_path):
    """
    Results of another kind, and such of which nothing is finished in every arm, are faults with a remedy.
    """
    with pytest.raises(ScenarioFault) as other:
        facts_of(replace(results, kind="capacity"))
    cells = {pair: replace(cell, replications=()) for pair, cell in results.cells.items()}
    with pytest.raises(ScenarioFault) as nothing:
        facts_of(replace(results, cells=cells))

    assert str(other.value) == (
        f"{results.folder}: holds results of `capacity`, of which there is no briefing\n"
        "    Name a folder of compare, run or sweep."
    )
    assert str(nothing.value).endswith(
        "no replication is finished in all arms\n    Run the same command again to go on."
    )


def test_an_experiment_names_its_own_measures(tmp_path):
    """
    --measures of an experiment is a fault.
    """
    asked = Asked(["11"], (), None, None, 0.95)
    with pytest.raises(ScenarioFault) as found:
        brief_job(ROOT / "experiments" / "gate_knee.yaml", "en", "html", asked, Execution(1), tmp_path, None)

    assert str(found.value) == (
        "--measures: an experiment names its own measures\n    Leave it out, or name a scenario."
    )


def test_what_this_version_cannot_read_is_left_out(results, tmp_path):
    """
    Where what was run cannot be read any more, the numbers are told without labels, loads and costs, and a note says so.
    """
    facts, notes = facts_of(replace(results, files={}, given=("no.such.path=1",)))
    briefing = briefing_of(facts, "en")

    assert notes == [
        f"{results.folder}: this version cannot read what was run, so labels, loads and costs are left out"
    ]
    assert {"costs", "register"}.isdisjoint(section.key for section in briefing.sections)
    assert any(row[0] == "F5" for row in dwell_table(briefing).rows)


@pytest.mark.parametrize(
    ("language", "kinds", "settings", "message"),
    [
        ("fr", "html", (), "--lang: no language 'fr'\n    Known languages: en, zh."),
        ("en", "odt", (), "--to: no format 'odt'\n    Known formats: html, docx, pptx, xlsx, pdf."),
        (
            "en",
            "html",
            ("a=1",),
            "results have been computed already\n    Name the scenario instead, or leave --set and --measures out.",
        ),
    ],
)
def test_what_cannot_be_written_is_said(results, tmp_path, language, kinds, settings, message):
    """
    An unknown language or format, and settings for results that are there, are faults that say what would be right.
    """
    with pytest.raises(ScenarioFault) as found:
        brief_job(
            results.folder, language, kinds, Asked(None, settings, None, None, 0.95), Execution(1), tmp_path, None
        )

    assert message in str(found.value)


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ([(-3, -1), (-5, -4)], "Goods of all 2 flows are surely through sooner"),
        ([(1, 3)], "Goods of the flow are surely through later"),
        ([(-3, -1), (-1, 1), (2, 3)], "Of 3 flows of goods 1 are surely through sooner, 1 surely later; no difference"),
        ([], "Of 0 flows of goods"),
    ],
)
def test_flows_are_counted_in_words(changes, text, monkeypatch):
    """Where all flows change the same way the title says so; else it counts those sooner, later and undecided."""
    found = [Difference((low + high) / 2, low, high, 10, 1.0) for low, high in changes]
    monkeypatch.setattr(sentences, "_dwell_changes", lambda _: iter(found))
    telling = SimpleNamespace(facts=SimpleNamespace(goods=[""] * len(changes)), say=Words("en"))

    assert sentences.counted(telling).startswith(text)
