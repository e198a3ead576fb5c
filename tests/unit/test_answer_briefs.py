"""`zonesim brief` on the folders of `capacity`, `best` and `sensitivity`: what was found, with limits, and its grounds."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.unit.test_best_command import DESK, DESKS
from zonesim import cli
from zonesim.briefing.brief.kept import KEPT, keep_briefings, kept_briefings
from zonesim.faults import ScenarioFault

QUESTIONS = {
    "capacity": ("capacity", "desk.yaml", "--tolerance", "10", "--replications", "3"),
    "best": ("best", "desks.yaml", "--goal", "smallest f.stay.mean", "--indifference", "3 min", "--most", "20"),
    "sensitivity": ("sensitivity", "desk.yaml", "--of", "f.stay.mean", "--replications", "2", "--set", "traffic.t.rate=3 /h"),
}  # fmt: skip

NAMED = '<script>alert("x")</script>'


@pytest.fixture
def answers(tmp_path, monkeypatch):
    """Go where a desk and an experiment are, with a label that pages would run if they took it for more than text."""
    monkeypatch.chdir(tmp_path)
    text = DESK.replace("label: {en: Desk, zh: 审单窗口}", f"label: {{en: '{NAMED}', zh: '=cmd()'}}")
    Path("desk.yaml").write_text(text, encoding="utf-8")
    Path("desks.yaml").write_text(DESKS, encoding="utf-8")


def done(*words):
    """Return what a command prints; it has to succeed."""
    found = CliRunner().invoke(cli.app, [*words], prog_name="zonesim")
    assert found.exit_code == 0, found.output
    return found.output


def asked(kind):
    """Ask a question, and return the folder of its answer."""
    document = json.loads(done(*QUESTIONS[kind], "--no-figures", "--workers", "1", "--json"))
    (kept,) = Path("results").glob(f"*/{KEPT}")
    return document, kept.parent


@pytest.mark.parametrize(
    "kind", ["capacity", *(pytest.param(each, marks=pytest.mark.slow) for each in ("best", "sensitivity"))]
)
@pytest.mark.usefixtures("answers")
def test_an_answer_has_a_page_in_both_languages(kind):
    """
    The page has the question, the finding with its limits, a chart, a table, how it was made and what is assumed; its numbers are those of
    the document, and a label stays a text.
    """
    document, folder = asked(kind)
    told = json.loads(done("brief", str(folder), "--lang", "both", "--to", "html,xlsx", "--json"))
    english, chinese = ((folder / f"briefing_{language}.html").read_text(encoding="utf-8") for language in ("en", "zh"))
    made = kept_briefings(folder)
    answer = made["en"].sections[0]

    assert [Path(path).suffix for path in told["files"]] == [".html", ".xlsx"] * 2
    assert told["run"] == document["run"] == made["en"].run
    assert {section.key for section in made["en"].sections} == {"answer", "method", "register"}
    assert answer.tables
    assert answer.charts
    assert made["en"].question in english
    assert made["zh"].question in chinese
    assert re.search(r"\([^()]* to [^()]*\)", " ".join(made["en"].findings))
    assert re.search(r"（[^（）]*至[^（）]*）", " ".join(made["zh"].findings))
    assert made["en"].commands[0].startswith(f"zonesim {kind} ")
    assert NAMED not in english
    if kind == "capacity":
        value = document["arms"]["R1"]["multiple"]["value"]
        assert f"×{value:.2f}" in made["en"].findings[-1]
    if kind == "best":
        assert f"{document['estimate']['value']:.3f}" in " ".join(made["en"].findings)


@pytest.mark.usefixtures("answers")
def test_the_command_of_a_page_asks_the_same():
    """What stands at the end of a page makes the same numbers: the run has the same number."""
    _, folder = asked("capacity")
    command = kept_briefings(folder)["en"].commands[0].removeprefix("zonesim ").split()
    again = json.loads(done(*command, "--no-figures", "--workers", "1", "--json"))

    assert again["run"] == kept_briefings(folder)["en"].run


@pytest.mark.usefixtures("answers")
def test_what_is_kept_is_what_was_made():
    """A briefing that was kept and read is the same, cell by cell; a file that is none is a fault with its remedy."""
    _, folder = asked("best")
    made = kept_briefings(folder)
    keep_briefings(folder, made)

    assert kept_briefings(folder) == made

    (folder / KEPT).write_text('{"en": []}', encoding="utf-8")
    with pytest.raises(ScenarioFault) as fault:
        kept_briefings(folder)

    assert str(fault.value) == (
        f"{folder / KEPT}: is no briefing that zonesim has kept\n    Run the same command again: it writes the file anew."
    )
