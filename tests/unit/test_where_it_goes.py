"""
The table "Where does it go" of the README is true: what follows it, in a copy of the project, works.

One copy gets a step, a KPI, a measure, a figure and an operation, each written where the table says and nowhere else.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.helper import ROOT
from zonesim.plan import Op

TABLE = re.findall(
    r"^\| (an? [^|]*?) \|([^|]*)\|([^|]*)\|$", (ROOT / "README.md").read_text(encoding="utf-8"), re.MULTILINE
)

STEP = """\
  wash:
    label: {en: Wash the wheels, zh: 冲洗车轮}
    take: 5 min
    source: assumed
"""

MEASURE = """\
zonesim: 1
kind: measure
name: m99
annex: 99
label: {en: Wheels are washed faster, zh: 更快冲洗}
basis: [{text: made up, date: "2019-06-07", body: nobody}]
params:
  coverage: {default: 100 %, source: assumed}
practices:
  wash:
    label: {en: A faster washer, zh: 快速冲洗机}
    adoption: {share: $coverage, of: volume}
    edits:
      - {set: library.visit.wash.take, to: 2 min, source: assumed}
expects: {visit.wash.service.mean: {sign: down, edited: true}}
"""

KPI = """\
  in_lane:
    time: {from: gate_arrived, to: lane_left}
    unit: min
    better: lower
    label: {en: From the gate to the end of the lane, zh: 卡口至驶离通道}
    definition: {en: from gate_arrived to lane_left, zh: 自到达卡口至驶离通道}
    statistics:
      mean: {}
"""

FIGURE = '''\
"""How many KPIs there are, as a slide."""

from matplotlib.figure import Figure

from zonesim.briefing.figures.context import FigureContext


def count_figure(context: FigureContext) -> Figure:
    """Draw how many KPIs there are."""
    say = context.say
    figure = context.slide(say("count.title", n=len(context.kpis)), [])
    figure.add_axes((0.2, 0.2, 0.6, 0.5)).bar([0], [len(context.kpis)])
    return figure
'''

WORDS = """\
  count.title: {en: "{n} KPIs", zh: "{n}项指标"}
"""

OPERATION = """\
        Operation(
            Op.MARK_ODD,
            "Note the time of a milestone of every second token.",
            (Form((Operand("mark", "row of the marks, by name"),), Facts(marks=True)),),
        ),
"""

ZONE = """\
zonesim: 1
kind: scenario
name: washed
synthetic: true
clock: {start: "2018-09-03", warm_up: 1 h, measure: 8 h, cool_down: 16 h}
zones:
  TYP:
    lanes_in: {units: 2, role: lane}
    lanes_out: {units: 2, role: lane}
    gate_officers: {units: 2, role: officer}
    exception_desk: {units: 1, role: officer}
    docks: {units: 40, role: dock}
    yard: {units: 20, role: yard}
truth: {papers_wrong: {all: 5 %, source: assumed}}
traffic:
  vehicles: {flow: visit, with: {zone: TYP, yard: none, vehicle: freight}, rate: 20 /h, source: assumed}
"""

MARKED = """\
zonesim: 1
kind: scenario
name: marked
clock: {measure: 1 h}
flows: {f: {steps: {go: {take: 1 min, mark: seen}}}}
traffic: {t: {flow: f, at: [0 min, 1 min, 2 min, 3 min, 4 min]}}
"""

BOTH_ENGINES = """
from dataclasses import replace
from pathlib import Path
import json
import zonesim
from zonesim.api.records import records
from zonesim.plan import Op

scenario = zonesim.load("marked.yaml")
plan = scenario.plan
program = plan.program.copy()
mark = next(row for row in range(len(program)) if program["op"][row] == Op.MARK and plan.names.marks[program["a"][row]].name == "seen")
program["op"][mark] = Op.MARK_ODD
changed = replace(plan, program=program)
found = {}
for engine in ("simpy", "compiled"):
    rows = records(changed, 1, 0, engine)
    found[engine] = [[int(row["ordinal"]), int(row["time"])] for row in rows.marks if rows.mark_names[row["mark"]] == "seen"]
print(json.dumps(found))
"""


def insert(path: Path, before: str, text: str) -> None:
    """Write a text into a file before the first line that begins like `before`."""
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    place = next(number for number, line in enumerate(lines) if line.startswith(before))
    path.write_text("".join([*lines[:place], text, *lines[place:]]), encoding="utf-8")


def run(house: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run Python in the copy."""
    return subprocess.run(
        [sys.executable, *words],
        cwd=house,
        env={**os.environ, "PYTHONPATH": str(house)},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    """Return a copy of the project with a step, a KPI, a measure, a figure and an operation more."""
    root = tmp_path_factory.mktemp("house")
    shutil.copytree(ROOT / "zonesim", root / "zonesim", ignore=shutil.ignore_patterns("__pycache__"))
    package = root / "zonesim"
    (root / "pyproject.toml").touch()
    insert(package / "library" / "flows" / "visit.yaml", "  gate_out:", STEP)
    (package / "library" / "measures" / "m99.yaml").write_text(MEASURE, encoding="utf-8")
    insert(package / "library" / "kpis" / "flow.yaml", "  clearance:", KPI)
    (package / "briefing" / "figures" / "count.py").write_text(FIGURE, encoding="utf-8")
    insert(package / "briefing" / "figures" / "__init__.py", '    "dwell":', '    "count": "count:count_figure",\n')
    insert(package / "briefing" / "glossary.yaml", "  # dwell", WORDS)
    insert(package / "plan" / "operations.py", "    KEEP = 14", f"    MARK_ODD = {len(Op)}\n")
    operations = package / "plan" / "operations.py"
    text = operations.read_text(encoding="utf-8")
    operations.write_text(
        text.replace(
            "        Operation(\n            Op.SPLIT,", f"{OPERATION}        Operation(\n            Op.SPLIT,"
        ),
        encoding="utf-8",
    )
    engine = package / "engine"
    insert(engine / "reference" / "engine.py", "            Op.SPLIT:", "            Op.MARK_ODD: self._mark_odd,\n")
    insert(
        engine / "reference" / "engine.py",
        "    def _split(",
        "    def _mark_odd(self, token: Token, each: Instruction) -> bool:\n"
        "        return not token.number >> 6 & 1 or self._mark(token, each)\n\n",
    )
    insert(engine / "kernel" / "loop.py", "_KEEP: Final", "_MARK_ODD: Final = int(Op.MARK_ODD)\n")
    insert(
        engine / "kernel" / "loop.py",
        "        elif op == _KEEP:",
        "        elif op == _MARK_ODD:\n"
        "            if token.number >> 6 & 1:\n"
        "                write_mark(s, output, row.mark_odd_mark, token.number)\n"
        "            pc += 1\n",
    )
    (root / "washed.yaml").write_text(ZONE, encoding="utf-8")
    (root / "marked.yaml").write_text(MARKED, encoding="utf-8")
    return root


def test_the_table_names_what_is_there():
    """
    Every file and folder of the table exists, and it says where a step, a KPI, a measure, a figure and an operation go.
    """
    what = " ".join(row[0] for row in TABLE)

    assert all(word in what for word in ("step", "KPI", "measure", "figure", "operation"))
    for _, write, beside in TABLE:
        for path in re.findall(r"`(zonesim/[^`]*|experiments/)`", f"{write} {beside}"):
            assert (ROOT / path).exists(), path


@pytest.mark.slow
def test_a_step_a_measure_and_a_kpi_are_data(house):
    """
    A step of a library flow, a measure that edits it and a KPI of flows need YAML only: the step takes its time, the
    measure its effect, and the KPI has a value in both arms.
    """
    words = ("-m", "zonesim", "compare", "washed.yaml", "--measures", "99", "--replications", "2", "--json")
    done = run(house, *words)
    assert done.returncode == 0, done.stderr
    arms = json.loads(done.stdout)["arms"]

    assert arms["R1"]["visit.wash.service.mean"]["value"] == pytest.approx(5)
    assert arms["99"]["visit.wash.service.mean"]["value"] == pytest.approx(2)
    assert all(arm["visit.in_lane.mean"]["value"] > 0 for arm in arms.values())


@pytest.mark.slow
def test_a_figure_is_a_module_and_its_name(house):
    """
    A figure is drawn with the others once its name stands in the table of figures, with its words from the glossary.
    """
    assert run(house, "-m", "zonesim", "compare", "washed.yaml", "--replications", "2").returncode == 0

    assert list((house / "results").rglob("count.png"))


@pytest.mark.slow
def test_an_operation_is_a_row_and_a_few_lines_in_each_engine(house):
    """
    An operation that is declared in the table and interpreted by both engines does the same in both: of five tokens
    the second and the fourth are noted.
    """
    done = run(house, "-c", BOTH_ENGINES)
    assert done.returncode == 0, done.stderr

    expected = [[1, 2 * 60_000], [3, 4 * 60_000]]
    assert json.loads(done.stdout) == {"simpy": expected, "compiled": expected}
