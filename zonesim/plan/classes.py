"""
The classes of a plan: a number for each combination of the class and the attributes that a token may have.

The class that a scenario speaks of is one attribute among others, that every token has. Where a scenario declares no
more, the number of a combination is that of the class.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import cached_property
from itertools import product
from math import prod

from zonesim.scenario.fields import CLASS


class Classes:
    """
    Every combination of a class and a value of each attribute, by number.

    The class changes slowest from one number to the next, then the attributes in their order. `values` are those of
    each attribute, the class first.
    """

    def __init__(self, classes: Sequence[str], attributes: Mapping[str, Sequence[str]]) -> None:
        self.values: dict[str, tuple[str, ...]] = {CLASS: tuple(classes)} | {
            name: tuple(own) for name, own in attributes.items()
        }

    def __len__(self) -> int:
        """Return how many combinations there are."""
        return prod(map(len, self.values.values()))

    @cached_property
    def _combinations(self) -> list[tuple[str, ...]]:
        return list(product(*self.values.values()))

    @property
    def attributes(self) -> list[str]:
        """Return the names of the attributes, without the class."""
        return [name for name in self.values if name != CLASS]

    def by_number(self, attribute: str) -> tuple[str, ...]:
        """Return the value of an attribute that each combination has."""
        place = list(self.values).index(attribute)
        return tuple(each[place] for each in self._combinations)

    def stride(self, attribute: str) -> int:
        """Return by how much the number grows from one value of an attribute to the next."""
        names = list(self.values)
        return prod(len(self.values[name]) for name in names[names.index(attribute) + 1 :])

    def part(self, attribute: str, value: str) -> int:
        """Return what a value of an attribute adds to the number of a combination."""
        return self.values[attribute].index(value) * self.stride(attribute)

    def mask(self, attribute: str, values: Collection[str]) -> int:
        """Return the bits of the combinations that have one of some values of an attribute."""
        return sum(1 << number for number, value in enumerate(self.by_number(attribute)) if value in values)

    def mask_of_all(self, values: Mapping[str, Collection[str]]) -> int:
        """Return the bits of the combinations that have one of some values of every attribute."""
        return sum(
            1 << number
            for number, each in enumerate(self._combinations)
            if all(value in values[name] for name, value in zip(self.values, each, strict=True))
        )

    def changed(self, to: Mapping[str, str]) -> dict[int, int]:
        """Return by target, in their order, the bits of the combinations that become it when they get other values."""
        found: dict[int, int] = {}
        for number, each in enumerate(self._combinations):
            values = {**dict(zip(self.values, each, strict=True)), **to}
            target = sum(self.part(name, value) for name, value in values.items())
            found[target] = found.get(target, 0) | 1 << number
        return found
