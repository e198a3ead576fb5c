"""What to write in place of what does not fit: the form of a mapping, and the key that another one belongs below."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Any, Final, get_args

from pydantic import BaseModel

from zonesim.scenario.fields import keys_of

_EXAMPLE: Final = re.compile(r"e\.g\.\s+`(\{[^`]*\})`")
_ONE_PAIR: Final = re.compile(r"\{([^{}:,]+): ([^{}:,]+)\}")


def mapping_like(key: str, found: Any, model: str = "") -> str:  # noqa: ANN401
    """
    Return the remedy where a mapping is due below `key`, that of a `model`, or one of names that people choose: the
    example of the format, with what the reader wrote in it as its value, or as its name.
    """
    examples = _examples().get((key, model), frozenset())
    names = not model
    if len(examples) != 1:
        return "Write keys and values below it."
    (example,) = examples
    pair = _ONE_PAIR.fullmatch(example)
    if pair is not None and isinstance(found, str if names else str | int | float) and not isinstance(found, bool):
        example = f"{{{found}: {pair[2]}}}" if names else f"{{{pair[1]}: {found}}}"
    return f"Write a mapping such as {example}."


def below_another(key: str, model: type[BaseModel]) -> str:
    """Return how a key is written below another one of a mapping; "" for one that stands below none."""
    around = [
        field.alias or name
        for name, field in model.model_fields.items()
        if any(key in keys_of(inner) for inner in _models_in(field.annotation))
    ]
    return " or ".join(f"`{name}: {{{key}: …}}`" for name in around)


@cache
def _examples() -> dict[tuple[str, str], frozenset[str]]:
    """Return by key and model ("": names that people choose) the examples of mappings that the format gives."""
    found: dict[tuple[str, str], frozenset[str]] = {}
    for model in _below(BaseModel):
        for name, field in model.model_fields.items():
            example = _EXAMPLE.search(field.description or "")
            if example is not None and name in model.__annotations__:
                for inner in [own.__name__ for own in _models_in(field.annotation)] or [""]:
                    key = (field.alias or name, inner)
                    found[key] = found.get(key, frozenset()) | {" ".join(example[1].split())}
    return found


def _below(model: type[BaseModel]) -> Iterator[type[BaseModel]]:
    for own in model.__subclasses__():
        if own.__module__.startswith("zonesim.scenario."):
            yield own
        yield from _below(own)


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:  # noqa: ANN401
    """Yield the mappings of known keys that an annotation allows, as one way of several; not those in lists."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    elif not (
        isinstance(getattr(annotation, "__origin__", None), type) and annotation.__origin__ in (list, dict, tuple)
    ):
        for part in get_args(annotation):
            yield from _models_in(part)
