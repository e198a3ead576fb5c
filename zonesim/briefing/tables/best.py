"""Which arm is best: what became of each in a search, and the best one on runs of its own, as text, CSV and JSON."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from rich.table import Table

from zonesim.analysis import Choice, Difference, Interval, Promise
from zonesim.briefing.tables.printing import printed
from zonesim.briefing.text.values import figure_text
from zonesim.briefing.text.words import Words
from zonesim.kpi import Kpi

COLUMNS: Final = (
    *(
        "kpi",
        "label_en",
        "label_zh",
        "unit",
        "arm",
        "state",
        "by",
        "mean_in_search",
        "low_in_search",
        "high_in_search",
        "n_in_search",
    ),
    *("value", "low", "high", "difference", "diff_low", "diff_high", "n", "seed", "run"),
)


@dataclass(frozen=True)
class Estimate:
    """
    The best arm on `n` runs under a `seed` that nothing was chosen by: its value, and the paired difference to the
    baseline, None where it is the baseline, or where a line of that grows.
    """

    value: Interval
    difference: Difference | None
    baseline: str
    seed: int
    n: int


@dataclass(frozen=True)
class Found:
    """
    What a search found. `largest`: it was for the largest `kpi`. `left_out`: arms that took no part, because they are
    over the `budget` or a line `grows`.
    """

    kpi: Kpi
    largest: bool
    method: str
    choice: Choice
    left_out: Mapping[str, str]
    promises: Sequence[Promise]
    estimate: Estimate | None
    indifference: float
    means: Mapping[str, Interval]
    """By arm the mean over its runs in the search, with limits that know nothing of the choice."""
    promised: Mapping[str, tuple[Interval, ...]]
    """By arm the same of the KPI of each promise; inf where a run withholds it."""

    def mean(self, value: float) -> float:
        """Return a mean as the KPI has it: searches look for the smallest."""
        return -value if self.largest else value


def best_rows(found: Found, run: str) -> Iterator[list[Any]]:
    """Yield a row an arm with `COLUMNS`; the estimate stands in the row of the best one."""
    kpi = found.kpi
    head = [kpi.id, kpi.en, kpi.zh, kpi.unit]
    own = found.estimate
    for each in found.choice.standings:
        numbers: list[Any] = [math.nan] * 6 + ["", ""]
        if own is not None and each.arm == found.choice.best:
            change = own.difference
            changes = [change.value, change.low, change.high] if change else [math.nan] * 3
            numbers = [own.value.value, own.value.low, own.value.high, *changes, own.n, own.seed]
        mean = [found.mean(each.mean), found.means[each.arm].low, found.means[each.arm].high]
        yield [*head, each.arm, each.state, _by(found, each.by), *mean, each.n, *numbers, run]
    for arm, why in found.left_out.items():
        yield [*head, arm, why, "", *([math.nan] * 3), 0, *([math.nan] * 6), "", "", run]


def best_document(found: Found) -> dict[str, Any]:
    """Return what --json tells."""
    own = found.estimate
    change = own.difference if own else None
    return {
        "kpi": found.kpi.id,
        "goal": "largest" if found.largest else "smallest",
        "method": found.method,
        "promises": [each.text for each in found.promises],
        "indifference": found.indifference,
        "best": found.choice.best or None,
        "probability": found.choice.probability,
        "decided": found.choice.decided,
        "unsure": list(found.choice.unsure),
        "arms": [
            {
                "arm": each.arm,
                "state": each.state,
                "by": _by(found, each.by),
                "mean": found.mean(each.mean),
                "low": found.means[each.arm].low,
                "high": found.means[each.arm].high,
                "n": each.n,
            }
            for each in found.choice.standings
        ]
        + [
            {"arm": arm, "state": why, "by": "", "mean": None, "low": None, "high": None, "n": 0}
            for arm, why in found.left_out.items()
        ],
        "estimate": None
        if own is None
        else {
            "value": own.value.value,
            "low": own.value.low,
            "high": own.value.high,
            "baseline": own.baseline,
            "difference": change.value if change else None,
            "diff_low": change.low if change else None,
            "diff_high": change.high if change else None,
            "n": own.n,
            "seed": own.seed,
        },
    }


def best_text(
    say: Words,
    found: Found,
    *,
    name: str,
    run: str,
    seed: int,
    arms: Sequence[str],
    probability: float,
    called: Callable[[str], str] = str,
) -> list[str]:
    """
    Return what became of each arm, which is best and how sure that is, and its value on runs of its own. `called`: what
    people call an arm.
    """
    percent = found.kpi.unit == "share"
    unit = "%" if percent else say.unit(found.kpi.unit)
    label = found.kpi.en if say.language == "en" else found.kpi.zh
    goal = say("best.largest" if found.largest else "best.smallest", kpi=found.kpi.id, label=label, unit=unit)
    lines = [say("best.title", name=name, goal=goal, seed=seed), say("capacity.run", run=run)]
    lines += [say("capacity.promise", text=each.text) for each in found.promises]
    table = Table(box=None, pad_edge=False)
    for head, side in (("arm", "left"), ("mean", "right"), ("n", "right"), ("state", "left")):
        table.add_column(say(f"best.{head}"), justify=side)  # type: ignore[arg-type]
    standings = {each.arm: each for each in found.choice.standings}
    for arm in arms:
        own = standings.get(arm)
        mean = "-" if own is None else figure_text(found.mean(own.mean), percent=percent)
        table.add_row(called(arm), mean, str(own.n if own is not None else 0), state_text(say, found, arm, called))
    lines += ["", printed(table), ""]
    return [*lines, *_verdict(say, found, unit, probability, called, percent=percent)]


def certainty_text(say: Words, found: Found, probability: float, name: Callable[[str], str] = str) -> str:
    """Return how sure it is that the chosen arm is the best; there has to be one. `name`: what people call an arm."""
    choice, percent = found.choice, found.kpi.unit == "share"
    unit = "%" if percent else say.unit(found.kpi.unit)
    sure = f"{min(100 * choice.probability, 99.9):.3g}"  # no number of runs makes it certain
    if math.isnan(choice.probability):
        return say("best.undecided", arm=name(choice.best))
    if found.method == "kn":
        indifference = f"{(100 if percent else 1) * found.indifference:.3g} {unit}"
        return say("best.promised", arm=name(choice.best), sure=f"{100 * probability:.4g}", indifference=indifference)
    return say("best.estimated", arm=name(choice.best), sure=sure)


def state_text(say: Words, found: Found, arm: str, name: Callable[[str], str] = str) -> str:
    """Return what became of an arm; `name`: what people call an arm."""
    if arm in found.left_out:
        return say(f"best.state.{found.left_out[arm]}")
    (own,) = (each for each in found.choice.standings if each.arm == arm)
    is_promise = own.by.isdigit() and found.promises
    by = found.promises[int(own.by)].called(say.language) if is_promise else name(own.by)
    return say(f"best.state.{own.state}", by=by)


def _verdict(
    say: Words, found: Found, unit: str, probability: float, name: Callable[[str], str], *, percent: bool
) -> Iterator[str]:
    choice, own = found.choice, found.estimate
    if own is None:
        yield say("best.none")
        return
    yield certainty_text(say, found, probability, name)
    for arm in choice.unsure:
        yield say("best.unsure", arm=name(arm))
    value = [figure_text(each, percent=percent) for each in (own.value.value, own.value.low, own.value.high)]
    told = dict(zip(("value", "low", "high"), value, strict=True))
    yield say("best.estimate", arm=name(choice.best), n=own.n, seed=own.seed, unit=unit, **told)
    if own.difference is not None:
        change = (own.difference.value, own.difference.low, own.difference.high)
        value = [figure_text(each, percent=percent) for each in change]
        told = dict(zip(("value", "low", "high"), value, strict=True))
        yield say("best.difference", baseline=name(own.baseline), unit=unit, **told)


def _by(found: Found, by: str) -> str:
    """Return the arm that beat another, or the promise that one breaks."""
    return found.promises[int(by)].text if by.isdigit() and found.promises else by
