"""The usable rows of a log as columns of numbers, what makes a row unusable, and what was refused for which reason."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from zonesim.fitting.instants import Clock, Order, date_text
from zonesim.fitting.reading import Form
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
    last; `clock`: what becomes of times with an offset; `lane_unit`: ms of one unit of the lane times; `most_refused`:
    the share of refused rows above which the log is not used.
    """

    longest: int = 30 * DAY
    longest_lane: int = 2 * HOUR
    begin: int | None = None
    end: int | None = None
    dates: Order = "ymd"
    clock: Clock = "ask"
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
    offsets: dict[int, int]
    """Rows by the offset (ms, east of Greenwich) of their time in, where it has one other than local time."""

    def __len__(self) -> int:
        return len(self.time_in)

    @property
    def dates(self) -> tuple[str, str]:
        """Return the dates of the first and the last row."""
        return date_text(int(self.time_in[0])), date_text(int(self.time_in[-1]))
