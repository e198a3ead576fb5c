"""Named futures: what nobody chooses, made behind the regime and what is set, before measures, the same in all arms."""

from __future__ import annotations

import inspect
import json
from dataclasses import replace
from pathlib import Path

import pytest

import zonesim
from tests.helper import HEAD, ROOT, plan_of
from tests.made_up import made_up, ordinary
from tests.unit.test_commands import zonesim as command
from tests.unit.test_figure_words import needs_font
from zonesim.briefing.figures import style
from zonesim.briefing.text.varied_words import future_words
from zonesim.cli import app
from zonesim.experiment import Execution, read_design
from zonesim.faults import Faults
from zonesim.jobs.futures import futures_document, futures_text
from zonesim.jobs.run import run_job
from zonesim.jobs.show import show_text
from zonesim.jobs.validate import validate_file, validation_text
from zonesim.plan import compile_plan, loads
from zonesim.policy import Arm, Chosen, ResolvedTree, apply, arms_for, open_world, parse_setting, resolve, world_of
from zonesim.scenario import FutureDocument, check, load_catalogue, read_text

LIBRARY = load_catalogue()
SHIPPED = [
    pytest.param(file, id=file.stem, marks=[] if file.stem in {"all_flows", "busy_gate"} else pytest.mark.slow)
    for file in sorted((ROOT / "scenarios").glob("*.yaml"))
]
"""The shipped scenarios; the larger ones take longer."""
TYPICAL = ROOT / "scenarios" / "typical_zone.yaml"

SCENARIO = (
    HEAD
    + """clock: {measure: 1 d}
source: assumed
zones:
  G: {lanes_in: {units: 2, role: lane}, gate_officers: {units: 3, role: officer}, exception_desk: {units: 2, role: desk}}
truth: {papers_wrong: {all: 2 %}}
flows:
  come: {entity: truck, steps: {gate: {call: gate, with: {zone: G, lanes: G.lanes_in, vehicle: freight}}, work: {take: 5 min}}}
traffic: {trucks: {flow: come, rate: 60 /h}}
"""
)
SLOW = """futures:
  slow:
    label: {en: Slow, zh: 慢}
    source: assumed
    edits: [{scale: library.gate.lane.weigh.take, by: 2}, {scale: library.gate.lane.compare.take, by: 2}]
"""


def world(more: str = "", *settings: str) -> ResolvedTree:
    """Return the world of the small scenario with more lines and settings."""
    found = world_of(read_text(SCENARIO + more, "own.yaml"))
    apply(found, [parse_setting(setting) for setting in settings])
    return found


def fault(more: str, *settings: str) -> str:
    """Return the message of what is wrong with it."""
    with pytest.raises(Faults) as found:
        resolve(world(more, *settings), Arm("arm"))
    return str(found.value)


def lane(found: ResolvedTree, *measures: str) -> dict[str, object]:
    """Return how long steps in the lane take those who follow the practices of measures."""
    arm = resolve(found, Arm("arm", tuple(Chosen(measure) for measure in measures)))
    practices = {f"{measure}.{name}" for measure in measures for name in LIBRARY.measures[measure].practices}
    return {
        name: step.take.model_dump(exclude_none=True)["pert"]
        for name, step in arm.flow("gate", frozenset(practices)).steps["lane"].steps.items()
        if step.take is not None
    }


@pytest.mark.parametrize("future", LIBRARY.futures.values(), ids=lambda future: future.name)
def test_a_future_of_the_library_says_what_it_is(future):
    """
    It has a label in both languages and says of every number where it comes from.
    """
    assert set(future.label) == {"en", "zh"}
    assert all(edit.source or future.source for edit in future.edits)
    named = [source for edit in future.edits if isinstance(source := edit.source or future.source, str)]
    assert set(named) <= set(LIBRARY.sources)


@pytest.mark.parametrize("file", SHIPPED)
@pytest.mark.parametrize("name", LIBRARY.futures)
def test_every_future_meets_every_scenario_alike_in_all_arms(file, name):
    """
    Every future of the library can be run on every shipped scenario, and changes the same values in R1 and with all measures.
    """
    found = open_world(file, [f"future={name}"])
    arms = [resolve(found, arm) for arm in arms_for(found)]
    changed = [[(each.path, each.new) for each in arm.met.changes] for arm in arms]

    assert changed[0] == changed[1] != []
    assert all(len(compile_plan(arm).code) for arm in arms)


def test_a_future_comes_behind_regime_and_settings_and_before_measures():
    """
    A scale by 2 doubles what the regime, the scenario's edit and `--set` leave; what a measure sets is not doubled.
    """
    own = "edits: [{set: library.gate.lane.weigh.take, to: {pert: [7 s, 8 s, 9 s]}}]\n"
    paper = lane(world(own + SLOW, "regime=R0", "future=slow", "library.gate.lane.weigh.take*=3"))

    assert paper["weigh"] == ["42 s", "48 s", "54 s"]
    assert paper["compare"] == ["200 s", "520 s", "1040 s"]
    assert lane(world(own + SLOW, "future=slow"), "m11")["weigh"] == ["2 s", "4 s", "10 s"]
    assert lane(world(own + SLOW))["weigh"] == ["7 s", "8 s", "9 s"]


def test_the_file_may_name_its_future_itself():
    """
    `future: slow` in the file is the same as `--future slow`, and `--future none` undoes it.
    """
    asked, said = lane(world(SLOW, "future=slow")), lane(world(SLOW + "future: slow\n"))

    assert asked == said != lane(world(SLOW))
    assert lane(world(SLOW + "future: slow\n", "future=none")) == lane(world(SLOW))


def test_a_future_may_add_steps():
    """
    A step that a future of the scenario adds knows the parameters of the flow.
    """
    more = """futures:
  photo: {edits: [{add: library.gate.lane.photo, to: {take: {pert: [1 s, 2 s, 3 s]}, hold: {desk: $zone.exception_desk}}, after: weigh}]}
"""
    assert list(lane(world(more, "future=photo"))) == ["identify", "weigh", "photo", "compare"]
    assert compile_plan(resolve(world(more, "future=photo"), Arm("arm")))


def test_an_unknown_future_is_named():
    """
    The fault stands at the option, and names what is near, or all there are.
    """
    assert fault(SLOW, "future=slwo") == "--future slwo: unknown future 'slwo'\n    Did you mean 'slow'?"
    known = ", ".join(["slow", *LIBRARY.futures, "none"])
    assert fault(SLOW, "future=xyz") == f"--future xyz: unknown future 'xyz'\n    Known futures: {known}."
    assert "own.yaml:12:9: unknown future 'sunny'" in fault("future: sunny\n")


def test_no_future_is_called_none():
    """
    `none` means that there is no future, so none can have this name.
    """
    with pytest.raises(Faults) as found:
        world("futures: {none: {edits: [{scale: traffic.*.rate, by: 2}]}}\n")

    assert "'none' means that there is no future and cannot name one" in str(found.value)


def test_what_a_future_would_take_back_is_a_fault():
    """
    A value that `--set` gives and the future sets too is a fault; one that both scale is not, nor what the file's own edit gives.
    """
    more = "futures: {f: {edits: [{set: library.gate.lane.weigh.take, to: 5 s}]}}\n"
    told = fault(more, "library.gate.lane.weigh.take=9 s", "future=f")

    assert told == (
        "--set library.gate.lane.weigh.take=9 s: --set and future 'f' both change 'library.gate.lane.weigh.take'\n"
        "    Leave one of them out, or write a future of your own."
    )
    own = "edits: [{set: library.gate.lane.weigh.take, to: 9 s}]\n"
    assert resolve(world(more + own, "future=f"), Arm("arm")).flow("gate").steps["lane"].steps["weigh"].take == "5 s"


def test_a_fault_of_a_future_is_told_where_it_is_asked_for():
    """
    An edit of a scenario's future whose path does not exist is told at its line.
    """
    told = fault("futures: {f: {edits: [{scale: library.gate.lane.wiegh.take, by: 2}]}}\n", "future=f")

    assert (
        "own.yaml:12:23: future 'f' scales 'library.gate.lane.wiegh.take', but 'library.gate.lane' has no 'wiegh'"
        in told
    )


def test_a_future_that_nobody_meets_is_told():
    """
    A future of flows that no traffic walks, and one of names that are not there, are told by a warning.
    """
    assert resolve(world("", "future=level_2017"), Arm("arm")).warnings == [
        "future level_2017 changes nothing here: no traffic walks F1, F1b, F11, F3c, F12, F14, F8, review"
    ]
    assert resolve(
        world("futures: {f: {edits: [{scale: traffic.*.every, by: 2}]}}\n", "future=f"), Arm("arm")
    ).warnings == ["future f changes nothing here: nothing that it edits is there"]
    assert resolve(world(SLOW, "future=slow"), Arm("arm")).warnings == []


def test_an_outage_that_nobody_meets_is_told():
    """
    Where no flow and no measure asks for the calendar, and where it is down outside the window, a warning says so.
    """
    bare = SCENARIO.replace("gate: {call: gate, with: {zone: G, lanes: G.lanes_in, vehicle: freight}}, ", "")
    found = world_of(read_text(bare, "own.yaml"))
    apply(found, [parse_setting("future=outage")])

    assert resolve(found, Arm("arm")).warnings == [
        "future outage changes nothing here: nothing goes by automatic_release"
    ]
    assert compile_plan(resolve(world("", "future=outage"), Arm("arm"))).names.notes == (
        "warning: in future outage no closing of automatic_release ends inside the measured window",
    )
    assert resolve(world("", "future=outage", "clock.measure=2 d"), Arm("arm")).warnings == []
    assert compile_plan(resolve(world("", "future=outage", "clock.measure=2 d"), Arm("arm"))).names.notes == ()


@pytest.mark.parametrize("file", [TYPICAL, pytest.param(ROOT / "scenarios" / "kunshan.yaml", marks=pytest.mark.slow)])
def test_twice_the_demand_is_twice_the_load(file):
    """
    In demand_x2 every resource has twice its load, that of generated transfers among it: twice as many come, for the same work.
    """
    once, twice = (
        loads(compile_plan(resolve(found, arms_for(found)[0])))
        for found in (open_world(file, []), open_world(file, ["future=demand_x2"]))
    )

    assert [each.low for each in twice] == pytest.approx([2 * each.low for each in once])
    assert sum(each.low for each in once) > 0


def test_twice_the_demand_halves_gaps_and_doubles_limits():
    """
    Gaps become half as long and twice as many may come, so that twice as many come in the same time; listed arrivals stay, and of a rate of 0 twice is 0.
    """
    traffic = """traffic:
  trucks: {flow: come, every: {exponential: {mean: 4 min}}, most: 10}
  listed: {flow: come, at: [1 min]}
  some: {flow: come, rate: 3 /h}
  none: {flow: come, rate: 0 /h}
"""
    found = world_of(read_text(SCENARIO.partition("traffic:")[0] + traffic, "own.yaml"))
    apply(found, [parse_setting("future=demand_x2")])
    entries = resolve(found, Arm("arm")).world.tree["traffic"]

    assert entries["trucks"] == {"flow": "come", "every": {"exponential": {"mean": "2 min"}}, "most": 20}
    assert entries["listed"] == {"flow": "come", "at": ["1 min"]}
    assert (entries["some"]["rate"], entries["none"]["rate"]) == ("6 /h", "0 /h")


@pytest.mark.slow
def test_results_say_which_future_they_are_of(tmp_path, monkeypatch):
    """
    The folder, the first lines and the run's number tell a future from the scenario as written; `compare` differs by arms alone.
    """
    monkeypatch.chdir(ROOT)
    settings = [f"clock.{key}=1 d" for key in ("warm_up", "measure", "cool_down")]
    job = run_job(
        TYPICAL,
        ["11"],
        ["future=demand_x2", *settings],
        1,
        1,
        Execution(1),
        tmp_path,
        only=False,
        with_figures=False,
        parts=False,
        doubts=False,
    )
    (folder,) = (each for each in tmp_path.iterdir() if each.name.startswith("typical"))

    assert "-demand_x2-clock.w" in folder.name
    assert ", future demand_x2, --set clock.warm_up = 1 d; " in job.text
    assert json.loads((folder / "study.json").read_text(encoding="utf-8"))["settings"][0] == "future demand_x2"


def test_the_option_is_there_in_every_command_that_makes_arms():
    """
    `--future` is an option of every command that has `--set`; a wrong name is told with exit code 2.
    """
    options = {each.callback.__name__: inspect.signature(each.callback).parameters for each in app.registered_commands}
    done = command("validate", "scenarios/typical_zone.yaml", "--future", "demand_x3")
    swept = command("plan", "experiments/adoption_of_11.yaml", "--future", "demand_x3")

    assert {name for name, own in options.items() if "settings" in own} == {
        name for name, own in options.items() if "future" in own
    }
    assert {"run", "compare", "sweep", "plan", "show", "diff", "trace", "validate", "plot"} <= {
        name for name, own in options.items() if "future" in own
    }
    assert (done.returncode, done.stderr) == (
        2,
        "--future demand_x3: unknown future 'demand_x3'\n    Did you mean 'demand_x2'?\n",
    )
    assert (swept.returncode, "Did you mean 'demand_x2'?" in swept.stderr) == (2, True)


def test_show_lists_what_a_future_changes():
    """
    `show` names the changes of the future with old and new value and the line of its file; `validate` names the future.
    """
    told = show_text(TYPICAL, ["future=national_2019"], "", "F1")

    assert "Changes of future national_2019" in told
    assert "library/futures/national_2019.yaml" in told
    assert (
        validation_text(validate_file(TYPICAL, ["future=demand_x2"])).splitlines()[0]
        == f"{TYPICAL}: valid, future demand_x2"
    )


def test_the_list_of_futures_begins_with_those_of_the_scenario(tmp_path):
    """
    `zonesim futures FILE` lists those of the file, and behind them those of the library that it does not replace.
    """
    file = tmp_path / "own.yaml"
    file.write_text(SCENARIO + SLOW, encoding="utf-8")
    document = futures_document(file)

    assert [(each["name"], each["own"]) for each in document] == [
        ("slow", True),
        *((name, False) for name in LIBRARY.futures),
    ]
    assert "scale library.gate.lane.weigh.take" in futures_text(document)
    assert [each["name"] for each in futures_document(None)] == list(LIBRARY.futures)


EXPERIMENT = """zonesim: 1
kind: experiment
name: named
scenario: {scenario}
arms: {{R1: [], m11: {arm}}}
futures: {{grid: {{future: [none, demand_x2], traffic.cars.rate: {{scale: [1, 2]}}}}}}
"""


def experiment(folder: Path, arm: str) -> Path:
    """Return the file of an experiment in the project's folder."""
    folder.mkdir(exist_ok=True)
    (folder / "typical.yaml").write_text(TYPICAL.read_text(encoding="utf-8"), encoding="utf-8")
    (folder / "named.yaml").write_text(EXPERIMENT.format(scenario="typical.yaml", arm=arm), encoding="utf-8")
    return folder / "named.yaml"


@pytest.mark.slow
def test_an_experiment_sets_futures_side_by_side(tmp_path):
    """
    `futures: grid: future: [none, demand_x2]` meets both, with whatever else is varied, and calls them by name.
    """
    design = read_design(experiment(tmp_path, "[m11]"), [])
    rates = {name: cell.plan.identity for (arm, name), cell in design.cells.items() if arm == "R1"}

    assert [each.name for each in design.futures] == [
        "as written, traffic.cars.rate ×1",
        "as written, traffic.cars.rate ×2",
        "demand_x2, traffic.cars.rate ×1",
        "demand_x2, traffic.cars.rate ×2",
    ]
    assert len(set(rates.values())) == 4


def test_an_arm_has_no_future_of_its_own(tmp_path):
    """
    Arms are what we choose: one that sets the future is a fault.
    """
    with pytest.raises(Faults) as found:
        read_design(experiment(tmp_path, "{measures: [m11], set: {future: demand_x2}}"), [])

    assert "arm 'm11' has a future of its own\n    Arms are what we choose, futures what nobody chooses." in str(
        found.value
    )


def test_python_meets_a_future():
    """
    `.future(name)` returns the scenario in it, and refuses a name that there is none of.
    """
    scenario = zonesim.load(TYPICAL)

    assert scenario.future("demand_x2").plan.identity != scenario.plan.identity
    assert scenario.future("demand_x2").future("none").plan.identity == scenario.plan.identity
    with pytest.raises(Faults, match="unknown future"):
        scenario.future("demand_x3")


def test_the_future_of_the_page_is_met():
    """
    The future that the page names makes half as many again come to its counter, who take 12 min in place of 10.
    """
    page = (ROOT / "docs" / "how-to" / "name-a-future.md").read_text(encoding="utf-8")
    text = page.partition("```yaml scenario\n")[2].partition("```")[0]
    plans = [plan_of(text, f"future={name}") for name in ("none", "fair")]
    usual, fair = (next(each.low for each in loads(plan)) for plan in plans)

    assert fair == pytest.approx(usual * 1.5 * 12 / 10)


@needs_font
def test_figures_call_a_future_by_its_label():
    """
    The caption of a figure names the future by its label, in the language of the figure; what is set stays as it is written.
    """
    told = ["future outage", "clock.measure = 1 d"]
    for language, words in (
        ("en", "future Gate system down for 4 h (outage)"),
        ("zh", "情景 卡口系统停机4小时（outage）"),
    ):
        context = replace(made_up(ordinary(), n=1, language=language), settings=told)
        with style.look(language):
            assert words in context.caption()
            assert "clock.measure = 1 d" in replace(context, settings=told[1:]).caption()
        assert future_words(context, [("future", "outage", None)]) == words.partition(" ")[2]
        assert future_words(context, [("future", "none", None)]) in {"as written", "与场景文件相同"}


def test_a_document_of_a_future_has_a_name_of_its_own():
    """
    The library too has no future that is called `none`.
    """
    tree = {"zonesim": 1, "kind": "future", "name": "none", "edits": [{"scale": "traffic.*.rate", "by": 2}]}
    with pytest.raises(Faults) as found:
        check(FutureDocument, tree, {}, {}, file="none.yaml")

    assert "'none' is no name of a future, for it means that there is none\n    Choose another." in str(found.value)
