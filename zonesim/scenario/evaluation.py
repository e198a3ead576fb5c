"""The evaluation of zones as a document: its methods with their weights, and what of it the model can tell."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from zonesim import units
from zonesim.scenario.fields import Name, PartName, Share, Strict, keys_in_schema, mode_of, problem
from zonesim.scenario.labels import Source, Text


class EvaluationMethod(Strict):
    """A method of evaluation: the weights of its classes of indicators, those that are known."""

    label: Text
    """How people call it."""
    weights: dict[PartName, Share]
    """The weight of each class of indicators, e.g. `{scale: 50 %}`; a class without one has none that is known."""
    indicators: int | None = None
    """How many indicators it weighs; none: not known."""
    source: Source
    """Where the weights come from."""

    @model_validator(mode="after")
    def _at_most_all(self) -> EvaluationMethod:
        total = sum(units.parse_share(mode_of(share)) for share in self.weights.values())
        if total > 1 + 1e-9:
            raise problem(
                f"the weights add up to {100 * total:.6g} %", "They are at most 100 % together.", ("weights",)
            )
        return self


class Indicator(Strict):
    """What is told of a zone: a setting of it, or two by each other, or what its traffic is."""

    label: Text
    """How people call it."""
    definition: Text
    """What it means, in a line."""
    class_: Name | None = Field(default=None, alias="class")
    """The class of indicators of the methods that it belongs to; none: to none of them."""
    unit: Text = {}
    """Its unit, where a setting tells it."""
    setting: Name | None = None
    """The setting of a zone that tells it, e.g. `trade`."""
    per: Name | None = None
    """The setting that this is divided by, e.g. `area_km2`."""
    flows: list[Name] = []
    """The flows whose consignments a day are counted, where no zone has the setting."""


class EvaluationDocument(Strict):
    """The evaluation of zones: classes of indicators, methods that weigh them, and what the model tells."""

    zonesim: Literal[1]
    """The version of the format."""
    kind: Literal["evaluation"]
    """This is an evaluation."""
    name: Name
    """Its name."""
    classes: Annotated[dict[PartName, Text], keys_in_schema("PartName")]
    """What people call the classes of indicators."""
    methods: Annotated[dict[PartName, EvaluationMethod], keys_in_schema("PartName")]
    """The methods by name, in the order of their dates."""
    indicators: Annotated[dict[PartName, Indicator], keys_in_schema("PartName")]
    """What is told of each zone, in the order of the table."""

    @model_validator(mode="after")
    def _classes_are_known(self) -> EvaluationDocument:
        asked = {name for method in self.methods.values() for name in method.weights}
        asked |= {each.class_ for each in self.indicators.values() if each.class_ is not None}
        for name in sorted(asked - set(self.classes)):
            raise problem(f"no class of indicators '{name}'", "Name it under `classes`.", ("classes",))
        return self
