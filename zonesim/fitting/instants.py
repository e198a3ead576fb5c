"""
Instants and durations as logs write them.

An instant becomes whole milliseconds of local time (UTC+8, no summer time) since 1970-01-01. Read are

- year first: `2018-09-03 08:15:20`, `2018/9/3 8:15`, `2018.9.3`, `20180903`, `2018年9月3日 8时15分20秒`, with `T`,
blanks or nothing between date and time, fractions of a second, `上午`/`下午` or AM/PM;
- compact: `20180903081520`, `201809030815`;
- an offset or `Z` behind the time, which is turned into local time, or left as it stands (`Clock`);
- serial days of spreadsheets (`43346.34375`) and Unix time in seconds (10 digits) or milliseconds (13 digits);
- day or month first (`3/9/2018 8:15`) only when the order is said, because it cannot be seen.
"""

from __future__ import annotations

import datetime
import re
from typing import Final, Literal

from zonesim.units import DAY, HOUR, MINUTE, SECOND

Order = Literal["ymd", "dmy", "mdy"]
Clock = Literal["ask", "china", "written"]
"""
What becomes of times with an offset: `china`, they are turned into local time (UTC+8); `written`, their hours count as
they stand; `ask`, as `china`, but whoever reads wants to be told of offsets that are neither UTC nor local.
"""

_EPOCH: Final = datetime.date(1970, 1, 1).toordinal()
_SERIAL_EPOCH: Final = datetime.date(1899, 12, 30).toordinal()
LOCAL: Final = 8 * HOUR
"""Offset of local time."""

_YEAR_FIRST: Final = re.compile(r"(\d{4})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})\s*[日号]?")
_COMPACT: Final = re.compile(r"(\d{4})(\d{2})(\d{2})")
_YEAR_LAST: Final = re.compile(r"(\d{1,2})\s*[-/.]\s*(\d{1,2})\s*[-/.]\s*(\d{4})")
_SPLIT: Final = re.compile(
    r"(\d{4}\s*[-/.年]\s*\d{1,2}\s*[-/.月]\s*\d{1,2}\s*[日号]?|\d{1,2}\s*[-/.]\s*\d{1,2}\s*[-/.]\s*\d{4}|\d{8}(?=[T\s]|$))[T\s]*(.*)"
)
_CLOCK: Final = re.compile(
    r"(?P<half>上午|下午|中午|凌晨|晚上|[AaPp]\.?[Mm]\.?)?\s*"
    r"(?P<hour>\d{1,2})\s*[:时点：]\s*(?:(?P<minute>\d{1,2})\s*(?:[:分：]\s*(?:(?P<second>\d{1,2})(?P<part>[.,]\d{1,9})?\s*秒?)?)?)?"
    r"\s*(?P<after>[AaPp]\.?[Mm]\.?)?\s*(?P<zone>Z|[+-]\d{2}:?\d{2})?"
)
_DIGITS: Final = re.compile(r"\d{6}")
_NUMBER: Final = re.compile(r"\d{5}(?:\.\d+)?")
_LARGEST_CACHE: Final = 200_000


class Unreadable(ValueError):
    """A text that is no instant or duration; says why."""


class InstantReader:
    """
    Reads instants; remembers the dates and the times of day that it has met, of which a log has few.

    `order` says how dates with the year last are meant; with `ymd` they are refused. `offset` is that (ms, east of
    Greenwich) of the instant read last, None where it has none.
    """

    def __init__(self, order: Order = "ymd", clock: Clock = "china") -> None:
        self.order = order
        self.clock = clock
        self.offset: int | None = None
        self._dates: dict[str, int] = {}
        self._clocks: dict[str, tuple[int, int | None]] = {}

    def read(self, text: str) -> int:
        """Return an instant in ms of local time since 1970-01-01; raises Unreadable."""
        head, _, tail = text.partition(" ")
        date = self._dates.get(head)
        if date is not None:
            clock = self._clocks.get(tail)
            if clock is not None:
                return self._local(date, *clock)
        return self._slowly(text.strip())

    def _slowly(self, text: str) -> int:
        if not text:
            raise Unreadable("it is empty")
        self.offset = None
        number = _number(text)
        if number is not None:
            return number
        match = _SPLIT.fullmatch(text)
        if match is None:
            raise Unreadable("it is no date and time")
        head, tail = match[1].strip(), match[2].strip()
        if not tail:
            raise Unreadable("it has no time of day")
        date, clock = self._date(head), _clock(tail)
        if text == f"{head} {tail}":
            if max(len(self._dates), len(self._clocks)) > _LARGEST_CACHE:
                self._dates.clear()
                self._clocks.clear()
            self._dates[head], self._clocks[tail] = date, clock
        return self._local(date, *clock)

    def _local(self, date: int, clock: int, offset: int | None) -> int:
        self.offset = offset
        return date + clock if offset is None or self.clock == "written" else date + clock - offset + LOCAL

    def _date(self, text: str) -> int:
        match = _YEAR_FIRST.fullmatch(text) or _COMPACT.fullmatch(text)
        if match:
            return _day(int(match[1]), int(match[2]), int(match[3]))
        match = _YEAR_LAST.fullmatch(text)
        if match is None:
            raise Unreadable("it is no date and time")
        if self.order == "ymd":
            raise Unreadable("whether day or month comes first is not said (--dates)")
        day, month = (int(match[1]), int(match[2])) if self.order == "dmy" else (int(match[2]), int(match[1]))
        return _day(int(match[3]), month, day)


def _day(year: int, month: int, day: int) -> int:
    try:
        return (datetime.date(year, month, day).toordinal() - _EPOCH) * DAY
    except ValueError:
        raise Unreadable("there is no such day") from None


def _clock(text: str) -> tuple[int, int | None]:
    """Return a time of day as it stands, and its offset."""
    match = _CLOCK.fullmatch(text)
    if match is None:
        if _DIGITS.fullmatch(text):
            return _of_day(int(text[:2]), int(text[2:4]), int(text[4:]), 0), None
        raise Unreadable("it has no time of day that can be read")
    hour = int(match["hour"])
    half = (match["half"] or match["after"] or "").lower()
    if half:
        late = half.startswith("p") or half in {"下午", "晚上"} or (half == "中午" and hour < 11)  # noqa: PLR2004  中午1点
        if hour > 12 and not late:  # noqa: PLR2004
            raise Unreadable("there is no such time of day")
        if late and hour < 12:  # noqa: PLR2004
            hour += 12
        elif not late and hour == 12 and half != "中午":  # noqa: PLR2004
            hour = 0
    part = round(float("0." + match["part"][1:]) * SECOND) if match["part"] else 0
    found = _of_day(hour, int(match["minute"] or 0), int(match["second"] or 0), part)
    zone = match["zone"]
    if zone is None:
        return found, None
    if zone == "Z":
        return found, 0
    digits = zone[1:].replace(":", "")
    return found, (int(digits[:2]) * HOUR + int(digits[2:]) * MINUTE) * (-1 if zone[0] == "-" else 1)


def _of_day(hour: int, minute: int, second: int, part: int) -> int:
    if (hour, minute, second) == (24, 0, 0):
        return DAY + part
    if hour > 23 or minute > 59 or second > 59:  # noqa: PLR2004
        raise Unreadable("there is no such time of day")
    return hour * HOUR + minute * MINUTE + second * SECOND + part


def _number(text: str) -> int | None:
    """Return the instant of a text of digits alone, or None when it is none."""
    if _NUMBER.fullmatch(text):
        days = float(text)
        if 20_000 <= days < 80_000:  # noqa: PLR2004  the years 1954 to 2119
            if "." not in text:
                raise Unreadable("it has no time of day")
            whole = int(days)
            seconds = round((days - whole) * DAY / SECOND)
            return (whole + _SERIAL_EPOCH - _EPOCH) * DAY + seconds * SECOND
    if not text.isascii() or not text.isdigit():
        return None
    if len(text) in {12, 14}:
        date = _day(int(text[:4]), int(text[4:6]), int(text[6:8]))
        return date + _of_day(int(text[8:10]), int(text[10:12]), int(text[12:] or 0), 0)
    if len(text) == 10:  # noqa: PLR2004  Unix time in seconds
        return int(text) * SECOND + LOCAL
    if len(text) == 13:  # noqa: PLR2004  in milliseconds
        return int(text) + LOCAL
    return None


_SPAN: Final = re.compile(r"(?:(\d{1,4}):)?(\d{1,2}):(\d{1,2})(?:\.(\d{1,9}))?")
_WORDS: Final = re.compile(
    r"(?:(\d+)\s*(?:小时|时|h))?\s*(?:(\d+)\s*(?:分钟|分|min|m))?\s*(?:(\d+(?:\.\d+)?)\s*(?:秒钟|秒|s|sec))?"
)


def read_span(text: str, unit: int) -> int:
    """
    Return a duration in ms: a number of `unit` ms each, `1:02:03`, `02:03` (minutes and seconds), or `2分3秒`.

    Raises Unreadable.
    """
    text = text.strip()
    if not text:
        raise Unreadable("it is empty")
    match = _SPAN.fullmatch(text)
    if match:
        part = float(f"0.{match[4]}") if match[4] else 0.0
        return int(match[1] or 0) * HOUR + int(match[2]) * MINUTE + round((int(match[3]) + part) * SECOND)
    match = _WORDS.fullmatch(text)
    if match:
        return int(match[1] or 0) * HOUR + int(match[2] or 0) * MINUTE + round(float(match[3] or 0) * SECOND)
    try:
        value = float(text)
    except ValueError:
        raise Unreadable("it is no duration") from None
    if not abs(value) < 1e9:  # noqa: PLR2004  also refuses nan
        raise Unreadable("it is no duration")
    return round(value * unit)


def offset_text(offset: int) -> str:
    """Return an offset as it is written: `+08:00`, `-05:00`."""
    hours, minutes = divmod(abs(offset) // MINUTE, 60)
    return f"{'-' if offset < 0 else '+'}{hours:02d}:{minutes:02d}"


def date_text(ms: int) -> str:
    """Return the date of an instant: `2018-09-03`."""
    return datetime.date.fromordinal(ms // DAY + _EPOCH).isoformat()


def instant_text(ms: int) -> str:
    """Return an instant as `2018-09-03 08:15:20`, with the fraction of a second when there is one."""
    seconds, part = divmod(ms % DAY, SECOND)
    clock = f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
    return f"{date_text(ms)} {clock}" + (f".{part:03d}" if part else "")


def weekday(ms: int) -> int:
    """Return the day of the week of an instant, Monday 0."""
    return (ms // DAY + 3) % 7  # 1970-01-01 was a Thursday
