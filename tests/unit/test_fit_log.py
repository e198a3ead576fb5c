"""Reading a stranger's log: forms of files and dates, dirty rows refused with their reasons, faults in words."""

from __future__ import annotations

import datetime
import inspect
import re

import pytest

from tests.logs import STREAMS, gate_log, soil
from zonesim.faults import Faults, ScenarioFault
from zonesim.fitting import Columns, Rules, instants, reading
from zonesim.fitting.cleaning import read_log
from zonesim.fitting.instants import InstantReader, Unreadable, instant_text, read_span
from zonesim.fitting.words import DETAILS_ZH, detail_in

ALL = Columns("进卡时间", "出卡时间", "方向", "车型", "信用等级", "通道用时")
SMALL = "time,way\n2018-09-03 08:00:00,in\n2018-09-03 09:00:00,out\n"


def written(tmp_path, text, encoding="utf-8", name="log.csv"):
    """Write a log and return its path."""
    path = tmp_path / name
    path.write_bytes(text.encode(encoding))
    return path


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2018-09-03 08:15:20", "2018-09-03 08:15:20"),
        ("2018-09-03T08:15:20.250", "2018-09-03 08:15:20.250"),
        ("2018/9/3 8:15", "2018-09-03 08:15:00"),
        ("2018.9.3  8:15:20", "2018-09-03 08:15:20"),
        ("2018年9月3日 08:15:20", "2018-09-03 08:15:20"),
        ("2018年9月3日8时15分20秒", "2018-09-03 08:15:20"),
        ("2018年9月3日 8点15分", "2018-09-03 08:15:00"),
        ("2018/9/3 下午 8:15:20", "2018-09-03 20:15:20"),
        ("2018/9/3 上午12:05", "2018-09-03 00:05:00"),
        ("2018-09-03 12:05 AM", "2018-09-03 00:05:00"),
        ("2018-09-03 12:05:10 pm", "2018-09-03 12:05:10"),
        ("20180903 08:15", "2018-09-03 08:15:00"),
        ("20180903081520", "2018-09-03 08:15:20"),
        ("201809030815", "2018-09-03 08:15:00"),
        ("2018-09-03T00:15:20Z", "2018-09-03 08:15:20"),
        ("2018-09-03 08:15:20+08:00", "2018-09-03 08:15:20"),
        ("2018-09-03 09:15:20+0900", "2018-09-03 08:15:20"),
        ("43346.34375", "2018-09-03 08:15:00"),
        ("1535933720", "2018-09-03 08:15:20"),
        ("1535933720250", "2018-09-03 08:15:20.250"),
        ("2018-09-03 24:00:00", "2018-09-04 00:00:00"),
        (" 2018-09-03 08:15:20 ", "2018-09-03 08:15:20"),
    ],
)
def test_instants_are_read(text, expected):
    """
    Instants as logs write them become local time to the millisecond; read twice, the second time from memory.
    """
    reader = InstantReader()

    assert instant_text(reader.read(text)) == expected
    assert instant_text(reader.read(text)) == expected


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "it is empty"),
        ("yesterday", "it is no date and time"),
        ("2018-09-03", "it has no time of day"),
        ("2018-02-30 08:00", "there is no such day"),
        ("2018-09-03 25:00", "there is no such time of day"),
        ("2018-09-03 8", "it has no time of day that can be read"),
        ("3/9/2018 8:15", "whether day or month comes first is not said (--dates)"),
        ("43346", "it has no time of day"),
        ("2018-09-03 13:00 AM", "there is no such time of day"),
        ("苏E12345", "it is no date and time"),
    ],
)
def test_instants_that_are_none_say_why(text, why):
    """
    What cannot be read for sure is not guessed.
    """
    with pytest.raises(Unreadable) as caught:
        InstantReader().read(text)

    assert str(caught.value) == why


def test_the_order_of_day_and_month_is_said():
    """
    With the year last, the order decides; nothing else does.
    """
    assert instant_text(InstantReader("dmy").read("3/9/2018 8:15")) == "2018-09-03 08:15:00"
    assert instant_text(InstantReader("mdy").read("3/9/2018 8:15")) == "2018-03-09 08:15:00"


@pytest.mark.parametrize(
    ("text", "ms"),
    [
        ("95", 95_000),
        ("95.5", 95_500),
        ("1:35", 95_000),
        ("1:02:03", 3_723_000),
        ("2分3秒", 123_000),
        ("1小时5分", 3_900_000),
    ],
)
def test_spans_are_read(text, ms):
    """
    Lane times are numbers of the unit, clocks or words.
    """
    assert read_span(text, 1000) == ms


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_files_of_any_form_give_the_same_rows(tmp_path, encoding, separator):
    """
    Encoding and separator are found; the rows are the same whatever they are.
    """
    log = gate_log(days=2)
    found = read_log(written(tmp_path, log.text(separator), encoding), ALL, Rules())

    assert len(found) == len(log.rows) == found.read
    assert found.form.separator == separator
    assert found.directions == ["in", "out"]
    assert set(found.kinds) == {"货车", "小车"}
    assert instant_text(int(found.time_in[0])) == f"{log.times[0]:%Y-%m-%d %H:%M:%S}"


def test_titles_above_the_header_are_skipped(tmp_path):
    """
    The header is the line that names the columns, below titles that exports begin with.
    """
    log = gate_log(days=1)
    found = read_log(written(tmp_path, "某某综保区卡口过车记录\n\n" + log.text()), ALL, Rules())

    assert found.form.header_line == 3
    assert len(found) == len(log.rows)


def test_every_kind_of_dirty_row_is_refused_with_its_reason(tmp_path):
    """
    Three in a hundred rows are spoilt in 17 ways: each is refused for the reason it was spoilt, and no other row is.
    """
    log = soil(gate_log(days=7), 0.03)
    found = read_log(written(tmp_path, log.text(), "gb18030"), ALL, Rules())

    assert dict(found.refused.counts) == dict(log.dirty)
    assert len(log.dirty) == 17
    assert len(found) + found.refused.total == found.read
    lines = log.text().split("\n")
    for line, _ in found.refused.first["in_unreadable"]:
        assert "2018/13/45" in lines[line - 1]
    for line, _ in found.refused.first["header"]:
        assert lines[line - 1] == lines[0]


def test_an_open_quote_costs_one_row(tmp_path):
    """
    A quote that is never closed does not swallow the rows after it; a quoted cell over two lines is one row.
    """
    text = 'time,note\n2018-09-03 08:00:00,"open\n2018-09-03 08:10:00,plain\n2018-09-03 08:20:00,"two\nlines"\n2018-09-03 08:30:00,x\n'
    found = read_log(written(tmp_path, text), Columns("time"), Rules(most_refused=0.5))

    assert [instant_text(int(time))[11:16] for time in found.time_in] == ["08:10", "08:20", "08:30"]
    assert found.refused.first == {"quote": [(2, "a quote is not closed")]}


def test_letters_that_cannot_be_decoded_cost_their_row(tmp_path):
    """
    A slip of bytes in a UTF-8 file refuses its row when a mapped column has it, and does not change the encoding.
    """
    log = gate_log(days=1)
    data = log.text().encode().replace("进,货车".encode(), b"\xff\xfe,\xe8", 1)
    (tmp_path / "log.csv").write_bytes(data)
    found = read_log(tmp_path / "log.csv", ALL, Rules())

    assert found.form.encoding == "utf-8-sig"
    assert dict(found.refused.counts) == {"letters": 1}


def test_equal_rows_without_anything_to_tell_vehicles_apart_are_kept(tmp_path):
    """
    Two rows with the same minute and direction may be two vehicles; a column that tells them apart decides.
    """
    text = "time,way\n2018-09-03 08:00,in\n2018-09-03 08:00,in\n2018-09-03 08:01,in\n"
    plain = read_log(written(tmp_path, text), Columns("time", direction="way"), Rules())
    told = read_log(
        written(tmp_path, text.replace("way\n", "way,plate\n").replace("in\n", "in,A\n")),
        Columns("time", direction="way", id="plate"),
        Rules(most_refused=0.5),
    )

    assert (len(plain), plain.equal_kept) == (3, 1)
    assert (len(told), dict(told.refused.counts)) == (2, {"repeated": 1})


def test_a_row_without_a_time_out_is_an_arrival(tmp_path):
    """
    It counts, its stay is not known, and how many there are is said.
    """
    text = "in,out,x\n2018-09-03 08:00,2018-09-03 09:00,1\n2018-09-03 08:30,,2\n"
    found = read_log(written(tmp_path, text), Columns("in", "out"), Rules())

    assert found.stay.tolist() == [3_600_000, -1]
    assert found.open_stays == 1


def test_given_dates_bound_the_period(tmp_path):
    """
    --from and --until are days of the log; what lies outside is refused.
    """
    log = gate_log(days=4)
    begin = InstantReader().read("2018-09-04 00:00")
    found = read_log(written(tmp_path, log.text()), ALL, Rules(begin=begin, end=begin + 86_400_000, most_refused=1))
    inside = sum(time.date() == datetime.date(2018, 9, 4) for time in log.times)

    assert len(found) == inside
    assert found.refused.counts["period"] == len(log.rows) - inside


OFFSETS = "time,out\n2018-09-03T08:08:37-05:00,2018-09-03T08:41:01-05:00\n2018-09-03T09:00:00-05:00,2018-09-03T11:00:00-04:00\n"
"""A log of another country, whose clocks are put forward while the second vehicle is there."""


def test_hours_of_another_country_are_kept_or_turned_as_is_said(tmp_path):
    """
    With `written` the hours stand and a stay is what passed, also over a change of the clocks; with `china` they are
    turned into local time. How many rows have which offset is counted.
    """
    path, columns = written(tmp_path, OFFSETS), Columns("time", time_out="out")
    kept, turned = (read_log(path, columns, Rules(clock=clock)) for clock in ("written", "china"))

    assert [instant_text(time) for time in kept.time_in] == ["2018-09-03 08:08:37", "2018-09-03 09:00:00"]
    assert [instant_text(time) for time in turned.time_in] == ["2018-09-03 21:08:37", "2018-09-03 22:00:00"]
    assert kept.stay.tolist() == turned.stay.tolist() == [32 * 60_000 + 24_000, 3_600_000]
    assert kept.offsets == turned.offsets == {-5 * 3_600_000: 2}


def test_utc_is_turned_and_counted(tmp_path):
    """
    Times in UTC are turned into local time without asking, and the report says so; local time says nothing.
    """
    text = "time\n2018-09-03T00:15:20Z\n2018-09-03T09:15:20+08:00\n"
    found = read_log(written(tmp_path, text), Columns("time"), Rules())

    assert [instant_text(time) for time in found.time_in] == ["2018-09-03 08:15:20", "2018-09-03 09:15:20"]
    assert found.offsets == {0: 1}


def test_every_reason_has_its_chinese():
    """
    Whatever says why a time or a line cannot be used can be said in Chinese, with what stood there.
    """
    source = "".join(inspect.getsource(module) for module in (instants, reading))
    reasons = set(re.findall(r'Unreadable\("([^"]+)"\)', source)) | {"the line is too long", "a quote is not closed"}

    assert reasons == set(DETAILS_ZH)
    assert detail_in("'soon': it is no date and time", "zh") == "soon：不是日期和时间"
    assert detail_in("3, the header has 7", "zh") == "3 列，表头有 7 列"
    assert detail_in("'0'", "zh") == "0"


FAULTS = {
    "an offset of another country": (
        OFFSETS,
        Columns("time"),
        Rules(),
        "log.csv:2:1: '2018-09-03T08:08:37-05:00' has the offset -05:00: whether 08:08 counts as it stands, or as 21:08 "
        "in local time (UTC+8), is not said (--clock)\n"
        "    Say --clock written to keep the hours of the log, or --clock china to turn them into local time.",
    ),
    "missing column": (
        SMALL,
        Columns("tim", direction="ways"),
        Rules(),
        "log.csv:1:1: no column 'tim' (--time-in)\n    Did you mean 'time'?\n"
        "log.csv:1:1: no column 'ways' (--direction)\n    Did you mean 'way'?",
    ),
    "column twice": (
        "time,time\n1,2\n",
        Columns("time"),
        Rules(),
        "log.csv:1:1: two columns are called 'time' (--time-in)\n    Rename one of them.",
    ),
    "empty": (
        "\n\n",
        Columns("time"),
        Rules(),
        "log.csv: the file is empty\n    Give a CSV file with a header and rows.",
    ),
    "only a header": (
        "time,way\n",
        Columns("time"),
        Rules(),
        "log.csv: no row of 0 can be used\n    Check the columns and the forms of the dates.",
    ),
    "nothing usable": (
        "time,way\n3/9/2018 8:15,in\n4/9/2018 8:15,in\n",
        Columns("time"),
        Rules(),
        "log.csv:2:1: no row of 2 can be used: 2 × time in cannot be read\n"
        "    The first: '3/9/2018 8:15': whether day or month comes first is not said (--dates).",
    ),
    "too much refused": (
        SMALL + "soon,in\n",
        Columns("time"),
        Rules(),
        "log.csv: 33.3 % of 3 rows are refused, the limit is 10 %: 1 × time in cannot be read\n"
        "    Check the columns; or accept it with --accept '34 %'.",
    ),
    "too many kinds": (
        "time,kind\n" + "".join(f"2018-09-03 08:00:00,k{number}\n" for number in range(61)),
        Columns("time", kind="kind"),
        Rules(),
        "log.csv:62:1: column 'kind' has more than 60 different values\n"
        "    It cannot be the kind; name another column.",
    ),
    "workbook": (
        "PK\x03\x04rest",
        Columns("time"),
        Rules(),
        "log.csv: this is a workbook, not a text file\n    Save the sheet as CSV (UTF-8) and give that.",
    ),
    "binary": (
        "\x00\x01\x02\x03" * 50,
        Columns("time"),
        Rules(),
        "log.csv: this is no text file\n    Give a CSV file with a header and rows.",
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_faults_say_place_fault_and_remedy(tmp_path, monkeypatch, name):
    """
    Each way in which a log cannot be used has its text.
    """
    text, columns, rules, expected = FAULTS[name]
    path = written(tmp_path, text)
    with pytest.raises(ScenarioFault) as caught:
        read_log(path, columns, rules)

    assert str(caught.value).replace(f"{tmp_path}/", "") == expected
    assert isinstance(caught.value, Faults) == (name in {"missing column", "column twice"})


def test_a_file_that_is_not_there(tmp_path):
    """
    A path that leads nowhere is a fault of the input.
    """
    with pytest.raises(ScenarioFault, match="cannot read the file: No such file or directory"):
        read_log(tmp_path / "none.csv", Columns("time"), Rules())


def test_the_generator_has_the_rates_it_says():
    """
    The logs that these tests rest on have as many rows as their streams say, within four standard errors.
    """
    rows = len(gate_log(days=28).rows)
    expected = 28 * sum(stream.rate for stream in STREAMS)

    assert abs(rows - expected) < 4 * expected**0.5
