"""What a step changes when its work is done: accounts, class and status of the token, and tokens that it starts."""

from __future__ import annotations

from zonesim.faults import ScenarioFault, UnknownName, suggest
from zonesim.plan.flows.emitter import Emitter
from zonesim.plan.flows.values import Values
from zonesim.plan.operations import Op, SetWhat
from zonesim.plan.plan import MarkName
from zonesim.plan.scope import Scope
from zonesim.scenario import Step
from zonesim.scenario.acts import Changes, start_of


class Effects:
    """Writes what steps change."""

    def __init__(self, out: Emitter, values: Values) -> None:
        self.out = out
        self.tables = out.tables
        self.world = out.world
        self.values = values

    def write(self, changes: Changes, scope: Scope) -> None:
        """Credit and debit accounts, give the token another class or other attributes, its goods another status."""
        for key, written, sign in (("credit", changes.credit, 1), ("debit", changes.debit, -1)):
            for name, quantity in written.items():
                place = self.world.place((*scope.text, "set", key, name))
                account = self.tables.account(self.values.resolved(name, scope), place)
                amount = sign * self.values.count(quantity, scope, place)
                if not self.tables.is_stock(account):
                    self.book(account, amount, scope)
                    continue
                if sign < 0:
                    fault = f"steps wait in line for {self.tables.accounts.rows[account]}, so nobody debits it"
                    place = self.world.key_place((*scope.text, "set", key, name))
                    raise ScenarioFault(fault, place, f"Write `draw: {{{name}: {quantity}}}` as a key of the step.")
                self.book(account, amount, scope)
                resource = self.tables.resource(self.values.resolved(name, scope), place)
                self.out.emit(Op.STOCK, resource=resource, amount=amount)
        values = changes.values()
        for name, value in values.items():
            path = (*scope.text, "set", name)
            self.tables.tokens.known_attribute(name, self.world.key_place(path), "credit", "debit", "status")
            self.tables.tokens.known_value(name, value, self.world.place(path))
        if values:
            self.out.become(values)
        if changes.status is not None:
            number = self.tables.status(changes.status, self.world.place((*scope.text, "set", "status")))
            self.out.emit(Op.SET, code=SetWhat.STATUS, status=number)
            self.out.note(f"status.{changes.status}", scope)

    def book(self, account: int, amount: int, scope: Scope) -> None:
        """Add to an account, and mark what it gets or gives, so that the records alone tell how it stands."""
        self.out.emit(Op.SET, code=SetWhat.ACCOUNT, account=account, amount=amount)
        mark = f"{self.tables.accounts.rows[account]}.{'credited' if amount > 0 else 'debited'}"
        name = MarkName(
            self.out.name, self.out.entry.flow, scope.call, mark, scope.place, self.out.kind.name, account, amount
        )
        number = self.tables.marks.add((self.out.name, scope.call, mark, amount), self.out.order(scope), lambda: name)
        self.out.emit(Op.MARK, mark=number)

    def spawn(self, step: Step, scope: Scope) -> None:
        """Start a token of another traffic entry."""
        place = self.world.place((*scope.text, "spawn"))
        start = start_of(step.spawn)
        entries = self.tables.scenario.traffic
        if start.traffic not in entries:
            known = [name for name, entry in entries.items() if entry.spawned]
            raise UnknownName(f"no traffic '{start.traffic}'", place, suggest(start.traffic, known, "spawned traffic"))
        if not entries[start.traffic].spawned:
            remedy = "Give that entry `spawned: true` instead of a rate."
            raise ScenarioFault(f"traffic '{start.traffic}' arrives by itself", place, remedy)
        delay = self.tables.distributions.discrete([(0.0, 1.0)])
        if start.after is not None:
            delay = self.values.distribution(step, scope, start.after, ("spawn", "after"))
        stream = self.out.stream(scope, "spawn")
        self.out.emit(Op.SPAWN, source=sorted(entries).index(start.traffic), delay=delay, stream=stream)
