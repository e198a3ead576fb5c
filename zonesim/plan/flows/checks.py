"""Checks for hidden truths: a branch on the truth and one on a draw of the check; and what puts a truth right."""

from __future__ import annotations

from zonesim.plan.assembly import Label
from zonesim.plan.flows.emitter import Emitter
from zonesim.plan.flows.values import Values
from zonesim.plan.operations import BranchOn, Op, SetWhat
from zonesim.plan.scope import Scope
from zonesim.scenario import Step


class Checks:
    """Writes checks and corrections."""

    def __init__(self, out: Emitter, values: Values) -> None:
        self.out = out
        self.tables = out.tables
        self.world = out.world
        self.values = values

    def detect(self, step: Step, scope: Scope) -> None:
        """Find a truth, or miss it, or stop a token for nothing."""
        detect = step.detect
        assert detect is not None  # noqa: S101  the caller has looked
        self.values.known_truth(detect.truth, scope)
        self.out.checked(detect.truth, scope)
        wrong, hit, after = Label(), Label(), Label()
        self.out.finding(detect.truth, "checked", scope)
        self.out.emit(Op.BRANCH, code=BranchOn.FLAG, flag=self.out.flag(f"truth {detect.truth}"), target=wrong)
        alarm = self.values.share_row(detect.false_alarm, scope)
        if any(self.tables.shares.rows[alarm]):
            false = Label()
            stream = self.out.stream(scope, "false_alarm")
            self.out.emit(Op.BRANCH, code=BranchOn.SHARE, share=alarm, stream=stream, target=false, steady=0)
            self.out.jump(after)
            self.out.place(false)
            self.out.finding(detect.truth, "false_stop", scope)
            if detect.on_hit is not None:
                self.out.note(detect.on_hit.mark, scope)
        self.out.jump(after)
        self.out.place(wrong)
        stream = self.out.stream(scope, "detect")
        share = self.values.share_row(detect.sensitivity, scope)
        self.out.emit(Op.BRANCH, code=BranchOn.SHARE, share=share, stream=stream, target=hit, steady=0)
        self.out.finding(detect.truth, "missed", scope)
        self.out.jump(after)
        self.out.place(hit)
        self.out.finding(detect.truth, "caught", scope)
        if detect.on_hit is not None:
            self.out.note(detect.on_hit.mark, scope)
        self.out.place(after)

    def correct(self, truth: str, scope: Scope) -> None:
        """Put a truth right, and mark it where there was something to put right."""
        self.values.known_truth(truth, scope)
        flag, wrong, after = self.out.flag(f"truth {truth}"), Label(), Label()
        self.out.emit(Op.BRANCH, code=BranchOn.FLAG, flag=flag, target=wrong)
        self.out.jump(after)
        self.out.place(wrong)
        self.out.finding(truth, "corrected", scope)
        self.out.emit(Op.SET, code=SetWhat.LOWER_FLAG, flag=flag)
        self.out.place(after)
