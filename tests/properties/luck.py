"""Choosing at random, reproducibly: what generators of cases share."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import TypeVar

T = TypeVar("T")


class Luck:
    """Choices from one source of randomness, which hypothesis may replace by its own."""

    def __init__(self, source: Random) -> None:
        self.source = source

    def chance(self, share: float) -> bool:
        """Return True with this probability."""
        return self.source.random() < share

    def number(self, low: int, high: int) -> int:
        """Return a whole number from `low` to `high`, both included."""
        return self.source.randint(low, high)

    def pick(self, items: Sequence[T]) -> T:
        """Return one of the items."""
        return items[self.source.randrange(len(items))]

    def weighted(self, items: dict[T, float]) -> T:
        """Return one of the items, each as often as its weight says."""
        left = self.source.random() * sum(items.values())
        for item, weight in items.items():
            left -= weight
            if left < 0:
                return item
        return next(reversed(items))

    def some(self, items: Sequence[T], least: int, most: int) -> list[T]:
        """Return between `least` and `most` different items, in the order in which they were given."""
        count = min(self.number(least, most), len(items))
        chosen = set(self.source.sample(range(len(items)), count))
        return [item for number, item in enumerate(items) if number in chosen]

    def percent(self, low: int = 0, high: int = 100) -> str:
        """Return a share as a scenario writes it."""
        return f"{self.number(low, high)} %"

    def split_percent(self, parts: int) -> list[str]:
        """Return shares that add up to 100 %; some may be 0 %."""
        cuts = [0, *sorted(self.number(0, 100) for _ in range(parts - 1)), 100]
        return [f"{later - earlier} %" for earlier, later in zip(cuts, cuts[1:], strict=False)]
