"""Strict reading of YAML."""

from __future__ import annotations

import random

import pytest

from tests.helper import ROOT
from zonesim.faults import Faults
from zonesim.limits import DEEPEST
from zonesim.policy import world_of
from zonesim.scenario import composing, read_text
from zonesim.scenario.reader import read_file


def test_scalars_are_those_of_yaml_1_2():
    """
    `10:30`, `on`, `010` and dates are text, `1e6` is a number, quotes make text.
    """
    tree = read_text(
        "a: 10:30\nb: on\nc: 010\nd: 1e6\ne: 2018-09-03\nf: '7'\ng: true\nh: 12\ni: ~\nj: -1.5\n", "f"
    ).tree

    assert tree == {
        "a": "10:30", "b": "on", "c": "010", "d": 1e6, "e": "2018-09-03", "f": "7", "g": True, "h": 12, "i": None, "j": -1.5,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "f.yaml:1:1: the file is empty\n    Write one document a file, starting with `zonesim: 1`."),
        ("a: 1\n---\nb: 2\n", "f.yaml:1:1: 2 documents in one file\n    Write one document a file, starting with `zonesim: 1`."),
        ("- 1\n", "f.yaml:1:1: the file is not a mapping\n    Start with `zonesim: 1` and `kind: scenario`."),
        ("a: 1\nb: 2\na: 3\n", "f.yaml:3:1: key 'a' stands twice\n    The first is at line 1; keep one."),
        ("a: &x {b: 1}\nc: {<<: *x}\n", "f.yaml:2:5: merge keys (<<) are not allowed\n    Write the values out."),
        ("a: !!python/object:os.system x\n", "f.yaml:1:4: tag 'tag:yaml.org,2002:python/object:os.system' is not allowed\n    Write plain values; quote text."),
        ("a: &x [*x]\n", "f.yaml:1:4: an alias that contains itself\n    Write the value out."),
        ("? [a]\n: 1\n", "f.yaml:1:3: a key must be plain text\n    Write `key: value`."),
        ("a: [1\n", "f.yaml:2:1: not YAML: while parsing a flow sequence expected ',' or ']', but got '<stream end>'\n    Check indentation, quotes and brackets."),
    ],
)  # fmt: skip
def test_faults_of_reading(text, message):
    """
    Each kind of fault says place, fault and remedy.
    """
    with pytest.raises(Faults) as caught:
        read_text(text, "f.yaml")

    assert str(caught.value) == message


def test_all_faults_of_reading_at_once():
    """
    Two keys given twice are both reported, in the order of the file.
    """
    with pytest.raises(Faults) as caught:
        read_text("a: 1\na: 2\nb: 1\nb: 2\n", "f.yaml")

    assert [fault.place.line for fault in caught.value.faults] == [2, 4]


def test_depth_and_aliases_are_limited():
    """
    Deep nesting and a billion laughs end in a fault, not in a hang.
    """
    with pytest.raises(Faults, match="nested deeper"):
        read_text("a: " + "[" * (DEEPEST + 5) + "]" * (DEEPEST + 5), "f.yaml")
    laughs = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
        f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 9)
    )
    with pytest.raises(Faults, match="values"):
        read_text(laughs, "f.yaml")


def test_files_that_cannot_be_read(tmp_path):
    """
    A missing file, a folder and bytes that are no text are faults of their own.
    """
    (tmp_path / "latin.yaml").write_bytes(b"a: \xff\xfe")
    for path, words in (
        (tmp_path / "none.yaml", "No such file"),
        (tmp_path, "directory"),
        (tmp_path / "latin.yaml", "not UTF-8"),
    ):
        with pytest.raises(Faults, match=words):
            read_file(path)


SCENARIO = """zonesim: 1
kind: scenario
name: x
clock: {measure: 1 h}
zones: {Z: {desk: {units: 1}}}
flows: {f: {steps: {work: {hold: {d: Z.desk}, take: 5 min}}}}
traffic: {a: {flow: f, rate: 1 /h}}
"""


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("measure: 1 h", "measure: 1", "x.yaml:4:18: '1' has no unit\n    Write a duration such as '15 min'. Units: ms, s, min, h, d, week."),
        ("measure: 1 h", "measure: 1 hr", "x.yaml:4:18: unknown unit 'hr' in '1 hr'\n    Write '1 h'."),
        ("measure: 1 h", "measure: 5 km", "x.yaml:4:18: '5 km' is a distance, but a duration is due\n    Write a duration such as '15 min'."),
        ("measure: 1 h", "measuer: 1 h", "x.yaml:4:8: key 'measure' is missing in 'clock'\n    Add 'measure:' there.\nx.yaml:4:9: unknown key 'measuer'\n    Did you mean 'measure'?"),
        ("units: 1", "units: two", "x.yaml:5:27: expected a number of units, found 'two'\n    Write a whole number, or unlimited."),
        ("kind: scenario", "kind: scenery", "x.yaml:2:7: kind 'scenery' is not a scenario\n    Only scenarios can be run; flows and measures belong to the library."),
        ("take: 5 min", "take: {pert: [5 min, 2 min, 9 min]}", "x.yaml:6:53: the values of pert are not in ascending order\n    Write [low, mode, high]."),
        ("take: 5 min", "take: {perk: [5 min]}", "x.yaml:6:53: exactly one law is due, found none\n    Write one, such as {pert: [5 min, 10 min, 30 min]}.\nx.yaml:6:54: unknown key 'perk'\n    Did you mean 'pert'?"),
        ("rate: 1 /h", "rate: 1 /h, at: [1 h]", "x.yaml:7:14: rate and at together\n    Keep one of them."),
        ("take: 5 min", "take: {discrete: {1 min: 50 %, 2 min: 40 %}}", "x.yaml:6:53: the shares of discrete add up to 90 %\n    They must add up to 100 %."),
        ("work:", "take:", "x.yaml:6:21: 'take' is a key of the format and cannot name a step\n    Choose another name."),
    ],
)  # fmt: skip
def test_faults_of_a_scenario(old, new, message):
    """
    A wrong value is named at its place with what would be right.
    """
    with pytest.raises(Faults) as caught:
        world_of(read_text(SCENARIO.replace(old, new), "x.yaml"))

    assert str(caught.value) == message


# --- libyaml, where it is there, reads nothing otherwise

ODD = [*":#-?!&*|>%@`'\"[]{},~\\\t\r \n：，", ": ", "- ", "|#", ">#", "&a ", "*a", "!!str ", "<<: ", "---\n", "...\n", "\x85", "\u2028", "\ufeff", "\U0001f600"]  # fmt: skip


def read(text):
    """Return the data in a text with all places, or what is wrong with it."""
    try:
        found = read_text(text, "f.yaml")
    except Faults as fault:
        return str(fault)
    return repr(found.tree), found.places, found.keys


def shipped():
    """Return every YAML file of the project as text."""
    paths = [path for folder in ("zonesim", "scenarios", "experiments", "tests/cases") for path in (ROOT / folder).rglob("*.yaml")]  # fmt: skip
    return [path.read_text(encoding="utf-8") for path in sorted(paths)]


def test_files_are_read_alike_with_and_without_libyaml(monkeypatch):
    """
    Data and the places of all values and keys are the same for every file of the project, read in C or in Python.
    """
    fast = [read(text) for text in shipped()]
    monkeypatch.setattr(composing, "_FastLoader", None)

    assert fast == [read(text) for text in shipped()]


@pytest.mark.parametrize("seed", range(4))
def test_faults_are_told_alike_with_and_without_libyaml(seed, monkeypatch):
    """
    Pieces of files with signs put in at random mean the same, or are refused in the same words at the same place.
    """
    rng, texts, tried = random.Random(seed), shipped(), []
    for _ in range(400):
        whole = rng.choice(texts)
        begin = rng.randrange(len(whole))
        text = whole[begin : begin + rng.randrange(150)]
        for _ in range(rng.randrange(4)):
            at = rng.randrange(len(text) + 1)
            text = text[:at] + rng.choice(ODD) + text[at:]
        tried.append(text)
    fast = [read(text) for text in tried]
    monkeypatch.setattr(composing, "_FastLoader", None)
    slow = [read(text) for text in tried]

    assert fast == slow
    assert 20 < sum(not isinstance(found, str) for found in fast) < 380
