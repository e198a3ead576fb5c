"""Words of gate logs: which way a vehicle goes, whether it carries goods, and names that a scenario can have."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

_WAYS: Final = {
    "in": (
        "in",
        "i",
        "inbound",
        "enter",
        "entry",
        "entrance",
        "进",
        "入",
        "进区",
        "入区",
        "进卡",
        "进场",
        "入场",
        "进门",
        "进口",
        "入口",
    ),
    "out": ("out", "o", "outbound", "exit", "leave", "出", "出区", "出卡", "出场", "离场", "出门", "出口", "离区"),
}
"""Exact words (without case) for the two directions of a gate."""

_OTHER: Final = re.compile(
    r"car|empty|visitor|light|bus|passenger|staff|other|小|轿|客|空|访|员工|私家|其他", re.IGNORECASE
)
"""Vehicles that the library's gate checks as empties and cars; every other kind counts as a goods vehicle."""

_KNOWN: Final = {
    "货车": "truck",
    "集卡": "container_truck",
    "集装箱": "container_truck",
    "集装箱车": "container_truck",
    "厢式货车": "van",
    "小车": "car",
    "小客车": "car",
    "轿车": "car",
    "客车": "bus",
    "空车": "empty",
    "重车": "loaded",
    "其他": "other",
    "其它": "other",
    "高级认证": "AEO",
    "高级认证企业": "AEO",
    "一般认证": "certified",
    "一般认证企业": "certified",
    "一般信用": "ordinary",
    "一般信用企业": "ordinary",
    "一般": "ordinary",
    "失信": "discredited",
    "失信企业": "discredited",
}
"""English names of frequent kinds and of credit classes."""

_TOTALS_ZH: Final = ("合计", "总计", "小计", "共计")
_TOTALS_EN: Final = ("total", "totals", "sum", "subtotal", "grand total", "count")


def detail_in(detail: str, lang: str) -> str:
    """Return a detail of a refused row in a language: `'soon': it is no date and time`, `3, the header has 7`."""
    if lang != "zh":
        return detail
    text, between, why = detail.rpartition("': ")
    if between:
        return f"{text.removeprefix(QUOTE)}：{DETAILS_ZH[why]}" if why in DETAILS_ZH else detail
    if match := re.fullmatch(r"(\d+), the header has (\d+)", detail):
        return f"{match[1]} 列，表头有 {match[2]} 列"
    return DETAILS_ZH.get(detail, detail.strip(QUOTE))


QUOTE: Final = "'"
DETAILS_ZH: Final = {
    "it is empty": "为空",
    "it is no date and time": "不是日期和时间",
    "it has no time of day": "没有时刻",
    "it has no time of day that can be read": "时刻无法识别",
    "whether day or month comes first is not said (--dates)": "未说明日和月的先后（--dates）",
    "there is no such day": "没有这一天",
    "there is no such time of day": "没有这一时刻",
    "it is no duration": "不是时长",
    "the line is too long": "行过长",
    "a quote is not closed": "引号未闭合",
}
"""Why a time cannot be read or a line is broken, in Chinese."""


def way_of(text: str) -> str:
    """Return `in` or `out` when a text says so, else nothing."""
    key = text.strip().casefold().removesuffix("方向").removesuffix("向")
    return next((way for way, words in _WAYS.items() if key in words), "")


def vehicle_of(kind: str) -> str:
    """Return how the library's gate treats a kind of vehicle: `freight` or `other`."""
    return "other" if _OTHER.search(kind) else "freight"


def is_total(cell: str) -> bool:
    """Return whether the first filled cell of a row makes it a line of totals: `合计`, `合计：120`, `Total`."""
    word = cell.strip().casefold()
    return word.startswith(_TOTALS_ZH) or word.rstrip(": ") in _TOTALS_EN


def names_for(texts: Iterable[str], prefix: str) -> dict[str, str]:
    """
    Return a name of letters, digits and _ for each text; texts without such letters are numbered in their order.

    Letters keep their case; `货车` and other frequent words have English names.
    """
    found: dict[str, str] = {}
    for number, text in enumerate(texts, start=1):
        name = re.sub(r"[^A-Za-z0-9]+", "_", _KNOWN.get(text, text)).strip("_")
        if not name or not name[0].isalpha():
            name = f"{prefix}_{name or number}"
        base, again = name[:40], 2
        name = base
        while name in found.values():
            name, again = f"{base}_{again}", again + 1
        found[text] = name
    return found
