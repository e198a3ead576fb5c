"""What is expected of control in a cell: bands over what is not known of who is picked and who is irregular."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

DIGITS = 10
"""Digits of a number that are kept."""


@dataclass(frozen=True)
class Band:
    """
    A quantity by case of what is not known (one number where all cases are alike): the least that it may be in each
    case, and the most, which differ where the state of the system decides.
    """

    low: tuple[float, ...]
    high: tuple[float, ...]

    @property
    def least(self) -> float:
        """Return the least over all cases; nan where it is unknown."""
        return min(self.low) if not any(map(math.isnan, self.low)) else math.nan

    @property
    def most(self) -> float:
        """Return the most over all cases; nan where it is unknown."""
        return max(self.high) if not any(map(math.isnan, self.high)) else math.nan

    def minus(self, other: Band) -> Band:
        """Return the difference to another band, case by case."""
        low, high = self._beside(other)
        return Band(tuple(own - base for own, base in low), tuple(own - base for own, base in high))

    def relative_to(self, other: Band) -> Band:
        """Return the difference to another band as a share of it, case by case; nan where that is 0."""
        low, high = self._beside(other)
        return Band(tuple(_share(own, base) for own, base in low), tuple(_share(own, base) for own, base in high))

    def _beside(self, other: Band) -> tuple[list[tuple[float, float]], list[tuple[float, float]]]:
        """Return least and most with the most and the least of another band, case by case."""
        cases = max(len(self.low), len(other.low))
        low, high, base_low, base_high = (
            part * (cases // len(part)) for part in (self.low, self.high, other.low, other.high)
        )
        return list(zip(low, base_high, strict=True)), list(zip(high, base_low, strict=True))

    def document(self) -> list[list[float | None]]:
        """Return the band for `study.json`."""
        return [[_kept(value) for value in part] for part in (self.low, self.high)]

    @classmethod
    def of_document(cls, document: list[list[float | None]]) -> Band:
        """Return the band that `document` was made of."""
        low, high = (tuple(math.nan if value is None else float(value) for value in part) for part in document)
        return cls(low, high)


UNKNOWN = Band((math.nan,), (math.nan,))


@dataclass(frozen=True)
class CheckBand:
    """
    What a check does: its step (`F1.inspect`), the truth that it looks for, the share of the cases of its flow that
    ever come to it (`met`), and the share of those that it finds (`power`).
    """

    step: str
    truth: str
    met: Band
    power: Band


@dataclass(frozen=True)
class CellControl:
    """
    What is expected of control: by truth the bands of `cases`, `caught` and `missed` a day, of the shares `intercepted`
    and `not_found` of all cases, of `false_stops` a day and as a share of all checks (`stopped_for_nothing`); and what
    each check does.

    `doubted` are the truths whose bands are no points because something is not known of who is picked or who has them;
    `lift` is the range of lifts.
    """

    doubted: tuple[str, ...] = ()
    lift: tuple[float, float] | None = None
    truths: Mapping[str, Mapping[str, Band]] = field(default_factory=dict)
    checks: tuple[CheckBand, ...] = ()

    def document(self) -> dict[str, Any]:
        """Return it for `study.json`."""
        return {
            "doubted": list(self.doubted),
            "lift": list(self.lift) if self.lift is not None else None,
            "truths": {
                truth: {name: band.document() for name, band in bands.items()} for truth, bands in self.truths.items()
            },
            "checks": [[each.step, each.truth, each.met.document(), each.power.document()] for each in self.checks],
        }

    @classmethod
    def of_document(cls, document: Mapping[str, Any]) -> CellControl:
        """Return what `document` was made of."""
        lift = document["lift"]
        return cls(
            tuple(map(str, document["doubted"])),
            (float(lift[0]), float(lift[1])) if lift is not None else None,
            {
                str(truth): {str(name): Band.of_document(band) for name, band in bands.items()}
                for truth, bands in document["truths"].items()
            },
            tuple(
                CheckBand(str(step), str(truth), Band.of_document(met), Band.of_document(power))
                for step, truth, met, power in document["checks"]
            ),
        )


NO_CONTROL = CellControl()
"""Of a plan without truths."""


def _share(own: float, base: float) -> float:
    return own / base - 1 if base else math.nan


def _kept(value: float) -> float | None:
    return float(f"{value:.{DIGITS}g}") if math.isfinite(value) else None
