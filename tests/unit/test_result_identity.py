"""Results that cannot be mistaken for others: a folder a run, with its settings, arms, n, seed and number everywhere."""

from __future__ import annotations

import csv
import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import openpyxl
import pytest

from tests.helper import ROOT
from tests.made_up import made_up, ordinary
from zonesim.briefing.figures import fonts, style
from zonesim.briefing.figures.dwell import dwell_figure
from zonesim.briefing.folders import file_names
from zonesim.experiment import USUAL_REPLICATIONS, USUAL_SEED, Execution, Store, load_results, told_setting
from zonesim.experiment import runner as runner_module
from zonesim.faults import ScenarioFault
from zonesim.fitting import Request
from zonesim.fitting.log import Columns
from zonesim.jobs.fit import fit_job
from zonesim.jobs.job import Job
from zonesim.jobs.plot import plot_job
from zonesim.jobs.run import run_job
from zonesim.jobs.sweep import plan_job, sweep_job

SCENARIO = """zonesim: 1
kind: scenario
name: bank
clock: {warm_up: 1 h, measure: 5 h}
zones: {BANK: {clerks: {units: 3, label: {en: Clerks, zh: 柜员}}}}
flows: {bank: {entity: customer, steps: {serve: {hold: {clerk: BANK.clerks}, take: {exponential: {mean: 10 min}}}}}}
traffic: {customers: {flow: bank, rate: 10 /h}}
"""
EXPERIMENT = """zonesim: 1
kind: experiment
name: clerks
scenario: bank.yaml
arms: {three: [], four: {set: {zones.BANK.clerks.units: 4}}}
replications: 3
kpis: [bank.serve.stay.mean, BANK.clerks.utilisation]
"""
BUSY = "traffic.*.rate*=1.5"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a folder with a scenario and an experiment, and stand in it."""
    (tmp_path / "bank.yaml").write_text(SCENARIO, encoding="utf-8")
    (tmp_path / "e.yaml").write_text(EXPERIMENT, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Give the list that every simulated replication is noted in."""
    numbers: list[int] = []
    real = runner_module.run_cell
    monkeypatch.setattr(runner_module, "run_cell", lambda job, number: (numbers.append(number), real(job, number))[1])
    return numbers


def run(
    *settings: str, n: int = USUAL_REPLICATIONS, seed: int = USUAL_SEED, only: bool = True, file: str = "bank.yaml"
):
    """Run the scenario as the command line does; return the job."""
    names = [] if only else None
    return run_job(Path(file), names, settings, n, seed, Execution(1), Path("out"), only=only)


@pytest.mark.usefixtures("home")
def test_a_comparison_without_figures_is_drawn_later():
    """
    `compare --no-figures` writes what `compare` writes but the figures, and never imports matplotlib; `plot` draws them.
    """
    words = ["compare", "bank.yaml", "--replications", "2", "--workers", "1", "--no-figures"]
    code = "import sys; from zonesim.cli import main\ntry: main()\nfinally: print('matplotlib' in sys.modules)"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    plain = subprocess.run(
        [sys.executable, "-c", code, *words], capture_output=True, text=True, check=True, env=environment
    )
    (folder,) = (path for path in Path("results").iterdir() if path.name != ".cells")
    before = {path.name for path in folder.iterdir()}
    plot_job(folder, "en", "png", None, [], [])

    assert plain.stdout.splitlines()[-1] == "False"
    assert before >= {"cells", "compare.csv", "compare.json", "results.xlsx", "study.json"}
    assert not any(name.endswith(".png") for name in before)
    assert {path.name for path in folder.iterdir()} > before


def sweep(*settings: str, n: int | None = None):
    """Run the experiment as the command line does; return the job."""
    return sweep_job(Path("e.yaml"), settings, n, None, Execution(1), Path("out"))


def folders() -> list[str]:
    """Return the names of all results folders, without the numbers of runs at their end."""
    return sorted(path.name for path in Path("out").iterdir() if not path.name.startswith("."))


def test_what_is_asked_stands_in_the_folder_and_no_result_takes_the_place_of_another(home, ran):
    """
    A file with the usual options has a folder of its own name. Settings, another n, seed or command have others, that
    say what was asked and the number of the run; the first folder stays as it was, to the byte.
    """
    sweep()
    first = {path: path.read_bytes() for path in Path("out/clerks").rglob("*") if path.is_file()}
    asked = [sweep(BUSY), sweep("zones.BANK.clerks.units=2", BUSY), sweep(n=2), run(n=2), run(BUSY, n=2, seed=7)]
    names = [Path(job.document["run"]["folder"]).name for job in asked]
    numbers = [job.document["run"]["id"] for job in asked]

    assert names == [
        f"clerks--rate-x1.5-{numbers[0]}",
        f"clerks--clerks.units-2-rate-x1.5-{numbers[1]}",
        f"clerks--n2-{numbers[2]}",
        f"bank--run-n2-{numbers[3]}",
        f"bank--run-rate-x1.5-n2-seed7-{numbers[4]}",
    ]
    assert len(set(numbers)) == 5
    assert {path: path.read_bytes() for path in Path("out/clerks").rglob("*") if path.is_file()} == first


def test_every_table_says_which_run_it_belongs_to(home):
    """
    The head on the terminal, each row of the CSV, the JSON and the workbook name the number of the run, its seed, its
    n and its settings.
    """
    job = run(BUSY, n=2, seed=7)
    folder = Path(job.document["run"]["folder"])
    number = job.document["run"]["id"]
    with (folder / "run.csv").open(encoding="utf-8-sig") as file:
        rows = list(csv.DictReader(file))
    kept = json.loads((folder / "run.json").read_text(encoding="utf-8"))["run"]
    swept = sweep(BUSY)
    other = Path(swept.document["run"]["folder"])
    with (other / "results.csv").open(encoding="utf-8-sig") as file:
        long = list(csv.DictReader(file))
    book = openpyxl.load_workbook(other / "results.xlsx")

    assert job.text.splitlines()[:2] == [
        "bank: 2 replications, seed 7, 95 % intervals",
        f"run {number}, --set traffic.*.rate × 1.5",
    ]
    assert {(row["run"], row["seed"], row["replications"], row["settings"]) for row in rows} == {
        (number, "7", "2", "traffic.*.rate × 1.5")
    }
    assert kept["settings"] == ["traffic.*.rate × 1.5"]
    assert (kept["id"], kept["seed"], kept["replications"], kept["arms"]) == (number, 7, 2, ["R1"])
    assert f"run {swept.document['run']['id']}, --set traffic.*.rate × 1.5" in swept.text
    assert {(row["run"], row["settings"]) for row in long} == {(swept.document["run"]["id"], "traffic.*.rate × 1.5")}
    for sheet in ("Results", "Effects"):
        head, *body = [[cell.value for cell in row] for row in book[sheet]]
        place = [str(each).partition("\n")[0] for each in head].index("run")
        assert {row[place] for row in body} == {swept.document["run"]["id"]}


def test_a_file_that_was_changed_does_not_overwrite_what_it_was(home):
    """
    The folder of a file's own name holds the file as it stands; the run of its earlier state keeps all its files under
    its number, and comes back to the name when the file is as it was.
    """
    first = sweep()
    before = {path.name: path.read_bytes() for path in Path("out/clerks").glob("results.*")}
    (home / "e.yaml").write_text(EXPERIMENT.replace("units: 4", "units: 5"), encoding="utf-8")
    second = sweep()
    kept = Path(f"out/clerks--{first.document['run']['id']}")

    assert folders() == ["clerks", kept.name]
    assert second.notes == [
        f"out/clerks held run {first.document['run']['id']}, of another state of the file: it is kept in {kept}"
    ]
    assert load_results(Path("out/clerks")).run == second.document["run"]["id"] != load_results(kept).run
    assert {path.name: path.read_bytes() for path in kept.glob("results.*")} == before
    (home / "e.yaml").write_text(EXPERIMENT, encoding="utf-8")
    sweep()
    assert folders() == ["clerks", f"clerks--{second.document['run']['id']}"]


def test_two_files_of_one_name_are_kept_apart(home):
    """
    Another file that says the same name does not mix its results with those of the first.
    """
    first = run(n=USUAL_REPLICATIONS)
    (home / "busy.yaml").write_text(SCENARIO.replace("rate: 10 /h", "rate: 15 /h"), encoding="utf-8")
    second = run(file="busy.yaml")

    assert folders() == ["bank--run", f"bank--run--{first.document['run']['id']}"]
    assert load_results(Path("out/bank--run")).run == second.document["run"]["id"]


def test_folders_of_earlier_versions_and_of_others_are_left_whole(home):
    """
    A folder of a version without numbers of runs moves aside with everything in it; a file in place of the folder is a
    fault before anything runs.
    """
    old = Path("out/clerks")
    old.mkdir(parents=True)
    (old / "study.json").write_text('{"format": 1}', encoding="utf-8")
    (old / "slides.pptx").write_bytes(b"mine")
    sweep()

    assert folders() == ["clerks", "clerks--earlier"]
    assert Path("out/clerks--earlier/slides.pptx").read_bytes() == b"mine"
    assert not Path("out/clerks/slides.pptx").exists()


def test_cells_are_shared_between_runs_and_kept_with_each(home, ran):
    """
    The same command runs nothing again, more replications only the new ones, another set of arms only the new arm; and
    a results folder has all its numbers when it is copied elsewhere.
    """
    sweep()
    assert len(ran) == 6
    ran.clear()
    sweep()
    assert ran == []
    more = sweep(n=5)
    assert sorted(ran) == [3, 3, 4, 4]
    ran.clear()
    run(n=3)
    assert ran == []
    assert plan_job(Path("e.yaml"), [], None, None, 1, Path("out")).document["runs_done"] == 6
    shutil.copytree(more.document["run"]["folder"], home / "elsewhere")
    shutil.rmtree("out")
    found = load_results(home / "elsewhere")

    assert found.column("four", "as written", "BANK.clerks.utilisation").shape == (5,)


@pytest.mark.parametrize("damage", [Path.unlink, lambda cell: (cell.unlink(), cell.write_bytes(b"PAR1"))])
def test_results_with_lost_cells_are_refused_until_they_are_run_again(home, damage):
    """
    A cell that is gone or damaged is told with its arm, as arms would be compared over other replications; the same
    command mends the folder.
    """
    folder = Path(sweep().document["run"]["folder"])
    key = load_results(folder).cells["four", "as written"].key
    damage(next((folder / "cells").glob(f"{key}-*")))
    with pytest.raises(ScenarioFault) as found:
        plot_job(folder, "en", "svg", None, [], [])

    assert str(found.value) == (
        f"{folder / 'cells'}: 3 of 3 replications of arm 'four' are lost or damaged\n"
        "    Run the same command again: it runs anew what is missing."
    )
    sweep()
    assert load_results(folder).column("four", "as written", "BANK.clerks.utilisation").shape == (3,)


@pytest.mark.parametrize(
    ("at", "value"), [(("kpis", 0, "id"), 1), (("cells", 1, "replications"), [0, "x"]), (("name",), None)]
)
def test_a_study_with_other_values_is_refused(home, at, value):
    """
    What is no text or number where one is due is told when the folder is read.
    """
    folder = Path(sweep().document["run"]["folder"])
    document = json.loads((folder / "study.json").read_text(encoding="utf-8"))
    inner = document
    for key in at[:-1]:
        inner = inner[key]
    inner[at[-1]] = value
    (folder / "study.json").write_text(json.dumps(document), encoding="utf-8")
    with pytest.raises(ScenarioFault, match=r"study\.json: is no study of this version \(TypeError: "):
        load_results(folder)


def test_copies_do_where_files_cannot_have_two_names(home, monkeypatch):
    """
    On a disk without hard links a results folder gets copies of its cells.
    """

    def refuse(self, target):
        raise OSError(1, "not supported")

    monkeypatch.setattr(Path, "hardlink_to", refuse)
    job = sweep()
    kept = Path(job.document["run"]["folder"]) / "cells"

    assert sorted(path.name for path in kept.iterdir()) == sorted(path.name for path in Path("out/.cells").iterdir())
    assert Store(kept).finished(next(iter(load_results(kept.parent).cells.values())).key, range(3)) == [0, 1, 2]


def test_what_a_run_lacked_is_drawn_anew_when_it_is_there(home, monkeypatch):
    """
    Where a replication failed and a second try finishes it, figures of the first try do not stay beside new tables.
    """
    real = runner_module.run_cell

    def fail(job, number):
        if number == 2:
            raise TypeError("no such thing")
        return real(job, number)

    monkeypatch.setattr(runner_module, "run_cell", fail)
    first = sweep()
    figure = Path("out/clerks/effects_zh.svg")
    figure.write_text("n = 2", encoding="utf-8")
    monkeypatch.setattr(runner_module, "run_cell", real)
    second = sweep()

    assert (first.exit_code, second.exit_code) == (1, 0)
    assert first.document["run"]["id"] == second.document["run"]["id"]
    assert not figure.exists()
    figure.write_text("n = 3", encoding="utf-8")
    sweep()
    assert figure.exists()


def test_nothing_finished_leaves_the_earlier_result_alone(home, monkeypatch):
    """
    A run of a changed file of which nothing could be finished does not move the result that was there.
    """
    sweep()

    def fail(job, number):
        raise TypeError("no such thing")

    monkeypatch.setattr(runner_module, "run_cell", fail)
    (home / "e.yaml").write_text(EXPERIMENT.replace("units: 4", "units: 5"), encoding="utf-8")

    assert sweep().text == "no replication was finished"
    assert folders() == ["clerks"]


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("traffic.*.rate*=2", "traffic.*.rate × 2"),
        ("zones.Z.desk.units = 1", "zones.Z.desk.units = 1"),
        ("traffic.*=x", "traffic.* = x"),
    ],
)
def test_settings_are_told_as_people_read_them(written, told):
    """
    A factor is told by a cross, a value by an equals sign.
    """
    assert told_setting(written) == told


@pytest.mark.parametrize(("language", "mark"), [("en", "WHAT IF"), ("zh", "假设情形")])
def test_every_figure_says_what_was_set_otherwise(language, mark):
    """
    Over the title and in the footer stand the settings; in the footer also n, seed and the number of the run. Without
    settings nothing stands over the title.
    """
    if language == "zh" and not fonts.chinese():
        pytest.skip("no font with Chinese letters")
    context = made_up(ordinary(), language=language)
    what_if = replace(context, settings=("traffic.*.rate × 2", "x.y = 3"), run="3f9a1c07")
    with style.look(language):
        said = [text.get_text() for text in what_if.slide("Dwell", []).texts]
        plain = " ".join(text.get_text() for text in context.slide("Dwell", []).texts)
    words = " ".join(said)

    assert sum("traffic.*.rate × 2" in text for text in said) == 2
    assert mark in words
    assert "3f9a1c07" in words
    assert mark not in plain
    if language == "en":
        drawn = " ".join(text.get_text() for text in dwell_figure(what_if).texts)
        assert "WHAT IF, not as written: traffic.*.rate × 2; x.y = 3" in drawn


# --- figures drawn later


def drawn(target: Path, out: Path | None = None) -> tuple[str, list[str]]:
    """Draw a results folder; return the words on its process map, and what is said besides."""
    job = plot_job(target, "en", "svg", out, [], [])
    (path,) = (out or target).glob("process_map_*.svg")
    return path.read_text(encoding="utf-8"), job.notes


def test_a_copied_result_is_drawn_anywhere_with_its_maps(home, tmp_path_factory, monkeypatch):
    """
    What a figure needs lies in the results folder: a copy is drawn from another folder, the scenario being gone, with
    process maps, settings and number of the run; nothing is said to have changed.
    """
    job = run(BUSY, n=2)
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    shutil.copytree(job.document["run"]["folder"], elsewhere / "copy")
    shutil.rmtree(home / "out")
    (home / "bank.yaml").unlink()
    monkeypatch.chdir(elsewhere)
    words, notes = drawn(Path("copy"))

    assert notes == []
    assert "WHAT IF, not as written: traffic.*.rate × 1.5" in words
    assert f"run {job.document['run']['id']}" in words
    assert "2 replications" in words
    assert "exponential mean 10 min" in words


def test_a_file_of_the_same_name_elsewhere_is_another_file(home, tmp_path_factory, monkeypatch):
    """
    A scenario that lies at the same relative path of another folder does not make a result a changed one.
    """
    folder = Path(run(n=2).document["run"]["folder"]).resolve()
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (elsewhere / "bank.yaml").write_text(SCENARIO.replace("10 min", "12 min"), encoding="utf-8")
    monkeypatch.chdir(elsewhere)

    assert drawn(folder)[1] == []


TOLD = ["the file has changed since the run; drawn as it was run"]


@pytest.mark.parametrize(
    ("kind", "old", "new", "notes"),
    [
        ("run", "traffic:", "# a remark\ntraffic:", []),
        ("run", "10 min", "12 min", TOLD),
        ("sweep", "10 min", "12 min", TOLD),
        ("run", "kind: scenario", "kind: nothing", TOLD),
    ],
    ids=["a comment", "a number", "a number of a sweep", "no scenario any more"],
)
def test_only_a_change_of_what_was_run_is_told_and_what_was_run_is_drawn(home, kind, old, new, notes):
    """
    A comment changes nothing; where a value has changed, or the file is no scenario any more, that is said, and the map
    shows the value of the run.
    """
    (home / "e.yaml").write_text(
        EXPERIMENT.replace(", four: {set: {zones.BANK.clerks.units: 4}}", ""), encoding="utf-8"
    )
    job = run(n=2) if kind == "run" else sweep()
    (home / "bank.yaml").write_text(SCENARIO.replace(old, new), encoding="utf-8")
    words, said = drawn(Path(job.document["run"]["folder"]))

    assert said == notes
    assert "exponential mean 10 min" in words


def test_maps_of_another_library_are_not_drawn(home):
    """
    Where this version of zonesim makes something else of the files than was run, no process map is drawn, with the
    reason; the numbers are.
    """
    folder = Path(run(n=2).document["run"]["folder"])
    study = json.loads((folder / "study.json").read_text(encoding="utf-8"))
    study["cells"][0]["resolved_sha256"] = "0" * 64
    (folder / "study.json").write_text(json.dumps(study), encoding="utf-8")
    job = plot_job(folder, "en", "svg", None, [], [])

    assert (
        job.document["skipped"]["process_map"] == "this version of zonesim has another library than the run: run again"
    )
    assert job.notes == []


def test_what_a_scenario_shows_without_a_run_is_kept_apart_too(home):
    """
    Maps and loads of a scenario with and without settings have folders of their own, not that of its results.
    """
    names = [
        {
            Path(file).parent.name
            for file in plot_job(Path("bank.yaml"), "en", "svg", None, [], settings).document["files"]
        }
        for settings in ([], [BUSY])
    ]

    assert all(len(each) == 1 for each in names)
    assert [next(iter(each)).rpartition("-r")[0] for each in names] == ["bank--scenario", "bank--scenario-rate-x1.5"]


def test_two_results_drawn_into_one_folder_do_not_overwrite_each_other(home):
    """
    In a folder that is not the result's own the files have the number of the run in their names.
    """
    numbers = []
    for settings in ([], [BUSY]):
        job = run(*settings, n=2)
        numbers.append(job.document["run"]["id"])
        plot_job(Path(job.document["run"]["folder"]), "en", "svg", Path("slides"), [], [])

    assert sorted(path.stem for path in Path("slides").glob("process_map*")) == sorted(
        f"process_map_bank-{number}" for number in numbers
    )


def test_names_of_files_are_distinct_on_any_disk():
    """
    Names that differ in case only, or in characters that a file may not have, do not become one file.
    """
    assert file_names(["map_F1", "map_f1", "a/b", "a-b", "x" * 300, "x" * 301]) == [
        "map_F1",
        "map_f1-2",
        "a-b",
        "a-b-2",
        "x" * 120,
        f"{'x' * 120}-2",
    ]


# --- fits


LOG = "arrived,left\n" + "".join(
    f"2018-09-{day:02d} {hour:02d}:{minute:02d}:00,2018-09-{day:02d} {hour + 1:02d}:{minute + day % 7:02d}:30\n"
    for day in range(3, 24)
    for hour in (8, 9, 10, 14, 15)
    for minute in (1, 7, 15, 31, 44)
)


def test_two_fits_in_one_folder_are_kept_apart(home):
    """
    A fit of another log, or one asked for otherwise, in the same folder does not mix with the first, whose files move
    into a folder with its number; the number stands in the documents. A file of one's own stays where it is.
    """

    def fit(log: str, **more: object) -> Job:
        (home / "log.csv").write_text(log, encoding="utf-8")
        request = Request(Path("log.csv"), Columns("arrived", "left"), **more)
        return fit_job(request, Path("fitted"), "en", check=False)

    first = fit(LOG)
    before = {path.name: path.read_bytes() for path in Path("fitted").iterdir()}
    (Path("fitted") / "mine.txt").write_text("mine", encoding="utf-8")
    again = fit(LOG)
    second = fit("".join(LOG.splitlines(keepends=True)[:-50]), zone="OTHER")
    numbers = [job.document["run"] for job in (first, again, second)]
    kept = {path.name: path.read_bytes() for path in (Path("fitted") / numbers[0]).iterdir()}
    with (Path("fitted") / "fit.csv").open(encoding="utf-8-sig") as file:
        rows = list(csv.DictReader(file))

    assert numbers[0] == numbers[1]
    assert len(set(numbers)) == 2
    assert kept == before
    assert again.notes == []
    assert numbers[0] in second.notes[0]
    assert (Path("fitted") / "mine.txt").is_file()
    assert {row["run"] for row in rows} == {numbers[2]}
