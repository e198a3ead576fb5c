"""Edits as they are written: one change of a value at a path."""

from __future__ import annotations

from typing import Any

from pydantic import model_validator

from zonesim.scenario.fields import Real, Strict, Words, problem
from zonesim.scenario.labels import Source


class Edit(Strict):
    """
    One change of the resolved scenario.

    `set` gives a value, or a key that the format knows there; `remove` needs the path to exist, `add` needs it not to;
    `scale` multiplies a quantity, or every time,
    rate, distance and count in a law or another mapping; what says how times are spread stays.
    """

    set: Words | None = None
    """The path of a value that is replaced, e.g. `library.gate.lane.compare.take`."""
    scale: Words | None = None
    """The path of a quantity or law that is multiplied."""
    add: Words | None = None
    """The path of a value or step that is new."""
    remove: Words | None = None
    """The path of a value or step that is taken out."""
    to: Any = None
    """The new value, of `set` and `add`, e.g. `{pert: [2 s, 4 s, 10 s]}`."""
    by: Real | None = None
    """The factor of `scale`, e.g. `0.5`."""
    after: Words | None = None
    """An added step stands behind this one, e.g. `identify`."""
    before: Words | None = None
    """An added step stands in front of this one."""
    source: Source | None = None
    """Where the new number comes from."""
    note: Words | None = None
    """A remark for readers."""

    @model_validator(mode="after")
    def _one_action(self) -> Edit:
        given = [name for name in ("set", "scale", "add", "remove") if getattr(self, name) is not None]
        if len(given) != 1:
            raise problem("an edit is exactly one of set, scale, add, remove", "Write {set: PATH, to: VALUE}.")
        action = given[0]
        if (action in {"set", "add"}) != (self.to is not None):
            raise problem(
                f"'{action}' {'needs' if action in {'set', 'add'} else 'takes no'} 'to'",
                "Write {set: PATH, to: VALUE}.",
            )
        if (action == "scale") != (self.by is not None):
            raise problem(
                f"'{action}' {'needs' if action == 'scale' else 'takes no'} 'by'", "Write {scale: PATH, by: 0.5}."
            )
        if (self.after or self.before) and action != "add":
            raise problem("'after' and 'before' belong to 'add'", "Remove them.")
        if self.by is not None and not self.by > 0:
            raise problem("'by' must be above 0", "Write {scale: PATH, by: 0.5}.")
        return self

    @property
    def action(self) -> str:
        """Return set, scale, add or remove."""
        return next(name for name in ("set", "scale", "add", "remove") if getattr(self, name) is not None)

    @property
    def path(self) -> str:
        """Return the dotted path that is edited."""
        path: str = getattr(self, self.action)
        return path
