"""Tables of replications and of tokens, for other programs."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path

import duckdb
import pytest
from typer.testing import CliRunner

from tests.helper import ENGINES, ROOT, RowLog, plan_of
from zonesim.briefing.tables import tokens
from zonesim.cli import app
from zonesim.engine import simulate
from zonesim.faults import DiskFull, ScenarioFault

MODEL = """\
clock: {start: "2018-09-03", warm_up: 1 h, measure: 3 h}
attributes: {goods: {food: 50 %, cloth: 50 %}, entry: {x: 100 %}}
zones: {Z: {desk: {units: 2}, men: {units: 3, preempt: true}, yard: {units: 9}}}
flows:
  f:
    steps:
      both: {hold: {d: Z.desk, y: {resource: Z.yard, units: 2}}, take: {by: goods, food: 3 min, cloth: 5 min}, keep: {y: until work}}
      parts: {split: {into: part, count: 2}}
      pack: {take: 1 min, mark: packed}
      together: {join: parts}
      work: {share: 50 %, take: 8 min}
      alone: {hold: {m: Z.men}, take: 10 min}
traffic: {=cmd: {flow: f, rate: 12 /h, class: A}, b: {flow: f, rate: 6 /h}}
"""


def _table(tmp_path: Path, name: str, engine: str = "compiled") -> list[dict[str, str]]:
    path = tmp_path / name
    tokens.write_tokens(path, plan_of(MODEL), "2018-09-03", 1, [0, 2], engine)
    if path.suffix == ".csv":
        with path.open(encoding="utf-8-sig", newline="") as file:
            return list(csv.DictReader(file))
    found = duckdb.read_parquet(str(path))
    return [dict(zip(found.columns, row, strict=True)) for row in found.fetchall()]


def test_all_rows_of_a_run_with_their_names(tmp_path):
    """
    Each visit and each mark of the records is a row, token by token, with the class and the attributes of its consignment.
    """
    rows = _table(tmp_path, "t.parquet")
    logs = [RowLog() for _ in range(2)]
    for log, replication in zip(logs, (0, 2), strict=True):
        simulate(plan_of(MODEL), 1, replication, log, "compiled")

    assert len(rows) == sum(len(log.visits) + len(log.marks) for log in logs)
    assert [len([row for row in rows if row["replication"] == number]) for number in (0, 2)] == [
        len(log.visits) + len(log.marks) for log in logs
    ]
    keys = [(row["replication"], row["token"]) for row in rows]
    assert len(set(keys)) == len([one for one, other in zip(keys, [None, *keys], strict=False) if one != other])
    first = [row for row in rows if (row["replication"], row["token"]) == (0, "b#0")]
    assert next(row["name"] for row in first if row["what"] == "visit") == "both"
    assert {row["goods"] for row in first} in ({"food"}, {"cloth"})
    assert {row["attribute_entry"] for row in rows} == {"x"}
    assert {row["what"] for row in rows} == {"visit", "stay", "kept", "mark"}
    assert {row["resources"] for row in rows if row["name"] == "both"} == {"Z.desk, Z.yard (2)"}
    assert {row["class"] for row in rows if row["entry"] == "b"} == {None}
    packed = [row for row in rows if row["name"] == "packed"]
    assert packed
    assert all("/" in row["token"] and row["queued"] is None and row["ended"] is not None for row in packed)
    stays = [row for row in rows if row["what"] == "stay" and "/" not in row["token"]]
    assert {row["measured"] for row in stays} == {True, False}
    assert all(row["measured"] == (row["queued_ms"] >= 3_600_000) for row in stays)
    assert all(row["queued"].isoformat().startswith("2018-09-03T0") for row in stays)
    serve = next(row for row in rows if row["name"] == "both" and row["ended_ms"] is not None)
    assert serve["ended_ms"] - serve["started_ms"] == {"food": 180_000, "cloth": 300_000}[serve["goods"]]


@pytest.mark.parametrize("ending", ["parquet", "csv"])
def test_engines_write_the_same_table(tmp_path, ending):
    """
    All engines write the same bytes, and a CSV says what a Parquet file does.
    """
    files = []
    for engine in sorted({"simpy", "compiled"} & set(ENGINES)):
        rows = _table(tmp_path, f"{engine}.{ending}", engine)
        files.append((tmp_path / f"{engine}.{ending}").read_bytes())

    assert len(set(files)) == 1
    other = _table(tmp_path, "other.csv")
    told = [["" if value is None else value for value in row.values()] for row in rows]
    assert len(told) == len(other)
    for one, row in zip(told, other, strict=True):
        assert str(one[0]) == row["replication"]
        assert str(one[-4]) == row["ended_ms"]


def test_a_csv_is_safe_for_spreadsheets(tmp_path):
    """
    A name that begins like a formula stands behind a sign that says it is a text.
    """
    rows = _table(tmp_path, "t.csv")

    assert {row["entry"] for row in rows} == {"'=cmd", "b"}
    assert {row["measured"] for row in rows} == {"true", "false"}
    assert re.fullmatch(r"2018-09-03 0\d:\d\d:\d\d\.\d{3}", rows[0]["ended"])


def test_what_cannot_be_written(tmp_path, monkeypatch):
    """
    Another ending, a folder in the way and a full disk have words of their own, and nothing half written stays.
    """
    with pytest.raises(ScenarioFault) as found:
        tokens.check_file(tmp_path / "t.xlsx")
    assert str(found.value) == "--tokens: 't.xlsx' ends neither in .parquet nor in .csv\n    Write e.g. tokens.parquet."

    def full(*_: object) -> None:
        raise duckdb.IOException('IO Error: Could not write file "rows": No space left on device')

    monkeypatch.setattr(tokens, "_name", full)
    with pytest.raises(DiskFull):
        _table(tmp_path, "t.parquet")
    monkeypatch.undo()
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(ScenarioFault, match="there is a folder of this name"):
        _table(tmp_path, "folder.csv")

    assert [path.name for path in tmp_path.iterdir()] == ["folder.csv"]


PAGE = (ROOT / "docs/how-to/write-a-flow.md").read_text(encoding="utf-8")


def test_the_commands_of_the_page(tmp_path, monkeypatch):
    """
    The commands that the page shows for the first queue write what it says.
    """
    monkeypatch.chdir(tmp_path)
    (tmp_path / "zonesim.toml").touch()
    bank = re.findall(r"```yaml scenario\n(.*?)```", PAGE, re.DOTALL)[0]
    (tmp_path / "bank.yaml").write_text(bank, encoding="utf-8")
    lines = re.findall(r"^zonesim (run bank.yaml --(?:by|tokens).*?)\s*#", PAGE, re.MULTILINE)
    words = ["--replications", "2", "--workers", "1", "--set", "clock.measure=1 d", "--json"]
    told = [json.loads(CliRunner().invoke(app, [*line.split(), *words]).stdout) for line in lines]

    assert len(told) == 2
    rows = told[0]["by_replication"]
    assert {row["replication"] for row in rows} == {0, 1}
    with next(tmp_path.glob("results/*/replications.csv")).open(encoding="utf-8-sig", newline="") as file:
        written = list(csv.DictReader(file))
    waits = [row for row in rows if row["kpi"] == "bank.serve.wait.mean"]
    assert [float(row["value"]) for row in written if row["kpi"] == "bank.serve.wait.mean"] == [
        row["value"] for row in waits
    ]
    mean = told[0]["arms"]["R1"]["bank.serve.wait.mean"]["value"]
    assert mean == pytest.approx(sum(row["value"] for row in waits) / 2)
    assert duckdb.read_parquet("visits.parquet").filter("what = 'visit'").aggregate("count(*)").fetchall()[0][0] > 0
