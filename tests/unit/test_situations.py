"""Situations: rules of procedure that the flows of the library follow, and what is said where one does not."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.helper import ROOT
from zonesim import cli
from zonesim.faults import Faults, UnknownName
from zonesim.verification import read_situations, tried
from zonesim.verification.situations import STAGE, situations_folder

HEAD = """zonesim: 1
kind: situations
situations:
"""
ONE = """  sale:
    label: {en: A sale, zh: 内销}
    given: {en: Goods of the zone., zh: 区内货物。}
    when: {en: They are sold., zh: 内销。}
    then: {en: They are released., zh: 放行。}
    basis: assumed
    flow: F3
    expect: {order: [declared, released]}
"""


@pytest.fixture
def folder(tmp_path):
    """Return a folder with the stage of the shipped situations, and one of its own."""
    (tmp_path / STAGE).write_bytes((situations_folder() / STAGE).read_bytes())
    (tmp_path / "own.yaml").write_text(HEAD + ONE, encoding="utf-8")
    return tmp_path


def outcome(folder, text):
    """Return the failures of the one situation of a folder, with its expectation or another line replaced."""
    (folder / "own.yaml").write_text(HEAD + text, encoding="utf-8")
    (found,) = tried([], folder)
    return found.failures


FILES = sorted({document.file for document, _ in read_situations().values()})


@pytest.mark.parametrize("file", FILES, ids=lambda file: Path(file).stem)
def test_the_situations_of_a_file_hold(file):
    """Each rule that is shipped is followed, whatever is drawn, and is told in both languages."""
    names = [name for name, (document, _) in read_situations().items() if document.file == file]
    found = [each for each in tried(names) if each.id in names]

    assert {each.id: each.failures for each in found if not each.holds} == {}
    assert len(found) == len(names)
    words = [text for each in found for text in (each.situation.given, each.situation.when, each.situation.then)]
    assert all(set(text) == {"en", "zh"} for text in words)


def test_there_is_one_for_every_flow_and_measure():
    """At least forty, and every flow and measure of the library has one."""
    every = [situation for _, situation in read_situations().values()]
    shipped = {path.stem for path in (ROOT / "zonesim" / "library" / "measures").glob("*.yaml")}
    flows = {path.stem for path in (ROOT / "zonesim" / "library" / "flows").glob("*.yaml")}
    reached = {situation.flow for situation in every}
    called = {"yard", "F1airb", "latent", "due"}  # through flows that call them

    assert len(every) >= 40
    followed = {measure for situation in every for measure in situation.measures}
    followed |= {practice.partition(".")[0] for situation in every for practice in situation.practices}
    assert shipped - followed == set()
    assert flows - reached - called == set()


@pytest.mark.parametrize(
    ("expect", "failure"),
    [
        ("{order: [released, declared]}", "'declared' comes before 'released'"),
        ("{order: [declared, opened]}", "'opened' is not made"),
        ("{lacks: [released]}", "'released' is made"),
        ("{counts: {released: 2}}", "'released' is made 1 times, not 2"),
        ("{within: [{from: declared, to: released, most: 1 min}]}", "from 'declared' to 'released' it takes"),
        ("{within: [{from: declared, to: released, least: 40 d}]}", "h, less than 40 d"),
        ("{within: [{from: declared, to: opened, least: 1 d}]}", "'opened' is not made"),
        ('{hours: {declared: "03:00-04:00"}}', ", outside of 03:00-04:00"),
        ("{status: bonded}", "the status in the end is domestic, not bonded"),
        ("{ledger: {A.ledger: 1}}", "A.ledger changes by -1, not 1"),
        ("{ledger: {A.leger: 1}}", "there is no account 'A.leger'"),
        ("{refused: never}", "it is not refused"),
    ],
)
def test_what_does_not_hold_is_told(folder, expect, failure):
    """Each kind of expectation fails where it is not met, and says what came instead."""
    failures = outcome(folder, ONE.replace("{order: [declared, released]}", expect))

    assert any(failure in each for each in failures), failures


def test_a_scene_that_cannot_be_run_does_not_hold(folder):
    """A step that does not exist, and a value where nothing can stand, are told as failures of the situation."""
    lost = outcome(folder, ONE + "    set: {library.F3.lost.take: 1 h}\n")
    deep = outcome(folder, ONE + "    set: {regime.name: x}\n")

    assert lost[0].startswith("cannot be run: ")
    assert "has no 'lost'" in lost[0]
    assert "nothing can be set at 'regime.name'\n    Name a key of the stage." in deep[0]


def test_slips_are_told(folder):
    """Flows, measures, names and ids that nothing has, and an id that stands twice."""
    assert "no flow 'F33'" in outcome(folder, ONE.replace("flow: F3", "flow: F33"))[0]
    assert "no measure 'm99'" in outcome(folder, ONE + "    measures: [m99]\n")[0]
    with pytest.raises(UnknownName, match="no situation, flow or measure 'F99' here"):
        list(tried(["F99"], folder))
    (folder / "again.yaml").write_text(HEAD + ONE, encoding="utf-8")
    with pytest.raises(Faults, match="the situation 'sale' stands twice"):
        read_situations(folder)


def test_the_command_prints_them():
    """`verify --situation` prints those of a flow in both languages, and the JSON has their words."""
    done = CliRunner().invoke(cli.app, ["verify", "--situation", "gate", "--lang", "zh"])
    document = json.loads(CliRunner().invoke(cli.app, ["verify", "--situation", "gate", "--json"]).stdout)

    assert done.exit_code == 0
    assert "备案车辆单证相符，自动过卡" in done.output
    assert "个情景成立，0个不成立" in done.output
    assert {each["flow"] for each in document["situations"]} == {"gate"}
    assert all(each["holds"] and each["given"]["zh"] for each in document["situations"])
