"""What a scenario promises: limits of KPIs, which `capacity` holds against demand."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, model_validator

from zonesim.scenario.fields import Strict, Words, check_signs, problem
from zonesim.scenario.labels import Source, Text


def _a_limit(value: Any) -> Any:  # noqa: ANN401
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise problem("expected a quantity", "Write a limit such as 30 min, 5 %, or 12 of what is only counted.")
    return check_signs(value)


LimitText = Annotated[Any, AfterValidator(_a_limit)]


class PromiseRule(Strict):
    """A promise: a KPI that is at most, or at least, so large: exactly one of `most` and `least`."""

    kpi: Words
    """The id of the KPI, e.g. `TYP.lanes_in.pass.p95`."""
    most: LimitText | None = None
    """The limit that it must not exceed, in its own unit or another of the kind, e.g. `30 min` or `5 %`."""
    least: LimitText | None = None
    """The limit that it must reach, e.g. `90 %`."""
    label: Text = {}
    """How people call it, e.g. `{en: Gate within half an hour, zh: 半小时过卡}`."""
    source: Source | None = None
    """Who promises it, or where the limit comes from."""

    @model_validator(mode="after")
    def _one_limit(self) -> PromiseRule:
        if (self.most is None) == (self.least is None):
            raise problem("a promise has either `most` or `least`", "Write {kpi: …, most: 30 min}.")
        return self
