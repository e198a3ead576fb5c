"""A thousand broken files: each is refused with a fault, or runs."""

from __future__ import annotations

import random
import re

import pytest

from tests.helper import ROOT
from zonesim import cli

LINES = (ROOT / "scenarios" / "typical_zone.yaml").read_text(encoding="utf-8").splitlines()
WORDS = [
    "5 %",
    "3 h",
    "-1",
    "nan",
    "null",
    "[]",
    "{}",
    "true",
    "F1",
    "$zone",
    "99 km",
    "1e400",
    "'",
    "{a: b}",
    "汉字",
    "\t",
    "&x",
    "*x",
    "!!int 3",
    "- 1",
    ": :",
    "0",
]


SCALAR = re.compile(r"(?<=: )[^,{}\[\]\n]+")
KEY = re.compile(r"[a-z_]+(?=: )")


def misjudged(seed: int) -> str:
    """Return the typical zone, still YAML, with one or two values or keys that are wrong or merely different."""
    luck = random.Random(seed)
    text = "\n".join(LINES)
    for _ in range(luck.randint(1, 2)):
        kind = luck.randrange(4)
        found = list((KEY if kind == 3 else SCALAR).finditer(text))
        one, other = luck.choice(found), luck.choice(found)
        new = (
            luck.choice(WORDS[:12]),
            other[0],
            f"{luck.randint(0, 50)} {luck.choice(['min', '%', '/d', 'km'])}",
            one[0][:-1] or "x",
        )
        text = text[: one.start()] + new[kind] + text[one.end() :]
    return text


def mutated(seed: int) -> str:
    """Return the typical zone with a few things wrong."""
    luck = random.Random(seed)
    lines = list(LINES)
    for _ in range(luck.randint(1, 3)):
        at = luck.randrange(len(lines))
        kind = luck.choice((0, 1, 2, 3, 3, 3, 3, 3, 4, 5, 6))
        if kind == 0:
            del lines[at]
        elif kind == 1:
            lines.insert(at, lines[at])
        elif kind == 2:
            lines[at] = " " * luck.randint(0, 5) + lines[at].strip()
        elif kind == 3:
            parts = lines[at].split(" ")
            parts[luck.randrange(len(parts))] = luck.choice(WORDS)
            lines[at] = " ".join(parts)
        elif kind == 4:
            cut = luck.randint(0, len(lines[at]))
            lines[at] = lines[at][:cut]
        elif kind == 5:
            other = luck.randrange(len(lines))
            lines[at], lines[other] = lines[other], lines[at]
        else:
            cut = luck.randint(0, len(lines[at]))
            lines[at] = lines[at][:cut] + luck.choice("{}[]:,%#'\"$&*!|>@`\x07\u200b") + lines[at][cut:]
    return "\n".join(lines)


SHORT = ("clock.warm_up=0 h", "clock.measure=12 h", "clock.cool_down=0 h")


@pytest.mark.parametrize(
    "block", [pytest.param(block, marks=pytest.mark.slow if block > 0 else ()) for block in range(10)]
)
def test_a_broken_file_is_a_fault_or_runs(block, tmp_path, monkeypatch, capsys):
    """
    Through the command line: whatever is wrong, the exit code is 0, 2 or 3, with a message and without a traceback.
    """
    file = tmp_path / "mutated.yaml"
    options = [word for setting in SHORT for word in ("--set", setting)]
    codes = []
    for seed in range(100 * block, 100 * block + 100):
        file.write_text((mutated if seed % 2 else misjudged)(seed), encoding="utf-8")
        words = ["run", str(file), "--replications", "1", "--workers", "1", "--out", str(tmp_path / "out"), *options]
        monkeypatch.setattr("sys.argv", ["zonesim", *words])
        with pytest.raises(SystemExit) as end:
            cli.main()
        said = capsys.readouterr()
        codes.append(end.value.code)

        assert end.value.code in {0, 2, 3}, (seed, said.err)
        assert "Traceback" not in said.err, seed
        assert said.err or end.value.code == 0, seed
        if end.value.code == 2:
            assert re.match(r"(\S*mutated\.yaml|library/\S+):\d+:\d+: |--set ", said.err), (seed, said.err)

    assert codes.count(2) > 30
    assert 0 in codes
