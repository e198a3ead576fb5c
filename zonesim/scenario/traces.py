"""Arrivals from a log: one row of a CSV file is one arrival, with its time and perhaps its class."""

from __future__ import annotations

import csv
import datetime
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final, TextIO

from zonesim import units
from zonesim.faults import Faults, Place, ScenarioFault, UnitFault, UnknownName, suggest
from zonesim.limits import LARGEST_TRACE, MOST_ARRIVALS, MOST_CLASSES, MOST_LINES, MOST_WRONG
from zonesim.scenario.characters import told, unseen, visible
from zonesim.scenario.paths import ODD, is_odd

if TYPE_CHECKING:
    from zonesim.scenario.traffic import Trace

SHOWN: Final = 5
"""So many wrong rows are named; the others are counted."""

_MOMENT: Final = re.compile(
    r"(\d{4})[-/](\d{1,2})[-/](\d{1,2})[ T](\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,6}))?)?", re.ASCII
)

At = Callable[..., Place]
"""Returns the place of a key of the trace in the scenario."""


@dataclass(frozen=True)
class TraceRows:
    """
    Arrivals of a log: times in ms from the run's start, in ascending order, the class of each (or none), and its value
    of each attribute that the log has.
    """

    times: tuple[int, ...]
    classes: tuple[str, ...] = ()
    outside: int = 0
    """Rows that were left out because they lie outside the run."""
    attributes: dict[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class Run:
    """The run that a log has to fit: its first day, and its end in ms from then."""

    start: datetime.date
    until: int

    def __str__(self) -> str:
        """Return when it begins and ends."""
        end = datetime.datetime.combine(self.start, datetime.time()) + datetime.timedelta(milliseconds=self.until)
        return f"{self.start} 00:00 to {end:%Y-%m-%d %H:%M}"


@dataclass
class _Wrong:
    """Faults of rows: the first ones, and how many there are."""

    file: str
    faults: list[ScenarioFault] = field(default_factory=list)
    count: int = 0
    hidden: int = 0
    """Line of the first wrong row that is not named."""

    def add(self, line: int, fault: str, remedy: str) -> None:
        self.count += 1
        if self.count <= SHOWN:
            self.faults.append(ScenarioFault(fault, Place(self.file, line, 1), remedy))
        elif not self.hidden:
            self.hidden = line
        if self.count >= MOST_WRONG:
            self.raise_any()

    def raise_any(self) -> None:
        if self.count > SHOWN:
            more = self.count - SHOWN
            fault = f"{more} more wrong row{'s' if more > 1 else ''} from here on"
            fault += ", and it is read no further" if self.count >= MOST_WRONG else ""
            self.faults.append(ScenarioFault(fault, Place(self.file, self.hidden, 1), "Mend those above first."))
        if self.faults:
            raise Faults(self.faults)


def read_trace(trace: Trace, file: Path, shown: str, run: Run, at: At) -> TraceRows:
    """
    Return the arrivals in a log.

    `file` is where it is and `shown` what messages call it; `at` gives the places of keys of `trace`. Raises Faults:
    the file cannot be read, is no CSV or too large, columns that it lacks, rows without a time or class, out of
    order or outside the run.
    """
    if is_odd(file):
        raise Faults([ScenarioFault(f"'{shown}' {ODD}", at("file"), "Save it as a file first.")])
    try:
        stat = file.stat()
    except OSError as error:
        raise Faults([_unreadable(shown, error, at)]) from None
    if stat.st_size > LARGEST_TRACE:
        remedy = "Keep the rows and columns that matter."
        raise Faults([ScenarioFault(f"'{shown}' is larger than {LARGEST_TRACE} bytes", at("file"), remedy)])
    # Every arm of a comparison asks for the same rows; a version of a file is read once.
    key = (trace.model_dump_json(), file, run, stat.st_mtime_ns, stat.st_size)
    found = _REMEMBERED.get(key)
    if found is None:
        found = _read(trace, file, shown, run, at)
        if len(_REMEMBERED) >= _MOST_REMEMBERED:
            _REMEMBERED.clear()
        _REMEMBERED[key] = found
    return found


_Key = tuple[str, Path, Run, int, int]
_REMEMBERED: Final[dict[_Key, TraceRows]] = {}
_MOST_REMEMBERED: Final = 16


def _read(trace: Trace, file: Path, shown: str, run: Run, at: At) -> TraceRows:
    try:
        encoding = "utf-8-sig" if trace.encoding == "utf-8" else trace.encoding
        with file.open(encoding=encoding, newline="") as stream:
            return _Log(trace, stream, shown, run, at).read()
    except OSError as error:
        raise Faults([_unreadable(shown, error, at)]) from None
    except UnicodeDecodeError as error:
        fault = f"'{shown}' is not {trace.encoding} text (byte {error.start})"
        remedy = "Save it as UTF-8, or write `encoding: gb18030`."
        raise Faults([ScenarioFault(fault, at("file"), remedy)]) from None


def _unreadable(shown: str, error: OSError, at: At) -> ScenarioFault:
    return ScenarioFault(f"'{shown}' cannot be read: {error.strerror}", at("file"), "Check the path.")


class _Log:
    """Reads one log."""

    def __init__(self, trace: Trace, stream: TextIO, shown: str, run: Run, at: At) -> None:
        self.trace = trace
        self.stream = stream
        self.shown = shown
        self.run = run
        self.at = at
        self.wrong = _Wrong(shown)
        self.wanted = {column: frozenset(values) for column, values in trace.where.items()}
        self.seen: dict[str, set[str]] = {column: set() for column in self.wanted}
        self.columns: dict[str, int] = {}
        self.width = 0
        self.read_as: dict[tuple[str, ...], str] = {("class",): trace.class_} if trace.class_ is not None else {}
        """The columns of what a token is: its class, its attributes; by the key that names the column."""
        self.read_as |= {("attributes", name): column for name, column in trace.attributes.items()}
        self.rows: list[tuple[int, tuple[str, ...]]] = []
        self.before: int | None = None
        self.outside = 0

    def read(self) -> TraceRows:
        """Return the arrivals; raises Faults."""
        reader = csv.reader(self.stream, strict=True)
        try:
            self._header([name.strip() for name in next(reader, [])])
            for row in reader:
                if reader.line_num > MOST_LINES:
                    place = Place(self.shown, reader.line_num, 1)
                    raise Faults([ScenarioFault(f"more than {MOST_LINES:,} lines", place, "Keep those that matter.")])
                if row:
                    self._row(reader.line_num, row)
        except csv.Error as error:
            place = Place(self.shown, reader.line_num, 1)
            raise Faults([ScenarioFault(f"not CSV: {error}", place, "Check quotes and commas.")]) from None
        self.wrong.raise_any()
        self._check_found()
        if self.trace.sort:
            self.rows.sort(key=lambda row: row[0])
        read = {key[-1]: tuple(own[place] for _, own in self.rows) for place, key in enumerate(self.read_as)}
        classes = read.pop("class", ()) if self.trace.class_ is not None else ()
        return TraceRows(tuple(time for time, _ in self.rows), classes, self.outside, read)

    def _header(self, names: list[str]) -> None:
        """Find the columns that matter."""
        due: dict[tuple[str, ...], str] = {("time",): self.trace.time}
        due |= {("where", column): column for column in self.wanted}
        due |= self.read_as
        faults: list[ScenarioFault] = []
        for key, name in due.items():
            if name not in names:
                fault = f"'{self.shown}' has no column '{name}'"
                faults.append(UnknownName(fault, self.at(*key), suggest(name, names, "columns")))
            elif names.count(name) > 1:
                fault = f"'{self.shown}' has {names.count(name)} columns '{name}'"
                faults.append(ScenarioFault(fault, self.at(*key), "Rename the others."))
        if faults:
            raise Faults(faults)
        self.columns = {name: names.index(name) for name in due.values()}
        self.width = len(names)

    def _row(self, line: int, row: list[str]) -> None:
        if len(row) != self.width:
            remedy = "Give each row a value for each column."
            fault = f"{len(row)} value{'s' if len(row) > 1 else ''}, {self.width} are due"
            self.wrong.add(line, fault, remedy)
            return
        values = {column: row[position].strip() for column, position in self.columns.items()}
        for column in self.wanted:
            self.seen[column].add(values[column])
        if not all(values[column] in wanted for column, wanted in self.wanted.items()):
            return
        text = values[self.trace.time]
        try:
            time = self._time(text)
        except UnitFault as found:
            self.wrong.add(line, found.fault, found.remedy)
            return
        if not self.trace.sort and self.before is not None and time < self.before:
            self.wrong.add(line, f"'{text}' is earlier than the row before", "Sort the file, or write `sort: true`.")
            return
        self.before = time
        if not 0 <= time < self.run.until:
            if self.trace.outside == "ignore":
                self.outside += 1
                return
            fault = f"'{text}' lies outside the run, {self.run}"
            self.wrong.add(line, fault, "Change the clock, or write `outside: ignore`.")
            return
        for key, column in self.read_as.items():
            name, what = values[column], "class" if len(key) == 1 else "value"
            if not name:
                self.wrong.add(line, f"no value in column '{column}'", f"Give each row a {what}.")
                return
            if strange := unseen(name, name=True):
                self.wrong.add(line, f"{told(strange)} in the {what} '{visible(name)}' cannot be seen", "Take it out.")
                return
        self.rows.append((time, tuple(values[column] for column in self.read_as.values())))
        if len(self.rows) > MOST_ARRIVALS:
            fault = f"more than {MOST_ARRIVALS} arrivals"
            raise Faults([ScenarioFault(fault, Place(self.shown, line, 1), "Split the log, or use `where`.")])

    def _time(self, text: str) -> int:
        """Return the ms from the start of the run; raises UnitFault."""
        if self.trace.unit is not None:
            return round(units.parse(f"{text} {self.trace.unit}", "duration"))
        moment = _MOMENT.fullmatch(text)
        if moment is None:
            try:
                return round(units.parse(text, "duration"))
            except UnitFault:
                fault = f"'{text}' is no time" if text else f"no value in column '{self.trace.time}'"
                remedy = "Write 2018-09-03 08:15:20, or 15 min from the start; for plain numbers give `unit`."
                raise UnitFault(fault, remedy=remedy) from None
        year, month, day, hour, minute, second = (int(part or 0) for part in moment.groups()[:6])
        try:
            date = datetime.date(year, month, day)
            datetime.time(hour, minute, second)
        except ValueError:
            fault = f"'{text}' is no time"
            raise UnitFault(fault, remedy="There is no such day or hour.") from None
        millis = round(int((moment[7] or "0").ljust(6, "0")) / 1000)
        clock = hour * units.HOUR + minute * units.MINUTE + second * units.SECOND + millis
        return (date - self.run.start).days * units.DAY + clock

    def _check_found(self) -> None:
        """Raise Faults for values of `where` that no row has, for too many classes, and when nothing is left."""
        faults: list[ScenarioFault] = []
        for column, wanted in self.wanted.items():
            for value in sorted(wanted - self.seen[column]):
                fault = f"no row of '{self.shown}' has '{value}' in column '{column}'"
                faults.append(UnknownName(fault, self.at("where", column), suggest(value, sorted(self.seen[column]))))
        for place, (key, column) in enumerate(self.read_as.items()):
            named = len({own[place] for _, own in self.rows})
            if named > MOST_CLASSES:
                plural, one = ("classes", "class") if len(key) == 1 else ("values", "attribute")
                fault = f"column '{column}' names {named} {plural}, more than {MOST_CLASSES}"
                faults.append(ScenarioFault(fault, self.at(*key), f"Name the column of a coarser {one}."))
        if not faults and not self.rows:
            remedy = "Check `where`, and that the run covers the times of the log."
            faults.append(ScenarioFault(f"no row of '{self.shown}' arrives", self.at("file"), remedy))
        if faults:
            raise Faults(faults)
