"""
From the rows of a log to clean columns of numbers, with every row that was refused counted by its reason.

A row is used whole or not at all, and nothing is mended. The one exception: a row without a time out counts as an
arrival whose stay is not known.
"""

from __future__ import annotations

from array import array
from collections import Counter
from hashlib import blake2b
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from zonesim.faults import Faults, Place, ScenarioFault, UnknownName, suggest
from zonesim.fitting.instants import LOCAL, InstantReader, Unreadable, instant_text, offset_text, read_span
from zonesim.fitting.log import NAMED, REASONS, UNKNOWN, Columns, Log, Refusals, Rules
from zonesim.fitting.reading import Form, Row, find_form, is_broken, rows_of
from zonesim.fitting.words import is_total, way_of
from zonesim.units import DAY

MOST_VALUES: Final = 60
"""A column with more different values than this is no direction, kind or class."""

MOST_ROWS: Final = 20_000_000
MOST_KNOWN: Final = 100_000
"""Rows of a log, and different lane times that are remembered."""

WORDS: Final = ("direction", "kind", "klass")
_TIMES: Final = ("time_in", "time_out", "lane_time")
_KEPT: Final = ("line", "time_in", "stay", "lane", *WORDS, "digest")


class _Cleaner:
    """Goes through the rows once; what many rows share (dates, times of day, words) is worked out once."""

    def __init__(self, form: Form, columns: Columns, rules: Rules) -> None:
        self.form, self.columns, self.rules = form, columns, rules
        self.refused = Refusals()
        self.read = 0
        self.instants = InstantReader(rules.dates, rules.clock)
        self.offsets: Counter[int] = Counter()
        self.foreign: tuple[int, str, int, int] | None = None
        self.numbers = array("q")
        places = {name: form.names.index(name) for name in columns.named().values()}
        self.used = sorted(set(places.values()))
        self.at = {key: places.get(getattr(columns, key), -1) for key in (*_TIMES, *WORDS, "id")}
        self.word_at = [self.at[name] for name in WORDS]
        self.codes: dict[str, dict[str, int]] = {name: {} for name in WORDS}
        self.known_words: dict[tuple[str, ...], tuple[int, ...] | str] = {}
        self.known_spans: dict[str, int] = {}
        self.tells_apart = bool(columns.id) or any(
            name and number not in self.used for number, name in enumerate(form.names)
        )

    def take(self, row: Row) -> None:
        """Use a row or refuse it."""
        self.read += 1
        found = self._form_of(row) or self._content_of(row.line, row.cells)
        if found:
            self.refused.add(found[0], row.line, found[1])

    def _form_of(self, row: Row) -> tuple[str, str] | None:
        """Return why a row is none, as its reason and a detail."""
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
        if row.unknown_letters and any(is_broken(cells[number]) for number in self.used):
            return "letters", ""
        return None

    def _content_of(self, line: int, cells: list[str]) -> tuple[str, str] | None:
        """Keep what a row says, or return why it cannot be used."""
        at, rules = self.at, self.rules
        text = cells[at["time_in"]]
        try:
            time_in = self.instants.read(text)
        except Unreadable as error:
            return ("in_unreadable", f"'{_short(text)}': {error}") if text.strip() else ("in_empty", "")
        offset = self.instants.offset
        stay = lane = UNKNOWN
        if at["time_out"] >= 0 and cells[at["time_out"]].strip():
            text = cells[at["time_out"]]
            try:
                stay = self.instants.read(text) - time_in
                if rules.clock == "written" and None not in (offset, self.instants.offset):
                    stay += (offset or 0) - (self.instants.offset or 0)  # the clock was changed in between
            except Unreadable as error:
                return "out_unreadable", f"'{_short(text)}': {error}"
            if stay < 0:
                return "backward", ""
            if stay > rules.longest:
                return "too_long", ""
        if at["lane_time"] >= 0:
            text = cells[at["lane_time"]]
            try:
                lane = self._span(text)
            except Unreadable as error:
                return "lane_unreadable", f"'{_short(text)}': {error}"
            if not 0 < lane <= rules.longest_lane:
                return "lane_odd", f"'{_short(text)}'"
        words = tuple([cells[number] if number >= 0 else "" for number in self.word_at])
        codes = self.known_words.get(words)
        if codes is None:
            codes = self.known_words[words] = self._coded(words, line)
        if isinstance(codes, str):
            return codes, ""
        key = f"{cells[at['id']].strip()}\0{time_in}\0{codes[0]}" if at["id"] >= 0 else "\0".join(cells)
        digest = blake2b(key.encode("utf-8", "replace"), digest_size=8).digest()
        self.numbers.extend((line, time_in, stay, lane, *codes, int.from_bytes(digest, "big", signed=True)))
        if offset not in {None, LOCAL}:
            self._note_offset(offset or 0, line, cells[at["time_in"]].strip(), time_in)
        if self.read > MOST_ROWS:
            raise ScenarioFault(f"the log has more than {MOST_ROWS:,} rows", remedy="Cut it into periods.")
        return None

    def _note_offset(self, offset: int, line: int, text: str, time_in: int) -> None:
        self.offsets[offset] += 1
        if offset and self.foreign is None:
            self.foreign = line, text, offset, time_in

    def _span(self, text: str) -> int:
        found = self.known_spans.get(text)
        if found is None:
            found = read_span(text, self.rules.lane_unit)
            if len(self.known_spans) < MOST_KNOWN:
                self.known_spans[text] = found
        return found

    def _coded(self, texts: tuple[str, ...], line: int) -> tuple[int, ...] | str:
        """Return the numbers of direction, kind and class, or the reason why one is missing; raises ScenarioFault."""
        words = [text.strip() for text in texts]
        missing = next((n for n, word, at in zip(WORDS, words, self.word_at, strict=True) if at >= 0 and not word), "")
        if missing:
            return f"{_called(missing)}_empty"
        words[0] = way_of(words[0]) or words[0]
        for name, word in zip(WORDS, words, strict=True):
            codes = self.codes[name]
            codes.setdefault(word, len(codes))
            if len(codes) > MOST_VALUES:
                raise ScenarioFault(
                    f"column '{getattr(self.columns, name)}' has more than {MOST_VALUES} different values",
                    Place("", line),
                    f"It cannot be the {_called(name)}; name another column.",
                )
        return tuple(self.codes[name][word] for name, word in zip(WORDS, words, strict=True))

    def table(self) -> dict[str, NDArray[np.int64]]:
        """Return the columns of what was kept."""
        rows = np.frombuffer(self.numbers, dtype=np.int64) if len(self.numbers) else np.zeros(0, dtype=np.int64)
        return dict(zip(_KEPT, rows.reshape(-1, len(_KEPT)).T, strict=True))


def _called(name: str) -> str:
    return "class" if name == "klass" else name


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
    _check_offsets(path, cleaner)
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


def _check_offsets(path: Path, cleaner: _Cleaner) -> None:
    """Raise ScenarioFault where times have an offset that is no clock of the log's own place, unless it is said."""
    if cleaner.foreign is None or cleaner.rules.clock != "ask":
        return
    line, text, offset, time_in = cleaner.foreign
    stands, turned = instant_text(time_in - LOCAL + offset)[11:16], instant_text(time_in)[11:16]
    raise ScenarioFault(
        f"'{_short(text)}' has the offset {offset_text(offset)}: whether {stands} counts as it stands, or as {turned} "
        "in local time (UTC+8), is not said (--clock)",
        Place(str(path), line, 1),
        "Say --clock written to keep the hours of the log, or --clock china to turn them into local time.",
    )


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
    columns = cleaner.table()
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
    order = np.flatnonzero(keep)[np.argsort(columns["time_in"][keep], kind="stable")]
    tables = {name: _renumbered(columns[name][order], list(codes)) for name, codes in cleaner.codes.items()}
    stay = columns["stay"][order]
    return Log(
        file=path,
        form=cleaner.form,
        columns=cleaner.columns,
        read=cleaner.read,
        refused=cleaner.refused,
        time_in=columns["time_in"][order],
        stay=stay,
        lane=columns["lane"][order],
        direction=tables["direction"][0],
        kind=tables["kind"][0],
        klass=tables["klass"][0],
        directions=tables["direction"][1],
        kinds=tables["kind"][1],
        classes=tables["klass"][1],
        open_stays=int((stay == UNKNOWN).sum()) if cleaner.columns.time_out else 0,
        equal_kept=equal_kept,
        offsets=dict(cleaner.offsets),
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
