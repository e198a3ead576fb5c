"""A step of a flow in a few words: how long, with what, who, what is checked, where to go then; as it was written."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from pydantic import BaseModel

from zonesim.briefing.text.words import ENGLISH, Words
from zonesim.scenario import Step
from zonesim.scenario.acts import Changes, Deadline, Gather, Instant, start_of, when_of
from zonesim.scenario.fields import CLASS, ShareBy, ends_of, mode_of
from zonesim.scenario.laws import By, Law
from zonesim.scenario.steps import AnyOf, Shortest
from zonesim.scenario.traffic import BatchLaw

EVERYBODY: Final = "all"
_NONE: Final = frozenset({"0", "0 %"})


@dataclass(frozen=True)
class Facts:
    """What a step is, in words; empty where there is nothing to say."""

    time: str = ""
    holds: str = ""
    condition: str = ""
    check: str = ""
    then: str = ""

    def unlike(self, other: Facts) -> str:
        """Return those of these words that `other` says differently."""
        words = []
        if self.time != other.time:
            words.append(self.time or "no time")
        if self.check != other.check:
            words.append(self.check or "no check")
        if self.condition != other.condition:
            words.append(self.condition or EVERYBODY)
        if self.holds != other.holds:
            words.append(f"holding {self.holds or 'nothing'}")
        if self.then != other.then:
            words.append(f"then {self.then or 'the next step'}")
        return "; ".join(words)


def facts_of(step: Step, say: Words = ENGLISH) -> Facts:
    """Return the facts of a step in a language."""
    time = take_text(step.take, say)
    if step.split is not None:
        time = say("step.split", into=say.term(step.split.into), count=_count(step.split.count, say))
    if step.gather is not None:
        time = _batch(step.gather, say)
    if step.parallel:
        time = say("step.parallel")
    if step.wait_until is not None:
        time = _instant(step.wait_until, say)
    if step.during is not None:
        time = say("step.during", time=time, calendar=say.term(step.during))
    check = ""
    if step.detect is not None:
        found = [say("step.finds", share=share_text(step.detect.sensitivity, say))]
        alarms = share_text(step.detect.false_alarm, say)
        found += [say("step.alarms", share=alarms)] if alarms not in _NONE else []
        found += [_lift(step.detect.lift, say)] if step.detect.lift is not None else []
        check = say.listed(found)
    holds = say.listed(_resource(hold, say) + _kept(step.keep.get(key), say) for key, hold in step.hold.items())
    drawn = [
        say("step.debits", number=_plain(mode_of(number)), account=_short(name, say))
        for name, number in step.draw.items()
    ]
    holds = say.listed([*([holds] if holds else []), *drawn])
    if step.patience is not None and step.patience.until is not None:
        phrase = say("step.patience_until", due=say.term(step.patience.until), step=say.term(step.patience.next))
        holds = say.listed([holds, phrase])
    elif step.patience is not None:
        patience = take_text(step.patience.longest, say)
        holds = say.listed([holds, say("step.patience", time=patience, step=say.term(step.patience.next))])
    for name, due in step.due.items():
        called = say.label(due.label, name) if isinstance(due, Deadline) and due.label else say.term(name)
        told = when_of(due)
        when = _instant(told, say) if isinstance(told, Instant) else say("step.due_within", time=take_text(told, say))
        check = say.listed([*([check] if check else []), say("step.due", name=called, when=when)])
    if step.set is not None:
        check = say.listed([*([check] if check else []), *_changes(step.set, say)])
    if step.spawn is not None:
        start = start_of(step.spawn)
        after = take_text(start.after, say) if start.after is not None else ""
        phrase = "step.spawns_after" if after else "step.spawns"
        check = say.listed([*([check] if check else []), say(phrase, traffic=start.traffic, time=after)])
    words = (time, holds, _condition(step, say), check, _then(step.next, say))
    return Facts(*map(say.quantities, words))


def take_text(take: Any, say: Words = ENGLISH) -> str:  # noqa: ANN401
    """Return how long something takes, as written: `PERT 5/10/20 s`."""
    if take is None:
        return ""
    if isinstance(take, By):
        return _by(take, take_text, say)
    if not isinstance(take, Law):
        return _plain(mode_of(take))
    if take.distance is not None:
        way = say("step.distance") if str(take.distance).startswith("$") else take.distance
        return say("step.way", way=way, speed=_plain(mode_of(take.speed)))
    if take.mixture is not None:
        return say("step.or").join(
            say("step.case", name=_plain(mode_of(part.share)), value=take_text(part, say))
            for part in take.mixture.values()
        )
    for name in type(take).model_fields:
        value = getattr(take, name)
        if value is not None and name != "share":
            return _law(name, value, say)
    return ""


def _by(written: By | ShareBy, tell: Callable[[Any, Words], str], say: Words) -> str:
    """Return what differs by a parameter, the class or an attribute, each case as `tell` tells it."""
    cases = [
        say("step.case", name=say.term(name), value=tell(value, say))
        for name, value in (written.__pydantic_extra__ or {}).items()
    ]
    return say("step.by", attribute=say.term(written.by), cases=say.listed(cases))


def _law(name: str, value: Any, say: Words) -> str:  # noqa: ANN401
    """Return a law with its numbers."""
    if isinstance(value, list):
        numbers = _compact([_plain(mode_of(part)) for part in value])
    elif isinstance(value, dict):
        numbers = say.listed(f"{key} ({_plain(mode_of(share))})" for key, share in value.items())
    elif isinstance(value, BaseModel):
        numbers = say.listed(f"{say.term(key)} {_plain(mode_of(part))}" for key, part in value)
    else:
        return _plain(mode_of(value))
    return say("step.law", law=say.term(name), values=numbers)


def share_text(share: Any, say: Words = ENGLISH) -> str:  # noqa: ANN401
    """Return a share as people read it; by class or attribute where it differs."""
    share = mode_of(share)
    if isinstance(share, ShareBy):
        return _by(share, share_text, say)
    if isinstance(share, dict):
        return say.listed(
            f"{say.term(name)} {share_text(value, say)}"
            for name, value in share.items()
            if name != "all" or len(share) == 1
        )
    return _plain(share)


def _resource(hold: Any, say: Words) -> str:  # noqa: ANN401
    units = "" if isinstance(hold, str) or hold.units == 1 else f"{_plain(mode_of(hold.units))} "
    if isinstance(hold, Shortest):
        return units + say("step.shortest", lines=say("step.or").join(_short(name, say) for name in hold.shortest))
    if isinstance(hold, AnyOf):
        return units + say("step.any", resources=say("step.or").join(_short(name, say) for name in hold.any))
    return units + _short(str(hold if isinstance(hold, str) else hold.resource), say)


def _lift(lift: Any, say: Words) -> str:  # noqa: ANN401
    """Return how much likelier who has a truth is picked, with the range that is possible."""
    low, mode, high = (_plain(end) for end in ends_of(lift))
    return say("step.lift", lift=mode) if low == high else say("step.lift_range", lift=mode, low=low, high=high)


def _instant(wait: Any, say: Words) -> str:  # noqa: ANN401
    """Return what hour a step waits for: `until office is open`."""
    if isinstance(wait, Instant) and wait.closing is not None:
        return say("step.until_shut", calendar=say.term(_plain(wait.closing)))
    return say("step.until_open", calendar=say.term(_plain(wait.opening if isinstance(wait, Instant) else wait)))


def _batch(gather: Gather, say: Words) -> str:
    """Return when a batch is complete: `batch of 20 or after 4 h, by firm`."""
    ends = [say("step.batch_number", number=_plain(mode_of(gather.number)))] if gather.number is not None else []
    ends += [say("step.batch_within", time=take_text(gather.within, say))] if gather.within is not None else []
    ends += [say("step.batch_until", calendar=say.term(_plain(gather.until)))] if gather.until else []
    what = say("step.batch", ends=say("step.or").join(ends)) if gather.most is None else _departure(gather, say)
    by = [say("step.batch_by", what=say.term(gather.by))] if gather.by else []
    return say.listed([what, *by])


def _departure(gather: Gather, say: Words) -> str:
    """Return how many go when: `20 depart when barges opens`."""
    most = gather.most
    number = say("step.or").join(most.discrete) if isinstance(most, BatchLaw) else _plain(mode_of(most))
    return say("step.batch_most", number=number, calendar=say.term(_plain(gather.until)))


def _changes(changes: Changes, say: Words) -> list[str]:
    """Return what a step changes: `takes 3 of stock`, `becomes released`."""
    words: list[str] = []
    for phrase, booked in (("step.credits", changes.credit), ("step.debits", changes.debit)):
        words += [say(phrase, number=_plain(mode_of(n)), account=_short(name, say)) for name, n in booked.items()]
    words += [
        say("step.converts", number=_plain(mode_of(n)), account=_short(name, say))
        for name, n in changes.convert.items()
    ]
    for name, value in changes.values().items():
        words.append(_attribute(name, value, say))
    words += [say("step.status", status=say.term(changes.status))] if changes.status else []
    return words


def _attribute(name: str, value: str | list[str], say: Words) -> str:
    """Return a value of an attribute, or one of several, in words."""
    if name == CLASS:
        return say("step.class", value=_either(value, say))
    return say("step.attribute", name=say.term(name), value=_either(value, say))


def _short(name: str, say: Words) -> str:
    return say.term(name.rpartition(".")[2].lstrip("$"))


def _kept(until: str | None, say: Words) -> str:
    return say("step.until", step=say.term(until)) if until else ""


def _condition(step: Step, say: Words) -> str:
    parts = []
    if step.when is not None:
        parts += [say("step.if", mark=say.term(mark)) for mark in (step.when.marked,) if mark]
        parts += [say("step.unless", mark=say.term(mark)) for mark in (step.when.unmarked,) if mark]
        parts += [_attribute(key, value, say) for key, value in (step.when.__pydantic_extra__ or {}).items()]
        parts += [say("step.if", mark=_either(step.when.status, say))] if step.when.status else []
        parts += [_attribute(CLASS, step.when.class_, say)] if step.when.class_ else []
        parts += [say("step.overdue", due=say.term(step.when.overdue))] if step.when.overdue else []
        parts += [say("step.last_of", split=say.term(step.when.last_of))] if step.when.last_of else []
        parts += [say("step.in_time", due=say.term(step.when.in_time))] if step.when.in_time else []
        if step.when.queue is not None:
            line = step.when.queue
            parts.append(say("step.if_queue", resource=_short(line.of, say), number=line.longer_than))
        parts += [_door(step.when.shut, say, "step.if_shut", "step.while_shut")] if step.when.shut else []
        parts += [_door(step.when.open, say, "step.if_open", "step.while_open")] if step.when.open else []
    if step.share is not None:
        parts.append(share_text(step.share, say))
    if step.background:
        parts.append(say("step.background"))
    return say.listed(parts)


def _door(name: str, say: Words, on_duty: str, hours: str) -> str:
    """Return one phrase of a resource, or another of a calendar, whose name has no dot."""
    if "." in name or name.startswith("$"):
        return say(on_duty, resource=_short(name, say))
    return say(hours, calendar=say.term(name))


def _then(where: str | Mapping[str, Any] | None, say: Words) -> str:
    if isinstance(where, Mapping):
        return say.listed(f"{say.term(step)} {share_text(share, say)}" for step, share in where.items())
    return say.term(where) if where else ""


def _either(value: str | list[str], say: Words) -> str:
    return say.term(value) if isinstance(value, str) else say("step.or").join(map(say.term, value))


def _plain(value: Any) -> str:  # noqa: ANN401
    """Return a value as text; of a parameter (`$name`) its name."""
    return str(value).lstrip("$")


def _count(count: Any, say: Words) -> str:  # noqa: ANN401
    if hasattr(count, "discrete"):
        return say.listed(
            say("step.in", number=number, share=_plain(mode_of(share))) for number, share in count.discrete.items()
        )
    return _plain(count)


def _compact(texts: list[str]) -> str:
    """Return `5 s / 10 s / 20 s` as `5/10/20 s` when the units agree."""
    split = [text.rpartition(" ") for text in texts]
    units = {unit for _, _, unit in split}
    return "/".join(number for number, _, _ in split) + f" {units.pop()}" if len(units) == 1 else " / ".join(texts)
