"""Faults are shown with the line they stand in and carets under the place."""

from __future__ import annotations

import random

import pytest

from zonesim import cli
from zonesim.faults import Faults, Place, RunFault, ScenarioFault
from zonesim.scenario.excerpts import WIDEST, _width, excerpt, explain


def shown(line: str, column: int) -> list[str]:
    """Return the excerpt of a file of this one line."""
    return excerpt(Place("f", 1, column), [line])


@pytest.mark.parametrize(
    ("line", "column", "source", "carets"),
    [
        ("  imports: {flow: F11, rate: 3 /h}", 19, "  imports: {flow: F11, rate: 3 /h}", "                  ^^^"),
        ("  imports: {flow: F11, rate: 3 /h}", 30, "  imports: {flow: F11, rate: 3 /h}", "                             ^^^^"),
        ("  imports: {flow: F11}", 12, "  imports: {flow: F11}", "           ^"),
        ("clok: {measure: 1 d}", 1, "clok: {measure: 1 d}", "^^^^"),
        ("take: 5 mins  # long", 7, "take: 5 mins  # long", "      ^^^^^^"),
        ("url: http://x:80/a#b", 6, "url: http://x:80/a#b", "     ^^^^^^^^^^^^^^^"),
        ('name: "a, b: c", x: 1', 7, 'name: "a, b: c", x: 1', "      ^^^^^^^^^"),
        ("{区: {通道: 三}, x: y}", 10, "{区: {通道: 三}, x: y}", "            ^^"),
        ("{区: {通道: 三}, x: y}", 6, "{区: {通道: 三}, x: y}", "      ^^^^"),
        ("e\u0301: bad", 5, "e\u0301: bad", "   ^^^"),
        ("a:\tbad\tx", 4, "a: bad x", "   ^^^^^"),
        ("a: \x1b[31mbad", 4, "a: \ufffd[31mbad", "   ^^^^^^^^"),
        ("a: 1", 9, "a: 1", "    ^"),
        ("", 1, "", "^"),
    ],
)  # fmt: skip
def test_carets_stand_under_the_value(line, column, source, carets):
    """
    Also behind wide characters (two columns each), joined ones and tabs; nothing that moves the cursor is printed.
    """
    expected = [f"    1 | {source}".rstrip(), f"      | {carets}"]

    assert [row.rstrip() for row in shown(line, column)] == expected


def test_long_lines_are_cut_around_the_place():
    """
    Wherever the place is in a line of any characters, its first character stands over the first caret, within the width.
    """
    luck = random.Random(1)
    for _ in range(300):
        line = "".join(luck.choice("ab区 综,:{}") for _ in range(luck.randint(60, 300)))
        column = luck.randint(1, len(line))
        source, carets = shown(line, column)
        at = _width(carets[: carets.index("^")])
        reached = 0
        for character in source:
            if reached == at:
                break
            reached += _width(character)
        else:
            character = " "

        assert reached == at
        assert character in {line[column - 1], "…"}
        assert _width(source) <= WIDEST + 20


def test_a_message_has_place_line_and_remedy(tmp_path):
    """
    All faults of a file are shown in turn; one without a line, of a lost file or of a run as it is.
    """
    file = tmp_path / "f.yaml"
    file.write_text("a: 1\nb: 综合\n", encoding="utf-8")
    name = str(file)
    error = Faults([
        ScenarioFault("no 'b'", Place(name, 2, 1), "Write c."),
        ScenarioFault("bad", Place(name, 2, 4)),
        ScenarioFault("beyond", Place(name, 9, 1), "Stop."),
        ScenarioFault("unknown", Place("--set a=1"), "Write b."),
        ScenarioFault("gone", Place(str(tmp_path / "gone.yaml"), 3, 1), "Look."),
    ])  # fmt: skip

    assert explain(error) == (
        f"--set a=1: unknown\n    Write b.\n"
        f"{name}:2:1: no 'b'\n    2 | b: 综合\n      | ^\n    Write c.\n"
        f"{name}:2:4: bad\n    2 | b: 综合\n      |    ^^^^\n"
        f"{name}:9:1: beyond\n    Stop.\n"
        f"{tmp_path}/gone.yaml:3:1: gone\n    Look."
    )
    assert explain(RunFault("deadlock")) == "deadlock"


def test_files_of_the_library_are_shown_too():
    """
    A place in the library is looked up in the package.
    """
    text = explain(ScenarioFault("bad", Place("library/flows/gate.yaml", 3, 1)))

    assert text.startswith("library/flows/gate.yaml:3:1: bad\n    3 | ")


def test_the_command_line_shows_the_line(tmp_path, monkeypatch, capsys):
    """
    `validate` prints every fault of the file on stderr with line and carets, and ends with 2.
    """
    file = tmp_path / "f.yaml"
    file.write_text(
        "zonesim: 1\nkind: scenario\nname: f\nclock: {measure: 1 hr}\ntraffic: {a: {flow: F1, rat: 1 /h}}\n"
    )
    monkeypatch.setattr("sys.argv", ["zonesim", "validate", str(file)])
    with pytest.raises(SystemExit) as end:
        cli.main()

    assert end.value.code == 2
    assert capsys.readouterr().err == (
        f"{file}:4:18: unknown unit 'hr' in '1 hr'\n    4 | clock: {{measure: 1 hr}}\n      |                  ^^^^\n"
        "    Write '1 h'.\n"
        f"{file}:5:14: traffic needs either a rate or listed times\n"
        "    5 | traffic: {a: {flow: F1, rat: 1 /h}}\n      |              ^\n"
        "    Write rate: 12 /h, or at: [0 min, 5 min].\n"
        f"{file}:5:25: unknown key 'rat'\n    5 | traffic: {{a: {{flow: F1, rat: 1 /h}}}}\n      |                         ^^^\n"
        "    Did you mean 'rate' or 'at'?\n"
    )
