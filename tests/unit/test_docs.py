"""Documents say what the code does: generated pages are current, examples run, links lead somewhere."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys

import pytest
import yaml

from tests.helper import ROOT, column, kpis, plan_of, plan_of_file
from tests.logs import gate_log, soil
from tests.wasm_kernel import needs_module
from zonesim import cli
from zonesim.briefing.figures import fonts
from zonesim.briefing.folders import run_in

PAGES = [ROOT / "README.md", ROOT / "README.zh.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
CHINESE = sorted(page for page in (ROOT / "docs" / "zh").rglob("*.md") if page.name not in {"index.md", "how-to.md"})
"""Pages that say in Chinese what others of the same name say, with the same files and commands."""

OWN = [page for page in PAGES if page not in CHINESE]
"""Pages with files and commands of their own."""

EXAMPLES = [
    pytest.param(text, id=f"{page.stem}-{number}")
    for page in OWN
    for number, text in enumerate(
        re.findall(r"```yaml scenario\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL), start=1
    )
]


def test_generated_pages_are_current():
    """
    docs/reference is what the tables in the code say; `python tools/reference.py` renews it.
    """
    done = subprocess.run(
        [sys.executable, "tools/reference.py", "--check"], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("text", EXAMPLES)
def test_examples_run(text):
    """
    Every whole scenario in the documents runs and has figures.
    """
    values = kpis(plan_of(text))[0].values

    assert any(value > 0 for value in values.values())


WITH_DATA = [
    (page, name, scenario)
    for page in OWN
    for name, scenario in re.findall(
        r"```yaml scenario with (\S+)\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL
    )
]


@pytest.mark.parametrize(("page", "name", "scenario"), WITH_DATA, ids=lambda value: getattr(value, "stem", None))
def test_examples_with_data_run(page, name, scenario, tmp_path):
    """
    A scenario that reads a file which the page shows runs beside that file.
    """
    (data,) = re.findall(rf"```csv {re.escape(name)}\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    (tmp_path / name).write_text(data, encoding="utf-8")
    (tmp_path / "scenario.yaml").write_text(scenario, encoding="utf-8")
    values = kpis(plan_of_file(tmp_path / "scenario.yaml"))[0].values

    assert any(value > 0 for value in values.values())


THEORY = [
    pytest.param(text, kpi, value, unit, id=kpi)
    for page in OWN
    for text in re.findall(r"```yaml scenario\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    for kpi, value, unit in re.findall(r"^# theory: (.*?) = ([0-9.]+) (\S+)$", text, re.MULTILINE)
]


@pytest.mark.slow
@pytest.mark.parametrize(("text", "kpi", "value", "unit"), THEORY)
def test_examples_agree_with_theory(text, kpi, value, unit):
    """
    What an example says is the exact answer lies within four standard errors of the mean over ten replications.
    """
    results = kpis(plan_of(text), replications=10)
    top, _, bottom = kpi.partition(" / ")
    found = column(results, top) / (column(results, bottom) if bottom else 1.0)
    expected = float(value) * (0.01 if unit == "%" else 1.0)

    assert abs(found.mean() - expected) < 4 * found.std(ddof=1) / 10**0.5 + 0.5 * 10.0 ** -len(value.partition(".")[2])


PYTHON = [page for page in OWN if "```python\n" in page.read_text(encoding="utf-8")]


@pytest.mark.parametrize("page", PYTHON, ids=lambda page: page.name)
def test_python_of_a_page_runs(page, tmp_path, monkeypatch):
    """
    The blocks of Python in a page run one after the other in a copy of the project, and leave no file behind.
    """
    for folder in ("scenarios", "experiments"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    (tmp_path / "pyproject.toml").touch()
    before = set(tmp_path.rglob("*"))
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    exec(compile("\n".join(blocks), str(page), "exec"), {})

    assert set(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("notebook", sorted((ROOT / "docs").rglob("*.py")), ids=lambda path: path.name)
def test_notebooks_run(notebook, tmp_path):
    """
    A notebook in cells runs as a script and answers its question for every arm and demand.
    """
    shutil.copytree(ROOT / "scenarios", tmp_path / "scenarios")
    done = subprocess.run([sys.executable, notebook], cwd=tmp_path, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    for arm in ("R1", "11"):
        assert len(re.findall(rf"^{arm}, demand × [13]: (traffic|two lanes)", done.stdout, re.MULTILINE)) == 2


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    """
    A relative link names a file that is there, a link within the page a heading of it.
    """
    text = page.read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)#:]+)\)", text):
        assert (page.parent / target).exists(), target
    headings = {
        re.sub(r"[^\w -]", "", line).strip().lower().replace(" ", "-")
        for line in re.findall(r"^#+ (.*)", text, re.MULTILINE)
    }
    for anchor in re.findall(r"\]\(#([^)]+)\)", text):
        assert anchor in headings, anchor


COMMANDS = re.findall(
    r"^\$ \.venv/bin/zonesim (.*?)\s*(?:#.*)?$", (ROOT / "README.md").read_text(encoding="utf-8"), re.MULTILINE
)


SHORT = {
    "capacity": ("--replications", "1", "--tolerance", "20"),
    "run": ("--replications", "2"),
    "brief": ("--replications", "2"),
    "compare": ("--replications", "2"),
    "trace": (),
    "replay": (),
    "plan": (),
    "sweep": ("--replications", "2"),
    "attribute": ("--replications", "2"),
    "sensitivity": ("--replications", "2"),
    "robust": ("--replications", "2"),
    "best": ("--replications", "2", "--most", "10"),
}
"""Commands that take a clock, with what makes them short besides it."""

LOG = "arrived,left\n" + "".join(
    f"2018-09-{day:02d} {hour:02d}:{minute:02d}:00,2018-09-{day:02d} {hour:02d}:{minute + 2 + minute % 7:02d}:30\n"
    for day in range(3, 24)
    for hour in (8, 9, 10, 14, 15)
    for minute in (1, 7, 15, 31, 44)
)


HEAVY = {
    "attribute",
    "best",
    "brief",
    "capacity",
    "compare",
    "evaluate",
    "gather",
    "plot",
    "query",
    "replay",
    "reproduce",
    "robust",
    "sensitivity",
    "sweep",
    "whatif",
}
"""Commands that take more than a few seconds however short the clock is."""

SHORT_CLOCK = ("clock.warm_up=1 d", "clock.measure=2 d", "clock.cool_down=1 d")


@pytest.fixture
def project(tmp_path):
    """Return a copy of what the commands of the README work on."""
    (tmp_path / "pyproject.toml").touch()
    for folder in ("scenarios", "experiments"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    (tmp_path / "gate_log.csv").write_text(LOG, encoding="utf-8")
    return tmp_path


def zonesim(folder, *words):
    """Run the command line in a folder and return what became of it."""
    return subprocess.run(
        [sys.executable, "-m", "zonesim", *words],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )


def shortened(words):
    """Return the words of a command with a short clock where it takes one, so that the test is short."""
    if words[0] not in SHORT:
        return words
    return [*words, *SHORT[words[0]], *(word for setting in SHORT_CLOCK for word in ("--set", setting))]


@pytest.mark.parametrize(
    "line",
    [line if line.split()[0] not in HEAVY else pytest.param(line, marks=pytest.mark.slow) for line in COMMANDS],
    ids=[line.split()[0] for line in COMMANDS],
)
def test_a_command_of_the_readme_runs(line, project):
    """
    Each command of the README ends well in a copy of the project; what is plotted, asked or gathered has been swept before.
    """
    words = shlex.split(line)
    if words[0] == "serve":
        pytest.skip("ends when somebody ends it; tests of its own ask it")
    if words[0] == "whatif":
        needs_module()
    if words[0] in {"gather", "plot", "query"}:
        (sweep,) = (other.split() for other in COMMANDS if other.startswith("sweep"))
        assert zonesim(project, *shortened(sweep)).returncode == 0
    if words[0] == "reproduce":
        assert zonesim(project, *shortened(["run", "scenarios/typical_zone.yaml"])).returncode == 0
        (folder,) = (project / "results").glob("*/study.json")
        words[1] = run_in(folder.parent)
    if words[0] == "gather":
        (project / words[1]).parent.mkdir()
        (project / "results").rename(project / words[1])
    elif words[0] in {"plot", "query"}:
        (words[1],) = (str(path) for path in project.glob(f"{words[1]}--*"))  # the short clock is a setting
        if fonts.chinese() is None and "zh" in words:
            words[words.index("zh")] = "en"
    done = zonesim(project, *shortened(words))

    assert done.returncode == 0, done.stderr


def test_the_chinese_readme_has_commands_of_the_other():
    """
    README.zh.md shows commands of README.md, letter for letter but for what is said of them, in the same order.
    """
    shown = re.findall(r"^\$ (.*?)\s*(?:#.*)?$", (ROOT / "README.zh.md").read_text(encoding="utf-8"), re.MULTILINE)
    known = re.findall(r"^\$ (.*?)\s*(?:#.*)?$", (ROOT / "README.md").read_text(encoding="utf-8"), re.MULTILINE)

    assert len(shown) > 5
    assert [line for line in known if line in shown] == shown


@pytest.mark.slow
def test_commands_of_the_fit_page_run(tmp_path):
    """
    The commands that fit a log and compare on what was fitted end well, one after the other, on a log with dirty rows.
    """
    page = (ROOT / "docs" / "how-to" / "fit-your-own-log.md").read_text(encoding="utf-8")
    log = soil(gate_log(days=14), 0.03)
    (tmp_path / "gate_log.csv").write_text(log.text(), encoding="utf-8")
    lines = re.findall(r"^\$ zonesim (.*)$", page, re.MULTILINE)
    for line in lines:
        words = line.split()
        if words[0] == "compare":
            words += ["--replications", "2", "--workers", "1", "--measures", "11"]
        done = zonesim(tmp_path, *words)
        assert done.returncode == 0, done.stderr

    assert len(lines) == 3
    assert list((tmp_path / "results").glob("GATE-replay*/compare.csv"))


WITH_SCENARIO = (
    "how-to/find-the-best-arm",
    "how-to/find-what-decides",
    "how-to/play-a-day",
    "how-to/see-where-it-does-not-pay",
    "how-to/write-a-briefing",
    "tutorial",
)
"""Pages whose commands run on the scenario that they show, in its file."""


@pytest.mark.slow
@pytest.mark.parametrize("name", WITH_SCENARIO)
def test_commands_of_a_page_run_on_its_scenario(name, tmp_path):
    """
    Each command of such a page ends well on the scenario of the page, one after the other, and prints the lines that the page shows of it.
    """
    page = (ROOT / "docs" / f"{name}.md").read_text(encoding="utf-8")
    for scenario in re.findall(r"```yaml (?:scenario|file)\n(.*?)```", page, re.DOTALL):
        (tmp_path / f"{re.findall(r'^name: (.*)', scenario, re.MULTILINE)[0]}.yaml").write_text(scenario, "utf-8")
    blocks = re.findall(r"```console\n\$ zonesim (.*?)\n(.*?)```", page, re.DOTALL)
    for line, shown in blocks:
        done = zonesim(tmp_path, *shlex.split(line))
        assert done.returncode == 0, done.stderr
        assert [row for row in shown.splitlines() if row not in done.stdout.splitlines()] == []

    assert blocks


@pytest.mark.parametrize("page", CHINESE, ids=lambda page: page.stem)
def test_a_chinese_page_shows_what_the_other_shows(page):
    """
    Files, commands and what these print are the same, letter for letter, so that what is proved of one holds for both;
    there are as many headings, rows of tables and points, the same names in the text, and every number of the other.
    """
    english, chinese = (
        path.read_text(encoding="utf-8") for path in (ROOT / "docs" / page.relative_to(ROOT / "docs" / "zh"), page)
    )
    block, name = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL), re.compile(r"`([^`\n]+)`")
    texts = [block.sub("", text) for text in (english, chinese)]

    assert block.findall(english) == block.findall(chinese)
    for line in (r"^#+ ", r"^\|", r"^- "):
        assert len(re.findall(line, texts[0], re.MULTILINE)) == len(re.findall(line, texts[1], re.MULTILINE)), line
    assert set(name.findall(texts[0])) == set(name.findall(texts[1]))
    numbers, others = (
        {number.rstrip(".,") for number in re.findall(r"\d[\d,.]*", re.sub(r"\]\([^)]*\)", "", name.sub("", text)))}
        for text in texts
    )
    assert numbers <= others


def test_the_gallery_shows_every_stored_figure_with_its_commands():
    """
    Every figure that is kept stands in the gallery, once, below the command that makes it: that of tools/findings.yaml, which the slow test
    `test_a_question_is_answered_again` runs to the byte.
    """
    page = (ROOT / "docs" / "gallery.md").read_text(encoding="utf-8")
    questions = yaml.safe_load((ROOT / "tools" / "findings.yaml").read_text(encoding="utf-8"))
    shown = re.findall(
        r"```console\n\$ zonesim (.*)\n(?:.*\n)*?```\n\n!\[.*\]\(\.\./experiments/stored/(.*)\.svg\)", page
    )

    assert sorted(name for _, name in shown) == sorted(
        path.stem for path in (ROOT / "experiments" / "stored").glob("*.svg")
    )
    for command, name in shown:
        assert command.removesuffix(" --format svg") == questions[name]["command"]


def test_the_readme_shows_every_command():
    """
    No command is left out.
    """
    names = {command.name or getattr(command.callback, "__name__", "") for command in cli.app.registered_commands}

    assert {line.split()[0] for line in COMMANDS} == names
