"""Costs as documents: what a thing that is counted costs and who pays it, and what a measure costs to put in place."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from zonesim import units
from zonesim.scenario.fields import CostRate, Name, Price, Share, Strict, Words, ends_of, problem
from zonesim.scenario.kpis import NameList
from zonesim.scenario.labels import Source, Text

Ends = tuple[float, float, float]
"""The low end, the usual value and the high end of a number."""


class Cost(Strict):
    """
    What people pay for something that KPIs count: the hours of trucks and officers, declarations, inspections.

    The amount of a day is a KPI, or the product of several, of every flow, step or resource that has them.
    """

    label: Text = {}
    """How people call it, e.g. `{en: Trucks, zh: 车辆}`."""
    payer: Name
    """Who pays, by the ids of `payers` in the tables of the library, e.g. `carrier`, `firm` or `customs`."""
    of: NameList
    """
    What is paid for: a KPI without its subject, e.g. `declarations.day`, or several whose product it is, e.g.
    `[clearance.mean, arrived.day]`, the hours that the arrivals of a day lie at the port.
    """
    scope: Literal["flow", "step", "resource", "zone", "all"] = "flow"
    """Told of each `flow` of the traffic, each `step`, `resource` or `zone`, or of `all` together."""
    role: Name | None = None
    """With `scope: resource`: only those with this role, e.g. `officer`."""
    only: list[Name] = []
    """Only these flows, steps (`FLOW.STEP`) or resources (their name in any zone); none: all that have the KPI."""
    leave_out: list[Name] = []
    """All but these."""
    rate: CostRate | None = None
    """What an hour costs, e.g. `{uncertain: [80 CNY/h, 150 CNY/h, 250 CNY/h]}`."""
    price: Price | None = None
    """What each costs, e.g. `150 CNY`."""
    source: Source | None = None
    """Where the figure comes from."""
    note: Words | None = None
    """A remark for readers, e.g. what is not in it."""

    @model_validator(mode="after")
    def _fits(self) -> Cost:
        if (self.rate is None) == (self.price is None):
            raise problem("exactly one of `rate` and `price` is due", "Write rate: 150 CNY/h, or price: 150 CNY.")
        if not self.of:
            raise problem("nothing is paid for", "Write e.g. of: declarations.day.", ("of",))
        if self.role is not None and self.scope != "resource":
            raise problem("`role` of what is no resource", "Write `scope: resource`.", ("role",))
        if self.only and self.leave_out:
            raise problem("`only` beside `leave_out`", "Leave one of them away.", ("leave_out",))
        if self.scope == "step" and not self.only:
            raise problem("steps that are paid for have no names", "Write only: [F5.seal].", ("only",))
        return self

    @property
    def hourly(self) -> bool:
        """Return whether hours are paid for, not pieces."""
        return self.rate is not None

    def ends(self) -> Ends:
        """Return low, usual and high figure in CNY, of an hour or of a piece."""
        return _numbers(self.rate, "cost rate") if self.rate is not None else _numbers(self.price, "price")


class Investment(Strict):
    """What has to be bought for a measure: for every unit of resources with a role, in the zones that it comes to."""

    label: Text = {}
    """How people call it, e.g. `{en: Smart gate, zh: 智能卡口}`."""
    measure: Name
    """The measure that needs it, e.g. `m11`."""
    practice: Name
    """The practice of the measure whose share says where it comes to, e.g. `gate`."""
    payer: Name
    """Who pays for it, by the ids of `payers`, e.g. `operator`."""
    role: Name
    """It is bought for each unit of the resources with this role, e.g. `lane`."""
    price: Price
    """What one costs, e.g. `{uncertain: [300000 CNY, 600000 CNY, 1500000 CNY]}`."""
    upkeep: Share
    """What it costs a year, as a share of its price, e.g. `10 %`."""
    life: Annotated[float, Field(gt=0, le=100)]
    """How many years it lasts, e.g. `8`."""
    source: Source | None = None
    """Where the figures come from."""
    note: Words | None = None
    """A remark for readers."""

    def prices(self) -> Ends:
        """Return low, usual and high price of one in CNY."""
        return _numbers(self.price, "price")

    def upkeeps(self) -> Ends:
        """Return low, usual and high cost of a year, as shares of the price."""
        return _numbers(self.upkeep, "share")


class CostsDocument(Strict):
    """The costs and investments of the library."""

    zonesim: Literal[1]
    """The version of the format."""
    kind: Literal["costs"]
    """This is a table of costs."""
    payers: dict[Name, Text]
    """Who can pay, by name: labels by language."""
    costs: dict[Name, Cost]
    """What is paid for, by name, in the order in which it is told."""
    investments: dict[Name, Investment] = {}
    """What measures need, by name."""


def _numbers(value: Any, kind: str) -> Ends:  # noqa: ANN401
    low, usual, high = (units.parse(each, kind) for each in ends_of(value))
    return low, usual, high
