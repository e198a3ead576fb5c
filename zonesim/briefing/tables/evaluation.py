"""What `zonesim evaluate` prints: a table of zones, the weights of the methods, and why there is no score."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

from rich.table import Table

from zonesim.analysis import Told, ZoneTold
from zonesim.briefing.tables.printing import printed
from zonesim.briefing.text.arm_names import arm_title
from zonesim.briefing.text.values import figure_text
from zonesim.briefing.text.words import Words
from zonesim.policy import ResolvedArm
from zonesim.scenario import EvaluationDocument, SourceNote
from zonesim.writing import for_spreadsheets

MARKS: Final = {"assumed": "*", "derived": "°", "found": ""}
SHARES: Final = {"volume": "v", "firms": "f", "token": "c"}


def evaluation_document(arm: ResolvedArm, asked: EvaluationDocument, found: Sequence[ZoneTold]) -> dict[str, Any]:
    """Return what is told for --json; what is not known is null."""
    return {
        "scenario": arm.scenario.name,
        "arm": arm.arm.name,
        "firms": arm.scenario.firms.count if arm.scenario.firms else 0,
        "methods": {
            name: {
                "label": dict(each.label),
                "weights": dict(each.weights),
                "indicators": each.indicators,
                "source": _source(each.source),
            }
            for name, each in asked.methods.items()
        },
        "classes": {name: dict(label) for name, label in asked.classes.items()},
        "indicators": {
            name: {"label": dict(each.label), "class": each.class_, "unit": dict(each.unit)}
            for name, each in asked.indicators.items()
        },
        "zones": [
            {
                "zone": each.zone,
                "label": dict(arm.scenario.zones[each.zone].label),
                **{name: _told(own) for name, own in each.indicators.items()},
                "active_flows": list(each.flows),
                "followed": [
                    {"measure": own.measure, "practice": own.practice, "share": own.share, "of": own.of}
                    for own in each.followed
                ],
            }
            for each in found
        ],
        "time_score": None,
        "total": None,
    }


def _told(told: Told) -> dict[str, Any]:
    value = None if math.isnan(told.value) else told.value
    return {"value": value, "kind": told.kind, "volume_a_day": told.volume, "at_least": told.at_least}


def _source(source: object) -> dict[str, str]:
    return source.model_dump() if isinstance(source, SourceNote) else {"title": str(source)}


def evaluation_csv(asked: EvaluationDocument, document: Mapping[str, Any]) -> str:
    """Return the zones as CSV: for each indicator its value, whether it is a volume, and the kind of its source."""
    file = io.StringIO()
    table = csv.writer(file, lineterminator="\n")
    parts = ("", "_volume_a_day", "_kind")
    table.writerow(
        [
            *("arm", "zone", "label_en", "label_zh"),
            *(f"{name}{part}" for name in asked.indicators for part in parts),
            *("active_flows", "flows", "followed"),
        ]
    )
    for zone in document["zones"]:
        cells = [
            cell
            for name in asked.indicators
            for cell in (
                "" if zone[name]["value"] is None else zone[name]["value"],
                int(zone[name]["volume_a_day"]),
                zone[name]["kind"],
            )
        ]
        followed = "; ".join(f"{own['practice']} {own['share']:g} of {own['of']}" for own in zone["followed"])
        head = [document["arm"], zone["zone"], *(zone["label"].get(language, "") for language in ("en", "zh"))]
        row = [*head, *cells, len(zone["active_flows"]), " ".join(zone["active_flows"]), followed]
        table.writerow([for_spreadsheets(cell) if isinstance(cell, str) else cell for cell in row])
    return file.getvalue().rstrip("\n")


def evaluation_text(say: Words, arm: ResolvedArm, asked: EvaluationDocument, document: Mapping[str, Any]) -> str:
    """Return what is told for people, in one language."""
    scenario = arm.scenario
    title = say(
        "evaluation.title", name=say.label(scenario.label, scenario.name), arm=arm_title(say, arm.arm, arm.world)
    )
    table = Table(box=None, pad_edge=False)
    for head in (say("evaluation.zone"), say("evaluation.name")):
        table.add_column(head, no_wrap=True)
    for name, each in asked.indicators.items():
        unit = f"\n{say.label(each.unit, '')}" if each.unit else ""
        table.add_column(f"{say.label(each.label, name)}{unit}", justify="right", overflow="fold")
    for head in (say("evaluation.flows"), say("evaluation.followed")):
        table.add_column(head, overflow="fold")
    volumes: dict[str, bool] = {}
    for zone in document["zones"]:
        cells = []
        for name in asked.indicators:
            own = zone[name]
            volumes[name] = volumes.get(name, False) or own["volume_a_day"]
            cells.append(_cell(say, own) + MARKS[own["kind"]])
        flows = f"{len(zone['active_flows'])}: {' '.join(zone['active_flows'])}"
        followed = ", ".join(
            f"{own['measure'].removeprefix('m').lstrip('0')} {100 * own['share']:.3g} % {SHARES[own['of']]}"
            for own in zone["followed"]
        )
        table.add_row(zone["zone"], say.label(zone["label"], zone["zone"]), *cells, flows, followed or "-")
    notes = [
        say("evaluation.mark"),
        *(
            say("evaluation.means", label=say.label(each.label, name), text=say.label(each.definition, name))
            for name, each in asked.indicators.items()
        ),
        *(
            say("evaluation.is_volume", label=say.label(asked.indicators[name].label, name))
            for name, volume in volumes.items()
            if volume
        ),
        say("evaluation.flows_are"),
        say("evaluation.followed_is", n=document["firms"])
        if document["firms"]
        else say("evaluation.followed_without_firms"),
    ]
    closing = [say("evaluation.no_time"), say("evaluation.no_total", counts=_counts(say, asked))]
    return "\n".join([title, "", printed(table), "", *notes, "", _weights(say, asked), "", *closing])


def _cell(say: Words, own: Mapping[str, Any]) -> str:
    """Return a value, or consignments a day."""
    if own["value"] is None:
        return "-"
    value = figure_text(own["value"], percent=False)
    if not own["volume_a_day"]:
        return value
    return say("evaluation.at_least" if own["at_least"] else "evaluation.volume", value=value)


def _counts(say: Words, asked: EvaluationDocument) -> str:
    """Return how many indicators the methods weigh, where that is known."""
    told = [
        say("evaluation.counts", n=method.indicators, label=say.label(method.label, name))
        for name, method in asked.methods.items()
        if method.indicators is not None
    ]
    return say.listed(told)


def _weights(say: Words, asked: EvaluationDocument) -> str:
    """Return the weights of the methods by class, what of a class is told here, and where the weights come from."""
    table = Table(title=say("evaluation.weights"), title_justify="left", box=None, pad_edge=False)
    table.add_column(say("evaluation.class"))
    for name, method in asked.methods.items():
        table.add_column(say.label(method.label, name), justify="right")
    table.add_column(say("evaluation.tells"))
    for name, label in asked.classes.items():
        weights = [str(method.weights.get(name, say("evaluation.unknown"))) for method in asked.methods.values()]
        told = [say.label(each.label, key) for key, each in asked.indicators.items() if each.class_ == name]
        table.add_row(say.label(label, name), *weights, say.listed(told) or "-")
    sources = [
        say(
            "evaluation.source",
            label=say.label(method.label, name),
            kind=say(f"sources.kind.{method.source.kind}"),
            **method.source.model_dump(exclude={"url", "kind"}),
        )
        for name, method in asked.methods.items()
        if isinstance(method.source, SourceNote)
    ]
    return "\n".join([printed(table), *sources])
