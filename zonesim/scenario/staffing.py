"""How many units of a resource are on duty: one number, or a table by day and time of day."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, Any, Final

from pydantic import BeforeValidator, Discriminator, Tag, model_validator
from pydantic_core import PydanticCustomError

from zonesim import units
from zonesim.scenario.calendars import DAYS, ByDay, check_days, parse_day_keys, parse_span
from zonesim.scenario.fields import Named, doubt_about, in_schema, inside, is_doubt, keys_in_schema, mode_of, problem
from zonesim.scenario.times import HOURS, PARTS

UNLIMITED: Final = "unlimited"
"""In place of a number of units: nobody ever waits."""

MOST_UNITS: Final = 1_000_000
"""Most units of a resource."""

Shift = tuple[int, int, int]
"""Minutes of the day at which so many units come on duty and go off, and how many."""


def _is_number(value: Any, least: int) -> bool:  # noqa: ANN401
    return isinstance(value, int) and not isinstance(value, bool) and least <= value <= MOST_UNITS


def _capacity(value: Any) -> Any:  # noqa: ANN401
    if value == UNLIMITED or doubt_about(value, _capacity) is not None:
        return value
    if not _is_number(value, 1):
        raise problem(
            f"expected a number of units, found {units.describe(value)}", "Write a whole number, or unlimited."
        )
    return value


def _staff(value: Any) -> Any:  # noqa: ANN401
    if doubt_about(value, _staff) is not None:
        return value
    if not _is_number(value, 0):
        fault = f"expected a number of units on duty, found {units.describe(value)}"
        raise problem(fault, "Write a whole number, 0 where nobody is.")
    return value


Staff = Annotated[Any, BeforeValidator(_staff), in_schema("Staff")]
"""Units on duty at some time, perhaps none."""

Shifts = Annotated[dict[str, Staff], keys_in_schema("Span")]
"""Units by time of day."""


class Staffing(Named):
    """
    Units by day and time of day: `{mon-fri: {"06:00-14:00": 4, "14:00-22:00": 6}, sat: {"08:00-12:00": 2}}`.

    Days are named as in a calendar, and go before each other as there. A day is a mapping of times, or a list of 24
    whole numbers for its hours (48, 96, 144 or 288 for shorter parts of equal length). At times and on days that are
    not named nobody is on duty. A night is written as two spans, to `24:00` and from `00:00`.
    """

    __pydantic_extra__: dict[
        str,
        Annotated[
            Annotated[Shifts, Tag("times")] | Annotated[list[Staff], Tag("parts")],
            Discriminator(lambda value: "parts" if isinstance(value, list) else "times"),
        ],
    ]

    @classmethod
    def fits_a_name(cls, value: Any) -> bool:  # noqa: ANN401
        """Return whether `value` looks like the units of a day."""
        return isinstance(value, dict | list)

    @model_validator(mode="after")
    def _parses(self) -> Staffing:
        days = self.__pydantic_extra__ or {}
        if not days:
            raise problem("a table of units without a day", 'Write {mon-sun: {"06:00-14:00": 4, "14:00-22:00": 6}}.')
        check_days(days)
        for key, day in days.items():
            if isinstance(day, list):
                if len(day) not in (HOURS, *PARTS):
                    fault = f"{len(day)} numbers do not divide a day"
                    raise problem(fault, "Give 24 (hours), 48, 96, 144 or 288 of them, or times.", (key,))
                continue
            spans = []
            for span in day:
                try:
                    spans.append(parse_span(span))
                except PydanticCustomError as error:
                    raise inside(error, key, span) from None
            for (earlier, later), span in zip(pairwise(spans), list(day)[1:], strict=True):
                if later[0] < earlier[1]:
                    raise problem("times overlap or are not in order", "Write them in ascending order.", (key, span))
        return self

    def shifts(self) -> ByDay[Shift]:
        """Return the units by day, those that runs use where there is doubt."""
        return ByDay(
            {key: _shifts(day) for text, day in (self.__pydantic_extra__ or {}).items() for key in parse_day_keys(text)}
        )


def units_by_hour(units: int | Staffing) -> list[float]:
    """Return the mean units of each hour of an ordinary week, Monday 00:00 first."""
    if not isinstance(units, Staffing):
        return [float(units)] * (HOURS * len(DAYS))
    by_key = units.shifts().by_key
    return [
        sum(count * max(min(end, 60 * hour + 60) - max(begin, 60 * hour), 0) for begin, end, count in shifts) / 60
        for shifts in (by_key.get(day, []) for day in DAYS)
        for hour in range(HOURS)
    ]


def most_on_duty(units: Any) -> int:  # noqa: ANN401
    """Return the largest number of units on duty of a table as written, or of a plain number."""
    if not isinstance(units, dict):
        return int(units)
    days = [list(day.values()) if isinstance(day, dict) else day for day in units.values()]
    return max((int(mode_of(count)) for day in days for count in day), default=0)


def with_most(units: Any, most: int) -> Any:  # noqa: ANN401
    """
    Return units as written with `most` at the busiest time: a plain number is that number, the numbers of a table
    keep their proportion, rounded up, so that somebody stays wherever somebody is.
    """
    now = most_on_duty(units)
    if not isinstance(units, dict) or not now:
        return most

    def of(count: Any) -> int:  # noqa: ANN401
        return -(-int(mode_of(count)) * most // now)

    return {
        key: {span: of(count) for span, count in day.items()} if isinstance(day, dict) else [of(count) for count in day]
        for key, day in units.items()
    }


def _shifts(day: dict[str, Any] | list[Any]) -> list[Shift]:
    """Return the shifts of a day."""
    if isinstance(day, dict):
        return [(*parse_span(span), int(mode_of(count))) for span, count in day.items()]
    length = 24 * 60 // len(day)
    return [(length * part, length * (part + 1), int(mode_of(count))) for part, count in enumerate(day)]


def _form(value: Any) -> str:  # noqa: ANN401
    return "table" if isinstance(value, Staffing) or (isinstance(value, dict) and not is_doubt(value)) else "number"


Capacity = Annotated[
    Annotated[Annotated[Any, BeforeValidator(_capacity), in_schema("Capacity")], Tag("number")]
    | Annotated[Staffing, Tag("table")],
    Discriminator(_form),
]
"""Units of a resource: a number, `unlimited`, or a table."""
