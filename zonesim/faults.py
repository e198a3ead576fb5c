"""
Everything that can go wrong, and the exit code of each kind.

    ZonesimError                (never raised itself)
    ├─ ScenarioFault   exit 2   the input is wrong: place, fault, remedy
    │  ├─ UnknownName           a name that nothing has; says what is near
    │  ├─ UnitFault             a unit that is missing or of the wrong kind
    │  └─ MeasureConflict       two measures edit one value
    ├─ RunFault        exit 3   the run cannot go on: deadlock, endless loop, too many tokens
    │  └─ DiskFull              there is no room for what it found
    └─ InternalError   exit 70  our mistake: says so and where to report

Exit 0: done. Exit 1: some runs failed, what finished is kept. Exit 130: interrupted.
"""

from __future__ import annotations

import difflib
import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

MOST_TOLD: Final = 50
"""So many faults are told one by one; of the others, how many there are."""

LIBRARY: Final = "library/"
"""How the names of the library's own files begin; a file of the reader's is never called so (see `read_file`)."""


@dataclass(frozen=True, order=True)
class Place:
    """
    Where something stands: a file with line and column (from 1), or another origin (`--set`, a default) with line
    0 and, where it is known, the column in the origin's own text.
    """

    file: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        """Return file:line:column, or the origin alone."""
        return f"{self.file}:{self.line}:{self.column}" if self.line else self.file

    @property
    def in_library(self) -> bool:
        """Return whether it is a place that the reader cannot change: a file of the library."""
        return self.file.startswith(LIBRARY)


class ZonesimError(Exception):
    """Base of every fault; `exit_code` is what the command line returns for it."""

    exit_code: ClassVar[int] = 70


class ScenarioFault(ZonesimError):
    """
    The input is wrong.

    What the reader's own file makes wrong in the library is told at `place` in that file, with the places in the
    library where it is `used`.
    """

    exit_code: ClassVar[int] = 2

    def __init__(
        self, fault: str, place: Place | None = None, remedy: str = "", *, owner: tuple[str, ...] = ()
    ) -> None:
        """
        Keep the three parts of a message apart: `fault` what is wrong, `place` where, `remedy` what would be right.

        `owner` is the path, in the world of the scenario, of what would have to be different.
        """
        super().__init__(fault, place, remedy)
        self.fault = fault
        self.place = place
        self.remedy = remedy
        self.owner = owner
        self.used: tuple[Place, ...] = ()

    def at(self, place: Place) -> ScenarioFault:
        """Return this fault with `place`, if it has none yet."""
        return self if self.place is not None else self._moved(place)

    def led_to_from(self, place: Place) -> ScenarioFault:
        """Return this fault, if it stands in the library, told at the `place` of the reader's that led to it."""
        if self.place is None or not self.place.in_library or place.in_library:
            return self
        moved = self._moved(place)
        moved.used = (*self.used, self.place)
        return moved

    def _moved(self, place: Place) -> ScenarioFault:
        moved = type(self)(self.fault, place, self.remedy, owner=self.owner)
        moved.used = self.used
        return moved

    @property
    def users(self) -> str:
        """Return where in the library it is used, "" when it does not matter."""
        if not self.used:
            return ""
        more = f" and {len(self.used) - 1} more places" if len(self.used) > 2 else ""  # noqa: PLR2004
        also = f" and {self.used[1]}" if len(self.used) == 2 else more  # noqa: PLR2004
        return f"used at zonesim's own {self.used[0]}{also}"

    def __str__(self) -> str:
        """Return `place: fault`, where it is used and the remedy, each on a line of its own."""
        head = f"{self.place}: {self.fault}" if self.place else self.fault
        return "\n    ".join([head, *filter(None, (self.users, self.remedy))])


class UnknownName(ScenarioFault):
    """A name that nothing has."""


class UnitFault(ScenarioFault):
    """A unit that is missing, unknown or of the wrong kind."""


class MeasureConflict(ScenarioFault):
    """Two measures edit one value."""


class Faults(ScenarioFault):
    """All faults of a scenario at once, in the order of their places."""

    def __init__(self, faults: Sequence[ScenarioFault]) -> None:
        """Keep `faults`, sorted by place and each once, with all the places where it is used."""
        unique: dict[tuple[str, str, str], ScenarioFault] = {}
        for fault in faults:
            first = unique.setdefault((str(fault.place), fault.fault, fault.remedy), fault)
            first.used = tuple(sorted({*first.used, *fault.used}))
        self.faults = sorted(unique.values(), key=lambda fault: fault.place or Place(""))
        super().__init__(f"{len(self.faults)} faults")

    def at(self, place: Place) -> ScenarioFault:  # noqa: ARG002
        """Return these faults as they are: each has its own place."""
        return self

    def told(self) -> list[ScenarioFault]:
        """Return the faults that are told one by one: the first ones, and how many more there are."""
        return first_told(self.faults)

    def led_to_from(self, place: Place) -> ScenarioFault:
        """Return these faults, those of the library told at the `place` of the reader's that led to them."""
        return Faults([fault.led_to_from(place) for fault in self.faults])

    def __str__(self) -> str:
        """Return one message after the other."""
        return "\n".join(str(fault) for fault in self.told())


class MoreFaults(ScenarioFault):
    """Faults that are only counted."""

    def __init__(self, count: int, place: Place | None) -> None:
        """Say how many there are, from `place` on."""
        super().__init__(f"{count} more faults from here on", place, "Mend those above first.")
        self.count = count

    def _moved(self, place: Place) -> ScenarioFault:
        return MoreFaults(self.count, place)


def first_told(faults: Sequence[ScenarioFault]) -> list[ScenarioFault]:
    """Return the first `MOST_TOLD` of faults in order, and one in place of all the others when they are several."""
    if len(faults) <= MOST_TOLD + 1:
        return list(faults)
    rest = faults[MOST_TOLD:]
    count = sum(fault.count if isinstance(fault, MoreFaults) else 1 for fault in rest)
    return [*faults[:MOST_TOLD], MoreFaults(count, rest[0].place)]


class RunFault(ZonesimError):
    """The run cannot go on."""

    exit_code: ClassVar[int] = 3


class DiskFull(RunFault):
    """There is no room on the disk."""

    def __init__(self, path: object) -> None:
        """Keep the path of the file that found no room."""
        super().__init__(path)

    def __str__(self) -> str:
        """Return what is kept and what to do."""
        return (
            f"{self.args[0]}: the disk is full\n"
            "    What was written before is kept. Make room and run the same command again, or use another disk."
        )


class OutOfMemory(RunFault):
    """There is not enough memory."""

    def __str__(self) -> str:
        """Return what is kept and what to do."""
        return (
            "there is not enough memory for this\n"
            "    Simulate a shorter time or less traffic. What was finished is kept."
        )


class InternalError(ZonesimError):
    """Our mistake, not the user's."""

    exit_code: ClassVar[int] = 70

    def __str__(self) -> str:
        """Return the message with a request to report it."""
        return (
            f"{super().__str__()}\n    This is a defect of zonesim. Please report it with the scenario and the command."
        )


LONGEST_COMPARED: Final = 200
MOST_COMPARED: Final = 1000
"""Longest name, and so many others, that are compared to find what was meant."""

FEW = 12
"""So many names are listed when none is near."""


def near(name: str, known: Iterable[str]) -> list[str]:
    """Return up to three of `known` that may have been meant by `name`, the nearest first."""
    if len(name) > LONGEST_COMPARED:
        return []
    choices = [str(choice) for choice in itertools.islice(known, MOST_COMPARED)]
    alike = difflib.get_close_matches(name, choices, n=3, cutoff=0.6)
    return (alike + [choice for choice in choices if choice not in alike and _slip(name, choice)])[:3]


def _slip(name: str, choice: str) -> bool:
    """Return whether two neighbouring letters of `choice` are changed round in `name`."""
    differ = [at for at, (one, other) in enumerate(zip(name, choice, strict=False)) if one != other]
    return len(name) == len(choice) and len(differ) == 2 and sorted(name) == sorted(choice)  # noqa: PLR2004


def suggest(name: str, known: Iterable[str], what: str = "") -> str:
    """Return a remedy: the names nearest to `name`, or all of `known`, of many the first ones."""
    choices = [str(choice) for choice in known]
    if meant := near(name, choices):
        return "Did you mean " + " or ".join(f"'{choice}'" for choice in meant) + "?"
    if not choices:
        return f"There are no {what or 'names'} here that it could be."
    more = f" and {len(choices) - FEW} more" if len(choices) > FEW else ""
    return f"Known{' ' + what if what else ''}: {', '.join(choices[:FEW])}{more}."
