"""The bench: what counts as agreement, and that its page is one that it writes."""

from __future__ import annotations

import math
import re
import shlex
import subprocess
import sys

import pytest

from bench import page, targets
from bench.__main__ import main, parser
from bench.answers import REFERENCE, REFERENCE_HORIZON, Answers, Notes, agreement, single_agreement
from bench.bench import Bench
from bench.peers import c_program, zonesim_engines
from bench.programs import DROPPED, PEERS, by_name
from bench.province import listed, province
from bench.report import Table, number, parsed
from bench.sections.agreeing import TITLE
from tests.helper import ENGINES, ROOT, plan_of
from zonesim.scenario import read_text

MEANS = {name: value for name, (value, _) in REFERENCE.items()}
PAGE = (ROOT / "docs" / "performance.md").read_text(encoding="utf-8")


def test_the_reference_agrees_with_itself():
    """
    Runs that answer what the reference says agree, whatever their length.
    """
    short = {**MEANS, "completed": MEANS["completed"] - 98_000}

    assert agreement([Answers(MEANS)], REFERENCE_HORIZON).holds
    assert agreement([Answers(short)] * 3, 2_000).holds


@pytest.mark.parametrize("name", REFERENCE)
def test_each_answer_has_to_agree(name):
    """
    One answer that is five standard errors off, and one that is missing, are disagreements, and the worst there is.
    """
    value, deviation = REFERENCE[name]
    off = agreement([Answers({**MEANS, name: value - 5.1 * deviation})], REFERENCE_HORIZON)
    missing = agreement([Answers({key: MEANS[key] for key in MEANS if key != name})], REFERENCE_HORIZON)

    assert not off.holds
    assert off.worst[0] == name
    assert not missing.holds
    assert missing.worst[0] == name


def test_a_line_without_priorities_is_found_out():
    """
    Twenty runs in which all classes wait equally at the inspection disagree, though the mean wait is right.
    """
    equal = {f"wait.inspection.{klass}": MEANS["wait.inspection"] for klass in "ABC"}
    found = agreement([Answers({**MEANS, **equal})] * 20, REFERENCE_HORIZON)

    assert not found.holds
    assert found.rows["wait.inspection"][2] == 0


def test_a_single_line_is_held_to_theory():
    """
    M/M/1 with a load of 0.8 waits 3.2 minutes in the mean; runs of zonesim agree, those of a faster officer do not.
    """
    runs = [zonesim_engines.run_single(20_000, seed) for seed in range(1, 11)]
    found = single_agreement(runs, 20_000)
    faster = [Answers({**run.values, "wait": 0.5 * run.values["wait"]}) for run in runs]

    assert found.holds
    assert found.rows["wait"][1] == pytest.approx(3.2)
    assert single_agreement(faster, 20_000).worst[0] == "wait"
    assert not single_agreement(faster, 20_000).holds


def test_notes_become_answers():
    """
    Stays, waits and use of two consignments, worked out by hand.
    """
    notes = Notes()
    notes.stays["A"].append(10.0)
    notes.stays["C"].append(30.0)
    notes.waits["inspection"]["A"].append(6.0)
    notes.waits["inspection"]["C"].append(2.0)
    notes.busy["inspection"] = 80.0
    values = notes.answers(100.0).values

    assert (values["completed"], values["stay.mean"], values["stay.p95"]) == (2, 20, 29)
    assert (values["stay.A"], values["stay.C"], values["wait.inspection"]) == (10, 30, 4)
    assert values["use.inspection"] == pytest.approx(80 / 8 / 100)
    assert math.isnan(values["stay.B"])


@pytest.mark.skipif(not c_program.is_here(), reason="no C compiler here")
def test_the_c_program_agrees():
    """
    Ten runs of the C program agree with the reference; its records are one row a visit, a leaving and two marks.
    """
    plain = c_program.replications(REFERENCE_HORIZON, 1, 10)
    (logged,) = c_program.replications(2_000, 1, 1, log=True)

    assert agreement(plain, REFERENCE_HORIZON).holds
    assert logged.values["rows"] > 7 * logged.values["completed"]
    assert logged.events == c_program.run(2_000, 1).events


def test_the_page_is_one_that_the_bench_writes():
    """
    docs/performance.md names a command that exists, and holds all targets, each met or not or not measured.
    """
    (command,) = re.findall(r"^\$ python -m bench(.*)$", PAGE, re.MULTILINE)
    rows = parsed(PAGE, targets.TITLE)

    assert parser().parse_args(shlex.split(command)).write
    assert [row[:2] for row in rows] == [[target.measure, target.told] for target in targets.TARGETS]
    assert {row[3] for row in rows} <= {"yes", "no", "-"}
    assert all((row[2] == "not measured") == (row[3] == "-") for row in rows)
    assert {row[-1] for row in parsed(PAGE, TITLE)[1:]} == {"yes"}


def test_a_page_can_be_read_back():
    """
    What a bench found stands in its page, a target beside its bound; a page without a table says which.
    """
    bench = Bench(quick=True, engines=["simpy"], facts={"c": 0.8, "help": 0.9})
    tables = [Table("Speed", "A sentence.", ("program", "s"), [["x", "1"], ["y", "2"]])]
    text = page.text(bench, tables, command="python -m bench", date="2026-11-25", machine_line="a machine")
    told = {row[0]: row[2:] for row in parsed(text, targets.TITLE)}

    assert parsed(text, "Speed") == [["x", "1"], ["y", "2"]]
    assert told["speed, records folded, against C by hand without records"] == ["0.8 ×", "yes"]
    assert told["`zonesim --help`"] == ["0.9 s", "no"]
    assert told["speed, records folded, against Ciw"] == ["not measured", "-"]
    with pytest.raises(ValueError, match="the page has no table 'Memory'"):
        parsed(text, "Memory")


@pytest.mark.parametrize(
    ("value", "told"),
    [(None, "-"), (math.nan, "-"), (0, "0"), (0.03219, "0.0322"), (1.234, "1.23"), (12_345.6, "12,346")],
)
def test_numbers_are_short(value, told):
    """
    Three digits that say something.
    """
    assert number(value) == told


def test_programs_can_be_chosen():
    """
    A name chooses one program, and no other that begins like it; that of an engine all that becomes of its records.
    """
    bench = Bench(quick=True, engines=["simpy"], only=["simpy", "zonesim-simpy"])

    assert [program.name for program in bench.peers] == ["simpy"]
    assert [program.name for program in bench.ours(DROPPED)] == ["zonesim-simpy-dropped"]
    assert by_name("zonesim-simpy-dropped") == bench.ours(DROPPED)[0]


@pytest.mark.parametrize("words", [["--only", "agreement,arena"], ["--write", "--only", "c"]])
def test_what_cannot_be_measured_is_refused(words, capsys):
    """
    An unknown program is named, and a part of a bench is no page.
    """
    with pytest.raises(SystemExit) as ended:
        main(words)

    assert ended.value.code == 2
    assert ("no section or program: arena" in (said := capsys.readouterr().err)) or "needs the whole bench" in said


@pytest.mark.slow
def test_all_programs_agree():
    """
    The quick bench compares the answers of every program here with the reference, and those to the single line with theory,
    and ends well.
    """
    done = subprocess.run(
        [sys.executable, "-m", "bench", "--quick", "--only", "agreement,single"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    for program in PEERS:
        assert (program.label in done.stdout) or not program.is_here
    assert all(f"zonesim, {engine}" in done.stdout for engine in ENGINES)
    assert " NO\n" not in done.stdout


@pytest.mark.slow
def test_every_zone_has_every_flow():
    """
    The province of the bench is a scenario that compiles, with all zones of the library's list, in each of which every flow
    that goods or vehicles take begins.
    """
    document = read_text(province(), "province.yaml").tree
    walked = {}
    for entry in document["traffic"].values():
        walked.setdefault(entry["with"].get("zone", entry["with"].get("sender")), set()).add(entry["flow"])

    assert list(document["zones"]) == list(listed()) == list(walked)
    assert {len(flows) for flows in walked.values()} == {11}
    assert sorted(plan_of(province()).names.sources) == sorted(document["traffic"])
