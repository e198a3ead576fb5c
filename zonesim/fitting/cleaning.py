"""
From the rows of a log to clean columns of numbers, with every row that was refused counted by its reason.

A row is used whole or not at all, and nothing is mended. The one exception: a row without a time out counts as an
arrival whose stay is not known.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from zonesim.faults import Faults, Place, ScenarioFault, UnknownName, suggest
from zonesim.fitting.instants import InstantReader, Order, Unreadable, date_text, read_span
from zonesim.fitting.reading import Form, Row, find_form, is_broken, rows_of
from zonesim.fitting.words import is_total, way_of
from zonesim.units import DAY, HOUR, SECOND

REASONS: Final[dict[str, tuple[str, str]]] = {
    "blank": ("blank line", "空行"),
    "cells": ("wrong number of cells", "列数不符"),
    "quote": ("broken line (an open quote, or too long)", "行损坏（引号未闭合或过长）"),
    "header": ("header repeated", "重复表头"),
    "total": ("line of totals", "合计行"),
    "letters": ("letters that cannot be decoded", "无法解码的字符"),
    "in_empty": ("no time in", "缺少进入时间"),
    "in_unreadable": ("time in cannot be read", "进入时间无法识别"),
    "out_unreadable": ("time out cannot be read", "离开时间无法识别"),
    "backward": ("time out before time in", "离开早于进入"),
    "too_long": ("longer than the limit", "时长超过上限"),
    "lane_unreadable": ("lane time cannot be read", "通道用时无法识别"),
    "lane_odd": ("lane time not above 0, or longer than the limit", "通道用时非正或超过上限"),
    "direction_empty": ("no direction", "缺少方向"),
    "kind_empty": ("no kind of vehicle", "缺少车辆类型"),
    "class_empty": ("no class", "缺少类别"),
    "repeated": ("same row again", "重复记录"),
    "period": ("outside the main period", "不在主要时段内"),
}
"""Why a row is refused: key, and the words in English and Chinese."""

NAMED: Final = 5
"""So many rows of each reason are named by their line."""

MOST_VALUES: Final = 60
"""A column with more different values than this is no direction, kind or class."""

MOST_ROWS: Final = 20_000_000

UNKNOWN: Final = -1
"""A stay or a lane time that the log does not have."""


@dataclass(frozen=True)
class Columns:
    """Which columns of the log mean what; empty: the log has none."""

    time_in: str
    time_out: str = ""
    direction: str = ""
    kind: str = ""
    klass: str = ""
    lane_time: str = ""
    id: str = ""

    def named(self) -> dict[str, str]:
        """Return the columns that are named, by option."""
        options = {
            "--time-in": self.time_in,
            "--time-out": self.time_out,
            "--direction": self.direction,
            "--kind": self.kind,
            "--class": self.klass,
            "--lane-time": self.lane_time,
            "--id": self.id,
        }
        return {option: name for option, name in options.items() if name}


@dataclass(frozen=True)
class Rules:
    """
    What makes a row unusable.

    `longest` and `longest_lane`: limits in ms of time in to time out, and of the time in the lane; `begin` and `end`:
    the period as instants in ms (None: found from the rows); `dates`: the order of day and month where the year is
    last; `lane_unit`: ms of one unit of the lane times; `most_refused`: the share of refused rows above which the log
    is not used.
    """

    longest: int = 30 * DAY
    longest_lane: int = 2 * HOUR
    begin: int | None = None
    end: int | None = None
    dates: Order = "ymd"
    lane_unit: int = SECOND
    most_refused: float = 0.1


@dataclass
class Refusals:
    """Refused rows: how many by reason, and the first lines of each with what stood there."""

    counts: Counter[str] = field(default_factory=Counter)
    first: dict[str, list[tuple[int, str]]] = field(default_factory=dict)

    def add(self, reason: str, line: int, detail: str = "") -> None:
        """Count a refused row."""
        self.counts[reason] += 1
        named = self.first.setdefault(reason, [])
        if len(named) < NAMED:
            named.append((line, detail))

    @property
    def total(self) -> int:
        """Return how many rows were refused."""
        return sum(self.counts.values())


@dataclass
class Log:
    """
    The usable rows of a log in order of time.

    `time_in` and `stay` (time out − time in) and `lane` in ms, UNKNOWN where the log has none; `direction`, `kind`
    and `klass` are positions in `directions`, `kinds` and `classes`. `read` counts all rows below the header.
    """

    file: Path
    form: Form
    columns: Columns
    read: int
    refused: Refusals
    time_in: NDArray[np.int64]
    stay: NDArray[np.int64]
    lane: NDArray[np.int64]
    direction: NDArray[np.int64]
    kind: NDArray[np.int64]
    klass: NDArray[np.int64]
    directions: list[str]
    kinds: list[str]
    classes: list[str]
    open_stays: int
    """Rows without a time out."""
    equal_kept: int
    """Rows equal to an earlier one that were kept, because nothing in the row could tell two vehicles apart."""

    def __len__(self) -> int:
        return len(self.time_in)

    @property
    def dates(self) -> tuple[str, str]:
        """Return the dates of the first and the last row."""
        return date_text(int(self.time_in[0])), date_text(int(self.time_in[-1]))


class _Values:
    """Distinct values of a column, numbered as they come."""

    def __init__(self) -> None:
        self.codes: dict[str, int] = {}

    def code(self, text: str) -> int:
        found = self.codes.get(text)
        if found is None:
            found = self.codes[text] = len(self.codes)
        return found


class _Cleaner:
    """Goes through the rows once."""

    def __init__(self, form: Form, columns: Columns, rules: Rules) -> None:
        self.form, self.columns, self.rules = form, columns, rules
        self.refused = Refusals()
        self.read = 0
        self.open_stays = 0
        self.instants = InstantReader(rules.dates)
        self.numbers = {
            name: array("q") for name in ("line", "time_in", "stay", "lane", "direction", "kind", "klass", "digest")
        }
        self.values = {name: _Values() for name in ("direction", "kind", "klass")}
        places = {name: form.names.index(name) for name in columns.named().values()}
        self.at = {
            key: places.get(getattr(columns, key), -1)
            for key in ("time_in", "time_out", "direction", "kind", "klass", "lane_time", "id")
        }
        self.ways: dict[str, str] = {}
        self.used = sorted(set(places.values()))
        self.tells_apart = bool(columns.id) or any(
            name and number not in self.used for number, name in enumerate(form.names)
        )

    def take(self, row: Row) -> None:
        """Use a row or refuse it."""
        self.read += 1
        cells = row.cells
        reason, detail = self._form_of(row)
        if not reason:
            reason, detail = self._content_of(row.line, cells)
        if reason:
            self.refused.add(reason, row.line, detail)

    def _form_of(self, row: Row) -> tuple[str, str]:
        cells, width = row.cells, len(self.form.names)
        if row.broken:
            return "quote", row.broken
        filled = next((cell for cell in cells if cell and not cell.isspace()), "")
        if not filled:
            return "blank", ""
        if is_total(filled):
            return "total", ""
        if len(cells) != width and (len(cells) < width or any(cell.strip() for cell in cells[width:])):
            return "cells", f"{len(cells)}, the header has {width}"
        if cells[self.at["time_in"]].strip() == self.columns.time_in:
            return "header", ""
        if any(is_broken(cells[number]) for number in self.used):
            return "letters", ""
        return "", ""

    def _content_of(self, line: int, cells: Sequence[str]) -> tuple[str, str]:
        at, rules = self.at, self.rules
        text = cells[at["time_in"]]
        try:
            time_in = self.instants.read(text)
        except Unreadable as error:
            return ("in_unreadable", f"'{_short(text)}': {error}") if text.strip() else ("in_empty", "")
        stay = lane = UNKNOWN
        if at["time_out"] >= 0:
            text = cells[at["time_out"]]
            if text.strip():
                try:
                    stay = self.instants.read(text) - time_in
                except Unreadable as error:
                    return "out_unreadable", f"'{_short(text)}': {error}"
                if stay < 0:
                    return "backward", ""
                if stay > rules.longest:
                    return "too_long", ""
        if at["lane_time"] >= 0:
            text = cells[at["lane_time"]]
            try:
                lane = read_span(text, rules.lane_unit)
            except Unreadable as error:
                return "lane_unreadable", f"'{_short(text)}': {error}"
            if not 0 < lane <= rules.longest_lane:
                return "lane_odd", f"'{_short(text)}'"
        words = []
        for name in ("direction", "kind", "klass"):
            word = cells[at[name]].strip() if at[name] >= 0 else ""
            if at[name] >= 0 and not word:
                return f"{name.replace('klass', 'class')}_empty", ""
            words.append(word)
        words[0] = self.ways.get(words[0]) or self.ways.setdefault(words[0], way_of(words[0]) or words[0])
        self.open_stays += at["time_out"] >= 0 and stay == UNKNOWN
        key = f"{cells[at['id']].strip()}\0{time_in}\0{words[0]}" if at["id"] >= 0 else "\0".join(cells)
        digest = int.from_bytes(
            blake2b(key.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "big", signed=True
        )
        codes = [self._code(name, word, line) for name, word in zip(self.values, words, strict=True)]
        for name, value in zip(self.numbers, (line, time_in, stay, lane, *codes, digest), strict=True):
            self.numbers[name].append(value)
        if len(self.numbers["line"]) > MOST_ROWS:
            raise ScenarioFault(f"the log has more than {MOST_ROWS:,} rows", remedy="Cut it into periods.")
        return "", ""

    def _code(self, name: str, word: str, line: int) -> int:
        values = self.values[name]
        code = values.code(word)
        if code >= MOST_VALUES:
            column = getattr(self.columns, name)
            raise ScenarioFault(
                f"column '{column}' has more than {MOST_VALUES} different values",
                Place("", line),
                f"It cannot be the {name.replace('klass', 'class')}; name another column.",
            )
        return code


def read_log(path: Path, columns: Columns, rules: Rules) -> Log:
    """
    Return the usable rows of a log.

    Raises ScenarioFault when the file cannot be read, a column is missing, nothing is usable or too much is refused.
    """
    form = find_form(path, list(columns.named().values()))
    _check_columns(path, form, columns)
    cleaner = _Cleaner(form, columns, rules)
    try:
        for row in rows_of(path, form):
            cleaner.take(row)
    except ScenarioFault as fault:
        place = fault.place or Place("")
        raise ScenarioFault(fault.fault, Place(str(path), place.line, 1 if place.line else 0), fault.remedy) from None
    log = _in_order(path, cleaner)
    _check_share(log, rules)
    return log


def _check_columns(path: Path, form: Form, columns: Columns) -> None:
    place = Place(str(path), form.header_line, 1)
    known = [name for name in form.names if name]
    faults: list[ScenarioFault] = []
    for option, name in columns.named().items():
        if name not in known:
            faults.append(UnknownName(f"no column '{name}' ({option})", place, suggest(name, known, "columns")))
        elif known.count(name) > 1:
            faults.append(ScenarioFault(f"two columns are called '{name}' ({option})", place, "Rename one of them."))
    if faults:
        raise Faults(faults)


def _check_share(log: Log, rules: Rules) -> None:
    place = Place(str(log.file))
    counts = ", ".join(f"{count} × {REASONS[reason][0]}" for reason, count in log.refused.counts.most_common())
    if not len(log):
        first = _first_refusal(log)
        raise ScenarioFault(
            f"no row of {log.read} can be used" + (f": {counts}" if counts else ""),
            place if first is None else Place(str(log.file), first[0], 1),
            f"The first: {first[1]}." if first and first[1] else "Check the columns and the forms of the dates.",
        )
    share = log.refused.total / log.read
    if share > rules.most_refused:
        limit = f"the limit is {100 * rules.most_refused:.3g} %"
        raise ScenarioFault(
            f"{100 * share:.3g} % of {log.read} rows are refused, {limit}: {counts}",
            place,
            f"Check the columns; or accept it with --accept '{-int(-100 * share // 1)} %'.",
        )


def _first_refusal(log: Log) -> tuple[int, str] | None:
    named = [entry for reason, entries in log.refused.first.items() if reason != "blank" for entry in entries]
    return min(named, default=None)


def _in_order(path: Path, cleaner: _Cleaner) -> Log:
    """Sort the rows by time, and refuse those that repeat another or lie outside the main period."""
    columns = {
        name: np.frombuffer(values, dtype=np.int64) if len(values) else np.zeros(0, np.int64)
        for name, values in cleaner.numbers.items()
    }
    keep = np.ones(len(columns["line"]), dtype=bool)
    _, first = np.unique(columns["digest"], return_index=True)
    again = np.ones(len(keep), dtype=bool)
    again[first] = False
    equal_kept = 0
    if cleaner.tells_apart:
        keep &= ~again
        _refuse(cleaner.refused, "repeated", columns["line"][again])
    else:
        equal_kept = int(again.sum())
    begin, end = main_period(columns["time_in"][keep], cleaner.rules)
    outside = keep & ((columns["time_in"] < begin) | (columns["time_in"] >= end))
    _refuse(cleaner.refused, "period", columns["line"][outside])
    keep &= ~outside
    cleaner.open_stays -= int(((columns["stay"] == UNKNOWN) & ~keep).sum()) if cleaner.at["time_out"] >= 0 else 0
    order = np.flatnonzero(keep)[np.argsort(columns["time_in"][keep], kind="stable")]
    tables = {name: _renumbered(columns[name][order], list(values.codes)) for name, values in cleaner.values.items()}
    return Log(
        file=path,
        form=cleaner.form,
        columns=cleaner.columns,
        read=cleaner.read,
        refused=cleaner.refused,
        time_in=columns["time_in"][order],
        stay=columns["stay"][order],
        lane=columns["lane"][order],
        direction=tables["direction"][0],
        kind=tables["kind"][0],
        klass=tables["klass"][0],
        directions=tables["direction"][1],
        kinds=tables["kind"][1],
        classes=tables["klass"][1],
        open_stays=cleaner.open_stays,
        equal_kept=equal_kept,
    )


def _renumbered(codes: NDArray[np.int64], names: list[str]) -> tuple[NDArray[np.int64], list[str]]:
    """
    Return codes and names without unused names, the most frequent first; a direction that says in or out is so called.
    """
    counts = np.bincount(codes, minlength=len(names)) if len(names) else np.zeros(0, np.int64)
    order = [code for code in np.argsort(-counts, kind="stable").tolist() if counts[code]]
    table = np.zeros(max(len(names), 1), dtype=np.int64)
    for new, old in enumerate(order):
        table[old] = new
    return table[codes], [names[old] for old in order]


def _refuse(refused: Refusals, reason: str, lines: NDArray[np.int64]) -> None:
    if len(lines):
        refused.counts[reason] += len(lines)
        refused.first[reason] = [(line, "") for line in sorted(lines.tolist())[:NAMED]]


def main_period(times: NDArray[np.int64], rules: Rules) -> tuple[int, int]:
    """
    Return the instants between which rows are used.

    Given ones hold; else it is the run of days with most rows, broken where 14 days in a row have less than one in
    200 of the rows of a typical day.
    """
    if not len(times):
        return 0, 0
    days, counts = np.unique(times // DAY, return_counts=True)
    busy = days[counts * 200 > np.median(counts[counts > 1]) if (counts > 1).any() else counts > 0]
    breaks = np.flatnonzero(np.diff(busy) > 14)  # noqa: PLR2004
    spans = [(int(part[0]), int(part[-1])) for part in np.split(busy, breaks + 1)]
    inside = [int(counts[(days >= first) & (days <= last)].sum()) for first, last in spans]
    first, last = spans[int(np.argmax(inside))]
    begin = first * DAY if rules.begin is None else rules.begin
    end = (last + 1) * DAY if rules.end is None else rules.end
    return begin, end


def _short(text: str) -> str:
    text = text.strip()
    return text if len(text) <= 30 else text[:29] + "…"  # noqa: PLR2004
