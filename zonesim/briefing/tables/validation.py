"""The page of validation: what was calibrated to what, and what an untuned model says of published pairs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

from zonesim.verification import Pair, Prediction, Published, Validation, spread_factor

WIDE: Final = 3.0
"""A range whose far end is more than so many times its near one proves little; the page says so."""

_HEAD: Final = """\
<!-- Written by `python tools/validation.py`; do not edit. -->

# Validation

What the model says of figures that were published, and whether it was set by them. The first table holds what the
library was calibrated to: agreement there is no evidence. The second holds predictions: every number of a scenario
comes from other rows than the one under test, and none was moved afterwards. Failures stay, with a reading of why.
The scenarios, experiments and pairs are in `tests/validation`; each is an ordinary experiment that `zonesim sweep`
takes.

- **model**: with every doubt at its mode, which is what runs use.
- **5-95 %**: the range over {futures} futures, in which all doubts of the scenario are drawn at once by their
  triangular laws (`doubts: {{sample: {futures}}}`). Only what is written as `uncertain` has doubt; a number without any
  makes a range narrower than what is unknown.
- **agrees**: the published value lies in the range; for a bound (or more, ≥, ≤), the range reaches the bound or lies
  beyond it. That is a weak test, and so is a range that takes everything: where its far end is more than {wide:g} times
  the near one, the column *width* says how many times.
- **band**: in which a prediction was said to pass, by somebody who knew the outcomes; `in` or `out` is the model's
  value at the modes.

Most published figures are typical or best cases told by a spokesperson, so upper bounds of a benefit; the column
*kind* says which are means.
"""

_CALIBRATED: Final = (
    "\n## Calibrated 已校准\n\n"
    "| what | 内容 | where | change | model | 5-95 % | published | source |\n"
    "|---|---|---|---|---|---|---|---|\n"
)
_PREDICTED: Final = (
    "\n## Predicted, untuned 未调参预测\n\n"
    "| pair | what | 内容 | where | change | 变化 | model | 5-95 % | published | kind | agrees | band | width |\n"
    "|---|---|---|---|---|---|---|---|---|---|---|---|---|\n"
)
MINUS: Final = "−"


def validation_page(document: Validation, found: Sequence[Prediction], futures: int) -> str:
    """Return the page as Markdown; `found` are the predictions of the document's pairs, in its order."""
    known = [each for each in found if each.pair.calibrated]
    predicted = [each for each in found if not each.pair.calibrated]
    agree = [each for each in predicted if each.inside]
    parts = [_HEAD.format(futures=futures, wide=WIDE)]
    values = [each for each in predicted if _is_value(each)]
    held = sum(each.inside for each in values)
    parts.append(
        f"\n{len(agree)} of {len(predicted)} predictions agree. Of the {len(values)} that are held against a value and"
        f" not a bound, {held} agree.\n"
    )
    parts.append(_CALIBRATED + "".join(map(_calibrated_row, known)))
    parts.append(_PREDICTED + "".join(map(predicted_row, predicted)))
    parts.append("\n## Failures 未通过\n" + "".join(_reading(each) for each in predicted if not each.inside))
    parts.append("\n## Agreement 通过\n" + "".join(_reading(each) for each in predicted if each.inside))
    parts.append("\n## What cannot be tested 无法检验\n\n" + "".join(f"- {each}\n" for each in document.untested))
    return "".join(parts)


def _is_value(each: Prediction) -> bool:
    return each.pair.published.value is not None or each.pair.published.between is not None


def _calibrated_row(each: Prediction) -> str:
    pair = each.pair
    cells = [pair.label["en"], pair.label["zh"], pair.place["en"], pair.change["en"], figure(each.mode, pair.unit)]
    cells += [_range(each), told(pair.published, pair.unit), _source(pair)]
    return f"| {' | '.join(cells)} |\n"


def predicted_row(each: Prediction) -> str:
    """Return the row of a prediction; its first cells, up to the model's value, need no sample."""
    pair = each.pair
    band = "" if pair.band is None else "in" if pair.band[0] <= each.mode <= pair.band[1] else "out"
    cells = [pair.id, pair.label["en"], pair.label["zh"], pair.place["en"], pair.change["en"], pair.change["zh"]]
    cells += [figure(each.mode, pair.unit), _range(each), told(pair.published, pair.unit), pair.published.kind]
    cells += ["yes" if each.inside else "**no**", band, _width(each)]
    return f"| {' | '.join(cells)} |\n"


def _reading(each: Prediction) -> str:
    pair = each.pair
    fitted = f" No blind prediction: the scenario uses {pair.fitted}." if pair.fitted else ""
    wide = f" The range spans {_width(each)}, which proves little." if _width(each) else ""
    return (
        f"\n**{pair.id}** {pair.label['en']}, {pair.place['en']} ({_source(pair)}): {figure(each.mode, pair.unit)},"
        f" {_range(each)}, against {told(pair.published, pair.unit)}. {pair.reading}{fitted}{wide}\n"
    )


def _width(each: Prediction) -> str:
    factor = spread_factor(each.range.low, each.range.high)
    if not factor > WIDE:
        return ""
    return "0 is inside" if math.isinf(factor) else f"× {factor:.1f}"


def _range(each: Prediction) -> str:
    if not each.range.n:
        return "-"
    return f"{figure(each.range.low, '')} to {figure(each.range.high, each.pair.unit)}"


def _source(pair: Pair) -> str:
    rows = ", ".join(pair.rows)
    return f"[{rows}]({pair.url})" if pair.url else rows


def figure(value: float, unit: str) -> str:
    """Return a number with three significant digits and its unit; `-` where it is not known."""
    if math.isnan(value):
        return "-"
    text = f"{abs(value):.3g}"
    shown = f"{MINUS if value < 0 and float(text) else ''}{text}"
    return f"{shown} {unit}" if unit else shown


def told(published: Published, unit: str) -> str:
    """Return what was published, with ≥ and ≤ for bounds in size."""
    if published.between is not None:
        return f"{figure(published.between[0], '')} to {figure(published.between[1], unit)}"
    for sign, value in (("", published.value), ("≥ ", published.least), ("≤ ", published.most)):
        if value is not None:
            return f"{figure(value, unit)} or more" if sign == "≥ " and value < 0 else f"{sign}{figure(value, unit)}"
    return "-"
