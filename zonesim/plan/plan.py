"""
The plan: a resolved scenario as immutable arrays, the only thing an engine reads.

Every table is documented in `TABLES`; `docs/reference/plan.md` is generated from there and from the operation
table. A plan is picklable, and `Plan.identity` hashes its arrays: two arms with equal arrays are the same run,
whatever their names are.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from zonesim.plan.records import Ints

MEANING: Final = 1
"""
Version of the meaning of plans; it changes only together with a golden file, and results of other versions are
never mixed.
"""

LISTED_CLASS: Final = -2
"""Class of a source whose arrivals have each a class of their own."""

UNLIMITED: Final = 1 << 40
"""Units of a resource that nobody ever waits for."""

TABLES: Final[dict[str, tuple[str, str]]] = {
    "program": ("int64 (n, 9)", "operations: op, step, a, b, c, d, e, f, g (see the operation table)"),
    "needs": ("int64 (n, 2)", "resource, units"),
    "priorities": ("int64 (n, classes)", "priority of each class; smaller is served first"),
    "shares": ("float64 (n, classes)", "probability for each class"),
    "laws": ("int64 (n, 3)", "kind (zonesim.plan.distributions.Law), first number, count of numbers"),
    "numbers": ("float64 (n,)", "parameters of the laws, in units of the value (ms for durations)"),
    "streams": ("uint64 (n,)", "identity of each random stream, a hash of its place in the model"),
    "resources": (
        "int64 (n, 4)",
        "first capacity change, how many, rule for work in hand when units close or break down (AtShiftEnd), preempts"
        " (1: who is more important takes the unit of one who is served)",
    ),
    "changes": ("int64 (n, 2)", "time in ms, units from then on; the first change of each resource is at time 0"),
    "breakdowns": (
        "int64 (n, 7)",
        "resource, units that break down together (-1: all), clock (Clock), law and row of the streams table of the"
        " time until a breakdown (at least 1 ms), law and row of the streams table of the repair (all in ms, of class"
        " 0; the ordinal of a draw is the number of the cycle, from 0)",
    ),
    "calendars": ("int64 (n, 2)", "first open span, how many"),
    "spans": ("int64 (n, 3)", "opens, closes (ms), open ms before this span"),
    "sources": (
        "int64 (n, 9)",
        "first operation, arrivals (0 rate, 1 listed times, 2 spawned), first row and count of its rates or times,"
        " group of firms (-1 none), parties (firms a token has), class (-1: drawn, -2: listed with the time), row of"
        " the class mix (-1 none), law of how many tokens an arrival has (-1: one)",
    ),
    "source_streams": ("uint64 (n, 4)", "streams of arrivals, firms, class and tokens of an arrival"),
    "rates": ("float64 (n, 3)", "from (ms), arrivals per ms from then on, arrivals expected before then"),
    "times": ("int64 (n, 2)", "listed arrival time (ms), class (where the source says so)"),
    "mixes": ("float64 (n, classes)", "cumulative shares of the classes"),
    "groups": ("int64 (n, 2)", "first member, how many"),
    "members": ("float64 (n, 3)", "share of the volume, cumulative share, class"),
    "adoptions": (
        "int64 (n, 6)",
        "flag, raised on a token when every row of it that holds at its arrival is met; source (-1: all that have"
        " firms, for all parties and the whole run); by (0 share of the volume, 1 of the firms, 2 of the tokens, each"
        " by itself); party whose firm has to adopt (-1: all firms of the token); holds from, until (arrival time, ms)",
    ),
    "adoption_shares": ("float64 (n,)", "share that adopts"),
    "adoption_streams": (
        "uint64 (n,)",
        "stream of the order in which firms adopt, drawn once a replication, or of the tokens' own draws",
    ),
    "accounts": ("int64 (n, 2)", "quantity at the start, least quantity"),
    "window": ("int64 (3,)", "end of warm-up, end of measuring, end of the run (ms)"),
}


@dataclass(frozen=True)
class StepName:
    """What a row of the step table stands for: `path` is the step's place in the entry's flow, from the outside in."""

    entry: str
    flow: str
    path: tuple[str, ...]
    label: dict[str, str] = field(default_factory=dict)
    resources: tuple[int, ...] = ()
    units: tuple[int, ...] = ()
    kind: str = "token"
    is_leave: bool = False
    is_kept: bool = False
    """Whether its visits are of units that are kept after the block which took them."""
    is_interruption: bool = False
    """Whether its visits are waits of a token whose work with a unit was interrupted, until it has one again."""
    truths: tuple[tuple[str, int, int, int], ...] = ()
    """Of a LEAVE pseudo-step, the truths of the tokens that it ends, and whose: (truth, base, first, size)."""


@dataclass(frozen=True)
class MarkName:
    """
    What a row of the marks table stands for. `scope` is the path of the sub-flow call it happens in; `place` its
    zone.
    """

    entry: str
    flow: str
    scope: tuple[str, ...]
    name: str
    place: str = ""
    kind: str = "token"
    account: int = -1
    amount: int = 0
    """What the moment adds to an account (row of the accounts table, -1: none)."""
    truth: str = ""
    owner: tuple[int, int, int] = (0, 0, 1)
    """The truth that it says something of, and whose that is: (base, first, size) of a child's number (`Owner`)."""


@dataclass(frozen=True)
class AccountName:
    """An account `zone.name`, what it counts and its label in both languages."""

    zone: str
    name: str
    unit: str = ""
    label: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        """Return the dotted name."""
        return f"{self.zone}.{self.name}"


@dataclass(frozen=True)
class ResourceName:
    """A resource `zone.name`, what it is (`lane`, `officer`, `dock` …) and its label in both languages."""

    zone: str
    name: str
    role: str = ""
    label: dict[str, str] = field(default_factory=dict)
    stable: bool | None = None
    """Whether people say that its line does not grow, whatever its load is; None: they say nothing."""

    def __str__(self) -> str:
        """Return the dotted name."""
        return f"{self.zone}.{self.name}"


@dataclass(frozen=True)
class Names:
    """Words for the rows of the tables. They carry no meaning for a run."""

    steps: tuple[StepName, ...]
    marks: tuple[MarkName, ...]
    resources: tuple[ResourceName, ...]
    accounts: tuple[AccountName, ...]
    statuses: tuple[str, ...]
    sources: tuple[str, ...]
    source_flows: tuple[str, ...]
    source_groups: tuple[str, ...]
    """What results call each source: its own name, or that of the group of entries it belongs to."""
    classes: tuple[str, ...]
    flags: tuple[str, ...]
    streams: tuple[str, ...]
    groups: int
    """How many groups of children JOIN can wait for."""
    notes: tuple[str, ...] = ()
    """What people should know about how the plan was made, e.g. rows of a log that lie outside the run."""


@dataclass(frozen=True)
class Plan:
    """A compiled scenario of one arm; arrays as described in `TABLES`, all read-only."""

    program: Ints
    needs: Ints
    priorities: Ints
    shares: NDArray[np.float64]
    laws: Ints
    numbers: NDArray[np.float64]
    streams: NDArray[np.uint64]
    resources: Ints
    changes: Ints
    breakdowns: Ints
    calendars: Ints
    spans: Ints
    sources: Ints
    source_streams: NDArray[np.uint64]
    rates: NDArray[np.float64]
    times: Ints
    mixes: NDArray[np.float64]
    groups: Ints
    members: NDArray[np.float64]
    adoptions: Ints
    adoption_shares: NDArray[np.float64]
    adoption_streams: NDArray[np.uint64]
    accounts: Ints
    window: Ints
    names: Names

    def __post_init__(self) -> None:
        """Freeze the arrays."""
        for name in TABLES:
            getattr(self, name).setflags(write=False)

    def __setstate__(self, state: dict[str, object]) -> None:
        """Unpickle, and freeze again: numpy forgets the flag."""
        self.__dict__.update(state)
        self.__post_init__()

    @cached_property
    def identity(self) -> str:
        """Return the hash (64 hex digits) of the arrays and of the version of their meaning."""
        digest = hashlib.sha256(f"zonesim plan {MEANING}".encode())
        for name in TABLES:
            array: NDArray[np.generic] = np.ascontiguousarray(getattr(self, name))
            digest.update(f"{name} {array.dtype.str} {array.shape}".encode())
            digest.update(array.tobytes())
        return digest.hexdigest()

    @property
    def horizon(self) -> int:
        """Return the end of the run in ms; events at or after it do not happen."""
        return int(self.window[2])
