"""Tokens that are still inside when a compiled run ends: their open rows, and whether they wait for each other."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from zonesim.engine.deadlock import batches_that_fill, check_deadlock
from zonesim.engine.kernel import layout as k
from zonesim.engine.kernel_input import KernelInput
from zonesim.engine.room import Room, as_bytes
from zonesim.engine.state import Batch, Needs, Request, ResourceState, Token, Visit, Way
from zonesim.plan import NEVER, NOWHERE, NUMBER_BITS, VISIT, Op, Plan, as_dicts, ways_of

Mask = NDArray[np.bool_]


class Inside:
    """Tokens by number: their slots, their records, and their visits of shape (tokens, open_visits)."""

    def __init__(self, plan: Plan, given: KernelInput, room: Room) -> None:
        self.plan, self.given, self.program = plan, given, given.flow.program
        tokens, state = room.tokens, room.states[0]
        self.batches, self.works = room.batches.batches, tokens.works
        rows = tokens.tokens[: int(state["fresh_slot"])]
        slots = np.flatnonzero(rows["number"] >= 0)
        self.slots = slots[np.argsort(rows["number"][slots])]
        self.tokens = as_bytes(rows)[self.slots].view(rows.dtype)
        visits = as_bytes(tokens.visits).reshape(len(tokens.tokens), -1)[self.slots]
        self.visits = visits.view(k.OPEN_VISIT)
        self.interruptible = bool(state["interruptible"])

    def open_rows(self) -> k.Rows:
        """Return the open rows of all, in the order of token numbers."""
        tokens, steps = self.tokens, self.program["step"]
        rows = np.empty((len(tokens), self.visits.shape[1] + 2 + self.interruptible), dtype=VISIT)
        there = np.ones(rows.shape, dtype=np.bool_)
        count = self.visits.shape[1]
        step = np.empty(rows.shape, dtype=np.int64)
        there[:, :count] = self.visits["queued"] != k.EMPTY
        step[:, :count] = steps[self.visits["row"]]
        rows["queued"][:, :count], rows["started"][:, :count] = self.visits["queued"], self.visits["started"]
        there[:, count] = tokens["delay_step"] >= 0
        step[:, count] = tokens["delay_step"]
        rows["queued"][:, count], rows["started"][:, count] = tokens["delay_queued"], tokens["delay_started"]
        if self.interruptible:
            there[:, -2] = tokens["state"] == k.INTERRUPTED
            step[:, -2] = self.program["delay_interrupted"][tokens["pc"] - 1]
            rows["queued"][:, -2], rows["started"][:, -2] = self.works["stopped"][self.slots], NEVER
        step[:, -1] = tokens["leave_step"]
        rows["queued"][:, -1] = rows["started"][:, -1] = tokens["arrived"]
        rows["key"] = step << NUMBER_BITS | tokens["number"][:, np.newaxis]
        rows["ended"] = NEVER
        found: k.Rows = as_bytes(rows)[there].view(VISIT)
        return found

    # --- tokens that wait for each other

    def check_deadlock(self) -> None:
        """
        Raise RunFault if some tokens can never go on, naming who waits for what; batches alone may.

        The rule is that of `zonesim.engine.deadlock`, which tells the story; here the many are looked at together.
        """
        waiting = self._that_never_go_on()
        if (self.tokens["state"][waiting] != k.GATHERING).any():
            check_deadlock(self.plan, self._people(), self.plan.horizon)

    def _that_never_go_on(self) -> Mask:
        tokens = self.tokens
        states = tokens["state"]
        queued = (states == k.IN_QUEUE) | (states == k.INTERRUPTED)
        joining, gathering = states == k.JOINING, states == k.GATHERING
        waiting = (queued & (tokens["gives_up"] == 0)) | (states == k.INTERRUPTED) | joining | gathering
        if not waiting.any():
            return waiting
        has_units = self._has_units()
        if not (waiting & (joining | gathering | has_units.any(axis=1))).any():
            return waiting & ~self.given.possible[tokens["queue_row"]]  # nobody keeps anything from anybody
        holders, resources, units = self._held(has_units)
        family = tokens["parent"].astype(np.int64) << 32 | tokens["group"].astype(np.int64)
        awaited = self.slots << 32 | tokens["joins"].astype(np.int64)
        while True:
            stuck = np.zeros(len(self.plan.resources), dtype=np.int64)
            mine = waiting[holders]
            np.add.at(stuck, resources[mine], units[mine])
            freed = waiting & queued & self._are_met(tokens["queue_row"], waiting & queued, stuck)
            if (waiting & joining).any():
                freed |= waiting & joining & ~np.isin(awaited, family[waiting & (tokens["parent"] > 0)])
            if (waiting & gathering).any():
                freed |= self._go_on_in_batches(waiting, gathering, stuck)
            if not freed.any():
                return waiting
            waiting &= ~freed

    def _has_units(self) -> Mask:
        """Return, by token and place, whether it is a visit with units in hand."""
        has_units: Mask = (self.visits["queued"] != k.EMPTY) & (self.visits["started"] != NEVER)
        interrupted = np.flatnonzero(self.tokens["state"] == k.INTERRUPTED)
        has_units[interrupted, self.program["seize_slot"][self.tokens["queue_row"][interrupted]]] = False
        return has_units

    def _held(self, has_units: Mask) -> tuple[k.Ints, k.Ints, k.Ints]:
        """Return who has units in hand, of which resource, and how many."""
        who, place = np.nonzero(has_units)
        began, kept = self.visits["row"][who, place], self.visits["kept"][who, place]
        found = [np.zeros((3, 0), dtype=np.int64)]
        for row, gone in {*zip(began.tolist(), kept.tolist(), strict=True)}:
            holders = who[(began == row) & (kept == gone)]
            first, count = int(self.program["seize_first_need"][row]), int(self.program["seize_needs"][row])
            for each, (resource, units) in enumerate(self.plan.needs_of(first, count)):
                if not gone >> each & 1:
                    found.append(np.stack(np.broadcast_arrays(holders, resource, units)))
        holders, resources, units = np.concatenate(found, axis=1)
        return holders, resources, units

    def _are_met(self, rows: NDArray[np.int32], asked: Mask, stuck: k.Ints) -> Mask:
        """Return whether the SEIZE for which a token waits could be met if all gave back what is not stuck."""
        met = np.zeros(len(self.program), dtype=np.bool_)
        for row in np.unique(rows[asked]).tolist():
            for way in self._ways(row):
                needs = self.plan.needs_of(
                    int(self.program["seize_first_need"][way]), int(self.program["seize_needs"][way])
                )
                met[row] |= all(units + stuck[resource] <= self.given.most_units[resource] for resource, units in needs)
        return met[rows]

    def _ways(self, row: int) -> list[int]:
        """Return the SEIZEs of which the request at a row is for one: itself, unless it is an EITHER."""
        return ways_of(self.plan.code, row) if self.program["op"][row] == Op.EITHER else [row]

    def _go_on_in_batches(self, waiting: Mask, gathering: Mask, stuck: k.Ints) -> Mask:
        """Return the tokens whose batch is led by one that can go on, ends by itself, or can still be filled."""
        numbers = np.unique(self.tokens["batch"][waiting & gathering])
        batches = self.batches[numbers]
        able = np.flatnonzero(~waiting)
        goes_on = (batches["complete"] == 0) & (batches["due"] != NOWHERE)
        open_ones = (batches["complete"] == 0) & ~goes_on
        if open_ones.any():
            fill = batches_that_fill(self.plan, self.tokens["pc"][able].tolist(), dict(enumerate(stuck.tolist())))
            goes_on |= open_ones & np.isin(batches["number"], [*fill])
        if batches["complete"].any():
            leads = {led for slot in able[self.tokens["leads"][able] > 0].tolist() for led in self._led_by(slot)}
            goes_on |= (batches["complete"] != 0) & np.isin(numbers, [*leads])
        return waiting & gathering & np.isin(self.tokens["batch"], numbers[goes_on])

    def _led_by(self, place: int) -> list[int]:
        """Return the batches that a token leads."""
        led = [int(self.tokens["leads"][place])]
        while led[-1]:
            led.append(int(self.batches["next"][led[-1]]))
        return led[:-1]

    def _people(self) -> list[Token]:
        """Return the tokens as the search for a deadlock knows them."""
        plan, program = self.plan, self.program
        resources = [ResourceState(number, 0, 0) for number in range(len(plan.resources))]

        def needs_of(row: int, kept: int = 0) -> Needs:
            pairs = plan.needs_of(int(program["seize_first_need"][row]), int(program["seize_needs"][row]))
            return tuple(
                (resources[number], units) for each, (number, units) in enumerate(pairs) if not kept >> each & 1
            )

        found: dict[int, Token] = {}
        batches: dict[int, Batch] = {}
        for slot, row, visits in zip(self.slots.tolist(), as_dicts(self.tokens), self.visits, strict=True):
            token = Token(row["number"], row["ordinal"], row["child"], row["pc"], row["arrived"], row["leave_step"])
            for place, own in enumerate(as_dicts(visits)):
                if own["queued"] != k.EMPTY:
                    step, needs = int(program["step"][own["row"]]), needs_of(own["row"], own["kept"])
                    token.open[place] = Visit(step, own["queued"], own["started"], needs)
            if row["delay_step"] >= 0:
                token.delay = Visit(row["delay_step"], row["delay_queued"], row["delay_started"])
            if row["state"] in (k.IN_QUEUE, k.INTERRUPTED):
                visit = token.open[int(program["seize_slot"][row["queue_row"]])]
                gives_up = row["state"] == k.IN_QUEUE and bool(row["gives_up"])
                ways = tuple(Way(needs_of(way)) for way in self._ways(row["queue_row"]))
                needs = needs_of(row["queue_row"])
                token.waits_for = Request(token, visit, row["priority"], 0, needs, ways, gives_up=gives_up)
                if row["state"] == k.INTERRUPTED:
                    visit.needs = ()
            elif row["state"] == k.GATHERING:
                own = self.batches[row["batch"]]
                batch = Batch(
                    int(own["number"]),
                    (0, 0),
                    due=int(own["due"]),
                    complete=bool(own["complete"]),
                    led=bool(own["led"]),
                )
                token.batch = batches.setdefault(row["batch"], batch)
            elif row["state"] == k.JOINING:
                token.joins = row["joins"]
            found[slot] = token
        for place, slot in enumerate(self.slots.tolist()):
            parent = int(self.tokens["parent"][place])
            if parent:
                found[slot].parent, found[slot].group = found[parent], int(self.tokens["group"][place])
            for led in self._led_by(place):
                if led in batches:
                    batches[led].tokens = [found[slot]]
        return list(found.values())
