"""What a step changes when its work is done: accounts, class and status of the token, and tokens that it starts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from zonesim.faults import ScenarioFault, UnknownName, suggest
from zonesim.plan.assembly import Label
from zonesim.plan.flows.emitter import Emitter
from zonesim.plan.flows.values import Values
from zonesim.plan.operations import Op, SetWhat
from zonesim.plan.plan import MarkName
from zonesim.plan.scope import Scope
from zonesim.plan.world_tables import lot_account
from zonesim.scenario import Step
from zonesim.scenario.acts import Changes, start_of
from zonesim.scenario.lots import ENTRY
from zonesim.scenario.models import Account


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
        for name, quantity in changes.convert.items():
            self._convert(name, quantity, scope)
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
        """Add to an account, and to those of its lots of the kind that the goods are."""
        self._book(account, amount, scope)
        entry = self.tables.lots_of(account)
        if entry is not None:
            self._by_kind(entry, lambda kind: self._book_lot(account, kind, amount, scope), scope)

    def _by_kind(self, entry: Account, write: Callable[[str], None], scope: Scope) -> None:
        """Write something for the goods of each kind of which an account has lots."""
        by = str(entry.by)
        if by == ENTRY and by not in self.tables.classes.values:
            if self.out.name in entry.lots:
                write(self.out.name)
            return
        place = self.world.place((*scope.text, "set"))
        self.tables.tokens.known_attribute(by, place, ENTRY)
        possible, done = self.out.possible[by], Label()
        for kind in (kind for kind in entry.lots if kind in possible):
            other = Label()
            if len(possible) > 1:
                self.out.only_if_of_class(self.tables.classes.mask(by, {kind}), other)
            write(kind)
            if len(possible) > 1:
                self.out.jump(done)
            self.out.place(other)
        self.out.place(done)

    def _book_lot(self, account: int, kind: str, amount: int, scope: Scope) -> None:
        """Add lots of a kind to the accounts of its units."""
        name, entry = self.tables.accounts.rows[account], self.tables.lots_of(account)
        for unit, number in entry.lots[kind].holds.items() if entry is not None else ():
            if number:
                key = (name.zone, lot_account(name.name, kind, unit))
                self._book(self.tables.accounts.number(key), amount * number, scope)

    def _convert(self, name: str, quantity: Any, scope: Scope) -> None:  # noqa: ANN401  a number, or a parameter
        """Book what lots become, and make the goods of the first kind that comes of theirs."""
        place = self.world.place((*scope.text, "set", "convert", name))
        account = self.tables.account(self.values.resolved(name, scope), place)
        amount = self.values.count(quantity, scope, place)
        entry = self.tables.lots_of(account)
        if entry is None:
            return

        def write(kind: str) -> None:
            becomes = entry.lots[kind].becomes
            for other, number in becomes.items():
                self._book_lot(account, other, amount * int(number), scope)
            if becomes:
                self._book_lot(account, kind, -amount, scope)
                mask = self.tables.classes.mask(str(entry.by), {kind})
                self.out.become({str(entry.by): next(iter(becomes))}, only=mask)

        self._by_kind(entry, write, scope)

    def _book(self, account: int, amount: int, scope: Scope) -> None:
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
