"""A day played back: what the page counts is what the visits say, both sides meet the same luck, and no label is more than text."""

from __future__ import annotations

import base64
import datetime
import gzip
import json
import re

import numpy as np
import pytest

from tests.helper import RowLog, plan_of, plan_of_world
from zonesim.briefing.replay.page import packed
from zonesim.engine import simulate
from zonesim.faults import ScenarioFault
from zonesim.jobs.replay import Asked, replay_job
from zonesim.plan import NEVER, number_of, place_of
from zonesim.policy import arm_named, world_of
from zonesim.scenario import read_text
from zonesim.tracing.day import Day, busiest_day, curve_of, day_numbered, days_of, present, worst_hour
from zonesim.tracing.story import tell
from zonesim.tracing.trail import follow
from zonesim.units import DAY, HOUR

HOSTILE = "</script><script>alert(1)</script>"

ZONE = """\
zonesim: 1
kind: scenario
name: small
clock: {start: "2018-09-03", warm_up: 1 d, measure: 7 d, cool_down: 3 d}
zones:
  Z:
    label: {en: "a $x$", zh: 小区}
    lanes: {units: 1, role: lane, label: {en: "Gate <b>in</b>", zh: 进区卡口}}
    desk: {units: {mon-fri: {"08:00-12:00": 2, "13:00-17:00": 1}}, at_shift_end: pause}
    docks: {units: 3, role: dock}
    guards: {units: 2}
  FAR: {outside: true, docks: {units: unlimited}}
profiles:
  week: {hours: [1, 1, 1, 1, 1, 1, 2, 3, 4, 4, 3, 2, 2, 3, 4, 3, 2, 1, 1, 1, 1, 1, 1, 1], days: [1, 1, 3, 1, 1, 9, 1]}
flows:
  f:
    label: {en: A load, zh: 一票货物}
    entity: truck
    steps:
      come: {take: {distance: 20 km, speed: 40 km/h, cv: 0.2}, label: {en: Drive, zh: 行驶}}
      gate: {hold: {lane: Z.lanes}, take: {exponential: {mean: 6 min}}}
      unload: {hold: {dock: Z.docks, guard: Z.guards}, take: {exponential: {mean: 20 min}}}
      papers: {hold: {clerk: Z.desk}, take: {exponential: {mean: 15 min}}}
      think: {take: 30 min}
      out: {hold: {lane: Z.lanes}, take: 2 min}
traffic: {t: {flow: f, rate: 30 /d, profile: week}}
"""


@pytest.fixture(scope="module")
def ran():
    """Return the plan of the small zone and the rows of one run."""
    plan = plan_of(ZONE)
    log = RowLog()
    return plan, log, simulate(plan, 1, 0, log)


def _resource(plan, name):
    return [str(each) for each in plan.names.resources].index(name)


@pytest.mark.parametrize("name", ["Z.lanes", "Z.desk", "Z.docks"])
def test_what_is_counted_is_what_the_visits_say(ran, name):
    """
    At any moment a queue is the number of visits with queued <= t < started, units in use those of visits with started <= t < ended less those that
    are interrupted, and the mean wait that of visits that started since the day began.
    """
    plan, log, _ = ran
    resource, day = _resource(plan, name), day_numbered(plan, 3)
    curve = curve_of(plan, log.visits, resource, day.begin, day.end)
    rng = np.random.Generator(np.random.PCG64(1))
    for moment in [day.begin, day.end - 1, *rng.integers(day.begin, day.end, 40).tolist(), *curve.time[::10].tolist()]:
        queue = used = served = waited = 0
        for key, queued, started, ended in log.visits.tolist():
            step = plan.names.steps[place_of(key)]
            if step.is_leave or resource not in step.asked:
                continue
            gone = plan.horizon if ended == NEVER else ended
            out = gone if started == NEVER else started
            queue += queued <= moment < out
            if step.is_interruption:
                used -= queued <= moment < out
                continue
            used += started != NEVER and started <= moment < gone
            if day.begin <= started <= moment:
                served += 1
                waited += started - queued
        assert curve.at(moment) == (queue, used, served, waited)


def test_the_curves_have_the_integrals_of_the_engine(ran):
    """
    Over the whole window queue and use add up to the token-ms and unit-ms that the engine counts itself.
    """
    plan, log, totals = ran
    assert any(plan.names.steps[place_of(key)].is_interruption for key in log.visits["key"].tolist())
    for resource in range(len(plan.names.resources)):
        curve = curve_of(plan, log.visits, resource, plan.begin, plan.end)
        lasts = np.diff(np.append(curve.time, plan.end))

        assert curve.queue_time(plan.begin, plan.end) == totals.queue[resource]
        assert int((curve.used * lasts).sum()) == totals.busy[resource]


def test_the_worst_hour_has_the_most_waiting(ran):
    """
    No clock hour of the day has more token-ms in the queue; where nobody waits there is none.
    """
    plan, log, _ = ran
    day = day_numbered(plan, 3)
    curve = curve_of(plan, log.visits, _resource(plan, "Z.lanes"), day.begin, day.end)
    resource = _resource(plan, "Z.lanes")
    begin, most = worst_hour(plan, resource, curve, day)
    hours = [curve.queue_time(first, last) for first, last in day.hours]

    assert len(hours) == 24
    assert most == max(hours) == curve.queue_time(begin, begin + HOUR)
    assert worst_hour(plan, resource, curve_of(plan, log.visits[:0], resource, day.begin, day.end), day) is None


def test_the_worst_hour_is_one_in_which_somebody_is_there(ran):
    """
    Of the desk, whose line is long while it is closed, it is an hour between 08:00 and 17:00; 12:00 to 13:00, the lunch, is none.
    """
    plan, log, _ = ran
    day, desk = day_numbered(plan, 3), _resource(plan, "Z.desk")
    curve = curve_of(plan, log.visits, desk, day.begin, day.end)
    begin, most = worst_hour(plan, desk, curve, day)
    waits = {first: curve.queue_time(first, last) for first, last in day.hours}
    hours = [first for first in waits if (first - day.begin) // HOUR in {8, 9, 10, 11, 13, 14, 15, 16}]

    assert most == waits[begin] == max(waits[first] for first in hours)
    assert begin in hours


def test_the_busiest_weekday_is_played(ran):
    """
    Of the measured days the weekday with most arrivals: Wednesday, though more come on Saturday.
    """
    plan, log, _ = ran
    day = busiest_day(plan, datetime.date(2018, 9, 3), log.visits)

    assert (day.number, day.of, day.begin // DAY) == (2, 7, 2)
    assert [each.number for each in days_of(plan)] == [1, 2, 3, 4, 5, 6, 7]


def test_a_window_that_begins_within_a_day_has_parts_of_days():
    """
    Days are those of the calendar: of a window of 30 hours from 06:00 on the first has 18 hours, the second 12.
    """
    plan = plan_of(ZONE, "clock.warm_up=6 h", "clock.measure=30 h", "clock.cool_down=1 h")

    assert [(day.begin, day.end) for day in days_of(plan)] == [(6 * HOUR, DAY), (DAY, 36 * HOUR)]
    assert len(days_of(plan)[0].hours) == 18


def test_who_is_there_at_any_moment_is_shown(ran):
    """
    Shown are the consignments with a visit that lies on the day at least in part, and no others.
    """
    plan, log, _ = ran
    day = Day(1, 1, 3 * DAY + 9 * HOUR, 3 * DAY + 10 * HOUR)
    expected = {
        int(number_of(key))
        for key, queued, _, ended in log.visits.tolist()
        if queued < day.end and (ended == NEVER or ended >= day.begin)
    }

    assert present(plan, log.visits, day.begin, day.end).tolist() == sorted(expected)
    nobody = present(plan, log.visits, day.begin, day.end, frozenset())
    assert nobody.tolist() == []


def _page(path, file, *arms, language="en", day=None, zones=(), settings=(), replication=0, at=""):
    asked = Asked(file, settings, arms, day, zones, None, replication, at)
    job = replay_job(asked, language, path, path.parent)
    text = path.read_text(encoding="utf-8")
    (data,) = re.findall(r'<script id="data"[^>]*>(.*?)</script>', text, re.DOTALL)
    return job, text, json.loads(gzip.decompress(base64.b64decode(data)))


ARMS = ("R1", "11")

GATE = """\
zonesim: 1
kind: scenario
name: gate
label: {en: A small gate, zh: 小型卡口}
clock: {start: "2018-09-03", warm_up: 1 d, measure: 5 d, cool_down: 2 d}
zones:
  Z:
    lanes_in: {units: 1, role: lane, label: {en: Gate in, zh: 进区卡口}}
    lanes_out: {units: 1, role: lane}
    gate_officers: {units: 2, role: officer}
    exception_desk: {units: 1, role: officer}
    docks: {units: 20, role: dock}
    yard: {units: 20, role: yard}
firms: {count: 10, credit: {AEO: 40 %, ordinary: 60 %}}
truth: {papers_wrong: {all: 5 %, label: {en: Papers wrong, zh: 单证有误}}}
traffic: {visits: {flow: visit, with: {zone: Z, vehicle: freight, yard: detour}, rate: 250 /d, profile: plant_day}}
"""


@pytest.fixture(scope="module")
def gate(tmp_path_factory):
    """Return job, text and document of the page of a small gate, without and with measure 11."""
    folder = tmp_path_factory.mktemp("replay")
    (folder / "gate.yaml").write_text(GATE, encoding="utf-8")
    return _page(folder / "page.html", folder / "gate.yaml", *ARMS)


def test_the_page_holds_the_visits_of_both_arms(gate):
    """
    Undone, the columns of each arm are the visits of its run of those shown, to the ms; the same consignment is at the same place on both sides.
    """
    _, _, document = gate
    own = document["consignments"]
    names = [f"{own['entries'][entry]}#{ordinal}" for entry, ordinal in zip(own["entry"], own["ordinal"], strict=True)]
    for arm, told in zip(ARMS, document["arms"], strict=True):
        plan = _plan_of_arm(arm)
        log = RowLog()
        simulate(plan, 1, 0, log)
        visits = told["visits"]
        found = set()
        who, queued = np.cumsum(visits["who"]), np.cumsum(visits["queued"])
        for row, step in enumerate(visits["step"]):
            started = queued[row] + visits["waited"][row] if visits["waited"][row] != NEVER else NEVER
            base = queued[row] if started == NEVER else started
            ended = base + visits["took"][row] if visits["took"][row] != NEVER else NEVER
            label = told["steps"][step]["en"]
            found.add((names[who[row]], visits["child"][row], label, int(queued[row]), int(started), int(ended)))
        shown = set(names)
        expected = [
            row for row in log.visits.tolist() if plan.names.token(number_of(row[0]) & ~63) in shown
        ]  # 63: children have the number of their consignment, but for 6 bits
        assert len(expected) == len(visits["step"])
        times = {(name, child, *rest) for name, child, _, *rest in found}
        assert times == {
            (plan.names.token(number_of(key) & ~63), number_of(key) & 63, *rest) for key, *rest in expected
        }


def _plan_of_arm(arm):
    world = world_of(read_text(GATE, "gate.yaml"))
    return plan_of_world(world, arm=arm_named(world, arm))


def test_the_waits_of_the_page_are_those_of_a_trace(gate):
    """
    What a wait was for is told as `trace` tells it: of somebody in line at the gate the resource, how long it was short, and who was ahead.
    """
    _, _, document = gate
    arm, own = document["arms"][0], document["consignments"]
    plan = _plan_of_arm("R1")
    rows = np.cumsum(arm["waits"]["visit"])
    who = np.cumsum(arm["visits"]["who"])
    row = int(rows[len(rows) // 2])
    name = f"{own['entries'][own['entry'][who[row]]]}#{own['ordinal'][who[row]]}"
    queued = int(np.cumsum(arm["visits"]["queued"])[row])
    moments = tell(plan, follow(plan, name, 1, 0))
    (moment,) = [each for each in moments if each.kind == "step" and each.time == queued and each.shortages]
    text = arm["waits"]["en"][len(rows) // 2]

    assert moment.waited == arm["visits"]["waited"][row]
    for shortage in moment.shortages:
        assert str(plan.names.resources[shortage.resource]) in text
        assert all(one.token in text for one in shortage.ahead)


def test_labels_are_text(tmp_path):
    """
    Nothing that a scenario calls something reaches the page but as text of its packed document, or escaped in the title.
    """
    hostile = GATE.replace("{en: A small gate, zh: 小型卡口}", f'{{en: "{HOSTILE}", zh: "=cmd()"}}')
    hostile = hostile.replace("  Z:\n", '  Z:\n    label: {en: "a $x$", zh: 小区}\n')
    (tmp_path / "gate.yaml").write_text(hostile.replace("en: Gate in", 'en: "Gate <b>in</b>"'), encoding="utf-8")
    _, text, document = _page(tmp_path / "p.html", tmp_path / "gate.yaml", *ARMS, day=1)

    assert document["scenario"] == {"en": HOSTILE, "zh": "=cmd()"}
    assert document["counters"][0]["label"]["en"] == "Gate <b>in</b>"
    assert document["zones"][0]["en"] == "a $x$"
    assert HOSTILE not in text
    assert text.count("alert(1)") == text.count("&lt;script&gt;alert(1)&lt;/script&gt;") == 2


def test_a_packed_document_has_no_letter_of_html():
    """
    A document is packed in letters, digits, +, / and =, and the same one always alike.
    """
    text = packed({"label": HOSTILE})

    assert re.fullmatch(r"[A-Za-z0-9+/=]+", text)
    assert text == packed({"label": HOSTILE})


def test_what_the_page_says_of_its_run(gate):
    """
    The document names run, seed, replication, day and the command that makes it again; its words are there in both languages, letter for letter alike in
    what they fill in.
    """
    job, text, document = gate

    assert document["day"]["number"] == job.document["day"]["number"]
    assert document["command"].endswith(f"gate.yaml --arm R1 --arm 11 --day {document['day']['number']}")
    assert re.fullmatch(r"r[0-9a-f]{8}", document["run"])
    assert "http:" not in re.sub(r'<script id="data".*?</script>', "", text, flags=re.DOTALL)
    english, chinese = document["words"]["en"], document["words"]["zh"]
    assert english.keys() == chinese.keys()
    for word, own in english.items():
        texts = [own] if isinstance(own, str) else own
        other = chinese[word] if isinstance(chinese[word], str) else chinese[word][-1]
        assert set(re.findall(r"\{(\w+)\}", texts[-1])) >= set(re.findall(r"\{(\w+)\}", other)), word
    said = set(re.findall(r'say\("([a-z_.]+)"', text)) | set(re.findall(r'data-word="([a-z_.]+)"', text))
    assert said <= english.keys() | {"story.begins"}


@pytest.mark.slow
def test_the_same_question_gives_the_same_page(tmp_path):
    """
    A page is made again to the byte; another replication is another run.
    """
    (tmp_path / "gate.yaml").write_text(GATE, encoding="utf-8")
    first, text, _ = _page(tmp_path / "a.html", tmp_path / "gate.yaml", *ARMS, day=2)
    second, again, _ = _page(tmp_path / "b.html", tmp_path / "gate.yaml", *ARMS, day=2)
    other, _, _ = _page(tmp_path / "c.html", tmp_path / "gate.yaml", *ARMS, day=2, replication=1)

    assert text == again
    assert first.document["run"] == second.document["run"] != other.document["run"]


FAULTS = [
    (("R1", "11", "10"), {}, "--arm: more than two arms\n    Give --arm once or twice."),
    (("11", "11"), {}, "--arm: arm '11' beside itself\n    Name two different arms."),
    (ARMS, {"day": 6}, "--day: no day 6 in the measured window\n    It has days 1 to 5."),
    (ARMS, {"zones": ["Y"]}, "--zone: no zone 'Y' to draw\n    Known zones: Z."),
]


@pytest.mark.parametrize(("arms", "more", "message"), FAULTS)
def test_what_cannot_be_played(arms, more, message, tmp_path):
    """
    What is asked wrongly is told with what would be right, and no page is written.
    """
    (tmp_path / "gate.yaml").write_text(GATE, encoding="utf-8")
    with pytest.raises(ScenarioFault) as found:
        _page(tmp_path / "p.html", tmp_path / "gate.yaml", *arms, **more)

    assert str(found.value) == message
    assert not (tmp_path / "p.html").exists()


def test_a_page_is_called_a_page(tmp_path):
    """
    A file of another kind is refused before anything runs.
    """
    with pytest.raises(ScenarioFault) as found:
        _page(tmp_path / "p.pdf", tmp_path / "gate.yaml")

    assert str(found.value) == "-o: 'p.pdf' is no page\n    Write a name that ends with .html."


MANY = """\
zonesim: 1
kind: scenario
name: many
clock: {measure: 1 d}
zones: {A: {d: {units: 1}}, B: {d: {units: 1}}, C: {d: {units: 1}}, D: {d: {units: 1}}, E: {d: {units: unlimited}}}
flows: {f: {params: {zone: zone}, steps: {s: {hold: {u: $zone.d}, take: 5 min}}}}
traffic: {t: {flow: f, with: {zone: A}, rate: 3 /h}, u: {flow: f, with: {zone: E}, rate: 3 /h}}
"""


@pytest.mark.parametrize(
    ("zones", "message"),
    [
        ([], "--zone: 5 zones are more than a page can show\n    Choose up to 4, e.g. --zone A."),
        (["E"], "--zone: nobody comes to a counter of these zones on this day\n    Choose another zone or day."),
    ],
)
def test_zones_that_cannot_be_drawn(zones, message, tmp_path):
    """
    Too many zones, and one where nothing is ever short, are told apart from zones that can be drawn.
    """
    (tmp_path / "many.yaml").write_text(MANY, encoding="utf-8")
    with pytest.raises(ScenarioFault) as found:
        _page(tmp_path / "p.html", tmp_path / "many.yaml", "R1", "{m11: {coverage: 50 %}}", zones=zones)

    assert str(found.value) == message


def test_a_day_that_is_too_large_is_refused(tmp_path, monkeypatch):
    """
    More visits than a page carries are told with their number.
    """
    monkeypatch.setattr("zonesim.briefing.replay.document.MOST_ROWS", 10)
    (tmp_path / "gate.yaml").write_text(GATE, encoding="utf-8")
    with pytest.raises(
        ScenarioFault,
        match=r"--zone: the day has \d+ visits, and a page carries 10\n    Choose one zone, e.g. --zone Z.",
    ):
        _page(tmp_path / "p.html", tmp_path / "gate.yaml", *ARMS)


EXPERIMENT = """\
zonesim: 1
kind: experiment
name: lanes
scenario: gate.yaml
baseline: one
arms:
  one: {label: {en: One lane, zh: 一条通道}}
  two: {set: {zones.Z.lanes_in.units: 2, zones.Z.lanes_out.units: 2}, label: {en: Two lanes, zh: 两条通道}}
futures: {grid: {traffic.*.rate: {scale: [1, 0.5]}}}
replications: 3
seed: 7
"""


@pytest.fixture
def experiment(tmp_path):
    """Return the file of an experiment with two arms in two futures, beside its scenario."""
    (tmp_path / "gate.yaml").write_text(GATE, encoding="utf-8")
    (tmp_path / "lanes.yaml").write_text(EXPERIMENT, encoding="utf-8")
    return tmp_path / "lanes.yaml"


def test_arms_of_an_experiment_are_played(experiment):
    """
    Of an experiment its arms are played by their labels, in one of its futures, which the page names, with its seed; a counter has its units of each arm.
    """
    _, _, document = _page(experiment.with_name("p.html"), experiment, at="traffic.*.rate ×0.5", day=1)

    assert [each["title"] for each in document["arm_names"]] == [
        {"en": "One lane", "zh": "一条通道"},
        {"en": "Two lanes", "zh": "两条通道"},
    ]
    assert document["given"] == ["traffic.*.rate ×0.5"]
    assert document["seed"] == 7
    assert document["command"].endswith("--arm one --arm two --day 1 --at 'traffic.*.rate ×0.5'")
    assert [arm["counters"][0]["units"][0][1] for arm in document["arms"]] == [1, 2]


def test_a_line_that_grows_is_told(tmp_path, monkeypatch):
    """
    Where more come than a lane can take the page says so of that arm, and the command warns as others do. Of waits in which more happens than can be worked
    out it says how many there are of which it does not tell what they were for: those in which most happened.
    """
    monkeypatch.setattr("zonesim.briefing.replay.document.MOST_HAPPENS", 3000)
    (tmp_path / "gate.yaml").write_text(GATE, encoding="utf-8")
    settings = ["traffic.*.rate=900 /d", "zones.Z.docks.units=200", "zones.Z.yard.units=300", "clock.measure=2 d"]
    job, _, document = _page(tmp_path / "p.html", tmp_path / "gate.yaml", *ARMS, day=1, settings=settings)
    names = [each["name"] for each in document["counters"]]

    assert [arm["counters"][names.index("Z.lanes_in")]["grows"] for arm in document["arms"]] == [1, 0]
    assert any(each.startswith("warning: Z.lanes_in: load ") for each in job.notes)
    waits = document["arms"][0]["waits"]
    took = np.array(document["arms"][0]["visits"]["waited"])
    told = took[np.cumsum(waits["visit"])]
    assert waits["untold"] > 100
    assert len(told) == len(waits["en"]) > 10
    assert told.max() < np.sort(took)[-waits["untold"] // 2]


def test_settings_are_told(tmp_path):
    """
    What is set beside the arms stands on the page, and in the command.
    """
    (tmp_path / "gate.yaml").write_text(GATE, encoding="utf-8")
    settings = ["traffic.*.rate*=0.5"]
    _, _, document = _page(tmp_path / "p.html", tmp_path / "gate.yaml", *ARMS, day=1, settings=settings)

    assert document["given"] == ["traffic.*.rate × 0.5"]
    assert document["command"].endswith("--set 'traffic.*.rate*=0.5'")


MORE = "  three: {set: {zones.Z.lanes_in.units: 3}}\nfutures"


@pytest.mark.parametrize(
    ("text", "arms", "at", "message"),
    [
        (EXPERIMENT, ["thre"], "", "--arm: no arm 'thre'\n    Known arms: one, two."),
        (EXPERIMENT, [], "x", "--at: no future 'x'\n    Known futures: traffic.*.rate ×1, traffic.*.rate ×0.5."),
        (
            EXPERIMENT.replace("futures", MORE),
            [],
            "",
            "--arm: the experiment has 3 arms\n    Name one or two: one, two, three.",
        ),
        (GATE, ARMS, "x", "--at: a scenario has one future\n    Name another with --future, or an experiment."),
    ],
)
def test_arms_and_futures_that_are_not_there(experiment, text, arms, at, message):
    """
    An arm or a future that the file does not have, and arms that nobody chose, are told with those that there are.
    """
    experiment.write_text(text, encoding="utf-8")
    with pytest.raises(ScenarioFault) as found:
        _page(experiment.with_name("p.html"), experiment, *arms, at=at)

    assert str(found.value) == message
