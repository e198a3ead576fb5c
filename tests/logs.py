"""Gate logs with known truth: rates, shapes, laws and classes that were put in, and dirty rows with their reasons."""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

DAY_SHAPE = np.array([0.5] * 6 + [2, 4, 7, 9.5, 9.5, 6, 4, 6, 9, 9, 9, 5, 5, 4, 3.5, 3, 1.5, 1]) / 101 * 24
WEEK_SHAPE = np.array([1, 1, 1, 1, 1, 0.8, 0.6])
MONDAY = datetime.datetime(2018, 9, 3)  # noqa: DTZ001  logs have local times


@dataclass(frozen=True)
class Stream:
    """One direction and kind: vehicles on a Monday, the class shares, batch size."""

    direction: str
    kind: str
    a_day: float
    classes: tuple[tuple[str, float], ...] = (("AEO", 0.4), ("ordinary", 0.6))
    batch: int = 1

    @property
    def rate(self) -> float:
        """Return vehicles a day over the week."""
        return self.a_day * float(WEEK_SHAPE.mean())


STREAMS = (
    Stream("进", "货车", 120),
    Stream("出", "货车", 110),
    Stream("进", "小车", 60, (("AEO", 0.1), ("ordinary", 0.9))),
    Stream("出", "小车", 50, (("AEO", 0.1), ("ordinary", 0.9))),
)


@dataclass
class GateLog:
    """Rows of a log in order of time; `text` is the file; `dirty` counts what was spoilt, by the key of its reason."""

    header: tuple[str, ...] = ("车牌", "进卡时间", "出卡时间", "方向", "车型", "信用等级", "通道用时")
    rows: list[list[str]] = field(default_factory=list)
    dirty: Counter[str] = field(default_factory=Counter)
    times: list[datetime.datetime] = field(default_factory=list)

    def text(self, separator: str = ",") -> str:
        """Return the file."""
        return "\n".join(separator.join(row) for row in [list(self.header), *self.rows]) + "\n"


def gate_log(
    *,
    days: int = 28,
    seed: int = 1,
    streams: Sequence[Stream] = STREAMS,
    lane: tuple[float, float] = (100.0, 0.4),
    start: datetime.datetime = MONDAY,
    form: str = "%Y/%m/%d %H:%M:%S",
) -> GateLog:
    """
    Return a log: Poisson arrivals (in batches, if a stream says so) shaped by hour and weekday, lognormal lane times with
    median and sigma `lane` in seconds, and a wait of up to a minute before.
    """
    draws = np.random.default_rng(seed)
    found: list[tuple[datetime.datetime, list[str]]] = []
    for stream in streams:
        for day in range(days):
            for hour in range(24):
                date = start + datetime.timedelta(days=day, hours=hour)
                mean = stream.a_day * WEEK_SHAPE[date.weekday()] * DAY_SHAPE[hour] / 24 / stream.batch
                for second in draws.uniform(0, 3600, draws.poisson(mean)):
                    for _ in range(stream.batch):
                        time = date + datetime.timedelta(seconds=int(second))
                        lane_time = max(round(float(draws.lognormal(np.log(lane[0]), lane[1]))), 1)
                        left = time + datetime.timedelta(seconds=lane_time + int(draws.integers(0, 60)))
                        names, shares = zip(*stream.classes, strict=True)
                        klass = str(draws.choice(names, p=shares))
                        found.append(
                            (
                                time,
                                [
                                    f"{time:{form}}",
                                    f"{left:{form}}",
                                    stream.direction,
                                    stream.kind,
                                    klass,
                                    str(lane_time),
                                ],
                            )
                        )
    found.sort(key=lambda each: each[0])
    rows = [[f"苏E{number:05d}", *row] for number, (_, row) in enumerate(found)]
    return GateLog(rows=rows, times=[time for time, _ in found])


def soil(log: GateLog, share: float, seed: int = 2) -> GateLog:
    """Spoil a share of the rows of a log in every way that its cleaning knows, in equal parts; return the same log."""
    draws = np.random.default_rng(seed)
    at = {name: log.header.index(name) for name in log.header}
    spoilers = {
        "in_empty": ("进卡时间", ""),
        "in_unreadable": ("进卡时间", "2018/13/45 08:00:00"),
        "out_unreadable": ("出卡时间", "unknown"),
        "backward": ("出卡时间", "2017/01/01 00:00:00"),
        "too_long": ("出卡时间", "2019/12/31 00:00:00"),
        "lane_unreadable": ("通道用时", "n/a"),
        "lane_odd": ("通道用时", "0"),
        "direction_empty": ("方向", ""),
        "kind_empty": ("车型", " "),
        "class_empty": ("信用等级", ""),
    }
    inserted = ("blank", "cells", "quote", "header", "total", "repeated", "period")
    each = max(int(share * len(log.rows)) // (len(spoilers) + len(inserted)), 1)
    chosen = draws.choice(len(log.rows), size=each * len(spoilers), replace=False).tolist()
    for reason, (column, value) in spoilers.items():
        for _ in range(each):
            log.rows[chosen.pop()][at[column]] = value
            log.dirty[reason] += 1
    sound = [row for row in log.rows if row[0].startswith("苏E") and len(row) == len(log.header)]
    whole = [row for row in sound if all(cell.strip() for cell in row) and row[at["通道用时"]] not in {"0", "n/a"}]
    whole = [row for row in whole if row[at["出卡时间"]].startswith("2018") and "/13/" not in row[at["进卡时间"]]]
    for number in range(each):
        twin = list(whole[int(draws.integers(0, len(whole)))])
        old = [f"旧{number}", "1999/01/01 08:00:00", "1999/01/01 08:05:00", "进", "货车", "AEO", "90"]
        new = {
            "blank": [""],
            "cells": twin[:3],
            "quote": ['"' + twin[0], *twin[1:]],
            "header": list(log.header),
            "total": ["合计", *[""] * (len(log.header) - 1)],
            "repeated": twin,
            "period": old,
        }
        for reason in inserted:
            log.rows.insert(int(draws.integers(1, len(log.rows))), new[reason])
            log.dirty[reason] += 1
    return log
