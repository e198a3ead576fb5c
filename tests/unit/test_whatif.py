"""The page that simulates: what its shelf of plans holds, what it is refused for, and that no label is markup."""

from __future__ import annotations

import base64
import json
import sys
import zlib

import numpy as np
import pytest

from tests.helper import ROOT, plan_of
from zonesim.briefing.whatif import param_label
from zonesim.engine import layout, tables_of
from zonesim.engine.compiled_engine import arguments
from zonesim.experiment import Execution, Lever, Packing
from zonesim.experiment import shelf as all_plans
from zonesim.experiment.grouping import attributed, grouped, touched_by
from zonesim.experiment.shelf import with_levels
from zonesim.experiment.shelf_tables import Change, difference, split_tables
from zonesim.faults import ScenarioFault
from zonesim.jobs import whatif
from zonesim.jobs.levers import levers_of
from zonesim.jobs.run import run_job
from zonesim.kpi import asked_of
from zonesim.plan import compile_plan
from zonesim.policy import apply, arms_for, open_world, parse_setting, resolve, world_of
from zonesim.scenario import load_catalogue, read_text

SHORT = ("clock.warm_up=2 h", "clock.measure=1 d", "clock.cool_down=6 h")
GATE = ROOT / "scenarios" / "busy_gate.yaml"

DESKS = """\
zonesim: 1
kind: scenario
name: desks
label: {en: "<script>alert(1)</script> =cmd() $x$", zh: "窗口"}
clock: {measure: 1 d}
zones:
  Z:
    label: {en: "<b>Z</b>", zh: 区}
    desk: {units: 2, open: office, role: officer, label: {en: "<i>desk</i>", zh: 窗口}}
flows: {f: {steps: {work: {hold: {d: Z.desk}, take: {uniform: [5 min, 20 min]}}}}}
traffic: {a: {flow: f, rate: 4 /h}}
"""


def _desks():
    return world_of(read_text(DESKS, "desks.yaml"))


def _lever(key, *settings, **others):
    return Lever(key, ((), *((each,) for each in settings)), ({},) * (1 + len(settings)), {}, **others)


def test_packed_tables_are_told_in_columns_of_differences():
    """
    Equal tables have one number; words are told column by column, each less the one above it.
    """
    packing = Packing()
    first = packing.add("t", np.array([1, 10, 3, 30, 6, 60], dtype=np.uint32), 8)
    again = packing.add("t", np.array([1, 10, 3, 30, 6, 60], dtype=np.uint32), 8)
    other = packing.add("t", np.array([7, 70], dtype=np.uint32), 8)
    index, data = packing.packed()

    assert (first, again, other) == (0, 0, 1)
    assert index == [[3, 2, 0], [1, 2, 0]]
    assert np.frombuffer(data, np.uint32).tolist() == [1, 2, 3, 7, 10, 20, 30, 70]


def test_levers_compose_or_are_set_apart():
    """
    Units, demand and hours of one desk compose: units change in whatever hours there are. Two levers of the same number
    do not. What is put together equals the plan that is compiled.
    """
    levers = [
        _lever("again", "traffic.a.rate=9 /h", everywhere=True),
        _lever("demand", "traffic.*.rate*=2", everywhere=True),
        _lever("units", "zones.Z.desk.units=3", "zones.Z.desk.units=4"),
        _lever("hours", "zones.Z.desk.open=always"),
    ]
    (own,) = all_plans(_desks(), (), levers)

    assert own.apart == {"demand": ["again"]}
    texts = ("traffic.*.rate*=2", "zones.Z.desk.units=4", "zones.Z.desk.open=always")
    plan = compile_plan(resolve(_with(_desks(), *texts), arms_for(_desks(), [])[0]))
    made, truth = with_levels(own, {"demand": 1, "units": 2, "hours": 1}), split_tables(plan)
    assert difference(truth, made) == {}


def _with(world, *settings):
    changed = world.copy()
    apply(changed, [parse_setting(each) for each in settings])
    return changed


def test_a_shelf_has_every_combination_of_measures():
    """
    Of one measure: the plan without, and the plan with it; its share is a lever of that alone. What levers change is
    carried over, and is what it is where it is worked out there.
    """
    world = open_world(GATE, SHORT)
    measures = arms_for(world, ["11"])[-1].measures
    levers = [
        _lever("lanes", "zones.BUSY.lanes_in.units=5"),
        _lever("share", "measures.m11.coverage=10 %", "measures.m11.coverage=20 %", needs="m11"),
    ]
    own = all_plans(world, measures, levers)

    assert [each.measures for each in own] == [(), ("m11",)]
    assert [list(each.levers) for each in own] == [["lanes"], ["lanes", "share"]]
    assert own[0].tables["flow.program"].tobytes() != own[1].tables["flow.program"].tobytes()
    plan = compile_plan(
        resolve(_with(world, "zones.BUSY.lanes_in.units=5", "measures.m11.coverage=20 %"), arms_for(world, ["11"])[-1])
    )
    assert difference(split_tables(plan), with_levels(own[1], {"lanes": 1, "share": 2})) == {}


def test_the_tables_of_a_plan_are_those_that_the_kernel_is_handed():
    """
    By name and size: the page hands over what the compiled engine does.
    """
    plan = plan_of(DESKS)
    tables, at = tables_of(plan), iter(layout()["arguments"])
    for bundle in arguments(plan)[1:]:
        for array in _flat(bundle):
            name, item, columns = next(at)
            assert (array.itemsize, array.ndim == 2) == (item, columns > 1), name
            if name in tables and name not in {"arrivals.member_flags", "arrivals.raised", "batches.batches"}:
                assert tables[name].nbytes == array.nbytes, name
    assert next(at, None) is None


def _flat(bundle):
    return [part for each in bundle for part in _flat(each)] if isinstance(bundle, tuple) else [bundle]


def test_a_page_tells_headlines_that_it_can_fold():
    """
    Times between marks, passages of a gate, waits for a lane, use and hours; of each what it is made of.
    """
    plan = compile_plan(resolve(open_world(GATE, SHORT), arms_for(open_world(GATE, SHORT), [])[0]))
    asked = asked_of(plan)
    kinds = {kpi["kind"] for kpi in asked.kpis}

    assert {"time", "pass", "wait", "service", "utilisation", "hours", "inside"} == kinds
    assert asked.marks.shape == (len(plan.names.marks), 5)
    assert asked.steps.shape == (len(plan.names.steps), 4)


@pytest.fixture
def module(monkeypatch):
    """A kernel for browsers, in name."""
    monkeypatch.setattr(whatif, "module_bytes", lambda: b"\0asm")


def test_what_a_page_cannot_hold_is_refused(module, monkeypatch, tmp_path):
    """
    An unknown clock, more measures than a page holds, a page that is too large: each fault says what to do.
    """
    file = tmp_path / "desks.yaml"
    file.write_text(DESKS, encoding="utf-8")
    out = tmp_path / "page.html"

    def job(names=(), clock="file"):
        return whatif.whatif_job(file, list(names), (), out, "en", clock, 1, lambda _: None)

    with pytest.raises(ScenarioFault, match="no clock 'fast'"):
        job(clock="fast")
    monkeypatch.setattr(whatif, "LARGEST_PAGE", 1000)
    with pytest.raises(ScenarioFault, match=r"the page would have [\d,]+ bytes, more than 1,000"):
        job()
    monkeypatch.setattr(whatif, "MOST_MEASURES", 1)
    with pytest.raises(ScenarioFault) as found:
        whatif.whatif_job(GATE, ["11", "8"], (), out, "en", "short", 1, lambda _: None)
    assert "2 measures, of which every combination would be a plan" in str(found.value)
    assert "Name 1 at most." in str(found.value)
    assert not out.exists()


def test_no_label_is_markup(module, tmp_path):
    """
    Labels with markup, formulas and dollars stand in the data, packed; the title is escaped.
    """
    file, out = tmp_path / "desks.yaml", tmp_path / "new" / "page.html"
    file.write_text(DESKS, encoding="utf-8")
    job = whatif.whatif_job(file, [], (), out, "en", "file", 1, lambda _: None)
    text = out.read_text(encoding="utf-8")

    assert job.document["plans"] == 1
    assert "<title>&lt;script&gt;alert(1)&lt;/script&gt; =cmd() $x$</title>" in text
    assert "alert(1)" not in text.replace("&lt;script&gt;alert(1)&lt;/script&gt;", "")
    packed = text.partition('id="data-about">')[2].partition("</script>")[0]
    about = json.loads(zlib.decompress(base64.b64decode(packed)))
    assert about["title"]["en"] == "<script>alert(1)</script> =cmd() $x$"
    assert {"Z.desk", "Z.desk.open", "demand"} == {each["key"] for each in about["levers"]}
    assert all({"en", "zh"} == set(each) for each in about["words"].values())
    assert "http" not in text.replace("http://www.w3.org/2000/svg", "").replace("http-equiv", "")


def test_changes_hold_in_all_arms_but_the_baseline(tmp_path, monkeypatch):
    """
    With `--measures none` there is one arm beside the baseline; a future is no change, and without changes there is
    nothing to compare.
    """
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "desks.yaml"
    file.write_text(DESKS, encoding="utf-8")

    def job(*changes, names=("none",)):
        return run_job(
            file, list(names), (), 2, 1, Execution(1), tmp_path / "out", only=False, with_figures=False, changes=changes
        )

    found = job("zones.Z.desk.units=4")
    assert list(found.document["arms"]) == ["R1", "changed"]
    assert "--change zones.Z.desk.units = 4" in found.text
    (folder,) = (tmp_path / "out").glob("*units-4*")
    study = json.loads((folder / "study.json").read_text(encoding="utf-8"))
    assert study["changed"] == ["zones.Z.desk.units=4"]
    with pytest.raises(ScenarioFault, match="no measures and no changes: there is nothing to compare"):
        job()
    with pytest.raises(ScenarioFault, match="an arm has a future of its own"):
        job("future=demand_x2")
    with pytest.raises(ScenarioFault, match="Write --change zones.TYP.lanes_in.units=4"):
        job("zones.Z.desk.units")


def test_flows_and_places_are_called_by_their_labels():
    """
    A flow has its label and its code, a place its label where no other has the same, all together no name at all; what has
    no label keeps its name.
    """
    world = open_world(ROOT / "scenarios" / "typical_zone.yaml", [])
    told = {"F4b": "Dwell, mean", "TYP.lanes_in": "Wait", "all": "Officer hours per day", "nobody": "Dwell"}
    kpis = [{"en": f"{name}: {rest}", "zh": f"{name}：{rest}", "id": name} for name, rest in told.items()]
    one = whatif.called(world, kpis)
    two = whatif.called(world, [*kpis, {"en": "PORT.lanes_in: Wait", "zh": "PORT.lanes_in：Wait", "id": "p"}])

    assert [each["en"] for each in one] == [
        "Domestic goods without declaration (F4b): Dwell, mean",
        "Gate in: Wait",
        "Officer hours per day",
        "nobody: Dwell",
    ]
    assert [each["zh"] for each in one][:2] == ["便捷进出区货物（F4b）：Dwell, mean", "进区卡口：Wait"]
    assert [each["id"] for each in one] == list(told)
    assert two[1]["en"].startswith("Gate in")


def test_parameters_of_measures_have_chinese_words():
    """
    Every share of a measure that a lever may move is called by a word in both languages.
    """
    keys = {key for measure in load_catalogue().measures.values() for key in measure.params}

    assert [key for key in sorted(keys) if param_label(key)["zh"] == key] == []


DOUBTED = DESKS.replace("rate: 4 /h", "rate: {uncertain: [2 /h, 4 /h, 9 /h]}")


def _numbers(*asked, text=DESKS, measures=()):
    return {lever.key: lever for lever in levers_of(world_of(read_text(text, "desks.yaml")), measures, asked)}


def test_any_number_of_the_register_can_be_a_lever():
    """
    A number with its ends, or one that is `uncertain`, whose ends are known; what is assumed says so. Whoever has no
    office hours has no hours to move; office hours can be a longer day, or all day.
    """
    found = _numbers("traffic.a.rate=2 /h..6 /h")
    own = found["number.traffic.a.rate"]

    assert own.settings == (("traffic.a.rate=2 /h",), (), ("traffic.a.rate=6 /h",))
    assert (own.everywhere, own.assumed) == (True, True)
    assert own.texts[0] == {"en": "2 /h", "zh": "2 /h"}
    hours = found["Z.desk.open"]
    assert hours.settings == ((), ("zones.Z.desk.open=long_day",), ("zones.Z.desk.open=always",))
    doubted = _numbers("traffic.a.rate", text=DOUBTED)["number.traffic.a.rate"]
    assert doubted.settings == (("traffic.a.rate=2 /h",), (), ("traffic.a.rate=9 /h",))


@pytest.mark.parametrize(
    ("asked", "fault"),
    [
        (
            "traffic.a.rat=1 /h..2 /h",
            "--lever traffic.a.rat=1 /h..2 /h: --lever removes 'traffic.a.rat', but 'traffic.a'",
        ),
        ("zones.Z.label=1..2", "--lever zones.Z.label=1..2: no number at 'zones.Z.label'"),
        ("traffic.a.rate", "nobody has said between which ends 'traffic.a.rate' lies"),
        ("traffic.a.rate=3 /h", "'3 /h' is no low and high end"),
        ("traffic.a.rate=2 /h..fast", "fast"),
        ("measures.m11.coverage=1%..2%", "measure 'm11' is not on the page"),
    ],
)
def test_a_lever_that_is_none_is_refused(asked, fault):
    """
    A path with a typo, something that is no number, a number without ends, ends that are none, a measure that is not on
    the page.
    """
    with pytest.raises(ScenarioFault) as found:
        _numbers(asked)
    assert fault in str(found.value)


def test_levers_that_are_left_out_are_told(module, monkeypatch, tmp_path):
    """
    One that changes nothing, and one for which the page has no room: the note says which and why.
    """
    file, out = tmp_path / "desks.yaml", tmp_path / "page.html"
    file.write_text(DESKS, encoding="utf-8")
    asked = ["traffic.a.rate=4 /h..4 /h"]
    job = whatif.whatif_job(file, [], (), out, "en", "file", 1, lambda _: None, asked)

    assert job.notes == ["lever left out, for no plan of the page depends on it: number.traffic.a.rate"]
    size = job.document["bytes"]
    monkeypatch.setattr(whatif, "LARGEST_PAGE", size - 300)
    job = whatif.whatif_job(file, [], (), out, "en", "file", 1, lambda _: None)
    assert job.notes[0].startswith(f"lever left out, for the page would have more than {size - 300:,} bytes: ")
    assert job.document["levers_left_out"]
    assert job.document["bytes"] < size


def test_levers_that_change_the_program_are_asked_for_where_there_are_many_plans(module, monkeypatch, tmp_path):
    """
    With more combinations than such levers are worked out in, the note says how to ask for one; asked for it is there.
    """
    file, out = tmp_path / "desks.yaml", tmp_path / "page.html"
    doubts = "doubts: {flows.f.work.take: {en: work, zh: 工作}}\n"
    text = DESKS.replace("take: {uniform: [5 min, 20 min]}", "take: {uncertain: [5 min, 10 min, 20 min]}") + doubts
    file.write_text(text, encoding="utf-8")
    monkeypatch.setattr(sys.modules[all_plans.__module__], "MOST_WORKED_OUT", 0)

    def job(*asked):
        return whatif.whatif_job(file, [], (), out, "en", "file", 1, lambda _: None, asked)

    why = "it changes the program and would be worked out in each of 1 plans"
    key, path = "doubt.flows.f.work.take", "flows.f.work.take"
    assert job().notes == [f"lever left out, for {why}: {key}; --lever {path}=LOW..HIGH asks for it"]
    assert f"number.{path}" in job(f"{path}=5 min..20 min").document["levers"]


def test_levels_of_several_levers_are_told_apart_by_what_they_touch():
    """
    Of a plan with levels of several levers each gets what it touches; where something is nobody's, nothing is told.
    """
    words = np.array([7, 8, 9], dtype=np.uint32)
    both = {"t": Change(None, np.array([0, 5, 1], dtype=np.uint32), words), "u": Change(whole=words)}
    first, second = (
        touched_by({"t": Change(None, np.array([1], dtype=np.uint32), words[:1])}),
        {"t": frozenset({2}), "u": None},
    )

    assert grouped({0: first, 1: second, 2: {"u": None}}) == [[0, 1], [2]]
    one, other = attributed(both, [first, second])
    assert (one["t"].places.tolist(), one["t"].words.tolist()) == ([0, 1], [7, 9])
    assert (other["t"].places.tolist(), other["u"].whole is words) == ([5], True)
    assert attributed(both, [first, {"t": frozenset({3}), "u": None}]) is None
    assert attributed(both, [first, {"t": frozenset({2})}]) is None
