"""The firms of a scenario: how volume is spread over them, and which credit class each has."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from zonesim import units
from zonesim.scenario import load_catalogue
from zonesim.scenario.fields import mode_of
from zonesim.scenario.models import Firms

_ALIKE = 1e-9


@dataclass(frozen=True)
class Firm:
    """A firm: its share of the volume and its credit class ("" when classes are not used)."""

    share: float
    credit: str


def generate(firms: Firms) -> list[Firm]:
    """
    Return the firms, largest first.

    The k-th largest has volume proportional to 1 / k ** zipf. Credit classes take firms in the order in which they
    are written, the largest first (certified firms are few and large), each at least one, until the class's share
    of the volume is reached; volumes within a class are then scaled so that its share holds exactly. With fewer
    firms than classes the last classes stay empty and the others are scaled up.
    """
    weights = [1 / (k + 1) ** firms.volume.zipf for k in range(firms.count)]
    total = sum(weights)
    weights = [weight / total for weight in weights]
    wanted = [(name, units.parse_share(mode_of(share))) for name, share in firms.credit.items()]
    wanted = [(name, share) for name, share in wanted if share > 0][: firms.count]
    if not wanted:
        return [Firm(weight, "") for weight in weights]
    classes: list[str] = []
    taken = 0.0
    due = 0.0
    for position, (name, share) in enumerate(wanted):
        due += share
        left = len(wanted) - position - 1
        begun = len(classes)
        while len(classes) < firms.count - left and (
            len(classes) == begun or left == 0 or taken + weights[len(classes)] / 2 <= due
        ):
            taken += weights[len(classes)]
            classes.append(name)
    shares = dict(wanted)
    covered = sum(shares.values())
    held = {
        name: sum(weight for weight, credit in zip(weights, classes, strict=True) if credit == name) for name in shares
    }
    scaled = [
        Firm(weight * shares[credit] / held[credit] / covered, credit)
        for weight, credit in zip(weights, classes, strict=True)
    ]
    return sorted(scaled, key=lambda firm: -firm.share)


def sizes(shares: Sequence[float]) -> list[str]:
    """
    Return the size of each firm, as the library names sizes; `shares` of the volume are in the order of firms, the
    largest first. Nothing where all firms are alike: none of them is larger than another.

    A firm is of the size in whose part of the volume, counted from the largest firm on, the middle of its own lies.
    """
    if not shares or max(shares) - min(shares) <= _ALIKE * max(shares):
        return []
    ends: list[tuple[float, str]] = []
    for name, size in load_catalogue().firm_sizes.items():
        ends.append((units.parse_share(mode_of(size.share)) + (ends[-1][0] if ends else 0.0), name))
    found = []
    begun = 0.0
    for share in shares:
        middle = begun + share / 2
        found.append(next((name for end, name in ends if middle <= end), ends[-1][1]))
        begun += share
    return found
