"""What is written: whole or not at all, never over a good file, and nothing that a spreadsheet executes."""

from __future__ import annotations

import csv
import errno
import os
import subprocess
import sys
from pathlib import Path

import openpyxl
import pytest
from typer.testing import CliRunner

from tests.helper import ROOT, plan_of
from zonesim import cli
from zonesim.experiment import Execution, Store, run_arms
from zonesim.faults import DiskFull, ScenarioFault
from zonesim.writing import for_spreadsheets, make_folder, whole, write_table, write_text

SCENARIO = """zonesim: 1
kind: scenario
name: desk
label: {en: "=1+1", zh: "@A1"}
clock: {measure: 1 d}
zones: {Z: {desk: {units: 1}}}
flows: {f: {steps: {work: {hold: {d: Z.desk}, take: 5 min}}}}
traffic: {a: {flow: f, at: [1 h, 1 h]}}
"""
EXPERIMENT = """zonesim: 1
kind: experiment
name: risky
scenario: desk.yaml
arms: {base: [], "=cmd|'/c calc'!A1": {label: {en: "+1"}, set: {zones.Z.desk.units: 4}}, "-2+3": {set: {zones.Z.desk.units: 2}}}
replications: 2
kpis: [f.stay.mean]
"""


@pytest.fixture
def project(tmp_path, monkeypatch):
    """Return a folder with a scenario and an experiment, which is the current one."""
    (tmp_path / "desk.yaml").write_text(SCENARIO, encoding="utf-8")
    (tmp_path / "risky.yaml").write_text(EXPERIMENT, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def ended(*words: str) -> tuple[int, str]:
    """Run the command line in this process; return its exit code and what it ended with."""
    found = CliRunner().invoke(cli.app, list(words))
    code = getattr(found.exception, "exit_code", found.exit_code)
    return code, str(found.exception or "")


def full(*_: object, **__: object) -> None:
    """Fail as a disk without room."""
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_good_file_survives_a_failure(tmp_path):
    """
    What fails in the middle, by a fault, an interrupt or a full disk, leaves the older file as it was and nothing half written.
    """
    path = tmp_path / "table.csv"
    write_text(path, "old")

    def write(error: BaseException) -> None:
        with whole(path) as part:
            part.write_text("half", encoding="utf-8")
            raise error

    for error in (ValueError("broken"), KeyboardInterrupt(), OSError(errno.ENOSPC, "full"), OSError(errno.EIO, "bad")):
        with pytest.raises((ValueError, KeyboardInterrupt, DiskFull, ScenarioFault)):
            write(error)

    assert [(each.name, each.read_text(encoding="utf-8")) for each in tmp_path.iterdir()] == [("table.csv", "old")]


def test_a_full_disk_has_words_of_its_own(tmp_path):
    """
    It ends with code 3, names the file, and says what is kept and what to do.
    """
    path = tmp_path / "table.csv"
    with pytest.raises(DiskFull) as found, whole(path):
        full()

    assert found.value.exit_code == 3
    assert str(found.value) == (
        f"{path}: the disk is full\n"
        "    What was written before is kept. Make room and run the same command again, or use another disk."
    )


def test_leftovers_of_dead_processes_are_cleared(tmp_path):
    """
    What a process that has ended left half written goes; what a living one writes stays, or one of another machine, of which nothing is known
    here, and what is no such file.
    """
    dead = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, check=True)
    ended = int(dead.stdout)
    names = [f"b.csv.{os.getpid()}.part", f"c.csv.{ended}@elsewhere.part", "mine.part"]
    with whole(tmp_path / "a.csv") as part:
        own = part.name.replace(str(os.getpid()), str(ended))
        part.touch()
    (tmp_path / "a.csv").unlink()
    for name in (own, f"d.csv.{ended}.part", *names):
        (tmp_path / name).touch()
    make_folder(tmp_path)

    assert "@" in own
    assert sorted(each.name for each in tmp_path.iterdir()) == names


@pytest.mark.parametrize("text", ["=1+1", "+cmd", "-2+3", "@SUM(A1)", "\tx", "\rx", "\n=x", " =1", "＝1+1", "-"])
def test_what_a_spreadsheet_would_execute_is_neutralised(text):
    """
    A text that begins like a formula gets a quotation mark in front, so that it is shown and not executed.
    """
    assert for_spreadsheets(text) == f"'{text}"


@pytest.mark.parametrize("text", ["-5", "+3", "-1e-3", "a=b", "5 min", "", "×2", "F1.dwell.mean"])
def test_numbers_and_other_texts_stay(text):
    """
    Numbers written as text, and texts that begin otherwise, stay as they are.
    """
    assert for_spreadsheets(text) == text


def test_tables_have_numbers_and_harmless_texts(tmp_path):
    """
    Numbers stay numbers, below zero too; nan is empty; texts and headers are neutralised.
    """
    write_table(tmp_path / "t.csv", ["=head", "b"], [[-1.5, "=x"], [float("nan"), 3]])
    with (tmp_path / "t.csv").open(encoding="utf-8-sig", newline="") as file:
        assert list(csv.reader(file)) == [["'=head", "b"], ["-1.5", "'=x"], ["", "3"]]


def test_no_file_of_a_run_is_executed(project):
    """
    No cell of the CSVs and the workbook of `sweep` and `compare` begins like a formula, whatever arms and labels say.
    """
    for words in (
        ("sweep", "risky.yaml"),
        ("compare", "desk.yaml", "--set", "zones.Z.desk.units=3"),
        ("run", "desk.yaml"),
    ):
        assert ended(*words, "--replications", "2", "--workers", "1")[0] == 0
    cells: list[str] = []
    for path in Path("results").rglob("*.csv"):
        with path.open(encoding="utf-8-sig", newline="") as file:
            cells += [cell for row in csv.reader(file) for cell in row]
    kinds = {
        cell.data_type
        for path in Path("results").rglob("*.xlsx")
        for sheet in openpyxl.load_workbook(path).worksheets
        for row in sheet.iter_rows()
        for cell in row
    }

    assert any(cell.startswith("'=cmd") for cell in cells)
    assert [cell for cell in cells if cell.startswith(tuple("=+-@\t\r")) and not _is_number(cell)] == []
    assert "f" not in kinds
    assert "s" in kinds


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


@pytest.mark.parametrize(
    ("words", "name"),
    [
        (("run", "desk.yaml"), "results/desk--run/run.csv"),
        (("compare", "desk.yaml"), "results/desk/results.xlsx"),
        (("compare", "desk.yaml"), "results/desk/process_map_f.png"),
        (("sweep", "risky.yaml"), "results/risky/results.csv"),
    ],
)
def test_a_folder_in_place_of_a_file_has_a_message(project, words, name):
    """
    Where a folder stands in place of a file that is to be written, that is said, with code 2.
    """
    (project / name).mkdir(parents=True)
    code, said = ended(*words, "--workers", "1")

    assert (code, said) == (
        2,
        f"{name}: cannot be written: there is a folder of this name\n    Choose another folder with --out.",
    )


def test_a_device_is_not_replaced(tmp_path):
    """
    What is no ordinary file is not replaced by one.
    """
    os.mkfifo(tmp_path / "pipe")
    with (
        pytest.raises(ScenarioFault, match="cannot be written: there is no ordinary file of this name"),
        whole(tmp_path / "pipe"),
    ):
        pass


def test_links_in_a_circle_and_files_in_place_of_folders_have_messages(project):
    """
    A results folder that is a link to itself, or a file, is refused with the reason.
    """
    (project / "round").symlink_to("round")
    (project / "file").touch()

    assert ended("run", "desk.yaml", "--out", "round") == (
        2,
        f"round: cannot write there: {os.strerror(errno.EEXIST)}\n    Choose another folder with --out.",
    )
    assert ended("run", "desk.yaml", "--out", "file")[0] == 2
    assert ended("run", "desk.yaml", "--out", "file/below")[0] == 2
    assert ended("plot", "desk.yaml", "--out", "round")[0] == 2
    with pytest.raises(ScenarioFault, match=f"file/page.md: cannot write there: {os.strerror(errno.ENOTDIR)}"):
        write_text(Path("file/page.md"), "a page")


def test_a_folder_that_cannot_be_written_has_a_message(tmp_path, monkeypatch):
    """
    A read-only folder is refused before anything runs.
    """
    monkeypatch.setattr("os.access", lambda *_: False)
    with pytest.raises(ScenarioFault) as found:
        make_folder(tmp_path)

    assert str(found.value) == f"{tmp_path}: cannot write there\n    Choose another folder with --out."


@pytest.mark.parametrize(
    ("command", "kind"),
    [("run", "run.csv"), ("run", "run.json"), ("run", "study.json"), ("compare", "results.xlsx"), ("compare", ".png")],
)
def test_every_file_of_results_meets_a_full_disk(project, monkeypatch, command, kind):
    """
    Whichever file finds no room, the command ends with code 3 and names it, and all files of the run before are as they were.
    """
    assert ended(command, "desk.yaml", "--workers", "1")[0] == 0
    before = {path: path.read_bytes() for path in Path("results").rglob("*") if path.is_file()}
    without_room(monkeypatch, kind)
    code, said = ended(command, "desk.yaml", "--workers", "1")

    assert (code, said.splitlines()[0].rpartition(": ")[2]) == (3, "the disk is full")
    assert kind in said.splitlines()[0]
    after = {path: path.read_bytes() for path in Path("results").rglob("*") if path.is_file()}
    assert after.keys() == before.keys()
    assert all(after[path] == before[path] for path in before if path.suffix != ".xlsx" or kind == "results.xlsx")


def test_cells_meet_a_full_disk(project, monkeypatch):
    """
    A run whose cells find no room ends with code 3 and leaves nothing half written.
    """
    without_room(monkeypatch, ".parquet")
    code, said = ended("run", "desk.yaml", "--workers", "1")

    assert (code, said.splitlines()[0].rpartition(": ")[2]) == (3, "the disk is full")
    assert [path for path in Path("results").rglob("*") if path.is_file()] == []


def without_room(monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    """Let the disk be full for files that end with `kind`."""
    real = Path.replace

    def replace(self: Path, target: Path) -> Path:
        return full() if target.name.endswith(kind) else real(self, target)  # type: ignore[return-value]

    monkeypatch.setattr(Path, "replace", replace)


def test_a_full_disk_ends_a_run_in_several_processes(tmp_path, monkeypatch):
    """
    A cell that finds no room ends the run: the others would find none either.
    """
    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(DiskFull):
        run_arms(
            {"R1": plan_of(SCENARIO)}, seed=1, replications=2, how=Execution(1), block=1, store=Store.below(tmp_path)
        )


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
def test_what_is_printed_into_a_full_disk(project):
    """
    Where standard output finds no room the command ends with code 3 in words.
    """
    with Path("/dev/full").open("w", encoding="utf-8") as device:
        found = subprocess.run(
            [sys.executable, "-m", "zonesim", "show", "desk.yaml"],
            stdout=device,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            check=False,
        )

    assert (found.returncode, found.stderr) == (3, f"{DiskFull('standard output')}\n")


@pytest.mark.slow
@pytest.mark.skipif(os.geteuid() != 0 or sys.platform != "linux", reason="only root mounts a small disk")
def test_a_small_disk_that_fills_up(tmp_path):
    """
    On a disk of 200 kB a comparison ends with code 3 in words, and never as a defect.
    """
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=200k", "tmpfs", str(disk)], check=False)  # noqa: S607
    if mounted.returncode:
        pytest.skip("this machine does not let anybody mount a disk")
    try:
        file = tmp_path / "desk.yaml"
        file.write_text(SCENARIO, encoding="utf-8")
        words = [sys.executable, "-m", "zonesim", "compare", str(file), "--out", str(disk), "--workers", "2"]
        found = subprocess.run(
            words, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)}, check=False
        )
    finally:
        subprocess.run(["umount", str(disk)], check=True)  # noqa: S607

    assert found.returncode == 3
    assert "the disk is full" in found.stderr
    assert "Traceback" not in found.stderr
