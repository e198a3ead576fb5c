"""What the values of a step mean where they stand: numbers, resources, distributions, shares, priorities."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from zonesim import units
from zonesim.faults import Place, ScenarioFault, UnknownName, near, suggest
from zonesim.plan.assembly import Later
from zonesim.plan.binding import check_count, origin, resolve
from zonesim.plan.flows.emitter import Emitter
from zonesim.plan.plan import StepName
from zonesim.plan.scope import Scope
from zonesim.plan.token_classes import diagonal
from zonesim.scenario import Step
from zonesim.scenario.fields import CLASS, EVERYTHING, ShareBy, check_ratio, ends_of
from zonesim.scenario.kpis import Scope as Scope_
from zonesim.scenario.laws import By, Law
from zonesim.scenario.steps import PriorityBy

Value = TypeVar("Value")


class Values:
    """Reads values of steps, and writes them to the tables of the plan."""

    def __init__(self, out: Emitter) -> None:
        self.out = out
        self.tables = out.tables
        self.world = out.world
        self.origin: tuple[str, ...] = ()

    def resolved(self, value: Any, scope: Scope) -> Any:  # noqa: ANN401
        """Return what a written value means here; `origin` is then where a value was written that it refers to."""
        place = self.world.place(scope.text)
        self.origin = origin(value, scope.arguments, scope.origins)
        return resolve(value, scope.arguments, self.tables.scenario, place, scope.origins)

    def count(self, value: Any, scope: Scope, place: Place) -> int:  # noqa: ANN401
        """Return a whole number of at least 1; raises ScenarioFault."""
        try:
            return check_count(self.resolved(value, scope))
        except ScenarioFault as fault:
            raise self.of_value(fault, place) from None

    def of_value(self, fault: ScenarioFault, place: Place) -> ScenarioFault:
        """Return a fault of the value that was resolved last, at `place` where it has none of its own."""
        fault = fault.at(place)
        fault.owner = fault.owner or self.origin
        return fault

    def units_of(self, hold: Any, scope: Scope, place: Place) -> tuple[int, int]:  # noqa: ANN401
        """Return the resource of a hold and how many units it takes; which of several lines is chosen already."""
        written = hold if isinstance(hold, str) else hold.resource
        resource = self.tables.resource(self.resolved(written, scope), place)
        return resource, 1 if isinstance(hold, str) else self.count(hold.units, scope, place)

    def needs(self, units_of: Mapping[int, int]) -> tuple[int, int]:
        """Return first row and number of rows of the needs table."""
        rows = tuple(sorted((resource, units) for resource, units in units_of.items() if units))
        return self.tables.needs.add_run(rows), len(rows)

    def limit(self, kpi: tuple[Scope_, str], written: Any, subject: str, scope: Scope, key: str) -> None:  # noqa: ANN401
        """Note that the share within a written time is told of a subject, by a KPI of the library with its scope."""
        place = self.world.place((*scope.text, key))
        limit = round(units.parse(self.resolved(written, scope), "duration"))
        if limit < 1:
            raise ScenarioFault("a limit below a millisecond", place, "Who does not wait is told as `wait.share`.")
        self.tables.limits.setdefault((*kpi, limit), {})[subject] = None

    def step_number(self, step: Step, scope: Scope, lines: tuple[tuple[int, int], ...] = ()) -> Later:
        """Return the number of a step, with what it takes, and with what it waits for where that is more."""
        held = [self.units_of(hold, scope, self.out.here) for hold in step.hold.values()]
        name = StepName(
            self.out.name,
            self.out.entry.flow,
            scope.path,
            {str(language): text for language, text in step.label.items()},
            tuple(resource for resource, _ in held),
            tuple(count for _, count in held),
            self.out.kind.name,
            lines,
        )
        # Editions of a step that take other units are steps of their own, so that visits tell which units were in hand.
        key = (self.out.name, scope.path, tuple(held), *([lines] if lines else []))
        return self.tables.steps.add(key, self.out.order(scope), lambda: name)

    def distribution(
        self,
        step: Step,
        scope: Scope,
        take: Any = None,  # noqa: ANN401
        key: tuple[str, ...] = ("take",),
        *,
        working: bool = False,
    ) -> int:
        """Return the distribution of a time written below `key` of a step, of its `take` unless another is given."""
        take = step.take if take is None else take
        place = self.world.place((*scope.text, *key))
        try:
            if isinstance(take, Law):
                return self.tables.distributions.written(
                    take, lambda value: self.resolved(value, scope), working=working
                )
            if not isinstance(take, By):
                return self.tables.distributions.duration(
                    take, lambda value: self.resolved(value, scope), working=working
                )
        except ScenarioFault as fault:
            raise self.of_value(fault, place) from None

        def read(case: Any) -> int:  # noqa: ANN401
            return self.distribution(step, scope, case, key, working=working)

        return self.tables.distributions.by_class(self._by_number(take, scope, (*scope.text, *key), read))

    def _by_number(
        self,
        written: Any,  # noqa: ANN401
        scope: Scope,
        path: tuple[str, ...],
        read: Callable[[Any], Value],
    ) -> list[Value]:
        """
        Return, by combination of class and attributes, a value that is written at `path` by parameter, class or
        attribute.
        """
        place = self.world.place(path)
        if isinstance(written, By | ShareBy | PriorityBy):
            by, cases = written.by, written.__pydantic_extra__ or {}
        elif isinstance(written, dict) and "uncertain" not in written:
            by, cases = CLASS, written
        else:
            return [read(written)] * len(self.tables.classes)
        if by in scope.arguments:
            self._check_choices(by, cases, scope, path)
            chosen, cases = self._cases(by, cases, scope)
            if chosen not in cases:
                message = f"'{by}' is '{chosen}' here, for which no value is given"
                raise UnknownName(message, place, suggest(chosen, cases, "cases"))
            return self._by_number(cases[chosen], scope, path, read)
        if by not in self.tables.classes.values:
            known = [*scope.arguments, *self.tables.classes.values]
            raise UnknownName(f"no parameter or attribute '{by}' here", place, suggest(by, known))
        rows = {name: self._by_number(case, scope, path, read) for name, case in cases.items()}
        unused = next(iter(rows.values()), [])
        return diagonal(self.tables.tokens.per_class(rows, self.out.possible, unused, place, by=by))

    def _check_choices(self, by: str, cases: Mapping[str, Any], scope: Scope, path: tuple[str, ...]) -> None:
        """Raise UnknownName for a case that is no resource, but nearly one that the hold `by` may stand for."""
        without = [name for name in scope.choices.get(by, ()) if name not in cases]
        known = {*map(str, self.tables.resources.rows), EVERYTHING}
        for case in cases if without else ():
            if str(self.resolved(case, scope)) not in known and near(case, without):
                place = self.world.key_place((*path, case))
                raise UnknownName(f"'{by}' is never '{case}' here", place, suggest(case, without))

    def _cases(self, by: str, written: Mapping[str, Any], scope: Scope) -> tuple[str, dict[str, Any]]:
        """Return what a parameter is here, and what is written by its values: `all` stands for those not named."""
        chosen = str(self.resolved(f"${by}", scope))
        cases = {str(self.resolved(value, scope)): case for value, case in written.items()}
        if chosen not in cases and EVERYTHING in cases:
            cases[chosen] = cases[EVERYTHING]
        return chosen, cases

    def in_working_days(self, take: Any, scope: Scope) -> bool:  # noqa: ANN401
        """Return whether a written time counts working days; a mixture is found when its distribution is written."""
        if isinstance(take, By):
            cases = take.__pydantic_extra__
            if take.by in scope.arguments:
                chosen, cases = self._cases(take.by, cases, scope)
                cases = {chosen: cases[chosen]} if chosen in cases else {}
            return any(self.in_working_days(case, scope) for case in cases.values())
        times = take.times() if isinstance(take, Law) else [take]
        return any(units.is_working(self.resolved(time, scope)) for time in times)

    def share_row(self, share: Any, scope: Scope) -> int:  # noqa: ANN401
        """Return the row of a share, or of a share by parameter, class or attribute."""
        path = (*scope.text, "share")
        place = self.world.place(path)

        def read(one: Any) -> float:  # noqa: ANN401
            try:
                return units.parse_share(self.resolved(one, scope))
            except ScenarioFault as fault:
                raise self.of_value(fault, place) from None

        return self.tables.shares.add(tuple(self._by_number(share, scope, path, read)))

    def ends_of_lift(self, lift: Any, scope: Scope) -> tuple[float, float, float]:  # noqa: ANN401
        """Return the least of a lift, that of runs, and the greatest."""
        place = self.world.place((*scope.text, "detect", "lift"))
        try:
            low, mode, high = (check_ratio(self.resolved(end, scope)) for end in ends_of(lift))
        except ScenarioFault as fault:
            raise self.of_value(fault, place) from None
        return low, mode, high

    def known_truth(self, truth: str, scope: Scope) -> None:
        """Raise UnknownName unless the scenario has a truth of this name."""
        if truth not in self.tables.scenario.truth:
            place = self.world.place((*scope.text, "detect"))
            remedy = suggest(truth, self.tables.scenario.truth, "truths")
            raise UnknownName(f"no truth '{truth}' in the scenario", place, remedy, owner=("truth",))

    def priority_row(self, step: Step, scope: Scope) -> int:
        """Return the row of the priorities of a step."""
        path = (*scope.text, "priority")
        return self.tables.priorities.add(tuple(self._by_number(step.priority or 0, scope, path, int)))

    def calendar(
        self, name: str, scope: Scope, key: tuple[str, ...], *, opens: bool = False, whole_days: bool = False
    ) -> int:
        """
        Return the number of the calendar written below `key` of a step, or of the whole days on which it opens; raises
        ScenarioFault where it has to `open` for some time and has moments alone.
        """
        place = self.world.place((*scope.text, *key))
        calendar = str(self.resolved(name, scope))
        if opens and not whole_days:
            self.tables.check_opens(calendar, place)
        return self.tables.calendar(calendar, place, whole_days=whole_days)
