"""A step of a flow in a few words: how long, with what, who, what is checked, where to go then; as it was written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from zonesim.scenario import Step
from zonesim.scenario.fields import By, Law, mode_of

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


def facts_of(step: Step) -> Facts:
    """Return the facts of a step."""
    time = take_text(step.take)
    if step.split is not None:
        time = f"{step.split.into}s: {_count(step.split.count)}"
    if step.during is not None:
        time = f"{time} of {step.during}"
    check = ""
    if step.detect is not None:
        check = f"finds {share_text(step.detect.sensitivity)}"
        alarms = share_text(step.detect.false_alarm)
        check += f", false alarms {alarms}" if alarms not in _NONE else ""
    holds = ", ".join(_resource(hold) + _kept(step.keep.get(key)) for key, hold in step.hold.items())
    return Facts(time, holds, _condition(step), check, _then(step.next))


def take_text(take: Any) -> str:  # noqa: ANN401
    """Return how long something takes, as written: `PERT 5/10/20 s`."""
    if take is None:
        return ""
    if isinstance(take, By):
        cases = ", ".join(f"{name}: {take_text(value)}" for name, value in (take.__pydantic_extra__ or {}).items())
        return f"by {take.by} ({cases})"
    if not isinstance(take, Law):
        return _plain(mode_of(take))
    if take.distance is not None:
        way = "distance" if str(take.distance).startswith("$") else take.distance
        return f"{way} at {_plain(mode_of(take.speed))}"
    if take.mixture is not None:
        return " or ".join(f"{_plain(mode_of(part.share))}: {take_text(part)}" for part in take.mixture.values())
    for name in type(take).model_fields:
        value = getattr(take, name)
        if value is None or name == "share":
            continue
        title = "PERT" if name == "pert" else name
        if isinstance(value, list):
            return f"{title} {_compact([_plain(mode_of(part)) for part in value])}"
        if isinstance(value, dict):
            return f"{title} " + ", ".join(f"{key} ({_plain(mode_of(share))})" for key, share in value.items())
        if hasattr(value, "model_fields"):
            return f"{title} " + ", ".join(f"{key} {_plain(mode_of(part))}" for key, part in value)
        return _plain(mode_of(value))
    return ""


def share_text(share: Any) -> str:  # noqa: ANN401
    """Return a share as people read it; by class where it differs."""
    share = mode_of(share)
    if isinstance(share, dict):
        return ", ".join(
            f"{name} {_plain(mode_of(value))}" for name, value in share.items() if name != "all" or len(share) == 1
        )
    return _plain(share)


def _resource(hold: Any) -> str:  # noqa: ANN401
    name = str(hold if isinstance(hold, str) else hold.resource)
    units = "" if isinstance(hold, str) or hold.units == 1 else f"{hold.units} "
    return units + name.rpartition(".")[2].lstrip("$").replace("_", " ")


def _kept(until: str | None) -> str:
    return f" until {until.replace('_', ' ')}" if until else ""


def _condition(step: Step) -> str:
    parts = []
    if step.when is not None:
        parts += [f"if {mark}" for mark in (step.when.marked,) if mark]
        parts += [f"unless {mark}" for mark in (step.when.unmarked,) if mark]
        parts += [f"{key} {_either(value)}" for key, value in (step.when.__pydantic_extra__ or {}).items()]
        parts += [f"class {_either(step.when.class_)}"] if step.when.class_ else []
    if step.share is not None:
        parts.append(share_text(step.share))
    if step.background:
        parts.append("background")
    return ", ".join(parts)


def _then(where: str | Mapping[str, Any] | None) -> str:
    if isinstance(where, Mapping):
        return ", ".join(f"{step.replace('_', ' ')} {share_text(share)}" for step, share in where.items())
    return where.replace("_", " ") if where else ""


def _either(value: str | list[str]) -> str:
    return value if isinstance(value, str) else " or ".join(value)


def _plain(value: Any) -> str:  # noqa: ANN401
    """Return a value as text; of a parameter (`$name`) its name."""
    return str(value).lstrip("$")


def _count(count: Any) -> str:  # noqa: ANN401
    if hasattr(count, "discrete"):
        return ", ".join(f"{number} in {_plain(mode_of(share))}" for number, share in count.discrete.items())
    return _plain(count)


def _compact(texts: list[str]) -> str:
    """Return `5 s / 10 s / 20 s` as `5/10/20 s` when the units agree."""
    split = [text.rpartition(" ") for text in texts]
    units = {unit for _, _, unit in split}
    return "/".join(number for number, _, _ in split) + f" {units.pop()}" if len(units) == 1 else " / ".join(texts)
