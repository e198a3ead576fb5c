"""The card of a measure: what it is, rests on, changes and is expected to do, as a document and as lines for people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from zonesim.briefing.text.words import LANGUAGES, Words
from zonesim.policy import ALL_ZONES
from zonesim.scenario import Catalogue, Edit, Measure, Practice, SourceNote, load_catalogue
from zonesim.scenario.fields import ends_of, mode_of

BEFORE: Final = "R1"
"""The regime before the plan, whose adoption cards tell."""

ARROWS: Final = {"up": "↑", "down": "↓", "none": "="}

_IN_BOTH: Final = tuple(Words(language) for language in LANGUAGES)


@dataclass(frozen=True)
class Part:
    """A part of a card: its name in the glossary, and what stands there, line by line."""

    phrase: str
    lines: tuple[str, ...]

    @property
    def title(self) -> str:
        """Return what the part is called, in both languages."""
        return " ".join(say(self.phrase) for say in _IN_BOTH)


# --- the document


def card_document(measure: Measure) -> dict[str, Any]:
    """Return all that is known of a measure."""
    catalogue = load_catalogue()
    return {
        "id": measure.name,
        "number": measure.number,
        "annex": measure.annex,
        "task": measure.task,
        "label": _both(measure.label),
        "wording": _both(measure.wording or {}),
        "departments": [{"id": name, **catalogue.departments.get(name, {})} for name in measure.departments],
        "basis": [{"text": each.text, "date": each.date, "body": each.body, "url": each.url} for each in measure.basis],
        "mechanism": list(measure.mechanism),
        "flows": touched_flows(measure, catalogue),
        "practices": {
            name: {
                "label": _both(practice.label),
                "share": _mode(practice.adoption.share, measure),
                "of": practice.adoption.of,
                BEFORE: _adopted(catalogue, measure.name, name),
            }
            for name, practice in measure.practices.items()
        },
        "params": {
            name: {
                "default": param.default,
                "low": param.low,
                "high": param.high,
                "source": _source(param.source, catalogue),
            }
            for name, param in measure.params.items()
        },
        "published": [
            {
                "what": _both(each.what),
                "where": each.where,
                "before": each.before,
                "after": each.after,
                "kind": each.kind,
                "source": _source(each.source, catalogue),
            }
            for each in measure.published
        ],
        "expects": {kpi: {"sign": each.sign, "edited": each.edited} for kpi, each in measure.expects.items()},
        "sets_class": {
            name: dict(practice.sets_class) for name, practice in measure.practices.items() if practice.sets_class
        },
        "edits": [
            {"practice": name, "action": edit.action, "path": edit.path, "to": edit.to, "by": edit.by}
            for name, edit in _edits(measure)
        ],
        "note": measure.note or "",
    }


def touched_flows(measure: Measure, catalogue: Catalogue) -> list[str]:
    """Return the flows of the library that a measure edits, with those that its edits call, in the library's order."""
    found: set[str] = set()
    for _, edit in _edits(measure):
        root, name = edit.path.split(".")[:2]
        found |= {name} if root == "library" else set()
        found |= set(_called(edit.to))
    return [name for name in catalogue.flows if name in found]


def _edits(measure: Measure) -> Iterator[tuple[str | None, Edit]]:
    for name, practice in measure.practices.items():
        yield from ((name, edit) for edit in practice.edits)
    yield from ((None, edit) for edit in measure.zone_edits)


def _called(node: Any) -> Iterator[str]:  # noqa: ANN401
    """Yield the flows that what an edit writes calls."""
    if isinstance(node, dict):
        if isinstance(node.get("call"), str):
            yield node["call"]
        for value in node.values():
            yield from _called(value)


def _adopted(catalogue: Catalogue, measure: str, practice: str) -> dict[str, list[str]]:
    """Return low, mode and high of the share that follows a practice before the plan, by zone; `all`: other zones."""
    written = catalogue.regimes[BEFORE].adopted.get(measure, {}).get(practice, "0 %")
    shares = written if isinstance(written, Mapping) and "uncertain" not in written else {ALL_ZONES: written}
    return {zone: [str(end) for end in ends_of(share)] for zone, share in shares.items()}


def _mode(share: Any, measure: Measure) -> str:  # noqa: ANN401
    """Return the share that a practice asks for, with the parameter that it is."""
    param = measure.params.get(str(share)[1:]) if str(share).startswith("$") else None
    return f"{mode_of(param.default)} ({share})" if param is not None else str(mode_of(share))


def _both(labels: Mapping[Any, str]) -> dict[str, str]:
    return {str(language): text for language, text in labels.items()}


def _source(source: Any, catalogue: Catalogue) -> dict[str, str]:  # noqa: ANN401
    """Return a source note as people read it: its kind, title, body, date, address and confidence."""
    note = source if isinstance(source, SourceNote) else catalogue.sources.get(str(source))
    if note is None:
        return {}
    written = {"kind": note.kind, "title": note.title, "body": note.body, "date": note.date, "url": note.url}
    return {key: str(value) for key, value in {**written, "confidence": note.confidence}.items() if value}


# --- for people


def card_parts(card: Mapping[str, Any]) -> list[Part]:
    """Return the parts of a card that say anything, in the order in which they are read."""
    basis = [", ".join(filter(None, (each["text"], each["body"], each["date"], each["url"]))) for each in card["basis"]]
    found = {
        "wording": [card["wording"][language] for language in LANGUAGES if card["wording"].get(language)],
        "departments": [_in_both(each) for each in card["departments"]],
        "basis": basis,
        "mechanism": [" ".join(say(f"card.mechanism.{kind}") for say in _IN_BOTH) for kind in card["mechanism"]],
        "flows": [", ".join(card["flows"])] if card["flows"] else [],
        "practices": [line for name, each in card["practices"].items() for line in _practice(name, each)],
        "params": [line for name, each in card["params"].items() for line in _param(name, each)],
        "published": [line for each in card["published"] for line in _published(each)],
        "expects": [_expectation(kpi, each) for kpi, each in card["expects"].items()],
        "note": [card["note"]] if card["note"] else [],
    }
    return [Part(f"card.{name}", tuple(lines)) for name, lines in found.items() if lines]


def card_title(card: Mapping[str, Any]) -> str:
    """Return what stands above a card: its number, and what the measure is called in both languages."""
    return f"{card['number']} {_in_both(card['label'])}"


def _in_both(labels: Mapping[str, str]) -> str:
    return " ".join(labels[language] for language in LANGUAGES if labels.get(language))


def _practice(name: str, practice: Mapping[str, Any]) -> list[str]:
    """Return a practice with who follows it where the measure is in force, and before the plan."""
    lines = [f"{name}: {_in_both(practice['label'])}"]
    for say in _IN_BOTH:
        alone = len(practice[BEFORE]) == 1
        zones = say.listed(_share(say, zone, ends, alone=alone) for zone, ends in practice[BEFORE].items())
        of = say(f"card.of.{practice['of']}")
        lines.append(say("card.follows", share=practice["share"], of=of, before=zones, regime=BEFORE))
    return lines


def _share(say: Words, zone: str, ends: Sequence[str], *, alone: bool) -> str:
    low, mode, high = ends
    doubt = f" ({low} … {high})" if low != high else ""
    where = "" if alone and zone == ALL_ZONES else f"{say('card.other_zones') if zone == ALL_ZONES else zone} "
    return f"{where}{mode}{doubt}"


def _param(name: str, param: Mapping[str, Any]) -> list[str]:
    return [f"{name} {param['default']} ({param['low']} … {param['high']})", f"  {_told(param['source'])}"]


def _published(pair: Mapping[str, Any]) -> list[str]:
    kind = " ".join(say(f"card.kind.{pair['kind']}") for say in _IN_BOTH)
    first = f"{_in_both(pair['what'])}: {pair['before']} → {pair['after']} ({pair['where']}; {kind})"
    return [first, f"  {_told(pair['source'])}"]


def _told(source: Mapping[str, str]) -> str:
    words = [source.get(key, "") for key in ("title", "body", "date", "url")]
    return f"[{source.get('kind', '')}] {', '.join(filter(None, words))}"


def _expectation(kpi: str, expected: Mapping[str, Any]) -> str:
    echo = " ".join(say("card.edited") for say in _IN_BOTH) if expected["edited"] else ""
    return f"{kpi} {ARROWS[expected['sign']]}{f' ({echo})' if echo else ''}"


def practice_words(practice: Practice) -> list[str]:
    """Return what a practice changes, an edit or a change of class a line."""
    edits = [f"{edit.action} {edit.path}" for edit in practice.edits]
    return edits + [f"treat class {old} as {new}" for old, new in practice.sets_class.items()]
