"""Parts of an experiment that are run elsewhere, put together, and asked with SQL."""

from __future__ import annotations

import csv
import io
import json

import pytest
from typer.testing import CliRunner

from zonesim import cli
from zonesim.experiment import Shard
from zonesim.faults import ScenarioFault

SCENARIO = """\
zonesim: 1
kind: scenario
name: desk
clock: {measure: 1 d, cool_down: 2 h}
zones: {Z: {desk: {units: 1}}}
flows: {f: {steps: {serve: {hold: {d: Z.desk}, take: {exponential: {mean: 6 min}}}}}}
traffic: {a: {flow: f, rate: 6 /h}}
"""

EXPERIMENT = """\
zonesim: 1
kind: experiment
name: desks
scenario: desk.yaml
arms: {one: [], two: {set: {zones.Z.desk.units: 2}, label: {en: =two, zh: 两个}}}
futures: {grid: {traffic.a.rate: {scale: [1, 1.2]}}}
replications: 5
kpis: [f.dwell.mean, Z.desk.utilisation]
"""


def asked(*options: object):
    """Return what the command says."""
    return CliRunner().invoke(cli.app, [str(each) for each in options])


@pytest.fixture(scope="module")
def desks(tmp_path_factory):
    """Return a folder with an experiment, run as a whole into `whole`, and in three parts into `part1` to `part3`."""
    folder = tmp_path_factory.mktemp("desks")
    (folder / "desk.yaml").write_text(SCENARIO, encoding="utf-8")
    (folder / "desks.yaml").write_text(EXPERIMENT, encoding="utf-8")
    done = asked("sweep", folder / "desks.yaml", "--workers", 1, "--out", folder / "whole")
    assert done.exit_code == 0, done.output
    for number in (1, 2, 3):
        out = ("--workers", 1, "--shard", f"{number}/3", "--out", folder / f"part{number}")
        done = asked("sweep", folder / "desks.yaml", *out)
        assert done.exit_code == 0, done.output
        assert f"part {number}/3: " in done.output
        assert not list((folder / f"part{number}").rglob("results.csv"))
    return folder


def table(folder) -> str:
    """Return the table of the one experiment in a folder."""
    (path,) = folder.rglob("results.csv")
    return path.read_text(encoding="utf-8-sig")


def test_parts_are_as_large_as_each_other_and_together_everything():
    """
    Every run is in one part, and parts differ by at most one run.
    """
    parts = [Shard(number, 7) for number in range(1, 8)]
    dealt = [[part.has(place) for part in parts].index(True) for place in range(100)]

    assert all(sum(part.has(place) for part in parts) == 1 for place in range(100))
    assert {dealt.count(part) for part in range(7)} == {14, 15}
    assert Shard.written(" 2 / 7") == parts[1]
    assert str(parts[1]) == "2/7"


def test_parts_put_together_are_the_whole(desks):
    """
    After `gather` the experiment runs nothing, and its table is that of the undisturbed run, to the byte.
    """
    parts = [desks / f"part{number}" for number in (1, 2, 3)]
    done = asked("gather", *parts, "--out", desks / "joined", "--json")
    assert done.exit_code == 0, done.output
    before = sorted(path.name for path in (desks / "joined" / ".cells").iterdir())
    again = asked("sweep", desks / "desks.yaml", "--workers", 1, "--out", desks / "joined")

    assert [row["new"] for row in json.loads(done.output)["folders"]] == [
        len(list((part / ".cells").glob("*.parquet"))) for part in parts
    ]
    assert again.exit_code == 0, again.output
    assert sorted(path.name for path in (desks / "joined" / ".cells").iterdir()) == before
    assert table(desks / "joined") == table(desks / "whole")


def test_what_is_gathered_twice_is_there_once(desks):
    """
    Gathering the same folder again brings nothing new; a damaged file is told and left out, and the others come.
    """
    first = asked("gather", desks / "part1", "--out", desks / "twice", "--json")
    second = asked("gather", desks / "part1", "--out", desks / "twice", "--json")
    broken = desks / "broken" / ".cells"
    broken.mkdir(parents=True)
    files = sorted((desks / "part2" / ".cells").glob("*.parquet"))
    for path in files:
        (broken / path.name).write_bytes(path.read_bytes()[: -200 if path == files[0] else None])
    third = asked("gather", desks / "broken", "--out", desks / "twice")

    assert json.loads(first.output)["folders"][0]["new"] > 0
    assert json.loads(second.output)["folders"][0]["new"] == 0
    assert third.exit_code == 1
    assert f"{files[0].name}: cannot be read" in third.output
    assert f"{len(files) - 1} new files" in third.output


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("4/3", "there is no part 4 of 3"),
        ("0/3", "there is no part 0 of 3"),
        ("a/3", "'a/3' is no part of the runs"),
        ("2", "'2' is no part of the runs"),
    ],
)
def test_parts_that_are_none(written, message):
    """
    A part has a number from 1 to as many as there are.
    """
    with pytest.raises(ScenarioFault, match=message):
        Shard.written(written)


def test_folders_without_cells_are_named(desks):
    """
    Nothing is copied when one of the folders has no cells.
    """
    done = asked("gather", desks / "part1", desks / "nowhere", "--out", desks / "empty")

    assert done.exit_code != 0
    assert "nowhere: has no finished cells" in str(done.exception) + done.output
    assert not (desks / "empty").exists()


def ask(desks, sql: str, *options: str):
    """Return what a query of the whole experiment says."""
    (path,) = (desks / "whole").rglob("study.json")
    return asked("query", path.parent, sql, *options)


def test_numbers_can_be_asked_with_sql(desks):
    """
    The mean of the replications of a KPI is the value in the results, and both are those of results.csv.
    """
    sql = """
        SELECT arm, future, kpi, any_value(results.value) AS told, avg(replications.value) AS mean, count(*) AS runs
        FROM results JOIN replications USING (arm, future, kpi) GROUP BY ALL ORDER BY ALL
    """
    done = ask(desks, sql, "--json")
    rows = json.loads(done.output)["rows"]
    written = {
        (row["arm"], row["future"], row["kpi"]): float(row["value"])
        for row in csv.DictReader(io.StringIO(table(desks / "whole")))
    }

    assert done.exit_code == 0, done.output
    assert len(rows) == 8
    for row in rows:
        assert row["runs"] == 5
        assert row["told"] == pytest.approx(row["mean"], rel=1e-12)
        assert row["told"] == pytest.approx(written[row["arm"], row["future"], row["kpi"]], rel=1e-12)


def test_a_query_prints_a_table_or_csv_that_nobody_executes(desks):
    """
    Text that begins like a formula stands behind ' in the CSV; the table shows it as it is.
    """
    sql = "SELECT arm, label_en, label_zh FROM arms ORDER BY arm"

    assert ask(desks, sql, "--csv").output == "arm,label_en,label_zh\none,,\ntwo,'=two,两个\n"
    assert ask(desks, "SELECT 0.5 AS half, NULL AS none", "--csv").output == "half,none\n0.5,\n"
    assert "=two" in ask(desks, sql).output
    assert "more rows" not in ask(desks, sql).output
    assert "100 more rows: --csv or --json" in ask(desks, "SELECT * FROM range(300)").output


@pytest.mark.parametrize(
    "sql", ["SELECT * FROM nothing", "SELECT * FROM read_csv('/etc/passwd')", "COPY results TO 'x.csv'", "SELECT"]
)
def test_a_query_reads_nothing_but_its_tables(desks, sql, tmp_path, monkeypatch):
    """
    What is wrong, and what would read or write a file, is refused with the tables that there are.
    """
    monkeypatch.chdir(tmp_path)
    done = ask(desks, sql)

    assert done.exit_code != 0
    assert "Tables: results(arm, future, kpi" in str(done.exception) + done.output
    assert list(tmp_path.iterdir()) == []
