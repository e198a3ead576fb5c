"""Arrivals from a log in a CSV file."""

from __future__ import annotations

import pytest

from tests.helper import RowLog, Timeline, plan_of_file
from zonesim.engine import simulate
from zonesim.faults import Faults
from zonesim.plan import loads
from zonesim.policy import load_world, register
from zonesim.scenario import traces

SCENARIO = """\
zonesim: 1
kind: scenario
name: traced
clock: {{start: "2018-09-03", measure: 2 d}}
zones: {{Z: {{desk: {{units: 1}}}}}}
flows:
  f: {{steps: {{work: {{hold: {{d: Z.desk}}, priority: {{AEO: 1, all: 2}}, take: {{by: class, AEO: 1 min, all: 3 min}}}}}}}}
traffic:
  plain: {{flow: f, at: [47 h], class: AEO}}
  logged: {{flow: f, trace: {{{trace}}}{more}}}
"""
LOG = """\
arrived,credit,direction,kind
2018-09-03 08:15:20,AEO,in,freight
2018-09-03 08:15:30,ordinary,in,car
2018-09-03 09:00,ordinary,out,freight

2018-09-04T10:00:00.5,"ordinary",in,heavy
"""
PLACE = "file: ../data/log.csv, time: arrived"


@pytest.fixture
def project(tmp_path):
    """Return a function that writes a scenario and its log into a project folder and returns the scenario's path."""
    (tmp_path / "zonesim.toml").touch()
    (tmp_path / "scenarios").mkdir()
    (tmp_path / "data").mkdir()

    def write(trace=PLACE, log=LOG, more="", encoding="utf-8"):
        (tmp_path / "data" / "log.csv").write_bytes(log if isinstance(log, bytes) else log.encode(encoding))
        path = tmp_path / "scenarios" / "s.yaml"
        path.write_text(SCENARIO.format(trace=trace, more=more), encoding="utf-8")
        return path

    return write


def _starts(path):
    plan = plan_of_file(path)
    sink = RowLog()
    totals = simulate(plan, 1, 0, sink)
    return {
        name: times[0]
        for name, times in Timeline(plan, sink, totals).visits("work").items()
        if name.startswith("logged")
    }


def _fault(path):
    with pytest.raises(Faults) as found:
        plan_of_file(path)
    return str(found.value).replace(str(path.parent.parent), "")


MINUTE = 1 / 60
FIRST = 8 * 60 + 15


def test_one_row_is_one_arrival(project):
    """
    Rows arrive at their times, to the millisecond, in the order of the file; empty lines do not count.
    """
    assert _starts(project()) == pytest.approx(
        {
            "logged0": FIRST + 20 * MINUTE,
            "logged1": FIRST + 30 * MINUTE,
            "logged2": 540,
            "logged3": 34 * 60 + 0.5 * MINUTE,
        }
    )


def test_classes_of_a_column(project):
    """
    A row has the class in its column: it decides the time of the work and the loads.
    """
    plan = plan_of_file(project(PLACE + ", class: credit"))
    sink = RowLog()
    line = Timeline(plan, sink, simulate(plan, 1, 0, sink))
    spent = {name: end - start for name, (_, start, end) in line.visits("work").items()}

    assert spent == pytest.approx({"logged0": 1, "logged1": 3, "logged2": 3, "logged3": 3, "plain0": 1})
    assert set(plan.names.classes) == {"", "AEO", "ordinary"}
    assert loads(plan)[0].mean == pytest.approx(11 / 2880)


def test_only_some_rows(project):
    """
    `where` keeps rows with one of the values in each column.
    """
    assert list(_starts(project(PLACE + ", where: {direction: in, kind: [freight, heavy]}")).values()) == pytest.approx(
        [FIRST + 20 * MINUTE, 34 * 60 + 0.5 * MINUTE]
    )


def test_other_ways_to_write_a_time(project):
    """
    Durations from the start, plain numbers with a unit, and the dates of spreadsheets.
    """
    assert list(_starts(project(log="arrived\n15 min\n1.5 h\n")).values()) == [15, 90]
    assert list(_starts(project(PLACE + ", unit: s", log="arrived\n60\n90.0005\n")).values()) == pytest.approx(
        [1, 1.5], abs=1e-4
    )
    assert list(_starts(project(log="arrived\n2018/9/3 8:15\n")).values()) == [FIRST]


def test_rows_in_any_order(project):
    """
    With `sort: true` rows are put in order, those of one time as they stand, each with its class.
    """
    log = "arrived,credit\n2 h,ordinary\n1 h,AEO\n"
    plan = plan_of_file(project(PLACE + ", class: credit, sort: true", log=log))
    order = [plan.names.classes[klass] for _, klass in plan.times.tolist()[:2]]

    assert plan.times["time"][:2].tolist() == [3_600_000, 7_200_000]
    assert order == ["AEO", "ordinary"]


def test_batches_of_a_log(project):
    """
    With a batch each row brings several tokens, all of its class.
    """
    plan = plan_of_file(project(PLACE + ", class: credit", more=", batch: 2"))
    sink = RowLog()
    totals = simulate(plan, 1, 0, sink)

    assert [plan.names.classes[klass] for klass in totals.classes[0].tolist()] == ["AEO"] * 2 + ["ordinary"] * 6


def test_rows_outside_the_run_are_counted_when_ignored(project):
    """
    With `outside: ignore` rows before and after the run are left out, and people are told how many.
    """
    log = "arrived\n2018-09-02 23:59:59\n2018-09-03 00:00:00\n2018-09-05 00:00:00\n"
    path = project(PLACE + ", outside: ignore", log=log)
    plan = plan_of_file(path)

    assert _starts(path) == {"logged0": 0}
    assert [note.replace(str(path.parent.parent), "") for note in plan.names.notes] == [
        "traffic logged: 2 rows of /data/log.csv lie outside the run and are left out"
    ]


def test_a_log_of_a_chinese_spreadsheet(project):
    """
    GB 18030 is read when the scenario says so; a byte order mark does not hide the first column.
    """
    log = "到达,信用\n2018-09-03 08:15,高级认证\n"
    trace = "file: ../data/log.csv, time: 到达, class: 信用"
    path = project(trace + ", encoding: gb18030", log=log, encoding="gb18030")

    assert list(_starts(path).values()) == [FIRST]
    assert list(_starts(project(trace, log="\ufeff" + log)).values()) == [FIRST]
    assert "'/data/log.csv' is not utf-8 text (byte 0)\n    Save it as UTF-8, or write `encoding: gb18030`." in _fault(
        project(trace, log=log, encoding="gb18030")
    )


def test_a_changed_log_is_read_again(project):
    """
    What was read is remembered for one version of the file only.
    """
    first = _starts(project(log="arrived\n1 h\n"))

    assert (first, _starts(project(log="arrived\n100 min\n"))) == ({"logged0": 60}, {"logged0": 100})


def test_a_log_is_no_number_of_the_register(project):
    """
    Names of files and columns are not counted among the numbers of a scenario.
    """
    assert not [entry for entry in register(load_world(project())) if entry.path[:2] == ("traffic", "logged")]


def test_wrong_rows_are_named_and_counted(project):
    """
    The first five wrong rows are named by line of the CSV file, with what is wrong in each; the others are counted.
    """
    rows = [
        "2018-09-03 08:00,a",
        "noon,a",
        "2018-02-30 08:00,a",
        "2018-09-03 07:00,a",
        "2018-09-03 09:00,",
        ",a",
        "1 h",
        "x,a",
        "y,a",
    ]
    message = _fault(project(PLACE + ", class: c", log="arrived,c\n" + "\n".join(rows) + "\n"))

    assert message == (
        "/data/log.csv:3:1: 'noon' is no time\n"
        "    Write 2018-09-03 08:15:20, or 15 min from the start; for plain numbers give `unit`.\n"
        "/data/log.csv:4:1: '2018-02-30 08:00' is no time\n    There is no such day or hour.\n"
        "/data/log.csv:5:1: '2018-09-03 07:00' is earlier than the row before\n    Sort the file, or write `sort: true`.\n"
        "/data/log.csv:6:1: no value in column 'c'\n    Give each row a class.\n"
        "/data/log.csv:7:1: no value in column 'arrived'\n"
        "    Write 2018-09-03 08:15:20, or 15 min from the start; for plain numbers give `unit`.\n"
        "/data/log.csv:8:1: 3 more wrong rows from here on\n    Mend those above first."
    )


@pytest.mark.parametrize(
    ("trace", "log", "fault"),
    [
        (
            PLACE,
            "arrived\n2018-09-05 00:00:00\n",
            "/data/log.csv:2:1: '2018-09-05 00:00:00' lies outside the run, 2018-09-03 00:00 to 2018-09-05 00:00\n    Change the clock, or write `outside: ignore`.",
        ),
        (
            PLACE,
            "arrived,b\n1 h\n",
            "/data/log.csv:2:1: 1 value, 2 are due\n    Give each row a value for each column.",
        ),
        (PLACE, 'arrived\n"1 h\n', "not CSV: unexpected end of data\n    Check quotes and commas."),
        (
            PLACE,
            "arrived\n",
            "s.yaml:10:35: no row of '/data/log.csv' arrives\n    Check `where`, and that the run covers",
        ),
        (PLACE, "", "s.yaml:10:58: '/data/log.csv' has no column 'arrived'"),
        (PLACE, "Arrived\n1 h\n", "has no column 'arrived'\n    Did you mean 'Arrived'?"),
        (PLACE, "arrived,arrived\n1 h,1 h\n", "'/data/log.csv' has 2 columns 'arrived'\n    Rename the others."),
        (
            PLACE + ", class: c",
            "arrived\n1 h\n",
            "s.yaml:10:74: '/data/log.csv' has no column 'c'\n    Known columns: arrived.",
        ),
        (
            PLACE + ", where: {d: im}",
            "arrived,d\n1 h,in\n",
            "s.yaml:10:78: no row of '/data/log.csv' has 'im' in column 'd'\n    Known: in.",
        ),
        (PLACE + ", unit: s", "arrived\n1 h\n", "unknown unit 'h s' in '1 h s'"),
        (
            PLACE + ", class: c",
            "arrived,c\n1 h,A\x1b[0mB\n",
            "/data/log.csv:2:1: '\\x1b' (U+001B) in the class 'A\\x1b[0mB' cannot be seen\n    Take it out.",
        ),
        (PLACE + ", unit: s", "arrived\n-1\n", "'-1 s' is negative"),
        (
            PLACE.replace("../data", "../../data"),
            LOG,
            "s.yaml:10:35: '../../data/log.csv' lies outside the project folder",
        ),
        (
            PLACE.replace("log.csv", "none.csv"),
            LOG,
            "s.yaml:10:35: '/data/none.csv' cannot be read: No such file or directory\n    Check the path.",
        ),
        (PLACE.replace("/log.csv", ""), LOG, "'/data' cannot be read: Is a directory\n    Check the path."),
        (PLACE + ", unit: week", LOG, "'week' is not allowed for 'unit'"),
        (PLACE + "}, rate: 3 /h, with: {", LOG, "rate and trace together\n    Keep one of them."),
        (
            PLACE + ", class: c}, class: AEO, with: {",
            LOG,
            "class and a column of classes together\n    Keep one of them.",
        ),
    ],
)
def test_logs_that_are_wrong(project, trace, log, fault):
    """
    Each mistake is named at its place in the scenario or the log, with what would be right.
    """
    assert fault in _fault(project(trace, log))


def test_limits(project, monkeypatch):
    """
    A log that is too large in bytes, rows or classes is refused before it fills the memory.
    """
    monkeypatch.setattr(traces, "MOST_ARRIVALS", 2)
    assert "/data/log.csv:4:1: more than 2 arrivals\n    Split the log, or use `where`." in _fault(project())

    monkeypatch.setattr(traces, "MOST_ARRIVALS", 5)
    monkeypatch.setattr(traces, "MOST_CLASSES", 1)
    assert "column 'credit' names 2 classes, more than 1\n" in _fault(project(PLACE + ", class: credit"))

    monkeypatch.setattr(traces, "LARGEST_TRACE", 10)
    assert "'/data/log.csv' is larger than 10 bytes\n    Keep the rows and columns that matter." in _fault(project())
