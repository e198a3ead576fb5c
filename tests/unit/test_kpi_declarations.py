"""What declarations of KPIs may say, and the words in which a wrong one is refused."""

from __future__ import annotations

import importlib
import shutil

import pytest
from typer.testing import CliRunner

from tests.helper import ROOT, add_measure, kpis, plan_of
from zonesim import cli
from zonesim.analysis import Difference
from zonesim.briefing.figures.results_context import results_context
from zonesim.experiment import Execution, cell_key
from zonesim.faults import Faults
from zonesim.jobs.sweep import sweep_job
from zonesim.kpi import catalogue, definitions
from zonesim.plan import compile_plan
from zonesim.policy import arms_for, resolve, world_of
from zonesim.scenario import catalogue as catalogue_module
from zonesim.scenario import check, load_catalogue, read_text
from zonesim.scenario.kpis import KpisDocument, limit_of, quantile_of

HEAD = "zonesim: 1\nkind: kpis\nname: own\nkpis:\n  k:\n"

LIBRARY = {
    "flow": (
        "dwell.mean dwell.median dwell.p90 dwell.p95 dwell.within_24h dwell.within_48h dwell.missing dwell_by.mean dwell_by.day clearance.mean"
        " clearance.p95 customs.mean customs.p95 customs.within_24h declarations.day transits.day pending.mean inspected.rate"
        " stage.mean stay.mean stay.p95 stay.missing stay_by_end.mean inside.mean arrived.day completed.day truck_hours.day"
    ),
    "step": (
        "wait.mean wait.p95 wait.share service.mean stay.mean visits.day open.share gave_up.share wait_all.mean"
        " interruptions.day interrupted.mean"
    ),
    "gate": (
        "lane.mean wait.mean wait.p95 queue_and_lane.mean pass.mean pass.median pass.p95 pass.missing passes.day"
        " exceptions_of_goods.rate exceptions.rate manual.rate automatic.rate recovery.longest recovery.mean"
    ),
    "resource": "availability utilisation queue.mean queue.peak backlog.mean backlog.share busy_hours.day overtime load",
    "account": "level.mean level.end credited.day debited.day",
    "truth": "missed.share missed.day caught.share caught.day cases.day false_stops.rate",
    "zone": "goods_dwell.mean goods_dwell.p95 goods_dwell.day",
    "all": (
        "officer_hours.day truck_hours.day goods_dwell.mean goods_dwell.day goods_dwell_by.mean goods_dwell_by.day makespan"
        " work.first work.last"
    ),
}
"""The KPIs of the library by scope, in the order in which they are told."""

WRONG = {
    "nothing that is measured": (
        "better: lower",
        "exactly one of time, stages, share, count, inside, visits, resource, account, truth, hours, cost, run, recovery is due,"
        " found none\n    Write e.g. time: {from: called, to: served}.",
    ),
    "two things that are measured": ("visits: wait\n    count: {mark: a}", "found count and visits\n"),
    "some of those who pass where nobody passes": (
        "share: {marked: inspected, among: goods}\n    statistics: {rate: {}}",
        "`among` is told at a gate only\n    Leave it out, or tell the share of a class or attribute with `of`.",
    ),
    "a scope that it has not": (
        "visits: wait\n    scope: all",
        "'visits' is not told of the scope 'all'\n    Write `scope: step or gate`.",
    ),
    "a statistic that it has not": (
        "visits: wait_all\n    statistics: {p95: {}}",
        "no statistic 'p95' of visits wait_all\n    Of this there are: mean.",
    ),
    "those who end inside, and once": (
        "time: {from: a, to: b, once: c, within: window}",
        "`within` is told of flows, and without `once`\n    Leave out one of them.",
    ),
    "a share of both": (
        "share: {marked: a, unmarked: b}",
        "a share is of those marked or of those unmarked\n    Write {marked: inspected}.",
    ),
    "a share of those without a mark in a flow": (
        "share: {unmarked: a}\n    statistics: {rate: {}}",
        "a share of those without a mark is told at a gate only\n    Write {marked: …}.",
    ),
    "stages that end elsewhere": (
        "stages: {through: [a, b], to: c}",
        "the way through a, b has no 'c'\n    End at one of its marks.",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_declaration_is_refused_in_words(case):
    """
    A declaration that does not fit together says what is wrong with it, and what would be right.
    """
    body, expected = WRONG[case]
    statistics = "" if "statistics:" in body else "\n    statistics: {mean: {}}"
    document = read_text(f"{HEAD}    {body}{statistics}\n", "own.yaml")
    with pytest.raises(Faults) as found:
        check(KpisDocument, document.tree, document.places, document.keys, file="own.yaml")

    assert expected in str(found.value)
    assert str(found.value).startswith("own.yaml:")


def test_the_library_declares_the_kpis_that_it_always_had():
    """
    Scope by scope the library has these KPIs in this order; ids that people use in files keep their meaning.
    """
    found: dict[str, list[str]] = {}
    for each in definitions():
        found.setdefault(each.scope, []).append(each.what)

    assert {scope: " ".join(names) for scope, names in found.items()} == LIBRARY


def test_every_kpi_has_words_in_both_languages():
    """
    Each statistic of the library has a label and a definition in English and in Chinese.
    """
    for each in definitions():
        assert each.en != each.zh, each.what
        assert each.meaning, each.what
        assert each.meaning_zh not in {"", each.meaning}, each.what


def test_statistics_say_their_share_and_their_limit():
    """
    A percentile is a share below it, a limit a number of ms; other statistics are neither.
    """
    assert (quantile_of("median"), quantile_of("p95"), quantile_of("mean"), quantile_of("p100")) == (
        0.5,
        0.95,
        None,
        None,
    )
    assert limit_of("within_10min") == (10, "min", 600_000)
    assert (limit_of("within_2h"), limit_of("within_0h"), limit_of("within_1week")) == ((2, "h", 7_200_000), None, None)


SCENARIO = """\
clock: {start: "2018-09-03", measure: 1 d}
zones: {Z: {clerks: {units: 2, role: clerk}, doors: {units: unlimited, role: door}}}
truth: {bad: {all: 5 %}}
flows:
  f: {entity: customer, steps: {a: {take: 1 min, mark: called}, b: {hold: {c: Z.clerks}, take: 5 min, mark: served}}}
  g: {steps: {d: {take: 1 min, mark: sent}}}
traffic: {t: {flow: f, rate: 3 /h}, u: {flow: g, rate: 3 /h}}
kpis:
  k: {KPI, statistics: {STATISTIC: {}}}
"""

UNKNOWN = {
    "a name of the library": (
        "  k: {",
        "  dwell: {",
        ("share: {marked: called}", "rate"),
        "timeline.yaml:12:3: KPI 'dwell' would have the ids of one of the library\n    Rename it.",
    ),
    "a name of the library in a scope whose ids look alike": (
        "  k: {",
        "  lane: {",
        ("visits: service", "mean"),
        "timeline.yaml:12:3: KPI 'lane' would have the ids of one of the library\n    Rename it.",
    ),
    "a mark": (
        "",
        "",
        ("time: {from: called, to: servd}", "mean"),
        "timeline.yaml:12:32: no flow of the traffic has a mark 'servd'\n    Did you mean 'served'?",
    ),
    "marks that never meet": (
        "",
        "",
        ("time: {from: called, to: sent}", "mean"),
        "timeline.yaml:12:13: no flow of the traffic has both marks 'called' and 'sent'\n    Name two marks that the"
        " tokens of one flow make.",
    ),
    "a mark that is counted": (
        "",
        "",
        ("count: {mark: server}", "day"),
        "timeline.yaml:12:21: no flow of the traffic has a mark 'server'\n    Did you mean 'served'?",
    ),
    "a role": (
        "",
        "",
        ("hours: {role: clerc}", "day"),
        "timeline.yaml:12:21: no resource has the role 'clerc'\n    Did you mean 'clerk'?",
    ),
    "a role with a rate": (
        "",
        "",
        ("cost: {rate: {boss: 60 CNY/h}}", "day"),
        "timeline.yaml:12:27: no resource has the role 'boss'\n    Known roles: clerk, door.",
    ),
    "open hours without end": (
        "",
        "",
        ("hours: {role: door, of: open}", "day"),
        "timeline.yaml:12:21: Z.doors has unlimited units, so no open hours\n    Give its units, or count the hours in"
        " use with `of: busy`.",
    ),
    "a rate that is none": (
        "",
        "",
        ("cost: {rate: {clerk: 60 元/小时}}", "day"),
        "timeline.yaml:12:28: unknown unit '元/小时' in '60 元/小时'\n    Write '60 CNY/h'.",
    ),
    "a step": (
        "",
        "",
        ("visits: wait, only: [f.bb]", "mean"),
        "timeline.yaml:12:28: no step 'f.bb'\n    Did you mean 'f.b'?",
    ),
    "a flow": (
        "",
        "",
        ("share: {marked: served}, only: [fx]", "rate"),
        "timeline.yaml:12:39: no flow or entry of the traffic 'fx'\n    Did you mean 'f'?",
    ),
    "a kind": (
        "",
        "",
        ("inside: {kind: customr}", "mean"),
        "timeline.yaml:12:22: no token is a 'customr'\n    Did you mean 'customer'?",
    ),
    "a gate where there is none": (
        "",
        "",
        ("scope: gate, share: {marked: stopped}", "rate"),
        "timeline.yaml:12:14: no gate in this scenario\n    A gate is a flow with a `place` whose tokens make the mark"
        " 'gate_arrived'.",
    ),
    "a role that is nearly one of the library": (
        "role: door",
        "role: oficer",
        ("visits: wait", "mean"),
        "timeline.yaml:5:78: no KPI knows the role 'oficer'\n    Did you mean 'officer'?",
    ),
}


@pytest.mark.parametrize("case", UNKNOWN)
def test_what_a_kpi_names_has_to_be_there(case):
    """
    A KPI of a scenario that names a mark, step, role, flow or kind that is not there is refused at its place, and so is
    a name that the library has in ids of the same form.
    """
    old, new, (kpi, statistic), expected = UNKNOWN[case]
    text = SCENARIO.replace(old, new) if old else SCENARIO
    with pytest.raises(Faults) as found:
        plan_of(text.replace("KPI", kpi).replace("STATISTIC", statistic))

    assert str(found.value).startswith(expected)


GATE = """\
clock: {start: "2018-09-03", measure: 1 d}
zones: {Z: {lanes: {units: 2}}}
flows:
  gate:
    place: Z.lanes
    steps:
      come: {mark: [gate_arrived, asked, paid]}
      lane: {hold: {l: Z.lanes}, take: 1 min, mark: gate_passed}
  visit: {steps: {in: {call: gate}}}
traffic: {t: {flow: visit, rate: 3 /h}}
kpis:
"""

AT_A_GATE = {
    "a mark that no gate has": (
        "  k: {scope: gate, time: {from: gate_arrived, to: askd}, statistics: {mean: {}}}",
        "no gate has a mark 'askd'\n    Did you mean 'asked'?",
    ),
    "a count of another mark": (
        "  k: {scope: gate, count: {mark: asked}, statistics: {day: {}}}",
        "at a gate 'gate_arrived' is counted only\n    Leave out `scope`, so that the marks of each flow are counted.",
    ),
    "more marks than are kept": (
        "  k: {scope: gate, time: {from: asked, to: paid}, statistics: {mean: {}}}",
        "KPIs of gates ask for more than 6 marks of a passage\n    Leave out `scope`, so that marks of flows are told.",
    ),
    "a direction that is none": (
        "  k: {scope: gate, only: [Z.lane], visits: wait, statistics: {mean: {}}}",
        "no direction of a gate 'Z.lane'\n    Did you mean 'Z.lanes'?",
    ),
}


@pytest.mark.parametrize("case", AT_A_GATE)
def test_kpis_of_gates_that_cannot_be_told(case):
    """
    A KPI of gates asks for marks of a passage, six in all with those of the library.
    """
    kpi, expected = AT_A_GATE[case]
    with pytest.raises(Faults) as found:
        plan_of(GATE + kpi)

    assert expected in str(found.value)


def test_more_marks_than_a_run_keeps_are_refused():
    """
    KPIs may ask for sixty marks of consignments; what is more is refused at the list of KPIs.
    """
    marks = [f"m{number}" for number in range(62)]
    steps = ", ".join(f"s{number}: {{take: 1 min, mark: {mark}}}" for number, mark in enumerate(marks))
    kpis = "".join(f"\n  k{mark}: {{share: {{marked: {mark}}}, statistics: {{rate: {{}}}}}}" for mark in marks)
    text = f'clock: {{start: "2018-09-03", measure: 1 d}}\nflows: {{f: {{steps: {{{steps}}}}}}}\n'
    with pytest.raises(Faults) as found:
        plan_of(f"{text}traffic: {{t: {{flow: f, rate: 1 /h}}}}\nkpis:{kpis}")

    assert "KPIs ask when consignments reach more than 60 marks\n    Leave some out." in str(found.value)


def test_a_measure_may_take_away_what_a_kpi_names(monkeypatch):
    """
    A KPI of a mark that a measure takes away is told of the baseline, and of the arm there is none: it is no fault.
    """
    add_measure(
        monkeypatch,
        "name: m99\nannex: 99\npractices:\n  p:\n    label: {en: x, zh: 甲}\n    adoption: {share: 100 %}\n"
        "    edits: [{remove: flows.f.b}]\n",
    )
    kpi, statistic = UNKNOWN["a mark"][2][0].replace("servd", "served"), "mean"
    world = world_of(
        read_text(HEAD_OF_SCENARIO + SCENARIO.replace("KPI", kpi).replace("STATISTIC", statistic), "s.yaml")
    )
    base, arm = (compile_plan(resolve(world, own)) for own in arms_for(world, ["99"]))

    assert "f.k.mean" in {each.id for each in catalogue(base)}
    assert "f.k.mean" not in {each.id for each in catalogue(arm)}


HEAD_OF_SCENARIO = "zonesim: 1\nkind: scenario\nname: own\n"


CACHES = (
    load_catalogue,
    *(getattr(importlib.import_module("zonesim.kpi.definitions"), name) for name in ("library", "table_version")),
)
"""What the library is read into."""


@pytest.fixture
def library(tmp_path, monkeypatch):
    """Return a copy of the library's folder of KPIs, which is read in place of the library."""
    before = load_catalogue()
    shutil.copytree(ROOT / "zonesim" / "library", tmp_path / "library")
    with monkeypatch.context() as patch:
        patch.setattr(catalogue_module, "files", lambda _: tmp_path)
        for cache in CACHES:
            cache.cache_clear()
        yield tmp_path / "library" / "kpis"
    for cache in CACHES:
        cache.cache_clear()
    vars(load_catalogue()).update(vars(before))  # other tests hold the library as it was read first


def test_a_block_in_the_library_is_a_kpi_of_every_run(library, tmp_path):
    """
    A KPI that is added to a file of the library, and nothing else, stands in the table that `run` prints and in its CSV.
    """
    block = "  quick:\n    time: {from: arrived, to: left}\n    label: {en: Quick, zh: 快}\n    statistics: {within_6min: {}}\n"
    flow = library / "flow.yaml"
    flow.write_text(flow.read_text(encoding="utf-8") + block, encoding="utf-8")
    for cache in CACHES:
        cache.cache_clear()
    text = SCENARIO.partition("kpis:")[0].replace("measure: 1 d", "measure: 4 h")
    (tmp_path / "s.yaml").write_text(HEAD_OF_SCENARIO + text, encoding="utf-8")
    out = ["--out", str(tmp_path / "results")]
    done = CliRunner().invoke(cli.app, ["run", str(tmp_path / "s.yaml"), "--replications", "2", "--workers", "1", *out])

    assert done.exit_code == 0, done.output
    assert "Quick within 6 min" in " ".join(done.output.split())
    (table,) = (tmp_path / "results").glob("*/run.csv")
    assert "f.quick.within_6min,f: Quick within 6 min,f：快6分钟内占比,share,neither,1" in table.read_text(
        encoding="utf-8"
    )


def test_a_rate_can_be_set_and_makes_other_cells():
    """
    What a KPI says can be set like any value of the scenario; its numbers are not taken for those of another rule, and a
    label changes nothing.
    """
    text = SCENARIO.replace("KPI", "cost: {rate: {clerk: 60 CNY/h}, of: open}").replace("STATISTIC", "day")
    plain, dearer = plan_of(text), plan_of(text, "kpis.k.cost.rate.clerk=90 CNY/h")
    called = plan_of(text.replace("statistics: ", "label: {en: Pay, zh: 薪酬}, statistics: "))

    assert [kpis(plan)[0].values["all.k.day"] for plan in (plain, dearer)] == [2 * 24 * 60, 2 * 24 * 90]
    assert plain.identity == dearer.identity
    assert cell_key(plain, 1, 0) == cell_key(called, 1, 0) != cell_key(dearer, 1, 0)


def test_results_keep_what_their_kpis_mean(tmp_path):
    """
    A results folder draws own KPIs with their labels and with the way that is good, whatever became of the scenario;
    effects say whether a change is one for the better.
    """
    path = tmp_path / "s.yaml"
    own = "time: {from: called, to: served}, better: lower, label: {en: Service, zh: 办理}"
    text = (
        SCENARIO.replace("KPI", own)
        .replace("STATISTIC", "mean")
        .replace("measure: 1 d", "measure: 1 d, cool_down: 4 h")
    )
    path.write_text(HEAD_OF_SCENARIO + text, encoding="utf-8")
    (tmp_path / "e.yaml").write_text(
        "zonesim: 1\nkind: experiment\nname: e\nscenario: s.yaml\nreplications: 3\nkpis: [f.k.mean]\n"
        "arms: {base: [], slow: {set: {flows.f.steps.b.take: 20 min}}}\n",
        encoding="utf-8",
    )
    job = sweep_job(tmp_path / "e.yaml", [], None, None, Execution(workers=1), tmp_path / "results")
    path.unlink()
    shown = results_context(tmp_path / "results" / "e", "zh", ())
    (slow,) = [each for each in job.document["results"] if each["arm"] == "slow"]

    assert [(kpi.id, kpi.definition.zh, kpi.definition.better) for kpi in shown.context.chief()] == [
        ("f.k.mean", "办理均值", "lower")
    ]
    assert (slow["better"], slow["change"]) == ("lower", "worse")


def test_a_change_is_for_the_better_or_the_worse():
    """
    A difference whose limits lie on one side of 0 is better or worse where one way is good; any other is neither.
    """
    up, down, unsure = (
        Difference(value, *limits, 5, 1.0) for value, limits in ((2, (1, 3)), (-2, (-3, -1)), (1, (-1, 3)))
    )

    assert [each.change("lower") for each in (up, down, unsure)] == ["worse", "better", ""]
    assert [each.change("higher") for each in (up, down, unsure)] == ["better", "worse", ""]
    assert [each.change("neither") for each in (up, down, unsure)] == ["", "", ""]
