"""What a step may do besides its work: gather a batch, wait for an hour, change things, start tokens."""

from __future__ import annotations

from typing import Annotated, Any, Final

from pydantic import BeforeValidator, Discriminator, Field, Tag, model_validator

from zonesim.scenario.fields import CLASS, PLAIN, Count, Duration, Name, Named, Strict, in_schema, problem
from zonesim.scenario.labels import Source, Text
from zonesim.scenario.laws import Take
from zonesim.scenario.traffic import HowManyAtOnce

FIRM: Final = "firm"
"""As what batches are gathered by: the first firm of a token."""


class Instant(Strict):
    """An instant of a calendar: when it opens, or when it closes."""

    opening: Name | None = None
    """The calendar that has to be open, e.g. `office`; at once while it is."""
    closing: Name | None = None
    """The calendar that has to be shut, e.g. `office`; at once while it is."""

    @model_validator(mode="after")
    def _one(self) -> Instant:
        if (self.opening is None) == (self.closing is None):
            raise problem("either an opening or a closing is due", "Write {closing: office}.")
        return self


WaitUntil = Annotated[
    Annotated[Name, Tag("opening")] | Annotated[Instant, Tag("instant")],
    Discriminator(lambda value: "instant" if isinstance(value, dict | Instant) else "opening"),
]
"""A calendar that has to open, or an instant of one."""


class Start(Strict):
    """A new token of another traffic entry."""

    traffic: Name
    """The entry, which says `spawned: true`, e.g. `returns`."""
    after: Take | None = None
    """How long after this step it arrives, e.g. `3 d`; without it at once."""


Spawn = Annotated[
    Annotated[Name, Tag("name")] | Annotated[Start, Tag("start")],
    Discriminator(lambda value: "start" if isinstance(value, dict | Start) else "name"),
]
"""A traffic entry, or one with a delay."""


def start_of(spawn: Any) -> Start:  # noqa: ANN401
    """Return a written `spawn` in its long form."""
    return spawn if isinstance(spawn, Start) else Start(traffic=spawn)


class Deadline(Strict):
    """A deadline for a milestone: what has to be done until when."""

    mark: Name
    """The mark that has to be made by then, e.g. `declared`; who makes it several times is in time with the last."""
    within: Take | None = None
    """A time from now on, e.g. `14 d` or `10 wd`."""
    opening: Name | None = None
    """In place of a time: the next opening of this calendar."""
    closing: Name | None = None
    """In place of a time: the next closing of this calendar, e.g. `cutoff`."""
    after: Take | None = None
    """The opening, or closing, that comes next when this time has passed, e.g. `12 h`; without it the very next one."""
    label: Text = {}
    """How people call the deadline."""
    source: Source | None = None
    """Where the rule comes from."""

    @model_validator(mode="after")
    def _one(self) -> Deadline:
        given = [name for name in ("within", "opening", "closing") if getattr(self, name) is not None]
        if len(given) != 1:
            raise problem("a deadline is a time, an opening or a closing", "Write {within: 14 d, mark: declared}.")
        if self.after is not None and self.within is not None:
            raise problem("'after' is for an opening or a closing", "Add the two times.", ("after",))
        return self

    def when(self) -> Any:  # noqa: ANN401  a duration, a law or an instant
        """Return the time from now on, or the instant of a calendar."""
        return self.within if self.within is not None else Instant(opening=self.opening, closing=self.closing)


def when_of(due: Any) -> Any:  # noqa: ANN401
    """Return the time from now on, or the instant of a calendar, of a written deadline."""
    return due.when() if isinstance(due, Deadline) else due


def _form_of_due(value: Any) -> str:  # noqa: ANN401
    if isinstance(value, Deadline) or (isinstance(value, dict) and {"mark", "within"} & set(value)):
        return "deadline"
    if isinstance(value, Instant) or (isinstance(value, dict) and {"opening", "closing"} & set(value)):
        return "instant"
    return "take"


Due = Annotated[
    Annotated[Deadline, Tag("deadline")] | Annotated[Instant, Tag("instant")] | Annotated[Take, Tag("take")],
    Discriminator(_form_of_due),
]
"""A time from now on, or an instant of a calendar, for leaving; or one for a mark."""


class Patience(Strict):
    """How long a token waits in line before it gives up, and where it goes then: `longest` or `until`, not both."""

    longest: Take | None = None
    """The longest wait, e.g. `30 min` or `{exponential: {mean: 20 min}}`."""
    until: Name | None = None
    """The deadline at which it gives up, a name under `due`, e.g. `flight`; who has none waits as long as it takes."""
    next: Name = "end"
    """
    The step of the same list that it goes on with; `end`: the end of this list (a flow ends; a block ends, gives back
    what it took, and what follows it is done); `leave`: it gives back all that it has, also what blocks around it took,
    and leaves.
    """

    @model_validator(mode="after")
    def _one(self) -> Patience:
        if (self.longest is None) == (self.until is None):
            raise problem("either a longest wait or a deadline is due", "Write {longest: 30 min} or {until: flight}.")
        return self


class Line(Strict):
    """A waiting line that is longer than a number of tokens."""

    of: Name
    """The resource that is waited for, e.g. `BANK.clerks` or `$lanes`."""
    longer_than: Annotated[int, Field(ge=0), PLAIN]
    """The number that wait already, e.g. `3`."""


class Changes(Named):
    """
    What a step changes: accounts, the class of the token, the customs status of its goods, and its attributes by name,
    e.g. `{goods: food}`.
    """

    __pydantic_extra__: dict[str, Name]
    credit: dict[Name, Count] = {}
    """What is added to accounts, e.g. `{$zone.stock: 3}`."""
    debit: dict[Name, Count] = {}
    """
    What is taken from accounts, e.g. `{$zone.stock: 3}`; below their floor is a fault of the run. Where tokens wait in
    line for it, a step has `draw` instead.
    """
    convert: dict[Name, Count] = {}
    """
    How many units of accounts are worked into what their lots become, e.g. `{$zone.ledger: 1}`: the goods are then of
    the first of these kinds. Nothing happens to goods whose lot becomes nothing, or that have none.
    """
    class_: Name | None = Field(default=None, alias="class")
    """The class that the token has from now on, e.g. `ordinary`."""
    status: Name | None = None
    """The customs status that its goods have from now on, e.g. `released`; it must be a legal successor."""

    @classmethod
    def fits_a_name(cls, value: Any) -> bool:  # noqa: ANN401
        """Return whether `value` looks like a value of an attribute."""
        return not isinstance(value, dict | list)

    def values(self) -> dict[str, str]:
        """Return the values that the token has from now on, by attribute, the class among them."""
        own = {} if self.class_ is None else {CLASS: self.class_}
        return own | (self.__pydantic_extra__ or {})


def _several(value: Any) -> Any:  # noqa: ANN401
    return value if isinstance(value, list) else [value]


Limits = Annotated[list[Duration], BeforeValidator(_several), in_schema("Durations")]
"""A duration, or several."""


class Within(Strict):
    """Times of a visit that are told as the share of those that take at most so long."""

    wait: Limits = []
    """For the wait until it has its units, e.g. `20 s` or `[20 s, 1 min]`; who gives up did not get them in time."""
    service: Limits = []
    """For the time after the wait, e.g. `10 min`."""
    stay: Limits = []
    """For both together, e.g. `30 min`."""

    def limits(self) -> dict[str, list[Any]]:
        """Return the limits by what they are for."""
        return {"wait": self.wait, "service": self.service, "stay": self.stay}


WaitWithin = Annotated[
    Annotated[Limits, Tag("wait")] | Annotated[Within, Tag("several")],
    Discriminator(lambda value: "several" if isinstance(value, dict | Within) else "wait"),
]
"""Limits for the wait, or for several times of a visit."""


class Gather(Strict):
    """
    The token waits until a batch is complete: at `number` members, when the first has waited `within`, or when the
    calendar `until` opens next, whichever comes first. With `until` and `most` it waits for a departure: at each
    opening so many of those who wait go, first come first served, and the others wait for the next one.

    The wait of a visit ends when its batch is complete or departs. With inner `steps` the visit of the first member
    ends there too, with a service of 0, and that of each other has as its service the time until these are done.
    """

    number: Count | None = None
    """Complete with this many members, e.g. `20`."""
    within: Take | None = None
    """Complete when the first member has waited this long, e.g. `4 h`."""
    until: Name | None = None
    """Complete when this calendar opens next, e.g. `office`; who comes at that very moment still belongs to it."""
    most: HowManyAtOnce | None = None
    """
    How many go at an opening of `until`, e.g. `20` or `{discrete: {20: 90 %, 40: 10 %}}`, which is drawn at each
    departure.
    """
    by: Name | None = None
    """
    A batch for each `firm`, for each `class`, or for each value of an attribute, e.g. `goods`; without it there is one
    for all tokens of the traffic entry.
    """

    @model_validator(mode="after")
    def _ends(self) -> Gather:
        if self.number is None and self.within is None and self.until is None:
            raise problem("a batch that is never complete", "Write {number: 20}, {within: 4 h} or {until: office}.")
        if self.most is not None and self.until is None:
            fault = "`most` without `until`, the calendar at whose openings so many go"
            raise problem(fault, "Write {until: barges, most: 20}; a batch that is complete with 20 has {number: 20}.")
        if self.most is not None and (self.number is not None or self.within is not None):
            fault = "`most` goes at the openings of `until` alone, but here is another end of the wait"
            raise problem(fault, "Leave out `number` and `within`, or `most`.")
        return self
