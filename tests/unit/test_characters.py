"""Characters that nobody sees, and signs of a Chinese keyboard: refused or named, with their own line and column."""

from __future__ import annotations

import re

import pytest

from tests.helper import ROOT
from zonesim import cli
from zonesim.faults import Faults, ScenarioFault
from zonesim.plan import compile_plan
from zonesim.policy import arm_named, arms_for, baseline, load_world, parse_setting, resolve, world_of
from zonesim.scenario import read_file, read_text
from zonesim.scenario.characters import corrected, slips, twin, unseen, visible
from zonesim.scenario.excerpts import explain

GOOD = """\
zonesim: 1
kind: scenario
name: good
label: {en: Good, zh: 好的}
clock: {start: "2018-09-03", warm_up: 1 d, measure: 2 week, cool_down: 1 d}
regime: R1
calendars:
  shift: {mon-fri: ["08:00-12:00", "13:00-17:00"]}
profiles: {peaks: {days: [1, 1, 1, 1, 1, 0.5, 0.5]}}
zones:
  Z:
    desk: {units: 2, open: shift}
    lanes: {units: 3}
    km: {value: 5 km}
firms: {count: 3, credit: {AEO: 40 %, plain: 60 %}}
truth: {wrong: {all: 5 %}}
flows:
  f:
    params: {zone: zone, far: distance}
    steps:
      a: {hold: {d: Z.desk}, take: {pert: [5 min, 6 min, 9 min]}}
      b:
        share: {AEO: 10 %, all: 20 %}
        take: {exponential: {mean: 3 min}}
        mark: [checked, stamped]
      c: {take: {distance: $far, speed: 45 km/h}}
      d: {when: {marked: stamped}, hold: {l: $zone.lanes}, take: 1 min}
traffic:
  t: {flow: f, rate: 40 /d, profile: peaks, with: {zone: Z, far: 99 km}}
  u:
    flow: f
    at: [0 min, 5 min]
    with: {zone: Z, far: 5 km}
"""


def said(tmp_path, text: str) -> str:
    """Return what a person reads who validates this scenario; "" when nothing is wrong."""
    file = tmp_path / "s.yaml"
    file.write_text(text, encoding="utf-8")
    try:
        world = world_of(read_file(file))
        compile_plan(resolve(world, baseline(world)))
    except ScenarioFault as fault:
        return explain(fault).replace(f"{file}:", "s:")
    return ""


def wide(character: str) -> str:
    """Return the full-width twin of a character."""
    return "\u3000" if character == " " else chr(ord(character) + 0xFEE0)


PLACES = [at for at, each in enumerate(GOOD) if each.isprintable() and each.isascii()]


@pytest.mark.parametrize("turn", [pytest.param(turn, marks=pytest.mark.slow if turn else ()) for turn in range(12)])
def test_a_full_width_twin_is_named_where_it_stands(turn, tmp_path):
    """
    Any one character in its full-width form: the message names it with its own line and column, unless it changes
    nothing (a space before a unit, a letter of a label).
    """
    harmless = 0
    for at in PLACES[turn::12]:
        sign = wide(GOOD[at])
        told = said(tmp_path, GOOD[:at] + sign + GOOD[at + 1 :])
        line, column = GOOD.count("\n", 0, at) + 1, at - GOOD.rfind("\n", 0, at)
        if not told:
            harmless += 1
            assert sign == "\u3000" or "label: {en: Good" in GOOD.splitlines()[line - 1], (line, column)
            continue
        assert re.search(rf"(?m)^s:{line}:{column}: ", told), (line, column, told)
        assert f"(U+{ord(sign):04X}" in told, (line, column, told)

    assert harmless < 10


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("rate: 40 /d", "rate: 1,040 /d", ["s:29:23: ", "write 1040 /d."]),
        ("rate: 40 /d", "rate: 1，040 /d", ["s:29:23: ", "write 1040 /d."]),
        ("rate: 40 /d", "rate: 1 040 /d", ["s:29:23: ", "write 1040 /d."]),
        ("at: [0 min, 5 min]", "at: [1,000 s, 5,000 s]", ["s:32:11: ", "write 1000 s.", "s:32:20: ", "write 5000 s."]),
        ("measure: 2 week", "measure: 2 周", ["s:5:53: unknown unit '周' in '2 周'", "Write '2 week'."]),
        ("rate: 40 /d", "rate: 40 辆/天", ["s:29:22: ", "Write '40 /d'."]),
        ("take: 1 min", "take: 1 分钟", ["s:27:66: ", "Write '1 min'."]),
        ("all: 5 %", "all: {uncertain: [1 %, 5 %， 20 %]}", ["s:16:43: expected a share, found a mapping", "'，' (U+FF0C"]),
        ("regime: R1", "regime:R1", ["s:6:7: no space after ':'", "regime: R1"]),
        ("regime: R1", "regime：R1", ["s:6:7: '：' (U+FF1A", "stands where ':' is due", "Write regime: R1"]),
        ("{flow: f, rate", "{flow:f, rate", ["s:29:11: unknown key 'flow:f'", "write flow: f."]),
        ("    flow: f\n", "\tflow: f\n", ["s:31:1: a tab, which YAML does not allow here", "Write spaces."]),
        ('"08:00-12:00"', "“08:00-12:00”", ["s:8:21: '“' (U+201C", 'Write "08:00-12:00".']),
        ("at: [0 min, 5 min]", "at: 【0 min、5 min】", ["s:32:9: ", "write [0 min,5 min]."]),
        ("[checked, stamped]", "[checked、stamped]", ["s:25:23: '、' (U+3001", "Write checked,stamped."]),
        ("desk: {units: 2", "source: {units: 2", ["s:12:5: 'source' is a key of the format and cannot name a resource"]),
        ("plain: 60 %", "null: 60 %", ["s:15:39: 'null' cannot name anything: as a value it is nothing", "Choose another name."]),
        ("plain: 60 %", "true: 60 %", ["s:15:39: 'true' cannot name anything: as a value it is true"]),
        ("far: distance", "open: distance", ["s:19:26: 'open' is a key of `when` and cannot name a parameter"]),
        ("at: [0 min", "at: [$x", ["s:32:10: a parameter ($x) stands where none is known", "Write a time."]),
        ("units: 2", "units: true", ["s:12:19: expected a number of units, found 'true'"]),
        ("[1, 1, 1", "[true, 1, 1", ["s:9:27: expected a number, found 'true'", "Write a number such as 3."]),
        ("[1, 1, 1", "[1e400, 1, 1", ["s:9:27: the number '1e400' is too large"]),
        ("[1, 1, 1", "[nan, 1, 1", ["s:9:27: expected a number, found 'nan'"]),
        ("[1, 1, 1", "[1e300, 1, 1", ["s:9:27: 'days[0]' is '1e300', which is outside its bounds"]),
        ("count: 3", "count: true", ["s:15:16: expected a number, found 'true'"]),
        ("count: 3", "count: 99999999999999999999", ["s:15:16: 'count' must be a whole number"]),
        ("name: good", 'name: "a\\e[31mRED"', ["s:3:7: '\\x1b' (U+001B) in 'a\\x1b[31mRED' cannot be seen"]),
        ("checked, st", '"ch\\u200bd", st', ["s:25:16: '\\u200b' (U+200B, zero width space) in ", "cannot be seen"]),
        ("mark: [ch", 'mark: ["a\\u00ad", ch', ["s:25:16: '\\xad' (U+00AD, soft hyphen) in the name", "Take it out."]),
        ("  Z:", '  "Z\\u202e": {}\n  Z:', ["s:11:3: '\\u202e' (U+202E, right-to-left override) in the name"]),
        ("en: Good", 'en: "Go\\nod"', ["s:4:13: a line break in 'Go\\nod'", "Write it on one line, with spaces."]),
        ("en: Good", 'en: "Go\\u202eod"', ["s:4:13: '\\u202e'", "cannot be seen"]),
    ],
)  # fmt: skip
def test_slips_and_unseen_characters(old, new, expected, tmp_path):
    """
    Each is told with its own line and column and the exact correction.
    """
    assert old in GOOD
    told = said(tmp_path, GOOD.replace(old, new, 1))
    for part in expected:
        assert part in told, told


@pytest.mark.parametrize(
    "doubt",
    [
        "true",
        "[5 %]",
        "{a: 1}",
        "[[1 %], 5 %, 9 %]",
        "[{uncertain: [1 %, 2 %, 3 %]}, 5 %, 9 %]",
        "null",
        "[5 %, 1 %, 9 %]",
    ],
)
def test_a_doubt_that_is_none_is_a_fault(doubt, tmp_path):
    """
    Whatever stands below `uncertain`, of a share or of a number of units, the file is refused with its line.
    """
    for old in ("all: 5 %", "units: 2"):
        told = said(tmp_path, GOOD.replace(old, f"{old.partition(':')[0]}: {{uncertain: {doubt}}}", 1))

        assert re.match(r"s:(16|12):\d+: ", told), told


def test_a_file_that_was_typed_with_wide_signs_throughout(tmp_path):
    """
    Every line that keeps the file from being YAML is told, each once.
    """
    told = said(tmp_path, GOOD.replace(": ", "："))
    mixed = said(tmp_path, GOOD.replace("    flow: f\n    at: [0 min, 5 min]\n    with: {zone: Z", "    flow：f\n    at：[0 min，5 min]\n    with：｛zone：Z"))  # fmt: skip

    assert [line.split()[-1] for line in told.splitlines() if line.startswith("    Write")][:3] == [
        "1",
        "scenario",
        "good",
    ]
    assert all(f"s:{place}: " in mixed for place in ("31:9", "32:7", "32:14", "33:9", "33:10", "33:15"))


def test_chinese_text_may_have_chinese_signs(tmp_path):
    """
    Labels, remarks and names of Chinese letters keep their punctuation.
    """
    text = (
        GOOD.replace("zh: 好的", "zh: 好的，全角：标点（好）")
        .replace("AEO", "一般企业（高级）")
        .replace("regime", "note: 备注：全角，标点。\nregime")
    )

    assert said(tmp_path, text) == ""


def test_gbk_and_utf16_files_say_so(tmp_path):
    """
    The first letter that is not UTF-8 is named, with its own line and column.
    """
    file = tmp_path / "s.yaml"
    file.write_bytes(GOOD.encode("gb18030"))
    with pytest.raises(Faults) as gbk:
        read_file(file)
    file.write_bytes(GOOD.encode("utf-16"))
    with pytest.raises(Faults) as wide_file:
        read_file(file)

    assert str(gbk.value) == f"{file}:4:23: '好' is written in GBK, not in UTF-8\n    Save the file as UTF-8."
    assert str(wide_file.value) == f"{file}:1:1: is written in UTF-16\n    Save it as UTF-8."


OPTIONS = {
    ("--arm", "11，10"): ["--arm 11，10: '，' (U+FF0C, fullwidth comma) stands between", "^^^^", "Write 11+10."],
    ("--arm", "m11,10"): ["--arm m11,10: ',' (U+002C, comma) stands between the measures of one arm", "Write m11+10."],
    ("--measures", "11，10"): ["--measures 11，10: ", "            ^^^^", "write --measures 11,10."],
    ("--set", "zones.Z.desk.units＝3"): ["--set zones.Z.desk.units＝3: expected", "write --set zones.Z.desk.units=3."],
    ("--set", "zones．Z.desk.units=3"): ["--set zones．Z.desk.units=3: ", "'．' (U+FF0E"],
    ("--set", "zones.Z.desk.units=３"): ["--set zones.Z.desk.units=３: expected a number", "'３' (U+FF13"],
    ("--set", "zones.Z.desk.units=1,040"): ["write --set zones.Z.desk.units=1040."],
    ("--set", 'zones.Z.desk.open="a\\e[0m"'): ["--set zones.Z.desk.open=", "'\\x1b' (U+001B)"],
    ("--arm", "\x1b[31m11"): ["--arm \\x1b[31m11: no measure"],
}


@pytest.mark.parametrize(("option", "value"), OPTIONS)
def test_slips_on_the_command_line_are_told_at_the_option(option, value):
    """
    An option is told as itself, with carets under the sign and the correction; nothing of it moves the cursor.
    """
    world = world_of(read_text(GOOD, "s.yaml"))
    with pytest.raises(ScenarioFault) as found:  # noqa: PT012  each option is read in its own way
        if option == "--arm":
            arm_named(world, value)
        elif option == "--measures":
            arms_for(world, value.split(","), f"--measures {value}")
        else:
            from zonesim.policy import apply

            apply(world, [parse_setting(value)])
            resolve(world, baseline(world))
    told = explain(found.value)

    for part in OPTIONS[option, value]:
        assert part in told, told
    assert "\x1b" not in told


def test_a_wide_dash_before_an_option_is_named(monkeypatch, capsys):
    """
    Typer calls it an argument too many; the line below says which sign it is.
    """
    monkeypatch.setattr("sys.argv", ["zonesim", "show", "x.yaml", "－－arm", "11"])
    with pytest.raises(SystemExit) as end:
        cli.main()

    assert end.value.code == 2
    assert "'－' (U+FF0D, fullwidth hyphen-minus) in '－－arm': write --arm." in capsys.readouterr().err


def test_a_path_longer_than_the_system_allows_is_a_fault_with_a_line(tmp_path):
    """
    As the name of a scenario in an experiment, and on the command line.
    """
    from zonesim.experiment import read_design

    file = tmp_path / "e.yaml"
    file.write_text(
        f"zonesim: 1\nkind: experiment\nname: e\nscenario: {'a' * 300}\narms: {{a: []}}\n", encoding="utf-8"
    )
    with pytest.raises(ScenarioFault) as found:
        read_design(file, [])
    with pytest.raises(ScenarioFault):
        load_world(tmp_path / ("a" * 300))

    assert str(found.value).startswith(f"{file}:4:11: 'aaa")
    assert str(found.value).endswith("' cannot be a file\n    Check the name.")


def test_numbers_that_are_names_keep_their_spelling():
    """
    `1e3` as a class is the class `1e3`, not `1000.0`; as a number it is a thousand.
    """
    tree = read_text("a: 1e3\nb: 1.50\nc: +7\nd: 7", "x").tree

    assert [str(tree[key]) for key in "abcd"] == ["1e3", "1.50", "+7", "7"]
    assert [float(tree[key]) for key in "abcd"] == [1000, 1.5, 7, 7]


def test_twins_slips_and_corrections():
    """
    What a sign looks like, which were hardly meant, and what was.
    """
    assert [twin(each) for each in "：，％１Ａ　“【·中x"] == [":", ",", "%", "1", "A", " ", '"', "[", "", "", ""]
    assert slips("一区，二区") == []
    assert slips("AEO，一般") == [3]
    assert slips("一般（甲）") == []
    assert slips("５ km") == [0]
    assert corrected("units：３") == "units: 3"
    assert corrected("08：00－12：00") == "08:00-12:00"
    assert corrected("1，040 /d") == "1040 /d"
    assert unseen("a\tb", name=False) == ""
    assert unseen("a\tb", name=True) == "\t"
    assert visible("a\x1b[0m\u202e中\n") == "a\\x1b[0m\\u202e中\\n"


def test_no_shipped_file_is_refused():
    """
    Every YAML file that is shipped reads as before.
    """
    files = [*ROOT.glob("scenarios/*.yaml"), *ROOT.glob("experiments/*.yaml"), *ROOT.glob("tests/cases/*.yaml")]
    for file in files:
        read_file(file)

    assert len(files) > 30
