"""The words of figures: one glossary in two languages, Chinese letters, formats in which text stays text."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import wraps
from pathlib import Path
from string import Formatter
from typing import Any

import pytest
from matplotlib.text import Text
from typer.testing import CliRunner

from tests.helper import ROOT
from tests.made_up import made_up, ordinary
from zonesim.briefing.figures import fonts, style
from zonesim.briefing.figures.comparison import FigureContext, figures, save_all
from zonesim.briefing.figures.gate import gate_figure
from zonesim.briefing.figures.load import load_figure
from zonesim.briefing.text.words import LANGUAGES, Words, glossary
from zonesim.cli import app
from zonesim.faults import ScenarioFault
from zonesim.jobs.plot import plot_job
from zonesim.kpi import definitions
from zonesim.scenario import load_catalogue

TYPICAL = ROOT / "scenarios" / "typical_zone.yaml"

LATIN = {"zonesim", "PERT", "P95", "a", "b", "c", "A", "B"}
"""What a Chinese figure may say in Latin letters besides ids: names, statistics, letters of a key."""


def needs_font(test: Callable[..., None]) -> Callable[..., None]:
    """Where no font with Chinese letters is installed, prove in place of `test` that Chinese figures say so."""

    @wraps(test)
    def proven(*arguments: Any, **named: Any) -> None:
        if fonts.chinese() is None:
            with pytest.raises(ScenarioFault, match="no font with Chinese letters is installed"):
                figures(made_up(ordinary(), language="zh"))
        else:
            test(*arguments, **named)

    return proven


def entries() -> Iterator[tuple[str, Mapping[str, str | list[str]]]]:
    """Return every entry of the glossary with its section."""
    for section, found in glossary().items():
        if section == "concepts":
            continue
        yield from ((f"{section}: {key}", entry) for key, entry in found.items())


def forms(words: str | list[str]) -> list[str]:
    """Return the forms of a phrase."""
    return words if isinstance(words, list) else [words]


def test_every_word_is_in_both_languages() -> None:
    """
    Every entry of the glossary has English and Chinese, and fills in the same values in both (a Chinese phrase may
    leave out a number of which it has no plural).
    """
    for name, entry in entries():
        assert set(entry) == set(LANGUAGES), name
        places = {
            language: {field for form in forms(entry[language]) for _, field, _, _ in Formatter().parse(form) if field}
            for language in LANGUAGES
        }
        assert places["en"] == places["zh"], name
        assert all(form.strip() or form == " " for language in LANGUAGES for form in forms(entry[language])), name


def test_every_concept_is_defined_and_has_a_source() -> None:
    """Every concept has both names, a definition in both languages and a source; no two share a name."""
    concepts = glossary()["concepts"]
    for name, concept in concepts.items():
        assert set(concept) == {"en", "zh", "is", "zh_is", "source"}, name
        assert all(str(text).strip() for text in concept.values()), name
        assert re.search("[\u4e00-\u9fff]", str(concept["zh"])), name
    for language in LANGUAGES:
        assert len({concept[language] for concept in concepts.values()}) == len(concepts)


def test_every_phrase_is_used() -> None:
    """No phrase is in the glossary that nothing says."""
    code = "\n".join(path.read_text() for path in (ROOT / "zonesim").rglob("*.py"))

    code = code.replace("'", '"')
    page = "\n".join(path.read_text() for path in (ROOT / "zonesim/briefing/replay/page").iterdir())

    def is_said(key: str) -> bool:
        """
        Return whether the key stands in the code, or the beginning of it with the rest filled in; of a replay also in
        its page, without the name of that.
        """
        own = key.removeprefix("replay.")
        parts = [own[: place + 1] for place, letter in enumerate(own) if letter in "._"]
        if own != key and (f'"{own}"' in page + code or any(f"`{part}${{" in page for part in parts)):
            return True
        stems = [key[: place + 1] for place, letter in enumerate(key) if letter == "."]
        return f'"{key}"' in code or any(f'"{stem}{{' in code for stem in stems)

    assert [key for key in glossary()["phrases"] if not is_said(key)] == []


def test_every_unit_of_a_kpi_has_words() -> None:
    """Every unit in the table of KPIs is in the glossary."""
    assert {definition.unit for definition in definitions()} <= set(glossary()["units"])


def test_labels_of_the_library_are_in_both_languages() -> None:
    """Flows, their steps, measures and practices of the library have a label in Chinese."""
    catalogue = load_catalogue()
    missing = []
    for name, flow in catalogue.flows.items():
        assert set(flow["label"]) == set(LANGUAGES), name
        labels = {step: found.get("label", {}) for step, found in flow["steps"].items()}
        missing += [f"{name}.{step}" for step, label in labels.items() if label and "zh" not in label]
    for name, measure in catalogue.measures.items():
        missing += [] if "zh" in measure.label else [name]
        missing += [f"{name}.{each}" for each, found in measure.practices.items() if "zh" not in found.label]

    assert missing == []


def test_a_phrase_counts() -> None:
    """A phrase with two forms takes the one that its number asks for; labels fall back to English and to the name."""
    english, chinese = Words("en"), Words("zh")

    assert english("caption.replications", n=1) == "1 replication"
    assert english("caption.replications", n=10) == "10 replications"
    assert chinese("caption.replications", n=1) == "1次重复"
    assert chinese.label({"en": "Gate"}, "gate") == "Gate"
    assert chinese.label({}, "gate_in") == "gate in"
    assert chinese.title({"zh": "卡口"}, "gate") == "卡口（gate）"
    assert Words("zh", {"docks": "月台"}).term("docks") == "月台"
    with pytest.raises(KeyError):
        english("no such phrase")


@needs_font
def test_chinese_figures_speak_chinese() -> None:
    """In a Chinese figure the only Latin words are ids of the scenario, units, and names of programs and laws."""
    context = made_up(ordinary(), language="zh")
    allowed = LATIN | ids(context)
    found = figures(context)
    with style.look("zh"):
        loads = load_figure(context)
    assert not isinstance(loads, str)

    for name, figure in (found | {"loads": loads}).items():
        texts = [text.get_text() for text in figure.findobj(Text)]
        latin = {word for text in texts for word in re.findall("[A-Za-z][A-Za-z0-9]*", text)}
        assert latin <= allowed, (name, latin - allowed)


def ids(context: FigureContext) -> set[str]:
    """Return the parts of the ids that figures write: arms, flows, resources, practices."""
    arm = context.arms[context.baseline]
    names = [*context.arms, *arm.flows()]
    names += [f"{zone}.{name}" for zone, found in arm.scenario.zones.items() for name in found.entries()]
    names += [f"{name}.{each}" for name, found in load_catalogue().measures.items() for each in found.practices]
    return {part for name in names for part in re.findall("[A-Za-z][A-Za-z0-9]*", name)}


@needs_font
def test_chinese_texts_do_not_overlap() -> None:
    """In Chinese, too, no text runs into another or leaves the slide."""
    found = figures(made_up(ordinary(), language="zh"))

    with style.look("zh"):
        assert {name: style.overlaps(figure) for name, figure in found.items()} == {name: [] for name in found}


def test_without_a_font_the_message_names_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Where no font with Chinese letters is installed, the fault says what to install; English needs none."""
    monkeypatch.setattr(fonts, "chinese", lambda: None)

    with pytest.raises(ScenarioFault) as caught:
        plot_job(TYPICAL, "zh", "png", tmp_path, [], [])
    with style.look("en"):
        width = style.width_of("English", 12)

    assert str(caught.value) == (
        "no font with Chinese letters is installed\n    Install one, such as the package fonts-noto-cjk (Debian,"
        " Ubuntu), google-noto-sans-cjk-fonts (Fedora) or font-noto-sans-cjk (Homebrew), or draw with --lang en."
    )
    assert width > 0
    assert list(tmp_path.iterdir()) == []


def test_a_letter_that_no_font_has_is_a_fault() -> None:
    """A figure never shows an empty box in place of a letter."""
    with pytest.raises(ScenarioFault, match="a letter cannot be drawn: Glyph 983041"), style.look("en"):
        style.slide("\U000f0001", "caption").canvas.draw()


def test_files_are_equal_to_the_byte(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Drawn twice, a figure gives the same bytes in every format, and text in SVG stays text."""
    monkeypatch.setattr(style, "DPI", 50)
    names = []
    for turn in ("one", "two"):
        (tmp_path / turn).mkdir()
        context = made_up(ordinary())
        with style.look():
            figure = gate_figure(context)
        assert not isinstance(figure, str)
        drawn = {"gate_queue": figure}
        paths = save_all(tmp_path / turn, drawn, context, (), ("png", "svg", "pdf"))
        names = [path.name for path in paths]

    assert names == ["gate_queue.png", "gate_queue.svg", "gate_queue.pdf"]
    for name in names:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes(), name
    svg = (tmp_path / "one" / "gate_queue.svg").read_text()
    assert ">hour of day</text>" in svg
    assert b"/CreationDate" not in (tmp_path / "one" / "gate_queue.pdf").read_bytes()


@needs_font
def test_chinese_files_stand_beside_english_ones(tmp_path: Path) -> None:
    """Chinese figures have `_zh` behind their names; drawing one language leaves the other's files alone."""
    for language in LANGUAGES:
        context = made_up(ordinary(), language=language)
        with style.look(language):
            figure = style.slide(context.say("gate.title"), context.caption())
        save_all(tmp_path, {"gate_queue": figure}, context, ("gate_queue", "process_map_*"), ("svg",))

    assert {path.name for path in tmp_path.iterdir()} == {"gate_queue.svg", "gate_queue_zh.svg"}
    assert "卡口排队与过卡时间（一天之内）" in (tmp_path / "gate_queue_zh.svg").read_text()


# --- the command


def test_plot_of_a_scenario(tmp_path: Path) -> None:
    """A scenario gives its process maps and loads in the formats that are wanted."""
    done = CliRunner().invoke(app, ["plot", str(TYPICAL), "--format", "svg", "--out", str(tmp_path)])

    assert done.exit_code == 0, done.output
    written = {Path(line).name for line in done.output.splitlines()}
    (loads,) = tmp_path.glob("loads-*.svg")
    assert any(name.startswith("process_map_") for name in written)
    assert written == {path.name for path in tmp_path.iterdir()}
    assert "from the scenario, without a run" in loads.read_text()


@pytest.mark.parametrize(
    ("language", "formats", "kpis", "expected"),
    [
        ("cn", "png", [], "--lang: no language 'cn'\n    Known languages: en, zh."),
        ("en", "gif", [], "--format: no format 'gif'\n    Known formats: png, svg, pdf."),
        (
            "en",
            "png",
            ["F1.dwell.mean"],
            "--kpi: a scenario has no KPIs to draw before it has run\n    Name a results folder instead.",
        ),
    ],
)
def test_wrong_options_are_faults(language: str, formats: str, kpis: list[str], expected: str, tmp_path: Path) -> None:
    """An unknown language or format, and a KPI of what has not run, are faults."""
    with pytest.raises(ScenarioFault) as caught:
        plot_job(TYPICAL, language, formats, tmp_path, kpis, [])

    assert str(caught.value) == expected


def test_loads_are_those_of_the_plan() -> None:
    """The slide of loads names every limited resource with its mean and peak, the busiest first."""
    with style.look():
        figure = load_figure(made_up(ordinary()))
    assert not isinstance(figure, str)
    labels = [label.get_text() for label in figure.axes[0].get_yticklabels()]

    assert labels[0] == "Inspectors (pairs)"
    assert len(labels) == 8
    assert "70.9 %, 70.9 %" in [text.get_text() for text in figure.axes[0].texts]
    assert style.overlaps(figure) == []
