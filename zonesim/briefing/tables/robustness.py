"""How arms do over many futures, and the box of futures in which one does not do well, as text, CSV and JSON."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from rich.table import Table

from zonesim.analysis import Bools, Box, Kept, Limits, Regret
from zonesim.briefing.tables.printing import printed
from zonesim.briefing.text.values import figure_text
from zonesim.briefing.text.words import Words
from zonesim.kpi import Kpi
from zonesim.plan import Floats

COLUMNS: Final = (
    *("kpi", "label_en", "label_zh", "unit", "arm", "quantity", "promise", "future"),
    *("value", "low", "high", "count", "futures", "run"),
)

BOX_COLUMNS: Final = (
    *("arm", "looked_for", "box", "picked", "number", "low", "high", "chance"),
    *("inside", "cases", "coverage", "density", "box_chance", "all_cases", "all_futures", "run"),
)

_SIGNS: Final = ("better", "worse", "unclear")


@dataclass(frozen=True)
class Discovery:
    """
    Where an arm does not do well: `cases` among `futures`, the `boxes` of the trajectory, and the one that is `picked`,
    None where there is none. `why` nothing was looked for, empty where it was: `few`, `none`, `all`. `numbers`: by path
    what each is in these futures, shape (futures,), and which of them are cases, `is_case`.
    """

    arm: str
    cases: int
    futures: int
    boxes: Sequence[Box]
    picked: Box | None
    numbers: Mapping[str, Floats]
    is_case: Bools
    why: str = ""


@dataclass(frozen=True)
class Robust:
    """What is told of the arms of an experiment over its futures. `looked_for`: `not-better` or `broken`."""

    kpi: Kpi
    largest: bool
    regrets: Sequence[Regret]
    kept: Sequence[Kept]
    signs: Mapping[str, tuple[int, int, int]]
    """By arm in how many futures it is surely better than the baseline, surely worse, and neither or unknown."""
    discoveries: Sequence[Discovery]
    looked_for: str
    baseline: str
    futures: Sequence[str]
    ends: Mapping[str, tuple[float, float]]
    """By number the least and the most over the futures."""
    around: Mapping[str, tuple[str, str]]
    """By number what is written before and behind it: `×`, ` %`."""

    def written(self, name: str, value: float) -> str:
        """Return what a number is, as scenarios write it: `×1.3`, `60 %`."""
        before, behind = self.around.get(name, ("", ""))
        return f"{before}{value:.4g}{behind}"

    def limit(self, name: str, own: Limits) -> str:
        """Return between which ends a number lies in a box: `≥ ×1.3`."""
        least, most = self.ends[name]
        low, high = self.written(name, own.low), self.written(name, own.high)
        if own.low > least and own.high < most:
            return f"{low} – {high}"
        return f"≥ {low}" if own.low > least else f"≤ {high}"


def robust_rows(told: Robust, run: str) -> Iterator[list[Any]]:
    """Yield all but boxes as rows with `COLUMNS`."""
    head = [told.kpi.id, told.kpi.en, told.kpi.zh, told.kpi.unit]
    nan = math.nan
    for each in told.regrets:
        yield [*head, each.arm, "mean_regret", "", "", each.mean, *each.limits, "", each.futures, run]
        if each.largest is not None:
            own = each.largest
            worst = [each.worst, own.value, own.low, own.high]
            yield [*head, each.arm, "largest_regret", "", *worst, "", each.futures, run]
        for quantity, count in (("best", each.best), ("unknown", each.unknown)):
            yield [*head, each.arm, quantity, "", "", nan, nan, nan, count, each.futures, run]
        for quantity, count in zip(_SIGNS, told.signs.get(each.arm, ()), strict=False):
            yield [*head, each.arm, quantity, "", "", nan, nan, nan, count, sum(told.signs[each.arm]), run]
    for kept in told.kept:
        share = kept.kept / kept.futures
        text = kept.promise.text
        yield [*head, kept.arm, "kept", text, "", share, kept.low, kept.high, kept.kept, kept.futures, run]
        surely = kept.surely / kept.futures
        yield [*head, kept.arm, "surely_kept", text, "", surely, nan, nan, kept.surely, kept.futures, run]


def box_rows(told: Robust, run: str) -> Iterator[list[Any]]:
    """Yield the boxes of all trajectories as rows with `BOX_COLUMNS`, one a limit, and the ones picked by number 0."""
    for each in told.discoveries:
        numbered = [(number, box) for number, box in enumerate(each.boxes, start=1)]
        for number, box in [*([(0, each.picked)] if each.picked else []), *numbered]:
            tail = [box.inside, box.cases, box.coverage, box.density, box.chance, each.cases, each.futures, run]
            for name, own in box.limits.items() or [("", None)]:
                limits = [own.low, own.high, own.chance] if own else [math.nan] * 3
                picked = "yes" if not number else ""
                yield [each.arm, told.looked_for, number, picked, name, *limits, *tail]


def robust_document(told: Robust) -> dict[str, Any]:
    """Return what --json tells."""
    return {
        "kpi": told.kpi.id,
        "goal": "largest" if told.largest else "smallest",
        "arms": [
            {
                "arm": each.arm,
                "mean_regret": each.mean,
                "mean_low": each.limits[0],
                "mean_high": each.limits[1],
                "largest_regret": each.largest.value if each.largest else None,
                "largest_low": each.largest.low if each.largest else None,
                "largest_high": each.largest.high if each.largest else None,
                "worst_future": each.worst or None,
                "best_in": each.best,
                "unknown": each.unknown,
                "futures": each.futures,
                **dict(zip(_SIGNS, told.signs.get(each.arm, ()), strict=False)),
                "promises": [
                    {
                        "promise": kept.promise.text,
                        "kept": kept.kept,
                        "surely": kept.surely,
                        "futures": kept.futures,
                        "low": kept.low,
                        "high": kept.high,
                    }
                    for kept in told.kept
                    if kept.arm == each.arm
                ],
            }
            for each in told.regrets
        ],
        "looked_for": told.looked_for,
        "boxes": [
            {
                "arm": each.arm,
                "cases": each.cases,
                "futures": each.futures,
                "why_none": each.why or None,
                "picked": None if each.picked is None else _box(each.picked),
                "trajectory": [_box(box) for box in each.boxes],
            }
            for each in told.discoveries
        ],
    }


def _box(box: Box) -> dict[str, Any]:
    return {
        "limits": {name: {"low": own.low, "high": own.high, "chance": own.chance} for name, own in box.limits.items()},
        "inside": box.inside,
        "cases": box.cases,
        "coverage": box.coverage,
        "density": box.density,
        "chance": box.chance,
    }


def robust_text(say: Words, told: Robust, name: Callable[[str], str] = str) -> list[str]:
    """
    Return a table of the arms, promises kept, and for each arm where it does not do well. `name`: what people call an
    arm.
    """
    percent = told.kpi.unit == "share"
    label = told.kpi.en if say.language == "en" else told.kpi.zh
    unit = "%" if percent else say.unit(told.kpi.unit)
    goal = say("best.largest" if told.largest else "best.smallest", kpi=told.kpi.id, label=label, unit=unit)
    table = Table(box=None, pad_edge=False)
    table.add_column(say("best.arm"))
    heads = ("mean_regret", "largest_regret", "low", "high", "best_in", "better", "worse", "unclear")
    for head in heads:
        table.add_column(say(f"capacity.{head}" if head in {"low", "high"} else f"robust.{head}"), justify="right")
    table.add_column(say("robust.worst"))
    for each in told.regrets:
        own = each.largest
        largest = (
            [figure_text(value, percent=percent) for value in (own.value, own.low, own.high)] if own else ["-"] * 3
        )
        counts = [str(count) for count in told.signs.get(each.arm, ())] or [""] * 3
        worst = each.worst or (say("robust.unknown", n=each.unknown) if each.unknown else "-")
        mean = figure_text(each.mean, percent=percent)
        table.add_row(name(each.arm), mean, *largest, str(each.best), *counts, worst)
    futures = max((each.futures for each in told.regrets), default=0)
    lines = [say("robust.title", goal=goal), printed(table)]
    lines.append(say("robust.note", n=futures, baseline=name(told.baseline)))
    lines += [_kept_text(say, each, name(each.arm)) for each in told.kept]
    for found in told.discoveries:
        lines += ["", *_discovery_text(say, told, found, name)]
    return lines


def _kept_text(say: Words, each: Kept, arm: str) -> str:
    limits = ""
    if not math.isnan(each.low):
        limits = say("robust.share", low=f"{100 * each.low:.0f}", high=f"{100 * each.high:.0f}")
    return say(
        "robust.kept",
        arm=arm,
        promise=each.promise.called(say.language),
        kept=each.kept,
        surely=each.surely,
        futures=each.futures,
        share=limits,
    )


def _discovery_text(say: Words, told: Robust, found: Discovery, called: Callable[[str], str]) -> Iterator[str]:
    what = say(f"robust.look.{told.looked_for}", arm=called(found.arm), baseline=called(told.baseline))
    yield say("robust.cases", what=what, cases=found.cases, futures=found.futures)
    if found.why:
        yield say(f"robust.why.{found.why}")
        return
    if found.picked is None:
        yield say("robust.no_box")
        return
    box = found.picked
    for name, own in sorted(box.limits.items(), key=lambda each: each[1].chance):
        least, most = (told.written(name, end) for end in told.ends[name])
        chance = f"{own.chance:.1g}" if own.chance >= 0.001 else "<0.001"  # noqa: PLR2004
        yield say("robust.limit", number=name, limit=told.limit(name, own), least=least, most=most, chance=chance)
    yield say(
        "robust.box",
        coverage=f"{100 * box.coverage:.0f}",
        density=f"{100 * box.density:.0f}",
        inside=box.inside,
        whole=f"{100 * found.cases / found.futures:.0f}",
        chance=f"{100 * box.chance:.0f}",
    )
