"""`zonesim diff` names every value in which two arms differ."""

from __future__ import annotations

import json

import pytest

from tests.helper import ROOT
from zonesim import cli
from zonesim.briefing.text.difference import brief, diff_text
from zonesim.jobs.diff import diff_document

ZONE = ROOT / "scenarios" / "typical_zone.yaml"


def rows(document) -> dict[str, tuple]:
    """Return old value, new value and share by path (the last of a path)."""
    return {row["path"]: (row["old"], row["new"], row["share"]) for row in document["changes"]}


def test_an_arm_against_the_baseline():
    """
    A value has its old and new text, the practice, its share and the line of the edit; a practice its shares.
    """
    document = diff_document(ZONE, [], ["11"])
    found = rows(document)

    assert document["arms"] == ["R1", "11"]
    assert found["library.gate.lane.compare.take"] == (
        {"pert": ["50 s", "100 s", "200 s"]},
        {"pert": ["2 s", "4 s", "10 s"]},
        0.9,
    )
    assert found["library.gate.lane.by_hand"] == ({"mark": "manual"}, None, 0.9)
    assert {row["practice"]: (row["first"], row["second"]) for row in document["practices"]} == {
        "m11.gate": (0.0, 0.9),
        "m11.comparison": (0.0, 0.9),
        "m11.transfer": (0.5, 0.9),
    }
    compare = next(row for row in document["changes"] if row["path"] == "library.gate.lane.compare.take")
    file, line, _ = compare["place"].rsplit(":", 2)
    text = (ROOT / "zonesim" / file).read_text(encoding="utf-8").splitlines()[int(line) - 1]

    assert compare["by"] == "m11.comparison"
    assert "set: library.gate.lane.compare.take" in text


def test_two_arms_against_each_other():
    """
    What both arms change alike is left out, and the order of the arms turns old and new round.
    """
    there = diff_document(ZONE, [], ["10", "10+11"])
    back = diff_document(ZONE, [], ["10+11", "10"])
    changed = {path for path in rows(there) if path.startswith("library.F4b")}

    assert there["arms"] == ["10", "10+11"]
    assert changed == set()
    assert {path: (new, old) for path, (old, new, _) in rows(back).items()} == {
        path: (old, new) for path, (old, new, _) in rows(there).items()
    }
    assert diff_text(diff_document(ZONE, [], ["11", "11"])) == "11 and 11 are equal in typical-zone"


def test_what_is_printed(monkeypatch, capsys):
    """
    The text has practices and values; --json has the document; three arms are too many.
    """

    def zonesim(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["zonesim", "diff", str(ZONE), *words])
        with pytest.raises(SystemExit) as end:
            cli.main()
        return end.value.code, *capsys.readouterr()

    code, text, _ = zonesim("--arm", "11")

    assert code == 0
    assert "m11.transfer" in text
    assert "library.gate.lane.by_hand" in text
    assert json.loads(zonesim("--arm", "11", "--json")[1]) == json.loads(json.dumps(diff_document(ZONE, [], ["11"])))
    assert zonesim("--arm", "11", "--arm", "10", "--arm", "5")[::2] == (
        2,
        "--arm: more than two arms\n    Give --arm once or twice.\n",
    )


def test_values_are_brief():
    """
    Labels and sources are left out, what is not there is a dash.
    """
    assert brief(None) == "-"
    assert (
        brief({"label": {"en": "x"}, "take": {"pert": ["1 s", "2 s", "3 s"]}, "source": "a"})
        == "{take: {pert: [1 s, 2 s, 3 s]}}"
    )
