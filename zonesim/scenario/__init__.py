"""Strict reading of scenario, flow, measure, regime and future files."""

from zonesim.scenario.catalogue import Catalogue, load_catalogue
from zonesim.scenario.checking import check
from zonesim.scenario.costs import Cost, Investment
from zonesim.scenario.edit import Edit
from zonesim.scenario.evaluation import EvaluationDocument, Indicator
from zonesim.scenario.futures import NO_FUTURE, Future, FutureDocument
from zonesim.scenario.kpis import KpiDeclaration
from zonesim.scenario.models import Flow, Scenario, SourceNote, Step, Zone
from zonesim.scenario.policy_documents import Measure, Practice, Regime
from zonesim.scenario.reader import NOT_YAML, Document, Path_, nearest, read_file, read_option, read_text

__all__ = [
    "NOT_YAML",
    "NO_FUTURE",
    "Catalogue",
    "Cost",
    "Document",
    "Edit",
    "EvaluationDocument",
    "Flow",
    "Future",
    "FutureDocument",
    "Indicator",
    "Investment",
    "KpiDeclaration",
    "Measure",
    "Path_",
    "Practice",
    "Regime",
    "Scenario",
    "SourceNote",
    "Step",
    "Zone",
    "check",
    "load_catalogue",
    "nearest",
    "read_file",
    "read_option",
    "read_text",
]
