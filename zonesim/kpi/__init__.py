"""From records to KPIs."""

from zonesim.kpi.asked import MARK_FIELDS, STEP_FIELDS, Asked, asked_of
from zonesim.kpi.catalogue import Kpi, catalogue, quantities
from zonesim.kpi.censoring import quantile, told_until
from zonesim.kpi.definitions import Definition, Quantity, definitions, table_version, way
from zonesim.kpi.fold_tables import fold_tables, pooled
from zonesim.kpi.measure import RunResult, measure
from zonesim.kpi.page import page
from zonesim.kpi.reducer import Reducer
from zonesim.kpi.scopes import Scopes, scopes_of

__all__ = [
    "MARK_FIELDS",
    "STEP_FIELDS",
    "Asked",
    "Definition",
    "Kpi",
    "Quantity",
    "Reducer",
    "RunResult",
    "Scopes",
    "asked_of",
    "catalogue",
    "definitions",
    "fold_tables",
    "measure",
    "page",
    "pooled",
    "quantile",
    "quantities",
    "scopes_of",
    "table_version",
    "told_until",
    "way",
]
