"""
Which of several arms is best, with a promised probability, or as surely as a number of runs allows.

`chosen` is fully sequential under common random numbers: an arm leaves as soon as it is surely not the best, by more
than anybody would care for (the indifference). First those leave that surely break a promise, by the same kind of
boundary.
Sources: S.-H. Kim and B. L. Nelson, A fully sequential procedure for indifference-zone selection in simulation, ACM
TOMACS 11, 2001 (KN); D. Batur and S.-H. Kim, Finding feasible systems in the presence of constraints on multiple
performance measures, ACM TOMACS 20, 2010; S. Andradóttir and S.-H. Kim, Fully sequential procedures for comparing
constrained systems via simulation, Naval Research Logistics 57, 2010 (one after the other, the error divided by two).

`allocated` spends a budget of runs where they tell most: C.-H. Chen, J. Lin, E. Yücesan, S. E. Chick, Simulation budget
allocation for further enhancing the efficiency of ordinal optimization, Discrete Event Dynamic Systems 10, 2000 (OCBA).

The mean of the arm that was chosen is too good on average, for luck has helped to choose it: estimate it on other runs.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Literal

import numpy as np

from zonesim.plan import Floats

Observe = Callable[[Mapping[str, int]], Mapping[str, Floats]]
"""
Gives the first so many replications of arms: by arm a table of shape (replications, 1 + promises). Its first column is
what is to be small; the others are by how much each promise is broken (above 0: it is). Replications are paired.
"""

State = Literal["best", "beaten", "breaks", "missing", "open"]
"""
What became of an arm: `beaten` by another, `breaks` a promise, has no value in a replication (`missing`), or was still
in when the most runs were done that were asked for (`open`).
"""

FIRST: Final = 10
"""Replications of the first stage, from which spreads are known."""

STEP: Final = 5
"""So many more replications are run at a time; decisions are the same as one by one."""

_TINY: Final = 1e-12


@dataclass(frozen=True)
class Standing:
    """
    An arm after the search: its mean over the `n` replications that it took part in, and what became of it; `by`: the
    arm that beat it, or the number of the promise that it breaks.
    """

    arm: str
    state: State
    mean: float
    n: int
    by: str = ""


@dataclass(frozen=True)
class Choice:
    """
    What was chosen: the best arm, empty where none is left. `probability`: that it is the best or as good, promised by
    `chosen`, estimated by `allocated` (a lower bound where arms are normal and independent); nan where the runs did not
    do. `unsure`: arms of which the runs did not tell whether they keep every promise; they took part.
    """

    best: str
    probability: float
    standings: tuple[Standing, ...]
    unsure: tuple[str, ...] = ()

    @property
    def decided(self) -> bool:
        """Return whether no arm is left that might be better, or of which it is not known whether it may be chosen."""
        return not self.unsure and not any(each.state == "open" for each in self.standings)


@dataclass
class _Search:
    """Arms that are looked at: tables read so far, and what became of those that left."""

    names: Sequence[str]
    observe: Observe
    most: int
    tables: dict[str, Floats] = field(default_factory=dict)
    left: dict[str, tuple[State, int, str]] = field(default_factory=dict)
    unsure: list[str] = field(default_factory=list)

    def read(self, arms: Sequence[str], upto: int) -> list[str]:
        """Read the first `upto` replications of some arms; return those that have a value in all of them."""
        self.tables |= self.observe(dict.fromkeys(arms, upto))
        for arm in arms:
            if np.isnan(self.tables[arm][:upto, 0]).any():
                self.leave(arm, "missing", upto)
        return [arm for arm in arms if arm not in self.left]

    def leave(self, arm: str, state: State, at: int, by: str = "") -> None:
        """Note what becomes of an arm after `at` replications."""
        self.left[arm] = state, at, by

    def choice(self, best: str, at: int, probability: float) -> Choice:
        """Return what was chosen."""
        told = []
        for arm in self.names:
            state, n, by = self.left.get(arm, ("best" if arm == best else "open", at, ""))
            column = self.tables[arm][:n, 0]
            mean = float(column.mean()) if len(column) and not np.isnan(column).any() else math.nan
            told.append(Standing(arm, state, mean, n, by))
        found = Choice(best, probability, tuple(told), tuple(self.unsure))
        return found if best and found.decided else replace(found, probability=math.nan)


def chosen(
    names: Sequence[str],
    observe: Observe,
    *,
    indifference: float,
    error: float,
    tolerances: Sequence[float] = (),
    first: int = FIRST,
    most: int = 1000,
    step: int = STEP,
) -> Choice:
    """
    Return the arm that is best with probability 1 - `error` or more, where it is better than all others by
    `indifference` or more; else one that is within it of the best.

    `tolerances`, one a promise: an arm that breaks or keeps a promise by less than this may be taken for either. No arm
    is run more than `most` times: those that might still be the best are `open` then, and the one with the smallest
    mean is named without a probability.
    """
    search = _Search(names, observe, most)
    own = error / 2 if tolerances else error
    running = search.read(list(names), first)
    running, at = _keepers(search, running, tolerances, own, first, step)
    best, at = _last_one(search, running, indifference, own, (first, max(at, first)), step)
    return search.choice(best, at, 1 - error)


def _keepers(
    search: _Search, running: Sequence[str], tolerances: Sequence[float], error: float, first: int, step: int
) -> tuple[list[str], int]:
    """Return the arms that keep every promise, or are not surely found to break one, and how far they were run."""
    if not tolerances or not running:
        return list(running), first
    factor = _factor(error / (len(search.names) * len(tolerances)), first)
    undecided = {arm: set(range(len(tolerances))) for arm in running}
    checked, upto = first - 1, first
    while any(undecided.values()):
        arms = search.read([arm for arm, own in undecided.items() if own and arm not in search.left], upto)
        for arm in arms:
            for promise in sorted(undecided[arm]):
                verdict, at = _sign(search.tables[arm][:upto, 1 + promise], checked, first, factor, tolerances[promise])
                if verdict > 0:
                    search.leave(arm, "breaks", at, str(promise))
                    break
                if verdict < 0:
                    undecided[arm].discard(promise)
        undecided = {arm: own for arm, own in undecided.items() if own and arm not in search.left}
        checked = upto
        if upto >= search.most:
            break
        upto = min(upto + step, search.most)
    search.unsure = list(undecided)
    return [arm for arm in running if arm not in search.left], checked


def _sign(values: Floats, checked: int, first: int, factor: float, tolerance: float) -> tuple[int, int]:
    """
    Return whether a mean is surely above 0 (1), surely below (-1) or neither (0), and after how many values: the first
    time after `checked` that their sum leaves the triangle whose width follows from the spread of the `first` ones.
    """
    if np.isinf(values).any():
        return 1, int(np.flatnonzero(np.isinf(values))[0]) + 1
    spread = float(values[:first].var(ddof=1))
    for count in range(max(checked + 1, first), len(values) + 1):
        total = math.fsum(values[:count].tolist())
        bound = max(0.0, (factor * spread / tolerance - tolerance * count) / 2)
        if abs(total) >= bound:
            return (1 if total > 0 else -1), count
    return 0, len(values)


def _last_one(
    search: _Search, running: list[str], indifference: float, error: float, begin: tuple[int, int], step: int
) -> tuple[str, int]:
    """
    Return the last arm that nothing beats and how far it was run, or where runs end the one with the smallest mean.

    `begin`: replications of the first stage, and how many have been run at least.
    """
    first, upto = begin
    if len(running) > 1:
        factor = _factor(error / (len(search.names) - 1), first)
        checked = first - 1
        while True:
            running = search.read(running, upto)
            running = _screened(search, running, indifference, factor, first, range(checked + 1, upto + 1))
            checked = upto
            if len(running) < 2 or upto >= search.most:  # noqa: PLR2004  one is the best
                break
            upto = min(upto + step, search.most)
    else:
        running = search.read(running, upto)
    if not running:
        return "", upto
    best = min(running, key=lambda arm: float(search.tables[arm][:upto, 0].mean()))
    return best, upto


def _screened(
    search: _Search, running: Sequence[str], indifference: float, factor: float, first: int, counts: range
) -> list[str]:
    """Return the arms that are left after some numbers of replications, one after the other."""
    left = list(running)
    for count in counts:
        if len(left) < 2:  # noqa: PLR2004  nothing to compare with
            break
        values = np.array([search.tables[arm][:count, 0] for arm in left])
        spread = (values[:, None, :first] - values[None, :, :first]).var(axis=2, ddof=1)
        room = np.maximum(0.0, (factor * spread / indifference - indifference * count) / 2)
        np.fill_diagonal(room, np.inf)
        sums = values.sum(axis=1)
        excess = sums[:, None] - sums[None, :] - room
        if not (room > 0)[~np.eye(len(left), dtype=bool)].any():  # also those that are equal to the digit
            excess = sums[:, None] - sums[None, :] + np.where(np.eye(len(left)) > 0, -np.inf, 0)
            best = int(sums.argmin())
            out = [row for row in range(len(left)) if row != best]
        else:
            out = np.flatnonzero((excess > 0).any(axis=1)).tolist()
        for row in out:
            search.leave(left[row], "beaten", count, left[int(excess[row].argmax())])
        left = [arm for arm in left if arm not in search.left]
    return left


def _factor(error: float, first: int) -> float:
    """Return h² of Kim and Nelson with c = 1, for one comparison with this chance of an error."""
    if error >= 0.5:  # noqa: PLR2004  a coin does as well
        return 0.0
    return float(((2 * error) ** (-2 / (first - 1)) - 1) * (first - 1))


# --- a budget of runs


def allocated(names: Sequence[str], observe: Observe, *, budget: int, first: int = FIRST, step: int = 20) -> Choice:
    """
    Return the arm with the smallest mean after `budget` replications in all, which go to those arms that might be the
    best: after `first` of each, `step` at a time.
    """
    counts = dict.fromkeys(names, first)
    search = _Search(names, observe, budget)
    running = search.read(list(names), first)
    while running and (left := budget - sum(counts.values())) > 0:
        columns = [search.tables[arm][: counts[arm], 0] for arm in running]
        means, spreads = (np.array([of(each) for each in columns]) for of in (np.mean, _variance))
        added = _added(shares(means, spreads), [counts[arm] for arm in running], min(step, left))
        for arm, more in zip(running, added, strict=True):
            counts[arm] += more
        search.tables |= observe({arm: counts[arm] for arm in running})
        for arm in running:
            if np.isnan(search.tables[arm][: counts[arm], 0]).any():
                search.leave(arm, "missing", counts[arm])
        running = [arm for arm in running if arm not in search.left]
    if not running:
        return search.choice("", 0, math.nan)
    columns = [search.tables[arm][: counts[arm], 0] for arm in running]
    best = running[int(np.argmin([each.mean() for each in columns]))]
    for arm in running:
        search.leave(arm, "best" if arm == best else "beaten", counts[arm], "" if arm == best else best)
    return search.choice(best, 0, probability_of(columns))


def shares(means: Floats, variances: Floats) -> Floats:
    """
    Return which share of all replications each arm gets (OCBA), shape (arms,): the others in proportion to
    (sd / distance to the best)², the best its sd times the root of the sum of (replications / sd)² of the others.
    """
    best = int(means.argmin())
    distance = np.maximum(means - means[best], _TINY * max(float(np.abs(means).max()), 1.0))
    weights = variances / distance**2
    weights[best] = 0.0
    others = variances > 0
    others[best] = False
    ratios = float((weights[others] ** 2 / variances[others]).sum())
    weights[best] = math.sqrt(variances[best] * ratios)
    total = float(weights.sum())
    return weights / total if total > 0 else np.full(len(means), 1 / len(means))


def probability_of(columns: Sequence[Floats]) -> float:
    """
    Return a lower bound of the probability that the smallest mean is the smallest in truth (Bonferroni; Chen et al.
    2000), for normal and independent columns.
    """
    from scipy.special import ndtr

    means = np.array([each.mean() for each in columns])
    errors = np.array([_variance(each) / len(each) for each in columns])
    best = int(means.argmin())
    wrong = 0.0
    for other in range(len(columns)):
        if other != best:
            scale = math.sqrt(errors[other] + errors[best])
            distance = float(means[other] - means[best])
            wrong += float(ndtr(-distance / scale)) if scale > 0 else 0.0 if distance > 0 else 0.5
    return max(0.0, 1 - wrong)


def _added(wanted: Floats, counts: Sequence[int], room: int) -> list[int]:
    """Return how many more replications each arm gets, so that `room` are given as nearly as shares want it."""
    lacking = np.maximum(wanted * (sum(counts) + room) - np.array(counts), 0.0)
    exact = lacking / lacking.sum() * room if lacking.sum() > 0 else wanted * room
    given = np.floor(exact).astype(int)
    for arm in np.argsort(given - exact, kind="stable")[: room - int(given.sum())].tolist():
        given[arm] += 1
    return [int(each) for each in given]


def _variance(values: Floats) -> float:
    return float(values.var(ddof=1))
