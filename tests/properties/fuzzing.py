"""
Broken and strange inputs for the whole command line, made from the files that zonesim ships, and a way to try one.

A case is a pure function of its number, so that one that failed is made again by `python -m tests.properties.fuzzing
NUMBER`. Each runs in a process of its own, which may use so much time and memory and no more.
"""

from __future__ import annotations

import contextlib
import copy
import functools
import json
import os
import random
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from tests.helper import ROOT

SECONDS = 20
"""Processor time that a case may take before it is refused, or is done."""

MEMORY = 1 << 30
"""Bytes that a case may use beyond what is loaded already."""

SHORT = "clock: {warm_up: 0 h, measure: 6 h, cool_down: 1 h}"

VALUES = [
    0, 1, -1, 2, 7, 63, 64, 1000, 1_000_000, 10**12, 10**18, 10**40, -(10**9), 0.0, 0.5, -0.5, 1e-300, 1e300, float("inf"), float("nan"),
    True, False, None, "", " ", "x", "all", "end", "none", "unlimited", "always", "never", "office", "R0", "R1", "R9", "source", "label", "note",
    "0 s", "0 h", "1 ms", "5 min", "3 h", "2 d", "52 week", "5000 week", "1e9 d", "-3 min", "1e400 h", "10 wd", "1 /ms", "12 /h", "1e9 /s", "0 /h", "1e-300 /h",
    "0 %", "5 %", "50 %", "100 %", "150 %", "-5 %", "1e-300 %", "0 km", "99 km", "1e300 km", "0 km/h", "45 km/h", "1e-300 km/h",
    "F1", "F5", "gate", "visit", "m11", "m21", "$zone", "$zone.docks", "$", "$x.y.z", "TYP.lanes_in", "TYP.nothing", "nothing.at.all", ".", "..", "a.b", "*", "a*",
    "2018-09-03", "1900-01-01", "2199-12-31", "2018-02-30", "0000-00-00", "../x.csv", "/etc/passwd", "/dev/zero", "~/x", "\x00", "a\nb", "汉字", "８：００", "\u202e", "\ufeff", "\U0001f69a",
    "x" * 300, [], {}, [[]], [{}], {"": ""}, [None], [1, 2, 3], ["5 min", "9 min"], {"uncertain": [1, 2, 3]}, {"uncertain": ["1 min", "2 min", "9 min"]}, {"uncertain": ["5 %", "6 %"]},
    {"exponential": {"mean": "10 min"}}, {"lognormal": {"mean": "10 min", "cv": 100}}, {"gamma": {"mean": "1 min", "cv": 0.01}}, {"normal": {"mean": "1 min", "sd": "0 s"}},
    {"triangular": ["1 min", "2 min", "3 min"]}, {"pert": ["1 min", "1 min", "1 min"]}, {"uniform": ["2 min", "1 min"]}, {"erlang": {"shape": 1000, "mean": "1 s"}}, {"weibull": {"shape": 0.01, "mean": "1 s"}},
    {"discrete": {"1 min": "100 %"}}, {"discrete": {1: "50 %", 3: "50 %"}}, {"empirical": ["0 s"]}, {"distance": "9 km", "speed": "9 km/h"}, {"mixture": {"a": {"share": "100 %", "constant": "1 s"}}},
    {"by": "class", "A": "1 min"}, {"by": "vehicle", "freight": "1 min", "other": "2 min"}, {"all": "5 %"}, {"queue": {"of": "TYP.lanes_in", "longer_than": 0}}, {"marked": "stopped"},
    {"number": 2}, {"within": "1 h"}, {"until": "office"}, {"longest": "5 min"}, {"longest": "5 min", "next": "end"}, {"traffic": "t", "after": "1 s"}, {"count": 2, "into": "truck"}, {"scale": [1.0, 2.0]},
    {"units": 2, "open": "office", "at_shift_end": "pause", "breakdowns": {"up": "1 h", "repair": "1 h"}}, {"value": "5 %"}, {"account": 5}, {"steps": {"a": {"take": "1 min"}}}, {"call": "gate"}, {"hold": {"a": "TYP.lanes_in"}, "take": "1 min"},
]  # fmt: skip
"""Values that are right in one place and wrong in all others, or wrong everywhere."""

TOKENS = [
    "[", "]", "{", "}", ":", ",", "#", "&a", "*a", "!!python/object:x", "!x", "|", ">", "%", "@", "`", "'", '"', "- ", "? ", "---", "...", "\t", "\x07", "\x1b[31m", "\r", "\n", "\n\n",
    "<<: *a", "：", "，", "　", "５", "％", "\u200b", "\ud7ff", "e400", "0x1F", "1_000", "1e5", ".inf", ".nan", "null", "~", "yes", "08:00-17:00", "{a: b}", "[a, b]", "$", "*", " " * 50, "9" * 400,
]  # fmt: skip

OPTIONS = {
    "--set": ["zones.*.lanes_in.units=2", "traffic.*.rate*=1.5", "traffic.*.rate*=1e300", "clock.measure=1 h", "x=1", "=", "a", "traffic.*.rate=", "clock={}", "zones=1", "traffic=1", "flows=[]", "measures.m11=1", "measures.m11.coverage=5 %", "regime=R0", "regime=R9", "regime=R3", "future=outage", "future=demand_x2", "future=none", "future=x", "futures.x.edits=1", "adopted={m11: {gate: 30 %}}", "library.F1.nothing=1", "*=1", "*.*=1", "clock.start=2018-02-30", "name=..", "firms.count=100000", "truth.*.all=50 %", "clock.holidays=cn", "zones.*.*.units=unlimited", "traffic.*=", "traffic.*.flow=F1", "calendars.office.mon-fri=[]", "zones.TYP.lanes_in*=2", "library.gate*=2"],
    "--arm": ["11", "10+11", "{m11: {coverage: 60 %}}", "[m11]", "", "x", "{", "11+11", "{m11: 1}", "{m11: {coverage: x}}", "{m11: {zones: [NO]}}", "{m11: {start: 2018-10-08}}", "{m11: {start: 9}}", "1+2+3", "+", "m11,m10"],
    "--measures": ["11", "11,10", "", ",", "99", "11,11", "a,b", "m11"],
    "--replications": ["1", "0", "-1", "2", "1000000000000", "x", ""],
    "--seed": ["1", "0", "-1", str(2**63 - 1), str(2**63), "x"],
    "--workers": ["1", "0", "-1", "1000000"],
    "--engine": ["auto", "simpy", "compiled", "recursion", "x", ""],
    "--time-limit": ["5", "0", "-1", "nan", "inf", "1e300", "0.001"],
    "--lang": ["en", "zh", "x", ""],
    "--format": ["png", "svg", "x", "", "png,svg,png"],
    "--kpi": ["F1.dwell.mean", "x", "", "all.officer_hours.day"],
    "--token": ["slowest:F5", "slowest:", "x", "", "customers#0", "customers#99999999", ":", "slowest:F1:3", "#", "a#b"],
    "--flow": ["F1", "F5", "x", ""],
    "--time-in": ["arrived", "x", ""],
    "--time-out": ["left", "arrived", ""],
    "--direction": ["direction", "x"],
    "--kind": ["kind", "x"],
    "--class": ["credit", "x"],
    "--lanes": ["0", "4", "200", "-1", "9999999"],
    "--dates": ["ymd", "dmy", "x"],
    "--from": ["2018-09-03", "x", "9999-12-31", "0001-01-01"],
    "--until": ["2018-09-30", "x", "0001-01-01"],
    "--holidays": ["cn", "none", "x"],
    "--longest": ["30 d", "0 s", "x", "1e300 d", "-1 h"],
    "--accept": ["10 %", "100 %", "x", "200 %"],
    "--zone": ["GATE", "1", "", "a b", "汉"],
    "--span": ["stay", "pass", "auto", "x"],
    "--freight": ["freight", "x"],
    "--case": ["S01", "x", ""],
    "--to": ["x.yaml"],
    "--warm-up": [None],
    "--json": [None],
}  # fmt: skip

COMMANDS = {
    "validate": ["--set", "--json"],
    "show": ["--arm", "--flow", "--set"],
    "diff": ["--arm", "--set", "--json"],
    "run": ["--arm", "--replications", "--seed", "--workers", "--engine", "--time-limit", "--set", "--warm-up", "--json"],
    "compare": ["--measures", "--replications", "--seed", "--engine", "--set", "--json"],
    "trace": ["--token", "--arm", "--seed", "--set", "--json"],
    "plan": ["--replications", "--seed", "--workers", "--set", "--json"],
    "sweep": ["--replications", "--seed", "--engine", "--set", "--json"],
    "plot": ["--lang", "--format", "--kpi", "--set"],
    "fit": [
        "--time-in", "--time-out", "--direction", "--kind", "--class", "--lanes", "--dates", "--from", "--until", "--holidays", "--longest",
        "--accept", "--zone", "--span", "--freight", "--lang", "--json",
    ],
    "new": [],
}  # fmt: skip

LOG = "arrived,left,direction,kind,credit,lane\n" + "".join(
    f"2018-09-{3 + number // 40:02d} {6 + number % 40 // 4:02d}:{15 * (number % 4):02d}:00,2018-09-{3 + number // 40:02d} {7 + number % 40 // 4:02d}:{15 * (number % 4):02d}:{number % 60:02d},{'in' if number % 3 else 'out'},"
    f"{'freight' if number % 2 else 'car'},{'AEO' if number % 5 else ''},{40 + number % 30}\n"
    for number in range(400)
)


def _corpus() -> dict[str, list[str]]:
    """Return the texts of files by what they are."""
    found: dict[str, list[str]] = {"scenario": [], "experiment": [], "other": []}
    folders = ("scenarios", "experiments", "tests/cases", "zonesim/library/measures", "zonesim/library/flows")
    for path in sorted(path for folder in folders for path in (ROOT / folder).glob("*.yaml")):
        text = path.read_text(encoding="utf-8")
        kind = re.search(r"^kind: (\w+)", text, re.MULTILINE)
        found.get(kind[1] if kind else "other", found["other"]).append(text)
    found["scenario"] = sorted(found["scenario"], key=len)
    return found


CORPUS = _corpus()


@dataclass
class Case:
    """Words of a command line, and the files that it finds in its folder."""

    words: list[str]
    files: dict[str, bytes] = field(default_factory=dict)


def case_of(number: int) -> Case:
    """Return the case with a number."""
    luck = random.Random(number)
    if luck.random() < 0.04:
        return _rerun(luck)
    command = luck.choices(list(COMMANDS), weights=[30, 8, 4, 22, 6, 6, 12, 4, 3, 8, 1])[0]
    if command == "fit":
        text = LOG
        data = _bytes(text, luck) if luck.random() < 0.6 else _cells(text, luck).encode("utf-8", "replace")
        words = ["fit", "log.csv", "--time-in", "arrived"]
        return Case([*words, *_options("fit", luck)], {"log.csv": data})
    if command == "new":
        return Case(["new", luck.choice(["a", "..", "", "/", "x" * 300, "a b", "汉", "../up", "log.csv"])])
    files: dict[str, bytes] = {}
    if command in {"plan", "sweep"}:
        text = luck.choice(CORPUS["experiment"])
        text = re.sub(r"^scenario: .*$", "scenario: base.yaml", text, flags=re.MULTILINE)
        base = ROOT / "scenarios" / "typical_zone.yaml"
        if luck.random() < 0.7:
            files["base.yaml"] = (ROOT / "tests" / "cases" / "S11_clinic.yaml").read_bytes()
            text = EXPERIMENT
        else:
            files["base.yaml"] = base.read_bytes()
        if luck.random() < 0.2:
            files["base.yaml"] = _mutated(files["base.yaml"].decode(), luck)
    else:
        kind = "scenario" if luck.random() < 0.97 else "other"
        few = CORPUS[kind][: max(3, len(CORPUS[kind]) * luck.choice([1, 1, 2, 3]) // 3)]
        text = luck.choice(few)
        text = re.sub(r"^clock: .*$", SHORT, text, flags=re.MULTILINE) if luck.random() < 0.9 else text
    files["file.yaml"] = _mutated(text, luck) if luck.random() < 0.92 else text.encode()
    words = [command, "file.yaml", *_options(command, luck)]
    if command in {"run", "compare", "sweep", "trace"} and "--replications" not in words and command != "trace":
        words += ["--replications", "1"]
    if command in {"run", "compare", "sweep"} and "--workers" not in words:
        words += ["--workers", "1"]
    if command in {"run", "compare", "sweep"} and "--time-limit" not in words:
        words += ["--time-limit", "2" if command == "run" else "0.3"]  # what a replication may take; they have dozens
    return Case(words, files)


def _rerun(luck: random.Random) -> Case:
    """Return a case that draws kept results, or goes on with them, of which a file or two are damaged, lost or others."""
    files = dict(results())
    names = sorted(files)
    folder = next(Path(name).parent.as_posix() for name in names if name.endswith("study.json"))
    for name in luck.sample([f"{folder}/study.json", *names], luck.randint(1, 2)):
        kind = luck.random()
        if kind < 0.1:
            files.pop(name, None)
        elif kind < 0.2:
            files[name] = files[luck.choice(sorted(files))]
        elif name.endswith(".json") and kind < 0.8:
            files[name] = _document(files[name], luck)
        else:
            files[name] = _damaged(files[name], luck)
    if luck.random() < 0.7:
        return Case(["plot", folder, *_options("plot", luck)], files)
    return Case(["sweep", "file.yaml", "--workers", "1", "--time-limit", "0.3"], files)


@functools.cache
def results() -> dict[str, bytes]:
    """Return the files of an experiment that has run, with its own, by their paths."""
    with tempfile.TemporaryDirectory(prefix="tried-") as name:
        folder = Path(name)
        (folder / "file.yaml").write_text(EXPERIMENT, encoding="utf-8")
        (folder / "base.yaml").write_bytes((ROOT / "tests" / "cases" / "S11_clinic.yaml").read_bytes())
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        words = [sys.executable, "-m", "zonesim", "sweep", "file.yaml", "--workers", "1"]
        subprocess.run(words, cwd=folder, env=environment, check=True, capture_output=True)
        found = sorted(path for path in folder.rglob("*") if path.is_file())
        return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}


def _document(data: bytes, luck: random.Random) -> bytes:
    """Return a JSON document with some values of others or lost."""
    try:
        tree = json.loads(data)
    except ValueError:
        return data
    for _ in range(luck.choice([1, 1, 2, 4])):
        spots = list(_spots(tree))
        if not spots:
            break
        parent, key = luck.choice(spots)
        if luck.random() < 0.3:
            del parent[key]
        else:
            parent[key] = luck.choice([None, True, 0, -1, 10**400, 0.5, "", "x", "m11", "../x", [], {}, [1], {"x": 1}])
    return json.dumps(tree, ensure_ascii=False).encode()


EXPERIMENT = """\
zonesim: 1
kind: experiment
name: tried
scenario: base.yaml
set: {clock.measure: 2 h}
arms:
  today: []
  more: {set: {zones.CLINIC.receptionist.units: 2}}
  both: {measures: [m11], scale: {flows.reception.steps.register.take: 0.5}, label: {en: Both, zh: 都}}
futures:
  grid: {traffic.*.rate: {scale: [1.0, 1.5]}}
  zip: {clock.cool_down: [1 h, 2 h], clock.warm_up: [0 h, 1 h]}
replications: 1
seed: 3
kpis: []
"""


def _options(command: str, luck: random.Random) -> list[str]:
    words: list[str] = []
    for _ in range(luck.choices([0, 1, 2, 3], weights=[5, 3, 2, 1])[0] if COMMANDS[command] else 0):
        option = luck.choice(COMMANDS[command])
        value = luck.choice(OPTIONS[option])
        if value is not None and luck.random() < 0.1:
            value = value[: luck.randint(0, len(value))] + luck.choice(TOKENS) + value
        words += [option] if value is None else [option, re.sub(r"[\x00-\x1f]", "", value)]
    return words


def _mutated(text: str, luck: random.Random) -> bytes:
    kind = luck.random()
    if kind < 0.6:
        return _structure(text, luck).encode("utf-8", "replace")
    if kind < 0.8:
        return _words(text, luck).encode("utf-8", "replace")
    return _bytes(text, luck)


def _structure(text: str, luck: random.Random) -> str:
    """Return the document with some values, keys or branches changed; still YAML."""
    tree = yaml.safe_load(text)
    for _ in range(luck.choices([1, 2, 3, 8], weights=[6, 3, 2, 1])[0]):
        spots = list(_spots(tree))
        if not spots:
            break
        parent, key = luck.choice(spots)
        kind = luck.randrange(14)
        if kind > 9 and isinstance(parent[key], str | int | float):
            parent[key] = _other_number(parent[key], luck)
        elif kind < 4:
            parent[key] = copy.deepcopy(luck.choice(VALUES))
        elif kind < 6:
            other, name = luck.choice(spots)
            with contextlib.suppress(KeyError, IndexError):
                parent[key] = copy.deepcopy(other[name])
        elif kind == 6:
            del parent[key]
        elif kind == 7 and isinstance(parent, dict):
            other, name = luck.choice(spots)
            new = (
                name
                if isinstance(name, str)
                else luck.choice(["x", "all", "end", "a.b", "source", "label", "2018-10-01", "é"])
            )
            parent[new] = parent.pop(key)
        elif kind == 8 and isinstance(parent, dict):
            other, name = luck.choice(spots)
            with contextlib.suppress(KeyError, IndexError):
                parent[name if isinstance(name, str) else "x"] = copy.deepcopy(other[name])
        else:
            parent[key] = luck.choice(
                [[parent[key]], {"x": parent[key]}, {"uncertain": [parent[key]] * 3}, str(parent[key])]
            )
    return yaml.safe_dump(
        tree, allow_unicode=True, sort_keys=False, default_flow_style=luck.choice([None, True, False]), width=200
    )


def _other_number(value: object, luck: random.Random) -> object:
    """Return a quantity or a number of the same kind with another number in it; other text as it is."""
    if isinstance(value, str):
        number = luck.choice(["0", "1", "2", "0.001", "7.5", "30", "99", "100", "1000", "1e6", "1e9", "1e-9"])
        return re.sub(r"[0-9]+(\.[0-9]+)?", number, value, count=1)
    return luck.choice([0, 1, 2, 3, 10, 62, 63, 64, 100, 1000, 1_000_000, value, 0.5, 1e-9, 1e9])


TYPICAL = (ROOT / "scenarios" / "typical_zone.yaml").read_text(encoding="utf-8").rstrip("\n")
SCALAR = re.compile(r"(?<=: )[^,{}\[\]\n]+")
KEY = re.compile(r"[a-z_]+(?=: )")
MISFITS = ["5 %", "3 h", "-1", "nan", "null", "[]", "{}", "true", "F1", "$zone", "99 km", "1e400"]


def misjudged(seed: int) -> str:
    """Return the typical zone, still YAML, with one or two values or keys that are wrong or merely different."""
    luck = random.Random(seed)
    text = TYPICAL
    for _ in range(luck.randint(1, 2)):
        kind = luck.randrange(4)
        found = list((KEY if kind == 3 else SCALAR).finditer(text))
        one, other = luck.choice(found), luck.choice(found)
        new = (
            luck.choice(MISFITS),
            other[0],
            f"{luck.randint(0, 50)} {luck.choice(['min', '%', '/d', 'km'])}",
            one[0][:-1] or "x",
        )
        text = text[: one.start()] + new[kind] + text[one.end() :]
    return text


def _spots(node: object) -> list[tuple[object, object]]:
    """Return every (mapping or list, key or position) below a node."""
    found: list[tuple[object, object]] = []
    pending = [node]
    while pending:
        each = pending.pop()
        keys = list(each) if isinstance(each, dict) else range(len(each)) if isinstance(each, list) else ()
        for key in keys:
            found.append((each, key))
            pending.append(each[key])
    return found


def _words(text: str, luck: random.Random) -> str:
    """Return the text with some words replaced by others, some of them of the text."""
    parts = re.split(r"(\s+|[,:{}\[\]])", text)
    for _ in range(luck.randint(1, 4)):
        at = luck.randrange(len(parts))
        value = luck.choice(VALUES)
        parts[at] = luck.choice([luck.choice(parts), luck.choice(TOKENS), str(value), ""])
    return "".join(parts)


def _bytes(text: str, luck: random.Random) -> bytes:
    return _damaged(text.encode(), luck)


def _damaged(given: bytes, luck: random.Random) -> bytes:
    """Return bytes with some of them changed, lost, doubled or moved."""
    data = bytearray(given)
    for _ in range(luck.randint(1, 6)):
        at = luck.randrange(len(data) + 1) if data else 0
        length = luck.choice([1, 1, 2, 5, 30, 200])
        kind = luck.randrange(6)
        if kind == 0 and at < len(data):
            data[at] = luck.randrange(256)
        elif kind == 1:
            data[at:at] = luck.choice(TOKENS).encode("utf-8", "surrogatepass")
        elif kind == 2:
            del data[at : at + length]
        elif kind == 3:
            data[at:at] = data[at : at + length]
        elif kind == 4:
            chunk = data[at : at + length]
            del data[at : at + length]
            other = luck.randrange(len(data) + 1)
            data[other:other] = chunk
        elif luck.random() < 0.2:
            del data[at:]
    return bytes(data)


def _cells(text: str, luck: random.Random) -> str:
    """Return a CSV text with some cells, rows or separators changed."""
    rows = [line.split(",") for line in text.splitlines()]
    for _ in range(luck.randint(1, 12)):
        row = luck.choice(rows if luck.random() < 0.7 else rows[:2])
        if row:
            row[luck.randrange(len(row))] = luck.choice(
                [
                    "",
                    "x",
                    "0",
                    "-1",
                    "1e400",
                    "2018-02-30 00:00",
                    "9999-12-31 23:59:59",
                    "0001-01-01 00:00",
                    "08:15",
                    "2018/9/3 8:05",
                    "3.9.2018 8:05",
                    "2018-09-03T08:15:20Z",
                    "2018-09-03T08:15:20+08:00",
                    '"',
                    '"a"',
                    "=1+1",
                    "汉字",
                    "\x07",
                    "nan",
                    "43346.5",
                    "1536000000",
                    "20180903081520",
                ]
            )
    if luck.random() < 0.2:
        rows = rows[: luck.choice([0, 1, 2, 10, 40])]
    return "\n".join(luck.choice([",", ",", ",", ";", "\t"]).join(row) for row in rows)


# --- trying one


@dataclass(frozen=True)
class Outcome:
    """How a case ended: exit code (below 0: by that signal), processor seconds, most memory in bytes, what was said."""

    code: int
    seconds: float
    memory: int
    out: str
    err: str
    runs: bool = False
    """Whether it simulates without a limit of time."""

    def wrong(self) -> str:
        """Return what is wrong with it, "" when nothing is."""
        if self.code == -signal.SIGXCPU and self.runs:
            return ""  # nobody has said how long it may run
        if self.code not in {0, 1, 2, 3}:
            return f"exit code {self.code}"
        if re.search(r"Traceback|This is a defect|unexpected [A-Z]", self.out + self.err):
            return "a defect"
        if self.code and not self.err.strip():
            return "nothing is said"
        return "" if self.code != 2 else ill_told(self.err)


_PLACE = re.compile(r"(?:\S|\S.*?\S):(?:\d+:\d+:)? \S|.* \(--[a-z]|.*\bin column\b|--|arm '")


def ill_told(err: str) -> str:
    """Return the first message that lacks a place or a remedy, "" when none does."""
    if err.startswith(("Usage:", "Error:")):
        return ""
    messages: list[list[str]] = []
    for line in err.splitlines():
        if line.startswith((" ", "\t")) and messages:
            messages[-1].append(line)
        elif line.strip() and not line.startswith(("compiling ", "warning", "R1, ")):
            messages.append([line])
    for head, *more in messages:
        told = [line for line in more if not re.match(r" *\d* *\|", line)]
        if not _PLACE.match(head):
            return f"no place: {head}"
        if not told:
            return f"no remedy: {head}"
    return ""


def load() -> None:
    """Import what commands need, read the library and load the engine, so that each case begins where the work does."""
    from tests.helper import plan_of
    from zonesim.experiment import Execution, run_arms

    plan = plan_of(
        "clock: {measure: 1 h}\nflows: {f: {steps: {s: {take: 1 min}}}}\ntraffic: {t: {flow: f, rate: 9 /h}}"
    )
    run_arms({"R1": plan}, seed=1, replications=1, how=Execution(1))  # compiles the engine, or loads it


def tried(case: Case) -> Outcome:
    """Run a case in a process and a folder of its own; return how it ended."""
    folder = Path(tempfile.mkdtemp(prefix="tried-"))
    try:
        for name, data in case.files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(data)
        sys.stdout.flush()
        sys.stderr.flush()
        child = os.fork()
        if not child:
            _run(case, folder)
        _, status, used = os.wait4(child, 0)
        code = os.waitstatus_to_exitcode(status)
        out, err = ((folder / name).read_text(encoding="utf-8", errors="replace") for name in (".out", ".err"))
        runs = case.words[0] == "trace"
        return Outcome(code, used.ru_utime + used.ru_stime, used.ru_maxrss * 1024, out, err, runs)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _run(case: Case, folder: Path) -> None:
    """Become the command line of a case; does not return."""
    code = 99
    try:
        os.chdir(folder)
        for name, stream in ((".out", 1), (".err", 2)):
            file = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
            os.dup2(file, stream)
        sys.stdout = open(1, "w", encoding="utf-8", errors="replace", closefd=False)  # noqa: SIM115
        sys.stderr = open(2, "w", encoding="utf-8", errors="replace", closefd=False)  # noqa: SIM115
        signal.signal(signal.SIGXCPU, signal.SIG_DFL)
        resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS + 1))
        mapped = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0]) * os.sysconf("SC_PAGE_SIZE")
        resource.setrlimit(resource.RLIMIT_AS, (mapped + MEMORY, mapped + MEMORY))
        from zonesim import cli

        sys.argv = ["zonesim", *case.words]
        try:
            cli.main()
            code = 0
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else int(end.code is not None)
        sys.stdout.flush()
        sys.stderr.flush()
    except BaseException:  # noqa: BLE001  whatever it is, the parent is to see it
        import traceback

        traceback.print_exc()
        sys.stderr.flush()
    finally:
        os._exit(code)


def main(words: list[str]) -> None:
    """Try cases: one number shows the case, two a range, of which what is wrong is told."""
    load()
    first, last = int(words[0]), int(words[-1])
    if len(words) == 1:
        case = case_of(first)
        files = "".join(f"--- {name}\n{data.decode('utf-8', 'replace')}" for name, data in case.files.items())
        sys.stdout.write(f"{case.words}\n{files}\n{tried(case)}\n")
        return
    codes: dict[int, int] = {}
    for number in range(first, last):
        case = case_of(number)
        outcome = tried(case)
        codes[outcome.code] = codes.get(outcome.code, 0) + 1
        wrong = outcome.wrong() or ("slow" if outcome.seconds > SECONDS / 2 else "")
        if wrong:
            used = f"{outcome.seconds:.1f} s {outcome.memory >> 20} MB"
            sys.stdout.write(f"{number}: {wrong} | {' '.join(case.words)} | {used} | {outcome.err.splitlines()[-2:]}\n")
            sys.stdout.flush()
    sys.stdout.write(f"{last - first} cases: {codes}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
