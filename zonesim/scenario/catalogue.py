"""The library as the package ships it: flows, measures, regimes, shared tables and sources, read and checked."""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any, Final

from pydantic import BaseModel

from zonesim.faults import Faults, Place, ScenarioFault
from zonesim.scenario.calendars import HolidaysDocument
from zonesim.scenario.checking import check
from zonesim.scenario.costs import CostsDocument
from zonesim.scenario.evaluation import EvaluationDocument
from zonesim.scenario.futures import FutureDocument
from zonesim.scenario.kpis import FirmSize, KpiDeclaration, KpisDocument, Passage
from zonesim.scenario.models import FlowDocument, SourceNote
from zonesim.scenario.policy_documents import Measure, Regime, Sources, Tables, ZonesDocument
from zonesim.scenario.reader import Document, Path_, read_text
from zonesim.scenario.statuses import Statuses

KINDS: Final[dict[str, type[BaseModel]]] = {
    "flow": FlowDocument,
    "measure": Measure,
    "regime": Regime,
    "future": FutureDocument,
    "holidays": HolidaysDocument,
    "tables": Tables,
    "zones": ZonesDocument,
    "statuses": Statuses,
    "sources": Sources,
    "kpis": KpisDocument,
    "costs": CostsDocument,
    "evaluation": EvaluationDocument,
}
_HEAD: Final = {"zonesim", "kind", "name"}


@dataclass
class Catalogue:
    """
    The library.

    `flows`, `calendars`, `holidays`, `profiles`, `costs` and `investments` are plain data that becomes part of a
    scenario's world, with `places` and `keys` by world path (`("library", "gate", …)`); measures, regimes, futures and
    sources are models.
    """

    flows: dict[str, dict[str, Any]] = field(default_factory=dict)
    calendars: dict[str, dict[str, Any]] = field(default_factory=dict)
    profiles: dict[str, dict[str, Any]] = field(default_factory=dict)
    holidays: dict[str, dict[str, Any]] = field(default_factory=dict)
    zones: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Facts about zones by id, as a scenario would write them: label and settings with their sources."""
    statuses: dict[str, dict[str, Any]] = field(default_factory=dict)
    measures: dict[str, Measure] = field(default_factory=dict)
    regimes: dict[str, Regime] = field(default_factory=dict)
    futures: dict[str, FutureDocument] = field(default_factory=dict)
    sources: dict[str, SourceNote] = field(default_factory=dict)
    roles: dict[str, dict[str, str]] = field(default_factory=dict)
    departments: dict[str, dict[str, str]] = field(default_factory=dict)
    """Who can be responsible for a measure, by name: labels by language."""
    costs: dict[str, dict[str, Any]] = field(default_factory=dict)
    investments: dict[str, dict[str, Any]] = field(default_factory=dict)
    payers: dict[str, dict[str, str]] = field(default_factory=dict)
    """Who can pay, by name: labels by language."""
    kpis: list[tuple[str, KpiDeclaration]] = field(default_factory=list)
    """Names and declarations; a name may stand in several scopes."""
    passage: Passage | None = None
    """The marks of a passage of a gate."""
    firm_sizes: dict[str, FirmSize] = field(default_factory=dict)
    """The sizes of firms by name, the largest first."""
    evaluation: EvaluationDocument | None = None
    """The evaluation of zones."""
    documents: dict[str, Document] = field(default_factory=dict)
    """The document of each measure, regime and future by name, for the places of its edits, and that of the zones."""
    places: dict[Path_, Place] = field(default_factory=dict)
    keys: dict[Path_, Place] = field(default_factory=dict)

    def in_plan_order(self) -> list[Measure]:
        """Return the measures in the order of the plan: those of its annex by number, then its tasks."""
        return sorted(
            self.measures.values(), key=lambda each: (each.annex is None, each.annex or 0, each.task or 0, each.name)
        )


def _files(folder: Traversable, prefix: str = "library") -> Iterator[tuple[str, Traversable]]:
    for entry in sorted(folder.iterdir(), key=lambda item: item.name):
        name = f"{prefix}/{entry.name}"
        if entry.is_dir():
            yield from _files(entry, name)
        elif entry.name.endswith(".yaml"):
            yield name, entry


def adopt_places(
    document: Document,
    at: Path_,
    below: Path_,
    places: MutableMapping[Path_, Place],
    keys: MutableMapping[Path_, Place],
) -> None:
    """Copy the places of `document` below path `below` into `places` and `keys` under path `at`."""
    for table, own in ((places, document.places), (keys, document.keys)):
        for path, place in own.items():
            if path[: len(below)] == below:
                table[at + path[len(below) :]] = place


@cache
def load_catalogue() -> Catalogue:
    """Return the library; raises Faults if a file of it is wrong (which its tests exclude)."""
    catalogue = Catalogue()
    for name, entry in _files(files("zonesim") / "library"):
        document = read_text(entry.read_text(encoding="utf-8"), name)
        kind = str(document.tree.get("kind"))
        if kind not in KINDS:
            raise Faults(
                [ScenarioFault(f"unknown kind '{kind}'", document.place(("kind",)), f"Kinds: {', '.join(KINDS)}.")]
            )
        model = check(KINDS[kind], document.tree, document.places, document.keys, file=name)
        if isinstance(model, FlowDocument):
            catalogue.flows[model.name] = {key: value for key, value in document.tree.items() if key not in _HEAD}
            adopt_places(document, ("library", model.name), (), catalogue.places, catalogue.keys)
        elif isinstance(model, HolidaysDocument):
            catalogue.holidays[model.name] = {key: value for key, value in document.tree.items() if key not in _HEAD}
            adopt_places(document, ("holidays", model.name), (), catalogue.places, catalogue.keys)
        elif isinstance(model, Measure):
            catalogue.measures[model.name] = model
            catalogue.documents[model.name] = document
        elif isinstance(model, Regime):
            catalogue.regimes[model.name] = model
            catalogue.documents[model.name] = document
        elif isinstance(model, FutureDocument):
            catalogue.futures[model.name] = model
            catalogue.documents[model.name] = document
        elif isinstance(model, Sources):
            catalogue.sources.update(model.sources)
        elif isinstance(model, Statuses):
            catalogue.statuses.update(document.tree["statuses"])
            adopt_places(document, ("statuses",), ("statuses",), catalogue.places, catalogue.keys)
        elif isinstance(model, Tables):
            catalogue.roles |= document.tree.get("roles", {})
            catalogue.departments |= document.tree.get("departments", {})
            for table in ("calendars", "profiles"):
                getattr(catalogue, table).update(document.tree.get(table, {}))
                adopt_places(document, (table,), (table,), catalogue.places, catalogue.keys)
        elif isinstance(model, KpisDocument):
            catalogue.kpis += model.kpis.items()
            catalogue.passage = model.passage or catalogue.passage
            catalogue.firm_sizes |= model.firm_sizes
        elif isinstance(model, CostsDocument):
            catalogue.payers |= document.tree["payers"]
            for table in ("costs", "investments"):
                getattr(catalogue, table).update(document.tree.get(table, {}))
                adopt_places(document, (table,), (table,), catalogue.places, catalogue.keys)
        elif isinstance(model, EvaluationDocument):
            catalogue.evaluation = model
        elif isinstance(model, ZonesDocument):
            catalogue.zones.update(model.as_settings(document.tree))
            catalogue.documents["zones"] = document
    return catalogue
