"""
Field types of the format: quantities with units, laws of random values, references.

Values stay the text that was written (so that edits, `show` and messages speak the user's words); the types only
check. `$name` stands for a parameter and is checked where it is filled in. `{uncertain: [low, mode, high]}` is
doubt about a value: runs use the mode, low and high are futures.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from contextlib import suppress
from math import isfinite
from typing import Annotated, Any, Final

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    ValidationInfo,
    ValidatorFunctionWrapHandler,
    WithJsonSchema,
    WrapValidator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from zonesim import units
from zonesim.faults import UnitFault, near, suggest
from zonesim.scenario.characters import corrected, slips, told, unseen, visible


def problem(fault: str, remedy: str = "", at: tuple[str, ...] = ()) -> PydanticCustomError:
    """Return an error that becomes a fault with this text and remedy at the value, or `at` a key or item inside it."""
    return PydanticCustomError("zonesim", "{fault}", {"fault": fault, "remedy": remedy, "at": at})


def inside(error: PydanticCustomError, *at: str) -> PydanticCustomError:
    """Return an error made by `problem` with its place, a key or item inside the value."""
    context = error.context or {}
    return problem(str(context.get("fault", "")), str(context.get("remedy", "")), at)


def in_schema(kind: str) -> WithJsonSchema:
    """Return a mark that says which field type stands here; `schema.py` puts its definition in its place."""
    return WithJsonSchema({"x-type": kind})


def keys_in_schema(kind: str) -> Any:  # noqa: ANN401  what pydantic returns for a field
    """Return a mark that says which keys a mapping may have."""
    return Field(json_schema_extra={"propertyNames": {"x-type": kind}})


def keys_of(model: type[BaseModel]) -> list[str]:
    """Return the keys that a mapping has."""
    return [field.alias or name for name, field in model.model_fields.items()]


class Strict(BaseModel):
    """A mapping of known keys; unknown ones are noted in the context with what would have been known."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True, use_attribute_docstrings=True)

    @model_validator(mode="before")
    @classmethod
    def _note_unknown_keys(cls, data: Any, info: ValidationInfo) -> Any:  # noqa: ANN401
        unknown = (info.context or {}).get("unknown")
        if unknown is None or not isinstance(data, dict) or cls.model_config.get("extra") != "forbid":
            return data
        known = keys_of(cls)
        strange = [key for key in data if key not in known]
        for key in strange:
            unknown.append((id(data), key, cls))
        return {key: value for key, value in data.items() if key in known} if strange else data


class Named(BaseModel):
    """
    A mapping of names that people choose, beside a few keys of the format.

    A name that is nearly a key, with a value that cannot belong to a name, is noted as an unknown key.
    """

    model_config = ConfigDict(extra="allow", frozen=True, populate_by_name=True, use_attribute_docstrings=True)

    @classmethod
    @abstractmethod
    def fits_a_name(cls, value: Any) -> bool:  # noqa: ANN401
        """Return whether `value` may stand for a name (and need not belong to a misspelt key)."""

    @model_validator(mode="before")
    @classmethod
    def _note_misspelt_keys(cls, data: Any, info: ValidationInfo) -> Any:  # noqa: ANN401
        unknown = (info.context or {}).get("unknown")
        if unknown is None or not isinstance(data, dict):
            return data
        known = keys_of(cls)
        strange = [
            key for key, value in data.items() if key not in known and not cls.fits_a_name(value) and near(key, known)
        ]
        for key in strange:
            unknown.append((id(data), key, cls))
        return {key: value for key, value in data.items() if key not in strange} if strange else data


def check_keys(cls: type[Named], data: Any, what: str) -> Any:  # noqa: ANN401
    """Return `data`; raises a problem where a key of the format stands for one of the names that people choose."""
    known = keys_of(cls)
    for key in known if isinstance(data, dict) else ():
        if key in data and cls.fits_a_name(data[key]):
            raise problem(f"'{key}' is a key of the format and cannot name {what}", "Choose another name.", (key,))
    return data


def mode_of(value: Any) -> Any:  # noqa: ANN401
    """Return the value that runs use: the mode of `{uncertain: [low, mode, high]}`, else the value itself."""
    doubt = value["uncertain"] if isinstance(value, dict) and set(value) == {"uncertain"} else None
    return doubt[1] if isinstance(doubt, list) and len(doubt) == 3 else value  # noqa: PLR2004


def ends_of(value: Any) -> tuple[Any, Any, Any]:  # noqa: ANN401
    """Return low, mode and high of a value; all three are the value itself where nobody doubts it."""
    doubt = value["uncertain"] if isinstance(value, dict) and set(value) == {"uncertain"} else [value] * 3
    low, mode, high = doubt
    return low, mode, high


def is_doubt(value: Any) -> bool:  # noqa: ANN401
    """Return whether a value is meant as `{uncertain: […]}`, also when that key is misspelt."""
    return isinstance(value, dict) and len(value) == 1 and bool(near(next(iter(value)), ["uncertain"]))


def is_reference(value: Any) -> bool:  # noqa: ANN401
    """Return whether a value is `$name`, to be filled in later."""
    return isinstance(value, str) and value.startswith("$")


_DOUBT: Final = "Write {uncertain: [low, mode, high]}."


def doubt_about(value: Any, check: Callable[[Any], Any]) -> list[Any] | None:  # noqa: ANN401
    """Return low, mode and high of a doubt about a whole number, each checked; None when `value` is no doubt."""
    doubt = value["uncertain"] if isinstance(value, dict) and set(value) == {"uncertain"} else None
    if not isinstance(doubt, list) or len(doubt) != 3 or any(isinstance(part, dict) for part in doubt):  # noqa: PLR2004
        return None
    checked = [check(part) for part in doubt]
    if all(isinstance(part, int) for part in checked) and checked != sorted(checked):
        raise problem("low, mode and high are not in order", _DOUBT)
    return doubt


def _checked(kind: str, parse: Callable[[Any], float] | None = None) -> BeforeValidator:
    parse = parse or (lambda text: units.parse(text, kind))

    def check(value: Any) -> Any:  # noqa: ANN401
        if is_reference(value):
            return value
        if isinstance(value, dict):
            if is_doubt(value) and (key := next(iter(value))) != "uncertain":
                raise problem(f"unknown key '{key}'", suggest(key, ["uncertain"]), (key,))
            if set(value) != {"uncertain"} or not isinstance(value["uncertain"], list) or len(value["uncertain"]) != 3:  # noqa: PLR2004
                raise problem(
                    f"expected a {kind}, found a mapping", "Write a value, or {uncertain: [low, mode, high]}."
                )
            if nested := [part for part in value["uncertain"] if isinstance(part, dict)]:
                raise problem(f"expected a {kind}, found {units.describe(nested[0])}", _DOUBT)
            low, mode, high = (check(part) for part in value["uncertain"])
            if not any(is_reference(part) for part in (low, mode, high)) and not parse(low) <= parse(mode) <= parse(
                high
            ):
                raise problem("low, mode and high are not in order", _DOUBT)
            return value
        try:
            parse(value)
        except UnitFault as fault:
            raise problem(fault.fault, fault.remedy) from None
        return value

    return BeforeValidator(check)


LARGEST_RATIO: Final = 1000


def check_ratio(value: Any) -> float:  # noqa: ANN401
    """Return a factor above 0; raises UnitFault."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= LARGEST_RATIO:
        message = f"expected a factor above 0, {LARGEST_RATIO:,} at most, found {units.describe(value)}"
        raise UnitFault(message, remedy="Write a number such as 3.")
    return float(value)


Duration = Annotated[Any, _checked("duration"), in_schema("Duration")]
Time = Annotated[Any, _checked("duration", units.parse_time), in_schema("Time")]
"""A duration, or a number of working days."""

Rate = Annotated[Any, _checked("rate"), in_schema("Rate")]
Share = Annotated[Any, _checked("share", units.parse_share), in_schema("Share")]
Ratio = Annotated[Any, _checked("factor", check_ratio), in_schema("Ratio")]
"""How many times as much; it may be doubted."""

Distance = Annotated[Any, _checked("distance"), in_schema("Distance")]
Speed = Annotated[Any, _checked("speed"), in_schema("Speed")]
CostRate = Annotated[Any, _checked("cost rate"), in_schema("CostRate")]
Price = Annotated[Any, _checked("price"), in_schema("Price")]


_ALWAYS_SAME: Final = "{constant: 10 min}"


def _between(what: str, low: float, high: float, example: float, same: str = _ALWAYS_SAME) -> Callable[[Any], Any]:
    """
    Return a check that a value is a number from `low` to `high`, which raises UnitFault; `same` is what stands for a
    value without spread.
    """

    def check(value: Any) -> Any:  # noqa: ANN401
        if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
            message = f"expected a {what} from {low:g} to {high:,.0f}, found {units.describe(value)}"
            raise UnitFault(message, remedy=f"Write a number such as {example}; without spread, {same}.")
        return value

    return check


CV_RANGE: Final = (0.001, 100)
SHAPE_RANGE: Final = (0.01, 1_000_000)
"""Which coefficients of variation, and which shapes of a Weibull law, are drawn to full precision."""

check_cv = _between("cv", *CV_RANGE, 0.8)
check_shape = _between("shape", *SHAPE_RANGE, 2)


def check_phases(value: Any) -> int:  # noqa: ANN401
    """Return the number of phases of an Erlang law; raises UnitFault."""
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= 1_000_000:  # noqa: PLR2004
        message = f"expected a whole number of phases from 1 to 1,000,000, found {units.describe(value)}"
        raise UnitFault(message, remedy=f"Write a number such as 3; without spread, {_ALWAYS_SAME}.")
    return value


def _number(check: Callable[[Any], Any]) -> BeforeValidator:
    def checked(value: Any) -> Any:  # noqa: ANN401
        if is_reference(value):
            return value
        try:
            return check(value)
        except UnitFault as fault:
            raise problem(fault.fault, fault.remedy) from None

    return BeforeValidator(checked)


def _plain_number(value: Any, handler: ValidatorFunctionWrapHandler) -> Any:  # noqa: ANN401
    """Refuse what pydantic takes for a number and YAML does not: true and false, and what is not finite."""
    number = value
    if isinstance(value, str):
        with suppress(ValueError):
            number = float(value)
    if isinstance(value, bool) or (isinstance(number, float) and not isfinite(number)):
        raise problem(f"expected a number, found {units.describe(value)}", "Write a number such as 3.")
    return handler(value)


PLAIN: Final = WrapValidator(_plain_number)
"""Stands last in the type of a number with bounds: true, false and what is not finite are no numbers."""

Whole = Annotated[int, PLAIN]
Real = Annotated[float, PLAIN]


def _count(value: Any) -> Any:  # noqa: ANN401
    if is_reference(value):
        return value
    if doubt_about(value, _count) is not None:
        return value
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= 1_000_000:  # noqa: PLR2004
        raise problem(
            f"expected a whole number of at least 1, found {units.describe(value)}", "Write a number such as 3."
        )
    return value


Phases = Annotated[Any, BeforeValidator(_count), in_schema("Phases")]
"""A count that belongs to a law's shape: no amount."""

Cv = Annotated[Any, _number(check_cv), in_schema("Cv")]
Shape = Annotated[Any, _number(check_shape), in_schema("Shape")]

_NO_FACTOR: Final = "leave the factor out"
FactorsCv = Annotated[Any, _number(_between("cv", *CV_RANGE, 0.2, _NO_FACTOR)), in_schema("Cv")]
FactorsShape = Annotated[Any, _number(_between("shape", *SHAPE_RANGE, 2, _NO_FACTOR)), in_schema("Shape")]
"""The same of a random factor, whose law has plain numbers."""

Count = Annotated[Any, BeforeValidator(_count), in_schema("Count")]


def _text(value: Any) -> Any:  # noqa: ANN401
    """Return text that people write, perhaps over several lines; a number as it is written."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise problem(f"expected a name, found {units.describe(value)}", "Write text; true and null stand in quotes.")
    return str(value)


def _one_line(value: Any) -> Any:  # noqa: ANN401
    text = _text(value)
    if found := next((each for each in text if each in "\n\t"), ""):
        what = "a line break" if found == "\n" else "a tab"
        raise problem(f"{what} in '{visible(text)}'", "Write it on one line, with spaces.")
    return text


def _name(value: Any) -> Any:  # noqa: ANN401
    name = _one_line(value)
    if found := unseen(name, name=True):
        raise problem(f"{told(found)} in the name '{visible(name)}' cannot be seen", "Take it out.")
    if found_at := slips(name):
        raise problem(f"{told(name[found_at[0]])} in the name '{name}'", f"Write {corrected(name)}.")
    return name


def check_signs(value: Any) -> Any:  # noqa: ANN401
    """Return `value`; raises a problem for text with a sign of another keyboard in it."""
    return _name(value) if isinstance(value, str) else value


Words = Annotated[str, BeforeValidator(_text), in_schema("Name")]
"""What is written for people: a remark, a title, the name of a file or of a column."""


def as_list(value: Any) -> Any:  # noqa: ANN401
    """Return a list of names; one name stands for itself alone."""
    return [value] if isinstance(value, str) else value


Label = Annotated[str, AfterValidator(_one_line)]
"""What people call something, on one line."""

Name = Annotated[str, BeforeValidator(_name), in_schema("Name")]
"""What something is called by in the file."""

CLASS: Final = "class"
"""The attribute that every token has, also where nobody declares one."""

EVERYTHING: Final = "all"
"""Stands for every class or zone that is not named, and heads the ids of KPIs of everything; it names nothing else."""


def check_part(name: str, *at: str) -> None:
    """Raise a problem (`at` a key) if a name that is a part of ids and paths, such as `F1.dwell.mean`, has a dot."""
    if "." in name:
        raise problem(f"a dot in the name '{name}'", "Dots part the names in ids and paths; write '_' or '-'.", at)


def _part_name(value: Any) -> Any:  # noqa: ANN401
    name = _name(value)
    check_part(name)
    return name


def _head_name(value: Any) -> Any:  # noqa: ANN401
    name = _part_name(value)
    if name == EVERYTHING:
        raise problem(f"'{name}' stands for everything and cannot name one thing", "Choose another name.")
    return name


PartName = Annotated[str, BeforeValidator(_part_name), in_schema("PartName")]
"""A name that is a part of ids and paths: without a dot."""

HeadName = Annotated[str, BeforeValidator(_head_name), in_schema("HeadName")]
"""A name with which ids of KPIs begin: without a dot, and not `all`."""


def is_word(value: Any) -> bool:  # noqa: ANN401
    """Return whether a value is a word, as what something is told `by` is, and no quantity: those have digits."""
    return isinstance(value, str) and not is_reference(value) and not any(char.isdigit() for char in value)


def told_by(value: Any) -> bool:  # noqa: ANN401
    """Return whether a mapping tells values `by` something, also where that key is misspelt."""
    return isinstance(value, dict) and (
        "by" in value or any(near(key, ["by"]) and is_word(value[key]) for key in value)
    )


class ShareBy(Named):
    """A different share by a parameter of the flow, by class or attribute: `{by: goods, food: 5 %, all: 1 %}`."""

    __pydantic_extra__: dict[str, CaseShare]
    by: Name = CLASS
    """
    A parameter of the flow, an attribute, or the `class`, which it is unless said; each other key is a value of it with
    its share, e.g. `{by: goods, food: 5 %, all: 1 %}`; `all` stands for every class or value that is not named.
    """

    @classmethod
    def fits_a_name(cls, value: Any) -> bool:  # noqa: ANN401
        """Return whether `value` looks like the share of a value."""
        return not is_word(value)


def _form_of_case(value: Any) -> str:  # noqa: ANN401
    return "by" if isinstance(value, ShareBy) or (isinstance(value, dict) and not is_doubt(value)) else "share"


CaseShare = Annotated[Annotated[Share, Tag("share")] | Annotated[ShareBy, Tag("by")], Discriminator(_form_of_case)]
"""A share, or one by something else again."""


class RelativeShare(Strict):
    """A share that is so many times that of another class or value: `{of: ordinary, times: 0.5}`."""

    of: Name
    """The class or value whose share it is told by, e.g. `ordinary`."""
    times: Ratio
    """
    How many times that share it is, e.g. `0.5`; doubt about it, `{uncertain: [0.1, 0.5, 1]}`, makes what is caught a
    band.
    """


def _form_of_truth(value: Any) -> str:  # noqa: ANN401
    if isinstance(value, RelativeShare) or (isinstance(value, dict) and ("times" in value or "of" in value)):
        return "times"
    return _form_of_case(value)


TruthShare = Annotated[
    Annotated[Share, Tag("share")] | Annotated[ShareBy, Tag("by")] | Annotated[RelativeShare, Tag("times")],
    Discriminator(_form_of_truth),
]
"""The share of a truth: a share, one by something else again, or so many times that of another class or value."""

ByClass = dict[Name, CaseShare]
"""A share for each class; `all` stands for every class that is not named."""

ShareBy.model_rebuild()
